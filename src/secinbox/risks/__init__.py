"""Detected risks: one file each. A file has NAME, TITLE and `assess(assessment)`.

A risk writes rows (subject, risk, value, evidence) into `risk_values`: the subject is a resource
uid, or a vulnerability id for what belongs to a vulnerability; the value is 1 (yes), 0 (no) or
NULL (unknown); evidence is a JSON list of `records.Evidence`. A resource without a row is unknown.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Any, Protocol

from secinbox.estate import Estate
from secinbox.facts.inventory import kept_estate
from secinbox.facts.store import Facts
from secinbox.settings import Settings


@dataclass
class Assessment:
    """What a risk is given. `partial`: keep to the table `asked_resources`.

    without: keys of actions of the fix plan that are taken as done ("what if").
    """

    facts: Facts
    clock: datetime
    settings: Settings
    partial: bool = False
    without: frozenset[str] = frozenset()

    def where(self, column: str) -> str:
        """SQL that keeps to the resources that are asked for."""
        return f"{column} IN (SELECT uid FROM asked_resources)" if self.partial else "TRUE"

    @cached_property
    def estate(self) -> Estate:
        """The inventory with configurations; the same object while nothing of it changes."""
        return kept_estate(self.facts)


class Risk(Protocol):
    """The interface of a module of this package."""

    NAME: str
    TITLE: str

    def assess(self, assessment: Assessment) -> None: ...


@cache
def all_risks() -> tuple[Risk, ...]:
    """Every risk, in order of its file name."""
    found: list[Any] = []
    for info in pkgutil.iter_modules(__path__):
        if not info.name.startswith("_"):
            found.append(importlib.import_module(f"{__name__}.{info.name}"))
    return tuple(found)
