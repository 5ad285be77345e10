"""What stands between a client and a target: rules of listeners, ACLs on the way, CloudFront.

The smallest estate that is open, and each single condition flipped.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.test_network_services import (
    ACCOUNT,
    BALANCER,
    DB,
    EC2,
    ELB,
    GROUP,
    INSTANCE,
    LISTENER,
    REGION,
    Items,
    attribute,
    database,
    judged,
    permission,
    web,
)

Change = Callable[[Items], None]
FORWARD = [{"Type": "forward", "TargetGroupArn": GROUP}]
REFUSE = [{"Type": "fixed-response"}]
ANYONE = "0.0.0.0/0"


def rules(*found: tuple[list[dict[str, Any]], list[dict[str, Any]]], default: Any = None) -> Change:
    """(conditions, actions) in order; the last rule is the one by default."""

    def change(items: Items) -> None:
        own = REFUSE if default is None else default
        items[BALANCER][1]["describe_listeners"]["Listeners"][0]["DefaultActions"] = own
        rows = [
            {"Priority": str(n), "Conditions": c, "Actions": a} for n, (c, a) in enumerate(found, 1)
        ]
        items[LISTENER] = ("aws_elbv2_listener", {"describe_rules": {"Rules": [
            {"Priority": "default", "Conditions": [], "Actions": own}, *reversed(rows)]}})  # fmt: skip

    return change


def when(field: str, *values: str) -> dict[str, Any]:
    return {"Field": field, "Values": list(values)}


def source(*cidrs: str) -> dict[str, Any]:
    return {"Field": "source-ip", "SourceIpConfig": {"Values": list(cidrs)}}


RULES: list[tuple[str, Change, str]] = [
    ("a path leads on", rules(([when("path-pattern", "/api/*")], FORWARD)), "yes"),
    ("from one network", rules(([source("203.0.113.0/24")], FORWARD)), "no"),
    ("from private networks", rules(([source("10.0.0.0/8")], FORWARD)), "no"),
    ("from anywhere", rules(([source(ANYONE)], FORWARD)), "yes"),
    ("from one network, and by default", rules(([source("203.0.113.0/24")], FORWARD),
                                               default=FORWARD), "yes"),
    ("all paths refused before", rules(([when("path-pattern", "*")], REFUSE),
                                       ([when("host-header", "a")], FORWARD)), "no"),
    ("all paths of one host refused before", rules(
        ([when("path-pattern", "*"), when("host-header", "a")], REFUSE),
        ([when("host-header", "b")], FORWARD)), "yes"),
    ("some paths refused before", rules(([when("path-pattern", "/admin")], REFUSE),
                                        default=FORWARD), "yes"),
    ("all paths refused before the default", rules(([when("path-pattern", "/*")], REFUSE),
                                                   default=FORWARD), "no"),
    ("all sources refused before the default", rules(([source(ANYONE)], REFUSE),
                                                     default=FORWARD), "no"),
    ("without weight", rules(default=[{"Type": "forward", "ForwardConfig": {"TargetGroups": [
        {"TargetGroupArn": GROUP, "Weight": 0}]}}]), "no"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "value"), [c[1:] for c in RULES], ids=[c[0] for c in RULES])
def test_rules_of_a_listener(change: Change, value: str) -> None:
    items = web()
    change(items)
    found = judged(items)
    assert found[BALANCER].value == "yes"
    assert found[INSTANCE].value == value, found[INSTANCE]


def test_whom_a_rule_leads_on_is_told() -> None:
    items = web()
    rules(([source("203.0.113.0/24")], FORWARD))(items)
    told = [e.sources_allowed for e in judged(items)[INSTANCE].evidence]
    assert "203.0.113.0/24" in told


def acl(subnet: str, *rows: tuple[bool, str, int, int]) -> Change:
    """An ACL of its own for a subnet: (egress, cidr, ports); everything else is refused."""

    def change(items: Items) -> None:
        items[f"{EC2}network-acl/{subnet}"] = ("aws_ec2_network_acl", {
            "NetworkAclId": subnet, "VpcId": "vpc-1", "Associations": [{"SubnetId": subnet}],
            "Entries": [{"RuleNumber": n, "Egress": e, "RuleAction": "allow", "Protocol": "6",
                         "CidrBlock": c, "PortRange": {"From": a, "To": b}}
                        for n, (e, c, a, b) in enumerate(rows, 1)]})  # fmt: skip

    return change


IN, OUT = False, True
ACLS: list[tuple[str, Change, str]] = [
    ("listener, answers, target and its answers", acl(
        "subnet-pub", (IN, ANYONE, 443, 443), (IN, "10.0.0.0/16", 1024, 65535),
        (OUT, ANYONE, 1024, 65535)), "yes"),
    ("no answers of targets", acl("subnet-pub", (IN, ANYONE, 443, 443), (OUT, ANYONE, 1024, 65535)),
     "no"),
    ("no way on to the target", acl(
        "subnet-pub", (IN, ANYONE, 443, 443), (IN, "10.0.0.0/16", 1024, 65535),
        (OUT, ANYONE, 10000, 65535)), "no"),
    ("the target's subnet takes the balancer", acl(
        "subnet-priv", (IN, "10.0.0.0/24", 8080, 8080), (OUT, "10.0.0.0/24", 1024, 65535)), "yes"),
    ("the target's subnet takes others", acl(
        "subnet-priv", (IN, "10.9.0.0/24", 8080, 8080), (OUT, "10.0.0.0/24", 1024, 65535)), "no"),
    ("the target's subnet lets no answer out", acl(
        "subnet-priv", (IN, "10.0.0.0/24", 8080, 8080), (OUT, "10.0.0.0/24", 443, 443)), "no"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "value"), [c[1:] for c in ACLS], ids=[c[0] for c in ACLS])
def test_acls_between_a_balancer_and_its_target(change: Change, value: str) -> None:
    items = web()
    change(items)
    found = judged(items)
    assert found[BALANCER].value == "yes"
    assert found[INSTANCE].value == value, found[INSTANCE]


def test_the_acl_of_a_target_sees_the_client_that_is_kept() -> None:
    items = web("network")
    items[EC2 + "security-group/sg-back"][1]["IpPermissions"] = [permission(8080, 8080, ANYONE)]
    items[GROUP][1]["describe_target_group_attributes"] = attribute(
        preserve_client_ip__enabled="true"
    )
    assert judged(items)[INSTANCE].value == "yes"
    acl("subnet-priv", (IN, "10.0.0.0/16", 8080, 8080), (OUT, ANYONE, 1024, 65535))(items)
    assert judged(items)[INSTANCE].value == "no"


# IPv6


def dualstack(scheme: str, told: str = "", kind: str = "dualstack") -> Items:
    items = web()
    items[BALANCER][1].update(Scheme=scheme, IpAddressType=kind)
    if told:
        items[BALANCER][1]["describe_load_balancer_attributes"] = {
            "Attributes": [{"Key": "ipv6.deny_all_igw_traffic", "Value": told}]
        }
    items[EC2 + "route-table/rtb-pub"][1]["Routes"].append(
        {"DestinationIpv6CidrBlock": "::/0", "GatewayId": "igw-1"})  # fmt: skip
    items[EC2 + "network-acl/acl-1"][1]["Entries"] += [
        {"RuleNumber": 101, "Egress": e, "RuleAction": "allow", "Protocol": "-1",
         "Ipv6CidrBlock": "::/0"} for e in (True, False)]  # fmt: skip
    items[EC2 + "security-group/sg-front"][1]["IpPermissions"] = [permission(443, 443, "::/0")]
    return items


@pytest.mark.parametrize(
    ("scheme", "told", "kind", "value"),
    [
        ("internal", "true", "dualstack", "no"),
        ("internal", "false", "dualstack", "yes"),
        ("internal", "false", "ipv4", "no"),
        ("internal", "", "dualstack", "unknown"),
        ("internet-facing", "", "dualstack", "unknown"),
        ("internet-facing", "false", "dualstack", "yes"),
        ("internet-facing", "true", "dualstack", "no"),
        ("internet-facing", "false", "dualstack-without-public-ipv4", "yes"),
        ("internet-facing", "true", "dualstack-without-public-ipv4", "no"),
        ("internet-facing", "", "ipv4", "no"),
    ],
)
def test_a_balancer_in_ipv6(scheme: str, told: str, kind: str, value: str) -> None:
    assert judged(dualstack(scheme, told, kind))[BALANCER].value == value


# Which interface


def two_interfaces(order: tuple[int, int], open_one: int) -> Items:
    items = web()
    found = [
        {"NetworkInterfaceId": f"eni-{n}", "SubnetId": "subnet-priv", "VpcId": "vpc-1",
         "PrivateIpAddress": f"10.0.1.{n}", "Attachment": {"DeviceIndex": n},
         "Groups": [{"GroupId": "sg-back"}] if n == open_one else []} for n in order
    ]  # fmt: skip
    items[INSTANCE][1]["NetworkInterfaces"] = found
    return items


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_instance_is_reached_at_its_primary_interface(order: tuple[int, int]) -> None:
    assert judged(two_interfaces(order, 0))[INSTANCE].value == "yes"
    assert judged(two_interfaces(order, 1))[INSTANCE].value == "no"


@pytest.mark.parametrize(("target", "value"), [("10.0.1.1", "yes"), ("10.0.1.0", "no")])
def test_an_address_is_reached_at_the_interface_that_has_it(target: str, value: str) -> None:
    items = two_interfaces((0, 1), 1)
    items[GROUP][1].update({"TargetType": "ip", "describe_target_health": {
        "TargetHealthDescriptions": [{"Target": {"Id": target, "Port": 8080}}]}})  # fmt: skip
    assert judged(items)[INSTANCE].value == value


def elsewhere(peered: bool, reference: bool = True) -> Items:
    """The target is in another network, by its address."""
    items = two_interfaces((0, 1), 0)
    items[GROUP][1].update({"TargetType": "ip", "describe_target_health": {
        "TargetHealthDescriptions": [{"Target": {"Id": "10.0.1.0", "Port": 8080}}]}})  # fmt: skip
    for interface in items[INSTANCE][1]["NetworkInterfaces"]:
        interface |= {"SubnetId": "subnet-far", "VpcId": "vpc-2"}
    items[EC2 + "subnet/subnet-far"] = ("aws_ec2_subnet", {
        "SubnetId": "subnet-far", "VpcId": "vpc-2", "CidrBlock": "10.0.1.0/24"})  # fmt: skip
    items[EC2 + "subnet/subnet-priv"][1]["CidrBlock"] = "10.0.2.0/24"
    items[EC2 + "network-acl/acl-2"] = ("aws_ec2_network_acl", {
        **items[EC2 + "network-acl/acl-1"][1], "NetworkAclId": "acl-2", "VpcId": "vpc-2"})  # fmt: skip
    back = {"DestinationCidrBlock": "10.0.0.0/24", "VpcPeeringConnectionId": "pcx-1"}
    items[EC2 + "route-table/rtb-far"] = ("aws_ec2_route_table", {
        "RouteTableId": "rtb-far", "VpcId": "vpc-2", "Associations": [{"Main": True}],
        "Routes": [back] if peered else []})  # fmt: skip
    items[EC2 + "route-table/rtb-pub"][1]["Routes"].append(
        {"DestinationCidrBlock": "10.0.1.0/24", "VpcPeeringConnectionId": "pcx-1"})  # fmt: skip
    items[EC2 + "vpc-peering-connection/pcx-1"] = ("aws_ec2_vpc_peering_connection", {
        "VpcPeeringConnectionId": "pcx-1", "Status": {"Code": "active"},
        "AccepterVpcInfo": {"VpcId": "vpc-1"}, "RequesterVpcInfo": {"VpcId": "vpc-2"}})  # fmt: skip
    if not reference:
        items[EC2 + "security-group/sg-back"][1]["IpPermissions"] = [
            permission(8080, 8080, "10.0.0.0/24")
        ]
    return items


@pytest.mark.parametrize("reference", [True, False])
def test_a_target_in_a_peered_network(reference: bool) -> None:
    assert judged(elsewhere(True, reference))[INSTANCE].value == "yes"
    assert judged(elsewhere(False, reference))[INSTANCE].value == "no"
    unread = elsewhere(True, reference)
    del unread[EC2 + "vpc-peering-connection/pcx-1"]
    assert judged(unread)[INSTANCE].value == "unknown"


# One balancer before another

INNER, CHAIN = ELB + "loadbalancer/app/inner/9", ELB + "targetgroup/chain/9"


def chained(*inner: dict[str, Any], port: int = 443) -> Items:
    """A network balancer leads to an internal application balancer, which leads to the instance."""
    items = web()
    items[INNER] = ("aws_elbv2_load_balancer", {
        **items[BALANCER][1], "LoadBalancerArn": INNER, "LoadBalancerName": "inner",
        "Scheme": "internal", "AvailabilityZones": [{"SubnetId": "subnet-priv"}],
        "SecurityGroups": ["sg-inner"]})  # fmt: skip
    items[EC2 + "security-group/sg-inner"] = ("aws_ec2_security_group", {
        "GroupId": "sg-inner", "IpPermissions": list(inner)})  # fmt: skip
    items[EC2 + "security-group/sg-back"][1]["IpPermissions"] = [
        permission(8080, 8080, group="sg-inner")
    ]
    items[BALANCER][1].update({"Type": "network", "describe_listeners": {"Listeners": [
        {"ListenerArn": LISTENER + "n", "Port": 443, "Protocol": "TCP",
         "DefaultActions": [{"Type": "forward", "TargetGroupArn": CHAIN}]}]}})  # fmt: skip
    items[CHAIN] = ("aws_elbv2_target_group", {
        "TargetGroupArn": CHAIN, "TargetType": "alb", "Port": port, "Protocol": "TCP",
        "VpcId": "vpc-1", "describe_target_health": {"TargetHealthDescriptions": [
            {"Target": {"Id": INNER, "Port": port}}]}})  # fmt: skip
    return items


@pytest.mark.parametrize(
    ("items", "value"),
    [
        (chained(permission(443, 443, ANYONE)), "yes"),
        (chained(permission(443, 443, group="sg-front")), "yes"),
        (chained(permission(443, 443, "10.0.0.0/16")), "no"),  # it sees the client's address
        (chained(), "no"),
        (chained(permission(443, 443, ANYONE), port=8443), "no"),
    ],
)
def test_a_balancer_behind_another(items: Items, value: str) -> None:
    found = judged(items)
    assert found[BALANCER].value == "yes"
    assert found[INNER].value == found[INSTANCE].value == value, found[INNER]


# CloudFront

EDGE = "com.amazonaws.global.cloudfront.origin-facing"
DISTRIBUTIONS = "global/cloudfront.list_distributions"
DISTRIBUTION = f"arn:aws:cloudfront::{ACCOUNT}:distribution/D1"


def served(host: str = "web.elb.amazonaws.com", signed: bool = False, **origin: Any) -> Items:
    """A balancer that admits CloudFront's prefix list only, and a distribution that leads to it."""
    items = web()
    items[BALANCER][1]["DNSName"] = "Web.elb.amazonaws.com"
    items[EC2 + "prefix-list/pl-1"] = ("aws_ec2_prefix_list", {
        "PrefixListId": "pl-1", "PrefixListName": EDGE})  # fmt: skip
    front = permission(443, 443) | {"PrefixListIds": [{"PrefixListId": "pl-1"}]}
    items[EC2 + "security-group/sg-front"][1]["IpPermissions"] = [front]
    items[DISTRIBUTION] = ("aws_cloudfront_distribution", {
        "Enabled": True, "DomainName": "d1.cloudfront.net",
        "DefaultCacheBehavior": {"TargetOriginId": "o", "TrustedKeyGroups": {"Enabled": signed}},
        "Origins": {"Items": [{"Id": "o", "DomainName": host, **origin}]}})  # fmt: skip
    return items


def custom(policy: str) -> dict[str, Any]:
    return {"CustomOriginConfig": {
        "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": policy}}  # fmt: skip


def without(uid: str, items: Items) -> Items:
    del items[uid]
    return items


def named(name: str, items: Items) -> Items:
    items[EC2 + "prefix-list/pl-1"][1]["PrefixListName"] = name
    return items


def private(items: Items, service: bool = True) -> Items:
    """The balancer is internal and the origin inside its VPC."""
    items[BALANCER][1].update({"Scheme": "internal", "VpcId": "vpc-1",
                           "AvailabilityZones": [{"SubnetId": "subnet-priv"}]})  # fmt: skip
    if service:
        items[EC2 + "security-group/sg-edge"] = ("aws_ec2_security_group", {
            "GroupId": "sg-edge", "VpcId": "vpc-1", "IpPermissions": [],
            "GroupName": "CloudFront-VPCOrigins-Service-SG"})  # fmt: skip
        items[EC2 + "security-group/sg-front"][1]["IpPermissions"] = [
            permission(443, 443, group="sg-edge")
        ]
    return items


def record(items: Items) -> Items:
    items["dns:origin.example.test"] = ("aws_route53_record", {
        "AliasTarget": {"DNSName": "dualstack.web.elb.amazonaws.com."}})  # fmt: skip
    return items


INSIDE = {"VpcOriginConfig": {"VpcOriginId": "vo-1"}}
SERVED: list[tuple[str, Items, str]] = [
    ("a distribution leads to it", served(), "yes"),
    ("by a name of its own", record(served("origin.example.test")), "yes"),
    ("by a name that leads elsewhere", served("origin.example.test"), "no"),
    ("no distribution", without(DISTRIBUTION, served()), "no"),
    ("it leads elsewhere", served("other.elb.amazonaws.com"), "no"),
    ("it asks for signatures", served(signed=True), "no"),
    ("at the port of the listener", served(**custom("https-only")), "yes"),
    ("at another port", served(**custom("http-only")), "no"),
    ("another list", named("com.amazonaws.eu-west-1.s3", served()), "no"),
    ("in private subnets", without(EC2 + "route-table/rtb-pub", served()), "no"),
    ("inside the VPC", private(served(**INSIDE)), "yes"),
    ("inside the VPC, by the list", private(served(**INSIDE), service=False), "yes"),
    ("internal, but not inside the VPC", private(served()), "no"),
]  # fmt: skip


@pytest.mark.parametrize(("items", "value"), [c[1:] for c in SERVED], ids=[c[0] for c in SERVED])
def test_a_balancer_behind_cloudfront(items: Items, value: str) -> None:
    found = judged(items, DISTRIBUTIONS)
    assert found[BALANCER].value == found[INSTANCE].value == value, found[BALANCER]


def test_distributions_that_nobody_listed() -> None:
    items = without(DISTRIBUTION, served())
    assert judged(items)[BALANCER].value == judged(items)[INSTANCE].value == "unknown"
    items[EC2 + "security-group/sg-front"][1]["IpPermissions"] = [
        permission(443, 443, "10.0.0.0/8")
    ]
    assert judged(items)[BALANCER].value == "no"  # nothing says that CloudFront comes


def test_addresses_that_may_be_cloudfronts() -> None:
    items = served()
    items[EC2 + "security-group/sg-front"][1]["IpPermissions"] = [
        permission(443, 443, "203.0.113.0/24")
    ]
    assert judged(items)[BALANCER].value == "unknown"


@pytest.mark.parametrize(("port", "value"), [(443, "yes"), (22, "no")])
def test_an_instance_behind_cloudfront(port: int, value: str) -> None:
    items = served("ec2-54-1-2-3.compute.amazonaws.com")
    items[INSTANCE][1]["NetworkInterfaces"] = [{
        "SubnetId": "subnet-pub", "Groups": [{"GroupId": "sg-edge"}], "Association": {
            "PublicIp": "54.1.2.3", "PublicDnsName": "ec2-54-1-2-3.compute.amazonaws.com"}}]  # fmt: skip
    items[EC2 + "security-group/sg-edge"] = ("aws_ec2_security_group", {
        "GroupId": "sg-edge", "IpPermissions": [
            permission(port, port) | {"PrefixListIds": [{"PrefixListId": "pl-1"}]}]})  # fmt: skip
    assert judged(items)[INSTANCE].value == value


FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"


@pytest.mark.parametrize(
    ("arn", "host", "value"),
    [
        (DISTRIBUTION, "abc.lambda-url.eu-west-1.on.aws", "yes"),
        (DISTRIBUTION + "other", "abc.lambda-url.eu-west-1.on.aws", "no"),
        (DISTRIBUTION, "xyz.lambda-url.eu-west-1.on.aws", "no"),
    ],
)
def test_a_function_behind_cloudfront(arn: str, host: str, value: str) -> None:
    items = served(host)
    policy = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "lambda:InvokeFunctionUrl", "Resource": FUNCTION,
        "Condition": {"ArnLike": {"AWS:SourceArn": arn}}}]}  # fmt: skip
    items[FUNCTION] = ("aws_lambda_function", {
        "FunctionName": "f", "get_policy": {"Policy": json.dumps(policy)},
        "get_function_url_config": {"AuthType": "AWS_IAM",
                                    "FunctionUrl": "https://abc.lambda-url.eu-west-1.on.aws/"}})  # fmt: skip
    assert judged(items, DISTRIBUTIONS)[FUNCTION].value == value
    if arn != DISTRIBUTION:
        assert judged(items)[FUNCTION].value == "unknown"
    items[FUNCTION][1].pop("get_function_url_config")
    assert judged(items, DISTRIBUTIONS)[FUNCTION].value == "unknown"


@pytest.mark.parametrize(
    ("service", "source", "covered", "value"),
    [
        ("elasticloadbalancing", GROUP, "", "no"),  # the group was read: it does not lead here
        ("elasticloadbalancing", GROUP + "x", "", "unknown"),
        ("elasticloadbalancing", "", "", "unknown"),
        ("elasticloadbalancing", "", "elbv2.describe_target_groups", "no"),
        ("apigateway", f"arn:aws:execute-api:{REGION}:{ACCOUNT}:abc/*/GET/", "", "unknown"),
        ("apigateway", f"arn:aws:execute-api:{REGION}:{ACCOUNT}:api1/*/GET/", "", "no"),
        ("s3", "", "", "no"),
    ],
)
def test_a_function_whose_callers_nobody_read(
    service: str, source: str, covered: str, value: str
) -> None:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "lambda:InvokeFunction",
                                 "Principal": {"Service": f"{service}.amazonaws.com"},
                                 "Resource": FUNCTION}  # fmt: skip
    if source:
        statement["Condition"] = {"ArnLike": {"AWS:SourceArn": source}}
    items = web()
    items[f"arn:aws:apigateway:{REGION}::/restapis/api1"] = ("aws_apigateway_rest_api", {
        "id": "api1", "get_resources": {"items": []}})  # fmt: skip
    items[FUNCTION] = ("aws_lambda_function", {
        "FunctionName": "f", "get_policy": {"Policy": json.dumps({"Statement": [statement]})},
        "get_function_url_config": {"Error": "ResourceNotFoundException"}})  # fmt: skip
    assert judged(items, f"{REGION}/{covered}")[FUNCTION].value == value


def test_a_database_stands_in_a_subnet_of_its_zone() -> None:
    items = database(DBSubnetGroup={"Subnets": [
        {"SubnetIdentifier": "subnet-pub"}, {"SubnetIdentifier": "subnet-priv"}]})  # fmt: skip
    for name, zone in (("pub", "a"), ("priv", "b")):
        items[f"{EC2}subnet/subnet-{name}"][1]["AvailabilityZone"] = REGION + zone
    assert judged(items)[DB].value == "yes"
    items[DB][1]["AvailabilityZone"] = REGION + "b"
    assert judged(items)[DB].value == "no"
    items[DB][1]["SecondaryAvailabilityZone"] = REGION + "a"
    assert judged(items)[DB].value == "yes"
