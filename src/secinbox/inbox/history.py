"""The inbox as of a past day: the same ranking over what is known of that day, and nothing stored.

Findings are those that were open then by their dates, signals and feeds those of before, decisions
and tickets those of the timeline up to then. What keeps no history is that of today: the configuration
of resources, severities, the rules, and attack paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from secinbox.decisions.rule import Rule
from secinbox.facts.store import Facts
from secinbox.inbox import deciding, facets, issues
from secinbox.inbox.ranking import rank_past
from secinbox.risks import Assessment
from secinbox.settings import Settings

TODAY = ["configuration of resources", "severities", "rules", "attack paths"]


class _Undo(Exception):
    """Ends the transaction without storing."""


def as_on(facts: Facts, moment: datetime) -> None:
    """Leaves the findings that were open at a moment; inside a transaction that is taken back."""
    con = facts.con
    con.execute("DELETE FROM findings WHERE first_seen > ?", [moment])
    # What was closed since was open then: as long as some report still said so.
    con.execute(
        "UPDATE findings SET status = 'open' WHERE status = 'fixed' AND (last_seen >= ? OR id IN "
        "(SELECT finding FROM statements WHERE closed > ? AND first_seen <= ?))",
        [moment, moment, moment],
    )


def inbox(
    facts: Facts,
    moment: datetime,
    states: Sequence[dict[str, Any]],
    query: str = "",
    *,
    settings: Settings,
    rules: Sequence[Rule],
    limit: int,
    cursor: str,
    profile: str,
) -> dict[str, Any]:
    """A page of issues as issues.issues has it, with `facets` and `not_reconstructed`.

    states: what was decided up to the moment. Takes as long as one whole ranking.
    """
    told: dict[str, Any] = {}
    try:
        with facts.transaction():
            as_on(facts, moment)
            decided = deciding.Decided(
                "past",
                lambda _: [s for s in states if s["subject"].startswith(deciding.ISSUE)],
                lambda: [s for s in states if not s["subject"].startswith(deciding.ISSUE)],
                lambda _: "",
            )
            deciding.place(facts, decided, moment)
            rank_past(Assessment(facts, moment, settings), rules)
            facts.set_meta("decided", "{}")
            deciding.write(facts, decided, moment)
            facts.set_meta("clock", moment.isoformat())
            told = issues.issues(facts, query, limit=limit, cursor=cursor, profile=profile)
            told |= {"facets": facets.facets(facts, query), "not_reconstructed": TODAY}
            raise _Undo
    except _Undo:
        return told
