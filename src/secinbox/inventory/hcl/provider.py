"""What the providers will make of a resource's arguments: its identity, and defaults they document.

Identifiers that a cloud invents (`i-...`, `sg-...`) are marks made of the resource's address. Source:
the schemas of the providers (registry.terraform.io) and the ARN formats of the AWS service
authorization reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Type -> its ARN. {p} partition, {r} region, {a} account, {id} the id; the rest are arguments.
_ARNS = {
    "aws_iam_user": "arn:{p}:iam::{a}:user{path}{name}",
    "aws_iam_role": "arn:{p}:iam::{a}:role{path}{name}",
    "aws_iam_group": "arn:{p}:iam::{a}:group{path}{name}",
    "aws_iam_policy": "arn:{p}:iam::{a}:policy{path}{name}",
    "aws_iam_instance_profile": "arn:{p}:iam::{a}:instance-profile{path}{name}",
    "aws_s3_bucket": "arn:{p}:s3:::{bucket}",
    "aws_lambda_function": "arn:{p}:lambda:{r}:{a}:function:{function_name}",
    "aws_sqs_queue": "arn:{p}:sqs:{r}:{a}:{name}",
    "aws_sns_topic": "arn:{p}:sns:{r}:{a}:{name}",
    "aws_dynamodb_table": "arn:{p}:dynamodb:{r}:{a}:table/{name}",
    "aws_secretsmanager_secret": "arn:{p}:secretsmanager:{r}:{a}:secret:{name}-{id}",
    "aws_ssm_parameter": "arn:{p}:ssm:{r}:{a}:parameter/{name}",
    "aws_kms_key": "arn:{p}:kms:{r}:{a}:key/{id}",
    "aws_ecr_repository": "arn:{p}:ecr:{r}:{a}:repository/{name}",
    "aws_db_instance": "arn:{p}:rds:{r}:{a}:db:{identifier}",
    "aws_rds_cluster": "arn:{p}:rds:{r}:{a}:cluster:{cluster_identifier}",
    "aws_db_snapshot": "arn:{p}:rds:{r}:{a}:snapshot:{db_snapshot_identifier}",
    "aws_redshift_cluster": "arn:{p}:redshift:{r}:{a}:cluster:{cluster_identifier}",
    "aws_eks_cluster": "arn:{p}:eks:{r}:{a}:cluster/{name}",
    "aws_eks_pod_identity_association": "arn:{p}:eks:{r}:{a}:podidentityassociation/{cluster_name}/{id}",
    "aws_eks_access_entry": "arn:{p}:eks:{r}:{a}:access-entry/{cluster_name}/{id}",
    "aws_rolesanywhere_profile": "arn:{p}:rolesanywhere:{r}:{a}:profile/{id}",
    "aws_rolesanywhere_trust_anchor": "arn:{p}:rolesanywhere:{r}:{a}:trust-anchor/{id}",
    "aws_transfer_user": "arn:{p}:transfer:{r}:{a}:user/{server_id}/{user_name}",
    "aws_ecs_cluster": "arn:{p}:ecs:{r}:{a}:cluster/{name}",
    "aws_ecs_service": "arn:{p}:ecs:{r}:{a}:service/{name}",
    "aws_ecs_task_definition": "arn:{p}:ecs:{r}:{a}:task-definition/{family}:1",
    "aws_codebuild_project": "arn:{p}:codebuild:{r}:{a}:project/{name}",
    "aws_cloudtrail": "arn:{p}:cloudtrail:{r}:{a}:trail/{name}",
    "aws_sagemaker_notebook_instance": "arn:{p}:sagemaker:{r}:{a}:notebook-instance/{name}",
    "aws_cloudformation_stack": "arn:{p}:cloudformation:{r}:{a}:stack/{name}/{id}",
    "aws_cloudformation_stack_set": "arn:{p}:cloudformation:{r}:{a}:stackset/{name}:{id}",
    "aws_opensearch_domain": "arn:{p}:es:{r}:{a}:domain/{domain_name}",
    "aws_elasticsearch_domain": "arn:{p}:es:{r}:{a}:domain/{domain_name}",
    "aws_elb": "arn:{p}:elasticloadbalancing:{r}:{a}:loadbalancer/{name}",
    "aws_rds_cluster_instance": "arn:{p}:rds:{r}:{a}:db:{identifier}",
    "aws_lb": "arn:{p}:elasticloadbalancing:{r}:{a}:loadbalancer/{load_balancer_type}/{name}/{id}",
    "aws_alb": "arn:{p}:elasticloadbalancing:{r}:{a}:loadbalancer/{load_balancer_type}/{name}/{id}",
    "aws_lb_target_group": "arn:{p}:elasticloadbalancing:{r}:{a}:targetgroup/{name}/{id}",
    "aws_alb_target_group": "arn:{p}:elasticloadbalancing:{r}:{a}:targetgroup/{name}/{id}",
    "aws_lb_listener": "arn:{p}:elasticloadbalancing:{r}:{a}:listener/{id}",
    "aws_alb_listener": "arn:{p}:elasticloadbalancing:{r}:{a}:listener/{id}",
    "aws_cloudwatch_log_group": "arn:{p}:logs:{r}:{a}:log-group:{name}",
    "aws_instance": "arn:{p}:ec2:{r}:{a}:instance/{id}",
    "aws_vpc": "arn:{p}:ec2:{r}:{a}:vpc/{id}",
    "aws_subnet": "arn:{p}:ec2:{r}:{a}:subnet/{id}",
    "aws_security_group": "arn:{p}:ec2:{r}:{a}:security-group/{id}",
    "aws_internet_gateway": "arn:{p}:ec2:{r}:{a}:internet-gateway/{id}",
    "aws_route_table": "arn:{p}:ec2:{r}:{a}:route-table/{id}",
    "aws_network_acl": "arn:{p}:ec2:{r}:{a}:network-acl/{id}",
    "aws_ebs_snapshot": "arn:{p}:ec2:{r}::snapshot/{id}",
    "aws_ami": "arn:{p}:ec2:{r}::image/{id}",
    "aws_api_gateway_rest_api": "arn:{p}:apigateway:{r}::/restapis/{id}",
    "aws_apigatewayv2_api": "arn:{p}:apigateway:{r}::/apis/{id}",
    "aws_api_gateway_domain_name": "arn:{p}:apigateway:{r}::/domainnames/{domain_name}",
    "aws_apigatewayv2_domain_name": "arn:{p}:apigateway:{r}::/domainnames/{domain_name}",
    "aws_apprunner_service": "arn:{p}:apprunner:{r}:{a}:service/{service_name}/{id}",
    "aws_appsync_graphql_api": "arn:{p}:appsync:{r}:{a}:apis/{id}",
    "aws_autoscaling_group": "arn:{p}:autoscaling:{r}:{a}:autoScalingGroup:{id}:autoScalingGroupName/{name}",
    "aws_backup_vault": "arn:{p}:backup:{r}:{a}:backup-vault:{name}",
    "aws_batch_job_definition": "arn:{p}:batch:{r}:{a}:job-definition/{name}:1",
    "aws_batch_job_queue": "arn:{p}:batch:{r}:{a}:job-queue/{name}",
    "aws_cloudwatch_event_bus": "arn:{p}:events:{r}:{a}:event-bus/{name}",
    "aws_cloudwatch_event_rule": "arn:{p}:events:{r}:{a}:rule/{name}",
    "aws_codeartifact_domain": "arn:{p}:codeartifact:{r}:{a}:domain/{domain}",
    "aws_codeartifact_repository": "arn:{p}:codeartifact:{r}:{a}:repository/{domain}/{repository}",
    "aws_cognito_identity_pool": "arn:{p}:cognito-identity:{r}:{a}:identitypool/{id}",
    "aws_docdb_cluster": "arn:{p}:rds:{r}:{a}:cluster:{cluster_identifier}",
    "aws_docdb_cluster_instance": "arn:{p}:rds:{r}:{a}:db:{identifier}",
    "aws_ec2_transit_gateway": "arn:{p}:ec2:{r}:{a}:transit-gateway/{id}",
    "aws_efs_file_system": "arn:{p}:elasticfilesystem:{r}:{a}:file-system/{id}",
    "aws_elasticache_cluster": "arn:{p}:elasticache:{r}:{a}:cluster:{cluster_id}",
    "aws_elasticache_replication_group": "arn:{p}:elasticache:{r}:{a}:replicationgroup:{replication_group_id}",
    "aws_glacier_vault": "arn:{p}:glacier:{r}:{a}:vaults/{name}",
    "aws_glue_job": "arn:{p}:glue:{r}:{a}:job/{name}",
    "aws_kinesis_stream": "arn:{p}:kinesis:{r}:{a}:stream/{name}",
    "aws_lambda_layer_version": "arn:{p}:lambda:{r}:{a}:layer:{layer_name}:1",
    "aws_launch_template": "arn:{p}:ec2:{r}:{a}:launch-template/{id}",
    "aws_lightsail_instance": "arn:{p}:lightsail:{r}:{a}:Instance/{id}",
    "aws_mq_broker": "arn:{p}:mq:{r}:{a}:broker:{broker_name}:{id}",
    "aws_msk_cluster": "arn:{p}:kafka:{r}:{a}:cluster/{cluster_name}/{id}",
    "aws_msk_serverless_cluster": "arn:{p}:kafka:{r}:{a}:cluster/{cluster_name}/{id}",
    "aws_neptune_cluster": "arn:{p}:rds:{r}:{a}:cluster:{cluster_identifier}",
    "aws_neptune_cluster_instance": "arn:{p}:rds:{r}:{a}:db:{identifier}",
    "aws_redshiftserverless_workgroup": "arn:{p}:redshift-serverless:{r}:{a}:workgroup/{id}",
    "aws_s3_access_point": "arn:{p}:s3:{r}:{a}:accesspoint/{name}",
    "aws_scheduler_schedule": "arn:{p}:scheduler:{r}:{a}:schedule/default/{name}",
    "aws_sfn_state_machine": "arn:{p}:states:{r}:{a}:stateMachine:{name}",
    "aws_ssm_document": "arn:{p}:ssm:{r}:{a}:document/{name}",
    "aws_transfer_server": "arn:{p}:transfer:{r}:{a}:server/{id}",
}
# Type -> which argument is also its id; every other id is invented by the cloud.
_IDS = {
    "aws_iam_user": "name", "aws_iam_role": "name", "aws_iam_group": "name",
    "aws_iam_instance_profile": "name", "aws_s3_bucket": "bucket",
    "aws_lambda_function": "function_name", "aws_dynamodb_table": "name",
    "aws_ssm_parameter": "name", "aws_ecr_repository": "name", "aws_db_instance": "identifier",
    "aws_rds_cluster": "cluster_identifier", "aws_elb": "name",
    "aws_rds_cluster_instance": "identifier", "aws_redshift_cluster": "cluster_identifier",
    "aws_eks_cluster": "name", "aws_db_subnet_group": "name", "aws_key_pair": "key_name",
    "aws_sagemaker_notebook_instance": "name", "aws_cloudformation_stack_set": "name", "aws_iam_user_policy": "name",
    "aws_autoscaling_group": "name", "aws_cloudwatch_event_bus": "name",
    "aws_cloudwatch_event_rule": "name", "aws_backup_vault": "name", "aws_ssm_document": "name",
    "aws_docdb_cluster": "cluster_identifier", "aws_neptune_cluster": "cluster_identifier",
    "aws_docdb_cluster_instance": "identifier", "aws_neptune_cluster_instance": "identifier",
    "aws_glue_job": "name", "google_storage_bucket": "name",
}  # fmt: skip
_ARN_IDS = frozenset({
    "aws_iam_policy", "aws_sns_topic", "aws_secretsmanager_secret", "aws_ecs_cluster", "aws_lb",
    "aws_alb", "aws_lb_target_group", "aws_alb_target_group", "aws_lb_listener", "aws_alb_listener",
    "aws_codebuild_project", "aws_ecs_service", "aws_cloudformation_stack", "aws_apprunner_service",
    "aws_sfn_state_machine", "aws_msk_cluster", "aws_lambda_layer_version", "aws_kinesis_stream",
    "aws_codeartifact_domain", "aws_codeartifact_repository", "aws_batch_job_queue",
})  # fmt: skip
_PREFIXES = {
    "aws_instance": "i-", "aws_vpc": "vpc-", "aws_subnet": "subnet-", "aws_security_group": "sg-",
    "aws_internet_gateway": "igw-", "aws_nat_gateway": "nat-", "aws_route_table": "rtb-",
    "aws_network_acl": "acl-", "aws_network_interface": "eni-", "aws_ebs_volume": "vol-",
    "aws_ebs_snapshot": "snap-", "aws_ami": "ami-", "aws_vpc_peering_connection": "pcx-",
    "aws_ec2_transit_gateway": "tgw-", "aws_vpc_endpoint": "vpce-", "aws_default_vpc": "vpc-",
    "aws_default_subnet": "subnet-", "aws_default_security_group": "sg-",
    "aws_egress_only_internet_gateway": "eigw-", "aws_launch_template": "lt-",
    "aws_efs_file_system": "fs-", "aws_transfer_server": "s-", "aws_mq_broker": "b-",
    "aws_ec2_transit_gateway_vpc_attachment": "tgw-attach-",
    "aws_ec2_transit_gateway_route_table": "tgw-rtb-", "aws_organizations_policy": "p-",
}  # fmt: skip
# What the provider documents as the value of an argument that is left out.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "aws_iam_user": {"path": "/"}, "aws_iam_role": {"path": "/"}, "aws_iam_group": {"path": "/"},
    "aws_iam_policy": {"path": "/"}, "aws_iam_instance_profile": {"path": "/"},
    "aws_iam_access_key": {"status": "Active"},
    "aws_db_instance": {"publicly_accessible": False, "storage_encrypted": False},
    "aws_subnet": {"map_public_ip_on_launch": False},
    "aws_lb": {"internal": False, "load_balancer_type": "application"},
    "aws_elb": {"internal": False},
    "aws_rds_cluster_instance": {"publicly_accessible": False},
    "aws_docdb_cluster_instance": {"publicly_accessible": False},
    "aws_neptune_cluster_instance": {"publicly_accessible": False},
    "aws_redshiftserverless_workgroup": {"publicly_accessible": False},
    "aws_mq_broker": {"publicly_accessible": False},
    "aws_api_gateway_rest_api": {"policy": "", "endpoint_configuration": [{"types": ["EDGE"]}],
                                 "disable_execute_api_endpoint": False},
    "aws_api_gateway_method": {"api_key_required": False},
    "aws_apigatewayv2_route": {"authorization_type": "NONE", "api_key_required": False},
    "aws_apprunner_service": {"network_configuration": [
        {"ingress_configuration": [{"is_publicly_accessible": True}]}]},
    "aws_appsync_graphql_api": {"visibility": "GLOBAL"},
    "aws_cognito_identity_pool": {"allow_unauthenticated_identities": False},
    "aws_transfer_server": {"endpoint_type": "PUBLIC", "protocols": ["SFTP"]},
    "aws_instance": {"iam_instance_profile": ""},
    "aws_launch_template": {"default_version": 1, "latest_version": 1},
    "aws_ssm_document": {"permissions": {}},
    "aws_s3_access_point": {"policy": "", "network_origin": "Internet"},
    "aws_alb": {"internal": False, "load_balancer_type": "application"},
    "aws_s3_bucket_public_access_block": {
        "block_public_acls": False, "ignore_public_acls": False, "block_public_policy": False,
        "restrict_public_buckets": False},
}  # fmt: skip
_AZURE = {
    "azurerm_storage_account": "Microsoft.Storage/storageAccounts",
    "azurerm_key_vault": "Microsoft.KeyVault/vaults",
    "azurerm_network_security_group": "Microsoft.Network/networkSecurityGroups",
    "azurerm_network_interface": "Microsoft.Network/networkInterfaces",
    "azurerm_public_ip": "Microsoft.Network/publicIPAddresses",
    "azurerm_virtual_network": "Microsoft.Network/virtualNetworks",
    "azurerm_linux_virtual_machine": "Microsoft.Compute/virtualMachines",
    "azurerm_windows_virtual_machine": "Microsoft.Compute/virtualMachines",
    "azurerm_virtual_machine": "Microsoft.Compute/virtualMachines",
    "azurerm_managed_disk": "Microsoft.Compute/disks",
    "azurerm_kubernetes_cluster": "Microsoft.ContainerService/managedClusters",
    "azurerm_container_registry": "Microsoft.ContainerRegistry/registries",
    "azurerm_mssql_server": "Microsoft.Sql/servers",
    "azurerm_sql_server": "Microsoft.Sql/servers",
    "azurerm_mysql_server": "Microsoft.DBforMySQL/servers",
    "azurerm_postgresql_server": "Microsoft.DBforPostgreSQL/servers",
    "azurerm_app_service": "Microsoft.Web/sites",
    "azurerm_linux_web_app": "Microsoft.Web/sites",
    "azurerm_windows_web_app": "Microsoft.Web/sites",
    "azurerm_linux_function_app": "Microsoft.Web/sites",
    "azurerm_application_gateway": "Microsoft.Network/applicationGateways",
    "azurerm_user_assigned_identity": "Microsoft.ManagedIdentity/userAssignedIdentities",
    "azurerm_cosmosdb_account": "Microsoft.DocumentDB/databaseAccounts",
}
_GOOGLE = {
    "google_compute_instance": "projects/{project}/zones/{zone}/instances/{name}",
    "google_compute_firewall": "projects/{project}/global/firewalls/{name}",
    "google_compute_network": "projects/{project}/global/networks/{name}",
    "google_compute_subnetwork": "projects/{project}/regions/{region}/subnetworks/{name}",
    "google_compute_disk": "projects/{project}/zones/{zone}/disks/{name}",
    "google_container_cluster": "projects/{project}/locations/{location}/clusters/{name}",
    "google_bigquery_dataset": "projects/{project}/datasets/{dataset_id}",
    "google_pubsub_topic": "projects/{project}/topics/{name}",
    "google_pubsub_subscription": "projects/{project}/subscriptions/{name}",
    "google_secret_manager_secret": "projects/{project}/secrets/{secret_id}",
    "google_sql_database_instance": "projects/{project}/instances/{name}",
    "google_service_account":
        "projects/{project}/serviceAccounts/{account_id}@{project}.iam.gserviceaccount.com",
    "google_project_iam_custom_role": "projects/{project}/roles/{role_id}",
    "google_cloud_run_v2_service": "projects/{project}/locations/{location}/services/{name}",
    "google_cloudfunctions_function": "projects/{project}/locations/{region}/functions/{name}",
    "google_cloudfunctions2_function": "projects/{project}/locations/{location}/functions/{name}",
}  # fmt: skip


@dataclass(frozen=True)
class Where:
    """Where the resources of one provider go."""

    account: str  # of AWS: twelve digits
    region: str
    project: str = ""
    zone: str = ""
    subscription: str = ""
    partition: str = "aws"


def defaults(kind: str) -> dict[str, Any]:
    """The documented values of arguments that are left out."""
    return _DEFAULTS.get(kind, {})


def computed(
    kind: str, name: str, mark: str, where: Where, argument: Callable[[str], str]
) -> str | None:
    """An attribute that no argument gives, or None. `argument`: an argument as text.

    mark: stands for the identifier that the cloud invents.
    """
    if kind.startswith("aws_"):
        return _aws(kind, name, mark, where, argument)
    if kind.startswith("google_"):
        return _google(kind, name, where, argument)
    if kind.startswith("azurerm_"):
        return _azure(kind, name, where, argument)
    return None


def _aws(
    kind: str, name: str, mark: str, where: Where, argument: Callable[[str], str]
) -> str | None:
    if name == "arn" and kind in _ARNS:

        def filled(found: re.Match[str]) -> str:
            word = found.group(1)
            given = {"p": where.partition, "r": where.region, "a": where.account}.get(word)
            if given is not None:
                return given
            text = _PREFIXES.get(kind, "") + mark if word == "id" else argument(word)
            return {"application": "app", "network": "net"}.get(text, text) if word == "load_balancer_type" else text  # fmt: skip

        return re.sub(r"\{(\w+)\}", filled, _ARNS[kind]).replace("parameter//", "parameter/")
    if name == "id":
        if kind == "aws_sqs_queue":
            return f"https://sqs.{where.region}.amazonaws.com/{where.account}/{argument('name')}"
        if kind in _IDS:
            return argument(_IDS[kind])
        if kind in _ARN_IDS:
            return _aws(kind, "arn", mark, where, argument)
        return _PREFIXES.get(kind, "") + mark
    if name == "url" and kind == "aws_sqs_queue":
        return _aws(kind, "id", mark, where, argument)
    if name == "key_id" and kind == "aws_kms_key":
        return mark
    if name == "owner_id":
        return where.account
    if name in ("unique_id", "primary_network_interface_id", "resource_id", "stack_set_id"):
        return mark
    return None


def _google(kind: str, name: str, where: Where, argument: Callable[[str], str]) -> str | None:
    places = {"project": where.project, "zone": where.zone, "region": where.region}
    if name in places:
        return places[name]
    if kind == "google_service_account":
        email = f"{argument('account_id')}@{argument('project')}.iam.gserviceaccount.com"
        if name == "email":
            return email
        if name == "member":
            return f"serviceAccount:{email}"
    wanted = "id" if name == "name" and kind == "google_service_account" else name
    if wanted == "id" and kind in _GOOGLE:
        return re.sub(r"\{(\w+)\}", lambda m: argument(m.group(1)), _GOOGLE[kind])
    if wanted == "id" and kind in _IDS:
        return argument(_IDS[kind])
    return None


def _azure(kind: str, name: str, where: Where, argument: Callable[[str], str]) -> str | None:
    if name != "id":
        return None
    subscription = f"/subscriptions/{where.subscription}"
    if kind == "azurerm_resource_group":
        return f"{subscription}/resourceGroups/{argument('name')}"
    if kind == "azurerm_subnet":
        group, network = argument("resource_group_name"), argument("virtual_network_name")
        base = f"{subscription}/resourceGroups/{group}/providers/Microsoft.Network"
        return f"{base}/virtualNetworks/{network}/subnets/{argument('name')}"
    if kind in _AZURE:
        group = argument("resource_group_name")
        return f"{subscription}/resourceGroups/{group}/providers/{_AZURE[kind]}/{argument('name')}"
    return None
