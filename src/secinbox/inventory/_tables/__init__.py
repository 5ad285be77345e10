"""Tables of AWS resources as Steampipe and CloudQuery make them, as the calls that they were made of.

A table may have been filtered by whoever exported it: it never says that an account was read
completely, and a column that is missing or null is not known. Where the rows of one table are parts
of one answer (the listeners of a balancer, the routes of an API) the resource says that it is a part.
Sources: the column lists of the AWS plugins of both (hub.steampipe.io, hub.cloudquery.io).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from secinbox.inventory._tables import computing, fronts, identity, network, sessions, stores
from secinbox.inventory._tables.naming import AWS, named_in
from secinbox.inventory._tables.rows import Maker, Row, camel, decoded, listed
from secinbox.inventory.aws.calls import Call
from secinbox.inventory.aws.elements import records_of
from secinbox.reading import ReportError
from secinbox.records import AnyRecord, Skipped

__all__ = [
    "TABLES",
    "Table",
    "camel",
    "columns_of",
    "records",
    "table_of",
]


@dataclass(frozen=True)
class Table:
    """`steampipe` and `cloudquery`: what they call it, "" for none; several names stand for tables
    with the same columns. `marks`: columns that together tell it from every other table."""

    steampipe: str
    cloudquery: str
    marks: str
    made: Maker

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.steampipe.split(), *self.cloudquery.split())


_ROLE = ("RoleDetailList", "Role", "RolePolicyList")
_USER = ("UserDetailList", "User", "UserPolicyList")
_GROUP = ("GroupDetailList", "Group", "GroupPolicyList")

ALL: tuple[Table, ...] = (
    # Networks and what is attached to them
    Table("aws_vpc", "aws_ec2_vpcs", "vpc_id dhcp_options_id instance_tenancy",
          listed("ec2.describe_vpcs")),
    Table("aws_vpc_subnet", "aws_ec2_subnets", "subnet_id cidr_block map_public_ip_on_launch",
          listed("ec2.describe_subnets")),
    Table("aws_vpc_route_table", "aws_ec2_route_tables", "route_table_id routes",
          listed("ec2.describe_route_tables")),
    Table("aws_vpc_network_acl", "aws_ec2_network_acls", "network_acl_id entries",
          listed("ec2.describe_network_acls")),
    Table("aws_vpc_security_group", "aws_ec2_security_groups", "group_id ip_permissions",
          listed("ec2.describe_security_groups")),
    Table("aws_vpc_internet_gateway", "aws_ec2_internet_gateways",
          "internet_gateway_id attachments", listed("ec2.describe_internet_gateways")),
    Table("aws_vpc_egress_only_internet_gateway", "aws_ec2_egress_only_internet_gateways", "",
          network.egress_gateway),
    Table("aws_vpc_nat_gateway", "aws_ec2_nat_gateways", "nat_gateway_id nat_gateway_addresses",
          listed("ec2.describe_nat_gateways")),
    Table("aws_vpc_eip", "aws_ec2_eips", "allocation_id public_ip network_border_group",
          listed("ec2.describe_addresses")),
    Table("aws_vpc_endpoint", "aws_ec2_vpc_endpoints", "vpc_endpoint_id vpc_endpoint_type",
          network.endpoint),
    Table("aws_vpc_peering_connection", "aws_ec2_vpc_peering_connections",
          "accepter_vpc_id requester_vpc_id", network.peering),
    Table("aws_vpc_flow_log", "aws_ec2_flow_logs", "flow_log_id traffic_type",
          listed("ec2.describe_flow_logs")),
    Table("aws_vpc_block_public_access_options", "", "internet_gateway_block_mode managed_by",
          network.block_public_access),
    Table("aws_ec2_transit_gateway", "aws_ec2_transit_gateways",
          "transit_gateway_id transit_gateway_arn description", network.transit_gateway),
    Table("aws_ec2_transit_gateway_vpc_attachment",
          "aws_ec2_transit_gateway_attachments aws_ec2_transit_gateway_vpc_attachments",
          "transit_gateway_attachment_id transit_gateway_id", network.attachment),
    Table("aws_ec2_transit_gateway_route_table", "aws_ec2_transit_gateway_route_tables",
          "transit_gateway_route_table_id default_association_route_table",
          listed("ec2.describe_transit_gateway_route_tables")),
    Table("aws_ec2_transit_gateway_route", "",
          "transit_gateway_route_table_id destination_cidr_block transit_gateway_attachments",
          network.route_of_gateway),
    Table("aws_ec2_managed_prefix_list", "aws_ec2_managed_prefix_lists",
          "address_family max_entries", network.prefix_list),
    Table("aws_ec2_managed_prefix_list_entry", "", "prefix_list_id cidr", network.entry_of_list),
    Table("", "aws_ec2_instance_connect_endpoints", "instance_connect_endpoint_id subnet_id",
          listed("ec2.describe_instance_connect_endpoints")),
    Table("aws_ec2_network_interface", "aws_ec2_network_interfaces",
          "network_interface_id interface_type mac_address", network.interface),
    Table("aws_ec2_instance", "aws_ec2_instances", "instance_id image_id subnet_id",
          network.instance),
    Table("aws_ebs_volume", "aws_ec2_ebs_volumes", "volume_id volume_type attachments",
          listed("ec2.describe_volumes")),
    Table("aws_ebs_snapshot", "aws_ec2_ebs_snapshots", "snapshot_id volume_id volume_size",
          network.snapshot),
    Table("", "aws_ec2_ebs_snapshot_attributes", "snapshot_arn create_volume_permissions",
          network.snapshot),
    Table("aws_ec2_ami aws_ec2_ami_shared", "aws_ec2_images", "image_id root_device_name public", network.image),
    Table("", "aws_ec2_image_launch_permissions", "image_arn organization_arn group",
          network.launch_permission),
    Table("aws_ec2_regional_settings", "", "snapshot_block_public_access_state",
          network.regional_settings),
    Table("aws_ec2_launch_template", "aws_ec2_launch_templates",
          "launch_template_id latest_version_number", listed("ec2.describe_launch_templates")),
    Table("aws_ec2_launch_template_version", "aws_ec2_launch_template_versions",
          "launch_template_id version_number", network.template_version),
    Table("aws_ec2_autoscaling_group", "aws_autoscaling_groups",
          "desired_capacity health_check_type suspended_processes", network.scaling),
    Table("aws_ec2_launch_configuration", "aws_autoscaling_launch_configurations",
          "associate_public_ip_address placement_tenancy", network.launch_configuration),
    Table("aws_ec2_application_load_balancer aws_ec2_network_load_balancer "
          "aws_ec2_gateway_load_balancer", "aws_elbv2_load_balancers",
          "dns_name scheme type availability_zones", network.balancer),
    Table("aws_ec2_load_balancer_listener", "aws_elbv2_listeners",
          "load_balancer_arn default_actions", network.listener),
    Table("aws_ec2_load_balancer_listener_rule", "aws_elbv2_listener_rules",
          "listener_arn actions conditions", network.rule),
    Table("aws_ec2_target_group", "aws_elbv2_target_groups", "target_group_name target_type",
          network.target_group),
    Table("", "aws_elbv2_target_group_target_health_descriptions",
          "target_group_arn target target_health", network.health),
    Table("aws_ec2_classic_load_balancer", "aws_elbv1_load_balancers",
          "dns_name listener_descriptions", network.classic),
    # Who may do what
    Table("aws_iam_role", "aws_iam_roles", "arn path max_session_duration",
          identity.principal(*_ROLE)),
    Table("aws_iam_user", "aws_iam_users", "arn path password_last_used permissions_boundary_arn",
          identity.principal(*_USER)),
    Table("aws_iam_group", "aws_iam_groups", "arn path group_id attached_policy_arns",
          identity.principal(*_GROUP)),
    Table("aws_iam_policy", "aws_iam_policies", "arn default_version_id attachment_count",
          identity.policy),
    Table("", "aws_iam_policy_versions", "policy_arn version_id is_default_version",
          identity.policy_version),
    Table("aws_iam_policy_attachment", "", "policy_arn policy_roles", identity.policy_attachment),
    Table("", "aws_iam_account_authorization_details", "role_detail_list user_detail_list",
          identity.details),
    Table("", "aws_iam_role_policies", "role_arn policy_document",
          identity.inline_of("RoleDetailList", "role", "RolePolicyList")),
    Table("", "aws_iam_user_policies", "user_arn policy_document",
          identity.inline_of("UserDetailList", "user", "UserPolicyList")),
    Table("", "aws_iam_group_policies", "group_arn policy_document",
          identity.inline_of("GroupDetailList", "group", "GroupPolicyList")),
    Table("", "aws_iam_role_attached_policies", "role_arn policy_arn",
          identity.attached_of("RoleDetailList", "role")),
    Table("", "aws_iam_user_attached_policies", "user_arn policy_arn",
          identity.attached_of("UserDetailList", "user")),
    Table("", "aws_iam_group_attached_policies", "group_arn policy_arn",
          identity.attached_of("GroupDetailList", "group")),
    Table("", "aws_iam_user_groups", "user_arn group_name", identity.group_of_user),
    Table("aws_iam_instance_profile", "aws_iam_instance_profiles", "instance_profile_id roles",
          listed("iam.list_instance_profiles", "id=-")),
    Table("aws_iam_access_key", "aws_iam_user_access_keys", "access_key_id user_name status",
          identity.access_key),
    Table("aws_iam_virtual_mfa_device", "aws_iam_virtual_mfa_devices", "serial_number enable_date",
          identity.mfa_device),
    Table("aws_iam_credential_report", "aws_iam_credential_reports",
          "user_creation_time mfa_active", identity.credential_report),
    Table("aws_iam_account_summary", "aws_iam_accounts",
          "account_mfa_enabled account_access_keys_present", identity.account_summary),
    Table("aws_iam_access_advisor", "", "principal_arn service_namespace",
          identity.access_advisor),
    Table("aws_iam_open_id_connect_provider", "aws_iam_openid_connect_identity_providers",
          "thumbprint_list client_id_list", listed("iam.list_open_id_connect_providers")),
    Table("aws_iam_saml_provider", "aws_iam_saml_identity_providers",
          "saml_metadata_document valid_until",
          listed("iam.list_saml_providers", "saml_metadata_document=-")),
    Table("aws_account", "", "organization_id organization_master_account_id", identity.account),
    Table("", "aws_organizations", "feature_set master_account_id", identity.organization),
    Table("aws_organizations_account", "aws_organizations_accounts", "joined_method email parent_id",
          identity.member),
    Table("aws_organizations_organizational_unit",
          "aws_organizations_account_parents aws_organizations_organizational_unit_parents", "",
          identity.parent),
    Table("aws_organizations_policy aws_organizations_policy_target",
          "aws_organizations_policies", "aws_managed content", identity.organization_policy),
    # What runs code
    Table("aws_lambda_function", "aws_lambda_functions", "runtime handler url_config",
          computing.function),
    Table("", "aws_lambda_function_url_configs", "function_arn function_url auth_type",
          computing.url_config),
    Table("aws_lambda_layer_version", "aws_lambda_layer_version_policies", "layer_version_arn policy",
          computing.layer_version),
    Table("aws_lambda_event_source_mapping", "aws_lambda_function_event_source_mappings",
          "uuid function_arn", computing.event_source),
    Table("aws_ecs_cluster", "aws_ecs_clusters", "cluster_name registered_container_instances_count",
          computing.cluster),
    Table("aws_ecs_service", "aws_ecs_cluster_services", "service_name task_definition",
          computing.service),
    Table("aws_ecs_task", "aws_ecs_cluster_tasks", "task_arn task_definition_arn", computing.task),
    Table("aws_ecs_task_definition", "aws_ecs_task_definitions", "container_definitions family",
          computing.task_definition),
    Table("aws_ecs_container_instance", "aws_ecs_cluster_container_instances",
          "agent_connected ec2_instance_id", computing.container_instance),
    Table("aws_eks_cluster", "aws_eks_clusters", "resources_vpc_config identity",
          computing.eks_cluster),
    Table("aws_eks_pod_identity_association", "", "association_arn service_account",
          sessions.pod_association),
    Table("aws_transfer_user", "", "home_directory_type user_name", sessions.transfer_user),
    Table("aws_ecr_repository", "aws_ecr_repositories", "repository_uri image_tag_mutability",
          computing.repository),
    Table("", "aws_ecr_repository_policies", "repository_name policy_text",
          computing.repository_policy),
    Table("aws_ecr_image", "aws_ecr_repository_images", "image_digest repository_name image_tags",
          computing.repository_image),
    Table("aws_ssm_managed_instance", "aws_ssm_instances", "instance_id ping_status",
          computing.managed_instance),
    Table("aws_app_runner_service", "aws_apprunner_services", "service_url source_configuration",
          computing.apprunner),
    Table("aws_sfn_state_machine", "aws_stepfunctions_state_machines", "definition role_arn",
          computing.state_machine),
    Table("aws_sagemaker_notebook_instance", "aws_sagemaker_notebook_instances",
          "notebook_instance_status role_arn", computing.notebook),
    Table("aws_codebuild_project", "aws_codebuild_projects", "service_role build_batch_config",
          computing.project),
    Table("aws_cloudformation_stack", "aws_cloudformation_stacks",
          "stack_status_reason notification_arns", computing.stack),
    Table("aws_cloudformation_stack_set", "aws_cloudformation_stack_sets",
          "stack_set_name administration_role_arn", computing.stack_set),
    Table("aws_codedeploy_deployment_group", "aws_codedeploy_deployment_groups",
          "deployment_group_name ec2_tag_filters", computing.deployment_group),
    Table("", "aws_batch_job_definitions", "job_definition_arn container_properties",
          computing.job_definition),
    Table("aws_batch_queue", "aws_batch_job_queues", "job_queue_name compute_environment_order",
          computing.job_queue),
    Table("aws_glue_job", "aws_glue_jobs", "execution_property command role", computing.job),
    Table("aws_glue_dev_endpoint", "aws_glue_dev_endpoints", "endpoint_name role_arn",
          computing.dev_endpoint),
    Table("aws_scheduler_schedule", "aws_scheduler_schedules", "flexible_time_window target",
          computing.schedule),
    Table("aws_emr_cluster", "aws_emr_clusters", "release_label ec2_instance_attributes",
          computing.emr),
    # Where data lies
    Table("aws_s3_bucket", "aws_s3_buckets", "name creation_date block_public_acls logging",
          stores.bucket),
    Table("", "aws_s3_bucket_policies", "bucket_arn policy_json", stores.bucket_policy),
    Table("", "aws_s3_bucket_public_access_blocks", "bucket_arn public_access_block_configuration",
          stores.bucket_block),
    Table("", "aws_s3_bucket_ownership_controls", "bucket_arn object_ownership",
          stores.bucket_ownership),
    Table("", "aws_s3_bucket_grants", "bucket_arn grantee permission", stores.bucket_grant),
    Table("aws_s3_account_settings", "aws_s3_accounts", "",
          stores.bucket_account),
    Table("aws_s3_access_point", "aws_s3_access_points", "access_point_arn network_origin",
          stores.access_point),
    Table("aws_rds_db_instance aws_docdb_cluster_instance",
          "aws_rds_instances aws_docdb_instances aws_neptune_instances", "db_instance_identifier publicly_accessible",
          stores.database),
    Table("aws_rds_db_cluster aws_docdb_cluster aws_neptune_db_cluster",
          "aws_rds_clusters aws_docdb_clusters aws_neptune_clusters", "db_cluster_identifier reader_endpoint",
          stores.database_cluster),
    Table("aws_rds_db_snapshot", "aws_rds_db_snapshots", "db_snapshot_identifier db_system_id",
          stores.database_snapshot),
    Table("aws_rds_db_cluster_snapshot aws_docdb_cluster_snapshot aws_neptune_db_cluster_snapshot",
          "aws_rds_cluster_snapshots aws_docdb_cluster_snapshots aws_neptune_cluster_snapshots",
          "db_cluster_snapshot_identifier cluster_create_time", stores.cluster_snapshot),
    Table("aws_rds_db_subnet_group", "aws_rds_subnet_groups", "", stores.subnet_group),
    Table("aws_redshift_cluster", "aws_redshift_clusters",
          "cluster_identifier node_type cluster_subnet_group_name", stores.warehouse),
    Table("aws_redshift_subnet_group", "aws_redshift_subnet_groups",
          "cluster_subnet_group_name subnets", stores.warehouse_subnets),
    Table("aws_redshiftserverless_workgroup", "", "workgroup_arn publicly_accessible",
          stores.warehouse_serverless),
    Table("aws_dynamodb_table", "aws_dynamodb_tables", "table_id key_schema table_status",
          stores.table),
    Table("aws_efs_file_system", "aws_efs_filesystems", "file_system_id creation_token",
          stores.file_system),
    Table("aws_efs_mount_target", "", "mount_target_id file_system_id", stores.mount_target),
    Table("aws_elasticache_cluster", "aws_elasticache_clusters", "cache_cluster_id cache_nodes",
          stores.cache),
    Table("aws_elasticache_replication_group", "aws_elasticache_replication_groups",
          "replication_group_id node_groups", stores.cache_group),
    Table("aws_opensearch_domain", "aws_opensearch_domains", "domain_name off_peak_window_options",
          stores.search),
    Table("aws_elasticsearch_domain", "aws_elasticsearch_domains",
          "domain_name elasticsearch_cluster_config", stores.elasticsearch),
    Table("aws_sqs_queue", "aws_sqs_queues", "fifo_queue redrive_policy", stores.queues),
    Table("aws_sns_topic", "aws_sns_topics", "effective_delivery_policy subscriptions_pending",
          stores.topic),
    Table("aws_sns_topic_subscription aws_sns_subscription", "aws_sns_subscriptions", "subscription_arn topic_arn",
          stores.subscription),
    Table("aws_secretsmanager_secret", "aws_secretsmanager_secrets",
          "arn rotation_enabled rotation_rules", stores.secret),
    Table("aws_kms_key", "aws_kms_keys", "arn key_manager key_state", stores.key),
    Table("", "aws_kms_key_policies", "key_arn policy", stores.key_policy),
    Table("aws_kms_alias", "aws_kms_aliases", "alias_name target_key_id", stores.alias),
    Table("aws_ssm_parameter", "aws_ssm_parameters", "tier data_type last_modified_user",
          stores.parameter),
    Table("aws_ssm_document", "aws_ssm_documents", "document_type document_version",
          stores.document),
    Table("aws_ssm_document_permission", "", "document_name account_ids",
          stores.document_permission),
    Table("aws_cloudtrail_trail", "aws_cloudtrail_trails", "is_multi_region_trail s3_bucket_name",
          stores.trail),
    Table("aws_backup_vault", "aws_backup_vaults", "number_of_recovery_points min_retention_days",
          stores.vault),
    Table("aws_glacier_vault", "", "vault_arn number_of_archives", stores.archive),
    Table("aws_kinesis_stream", "aws_kinesis_streams", "stream_arn shards stream_mode_details", stores.stream),
    Table("aws_codeartifact_repository aws_codeartifact_domain",
          "aws_codeartifact_repositories aws_codeartifact_domains", "", stores.packages),
    # What answers to the world
    Table("aws_api_gateway_rest_api", "aws_apigateway_rest_apis",
          "api_key_source minimum_compression_size", fronts.rest_api),
    Table("aws_api_gateway_stage", "aws_apigateway_rest_api_stages",
          "cache_cluster_enabled method_settings", fronts.stage),
    Table("aws_api_gateway_method", "aws_apigateway_rest_api_resource_methods",
          "http_method authorization_type", fronts.method),
    Table("", "aws_apigateway_rest_api_resources", "rest_api_arn path_part resource_methods",
          fronts.api_resource),
    Table("aws_api_gateway_domain_name", "aws_apigateway_domain_names",
          "domain_name regional_domain_name", fronts.domain_name),
    Table("", "aws_apigateway_domain_name_base_path_mappings", "base_path rest_api_id",
          fronts.base_path),
    Table("aws_api_gatewayv2_api", "aws_apigatewayv2_apis", "protocol_type api_endpoint",
          fronts.http_api),
    Table("aws_api_gatewayv2_route", "aws_apigatewayv2_api_routes", "route_key authorization_type",
          fronts.route),
    Table("aws_api_gatewayv2_integration", "aws_apigatewayv2_api_integrations",
          "integration_id integration_uri", fronts.integration),
    Table("aws_api_gatewayv2_stage", "aws_apigatewayv2_api_stages", "stage_variables auto_deploy",
          fronts.http_stage),
    Table("aws_cloudfront_distribution", "aws_cloudfront_distributions",
          "active_trusted_signers domain_name", fronts.distribution),
    Table("aws_route53_record", "aws_route53_hosted_zone_resource_record_sets",
          "alias_target resource_records", fronts.record),
    Table("aws_tagging_resource", "", "noncompliant_keys compliance_status", fronts.tagging),
    Table("aws_appsync_graphql_api", "aws_appsync_graphql_apis", "authentication_type uris",
          fronts.graphql),
    Table("aws_transfer_server", "aws_transfer_servers", "server_id endpoint_type",
          fronts.transfer),
    Table("aws_lightsail_instance", "aws_lightsail_instances", "blueprint_id networking",
          fronts.virtual_server),
    Table("aws_msk_cluster", "aws_kafka_clusters", "active_operation_arn provisioned",
          fronts.kafka),
    Table("aws_mq_broker", "aws_mq_brokers", "broker_id broker_instances", fronts.broker),
    Table("aws_cognito_identity_pool", "aws_cognito_identity_pools",
          "identity_pool_id allow_unauthenticated_identities", fronts.identity_pool),
    Table("aws_acm_certificate", "aws_acm_certificates", "certificate_arn in_use_by",
          fronts.certificate),
    Table("aws_wafv2_web_acl", "aws_wafv2_web_acls", "arn default_action label_namespace",
          fronts.web_acl),
    Table("aws_eventbridge_rule aws_cloudwatch_event_rule", "aws_eventbridge_event_bus_rules", "event_bus_name event_pattern",
          fronts.event_rule),
    Table("aws_eventbridge_bus", "aws_eventbridge_event_buses", "", fronts.event_bus),
    Table("aws_cloudwatch_log_group", "aws_cloudwatchlogs_log_groups",
          "metric_filter_count stored_bytes", stores.log_group),
)  # fmt: skip
TABLES: dict[str, Maker] = {name: table.made for table in ALL for name in table.names}
_MARKS = tuple((t, frozenset(t.marks.split())) for t in ALL if t.marks)


def columns_of(name: str) -> frozenset[str]:
    """The columns by which a table of this name is known when no name says it."""
    return next((frozenset(t.marks.split()) for t in ALL if name in t.names), frozenset())


def table_of(name: str, columns: frozenset[str]) -> str:
    """The table of rows: the name of the file or its folder says it, else the columns; '' if none.

    Raises ReportError when the columns fit several tables.
    """
    stem = named_in(name, AWS)
    if stem in TABLES:
        return stem
    fitting = [t.names[0] for t, marks in _MARKS if columns >= marks]
    if len(fitting) > 1:
        raise ReportError(
            f"these columns could be of {' or '.join(fitting[:4])}", "",
            f"name the file after its table, for example {fitting[0]}.json",
        )  # fmt: skip
    return fitting[0] if fitting else ""


def records(rows: Iterator[tuple[str, Row]], name: str) -> Iterator[AnyRecord]:
    """What the rows of one export say. Raises ReportError when nothing says of which table they are."""
    left = 0
    stem = named_in(name, AWS)
    for place, raw in rows:
        row = decoded(raw)
        table = table_of(name, frozenset(row))
        if not table and not stem:
            raise ReportError("cannot say of which table these rows are", place,
                              "name the file after its table, for example aws_ec2_instance.json")  # fmt: skip
        if not table:
            left += 1
            continue
        yield from _row(table, row, place)
    if left:
        yield Skipped(reason=f"{stem} is no table of use here", count=left, harmless=True)


def _row(table: str, row: Row, place: str) -> Iterator[AnyRecord]:
    account = str(row.get("account_id") or row.get("request_account_id") or "")
    why = f"it comes from rows of {table}, of which some may be missing"
    try:
        made = list(TABLES[table](row))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        yield Skipped(reason=f"a row of {table} lacks {error}", place=place)
        return
    for answer in made:
        call = Call(answer.operation, account, _region(row), _partition(row), answer.response,
                    answer.request or {}, place, dict.fromkeys(answer.part, why))  # fmt: skip
        yield from records_of(call)


def _region(row: Row) -> str:
    region: Any = row.get("region")
    return region if isinstance(region, str) else ""


def _partition(row: Row) -> str:
    return str(row.get("partition") or "aws")
