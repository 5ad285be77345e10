"""A graph as `apoc.export.json` writes it, in any of its four forms, with nodes and what ties them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from secinbox.reading import Report, ReportError
from secinbox.records import Skipped

_T = TypeVar("_T")
# Nodes of other clouds share labels with those of AWS.
OTHERS = ("Kubernetes", "Azure", "Entra", "GCP")


class Told(NamedTuple):
    """What a call would have answered. `partial`: keys of which the graph keeps a part, and why."""

    operation: str
    response: dict[str, Any]
    request: dict[str, Any] = {}
    partial: dict[str, str] = {}


class Tie(NamedTuple):
    """A relationship as one of its ends sees it."""

    other: str
    values: Mapping[str, Any]


@dataclass
class Node:
    """`labels` holds each label twice where it begins with AWS: newer versions prefix them all."""

    id: str
    labels: frozenset[str]
    values: dict[str, Any]
    place: str
    out: dict[str, list[Tie]] = field(default_factory=lambda: defaultdict(list))
    into: dict[str, list[Tie]] = field(default_factory=lambda: defaultdict(list))

    def get(self, *names: str) -> Any:
        """The first of these properties that is there; None."""
        return next((self.values[n] for n in names if self.values.get(n) is not None), None)

    def text(self, *names: str) -> str:
        """As text, "" when none is there."""
        found = self.get(*names)
        return "" if found is None else str(found)

    def need(self, *names: str) -> str:
        """As text. Raises KeyError when none is there."""
        found = self.text(*names)
        if not found:
            raise KeyError(names[0])
        return found

    def skipped(self, label: str, error: Exception) -> Skipped:
        """Told apart from the others: a property that it lacks, or one of a wrong shape."""
        lacks = isinstance(error, KeyError) or type(error) is ValueError
        why = f"lacks {error}" if lacks else "has a field of a wrong shape"
        return Skipped(reason=f"a node {label} {why}", place=self.place)

    def told(self, **names: str) -> dict[str, Any]:
        """`ImageId="imageid"`: the fields of an answer out of these properties, where they are."""
        return {ours: self.values[theirs] for ours, theirs in names.items()
                if self.values.get(theirs) is not None}  # fmt: skip


Made = Iterator[Told]
Maker = Callable[["Graph", Node], Made]


class Graph:
    """Nodes by label, and their ties. `broken`: relationships that lack an end in this file."""

    def __init__(self, report: Report) -> None:
        self.nodes: dict[str, Node] = {}
        self.broken = 0
        self._kept: set[str] = set()
        self._by_label: dict[str, list[Node]] = defaultdict(list)
        self._results: dict[str, Any] = {}
        ties: list[dict[str, Any]] = []
        for place, entry in _entries(report):
            if entry.get("type") == "node":
                self._node(place, entry)
            elif entry.get("type") == "relationship":
                ties.append(entry)
        for node in self.nodes.values():
            for label in node.labels:
                self._by_label[label].append(node)
        for entry in ties:
            self._tie(entry)

    def _node(self, place: str, entry: dict[str, Any]) -> None:
        told: Any = entry.get("labels")
        labels = {str(x) for x in told} if isinstance(told, list) else set()
        if inside := {x for x in labels if x.startswith(OTHERS)}:
            labels = labels if any(x.startswith("AWS") for x in labels) else inside
        labels |= {x.removeprefix("AWS") for x in labels}
        values: Any = entry.get("properties")
        known: dict[str, Any] = values if isinstance(values, dict) else {}
        self.nodes[str(entry.get("id"))] = Node(
            str(entry.get("id")), frozenset(labels), known, place
        )

    def _tie(self, entry: dict[str, Any]) -> None:
        ends = [e.get("id") if isinstance(e, dict) else None
                for e in (entry.get("start"), entry.get("end"))]  # fmt: skip
        start, end = (self.nodes.get(str(e)) for e in ends)
        if start is None or end is None:
            self.broken += 1
            return
        label, values = str(entry.get("label")), entry.get("properties")
        held: dict[str, Any] = values if isinstance(values, dict) else {}
        start.out[label].append(Tie(end.id, held))
        end.into[label].append(Tie(start.id, held))
        self._kept.add(label)

    def of(self, label: str) -> list[Node]:
        return self._by_label.get(label, [])

    def out(self, node: Node, *labels: str, to: str = "") -> list[Node]:
        """What the node leads to, of one label."""
        found = [self.nodes[t.other] for label in labels for t in node.out.get(label, ())]
        return [n for n in found if not to or to in n.labels]

    def into(self, node: Node, *labels: str, of: str = "") -> list[Node]:
        """What leads to the node, of one label."""
        found = [self.nodes[t.other] for label in labels for t in node.into.get(label, ())]
        return [n for n in found if not of or of in n.labels]

    def gap(self, label: str) -> str:
        """Why what is tied by `label` may not be all there is; "" when it is.

        A whole graph holds all ties of a kind; a selection of nodes holds none, or ties without ends.
        """
        if self.broken:
            return "the export holds a part of the graph: relationships lack their ends"
        return "" if label in self._kept else f"the export holds no relationship {label}"

    def once(self, name: str, compute: Callable[[], _T]) -> _T:
        if name not in self._results:
            self._results[name] = compute()
        found: _T = self._results[name]
        return found

    def account(self, node: Node) -> str:
        for found in self.into(node, "RESOURCE", of="AWSAccount"):
            return found.text("id")
        parts = node.text("arn").split(":")
        return parts[4] if len(parts) > 5 else ""

    def tags(self, node: Node) -> dict[str, str]:
        return {t.text("key"): t.text("value") for t in self.out(node, "TAGGED")
                if "AWSTag" in t.labels and t.text("key")}  # fmt: skip


def _entries(report: Report) -> Iterator[tuple[str, dict[str, Any]]]:
    """Lines and arrays hold one entry each; an object holds all nodes, then all relationships."""
    document: dict[str, Any]
    for place, document in report.documents(dict[str, Any]):
        if "nodes" not in document:
            yield place, document
            continue
        for key, kind in (("nodes", "node"), ("rels", "relationship")):
            held: Any = document.get(key, [])
            if isinstance(held, dict):  # JSON_ID_AS_KEYS
                held = [{"id": i, **e} if isinstance(e, dict) else e for i, e in held.items()]
            if not isinstance(held, list) or not all(isinstance(e, dict) for e in held):
                raise ReportError(f"{key} is not a list of objects", f"{place}.{key}",
                                  "export the graph with apoc.export.json.all")  # fmt: skip
            for index, entry in enumerate(held):
                yield f"{place}.{key}[{index}]", {"type": kind, **entry}


def ids(nodes: list[Node], *names: str) -> list[str]:
    """Their identifiers, each once, in the order of the file."""
    return list(dict.fromkeys(n.text(*names, "id") for n in nodes))
