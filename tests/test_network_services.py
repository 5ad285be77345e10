"""Databases, load balancers and what is behind them: smallest public ones, each condition flipped."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from secinbox.estate import Estate, Item
from secinbox.network import exposure
from secinbox.records import RiskStatement

ACCOUNT, REGION = "111122223333", "eu-west-1"
EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}:"
ELB = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:"
DB = f"arn:aws:rds:{REGION}:{ACCOUNT}:db:orders"
BALANCER, GROUP = ELB + "loadbalancer/app/web/1", ELB + "targetgroup/web/2"
LISTENER = ELB + "listener/app/web/1/3"
INSTANCE, SERVICE = EC2 + "instance/i-1", f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/c/s"
Items = dict[str, tuple[str, dict[str, Any]]]


def permission(
    low: int, high: int, *cidrs: str, group: str = "", protocol: str = "tcp"
) -> dict[str, Any]:
    return {
        "IpProtocol": protocol, "FromPort": low, "ToPort": high,
        "IpRanges": [{"CidrIp": c} for c in cidrs if ":" not in c],
        "Ipv6Ranges": [{"CidrIpv6": c} for c in cidrs if ":" in c],
        "UserIdGroupPairs": [{"GroupId": group}] if group else [],
    }  # fmt: skip


def network() -> Items:
    """A public subnet, a private one, an ACL that lets all pass, groups for front and back."""
    return {
        EC2 + "subnet/subnet-pub": ("aws_ec2_subnet", {
            "SubnetId": "subnet-pub", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24"}),
        EC2 + "subnet/subnet-priv": ("aws_ec2_subnet", {
            "SubnetId": "subnet-priv", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24"}),
        EC2 + "route-table/rtb-pub": ("aws_ec2_route_table", {
            "RouteTableId": "rtb-pub", "VpcId": "vpc-1", "Associations": [{"SubnetId": "subnet-pub"}],
            "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}]}),
        EC2 + "route-table/rtb-main": ("aws_ec2_route_table", {
            "RouteTableId": "rtb-main", "VpcId": "vpc-1", "Associations": [{"Main": True}],
            "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}]}),
        EC2 + "network-acl/acl-1": ("aws_ec2_network_acl", {
            "NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": True, "Associations": [],
            "Entries": [{"RuleNumber": 100, "Egress": e, "RuleAction": "allow", "Protocol": "-1",
                         "CidrBlock": "0.0.0.0/0"} for e in (True, False)]}),
        EC2 + "security-group/sg-front": ("aws_ec2_security_group", {
            "GroupId": "sg-front", "IpPermissions": [permission(443, 443, "0.0.0.0/0")]}),
        EC2 + "security-group/sg-back": ("aws_ec2_security_group", {
            "GroupId": "sg-back", "IpPermissions": [permission(8080, 8080, group="sg-front")]}),
        EC2 + "security-group/sg-db": ("aws_ec2_security_group", {
            "GroupId": "sg-db", "IpPermissions": [permission(5432, 5432, "0.0.0.0/0")]}),
    }  # fmt: skip


def judged(items: Items, *covered: str) -> dict[str, RiskStatement]:
    """covered: `eu-west-1/ec2.describe_instances`, lists that were read completely."""
    estate = Estate()
    estate.covered |= {f"aws:{ACCOUNT}/{c}" for c in covered}
    for uid, (kind, config) in items.items():
        name = str(config.get("InstanceId") or uid.rpartition("/")[2])
        estate.add(Item(uid, kind, name, "aws", ACCOUNT, REGION, {}, config), [name])
    return {s.resource: s for s in exposure(estate)}


# Databases


def database(**more: Any) -> Items:
    items = network()
    items[DB] = ("aws_rds_instance", {
        "DBInstanceIdentifier": "orders", "PubliclyAccessible": True, "Endpoint": {"Port": 5432},
        "DBInstanceStatus": "available",
        "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-db"}],
        "DBSubnetGroup": {"Subnets": [{"SubnetIdentifier": "subnet-pub"}]}, **more})  # fmt: skip
    return items


def _db_rules(*permissions: dict[str, Any]) -> Callable[[Items], None]:
    def change(items: Items) -> None:
        items[EC2 + "security-group/sg-db"][1]["IpPermissions"] = list(permissions)

    return change


def _db(**more: Any) -> Callable[[Items], None]:
    return lambda items: items[DB][1].update(more)


def _db_drop(key: str) -> Callable[[Items], None]:
    def change(items: Items) -> None:
        del items[key]

    return change


def _acl(
    action: str, low: int, high: int, number: int = 50, cidr: str = "0.0.0.0/0"
) -> Callable[[Items], None]:
    def change(items: Items) -> None:
        items[EC2 + "network-acl/acl-1"][1]["Entries"].append(
            {"RuleNumber": number, "Egress": False, "RuleAction": action, "Protocol": "6",
             "CidrBlock": cidr, "PortRange": {"From": low, "To": high}})  # fmt: skip

    return change


def _private_group(*subnets: str) -> Callable[[Items], None]:
    return _db(DBSubnetGroup={"Subnets": [{"SubnetIdentifier": s} for s in subnets]})


DATABASES: list[tuple[str, Callable[[Items], None], str, str]] = [
    ("smallest", lambda i: None, "yes", "port 5432"),
    ("not publicly accessible", _db(PubliclyAccessible=False), "no", "PubliclyAccessible"),
    ("flag unread", lambda i: i[DB][1].pop("PubliclyAccessible"), "unknown", "PubliclyAccessible"),
    ("stopped", _db(DBInstanceStatus="stopped"), "no", "stopped"),
    ("another port open", _db_rules(permission(3306, 3306, "0.0.0.0/0")), "no", "port 5432"),
    ("it listens elsewhere", _db(Endpoint={"Port": 6543}), "no", "port 6543"),
    ("private network only", _db_rules(permission(5432, 5432, "10.0.0.0/8")), "no", "10.0.0.0/8"),
    ("one network only", _db_rules(permission(5432, 5432, "203.0.113.0/24")), "no", "203.0.113.0/24"),
    ("two halves", _db_rules(permission(5432, 5432, "0.0.0.0/1", "128.0.0.0/1")), "yes", ""),
    ("a range of ports", _db_rules(permission(5000, 6000, "0.0.0.0/0")), "yes", ""),
    ("udp only", _db_rules(permission(5432, 5432, "0.0.0.0/0", protocol="udp")), "no", ""),
    ("group reference only", _db_rules(permission(5432, 5432, group="sg-front")), "no", ""),
    ("private subnets", _private_group("subnet-priv"), "no", "rtb-main"),
    ("one of two subnets is public", _private_group("subnet-priv", "subnet-pub"), "yes", "subnet-pub"),
    ("ACL denies the port", _acl("deny", 5432, 5432), "no", "acl-1"),
    ("ACL denies another port", _acl("deny", 22, 22), "yes", ""),
    ("group unread", _db_drop(EC2 + "security-group/sg-db"), "unknown", "sg-db"),
    ("subnet unread", _db_drop(EC2 + "subnet/subnet-pub"), "unknown", "subnet-pub"),
    ("subnet group unread", lambda i: i[DB][1].pop("DBSubnetGroup"), "unknown", "subnet group"),
    ("subnet group unread, but the group closes it", lambda i: (
        i[DB][1].pop("DBSubnetGroup"), _db_rules(permission(5432, 5432, "10.0.0.0/8"))(i)), "no",
     "10.0.0.0/8"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "value", "text"), [c[1:] for c in DATABASES], ids=[c[0] for c in DATABASES]
)
def test_database(change: Callable[[Items], None], value: str, text: str) -> None:
    items = database()
    change(items)
    found = judged(items)[DB]
    assert found.value == value, found
    assert text in " ".join(e.text for e in found.evidence)


def test_an_instance_of_the_same_name_elsewhere_is_not_of_the_cluster() -> None:
    near, far = (f"arn:aws:rds:{r}:{ACCOUNT}:" for r in (REGION, "us-east-1"))
    items = database(DBInstanceIdentifier="one")
    items[near + "db:one"] = items.pop(DB)
    items[far + "cluster:c"] = ("aws_rds_cluster", {
        "DBClusterMembers": [{"DBInstanceIdentifier": "one"}]})  # fmt: skip
    estate = Estate()
    for uid, (kind, config) in items.items():
        estate.add(Item(uid, kind, uid, "aws", ACCOUNT, uid.split(":")[3], {}, config))
    found = {s.resource: s.value for s in exposure(estate)}
    assert found[near + "db:one"] == "yes" and found[far + "cluster:c"] == "unknown"


def test_a_cluster_is_as_public_as_its_instances() -> None:
    cluster = f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:orders"
    items = database()
    items[cluster] = ("aws_rds_cluster", {"DBClusterMembers": [{"DBInstanceIdentifier": "orders"}]})
    assert judged(items)[cluster].value == "yes"
    items[DB][1]["PubliclyAccessible"] = False
    assert judged(items)[cluster].value == "no"
    items[cluster][1]["DBClusterMembers"].append({"DBInstanceIdentifier": "unread"})
    assert judged(items)[cluster].value == "unknown"
    items[cluster] = ("aws_rds_cluster", {"DBClusterMembers": []})
    assert judged(items)[cluster].value == "no"
    items[cluster] = ("aws_rds_cluster", {"DBClusterIdentifier": "orders"})
    assert judged(items)[cluster].value == "unknown"


# Load balancers


def web(kind: str = "application") -> Items:
    """An internet-facing balancer, one listener, one target in a private subnet."""
    items = network()
    items[BALANCER] = ("aws_elbv2_load_balancer", {
        "LoadBalancerArn": BALANCER, "LoadBalancerName": "web", "Scheme": "internet-facing",
        "Type": kind, "State": {"Code": "active"}, "SecurityGroups": ["sg-front"],
        "AvailabilityZones": [{"SubnetId": "subnet-pub"}],
        "describe_listeners": {"Listeners": [{
            "ListenerArn": LISTENER, "Port": 443, "Protocol": "HTTPS" if kind == "application" else "TCP",
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": GROUP}]}]}})  # fmt: skip
    items[GROUP] = ("aws_elbv2_target_group", {
        "TargetGroupArn": GROUP, "TargetType": "instance", "Port": 8080, "VpcId": "vpc-1",
        "describe_target_health": {"TargetHealthDescriptions": [
            {"Target": {"Id": "i-1", "Port": 8080}, "TargetHealth": {"State": "healthy"}}]}})  # fmt: skip
    items[INSTANCE] = ("aws_ec2_instance", {
        "InstanceId": "i-1", "State": {"Name": "running"},
        "NetworkInterfaces": [{"SubnetId": "subnet-priv", "VpcId": "vpc-1",
                               "PrivateIpAddress": "10.0.1.5", "Groups": [{"GroupId": "sg-back"}]}]})  # fmt: skip
    return items


def _lb(**more: Any) -> Callable[[Items], None]:
    return lambda items: items[BALANCER][1].update(more)


def _listeners(*listeners: dict[str, Any]) -> Callable[[Items], None]:
    return _lb(describe_listeners={"Listeners": list(listeners)})


def _front(*permissions: dict[str, Any]) -> Callable[[Items], None]:
    def change(items: Items) -> None:
        items[EC2 + "security-group/sg-front"][1]["IpPermissions"] = list(permissions)

    return change


def _back(*permissions: dict[str, Any]) -> Callable[[Items], None]:
    def change(items: Items) -> None:
        items[EC2 + "security-group/sg-back"][1]["IpPermissions"] = list(permissions)

    return change


def _health(*targets: dict[str, Any], state: str = "healthy") -> Callable[[Items], None]:
    def change(items: Items) -> None:
        items[GROUP][1]["describe_target_health"] = {
            "TargetHealthDescriptions": [
                {"Target": t, "TargetHealth": {"State": state}} for t in targets
            ]
        }

    return change


def _rule(items: Items) -> None:
    _listeners({"ListenerArn": LISTENER, "Port": 443, "Protocol": "HTTPS",
                "DefaultActions": [{"Type": "fixed-response"}]})(items)  # fmt: skip
    items[LISTENER] = ("aws_elbv2_listener", {"describe_rules": {"Rules": [
        {"Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": [
            {"TargetGroupArn": GROUP, "Weight": 1}]}}]}]}})  # fmt: skip


def _fixed(items: Items) -> None:
    _rule(items)
    items[LISTENER][1]["describe_rules"] = {"Rules": []}


def _rules_unread(items: Items) -> None:
    _rule(items)
    del items[LISTENER]


def _ip_target(items: Items) -> None:
    items[GROUP][1]["TargetType"] = "ip"
    _health({"Id": "10.0.1.5", "Port": 8080})(items)
    items[EC2 + "network-interface/eni-1"] = ("aws_ec2_network_interface", {
        "NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "PrivateIpAddress": "10.0.1.5",
        "Attachment": {"InstanceId": "i-1"}})  # fmt: skip


def _scaled(items: Items) -> None:
    _health()(items)
    items[f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:x:autoScalingGroupName/a"] = (
        "aws_autoscaling_group", {"TargetGroupARNs": [GROUP], "Instances": [{"InstanceId": "i-1"}]})  # fmt: skip


# (what, change, value of the balancer, value of the instance)
BALANCERS: list[tuple[str, Callable[[Items], None], str, str]] = [
    ("smallest", lambda i: None, "yes", "yes"),
    ("internal", _lb(Scheme="internal"), "no", "no"),
    ("scheme unread", _lb(Scheme=None), "unknown", "unknown"),
    ("failed", _lb(State={"Code": "failed"}), "no", "no"),
    ("group private", _front(permission(443, 443, "10.0.0.0/8")), "no", "no"),
    ("group opens another port", _front(permission(80, 80, "0.0.0.0/0")), "no", "no"),
    ("two halves", _front(permission(443, 443, "0.0.0.0/1", "128.0.0.0/1")), "yes", "yes"),
    ("in private subnets", _lb(AvailabilityZones=[{"SubnetId": "subnet-priv"}]), "no", "no"),
    ("ACL denies the listener", _acl("deny", 443, 443), "no", "no"),
    ("ACL denies the target's port from the balancer", _acl("deny", 8080, 8080), "yes", "no"),
    ("no listener", _listeners(), "no", "no"),
    ("listeners unread", lambda i: i[BALANCER][1].pop("describe_listeners"), "unknown", "unknown"),
    ("listeners unread, of its own group", lambda i: (
        i[BALANCER][1].pop("describe_listeners"), i[GROUP][1].update(LoadBalancerArns=[BALANCER])),
     "unknown", "unknown"),
    ("a group of a balancer that was not read", lambda i: (
        i.pop(BALANCER), i[GROUP][1].update(LoadBalancerArns=[BALANCER])), "", "unknown"),
    ("forward by a rule", _rule, "yes", "yes"),
    ("rules unread", _rules_unread, "yes", "unknown"),
    ("the group unread", lambda i: i.pop(GROUP), "yes", "unknown"),
    ("fixed response only", _fixed, "yes", "no"),
    ("not registered", _health(), "yes", "no"),
    ("draining", _health({"Id": "i-1", "Port": 8080}, state="draining"), "yes", "no"),
    ("unhealthy still counts", _health({"Id": "i-1", "Port": 8080}, state="unhealthy"), "yes", "yes"),
    ("target's group admits others only", _back(permission(8080, 8080, group="sg-other")), "yes", "no"),
    ("target's group admits another port", _back(permission(22, 22, group="sg-front")), "yes", "no"),
    ("target's group admits the VPC", _back(permission(8080, 8080, "10.0.0.0/16")), "yes", "yes"),
    ("target's group admits another subnet", _back(permission(8080, 8080, "10.0.9.0/24")), "yes", "no"),
    ("target on another port", _health({"Id": "i-1", "Port": 9090}), "yes", "no"),
    ("target stopped", lambda i: i[INSTANCE][1].update(State={"Name": "stopped"}), "yes", "no"),
    ("by address", _ip_target, "yes", "yes"),
    ("by a scaling group", _scaled, "yes", "yes"),
    ("front group unread", _db_drop(EC2 + "security-group/sg-front"), "unknown", "unknown"),
    ("back group unread", _db_drop(EC2 + "security-group/sg-back"), "yes", "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "balancer", "instance"), [c[1:] for c in BALANCERS], ids=[c[0] for c in BALANCERS]
)
def test_balancer_and_target(change: Callable[[Items], None], balancer: str, instance: str) -> None:
    items = web()
    change(items)
    found = judged(items)
    assert not balancer or found[BALANCER].value == balancer, found[BALANCER]
    assert found[INSTANCE].value == instance, found[INSTANCE]


def test_listeners_unread_of_a_balancer_without_groups() -> None:
    items = web()
    items[GROUP][1]["LoadBalancerArns"] = []
    items[BALANCER][1].pop("describe_listeners")
    assert judged(items)[INSTANCE].value == "unknown"
    assert judged(items, f"{REGION}/elbv2.describe_target_groups")[INSTANCE].value == "no"


@pytest.mark.parametrize(
    ("lists", "change", "value"),
    [
        ([], lambda i: None, "no"),  # nobody listed the machines: nothing to compare with
        (["ec2.describe_instances"], lambda i: None, "unknown"),
        (["ec2.describe_instances", "elbv2.describe_load_balancers"], lambda i: None, "unknown"),
        (["ec2.describe_instances", "elbv2.describe_load_balancers", "elb.describe_load_balancers"],
         lambda i: None, "no"),
        (["ec2.describe_instances"], lambda i: _back()(i), "no"),  # its groups let nobody in
        (["ec2.describe_instances"], lambda i: i[INSTANCE][1].update(State={"Name": "stopped"}), "no"),
    ],
)  # fmt: skip
def test_a_machine_whose_balancers_nobody_listed(
    lists: list[str], change: Callable[[Items], None], value: str
) -> None:
    items = web()
    del items[BALANCER], items[GROUP]
    change(items)
    assert judged(items, *(f"{REGION}/{call}" for call in lists))[INSTANCE].value == value


def test_the_way_to_a_target_is_told_in_order() -> None:
    evidence = judged(web())[INSTANCE].evidence[0]
    assert evidence.steps == ("Internet", "igw-1", "web https:443", "i-1:8080")


def attribute(**more: str) -> dict[str, Any]:
    return {"Attributes": [{"Key": k.replace("__", "."), "Value": v} for k, v in more.items()]}


KEPT, LOST = (attribute(preserve_client_ip__enabled=v) for v in ("true", "false"))
VPC = permission(8080, 8080, "10.0.0.0/16")


@pytest.mark.parametrize(
    ("groups", "back", "group", "value"),
    [
        (["sg-front"], permission(8080, 8080, group="sg-front"), {}, "yes"),
        ([], permission(8080, 8080, "0.0.0.0/0"), {}, "yes"),
        ([], VPC, {"describe_target_group_attributes": KEPT}, "no"),  # the client's address stays
        ([], VPC, {"describe_target_group_attributes": LOST}, "yes"),
        ([], VPC, {}, "unknown"),  # nobody read whether it stays
        ([], permission(22, 22, "0.0.0.0/0"), {}, "no"),
        # Where both protocols are taken he stays whatever is written, and either is a way in.
        ([], VPC, {"Protocol": "TCP_UDP", "describe_target_group_attributes": LOST}, "no"),
        ([], permission(8080, 8080, "0.0.0.0/0", protocol="udp"), {"Protocol": "TCP_UDP"}, "yes"),
        ([], permission(8080, 8080, "0.0.0.0/0", protocol="udp"), {"Protocol": "TCP"}, "no"),
    ],
)
def test_a_network_balancer_keeps_the_client(
    groups: list[str], back: dict[str, Any], group: dict[str, Any], value: str
) -> None:
    items = web("network")
    _lb(SecurityGroups=groups)(items)
    _back(back)(items)
    items[GROUP][1].update(group)
    found = judged(items)
    assert found[BALANCER].value == "yes"
    assert found[INSTANCE].value == value, found[INSTANCE]


def service(public_address: str = "DISABLED") -> Items:
    items = web()
    _health({"Id": "10.0.1.9", "Port": 8080})(items)
    items[GROUP][1]["TargetType"] = "ip"
    items[SERVICE] = ("aws_ecs_service", {
        "serviceArn": SERVICE, "status": "ACTIVE", "desiredCount": 1,
        "loadBalancers": [{"targetGroupArn": GROUP, "containerPort": 8080}],
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": ["subnet-pub" if public_address == "ENABLED" else "subnet-priv"],
            "securityGroups": ["sg-back"], "assignPublicIp": public_address}}})  # fmt: skip
    return items


def test_a_service_behind_a_balancer_or_with_its_own_address() -> None:
    assert judged(service())[SERVICE].value == "yes"
    closed = service()
    _lb(Scheme="internal")(closed)
    assert judged(closed)[SERVICE].value == "no"
    alone = service("ENABLED")
    _lb(Scheme="internal")(alone)
    assert judged(alone)[SERVICE].value == "no"  # its group admits only the balancer
    _back(permission(8080, 8080, "0.0.0.0/0"))(alone)
    assert judged(alone)[SERVICE].value == "yes"
    inactive = deepcopy(service())
    inactive[SERVICE][1]["status"] = "INACTIVE"
    assert judged(inactive)[SERVICE].value == "no"


def test_a_service_whose_group_was_not_read() -> None:
    items = service()
    del items[GROUP]
    assert judged(items)[SERVICE].value == "unknown"


def test_a_classic_balancer() -> None:
    uid = ELB + "loadbalancer/old"
    items = web()
    del items[BALANCER], items[GROUP]
    items[uid] = ("aws_elb_load_balancer", {
        "LoadBalancerName": "old", "Scheme": "internet-facing", "Subnets": ["subnet-pub"],
        "SecurityGroups": ["sg-front"], "Instances": [{"InstanceId": "i-1"}],
        "ListenerDescriptions": [{"Listener": {"LoadBalancerPort": 443, "InstancePort": 8080}}]})  # fmt: skip
    assert judged(items)[uid].value == "yes"
    assert judged(items)[INSTANCE].value == "yes"
    items[uid][1]["Scheme"] = "internal"
    assert judged(items)[uid].value == "no"
    assert judged(items)[INSTANCE].value == "no"


def test_subnets() -> None:
    found = judged(network())
    assert found[EC2 + "subnet/subnet-pub"].value == "yes"
    assert found[EC2 + "subnet/subnet-priv"].value == "no"
