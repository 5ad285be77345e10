"""Automation pipelines: rules of each kind, their order, and the default inbox rules."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response
from fastapi.params import Depends

from secinbox.api.public.shapes import (
    PIPELINES,
    TYPES,
    authors,
    known,
    public_id,
    rule_attributes,
    rule_data,
)
from secinbox.decisions.rule import RuleMissing, kind
from secinbox.decisions.rulebook import Kept
from secinbox.decisions.states import DecisionError
from secinbox.inbox.rules import DEFAULT_RULES
from secinbox.inbox.rules import InboxRule as Admission

_ROOT = "/automation"
_DEFAULTS = "default_inbox_rules"
Object = Annotated[dict[str, Any], Body()]


def router(
    session: Any,
    read: Sequence[Depends],
    administer: Sequence[Depends],
    actor: Callable[[Request], str],
) -> APIRouter:
    """`/automation`: one set of routes a kind."""
    routes = APIRouter(prefix=_ROOT)
    for name, what in PIPELINES.items():
        _pipeline(routes, session, name, what, read, administer, actor)

    def default(rule: Admission) -> dict[str, Any]:
        off = session.automation.settings().disabled_rules
        kind_ = rule.id.removesuffix("_default_rule")
        attributes = {
            "name": rule.name, "enabled": rule.id not in off, "action": {},
            "rule": {"finding_types": [kind_ if kind_ in TYPES else TYPES[0]], "query": rule.query},
            **authors(None),
        }  # fmt: skip
        return {"id": rule.id, "type": _DEFAULTS, "attributes": attributes}

    def found(identity: str) -> Admission:
        for rule in DEFAULT_RULES:
            if rule.id == identity:
                return rule
        raise RuleMissing(f"no default rule has the id {identity}")

    @routes.get(f"/{_DEFAULTS}", dependencies=read)
    def defaults() -> Any:
        """The default inbox rules."""
        return {"data": [default(r) for r in DEFAULT_RULES]}

    @routes.get(f"/{_DEFAULTS}/{{rule_id}}", dependencies=read)
    def one_default(rule_id: str) -> Any:
        """One default inbox rule."""
        return {"data": default(found(rule_id))}

    @routes.post(f"/{_DEFAULTS}/{{rule_id}}/enable", dependencies=administer)
    def enable_default(request: Request, rule_id: str) -> Any:
        """Switches a default inbox rule on."""
        session.automation.switch(found(rule_id).id, True, actor(request))
        return {"data": default(found(rule_id))}

    @routes.post(f"/{_DEFAULTS}/{{rule_id}}/disable", dependencies=administer)
    def disable_default(request: Request, rule_id: str) -> Any:
        """Switches a default inbox rule off."""
        session.automation.switch(found(rule_id).id, False, actor(request))
        return {"data": default(found(rule_id))}

    return routes


def _pipeline(
    routes: APIRouter,
    session: Any,
    name: str,
    what: str,
    read: Sequence[Depends],
    administer: Sequence[Depends],
    actor: Callable[[Request], str],
) -> None:
    def shown(kept: Kept) -> dict[str, Any]:
        return {"id": public_id(kept.rule.id), "type": name,
                "attributes": rule_attributes(kept.rule, kept)}  # fmt: skip

    def all_() -> list[Kept]:
        return [
            k for k in session.automation.kept()
            if kind(k.rule) == what and getattr(k.rule, "action", "include") == "include"
        ]  # fmt: skip

    def one(rule_id: str) -> Kept:
        for kept in all_():
            if public_id(kept.rule.id) == rule_id.lower():
                return kept
        raise RuleMissing(f"no {what} rule has the id {rule_id}")

    def stored(body: dict[str, Any], identity: str, *, create: bool, request: Request) -> Any:
        known(body, "the body", ("data",))
        known(body["data"], "data", ("type", "attributes"), ("id",))
        if body["data"]["type"] != name:
            raise DecisionError(f"type is {name}")
        if not create and public_id(str(body["data"].get("id", identity))) != public_id(identity):
            raise DecisionError("id is another than that of the address")
        data = rule_data(what, identity, body["data"]["attributes"])
        session.automation.apply([data], actor(request), create=create)
        return {"data": shown(one(public_id(identity)))}

    @routes.get(f"/{name}", name=f"list {name}", dependencies=read)
    def list_(
        request: Request,
        size: Annotated[int, Query(alias="page[size]", ge=1, le=1_000)] = 100,
        number: Annotated[int, Query(alias="page[number]", ge=0, le=1_000_000)] = 0,
    ) -> Any:
        """The rules of this kind, in order."""
        rules = all_()
        last = max(0, (len(rules) - 1) // size)

        def link(page: int) -> str:
            return f"{request.url.path}?page[size]={size}&page[number]={page}"

        links = {"first": link(0), "last": link(last)}
        if number < last:
            links["next"] = link(number + 1)
        if 0 < number <= last:
            links["prev"] = link(number - 1)
        page = rules[number * size : (number + 1) * size]
        return {"data": [shown(k) for k in page], "links": links,
                "meta": {"page": {"total_filtered_count": len(rules)}}}  # fmt: skip

    @routes.post(f"/{name}", name=f"create {name}", dependencies=administer, status_code=201)
    def create(request: Request, body: Object) -> Any:
        """A new rule of this kind."""
        return stored(body, str(uuid.uuid4()), create=True, request=request)

    @routes.post(f"/{name}/reorder", name=f"reorder {name}", dependencies=administer)
    def reorder(request: Request, body: Object) -> Any:
        """The order of the rules of this kind."""
        known(body, "the body", ("data",))
        if not isinstance(body["data"], list):
            raise DecisionError("data is a list of rules")
        for item in body["data"]:
            known(item, "data", ("id", "type"))
        ids = [one(str(item["id"])).rule.id for item in body["data"]]
        session.automation.reorder(what, ids, actor(request))
        return {"data": [{"id": public_id(i), "type": name} for i in ids]}

    @routes.get(f"/{name}/{{rule_id}}", name=f"get {name}", dependencies=read)
    def get(rule_id: str) -> Any:
        """One rule."""
        return {"data": shown(one(rule_id))}

    @routes.put(f"/{name}/{{rule_id}}", name=f"update {name}", dependencies=administer)
    def update(request: Request, rule_id: str, body: Object) -> Any:
        """Writes a rule anew."""
        return stored(body, one(rule_id).rule.id, create=False, request=request)

    @routes.delete(f"/{name}/{{rule_id}}", name=f"delete {name}", dependencies=administer,
                   status_code=204)  # fmt: skip
    def delete(request: Request, rule_id: str) -> Response:
        """Removes a rule."""
        session.automation.delete(one(rule_id).rule.id, actor(request))
        return Response(status_code=204)
