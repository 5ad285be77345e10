"""Findings that secinbox computes itself (identity risks, exposure, attack paths).

They are statements of the tool `secinbox` beside those of the scanners: merged with theirs by
canonical rule, with a history, opened and closed by what an analysis finds. An analysis is complete
by nature: what it does not say again is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from secinbox import records as r
from secinbox.facts.incoming import Source
from secinbox.facts.resolved import refresh_findings
from secinbox.facts.staging import stage
from secinbox.facts.statements import store_statements
from secinbox.facts.store import Facts

if TYPE_CHECKING:
    import pyarrow as pa

TOOL = "secinbox"
# The import that computed statements hang on: no report, nothing archived, never replayed.
COMPUTED = 0


def state(facts: Facts, analysis: str, findings: Iterable[r.Finding], when: datetime) -> None:
    """Replaces what `analysis` said before; inside the caller's transaction.

    The ids of all findings that this may have changed are in the temporary table `touched`.
    Give `Finding.first_seen` a time that does not depend on when the analysis ran.
    """
    con = facts.con
    con.execute("CREATE OR REPLACE TEMP TABLE touched (id VARCHAR)")
    scope = f"{TOOL}:{analysis}"
    # Computed again, also for an earlier time than before: the newest answer counts.
    con.execute(
        "UPDATE statements SET last_seen = least(last_seen, ?) WHERE scope = ? AND last_seen > ?",
        [when, scope, when],
    )
    staged = stage(findings, TOOL)
    if staged.rows("findings"):
        con.execute(
            "INSERT INTO imports SELECT ?, '', 'computed by secinbox', '', ?, ?, ?, 0, 0, 0, 0, 0, 0, "
            "TRUE, '{}', '[]', FALSE WHERE NOT EXISTS (SELECT 1 FROM imports WHERE id = ?)",
            [COMPUTED, TOOL, when, when, COMPUTED],
        )
        source = Source("", "computed by secinbox", "", TOOL, when, when, 0)
        store_statements(facts, staged, source, COMPUTED, [(TOOL, scope, ())])
    else:
        con.execute("CREATE OR REPLACE TEMP TABLE incoming (id VARCHAR)")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE closing AS SELECT id, finding FROM statements "
        "WHERE scope = ? AND closed IS NULL AND id NOT IN (SELECT id FROM incoming)",
        [scope],
    )
    con.execute("UPDATE statements SET closed = ? WHERE id IN (SELECT id FROM closing)", [when])
    con.execute("INSERT INTO touched SELECT finding FROM closing")
    if facts.value("SELECT count(*) FROM touched"):
        refresh_findings(facts)


def observed(facts: Facts) -> datetime | None:
    """When the inventory was last looked at: what is computed from it is as old as that."""
    found: datetime | None = facts.value(
        "SELECT max(observed) FROM seen_resources WHERE trust >= 2"
    )
    return found


def computed_statements(facts: Facts) -> pa.Table:
    """The computed statements with their history, for `restore` after a rebuild."""
    return facts.con.sql(f"SELECT * FROM statements WHERE import_id = {COMPUTED}").to_arrow_table()


def restore(facts: Facts, statements: pa.Table) -> None:
    """Keeps the history of computed findings when facts were built again from the archive."""
    if statements.num_rows:
        facts.con.register("carried", statements)
        facts.con.execute("INSERT INTO statements SELECT * FROM carried")
        facts.con.unregister("carried")
