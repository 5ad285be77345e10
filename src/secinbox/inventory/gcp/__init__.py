"""Google Cloud: Cloud Asset Inventory exports and `gcloud ... --format=json` lists.

An export has one asset a line (or a list, or `{"assets": [...]}`), in camelCase as the API answers
or in snake_case as older exports have it; resource, IAM policy and organisation policy of one asset
may be records of their own. Source: cloud.google.com, "Cloud Asset Inventory: exporting assets",
"Asset types", and the API reference of each service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from secinbox.inventory.gcp.assets import (
    Asset,
    asset_of,
    principals_of,
    record_of,
    relations_of,
)
from secinbox.inventory.gcp.delegation import is_activity, is_log, of_activity, of_log
from secinbox.inventory.gcp.groups import (
    is_group,
    is_list,
    is_membership,
    of_group,
    of_list,
    of_member,
)
from secinbox.inventory.gcp.lists import is_listed, listed
from secinbox.reading import Head, Report, ReportError
from secinbox.records import AnyRecord, Scope, Skipped

TITLE = (
    "Google Cloud assets (Cloud Asset Inventory export, gcloud lists), members of groups, delegation in "
    "Google Workspace"
)
PLUMBING = ("gcp_compute_address",)


def recognise(head: Head) -> int:
    first = head.first
    if head.kind in ("array", "lines") and (
        is_membership(first) or is_group(first) or is_activity(first)
    ):
        return 95
    if head.kind in ("array", "lines"):
        return 95 if _is_asset(first) or is_listed(first) else 0
    if head.kind == "object":
        if is_log(first) or is_activity(first):
            return 95
        if is_list(first) or (head.has("memberships") and '"groups/' in head.text):
            return 95
        if head.has("assets") and '"//' in head.text and "sset" in head.text:
            return 92
        if _is_asset(first):
            return 95
        if _wrapped(first):
            return 90
        if head.has("bindings", "etag") and not head.has("apiVersion"):
            return 85
        return 90 if is_listed(first) else 0
    return 0


# `gcloud projects get-iam-policy` does not say of which project: an option or the path does.
_NAMED = re.compile(r"projects?/([a-z][a-z0-9-]{4,28}[a-z0-9]|\d+)/[^/]*$|([a-z][a-z0-9-]{4,28}[a-z0-9])"
                    r"[._-]iam[-_]?policy|iam[-_]?policy[._-]([a-z][a-z0-9-]{4,28}[a-z0-9])\.json")  # fmt: skip


_OF_BUCKET = re.compile(
    r"(?:^|/)(?:buckets|b)/([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(?:$|/(?=[^/]*iam))"
)


def _policy_alone(report: Report, row: Mapping[str, Any], place: str) -> Asset | None:
    """The policy of a project, where anything says of which."""
    if not isinstance(row.get("bindings"), list) or "etag" not in row:
        return None
    where = "/".join(report.parts) or report.name
    # What the policy says of itself, as storage does; else where it lies.
    own = _OF_BUCKET.search(str(row.get("resourceId") or "")) or _OF_BUCKET.search(where)
    if own:
        return Asset(uid=f"//storage.googleapis.com/{own.group(1)}", type="gcp_storage_bucket",
                     policy=dict(row), place=place, alone=True)  # fmt: skip
    found = _NAMED.search(where)
    name = report.options.get("account") or next((g for g in found.groups() if g), "") if found else (
        report.options.get("account") or "")  # fmt: skip
    if not name:
        return None
    return Asset(uid=f"//cloudresourcemanager.googleapis.com/projects/{name}", place=place, alone=True,
                 type="gcp_cloudresourcemanager_project", policy=dict(row))  # fmt: skip


def _inside(value: Any) -> list[Any]:
    """Rows of a list, or of the lists by zone that an aggregated list has."""
    if isinstance(value, dict):
        return [row for zone in value.values() if isinstance(zone, dict)
                for rows in zone.values() if isinstance(rows, list) for row in rows]  # fmt: skip
    return value if isinstance(value, list) else []


def _wrapped(document: Mapping[str, Any]) -> str:
    """The key under which an answer of an API keeps its rows: `items`, `functions`, `clusters` ..."""
    if is_list(document) or is_log(document) or _is_asset(document) or is_listed(document):
        return ""
    for key, value in document.items():
        rows = _inside(value) if key == "items" or isinstance(value, list) else []
        if rows and isinstance(rows[0], dict) and is_listed(rows[0]):
            return key
    return ""


def _is_asset(value: Mapping[str, Any]) -> bool:
    kind = value.get("assetType") or value.get("asset_type")
    name = value.get("name")
    return isinstance(kind, str) and isinstance(name, str) and name.startswith("//")


def read(report: Report) -> Iterator[AnyRecord]:
    assets: dict[str, Asset] = {}
    documents: Iterator[tuple[str, Any]] = report.documents(dict[str, Any])
    for place, document in documents:
        rows = document.get("assets")
        inner = "" if isinstance(rows, list) else _wrapped(document)
        if isinstance(rows, list):
            found = [(f"{place}.assets[{n}]", row) for n, row in enumerate(rows)]
        elif inner:
            found = [
                (f"{place}.{inner}[{n}]", row) for n, row in enumerate(_inside(document[inner]))
            ]
        else:
            found = [(place, document)]
        for where, row in found:
            if not isinstance(row, dict):
                raise ReportError("an asset is an object", where, "export the assets again")
            if is_log(row):
                yield from of_log(row, where)
                continue
            if is_activity(row):
                yield from of_activity(row, where)
                continue
            if is_membership(row):
                yield from of_member(row, (*report.parts, report.name), where)
                continue
            if is_list(row):
                yield from of_list(row, (*report.parts, report.name), where)
                continue
            if is_group(row):
                yield from of_group(row, where)
                continue
            if _is_asset(row):
                asset = asset_of(row, where)
            elif (own := _policy_alone(report, row, where)) is not None:
                asset = own
            elif is_listed(row) and (known_as := listed(row, where)) is not None:
                asset = known_as
            else:
                yield Skipped(reason="no asset of Cloud Asset Inventory", place=where)
                continue
            known = assets.get(asset.uid)
            if known is None:
                assets[asset.uid] = asset
            else:  # the same asset again: its policy, or a newer state
                known.absorb(asset)
    for asset in assets.values():
        yield record_of(asset)
        yield from relations_of(asset)
    yield from principals_of(assets.values())
    yield from _scopes(assets)


def _scopes(assets: Mapping[str, Asset]) -> Iterator[Scope]:
    """Kinds that were read in a project, so that an absent firewall rule is known to be absent.

    A kind of which some record had its policy only was not exported as resources.
    """
    # Some services name a project by its number, others by its id.
    names: dict[str, set[str]] = {}
    for asset in assets.values():
        own = {n for n in (asset.project, asset.number, str(asset.data.get("projectId") or ""))
               if n and (n == asset.project or asset.project)}  # fmt: skip
        for name in own:
            names.setdefault(name, set()).update(own)
    bare = {(a.project, a.type) for a in assets.values() if not a.data}
    seen = {(a.project, a.type) for a in assets.values() if a.project} - bare
    policies = {a.project for a in assets.values()
                if a.policy is not None and a.project and not a.alone}  # fmt: skip
    for project, kind in sorted({(n, k) for p, k in seen for n in names.get(p, {p})}):
        yield Scope(key=f"gcp:{project}/{kind}", types=(), tool="gcp", pages=True)
    for project in sorted({n for p in policies for n in names.get(p, {p})}):
        yield Scope(key=f"gcp:{project}/iam_policy", types=(), tool="gcp", pages=True)
