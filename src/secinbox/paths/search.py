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


def possible(step: Step) -> bool:
    """Not stopped by anything known."""
    return not step.blocked


def certain(step: Step) -> bool:
    """Possible for sure."""
    return step.certain and not step.blocked


@dataclass
class Reach:
    """What is reached from one entry: cost of each state, and the step that led there."""

    cost: dict[int, float] = field(default_factory=dict)
    by: dict[int, int] = field(default_factory=dict)


def forward(
    graph: Graph, entry: int, usable: Usable = possible, without: Collection[int] = ()
) -> Reach:
    """The least fixpoint from an entry, cheapest way first. `without`: steps that are taken away."""
    reach = Reach()
    best: dict[int, float] = {entry: 0.0}
    by: dict[int, int] = {}
    waiting: dict[int, list[int]] = {}
    heap: list[tuple[float, int]] = [(0.0, entry)]
    settled = reach.cost
    while heap:
        cost, state = heapq.heappop(heap)
        if state in settled:
            continue
        settled[state] = cost
        if state in by:
            reach.by[state] = by[state]
        for index in (*graph.out[state], *waiting.pop(state, ())):
            step = graph.steps[index]
            if index in without or not usable(step):
                continue
            total = settled.get(graph.source[index])
            if total is None:
                continue
            for premise in step.also:
                number = graph.number[premise]
                if number not in settled:
                    waiting.setdefault(number, []).append(index)
                    total = None
                    break
                total += settled[number]
            if total is None:
                continue
            target = graph.target[index]
            total += step.cost
            if target not in settled and total < best.get(target, float("inf")):
                best[target] = total
                by[target] = index
                heapq.heappush(heap, (total, target))
    return reach


def backward(
    graph: Graph, target: int, reach: Reach, usable: Usable, closed: Collection[int] = ()
) -> dict[int, tuple[float, int]]:
    """For each reached state the cost to the target and the first step of that way.

    closed: states through which no way to this target may go.
    """
    found: dict[int, tuple[float, int]] = {}
    heap: list[tuple[float, int, int]] = [(0.0, target, -1)]
    while heap:
        cost, state, step_number = heapq.heappop(heap)
        if state in found or state in closed:
            continue
        found[state] = (cost, step_number)
        for index in graph.into[state]:
            step = graph.steps[index]
            source = graph.source[index]
            if source in found or source not in reach.cost or not usable(step):
                continue
            extra = 0.0
            for premise in step.also:
                known = reach.cost.get(graph.number[premise])
                if known is None:
                    break
                extra += known
            else:
                heapq.heappush(heap, (cost + step.cost + extra, source, index))
    return found


@dataclass(frozen=True)
class Way:
    """Steps in order from an entry to a target (numbers of the graph's steps)."""

    entry: int
    target: int
    steps: tuple[int, ...]
    cost: float

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
) -> Iterator[Way]:
    """One cheapest way per foothold, then ways that leave it somewhere, cheapest first."""
    if target not in reach.cost:
        return
    rest = backward(graph, target, reach, usable, closed)
    if entry not in rest:
        return
    for first in _openings(graph, entry, rest, usable):
        tail = _follow(graph, first[-1], rest)
        if tail is None:
            continue
        best = (*first, *tail)
        known = [_middle(graph, best, target)]
        yield _way(graph, entry, target, best, reach)
        others: list[tuple[float, tuple[int, ...]]] = []
        for position in range(len(first), len(best)):
            state = graph.source[best[position]]
            for index in graph.out[state]:
                step = graph.steps[index]
                if index == best[position] or not usable(step) or graph.target[index] not in rest:
                    continue
                tail = _follow(graph, index, rest)
                if tail is None:
                    continue
                whole = (*best[:position], index, *tail)
                passed = {graph.source[i] for i in whole} | {target}
                if len(passed) == len(whole) + 1:  # no state twice
                    others.append((sum(graph.steps[i].cost for i in whole), whole))
        for _, whole in sorted(others):
            middle = _middle(graph, whole, target)
            if len(known) > alternatives:
                break
            # More of the same, by another door: only what leaves out something is another way.
            if any(other <= middle for other in known):
                continue
            known.append(middle)
            yield _way(graph, entry, target, whole, reach)


def _openings(
    graph: Graph, entry: int, rest: dict[int, tuple[float, int]], usable: Usable
) -> Iterator[tuple[int, ...]]:
    """First steps from an entry, through hubs, the cheapest per foothold."""
    best: dict[int, tuple[float, tuple[int, ...]]] = {}
    stack: list[tuple[int, tuple[int, ...], float]] = [(entry, (), 0.0)]
    while stack:
        state, before, cost = stack.pop()
        for index in graph.out[state]:
            step = graph.steps[index]
            there = graph.target[index]
            if not usable(step) or there not in rest or there == entry:
                continue
            if graph.states[there][0] == HUB and len(before) < 3:
                stack.append((there, (*before, index), cost + step.cost))
                continue
            total = cost + step.cost + rest[there][0]
            if there not in best or total < best[there][0]:
                best[there] = (total, (*before, index))
    for _, first in sorted(best.values()):
        yield first


def _follow(graph: Graph, index: int, rest: dict[int, tuple[float, int]]) -> tuple[int, ...] | None:
    out: list[int] = []
    state = graph.target[index]
    while True:
        step = rest[state][1]
        if step < 0:
            return tuple(out)
        out.append(step)
        state = graph.target[step]
        if len(out) > len(rest):
            return None


def _middle(graph: Graph, steps: tuple[int, ...], target: int) -> frozenset[str]:
    """The resources between foothold and target: what makes a way another way."""
    return frozenset(
        graph.states[graph.target[i]][1]
        for i in steps[1:]
        if graph.target[i] != target and graph.states[graph.target[i]][0] != HUB
    )


def _way(graph: Graph, entry: int, target: int, steps: tuple[int, ...], reach: Reach) -> Way:
    """With the ways to the other premises of its steps put before the step that needs them."""
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
