"""Tables of functions, containers, jobs and other things that run code."""

from __future__ import annotations

from typing import Any

from secinbox.inventory._tables.rows import (
    Answer,
    Made,
    Row,
    described,
    first,
    listed,
    paths,
    policy,
    pruned,
    tags_of,
    text,
    together,
    told,
)

_FUNCTION = paths("name=FunctionName arn=FunctionArn vpc_id=VpcConfig.VpcId "
                  "vpc_subnet_ids=VpcConfig.SubnetIds "
                  "vpc_security_group_ids=VpcConfig.SecurityGroupIds kms_key_arn=KMSKeyArn "
                  "environment_variables=Environment.Variables policy=- url_config=- code=- "
                  "reserved_concurrent_executions=-")  # fmt: skip


def function(row: Row) -> Made:
    configuration = row.get("configuration")
    if isinstance(configuration, dict):
        found: dict[str, Any] = pruned(configuration)
        found |= {"Tags": tags_of(row)} if tags_of(row) else {}
    else:
        found = described(row, _FUNCTION)
    found["FunctionArn"] = first(row, "arn") or found.get("FunctionArn")
    yield Answer("lambda.list_functions", {"Functions": [found]})
    asked = {"FunctionName": str(found["FunctionArn"])}
    document = first(row, "policy", "policy_document")
    # Null is "none" as well as "not to be seen"; who may read the code may read the policy.
    seen = isinstance(row.get("code"), dict)
    if document is not None:
        yield Answer("lambda.get_policy", {"Policy": text(document)}, asked)
    elif seen and ("policy" in row or "policy_document" in row):
        yield Answer("lambda.get_policy", {"Error": "ResourceNotFoundException"}, asked)
    if isinstance(row.get("url_config"), dict):
        answer = {"FunctionArn": asked["FunctionName"], **row["url_config"]}
        yield Answer("lambda.get_function_url_config", answer, asked)
    elif seen and "url_config" in row:
        yield Answer(
            "lambda.get_function_url_config", {"Error": "ResourceNotFoundException"}, asked
        )


def url_config(row: Row) -> Made:
    arn = str(row["function_arn"])
    yield Answer("lambda.get_function_url_config", described(row), {"FunctionName": arn})


def layer_version(row: Row) -> Made:
    document = first(row, "policy")
    arn = str(first(row, "layer_version_arn", "arn") or "")
    words = arn.split(":")
    if document is not None and len(words) == 8:
        yield Answer("lambda.get_layer_version_policy", {"Policy": text(document)},
                     {"LayerName": words[6], "VersionNumber": words[7]})  # fmt: skip


def task_definition(row: Row) -> Made:
    found = described(row, {"arn": "taskDefinitionArn"}, lower=True)
    unsaid: tuple[str, ...] = ()
    if "task_role_arn" not in row:
        found["taskRoleArn"], unsaid = "", ("taskRoleArn",)
    yield Answer("ecs.describe_task_definition",
                 {"taskDefinition": found, "tags": tags_of(row)}, None, unsaid)  # fmt: skip


def eks_cluster(row: Row) -> Made:
    found = described(row, lower=True)
    yield Answer("eks.describe_cluster", {"cluster": found}, {"name": str(row.get("name"))})


_REPOSITORY = listed(
    "ecr.describe_repositories",
    """
    policy=- lifecycle_policy=- repository_scanning_configuration=- last_evaluated_at=-""",
)
repository_policy = policy("ecr.get_repository_policy", "repositoryName=repository_name",
                           "policy", "policy_text", "policy_json", key="policyText")  # fmt: skip
repository = together(_REPOSITORY, repository_policy)


def repository_image(row: Row) -> Made:
    found = described(row, {"image_scan_findings_summary": "-"}, lower=True)
    yield Answer("ecr.describe_images", {"imageDetails": [found]})


def managed_instance(row: Row) -> Made:
    found = described(row, {"ip_address": "IPAddress"})
    yield Answer("ssm.describe_instance_information", {"InstanceInformationList": [found]})


cluster = listed("ecs.describe_clusters")
service = listed("ecs.describe_services")
task = listed("ecs.describe_tasks")
container_instance = listed("ecs.describe_container_instances")
event_source = listed("lambda.list_event_source_mappings", "uuid=UUID arn=EventSourceArn")
apprunner = told("apprunner.describe_service", "Service", "ServiceArn=arn", "arn=ServiceArn")
state_machine = told("stepfunctions.describe_state_machine", "", "stateMachineArn=arn",
                     "arn=stateMachineArn", lower=True)  # fmt: skip
notebook = told("sagemaker.describe_notebook_instance", "", "NotebookInstanceName=name",
                "arn=NotebookInstanceArn name=NotebookInstanceName")  # fmt: skip
project = listed("codebuild.batch_get_projects")
stack = listed(
    "cloudformation.describe_stacks",
    """
    id=StackId status=StackStatus role_arn=RoleARN arn=StackId""",
)
stack_set = told("cloudformation.describe_stack_set", "StackSet", "StackSetName=stack_set_name",
                 "arn=StackSetARN administration_role_arn=AdministrationRoleARN")  # fmt: skip
deployment_group = listed("codedeploy.batch_get_deployment_groups", "arn=-")
job_definition = listed("batch.describe_job_definitions")
job_queue = listed("batch.describe_job_queues")
job = listed("glue.get_jobs", "arn=-")
dev_endpoint = listed("glue.get_dev_endpoints", "arn=-")
schedule = listed("scheduler.list_schedules")
emr = listed("emr.list_clusters", "cluster_arn=ClusterArn state=-")
