"""Statements: who says what of which resource, since when, and until which complete scan."""

from __future__ import annotations

from datetime import datetime

from secinbox.facts.incoming import Changes, Scopes, Source, drop_view, view
from secinbox.facts.staging import Staged
from secinbox.facts.store import Facts

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


def store_statements(
    facts: Facts,
    staged: Staged,
    source: Source,
    number: int,
    scopes: Scopes,
) -> Changes:
    """Staged findings as statements; ids of findings to build again go to `touched`."""
    when = source.observed
    con = facts.con
    view(facts, staged, "findings")
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
    drop_view(facts)
    total, known, reopened = facts.rows(
        """
        SELECT count(*), count(k.id), count(*) FILTER (k.closed IS NOT NULL AND k.closed < ?)
        FROM incoming i LEFT JOIN known k ON k.id = i.id
        """,
        [when],
    )[0]
    return Changes(new=total - known, reopened=reopened, unchanged=known - reopened)


def _scope_sql(facts: Facts, staged: Staged, scopes: Scopes) -> str:
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


def close(
    facts: Facts,
    scopes: Scopes,
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
