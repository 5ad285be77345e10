"""`/api/v2/security/findings` in the shape of Datadog's public v2 API, so that its clients work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.params import Depends

from secinbox.api.public import cases, findings, pipelines
from secinbox.api.public.findings import ROOT


def router(
    session: Any,
    read: Sequence[Depends],
    triage: Sequence[Depends],
    administer: Sequence[Depends],
    actor: Callable[[Request], str],
) -> APIRouter:
    """All of `/api/v2/security/findings`."""
    routes = APIRouter()
    routes.include_router(pipelines.router(session, read, administer, actor), prefix=ROOT)
    routes.include_router(cases.router(session, triage, actor), prefix=ROOT)
    routes.include_router(findings.router(session, read, triage, actor))
    return routes
