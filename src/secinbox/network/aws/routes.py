"""Which addresses a subnet reaches through an Internet gateway: the most specific route wins."""

from __future__ import annotations

from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.aws.answers import covered
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.openings import entries
from secinbox.network.ranges import (
    EMPTY,
    Interval,
    IntSet,
    everything,
    interval_of,
    is_wide,
    parse_network,
)
from secinbox.network.verdict import Verdict, no, unknown, yes

_BLOCKING = ("block-bidirectional", "block-ingress")
# An exclusion counts until it is gone.
_EXCLUDED = ("create-complete", "update-in-progress", "update-complete", "update-failed")


class PrefixLists:
    """Lists of addresses under one name, of the account and of Amazon."""

    def __init__(self, estate: Estate) -> None:
        self._lists = by_id(estate, "aws_ec2_prefix_list", "PrefixListId")

    def find(self, prefix_list: str) -> Item | None:
        return self._lists.get(prefix_list)

    def addresses(self, prefix_list: str) -> list[object] | None:
        """CIDRs of a list; None where they were not read."""
        item = self._lists.get(prefix_list)
        answer = item.config.get("get_managed_prefix_list_entries") if item else None
        if not isinstance(answer, dict) or "Entries" not in answer:
            # Amazon's own lists hold the addresses of its services, never the Internet at large.
            named = str(item.config.get("PrefixListName") or "") if item else ""
            return [] if named.startswith("com.amazonaws.") else None
        return [e.get("Cidr") for e in entries(answer.get("Entries"))]


class Routes:
    """Route tables of subnets."""

    def __init__(self, estate: Estate, subnets: dict[str, Item], lists: PrefixLists) -> None:
        self.estate = estate
        self.subnets = subnets
        self.lists = lists
        self.gateways = by_id(estate, "aws_ec2_internet_gateway", "InternetGatewayId")
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
        self._routed: dict[tuple[str, int], tuple[IntSet, str, Verdict]] = {}

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
                known = self.lists.addresses(str(listed))
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

    def gateway_near(self, subnet_id: str) -> Verdict:
        """An Internet gateway attached to the network of the subnet, whatever its routes say."""
        subnet = self.subnets.get(subnet_id)
        if subnet is None:
            return unknown(f"subnet {subnet_id} was not read", subnet_id)
        blocked = self._blocked(subnet)
        if blocked is not None:
            return blocked
        vpc_id = str(subnet.config.get("VpcId") or "")
        if any(self._attached(g, vpc_id) for g in self.gateways):
            return yes()
        if covered(self.estate, subnet.account, subnet.region, "ec2.describe_internet_gateways"):
            return no(f"no Internet gateway is attached to {vpc_id}", subnet.uid)
        return unknown(f"the Internet gateway of {vpc_id} was not read", subnet.uid)

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


def by_id(estate: Estate, kind: str, field_name: str) -> dict[str, Item]:
    """Resources of a type by the id that AWS gives them."""
    return {
        str(item.config[field_name]): item
        for item in estate.of_type(kind)
        if item.config.get(field_name)
    }
