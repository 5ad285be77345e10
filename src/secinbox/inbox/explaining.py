"""One issue in full, and why anything is where it is: the sum behind each rank."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from secinbox.facts.store import Facts
from secinbox.inbox import answers, attack_paths, findings, issues, resources
from secinbox.inbox.owners import owner
from secinbox.inbox.rules import DEFAULT_RULES, InboxRule
from secinbox.vocabulary import MATURITIES, RISK_LABELS, RISKS

MAX_FINDINGS = 500


def find_issue(facts: Facts, name: str, columns: str = "*") -> dict[str, Any]:
    """The issue of an id, the beginning of an id, or a rank. Raises NotFound."""
    text = name.strip().lower()
    if text.isdigit() and len(text) < 8:
        rows = facts.dicts(
            f"SELECT {columns} FROM issues WHERE status NOT IN ('muted', 'resolved') "
            "ORDER BY sort_key LIMIT 1 OFFSET ?",
            [max(int(text), 1) - 1],
        )
    else:
        rows = facts.dicts(f"SELECT {columns} FROM issues WHERE id = ?", [text])
        rows = rows or facts.dicts(
            f"SELECT {columns} FROM issues WHERE starts_with(id, ?) ORDER BY sort_key LIMIT 2",
            [text],
        )
        if len(rows) == 2 and len(text) < 32:
            raise answers.NotFound(f"{name} is the beginning of more than one issue id")
    if not rows or not text:
        raise answers.NotFound(f"no issue has the id or rank {name}")
    return rows[0]


def show(facts: Facts, name: str, rules: Sequence[InboxRule] = ()) -> dict[str, Any]:
    """Everything about an issue: its place, risks, resources, findings, fix, attributions."""
    row = find_issue(facts, name)
    rank = 1 + facts.value(
        "SELECT count(*) FROM issues WHERE status NOT IN ('muted', 'resolved') AND sort_key < ?",
        [row["sort_key"]],
    )
    members = facts.rows(
        "SELECT a.id FROM assessed a WHERE a.issue = ? AND a.admitted_by <> '' "
        "ORDER BY a.severity DESC, a.risks DESC, a.id LIMIT ?",
        [row["id"], MAX_FINDINGS],
    )
    ids = [m[0] for m in members]
    listed = (
        findings.findings(facts, " OR ".join(f"id:{i}" for i in ids[:60]), limit=60, rules=rules)[
            "findings"
        ]
        if ids
        else []
    )
    lead = next((f for f in listed if f["id"] == row["lead"]), listed[0] if listed else None)
    uids = issues.members_of(facts, [row["id"]]).get(row["id"], [])
    issue = issues.issue_row(row, rank, uids, answers.clock_of(facts))
    return {
        **issue,
        "why": place(facts, row, rank),
        "risk_details": lead["risks"] if lead else {},
        "risks_on": _risks_on(facts, row["id"]),
        "fix": _fix(row, listed),
        "owner": owner(facts, uids, row),
        "closes": {
            "findings": row["findings"],
            "vulnerabilities": facts.value(
                "SELECT count(DISTINCT f.vulnerability) FROM assessed a JOIN findings f "
                "ON f.id = a.id WHERE a.issue = ? AND f.vulnerability <> ''",
                [row["id"]],
            ),
        },
        "description": lead["description"] if lead else "",
        "details": listed,
        "more_findings": max(0, row["findings"] - len(listed)),
        **_paths(facts, row, uids),
        "routes": [
            {"resource": r, "live": v, "route": t}
            for r, v, t in facts.rows(
                "SELECT resource, live, route FROM footprints WHERE resource IN "
                "(SELECT resource FROM assessed WHERE issue = ?) ORDER BY 1, 2 LIMIT 100",
                [row["id"]],
            )
        ],
    }


def _risks_on(facts: Facts, issue: str) -> dict[str, dict[str, int]]:
    """On how many of the issue's resources each risk is yes ("public on 3 of 17")."""
    row = facts.rows(
        """
        SELECT count(*), count(*) FILTER (o.public = 1), count(*) FILTER (o.privileged = 1),
               count(*) FILTER (o.attacked = 1), count(*) FILTER (o.production = 1)
        FROM (SELECT DISTINCT coalesce(f.live, a.resource) AS uid FROM assessed a
              LEFT JOIN footprints f ON f.resource = a.resource
              WHERE a.issue = ? AND a.admitted_by <> '') m
        LEFT JOIN (SELECT subject, max(value) FILTER (risk = 'public_accessibility') AS public,
                          max(value) FILTER (risk = 'privileged_access') AS privileged,
                          max(value) FILTER (risk = 'under_attack') AS attacked,
                          max(value) FILTER (risk = 'in_production') AS production
                   FROM risk_values GROUP BY subject) o ON o.subject = m.uid
        """,
        [issue],
    )[0]
    names = ("public_accessibility", "privileged_access", "under_attack", "in_production")
    return {n: {"yes": row[i], "of": row[0]} for i, n in enumerate(names, 1)}


def _fix(row: dict[str, Any], listed: list[dict[str, Any]]) -> dict[str, Any]:
    texts: list[str] = []
    for finding in listed:
        if finding["remediation"] and finding["remediation"] not in texts:
            texts.append(finding["remediation"])
    urls = sorted({f["url"] for f in listed if f["url"]})
    action = row["title"]
    if row["package"] and row["fix"]:
        action = f"Upgrade {row['package']} to {row['fix']} or later"
    return {
        "action": action,
        "package": row["package"] or None,
        "version": row["fix"] or None,
        "installed": sorted({f["version"] for f in listed if f["version"]}),
        "steps": texts[:5],
        "references": urls[:10],
    }


_KEYS = (
    "severity", "number of detected risks", "impacted resources and services",
    "exploit maturity", "EPSS", "attack paths cut", "due date", "age", "id",
)  # fmt: skip


def _parts(row: dict[str, Any]) -> tuple[Any, ...]:
    key = row["sort_key"]
    head, cut, due, seen, identity = key.split("~")
    return (
        head[0], head[1], head[2:9], head[9], head[10:16], cut, due, seen, identity,
    )  # fmt: skip


def place(facts: Facts, row: dict[str, Any], rank: int) -> dict[str, Any]:
    """Why the row is where it is: its keys, and the key that decides against each neighbour."""
    above = facts.dicts(
        "SELECT * FROM issues WHERE status NOT IN ('muted', 'resolved') AND sort_key < ? "
        "ORDER BY sort_key DESC LIMIT 1",
        [row["sort_key"]],
    )
    below = facts.dicts(
        "SELECT * FROM issues WHERE status NOT IN ('muted', 'resolved') AND sort_key > ? "
        "ORDER BY sort_key LIMIT 1",
        [row["sort_key"]],
    )
    yes = [RISK_LABELS[r] for r, c in zip(RISKS, answers.RISK_COLUMNS, strict=True) if row[c] == 1]
    sums = (
        f"{answers.severity(row['severity'])} severity; {row['risks']} of 5 detected risks"
        f"{' (' + ', '.join(yes) + ')' if yes else ''}; "
        f"{_count(row['impacted_resources'], 'resource')} and "
        f"{_count(row['impacted_services'], 'service')}; exploit maturity {MATURITIES[3 - row['maturity']]}"
        f"; EPSS {row['epss'] if row['epss'] is not None else 'unknown'}"
    )
    return {
        "rank": rank,
        "sum": sums,
        "admitted_by": row["admitted_by"],
        "rule": rule_text(row["admitted_by"]),
        "below": _against(row, above[0], "below") if above else None,
        "above": _against(row, below[0], "above") if below else None,
        "up": _moves(facts, row, rank, up=True),
        "down": _moves(facts, row, rank, up=False),
    }


def rule_text(identifier: str) -> str | None:
    """The query of a default rule."""
    return next((r.query for r in DEFAULT_RULES if r.id == identifier), None)


def _against(row: dict[str, Any], other: dict[str, Any], side: str) -> dict[str, Any]:
    mine, theirs = _parts(row), _parts(other)
    index = next(n for n, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b)
    return {
        "id": other["id"],
        "title": other["title"],
        "key": _KEYS[index],
        "text": f"{side} #{other['id'][:8]} by {_KEYS[index]}: "
        f"{_shown(row, index)} against {_shown(other, index)}",
    }


def _shown(row: dict[str, Any], index: int) -> str:
    return (
        answers.severity(row["severity"]),
        str(row["risks"]),
        str(row["impacted_resources"] + row["impacted_services"]),
        MATURITIES[3 - row["maturity"]],
        str(row["epss"] or 0),
        str(row["paths_cut"]),
        row["due"] or "none",
        str(row["first_seen"]),
        row["id"][:8],
    )[index]


def _moves(facts: Facts, row: dict[str, Any], rank: int, *, up: bool) -> list[str]:
    """What one changed risk would do to the rank: the counterfactual, one line a risk."""
    lines = []
    key = row["sort_key"]
    for risk, column in zip(RISKS, answers.RISK_COLUMNS, strict=True):
        if risk == "exploit_available" and not row["vulnerability"]:
            continue
        if up == (row[column] == 1):
            continue
        risks = row["risks"] + (1 if up else -1)
        other = f"{key[0]}{5 - risks}{key[2:]}"
        there = 1 + facts.value(
            "SELECT count(*) FROM issues WHERE status NOT IN ('muted', 'resolved') "
            "AND sort_key < ? AND id <> ?",
            [other, row["id"]],
        )
        if there == rank:
            continue
        word = "with" if up else "without"
        state = " (unknown now)" if row[column] is None else ""
        lines.append(f"{word} {RISK_LABELS[risk]}{state} it would be #{there}")
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _paths(facts: Facts, row: dict[str, Any], uids: Sequence[str]) -> dict[str, Any]:
    """The attack path that the issue tells, or those that pass its resources."""
    if row["type"] == "attack_path":
        return {"attack_path": attack_paths.path(facts, row["id"]), "attack_paths": []}
    return {"attack_path": None, "attack_paths": attack_paths.through(facts, uids)}


def why(facts: Facts, name: str, rules: Sequence[InboxRule] = ()) -> dict[str, Any]:
    """Why an issue, finding, vulnerability or resource is in the inbox and where, or why not."""
    try:
        row = find_issue(facts, name)
    except answers.NotFound:
        pass
    else:
        shown = show(facts, row["id"], rules)
        return {"kind": "issue", **shown}
    found = facts.rows(
        "SELECT id FROM findings WHERE starts_with(id, ?) LIMIT 2", [name.strip().lower()]
    )
    if len(found) == 1 and name.strip():
        finding = findings.findings(
            facts, f"id:{found[0][0]} status:(open OR fixed OR not_affected)", rules=rules
        )["findings"][0]
        return {"kind": "finding", **finding}
    known = facts.value(
        "SELECT coalesce(max(canonical), ?) FROM vulnerability_names WHERE id = ?",
        [name.strip().upper(), name.strip().upper()],
    )
    if facts.value("SELECT count(*) FROM findings WHERE vulnerability = ?", [known]):
        listed = findings.findings(
            facts,
            f"vulnerability:{json.dumps(known)} status:(open OR fixed OR not_affected)",
            limit=100,
            rules=rules,
        )
        exploit = findings.risk_values(facts, {known}).get((known, "exploit_available"))
        return {
            "kind": "vulnerability",
            "vulnerability": known,
            "exploit_available": exploit or {"value": "unknown", "evidence": []},
            **listed,
        }
    uid = facts.value("SELECT uid FROM names WHERE ref = ?", [name]) or name
    resource = resources.resources(facts, f"uid:{json.dumps(uid)}", limit=1)["resources"]
    if not resource:
        ambiguous = facts.value("SELECT uids FROM ambiguous WHERE ref = ?", [name])
        if ambiguous:
            raise answers.NotFound(
                f"{name} is a name of several resources: {', '.join(ambiguous[:5])}"
            )
        raise answers.NotFound(
            f"nothing is called {name}: not an issue, a finding, a resource or a name of one"
        )
    listed = findings.findings(facts, f"resource:{json.dumps(uid)}", limit=50, rules=rules)
    return {
        "kind": "resource",
        **resource[0],
        **attack_paths.about(facts, uid),
        "in_inbox": [f["issue"] for f in listed["findings"] if f["in_inbox"]],
        "not_in_inbox": [
            {"id": f["id"], "title": f["title"], "why_not": f["why_not"]}
            for f in listed["findings"]
            if not f["in_inbox"]
        ],
    }
