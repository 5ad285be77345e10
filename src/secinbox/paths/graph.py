"""The attack graph: states that an attacker can be in, and steps between them.

A state is (kind, uid): code execution on an instance, the credentials of a role. A step leads from
one state to another when all of its premises hold (`source` and every state of `also`): it is a
Horn clause, so what an attacker can reach is a least fixpoint and nothing is ever lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from secinbox.records import Evidence

State = tuple[str, str]
# A state of this kind stands for many (all roles that trust Lambda); no path shows it.
HUB = "hub"


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


@dataclass
class Graph:
    """Steps with their ends as numbers."""

    states: list[State] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    source: list[int] = field(default_factory=list)
    target: list[int] = field(default_factory=list)
    out: list[list[int]] = field(default_factory=list)
    into: list[list[int]] = field(default_factory=list)
    number: dict[State, int] = field(default_factory=dict)
    joint: set[int] = field(default_factory=set)  # steps with more than one premise
    tables: dict[object, object] = field(default_factory=dict)  # what searches keep of it

    @classmethod
    def of(cls, steps: Iterable[Step]) -> Graph:
        """A graph whose numbers do not depend on the order of the steps."""
        graph = cls()
        for step in sorted(
            steps, key=lambda s: (s.source, s.target, s.move, s.cost, not s.certain, s.sentence)
        ):
            graph.add(step)
        return graph

    def add(self, step: Step) -> None:
        """Adds a step and its states."""
        index = len(self.steps)
        source, target = self.state(step.source), self.state(step.target)
        for premise in step.also:
            self.state(premise)
            self.joint.add(index)
        self.steps.append(step)
        self.source.append(source)
        self.target.append(target)
        self.out[source].append(index)
        self.into[target].append(index)

    def state(self, state: State) -> int:
        """The number of a state, new or known."""
        found = self.number.get(state)
        if found is None:
            found = self.number[state] = len(self.states)
            self.states.append(state)
            self.out.append([])
            self.into.append([])
        return found
