"""The estate (whole configurations in memory) out of the fact store."""

from __future__ import annotations

import json

from secinbox.estate import Estate, Item
from secinbox.facts.store import Facts


def load_estate(facts: Facts) -> Estate:
    """All inventoried resources with merged configuration, relations and coverage."""
    estate = Estate()
    if not facts.value("SELECT count(*) FROM seen_resources WHERE trust >= 2 AND config <> ''"):
        return estate  # names and tags alone give nothing to analyse
    for ref, kind, name, provider, account, region, tags, config in facts.rows(
        """
        SELECT coalesce(n.uid, s.ref), type, name, provider, account, region, tags, config
        FROM seen_resources s LEFT JOIN names n ON n.ref = s.ref
        WHERE trust >= 2 ORDER BY 1, observed, config
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
