"""CloudQuery: what its file destinations write (JSON lines, CSV, Parquet), a table a file or folder.

Rows say by columns of their own (`_cq_...`) who made them, and the path of the file of which table.
"""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.inventory._tables import elsewhere, records, refuse_elsewhere
from secinbox.inventory._tables.files import csv_rows, parquet_rows
from secinbox.reading import Head, Report
from secinbox.records import AnyRecord

TITLE = "CloudQuery tables (AWS)"
_MADE_BY = frozenset({"_cq_sync_time", "_cq_id", "_cq_source_name"})
# One of them stands in every table of the AWS plugin, but for a few of parts.
_OF_AWS = frozenset({"account_id", "request_account_id", "arn", "image_arn"})


def recognise(head: Head) -> int:
    columns = frozenset(head.columns) or frozenset(head.first) | head.keys
    if not columns & _MADE_BY:
        return 0
    return 90 if columns & _OF_AWS or elsewhere(head.name) else 0


def read(report: Report) -> Iterator[AnyRecord]:
    parts = "/".join(report.parts or (report.name,))
    refuse_elsewhere(parts)
    if report.data.startswith(b"PAR1"):
        yield from records(parquet_rows(report), parts)
    elif report.data.lstrip()[:1] in (b"{", b"[", b""):
        yield from records(report.documents(dict), parts)
    else:
        yield from records(csv_rows(report), parts)
