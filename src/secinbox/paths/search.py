"""Cheapest ways from entries to targets, and the alternatives that a fix would leave open.

Knuth's generalisation of Dijkstra's algorithm: a step with several premises is taken when the last
of them is reached. Per pair of foothold and target there is one cheapest way and a bounded number
of ways that leave it; nothing enumerates all paths.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from secinbox.paths.graph import HUB, Graph, Step

Usable = Callable[[Step], bool]
# Footholds of one target whose alternatives are looked at, too.
MOST_OPENINGS = 40


def possible(step: Step) -> bool:
    """Not stopped by anything known."""
    return not step.blocked


def certain(step: Step) -> bool:
    """Possible for sure."""
    return step.certain and not step.blocked


class Table:
    """The steps of a graph that a search may use, as numbers: no object is touched in a loop."""

    __slots__ = ("also", "cost", "into", "out", "source", "steps", "target")

    def __init__(self, graph: Graph, usable: Usable) -> None:
        self.steps = len(graph.steps)
        self.source, self.target = graph.source, graph.target
        self.cost = [s.cost for s in graph.steps]
        kept = [usable(s) for s in graph.steps]
        self.out: list[list[int]] = graph.out
        self.into: list[list[int]] = graph.into
        if not all(kept):
            self.out = [[i for i in found if kept[i]] for found in graph.out]
            self.into = [[i for i in found if kept[i]] for found in graph.into]
        number = graph.number
        # Steps with more than one premise are few.
        self.also = {
            i: tuple(number[p] for p in s.also) for i, s in enumerate(graph.steps) if s.also
        }

    @classmethod
    def of(cls, graph: Graph, usable: Usable) -> Table:
        """The table of a graph, made once for each kind of search."""
        found = graph.tables.get(usable)
        if not isinstance(found, Table) or found.steps != len(graph.steps):
            found = graph.tables[usable] = cls(graph, usable)
        return found


@dataclass
class Reach:
    """What is reached from one entry: cost of each state, and the step that led there."""

    cost: dict[int, float] = field(default_factory=dict)
    by: dict[int, int] = field(default_factory=dict)

    def way(self, graph: Graph, target: int) -> tuple[int, ...]:
        """The steps of the cheapest way to a state that is reached."""
        out: list[int] = []
        while (index := self.by.get(target)) is not None:
            out.append(index)
            target = graph.source[index]
        return tuple(reversed(out))


def forward(
    graph: Graph, entry: int, usable: Usable = possible, without: Collection[int] = ()
) -> Reach:
    """The least fixpoint from an entry, cheapest way first. `without`: steps that are taken away."""
    table = Table.of(graph, usable)
    out, target, source, cost, also = (
        table.out, table.target, table.source, table.cost, table.also
    )  # fmt: skip
    far = float("inf")
    best = [far] * len(out)
    by = [-1] * len(out)
    best[entry] = 0.0
    waiting: dict[int, list[int]] = {}
    heap: list[tuple[float, int]] = [(0.0, entry)]
    settled: dict[int, float] = {}
    push, pop = heapq.heappush, heapq.heappop
    while heap:
        spent, state = pop(heap)
        if spent > best[state]:
            continue  # a cheaper way was found meanwhile
        if state in settled:
            continue
        settled[state] = spent
        steps = out[state]
        if waiting and state in waiting:
            steps = [*steps, *waiting.pop(state)]
        for index in steps:
            total = spent + cost[index]
            if also and index in also:
                found = _premises(index, source[index], also[index], settled, waiting)
                if found is None:
                    continue
                total = found + cost[index]
            there = target[index]
            if total < best[there] and (not without or index not in without):
                best[there] = total
                by[there] = index
                push(heap, (total, there))
    return Reach(settled, {n: by[n] for n in settled if by[n] >= 0})


def _premises(
    index: int,
    source: int,
    also: tuple[int, ...],
    settled: dict[int, float],
    waiting: dict[int, list[int]],
) -> float | None:
    """The cost of all premises; None, and the step waits for it, where one is not reached yet."""
    total = 0.0
    for premise in (source, *also):
        known = settled.get(premise)
        if known is None:
            if premise != source:
                waiting.setdefault(premise, []).append(index)
            return None
        total += known
    return total


def backward(
    graph: Graph, target: int, reach: Reach, usable: Usable, closed: Collection[int] = ()
) -> dict[int, tuple[float, int]]:
    """For each reached state the cost to the target and the first step of that way.

    closed: states through which no way to this target may go.
    """
    return _back(graph, [target], reach, usable, closed)


def nearest(
    graph: Graph, targets: Collection[int], reach: Reach, usable: Usable, closed: Collection[int]
) -> dict[int, float]:
    """For each reached state the cost to whichever of the targets is cheapest from there."""
    found = _back(graph, sorted(targets), reach, usable, closed)
    return {state: cost for state, (cost, _) in found.items()}


def _back(
    graph: Graph, targets: list[int], reach: Reach, usable: Usable, closed: Collection[int]
) -> dict[int, tuple[float, int]]:
    table = Table.of(graph, usable)
    into, source, cost, also = table.into, table.source, table.cost, table.also
    reached = reach.cost
    found: dict[int, tuple[float, int]] = {}
    best: dict[int, float] = {}
    far = float("inf")
    heap: list[tuple[float, int, int]] = [(0.0, t, -1) for t in targets if t not in closed]
    push, pop = heapq.heappush, heapq.heappop
    while heap:
        spent, state, first = pop(heap)
        if state in found:
            continue
        found[state] = (spent, first)
        for index in into[state]:
            before = source[index]
            total = spent + cost[index]
            if total >= best.get(before, far) or before not in reached or before in closed:
                continue
            if also and index in also:
                extra = [reached.get(p) for p in also[index]]
                if None in extra:
                    continue
                total += sum(e for e in extra if e is not None)
                if total >= best.get(before, far):
                    continue
            best[before] = total
            push(heap, (total, before, index))
    return found


@dataclass(frozen=True)
class Way:
    """Steps in order from an entry to a target (numbers of the graph's steps)."""

    entry: int
    target: int
    steps: tuple[int, ...]
    cost: float

    def sure(self, graph: Graph) -> bool:
        """All its steps are certain."""
        return all(graph.steps[i].certain for i in self.steps)

    def foothold(self, graph: Graph) -> int:
        """The first state that is not a hub behind the entry."""
        for index in self.steps:
            state = graph.target[index]
            if graph.states[state][0] != HUB:
                return state
        return self.target


def ways(
    graph: Graph,
    entry: int,
    target: int,
    reach: Reach,
    *,
    usable: Usable = possible,
    closed: Collection[int] = (),
    alternatives: int = 3,
    told: Callable[[Way], bool] | None = None,
) -> Iterator[Way]:
    """One cheapest way per foothold, then ways that leave it somewhere, cheapest first.

    told: says of a cheapest way that nobody wants its alternatives.
    """
    if target not in reach.cost:
        return
    rest = backward(graph, target, reach, usable, closed)
    if entry not in rest:
        return
    table = Table.of(graph, usable)
    cost, source, there_of = table.cost, table.source, table.target
    tails: dict[int, tuple[int, ...]] = {target: ()}
    for number, first in enumerate(_openings(graph, entry, rest, usable)):
        best = (*first, *_tail(there_of, there_of[first[-1]], rest, tails))
        whole = _way(graph, entry, target, best, reach)
        yield whole
        # Beyond these, more ways in of the same kind have no alternatives of their own.
        if number >= MOST_OPENINGS or (told is not None and told(whole)):
            continue
        known = [_middle(graph, best, target)]
        spent = sum(cost[i] for i in first)
        others: list[tuple[float, int, int]] = []
        for position in range(len(first), len(best)):
            for index in table.out[source[best[position]]]:
                there = there_of[index]
                if index != best[position] and there in rest:
                    others.append((spent + cost[index] + rest[there][0], position, index))
            spent += cost[best[position]]
        for _, position, index in sorted(others):
            if len(known) > alternatives:
                break
            other = (*best[:position], index, *_tail(there_of, there_of[index], rest, tails))
            passed = {source[i] for i in other} | {target}
            if len(passed) <= len(other):  # a state twice
                continue
            middle = _middle(graph, other, target)
            # More of the same, by another door: only what leaves out something is another way.
            if any(o <= middle for o in known):
                continue
            known.append(middle)
            yield _way(graph, entry, target, other, reach)


def footholds(graph: Graph, entry: int, usable: Usable) -> dict[int, float]:
    """The states behind an entry, hubs passed, with the cost to get there."""
    table = Table.of(graph, usable)
    out: dict[int, float] = {}
    stack: list[tuple[int, int, float]] = [(entry, 0, 0.0)]
    while stack:
        state, depth, spent = stack.pop()
        for index in table.out[state]:
            there, total = table.target[index], spent + table.cost[index]
            if graph.states[there][0] == HUB and depth < 3:
                stack.append((there, depth + 1, total))
            elif there != entry and total < out.get(there, float("inf")):
                out[there] = total
    return out


def _openings(
    graph: Graph, entry: int, rest: dict[int, tuple[float, int]], usable: Usable
) -> Iterator[tuple[int, ...]]:
    """First steps from an entry, through hubs, the cheapest per foothold."""
    best: dict[int, tuple[float, tuple[int, ...]]] = {}
    table = Table.of(graph, usable)
    stack: list[tuple[int, tuple[int, ...], float]] = [(entry, (), 0.0)]
    while stack:
        state, before, spent = stack.pop()
        for index in table.out[state]:
            there = table.target[index]
            if there not in rest or there == entry:
                continue
            total = spent + table.cost[index]
            if graph.states[there][0] == HUB and len(before) < 3:
                stack.append((there, (*before, index), total))
                continue
            total += rest[there][0]
            if there not in best or total < best[there][0]:
                best[there] = (total, (*before, index))
    for _, first in sorted(best.values()):
        yield first


def _tail(
    target: list[int],
    state: int,
    rest: dict[int, tuple[float, int]],
    tails: dict[int, tuple[int, ...]],
) -> tuple[int, ...]:
    """The steps from a state to the end of the search that `rest` is of; `tails` remembers."""
    trail: list[tuple[int, int]] = []
    while state not in tails:
        step = rest[state][1]
        trail.append((state, step))
        state = target[step]
    found = tails[state]
    for before, step in reversed(trail):
        found = tails[before] = (step, *found)
    return found


def _middle(graph: Graph, steps: tuple[int, ...], target: int) -> frozenset[str]:
    """The resources between foothold and target: what makes a way another way."""
    return frozenset(
        graph.states[graph.target[i]][1]
        for i in steps[1:]
        if graph.target[i] != target and graph.states[graph.target[i]][0] != HUB
    )


def _way(graph: Graph, entry: int, target: int, steps: tuple[int, ...], reach: Reach) -> Way:
    """With the ways to the other premises of its steps put before the step that needs them."""
    if graph.joint.isdisjoint(steps):
        return Way(entry, target, steps, sum(graph.steps[i].cost for i in steps))
    out: list[int] = []
    have: set[int] = set()

    def lead_to(state: int, trail: frozenset[int]) -> None:
        index = reach.by.get(state)
        if index is None or index in have or state in trail:
            return
        take(index, trail | {state}, True)

    def take(index: int, trail: frozenset[int], whole: bool) -> None:
        if index in have:
            return
        if whole:
            lead_to(graph.source[index], trail)
        for premise in graph.steps[index].also:
            lead_to(graph.number[premise], trail)
        have.add(index)
        out.append(index)

    for index in steps:
        take(index, frozenset(), False)
    return Way(entry, target, tuple(out), sum(graph.steps[i].cost for i in out))
