"""Who asks, and whether they may: the server's own token, API tokens, sessions, roles, pace."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from secinbox.decisions.accounts import Principal
from secinbox.facts.scope import ASKER, TYPES
from secinbox.session import user

COOKIE = "secinbox_session"
# Requests a second, and how many at once, of one caller that is not the owner of this machine.
PACE, BURST = 50.0, 300.0


class Pace:
    """A bucket a caller."""

    def __init__(self, rate: float = PACE, burst: float = BURST) -> None:
        self.rate, self.burst = rate, burst
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> None:
        """Raises HTTPException 429 when the bucket is empty."""
        moment = time.monotonic()
        with self._lock:
            left, last = self._kept.pop(caller, (self.burst, moment))
            left = min(self.burst, left + (moment - last) * self.rate)
            self._kept[caller] = (max(left - 1, 0.0), moment)
            if len(self._kept) > 10_000:
                self._kept.popitem(last=False)
        if left < 1:
            raise HTTPException(429, "too many requests; wait a second", {"retry-after": "1"})


class Access:
    """The rights of one server.

    Reading without sign-in is for a single user: on loopback, while no user exists.
    """

    def __init__(self, session: Any, token: str, *, beyond_loopback: bool = False) -> None:
        self.session = session
        self._token = token
        self._beyond = beyond_loopback
        # Whoever started the server may decide in the browser: a link told on the terminal.
        self.code = hmac.new(token.encode(), b"enter", hashlib.sha256).hexdigest()
        self._owner: dict[str, str] = {}  # session -> CSRF token, while the server runs
        self.pace = Pace()
        self.tries = Pace(rate=0.2, burst=10)  # sign-ins of one address

    def open(self) -> bool:
        """Anyone who reaches the server may read."""
        if self._beyond or self.session.settings.oidc:
            return False
        return not (self.session.has_decisions and self.session.accounts.any_user())

    def principal(self, request: Request) -> Principal | None:
        """Who asks; None for nobody. Raises HTTPException 401 for a wrong token."""
        given = request.headers.get("authorization", "")
        token = given.removeprefix("Bearer ") if given.startswith("Bearer ") else ""
        token = token or request.headers.get("dd-application-key", "")
        token = token or request.headers.get("dd-api-key", "")
        if token:
            if hmac.compare_digest(token.encode(), self._token.encode()):
                return Principal(user(), "admin")
            found = self.session.accounts.by_token(token) if self.session.has_decisions else None
            if found is None:
                raise HTTPException(401, "this token is unknown or has expired")
            return self._paced(found)
        secret = request.cookies.get(COOKIE, "")
        if secret in self._owner:
            return Principal(user(), "admin", self._owner[secret])
        if secret and self.session.has_decisions:
            found = self.session.accounts.by_session(secret)
            if found is not None:
                return self._paced(found)
        return None

    def enter(self, code: str) -> str | None:
        """The secret of a session of the owner of this machine; None for a wrong code."""
        if self._beyond or not hmac.compare_digest(code.encode(), self.code.encode()):
            return None
        secret = secrets.token_urlsafe(32)
        self._owner[secret] = secrets.token_urlsafe(24)
        return secret

    def _paced(self, principal: Principal) -> Principal:
        self.pace.take(principal.name)
        return principal

    def needs(self, level: str) -> Callable[[Request], Awaitable[None]]:
        """A dependency: only for this role and those above."""

        async def check(request: Request) -> None:
            # What was found out holds for all that this request asks for (see facts.scope).
            found = await run_in_threadpool(allowed, request)
            TYPES.set(found.types)
            ASKER.set(found.name)

        def allowed(request: Request) -> Principal:
            found = self.principal(request)
            if found is None and level == "viewer" and self.open():
                found = Principal("anyone", "viewer")
            if found is None:
                raise HTTPException(401, "sign in, or give a token (see `secinbox tokens`)")
            if not found.may(level):
                raise HTTPException(
                    403, f"this needs the role {level}; {found.name} is {found.role}"
                )
            if found.csrf and request.method not in ("GET", "HEAD"):
                sent = request.headers.get("x-csrf-token", "")
                # Pages check the field of their form themselves.
                if not request.url.path.startswith("/api/"):
                    sent = sent or found.csrf
                if not hmac.compare_digest(sent.encode(), found.csrf.encode()):
                    raise HTTPException(403, "the request does not come from a page of this server")
            request.state.principal = found
            return found

        check.level = level  # type: ignore[attr-defined]
        return check

    def actor(self, request: Request) -> str:
        """Who decides, for the timeline."""
        found = getattr(request.state, "principal", None)
        return found.name if found else user()
