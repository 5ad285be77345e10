"""CloudQuery: the files that its file destinations write as JSON, a table a file or folder.

Rows say by columns of their own (`_cq_...`) who made them, and the path of the file of which table.
"""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.inventory._tables import records
from secinbox.reading import Head, Report
from secinbox.records import AnyRecord

TITLE = "CloudQuery tables (AWS)"


def recognise(head: Head) -> int:
    made = any(k in head.first for k in ("_cq_sync_time", "_cq_id", "_cq_source_name"))
    return 90 if made and "account_id" in head.first else 0


def read(report: Report) -> Iterator[AnyRecord]:
    parts = report.parts or (report.name,)
    yield from records(report.documents(dict), "/".join(parts))
