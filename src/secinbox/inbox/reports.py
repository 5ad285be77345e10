"""Figures over time: what is open, new and fixed each week, how old it is, how long fixes take.

Counted over findings in or out of the inbox, so that a rule changed today does not rewrite the
past. "Fixed" means that no tool that covers the resource reports it any more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from secinbox.facts.store import Facts
from secinbox.inbox.answers import severity

_CLOSED = """
    closed AS (
        SELECT f.id, f.severity, f.first_seen, max(s.closed) AS closed
        FROM findings f JOIN statements s ON s.finding = f.id
        WHERE f.status = 'fixed' GROUP BY ALL HAVING max(s.closed) IS NOT NULL)
"""


def report(facts: Facts, clock: datetime, weeks: int = 12) -> dict[str, Any]:
    """{"as_of", "weeks", "severity", "services", "teams"}; see docs/reference/json.md."""
    return {
        "as_of": clock.replace(microsecond=0).isoformat() + "Z",
        "weeks": _weeks(facts, clock, weeks),
        "severity": _by_severity(facts, clock),
        "services": _owners(facts, "service"),
        "teams": _owners(facts, "team"),
    }


def _weeks(facts: Facts, clock: datetime, weeks: int) -> list[dict[str, Any]]:
    """Weeks end at the clock, the last one is whole; open is the number at the end of the week."""
    begin = clock - timedelta(weeks=weeks)
    rows = facts.rows(
        f"""
        WITH {_CLOSED},
        events AS (
            SELECT first_seen AS time, 1 AS opened, 0 AS fixed FROM findings
            WHERE status IN ('open', 'fixed')
            UNION ALL SELECT closed, 0, 1 FROM closed)
        SELECT greatest(-1, floor(epoch(time - ?::TIMESTAMP) / 604800))::INTEGER AS week,
               sum(opened)::BIGINT, sum(fixed)::BIGINT
        FROM events WHERE time <= ? GROUP BY 1
        """,
        [begin, clock],
    )
    by_week = {week: (new, fixed) for week, new, fixed in rows}
    opened, fixed = by_week.get(-1, (0, 0))
    standing = opened - fixed
    out = []
    for week in range(weeks):
        new, fixed = by_week.get(week, (0, 0))
        if week == weeks - 1:  # what came at the very moment of the clock
            late = by_week.get(weeks, (0, 0))
            new, fixed = new + late[0], fixed + late[1]
        standing += new - fixed
        start = begin + timedelta(weeks=week)
        out.append({"begins": start.date().isoformat(), "new": new, "fixed": fixed,
                    "open": standing})  # fmt: skip
    return out


def _by_severity(facts: Facts, clock: datetime) -> list[dict[str, Any]]:
    """Issues now, with their age; days from first seen to fixed over the last 90 days."""
    rows = facts.rows(
        f"""
        WITH {_CLOSED},
        aged AS (
            SELECT severity, count(*) AS issues,
                   median(epoch(?::TIMESTAMP - first_seen) / 86400) AS age,
                   count(*) FILTER (due <> '' AND due < ? AND status IN ('open', 'in_progress'))
                     AS overdue
            FROM issues WHERE status IN ('open', 'in_progress') GROUP BY 1),
        mended AS (
            SELECT severity, count(*) AS fixed, median(epoch(closed - first_seen) / 86400) AS days
            FROM closed WHERE closed > ? AND closed <= ? GROUP BY 1)
        SELECT coalesce(a.severity, m.severity), coalesce(issues, 0), age, coalesce(overdue, 0),
               coalesce(fixed, 0), days
        FROM aged a FULL JOIN mended m ON m.severity = a.severity ORDER BY 1 DESC
        """,
        [clock, clock.date().isoformat(), clock - timedelta(days=90), clock],
    )
    return [
        {"severity": severity(level), "issues": issues, "median_age_days": _days(age),
         "overdue": overdue, "fixed_90_days": fixed, "median_days_to_fix": _days(days)}
        for level, issues, age, overdue, fixed, days in rows
    ]  # fmt: skip


def _days(value: float | None) -> float | None:
    return None if value is None else round(max(value, 0.0), 1)


def _owners(facts: Facts, column: str) -> list[dict[str, Any]]:
    rows = facts.rows(
        f"""
        SELECT {column}, count(*) FILTER (severity = 5), count(*) FILTER (severity = 4), count(*)
        FROM issues WHERE {column} <> '' AND status IN ('open', 'in_progress')
        GROUP BY 1 ORDER BY 2 DESC, 3 DESC, 4 DESC, 1 LIMIT 10
        """
    )
    return [{"name": n, "critical": c, "high": h, "issues": total} for n, c, h, total in rows]
