"""The fix plan: which actions cut all certain paths, and what each next one protects."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from secinbox.paths.cuts import Cut, dominators, smallest_cut
from secinbox.paths.graph import HUB, Action
from secinbox.paths.routes import Analysis, Path
from secinbox.paths.search import certain, possible

MOST_ACTIONS = 200


def plan(analysis: Analysis) -> dict[str, Any]:
    """{"actions", "bound", "choke_points", "paths", "targets"}; see `secinbox plan --json`.

    actions: those of the smallest cut of all certain paths first, in the order of what each
    protects; then the best further ones for the possible paths.
    """
    cut = _cut(analysis)
    ways = [_keys(analysis, p) for p in analysis.paths]
    actions = _actions(analysis)
    order = [a.key for a in cut.actions]
    chosen = set(order)
    left = _left(ways, chosen)
    while left and len(order) < MOST_ACTIONS:
        best = _best(ways, left, chosen, actions)
        if best is None:
            break
        order.append(best)
        chosen.add(best)
        left = _left(ways, chosen)
    paths = analysis.paths
    goals = {p.target for p in paths}
    rows: list[dict[str, Any]] = []
    done: set[str] = set()
    for key in order:
        done.add(key)
        alone = [p for p, w in zip(paths, ways, strict=True) if w and all(key in k for k in w)]
        open_now = {paths[i].target for i in _left(ways, done)}
        share = 1 - len(_left(ways, done)) / len(paths) if paths else 1.0
        action = actions[key]
        rows.append(
            {
                "key": key,
                "title": action.title,
                "resource": action.resource,
                "findings": list(action.findings),
                "effort": action.effort,
                "paths_cut": len(alone),
                "paths": [p.id for p in alone],
                "targets_protected": len(goals - open_now),
                "cumulative_share": round(share, 4),
                "in_smallest_cut": key in {a.key for a in cut.actions},
            }
        )
    return {
        "actions": rows,
        "paths": len(paths),
        "certain_paths": sum(p.certain for p in paths),
        "targets": len(goals),
        "bound": {
            "actions": len(cut.actions),
            "effort": cut.effort,
            "least_effort": round(cut.bound, 3),
            "exact": cut.exact,
            "not_cut": [
                f"{analysis.graph.states[e][1]} to {analysis.graph.states[t][1]}"
                for e, t in cut.uncut
            ],
        },
        "choke_points": choke_points(analysis),
    }


def _cut(analysis: Analysis) -> Cut:
    pairs = {
        entry: [t for t in sorted(analysis.jewels) if t in reach.cost]
        for entry, reach in analysis.reach.items()
    }
    return smallest_cut(analysis.graph, pairs, usable=certain)


def _keys(analysis: Analysis, path: Path) -> list[frozenset[str]]:
    """For each way of a path the keys of the actions that break it."""
    return [
        frozenset(a.key for i in way.steps for a in analysis.graph.steps[i].actions)
        for way in path.ways
    ]


def _actions(analysis: Analysis) -> dict[str, Action]:
    out: dict[str, Action] = {}
    for step in analysis.graph.steps:
        for action in step.actions:
            known = out.get(action.key)
            if known is None or len(action.findings) > len(known.findings):
                out[action.key] = action
    return out


def _left(ways: list[list[frozenset[str]]], chosen: set[str]) -> list[int]:
    """Paths that some way still leads along."""
    return [n for n, keys in enumerate(ways) if any(not k & chosen for k in keys)]


def _best(
    ways: list[list[frozenset[str]]],
    left: list[int],
    chosen: set[str],
    actions: dict[str, Action],
) -> str | None:
    """The action that closes most of what is open for its effort."""
    gain: dict[str, float] = defaultdict(float)
    for number in left:
        open_ways = [k for k in ways[number] if not k & chosen]
        for keys in open_ways:
            for key in keys:
                gain[key] += 1 / len(open_ways)
    if not gain:
        return None
    return min(gain, key=lambda k: (-gain[k] / actions[k].effort, k))


def choke_points(analysis: Analysis, most: int = 20) -> list[dict[str, Any]]:
    """States that every way to a target passes, with how many targets that is."""
    graph = analysis.graph
    above = dominators(graph, analysis.reach, possible)
    count: dict[int, set[int]] = defaultdict(set)
    for target in analysis.jewels:
        state = target
        while (state := above.get(state, -1)) >= 0:
            count[state].add(target)
    rows = [
        (len(found), graph.states[state])
        for state, found in count.items()
        if graph.states[state][0] not in (HUB, "entry")
    ]
    rows.sort(key=lambda r: (-r[0], r[1]))
    return [
        {"resource": state[1], "state": state[0], "label": analysis.world.label(state[1]),
         "targets": number}
        for number, state in rows[:most]
    ]  # fmt: skip
