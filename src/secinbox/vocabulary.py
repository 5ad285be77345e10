"""The closed word lists: every word that crosses a module border is one of these.

Words follow DESIGN's glossary. Nothing here computes anything but a normalised word.
"""

from __future__ import annotations

from typing import Literal, get_args

FindingType = Literal[
    "misconfiguration",
    "identity_risk",
    "library_vulnerability",
    "static_code_vulnerability",
    "runtime_code_vulnerability",
    "container_image_vulnerability",
    "host_vulnerability",
    "secret",
    "iac_misconfiguration",
    "api_security",
    "workload_activity",
    "attack_path",
]
Severity = Literal["critical", "high", "medium", "low", "info", "unknown"]
RiskName = Literal[
    "public_accessibility",
    "privileged_access",
    "under_attack",
    "exploit_available",
    "in_production",
]
RiskValue = Literal["yes", "no", "unknown"]
RelationKind = Literal[
    "runs",  # workload -> container image
    "owned_by",  # pod -> replica set -> deployment; instance -> autoscaling group
    "runs_on",  # pod -> node, task -> instance
    "attached_to",  # interface -> instance, volume -> instance
    "member_of",  # user -> group, instance -> target group
    "in_subnet",
    "in_network",  # subnet, resource -> VPC
    "in_account",
    "guarded_by",  # -> security group, network ACL
    "routes_to",  # load balancer -> target, DNS name -> load balancer, service -> pod, ingress -> service
    "has_identity",  # workload -> role or service account
    "built_from",  # image -> repository
    "part_of",  # -> service
    "contains",  # repository -> package, cluster -> namespace
    "stores_in",  # trail -> bucket
    "snapshot_of",
    "reads_secret",  # workload -> secret that it mounts or has in its environment
]
ExploitMaturity = Literal["active", "weaponised", "poc", "none"]
MuteReason = Literal[
    "false_positive", "risk_accepted", "pending_fix", "no_fix", "duplicate", "other"
]

FINDING_TYPES: tuple[str, ...] = get_args(FindingType)
SEVERITIES: tuple[str, ...] = get_args(Severity)  # most severe first
RISKS: tuple[str, ...] = get_args(RiskName)  # the order in which chips are shown
RISK_VALUES: tuple[str, ...] = get_args(RiskValue)
RELATIONS: tuple[str, ...] = get_args(RelationKind)
MATURITIES: tuple[str, ...] = get_args(ExploitMaturity)  # strongest first
MUTE_REASONS: tuple[str, ...] = get_args(MuteReason)

RISK_LABELS: dict[str, str] = {
    "public_accessibility": "Public",
    "privileged_access": "Privileged",
    "under_attack": "Under attack",
    "exploit_available": "Exploit",
    "in_production": "Production",
}
VULNERABILITY_TYPES: tuple[str, ...] = (
    "library_vulnerability",
    "container_image_vulnerability",
    "host_vulnerability",
)

# What tools write for a severity. A word that is not here is "unknown", never a guess.
_SEVERITY_WORDS: dict[str, Severity] = {
    "critical": "critical",
    "crit": "critical",
    "fatal": "critical",
    "emergency": "critical",
    "alert": "critical",
    "blocker": "critical",
    "very high": "critical",
    "urgent": "critical",
    "high": "high",
    "important": "high",
    "error": "high",
    "major": "high",
    "serious": "high",
    "medium": "medium",
    "moderate": "medium",
    "warning": "medium",
    "warn": "medium",
    "average": "medium",
    "low": "low",
    "minor": "low",
    "note": "low",
    "negligible": "low",
    "unimportant": "low",
    "notice": "low",
    "info": "info",
    "informational": "info",
    "information": "info",
    "none": "info",
    "style": "info",
    "debug": "info",
}


def severity_from_word(word: str | None) -> Severity:
    """A tool's own severity word as one of ours; `unknown` for words that nobody defined."""
    return _SEVERITY_WORDS.get((word or "").strip().lower().replace("_", " "), "unknown")


def severity_from_score(score: float | None) -> Severity:
    """CVSS qualitative bands (first.org, CVSS v3.1 section 5); `unknown` when there is no score."""
    if score is None or not 0.0 <= score <= 10.0:
        return "unknown"
    if score >= 9.0:
        return "critical"
    if score >= 7.0:
        return "high"
    if score >= 4.0:
        return "medium"
    return "low" if score > 0.0 else "info"
