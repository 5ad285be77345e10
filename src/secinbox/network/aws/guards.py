"""Whether a target lets in what a load balancer sends to it, and at which addresses targets are.

An application or classic balancer connects from its own interfaces; a network balancer keeps the
client's address for instances, for UDP and for application balancers as targets (and for addresses
when preserve_client_ip is on), so the target itself must admit the Internet, unless it names the
balancer's security group. Source: Elastic Load Balancing guides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from secinbox.estate import Item
from secinbox.inventory.aws.answers import Unread, answer
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.compute import (
    groups_of,
    interfaces_of,
    task_interfaces,
)
from secinbox.network.aws.doors import TRANSPORT, Front, attributes_of, subnets_of
from secinbox.network.aws.links import Links
from secinbox.network.aws.openings import Door
from secinbox.network.aws.vpc import Network
from secinbox.network.ranges import EMPTY, addresses, is_wide
from secinbox.network.verdict import Verdict, either, no, unknown, yes

_KEPT = ("UDP", "TCP_UDP", "QUIC", "TCP_QUIC")


@dataclass(frozen=True)
class Address:
    """An address of a network, whose interface it is and what owns that."""

    vpc: str
    owner: Item
    interface: dict[str, Any]


class Guards:
    """The security groups and ACLs before targets, as a balancer or its clients meet them."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def gate(self, front: Front, uid: str, interface: dict[str, Any], port: int,
              group: Item | None, kind: str) -> Verdict:  # fmt: skip
        """Does the target admit the balancer, or the client where the balancer keeps him?"""
        protocol = str((group.config.get("Protocol") if group else "") or front.protocol)
        transport = TRANSPORT.get(protocol, ("tcp",))
        keeps = _keeps_client(front, group, kind)
        found = [
            self.admits(front, uid, interface, port, k, transport)
            for k in ((True, False) if keeps is None else (keeps,))
        ]
        if len({f.value for f in found}) == 1:
            return found[0]
        name = group.config.get("TargetGroupName") if group else ""
        return unknown(f"whether {name} keeps the client's address was not read", uid)

    def admits(self, front: Front, uid: str, interface: dict[str, Any], port: int,
                keeps_client: bool, transport: tuple[str, ...]) -> Verdict:  # fmt: skip
        """Does the target's own guard let the connections in, and the ACLs on the way?"""
        return either(
            [self._let_in(front, uid, interface, port, keeps_client, p) for p in transport]
        )

    def _let_in(self, front: Front, uid: str, interface: dict[str, Any], port: int,
                keeps_client: bool, protocol: str) -> Verdict:  # fmt: skip
        groups = groups_of(interface)
        own_groups = [str(g) for g in front.balancer.config.get("SecurityGroups") or []]
        subnets = subnets_of(front.balancer)
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


class Places:
    """Private addresses of instances and tasks, and how the networks that they are in are linked."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._links: Links | None = None
        self._addresses: dict[str, list[Address]] | None = None

    def vpc_of(self, config: Mapping[str, Any]) -> str | None:
        """Of an instance or interface: as it says, else of its subnet."""
        subnet = self.network.subnets.get(str(config.get("SubnetId")))
        found = config.get("VpcId") or (subnet.config.get("VpcId") if subnet else None)
        return str(found) if found else None

    def links(self) -> Links:
        if self._links is None:
            self._links = Links(self.network)
        return self._links

    def linked(self, front: Front, found: Address) -> Verdict | None:
        """A target in another network: by peering or gateway from the balancer's subnets."""
        target = str(found.interface.get("SubnetId") or "")
        doubts = []
        for subnet in subnets_of(front.balancer):
            link = self.links().between(subnet, target)
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

    def known(self) -> dict[str, list[Address]]:
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
        vpc = self.vpc_of(interface) or self.vpc_of(owner.config) or ""
        for text in texts - {""}:
            assert self._addresses is not None
            self._addresses[text].append(Address(vpc, owner, interface))


def _keeps_client(front: Front, group: Item | None, kind: str) -> bool | None:
    """None: nobody read it, and it is not fixed."""
    if group is None or str(front.balancer.config.get("Type")) != "network":
        return False
    if str(group.config.get("Protocol") or front.protocol) in _KEPT:
        return True
    told = attributes_of(group).get("preserve_client_ip.enabled")
    if told is not None:
        return told == "true"
    if not isinstance(answer(group, "describe_target_group_attributes"), Unread):
        return kind == "instance"
    return None
