"""Queues and whole arrays against a textbook: least fixpoints by repetition until nothing changes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import inf, isinf
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secinbox.iam.evaluate import Evaluator
from secinbox.iam.layers import Layer
from secinbox.iam.world import Persona
from secinbox.paths import search
from secinbox.paths.arrays import of_columns
from secinbox.paths.build import compiled
from secinbox.paths.cuts import dominators
from secinbox.paths.graph import HUB, Action, Graph, State, Step, mark
from secinbox.paths.search import (
    Table,
    Usable,
    backward,
    certain,
    forward,
    outside,
    possible,
    ways,
)
from tests.scenes import EC2, ROOT, Scene, allow, aws, service
from tests.test_paths_moves import OLD

COSTS = (0.0, 0.0, 0.1, 0.2, 0.3, 0.30000000000000004, 1.6)
KINDS: tuple[Usable, ...] = (possible, certain, outside)
NAMES = [("entry", "e"), ("exec", "a"), (HUB, "h"), ("admin", "z"),
         *(("cred", f"c{n}") for n in range(5))]  # fmt: skip


@st.composite
def step_lists(draw: st.DrawFn) -> list[Step]:
    """Steps with ties, costs of nothing, further premises, blocks and doubts."""
    state = st.sampled_from(NAMES)
    count = draw(st.integers(1, 30))
    out = []
    for n in range(count):
        source, target = draw(state), draw(state)
        if source == target:
            continue
        premises = draw(st.lists(state, max_size=2)) if draw(st.booleans()) else []
        out.append(Step(
            source, target, f"m{draw(st.integers(0, 2))}", "", draw(st.sampled_from(COSTS)),
            draw(st.integers(0, 4)) > 0, also=tuple(p for p in premises if p != source),
            blocked="no" if draw(st.integers(0, 6)) == 0 else "",
            actions=(Action(f"k{n}", f"k{n}"),)))  # fmt: skip
    return [*out, Step(NAMES[0], NAMES[1], "m0", "", 0.1)]


def may(step: Step, usable: Usable) -> bool:
    if step.blocked or (usable == outside and step.target[0] == "exec"):
        return False
    return step.certain or usable != certain


Costs = dict[State, float]


def textbook(steps: list[tuple[int, Step]], starts: list[State]) -> tuple[Costs, dict[State, int]]:
    """Cost of each state and the step that leads there, as `Reach` promises."""
    cost: Costs = dict.fromkeys(starts, 0.0)
    for _ in range(len(NAMES) * len(steps) + 1):
        for _, step in steps:
            total = 0.0
            for premise in (step.source, *step.also):
                total += cost.get(premise, inf)
            total += step.cost
            if total < cost.get(step.target, inf):
                cost[step.target] = total
    # Rings: a step that costs nothing counts once its equal premises have a step of their own.
    ring = dict.fromkeys(starts, 0)
    by: dict[State, int] = {}
    for depth in range(len(NAMES) + 1):
        found: dict[State, int] = {}
        for index, step in steps:
            premises = (step.source, *step.also)
            if step.target in ring or any(p not in cost for p in premises):
                continue
            total = 0.0
            for premise in premises:
                total += cost[premise]
            if total + step.cost != cost[step.target]:
                continue
            if all(cost[p] < cost[step.target] or p in ring for p in premises):
                equal = [ring[p] + 1 for p in premises if cost[p] == cost[step.target]]
                if max(equal, default=0) == depth:
                    found[step.target] = min(index, found.get(step.target, index))
        by.update(found)
        ring.update(dict.fromkeys(found, depth))
    return cost, by


BOTH = pytest.mark.parametrize("many", [1, 10**9], ids=["arrays", "queue"])


class Sized:
    """For the time of a block every graph is searched one way."""

    def __init__(self, many: int, few: int = 0) -> None:
        self.asked = (many, few)

    def __enter__(self) -> None:
        self.before = (search.MANY, search.FEW)
        search.MANY, search.FEW = self.asked

    def __exit__(self, *_: object) -> None:
        search.MANY, search.FEW = self.before


@BOTH
@given(steps=step_lists(), usable=st.sampled_from(KINDS), seed=st.integers(0, 9))
@settings(max_examples=250, deadline=None)
def test_reach_costs_and_ways_are_those_of_the_textbook(
    many: int, steps: list[Step], usable: Usable, seed: int
) -> None:
    with Sized(many):
        graph = Graph.of(steps)
        assert (Table.of(graph, usable).arrays is not None) is (many == 1)
        entry = graph.number[NAMES[0]]
        gone = {n for n in range(len(graph.steps)) if seed and n % 7 == seed}
        left = [
            (n, s) for n, s in enumerate(graph.steps) if may(s, usable) and n not in gone
        ]  # fmt: skip
        cost, by = textbook(left, [NAMES[0]])
        reach = forward(graph, entry, usable, gone)
        assert {graph.states[n]: c for n, c in reach.cost.items()} == cost
        assert {graph.states[n]: i for n, i in reach.by.items()} == by
        for state in cost:
            way = reach.way(graph, graph.number[state])
            assert [graph.source[i] for i in way[1:]] == [graph.target[i] for i in way[:-1]]


@pytest.mark.parametrize(
    ("many", "few"), [(1, 10**9), (1, 0), (10**9, 0)], ids=["arrays", "few", "queue"]
)
@given(steps=step_lists(), usable=st.sampled_from(KINDS), closed=st.booleans())
@settings(max_examples=250, deadline=None)
def test_the_way_back_is_that_of_the_textbook(
    many: int, few: int, steps: list[Step], usable: Usable, closed: bool
) -> None:
    """few: 0 walks back over what is reached, however many states that are; a large one never does."""
    with Sized(many, few):
        graph = Graph.of(steps)
        reach = forward(graph, graph.number[NAMES[0]], usable)
        reached = {graph.states[n]: c for n, c in reach.cost.items()}
        shut = [n for s, n in graph.number.items() if closed and s[0] == "admin"]
        goals = [n for s, n in graph.number.items() if s[1] in ("c1", "c2", "z")]
        turned = [
            (n, replace(s, source=s.target, target=s.source, also=(),
                        cost=s.cost + sum(reached[p] for p in s.also)))
            for n, s in enumerate(graph.steps)
            if may(s, usable) and all(p in reached for p in (s.source, *s.also))
            and graph.number[s.source] not in shut
        ]  # fmt: skip
        cost, by = textbook(turned, [graph.states[g] for g in goals if g not in shut])
        found = backward(graph, goals, reach, usable, shut)
        assert {graph.states[n]: c for n, c in found.cost.items()} == cost
        assert {graph.states[n]: i for n, i in found.by.items()} == by


@BOTH
@given(steps=step_lists(), usable=st.sampled_from(KINDS), two=st.booleans())
@settings(max_examples=250, deadline=None)
def test_dominators_are_the_states_without_which_nothing_leads_there(
    many: int, steps: list[Step], usable: Usable, two: bool
) -> None:
    with Sized(many):
        graph = Graph.of(steps)
        roots = [graph.number[NAMES[0]]]
        if two and NAMES[4] in graph.number:
            roots.append(graph.number[NAMES[4]])
        edges = [
            (graph.source[n], graph.target[n])
            for n, s in enumerate(graph.steps) if may(s, usable)
        ]  # fmt: skip

        def reached(without: int) -> set[int]:
            seen = {r for r in roots if r != without}
            for _ in edges:
                seen |= {t for s, t in edges if s in seen and t != without}
            return seen

        above = dominators(graph, roots, usable)
        whole = reached(-1)
        assert set(above) == whole
        for state in whole:
            mine, walk = [], state
            while (walk := above.get(walk, -1)) >= 0:
                mine.append(walk)
            assert set(mine) == {n for n in whole if n != state and state not in reached(n)}


def told(graph: Graph) -> list[tuple[float, list[tuple[State, State, str]]]]:
    """Ways with their alternatives to every state, by names."""
    out = []
    entry = graph.number[NAMES[0]]
    reach = forward(graph, entry)
    for state in sorted(graph.number):
        for way in ways(graph, entry, graph.number[state], reach):
            steps = [graph.steps[i] for i in way.steps]
            out.append((way.cost, [(s.source, s.target, s.move) for s in steps]))
    return out


@given(steps=step_lists(), seed=st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_alternatives_depend_on_neither_the_engine_nor_the_order(
    steps: list[Step], seed: int
) -> None:
    other = list(steps)
    Random(seed).shuffle(other)
    with Sized(10**9):
        plain = told(Graph.of(steps))
        assert told(Graph.of(other)) == plain
    for few in (0, 10**9):
        with Sized(1, few):
            assert told(Graph.of(other)) == plain


def test_states_of_a_kind_lie_beside_each_other() -> None:
    steps = [Step((kind, "x"), (kind, ""), "m", "", 0.1) for kind in ("a", "a\0b", "ab", "b")]
    graph = Graph.of(steps)
    for kind in ("", "a", "ab", "b", "c"):
        assert [graph.states[n] for n in graph.of_kind(kind)] == [
            s for s in graph.states if s[0] == kind
        ]


def columns(graph: Graph) -> tuple[object, ...]:
    return (list(graph.states), list(graph.steps), graph.source, graph.target, graph.cost,
            graph.marks, graph.also, graph.number)  # fmt: skip


@given(steps=step_lists(), more=step_lists(), data=st.data())
@settings(max_examples=250, deadline=None)
def test_a_changed_graph_is_the_graph_of_all_its_steps(
    steps: list[Step], more: list[Step], data: st.DataObject
) -> None:
    # Many steps far from each other, so that the change is a small one.
    wide = [Step(("cred", f"w{n}"), ("cred", f"w{n + 1}"), "m", "", 0.1) for n in range(600)]
    graph = Graph.of([*wide, *steps])
    gone = data.draw(st.sets(st.integers(0, len(graph.steps) - 1), max_size=12))
    changed = graph.changed(gone, more)
    left = [s for n, s in enumerate(graph.steps) if n not in gone]
    assert columns(changed) == columns(Graph.of([*left, *more]))
    assert columns(graph) == columns(Graph.of([*wide, *steps]))


def random_steps(seed: int, states: int, chain: int) -> Iterator[Step]:
    chance = Random(seed)
    names = [("entry", "e"), *(("cred", f"{n:05}") for n in range(states))]
    for before, after in itertools.pairwise(names[:chain]):
        yield Step(before, after, "chain", "", chance.choice(COSTS))
    for n in range(3 * states):
        source, target = chance.choice(names), chance.choice(names)
        if source == target:
            continue
        also = (chance.choice(names),) if n % 50 == 0 else ()
        yield Step(source, target, "m", "", chance.choice(COSTS), n % 9 > 0, also=also,
                   blocked="no" if n % 31 == 0 else "")  # fmt: skip


@pytest.mark.parametrize(("seed", "states", "chain"), [(1, 400, 1), (2, 3000, 40), (3, 900, 900)])
def test_larger_graphs_have_one_answer(seed: int, states: int, chain: int) -> None:
    answers = []
    for many in (1, 10**9):
        with Sized(many):
            graph = Graph.of(random_steps(seed, states, chain))
            entry = graph.number["entry", "e"]
            reach = forward(graph, entry)
            back = backward(graph, [states // 2], reach, possible)
            answers.append((dict(reach.cost), dict(reach.by), dict(back.cost), dict(back.by),
                            dict(dominators(graph, [entry], possible)),
                            dict(dominators(graph, [entry, 5], certain))))  # fmt: skip
    assert answers[0] == answers[1]
    assert len(answers[0][0]) > states / 2
    assert not any(isinf(c) for c in answers[0][0].values())


def test_a_chain_too_deep_for_arrays_has_the_same_answer() -> None:
    count = 4_000
    with Sized(1):
        graph = Graph.of(
            Step(("cred", f"{n:05}"), ("cred", f"{n + 1:05}"), "m", "", 0.25) for n in range(count)
        )
        arrays = Table.of(graph, possible).arrays
        assert arrays is not None
        assert arrays.forward(0) is None and arrays.dominators([0]) is None
        reach = forward(graph, 0)
        assert reach.cost[count] == count * 0.25
        assert dominators(graph, [0], possible)[count] == count - 1


def test_without_numpy_the_queue_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "find_spec", lambda _: None)
    with Sized(1):
        graph = Graph.of(random_steps(1, 50, 5))
        assert Table.of(graph, possible).arrays is None
        assert forward(graph, graph.number["entry", "e"]).cost


# Size: hubs instead of one step for each pair, and one look at policies that are the same


def crowd(roles: int) -> Scene:
    """Roles that all may assume and pass each other, with the same policy and the same trust."""
    made = Scene().instance("web", "r0", **OLD).weakness(EC2 + "instance/i-web").bucket("data")
    for n in range(roles):
        rights = allow("iam:PassRole"), allow("lambda:*"), allow("sts:AssumeRole"), allow("ec2:*")
        trust = aws(ROOT)
        made.role(
            f"r{n}", service("ec2.amazonaws.com") if n < 2 else trust, *rights, profile=n == 0
        )
    return made


def test_steps_grow_with_the_principals_and_not_with_their_pairs() -> None:
    counts = [len(compiled(crowd(n).world()).steps) for n in (20, 40, 80, 160)]
    growth = [after - before for before, after in itertools.pairwise(counts)]
    assert growth[1] == 2 * growth[0] and growth[2] == 2 * growth[1]
    assert counts[-1] < 12 * 160


def test_the_same_policies_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = [0]
    build = Evaluator._build

    def counted(self: Evaluator, persona: Persona, action: str) -> Iterable[Layer]:
        seen[0] += 1
        return build(self, persona, action)

    monkeypatch.setattr(Evaluator, "_build", counted)
    looks = []
    for roles in (20, 160):
        seen[0] = 0
        compiled(crowd(roles).world())
        looks.append(seen[0])
    assert looks[0] == looks[1] > 0


def test_a_graph_of_columns_is_the_graph_of_its_rows() -> None:
    chance = Random(4)
    states = [("cred", f"{n:03}") for n in range(200)]
    steps = [
        Step(states[chance.randrange(200)], states[chance.randrange(20)], "m", "",
             chance.choice(COSTS), chance.random() < 0.8)
        for _ in range(1500)
    ]  # fmt: skip
    whole = Graph.of([*steps, *(Step(s, states[0], "m", "", 9.0) for s in states[1:])])
    rows = list(whole.steps)
    chance.shuffle(rows)
    made = of_columns(
        whole.states,
        np.array([whole.number[s.source] for s in rows], np.int32),
        np.array([whole.number[s.target] for s in rows], np.int32),
        np.array([s.cost for s in rows]),
        np.array([mark(s) for s in rows], np.uint8),
        rows.__getitem__,
    )
    assert columns(made) == columns(whole)
    with pytest.raises(ValueError, match="no state"):
        of_columns(states[:1], *(np.array([5], np.int32),) * 2, np.ones(1),
                   np.zeros(1, np.uint8), rows.__getitem__)  # fmt: skip
    with pytest.raises(ValueError, match="order"):
        of_columns(states[::-1], *(np.array([5], np.int32),) * 2, np.ones(1),
                   np.zeros(1, np.uint8), rows.__getitem__)  # fmt: skip
