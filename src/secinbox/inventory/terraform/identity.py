"""Users, groups, roles and policies, as one answer of get-account-authorization-details.

Attachments that somebody made by hand are in no state: what is attached is what is known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from secinbox.inventory.terraform.answers import Answer, Blocks, answer, filled
from secinbox.inventory.terraform.blocks import Block

_ATTACHMENTS = {
    "user": "aws_iam_user_policy_attachment",
    "role": "aws_iam_role_policy_attachment",
    "group": "aws_iam_group_policy_attachment",
}


def answers(blocks: Blocks) -> Iterator[Answer]:
    details: dict[str, list[dict[str, Any]]] = {
        "UserDetailList": [],
        "GroupDetailList": [],
        "RoleDetailList": [],
        "Policies": [],
    }
    used: list[Block] = []
    for b in blocks.of("aws_iam_user"):
        name = b.text("name")
        groups = [g for m in blocks.where(name, "user", "aws_iam_user_group_membership")
                  for g in m.texts("groups")]  # fmt: skip
        members = [m for m in blocks.of("aws_iam_group_membership") if name in m.texts("users")]
        groups += [m.text("group") for m in members]
        details["UserDetailList"].append(
            {
                **_holder(blocks, b, "user", used),
                "UserName": name,
                "UserId": b.text("unique_id"),
                "GroupList": groups,
            }
        )
        used += [b, *members, *blocks.where(name, "user", "aws_iam_user_group_membership")]
    for b in blocks.of("aws_iam_group"):
        details["GroupDetailList"].append(
            {
                **_holder(blocks, b, "group", used),
                "GroupName": b.text("name"),
                "GroupId": b.text("unique_id"),
            }
        )
        used.append(b)
    for b in blocks.of("aws_iam_role"):
        profiles = blocks.where(b.text("name"), "role", "aws_iam_instance_profile")
        details["RoleDetailList"].append(
            {
                **_holder(blocks, b, "role", used),
                "RoleName": b.text("name"),
                "RoleId": b.text("unique_id"),
                "AssumeRolePolicyDocument": b.text("assume_role_policy"),
                "InstanceProfileList": [
                    {"Arn": p.arn, "InstanceProfileName": p.text("name"), "Roles": [{"Arn": b.arn}]}
                    for p in profiles
                    if p.arn
                ],
            }
        )
        used += [b, *profiles]
    for b in blocks.of("aws_iam_policy"):
        version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": b.text("policy")}
        details["Policies"].append(
            {
                "Arn": b.arn,
                "PolicyName": b.text("name"),
                "PolicyVersionList": [version],
                "Tags": b.tags,
            }
        )
        used.append(b)
    if used:
        told = answer("iam.get_account_authorization_details", details, *used)
        why = "Terraform knows the default version of a policy only"
        yield replace(told, partial={"PolicyVersionList": why})
    for b in blocks.of("aws_iam_access_key"):
        key = filled(AccessKeyId=b.text("id"), UserName=b.text("user"), Status=b.text("status"),
                     CreateDate=b.text("create_date"))  # fmt: skip
        owner = next((u.arn for u in blocks.where(b.text("user"), "name", "aws_iam_user")), "")
        if owner:
            yield answer("iam.list_access_keys", {"AccessKeyMetadata": [key]}, b, arn=owner,
                         UserName=owner)  # fmt: skip


def _holder(blocks: Blocks, b: Block, word: str, used: list[Block]) -> dict[str, Any]:
    name = b.text("name")
    inline = blocks.where(name, word, f"aws_iam_{word}_policy")
    attached = blocks.where(name, word, _ATTACHMENTS[word])
    shared = [a for a in blocks.of("aws_iam_policy_attachment") if name in a.texts(f"{word}s")]
    used += [*inline, *attached, *shared]
    policies = [(p.text("name"), p.text("policy")) for p in inline]
    policies += [(p.text("name"), p.text("policy")) for p in b.rows("inline_policy")
                 if p.text("policy")]  # fmt: skip
    arns = [a.text("policy_arn") for a in (*attached, *shared)] + b.texts("managed_policy_arns")
    boundary = b.text("permissions_boundary")
    found: dict[str, Any] = {
        "Arn": b.arn,
        "Path": b.text("path") or "/",
        "Tags": b.tags,
        f"{word.title()}PolicyList": [
            {"PolicyName": n, "PolicyDocument": d} for n, d in dict(policies).items()
        ],
        "AttachedManagedPolicies": [
            {"PolicyArn": a, "PolicyName": a.rpartition("/")[2]} for a in dict.fromkeys(arns) if a
        ],
    }
    if boundary:
        found["PermissionsBoundary"] = {"PermissionsBoundaryArn": boundary}
    return found
