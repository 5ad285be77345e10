"""Terraform: what runs as a role, templates, policies of the organisation, transit gateways."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from secinbox.iam import Evaluator, World, privilege
from secinbox.iam.moves import Moves
from secinbox.iam.things import Things
from secinbox.network.aws.links import Links
from secinbox.network.aws.vpc import Network
from tests.test_inventory_terraform import IAM, A, Blocks, R, estate, network
from tests.test_terraform_services import RUNNER, USER, B, changed

# Identities and what starts by itself


def power(blocks: Blocks, user: str = "x") -> str:
    found = {s.resource: s for s in privilege(estate(blocks))}
    return found[f"{IAM}:user/{user}"].value


def trusting(service: str, name: str = "admin") -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}  # fmt: skip
    return {"arn": f"{IAM}:role/{name}", "name": name, "unique_id": "AROA1",
"assume_role_policy": json.dumps(document)}  # fmt: skip


def user(*actions: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {
        "aws_iam_user": USER["aws_iam_user"],
        "aws_iam_user_policy": [{"id": "x:p", "user": "x", "name": "p", "policy": json.dumps(
            {"Version": "2012-10-17", "Statement": [statement]})}],
    }  # fmt: skip


def _allows(name: str) -> dict[str, Any]:
    return {"aws_iam_role_policy": [{"id": f"{name}:all", "role": name, "name": "all", "policy": json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})}]}  # fmt: skip


MACHINE = f"arn:aws:states:{R}:{A}:stateMachine:m"
THINGS: list[tuple[str, list[str], Blocks]] = [
    ("states.amazonaws.com", ["states:UpdateStateMachine", "states:StartExecution"],
     {"aws_sfn_state_machine": [{"id": MACHINE, "arn": MACHINE, "name": "m", "role_arn": f"{IAM}:role/admin",
                                 "definition": "{}"}]}),
    ("glue.amazonaws.com", ["glue:StartJobRun"],
     {"aws_glue_job": [{"id": "j", "arn": f"arn:aws:glue:{R}:{A}:job/j", "name": "j",
                        "role_arn": f"{IAM}:role/admin"}]}),
    ("tasks.apprunner.amazonaws.com", ["apprunner:UpdateService"],
     {"aws_apprunner_service": [{"id": RUNNER, "arn": RUNNER, "service_name": "web", "status": "RUNNING",
                                 "instance_configuration": [{"instance_role_arn": f"{IAM}:role/admin"}]}]}),
]  # fmt: skip


@pytest.mark.parametrize(("service", "actions", "blocks"), THINGS, ids=[t[0] for t in THINGS])
def test_things_that_run_as_a_role_are_taken_over(
    service: str, actions: list[str], blocks: Blocks
) -> None:
    role = {"aws_iam_role": [trusting(service)], **_allows("admin")}
    assert power({**user(*actions), **role, **blocks}) == "yes"
    assert power({**user(*actions[1:], "s3:ListBucket"), **role, **blocks}) != "yes"
    (kind,) = blocks
    bare = {kind: [{k: v for k, v in row.items() if k not in ("role_arn", "instance_configuration")}
                   for row in blocks[kind]]}  # fmt: skip
    assert power({**user(*actions), **role, **bare}) != "yes"


TEMPLATE: Blocks = {
    "aws_launch_template": [{"id": "lt-1", "arn": f"arn:aws:ec2:{R}:{A}:launch-template/lt-1", "name": "t",
                             "default_version": 1, "latest_version": 1,
                             "iam_instance_profile": [{"name": "admin"}]}],
    "aws_autoscaling_group": [{
        "id": "g", "arn": f"arn:aws:autoscaling:{R}:{A}:autoScalingGroup:1:autoScalingGroupName/g",
        "name": "g", "launch_template": [{"id": "lt-1", "version": "$Latest"}], "desired_capacity": 1,
        "tag": [{"key": "env", "value": "prod", "propagate_at_launch": True}]}],
    "aws_iam_instance_profile": [{"id": "admin", "arn": f"{IAM}:instance-profile/admin", "name": "admin",
                                  "role": "admin"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("desired_capacity", 1, "yes"),
        ("launch_template", [{"id": "lt-1", "version": "1"}], "no"),
        ("launch_template", [], "no"),
        ("launch_template", [{"name": "t", "version": "$Latest"}], "yes"),
    ],
)
def test_a_template_that_a_scaling_group_follows(field: str, value: Any, wanted: str) -> None:
    actions = ["ec2:CreateLaunchTemplateVersion", "iam:PassRole", "ec2:RunInstances"]
    blocks = {**user(*actions), "aws_iam_role": [trusting("ec2.amazonaws.com")], **_allows("admin"),
              **changed(TEMPLATE, "aws_autoscaling_group", field, value)}  # fmt: skip
    # RunInstances with PassRole is a way of its own: without it, only the template is left.
    blocks["aws_iam_user_policy"][0]["policy"] = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": actions[:2], "Resource": "*"}]})  # fmt: skip
    assert (power(blocks) == "yes") == (wanted == "yes")


ORG = "arn:aws:organizations::123456789012:policy/o-1/service_control_policy/p-1"


@pytest.mark.parametrize(
    ("content", "target", "wanted"),
    [
        ({"Effect": "Deny", "Action": "iam:*", "Resource": "*"}, A, "no"),
        ({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}, A, "yes"),
        ({"Effect": "Deny", "Action": "iam:*", "Resource": "*"}, B, "yes"),
        ({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, A, "no"),
        ({"Effect": "Allow", "Action": "*", "Resource": "*"}, A, "yes"),
        ({"Effect": "Deny", "Action": "iam:*", "Resource": "*"}, "r-1", "no"),
        ({"Effect": "Deny", "Action": "iam:*", "Resource": "*"}, "ou-1", "unknown"),
        ({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}, "ou-1", "yes"),
        ({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, "ou-1", "unknown"),
    ],
)
def test_policies_of_the_organisation(content: dict[str, Any], target: str, wanted: str) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": [content]})
    blocks = {
        **user("*"),
        "aws_organizations_policy": [{"id": "p-1", "arn": ORG, "name": "wall", "content": document,
                                      "type": "SERVICE_CONTROL_POLICY"}],
        "aws_organizations_policy_attachment": [{"id": f"{target}:p-1", "policy_id": "p-1",
                                                 "target_id": target}],
    }  # fmt: skip
    assert administrator(blocks) == wanted


def administrator(blocks: Blocks) -> str:
    world = World(estate(blocks))
    return Moves(world, Evaluator(world), Things(world)).administrator(
        world.principals[f"{IAM}:user/x"].persona).value  # fmt: skip


@pytest.mark.parametrize(
    ("parents", "wanted"),
    [
        ({A: "ou-1"}, "no"),
        ({A: "ou-2"}, "yes"),
        ({A: "ou-3", "ou-3": "ou-1"}, "no"),
        ({A: "ou-3", "ou-3": "r-1"}, "yes"),
        ({B: "ou-1"}, "unknown"),
    ],
)
def test_units_that_the_state_tells(parents: dict[str, str], wanted: str) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}]})  # fmt: skip
    blocks: Blocks = {
        **user("*"),
        "aws_organizations_policy": [{"id": "p-1", "arn": ORG, "name": "wall", "content": document,
                                      "type": "SERVICE_CONTROL_POLICY"}],
        "aws_organizations_policy_attachment": [{"id": "x", "policy_id": "p-1", "target_id": "ou-1"}],
        "aws_organizations_account": [{"id": k, "parent_id": v, "arn": f"arn:aws:organizations::123456789012:account/o-1/{k}"}
                                      for k, v in parents.items() if k.isdigit()],
        "aws_organizations_organizational_unit": [{"id": k, "parent_id": v, "arn": f"arn:aws:organizations::123456789012:ou/o-1/{k}"}
                                                  for k, v in parents.items() if not k.isdigit()],
    }  # fmt: skip
    assert administrator(blocks) == wanted


# Transit gateways


def joined(**changes: Any) -> Blocks:
    """Two networks that are joined by a gateway with its tables of default."""
    blocks = network()
    ec2 = f"arn:aws:ec2:{R}:{A}"
    blocks["aws_vpc"].append(
        {"id": "vpc-2", "arn": f"{ec2}:vpc/vpc-2", "cidr_block": "10.9.0.0/16"}
    )
    blocks["aws_subnet"].append({"id": "subnet-2", "arn": f"{ec2}:subnet/subnet-2", "vpc_id": "vpc-2",
                                 "cidr_block": "10.9.1.0/24"})  # fmt: skip
    blocks["aws_route_table"].append({"id": "rtb-2", "arn": f"{ec2}:route-table/rtb-2", "vpc_id": "vpc-2",
                                      "route": []})  # fmt: skip
    blocks["aws_route_table_association"].append({"id": "a-2", "route_table_id": "rtb-2",
                                                  "subnet_id": "subnet-2"})  # fmt: skip
    blocks["aws_route"] += [
        {"id": "r-2", "route_table_id": "rtb-1", "transit_gateway_id": "tgw-1",
         "destination_cidr_block": "10.9.0.0/16", "state": "active"},
        {"id": "r-3", "route_table_id": "rtb-2", "transit_gateway_id": "tgw-1",
         "destination_cidr_block": "10.0.0.0/16", "state": "active"},
    ]  # fmt: skip
    blocks["aws_ec2_transit_gateway"] = [{
        "id": "tgw-1", "arn": f"{ec2}:transit-gateway/tgw-1", "owner_id": A,
        "association_default_route_table_id": "tgw-rtb-1",
        "propagation_default_route_table_id": "tgw-rtb-1"}]  # fmt: skip
    blocks["aws_ec2_transit_gateway_vpc_attachment"] = [
        {"id": f"tgw-attach-{n}", "transit_gateway_id": "tgw-1", "vpc_id": f"vpc-{n}",
         "transit_gateway_default_route_table_association": True,
         "transit_gateway_default_route_table_propagation": True, **changes} for n in (1, 2)]  # fmt: skip
    blocks["aws_ec2_transit_gateway_route_table"] = [
        {"id": "tgw-rtb-1", "arn": f"{ec2}:transit-gateway-route-table/tgw-rtb-1",
         "transit_gateway_id": "tgw-1"}]  # fmt: skip
    return blocks


def linked(blocks: Blocks) -> str:
    found = Links(Network(estate(blocks))).between("subnet-1", "subnet-2")
    return "no" if found is None else "unknown" if found.doubt else "yes"


def test_networks_joined_by_a_transit_gateway() -> None:
    assert linked(joined()) == "yes"
    apart = joined(transit_gateway_default_route_table_propagation=False)
    assert linked(apart) == "unknown"  # no route of the table was told
    written = deepcopy(apart)
    written["aws_ec2_transit_gateway_route"] = [
        {"id": f"x{n}", "transit_gateway_route_table_id": "tgw-rtb-1", "destination_cidr_block": cidr,
         "transit_gateway_attachment_id": f"tgw-attach-{n}", "blackhole": False}
        for n, cidr in ((1, "10.0.0.0/16"), (2, "10.9.0.0/16"))]  # fmt: skip
    assert linked(written) == "yes"
    written["aws_ec2_transit_gateway_route"][1]["blackhole"] = True
    assert linked(written) == "no"
    told = deepcopy(apart)
    told["aws_ec2_transit_gateway_route_table_propagation"] = [
        {"id": f"p{n}", "transit_gateway_route_table_id": "tgw-rtb-1",
         "transit_gateway_attachment_id": f"tgw-attach-{n}"} for n in (1, 2)]  # fmt: skip
    assert linked(told) == "yes"
    loose = joined()
    loose["aws_route"] = loose["aws_route"][:2]
    assert linked(loose) == "no"
