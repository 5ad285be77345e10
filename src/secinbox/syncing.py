"""Fetching the exploit feeds from their official addresses; each feed stands alone.

Unchanged files are recognised by their ETag and not fetched again. Proxies are taken from the
environment (HTTPS_PROXY). `SECINBOX_FEED_<NAME>` names other addresses (mirrors), space separated.
"""

from __future__ import annotations

import io
import os
import time
import zipfile
from collections.abc import Callable
from typing import Any

import httpx2
import msgspec

from secinbox import opening
from secinbox.connectors import all_connectors
from secinbox.reading import ReportError
from secinbox.session import Session

TRIES = 4
MAX_DOWNLOAD = 1024**3


def addresses() -> dict[str, tuple[str, ...]]:
    """{feed: its addresses}: the official ones, or the mirrors that the environment names."""
    found = {}
    for known in all_connectors():
        if known.room == "intel":
            mirrors = os.environ.get(f"SECINBOX_FEED_{known.id.upper()}", "").split()
            official: tuple[str, ...] = getattr(known.module, "ADDRESSES", ())
            if mirrors or official:
                found[known.id] = tuple(mirrors) or official
    return found


def sync(
    session: Session,
    feeds: tuple[str, ...] = (),
    progress: Callable[[str], None] = lambda text: None,
    pause: float = 1.0,
) -> dict[str, Any]:
    """Fetches feeds and imports what changed. Returns {"feeds": [{"feed", "status", ...}]}.

    A feed that fails is told and does not stop the others. Raises ReportError for a name that is
    no feed.
    """
    known = addresses()
    for name in feeds:
        if name not in known:
            raise ReportError(f"there is no feed {name}", "", f"one of: {', '.join(known)}")
    results = []
    with httpx2.Client(follow_redirects=True, timeout=httpx2.Timeout(120, connect=20)) as client:
        for feed in feeds or tuple(known):
            entry: dict[str, Any] = {
                "feed": feed, "status": "unchanged", "records": 0, "error": None,
            }  # fmt: skip
            for url in known[feed]:
                progress(f"{feed}: {url}")
                try:
                    _one(session, client, feed, url, entry, pause)
                except (httpx2.HTTPError, ReportError) as error:
                    entry["status"] = "failed"
                    text = error.message if isinstance(error, ReportError) else str(error)
                    entry["error"] = {"message": text, "place": url, "hint": _HINT}
                    break
            results.append(entry)
    session.rank()
    return {"feeds": results}


_HINT = "check the network and proxy, or fetch the file elsewhere and use `secinbox intel import`"


def _one(
    session: Session,
    client: httpx2.Client,
    feed: str,
    url: str,
    entry: dict[str, Any],
    pause: float,
) -> None:
    key = f"etag:{url}"
    etag = session.facts.meta(key)
    answer = _get(client, url, {"if-none-match": etag} if etag else {}, pause)
    if answer.status_code == 304:
        return
    data = _joined(answer.content) if answer.content[:4] == b"PK\x03\x04" else answer.content
    name = f"{feed}/{url.rsplit('/', 1)[-1]}"
    files = session.import_reports((name,), data=opening.unpacked(data))["files"]
    for file in files:
        if file["status"] != "imported":
            problem = file["error"] or {"message": "not recognised"}
            raise ReportError(f"what came is no {feed} feed: {problem['message']}", url)
        entry["records"] += file["records"]["exploits"]
    entry["status"] = "imported"
    if answer.headers.get("etag"):
        session.facts.set_meta(key, answer.headers["etag"])


def _get(client: httpx2.Client, url: str, headers: dict[str, str], pause: float) -> httpx2.Response:
    for attempt in range(1, TRIES + 1):
        try:
            answer = client.get(url, headers=headers)
            if answer.status_code < 500 and answer.status_code != 429:
                if answer.status_code == 304:
                    return answer
                answer.raise_for_status()
                if len(answer.content) > MAX_DOWNLOAD:
                    raise ReportError("the feed is larger than 1 GB", url)
                return answer
            answer.raise_for_status()
        except httpx2.TransportError:
            if attempt == TRIES:
                raise
        except httpx2.HTTPStatusError as error:
            if attempt == TRIES or error.response.status_code < 429:
                raise
        time.sleep(pause * 2 ** (attempt - 1))
    raise AssertionError("unreachable: the last try returns or raises")


def _joined(data: bytes) -> bytes:
    """The JSON documents of an archive as one document a line. Raises ReportError."""
    lines = []
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                if info.filename.endswith(".json") and info.file_size < 16 * 1024**2:
                    total += info.file_size
                    if total > opening.MAX_BYTES:
                        raise ReportError("the archive unpacks to more than 4 GB", info.filename)
                    document = msgspec.json.decode(archive.read(info))
                    if isinstance(document, dict) and not {"fetchedAt", "deltaLog"} & set(document):
                        lines.append(msgspec.json.encode(document))
    except (zipfile.BadZipFile, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ReportError(f"broken archive: {error}", "", "try again later") from None
    return b"\n".join(lines)
