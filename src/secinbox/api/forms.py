"""Decisions from the pages: plain forms with a CSRF token, one issue or a selection; rules on and off."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from secinbox.api.access import Access
from secinbox.api.accounts import checked, form
from secinbox.decisions.states import Conflict, DecisionError
from secinbox.inbox.answers import NotFound
from secinbox.inbox.query import QueryError
from secinbox.web.pages import href, show

# Action of a form -> the fields of a request that it may set.
_FIELDS = {
    "mute": ("reason", "expires", "text"), "unmute": ("text",), "assign": ("assignee", "text"),
    "due": ("due", "text"), "comment": ("text",), "status": ("status", "text"), "label": (),
    "undo": (),
}  # fmt: skip


def request_of(fields: dict[str, str]) -> dict[str, Any]:
    """The decision that a form asks for. Raises DecisionError."""
    action = fields.get("action", "")
    if action.startswith("status:"):
        action, _, fields = "status", "", {**fields, "status": action.partition(":")[2]}
    if action not in _FIELDS:
        raise DecisionError(f"action is one of: {', '.join(_FIELDS)}")
    asked: dict[str, Any] = {"action": action}
    for name in _FIELDS[action]:
        if fields.get(name) or name in ("assignee", "due"):
            asked[name] = fields.get(name, "").strip()
    if action == "assign" and fields.get("team"):
        asked["assignee_kind"] = "team"
    if action == "mute" and fields.get("until_worse"):
        asked["until_worse"] = True
    if action == "label":
        words = fields.get("labels", "").split()
        asked["add"] = [w for w in words if not w.startswith("-")]
        asked["remove"] = [w[1:] for w in words if w.startswith("-") and len(w) > 1]
    return asked


def router(session: Any, access: Access) -> APIRouter:
    """`POST /issues/ID/decide`, `POST /decide`."""
    routes = APIRouter(include_in_schema=False, dependencies=[Depends(access.needs("triager"))])

    def failed(request: Request, message: str, status: int, **more: Any) -> Response:
        return show(request, "undecided.html", status=status, message=message, **more)

    @routes.post("/issues/{name}/decide")
    async def one(request: Request, name: str) -> Response:
        fields = await form(request)
        checked(fields, request)
        back = f"/issues/{name}"
        seen = fields.get("version", "")
        item = {"id": name, "version": int(seen)} if seen.isdigit() else name
        try:
            asked = {**request_of(fields), "issues": [item]}
            told = await run_in_threadpool(session.decide, asked, access.actor(request))
        except (DecisionError, NotFound) as problem:
            return failed(request, str(problem), 422, back=back, failures=[])
        if told["failed"]:
            status = 409 if "changes" in told["failed"][0] else 422
            return failed(request, told["failed"][0]["error"], status, back=back,
                          failures=told["failed"])  # fmt: skip
        return RedirectResponse(back, 303)

    @routes.post("/decide")
    async def many(request: Request) -> Response:
        fields = await form(request)
        checked(fields, request)
        query = fields.get("q", "")
        back = href("/", q=query)
        chosen = (fields.get("issue[]") or fields.get("issue", "")).split()
        try:
            asked = request_of(fields)
            if fields.get("all"):
                asked |= {"query": query, "dry_run": not fields.get("sure")}
            elif chosen:
                asked["issues"] = chosen
            else:
                raise DecisionError("choose at least one issue")
            told = await run_in_threadpool(session.decide, asked, access.actor(request))
        except (DecisionError, NotFound, QueryError, Conflict) as problem:
            return failed(request, str(problem), 422, back=back, failures=[])
        if told["dry_run"]:
            kept = {k: v for k, v in fields.items() if not k.startswith("issue") and k != "csrf"}
            return show(request, "sure.html", status=200, told=told, fields=kept, back=back,
                        csrf=request.state.principal.csrf)  # fmt: skip
        if told["failed"]:
            message = f"{len(told['done'])} done, {len(told['failed'])} not"
            return failed(request, message, 422, back=back, failures=told["failed"][:50])
        return RedirectResponse(back, 303)

    @routes.post("/rules/{identity}/switch", dependencies=[Depends(access.needs("admin"))])
    async def switch(request: Request, identity: str) -> Response:
        fields = await form(request)
        checked(fields, request)
        on = bool(fields.get("enabled"))
        try:
            await run_in_threadpool(session.automation.switch, identity, on, access.actor(request))
        except (DecisionError, NotFound) as problem:
            return failed(request, str(problem), 422, back="/rules", failures=[])
        return RedirectResponse("/rules", 303)

    return routes
