"""The pages: server-rendered from the same answers as the API; every page has a `.json` twin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

from secinbox.inbox.answers import NotFound
from secinbox.inbox.drawing import svg
from secinbox.inbox.groups import FIELDS
from secinbox.inbox.issues import PROFILES
from secinbox.inbox.maps import of_issue, of_path
from secinbox.inbox.query import QueryError, quoted
from secinbox.paths.catalogue import STATES
from secinbox.vocabulary import MUTE_REASONS, RISK_LABELS, RISKS
from secinbox.web.charts import weeks_svg

_HERE = Path(__file__).parent
_STATIC = {"style.css": "text/css", "inbox.js": "text/javascript", "icon.svg": "image/svg+xml"}
PAGE_ROWS = 50

router = APIRouter(include_in_schema=False)
static_router = APIRouter(include_in_schema=False)
_templates = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=select_autoescape(["html"]),
    trim_blocks=True,
    lstrip_blocks=True,
)


def _words(text: str) -> str:
    return text.replace("_", " ")


def href(path: str, **query: object) -> str:
    """An address with the parameters that say something."""
    given = {k: v for k, v in query.items() if v not in ("", None)}
    return path + ("?" + urlencode(given) if given else "")


_templates.filters["words"] = _words
_templates.filters["quoted"] = lambda text: quote(str(text), safe="")
_templates.filters["exactly"] = quoted
_templates.globals.update(
    href=href, risk_labels=RISK_LABELS, mute_reasons=MUTE_REASONS, risk_names=RISKS
)


def _page(request: Request, template: str, answer: Any, **more: Any) -> Response:
    """The page, or its `.json` twin when the address ends so."""
    if request.url.path.endswith(".json"):
        return JSONResponse(answer)
    text = _templates.get_template(template).render(
        answer=answer,
        twin=_twin(request),
        path=request.url.path,
        principal=getattr(request.state, "principal", None),
        **more,
    )
    return HTMLResponse(text)


def show(request: Request, template: str, *, status: int, **values: Any) -> Response:
    """A page without a twin."""
    text = _templates.get_template(template).render(
        twin="", path=request.url.path, principal=None, **values
    )
    return HTMLResponse(text, status)


def _twin(request: Request) -> str:
    path = request.url.path.rstrip("/") or "/inbox"
    return path + ".json" + (f"?{request.url.query}" if request.url.query else "")


def _failed(request: Request, problem: Exception, status: int) -> Response:
    if request.url.path.endswith(".json"):
        raise problem
    text = _templates.get_template("failed.html").render(
        message=str(problem), status=status, twin="", path=request.url.path, q=""
    )
    return HTMLResponse(text, status)


def past(text: str) -> datetime:
    """A past day as the field of the list has it. Raises QueryError."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise QueryError(f"as_of is a date like 2026-11-30, not {text!r}") from None


@router.get("/")
@router.get("/inbox.json")
def inbox(
    request: Request, q: str = "", cursor: str = "", profile: str = "", group: str = "",
    as_of: str = "",
) -> Response:  # fmt: skip
    """The inbox list with facets, or counted by a field."""
    session = request.app.state.session
    options: Mapping[str, str] = {"profile": profile} if profile else {}
    try:
        if as_of:
            answer = session.past(past(as_of), q, limit=PAGE_ROWS, cursor=cursor, **options)
            return _page(
                request, "inbox.html", answer, q=q, facets=answer["facets"], totals={},
                profiles=list(PROFILES), problem="", profile=answer["profile"], grouped=None,
                group="", fields=FIELDS, as_of=as_of,
            )  # fmt: skip
        grouped = session.groups(group, q) if group else None
        answer = session.issues(q, limit=PAGE_ROWS, cursor=cursor, **options)
        if grouped is not None and request.url.path.endswith(".json"):
            return JSONResponse(grouped)
        facets = session.facets(q)
        mine = session.issues("assignee:@me", limit=1)["total"]
        totals = {**session.facets(""), "mine": mine}
    except QueryError as problem:
        if request.url.path.endswith(".json"):
            raise
        empty = {"issues": [], "total": 0, "next": None, "profile": profile, "as_of": None}
        return _page(
            request, "inbox.html", empty, q=q, facets={}, totals={}, profiles=list(PROFILES),
            problem=str(problem), profile=profile, grouped=None, group="", fields=FIELDS,
        )  # fmt: skip
    return _page(
        request, "inbox.html", answer, q=q, facets=facets, totals=totals,
        profiles=list(PROFILES), problem="", profile=answer["profile"], grouped=grouped,
        group=group, fields=FIELDS,
    )  # fmt: skip


@router.get("/issues/{name}")
@router.get("/issues/{name}.json")
def issue(request: Request, name: str) -> Response:
    """One issue: why here, risks with evidence, resources, fix, findings."""
    try:
        answer = request.app.state.session.show(name)
    except NotFound as problem:
        return _failed(request, problem, 404)
    path = answer["attack_path"]
    found = of_path(path) if path else of_issue(answer)
    drawing = Markup(svg(found)) if found else ""  # noqa: S704 - made by us, every text escaped
    return _page(request, "issue.html", answer, q="", drawing=drawing)


@router.get("/paths")
@router.get("/paths.json")
def paths(
    request: Request, entry: str = "", target: str = "", through: str = "", cursor: str = ""
) -> Response:
    """All attack paths, most serious first."""
    try:
        answer = request.app.state.session.paths(
            entry=entry, target=target, through=through, limit=PAGE_ROWS, cursor=cursor
        )
    except NotFound as problem:
        return _failed(request, problem, 404)
    asked = {"entry": entry, "target": target, "through": through}
    return _page(request, "paths.html", answer, q="", asked=asked)


@router.get("/paths/{name}")
@router.get("/paths/{name}.json")
def path(request: Request, name: str) -> Response:
    """One attack path: the map, each step with its evidence and what breaks it."""
    try:
        answer = request.app.state.session.path(name)
    except NotFound as problem:
        return _failed(request, problem, 404)
    drawing = Markup(svg(of_path(answer)))  # noqa: S704 - made by us, every text escaped
    return _page(request, "path.html", answer, q="", drawing=drawing)


@router.get("/plan")
@router.get("/plan.json")
def plan(request: Request) -> Response:
    """The fix plan: what cuts most attack paths for the least effort."""
    return _page(
        request, "plan.html", request.app.state.session.plan(limit=200), q="", states=STATES
    )


@router.get("/findings")
@router.get("/findings.json")
def findings(request: Request, q: str = "", cursor: str = "") -> Response:
    """All findings, in the inbox or not."""
    try:
        answer = request.app.state.session.findings(q, limit=PAGE_ROWS, cursor=cursor)
    except QueryError as problem:
        return _failed(request, problem, 422)
    return _page(request, "findings.html", answer, q=q)


@router.get("/resources")
@router.get("/resources.json")
def resources(request: Request, q: str = "", cursor: str = "") -> Response:
    """All resources with their risks."""
    try:
        answer = request.app.state.session.resources(q, limit=PAGE_ROWS, cursor=cursor)
    except QueryError as problem:
        return _failed(request, problem, 422)
    return _page(request, "resources.html", answer, q=q)


@router.get("/resource")
@router.get("/resource.json")
def resource(request: Request, uid: str) -> Response:
    """One resource: risks with evidence, what is wrong with it."""
    try:
        answer = request.app.state.session.why(uid)
    except NotFound as problem:
        return _failed(request, problem, 404)
    if answer["kind"] != "resource":
        return _failed(request, NotFound(f"{uid} is not a resource"), 404)
    return _page(request, "resource.html", answer, q="")


@router.get("/rules")
@router.get("/rules.json")
def rules(request: Request) -> Response:
    """The rules in order, with what each decides now."""
    return _page(request, "rules.html", request.app.state.session.automation.listing(), q="")


@router.get("/report")
@router.get("/report.json")
def report(request: Request) -> Response:
    """Open, new and fixed over time; ages; who has most."""
    answer = request.app.state.session.report()
    return _page(request, "report.html", answer, q="", drawing=Markup(weeks_svg(answer["weeks"])))  # noqa: S704 - made by us, numbers and dates only


@router.get("/health")
@router.get("/health.json")
def health(request: Request) -> Response:
    """What the doctor says: feeds, gaps, names that join nothing."""
    return _page(request, "health.html", request.app.state.session.doctor(), q="")


@static_router.get("/static/{name}")
def static(name: str) -> Response:
    """Our own style sheet, script and icon."""
    if name not in _STATIC:
        raise NotFound(f"there is no {name}")
    return FileResponse(
        _HERE / "static" / name,
        media_type=_STATIC[name],
        headers={"cache-control": "max-age=300"},
    )
