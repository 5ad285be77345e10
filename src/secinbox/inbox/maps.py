"""Context maps as data: the few nodes and edges that explain a path or an issue."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MOST_NODES = 60


@dataclass(frozen=True)
class Node:
    """`layer` is the distance from the entry, drawn from the top."""

    id: str
    label: str
    kind: str  # entry | target | place
    layer: int
    note: str = ""
    folded: int = 0  # siblings that this node stands for


@dataclass(frozen=True)
class Edge:
    """`number` ties the edge to the list of steps beside the drawing."""

    source: str
    target: str
    verb: str
    certain: bool = True
    number: int = 0
    sentence: str = ""


@dataclass
class Map:
    """A drawing without coordinates."""

    title: str
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)


_VERBS = {
    "net-internet": "connects", "net-front": "forwards", "net-neighbour": "connects",
    "exploit-known": "exploits", "exploit-code": "exploits", "exploit-unknown": "needs a flaw",
    "forge-request": "forges a request", "intruder": "runs code",
    "malicious-package": "runs code", "instance-credentials": "takes credentials",
    "instance-credentials-ssrf": "takes credentials", "workload-credentials": "takes credentials",
    "read-leaked-key": "finds", "key-in-workload": "finds", "use-key": "signs in",
    "public-trust": "assumes", "sts-001": "assumes", "sts-003": "assumes",
    "aws-administrator": "controls", "read-public-store": "reads", "read-store": "reads",
    "audit-trail": "holds logs of", "database-sign-in": "signs in", "database-password": "signs in",
    "k8s-token": "takes token", "k8s-cloud-identity": "acts as", "k8s-cluster-power": "controls",
    "k8s-namespace-power": "acts as", "k8s-anonymous": "acts as", "k8s-escape": "escapes to",
    "k8s-node-pods": "enters", "k8s-control-plane": "controls", "k8s-node-machine": "is",
    "k8s-node-metadata": "takes credentials", "pipeline-poison": "runs code in",
    "pipeline-role": "assumes",
}  # fmt: skip


def of_path(path: dict[str, Any]) -> Map:
    """One path (as `paths` gives it): the entry on top, the crown jewel at the bottom.

    Steps that stay on one resource (reach it, then exploit it) become one edge.
    """
    found = Map(path["title"])
    layers: dict[str, int] = {path["entry"]: 0}
    labels: dict[str, str] = {}
    merged: dict[tuple[str, str], list[tuple[int, dict[str, Any]]]] = {}
    before: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for number, step in enumerate(path["steps"], 1):
        labels.setdefault(step["from"], step["from_label"])
        labels.setdefault(step["to"], step["to_label"])
        if step["from"] == step["to"]:
            before.setdefault(step["to"], []).append((number, step))
            continue
        layers.setdefault(step["from"], 0)
        layers[step["to"]] = max(layers.get(step["to"], 0), layers[step["from"]] + 1)
        merged.setdefault((step["from"], step["to"]), []).append((number, step))
    folded = len(path["footholds"]) - 1
    first = path["steps"][0]["to"] if path["steps"] else ""
    for uid, layer in sorted(layers.items(), key=lambda e: (e[1], e[0])):
        kind = "entry" if uid == path["entry"] else "target" if uid == path["target"] else "place"
        inside = before.get(uid, ())
        found.nodes.append(
            Node(
                uid, labels.get(uid, uid), kind, layer,
                "; ".join(_VERBS.get(s["move"], s["move"]) for _, s in inside)
                or (path["why_target"] if kind == "target" else ""),
                folded if uid == first and folded > 0 else 0,
            )
        )  # fmt: skip
    for (source, target), steps in merged.items():
        inside = before.get(target, [])
        found.edges.append(
            Edge(
                source, target, " / ".join(_VERBS.get(s["move"], s["move"]) for _, s in steps),
                all(s["certain"] for _, s in (*steps, *inside)), steps[0][0],
                " ".join(s["sentence"] for _, s in (*steps, *inside)),
            )
        )  # fmt: skip
    return found
