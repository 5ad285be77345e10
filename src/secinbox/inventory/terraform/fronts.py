"""What answers to the world: APIs, App Runner, AppSync, file transfer, brokers, identity pools."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from secinbox.inventory.terraform.answers import Answer, Blocks, answer, filled
from secinbox.inventory.terraform.blocks import Block

_VERBS = (
    "get",
    "put",
    "post",
    "delete",
    "patch",
    "head",
    "options",
    "x-amazon-apigateway-any-method",
)


def answers(blocks: Blocks) -> Iterator[Answer]:
    for b in blocks.of("aws_api_gateway_rest_api"):
        yield from _rest_api(blocks, b)
    for b in blocks.of("aws_apigatewayv2_api"):
        yield from _http_api(blocks, b)
    yield from _domains(blocks)
    for b in blocks.of("aws_apprunner_service"):
        yield _runner(b)
    for b in blocks.of("aws_appsync_graphql_api"):
        others = b.rows("additional_authentication_provider")
        uris = b.values.get("uris")
        api = filled(
            arn=b.arn, apiId=b.text("id"), name=b.text("name"),
            authenticationType=b.text("authentication_type"), visibility=b.text("visibility"),
            additionalAuthenticationProviders=[
                {"authenticationType": o.text("authentication_type")} for o in others],
            uris=uris if isinstance(uris, dict) else None, tags=_map(b),
        )  # fmt: skip
        yield answer("appsync.list_graphql_apis", {"graphqlApis": [api]}, b)
    for b in blocks.of("aws_transfer_server"):
        inner = b.first("endpoint_details")
        server = filled(
            Arn=b.arn, ServerId=b.text("id"), EndpointType=b.text("endpoint_type"),
            Protocols=b.texts("protocols"), Tags=b.tags, State="ONLINE",
            EndpointDetails=filled(
                AddressAllocationIds=inner.texts("address_allocation_ids"),
                SubnetIds=inner.texts("subnet_ids"), VpcId=inner.text("vpc_id"),
                SecurityGroupIds=inner.texts("security_group_ids")) if inner.values else None,
        )  # fmt: skip
        yield answer("transfer.describe_server", {"Server": server}, b, ServerId=b.text("id"))
    for b in blocks.of("aws_lightsail_instance"):
        yield _virtual_server(blocks, b)
    for b in blocks.of("aws_mq_broker"):
        broker = filled(
            BrokerArn=b.arn, BrokerId=b.text("id"), BrokerName=b.text("broker_name"),
            EngineType=b.text("engine_type"), PubliclyAccessible=b.values.get("publicly_accessible"),
            SubnetIds=b.texts("subnet_ids"), SecurityGroups=b.texts("security_groups"),
            Tags=_map(b),
        )  # fmt: skip
        yield answer("mq.describe_broker", broker, b, BrokerId=b.text("id"))
    for b in blocks.of("aws_msk_cluster", "aws_msk_serverless_cluster"):
        yield answer("kafka.list_clusters", {"ClusterInfoList": [_kafka(b)]}, b)
    for b in blocks.of("aws_cognito_identity_pool"):
        yield from _identity_pool(blocks, b)


def _map(b: Block) -> dict[str, str] | None:
    return {t["Key"]: t["Value"] for t in b.tags} or None


def _rest_api(blocks: Blocks, b: Block) -> Iterator[Answer]:
    number = b.text("id")
    given = blocks.where(number, "rest_api_id", "aws_api_gateway_rest_api_policy")
    ends = b.first("endpoint_configuration")
    api = filled(
        id=number, name=b.text("name"), disableExecuteApiEndpoint=b.values.get("disable_execute_api_endpoint"),
        policy=next((g.text("policy") for g in given), "") or b.text("policy"), tags=_map(b),
        apiKeySource=b.text("api_key_source") or "HEADER",
        endpointConfiguration={"types": ends.texts("types"),
                               "vpcEndpointIds": ends.texts("vpc_endpoint_ids")} if ends.values else None,
    )  # fmt: skip
    yield answer("apigateway.get_rest_apis", {"items": [api]}, b, *given)
    stages = blocks.where(number, "rest_api_id", "aws_api_gateway_stage")
    # An older deployment makes its stage itself.
    made = [d for d in blocks.where(number, "rest_api_id", "aws_api_gateway_deployment")
            if d.text("stage_name")]  # fmt: skip
    if stages or made:
        listed = [filled(stageName=s.text("stage_name"), webAclArn=s.text("web_acl_arn"))
                  for s in (*stages, *made)]  # fmt: skip
        yield answer("apigateway.get_stages", {"item": listed}, *stages, *made, arn=b.arn,
                     restApiId=number)  # fmt: skip
    methods, used = _methods(blocks, number)
    if not methods:
        methods, used = _described(b), [b]
    if methods:
        rows = [{"id": path, "path": path, "resourceMethods": verbs}
                for path, verbs in sorted(methods.items())]  # fmt: skip
        yield answer(
            "apigateway.get_resources", {"items": rows}, *used, arn=b.arn, restApiId=number
        )


Methods = dict[str, dict[str, dict[str, Any]]]


def _methods(blocks: Blocks, api: str) -> tuple[Methods, list[Block]]:
    """path -> verb -> what the method asks for and leads to; from blocks of their own."""
    paths = {r.text("id"): r.text("path")
             for r in blocks.where(api, "rest_api_id", "aws_api_gateway_resource")}  # fmt: skip
    found: Methods = {}
    used = blocks.where(api, "rest_api_id", "aws_api_gateway_method")
    for method in used:
        path = paths.get(method.text("resource_id"), "/")
        found.setdefault(path, {})[method.text("http_method")] = filled(
            authorizationType=method.text("authorization"),
            apiKeyRequired=method.values.get("api_key_required"),
        )
    joined = blocks.where(api, "rest_api_id", "aws_api_gateway_integration")
    for one in joined:
        path = paths.get(one.text("resource_id"), "/")
        method_of = found.get(path, {}).get(one.text("http_method"))
        if method_of is not None:
            method_of["methodIntegration"] = filled(type=one.text("type"), uri=one.text("uri"))
    return found, [*used, *joined, *blocks.where(api, "rest_api_id", "aws_api_gateway_resource")]


def _described(b: Block) -> Methods:
    """The same from an OpenAPI document in `body`, as JSON; nothing from any other text."""
    try:
        document = json.loads(b.text("body") or "null")
    except (ValueError, RecursionError):
        return {}
    paths = document.get("paths") if isinstance(document, dict) else None
    if not isinstance(paths, dict):
        return {}
    schemes = document.get("securityDefinitions") or (document.get("components") or {}).get(
        "securitySchemes"
    )
    everywhere = document.get("security")
    found: Methods = {}
    for path, verbs in paths.items():
        for verb, operation in verbs.items() if isinstance(verbs, dict) else ():
            if verb.lower() in _VERBS and isinstance(operation, dict):
                word = "ANY" if verb.startswith("x-") else verb.upper()
                asked = operation.get("security", everywhere)
                integration = operation.get("x-amazon-apigateway-integration")
                found.setdefault(str(path), {})[word] = {
                    **_asked(asked, schemes if isinstance(schemes, dict) else {}),
                    "methodIntegration": integration if isinstance(integration, dict) else {},
                }
    return found


def _asked(security: Any, schemes: dict[str, Any]) -> dict[str, Any]:
    """What an operation's `security` means here: a key in a header is an API key, else a sign-in."""
    names = [n for row in security if isinstance(row, dict) for n in row] if isinstance(
        security, list) else []  # fmt: skip
    if not names or any(isinstance(row, dict) and not row for row in security):
        return {"authorizationType": "NONE"}
    kinds = [schemes.get(n) for n in names]
    only_keys = all(
        isinstance(k, dict)
        and k.get("type") == "apiKey"
        and not any(str(x).startswith("x-amazon-apigateway-auth") for x in k)
        for k in kinds
    )
    return {"authorizationType": "NONE", "apiKeyRequired": True} if only_keys else {
        "authorizationType": "CUSTOM"}  # fmt: skip


def _http_api(blocks: Blocks, b: Block) -> Iterator[Answer]:
    number = b.text("id")
    api = filled(
        ApiId=number, Name=b.text("name"), ProtocolType=b.text("protocol_type"),
        ApiEndpoint=b.text("api_endpoint"), Tags=_map(b),
        DisableExecuteApiEndpoint=b.values.get("disable_execute_api_endpoint"),
    )  # fmt: skip
    yield answer("apigatewayv2.get_apis", {"Items": [api]}, b)
    own = blocks.where(number, "api_id", "aws_apigatewayv2_route")
    routes = [filled(
        RouteId=r.text("id"), RouteKey=r.text("route_key"), Target=r.text("target"),
        AuthorizationType=r.text("authorization_type"), ApiKeyRequired=r.values.get("api_key_required"),
    ) for r in own]  # fmt: skip
    joined = blocks.where(number, "api_id", "aws_apigatewayv2_integration")
    integrations = [filled(
        IntegrationId=i.text("id"), IntegrationUri=i.text("integration_uri"),
        IntegrationType=i.text("integration_type"), ConnectionType=i.text("connection_type"),
        ConnectionId=i.text("connection_id"),
    ) for i in joined]  # fmt: skip
    if b.text("target"):  # one route to one target, made with the API itself
        routes.append({"RouteKey": b.text("route_key") or "$default", "Target": "integrations/quick",
                       "AuthorizationType": "NONE"})  # fmt: skip
        integrations.append({"IntegrationId": "quick", "IntegrationUri": b.text("target")})
    if routes:
        yield answer("apigatewayv2.get_routes", {"Items": routes}, *own, b, arn=b.arn, ApiId=number)
    if integrations:
        yield answer("apigatewayv2.get_integrations", {"Items": integrations}, *joined, b, arn=b.arn,
                     ApiId=number)  # fmt: skip
    stages = blocks.where(number, "api_id", "aws_apigatewayv2_stage")
    if stages:
        listed = [{"StageName": s.text("name")} for s in stages]
        yield answer("apigatewayv2.get_stages", {"Items": listed}, *stages, arn=b.arn, ApiId=number)


def _domains(blocks: Blocks) -> Iterator[Answer]:
    for b in blocks.of("aws_api_gateway_domain_name", "aws_apigatewayv2_domain_name"):
        host = b.text("domain_name")
        ends = [*b.rows("endpoint_configuration"), *b.rows("domain_name_configuration")]
        types = [t for e in ends for t in (*e.texts("types"), e.text("endpoint_type")) if t]
        named = filled(domainName=host, tags=_map(b),
                       endpointConfiguration={"types": types} if types else None)  # fmt: skip
        yield answer("apigateway.get_domain_names", {"items": [named]}, b)
        mapped = blocks.where(host, "domain_name", "aws_api_gateway_base_path_mapping")
        if mapped:
            items = [
                {"basePath": m.text("base_path"), "restApiId": m.text("api_id")} for m in mapped
            ]
            yield answer("apigateway.get_base_path_mappings", {"items": items}, *mapped, arn=b.arn,
                         domainName=host)  # fmt: skip
        mapped = blocks.where(host, "domain_name", "aws_apigatewayv2_api_mapping")
        if mapped:
            items = [{"ApiId": m.text("api_id"), "Stage": m.text("stage")} for m in mapped]
            yield answer("apigatewayv2.get_api_mappings", {"Items": items}, *mapped, arn=b.arn,
                         DomainName=host)  # fmt: skip


def _runner(b: Block) -> Answer:
    way_in = next((i for n in b.rows("network_configuration")
                   for i in n.rows("ingress_configuration")), None)  # fmt: skip
    open_ = way_in.values.get("is_publicly_accessible") if way_in is not None else None
    image = next((i.text("image_identifier") for s in b.rows("source_configuration")
                  for i in s.rows("image_repository")), "")  # fmt: skip
    service = filled(
        ServiceArn=b.arn, ServiceName=b.text("service_name"), ServiceUrl=b.text("service_url"),
        ServiceId=b.text("service_id"), Status=b.text("status"),
        NetworkConfiguration={"IngressConfiguration": {"IsPubliclyAccessible": open_}}
        if isinstance(open_, bool) else None,
        InstanceConfiguration=filled(
            InstanceRoleArn=b.first("instance_configuration").text("instance_role_arn")),
        SourceConfiguration={"ImageRepository": {"ImageIdentifier": image}} if image else None,
    )  # fmt: skip
    return answer("apprunner.describe_service", {"Service": service}, b, ServiceArn=b.arn)


def _virtual_server(blocks: Blocks, b: Block) -> Answer:
    name = b.text("name")
    opened = blocks.where(name, "instance_name", "aws_lightsail_instance_public_ports")
    ports = [filled(
        fromPort=p.number("from_port"), toPort=p.number("to_port"), protocol=p.text("protocol"),
        cidrs=p.texts("cidrs"), ipv6Cidrs=p.texts("ipv6_cidrs"), accessDirection="inbound",
    ) for o in opened for p in o.rows("port_info")]  # fmt: skip
    server = filled(
        arn=b.arn, name=name, publicIpAddress=b.text("public_ip_address"),
        privateIpAddress=b.text("private_ip_address"), ipv6Addresses=b.texts("ipv6_addresses"),
        tags=[{"key": t["Key"], "value": t["Value"]} for t in b.tags], state={"name": "running"},
        networking={"ports": ports} if opened else None,
    )  # fmt: skip
    return answer("lightsail.get_instances", {"instances": [server]}, b, *opened)


def _kafka(b: Block) -> dict[str, Any]:
    if b.type == "aws_msk_serverless_cluster":
        return filled(ClusterArn=b.arn, ClusterName=b.text("cluster_name"), Tags=_map(b),
                      Serverless={"VpcConfigs": []})  # fmt: skip
    node = b.first("broker_node_group_info")
    access = next((p.text("type") for c in node.rows("connectivity_info")
                   for p in c.rows("public_access")), "")  # fmt: skip
    return filled(
        ClusterArn=b.arn, ClusterName=b.text("cluster_name"), Tags=_map(b),
        BrokerNodeGroupInfo=filled(
            ClientSubnets=node.texts("client_subnets"), SecurityGroups=node.texts("security_groups"),
            ConnectivityInfo={"PublicAccess": {"Type": access}} if access else None,
        ) if node.values else None,
    )  # fmt: skip


def _identity_pool(blocks: Blocks, b: Block) -> Iterator[Answer]:
    number = b.text("id")
    guests = b.values.get("allow_unauthenticated_identities")
    pool = filled(IdentityPoolId=number, IdentityPoolName=b.text("identity_pool_name"),
                  AllowUnauthenticatedIdentities=guests if isinstance(guests, bool) else None,
                  AllowClassicFlow=b.values.get("allow_classic_flow"),
                  IdentityPoolTags=_map(b))  # fmt: skip
    yield answer("cognito-identity.describe_identity_pool", pool, b, IdentityPoolId=number)
    for given in blocks.where(
        number, "identity_pool_id", "aws_cognito_identity_pool_roles_attachment"
    ):
        roles = given.values.get("roles")
        if isinstance(roles, dict):
            told = {"IdentityPoolId": number, "Roles": {str(k): str(v) for k, v in roles.items()}}
            yield answer("cognito-identity.get_identity_pool_roles", told, given, arn=b.arn,
                         IdentityPoolId=number)  # fmt: skip
