"""Services of a Terraform state besides machines and stores: a yes each, and its fields flipped."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.test_inventory_terraform import IAM, A, Blocks, R, estate, network, plan, public, state

ANYONE = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
B = "999988887777"


def said(**changed: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{**ANYONE, **changed}]})


OPEN, THEIRS = said(), said(Principal={"AWS": f"arn:aws:iam::{A}:root"})
API = f"arn:aws:apigateway:{R}::/restapis/abc"
HTTP = f"arn:aws:apigateway:{R}::/apis/xyz"
FUNCTION = f"arn:aws:lambda:{R}:{A}:function:f"
INVOKED = f"arn:aws:apigateway:{R}:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.1", "paths": {"/pets": {"get": {"x-amazon-apigateway-integration": {
        "type": "aws_proxy", "uri": INVOKED}}}},
    "components": {"securitySchemes": {
        "key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
        "pool": {"type": "apiKey", "name": "Authorization", "in": "header",
                 "x-amazon-apigateway-authtype": "cognito_user_pools"}}},
}  # fmt: skip
USER = {"aws_iam_user": [{"arn": f"{IAM}:user/x", "name": "x", "unique_id": "AIDA1"}]}
REST: Blocks = {
    **USER,
    "aws_api_gateway_rest_api": [{
        "id": "abc", "arn": API, "name": "pets", "policy": "", "disable_execute_api_endpoint": False,
        "endpoint_configuration": [{"types": ["REGIONAL"], "vpc_endpoint_ids": []}]}],
    "aws_api_gateway_resource": [{"id": "r1", "rest_api_id": "abc", "path": "/pets"}],
    "aws_api_gateway_method": [{"id": "m1", "rest_api_id": "abc", "resource_id": "r1",
                                "http_method": "GET", "authorization": "NONE", "api_key_required": False}],
    "aws_api_gateway_integration": [{"id": "i1", "rest_api_id": "abc", "resource_id": "r1",
                                     "http_method": "GET", "type": "AWS_PROXY", "uri": INVOKED}],
    "aws_api_gateway_stage": [{"id": "s1", "rest_api_id": "abc", "stage_name": "live",
                               "arn": f"{API}/stages/live"}],
    "aws_lambda_function": [{"arn": FUNCTION, "function_name": "f", "role": f"{IAM}:role/f"}],
}  # fmt: skip
DESCRIBED: Blocks = {
    k: v for k, v in REST.items() if k in ("aws_iam_user", "aws_api_gateway_rest_api",
                                           "aws_api_gateway_stage", "aws_lambda_function")
}  # fmt: skip
HTTPS: Blocks = {
    **USER,
    "aws_apigatewayv2_api": [{"id": "xyz", "arn": HTTP, "name": "h", "protocol_type": "HTTP",
                              "api_endpoint": f"https://xyz.execute-api.{R}.amazonaws.com",
                              "disable_execute_api_endpoint": False}],
    "aws_apigatewayv2_route": [{"id": "r", "api_id": "xyz", "route_key": "GET /", "target": "integrations/i",
                                "authorization_type": "NONE", "api_key_required": False}],
    "aws_apigatewayv2_integration": [{"id": "i", "api_id": "xyz", "integration_type": "AWS_PROXY",
                                      "integration_uri": FUNCTION}],
    "aws_lambda_function": [{"arn": FUNCTION, "function_name": "f", "role": f"{IAM}:role/f"}],
}  # fmt: skip


def changed(blocks: Blocks, kind: str, field: str, value: Any) -> Blocks:
    out = deepcopy(blocks)
    for row in out[kind]:
        row[field] = value
    return out


def without(blocks: Blocks, kind: str) -> Blocks:
    return {k: v for k, v in blocks.items() if k != kind}


@pytest.mark.parametrize("made", [state, plan])
@pytest.mark.parametrize(
    ("kind", "field", "value", "wanted"),
    [
        ("aws_api_gateway_rest_api", "name", "other", "yes"),
        ("aws_api_gateway_rest_api", "endpoint_configuration", [{"types": ["PRIVATE"]}], "no"),
        ("aws_api_gateway_rest_api", "endpoint_configuration", [], "unknown"),
        ("aws_api_gateway_rest_api", "policy", THEIRS, "no"),
        ("aws_api_gateway_rest_api", "policy", OPEN, "yes"),
        ("aws_api_gateway_rest_api", "disable_execute_api_endpoint", True, "unknown"),
        ("aws_api_gateway_method", "authorization", "AWS_IAM", "no"),
        ("aws_api_gateway_method", "api_key_required", True, "no"),
        ("aws_api_gateway_method", "http_method", "OPTIONS", "yes"),
        ("aws_api_gateway_stage", "", None, "unknown"),
        ("aws_api_gateway_method", "", None, "unknown"),
    ],
)
def test_a_rest_api(made: Callable[[Blocks], dict[str, Any]], kind: str, field: str, value: Any,
                    wanted: str) -> None:  # fmt: skip
    blocks = changed(REST, kind, field, value) if field else without(REST, kind)
    found = public(estate(blocks, made))
    assert found[API] == wanted
    # The function has no door of its own: it is as open as the API that calls it.
    if wanted == "yes" and (kind, field) != ("aws_api_gateway_method", "http_method"):
        assert found[FUNCTION] == "yes"


def test_an_older_deployment_makes_its_stage_itself() -> None:
    blocks = without(REST, "aws_api_gateway_stage")
    blocks["aws_api_gateway_deployment"] = [{"id": "d", "rest_api_id": "abc", "stage_name": "live"}]
    assert public(estate(blocks))[API] == "yes"


def test_a_policy_of_its_own_decides() -> None:
    blocks = {**REST, "aws_api_gateway_rest_api_policy": [{"rest_api_id": "abc", "policy": THEIRS}]}
    assert public(estate(blocks))[API] == "no"


@pytest.mark.parametrize(
    ("security", "everywhere", "wanted"),
    [
        (None, None, "yes"),
        ([{"key": []}], None, "no"),
        ([{"pool": []}], None, "no"),
        ([], [{"pool": []}], "yes"),
        (None, [{"pool": []}], "no"),
        ([{}, {"pool": []}], None, "yes"),
    ],
)
def test_an_api_of_an_openapi_document(security: Any, everywhere: Any, wanted: str) -> None:
    document = deepcopy(DOCUMENT)
    if security is not None:
        document["paths"]["/pets"]["get"]["security"] = security
    if everywhere is not None:
        document["security"] = everywhere
    blocks = changed(DESCRIBED, "aws_api_gateway_rest_api", "body", json.dumps(document))
    found = public(estate(blocks))
    # Nobody told the function's own policy: where this API is no way to it, another may be.
    assert (found[API], found[FUNCTION]) == (wanted, "yes" if wanted == "yes" else "unknown")


@pytest.mark.parametrize(
    "body", ["", "openapi: 3.0.1\npaths: {}", "[]", '{"paths": []}', "[" * 5000]
)
def test_a_document_that_cannot_be_read_is_no_silent_no(body: str) -> None:
    blocks = changed(DESCRIBED, "aws_api_gateway_rest_api", "body", body)
    assert public(estate(blocks))[API] == "unknown"


@pytest.mark.parametrize(
    ("kind", "field", "value", "wanted"),
    [
        ("aws_apigatewayv2_api", "name", "other", "yes"),
        ("aws_apigatewayv2_route", "authorization_type", "JWT", "no"),
        ("aws_apigatewayv2_route", "api_key_required", True, "no"),
        ("aws_apigatewayv2_api", "disable_execute_api_endpoint", True, "unknown"),
        ("aws_apigatewayv2_route", "", None, "unknown"),
    ],
)
def test_an_http_api(kind: str, field: str, value: Any, wanted: str) -> None:
    blocks = changed(HTTPS, kind, field, value) if field else without(HTTPS, kind)
    found = public(estate(blocks))
    assert found[HTTP] == wanted
    if wanted == "yes":
        assert found[FUNCTION] == "yes"


def test_an_http_api_made_with_its_target() -> None:
    blocks = without(without(HTTPS, "aws_apigatewayv2_route"), "aws_apigatewayv2_integration")
    blocks = changed(blocks, "aws_apigatewayv2_api", "target", FUNCTION)
    found = public(estate(blocks))
    assert (found[HTTP], found[FUNCTION]) == ("yes", "yes")


@pytest.mark.parametrize(
    ("blocks", "arn", "kind", "mapping"),
    [
        (REST, API, "aws_api_gateway_rest_api", ("aws_api_gateway_base_path_mapping", "abc")),
        (HTTPS, HTTP, "aws_apigatewayv2_api", ("aws_apigatewayv2_api_mapping", "xyz")),
    ],
)
def test_a_domain_leads_to_an_api_whose_own_endpoint_is_off(
    blocks: Blocks, arn: str, kind: str, mapping: tuple[str, str]
) -> None:
    named = {**changed(blocks, kind, "disable_execute_api_endpoint", True),
             "aws_api_gateway_domain_name": [{"domain_name": "api.example.com",
                                              "arn": f"arn:aws:apigateway:{R}::/domainnames/api.example.com",
                                              "endpoint_configuration": [{"types": ["REGIONAL"]}]}],
             mapping[0]: [{"domain_name": "api.example.com", "api_id": mapping[1]}]}  # fmt: skip
    assert public(estate(named))[arn] == "yes"


GROUP = {"aws_security_group": [{"id": "sg-9", "arn": f"arn:aws:ec2:{R}:{A}:security-group/sg-9", "name": "b",
                                 "vpc_id": "vpc-1", "owner_id": A, "ingress": [
                                     {"protocol": "-1", "from_port": 0, "to_port": 0,
                                      "cidr_blocks": ["0.0.0.0/0"]}]}]}  # fmt: skip
NET = {
    k: v for k, v in network().items() if k not in ("aws_instance", "aws_security_group")
} | GROUP
RUNNER = f"arn:aws:apprunner:{R}:{A}:service/web/1"
GRAPH = f"arn:aws:appsync:{R}:{A}:apis/g"
TRANSFER = f"arn:aws:transfer:{R}:{A}:server/s-1"
LIGHT = f"arn:aws:lightsail:{R}:{A}:Instance/1"
BROKER = f"arn:aws:mq:{R}:{A}:broker:b:b-1"
KAFKA = f"arn:aws:kafka:{R}:{A}:cluster/k/1"
POOL = f"arn:aws:cognito-identity:{R}:{A}:identitypool/{R}:1"
POINT = f"arn:aws:s3:{R}:{A}:accesspoint/p"
LAYER = f"arn:aws:lambda:{R}:{A}:layer:l:1"
VAULT = f"arn:aws:backup:{R}:{A}:backup-vault:v"
ARCHIVE = f"arn:aws:glacier:{R}:{A}:vaults/a"
CATALOGUE = f"arn:aws:glue:{R}:{A}:catalog"
PACKAGES = f"arn:aws:codeartifact:{R}:{A}:repository/d/p"
DOMAIN = f"arn:aws:codeartifact:{R}:{A}:domain/d"
STREAM = f"arn:aws:kinesis:{R}:{A}:stream/s"
BUS = f"arn:aws:events:{R}:{A}:event-bus/b"
SHARED = f"arn:aws:ssm:{R}:{A}:document/doc"
TABLE = f"arn:aws:dynamodb:{R}:{A}:table/t"
COPY = f"arn:aws:rds:{R}:{A}:snapshot:c"
CLUSTER_COPY = f"arn:aws:rds:{R}:{A}:cluster-snapshot:c"
NEPTUNE = f"arn:aws:rds:{R}:{A}:cluster:n"
WORKGROUP = f"arn:aws:redshift-serverless:{R}:{A}:workgroup/w"
PORT_22 = {"protocol": "tcp", "from_port": 22, "to_port": 22}
BUCKET: Blocks = {
    "aws_s3_bucket": [{"id": "b", "bucket": "b", "arn": "arn:aws:s3:::b"}],
    "aws_s3_bucket_policy": [{"id": "b", "bucket": "b", "policy": said(Resource=["arn:aws:s3:::b", "arn:aws:s3:::b/*"], Condition={
        "StringEquals": {"s3:DataAccessPointAccount": A}})}],
    "aws_s3_bucket_public_access_block": [{"id": "b", "bucket": "b"}],
    "aws_s3_account_public_access_block": [{"id": A, "account_id": A}],
}  # fmt: skip

# (resource, blocks that open it, [(type, field, value, answer then)])
SERVICES: list[tuple[str, Blocks, list[tuple[str, str, Any, str]]]] = [
    (RUNNER, {"aws_apprunner_service": [{
        "arn": RUNNER, "service_name": "web", "service_url": "x.awsapprunner.com", "status": "RUNNING",
        "network_configuration": [{"ingress_configuration": [{"is_publicly_accessible": True}]}]}]},
     [("aws_apprunner_service", "network_configuration",
       [{"ingress_configuration": [{"is_publicly_accessible": False}]}], "no"),
      ("aws_apprunner_service", "status", "PAUSED", "no"),
      ("aws_apprunner_service", "network_configuration", None, "unknown")]),
    (GRAPH, {"aws_appsync_graphql_api": [{"arn": GRAPH, "id": "g", "name": "g", "authentication_type": "API_KEY",
                                          "visibility": "GLOBAL", "uris": {"GRAPHQL": "https://g"}}]},
     [("aws_appsync_graphql_api", "authentication_type", "AWS_IAM", "no"),
      ("aws_appsync_graphql_api", "visibility", "PRIVATE", "no"),
      ("aws_appsync_graphql_api", "authentication_type", None, "unknown")]),
    (GRAPH, {"aws_appsync_graphql_api": [{
        "arn": GRAPH, "id": "g", "name": "g", "authentication_type": "AWS_IAM",
        "additional_authentication_provider": [{"authentication_type": "API_KEY"}]}]},
     [("aws_appsync_graphql_api", "additional_authentication_provider", [], "no")]),
    (TRANSFER, {"aws_transfer_server": [{"arn": TRANSFER, "id": "s-1", "endpoint_type": "PUBLIC",
                                         "protocols": ["SFTP"]}]},
     [("aws_transfer_server", "endpoint_type", "VPC", "no"),
      ("aws_transfer_server", "endpoint_type", None, "unknown")]),
    (LIGHT, {"aws_lightsail_instance": [{"arn": LIGHT, "name": "l", "public_ip_address": "198.51.100.9"}],
             "aws_lightsail_instance_public_ports": [{"instance_name": "l", "port_info": [
                 {**PORT_22, "cidrs": ["0.0.0.0/0"]}]}]},
     [("aws_lightsail_instance_public_ports", "port_info", [{**PORT_22, "cidrs": ["203.0.113.0/24"]}], "no"),
      ("aws_lightsail_instance_public_ports", "instance_name", "other", "unknown"),
      ("aws_lightsail_instance", "public_ip_address", "", "no")]),
    (BROKER, {**NET, "aws_mq_broker": [{"arn": BROKER, "id": "b-1", "broker_name": "b", "engine_type": "ActiveMQ",
                                        "publicly_accessible": True, "subnet_ids": ["subnet-1"],
                                        "security_groups": ["sg-9"]}]},
     [("aws_mq_broker", "publicly_accessible", False, "no"),
      ("aws_mq_broker", "publicly_accessible", None, "unknown"),
      ("aws_security_group", "ingress", [], "no")]),
    (KAFKA, {**NET, "aws_msk_cluster": [{"arn": KAFKA, "cluster_name": "k", "broker_node_group_info": [{
        "client_subnets": ["subnet-1"], "security_groups": ["sg-9"], "connectivity_info": [
            {"public_access": [{"type": "SERVICE_PROVIDED_EIPS"}]}]}]}]},
     [("aws_msk_cluster", "broker_node_group_info", [{
         "client_subnets": ["subnet-1"], "security_groups": ["sg-9"], "connectivity_info": [
             {"public_access": [{"type": "DISABLED"}]}]}], "no"),
      ("aws_msk_cluster", "broker_node_group_info", None, "unknown"),
      ("aws_security_group", "ingress", [], "no")]),
    (POOL, {"aws_cognito_identity_pool": [{"arn": POOL, "id": f"{R}:1", "identity_pool_name": "p",
                                           "allow_unauthenticated_identities": True}]},
     [("aws_cognito_identity_pool", "allow_unauthenticated_identities", False, "no"),
      ("aws_cognito_identity_pool", "allow_unauthenticated_identities", None, "unknown")]),
    (POINT, {**BUCKET, "aws_s3_access_point": [{
        "arn": POINT, "name": "p", "bucket": "b", "network_origin": "Internet",
        "policy": said(Resource=f"{POINT}/object/*"), "public_access_block_configuration": [
            {"restrict_public_buckets": False, "block_public_policy": False}]}]},
     [("aws_s3_access_point", "network_origin", "VPC", "no"),
      ("aws_s3_access_point", "policy", "", "no"),
      ("aws_s3_access_point", "policy", None, "unknown"),
      ("aws_s3_access_point", "public_access_block_configuration", [{"restrict_public_buckets": True}], "no"),
      ("aws_s3_access_point", "public_access_block_configuration", [], "no"),
      ("aws_s3_bucket_public_access_block", "restrict_public_buckets", True, "no")]),
    (LAYER, {"aws_lambda_layer_version": [{"arn": LAYER, "layer_name": "l", "version": "1"}],
             "aws_lambda_layer_version_permission": [{
                 "layer_name": "l", "version_number": 1, "principal": "*", "action": "lambda:GetLayerVersion",
                 "policy": said(Action="lambda:GetLayerVersion", Resource=LAYER)}]},
     [("aws_lambda_layer_version_permission", "policy", "", "yes"),
      ("aws_lambda_layer_version_permission", "policy", said(
          Action="lambda:GetLayerVersion", Resource=LAYER,
          Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}), "no"),
      ("aws_lambda_layer_version_permission", "version_number", 2, "unknown")]),
    (VAULT, {"aws_backup_vault": [{"arn": VAULT, "name": "v"}],
             "aws_backup_vault_policy": [{"backup_vault_name": "v", "policy": OPEN}]},
     [("aws_backup_vault_policy", "policy", THEIRS, "no"),
      ("aws_backup_vault_policy", "backup_vault_name", "w", "unknown")]),
    (ARCHIVE, {"aws_glacier_vault": [{"arn": ARCHIVE, "name": "a", "access_policy": OPEN}]},
     [("aws_glacier_vault", "access_policy", THEIRS, "no"), ("aws_glacier_vault", "access_policy", "", "no"),
      ("aws_glacier_vault", "access_policy", None, "unknown")]),
    (CATALOGUE, {**USER, "aws_glue_resource_policy": [{"id": "catalog", "policy": OPEN}],
                 "aws_glue_job": [{"arn": f"arn:aws:glue:{R}:{A}:job/j", "name": "j"}]},
     [("aws_glue_resource_policy", "policy", THEIRS, "no")]),
    (PACKAGES, {"aws_codeartifact_repository": [{"arn": PACKAGES, "repository": "p", "domain": "d"}],
                "aws_codeartifact_repository_permissions_policy": [
                    {"repository": "p", "domain": "d", "policy_document": OPEN}]},
     [("aws_codeartifact_repository_permissions_policy", "policy_document", THEIRS, "no"),
      ("aws_codeartifact_repository_permissions_policy", "domain", "e", "unknown")]),
    (DOMAIN, {"aws_codeartifact_domain": [{"arn": DOMAIN, "domain": "d", "owner": A}],
              "aws_codeartifact_domain_permissions_policy": [{"domain": "d", "policy_document": OPEN}]},
     [("aws_codeartifact_domain_permissions_policy", "policy_document", THEIRS, "no"),
      ("aws_codeartifact_domain_permissions_policy", "domain", "e", "unknown")]),
    (STREAM, {"aws_kinesis_stream": [{"arn": STREAM, "name": "s"}],
              "aws_kinesis_resource_policy": [{"resource_arn": STREAM, "policy": OPEN}]},
     [("aws_kinesis_resource_policy", "policy", THEIRS, "no"),
      ("aws_kinesis_resource_policy", "resource_arn", "x", "unknown")]),
    (BUS, {"aws_cloudwatch_event_bus": [{"arn": BUS, "name": "b"}],
           "aws_cloudwatch_event_permission": [{"event_bus_name": "b", "principal": "*",
                                                "action": "events:PutEvents", "statement_id": "s"}]},
     [("aws_cloudwatch_event_permission", "principal", B, "no"),
      ("aws_cloudwatch_event_permission", "condition", [
          {"type": "StringEquals", "key": "aws:PrincipalOrgID", "value": "o-1"}], "no"),
      ("aws_cloudwatch_event_permission", "event_bus_name", "other", "no")]),
    (BUS, {"aws_cloudwatch_event_bus": [{"arn": BUS, "name": "b"}],
           "aws_cloudwatch_event_bus_policy": [{"event_bus_name": "b", "policy": OPEN}]},
     [("aws_cloudwatch_event_bus_policy", "policy", THEIRS, "no")]),
    (SHARED, {**USER, "aws_ssm_document": [{
        "arn": SHARED, "name": "doc", "document_type": "Command", "owner": A,
        "permissions": {"type": "Share", "account_ids": "All"}}]},
     [("aws_ssm_document", "permissions", {"type": "Share", "account_ids": B}, "no"),
      ("aws_ssm_document", "permissions", None, "unknown")]),
    (TABLE, {"aws_dynamodb_table": [{"arn": TABLE, "name": "t"}],
             "aws_dynamodb_resource_policy": [{"resource_arn": TABLE, "policy": OPEN, "revision_id": "1"}]},
     [("aws_dynamodb_resource_policy", "policy", THEIRS, "no")]),
    (COPY, {"aws_db_snapshot": [{"db_snapshot_arn": COPY, "db_snapshot_identifier": "c", "engine": "postgres",
                                 "shared_accounts": ["all"]}]},
     [("aws_db_snapshot", "shared_accounts", [B], "no"), ("aws_db_snapshot", "shared_accounts", [], "no"),
      ("aws_db_snapshot", "shared_accounts", None, "unknown")]),
    (CLUSTER_COPY, {"aws_db_cluster_snapshot": [{
        "db_cluster_snapshot_arn": CLUSTER_COPY, "db_cluster_snapshot_identifier": "c",
        "engine": "aurora", "shared_accounts": ["all"]}]},
     [("aws_db_cluster_snapshot", "shared_accounts", [B], "no"),
      ("aws_db_cluster_snapshot", "shared_accounts", None, "unknown")]),
    (NEPTUNE, {**NET, "aws_db_subnet_group": [{"id": "g", "name": "g", "subnet_ids": ["subnet-1"]}],
               "aws_neptune_cluster": [{"arn": NEPTUNE, "cluster_identifier": "n", "engine": "neptune",
                                        "cluster_members": ["n1"]}],
               "aws_neptune_cluster_instance": [{
                   "arn": f"arn:aws:rds:{R}:{A}:db:n1", "identifier": "n1", "cluster_identifier": "n",
                   "engine": "neptune", "port": 8182, "publicly_accessible": True,
                   "db_subnet_group_name": "g", "vpc_security_group_ids": ["sg-9"]}]},
     [("aws_neptune_cluster_instance", "publicly_accessible", False, "no"),
      ("aws_security_group", "ingress", [], "no")]),
    (WORKGROUP, {**NET, "aws_redshiftserverless_workgroup": [{
        "arn": WORKGROUP, "workgroup_name": "w", "publicly_accessible": True, "port": 5439,
        "subnet_ids": ["subnet-1"], "security_group_ids": ["sg-9"]}]},
     [("aws_redshiftserverless_workgroup", "publicly_accessible", False, "no"),
      ("aws_security_group", "ingress", [], "no")]),
]  # fmt: skip


@pytest.mark.parametrize("made", [state, plan])
@pytest.mark.parametrize(("arn", "blocks", "flips"), SERVICES, ids=[s[0] for s in SERVICES])
def test_services(made: Callable[[Blocks], dict[str, Any]], arn: str, blocks: Blocks,
                  flips: list[tuple[str, str, Any, str]]) -> None:  # fmt: skip
    for row in (r for rows in blocks.values() for r in rows):
        row.setdefault("id", row.get("arn", "x"))  # a plan tells only what exists, by its id
    assert public(estate(blocks, made))[arn] == "yes"
    for kind, field, value, wanted in flips:
        found = public(estate(changed(blocks, kind, field, value), made))
        assert found.get(arn, "unknown") == wanted, (kind, field, value)


def test_kafka_without_servers_is_inside() -> None:
    blocks: Blocks = {"aws_msk_serverless_cluster": [{"arn": KAFKA, "cluster_name": "k"}]}
    assert public(estate(blocks))[KAFKA] == "no"


# Whatever else has an ARN


def test_anything_with_an_arn_is_a_resource_without_its_values() -> None:
    alarm = f"arn:aws:cloudwatch:{R}:{A}:alarm:a"
    blocks: Blocks = {
        "aws_cloudwatch_metric_alarm": [{"id": "a", "arn": alarm, "tags_all": {"env": "prod"},
                                         "secret": "hunter2"}],
        "aws_s3_object": [{"id": "k", "arn": "arn:aws:s3:::b/k", "content": "hunter2"}],
        "aws_lambda_alias": [{"id": "l", "arn": f"{FUNCTION}:live", "name": "live"}],
        "aws_null": [{"id": "n", "arn": "not an arn"}],
    }  # fmt: skip
    found = estate(blocks)
    assert set(found.items) == {alarm}
    item = found.items[alarm]
    assert (item.account, item.region, item.tags) == (A, R, {"env": "prod"})
    assert "hunter2" not in json.dumps(item.config)
