"""Users, groups, roles, their policies, keys and devices, accounts and organisations, out of a graph."""

from __future__ import annotations

from typing import Any

import msgspec

from secinbox.inventory._nodes.graph import Graph, Made, Node, Told, ids

_DETAILS = "iam.get_account_authorization_details"
_KINDS = {
    "AWSRole": ("RoleDetailList", "RoleName", "RolePolicyList", "RoleId", "roleid"),
    "AWSUser": ("UserDetailList", "UserName", "UserPolicyList", "UserId", "userid"),
    "AWSGroup": ("GroupDetailList", "GroupName", "GroupPolicyList", "GroupId", "groupid"),
}
_BOUNDARY = "the graph keeps no permissions boundary"
_CONDITIONS = "the graph keeps whom a role trusts, not under which conditions"
_FIELDS = {"effect": "Effect", "action": "Action", "notaction": "NotAction", "sid": "Sid",
           "resource": "Resource", "notresource": "NotResource", "condition": "Condition",
           "principal": "Principal"}  # fmt: skip


def statement(node: Node) -> dict[str, Any]:
    """A statement of a policy; a condition that cannot be read is kept as one nobody fulfils."""
    found: dict[str, Any] = {}
    for theirs, ours in _FIELDS.items():
        value = node.values.get(theirs)
        if value in (None, "", []):
            continue
        if theirs in ("condition", "principal") and isinstance(value, str):
            try:
                value = msgspec.json.decode(value)
            except (msgspec.MsgspecError, RecursionError):
                value = {"unreadable": value} if theirs == "condition" else value
        found[ours] = value
    return found


def _document(graph: Graph, policy: Node) -> dict[str, Any]:
    told = [statement(s) for s in graph.out(policy, "STATEMENT", "STATEMENTS")]
    return {"Version": "2012-10-17", "Statement": told}


def _trust(graph: Graph, node: Node) -> dict[str, Any]:
    """Whom a role trusts; under which conditions the graph does not keep."""
    kinds: dict[str, list[str]] = {}
    for arn in dict.fromkeys(p.text("arn") for p in graph.out(node, "TRUSTS_AWS_PRINCIPAL")):
        service = arn.endswith((".amazonaws.com", ".amazonaws.com.cn"))
        federated = ":saml-provider/" in arn or ":oidc-provider/" in arn or (
            "." in arn and not arn.startswith("arn:"))  # fmt: skip
        kind = "Service" if service else "Federated" if federated else "AWS"
        if arn:
            kinds.setdefault(kind, []).append(arn)
    out = []
    for kind, found in kinds.items():
        actions = ["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"]
        out.append({"Effect": "Allow", "Principal": {kind: found},
                    "Action": actions if kind == "Federated" else "sts:AssumeRole",
                    "Condition": {"NotKept": {"cartography:condition": "unknown"}}})  # fmt: skip
    return {"Version": "2012-10-17", "Statement": out}


def principal(graph: Graph, node: Node) -> Made:
    label = next(n for n in _KINDS if n in node.labels)
    key, named, inline, number, numbered = _KINDS[label]
    arn = node.need("arn")
    found: dict[str, Any] = {"Arn": arn, named: node.text("name") or arn.rpartition("/")[2],
                             "Path": node.text("path") or "/", "AttachedManagedPolicies": [],
                             inline: []}  # fmt: skip
    found |= node.told(**{number: numbered, "CreateDate": "createdate"})
    partial: dict[str, str] = {}
    gaps = {
        g for g in (graph.gap("POLICY"), graph.gap("STATEMENT") and graph.gap("STATEMENTS")) if g
    }
    partial |= {k: sorted(gaps)[0] for k in ("AttachedManagedPolicies", inline) if gaps}
    for policy in graph.out(node, "POLICY"):
        name = policy.text("name")
        if policy.text("type") == "managed":
            attached = {"PolicyName": name, "PolicyArn": policy.text("arn", "id")}
            found["AttachedManagedPolicies"].append(attached)
        else:
            found[inline].append({"PolicyName": name, "PolicyDocument": _document(graph, policy)})
    if label != "AWSGroup":
        found["PermissionsBoundary"], partial["PermissionsBoundary"] = {}, _BOUNDARY
    if label == "AWSRole":
        trusted = _trust(graph, node)
        if trusted["Statement"]:
            found["AssumeRolePolicyDocument"] = trusted
            partial["AssumeRolePolicyDocument"] = _CONDITIONS
        profiles = graph.into(node, "ASSOCIATED_WITH", of="AWSInstanceProfile")
        found["InstanceProfileList"] = [{"Arn": p} for p in ids(profiles, "arn")]
    if label == "AWSUser":
        found["GroupList"] = ids(graph.out(node, "MEMBER_AWS_GROUP"), "name")
        found |= node.told(PasswordLastUsed="passwordlastused")
        gap = graph.gap("MEMBER_AWS_GROUP")
        if gap and (graph.broken or graph.of("AWSGroup")):
            partial["GroupList"] = gap
    yield Told(_DETAILS, {key: [found]}, {}, partial)
    if label == "AWSUser":
        yield from _credentials(graph, node, str(found[named]))


def _credentials(graph: Graph, node: Node, name: str) -> Made:
    """A user without keys or devices is told as such where the graph holds some of others."""
    keys = [k.told(AccessKeyId="accesskeyid", Status="status", CreateDate="createdate")
            | {"UserName": name} for k in graph.out(node, "AWS_ACCESS_KEY")]  # fmt: skip
    devices = [{"SerialNumber": d.text("serialnumber", "id"), "UserName": name}
               for d in graph.out(node, "MFA_DEVICE")]  # fmt: skip
    for label, call, key, told in (
        ("AWS_ACCESS_KEY", "list_access_keys", "AccessKeyMetadata", keys),
        ("MFA_DEVICE", "list_mfa_devices", "MFADevices", devices),
    ):
        if told or not graph.gap(label):
            gap = graph.gap(label)
            yield Told(f"iam.{call}", {key: told}, {"UserName": name}, {call: gap} if gap else {})


def policy(graph: Graph, node: Node) -> Made:
    arn = node.text("arn", "id")
    if node.text("type") != "managed" or not arn.startswith("arn:"):
        return  # inline policies are told with whom they belong to
    document = _document(graph, node)
    if not document["Statement"]:
        return
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": document}
    found = {"PolicyName": node.text("name"), "Arn": arn, "DefaultVersionId": "v1",
             "PolicyVersionList": [version]}  # fmt: skip
    yield Told(_DETAILS, {"Policies": [found]})


def profile(graph: Graph, node: Node) -> Made:
    found = node.told(InstanceProfileName="instance_profile_name", Path="path",
                      InstanceProfileId="instance_profile_id")  # fmt: skip
    roles = ids(graph.out(node, "ASSOCIATED_WITH", to="AWSRole"), "arn")
    yield Told("iam.list_instance_profiles", {"InstanceProfiles": [
        {"Arn": node.need("arn", "id"), "Roles": [{"Arn": r} for r in roles], **found}]})  # fmt: skip


def provider(graph: Graph, node: Node) -> Made:
    found = node.told(ValidUntil="valid_until", CreateDate="create_date")
    yield Told(
        "iam.list_saml_providers", {"SAMLProviderList": [{"Arn": node.need("arn"), **found}]}
    )


def account(graph: Graph, node: Node) -> Made:
    number = node.need("id")
    member = node.told(Name="name", Email="email", JoinedMethod="joined_method", Status="status")
    if node.text("org_id"):
        joined = {"JoinedMethod": "UNKNOWN", **member}
        yield Told("organizations.list_accounts", {"Accounts": [{"Id": number, **joined}]})
    for above in graph.out(node, "PARENT"):
        yield Told("organizations.list_parents", {"Parents": [{"Id": _unit(above)}]},
                   {"ChildId": number})  # fmt: skip
    counts = node.told(AccountMFAEnabled="account_mfa_enabled", Users="users",
                       AccountAccessKeysPresent="account_access_keys_present")  # fmt: skip
    told = {k: int(v) for k, v in counts.items() if isinstance(v, (int, bool))}
    if told:
        yield Told("iam.get_account_summary", {"SummaryMap": told})


def _unit(node: Node) -> str:
    return node.text("ou_id", "root_id", "id")


def unit(graph: Graph, node: Node) -> Made:
    for above in graph.out(node, "PARENT"):
        yield Told("organizations.list_parents", {"Parents": [{"Id": _unit(above)}]},
                   {"ChildId": _unit(node)})  # fmt: skip


def organization(graph: Graph, node: Node) -> Made:
    found = node.told(Id="id", Arn="arn", FeatureSet="feature_set",
                      MasterAccountId="management_account_id")  # fmt: skip
    if found.get("Arn"):
        yield Told("organizations.describe_organization", {"Organization": found})
