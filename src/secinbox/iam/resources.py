"""Which policy hangs on a resource: of buckets, queues, topics, keys, secrets, functions, roles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.estate import Estate
from secinbox.iam.policy import Policy, parse
from secinbox.inventory.aws.answers import Unread, answer
from secinbox.inventory.aws.calls import walk

# type -> (call, path of the policy in its answer)
_WHERE = {
    "aws_s3_bucket": ("get_bucket_policy", "Policy"),
    "aws_sqs_queue": ("get_queue_attributes", "Attributes.Policy"),
    "aws_sns_topic": ("get_topic_attributes", "Attributes.Policy"),
    "aws_kms_key": ("get_key_policy", "Policy"),
    "aws_secretsmanager_secret": ("get_resource_policy", "ResourcePolicy"),
    "aws_lambda_function": ("get_policy", "Policy"),
    "aws_ecr_repository": ("get_repository_policy", "policyText"),
    "aws_dynamodb_table": ("get_resource_policy", "Policy"),
}


def was_read(estate: Estate, resource: str) -> bool:
    """Whether anybody asked for the resource's policy (there may be none)."""
    item = estate.items.get(_named(resource))
    return item is not None and item.type in _WHERE and not isinstance(
        answer(item, _WHERE[item.type][0]), Unread)  # fmt: skip


def _named(resource: str) -> str:
    """The bucket of an object; anything else itself."""
    in_s3 = resource.startswith("arn:") and resource.split(":")[2] == "s3"
    return resource.split("/", 1)[0] if in_s3 else resource


def policy_of(estate: Estate, resource: str) -> Policy | None:
    """The resource policy, or None where there is none (or none was read)."""
    uid = _named(resource)
    item = estate.items.get(uid)
    if item is None or item.type not in _WHERE:
        return None
    call, path = _WHERE[item.type]
    found: Any = answer(item, call)
    if not isinstance(found, dict):
        return None
    document = next(walk(found, path), None)
    return parse(document, f"policy of {item.name or uid}") if document else None


def policies(estate: Estate) -> Iterator[Policy]:
    """All policies of resources that were read."""
    for item in estate.of_type(*_WHERE):
        found = policy_of(estate, item.uid)
        if found is not None:
            yield found
