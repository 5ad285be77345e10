"""What every flip of one condition must hold, whatever the cloud.

A flip is (what was flipped, the estate, the answer, a word of the control or the route; -word: not that).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from secinbox.records import RiskStatement


def holds(found: RiskStatement, value: str, told: str) -> None:
    """The answer, the word, and evidence of the kinds that such an answer may have."""
    words = " ".join(
        " ".join((e.text, e.ports, e.sources_allowed, *e.steps)) for e in found.evidence
    )
    assert found.value == value, found.evidence
    assert told.removeprefix("-") not in words if told.startswith("-") else told in words
    kinds = {e.kind for e in found.evidence}
    assert kinds == {"no": {"control"}, "unknown": {"gap"}}.get(value, kinds - {"control", "gap"})
    assert all(e.text for e in found.evidence)
    # A yes shows who comes and the way to it.
    assert value != "yes" or all(len(e.steps) >= 2 for e in found.evidence)


def twelve(rows: Iterable[tuple[str, list[Any]]], controls: set[str]) -> None:
    """rows: (type, estate). At least twelve estates of each type, and every type that has an answer."""
    by_type: dict[str, set[str]] = defaultdict(set)
    for kind, estate in rows:
        by_type[kind].add(json.dumps(estate, sort_keys=True))
    assert set(by_type) == controls
    few = {kind: len(found) for kind, found in by_type.items() if len(found) < 12}
    assert not few
