"""Identities of one's own making, and what is done before a request, each with one link cut."""

from __future__ import annotations

from typing import Any

import pytest

from secinbox.iam import Escalation
from tests.accounts import (
    ADMIN,
    EC2,
    USER,
    A,
    Account,
    F,
    I,
    allow,
    attached,
    aws,
    bounded,
    deny,
    service,
)
from tests.accounts import RUNNING as BOX

LIMIT = f"arn:aws:iam::{A}:policy/limit"
NEW_ROLE, NEW_USER, NEW_GROUP = (f"arn:aws:iam::{A}:{w}/app-*" for w in ("role", "user", "group"))


@pytest.mark.parametrize(("move", "where", "actions"), [
    ("iam-027", NEW_ROLE, ("iam:CreateRole", "iam:PutRolePolicy")),
    ("iam-027", NEW_ROLE, ("iam:CreateRole", "iam:AttachRolePolicy")),
    ("iam-028", NEW_USER, ("iam:CreateUser", "iam:PutUserPolicy", "iam:CreateAccessKey")),
    ("iam-028", NEW_USER, ("iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateLoginProfile")),
    ("iam-029", NEW_GROUP, ("iam:CreateGroup", "iam:AddUserToGroup", "iam:PutGroupPolicy")),
    ("iam-029", NEW_GROUP, ("iam:CreateGroup", "iam:AddUserToGroup", "iam:AttachGroupPolicy")),
])  # fmt: skip
def test_an_identity_of_its_own_making(move: str, where: str, actions: tuple[str, ...]) -> None:
    def account(given: list[str], *more: dict[str, Any]) -> Account:
        return Account().user("ana", allow(given, where), *more)

    made = account(list(actions))
    assert made.can() == "yes"
    assert Escalation(made.estate()).self_made[USER].move == move
    for missing in actions:
        assert account([a for a in actions if a != missing]).can() == "no", missing
        assert account(list(actions), deny(missing)).can() == "no", missing
    apart = Account().user("ana", *(allow(a, f"{where}{i}") for i, a in enumerate(actions)))
    assert apart.can() == "no"


def _delegated(limit: dict[str, Any], *more: dict[str, Any]) -> Account:
    must = {"StringEquals": {"iam:PermissionsBoundary": LIMIT}}
    own = allow(["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"], "*", **must)
    return Account().user("ana", own, *more).policy("limit", [limit])


@pytest.mark.parametrize(("limit", "more", "expected"), [
    (allow("*"), (), "yes"),
    (allow("s3:*"), (), "no"),
    (allow(["s3:*", "iam:DeleteRolePermissionsBoundary"]), (), "yes"),
    (allow("s3:*"), (allow("iam:DeleteRolePermissionsBoundary"),), "yes"),
    (allow("s3:*"), (allow("iam:DeleteRolePermissionsBoundary", f"arn:aws:iam::{A}:role/other"),), "no"),
    (allow("s3:*"), (allow("iam:PutRolePermissionsBoundary"),), "yes"),
    (allow("s3:*"), (allow("iam:CreatePolicyVersion", LIMIT),), "yes"),
    (allow("s3:*"), (allow("iam:CreatePolicyVersion", LIMIT + "2"),), "no"),
    (allow("*"), (deny("sts:AssumeRole"),), "no"),
])  # fmt: skip
def test_a_role_that_must_bear_a_boundary(
    limit: dict[str, Any], more: tuple[dict[str, Any], ...], expected: str
) -> None:
    assert _delegated(limit, *more).can() == expected


def test_a_new_user_in_a_group_of_administrators() -> None:
    role = f"arn:aws:iam::{A}:role/op"
    actions = ("iam:CreateUser", "iam:CreateAccessKey", "iam:AddUserToGroup")

    def can(*given: str, power: str = "*") -> str:
        made = Account().role("op", service(EC2), allow(list(given)))
        return made.group("boss", allow(power)).can(role)

    assert can(*actions) == "yes"
    assert can(*actions, power="s3:*") == "no"
    for missing in actions:
        assert can(*(a for a in actions if a != missing)) == "no", missing


@pytest.mark.parametrize(
    ("other", "expected"), [("iam:PutRolePolicy", "yes"), ("iam:GetRole", "no")]
)
def test_who_makes_itself_able_to_write_another(other: str, expected: str) -> None:
    target = f"arn:aws:iam::{A}:role/r"
    made = Account().user("ana", allow("iam:SetDefaultPolicyVersion"), **attached("p"))
    made.policy("p", [allow("s3:*")], [allow(other, target)]).role("r", aws(USER))
    assert made.can() == expected


@pytest.mark.parametrize(("second", "expected"), [("*", "yes"), ("s3:*", "no")])
def test_another_version_of_its_own_boundary(second: str, expected: str) -> None:
    made = Account().user("ana", allow("*"), **bounded("limit"))
    assert (
        made.policy("limit", [allow("iam:SetDefaultPolicyVersion")], [allow(second)]).can()
        == expected
    )


def test_a_boundary_with_five_versions() -> None:
    def can(*given: str) -> str:
        made = Account().user("ana", allow("*"), **bounded("limit"))
        return made.policy("limit", *[[allow(list(given))]] * 5).can()

    assert can("iam:CreatePolicyVersion") == "no"
    assert can("iam:CreatePolicyVersion", "iam:DeletePolicyVersion") == "yes"


@pytest.mark.parametrize(("more", "expected"), [
    (("iam:CreateVirtualMFADevice", "iam:EnableMFADevice"), "yes"),
    (("iam:CreateVirtualMFADevice",), "no"),
    (("iam:EnableMFADevice",), "no"),
])  # fmt: skip
def test_an_mfa_device_of_its_own(more: tuple[str, ...], expected: str) -> None:
    own = allow("iam:PutUserPolicy", USER, Bool={"aws:MultiFactorAuthPresent": "true"})
    made = Account().user(
        "ana", own, allow(list(more)), keys=1, list_mfa_devices={"MFADevices": []}
    )
    assert made.can() == expected


@pytest.mark.parametrize(("condition", "more", "expected"), [
    ({"Bool": {"aws:ViaAWSService": "true"}}, "cloudformation:CreateStack", "yes"),
    ({"Bool": {"aws:ViaAWSService": "true"}}, "cloudformation:DescribeStacks", "no"),
    ({"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}, "cloudformation:*", "yes"),
    ({"ForAnyValue:StringEquals": {"aws:CalledVia": "athena.amazonaws.com"}}, "cloudformation:*", "no"),
])  # fmt: skip
def test_a_stack_asks_with_the_rights_of_its_maker(
    condition: dict[str, Any], more: str, expected: str
) -> None:
    made = Account().user("ana", allow("iam:PutUserPolicy", USER, **condition), allow(more))
    assert made.can() == expected


@pytest.mark.parametrize(("condition", "more", "expected"), [
    ({"Null": {"lambda:Layer": "true"}}, (), "no"),
    ({"ForAllValues:StringLike": {"lambda:Layer": "arn:aws:lambda:*:*:layer:*:*"}}, (), "yes"),
    ({"ForAllValues:StringLike": {"lambda:Layer": f"arn:aws:lambda:*:{A}:layer:*:*"}}, (), "no"),
    ({"ForAllValues:StringLike": {"lambda:Layer": f"arn:aws:lambda:*:{A}:layer:*:*"}},
     ("lambda:PublishLayerVersion",), "yes"),
])  # fmt: skip
def test_which_layers_a_function_may_get(
    condition: dict[str, Any], more: tuple[str, ...], expected: str
) -> None:
    made = Account().user("ana", allow("lambda:UpdateFunctionConfiguration", "*", **condition),
                          allow(["lambda:GetLayerVersion", *more])).admin(service("lambda.amazonaws.com"))  # fmt: skip
    assert made.add(F, "aws_lambda_function", {"FunctionArn": F, "Role": ADMIN}).can() == expected


@pytest.mark.parametrize(("region", "expected"), [("eu-west-1", "yes"), ("us-east-1", "no")])
def test_what_there_is_is_asked_for_where_it_is(region: str, expected: str) -> None:
    own = allow("ssm:StartSession", "*", StringEquals={"aws:RequestedRegion": region})
    made = (
        Account().user("ana", own).admin(service(EC2), profile=True).add(I, "aws_ec2_instance", BOX)
    )
    assert made.can() == expected


@pytest.mark.parametrize(
    ("spared", "expected"), [(USER, "yes"), (f"arn:aws:iam::{A}:user/bob", "no")]
)
def test_an_account_among_the_spared_spares_not_everybody(spared: str, expected: str) -> None:
    root = f"arn:aws:iam::{A}:root"
    wall = {"Effect": "Deny", "NotPrincipal": {"AWS": [spared, root]}, "Action": "sts:AssumeRole"}
    made = Account().user("ana", allow("sts:AssumeRole")).admin([*aws(root), wall])
    assert made.can() == expected


@pytest.mark.parametrize("key", ["aws:SourceIdentity", "aws:PrincipalServiceNamesList"])
def test_keys_that_a_user_never_shows(key: str) -> None:
    assert (
        Account().user("ana", allow("iam:PutUserPolicy", "*", StringEquals={key: "x"})).can()
        == "no"
    )
    wanted = {"Null": {key: "true"}}
    assert Account().user("ana", allow("iam:PutUserPolicy", "*", **wanted)).can() == "yes"


@pytest.mark.parametrize(("asked", "tagged", "expected"), [
    ("sts:TagSession", "sts:TagSession", "yes"),
    ("sts:TagSession", "sts:GetCallerIdentity", "no"),
    ("sts:GetCallerIdentity", "sts:TagSession", "no"),
])  # fmt: skip
def test_a_session_whose_tags_let_it_write_its_own_role(
    asked: str, tagged: str, expected: str
) -> None:
    role = f"arn:aws:iam::{A}:role/r"
    own = allow("iam:PutRolePolicy", role, StringEquals={"aws:PrincipalTag/level": "9"})
    trust = [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{A}:root"},
            "Action": ["sts:AssumeRole", tagged],
        }
    ]
    made = Account().user("ana", allow(["sts:AssumeRole", asked])).role("r", trust, own)
    assert made.can() == expected


@pytest.mark.parametrize(
    ("key", "expected"), [("iam:PermissionsBoundary", "yes"), ("aws:SourceVpc", "unknown")]
)
def test_an_administrator_names_the_boundary_of_what_it_makes(key: str, expected: str) -> None:
    wall = deny("iam:CreateRole") | {"Condition": {"StringNotEquals": {key: LIMIT}}}
    made = Account().user("ana", allow("*")).policy("limit", [allow("s3:*")])
    made.user("boss", allow("*"), **attached("wall")).policy("wall", [wall])
    found = Escalation(made.estate()).admins[f"arn:aws:iam::{A}:user/boss"]
    assert found.value == expected


@pytest.mark.parametrize(("asks", "devices", "more", "expected"), [
    (True, 1, (), "unknown"),
    (False, 1, (), "yes"),
    (True, 0, (), "no"),
    (True, 1, ("iam:EnableMFADevice", "iam:CreateVirtualMFADevice"), "yes"),
    (True, 1, ("iam:EnableMFADevice",), "unknown"),
])  # fmt: skip
def test_a_key_shows_no_mfa(asks: bool, devices: int, more: tuple[str, ...], expected: str) -> None:
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}} if asks else {}
    made = Account().user("ana", allow(["iam:CreateAccessKey", *more]))
    made.user("boss", allow("*", "*", **condition), list_mfa_devices={"MFADevices": [{}] * devices})
    assert made.can() == expected
