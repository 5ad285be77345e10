"""The shapes of the answers of `/api/v1`, for OpenAPI: what is said here is there, more may come.

Notation: a word is a type (`?` behind it: or null), a list the type of its items, a dictionary an
object with these keys; a key that ends with `?` may be absent. `one of a, b` is an enumeration.
"""

from __future__ import annotations

from typing import Any

from secinbox.vocabulary import FINDING_TYPES, MATURITIES, RISKS, SEVERITIES

Shape = str | list[Any] | dict[str, Any]
_ANY = "any"


def schema(shape: Shape) -> dict[str, Any]:
    """JSON schema of a shape."""
    if isinstance(shape, list):
        return {"type": "array", "items": schema(shape[0])}
    if isinstance(shape, dict):
        if "*" in shape:
            return {"type": "object", "additionalProperties": schema(shape["*"])}
        keys = {k.rstrip("?"): schema(v) for k, v in shape.items()}
        return {"type": "object", "properties": keys,
                "required": [k for k in shape if not k.endswith("?")]}  # fmt: skip
    if shape == _ANY:
        return {}
    word, null = shape.rstrip("?"), shape.endswith("?")
    if word.startswith("one of "):
        values: list[Any] = word.removeprefix("one of ").split(", ")
        return {"enum": [*values, None] if null else values}
    return {"type": [word, "null"] if null else word}


def told(shape: Shape, status: int = 200, text: str = "The answer") -> dict[int | str, Any]:
    """`responses` of a route."""
    body = {"application/json": {"schema": schema(shape)}}
    return {status: {"description": text, "content": body}}


SEVERITY = "one of " + ", ".join(SEVERITIES)
TYPE = "one of " + ", ".join(FINDING_TYPES)
VALUE = "one of yes, no, unknown"
EVIDENCE = {"kind": "string", "text": "string", "source?": "string?", "steps?": ["string"],
            "via?": ["string"], "ports?": "string?", "on?": "string", "date?": "string?",
            "sources_allowed?": "string?", "maturity?": "string?"}  # fmt: skip
DETAIL = {"value": VALUE, "evidence": [EVIDENCE]}
DETAILS = dict.fromkeys(RISKS, DETAIL)
ATTRIBUTION = {"tool": "string", "report": "string?", "place": "string", "first_seen": "string?",
               "last_seen": "string?", "closed": "string?", "location": "string?",
               "line": "integer?"}  # fmt: skip
ISSUE = {
    "id": "string", "rank": "integer", "title": "string", "type": TYPE, "severity": SEVERITY,
    "risks": dict.fromkeys(RISKS, VALUE), "risk_count": "integer", "impacted_resources": "integer",
    "impacted_services": "integer", "findings": "integer", "resources": ["string"],
    "service": "string?", "account": "string?", "environment": "string?", "team": "string?",
    "package": "string?", "fixed_version": "string?", "vulnerability": "string?",
    "rule": "string", "tools": ["string"], "maturity": "one of " + ", ".join(MATURITIES),
    "epss": "number?", "kev": "boolean", "tier": "integer",
    "status": "one of open, in_progress, muted, resolved", "assignee": "string?",
    "assignee_kind": "one of person, team?", "due": "string?", "due_by": "string?",
    "labels": ["string"], "flags": ["one of new, overdue, escalated, regressed"],
    "mute": "any", "muted_by": "string?", "severity_rule": "string?", "version": "integer",
    "admitted_by": "string", "paths_cut": "integer", "first_seen": "string?",
    "last_seen": "string?",
}  # fmt: skip
FINDING = {
    "id": "string", "type": TYPE, "title": "string", "severity": SEVERITY,
    "severity_word": "string", "score": "number?", "vector": "string?", "resource": "string",
    "rule": "string", "vulnerability": "string?", "package": "string?", "version": "string?",
    "fixed_version": "string?", "location": "string?", "line": "integer?",
    "description": "string", "remediation": "string?", "url": "string?",
    "status": "one of open, fixed", "first_seen": "string?", "last_seen": "string?",
    "reopened": "string?", "service": "string?", "attributions": [ATTRIBUTION],
    "risks": DETAILS, "issue": "string?", "in_inbox": "boolean", "admitted_by": "string?",
    "severity_rule": "string?", "muted_by": "string?", "due": "string?", "due_by": "string?",
    "why_not": "string?",
}  # fmt: skip
RESOURCE = {"uid": "string", "type": "string", "aliases": ["string"], "tags": {"*": "string"},
            "environment": "string?", "service": "string?", "risks": {"*": DETAIL}}  # fmt: skip
SHOWN = ISSUE | {
    "why": "object", "risk_details": DETAILS, "risks_on": "object", "fix": "object",
    "owner": "any", "closes": "object", "description": "string", "details": [FINDING],
    "more_findings": "integer", "attack_path": "any",
    "attack_paths": [{"id": "string", "title": "string", "severity": SEVERITY}],
    "routes": [{"resource": "string", "live": "string", "route": "string"}],
    "timeline": ["object"], "tickets": ["object"],
}  # fmt: skip
STEP = {"from": "string", "to": "string", "state": "string", "move": "string",
        "sentence": "string", "certain": "boolean", "doubt": "string?", "exploit": "string?",
        "attack": ["string"], "evidence": [EVIDENCE], "remedies": ["object"]}  # fmt: skip
PATH = {"id": "string", "severity": SEVERITY, "title": "string", "certain": "boolean",
        "entry": "string", "target": "string", "why_target": "string", "chain": "string",
        "ways": "integer", "footholds": ["string"], "also_reaches": ["string"], "steps": [STEP],
        "resources": ["string"], "issue": "string?", "finding": "string"}  # fmt: skip
ACTION = {"key": "string", "title": "string", "resource": "string", "issue": "string?",
          "findings": ["string"], "effort": "number", "paths_cut": "integer", "paths": ["string"],
          "targets_protected": "integer", "cumulative_share": "number",
          "in_smallest_cut": "boolean"}  # fmt: skip
PLAN = {"actions": [ACTION], "bound": "object", "choke_points": ["object"], "paths": "integer",
        "certain_paths": "integer", "targets": "integer", "total": "integer"}  # fmt: skip
COUNT = [{"value": "string", "count": "integer"}]
FACETS = dict.fromkeys(("severity", "triage", "risk", "type", "environment", "service", "team"), COUNT)  # fmt: skip
GROUPS = {"field": "string", "total": "integer", "groups": [{
    "value": "string", "query": "string", "issues": "integer", "severity": SEVERITY,
    "findings": "integer", "critical": "integer", "high": "integer"}]}  # fmt: skip
REPORT = {"as_of": "string", "weeks": [{"begins": "string", "new": "integer", "fixed": "integer",
                                        "open": "integer"}],
          "severity": ["object"], "services": ["object"], "teams": ["object"]}  # fmt: skip
DOCTOR = {"version": "string", "home": "string", "counts": {"*": "integer"}, "feeds": ["object"],
          "checks": [{"check": "string", "ok": "boolean", "text": "string", "hint": "string?"}]}  # fmt: skip
RULES = {"rules": ["object"], "default_rules": [{
    "kind": "string", "id": "string", "name": "string", "query": "string", "action": "string",
    "enabled": "boolean", "origin": "string", "hits": "integer"}]}  # fmt: skip
DECIDED = {"action": "string", "dry_run": "boolean", "count": "integer", "sample": [{
    "subject": "string", "id": "string", "title": "string"}], "batch": "string?",
    "done": ["object"], "failed": ["object"]}  # fmt: skip
IMPORTED = {"files": [{"path": "string", "format": "string?",
                       "status": "one of imported, skipped, failed", "error": "any",
                       "records": "any", "changes": "any", "skipped": ["object"]}]}  # fmt: skip
DELIVERIES = {"connections": ["object"], "counts": {"*": "integer"}, "waiting": ["object"],
              "tickets": ["object"], "faults": ["string"]}  # fmt: skip


def page(name: str, item: Shape, **more: Shape) -> dict[str, Any]:
    """A page of a list."""
    return {name: [item], "total": "integer", "next": "string?", **more}
