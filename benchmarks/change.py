"""One new finding: the search for attack paths with what a process keeps, and without."""

from __future__ import annotations

from dataclasses import replace

import estates
from paths import memory, timed

from secinbox.paths import routes
from secinbox.paths.world import Weakness, World


def fresh(world: World, more: dict[str, list[Weakness]]) -> World:
    """The same estate with other findings, as the next ranking of a process sees it."""
    return replace(world, weaknesses={**world.weaknesses, **more}, reached=None)


def change(principals: int) -> None:
    """Prints the first analysis, and that after one more weakness; both must be the same."""
    made = estates.generate(1, principals, 20, 40)
    _, limit = timed(f"{principals} principals, from nothing", lambda: routes.analyse(made.world))
    uid = made.decoys[0].instance
    more = {uid: list(made.world.weaknesses[made.planted[0].instance])}
    kept, _ = timed("after one more weakness, with what was kept",
                    lambda: routes.analyse(fresh(made.world, more)), beside=limit)  # fmt: skip
    again = estates.generate(1, principals, 20, 40).world
    whole, _ = timed(
        "the same from nothing", lambda: routes.analyse(fresh(again, more)), beside=limit
    )
    same = [(p.id, p.cost, p.resources) for p in kept.paths] == [
        (p.id, p.cost, p.resources) for p in whole.paths
    ]
    print(f"{len(kept.graph.steps)} steps, the same answer: {same}, {memory()}")
    raise SystemExit(0 if same else 1)
