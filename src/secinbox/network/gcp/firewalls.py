"""What the firewalls of a VPC network of Google Cloud let in from the Internet.

Order: hierarchical policies from the organisation down (the first rule that matches decides, unless
it passes on), then VPC rules by priority (deny before allow at the same one), then network policies;
implied deny last. Source: cloud.google.com, "VPC firewall rules", "Firewall policies", "Policy and
rule evaluation order".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.gcp.assets import many, name_of_link
from secinbox.network.ranges import (
    ALL_PORTS,
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

# What health checks and Google's own fronts come from: no stranger's addresses.
FRONT_RANGES = ("130.211.0.0/22", "35.191.0.0/16")
# The same, with older health checks and the tunnels of Identity-Aware Proxy: as many addresses as a
# small Internet, and none of a stranger.
_OWN = addresses((*FRONT_RANGES, "35.235.240.0/20", "209.85.152.0/22", "209.85.204.0/22"), 4)


@dataclass(frozen=True)
class Rule:
    """One ingress rule that applies to a machine."""

    name: str
    uid: str
    stage: int  # 0 hierarchical, 1 VPC rules, 2 network policies
    priority: int
    action: str  # allow | deny | goto_next
    layers: tuple[tuple[str, tuple[Interval, ...]], ...]  # protocol and its ports
    sources: tuple[str, ...]
    tags: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    unread: str = ""  # source lists, or targets, that nobody could read
    networks: frozenset[str] = frozenset()  # of a hierarchical rule that names its networks
    secure: frozenset[str] = frozenset()  # secure tags that the machine has to bear

    def layer(self, protocol: str) -> tuple[Interval, ...]:
        out: list[Interval] = []
        for name, ports in self.layers:
            if name in (protocol, "all"):
                out += ports
        return tuple(out)


@dataclass
class Admitted:
    """Ports and who may come, per protocol; `by` names the rules that admit everyone."""

    open: dict[str, IntSet]
    some: str = ""  # the ranges that are let in, where not everyone is
    by: tuple[str, ...] = ()
    denied: str = ""
    gaps: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()  # denials of which nobody can say whether they bear on it

    @property
    def ports(self) -> str:
        return "; ".join(f"{p} {port_text(s)}" for p, s in self.open.items() if s)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _ports(words: Any) -> tuple[Interval, ...]:
    if not isinstance(words, list) or not words:
        return ((0, 65535),)
    out: list[Interval] = []
    for word in words:
        low, _, high = str(word).partition("-")
        if low.isdigit() and (not high or high.isdigit()):
            out.append((int(low), int(high or low)))
    return tuple(out)


# Inspection on the way lets pass what it finds harmless.
_ACTIONS = {"allow": "allow", "deny": "deny", "apply_security_profile_group": "allow"}
# Where a rule looks for packets that did not come from the Internet.
_INNER = ("NON_INTERNET", "VPC_NETWORKS", "INTRA_VPC")
_NUMBERS = {"6": "tcp", "17": "udp"}


def _layers(entries: list[dict[str, Any]]) -> tuple[tuple[str, tuple[Interval, ...]], ...]:
    out = []
    for entry in entries:
        word = str(entry.get("IPProtocol") or entry.get("ipProtocol") or "all").lower()
        out.append((_NUMBERS.get(word, word), _ports(entry.get("ports"))))
    return tuple(out)


class Firewalls:
    """All ingress rules of an estate, by network and by place in the hierarchy."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.by_network: dict[str, list[Rule]] = defaultdict(list)
        self.by_place: dict[str, list[Rule]] = defaultdict(list)
        for item in estate.of_type("gcp_compute_firewall"):
            rule = vpc_rule(item)
            if rule is not None:
                self.by_network[network_key(str(item.config.get("network") or ""))].append(rule)
        # Rules of network policies come after those of the network, unless it says otherwise.
        self.first = {
            network_key(i.uid) for i in estate.of_type("gcp_compute_network")
            if i.config.get("networkFirewallPolicyEnforcementOrder") == "BEFORE_CLASSIC_FIREWALL"
        }  # fmt: skip
        self.secure: dict[str, set[str]] = defaultdict(set)
        bindings = estate.of_type("gcp_cloudresourcemanager_tag_binding")
        self.secure_read = bool(bindings)
        for item in bindings:
            parent = str(item.config.get("parent") or "")
            found = estate.find(parent)
            self.secure[found.uid if found is not None else parent].add(
                str(item.config.get("tagValue") or "")
            )
        for item in estate.of_type(
            "gcp_compute_firewall_policy", "gcp_compute_network_firewall_policy",
            "gcp_compute_region_network_firewall_policy", "gcp_compute_region_firewall_policy",
        ):  # fmt: skip
            self._policy(item)

    def _policy(self, item: Item) -> None:
        for link in _dicts(item.config.get("associations")):
            target = str(link.get("attachmentTarget") or "")
            network = "/networks/" in target
            rules = [r for row in _dicts(item.config.get("rules"))
                     if (r := _policy_rule(item, row, 2 if network else 0)) is not None]  # fmt: skip
            if network:
                self.by_network[network_key(target)] += rules
            else:
                self.by_place["/".join(target.split("/")[-2:])] += rules

    def known(self, item: Item, network: str = "") -> bool:
        """Whether the firewall rules of a network were read: of its own project, which is another
        than the machine's where the network is shared."""
        links = [network] if network else [
            str(n.get("network") or "") for n in _dicts(item.config.get("networkInterfaces"))]  # fmt: skip
        for key in (network_key(link) for link in links):
            project = key.partition("/")[0] if "/" in key else item.account
            if not (self.by_network.get(key) or any(
                self.estate.looked_at(f"gcp:{p}/gcp_compute_firewall")
                for p in (project, *((item.account,) if project == item.account else ())))):  # fmt: skip
                return False
        return True

    def admitted(self, item: Item, network: str, version: int = 4) -> Admitted:
        """What of the Internet reaches an interface of this machine in this network."""
        return decide(self.of(item, network), version)

    def of(self, item: Item, network: str) -> list[Rule]:
        """The rules that apply to this machine in this network, in order."""
        tags = tags_of(item)
        accounts = {str(a.get("email")) for a in _dicts(item.config.get("serviceAccounts"))}
        ancestors = [str(a) for a in many(item.config.get("ancestors"))]
        rules: list[Rule] = []
        for place in reversed(ancestors):
            rules += sorted(self.by_place.get(place, ()), key=_order)
        key = network_key(network)
        own = sorted(self.by_network.get(key, ()), key=_order)
        if key in self.first:
            own = [r for r in own if r.stage == 2] + [r for r in own if r.stage != 2]
        rules = [r for r in rules if not r.networks or key in r.networks] + own
        return [s for r in rules if _applies(r, tags, accounts)
                and (s := self._secured(r, item)) is not None]  # fmt: skip

    def _secured(self, rule: Rule, item: Item) -> Rule | None:
        """A rule for secure tags: none where the machine bears no such tag."""
        if not rule.secure:
            return rule
        if self.secure_read:
            return rule if rule.secure & self.secure.get(item.uid, set()) else None
        return replace(rule, unread=f"{rule.name} is for secure tags, whose bindings were not read")

    def admits(self, item: Item, network: str, sources: Iterable[object], port: int | None,
               protocol: str = "tcp") -> bool | None:  # fmt: skip
        """Whether all of these sources get in on a port (on any, where it is None)."""
        left = addresses(list(sources), 4)
        if not left:
            return False
        for rule in self.of(item, network):
            spans = rule.layer(protocol)
            if not any(port is None or low <= port <= high for low, high in spans):
                continue
            meant = addresses(rule.sources, 4) & left
            if not meant:
                continue
            if rule.action == "deny" and (port is not None or spans == ((0, 65535),)):
                return None if rule.unread else False
            if rule.action == "allow" and meant == left:
                return None if rule.unread else True
        return False


def decide(rules: list[Rule], version: int = 4) -> Admitted:
    """Slices of ports, each decided by the rules in order: what is let in for whom."""
    opened: dict[str, IntSet] = {}
    by: dict[str, None] = {}
    denied: dict[str, None] = {}
    allowed: list[Interval] = []
    doubts: dict[str, None] = {}
    gaps = tuple(dict.fromkeys(r.unread for r in rules if r.unread and r.action == "allow"))
    rules = [r for r in rules if not (r.unread and r.action == "allow")]
    for protocol in ("tcp", "udp"):
        mine = [(r, r.layer(protocol)) for r in rules]
        mine = [(r, p) for r, p in mine if p]
        found: list[Interval] = []
        for low, high in boundaries((i for _, p in mine for i in p), (0, 65535)):
            left, let = everything(version), EMPTY
            passed: dict[str, IntSet] = {}  # by policy: what it leaves to the next level
            for rule, ports in mine:
                if not any(a <= low and high <= b for a, b in ports):
                    continue
                sources = addresses(rule.sources, version) & left
                sources = sources - passed.get(rule.uid, EMPTY)
                if not sources:
                    continue
                if rule.action == "allow":
                    let = let | sources
                    if _wide(sources, version):
                        by[rule.name] = None
                elif rule.action == "deny" and rule.unread:
                    doubts[rule.unread] = None  # whether it takes something away is not known
                    continue
                elif rule.action == "deny" and is_wide(sources, version):
                    denied[rule.name] = None
                if rule.action == "goto_next":
                    passed[rule.uid] = passed.get(rule.uid, EMPTY) | sources
                else:
                    left = left - sources
            if _wide(let, version):
                found.append((low, high))
            elif let:
                allowed += let.intervals
        opened[protocol] = IntSet.of(found)
    some = cidr_texts(IntSet.of(allowed), version) if allowed else ""
    return Admitted(opened, some, tuple(by), ", ".join(denied), gaps, tuple(doubts))


def _wide(sources: IntSet, version: int) -> bool:
    return is_wide(sources, version) and (version == 6 or is_wide(sources - _OWN, version))


def _order(rule: Rule) -> tuple[int, int, bool, str]:
    return rule.stage, rule.priority, rule.action != "deny", rule.name


def _applies(rule: Rule, tags: frozenset[str], accounts: set[str]) -> bool:
    if rule.tags and not rule.tags & tags:
        return False
    return not rule.accounts or bool(rule.accounts & accounts)


def tags_of(item: Item) -> frozenset[str]:
    tags = item.config.get("tags")
    items = tags.get("items") if isinstance(tags, dict) else tags
    return frozenset(str(t) for t in items) if isinstance(items, list) else frozenset()


def network_key(network: str) -> str:
    """`PROJECT/NAME`, however the network is written."""
    words = name_of_link(network).split("/")
    if "projects" in words and "networks" in words:
        return f"{words[words.index('projects') + 1]}/{words[words.index('networks') + 1]}"
    return words[-1]


def vpc_rule(item: Item) -> Rule | None:
    """The ingress rule of a VPC firewall; None where it is none or switched off."""
    config = item.config
    if config.get("disabled") is True or str(config.get("direction") or "INGRESS") != "INGRESS":
        return None
    allow = _dicts(config.get("allowed") or config.get("allow"))
    deny = _dicts(config.get("denied") or config.get("deny"))
    if not allow and not deny:
        return None
    sources = [str(s) for s in many(config.get("sourceRanges"))]
    narrowed = config.get("sourceTags") or config.get("sourceServiceAccounts")
    if not sources and not narrowed:
        sources = ["0.0.0.0/0"]  # the default of an ingress rule without any source
    priority = config.get("priority")
    return Rule(
        item.name, item.uid, 1, priority if isinstance(priority, int) else 1000,
        "allow" if allow else "deny", _layers(allow or deny), tuple(sources),
        frozenset(str(t) for t in many(config.get("targetTags"))),
        frozenset(str(t) for t in many(config.get("targetServiceAccounts"))),
    )  # fmt: skip


def _policy_rule(item: Item, row: Mapping[str, Any], stage: int) -> Rule | None:
    if row.get("disabled") is True or str(row.get("direction") or "INGRESS") != "INGRESS":
        return None
    match = row.get("match")
    match = match if isinstance(match, dict) else {}
    if any(
        match.get(k) in _INNER for k in ("srcNetworkContext", "srcNetworkType", "srcNetworkScope")
    ):
        return None  # it speaks of no stranger's packets
    sources = [str(s) for s in many(match.get("srcIpRanges"))]
    lists = [k for k in ("srcRegionCodes", "srcThreatIntelligences", "srcFqdns", "srcAddressGroups",
                         "srcSecureTags") if match.get(k)]  # fmt: skip
    if not sources and not lists:
        sources = ["0.0.0.0/0", "::/0"]
    priority = row.get("priority")
    return Rule(
        f"{item.name} {row.get('ruleName') or priority}", item.uid, stage,
        priority if isinstance(priority, int) else 2**31,
        _ACTIONS.get(str(row.get("action")).lower(), "goto_next"),
        _layers(_dicts(match.get("layer4Configs"))) or (("all", ((0, 65535),)),), tuple(sources),
        frozenset(), frozenset(str(t) for t in many(row.get("targetServiceAccounts"))),
        f"{item.name}: {', '.join(lists)}" if lists and not sources else "",
        frozenset(network_key(str(n)) for n in many(row.get("targetResources"))),
        frozenset(str(t.get("name")) for t in _dicts(row.get("targetSecureTags"))),
    )  # fmt: skip


def external(item: Item) -> Iterator[tuple[str, str, int]]:
    """(address, network, IP version) of each interface that the Internet can address."""
    for interface in _dicts(item.config.get("networkInterfaces")):
        network = str(interface.get("network") or "")
        for access in _dicts(interface.get("accessConfigs")):
            if access.get("natIP"):
                yield str(access["natIP"]), network, 4
            elif "type" in access and access.get("type") == "ONE_TO_ONE_NAT" and len(access) <= 4:
                # An ephemeral address of a machine that is not running has no value.
                yield "an external address", network, 4
        for access in _dicts(interface.get("ipv6AccessConfigs")):
            if access.get("externalIpv6"):
                yield str(access["externalIpv6"]), network, 6


def everyone(cidrs: Iterable[object]) -> tuple[bool, str]:
    """Whether these ranges are the Internet, and their text."""
    given = list(cidrs)
    found = [addresses(given, v) for v in (4, 6)]
    wide = any(is_wide(found[n], v) for n, v in ((0, 4), (1, 6)))
    return wide, ", ".join(cidr_texts(f, v) for f, v in zip(found, (4, 6), strict=True) if f)


__all__ = [
    "ALL_PORTS",
    "FRONT_RANGES",
    "Admitted",
    "Firewalls",
    "Rule",
    "decide",
    "everyone",
    "external",
    "network_key",
    "tags_of",
    "vpc_rule",
]
