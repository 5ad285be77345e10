"""Roles that nobody takes on, and permissions that nobody uses, where AWS knows the last use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from secinbox.estate import Item
from secinbox.inventory.aws.calls import walk
from secinbox.posture._stating import Known, Rule, known_of
from secinbox.posture._times import age_in_days, moment
from secinbox.records import Finding
from secinbox.risks import Assessment

_UNUSED = 90
_ROLE = Rule(
    "secinbox-iam-role-unused", f"Role has not been used for {_UNUSED} days",
    "Whoever can still take it on has what it may do, and nobody would notice.",
    "Delete the role, or take its policies away until it is needed again.",
    "required_privileges", "low", "identity_risk",
)  # fmt: skip
_GAP = Rule(
    "secinbox-iam-permissions-unused", "Most of what it may do was never used",
    "Permissions that nothing uses only serve somebody who takes the identity over.",
    "Replace the policies by ones with the services that were used; the last-accessed data of AWS "
    "and the policy generator of Access Analyzer name them.",
    "required_privileges", "low", "identity_risk",
)  # fmt: skip
_MANY = 10  # below this the services of a policy are few enough to be meant
_SHARE = 0.8


def findings(assessment: Assessment) -> Iterator[Finding]:
    """Everything is measured as of when the inventory was read."""
    known = known_of(assessment)
    if known.when is None:
        return
    for item in assessment.estate.of_type("aws_iam_role"):
        if not str(item.config.get("Path") or "/").startswith(("/aws-service-role/",
                                                               "/aws-reserved/")):  # fmt: skip
            yield from _role(known, item, known.when)
            yield from _unused(known, item)
    for item in assessment.estate.of_type("aws_iam_user"):
        yield from _unused(known, item)


def _role(known: Known, item: Item, when: datetime) -> Iterator[Finding]:
    last = item.config.get("RoleLastUsed")
    if not isinstance(last, dict):
        return  # nobody asked: list_roles does not say
    used, made = moment(last.get("LastUsedDate")), moment(item.config.get("CreateDate"))
    since = used or made
    if since is None or when - since <= timedelta(days=_UNUSED):
        return
    # AWS looks back 400 days: a role without a date may be older than that.
    shown = (
        f"last used {age_in_days(used, when)} days before"
        if used
        else f"made {age_in_days(made, when)} days before, no use known"
    )
    power = [e.text for e in known.power(item.uid)[:1]]
    yield known.state(_ROLE, item.uid, [shown, *power], impact=known.impact_of(item.uid))


def _unused(known: Known, item: Item) -> Iterator[Finding]:
    services = [
        s
        for s in walk(item.config, "get_service_last_accessed_details.ServicesLastAccessed[]")
        if isinstance(s, dict) and s.get("ServiceNamespace")
    ]
    used = [str(s["ServiceNamespace"]) for s in services if s.get("LastAuthenticated")]
    # Where nothing at all was used the identity is forgotten, which is said elsewhere.
    if len(services) < _MANY or not used or len(used) > (1 - _SHARE) * len(services):
        return
    unused = sorted(str(s["ServiceNamespace"]) for s in services if not s.get("LastAuthenticated"))
    yield known.state(_GAP, item.uid, [
        f"used {len(used)} of {len(services)} services: {', '.join(sorted(used)[:8])}",
        f"never used: {', '.join(unused[:12])}{' …' if len(unused) > 12 else ''}",
    ], impact=known.impact_of(item.uid))  # fmt: skip
