"""Policy evaluation against an independent evaluator, on random policies and requests.

The peer (npm `@cloud-copilot/iam-simulate`) runs as a process of its own, in the test environment
only; nothing of it is linked or shipped. `SECINBOX_IAM_SIMULATE` names the folder in which it was
installed (`npm install @cloud-copilot/iam-simulate`); `SECINBOX_IAM_PAIRS` the number of pairs.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from secinbox.estate import Estate, Item
from secinbox.iam import Evaluator, World
from secinbox.iam.policy import parse

A = "111122223333"
BUCKETS = ("arn:aws:s3:::data", "arn:aws:s3:::logs")
REQUESTS = (
    ("s3:GetObject", "arn:aws:s3:::data/a/key"),
    ("s3:PutObject", "arn:aws:s3:::data/b/key"),
    ("s3:GetObject", "arn:aws:s3:::logs/a/key"),
    ("s3:ListBucket", "arn:aws:s3:::data"),
    ("ec2:StartInstances", f"arn:aws:ec2:eu-west-1:{A}:instance/i-1"),
    ("iam:GetRole", f"arn:aws:iam::{A}:role/admin"),
    ("sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{A}:work"),
)
ACTIONS = ("*", "s3:*", "s3:Get*", "s3:GetObject", "s3:PutObject", "s3:List*", "ec2:*", "iam:Get?ole",
           "sqs:*", "S3:getobject", "ec2:Start*")  # fmt: skip
RESOURCES = ("*", "arn:aws:s3:::data/*", "arn:aws:s3:::*", "arn:aws:s3:::data", "arn:aws:s3:::data/a/*",
             "arn:aws:s3:::logs/*", f"arn:aws:ec2:*:{A}:instance/*", f"arn:aws:iam::{A}:role/a*",
             f"arn:aws:sqs:eu-west-1:{A}:wor?", "arn:aws:s3:::d?ta/*/key")  # fmt: skip
# Keys that a caller may bring along or not; the evaluator is told which.
CONTEXT: dict[str, tuple[str | None, ...]] = {
    "aws:SourceIp": ("203.0.113.7", "10.0.0.1", None),
    "aws:SecureTransport": ("true", "false", None),
    "aws:RequestedRegion": ("eu-west-1", "us-east-1", None),
    "aws:UserAgent": ("tool/1.0", "", None),
    "aws:MultiFactorAuthAge": ("30", "4000", None),
    "aws:Referer": ("https://shop.test/a", None),
}
CONDITIONS: tuple[dict[str, Any], ...] = (
    {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
    {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "198.51.100.0/24"]}},
    {"IpAddressIfExists": {"aws:SourceIp": "10.0.0.0/8"}},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"BoolIfExists": {"aws:SecureTransport": "false"}},
    {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-west-2"]}},
    {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}},
    {"StringNotEqualsIfExists": {"aws:RequestedRegion": "us-east-1"}},
    {"StringEqualsIgnoreCase": {"aws:RequestedRegion": "EU-WEST-1"}},
    {"StringLike": {"aws:UserAgent": "tool/*"}},
    {"StringNotLike": {"aws:UserAgent": "t?ol/*"}},
    {"StringLike": {"aws:Referer": "https://*.test/*"}},
    {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}},
    {"NumericGreaterThanEqualsIfExists": {"aws:MultiFactorAuthAge": "31"}},
    {"Null": {"aws:MultiFactorAuthAge": "true"}},
    {"Null": {"aws:Referer": "false"}},
    {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
)


@pytest.fixture(scope="module")
def peer() -> Path:
    named = os.environ.get("SECINBOX_IAM_SIMULATE", "")
    folder = Path(named) if named else Path(__file__).parent / "peers"
    if shutil.which("node") is None:
        pytest.skip("node is not on this machine")
    if not (folder / "node_modules" / "@cloud-copilot" / "iam-simulate").is_dir():
        pytest.skip(
            "@cloud-copilot/iam-simulate is not installed (SECINBOX_IAM_SIMULATE names where)"
        )
    return folder


def _one_or_more(rng: random.Random, choices: tuple[str, ...]) -> Any:
    count = rng.choice((1, 1, 2, 3))
    return rng.choice(choices) if count == 1 else rng.sample(choices, count)


def _statement(rng: random.Random, principal: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {"Effect": rng.choice(("Allow", "Allow", "Allow", "Deny"))}
    if principal:
        whom: tuple[Any, ...] = (
            "*", {"AWS": principal}, {"AWS": f"arn:aws:iam::{A}:root"}, {"AWS": A},
            {"AWS": f"arn:aws:iam::{A}:user/other"}, {"Service": "ec2.amazonaws.com"},
        )  # fmt: skip
        out["Principal"] = rng.choice(whom)
    out["NotAction" if rng.random() < 0.12 else "Action"] = _one_or_more(rng, ACTIONS)
    out["NotResource" if rng.random() < 0.12 else "Resource"] = _one_or_more(rng, RESOURCES)
    if rng.random() < 0.5:
        out["Condition"] = rng.choice(CONDITIONS)
    return out


def _policy(rng: random.Random, principal: str = "") -> dict[str, Any]:
    count = rng.choice((1, 2, 2, 3))
    return {
        "Version": "2012-10-17",
        "Statement": [_statement(rng, principal) for _ in range(count)],
    }


def _pair(rng: random.Random, number: int) -> dict[str, Any]:
    arn = f"arn:aws:iam::{A}:user/u{number}"
    action, resource = rng.choice(REQUESTS)
    context = {k: rng.choice(values) for k, values in CONTEXT.items()}
    own = resource.startswith("arn:aws:s3") and rng.random() < 0.35
    return {
        "arn": arn, "action": action, "resource": resource, "context": context,
        "identity": [_policy(rng) for _ in range(rng.choice((1, 1, 2)))],
        "boundary": _policy(rng) if rng.random() < 0.25 else None,
        "own": _policy(rng, arn) if own else None,
    }  # fmt: skip


def _ours(pairs: list[dict[str, Any]]) -> list[str]:
    estate = Estate()
    for pair in pairs:
        name = pair["arn"].rpartition("/")[2]
        config: dict[str, Any] = {
            "UserName": name, "Path": "/", "AttachedManagedPolicies": [],
            "UserPolicyList": [{"PolicyName": f"p{i}", "PolicyDocument": d}
                               for i, d in enumerate(pair["identity"])],
        }  # fmt: skip
        if pair["boundary"]:
            boundary = f"arn:aws:iam::{A}:policy/b-{name}"
            config["PermissionsBoundary"] = {"PermissionsBoundaryArn": boundary}
            version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": pair["boundary"]}
            estate.add(Item(boundary, "aws_iam_policy", f"b-{name}", "aws", A, "", {},
                            {"PolicyVersionList": [version]}))  # fmt: skip
        estate.add(Item(pair["arn"], "aws_iam_user", name, "aws", A, "", {}, config))
    world = World(estate)
    evaluator = Evaluator(world)
    out = []
    for pair in pairs:
        extra = {k.lower(): None if v is None else (v,) for k, v in pair["context"].items()}
        own = parse(pair["own"], "bucket policy") if pair["own"] else None
        persona = world.principals[pair["arn"]].persona
        out.append(
            evaluator.decide_with(persona, pair["action"], pair["resource"], own, extra).value
        )
    return out


def _theirs(peer: Path, pairs: list[dict[str, Any]]) -> list[str]:
    lines = []
    for pair in pairs:
        simulation = {
            "request": {
                "principal": pair["arn"], "action": pair["action"],
                "resource": {"resource": pair["resource"], "accountId": A},
                "contextVariables": {k: v for k, v in pair["context"].items() if v is not None},
            },
            "identityPolicies": [{"name": f"p{i}", "policy": d}
                                 for i, d in enumerate(pair["identity"])],
            "serviceControlPolicies": [], "resourceControlPolicies": [],
        }  # fmt: skip
        if pair["own"]:
            simulation["resourcePolicy"] = pair["own"]
        if pair["boundary"]:
            simulation["permissionBoundaryPolicies"] = [{"name": "b", "policy": pair["boundary"]}]
        lines.append(json.dumps(simulation))
    script = Path(__file__).parent / "peers" / "simulate.mjs"
    done = subprocess.run(["node", str(script), str(peer)], input="\n".join(lines) + "\n",
                          capture_output=True, text=True, check=True, timeout=900)  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert not [a for a in answers if str(a).startswith("error")], answers[:3]
    return ["yes" if a == "Allowed" else "no" for a in answers]


def test_random_policies_are_judged_alike(peer: Path) -> None:
    wanted = int(os.environ.get("SECINBOX_IAM_PAIRS", "10000"))
    rng = random.Random(20261122)
    different: list[str] = []
    yes = 0
    for start in range(0, wanted, 2000):
        pairs = [_pair(rng, n) for n in range(start, min(start + 2000, wanted))]
        for pair, ours, theirs in zip(pairs, _ours(pairs), _theirs(peer, pairs), strict=True):
            yes += theirs == "yes"
            if ours != theirs:
                different.append(f"ours {ours}, theirs {theirs}: {json.dumps(pair)}")
    assert different == [], f"{len(different)} of {wanted}: {different[0]}"
    assert 0.1 < yes / wanted < 0.9  # a test in which all answers are the same shows nothing
