"""EPSS scores: FIRST's daily CSV (comment line, header, commas), and CSV without a header.

Source: first.org/epss/data_stats. The form without header is `CVE;epss;percentile`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from secinbox.reading import Head, Report, ReportError
from secinbox.records import AnyRecord, Exploit

TITLE = "EPSS"
ADDRESSES = ("https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",)
STALE_DAYS = 7

_ROW = re.compile(r"CVE-\d{4}-\d+[;,]\s*[01](\.\d+)?([eE]-\d+)?[;,]\s*[01](\.\d+)?\s*$")


def recognise(head: Head) -> int:
    if head.text.startswith("#model_version"):
        return 100
    if head.kind == "csv" and head.columns[:3] == ("cve", "epss", "percentile"):
        return 100
    if head.kind == "csv" and _ROW.match(head.text.split("\n", 1)[0].rstrip("\r")):
        return 95
    return 0


def dated(report: Report) -> str:
    found = re.search(rb"score_date:(\d{4}-\d\d-\d\d)", report.data[:500])
    return found.group(1).decode() if found else ""


def read(report: Report) -> Iterator[AnyRecord]:
    lines = report.text.splitlines()
    separator = ";" if ";" in next((x for x in lines if x.startswith("CVE-")), "") else ","
    date = dated(report)
    for number, line in enumerate(lines, 1):
        cve, _, rest = line.partition(separator)
        if not cve.startswith("CVE-"):
            if not line or line.startswith("#") or cve.strip('"').lower() == "cve":
                continue
            raise ReportError("not an EPSS row", f"line {number}", "is it FIRST's CSV?")
        score_text, _, percentile_text = rest.partition(separator)
        try:
            score, percentile = float(score_text), float(percentile_text)
        except ValueError:
            raise ReportError(
                "a score that is no number", f"line {number}", "is it FIRST's CSV?"
            ) from None
        if not 0.0 <= score <= 1.0 or not 0.0 <= percentile <= 1.0:
            raise ReportError(
                "a score that is not between 0 and 1", f"line {number}", "is it FIRST's CSV?"
            )
        yield Exploit(
            vulnerability=cve,
            feed="epss",
            epss=score,
            percentile=percentile,
            date=date,
            place=f"line {number}",
        )
