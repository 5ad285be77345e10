"""Domain-wide delegation in Google Workspace, as its administrators' audit log says it.

No API lists which clients may act as anybody in a domain. The Reports API says when one was let in
and when it was put out: events AUTHORIZE_API_CLIENT_ACCESS and REMOVE_API_CLIENT_ACCESS of the
application `admin`. The log goes back six months. Source: developers.google.com, "Admin SDK: Reports
API", "Admin Audit Activity Events - Domain Settings".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from secinbox.inventory.gcp.assets import many
from secinbox.records import AnyRecord, Resource, Scope

_EVENTS = {"AUTHORIZE_API_CLIENT_ACCESS": True, "REMOVE_API_CLIENT_ACCESS": False}
_KIND = "admin#reports#activit"
# Said once any such event was read: who is not in them was not let in while the log lasts.
READ = "gcp:workspace/delegation"


def is_activity(row: Mapping[str, Any]) -> bool:
    """One activity of the audit log."""
    return (
        str(row.get("kind") or "").startswith(_KIND) and isinstance(row.get("events"), list)
    ) or (_method(row) in _METHODS)


# The same as Cloud Logging keeps it, where the Workspace shares its audit log with Google Cloud.
_METHODS = ("google.admin.AdminService.authorizeApiClientAccess",
            "google.admin.AdminService.removeApiClientAccess")  # fmt: skip


def _method(row: Mapping[str, Any]) -> str:
    payload = row.get("protoPayload")
    return str(payload.get("methodName") or "") if isinstance(payload, dict) else ""


def _logged(row: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of Cloud Logging in the words of the Reports API."""
    payload = row["protoPayload"]
    who, meta = payload.get("authenticationInfo"), payload.get("metadata")
    events = meta.get("event") if isinstance(meta, dict) else None
    return {
        "id": {"time": row.get("timestamp")},
        "actor": {"email": who.get("principalEmail") if isinstance(who, dict) else None},
        "events": [
            {"name": e.get("eventName"), "parameters": [
                {**p, "multiValue": p.get("multiStrValue") or p.get("multiValue")}
                for p in many(e.get("parameter")) if isinstance(p, dict)]}
            for e in (events if isinstance(events, list) else ()) if isinstance(e, dict)],
    }  # fmt: skip


def is_log(document: Mapping[str, Any]) -> bool:
    """A page of activities."""
    return str(document.get("kind") or "") == f"{_KIND}ies"


def of_log(document: Mapping[str, Any], place: str) -> Iterator[AnyRecord]:
    """What a page says of clients."""
    rows = document.get("items")
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        if isinstance(row, dict):
            yield from of_activity(row, f"{place}.items[{index}]")


def of_activity(row: Mapping[str, Any], place: str) -> Iterator[AnyRecord]:
    """Clients that were let in or put out, and the Workspace that they were let into."""
    row = _logged(row) if _method(row) in _METHODS else row
    key = row.get("id")
    key = key if isinstance(key, dict) else {}
    actor = row.get("actor")
    customer = str(key.get("customerId") or "")
    when = str(key.get("time") or "")
    for number, event in enumerate(many(row.get("events"))):
        name = str(event.get("name") or "") if isinstance(event, dict) else ""
        if name not in _EVENTS:
            continue
        said = dict(_parameters(event))
        client = " ".join(said.get("API_CLIENT_NAME", ())).strip()
        if not client or not when:
            continue
        mail = str(actor.get("email") or "") if isinstance(actor, dict) else ""
        domain = " ".join(said.get("DOMAIN_NAME", ())) or mail.rpartition("@")[2]
        scopes = sorted(
            {s for text in said.get("API_SCOPES", ()) for s in re.split(r"[\s,]+", text) if s}
        )
        uid = f"workspace:{customer or domain}"
        yield Resource(uid=uid, type="gcp_workspace", provider="gcp", place=place,
                       name=f"Google Workspace {domain or customer}", config='{"read":true}')  # fmt: skip
        config = {"workspace": uid, "client": client, "scopes": scopes, "on": _EVENTS[name],
                  "time": when, "number": number, "domain": domain.lower()}  # fmt: skip
        yield Resource(
            uid=f"{uid}/delegation/{client}/{when}/{number}", type="gcp_workspace_delegation",
            name=client, provider="gcp", config=msgspec.json.encode(config).decode(), place=place,
        )  # fmt: skip
        yield Scope(key=READ, types=(), tool="gcp", pages=True)


def _parameters(event: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    rows = event.get("parameters")
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        several = row.get("multiValue")
        values = several if isinstance(several, list) else [row.get("value")]
        yield str(row.get("name") or ""), [str(v) for v in values if isinstance(v, str)]
