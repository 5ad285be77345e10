"""The tables of the fact store, as ordered migrations.

Facts are what the outside world said. `seen_*` and `statements` are raw (one row for what one
source said); `resources`, `findings`, `names` are resolved from them, and everything below the
line "assessed" is computed from facts, decisions, rules and the clock, and can be dropped.
"""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE imports (
        id INTEGER PRIMARY KEY, hash VARCHAR, name VARCHAR, source VARCHAR, format VARCHAR, observed TIMESTAMP,
        imported TIMESTAMP, bytes BIGINT, findings INTEGER, passed INTEGER, signals INTEGER,
        resources INTEGER, exploits INTEGER, complete BOOLEAN, options VARCHAR, skipped VARCHAR, dated BOOLEAN);
    CREATE TABLE seen_resources (
        ref VARCHAR, tool VARCHAR, scope VARCHAR, trust TINYINT, type VARCHAR, name VARCHAR,
        provider VARCHAR, account VARCHAR, region VARCHAR, tags VARCHAR, config VARCHAR,
        states VARCHAR, observed TIMESTAMP, import_id INTEGER, place VARCHAR);
    CREATE TABLE aliases (
        name VARCHAR, uid VARCHAR, confidence FLOAT, trust TINYINT, tool VARCHAR, scope VARCHAR,
        import_id INTEGER);
    CREATE TABLE relations (
        source VARCHAR, kind VARCHAR, target VARCHAR, tool VARCHAR, scope VARCHAR,
        import_id INTEGER, place VARCHAR);
    CREATE TABLE coverage (
        tool VARCHAR, key VARCHAR, type VARCHAR, observed TIMESTAMP, import_id INTEGER);
    CREATE TABLE components (
        resource VARCHAR, purl VARCHAR, name VARCHAR, version VARCHAR, tool VARCHAR,
        import_id INTEGER);
    CREATE TABLE statements (
        id VARCHAR, finding VARCHAR, tool VARCHAR, type VARCHAR, ref VARCHAR, resource VARCHAR,
        scope VARCHAR,
        rule VARCHAR, canonical_rule VARCHAR, vulnerability VARCHAR, canonical VARCHAR,
        purl VARCHAR, package VARCHAR, version VARCHAR, fixed_version VARCHAR, title VARCHAR,
        description VARCHAR, severity TINYINT, severity_word VARCHAR, score DOUBLE, vector VARCHAR,
        location VARCHAR, line INTEGER, anchor VARCHAR, remediation VARCHAR, url VARCHAR,
        likelihood VARCHAR, impact VARCHAR, exploit_known VARCHAR, verified BOOLEAN,
        default_branch BOOLEAN, place VARCHAR, fix VARCHAR, fix_key VARCHAR,
        import_id INTEGER, first_seen TIMESTAMP,
        last_seen TIMESTAMP, closed TIMESTAMP, reopened TIMESTAMP);
    CREATE TABLE vulnerability_aliases (a VARCHAR, b VARCHAR);
    CREATE TABLE vex (
        vulnerability VARCHAR, product VARCHAR, package VARCHAR, version VARCHAR, status VARCHAR, justification VARCHAR,
        text VARCHAR, author VARCHAR, time TIMESTAMP, tool VARCHAR, import_id INTEGER,
        place VARCHAR, within VARCHAR[]);
    CREATE TABLE signals (
        id VARCHAR, time TIMESTAMP, title VARCHAR, severity TINYINT, severity_word VARCHAR,
        names VARCHAR[], description VARCHAR, technique VARCHAR, source_address VARCHAR,
        tool VARCHAR, import_id INTEGER, place VARCHAR);
    CREATE TABLE signal_names (name VARCHAR, id VARCHAR, time TIMESTAMP, severity TINYINT);
    CREATE TABLE exploits (
        vulnerability VARCHAR, feed VARCHAR, maturity TINYINT, id VARCHAR, url VARCHAR,
        date VARCHAR, epss DOUBLE, percentile DOUBLE, automatable VARCHAR,
        technical_impact VARCHAR, score DOUBLE, vector VARCHAR, ransomware BOOLEAN, due VARCHAR,
        analysed BOOLEAN, import_id INTEGER);
    CREATE TABLE feeds (feed VARCHAR PRIMARY KEY, released VARCHAR, imported TIMESTAMP,
        records BIGINT, etag VARCHAR, source VARCHAR);

    CREATE TABLE names (ref VARCHAR, direct VARCHAR, uid VARCHAR);
    CREATE TABLE ambiguous (ref VARCHAR, uids VARCHAR[]);
    CREATE TABLE vulnerability_names (id VARCHAR, canonical VARCHAR);
    CREATE TABLE resources (
        uid VARCHAR, type VARCHAR, name VARCHAR, provider VARCHAR, account VARCHAR, region VARCHAR,
        tags VARCHAR, states VARCHAR, service VARCHAR, environment VARCHAR, inventoried BOOLEAN,
        first_seen TIMESTAMP, last_seen TIMESTAMP);
    CREATE TABLE findings (
        id VARCHAR, type VARCHAR, resource VARCHAR, vulnerability VARCHAR, rule VARCHAR,
        purl VARCHAR, package VARCHAR, version VARCHAR, fixed_version VARCHAR, title VARCHAR,
        description VARCHAR, severity TINYINT, severity_word VARCHAR, score DOUBLE, vector VARCHAR,
        location VARCHAR, line INTEGER, remediation VARCHAR, url VARCHAR, likelihood VARCHAR,
        impact VARCHAR, exploit_known VARCHAR, verified BOOLEAN, default_branch BOOLEAN,
        tools VARCHAR, first_seen TIMESTAMP, last_seen TIMESTAMP, status VARCHAR,
        reopened TIMESTAMP, fix VARCHAR, fix_key VARCHAR);
    CREATE TABLE renamed (old VARCHAR, new VARCHAR, time TIMESTAMP);
    CREATE TABLE dirty (kind VARCHAR, key VARCHAR);
    """,
    # Long texts are written once, in the statement that leads the finding.
    """
    CREATE TABLE findings_led AS
    SELECT f.* EXCLUDE (description, vector, remediation, url), coalesce(s.id, '') AS lead
    FROM findings f LEFT JOIN (
        SELECT DISTINCT ON (finding) finding, id FROM statements
        ORDER BY finding, closed IS NULL DESC, severity DESC, tool, title, version, id) s
      ON s.finding = f.id;
    DROP TABLE findings;
    ALTER TABLE findings_led RENAME TO findings;
    """,
    # Inventories state which names are provisional; of what was read before, its form tells.
    """
    ALTER TABLE seen_resources ADD COLUMN provisional BOOLEAN DEFAULT false;
    UPDATE seen_resources SET provisional = true
    WHERE (type = 'gcp_iam_service_account' AND contains(ref, '@'))
       OR (type = 'gcp_cloudresourcemanager_project' AND NOT regexp_matches(ref, '/projects/[0-9]+$'));
    """,
)

# Computed from facts, decisions, rules and the clock. NULL in a risk column means unknown.
# Texts that differ in each row are not compressed: it saves little, and one row is read in a third
# of the time.
_PLAIN = "VARCHAR USING COMPRESSION uncompressed"
ASSESSED = f"""
    CREATE TABLE IF NOT EXISTS footprints (
        resource {_PLAIN}, live {_PLAIN}, route VARCHAR);
    CREATE TABLE IF NOT EXISTS services (resource VARCHAR, service VARCHAR, how VARCHAR);
    CREATE TABLE IF NOT EXISTS risk_values (
        subject VARCHAR, risk VARCHAR, value TINYINT, evidence VARCHAR);
    CREATE TABLE IF NOT EXISTS standings (
        resource VARCHAR, live VARCHAR, lives INTEGER, public TINYINT, privileged TINYINT,
        attacked TINYINT, production TINYINT, yes TINYINT, service VARCHAR, account VARCHAR,
        environment VARCHAR, team VARCHAR, name VARCHAR, type VARCHAR, action_scope VARCHAR, combo UTINYINT, combos UTINYINT);
    CREATE TABLE IF NOT EXISTS vulnerability_facts (
        vulnerability VARCHAR, exploit TINYINT, maturity TINYINT, epss DOUBLE, kev BOOLEAN,
        automatable VARCHAR, technical_impact VARCHAR, score DOUBLE, vector VARCHAR, due VARCHAR);
    CREATE TABLE IF NOT EXISTS assessed (
        id {_PLAIN}, issue {_PLAIN}, severity TINYINT, risks TINYINT, public TINYINT,
        privileged TINYINT, attacked TINYINT, exploit TINYINT, production TINYINT,
        resource {_PLAIN}, live {_PLAIN}, maturity TINYINT, epss DOUBLE, kev BOOLEAN, tier TINYINT,
        admitted_by VARCHAR, combo UTINYINT, severity_rule VARCHAR, muted_by VARCHAR,
        rule_due VARCHAR, rule_due_by VARCHAR);
    CREATE TABLE IF NOT EXISTS issues (
        id {_PLAIN}, sort_key {_PLAIN}, tier_key {_PLAIN}, loss_key {_PLAIN}, title {_PLAIN},
        type VARCHAR, severity TINYINT, risks TINYINT, public TINYINT, privileged TINYINT,
        attacked TINYINT, exploit TINYINT, production TINYINT, impacted_resources INTEGER,
        impacted_services INTEGER, findings INTEGER, maturity TINYINT, epss DOUBLE, kev BOOLEAN,
        tier TINYINT, lead {_PLAIN}, live {_PLAIN}, resource {_PLAIN}, service {_PLAIN},
        account VARCHAR, environment VARCHAR, team VARCHAR, package {_PLAIN}, fix VARCHAR,
        rule {_PLAIN}, vulnerability {_PLAIN}, tools VARCHAR, admitted_by VARCHAR,
        first_seen TIMESTAMP, last_seen TIMESTAMP, due VARCHAR, status VARCHAR,
        assignee VARCHAR, paths_cut INTEGER, severity_rule VARCHAR, muted_by VARCHAR,
        rule_due VARCHAR, rule_due_by VARCHAR, due_by VARCHAR, assignee_kind VARCHAR,
        labels VARCHAR, version INTEGER, reason VARCHAR, expires VARCHAR,
        decided_severity TINYINT, decided_risks TINYINT, reopened BOOLEAN, regressed BOOLEAN);
    CREATE TABLE IF NOT EXISTS finding_mutes (
        subject VARCHAR, finding VARCHAR, rule VARCHAR, resource VARCHAR, query VARCHAR,
        severity TINYINT, risks TINYINT, worse BOOLEAN, muted BOOLEAN, override TINYINT);
    CREATE TABLE IF NOT EXISTS attack_paths (
        id VARCHAR, entry VARCHAR, target VARCHAR, severity VARCHAR, certain BOOLEAN, cost DOUBLE,
        title VARCHAR, data VARCHAR);
    CREATE TABLE IF NOT EXISTS path_resources (path VARCHAR, uid VARCHAR);
    CREATE TABLE IF NOT EXISTS path_causes (path VARCHAR, finding VARCHAR);
    CREATE TABLE IF NOT EXISTS stopped_moves (
        source VARCHAR, target VARCHAR, move VARCHAR, sentence VARCHAR, reason VARCHAR);
    CREATE TABLE IF NOT EXISTS attack_reach (uid VARCHAR);
    CREATE TABLE IF NOT EXISTS fix_plan (data VARCHAR);
"""
