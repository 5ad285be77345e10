"""Functions, containers, clusters, and the services in front of them, out of a graph."""

from __future__ import annotations

import json
from typing import Any

from secinbox.inventory._nodes.graph import Graph, Made, Node, Told, ids

_NETWORK = "the graph keeps no network settings of a service"
_CIDRS = "the graph says whether the endpoint is public, not which addresses it admits"
_API_POLICY = "the graph keeps no API policy"
_SIGNED = "the graph does not say whether the distribution asks for signed addresses"


def function(graph: Graph, node: Node) -> Made:
    """Of its policy the graph keeps a conclusion, which proves what anyone may call, no more."""
    arn = node.need("arn", "id")
    roles = ids(graph.out(node, "STS_ASSUMEROLE_ALLOW", "ASSUMES", to="AWSRole"), "arn")
    found = node.told(FunctionName="name", Runtime="runtime", Handler="handler", Version="version",
                      PackageType="packagetype", State="state")  # fmt: skip
    found |= {"Role": roles[0]} if roles else {}
    yield Told("lambda.list_functions", {"Functions": [{"FunctionArn": arn, **found}]})
    actions: Any = node.get("anonymous_actions")
    named = {str(a).lower() for a in actions} if isinstance(actions, list) else set()
    # With the right to call a URL the other one may be bound to calls through that URL.
    if node.get("anonymous_access") is True and "lambda:invokefunction" in named and not any(
        "url" in a or "*" in a for a in named
    ):  # fmt: skip
        opened = {"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction",
                  "Resource": arn}  # fmt: skip
        policy = {"Version": "2012-10-17", "Statement": [opened]}
        yield Told("lambda.get_policy", {"Policy": json.dumps(policy)}, {"FunctionName": arn},
                   {"get_policy": "the graph keeps a conclusion, not the policy"})  # fmt: skip


def event_source(graph: Graph, node: Node) -> Made:
    found = node.told(UUID="id", FunctionArn="functionarn", EventSourceArn="eventsourcearn",
                      State="state")  # fmt: skip
    yield Told("lambda.list_event_source_mappings", {"EventSourceMappings": [found]})


# Containers


def cluster(graph: Graph, node: Node) -> Made:
    found = node.told(clusterName="name", status="status")
    yield Told(
        "ecs.describe_clusters", {"clusters": [{"clusterArn": node.need("arn", "id"), **found}]}
    )


def service(graph: Graph, node: Node) -> Made:
    found = node.told(serviceName="name", clusterArn="cluster_arn", status="status",
                      desiredCount="desired_count", runningCount="running_count",
                      launchType="launch_type", taskDefinition="task_definition",
                      enableExecuteCommand="enable_execute_command")  # fmt: skip
    links = [{"targetGroupArn": graph.nodes[t.other].text("arn", "id"),
              "containerPort": t.values.get("container_port")}
             for t in node.into.get("TARGETS", ())]  # fmt: skip
    found |= {"serviceArn": node.need("arn", "id"), "loadBalancers": links,
              "networkConfiguration": {}}  # fmt: skip
    why = "the graph may keep a part of its load balancers"
    yield Told("ecs.describe_services", {"services": [found]}, {},
               {"networkConfiguration": _NETWORK, "loadBalancers": why})  # fmt: skip


def task(graph: Graph, node: Node) -> Made:
    found = node.told(clusterArn="cluster_arn", lastStatus="last_status", launchType="launch_type",
                      desiredStatus="desired_status", taskDefinitionArn="task_definition_arn",
                      enableExecuteCommand="enable_execute_command", group="group",
                      containerInstanceArn="container_instance_arn")  # fmt: skip
    interfaces = ids(graph.out(node, "NETWORK_INTERFACE"))
    interfaces = interfaces or [n for n in [node.text("network_interface_id")] if n]
    details = [{"name": "networkInterfaceId", "value": n} for n in interfaces]
    found |= {"taskArn": node.need("arn", "id")}
    if details:
        found["attachments"] = [{"type": "ElasticNetworkInterface", "details": details}]
    yield Told("ecs.describe_tasks", {"tasks": [found]})


def task_definition(graph: Graph, node: Node) -> Made:
    found = node.told(family="family", revision="revision", status="status",
                      taskRoleArn="task_role_arn", executionRoleArn="execution_role_arn",
                      networkMode="network_mode", pidMode="pid_mode", ipcMode="ipc_mode")  # fmt: skip
    held = [c.told(name="name", image="image", privileged="privileged", user="user",
                   readonlyRootFilesystem="readonly_root_filesystem")
            for c in graph.out(node, "HAS_CONTAINER_DEFINITION")]  # fmt: skip
    if held:
        found["containerDefinitions"] = held
    arn = node.need("arn", "id")
    partial = {"containerDefinitions": "the graph keeps some settings of a container only"}
    if not found.get("taskRoleArn"):
        found["taskRoleArn"], partial["taskRoleArn"] = "", "the graph names no role of its tasks"
    yield Told("ecs.describe_task_definition",
               {"taskDefinition": {"taskDefinitionArn": arn, **found}}, {"taskDefinition": arn}, partial)  # fmt: skip


def container_instance(graph: Graph, node: Node) -> Made:
    found = node.told(ec2InstanceId="ec2_instance_id", status="status")
    yield Told("ecs.describe_container_instances", {"containerInstances": [
        {"containerInstanceArn": node.need("arn", "id"), **found}]})  # fmt: skip


def eks_cluster(graph: Graph, node: Node) -> Made:
    found = node.told(name="name", endpoint="endpoint", roleArn="rolearn", version="version",
                      status="status")  # fmt: skip
    if node.text("authentication_mode"):
        found["accessConfig"] = {"authenticationMode": node.text("authentication_mode")}
    public = node.get("endpoint_public_access", "exposed_internet")
    partial = {}
    if isinstance(public, bool):
        found["resourcesVpcConfig"] = {"endpointPublicAccess": public}
        partial = {"resourcesVpcConfig": _CIDRS} if public else {}
    yield Told("eks.describe_cluster", {"cluster": {"arn": node.need("arn", "id"), **found}},
               {"name": node.need("name")}, partial)  # fmt: skip


def repository(graph: Graph, node: Node) -> Made:
    arn = node.need("arn", "id")
    parts = arn.split(":")
    found = node.told(repositoryName="name", repositoryUri="uri") | {
        "registryId": parts[4] if len(parts) > 5 else ""}  # fmt: skip
    yield Told("ecr.describe_repositories", {"repositories": [{"repositoryArn": arn, **found}]})


def repository_image(graph: Graph, node: Node) -> Made:
    """`id` of the node is the address of the image by its tag."""
    registry, _, name = node.text("repo_uri").partition("/")
    for digest in ids(graph.out(node, "IMAGE"), "digest"):
        found = {"registryId": registry.partition(".")[0], "repositoryName": name,
                 "imageDigest": digest, "imageTags": [node.text("tag")] if node.text("tag") else []}  # fmt: skip
        yield Told("ecr.describe_images", {"imageDetails": [found]})


def managed_instance(graph: Graph, node: Node) -> Made:
    found = node.told(InstanceId="instance_id", PingStatus="ping_status", IamRole="iam_role",
                      PlatformType="platform_type", PlatformName="platform_name",
                      PlatformVersion="platform_version", ResourceType="resource_type",
                      AgentVersion="agent_version", IPAddress="ip_address")  # fmt: skip
    yield Told("ssm.describe_instance_information", {"InstanceInformationList": [found]})


def emr(graph: Graph, node: Node) -> Made:
    found = node.told(Id="id", Name="name", ClusterArn="arn")
    yield Told("emr.list_clusters", {"Clusters": [found]})


# What answers to the world


def rest_api(graph: Graph, node: Node) -> Made:
    name = node.need("id")
    found: dict[str, Any] = {"id": name, "name": node.text("name") or name, "policy": ""}
    found |= node.told(disableExecuteApiEndpoint="disableexecuteapiendpoint")
    if node.text("endpoint_type"):
        found["endpointConfiguration"] = {"types": [node.text("endpoint_type")]}
    yield Told("apigateway.get_rest_apis", {"items": [found]}, {}, {"policy": _API_POLICY})
    asked = {"restApiId": name}
    stages = [s.told(stageName="stagename", deploymentId="deploymentid")
              for s in graph.out(node, "ASSOCIATED_WITH", to="APIGatewayStage")]  # fmt: skip
    tied = any(graph.into(s, "ASSOCIATED_WITH") for s in graph.of("APIGatewayStage"))
    if stages or (tied and not graph.broken):
        yield Told("apigateway.get_stages", {"item": stages}, asked)
    if not graph.of("APIGatewayMethod"):
        return  # older versions keep none
    items: list[dict[str, Any]] = []
    for resource in graph.out(node, "RESOURCE", to="APIGatewayResource"):
        calls = {i.text("httpmethod"): i.told(type="type", uri="uri", credentials="credentials",
                                              httpMethod="integration_http_method")
                 for i in graph.out(resource, "HAS_INTEGRATION")}  # fmt: skip
        methods: dict[str, dict[str, Any]] = {}
        for method in graph.out(resource, "HAS_METHOD"):
            verb = method.need("httpmethod")
            methods[verb] = {"httpMethod": verb, **method.told(
                authorizationType="authorization_type", authorizerId="authorizer_id",
                apiKeyRequired="api_key_required")}  # fmt: skip
            if "authorizationType" not in methods[verb]:
                methods[verb]["authorizationType"] = "UNREAD"
            if verb in calls:
                methods[verb]["methodIntegration"] = calls[verb]
        items.append({"id": resource.text("id"), "path": resource.text("path") or "/*",
                      "resourceMethods": methods})  # fmt: skip
    if not items:
        return  # every API has its root: without it nothing of the API was exported
    gap = graph.gap("HAS_METHOD")
    unread = any(m["authorizationType"] == "UNREAD" for i in items
                 for m in i["resourceMethods"].values())  # fmt: skip
    gap = gap or ("how a method authorises was not read" if unread else "")
    yield Told("apigateway.get_resources", {"items": items}, asked,
               {"get_resources": gap} if gap else {})  # fmt: skip


def http_api(graph: Graph, node: Node) -> Made:
    found = node.told(ApiId="id", Name="name", ProtocolType="protocoltype",
                      ApiEndpoint="apiendpoint")  # fmt: skip
    yield Told("apigatewayv2.get_apis", {"Items": [found]})


def distribution(graph: Graph, node: Node) -> Made:
    arn = node.need("arn", "id")
    found = node.told(Id="distribution_id", DomainName="domain_name", Enabled="enabled",
                      Status="status", WebACLId="web_acl_id")  # fmt: skip
    names = node.get("aliases")
    found["Aliases"] = {"Items": names if isinstance(names, list) else []}
    buckets = ids(graph.out(node, "SERVES_FROM", to="S3Bucket"), "name")
    found["Origins"] = {
        "Items": [{"Id": b, "DomainName": f"{b}.s3.amazonaws.com"} for b in buckets]
    }
    found["DefaultCacheBehavior"] = {}
    yield Told("cloudfront.list_distributions", {"DistributionList": {"Items": [{"ARN": arn, **found}]}},
               {}, {"DefaultCacheBehavior": _SIGNED, "Origins": "other origins are not kept"})  # fmt: skip


def identity_pool(graph: Graph, node: Node) -> Made:
    name = node.need("id")
    yield Told("cognito-identity.list_identity_pools",
               {"IdentityPools": [{"IdentityPoolId": name, "IdentityPoolName": name}]})  # fmt: skip


def event_rule(graph: Graph, node: Node) -> Made:
    found = node.told(Arn="arn", Name="name", State="state", EventPattern="event_pattern",
                      RoleArn="role_arn", EventBusName="event_bus_name")  # fmt: skip
    yield Told("events.list_rules", {"Rules": [found]})
