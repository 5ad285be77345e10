"""The list of issues: a page of the inbox in an order, with the place of each row in the whole."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from secinbox.facts.store import Facts
from secinbox.inbox.answers import RISK_COLUMNS, checked, clock_of, said, severity, shown_time
from secinbox.inbox.fields import ISSUE_FIELDS, ISSUE_FREE_TEXT
from secinbox.inbox.places import LISTED, UNLISTED, Places
from secinbox.inbox.query import Compiled, QueryError, compile_query
from secinbox.vocabulary import MATURITIES, RISKS

PROFILES = {
    "severity-risks-impact": "sort_key",
    "bod-26-04": "tier_key",
    "expected-loss": "loss_key",
}
MOST_PAGE = 200  # rows of longer pages are not kept
NEW = timedelta(days=7)  # an issue is new for a week


# An issue that a query finds: its id, its key in the order, the number of its row.
Found = tuple[str, str, int]
_NO_ROW = -1


def issues(
    facts: Facts,
    query: str = "",
    *,
    limit: int = 50,
    cursor: str = "",
    profile: str = "severity-risks-impact",
) -> dict[str, Any]:
    """A page of the inbox: {"issues": [...], "total": n, "next": cursor or null}."""
    if profile not in PROFILES:
        raise QueryError(f"there is no profile {profile!r}; one of: {', '.join(PROFILES)}")
    key = PROFILES[profile]
    places = Places.of(facts)
    found, total = _found(facts, places, query, key, cursor, checked(limit))
    rows = _shown(facts, places, found[:limit])
    page = [p for p in found[:limit] if p[0] in rows]
    ranks = _ranks(facts, places, page, rows, key, query)
    return {
        "issues": [{**rows[p[0]], "rank": n} for p, n in zip(page, ranks, strict=True)],
        "total": total,
        "next": found[limit - 1][1] if len(found) > limit else None,
        "profile": profile,
        "as_of": shown_time(clock_of(facts)),
    }


def warm(facts: Facts, profile: str) -> None:
    """Takes into memory what lists and searches are answered from."""
    places = Places.of(facts)
    places.rank(facts, PROFILES[profile], "")
    places.fill(facts)


def _found(
    facts: Facts, places: Places, query: str, key: str, cursor: str, limit: int
) -> tuple[list[Found], int]:
    """What a query finds after the cursor, one more than the limit, and how much it finds in all."""
    condition = listed(facts, query)
    if not query.strip() and places.has(key):
        keys, total = places.page(key, cursor, limit + 1)
        # Every order ends with the id: it makes it total.
        return [(k.rpartition("~")[2], k, _NO_ROW) for k in keys], total
    after = f"AND i.{key} > ?" if cursor else ""
    found = facts.rows(
        f"SELECT i.id, i.{key}, i.rowid FROM issues i WHERE {condition.sql} {after} "
        f"ORDER BY i.{key} LIMIT ?",
        [*condition.parameters, *([cursor] if cursor else []), limit + 1],
    )
    total = len(found)
    if cursor or total > limit:
        total = facts.value(
            f"SELECT count(*) FROM issues i WHERE {condition.sql}", [*condition.parameters]
        )
    return found, total


def remembered(facts: Facts, issue: str) -> dict[str, Any] | None:
    """The row of an id as it is shown, of a process that has rows in memory."""
    places = Places.of(facts)
    if places.shelf(facts) is None:
        return None
    return _shown(facts, places, [(issue, "", _NO_ROW)]).get(issue)


def _shown(facts: Facts, places: Places, page: Sequence[Found]) -> dict[str, dict[str, Any]]:
    """The rows of a page by id: those shown lately as they are kept, the others read."""
    rows = places.rows(issue for issue, *_ in page)
    missing = {issue: number for issue, _, number in page if issue not in rows}
    if not missing:
        return rows
    clock = clock_of(facts)
    made = {
        row["id"]: issue_row(row, 0, row["resources"], clock)
        for row in places.shelved(facts, missing)
    }
    missing = {issue: number for issue, number in missing.items() if issue not in made}
    if missing:
        made |= _read(facts, missing, clock)
    if len(made) <= MOST_PAGE:
        places.keep(made.values(), facts.changes)
    return rows | made


def _read(facts: Facts, missing: dict[str, int], clock: datetime) -> dict[str, dict[str, Any]]:
    """Rows by id from the tables."""
    # A row number holds until the table is written: what was moved meanwhile is read by id.
    numbers = [n for n in missing.values() if n != _NO_ROW]
    by_number = "SELECT * FROM issues WHERE rowid IN (SELECT unnest(?))"
    read = {
        row["id"]: row
        for row in (facts.dicts(by_number, [numbers]) if numbers else ())
        if row["id"] in missing
    }
    if moved := missing.keys() - read.keys():
        by_id = (
            "SELECT * FROM issues WHERE rowid IN "
            "(SELECT rowid FROM issues WHERE id IN (SELECT unnest(?)))"
        )
        read |= {row["id"]: row for row in facts.dicts(by_id, [list(moved)])}
    members = members_of(facts, list(missing))
    return {i: issue_row(row, 0, members.get(i, []), clock) for i, row in read.items()}


def _ranks(
    facts: Facts,
    places: Places,
    page: Sequence[Found],
    rows: dict[str, dict[str, Any]],
    key: str,
    query: str,
) -> Sequence[int]:
    """The place of each row in the whole inbox, not on the page; 0: it is not listed."""
    if not page:
        return []
    if query.strip():
        return [
            0 if rows[i]["status"] in UNLISTED else places.rank(facts, key, k) for i, k, _ in page
        ]
    if places.has(key):
        first = places.rank(facts, key, page[0][1])
    else:
        first = 1 + facts.value(
            f"SELECT count(*) FROM issues i WHERE i.{LISTED} AND i.{key} < ?", [page[0][1]]
        )
    return range(first, first + len(page))


def listed(facts: Facts, query: str) -> Compiled:
    """The issues `i` that a query lists: muted and resolved ones only if it asks for a status."""
    condition = _issue_condition(facts, query)
    if "status:" in query:
        return condition
    return Compiled(f"({condition.sql}) AND i.{LISTED}", condition.parameters)


def _issue_condition(facts: Facts, query: str) -> Compiled:
    condition = compile_query(query, ISSUE_FIELDS, ISSUE_FREE_TEXT, clock_of(facts))
    # `resource` looks into the members of an issue: close the EXISTS that the field opens.
    marker = "coalesce(x.live, '')) "
    sql = condition.sql
    pieces = sql.split(marker)
    for n in range(1, len(pieces)):
        end = pieces[n].index("ESCAPE '\\'") + len("ESCAPE '\\'")
        pieces[n] = pieces[n][:end] + ")" + pieces[n][end:]
    return Compiled(marker.join(pieces), condition.parameters)


def members_of(facts: Facts, ids: Sequence[str]) -> dict[str, list[str]]:
    if not ids:
        return {}
    members = facts.rows(
        "SELECT DISTINCT issue, resource FROM assessed "
        "WHERE admitted_by <> '' AND issue IN (SELECT unnest(?))",
        [list(ids)],
    )
    # Two short questions: one that joins both reads all footprints.
    lives: dict[str, list[str]] = defaultdict(list)
    for resource, live in facts.rows(
        "SELECT resource, live FROM footprints WHERE resource IN (SELECT unnest(?))",
        [list({resource for _, resource in members})],
    ):
        lives[resource].append(live)
    found: dict[str, set[str]] = defaultdict(set)
    for issue, resource in members:
        found[issue].update(lives.get(resource, (resource,)))
    return {issue: sorted(uids) for issue, uids in found.items()}


def flags(row: dict[str, Any], clock: datetime) -> list[str]:
    """What is worth a look beside the status: derived from facts, decisions and the clock."""
    live = row["status"] in ("open", "in_progress")
    escalated = row["decided_severity"] >= 0 and (
        row["severity"] > row["decided_severity"] or row["risks"] > row["decided_risks"]
    )
    held = {
        "new": row["first_seen"] is not None and row["first_seen"] >= clock - NEW,
        "overdue": live and bool(row["due"]) and row["due"] < clock.date().isoformat(),
        "escalated": live and escalated,
        "regressed": live and bool(row["regressed"]),
    }
    return [name for name, holds in held.items() if holds]


def issue_row(
    row: dict[str, Any], rank: int, resources: list[str], clock: datetime
) -> dict[str, Any]:
    """One row of the inbox as the contract has it."""
    return {
        "id": row["id"],
        "rank": rank,
        "title": row["title"],
        "type": row["type"],
        "severity": severity(row["severity"]),
        "risks": {r: said(row[c]) for r, c in zip(RISKS, RISK_COLUMNS, strict=True)},
        "risk_count": row["risks"],
        "impacted_resources": row["impacted_resources"],
        "impacted_services": row["impacted_services"],
        "findings": row["findings"],
        "resources": resources,
        "service": row["service"] or None,
        "account": row["account"] or None,
        "environment": row["environment"] or None,
        "team": row["team"] or None,
        "package": row["package"] or None,
        "fixed_version": row["fix"] or None,
        "vulnerability": row["vulnerability"] or None,
        "rule": row["rule"],
        "tools": sorted({t for t in row["tools"].split(",") if t}),
        "maturity": MATURITIES[3 - row["maturity"]],
        "epss": row["epss"],
        "kev": bool(row["kev"]),
        "tier": row["tier"],
        "status": row["status"],
        "assignee": row["assignee"] or None,
        "assignee_kind": row["assignee_kind"] or None,
        "due": row["due"] or None,
        "due_by": row["due_by"] or None,
        "labels": json.loads(row["labels"]),
        "flags": flags(row, clock),
        "mute": {
            "reason": row["reason"] or None,
            "expires": row["expires"] or None,
            "by": row["muted_by"] or "decision",
        }
        if row["status"] == "muted"
        else None,
        "muted_by": (row["muted_by"] or "decision") if row["status"] == "muted" else None,
        "severity_rule": row["severity_rule"] or None,
        "version": row["version"],
        "admitted_by": row["admitted_by"],
        "paths_cut": row["paths_cut"],
        "first_seen": shown_time(row["first_seen"]),
        "last_seen": shown_time(row["last_seen"]),
    }
