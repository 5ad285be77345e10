"""Snapshots of AWS Config give the same answers as what the AWS API says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from secinbox.estate import Estate, estate_of
from secinbox.iam import privilege
from secinbox.inventory import aws_config
from secinbox.network import exposure
from secinbox.reading import Report, ReportError, head_of
from tests.conftest import CLOCK

A, R = "111122223333", "eu-west-1"
EC2, IAM = f"arn:aws:ec2:{R}:{A}", f"arn:aws:iam::{A}"


def item(kind: str, identifier: str, arn: str, configuration: Any, **more: Any) -> dict[str, Any]:
    return {"resourceType": kind, "resourceId": identifier, "ARN": arn, "awsRegion": R,
            "awsAccountId": A, "configurationItemStatus": "OK",
            "configurationItemCaptureTime": "2026-11-20T00:00:00Z", "configuration": configuration,
            "supplementaryConfiguration": {}, "tags": {"env": "prod"}, **more}  # fmt: skip


def estate(*items: dict[str, Any]) -> Estate:
    data = json.dumps({"fileVersion": "1.0", "configSnapshotId": "x",
                       "configurationItems": list(items)}).encode()  # fmt: skip
    assert aws_config.recognise(head_of(data, "snapshot.json")) > 90
    return estate_of(aws_config.read(Report(data, "snapshot.json", (), CLOCK, {})))


def network(**rule: Any) -> list[dict[str, Any]]:
    entry = {"ruleAction": "allow", "protocol": "-1", "cidrBlock": "0.0.0.0/0", "ruleNumber": 100}
    permission = {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipv4Ranges":
                  [{"cidrIp": "0.0.0.0/0"}], "ipRanges": ["0.0.0.0/0"], **rule}  # fmt: skip
    return [
        item("AWS::EC2::Instance", "i-1", f"{EC2}:instance/i-1", json.dumps({
            "instanceId": "i-1", "state": {"code": 16, "name": "running"}, "subnetId": "subnet-1",
            "networkInterfaces": [{"networkInterfaceId": "eni-1", "subnetId": "subnet-1",
                                   "groups": [{"groupId": "sg-1"}],
                                   "association": {"publicIp": "198.51.100.7"}}]})),
        item("AWS::EC2::Subnet", "subnet-1", f"{EC2}:subnet/subnet-1",
             {"subnetId": "subnet-1", "vpcId": "vpc-1", "ownerId": A}),
        item("AWS::EC2::RouteTable", "rtb-1", f"{EC2}:route-table/rtb-1",
             {"routeTableId": "rtb-1", "vpcId": "vpc-1", "ownerId": A,
              "associations": [{"main": True}],
              "routes": [{"destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1",
                          "state": "active"}]}),
        item("AWS::EC2::NetworkAcl", "acl-1", f"{EC2}:network-acl/acl-1",
             {"networkAclId": "acl-1", "vpcId": "vpc-1", "isDefault": True, "ownerId": A,
              "entries": [{**entry, "egress": False}, {**entry, "egress": True}]}),
        item("AWS::EC2::SecurityGroup", "sg-1", f"{EC2}:security-group/sg-1",
             {"groupId": "sg-1", "vpcId": "vpc-1", "ownerId": A, "ipPermissions": [permission]}),
    ]  # fmt: skip


def public(*items: dict[str, Any]) -> dict[str, str]:
    return {s.resource: s.value for s in exposure(estate(*items))}


def test_an_instance_that_the_internet_reaches() -> None:
    assert public(*network())[f"{EC2}:instance/i-1"] == "yes"
    narrow = {"ipv4Ranges": [{"cidrIp": "203.0.113.0/24"}]}
    assert public(*network(**narrow))[f"{EC2}:instance/i-1"] == "no"
    assert public(*network()[:-1])[f"{EC2}:instance/i-1"] == "unknown"
    assert estate(*network()).items[f"{EC2}:instance/i-1"].tags == {"env": "prod"}


def test_a_bucket_with_what_other_calls_say() -> None:
    policy = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                                        "Resource": "arn:aws:s3:::b/*"}]})  # fmt: skip

    def bucket(text: str | None, blocked: bool, grants: list[dict[str, str]]) -> dict[str, Any]:
        names = (
            "blockPublicAcls",
            "ignorePublicAcls",
            "blockPublicPolicy",
            "restrictPublicBuckets",
        )
        return item("AWS::S3::Bucket", "b", "arn:aws:s3:::b", {"name": "b"},
                    supplementaryConfiguration={
                        "BucketPolicy": {"policyText": text},
                        "PublicAccessBlockConfiguration": dict.fromkeys(names, blocked),
                        "AccessControlList": json.dumps({"grantSet": None, "grantList": grants})})  # fmt: skip

    everyone = [{"grantee": "AllUsers", "permission": "Read"}]
    assert public(bucket(policy, True, everyone))["arn:aws:s3:::b"] == "no"
    assert public(bucket(None, True, everyone))["arn:aws:s3:::b"] == "no"
    # Open, but whether the account blocks it is nowhere in Config's item of the bucket.
    assert public(bucket(policy, False, []))["arn:aws:s3:::b"] == "unknown"
    found = estate(bucket(policy, False, everyone)).items["arn:aws:s3:::b"].config
    assert found["get_bucket_acl"]["Grants"][0]["Permission"] == "READ"
    assert "GetObject" in found["get_bucket_policy"]["Policy"]


def test_permissions_of_a_role() -> None:
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
                            "Action": "sts:AssumeRole"}]}  # fmt: skip
    role = {"arn": f"{IAM}:role/r", "roleName": "r", "roleId": "AROA1", "path": "/",
            "assumeRolePolicyDocument": quote(json.dumps(trust)), "instanceProfileList": [],
            "rolePolicyList": [{"policyName": "p", "policyDocument": quote(json.dumps(everything))}],
            "attachedManagedPolicies": []}  # fmt: skip
    values = {s.resource: s.value for s in privilege(estate(item("AWS::IAM::Role", "AROA1",
                                                                 f"{IAM}:role/r", role)))}  # fmt: skip
    assert values[f"{IAM}:role/r"] == "yes"
    role["rolePolicyList"] = []
    values = {s.resource: s.value for s in privilege(estate(item("AWS::IAM::Role", "AROA1",
                                                                 f"{IAM}:role/r", role)))}  # fmt: skip
    assert values[f"{IAM}:role/r"] == "no"


def test_the_newest_state_of_a_history_counts() -> None:
    older = network(ipv4Ranges=[])[-1] | {"configurationItemCaptureTime": "2026-10-01T00:00:00Z"}
    for items in ([older, *network()], [*network(), older]):
        assert public(*items)[f"{EC2}:instance/i-1"] == "yes"
    gone = network()[0] | {"configurationItemStatus": "ResourceDeleted", "configuration": None}
    assert f"{EC2}:instance/i-1" not in public(gone, *network()[1:])


def test_wrong_shapes_are_told_and_break_nothing() -> None:
    broken: list[Any] = [None, 7, {}, {"resourceType": "AWS::EC2::Instance", "configuration": "{"},
                         item("AWS::IAM::Role", "r", "", {"arn": 5, "rolePolicyList": "x"}),
                         item("AWS::EC2::SecurityGroup", "s", "", {"ipPermissions": [None, "x"]}),
                         item("AWS::Custom::Thing", "t", "", {})]  # fmt: skip
    data = json.dumps({"configurationItems": broken}).encode()
    records = list(aws_config.read(Report(data, "x.json", (), CLOCK, {})))
    assert any("AWS::Custom::Thing" in getattr(r, "reason", "") for r in records)
    with pytest.raises(ReportError):
        list(aws_config.read(Report(b'{"configurationItems": 5}', "x.json", (), CLOCK, {})))


def test_a_real_history_is_read(shared: Path) -> None:
    path = (shared / "inventory/aws/custodian-recordings/test_sg_config_diff"
            / "config.GetResourceConfigHistory_1.json")  # fmt: skip
    data = path.read_bytes()
    assert aws_config.recognise(head_of(data, path.name)) > 90
    records = list(aws_config.read(Report(data, path.name, (), CLOCK, {})))
    (group,) = [r for r in records if getattr(r, "type", "") == "aws_ec2_security_group"]
    assert group.tags["App"] == "blue-moon"
    assert "IpPermissions" in group.config


@pytest.mark.parametrize(("holder", "value"), [("eni-1", "yes"), ("eni-2", "no")])
def test_an_address_that_is_lent(holder: str, value: str) -> None:
    items = network()
    items[0]["configuration"] = {
        "instanceId": "i-1", "state": {"name": "running"}, "subnetId": "subnet-1",
        "networkInterfaces": [{"networkInterfaceId": "eni-1", "subnetId": "subnet-1",
                               "groups": [{"groupId": "sg-1"}]}]}  # fmt: skip
    lent = item("AWS::EC2::EIP", "eipalloc-1", f"{EC2}:eip-allocation/eipalloc-1", {
        "allocationId": "eipalloc-1", "publicIp": "198.51.100.9", "networkInterfaceId": holder})  # fmt: skip
    assert public(*items, lent)[f"{EC2}:instance/i-1"] == value


@pytest.mark.parametrize(("scheme", "value"), [("internet-facing", "yes"), ("internal", "no")])
def test_a_classic_balancer(scheme: str, value: str) -> None:
    uid = f"arn:aws:elasticloadbalancing:{R}:{A}:loadbalancer/old"
    classic = item("AWS::ElasticLoadBalancing::LoadBalancer", "old", uid, {
        "loadBalancerName": "old", "dnsname": "old.elb.amazonaws.com", "vpcid": "vpc-1",
        "scheme": scheme, "subnets": ["subnet-1"], "securityGroups": ["sg-1"], "instances": [],
        "listenerDescriptions": [{"listener": {"loadBalancerPort": 22, "instancePort": 80,
                                               "protocol": "TCP"}}]})  # fmt: skip
    assert public(*network(), classic)[uid] == value
