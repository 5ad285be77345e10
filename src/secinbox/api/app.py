"""The HTTP server: `/api/v1` for programs, pages for people, one process, one home.

Until sign-in exists the server listens on loopback only and answers only to loopback host names
(no other site can reach it through a browser); changes need the token in the home's server.json.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from secinbox import __version__, opening
from secinbox.api import decisions, operations, paths, public
from secinbox.decisions.cases import CaseMissing
from secinbox.decisions.rule import RuleMissing
from secinbox.decisions.states import Conflict, DecisionError
from secinbox.facts.store import StoreError
from secinbox.inbox.answers import NotFound
from secinbox.inbox.query import QueryError
from secinbox.reading import ReportError
from secinbox.session import Session, user
from secinbox.web.pages import router as pages

LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "testserver")
MAX_UPLOAD = 1024**3
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
Limit = Annotated[int, Query(ge=1, le=100_000)]
Text = Annotated[str, Query(max_length=4000)]
Profile = Literal["severity-risks-impact", "bod-26-04", "expected-loss"]


def error(status: int, message: str, **more: Any) -> JSONResponse:
    """The one shape of every error: {"error": {"status", "message", ...}}."""
    return JSONResponse({"error": {"status": status, "message": message, **more}}, status)


def create_app(session: Session, token: str) -> FastAPI:
    """The application for one open session."""
    app = FastAPI(
        title="secinbox",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.session = session

    @app.middleware("http")
    async def guard(
        request: Request, proceed: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        host = request.headers.get("host", "").rsplit(":", 1)[0]
        if host not in LOOPBACK:
            return error(421, "this server answers to loopback names only")
        answer = await proceed(request)
        answer.headers["content-security-policy"] = CSP
        answer.headers["x-content-type-options"] = "nosniff"
        answer.headers["referrer-policy"] = "no-referrer"
        answer.headers["cross-origin-opener-policy"] = "same-origin"
        answer.headers["cross-origin-resource-policy"] = "same-origin"
        answer.headers.setdefault("cache-control", "no-store")
        return answer

    def known(request: Request) -> None:
        """A parameter that nobody reads is a mistake of the caller: say so."""
        route = request.scope["route"]
        names = {p.alias for p in route.dependant.query_params}
        unknown = sorted(set(request.query_params) - names)
        if unknown:
            raise QueryError(
                f"unknown parameters: {', '.join(unknown)}; allowed: {', '.join(sorted(names))}"
            )

    def allowed(request: Request) -> None:
        given = (
            request.headers.get("authorization", "").removeprefix("Bearer ")
            or request.headers.get("dd-application-key", "")
            or request.headers.get("dd-api-key", "")
        )
        if not hmac.compare_digest(given.encode(), token.encode()):
            raise HTTPException(401, "changes need the token of this server")

    replies = operations.Replies()
    read = [Depends(known)]
    change = [Depends(known), Depends(allowed)]

    @app.get("/api/v1/issues", dependencies=read)
    def issues(
        q: Text = "", limit: Limit = 50, cursor: Text = "", profile: Profile | None = None
    ) -> Any:
        options = {"profile": profile} if profile else {}
        return session.issues(q, limit=limit, cursor=cursor, **options)

    @app.get("/api/v1/issues/{name}", dependencies=read)
    def issue(name: str, response: Response) -> Any:
        shown = session.show(name)
        response.headers["etag"] = f'"{shown["version"]}"'  # for If-Match of a decision
        return shown

    @app.get("/api/v1/findings", dependencies=read)
    def findings(q: Text = "", limit: Limit = 100, cursor: Text = "") -> Any:
        return session.findings(q, limit=limit, cursor=cursor)

    @app.get("/api/v1/resources", dependencies=read)
    def resources(q: Text = "", limit: Limit = 100, cursor: Text = "") -> Any:
        return session.resources(q, limit=limit, cursor=cursor)

    @app.get("/api/v1/why", dependencies=read)
    def why(name: Text) -> Any:
        return session.why(name)

    @app.get("/api/v1/facets", dependencies=read)
    def facets(q: Text = "") -> Any:
        return session.facets(q)

    @app.get("/api/v1/doctor", dependencies=read)
    def doctor() -> Any:
        return session.doctor()

    @app.get("/healthz", dependencies=read)
    def health() -> Any:
        return {"status": "ok", "version": __version__}

    @app.post("/api/v1/rank", dependencies=change)
    def rank(everything: bool = False) -> Any:
        return session.rank(everything=everything)

    @app.post("/api/v1/imports", dependencies=change)
    async def imports(
        request: Request,
        name: Text,
        resource: Text = "",
        service: Text = "",
        cluster: Text = "",
        account: Text = "",
        idempotency_key: Annotated[str, Header(max_length=200)] = "",
    ) -> Any:
        body = await operations.received(request, MAX_UPLOAD)
        given = {"resource": resource, "service": service, "cluster": cluster, "account": account}
        options = {k: v for k, v in given.items() if v}
        data = opening.unpacked(body)

        def store() -> dict[str, Any]:
            return session.import_reports((name,), options=options, data=data)

        asked = (repr((name, sorted(options.items()))).encode(), data)
        return await run_in_threadpool(replies.once, idempotency_key, asked, store)

    app.include_router(paths.router(session, read))
    app.include_router(operations.router(session, read, change, replies))
    app.include_router(decisions.router(session, read, change, change, lambda _: user()))
    app.include_router(public.router(session, read, change, change, lambda _: user()))
    app.include_router(pages)

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

    @app.exception_handler(StoreError)
    async def busy(_: Request, problem: StoreError) -> Response:
        return error(503, str(problem))

    @app.exception_handler(HTTPException)
    async def refused(_: Request, problem: HTTPException) -> Response:
        return error(problem.status_code, str(problem.detail))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, problem: RequestValidationError) -> Response:
        first = problem.errors()[0]
        where = ".".join(str(p) for p in first["loc"][1:])
        return error(422, f"{where}: {first['msg']}", field=where)

    return app
