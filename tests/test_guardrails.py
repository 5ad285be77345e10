"""Resource control policies: what an organisation denies to whoever asks for something in its accounts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secinbox.estate import Estate, Item
from secinbox.iam import Evaluator, World
from secinbox.network import exposure
from tests.test_network_stores import ACCOUNT, BUCKET, EVERYONE, REGION, allow, grants, policy

OTHER, HEAD = "444455556666", "999988887777"
ORG = {"aws:PrincipalOrgID": "o-1"}
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:work"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
ANY_GITHUB = {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}
NONE = {"Error": "NoSuchPublicAccessBlockConfiguration"}


def deny(action: Any = "*", **conditions: Any) -> dict[str, Any]:
    found = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
    return found | ({"Condition": conditions} if conditions else {})


PERIMETER = deny(["s3:*", "sqs:*", "sts:AssumeRole"], StringNotEqualsIfExists=ORG,
                 BoolIfExists={"aws:PrincipalIsAWSService": "false"})  # fmt: skip
FULL = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


def estate(*wall: dict[str, Any], on: str = ACCOUNT, master: str = HEAD, bucket: dict[str, Any] | None = None,
           kind: str = "RESOURCE_CONTROL_POLICY") -> Estate:  # fmt: skip
    """A bucket, a queue and a role that everyone may use, below the organisation's policy."""
    made = Estate()

    def add(uid: str, what: str, config: dict[str, Any], account: str = ACCOUNT) -> None:
        made.add(Item(uid, what, uid, "aws", account, REGION, {}, config))

    read = allow(Action="s3:GetObject", Resource=f"{BUCKET}/*")
    add(BUCKET, "aws_s3_bucket", bucket or {
        "get_bucket_policy": {"Policy": policy(read)}, "get_bucket_acl": {"Grants": []},
        "get_public_access_block": NONE,
        "get_bucket_ownership_controls": {"Error": "OwnershipControlsNotFoundError"}})  # fmt: skip
    add(QUEUE, "aws_sqs_queue", {"get_queue_attributes": {"Attributes": {
        "Policy": policy(allow(Action="sqs:*", Resource=QUEUE))}}})  # fmt: skip
    add(ROLE, "aws_iam_role", {
        "RoleName": "app", "RolePolicyList": [], "AttachedManagedPolicies": [],
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]}})  # fmt: skip
    add(f"arn:aws:iam::{ACCOUNT}:root", "aws_account", {
        "s3control": NONE,
        "describe_organization": {"Organization": {"Id": "o-1", "MasterAccountId": master}}})  # fmt: skip
    add("arn:aws:organizations::1:policy/o-1/resource_control_policy/p-1", "aws_organizations_policy", {
        "PolicySummary": {"Id": "p-1", "Name": "perimeter", "Type": kind},
        "Content": json.dumps({"Version": "2012-10-17", "Statement": [FULL, *wall]}),
        "list_targets_for_policy": {"Targets": [{"TargetId": on}]}}, HEAD)  # fmt: skip
    return made


def public(made: Estate, uid: str) -> tuple[str, str]:
    found = {s.resource: s for s in exposure(made)}[uid]
    return found.value, found.evidence[0].text


@pytest.mark.parametrize("uid", [BUCKET, QUEUE, ROLE])
def test_a_perimeter_shuts_what_its_own_policy_opens(uid: str) -> None:
    assert public(estate(), uid)[0] == "yes"
    assert public(estate(PERIMETER), uid)[0] == "no"
    assert public(estate(deny()), uid)[0] == "no"
    # of another account, of a kind that binds callers, over the account at the head
    assert public(estate(PERIMETER, on=OTHER), uid)[0] == "yes"
    assert public(estate(PERIMETER, kind="SERVICE_CONTROL_POLICY"), uid)[0] == "yes"
    assert public(estate(PERIMETER, master=ACCOUNT), uid)[0] == "yes"
    # what a stranger can do without
    assert public(estate(deny(Bool={"aws:SecureTransport": "false"})), uid)[0] == "yes"
    assert public(estate(deny("ec2:*")), uid)[0] == "yes"
    # from some addresses only; a key that nobody understands
    corporate = {"aws:SourceIp": ["203.0.113.0/24"]}
    value, text = public(estate(deny(NotIpAddress=corporate)), uid)
    assert (value, "203.0.113.0/24" in text) == ("no", True)
    assert public(estate(deny(StringEquals={"aws:Unheard": "x"})), uid)[0] == "unknown"


def test_a_unit_binds_the_accounts_that_it_is_known_to_hold() -> None:
    def held(parent: str) -> Estate:
        made = estate(PERIMETER, on="ou-1")
        made.relate(f"arn:aws:iam::{ACCOUNT}:root", "member_of", parent)
        return made

    assert public(estate(PERIMETER, on="r-1"), BUCKET)[0] == "no"
    value, text = public(estate(PERIMETER, on="ou-1"), BUCKET)
    assert value == "unknown" and "unit of the organisation" in text
    assert public(estate(deny("ec2:*"), on="ou-1"), BUCKET)[0] == "yes"
    assert public(held("ou-1"), BUCKET)[0] == "no"
    assert public(held("ou-2"), BUCKET)[0] == "yes"


def test_a_perimeter_shuts_what_an_acl_opens() -> None:
    by_acl = {
        "get_bucket_policy": {"Error": "NoSuchBucketPolicy"}, "get_bucket_acl": grants(EVERYONE),
        "get_public_access_block": NONE,
        "get_bucket_ownership_controls": {"Error": "OwnershipControlsNotFoundError"}}  # fmt: skip
    assert public(estate(bucket=by_acl), BUCKET)[0] == "yes"
    assert public(estate(PERIMETER, bucket=by_acl), BUCKET)[0] == "no"
    assert public(estate(PERIMETER, bucket=by_acl, on=OTHER), BUCKET)[0] == "yes"


@pytest.mark.parametrize(("wall", "expected"), [
    ((), "yes"),
    ((deny("sts:AssumeRoleWithWebIdentity"),), "no"),
    ((deny("sts:*", StringNotEqualsIfExists=ORG),), "no"),
    ((deny("sts:*", StringNotEquals=ORG, Null={"aws:PrincipalOrgID": "false"}),), "yes"),
    ((deny("sts:*", StringNotLike={"token.actions.githubusercontent.com:sub": "repo:ours/*"}),), "unknown"),
])  # fmt: skip
def test_who_comes_with_a_token(wall: tuple[dict[str, Any], ...], expected: str) -> None:
    made = estate(*wall)
    made.items[ROLE].config["AssumeRolePolicyDocument"] = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"},
        "Condition": {"StringEquals": ANY_GITHUB}}]}  # fmt: skip
    assert public(made, ROLE)[0] == expected


@pytest.mark.parametrize(("wall", "on", "expected"), [
    ((), ACCOUNT, "yes"),
    ((PERIMETER,), ACCOUNT, "no"),  # nobody says that the other account is in the organisation
    ((deny("s3:GetObject"),), ACCOUNT, "no"),
    ((deny("s3:PutObject"),), ACCOUNT, "yes"),
    ((deny("s3:GetObject"),), OTHER, "yes"),  # binds what is in the caller's account, not the caller
    ((deny("s3:GetObject", StringEquals={"aws:PrincipalAccount": OTHER}),), ACCOUNT, "no"),
    ((deny("s3:GetObject", StringNotEquals={"aws:PrincipalAccount": OTHER}),), ACCOUNT, "yes"),
])  # fmt: skip
def test_a_caller_of_another_account(
    wall: tuple[dict[str, Any], ...], on: str, expected: str
) -> None:
    made = estate(*wall, on=on)
    user = f"arn:aws:iam::{OTHER}:user/ana"
    own = {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}}  # fmt: skip
    made.add(
        Item(
            user,
            "aws_iam_user",
            "ana",
            "aws",
            OTHER,
            "",
            {},
            {"UserName": "ana", "UserPolicyList": [own]},
        )
    )
    evaluator = Evaluator(World(made))
    # What the organisation of the caller is, was not read: its key is absent or foreign.
    found = evaluator.can(user, "s3:GetObject", f"{BUCKET}/a", {"aws:PrincipalOrgID": None})
    assert found.value == expected
