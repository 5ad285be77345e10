"""Users of Transfer Family: which restricted files they reach, and each single condition flipped."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from secinbox.estate import estate_of
from secinbox.iam import privilege
from secinbox.inventory import hcl, steampipe
from secinbox.reading import Report
from secinbox.records import RiskStatement
from tests.accounts import A, B, R, allow, service
from tests.handing import IAM, Said, arn, document, estate, records, role, roles
from tests.test_sessions_guests import BUCKET

SERVER = arn("transfer", "server/s-1")
UID = arn("transfer", "user/s-1/ana")
ROLE = f"{IAM}role/files"
READS = allow(["s3:GetObject", "s3:ListBucket"])
X = "arn:aws:s3:::x"


def user(**more: Any) -> dict[str, Any]:
    return {"Arn": UID, "UserName": "ana", "HomeDirectory": "/x/home/ana", "HomeDirectoryType": "PATH",
            "Role": ROLE, "SshPublicKeys": [], "Tags": [], **more}  # fmt: skip


def told(made: dict[str, Any], *own: dict[str, Any], by: list[dict[str, Any]] | None = None,
         state: str = "ONLINE") -> list[Said]:  # fmt: skip
    listed = {k: made[k] for k in ("Arn", "UserName", "HomeDirectory", "HomeDirectoryType", "Role")}
    return [
        ("transfer.describe_server", {"Server": {"Arn": SERVER, "ServerId": "s-1", "State": state}},
         {"ServerId": "s-1"}),
        ("transfer.list_users", {"ServerId": "s-1", "Users": [listed]}, {"ServerId": "s-1"}),
        ("transfer.describe_user", {"ServerId": "s-1", "User": made}, {"ServerId": "s-1", "UserName": "ana"}),
        *BUCKET, roles(role("files", by or service("transfer.amazonaws.com"), *(own or (READS,)))),
    ]  # fmt: skip


def judged(made: dict[str, Any], *own: dict[str, Any], **more: Any) -> RiskStatement:
    return {s.resource: s for s in privilege(estate(told(made, *own, **more)))}[UID]


def test_a_user_reads_what_the_role_reads() -> None:
    found = judged(user())
    (evidence,) = [e for e in found.evidence if e.kind == "bulk_data"]
    assert found.value == "yes"
    assert (
        "gives role/files to user ana of a file server: reads x (data_class=restricted)"
        in evidence.text
    )


def test_a_user_has_files_and_no_credentials() -> None:
    """The role is an administrator; who signs in to the server is none."""
    found = judged(user(), allow("*"))
    assert {e.kind for e in found.evidence} <= {"bulk_data", "granted"} and found.value == "yes"
    assert judged(user(), allow("iam:*")).value == "no"


def policy(*resources: str) -> str:
    return json.dumps(document(allow("s3:GetObject", list(resources))))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ({"Policy": policy(f"{X}/*")}, "yes"),
        ({"Policy": policy("arn:aws:s3:::y/*")}, "no"),
        ({"Policy": policy("arn:aws:s3:::${transfer:HomeBucket}/*")}, "yes"),
        ({"Policy": policy("arn:aws:s3:::${Transfer:HomeDirectory}*")}, "yes"),
        ({"Policy": policy("arn:aws:s3:::${transfer:HomeBucket}/*"), "HomeDirectory": "/y/home"}, "no"),
        ({"Policy": policy(f"{X}/${{transfer:UserName}}/*")}, "yes"),
        ({"Policy": policy(f"{X}/${{transfer:HomeFolder}}/*")}, "yes"),
        # A variable that stands for nothing here, and a policy that nobody can read.
        ({"Policy": policy(f"{X}/${{transfer:Other}}/*")}, "unknown"),
        ({"Policy": "{"}, "unknown"),
        # Where a session begins does not limit it.
        ({"HomeDirectory": "/y/home"}, "yes"),
        # A logical home shows its targets only.
        ({"HomeDirectoryType": "LOGICAL", "HomeDirectory": "/",
          "HomeDirectoryMappings": [{"Entry": "/", "Target": "/x/home/ana"}]}, "yes"),
        ({"HomeDirectoryType": "LOGICAL", "HomeDirectory": "/",
          "HomeDirectoryMappings": [{"Entry": "/", "Target": "/y/home"}]}, "no"),
        ({"HomeDirectoryType": "LOGICAL", "HomeDirectory": "/", "Policy": policy(f"{X}/*"),
          "HomeDirectoryMappings": [{"Entry": "/", "Target": "/y/home"}]}, "no"),
        ({"HomeDirectoryType": "LOGICAL", "HomeDirectory": "/", "Policy": policy("arn:aws:s3:::y/*"),
          "HomeDirectoryMappings": [{"Entry": "/", "Target": "/x/home"}]}, "no"),
    ],
)  # fmt: skip
def test_flips_of_policy_and_home(made: dict[str, Any], expected: str) -> None:
    assert judged(user(**made)).value == expected


def source(pattern: str) -> list[dict[str, Any]]:
    return service("transfer.amazonaws.com", ArnLike={"aws:SourceArn": pattern})


@pytest.mark.parametrize(
    ("by", "state", "expected"),
    [
        (service("ec2.amazonaws.com"), "ONLINE", "no"),
        (service("transfer.amazonaws.com", StringEquals={"aws:SourceAccount": A}), "ONLINE", "yes"),
        (service("transfer.amazonaws.com", StringEquals={"aws:SourceAccount": B}), "ONLINE", "no"),
        (source(f"arn:aws:transfer:{R}:{A}:*"), "ONLINE", "yes"),
        (source(f"arn:aws:transfer:us-east-1:{A}:*"), "ONLINE", "no"),
        (source(f"arn:aws:transfer:{R}:{A}:user/*"), "ONLINE", "unknown"),
        (service("transfer.amazonaws.com"), "OFFLINE", "no"),
    ],
)
def test_flips_of_trust_and_server(by: list[dict[str, Any]], state: str, expected: str) -> None:
    assert judged(user(), by=by, state=state).value == expected


def test_what_was_not_read_is_unknown() -> None:
    said = told(user())
    for left in ([s for s in said if s[0] != "transfer.describe_user"],
                 [s for s in said if not s[0].startswith("iam.")]):  # fmt: skip
        assert {s.resource: s.value for s in privilege(estate(left))}[UID] == "unknown"
    row = {"arn": UID, "server_id": "s-1", "user_name": "ana", "home_directory": "/x/home/ana",
           "home_directory_type": "PATH", "role": ROLE, "ssh_public_keys": [], "account_id": A, "region": R}  # fmt: skip
    report = Report(json.dumps([row]).encode(), name="aws_transfer_user.json")
    told_ = [
        *steampipe.read(report),
        *records([s for s in said if not s[0].startswith("transfer.")]),
    ]
    found = {s.resource: s for s in privilege(estate_of(told_))}[UID]
    assert found.value == "unknown" and "session policy" in found.evidence[0].text
    # File systems have permissions of their own.
    made = estate(told(user(HomeDirectory="/fs-0123/home")))
    assert UID not in {s.resource for s in privilege(made)}


def test_terraform_tells_users() -> None:
    body = """
resource "aws_iam_role" "files" {
  name = "files"
  assume_role_policy = jsonencode(%s)
  inline_policy {
    name = "own"
    policy = jsonencode(%s)
  }
}
resource "aws_s3_bucket" "x" {
  bucket = "x"
  tags = { data_class = "restricted" }
}
resource "aws_transfer_user" "ana" {
  server_id = "s-1"
  user_name = "ana"
  role = aws_iam_role.files.arn
  %s
}
"""
    by, own = document(*service("transfer.amazonaws.com")), document(READS)
    for more, expected in (
        ("", "yes"),
        (f"policy = jsonencode({policy('arn:aws:s3:::y/*')})", "no"),
    ):
        text = body % (json.dumps(by), json.dumps(own), more)
        report = Report(json.dumps({"terraform_sources": {"main.tf": text}}).encode(), name="x",
                        options={"account": A, "region": R})  # fmt: skip
        found = {s.resource: s.value for s in privilege(estate_of(hcl.read(report)))}
        assert [v for u, v in found.items() if ":transfer:" in u] == [expected]


def test_the_order_of_the_reports_does_not_matter() -> None:
    made = records(told(user(Policy=policy(f"{X}/*"))))
    first = list(privilege(estate_of(made)))
    for seed in range(4):
        random.Random(seed).shuffle(made)
        assert list(privilege(estate_of(made))) == first
