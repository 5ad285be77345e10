"""Issues of GitHub, github.com or Enterprise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from secinbox.delivery.connections import Connection
from secinbox.delivery.outgoing import Client
from secinbox.delivery.signing import verified_body
from secinbox.delivery.ticket import Made, Status, There, Ticket, as_markdown, line

TITLE = "GitHub Issues"
ADDRESS = "https://api.github.com"
NEEDS = ("project", "secret")  # project: owner/name
OPTIONS = {"label": "secinbox", "in_progress": "in progress"}  # the label that says so


def _headers(connection: Connection) -> dict[str, str]:
    return {"authorization": f"Bearer {connection.token}", "accept": "application/vnd.github+json",
            "x-github-api-version": "2022-11-28"}  # fmt: skip


def _issues(connection: Connection, project: str) -> str:
    return f"{connection.url}/repos/{quote(project)}/issues"


def create(client: Client, connection: Connection, ticket: Ticket, *, again: bool) -> Made:
    """The ticket; one with our mark that an earlier try made is taken instead."""
    project = ticket.project if "/" in ticket.project else connection.project
    issues, headers = _issues(connection, project), _headers(connection)
    label = connection.option("label")
    if again:
        # The list, not the search: the search learns of an issue only after a while.
        url = (f"{issues}?state=all&labels={quote(label)}&since={quote(ticket.since)}"
               "&per_page=100&sort=created&direction=desc")  # fmt: skip
        for found in client.ask("GET", url, headers=headers):
            if f"secinbox:{ticket.key}" in (found.get("body") or ""):
                return _made(project, found)
    body: dict[str, Any] = {"title": line(ticket.title, 250), "body": as_markdown(ticket),
                            "labels": [label]}  # fmt: skip
    if ticket.assignee:
        body["assignees"] = [ticket.assignee]
    return _made(project, client.ask("POST", issues, body, headers=headers))


def _made(project: str, found: Any) -> Made:
    return Made(f"{project}#{int(found['number'])}", str(found["html_url"]))


def _one(connection: Connection, external: str) -> str:
    project, _, number = external.rpartition("#")
    return f"{_issues(connection, project)}/{quote(number)}"


def _state(connection: Connection, found: Any) -> There:
    people = found.get("assignees") or []
    labels = {str(entry.get("name", "")) for entry in found.get("labels") or []}
    status: Status = "closed" if found["state"] == "closed" else "open"
    if status == "open" and connection.option("in_progress") in labels:
        status = "in_progress"
    return There(status, str(people[0]["login"]) if people else "")


def read(client: Client, connection: Connection, external: str) -> There:
    """How it stands."""
    found = client.ask("GET", _one(connection, external), headers=_headers(connection))
    return _state(connection, found)


def change(client: Client, connection: Connection, external: str, wanted: There, text: str) -> None:
    """Brings state, label and assignee to what is wanted; says why when the state changes."""
    url, headers = _one(connection, external), _headers(connection)
    found = client.ask("GET", url, headers=headers)
    now = _state(connection, found)
    mark = connection.option("in_progress")
    labels = {str(entry.get("name", "")) for entry in found.get("labels") or []} - {mark}
    if wanted.status == "in_progress":
        labels |= {mark}
    body: dict[str, Any] = {
        "state": "closed" if wanted.status == "closed" else "open",
        "labels": sorted(labels),
    }
    if wanted.assignee:
        body["assignees"] = [wanted.assignee]
    client.ask("PATCH", url, body, headers=headers)
    if now.status != wanted.status:
        client.ask("POST", f"{url}/comments", {"body": text}, headers=headers)


def received(secret: str, headers: Mapping[str, str], body: bytes, data: Any) -> tuple[str, str]:
    """(digest, ticket) of a signed webhook. Raises SignatureError."""
    digest = verified_body(secret, headers.get("x-hub-signature-256", ""), body)
    project = str((data.get("repository") or {}).get("full_name", ""))
    number = (data.get("issue") or {}).get("number", "")
    return digest, f"{project}#{number}"
