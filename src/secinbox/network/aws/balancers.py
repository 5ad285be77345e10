"""Load balancers of all kinds, and what is reached through them.

Semantics from the Elastic Load Balancing guides: an application or classic balancer connects from
its own interfaces; a network balancer keeps the client's address for instance targets (and for
addresses when preserve_client_ip is on), so the target itself must admit the Internet, unless it
names the balancer's security group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from secinbox.estate import Item
from secinbox.inventory.aws.answers import Unread, answer
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.compute import groups_of, interfaces_of, running
from secinbox.network.aws.vpc import Door, Network, entries, route_evidence
from secinbox.network.ranges import EMPTY, IntSet, addresses, everything, is_wide
from secinbox.network.verdict import Verdict, both, either, no, unknown, yes
from secinbox.records import Evidence

_TRANSPORT = {"UDP": ("udp",), "TCP_UDP": ("tcp", "udp"), "GENEVE": (), "QUIC": ("udp",)}


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


class Balancers:
    """All load balancers of the estate, their listeners, and the ways on to targets."""

    def __init__(self, network: Network) -> None:
        self.network = network
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
        actions = list(entries(listener.get("DefaultActions")))
        rules = self.network.estate.find(str(listener.get("ListenerArn") or ""))
        answer_of_rules = rules.config.get("describe_rules") if rules else None
        if isinstance(answer_of_rules, dict):
            for rule in entries(answer_of_rules.get("Rules")):
                actions += list(entries(rule.get("Actions")))
        arns: dict[str, None] = {}
        for action in actions:
            if action.get("Type") != "forward":
                continue
            if action.get("TargetGroupArn"):
                arns[str(action["TargetGroupArn"])] = None
            for group in walk(action, "ForwardConfig.TargetGroups[]"):
                if isinstance(group, dict) and group.get("Weight", 1) != 0:
                    arns[str(group.get("TargetGroupArn"))] = None
        signs_in = any(str(a.get("Type", "")).startswith("authenticate") for a in actions)
        name = str(item.config.get("LoadBalancerName") or item.name)
        return Front(item, name, port, protocol, verdict, tuple(arns),
                     "after a sign-in" if signs_in else "", f"{name} {protocol.lower()}:{port}")  # fmt: skip

    def _reach(self, item: Item, port: int | None, kind: str,
               transport: tuple[str, ...] = ("tcp",)) -> Verdict:  # fmt: skip
        """Can the Internet open this port of the balancer?"""
        if kind == "gateway":
            return no("a gateway load balancer takes no clients", item.uid)
        scheme = item.config.get("Scheme")
        if scheme == "internal":
            return no("the load balancer is internal", item.uid)
        if scheme != "internet-facing":
            return unknown("its scheme was not read", item.uid)
        state = next(walk(item.config, "State.Code"), "active")
        if state in ("failed", "provisioning"):
            return no(f"the load balancer is {state}", item.uid)
        groups = [str(g) for g in item.config.get("SecurityGroups") or []]
        subnets = [str(s) for s in walk(item.config, "AvailabilityZones[].SubnetId")]
        subnets += [str(s) for s in item.config.get("Subnets") or []]
        unfiltered = not groups and kind == "network"
        if not groups and not unfiltered:
            return unknown("its security groups were not read", item.uid)
        if not subnets:
            return unknown("its subnets were not read", item.uid)
        versions = [4]
        part = item.unfinished("IpAddressType")
        if str(item.config.get("IpAddressType") or "").startswith("dualstack"):
            versions = [6] if "without-public-ipv4" in item.config["IpAddressType"] else [4, 6]
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
                    self._to_instance(front, instance_id, inner, keeps_client=False)
        part = item.unfinished("ListenerDescriptions")
        verdicts = [f.verdict for f in fronts]
        if part:
            verdicts.append(both([self._reach(item, None, "classic"), unknown(part, item.uid)]))
        self.verdicts[item.uid] = (
            either(verdicts) if verdicts else no("it has no listener", item.uid)
        )

    # Targets

    def _forward(self, front: Front, depth: int) -> None:
        for arn in front.group_arns:
            group = self.groups.get(arn)
            if group is None:
                continue
            kind = str(group.config.get("TargetType") or "instance")
            health = answer(group, "describe_target_health")
            if isinstance(health, Unread) and kind in ("instance", "ip"):
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
        """Nobody asked for the targets of a group: any machine of its network may be one."""
        text = f"targets not read: whether {front.name} leads to it"
        for item in self.network.estate.of_type("aws_ec2_instance"):
            same = item.config.get("VpcId") in (vpc, None)
            if front.verdict.value != "no" and same and item.config.get("InstanceId"):
                self.targets[item.uid].append(both([running(item), unknown(text, source.uid)]))

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
                if other.port == port:
                    verdict = _through(front, other.step, group.uid)
                    self.targets[other.balancer.uid].append(verdict)
                    self._forward(Front(other.balancer, other.name, other.port, other.protocol, verdict,
                                        other.group_arns, other.guarded,
                                        f"{front.step} → {other.step}"), depth + 1)  # fmt: skip
        elif isinstance(port, int):
            if kind == "ip":
                self._to_address(front, group, target, port)
            else:
                keeps = _keeps_client(front, group, kind)
                self._to_instance(front, target, port, keeps)

    def _to_instance(self, front: Front, instance_id: str, port: int, keeps_client: bool) -> None:
        item = self.network.estate.find(instance_id)
        if item is None or item.type != "aws_ec2_instance" or not item.config.get("InstanceId"):
            return
        interfaces = interfaces_of(self.network, item)
        admitted = [self._admits(front, item.uid, i, port, keeps_client) for i in interfaces[:1]]
        gate = either(admitted) if admitted else unknown("its interfaces were not read", item.uid)
        self.targets[item.uid].append(
            both(
                [
                    running(item),
                    gate,
                    _through(front, f"{instance_id}:{port}", item.uid),
                ]
            )
        )

    def _admits(self, front: Front, uid: str, interface: dict[str, Any], port: int,
                keeps_client: bool) -> Verdict:  # fmt: skip
        """Does the target's own guard let the balancer's connections in?"""
        groups = groups_of(interface)
        balancer = front.balancer.config
        own_groups = [str(g) for g in balancer.get("SecurityGroups") or []]
        protocol = "udp" if front.protocol == "UDP" else "tcp"
        subnets = [str(s) for s in walk(balancer, "AvailabilityZones[].SubnetId")]
        subnets += [str(s) for s in balancer.get("Subnets") or []]
        blocks = [
            self.network.subnets[s].config.get("CidrBlock")
            for s in subnets
            if s in self.network.subnets
        ]
        sources = addresses(blocks, 4)
        if keeps_client:
            door = Door(frozenset(groups), 4, port, (protocol,))
            openings, gaps = self.network.admitted(door)
            if any(is_wide(o.sources, 4) for o in openings):
                found: bool | None = True
            else:
                found = self.network.admits_from(groups, port, EMPTY, 4, own_groups, protocol)
                found = None if gaps and not found else found
            sources = everything(4)
        else:
            found = self.network.admits_from(groups, port, sources, 4, own_groups, protocol)
            if found is False and not sources:
                found = None  # the balancer's own addresses are not known
        names = ", ".join(groups)
        if found is None:
            return unknown(
                f"cannot say whether {names or 'its groups'} admit {front.name} on {port}", uid
            )
        if not found:
            return no(f"security groups {names} do not admit {front.name} on {port}", uid)
        return self._acl_between(interface, sources, port, protocol, subnets)

    def _acl_between(self, interface: dict[str, Any], sources: IntSet, port: int, protocol: str,
                     from_subnets: list[str]) -> Verdict:  # fmt: skip
        subnet_id = str(interface.get("SubnetId") or "")
        if not subnet_id or subnet_id in from_subnets:
            return yes()  # inside one subnet no ACL stands between
        acl = self.network.acl_of(subnet_id)
        if acl is None:
            return unknown(f"the network ACL of {subnet_id} was not read", subnet_id)
        inward = self.network.acl_allows(acl, False, protocol, port, 4) & sources
        outward = self.network.answers_go_out(acl, protocol, 4) & sources
        if inward & outward or not sources:
            return yes()
        return no(f"the network ACL of {subnet_id} stops the load balancer", acl.uid)

    def _to_address(self, front: Front, group: Item, address: str, port: int) -> None:
        keeps = _keeps_client(front, group, "ip")
        for interface in self.network.interfaces.values():
            texts = {str(interface.config.get("PrivateIpAddress"))}
            texts |= {
                str(a) for a in walk(interface.config, "PrivateIpAddresses[].PrivateIpAddress")
            }
            same = interface.config.get("VpcId") == group.config.get("VpcId")
            if address in texts and same:
                owner = next(walk(interface.config, "Attachment.InstanceId"), None)
                if owner:
                    self._to_instance(front, str(owner), port, keeps)

    def _scaled(self, front: Front, group: Item, depth: int) -> None:
        for scaling in self.network.estate.of_type("aws_autoscaling_group"):
            if group.uid in (scaling.config.get("TargetGroupARNs") or []):
                for instance_id in walk(scaling.config, "Instances[].InstanceId"):
                    self._target(
                        front, group, "instance", str(instance_id), group.config.get("Port"), depth
                    )

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
                    gate = self._admits(front, service.uid, interface, port,
                                        _keeps_client(front, group, "ip"))  # fmt: skip
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


def _keeps_client(front: Front, group: Item, kind: str) -> bool:
    if str(front.balancer.config.get("Type")) != "network":
        return False
    found = group.config.get("describe_target_group_attributes")
    attributes = found.get("Attributes") if isinstance(found, dict) else None
    for attribute in entries(attributes):
        if attribute.get("Key") == "preserve_client_ip.enabled":
            return str(attribute.get("Value")) == "true"
    return kind == "instance" or front.protocol == "UDP"


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
