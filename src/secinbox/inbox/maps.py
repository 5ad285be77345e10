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
    "pipeline-role": "assumes", "gcp-machine-credentials": "takes credentials",
    "azure-managed-identity": "takes credentials", "gcp-owner": "controls",
    "azure-control": "controls", "gcp-read-store": "reads", "azure-read-store": "reads",
    "gcp-any-account": "owns", "azure-any-identity": "owns", "aws-any-identity": "owns",
}  # fmt: skip


_ESCALATES = "becomes"  # ids of the escalation catalogue: the step beside the map says how


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
                "; ".join(_VERBS.get(s["move"], _ESCALATES) for _, s in inside)
                or (path["why_target"] if kind == "target" else ""),
                folded if uid == first and folded > 0 else 0,
            )
        )  # fmt: skip
    for (source, target), steps in merged.items():
        inside = before.get(target, [])
        found.edges.append(
            Edge(
                source, target, " / ".join(_VERBS.get(s["move"], _ESCALATES) for _, s in steps),
                all(s["certain"] for _, s in (*steps, *inside)), steps[0][0],
                " ".join(s["sentence"] for _, s in (*steps, *inside)),
            )
        )  # fmt: skip
    return found


def of_issue(issue: dict[str, Any]) -> Map | None:
    """What stands around an issue's worst resource: who reaches it, what it may do, who attacks.

    None where nothing is known of its surroundings.
    """
    live = issue["resources"][0] if issue["resources"] else ""
    if not live:
        return None
    found = Map(issue["title"])
    details = issue["risk_details"]

    def evidence(risk: str) -> dict[str, Any] | None:
        detail = details.get(risk, {})
        rows = detail.get("evidence") or [{}]
        return rows[0] if detail.get("value") == "yes" else None

    layer = 0
    public = evidence("public_accessibility")
    if public is not None:
        steps = [s for s in public.get("steps") or ["Internet"] if s][:4] or ["Internet"]
        for number, step in enumerate(steps):
            last = number == len(steps) - 1 and len(steps) > 1
            if last:
                break
            found.nodes.append(Node(f"way:{number}", step, "place" if number else "entry", number))
            if number:
                found.edges.append(Edge(f"way:{number - 1}", f"way:{number}", "reaches"))
        layer = len(found.nodes)
        found.edges.append(
            Edge(f"way:{layer - 1}", live, "reaches", sentence=public.get("text", ""))
        )
    note = " · ".join(t for t in (issue.get("environment"), issue.get("service")) if t)
    found.nodes.append(
        Node(live, live.rsplit("/", 1)[-1] or live, "place", layer, note,
             max(0, issue["impacted_resources"] - 1))
    )  # fmt: skip
    attacked = evidence("under_attack")
    if attacked is not None:
        found.nodes.append(
            Node("signal", attacked.get("text", "signal")[:80], "entry", layer - 1 if layer else 0)
        )
        found.edges.append(Edge("signal", live, "attacks", sentence=attacked.get("text", "")))
    privileged = evidence("privileged_access")
    if privileged is not None:
        source = privileged.get("source") or "power"
        if source == live:
            source = "power"
        found.nodes.append(
            Node(source, source.rsplit("/", 1)[-1] if source != "power" else "power", "target",
                 layer + 1, privileged.get("kind", "").replace("_", " "))
        )  # fmt: skip
        found.edges.append(Edge(live, source, "acts as", sentence=privileged.get("text", "")))
    return found if found.edges else None
