"""Networks: VPCs, subnets, routes, filters, gateways, load balancers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.inventory.terraform.answers import Answer, Blocks, answer, filled
from secinbox.inventory.terraform.blocks import Block


def answers(blocks: Blocks) -> Iterator[Answer]:
    for b in blocks.of("aws_vpc", "aws_default_vpc"):
        vpc = filled(VpcId=b.text("id"), CidrBlock=b.text("cidr_block"), OwnerId=b.text("owner_id"))
        yield answer("ec2.describe_vpcs", {"Vpcs": [{**vpc, "Tags": b.tags}]}, b)
    for b in blocks.of("aws_subnet", "aws_default_subnet"):
        subnet = filled(
            SubnetId=b.text("id"), VpcId=b.text("vpc_id"), CidrBlock=b.text("cidr_block"),
            AvailabilityZone=b.text("availability_zone"), OwnerId=b.text("owner_id"),
            MapPublicIpOnLaunch=b.values.get("map_public_ip_on_launch"),
        )  # fmt: skip
        if b.text("ipv6_cidr_block"):
            subnet["Ipv6CidrBlockAssociationSet"] = [{"Ipv6CidrBlock": b.text("ipv6_cidr_block")}]
        yield answer("ec2.describe_subnets", {"Subnets": [{**subnet, "Tags": b.tags}]}, b)
    for b in blocks.of("aws_internet_gateway"):
        links = [{"VpcId": b.text("vpc_id"), "State": "available"}] if b.text("vpc_id") else []
        gateway = {"InternetGatewayId": b.text("id"), "Attachments": links, "Tags": b.tags}
        yield answer("ec2.describe_internet_gateways", {"InternetGateways": [gateway]}, b)
    for b in blocks.of("aws_vpc_peering_connection"):
        peering = filled(
            VpcPeeringConnectionId=b.text("id"), RequesterVpcInfo={"VpcId": b.text("vpc_id")},
            AccepterVpcInfo={"VpcId": b.text("peer_vpc_id")},
            Status={"Code": b.text("accept_status")} if b.text("accept_status") else None,
        )  # fmt: skip
        yield answer(
            "ec2.describe_vpc_peering_connections", {"VpcPeeringConnections": [peering]}, b
        )
    for b in blocks.of("aws_ec2_managed_prefix_list"):
        listed = filled(PrefixListId=b.text("id"), PrefixListName=b.text("name"),
                        OwnerId=b.text("owner_id"))  # fmt: skip
        yield answer("ec2.describe_managed_prefix_lists", {"PrefixLists": [listed]}, b)
        rows = [*b.rows("entry"), *b.rows("entries"),
                *blocks.where(b.text("id"), "prefix_list_id", "aws_ec2_managed_prefix_list_entry")]  # fmt: skip
        entries = [{"Cidr": r.text("cidr")} for r in rows if r.text("cidr")]
        # An empty list may be one whose entries another folder holds.
        if entries:
            yield answer("ec2.get_managed_prefix_list_entries", {"Entries": entries}, b,
                         PrefixListId=b.text("id"))  # fmt: skip
    for b in blocks.of("aws_vpc_block_public_access_options"):
        options = filled(InternetGatewayBlockMode=b.text("internet_gateway_block_mode"))
        yield answer("ec2.describe_vpc_block_public_access_options",
                     {"VpcBlockPublicAccessOptions": options}, b)  # fmt: skip
    excluded = blocks.of("aws_vpc_block_public_access_exclusion")
    if excluded:
        exclusions = [filled(
            ResourceArn=f"/{x.text('subnet_id') or x.text('vpc_id')}", State="create-complete",
            InternetGatewayExclusionMode=x.text("internet_gateway_exclusion_mode"),
        ) for x in excluded]  # fmt: skip
        yield answer("ec2.describe_vpc_block_public_access_exclusions",
                     {"VpcBlockPublicAccessExclusions": exclusions}, *excluded)  # fmt: skip
    for b in blocks.of("aws_network_interface"):
        yield answer("ec2.describe_network_interfaces",
                     {"NetworkInterfaces": [interface(blocks, b)]}, b)  # fmt: skip
    yield from _tables(blocks)
    yield from _groups(blocks)
    yield from _acls(blocks)
    yield from _balancers(blocks)


def interface(blocks: Blocks, b: Block) -> dict[str, Any]:
    """An interface that is a block of its own."""
    number = b.text("id")
    held = [(a.text("instance"), a.number("device_index")) for a in b.rows("attachment")]
    held += [(a.text("instance_id"), a.number("device_index"))
             for a in blocks.where(number, "network_interface_id", "aws_network_interface_attachment")]  # fmt: skip
    public = lent(blocks, number, "")
    return filled(
        NetworkInterfaceId=number, SubnetId=b.text("subnet_id"),
        Groups=[{"GroupId": g} for g in b.texts("security_groups")],
        PrivateIpAddress=b.text("private_ip"),
        PrivateIpAddresses=[{"PrivateIpAddress": a} for a in b.texts("private_ips")],
        Association={"PublicIp": public} if public else None,
        Ipv6Addresses=[{"Ipv6Address": a} for a in b.texts("ipv6_addresses")],
        Attachment=filled(InstanceId=held[0][0], DeviceIndex=held[0][1]) if held else None,
        Tags=b.tags,
    )  # fmt: skip


def lent(blocks: Blocks, interface_id: str, instance_id: str) -> str:
    """The elastic address of an interface or an instance."""
    found = [*blocks.where(interface_id, "network_interface", "aws_eip"),
             *blocks.where(instance_id, "instance", "aws_eip"),
             *blocks.where(interface_id, "network_interface_id", "aws_eip_association"),
             *blocks.where(instance_id, "instance_id", "aws_eip_association")]  # fmt: skip
    return next((a.text("public_ip") for a in found if a.text("public_ip")), "")


def _route(b: Block) -> dict[str, Any]:
    return filled(
        DestinationCidrBlock=b.text("cidr_block") or b.text("destination_cidr_block"),
        DestinationIpv6CidrBlock=b.text("ipv6_cidr_block") or b.text("destination_ipv6_cidr_block"),
        DestinationPrefixListId=b.text("destination_prefix_list_id"),
        GatewayId=b.text("gateway_id") or b.text("vpc_endpoint_id"),
        NatGatewayId=b.text("nat_gateway_id"),
        TransitGatewayId=b.text("transit_gateway_id"),
        VpcPeeringConnectionId=b.text("vpc_peering_connection_id"),
        State=b.text("state") or "active",
    )


def _tables(blocks: Blocks) -> Iterator[Answer]:
    for b in blocks.of("aws_route_table", "aws_default_route_table"):
        number = b.text("id")
        routes = blocks.where(number, "route_table_id", "aws_route")
        links = blocks.where(number, "route_table_id", "aws_route_table_association")
        mains = blocks.where(number, "route_table_id", "aws_main_route_table_association")
        all_routes = [_route(r) for r in (*b.rows("route"), *routes)]
        unique = {str(sorted(r.items())): r for r in all_routes}
        associations: list[dict[str, Any]] = [{"SubnetId": x.text("subnet_id")} for x in links
                                              if x.text("subnet_id")]  # fmt: skip
        if mains or b.type == "aws_default_route_table":
            associations.append({"Main": True})
        table = {"RouteTableId": number, "VpcId": b.text("vpc_id"), "OwnerId": b.text("owner_id"),
                 "Routes": list(unique.values()), "Associations": associations, "Tags": b.tags}  # fmt: skip
        yield answer(
            "ec2.describe_route_tables", {"RouteTables": [table]}, b, *routes, *links, *mains
        )


def _permission(b: Block) -> dict[str, Any]:
    """Of a group's own list, of a rule of the older kind, or of the newer kind."""
    protocol = b.text("protocol") or b.text("ip_protocol") or "-1"
    four = b.texts("cidr_blocks") + ([b.text("cidr_ipv4")] if b.text("cidr_ipv4") else [])
    six = b.texts("ipv6_cidr_blocks") + ([b.text("cidr_ipv6")] if b.text("cidr_ipv6") else [])
    lists = b.texts("prefix_list_ids") + (
        [b.text("prefix_list_id")] if b.text("prefix_list_id") else []
    )
    groups = b.texts("security_groups")
    groups += [g for g in (b.text("source_security_group_id"),
                           b.text("referenced_security_group_id")) if g]  # fmt: skip
    found: dict[str, Any] = {
        "IpProtocol": "-1" if protocol in ("-1", "all") else protocol,
        "IpRanges": [{"CidrIp": c} for c in four],
        "Ipv6Ranges": [{"CidrIpv6": c} for c in six],
        "PrefixListIds": [{"PrefixListId": p} for p in lists],
        "UserIdGroupPairs": [{"GroupId": g.rpartition("/")[2]} for g in groups],
    }
    if found["IpProtocol"] != "-1":
        found |= filled(FromPort=b.number("from_port"), ToPort=b.number("to_port"))
    return found


def _groups(blocks: Blocks) -> Iterator[Answer]:
    for b in blocks.of("aws_security_group", "aws_default_security_group"):
        number = b.text("id")
        older = blocks.where(number, "security_group_id", "aws_security_group_rule")
        newer = blocks.where(number, "security_group_id", "aws_vpc_security_group_ingress_rule")
        # The group's own list is what the provider read: the rules below are mostly in it already.
        rows = [*b.rows("ingress"), *(r for r in older if r.text("type") == "ingress"), *newer]
        permissions = [_permission(r) for r in rows]
        for row, permission in zip(rows, permissions, strict=True):
            if row.values.get("self") is True:
                permission["UserIdGroupPairs"].append({"GroupId": number})
        unique = {str(p): p for p in permissions}
        group = {"GroupId": number, "GroupName": b.text("name"), "VpcId": b.text("vpc_id"),
                 "OwnerId": b.text("owner_id"), "IpPermissions": list(unique.values()),
                 "Tags": b.tags}  # fmt: skip
        yield answer("ec2.describe_security_groups", {"SecurityGroups": [group]}, b, *older, *newer)


def _entry(b: Block, egress: bool) -> dict[str, Any]:
    protocol = b.text("protocol") or str(b.values.get("protocol") or "-1")
    found = filled(
        RuleNumber=b.number("rule_no") or b.number("rule_number"),
        RuleAction=(b.text("action") or b.text("rule_action")).lower(),
        CidrBlock=b.text("cidr_block"), Ipv6CidrBlock=b.text("ipv6_cidr_block"),
        Protocol={"tcp": "6", "udp": "17", "all": "-1"}.get(protocol, protocol),
    )  # fmt: skip
    if found["Protocol"] not in ("-1", "1"):
        found["PortRange"] = {"From": b.number("from_port"), "To": b.number("to_port")}
    return found | {"Egress": egress}


def _acls(blocks: Blocks) -> Iterator[Answer]:
    for b in blocks.of("aws_network_acl", "aws_default_network_acl"):
        number = b.text("id")
        rules = blocks.where(number, "network_acl_id", "aws_network_acl_rule")
        entries = [_entry(r, False) for r in b.rows("ingress")]
        entries += [_entry(r, True) for r in b.rows("egress")]
        entries += [_entry(r, r.values.get("egress") is True) for r in rules]
        unique = {(e["Egress"], e.get("RuleNumber")): e for e in entries}
        # The last rule of every list, which no provider shows.
        for egress in (False, True):
            unique[egress, 32767] = {"RuleNumber": 32767, "RuleAction": "deny", "Protocol": "-1",
                                     "CidrBlock": "0.0.0.0/0", "Egress": egress}  # fmt: skip
        acl = {"NetworkAclId": number, "VpcId": b.text("vpc_id"), "OwnerId": b.text("owner_id"),
               "IsDefault": b.type == "aws_default_network_acl", "Entries": list(unique.values()),
               "Associations": [{"SubnetId": s} for s in b.texts("subnet_ids")], "Tags": b.tags}  # fmt: skip
        yield answer("ec2.describe_network_acls", {"NetworkAcls": [acl]}, b, *rules)


def _balancers(blocks: Blocks) -> Iterator[Answer]:
    for b in blocks.of("aws_lb", "aws_alb"):
        internal = b.values.get("internal")
        balancer = filled(
            LoadBalancerArn=b.arn, LoadBalancerName=b.text("name"), VpcId=b.text("vpc_id"),
            Type=b.text("load_balancer_type") or "application", DNSName=b.text("dns_name"),
            Scheme="internal" if internal else "internet-facing" if internal is False else None,
            SecurityGroups=b.texts("security_groups"),
            AvailabilityZones=[{"SubnetId": s} for s in b.texts("subnets")],
            IpAddressType=b.text("ip_address_type"), State={"Code": "active"}, Tags=b.tags,
        )  # fmt: skip
        yield answer("elbv2.describe_load_balancers", {"LoadBalancers": [balancer]}, b)
        listeners = blocks.where(b.arn, "load_balancer_arn", "aws_lb_listener", "aws_alb_listener")
        if listeners:
            rows = [filled(ListenerArn=x.arn, LoadBalancerArn=b.arn, Port=x.number("port"),
                           Protocol=x.text("protocol"),
                           DefaultActions=[_action(a) for a in x.rows("default_action")])
                    for x in listeners]  # fmt: skip
            yield answer("elbv2.describe_listeners", {"Listeners": rows}, *listeners,
                         arn=b.arn, LoadBalancerArn=b.arn)  # fmt: skip
    for b in blocks.of("aws_elb"):
        internal = b.values.get("internal")
        older = filled(
            LoadBalancerName=b.text("name"), DNSName=b.text("dns_name"),
            Scheme="internal" if internal is True else "internet-facing" if internal is False else None,
            Subnets=b.texts("subnets"), SecurityGroups=b.texts("security_groups"),
            Instances=[{"InstanceId": i} for i in b.texts("instances")],
            ListenerDescriptions=[{"Listener": filled(
                Protocol=r.text("lb_protocol").upper(), LoadBalancerPort=r.number("lb_port"),
                InstancePort=r.number("instance_port"),
            )} for r in b.rows("listener")],
        )  # fmt: skip
        yield answer("elb.describe_load_balancers", {"LoadBalancerDescriptions": [older]}, b)
    for x in blocks.of("aws_lb_listener", "aws_alb_listener"):
        rules = blocks.where(x.arn, "listener_arn", "aws_lb_listener_rule", "aws_alb_listener_rule")
        rows = [filled(RuleArn=r.arn, Priority=str(r.number("priority") or ""),
                       Conditions=[c for row in r.rows("condition") for c in _conditions(row)],
                       Actions=[_action(a) for a in r.rows("action")])
                for r in rules]  # fmt: skip
        if x.arn:
            yield answer("elbv2.describe_rules", {"Rules": rows}, x, *rules, arn=x.arn,
                         ListenerArn=x.arn)  # fmt: skip
    for b in blocks.of("aws_lb_target_group", "aws_alb_target_group"):
        group = filled(
            TargetGroupArn=b.arn, TargetGroupName=b.text("name"), Port=b.number("port"),
            Protocol=b.text("protocol"), VpcId=b.text("vpc_id"),
            TargetType=b.text("target_type") or "instance",
            LoadBalancerArns=b.texts("load_balancer_arns"),
        )  # fmt: skip
        yield answer("elbv2.describe_target_groups", {"TargetGroups": [group]}, b)
        # Left out: as the kind of group has it by default.
        kept = b.text("preserve_client_ip")
        told = [{"Key": "preserve_client_ip.enabled", "Value": kept}] if kept else []
        if b.arn:
            yield answer("elbv2.describe_target_group_attributes", {"Attributes": told}, b,
                         arn=b.arn, TargetGroupArn=b.arn)  # fmt: skip
        targets = blocks.where(b.arn, "target_group_arn", "aws_lb_target_group_attachment",
                               "aws_alb_target_group_attachment")  # fmt: skip
        if targets:
            rows = [{"Target": filled(Id=t.text("target_id"), Port=t.number("port")
                                      or b.number("port"))} for t in targets]  # fmt: skip
            yield answer("elbv2.describe_target_health", {"TargetHealthDescriptions": rows},
                         *targets, arn=b.arn, TargetGroupArn=b.arn)  # fmt: skip


_FIELDS = {"host_header": "host-header", "path_pattern": "path-pattern", "source_ip": "source-ip",
           "http_request_method": "http-request-method", "http_header": "http-header",
           "query_string": "query-string"}  # fmt: skip


def _conditions(b: Block) -> Iterator[dict[str, Any]]:
    """One condition a row, as the newest form has it: `source_ip { values = [...] }`."""
    for name, field in _FIELDS.items():
        for row in b.rows(name):
            yield {"Field": field, "Values": row.texts("values")}


def _action(b: Block) -> dict[str, Any]:
    forward = [filled(TargetGroupArn=t.text("arn"), Weight=t.number("weight"))
               for f in b.rows("forward") for t in f.rows("target_group")]  # fmt: skip
    return filled(
        Type=b.text("type"),
        TargetGroupArn=b.text("target_group_arn"),
        ForwardConfig={"TargetGroups": forward} if forward else None,
    )
