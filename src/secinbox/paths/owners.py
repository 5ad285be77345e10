"""Targets that a path to control of their account or cluster tells with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from secinbox.paths import providers
from secinbox.paths.graph import Graph
from secinbox.paths.jewels import Jewel
from secinbox.paths.providers import kubernetes
from secinbox.paths.search import (
    Reach,
    Usable,
    Way,
    backward,
    beside,
    certain,
    certain_beside,
    footholds,
    forward,
)
from secinbox.paths.world import World

if TYPE_CHECKING:
    from secinbox.paths.routes import Path

# (owner, foothold, certain) -> the cheapest way by that foothold, and the path that tells it.
Owners = dict[tuple[str, int, bool], tuple[float, "Path"]]


def above(graph: Graph, owners: Owners, owner: str, way: Way) -> Path | None:
    """The path to control of the account that the same way in gives, if it is no dearer."""
    first = way.foothold(graph)
    found = owners.get((owner, first, True)) or owners.get((owner, first, way.sure(graph)))
    return found[1] if found is not None and found[0] <= way.cost + 0.7 else None


def covered(graph: Graph, owners: Owners, owner: str) -> Callable[[Way], bool]:
    """Whether a way, and so every dearer one by the same way in, is told with another path."""
    return lambda way: above(graph, owners, owner, way) is not None


class Owned:
    """Whether all ways in to a target are told by paths to control of what owns it.

    One search for all targets of an owner bounds from below what a way to any of them costs.
    """

    def __init__(
        self,
        world: World,
        graph: Graph,
        found: dict[int, Jewel],
        closed: frozenset[int],
        owners: Owners,
        entry: int,
    ) -> None:
        self.graph, self.closed, self.owners, self.entry = graph, closed, owners, entry
        self.targets: dict[str, list[int]] = {}
        for number, jewel in found.items():
            if jewel.state[0] != "admin":
                self.targets.setdefault(owner_of(world, jewel.uid), []).append(number)
        self._known: dict[tuple[str, bool], Path | None] = {}
        self._first: dict[bool, dict[int, float]] = {}
        self._beside: dict[bool, set[int]] = {}

    def path(self, owner: str, target: int, usable: Usable, seen: Reach) -> Path | None:
        """The cheapest of these paths; None where a foothold has none, or is the target itself."""
        key = (owner, usable == certain)
        if key[1] not in self._first:
            self._first[key[1]] = footholds(self.graph, self.entry, usable)
        if key[1] not in self._beside:
            self._beside[key[1]] = set(
                forward(self.graph, self.entry, certain_beside if key[1] else beside).cost
            )
        if target in self._first[key[1]] or target not in self._beside[key[1]]:
            return None
        if key not in self._known:
            self._known[key] = self._all(owner, usable, seen)
        return self._known[key]

    def _all(self, owner: str, usable: Usable, seen: Reach) -> Path | None:
        sure = usable == certain
        rest = backward(self.graph, self.targets[owner], seen, usable, self.closed).cost
        best: tuple[float, Path] | None = None
        for first, cost in self._first[sure].items():
            if first not in rest:
                continue
            known = self.owners.get((owner, first, True)) or self.owners.get((owner, first, sure))
            if known is None or known[0] > cost + rest[first] + 0.7:
                return None
            if best is None or known[0] < best[0]:
                best = known
        return best[1] if best else None


def owner_of(world: World, uid: str) -> str:
    """The account or cluster whose control includes this."""
    item = world.estate.find(uid)
    if item is None:
        return kubernetes.cluster(uid)
    return providers.owner(world.estate, item)
