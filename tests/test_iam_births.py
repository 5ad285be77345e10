"""Who makes a new role, user or group for itself; each condition flipped."""

from __future__ import annotations

from typing import Any

import pytest

from tests.accounts import USER, A, Account, allow, aws, bounded, deny

ROLES, USERS, GROUPS = (f"arn:aws:iam::{A}:{k}/new-*" for k in ("role", "user", "group"))
STRONG = f"arn:aws:iam::{A}:policy/strong"
WEAK = f"arn:aws:iam::{A}:policy/weak"
ROLE = [allow(["iam:CreateRole", "iam:PutRolePolicy"], ROLES)]
PERSON = [allow(["iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateAccessKey"], USERS)]
GROUP = [allow(["iam:CreateGroup", "iam:PutGroupPolicy", "iam:AddUserToGroup"], GROUPS)]


def ana(*statements: dict[str, Any], **more: Any) -> Account:
    account = Account().user("ana", *statements, **more)
    # One boundary keeps identities out; the other only forbids to take it away.
    account.policy("strong", [allow("s3:*")])
    return account.policy("weak", [allow("*"), deny("iam:DeleteRolePermissionsBoundary")])


def under(boundary: str, *more: dict[str, Any]) -> Account:
    """Roles that she makes have to bear this boundary."""
    bears = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    return ana(allow(["iam:CreateRole", "iam:PutRolePolicy"], ROLES, **bears), *more)


@pytest.mark.parametrize(
    ("account", "value"),
    [
        (ana(*ROLE), "yes"),
        (ana(allow("iam:CreateRole", ROLES)), "no"),
        (ana(allow("iam:PutRolePolicy", ROLES)), "no"),
        (ana(allow("iam:CreateRole", ROLES), allow("iam:PutRolePolicy", f"{ROLES[:-5]}old-*")), "no"),
        (ana(*ROLE, deny("sts:AssumeRole")), "no"),
        (ana(*ROLE, deny("iam:PutRolePolicy", ROLES)), "no"),
        (ana(allow("iam:CreateRole", ROLES), allow("iam:AttachRolePolicy", ROLES)), "yes"),
        (ana(allow("iam:CreateRole", ROLES), allow("iam:AttachRolePolicy", ROLES, ArnEquals={
            "iam:PolicyARN": STRONG})), "no"),
        (ana(*PERSON), "yes"),
        (ana(*PERSON, deny("iam:CreateAccessKey")), "no"),
        (ana(*PERSON, deny(["iam:CreateAccessKey", "iam:AttachUserPolicy"])), "no"),
        (ana(*GROUP), "yes"),
        (ana(*GROUP, deny("iam:AddUserToGroup")), "no"),
        (ana(*GROUP, deny("iam:CreateUser")), "yes"),  # she takes her own policy away then
        # What is denied to her stays denied, and is no limit of a role of her own.
        (ana(*GROUP, deny(["iam:CreateUser", "iam:*UserPolicy"])), "yes"),
        (ana(*GROUP, deny(["iam:CreateUser", "iam:*UserPolicy", "iam:CreateRole"])), "no"),
        (ana(*PERSON, **bounded("strong")), "no"),
        (under(STRONG), "no"),
        (under(WEAK), "yes"),
        (under(STRONG, allow("iam:DeleteRolePermissionsBoundary", ROLES)), "yes"),
        (under(STRONG, allow("iam:PutRolePermissionsBoundary", ROLES)), "yes"),
        (under(STRONG, allow("iam:PutRolePermissionsBoundary", ROLES, StringEquals={
            "iam:PermissionsBoundary": STRONG})), "no"),
        (under(STRONG, allow("iam:CreatePolicyVersion", STRONG)), "yes"),
        (under(f"arn:aws:iam::{A}:policy/nobody-read-it"), "unknown"),
    ],
)  # fmt: skip
def test_flips(account: Account, value: str) -> None:
    assert account.can(USER) == value


def test_a_role_that_makes_roles() -> None:
    account = ana().role("ci", aws(USER), *ROLE)
    assert account.can(f"arn:aws:iam::{A}:role/ci") == "yes"
    assert ana().role("ci", aws(USER), *GROUP).can(f"arn:aws:iam::{A}:role/ci") == "no"
