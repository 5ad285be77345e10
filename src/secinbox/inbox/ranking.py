"""From facts to the ranked table: assess, admit, group, order; whole or only what changed.

`issues = rank(facts, decisions, rules, clock)`: the same input gives the same rows in the same
order. The order is stored as a key that sorts as text, so that a small change moves one row and
a page is read by key.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from types import ModuleType
from typing import Any

from secinbox import paths, posture
from secinbox.cycles import unsought
from secinbox.decisions.rule import Rule
from secinbox.facts.derived import state
from secinbox.facts.resolved import refresh_resources
from secinbox.facts.store import Facts
from secinbox.inbox import attack_paths, automation, deciding
from secinbox.inbox.assessing import ISSUE, TIER, candidates
from secinbox.inbox.rules import DEFAULT_RULES
from secinbox.risks import Assessment, all_risks
from secinbox.risks._footprints import assess_footprints
from secinbox.settings import Settings

# More resources than this in one change: ranking everything is quicker than picking.
PARTIAL_LIMIT = 5_000


def rank(
    facts: Facts,
    *,
    clock: datetime,
    settings: Settings,
    rules: Sequence[Rule] = (),
    decided: deciding.Decided = deciding.NOTHING,
    everything: bool = False,
) -> dict[str, Any]:
    """Brings the ranked table up to date; one transaction. Returns what was done.

    rules: the automation that is on, in order; its inbox rules come before the defaults.
    """
    con = facts.con
    undecided = deciding.pending(facts, decided, clock)
    marks = _marks(facts)
    stamp = _stamp(settings, rules)
    day = clock.replace(minute=0, second=0, microsecond=0).isoformat()
    whole = (
        everything
        or "all" in marks
        or facts.meta("ranked") != stamp
        or facts.meta("ranked_at") != day
        or sum(n for kind, n in marks.items() if kind != "finding") > PARTIAL_LIMIT
        or marks.get("finding", 0) > 20 * PARTIAL_LIMIT
    )
    if not whole and not marks:
        if undecided:
            deciding.catch_up(facts, decided, clock)
        return {"mode": "unchanged"}
    assessment = Assessment(facts, clock, settings, partial=not whole)
    with unsought(), facts.transaction():
        if "uid" in marks:
            con.execute(
                """
                CREATE OR REPLACE TEMP TABLE changed_uids AS
                SELECT DISTINCT coalesce(n.uid, d.key) AS uid FROM dirty d
                LEFT JOIN names n ON n.ref = d.key WHERE d.kind = 'uid'
                UNION SELECT key FROM dirty WHERE kind = 'uid'
                """
            )
            refresh_resources(facts)
        if whole:
            rank_whole(assessment, rules)
        else:
            _partial(assessment, rules)
        deciding.write(facts, decided, clock)
        con.execute("DELETE FROM dirty")
        facts.set_meta("ranked", stamp)
        facts.set_meta("ranked_at", day)
        facts.set_meta("clock", clock.isoformat())
    return {"mode": "whole" if whole else "partial"}


def _marks(facts: Facts) -> dict[str, int]:
    """What changed since the last ranking, by kind."""
    return facts.known(
        deciding.MARKS,
        lambda: dict(facts.rows("SELECT kind, count(*) FROM dirty GROUP BY kind")),
    )


def _stamp(settings: Settings, rules: Sequence[Rule]) -> str:
    from secinbox import __version__
    from secinbox.fingerprint import fingerprint

    return fingerprint(__version__, repr(settings), repr(tuple(rules)), repr(DEFAULT_RULES))


def rank_whole(assessment: Assessment, rules: Sequence[Rule]) -> None:
    """Everything from the facts again; inside the caller's transaction."""
    con = assessment.facts.con
    for table in ("risk_values", "standings", "assessed", "issues"):
        con.execute(f"TRUNCATE {table}")
    assess_footprints(assessment)
    for risk in all_risks():
        risk.assess(assessment)
    _computed(assessment)
    _standings(assessment)
    _admit(assessment, rules)
    _group(assessment)
    attack_paths.mark(assessment.facts)


def rank_past(assessment: Assessment, rules: Sequence[Rule]) -> None:
    """As rank_whole, with the findings as they are: none of our own is computed anew."""
    con = assessment.facts.con
    for table in ("risk_values", "standings"):
        con.execute(f"TRUNCATE {table}")
    assess_footprints(assessment)
    for risk in all_risks():
        risk.assess(assessment)
    _standings(assessment)
    readmit(assessment, rules)


def readmit(assessment: Assessment, rules: Sequence[Rule]) -> None:
    """Admission and order again, by other rules; inside the caller's transaction."""
    for table in ("assessed", "issues"):
        assessment.facts.con.execute(f"TRUNCATE {table}")
    _admit(assessment, rules)
    _group(assessment)


def _computed(assessment: Assessment, analyses: Sequence[ModuleType] = (posture, paths)) -> None:
    """Findings of our own, before admission. An analysis that fails leaves what it said before.

    One malformed configuration must not take the whole inbox away. `doctor` tells the failure.
    """
    for analysis in analyses:
        failure = ""
        try:
            found = list(analysis.derive(assessment))
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"[:500]
        else:
            state(assessment.facts, analysis.NAME, found, assessment.clock)
        assessment.facts.set_meta(f"failed:{analysis.NAME}", failure)


def _partial(assessment: Assessment, rules: Sequence[Rule]) -> None:
    """Only the findings and resources that changed, and the issues they were and are in."""
    con = assessment.facts.con
    _temporary_edges(assessment)
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE changed_findings AS
        SELECT DISTINCT key AS id FROM dirty WHERE kind = 'finding'
        """
    )
    # Each look at a million findings by id or resource costs as much as all the rest: one for
    # each question, and the answer is kept.
    con.execute(
        "CREATE OR REPLACE TEMP TABLE bearing AS "
        "SELECT f.* FROM findings f SEMI JOIN changed_findings c ON c.id = f.id"
    )
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE asked_resources AS
        WITH direct AS (
            SELECT coalesce(n.uid, d.key) AS uid FROM dirty d LEFT JOIN names n ON n.ref = d.key
            WHERE d.kind IN ('resource', 'uid')
            UNION
            SELECT resource FROM bearing WHERE resource NOT IN (SELECT resource FROM standings)),
        wider AS (
            SELECT uid FROM direct
            UNION SELECT t.top FROM tops t JOIN direct d ON d.uid = t.uid
            UNION SELECT e.target FROM edges e JOIN direct d ON d.uid = e.source
                  WHERE e.kind IN ('attached_to', 'routes_to')
            UNION SELECT 'service:' || s.service FROM services s JOIN direct d ON d.uid = s.resource
            UNION SELECT s.resource FROM services s JOIN direct d ON d.uid = 'service:' || s.service),
        behind AS (
            SELECT uid FROM wider
            UNION SELECT coalesce(t.top, e.target) FROM edges e JOIN wider w ON w.uid = e.source
            LEFT JOIN tops t ON t.uid = e.target WHERE e.kind = 'routes_to')
        SELECT uid FROM behind
        UNION SELECT f.resource FROM footprints f JOIN behind b ON b.uid = f.live
        """
    )
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE asked_vulnerabilities AS
        SELECT DISTINCT vulnerability FROM bearing WHERE vulnerability <> ''
        """
    )
    con.execute(
        """
        DELETE FROM risk_values
        WHERE (risk IN ('under_attack', 'in_production')
               AND subject IN (SELECT uid FROM asked_resources))
           OR (risk = 'exploit_available'
               AND subject IN (SELECT vulnerability FROM asked_vulnerabilities))
        """
    )
    for risk in all_risks():
        if risk.NAME in ("under_attack", "in_production", "exploit_available"):
            risk.assess(assessment)
    if _changes_paths(con):
        con.execute("INSERT INTO asked_resources SELECT id FROM attack_paths")
        _computed(assessment, (paths,))
        con.execute("INSERT INTO asked_resources SELECT id FROM attack_paths")
        con.execute("INSERT INTO changed_findings SELECT DISTINCT id FROM touched")
    con.execute("DELETE FROM standings WHERE resource IN (SELECT uid FROM asked_resources)")
    _standings(assessment)
    con.execute(
        """
        INSERT INTO bearing
        SELECT f.* FROM findings f SEMI JOIN asked_resources a ON a.uid = f.resource
        ANTI JOIN changed_findings c ON c.id = f.id
        """
    )
    con.execute("INSERT INTO changed_findings SELECT id FROM bearing")
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE changed_issues AS
        SELECT DISTINCT a.issue FROM assessed a SEMI JOIN changed_findings c ON c.id = a.id
        """
    )
    con.execute("DELETE FROM assessed WHERE id IN (SELECT id FROM changed_findings)")
    _admit(assessment, rules)
    con.execute(
        """
        INSERT INTO changed_issues
        SELECT DISTINCT a.issue FROM assessed a SEMI JOIN changed_findings c ON c.id = a.id
        """
    )
    con.execute("DELETE FROM issues WHERE id IN (SELECT issue FROM changed_issues)")
    _group(assessment)
    attack_paths.mark(assessment.facts)


def _changes_paths(con: Any) -> bool:
    """Something changed on a place that an attacker may get to, or a sensor saw an intruder."""
    known = con.execute(
        "SELECT EXISTS (FROM attack_reach) OR EXISTS ("
        "SELECT 1 FROM resources WHERE starts_with(uid, 'accesskey:'))"
    ).fetchone()
    if not known[0]:
        return False
    found = con.execute(
        """
        SELECT EXISTS (
            SELECT 1 FROM changed_findings c JOIN findings f ON f.id = c.id
            LEFT JOIN footprints p ON p.resource = f.resource
            SEMI JOIN attack_reach r ON r.uid = coalesce(p.live, f.resource)
            WHERE f.type NOT IN ('misconfiguration', 'identity_risk', 'attack_path'))
          OR EXISTS (
            SELECT 1 FROM changed_findings c JOIN findings f ON f.id = c.id
            WHERE f.type = 'secret' AND EXISTS (
                SELECT 1 FROM resources k WHERE starts_with(k.uid, 'accesskey:')))
          OR EXISTS (
            SELECT 1 FROM dirty d LEFT JOIN names n ON n.ref = d.key
            JOIN signal_names g ON g.name = d.key OR g.name = n.uid
            SEMI JOIN attack_reach r ON r.uid = coalesce(n.uid, d.key)
            WHERE d.kind = 'resource')
        """
    ).fetchone()
    return bool(found[0])


def _temporary_edges(assessment: Assessment) -> None:
    """The helper tables of the footprints, when this process has not made them yet."""
    con = assessment.facts.con
    have = con.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE temporary AND table_name = 'tops'"
    ).fetchall()[0][0]
    fresh = con.execute("SELECT count(*) FROM relations").fetchall()[0][0] == 0
    if not have or fresh:
        assess_footprints(assessment)


def _standings(assessment: Assessment) -> None:
    """Where each resource stands: one row for every distinct combination of risks it is live in.

    The row of an image is that of a workload that runs it; a finding's risks are those of one
    such row, never a union over different resources.
    """
    con = assessment.facts.con
    everything = """
        SELECT uid FROM resources UNION SELECT resource FROM findings
        UNION SELECT live FROM footprints
    """
    source = "SELECT uid FROM asked_resources" if assessment.partial else everything
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE universe AS SELECT DISTINCT uid FROM ({source}) "
        "WHERE uid <> ''"
    )
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE concerned AS
        SELECT uid FROM universe
        UNION SELECT f.live FROM footprints f JOIN universe u ON u.uid = f.resource
        """
    )
    subjects = "subject IN (SELECT uid FROM concerned)" if assessment.partial else "TRUE"
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE own AS
        SELECT u.uid, v.public, v.privileged, v.attacked, v.production,
               coalesce(v.public, 0) + coalesce(v.privileged, 0) + coalesce(v.attacked, 0)
                 + coalesce(v.production, 0) AS yes,
               coalesce(s.service, '') AS service, coalesce(r.account, '') AS account,
               coalesce(r.environment, '') AS environment, coalesce(r.name, '') AS name,
               coalesce(r.type, '') AS type,
               CASE WHEN coalesce(r.tags, '') = '' THEN '' ELSE
                 coalesce(json_extract_string(lower(r.tags), '$.team'),
                          json_extract_string(lower(r.tags), '$.owner'), '') END AS team
        FROM concerned u
        LEFT JOIN (
            SELECT subject,
                   max(value) FILTER (risk = 'public_accessibility') AS public,
                   max(value) FILTER (risk = 'privileged_access') AS privileged,
                   max(value) FILTER (risk = 'under_attack') AS attacked,
                   max(value) FILTER (risk = 'in_production') AS production
            FROM risk_values WHERE risk <> 'exploit_available' AND {subjects}
            GROUP BY subject) v
          ON v.subject = u.uid
        LEFT JOIN (SELECT resource, min(service) AS service FROM services GROUP BY resource) s
          ON s.resource = u.uid
        LEFT JOIN resources r ON r.uid = u.uid
        """
    )
    con.execute(
        """
        INSERT INTO standings
        WITH live AS (
            SELECT f.resource, f.live FROM footprints f SEMI JOIN universe u ON u.uid = f.resource
            UNION ALL
            SELECT u.uid, u.uid FROM universe u
            WHERE u.uid NOT IN (SELECT resource FROM footprints)),
        placed AS (
            SELECT l.resource, o.public, o.privileged, o.attacked, o.production, o.yes,
                   min(o.uid) AS live, count(*) AS lives, max(o.service) AS service,
                   max(o.account) AS account, max(o.environment) AS environment,
                   max(o.team) AS team
            FROM live l JOIN own o ON o.uid = l.live
            GROUP BY l.resource, o.public, o.privileged, o.attacked, o.production, o.yes)
        SELECT p.resource, p.live, p.lives, p.public, p.privileged, p.attacked, p.production,
               p.yes,
               CASE WHEN o.service <> '' THEN o.service ELSE p.service END,
               CASE WHEN o.account <> '' THEN o.account ELSE p.account END,
               CASE WHEN o.environment <> '' THEN o.environment ELSE p.environment END,
               CASE WHEN o.team <> '' THEN o.team ELSE p.team END,
               o.name, o.type,
               CASE WHEN p.resource LIKE 'image:%'
                      THEN regexp_replace(p.resource, '(@.*|:[^/:@]*)$', '')
                    WHEN p.resource LIKE 'repo:%' OR p.resource LIKE 'unnamed:%' THEN p.resource
                    WHEN o.account <> '' THEN o.account || '/' || o.type
                    ELSE p.resource END,
               row_number() OVER (PARTITION BY p.resource ORDER BY p.yes DESC, p.live),
               count(*) OVER (PARTITION BY p.resource)
        FROM placed p LEFT JOIN own o ON o.uid = p.resource
        """
    )


def _admit(assessment: Assessment, rules: Sequence[Rule]) -> None:
    """Assesses each finding in each combination it is live in, and keeps the decisive one.

    Severity rules come first: every later rule sees the severity that they give.
    """
    facts = assessment.facts
    effects = automation.compiled(
        rules, facts, assessment.clock, assessment.settings.disabled_rules
    )
    table = "bearing" if assessment.partial else "findings"
    # Live in several ways: of those that let it in the one with the most risks; `combo` makes
    # the choice unique.
    facts.con.execute(
        f"""
        INSERT INTO assessed
        WITH ruled AS (
            SELECT f.* REPLACE ({effects.severity} AS severity)
            FROM (SELECT f.*, {effects.severity_rule} AS severity_rule
                  FROM ({candidates(table)}) f) f),
        judged AS (
            SELECT * FROM (SELECT f.*, {effects.muted_by} AS muted_by,
                                  {effects.admitted_by} AS admitted_by FROM ruled f) f
            WHERE f.admitted_by <> '' OR f.muted_by <> '' OR f.severity_rule <> ''),
        dated AS (
            SELECT f.*, {effects.due_rule} AS rule_due_by
            FROM (SELECT f.*, ({TIER})::TINYINT AS tier FROM judged f) f),
        weighed AS (
            SELECT CASE WHEN f.admitted_by <> '' THEN {ISSUE} END AS issue, f.tier,
                   f.id, f.severity, f.risks, f.public, f.privileged, f.attacked, f.exploit,
                   f.production, f.resource, f.live, f.maturity, f.epss, f.kev, f.admitted_by,
                   f.combo, f.severity_rule, f.muted_by, {effects.due} AS rule_due, f.rule_due_by,
                   (f.admitted_by <> '')::INTEGER << 28 | (f.risks::INTEGER << 20)
                     | (coalesce(f.attacked, 0)::INTEGER << 18)
                     | (coalesce(f.public, 0)::INTEGER << 16)
                     | (coalesce(f.production, 0)::INTEGER << 14) | (255 - f.combo) AS pick
            FROM dated f)
        SELECT id, issue, severity, risks, public, privileged, attacked, exploit, production,
               resource, live, maturity, epss, kev, tier, admitted_by, combo, severity_rule,
               muted_by, rule_due, CASE WHEN rule_due <> '' THEN rule_due_by ELSE '' END
        FROM weighed
        QUALIFY row_number() OVER (PARTITION BY id ORDER BY pick DESC) = 1
        """,
        effects.parameters,
    )


def _group(assessment: Assessment) -> None:
    """Admitted findings become issues: one action each, with its place in every order."""
    con = assessment.facts.con
    only = "SEMI JOIN changed_issues c ON c.issue = a.issue" if assessment.partial else ""
    # A muted finding counts no more, unless there is no other: then it keeps the muted issue.
    unmuted = ""
    if assessment.facts.value("SELECT bool_or(muted_by <> '') FROM assessed"):
        unmuted = "QUALIFY a.muted_by = '' OR min(a.muted_by) OVER (PARTITION BY a.issue) <> ''"
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE members AS
        SELECT a.*, (a.severity::INTEGER << 8) | (a.risks::INTEGER << 4) | a.maturity AS weight
        FROM assessed a {only} WHERE a.admitted_by <> '' {unmuted}
        """
    )
    findings = "findings"
    if assessment.partial:
        findings = "grouped"
        con.execute(
            "CREATE OR REPLACE TEMP TABLE grouped AS "
            "SELECT f.* FROM findings f SEMI JOIN members m ON m.id = f.id"
        )
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE leads AS
        SELECT issue, arg_max(id, (weight, coalesce(epss, 0), id)) AS lead,
               max(severity) AS severity, count(*)::INTEGER AS findings,
               max(maturity) AS maturity, max(epss) AS epss, bool_or(kev) AS kev,
               min(tier) AS tier, coalesce(min(nullif(rule_due, '')), '') AS rule_due,
               coalesce(arg_min(rule_due_by, nullif(rule_due, '')), '') AS rule_due_by
        FROM members GROUP BY issue
        """
    )
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE impact AS
        SELECT issue, count(DISTINCT live)::INTEGER AS resources,
               count(DISTINCT nullif(service, ''))::INTEGER AS services
        FROM (SELECT DISTINCT issue, resource FROM members) m
        JOIN (
            SELECT u.resource, coalesce(f.live, u.resource) AS live, s.service
            FROM (SELECT DISTINCT resource FROM members) u
            LEFT JOIN footprints f ON f.resource = u.resource
            LEFT JOIN services s ON s.resource = coalesce(f.live, u.resource)) l
          ON l.resource = m.resource
        GROUP BY issue
        """
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE texts AS
        SELECT a.issue, min(f.first_seen) AS first_seen, max(f.last_seen) AS last_seen,
               arg_max(f.fix, f.fix_key) FILTER (f.fix_key <> '') AS fix,
               max(CASE WHEN f.vulnerability <> '' THEN f.vulnerability END) AS any_vulnerability,
               count(DISTINCT f.vulnerability) AS vulnerabilities,
               bool_or(f.reopened IS NOT NULL) AS reopened,
               count(DISTINCT a.resource) AS places,
               string_agg(DISTINCT f.tools, ',' ORDER BY f.tools) AS tools
        FROM members a JOIN {findings} f ON f.id = a.id GROUP BY a.issue
        """
    )
    con.execute(
        f"""
        INSERT INTO issues
        WITH row AS (
            SELECT l.issue AS id, l.lead, l.severity, l.findings, l.maturity, l.epss, l.kev,
                   l.tier, l.rule_due, l.rule_due_by, t.reopened, m.severity_rule, m.muted_by, m.risks, m.public, m.privileged, m.attacked, m.exploit, m.production,
                   m.live, m.resource, m.admitted_by, i.resources, i.services, t.first_seen,
                   t.last_seen, coalesce(t.fix, '') AS fix, t.tools, t.places, f.type, f.package,
                   f.rule, f.vulnerability, t.vulnerabilities, f.title,
                   st.service, st.account, st.environment, st.team, st.action_scope, st.name
            FROM leads l
            JOIN members m ON m.id = l.lead
            JOIN impact i ON i.issue = l.issue
            JOIN texts t ON t.issue = l.issue
            JOIN {findings} f ON f.id = l.lead
            LEFT JOIN (
                SELECT resource, min(service) AS service, min(account) AS account,
                       min(environment) AS environment, min(team) AS team,
                       min(action_scope) AS action_scope, min(name) AS name
                FROM standings GROUP BY resource) st ON st.resource = m.resource),
        keyed AS (
            SELECT *,
                   (5 - severity)::VARCHAR || (5 - risks)::VARCHAR
                   || lpad((9999999 - least(resources + services, 9999999))::VARCHAR, 7, '0')
                   || (3 - maturity)::VARCHAR
                   || lpad((999999 - round(coalesce(epss, 0) * 999999))::INTEGER::VARCHAR, 6, '0')
                     AS order_key,
                   CASE WHEN attacked = 1 THEN 0.9 WHEN maturity = 3 THEN 0.8
                        WHEN maturity = 2 THEN greatest(0.5, coalesce(epss, 0))
                        WHEN maturity = 1 THEN greatest(0.2, coalesce(epss, 0))
                        ELSE greatest(0.02, coalesce(epss, 0)) END
                     * CASE WHEN public = 1 THEN 1.0 WHEN public = 0 THEN 0.3 ELSE 0.6 END
                     * severity / 5.0
                     * CASE WHEN privileged = 1 THEN 1.0 ELSE 0.6 END
                     * CASE WHEN production = 1 THEN 1.0 WHEN production = 0 THEN 0.4 ELSE 0.7 END
                     AS loss
            FROM row)
        SELECT id,
               order_key || '~99999~' || coalesce(nullif(rule_due, ''), '9999-99-99') || '~' || strftime(first_seen, '%Y%m%d%H%M%S')
                 || '~' || id,
               tier::VARCHAR || lpad((999999 - round(loss * 999999))::INTEGER::VARCHAR, 6, '0')
                 || order_key || '~' || id,
               lpad((999999 - round(loss * 999999))::INTEGER::VARCHAR, 6, '0') || order_key
                 || '~' || id,
               CASE WHEN vulnerability <> '' AND package <> '' AND fix <> ''
                      THEN 'Upgrade ' || package || ' to ' || fix || ' in '
                 WHEN vulnerability <> '' AND package <> ''
                      THEN 'Mitigate ' || CASE WHEN vulnerabilities = 1 THEN vulnerability
                        ELSE vulnerabilities::VARCHAR || ' vulnerabilities' END || ' in '
                        || package || ' (no fix known) in '
                 WHEN vulnerability <> '' THEN 'Fix ' || vulnerability || ' in '
                 ELSE title END
               || CASE WHEN vulnerability = '' THEN
                    CASE WHEN places > 1 THEN ' (' || places::VARCHAR || ' resources)'
                         WHEN type IN ('misconfiguration', 'identity_risk') AND name <> ''
                              AND NOT contains(title, name) THEN ' (' || name || ')'
                         ELSE '' END
                    ELSE coalesce(nullif(service, ''), nullif(name, ''),
                         nullif(split_part(resource, '/', -1), ''), resource)
                      || CASE WHEN places > 1 THEN ' (' || places::VARCHAR || ' places)' ELSE '' END
                  END,
               type, severity, risks, public, privileged, attacked, exploit, production,
               resources, services, findings, maturity, epss, kev, tier, lead, live, resource,
               coalesce(service, ''), coalesce(account, ''), coalesce(environment, ''),
               coalesce(team, ''), package, fix, rule, vulnerability, tools, admitted_by,
               first_seen, last_seen, rule_due,
               CASE WHEN muted_by <> '' THEN 'muted' ELSE 'open' END, '', 0, severity_rule,
               muted_by, rule_due, rule_due_by, rule_due_by, '', '[]', 0, '', '', -1, -1, reopened,
               reopened
        FROM keyed
        """
    )
