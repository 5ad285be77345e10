"""Lists of resources with their names, tags and detected risks."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from secinbox.facts.store import Facts
from secinbox.inbox.answers import checked, clock_of, shown_time
from secinbox.inbox.fields import RESOURCE_FIELDS, RESOURCE_FREE_TEXT
from secinbox.inbox.findings import risk_values
from secinbox.inbox.query import compile_query
from secinbox.vocabulary import RISKS


def resources(
    facts: Facts, query: str = "", *, limit: int = 100, cursor: str = ""
) -> dict[str, Any]:
    """A page of resources in order of uid, with their risks and evidence."""
    condition = compile_query(query, RESOURCE_FIELDS, RESOURCE_FREE_TEXT, clock_of(facts))
    source = """
        resources r LEFT JOIN (SELECT DISTINCT ON (resource) * FROM standings
                               ORDER BY resource, yes DESC, live) st ON st.resource = r.uid
    """
    parameters = list(condition.parameters)
    total = facts.value(f"SELECT count(*) FROM {source} WHERE {condition.sql}", parameters)
    after = "AND r.uid > ?" if cursor else ""
    rows = facts.dicts(
        f"""
        SELECT r.*, st.service AS live_service, st.team FROM {source}
        WHERE {condition.sql} {after} ORDER BY r.uid LIMIT ?
        """,
        [*parameters, *([cursor] if cursor else []), checked(limit) + 1],
    )
    page = rows[:limit]
    uids = [row["uid"] for row in page]
    values = risk_values(facts, set(uids))
    names: dict[str, list[str]] = defaultdict(list)
    for ref, uid in facts.rows(
        "SELECT ref, uid FROM names WHERE uid IN (SELECT unnest(?)) ORDER BY 2, 1", [uids]
    ):
        names[uid].append(ref)
    for name, uid in facts.rows(
        "SELECT DISTINCT name, uid FROM aliases WHERE uid IN (SELECT unnest(?)) ORDER BY 2, 1",
        [uids],
    ):
        if name not in names[uid]:
            names[uid].append(name)
    counts = dict(
        facts.rows(
            "SELECT resource, count(*) FROM findings WHERE status = 'open' "
            "AND resource IN (SELECT unnest(?)) GROUP BY resource",
            [uids],
        )
    )
    return {
        "resources": [
            {
                "uid": row["uid"],
                "type": row["type"],
                "name": row["name"],
                "provider": row["provider"],
                "account": row["account"],
                "region": row["region"],
                "aliases": names.get(row["uid"], []),
                "tags": json.loads(row["tags"]) if row["tags"] else {},
                "environment": row["environment"] or None,
                "service": row["service"] or row["live_service"] or None,
                "team": row["team"] or None,
                "findings": counts.get(row["uid"], 0),
                "risks": {
                    risk: values.get((row["uid"], risk), {"value": "unknown", "evidence": []})
                    for risk in RISKS
                    if risk != "exploit_available"
                },
                "first_seen": shown_time(row["first_seen"]),
                "last_seen": shown_time(row["last_seen"]),
            }
            for row in page
        ],
        "total": total,
        "next": page[-1]["uid"] if len(rows) > limit else None,
    }
