"""Bandit JSON (`bandit -f json`): `results`, `errors`, `metrics`, `generated_at`.

Source: PyCQA/bandit, bandit/formatters/json.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from secinbox.reading import Head, Report, parse_time
from secinbox.records import AnyRecord, Finding, Scope, Skipped
from secinbox.sources._code import Anchors, clean_path, scrub
from secinbox.sources._names import scanned_target
from secinbox.sources._shape import Node
from secinbox.vocabulary import severity_from_word

TITLE = "Bandit"

# These tests quote the password that they found.
_QUOTING = frozenset({"B105", "B106", "B107"})


def recognise(head: Head) -> int:
    if head.kind == "object" and head.has("results", "metrics", "errors", "generated_at"):
        return 100
    if head.kind == "object" and head.has("results") and '"test_id"' in head.text:
        return 90 if '"issue_text"' in head.text else 0
    return 0


def observed(report: Report) -> datetime | None:
    found = re.search(rb'"generated_at"\s*:\s*"([^"]+)"', report.data)
    return parse_time(found.group(1).decode("utf-8", "replace")) if found else None


def bandit_text(rule: str, text: str) -> str:
    """The message without the password that some tests quote."""
    if rule in _QUOTING:
        text = re.sub(r":\s*'.*", "", text, flags=re.S)
    return scrub(text)


def _flagged(code: str, number: int) -> str:
    """Line `number` of Bandit's numbered excerpt."""
    found = re.search(rf"^{number}[ \t](.*)$", code, re.M)
    return found.group(1) if found else ""


def read(report: Report) -> Iterator[AnyRecord]:
    document = Node(report.json()).require_object()
    target = scanned_target(report)
    yield target
    anchors = Anchors()
    for item in document.objects("results"):
        rule = item.text("test_id")
        path = clean_path(item.text("filename"))
        line = item.line("line_number")
        text = bandit_text(rule, item.text("issue_text"))
        word = item.text("issue_severity")
        yield Finding(
            type="static_code_vulnerability",
            resource=target.uid,
            rule=rule,
            title=text,
            severity=severity_from_word(word),
            severity_word=word,
            description=f"{item.text('test_name')} (confidence {item.text('issue_confidence')})",
            location=path,
            line=line,
            anchor=anchors.of(rule, path, _flagged(item.text("code"), line)),
            url=item.text("more_info"),
            place=item.place,
        )
    whole = True
    for error in document.objects("errors"):
        whole = False
        yield Skipped(
            reason=f"Bandit could not read {error.text('filename')}: {error.text('reason')}",
            place=error.place,
        )
    if whole:
        yield Scope(key=target.uid, types=("static_code_vulnerability",))
