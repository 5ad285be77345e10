"""From one VPC to another: peering, transit gateways and two of them that are peered, with the routes
of both sides.

A packet must find its way there and the answer its way back: the most specific route of each
subnet counts, and it must lead to the same peering or gateway. Filters are not looked at here.
A peering of gateways, in one region or between two, is an attachment on each side, and each side has a
table for what comes from the other. Ways over three gateways are not followed.
Source: AWS documentation, "VPC peering: routing", "Transit gateway route tables", "Transit gateway peering
attachments".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from secinbox.estate import Item
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.openings import entries
from secinbox.network.aws.vpc import Network
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
        self._attached: dict[tuple[str, str], Item] = {}  # (gateway, VPC or peer) -> attachment
        for item in estate.of_type("aws_ec2_transit_gateway_attachment"):
            key = (str(item.config.get("TransitGatewayId")), str(item.config.get("ResourceId")))
            if item.config.get("ResourceType", "vpc") in ("vpc", "peering"):
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
        together = [*by_via.values()]
        together += [
            by_via[a] | by_via[b] for a, b in self._attached if a in by_via and b in by_via
        ]
        for vpcs in together:
            for vpc in vpcs:
                out[vpc] |= vpcs - {vpc}
        return out

    def _routes(self, subnet_id: str) -> list[tuple[int, IntSet, str]]:
        """IPv4 routes of a subnet, most specific first: (length, addresses, peering or gateway)."""
        found = self._hops.get(subnet_id)
        if found is not None:
            return found
        found = []
        table = self.network.routes.table_of(subnet_id)
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
            for found in self._links(via, sorted(back), (here, there), own, theirs):
                if not found.doubt:
                    return found
                best = best or found
        return best

    def _links(self, via: str, back: list[str], ends: tuple[str, str], own: IntSet, theirs: IntSet
               ) -> Iterator[Link]:  # fmt: skip
        """What leads there by this hop, and back by one of those."""
        here, there = ends
        if via in back and via.startswith("pcx-"):
            found = self._peering(via, here, there)
        elif via in back:
            text = f"transit gateway {via} from {here} to {there}, with routes of both sides"
            found = self._gateways(text, [(via, here, there, theirs), (via, there, here, own)])
        else:
            found = None
        if found is not None:
            yield found
        for other in back:
            # One of the two may be of an account that nobody read.
            if other == via or not {(via, other), (other, via)} & self._attached.keys():
                continue
            text = (f"peered transit gateways {via} and {other} from {here} to {there}, with routes of "
                    "both sides")  # fmt: skip
            found = self._gateways(text, [
                (via, here, other, theirs), (other, via, there, theirs),
                (other, there, via, own), (via, other, here, own)])  # fmt: skip
            if found is not None:
                yield found

    def _peering(self, via: str, here: str, there: str) -> Link | None:
        text = f"peering {via} from {here} to {there}, with routes of both sides"
        item = self._peerings.get(via)
        if item is None:
            return Link(via, text, f"the state of {via} was not read")
        ends = {str(v) for v in (*walk(item.config, "AccepterVpcInfo.VpcId"),
                                 *walk(item.config, "RequesterVpcInfo.VpcId"))}  # fmt: skip
        state = next(walk(item.config, "Status.Code"), "active")
        return Link(via, text) if state == "active" and {here, there} <= ends else None

    def _gateways(self, text: str, hops: list[tuple[str, str, str, IntSet]]) -> Link | None:
        """Whether every gateway passes on what comes from one of its attachments for another.

        hops: (gateway, from what, to what, addresses).
        """
        doubts = []
        for via, near, far, wanted in hops:
            attachment = self._attached.get((via, near))
            if attachment is None:
                doubts.append(f"the attachment of {near} to {via} was not read")
                continue
            if str(attachment.config.get("State") or "available") != "available":
                return None
            passes = self._passes(attachment, self._attached.get((via, far)), wanted)
            if passes is None:
                doubts.append(f"the routes of {via} were not read")
            elif not passes:
                return None
        return Link(hops[0][0], text, "; ".join(dict.fromkeys(doubts)))

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
        if not led and table is not None and table.unfinished("search_transit_gateway_routes"):
            return None
        return bool(led)
