"""Cheapest ways from entries to targets, and the alternatives that a fix would leave open.

Knuth's generalisation of Dijkstra's algorithm: a step with several premises is taken when the last
of them is reached. Per pair of foothold and target there is one cheapest way and a bounded number
of ways that leave it; nothing enumerates all paths.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING

from secinbox.paths.graph import BLOCKED, HUB, TO_ADMIN, TO_EXEC, UNSURE, Graph

if TYPE_CHECKING:
    from secinbox.paths.arrays import Arrays

# A kind of search: the marks of the steps that it may not use.
Usable = int
possible: Usable = BLOCKED  # not stopped by anything known
certain: Usable = BLOCKED | UNSURE  # possible for sure
outside: Usable = BLOCKED | TO_EXEC  # possible, and runs no code
# Possible (for sure), and not by control of anything: what control gives is not told one by one.
beside: Usable = BLOCKED | TO_ADMIN
certain_beside: Usable = certain | TO_ADMIN
# Footholds of one target whose alternatives are looked at, too.
MOST_OPENINGS = 40
# Steps from which on whole arrays are searched at once (docs/adr/0021): below, a queue is quicker.
MANY = 20_000
# A large graph of which less than this part is reached is walked back state by state.
FEW = 50
NONE: array[int] = array("i")


class Table:
    """The steps that a kind of search may use, by the state that they leave and by that they reach.

    Beyond MANY steps `arrays` has them and searches all at once.
    """

    __slots__ = ("arrays", "graph", "usable")

    def __init__(self, graph: Graph, usable: Usable) -> None:
        self.graph, self.usable = graph, usable
        self.arrays: Arrays | None = None
        if len(graph.steps) >= MANY and find_spec("numpy") is not None:
            from secinbox.paths.arrays import Arrays

            self.arrays = Arrays(graph, usable)

    def out(self, state: int) -> list[int]:
        """The steps that leave a state."""
        first, marks, usable = self.graph.first, self.graph.marks, self.usable
        return [i for i in range(first[state], first[state + 1]) if not marks[i] & usable]

    def into(self, state: int) -> list[int]:
        """The steps that reach a state."""
        first, order = self.graph.arriving
        marks, usable = self.graph.marks, self.usable
        return [i for i in order[first[state] : first[state + 1]] if not marks[i] & usable]

    @classmethod
    def of(cls, graph: Graph, usable: Usable) -> Table:
        """The table of a graph, made once for each kind of search."""
        found = graph.tables.get(usable)
        if not isinstance(found, Table):
            found = graph.tables[usable] = cls(graph, usable)
        return found


@dataclass(frozen=True)
class Reach:
    """What a search gets to: cost of each state, and the step of the cheapest way there.

    Of the steps that are equally cheap the first of the graph is told, before all of those that
    cost nothing any that costs something: no way goes in a circle.
    """

    cost: Mapping[int, float]
    by: Mapping[int, int]
    # The steps between reached states by the state that they reach, for each kind of search.
    between: dict[Usable, dict[int, list[int]]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def few(self, graph: Graph) -> bool:
        """So few states are reached that walking them is quicker than looking at whole arrays."""
        return len(self.cost) * FEW < len(graph.states)

    def into(self, graph: Graph, usable: Usable) -> dict[int, list[int]]:
        """State -> the steps from reached states that lead there."""
        found = self.between.get(usable)
        if found is None:
            found = self.between[usable] = {}
            for state in self.cost:
                for index in range(graph.first[state], graph.first[state + 1]):
                    if not graph.marks[index] & usable:
                        found.setdefault(graph.target[index], []).append(index)
        return found

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
    if table.arrays is not None:
        found = table.arrays.forward(entry, without)
        if found is not None:
            return Reach(*found)
    return _queued(table, entry, without)


def _queued(table: Table, entry: int, without: Collection[int]) -> Reach:
    graph, usable = table.graph, table.usable
    first, target, source, cost, also, marks = (
        graph.first, graph.target, graph.source, graph.cost, graph.also, graph.marks
    )  # fmt: skip
    best: dict[int, float] = {entry: 0.0}
    by: dict[int, int] = {}
    # Steps that cost nothing on the way from the last one that costs something.
    free: dict[int, int] = {entry: 0}
    waiting: dict[int, list[int]] = {}
    heap: list[tuple[float, int, int]] = [(0.0, 0, entry)]
    settled: dict[int, float] = {}
    push, pop, far = heapq.heappush, heapq.heappop, float("inf")
    while heap:
        spent, deep, state = pop(heap)
        if state in settled:
            continue
        settled[state] = spent
        steps: Iterable[int] = range(first[state], first[state + 1])
        if waiting and state in waiting:
            steps = [*steps, *waiting.pop(state)]
        for index in steps:
            there = target[index]
            if marks[index] & usable or there in settled:
                continue
            total = spent + cost[index]
            depth = deep + 1 if total == spent else 0
            if also and index in also:
                premises = (source[index], *also[index])
                found = _premises(index, premises, settled, waiting)
                if found is None:
                    continue
                total = found + cost[index]
                depth = max(free[p] + 1 if settled[p] == total else 0 for p in premises)
            known = best.get(there, far)
            if total > known or (without and index in without):
                continue
            if total == known:
                before = free[there]
                if depth > before or (depth == before and index > by[there]):
                    continue
            best[there], free[there], by[there] = total, depth, index
            push(heap, (total, depth, there))
    return Reach(settled, by)


def _premises(
    index: int,
    premises: tuple[int, ...],
    settled: dict[int, float],
    waiting: dict[int, list[int]],
) -> float | None:
    """The cost of all premises; None, and the step waits for it, where one is not reached yet."""
    total = 0.0
    for premise in premises:
        known = settled.get(premise)
        if known is None:
            if premise != premises[0]:
                waiting.setdefault(premise, []).append(index)
            return None
        total += known
    return total


def backward(
    graph: Graph,
    targets: Collection[int],
    reach: Reach,
    usable: Usable,
    closed: Collection[int] = (),
) -> Reach:
    """For each reached state the cost to whichever target is cheapest, and the first step there.

    closed: states through which no way to a target may go.
    """
    table = Table.of(graph, usable)
    near: dict[int, list[int]] | None = None
    if table.arrays is not None and reach.few(graph):
        near = reach.into(graph, usable)
    elif table.arrays is not None:
        answer = table.arrays.backward(targets, reach.cost, closed)
        if answer is not None:
            return Reach(*answer)
    source, cost, also, marks = graph.source, graph.cost, graph.also, graph.marks
    first, order = graph.arriving if near is None else (NONE, NONE)
    reached = reach.cost
    found: dict[int, float] = {}
    best = {t: 0.0 for t in targets if t not in closed}
    by: dict[int, int] = {}
    free = dict.fromkeys(best, 0)
    far = float("inf")
    heap: list[tuple[float, int, int]] = [(0.0, 0, t) for t in sorted(best)]
    push, pop = heapq.heappush, heapq.heappop
    while heap:
        spent, deep, state = pop(heap)
        if state in found:
            continue
        found[state] = spent
        steps = order[first[state] : first[state + 1]] if near is None else near.get(state, NONE)
        for index in steps:
            before = source[index]
            if (
                marks[index] & usable
                or before in found
                or before not in reached
                or before in closed
            ):
                continue
            weight = cost[index]
            if also and index in also:
                extra = [reached.get(p, far) for p in also[index]]
                if far in extra:
                    continue
                weight += sum(extra)
            total = spent + weight
            known = best.get(before, far)
            depth = deep + 1 if total == spent else 0
            if total > known:
                continue
            if total == known and (
                depth > free[before] or (depth == free[before] and index > by.get(before, -1))
            ):
                continue
            best[before], free[before], by[before] = total, depth, index
            push(heap, (total, depth, before))
    return Reach(found, by)


@dataclass(frozen=True)
class Way:
    """Steps in order from an entry to a target (numbers of the graph's steps)."""

    entry: int
    target: int
    steps: tuple[int, ...]
    cost: float

    def sure(self, graph: Graph) -> bool:
        """All its steps are certain."""
        return not any(graph.marks[i] & UNSURE for i in self.steps)

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
    rest = backward(graph, [target], reach, usable, closed)
    if entry not in rest.cost:
        return
    table = Table.of(graph, usable)
    cost, source, there_of = graph.cost, graph.source, graph.target
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
            for index in table.out(source[best[position]]):
                there = there_of[index]
                if index != best[position] and there in rest.cost:
                    others.append((spent + cost[index] + rest.cost[there], position, index))
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
        for index in table.out(state):
            there, total = graph.target[index], spent + graph.cost[index]
            if graph.states[there][0] == HUB and depth < 3:
                stack.append((there, depth + 1, total))
            elif there != entry and total < out.get(there, float("inf")):
                out[there] = total
    return out


def _openings(graph: Graph, entry: int, rest: Reach, usable: Usable) -> Iterator[tuple[int, ...]]:
    """First steps from an entry, through hubs, the cheapest per foothold."""
    best: dict[int, tuple[float, tuple[int, ...]]] = {}
    table = Table.of(graph, usable)
    stack: list[tuple[int, tuple[int, ...], float]] = [(entry, (), 0.0)]
    while stack:
        state, before, spent = stack.pop()
        for index in table.out(state):
            there = graph.target[index]
            if there not in rest.cost or there == entry:
                continue
            total = spent + graph.cost[index]
            if graph.states[there][0] == HUB and len(before) < 3:
                stack.append((there, (*before, index), total))
                continue
            total += rest.cost[there]
            if there not in best or total < best[there][0]:
                best[there] = (total, (*before, index))
    for _, first in sorted(best.values()):
        yield first


def _tail(
    target: Sequence[int],
    state: int,
    rest: Reach,
    tails: dict[int, tuple[int, ...]],
) -> tuple[int, ...]:
    """The steps from a state to the end of the search that `rest` is of; `tails` remembers."""
    trail: list[tuple[int, int]] = []
    while state not in tails:
        step = rest.by[state]
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
    if not graph.also or graph.also.keys().isdisjoint(steps):
        return Way(entry, target, steps, sum(graph.cost[i] for i in steps))
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
        for premise in graph.also.get(index, ()):
            lead_to(premise, trail)
        have.add(index)
        out.append(index)

    for index in steps:
        take(index, frozenset(), False)
    return Way(entry, target, tuple(out), sum(graph.cost[i] for i in out))
