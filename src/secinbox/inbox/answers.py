"""What every face shows, read from the ranked tables: lists, one issue, and why.

Shapes are the JSON contract (docs/reference/json.md). Nothing here changes anything.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from secinbox.facts.store import Facts
from secinbox.inbox.assessing import FINDING_ROWS
from secinbox.inbox.fields import (
    FINDING_FIELDS,
    FINDING_FREE_TEXT,
    ISSUE_FIELDS,
    ISSUE_FREE_TEXT,
    RESOURCE_FIELDS,
    RESOURCE_FREE_TEXT,
)
from secinbox.inbox.places import LISTED, UNLISTED, Places
from secinbox.inbox.query import Compiled, QueryError, compile_query
from secinbox.inbox.rules import DEFAULT_RULES, InboxRule
from secinbox.vocabulary import MATURITIES, RISKS, SEVERITIES

RISK_COLUMNS = ("public", "privileged", "attacked", "exploit", "production")
PROFILES = {
    "severity-risks-impact": "sort_key",
    "bod-26-04": "tier_key",
    "expected-loss": "loss_key",
}
MAX_LIMIT = 100_000
_GROUPED = ("severity", "type", "service", "environment", "team")
_MOST_VALUES = 12  # of a facet
MOST_PAGE = 200  # rows of longer pages are not kept
NEW = timedelta(days=7)  # an issue is new for a week


# An issue that a query finds: its id, its key in the order, the number of its row.
Found = tuple[str, str, int]
_NO_ROW = -1


class NotFound(LookupError):
    """Nothing has this id."""


def severity(rank: int | None) -> str:
    """The word of a severity rank (5 critical ... 0 unknown)."""
    return SEVERITIES[5 - (rank or 0)]


def _value(number: int | None) -> str:
    return "unknown" if number is None else "yes" if number else "no"


def _time(value: datetime | None) -> str | None:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value is not None else None


def _clock(facts: Facts) -> datetime:
    stored = facts.meta("clock")
    return datetime.fromisoformat(stored) if stored else datetime(1970, 1, 1)  # noqa: DTZ001


def _limit(limit: int) -> int:
    if not 1 <= limit <= MAX_LIMIT:
        raise QueryError(f"limit is from 1 to {MAX_LIMIT}")
    return limit


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
    found, total = _found(facts, places, query, key, cursor, _limit(limit))
    rows = _shown(facts, places, found[:limit])
    page = [p for p in found[:limit] if p[0] in rows]
    ranks = _ranks(facts, places, page, rows, key, query)
    return {
        "issues": [{**rows[p[0]], "rank": n} for p, n in zip(page, ranks, strict=True)],
        "total": total,
        "next": found[limit - 1][1] if len(found) > limit else None,
        "profile": profile,
        "as_of": _time(_clock(facts)),
    }


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


def _shown(facts: Facts, places: Places, page: Sequence[Found]) -> dict[str, dict[str, Any]]:
    """The rows of a page by id: those shown lately as they are kept, the others read."""
    rows = places.rows(issue for issue, *_ in page)
    missing = {issue: number for issue, _, number in page if issue not in rows}
    if not missing:
        return rows
    clock = _clock(facts)
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
    members = _members(facts, list(missing))
    made = {i: issue_row(row, 0, members.get(i, []), clock) for i, row in read.items()}
    if len(made) <= MOST_PAGE:
        places.keep(made.values(), facts.changes)
    return rows | made


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
    condition = compile_query(query, ISSUE_FIELDS, ISSUE_FREE_TEXT, _clock(facts))
    # `resource` looks into the members of an issue: close the EXISTS that the field opens.
    marker = "coalesce(x.live, '')) "
    sql = condition.sql
    pieces = sql.split(marker)
    for n in range(1, len(pieces)):
        end = pieces[n].index("ESCAPE '\\'") + len("ESCAPE '\\'")
        pieces[n] = pieces[n][:end] + ")" + pieces[n][end:]
    return Compiled(marker.join(pieces), condition.parameters)


def _members(facts: Facts, ids: Sequence[str]) -> dict[str, list[str]]:
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
        "risks": {r: _value(row[c]) for r, c in zip(RISKS, RISK_COLUMNS, strict=True)},
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
        "first_seen": _time(row["first_seen"]),
        "last_seen": _time(row["last_seen"]),
    }


def findings(
    facts: Facts,
    query: str = "",
    *,
    limit: int = 100,
    cursor: str = "",
    rules: Sequence[InboxRule] = (),
) -> dict[str, Any]:
    """A page of findings, most severe first, open ones unless `status:` asks for others."""
    condition = compile_query(query, FINDING_FIELDS, FINDING_FREE_TEXT, _clock(facts))
    sql, parameters = condition.sql, list(condition.parameters)
    if "status:" not in query:
        sql = f"({sql}) AND f.status = 'open'"
    total = facts.value(f"SELECT count(*) FROM {FINDING_ROWS} WHERE {sql}", parameters)
    order = "(9 - f.severity)::VARCHAR || (9 - f.risks)::VARCHAR || f.id"
    after = f"AND {order} > ?" if cursor else ""
    rows = facts.dicts(
        f"SELECT f.*, {order} AS key FROM {FINDING_ROWS} WHERE {sql} {after} ORDER BY key LIMIT ?",
        [*parameters, *([cursor] if cursor else []), _limit(limit) + 1],
    )
    page = rows[:limit]
    return {
        "findings": finding_rows(facts, page, rules),
        "total": total,
        "next": page[-1]["key"] if len(rows) > limit else None,
    }


def detected(
    facts: Facts, query: str, limit: int, cursor: str, *, newest: bool
) -> tuple[list[dict[str, Any]], str | None]:
    """Rows of findings by the time at which they were detected (again), and the next cursor."""
    condition = compile_query(query, FINDING_FIELDS, FINDING_FREE_TEXT, _clock(facts))
    key = "strftime(coalesce(f.reopened, f.first_seen), '%Y%m%d%H%M%S') || f.id"
    after = f"AND {key} {'<' if newest else '>'} ?" if cursor else ""
    rows = facts.dicts(
        f"SELECT f.*, {key} AS key FROM {FINDING_ROWS} WHERE {condition.sql} {after} "
        f"ORDER BY key {'DESC' if newest else 'ASC'} LIMIT ?",
        [*condition.parameters, *([cursor] if cursor else []), limit + 1],
    )
    return rows[:limit], rows[limit - 1]["key"] if len(rows) > limit else None


def finding_rows(
    facts: Facts, page: list[dict[str, Any]], rules: Sequence[InboxRule]
) -> list[dict[str, Any]]:
    ids = [row["id"] for row in page]
    told = attributions(facts, ids)
    texts = _texts(facts, [row["lead"] for row in page])
    reasons = why_not(facts, [r["id"] for r in page if not r["admitted_by"]], rules)
    subjects = {row["live"] or row["resource"] for row in page}
    subjects |= {row["vulnerability"] for row in page if row["vulnerability"]}
    values = risk_values(facts, subjects)
    # A path is a thing of our own: people know what it ends at.
    targets = dict(
        facts.rows(
            "SELECT id, target FROM attack_paths WHERE id IN (SELECT unnest(?))",
            [[row["resource"] for row in page if row["type"] == "attack_path"]],
        )
    )
    return [
        {
            "id": row["id"],
            "type": row["type"],
            "title": row["title"],
            "severity": severity(row["severity"]),
            "severity_word": row["severity_word"],
            "score": row["score"],
            "vector": texts[row["lead"]]["vector"] or None,
            "resource": targets.get(row["resource"], row["resource"]),
            "rule": row["rule"],
            "vulnerability": row["vulnerability"] or None,
            "package": row["package"] or None,
            "version": row["version"] or None,
            "fixed_version": row["fix"] or None,
            "location": row["location"] or None,
            "line": row["line"] or None,
            "description": texts[row["lead"]]["description"],
            "remediation": texts[row["lead"]]["remediation"] or None,
            "url": texts[row["lead"]]["url"] or None,
            "status": row["status"],
            "first_seen": _time(row["first_seen"]),
            "last_seen": _time(row["last_seen"]),
            "reopened": _time(row["reopened"]),
            "service": row["service"] or None,
            "attributions": told.get(row["id"], []),
            "risks": finding_risks(row, values),
            "issue": row["issue"] if row["admitted_by"] else None,
            "in_inbox": bool(row["admitted_by"]),
            "admitted_by": row["admitted_by"] or None,
            "severity_rule": row["severity_rule"] or None,
            "muted_by": row["muted_by"] or None,
            "due": row["rule_due"] or None,
            "due_by": row["rule_due_by"] or None,
            "why_not": None
            if row["admitted_by"]
            else reasons.get(row["id"])
            or (f"the finding is {row['status']}" if row["status"] != "open" else "no rule"),
        }
        for row in page
    ]


def _texts(facts: Facts, leads: Sequence[str]) -> dict[str, dict[str, str]]:
    """The long texts of findings, by the id of the statement that leads them."""
    names = ("description", "remediation", "url", "vector")
    found = {lead: dict.fromkeys(names, "") for lead in leads}
    for lead, *texts in facts.rows(
        f"SELECT id, {', '.join(names)} FROM statements WHERE id IN (SELECT unnest(?))",
        [list(leads)],
    ):
        found[lead] = dict(zip(names, texts, strict=True))
    return found


def attributions(facts: Facts, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Who reports these findings, where in which report, and since when."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    if not ids:
        return found
    for finding, tool, report, place, first, last, closed, location, line in facts.rows(
        """
        SELECT s.finding, s.tool, i.name, s.place, s.first_seen, s.last_seen, s.closed,
               s.location, s.line
        FROM statements s LEFT JOIN imports i ON i.id = s.import_id
        WHERE s.finding IN (SELECT unnest(?)) ORDER BY s.finding, s.tool, i.name, s.place
        """,
        [list(ids)],
    ):
        found[finding].append(
            {
                "tool": tool,
                "report": report,
                "place": place,
                "first_seen": _time(first),
                "last_seen": _time(last),
                "closed": _time(closed),
                "location": location or None,
                "line": line or None,
            }
        )
    return found


def risk_values(facts: Facts, subjects: set[str]) -> dict[tuple[str, str], dict[str, Any]]:
    """{(subject, risk): {"value", "evidence"}} of these subjects."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for subject, risk, value, evidence in facts.rows(
        "SELECT subject, risk, value, evidence FROM risk_values "
        "WHERE subject IN (SELECT unnest(?)) ORDER BY subject, risk, value NULLS FIRST, evidence",
        [list(subjects)],
    ):
        found[subject, risk] = {"value": _value(value), "evidence": json.loads(evidence or "[]")}
    return found


def finding_risks(
    row: dict[str, Any], values: dict[tuple[str, str], dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The five risks of a finding with their evidence; where it is live, if that is elsewhere."""
    result = {}
    live = row["live"] or row["resource"]
    for risk, column in zip(RISKS, RISK_COLUMNS, strict=True):
        subject = row["vulnerability"] if risk == "exploit_available" else live
        known = values.get((subject, risk))
        evidence = list(known["evidence"]) if known else []
        if risk == "exploit_available" and not row["vulnerability"]:
            evidence = [{"kind": "control", "text": "not a known vulnerability"}]
        elif live != row["resource"] and evidence and risk != "exploit_available":
            evidence = [{**e, "on": live} for e in evidence]
        elif not evidence:
            evidence = [{"kind": "gap", "text": f"nothing imported says {risk} of {live}"}]
        result[risk] = {"value": _value(row[column]), "evidence": evidence}
    return result


def why_not(facts: Facts, ids: Sequence[str], rules: Sequence[InboxRule] = ()) -> dict[str, str]:
    """For findings outside the inbox: which condition of the nearest rule does not hold."""
    if not ids:
        return {}
    best: dict[str, tuple[int, str]] = {}
    clock = _clock(facts)
    for rule in (*rules, *DEFAULT_RULES):
        if rule.action != "include":
            compiled = compile_query(rule.query, FINDING_FIELDS, FINDING_FREE_TEXT, clock)
            for (found,) in facts.rows(
                f"SELECT f.id FROM {FINDING_ROWS} WHERE f.id IN (SELECT unnest(?)) "
                f"AND {compiled.sql}",
                [list(ids), *compiled.parameters],
            ):
                best.setdefault(found, (-1, f"rule {rule.id} leaves it out"))
            continue
        terms = _terms(rule.query)
        compiled_terms = [compile_query(t, FINDING_FIELDS, FINDING_FREE_TEXT, clock) for t in terms]
        kinds = [c for t, c in zip(terms, compiled_terms, strict=True) if t.startswith("type:")]
        others = [
            (t, c) for t, c in zip(terms, compiled_terms, strict=True) if not t.startswith("type:")
        ]
        where = " AND ".join(c.sql for c in kinds) or "TRUE"
        if not others:
            continue
        checks = ", ".join(f"coalesce({c.sql}, FALSE)" for _, c in others)
        parameters = [p for _, c in others for p in c.parameters]
        parameters += [list(ids)] + [p for c in kinds for p in c.parameters]
        for found, *held in facts.rows(
            f"SELECT f.id, {checks} FROM {FINDING_ROWS} "
            f"WHERE f.id IN (SELECT unnest(?)) AND f.status = 'open' AND {where}",
            parameters,
        ):
            failed = [t for (t, _), ok in zip(others, held, strict=True) if not ok]
            text = f"{rule.id} needs {' and '.join(failed)}"
            if failed and (found not in best or len(failed) < best[found][0]):
                best[found] = (len(failed), text)
    return {found: text for found, (_, text) in best.items()}


def _terms(query: str) -> list[str]:
    """The parts of a query that all have to hold, as written."""
    terms, depth, current, quoted = [], 0, "", False
    for char in query:
        if char == '"':
            quoted = not quoted
        if not quoted:
            depth += (char == "(") - (char == ")")
        if char == " " and depth == 0 and not quoted:
            terms.append(current)
            current = ""
        else:
            current += char
    terms.append(current)
    if any(t in ("OR", "AND", "NOT") for t in terms):
        return [query]
    return [t for t in terms if t]


def resources(
    facts: Facts, query: str = "", *, limit: int = 100, cursor: str = ""
) -> dict[str, Any]:
    """A page of resources in order of uid, with their risks and evidence."""
    condition = compile_query(query, RESOURCE_FIELDS, RESOURCE_FREE_TEXT, _clock(facts))
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
        [*parameters, *([cursor] if cursor else []), _limit(limit) + 1],
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
                "first_seen": _time(row["first_seen"]),
                "last_seen": _time(row["last_seen"]),
            }
            for row in page
        ],
        "total": total,
        "next": page[-1]["uid"] if len(rows) > limit else None,
    }


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
