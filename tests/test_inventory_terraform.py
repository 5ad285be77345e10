"""Terraform state and plans give the same answers as what the AWS API says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secinbox.estate import Estate, estate_of
from secinbox.iam import privilege
from secinbox.inventory import terraform
from secinbox.network import exposure
from secinbox.reading import Report, ReportError, head_of
from tests.conftest import CLOCK

A, R = "111122223333", "eu-west-1"
EC2 = f"arn:aws:ec2:{R}:{A}"
IAM = f"arn:aws:iam::{A}"
Blocks = dict[str, list[dict[str, Any]]]


def state(blocks: Blocks) -> dict[str, Any]:
    resources = [
        {"mode": "managed", "type": kind, "name": f"r{i}", "provider": "aws",
         "instances": [{"schema_version": 1, "attributes": values}]}
        for kind, rows in blocks.items() for i, values in enumerate(rows)
    ]  # fmt: skip
    return {"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "x", "outputs": {},
            "resources": resources}  # fmt: skip


def plan(blocks: Blocks) -> dict[str, Any]:
    rows = [{"address": f"{kind}.r{i}", "mode": "managed", "type": kind, "values": values}
            for kind, found in blocks.items() for i, values in enumerate(found)]  # fmt: skip
    module = {"child_modules": [{"address": "module.m", "resources": rows}]}
    return {"format_version": "1.2", "terraform_version": "1.9.0",
            "planned_values": {"root_module": module}, "resource_changes": []}  # fmt: skip


def records(document: dict[str, Any]) -> list[Any]:
    data = json.dumps(document).encode()
    assert terraform.recognise(head_of(data, "terraform.tfstate")) > 90
    return list(terraform.read(Report(data, "terraform.tfstate", (), CLOCK, {})))


def estate(blocks: Blocks, made: Callable[[Blocks], dict[str, Any]] = state) -> Estate:
    return estate_of(records(made(blocks)))


def public(found: Estate) -> dict[str, str]:
    return {s.resource: s.value for s in exposure(found)}


def network() -> Blocks:
    rule = {"protocol": "-1", "action": "allow", "rule_no": 100, "cidr_block": "0.0.0.0/0",
            "from_port": 0, "to_port": 0}  # fmt: skip
    return {
        "aws_vpc": [{"id": "vpc-1", "arn": f"{EC2}:vpc/vpc-1", "cidr_block": "10.0.0.0/16",
                     "owner_id": A}],
        "aws_subnet": [{"id": "subnet-1", "arn": f"{EC2}:subnet/subnet-1", "vpc_id": "vpc-1",
                        "owner_id": A, "cidr_block": "10.0.1.0/24"}],
        "aws_internet_gateway": [{"id": "igw-1", "arn": f"{EC2}:internet-gateway/igw-1",
                                  "vpc_id": "vpc-1", "owner_id": A}],
        "aws_route_table": [{"id": "rtb-1", "arn": f"{EC2}:route-table/rtb-1", "vpc_id": "vpc-1",
                             "owner_id": A, "route": []}],
        "aws_route": [{"id": "r-1", "route_table_id": "rtb-1", "gateway_id": "igw-1",
                       "destination_cidr_block": "0.0.0.0/0", "state": "active"}],
        "aws_route_table_association": [{"id": "a-1", "route_table_id": "rtb-1",
                                         "subnet_id": "subnet-1"}],
        "aws_default_network_acl": [{"id": "acl-1", "arn": f"{EC2}:network-acl/acl-1",
                                     "vpc_id": "vpc-1", "owner_id": A, "ingress": [rule],
                                     "egress": [rule], "subnet_ids": ["subnet-1"]}],
        "aws_security_group": [{"id": "sg-1", "arn": f"{EC2}:security-group/sg-1", "name": "g",
                                "vpc_id": "vpc-1", "owner_id": A, "ingress": [
                                    {"protocol": "tcp", "from_port": 22, "to_port": 22,
                                     "cidr_blocks": ["0.0.0.0/0"], "self": False}]}],
        "aws_instance": [{"id": "i-1", "arn": f"{EC2}:instance/i-1", "instance_state": "running",
                          "subnet_id": "subnet-1", "vpc_security_group_ids": ["sg-1"],
                          "public_ip": "198.51.100.7", "private_ip": "10.0.1.5",
                          "primary_network_interface_id": "eni-1", "password_data": "s3cret",
                          "tags_all": {"env": "prod"}, "iam_instance_profile": "web"}],
    }  # fmt: skip


@pytest.mark.parametrize("made", [state, plan])
def test_an_instance_that_the_internet_reaches(made: Callable[[Blocks], dict[str, Any]]) -> None:
    found = estate(network(), made)
    assert public(found)[f"{EC2}:instance/i-1"] == "yes"
    item = found.items[f"{EC2}:instance/i-1"]
    assert (item.account, item.region, item.tags) == (A, R, {"env": "prod"})
    assert "s3cret" not in json.dumps(item.config)


@pytest.mark.parametrize(
    ("kind", "field", "value", "expected"),
    [
        ("aws_instance", "public_ip", "", "no"),
        ("aws_instance", "instance_state", "stopped", "no"),
        ("aws_route", "gateway_id", None, "no"),
        ("aws_route", "destination_cidr_block", "203.0.113.0/24", "no"),
        ("aws_security_group", "ingress", [], "no"),
        ("aws_default_network_acl", "ingress", [], "no"),
        ("aws_default_network_acl", "egress", [], "no"),
        ("aws_route_table_association", "subnet_id", "subnet-2", "unknown"),
    ],
)
def test_each_control_closes_it(kind: str, field: str, value: Any, expected: str) -> None:
    blocks = network()
    blocks[kind][0][field] = value
    assert public(estate(blocks))[f"{EC2}:instance/i-1"] == expected


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("aws_security_group_rule", {"type": "ingress", "protocol": "tcp", "from_port": 22,
                                     "to_port": 22, "cidr_blocks": ["0.0.0.0/0"]}),
        ("aws_vpc_security_group_ingress_rule", {"ip_protocol": "tcp", "from_port": 22,
                                                 "to_port": 22, "cidr_ipv4": "0.0.0.0/0"}),
    ],
)  # fmt: skip
def test_rules_of_their_own_belong_to_their_group(kind: str, rule: dict[str, Any]) -> None:
    blocks = network()
    blocks["aws_security_group"][0]["ingress"] = []
    assert public(estate(blocks))[f"{EC2}:instance/i-1"] == "no"
    blocks[kind] = [{"id": "x", "security_group_id": "sg-1", **rule}]
    assert public(estate(blocks))[f"{EC2}:instance/i-1"] == "yes"


def _bucket(**blocked: bool) -> Blocks:
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
         "Resource": "arn:aws:s3:::b/*"}]}  # fmt: skip
    return {
        "aws_s3_bucket": [{"id": "b", "bucket": "b", "arn": "arn:aws:s3:::b"}],
        "aws_s3_bucket_policy": [{"id": "b", "bucket": "b", "policy": json.dumps(policy)}],
        "aws_s3_bucket_public_access_block": [{"id": "b", "bucket": "b", **blocked}],
        "aws_s3_account_public_access_block": [{"id": A, "account_id": A}],
        "aws_iam_user": [{"arn": f"{IAM}:user/x", "name": "x", "unique_id": "AIDA1"}],
    }  # fmt: skip


def test_a_bucket_with_its_policy_and_blocks() -> None:
    assert public(estate(_bucket()))["arn:aws:s3:::b"] == "yes"
    shut = _bucket(restrict_public_buckets=True, ignore_public_acls=True)
    assert public(estate(shut))["arn:aws:s3:::b"] == "no"
    half = _bucket(restrict_public_buckets=True)  # its ACL is not in the state
    assert public(estate(half))["arn:aws:s3:::b"] == "unknown"
    unread = _bucket()
    del unread["aws_s3_bucket_public_access_block"]
    assert public(estate(unread))["arn:aws:s3:::b"] == "unknown"  # somebody else may have set it


def test_permissions_of_a_role_and_what_runs_as_it() -> None:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
                            "Action": "sts:AssumeRole"}]}  # fmt: skip
    blocks = network() | {
        "aws_iam_role": [{"arn": f"{IAM}:role/web", "name": "web", "unique_id": "AROA1",
                          "path": "/", "assume_role_policy": json.dumps(trust)}],
        "aws_iam_instance_profile": [{"arn": f"{IAM}:instance-profile/web", "name": "web",
                                      "role": "web"}],
        "aws_iam_policy": [{"arn": f"{IAM}:policy/all", "name": "all", "policy": json.dumps(
            {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})}],
        "aws_iam_role_policy_attachment": [{"id": "x", "role": "web",
                                            "policy_arn": f"{IAM}:policy/all"}],
    }  # fmt: skip
    values = {s.resource: s.value for s in privilege(estate(blocks))}
    assert values[f"{IAM}:role/web"] == "yes"
    assert values[f"{EC2}:instance/i-1"] == "yes"
    del blocks["aws_iam_role_policy_attachment"]
    assert {s.resource: s.value for s in privilege(estate(blocks))}[f"{IAM}:role/web"] == "no"


@pytest.mark.parametrize(
    ("action", "value"), [("iam:SetDefaultPolicyVersion", "unknown"), ("iam:GetPolicy", "no")]
)
def test_older_versions_of_a_policy_are_in_no_state(action: str, value: str) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    blocks: Blocks = {
        "aws_iam_user": [{"id": "ana", "name": "ana", "arn": f"{IAM}:user/ana", "path": "/"}],
        "aws_iam_policy": [{"id": f"{IAM}:policy/p", "name": "p", "arn": f"{IAM}:policy/p",
                            "policy": json.dumps({"Statement": [statement]})}],
        "aws_iam_user_policy_attachment": [{"id": "x", "user": "ana", "policy_arn": f"{IAM}:policy/p"}],
    }  # fmt: skip
    found = {s.resource: s for s in privilege(estate(blocks))}[f"{IAM}:user/ana"]
    assert found.value == value, found


def test_what_is_only_planned_is_counted_and_left_out() -> None:
    made = plan({"aws_s3_bucket": [{"bucket": "new"}], "oci_core_instance": [{"id": "o"}]})
    reasons = {r.reason: r.count for r in records(made) if type(r).__name__ == "Skipped"}
    assert reasons == {"planned resources that do not exist yet": 1,
                       "resources of other providers": 1}  # fmt: skip


def test_a_state_never_speaks_for_the_whole_account() -> None:
    assert not [r for r in records(state(network())) if type(r).__name__ == "Scope"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70000) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "arn", "ingress", "route", "policy", "tags", "name", "bucket"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(sorted({*network(), *_bucket(), "aws_lb", "aws_lb_listener",
                                    "aws_lambda_function", "aws_db_instance", "aws_iam_role",
                                    "aws_eks_cluster", "aws_sqs_queue"})),
       field=st.sampled_from(["id", "arn", "ingress", "route", "policy", "tags_all", "subnets",
                              "vpc_config", "assume_role_policy", "vpc_security_group_ids"]),
       value=_JSON)  # fmt: skip
def test_fields_of_wrong_shapes_are_absent_ones(kind: str, field: str, value: Any) -> None:
    blocks = network() | _bucket()
    blocks[kind] = [{**(blocks.get(kind) or [{"arn": f"{IAM}:role/x"}])[0], field: value}]
    found = estate(blocks)
    public(found)
    list(privilege(found))


@pytest.mark.parametrize(
    "document", [{"version": 4, "terraform_version": "1", "lineage": "x"}, {"format_version": "1"}]
)
def test_what_holds_nothing_is_told(document: dict[str, Any]) -> None:
    with pytest.raises(ReportError, match="no Terraform"):
        list(terraform.read(Report(json.dumps(document).encode(), "x", (), CLOCK, {})))


def test_real_states_are_read(shared: Path) -> None:
    seen = 0
    for path in sorted(
        (shared / "inventory" / "terraform" / "driftctl-tfstate").rglob("*.tfstate")
    ):
        seen += len(list(terraform.read(Report(path.read_bytes(), path.name, (), CLOCK, {}))))
    assert seen > 200
