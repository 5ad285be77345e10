"""Configuration items by type: which calls would have answered so, and what they would have said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

_MAX_DEPTH = 30
_GROUPS = "http://acs.amazonaws.com/groups/global/"
_PERMISSIONS = {"Read": "READ", "Write": "WRITE", "FullControl": "FULL_CONTROL",
                "ReadAcp": "READ_ACP", "WriteAcp": "WRITE_ACP"}  # fmt: skip
Answered = Iterator[tuple[str, dict[str, Any], dict[str, Any]]]  # operation, response, request


@dataclass(frozen=True)
class Item:
    """One configuration item. `more`: the supplementary configuration."""

    kind: str
    id: str
    name: str = ""
    arn: str = ""
    account: str = ""
    region: str = ""
    partition: str = "aws"
    status: str = ""
    time: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    place: str = "$"

    def described(self) -> dict[str, Any]:
        """The fields as the API names them, with the item's tags."""
        found: dict[str, Any] = pascal(self.values)
        if self.tags or not isinstance(found.get("Tags"), list):
            # An item always tells its tags: none is an answer too.
            found["Tags"] = [{"Key": k, "Value": v} for k, v in self.tags.items()]
        return found


# Names that begin with letters of a short form are written in small letters together.
_SHORT = re.compile(
    r"(db|vpc|dns|sse|kms|ebs|iam)(cluster|instance|snapshot|subnet|parameter|security|options|id|name|"
    r"description|master|database)(?=[A-Z]|s?$|Key)"
)


def _capital(key: str) -> str:
    short = _SHORT.match(key)
    if short is not None:
        return short.group(1).upper() + short.group(2).title() + key[short.end() :]
    return key[:1].upper() + key[1:]


def pascal(value: Any, depth: int = 0) -> Any:
    """Keys with a capital first letter; texts and numbers as they are."""
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {_capital(k): pascal(v, depth + 1) for k, v in value.items() if isinstance(k, str)}
    if isinstance(value, list):
        # Some lists of texts are written as lists of objects with nothing but a value.
        return [v["value"] if isinstance(v, dict) and v.keys() == {"value"} else pascal(v, depth + 1)
                for v in value]  # fmt: skip
    return value


def in_list(operation: str, key: str) -> Callable[[Item], Answered]:
    """One element of the list that a call answers."""

    def made(item: Item) -> Answered:
        yield operation, {key: [item.described()]}, {}

    return made


def _instance(item: Item) -> Answered:
    found = {"OwnerId": item.account, "Instances": [item.described()]}
    yield "ec2.describe_instances", {"Reservations": [found]}, {}


def _group(item: Item) -> Answered:
    found = item.described()
    for permission in found.get("IpPermissions") or []:
        # The same ranges twice: as texts, and as objects under another name.
        if isinstance(permission, dict) and "Ipv4Ranges" in permission:
            permission["IpRanges"] = permission.pop("Ipv4Ranges")
        elif isinstance(permission, dict) and isinstance(permission.get("IpRanges"), list):
            permission["IpRanges"] = [
                {"CidrIp": r} if isinstance(r, str) else r for r in permission["IpRanges"]
            ]
    yield "ec2.describe_security_groups", {"SecurityGroups": [found]}, {}


def _peering(item: Item) -> Answered:
    found = item.described()
    if isinstance(found.get("Status"), str):
        found["Status"] = {"Code": found["Status"]}
    yield "ec2.describe_vpc_peering_connections", {"VpcPeeringConnections": [found]}, {}


def _principal(key: str) -> Callable[[Item], Answered]:
    def made(item: Item) -> Answered:
        found = item.described()
        if found.get("Arn"):
            yield "iam.get_account_authorization_details", {key: [found]}, {}

    return made


def _function(item: Item) -> Answered:
    found = item.described()
    arn = str(found.get("FunctionArn") or item.arn)
    yield "lambda.list_functions", {"Functions": [found]}, {}
    policy = item.more.get("Policy")
    if policy:
        yield "lambda.get_policy", {"Policy": text_of(policy)}, {"FunctionName": arn}


def _key(item: Item) -> Answered:
    found = item.described()
    yield "kms.describe_key", {"KeyMetadata": found}, {"KeyId": item.id}
    policy = item.more.get("Policy")
    if policy:
        yield "kms.get_key_policy", {"Policy": text_of(policy)}, {"KeyId": item.arn or item.id}


def _topic(item: Item) -> Answered:
    if item.arn:
        attributes = {**item.values, "TopicArn": item.arn}
        yield "sns.get_topic_attributes", {"Attributes": attributes}, {"TopicArn": item.arn}


def _bucket(item: Item) -> Answered:
    name = str(item.values.get("name") or item.name or item.id)
    asked = {"Bucket": name}
    tags = [{"Key": k, "Value": v} for k, v in item.tags.items()]
    yield "s3.list_buckets", {"Buckets": [{"Name": name, "Tags": tags}]}, {}
    policy = item.more.get("BucketPolicy")
    if isinstance(policy, dict) and "policyText" in policy:
        text = policy["policyText"]
        said = {"Policy": text_of(text)} if text else {"Error": "NoSuchBucketPolicy"}
        yield "s3.get_bucket_policy", said, asked
    block = item.more.get("PublicAccessBlockConfiguration")
    if isinstance(block, dict):
        yield "s3.get_public_access_block", {"PublicAccessBlockConfiguration": pascal(block)}, asked
    acl = item.more.get("AccessControlList")
    if isinstance(acl, dict) and isinstance(acl.get("grantList"), list):
        grants = [
            {"Grantee": {"Type": "Group", "URI": _GROUPS + str(g["grantee"])},
             "Permission": _PERMISSIONS.get(str(g.get("permission")), str(g.get("permission")))}
            for g in acl["grantList"]
            if isinstance(g, dict) and g.get("grantee") in ("AllUsers", "AuthenticatedUsers")
        ]  # fmt: skip
        yield "s3.get_bucket_acl", {"Owner": {}, "Grants": grants}, asked


def text_of(value: Any) -> str:
    """A document as text."""
    return value if isinstance(value, str) else json.dumps(value)


TYPES: dict[str, Callable[[Item], Answered]] = {
    "AWS::EC2::Instance": _instance,
    "AWS::EC2::SecurityGroup": _group,
    "AWS::EC2::NetworkInterface": in_list("ec2.describe_network_interfaces", "NetworkInterfaces"),
    "AWS::EC2::Subnet": in_list("ec2.describe_subnets", "Subnets"),
    "AWS::EC2::VPC": in_list("ec2.describe_vpcs", "Vpcs"),
    "AWS::EC2::RouteTable": in_list("ec2.describe_route_tables", "RouteTables"),
    "AWS::EC2::NetworkAcl": in_list("ec2.describe_network_acls", "NetworkAcls"),
    "AWS::EC2::InternetGateway": in_list("ec2.describe_internet_gateways", "InternetGateways"),
    "AWS::EC2::NatGateway": in_list("ec2.describe_nat_gateways", "NatGateways"),
    "AWS::EC2::EIP": in_list("ec2.describe_addresses", "Addresses"),
    "AWS::EC2::VPCPeeringConnection": _peering,
    "AWS::ElasticLoadBalancing::LoadBalancer": in_list(
        "elb.describe_load_balancers", "LoadBalancerDescriptions"
    ),
    "AWS::EC2::Volume": in_list("ec2.describe_volumes", "Volumes"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": in_list(
        "elbv2.describe_load_balancers", "LoadBalancers"
    ),
    "AWS::RDS::DBInstance": in_list("rds.describe_db_instances", "DBInstances"),
    "AWS::RDS::DBCluster": in_list("rds.describe_db_clusters", "DBClusters"),
    "AWS::Redshift::Cluster": in_list("redshift.describe_clusters", "Clusters"),
    "AWS::CloudTrail::Trail": in_list("cloudtrail.describe_trails", "trailList"),
    "AWS::Lambda::Function": _function,
    "AWS::KMS::Key": _key,
    "AWS::SNS::Topic": _topic,
    "AWS::S3::Bucket": _bucket,
    "AWS::IAM::User": _principal("UserDetailList"),
    "AWS::IAM::Group": _principal("GroupDetailList"),
    "AWS::IAM::Role": _principal("RoleDetailList"),
    "AWS::IAM::Policy": _principal("Policies"),
}
