"""Cloud Armor before a machine: whom its rules let through, by address, by origin and by what is asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flips import holds
from tests.test_gcp import COMPUTE, VM, Asset, asset, firewall, public
from tests.test_gcp_services import FRONTS, LINK, chain, group, inside, member

BEHIND = [inside(), firewall(ranges=FRONTS, ports=("8080",)), group(), member()]
OFFICE, LAST = "203.0.113.0/24", 2147483647
DENY, ALLOW = "deny(403)", "allow"


def rule(priority: int, action: str, *ranges: str, expr: str = "", **more: Any) -> Asset:
    match: Asset = (
        {"expr": {"expression": expr}} if expr else {"config": {"srcIpRanges": list(ranges)}}
    )
    return {"priority": priority, "action": action, "match": match, **more}


def walled(*rules: Asset, key: str = "securityPolicy") -> list[Asset]:
    """A machine behind a balancer whose service has this policy."""
    found = chain()
    found[-1]["resource"]["data"][key] = f"{LINK}/global/securityPolicies/armor"
    policy = asset("compute.googleapis.com/SecurityPolicy", f"{COMPUTE}/global/securityPolicies/armor",
                   {"name": "armor", "rules": list(rules)})  # fmt: skip
    return [*BEHIND, *found, policy]


ALL_ALLOWED, ALL_DENIED = rule(LAST, ALLOW, "*"), rule(LAST, DENY, "*")
IN_OFFICE = f"inIpRange(origin.ip, '{OFFICE}')"
CASES: list[tuple[str, list[Asset], str, str]] = [
    ("everyone", walled(ALL_ALLOWED), "yes", ""),
    ("nobody", walled(ALL_DENIED), "no", "denies everyone"),
    ("an office", walled(rule(1, ALLOW, OFFICE), ALL_DENIED), "no", OFFICE),
    ("not an office", walled(rule(1, DENY, OFFICE), ALL_ALLOWED), "yes", ""),
    ("both halves allowed", walled(rule(1, ALLOW, "0.0.0.0/1"), rule(2, ALLOW, "128.0.0.0/1"), ALL_DENIED), "yes", ""),
    ("both halves denied", walled(rule(1, DENY, "0.0.0.0/1", "128.0.0.0/1"), ALL_ALLOWED), "no", "denies everyone"),
    ("the office first, then nobody", walled(rule(5, DENY, "*"), rule(1, ALLOW, OFFICE), ALL_ALLOWED), "no", OFFICE),
    ("denied later than allowed", walled(rule(1, ALLOW, "*"), rule(2, DENY, "*")), "yes", ""),
    ("tried out only", walled(rule(1, DENY, "*", preview=True), ALL_ALLOWED), "yes", ""),
    ("an office by an expression", walled(rule(1, ALLOW, expr=IN_OFFICE), ALL_DENIED), "no", OFFICE),
    ("all but the office denied", walled(rule(1, DENY, expr=f"!{IN_OFFICE}"), ALL_ALLOWED), "no", OFFICE),
    ("all but two", walled(rule(1, DENY, expr=f"!({IN_OFFICE} || origin.ip == '198.51.100.7')"), ALL_ALLOWED), "no",
     "198.51.100.7"),
    ("a country denied", walled(rule(1, DENY, expr="origin.region_code == 'XX'"), ALL_ALLOWED), "yes", ""),
    ("a country allowed", walled(rule(1, ALLOW, expr="origin.region_code == 'XX'"), ALL_DENIED), "yes", ""),
    ("all but a country denied", walled(rule(1, DENY, expr="origin.region_code != 'XX'"), ALL_ALLOWED), "yes", ""),
    ("a country, of the office", walled(rule(1, ALLOW, expr=f"origin.region_code == 'XX' && {IN_OFFICE}"), ALL_DENIED),
     "no", OFFICE),
    ("attacks denied", walled(rule(1, DENY, expr="evaluatePreconfiguredWaf('sqli-v33-stable')"), ALL_ALLOWED), "yes", ""),
    ("a path denied", walled(rule(1, DENY, expr="request.path.matches('/admin')"), ALL_ALLOWED), "yes", ""),
    ("a header asked for", walled(rule(1, DENY, expr="!(request.headers['x-key'] == 's||a')"), ALL_ALLOWED), "unknown",
     "request.headers['x-key'] == 's||a'"),
    ("a header lets in", walled(rule(1, ALLOW, expr="has(request.headers['x-key'])"), ALL_DENIED), "unknown", "x-key"),
    ("everything by an expression", walled(rule(1, DENY, expr="true"), ALL_ALLOWED), "no", "denies everyone"),
    ("nothing by an expression", walled(rule(1, DENY, expr="false"), ALL_ALLOWED), "yes", ""),
    ("limited in number", walled(rule(1, "throttle", "*"), ALL_DENIED), "yes", ""),
    ("sent elsewhere", walled(rule(1, "redirect", "*", redirectOptions={"type": "EXTERNAL_302"}), ALL_ALLOWED), "no", ""),
    ("asked for a captcha", walled(rule(1, "redirect", "*", redirectOptions={"type": "GOOGLE_RECAPTCHA"}), ALL_DENIED),
     "yes", ""),
    ("at the edge", walled(ALL_DENIED, key="edgeSecurityPolicy"), "no", "denies everyone"),
    ("at the edge, everyone", walled(ALL_ALLOWED, key="edgeSecurityPolicy"), "yes", ""),
    ("too many conditions", walled(*(rule(n, DENY, expr=f"request.path == '/{n}'") for n in range(12)), ALL_ALLOWED),
     "unknown", "more conditions"),
    ("brackets without an end", walled(rule(1, DENY, expr="(" * 200), ALL_ALLOWED), "yes", ""),
]  # fmt: skip


@pytest.mark.parametrize(("case", "assets", "value", "told"), CASES, ids=[c[0] for c in CASES])
def test_policy(case: str, assets: list[Asset], value: str, told: str) -> None:
    holds(public(VM, *assets), value, told)
