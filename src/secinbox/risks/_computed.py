"""Values that an analysis of the inventory computes, and what tools state where it cannot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from secinbox.records import RiskStatement
from secinbox.risks import Assessment

_NUMBER = {"yes": 1, "no": 0, "unknown": None}


def store(assessment: Assessment, risk: str, statements: Iterable[RiskStatement]) -> None:
    """Writes computed values; then what tags and tools state of resources that have none."""
    import pyarrow as pa

    con = assessment.facts.con
    best: dict[str, tuple[int, RiskStatement]] = {}
    for statement in _until_failure(assessment, risk, statements):
        weight = {"yes": 2, "unknown": 1, "no": 0}[statement.value]
        known = best.get(statement.resource)
        if known is None or weight > known[0]:
            best[statement.resource] = (weight, statement)
    rows = [s for _, s in best.values()]
    batch = pa.table(
        {
            "subject": pa.array([s.resource for s in rows], pa.string()),
            "value": pa.array([_NUMBER[s.value] for s in rows], pa.int8()),
            "evidence": pa.array(
                [msgspec.json.encode(s.evidence).decode() for s in rows], pa.string()
            ),
        }
    )
    con.register("batch", batch)
    con.execute(
        f"INSERT INTO risk_values SELECT coalesce(n.uid, subject), '{risk}', value, evidence "
        f"FROM batch LEFT JOIN names n ON n.ref = subject"
    )
    con.unregister("batch")
    con.execute(
        f"""
        INSERT INTO risk_values
        SELECT uid, '{risk}', CASE stated WHEN 'yes' THEN 1 WHEN 'no' THEN 0 END,
               to_json([struct_pack(kind := 'stated',
                 text := 'a tool or the inventory states it: ' || stated)])
        FROM (SELECT uid, json_extract_string(states, '$.{risk}') AS stated FROM resources
              WHERE states <> '') r
        WHERE stated IN ('yes', 'no') AND uid NOT IN (
            SELECT subject FROM risk_values WHERE risk = '{risk}' AND value IS NOT NULL)
        """
    )


def _until_failure(
    assessment: Assessment, risk: str, statements: Iterable[RiskStatement]
) -> Iterator[RiskStatement]:
    """The statements; an analysis that fails ends them, and what it did not reach is unknown.

    One malformed configuration must not take the whole inbox away. `doctor` tells the failure.
    """
    failure = ""
    try:
        yield from statements
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"[:500]
    assessment.facts.set_meta(f"failed:{risk}", failure)


def not_asked(assessment: Assessment, risk: str, types: tuple[str, ...], why: str) -> None:
    """A plain no for inventoried resources of types for which the risk is no question."""
    assessment.facts.con.execute(
        f"""
        INSERT INTO risk_values
        SELECT r.uid, '{risk}', 0, to_json([struct_pack(kind := 'control',
               text := replace(r.type, '_', ' ') || ': {why}', source := r.uid)])
        FROM resources r
        WHERE r.inventoried AND list_contains(?, r.type)
          AND r.uid NOT IN (SELECT subject FROM risk_values
                            WHERE risk = '{risk}' AND value IS NOT NULL)
        """,
        [list(types)],
    )
