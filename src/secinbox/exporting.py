"""The inbox for other programs: JSON, CSV, SARIF, OCSF, OpenVEX, CycloneDX VEX."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from secinbox import __version__
from secinbox.facts.store import Facts
from secinbox.inbox import findings, issues
from secinbox.inbox.query import QueryError
from secinbox.inbox.rules import InboxRule
from secinbox.vocabulary import RISKS

MAX_ROWS = 100_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_LEVEL = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_OCSF_SEVERITY = {"unknown": 0, "info": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}
# Class of OCSF 1.x by finding type; all else is a compliance finding.
_OCSF_CLASS = {"workload_activity": (2004, "Detection Finding"),
               "attack_path": (2004, "Detection Finding")}  # fmt: skip
_SPACE = uuid.UUID("5bb1e0a5-0f0e-5a52-9d0b-3a2c0d1f6e01")


def export(
    facts: Facts, form: str, query: str, clock: datetime, rules: Sequence[InboxRule] = ()
) -> tuple[str, str]:
    """(media type, text). Raises QueryError. Issues for json and csv, else findings."""
    if form not in FORMATS:
        raise QueryError(f"there is no format {form!r}; one of: {', '.join(FORMATS)}")
    media, write, about = FORMATS[form]
    if about == "issues":
        rows = issues.issues(facts, query, limit=MAX_ROWS)["issues"]
    else:
        rows = findings.findings(facts, query, limit=MAX_ROWS, rules=rules)["findings"]
    return media, write(rows, clock)


def cell(value: Any) -> str:
    """A value that no spreadsheet takes for a formula."""
    text = (
        ", ".join(map(str, value))
        if isinstance(value, list)
        else ""
        if value is None
        else str(value)
    )
    return "'" + text if text.startswith(_FORMULA) else text


def _csv(rows: list[dict[str, Any]], clock: datetime) -> str:
    del clock
    names = ("rank", "id", "severity", "title", "type", "risk_count", "impacted_resources",
             "impacted_services", "status", "assignee", "due", "labels", "service", "environment",
             "team", "package", "fixed_version", "vulnerability", "admitted_by", "first_seen",
             "last_seen", "resources")  # fmt: skip
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*names, *RISKS])
    for row in rows:
        writer.writerow([cell(row[n]) for n in names] + [row["risks"][r] for r in RISKS])
    return out.getvalue()


def _json(rows: list[dict[str, Any]], clock: datetime) -> str:
    return json.dumps({"issues": rows, "as_of": _time(clock)}, indent=1)


def _time(clock: datetime) -> str:
    return clock.strftime("%Y-%m-%dT%H:%M:%SZ")


def _sarif(rows: list[dict[str, Any]], clock: datetime) -> str:
    del clock
    rules: dict[str, dict[str, Any]] = {}
    results = []
    for row in rows:
        rule = row["vulnerability"] or row["rule"] or row["type"]
        rules.setdefault(rule, {"id": rule, "shortDescription": {"text": row["title"][:1_000]}})
        region = {"region": {"startLine": row["line"]}} if row["line"] else {}
        where: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": row["resource"]}]}
        if row["location"]:
            where["physicalLocation"] = {"artifactLocation": {"uri": row["location"]}, **region}
        results.append({
            "ruleId": rule, "level": _LEVEL.get(row["severity"], "none"),
            "message": {"text": row["title"]}, "locations": [where],
            "partialFingerprints": {"secinbox/v1": row["id"]},
            "suppressions": [{"kind": "external", "justification": row["muted_by"]}]
            if row["muted_by"] else [],
            "properties": {"severity": row["severity"], "in_inbox": row["in_inbox"]},
        })  # fmt: skip
    driver = {"name": "secinbox", "version": __version__, "rules": list(rules.values())}
    document = {"version": "2.1.0", "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
                "runs": [{"tool": {"driver": driver}, "results": results}]}  # fmt: skip
    return json.dumps(document, indent=1)


def _ocsf(rows: list[dict[str, Any]], clock: datetime) -> str:
    """One finding a line."""
    now = int(clock.replace(tzinfo=UTC).timestamp() * 1000)
    lines = []
    for row in rows:
        code, name = _OCSF_CLASS.get(row["type"], (2003, "Compliance Finding"))
        if row["vulnerability"]:
            code, name = 2002, "Vulnerability Finding"
        event: dict[str, Any] = {
            "class_uid": code, "class_name": name, "category_uid": 2, "category_name": "Findings",
            "activity_id": 2, "type_uid": code * 100 + 2, "time": now,
            "severity_id": _OCSF_SEVERITY[row["severity"]], "severity": row["severity"].title(),
            "status_id": 3 if row["muted_by"] else 1, "status": "Suppressed" if row["muted_by"] else "New",
            "metadata": {"version": "1.5.0", "product": {"name": "secinbox", "vendor_name": "secinbox",
                                                         "version": __version__}},
            "finding_info": {"uid": row["id"], "title": row["title"], "desc": row["description"],
                             "types": [row["type"]], "first_seen_time_dt": row["first_seen"],
                             "last_seen_time_dt": row["last_seen"]},
            "resources": [{"uid": row["resource"]}],
        }  # fmt: skip
        if row["vulnerability"]:
            package = [{"name": row["package"], "version": row["version"] or "",
                        "fixed_in_version": row["fixed_version"] or ""}] if row["package"] else []  # fmt: skip
            event["vulnerabilities"] = [{"cve": {"uid": row["vulnerability"]},
                                         "affected_packages": package}]  # fmt: skip
        elif code == 2003:
            event["compliance"] = {"control": row["rule"], "status_id": 3, "status": "Fail"}
        lines.append(json.dumps(event))
    return "\n".join(lines) + ("\n" if lines else "")


def _openvex(rows: list[dict[str, Any]], clock: datetime) -> str:
    statements = []
    for row in rows:
        if not row["vulnerability"]:
            continue
        product: dict[str, Any] = {"@id": row["resource"]}
        if row["package"]:
            product["subcomponents"] = [
                {"@id": f"{row['package']}@{row['version'] or ''}".rstrip("@")}
            ]
        status = {"fixed": "fixed", "not_affected": "not_affected"}.get(row["status"], "affected")
        statement = {"vulnerability": {"name": row["vulnerability"]}, "products": [product],
                     "status": status, "timestamp": row["last_seen"]}  # fmt: skip
        if status == "affected":
            statement["action_statement"] = (
                f"Upgrade to {row['fixed_version']}" if row["fixed_version"] else "No fix is known")  # fmt: skip
        if status == "not_affected":
            statement["impact_statement"] = "stated by an imported VEX document"
        statements.append(statement)
    body = json.dumps(statements, sort_keys=True).encode()
    return json.dumps({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": f"urn:secinbox:vex:{hashlib.sha256(body).hexdigest()[:32]}",
        "author": "secinbox", "timestamp": _time(clock), "version": 1, "statements": statements,
    }, indent=1)  # fmt: skip


def _cyclonedx(rows: list[dict[str, Any]], clock: datetime) -> str:
    components: dict[str, dict[str, Any]] = {}
    vulnerabilities = []
    for row in rows:
        if not row["vulnerability"]:
            continue
        ref = f"{row['resource']}#{row['package'] or ''}@{row['version'] or ''}"
        components.setdefault(ref, {"type": "library" if row["package"] else "application",
                                    "bom-ref": ref, "name": row["package"] or row["resource"],
                                    "version": row["version"] or ""})  # fmt: skip
        state = {"fixed": "resolved", "not_affected": "not_affected"}.get(
            row["status"], "in_triage" if row["muted_by"] else "exploitable")  # fmt: skip
        severity = {"info": "info", "unknown": "unknown"}.get(row["severity"], row["severity"])
        rating: dict[str, Any] = {"severity": severity}
        if row["score"] is not None:
            rating["score"] = row["score"]
        vulnerabilities.append({
            "bom-ref": row["id"], "id": row["vulnerability"], "ratings": [rating],
            "analysis": {"state": state}, "affects": [{"ref": ref}],
            **({"recommendation": f"Upgrade to {row['fixed_version']}"} if row["fixed_version"] else {}),
        })  # fmt: skip
    body = json.dumps(vulnerabilities, sort_keys=True)
    return json.dumps({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, body)}",
        "metadata": {"timestamp": _time(clock), "tools": {"components": [
            {"type": "application", "name": "secinbox", "version": __version__}]}},
        "components": list(components.values()), "vulnerabilities": vulnerabilities,
    }, indent=1)  # fmt: skip


Write = Callable[[list[dict[str, Any]], datetime], str]
FORMATS: dict[str, tuple[str, Write, str]] = {
    "json": ("application/json", _json, "issues"),
    "csv": ("text/csv", _csv, "issues"),
    "sarif": ("application/sarif+json", _sarif, "findings"),
    "ocsf": ("application/x-ndjson", _ocsf, "findings"),
    "openvex": ("application/json", _openvex, "findings"),
    "cyclonedx-vex": ("application/vnd.cyclonedx+json", _cyclonedx, "findings"),
}
