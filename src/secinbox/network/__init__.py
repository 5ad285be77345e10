"""Reachability: who can reach or read a resource, computed from configuration.

A provider is a module of this package with `exposure(estate) -> RiskStatements` of
public_accessibility, and `UNREACHABLE`: types to which nothing connects. Values: `yes` when the Internet at large, or any principal of the provider,
gets in; `no` with the control that stops it; `unknown` with what could not be looked at. Open to
some networks only (`203.0.113.0/24`) is a `no` whose evidence says to whom in `sources_allowed`.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from secinbox.estate import Estate
from secinbox.records import RiskStatement


def _rooms() -> Iterator[ModuleType]:
    return (import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))


def exposure(estate: Estate) -> Iterator[RiskStatement]:
    """public_accessibility of every resource for which a provider can say it."""
    for room in _rooms():
        if hasattr(room, "exposure"):
            yield from room.exposure(estate)


def unreachable() -> tuple[str, ...]:
    """Types to which nothing connects: what they admit is asked of the resources that they belong to."""
    return tuple(kind for room in _rooms() for kind in getattr(room, "UNREACHABLE", ()))
