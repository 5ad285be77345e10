"""Web application firewalls that keep everyone out but a few addresses.

Custom rules are looked at in order of priority. Managed rule sets inspect what is asked and let
strangers pass. A policy in detection mode, or switched off, stops nobody. Source: learn.microsoft.com, "Custom rules for WAF v2 on Application Gateway", "Custom
rules for WAF with Azure Front Door".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.azure.resources import dicts, identifier, text
from secinbox.network.ranges import cidr_texts
from secinbox.network.verdict import Verdict, no, unknown
from secinbox.network.walls import Rule, Term, judge

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
    walls: dict[str, str] = {}
    for item in estate.of_type("azure_microsoft_cdn_profiles_securitypolicies"):
        parameters = item.config.get("parameters")
        parameters = parameters if isinstance(parameters, dict) else {}
        for row in dicts(parameters.get("associations")):
            for domain in dicts(row.get("domains")):
                walls[identifier(domain)] = identifier(parameters.get("wafPolicy"))
    return _all(estate, {walls.get(d, "") for d in _domains(estate, door)})


def _domains(estate: Estate, door: Item) -> set[str]:
    """Where an endpoint answers: its own name, and the domains of its routes."""
    out: set[str] = set()
    routes = [r for r in estate.of_type("azure_microsoft_cdn_profiles_afdendpoints_routes")
              if r.uid.startswith(f"{door.uid}/routes/")
              and text(r.config.get("enabledState")).lower() != "disabled"]  # fmt: skip
    for route in routes:
        out |= {identifier(d) for d in dicts(route.config.get("customDomains"))}
        if text(route.config.get("linkToDefaultDomain")).lower() != "disabled":
            out.add(door.uid)
    return out or {door.uid}


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
    found = judge([rule for _, rule in sorted(_rules(policy), key=lambda r: r[0])])
    if found.open:
        return None
    if found.open is None:
        told = f"the firewall policy {policy.name} lets those through who know: {found.asked}"
        return unknown(told, policy.uid)
    shown = cidr_texts(found.only, 4) if found.only else ""
    return no(
        f"the firewall policy {policy.name} admits {f'only {shown}' if shown else 'nobody'}",
        policy.uid,
        shown,
    )


def _rules(policy: Item) -> Iterator[tuple[int, Rule]]:
    """Rules that let through or stop, by priority; those that log or count decide nothing."""
    own = policy.config.get("customRules")
    rows = own.get("rules") if isinstance(own, dict) else own
    for row in dicts(rows):
        state = text(row.get("state") or row.get("enabledState")).lower()
        conditions = dicts(row.get("matchConditions"))
        action = text(row.get("action")).lower()
        if state == "disabled" or text(row.get("ruleType")).lower() == "ratelimitrule":
            continue
        # Who is sent to another address does not get to what is behind the wall.
        if action not in ("allow", "block", "redirect") or not conditions:
            continue
        priority = row.get("priority")
        term = Term("and", tuple(_term(c) for c in conditions))
        yield priority if isinstance(priority, int) else 2**31, Rule(action == "allow", term)


def _term(condition: dict[str, Any]) -> Term:
    named = [text(v.get("variableName")) for v in dicts(condition.get("matchVariables"))]
    named += [text(condition[k]) for k in ("matchVariable", "selector") if condition.get(k)]
    operator = text(condition.get("operator")).lower()
    told = condition.get("matchValues") or condition.get("matchValue")
    values = [text(v) for v in told] if isinstance(told, list) else []
    if operator == "ipmatch" and any(n.lower() in _ADDRESS for n in named):
        term = Term("or", tuple(Term("ip", word=v) for v in values))
    else:
        kind = "from" if operator == "geomatch" else "asks"
        term = Term(kind, word=f"{' '.join(named)} {operator} {', '.join(values)}".strip())
    keys = ("negationConditon", "negationCondition", "negateCondition")
    negated = next((condition[k] for k in keys if k in condition), False)
    return Term("not", (term,)) if negated is True else term
