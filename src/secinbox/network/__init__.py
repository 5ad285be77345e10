"""Reachability: who can reach or read a resource, computed from configuration.

A provider is a module of this package with `exposure(estate) -> RiskStatements` of
public_accessibility. Values: `yes` when the Internet at large, or any principal of the provider,
gets in; `no` with the control that stops it; `unknown` with what could not be looked at. Open to
some networks only (`203.0.113.0/24`) is a `no` whose evidence says to whom in `sources_allowed`.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from secinbox.estate import Estate
from secinbox.records import RiskStatement


def exposure(estate: Estate) -> Iterator[RiskStatement]:
    """public_accessibility of every resource for which a provider can say it."""
    for module in pkgutil.iter_modules(__path__):
        answer = getattr(import_module(f"{__name__}.{module.name}"), "exposure", None)
        if answer is not None:
            yield from answer(estate)
