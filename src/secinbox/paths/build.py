"""Compiles the catalogue against a world: every row becomes the steps that it allows there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from secinbox.paths.catalogue import Move, moves
from secinbox.paths.graph import HUB, Action, Graph, State, Step
from secinbox.paths.predicates import CHECKS, LASTING, LATE, PAIRS, Judgement, Pair
from secinbox.paths.search import beside, forward, possible
from secinbox.paths.world import World

# Stand for the ends of a step in its sentence until it is shown; no report's text has them.
SOURCE, TARGET = "\x01", "\x02"
# Keys in stores that open stores with keys: deeper chains of them are not followed.
MOST_ROUNDS = 4
# An unknown halves the weight of a step.
DOUBT = 0.7


def compiled(world: World, rows: Sequence[Move] | None = None) -> Graph:
    """The attack graph of a world.

    What identities read is asked last, and only of those that an attacker gets to.
    """
    chosen = moves() if rows is None else rows
    early = [m for m in chosen if not _late(m)]
    late = [m for m in chosen if _late(m)]
    changing = [step for m in early if m.pairs not in LASTING for step in steps_of(world, m)]
    first = _kept(world, tuple(m for m in early if m.pairs in LASTING)).changed((), changing)
    # A store may hold the key of an identity that reads further stores.
    found: list[Step] = []
    known: set[str] = set()
    for _ in range(MOST_ROUNDS if late else 0):
        graph = first.changed((), found)
        world.reached = {
            graph.states[n][1]
            for entry in entries(graph)
            for n in forward(graph, entry, possible).cost
            if graph.states[n][0] == "cred"
        }
        world.beside = {
            graph.states[n][1]
            for entry in entries(graph)
            for n in forward(graph, entry, beside).cost
            if graph.states[n][0] == "cred"
        }
        if found and world.reached <= known:
            return graph
        known = world.reached
        found = [step for move in late for step in steps_of(world, move)]
    return first.changed((), found)


def _kept(world: World, rows: tuple[Move, ...]) -> Graph:
    """The graph of the rows that no finding changes; it is kept with the inventory."""
    kept: dict[tuple[Move, ...], tuple[str, Graph]] = world.estate.once("paths.graph", dict)
    if rows not in kept or kept[rows][0] != world.seen:
        steps = [step for move in rows for step in steps_of(world, move)]
        kept[rows] = (world.seen, Graph.of(steps))
    return kept[rows][1]


def _late(move: Move) -> bool:
    return move.pairs in LATE or (move.source == "cred" and move.target == "read")


def entries(graph: Graph) -> list[int]:
    """Numbers of the states in which an attacker starts, in order of their names."""
    return list(graph.of_kind("entry"))


def steps_of(world: World, move: Move) -> Iterator[Step]:
    """All steps of one row; those that a control stops are kept with the reason."""
    for pair in PAIRS[move.pairs](world):
        step = _step(world, move, pair)
        if step.source != step.target:
            yield step


def _step(world: World, move: Move, pair: Pair) -> Step:
    doubts = [d for d in (pair.doubt, move.assumed) if d]
    cost = move.cost if pair.cost is None else pair.cost
    stopped = [pair.no] if pair.no else []
    actions = list(pair.actions)
    for name in move.checks:
        found: Judgement = CHECKS[name](world, pair)
        if found.value is False:
            stopped.append(found.why)
        elif found.value is None:
            doubts.append(found.why)
        cost += found.cost
        if found.action is not None:
            actions.append(found.action)
    if pair.doubt and pair.cost is None:
        cost += DOUBT
    source: State = (pair.source_kind or move.source, pair.source)
    target: State = (pair.target_kind or move.target, pair.target)
    return Step(
        source=source,
        target=target,
        move=pair.move or move.id,
        sentence="" if pair.silent else _sentence(move, pair),
        cost=cost,
        certain=not doubts,
        exploit=pair.exploit,
        also=pair.also,
        evidence=pair.evidence,
        actions=tuple(actions),
        resources=pair.resources,
        blocked="; ".join(s for s in stopped if s),
        doubt="; ".join(dict.fromkeys(d for d in doubts if d)),
    )


def _sentence(move: Move, pair: Pair) -> str:
    if pair.phrase:
        return pair.phrase + (f" {TARGET}" if pair.target_kind == HUB else "")
    # A report's text may hold braces: only the row's phrase is a template.
    return move.phrase.format(source=SOURCE, target=TARGET, detail=pair.detail)


def remedy(move_id: str) -> str:
    """What a row recommends; empty for an id of the escalation catalogue."""
    return next((m.remedy for m in moves() if m.id == move_id), "")


__all__ = ["Action", "compiled", "entries", "remedy", "steps_of"]
