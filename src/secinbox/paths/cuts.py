"""The fix plan: the smallest set of actions after which no path is left, and choke points.

An action takes away every step that has the same cause. The plan is a minimum weighted hitting set
found by adding paths until none survives the chosen actions (implicit hitting sets), exact while it
is small; beyond that greedy, with a lower bound printed beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from secinbox.paths.graph import Action, Graph
from secinbox.paths.search import Table, Usable, certain, forward

EXACT_PATHS = 400
EXACT_NODES = 40_000  # branch-and-bound nodes before the greedy answer stands


@dataclass
class Cut:
    """The answer: actions in the order of what they protect, and how good it is."""

    actions: list[Action] = field(default_factory=list)
    effort: float = 0.0
    bound: float = 0.0  # no set of actions with less effort cuts everything
    uncut: list[tuple[int, int]] = field(default_factory=list)  # (entry, target) with no action

    @property
    def exact(self) -> bool:
        return self.effort <= self.bound + 1e-9


def smallest_cut(
    graph: Graph,
    pairs: Mapping[int, Iterable[int]],
    *,
    usable: Usable = certain,
    closed: Callable[[int], frozenset[int]] = lambda _: frozenset(),
    rounds: int = 200,
) -> Cut:
    """The cheapest actions that leave no usable way from an entry to its targets.

    pairs: entry -> targets. A way on which no step has an action cannot be cut and is told.
    """
    actions: dict[str, Action] = {}
    steps_of: dict[str, set[int]] = {}
    for index, step in enumerate(graph.steps):
        if graph.marks[index] & usable:
            continue
        for action in step.actions:
            known = actions.setdefault(action.key, action)
            if action.effort < known.effort:
                actions[action.key] = action
            steps_of.setdefault(action.key, set()).add(index)
    found: dict[frozenset[str], None] = {}
    hopeless: set[tuple[int, int]] = set()
    chosen: frozenset[str] = frozenset()
    bound = 0.0
    for _ in range(rounds):
        removed = {i for key in chosen for i in steps_of[key]}
        fresh = _remaining(graph, pairs, usable, removed, hopeless)
        if not fresh:
            break
        for way in fresh:
            found.setdefault(way)
        chosen, bound = _hitting_set(list(found), actions)
    cut = Cut(uncut=sorted(hopeless))
    cut.actions = [actions[k] for k in _by_gain(chosen, list(found))]
    cut.effort = sum(a.effort for a in cut.actions)
    cut.bound = bound
    return cut


def _remaining(
    graph: Graph,
    pairs: Mapping[int, Iterable[int]],
    usable: Usable,
    removed: set[int],
    hopeless: set[tuple[int, int]],
) -> list[frozenset[str]]:
    """One surviving way per entry and target, as the keys of the actions that would cut it."""
    out: list[frozenset[str]] = []
    for entry, targets in pairs.items():
        reach = forward(graph, entry, usable, removed)
        for target in targets:
            if target not in reach.cost or (entry, target) in hopeless:
                continue
            keys: set[str] = set()
            stack, seen = [target], {entry}
            while stack:
                state = stack.pop()
                if state in seen:
                    continue
                seen.add(state)
                index = reach.by.get(state)
                if index is None:
                    continue
                keys |= {a.key for a in graph.steps[index].actions}
                stack += (graph.source[index], *graph.also.get(index, ()))
            if keys:
                out.append(frozenset(keys))
            else:
                hopeless.add((entry, target))
    return out


def _hitting_set(
    sets: Sequence[frozenset[str]], actions: Mapping[str, Action]
) -> tuple[frozenset[str], float]:
    """(keys, lower bound): one key at least of every set, with the least effort."""
    minimal = [s for s in sets if not any(o < s for o in sets)]
    greedy = _greedy(minimal, actions)
    cost = sum(actions[k].effort for k in greedy)
    if len(minimal) > EXACT_PATHS:
        return greedy, _disjoint(minimal, actions)
    best, value, complete = _branch(minimal, actions, greedy, cost)
    return best, value if complete else _disjoint(minimal, actions)


def _greedy(sets: Sequence[frozenset[str]], actions: Mapping[str, Action]) -> frozenset[str]:
    left = list(sets)
    chosen: set[str] = set()
    while left:
        counts = Counter(k for s in left for k in s)
        key = min(counts, key=lambda k: (actions[k].effort / counts[k], k))
        chosen.add(key)
        left = [s for s in left if key not in s]
    for key in sorted(chosen, key=lambda k: (-actions[k].effort, k)):  # what others made needless
        if all(s & (chosen - {key}) for s in sets):
            chosen.discard(key)
    return frozenset(chosen)


def _disjoint(sets: Sequence[frozenset[str]], actions: Mapping[str, Action]) -> float:
    """Paths without a common action need an action each: a lower bound of the effort."""
    used: set[str] = set()
    total = 0.0
    for one in sorted(sets, key=lambda s: (len(s), sorted(s))):
        if not one & used:
            used |= one
            total += min(actions[k].effort for k in one)
    return total


def _branch(
    sets: list[frozenset[str]], actions: Mapping[str, Action], start: frozenset[str], cost: float
) -> tuple[frozenset[str], float, bool]:
    best, best_cost, nodes = start, cost, 0
    stack: list[tuple[frozenset[str], float, list[frozenset[str]]]] = [(frozenset(), 0.0, sets)]
    while stack:
        nodes += 1
        if nodes > EXACT_NODES:
            return best, best_cost, False
        chosen, spent, left = stack.pop()
        if not left:
            if spent < best_cost - 1e-9:
                best, best_cost = chosen, spent
            continue
        if spent + _disjoint(left, actions) >= best_cost - 1e-9:
            continue
        narrow = min(left, key=lambda s: (len(s), sorted(s)))
        counts = Counter(k for s in left for k in s)
        # Branches are disjoint: after the first key is tried, later ones exclude it.
        excluded: set[str] = set()
        branches = []
        for key in sorted(narrow, key=lambda k: (-counts[k] / actions[k].effort, k)):
            rest = [s - excluded for s in left if key not in s]
            if all(rest):
                branches.append((chosen | {key}, spent + actions[key].effort, rest))
            excluded.add(key)
        stack += reversed(branches)
    return best, best_cost, True


def _by_gain(chosen: frozenset[str], sets: Sequence[frozenset[str]]) -> list[str]:
    """The actions of the plan, each the one that cuts most of what is left."""
    left, todo, out = list(sets), set(chosen), []
    while todo:
        key = min(todo, key=lambda k: (-sum(k in s for s in left), k))
        out.append(key)
        todo.discard(key)
        left = [s for s in left if key not in s]
    return out


def dominators(graph: Graph, entries: Iterable[int], usable: Usable = certain) -> Mapping[int, int]:
    """Immediate dominator of each reached state (semi-dominators and nearest common ancestors,
    Georgiadis; in a large graph trees that are lifted, `arrays`); -1 is the start.

    A state that dominates targets is one that every way to them passes: a choke point. Further
    premises of a step are not looked at: they can only make a way harder.
    """
    table = Table.of(graph, usable)
    roots = sorted(set(entries))
    if table.arrays is not None:
        answer = table.arrays.dominators(roots)
        if answer is not None:
            return answer
    number = [-1] * len(graph.states)
    order, parent = _depth_first(table, roots, number)
    into, source = table.into, graph.source
    starts = {number[r] for r in roots}
    count = len(order)
    semi, label, above = list(range(count)), list(range(count)), list(parent)
    for here in range(count - 1, 0, -1):
        least = 0 if here in starts else parent[here]
        for index in into(order[here]) if least else ():
            before = number[source[index]]
            if before < 0:
                continue
            if above[before] > here:
                before = _least(before, here, above, label, semi)
            else:
                before = label[before]
            if semi[before] < least:
                least = semi[before]
        semi[here] = least
    found = list(parent)
    for here in range(1, count):
        over, least = found[here], semi[here]
        while over > least:
            over = found[over]
        found[here] = over
    return {order[n]: order[found[n]] for n in range(1, count)}


def _depth_first(table: Table, roots: list[int], number: list[int]) -> tuple[list[int], list[int]]:
    """States in the order of a depth-first search, and the place of each one's parent in it."""
    order, parent = [-1], [0]
    out, target = table.out, table.graph.target
    for root in roots:
        stack = [(root, 0)]
        while stack:
            state, before = stack.pop()
            if number[state] >= 0:
                continue
            number[state] = here = len(order)
            order.append(state)
            parent.append(before)
            for index in out(state):
                there = target[index]
                if number[there] < 0:
                    stack.append((there, here))
    return order, parent


def _least(state: int, last: int, above: list[int], label: list[int], semi: list[int]) -> int:
    """The label with the least semi-dominator on the way up to `last`; shortens that way."""
    trail: list[int] = []
    while above[state] > last:
        trail.append(state)
        state = above[state]
    best = label[state]
    for below in reversed(trail):
        above[below] = above[state]
        if semi[best] < semi[label[below]]:
            label[below] = best
        else:
            best = label[below]
        state = below
    return label[state]
