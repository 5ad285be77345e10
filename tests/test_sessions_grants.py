"""S3 Access Grants: who gets which data by asking for a grant, and each single condition flipped."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from secinbox.collect.aws.running import _whole
from secinbox.estate import estate_of
from secinbox.iam import privilege
from secinbox.inventory import terraform
from secinbox.paths import routes
from secinbox.paths.world import World
from secinbox.reading import Report
from tests.accounts import A, B, allow, service
from tests.handing import IAM, Said, arn, estate, records, role, roles
from tests.test_sessions_guests import BUCKET

INSTANCE = arn("s3", "access-grants/default")
GRANT = f"{INSTANCE}/grant/g-1"
LOCATION = f"{INSTANCE}/location/l-1"
ROLE, ANA = f"{IAM}role/place", f"{IAM}role/ana"
TWO = ["sts:AssumeRole", "sts:SetSourceIdentity"]
DATA = allow(["s3:GetObject", "s3:ListBucket"])
ASKS = allow("s3:GetDataAccess")


def trust(action: Any = TWO, **condition: Any) -> list[dict[str, Any]]:
    (found,) = service("access-grants.s3.amazonaws.com", **condition)
    return [{**found, "Action": action}]


def grant(scope: str = "s3://x/*", permission: str = "READ", kind: str = "IAM", who: str = ANA
          ) -> dict[str, Any]:  # fmt: skip
    return {"AccessGrantArn": GRANT, "AccessGrantId": "g-1", "AccessGrantsLocationId": "l-1",
            "GrantScope": scope, "Permission": permission,
            "Grantee": {"GranteeType": kind, "GranteeIdentifier": who}}  # fmt: skip


def told(made: dict[str, Any], by: list[dict[str, Any]] | None = None, *, own: dict[str, Any] = DATA,
         asks: dict[str, Any] = ASKS, location: bool = True) -> list[Said]:  # fmt: skip
    place = {"AccessGrantsLocationArn": LOCATION, "AccessGrantsLocationId": "l-1",
             "LocationScope": "s3://", "IAMRoleArn": ROLE}  # fmt: skip
    return [
        ("s3control.list_access_grants_instances", {"AccessGrantsInstancesList": [
            {"AccessGrantsInstanceArn": INSTANCE, "AccessGrantsInstanceId": "default"}]}, {"AccountId": A}),
        ("s3control.list_access_grants", {"AccessGrantsList": [made]}, {"AccountId": A}),
        *([("s3control.list_access_grants_locations", {"AccessGrantsLocationsList": [place]},
            {"AccountId": A})] if location else []),
        *BUCKET, roles(role("place", by or trust(), own), role("ana", service("ec2.amazonaws.com"), asks)),
    ]  # fmt: skip


def value(said: list[Said]) -> str:
    """Of the grantee; the grant says the same."""
    found = {s.resource: s for s in privilege(estate(said))}
    assert found[ANA].value == found[GRANT].value
    return found[ANA].value


def test_a_grantee_reads_what_the_grant_names() -> None:
    found = {s.resource: s for s in privilege(estate(told(grant())))}
    (evidence,) = [e for e in found[ANA].evidence if e.kind == "bulk_data"]
    assert "role/ana (iam) by S3 Access Grants: reads x (data_class=restricted)" in evidence.text
    assert not [e for e in found[ANA].evidence if e.kind == "control"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (told(grant()), "yes"),
        (told(grant("s3://x/home/*")), "yes"),
        (told(grant("s3://y/*")), "no"),
        (told(grant(permission="READWRITE")), "yes"),
        (told(grant(permission="WRITE")), "no"),
        (told(grant(), asks=allow("s3:ListBucket")), "no"),
        (told(grant(), asks=allow("s3:GetDataAccess", INSTANCE)), "yes"),
        (told(grant(), asks=allow("s3:GetDataAccess", f"{INSTANCE}2")), "no"),
        (
            told(
                grant(),
                asks=allow("s3:GetDataAccess", "*", StringEquals={"aws:PrincipalOrgID": "o"}),
            ),
            "unknown",
        ),
        (told(grant(), own=allow("s3:GetObject", "arn:aws:s3:::y/*")), "no"),
        (told(grant(), trust("sts:AssumeRole")), "no"),
        (told(grant(), trust("sts:SetSourceIdentity")), "no"),
        (told(grant(), service("ec2.amazonaws.com")), "no"),
        (told(grant(), trust(StringEquals={"aws:SourceAccount": A})), "yes"),
        (told(grant(), trust(StringEquals={"aws:SourceAccount": B})), "no"),
        (told(grant(), trust(ArnEquals={"aws:SourceArn": INSTANCE})), "yes"),
        (told(grant(), trust(ArnEquals={"aws:SourceArn": f"{INSTANCE}2"})), "no"),
        # What the session may do beside the grant's scope is nothing, whatever the role may.
        (told(grant("s3://y/*"), own=allow("*")), "no"),
        (told(grant(), location=False), "unknown"),
    ],
)
def test_flips(said: list[Said], expected: str) -> None:
    assert value(said) == expected


def test_people_of_a_directory_and_strangers() -> None:
    people = grant(kind="DIRECTORY_GROUP", who="1234")
    found = {
        s.resource: s for s in privilege(estate(told(people, trust([*TWO, "sts:SetContext"]))))
    }
    assert (found[GRANT].value, found[ANA].value) == ("yes", "no")
    assert "1234 (directory group)" in found[GRANT].evidence[0].text
    found = {s.resource: s for s in privilege(estate(told(people)))}
    assert found[GRANT].value == "no"
    other = {
        s.resource: s for s in privilege(estate(told(grant(who=f"arn:aws:iam::{B}:role/far"))))
    }
    assert (other[GRANT].value, other[ANA].value) == ("unknown", "no")


def test_attack_paths_follow_the_grant() -> None:
    def ends(said: list[Said]) -> set[str]:
        return {p.target for p in routes.analyse(World(estate=estate(said), breached=[ANA])).paths}

    assert ends(told(grant())) == {"arn:aws:s3:::x"}
    assert (
        ends(told(grant("s3://y/*")))
        == ends(told(grant(), asks=DATA | {"Resource": "*:y"}))
        == set()
    )


def test_the_order_of_the_reports_does_not_matter() -> None:
    made = records(told(grant()))
    first = list(privilege(estate_of(made)))
    for seed in range(4):
        random.Random(seed).shuffle(made)
        assert list(privilege(estate_of(made))) == first


def test_terraform_tells_grants() -> None:
    def made(kind: str, **attributes: Any) -> dict[str, Any]:
        return {
            "mode": "managed",
            "type": kind,
            "name": "x",
            "instances": [{"attributes": attributes}],
        }

    for scope, expected in (("s3://x/*", "yes"), ("s3://y/*", "no")):
        state = {"version": 4, "terraform_version": "1.9.0", "lineage": "x", "resources": [
            made("aws_s3control_access_grants_location", access_grants_location_arn=LOCATION,
                 access_grants_location_id="l-1", location_scope="s3://", iam_role_arn=ROLE),
            made("aws_s3control_access_grant", access_grant_arn=GRANT, access_grant_id="g-1",
                 access_grants_location_id="l-1", grant_scope=scope, permission="READ",
                 grantee=[{"grantee_type": "IAM", "grantee_identifier": ANA}]),
        ]}  # fmt: skip
        rest = [s for s in told(grant()) if not s[0].startswith("s3control.")]
        report = Report(json.dumps(state).encode(), name="terraform.tfstate")
        found = privilege(estate_of([*terraform.read(report), *records(rest)]))
        assert {s.resource: s.value for s in found}[ANA] == expected


def test_an_access_point_keeps_its_region() -> None:
    """The policy of an access point belongs to the point that was listed."""
    point = arn("s3", "accesspoint/p")
    said: list[Said] = [
        ("s3control.list_access_points", {"AccessPointList": [
            {"AccessPointArn": point, "Name": "p", "Bucket": "x"}]}, {"AccountId": A}),
        ("s3control.get_access_point_policy", {"Policy": "{}"}, {"Name": "p", "AccountId": A}),
    ]  # fmt: skip
    made = estate(said)
    assert [i.uid for i in made.of_type("aws_s3_accesspoint")] == [point]
    assert "get_access_point_policy" in made.items[point].config


def test_pages_that_the_library_does_not_know_are_all_read() -> None:
    class Pages:
        def can_paginate(self, method: str) -> bool:
            return False

        def list_access_grants(self, NextToken: str = "") -> dict[str, Any]:
            page = int(NextToken or 0)
            more = {"NextToken": str(page + 1)} if page < 2 else {}
            return {"AccessGrantsList": [page], "ResponseMetadata": {}, **more}

    assert _whole(Pages(), "list_access_grants", {}) == {"AccessGrantsList": [0, 1, 2]}
