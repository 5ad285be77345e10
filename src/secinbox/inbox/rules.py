"""Inbox rules: what enters, in order; the defaults with their fixed ids and published queries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InboxRule:
    """First match decides. `action` is include or exclude."""

    id: str
    name: str
    query: str
    action: str = "include"
    default: bool = False


_DEFAULTS = (
    ("attack_path", "Every attack path", "type:attack_path"),
    (
        "runtime_code_vulnerability",
        "Application code vulnerabilities found at run time, high or critical",
        "type:runtime_code_vulnerability severity:(critical OR high)",
    ),
    (
        "static_code_vulnerability",
        "Application code vulnerabilities, high or critical",
        "type:static_code_vulnerability severity:(critical OR high)",
    ),
    (
        "library_vulnerability",
        "Library vulnerabilities, high or critical, in production and under attack",
        "type:library_vulnerability severity:(critical OR high) "
        "risk.in_production:yes risk.under_attack:yes",
    ),
    (
        "host_and_container_vulnerability",
        "Critical (or high and in KEV) on a host or image that is public, under attack, or in "
        "production with a known exploit",
        "type:(host_vulnerability OR container_image_vulnerability) "
        "(severity:critical OR (severity:high AND kev:yes)) "
        "(risk.public_accessibility:yes OR risk.under_attack:yes OR "
        "(risk.in_production:yes AND risk.exploit_available:yes))",
    ),
    (
        "misconfiguration",
        "Misconfigurations, high or critical, with at least one detected risk",
        "type:misconfiguration severity:(critical OR high) risk_count:>=1",
    ),
    (
        "identity_risk",
        "Identity risks, high or critical, or with privileged access",
        "type:identity_risk (severity:(critical OR high) OR risk.privileged_access:yes)",
    ),
    (
        "secret",
        "Secrets that were verified, or high or critical",
        "type:secret (verified:yes OR severity:(critical OR high))",
    ),
    (
        "iac_misconfiguration",
        "Infrastructure as code, high or critical, on a default branch",
        "type:iac_misconfiguration severity:(critical OR high) default_branch:yes",
    ),
)

DEFAULT_RULES: tuple[InboxRule, ...] = tuple(
    InboxRule(f"{kind}_default_rule", name, query, default=True) for kind, name, query in _DEFAULTS
)
