"""One import: the staged columns of a report become facts, in one transaction.

Liveness does not depend on the order of imports: a statement is live until a complete, newer
scan of the same scope by the same tool does not repeat it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from secinbox.facts.identity import INVENTORY, refresh_names, refresh_vulnerability_names
from secinbox.facts.resolved import refresh_findings
from secinbox.facts.staging import TABLES, Staged
from secinbox.facts.store import Facts


@dataclass
class Source:
    """What the caller knows about the report."""

    hash: str
    name: str
    origin: str  # the last four parts of its path: part of what it says (account, region)
    format: str
    observed: datetime
    imported: datetime
    size: int
    inventory: bool = False
    options: dict[str, str] = field(default_factory=dict)
    dated: bool = False  # the report says itself when it was made
    released: str = ""  # feeds: the date of the feed itself


@dataclass
class Changes:
    """What an import changed, in statements of its tool."""

    new: int = 0
    fixed: int = 0
    reopened: int = 0
    unchanged: int = 0


_FINDING_ID = """md5(concat_ws(chr(31), '1', {a}.type, {resource},
    CASE WHEN {canonical} <> '' THEN 'v:' || {canonical} || chr(31) || {a}.package
         WHEN {a}.type = 'secret' AND {a}.anchor <> '' THEN 's:' || {a}.anchor
         WHEN {a}.type IN ('static_code_vulnerability', 'runtime_code_vulnerability', 'secret',
                           'iac_misconfiguration', 'api_security')
           THEN 'c:' || coalesce(nullif({a}.canonical_rule, ''), {a}.rule) || chr(31)
                || {a}.location || chr(31) || {a}.anchor
         ELSE 'r:' || coalesce(nullif({a}.canonical_rule, ''), {a}.rule) || chr(31) || {a}.anchor
    END))"""


def finding_id(alias: str, resource: str, canonical: str) -> str:
    """SQL of a finding's fingerprint: (type, resource, what is wrong), and nothing that changes."""
    return _FINDING_ID.format(a=alias, resource=resource, canonical=canonical)


def merge(facts: Facts, staged: Staged, source: Source) -> Changes:
    """Stores everything that the report says, or nothing of it. Returns what changed."""
    with facts.transaction():
        return _merge(facts, staged, source)


def _merge(facts: Facts, staged: Staged, source: Source) -> Changes:
    con = facts.con
    number = int(facts.value("SELECT coalesce(max(id), 0) + 1 FROM imports"))
    counts = staged.counts
    complete = counts["hiding"] == 0
    con.execute(
        "INSERT INTO imports VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        [
            number, source.hash, source.name, source.origin, source.format, source.observed, source.imported,
            source.size, counts["findings"], counts["passed"], counts["signals"],
            counts["resources"], counts["exploits"], complete, json.dumps(source.options),
            json.dumps(staged.skipped), source.dated,
        ],
    )  # fmt: skip
    scopes = _scopes(staged)
    when = source.observed
    _inventory(facts, staged, source, number, scopes)
    changed_names = _aliases(facts, staged, source, number, scopes) | _listed(facts, staged, source)
    moved = refresh_names(facts, changed_names)
    if staged.rows("vulnerability_aliases"):
        moved_ids = _vulnerability_aliases(facts, staged)
    else:
        moved_ids = set()
    touched: set[str] | None = set()
    con.execute("CREATE OR REPLACE TEMP TABLE touched (id VARCHAR)")
    if moved or moved_ids:
        _resolve_again(facts, set(moved), moved_ids)
    if moved:
        _mark_moved(facts, moved)
    changes = Changes()
    if staged.rows("findings"):
        changes = store_statements(facts, staged, source, number, scopes)
    if scopes and complete:
        changes.fixed = _close(facts, scopes, when, number)
    if staged.rows("vex"):
        _vex(facts, staged, number)
    if facts.value("SELECT count(*) FROM touched"):
        refresh_findings(facts)
        con.execute("INSERT INTO dirty SELECT DISTINCT 'finding', id FROM touched")
    if staged.rows("signals"):
        _signals(facts, staged, number)
    if staged.rows("exploits") or source.released:
        _exploits(facts, staged, source, number)
    if staged.rows("components"):
        _view(facts, staged, "components")
        con.execute(
            "INSERT INTO components SELECT resource, purl, name, version, ?, ? FROM stage",
            [source.format, number],
        )
        _drop_view(facts)
    del touched
    return changes


def _view(facts: Facts, staged: Staged, name: str) -> None:
    """Makes the staged rows of a table readable as `stage`."""
    facts.con.register("stage", staged.table(name))


def _drop_view(facts: Facts) -> None:
    facts.con.unregister("stage")


def _scopes(staged: Staged) -> list[tuple[str, str, tuple[str, ...]]]:
    columns = staged.columns["scopes"]
    found = zip(columns["tool"], columns["key"], columns["types"], strict=True)
    return sorted({(tool, key, tuple(types)) for tool, key, types in found})


def _inventory(
    facts: Facts,
    staged: Staged,
    source: Source,
    number: int,
    scopes: list[tuple[str, str, tuple[str, ...]]],
) -> None:
    con = facts.con
    trust = INVENTORY if source.inventory else 1
    # An inventory call lists everything of its kind: what it lists no longer is gone.
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
        _view(facts, staged, "resources")
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
        _drop_view(facts)
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
        _view(facts, staged, "relations")
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
        _drop_view(facts)
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


# The kind and the place of a resource as the scopes of exports name them.
_PAGE = "concat(provider, ':', account, '/', type)"
# Files of one export lie closer together in time than two exports do.
_ONE_EXPORT = "INTERVAL 1 HOUR"


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


def _listed(facts: Facts, staged: Staged, source: Source) -> set[str]:
    """Aliases under which this inventory lists a thing of its own: they may mean that from now on."""
    if not source.inventory or not staged.rows("resources"):
        return set()
    return {
        row[0]
        for row in facts.rows(
            "SELECT DISTINCT a.name FROM aliases a SEMI JOIN incoming_resources i ON i.ref = a.name"
        )
    }


def _aliases(
    facts: Facts,
    staged: Staged,
    source: Source,
    number: int,
    scopes: list[tuple[str, str, tuple[str, ...]]],
) -> set[str]:
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
    _view(facts, staged, "aliases")
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE incoming_aliases AS
        SELECT s.name, s.uid, max(s.confidence) AS confidence FROM stage s
        ANTI JOIN aliases a ON a.name = s.name AND a.uid = s.uid GROUP BY ALL
        """
    )
    _drop_view(facts)
    con.execute(
        f"INSERT INTO aliases SELECT name, uid, confidence, {trust}, ?, ?, ? FROM incoming_aliases",
        [source.format, scope, number],
    )
    new = {row[0] for row in facts.rows("SELECT DISTINCT name FROM incoming_aliases")}
    return gone | new


def _vulnerability_aliases(facts: Facts, staged: Staged) -> set[str]:
    _view(facts, staged, "vulnerability_aliases")
    facts.con.execute(
        """
        CREATE OR REPLACE TEMP TABLE incoming_ids AS
        SELECT DISTINCT s.a, s.b FROM stage s
        ANTI JOIN vulnerability_aliases v ON v.a = s.a AND v.b = s.b
        WHERE s.a <> '' AND s.b <> '' AND s.a <> s.b
        """
    )
    _drop_view(facts)
    facts.con.execute("INSERT INTO vulnerability_aliases SELECT * FROM incoming_ids")
    ids = {i for row in facts.rows("SELECT a, b FROM incoming_ids") for i in row}
    return refresh_vulnerability_names(facts, ids)


def _resolve_again(facts: Facts, refs: set[str], ids: set[str]) -> None:
    """Statements whose resource or vulnerability has another name now get a new finding."""
    from secinbox.facts.identity import _fill

    con = facts.con
    for table, names in (("moved_refs", refs), ("moved_ids", ids)):
        con.execute(f"CREATE OR REPLACE TEMP TABLE {table} (name VARCHAR)")
        _fill(facts, table, names)
    new_id = finding_id("s", "coalesce(n.uid, s.ref)", "coalesce(v.canonical, s.vulnerability)")
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE again AS
        SELECT s.id, s.finding AS before, coalesce(n.uid, s.ref) AS resource,
               coalesce(v.canonical, s.vulnerability) AS canonical, {new_id} AS finding
        FROM statements s
        LEFT JOIN names n ON n.ref = s.ref
        LEFT JOIN vulnerability_names v ON v.id = s.vulnerability
        WHERE s.ref IN (FROM moved_refs) OR s.vulnerability IN (FROM moved_ids)
        """
    )
    con.execute(
        """
        UPDATE statements SET resource = a.resource, canonical = a.canonical, finding = a.finding
        FROM again a WHERE a.id = statements.id
        """
    )
    # Decisions hang on fingerprints: they follow the finding to its better name.
    con.execute(
        "INSERT INTO renamed SELECT DISTINCT before, finding, now()::TIMESTAMP FROM again "
        "WHERE before <> finding"
    )
    con.execute("INSERT INTO touched SELECT before FROM again UNION SELECT finding FROM again")


def _mark_moved(facts: Facts, moved: dict[str, tuple[str, str]]) -> None:
    from secinbox.facts.identity import _fill

    con = facts.con
    con.execute("CREATE OR REPLACE TEMP TABLE asked (name VARCHAR)")
    _fill(facts, "asked", set(moved) | {u for pair in moved.values() for u in pair})
    con.execute("INSERT INTO dirty SELECT 'uid', name FROM asked")
    joined = facts.value(
        "SELECT count(*) FROM relations WHERE source IN (FROM asked) OR target IN (FROM asked)"
    )
    con.execute(
        "INSERT INTO dirty VALUES ('all', '')"
        if joined
        else "INSERT INTO dirty SELECT 'resource', name FROM asked"
    )


def store_statements(
    facts: Facts,
    staged: Staged,
    source: Source,
    number: int,
    scopes: list[tuple[str, str, tuple[str, ...]]],
) -> Changes:
    """Staged findings as statements; ids of findings to build again go to `touched`."""
    when = source.observed
    con = facts.con
    _view(facts, staged, "findings")
    fid = finding_id("s", "coalesce(n.uid, s.resource)", "coalesce(v.canonical, s.vulnerability)")
    # What makes a statement: who says what of which resource, and where in it.
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE incoming AS
        SELECT md5(concat_ws(chr(31), '{source.format}', s.tool, s.type, s.resource,
                 CASE WHEN s.vulnerability <> '' THEN s.vulnerability
                      WHEN s.canonical_rule <> '' THEN s.canonical_rule ELSE s.rule END,
                 s.package_key, s.location,
                 CASE WHEN s.vulnerability <> '' THEN s.version ELSE s.anchor END)) AS id,
               s.row, s.place, s.resource AS ref,
               coalesce(n.uid, s.resource) AS resource,
               coalesce(v.canonical, s.vulnerability) AS canonical, {fid} AS finding,
               {_scope_sql(facts, staged, scopes)} AS scope
        FROM (SELECT * EXCLUDE (package), package_key AS package, package_key FROM stage) s
        LEFT JOIN names n ON n.ref = s.resource
        LEFT JOIN vulnerability_names v ON v.id = s.vulnerability
        """
    )
    rows, distinct = facts.rows("SELECT count(*), count(DISTINCT id) FROM incoming")[0]
    if rows != distinct:  # the same statement twice in one report: the first place counts
        con.execute(
            """
            CREATE OR REPLACE TEMP TABLE incoming AS
            SELECT DISTINCT ON (id) * FROM incoming ORDER BY id, place, row
            """
        )
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE known AS
        SELECT s.id, s.finding, s.first_seen, s.last_seen, s.closed, s.reopened,
               -- At the same time from two files: the first by name is kept, in any order.
               s.last_seen < $when OR (s.last_seen = $when AND m.source >= $source) AS newer
        FROM (SELECT * FROM statements SEMI JOIN incoming i ON i.id = statements.id) s
        LEFT JOIN imports m ON m.id = s.import_id
        """,
        {"when": when, "source": source.origin},
    )
    # Older than what is known: it can only tell that the weakness was there earlier.
    con.execute(
        """
        UPDATE statements SET first_seen = least(statements.first_seen, ?)
        FROM known k WHERE k.id = statements.id AND k.last_seen > ?
        """,
        [when, when],
    )
    con.execute("DELETE FROM statements WHERE id IN (SELECT id FROM known WHERE newer)")
    con.execute(
        """
        INSERT INTO statements
        SELECT i.id, i.finding, s.tool, s.type, i.ref, i.resource, i.scope, s.rule,
               s.canonical_rule, s.vulnerability, i.canonical, s.purl, s.package_key, s.version,
               s.fixed_version, s.title, s.description,
               CASE s.severity WHEN 'critical' THEN 5 WHEN 'high' THEN 4 WHEN 'medium' THEN 3
                 WHEN 'low' THEN 2 WHEN 'info' THEN 1 ELSE 0 END,
               s.severity_word, s.score, s.vector, s.location, s.line, s.anchor, s.remediation,
               s.url, s.likelihood, s.impact, s.exploit_known, s.verified, s.default_branch,
               i.place, s.fix, s.fix_key, $number,
               least(coalesce(k.first_seen, $when), coalesce(s.first_seen, $when), $when), $when,
               CASE WHEN c.observed > $when THEN c.observed END,
               CASE WHEN k.closed IS NOT NULL AND k.closed < $when THEN $when ELSE k.reopened END
        FROM incoming i
        JOIN stage s ON s.row = i.row
        LEFT JOIN known k ON k.id = i.id
        LEFT JOIN (SELECT tool, key, type, max(observed) AS observed FROM coverage GROUP BY ALL) c
          ON c.tool = s.tool AND c.key = i.scope AND c.type = s.type
        WHERE k.id IS NULL OR k.newer
        """,
        {"number": number, "when": when},
    )
    con.execute("INSERT INTO touched SELECT finding FROM incoming UNION SELECT finding FROM known")
    _drop_view(facts)
    total, known, reopened = facts.rows(
        """
        SELECT count(*), count(k.id), count(*) FILTER (k.closed IS NOT NULL AND k.closed < ?)
        FROM incoming i LEFT JOIN known k ON k.id = i.id
        """,
        [when],
    )[0]
    return Changes(new=total - known, reopened=reopened, unchanged=known - reopened)


def _scope_sql(facts: Facts, staged: Staged, scopes: list[tuple[str, str, tuple[str, ...]]]) -> str:
    """SQL for the scope that a staged finding belongs to: its resource, its account, the one."""
    keys = sorted({key for _, key, _ in scopes})
    if not keys:
        return "''"
    if len(keys) == 1:
        return "'" + keys[0].replace("'", "''") + "'"
    import pyarrow as pa

    columns = staged.columns["resources"]
    accounts = dict(zip(columns["ref"], columns["account"], strict=True))
    by_account = {k.split(":", 1)[1].split("/", 1)[0]: k for k in keys if ":" in k}
    own = set(keys)
    chosen = {
        ref: ref if ref in own else by_account.get(account, "")
        for ref, account in accounts.items()
        if ref in own or account in by_account
    }
    facts.con.register(
        "chosen_rows",
        pa.table(
            {
                "ref": pa.array(list(chosen), pa.string()),
                "scope": pa.array(list(chosen.values()), pa.string()),
            }
        ),
    )
    facts.con.execute("CREATE OR REPLACE TEMP TABLE chosen AS SELECT * FROM chosen_rows")
    facts.con.unregister("chosen_rows")
    return "coalesce((SELECT c.scope FROM chosen c WHERE c.ref = s.resource), '')"


def _close(
    facts: Facts,
    scopes: list[tuple[str, str, tuple[str, ...]]],
    when: datetime,
    number: int,
) -> int:
    """Statements of these scopes that a newer complete report does not repeat are closed."""
    con = facts.con
    con.execute("CREATE OR REPLACE TEMP TABLE covered (tool VARCHAR, key VARCHAR, type VARCHAR)")
    rows = [[tool, key, kind] for tool, key, types in scopes for kind in types]
    if not rows:
        return 0
    con.executemany("INSERT INTO covered VALUES (?,?,?)", rows)
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE closing AS
        SELECT s.id, s.finding FROM statements s
        SEMI JOIN covered c ON c.tool = s.tool AND c.key = s.scope AND c.type = s.type
        WHERE s.closed IS NULL AND s.last_seen < ?
        """,
        [when],
    )
    count = int(facts.value("SELECT count(*) FROM closing"))
    if count:
        con.execute("UPDATE statements SET closed = ? WHERE id IN (SELECT id FROM closing)", [when])
        con.execute("INSERT INTO touched SELECT finding FROM closing")
    con.execute(
        "DELETE FROM coverage WHERE observed <= ? AND (tool, key, type) IN (FROM covered)", [when]
    )
    con.execute("INSERT INTO coverage SELECT *, ?, ? FROM covered", [when, number])
    return count


def _vex(facts: Facts, staged: Staged, number: int) -> None:
    con = facts.con
    _view(facts, staged, "vex")
    names = (
        "vulnerability, product, package, version, status, justification, text, author, time, "
        "within"
    )
    con.execute(
        "DELETE FROM vex WHERE (vulnerability, product, author, time) IN "
        "(SELECT vulnerability, product, author, time FROM stage)"
    )
    con.execute(
        f"INSERT INTO vex ({names}, tool, import_id, place) "
        f"SELECT {names}, tool, ?, place FROM stage",
        [number],
    )
    con.execute(
        """
        INSERT INTO touched SELECT DISTINCT s.finding FROM statements s
        WHERE s.canonical IN (
            SELECT coalesce(v.canonical, t.vulnerability) FROM stage t
            LEFT JOIN vulnerability_names v ON v.id = t.vulnerability)
        """
    )
    _drop_view(facts)


def _signals(facts: Facts, staged: Staged, number: int) -> None:
    con = facts.con
    _view(facts, staged, "signals")
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE incoming_signals AS
        SELECT DISTINCT ON (s.id) s.* FROM stage s ANTI JOIN signals g ON g.id = s.id
        ORDER BY s.id, s.place
        """
    )
    _drop_view(facts)
    con.execute(
        """
        INSERT INTO signals SELECT id, time, title, severity, severity_word, names, description,
            technique, source_address, tool, ?, place FROM incoming_signals
        """,
        [number],
    )
    con.execute(
        "INSERT INTO signal_names SELECT unnest(names), id, time, severity FROM incoming_signals"
    )
    con.execute(
        """
        INSERT INTO dirty SELECT DISTINCT 'resource', coalesce(n.uid, g.name)
        FROM (SELECT DISTINCT unnest(names) AS name FROM incoming_signals) g
        LEFT JOIN names n ON n.ref = g.name
        """
    )


def _exploits(facts: Facts, staged: Staged, source: Source, number: int) -> None:
    con = facts.con
    _view(facts, staged, "exploits")
    feeds = [row[0] for row in facts.rows("SELECT DISTINCT feed FROM stage")]
    columns = list(TABLES["exploits"])
    listed = ", ".join(columns)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE incoming_exploits AS SELECT DISTINCT {listed} FROM stage"
    )
    _drop_view(facts)
    con.execute(
        """
        DELETE FROM exploits WHERE (vulnerability, feed, id, url) IN
          (SELECT vulnerability, feed, id, url FROM incoming_exploits)
        """
    )
    con.execute(
        f"INSERT INTO exploits ({listed}, import_id) SELECT {listed}, ? FROM incoming_exploits",
        [number],
    )
    for feed in feeds:
        con.execute(
            """
            INSERT INTO feeds VALUES (?, ?, ?, (SELECT count(*) FROM exploits WHERE feed = ?), '',
                ?)
            ON CONFLICT (feed) DO UPDATE SET released = greatest(feeds.released, excluded.released),
                imported = greatest(feeds.imported, excluded.imported), records = excluded.records,
                source = excluded.source
            """,
            [feed, source.released, source.imported, feed, source.name],
        )
    con.execute("INSERT INTO dirty VALUES ('all', '')")


def result(changes: Changes) -> dict[str, Any]:
    """The `changes` object of the JSON contract."""
    return {
        "new": changes.new,
        "fixed": changes.fixed,
        "reopened": changes.reopened,
        "unchanged": changes.unchanged,
    }
