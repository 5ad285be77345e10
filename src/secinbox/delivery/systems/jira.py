"""Jira Cloud and Data Center, through version 2 of its REST API."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from secinbox.delivery.connections import Connection
from secinbox.delivery.outgoing import Client
from secinbox.delivery.signing import verified_body
from secinbox.delivery.ticket import Made, Status, There, Ticket, as_wiki, line

TITLE = "Jira"
ADDRESS = ""
NEEDS = ("url", "project", "secret")
# search: where issues are found: `search/jql` (Cloud) or `search` (Data Center).
OPTIONS = {"type": "Task", "search": "search/jql", "account_key": "accountId"}
_CATEGORY: dict[str, Status] = {
    "new": "open", "undefined": "open", "indeterminate": "in_progress", "done": "closed"
}  # fmt: skip


def _headers(connection: Connection) -> dict[str, str]:
    if connection.user:  # Cloud: address and API token
        pair = f"{connection.user}:{connection.token}".encode()
        return {"authorization": "Basic " + base64.b64encode(pair).decode()}
    return {"authorization": f"Bearer {connection.token}"}


def _mark(ticket: Ticket) -> str:
    return f"secinbox-{ticket.key[:20]}"


def _made(connection: Connection, key: str) -> Made:
    return Made(key, f"{connection.url}/browse/{quote(key, safe='')}")


def create(client: Client, connection: Connection, ticket: Ticket, *, again: bool) -> Made:
    """The ticket; one with our label that an earlier try made is taken instead."""
    api, headers = f"{connection.url}/rest/api/2", _headers(connection)
    if again:
        jql = quote(f'labels = "{_mark(ticket)}"')
        path = connection.option("search")
        found = client.ask("GET", f"{api}/{path}?jql={jql}&fields=labels&maxResults=1",
                           headers=headers)  # fmt: skip
        if found.get("issues"):
            return _made(connection, str(found["issues"][0]["key"]))
    fields: dict[str, Any] = {
        "project": {"key": ticket.project or connection.project},
        "issuetype": {"name": connection.option("type")},
        "summary": line(ticket.title, 250),
        "description": as_wiki(ticket),
        "labels": ["secinbox", _mark(ticket)],
    }
    if ticket.assignee:
        fields["assignee"] = {connection.option("account_key"): ticket.assignee}
    fields |= {k: v for k, v in ticket.fields.items() if k not in ("labels", "project")}
    told = client.ask("POST", f"{api}/issue", {"fields": fields}, headers=headers)
    return _made(connection, str(told["key"]))


def read(client: Client, connection: Connection, external: str) -> There:
    """How it stands."""
    url = f"{connection.url}/rest/api/2/issue/{quote(external, safe='')}?fields=status,assignee"
    fields = client.ask("GET", url, headers=_headers(connection))["fields"]
    category = str(fields["status"]["statusCategory"]["key"])
    person = (fields.get("assignee") or {}).get(connection.option("account_key"), "")
    return There(_CATEGORY.get(category, "open"), str(person))


def change(client: Client, connection: Connection, external: str, wanted: There, text: str) -> None:
    """Takes the first transition that leads to the wanted kind of status; assigns; comments."""
    issue = f"{connection.url}/rest/api/2/issue/{quote(external, safe='')}"
    headers = _headers(connection)
    now = read(client, connection, external)
    if now.assignee != wanted.assignee and wanted.assignee:
        client.ask("PUT", f"{issue}/assignee", {connection.option("account_key"): wanted.assignee},
                   headers=headers)  # fmt: skip
    if now.status != wanted.status:
        ways = client.ask("GET", f"{issue}/transitions", headers=headers)["transitions"]
        for way in ways:
            category = str(way["to"]["statusCategory"]["key"])
            if _CATEGORY.get(category, "open") == wanted.status:
                client.ask("POST", f"{issue}/transitions", {"transition": {"id": way["id"]}},
                           headers=headers)  # fmt: skip
                break
        client.ask("POST", f"{issue}/comment", {"body": text}, headers=headers)


def received(secret: str, headers: Mapping[str, str], body: bytes, data: Any) -> tuple[str, str]:
    """(digest, ticket) of a signed webhook. Raises SignatureError."""
    digest = verified_body(secret, headers.get("x-hub-signature", ""), body)
    return digest, str((data.get("issue") or {}).get("key", ""))
