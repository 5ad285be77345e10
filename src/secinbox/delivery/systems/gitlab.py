"""Issues of GitLab, gitlab.com or self-managed."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from secinbox.delivery.connections import Connection
from secinbox.delivery.outgoing import Client
from secinbox.delivery.signing import SignatureError
from secinbox.delivery.signing import digest as digest_of
from secinbox.delivery.ticket import Made, Status, There, Ticket, as_markdown, line

TITLE = "GitLab issues"
ADDRESS = "https://gitlab.com"
NEEDS = ("project", "secret")  # project: group/name
OPTIONS = {"label": "secinbox", "in_progress": "in progress"}


def _headers(connection: Connection) -> dict[str, str]:
    return {"private-token": connection.token}


def _issues(connection: Connection, project: str) -> str:
    return f"{connection.url}/api/v4/projects/{quote(project, safe='')}/issues"


def create(client: Client, connection: Connection, ticket: Ticket, *, again: bool) -> Made:
    """The ticket; one with our mark that an earlier try made is taken instead."""
    project = ticket.project if "/" in ticket.project else connection.project
    issues, headers = _issues(connection, project), _headers(connection)
    if again:
        for found in client.ask("GET", f"{issues}?search={ticket.key}&in=description&scope=all",
                                headers=headers):  # fmt: skip
            if f"secinbox:{ticket.key}" in (found.get("description") or ""):
                return _made(project, found)
    body: dict[str, Any] = {"title": line(ticket.title, 250), "description": as_markdown(ticket),
                            "labels": connection.option("label")}  # fmt: skip
    if ticket.assignee:
        body["assignee_ids"] = [_person(client, connection, ticket.assignee)]
    return _made(project, client.ask("POST", issues, body, headers=headers))


def _made(project: str, found: Any) -> Made:
    return Made(f"{project}#{int(found['iid'])}", str(found["web_url"]))


def _person(client: Client, connection: Connection, name: str) -> int:
    found = client.ask("GET", f"{connection.url}/api/v4/users?username={quote(name, safe='')}",
                       headers=_headers(connection))  # fmt: skip
    return int(found[0]["id"]) if found else 0  # 0: nobody


def _one(connection: Connection, external: str) -> str:
    project, _, number = external.rpartition("#")
    return f"{_issues(connection, project)}/{quote(number)}"


def read(client: Client, connection: Connection, external: str) -> There:
    """How it stands."""
    found = client.ask("GET", _one(connection, external), headers=_headers(connection))
    people = found.get("assignees") or []
    status: Status = "closed" if found["state"] == "closed" else "open"
    if status == "open" and connection.option("in_progress") in (found.get("labels") or []):
        status = "in_progress"
    return There(status, str(people[0]["username"]) if people else "")


def change(client: Client, connection: Connection, external: str, wanted: There, text: str) -> None:
    """Brings state, label and assignee to what is wanted; says why when the state changes."""
    url, headers = _one(connection, external), _headers(connection)
    now = read(client, connection, external)
    body: dict[str, Any] = {}
    if (now.status == "closed") != (wanted.status == "closed"):
        body["state_event"] = "close" if wanted.status == "closed" else "reopen"
    label = "add_labels" if wanted.status == "in_progress" else "remove_labels"
    body[label] = connection.option("in_progress")
    if wanted.assignee and wanted.assignee != now.assignee:
        body["assignee_ids"] = [_person(client, connection, wanted.assignee)]
    client.ask("PUT", url, body, headers=headers)
    if now.status != wanted.status:
        client.ask("POST", f"{url}/notes", {"body": text}, headers=headers)


def received(secret: str, headers: Mapping[str, str], body: bytes, data: Any) -> tuple[str, str]:
    """(digest, ticket) of a webhook that carries the secret token. Raises SignatureError."""
    if not hmac.compare_digest(secret.encode(), headers.get("x-gitlab-token", "").encode()):
        raise SignatureError("the token is missing or wrong")
    once = headers.get("x-gitlab-event-uuid", "") or body.decode("utf-8", "replace")
    project = str((data.get("project") or {}).get("path_with_namespace", ""))
    number = (data.get("object_attributes") or {}).get("iid", "")
    return digest_of(once), f"{project}#{number}"
