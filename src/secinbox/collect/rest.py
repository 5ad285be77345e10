"""Asking REST APIs: tokens, pages, waiting when told to, and answers kept as files.

A run that was broken off goes on where it stopped; an answer is there whole or not at all.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx2

from secinbox.reading import ReportError

TRIES = 6
_WAITS = (429, 500, 502, 503, 504)
_LONGEST = 60.0
_MARK = ".secinbox-collecting"


class Refused(Exception):
    """An answer that is no answer: the status or kind of the failure, and what was said."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code, self.message = code, message


@dataclass
class Rest:
    """A client of one API. token: gives a bearer token, a fresh one when asked."""

    base: str
    token: Callable[[bool], str]
    headers: dict[str, str] = field(default_factory=dict)
    sleep: Callable[[float], None] = time.sleep
    requests: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._client = httpx2.Client(timeout=httpx2.Timeout(120, connect=20))

    def close(self) -> None:
        self._client.close()

    def ask(
        self, path: str, body: Any = None, params: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """One answer. A link of a next page must lead to the same host. Raises Refused."""
        link = path if "://" in path else f"{self.base}{path}"
        if httpx2.URL(link).host != httpx2.URL(self.base).host:
            raise Refused("link", f"the next page is at another host: {httpx2.URL(link).host}")
        fresh = False
        for attempt in range(TRIES):
            with self._lock:
                self.requests += 1
            headers = {"Authorization": f"Bearer {self.token(fresh)}", **self.headers}
            try:
                got = (self._client.get(link, params=params, headers=headers) if body is None
                       else self._client.post(link, params=params, headers=headers, json=body))  # fmt: skip
            except httpx2.TransportError as error:
                if attempt == TRIES - 1:
                    raise Refused(type(error).__name__, str(error)[:200]) from None
                self.sleep(min(2.0**attempt, _LONGEST))
                continue
            if got.status_code == 401 and not fresh:
                fresh = True  # the token ran out on the way
                continue
            if got.status_code in _WAITS and attempt < TRIES - 1:
                self.sleep(_wait(got.headers.get("Retry-After"), attempt))
                continue
            return _answer(got)
        raise Refused("401", "the token was refused twice")

    def pages(self, path: str, key: str, next_key: str,
              params: dict[str, str] | None = None) -> Iterator[dict[str, Any]]:  # fmt: skip
        """Every row of a list that links its next page, or names it by a token."""
        seen: set[str] = set()
        # Parameters of a call replace those in its path, even when there are none: None leaves them.
        asked: dict[str, str] | None = dict(params) if params else None
        while path:
            answer = self.ask(path, params=asked)
            rows = answer.get(key)
            yield from (r for r in (rows if isinstance(rows, list) else ()) if isinstance(r, dict))
            onward = str(answer.get(next_key) or "")
            if not onward or onward in seen:
                return
            seen.add(onward)
            if "://" in onward:
                path, asked = onward, None
            else:
                asked = {**(params or {}), "pageToken": onward}


def _wait(said: str | None, attempt: int) -> float:
    """Seconds: what the service says, within reason, else twice as long each time."""
    if said:
        if said.strip().isdigit():
            return min(float(said), _LONGEST)
        try:
            return max(0.0, min(parsedate_to_datetime(said).timestamp() - time.time(), _LONGEST))
        except (TypeError, ValueError):
            pass
    return min(2.0**attempt, _LONGEST)


def _answer(got: httpx2.Response) -> dict[str, Any]:
    try:
        answer = got.json()
    except ValueError:
        answer = None
    if got.status_code >= 400:
        said = answer.get("error") if isinstance(answer, dict) else None
        code, message = "", ""
        if isinstance(said, dict):
            code = str(said.get("code") or said.get("status") or "")
            message = str(said.get("message") or "")
        raise Refused(f"{got.status_code} {code}".strip(), message[:300])
    if not isinstance(answer, dict):
        raise Refused("answer", "the answer is no JSON object")
    return answer


class Answers:
    """The folder of a collection. What is written in a run that goes on is not asked again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.gaps: dict[str, str] = {}
        self.resumed = False
        self._done: set[str] = set()

    def open(self) -> None:
        """Starts a run, or takes up the one that was broken off here. Raises ReportError."""
        mark = self.path / _MARK
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.resumed = mark.exists()
            if self.resumed:
                self._done = set(mark.read_text("utf-8").splitlines())
            else:
                mark.touch()
        except OSError as error:
            raise ReportError(f"cannot write to {self.path}: {error.strerror}", str(self.path),
                              "name another --to") from None  # fmt: skip

    def close(self) -> None:
        """The run is complete: the next one asks for everything again."""
        (self.path / _MARK).unlink(missing_ok=True)

    def has(self, name: str) -> bool:
        """Written in this run."""
        return name in self._done

    def document(self, name: str) -> dict[str, Any]:
        """What was written under a name; empty where nothing was."""
        file = self.path / f"{name}.json"
        if not file.exists():
            return {}
        found = json.loads(file.read_text("utf-8"))
        return found if isinstance(found, dict) else {}

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The documents of a list that was written a line each; none where nothing was."""
        file = self.path / f"{name}.json"
        if not file.exists():
            return []
        with file.open(encoding="utf-8") as lines:
            return [row for line in lines if isinstance(row := json.loads(line), dict)]

    def write(self, name: str, document: Any, lines: bool = False) -> None:
        """One file, whole: a JSON document, or a list with a document a line."""
        text = ("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in document) if lines
                else json.dumps(document, ensure_ascii=False))  # fmt: skip
        file = self.path / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        half = file.with_name(f".{file.name}.part")
        half.write_text(text, "utf-8")
        os.replace(half, file)
        self._done.add(name)
        with (self.path / _MARK).open("a", encoding="utf-8") as mark:
            mark.write(name + "\n")

    def gap(self, name: str, why: Refused) -> None:
        """Nothing is known of it any more: what an earlier run wrote must not stand for today."""
        self.gaps[name] = f"{why.code}: {why.message}" if why.message else why.code
        (self.path / f"{name}.json").unlink(missing_ok=True)
