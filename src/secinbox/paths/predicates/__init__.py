"""Predicates of the move catalogue: what a row may ask of the world, by name.

A pair predicate finds the pairs (source, target) between which a move may lead; a check says yes,
no or unknown of one pair. Every public function with the decorator is a predicate by its own name;
the files of this folder are walked.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from secinbox.paths.graph import Action, State
from secinbox.paths.world import World
from secinbox.records import Evidence


@dataclass(frozen=True, slots=True)
class Pair:
    """Two resources between which a move leads, and what is known of this one case.

    Fields that are empty leave the row's own value. `no`: why it does not lead there after all.
    """

    source: str
    target: str
    detail: str = ""
    evidence: tuple[Evidence, ...] = ()
    doubt: str = ""
    no: str = ""
    move: str = ""
    phrase: str = ""
    cost: float | None = None
    exploit: str = ""
    also: tuple[State, ...] = ()
    actions: tuple[Action, ...] = ()
    resources: tuple[str, ...] = ()
    source_kind: str = ""
    target_kind: str = ""
    silent: bool = False  # half of a step through a hub: the other half tells what happens


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a check says of a pair."""

    value: bool | None
    why: str = ""
    cost: float = 0.0
    action: Action | None = None


PairPredicate = Callable[[World], Iterator[Pair]]
CheckPredicate = Callable[[World, Pair], Judgement]
PAIRS: dict[str, PairPredicate] = {}
# Pair predicates that look at the inventory and at what is public only: their steps are kept while
# both stay the same.
LASTING: set[str] = set()
# Those that look at the identities which an attacker gets to: they are asked last.
LATE: set[str] = set()
CHECKS: dict[str, CheckPredicate] = {}


def pairs(function: PairPredicate) -> PairPredicate:
    """Registers a predicate that finds pairs."""
    PAIRS[function.__name__] = function
    return function


def lasting(function: PairPredicate) -> PairPredicate:
    """Marks a pair predicate as one that looks at no finding, signal or search."""
    LASTING.add(function.__name__)
    return function


def late(function: PairPredicate) -> PairPredicate:
    """Marks a pair predicate as one that looks only at identities which an attacker gets to."""
    LATE.add(function.__name__)
    return function


def check(function: CheckPredicate) -> CheckPredicate:
    """Registers a predicate that judges a pair."""
    CHECKS[function.__name__] = function
    return function


for _info in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_info.name}")
