"""Findings computed from the inventory: identity risks and exposed resources, one file a subject.

A file has `findings(assessment)` and yields `records.Finding` with likelihood and impact of the
severity matrix, harm, remedy, and the statement or route as evidence in the description. Where
other tools make the same statement, `canonical_rule` merges both into one finding.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from secinbox.records import Finding
from secinbox.risks import Assessment

NAME = "posture"


def derive(assessment: Assessment) -> Iterator[Finding]:
    """All findings of all subjects, in order of file name."""
    for info in pkgutil.iter_modules(__path__):
        if not info.name.startswith("_"):
            yield from importlib.import_module(f"{__name__}.{info.name}").findings(assessment)
