"""What the network of a VPC lets through: routes, network ACLs, security groups.

Semantics from the Amazon VPC User Guide: the most specific route wins; ACL rules apply in order of
number, inbound and outbound, without state; security groups only allow, and keep state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.aws.answers import covered
from secinbox.inventory.aws.calls import walk
from secinbox.network.ranges import (
    ALL_PORTS,
    EMPTY,
    Interval,
    IntSet,
    addresses,
    boundaries,
    cidr_texts,
    clients,
    everything,
    interval_of,
    is_wide,
    parse_network,
    port_text,
)
from secinbox.network.verdict import Verdict, both, no, unknown, yes
from secinbox.records import Evidence

PROTOCOLS = {"tcp": "6", "udp": "17"}
_EPHEMERAL: Interval = (1024, 65535)
_BLOCKING = ("block-bidirectional", "block-ingress")
# An exclusion counts until it is gone.
_EXCLUDED = ("create-complete", "update-in-progress", "update-complete", "update-failed")


@dataclass(frozen=True)
class Rule:
    """One permission of a security group: ports, and who may come."""

    protocol: str  # tcp, udp, other
    ports: Interval
    sources: dict[int, IntSet]
    groups: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()  # prefix lists and ranges that nobody could read
    doubt: str = ""  # why there may be other sources
    edges: frozenset[int] = frozenset()  # IP versions in which CloudFront is admitted by its list


@dataclass(frozen=True)
class Door:
    """What stands before an interface. port: only this one matters (a database's). unfiltered:
    there are no security groups (a network load balancer without any), every port counts as open.
    edge: whoever comes is passed on by CloudFront, so that its prefix list is everyone.
    """

    groups: frozenset[str]
    version: int = 4
    port: int | None = None
    protocols: tuple[str, ...] = ("tcp", "udp")
    unfiltered: bool = False
    edge: bool = False


@dataclass
class Opening:
    """Ports that are open to sources."""

    protocol: str
    version: int
    ports: IntSet
    sources: IntSet


@dataclass
class Way:
    """The result for one subnet and its groups: open to whom, or stopped by what."""

    verdict: Verdict
    openings: list[Opening] = field(default_factory=list)
    gateway: str = ""

    @property
    def ports(self) -> str:
        return ports_text(self.openings)


def ports_text(openings: Iterable[Opening]) -> str:
    """`tcp 22, 443; udp 53`."""
    out = []
    found = list(openings)
    for protocol in ("tcp", "udp"):
        ports = IntSet.of(i for o in found if o.protocol == protocol for i in o.ports.intervals)
        if ports:
            out.append(f"{protocol} {port_text(ports)}")
    return "; ".join(out)


def entries(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list; anything else is nobody's."""
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield item


class Network:
    """The network parts of an estate by id, with what was computed of them."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.subnets = self._by_id("aws_ec2_subnet", "SubnetId")
        self.groups = self._by_id("aws_ec2_security_group", "GroupId")
        self.gateways = self._by_id("aws_ec2_internet_gateway", "InternetGatewayId")
        self.prefix_lists = self._by_id("aws_ec2_prefix_list", "PrefixListId")
        self.interfaces = self._by_id("aws_ec2_network_interface", "NetworkInterfaceId")
        self.vpcs = self._by_id("aws_ec2_vpc", "VpcId")
        self.elastic: dict[str, list[str]] = {}  # interface or instance -> addresses lent to it
        for item in estate.of_type("aws_ec2_elastic_ip"):
            holder = item.config.get("NetworkInterfaceId") or item.config.get("InstanceId")
            if holder and item.config.get("PublicIp"):
                self.elastic.setdefault(str(holder), []).append(str(item.config["PublicIp"]))
        self._tables: dict[str, Item] = {}  # subnet or VPC (main) -> route table
        for item in estate.of_type("aws_ec2_route_table"):
            for link in entries(item.config.get("Associations")):
                state = link.get("AssociationState")
                if isinstance(state, dict) and state.get("State") == "disassociated":
                    continue
                if link.get("SubnetId"):
                    self._tables[str(link["SubnetId"])] = item
                elif link.get("Main"):
                    self._tables[str(item.config.get("VpcId"))] = item
        self._stopped: dict[tuple[str, str, str, Interval], str] = {}
        self._acls: dict[str, Item] = {}  # subnet or VPC (default) -> network ACL
        for item in estate.of_type("aws_ec2_network_acl"):
            for link in entries(item.config.get("Associations")):
                if link.get("SubnetId"):
                    self._acls[str(link["SubnetId"])] = item
            if item.config.get("IsDefault"):
                self._acls.setdefault(f"default {item.config.get('VpcId')}", item)
        self._rules: dict[str, list[Rule]] = {}
        self._ways: dict[tuple[str, Door], Way] = {}
        self._admitted: dict[Door, tuple[list[Opening], list[str]]] = {}
        self._guards: dict[Door, Verdict] = {}
        self._through: dict[
            tuple[int, Door, IntSet], tuple[list[Opening], list[Opening], list[Opening]]
        ] = {}
        self._acl_numbers: dict[str, int] = {}
        self._acl_texts: dict[str, int] = {}
        self._allowed: dict[tuple[int, bool, str, int, int], IntSet] = {}
        self._routed: dict[tuple[str, int], tuple[IntSet, str, Verdict]] = {}
        self._returned: dict[tuple[str, str, int], IntSet] = {}

    def _by_id(self, kind: str, field_name: str) -> dict[str, Item]:
        return {
            str(item.config[field_name]): item
            for item in self.estate.of_type(kind)
            if item.config.get(field_name)
        }

    def covered(self, item: Item, operation: str) -> bool:
        return covered(self.estate, item.account, item.region, operation)

    # Routes

    def table_of(self, subnet_id: str) -> Item | None:
        """The route table of a subnet: its own, else the main one of its VPC."""
        subnet = self.subnets.get(subnet_id)
        vpc_id = str(subnet.config.get("VpcId") or "") if subnet else ""
        return self._tables.get(subnet_id) or self._tables.get(vpc_id)

    def to_internet(self, subnet_id: str, version: int) -> tuple[IntSet, str, Verdict]:
        """Addresses that the subnet routes through an Internet gateway, its id, and why not."""
        key = (subnet_id, version)
        if key not in self._routed:
            self._routed[key] = self._to_internet(subnet_id, version)
        return self._routed[key]

    def _to_internet(self, subnet_id: str, version: int) -> tuple[IntSet, str, Verdict]:
        subnet = self.subnets.get(subnet_id)
        if subnet is None:
            return EMPTY, "", unknown(f"subnet {subnet_id} was not read", subnet_id)
        vpc_id = str(subnet.config.get("VpcId") or "")
        table = self.table_of(subnet_id)
        if table is None:
            return EMPTY, "", unknown(f"the route table of {subnet_id} was not read", subnet.uid)
        blocked = self._blocked(subnet)
        if blocked is not None:
            return EMPTY, "", blocked
        routes: list[tuple[int, Interval, dict[str, Any]]] = []
        doubtful: list[str] = []
        for route in entries(table.config.get("Routes")):
            cidrs: list[object] = [
                route.get("DestinationCidrBlock" if version == 4 else "DestinationIpv6CidrBlock")
            ]
            listed = route.get("DestinationPrefixListId")
            if listed:
                known = self._listed(str(listed))
                if known is None and str(route.get("GatewayId", "")).startswith("igw-"):
                    doubtful.append(str(listed))
                cidrs += known or []
            for cidr in cidrs:
                net = parse_network(cidr)
                if net is not None and net.version == version:
                    routes.append((net.prefixlen, interval_of(net), route))
                elif cidr and net is None:
                    doubtful.append(str(cidr))
        # The most specific route takes its addresses first, whoever it leads to.
        left, out, gateway, firewall = everything(version), EMPTY, "", ""
        for _, interval, route in sorted(routes, key=lambda r: (-r[0], r[1])):
            part = left & IntSet.of([interval])
            left = left - part
            target = str(route.get("GatewayId") or "")
            if route.get("State", "active") != "active":
                continue
            if target.startswith("igw-") and self._attached(target, vpc_id):
                out = out | part
                gateway = target
            elif (target.startswith("vpce-") or route.get("VpcEndpointId")) and is_wide(
                part, version
            ):
                firewall = target or str(route.get("VpcEndpointId"))
        if is_wide(out, version):
            return out, gateway, yes()
        name = table.config.get("RouteTableId")
        if firewall:
            text = f"{name} leads to the endpoint {firewall}: what it lets through is not known"
            return out, gateway, unknown(text, table.uid)
        if doubtful:
            return out, gateway, unknown(f"{name}: cannot read {', '.join(doubtful)}", table.uid)
        kind = "IPv6 " if version == 6 else ""
        text = f"route table {name} of {subnet_id} has no {kind}route to an Internet gateway"
        return out, gateway, no(text, table.uid)

    def _attached(self, gateway_id: str, vpc_id: str) -> bool:
        """A route can outlive its gateway's attachment; one that was not read is believed."""
        gateway = self.gateways.get(gateway_id)
        if gateway is None:
            return True
        links = list(entries(gateway.config.get("Attachments")))
        return any(
            vpc_id in (link.get("VpcId"), "")
            and link.get("State") in ("available", "attached", None)
            for link in links
        )

    def _blocked(self, subnet: Item) -> Verdict | None:
        """VPC Block Public Access: as the subnet tells it, else of the account and region.

        An exclusion lets a VPC or a subnet out of it; one for egress only lets nobody in.
        """
        told = next(walk(subnet.config, "BlockPublicAccessStates.InternetGatewayBlockMode"), None)
        if told is not None:
            text = f"VPC Block Public Access is on for {subnet.config.get('SubnetId')} ({told})"
            return no(text, subnet.uid) if str(told) in _BLOCKING else None
        owner = self.estate.find(f"arn:aws:iam::{subnet.account}:root")
        config = owner.config if owner else {}
        options = config.get(f"describe_vpc_block_public_access_options:{subnet.region}")
        mode = next(walk(options, "VpcBlockPublicAccessOptions.InternetGatewayBlockMode"), None)
        allowed = next(walk(options, "VpcBlockPublicAccessOptions.ExclusionsAllowed"), None)
        if mode not in _BLOCKING:
            return None
        excluded = config.get(f"describe_vpc_block_public_access_exclusions:{subnet.region}")
        names = (subnet.config.get("SubnetId"), subnet.config.get("VpcId"))
        for row in walk(excluded, "VpcBlockPublicAccessExclusions[]"):
            live = str(row.get("State") or "create-complete") in _EXCLUDED
            both_ways = row.get("InternetGatewayExclusionMode") == "allow-bidirectional"
            if live and both_ways and str(row.get("ResourceArn")).rpartition("/")[2] in names:
                return None
        read = isinstance(excluded, dict) and "Error" not in excluded
        text = f"VPC Block Public Access is on ({mode})"
        if read or allowed == "not-allowed":
            return no(text, subnet.account)
        return unknown(f"{text}: what is excluded was not read", subnet.account)

    def _listed(self, prefix_list: str) -> list[object] | None:
        item = self.prefix_lists.get(prefix_list)
        answer = item.config.get("get_managed_prefix_list_entries") if item else None
        if not isinstance(answer, dict) or "Entries" not in answer:
            # Amazon's own lists hold the addresses of its services, never the Internet at large.
            named = str(item.config.get("PrefixListName") or "") if item else ""
            return [] if named.startswith("com.amazonaws.") else None
        return [e.get("Cidr") for e in entries(answer.get("Entries"))]

    # Security groups

    def rules(self, group_id: str) -> list[Rule] | None:
        """Inbound rules of a group; None when the group was not read."""
        if group_id not in self._rules:
            item = self.groups.get(group_id)
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
        everyport = protocol == "-1" or not isinstance(low, int) or not isinstance(high, int)
        ports: Interval = (0, 65535) if everyport or low == -1 else (low, high)  # type: ignore[assignment]
        cidrs: list[object] = [r.get("CidrIp") for r in entries(permission.get("IpRanges"))]
        cidrs += [r.get("CidrIpv6") for r in entries(permission.get("Ipv6Ranges"))]
        unread = [str(c) for c in cidrs if c is not None and parse_network(c) is None]
        edges: set[int] = set()
        for listed in entries(permission.get("PrefixListIds")):
            known = self._listed(str(listed.get("PrefixListId")))
            held = self.prefix_lists.get(str(listed.get("PrefixListId")))
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

    # Network ACLs

    def acl_of(self, subnet_id: str) -> Item | None:
        found = self._acls.get(subnet_id)
        if found is not None:
            return found
        subnet = self.subnets.get(subnet_id)
        return self._acls.get(f"default {subnet.config.get('VpcId')}") if subnet else None

    def acl_allows(self, acl: Item, egress: bool, protocol: str, port: int, version: int) -> IntSet:
        """Addresses that the ACL lets in (or out) for one port, by its rules in order."""
        asked = (self._rules_of(acl), egress, protocol, port, version)
        if asked not in self._allowed:
            self._allowed[asked] = self._acl_allows(acl, egress, protocol, port, version)
        return self._allowed[asked]

    def _acl_allows(
        self, acl: Item, egress: bool, protocol: str, port: int, version: int
    ) -> IntSet:
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

    def _acl_ports(self, acl: Item, egress: bool) -> list[Interval]:
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
            slices = boundaries(self._acl_ports(acl, True), _EPHEMERAL)
            out = EMPTY
            for low, _ in slices:
                out = out | self.acl_allows(acl, True, protocol, low, version)
            self._returned[key] = out
        return self._returned[key]

    def stopped(self, source: str, target: str, protocol: str, ports: Interval) -> str:
        """Why no request of these ports gets from one subnet into another and its answer back.

        Empty where one does, where both are the same, and where no ACL was read. IPv4.
        """
        acls = self.acl_of(source), self.acl_of(target)
        if source == target or protocol not in ("tcp", "udp") or acls == (None, None):
            return ""
        key = (source, target, protocol, ports)
        if key not in self._stopped:
            self._stopped[key] = self._why_stopped(source, target, protocol, ports)
        return self._stopped[key]

    def _why_stopped(self, source: str, target: str, protocol: str, ports: Interval) -> str:
        near, far = self.acl_of(source), self.acl_of(target)
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
                if acl is None or self.acl_allows(acl, egress, protocol, low, 4) & other
            }  # fmt: skip

        borders = [i for a in (near, far) if a is not None
                   for way in (True, False) for i in self._acl_ports(a, way)]  # fmt: skip
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

    # All together

    def way_in(self, subnet_id: str, door: Door) -> Way:
        """From the Internet to an interface with an address in this subnet."""
        key = (subnet_id, door)
        if key not in self._ways:
            self._ways[key] = self._way_in(subnet_id, door)
        return self._ways[key]

    def _way_in(self, subnet_id: str, door: Door) -> Way:
        version = door.version
        routed, gateway, route = self.to_internet(subnet_id, version)
        gates = [route, self.guard(door)]
        acl = self.acl_of(subnet_id)
        passed: list[Opening] = []
        final: list[Opening] = []
        if acl is None:
            gates.append(unknown(f"the network ACL of {subnet_id} was not read", subnet_id))
        else:
            through, passed, final = self._let_through(acl, door, routed)
            if gates[1].value == "yes" and not any(is_wide(o.sources, version) for o in through):
                gates.append(self._acl_verdict(acl, subnet_id, through, version))
        verdict = both(gates)
        if verdict.value == "yes" and not final:
            # Each gate is wide, but not for the same addresses.
            verdict = no(f"no address passes route table, ACL and groups of {subnet_id} together")
        return Way(verdict, final if verdict.value == "yes" else passed, gateway)

    def _let_through(
        self, acl: Item, door: Door, routed: IntSet
    ) -> tuple[list[Opening], list[Opening], list[Opening]]:
        """What passes groups and ACL, what of it is routed, and what of that is wide.

        Equal ACLs are looked at once.
        """
        key = (self._rules_of(acl), door, routed)
        if key not in self._through:
            through = self._through_acl(acl, self.admitted(door)[0], door.version)
            cut = [Opening(o.protocol, o.version, o.ports, o.sources & routed) for o in through]
            passed = [o for o in cut if o.sources]
            final = [o for o in passed if is_wide(o.sources, o.version)]
            self._through[key] = (through, passed, final)
        return self._through[key]

    def _rules_of(self, acl: Item) -> int:
        """A number that ACLs with the same entries have in common."""
        if acl.uid not in self._acl_numbers:
            text = repr([_ordered(acl, False), _ordered(acl, True)])
            self._acl_numbers[acl.uid] = self._acl_texts.setdefault(text, len(self._acl_texts))
        return self._acl_numbers[acl.uid]

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

    def _through_acl(self, acl: Item, openings: list[Opening], version: int) -> list[Opening]:
        out: list[Opening] = []
        borders = self._acl_ports(acl, False)
        for opening in openings:
            leaving = self.answers_go_out(acl, opening.protocol, version)
            for low, high in (s for i in opening.ports.intervals for s in boundaries(borders, i)):
                allowed = self.acl_allows(acl, False, opening.protocol, low, version)
                sources = opening.sources & allowed & leaving
                if sources:
                    out.append(
                        Opening(opening.protocol, version, IntSet.of([(low, high)]), sources)
                    )
        return out

    def _acl_verdict(
        self, acl: Item, subnet_id: str, passed: list[Opening], version: int
    ) -> Verdict:
        name = acl.config.get("NetworkAclId") or acl.uid
        broken = _unreadable(acl)
        if broken:
            return unknown(f"network ACL {name}: cannot read {', '.join(broken)}", acl.uid)
        some = IntSet.of(i for o in passed for i in clients(o.sources, version).intervals)
        if some:
            text = cidr_texts(some, version)
            return no(f"network ACL {name} of {subnet_id} lets only {text} in", acl.uid, text)
        return no(f"network ACL {name} of {subnet_id} lets no client in, or no answer out", acl.uid)

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


def network_of(estate: Estate) -> Network:
    """The network of an estate, indexed once for all who ask."""
    return estate.once("aws network", lambda: Network(estate))


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


def route_evidence(text: str, steps: Iterable[str], source: str, ports: str = "") -> Evidence:
    return Evidence(kind="route", text=text, source=source, steps=tuple(steps), ports=ports)
