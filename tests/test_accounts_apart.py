"""What an account may do to another, and what an organisation denies: one condition flipped at a time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secinbox.iam.escalation import Escalation
from secinbox.network import exposure
from secinbox.network.subjects import shared
from tests.accounts import A, Account, allow, aws

B, MASTER, R = "999900001111", "555566667777", "eu-west-1"
ROOTS = {x: f"arn:aws:iam::{x}:root" for x in (A, B, MASTER)}
TARGET = f"arn:aws:iam::{B}:role/target"


def organised(
    made: Account, *, master: str = MASTER, **policies: tuple[str, dict[str, Any]]
) -> Account:
    """policies: name -> (kind, statement); all hang on the root of the organisation."""
    for account in (A, B):
        made.covered.add(f"aws:{account}/global/organizations.describe_organization")
        made.add(ROOTS[account], "aws_account", {
            "describe_organization": {"Organization": {"Id": "o-1", "MasterAccountId": master}},
            "list_parents": {"Parents": [{"Id": "r-1"}]}})  # fmt: skip
    for name, (kind, statement) in policies.items():
        uid = f"arn:aws:organizations::{master}:policy/o-1/{kind.lower()}/{name}"
        made.add(uid, "aws_organizations_policy", {
            "Id": name, "Name": name, "Type": kind, "Content": json.dumps({"Statement": [statement]}),
            "list_targets_for_policy": {"Targets": [{"TargetId": "r-1"}]}})  # fmt: skip
    return made


def fence(action: str, **condition: Any) -> tuple[str, dict[str, Any]]:
    return "RESOURCE_CONTROL_POLICY", {"Effect": "Deny", "Principal": "*", "Action": action,
                                       "Resource": "*", "Condition": condition}  # fmt: skip


OUTSIDE = {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"},
           "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}  # fmt: skip
ELSEWHERE = {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-2"}}


def reached(made: Account) -> str:
    """Whether the user of A surely, or perhaps, or never becomes the administrator of B."""
    found = Escalation(made.estate())
    user = f"arn:aws:iam::{A}:user/ana"
    for certain, value in ((True, "yes"), (False, "unknown")):
        if TARGET in found.reachable(user, certain):
            return value
    return "no"


def caller(*actions: str) -> Account:
    return Account().user("ana", allow([*actions]))


def trusted(made: Account, **condition: Any) -> Account:
    return made.role("target", aws(ROOTS[A], **condition), allow("*"), account=B)


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (trusted(caller("sts:AssumeRole")), "yes"),
        (trusted(caller("sts:AssumeRole"), StringEquals={"sts:ExternalId": "x"}), "unknown"),
        # The calls that tell a trust policy know only the roles of the caller's own account.
        (trusted(caller("sts:AssumeRole", "iam:GetRole", "iam:List*"),
                 StringEquals={"sts:ExternalId": "x"}), "unknown"),
    ],
)  # fmt: skip
def test_an_external_id_of_another_account(made: Account, value: str) -> None:
    assert reached(made) == value


@pytest.mark.parametrize(
    ("master", "policy", "value"),
    [
        (MASTER, fence("sts:AssumeRole", **ELSEWHERE), "no"),
        (B, fence("sts:AssumeRole", **ELSEWHERE), "yes"),  # the management account is not bound
        (MASTER, fence("sts:AssumeRole", **OUTSIDE), "yes"),  # the caller is of the organisation
        (MASTER, fence("s3:GetObject", **ELSEWHERE), "yes"),
    ],
)
def test_a_resource_control_policy_over_a_role(
    master: str, policy: tuple[str, dict[str, Any]], value: str
) -> None:
    assert reached(organised(trusted(caller("sts:AssumeRole")), master=master, one=policy)) == value


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (Account().user("ana", allow("iam:PutUserPolicy", f"arn:aws:iam::{A}:user/${{aws:username}}")), "yes"),
        # A role has no user name: nothing is meant.
        (Account().role("ana", aws(ROOTS[B]), allow(
            "iam:PutRolePolicy", f"arn:aws:iam::{A}:role/${{aws:username}}")), "no"),
    ],
)  # fmt: skip
def test_a_variable_that_stands_for_nothing(made: Account, value: str) -> None:
    kind = "role" if made.items[0].type == "aws_iam_role" else "user"
    assert made.can(f"arn:aws:iam::{A}:{kind}/ana") == value


# Strangers

QUEUE, TOPIC = f"arn:aws:sqs:{R}:{A}:q", f"arn:aws:sns:{R}:{A}:t"
BUCKET, ROLE = "arn:aws:s3:::invoices", f"arn:aws:iam::{A}:role/t"


def opened() -> Account:
    def anyone(action: str) -> str:
        return json.dumps({"Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": "*"}]})  # fmt: skip

    made = Account().role("t", aws("*"))
    made.add(
        QUEUE,
        "aws_sqs_queue",
        {"get_queue_attributes": {"Attributes": {"Policy": anyone("sqs:*")}}},
    )
    made.add(
        TOPIC,
        "aws_sns_topic",
        {"get_topic_attributes": {"Attributes": {"Policy": anyone("sns:*")}}},
    )
    made.add(BUCKET, "aws_s3_bucket", {
        "get_bucket_policy": {"Policy": anyone("s3:GetObject")}, "get_bucket_acl": {"Grants": []},
        "get_public_access_block": {"Error": "NoSuchPublicAccessBlockConfiguration"}})  # fmt: skip
    made.items[-1].account = A
    made.add(ROOTS[A], "aws_account", {
        "s3control": {"Error": "NoSuchPublicAccessBlockConfiguration"}})  # fmt: skip
    return made


@pytest.mark.parametrize(
    ("policy", "closed"),
    [
        (None, set()),
        (
            fence("*", **OUTSIDE),
            {QUEUE, BUCKET, ROLE},
        ),  # SNS is none of the services that are bound
        (fence("sqs:*", **OUTSIDE), {QUEUE}),
        (fence("sts:*", **OUTSIDE), {ROLE}),
        (fence("s3:*", Bool={"aws:SecureTransport": "false"}), set()),
        (fence("sqs:*", NotIpAddress={"aws:SourceIp": "203.0.113.0/24"}), {QUEUE}),
    ],
)
def test_what_an_organisation_denies_strangers(
    policy: tuple[str, dict[str, Any]] | None, closed: set[str]
) -> None:
    made = organised(opened(), **({"one": policy} if policy else {}))
    found = {s.resource: s.value for s in exposure(made.estate())}
    assert {u for u in (QUEUE, TOPIC, BUCKET, ROLE) if found[u] == "no"} == closed
    assert {found[u] for u in (QUEUE, TOPIC, BUCKET, ROLE)} <= {"yes", "no"}


# Guests of identity pools

POOL = f"{R}:11111111-2222-3333-4444-555555555555"
COGNITO = "cognito-identity.amazonaws.com"
AUD = {"StringEquals": {f"{COGNITO}:aud": POOL}}


def amr(value: str) -> dict[str, Any]:
    return {"ForAnyValue:StringLike": {f"{COGNITO}:amr": value}}


def pooled(
    condition: dict[str, Any], *, role: str = ROLE, read: bool = True, **pool: Any
) -> Account:
    trust = [{"Effect": "Allow", "Principal": {"Federated": COGNITO},
              "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition}]  # fmt: skip
    made = Account().role("t", trust)
    if read:
        made.add(f"arn:aws:cognito-identity:{R}:{A}:identitypool/{POOL}",
                 "aws_cognito_identity_identity_pool", {
                     "IdentityPoolId": POOL, "AllowUnauthenticatedIdentities": True,
                     "get_identity_pool_roles": {"Roles": {"unauthenticated": role}}, **pool})  # fmt: skip
    return made


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (pooled({**AUD, **amr("unauthenticated")}), "yes"),
        (pooled(AUD), "yes"),
        (pooled({**AUD, **amr("*")}), "yes"),
        (pooled({**AUD, **amr("authenticated")}), "no"),
        (pooled(AUD, AllowUnauthenticatedIdentities=False), "no"),
        (pooled(AUD, role="other"), "no"),
        (pooled(AUD, role="other", AllowClassicFlow=True), "yes"),
        (pooled(AUD, get_identity_pool_roles=None), "unknown"),
        (pooled(AUD, read=False), "unknown"),
        (pooled(amr("unauthenticated"), read=False), "yes"),  # anybody's pool
    ],
)
def test_a_role_for_guests_of_an_identity_pool(made: Account, value: str) -> None:
    found = {s.resource: s for s in exposure(made.estate())}[ROLE]
    assert found.value == value, found


@pytest.mark.parametrize(
    ("issuer", "anyone"),
    [
        ("token.actions.githubusercontent.com", True),
        ("token.actions.githubusercontent.com/acme", False),  # of one enterprise
        ("app.terraform.io", True),
        ("oidc.circleci.com/org/1234", False),
        ("gitlab.acme.test", False),
    ],
)
def test_an_issuer_with_a_path_is_one_tenants(issuer: str, anyone: bool) -> None:
    assert shared(issuer) is anyone
    trust = [{"Effect": "Allow", "Principal": {"Federated": f"arn:aws:iam::{A}:oidc-provider/{issuer}"},
              "Action": "sts:AssumeRoleWithWebIdentity",
              "Condition": {"StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"}}}]  # fmt: skip
    found = {s.resource: s.value for s in exposure(Account().role("t", trust).estate())}
    assert found[ROLE] == ("yes" if anyone else "no")
