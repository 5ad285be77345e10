"""Decisions beside the rows they are about: status, assignee, due date, and what is muted.

An issue's own decision is written on its row. A mute of a finding, of a rule on a resource or of a
query bears on findings: an issue of which every finding is muted is muted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from secinbox.decisions.states import stamp
from secinbox.facts.staging import SEVERITY_RANK
from secinbox.facts.store import Facts
from secinbox.inbox.fields import FINDING_FREE_TEXT, RULE_FIELDS
from secinbox.inbox.places import LISTED, ORDERS, UNLISTED, Place, moved, standing
from secinbox.inbox.query import compile_query

ISSUE, FINDING, RULE, QUERY = "issue:", "finding:", "rule:", "query:"
_FEW = 3  # decisions that are written row by row: some 5 ms each, 15 ms for a table of them
MARKS, _MUTES = "marks", "mutes"  # what Facts.known keeps: of `dirty`, of `finding_mutes`
ON = " on "  # between the rule and the resource of a subject


@dataclass(frozen=True)
class Decided:
    """What was decided, read only when it is needed."""

    revision: str
    # The states of issues: all, or only those that changed after a revision.
    issues: Callable[[int | None], Sequence[dict[str, Any]]]
    # The states of findings, rules on resources and queries.
    others: Callable[[], Sequence[dict[str, Any]]]
    # The first end of a mute after a time, '' if there is none.
    wake: Callable[[str], str]


NOTHING = Decided("0", lambda _: (), lambda: (), lambda _: "")


def pending(facts: Facts, decided: Decided, clock: datetime) -> bool:
    """There are decisions that the tables do not show yet, or a mute whose time is over.

    Findings that are muted or not any more are marked as changed.
    """
    seen = _seen(facts)
    if seen["revision"] == decided.revision and not _woken(seen, clock):
        return False
    wanted = {m for m in (_mute(s, clock) for s in decided.others()) if m}
    con = facts.con
    known = facts.known(_MUTES, lambda: set(facts.rows("SELECT * FROM finding_mutes")))
    if known == wanted:
        return True
    with facts.transaction():
        for _, finding, rule, resource, query, *_rest in known ^ wanted:
            if query:
                con.execute("INSERT INTO dirty VALUES ('all', '')")
            else:
                con.execute(
                    "INSERT INTO dirty SELECT 'finding', id FROM findings "
                    "WHERE id = ? OR (rule = ? AND resource = ?)",
                    [finding, rule, resource],
                )
        _place(facts, wanted)
    return True


def place(facts: Facts, decided: Decided, clock: datetime) -> None:
    """What decisions on findings do at a time, for the ranking; inside the caller's transaction."""
    _place(facts, {m for m in (_mute(s, clock) for s in decided.others()) if m})


def _place(facts: Facts, wanted: set[tuple[Any, ...]]) -> None:
    facts.con.execute("DELETE FROM finding_mutes")
    for row in sorted(wanted):
        facts.con.execute("INSERT INTO finding_mutes VALUES (?,?,?,?,?,?,?,?,?,?)", list(row))


def _seen(facts: Facts) -> dict[str, str]:
    stored: dict[str, str] = json.loads(facts.meta("decided") or "{}")
    return {"revision": "0", "wake": "", "clock": "", **stored}


def _woken(seen: dict[str, str], clock: datetime) -> bool:
    """A mute ended since, or the clock went back."""
    now = stamp(clock)
    return bool(seen["wake"] and seen["wake"] <= now) or seen["clock"] > now


def _mute(state: dict[str, Any], clock: datetime) -> tuple[Any, ...] | None:
    """What a decision on findings does now, as a row of `finding_mutes`; None if nothing."""
    key: str = state["subject"]
    over = state["expires"] and state["expires"] <= stamp(clock)
    muted = state["status"] == "muted" and not over
    override = SEVERITY_RANK[state["override"]] if state["override"] else -1
    if not muted and override < 0:
        return None
    finding = rule = resource = query = ""
    if key.startswith(FINDING):
        finding = key.removeprefix(FINDING)
    elif key.startswith(RULE):
        rule, _, resource = key.removeprefix(RULE).partition(ON)
    else:
        query = key.removeprefix(QUERY)
    worse = bool(state["until_worse"])
    return (key, finding, rule, resource, query, state["severity"], state["risks"], worse, muted,
            override)  # fmt: skip


def muted_by(facts: Facts, clock: datetime) -> tuple[str, list[Any]]:
    """SQL over a judged finding `f`: the subject of the decision that mutes it, else ''."""
    cases: list[str] = []
    parameters: list[Any] = []
    for subject, query in facts.rows(
        "SELECT subject, query FROM finding_mutes WHERE query <> '' AND muted ORDER BY subject"
    ):
        compiled = compile_query(query, RULE_FIELDS, FINDING_FREE_TEXT, clock)
        cases.append(f"WHEN {compiled.sql} THEN ?")
        parameters += [*compiled.parameters, subject]
    if facts.value("SELECT count(*) FROM finding_mutes WHERE query = '' AND muted"):
        still = "m.muted AND (NOT m.worse OR (f.severity <= m.severity AND f.risks <= m.risks))"
        for condition in ("m.finding = f.id", "m.rule = f.rule AND m.resource = f.resource"):
            found = f"(SELECT min(m.subject) FROM finding_mutes m WHERE {condition} AND {still})"
            cases.append(f"WHEN {found} IS NOT NULL THEN {found}")
    return (f"CASE {' '.join(cases)} ELSE '' END" if cases else "''"), parameters


def overridden(facts: Facts) -> str:
    """SQL over a finding `f`: the severity that a person gave it, else NULL; '' if there is none."""
    if not facts.value("SELECT count(*) FROM finding_mutes WHERE override >= 0"):
        return ""
    return (
        "(SELECT max(m.override) FROM finding_mutes m WHERE m.finding = f.id AND m.override >= 0)"
    )


# What a decision makes of the row of its issue; {d} stands before what was decided.
_DUE = "CASE WHEN {d}due <> '' THEN {d}due ELSE rule_due END"
# The place of the due date in the order (see the key in ranking): ten characters after the paths.
_DUE_KEY = "left(sort_key, 23) || coalesce(nullif({due}, ''), '9999-99-99') || substr(sort_key, 34)"
_MADE = {
    # Whether the decision still holds.
    "status": """
        CASE WHEN issues.muted_by <> '' THEN 'muted'
         WHEN {d}status = 'muted' AND {d}expires <> '' AND {d}expires <= $now THEN 'open'
         WHEN {d}status = 'muted' AND {d}until_worse
              AND (issues.severity > {d}severity OR issues.risks > {d}risks) THEN 'open'
         WHEN {d}status = 'resolved' AND issues.last_seen > {d}since::TIMESTAMP THEN 'open'
         ELSE {d}status END""",
    "assignee": "{d}assignee", "assignee_kind": "{d}assignee_kind", "labels": "{d}labels",
    "version": "{d}version", "decided_severity": "{d}severity", "decided_risks": "{d}risks",
    "reason": "{d}reason", "expires": "{d}expires",
    "regressed": "reopened "
        "OR ({d}status = 'resolved' AND issues.last_seen > {d}since::TIMESTAMP)",
    "due": _DUE, "due_by": "CASE WHEN {d}due <> '' THEN 'decision' ELSE rule_due_by END",
    "sort_key": _DUE_KEY.format(due=_DUE),
}  # fmt: skip
_SET = ", ".join(f"{column} = {sql}" for column, sql in _MADE.items())
_DECIDED = {
    "id": "VARCHAR", "status": "VARCHAR", "since": "VARCHAR", "reason": "VARCHAR",
    "expires": "VARCHAR", "until_worse": "BOOLEAN", "severity": "TINYINT", "risks": "TINYINT",
    "assignee": "VARCHAR", "assignee_kind": "VARCHAR", "due": "VARCHAR", "labels": "VARCHAR",
    "version": "INTEGER"}  # fmt: skip


def catch_up(facts: Facts, decided: Decided, clock: datetime) -> None:
    """Brings what was decided since onto the issues: one transaction."""
    seen = _seen(facts)
    with facts.transaction(untouched=(MARKS, _MUTES)):
        if _woken(seen, clock):  # any issue may have moved
            write(facts, decided, clock)
            return
        rows = [_row(s) for s in decided.issues(int(seen["revision"]))]
        change = _one_by_one if len(rows) <= _FEW else _together
        before, after = change(facts, rows, stamp(clock))
        _settle(facts, decided, clock)
        facts.then(lambda number: moved(facts, before, after, number))


def write(facts: Facts, decided: Decided, clock: datetime) -> None:
    """Brings all decisions onto rows that know of none or of older ones; inside a transaction."""
    facts.con.execute(
        "UPDATE issues SET status = CASE WHEN muted_by <> '' THEN 'muted' ELSE 'open' END, "
        "assignee = '', assignee_kind = '', labels = '[]', version = 0, reason = '', "
        "expires = '', decided_severity = -1, decided_risks = -1, regressed = reopened, "
        f"due = rule_due, due_by = rule_due_by, sort_key = {_DUE_KEY.format(due='rule_due')} "
        "WHERE version > 0"
    )
    if rows := [_row(s) for s in decided.issues(None)]:
        _put_down(facts, rows)
        _apply(facts, stamp(clock))
    _settle(facts, decided, clock)


def _settle(facts: Facts, decided: Decided, clock: datetime) -> None:
    now = stamp(clock)
    seen = {"revision": decided.revision, "wake": decided.wake(now), "clock": now}
    facts.set_meta("decided", json.dumps(seen))


def _row(state: dict[str, Any]) -> dict[str, Any]:
    """A decision as its columns in _DECIDED."""
    return {
        **{name: state[name] for name in _DECIDED if name != "id"},
        "id": state["subject"].removeprefix(ISSUE),
        "since": state["since"].rstrip("Z"),
        "until_worse": bool(state["until_worse"]),
    }


def _one_by_one(
    facts: Facts, rows: list[dict[str, Any]], now: str
) -> tuple[list[Place], list[Place]]:
    """Writes a few decisions, each on the row of its issue; the places before and after."""
    before: list[Place] = []
    after: list[Place] = []
    made = {name: sql.format(d="$") for name, sql in _MADE.items()}
    keys = [made.get(order, order) for order in ORDERS]
    for row in rows:
        values = {**row, "now": now}
        # None: decisions outlive their issue.
        for number, listed, still, *told in _with(
            facts,
            f"SELECT rowid, {LISTED}, ({made['status']}) NOT IN {UNLISTED}, "
            f"{', '.join((*ORDERS, *keys))} FROM issues WHERE id = $id",
            values,
        ).fetchall():
            _with(
                facts,
                f"UPDATE issues SET {_SET.format(d='$')} WHERE rowid = $number",
                {**values, "number": number},
            )
            before.append((row["id"], listed, tuple(told[: len(ORDERS)])))
            after.append((row["id"], still, tuple(told[len(ORDERS) :])))
    return before, after


def _with(facts: Facts, sql: str, values: dict[str, Any]) -> Any:
    """Runs a statement with those of the values that it names."""
    named = set(re.findall(r"\$(\w+)", sql))
    return facts.con.execute(sql, {name: values[name] for name in named})


def _together(
    facts: Facts, rows: list[dict[str, Any]], now: str
) -> tuple[list[Place], list[Place]]:
    """Writes many decisions at once; the places of their issues before and after."""
    _put_down(facts, rows)
    before = standing(facts)
    _apply(facts, now)
    return before, standing(facts)


def _put_down(facts: Facts, rows: list[dict[str, Any]]) -> None:
    """Decisions as the temporary table `decided`."""
    import pyarrow as pa

    con = facts.con
    columns = ", ".join(f"{name} {kind}" for name, kind in _DECIDED.items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE decided ({columns})")
    con.register("decided_rows", pa.table({n: [row[n] for row in rows] for n in _DECIDED}))
    con.execute("INSERT INTO decided SELECT * FROM decided_rows")
    con.unregister("decided_rows")


def _apply(facts: Facts, now: str) -> None:
    facts.con.execute(
        f"UPDATE issues SET {_SET.format(d='d.')} FROM decided d WHERE d.id = issues.id",
        {"now": now},
    )
