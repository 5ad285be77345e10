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

from secinbox.estate import Estate, Item
from secinbox.inventory.azure.resources import dicts, identifier, text
from secinbox.network.azure.tags import ANYONE, INSIDE, is_tag, of_any_customer
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
from secinbox.network.verdict import Verdict, unknown

# Ways to write everyone; the last one in addresses of version 6 only.
_ANYONE = (*ANYONE, "0.0.0.0", "/0", "0.0.0.0/0")  # noqa: S104 - prefixes
_SIX = "::/0"


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


def _sources(prefixes: Iterable[str], version: int, customers: bool, tag: str = "") -> IntSet:
    out = EMPTY
    for prefix in prefixes:
        if (prefix in ANYONE or (prefix in _ANYONE and version == 4)
                or (prefix == _SIX and version == 6)
                or (tag and prefix == tag)
                or (customers and of_any_customer(prefix))):  # fmt: skip
            out = out | everything(version)
        elif not is_tag(prefix):
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


def admitted(item: Item, groups: frozenset[str], address: str = "", version: int = 4,
             customers: bool = False, tag: str = "") -> Admitted:  # fmt: skip
    """groups: the application security groups of the interface; address: its private address.

    customers: count what all customers of Azure can send from as everyone. tag: a service tag (in lower
    case) whose service passes everyone on.
    """
    return decide(rules_of(item), groups, address, version, customers, tag)


def decide(rules: list[Rule], groups: frozenset[str], address: str = "", version: int = 4,
           customers: bool = False, tag: str = "") -> Admitted:  # fmt: skip
    """The same of rules in order."""
    mine = [r for r in rules if not r.to_groups or r.to_groups & groups]
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
                sources = _sources(rule.sources, version, customers, tag) & left
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
    tags = [p for r in mine if r.allow for p in r.sources
            if is_tag(p) and p not in (*ANYONE, *INSIDE) and not (customers and of_any_customer(p))]  # fmt: skip
    shown = ", ".join(filter(None, (
        cidr_texts(IntSet.of(some), version) if some else "",
        *(f"service tag {t}" for t in dict.fromkeys(tags)))))  # fmt: skip
    return Admitted(opened, shown, tuple(by), ", ".join(denied))


def _meant(rule: Rule, address: str) -> bool:
    if rule.to_groups or not rule.destinations or not address:
        return True
    if any(d in ("*", "any", "virtualnetwork") or d in _ANYONE or d == _SIX
           for d in rule.destinations):  # fmt: skip
        return True
    own = addresses([address], 4)
    return bool(own & addresses(rule.destinations, 4))


EVERYTHING = Admitted({"tcp": IntSet(((0, 65535),)), "udp": IntSet(((0, 65535),))})


_REST = Rule("the groups", 65536, True, "*", ((0, 65535),), ("*",), frozenset())


class Guards:
    """Which groups and administrators' rules stand before which subnet, and what they let in."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.subnet_group: dict[str, str] = {}
        self.subnets: dict[str, dict[str, Any]] = {}
        for item in estate.of_type("azure_microsoft_network_virtualnetworks"):
            for subnet in dicts(item.config.get("subnets")):
                self._subnet(subnet)
        for item in estate.of_type("azure_microsoft_network_virtualnetworks_subnets"):
            self._subnet({"id": item.uid, **item.config})
        # A group says itself what it stands before; a network may have been left out of the export.
        self.of_interface: dict[str, str] = {}
        for item in estate.of_type("azure_microsoft_network_networksecuritygroups"):
            for row in dicts(item.config.get("subnets")):
                self.subnet_group.setdefault(identifier(row), item.uid)
                self.subnets.setdefault(identifier(row), row)
            for row in dicts(item.config.get("networkInterfaces")):
                self.of_interface.setdefault(identifier(row), item.uid)
        self.managed = dict(_managed(estate))

    def _subnet(self, subnet: dict[str, Any]) -> None:
        name = identifier(subnet.get("id"))
        self.subnets[name] = subnet
        if identifier(subnet.get("networkSecurityGroup")):
            self.subnet_group[name] = identifier(subnet["networkSecurityGroup"])

    def of_subnet(self, subnet: str) -> list[str]:
        """The group of a subnet, if it has one."""
        found = self.subnet_group.get(subnet)
        return [found] if found else []

    def prefix(self, subnet: str) -> str:
        """The addresses of a subnet; empty where they were not read."""
        found = self.subnets.get(subnet, {})
        several = found.get("addressPrefixes")
        return text(found.get("addressPrefix")) or (
            str(several[0]) if isinstance(several, list) and several else "")  # fmt: skip

    def through(self, guards: list[str], asgs: frozenset[str], private: str, item: Item,
                version: int = 4, customers: bool = False, tag: str = "",
                ) -> tuple[Admitted, Verdict | None]:  # fmt: skip
        """What all of these groups let in from the Internet; a gap where one was not read."""
        found = EVERYTHING
        for name in guards:
            group = self.estate.find(name)
            if group is None or "securityRules" not in group.config:
                short = name.rsplit("/", 1)[-1]
                return found, unknown(f"network security group {short} was not read", item.uid)
            found = found.both(admitted(group, asgs, private, version, customers, tag))
        return found, None

    def overruled(self, subnet: str, found: Admitted) -> Admitted:
        """After the security admin rules of the network, which come first: what they deny stays
        denied, what they always allow passes by the groups."""
        rules = self.managed.get(subnet.partition("/subnets/")[0], [])
        if not rules:
            return found
        always = decide(rules, frozenset())
        # What would be open if nothing but these rules spoke: the rest is denied by them.
        left = decide([*rules, _REST], frozenset())
        out = {p: (s & left.open.get(p, EMPTY)) | always.open.get(p, EMPTY)
               for p, s in found.open.items()}  # fmt: skip
        denied = ", ".join(r.name for r in rules if not r.allow)
        return Admitted(out, found.some, (*found.by, *always.by), found.denied or denied)

    def inside(self, guards: list[str], asgs: frozenset[str], private: str, protocol: str,
               port: int, source: str) -> bool | None:  # fmt: skip
        """Whether the groups admit a neighbour in the network; None where one was not read."""
        for name in guards:
            group = self.estate.find(name)
            if group is None or "securityRules" not in group.config:
                return None
            if not _neighbour(rules_of(group), asgs, private, protocol, port, source):
                return False
        return True


def _neighbour(rules: list[Rule], asgs: frozenset[str], private: str, protocol: str, port: int,
               source: str) -> bool:  # fmt: skip
    """The first rule that matches decides; without default rules a network admits itself."""
    own = addresses([source], 4)
    for rule in rules:
        if (rule.to_groups and not rule.to_groups & asgs) or not _meant(rule, private):
            continue
        if rule.protocol not in ("*", "any", protocol):
            continue
        if not any(low <= port <= high for low, high in rule.ports):
            continue
        named = any(p in ("virtualnetwork", *ANYONE[:2]) or p in _ANYONE[3:] for p in rule.sources)
        if named or (own and addresses([p for p in rule.sources if not is_tag(p)], 4) & own == own):
            return rule.allow
    return True


def _managed(estate: Estate) -> Iterator[tuple[str, list[Rule]]]:
    """Virtual network -> security admin rules of network managers that bear on it."""
    kind = "azure_microsoft_network_networkmanagers_"
    members: dict[str, set[str]] = {}
    for item in estate.of_type(f"{kind}networkgroups_staticmembers"):
        group = item.uid.partition("/staticmembers/")[0]
        members.setdefault(group, set()).add(identifier(item.config.get("resourceId")))
    by_network: dict[str, list[Rule]] = {}
    for collection in estate.of_type(f"{kind}securityadminconfigurations_rulecollections"):
        networks: set[str] = set()
        for row in dicts(collection.config.get("appliesToGroups")):
            networks |= members.get(identifier(row.get("networkGroupId")), set())
        for item in estate.of_type(f"{kind}securityadminconfigurations_rulecollections_rules"):
            if not item.uid.startswith(collection.uid + "/"):
                continue
            config = item.config
            access = text(config.get("access")).lower()
            rule = _rule({
                **config, "name": item.name, "access": "deny" if access == "deny" else "allow",
                "sourceAddressPrefixes": [text(s.get("addressPrefix"))
                                          for s in dicts(config.get("sources"))],
            })  # fmt: skip
            if rule is not None and access in ("deny", "alwaysallow"):
                for network in networks:
                    by_network.setdefault(network, []).append(rule)
    for network, rules in by_network.items():
        yield network, sorted(rules, key=lambda r: r.priority)
