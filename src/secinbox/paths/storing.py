"""From the graph to findings, and the tables that lists, maps and the plan read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from secinbox.facts.derived import observed
from secinbox.facts.store import Facts
from secinbox.paths.build import remedy
from secinbox.paths.catalogue import moves
from secinbox.paths.facts import world_of
from secinbox.paths.graph import BLOCKED
from secinbox.paths.planning import plan
from secinbox.paths.routes import Analysis, Path, Shown, analyse, step_shown, title
from secinbox.records import Evidence, Finding
from secinbox.risks import Assessment

_TABLES = (
    "attack_paths", "path_resources", "path_causes", "stopped_moves", "attack_reach", "fix_plan",
)  # fmt: skip
MOST_STOPPED = 20_000
_EXPLOIT_WORDS = ("active", "weaponised", "poc", "known")


def derive(assessment: Assessment) -> Iterator[Finding]:
    """All attack paths as findings; replaces the tables of the last time."""
    facts = assessment.facts
    # Names and tags alone lead nowhere: nothing is read and searched for them.
    known = bool(assessment.estate.items)
    analysis = analyse(world_of(assessment), without=assessment.without) if known else None
    for table in _TABLES:
        facts.con.execute(f"DELETE FROM {table}")
    facts.con.execute("DELETE FROM footprints WHERE starts_with(resource, 'path:')")
    if analysis is None:
        return
    _write(facts, analysis)
    when = observed(facts)
    for path in analysis.paths:
        yield Finding(
            type="attack_path",
            resource=path.id,
            rule=path.rule,
            title=title(analysis.world, path),
            severity=path.severity,
            description="\n".join(f"{n}. {s.sentence}" for n, s in enumerate(path.steps, 1)),
            remediation=_cheapest(path),
            exploit_known=_exploit(path),
            first_seen=when,
            tool="secinbox",
            place=path.target,
        )


def _exploit(path: Path) -> str:
    """The exploit that the path needs, as far as one is known; empty where it needs none."""
    words = {s.exploit for s in path.steps if s.exploit}
    found = [w for w in _EXPLOIT_WORDS if w in words]
    return found[-1] if found and found[-1] != "known" else ""


def _cheapest(path: Path) -> str:
    """The least effort that breaks the cheapest way."""
    actions = [a for s in path.steps for a in s.actions]
    if not actions:
        return "; ".join(dict.fromkeys(r for s in path.steps if (r := remedy(s.move))))
    best = min(actions, key=lambda a: (a.effort, a.key))
    others = len({a.key for a in actions}) - 1
    return best.title + (f" (or one of {others} other steps)" if others else "")


def _write(facts: Facts, analysis: Analysis) -> None:
    import pyarrow as pa

    paths = analysis.paths
    table = pa.table(
        {
            "id": pa.array([p.id for p in paths], pa.string()),
            "entry": pa.array([p.entry for p in paths], pa.string()),
            "target": pa.array([p.target for p in paths], pa.string()),
            "severity": pa.array([p.severity for p in paths], pa.string()),
            "certain": pa.array([p.certain for p in paths], pa.bool_()),
            "cost": pa.array([p.cost for p in paths], pa.float64()),
            "title": pa.array([title(analysis.world, p) for p in paths], pa.string()),
            "data": pa.array([json.dumps(shown(analysis, p)) for p in paths], pa.string()),
        }
    )
    places = [(p.id, uid) for p in paths for uid in dict.fromkeys((*p.resources, p.target))]
    causes = [(p.id, f) for p in paths for f in sorted(_needed(analysis, p))]
    for name, rows in (
        ("attack_paths", table),
        ("path_resources", _pairs(places, "path", "uid")),
        ("path_causes", _pairs(causes, "path", "finding")),
        ("stopped_moves", _stopped(analysis)),
        ("attack_reach", _reached(analysis)),
    ):
        facts.con.register("rows", rows)
        facts.con.execute(f"INSERT INTO {name} SELECT * FROM rows")
        facts.con.unregister("rows")
    facts.con.execute("INSERT INTO fix_plan VALUES (?)", [json.dumps(plan(analysis))])
    # A path is live on what it passes: its risks are those of the worst place on it.
    facts.con.register("rows", _pairs(_stations(analysis), "path", "uid"))
    facts.con.execute(
        "INSERT INTO footprints SELECT path, uid, 'on the path' FROM rows "
        "SEMI JOIN resources r ON r.uid = rows.uid"
    )
    facts.con.unregister("rows")


def _stations(analysis: Analysis) -> list[tuple[str, str]]:
    """(path, resource) of what its own ways lead through; not of what they also give."""
    graph = analysis.graph
    out: dict[tuple[str, str], None] = {}
    for path in analysis.paths:
        for way in path.ways:
            for index in way.steps:
                for uid in (graph.states[graph.target[index]][1], *graph.steps[index].resources):
                    out[path.id, analysis.world.sessions.get(uid, uid)] = None
    return list(out)


def _pairs(rows: list[tuple[str, str]], first: str, second: str) -> Any:
    import pyarrow as pa

    return pa.table(
        {
            first: pa.array([r[0] for r in rows], pa.string()),
            second: pa.array([r[1] for r in rows], pa.string()),
        }
    )


def _reached(analysis: Analysis) -> Any:
    """Places that an attacker may get to: news about them may change paths."""
    import pyarrow as pa

    uids = {
        analysis.graph.states[n][1]
        for reach in analysis.reach.values()
        for n in reach.cost
        if analysis.graph.states[n][0] in ("net", "exec", "ssrf")
    }
    # An intruder may turn up where nobody could come from outside, too.
    uids |= {s[1] for s in analysis.graph.number if s[0] in ("net", "exec")}
    return pa.table({"uid": pa.array(sorted(uids), pa.string())})


def _stopped(analysis: Analysis) -> Any:
    """Moves that a control stops, for `why`: from a place that an attacker may get to."""
    import pyarrow as pa

    graph = analysis.graph
    reached = {n for reach in analysis.reach.values() for n in reach.cost}
    steps = [
        (s, step_shown(analysis.world, s))
        for n in islice(
            (n for n, m in enumerate(graph.marks) if m & BLOCKED and graph.source[n] in reached),
            MOST_STOPPED,
        )
        for s in (graph.steps[n],)
    ]
    return pa.table(
        {
            "source": pa.array([s.source[1] for s, _ in steps], pa.string()),
            "target": pa.array([s.target[1] for s, _ in steps], pa.string()),
            "move": pa.array([s.move for s, _ in steps], pa.string()),
            "sentence": pa.array([t.sentence for _, t in steps], pa.string()),
            "reason": pa.array([s.blocked for s, _ in steps], pa.string()),
        }
    )


def _needed(analysis: Analysis, path: Path) -> set[str]:
    """Findings whose fix breaks every way of the path."""
    kept: set[str] | None = None
    for way in path.ways:
        here = {
            finding
            for index in way.steps
            for action in analysis.graph.steps[index].actions
            for finding in action.findings
        }
        kept = here if kept is None else kept & here
    return kept or set()


def shown(analysis: Analysis, path: Path) -> dict[str, Any]:
    """A path as the JSON that `paths` gives (docs: reference of the command line)."""
    world = analysis.world
    return {
        "id": path.id,
        "severity": path.severity,
        "title": title(world, path),
        "certain": path.certain,
        "entry": path.entry,
        "target": path.target,
        "why_target": path.why,
        "impact": path.impact,
        "cost": round(path.cost, 3),
        "weight": round(path.weight, 4),
        "chain": path.rule,
        "ways": len(path.ways),
        "footholds": path.footholds,
        "also_reaches": list(path.also),
        "steps": [_step(s, world.label(s.source), world.label(s.target)) for s in path.steps],
        "resources": list(dict.fromkeys((*path.resources, path.target))),
    }


def _step(step: Shown, source: str, target: str) -> dict[str, Any]:
    return {
        "from": step.source,
        "to": step.target,
        "from_label": source,
        "to_label": target,
        "state": step.state,
        "move": step.move,
        "sentence": step.sentence,
        "certain": step.certain,
        "doubt": step.doubt or None,
        "exploit": step.exploit or None,
        "attack": list(_attack(step.move)),
        "evidence": [_evidence(e) for e in step.evidence],
        "remedies": [
            {"key": a.key, "title": a.title, "resource": a.resource, "effort": a.effort,
             "findings": list(a.findings)}
            for a in step.actions
        ],
        "resources": list(step.resources),
    }  # fmt: skip


def _attack(move: str) -> tuple[str, ...]:
    known = {m.id: m.attack for m in moves()}
    return known.get(move) or known["aws-escalation"]


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "kind": evidence.kind,
        "text": evidence.text,
        "source": evidence.source,
        "steps": list(evidence.steps),
    }
