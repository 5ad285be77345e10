"""What runs on order: containers, builds, stacks, notebooks; and settings and passwords of users."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from secinbox.inventory.terraform.answers import Answer, Blocks, answer, filled
from secinbox.inventory.terraform.blocks import Block


def answers(blocks: Blocks) -> Iterator[Answer]:
    for b in blocks.of("aws_ecs_cluster"):
        cluster = filled(clusterArn=b.arn, clusterName=b.text("name"), status="ACTIVE")
        yield answer("ecs.describe_clusters", {"clusters": [cluster]}, b)
    for b in blocks.of("aws_ecs_task_definition"):
        yield _definition(b)
    for b in blocks.of("aws_ecs_service"):
        network = b.first("network_configuration")
        given = network.values.get("assign_public_ip")
        service = filled(
            serviceArn=b.arn or b.text("id"), serviceName=b.text("name"), status="ACTIVE",
            clusterArn=b.text("cluster"), taskDefinition=b.text("task_definition"),
            launchType=b.text("launch_type"), desiredCount=b.number("desired_count"),
            networkConfiguration={"awsvpcConfiguration": filled(
                subnets=network.texts("subnets"), securityGroups=network.texts("security_groups"),
                assignPublicIp=None if given is None else "ENABLED" if given is True else "DISABLED",
            )} if network.values else None,
            loadBalancers=[{"targetGroupArn": r.text("target_group_arn")}
                           for r in b.rows("load_balancer") if r.text("target_group_arn")],
        )  # fmt: skip
        yield answer("ecs.describe_services", {"services": [service]}, b)
    for b in blocks.of("aws_codebuild_project"):
        project = filled(arn=b.arn, name=b.text("name"), serviceRole=b.text("service_role"),
                         buildBatchConfig={} if b.rows("build_batch_config") else None)  # fmt: skip
        yield answer("codebuild.batch_get_projects", {"projects": [project]}, b)
    for b in blocks.of("aws_cloudformation_stack"):
        stack = filled(StackId=b.arn or b.text("id"), StackName=b.text("name"),
                       RoleARN=b.text("iam_role_arn"), StackStatus="CREATE_COMPLETE")  # fmt: skip
        yield answer("cloudformation.describe_stacks", {"Stacks": [stack]}, b)
    for b in blocks.of("aws_cloudformation_stack_set"):
        stacks = filled(
            StackSetARN=b.arn, StackSetName=b.text("name"), Status="ACTIVE",
            StackSetId=b.text("stack_set_id"), PermissionModel=b.text("permission_model"),
            AdministrationRoleARN=b.text("administration_role_arn"),
            ExecutionRoleName=b.text("execution_role_name"),
        )  # fmt: skip
        yield answer("cloudformation.describe_stack_set", {"StackSet": stacks}, b,
                     StackSetName=b.text("name"))  # fmt: skip
    for b in blocks.of("aws_sagemaker_notebook_instance"):
        notebook = filled(
            NotebookInstanceArn=b.arn, NotebookInstanceName=b.text("name"),
            NotebookInstanceStatus="InService", RoleArn=b.text("role_arn"),
            DirectInternetAccess=b.text("direct_internet_access"),
        )  # fmt: skip
        yield answer("sagemaker.describe_notebook_instance", notebook, b,
                     NotebookInstanceName=b.text("name"))  # fmt: skip
    for b in blocks.of("aws_ssm_parameter"):
        parameter = filled(
            Name=b.text("name"), Type=b.text("type"), Tier=b.text("tier") or "Standard",
            KeyId=b.text("key_id"), Tags=b.tags,
        )  # fmt: skip
        yield answer("ssm.describe_parameters", {"Parameters": [parameter]}, b)
    for b in blocks.of("aws_iam_user_login_profile"):
        owner = next((u.arn for u in blocks.where(b.text("user"), "name", "aws_iam_user")), "")
        if owner:
            yield answer("iam.get_login_profile", {"LoginProfile": {"UserName": b.text("user")}}, b,
                         arn=owner, UserName=owner)  # fmt: skip


def _definition(b: Block) -> Answer:
    text = b.text("container_definitions")
    try:
        found: Any = json.loads(text) if text else None
    except (ValueError, RecursionError):
        found = None
    containers = [c for c in found if isinstance(c, dict)] if isinstance(found, list) else None
    definition = filled(
        taskDefinitionArn=b.arn, family=b.text("family"), taskRoleArn=b.text("task_role_arn"),
        executionRoleArn=b.text("execution_role_arn"), networkMode=b.text("network_mode"),
        pidMode=b.text("pid_mode"), requiresCompatibilities=b.texts("requires_compatibilities"),
        containerDefinitions=[_without_secrets(c) for c in containers] if containers else None,
        volumes=[filled(name=v.text("name"), host=filled(sourcePath=v.text("host_path")))
                 for v in b.rows("volume")] or None,
    )  # fmt: skip
    return answer("ecs.describe_task_definition", {"taskDefinition": definition}, b)


def _without_secrets(container: dict[str, Any]) -> dict[str, Any]:
    """The names of its variables, not their values."""
    out = dict(container)
    if isinstance(out.get("environment"), list):
        out["environment"] = [
            {"name": e.get("name")} for e in out["environment"] if isinstance(e, dict)
        ]
    return out
