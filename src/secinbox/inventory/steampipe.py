"""Steampipe: `steampipe query "select * from aws_ec2_instance" --output json`, a table a file.

JSON may hold the rows alone, or (from 0.22 on) `{"columns": [...], "rows": [...]}`; CSV is read too.
Name the file like its table: rows do not say it, and without it their columns must.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.inventory._tables import TABLES, azure, clusters, columns_of, google, records
from secinbox.inventory._tables.files import csv_rows, first_row
from secinbox.inventory._tables.naming import AWS, AZURE, named_in
from secinbox.reading import Head, Report, ReportError
from secinbox.records import AnyRecord

TITLE = "Steampipe tables (AWS, Azure, Entra ID, Google Cloud, Kubernetes)"
_MARKS = ("akas", "account_id", "partition")  # in every table of the AWS plugin


def recognise(head: Head) -> int:
    if head.kind == "csv":
        return _score(head.name, frozenset(head.columns), 90)
    if head.has("columns", "rows"):
        told = head.first.get("columns")
        names = (str(c.get("name")) for c in told if isinstance(c, dict)) if isinstance(told, list) else ()  # fmt: skip
        return _score(head.name, frozenset(names), 90)
    if head.kind not in ("array", "lines"):
        return 0
    return _score(head.name, frozenset(head.first), 88)


def _score(name: str, columns: frozenset[str], best: int) -> int:
    if any(c.startswith("_cq_") for c in columns):
        return 0
    if columns.issuperset(_MARKS):
        return best
    found = clusters.recognises(name, columns, cloudquery=False) or azure.recognises(
        name, columns, cloudquery=False)  # fmt: skip
    if found:
        return found - (90 - best)
    if named_in(name, AZURE) and columns.issuperset(("akas", "title")):
        return 94  # to be refused by name
    if found := google.recognises(name, columns):
        return found
    # A selection of columns: then the name and a column that only such a table has must say it.
    table = named_in(name, AWS)
    return best - 4 if table in TABLES and columns & columns_of(table) else 0


def read(report: Report) -> Iterator[AnyRecord]:
    parts = "/".join(report.parts or (report.name,))
    start = report.data.lstrip()[:1]
    rows = _rows(report) if start in (b"[", b"{", b"") else csv_rows(report)
    first, rows = first_row(rows)
    columns = frozenset(first)
    if named_in(parts, AWS):
        yield from records(rows, parts)
    elif clusters.recognises(parts, columns, cloudquery=False):
        yield from clusters.records(rows, report, parts, cloudquery=False)
    elif azure.recognises(parts, columns, cloudquery=False) or named_in(parts, AZURE):
        yield from azure.records(rows, parts, cloudquery=False)
    elif google.recognises(parts, columns):
        yield from google.records(rows, parts)
    else:
        yield from records(rows, parts)


def _rows(report: Report) -> Iterator[tuple[str, dict[str, Any]]]:
    document: dict[str, Any]
    for place, document in report.documents(dict[str, Any]):
        rows: Any = document.get("rows") if "columns" in document else [document]
        if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
            raise ReportError("rows is not a list of objects", place, "use --output json")
        for index, row in enumerate(rows):
            yield f"{place}.rows[{index}]" if "columns" in document else place, row
