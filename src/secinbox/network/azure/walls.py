"""Web application firewalls that keep everyone out but a few addresses.

Custom rules are looked at in order of priority; the first that matches by address decides. Managed
rule sets inspect what is asked and let strangers pass. A policy in detection mode, or switched off,
stops nobody. Source: learn.microsoft.com, "Custom rules for WAF v2 on Application Gateway", "Custom
rules for WAF with Azure Front Door".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.azure.resources import dicts, identifier, text
from secinbox.network.ranges import EMPTY, IntSet, addresses, cidr_texts, everything, is_wide
from secinbox.network.verdict import Verdict, no, unknown

_ADDRESS = ("remoteaddr", "socketaddr")


def before_gateway(
    estate: Estate, gateway: Item, listeners: list[dict[str, Any]]
) -> Verdict | None:
    """What stops strangers at an application gateway: every public listener must have it."""
    whole = identifier(gateway.config.get("firewallPolicy"))
    names = {identifier(row.get("firewallPolicy")) or whole for row in listeners} or {whole}
    return _all(estate, names)


def before_door(estate: Estate, door: Item) -> Verdict | None:
    """The same at an endpoint of a front door, by its profile's policies or its own links."""
    if door.type.endswith("frontdoors"):
        fronts = dicts(door.config.get("frontendEndpoints"))
        return _all(estate, {identifier(f.get("webApplicationFirewallPolicyLink")) for f in fronts})
    names = set()
    for item in estate.of_type("azure_microsoft_cdn_profiles_securitypolicies"):
        parameters = item.config.get("parameters")
        parameters = parameters if isinstance(parameters, dict) else {}
        for row in dicts(parameters.get("associations")):
            if any(identifier(d) == door.uid for d in dicts(row.get("domains"))):
                names.add(identifier(parameters.get("wafPolicy")))
    return _all(estate, names) if names else None


def _all(estate: Estate, names: set[str]) -> Verdict | None:
    """The control, where each of these policies is one; an empty name is no policy."""
    found = []
    for name in sorted(names):
        policy = estate.find(name) if name else None
        if name and policy is None:
            return unknown(f"the firewall policy {name.rsplit('/', 1)[-1]} was not read", name)
        shut = _shut(policy) if policy is not None else None
        if shut is None:
            return None
        found.append(shut)
    return found[0] if found else None


def _shut(policy: Item) -> Verdict | None:
    settings = policy.config.get("policySettings")
    settings = settings if isinstance(settings, dict) else {}
    state = text(settings.get("state") or settings.get("enabledState")).lower()
    if state == "disabled" or text(settings.get("mode")).lower() == "detection":
        return None
    left, let = everything(4), EMPTY
    for _, action, ranges in sorted(_rules(policy), key=lambda r: r[0]):
        meant = ranges & left
        if action == "allow":
            let = let | meant
        if action in ("allow", "block"):
            left = left - meant
    let = let | left
    if is_wide(let, 4):
        return None
    shown = cidr_texts(let, 4) if let else ""
    return no(
        f"the firewall policy {policy.name} admits {f'only {shown}' if shown else 'nobody'}",
        policy.uid,
        shown,
    )


def _rules(policy: Item) -> Iterator[tuple[int, str, IntSet]]:
    """(priority, action, addresses) of rules that ask for nothing but an address."""
    own = policy.config.get("customRules")
    rows = own.get("rules") if isinstance(own, dict) else own
    for row in dicts(rows):
        state = text(row.get("state") or row.get("enabledState")).lower()
        conditions = dicts(row.get("matchConditions"))
        if state == "disabled" or text(row.get("ruleType")).lower() == "ratelimitrule":
            continue
        meant = everything(4) if conditions else EMPTY
        for condition in conditions:
            named = [text(v.get("variableName")) for v in dicts(condition.get("matchVariables"))]
            named.append(text(condition.get("matchVariable")))
            if not any(n.lower() in _ADDRESS for n in named) or (
                text(condition.get("operator")).lower() != "ipmatch"):  # fmt: skip
                meant = EMPTY  # it asks for more, so it need not match a stranger
                break
            values = condition.get("matchValues") or condition.get("matchValue")
            ranges = addresses(values if isinstance(values, list) else [], 4)
            negated = next((condition[k] for k in ("negationConditon", "negationCondition",
                                                   "negateCondition") if k in condition), False)  # fmt: skip
            meant = meant & (everything(4) - ranges if negated is True else ranges)
        priority = row.get("priority")
        yield (
            priority if isinstance(priority, int) else 2**31,
            text(row.get("action")).lower(),
            meant,
        )
