"""What runs what: workloads above pods, services, and the resources on which a finding is live."""

from __future__ import annotations

from secinbox.inventory import replicas
from secinbox.risks import Assessment


def assess_footprints(assessment: Assessment) -> None:
    """Fills `edges`, `tops` (temporary), `services` and `footprints` from the relations."""
    con = assessment.facts.con
    folded = " OR ".join(["source LIKE ?"] * len(replicas()))
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE edges AS
        SELECT DISTINCT coalesce(a.uid, r.source) AS source, r.kind,
               coalesce(b.uid, r.target) AS target
        FROM relations r
        LEFT JOIN names a ON a.ref = r.source
        LEFT JOIN names b ON b.ref = r.target
        """
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE owners AS
        SELECT source AS uid, min(target) AS owner FROM edges
        WHERE kind = 'owned_by' AND ({folded}) AND source <> target GROUP BY source
        """,
        list(replicas()),
    )
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE tops AS
        SELECT o1.uid, coalesce(o3.owner, o2.owner, o1.owner) AS top
        FROM owners o1 LEFT JOIN owners o2 ON o2.uid = o1.owner
        LEFT JOIN owners o3 ON o3.uid = o2.owner
        """
    )
    con.execute(
        """
        DELETE FROM services;
        INSERT INTO services
        SELECT uid, service, 'tag' FROM resources WHERE service <> ''
        UNION
        SELECT source, lower(substr(target, 9)), 'relation' FROM edges
        WHERE kind = 'part_of' AND target LIKE 'service:%';
        """
    )
    # A replica's service is its workload's, and the other way round where only one says it.
    con.execute(
        """
        INSERT INTO services
        SELECT DISTINCT t.top, s.service, 'replica' FROM tops t JOIN services s ON s.resource = t.uid
        WHERE t.top NOT IN (SELECT resource FROM services)
        UNION
        SELECT DISTINCT t.uid, s.service, 'workload' FROM tops t
        JOIN services s ON s.resource = t.top
        WHERE t.uid NOT IN (SELECT resource FROM services)
        """
    )
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE workloads AS
        -- A template (task definition) that something runs stands for what runs it.
        WITH runs AS (SELECT source, target FROM edges WHERE kind = 'runs' AND source <> target),
        running AS (
            SELECT coalesce(up.source, r.source) AS source, r.target, r.source AS via
            FROM runs r LEFT JOIN runs up ON up.target = r.source)
        SELECT DISTINCT coalesce(t.top, r.source) AS live, r.target AS image, r.via
        FROM running r LEFT JOIN tops t ON t.uid = r.source
        """
    )
    con.execute(
        """
        DELETE FROM footprints;
        INSERT INTO footprints
        SELECT resource, live, min(route) FROM (
          SELECT image AS resource, live, live || ' runs ' || image AS route FROM workloads
          UNION ALL
          SELECT e.target, w.live, w.live || ' runs ' || w.image || ', built from ' || e.target
          FROM edges e JOIN workloads w ON w.image = e.source WHERE e.kind = 'built_from'
          UNION ALL
          SELECT e.target, coalesce(t.top, e.source), e.source || ' is built from ' || e.target
          FROM edges e LEFT JOIN tops t ON t.uid = e.source
          WHERE e.kind = 'built_from' AND e.source NOT LIKE 'image:%'
          UNION ALL
          SELECT s.resource, coalesce(t.top, o.resource),
                 coalesce(t.top, o.resource) || ' belongs to the same service ' || s.service
          FROM services s JOIN services o ON o.service = s.service
          LEFT JOIN tops t ON t.uid = o.resource
          JOIN resources r ON r.uid = o.resource
          WHERE (s.resource LIKE 'repo:%' OR s.resource LIKE 'service:%'
                 OR s.resource LIKE 'unnamed:%' OR s.resource LIKE 'sbom:%')
            AND regexp_matches(r.type, '(instance|function|ecs_service|ecs_task|deployment|pod$|'
                || 'statefulset|daemonset|cronjob|job$|virtual_machine|cloud_run|app_service|container_app|workload)')
        ) WHERE resource <> live GROUP BY resource, live
        """
    )
