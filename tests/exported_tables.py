"""The estate of `exported` as Steampipe and CloudQuery would have exported it, a table a file.

Steampipe's columns and the places of their values in the answer are those that its AWS plugin
declares (`steampipe_columns.tsv`); CloudQuery's are the fields of the answer in snake_case, with the
tables of parts that its AWS plugin documents.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from secinbox.inventory.aws.calls import snake, walk
from secinbox.reading import Report
from tests.exported import A, Answers, R, arn, as_csv

Row = dict[str, Any]
COLUMNS: dict[str, dict[str, str]] = {}
for line in (Path(__file__).parent / "steampipe_columns.tsv").read_text().splitlines()[1:]:
    name, _, rest = line.partition("\t")
    COLUMNS[name] = dict(c.partition("=")[::2] for c in rest.split(" "))


def go(value: Any) -> Any:
    """Names as the structures of both tools have them, with a capital first letter."""
    if isinstance(value, list):
        return [go(v) for v in value]
    if isinstance(value, dict):
        return {k[:1].upper() + k[1:]: go(v) for k, v in value.items()}
    return value


def document(answer: dict[str, Any], key: str) -> Any:
    """A policy as an object; None where there is none."""
    return json.loads(answer[key]) if answer.get(key) else None


def _each(raw: Answers, operation: str, path: str) -> Iterator[tuple[Row, Row]]:
    for asked, told in raw.all(operation):
        for element in walk(told, path):
            yield asked, go(element)


def _listed(operation: str, path: str) -> Callable[[Answers], Iterator[Row]]:
    return lambda raw: (element for _, element in _each(raw, operation, path))


def _buckets(raw: Answers) -> Iterator[Row]:
    for _, element in _each(raw, "s3.list_buckets", "Buckets[]"):
        asked = {"Bucket": element["Name"]}
        yield {
            **element, **raw.of("s3.get_public_access_block", **asked)["PublicAccessBlockConfiguration"],
            "Policy": document(raw.of("s3.get_bucket_policy", **asked), "Policy"),
            "Acl": raw.of("s3.get_bucket_acl", **asked),
            "ObjectOwnershipControls": raw.of("s3.get_bucket_ownership_controls",
                                              **asked)["OwnershipControls"]}  # fmt: skip


def _attributes(operation: str) -> Callable[[Answers], Iterator[Row]]:
    def rows(raw: Answers) -> Iterator[Row]:
        for asked, told in raw.all(operation):
            values = told["Attributes"] | {"Policy": document(told["Attributes"], "Policy")}
            yield {"Attributes": {**asked, **values}}

    return rows


def _keys(raw: Answers) -> Iterator[Row]:
    for asked, told in raw.all("kms.describe_key"):
        yield {"KeyId": asked["KeyId"], "KeyArn": told["KeyMetadata"]["Arn"], **told,
               "Policy": document(raw.of("kms.get_key_policy", **asked), "Policy")}  # fmt: skip


def _with(operation: str, path: str, detail: str, key: str, field: str, column: str) -> Any:
    """Elements with the policy that another call answered for each."""

    def rows(raw: Answers) -> Iterator[Row]:
        for _, element in _each(raw, operation, path):
            asked = {key: element[field]}
            name = column[:1].lower() + column[1:]
            told = raw.of(detail, **asked)
            yield element | {column: document(told, column) or document(told, name)}

    return rows


def _snapshots(raw: Answers) -> Iterator[Row]:
    for _, element in _each(raw, "ec2.describe_snapshots", "Snapshots[]"):
        told = raw.of("ec2.describe_snapshot_attribute", SnapshotId=element["SnapshotId"])
        yield element | {"CreateVolumePermissions": told["CreateVolumePermissions"]}


def _copies(raw: Answers) -> Iterator[Row]:
    for _, element in _each(raw, "rds.describe_db_snapshots", "DBSnapshots[]"):
        yield element | raw.of("rds.describe_db_snapshot_attributes",
                               DBSnapshotIdentifier=element["DBSnapshotIdentifier"])  # fmt: skip


def _cluster_copies(raw: Answers) -> Iterator[Row]:
    for _, element in _each(raw, "rds.describe_db_cluster_snapshots", "DBClusterSnapshots[]"):
        told = raw.of("rds.describe_db_cluster_snapshot_attributes")
        held = told["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
        yield element | {"DbClusterSnapshotAttributes": held}


def _functions(raw: Answers) -> Iterator[Row]:
    for _, element in _each(raw, "lambda.list_functions", "Functions[]"):
        asked = {"FunctionName": element["FunctionName"]}
        url = raw.of("lambda.get_function_url_config", **asked)
        yield {"Configuration": element, "Code": {"RepositoryType": "S3"},
               "Policy": document(raw.of("lambda.get_policy", **asked), "Policy"),
               "UrlConfig": None if "Error" in url else url}  # fmt: skip


def _groups_of_targets(raw: Answers) -> Iterator[Row]:
    for _, element in _each(raw, "elbv2.describe_target_groups", "TargetGroups[]"):
        yield element | raw.of("elbv2.describe_target_health",
                               TargetGroupArn=element["TargetGroupArn"])  # fmt: skip


def _methods(raw: Answers) -> Iterator[Row]:
    for asked, told in raw.all("apigateway.get_resources"):
        for resource in told["items"]:
            for verb, method in resource["resourceMethods"].items():
                yield {"RestApiId": asked["restApiId"], "ResourceId": resource["id"],
                       "Path": resource["path"], "HttpMethod": verb, **go(method)}  # fmt: skip


def _principals(key: str, kind: str) -> Callable[[Answers], Iterator[Row]]:
    def rows(raw: Answers) -> Iterator[Row]:
        for _, element in _each(raw, "iam.get_account_authorization_details", f"{key}[]"):
            element["InlinePolicies"] = element.pop(f"{kind}PolicyList") or None
            attached = element.pop("AttachedManagedPolicies")
            element["AttachedPolicyArns"] = [p["PolicyArn"] for p in attached]
            profiles = element.pop("InstanceProfileList", [])
            element["InstanceProfileArns"] = [p["Arn"] for p in profiles] or None
            groups = element.pop("GroupList", [])
            element["Groups"] = [{"GroupName": g} for g in groups] or None
            element["MFADevices"] = raw.of("iam.list_mfa_devices").get("MFADevices")
            yield element

    return rows


def _policies(raw: Answers) -> Iterator[Row]:
    for _, element in _each(raw, "iam.get_account_authorization_details", "Policies[]"):
        yield element | {"PolicyVersion": element["PolicyVersionList"][0]}


STEAMPIPE: dict[str, Callable[[Answers], Iterator[Row]]] = {
    "aws_vpc": _listed("ec2.describe_vpcs", "Vpcs[]"),
    "aws_vpc_subnet": _listed("ec2.describe_subnets", "Subnets[]"),
    "aws_vpc_internet_gateway": _listed("ec2.describe_internet_gateways", "InternetGateways[]"),
    "aws_vpc_route_table": _listed("ec2.describe_route_tables", "RouteTables[]"),
    "aws_vpc_nat_gateway": _listed("ec2.describe_nat_gateways", "NatGateways[]"),
    "aws_vpc_network_acl": _listed("ec2.describe_network_acls", "NetworkAcls[]"),
    "aws_vpc_security_group": _listed("ec2.describe_security_groups", "SecurityGroups[]"),
    "aws_vpc_peering_connection": _listed("ec2.describe_vpc_peering_connections",
                                          "VpcPeeringConnections[]"),
    "aws_ec2_managed_prefix_list": _listed("ec2.describe_managed_prefix_lists", "PrefixLists[]"),
    "aws_ec2_managed_prefix_list_entry": lambda raw: (
        asked | e for asked, e in _each(raw, "ec2.get_managed_prefix_list_entries", "Entries[]")),
    "aws_ec2_instance": _listed("ec2.describe_instances", "Reservations[].Instances[]"),
    "aws_ec2_network_interface": _listed("ec2.describe_network_interfaces", "NetworkInterfaces[]"),
    "aws_ebs_snapshot": _snapshots,
    "aws_ec2_ami": _listed("ec2.describe_images", "Images[]"),
    "aws_ssm_managed_instance": _listed("ssm.describe_instance_information",
                                        "InstanceInformationList[]"),
    "aws_ec2_application_load_balancer": _listed("elbv2.describe_load_balancers", "LoadBalancers[]"),
    "aws_ec2_load_balancer_listener": _listed("elbv2.describe_listeners", "Listeners[]"),
    "aws_ec2_target_group": _groups_of_targets,
    "aws_ec2_classic_load_balancer": _listed("elb.describe_load_balancers",
                                             "LoadBalancerDescriptions[]"),
    "aws_s3_bucket": _buckets,
    "aws_s3_account_settings": _listed("s3control.get_public_access_block",
                                       "PublicAccessBlockConfiguration"),
    "aws_sqs_queue": _attributes("sqs.get_queue_attributes"),
    "aws_sns_topic": _attributes("sns.get_topic_attributes"),
    "aws_kms_key": _keys,
    "aws_secretsmanager_secret": _with("secretsmanager.list_secrets", "SecretList[]",
                                       "secretsmanager.get_resource_policy", "SecretId", "ARN",
                                       "ResourcePolicy"),
    "aws_ecr_repository": _with("ecr.describe_repositories", "repositories[]",
                                "ecr.get_repository_policy", "repositoryName", "RepositoryName",
                                "PolicyText"),
    "aws_efs_file_system": _with("efs.describe_file_systems", "FileSystems[]",
                                 "efs.describe_file_system_policy", "FileSystemId", "FileSystemId",
                                 "Policy"),
    "aws_opensearch_domain": _listed("opensearch.describe_domain", "DomainStatus"),
    "aws_rds_db_instance": _listed("rds.describe_db_instances", "DBInstances[]"),
    "aws_rds_db_cluster": _listed("rds.describe_db_clusters", "DBClusters[]"),
    "aws_rds_db_snapshot": _copies,
    "aws_rds_db_cluster_snapshot": _cluster_copies,
    "aws_redshift_cluster": _listed("redshift.describe_clusters", "Clusters[]"),
    "aws_redshift_subnet_group": _listed("redshift.describe_cluster_subnet_groups",
                                         "ClusterSubnetGroups[]"),
    "aws_lambda_function": _functions,
    "aws_api_gateway_rest_api": _listed("apigateway.get_rest_apis", "items[]"),
    "aws_api_gateway_stage": lambda raw: (
        {"RestAPIId": asked["restApiId"], "Stage": e}
        for asked, e in _each(raw, "apigateway.get_stages", "item[]")),
    "aws_api_gateway_method": _methods,
    "aws_api_gatewayv2_api": _listed("apigatewayv2.get_apis", "Items[]"),
    "aws_api_gatewayv2_route": lambda raw: (
        {"ApiId": asked["ApiId"], "GetRouteOutput": e}
        for asked, e in _each(raw, "apigatewayv2.get_routes", "Items[]")),
    "aws_cloudfront_distribution": _listed("cloudfront.list_distributions",
                                           "DistributionList.Items[]"),
    "aws_ecs_cluster": _listed("ecs.describe_clusters", "clusters[]"),
    "aws_ecs_service": _listed("ecs.describe_services", "services[]"),
    "aws_ecs_task": _listed("ecs.describe_tasks", "tasks[]"),
    "aws_ecs_task_definition": lambda raw: (
        {"TaskDefinition": e} for _, e in _each(raw, "ecs.describe_task_definition", "taskDefinition")),
    "aws_eks_cluster": _listed("eks.describe_cluster", "cluster"),
    "aws_iam_role": _principals("RoleDetailList", "Role"),
    "aws_iam_user": _principals("UserDetailList", "User"),
    "aws_iam_group": _principals("GroupDetailList", "Group"),
    "aws_iam_policy": _policies,
    "aws_iam_access_key": _listed("iam.list_access_keys", "AccessKeyMetadata[]"),
    "aws_ssm_document": _listed("ssm.list_documents", "DocumentIdentifiers[]"),
    "aws_ssm_document_permission": lambda raw: (
        {"DocumentName": asked["Name"], **told}
        for asked, told in raw.all("ssm.describe_document_permission")),
    "aws_appsync_graphql_api": _listed("appsync.list_graphql_apis", "graphqlApis[]"),
    "aws_transfer_server": _listed("transfer.describe_server", "Server"),
    "aws_cognito_identity_pool": lambda raw: (
        told for _, told in raw.all("cognito-identity.describe_identity_pool")),
    "aws_elasticache_cluster": _listed("elasticache.describe_cache_clusters", "CacheClusters[]"),
}  # fmt: skip


def _value(element: Row, column: str, path: str) -> Any:
    """The value of a column: at its declared path, else the field of the same letters."""
    if path:
        found: Any = element
        for word in path.split("."):
            found = found.get(word) if isinstance(found, dict) else None
        return found
    letters = column.replace("_", "")
    return next((v for k, v in element.items() if k.lower() == letters), None)


def steampipe_rows(raw: Answers, table: str) -> list[Row]:
    out = []
    for element in STEAMPIPE[table](raw):
        row = {c: _value(element, c, p) for c, p in COLUMNS[table].items()}
        row |= {"title": "t", "akas": ["a"], "tags": None, "partition": "aws", "account_id": A,
                "region": R, "sp_connection_name": "aws", "sp_ctx": {}, "_ctx": {}}  # fmt: skip
        out.append({k: _object(v) for k, v in row.items()})
    return out


def _object(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value[:1] == "{" else value


def steampipe(raw: Answers, form: str) -> Iterator[Report]:
    """form: rows | wrapped | csv."""
    for table in STEAMPIPE:
        rows = steampipe_rows(raw, table)
        if form == "csv":
            yield Report(as_csv(rows), f"export/{table}.csv")
        elif form == "rows":
            yield Report(json.dumps(rows).encode(), f"export/{table}.json")
        else:
            columns = [{"name": c, "data_type": "text"} for c in rows[0]]
            told = {"columns": columns, "rows": rows}
            yield Report(json.dumps(told).encode(), f"export/{table}.json")


# CloudQuery


def _columns(element: Row, own: str = "", *without: str) -> Row:
    row = {snake(k): v for k, v in element.items() if k not in without}
    return row | ({"arn": own or element.get("Arn") or element.get("ARN")})


def _plain(operation: str, path: str, field: str = "", *without: str) -> Any:
    return lambda raw: (_columns(e, str(e.get(field) or ""), *without)
                        for _, e in _each(raw, operation, path))  # fmt: skip


def _cq_buckets(raw: Answers) -> Iterator[Row]:
    for name in walk(raw.of("s3.list_buckets"), "Buckets[].Name"):
        yield {"name": name, "arn": f"arn:aws:s3:::{name}", "creation_date": "2026-01-01"}


def _of_bucket(operation: str, made: Callable[[Row], Iterator[Row]]) -> Any:
    return lambda raw: (
        {"bucket_arn": f"arn:aws:s3:::{asked['Bucket']}", **row}
        for asked, told in raw.all(operation) if "Error" not in told for row in made(told))  # fmt: skip


def _cq_grants(told: Row) -> Iterator[Row]:
    for grant in told["Grants"]:
        yield {"grantee_type": grant["Grantee"]["Type"], "grantee": grant["Grantee"],
               "permission": grant["Permission"]}  # fmt: skip


def _cq_functions(raw: Answers) -> Iterator[Row]:
    for row in _functions(raw):
        yield {"arn": row["Configuration"]["FunctionArn"], "policy_document": row["Policy"],
               "code": row["Code"], "configuration": row["Configuration"], "concurrency": None}  # fmt: skip


def _cq_queues(raw: Answers) -> Iterator[Row]:
    for asked, told in raw.all("sqs.get_queue_attributes"):
        yield {"arn": told["Attributes"]["QueueArn"], "url": asked["QueueUrl"], "fifo_queue": None,
               "visibility_timeout": 30, "policy": document(told["Attributes"], "Policy")}  # fmt: skip


def _cq_distributions(raw: Answers) -> Iterator[Row]:
    for _, e in _each(raw, "cloudfront.list_distributions", "DistributionList.Items[]"):
        yield {"arn": e["ARN"], "id": e["Id"], "domain_name": e["DomainName"], "status": e["Status"],
               "distribution_config": {k: v for k, v in e.items()
                                       if k not in ("ARN", "Id", "DomainName", "Status")}}  # fmt: skip


def _cq_methods(raw: Answers) -> Iterator[Row]:
    for row in _methods(raw):
        api = f"arn:aws:apigateway:{R}::/restapis/{row['RestApiId']}"
        yield {"rest_api_arn": api, "resource_arn": f"{api}/resources/{row['ResourceId']}",
               **{snake(k): v for k, v in row.items() if k not in ("RestApiId", "ResourceId", "Path")}}  # fmt: skip


def _cq_stages(raw: Answers) -> Iterator[Row]:
    for asked, e in _each(raw, "apigateway.get_stages", "item[]"):
        yield _columns(e) | {
            "rest_api_arn": f"arn:aws:apigateway:{R}::/restapis/{asked['restApiId']}"
        }


def _cq_copies(raw: Answers) -> Iterator[Row]:
    for element in _copies(raw):
        told = element.pop("DBSnapshotAttributesResult")["DBSnapshotAttributes"]
        yield _columns(element, element["DBSnapshotArn"]) | {"attributes": told}


def _cq_cluster_copies(raw: Answers) -> Iterator[Row]:
    for element in _cluster_copies(raw):
        told = element.pop("DbClusterSnapshotAttributes")
        yield _columns(element, element.pop("DBClusterSnapshotArn")) | {"attributes": told}


CLOUDQUERY: dict[str, Callable[[Answers], Iterator[Row]]] = {
    "aws_ec2_vpcs": _plain("ec2.describe_vpcs", "Vpcs[]"),
    "aws_ec2_subnets": _plain("ec2.describe_subnets", "Subnets[]"),
    "aws_ec2_internet_gateways": _plain("ec2.describe_internet_gateways", "InternetGateways[]"),
    "aws_ec2_route_tables": _plain("ec2.describe_route_tables", "RouteTables[]"),
    "aws_ec2_nat_gateways": _plain("ec2.describe_nat_gateways", "NatGateways[]"),
    "aws_ec2_network_acls": _plain("ec2.describe_network_acls", "NetworkAcls[]"),
    "aws_ec2_security_groups": _plain("ec2.describe_security_groups", "SecurityGroups[]"),
    "aws_ec2_vpc_peering_connections": _plain("ec2.describe_vpc_peering_connections",
                                              "VpcPeeringConnections[]"),
    "aws_ec2_managed_prefix_lists": _plain("ec2.describe_managed_prefix_lists", "PrefixLists[]",
                                           "PrefixListArn", "PrefixListArn"),
    "aws_ec2_instances": _plain("ec2.describe_instances", "Reservations[].Instances[]"),
    "aws_ec2_network_interfaces": _plain("ec2.describe_network_interfaces", "NetworkInterfaces[]"),
    "aws_ec2_ebs_snapshots": _plain("ec2.describe_snapshots", "Snapshots[]"),
    "aws_ec2_ebs_snapshot_attributes": lambda raw: (
        {"snapshot_arn": arn("ec2", f"snapshot/{t['SnapshotId']}"), "snapshot_id": t["SnapshotId"],
         "create_volume_permissions": t["CreateVolumePermissions"], "product_codes": None}
        for _, t in raw.all("ec2.describe_snapshot_attribute")),
    "aws_ec2_images": _plain("ec2.describe_images", "Images[]"),
    "aws_ssm_instances": _plain("ssm.describe_instance_information", "InstanceInformationList[]"),
    "aws_elbv2_load_balancers": _plain("elbv2.describe_load_balancers", "LoadBalancers[]",
                                       "LoadBalancerArn"),
    "aws_elbv2_listeners": _plain("elbv2.describe_listeners", "Listeners[]", "ListenerArn"),
    "aws_elbv2_target_groups": _plain("elbv2.describe_target_groups", "TargetGroups[]",
                                      "TargetGroupArn", "TargetGroupArn"),
    "aws_elbv2_target_group_target_health_descriptions": lambda raw: (
        {"target_group_arn": asked["TargetGroupArn"], **{snake(k): v for k, v in e.items()}}
        for asked, e in _each(raw, "elbv2.describe_target_health", "TargetHealthDescriptions[]")),
    "aws_elbv1_load_balancers": _plain("elb.describe_load_balancers", "LoadBalancerDescriptions[]"),
    "aws_s3_buckets": _cq_buckets,
    "aws_s3_bucket_policies": _of_bucket("s3.get_bucket_policy", lambda t: iter(
        [{"policy": t["Policy"], "policy_json": json.loads(t["Policy"])}])),
    "aws_s3_bucket_public_access_blocks": _of_bucket("s3.get_public_access_block", lambda t: iter(
        [{"public_access_block_configuration": t["PublicAccessBlockConfiguration"]}])),
    "aws_s3_bucket_ownership_controls": _of_bucket("s3.get_bucket_ownership_controls", lambda t: (
        {"object_ownership": r["ObjectOwnership"]} for r in t["OwnershipControls"]["Rules"])),
    "aws_s3_bucket_grants": _of_bucket("s3.get_bucket_acl", _cq_grants),
    "aws_s3_accounts": lambda raw: ({snake(k): v for k, v in e.items()} for _, e in _each(
        raw, "s3control.get_public_access_block", "PublicAccessBlockConfiguration")),
    "aws_sqs_queues": _cq_queues,
    "aws_sns_topics": lambda raw: (
        {"arn": asked["TopicArn"], "policy": t["Attributes"]["Policy"], "owner": A}
        for asked, t in raw.all("sns.get_topic_attributes")),
    "aws_kms_keys": _plain("kms.describe_key", "KeyMetadata"),
    "aws_kms_key_policies": lambda raw: (
        {"key_arn": arn("kms", f"key/{q['KeyId']}"), "name": "default",
         "policy": json.loads(t["Policy"])} for q, t in raw.all("kms.get_key_policy")),
    "aws_secretsmanager_secrets": lambda raw: (
        _columns(e, e["ARN"], "ResourcePolicy") | {"policy": e["ResourcePolicy"]}
        for e in STEAMPIPE["aws_secretsmanager_secret"](raw)),
    "aws_ecr_repositories": _plain("ecr.describe_repositories", "repositories[]", "RepositoryArn"),
    "aws_ecr_repository_policies": lambda raw: (
        {"registry_id": A, "repository_name": t["repositoryName"], "policy_text": t["policyText"],
         "policy_json": json.loads(t["policyText"])} for _, t in raw.all("ecr.get_repository_policy")),
    "aws_efs_filesystems": _plain("efs.describe_file_systems", "FileSystems[]", "FileSystemArn",
                                  "FileSystemArn"),
    "aws_elasticsearch_domains": _plain("opensearch.describe_domain", "DomainStatus", "ARN", "ARN"),
    "aws_rds_instances": _plain("rds.describe_db_instances", "DBInstances[]", "DBInstanceArn",
                                "DBInstanceArn"),
    "aws_rds_clusters": _plain("rds.describe_db_clusters", "DBClusters[]", "DBClusterArn",
                               "DBClusterArn"),
    "aws_rds_db_snapshots": _cq_copies,
    "aws_rds_cluster_snapshots": _cq_cluster_copies,
    "aws_redshift_clusters": _plain("redshift.describe_clusters", "Clusters[]"),
    "aws_redshift_subnet_groups": _plain("redshift.describe_cluster_subnet_groups",
                                         "ClusterSubnetGroups[]"),
    "aws_lambda_functions": _cq_functions,
    "aws_lambda_function_url_configs": lambda raw: (
        {snake(k): v for k, v in t.items()} for _, t in raw.all("lambda.get_function_url_config")
        if "Error" not in t),
    "aws_apigateway_rest_apis": _plain("apigateway.get_rest_apis", "items[]"),
    "aws_apigateway_rest_api_stages": _cq_stages,
    "aws_apigateway_rest_api_resource_methods": _cq_methods,
    "aws_apigatewayv2_apis": lambda raw: (
        _columns(e, f"arn:aws:apigateway:{R}::/apis/{e['ApiId']}", "ApiId") | {"id": e["ApiId"]}
        for _, e in _each(raw, "apigatewayv2.get_apis", "Items[]")),
    "aws_apigatewayv2_api_routes": lambda raw: (
        {**_columns(e), "api_id": asked["ApiId"]}
        for asked, e in _each(raw, "apigatewayv2.get_routes", "Items[]")),
    "aws_cloudfront_distributions": _cq_distributions,
    "aws_ecs_clusters": _plain("ecs.describe_clusters", "clusters[]", "ClusterArn", "ClusterArn"),
    "aws_ecs_cluster_services": _plain("ecs.describe_services", "services[]", "ServiceArn"),
    "aws_ecs_cluster_tasks": _plain("ecs.describe_tasks", "tasks[]", "TaskArn"),
    "aws_ecs_task_definitions": _plain("ecs.describe_task_definition", "taskDefinition",
                                       "TaskDefinitionArn", "TaskDefinitionArn"),
    "aws_eks_clusters": _plain("eks.describe_cluster", "cluster"),
    "aws_iam_account_authorization_details": lambda raw: (
        {snake(k): v for k, v in t.items()}
        for _, t in raw.all("iam.get_account_authorization_details")),
    "aws_iam_user_access_keys": lambda raw: (
        {"user_arn": f"arn:aws:iam::{A}:user/{e['UserName']}", **{snake(k): v for k, v in e.items()}}
        for _, e in _each(raw, "iam.list_access_keys", "AccessKeyMetadata[]")),
    "aws_appsync_graphql_apis": _plain("appsync.list_graphql_apis", "graphqlApis[]"),
    "aws_transfer_servers": _plain("transfer.describe_server", "Server"),
    "aws_cognito_identity_pools": lambda raw: (
        _columns(go(t)) for _, t in raw.all("cognito-identity.describe_identity_pool")),
    "aws_elasticache_clusters": _plain("elasticache.describe_cache_clusters", "CacheClusters[]"),
}  # fmt: skip


def cloudquery_rows(raw: Answers, table: str) -> list[Row]:
    about = {"_cq_id": "1", "_cq_parent_id": None, "_cq_sync_time": "2026-11-01 00:00:00",
             "_cq_source_name": "aws", "account_id": A, "region": R}  # fmt: skip
    return [{**about, **row} for row in CLOUDQUERY[table](raw)]


def cloudquery(raw: Answers, form: str) -> Iterator[Report]:
    """form: json (objects as objects) | text (objects as text) | csv | parquet | split.

    split: a file a row, as a destination writes that opens a file for every batch.
    """
    for table in CLOUDQUERY:
        rows = cloudquery_rows(raw, table)
        flat = [{k: json.dumps(v) if isinstance(v, (dict, list)) else v for k, v in r.items()}
                for r in rows]  # fmt: skip
        ending = "json" if form in ("json", "text", "split") else form
        parts, path = (table, f"1f9b.{ending}"), f"{table}/1f9b.{ending}"
        if form == "csv":
            yield Report(as_csv(rows), path, parts)
        elif form == "parquet":
            out = io.BytesIO()
            names = list(dict.fromkeys(k for r in flat for k in r))
            pq.write_table(pa.Table.from_pylist([{n: r.get(n) for n in names} for r in flat]), out)
            yield Report(out.getvalue(), path, parts)
        else:
            lines = [json.dumps(r) for r in (rows if form == "json" else flat)]
            files = [[line] for line in lines] if form == "split" else [lines]
            for number, told in enumerate(files):
                name = f"{number}.json" if form == "split" else "1f9b.json"
                yield Report("\n".join(told).encode(), f"{table}/{name}", (table, name))
