"""What network security groups of Azure let in from the Internet.

The rule with the lowest priority number that matches decides; the groups of the subnet and of the
interface must both admit; default rules admit the virtual network and the load balancer's probes
and deny the rest. Source: learn.microsoft.com, "Network security groups: how they filter traffic",
"Public IP addresses" (Basic is open without a group, Standard is closed).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from secinbox.estate import Item
from secinbox.inventory.azure.resources import dicts, identifier, text
from secinbox.network.ranges import (
    EMPTY,
    Interval,
    IntSet,
    addresses,
    boundaries,
    cidr_texts,
    everything,
    is_wide,
    port_text,
)

_ANYONE = ("*", "any", "internet", "0.0.0.0", "/0", "0.0.0.0/0", "::/0")  # noqa: S104 - prefixes
# Tags that name other things than strangers; the rest of the tags are ranges of Azure's services.
_INSIDE = ("virtualnetwork", "azureloadbalancer")


@dataclass(frozen=True)
class Rule:
    """An inbound rule."""

    name: str
    priority: int
    allow: bool
    protocol: str  # tcp, udp, * ...
    ports: tuple[Interval, ...]
    sources: tuple[str, ...]
    to_groups: frozenset[str]  # application security groups; empty: everything
    destinations: tuple[str, ...] = ()


def rules_of(item: Item) -> list[Rule]:
    """The inbound rules of a group, own and default, in order."""
    rows = [
        *dicts(item.config.get("securityRules")),
        *dicts(item.config.get("defaultSecurityRules")),
    ]
    out = [r for row in rows if (r := _rule(row)) is not None]
    return sorted(out, key=lambda r: (r.priority, r.allow, r.name))


def _texts(row: Mapping[str, Any], key: str) -> list[str]:
    found = row.get(key + "s") or row.get(key + "es") or ()
    out = [str(v) for v in found] if isinstance(found, list) else []
    if text(row.get(key)):
        out.append(text(row[key]))
    return out


def _rule(row: Mapping[str, Any]) -> Rule | None:
    if text(row.get("direction")).lower() != "inbound":
        return None
    priority = row.get("priority")
    ranges: list[Interval] = []
    for word in _texts(row, "destinationPortRange"):
        low, _, high = word.partition("-")
        if word in ("*", "any"):
            ranges.append((0, 65535))
        elif low.isdigit() and (not high or high.isdigit()):
            ranges.append((int(low), int(high or low)))
    prefixes = _texts(row, "sourceAddressPrefix")
    groups = frozenset(
        identifier(g) for g in dicts(row.get("destinationApplicationSecurityGroups"))
    )
    return Rule(
        text(row.get("name")) or str(priority), priority if isinstance(priority, int) else 65000,
        text(row.get("access")).lower() == "allow", text(row.get("protocol")).lower() or "*",
        tuple(ranges), tuple(p.lower() for p in prefixes), groups,
        tuple(p.lower() for p in _texts(row, "destinationAddressPrefix")),
    )  # fmt: skip


def _sources(prefixes: Iterable[str], version: int) -> IntSet:
    out = EMPTY
    for prefix in prefixes:
        if prefix in _ANYONE:
            out = out | everything(version)
        elif prefix not in _INSIDE:
            out = out | addresses([prefix], version)
    return out


@dataclass
class Admitted:
    """Ports that everyone reaches, and whom else a rule admits."""

    open: dict[str, IntSet]
    some: str = ""
    by: tuple[str, ...] = ()
    denied: str = ""

    @property
    def ports(self) -> str:
        return "; ".join(f"{p} {port_text(s)}" for p, s in self.open.items() if s)

    def both(self, other: Admitted) -> Admitted:
        """What two groups in a row let through."""
        shared = {p: s & other.open.get(p, EMPTY) for p, s in self.open.items()}
        return Admitted(shared, self.some or other.some, (*self.by, *other.by),
                        self.denied or other.denied)  # fmt: skip


def admitted(item: Item, groups: frozenset[str], address: str = "", version: int = 4) -> Admitted:
    """groups: the application security groups of the interface; address: its private address."""
    mine = [r for r in rules_of(item) if not r.to_groups or r.to_groups & groups]
    mine = [r for r in mine if _meant(r, address)]
    opened: dict[str, IntSet] = {}
    by: dict[str, None] = {}
    denied: dict[str, None] = {}
    some: list[Interval] = []
    for protocol in ("tcp", "udp"):
        spoken = [r for r in mine if r.protocol in ("*", "any", protocol)]
        found: list[Interval] = []
        for low, high in boundaries((i for r in spoken for i in r.ports), (0, 65535)):
            left, let = everything(version), EMPTY
            for rule in spoken:
                if not any(a <= low and high <= b for a, b in rule.ports):
                    continue
                sources = _sources(rule.sources, version) & left
                if not sources:
                    continue
                left = left - sources
                if rule.allow:
                    let = let | sources
                    if is_wide(sources, version):
                        by[rule.name] = None
                elif is_wide(sources, version):
                    denied[rule.name] = None
            if is_wide(let, version):
                found.append((low, high))
            elif let:
                some += let.intervals
        opened[protocol] = IntSet.of(found)
    shown = cidr_texts(IntSet.of(some), version) if some else ""
    return Admitted(opened, shown, tuple(by), ", ".join(denied))


def _meant(rule: Rule, address: str) -> bool:
    if rule.to_groups or not rule.destinations or not address:
        return True
    if any(d in ("*", "any", "virtualnetwork") or d in _ANYONE for d in rule.destinations):
        return True
    own = addresses([address], 4)
    return bool(own & addresses(rule.destinations, 4))


EVERYTHING = Admitted({"tcp": IntSet(((0, 65535),)), "udp": IntSet(((0, 65535),))})


def interfaces(item: Item) -> Iterator[dict[str, Any]]:
    """The address configurations of an interface."""
    yield from dicts(item.config.get("ipConfigurations"))
