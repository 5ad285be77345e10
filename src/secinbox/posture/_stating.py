"""What the subjects share: a rule as data, the severity matrix, and the computed risks they rest on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from secinbox.facts.derived import observed
from secinbox.records import Evidence, Finding
from secinbox.risks import Assessment

# Rows: improbable, possible, probable, highly probable; columns: low, medium, high, critical.
_MATRIX = (
    ("low", "low", "medium", "medium"),
    ("low", "medium", "high", "high"),
    ("medium", "high", "high", "critical"),
    ("medium", "high", "critical", "critical"),
)
LIKELIHOODS = ("required_privileges", "vulnerability", "no_authorization")
IMPACTS = ("low", "medium", "high", "critical")


def severity(likelihood: str, impact: str, public: bool) -> str:
    """The word of the severity matrix; a public resource is one step likelier."""
    row = LIKELIHOODS.index(likelihood) + (1 if public else 0)
    return _MATRIX[row][IMPACTS.index(impact)]


@dataclass(frozen=True)
class Rule:
    """One statement that can be made. `canonical`: the same check of other tools, where certain.

    The name is the check's in Prowler's catalogue, which is public and the widest; connectors of
    other tools map theirs to it.
    """

    id: str
    title: str
    harm: str
    remedy: str
    likelihood: str
    impact: str
    type: str = "misconfiguration"
    canonical: str = ""


class Known:
    """What the detected risks have computed, by resource."""

    def __init__(self, assessment: Assessment) -> None:
        self.facts = assessment.facts
        self.when: datetime | None = observed(assessment.facts)
        self._public = self._values("public_accessibility")
        self._power = self._values("privileged_access")

    def _values(self, risk: str) -> dict[str, tuple[Evidence, ...]]:
        rows = self.facts.rows(
            "SELECT v.subject, v.evidence FROM risk_values v JOIN resources r ON r.uid = v.subject "
            "WHERE v.risk = ? AND v.value = 1 AND r.inventoried ORDER BY v.subject",
            [risk],
        )
        decode = msgspec.json.Decoder(tuple[Evidence, ...]).decode
        return {
            uid: kept
            for uid, text in rows
            if (
                kept := tuple(e for e in decode(text) if e.kind not in ("stated", "control", "gap"))
            )
        }

    def public(self, uid: str) -> tuple[Evidence, ...]:
        """Why it is publicly accessible; empty when it is not, or only somebody says so."""
        return self._public.get(uid, ())

    def power(self, uid: str) -> tuple[Evidence, ...]:
        """Why it has privileged access; empty when it has not."""
        return self._power.get(uid, ())

    def exposed(self) -> Mapping[str, tuple[Evidence, ...]]:
        return self._public

    def powerful(self) -> Mapping[str, tuple[Evidence, ...]]:
        return self._power

    def impact_of(self, uid: str, least: str = "low") -> str:
        """What is lost with an identity: its account, many resources, or what it touches."""
        kinds = {e.kind for e in self.power(uid)}
        if kinds & {"administrator", "escalation"}:
            return "critical"
        if kinds:
            return "high"
        return least

    def session(self, giver: str, role: str) -> tuple[list[str], str]:
        """What sessions of a role that something hands out can do, and what is lost with them."""
        begin = f"gives {role.split(':', 5)[-1]} to "
        kept = [e for e in self.power(giver) if e.kind != "granted" and e.text.startswith(begin)]
        kinds = {e.kind for e in kept}
        if kinds & {"administrator", "escalation"}:
            return [e.text for e in kept], "critical"
        return [e.text for e in kept], "high" if kinds else "medium"

    def state(self, rule: Rule, uid: str, evidence: Iterable[str], **changes: Any) -> Finding:
        """The finding: harm first, then what shows it."""
        rule = replace(rule, **changes) if changes else rule
        shown = [t for t in dict.fromkeys(evidence) if t]
        text = rule.harm
        if shown:
            text += "\n\n" + "\n".join(f"- {t}" for t in shown[:6])
            if len(shown) > 6:
                text += f"\n- and {len(shown) - 6} more"
        return Finding(
            type=rule.type,
            resource=uid,
            rule=rule.id,
            canonical_rule=rule.canonical,
            title=rule.title,
            severity=severity(rule.likelihood, rule.impact, bool(self.public(uid))),
            description=text,
            remediation=rule.remedy,
            likelihood=rule.likelihood,
            impact=rule.impact,
            first_seen=self.when,
        )


def known_of(assessment: Assessment) -> Known:
    """What the risks say, read once an assessment."""
    return assessment.estate.once("known risks", lambda: Known(assessment))


def texts(evidence: Iterable[Evidence]) -> list[str]:
    """Evidence as lines, with the route where there is one."""
    out = []
    for item in evidence:
        route = f" ({' → '.join(item.steps)})" if item.kind == "route" and item.steps else ""
        out.append(item.text + route)
    return out
