"""How many issues of a query have each value: what a list can be narrowed to."""

from __future__ import annotations

from typing import Any

from secinbox.facts.store import Facts
from secinbox.inbox.answers import RISK_COLUMNS, severity
from secinbox.inbox.fields import ISSUE_FIELDS
from secinbox.inbox.issues import listed
from secinbox.vocabulary import RISKS, SEVERITIES

_GROUPED = ("severity", "type", "service", "environment", "team")
_MOST_VALUES = 12  # of a facet


def facets(facts: Facts, query: str = "") -> dict[str, Any]:
    """{facet: [{"value", "count"}]} of the issues that a query finds, the twelve largest of each."""
    condition = listed(facts, query)
    flags = {n: ISSUE_FIELDS[n].sql for n in ("overdue", "due_soon", "in_flight")}
    columns = [f"i.{c}" for c in (*_GROUPED, *RISK_COLUMNS)]
    columns += [f"{sql} AS {name}" for name, sql in flags.items()]
    held = [f"coalesce(sum({c}), 0)" for c in RISK_COLUMNS] + [
        f"coalesce(sum({n}::INTEGER), 0)" for n in flags
    ]
    groups = [
        f"(SELECT '{c}' AS facet, {c}::VARCHAR AS value, count(*) AS n FROM found "
        f"WHERE {c}::VARCHAR <> '' GROUP BY ALL ORDER BY n DESC, value LIMIT {_MOST_VALUES})"
        for c in _GROUPED
    ]
    rows = facts.rows(
        f"WITH found AS MATERIALIZED (SELECT {', '.join(columns)} FROM issues i "
        f"WHERE {condition.sql}) {' UNION ALL '.join(groups)} "
        # What several of may hold for one issue is counted in one go.
        f"UNION ALL SELECT 'held', concat_ws(',', {', '.join(held)}), 0 FROM found",
        list(condition.parameters),
    )
    result: dict[str, list[dict[str, Any]]] = {
        n: [] for n in ("severity", "triage", "risk", "type", "environment", "service", "team")
    }
    counts = ""
    for facet, value, count in sorted(rows, key=lambda r: (-r[2], r[1])):
        if facet == "held":
            counts = value
        else:
            result[facet].append({"value": value, "count": count})
    for entry in result["severity"]:
        entry["value"] = severity(int(entry["value"]))
    result["severity"].sort(key=lambda e: SEVERITIES.index(e["value"]))
    for name, count in zip((*RISKS, *flags), counts.split(","), strict=True):
        if int(count):
            facet = "risk" if name in RISKS else "triage"
            result[facet].append({"value": name, "count": int(count)})
    result["triage"].sort(key=lambda e: (-e["count"], e["value"]))
    return result
