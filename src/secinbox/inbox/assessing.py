"""One finding in one place it is live in: severity, risks and tier, as SQL used in two ways.

Ranking computes it for all findings and keeps what a rule admits (`assessed`); lists compute it
for the page that is read, so that a million findings outside the inbox need no stored row.
"""

from __future__ import annotations

# The likelihood x impact matrix of misconfigurations and identity risks (severity ranks 5..2).
_MATRIX = """
    CASE WHEN f.type IN ('misconfiguration', 'identity_risk', 'iac_misconfiguration')
              AND f.likelihood <> '' AND f.impact <> '' THEN
      [[2, 2, 3, 3], [2, 3, 4, 4], [3, 4, 4, 5], [3, 4, 5, 5]]
        [1 + CASE f.likelihood WHEN 'required_privileges' THEN 0 WHEN 'vulnerability' THEN 1
             ELSE 2 END + CASE WHEN st.public = 1 THEN 1 ELSE 0 END]
        [CASE f.impact WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 ELSE 4 END]
"""
_SEVERITY = f"""{_MATRIX}
      WHEN f.severity > 0 THEN f.severity
      WHEN coalesce(f.score, v.score) >= 9 THEN 5 WHEN coalesce(f.score, v.score) >= 7 THEN 4
      WHEN coalesce(f.score, v.score) >= 4 THEN 3 WHEN coalesce(f.score, v.score) > 0 THEN 2
      ELSE 0 END"""

# A path says itself which exploit it needs.
_PATH_EXPLOIT = "(f.type = 'attack_path' AND f.exploit_known <> '')::TINYINT"

# What is known of a finding `f` in the standing `st`, with the facts `v` of its vulnerability.
_VALUES = f"""
    f.* EXCLUDE (severity), ({_SEVERITY})::TINYINT AS severity, st.live,
    st.public, st.privileged, st.attacked, st.production,
    CASE WHEN f.vulnerability <> '' THEN v.exploit
         ELSE {_PATH_EXPLOIT} END AS exploit,
    (coalesce(st.yes, 0) + CASE WHEN f.vulnerability <> '' THEN coalesce(v.exploit, 0)
       ELSE {_PATH_EXPLOIT} END)::TINYINT AS risks,
    CASE WHEN f.type = 'attack_path' THEN
           CASE f.exploit_known WHEN 'active' THEN 3 WHEN 'weaponised' THEN 2 WHEN 'poc' THEN 1
           ELSE 0 END
         ELSE coalesce(v.maturity, 0) END AS maturity, v.epss, coalesce(v.kev, FALSE) AS kev,
    coalesce(v.automatable = 'yes', FALSE) AS automatable,
    coalesce(v.technical_impact = 'total', FALSE) AS total,
    coalesce(st.public = 1, FALSE) AS exposed,
    coalesce(st.service, '') AS service, coalesce(st.account, '') AS account,
    coalesce(st.environment, '') AS environment, coalesce(st.team, '') AS team,
    st.action_scope, coalesce(st.combo, 1) AS combo, coalesce(st.combos, 1) AS combos
"""

# CISA BOD 26-04: KEV, publicly exposed, automatable, total technical impact -> deadline.
# 1: 3 days with forensics, 2: 3 days, 3: 14 days, 4: 60 days, 5: on system upgrade.
TIER = """
    CASE WHEN f.vulnerability = '' THEN
           CASE WHEN f.severity >= 4 AND f.risks >= 2 THEN 3 WHEN f.severity >= 4 THEN 4 ELSE 5 END
         WHEN f.kev AND f.total AND (f.exposed OR f.automatable) THEN 1
         WHEN f.exposed AND f.automatable AND (f.kev OR f.total) THEN 2
         WHEN f.kev THEN 3
         WHEN f.exposed AND (f.automatable <> f.total) THEN 3
         WHEN f.exposed THEN 4
         WHEN f.automatable THEN 4
         ELSE 5 END
"""

# One issue is one action: what is done (upgrade, setting ...), to what, where.
_SCOPE = "coalesce(nullif(f.action_scope, ''), f.resource)"
ISSUE = f"""
    left(md5(concat_ws(chr(31), CASE
      WHEN f.type = 'attack_path' THEN f.id
      WHEN f.vulnerability <> '' AND f.package <> ''
        THEN concat_ws(chr(31), 'upgrade', f.package, {_SCOPE})
      WHEN f.vulnerability <> ''
        THEN concat_ws(chr(31), 'vulnerability', f.vulnerability, {_SCOPE})
      WHEN f.type = 'secret' THEN concat_ws(chr(31), 'secret', f.id)
      WHEN f.type = 'identity_risk' THEN concat_ws(chr(31), 'identity', f.rule, f.resource)
      WHEN f.type = 'misconfiguration'
        THEN concat_ws(chr(31), 'setting', f.rule, coalesce(nullif(f.account, ''), f.resource))
      ELSE concat_ws(chr(31), f.type, f.rule, f.resource) END)), 16)
"""


def candidates(table: str = "findings") -> str:
    """SQL: every open finding once for each combination of risks that it is live in.

    table: the findings, or a copy of some of them.
    """
    return f"""
        SELECT {_VALUES} FROM {table} f
        LEFT JOIN standings st ON st.resource = f.resource
        LEFT JOIN vulnerability_facts v ON v.vulnerability = f.vulnerability
        WHERE f.status = 'open'
    """


# Every finding once, in the combination that let it in, else in the one with the most risks.
FINDING_ROWS = f"""(
    SELECT v.* EXCLUDE (ruled) REPLACE (
             CASE WHEN v.severity_rule <> '' THEN v.ruled ELSE v.severity END AS severity)
    FROM (SELECT {_VALUES}, x.issue, coalesce(x.admitted_by, '') AS admitted_by,
                 x.severity AS ruled, coalesce(x.severity_rule, '') AS severity_rule,
                 coalesce(x.muted_by, '') AS muted_by, coalesce(x.rule_due, '') AS rule_due,
                 coalesce(x.rule_due_by, '') AS rule_due_by
          FROM findings f LEFT JOIN assessed x ON x.id = f.id
          LEFT JOIN standings st ON st.resource = f.resource AND st.combo = coalesce(x.combo, 1)
          LEFT JOIN vulnerability_facts v ON v.vulnerability = f.vulnerability) v
) f"""
