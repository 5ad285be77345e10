"""Where each listed issue stands, and the rows shown last: what a server need not ask twice.

Kept while the process has the store open and brought up to date after a decision, which touches
few issues; made again after any other write. Whoever may see some types only has his own.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from secinbox.facts.scope import TYPES
from secinbox.facts.store import Facts
from secinbox.inbox.shelf import Shelf

ORDERS = ("sort_key", "tier_key", "loss_key")
UNLISTED = ("muted", "resolved")
LISTED = f"status NOT IN {UNLISTED}"
# Rows of issues that are kept as they are shown, some 5 kB each.
MOST_ROWS = 4_000
_KEY = "places"
_OFTEN = 2

Row = dict[str, Any]
# An issue before or after a decision: id, is it listed, its keys in ORDERS.
Place = tuple[str, bool, tuple[str, ...]]


class Places:
    """The keys of the listed issues in each order that was asked for, and rows by id."""

    def __init__(self, number: int) -> None:
        self.number = number  # of the store's changes; see Facts.changes
        self._lock = threading.Lock()
        self._reading = threading.Lock()  # held by the one who reads the keys for all
        self._keys: dict[str, list[str]] = {}
        self._rows: OrderedDict[str, Row] = OrderedDict()
        self._moved: dict[str, int] = {}  # when an issue was decided on
        self._shelf: Shelf | None = None
        self._wanted = 0  # how often rows were asked for that were not at hand

    @classmethod
    def of(cls, facts: Facts) -> Places:
        """Those of the tables as a reader sees them, or as they have become since."""
        if facts.undecided:
            return cls(facts.changes)
        name = (_KEY, TYPES.get())
        kept: Places | None = facts.resident.get(name)
        if kept is None or kept.number < facts.changes:
            kept = facts.resident[name] = cls(facts.changes)
        return kept

    def has(self, order: str) -> bool:
        """The keys of this order are at hand."""
        return order in self._keys

    def page(self, order: str, after: str, limit: int) -> tuple[list[str], int]:
        """The first keys after this one, of an order that is at hand, and how many there are in all."""
        with self._lock:
            keys = self._keys[order]
            start = bisect_right(keys, after) if after else 0
            return keys[start : start + limit], len(keys)

    def rank(self, facts: Facts, order: str, key: str) -> int:
        """The place of a key among the listed issues, from 1."""
        with self._reading:
            while order not in self._keys:
                number = self.number
                keys = [k for (k,) in facts.rows(f"SELECT {order} FROM issues WHERE {LISTED}")]
                keys.sort()
                with self._lock:
                    if self.number == number:  # else they may be those before a decision
                        self._keys[order] = keys
        with self._lock:
            return bisect_left(self._keys[order], key) + 1

    def rows(self, ids: Iterable[str]) -> dict[str, Row]:
        """Those of these rows that are kept; nobody changes them."""
        with self._lock:
            return {i: self._rows[i] for i in ids if i in self._rows}

    def shelf(self, facts: Facts) -> Shelf | None:
        """The shelf, if it is filled. A process that asks again gets it filled meanwhile."""
        if self._shelf is None:
            self._wanted += 1
            if self._wanted == _OFTEN and not facts.undecided and not TYPES.get():
                facts.aside(self.fill)
        return self._shelf

    def shelved(self, facts: Facts, ids: Iterable[str]) -> list[Row]:
        """Rows of the table with their resources, of those issues that are on the shelf."""
        shelf = self.shelf(facts)
        if shelf is None:
            return []
        with self._lock:
            still = [i for i in ids if self._moved.get(i, 0) <= shelf.number]
        return shelf.rows(still)

    def fill(self, facts: Facts) -> None:
        """Fills the shelf, if there are not too many issues."""
        if Shelf.holds(facts):
            self._shelf = Shelf(facts)

    def keep(self, rows: Iterable[Row], number: int) -> None:
        """Keeps rows as they are shown, read after this number of changes."""
        with self._lock:
            for row in rows:
                if self._moved.get(row["id"], 0) > number:
                    continue  # decided on meanwhile
                self._rows[row["id"]] = row
                self._rows.move_to_end(row["id"])
            while len(self._rows) > MOST_ROWS:
                self._rows.popitem(last=False)

    def move(self, before: Iterable[Place], after: Iterable[Place], number: int) -> None:
        """Takes in a decision that was committed; `number` counts it."""
        with self._lock:
            self.number = number
            for issue, listed, keys in before:
                self._rows.pop(issue, None)
                self._moved[issue] = number
                for order, key in zip(ORDERS, keys, strict=True):
                    if listed and (at := self._at(order, key)) >= 0:
                        del self._keys[order][at]
            for _, listed, keys in after:
                for order, key in zip(ORDERS, keys, strict=True):
                    # Keys that were read after the commit have it already.
                    if listed and order in self._keys and self._at(order, key) < 0:
                        self._keys[order].insert(bisect_left(self._keys[order], key), key)

    def _at(self, order: str, key: str) -> int:
        """Where the key is, -1 if it is not there."""
        keys = self._keys.get(order, [])
        at = bisect_left(keys, key)
        return at if at < len(keys) and keys[at] == key else -1


def moved(facts: Facts, before: list[Place], after: list[Place], number: int) -> None:
    """Brings what is kept up to date with a decision that was just committed; `number` counts it.

    What is older than the change before it, or is of those who may see some types only, is made
    again when it is asked for.
    """
    kept: Places | None = facts.resident.get((_KEY, frozenset()))
    if kept is not None and kept.number == facts.changes:
        kept.move(before, after, number)


def standing(facts: Facts) -> list[Place]:
    """The places of the issues in the temporary table `decided`."""
    return [
        (issue, listed, tuple(keys))
        for issue, listed, *keys in facts.rows(
            f"SELECT i.id, i.{LISTED}, {', '.join('i.' + o for o in ORDERS)} FROM issues i "
            "SEMI JOIN decided d ON d.id = i.id"
        )
    ]
