"""Attack paths: moves as data, a search over what an attacker can reach, findings and cuts."""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.records import Finding
from secinbox.risks import Assessment

NAME = "paths"


def derive(assessment: Assessment) -> Iterator[Finding]:
    """One finding per entry class, target and chain of moves."""
    yield from ()
