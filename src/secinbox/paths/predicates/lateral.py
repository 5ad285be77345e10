"""From one pod to another: what the cluster's network and its policies let through."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from secinbox.inventory.kubernetes.cluster import Runner, at, objs, place_of, strs
from secinbox.network.kubernetes.filters import Filters
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, lasting, pairs
from secinbox.paths.predicates.clusters import cluster_uid
from secinbox.paths.predicates.weaknesses import exploitable, flawed
from secinbox.paths.world import World
from secinbox.records import Evidence

# Ports on which a service of this name answers everyone unless it was told not to, and the words
# of its options that tell it.
_OPEN: dict[int, tuple[str, str]] = {
    2375: ("the Docker API", r"tlsverify"),
    6379: ("Redis", r"requirepass|aclfile"),
    10255: ("the kubelet's read-only port", r"$^"),
    44134: ("Tiller", r"tls-verify"),
}


def _tops(world: World) -> list[Runner]:
    return [r for r in world.runners.values() if not r.idle and world.top(r.uid) == r.uid]


def _open_ports(runner: Runner) -> Iterator[tuple[str, int]]:
    for container in runner.containers():
        told = " ".join((*strs(container, "command"), *strs(container, "args")))
        for row in objs(container, "ports"):
            port = at(row, "containerPort")
            name, words = _OPEN.get(port, ("", "")) if isinstance(port, int) else ("", "")
            if name and not re.search(words, told):
                yield name, port


def _worth_reaching(world: World, runner: Runner) -> bool:
    found = world.weaknesses.get(runner.uid, ())
    return any(exploitable(w) or flawed(w) for w in found) or any(_open_ports(runner))


@pairs
def pods_that_reach(world: World) -> Iterator[Pair]:
    """Whatever runs in a cluster, and the weak workloads that no network policy keeps from it.

    Hubs stand for all pods of a cluster and for those that one set of policies admits. A workload
    without a known weakness is left out: whoever runs code next to it gains nothing known.
    """
    tops = _tops(world)
    targets = [r for r in tops if _worth_reaching(world, r)]
    if not targets:
        return
    filters = Filters(world.estate, {})
    everyone: dict[str, list[Runner]] = defaultdict(list)
    nearby: dict[tuple[str, str], list[Runner]] = defaultdict(list)
    for runner in tops:
        everyone[cluster_uid(runner.uid)].append(runner)
        nearby[place_of(runner.uid)].append(runner)
    wide: set[str] = set()
    admitted: dict[str, list[tuple[str, str]]] = {}
    for runner in targets:
        cluster = cluster_uid(runner.uid)
        own = filters.over(runner)
        hub = f"pods:{cluster}"
        if own:
            names = "+".join(sorted(p.name for p in own))
            hub = f"pods:{cluster}/{place_of(runner.uid)[1]}/{names}"
            if hub not in admitted:
                callers = everyone[cluster]
                if filters.of_one_namespace(own):
                    callers = nearby[place_of(runner.uid)]
                verdicts = [(c.uid, filters.admits_pod(own, c)) for c in callers]
                admitted[hub] = [
                    (uid, "" if v.value == "yes" else "what the network policy admits")
                    for uid, v in verdicts if v.value != "no"
                ]  # fmt: skip
            if not admitted[hub]:
                wide.add(cluster)
                yield Pair(f"pods:{cluster}", runner.uid, source_kind="hub",
                           no=f"network policy {names} admits no other pod",
                           detail=_ports(runner))  # fmt: skip
                continue
        else:
            wide.add(cluster)
        text = f"network policy {names} admits it" if own else "no network policy is about it"
        yield Pair(hub, runner.uid, source_kind="hub", detail=_ports(runner),
                   evidence=(Evidence(kind="route", text=text, source=runner.uid),),
                   actions=(Action(f"policy:{runner.uid}", "Admit only what needs it to "
                                   f"{runner.shown} by a network policy", runner.uid),))  # fmt: skip
    for cluster in sorted(wide):
        for runner in everyone[cluster]:
            yield Pair(runner.uid, f"pods:{cluster}", target_kind="hub", silent=True)
    for hub, found in sorted(admitted.items()):
        for uid, doubt in found:
            yield Pair(uid, hub, target_kind="hub", silent=True, doubt=doubt)


def _ports(runner: Runner) -> str:
    found = sorted({
        str(at(row, "containerPort")) for c in runner.containers() for row in objs(c, "ports")
        if isinstance(at(row, "containerPort"), int)
    })  # fmt: skip
    return f" on {', '.join(found[:4])}" if found else ""


@lasting
@pairs
def service_without_sign_in(world: World) -> Iterator[Pair]:
    """Something that by default runs commands for whoever can connect."""
    for runner in _tops(world):
        for name, port in _open_ports(runner):
            yield Pair(runner.uid, runner.uid, detail=f"{name} on {port}", exploit="known",
                       actions=(Action(f"sign-in:{runner.uid}:{port}",
                                       f"Ask for a password at {name} of {runner.shown}",
                                       runner.uid),))  # fmt: skip
            break
