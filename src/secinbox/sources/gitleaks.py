"""Gitleaks reports, JSON and CSV: 7 (`offender`, `lineNumber`, `rule`) and 8 (`Secret`, `RuleID`).

Secrets are never kept: their hash is the anchor. Source: gitleaks/gitleaks, report/finding.go;
for 7, scan/leak.go. Betterleaks writes the form of 8.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from secinbox.reading import Head, Report, ReportError
from secinbox.records import AnyRecord, Finding, Relation, Scope
from secinbox.sources._code import Anchors, access_key_id, azure_opens, clean_path
from secinbox.sources._names import (
    looks_like_repository,
    repository_resource,
    scanned_target,
)
from secinbox.sources._shape import Node

TITLE = "Gitleaks"


def recognise(head: Head) -> int:
    if head.kind == "csv":
        return 100 if {"ruleid", "commit", "file", "secret", "match"} <= set(head.columns) else 0
    if head.kind not in ("array", "lines", "object"):
        return 0
    if head.has("RuleID", "Secret", "File") or head.has("RuleID", "Match", "File", "StartLine"):
        return 100
    inner = head.first.get("findings")
    if isinstance(inner, list) and inner and isinstance(inner[0], dict):
        return 90 if {"RuleID", "Secret", "File"} <= set(inner[0]) else 0
    if head.has("offender", "rule", "line") and head.has("commit"):
        return 100
    return 0


def _items(report: Report) -> Iterator[Node]:
    if report.text.lstrip()[:1] not in ("[", "{"):
        yield from _rows(report.text)
        return
    documents: Iterator[tuple[str, Any]] = report.documents()
    for place, value in documents:
        item = Node(value, place).require_object()
        if item.has("findings"):  # some wrappers put the list under a key
            yield from item.objects("findings")
        else:
            yield item


def _rows(text: str) -> Iterator[Node]:
    number = 0
    try:
        for number, row in enumerate(csv.DictReader(io.StringIO(text)), 1):
            if None in row or None in row.values():
                raise ReportError("more or fewer fields than the head names", f"row {number}",
                                  "run the scanner again")  # fmt: skip
            yield Node(row, f"row {number}")
    except csv.Error as error:
        raise ReportError(f"not valid CSV: {error}", f"row {number + 1}", "run it again") from None


def read(report: Report) -> Iterator[AnyRecord]:
    default = scanned_target(report)
    seen: set[str] = set()
    anchors = Anchors()
    for item in _items(report):
        place = item.place
        url = item.first_text("repoURL", "repo")
        target = default
        if not report.options.get("resource") and looks_like_repository(url):
            target = repository_resource(url, place)
        if target.uid not in seen:
            seen.add(target.uid)
            yield target
        secret = item.first_text("Secret", "offender")
        rule = item.first_text("RuleID", "rule")
        path = clean_path(item.first_text("File", "file"))
        label = item.text("Description") or rule
        commit = item.first_text("Commit", "commit")
        short = label if len(label) < 60 else rule
        opens = azure_opens(
            *(item.text(k) for k in ("Match", "Secret", "Line", "line", "Fingerprint", "Message"))
        )
        yield Finding(
            type="secret",
            resource=target.uid,
            rule=rule,
            title=f"{short} in {path}",
            severity="high",
            description=f"{label}{f' (commit {commit[:12]})' if commit else ''}"
            + (f"\n{opens}" if opens else ""),
            location=path,
            line=item.line("StartLine") or item.line("lineNumber"),
            anchor=anchors.secret(rule, path, secret),
            remediation="Revoke the secret, issue a new one, and remove it from the history.",
            url=item.first_text("Link", "leakURL"),
            place=place,
        )
        key = access_key_id(secret, item.text("Match"))
        if key:
            yield Relation(
                source=target.uid, kind="contains", target=f"accesskey:{key}", place=place
            )
    for uid in seen:
        yield Scope(key=uid, types=("secret",))
