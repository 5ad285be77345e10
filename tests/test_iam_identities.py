"""Identities that change themselves and each other, and what is told of their power."""

from __future__ import annotations

from typing import Any

import pytest

from secinbox.estate import Item
from secinbox.iam import escalations, privilege
from tests.accounts import (
    ADMIN,
    EC2,
    MANAGED,
    PASS,
    RUNNING,
    STACK,
    USER,
    A,
    Account,
    B,
    I,
    R,
    allow,
    attached,
    aws,
    bounded,
    deny,
    document,
    service,
)

# Identities


def _self(action: str, resource: str = "*") -> Account:
    return Account().user("ana", allow(action, resource))


CHANGES: list[tuple[str, Account, str, str]] = [
    ("writes its own policy", _self("iam:PutUserPolicy", USER), USER, "yes"),
    ("writes somebody else's policy", _self("iam:PutUserPolicy", USER + "2").user("ana2"), USER, "no"),
    ("attaches to itself", _self("iam:AttachUserPolicy"), USER, "yes"),
    ("attaches only a harmless policy", Account().user("ana", allow("iam:AttachUserPolicy", "*", ArnEquals={
        "iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"})), USER, "no"),
    ("attaches an administrator policy by name", Account().user("ana", allow("iam:AttachUserPolicy", "*", ArnEquals={
        "iam:PolicyARN": MANAGED})), USER, "yes"),
    ("attaches own policies, and may create them", Account().user(
        "ana", allow("iam:AttachUserPolicy", "*", ArnLike={"iam:PolicyARN": f"arn:aws:iam::{A}:policy/dev-*"}),
        allow("iam:CreatePolicy")), USER, "yes"),
    ("attaches own policies, and there is none", Account().user(
        "ana", allow("iam:AttachUserPolicy", "*", ArnLike={
            "iam:PolicyARN": f"arn:aws:iam::{A}:policy/dev-*"})), USER, "no"),
    ("writes its own policy, boundary stays", Account().user(
        "ana", allow("iam:PutUserPolicy"), **bounded("b")).policy("b", [allow("s3:*"), allow("iam:PutUserPolicy")]),
     USER, "no"),
    ("and removes the boundary", Account().user(
        "ana", allow("iam:PutUserPolicy"), allow("iam:DeleteUserPermissionsBoundary"), **bounded("b")).policy(
            "b", [allow("iam:*")]), USER, "yes"),
    ("writes its own policy only with a boundary", Account().user("ana", allow("iam:PutUserPolicy", "*", StringEquals={
        "iam:PermissionsBoundary": f"arn:aws:iam::{A}:policy/b"})), USER, "no"),
    ("new version of its policy", Account().user("ana", **attached("p")).policy(
        "p", [allow("iam:CreatePolicyVersion", f"arn:aws:iam::{A}:policy/p")]), USER, "yes"),
    ("new version of a policy that is not its own", Account().user(
        "ana", allow("iam:CreatePolicyVersion", f"arn:aws:iam::{A}:policy/q")).policy("q", [allow("s3:*")]), USER, "no"),
    ("new version of Amazon's policy", Account().user("ana", allow(
        "iam:CreatePolicyVersion", "arn:aws:iam::aws:policy/*"), **attached(MANAGED.replace(
            "AdministratorAccess", "PowerUserAccess"))), USER, "no"),
    ("five versions are the limit", Account().user("ana", **attached("p")).policy(
        "p", *[[allow("iam:CreatePolicyVersion")]] * 5), USER, "no"),
    ("five versions and one may go", Account().user("ana", **attached("p")).policy(
        "p", *[[allow(["iam:CreatePolicyVersion", "iam:DeletePolicyVersion"])]] * 5), USER, "yes"),
    ("older version is wider", Account().user("ana", **attached("p")).policy(
        "p", [allow("iam:SetDefaultPolicyVersion")], [allow("*")]), USER, "yes"),
    ("older version is not wider", Account().user("ana", **attached("p")).policy(
        "p", [allow("iam:SetDefaultPolicyVersion")], [allow("s3:*")]), USER, "no"),
    ("only one version", Account().user("ana", **attached("p")).policy(
        "p", [allow("iam:SetDefaultPolicyVersion")]), USER, "no"),
    ("joins the administrators", _self("iam:AddUserToGroup").group("admins", allow("*")), USER, "yes"),
    ("joins others", _self("iam:AddUserToGroup").group("readers", allow("s3:*")), USER, "no"),
    ("joins a group that it can write", Account().user(
        "ana", allow(["iam:AddUserToGroup", "iam:PutGroupPolicy"])).group("g"), USER, "yes"),
    ("writes its group", Account().user("ana", allow("iam:PutGroupPolicy"), GroupList=["g"]).group("g"), USER, "yes"),
    ("writes a group that it is not in", _self("iam:PutGroupPolicy").group("g"), USER, "no"),
    ("attaches to a role that nobody may assume", _self("iam:AttachRolePolicy").role("r", service(EC2)), USER, "no"),
    ("attaches to a role that it may assume", _self("iam:AttachRolePolicy").role("r", aws(USER)), USER, "yes"),
    ("a role attaches to itself", Account().role("r", service(EC2), allow("iam:AttachRolePolicy")),
     f"arn:aws:iam::{A}:role/r", "yes"),
    ("rewrites a trust", _self("iam:UpdateAssumeRolePolicy").admin(service(EC2)), USER, "yes"),
    ("rewrites the trust of a linked role", _self("iam:UpdateAssumeRolePolicy").role(
        "admin", service(EC2), allow("*"), path="/aws-service-role/x/"), USER, "no"),
    ("rewrites the trust of an Identity Center role", _self("iam:UpdateAssumeRolePolicy").role(
        "admin", service(EC2), allow("*"), path="/aws-reserved/sso.amazonaws.com/"), USER, "no"),
    ("key of an administrator", _self("iam:CreateAccessKey").user("root", allow("*"), keys=1),
     USER, "yes"),
    ("two keys are the limit", _self("iam:CreateAccessKey").user("root", allow("*"), keys=2), USER, "no"),
    ("two keys and one may go", Account().user("ana", allow(["iam:CreateAccessKey", "iam:DeleteAccessKey"])).user(
        "root", allow("*"), keys=2), USER, "yes"),
    ("gives a password", _self("iam:CreateLoginProfile").user("root", allow("*")), USER, "yes"),
    ("there is a password", _self("iam:CreateLoginProfile").user("root", allow("*"), password=True), USER, "no"),
    ("changes a password", _self("iam:UpdateLoginProfile").user("root", allow("*"), password=True), USER, "yes"),
    ("there is no password", _self("iam:UpdateLoginProfile").user("root", allow("*")), USER, "no"),
    ("nobody read whether there is one", _self("iam:UpdateLoginProfile").user(
        "root", allow("*"), password=None), USER, "unknown"),
    ("an MFA device stands in the way", _self("iam:UpdateLoginProfile").user(
        "root", allow("*"), password=True, list_mfa_devices={"MFADevices": [{}]}), USER, "no"),
    ("own key is nothing new", _self("iam:CreateAccessKey", USER), USER, "no"),
    ("assumes", Account().user("ana", allow("sts:AssumeRole", ADMIN)).admin(aws(f"arn:aws:iam::{A}:root")), USER, "yes"),
    ("may assume, is not trusted", Account().user("ana", allow("sts:AssumeRole")).admin(service(EC2)), USER, "no"),
    ("is trusted with its account, may not assume", Account().user("ana").admin(
        aws(f"arn:aws:iam::{A}:root")), USER, "no"),
    ("is trusted by name", Account().user("ana").admin(aws(USER)), USER, "yes"),
    ("is trusted by its unique id", Account().user("ana").admin(aws("AIDAANA0000000000000")), USER, "yes"),
    ("a deleted user is trusted", Account().user("ana").admin(aws("AIDAXXXXXXXXXXXXXXXX")), USER, "no"),
    ("is trusted by name and denied", Account().user("ana", deny("sts:AssumeRole")).admin(aws(USER)), USER, "no"),
    ("anybody is trusted", Account().user("ana").admin(aws("*")), USER, "no"),
    ("trusted with a tag that it lacks", Account().user("ana", allow("sts:AssumeRole")).admin(
        aws(f"arn:aws:iam::{A}:root", StringEquals={"aws:PrincipalTag/team": "x"})), USER, "no"),
    ("trusted from one network", Account().user("ana").admin(
        aws(USER, IpAddress={"aws:SourceIp": "203.0.113.0/24"})), USER, "unknown"),
    ("trusted with an external id it can read", Account().user("ana", allow(["sts:AssumeRole", "iam:GetRole"])).admin(
        aws(f"arn:aws:iam::{A}:root", StringEquals={"sts:ExternalId": "x"})), USER, "yes"),
    ("trusted with an external id", Account().user("ana", allow("sts:AssumeRole")).admin(
        aws(f"arn:aws:iam::{A}:root", StringEquals={"sts:ExternalId": "x"})), USER, "unknown"),
    ("only sessions since 2020, asked by a user", Account().user("ana", allow("*", "*", DateGreaterThan={
        "aws:TokenIssueTime": "2020-01-01T00:00:00Z"})), USER, "no"),
    ("only sessions since 2020, asked by a role", Account().role("r", service(EC2), allow("*", "*", DateGreaterThan={
        "aws:TokenIssueTime": "2020-01-01T00:00:00Z"})), f"arn:aws:iam::{A}:role/r", "yes"),
    ("three hops", Account().user("ana", allow("sts:AssumeRole")).role(
        "one", aws(USER), allow("iam:PassRole"), allow(["lambda:CreateFunction", "lambda:InvokeFunction"])).role(
        "two", service("lambda.amazonaws.com"), allow("iam:CreateAccessKey")).user("root", allow("*")), USER, "yes"),
    ("a circle of trusts", Account().user("ana").role("a", aws(f"arn:aws:iam::{A}:role/b")).role(
        "b", aws(f"arn:aws:iam::{A}:role/a")), f"arn:aws:iam::{A}:role/a", "no"),
    ("what one may change, another may become", Account().user("ana", allow("iam:AttachRolePolicy")).role(
        "worker", aws(f"arn:aws:iam::{A}:user/bob")).user("bob"), USER, "no"),
    ("deletes the policy that denies it", Account().user("ana", allow("*"), UserPolicyList=[
        {"PolicyName": "all", "PolicyDocument": document([allow("*")])},
        {"PolicyName": "stop", "PolicyDocument": document([deny(["iam:AttachUserPolicy", "iam:CreateUser"])])}]),
     USER, "yes"),
    ("everything denied", Account().user("ana", allow("*"), deny("*")), USER, "no"),
    ("allow and deny in two policies", Account().user("ana", allow("iam:*"), deny("iam:*")), USER, "no"),
    ("two policies together", Account().user("ana", **attached("p", "q")).policy(
        "p", [allow("iam:PassRole")]).policy("q", [allow(["lambda:CreateFunction", "lambda:InvokeFunction"])]).admin(
        service("lambda.amazonaws.com")), USER, "yes"),
    ("names that do not fit together", Account().user(
        "ana", allow("iam:PassRole"), allow("lambda:CreateFunction", "arn:aws:lambda:*:*:function:a-*"),
        allow("lambda:InvokeFunction", "arn:aws:lambda:*:*:function:b-*")).admin(
        service("lambda.amazonaws.com")), USER, "no"),
    ("names that fit", Account().user(
        "ana", allow("iam:PassRole"), allow("lambda:CreateFunction", "arn:aws:lambda:*:*:function:a-*"),
        allow("lambda:InvokeFunction", "arn:aws:lambda:*:*:function:*")).admin(
        service("lambda.amazonaws.com")), USER, "yes"),
    ("a misspelt action", Account().user("ana", allow(["iam:PassRoles", "lambda:CreateFunctions"])).admin(
        service("lambda.amazonaws.com")), USER, "no"),
    ("iam star", _self("iam:*"), USER, "yes"),
    ("iam star on some names", _self("iam:*", f"arn:aws:iam::{A}:user/dev-*"), USER, "yes"),  # a new one
    ("iam star on one name", _self("iam:*", f"arn:aws:iam::{A}:policy/dev"), USER, "no"),
    ("all but iam", Account().user("ana", {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}), USER, "no"),
    ("split in two", Account().user("ana", {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
                                    allow("iam:*")), USER, "yes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("account", "arn", "expected"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES]
)
def test_identities(account: Account, arn: str, expected: str) -> None:
    if arn == USER and not any(i.uid == USER for i in account.items):
        account.user("ana")
    assert account.can(arn) == expected


def test_another_account_counts_once_the_organisation_is_known() -> None:
    far = f"arn:aws:iam::{B}:role/admin"
    made = Account().user("ana", allow("sts:AssumeRole", far))
    made.role("admin", aws(f"arn:aws:iam::{A}:root"), allow("*"), account=B)
    found = {s.resource: s for s in privilege(made.estate())}[USER]
    assert (found.value, {e.kind for e in found.evidence}) == ("yes", {"wide_reach", "granted"})
    made.covered |= {f"aws:{x}/global/organizations.describe_organization" for x in (A, B)}
    found = {s.resource: s for s in privilege(made.estate())}[USER]
    assert (found.value, {e.kind for e in found.evidence}) == ("yes", {"escalation", "granted"})


def test_an_organisation_policy_stops_it() -> None:
    made = Account().user("ana", allow("sts:AssumeRole")).admin(aws(USER))
    uid = f"arn:aws:organizations::{B}:policy/o-1/service_control_policy/p-1"
    import json

    made.add(uid, "aws_organizations_policy", {
        "PolicySummary": {"Id": "p-1", "Type": "SERVICE_CONTROL_POLICY"},
        "Content": json.dumps(document([allow("*"), deny("sts:AssumeRole")])),
        "list_targets_for_policy": {"Targets": [{"TargetId": A}]}})  # fmt: skip
    assert made.can() == "no"


def test_the_steps_are_told_and_are_edges() -> None:
    made = Account().user("ana", PASS, allow(["lambda:CreateFunction", "lambda:InvokeFunction"]))
    made.admin(service("lambda.amazonaws.com"))
    step = escalations(made.estate())[0]
    assert (step.source, step.target, step.move, step.certain) == (USER, ADMIN, "lambda-001", True)
    found = {s.resource: s for s in privilege(made.estate())}[USER]
    assert found.evidence[0].kind == "escalation"
    assert found.evidence[0].steps == (step.sentence,)
    assert "iam:passrole" in found.evidence[0].text


def test_what_runs_as_an_administrator_is_privileged() -> None:
    made = Account().admin(service(EC2), profile=True).add(I, "aws_ec2_instance", dict(RUNNING))
    estate = made.estate()
    estate.relate(I, "has_identity", f"arn:aws:iam::{A}:instance-profile/admin")
    estate.add(Item(f"arn:aws:iam::{A}:instance-profile/admin", "aws_iam_instance_profile", "admin", "aws", A, "",
                    {}, {"Roles": [{"Arn": ADMIN}]}))  # fmt: skip
    found = {s.resource: s for s in privilege(estate)}[I]
    assert (found.value, found.evidence[0].kind) == ("yes", "administrator")


def test_restricted_data_and_wide_reach() -> None:
    bucket = "arn:aws:s3:::invoices"
    tags = {"data_class": "restricted"}
    made = (
        Account()
        .user("ana", allow("s3:GetObject", f"{bucket}/*"))
        .add(bucket, "aws_s3_bucket", {"Name": "i"}, tags)
    )
    found = {s.resource: s for s in privilege(made.estate())}[USER]
    assert (found.value, {e.kind for e in found.evidence}) == ("yes", {"bulk_data", "granted"})
    made = (
        Account()
        .user("ana", allow("s3:GetObject", f"{bucket}/*"))
        .add(bucket, "aws_s3_bucket", {"Name": "i"})
    )
    assert {s.resource: s for s in privilege(made.estate())}[USER].value == "no"
    made = Account().user("ana", allow("s3:*"))
    found = {s.resource: s for s in privilege(made.estate())}[USER]
    assert (found.value, {e.kind for e in found.evidence}) == ("yes", {"wide_reach", "granted"})


@pytest.mark.parametrize(("kind", "uid", "config", "value"), [
    ("aws_ec2_instance", I, {"InstanceId": "i-1"}, "no"),
    ("aws_ec2_instance", I, {}, None),
    ("aws_ec2_instance", I, {"InstanceId": "i-1", "IamInstanceProfile": {}}, None),
    ("aws_ec2_instance", I, {"InstanceId": "i-1", "IamInstanceProfile": {"Arn": "arn:aws:iam::1:instance-profile/x"}}, None),
    ("aws_ec2_instance", I, {"InstanceId": "i-1", "iam_instance_profile_association": {}}, None),
    ("aws_rds_instance", f"arn:aws:rds:{R}:{A}:db:d", {"AssociatedRoles": []}, "no"),
    ("aws_rds_instance", f"arn:aws:rds:{R}:{A}:db:d", {}, None),
    ("aws_rds_instance", f"arn:aws:rds:{R}:{A}:db:d", {"AssociatedRoles": [{"RoleArn": ADMIN}]}, "yes"),
    ("aws_rds_instance", f"arn:aws:rds:{R}:{A}:db:d", {"AssociatedRoles": [{"RoleArn": f"{ADMIN}x"}]}, "unknown"),
    ("aws_redshift_cluster", f"arn:aws:redshift:{R}:{A}:cluster:c", {"IamRoles": []}, "no"),
    ("aws_redshift_cluster", f"arn:aws:redshift:{R}:{A}:cluster:c", {}, None),
    ("aws_ecs_task_definition", f"arn:aws:ecs:{R}:{A}:task-definition/t:1", {"taskDefinitionArn": "t"}, "no"),
    ("aws_ecs_task_definition", f"arn:aws:ecs:{R}:{A}:task-definition/t:1", {}, None),
    ("aws_cloudformation_stack", STACK, {"StackStatus": "CREATE_COMPLETE", "DisableRollback": False}, "no"),
    ("aws_cloudformation_stack", STACK, {"StackStatus": "CREATE_COMPLETE"}, None),
])  # fmt: skip
def test_what_runs_as_nobody(
    kind: str, uid: str, config: dict[str, Any], value: str | None
) -> None:
    estate = Account().admin(service("rds.amazonaws.com")).add(uid, kind, config).estate()
    found = {s.resource: s for s in privilege(estate)}.get(uid)
    assert (found.value if found else None) == value
    if value == "no" and found is not None:
        assert found.evidence[0].text == "it runs as no identity"


def test_a_policy_that_was_not_read_is_no_silent_no() -> None:
    made = Account().user("ana", **attached("gone"))
    found = {s.resource: s for s in privilege(made.estate())}[USER]
    assert (found.value, found.evidence[0].kind) == ("unknown", "gap")
