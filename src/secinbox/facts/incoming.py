"""What an import brings: where it comes from, what it changes, its staged rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from secinbox.facts.staging import Staged
from secinbox.facts.store import Facts

# What a report covers completely: tool, key (an account, a target), types of findings.
Scopes = list[tuple[str, str, tuple[str, ...]]]


@dataclass
class Source:
    """What the caller knows about the report."""

    hash: str
    name: str
    origin: str  # the last four parts of its path: part of what it says (account, region)
    format: str
    observed: datetime
    imported: datetime
    size: int
    inventory: bool = False
    options: dict[str, str] = field(default_factory=dict)
    dated: bool = False  # the report says itself when it was made
    released: str = ""  # feeds: the date of the feed itself


@dataclass
class Changes:
    """What an import changed, in statements of its tool."""

    new: int = 0
    fixed: int = 0
    reopened: int = 0
    unchanged: int = 0


def view(facts: Facts, staged: Staged, name: str) -> None:
    """Makes the staged rows of a table readable as `stage`."""
    facts.con.register("stage", staged.table(name))


def drop_view(facts: Facts) -> None:
    """Forgets `stage`."""
    facts.con.unregister("stage")
