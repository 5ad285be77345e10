"""Making a decision: who and what it is about, what it would do, what came of it item by item."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from secinbox.decisions.request import Request, change, shown
from secinbox.decisions.states import Conflict, DecisionError, Subject
from secinbox.decisions.store import DecisionStore
from secinbox.facts.staging import SEVERITY_RANK
from secinbox.facts.store import Facts
from secinbox.inbox import answers, explaining, issues
from secinbox.inbox.assessing import FINDING_ROWS
from secinbox.inbox.deciding import FINDING, ISSUE, ON, QUERY, RULE
from secinbox.inbox.fields import FINDING_FREE_TEXT, RULE_FIELDS
from secinbox.inbox.query import compile_query

SAMPLE = 10
_NEEDED = "id, title, severity, risks, status, version"  # of an issue that is decided on


def decide(
    reader: Facts, store: DecisionStore, request: Request, actor: str, clock: datetime
) -> dict[str, Any]:
    """{"action", "dry_run", "count", "sample", "batch", "done", "failed"}.

    Raises DecisionError, NotFound or QueryError when nothing of it can be done.
    """
    subjects, titles, missing = _subjects(reader, store, request)
    told: dict[str, Any] = {
        "action": request.action,
        "dry_run": request.dry_run,
        "count": len(subjects),
        "sample": [{"subject": s.key, "id": _id(s.key), "title": titles.get(s.key, "")}
                   for s in subjects[:SAMPLE]],
        "batch": None, "done": [], "failed": missing,
    }  # fmt: skip
    if request.matching:
        found = compile_query(request.matching, RULE_FIELDS, FINDING_FREE_TEXT, clock)
        told["findings"] = _matching(reader, found.sql, list(found.parameters))
    wanted = change(request, clock)
    if request.dry_run:
        return told
    outcome = store.decide(subjects, wanted, actor, clock, status=request.status or "")
    told["batch"] = outcome.batch
    told["done"] = [
        {"subject": key, "id": _id(key), **shown(state)} for key, state in outcome.done.items()
    ]
    told["failed"] = missing + [_failure(key, error) for key, error in outcome.failed.items()]
    return told


def _failure(key: str, error: DecisionError) -> dict[str, Any]:
    told: dict[str, Any] = {"subject": key, "id": _id(key), "error": str(error)}
    if isinstance(error, Conflict):
        told |= {"version": error.version, "changes": error.changes}
    return told


def _id(key: str) -> str:
    return key.partition(":")[2]


def _matching(reader: Facts, sql: str, parameters: list[Any]) -> int:
    return int(
        reader.value(
            f"SELECT count(*) FROM {FINDING_ROWS} WHERE f.status = 'open' AND {sql}",
            parameters,
        )
    )


def _subjects(
    reader: Facts, store: DecisionStore, request: Request
) -> tuple[list[Subject], dict[str, str], list[dict[str, Any]]]:
    """What the request is about, the titles, and what of it does not exist."""
    if request.matching:
        return [Subject(QUERY + request.matching)], {}, []
    if request.rule:
        rows = reader.rows(
            "SELECT max(severity), count(*) FROM findings WHERE rule = ? AND resource = ?",
            [request.rule, request.resource],
        )
        if not rows[0][1]:
            raise answers.NotFound(f"no finding of rule {request.rule} on {request.resource}")
        worst = reader.rows(
            f"SELECT max(f.severity), max(f.risks) FROM {FINDING_ROWS} "
            "WHERE f.rule = ? AND f.resource = ?",
            [request.rule, request.resource],
        )[0]
        return [Subject(f"{RULE}{request.rule}{ON}{request.resource}", *worst)], {}, []
    if request.batch:
        keys = store.batch(request.batch)
        if not keys:
            raise answers.NotFound(f"no decision has the batch {request.batch}")
        return [Subject(k) for k in keys], {}, []
    if request.findings:
        return _findings(reader, request.findings)
    if request.query is not None:
        condition = issues.listed(reader, request.query)
        found = reader.dicts(
            f"SELECT {_NEEDED} FROM issues i WHERE {condition.sql} ORDER BY i.sort_key",
            [*condition.parameters],
        )
        return [_subject(r) for r in found], {ISSUE + r["id"]: r["title"] for r in found}, []
    subjects: dict[str, Subject] = {}
    titles: dict[str, str] = {}
    missing: list[dict[str, Any]] = []
    for item in request.issues:
        name, version = (item, None) if isinstance(item, str) else (item.id, item.version)
        if shown := issues.remembered(reader, name):
            row = {**shown, "severity": SEVERITY_RANK[shown["severity"]],
                   "risks": shown["risk_count"]}  # fmt: skip
            subject = _subject(row, version)
            subjects[subject.key], titles[subject.key] = subject, row["title"]
            continue
        try:
            row = explaining.find_issue(reader, name, _NEEDED)
        except answers.NotFound as error:
            # Decisions outlive their issue: what is fixed now can still be undone by its full id.
            if len(request.issues) == 1 and not store.state(ISSUE + name)["version"]:
                raise
            if store.state(ISSUE + name)["version"]:
                subjects[ISSUE + name] = Subject(ISSUE + name, version=version)
            else:
                missing.append({"subject": ISSUE + name, "id": name, "error": str(error)})
            continue
        subject = _subject(row, version)
        subjects[subject.key] = subject
        titles[subject.key] = row["title"]
    return list(subjects.values()), titles, missing


def _subject(row: dict[str, Any], version: int | None = None) -> Subject:
    return Subject(
        ISSUE + row["id"], row["severity"], row["risks"],
        awake=row["status"] == "open" and row["version"] > 0, judged=row["version"],
        version=version,
    )  # fmt: skip


def _findings(
    reader: Facts, names: Sequence[str]
) -> tuple[list[Subject], dict[str, str], list[dict[str, Any]]]:
    subjects, titles, missing = [], {}, []
    for name in dict.fromkeys(n.strip().lower() for n in names):
        rows = reader.rows(
            f"SELECT f.id, f.title, f.severity, f.risks, f.muted_by FROM {FINDING_ROWS} "
            "WHERE starts_with(f.id, ?) LIMIT 2",
            [name],
        )
        if len(rows) != 1 or not name:
            what = "no finding has the id" if not rows else "more than one finding begins with"
            if len(names) == 1:
                raise answers.NotFound(f"{what} {name}")
            missing.append({"subject": FINDING + name, "id": name, "error": f"{what} {name}"})
            continue
        identity, title, severity, risks, muted = rows[0]
        key = FINDING + identity
        subjects.append(Subject(key, severity, risks, awake=muted != key))
        titles[key] = title
    return subjects, titles, missing


def timeline(store: DecisionStore, issue: str, findings: Sequence[str]) -> list[dict[str, Any]]:
    """What was decided on an issue and on its findings, oldest first."""
    events = store.timeline(ISSUE + issue, *(FINDING + f for f in findings))
    return sorted(events, key=lambda e: e["id"])
