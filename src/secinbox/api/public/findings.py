"""Findings in the public schema: list, search, mute, assignee, severity."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Request
from fastapi.params import Depends

from secinbox.api.public.shapes import finding, from_milliseconds, known
from secinbox.decisions.states import DecisionError
from secinbox.inbox import findings as listing
from secinbox.vocabulary import MUTE_REASONS

Sort = Literal["@detection_changed_at", "-@detection_changed_at"]
Object = Annotated[dict[str, Any], Body()]
MAX_PAGE = 150
ROOT = "/api/v2/security/findings"
_UNMUTE = ("no_pending_fix", "human_error", "no_longer_accepted_risk")


def named(data: Any) -> list[str]:
    """The ids in `relationships.findings`. Raises DecisionError."""
    known(data.get("relationships"), "relationships", ("findings",), ("project",))
    known(data["relationships"]["findings"], "findings", (), ("data",))
    items = data["relationships"]["findings"].get("data") or []
    if not isinstance(items, list) or not 1 <= len(items) <= 1_000:
        raise DecisionError("findings.data is a list of 1 to 1000 findings")
    for item in items:
        known(item, "findings.data", ("id", "type"))
        if item["type"] != "findings" or not isinstance(item["id"], str):
            raise DecisionError("each has an id and the type findings")
    return [item["id"] for item in items]


def envelope(body: Any, type_: str, *attributes: str) -> dict[str, Any]:
    """`data` of a request with its type and the attributes that it must have."""
    known(body, "the body", ("data",))
    data: dict[str, Any] = body["data"]
    known(data, "data", ("type",), ("id", "attributes", "relationships"))
    if data["type"] != type_:
        raise DecisionError(f"type is {type_}")
    if attributes:
        known(data.get("attributes"), "attributes", attributes)
    return data


def page(session: Any, query: str, limit: int, cursor: str, sort: str) -> dict[str, Any]:
    """A page of findings by the time at which their detection changed."""
    rules = session.automation.admissions()
    with session.reading() as facts:
        rows, after = listing.detected(facts, query, limit, cursor, newest=sort.startswith("-"))
        told = listing.finding_rows(facts, rows, rules)
        more = _more(session, facts, told)
    return {"data": [finding(r, more[r["id"]]) for r in told], "after": after}


def _more(session: Any, facts: Any, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = facts.dicts(
        "SELECT id, status, assignee, reason, expires, due, "
        "coalesce(due <> '' AND due < (SELECT left(value, 10) FROM meta WHERE key = 'clock'), FALSE) "
        "AS overdue FROM issues WHERE id IN (SELECT unnest(?))",
        [[r["issue"] for r in rows if r["issue"]]],
    )
    issues = {i["id"]: i for i in found}
    more = {r["id"]: dict(issues.get(r["issue"], {})) for r in rows}
    if session.has_decisions:
        from secinbox.decisions.cases import Cases

        store = session.decisions
        for row in rows:
            state = store.state("finding:" + row["id"]) if row["muted_by"] else {}
            if state:
                more[row["id"]] |= {k: state[k] for k in ("reason", "expires") if state[k]}
        for identity, case in Cases(store).of([r["id"] for r in rows]).items():
            told = {"id": case["id"], "key": f"CASE-{case['number']}", "title": case["title"]}
            if case["ticket_kind"] and case["ticket_url"]:
                kind = {"jira": "jira_issue", "linear": "linear_issue"}.get(
                    case["ticket_kind"], "servicenow_ticket"
                )
                told[kind] = {"url": case["ticket_url"]}
            more[identity]["case"] = told
    return more


def router(
    session: Any,
    read: Sequence[Depends],
    triage: Sequence[Depends],
    actor: Callable[[Request], str],
) -> APIRouter:
    """`/api/v2/security/findings`."""
    routes = APIRouter(prefix=ROOT)

    def answer(request: Request, query: str, limit: int, cursor: str, sort: str) -> Any:
        found = page(session, query, limit, cursor, sort)
        told: dict[str, Any] = {
            "data": found["data"],
            "meta": {"elapsed": 0, "status": "done", "request_id": str(uuid.uuid4()), "page": {}},
        }
        if found["after"]:
            told["meta"]["page"]["after"] = found["after"]
            told["links"] = {"next": f"{request.url.path}?page[cursor]={found['after']}"}
        return told

    @routes.get("", dependencies=read)
    def list_(
        request: Request,
        query: Annotated[str, Query(alias="filter[query]", max_length=4_000)] = "",
        cursor: Annotated[str, Query(alias="page[cursor]", max_length=200)] = "",
        limit: Annotated[int, Query(alias="page[limit]", ge=1, le=MAX_PAGE)] = 10,
        sort: Sort = "-@detection_changed_at",
    ) -> Any:
        """Findings that match a query."""
        return answer(request, query, limit, cursor, sort)

    @routes.post("/search", dependencies=read)
    def search(request: Request, body: Object) -> Any:
        """Findings that match a query, asked by body."""
        known(body, "the body", (), ("data",))
        data = body.get("data") or {}
        known(data, "data", (), ("attributes", "type"))
        asked = data.get("attributes") or {}
        known(asked, "attributes", (), ("filter", "page", "sort"))
        place = asked.get("page") or {}
        known(place, "page", (), ("cursor", "limit"))
        limit, sort = place.get("limit", 10), asked.get("sort", "-@detection_changed_at")
        query, cursor = asked.get("filter", ""), place.get("cursor", "")
        if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MAX_PAGE:
            raise DecisionError(f"page.limit is from 1 to {MAX_PAGE}")
        if not isinstance(query, str) or not isinstance(cursor, str):
            raise DecisionError("filter and page.cursor are texts")
        if sort not in ("@detection_changed_at", "-@detection_changed_at"):
            raise DecisionError("sort is @detection_changed_at or -@detection_changed_at")
        return answer(request, query, limit, cursor, sort)

    @routes.patch("/mute", dependencies=triage, status_code=202)
    def mute(request: Request, body: Object) -> Any:
        """Mutes findings, or takes that back."""
        data = envelope(body, "mute", "mute")
        asked = data["attributes"]["mute"]
        known(asked, "mute", ("is_muted", "reason"), ("description", "expire_at"))
        reason = str(asked["reason"]).lower()
        allowed = MUTE_REASONS if asked["is_muted"] is True else (*MUTE_REASONS, *_UNMUTE)
        if reason not in allowed:
            raise DecisionError(f"reason is one of: {', '.join(r.upper() for r in allowed)}")
        text = str(asked.get("description", ""))
        decision: dict[str, Any] = {"action": "unmute", "text": f"{reason}: {text}".rstrip(": ")}
        if asked["is_muted"] is True:
            ends = asked.get("expire_at")
            decision = {"action": "mute", "reason": reason, "text": text,
                        "expires": from_milliseconds(ends) if isinstance(ends, int) else ""}  # fmt: skip
        told = session.decide({**decision, "findings": named(data)}, actor(request))
        _all_failed(told)
        return {"data": {"id": told["batch"], "type": "mute"}}

    @routes.patch("/assignee", dependencies=triage)
    def assignee(request: Request, body: Object) -> Any:
        """Assigns findings, or takes that back."""
        data = envelope(body, "assignee")
        known(data.get("attributes") or {}, "attributes", (), ("assignee_id",))
        who = str((data.get("attributes") or {}).get("assignee_id", ""))
        told = _assign(session, named(data), who, actor(request))
        attributes = {"assignee_id": who} if who else {}
        return {"data": {"id": told["batch"], "type": "assignee", "attributes": attributes},
                "meta": {"failures": [_result(f) for f in told["failed"]]}}  # fmt: skip

    @routes.patch("/severity", dependencies=triage)
    def severity(request: Request, body: Object) -> Any:
        """Gives findings a severity, or takes that back."""
        data = envelope(body, "severity_override", "severity")
        asked = data["attributes"]["severity"]
        known(asked, "severity", ("action",), ("value", "description"))
        if asked["action"] not in ("set", "clear") or (asked["action"] == "set") != (
            "value" in asked
        ):
            raise DecisionError("severity has action set with value, or action clear")
        told = session.decide(
            {"action": "severity", "severity": asked.get("value", ""), "findings": named(data),
             "text": str(asked.get("description", ""))}, actor(request))  # fmt: skip
        _all_failed(told)
        return {"data": {"id": told["batch"], "type": "severity_override"},
                "meta": {"warnings": [_result(f) for f in told["failed"]]}}  # fmt: skip

    return routes


def _assign(session: Any, ids: list[str], who: str, actor: str) -> dict[str, Any]:
    """Who has a finding has its issue; a finding outside the inbox is assigned by itself."""
    with session.reading() as facts:
        issues = dict(facts.rows(
            "SELECT id, issue FROM assessed WHERE id IN (SELECT unnest(?)) AND issue IS NOT NULL",
            [ids]))  # fmt: skip
    wanted = sorted({issues[i] for i in ids if i in issues})
    alone = [i for i in ids if i not in issues]
    told: dict[str, Any] = {"batch": "", "failed": [], "done": []}
    for key, names in (("issues", wanted), ("findings", alone)):
        if names:
            one = session.decide({"action": "assign", "assignee": who, key: names}, actor)
            told["batch"] = told["batch"] or one["batch"]
            told["done"] += one["done"]
            told["failed"] += one["failed"]
    return told


def _all_failed(told: dict[str, Any]) -> None:
    if told["failed"] and not told["done"]:
        raise DecisionError(told["failed"][0]["error"])


def _result(failure: dict[str, Any]) -> dict[str, Any]:
    return {"finding_id": failure["id"], "status": 422, "title": "not changed",
            "detail": failure["error"]}  # fmt: skip
