"""Who takes a role on, in words: callers that were read, and whom the trust names besides."""

from __future__ import annotations

from typing import Any

import pytest

from secinbox.iam.privilege import privilege
from tests.accounts import USER, A, Account, allow, aws, deny, service
from tests.accounts import B as OTHER

ROLE = f"arn:aws:iam::{A}:role/app"
HUB = "token.actions.githubusercontent.com"
ASSUMES = allow("sts:AssumeRole", ROLE)


def told(account: Account, role: str = ROLE) -> str:
    (found,) = (s for s in privilege(account.estate()) if s.resource == role)
    lines = [e.text for e in found.evidence if e.kind == "granted" and "taken on" in e.text]
    lines += [e.text for e in found.evidence if e.kind == "granted" and "takes it on" in e.text]
    (line,) = lines
    return line


def trust(principal: Any, effect: str = "Allow", **condition: Any) -> dict[str, Any]:
    found = {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole"}
    return found | ({"Condition": condition} if condition else {})


def root(account: str) -> str:
    return f"arn:aws:iam::{account}:root"


CASES: list[tuple[str, list[Any], list[Any], str]] = [
    ("the account, and a caller that may", aws(root(A)), [ASSUMES], "taken on by user ana"),
    ("a caller that may not", aws(root(A)), [allow("s3:*")], "taken on by nobody but administrators"),
    ("a caller that is denied", aws(root(A)), [ASSUMES, deny("sts:*")], "taken on by nobody but administrators"),
    ("named itself", aws(USER), [], "taken on by user ana"),
    ("under a condition that nobody knows", aws(root(A), StringEquals={"aws:SourceVpc": "vpc-1"}), [ASSUMES],
     "taken on by perhaps user ana"),
    ("with a second factor", aws(root(A), Bool={"aws:MultiFactorAuthPresent": "true"}), [ASSUMES],
     "taken on by perhaps user ana"),
    ("a service", service("ec2.amazonaws.com"), [], "taken on by service ec2.amazonaws.com"),
    ("a service for one account", service("lambda.amazonaws.com", StringEquals={"aws:SourceAccount": A}), [],
     f"taken on by service lambda.amazonaws.com (if aws:sourceaccount StringEquals {A})"),
    ("an account that nobody read", aws(root("999988887777")), [],
     "taken on by account 999988887777, which was not read"),
    ("with an external id", aws("999988887777", StringEquals={"sts:ExternalId": "x"}), [],
     "taken on by account 999988887777, which was not read (if sts:externalid StringEquals x)"),
    ("somebody of it", aws("arn:aws:iam::999988887777:role/ci"), [],
     "taken on by arn:aws:iam::999988887777:role/ci, which was not read"),
    ("somebody who is gone", aws(f"arn:aws:iam::{A}:role/gone"), [], "taken on by nobody but administrators"),
    ("anybody", aws("*"), [], "taken on by anybody of AWS"),
    ("anybody of an organisation", aws("*", StringEquals={"aws:PrincipalOrgID": "o-1"}), [],
     "taken on by perhaps user ana, anybody (if aws:principalorgid StringEquals o-1)"),
    ("workflows", [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
                    "Principal": {"Federated": f"arn:aws:iam::{A}:oidc-provider/{HUB}"},
                    "Condition": {"StringLike": {f"{HUB}:sub": "repo:acme/*"}}}], [],
     f"taken on by oidc-provider/{HUB} (if {HUB}:sub StringLike repo:acme/*)"),
    ("everybody but one", [{"Effect": "Allow", "Action": "sts:AssumeRole", "NotPrincipal": {"AWS": USER}}], [],
     f"taken on by everybody but {USER}"),
    ("several", [*aws(USER), *service("ec2.amazonaws.com"), *service("ssm.amazonaws.com")], [],
     "taken on by user ana, service ec2.amazonaws.com, service ssm.amazonaws.com"),
    ("unreadable", [{"Effect": "Perhaps"}], [], "somebody whom an unreadable statement names"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "trusted", "mine", "wanted"), CASES, ids=[c[0] for c in CASES])
def test_who_takes_a_role_on(why: str, trusted: list[Any], mine: list[Any], wanted: str) -> None:
    account = Account().user("ana", *mine, keys=1).role("app", trusted, allow("s3:GetObject"))
    if wanted.startswith("taken"):
        assert told(account) == wanted
    else:
        assert wanted in told(account)


def test_a_trust_that_nobody_read() -> None:
    account = Account().role("app", aws(USER))
    del account.items[-1].config["AssumeRolePolicyDocument"]
    assert told(account) == "who takes it on: its trust policy was not read"


def test_callers_of_another_account_that_was_read() -> None:
    far = f"arn:aws:iam::{OTHER}:user/bob"
    account = Account().role("app", aws(root(OTHER)), allow("s3:GetObject"))
    account.user("bob", ASSUMES, account=OTHER).user("eve", allow("*"), account=OTHER)
    assert told(account) == (
        f"taken on by user bob of account {OTHER}, administrators of account {OTHER}"
    )
    narrow = Account().role("app", aws(far), allow("s3:GetObject"))
    narrow.user("bob", ASSUMES, account=OTHER).user("eve", ASSUMES, account=OTHER)
    assert told(narrow) == f"taken on by user bob of account {OTHER}"


def test_many_callers_are_counted() -> None:
    account = Account().role("app", aws(root(A)), allow("s3:GetObject"))
    account.role("other", aws(root(A)), allow("s3:GetObject"))
    for number in range(7):
        account.user(f"u{number}", allow("sts:AssumeRole"))
    wanted = "taken on by user u0, user u1, user u2, user u3, 3 more identities"
    assert told(account) == told(account, f"arn:aws:iam::{A}:role/other") == wanted


def test_the_line_is_no_reason_of_a_value() -> None:
    account = Account().user("ana").role("app", aws("*"), allow("s3:GetObject"))
    found = {s.resource: s for s in privilege(account.estate())}[ROLE]
    assert found.value == "no"
    assert {e.kind for e in found.evidence} == {"control", "granted"}
