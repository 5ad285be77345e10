"""Objects of Entra ID as Microsoft Graph lists them: people, groups, applications, directory roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from secinbox.records import Alias, AnyRecord, Relation, Resource

_KINDS = {
    "users": "user", "groups": "group", "applications": "application",
    "servicePrincipals": "serviceprincipal", "directoryRoles": "directoryrole",
    "roleAssignments": "roleassignment", "roleManagement": "roleassignment",
    "roleDefinitions": "roledefinition",
}  # fmt: skip
_BY_TYPE = {
    "#microsoft.graph.user": "user", "#microsoft.graph.group": "group",
    "#microsoft.graph.application": "application",
    "#microsoft.graph.servicePrincipal": "serviceprincipal",
    "#microsoft.graph.directoryRole": "directoryrole",
}  # fmt: skip


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
    if "directoryScopeId" in row and "principalId" in row:
        return "roleassignment"
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
    kind = _kind(row, None if edge in ("members", "owners", "transitiveMembers") else above)
    identifier = str(row.get("id") or "")
    if not identifier:
        return
    if kind == "roleassignment":
        config = {k: row.get(k) for k in ("principalId", "roleDefinitionId", "directoryScopeId")}
        inner = row.get("roleDefinition")
        if isinstance(inner, dict):
            config["roleName"] = inner.get("displayName")
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
    if kind:
        names.append(f"/providers/microsoft.graph/{kind}s/{identifier.lower()}")
    config = {k: v for k, v in row.items() if k not in ("members", "owners")}
    yield Resource(
        uid=uid, type=f"entra_{kind or 'object'}",
        name=str(row.get("displayName") or row.get("userPrincipalName") or identifier),
        provider="azure", aliases=tuple(Alias(n) for n in dict.fromkeys(names)),
        config=msgspec.json.encode(config).decode(), place=place,
    )  # fmt: skip
    for key, relation in (("members", "member_of"), ("owners", "owned_by")):
        for member in row.get(key) or ():
            if isinstance(member, dict) and member.get("id"):
                yield from objects_of(member, (None, None, None), place)
                source, target = entra(str(member["id"])), uid
                if relation == "owned_by":
                    source, target = target, source
                yield Relation(source=source, kind=relation, target=target)
    if parent and edge in ("members", "transitiveMembers"):
        yield Relation(source=uid, kind="member_of", target=entra(parent))
    if parent and edge == "owners":
        yield Relation(source=entra(parent), kind="owned_by", target=uid)
