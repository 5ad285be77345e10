"""Tables of users, groups, roles, their policies, keys and devices, and of the organisation."""

from __future__ import annotations

import base64
import csv
import io
from typing import Any

from secinbox.inventory._tables.rows import (
    Answer,
    Made,
    Maker,
    Row,
    described,
    first,
    paths,
    text,
)

_DETAILS = "iam.get_account_authorization_details"
_LISTS = {"Role": "iam.list_roles", "User": "iam.list_users", "Group": "iam.list_groups"}
_MOVED = paths("permissions_boundary_arn=PermissionsBoundary.PermissionsBoundaryArn "
               "permissions_boundary_type=PermissionsBoundary.PermissionsBoundaryType "
               "assume_role_policy=AssumeRolePolicyDocument "
               "role_last_used_date=RoleLastUsed.LastUsedDate "
               "role_last_used_region=RoleLastUsed.Region")  # fmt: skip
_NOT_HERE = ("inline_policies", "inline_policies_std", "assume_role_policy_std",
             "attached_policy_arns", "policies", "groups", "instance_profile_arns", "login_profile",
             "mfa_devices", "mfa_enabled", "id", "users")  # fmt: skip


def principal(key: str, kind: str, inline: str) -> Maker:
    """A user, group or role as `get-account-authorization-details` has it.

    Without its policies (they may be in tables of their own) only its list is told.
    """

    def made(row: Row) -> Made:
        found = described({k: v for k, v in row.items() if k not in _NOT_HERE}, _MOVED)
        found[f"{kind}Name"] = first(row, "name", f"{kind.lower()}_name")
        found.pop("Name", None)
        identity = first(row, f"{kind.lower()}_id", "id")
        if identity:
            found[f"{kind}Id"] = identity
        attached, policies = row.get("attached_policy_arns"), row.get("policies")
        part: tuple[str, ...] = ()
        if isinstance(attached, list):
            found["AttachedManagedPolicies"] = [_attached(a) for a in attached]
        elif isinstance(policies, dict):
            # An early form of the table: ARNs of attached policies and their names.
            found["AttachedManagedPolicies"] = [_attached(a) for a in policies]
        if "inline_policies" in row and isinstance(attached, list):
            found[inline] = row["inline_policies"] or []
        if kind == "User" and isinstance(row.get("groups"), list):
            found["GroupList"] = [g.get("GroupName") if isinstance(g, dict) else g
                                  for g in row["groups"]]  # fmt: skip
        elif kind == "User" and "groups" in row and inline in found:
            found["GroupList"] = []
        if kind == "Role":
            profiles = row.get("instance_profile_arns") or []
            found["InstanceProfileList"] = [{"Arn": a} for a in profiles]
        if "AttachedManagedPolicies" in found and inline not in found:
            part = ("AttachedManagedPolicies",)
        if "AttachedManagedPolicies" in found:
            yield Answer(_DETAILS, {key: [found]}, {}, part)
        else:
            found.pop("InstanceProfileList", None)
            yield Answer(_LISTS[kind], {kind + "s": [found]})
        if kind == "User":
            yield from _sign_in(row, str(found[f"{kind}Name"]))

    return made


def _sign_in(row: Row, name: str) -> Made:
    asked = {"UserName": name}
    devices = row.get("mfa_devices")
    if isinstance(devices, list):
        yield Answer("iam.list_mfa_devices", {"MFADevices": devices}, asked)
    profile = row.get("login_profile")
    if isinstance(profile, dict):
        yield Answer("iam.get_login_profile", {"LoginProfile": profile}, asked)
    elif "login_profile" in row and isinstance(devices, list):
        # Null is "none" as well as "not to be seen": who may list the devices may see the profile.
        yield Answer("iam.get_login_profile", {"Error": "NoSuchEntity"}, asked)


def _attached(arn: Any, name: Any = None) -> dict[str, str]:
    return {"PolicyArn": str(arn), "PolicyName": str(name or str(arn).rpartition("/")[2])}


def inline_of(key: str, kind: str, inline: str) -> Maker:
    """One inline policy of a principal a row."""

    def made(row: Row) -> Made:
        arn = str(row[f"{kind}_arn"])
        document = {"PolicyName": row["policy_name"], "PolicyDocument": row["policy_document"]}
        yield Answer(_DETAILS, {key: [{"Arn": arn, inline: [document]}]}, {}, (inline,))

    return made


def attached_of(key: str, kind: str) -> Maker:
    """One attached policy of a principal a row."""

    def made(row: Row) -> Made:
        arn = str(row[f"{kind}_arn"])
        held = [_attached(row["policy_arn"], row.get("policy_name"))]
        yield Answer(_DETAILS, {key: [{"Arn": arn, "AttachedManagedPolicies": held}]}, {},
                     ("AttachedManagedPolicies",))  # fmt: skip

    return made


def group_of_user(row: Row) -> Made:
    arn = str(row["user_arn"])
    found = {"Arn": arn, "GroupList": [str(row["group_name"])]}
    yield Answer(_DETAILS, {"UserDetailList": [found]}, {}, ("GroupList",))


def details(row: Row) -> Made:
    """The whole answer in one row."""
    keys = {"group_detail_list": "GroupDetailList", "policies": "Policies",
            "role_detail_list": "RoleDetailList", "user_detail_list": "UserDetailList"}  # fmt: skip
    found = {
        ours: row[theirs] for theirs, ours in keys.items() if isinstance(row.get(theirs), list)
    }
    if found:
        yield Answer(_DETAILS, found)


def policy(row: Row) -> Made:
    found = described({k: v for k, v in row.items() if k not in ("policy", "policy_std", "id")})
    found["PolicyName"] = first(row, "name", "policy_name")
    found.pop("Name", None)
    versions = row.get("policy_version_list")
    if not isinstance(versions, list) and row.get("policy"):
        version = row.get("default_version_id") or "v1"
        versions = [{"VersionId": version, "IsDefaultVersion": True, "Document": row["policy"]}]
        found["DefaultVersionId"] = version
    if isinstance(versions, list):
        found["PolicyVersionList"] = versions
        yield Answer(_DETAILS, {"Policies": [found]})


def policy_version(row: Row) -> Made:
    version = {"VersionId": row["version_id"], "IsDefaultVersion": row["is_default_version"],
               "Document": row["document"]}  # fmt: skip
    found = {"Arn": str(row["policy_arn"]), "PolicyVersionList": [version]}
    yield Answer(_DETAILS, {"Policies": [found]}, {}, ("PolicyVersionList",))


def policy_attachment(row: Row) -> Made:
    """Who has a policy, asked from the policy's side: a part of what each of them has."""
    for column, key, kind in (("policy_roles", "RoleDetailList", "Role"),
                              ("policy_users", "UserDetailList", "User"),
                              ("policy_groups", "GroupDetailList", "Group")):  # fmt: skip
        for holder in row.get(column) or []:
            name = holder.get(f"{kind}Name") if isinstance(holder, dict) else None
            account = str(row.get("account_id") or "")
            if name and account:
                # The path of the holder is not told: an ARN with one is another name.
                arn = f"arn:{row.get('partition') or 'aws'}:iam::{account}:{kind.lower()}/{name}"
                found = {"Arn": arn, "AttachedManagedPolicies": [_attached(row["policy_arn"])]}
                yield Answer(_DETAILS, {key: [found]}, {}, ("AttachedManagedPolicies",))


def access_key(row: Row) -> Made:
    key = {"UserName": row.get("user_name"), "AccessKeyId": str(row["access_key_id"]),
           "Status": row.get("status"), "CreateDate": row.get("create_date")}  # fmt: skip
    name = first(row, "user_name") or str(row["user_arn"]).rpartition("/")[2]
    key["UserName"] = name
    yield Answer("iam.list_access_keys", {"AccessKeyMetadata": [key]}, {"UserName": str(name)},
                 ("list_access_keys",))  # fmt: skip


_REPORT = ("user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
           "password_next_rotation", "mfa_active", "access_key_1_active",
           "access_key_1_last_rotated", "access_key_1_last_used_date", "access_key_2_active",
           "access_key_2_last_rotated", "access_key_2_last_used_date")  # fmt: skip


def credential_report(row: Row) -> Made:
    arn = str(first(row, "user_arn", "arn") or "")
    name = str(first(row, "user_name", "user") or "")
    found = {"user": name, "arn": arn}
    for column in _REPORT:
        other = column.replace("key_1", "key1").replace("key_2", "key2")
        value = row.get(column, row.get(other))
        if isinstance(value, bool):
            found[column] = "true" if value else "false"
        elif value is not None:
            found[column] = str(value)
        elif column.endswith(("last_rotated", "last_used_date", "last_used")) and (
            column in row or other in row
        ):
            found[column] = "N/A"
    if not arn:
        raise KeyError("arn")
    out = io.StringIO()
    writer = csv.DictWriter(out, list(found))
    writer.writeheader()
    writer.writerow(found)
    content = base64.b64encode(out.getvalue().encode()).decode()
    yield Answer("iam.get_credential_report", {"Content": content})


def account_summary(row: Row) -> Made:
    """Only the counts that say something of the root user."""
    fields = {"account_mfa_enabled": "AccountMFAEnabled",
              "account_access_keys_present": "AccountAccessKeysPresent",
              "account_password_present": "AccountPasswordPresent", "users": "Users"}  # fmt: skip
    found = {ours: int(row[theirs]) for theirs, ours in fields.items()
             if isinstance(row.get(theirs), (bool, int))}  # fmt: skip
    if found:
        yield Answer("iam.get_account_summary", {"SummaryMap": found})


def mfa_device(row: Row) -> Made:
    user = row.get("user")
    name = first(row, "user_name") or (user.get("UserName") if isinstance(user, dict) else None)
    if name:
        device = {"UserName": name, "SerialNumber": row["serial_number"]}
        yield Answer("iam.list_mfa_devices", {"MFADevices": [device]}, {"UserName": str(name)},
                     ("list_mfa_devices",))  # fmt: skip


def access_advisor(row: Row) -> Made:
    used = {"ServiceName": row.get("service_name"), "ServiceNamespace": row["service_namespace"],
            "LastAuthenticated": first(row, "last_authenticated")}  # fmt: skip
    kept = {k: v for k, v in used.items() if v is not None}
    yield Answer("iam.get_service_last_accessed_details",
                 {"JobStatus": "COMPLETED", "ServicesLastAccessed": [kept]},
                 {"Arn": str(first(row, "principal_arn", "user_arn", "role_arn"))},
                 ("get_service_last_accessed_details",))  # fmt: skip


# The organisation


def account(row: Row) -> Made:
    found = {k: row.get(c) for k, c in (
        ("Id", "organization_id"), ("Arn", "organization_arn"),
        ("MasterAccountId", "organization_master_account_id"),
        ("FeatureSet", "organization_feature_set")) if row.get(c)}  # fmt: skip
    if found.get("Arn"):
        yield Answer("organizations.describe_organization", {"Organization": found})


def organization(row: Row) -> Made:
    yield Answer("organizations.describe_organization", {"Organization": described(row)})


def member(row: Row) -> Made:
    found = described(row)
    found["JoinedMethod"] = row.get("joined_method") or "UNKNOWN"
    yield Answer("organizations.list_accounts", {"Accounts": [found]})
    if first(row, "parent_id"):
        yield Answer("organizations.list_parents", {"Parents": [{"Id": str(row["parent_id"])}]},
                     {"ChildId": str(row["id"])})  # fmt: skip


def parent(row: Row) -> Made:
    """The unit or root above an account or unit."""
    if first(row, "parent_id"):
        yield Answer("organizations.list_parents", {"Parents": [{"Id": str(row["parent_id"])}]},
                     {"ChildId": str(row["id"])})  # fmt: skip


def organization_policy(row: Row) -> Made:
    arn = str(row["arn"])
    summary = {"Id": row["id"], "Arn": arn, "Name": row.get("name"), "Type": row.get("type")}
    found: dict[str, Any] = {"PolicySummary": summary}
    if row.get("content"):
        found["Content"] = text(row["content"])
    yield Answer("organizations.describe_policy", {"Policy": found}, {"PolicyId": arn})
    if first(row, "target_id"):
        yield Answer("organizations.list_policies_for_target", {"Policies": [summary]},
                     {"TargetId": str(row["target_id"])})  # fmt: skip
