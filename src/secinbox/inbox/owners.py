"""Who owns an issue, as far as tags, CODEOWNERS and the catalogue say: with confidence and reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from secinbox.facts.store import Facts
from secinbox.inventory.codeowners import owners_of

# Tag -> (kind of owner, how far to trust it). Ahead of each other in this order.
_TAGS = {
    "team": ("team", 0.95),
    "owner": ("person", 0.9),
    "owned-by": ("team", 0.85),
    "squad": ("team", 0.85),
    "maintainer": ("person", 0.7),
    "contact": ("person", 0.6),
}
_MAX_RESOURCES = 1_000
_MAX_FILES = 500


def owner(facts: Facts, uids: Sequence[str], row: dict[str, Any]) -> dict[str, Any] | None:
    """{"name", "kind", "confidence", "reason"} of the likely owner, or None."""
    votes: Counter[tuple[str, str]] = Counter()
    asked = list(uids)[:_MAX_RESOURCES]
    for (tags,) in facts.rows(
        "SELECT lower(tags) FROM resources WHERE uid IN (SELECT unnest(?)) AND tags <> ''", [asked]
    ):
        held = json.loads(tags)
        for tag in _TAGS:
            if isinstance(held.get(tag), str) and held[tag].strip():
                votes[tag, held[tag].strip()] += 1
                break
    if votes:
        (tag, name), count = max(votes.items(), key=lambda v: (v[1] * _TAGS[v[0][0]][1], v[0]))
        kind, trust = _TAGS[tag]
        share = count / max(len(asked), 1)
        return {
            "name": name,
            "kind": kind,
            "confidence": round(trust * (0.5 + share / 2), 2),
            "reason": f"tag {tag}:{name} on {count} of {len(asked)} resources",
        }
    if found := _code_owner(facts, row["id"]):
        return found
    told = row["service"] and facts.value(
        "SELECT json_extract_string(lower(tags), '$.team') FROM resources "
        "WHERE uid = ? AND tags <> ''", ["service:" + row["service"]],
    )  # fmt: skip
    if told:
        return {"name": told, "kind": "team", "confidence": 0.85,
                "reason": f"the catalogue gives the service {row['service']} to {told}"}  # fmt: skip
    if row["team"]:
        return {
            "name": row["team"], "kind": "team", "confidence": 0.7,
            "reason": f"the team of what runs it: {row['service'] or row['live'] or row['resource']}",
        }  # fmt: skip
    return None


def _code_owner(facts: Facts, issue: str) -> dict[str, Any] | None:
    """Whom CODEOWNERS names for most of the files of an issue."""
    files = facts.rows(
        "SELECT f.resource, f.location, s.config FROM assessed a JOIN findings f ON f.id = a.id "
        "JOIN seen_resources s ON s.ref = f.resource AND starts_with(s.config, '{\"codeowners\"') "
        "WHERE a.issue = ? AND f.location <> '' ORDER BY f.id LIMIT ?", [issue, _MAX_FILES],
    )  # fmt: skip
    rules = {config: json.loads(config)["codeowners"] for _, _, config in files}
    votes: Counter[str] = Counter()
    reasons: dict[str, str] = {}
    for resource, location, config in files:
        owners, text = owners_of(rules[config], location)
        for name in owners[:1]:  # the first is asked first
            votes[name] += 1
            repository = resource.removeprefix("repo:")
            reasons.setdefault(name, f"CODEOWNERS of {repository} gives {text} to {name}")
    if not votes:
        return None
    name, count = max(votes.items(), key=lambda v: (v[1], v[0]))
    return {
        "name": name.removeprefix("@"),
        "kind": "team" if "/" in name else "person",
        "confidence": round(0.9 * (0.5 + count / len(files) / 2), 2),
        "reason": f"{reasons[name]} ({count} of {len(files)} files)",
    }
