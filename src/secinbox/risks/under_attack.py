"""Under attack: a security signal on the resource, its workload or its service of late."""

from __future__ import annotations

from datetime import timedelta

from secinbox.facts.staging import SEVERITY_RANK
from secinbox.risks import Assessment

NAME = "under_attack"
TITLE = "A signal of severity at least low within the last 15 days"

# Where a signal on one thing is a signal on another. An attack on a front door (DNS name, load
# balancer, ingress, Kubernetes service) is an attack on what stands behind it.
_SPREAD = """
    SELECT uid AS hit, uid, '' AS via FROM hits
    UNION
    SELECT h.uid, t.top, 'its replica' FROM hits h JOIN tops t ON t.uid = h.uid
    UNION
    SELECT h.uid, e.target, 'what is attached to it' FROM hits h
    JOIN edges e ON e.source = h.uid AND e.kind = 'attached_to'
    UNION
    SELECT h.uid, coalesce(t.top, b.uid), 'the front door ' || h.uid FROM hits h
    JOIN behind b ON b.front = h.uid LEFT JOIN tops t ON t.uid = b.uid
    UNION
    SELECT h.uid, 'service:' || s.service, 'its member' FROM hits h
    JOIN services s ON s.resource = h.uid
    UNION
    SELECT h.uid, s.resource, 'its service' FROM hits h
    JOIN services s ON h.uid = 'service:' || s.service
"""


def assess(assessment: Assessment) -> None:
    """One row for every resource: newest five signals, or since when nothing was seen."""
    con = assessment.facts.con
    since = assessment.clock - timedelta(days=assessment.settings.signal_days)
    least = SEVERITY_RANK[assessment.settings.signal_severity]
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE behind AS
        WITH RECURSIVE doors(source, target) AS (
            SELECT source, target FROM edges WHERE kind = 'routes_to'
            UNION -- a target group routes to its members
            SELECT target, source FROM edges
            WHERE kind = 'member_of' AND target LIKE '%:targetgroup/%'),
        walk(front, uid, depth) AS (
            SELECT source, target, 1 FROM doors
            UNION
            SELECT w.front, e.target, w.depth + 1 FROM walk w
            JOIN doors e ON e.source = w.uid WHERE w.depth < 6)
        SELECT DISTINCT front, uid FROM walk
        """
    )
    narrow = ""
    if assessment.partial:
        # Names by which the asked resources may be hit: their own and those they are known by.
        narrow = "AND coalesce(n.uid, g.name) IN (SELECT uid FROM asked_sources)"
        con.execute(
            """
            CREATE OR REPLACE TEMP TABLE asked_sources AS
            SELECT uid FROM asked_resources
            UNION SELECT t.uid FROM tops t JOIN asked_resources a ON a.uid = t.top
            UNION SELECT b.front FROM behind b JOIN asked_resources a ON a.uid = b.uid
            UNION SELECT b.front FROM behind b JOIN tops t ON t.uid = b.uid
                  JOIN asked_resources a ON a.uid = t.top
            UNION SELECT e.source FROM edges e JOIN asked_resources a ON a.uid = e.target
                  WHERE e.kind = 'attached_to'
            UNION SELECT 'service:' || s.service FROM services s
                  JOIN asked_resources a ON a.uid = s.resource
            UNION SELECT s.resource FROM services s
                  JOIN asked_resources a ON a.uid = 'service:' || s.service
            """
        )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE hits AS
        SELECT coalesce(n.uid, g.name) AS uid, count(*) AS signals, max(g.time) AS newest,
               arg_max(g.id, (g.time, g.id), 5) AS ids
        FROM signal_names g LEFT JOIN names n ON n.ref = g.name
        WHERE g.time >= ? AND g.time <= ? AND g.severity >= ? {narrow}
        GROUP BY 1
        """,
        [since, assessment.clock, least],
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE spread AS {_SPREAD}")
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE attack_evidence AS
        WITH best AS (
            SELECT s.uid, h.ids, h.signals, s.via FROM spread s JOIN hits h ON h.uid = s.hit
            WHERE {assessment.where("s.uid")}),
        flat AS (SELECT DISTINCT uid, unnest(ids) AS id, via FROM best),
        told AS (
            SELECT f.uid, f.id, min(f.via) AS via, any_value(g.title) AS title,
                   any_value(g.time) AS time, any_value(g.tool) AS tool,
                   any_value(g.source_address) AS source_address
            FROM flat f JOIN signals g ON g.id = f.id GROUP BY f.uid, f.id)
        SELECT uid, to_json(list(struct_pack(
                 kind := 'signal',
                 text := title || CASE WHEN via <> '' THEN ' (on ' || via || ')' ELSE '' END
                   || CASE WHEN source_address <> '' THEN ' from ' || source_address ELSE '' END,
                 source := tool || ':' || id, date := strftime(time, '%Y-%m-%dT%H:%M:%SZ'))
               ORDER BY time DESC, id)[1:5]) AS evidence
        FROM told GROUP BY uid
        """
    )
    con.execute(f"INSERT INTO risk_values SELECT uid, '{NAME}', 1, evidence FROM attack_evidence")
    sensors = assessment.facts.rows(
        "SELECT string_agg(DISTINCT tool, ', ' ORDER BY tool), max(time) FROM signals "
        "WHERE time <= ? AND time >= ?",
        [assessment.clock, since],
    )[0]
    if sensors[0]:
        # Sensors report, and none reports on this one. Without any sensor nobody can say no.
        con.execute(
            f"""
            INSERT INTO risk_values
            SELECT r.uid, '{NAME}', 0, to_json([struct_pack(kind := 'control',
                   text := 'no signal since ' || strftime(?::TIMESTAMP, '%Y-%m-%d')
                     || '; reporting sensors: ' || ?)])
            FROM resources r ANTI JOIN attack_evidence a ON a.uid = r.uid
            WHERE {assessment.where("r.uid")}
            """,
            [since, sensors[0]],
        )
