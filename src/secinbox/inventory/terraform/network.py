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
    yield from _tables(blocks)
    yield from _groups(blocks)
    yield from _acls(blocks)
    yield from _balancers(blocks)


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
            State={"Code": "active"}, Tags=b.tags,
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
        if rules:
            rows = [filled(RuleArn=r.arn, Actions=[_action(a) for a in r.rows("action")])
                    for r in rules]  # fmt: skip
            yield answer("elbv2.describe_rules", {"Rules": rows}, *rules, arn=x.arn,
                         ListenerArn=x.arn)  # fmt: skip
    for b in blocks.of("aws_lb_target_group", "aws_alb_target_group"):
        group = filled(
            TargetGroupArn=b.arn, TargetGroupName=b.text("name"), Port=b.number("port"),
            Protocol=b.text("protocol"), VpcId=b.text("vpc_id"),
            TargetType=b.text("target_type") or "instance",
            LoadBalancerArns=b.texts("load_balancer_arns"),
        )  # fmt: skip
        yield answer("elbv2.describe_target_groups", {"TargetGroups": [group]}, b)
        targets = blocks.where(b.arn, "target_group_arn", "aws_lb_target_group_attachment",
                               "aws_alb_target_group_attachment")  # fmt: skip
        if targets:
            rows = [{"Target": filled(Id=t.text("target_id"), Port=t.number("port")
                                      or b.number("port"))} for t in targets]  # fmt: skip
            yield answer("elbv2.describe_target_health", {"TargetHealthDescriptions": rows},
                         *targets, arn=b.arn, TargetGroupArn=b.arn)  # fmt: skip


def _action(b: Block) -> dict[str, Any]:
    forward = [{"TargetGroupArn": t.text("arn")} for f in b.rows("forward")
               for t in f.rows("target_group")]  # fmt: skip
    return filled(
        Type=b.text("type"),
        TargetGroupArn=b.text("target_group_arn"),
        ForwardConfig={"TargetGroups": forward} if forward else None,
    )
