"""Roles that come out of AWS by certificates (IAM Roles Anywhere), without saying whose."""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.iam import escalation_of
from secinbox.iam.sessions import anywhere
from secinbox.posture._stating import Rule, known_of
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
                power, impact = known.session(profile.uid, handed.role)
                yield known.state(_ANY, handed.role, [*lines, *power[:1]], impact=impact)
