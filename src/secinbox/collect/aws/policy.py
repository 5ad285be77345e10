"""The least-privilege policy that the collection needs, made from its table of calls."""

from __future__ import annotations

import json
from typing import Any

from secinbox.collect.aws.calls import CALLS, LAST_ACCESSED, PREPARING, Call

# Services whose actions bear another prefix than their name in the client libraries.
_PREFIXES = {
    "elbv2": "elasticloadbalancing", "elb": "elasticloadbalancing", "efs": "elasticfilesystem",
    "opensearch": "es", "stepfunctions": "states", "emr": "elasticmapreduce", "s3control": "s3",
    "resourcegroupstaggingapi": "tag", "sso-admin": "sso", "apigatewayv2": "apigateway",
    "bedrock-agentcore-control": "bedrock-agentcore",
}  # fmt: skip
# Operations whose action has another name; what is not here has its own.
_ACTIONS = {
    "s3.ListBuckets": "s3:ListAllMyBuckets",
    "s3.GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3.GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3.GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3control.GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
    "kafka.ListClusters": "kafka:ListClusters",
    "efs.DescribeFileSystems": "elasticfilesystem:DescribeFileSystems",
}


def action_of(call: Call) -> str:
    """The IAM action that a call needs. API Gateway knows HTTP verbs only."""
    if call.service in ("apigateway", "apigatewayv2"):
        return "apigateway:GET"
    prefix = _PREFIXES.get(call.service, call.service)
    return _ACTIONS.get(f"{call.service}.{call.name}") or f"{prefix}:{call.name}"


def policy(last_accessed: bool = False, organization: bool = False) -> dict[str, Any]:
    """An identity policy; reading only, and nothing of the data itself."""
    calls = [*CALLS, *PREPARING, *(LAST_ACCESSED if last_accessed else ())]
    # What everybody may always ask needs no permission.
    actions = sorted({action_of(c) for c in calls} - {"sts:GetCallerIdentity"})
    statements: list[dict[str, Any]] = [
        {"Sid": "SecinboxReads", "Effect": "Allow", "Action": actions, "Resource": "*"}
    ]
    if organization:
        statements.append(
            {
                "Sid": "SecinboxEntersAccounts",
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Resource": "arn:aws:iam::*:role/ROLE",
            }
        )
    return {"Version": "2012-10-17", "Statement": statements}


# What AWS takes as one managed policy, white space aside ("IAM and AWS STS quotas").
MOST = 6144


def size(document: dict[str, Any]) -> int:
    """Characters of a policy as AWS counts them."""
    return len(json.dumps(document, separators=(",", ":")))


def parts(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The policy as managed policies, each small enough for AWS; together they allow the same."""
    reads, *others = document["Statement"]
    out: list[dict[str, Any]] = []
    left = list(reads["Action"])
    while left:
        count = len(left)
        while True:
            statement = {**reads, "Action": left[:count]}
            made = {**document, "Statement": [statement, *(() if out else others)]}
            if size(made) <= MOST:
                break
            count -= 1
        out.append(made)
        left = left[count:]
    return out
