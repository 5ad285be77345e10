"""What all answers have in common: their words, times, limits. The tables behind them are read only.

Shapes are the JSON contract (docs/reference/json.md): `issues`, `findings`, `resources`, `facets`.
"""

from __future__ import annotations

from datetime import datetime

from secinbox.facts.store import Facts
from secinbox.inbox.query import QueryError
from secinbox.vocabulary import SEVERITIES

RISK_COLUMNS = ("public", "privileged", "attacked", "exploit", "production")
MAX_LIMIT = 100_000


class NotFound(LookupError):
    """Nothing has this id."""


def severity(rank: int | None) -> str:
    """The word of a severity rank (5 critical ... 0 unknown)."""
    return SEVERITIES[5 - (rank or 0)]


def said(number: int | None) -> str:
    """A value of three as it is shown: yes, no, unknown."""
    return "unknown" if number is None else "yes" if number else "no"


def shown_time(value: datetime | None) -> str | None:
    """A time as it is shown: ISO 8601, UTC."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value is not None else None


def clock_of(facts: Facts) -> datetime:
    """The time as of which the tables were ranked."""
    stored = facts.meta("clock")
    return datetime.fromisoformat(stored) if stored else datetime(1970, 1, 1)  # noqa: DTZ001


def checked(limit: int) -> int:
    """The limit of a page. Raises QueryError beyond MAX_LIMIT."""
    if not 1 <= limit <= MAX_LIMIT:
        raise QueryError(f"limit is from 1 to {MAX_LIMIT}")
    return limit
