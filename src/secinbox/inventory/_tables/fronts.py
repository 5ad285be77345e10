"""Tables of what answers to the world: APIs, distributions, domain names and managed services."""

from __future__ import annotations

from secinbox.inventory._tables.rows import (
    Answer,
    Made,
    Row,
    described,
    first,
    listed,
    part,
    pruned,
    tags_of,
    told,
)

rest_api = listed(
    "apigateway.get_rest_apis",
    """
    api_id=id endpoint_configuration_types=endpointConfiguration.types
    endpoint_configuration_vpc_endpoint_ids=endpointConfiguration.vpcEndpointIds arn=-""",
)
stage = part("apigateway.get_stages", "item", "restApiId=rest_api_id,rest_api_arn|tail",
             "name=stageName arn=- rest_api_id=- rest_api_arn=-", lower=True)  # fmt: skip
http_api = listed("apigatewayv2.get_apis", "id=ApiId arn=-")
route = part("apigatewayv2.get_routes", "Items", "ApiId=api_id", "arn=- api_arn=- api_id=-")
integration = part("apigatewayv2.get_integrations", "Items", "ApiId=api_id",
                   "arn=- api_arn=- api_id=-")  # fmt: skip
http_stage = part("apigatewayv2.get_stages", "Items", "ApiId=api_id", "arn=- api_arn=- api_id=-")
domain_name = listed("apigateway.get_domain_names", "arn=-")
base_path = part("apigateway.get_base_path_mappings", "items",
                 "domainName=domain_name_arn,domain_name|tail", "arn=-", lower=True)  # fmt: skip
api_mapping = part("apigatewayv2.get_api_mappings", "Items",
                   "DomainName=domain_name,domain_name_arn|tail", "arn=-")  # fmt: skip


def method(row: Row) -> Made:
    """A method of a REST API: its path is told by the row, or by its resource's table."""
    arn = str(first(row, "resource_arn") or "")
    api = first(row, "rest_api_id") or str(row["rest_api_arn"]).rpartition("/")[2]
    found = described(row, lower=True)
    kept = {k: found[k] for k in ("authorizationType", "apiKeyRequired", "httpMethod",
                                  "methodIntegration", "authorizerId") if k in found}  # fmt: skip
    resource = {"id": first(row, "resource_id") or arn.rpartition("/")[2],
                "path": first(row, "path") or "/*",
                "resourceMethods": {str(row["http_method"]): kept}}  # fmt: skip
    yield Answer("apigateway.get_resources", {"items": [resource]}, {"restApiId": str(api)},
                 ("get_resources",))  # fmt: skip


def api_resource(row: Row) -> Made:
    """Its methods are objects only where they were asked for."""
    methods = row.get("resource_methods")
    api = str(row["rest_api_arn"]).rpartition("/")[2]
    if isinstance(methods, dict) and any(isinstance(m, dict) and m for m in methods.values()):
        found = {"id": row.get("id"), "path": row.get("path"),
                 "resourceMethods": pruned(methods, lower=True)}  # fmt: skip
        yield Answer("apigateway.get_resources", {"items": [found]}, {"restApiId": api},
                     ("get_resources",))  # fmt: skip


def distribution(row: Row) -> Made:
    inner = row.get("distribution_config")
    found = described(row, {"arn": "ARN", "distribution_config": "-", "origins": "-",
                            "is_ipv6_enabled": "IsIPV6Enabled", "web_acl_id": "WebACLId"})  # fmt: skip
    if isinstance(inner, dict):
        found |= pruned(inner)
    origins = row.get("origins")
    if isinstance(origins, list):
        found["Origins"] = {"Items": pruned(origins)}
    elif isinstance(origins, dict):
        found["Origins"] = pruned(origins)
    yield Answer("cloudfront.list_distributions", {"DistributionList": {"Items": [found]}})


def record(row: Row) -> Made:
    found = described(row)
    records = row.get("records")
    if isinstance(records, list) and "ResourceRecords" not in found:
        found["ResourceRecords"] = [{"Value": str(r)} for r in records]
    yield Answer("route53.list_resource_record_sets", {"ResourceRecordSets": [found]})


def tagging(row: Row) -> Made:
    mapping = {"ResourceARN": str(row["arn"]), "Tags": tags_of(row)}
    yield Answer("resourcegroupstaggingapi.get_resources", {"ResourceTagMappingList": [mapping]})


def identity_pool(row: Row) -> Made:
    found = described(row)
    yield Answer("cognito-identity.describe_identity_pool", found,
                 {"IdentityPoolId": str(row.get("identity_pool_id") or row.get("id"))})  # fmt: skip


graphql = listed("appsync.list_graphql_apis")
transfer = told("transfer.describe_server", "Server", "ServerId=server_id")
virtual_server = listed("lightsail.get_instances", "state_name=state.name ip_v6_addresses=ipv6Addresses")  # fmt: skip
kafka = listed("kafka.list_clusters")
broker = told("mq.describe_broker", "", "BrokerId=broker_id", "arn=BrokerArn")
certificate = listed("acm.list_certificates", "certificate=- certificate_chain=-")
web_acl = listed("wafv2.list_web_acls")
event_rule = listed("events.list_rules", "targets=-")
event_bus = listed("events.list_event_buses")
