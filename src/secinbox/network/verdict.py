"""Answers with reasons: yes, no or unknown, joined by AND and OR without losing a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from secinbox.records import Evidence, RiskStatement

RISK = "public_accessibility"


@dataclass(frozen=True)
class Verdict:
    """`evidence` of a yes are routes and policies, of a no controls, of an unknown gaps."""

    value: str
    evidence: tuple[Evidence, ...] = ()

    def statement(self, resource: str) -> RiskStatement:
        return RiskStatement(
            resource=resource, risk=RISK, value=self.value, evidence=_unique(self.evidence)
        )


def yes(*evidence: Evidence) -> Verdict:
    return Verdict("yes", evidence)


def no(text: str, source: str = "", sources_allowed: str = "", ports: str = "") -> Verdict:
    """A control, by name, that makes it a no."""
    return Verdict(
        "no",
        (
            Evidence(
                kind="control",
                text=text,
                source=source,
                sources_allowed=sources_allowed,
                ports=ports,
            ),
        ),
    )


def unknown(text: str, source: str = "") -> Verdict:
    """What could not be looked at."""
    return Verdict("unknown", (Evidence(kind="gap", text=text, source=source),))


def either(verdicts: Iterable[Verdict]) -> Verdict:
    """Any way in is enough."""
    found = list(verdicts)
    if len(found) == 1:
        return found[0]
    for value in ("yes", "unknown", "no"):
        chosen = [v for v in found if v.value == value]
        if chosen:
            return Verdict(value, tuple(e for v in chosen for e in v.evidence))
    return unknown("nothing was looked at")


def both(verdicts: Iterable[Verdict]) -> Verdict:
    """All gates must be open; one closed gate settles it, whatever is unknown beside it."""
    found = list(verdicts)
    if len(found) == 1:
        return found[0]
    for value in ("no", "unknown"):
        chosen = [v for v in found if v.value == value]
        if chosen:
            return Verdict(value, tuple(e for v in chosen for e in v.evidence))
    return Verdict("yes", tuple(e for v in found for e in v.evidence))


def _unique(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    seen: set[tuple[object, ...]] = set()
    out = []
    for item in evidence:
        key = (item.kind, item.text, item.source, item.steps, item.ports)
        if key not in seen:
            seen.add(key)
            out.append(item)
    return tuple(out)
