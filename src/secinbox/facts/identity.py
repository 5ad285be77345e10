"""One name for one thing: aliases to resources, vulnerability ids to alias groups.

Resolution depends on the set of aliases only, never on the order in which they came, so the same
reports give the same resources whichever is read first.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from secinbox.arn import parse_arn
from secinbox.facts.store import Facts
from secinbox.inventory import plumbing

INVENTORY = 2  # trust of a source that lists resources; 1: a scanner that names what it scanned


def refresh_names(facts: Facts, changed: set[str]) -> dict[str, tuple[str, str]]:
    """Resolves the changed names again, and all names that lead through them.

    Returns {name: (uid before, uid now)} of those whose answer is different now.
    """
    if not changed:
        return {}
    affected = set(changed)
    facts.con.execute("CREATE OR REPLACE TEMP TABLE asked (name VARCHAR)")
    _fill(facts, "asked", affected)
    affected |= {
        row[0]
        for row in facts.rows(
            "SELECT ref FROM names WHERE uid IN (FROM asked) OR direct IN (FROM asked)"
        )
    }
    _fill(facts, "asked", affected)
    before = dict(facts.rows("SELECT ref, uid FROM names WHERE ref IN (FROM asked)"))
    candidates: dict[str, list[tuple[str, float, int, str]]] = defaultdict(list)
    for name, uid, confidence, trust, kind in facts.rows(
        """
        SELECT a.name, a.uid, max(a.confidence), max(a.trust), coalesce(max(s.type), '')
        FROM aliases a
        LEFT JOIN (SELECT ref, max(type) AS type FROM seen_resources GROUP BY ref) s
          ON s.ref = a.uid
        WHERE a.name IN (FROM asked) GROUP BY a.name, a.uid ORDER BY a.name, a.uid
        """
    ):
        candidates[name].append((uid, confidence, trust, kind))
    declared = {
        row[0]
        for row in facts.rows(
            f"SELECT DISTINCT ref FROM seen_resources "
            f"WHERE trust >= {INVENTORY} AND ref IN (FROM asked) AND NOT provisional"
        )
    }
    direct: dict[str, str] = {}
    unclear: dict[str, list[str]] = {}
    for name, options in candidates.items():
        if name in declared:
            continue
        best = _best(options)
        if len(best) == 1:
            direct[name] = best[0]
        else:
            unclear[name] = best
    doubtful = {uid for options in unclear.values() for uid in options}
    links = _Links(facts, direct, affected, doubtful)
    for name, options_left in list(unclear.items()):
        ends = {links.end(uid) for uid in options_left}
        if len(ends) == 1:  # several names of one and the same thing
            direct[name] = ends.pop()
            del unclear[name]
    now = {name: links.end(name) for name in affected}
    _store(facts, direct, now, unclear)
    return {
        name: (before.get(name, name), uid)
        for name, uid in now.items()
        if before.get(name, name) != uid
    }


def _best(options: list[tuple[str, float, int, str]]) -> list[str]:
    of_things = plumbing()
    things = [o for o in options if o[3] not in of_things] or options
    sure = [o for o in things if o[1] >= 0.99] or things
    return sorted({o[0] for o in sure})


class _Links:
    """name -> the name it stands for, with what is already in the store behind it."""

    def __init__(self, facts: Facts, direct: dict[str, str], affected: set[str],
                 doubtful: set[str]) -> None:  # fmt: skip
        self._facts = facts
        self._direct = direct
        self._affected = affected
        self._stored: dict[str, str] = {}
        wanted = (set(direct.values()) | doubtful) - affected
        for _ in range(4):  # longer chains of aliases do not occur; a cut one stays unresolved
            if not wanted:
                break
            _fill(facts, "asked", wanted)
            found = dict(
                facts.rows(
                    "SELECT ref, direct FROM names WHERE ref IN (FROM asked) AND direct <> ''"
                )
            )
            self._stored.update(found)
            wanted = set(found.values()) - set(self._stored) - affected

    def end(self, name: str) -> str:
        seen = [name]
        while True:
            here = seen[-1]
            following = self._direct.get(here)
            if following is None and here not in self._affected:
                following = self._stored.get(here)
            if following is None or following == here:
                return here
            if following in seen:  # names that stand for each other: the most exact one is it
                return min(seen[seen.index(following) :], key=_exactness)
            seen.append(following)


def _exactness(uid: str) -> tuple[bool, bool, int, str]:
    return ("@sha256:" not in uid, parse_arn(uid) is None, len(uid), uid)


def _store(
    facts: Facts, direct: dict[str, str], now: dict[str, str], unclear: dict[str, list[str]]
) -> None:
    _fill(facts, "asked", set(now))
    facts.con.execute("DELETE FROM names WHERE ref IN (FROM asked)")
    facts.con.execute("DELETE FROM ambiguous WHERE ref IN (FROM asked)")
    rows = [(n, direct.get(n, ""), uid) for n, uid in now.items() if uid != n or n in direct]
    _insert(facts, "names", ("ref", "direct", "uid"), rows)
    _insert(facts, "ambiguous", ("ref", "uids"), list(unclear.items()))


def refresh_vulnerability_names(facts: Facts, ids: set[str]) -> set[str]:
    """Groups the ids that any source calls the same; returns those with another canonical id.

    The canonical id of a group is its CVE (the first in order, if there are several), else GHSA,
    else the first id. A group is what is connected by statements of equality.
    """
    if not ids:
        return set()
    facts.con.execute("CREATE OR REPLACE TEMP TABLE asked (name VARCHAR)")
    neighbours: dict[str, set[str]] = defaultdict(set)
    reached: set[str] = set()
    frontier = set(ids)
    while frontier:
        reached |= frontier
        _fill(facts, "asked", frontier)
        frontier = set()
        for a, b in facts.rows(
            "SELECT a, b FROM vulnerability_aliases WHERE a IN (FROM asked) OR b IN (FROM asked)"
        ):
            neighbours[a].add(b)
            neighbours[b].add(a)
            frontier |= {a, b} - reached
    canonical: dict[str, str] = {}
    for start in sorted(reached):
        if start in canonical:
            continue
        group, stack = {start}, [start]
        while stack:
            for other in neighbours[stack.pop()] - group:
                group.add(other)
                stack.append(other)
        # Two CVEs joined by a careless advisory are two vulnerabilities: keep each CVE itself.
        cves = sorted(i for i in group if i.startswith("CVE-"))
        for member in group:
            if member.startswith("CVE-"):
                canonical[member] = member
            else:
                own = sorted(neighbours[member] & set(cves))
                canonical[member] = (own or cves or sorted(group, key=_id_order))[0]
    _fill(facts, "asked", reached)
    before = dict(
        facts.rows("SELECT id, canonical FROM vulnerability_names WHERE id IN (FROM asked)")
    )
    facts.con.execute("DELETE FROM vulnerability_names WHERE id IN (FROM asked)")
    _insert(
        facts,
        "vulnerability_names",
        ("id", "canonical"),
        [(i, c) for i, c in canonical.items() if i != c],
    )
    return {i for i, c in canonical.items() if before.get(i, i) != c}


def _id_order(identifier: str) -> tuple[bool, str]:
    return (not identifier.startswith("GHSA-"), identifier)


def _fill(facts: Facts, table: str, names: set[str]) -> None:
    facts.con.execute(f"DELETE FROM {table}")
    _insert(facts, table, ("name",), [(n,) for n in sorted(names)])


def _insert(facts: Facts, table: str, columns: tuple[str, ...], rows: list[Any]) -> None:
    if not rows:
        return
    import pyarrow as pa

    kinds = {"uids": pa.list_(pa.string())}
    batch = pa.table(
        {
            c: pa.array([row[i] for row in rows], kinds.get(c, pa.string()))
            for i, c in enumerate(columns)
        }
    )
    facts.con.register("batch", batch)
    facts.con.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM batch")
    facts.con.unregister("batch")
