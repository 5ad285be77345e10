"""Cases and tickets of findings in the public schema.

A ticket is attached by its address, or made elsewhere through a connection to that system: it is
queued with the case, and the case has its address when it is there. Without a connection the case is
made and says so in the ticket's status.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Body, Request, Response
from fastapi.params import Depends

from secinbox.api.public.findings import envelope, named
from secinbox.api.public.shapes import known
from secinbox.decisions.states import DecisionError
from secinbox.inbox.answers import NotFound

Object = Annotated[dict[str, Any], Body()]
_PRIORITIES = ("NOT_DEFINED", "P1", "P2", "P3", "P4", "P5")
# Path -> kind of ticket, key in the answer, key of its address in a request.
_TICKETS = {
    "jira_issues": ("jira", "jira_issue", "jira_issue_url"),
    "linear_issues": ("linear", "linear_issue", "linear_issue_url"),
    "servicenow_tickets": ("servicenow", "servicenow_ticket", "servicenow_ticket_url"),
}
_ADDRESS = {"jira": "issue_url", "linear": "url", "servicenow": "url"}


def shown(case: dict[str, Any], *, queued: bool = False) -> dict[str, Any]:
    """A case as `data`. queued: its ticket waits in the outbox."""
    attributes: dict[str, Any] = {
        "title": case["title"], "description": case["description"], "priority": case["priority"],
        "key": f"CASE-{case['number']}", "status": "OPEN", "status_name": "Open",
        "status_group": "SG_OPEN", "type": "SECURITY", "creation_source": "CS_SECURITY_FINDING",
        "created_at": case["created_at"], "modified_at": case["modified_at"],
        "insights": [{"type": "SECURITY_FINDING", "resource_id": f, "ref": f"/findings?q=id:{f}"}
                     for f in case["findings"]],
    }  # fmt: skip
    if case["assignee"]:
        attributes["assigned_to"] = {"data": {"id": case["assignee"], "type": "users"}}
    for kind, key, _ in _TICKETS.values():
        if case["ticket_kind"] == kind:
            attributes[key] = _ticket(kind, case["ticket_url"], queued)
    users = {k: {"data": {"id": case[k], "type": "users"}} for k in ("created_by", "modified_by")}
    project = {"data": {"id": case["project"], "type": "projects"}}
    return {"id": case["id"], "type": "cases", "attributes": attributes,
            "relationships": {**users, "project": project}}  # fmt: skip


def _ticket(kind: str, url: str, queued: bool) -> dict[str, Any]:
    if not url and queued:
        return {"status": "IN_PROGRESS"}
    if not url:
        told = {"status": "FAILED"}
        if kind != "servicenow":
            told["error_message"] = f"this server has no connection to {kind}; attach by address"
        return told
    key = urlsplit(url).path.rstrip("/").rsplit("/", 1)[-1]
    result = {_ADDRESS[kind]: url} | ({"issue_key": key} if kind != "servicenow" else {})
    return {"status": "COMPLETED", "result": result}


def _address(text: Any) -> str:
    parts = urlsplit(str(text))
    if parts.scheme not in ("https", "http") or not parts.hostname or len(str(text)) > 2_000:
        raise DecisionError("the address of a ticket begins with https://")
    return str(text)


def _project(data: dict[str, Any]) -> str:
    project = (data.get("relationships") or {}).get("project") or {"data": {"id": ""}}
    known(project, "project", ("data",))
    known(project["data"], "project.data", ("id",), ("type",))
    return str(project["data"]["id"])


def router(session: Any, triage: Sequence[Depends], actor: Callable[[Request], str]) -> APIRouter:
    """`/cases`, `/jira_issues`, `/linear_issues`, `/servicenow_tickets`."""
    routes = APIRouter(dependencies=list(triage))

    def book() -> Any:
        from secinbox.decisions.cases import Cases

        return Cases(session.decisions)

    def existing(data: dict[str, Any]) -> tuple[list[str], str]:
        """The findings that a request names and the title of the first. Raises NotFound."""
        ids = named(data)
        with session.reading() as facts:
            found = dict(
                facts.rows("SELECT id, title FROM findings WHERE id IN (SELECT unnest(?))", [ids])
            )
        missing = [i for i in ids if i not in found]
        if missing:
            raise NotFound(f"no finding has the id {missing[0]}")
        return ids, found[ids[0]]

    def make(request: Request, body: Any, type_: str, kind: str, optional: tuple[str, ...]) -> Any:
        known(body, "the body", ("data",))
        if not isinstance(body["data"], list) or not 1 <= len(body["data"]) <= 50:
            raise DecisionError("data is a list of 1 to 50")
        plans = []
        for item in body["data"]:  # all are read before one is made
            data = envelope({"data": item}, type_)
            given = data.get("attributes") or {}
            known(given, "attributes", (),
                  ("assignee_id", "description", "priority", "title", *optional))  # fmt: skip
            if given.get("priority", "P3") not in _PRIORITIES:
                raise DecisionError(f"priority is one of: {', '.join(_PRIORITIES)}")
            ids, title = existing(data)
            connected = session.delivery.connections.of_system(kind) if kind else None
            plans.append((ids, {
                "connection": connected.name if connected else "",
                "fields": given.get("fields") or {},
                "project": _project(data), "title": str(given.get("title") or title),
                "description": str(given.get("description", "")),
                "priority": given.get("priority", "NOT_DEFINED"),
                "assignee": str(given.get("assignee_id", "")), "ticket_kind": kind,
            }))  # fmt: skip
        with session.changing():
            made = [book().create(ids, actor(request), session.clock, **p) for ids, p in plans]
        session.delivery.wake()
        return {"data": [shown(c, queued=bool(p["connection"]))
                         for c, (_, p) in zip(made, plans, strict=True)]}  # fmt: skip

    def follow(request: Request, body: Any, type_: str, kind: str, key: str) -> Any:
        data = envelope(body, type_, key)
        url = _address(data["attributes"][key])
        ids, title = existing(data)
        with session.changing():
            known_case = book().with_ticket(kind, url)
            if known_case:
                case = book().attach(known_case["id"], ids, actor(request), session.clock)
            else:
                case = book().create(ids, actor(request), session.clock, project=_project(data),
                                     title=title, ticket_kind=kind, ticket_url=url)  # fmt: skip
        return {"data": shown(case)}

    @routes.post("/cases", status_code=201)
    def create(request: Request, body: Object) -> Any:
        """A new case with findings."""
        return make(request, body, "cases", "", ())

    @routes.delete("/cases", status_code=204)
    def detach(request: Request, body: Object) -> Response:
        """Findings leave their cases."""
        ids, _ = existing(envelope(body, "cases"))
        with session.changing():
            book().detach(ids, actor(request), session.clock)
        return Response(status_code=204)

    @routes.patch("/cases/{case_id}")
    def attach(request: Request, case_id: str, body: Object) -> Any:
        """Findings join a case."""
        data = envelope(body, "cases")
        if data.get("id", case_id) != case_id:
            raise DecisionError("id is another than that of the address")
        ids, _ = existing(data)
        with session.changing():
            return {"data": shown(book().attach(case_id, ids, actor(request), session.clock))}

    @routes.post("/jira_issues", status_code=201)
    def create_jira(request: Request, body: Object) -> Any:
        """A case with findings and a Jira issue of it."""
        return make(request, body, "jira_issues", "jira", ("fields",))

    @routes.patch("/jira_issues")
    def attach_jira(request: Request, body: Object) -> Any:
        """Findings join the case of a Jira issue."""
        return follow(request, body, "jira_issues", "jira", "jira_issue_url")

    @routes.post("/linear_issues", status_code=201)
    def create_linear(request: Request, body: Object) -> Any:
        """A case with findings and a Linear issue of it."""
        return make(request, body, "linear_issues", "linear", ("label_ids", "linear_project_id"))

    @routes.patch("/linear_issues")
    def attach_linear(request: Request, body: Object) -> Any:
        """Findings join the case of a Linear issue."""
        return follow(request, body, "linear_issues", "linear", "linear_issue_url")

    @routes.post("/servicenow_tickets", status_code=201)
    def create_servicenow(request: Request, body: Object) -> Any:
        """A case with findings and a ServiceNow ticket of it."""
        return make(request, body, "servicenow_tickets", "servicenow", ())

    @routes.patch("/servicenow_tickets")
    def attach_servicenow(request: Request, body: Object) -> Any:
        """Findings join the case of a ServiceNow ticket."""
        return follow(request, body, "servicenow_tickets", "servicenow", "servicenow_ticket_url")

    return routes
