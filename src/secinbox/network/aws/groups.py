"""Security groups: they only allow, and keep state. Who is let in, in slices of ports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from secinbox.estate import Estate
from secinbox.network.aws.openings import PROTOCOLS, Door, Opening, Rule, entries, ports_text
from secinbox.network.aws.routes import PrefixLists, by_id
from secinbox.network.ranges import (
    ALL_PORTS,
    Interval,
    IntSet,
    addresses,
    boundaries,
    cidr_texts,
    clients,
    everything,
    is_wide,
    parse_network,
)
from secinbox.network.verdict import Verdict, no, unknown, yes


class Groups:
    """Security groups by id, with what was computed of them."""

    def __init__(self, estate: Estate, lists: PrefixLists) -> None:
        self.by_id = by_id(estate, "aws_ec2_security_group", "GroupId")
        self.lists = lists
        self._rules: dict[str, list[Rule]] = {}
        self._admitted: dict[Door, tuple[list[Opening], list[str]]] = {}
        self._guards: dict[Door, Verdict] = {}

    def rules(self, group_id: str) -> list[Rule] | None:
        """Inbound rules of a group; None when the group was not read."""
        if group_id not in self._rules:
            item = self.by_id.get(group_id)
            if item is None or "IpPermissions" not in item.config:
                return None
            part = item.unfinished("IpPermissions")
            doubt = f"security group {group_id}: {part}" if part else ""
            self._rules[group_id] = [
                rule for p in entries(item.config["IpPermissions"]) for rule in self._rule(p, doubt)
            ]
        return self._rules[group_id]

    def _rule(self, permission: dict[str, Any], doubt: str) -> Iterator[Rule]:
        protocol = str(permission.get("IpProtocol", "-1"))
        low, high = permission.get("FromPort"), permission.get("ToPort")
        ports: Interval = (0, 65535)
        if protocol != "-1" and isinstance(low, int) and isinstance(high, int) and low != -1:
            ports = (low, high)
        cidrs: list[object] = [r.get("CidrIp") for r in entries(permission.get("IpRanges"))]
        cidrs += [r.get("CidrIpv6") for r in entries(permission.get("Ipv6Ranges"))]
        unread = [str(c) for c in cidrs if c is not None and parse_network(c) is None]
        edges: set[int] = set()
        for listed in entries(permission.get("PrefixListIds")):
            known = self.lists.addresses(str(listed.get("PrefixListId")))
            held = self.lists.find(str(listed.get("PrefixListId")))
            if known is None or (held and held.unfinished("get_managed_prefix_list_entries")):
                unread.append(str(listed.get("PrefixListId")))
            cidrs += known or []
            named = str(held.config.get("PrefixListName") or "") if held else ""
            if named.startswith("com.amazonaws.") and named.endswith("cloudfront.origin-facing"):
                edges.add(6 if ".ipv6." in named else 4)
        groups = tuple(
            str(pair["GroupId"])
            for pair in entries(permission.get("UserIdGroupPairs"))
            if pair.get("GroupId")
        )
        sources = {4: addresses(cidrs, 4), 6: addresses(cidrs, 6)}
        for name in ("tcp", "udp"):
            if protocol in ("-1", name, PROTOCOLS[name]):
                yield Rule(name, ports, sources, groups, tuple(unread), doubt, frozenset(edges))
        if protocol not in ("-1", "tcp", "udp", *PROTOCOLS.values()):
            yield Rule("other", ports, sources, groups, tuple(unread), doubt)

    def guard(self, door: Door) -> Verdict:
        """Do the security groups alone let the Internet in?"""
        if door not in self._guards:
            self._guards[door] = self._guard(door, *self.admitted(door))
        return self._guards[door]

    def admitted(self, door: Door) -> tuple[list[Opening], list[str]]:
        """Who is let in by the groups, in slices of ports, and what could not be read."""
        if door not in self._admitted:
            self._admitted[door] = self._admit(door)
        return self._admitted[door]

    def _admit(self, door: Door) -> tuple[list[Opening], list[str]]:
        if door.unfiltered:
            whole = ALL_PORTS if door.port is None else IntSet.of([(door.port, door.port)])
            anyone = everything(door.version)
            return [Opening(p, door.version, whole, anyone) for p in door.protocols], []
        gaps: list[str] = []
        rules: list[Rule] = []
        for group_id in sorted(door.groups):
            known = self.rules(group_id)
            if known is None:
                gaps.append(f"security group {group_id} was not read")
                continue
            rules += [_passed_on(r) for r in known] if door.edge else known
        out: list[Opening] = []
        for protocol in door.protocols:
            mine = [r for r in rules if r.protocol == protocol]
            if door.port is not None:
                mine = [r for r in mine if r.ports[0] <= door.port <= r.ports[1]]
            gaps += [
                f"cannot say which addresses are {', '.join(r.unread)}" for r in mine if r.unread
            ]
            gaps += [r.doubt for r in mine if r.doubt]
            out += _slices([r for r in mine if r.sources[door.version]], protocol, door)
        return out, gaps

    def _guard(self, door: Door, openings: list[Opening], gaps: list[str]) -> Verdict:
        version = door.version
        if any(is_wide(o.sources, version) for o in openings):
            return yes()
        names = ", ".join(sorted(door.groups)) or "no security group"
        if gaps:
            return unknown("; ".join(dict.fromkeys(gaps)), names)
        some = [o for o in openings if clients(o.sources, version)]
        where = f" on port {door.port}" if door.port is not None else ""
        if some:
            allowed = IntSet.of(i for o in some for i in clients(o.sources, version).intervals)
            text = cidr_texts(allowed, version)
            return no(
                f"security groups {names} admit only {text}{where}", names, text, ports_text(some)
            )
        if openings:
            allowed = IntSet.of(i for o in openings for i in o.sources.intervals)
            text = cidr_texts(allowed, version)
            return no(f"security groups {names} admit only {text}{where}", names, text)
        return no(f"security groups {names} admit nobody from the Internet{where}", names)

    def admits_from(
        self, group_ids: Iterable[str], port: int, sources: IntSet, version: int,
        from_groups: Iterable[str] = (), protocol: str = "tcp",
    ) -> bool | None:  # fmt: skip
        """Do these groups let a neighbour in on a port: by reference to its group, or address?"""
        neighbours, unread = set(from_groups), False
        for group_id in group_ids:
            known = self.rules(group_id)
            if known is None:
                unread = True
                continue
            for rule in known:
                if rule.protocol != protocol or not rule.ports[0] <= port <= rule.ports[1]:
                    continue
                if neighbours & set(rule.groups) or (rule.sources[version] & sources):
                    return True
                unread = unread or bool(rule.unread or rule.doubt)
        return None if unread else False


def _passed_on(rule: Rule) -> Rule:
    """The same rule where CloudFront passes everyone on."""
    if not rule.edges:
        return rule
    return replace(rule, sources={v: everything(v) if v in rule.edges else found
                                  for v, found in rule.sources.items()})  # fmt: skip


def _slices(rules: list[Rule], protocol: str, door: Door) -> Iterator[Opening]:
    """The rules' ports, cut at every border, with the union of sources of each slice."""
    whole: Interval = (0, 65535) if door.port is None else (door.port, door.port)
    for low, high in boundaries((r.ports for r in rules), whole):
        sources = IntSet.of(
            i
            for r in rules
            if r.ports[0] <= low and high <= r.ports[1]
            for i in r.sources[door.version].intervals
        )
        if sources:
            yield Opening(protocol, door.version, IntSet.of([(low, high)]), sources)
