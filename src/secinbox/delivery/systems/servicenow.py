"""Incidents of ServiceNow, through its Table API."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from secinbox.delivery.connections import Connection
from secinbox.delivery.outgoing import Client
from secinbox.delivery.signing import verified
from secinbox.delivery.ticket import Made, There, Ticket, as_text, line

TITLE = "ServiceNow"
ADDRESS = ""
NEEDS = ("url", "user", "secret")
OPTIONS = {"table": "incident", "open": "1", "in_progress": "2", "closed": "6",
           "close_code": "Solved (Permanently)"}  # fmt: skip
_URGENCY = {"critical": "1", "high": "1", "medium": "2"}
_CLOSED = ("6", "7", "8")  # resolved, closed, cancelled


def _headers(connection: Connection) -> dict[str, str]:
    pair = f"{connection.user}:{connection.token}".encode()
    return {"authorization": "Basic " + base64.b64encode(pair).decode()}


def _table(connection: Connection) -> str:
    return f"{connection.url}/api/now/table/{quote(connection.option('table'), safe='')}"


def create(client: Client, connection: Connection, ticket: Ticket, *, again: bool) -> Made:
    """The incident; one with our correlation id that an earlier try made is taken instead."""
    table, headers = _table(connection), _headers(connection)
    if again:
        query = quote(f"correlation_id=secinbox:{ticket.key}")
        url = f"{table}?sysparm_query={query}&sysparm_limit=1&sysparm_fields=sys_id"
        found = client.ask("GET", url, headers=headers)["result"]
        if found:
            return _made(connection, str(found[0]["sys_id"]))
    body: dict[str, Any] = {
        "short_description": line(ticket.title, 160), "description": as_text(ticket),
        "correlation_id": f"secinbox:{ticket.key}", "correlation_display": "secinbox",
        "urgency": _URGENCY.get(ticket.severity, "3"),
    }  # fmt: skip
    if ticket.project or connection.project:
        body["assignment_group"] = ticket.project or connection.project
    if ticket.assignee:
        body["assigned_to"] = ticket.assignee
    body |= {k: v for k, v in ticket.fields.items() if k != "correlation_id"}
    told = client.ask("POST", table, body, headers=headers)["result"]
    return _made(connection, str(told["sys_id"]))


def _made(connection: Connection, identity: str) -> Made:
    table = connection.option("table")
    return Made(identity, f"{connection.url}/{table}.do?sys_id={quote(identity, safe='')}")


def _one(connection: Connection, external: str) -> str:
    return f"{_table(connection)}/{quote(external, safe='')}"


def read(client: Client, connection: Connection, external: str) -> There:
    """How it stands."""
    url = (
        f"{_one(connection, external)}?sysparm_fields=state,assigned_to&sysparm_display_value=false"
    )
    found = client.ask("GET", url, headers=_headers(connection))["result"]
    person = found.get("assigned_to") or ""
    person = str(person.get("value", "")) if isinstance(person, dict) else str(person)
    state = str(found["state"])
    if state in _CLOSED or state == connection.option("closed"):
        return There("closed", person)
    return There("in_progress" if state == connection.option("in_progress") else "open", person)


def change(client: Client, connection: Connection, external: str, wanted: There, text: str) -> None:
    """Brings state and person to what is wanted, with a work note."""
    now = read(client, connection, external)
    body: dict[str, Any] = {}
    if now.status != wanted.status:
        body |= {"state": connection.option(wanted.status), "work_notes": text}
        if wanted.status == "closed":
            body |= {"close_code": connection.option("close_code"), "close_notes": text}
    if wanted.assignee and wanted.assignee != now.assignee:
        body["assigned_to"] = wanted.assignee
    if body:
        client.ask("PATCH", _one(connection, external), body, headers=_headers(connection))


def received(secret: str, headers: Mapping[str, str], body: bytes, data: Any) -> tuple[str, str]:
    """(digest, ticket) of a webhook that a business rule signs our way. Raises SignatureError."""
    return verified(secret, headers, body), str(data.get("sys_id", ""))
