"""Tokens, users and the audit log over HTTP; the pages to sign in and to accept a link."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Body, Query, Request
from fastapi.params import Depends
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from secinbox.api.access import COOKIE, Access
from secinbox.api.shapes import told
from secinbox.decisions.accounts import SESSION, SignInError
from secinbox.decisions.states import DecisionError
from secinbox.web.pages import show

Text = Annotated[str, Body(embed=True, max_length=200)]
Types = Annotated[Sequence[str], Body(embed=True, max_length=20)]
Members = Annotated[Sequence[str], Body(embed=True, max_length=1_000)]
MAX_FORM = 64 * 1024


def api(session: Any, access: Access, administer: Sequence[Depends]) -> APIRouter:
    """`/api/v1/tokens`, `/api/v1/users`, `/api/v1/teams`, `/api/v1/audit`."""
    routes = APIRouter(prefix="/api/v1", dependencies=list(administer))

    @routes.get(
        "/tokens",
        responses=told(
            {
                "tokens": [
                    {
                        "id": "string",
                        "name": "string",
                        "role": "string",
                        "types": "string?",
                        "expires": "string?",
                        "created_at": "string",
                        "created_by": "string",
                        "last_used": "string?",
                    }
                ]
            }
        ),
    )
    def tokens() -> Any:
        """All API tokens without their secrets."""
        return session.administration.tokens()

    @routes.post("/tokens", status_code=201)
    def create(
        request: Request, name: Text, role: Text, expires: Text = "", types: Types = ()
    ) -> Any:
        """A new API token; it is told this once."""
        return session.administration.create_token(
            name, role, expires, access.actor(request), types
        )

    @routes.delete("/tokens/{identity}")
    def revoke(request: Request, identity: str) -> Any:
        """Ends a token."""
        return session.administration.revoke_token(identity, access.actor(request))

    @routes.get(
        "/users",
        responses=told(
            {
                "users": [
                    {
                        "name": "string",
                        "role": "string",
                        "types": "string?",
                        "created_at": "string",
                        "locked_until": "string?",
                    }
                ]
            }
        ),
    )
    def users() -> Any:
        """All users."""
        return session.administration.users()

    @routes.post("/users", status_code=201)
    def invite(request: Request, name: Text, role: Text, types: Types = ()) -> Any:
        """A link that sets the password of a user, once."""
        return session.administration.invite(name, role, access.actor(request), types)

    @routes.delete("/users/{name}")
    def remove(request: Request, name: str) -> Any:
        """Removes a user and ends the sessions."""
        return session.administration.remove_user(name, access.actor(request))

    @routes.get("/teams", responses=told({"teams": [{"name": "string", "members": ["string"]}]}))
    def teams() -> Any:
        """All teams with their members."""
        return session.administration.teams()

    @routes.put("/teams/{name}")
    def write_team(request: Request, name: str, members: Members) -> Any:
        """A team has just these members from now on."""
        return session.administration.write_team(name, members, access.actor(request))

    @routes.delete("/teams/{name}")
    def remove_team(request: Request, name: str) -> Any:
        """Ends a team; what is assigned to it stays so."""
        return session.administration.remove_team(name, access.actor(request))

    @routes.get(
        "/audit",
        responses=told(
            {
                "events": [
                    {
                        "id": "integer",
                        "time": "string",
                        "actor": "string",
                        "action": "string",
                        "target": "string",
                        "detail": "string",
                    }
                ],
                "next": "integer?",
            }
        ),
    )
    def audit(
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
        before: Annotated[int, Query(ge=0)] = 0,
    ) -> Any:
        """The audit log, newest first."""
        return session.administration.audit(limit=limit, before=before)

    return routes


async def form(request: Request) -> dict[str, str]:
    """The fields of a posted form, bounded. Raises HTTPException."""
    size, parts = 0, []
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_FORM:
            raise HTTPException(413, "the form is too large")
        parts.append(chunk)
    try:
        fields = parse_qs(b"".join(parts).decode(), keep_blank_values=True, max_num_fields=1_100)
    except ValueError:
        raise HTTPException(422, "the form cannot be read") from None
    return {k: v[-1] for k, v in fields.items()} | {
        f"{k}[]": "\n".join(v) for k, v in fields.items() if len(v) > 1
    }


def same_site(request: Request) -> None:
    """A form of another site is refused. Raises HTTPException."""
    origin = request.headers.get("origin", "")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none") or (
        origin and urlsplit(origin).netloc != request.headers.get("host", "")
    ):
        raise HTTPException(403, "the form does not come from this server")


def checked(fields: dict[str, str], request: Request) -> None:
    """The CSRF token of a form. Raises HTTPException."""
    same_site(request)
    principal = request.state.principal
    if principal.csrf and not hmac.compare_digest(
        fields.get("csrf", "").encode(), principal.csrf.encode()
    ):
        raise HTTPException(403, "the form is too old: load the page again")


def inward(text: str) -> str:
    """A path of this server, whatever was asked for."""
    return text if text.startswith("/") and not text.startswith(("//", "/\\")) else "/"


def pages(session: Any, access: Access, secure: bool) -> APIRouter:
    """`/sign-in`, `/sign-out`, `/link/CODE`."""
    routes = APIRouter(include_in_schema=False)

    elsewhere = (
        session.settings.oidc.get("label", "single sign-on") if session.settings.oidc else ""
    )

    @routes.get("/sign-in")
    def ask(request: Request, next: str = "/") -> Response:
        return show(
            request, "sign_in.html", next=inward(next), problem="", status=200, elsewhere=elsewhere
        )

    @routes.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        same_site(request)
        address = request.client.host if request.client else ""
        access.tries.take(address)
        fields = await form(request)
        target = inward(fields.get("next", "/"))
        from starlette.concurrency import run_in_threadpool

        try:
            secret = await run_in_threadpool(
                session.accounts.sign_in,
                fields.get("name", ""),
                fields.get("password", ""),
                address,
            )
        except SignInError as problem:
            return show(
                request,
                "sign_in.html",
                next=target,
                problem=str(problem),
                status=401,
                elsewhere=elsewhere,
            )
        answer = RedirectResponse(target, 303)
        answer.set_cookie(COOKIE, secret, max_age=int(SESSION.total_seconds()), httponly=True,
                          samesite="lax", secure=secure, path="/")  # fmt: skip
        return answer

    @routes.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        same_site(request)
        secret = request.cookies.get(COOKIE, "")
        if secret:
            session.accounts.sign_out(secret)
        answer = RedirectResponse("/sign-in", 303)
        answer.delete_cookie(COOKIE, path="/")
        return answer

    @routes.get("/enter/{code}")
    def enter(request: Request, code: str) -> Response:
        access.tries.take(request.client.host if request.client else "")
        secret = access.enter(code)
        if secret is None:
            raise HTTPException(404, "this is not the link that the server told when it started")
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, secret, httponly=True, samesite="lax", secure=secure, path="/")
        return answer

    @routes.get("/link/{code}")
    def link(request: Request, code: str) -> Response:
        return show(request, "link.html", code=code, problem="", status=200)

    @routes.post("/link/{code}")
    async def accept(request: Request, code: str) -> Response:
        same_site(request)
        access.tries.take(request.client.host if request.client else "")
        fields = await form(request)
        try:
            session.accounts.accept(code, fields.get("password", ""))
        except (SignInError, DecisionError) as problem:
            return show(request, "link.html", code=code, problem=str(problem), status=422)
        return RedirectResponse("/sign-in", 303)

    return routes
