"""Azure and Google Cloud: keys and secrets that live too long, and trust that is open to everyone.

Canonical names are checks of Prowler, where the two say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from secinbox.network.azure.identities import APPLICATION, MANAGED
from secinbox.posture._stating import Known, Rule, known_of, texts
from secinbox.posture._times import age_in_days, moment
from secinbox.records import Finding
from secinbox.risks import Assessment

_MAX_AGE = 90
_MAX_LIFE = 730
_OLD_KEY = Rule(
    "secinbox-gcp-key-old", f"Key of a service account is older than {_MAX_AGE} days",
    "The longer a key lives, the more places it lies in: laptops, build logs, backups.",
    "Use workload identity or impersonation; else replace the key and delete this one.",
    "vulnerability", "medium", type="identity_risk",
    canonical="iam_sa_user_managed_key_rotate_90_days",
)  # fmt: skip
_LONG_SECRET = Rule(
    "secinbox-entra-secret-long", "Secret of an application is valid for more than two years",
    "Whoever finds it can use it long after everybody has forgotten it.",
    "Use a federated credential or a managed identity; else a secret of months.",
    "vulnerability", "medium", type="identity_risk",
)  # fmt: skip
_OPEN_TRUST = Rule(
    "secinbox-federation-open", "Service account trusts everyone of a public issuer",
    "Anybody with an account there may act as the service account, from a repository of his own.",
    "Give the provider a condition on your organisation, and bind a repository, not the pool.",
    "no_authorization", "high", type="identity_risk",
)  # fmt: skip


_OPEN_CREDENTIAL = Rule(
    "secinbox-entra-federation-open", "Federated credential takes everyone of a public issuer",
    "Anybody with an account there may act as the identity, from a repository of his own.",
    "Name your organisation and repository in the subject, whole.",
    "no_authorization", "high", type="identity_risk",
)  # fmt: skip


def findings(assessment: Assessment) -> Iterator[Finding]:
    """Everything is measured as of when the inventory was read."""
    known = known_of(assessment)
    if known.when is not None:
        yield from _keys(assessment, known, known.when)
        yield from _secrets(assessment, known, known.when)
    for item in assessment.estate.of_type("gcp_iam_service_account"):
        found = [
            e for e in known.public(item.uid) if e.steps and e.steps[0].startswith("Anyone at")
        ]
        if found:
            yield known.state(_OPEN_TRUST, item.uid, texts(found), impact=known.impact_of(item.uid))
    for item in assessment.estate.of_type(MANAGED, APPLICATION):
        open_ = known.public(item.uid)
        if open_:
            yield known.state(
                _OPEN_CREDENTIAL, item.uid, texts(open_), impact=known.impact_of(item.uid)
            )


def _keys(assessment: Assessment, known: Known, when: datetime) -> Iterator[Finding]:
    old: dict[str, list[str]] = {}
    for item in assessment.estate.of_type("gcp_iam_service_account_key"):
        config = item.config
        if (
            config.get("keyType", "USER_MANAGED") != "USER_MANAGED"
            or config.get("disabled") is True
        ):
            continue
        ends = moment(config.get("validBeforeTime"))
        age = age_in_days(moment(config.get("validAfterTime")), when) or 0
        if age > _MAX_AGE and (ends is None or ends > when):
            account = assessment.estate.find(item.uid.partition("/keys/")[0])
            if account is not None:
                old.setdefault(account.uid, []).append(f"{item.name[:12]} is {age} days old")
    for uid, lines in sorted(old.items()):
        yield known.state(_OLD_KEY, uid, lines, impact=known.impact_of(uid, "medium"))


def _secrets(assessment: Assessment, known: Known, when: datetime) -> Iterator[Finding]:
    for item in assessment.estate.of_type("entra_application"):
        rows = item.config.get("passwordCredentials")
        lines = []
        for row in rows if isinstance(rows, list) else ():
            start = moment(row.get("startDateTime")) if isinstance(row, dict) else None
            end = moment(row.get("endDateTime")) if isinstance(row, dict) else None
            if (
                start is not None
                and end is not None
                and end > when
                and (end - start).days > _MAX_LIFE
            ):
                lines.append(
                    f"{row.get('displayName') or 'a secret'} is valid for {(end - start).days} days"
                )
        if lines:
            yield known.state(_LONG_SECRET, item.uid, lines, impact=known.impact_of(item.uid))
