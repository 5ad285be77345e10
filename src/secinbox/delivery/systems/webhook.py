"""Any program that takes signed JSON: tickets with one URL, and notifications."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from secinbox.delivery.connections import Connection
from secinbox.delivery.outgoing import Client
from secinbox.delivery.signing import signed, verified
from secinbox.delivery.ticket import Made, There, Ticket, as_text

TITLE = "Webhook"
ADDRESS = ""
NEEDS = ("url", "secret")
OPTIONS: dict[str, str] = {}


def _post(client: Client, connection: Connection, key: str, body: dict[str, Any]) -> Any:
    data = json.dumps(body, sort_keys=True).encode()
    headers = {"content-type": "application/json", "idempotency-key": key,
               **signed(connection.token, data)}  # fmt: skip
    answer = client.send("POST", connection.url, headers=headers, body=data)
    try:
        told = json.loads(answer.body) if answer.body else {}
    except ValueError:
        told = {}  # what a receiver says beside 2xx is its own matter
    return told if isinstance(told, dict) else {}


def create(client: Client, connection: Connection, ticket: Ticket, *, again: bool) -> Made:
    """The receiver may answer with `id` and `url`; it knows a repeated Idempotency-Key."""
    del again
    told = _post(client, connection, ticket.key, {
        "event": "ticket", "key": ticket.key, "title": ticket.title, "text": as_text(ticket),
        "severity": ticket.severity, "project": ticket.project or connection.project,
        "assignee": ticket.assignee, "link": ticket.link, "fields": dict(ticket.fields)})  # fmt: skip
    return Made(str(told.get("id") or ticket.key), str(told.get("url") or connection.url))


def read(client: Client, connection: Connection, external: str) -> There | None:
    """It cannot be asked: it tells by webhook."""
    del client, connection, external
    return None


def change(client: Client, connection: Connection, external: str, wanted: There, text: str) -> None:
    """Tells what is wanted now."""
    key = f"{external}:{wanted.status}:{wanted.assignee}"
    _post(client, connection, key[:200], {"event": "update", "id": external, "text": text,
                                          "status": wanted.status, "assignee": wanted.assignee})  # fmt: skip


def say(client: Client, connection: Connection, key: str, message: Mapping[str, Any]) -> None:
    """One notification."""
    _post(client, connection, key, {"event": "notification", "key": key, **message})


def received(secret: str, headers: Mapping[str, str], body: bytes, data: Any) -> tuple[str, str]:
    """(digest, ticket) of a message that is signed our way. Raises SignatureError."""
    return verified(secret, headers, body), str(data.get("id", ""))


def told(data: Any) -> There | None:
    """How the ticket stands, as the message itself says."""
    if data.get("status") not in ("open", "in_progress", "closed"):
        return None
    return There(data["status"], str(data.get("assignee") or ""))
