"""One import: the staged columns of a report become facts, in one transaction.

Liveness does not depend on the order of imports: a statement is live until a complete, newer
scan of the same scope by the same tool does not repeat it.
"""

from __future__ import annotations

import json
from typing import Any

from secinbox.facts.bearing import store_exploits, store_signals, store_vex
from secinbox.facts.identity import refresh_names, refresh_vulnerability_names
from secinbox.facts.incoming import Changes, Scopes, Source, drop_view, view
from secinbox.facts.listing import listed, store_aliases, store_resources
from secinbox.facts.resolved import refresh_findings
from secinbox.facts.staging import Staged
from secinbox.facts.statements import close, finding_id, store_statements
from secinbox.facts.store import Facts


def merge(facts: Facts, staged: Staged, source: Source) -> Changes:
    """Stores everything that the report says, or nothing of it. Returns what changed."""
    with facts.transaction():
        return _merge(facts, staged, source)


def _merge(facts: Facts, staged: Staged, source: Source) -> Changes:
    con = facts.con
    number = int(facts.value("SELECT coalesce(max(id), 0) + 1 FROM imports"))
    counts = staged.counts
    complete = counts["hiding"] == 0
    con.execute(
        "INSERT INTO imports VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        [
            number, source.hash, source.name, source.origin, source.format, source.observed, source.imported,
            source.size, counts["findings"], counts["passed"], counts["signals"],
            counts["resources"], counts["exploits"], complete, json.dumps(source.options),
            json.dumps(staged.skipped), source.dated,
        ],
    )  # fmt: skip
    scopes = _scopes(staged)
    when = source.observed
    store_resources(facts, staged, source, number, scopes)
    changed_names = store_aliases(facts, staged, source, number, scopes) | listed(
        facts, staged, source
    )
    moved = refresh_names(facts, changed_names)
    if staged.rows("vulnerability_aliases"):
        moved_ids = _vulnerability_aliases(facts, staged)
    else:
        moved_ids = set()
    con.execute("CREATE OR REPLACE TEMP TABLE touched (id VARCHAR)")
    if moved or moved_ids:
        _resolve_again(facts, set(moved), moved_ids)
    if moved:
        _mark_moved(facts, moved)
    changes = Changes()
    if staged.rows("findings"):
        changes = store_statements(facts, staged, source, number, scopes)
    if scopes and complete:
        changes.fixed = close(facts, scopes, when, number)
    if staged.rows("vex"):
        store_vex(facts, staged, number)
    if facts.value("SELECT count(*) FROM touched"):
        refresh_findings(facts)
        con.execute("INSERT INTO dirty SELECT DISTINCT 'finding', id FROM touched")
    if staged.rows("signals"):
        store_signals(facts, staged, number)
    if staged.rows("exploits") or source.released:
        store_exploits(facts, staged, source, number)
    if staged.rows("components"):
        view(facts, staged, "components")
        con.execute(
            "INSERT INTO components SELECT resource, purl, name, version, ?, ? FROM stage",
            [source.format, number],
        )
        drop_view(facts)
    return changes


def _scopes(staged: Staged) -> Scopes:
    columns = staged.columns["scopes"]
    found = zip(columns["tool"], columns["key"], columns["types"], strict=True)
    return sorted({(tool, key, tuple(types)) for tool, key, types in found})


def _vulnerability_aliases(facts: Facts, staged: Staged) -> set[str]:
    view(facts, staged, "vulnerability_aliases")
    facts.con.execute(
        """
        CREATE OR REPLACE TEMP TABLE incoming_ids AS
        SELECT DISTINCT s.a, s.b FROM stage s
        ANTI JOIN vulnerability_aliases v ON v.a = s.a AND v.b = s.b
        WHERE s.a <> '' AND s.b <> '' AND s.a <> s.b
        """
    )
    drop_view(facts)
    facts.con.execute("INSERT INTO vulnerability_aliases SELECT * FROM incoming_ids")
    ids = {i for row in facts.rows("SELECT a, b FROM incoming_ids") for i in row}
    return refresh_vulnerability_names(facts, ids)


def _resolve_again(facts: Facts, refs: set[str], ids: set[str]) -> None:
    """Statements whose resource or vulnerability has another name now get a new finding."""
    from secinbox.facts.identity import _fill

    con = facts.con
    for table, names in (("moved_refs", refs), ("moved_ids", ids)):
        con.execute(f"CREATE OR REPLACE TEMP TABLE {table} (name VARCHAR)")
        _fill(facts, table, names)
    new_id = finding_id("s", "coalesce(n.uid, s.ref)", "coalesce(v.canonical, s.vulnerability)")
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE again AS
        SELECT s.id, s.finding AS before, coalesce(n.uid, s.ref) AS resource,
               coalesce(v.canonical, s.vulnerability) AS canonical, {new_id} AS finding
        FROM statements s
        LEFT JOIN names n ON n.ref = s.ref
        LEFT JOIN vulnerability_names v ON v.id = s.vulnerability
        WHERE s.ref IN (FROM moved_refs) OR s.vulnerability IN (FROM moved_ids)
        """
    )
    con.execute(
        """
        UPDATE statements SET resource = a.resource, canonical = a.canonical, finding = a.finding
        FROM again a WHERE a.id = statements.id
        """
    )
    # Decisions hang on fingerprints: they follow the finding to its better name.
    con.execute(
        "INSERT INTO renamed SELECT DISTINCT before, finding, now()::TIMESTAMP FROM again "
        "WHERE before <> finding"
    )
    con.execute("INSERT INTO touched SELECT before FROM again UNION SELECT finding FROM again")


def _mark_moved(facts: Facts, moved: dict[str, tuple[str, str]]) -> None:
    from secinbox.facts.identity import _fill

    con = facts.con
    con.execute("CREATE OR REPLACE TEMP TABLE asked (name VARCHAR)")
    _fill(facts, "asked", set(moved) | {u for pair in moved.values() for u in pair})
    con.execute("INSERT INTO dirty SELECT 'uid', name FROM asked")
    joined = facts.value(
        "SELECT count(*) FROM relations WHERE source IN (FROM asked) OR target IN (FROM asked)"
    )
    con.execute(
        "INSERT INTO dirty VALUES ('all', '')"
        if joined
        else "INSERT INTO dirty SELECT 'resource', name FROM asked"
    )


def result(changes: Changes) -> dict[str, Any]:
    """The `changes` object of the JSON contract."""
    return {
        "new": changes.new,
        "fixed": changes.fixed,
        "reopened": changes.reopened,
        "unchanged": changes.unchanged,
    }
