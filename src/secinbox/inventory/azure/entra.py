"""Objects of Entra ID as Microsoft Graph lists them: people, groups, applications, directory roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from secinbox.records import Alias, AnyRecord, Relation, Resource, Scope

_KINDS = {
    "users": "user", "groups": "group", "applications": "application",
    "servicePrincipals": "serviceprincipal", "directoryRoles": "directoryrole",
    "roleAssignments": "roleassignment", "roleManagement": "roleassignment",
    "roleDefinitions": "roledefinition", "appRoleAssignments": "approleassignment",
    "appRoleAssignedTo": "approleassignment", "federatedIdentityCredentials": "federation",
    "administrativeUnits": "administrativeunit", "scopedRoleMembers": "scopedrole",
    "roleManagementPolicyAssignments": "activation",
    **dict.fromkeys(("eligibilitySchedules", "eligibilityScheduleInstances", "assignmentSchedules",
                     "assignmentScheduleInstances"), "groupaccess"),
}  # fmt: skip
_BY_TYPE = {
    "#microsoft.graph.user": "user", "#microsoft.graph.group": "group",
    "#microsoft.graph.application": "application",
    "#microsoft.graph.servicePrincipal": "serviceprincipal",
    "#microsoft.graph.directoryRole": "directoryrole",
    "#microsoft.graph.administrativeUnit": "administrativeunit",
}  # fmt: skip


_CREDENTIAL = ("keyId", "displayName", "startDateTime", "endDateTime", "type", "usage")
_LINKS = (
    "members",
    "owners",
    "transitiveMembers",
    "memberOf",
    "transitiveMemberOf",
    "ownedObjects",
)
# Microsoft Graph expands no more members of a group than this, without a word that there are more.
CUT = 20
_ELIGIBLE = ("roleEligibilityScheduleInstances", "roleEligibilitySchedules",
             "eligibilitySchedules", "eligibilityScheduleInstances")  # fmt: skip


def _kind(row: Mapping[str, Any], context: str | None = None) -> str:
    said = _BY_TYPE.get(str(row.get("@odata.type")))
    if said:
        return said
    if "userPrincipalName" in row:
        return "user"
    if "servicePrincipalType" in row or "servicePrincipalNames" in row:
        return "serviceprincipal"
    if "roleTemplateId" in row:
        return "directoryrole"
    if "securityEnabled" in row or "groupTypes" in row:
        return "group"
    if "appId" in row and ("passwordCredentials" in row or "signInAudience" in row):
        return "application"
    if "isMemberManagementRestricted" in row:
        return "administrativeunit"
    if "accessId" in row and "groupId" in row and "principalId" in row:
        return "groupaccess"
    if "administrativeUnitId" in row and "roleMemberInfo" in row:
        return "scopedrole"
    if "scopeType" in row and "policyId" in row and "roleDefinitionId" in row:
        return "activation"
    if "appRoleId" in row and "principalId" in row:
        return "approleassignment"
    if ("directoryScopeId" in row or "appScopeId" in row) and "principalId" in row:
        return "roleassignment"
    if "rolePermissions" in row and "isBuiltIn" in row:
        return "roledefinition"
    if "issuer" in row and ("subject" in row or "claimsMatchingExpression" in row):
        return "federation"
    return _KINDS.get(context or "", "")


def is_directory_object(row: Mapping[str, Any]) -> bool:
    """Looks like an answer of Microsoft Graph."""
    return bool(_kind(row)) and ("id" in row or "principalId" in row)


def entra(identifier: str) -> str:
    """uid of a directory object."""
    return f"entra:{identifier.lower()}"


def objects_of(
    row: Mapping[str, Any], context: tuple[str | None, str | None, str | None], place: str
) -> Iterator[AnyRecord]:
    """The object, its members and owners; a member of `groups('ID')/members` as a relation."""
    above, parent, edge = context
    kind = _kind(row, edge if edge in _KINDS else None if edge in _LINKS else above)
    identifier = str(row.get("id") or "")
    if not identifier:
        return
    if kind in ("approleassignment", "federation"):
        yield from _attached(row, kind, identifier, parent, place)
        return
    if kind in ("groupaccess", "scopedrole", "activation"):
        yield _granted(row, kind, identifier, above, parent, place)
        return
    if kind == "roledefinition":
        yield Resource(
            uid=f"entra:{identifier.lower()}", type="entra_roledefinition",
            name=str(row.get("displayName") or identifier), provider="azure",
            config=msgspec.json.encode(dict(row)).decode(), place=place,
        )  # fmt: skip
        return
    if kind == "roleassignment":
        config = {k: row.get(k) for k in ("principalId", "roleDefinitionId", "directoryScopeId",
                                          "appScopeId", "endDateTime")}  # fmt: skip
        # An eligible role is held only after its activation; an active one says how it was given.
        config["eligible"] = "assignmentType" not in row and (
            "roleEligibilityScheduleId" in row
            or above in _ELIGIBLE
            or edge in _ELIGIBLE
            or ("scheduleInfo" in row and "createdUsing" in row)
        )
        inner = row.get("roleDefinition")
        if isinstance(inner, dict):
            config["roleName"] = inner.get("displayName")
            if inner.get("templateId"):
                config["roleDefinitionId"] = inner["templateId"]
        yield Resource(
            uid=f"entra:assignment/{identifier}", type="entra_roleassignment", name=identifier,
            provider="azure", config=msgspec.json.encode(config).decode(), place=place,
        )  # fmt: skip
        return
    uid = entra(identifier)
    names = [identifier.lower()]
    for key in ("userPrincipalName", "mail", "appId"):
        value = row.get(key)
        if isinstance(value, str) and value and not (key == "appId" and kind == "application"):
            names.append(value.lower())
    if kind == "serviceprincipal" and isinstance(row.get("appId"), str):
        names.append(f"azure-client:{row['appId'].lower()}")
    if kind:
        names.append(f"/providers/microsoft.graph/{kind}s/{identifier.lower()}")
    config = {k: v for k, v in row.items() if k not in ("members", "owners")}
    for key in ("passwordCredentials", "keyCredentials"):
        if isinstance(row.get(key), list):
            # When they end; neither a hint at a secret nor what a key consists of.
            config[key] = [{k: c.get(k) for k in _CREDENTIAL if k in c} for c in row[key]
                           if isinstance(c, dict)]  # fmt: skip
    yield Resource(
        uid=uid, type=f"entra_{kind or 'object'}",
        name=str(row.get("displayName") or row.get("userPrincipalName") or identifier),
        provider="azure", aliases=tuple(Alias(n) for n in dict.fromkeys(names)),
        config=msgspec.json.encode(config).decode(), place=place,
    )  # fmt: skip
    for key, relation in (("members", "member_of"), ("owners", "owned_by")):
        members = row.get(key)
        if key == "members" and isinstance(members, list) and len(members) != CUT:
            yield Scope(key=f"{uid}/members", types=(), tool="azure", pages=True)
        for member in members if isinstance(members, list) else ():
            if isinstance(member, dict) and member.get("id"):
                yield from objects_of(member, (None, None, None), place)
                source, target = entra(str(member["id"])), uid
                if relation == "owned_by":
                    source, target = target, source
                yield Relation(source=source, kind=relation, target=target)
    if parent and edge and above == "administrativeUnits":
        yield Resource(uid=entra(parent), type="entra_administrativeunit", name=parent,
                       provider="azure", place=place)  # fmt: skip
    if parent and edge in ("members", "transitiveMembers"):
        yield Relation(source=uid, kind="member_of", target=entra(parent))
    if parent and edge in ("memberOf", "transitiveMemberOf"):
        yield Relation(source=entra(parent), kind="member_of", target=uid)
    if parent and edge == "ownedObjects":
        yield Relation(source=uid, kind="owned_by", target=entra(parent))
    if parent and edge == "owners":
        yield Relation(source=entra(parent), kind="owned_by", target=uid)


def _granted(
    row: Mapping[str, Any], kind: str, identifier: str, above: str | None, parent: str | None,
    place: str,
) -> Resource:  # fmt: skip
    """What Privileged Identity Management and administrative units say of a principal."""
    config: dict[str, Any]
    if kind == "scopedrole":
        member = row.get("roleMemberInfo")
        config = {
            "principalId": member.get("id") if isinstance(member, dict) else None,
            "roleDefinitionId": row.get("roleId"), "eligible": False,
            "directoryScopeId": f"/administrativeUnits/{row.get('administrativeUnitId') or parent}",
        }  # fmt: skip
        kind = "roleassignment"
    elif kind == "activation":
        policy = row.get("policy")
        policy = policy if isinstance(policy, dict) else {}
        rules = [*many(policy.get("rules")), *many(policy.get("effectiveRules"))]
        settings = [r.get("setting") for r in rules if isinstance(r, dict)]
        asked = [s["isApprovalRequired"] is True for s in settings
                 if isinstance(s, dict) and "isApprovalRequired" in s]  # fmt: skip
        config = {"scopeId": row.get("scopeId"), "roleDefinitionId": row.get("roleDefinitionId"),
                  "approval": any(asked) if asked else None}  # fmt: skip
    else:
        config = {
            k: row.get(k) for k in ("principalId", "groupId", "accessId", "endDateTime", "status")
        }
        schedule = row.get("scheduleInfo")
        ends = schedule.get("expiration") if isinstance(schedule, dict) else None
        if not config["endDateTime"] and isinstance(ends, dict):
            config["endDateTime"] = ends.get("endDateTime")
        # An active one says how it was given; an eligible one is nothing before it is activated.
        config["eligible"] = "assignmentType" not in row and "assignmentScheduleId" not in row and (
            above not in ("assignmentSchedules", "assignmentScheduleInstances"))  # fmt: skip
    return Resource(
        uid=f"entra:{kind}/{identifier.lower()}", type=f"entra_{kind}", name=identifier,
        provider="azure", config=msgspec.json.encode(config).decode(), place=place,
    )  # fmt: skip


def many(value: Any) -> list[Any]:
    """The elements of a list; nothing of anything else."""
    return value if isinstance(value, list) else []


def _attached(
    row: Mapping[str, Any], kind: str, identifier: str, parent: str | None, place: str
) -> Iterator[AnyRecord]:
    """A permission given to an application, or a federated credential of one."""
    config = dict(row)
    if kind == "federation":
        config["application"] = parent
    yield Resource(
        uid=f"entra:{kind}/{identifier.lower()}", type=f"entra_{kind}",
        name=str(row.get("name") or row.get("resourceDisplayName") or identifier), provider="azure",
        config=msgspec.json.encode(config).decode(), place=place,
    )  # fmt: skip
