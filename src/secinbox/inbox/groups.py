"""The inbox counted by one of its fields: which service, team or type has how much of it."""

from __future__ import annotations

from typing import Any

from secinbox.facts.store import Facts
from secinbox.inbox.answers import severity
from secinbox.inbox.issues import listed
from secinbox.inbox.query import QueryError, quoted

# What one may group by, and the column that holds it.
FIELDS: dict[str, str] = {
    "service": "service", "team": "team", "type": "type", "environment": "environment",
    "account": "account", "severity": "severity", "assignee": "assignee", "rule": "rule",
    "package": "package", "admitted_by": "admitted_by", "status": "status",
}  # fmt: skip
MOST = 500


def groups(facts: Facts, field: str, query: str = "") -> dict[str, Any]:
    """{"field", "groups": [{"value", "query", "issues", "severity", "findings", "critical",
    "high"}], "total"}, worst first. `query` finds the issues of the group. Raises QueryError."""
    column = FIELDS.get(field)
    if column is None:
        raise QueryError(f"cannot group by {field}", allowed=tuple(FIELDS))
    condition = listed(facts, query)
    rows = facts.rows(
        f"""
        SELECT i.{column}, count(*), max(i.severity), sum(i.findings)::BIGINT,
               count(*) FILTER (i.severity = 5), count(*) FILTER (i.severity = 4)
        FROM issues i WHERE {condition.sql}
        GROUP BY 1 ORDER BY 5 DESC, 6 DESC, 2 DESC, 1 LIMIT {MOST}
        """,
        list(condition.parameters),
    )
    out = []
    for value, issues, worst, findings, critical, high in rows:
        name = severity(int(value)) if field == "severity" else str(value or "")
        narrowed = f"({query})" if " OR " in query else query
        own = f"{field}:{quoted(name)}" if name else f"-{field}:*"
        out.append({"value": name, "query": f"{narrowed} {own}".strip(), "issues": issues,
                    "severity": severity(int(worst)), "findings": findings,
                    "critical": critical, "high": high})  # fmt: skip
    return {"field": field, "groups": out, "total": sum(g["issues"] for g in out)}
