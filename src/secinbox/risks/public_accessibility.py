"""Public accessibility: anyone on the Internet, or any principal of the cloud, can reach it."""

from __future__ import annotations

from secinbox.network import exposure, unreachable
from secinbox.risks import Assessment
from secinbox.risks._computed import not_asked, store

NAME = "public_accessibility"
TITLE = "Computed from addresses, routes, filters, load balancers and resource policies"


def assess(assessment: Assessment) -> None:
    """One row for every resource whose reachability was computed, is stated, or is no question."""
    store(assessment, NAME, exposure(assessment.estate))
    con = assessment.facts.con
    # A filter is as open as what stands behind it; behind an unused one stands nothing.
    con.execute(
        f"""
        INSERT INTO risk_values
        SELECT r.uid, '{NAME}', CASE WHEN count(v.subject) > 0 THEN 1 ELSE 0 END,
               to_json([CASE WHEN count(v.subject) > 0
                 THEN struct_pack(kind := 'route', text := 'guards ' || min(v.subject)
                        || ', which is publicly accessible', source := min(v.subject))
                 ELSE struct_pack(kind := 'control',
                        text := 'guards nothing that is publicly accessible', source := r.uid) END])
        FROM resources r
        LEFT JOIN edges e ON e.target = r.uid AND e.kind = 'guarded_by'
        LEFT JOIN risk_values v ON v.subject = e.source AND v.risk = '{NAME}' AND v.value = 1
        WHERE r.inventoried AND r.type LIKE '%security_group'
          AND r.uid NOT IN (SELECT subject FROM risk_values WHERE risk = '{NAME}')
        GROUP BY r.uid
        """
    )
    not_asked(assessment, NAME, unreachable(), "nothing can connect to it")
