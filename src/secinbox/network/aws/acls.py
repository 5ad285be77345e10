"""Network ACLs: rules in order of number, inbound and outbound, without state."""

from __future__ import annotations

from typing import Any

from secinbox.estate import Estate, Item
from secinbox.network.aws.openings import PROTOCOLS, Opening, entries
from secinbox.network.ranges import (
    EMPTY,
    Interval,
    IntSet,
    addresses,
    boundaries,
    cidr_texts,
    clients,
    everything,
    interval_of,
    parse_network,
)
from secinbox.network.verdict import Verdict, no, unknown

_EPHEMERAL: Interval = (1024, 65535)


class Acls:
    """Network ACLs of subnets, with what was computed of them."""

    def __init__(self, estate: Estate, subnets: dict[str, Item]) -> None:
        self.subnets = subnets
        self._acls: dict[str, Item] = {}  # subnet or VPC (default) -> network ACL
        for item in estate.of_type("aws_ec2_network_acl"):
            for link in entries(item.config.get("Associations")):
                if link.get("SubnetId"):
                    self._acls[str(link["SubnetId"])] = item
            if item.config.get("IsDefault"):
                self._acls.setdefault(f"default {item.config.get('VpcId')}", item)
        self._stopped: dict[tuple[str, str, str, Interval], str] = {}
        self._numbers: dict[str, int] = {}
        self._texts: dict[str, int] = {}
        self._allowed: dict[tuple[int, bool, str, int, int], IntSet] = {}
        self._returned: dict[tuple[str, str, int], IntSet] = {}

    def of(self, subnet_id: str) -> Item | None:
        """The ACL of a subnet: its own, else the default one of its VPC."""
        found = self._acls.get(subnet_id)
        if found is not None:
            return found
        subnet = self.subnets.get(subnet_id)
        return self._acls.get(f"default {subnet.config.get('VpcId')}") if subnet else None

    def allows(self, acl: Item, egress: bool, protocol: str, port: int, version: int) -> IntSet:
        """Addresses that the ACL lets in (or out) for one port, by its rules in order."""
        asked = (self.alike(acl), egress, protocol, port, version)
        if asked not in self._allowed:
            self._allowed[asked] = self._allows(acl, egress, protocol, port, version)
        return self._allowed[asked]

    def _allows(self, acl: Item, egress: bool, protocol: str, port: int, version: int) -> IntSet:
        left, out = everything(version), EMPTY
        for entry in _ordered(acl, egress):
            if not _speaks_of(entry, protocol, port):
                continue
            cidr = entry.get("CidrBlock") or entry.get("Ipv6CidrBlock")
            net = parse_network(cidr)
            if net is None or net.version != version:
                continue
            part = left & IntSet.of([interval_of(net)])
            left = left - part
            if entry.get("RuleAction") == "allow":
                out = out | part
        return out

    def _ports(self, acl: Item, egress: bool) -> list[Interval]:
        out: list[Interval] = []
        for entry in _ordered(acl, egress):
            found = entry.get("PortRange")
            if isinstance(found, dict) and isinstance(found.get("From"), int):
                out.append(_port_range(found))
        return out

    def answers_go_out(self, acl: Item, protocol: str, version: int) -> IntSet:
        """Addresses to which answers may leave, on some port that clients use."""
        key = (acl.uid, protocol, version)
        if key not in self._returned:
            slices = boundaries(self._ports(acl, True), _EPHEMERAL)
            out = EMPTY
            for low, _ in slices:
                out = out | self.allows(acl, True, protocol, low, version)
            self._returned[key] = out
        return self._returned[key]

    def stopped(self, source: str, target: str, protocol: str, ports: Interval) -> str:
        """Why no request of these ports gets from one subnet into another and its answer back.

        Empty where one does, where both are the same, and where no ACL was read. IPv4.
        """
        acls = self.of(source), self.of(target)
        if source == target or protocol not in ("tcp", "udp") or acls == (None, None):
            return ""
        key = (source, target, protocol, ports)
        if key not in self._stopped:
            self._stopped[key] = self._why_stopped(source, target, protocol, ports)
        return self._stopped[key]

    def _why_stopped(self, source: str, target: str, protocol: str, ports: Interval) -> str:
        near, far = self.of(source), self.of(target)
        blocks = [
            addresses([subnet.config.get("CidrBlock")], 4) if subnet else EMPTY
            for subnet in (self.subnets.get(source), self.subnets.get(target))
        ]
        if not all(blocks) or any(_unreadable(a) for a in (near, far) if a is not None):
            return ""  # nobody knows what they stop
        mine, theirs = blocks

        def passes(acl: Item | None, egress: bool, other: IntSet, wanted: Interval) -> set[int]:
            """Ports at which slices begin that the ACL lets through, to or from these addresses."""
            return {
                low for low, _ in boundaries(borders, wanted)
                if acl is None or self.allows(acl, egress, protocol, low, 4) & other
            }  # fmt: skip

        borders = [i for a in (near, far) if a is not None
                   for way in (True, False) for i in self._ports(a, way)]  # fmt: skip
        for acl, subnet, found, what in (
            (near, source, passes(near, True, theirs, ports), "out"),
            (far, target, passes(near, True, theirs, ports) & passes(far, False, mine, ports), "in"),
            (far, target, passes(far, True, mine, _EPHEMERAL), "answer out"),
            (near, source, passes(far, True, mine, _EPHEMERAL)
             & passes(near, False, theirs, _EPHEMERAL), "answer in"),
        ):  # fmt: skip
            if not found:
                name = acl.config.get("NetworkAclId") if acl is not None else "of the other side"
                between = f"{source} and {target}"
                return f"network ACL {name} of {subnet} lets nothing {what} between {between}"
        return ""

    def alike(self, acl: Item) -> int:
        """A number that ACLs with the same entries have in common."""
        if acl.uid not in self._numbers:
            text = repr([_ordered(acl, False), _ordered(acl, True)])
            self._numbers[acl.uid] = self._texts.setdefault(text, len(self._texts))
        return self._numbers[acl.uid]

    def through(self, acl: Item, openings: list[Opening], version: int) -> list[Opening]:
        out: list[Opening] = []
        borders = self._ports(acl, False)
        for opening in openings:
            leaving = self.answers_go_out(acl, opening.protocol, version)
            for low, high in (s for i in opening.ports.intervals for s in boundaries(borders, i)):
                allowed = self.allows(acl, False, opening.protocol, low, version)
                sources = opening.sources & allowed & leaving
                if sources:
                    out.append(
                        Opening(opening.protocol, version, IntSet.of([(low, high)]), sources)
                    )
        return out

    def verdict(self, acl: Item, subnet_id: str, passed: list[Opening], version: int) -> Verdict:
        name = acl.config.get("NetworkAclId") or acl.uid
        broken = _unreadable(acl)
        if broken:
            return unknown(f"network ACL {name}: cannot read {', '.join(broken)}", acl.uid)
        some = IntSet.of(i for o in passed for i in clients(o.sources, version).intervals)
        if some:
            text = cidr_texts(some, version)
            return no(f"network ACL {name} of {subnet_id} lets only {text} in", acl.uid, text)
        return no(f"network ACL {name} of {subnet_id} lets no client in, or no answer out", acl.uid)


def _unreadable(acl: Item) -> list[str]:
    """Ranges of an ACL that are none."""
    return [
        str(e.get("CidrBlock") or e.get("Ipv6CidrBlock"))
        for e in entries(acl.config.get("Entries"))
        if (e.get("CidrBlock") or e.get("Ipv6CidrBlock"))
        and parse_network(e.get("CidrBlock") or e.get("Ipv6CidrBlock")) is None
    ]


def _ordered(acl: Item, egress: bool) -> list[dict[str, Any]]:
    found = [e for e in entries(acl.config.get("Entries")) if bool(e.get("Egress")) == egress]
    return sorted(
        found, key=lambda e: e["RuleNumber"] if isinstance(e.get("RuleNumber"), int) else 1 << 20
    )


def _speaks_of(entry: dict[str, Any], protocol: str, port: int) -> bool:
    given = str(entry.get("Protocol", "-1"))
    if given == "-1":
        return True
    if given not in (protocol, PROTOCOLS[protocol]):
        return False
    ports = entry.get("PortRange")
    if not isinstance(ports, dict) or not isinstance(ports.get("From"), int):
        return True
    low, high = _port_range(ports)
    return low <= port <= high


def _port_range(ports: dict[str, Any]) -> Interval:
    """`{From, To}`; To may be left out."""
    low = int(ports["From"])
    high = ports.get("To")
    return low, high if isinstance(high, int) else low
