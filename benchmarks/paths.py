"""The speed of attack paths beside a limit of the same run, because seconds do not travel.

    python benchmarks/paths.py cluster  [--pods 25000]
    python benchmarks/paths.py graph    [--states 100000]
    python benchmarks/paths.py one      [--states 100000]
    python benchmarks/paths.py change   [--principals 10000]

`cluster`: from the objects of a synthetic cluster to its paths, beside the reading of the same
objects. `graph`: an abstract graph with five steps a state from a file of columns (names of states,
numbers of steps, in no order) to what is reached, ways to 1,000 targets and dominators, beside one
breadth-first search in plain Python. `one`: one step of a kept graph changes. `change`: a ranking
after one new finding with what a process keeps between rankings, and without.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import resource
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import pyarrow as pa

from secinbox.estate import Estate, estate_of
from secinbox.inventory import kubernetes
from secinbox.network import exposure
from secinbox.paths import routes
from secinbox.paths.arrays import of_columns
from secinbox.paths.cuts import dominators
from secinbox.paths.graph import UNSURE, Graph, Step
from secinbox.paths.search import Reach, Table, forward, possible
from secinbox.paths.world import Weakness, World
from secinbox.reading import Report

_T = TypeVar("_T")
REMOTE = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"


def timed(
    name: str, work: Callable[..., _T], *given: object, beside: float = 0.0
) -> tuple[_T, float]:
    """The answer and the seconds of CPU; prints both, and the ratio to a limit if there is one."""
    gc.collect()
    before, cpu = time.perf_counter(), time.process_time()
    answer = work(*given)
    wall, spent = time.perf_counter() - before, time.process_time() - cpu
    ratio = f", {spent / beside:.1f} times the limit" if beside else ""
    print(f"{name}: {wall:.2f} s, {spent:.2f} s CPU{ratio}", flush=True)
    return answer, spent


def memory() -> str:
    """The most that this process held."""
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB"


# One cluster: 50 pods a node, 5 pods a deployment, 20 deployments a namespace.


def cluster_objects(pods: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Objects as `kubectl get -o json` prints them; each deployment has an account of its own."""
    chance = random.Random(seed)
    nodes, deployments = max(1, pods // 50), max(1, pods // 5)
    for n in range(nodes):
        yield _thing("v1", "Node", f"node-{n}", "", {"providerID": f"aws:///a/i-{n}"})
    for n in range(max(1, deployments // 20)):
        space = f"team-{n}"
        yield _thing("v1", "Namespace", space, "", {})
        for s in range(10):
            kind = "kubernetes.io/dockerconfigjson" if s == 0 else "Opaque"
            name = f"api-token-{s}" if s < 3 else f"settings-{s}"
            yield {**_thing("v1", "Secret", name, space, {}), "type": kind, "data": {"v": ""}}
        if chance.random() < 0.3:
            yield {**_thing("networking.k8s.io/v1", "NetworkPolicy", "guard", space, {
                "podSelector": {}, "policyTypes": ["Ingress"],
                "ingress": [{"from": [{"podSelector": {}}]}]})}  # fmt: skip
    for n in range(deployments):
        yield from _deployment(n, f"team-{n // 20}", nodes, chance)


def _thing(version: str, kind: str, name: str, space: str, spec: dict[str, Any]) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name, "uid": f"{kind}-{space}-{name}"}
    if space:
        meta["namespace"] = space
    return {"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec}


def _deployment(n: int, space: str, nodes: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    name = f"app-{n}"
    labels = {"app": name}
    container: dict[str, Any] = {
        "name": "main", "image": f"registry.example.org/{name}:1",
        "ports": [{"containerPort": 8080}],
    }  # fmt: skip
    if chance.random() < 0.01:
        container["securityContext"] = {"privileged": True}
    spec: dict[str, Any] = {"serviceAccountName": name, "containers": [container]}
    if chance.random() < 0.02:
        spec["volumes"] = [{"name": "v", "hostPath": {"path": "/var/lib/kubelet/pods"}}]
        container["volumeMounts"] = [{"name": "v", "mountPath": "/pods"}]
    if chance.random() < 0.3:
        spec.setdefault("volumes", []).append(
            {"name": "s", "secret": {"secretName": "api-token-0"}}
        )
    made = _thing("apps/v1", "Deployment", name, space, {
        "replicas": 5, "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": spec}})  # fmt: skip
    yield made
    yield _thing("v1", "ServiceAccount", name, space, {})
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{name}-1", "controller": True}
    above = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "controller": True}
    replica = _thing("apps/v1", "ReplicaSet", f"{name}-1", space, made["spec"])
    replica["metadata"]["ownerReferences"] = [{**above, "uid": f"Deployment-{space}-{name}"}]
    yield replica
    for p in range(5):
        pod = _thing("v1", "Pod", f"{name}-1-{p}", space, {
            **spec, "nodeName": f"node-{chance.randrange(nodes)}"})  # fmt: skip
        pod["metadata"] |= {"labels": labels, "ownerReferences": [
            {**owner, "uid": f"ReplicaSet-{space}-{name}-1"}]}  # fmt: skip
        pod["status"] = {"phase": "Running", "podIP": f"10.{n % 250}.{p}.1"}
        yield pod
    kind = "LoadBalancer" if chance.random() < 0.03 else "ClusterIP"
    service = _thing("v1", "Service", name, space, {
        "type": kind, "selector": labels, "ports": [{"port": 80, "targetPort": 8080}]})  # fmt: skip
    if kind == "LoadBalancer":
        service["status"] = {"loadBalancer": {"ingress": [{"ip": f"203.0.113.{n % 250}"}]}}
    yield service
    rules = _rules(chance)
    if rules:
        wide = chance.random() < 0.02
        head = "Cluster" if wide else ""
        where = "" if wide else space
        version = "rbac.authorization.k8s.io/v1"
        role = _thing(version, f"{head}Role", name, where, {})
        role["rules"] = rules
        yield role
        bound = _thing(version, f"{head}RoleBinding", name, where, {})
        bound |= {"roleRef": {"kind": f"{head}Role", "name": name}, "subjects": [
            {"kind": "ServiceAccount", "name": name, "namespace": space}]}  # fmt: skip
        yield bound


def _rules(chance: random.Random) -> list[dict[str, Any]]:
    kinds: list[tuple[float, list[str], str]] = [
        (0.4, ["get", "list", "watch"], "pods"), (0.05, ["list"], "secrets"),
        (0.02, ["create"], "pods"), (0.01, ["create"], "pods/exec"),
    ]  # fmt: skip
    return [
        {"apiGroups": [""], "resources": [what], "verbs": verbs}
        for share, verbs, what in kinds
        if chance.random() < share
    ]


def cluster_world(estate: Estate, seed: int = 1) -> World:
    """A twentieth of the deployments has a vulnerability that is exploited."""
    chance = random.Random(seed)
    weak: dict[str, list[Weakness]] = {}
    tops: dict[str, str] = {}
    for item in estate.of_type("kubernetes_deployment"):
        if chance.random() < 0.05:
            weak[item.uid] = [Weakness(
                f"f-{item.name}", "library_vulnerability", "CVE-2021-44228", "CVE-2021-44228", 5,
                "CVE-2021-44228", "log4j-core", "2.17", REMOTE, None, 3, 0.9,
                f"image:{item.name}")]  # fmt: skip
        for replica in estate.sources(item.uid, "owned_by"):
            tops[replica] = item.uid
            for pod in estate.sources(replica, "owned_by"):
                tops[pod] = item.uid
    public = {s.resource: list(s.evidence) for s in exposure(estate) if s.value == "yes"}
    return World(estate=estate, public=public, weaknesses=weak, tops=tops)


def cluster(pods: int) -> None:
    """Prints what a cluster of this size takes."""
    listed = {"apiVersion": "v1", "kind": "List", "items": list(cluster_objects(pods))}
    data = json.dumps(listed).encode()
    del listed
    estate, limit = timed(
        f"reading {pods} pods, {len(data) >> 20} MB of JSON",
        lambda: estate_of(kubernetes.read(Report(data, "all.json", (), None, {"cluster": "c"}))),
    )
    print(f"{len(estate.items)} objects")
    world, first = timed("exposure", lambda: cluster_world(estate))
    analysis, then = timed("moves and search", lambda: routes.analyse(world))
    sure = sum(p.certain for p in analysis.paths)
    print(
        f"{len(analysis.graph.states)} states, {len(analysis.graph.steps)} steps, "
        f"{len(analysis.jewels)} targets, {len(analysis.paths)} paths, {sure} certain"
    )
    print(
        f"together {first + then:.2f} s CPU, {(first + then) / limit:.1f} times the reading, {memory()}"
    )


# An abstract graph: the search by itself.

COSTS = (0.02, 0.05, 0.1, 0.35, 0.7, 1.6)


def abstract(states: int, file: Path, seed: int = 1) -> list[int]:
    """Writes one entry and five steps a state, costs as the moves have them; returns 1,000 targets.

    An Arrow file of two tables: names of the states in order, and the steps as numbers, shuffled.
    """
    chance = np.random.default_rng(seed)
    count = 5 * states
    source = np.repeat(np.arange(states, dtype=np.int32), 5)
    target = chance.integers(0, states, count, dtype=np.int32)
    target[::5] = (source[::5] + 1) % states
    rows = np.arange(count)
    shuffled = chance.permutation(count)
    steps = {
        "source": source, "target": target, "cost": np.array(COSTS)[rows % 6],
        "marks": np.where(rows % 7, 0, UNSURE).astype(np.uint8),
    }  # fmt: skip
    names = pa.table({
        "kind": pa.array(["entry", *["exec"] * (states - 1)]).dictionary_encode(),
        "uid": [f"arn:aws:ec2:eu-west-1:111122223333:instance/i-{n:09}" for n in range(states)],
    })  # fmt: skip
    for table, path in (
        (names, file.with_suffix(".states")),
        (pa.table({k: v[shuffled] for k, v in steps.items()}), file.with_suffix(".steps")),
    ):
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as out:
            out.write_table(table)
    return [int(n) for n in chance.choice(np.arange(1, states), 1000, replace=False)]


def loaded(file: Path) -> Graph:
    """The graph of that file; the texts of a step are made when it is shown."""

    def columns(suffix: str) -> pa.Table:
        with pa.memory_map(str(file.with_suffix(suffix))) as source:
            return pa.ipc.open_file(source).read_all()

    names, steps = columns(".states"), columns(".steps")
    kind, uid = (c.to_numpy().tolist() for c in names.columns)
    states = list(zip(kind, uid, strict=True))
    source, target, cost, marks = (c.to_numpy() for c in steps.columns)

    def step(row: int) -> Step:
        sure = not marks[row] & UNSURE
        return Step(states[source[row]], states[target[row]], "m", "", float(cost[row]), sure)

    return of_columns(states, source, target, cost, marks, step)


def plain(graph: Graph) -> int:
    """One breadth-first search over lists: nothing in Python that looks at each step is faster."""
    target, first = list(graph.target), list(graph.first)
    seen = bytearray(len(graph.states))
    seen[0] = 1
    queue = deque([0])
    while queue:
        state = queue.popleft()
        for there in target[first[state] : first[state + 1]]:
            if not seen[there]:
                seen[there] = 1
                queue.append(there)
    return sum(seen)


def graph(states: int) -> None:
    """Prints what a graph of this size takes from a file to choke points: the best of three."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "graph"
        targets = abstract(states, file)
        best: dict[str, float] = {}
        for _ in range(3):
            for name, spent in searched(file, targets).items():
                best[name] = min(spent, best.get(name, spent))
        most = memory()
        limit = timed("one breadth-first search in plain Python", plain, loaded(file))[1]
    total = sum(best.values())
    for name, spent in best.items():
        print(f"{name}: {spent:.3f} s CPU")
    print(f"{states} states, {5 * states} steps: {total:.2f} s CPU together, "
          f"{total / limit:.1f} times the plain search, {most}")  # fmt: skip


def searched(file: Path, targets: list[int]) -> dict[str, float]:
    """Seconds of CPU of each part."""
    out: dict[str, float] = {}

    def part(name: str, work: Callable[[], _T]) -> _T:
        gc.collect()
        before = time.process_time()
        answer = work()
        out[name] = time.process_time() - before
        return answer

    made = part("load: names, steps, their order", lambda: loaded(file))
    part("index of the steps", lambda: Table.of(made, possible))
    reach = part("what is reached, and the cheapest way to each state", lambda: forward(made, 0))
    found = part("ways to 1,000 targets, shown",
                 lambda: [[made.steps[i] for i in reach.way(made, t)] for t in targets])  # fmt: skip
    above = part("dominators", lambda: dominators(made, [0], possible))
    part("choke points of the 1,000 targets", lambda: choke(above, targets))
    assert all(w[-1].target == made.states[t] for w, t in zip(found, targets, strict=True))
    return out


def choke(above: Mapping[int, int], targets: list[int]) -> list[tuple[int, int]]:
    """How many of the targets each state is on every way to, most first."""
    count = Counter[int]()
    for target in targets:
        state = target
        while (state := above.get(state, -1)) >= 0:
            count[state] += 1
    return count.most_common(20)


def one(states: int) -> None:
    """Prints what one change of a kept graph takes until the affected targets have their ways."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "graph"
        targets = abstract(states, file)
        made = loaded(file)
        kept = Graph.of(made.steps)
    before = forward(kept, 0)
    way = before.way(kept, max(targets, key=lambda t: before.cost[t]))
    old = kept.steps[way[len(way) // 2]]
    number = kept.steps.index(old)
    far = kept.states[targets[0]]
    gc.collect()
    gc.freeze()
    for name, gone, new in (
        ("a step on a way is taken away", [number], []),
        ("its cost rises", [number], [replace(old, cost=old.cost + 1)]),
        ("a short cut comes", [], [Step(kept.states[0], far, "m", "", 0.01)]),
        ("with a new state", [], [Step(kept.states[0], ("exec", "new"), "m", "", 0.01),
                                  Step(("exec", "new"), far, "m", "", 0.01)]),
    ):  # fmt: skip
        best = 9e9
        for _ in range(3):
            spent = time.process_time()
            changed, affected = answered(kept, before, targets, gone, new)
            best = min(best, time.process_time() - spent)
        whole = Graph.of([*(s for n, s in enumerate(kept.steps) if n not in gone), *new])
        same = (whole.source, whole.target, whole.cost) == (
            changed.source, changed.target, changed.cost)  # fmt: skip
        print(f"{name}: {best:.3f} s CPU, {affected} targets affected, the same graph: {same}")
    print(memory())


def answered(
    kept: Graph, before: Reach, targets: list[int], gone: list[int], new: list[Step]
) -> tuple[Graph, int]:
    """The changed graph, and how many targets have another cost, for which ways are looked up."""
    changed = kept.changed(gone, new)
    reach = forward(changed, 0)
    affected = 0
    for target in targets:
        there = changed.number[kept.states[target]]
        if reach.cost.get(there) != before.cost.get(target):
            affected += 1
            reach.way(changed, there)
    return changed, affected


def main() -> None:
    """One of the measurements."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("cluster", "graph", "one", "change"))
    parser.add_argument("--pods", type=int, default=25_000)
    parser.add_argument("--states", type=int, default=100_000)
    parser.add_argument("--principals", type=int, default=10_000)
    asked = parser.parse_args()
    if asked.what == "cluster":
        cluster(asked.pods)
    elif asked.what == "graph":
        graph(asked.states)
    elif asked.what == "one":
        one(asked.states)
    else:
        from change import change

        change(asked.principals)


if __name__ == "__main__":
    main()
