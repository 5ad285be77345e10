"""The estate (whole configurations in memory) out of the fact store."""

from __future__ import annotations

import json

from secinbox.estate import Estate, Item
from secinbox.facts.store import Facts


def kept_estate(facts: Facts) -> Estate:
    """The estate, and what analyses keep with it, of the last call while the inventory is the same.

    A process that ranks again after a new finding neither reads the inventory again nor asks anew
    who may do what.
    """
    key = _state(facts)
    if facts.kept is None or facts.kept[0] != key:
        facts.kept = (key, load_estate(facts))
    found: Estate = facts.kept[1]
    return found


def _state(facts: Facts) -> str:
    """What the inventory says, as a short text: changes whenever load_estate would."""
    parts = facts.rows(
        """
        SELECT count(*), bit_xor(hash(ref, tool, type, name, provider, account, region, tags,
                                      config, observed)) FROM seen_resources WHERE trust >= 2
        UNION ALL
        SELECT count(*), bit_xor(hash(ref, uid)) FROM names
        WHERE uid IN (SELECT uid FROM resources WHERE inventoried)
        UNION ALL SELECT count(*), bit_xor(hash(source, kind, target, tool)) FROM relations
        UNION ALL SELECT count(*), bit_xor(hash(key, type, tool)) FROM coverage
        """
    )
    return repr(sorted(parts))


def load_estate(facts: Facts) -> Estate:
    """All inventoried resources with merged configuration, relations and coverage."""
    estate = Estate()
    if not facts.value("SELECT count(*) FROM seen_resources WHERE trust >= 2 AND config <> ''"):
        return estate  # names and tags alone give nothing to analyse
    for ref, kind, name, provider, account, region, tags, config in facts.rows(
        """
        SELECT coalesce(n.uid, s.ref), type, name, provider, account, region, tags, config
        FROM seen_resources s LEFT JOIN names n ON n.ref = s.ref
        WHERE trust >= 2
        ORDER BY 1, observed, config, contains(name, ':'), name, type, account, region, tags
        """
    ):
        estate.add(
            Item(
                uid=ref, type=kind, name=name, provider=provider, account=account, region=region,
                tags=json.loads(tags) if tags else {}, config=json.loads(config) if config else {},
            )
        )  # fmt: skip
    for ref, uid in facts.rows("SELECT ref, uid FROM names"):
        item = estate.items.get(uid)
        if item is not None:
            estate.add(item, [ref])
    for source, kind, target in facts.rows(
        """
        SELECT DISTINCT coalesce(a.uid, r.source), r.kind, coalesce(b.uid, r.target)
        FROM relations r LEFT JOIN names a ON a.ref = r.source LEFT JOIN names b ON b.ref = r.target
        """
    ):
        estate.relate(source, kind, target)
    estate.covered = {row[0] for row in facts.rows("SELECT key FROM coverage WHERE type = ''")}
    return estate
