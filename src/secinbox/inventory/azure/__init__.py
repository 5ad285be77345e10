"""Azure and Entra ID: Resource Graph results, ARM answers, `az ... -o json`, Microsoft Graph lists.

Shapes: `{"data": [...]}` of `az graph query`, `{"value": [...]}` of ARM and Microsoft Graph (several
pages are several files), a plain list of `az ... list`, one resource. The command line lifts what
ARM keeps under `properties` to the top; both become the same. Source: learn.microsoft.com, "Azure
Resource Graph", the ARM REST reference of each service, "Microsoft Graph REST API v1.0".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from secinbox.inventory.azure.entra import is_directory_object, objects_of
from secinbox.inventory.azure.resources import (
    flat,
    holders_of,
    is_assignment,
    is_resource,
    record_of,
    relations_of,
)
from secinbox.reading import Head, Report, ReportError
from secinbox.records import AnyRecord, Scope, Skipped

TITLE = "Azure resources and Entra ID objects (Resource Graph, ARM, az, Microsoft Graph)"
PLUMBING = (
    "azure_network_interface", "azure_public_ip_address",  # as scanners say it
    "azure_microsoft_network_networkinterfaces", "azure_microsoft_network_publicipaddresses",
)  # fmt: skip

_CONTEXT = re.compile(
    r"https://(?:graph\.microsoft\.(?:com|us)|microsoftgraph\.chinacloudapi\.cn)/[^\"]*\$metadata#"
    r"((?:\w+/)*\w+)(?:\('?([0-9a-fA-F-]{36})'?\)/(?:microsoft\.graph\.)?(\w+))?"
)
# A list of members says neither in its context nor in its rows of what: its address does.
_OF = re.compile(
    r"(groups|applications|servicePrincipals|directoryRoles|users|administrativeUnits)[/\\_.-]+([0-9a-fA-F-]{36})[/\\_.-]+"
    r"(members|owners|transitiveMembers|memberOf|transitiveMemberOf|ownedObjects|"
    r"appRoleAssignments|federatedIdentityCredentials|scopedRoleMembers)", re.I
)  # fmt: skip
_EDGES = {w.lower(): w for w in (
    "members", "owners", "transitiveMembers", "memberOf", "transitiveMemberOf", "ownedObjects",
    "appRoleAssignments", "federatedIdentityCredentials", "scopedRoleMembers")}  # fmt: skip
_LISTS = ("data", "value")
# What `collect azure` asked about completely: scopes, so that an empty list is known to be empty.
COVERED = "secinbox.covered"
_NONE: tuple[str | None, str | None, str | None] = (None, None, None)


def recognise(head: Head) -> int:
    first = head.first
    if head.kind in ("array", "lines"):
        return 90 if is_resource(first) or is_assignment(first) or is_directory_object(first) else 0
    if head.kind != "object":
        return 0
    if head.has(COVERED, "value"):
        return 96
    if _CONTEXT.search(str(first.get("@odata.context") or head.text[:2000])):
        return 95 if head.has("value") or is_directory_object(first) else 0
    for key in _LISTS:
        if not head.has(key):
            continue
        rows = first.get(key)
        if isinstance(rows, list) and rows:
            row = rows[0]
            known = isinstance(row, dict) and (is_resource(row) or is_assignment(row)
                                               or is_directory_object(row))  # fmt: skip
            return 92 if known else 0
        inside = re.search(r'"id"\s*:\s*"/(subscriptions|providers)/', head.text, re.I)
        return 88 if rows is None and inside else 0
    return 90 if is_resource(first) or is_assignment(first) else 0


def read(report: Report) -> Iterator[AnyRecord]:
    kinds: set[tuple[str, str]] = set()
    documents: Iterator[tuple[str, dict[str, Any]]] = report.documents(dict[str, Any])
    for place, document in documents:
        context = _CONTEXT.search(str(document.get("@odata.context") or ""))
        rows, key = _rows(document)
        for index, row in enumerate(rows):
            where = f"{place}.{key}[{index}]" if key else place
            if not isinstance(row, dict):
                raise ReportError("a resource is an object", where, "export it again")
            if is_resource(row) or is_assignment(row):
                found = flat(row)
                record = record_of(found, where)
                kinds.add((record.account, record.type))
                yield record
                yield from relations_of(found, record.uid)
                yield from holders_of(found, where)
            elif context or is_directory_object(row):
                words = _words(context, document, report)
                if context and context.group(1) == "directoryObjects" and words[2] is None:
                    yield Skipped(reason="a list of members that does not say of what", place=where)
                yield from objects_of(row, words, where)
            else:
                yield Skipped(reason="no Azure resource or directory object", place=where)
        yield from _asked(_words(context, document, report))
        covered = document.get(COVERED)
        for scope in covered if isinstance(covered, list) else ():
            yield Scope(key=str(scope), types=(), tool="azure", pages=True)
        if document.get("@odata.nextLink") or document.get("nextLink") or _cut(document):
            yield Skipped(reason="a page of several: the rest is in other files", harmless=True,
                          place=place)  # fmt: skip
    for account, kind in sorted(kinds):
        yield Scope(key=f"azure:{account}/{kind}", types=(), tool="azure", pages=True)


def _words(
    context: re.Match[str] | None, document: Mapping[str, Any], report: Report
) -> tuple[str | None, str | None, str | None]:
    """(what is listed, of which object, which of its lists), as far as anything says it."""
    if context is None:
        # Lists of `az ad` say nothing of what they are lists of; where they lie may.
        found = _OF.search("/".join((*report.parts, report.name)))
        if not found:
            return _NONE
        what = "administrativeUnits" if found.group(1).lower().startswith("admin") else None
        return what, found.group(2), _EDGES[found.group(3).lower()]
    path, parent, edge = context.groups()
    what = path.rsplit("/", 1)[-1]
    if parent is None and what in ("directoryObjects", "users", "groups", "servicePrincipals",
                                   "federatedIdentityCredentials", "Collection"):  # fmt: skip
        said = f"{document.get('@odata.nextLink') or ''} {'/'.join(report.parts)} {report.name}"
        found = _OF.search(said)
        if found:
            parent, edge = found.group(2), _EDGES[found.group(3).lower()]
            what = "administrativeUnits" if found.group(1).lower().startswith("admin") else what
    return what, parent, edge


def _asked(
    words: tuple[str | None, str | None, str | None],
) -> Iterator[AnyRecord]:
    """The list of members of a group or unit was asked for, be it empty; a kind of list as well."""
    what, parent, edge = words
    if parent and edge:
        kind = "memberOf" if edge.endswith("emberOf") else "members"
        if edge in ("members", "transitiveMembers", "memberOf", "transitiveMemberOf"):
            yield Scope(key=f"entra:{parent.lower()}/{kind}", types=(), tool="azure", pages=True)
    elif what == "administrativeUnits":
        yield Scope(key="entra:administrativeUnits", types=(), tool="azure", pages=True)


def _cut(document: Mapping[str, Any]) -> bool:
    return bool(document.get("skip_token") or document.get("$skipToken"))


def _rows(document: Mapping[str, Any]) -> tuple[list[Any], str]:
    for key in _LISTS:
        rows = document.get(key)
        if isinstance(rows, list):
            return rows, key
        table = rows if isinstance(rows, dict) else {}
        if isinstance(table.get("rows"), list) and isinstance(table.get("columns"), list):
            # Resource Graph's table form: column names beside rows of values.
            names = [str(c.get("name")) if isinstance(c, dict) else "" for c in table["columns"]]
            return [dict(zip(names, row, strict=True))
                    if isinstance(row, list) and len(row) == len(names) else row
                    for row in table["rows"]], f"{key}.rows"  # fmt: skip
    return [document], ""
