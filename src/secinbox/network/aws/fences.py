"""Resource control policies: what an organisation denies strangers, whatever a resource's own policy says.

They bind the resources of member accounts, for the services that AWS lists. Source: AWS Organizations
User Guide, "Resource control policies (RCPs)".
"""

from __future__ import annotations

from collections.abc import Iterable

from secinbox.estate import Estate, Item
from secinbox.iam.policy import Policy, Statement
from secinbox.iam.world import guardrails
from secinbox.network.aws.policies import Surroundings, admits_strangers
from secinbox.network.verdict import Verdict, both

_ANYONE = (("*", "*"),)
# What a stranger would do with a resource of each type that these policies bind.
_ACTIONS: dict[str, tuple[str, ...]] = {
    "aws_sqs_queue": ("sqs:sendmessage", "sqs:receivemessage"),
    "aws_kms_key": ("kms:decrypt", "kms:encrypt"),
    "aws_secretsmanager_secret": ("secretsmanager:getsecretvalue", "secretsmanager:putsecretvalue"),
    "aws_ecr_repository": ("ecr:batchgetimage", "ecr:putimage"),
    "aws_dynamodb_table": ("dynamodb:getitem", "dynamodb:putitem"),
    "aws_s3_bucket": ("s3:getobject", "s3:putobject"),
    "aws_s3_accesspoint": ("s3:getobject", "s3:putobject"),
}


def fenced(estate: Estate, item: Item, verdict: Verdict) -> Verdict:
    """The verdict of a resource's own policy, unless its organisation denies it."""
    if verdict.value == "no" or not item.account:
        return verdict
    actions: Iterable[str] = _ACTIONS.get(item.type, ())
    if item.type == "aws_iam_role":
        federated = any("sts:AssumeRoleWithWebIdentity" in e.steps for e in verdict.evidence)
        actions = ("sts:assumerolewithwebidentity" if federated else "sts:assumerole",)
    denies = [
        s
        for level in guardrails(estate, item.account).resource
        for policy in level
        for s in policy.statements
        if s.effect != "Allow" and any(s.about(a) for a in actions)
    ]
    if not denies:
        return verdict
    anything = Statement("Allow", actions=("*",), resources=("*",), principals=_ANYONE)
    policy = Policy((anything, *denies), "organisation's policy")
    resource = f"{item.uid}/*" if item.type.startswith("aws_s3") else item.uid
    around = Surroundings(item.account, item.tags)
    gate = admits_strangers(policy, actions, resource, around, "organisation's policy")
    return verdict if gate.value == "yes" else both([verdict, gate])
