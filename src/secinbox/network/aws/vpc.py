"""What the network of a VPC lets through: routes, network ACLs, security groups.

Semantics from the Amazon VPC User Guide: the most specific route wins; ACL rules apply in order of
number, inbound and outbound, without state; security groups only allow, and keep state.
"""

from __future__ import annotations

from secinbox.estate import Estate, Item
from secinbox.inventory.aws.answers import covered
from secinbox.network.aws.acls import Acls
from secinbox.network.aws.groups import Groups
from secinbox.network.aws.openings import Door, Opening, Way
from secinbox.network.aws.routes import PrefixLists, Routes, by_id
from secinbox.network.ranges import (
    IntSet,
    everything,
    is_wide,
)
from secinbox.network.verdict import Verdict, both, no, unknown


class Network:
    """The networks of an estate: subnets, interfaces, and what each of the three gates lets through."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        lists = PrefixLists(estate)
        self.subnets = by_id(estate, "aws_ec2_subnet", "SubnetId")
        self.interfaces = by_id(estate, "aws_ec2_network_interface", "NetworkInterfaceId")
        self.vpcs = by_id(estate, "aws_ec2_vpc", "VpcId")
        self.routes = Routes(estate, self.subnets, lists)
        self.acls = Acls(estate, self.subnets)
        self.security = Groups(estate, lists)
        self.elastic: dict[str, list[str]] = {}  # interface or instance -> addresses lent to it
        for item in estate.of_type("aws_ec2_elastic_ip"):
            holder = item.config.get("NetworkInterfaceId") or item.config.get("InstanceId")
            if holder and item.config.get("PublicIp"):
                self.elastic.setdefault(str(holder), []).append(str(item.config["PublicIp"]))
        self._ways: dict[tuple[str, Door], Way] = {}
        self._through: dict[
            tuple[int, Door, IntSet], tuple[list[Opening], list[Opening], list[Opening]]
        ] = {}

    def covered(self, item: Item, operation: str) -> bool:
        return covered(self.estate, item.account, item.region, operation)

    # All together

    def way_in(self, subnet_id: str, door: Door) -> Way:
        """From the Internet to an interface with an address in this subnet."""
        key = (subnet_id, door)
        if key not in self._ways:
            self._ways[key] = self._way_in(subnet_id, door)
        return self._ways[key]

    def _way_in(self, subnet_id: str, door: Door) -> Way:
        version = door.version
        routed, gateway, route = self.routes.to_internet(subnet_id, version)
        gates = [route, self.security.guard(door)]
        acl = self.acls.of(subnet_id)
        passed: list[Opening] = []
        final: list[Opening] = []
        if acl is None:
            gates.append(unknown(f"the network ACL of {subnet_id} was not read", subnet_id))
        else:
            through, passed, final = self._let_through(acl, door, routed)
            if gates[1].value == "yes" and not any(is_wide(o.sources, version) for o in through):
                gates.append(self.acls.verdict(acl, subnet_id, through, version))
        verdict = both(gates)
        if verdict.value == "yes" and not final:
            # Each gate is wide, but not for the same addresses.
            verdict = no(f"no address passes route table, ACL and groups of {subnet_id} together")
        return Way(verdict, final if verdict.value == "yes" else passed, gateway)

    def inner_way(self, subnet_id: str, door: Door) -> Verdict:
        """From clients that keep their addresses to an interface, whatever its routes: groups and ACL."""
        version = door.version
        guard = self.security.guard(door)
        acl = self.acls.of(subnet_id)
        if acl is None:
            return both([guard, unknown(f"the network ACL of {subnet_id} was not read", subnet_id)])
        through, _, final = self._let_through(acl, door, everything(version))
        if guard.value == "yes" and not final:
            return self.acls.verdict(acl, subnet_id, through, version)
        return guard

    def _let_through(
        self, acl: Item, door: Door, routed: IntSet
    ) -> tuple[list[Opening], list[Opening], list[Opening]]:
        """What passes groups and ACL, what of it is routed, and what of that is wide.

        Equal ACLs are looked at once.
        """
        key = (self.acls.alike(acl), door, routed)
        if key not in self._through:
            through = self.acls.through(acl, self.security.admitted(door)[0], door.version)
            cut = [Opening(o.protocol, o.version, o.ports, o.sources & routed) for o in through]
            passed = [o for o in cut if o.sources]
            final = [o for o in passed if is_wide(o.sources, o.version)]
            self._through[key] = (through, passed, final)
        return self._through[key]


def network_of(estate: Estate) -> Network:
    """The network of an estate, indexed once for all who ask."""
    return estate.once("aws network", lambda: Network(estate))
