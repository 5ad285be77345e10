"""Attack paths: moves as data, a search over what an attacker can reach, findings and cuts.

`derive(assessment)` yields one finding per path and writes what the faces show of it; `plan` and
`explain` answer from the same graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from secinbox.records import Finding

if TYPE_CHECKING:
    from secinbox.risks import Assessment

NAME = "paths"


def derive(assessment: Assessment) -> Iterator[Finding]:
    """One finding per class of entry, target and chain of moves."""
    from secinbox.paths.storing import derive as stored

    return stored(assessment)
