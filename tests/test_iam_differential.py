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
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from secinbox.estate import Estate, Item
from secinbox.iam import Evaluator, World
from secinbox.iam.policy import parse
from secinbox.iam.trusts import Trusts

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
    return _simulated(peer, lines)


def _simulated(peer: Path, lines: list[str]) -> list[str]:
    script = Path(__file__).parent / "peers" / "simulate.mjs"
    done = subprocess.run(["node", str(script), str(peer)], input="\n".join(lines) + "\n",
                          capture_output=True, text=True, check=True, timeout=900)  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert not [a for a in answers if str(a).startswith("error")], answers[:3]
    return ["yes" if a == "Allowed" else "no" for a in answers]


# Organisations, roles and other accounts

BOUND = (
    "s3:GetObject",
    "s3:PutObject",
    "sqs:SendMessage",
    "kms:Decrypt",
    "secretsmanager:GetSecretValue",
)
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def _resource(action: str, account: str, number: int) -> str:
    return {
        "s3": f"arn:aws:s3:::b{number}/a/key", "sqs": f"arn:aws:sqs:eu-west-1:{account}:work",
        "kms": f"arn:aws:kms:eu-west-1:{account}:key/k",
        "secretsmanager": f"arn:aws:secretsmanager:eu-west-1:{account}:secret:s-1",
    }[action.partition(":")[0]]  # fmt: skip


def _said(
    rng: random.Random, effects: tuple[str, ...], principals: tuple[Any, ...] = ()
) -> dict[str, Any]:
    service = rng.choice(("s3", "sqs", "kms", "secretsmanager"))
    action = rng.choice((*BOUND, *BOUND, f"{service}:*"))
    out: dict[str, Any] = {
        "Effect": rng.choice(effects),
        "Action": rng.choice((action, [action, "s3:Get*"])),
    }
    if principals:
        out["Principal"] = rng.choice(principals)
    out["Resource"] = rng.choice(("*", "*", f"arn:aws:{service}:::*", f"arn:aws:{service}:*:*:*"))
    if rng.random() < 0.25:
        out["Condition"] = rng.choice(CONDITIONS)
    return out


def _set(
    rng: random.Random, effects: tuple[str, ...], principals: tuple[Any, ...] = ()
) -> dict[str, Any]:
    count = rng.choice((1, 2, 3))
    return {
        "Version": "2012-10-17",
        "Statement": [_said(rng, effects, principals) for _ in range(count)],
    }


def _apart(rng: random.Random, number: int) -> dict[str, Any]:
    """A user or a session of a role, in an account of an organisation, and a thing here or elsewhere."""
    a, b = f"{200000000000 + 2 * number}", f"{200000000001 + 2 * number}"
    role = rng.random() < 0.5
    kind = "role" if role else "user"
    arn, other = f"arn:aws:iam::{a}:{kind}/p", f"arn:aws:iam::{a}:{kind}/other"
    session = f"arn:aws:sts::{a}:assumed-role/p/now"
    owner = rng.choice((a, a, b))
    action = rng.choice(BOUND)
    rail = ("Allow", "Allow", "Deny")
    passed = _set(rng, rail) if role and rng.random() < 0.3 else None
    whom = (
        "*", {"AWS": "*"}, {"AWS": arn}, {"AWS": arn}, {"AWS": f"arn:aws:iam::{a}:root"}, {"AWS": a},
        {"AWS": other}, {"Service": "ec2.amazonaws.com"}, {"AWS": [other, arn]},
        # The peer lets a session's policy limit what names the session itself; the User Guide does not.
        *(({"AWS": session},) if role and passed is None else ()),
    )  # fmt: skip

    def rails() -> list[dict[str, Any]]:
        return (
            [FULL]
            if rng.random() < 0.6
            else [_set(rng, rail)]
            if rng.random() < 0.5
            else [FULL, _set(rng, ("Deny",))]
        )

    return {
        "number": number, "a": a, "b": b, "arn": arn, "session": session if role else arn, "kind": kind,
        "action": action, "resource": _resource(action, owner, number), "owner": owner,
        "context": {k: rng.choice(values) for k, values in CONTEXT.items()},
        "identity": [_set(rng, ("Allow", "Allow", "Allow", "Deny"))],
        "boundary": _set(rng, rail) if rng.random() < 0.25 else None,
        "passed": passed,
        # A key always has a policy.
        "own": _set(rng, ("Allow", "Allow", "Allow", "Deny"), whom)
        if action.startswith("kms") or rng.random() < 0.7 else None,
        "scps": [rails() for _ in range(rng.choice((0, 1, 2)))],
        "rcps": [[_set(rng, ("Deny",), ("*",))] for _ in range(rng.choice((0, 0, 1)))],
    }  # fmt: skip


def _estate_apart(pairs: list[dict[str, Any]]) -> Estate:
    estate = Estate()

    def hang(
        kind: str, policies: list[dict[str, Any]], place: str, name: str, account: str
    ) -> None:
        for index, document in enumerate(policies):
            uid = f"arn:aws:organizations::{account}:policy/o-1/{kind.lower()}/p-{name}-{index}"
            estate.add(Item(uid, "aws_organizations_policy", name, "aws", "", "", {}, {
                "PolicySummary": {"Id": f"p-{name}-{index}", "Type": kind}, "Content": json.dumps(document),
                "list_targets_for_policy": {"Targets": [{"TargetId": place}]}}))  # fmt: skip

    for pair in pairs:
        a, b, number = pair["a"], pair["b"], pair["number"]
        for account in (a, b):
            estate.add(Item(f"arn:aws:iam::{account}:root", "aws_account", account, "aws", account, "", {}, {
                "list_parents": {"Parents": [{"Id": f"ou-{account}"}]}}))  # fmt: skip
        for level, policies in enumerate(pair["scps"]):
            place = (a, f"ou-{a}")[level]
            hang("SERVICE_CONTROL_POLICY", policies, place, f"s{number}-{level}", a)
        for policies in pair["rcps"]:
            hang("RESOURCE_CONTROL_POLICY", policies, pair["owner"], f"r{number}", pair["owner"])
        word = "RolePolicyList" if pair["kind"] == "role" else "UserPolicyList"
        config: dict[str, Any] = {word: [{"PolicyName": "p", "PolicyDocument": pair["identity"][0]}], "Path": "/",
                                  "UserName": "p", "RoleName": "p"}  # fmt: skip
        if pair["boundary"]:
            boundary = f"arn:aws:iam::{a}:policy/b"
            config["PermissionsBoundary"] = {"PermissionsBoundaryArn": boundary}
            version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": pair["boundary"]}
            estate.add(
                Item(
                    boundary,
                    "aws_iam_policy",
                    "b",
                    "aws",
                    a,
                    "",
                    {},
                    {"PolicyVersionList": [version]},
                )
            )
        estate.add(Item(pair["arn"], f"aws_iam_{pair['kind']}", "p", "aws", a, "", {}, config))
    return estate


def _ours_apart(pairs: list[dict[str, Any]]) -> list[str]:
    world = World(_estate_apart(pairs))
    evaluator = Evaluator(world)
    out = []
    for pair in pairs:
        extra: dict[str, tuple[str, ...] | None] = {
            k.lower(): None if v is None else (v,) for k, v in pair["context"].items()
        }
        extra["aws:resourceaccount"] = (pair["owner"],)
        own = parse(pair["own"], "resource policy") if pair["own"] else None
        persona = world.principals[pair["arn"]].persona
        if pair["passed"]:
            persona = replace(persona, session=parse(pair["passed"], "session policy"))
        out.append(
            evaluator.decide_with(persona, pair["action"], pair["resource"], own, extra).value
        )
    return out


def _theirs_apart(peer: Path, pairs: list[dict[str, Any]]) -> list[str]:
    lines = []
    for pair in pairs:
        levels = [{"orgIdentifier": f"l{i}", "policies": [{"name": f"s{j}", "policy": d} for j, d in enumerate(level)]}
                  for i, level in reversed(list(enumerate(pair["scps"])))]  # fmt: skip
        resource = [{"orgIdentifier": "r", "policies": [{"name": "r", "policy": d} for d in level]}
                    for level in pair["rcps"]]  # fmt: skip
        simulation: dict[str, Any] = {
            "request": {
                "principal": pair["session"], "action": pair["action"],
                "resource": {"resource": pair["resource"], "accountId": pair["owner"]},
                "contextVariables": {k: v for k, v in pair["context"].items() if v is not None},
            },
            "identityPolicies": [{"name": "p", "policy": d} for d in pair["identity"]],
            "serviceControlPolicies": levels, "resourceControlPolicies": resource,
        }  # fmt: skip
        if pair["own"]:
            simulation["resourcePolicy"] = pair["own"]
        if pair["boundary"]:
            simulation["permissionBoundaryPolicies"] = [{"name": "b", "policy": pair["boundary"]}]
        if pair.get("passed"):
            simulation["sessionPolicy"] = pair["passed"]
        lines.append(json.dumps(simulation))
    return _simulated(peer, lines)


def test_organisations_roles_and_other_accounts_are_judged_alike(peer: Path) -> None:
    wanted = int(os.environ.get("SECINBOX_IAM_PAIRS", "10000")) // 2
    rng = random.Random(20261126)
    different: list[str] = []
    yes = 0
    for start in range(0, wanted, 1000):
        pairs = [_apart(rng, n) for n in range(start, min(start + 1000, wanted))]
        both = zip(pairs, _ours_apart(pairs), _theirs_apart(peer, pairs), strict=True)
        for pair, ours, theirs in both:
            yes += theirs == "yes"
            if ours != theirs:
                different.append(f"ours {ours}, theirs {theirs}: {json.dumps(pair)}")
    assert different == [], f"{len(different)} of {wanted}: {different[0]}"
    assert 0.05 < yes / wanted < 0.9


# sts:AssumeRole


def _trust(rng: random.Random, number: int) -> dict[str, Any]:
    """Who is trusted by whom: without conditions, because a caller's own request decides there."""
    a, b = f"{400000000000 + 2 * number}", f"{400000000001 + 2 * number}"
    kind = rng.choice(("user", "role"))
    arn, home = f"arn:aws:iam::{a}:{kind}/p", rng.choice((a, a, b))
    role = f"arn:aws:iam::{home}:role/target"
    whom = ({"AWS": arn}, {"AWS": a}, {"AWS": f"arn:aws:iam::{a}:root"}, {"AWS": f"arn:aws:iam::{home}:root"},
            {"AWS": f"arn:aws:iam::{a}:{kind}/other"}, {"Service": "ec2.amazonaws.com"},
            {"AWS": [f"arn:aws:iam::{b}:root", arn]},
            *(({"AWS": f"arn:aws:sts::{a}:assumed-role/p/now"},) if kind == "role" else ()))  # fmt: skip

    def said(*principals: Any) -> dict[str, Any]:
        out = {"Effect": rng.choice(("Allow", "Allow", "Allow", "Deny")),
               "Action": rng.choice(("sts:AssumeRole", "sts:*", "sts:AssumeRole", "sts:TagSession", "*"))}  # fmt: skip
        if principals:
            return out | {"Principal": rng.choice(principals)}
        return out | {
            "Resource": rng.choice(
                ("*", role, f"arn:aws:iam::{home}:role/*", f"arn:aws:iam::{home}:role/x")
            )
        }

    def document(*principals: Any) -> dict[str, Any]:
        found = [said(*principals) for _ in range(rng.choice((1, 1, 2)))]
        for statement in found if principals else ():
            if statement["Action"] == "*":  # no action of a trust policy
                statement["Action"] = "sts:*"
        return {"Version": "2012-10-17", "Statement": found}

    return {"number": number, "a": a, "b": b, "arn": arn, "kind": kind, "role": role, "owner": home, "rcps": [],
            "session": f"arn:aws:sts::{a}:assumed-role/p/now" if kind == "role" else arn,
            "action": "sts:AssumeRole", "resource": role, "context": {}, "identity": [document()],
            "boundary": document() if rng.random() < 0.3 else None, "own": document(*whom),
            "scps": [[FULL]] if rng.random() < 0.7 else [[document()]]}  # fmt: skip


def _assumed(pairs: list[dict[str, Any]]) -> list[str]:
    estate = _estate_apart(pairs)
    for pair in pairs:
        estate.add(Item(pair["role"], "aws_iam_role", "target", "aws", pair["owner"], "", {}, {
            "RoleName": "target", "Path": "/", "RolePolicyList": [], "AssumeRolePolicyDocument": pair["own"]}))  # fmt: skip
    world = World(estate)
    trusts = Trusts(world, Evaluator(world))
    return [trusts.assume(world.principals[p["arn"]].persona, world.principals[p["role"]]).value
            for p in pairs]  # fmt: skip


def test_who_assumes_which_role_is_judged_alike(peer: Path) -> None:
    rng = random.Random(7)
    pairs = [_trust(rng, n) for n in range(int(os.environ.get("SECINBOX_IAM_PAIRS", "10000")) // 5)]
    both = zip(pairs, _assumed(pairs), _theirs_apart(peer, pairs), strict=True)
    told = [(ours, theirs, pair) for pair, ours, theirs in both]
    different = [f"ours {o}, theirs {t}: {json.dumps(p)}" for o, t, p in told if o != t]
    assert different == [], f"{len(different)} of {len(pairs)}: {different[0]}"
    assert 0.05 < sum(t == "yes" for _, t, _ in told) / len(pairs) < 0.95


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
