"""Rows out of the files that tables are exported to: JSON, JSON lines, CSV, Parquet."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from datetime import date, datetime
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from secinbox.inventory._tables.rows import Row
from secinbox.reading import Report, ReportError

_TRUTH = {"true": True, "false": False, "t": True, "f": False}
# CSV writes no types: these columns hold numbers, every other one that looks so holds an identifier.
_NUMBERS = ("port", "count", "capacity", "number", "users", "key_1_active", "size")


def first_row(rows: Iterator[tuple[str, Row]]) -> tuple[Row, Iterator[tuple[str, Row]]]:
    """The first row, {} where there is none, and all of them."""
    first = next(rows, None)
    return ({}, rows) if first is None else (first[1], chain((first,), rows))


def csv_rows(report: Report) -> Iterator[tuple[str, Row]]:
    """An empty field is null: CSV writes both alike."""
    csv.field_size_limit(sys.maxsize)
    reader = csv.reader(io.StringIO(report.text))
    try:
        columns = [c.strip() for c in next(reader, [])]
        for values in reader:
            if not values:
                continue
            if len(values) != len(columns):
                raise ReportError(f"{len(values)} fields under {len(columns)} columns",
                                  f"line {reader.line_num}", "export the table again")  # fmt: skip
            pairs = zip(columns, values, strict=True)
            yield f"line {reader.line_num}", {c: _value(c, v) for c, v in pairs}
    except csv.Error as error:
        raise ReportError(f"not valid CSV: {error}", f"line {reader.line_num}",
                          "export the table again") from None  # fmt: skip


def _value(column: str, text: str) -> Any:
    if text in ("", "<null>"):
        return None
    if text in ("true", "false"):
        return _TRUTH[text]
    if column.endswith(_NUMBERS) and text.lstrip("-").isdecimal() and len(text) < 18:
        return int(text)
    return text


def parquet_rows(report: Report) -> Iterator[tuple[str, Row]]:
    """Batches, so that a large table is never decoded as a whole."""
    try:
        reader = pq.ParquetFile(pa.BufferReader(report.data))
        index = 0
        for batch in reader.iter_batches(batch_size=1000):
            for row in batch.to_pylist():
                yield f"row {index}", {str(k): _plain(v) for k, v in row.items()}
                index += 1
    except (pa.ArrowException, OSError) as error:
        first = str(error).split("\n", 1)[0]
        raise ReportError(
            f"not valid Parquet: {first[:200]}", "$", "export the table again"
        ) from None


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value
