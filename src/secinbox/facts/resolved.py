"""Resolved facts: findings from statements, resources from what every source says of them."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from secinbox.facts.store import Facts

# Statement columns that the finding takes from its leading statement (the most severe live one).
# Long texts stay there: whoever shows a finding reads them by its `lead`.
_LEAD = (
    "type, resource, canonical, rule, purl, package, version, fixed_version, title, severity, "
    "severity_word, score, location, line, likelihood, impact, exploit_known, verified, "
    "default_branch, fix, fix_key"
)


def refresh_findings(facts: Facts) -> None:
    """Builds the findings named in `touched` again from their statements.

    A finding is open while any statement is live; a VEX statement of the vendor or the owner
    that says not affected (or fixed) for this package or resource closes it as `not_affected`.
    """
    con = facts.con
    con.execute("DELETE FROM findings WHERE id IN (FROM touched)")
    lead = ", ".join(f"s.{c.strip()}" for c in _LEAD.split(","))
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE gathered AS
        SELECT s.finding AS id, s.id AS lead, {lead}, s.tool AS tools, s.first_seen, s.last_seen,
               s.closed IS NULL AS live, s.reopened
        FROM statements s SEMI JOIN touched t ON t.id = s.finding
        """
    )
    many = facts.value(
        "SELECT count(*) FROM (SELECT id FROM gathered GROUP BY id HAVING count(*) > 1)"
    )
    if many:
        con.execute(
            """
            CREATE OR REPLACE TEMP TABLE shared AS
            SELECT id, string_agg(DISTINCT tools, ',' ORDER BY tools) AS tools,
                   min(first_seen) AS first_seen, max(last_seen) AS last_seen,
                   bool_or(live) AS live, max(reopened) AS reopened,
                   bool_or(verified) AS verified,
                   max(nullif(fixed_version, '')) AS fixed_version,
                   max(score) AS score,
                   -- Our own title says what is wrong; many a tool's says what should hold.
                   min(title) FILTER (tools = 'secinbox' AND live) AS own
            FROM gathered GROUP BY id HAVING count(*) > 1
            """
        )
        con.execute(
            """
            CREATE OR REPLACE TEMP TABLE gathered AS
            SELECT * FROM gathered ANTI JOIN shared USING (id)
            UNION ALL BY NAME
            SELECT g.* REPLACE (s.tools AS tools, s.first_seen AS first_seen,
                   s.last_seen AS last_seen, s.live AS live, s.reopened AS reopened,
                   s.verified AS verified, coalesce(s.own, g.title) AS title,
                   coalesce(nullif(g.fixed_version, ''), s.fixed_version, '') AS fixed_version,
                   coalesce(g.score, s.score) AS score)
            FROM (SELECT DISTINCT ON (id) * FROM gathered SEMI JOIN shared USING (id)
                  ORDER BY id, live DESC, severity DESC, tools, title, version, lead) g
            JOIN shared s USING (id)
            """
        )
    status = "CASE WHEN live THEN 'open' ELSE 'fixed' END"
    source = "gathered g"
    if facts.value("SELECT count(*) FROM vex"):
        con.execute(
            """
            CREATE OR REPLACE TEMP TABLE unaffected AS
            SELECT id FROM (
              SELECT g.id, arg_max(x.status, (x.time, x.author, x.text)) AS status
              FROM gathered g
              JOIN (SELECT e.* EXCLUDE (within), coalesce(v.canonical, e.vulnerability) AS canonical,
                           coalesce(n.uid, e.product) AS uid,
                           list_transform(coalesce(e.within, []),
                             lambda w: coalesce(w, '')) AS within
                    FROM vex e LEFT JOIN vulnerability_names v ON v.id = e.vulnerability
                    LEFT JOIN names n ON n.ref = e.product) x ON x.canonical = g.canonical
              WHERE (len(x.within) = 0 OR list_contains(x.within, g.resource)
                     OR len(list_filter(x.within, lambda w: starts_with(w, 'digest:')
                            AND ends_with(g.resource, '@' || substr(w, 8)))) > 0
                     OR EXISTS (SELECT 1 FROM names w
                                WHERE w.uid = g.resource AND list_contains(x.within, w.ref)))
                AND (x.uid = g.resource
                     OR (x.package <> '' AND x.package = g.package
                         AND (x.version = '' OR x.version = g.version))
                     OR (x.product <> '' AND x.product = g.purl))
              GROUP BY g.id)
            WHERE status IN ('not_affected', 'fixed')
            """
        )
        source = "gathered g LEFT JOIN unaffected u ON u.id = g.id"
        status = (
            "CASE WHEN u.id IS NOT NULL THEN 'not_affected' WHEN live THEN 'open' ELSE 'fixed' END"
        )
    con.execute(
        f"""
        INSERT INTO findings
        SELECT g.id, type, resource, canonical, rule, purl, package, version, fixed_version, title,
               severity, severity_word, score, location, line, likelihood, impact, exploit_known,
               verified, default_branch, tools, first_seen, last_seen, {status}, reopened, fix,
               fix_key, lead
        FROM {source}
        """
    )


# Where services and environments are written, in order of preference; keys in lower case.
SERVICE_KEYS = (
    "tags.datadoghq.com/service", "service", "app.kubernetes.io/name", "app", "application",
    "service.name", "servicename", "k8s-app", "component", "app.kubernetes.io/part-of",
)  # fmt: skip
ENVIRONMENT_KEYS = ("tags.datadoghq.com/env", "env", "environment")
TEAM_KEYS = ("team", "owner", "squad", "app.kubernetes.io/managed-by-team")


def refresh_resources(facts: Facts, *, everything: bool = False) -> None:
    """Builds the resources named in `changed_uids` again (or all of them)."""
    con = facts.con
    if everything:
        con.execute("DELETE FROM resources")
        where = ""
    else:
        con.execute("DELETE FROM resources WHERE uid IN (FROM changed_uids)")
        where = "WHERE coalesce(n.uid, s.ref) IN (FROM changed_uids)"
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE told AS
        SELECT coalesce(n.uid, s.ref) AS uid, s.ref, s.trust, s.type, s.name, s.provider,
               s.account, s.region, s.tags, s.states, s.observed
        FROM seen_resources s LEFT JOIN names n ON n.ref = s.ref {where}
        """
    )
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE told_often AS
        SELECT uid FROM told GROUP BY uid HAVING count(*) > 1
        """
    )
    con.execute(
        f"""
        INSERT INTO resources
        SELECT uid, type, name, provider, account, region, tags, states,
               {_tag("tags", SERVICE_KEYS)}, {_tag("tags", ENVIRONMENT_KEYS)}, trust >= 2,
               observed, observed
        FROM told ANTI JOIN told_often USING (uid)
        """
    )
    merged = _merged(facts)
    if merged:
        import pyarrow as pa

        names = list(merged[0])
        con.register("merged", pa.Table.from_pylist(merged))
        con.execute(
            f"""
            INSERT INTO resources
            SELECT {", ".join(names[:8])}, {_tag("tags", SERVICE_KEYS)},
                   {_tag("tags", ENVIRONMENT_KEYS)}, inventoried, first_seen, last_seen
            FROM merged
            """
        )
        con.unregister("merged")


def _merged(facts: Facts) -> list[dict[str, Any]]:
    rows = facts.dicts(
        "SELECT * FROM told SEMI JOIN told_often USING (uid) "
        "ORDER BY uid, trust DESC, observed DESC, (ref = uid) DESC, ref, type, "
        "contains(name, ':'), name, account, region, tags, states"
    )
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["uid"]].append(row)
    merged = []
    for uid, group in groups.items():
        tags: dict[str, str] = {}
        states: dict[str, str] = {}
        for row in group:  # most trusted first
            for merge, text in ((tags, row["tags"]), (states, row["states"])):
                if text:
                    for key, value in json.loads(text).items():
                        merge.setdefault(key, value)
        first = {
            name: next((row[name] for row in group if row[name]), "")
            for name in ("type", "name", "provider", "account", "region")
        }
        merged.append(
            {
                "uid": uid,
                **first,
                "tags": json.dumps(tags, sort_keys=True, ensure_ascii=False) if tags else "",
                "states": json.dumps(states, sort_keys=True) if states else "",
                "inventoried": any(row["trust"] >= 2 for row in group),
                "first_seen": min(row["observed"] for row in group),
                "last_seen": max(row["observed"] for row in group),
            }
        )
    return merged


def _tag(column: str, keys: tuple[str, ...]) -> str:
    """SQL for the first of these tags that is set, in lower case; '' where none is."""
    tries = ", ".join(
        f"nullif(json_extract_string(lower({column}), '$.\"{key}\"'), '')" for key in keys
    )
    return f"CASE WHEN {column} IN ('', '{{}}') THEN '' ELSE coalesce({tries}, '') END"
