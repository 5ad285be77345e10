"""Cartography: its graph as `CALL apoc.export.json.all(...)` writes it, in any of its four forms.

Nodes and relationships are put together again to what the API would have said. A graph of which a
part was exported, and what the graph keeps a part of, stays unknown and never becomes a "no".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from secinbox.inventory._nodes import KINDS, records
from secinbox.inventory._nodes.graph import OTHERS
from secinbox.reading import Head, Report
from secinbox.records import AnyRecord

TITLE = "Cartography graphs (AWS, Azure, Entra ID, Google Cloud, Kubernetes)"
_LABEL = re.compile(rf'"(?:(?:AWS)?(?:{"|".join(KINDS)})|AWS[A-Z]\w+|(?:{"|".join(OTHERS)})[A-Z]\w+)"')  # fmt: skip
_NODE = re.compile(r'"type"\s*:\s*"node"|"nodes"\s*:')


def recognise(head: Head) -> int:
    """A graph by its form, Cartography's by its stamp and labels."""
    if head.kind not in ("lines", "array", "object"):
        return 0
    if head.kind == "object":
        fits = head.has("nodes") or head.first.get("type") == "node"
    else:
        fits = head.first.get("type") in ("node", "relationship")
    told = fits and "lastupdated" in head.text and '"labels"' in head.text
    return 92 if told and _NODE.search(head.text) and _LABEL.search(head.text) else 0


def read(report: Report) -> Iterator[AnyRecord]:
    yield from records(report)
