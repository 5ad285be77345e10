"""AWS WAF: whether a web ACL lets some stranger through to what it guards.

Rules by priority; the first that allows or blocks decides, counting and captchas do not. Managed rule groups
and limits of rate inspect what is asked: strangers pass. The rules of a group of one's own stand where the group
is named. Sources: AWS WAF Developer Guide, "Using web ACL rule actions", "Using match rule statements",
"Rule group action overrides".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.aws.answers import Unread, answer
from secinbox.network.aws.openings import entries
from secinbox.network.ranges import cidr_texts, clients
from secinbox.network.verdict import Verdict, both, either, no, unknown
from secinbox.network.walls import Rule, Term, judge

_PLACE = ("GeoMatchStatement", "AsnMatchStatement")
_INSPECTS = ("ManagedRuleGroupStatement", "RateBasedStatement")


def behind(estate: Estate, names: Iterable[str], verdict: Verdict) -> Verdict:
    """The verdict of a front behind these web ACLs (ARNs); an empty one is none."""
    if verdict.value == "no":
        return verdict
    walls = [w for name in names if (w := _wall(estate, name)) is not None]
    return both([verdict, *walls]) if walls else verdict


def of_balancer(estate: Estate, item: Item) -> list[str]:
    """Web ACLs that say that they guard it."""
    return [t for t in estate.targets(item.uid, "guarded_by") if ":wafv2:" in t]


def of_stages(estate: Estate, item: Item, verdict: Verdict) -> Verdict:
    """An API is open where one of its stages is."""
    found = answer(item, "get_stages")
    stages = [] if isinstance(found, Unread) or not found else entries(found.get("item"))
    ways = [behind(estate, [str(s.get("webAclArn") or "")], verdict) for s in stages]
    return either(ways) if ways else verdict


def _wall(estate: Estate, name: str) -> Verdict | None:
    """What keeps strangers out; None where nothing does."""
    if ":wafv2:" not in name:
        return None
    acl = estate.find(name)
    if acl is None or not isinstance(acl.config.get("DefaultAction"), dict):
        return unknown(f"the rules of the web ACL {name.split('/')[-2]} were not read", name)
    missing: list[str] = []
    unread: list[str] = []
    rules = list(_rules(estate, acl, missing, unread))
    found = judge(rules, "Allow" in acl.config["DefaultAction"])
    if unread:
        return unknown(f"the rules of the group {', '.join(unread[:3])} were not read", acl.uid)
    if found.open:
        return None
    if missing:
        return unknown(f"the addresses of {', '.join(missing[:3])} were not read", acl.uid)
    if found.open is None:
        text = f"the web ACL {acl.name} lets those through who know: {found.asked}"
        return unknown(text, acl.uid)
    only = cidr_texts(clients(found.only, 4), 4)
    return no(
        f"the web ACL {acl.name} admits {f'only {only}' if only else 'nobody'}", acl.uid, only
    )


def _rules(estate: Estate, acl: Item, missing: list[str], unread: list[str]) -> Iterator[Rule]:
    """Of the firewall manager first, of the list itself, and of the firewall manager last."""
    for rows in (
        "PreProcessFirewallManagerRuleGroups",
        "Rules",
        "PostProcessFirewallManagerRuleGroups",
    ):
        for row in _in_order(acl.config.get(rows)):
            statement = row.get("Statement") or row.get("FirewallManagerStatement")
            if not isinstance(statement, dict):
                continue
            group = statement.get("RuleGroupReferenceStatement")
            if not isinstance(group, dict):
                yield from _rule(estate, row.get("Action"), statement, missing)
            elif "Count" not in (row.get("OverrideAction") or {}):
                yield from _grouped(estate, group, missing, unread)


def _in_order(rows: object) -> list[dict[str, Any]]:
    def priority(row: Mapping[str, Any]) -> int:
        found = row.get("Priority")
        return found if isinstance(found, int) else 2**31

    return sorted(entries(rows), key=priority)


def _rule(
    estate: Estate, action: object, statement: Mapping[str, Any], missing: list[str]
) -> Iterator[Rule]:
    decides = isinstance(action, dict) and {"Allow", "Block"} & action.keys()
    if decides and isinstance(action, dict) and not any(k in statement for k in _INSPECTS):
        yield Rule("Allow" in action, _term(estate, statement, missing, 0))


def _grouped(
    estate: Estate, named: Mapping[str, Any], missing: list[str], unread: list[str]
) -> Iterator[Rule]:
    """The rules of a group of one's own, with the actions that the list gives them instead."""
    name = str(named.get("ARN") or "")
    group = estate.find(name)
    if group is None or not isinstance(group.config.get("Rules"), list):
        unread.append(name.split("/")[-2] if name.count("/") > 1 else name)
        return
    instead = {
        str(r.get("Name")): r.get("ActionToUse") for r in entries(named.get("RuleActionOverrides"))
    }
    instead |= {str(r.get("Name")): {"Count": {}} for r in entries(named.get("ExcludedRules"))}
    for row in _in_order(group.config["Rules"]):
        statement = row.get("Statement")
        if isinstance(statement, dict):
            action = instead.get(str(row.get("Name")), row.get("Action"))
            yield from _rule(estate, action, statement, missing)


def _term(estate: Estate, statement: Mapping[str, Any], missing: list[str], depth: int) -> Term:
    for key, word in (("NotStatement", "not"), ("AndStatement", "and"), ("OrStatement", "or")):
        inner = statement.get(key)
        if isinstance(inner, dict) and depth < 20:
            rows = [inner.get("Statement")] if word == "not" else inner.get("Statements") or ()
            parts = (_term(estate, r, missing, depth + 1) for r in rows if isinstance(r, dict))
            return Term(word, tuple(parts))
    listed = statement.get("IPSetReferenceStatement")
    if isinstance(listed, dict):
        return _addresses(estate, listed, missing)
    kind = next(iter(sorted(statement)), "")
    told = statement.get(kind)
    word = f"{kind.removesuffix('Statement')} {_short(told)}".strip()
    return Term("from" if kind in _PLACE else "asks", word=word)


def _addresses(estate: Estate, listed: Mapping[str, Any], missing: list[str]) -> Term:
    name = str(listed.get("ARN") or "")
    if listed.get("IPSetForwardedIPConfig"):
        return Term("from", word=f"a header that names an address of {name}")  # who asks writes it
    found = estate.find(name)
    told = found.config.get("Addresses") if found is not None else None
    if not isinstance(told, list):
        missing.append(name.split("/")[-2] if name.count("/") > 1 else name)
        return Term("asks", word=name)
    return Term("or", tuple(Term("ip", word=str(a)) for a in told))


def _short(told: object) -> str:
    """What a condition looks at, in a few words; no secret of it."""
    field = told.get("FieldToMatch") if isinstance(told, dict) else None
    if not isinstance(field, dict):
        return ""
    inner = next(iter(field.values()), None)
    name = inner.get("Name") if isinstance(inner, dict) else None
    return f"{next(iter(field), '')} {name or ''}".strip()
