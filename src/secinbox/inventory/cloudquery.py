"""CloudQuery: what its file destinations write (JSON lines, CSV, Parquet), a table a file or folder.

Rows say by columns of their own (`_cq_...`) who made them, and the path of the file of which table.
"""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.inventory._tables import azure, clusters, google, records
from secinbox.inventory._tables.files import csv_rows, first_row, parquet_rows
from secinbox.inventory._tables.naming import AWS, GOOGLE, named_in
from secinbox.inventory._tables.rows import Row
from secinbox.reading import Head, Report
from secinbox.records import AnyRecord

TITLE = "CloudQuery tables (AWS, Azure, Google Cloud, Kubernetes)"
_MADE_BY = frozenset({"_cq_sync_time", "_cq_id", "_cq_source_name"})
# One of them stands in every table of the AWS plugin, but for a few of parts.
_OF_AWS = frozenset({"account_id", "request_account_id", "arn", "image_arn"})


def recognise(head: Head) -> int:
    columns = frozenset(head.columns) or frozenset(head.first) | head.keys
    if not columns & _MADE_BY:
        return 0
    if any(r.recognises(head.name, columns, cloudquery=True) for r in (clusters, azure)):
        return 90
    if columns & _OF_AWS and not named_in(head.name, GOOGLE):
        return 90
    return google.recognises(head.name, columns)


def read(report: Report) -> Iterator[AnyRecord]:
    parts = "/".join(report.parts or (report.name,))
    first, rows = first_row(_rows(report))
    columns = frozenset(first)
    if named_in(parts, AWS):
        yield from records(rows, parts)
    elif clusters.recognises(parts, columns, cloudquery=True):
        yield from clusters.records(rows, report, parts, cloudquery=True)
    elif azure.recognises(parts, columns, cloudquery=True):
        yield from azure.records(rows, parts, cloudquery=True)
    elif named_in(parts, GOOGLE):
        yield from google.records(rows, parts)
    else:
        yield from records(rows, parts)


def _rows(report: Report) -> Iterator[tuple[str, Row]]:
    if report.data.startswith(b"PAR1"):
        return parquet_rows(report)
    if report.data.lstrip()[:1] in (b"{", b"[", b""):
        return report.documents(dict)
    return csv_rows(report)
