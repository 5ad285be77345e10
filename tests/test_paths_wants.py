"""Small estates, what an attacker gets to in each, and look-alikes in which one link is cut.

The answers were written down from the vendors' documentation before anything was computed.
"""

from __future__ import annotations

import pytest

from tests.answers import (
    EC2,
    LAMBDA,
    Answers,
    B,
    Row,
    allow,
    deny,
    machine,
    role_arn,
    root,
    trusted,
)
from tests.scenes import A, R

BUCKET, SECRET = "arn:aws:s3:::data", f"arn:aws:secretsmanager:{R}:{A}:secret:token-AbCdEf"
KEY = f"arn:aws:kms:{R}:{A}:key/k1"
READS = allow("s3:GetObject", f"{BUCKET}/*")
GETS = allow("secretsmanager:GetSecretValue")
ANA = "accesskey:AKIAEXAMPLE000000001"
Case = tuple[Answers, str, str]  # the estate, where a path may end, whether one does


def web(*statements: Row, trust: Row = EC2) -> Answers:
    """A weak machine on the Internet that runs as a role with these statements."""
    found = Answers().instance("web", "app").role("app", trust, *statements)
    return found.weakness(machine("web"))


def guarded(
    *statements: Row, policy: tuple[Row, ...] = (), grants: list[Row] | None = None
) -> Answers:
    """The same, and a secret under a key of the customer's own."""
    return web(*statements).secret("token", KEY).key("k1", *policy, grants=grants)


def chain(trust: Row, *statements: Row) -> Answers:
    """The same, and an administrator's role in another account."""
    asks = statements or (allow("sts:AssumeRole", role_arn("deploy", B)),)
    return web(*asks).role("deploy", trust, allow("*"), account=B)


def grant(*operations: str, who: str = role_arn("app"), **more: Row) -> list[Row]:
    return [{"GrantId": "g", "GranteePrincipal": who, "Operations": list(operations), **more}]


ONLY_ENCRYPT = {"ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt"]}}
OF_AWS = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
OTHERS = {**allow("kms:*"), "Principal": {"AWS": role_arn("other")}}
STOPS = {**deny("kms:Decrypt"), "Principal": {"AWS": role_arn("app")}}
OWN = {**allow("kms:*"), "Principal": {"AWS": root()}}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
NAMED = {"StringLike": {"sts:SourceIdentity": "*"}}

IDENTITIES: dict[str, Case] = {
    "a machine's role reads a bucket": (web(READS).bucket(), BUCKET, "yes"),
    "from an office's addresses only": (
        web(allow("s3:GetObject", IpAddress={"aws:SourceIp": "203.0.113.0/24"})).bucket(), BUCKET, "possible"),
    "with a second factor only": (web(allow("s3:GetObject", **MFA)).bucket(), BUCKET, "no"),
    "the role trusts another service": (web(READS, trust=LAMBDA).bucket(), BUCKET, "no"),
    "a role of another account": (chain(trusted(root())), root(B), "yes"),
    "with a second factor that machines never have": (chain(trusted(root(), **MFA)), root(B), "no"),
    "with a source identity that nobody may give": (chain(trusted(root(), **NAMED)), root(B), "no"),
    "with a source identity that both sides let it give": (
        chain({**trusted(root(), **NAMED), "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]},
              allow(["sts:AssumeRole", "sts:SetSourceIdentity"])), root(B), "yes"),
    "the caller may not give one": (
        chain({**trusted(root(), **NAMED), "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]}), root(B), "no"),
}  # fmt: skip

KEYS: dict[str, Case] = {
    "no right to the key": (guarded(GETS), SECRET, "no"),
    "decrypts": (guarded(GETS, allow("kms:Decrypt", KEY)), SECRET, "yes"),
    "the key does not let the account decide": (
        guarded(GETS, allow("kms:Decrypt", KEY), policy=(OTHERS,)), SECRET, "no"),
    "gives itself a grant": (guarded(GETS, allow("kms:CreateGrant", KEY)), SECRET, "yes"),
    "grants for AWS's own resources only": (guarded(GETS, allow("kms:CreateGrant", KEY, **OF_AWS)), SECRET, "no"),
    "grants of other operations only": (guarded(GETS, allow("kms:CreateGrant", KEY, **ONLY_ENCRYPT)), SECRET, "no"),
    "a grant where decrypting is denied": (
        guarded(GETS, allow("kms:CreateGrant", KEY), deny("kms:Decrypt")), SECRET, "no"),
    "a grant where the key's policy denies": (
        guarded(GETS, allow("kms:CreateGrant", KEY), policy=(OWN, STOPS)), SECRET, "no"),
    "rewrites the key's policy": (guarded(GETS, allow("kms:PutKeyPolicy", KEY), policy=(OWN, STOPS)), SECRET, "yes"),
    "rewrites it where its own policies deny": (
        guarded(GETS, allow("kms:PutKeyPolicy", KEY), deny("kms:Decrypt")), SECRET, "no"),
    "has a grant": (guarded(GETS, grants=grant("Decrypt")), SECRET, "yes"),
    "has a grant to encrypt": (guarded(GETS, grants=grant("Encrypt")), SECRET, "no"),
    "another has a grant": (guarded(GETS, grants=grant("Decrypt", who=role_arn("other"))), SECRET, "no"),
    "has a grant in some context": (guarded(GETS, grants=grant(
        "Decrypt", Constraints={"EncryptionContextEquals": {"SecretARN": SECRET}})), SECRET, "possible"),
}  # fmt: skip


@pytest.mark.parametrize("case", IDENTITIES)
def test_identities(case: str) -> None:
    made, target, wanted = IDENTITIES[case]
    assert made.ends_at(target) == wanted


@pytest.mark.parametrize("case", KEYS)
def test_keys(case: str) -> None:
    made, target, wanted = KEYS[case]
    assert made.ends_at(target) == wanted
