"""What an import lists: resources, relations and names. A whole list replaces the one before."""

from __future__ import annotations

from datetime import datetime

from secinbox.facts.identity import INVENTORY
from secinbox.facts.incoming import Scopes, Source, drop_view, view
from secinbox.facts.staging import Staged
from secinbox.facts.store import Facts

# The kind and the place of a resource as the scopes of exports name them.
_PAGE = "concat(provider, ':', account, '/', type)"
# Files of one export lie closer together in time than two exports do.
_ONE_EXPORT = "INTERVAL 1 HOUR"


def store_resources(
    facts: Facts,
    staged: Staged,
    source: Source,
    number: int,
    scopes: Scopes,
) -> None:
    """Resources and relations; what a whole list of its kind names no longer is gone."""
    con = facts.con
    trust = INVENTORY if source.inventory else 1
    paged = _paged(staged) if source.inventory else []
    scope = scopes[0][1] if source.inventory and len(scopes) == 1 and not paged else ""
    if scope:
        newer = facts.value(
            "SELECT count(*) FROM coverage WHERE key = ? AND type = '' AND observed > ?",
            [scope, source.observed],
        )
        if newer:  # an older answer of the same call adds nothing
            return
        con.execute(
            "INSERT INTO dirty SELECT DISTINCT 'uid', ref FROM seen_resources WHERE scope = ?",
            [scope],
        )
        for table in ("seen_resources", "relations"):
            con.execute(f"DELETE FROM {table} WHERE scope = ?", [scope])
    if staged.rows("resources"):
        view(facts, staged, "resources")
        con.execute(
            """
            CREATE OR REPLACE TEMP TABLE incoming_resources AS
            SELECT ref, tool, max(type) AS type, max(name) AS name, max(provider) AS provider,
                   max(account) AS account, max(region) AS region, max(tags) AS tags, config,
                   max(states) AS states, min(place) AS place,
                   bool_and(provisional) AS provisional
            FROM stage GROUP BY ref, tool, config
            """
        )
        drop_view(facts)
        if paged:
            _replace_older(facts, paged, source.observed)
        if not scope:
            _keep_newest(facts, paged, source.observed)
        con.execute(
            f"""
            INSERT INTO seen_resources
            SELECT ref, tool, CASE WHEN list_contains($paged, {_PAGE}) THEN {_PAGE} ELSE $scope END,
                   {trust}, type, name, provider, account, region, tags, config, states, $observed,
                   $number, place, provisional
            FROM incoming_resources
            """,
            {"paged": paged, "scope": scope, "observed": source.observed, "number": number},
        )
        # What the resource is now is gathered once, when the inbox is ranked.
        con.execute("INSERT INTO dirty SELECT DISTINCT 'uid', ref FROM incoming_resources")
        if source.inventory or facts.value(
            "SELECT count(*) FROM incoming_resources WHERE tags <> '' OR states <> ''"
        ):
            con.execute("INSERT INTO dirty VALUES ('all', '')")
    if staged.rows("relations"):
        view(facts, staged, "relations")
        before = facts.value("SELECT count(*) FROM relations")
        con.execute(
            """
            INSERT INTO relations
            SELECT DISTINCT ON (s.source, s.kind, s.target) s.source, s.kind, s.target, ?, ?, ?,
                   s.place
            FROM stage s ANTI JOIN relations r
              ON r.source = s.source AND r.kind = s.kind AND r.target = s.target
            """,
            [source.format, scope, number],
        )
        drop_view(facts)
        if facts.value("SELECT count(*) FROM relations") != before:
            con.execute("INSERT INTO dirty VALUES ('all', '')")
    if source.inventory:
        for tool, key, types in scopes:
            for kind in types or ("",):
                con.execute("DELETE FROM coverage WHERE key = ? AND type = ?", [key, kind])
                con.execute(
                    "INSERT INTO coverage VALUES (?,?,?,?,?)",
                    [tool, key, kind, source.observed, number],
                )


def _paged(staged: Staged) -> list[str]:
    """Kinds of which this file may be one of several pages."""
    columns = staged.columns["scopes"]
    return sorted({k for k, p in zip(columns["key"], columns["pages"], strict=True) if p})


def _keep_newest(facts: Facts, paged: list[str], when: datetime) -> None:
    """Of the same thing said by the same tool the newest stays, in whatever order it comes."""
    mine = "(s.scope = '' OR list_contains($paged, s.scope))"
    same = "s.ref = i.ref AND s.tool = i.tool AND s.config = i.config"
    words = "concat_ws(chr(31), {0}.type, {0}.name, {0}.account, {0}.region, {0}.tags, {0}.states)"
    facts.con.execute(
        f"""
        DELETE FROM incoming_resources i WHERE EXISTS (
            SELECT 1 FROM seen_resources s WHERE {same} AND {mine} AND (s.observed > $when OR
              (s.observed = $when AND {words.format("s")} > {words.format("i")})))
        """,
        {"paged": paged, "when": when},
    )
    facts.con.execute(
        f"""
        DELETE FROM seen_resources s WHERE {mine} AND s.observed <= $when
          AND (s.ref, s.tool, s.config) IN (SELECT ref, tool, config FROM incoming_resources)
        """,
        {"paged": paged, "when": when},
    )


def _replace_older(facts: Facts, paged: list[str], when: datetime) -> None:
    """Takes away what exports of another hour said of these kinds: it is said again, or gone."""
    con = facts.con
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE outdated AS
        SELECT DISTINCT ref FROM seen_resources
        WHERE list_contains($paged, scope) AND observed < $when::TIMESTAMP - {_ONE_EXPORT}
        """,
        {"paged": paged, "when": when},
    )
    if not facts.value("SELECT count(*) FROM outdated"):
        return
    con.execute("INSERT INTO dirty SELECT 'uid', ref FROM outdated")
    con.execute(
        f"""
        DELETE FROM relations WHERE source IN (FROM outdated) AND import_id IN (
            SELECT id FROM imports WHERE observed < ?::TIMESTAMP - {_ONE_EXPORT})
        """,
        [when],
    )
    con.execute(
        f"""
        DELETE FROM seen_resources
        WHERE list_contains($paged, scope) AND observed < $when::TIMESTAMP - {_ONE_EXPORT}
        """,
        {"paged": paged, "when": when},
    )
    con.execute("INSERT INTO dirty VALUES ('all', '')")


def listed(facts: Facts, staged: Staged, source: Source) -> set[str]:
    """Aliases under which this inventory lists a thing of its own: they may mean that from now on."""
    if not source.inventory or not staged.rows("resources"):
        return set()
    return {
        row[0]
        for row in facts.rows(
            "SELECT DISTINCT a.name FROM aliases a SEMI JOIN incoming_resources i ON i.ref = a.name"
        )
    }


def store_aliases(
    facts: Facts,
    staged: Staged,
    source: Source,
    number: int,
    scopes: Scopes,
) -> set[str]:
    """Other names of resources. Returns those that came or went."""
    con = facts.con
    whole = source.inventory and len(scopes) == 1 and not _paged(staged)
    scope = scopes[0][1] if whole else ""
    gone: set[str] = set()
    if scope:
        gone = {row[0] for row in facts.rows("SELECT name FROM aliases WHERE scope = ?", [scope])}
        con.execute("DELETE FROM aliases WHERE scope = ?", [scope])
    if not staged.rows("aliases"):
        return gone
    trust = INVENTORY if source.inventory else 1
    view(facts, staged, "aliases")
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE incoming_aliases AS
        SELECT s.name, s.uid, max(s.confidence) AS confidence FROM stage s
        ANTI JOIN aliases a ON a.name = s.name AND a.uid = s.uid GROUP BY ALL
        """
    )
    drop_view(facts)
    con.execute(
        f"INSERT INTO aliases SELECT name, uid, confidence, {trust}, ?, ?, ? FROM incoming_aliases",
        [source.format, scope, number],
    )
    new = {row[0] for row in facts.rows("SELECT DISTINCT name FROM incoming_aliases")}
    return gone | new
