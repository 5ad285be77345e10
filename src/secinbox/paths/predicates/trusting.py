"""Whether the role that something is given trusts the service which fetches its credentials."""

from __future__ import annotations

from secinbox.iam.trusts import trusts_service
from secinbox.paths.predicates import Judgement, Pair, check
from secinbox.paths.world import World

# What runs -> the service that assumes its role.
_SERVICES = {
    "aws_ec2_instance": "ec2.amazonaws.com",
    "aws_codebuild_project": "codebuild.amazonaws.com",
    "aws_lambda_function": "lambda.amazonaws.com",
    "aws_ecs_service": "ecs-tasks.amazonaws.com",
    "aws_ecs_task": "ecs-tasks.amazonaws.com",
}


@check
def role_trusts_its_service(world: World, pair: Pair) -> Judgement:
    """A role whose trust policy names another service gives no credentials here."""
    item = world.estate.find(pair.source)
    role = world.escalation.world.principals.get(pair.target)
    service = _SERVICES.get(item.type, "") if item is not None else ""
    if not service or role is None or role.trust is None:
        return Judgement(True)
    value = trusts_service(role.trust, service, role.account)
    if value is False:
        return Judgement(False, f"the trust policy of {world.label(pair.target)} does not let "
                                f"{service} in")  # fmt: skip
    return Judgement(value, "" if value else f"whether its trust policy lets {service} in")
