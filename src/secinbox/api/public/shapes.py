"""A finding and a rule in the public schema's names, and what clients send in it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from secinbox.decisions.rule import (
    DueDateRule,
    InboxRule,
    MuteRule,
    Rule,
    SeverityRule,
    TicketRule,
)
from secinbox.decisions.rulebook import Kept
from secinbox.decisions.states import DecisionError
from secinbox.vocabulary import FINDING_TYPES

_SPACE = uuid.UUID("8f0c1a36-4b0e-5b6c-9c0e-6b1f4f2f7a11")
_MERGED = "host_and_container_vulnerability"
_BOTH = ("host_vulnerability", "container_image_vulnerability")
TYPES = tuple(dict.fromkeys(_MERGED if t in _BOTH else t for t in FINDING_TYPES))
PIPELINES = {
    "inbox_rules": "inbox", "mute_rules": "mute", "due_date_rules": "due_date",
    "severity_modifier_rules": "severity", "ticket_creation_rules": "ticket",
}  # fmt: skip
_RISKS = {
    "public_accessibility": "is_publicly_accessible", "privileged_access": "has_privileged_access",
    "under_attack": "is_exposed_to_attacks", "exploit_available": "has_exploit_available",
    "in_production": "is_production",
}  # fmt: skip
_IMPACT = {"yes": "riskier", "no": "safer", "unknown": "unknown"}


def milliseconds(text: str | None) -> int | None:
    """A stored time in the schema's unit."""
    if not text:
        return None
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def from_milliseconds(value: int) -> str:
    """A time of the schema as ours. Raises DecisionError."""
    try:
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, OSError, ValueError):
        raise DecisionError(f"{value} is no time in milliseconds") from None


def public_id(identity: str) -> str:
    """A UUID for each rule: its own id if that is one, else one made from it."""
    try:
        return str(uuid.UUID(identity))
    except ValueError:
        return str(uuid.uuid5(_SPACE, identity))


def finding(row: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """A finding as `data`; more: issue status, assignee, mute and case of it."""
    kind = _MERGED if row["type"] in _BOTH else row["type"]
    risks = row["risks"]
    tags = [f"{k}:{row[k]}" for k in ("service",) if row[k]]
    tags += [f"source:{a['tool']}" for a in row["attributions"][:20]]
    attributes: dict[str, Any] = {
        "finding_id": row["id"], "finding_type": kind, "title": row["title"],
        "description": row["description"], "severity": row["severity"], "status": _status(row, more),
        "first_seen_at": milliseconds(row["first_seen"]),
        "last_seen_at": milliseconds(row["last_seen"]),
        "detection_changed_at": milliseconds(row["reopened"] or row["first_seen"]),
        "resource_id": row["resource"], "resource_name": row["resource"].rsplit("/", 1)[-1],
        "is_in_security_inbox": row["in_inbox"],
        "origin": sorted({a["tool"] for a in row["attributions"]}),
        "rule": {"id": row["rule"], "name": row["title"]},
        "risk": {_RISKS[n]: v["value"] == "yes" for n, v in risks.items()},
        "risk_details": {
            _RISKS[n]: {"value": v["value"] == "yes", "impact_cvss": _IMPACT[v["value"]],
                        "evidence": {"entries": v["evidence"][:10]}}
            for n, v in risks.items()
        },
        "workflow": _workflow(row, more),
        "tags": tags,
    }  # fmt: skip
    if row["vulnerability"]:
        attributes["advisory"] = {"cve": row["vulnerability"], "id": row["vulnerability"]}
    if row["package"]:
        attributes["package"] = {"name": row["package"], "version": row["version"]}
    if row["service"]:
        attributes["service"] = {"name": row["service"]}
    if row["location"]:
        attributes["code_location"] = {"filename": row["location"], "line_start": row["line"]}
    if row["remediation"] or row["fixed_version"]:
        attributes["remediation"] = {"is_available": True, "description": row["remediation"] or
                                     f"Upgrade to {row['fixed_version']}"}  # fmt: skip
    return {
        "id": row["id"], "type": "finding",
        "attributes": {"attributes": attributes, "tags": tags,
                       "timestamp": milliseconds(row["last_seen"])},
    }  # fmt: skip


def _status(row: dict[str, Any], more: dict[str, Any]) -> str:
    if row["status"] != "open":
        return "auto_closed"
    if row["muted_by"] or more.get("status") == "muted":
        return "muted"
    return {"in_progress": "in-progress", "resolved": "resolved"}.get(
        more.get("status", ""), "open"
    )


def _workflow(row: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    automations = []
    for key, kind in (("severity_rule", "severity_modifier_rules"), ("muted_by", "mute_rules"),
                      ("due_by", "due_date_rules"), ("admitted_by", "inbox_rules")):  # fmt: skip
        by = row[key]
        if by and by != "decision" and ":" not in by:
            default = by.endswith("_default_rule")
            automations.append({"rule_id": by if default else public_id(by), "rule_name": by,
                                "rule_type": "default_inbox_rules" if default else kind})  # fmt: skip
    if automations:
        told["automations"] = automations
    if row["muted_by"] or more.get("status") == "muted":
        by_rule = bool(row["muted_by"]) and ":" not in row["muted_by"]
        mute = {"is_muted": True, "is_muted_by_rule": by_rule, "reason": more.get("reason") or None,
                "rule_id": public_id(row["muted_by"]) if by_rule else None,
                "expire_at": milliseconds(more.get("expires"))}  # fmt: skip
        told["mute"] = {k: v for k, v in mute.items() if v is not None}
    if more.get("assignee"):
        told["triage"] = {"assignee": {"id": more["assignee"], "name": more["assignee"]}}
    due = more.get("due") or row["due"]
    if due:
        told["due_date"] = {"due_at": milliseconds(due), "is_overdue": bool(more.get("overdue"))}
    if row["severity_rule"] == "decision":
        told["severity_override"] = {"severity": row["severity"]}
    if more.get("case"):
        told["integrations"] = {"cases": [more["case"]]}
    return told


# -- rules ------------------------------------------------------------------------------------


def rule_attributes(rule: Rule, kept: Kept | None) -> dict[str, Any]:
    """A rule as `attributes`."""
    types = [t for t in TYPES if _has(rule, t)] or list(TYPES)
    scope: dict[str, Any] = {"finding_types": types}
    if rule.query:
        scope["query"] = rule.query
    return {
        "name": rule.name, "enabled": rule.enabled, "rule": scope, "action": _action(rule),
        **authors(kept),
    }  # fmt: skip


def _has(rule: Rule, kind: str) -> bool:
    return any(t in rule.types for t in _BOTH) if kind == _MERGED else kind in rule.types


def authors(kept: Kept | None) -> dict[str, Any]:
    """Who made a rule and changed it; of files and defaults: the system."""
    told: dict[str, Any] = {}
    for verb in ("created", "modified"):
        by = getattr(kept, f"{verb}_by", "") or ""
        told[f"{verb}_at"] = milliseconds(getattr(kept, f"{verb}_at", "") or "") or 0
        told[f"{verb}_by"] = {"id": by or "system", "name": by or "secinbox",
                              "type": "user" if by else "system"}  # fmt: skip
    return told


def _action(rule: Rule) -> dict[str, Any]:
    text = rule.description
    if isinstance(rule, InboxRule):
        return {"description": text} if text else {}
    if isinstance(rule, MuteRule):
        told: dict[str, Any] = {"reason": rule.reason}
        if rule.expires:
            told["expire_at"] = milliseconds(rule.expires)
        return told | ({"reason_description": text} if text else {})
    if isinstance(rule, DueDateRule):
        days = [{"severity": s, "due_in_days": d} for s, d in rule.days.items()]
        told = {"due_days_per_severity": days, "due_from": rule.since}
        return told | ({"reason_description": text} if text else {})
    if isinstance(rule, SeverityRule):
        more = {"description": text} if text else {}
        if rule.shift:
            delta = "up_one" if rule.shift > 0 else "down_one"
            return {"type": "shift", "severity_delta": delta, **more}
        return {"type": "set", "severity": "info_none" if rule.set == "info" else rule.set, **more}
    assert isinstance(rule, TicketRule)
    told = {"target": rule.target, "project_id": public_id(rule.project),
            "max_tickets_per_day": min(rule.daily_limit, 500)}  # fmt: skip
    if rule.assignee:
        told["assignee_id"] = public_id(rule.assignee)
    return told | ({"fields": rule.fields} if rule.fields else {})


def rule_data(kind: str, identity: str, attributes: Any) -> dict[str, Any]:
    """Our rule from `attributes`. Raises DecisionError for what is missing or unknown."""
    known(attributes, "attributes", ("name", "rule", "action"), ("enabled",))
    scope, action = attributes["rule"], attributes["action"]
    known(scope, "rule", ("finding_types",), ("query",))
    given = scope["finding_types"]
    if not isinstance(given, list) or not given or not set(map(str, given)) <= set(TYPES):
        raise DecisionError(f"finding_types is a list of: {', '.join(TYPES)}")
    types = [] if set(given) == set(TYPES) else [
        t for g in given for t in (_BOTH if g == _MERGED else (g,))]  # fmt: skip
    data = {"kind": kind, "id": identity, "name": attributes["name"], "types": types,
            "query": scope.get("query", ""), "enabled": attributes.get("enabled", True)}  # fmt: skip
    return data | _action_data(kind, action)


def _action_data(kind: str, action: Any) -> dict[str, Any]:
    if kind == "inbox":
        known(action, "action", (), ("description",))
        return {"description": action.get("description", "")}
    if kind == "mute":
        known(action, "action", ("reason",), ("expire_at", "reason_description"))
        ends = action.get("expire_at")
        return {"reason": action["reason"], "description": action.get("reason_description", ""),
                "expires": from_milliseconds(ends) if isinstance(ends, int) else ""}  # fmt: skip
    if kind == "due_date":
        known(action, "action", ("due_days_per_severity", "due_from"), ("reason_description",))
        items = action["due_days_per_severity"]
        if not isinstance(items, list):
            raise DecisionError("due_days_per_severity is a list")
        for item in items:
            known(item, "due_days_per_severity", ("severity", "due_in_days"), ())
        days = {
            "info" if i["severity"] == "none" else i["severity"]: i["due_in_days"] for i in items
        }
        return {"days": days, "since": action["due_from"],
                "description": action.get("reason_description", "")}  # fmt: skip
    if kind == "severity":
        known(action, "action", ("type",), ("severity", "severity_delta", "description"))
        text = {"description": action.get("description", "")}
        if action["type"] == "set":
            word = action.get("severity")
            return {"set": "info" if word == "info_none" else word, **text}
        delta = {"up_one": 1, "down_one": -1}.get(str(action.get("severity_delta")))
        if action["type"] != "shift" or delta is None:
            raise DecisionError("action has type set with severity, or shift with severity_delta")
        return {"shift": delta, **text}
    known(action, "action", ("target", "project_id", "max_tickets_per_day"),
           ("assignee_id", "fields"))  # fmt: skip
    return {"target": action["target"], "project": action["project_id"],
            "daily_limit": action["max_tickets_per_day"],
            "assignee": action.get("assignee_id", ""), "fields": action.get("fields", {})}  # fmt: skip


def known(value: Any, what: str, needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    """Raises DecisionError unless the value is a mapping with these keys."""
    if not isinstance(value, dict):
        raise DecisionError(f"{what} is an object")
    missing = [k for k in needed if value.get(k) is None]
    if missing:
        raise DecisionError(f"{what} needs {', '.join(missing)}")
    unknown = sorted(set(value) - set(needed) - set(optional))
    if unknown:
        allowed = ", ".join((*needed, *optional))
        raise DecisionError(f"{what} has unknown keys: {', '.join(unknown)}; allowed: {allowed}")
