"""What machines need of the server: signals and webhooks, exports, health, metrics."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request
from fastapi.params import Depends
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from secinbox import __version__, opening
from secinbox.api.describing import RAW
from secinbox.decisions.states import DecisionError
from secinbox.decisions.store import real_now
from secinbox.delivery import signing
from secinbox.reading import ReportError

MAX_SIGNALS = 32 * 1024**2
Text = Annotated[str, Query(max_length=4_000)]
Sensor = Literal["falco", "falcosidekick", "guardduty", "eventbridge", "ocsf"]
Format = Literal["json", "csv", "sarif", "ocsf", "openvex", "cyclonedx-vex"]
_FORMATS = {"falco": "falco", "falcosidekick": "falco", "guardduty": "guardduty",
            "eventbridge": "guardduty", "ocsf": "ocsf"}  # fmt: skip


class Replies:
    """Answers by Idempotency-Key: the same request sent again gets the same answer and does nothing.

    Kept in memory; after a restart an import is recognised by its content all the same.
    """

    def __init__(self, most: int = 1_000) -> None:
        self._kept: OrderedDict[str, tuple[str, dict[str, Any]]] = OrderedDict()
        self._lock = threading.Lock()
        self._most = most

    def once(
        self, key: str, request: Sequence[bytes], act: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """Raises DecisionError when the key was used for another request."""
        if not key:
            return act()
        hashed = hashlib.sha256()
        for piece in request:
            hashed.update(piece)
        digest = hashed.hexdigest()
        with self._lock:  # a second one waits for the first
            if key in self._kept:
                known, answer = self._kept[key]
                if known != digest:
                    raise DecisionError("this Idempotency-Key was used for another request")
                return answer
            answer = act()
            self._kept[key] = (digest, answer)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return answer


def _sensor_secret() -> str:
    found = os.environ.get("SECINBOX_SENSOR_SECRET", "")
    if not found:
        raise signing.SignatureError("the signature is missing or wrong")
    return found


async def received(request: Request, most: int) -> bytes:
    """The body, bounded. Raises HTTPException 413."""
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise HTTPException(413, f"a body is at most {most // 1024**2} MB here")
        parts.append(chunk)
    return b"".join(parts)


def router(
    session: Any,
    read: Sequence[Depends],
    change: Sequence[Depends],
    replies: Replies,
    triager: Callable[[Request], Awaitable[None]],
) -> APIRouter:
    """Signals, webhooks, intel, export, readiness, metrics."""
    routes = APIRouter()
    started = time.time()

    async def take(
        request: Request, name: str, wanted: str, key: str, body: bytes | None = None
    ) -> Any:
        data = opening.unpacked(await received(request, MAX_SIGNALS) if body is None else body)

        def store() -> dict[str, Any]:
            told: dict[str, Any] = session.import_reports((name,), data=data)
            return told

        told = await run_in_threadpool(replies.once, key, (name.encode(), data), store)
        entry = told["files"][0]
        if entry["status"] == "failed":
            problem = entry["error"]
            raise ReportError(problem["message"], problem["place"], problem["hint"])
        if wanted and entry["format"] != wanted:
            raise ReportError(f"this was read as {entry['format']}, not {wanted}", "$",
                              "send it to the webhook of its kind or to /api/v1/imports")  # fmt: skip
        return JSONResponse(told, 202)

    @routes.post("/api/v1/signals", dependencies=change, openapi_extra=RAW)
    async def signals(
        request: Request, idempotency_key: Annotated[str, Header(max_length=200)] = ""
    ) -> Any:
        """Imports signals of any format that is known."""
        return await take(request, "signals/posted.json", "", idempotency_key)

    async def sensor_or_triager(request: Request) -> None:
        if signing.SIGNATURE not in request.headers:  # else it is verified with the body
            await triager(request)

    @routes.post(
        "/api/v1/webhooks/{sensor}",
        openapi_extra=RAW,
        dependencies=[change[0], Depends(sensor_or_triager)],
    )
    async def webhook(
        request: Request,
        sensor: Sensor,
        idempotency_key: Annotated[str, Header(max_length=200)] = "",
    ) -> Any:
        """With a token, or signed with SECINBOX_SENSOR_SECRET: then it is taken once."""
        name, form = f"signals/{sensor}.json", _FORMATS[sensor]
        if signing.SIGNATURE not in request.headers:
            return await take(request, name, form, idempotency_key)
        body = await received(request, MAX_SIGNALS)
        digest = signing.verified(_sensor_secret(), request.headers, body)
        outbox = session.delivery.outbox
        if await run_in_threadpool(outbox.taken, digest):
            return JSONResponse({"files": [], "status": "known"}, 200)
        answer = await take(request, name, form, idempotency_key, body)
        # Only now: what could not be stored may be sent again.
        await run_in_threadpool(outbox.first_time, digest, real_now())
        return answer

    @routes.get("/api/v1/intel", dependencies=read)
    def intel() -> Any:
        """The exploit feeds: how old each is and how many records it has."""
        with session.reading() as facts:
            rows = facts.dicts(
                "SELECT feed, released, imported, records, source FROM feeds ORDER BY feed"
            )
        for row in rows:
            row["imported"] = row["imported"].strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"feeds": rows}

    @routes.get("/api/v1/export", dependencies=read)
    def export(format: Format = "json", q: Text = "") -> Any:
        """The issues of a query as OCSF, SARIF, OpenVEX, CycloneDX VEX, CSV or JSON."""
        media, text = session.exported(format, q)
        names = {"cyclonedx-vex": "cdx.json", "openvex": "openvex.json", "ocsf": "ocsf.jsonl"}
        return Response(text, media_type=media, headers={
            "content-disposition": f'attachment; filename="secinbox.{names.get(format, format)}"'})  # fmt: skip

    @routes.get("/readyz", dependencies=read)
    def ready() -> Any:
        """Whether the stores can be read; 503 if not."""
        with session.reading() as facts:
            facts.value("SELECT count(*) FROM issues")
        if session.has_decisions:
            session.decisions.revision()
        return {"status": "ready", "version": __version__}

    @routes.get("/metrics", dependencies=read)
    def metrics() -> Any:
        """Counts for Prometheus."""
        with session.reading() as facts:
            issues = facts.rows(
                "SELECT severity, status, count(*) FROM issues GROUP BY ALL ORDER BY ALL"
            )
            findings = facts.rows("SELECT status, count(*) FROM findings GROUP BY ALL ORDER BY ALL")
            imports = facts.value("SELECT count(*) FROM imports WHERE hash <> ''")
        from secinbox.inbox.answers import severity

        outbox = []
        if session.has_decisions:
            for name, count in session.delivery.outbox.counts().items():
                outbox += [f"# TYPE secinbox_deliveries_{name} gauge",
                           f"secinbox_deliveries_{name} {count}"]  # fmt: skip
        lines = [
            "# HELP secinbox_issues Issues by severity and status.", "# TYPE secinbox_issues gauge",
            *(f'secinbox_issues{{severity="{severity(s)}",status="{t}"}} {n}' for s, t, n in issues),
            "# HELP secinbox_findings Findings by status.", "# TYPE secinbox_findings gauge",
            *(f'secinbox_findings{{status="{t}"}} {n}' for t, n in findings),
            "# HELP secinbox_imports_total Reports imported.", "# TYPE secinbox_imports_total counter",
            f"secinbox_imports_total {imports}",
            *outbox,
            "# HELP secinbox_uptime_seconds Since the server started.",
            "# TYPE secinbox_uptime_seconds gauge", f"secinbox_uptime_seconds {time.time() - started:.0f}",
            f'secinbox_info{{version="{__version__}"}} 1',
        ]  # fmt: skip
        return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")

    return routes
