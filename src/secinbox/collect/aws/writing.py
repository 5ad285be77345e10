"""The folder of a collection: `ACCOUNT/REGION/service.operation.json`, a line an answer in `.jsonl`.

A file is there whole or not at all. A run that was broken off goes on where it stopped; one that
ended is made anew by the next, file by file.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from secinbox.collect.aws.calls import Call
from secinbox.reading import ReportError

_MARK = ".secinbox-collecting"
_GAPS = "_gaps.json"


class Folder:
    """Where answers go, and from where follow-ups read them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self.gaps: dict[str, list[dict[str, Any]]] = {}
        self._skipped: set[tuple[str, str, str]] = set()
        self._done: set[str] = set()
        self.resumed = False

    def open(self) -> None:
        """Starts a run, or takes up the one that was broken off here."""
        mark = self.path / _MARK
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.resumed = mark.exists()
            if self.resumed:
                self._done = set(mark.read_text("utf-8").splitlines())
            else:
                mark.touch()
        except OSError as error:
            raise ReportError(
                f"cannot write to {self.path}: {error.strerror}",
                str(self.path),
                "name another --to",
            ) from None

    def close(self) -> None:
        """The run is complete: the next one asks for everything again."""
        for account, gaps in self.gaps.items():
            ordered = sorted(
                gaps, key=lambda g: (g["service"], g["op"], g["region"], str(g["args"]))
            )
            self._put(self.path / account / _GAPS, _json(ordered, indent=1))
        (self.path / _MARK).unlink(missing_ok=True)

    # Files

    def _file(self, account: str, region: str, operation: str, many: bool) -> Path:
        return self.path / account / region / f"{operation}.{'jsonl' if many else 'json'}"

    def _key(self, account: str, region: str, operation: str) -> str:
        return f"{account}/{region}/{operation}"

    def has(self, account: str, region: str, operation: str) -> bool:
        """Written in this run."""
        return self._key(account, region, operation) in self._done

    def write(
        self, account: str, region: str, call: Call, lines: list[dict[str, Any]], many: bool = False
    ) -> None:
        several = many or call.many
        text = (
            "".join(_json(line) + "\n" for line in lines)
            if several
            else _json(lines[0]["response"], indent=1)
        )
        self._put(self._file(account, region, call.operation, several), text)
        self._remember(account, region, call.operation)

    def _put(self, file: Path, text: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        half = file.with_name(f".{file.name}.part")
        half.write_text(text, "utf-8")
        os.replace(half, file)

    def _remember(self, account: str, region: str, operation: str) -> None:
        key = self._key(account, region, operation)
        with self._lock:
            self._done.add(key)
            with (self.path / _MARK).open("a", encoding="utf-8") as mark:
                mark.write(key + "\n")

    def forget(self, account: str, region: str, operation: str) -> None:
        """Nothing is known of it any more: what an earlier run wrote must not stand for today."""
        for many in (False, True):
            self._file(account, region, operation, many).unlink(missing_ok=True)

    def skip(self, account: str, region: str, operation: str) -> None:
        """There is no such service in the region."""
        self._skipped.add((account, region, operation))

    def answers(
        self, account: str, region: str, operation: str
    ) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Requests and answers that were written, for follow-ups."""
        single = self._file(account, region, operation, False)
        lines = self._file(account, region, operation, True)
        if not self.has(account, region, operation):
            return
        if single.exists():
            yield {}, json.loads(single.read_text("utf-8"))
        elif lines.exists():
            for line in lines.read_text("utf-8").splitlines():
                found = json.loads(line)
                yield found["request"], found["response"]

    # Gaps

    def gap(self, account: str, region: str, call: Call, request: dict[str, Any], code: str,
            message: str) -> None:  # fmt: skip
        """A call that was refused or is missing: its values are unknown, and it is listed."""
        with self._lock:
            self.gaps.setdefault(account, []).append(
                {"service": call.service, "region": region, "op": call.operation.partition(".")[2],
                 "args": request, "error": code, "message": message[:300]}
            )  # fmt: skip


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, default=_plain, indent=indent, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (set, frozenset, tuple)):
        return sorted(value)
    return str(value)
