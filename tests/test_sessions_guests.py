"""Guests of Cognito identity pools: what the session of the enhanced flow leaves of the role."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from secinbox.estate import estate_of
from secinbox.iam import privilege
from secinbox.network import exposure
from secinbox.paths import routes
from secinbox.paths.world import World
from secinbox.records import RiskStatement
from secinbox.session import Session
from tests.accounts import A, R, allow
from tests.conftest import CLOCK
from tests.handing import IAM, Said, arn, estate, records, role, roles
from tests.test_posture import Home

POOL = f"{R}:11111111-2222-3333-4444-555555555555"
UID = arn("cognito-identity", f"identitypool/{POOL}")
COGNITO = "cognito-identity.amazonaws.com"
ROLE = f"{IAM}role/guest"
ALL = allow("*")
BUCKET: list[Said] = [
    ("s3.list_buckets", {"Buckets": [{"Name": "x", "CreationDate": "2026-01-01"}]}, {}),
    ("s3.get_bucket_tagging", {"TagSet": [{"Key": "data_class", "Value": "restricted"}]}, {"Bucket": "x"}),
    ("s3.get_bucket_policy", {"Error": {"Code": "NoSuchBucketPolicy"}}, {"Bucket": "x"}),
]  # fmt: skip


def trust(amr: str = "unauthenticated", pool: str = POOL) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": COGNITO},
            "Condition": {"StringEquals": {f"{COGNITO}:aud": pool},
                          "ForAnyValue:StringLike": {f"{COGNITO}:amr": amr}}}  # fmt: skip


def pool(given: Any = ROLE, **more: Any) -> list[Said]:
    described = {"IdentityPoolId": POOL, "IdentityPoolName": "shop", "AllowUnauthenticatedIdentities": True,
                 "AllowClassicFlow": False, **more}  # fmt: skip
    asked = {"IdentityPoolId": POOL}
    said: list[Said] = [
        ("cognito-identity.list_identity_pools", {"IdentityPools": [
            {"IdentityPoolId": POOL, "IdentityPoolName": "shop"}]}, {}),
        ("cognito-identity.describe_identity_pool", described, asked),
    ]  # fmt: skip
    if given is not None:
        told = {"unauthenticated": given} if given else {"authenticated": f"{IAM}role/member"}
        said.append(("cognito-identity.get_identity_pool_roles", {**asked, "Roles": told}, asked))
    return said


def judged(
    said: list[Said], *own: dict[str, Any], by: dict[str, Any] | None = None
) -> RiskStatement:
    made = estate([*said, *BUCKET, roles(role("guest", [by or trust()], *(own or (ALL,))))])
    return {s.resource: s for s in privilege(made)}[UID]


@pytest.mark.parametrize(
    ("own", "classic", "kinds"),
    [
        # What guests of the enhanced flow may use: data of some services, no identities.
        (ALL, False, {"bulk_data", "wide_reach"}),
        (ALL, True, {"administrator"}),
        (allow("iam:*"), False, set()),
        (allow("iam:*"), True, {"administrator"}),
        (allow("s3:GetObject"), False, {"bulk_data"}),
        (allow("s3:GetObject"), True, {"bulk_data"}),
        (allow("secretsmanager:GetSecretValue"), False, set()),
        (allow("sts:AssumeRole"), False, set()),
    ],
)
def test_the_enhanced_flow_cuts_what_guests_may_do(
    own: dict[str, Any], classic: bool, kinds: set[str]
) -> None:
    found = judged(pool(AllowClassicFlow=classic), own)
    assert {e.kind for e in found.evidence} - {"granted", "control", "gap"} == kinds
    assert found.value == ("yes" if kinds else "no")
    if not kinds:
        assert any(e.kind == "control" for e in found.evidence)


@pytest.mark.parametrize(
    ("said", "by", "expected"),
    [
        (pool(), trust(), "yes"),
        (pool(AllowUnauthenticatedIdentities=False), trust(), "no"),
        (pool(AllowUnauthenticatedIdentities=None), trust(), "unknown"),
        (pool(""), trust(), "no"),  # for members only
        (pool(None), trust(), "unknown"),
        (pool(f"{IAM}role/other"), trust(), "unknown"),  # that role was not read
        (pool(), trust("authenticated"), "no"),
        (pool(), trust(pool=f"{R}:other"), "no"),
        # The classic flow asks the trust alone, whatever role the pool names.
        (pool(f"{IAM}role/other", AllowClassicFlow=True), trust(), "yes"),
        (pool(f"{IAM}role/other", AllowClassicFlow=True), trust("authenticated"), "no"),
    ],
)
def test_flips(said: list[Said], by: dict[str, Any], expected: str) -> None:
    assert judged(said, by=by).value == expected


def test_the_role_is_as_public_as_before_and_says_that_it_is_cut() -> None:
    made = estate([*pool(), roles(role("guest", [trust()], ALL))])
    found = {s.resource: s for s in exposure(made)}[ROLE]
    assert (
        found.value == "yes" and "cut to the services that guests may use" in found.evidence[0].text
    )


def paths(said: list[Said]) -> set[tuple[str, str]]:
    made = estate([*said, *BUCKET, roles(role("guest", [trust()], ALL))])
    public = {s.resource: list(s.evidence) for s in exposure(made) if s.value == "yes"}
    found = routes.analyse(World(estate=made, public=public)).paths
    assert all(ROLE in p.resources for p in found)  # also where a session of it is the place
    return {(p.target, s.target) for p in found for s in p.steps if s.move == "public-trust"}


def test_attack_paths_end_where_the_session_ends() -> None:
    cut, whole = paths(pool()), paths(pool(AllowClassicFlow=True))
    assert {t for t, _ in whole} == {f"arn:aws:iam::{A}:root"}
    assert {t for t, _ in cut} == {"arn:aws:s3:::x"}
    assert all("session of" in node for _, node in cut)


def test_the_order_of_the_reports_does_not_matter() -> None:
    made = records([*pool(), *BUCKET, roles(role("guest", [trust()], ALL))])
    first = list(privilege(estate_of(made)))
    for seed in range(4):
        random.Random(seed).shuffle(made)
        assert list(privilege(estate_of(made))) == first


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Session(tmp_path / "home", CLOCK) as opened:
        yield Home(opened, tmp_path / "inventory")


@pytest.mark.parametrize(
    ("own", "classic", "severity"),
    [(allow("iam:*"), True, "critical"), (allow("iam:*"), False, "high"), (ALL, True, "critical")],
)
def test_the_finding_is_as_bad_as_the_session(
    home: Home, own: dict[str, Any], classic: bool, severity: str
) -> None:
    for operation, answer, request in pool(AllowClassicFlow=classic):
        home.put(operation, answer, request)
    home.iam(roles=[role("guest", [trust()], own)])
    (found,) = [f for f in home.found() if f["rule"] == "secinbox-iam-role-guests"]
    assert found["severity"] == severity
    assert ("administrator" in json.dumps(found["description"])) is (severity == "critical")
