"""Which connectors there are, and which one a report belongs to: by content, never by name.

The file is the registration: every module of `sources`, `inventory` and `intel` whose name does
not begin with an underscore is a connector; third parties add theirs as entry points of the group
`secinbox.connectors`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from secinbox.reading import Connector, Head, ReportError, as_connector, head_of

_ROOMS = ("sources", "inventory", "intel")


@dataclass(frozen=True)
class Known:
    """A connector with its id and room (`sources`, `inventory` or `intel`)."""

    id: str
    room: str
    connector: Connector

    @property
    def module(self) -> Any:
        """The module itself, for its optional parts (`observed`, `dated`, `ADDRESSES`)."""
        return self.connector


@cache
def all_connectors() -> tuple[Known, ...]:
    """Every connector, in order of id."""
    found = []
    for room in _ROOMS:
        package = importlib.import_module(f"secinbox.{room}")
        for info in pkgutil.iter_modules(package.__path__):
            if not info.name.startswith("_"):
                module = importlib.import_module(f"secinbox.{room}.{info.name}")
                found.append(Known(info.name, room, as_connector(module)))
    for point in entry_points(group="secinbox.connectors"):
        found.append(Known(point.name, "sources", as_connector(point.load())))
    return tuple(sorted(found, key=lambda k: k.id))


def named(identifier: str) -> Known:
    """The connector with this id, for reports that do not say what they are. Raises ReportError."""
    for known in all_connectors():
        if known.id == identifier:
            return known
    names = ", ".join(k.id for k in all_connectors())
    raise ReportError(f"there is no format {identifier}", "", f"one of: {names}")


def recognise(data: bytes, name: str) -> Known:
    """The connector of a report. Raises ReportError when there is none."""
    head = head_of(data, name)
    best = max(_answers(head), key=lambda pair: pair[0], default=None)
    if best is None:
        if head.kind == "empty":
            raise UnknownFormat("the file is empty", "byte 0", "run the scanner again")
        hint = "see `secinbox formats` for what is read, or use --mapping for a format of your own"
        if head.kind in ("object", "array", "lines"):
            _check_json(data, head)
            seen = ", ".join(sorted(head.keys)[:6])
            raise UnknownFormat(f"no known report format (JSON with keys: {seen})", "$", hint)
        raise UnknownFormat(f"no known report format ({head.kind})", "byte 0", hint)
    return best[1]


class UnknownFormat(ReportError):
    """The content is nothing that any connector knows."""


def _answers(head: Head) -> Iterator[tuple[int, Known]]:
    for known in all_connectors():
        score = known.connector.recognise(head)
        if score > 0:
            yield score, known


def _check_json(data: bytes, head: Head) -> None:
    # A report that is cut off is not "unknown": say where it ends. Other text that begins with a
    # bracket (a log, a TOML file) is no broken report.
    if head.kind != "lines":
        from secinbox.reading import decode_json

        try:
            decode_json(data)
        except ReportError as error:
            if head.keys or "truncated" in error.message or "deeply" in error.message:
                raise
