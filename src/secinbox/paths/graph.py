"""The attack graph: states that an attacker can be in, and steps between them.

A state is (kind, uid): code execution on an instance, the credentials of a role. A step leads from
one state to another when all of its premises hold (`source` and every state of `also`): it is a
Horn clause, so what an attacker can reach is a least fixpoint and nothing is ever lost.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import overload

from secinbox.records import Evidence

State = tuple[str, str]
# A state of this kind stands for many (all roles that trust Lambda); no path shows it.
HUB = "hub"
# What a search may have to leave out, as bits of a step's mark.
BLOCKED, UNSURE, TO_EXEC, TO_ADMIN = 1, 2, 4, 8


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a defender does to take a step away. `issue` is filled when one asks for it.

    `key` names the cause, so that steps with the same cause fall together: a policy statement, an
    open port, a vulnerable package.
    """

    key: str
    title: str
    resource: str = ""
    findings: tuple[str, ...] = ()
    effort: float = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """One move between two real states.

    cost: -log of the weight of success, so costs add up along a path. certain: everything that
    it needs is known from configuration (or, with `exploit`, a known vulnerability). blocked: the
    reason why it is not possible; a blocked step is kept only to explain.
    """

    source: State
    target: State
    move: str
    sentence: str
    cost: float
    certain: bool = True
    exploit: str = ""  # maturity word where it needs a software vulnerability, "known" without one
    also: tuple[State, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    actions: tuple[Action, ...] = ()
    resources: tuple[str, ...] = ()  # what it passes that is no state: a binding, a bucket
    blocked: str = ""
    doubt: str = ""  # what is not known, where it is not certain


def mark(step: Step) -> int:
    """The bits of a step."""
    kind = step.target[0]
    return (
        (BLOCKED if step.blocked else 0)
        | (0 if step.certain else UNSURE)
        | (TO_EXEC if kind == "exec" else TO_ADMIN if kind == "admin" else 0)
    )


def _place(step: Step) -> tuple[object, ...]:
    """Where a step stands among all, whatever the order in which they come."""
    return (
        step.source, step.target, step.move, step.cost, not step.certain, step.sentence, step.also,
        step.blocked, tuple(a.key for a in step.actions),
    )  # fmt: skip


class Made(Sequence[Step]):
    """Steps that are made when somebody looks at one, by their number."""

    def __init__(self, count: int, make: Callable[[int], Step]) -> None:
        self.size, self.make = count, make

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...
    def __getitem__(self, index: int | slice) -> Step | list[Step]:
        if isinstance(index, slice):
            return [self.make(i) for i in range(*index.indices(self.size))]
        if index < 0 or index >= self.size:
            raise IndexError(index)
        return self.make(index)


@dataclass
class Graph:
    """States and steps as numbers in compact arrays; texts and evidence beside them.

    States are in the order of their names and steps in that of `_place`, so that no answer depends
    on the order in which anything came, and the steps that leave a state lie beside each other.
    Arrays have one entry a step. Searches read them and what they keep in `tables`; only what is
    shown is looked up in `steps`.
    """

    states: Sequence[State]
    steps: Sequence[Step]
    source: array[int]
    target: array[int]
    cost: array[float]
    marks: array[int]
    also: dict[int, tuple[int, ...]]  # further premises of the few steps that have some
    tables: dict[int, object] = field(default_factory=dict)

    @cached_property
    def number(self) -> dict[State, int]:
        """State -> its number."""
        return {state: number for number, state in enumerate(self.states)}

    def of_kind(self, kind: str) -> range:
        """The numbers of the states of a kind: they lie beside each other."""
        return range(
            bisect_left(self.states, (kind, "")), bisect_left(self.states, (kind + "\0", ""))
        )

    @cached_property
    def first(self) -> array[int]:
        """Where the steps that leave each state begin; one entry more than states."""
        return _begins(self.source, len(self.states))

    @cached_property
    def arriving(self) -> tuple[array[int], array[int]]:
        """The numbers of the steps by the state that they reach: where each begins, and steps."""
        order = sorted(range(len(self.target)), key=self.target.__getitem__)
        return _begins(self.target, len(self.states)), array("i", order)

    @classmethod
    def of(cls, steps: Iterable[Step]) -> Graph:
        """A graph whose numbers do not depend on the order of the steps."""
        return cls._of(sorted(steps, key=_place))

    @classmethod
    def _of(cls, ordered: list[Step]) -> Graph:
        names = {s.source for s in ordered} | {s.target for s in ordered}
        names.update(p for s in ordered if s.also for p in s.also)
        states = sorted(names)
        number = {state: n for n, state in enumerate(states)}
        graph = cls(states, ordered, *_columns(ordered, number))
        graph.__dict__["number"] = number
        return graph

    def changed(self, gone: Collection[int], new: Iterable[Step]) -> Graph:
        """The graph that `of` would make without some steps (their numbers) and with new ones.

        It copies what stays, so that it takes a fraction of the time.
        """
        fresh = sorted(new, key=_place)
        lost = sorted(set(gone))
        if not fresh and not lost:
            return self
        if len(fresh) + len(lost) > len(self.steps) // 10:
            out = set(lost)
            return Graph.of([*(s for n, s in enumerate(self.steps) if n not in out), *fresh])
        states, number, moved = self._states(lost, fresh)
        # The rows are cut at each step that goes or comes: (place, rows left out there, new rows).
        edits = [(n, 1, fresh[:0]) for n in lost]
        at = [bisect_right(self.steps, _place(s), key=_place) for s in fresh]
        edits += [(n, 0, [s]) for n, s in zip(at, fresh, strict=True)]
        edits.sort(key=lambda e: (e[0], e[1]))
        ends = (self.source, self.target)
        old_source, old_target = (
            array("i", map(moved.__getitem__, a)) if moved else a for a in ends
        )
        steps: list[Step] = []
        source, target, cost, marks = array("i"), array("i"), array("d"), array("B")
        also: dict[int, tuple[int, ...]] = {}
        joint = sorted(self.also)
        here = 0
        for place, skipped, added in (*edits, (len(self.steps), 0, fresh[:0])):
            for index in joint[bisect_left(joint, here) : bisect_left(joint, place)]:
                premises = self.also[index]
                also[index - here + len(steps)] = (
                    tuple(moved[p] for p in premises) if moved else premises
                )
            steps += self.steps[here:place]
            source += old_source[here:place]
            target += old_target[here:place]
            cost += self.cost[here:place]
            marks += self.marks[here:place]
            if added:
                columns = _columns(added, number)
                also.update((n + len(steps), premises) for n, premises in columns[4].items())
                steps += added
                source += columns[0]
                target += columns[1]
                cost += columns[2]
                marks += columns[3]
            here = place + skipped
        graph = Graph(states, steps, source, target, cost, marks, also)
        graph.__dict__["number"] = number
        return graph

    def _states(
        self, lost: list[int], fresh: list[Step]
    ) -> tuple[Sequence[State], dict[State, int], list[int]]:
        """The states of the changed graph, and the new number of each old one if any differs."""
        named = {p for s in fresh for p in (s.source, s.target, *s.also)}
        more = sorted(named - self.number.keys())
        ends = {
            n
            for i in lost
            for n in (self.source[i], self.target[i], *self.also.get(i, ()))
            if self.states[n] not in named
        }
        if ends:
            out = set(lost)
            for index, (source, target) in enumerate(zip(self.source, self.target, strict=True)):
                if (source in ends or target in ends) and index not in out:
                    ends -= {source, target}
            ends.difference_update(*(p for i, p in self.also.items() if i not in out))
        if not more and not ends:
            return self.states, self.number, []
        # Both runs are in order already.
        states: list[State] = []
        moved: list[int] = []
        edits: list[tuple[int, int, list[State]]] = [(n, 1, []) for n in ends]
        edits += [(bisect_left(self.states, s), 0, [s]) for s in more]
        here = 0
        for place, leaves, comes in (*sorted(edits), (len(self.states), 0, [])):
            moved.extend(range(len(states), len(states) + place - here))
            moved.extend([-1] * leaves)
            states += self.states[here:place]
            states += comes
            here = place + leaves
        return states, dict(zip(states, range(len(states)), strict=True)), moved


def _begins(ends: array[int], states: int) -> array[int]:
    count = [0] * (states + 1)
    for end in ends:
        count[end + 1] += 1
    return array("i", accumulate(count))


def _columns(
    steps: list[Step], number: dict[State, int]
) -> tuple[array[int], array[int], array[float], array[int], dict[int, tuple[int, ...]]]:
    """Source, target, cost, mark and further premises of steps."""
    return (
        array("i", [number[s.source] for s in steps]),
        array("i", [number[s.target] for s in steps]),
        array("d", [s.cost for s in steps]),
        array("B", [mark(s) for s in steps]),
        {i: tuple(number[p] for p in s.also) for i, s in enumerate(steps) if s.also},
    )
