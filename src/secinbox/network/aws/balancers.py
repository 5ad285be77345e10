"""Load balancers of all kinds, and what is reached through them.

A listener leads to groups, a group to instances, addresses, functions or another balancer; who opens the
listener is in `doors`, whether the target lets the connections in in `guards`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from secinbox.estate import Item
from secinbox.inventory.aws.answers import Unread, answer
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.accelerators import Accelerators
from secinbox.network.aws.compute import (
    all_groups,
    interfaces_of,
    running,
)
from secinbox.network.aws.distributions import Distributions
from secinbox.network.aws.doors import TRANSPORT, Doors, Front, subnets_of, through, versions_of
from secinbox.network.aws.guards import Guards, Places
from secinbox.network.aws.listeners import led
from secinbox.network.aws.openings import PROTOCOLS, entries
from secinbox.network.aws.vpc import Network
from secinbox.network.aws.walls import behind, of_balancer
from secinbox.network.verdict import Verdict, both, either, no, unknown, yes


class Balancers:
    """All load balancers of the estate, their listeners, and the ways on to targets."""

    def __init__(
        self, network: Network, distributions: Distributions, accelerators: Accelerators
    ) -> None:
        self.network = network
        self._doors = Doors(network, distributions, accelerators)
        self._guards = Guards(network)
        self._places = Places(network)
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
            gate = self._doors.reach(item, None, kind)
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
            verdicts.append(both([self._doors.reach(item, None, kind), unknown(part, item.uid)]))
        self.verdicts[item.uid] = either(verdicts)

    def _front(self, item: Item, listener: dict[str, Any], kind: str) -> Front:
        port, protocol = int(listener["Port"]), str(listener.get("Protocol") or "TCP")
        verdict = self._doors.reach(item, port, kind, TRANSPORT.get(protocol, ("tcp",)))
        estate = self.network.estate
        verdict = behind(estate, of_balancer(estate, item), verdict)
        found = self.network.estate.find(str(listener.get("ListenerArn") or ""))
        rules = found.config.get("describe_rules") if found else None
        told = rules.get("Rules") if isinstance(rules, dict) else None
        way = led(listener, told, versions_of(item))
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
            verdict = self._doors.reach(item, port, "classic")
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
            verdicts.append(
                both([self._doors.reach(item, None, "classic"), unknown(part, item.uid)])
            )
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
        vpcs = {vpc, None, *self._places.links().connected.get(str(vpc), ())}
        for item in self.network.estate.of_type("aws_ec2_instance"):
            if item.config.get("InstanceId") and self._places.vpc_of(item.config) in vpcs:
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
                through(front, f"{target.rsplit(':', 1)[-1]} (function)", group.uid)
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
                        "SubnetId": next(iter(subnets_of(other.balancer)), ""),
                    }  # fmt: skip
                    gate = self._guards.admits(
                        front, other.balancer.uid, seen, port, True, ("tcp",)
                    )
                    gates = [gate, through(front, other.step, group.uid)]
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
            gate = self._guards.gate(front, item.uid, interfaces[0], port, group, "instance")
        way = through(front, f"{instance_id}:{port}", item.uid)
        self.targets[item.uid].append(both([running(item), gate, way]))

    def _to_address(self, front: Front, group: Item, address: str, port: int) -> None:
        vpc = str(group.config.get("VpcId") or "")
        for found in self._places.known().get(address, ()):
            near = yes() if found.vpc == vpc else self._places.linked(front, found)
            if near is None:
                continue
            gate = self._guards.gate(front, found.owner.uid, found.interface, port, group, "ip")
            way = through(front, f"{found.owner.name}:{port}", found.owner.uid)
            self.targets[found.owner.uid].append(both([running(found.owner), near, gate, way]))

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
                    gate = self._guards.gate(front, service.uid, interface, port, group, "ip")
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
                            through(front, f"{service.name}:{port}", service.uid),
                        ]
                    )
                )


def _device(interface: dict[str, Any]) -> int:
    """Which of an instance's interfaces it is; the first is the primary one."""
    number = next(walk(interface, "Attachment.DeviceIndex"), 0)
    return number if isinstance(number, int) else 0


def describe(balancers: Balancers) -> Iterator[tuple[str, Verdict]]:
    """Verdict of each balancer: by itself, or through another in front of it."""
    for uid, verdict in sorted(balancers.verdicts.items()):
        yield uid, either([verdict, *balancers.targets.get(uid, ())])
