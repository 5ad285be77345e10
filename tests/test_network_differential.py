"""Bucket policies and strangers: our verdict against an independent evaluator asked with every request.

The peer is the one of test_iam_differential.py. Each random policy is asked by nobody, by a user and by
a role of a stranger's account, with and without what they may bring along; where any request passes, the
bucket is public. Only conditions that say the same about every address of the Internet are drawn.
"""

from __future__ import annotations

import json
import os
import random
from itertools import product
from pathlib import Path
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.network.aws.buckets import bucket_policy
from tests.test_iam_differential import _simulated, peer  # noqa: F401

OWNER, STRANGER, BUCKET = "111122223333", "999988887777", "arn:aws:s3:::data"
PRINCIPALS: tuple[dict[str, Any], ...] = (
    {"Principal": "*"}, {"Principal": "*"}, {"Principal": {"AWS": "*"}}, {"Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"}},
    {"Principal": {"Service": "cloudfront.amazonaws.com"}},
)  # fmt: skip
# No /0: the peer (0.1.173) shifts its mask by 32 bits, which in JavaScript is none, and takes it for /32.
CONDITIONS: tuple[dict[str, Any], ...] = (
    {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}},
    {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}, {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}},
    {"Null": {"aws:PrincipalOrgID": "true"}}, {"Null": {"aws:PrincipalOrgID": "false"}},
    {"StringLike": {"aws:PrincipalOrgID": "o-*"}}, {"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-1"}},
    {"StringEquals": {"aws:SourceVpce": "vpce-1"}}, {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
    {"StringNotEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}, {"Null": {"aws:SourceVpce": "true"}},
    {"Bool": {"aws:SecureTransport": "true"}}, {"Bool": {"aws:SecureTransport": "false"}},
    {"StringLike": {"aws:Referer": "https://a.test/*"}}, {"StringNotLike": {"aws:Referer": "https://a.test/*"}},
    {"StringEquals": {"aws:UserAgent": "tool"}}, {"StringNotEqualsIfExists": {"aws:UserAgent": "tool"}},
{"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}},
    {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    {"NotIpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}, {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}},
    {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:role/*"}},
    {"StringEquals": {"aws:PrincipalAccount": OWNER}}, {"StringNotEquals": {"aws:PrincipalAccount": OWNER}},
    {"Bool": {"aws:PrincipalIsAWSService": "false"}}, {"BoolIfExists": {"aws:PrincipalIsAWSService": "true"}},
    {"StringEquals": {"aws:SourceAccount": OWNER}}, {"StringNotEqualsIfExists": {"aws:SourceAccount": OWNER}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-1"}, "Bool": {"aws:SecureTransport": "true"}},
    {"StringNotEquals": {"aws:PrincipalOrgID": "o-1", "aws:SourceVpce": "vpce-1"}},
)  # fmt: skip
# What a stranger may bring along: each key with its values, None for absent.
BROUGHT: dict[str, tuple[str | None, ...]] = {
    "aws:SourceIp": ("52.1.2.3", "2600:1f18::1"),
    "aws:SecureTransport": ("true", "false"), "aws:SourceVpce": (None, "vpce-9"),
    "aws:Referer": (None, "https://a.test/x"), "aws:UserAgent": (None, "tool", "other"),
}  # fmt: skip


def _policy(rng: random.Random) -> dict[str, Any]:
    statements = []
    for _ in range(rng.choice((1, 2, 2, 3))):
        one: dict[str, Any] = {
            "Effect": rng.choice(("Allow", "Allow", "Deny")),
            **rng.choice(PRINCIPALS),
        }
        one["Action"] = rng.choice(
            ("s3:GetObject", "s3:GetObject", "s3:Get*", "s3:*", "s3:PutObject")
        )
        one["Resource"] = rng.choice(
            (f"{BUCKET}/*", f"{BUCKET}/*", BUCKET, [BUCKET, f"{BUCKET}/*"], "*")
        )
        if rng.random() < 0.7:
            one["Condition"] = rng.choice(CONDITIONS)
        statements.append(one)
    return {"Version": "2012-10-17", "Statement": statements}


def _ours(policy: dict[str, Any]) -> str:
    estate = Estate()
    item = Item(BUCKET, "aws_s3_bucket", "data", "aws", OWNER, "", {}, {
        "get_bucket_policy": {"Policy": json.dumps(policy)}, "get_bucket_acl": {"Grants": []},
        "get_public_access_block": {"Error": "NoSuchPublicAccessBlockConfiguration"}})  # fmt: skip
    estate.add(item)
    estate.add(Item(f"arn:aws:iam::{OWNER}:root", "aws_account", OWNER, "aws", OWNER, "", {}, {
        "s3control": {"Error": "NoSuchPublicAccessBlockConfiguration"}}))  # fmt: skip
    return bucket_policy(estate, item, ("s3:getobject",), ()).value


def _requests(policy: dict[str, Any]) -> list[str]:
    """Every request for an object that the policy can tell from another."""
    named = json.dumps(policy)
    keys = {k: v for k, v in BROUGHT.items() if k in named}
    everything = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
    out = []
    for who in ("anonymous", "user", "role"):
        organisations = (
            (None,) if who == "anonymous" or "PrincipalOrgID" not in named else (None, "o-2")
        )
        for values in product(organisations, *keys.values()):
            context = {
                **dict(zip(("aws:PrincipalOrgID", *keys), values, strict=True)),
            }
            context = {"aws:SecureTransport": "true", "aws:SourceIp": "52.1.2.3"} | context
            arn = f"arn:aws:iam::{STRANGER}:{who}/x"
            if who != "anonymous":
                context |= {"aws:PrincipalArn": arn, "aws:PrincipalAccount": STRANGER}
            context["aws:PrincipalIsAWSService"] = "false"
            session = f"arn:aws:sts::{STRANGER}:assumed-role/x/s" if who == "role" else arn
            out.append(json.dumps({
                "request": {"principal": {"type": "Anonymous"} if who == "anonymous" else session,
                            "action": "s3:GetObject", "resource": {"resource": f"{BUCKET}/k", "accountId": OWNER},
                            "contextVariables": {k: v for k, v in context.items() if v is not None}},
                "identityPolicies": [] if who == "anonymous" else [{"name": "all", "policy": everything}],
                "serviceControlPolicies": [], "resourceControlPolicies": [], "resourcePolicy": policy}))  # fmt: skip
    return out


def test_a_bucket_is_public_where_some_request_of_a_stranger_passes(peer: Path) -> None:  # noqa: F811
    wanted = int(os.environ.get("SECINBOX_IAM_PAIRS", "10000")) // 10
    rng = random.Random(20261126)
    policies = [_policy(rng) for _ in range(wanted)]
    asked = [_requests(p) for p in policies]
    answers = iter(_simulated(peer, [line for lines in asked for line in lines]))
    theirs = ["yes" if "yes" in [next(answers) for _ in lines] else "no" for lines in asked]
    told = list(zip(policies, map(_ours, policies), theirs, strict=True))
    different = [f"ours {o}, theirs {t}: {json.dumps(p)}" for p, o, t in told if o != t]
    assert different == [], f"{len(different)} of {wanted}: {different[0]}"
    assert 0.1 < theirs.count("yes") / wanted < 0.9
