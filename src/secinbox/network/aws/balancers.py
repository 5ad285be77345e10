"""Load balancers of all kinds, and what is reached through them.

Semantics from the Elastic Load Balancing guides: an application or classic balancer connects from
its own interfaces; a network balancer keeps the client's address for instances, for UDP and for
application balancers as targets (and for addresses when preserve_client_ip is on), so the target
itself must admit the Internet, unless it names the balancer's security group. CloudFront stands
before a balancer that admits its prefix list, or is the origin inside a VPC.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from secinbox.estate import Item
from secinbox.inventory.aws.answers import Unread, answer
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.accelerators import Accelerators
from secinbox.network.aws.compute import (
    all_groups,
    groups_of,
    interfaces_of,
    running,
    task_interfaces,
)
from secinbox.network.aws.distributions import Distributions
from secinbox.network.aws.links import Links
from secinbox.network.aws.listeners import led
from secinbox.network.aws.openings import PROTOCOLS, Door, entries, route_evidence
from secinbox.network.aws.vpc import Network
from secinbox.network.ranges import EMPTY, addresses, is_wide
from secinbox.network.verdict import Verdict, both, either, no, unknown, yes
from secinbox.records import Evidence

_TRANSPORT = {"UDP": ("udp",), "TCP_UDP": ("tcp", "udp"), "GENEVE": (), "QUIC": ("udp",),
              "TCP_QUIC": ("tcp", "udp")}  # fmt: skip
_KEPT = ("UDP", "TCP_UDP", "QUIC", "TCP_QUIC")
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


@dataclass(frozen=True)
class _Address:
    """An address of a network, whose interface it is and what owns that."""

    vpc: str
    owner: Item
    interface: dict[str, Any]


class Balancers:
    """All load balancers of the estate, their listeners, and the ways on to targets."""

    def __init__(
        self, network: Network, distributions: Distributions, accelerators: Accelerators
    ) -> None:
        self.network = network
        self._accelerators = accelerators
        self._distributions = distributions
        self._links: Links | None = None
        self._blocks: dict[str, list[object]] = defaultdict(list)  # VPC -> ranges of its subnets
        for subnet in network.subnets.values():
            self._blocks[str(subnet.config.get("VpcId"))].append(subnet.config.get("CidrBlock"))
        self._edge_groups: dict[str, list[str]] = defaultdict(list)
        for group_id, found in network.security.by_id.items():
            if found.config.get("GroupName") == _EDGE_GROUP:
                self._edge_groups[str(found.config.get("VpcId"))].append(group_id)
        self._addresses: dict[str, list[_Address]] | None = None
        estate = network.estate
        self.groups = {
            i.uid: i
            for i in estate.of_type("aws_elbv2_target_group")
            if i.config.get("TargetGroupArn")
        }
        self.verdicts: dict[str, Verdict] = {}
        self.targets: dict[str, list[Verdict]] = defaultdict(list)  # uid -> ways through a balancer
        self._fronts: list[Front] = []
        for item in estate.of_type("aws_elbv2_load_balancer"):
            if item.config.get("LoadBalancerArn"):
                self._modern(item)
        for item in estate.of_type("aws_elb_load_balancer"):
            if item.config.get("LoadBalancerName"):
                self._classic(item)
        for group in self.groups.values():
            self._unread_balancers(group)
        for front in list(self._fronts):
            self._forward(front, 0)

    # Balancers

    def _modern(self, item: Item) -> None:
        kind = str(item.config.get("Type") or "application")
        listeners = answer(item, "describe_listeners")
        if isinstance(listeners, Unread):
            gate = self._reach(item, None, kind)
            self.verdicts[item.uid] = both(
                [gate, unknown(f"listeners: {listeners.text}", item.uid)]
            )
            name = str(item.config.get("LoadBalancerName") or item.name)
            front = Front(item, name, 0, "", self.verdicts[item.uid], step=name)
            attached = self._attached(item)
            self._fronts.append(replace(front, group_arns=attached))
            listed = self.network.covered(item, "elbv2.describe_target_groups")
            if not attached and not listed and front.verdict.value != "no":
                self._unread(front, item, item.config.get("VpcId"))
            return
        fronts = []
        for listener in walk(listeners or {}, "Listeners[]"):
            if isinstance(listener, dict) and isinstance(listener.get("Port"), int):
                fronts.append(self._front(item, listener, kind))
        if not fronts:
            self.verdicts[item.uid] = no("it has no listener", item.uid)
            return
        self._fronts += fronts
        verdicts = [f.verdict for f in fronts]
        part = item.unfinished("describe_listeners")
        if part:
            verdicts.append(both([self._reach(item, None, kind), unknown(part, item.uid)]))
        self.verdicts[item.uid] = either(verdicts)

    def _front(self, item: Item, listener: dict[str, Any], kind: str) -> Front:
        port, protocol = int(listener["Port"]), str(listener.get("Protocol") or "TCP")
        verdict = self._reach(item, port, kind, _TRANSPORT.get(protocol, ("tcp",)))
        found = self.network.estate.find(str(listener.get("ListenerArn") or ""))
        rules = found.config.get("describe_rules") if found else None
        told = rules.get("Rules") if isinstance(rules, dict) else None
        way = led(listener, told, _versions(item))
        narrow = dict(way.narrow)
        if kind == "application" and told is None and item.unfinished("describe_listeners") == "":
            # Rules that nobody asked for may lead to the other groups of this balancer.
            narrow |= {g: "" for g in self._attached(item) if g not in way.groups}
        name = str(item.config.get("LoadBalancerName") or item.name)
        guarded = "after a sign-in" if way.signs_in else ""
        return Front(item, name, port, protocol, verdict, way.groups, guarded,
                     f"{name} {protocol.lower()}:{port}", narrow)  # fmt: skip

    def _unread_balancers(self, group: Item) -> None:
        """A balancer that only the group names."""
        for arn in group.config.get("LoadBalancerArns") or []:
            known = self.network.estate.find(str(arn))
            if known is not None and known.config.get("LoadBalancerArn"):
                continue
            name = str(arn).rpartition("/")[0].rpartition("/")[2] or str(arn)
            item = Item(str(arn), "aws_elbv2_load_balancer", name, "aws", group.account, group.region,
                        {}, {"VpcId": group.config.get("VpcId")})  # fmt: skip
            gap = unknown(f"the load balancer {name} was not read", group.uid)
            self._fronts.append(Front(item, name, 0, "", gap, (group.uid,), step=name))

    def not_asked(self, item: Item) -> Verdict | None:
        """Where the machines of a place were listed but its balancers were not: one may lead here."""
        if not self.network.covered(item, "ec2.describe_instances"):
            return None
        calls = ("elbv2.describe_load_balancers", "elb.describe_load_balancers")
        unread = [c for c in calls if not self.network.covered(item, c)]
        if not unread:
            return None
        known = [self.network.security.rules(g) for g in all_groups(self.network, item)]
        if known and all(
            k is not None and not any(r.protocol in PROTOCOLS for r in k) for k in known
        ):
            return None  # nobody may come
        text = f"whether a load balancer leads to it: {' and '.join(unread)} not read"
        return unknown(text, item.uid)

    def _attached(self, item: Item) -> tuple[str, ...]:
        """Groups that say of themselves that the balancer leads to them, or do not say whose."""
        out = []
        for group in self.groups.values():
            told = group.config.get("LoadBalancerArns")
            vpcs = (group.config.get("VpcId"), item.config.get("VpcId"))
            if item.uid in told if told is not None else None in vpcs or vpcs[0] == vpcs[1]:
                out.append(group.uid)
        return tuple(out)

    def _reach(self, item: Item, port: int | None, kind: str,
               transport: tuple[str, ...] = ("tcp",)) -> Verdict:  # fmt: skip
        """Can the Internet open this port of the balancer?"""
        if kind == "gateway":
            return no("a gateway load balancer takes no clients", item.uid)
        state = next(walk(item.config, "State.Code"), "active")
        if state in ("failed", "provisioning"):
            return no(f"the load balancer is {state}", item.uid)
        found = self._opened(item, port, kind, transport)
        if found.value != "yes":
            found = _first_yes([found, *self._accelerators.balancer(item, port, _subnets(item))])
        if found.value == "yes" or "tcp" not in transport:
            return found
        return either([found, *self._served(item, port, kind)])

    def _opened(self, item: Item, port: int | None, kind: str,
                transport: tuple[str, ...]) -> Verdict:  # fmt: skip
        """By itself, at the addresses that its nodes have."""
        scheme = item.config.get("Scheme")
        versions = _versions(item)
        if scheme == "internal":
            # One of both versions takes clients in IPv6 where that was not denied.
            closed = no("the load balancer is internal", item.uid)
            denied = _attributes(item).get("ipv6.deny_all_igw_traffic")
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
        denied = _attributes(item).get("ipv6.deny_all_igw_traffic")
        four = [self._nodes(item, port, kind, transport, [4])] if 4 in versions else []
        if denied == "true":
            return either([*four, no("ipv6.deny_all_igw_traffic is on", item.uid)])
        six = self._nodes(item, port, kind, transport, [6])
        if denied is None and six.value == "yes":
            six = unknown(f"whether it {_DENIES}", item.uid)
        return _first_yes([*four, six])

    def _nodes(self, item: Item, port: int | None, kind: str, transport: tuple[str, ...],
               versions: list[int]) -> Verdict:  # fmt: skip
        groups = [str(g) for g in item.config.get("SecurityGroups") or []]
        subnets = _subnets(item)
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
        return _first_yes(ways)

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
            return either([self.network.way_in(s, door).verdict for s in _subnets(item)])
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

    def _classic(self, item: Item) -> None:
        fronts = []
        targets = [str(i) for i in walk(item.config, "Instances[].InstanceId")]
        for description in entries(item.config.get("ListenerDescriptions")):
            listener = description.get("Listener")
            if not isinstance(listener, dict) or not isinstance(
                listener.get("LoadBalancerPort"), int
            ):
                continue
            port = int(listener["LoadBalancerPort"])
            verdict = self._reach(item, port, "classic")
            name = str(item.config.get("LoadBalancerName"))
            front = Front(item, name, port, "TCP", verdict, step=f"{name} tcp:{port}")
            fronts.append(front)
            if item.unfinished("Instances"):
                self._unread(front, item, item.config.get("VPCId"))
            for instance_id in targets:
                inner = listener.get("InstancePort")
                if isinstance(inner, int):
                    self._to_instance(front, instance_id, inner)
        part = item.unfinished("ListenerDescriptions")
        verdicts = [f.verdict for f in fronts]
        if part:
            verdicts.append(both([self._reach(item, None, "classic"), unknown(part, item.uid)]))
        self.verdicts[item.uid] = (
            either(verdicts) if verdicts else no("it has no listener", item.uid)
        )

    # Targets

    def _forward(self, front: Front, depth: int) -> None:
        led_to = [(arn, front) for arn in front.group_arns]
        for arn, some in front.narrow.items():
            text = f"a rule of {front.name} leads only {some} on"
            gate = no(text, front.balancer.uid, some) if some else unknown(
                f"the rules of {front.name} on port {front.port} were not read", front.balancer.uid)  # fmt: skip
            led_to.append((arn, replace(front, verdict=both([front.verdict, gate]))))
        for arn, way in led_to:
            group = self.groups.get(arn)
            if group is None:
                self._unread(way, front.balancer, front.balancer.config.get("VpcId"))
                continue
            self._to_group(way, group, depth)

    def _to_group(self, front: Front, group: Item, depth: int) -> None:
        kind = str(group.config.get("TargetType") or "instance")
        health = answer(group, "describe_target_health")
        if isinstance(health, Unread) and kind != "lambda":
            self._unread(front, group, group.config.get("VpcId"))
        registered = (
            list(walk(health or {}, "TargetHealthDescriptions[]"))
            if not isinstance(health, Unread)
            else []
        )
        for entry in registered:
            target = entry.get("Target") if isinstance(entry, dict) else None
            if not isinstance(target, dict) or not target.get("Id"):
                continue
            if str(next(walk(entry, "TargetHealth.State"), "")) == "draining":
                continue
            port = target.get("Port") or group.config.get("Port")
            self._target(front, group, kind, str(target["Id"]), port, depth)
        self._scaled(front, group, depth)
        self._services(front, group)

    def _unread(self, front: Front, source: Item, vpc: Any) -> None:
        """Nobody asked for the targets of a group: any machine that it reaches may be one."""
        if front.verdict.value == "no":
            return
        text = f"targets not read: whether {front.name} leads to it"
        vpcs = {vpc, None, *self._network_links().connected.get(str(vpc), ())}
        for item in self.network.estate.of_type("aws_ec2_instance"):
            if item.config.get("InstanceId") and self._vpc(item.config) in vpcs:
                self.targets[item.uid].append(both([running(item), unknown(text, source.uid)]))
        if str(front.balancer.config.get("Type") or "network") == "network":
            for uid in self.verdicts:
                inner = self.network.estate.find(uid)
                same = inner is not None and inner.config.get("VpcId") in (vpc, None)
                if same and uid != front.balancer.uid:
                    gap = unknown(text, source.uid)
                    self.targets[uid].append(gap)
                    for other in [f for f in self._fronts if f.balancer.uid == uid]:
                        if other.verdict.value == "no":
                            self._forward(replace(other, verdict=gap), 1)

    def _target(self, front: Front, group: Item, kind: str, target: str, port: Any,
                depth: int) -> None:  # fmt: skip
        if kind == "lambda":
            self.targets[target.rsplit(":", 1)[0] if target.count(":") > 6 else target].append(
                _through(front, f"{target.rsplit(':', 1)[-1]} (function)", group.uid)
            )
        elif kind == "alb" and depth == 0:
            inner = self.network.estate.find(target)
            for other in [
                f for f in self._fronts if inner is not None and f.balancer.uid == inner.uid
            ]:
                if other.port in (port, 0) and isinstance(port, int):
                    # The balancer keeps the client: the next one's groups see him.
                    seen = {
                        "Groups": [{"GroupId": g} for g in other.balancer.config.get("SecurityGroups") or []],
                        "SubnetId": next(iter(_subnets(other.balancer)), ""),
                    }  # fmt: skip
                    gate = self._admits(front, other.balancer.uid, seen, port, True, ("tcp",))
                    gates = [gate, _through(front, other.step, group.uid)]
                    if not other.port:
                        gates.append(unknown("its listeners were not read", other.balancer.uid))
                    verdict = both(gates)
                    self.targets[other.balancer.uid].append(verdict)
                    step = f"{front.step} → {other.step}"
                    self._forward(replace(other, verdict=verdict, step=step), depth + 1)
        elif isinstance(port, int):
            if kind == "ip":
                self._to_address(front, group, target, port)
            else:
                self._to_instance(front, target, port, group)

    def _to_instance(
        self, front: Front, instance_id: str, port: int, group: Item | None = None
    ) -> None:
        """The primary interface of an instance. group: None behind a classic balancer."""
        item = self.network.estate.find(instance_id)
        if item is None or item.type != "aws_ec2_instance" or not item.config.get("InstanceId"):
            return
        interfaces = sorted(interfaces_of(self.network, item), key=_device)
        gate = unknown("its interfaces were not read", item.uid)
        if interfaces:
            gate = self._gate(front, item.uid, interfaces[0], port, group, "instance")
        way = _through(front, f"{instance_id}:{port}", item.uid)
        self.targets[item.uid].append(both([running(item), gate, way]))

    def _gate(self, front: Front, uid: str, interface: dict[str, Any], port: int,
              group: Item | None, kind: str) -> Verdict:  # fmt: skip
        """Does the target admit the balancer, or the client where the balancer keeps him?"""
        protocol = str((group.config.get("Protocol") if group else "") or front.protocol)
        transport = _TRANSPORT.get(protocol, ("tcp",))
        keeps = _keeps_client(front, group, kind)
        found = [
            self._admits(front, uid, interface, port, k, transport)
            for k in ((True, False) if keeps is None else (keeps,))
        ]
        if len({f.value for f in found}) == 1:
            return found[0]
        name = group.config.get("TargetGroupName") if group else ""
        return unknown(f"whether {name} keeps the client's address was not read", uid)

    def _admits(self, front: Front, uid: str, interface: dict[str, Any], port: int,
                keeps_client: bool, transport: tuple[str, ...]) -> Verdict:  # fmt: skip
        """Does the target's own guard let the connections in, and the ACLs on the way?"""
        return either(
            [self._let_in(front, uid, interface, port, keeps_client, p) for p in transport]
        )

    def _let_in(self, front: Front, uid: str, interface: dict[str, Any], port: int,
                keeps_client: bool, protocol: str) -> Verdict:  # fmt: skip
        groups = groups_of(interface)
        own_groups = [str(g) for g in front.balancer.config.get("SecurityGroups") or []]
        subnets = _subnets(front.balancer)
        blocks = [
            self.network.subnets[s].config.get("CidrBlock")
            for s in subnets
            if s in self.network.subnets
        ]
        sources = addresses(blocks, 4)
        if keeps_client:
            door = Door(frozenset(groups), 4, port, (protocol,))
            openings, gaps = self.network.security.admitted(door)
            if any(is_wide(o.sources, 4) for o in openings):
                found: bool | None = True
            else:
                found = self.network.security.admits_from(
                    groups, port, EMPTY, 4, own_groups, protocol
                )
                found = None if gaps and not found else found
        else:
            found = self.network.security.admits_from(
                groups, port, sources, 4, own_groups, protocol
            )
            if found is False and not sources:
                found = None  # the balancer's own addresses are not known
        names = ", ".join(groups)
        if found is None:
            return unknown(
                f"cannot say whether {names or 'its groups'} admit {front.name} on {port}", uid
            )
        if not found:
            who = "the clients of " if keeps_client else ""
            return no(f"security groups {names} do not admit {who}{front.name} on {port}", uid)
        if keeps_client:
            return self._acl_of_clients(str(interface.get("SubnetId") or ""), port, protocol)
        return self._between(subnets, str(interface.get("SubnetId") or ""), port, protocol)

    def _acl_of_clients(self, subnet_id: str, port: int, protocol: str) -> Verdict:
        """The ACL of the target sees the client's own address."""
        acl = self.network.acls.of(subnet_id)
        if acl is None:
            return unknown(f"the network ACL of {subnet_id} was not read", subnet_id)
        inward = self.network.acls.allows(acl, False, protocol, port, 4)
        outward = self.network.acls.answers_go_out(acl, protocol, 4)
        if is_wide(inward & outward, 4):
            return yes()
        return no(f"the network ACL of {subnet_id} stops the clients", acl.uid)

    def _between(self, subnets: list[str], target: str, port: int, protocol: str) -> Verdict:
        """From one of the balancer's subnets into the target's, through both ACLs."""
        if not target or target in subnets:
            return yes()  # inside one subnet no ACL stands between
        if self.network.acls.of(target) is None:
            return unknown(f"the network ACL of {target} was not read", target)
        why = [self.network.acls.stopped(s, target, protocol, (port, port)) for s in subnets]
        if not why or not all(why):
            return yes()
        return no(why[0], target)

    def _to_address(self, front: Front, group: Item, address: str, port: int) -> None:
        vpc = str(group.config.get("VpcId") or "")
        for found in self._known_addresses().get(address, ()):
            near = yes() if found.vpc == vpc else self._linked(front, found)
            if near is None:
                continue
            gate = self._gate(front, found.owner.uid, found.interface, port, group, "ip")
            way = _through(front, f"{found.owner.name}:{port}", found.owner.uid)
            self.targets[found.owner.uid].append(both([running(found.owner), near, gate, way]))

    def _vpc(self, config: Mapping[str, Any]) -> str | None:
        """Of an instance or interface: as it says, else of its subnet."""
        subnet = self.network.subnets.get(str(config.get("SubnetId")))
        found = config.get("VpcId") or (subnet.config.get("VpcId") if subnet else None)
        return str(found) if found else None

    def _network_links(self) -> Links:
        if self._links is None:
            self._links = Links(self.network)
        return self._links

    def _linked(self, front: Front, found: _Address) -> Verdict | None:
        """A target in another network: by peering or gateway from the balancer's subnets."""
        target = str(found.interface.get("SubnetId") or "")
        doubts = []
        for subnet in _subnets(front.balancer):
            link = self._network_links().between(subnet, target)
            if link is not None and not link.doubt:
                return yes()
            if link is not None:
                doubts.append(link.doubt)
            for one in (subnet, target):
                if one not in self.network.subnets or self.network.routes.table_of(one) is None:
                    doubts.append(f"the routes of {one} were not read")
        if not doubts:
            return None
        return unknown(f"{doubts[0]}: whether {front.name} leads there", found.owner.uid)

    def _known_addresses(self) -> dict[str, list[_Address]]:
        """Private addresses of instances and tasks."""
        if self._addresses is None:
            self._addresses = defaultdict(list)
            for item in self.network.estate.of_type("aws_ec2_instance"):
                if item.config.get("InstanceId"):
                    for interface in interfaces_of(self.network, item):
                        self._learn(item, interface)
            for item in self.network.estate.of_type("aws_ecs_task"):
                for known in task_interfaces(self.network, item):
                    if known is not None:
                        self._learn(item, known)
        return self._addresses

    def _learn(self, owner: Item, interface: dict[str, Any]) -> None:
        texts = {str(interface.get("PrivateIpAddress") or "")}
        texts |= {str(a) for a in walk(interface, "PrivateIpAddresses[].PrivateIpAddress")}
        vpc = self._vpc(interface) or self._vpc(owner.config) or ""
        for text in texts - {""}:
            assert self._addresses is not None
            self._addresses[text].append(_Address(vpc, owner, interface))

    def _scaled(self, front: Front, group: Item, depth: int) -> None:
        for scaling in self.network.estate.of_type("aws_autoscaling_group"):
            if group.uid in (scaling.config.get("TargetGroupARNs") or []):
                for instance_id in walk(scaling.config, "Instances[].InstanceId"):
                    self._target(
                        front, group, "instance", str(instance_id), group.config.get("Port"), depth
                    )

    def unread_groups(self, service: Item) -> list[Verdict]:
        """Groups that only the service names."""
        return [
            unknown(f"the target group {link['targetGroupArn']} was not read", service.uid)
            for link in entries(service.config.get("loadBalancers"))
            if link.get("targetGroupArn") and str(link["targetGroupArn"]) not in self.groups
        ]

    def _services(self, front: Front, group: Item) -> None:
        for service in self.network.estate.of_type("aws_ecs_service"):
            for link in entries(service.config.get("loadBalancers")):
                if link.get("targetGroupArn") != group.uid:
                    continue
                settings = next(
                    walk(service.config, "networkConfiguration.awsvpcConfiguration"), None
                )
                part = service.unfinished("networkConfiguration")
                gate = unknown(part, service.uid) if settings is None and part else yes()
                port = link.get("containerPort")
                if isinstance(settings, dict) and isinstance(port, int):
                    interface = {
                        "Groups": [{"GroupId": g} for g in settings.get("securityGroups") or []],
                        "SubnetId": next(iter(settings.get("subnets") or []), ""),
                    }
                    gate = self._gate(front, service.uid, interface, port, group, "ip")
                status = service.config.get("status")
                alive = (
                    yes()
                    if status in ("ACTIVE", None)
                    else no(f"the service is {status}", service.uid)
                )
                self.targets[service.uid].append(
                    both(
                        [
                            alive,
                            gate,
                            _through(front, f"{service.name}:{port}", service.uid),
                        ]
                    )
                )


def _subnets(balancer: Item) -> list[str]:
    found = [str(s) for s in walk(balancer.config, "AvailabilityZones[].SubnetId")]
    return found + [str(s) for s in balancer.config.get("Subnets") or []]


def _versions(balancer: Item) -> list[int]:
    """The IP versions in which its nodes have public addresses."""
    kind = str(balancer.config.get("IpAddressType") or "")
    if not kind.startswith("dualstack"):
        return [4]
    return [6] if "without-public-ipv4" in kind else [4, 6]


def _attributes(item: Item) -> dict[str, str]:
    call = "describe_target_group_attributes" if item.type == "aws_elbv2_target_group" else (
        "describe_load_balancer_attributes")  # fmt: skip
    return {str(a.get("Key")): str(a.get("Value"))
            for a in walk(item.config, f"{call}.Attributes[]") if isinstance(a, dict)}  # fmt: skip


def _device(interface: dict[str, Any]) -> int:
    """Which of an instance's interfaces it is; the first is the primary one."""
    number = next(walk(interface, "Attachment.DeviceIndex"), 0)
    return number if isinstance(number, int) else 0


def _keeps_client(front: Front, group: Item | None, kind: str) -> bool | None:
    """None: nobody read it, and it is not fixed."""
    if group is None or str(front.balancer.config.get("Type")) != "network":
        return False
    if str(group.config.get("Protocol") or front.protocol) in _KEPT:
        return True
    told = _attributes(group).get("preserve_client_ip.enabled")
    if told is not None:
        return told == "true"
    if not isinstance(answer(group, "describe_target_group_attributes"), Unread):
        return kind == "instance"
    return None


def _through(front: Front, target: str, source: str) -> Verdict:
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


def _first_yes(ways: list[Verdict]) -> Verdict:
    """One subnet is enough, and one is enough to be shown."""
    found = either(ways)
    return next((w for w in ways if w.value == "yes"), found)


def describe(balancers: Balancers) -> Iterator[tuple[str, Verdict]]:
    """Verdict of each balancer: by itself, or through another in front of it."""
    for uid, verdict in sorted(balancers.verdicts.items()):
        yield uid, either([verdict, *balancers.targets.get(uid, ())])
