"""Who owns an issue, as far as tags and the service catalogue say: with confidence and reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from secinbox.facts.store import Facts

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
