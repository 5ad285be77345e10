"""Where a listener forwards what strangers send: its rules in order, each with its conditions.

What a client writes itself (host, path, header, method, query) keeps nobody out; where he comes
from does. A rule that holds for every request hides all rules after it. A network balancer has no
rules. Source: Elastic Load Balancing, "Listener rules", "Target groups for your load balancers".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.openings import entries
from secinbox.network.ranges import addresses, cidr_texts, clients, everything, is_wide

_LAST = 1 << 20  # the rule by default comes after all others
# The fields of a condition with the patterns that hold for every request.
_ALWAYS = {"path-pattern": ("*", "/*"), "host-header": ("*",)}


@dataclass(frozen=True)
class Led:
    """groups: target groups for anyone. narrow: for some networks only, with their text."""

    groups: tuple[str, ...]
    narrow: Mapping[str, str]
    signs_in: bool


def led(listener: Mapping[str, Any], rules: object, versions: Iterable[int]) -> Led:
    """rules: the list of `describe_rules`; None where it was not read or there is none."""
    own = {"Priority": "default", "Actions": listener.get("DefaultActions")}
    found = [r for r in entries(rules) if r.get("Priority") != "default"]
    groups: dict[str, None] = {}
    narrow: dict[str, str] = {}
    signs_in = False
    asked = list(versions)
    for rule in [*sorted(found, key=_priority), own]:
        actions = list(entries(rule.get("Actions")))
        some = _only(rule, asked)
        if some is None:
            groups |= dict.fromkeys(_forwarded(actions))
            signs_in = signs_in or any(
                str(a.get("Type", "")).startswith("authenticate") for a in actions
            )
            if _always(rule, asked):
                break
        else:
            narrow |= {g: some for g in _forwarded(actions) if g not in narrow}
    return Led(tuple(groups), {g: t for g, t in narrow.items() if g not in groups}, signs_in)


def _priority(rule: Mapping[str, Any]) -> int:
    told = str(rule.get("Priority") or "")
    return int(told) if told.isdigit() else _LAST


def _forwarded(actions: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for action in actions:
        if action.get("Type") != "forward":
            continue
        weighted = list(walk(action, "ForwardConfig.TargetGroups[]"))
        if action.get("TargetGroupArn") and not weighted:
            yield str(action["TargetGroupArn"])
        for group in weighted:
            if isinstance(group, dict) and group.get("Weight", 1) != 0:
                yield str(group.get("TargetGroupArn"))


def _values(condition: Mapping[str, Any]) -> tuple[str, list[str]]:
    """`path-pattern` and its patterns, in the older form or the newer."""
    values = [str(v) for v in condition.get("Values") or []]
    for key, inner in condition.items():
        if key.endswith("Config") and isinstance(inner, dict):
            values += [str(v) for v in inner.get("Values") or []]
    return str(condition.get("Field") or ""), values


def _only(rule: Mapping[str, Any], versions: list[int]) -> str | None:
    """The networks for which alone the rule is; None where it is for the Internet."""
    for condition in entries(rule.get("Conditions")):
        field, values = _values(condition)
        if field != "source-ip" or not values:
            continue
        sources = {v: addresses(values, v) for v in (4, 6)}
        if not any(is_wide(sources[v], v) for v in versions):
            some = (cidr_texts(clients(sources[v], v), v) for v in (4, 6))
            return ", ".join(t for t in some if t) or "private addresses"
    return None


def _always(rule: Mapping[str, Any], versions: list[int]) -> bool:
    """Whether the rule holds for every request; one whose conditions nobody told need not."""
    if "Conditions" not in rule:
        return False
    for condition in entries(rule["Conditions"]):
        field, values = _values(condition)
        if field == "source-ip":
            if any(addresses(values, v) != everything(v) for v in versions):
                return False
        elif not set(_ALWAYS.get(field, ())) & set(values):
            return False
    return True
