"""Cartography: its graph as `CALL apoc.export.json.all(...)` writes it, one node or relationship a line.

Nodes and relationships are put together again to what the API would have said of instances, security
groups, subnets, buckets, roles, users and groups with their policies. The graph keeps what its own
analyses need and no more: no network ACLs or routes in older versions, and no proof that anything was
read completely, so what is missing stays unknown. Source: the AWS schema in Cartography's documentation.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from secinbox.inventory.aws.calls import Call
from secinbox.inventory.aws.elements import records_of
from secinbox.reading import Head, Report
from secinbox.records import AnyRecord, Skipped

TITLE = "Cartography graphs (AWS)"
_BLOCKS = {"block_public_acls": "BlockPublicAcls", "block_public_policy": "BlockPublicPolicy",
           "ignore_public_acls": "IgnorePublicAcls",
           "restrict_public_buckets": "RestrictPublicBuckets"}  # fmt: skip
_PRINCIPALS = {
    "AWSRole": ("RoleDetailList", "RoleName", "RolePolicyList"),
    "AWSUser": ("UserDetailList", "UserName", "UserPolicyList"),
    "AWSGroup": ("GroupDetailList", "GroupName", "GroupPolicyList"),
}

# What newer versions call them; the older names stand beside these until they are given up.
_RENAMED = {"AWSEC2Subnet": "EC2Subnet", "AWSEC2SecurityGroup": "EC2SecurityGroup",
            "AWSEC2Instance": "EC2Instance", "AWSS3Bucket": "S3Bucket", "AWSIpRange": "IpRange",
            "AWSIpPermissionInbound": "IpPermissionInbound"}  # fmt: skip


def recognise(head: Head) -> int:
    first = head.first
    if head.kind != "lines" or first.get("type") not in ("node", "relationship"):
        return 0
    told = "lastupdated" in head.text and '"labels"' in head.text
    return 92 if told and any(f'"{n}"' in head.text for n in ("AWSAccount", *_MAKERS)) else 0


@dataclass
class _Node:
    id: str
    labels: frozenset[str]
    values: dict[str, Any]
    place: str
    out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    into: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def text(self, *names: str) -> str:
        """The first of these properties that is there."""
        return next((str(self.values[n]) for n in names if self.values.get(n) is not None), "")


class _Graph:
    def __init__(self, report: Report) -> None:
        self.nodes: dict[str, _Node] = {}
        ties: list[tuple[str, str, str]] = []
        self.broken = 0
        line: dict[str, Any]
        for place, line in report.documents(dict[str, Any]):
            if line.get("type") == "node":
                told: list[Any] = line.get("labels") or []
                labels = frozenset(_RENAMED.get(str(x), str(x)) for x in told)
                values: Any = line.get("properties")
                known: dict[str, Any] = values if isinstance(values, dict) else {}
                self.nodes[str(line.get("id"))] = _Node(str(line.get("id")), labels, known, place)
            elif line.get("type") == "relationship":
                start: Any = line.get("start")
                end: Any = line.get("end")
                if isinstance(start, dict) and isinstance(end, dict):
                    ties.append((str(line.get("label")), str(start.get("id")), str(end.get("id"))))
                else:
                    self.broken += 1
        for label, start_id, end_id in ties:
            if start_id in self.nodes and end_id in self.nodes:
                self.nodes[start_id].out[label].append(end_id)
                self.nodes[end_id].into[label].append(start_id)

    def of(self, label: str) -> Iterator[_Node]:
        return (n for n in self.nodes.values() if label in n.labels)

    def out(self, node: _Node, *labels: str) -> list[_Node]:
        return [self.nodes[i] for label in labels for i in node.out.get(label, ())]

    def into(self, node: _Node, *labels: str) -> list[_Node]:
        return [self.nodes[i] for label in labels for i in node.into.get(label, ())]

    def account(self, node: _Node) -> str:
        for found in self.into(node, "RESOURCE"):
            if "AWSAccount" in found.labels:
                return found.text("id")
        parts = node.text("arn").split(":")
        return parts[4] if len(parts) > 5 else ""


Made = Iterable[tuple[str, Any, dict[str, Any]]]


def _instance(graph: _Graph, node: _Node) -> Made:
    groups = [{"GroupId": g.text("groupid", "id")}
              for g in graph.out(node, "MEMBER_OF_EC2_SECURITY_GROUP")]  # fmt: skip
    subnets = [s.text("subnetid", "id") for s in graph.out(node, "PART_OF_SUBNET")]
    found: dict[str, Any] = {"InstanceId": node.text("instanceid", "id"), "SecurityGroups": groups}
    found["ImageId"] = node.values.get("imageid")
    if node.text("state"):
        found["State"] = {"Name": node.text("state")}
    if subnets:
        found["SubnetId"] = subnets[0]
    if node.text("publicipaddress"):
        found["PublicIpAddress"] = node.text("publicipaddress")
    for profile in graph.out(node, "INSTANCE_PROFILE"):
        found["IamInstanceProfile"] = {"Arn": profile.text("arn", "id")}
    yield "ec2.describe_instances", {"Reservations": [{"Instances": [found]}]}, {}


def _group(graph: _Graph, node: _Node) -> Made:
    allowed = []
    for rule in graph.into(node, "MEMBER_OF_EC2_SECURITY_GROUP"):
        if "IpPermissionInbound" not in rule.labels:
            continue
        sources = [r.text("range", "id") for r in graph.into(rule, "MEMBER_OF_IP_RULE")
                   if "IpRange" in r.labels]  # fmt: skip
        others = [g.text("groupid", "id") for g in graph.out(rule, "ALLOW_FROM_GROUP")]
        allowed.append({
            "IpProtocol": rule.text("protocol") or "-1",
            "FromPort": rule.values.get("fromport"), "ToPort": rule.values.get("toport"),
            "IpRanges": [{"CidrIp": s} for s in sources if ":" not in s],
            "Ipv6Ranges": [{"CidrIpv6": s} for s in sources if ":" in s],
            "UserIdGroupPairs": [{"GroupId": g} for g in others]})  # fmt: skip
    found = {"GroupId": node.text("groupid", "id"), "GroupName": node.text("name"),
             "IpPermissions": allowed}  # fmt: skip
    vpcs = [v.text("vpcid", "id") for v in graph.into(node, "MEMBER_OF_EC2_SECURITY_GROUP")
            if "AWSVpc" in v.labels]  # fmt: skip
    yield "ec2.describe_security_groups", {"SecurityGroups": [found | _vpc(vpcs)]}, {}


def _vpc(found: list[str]) -> dict[str, str]:
    return {"VpcId": found[0]} if found else {}


def _subnet(graph: _Graph, node: _Node) -> Made:
    vpcs = [v.text("vpcid", "id") for v in graph.out(node, "MEMBER_OF_AWS_VPC")]
    found = {"SubnetId": node.text("subnetid", "id"), "CidrBlock": node.values.get("cidr_block"),
             "MapPublicIpOnLaunch": node.values.get("map_public_ip_on_launch")}  # fmt: skip
    yield "ec2.describe_subnets", {"Subnets": [found | _vpc(vpcs)]}, {}


def _network(graph: _Graph, node: _Node) -> Made:
    yield "ec2.describe_vpcs", {"Vpcs": [{"VpcId": node.text("vpcid", "id")}]}, {}


def _bucket(graph: _Graph, node: _Node) -> Made:
    name = node.text("name", "id")
    yield "s3.list_buckets", {"Buckets": [{"Name": name}]}, {}
    blocks = {ours: node.values[theirs] for theirs, ours in _BLOCKS.items()
              if isinstance(node.values.get(theirs), bool)}  # fmt: skip
    if len(blocks) == len(_BLOCKS):
        answer = {"PublicAccessBlockConfiguration": blocks}
        yield "s3.get_public_access_block", answer, {"Bucket": name}
    statements = [_statement(s) for s in graph.out(node, "POLICY_STATEMENT")]
    if statements:
        policy = {"Version": "2012-10-17", "Statement": statements}
        yield "s3.get_bucket_policy", {"Policy": json.dumps(policy)}, {"Bucket": name}


def _statement(node: _Node) -> dict[str, Any]:
    names = {"effect": "Effect", "action": "Action", "notaction": "NotAction",
             "resource": "Resource", "notresource": "NotResource", "condition": "Condition",
             "principal": "Principal", "sid": "Sid"}  # fmt: skip
    found = {}
    for theirs, ours in names.items():
        value = node.values.get(theirs)
        if value in (None, "", []):
            continue
        if theirs in ("condition", "principal") and isinstance(value, str):
            try:
                value = msgspec.json.decode(value)
            except msgspec.MsgspecError:
                value = {"unreadable": value} if theirs == "condition" else value
        found[ours] = value
    return found


def _document(graph: _Graph, policy: _Node) -> dict[str, Any]:
    return {"Version": "2012-10-17",
            "Statement": [_statement(s) for s in graph.out(policy, "STATEMENT", "STATEMENTS")]}  # fmt: skip


def _principal(graph: _Graph, node: _Node) -> Made:
    label = next(n for n in _PRINCIPALS if n in node.labels)
    key, named, inline = _PRINCIPALS[label]
    arn = node.text("arn")
    found: dict[str, Any] = {"Arn": arn, named: node.text("name") or arn.rpartition("/")[2],
                             "Path": node.text("path") or "/", "AttachedManagedPolicies": [],
                             inline: []}  # fmt: skip
    policies = graph.out(node, "POLICY")
    for policy in policies:
        name = policy.text("name")
        if policy.text("type") == "managed":
            attached = {"PolicyName": name, "PolicyArn": policy.text("arn", "id")}
            found["AttachedManagedPolicies"].append(attached)
        else:
            found[inline].append({"PolicyName": name, "PolicyDocument": _document(graph, policy)})
    if label == "AWSRole":
        trusted = [p.text("arn") for p in graph.out(node, "TRUSTS_AWS_PRINCIPAL") if p.text("arn")]
        services = [t for t in trusted if t.endswith(".amazonaws.com")]
        others = [t for t in trusted if t not in services]
        principals = ({"Service": services} if services else {}) | (
            {"AWS": others} if others else {}
        )
        # The graph keeps whom a role trusts, not under which condition.
        found["AssumeRolePolicyDocument"] = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principals,
             "Condition": {"NotKept": {"cartography:condition": "unknown"}}}]}  # fmt: skip
        profiles = graph.into(node, "ASSOCIATED_WITH")
        found["InstanceProfileList"] = [{"Arn": p.text("arn", "id")} for p in profiles]
    if label == "AWSUser":
        found["GroupList"] = [g.text("name") for g in graph.out(node, "MEMBER_AWS_GROUP")]
    yield "iam.get_account_authorization_details", {key: [found]}, {}


def _policy(graph: _Graph, node: _Node) -> Made:
    if node.text("type") == "managed" and node.text("arn", "id").startswith("arn:"):
        version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": _document(graph, node)}
        found = {"PolicyName": node.text("name"), "Arn": node.text("arn", "id"),
                 "DefaultVersionId": "v1", "PolicyVersionList": [version]}  # fmt: skip
        yield "iam.get_account_authorization_details", {"Policies": [found]}, {}


_MAKERS = {
    "AWSVpc": _network, "EC2Subnet": _subnet, "EC2SecurityGroup": _group, "EC2Instance": _instance,
    "S3Bucket": _bucket, "AWSRole": _principal, "AWSUser": _principal, "AWSGroup": _principal,
    "AWSPolicy": _policy,
}  # fmt: skip


def read(report: Report) -> Iterator[AnyRecord]:
    graph = _Graph(report)
    for label, made in _MAKERS.items():
        for node in graph.of(label):
            for operation, response, request in made(graph, node):
                call = Call(operation, graph.account(node), node.text("region"), "aws", response,
                            request, node.place)  # fmt: skip
                yield from records_of(call)
    if graph.broken:
        yield Skipped(reason="a relationship without both ends", count=graph.broken)
