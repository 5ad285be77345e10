"""Tickets and notifications over HTTP, and the webhooks of connected systems."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.params import Depends
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from secinbox.api.describing import RAW
from secinbox.api.operations import received
from secinbox.api.shapes import DELIVERIES, told
from secinbox.delivery.signing import SignatureError

MAX_WEBHOOK = 5 * 1024**2


def router(session: Any, read: Sequence[Depends], administer: Sequence[Depends]) -> APIRouter:
    """`/api/v1/deliveries`, `/api/v1/tickets/CONNECTION`."""
    routes = APIRouter(prefix="/api/v1")

    @routes.get("/deliveries", dependencies=read, responses=told(DELIVERIES))
    def standing() -> Any:
        """Connections, what waits to be sent, tickets and faults."""
        return session.delivery.standing()

    @routes.get("/deliveries/preview", dependencies=read)
    def preview() -> Any:
        """What would be sent now; nothing is."""
        return session.delivery.preview()

    @routes.post("/deliveries/send", dependencies=administer)
    def send(hurry: bool = False) -> Any:
        """Sends what waits; `hurry` tries what waits for a later time, too."""
        return session.delivery.send(hurry=hurry)

    # No token: the message is signed with the webhook_secret of the connection.
    @routes.post("/tickets/{connection}", status_code=202, openapi_extra=RAW)
    async def ticket(request: Request, connection: str) -> Any:
        """A signed webhook of a connected ticket system."""
        body = await received(request, MAX_WEBHOOK)
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            raise SignatureError("the body is not JSON") from None
        headers = {k.lower(): v for k, v in request.headers.items()}
        taken = await run_in_threadpool(session.delivery.received, connection, headers, body, data)
        return JSONResponse({"status": "taken" if taken else "known"}, 202 if taken else 200)

    return routes
