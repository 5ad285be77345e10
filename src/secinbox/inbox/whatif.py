"""What if these were fixed: the same ranking on the same facts without them, and nothing stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from secinbox.decisions.rule import Rule
from secinbox.facts.store import Facts
from secinbox.inbox import attack_paths, issues
from secinbox.inbox.explaining import find_issue
from secinbox.inbox.ranking import rank_whole
from secinbox.risks import Assessment
from secinbox.settings import Settings


class _Undo(Exception):
    """Ends the transaction without storing."""


def what_if(
    facts: Facts,
    names: Sequence[str],
    *,
    clock: datetime,
    settings: Settings,
    rules: Sequence[Rule] = (),
    limit: int = 20,
) -> dict[str, Any]:
    """{"done", "issues", "paths", "gone", "instead"} as if these issues or actions of the plan were done.

    names: ids of issues (also `fix:ID`, ranks) or keys of actions. Raises NotFound.
    """
    plan = attack_paths.plan(facts, limit=100_000)
    keys = {a["key"]: a for a in plan["actions"]}
    done: list[dict[str, str]] = []
    actions: set[str] = set()
    findings: set[str] = set()
    for name in names:
        if name in keys:
            actions.add(name)
            findings |= set(keys[name]["findings"])
            done.append({"name": name, "title": keys[name]["title"]})
            continue
        row = find_issue(facts, name.removeprefix("fix:"))
        done.append({"name": row["id"], "title": row["title"]})
        findings |= {
            r[0] for r in facts.rows("SELECT id FROM assessed WHERE issue = ?", [row["id"]])
        }
        actions |= {k for k, a in keys.items() if a["issue"] == row["id"]}
    before = attack_paths.paths(facts, limit=100_000)["paths"]
    result: dict[str, Any] = {}
    try:
        with facts.transaction():
            facts.con.execute(
                "UPDATE findings SET status = 'fixed' WHERE id IN (SELECT unnest(?))",
                [sorted(findings)],
            )
            rank_whole(Assessment(facts, clock, settings, without=frozenset(actions)), rules)
            after = attack_paths.paths(facts, limit=100_000)
            left = {p["id"] for p in after["paths"]}
            known = {p["id"] for p in before}
            result = {
                "done": done,
                "issues": issues.issues(facts, "", limit=limit)["issues"],
                "paths": {"before": len(before), "after": after["total"]},
                "gone": [
                    {"id": p["id"], "title": p["title"], "severity": p["severity"]}
                    for p in before
                    if p["id"] not in left
                ],
                # Told until now with a worse one that the same way in gives.
                "instead": [
                    {"id": p["id"], "title": p["title"], "severity": p["severity"]}
                    for p in after["paths"]
                    if p["id"] not in known
                ],
            }
            raise _Undo
    except _Undo:
        return result
