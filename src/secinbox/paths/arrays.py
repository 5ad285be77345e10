"""Searches over whole arrays: the answers of `search` and `cuts` for graphs of many steps.

Instead of one state after the other, all states whose cost lies within a narrow band are taken at
once, and again while one of them gets cheaper (delta stepping). It needs numpy; where that is not
installed, or where a graph is so deep that bands hold a state or two, the queues answer.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from secinbox.paths.graph import Graph, Made, State, Step

Ints = npt.NDArray[np.int64]
Steps = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
_T = TypeVar("_T", int, float)
# Beyond so many rounds, or looks at each step, queues are quicker.
MOST_ROUNDS = 3_000
MOST_LOOKS = 20
# States for each one reached, beyond which the reached ones are kept alone: entries may be many.
SPARSE = 8
# Layers of the tree of dominators in a row that settle few states.
MOST_IDLE = 3


def of_columns(
    states: Sequence[State],
    source: Steps,
    target: Steps,
    cost: Floats,
    marks: npt.NDArray[np.uint8],
    make: Callable[[int], Step],
) -> Graph:
    """A graph of rows with one premise each, in any order; `make` tells the step of a row.

    states: in the order of their names. Raises ValueError where they are not, or an end is none.
    """
    if any(before >= after for before, after in pairwise(states)):
        raise ValueError("states are not in the order of their names")
    for ends in (source, target):
        if len(ends) and not 0 <= int(ends.min()) <= int(ends.max()) < len(states):
            raise ValueError("a step has an end that is no state")
    key = source.astype(np.int64)
    key <<= 32
    key |= target
    order = np.argsort(key)
    key = key[order]
    same = np.zeros(len(key) + 1, np.bool_)
    same[1:-1] = key[1:] == key[:-1]
    # Of rows with the same ends the cheaper, and of those the surer, comes first.
    twins = np.flatnonzero(same[:-1] | same[1:])
    rows = order[twins]
    order[twins] = rows[np.lexsort((rows, marks[rows], cost[rows], key[twins]))]
    made = Made(len(order), lambda index: make(int(order[index])))
    graph = Graph(states, made, array("i"), array("i"), array("d"), array("B"), {})
    graph.source.frombytes(source[order].tobytes())
    graph.target.frombytes(target[order].tobytes())
    graph.cost.frombytes(cost[order].tobytes())
    graph.marks.frombytes(marks[order].tobytes())
    return graph


class Column(Mapping[int, _T]):
    """An array as a mapping; entries that are not `here` are absent."""

    def __init__(self, numbers: npt.NDArray[Any], here: Bools) -> None:
        self.numbers, self.here = numbers, here

    def __getitem__(self, key: int) -> _T:
        if not 0 <= key < len(self.here) or not self.here[key]:
            raise KeyError(key)
        found: _T = self.numbers[key].item()
        return found

    def __contains__(self, key: object) -> bool:
        return isinstance(key, int) and 0 <= key < len(self.here) and bool(self.here[key])

    def __iter__(self) -> Iterator[int]:
        return iter(np.flatnonzero(self.here).tolist())

    def __len__(self) -> int:
        return int(np.count_nonzero(self.here))


class Lanes:
    """Steps by the state at one of their ends: those of a state lie beside each other.

    first: where those of a state begin; step: numbers of the steps, ascending for each state;
    beyond: the state at the other end.
    """

    def __init__(self, at: Steps, beyond: Steps, kept: Ints, states: int) -> None:
        here = at[kept]
        if len(here) and np.any(here[1:] < here[:-1]):
            key = here.astype(np.int64)
            key <<= 32
            key |= kept
            key.sort()
            key &= 0xFFFFFFFF
            self.step = key
        else:
            self.step = kept
        self.first = np.zeros(states + 1, np.int64)
        np.cumsum(np.bincount(here, minlength=states), out=self.first[1:])
        self.counts = np.diff(self.first)
        self.beyond = beyond[self.step]

    def of(self, states: Ints) -> tuple[Ints, Ints]:
        """Places in `step` of all steps of these states, and how many each state has."""
        count = self.counts[states]
        total = int(count.sum())
        ends = np.cumsum(count)
        return np.repeat(self.first[states] - ends + count, count) + np.arange(total), count


class Arrays:
    """The usable steps of a graph. Methods return None where a queue is quicker."""

    def __init__(self, graph: Graph, usable: int) -> None:
        self.states = len(graph.states)
        self.source = np.frombuffer(graph.source, np.int32)
        self.target = np.frombuffer(graph.target, np.int32)
        self.cost = np.frombuffer(graph.cost, np.float64)
        kept = np.flatnonzero((np.frombuffer(graph.marks, np.uint8) & usable) == 0)
        self.out = Lanes(self.source, self.target, kept, self.states)
        self._kept = kept
        self._into: Lanes | None = None
        joint = np.array(sorted(graph.also), np.int64)
        self.joint = joint[(np.frombuffer(graph.marks, np.uint8)[joint] & usable) == 0]
        # Premises of the steps with several, each row filled with a state that costs nothing.
        rows = [(graph.source[i], *graph.also[i]) for i in self.joint.tolist()]
        widest = max(map(len, rows), default=1)
        self.premises = np.array(
            [(*r, *[self.states] * (widest - len(r))) for r in rows], np.int64
        ).reshape(len(rows), widest)

    @property
    def into(self) -> Lanes:
        """Steps by the state that they reach."""
        if self._into is None:
            self._into = Lanes(self.target, self.source, self._kept, self.states)
        return self._into

    def _weights(self, lanes: Lanes, gone: Collection[int] | Ints) -> Floats:
        """The cost of each lane; no way leads along the steps that are gone."""
        if not len(gone):
            return self.cost[lanes.step]
        cost = self.cost.copy()
        cost[np.fromiter(gone, np.int64, len(gone))] = np.inf
        return cost[lanes.step]

    def forward(
        self, entry: int, without: Collection[int] = ()
    ) -> tuple[Mapping[int, float], Mapping[int, int]] | None:
        """Cost of each state that is reached, and the step that leads there."""
        joint, premises = self.joint, self.premises
        if without and len(joint):
            stays = ~np.isin(joint, np.fromiter(without, np.int64, len(without)))
            joint, premises = joint[stays], premises[stays]
        gone = [*without, *self.joint.tolist()] if len(self.joint) else without
        weights = self._weights(self.out, gone)
        starts = np.array([entry])
        best = self._cheapest(self.out, weights, starts, joint, premises)
        if best is None:
            return None
        by = self._by(self.out, weights, best, starts, joint, premises)
        return _columns(best[:-1], by)

    def backward(
        self, targets: Collection[int], reached: Mapping[int, float], closed: Collection[int]
    ) -> tuple[Mapping[int, float], Mapping[int, int]] | None:
        """Cost from each reached state to the cheapest target, and the first step of that way."""
        starts = np.array(sorted(set(targets) - set(closed)), np.int64)
        known = np.full(self.states + 1, np.inf)
        if isinstance(reached, Column):
            known[:-1] = np.where(reached.here, reached.numbers, np.inf)
        else:
            known[list(reached)] = list(reached.values())
        allowed = np.isfinite(known)
        allowed[list(closed)] = False
        known[-1] = 0.0
        lanes, none = self.into, np.zeros(0, np.int64)
        weights = self.cost[lanes.step]
        if len(self.joint):
            # The other premises are had from the entry, whatever the way to the target.
            cost = self.cost.copy()
            extra = np.zeros(len(self.joint))
            for column in self.premises.T[1:]:
                extra += known[column]
            cost[self.joint] += extra
            weights = cost[lanes.step]
        weights[~allowed[lanes.beyond]] = np.inf
        best = self._cheapest(lanes, weights, starts, none, self.premises[:0])
        if best is None:
            return None
        by = self._by(lanes, weights, best, starts, none, self.premises[:0])
        return _columns(best[:-1], by)

    def _cheapest(
        self, lanes: Lanes, weights: Floats, starts: Ints, joint: Ints, premises: Ints
    ) -> Floats | None:
        """The least cost of every state; the entry behind the last is the state that is free.

        Every value is the cost of some way, and in the end no step makes one cheaper: with costs
        that never fall along a step, that is the least fixpoint.
        """
        best = np.full(self.states + 1, np.inf)
        best[-1] = 0.0
        best[starts] = 0.0
        fresh = np.zeros(self.states, np.bool_)  # cheaper since its steps were looked at
        fresh[starts] = True
        turn = np.zeros(self.states, np.int64)
        # An eighth of the mean: few states are taken twice, and rounds stay few (measured).
        band = float(self.cost.mean()) / 8 if len(self.cost) else 1.0
        active, limit, looks = starts, band, 0
        for _ in range(MOST_ROUNDS):
            if not len(active):
                if len(joint):
                    total = self._joint_cost(best, joint, premises)
                    there = self.target[joint]
                    less = total < best[there]
                    np.minimum.at(best, there[less], total[less])
                    fresh[there[less]] = True
                waiting = np.flatnonzero(fresh)
                if not len(waiting):
                    return best
                limit = float(best[waiting].min()) + band
                active = waiting[best[waiting] < limit]
                if not len(active):  # the band is less than the precision of such a cost
                    active = waiting
            fresh[active] = False
            places, count = lanes.of(active)
            looks += len(places)
            if looks > MOST_LOOKS * len(lanes.step):
                return None
            there = lanes.beyond[places]
            total = np.repeat(best[active], count) + weights[places]
            less = total < best[there]
            there, total = there[less], total[less]
            np.minimum.at(best, there, total)
            fresh[there] = True
            there = there[best[there] < limit]
            turn[there] = np.arange(len(there))
            active = there[turn[there] == np.arange(len(there))].astype(np.int64)
        return None

    def _joint_cost(self, best: Floats, joint: Ints, premises: Ints) -> Floats:
        total = np.zeros(len(joint))
        for column in premises.T:
            total += best[column]
        return total + self.cost[joint]

    def _by(
        self,
        lanes: Lanes,
        weights: Floats,
        best: Floats,
        starts: Ints,
        joint: Ints,
        premises: Ints,
    ) -> Ints:
        """The step that leads to each state: see `search.Reach` for which of equal ones."""
        none = len(self.cost)
        by = np.full(self.states, none, np.int64)
        before = np.repeat(best[:-1], lanes.counts)
        after = best[lanes.beyond]
        tight = (before + weights == after) & np.isfinite(after)
        dear = tight & (before < after)
        np.minimum.at(by, lanes.beyond[dear], lanes.step[dear])
        there = self.target[joint]
        joint_tight = (self._joint_cost(best, joint, premises) == best[there]) & np.isfinite(
            best[there]
        )
        equal = best[premises] == best[there][:, None]
        dear_joint = joint_tight & ~equal.any(axis=1)
        np.minimum.at(by, there[dear_joint], joint[dear_joint])
        done = by < none
        done[starts] = True
        by[starts] = none
        # What is left is reached by steps that cost nothing: ring by ring around what has a step.
        free = np.flatnonzero(tight & ~dear)
        free = free[~done[lanes.beyond[free]]]
        source = np.searchsorted(lanes.first, free, side="right") - 1
        rest = np.flatnonzero(joint_tight & ~dear_joint)
        while len(free) or len(rest):
            ready = done[source]
            places, landed = free[ready], lanes.beyond[free[ready]]
            np.minimum.at(by, landed, lanes.step[places])
            steady = np.append(done, True)
            able = rest[(steady[premises[rest]] | ~equal[rest]).all(axis=1)]
            able = able[~done[there[able]]]
            np.minimum.at(by, there[able], joint[able])
            if not len(landed) and not len(able):
                break
            done[landed] = True
            done[there[able]] = True
            still = ~done[lanes.beyond[free]]
            free, source = free[still], source[still]
            rest = rest[~done[there[rest]]]
        by[by == none] = -1
        return by

    def dominators(self, entries: Collection[int]) -> Column[int] | None:
        """Immediate dominator of each reached state, -1 where that is the start.

        From a spanning tree: the parent of a state becomes the nearest common ancestor of what
        leads to it, for many states at once, until nothing changes. What dominates a state is always
        among its ancestors, and the tree that stays as it is has no others (the greatest solution
        of the equations of dominators).
        """
        root = self.states
        parent = self._tree(np.array(sorted(set(entries)), np.int64))
        if parent is None:
            return None
        here = parent[:-1] >= 0
        parent[parent < 0] = root
        left = self._layered(parent, here)
        if not self._lifted(parent, here, left):
            return None
        answer = parent[:-1]
        answer[answer == root] = -1
        return Column(answer, here)

    def _tree(self, roots: Ints) -> Ints | None:
        """Parents in a breadth-first tree; -1 where nothing leads, the last entry is the start."""
        parent = np.full(self.states + 1, -1, np.int64)
        parent[roots] = self.states
        parent[-1] = self.states
        active = roots
        for _ in range(MOST_ROUNDS):
            if not len(active):
                return parent
            places, count = self.out.of(active)
            there = self.out.beyond[places]
            above = np.repeat(active, count)
            new = parent[there] < 0
            there, above = there[new], above[new]
            parent[there] = above  # of several the last stays
            active = there[parent[there] == above]
            # Parallel steps of one parent lead there twice.
            active = np.unique(active).astype(np.int64)
        return None

    def _layered(self, parent: Ints, here: Bools) -> Ints:
        """Settles the tree from its top, layer by layer, while that is quick; the states left.

        Where the states above are settled, what is led to from two branches of one of them, or
        from it itself, is its child, and nothing else is.
        """
        settled = np.zeros(len(parent), np.bool_)
        settled[-1] = True
        states = np.flatnonzero(here)
        idle = 0
        while len(states) and idle < MOST_IDLE:
            before = len(states)
            states = states[~settled[parent[states]]]
            while len(states):
                top = np.where(settled[parent], np.arange(len(parent)), parent)
                while not np.array_equal(higher := top[top], top):
                    top = higher
                places, count = self.into.of(states)
                near = self.into.beyond[places]
                other = (top[near] != np.repeat(top[states], count)) & here[near]
                # How many of the other branches lead to each state; each has a step at least.
                apart = np.add.reduceat(other, np.cumsum(count) - count) > 0
                if not apart.any():
                    break
                moved, states = states[apart], states[~apart]
                parent[moved] = parent[top[moved]]
            settled |= settled[parent]
            idle = idle + 1 if before - len(states) < before // 4 else 0
        return states

    def _lifted(self, parent: Ints, here: Bools, states: Ints) -> bool:
        """Moves the parents of these states up until nothing changes; False: it takes too long."""
        places, count = self.into.of(states)
        near = self.into.beyond[places].astype(np.int64)
        own = np.repeat(np.arange(len(states)), count)
        own, near = own[here[near]], near[here[near]]
        looks = 0
        while looks <= MOST_LOOKS * len(self.source):
            depth, up = _ladder(parent)
            looks += len(own) * len(up)
            meet = _meet(near, parent[states][own], depth, up)
            # All meets lie on the way from the parent to the start: the one nearest to it counts.
            least = depth[parent[states]]
            np.minimum.at(least, own, depth[meet])
            nearest = depth[meet] == least[own]
            new = parent[states]
            new[own[nearest]] = meet[nearest]
            if np.array_equal(new, parent[states]):
                return True
            parent[states] = new
        return False


def _ladder(parent: Ints) -> tuple[Ints, list[Ints]]:
    """Depth of every state and its ancestors 1, 2, 4, 8 ... above."""
    root = len(parent) - 1
    depth = np.ones(len(parent), np.int64)
    depth[-1] = 0
    up = [parent.copy()]
    while True:
        higher = up[-1]
        depth = depth + depth[higher]
        if np.all(higher == root):
            return depth, up
        up.append(higher[higher])


def _meet(one: Ints, two: Ints, depth: Ints, up: list[Ints]) -> Ints:
    """The nearest common ancestors of pairs."""
    swap = depth[one] < depth[two]
    low, high = np.where(swap, two, one), np.where(swap, one, two)
    gap = depth[low] - depth[high]
    for level, above in enumerate(up):
        low = np.where(gap >> level & 1, above[low], low)
    for above in reversed(up):
        apart = above[low] != above[high]
        low, high = np.where(apart, above[low], low), np.where(apart, above[high], high)
    return np.where(low == high, low, up[0][low])


def _columns(best: Floats, by: Ints) -> tuple[Mapping[int, float], Mapping[int, int]]:
    """Costs and steps; where few states are reached a dictionary takes less than whole arrays."""
    here, led = np.isfinite(best), by >= 0
    if np.count_nonzero(here) * SPARSE >= len(best):
        return Column(best, here), Column(by, led)
    reached, some = np.flatnonzero(here), np.flatnonzero(led)
    return (
        dict(zip(reached.tolist(), best[reached].tolist(), strict=True)),
        dict(zip(some.tolist(), by[some].tolist(), strict=True)),
    )
