"""Issues of Linear, through its GraphQL API. The name of an issue is chosen by us: never twice."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from secinbox.delivery.connections import Connection
from secinbox.delivery.outgoing import Client, OutgoingError
from secinbox.delivery.signing import fresh, verified_body
from secinbox.delivery.ticket import Made, Status, There, Ticket, as_markdown, line

TITLE = "Linear"
ADDRESS = "https://api.linear.app"
NEEDS = ("project", "secret")  # project: the id of a team
OPTIONS: dict[str, str] = {}
_STATUS: dict[str, Status] = {"started": "in_progress", "completed": "closed", "canceled": "closed"}
_PRIORITY = {"critical": 1, "high": 2, "medium": 3, "low": 4}
_ISSUE = "id url team { id } state { type } assignee { id }"


def _ask(client: Client, connection: Connection, query: str, **variables: Any) -> Any:
    told = client.ask("POST", f"{connection.url}/graphql", {"query": query, "variables": variables},
                      headers={"authorization": connection.token})  # fmt: skip
    if told.get("errors"):
        message = line(told["errors"][0].get("message", "an error"), 300)
        raise OutgoingError(f"Linear: {message}", permanent=True)
    return told["data"]


def create(client: Client, connection: Connection, ticket: Ticket, *, again: bool) -> Made:
    """The ticket; one that an earlier try made has the same name and is taken instead."""
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, "secinbox:" + ticket.key))
    if again:
        found = _ask(client, connection, "query($id: ID!) { issues(filter: {id: {eq: $id}}) "
                     f"{{ nodes {{ {_ISSUE} }} }} }}", id=name)["issues"]["nodes"]  # fmt: skip
        if found:
            return Made(str(found[0]["id"]), str(found[0]["url"]))
    given: dict[str, Any] = {
        "id": name, "teamId": ticket.project or connection.project,
        "title": line(ticket.title, 250), "description": as_markdown(ticket),
        "priority": _PRIORITY.get(ticket.severity, 0),
    }  # fmt: skip
    if ticket.assignee:
        given["assigneeId"] = ticket.assignee
    told = _ask(client, connection, "mutation($given: IssueCreateInput!) { issueCreate(input: $given) "
                f"{{ success issue {{ {_ISSUE} }} }} }}", given=given)["issueCreate"]["issue"]  # fmt: skip
    return Made(str(told["id"]), str(told["url"]))


def _one(client: Client, connection: Connection, external: str) -> Any:
    query = f"query($id: String!) {{ issue(id: $id) {{ {_ISSUE} }} }}"
    return _ask(client, connection, query, id=external)["issue"]


def read(client: Client, connection: Connection, external: str) -> There:
    """How it stands."""
    found = _one(client, connection, external)
    status = _STATUS.get(str(found["state"]["type"]), "open")
    return There(status, str((found.get("assignee") or {}).get("id", "")))


def change(client: Client, connection: Connection, external: str, wanted: There, text: str) -> None:
    """Takes the team's first state of the wanted kind; assigns; says why."""
    found = _one(client, connection, external)
    now = _STATUS.get(str(found["state"]["type"]), "open")
    given: dict[str, Any] = {}
    if now != wanted.status:
        states = _ask(client, connection, "query($team: String!) { team(id: $team) { states "
                      "{ nodes { id type position } } } }", team=found["team"]["id"])  # fmt: skip
        kind = {"closed": "completed", "in_progress": "started"}.get(wanted.status, "unstarted")
        fit = [s for s in states["team"]["states"]["nodes"] if s["type"] == kind]
        if fit:
            given["stateId"] = min(fit, key=lambda s: float(s["position"]))["id"]
    if wanted.assignee:
        given["assigneeId"] = wanted.assignee
    if given:
        _ask(client, connection, "mutation($id: String!, $given: IssueUpdateInput!) "
             "{ issueUpdate(id: $id, input: $given) { success } }", id=external, given=given)  # fmt: skip
    if now != wanted.status:
        _ask(client, connection, "mutation($given: CommentCreateInput!) { commentCreate(input: $given) "
             "{ success } }", given={"issueId": external, "body": text})  # fmt: skip


def received(secret: str, headers: Mapping[str, str], body: bytes, data: Any) -> tuple[str, str]:
    """(digest, ticket) of a signed webhook of the last minutes. Raises SignatureError."""
    digest = verified_body(secret, headers.get("linear-signature", ""), body)
    fresh(str(data.get("webhookTimestamp", ""))[:-3])  # milliseconds
    return digest, str((data.get("data") or {}).get("id", ""))
