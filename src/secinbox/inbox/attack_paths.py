"""Answers about attack paths and the fix plan, read from what ranking wrote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from secinbox.facts.store import Facts
from secinbox.inbox.answers import NotFound

_ORDER = """
    ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3
    END, cost, id
"""


def paths(
    facts: Facts,
    *,
    entry: str = "",
    target: str = "",
    through: str = "",
    certain: bool = False,
    limit: int = 50,
    cursor: str = "",
) -> dict[str, Any]:
    """{"paths", "total", "next"}: most serious first.

    entry, target: part of the name; through: a resource (any of its names) on the path.
    """
    where, values = ["TRUE"], list[Any]()
    if entry:
        where.append("contains(lower(entry), lower(?))")
        values.append(entry)
    if target:
        where.append("contains(lower(target), lower(?))")
        values.append(target)
    if through:
        uid = facts.value("SELECT uid FROM names WHERE ref = ?", [through]) or through
        where.append("id IN (SELECT path FROM path_resources WHERE uid = ?)")
        values.append(uid)
    if certain:
        where.append("certain")
    if cursor and not cursor.isdigit():
        raise NotFound(f"no page is called {cursor}")
    start = int(cursor or 0)
    condition = " AND ".join(where)
    total = facts.value(f"SELECT count(*) FROM attack_paths WHERE {condition}", values)
    rows = facts.rows(
        f"SELECT data, id FROM attack_paths WHERE {condition} {_ORDER} LIMIT ? OFFSET ?",
        [*values, limit, start],
    )
    issues = _issues(facts, [row[1] for row in rows])
    more = start + len(rows) < total
    return {
        "paths": [{**json.loads(data), **issues.get(i, _NO_ISSUE)} for data, i in rows],
        "total": total,
        "next": str(start + len(rows)) if more else None,
    }


_NO_ISSUE: dict[str, Any] = {"issue": None, "finding": None}


def _issues(facts: Facts, ids: list[str]) -> dict[str, dict[str, Any]]:
    """path id -> the finding and issue that tell it."""
    return {
        path: {"issue": issue, "finding": finding}
        for path, finding, issue in facts.rows(
            "SELECT f.resource, f.id, a.issue FROM findings f LEFT JOIN assessed a ON a.id = f.id "
            "WHERE f.type = 'attack_path' AND f.resource IN (SELECT unnest(?))",
            [ids],
        )
    }


def path(facts: Facts, name: str) -> dict[str, Any]:
    """One path by its id, its finding, its issue, or the beginning of one. Raises NotFound."""
    wanted = name.strip().lower()
    found = facts.rows(
        """
        SELECT DISTINCT p.id, p.data FROM attack_paths p
        LEFT JOIN findings f ON f.resource = p.id AND f.type = 'attack_path'
        LEFT JOIN assessed a ON a.id = f.id
        WHERE starts_with(p.id, ?) OR starts_with(p.id, 'path:' || ?)
           OR starts_with(coalesce(f.id, ''), ?) OR starts_with(coalesce(a.issue, ''), ?)
        LIMIT 2
        """,
        [wanted] * 4,
    )
    if not wanted or len(found) != 1:
        raise NotFound(
            f"no attack path is called {name}" if not found else f"{name} begins several ids"
        )
    identifier, data = found[0]
    shown: dict[str, Any] = json.loads(data)
    return {**shown, **_issues(facts, [identifier]).get(identifier, _NO_ISSUE)}


def plan(facts: Facts, limit: int = 50) -> dict[str, Any]:
    """{"actions", "bound", "paths", "targets", "choke_points"}: the least work that cuts most."""
    row = facts.rows("SELECT data FROM fix_plan")
    if not row:
        return {"actions": [], "bound": None, "paths": 0, "certain_paths": 0, "targets": 0,
                "choke_points": [], "total": 0}  # fmt: skip
    found: dict[str, Any] = json.loads(row[0][0])
    wanted = [f for a in found["actions"] for f in a["findings"]]
    issues = dict(
        facts.rows("SELECT id, issue FROM assessed WHERE id IN (SELECT unnest(?))", [wanted])
    )
    own = _by_resource(facts, [a["resource"] for a in found["actions"]])
    for action in found["actions"]:
        named = [issues[f] for f in action["findings"] if f in issues]
        action["issue"] = named[0] if named else own.get((action["resource"], _kind(action["key"])))
    total = len(found["actions"])
    return {**found, "actions": found["actions"][:limit], "total": total}


# Kind of an action -> what the rule of a finding that asks for the same contains.
_SAME = {
    "expose": "public",
    "share": "public",
    "trust": "trust",
    "permission": "",
    "imdsv2": "imds",
}


def _kind(key: str) -> str:
    return key.partition(":")[0]


def _by_resource(facts: Facts, uids: list[str]) -> dict[tuple[str, str], str]:
    """(resource, kind of action) -> the issue that asks for it, where a finding does."""
    out: dict[tuple[str, str], str] = {}
    for uid, rule, issue in facts.rows(
        "SELECT f.resource, f.rule, a.issue FROM findings f JOIN assessed a ON a.id = f.id "
        "WHERE f.type IN ('misconfiguration', 'identity_risk') "
        "AND f.resource IN (SELECT unnest(?)) ORDER BY f.severity, f.id DESC",
        [uids],
    ):
        for kind, word in _SAME.items():
            if word and word in rule.lower():
                out[uid, kind] = issue
    return out


def through(facts: Facts, uids: Sequence[str]) -> list[dict[str, Any]]:
    """The paths that pass any of these resources, most serious first; at most 20."""
    return [
        {"id": i, "title": t, "severity": s}
        for i, t, s in facts.rows(
            "SELECT p.id, p.title, p.severity FROM attack_paths p SEMI JOIN path_resources r "
            f"ON r.path = p.id AND list_contains(?, r.uid) {_ORDER} LIMIT 20",
            [list(uids)],
        )
    ]


def about(facts: Facts, uid: str) -> dict[str, Any]:
    """What `why` tells of a resource: paths through it, and moves that a control stops."""
    return {
        "attack_paths": through(facts, [uid]),
        "no_path_because": [
            {"move": m, "sentence": s, "reason": r}
            for m, s, r in facts.rows(
                "SELECT move, sentence, reason FROM stopped_moves WHERE source = ? OR target = ? "
                "ORDER BY ALL LIMIT 20",
                [uid, uid],
            )
        ],
    }


def mark(facts: Facts) -> None:
    """Writes on each issue how many paths the fix of its findings breaks, and into its order."""
    facts.con.execute(
        """
        CREATE OR REPLACE TEMP TABLE cutting AS
        SELECT a.issue, count(DISTINCT c.path)::INTEGER AS cut
        FROM path_causes c JOIN assessed a ON a.id = c.finding GROUP BY a.issue
        """
    )
    facts.con.execute(
        """
        UPDATE issues SET paths_cut = c.cut,
            sort_key = replace(sort_key, '~99999~', '~' || lpad((99999 - least(c.cut, 99999))::VARCHAR, 5, '0') || '~')
        FROM cutting c WHERE c.issue = issues.id AND issues.paths_cut = 0
        """
    )
