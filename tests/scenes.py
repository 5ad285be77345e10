"""Small estates for attack paths, written a part at a time; everything else is the real thing."""

from __future__ import annotations

import json
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.network import exposure
from secinbox.paths import routes
from secinbox.paths.world import Alarm, Leak, Weakness, World
from secinbox.records import Evidence
from tests.accounts import A, Account, allow, aws, service
from tests.test_network_kubernetes import Object
from tests.test_network_kubernetes import estate as cluster

R = "eu-west-1"
EC2 = f"arn:aws:ec2:{R}:{A}:"
ROOT = f"arn:aws:iam::{A}:root"
ANYONE = "0.0.0.0/0"
READ_ALL = ("Service", "Ingress", "Pod", "Deployment", "Node", "NetworkPolicy", "Namespace",
            "ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding",
            "Secret")  # fmt: skip

__all__ = ["ANYONE", "EC2", "ROOT", "A", "R", "Scene", "allow", "aws", "service", "vulnerability"]


def vulnerability(name: str = "CVE-2021-44228", **more: Any) -> Weakness:
    """Remote code execution without privileges, exploited in the wild, unless said otherwise."""
    values: dict[str, Any] = {
        "finding": f"f-{name}", "type": "library_vulnerability", "rule": name, "title": name,
        "severity": 5, "vulnerability": name, "package": "log4j-core", "fix": "2.17.1",
        "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "maturity": 3, "epss": 0.97,
        "resource": "image:app", "tools": "trivy",
    }  # fmt: skip
    return Weakness(**{**values, **more})


class Scene(Account):
    """An account with a network, and what scanners and sensors say of it."""

    def __init__(self) -> None:
        super().__init__()
        self.relations: list[tuple[str, str, str]] = []
        self.weak: dict[str, list[Weakness]] = {}
        self.leaks: list[Leak] = []
        self.alarms: list[Alarm] = []
        self.pipelines: list[Weakness] = []
        self.repositories: list[str] = []
        self.breached: list[str] = []
        self.holders: dict[str, list[str]] = {}
        self.objects: list[Object] = []
        self.said_public: dict[str, list[Evidence]] = {}
        self.add(ROOT, "aws_account", {
            "s3control": {"Error": "NoSuchPublicAccessBlockConfiguration"}})  # fmt: skip
        self.add(EC2 + "vpc/vpc-1", "aws_ec2_vpc", {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"})
        for name, gateway in (("public", "igw-1"), ("private", "nat-1")):
            self.add(f"{EC2}subnet/{name}", "aws_ec2_subnet",
                     {"SubnetId": name, "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24"})  # fmt: skip
            route = {"DestinationCidrBlock": ANYONE, "State": "active"}
            route["GatewayId" if gateway == "igw-1" else "NatGatewayId"] = gateway
            self.add(f"{EC2}route-table/{name}", "aws_ec2_route_table", {
                "RouteTableId": name, "VpcId": "vpc-1", "Associations": [{"SubnetId": name}],
                "Routes": [route]})  # fmt: skip
        self.add(f"{EC2}internet-gateway/igw-1", "aws_ec2_internet_gateway", {
            "InternetGatewayId": "igw-1",
            "Attachments": [{"VpcId": "vpc-1", "State": "available"}]})  # fmt: skip
        entries = [{"RuleNumber": 100, "Egress": e, "RuleAction": "allow", "Protocol": "-1",
                    "CidrBlock": ANYONE} for e in (False, True)]  # fmt: skip
        self.add(f"{EC2}network-acl/acl-1", "aws_ec2_network_acl", {
            "NetworkAclId": "acl-1", "VpcId": "vpc-1", "Entries": entries,
            "Associations": [{"SubnetId": "public"}, {"SubnetId": "private"}]})  # fmt: skip

    def group(self, name: str, *rules: Any) -> Scene:
        """A security group; a rule is (port, cidr) or (port, "sg:NAME")."""
        if rules and isinstance(rules[0], dict):
            super().group(name, *rules)
            return self
        permissions = []
        for port, source in rules:
            other = source.removeprefix("sg:") if source.startswith("sg:") else ""
            permissions.append({
                "IpProtocol": "tcp", "FromPort": port, "ToPort": port,
                "IpRanges": [] if other else [{"CidrIp": source}], "Ipv6Ranges": [],
                "PrefixListIds": [],
                "UserIdGroupPairs": [{"GroupId": other}] if other else [],
            })  # fmt: skip
        self.add(f"{EC2}security-group/{name}", "aws_ec2_security_group",
                 {"GroupId": name, "VpcId": "vpc-1", "IpPermissions": permissions})  # fmt: skip
        return self

    def instance(self, name: str = "web", role: str = "", *, port: int = 443, source: str = ANYONE,
                 public: bool = True, groups: tuple[str, ...] = (), state: str = "running",
                 **more: Any) -> Scene:  # fmt: skip
        """An EC2 instance with a group of its own, `sg-NAME`, that admits source to port."""
        if not groups:
            self.group(f"sg-{name}", (port, source))
            groups = (f"sg-{name}",)
        interface: dict[str, Any] = {
            "NetworkInterfaceId": f"eni-{name}", "SubnetId": "public" if public else "private",
            "VpcId": "vpc-1", "PrivateIpAddress": f"10.0.0.{10 + len(self.items) % 200}",
            "Groups": [{"GroupId": g} for g in groups], "Ipv6Addresses": [],
        }  # fmt: skip
        if public:
            interface["Association"] = {"PublicIp": f"54.1.2.{len(self.items) % 250}"}
        uid = f"{EC2}instance/i-{name}"
        self.add(uid, "aws_ec2_instance", {
            "InstanceId": f"i-{name}", "State": {"Name": state},
            "NetworkInterfaces": [interface], **more}, {"Name": name})  # fmt: skip
        if role:
            self.relations.append((uid, "has_identity", f"arn:aws:iam::{A}:role/{role}"))
        return self

    def function(self, name: str, role: str, **more: Any) -> Scene:
        uid = f"arn:aws:lambda:{R}:{A}:function:{name}"
        self.add(uid, "aws_lambda_function", {"FunctionArn": uid, "FunctionName": name,
                 "Role": f"arn:aws:iam::{A}:role/{role}", **more})  # fmt: skip
        self.relations.append((uid, "has_identity", f"arn:aws:iam::{A}:role/{role}"))
        return self

    def bucket(self, name: str = "data", *statements: dict[str, Any],
               tags: dict[str, str] | None = None, **more: Any) -> Scene:  # fmt: skip
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        policy = {"Policy": document} if statements else {"Error": "NoSuchBucketPolicy"}
        self.add(f"arn:aws:s3:::{name}", "aws_s3_bucket", {
            "Name": name, "get_bucket_policy": policy, "get_bucket_acl": {"Grants": []},
            "get_public_access_block": {"Error": "NoSuchPublicAccessBlockConfiguration"},
            "get_bucket_ownership_controls": {"Error": "OwnershipControlsNotFoundError"}, **more,
        }, {"data_class": "restricted"} if tags is None else tags)  # fmt: skip
        self.items[-1].account = A
        return self

    def secret(self, name: str = "token", **config: Any) -> Scene:
        uid = f"arn:aws:secretsmanager:{R}:{A}:secret:{name}-AbCdEf"
        self.add(uid, "aws_secretsmanager_secret", {
            "Name": name, "ARN": uid, "get_resource_policy": {"ARN": uid}, **config})  # fmt: skip
        return self

    def key(self, identifier: str, user: str, status: str = "Active") -> Scene:
        self.items.append(Item(f"accesskey:{identifier}", "aws_iam_access_key", identifier, "aws",
                               A, "", {}, {"AccessKeyId": identifier, "Status": status}))  # fmt: skip
        self.relations.append(
            (f"accesskey:{identifier}", "has_identity", f"arn:aws:iam::{A}:user/{user}")
        )
        return self

    def weakness(self, uid: str, weakness: Weakness | None = None) -> Scene:
        self.weak.setdefault(uid, []).append(weakness or vulnerability())
        return self

    def leak(self, identifier: str, where: str = "repo:github.com/acme/shop", *,
             public: bool = False) -> Scene:  # fmt: skip
        self.leaks.append(Leak(f"leak-{identifier}", where, "deploy/.env", "AWS key",
                               f"accesskey:{identifier}", public=public))  # fmt: skip
        return self

    def kubernetes(self, *objects: Object) -> Scene:
        self.objects += objects
        return self

    def estate(self) -> Estate:
        estate = super().estate()
        for item in self.items:
            estate.add(item, [item.uid.rpartition("/")[2]])
        if self.objects:
            inside = cluster(self.objects, READ_ALL)
            for item in inside.items.values():
                estate.add(item)
            for (source, kind), found in inside._out.items():
                for target in found:
                    estate.relate(source, kind, target)
            estate.covered |= inside.covered
        for source, kind, target in self.relations:
            estate.relate(source, kind, target)
        return estate

    def world(self) -> World:
        estate = self.estate()
        public = {s.resource: list(s.evidence) for s in exposure(estate) if s.value == "yes"}
        return World(
            estate=estate, public={**public, **self.said_public}, weaknesses=self.weak,
            leaks=self.leaks, alarms=self.alarms, pipelines=self.pipelines,
            repositories=self.repositories, holders=self.holders, breached=self.breached,
        )  # fmt: skip

    def paths(self) -> list[routes.Path]:
        return routes.analyse(self.world()).paths


def to(paths: list[routes.Path], target: str) -> list[routes.Path]:
    """Those that end there."""
    return [p for p in paths if p.target == target]
