"""Steampipe: `steampipe query "select * from aws_ec2_instance" --output json`, a table a file.

A file may hold the rows alone, or (from 0.22 on) `{"columns": [...], "rows": [...]}`. Name it like
its table: rows do not say it, and without it their columns must.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.inventory._tables import records, table_of
from secinbox.reading import Head, Report, ReportError
from secinbox.records import AnyRecord

TITLE = "Steampipe tables (AWS)"
_MARKS = ("akas", "account_id")


def recognise(head: Head) -> int:
    first = head.first
    if head.has("columns", "rows"):
        columns = first.get("columns")
        names = {c.get("name") for c in columns if isinstance(c, dict)} if isinstance(columns, list) else set()  # fmt: skip
        return 90 if names.issuperset(_MARKS) and "partition" in names else 0
    if head.kind not in ("array", "lines") or not isinstance(first, dict):
        return 0
    known = bool(table_of(head.name, frozenset(first)))
    return 88 if known and all(m in first for m in _MARKS) and "partition" in first else 0


def read(report: Report) -> Iterator[AnyRecord]:
    yield from records(_rows(report), report.name)


def _rows(report: Report) -> Iterator[tuple[str, dict[str, Any]]]:
    document: dict[str, Any]
    for place, document in report.documents(dict[str, Any]):
        rows: Any = document.get("rows") if "columns" in document else [document]
        if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
            raise ReportError("rows is not a list of objects", place, "use --output json")
        for index, row in enumerate(rows):
            yield f"{place}.rows[{index}]" if "columns" in document else place, row
