"""Who may become a role: any AWS principal, anybody's workload at a shared issuer, other accounts."""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.arn import parse_arn
from secinbox.estate import Estate, Item
from secinbox.iam.policy import Statement, parse
from secinbox.posture._stating import IMPACTS, Rule, known_of, texts
from secinbox.records import Finding
from secinbox.risks import Assessment

_ANY = Rule(
    "secinbox-iam-role-public", "Role may be assumed by any AWS principal",
    "Anyone with an AWS account of their own may take the role on and do all that it may.",
    "Name the accounts or roles in the trust policy's Principal, or add a condition on "
    "aws:PrincipalOrgID.",
    "no_authorization", "medium", "identity_risk",
)  # fmt: skip
_ISSUER = Rule(
    "secinbox-iam-role-any-workload", "Role may be assumed from anyone's repository or workload",
    "The issuer gives tokens to all its customers, and the trust policy does not say whose are "
    "meant: anyone with an account there takes the role on.",
    "Pin the token's subject to your own organisation, repository and branch "
    "(StringEquals on the `sub` claim).",
    "no_authorization", "medium", "identity_risk",
)  # fmt: skip
_GUESTS = Rule(
    "secinbox-iam-role-guests", "Role is given to guests of an identity pool",
    "Anyone asks the pool for credentials of the role, without signing in.",
    "Turn guests off in the identity pool, or give them a role with the actions that a visitor needs; "
    "turn the classic flow off, which gives the role uncut.",
    "no_authorization", "medium", "identity_risk",
)  # fmt: skip
_FOREIGN = Rule(
    "secinbox-iam-role-foreign-account", "Role is trusted to an account that is not yours",
    "What happens to the other account happens to this role; a service provider that acts for "
    "many customers can be made to act for the wrong one.",
    "Take the account out of the trust policy if it is not known. For a service provider, ask for "
    "sts:ExternalId; for an account of your own, include it in the inventory.",
    "required_privileges", "medium", "identity_risk",
)  # fmt: skip
# With one of these the trust says for whom it is, or who in the other account is meant.
_NARROWED = ("sts:externalid", "aws:principalorgid", "aws:principalorgpaths", "aws:sourceaccount",
             "aws:sourceorgid", "aws:resourceorgid")  # fmt: skip


def findings(assessment: Assessment) -> Iterator[Finding]:
    """For each role at most one finding a kind of stranger."""
    known = known_of(assessment)
    estate = assessment.estate
    own = _own_accounts(estate)
    for item in estate.of_type("aws_iam_role"):
        if str(item.config.get("Path") or "/").startswith(("/aws-service-role/", "/aws-reserved/")):
            continue
        shown = [e for e in known.public(item.uid) if e.kind == "policy"]
        impact = known.impact_of(item.uid, "medium")
        power = texts(known.power(item.uid))[:1]
        pooled = [e for e in shown if e.via]
        for rule, federated in ((_ANY, False), (_ISSUER, True)):
            kept = [e for e in shown
                    if not e.via and ("WebIdentity" in " ".join(e.steps)) is federated]  # fmt: skip
            if kept:
                yield known.state(rule, item.uid, texts(kept) + power, impact=impact)
        if pooled:
            # The session of a guest may be less than the role.
            given = [known.session(via, item.uid) for e in pooled for via in e.via]
            lines = [t for found, _ in given for t in found[:1]]
            worst = max((i for _, i in given), key=IMPACTS.index)
            yield known.state(_GUESTS, item.uid, texts(pooled) + lines, impact=worst)
        foreign = list(_foreign(item, own))
        if foreign:
            yield known.state(_FOREIGN, item.uid, foreign + power, impact=impact)


def _own_accounts(estate: Estate) -> set[str]:
    """Accounts that were read, and those of the organisation."""
    own = {i.account for i in estate.of_type("aws_iam_role", "aws_iam_user") if i.config}
    for item in estate.of_type("aws_account", "aws_organizations_account"):
        if item.account or item.config.get("Id"):
            own |= {item.account, str(item.config.get("Id") or "")}
    for uid in estate.items:
        if uid.endswith(":root") and uid.startswith("arn:"):
            own.add(uid.split(":")[4])
    return own - {""}


def _foreign(item: Item, own: set[str]) -> Iterator[str]:
    document = item.config.get("AssumeRolePolicyDocument")
    if document is None or not own:
        return
    for statement in parse(document, "trust policy").statements:
        if statement.effect != "Allow" or not statement.about("sts:assumerole"):
            continue
        if any(key in _NARROWED for key in statement.keys):
            continue
        accounts = sorted({a for a in _accounts(statement) if a not in own})
        if accounts:
            yield f"trusts {', '.join(accounts)}: {statement.text}"


def _accounts(statement: Statement) -> Iterator[str]:
    for kind, value in statement.principals or ():
        if kind != "AWS":
            continue
        parts = parse_arn(value)
        if value.isdigit() and len(value) == 12:
            yield value
        elif parts is not None and parts.account.isdigit():
            yield parts.account
