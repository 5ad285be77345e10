"""Decisions and rules over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from fastapi.params import Depends

from secinbox.api.shapes import DECIDED, RULES, told
from secinbox.decisions.rule import KINDS
from secinbox.decisions.states import Conflict, DecisionError

Names = Annotated[list[str], Body(embed=True, max_length=1_000)]


def router(
    session: Any,
    read: Sequence[Depends],
    triage: Sequence[Depends],
    administer: Sequence[Depends],
    actor: Callable[[Request], str],
) -> APIRouter:
    """`/api/v1/decisions`, `/api/v1/rules`."""
    routes = APIRouter(prefix="/api/v1")

    @routes.post("/decisions", dependencies=triage, responses=told(DECIDED))
    def decide(request: Request, body: Annotated[dict[str, Any], Body()]) -> Any:
        """What one issue's editor did not see is a conflict; several are told item by item."""
        seen = request.headers.get("if-match", "").strip('"')
        if seen and len(body.get("issues") or []) == 1 and isinstance(body["issues"][0], str):
            if not seen.isdigit():
                raise DecisionError("If-Match is the ETag of the issue")
            body = {**body, "issues": [{"id": body["issues"][0], "version": int(seen)}]}
        told = session.decide(body, actor(request))
        if len(told["failed"]) == 1 and not told["done"] and not told["dry_run"]:
            failure = told["failed"][0]
            if "changes" in failure:
                raise Conflict(failure["error"], failure["version"], failure["changes"])
            raise DecisionError(failure["error"])
        return told

    @routes.get("/rules", dependencies=read, responses=told(RULES))
    def rules() -> Any:
        """All rules with how many open findings each decides, and the default rules."""
        return session.automation.listing()

    @routes.post("/rules", dependencies=administer)
    def apply(request: Request, rules: Annotated[list[Any], Body(embed=True)]) -> Any:
        """Writes rules: new ones, or those of the same id anew."""
        return session.automation.apply(rules, actor(request))

    @routes.post("/rules/test", dependencies=triage)
    def test(
        rules: Annotated[list[Any], Body(embed=True)],
        days: Annotated[int, Query(ge=0, le=90)] = 0,
    ) -> Any:
        """What rules would change today, and would have changed on past days."""
        return session.automation.test(rules, days)

    @routes.post("/rules/reorder", dependencies=administer)
    def reorder(request: Request, kind: Annotated[str, Query()], ids: Names) -> Any:
        """The order of the rules of a kind."""
        if kind not in KINDS:
            raise DecisionError(f"kind is one of: {', '.join(KINDS)}")
        return session.automation.reorder(kind, ids, actor(request))

    @routes.delete("/rules/{identity}", dependencies=administer)
    def delete(request: Request, identity: str) -> Any:
        """Removes a rule."""
        return session.automation.delete(identity, actor(request))

    @routes.post("/rules/{identity}/enable", dependencies=administer)
    def enable(request: Request, identity: str) -> Any:
        """Switches a rule on, also a default one."""
        return session.automation.switch(identity, True, actor(request))

    @routes.post("/rules/{identity}/disable", dependencies=administer)
    def disable(request: Request, identity: str) -> Any:
        """Switches a rule off, also a default one."""
        return session.automation.switch(identity, False, actor(request))

    return routes
