"""Attack paths as people and findings see them: grouped ways with sentences, weight and severity.

One path is one class of entry, one target and one chain of moves; instances of an autoscaling group
and services of the same shape are variants of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from secinbox.fingerprint import fingerprint
from secinbox.paths.build import SOURCE, TARGET, compiled, entries
from secinbox.paths.graph import HUB, Action, Graph, State, Step
from secinbox.paths.jewels import Jewel
from secinbox.paths.owners import Owned, Owners, above, covered, owner_of
from secinbox.paths.search import (
    Reach,
    Way,
    certain,
    forward,
    outside,
    possible,
    ways,
)
from secinbox.paths.world import World
from secinbox.records import Evidence

MOST_VARIANTS = 40
MOST_PATHS = 5_000
MOST_REPLICAS = 20
# Targets times steps, beyond which what an owner's paths tell is not searched for by itself.
LARGE = 1_000_000


@dataclass(frozen=True, slots=True)
class Shown:
    """One step of a path, hubs left out."""

    source: str
    target: str
    state: str
    move: str
    sentence: str
    certain: bool
    doubt: str
    exploit: str
    evidence: tuple[Evidence, ...]
    actions: tuple[Action, ...]
    resources: tuple[str, ...]


@dataclass
class Path:
    """A group of ways with the same entry, target and chain of moves; `steps` is the cheapest."""

    id: str
    entry: str
    target: str
    state: State
    why: str
    impact: str
    steps: tuple[Shown, ...]
    cost: float
    certain: bool
    ways: list[Way] = field(default_factory=list)
    footholds: list[str] = field(default_factory=list)
    also: dict[str, None] = field(
        default_factory=dict
    )  # targets that the same way in gives on the way
    resources: list[str] = field(default_factory=list)
    passed: set[int] = field(default_factory=set)  # steps whose resources are told already

    @property
    def weight(self) -> float:
        """Between 0 and 1, for ordering only: no probability."""
        return math.exp(-self.cost)

    @property
    def rule(self) -> str:
        """Entry class and chain of moves: what the path is, whatever it leads through."""
        # Whether a load balancer stands in between makes no other kind of path.
        chain = [s.move for s in self.steps if s.move != "net-front"]
        return ">".join((entry_class(self.entry), *chain))

    @property
    def severity(self) -> str:
        """Likelihood of the hardest step by impact of the end (matrix of the severity docs)."""
        assumed = sum(not s.certain and s.exploit != "unknown" for s in self.steps)
        words = {s.exploit for s in self.steps if s.exploit}
        unknown = sum(s.exploit == "unknown" for s in self.steps)
        if assumed + unknown >= 2 or self.cost > 6:
            likelihood = 0
        elif unknown:
            likelihood = 1
        elif "known" in words or assumed:
            likelihood = 2 if self.cost < 1.9 else 1
        elif "poc" in words:
            likelihood = 2
        else:
            likelihood = 3
        column = {"medium": 1, "high": 2, "critical": 3}[self.impact]
        return (
            ("low", "low", "medium", "medium"),
            ("low", "medium", "high", "high"),
            ("medium", "high", "high", "critical"),
            ("medium", "high", "critical", "critical"),
        )[likelihood][column]


def entry_class(entry: str) -> str:
    """All leaked keys are one class of entry, all signals another."""
    head = entry.partition(":")[0]
    return (
        head
        if head in ("signal", "third-party", "package", "certificate")
        else (
            "leak" if head in ("repo", "image", "unnamed") or entry.startswith("host:") else entry
        )
    )


@dataclass
class Analysis:
    """Everything that one world gives."""

    world: World
    graph: Graph
    jewels: dict[int, Jewel]
    reach: dict[int, Reach]
    paths: list[Path]


def targets(world: World, graph: Graph) -> dict[int, Jewel]:
    """State numbers of the crown jewels that the graph knows."""
    out: dict[int, Jewel] = {}
    for number in graph.of_kind("admin"):
        state = graph.states[number]
        what = "a cluster" if state[1].startswith("k8s://") else "an account"
        what = "an organisation" if ":organization/" in state[1] else what
        out[number] = Jewel(state[1], state, f"is control of {what}", "critical")
    for jewel in world.jewels:
        found = graph.number.get(jewel.state)
        if found is not None:
            out[found] = jewel
    return out


def analyse(world: World, without: frozenset[str] = frozenset()) -> Analysis:
    """All attack paths of a world, most serious first.

    without: keys of actions taken as done: the steps that they break are left out.
    """
    graph = compiled(world)
    if without:
        done = (n for n, s in enumerate(graph.steps) if any(a.key in without for a in s.actions))
        graph = graph.changed(list(done), ())
    found = targets(world, graph)
    blocks = frozenset(graph.of_kind("admin"))
    large = len(found) * len(graph.steps) > LARGE
    groups: dict[tuple[str, str, str, bool], Path] = {}
    reached: dict[int, Reach] = {}
    # Control of an account first: what it owns is told with it, not in a row of its own.
    order = sorted(found, key=lambda n: (found[n].state[0] != "admin", graph.states[n]))
    for entry in entries(graph):
        reach = forward(graph, entry, possible)
        reached[entry] = reach
        sure = forward(graph, entry, certain)
        # What is certain is no detour of what is only possible.
        zones = {True: _outside(graph, entry, outside | certain), False: _outside(graph, entry)}
        owners: Owners = {}
        owned = Owned(world, graph, found, blocks, owners, entry)
        for target in order:
            if target not in reach.cost:
                continue
            jewel = found[target]
            power = jewel.state[0] == "admin"
            owner = jewel.uid if power else owner_of(world, jewel.uid)
            for usable, seen in ((certain, sure), (possible, reach)):
                if large and not power and target in seen.cost:
                    told_by = owned.path(owner, target, usable, seen)
                    if told_by is not None:
                        told_by.also.setdefault(jewel.uid)
                        continue
                told = None if power else covered(graph, owners, owner)
                for way in ways(
                    graph, entry, target, seen, usable=usable, closed=() if power else blocks,
                    told=told,
                ):  # fmt: skip
                    if _detour(graph, way, zones[way.sure(graph)]):
                        continue
                    first = way.foothold(graph)
                    if power:
                        path = _add(world, graph, groups, jewel, way)
                        key = (owner, first, way.sure(graph))
                        if key not in owners or way.cost < owners[key][0]:
                            owners[key] = (way.cost, path)
                        continue
                    told_by = above(graph, owners, owner, way)
                    # The way in itself may be the whole way (a public bucket): that stays a row.
                    if told_by is not None and first != target:
                        told_by.also.setdefault(jewel.uid)
                        _touch(world, graph, told_by, way)
                        continue
                    _add(world, graph, groups, jewel, way)
    paths = sorted(
        groups.values(),
        key=lambda p: (SEVERITIES.index(p.severity), p.cost, p.id),
    )[:MOST_PATHS]
    return Analysis(world, graph, found, reached, paths)


def _outside(graph: Graph, entry: int, usable: int = outside) -> frozenset[int]:
    """What is reached from an entry without running code anywhere."""
    return frozenset(forward(graph, entry, usable).cost)


def _detour(graph: Graph, way: Way, zone: frozenset[int]) -> bool:
    """Breaks in somewhere to get to what stands open anyway: the shorter way is told by itself.

    A further premise that comes from the entry itself (a database that answers everyone, whose
    password lies inside) is no such thing.
    """
    inside: set[int] = set()
    for index in way.steps:
        state = graph.target[index]
        if not inside.isdisjoint((graph.source[index], *graph.also.get(index, ()))):
            if state in zone and graph.states[state][0] != HUB:
                return True
            inside.add(state)
        elif graph.states[state][0] == "exec":
            inside.add(state)
    return False


SEVERITIES = ("critical", "high", "medium", "low")


def _add(
    world: World,
    graph: Graph,
    groups: dict[tuple[str, str, str, bool], Path],
    jewel: Jewel,
    way: Way,
) -> Path:
    steps = shown(world, graph, way)
    sure = all(s.certain for s in steps)
    entry = graph.states[way.entry][1]
    path = Path("", entry, jewel.uid, jewel.state, jewel.why, jewel.impact, steps, way.cost, sure)
    key = (entry_class(entry), jewel.uid, path.rule, sure)
    known = groups.get(key)
    if known is None:
        path.id = "path:" + fingerprint("attack_path", *map(str, key))[:24]
        groups[key] = known = path
    elif (way.cost, way.steps) < (known.cost, known.ways[0].steps if known.ways else ()):
        known.steps, known.cost, known.entry = steps, way.cost, entry
    if len(known.ways) < MOST_VARIANTS and all(w.steps != way.steps for w in known.ways):
        known.ways.append(way)
        if steps[0].target not in known.footholds:
            known.footholds.append(steps[0].target)
        _touch(world, graph, known, way)
    return known


def _touch(world: World, graph: Graph, path: Path, way: Way) -> None:
    """Adds the resources of a way to a path, in the order in which an attacker meets them."""
    fresh = [i for i in way.steps if i not in path.passed]
    if not fresh:
        return
    path.passed.update(fresh)
    names: dict[str, None] = dict.fromkeys(path.resources)
    for index in fresh:
        step = graph.steps[index]
        ends = [s[1] for s in (step.source, step.target) if s[0] != HUB]
        for uid in (*ends[:-1], *step.resources, *ends[-1:],
                    *(e.source for e in step.evidence if e.source in world.estate.items)):  # fmt: skip
            if uid in world.sessions:
                names[world.sessions[uid]] = None
            names[uid] = None
            names.update(dict.fromkeys(world.replicas.get(uid, ())[:MOST_REPLICAS]))
    names.pop(path.entry, None)
    path.resources = list(names)


def shown(world: World, graph: Graph, way: Way) -> tuple[Shown, ...]:
    """The steps of a way with hubs left out."""
    out: list[Shown] = []
    waiting: Step | None = None
    for index in way.steps:
        step = graph.steps[index]
        if waiting is not None and step.source == waiting.target:
            step = _joined(waiting, step)
        waiting = None
        if step.target[0] == HUB:
            waiting = step
            continue
        out.append(step_shown(world, step))
    return tuple(out)


def _joined(first: Step, second: Step) -> Step:
    speaks = first if first.sentence else second
    return Step(
        first.source, second.target, speaks.move, speaks.sentence, first.cost + second.cost,
        first.certain and second.certain, first.exploit or second.exploit,
        (*first.also, *second.also), (*first.evidence, *second.evidence),
        (*first.actions, *second.actions), (*first.resources, *second.resources),
        first.blocked or second.blocked, "; ".join(d for d in (first.doubt, second.doubt) if d),
    )  # fmt: skip


def step_shown(world: World, step: Step) -> Shown:
    """A step with the names of its ends in its sentence."""
    source, target = world.label(step.source[1]), world.label(step.target[1])
    sentence = step.sentence.replace(SOURCE, source).replace(TARGET, target)
    return Shown(
        step.source[1], step.target[1], step.target[0], step.move, sentence, step.certain,
        step.doubt, step.exploit, step.evidence, step.actions, step.resources,
    )  # fmt: skip


def title(world: World, path: Path) -> str:
    """One sentence: who gets what through where."""
    who = {"leak": "Whoever finds a leaked key", "signal": "An intruder"}.get(
        entry_class(path.entry), world.label(path.entry)[:1].upper() + world.label(path.entry)[1:]
    )
    name = world.label(path.target)
    what = f"take control of {name}" if path.state[0] == "admin" else f"read {name}"
    through = [s.target for s in path.steps if s.state in ("exec", "net")]
    middle = ""
    if through:
        first = world.label(through[0 if path.steps[0].state == "exec" else -1])
        hosts = [s.target for s in path.steps if s.state == "exec"]
        first = world.label(hosts[0]) if hosts else first
        if first != name:
            middle = f" through {first}"
        if len(path.footholds) > 1:
            others = len(path.footholds) - 1
            middle += f" (or {others} other way{'s' if others > 1 else ''} in)"
    verb = "can" if path.certain else "may be able to"
    return f"{who} {verb} {what}{middle}"


def actions_of(steps: Iterable[Shown]) -> dict[str, Action]:
    """What would take one of these steps away, by key."""
    return {a.key: a for s in steps for a in s.actions}
