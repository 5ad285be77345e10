"""From one VPC to another: peering and transit gateways, with the routes of both sides.

A packet must find its way there and the answer its way back: the most specific route of each
subnet counts, and it must lead to the same peering or gateway. Filters are not looked at here.
Source: AWS documentation, "VPC peering: routing" and "Transit gateway route tables".
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from secinbox.estate import Item
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.vpc import Network, entries
from secinbox.network.ranges import EMPTY, IntSet, addresses, interval_of, parse_network


@dataclass(frozen=True)
class Link:
    """What connects two subnets. `doubt`: what of it was not read."""

    via: str
    text: str
    doubt: str = ""


class Links:
    """All connections between the VPCs of a network."""

    def __init__(self, network: Network) -> None:
        self.network = network
        estate = network.estate
        self._peerings = {str(i.config.get("VpcPeeringConnectionId")): i
                          for i in estate.of_type("aws_ec2_vpc_peering_connection")}  # fmt: skip
        self._attached: dict[tuple[str, str], Item] = {}  # (gateway, VPC) -> attachment
        for item in estate.of_type("aws_ec2_transit_gateway_attachment"):
            key = (str(item.config.get("TransitGatewayId")), str(item.config.get("ResourceId")))
            if item.config.get("ResourceType", "vpc") == "vpc":
                self._attached[key] = item
        self._tables = {str(i.config.get("TransitGatewayRouteTableId")): i
                        for i in estate.of_type("aws_ec2_transit_gateway_route_table")}  # fmt: skip
        self._hops: dict[str, list[tuple[int, IntSet, str]]] = {}
        self._known: dict[tuple[str, str], Link | None] = {}
        self.connected = self._connected()

    def _connected(self) -> dict[str, set[str]]:
        """VPC -> VPCs that share a peering or a gateway in the routes of some subnet."""
        by_via: dict[str, set[str]] = defaultdict(set)
        for subnet_id, subnet in self.network.subnets.items():
            for _, _, via in self._routes(subnet_id):
                if via:
                    by_via[via].add(str(subnet.config.get("VpcId")))
        out: dict[str, set[str]] = defaultdict(set)
        for vpcs in by_via.values():
            for vpc in vpcs:
                out[vpc] |= vpcs - {vpc}
        return out

    def _routes(self, subnet_id: str) -> list[tuple[int, IntSet, str]]:
        """IPv4 routes of a subnet, most specific first: (length, addresses, peering or gateway)."""
        found = self._hops.get(subnet_id)
        if found is not None:
            return found
        found = []
        table = self.network.table_of(subnet_id)
        for route in entries(table.config.get("Routes")) if table else ():
            net = parse_network(route.get("DestinationCidrBlock"))
            if net is None or net.version != 4:
                continue
            via = str(route.get("VpcPeeringConnectionId") or route.get("TransitGatewayId") or "")
            if route.get("State", "active") != "active":
                via = ""
            found.append((net.prefixlen, IntSet.of([interval_of(net)]), via))
        found.sort(key=lambda r: -r[0])
        self._hops[subnet_id] = found
        return found

    def _leads(self, subnet_id: str, wanted: IntSet) -> dict[str, IntSet]:
        """By which peering or gateway the subnet sends what goes to these addresses."""
        out: dict[str, IntSet] = {}
        left = wanted
        for _, covers, via in self._routes(subnet_id):
            part = left & covers
            if part:
                left = left - part
                if via:
                    out[via] = out.get(via, EMPTY) | part
        return out

    def between(self, source: str, target: str) -> Link | None:
        """The connection from a subnet to one of another VPC; None where there is none."""
        key = (source, target)
        if key not in self._known:
            self._known[key] = self._between(source, target)
        return self._known[key]

    def _between(self, source: str, target: str) -> Link | None:
        near, far = self.network.subnets.get(source), self.network.subnets.get(target)
        if near is None or far is None:
            return None
        here, there = str(near.config.get("VpcId")), str(far.config.get("VpcId"))
        if there not in self.connected.get(here, ()):
            return None
        own = addresses([near.config.get("CidrBlock")], 4)
        theirs = addresses([far.config.get("CidrBlock")], 4)
        back = self._leads(target, own)
        best: Link | None = None
        for via in sorted(self._leads(source, theirs)):
            if via not in back:
                continue
            found = (self._peering(via, here, there) if via.startswith("pcx-")
                     else self._gateway(via, here, there, own, theirs))  # fmt: skip
            if found is not None and not found.doubt:
                return found
            best = best or found
        return best

    def _peering(self, via: str, here: str, there: str) -> Link | None:
        text = f"peering {via} from {here} to {there}, with routes of both sides"
        item = self._peerings.get(via)
        if item is None:
            return Link(via, text, f"the state of {via} was not read")
        ends = {str(v) for v in (*walk(item.config, "AccepterVpcInfo.VpcId"),
                                 *walk(item.config, "RequesterVpcInfo.VpcId"))}  # fmt: skip
        state = next(walk(item.config, "Status.Code"), "active")
        return Link(via, text) if state == "active" and {here, there} <= ends else None

    def _gateway(self, via: str, here: str, there: str, own: IntSet, theirs: IntSet) -> Link | None:
        text = f"transit gateway {via} from {here} to {there}, with routes of both sides"
        doubts = []
        for vpc, other, wanted in ((here, there, theirs), (there, here, own)):
            attachment = self._attached.get((via, vpc))
            if attachment is None:
                doubts.append(f"the attachment of {vpc} to {via} was not read")
                continue
            if str(attachment.config.get("State") or "available") != "available":
                return None
            passes = self._passes(attachment, self._attached.get((via, other)), wanted)
            if passes is None:
                doubts.append(f"the routes of {via} were not read")
            elif not passes:
                return None
        return Link(via, text, "; ".join(dict.fromkeys(doubts)))

    def _passes(self, near: Item, far: Item | None, wanted: IntSet) -> bool | None:
        """The gateway's own table of one attachment leads these addresses to the other."""
        table = self._tables.get(
            str(next(walk(near.config, "Association.TransitGatewayRouteTableId"), ""))
        )
        answer = table.config.get("search_transit_gateway_routes") if table else None
        if far is None or not isinstance(answer, dict) or "Routes" not in answer:
            return None
        rows = []
        for route in entries(answer["Routes"]):
            net = parse_network(route.get("DestinationCidrBlock"))
            if net is not None and net.version == 4:
                to = {str(a) for a in walk(route, "TransitGatewayAttachments[].TransitGatewayAttachmentId")}  # fmt: skip
                active = route.get("State", "active") == "active"
                rows.append((net.prefixlen, IntSet.of([interval_of(net)]), to if active else set()))
        left, led = wanted, EMPTY
        for _, covers, to in sorted(rows, key=lambda r: -r[0]):
            part = left & covers
            left = left - part
            if str(far.config.get("TransitGatewayAttachmentId")) in to:
                led = led | part
        return bool(led)
