"""Whether clients of the Internet open a port of a load balancer: by its nodes, or by what stands before it.

An internet-facing balancer answers at the addresses of its nodes. CloudFront stands before one that
admits its prefix list, or is the origin inside a VPC; Global Accelerator before one that it names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from secinbox.estate import Item
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.accelerators import Accelerators
from secinbox.network.aws.distributions import Distributions
from secinbox.network.aws.openings import Door, route_evidence
from secinbox.network.aws.vpc import Network
from secinbox.network.ranges import addresses
from secinbox.network.verdict import Verdict, both, either, no, unknown, yes
from secinbox.records import Evidence

TRANSPORT = {"UDP": ("udp",), "TCP_UDP": ("tcp", "udp"), "GENEVE": (), "QUIC": ("udp",),
              "TCP_QUIC": ("tcp", "udp")}  # fmt: skip
_DENIES = "denies the Internet in IPv6 (ipv6.deny_all_igw_traffic) was not read"
# The group that CloudFront makes for its interfaces in a VPC.
_EDGE_GROUP = "CloudFront-VPCOrigins-Service-SG"


@dataclass(frozen=True)
class Front:
    """A listener that clients can or cannot reach, and where it forwards."""

    balancer: Item
    name: str
    port: int
    protocol: str
    verdict: Verdict
    group_arns: tuple[str, ...] = ()
    guarded: str = ""  # signs in before it forwards
    step: str = ""
    narrow: Mapping[str, str] = field(default_factory=dict)  # group -> who alone is led to it


def through(front: Front, target: str, source: str) -> Verdict:
    """The front's own verdict, with the way prolonged to the target."""
    if front.verdict.value != "yes":
        return front.verdict
    first = front.verdict.evidence[0]
    gateway = first.steps[1] if len(first.steps) > 1 else "internet gateway"
    after = f" {front.guarded}" if front.guarded else ""
    evidence = Evidence(
        kind="route",
        text=f"reached through the load balancer {front.name} on port {front.port}{after}",
        source=source,
        steps=("Internet", gateway, front.step, target),
        via=(*first.via, front.balancer.uid),
        ports=first.ports,
    )
    return yes(evidence)


class Doors:
    """Of the balancers of a network, and of what leads to them from outside."""

    def __init__(
        self, network: Network, distributions: Distributions, accelerators: Accelerators
    ) -> None:
        self.network = network
        self._accelerators = accelerators
        self._distributions = distributions
        self._blocks: dict[str, list[object]] = defaultdict(list)  # VPC -> ranges of its subnets
        for subnet in network.subnets.values():
            self._blocks[str(subnet.config.get("VpcId"))].append(subnet.config.get("CidrBlock"))
        self._edge_groups: dict[str, list[str]] = defaultdict(list)
        for group_id, found in network.security.by_id.items():
            if found.config.get("GroupName") == _EDGE_GROUP:
                self._edge_groups[str(found.config.get("VpcId"))].append(group_id)

    def reach(self, item: Item, port: int | None, kind: str,
               transport: tuple[str, ...] = ("tcp",)) -> Verdict:  # fmt: skip
        """Can the Internet open this port of the balancer?"""
        if kind == "gateway":
            return no("a gateway load balancer takes no clients", item.uid)
        state = next(walk(item.config, "State.Code"), "active")
        if state in ("failed", "provisioning"):
            return no(f"the load balancer is {state}", item.uid)
        found = self._opened(item, port, kind, transport)
        if found.value != "yes":
            found = first_yes([found, *self._accelerators.balancer(item, port, subnets_of(item))])
        if found.value == "yes" or "tcp" not in transport:
            return found
        return either([found, *self._served(item, port, kind)])

    def _opened(self, item: Item, port: int | None, kind: str,
                transport: tuple[str, ...]) -> Verdict:  # fmt: skip
        """By itself, at the addresses that its nodes have."""
        scheme = item.config.get("Scheme")
        versions = versions_of(item)
        if scheme == "internal":
            # One of both versions takes clients in IPv6 where that was not denied.
            closed = no("the load balancer is internal", item.uid)
            denied = attributes_of(item).get("ipv6.deny_all_igw_traffic")
            if 6 not in versions or denied == "true":
                return closed
            way = self._nodes(item, port, kind, transport, [6])
            if way.value == "no":
                return closed
            return way if denied is not None else unknown(f"whether it {_DENIES}", item.uid)
        if scheme != "internet-facing":
            return unknown("its scheme was not read", item.uid)
        if 6 not in versions:
            return self._nodes(item, port, kind, transport, versions)
        denied = attributes_of(item).get("ipv6.deny_all_igw_traffic")
        four = [self._nodes(item, port, kind, transport, [4])] if 4 in versions else []
        if denied == "true":
            return either([*four, no("ipv6.deny_all_igw_traffic is on", item.uid)])
        six = self._nodes(item, port, kind, transport, [6])
        if denied is None and six.value == "yes":
            six = unknown(f"whether it {_DENIES}", item.uid)
        return first_yes([*four, six])

    def _nodes(self, item: Item, port: int | None, kind: str, transport: tuple[str, ...],
               versions: list[int]) -> Verdict:  # fmt: skip
        groups = [str(g) for g in item.config.get("SecurityGroups") or []]
        subnets = subnets_of(item)
        unfiltered = not groups and kind == "network"
        if not groups and not unfiltered:
            return unknown("its security groups were not read", item.uid)
        if not subnets:
            return unknown("its subnets were not read", item.uid)
        part = item.unfinished("IpAddressType")
        ways = []
        name = str(item.config.get("LoadBalancerName") or item.name)
        for subnet_id in subnets:
            for version in versions:
                door = Door(frozenset(groups), version, port, transport, unfiltered)
                way = self.network.way_in(subnet_id, door)
                if way.verdict.value != "yes":
                    ways.append(way.verdict)
                    continue
                ports = way.ports
                text = f"internet-facing, {ports} open, in {subnet_id}"
                steps = ("Internet", way.gateway, f"{name} {ports}")
                ways.append(yes(route_evidence(text, steps, item.uid, ports)))
            if part:
                six = Door(frozenset(groups), 6, port, transport, unfiltered)
                if self.network.way_in(subnet_id, six).verdict.value != "no":
                    ways.append(unknown(part, item.uid))
        return first_yes(ways)

    def _served(self, item: Item, port: int | None, kind: str) -> Iterator[Verdict]:
        """Through CloudFront, which the groups of the balancer admit. port: None for any."""
        groups = frozenset(str(g) for g in item.config.get("SecurityGroups") or [])
        host = str(item.config.get("DNSName") or "").lower()
        name = str(item.config.get("LoadBalancerName") or item.name)
        door = Door(groups, 4, port, ("tcp",), not groups and kind == "network", edge=True)
        origins = self._distributions.origins.get(host, ())
        plain = self.network.security.guard(replace(door, edge=False)).value
        gap = self._distributions.unread(item)
        if gap is not None and not origins and plain != "yes":
            inside = item.config.get("Scheme") == "internal"
            gate = self._by_edge(item, door, inside, near=False)
            if gate.value != "no":
                yield both([gate, gap])
        for origin in origins:
            if port not in (None, *origin.ports) and not origin.inside:
                continue
            if item.config.get("Scheme") == "internal" and not origin.inside:
                continue
            gate = self._by_edge(item, door, origin.inside)
            if gate.value == "no" and any(e.sources_allowed for e in gate.evidence):
                text = f"it admits {gate.evidence[0].sources_allowed}: whether that is CloudFront"
                gate = unknown(f"{text} is not known", item.uid)
            step = name if port is None else f"{name} tcp:{port}"
            passed = origin.passed(step, item.uid, "admits CloudFront only")
            yield passed if gate.value == "yes" else gate

    def _by_edge(self, item: Item, door: Door, inside: bool, near: bool = True) -> Verdict:
        """CloudFront comes from the Internet, or by its own interfaces in the VPC.

        near: whoever admits the VPC's own addresses admits those interfaces.
        """
        if not inside:
            return either([self.network.way_in(s, door).verdict for s in subnets_of(item)])
        guard = self.network.security.guard(door)
        if guard.value == "yes" or door.port is None:
            return guard
        vpc = str(item.config.get("VpcId"))
        blocks = self._blocks.get(vpc, []) if near else []
        service = self._edge_groups.get(vpc, [])
        let_in = self.network.security.admits_from(
            door.groups, door.port, addresses(blocks, 4), 4, service
        )
        return yes() if let_in else guard


def subnets_of(balancer: Item) -> list[str]:
    found = [str(s) for s in walk(balancer.config, "AvailabilityZones[].SubnetId")]
    return found + [str(s) for s in balancer.config.get("Subnets") or []]


def versions_of(balancer: Item) -> list[int]:
    """The IP versions in which its nodes have public addresses."""
    kind = str(balancer.config.get("IpAddressType") or "")
    if not kind.startswith("dualstack"):
        return [4]
    return [6] if "without-public-ipv4" in kind else [4, 6]


def attributes_of(item: Item) -> dict[str, str]:
    call = "describe_target_group_attributes" if item.type == "aws_elbv2_target_group" else (
        "describe_load_balancer_attributes")  # fmt: skip
    return {str(a.get("Key")): str(a.get("Value"))
            for a in walk(item.config, f"{call}.Attributes[]") if isinstance(a, dict)}  # fmt: skip


def first_yes(ways: list[Verdict]) -> Verdict:
    """One subnet is enough, and one is enough to be shown."""
    found = either(ways)
    return next((w for w in ways if w.value == "yes"), found)
