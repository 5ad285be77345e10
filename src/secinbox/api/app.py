"""The HTTP server: `/api/v1` for programs, pages for people, one process, one home.

For a single user it listens on loopback, answers only to loopback host names (no other site can
reach it through a browser), and is read without sign-in. Beyond loopback, or once a user exists,
everything needs a session or a token. Changes always do.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from secinbox import __version__, opening
from secinbox.api import accounts, decisions, deliveries, forms, operations, paths, public, shapes
from secinbox.api.access import Access
from secinbox.api.describing import RAW, describe
from secinbox.api.guarding import Guard, error, plain
from secinbox.api.shapes import told
from secinbox.decisions.cases import CaseMissing
from secinbox.decisions.rule import RuleMissing
from secinbox.decisions.states import Conflict, DecisionError
from secinbox.delivery.signing import SignatureError
from secinbox.facts.scope import ScopeError
from secinbox.facts.store import StoreError
from secinbox.inbox.answers import NotFound
from secinbox.inbox.query import QueryError
from secinbox.reading import ReportError
from secinbox.session import Session, parse_clock
from secinbox.web.pages import router as pages
from secinbox.web.pages import static_router as static

LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "testserver")
MAX_UPLOAD = 1024**3
Limit = Annotated[int, Query(ge=1, le=100_000)]
Text = Annotated[str, Query(max_length=4000)]
Profile = Literal["severity-risks-impact", "bod-26-04", "expected-loss"]


def moment(text: str) -> datetime:
    """A past time as the command line reads it. Raises QueryError."""
    try:
        return parse_clock(text)
    except (ValueError, OverflowError):
        raise QueryError(f"as_of is a date, a time or an age (7d), not {text!r}") from None


def create_app(session: Session, token: str, *, public_url: str = "") -> FastAPI:
    """The application for one open session.

    public_url: where others reach it, beyond this machine; then nobody reads without sign-in.
    """
    access = Access(session, token, beyond_loopback=bool(public_url))
    outward = urlsplit(public_url)
    hosts = {*LOOPBACK, outward.hostname} if outward.hostname else set(LOOPBACK)
    app = FastAPI(
        title="secinbox",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.session = session
    describe(app)

    app.add_middleware(Guard, hosts=hosts)

    def known(request: Request) -> None:
        """A parameter that nobody reads is a mistake of the caller: say so."""
        route = request.scope["route"]
        names = {p.alias for p in route.dependant.query_params}
        unknown = sorted(set(request.query_params) - names)
        if unknown:
            raise QueryError(
                f"unknown parameters: {', '.join(unknown)}; allowed: {', '.join(sorted(names))}"
            )

    replies = operations.Replies()
    read = [Depends(known), Depends(access.needs("viewer"))]
    change = [Depends(known), Depends(access.needs("triager"))]
    administer = [Depends(known), Depends(access.needs("admin"))]

    @app.get(
        "/api/v1/issues",
        dependencies=read,
        responses=told(shapes.page("issues", shapes.ISSUE, profile="string", as_of="string?")),
    )
    def issues(
        q: Text = "", limit: Limit = 50, cursor: Text = "", profile: Profile | None = None,
        as_of: Annotated[str, Query(max_length=40)] = "",
    ) -> Any:  # fmt: skip
        """A page of the inbox, today's or (`as_of`: a date, a time, an age like 7d) a past one."""
        options = {"profile": profile} if profile else {}
        if as_of:
            return session.past(moment(as_of), q, limit=limit, cursor=cursor, **options)
        return plain(session.issues(q, limit=limit, cursor=cursor, **options))

    @app.get("/api/v1/issues/{name}", dependencies=read, responses=told(shapes.SHOWN))
    def issue(name: str, response: Response) -> Any:
        """One issue in full: place and reason, risks with evidence, findings, fix, paths, timeline."""
        shown = session.show(name)
        response.headers["etag"] = f'"{shown["version"]}"'  # for If-Match of a decision
        return shown

    @app.get(
        "/api/v1/findings",
        dependencies=read,
        responses=told(shapes.page("findings", shapes.FINDING)),
    )
    def findings(q: Text = "", limit: Limit = 100, cursor: Text = "") -> Any:
        """A page of findings, in the inbox or not, most severe first; open ones unless `status:` asks."""
        return plain(session.findings(q, limit=limit, cursor=cursor))

    @app.get(
        "/api/v1/resources",
        dependencies=read,
        responses=told(shapes.page("resources", shapes.RESOURCE)),
    )
    def resources(q: Text = "", limit: Limit = 100, cursor: Text = "") -> Any:
        """A page of resources with their detected risks and the evidence."""
        return plain(session.resources(q, limit=limit, cursor=cursor))

    @app.get("/api/v1/why", dependencies=read, responses=told({"kind": "string"}))
    def why(name: Text) -> Any:
        """Why an issue, finding, vulnerability or resource is where it is, or not in the inbox."""
        return session.why(name)

    @app.get("/api/v1/facets", dependencies=read, responses=told(shapes.FACETS))
    def facets(q: Text = "") -> Any:
        """How many issues of a query have each severity, type, service, environment, team, risk."""
        return plain(session.facets(q))

    @app.get("/api/v1/groups", dependencies=read, responses=told(shapes.GROUPS))
    def groups(by: Text, q: Text = "") -> Any:
        """The issues of a query by a field, the worst group first."""
        return session.groups(by, q)

    @app.get("/api/v1/report", dependencies=read, responses=told(shapes.REPORT))
    def report(weeks: Annotated[int, Query(ge=1, le=104)] = 12) -> Any:
        """New, fixed and open issues by week; age, overdue and time to fix by severity."""
        return session.report(weeks)

    @app.get("/api/v1/doctor", dependencies=read, responses=told(shapes.DOCTOR))
    def doctor() -> Any:
        """What keeps the answers from being better: stores, feeds, gaps, names that join nothing."""
        return session.doctor()

    @app.get(
        "/healthz",
        dependencies=[Depends(known)],
        responses=told({"status": "string", "version": "string"}),
    )
    def health() -> Any:
        """Whether the process answers."""
        return {"status": "ok", "version": __version__}

    @app.post("/api/v1/rank", dependencies=change, responses=told({"mode": "string"}))
    def rank(everything: bool = False) -> Any:
        """Brings the inbox up to date; `everything` computes all of it anew."""
        return session.rank(everything=everything)

    @app.post(
        "/api/v1/imports", dependencies=change, openapi_extra=RAW, responses=told(shapes.IMPORTED)
    )
    async def imports(
        request: Request,
        name: Text,
        resource: Text = "",
        service: Text = "",
        cluster: Text = "",
        account: Text = "",
        idempotency_key: Annotated[str, Header(max_length=200)] = "",
    ) -> Any:
        """Imports one report of any format that is known, packed or not, and ranks."""
        body = await operations.received(request, MAX_UPLOAD)
        given = {"resource": resource, "service": service, "cluster": cluster, "account": account}
        options = {k: v for k, v in given.items() if v}
        data = opening.unpacked(body)

        def store() -> dict[str, Any]:
            return session.import_reports((name,), options=options, data=data)

        asked = (repr((name, sorted(options.items()))).encode(), data)
        return await run_in_threadpool(replies.once, idempotency_key, asked, store)

    app.include_router(paths.router(session, read))
    app.include_router(operations.router(session, read, change, replies, access.needs("triager")))
    app.include_router(decisions.router(session, read, change, administer, access.actor))
    app.include_router(deliveries.router(session, read, administer))
    app.include_router(public.router(session, read, change, administer, access.actor))
    app.include_router(accounts.api(session, access, administer))
    app.include_router(accounts.pages(session, access, secure=outward.scheme == "https"))
    if session.settings.oidc:
        from secinbox.api import oidc

        app.include_router(oidc.pages(session, public_url))
    app.include_router(forms.router(session, access))
    app.include_router(static)
    app.include_router(pages, dependencies=[Depends(access.needs("viewer"))])

    @app.exception_handler(QueryError)
    async def wrong_query(_: Request, problem: QueryError) -> Response:
        return error(422, str(problem), column=problem.column, allowed=list(problem.allowed))

    @app.exception_handler(ReportError)
    async def wrong_report(_: Request, problem: ReportError) -> Response:
        return error(400, problem.message, place=problem.place, hint=problem.hint)

    @app.exception_handler(NotFound)
    async def missing(_: Request, problem: NotFound) -> Response:
        return error(404, str(problem))

    @app.exception_handler(CaseMissing)
    @app.exception_handler(RuleMissing)
    async def no_rule(_: Request, problem: LookupError) -> Response:
        return error(404, str(problem))

    @app.exception_handler(DecisionError)
    async def refused_decision(_: Request, problem: DecisionError) -> Response:
        if isinstance(problem, Conflict):
            return error(409, str(problem), version=problem.version, changes=problem.changes)
        return error(422, str(problem))

    @app.exception_handler(ScopeError)
    async def beyond(_: Request, problem: ScopeError) -> Response:
        return error(403, str(problem))

    @app.exception_handler(SignatureError)
    async def untrusted(_: Request, problem: SignatureError) -> Response:
        return error(401, str(problem))

    @app.exception_handler(StoreError)
    async def busy(_: Request, problem: StoreError) -> Response:
        return error(503, str(problem))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, problem: HTTPException) -> Response:
        path, page = request.url.path, request.method == "GET"
        page = page and not path.startswith(("/api/", "/metrics", "/readyz"))
        if problem.status_code == 401 and page and not path.endswith(".json"):
            wanted = path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", 303)
        answer = error(problem.status_code, str(problem.detail))
        answer.headers.update(problem.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, problem: RequestValidationError) -> Response:
        first = problem.errors()[0]
        where = ".".join(str(p) for p in first["loc"][1:])
        return error(422, f"{where}: {first['msg']}", field=where)

    return app
