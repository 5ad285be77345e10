"""What rules would change: the same ranking by the old and by the new rules, and nothing stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from secinbox.decisions.rule import Rule
from secinbox.facts.store import Facts
from secinbox.inbox.answers import severity
from secinbox.inbox.assessing import FINDING_ROWS
from secinbox.inbox.automation import condition
from secinbox.inbox.history import as_on
from secinbox.inbox.ranking import rank_past, readmit
from secinbox.risks import Assessment
from secinbox.settings import Settings

SAMPLE = 20


class _Undo(Exception):
    """Ends the transaction without storing."""


def compare(
    facts: Facts,
    old: Sequence[Rule],
    new: Sequence[Rule],
    tried: Sequence[str],
    *,
    clock: datetime,
    settings: Settings,
    days: int,
) -> dict[str, Any]:
    """{"today": {...}, "days": [{"day", ...}]}: what the rules change, and each day's counts.

    A past day has the findings that were open then, as far as their dates say, and its own clock.
    """
    today: dict[str, Any] = {}
    past: list[dict[str, Any]] = []
    for back in range(days + 1):
        moment = clock - timedelta(days=back)
        try:
            with facts.transaction():
                assessment = Assessment(facts, moment, settings)
                if back:
                    as_on(facts, moment)
                    rank_past(assessment, old)
                else:
                    readmit(assessment, old)
                _keep(facts, "before")
                readmit(assessment, new)
                _keep(facts, "after")
                counts = {"day": moment.date().isoformat(), **_counts(facts)}
                counts["hits"] = _hits(facts, [r for r in new if r.id in tried], moment)
                if back:
                    past.append(counts)
                else:
                    today = {**counts, **_samples(facts)}
                raise _Undo
        except _Undo:
            pass
    return {"today": today, "days": past}


def _keep(facts: Facts, name: str) -> None:
    facts.con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {name} AS
        SELECT id, severity, admitted_by, muted_by, severity_rule, rule_due FROM assessed
        """
    )
    facts.con.execute(
        f"CREATE OR REPLACE TEMP TABLE {name}_issues AS SELECT id, title, severity, status, due, "
        "row_number() OVER (ORDER BY sort_key) AS place FROM issues WHERE status <> 'muted'"
    )


_PAIRS = """
    FROM before b FULL JOIN after a ON a.id = b.id
"""


def _counts(facts: Facts) -> dict[str, Any]:
    row = facts.dicts(
        f"""
        SELECT count(*) FILTER (coalesce(b.admitted_by, '') = '' AND a.admitted_by <> '') AS admitted,
               count(*) FILTER (b.admitted_by <> '' AND coalesce(a.admitted_by, '') = '') AS left_out,
               count(*) FILTER (coalesce(a.severity_rule, '') <> coalesce(b.severity_rule, '')
                                OR a.severity <> b.severity) AS severity_changed,
               count(*) FILTER (coalesce(b.muted_by, '') = '' AND a.muted_by <> '') AS muted,
               count(*) FILTER (b.muted_by <> '' AND coalesce(a.muted_by, '') = '') AS unmuted,
               count(*) FILTER (coalesce(a.rule_due, '') <> coalesce(b.rule_due, '')) AS due_changed
        {_PAIRS}
        """
    )[0]
    issues = facts.dicts(
        """
        SELECT count(*) FILTER (b.id IS NULL) AS entering, count(*) FILTER (a.id IS NULL) AS leaving,
               count(*) FILTER (a.place <> b.place) AS moved
        FROM before_issues b FULL JOIN after_issues a ON a.id = b.id
        """
    )[0]
    return {"findings": row, "issues": issues}


def _hits(facts: Facts, rules: Sequence[Rule], moment: datetime) -> dict[str, int]:
    told = {}
    for rule in rules:
        found = condition(rule, moment)
        told[rule.id] = facts.value(
            f"SELECT count(*) FROM {FINDING_ROWS} WHERE f.status = 'open' AND {found.sql}",
            [*found.parameters],
        )
    return told


def _samples(facts: Facts) -> dict[str, Any]:
    issues = facts.rows(
        """
        SELECT coalesce(a.id, b.id), coalesce(a.title, b.title), b.place, a.place
        FROM before_issues b FULL JOIN after_issues a ON a.id = b.id
        WHERE a.place IS DISTINCT FROM b.place
        ORDER BY (a.id IS NULL OR b.id IS NULL) DESC, coalesce(a.place, b.place), 1 LIMIT ?
        """,
        [SAMPLE],
    )
    findings = facts.rows(
        f"""
        SELECT coalesce(a.id, b.id) AS id, f.title, f.resource, b.severity, a.severity,
               coalesce(b.muted_by, ''), coalesce(a.muted_by, ''),
               coalesce(b.rule_due, ''), coalesce(a.rule_due, ''),
               coalesce(b.admitted_by, ''), coalesce(a.admitted_by, '')
        {_PAIRS} JOIN findings f ON f.id = coalesce(a.id, b.id)
        WHERE a.severity IS DISTINCT FROM b.severity
           OR coalesce(b.muted_by, '') <> coalesce(a.muted_by, '')
           OR coalesce(b.rule_due, '') <> coalesce(a.rule_due, '')
           OR coalesce(b.admitted_by, '') <> coalesce(a.admitted_by, '')
        ORDER BY 1 LIMIT ?
        """,
        [SAMPLE],
    )
    return {
        "issue_sample": [
            {"id": i, "title": t, "rank_before": b, "rank_after": a} for i, t, b, a in issues
        ],
        "finding_sample": [
            {
                "id": row[0], "title": row[1], "resource": row[2],
                "before": _state(row[3], row[5], row[7], row[9]),
                "after": _state(row[4], row[6], row[8], row[10]),
            }
            for row in findings
        ],
    }  # fmt: skip


def _state(rank: int | None, muted: str, due: str, admitted: str) -> dict[str, Any]:
    return {
        "severity": severity(rank) if rank is not None else None,
        "muted_by": muted or None, "due": due or None, "admitted_by": admitted or None,
    }  # fmt: skip
