"""The names that queries may use, over assessed findings and over issues."""

from __future__ import annotations

from secinbox.inbox.query import Field, risk_fields
from secinbox.vocabulary import FINDING_TYPES

_CLOCK = "(SELECT value::TIMESTAMP FROM meta WHERE key = 'clock')"

# Over the rows of `assessing`: a finding with its severity, risks and standing.
FINDING_FIELDS: dict[str, Field] = {
    "id": Field("f.id", "text", "id of the finding"),
    "type": Field("f.type", "word", "finding type", FINDING_TYPES),
    "severity": Field("f.severity", "level", "final severity"),
    "title": Field("f.title", "text", "title"),
    "resource": Field("f.resource", "text", "uid of the resource"),
    "service": Field("f.service", "text", "service"),
    "team": Field("f.team", "text", "owning team"),
    "env": Field("f.environment", "text", "environment tag"),
    "environment": Field("f.environment", "text", "environment tag"),
    "account": Field("f.account", "text", "cloud account, subscription, project or cluster"),
    "rule": Field("f.rule", "text", "the tool's rule id"),
    "tool": Field("f.tools", "text", "a tool that reports it (use *name*)"),
    "vulnerability": Field("f.vulnerability", "text", "CVE or other id"),
    "cve": Field("f.vulnerability", "text", "CVE or other id"),
    "package": Field("f.package", "text", "package"),
    "location": Field("f.location", "text", "file"),
    "score": Field("f.score", "number", "CVSS base score"),
    "epss": Field("f.epss", "number", "EPSS probability, 0 to 1"),
    "kev": Field("f.kev", "flag", "in the CISA KEV catalogue"),
    "verified": Field("f.verified", "flag", "secret that was tried and works"),
    "default_branch": Field("f.default_branch", "flag", "on a default branch"),
    "fix": Field("(f.fix_key <> '')", "flag", "a fixed version is known"),
    "status": Field("f.status", "word", "open, fixed, not_affected",
                    ("open", "fixed", "not_affected")),
    "issue": Field("f.issue", "text", "id of the issue"),
    "admitted_by": Field("f.admitted_by", "text", "rule that let it in"),
    "in_inbox": Field("(f.admitted_by <> '')", "flag", "in the inbox"),
    "severity_rule": Field("f.severity_rule", "text", "rule that set the severity"),
    "muted_by": Field("f.muted_by", "text", "rule or decision that mutes it"),
    "due_by": Field("f.rule_due_by", "text", "rule that set the due date"),
    "risk_count": Field("f.risks", "number", "detected risks, 0 to 5"),
    "first_seen": Field("f.first_seen", "time", "first seen"),
    "last_seen": Field("f.last_seen", "time", "last seen"),
    **risk_fields(lambda column: f"f.{column}"),
}  # fmt: skip
FINDING_FREE_TEXT = ("f.title", "f.resource", "f.vulnerability", "f.package")

# Rules decide these, so they cannot ask for them.
RULE_FIELDS: dict[str, Field] = {
    name: field for name, field in FINDING_FIELDS.items()
    if name not in ("issue", "admitted_by", "in_inbox", "severity_rule", "muted_by", "due_by")
}  # fmt: skip

ISSUE_FIELDS: dict[str, Field] = {
    "id": Field("i.id", "text", "id of the issue"),
    "type": Field("i.type", "word", "finding type", FINDING_TYPES),
    "severity": Field("i.severity", "level", "final severity"),
    "title": Field("i.title", "text", "title"),
    "resource": Field(
        "EXISTS (SELECT 1 FROM assessed x WHERE x.issue = i.id AND (x.resource || '\n' || "
        "coalesce(x.live, '')) ", "text", "uid of a resource"),
    "service": Field("i.service", "text", "service"),
    "team": Field("i.team", "text", "owning team"),
    "env": Field("i.environment", "text", "environment tag"),
    "environment": Field("i.environment", "text", "environment tag"),
    "account": Field("i.account", "text", "cloud account, subscription, project or cluster"),
    "rule": Field("i.rule", "text", "rule of its leading finding"),
    "tool": Field("i.tools", "text", "a tool that reports it (use *name*)"),
    "vulnerability": Field("i.vulnerability", "text", "CVE of its leading finding"),
    "cve": Field("i.vulnerability", "text", "CVE of its leading finding"),
    "package": Field("i.package", "text", "package"),
    "epss": Field("i.epss", "number", "EPSS probability, 0 to 1"),
    "kev": Field("i.kev", "flag", "in the CISA KEV catalogue"),
    "fix": Field("(i.fix <> '')", "flag", "a fixed version is known"),
    "status": Field("i.status", "word", "open, in_progress, muted, resolved",
                    ("open", "in_progress", "muted", "resolved")),
    "assignee": Field("i.assignee", "text", "assigned to"),
    "due": Field("try_cast(nullif(i.due, '') AS TIMESTAMP)", "time", "due date"),
    "label": Field("array_to_string(CAST(i.labels AS JSON)::VARCHAR[], ',')", "text",
                   "a label (use *name*)"),
    "new": Field(f"(i.first_seen >= {_CLOCK} - INTERVAL 7 DAY)", "flag", "first seen this week"),
    "overdue": Field(
        f"(i.due <> '' AND i.due < left({_CLOCK}::VARCHAR, 10) "
        "AND i.status IN ('open', 'in_progress'))", "flag", "its due date has passed"),
    "due_soon": Field(
        f"(i.due <> '' AND i.due >= left({_CLOCK}::VARCHAR, 10) "
        f"AND i.due <= left(({_CLOCK} + INTERVAL 7 DAY)::VARCHAR, 10) "
        "AND i.status IN ('open', 'in_progress'))", "flag", "due within seven days"),
    "in_flight": Field("(i.status = 'in_progress' OR (i.status = 'open' AND i.assignee <> ''))",
                       "flag", "somebody has it"),
    "escalated": Field(
        "(i.decided_severity >= 0 AND (i.severity > i.decided_severity "
        "OR i.risks > i.decided_risks))", "flag", "worse than when it was decided on"),
    "regressed": Field("i.regressed", "flag", "was fixed or resolved, and is back"),
    "muted_by": Field("i.muted_by", "text", "rule or decision that mutes all its findings"),
    "due_by": Field("i.due_by", "text", "rule that set the due date, or decision"),
    "severity_rule": Field("i.severity_rule", "text", "rule that set the severity"),
    "admitted_by": Field("i.admitted_by", "text", "rule that let it in"),
    "risk_count": Field("i.risks", "number", "detected risks, 0 to 5"),
    "impacted_resources": Field("i.impacted_resources", "number", "resources"),
    "impacted_services": Field("i.impacted_services", "number", "services"),
    "findings": Field("i.findings", "number", "findings that it closes"),
    "paths_cut": Field("i.paths_cut", "number", "attack paths that it cuts"),
    "tier": Field("i.tier", "number", "BOD 26-04 tier, 1 (three days) to 5 (on upgrade)"),
    "first_seen": Field("i.first_seen", "time", "first seen"),
    "last_seen": Field("i.last_seen", "time", "last seen"),
    **risk_fields(lambda column: f"i.{column}"),
}  # fmt: skip
ISSUE_FREE_TEXT = ("i.title", "i.resource", "i.service", "i.vulnerability")

RESOURCE_FIELDS: dict[str, Field] = {
    "uid": Field("r.uid", "text", "uid"),
    "resource": Field("r.uid", "text", "uid"),
    "type": Field("r.type", "text", "resource type"),
    "name": Field("r.name", "text", "name"),
    "provider": Field("r.provider", "text", "aws, azure, gcp, kubernetes ..."),
    "account": Field("r.account", "text", "account"),
    "region": Field("r.region", "text", "region"),
    "service": Field("st.service", "text", "service"),
    "team": Field("st.team", "text", "owning team"),
    "env": Field("r.environment", "text", "environment tag"),
    "environment": Field("r.environment", "text", "environment tag"),
    "risk_count": Field("st.yes", "number", "detected risks"),
    **{n: f for n, f in risk_fields(lambda column: f"st.{column}").items()
       if "exploit" not in n},
}  # fmt: skip
RESOURCE_FREE_TEXT = ("r.uid", "r.name")
