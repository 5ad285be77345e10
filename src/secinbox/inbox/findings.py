"""Lists of findings, in the inbox or not: who reports them, their risks with evidence, why not."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from secinbox.facts.store import Facts
from secinbox.inbox.answers import RISK_COLUMNS, checked, clock_of, said, severity, shown_time
from secinbox.inbox.assessing import FINDING_ROWS
from secinbox.inbox.fields import FINDING_FIELDS, FINDING_FREE_TEXT
from secinbox.inbox.query import compile_query
from secinbox.inbox.rules import DEFAULT_RULES, InboxRule
from secinbox.vocabulary import RISKS


def findings(
    facts: Facts,
    query: str = "",
    *,
    limit: int = 100,
    cursor: str = "",
    rules: Sequence[InboxRule] = (),
) -> dict[str, Any]:
    """A page of findings, most severe first, open ones unless `status:` asks for others."""
    condition = compile_query(query, FINDING_FIELDS, FINDING_FREE_TEXT, clock_of(facts))
    sql, parameters = condition.sql, list(condition.parameters)
    if "status:" not in query:
        sql = f"({sql}) AND f.status = 'open'"
    total = facts.value(f"SELECT count(*) FROM {FINDING_ROWS} WHERE {sql}", parameters)
    order = "(9 - f.severity)::VARCHAR || (9 - f.risks)::VARCHAR || f.id"
    after = f"AND {order} > ?" if cursor else ""
    rows = facts.dicts(
        f"SELECT f.*, {order} AS key FROM {FINDING_ROWS} WHERE {sql} {after} ORDER BY key LIMIT ?",
        [*parameters, *([cursor] if cursor else []), checked(limit) + 1],
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
    condition = compile_query(query, FINDING_FIELDS, FINDING_FREE_TEXT, clock_of(facts))
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
            "first_seen": shown_time(row["first_seen"]),
            "last_seen": shown_time(row["last_seen"]),
            "reopened": shown_time(row["reopened"]),
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
                "first_seen": shown_time(first),
                "last_seen": shown_time(last),
                "closed": shown_time(closed),
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
        found[subject, risk] = {"value": said(value), "evidence": json.loads(evidence or "[]")}
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
        result[risk] = {"value": said(row[column]), "evidence": evidence}
    return result


def why_not(facts: Facts, ids: Sequence[str], rules: Sequence[InboxRule] = ()) -> dict[str, str]:
    """For findings outside the inbox: which condition of the nearest rule does not hold."""
    if not ids:
        return {}
    best: dict[str, tuple[int, str]] = {}
    clock = clock_of(facts)
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
