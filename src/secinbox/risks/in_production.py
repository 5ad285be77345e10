"""In production: the `env` or `environment` tag, inherited along relations."""

from __future__ import annotations

import re

from secinbox.risks import Assessment

NAME = "in_production"
TITLE = "The env or environment tag says production"

# From the part to what it belongs to: a tag further up speaks for what stands below it.
_UPWARD = (
    "('owned_by', 'attached_to', 'part_of', 'in_subnet', 'in_network', 'in_account', 'runs_on')"
)
_HOPS = 3


def production_pattern(values: tuple[str, ...]) -> str:
    """The regular expression of production words: `prod`, `prod-eu`, `eu-prod`, `live/1`."""
    words = "|".join(re.escape(v.lower()) for v in values)
    return rf"^({words})([-_./:0-9].*)?$|^(?!non|not|pre|no[-_])[a-z0-9]+[-_./:]({words})$"


def assess(assessment: Assessment) -> None:
    """One row for every resource that has the tag or inherits it; the nearest tag decides."""
    con = assessment.facts.con
    pattern = re.compile(production_pattern(assessment.settings.production_values))
    words = [
        row[0]
        for row in assessment.facts.rows(
            "SELECT DISTINCT environment FROM resources WHERE environment <> ''"
        )
    ]
    con.execute("CREATE OR REPLACE TEMP TABLE environments (word VARCHAR, production TINYINT)")
    if words:
        con.executemany(
            "INSERT INTO environments VALUES (?, ?)",
            [[w, 1 if pattern.match(w) else 0] for w in words],
        )
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE tagged AS
        SELECT r.uid, 0 AS hops, r.environment AS word, e.production, r.uid AS source, '' AS route
        FROM resources r JOIN environments e ON e.word = r.environment
        """
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE upward AS
        SELECT source, kind, target FROM edges WHERE kind IN {_UPWARD}
        UNION SELECT target, 'in', source FROM edges
        WHERE kind = 'contains' AND source LIKE 'k8s://%/namespace/%'
        """
    )
    for hop in range(1, _HOPS + 1):
        con.execute(
            f"""
            INSERT INTO tagged
            SELECT e.source, {hop}, t.word, t.production, t.source,
                   ' through ' || replace(e.kind, '_', ' ') || ' ' || e.target || t.route
            FROM upward e JOIN tagged t ON t.uid = e.target AND t.hops = {hop - 1}
            WHERE e.source NOT IN (SELECT uid FROM tagged)
            """
        )
        if hop == 1:
            # A workload is where its replicas are.
            con.execute(
                """
                INSERT INTO tagged
                SELECT o.top, 1, t.word, t.production, t.source, ' of its replica ' || o.uid
                FROM tops o JOIN tagged t ON t.uid = o.uid AND t.hops = 0
                WHERE o.top NOT IN (SELECT uid FROM tagged)
                """
            )
    con.execute(
        f"""
        INSERT INTO risk_values
        SELECT uid, '{NAME}', production, to_json([struct_pack(kind := 'tag',
               text := 'environment is ' || word || route, source := source)])
        FROM (SELECT DISTINCT ON (uid) * FROM tagged WHERE {assessment.where("uid")}
              ORDER BY uid, hops, production DESC, source, word)
        """
    )
