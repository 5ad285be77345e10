"""What holds for every answer of the server: whose host it is, which headers it has, its ETag."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

import msgspec
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # forms need their origin
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def error(status: int, message: str, **more: Any) -> JSONResponse:
    """The one shape of every error: {"error": {"status", "message", ...}}."""
    return JSONResponse({"error": {"status": status, "message": message, **more}}, status)


def plain(answer: Any) -> Response:
    """An answer that holds nothing but plain values, written without a look at each of them."""
    return Response(msgspec.json.encode(answer), media_type="application/json")


class Guard:
    """Around the application, as plain ASGI: a middleware of Starlette costs a task a request."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        if asked.get("host", "").rsplit(":", 1)[0] not in self._hosts:
            refusal = error(421, "this server answers to its own names only")
            await refusal(scope, receive, send)
            return
        answer = _Answer(scope, asked.get("if-none-match", ""), send)
        await self._app(scope, receive, answer.pass_on)


class _Answer:
    """One answer on its way out; JSON of `/api/v1` is held until its tag is known."""

    def __init__(self, scope: Scope, known: str, send: Send) -> None:
        self._send, self._known = send, known
        self._taggable = scope["method"] == "GET" and scope["path"].startswith("/api/v1/")
        self._start: Message | None = None
        self._body: list[bytes] = []

    async def pass_on(self, message: Message) -> None:
        """Sends a message of the application on."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            for name, value in _ALWAYS.items():
                headers[name] = value
            tagged = "etag" in headers
            held = (
                self._taggable and message["status"] == 200 and not tagged
                and headers.get("content-type", "").startswith("application/json")
            )  # fmt: skip
            headers.setdefault(
                "cache-control", "private, no-cache" if tagged or held else "no-store"
            )
            if held:
                self._start = message
                return
        elif self._start is not None:
            self._body.append(message.get("body", b""))
            if not message.get("more_body"):
                await self._tag(self._start)
            return
        await self._send(message)

    async def _tag(self, start: Message) -> None:
        """The held answer with an ETag of what it says; 304 to who has just that."""
        body = b"".join(self._body)
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = MutableHeaders(raw=start["headers"])
        headers["etag"] = tag
        if tag in [t.strip().removeprefix("W/") for t in self._known.split(",")]:
            del headers["content-type"], headers["content-length"]
            start["status"], body = 304, b""
        else:
            headers["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})
