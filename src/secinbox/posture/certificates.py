"""Roles that come out of AWS by certificates (IAM Roles Anywhere), without saying whose."""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.iam import escalation_of
from secinbox.iam.sessions import anywhere
from secinbox.posture._stating import Known, Rule, known_of
from secinbox.records import Finding
from secinbox.risks import Assessment

_ANY = Rule(
    "secinbox-iam-role-any-certificate", "Role may be assumed with any certificate of an authority",
    "Whatever the certificate authority issues, to whomever, opens the role from outside of AWS.",
    "Compare a field of the certificate in the role's trust policy (aws:PrincipalTag/x509Subject/CN, "
    "aws:PrincipalTag/x509SAN/DNS), and name the trust anchor in aws:SourceArn.",
    "required_privileges", "medium", "identity_risk",
)  # fmt: skip


def findings(assessment: Assessment) -> Iterator[Finding]:
    """One a role that an enabled profile gives to holders of whichever certificate."""
    known = known_of(assessment)
    escalation = escalation_of(assessment.estate)
    for profile in assessment.estate.of_type(anywhere.TYPE):
        for handed in escalation.handed.get(profile.uid, ()):
            role = escalation.world.principals.get(handed.role)
            if handed.let is not True or role is None:
                continue
            open_ = [h for h in anywhere.holders(escalation.world, role, profile)
                     if h.let is True and not h.pinned]  # fmt: skip
            if open_:
                name = profile.config.get("name") or profile.name
                lines = [f"{h.words}, through profile {name}" for h in open_]
                power, impact = _power(known, profile.uid, handed.role)
                yield known.state(_ANY, handed.role, [*lines, *power], impact=impact)


def _power(known: Known, profile: str, role: str) -> tuple[list[str], str]:
    """What sessions of the role through the profile can do, and what is lost with them."""
    name = role.split(":", 5)[-1]
    kept = [e for e in known.power(profile)
            if e.kind != "granted" and e.text.startswith(f"gives {name} to ")]  # fmt: skip
    kinds = {e.kind for e in kept}
    impact = (
        "critical" if kinds & {"administrator", "escalation"} else "high" if kinds else "medium"
    )
    return [e.text for e in kept[:1]], impact
