"""Nodes of a Cartography graph as the calls that they were made of.

The graph keeps what its own analyses need. What it keeps a part of is told as a part
(`Item.unfinished`), what it keeps nothing of is not told. Sources: the AWS schema in Cartography's
documentation, and its data models of versions 0.90 to 0.99.
"""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.inventory._nodes import computing, identity, network, stores
from secinbox.inventory._nodes.graph import Graph, Maker, Node
from secinbox.inventory.aws.calls import Call
from secinbox.inventory.aws.elements import records_of
from secinbox.reading import Report
from secinbox.records import AnyRecord, Resource, Skipped

__all__ = ["FRAMES", "KINDS", "records"]

# Labels without the prefix AWS that newer versions give, but for those that always had it.
KINDS: dict[str, Maker] = {
    "AWSAccount": identity.account, "AWSOrganization": identity.organization,
    "AWSOrganizationalUnit": identity.unit,
    "AWSVpc": network.network, "EC2Subnet": network.subnet,
    "AWSInternetGateway": network.gateway, "EC2RouteTable": network.routes,
    "EC2NetworkAcl": network.acl, "EC2SecurityGroup": network.group,
    "AWSPeeringConnection": network.peering, "AWSVpcEndpoint": network.endpoint,
    "AWSTransitGateway": network.transit_gateway,
    "AWSTransitGatewayAttachment": network.attachment,
    "AWSTransitGatewayRouteTable": network.gateway_routes,
    "NetworkInterface": network.interface, "ElasticIPAddress": network.address,
    "EC2Instance": network.instance, "LoadBalancerV2": network.balancer,
    "LoadBalancer": network.classic, "EBSVolume": network.volume, "EBSSnapshot": network.snapshot,
    "EC2Image": network.image, "LaunchTemplate": network.template,
    "AutoScalingGroup": network.scaling, "LaunchConfiguration": network.launch_configuration,
    "AWSRole": identity.principal, "AWSUser": identity.principal, "AWSGroup": identity.principal,
    "AWSPolicy": identity.policy, "AWSInstanceProfile": identity.profile,
    "AWSSAMLProvider": identity.provider,
    "AWSLambda": computing.function, "AWSLambdaEventSourceMapping": computing.event_source,
    "ECSCluster": computing.cluster, "ECSService": computing.service, "ECSTask": computing.task,
    "ECSTaskDefinition": computing.task_definition,
    "ECSContainerInstance": computing.container_instance, "EKSCluster": computing.eks_cluster,
    "ECRRepository": computing.repository, "ECRRepositoryImage": computing.repository_image,
    "SSMInstanceInformation": computing.managed_instance, "EMRCluster": computing.emr,
    "APIGatewayRestAPI": computing.rest_api, "APIGatewayV2API": computing.http_api,
    "CloudFrontDistribution": computing.distribution,
    "CognitoIdentityPool": computing.identity_pool, "EventBridgeRule": computing.event_rule,
    "S3Bucket": stores.bucket, "S3AccountPublicAccessBlock": stores.bucket_account,
    "RDSInstance": stores.database, "RDSCluster": stores.database_cluster,
    "RDSSnapshot": stores.database_snapshot, "RedshiftCluster": stores.warehouse,
    "DynamoDBTable": stores.table, "ElasticacheCluster": stores.cache, "ESDomain": stores.search,
    "EfsFileSystem": stores.files, "EfsMountTarget": stores.mount_target,
    "SQSQueue": stores.queue, "SNSTopic": stores.topic,
    "SNSTopicSubscription": stores.subscription, "KMSKey": stores.key, "KMSAlias": stores.alias,
    "SecretsManagerSecret": stores.secret, "SSMParameter": stores.parameter,
    "CloudTrailTrail": stores.trail,
}  # fmt: skip
# Kinds that are read together with what they are a part of.
FRAMES = ("IpRule", "IpRange", "EC2Route", "EC2RouteTableAssociation", "EC2NetworkAclRule",
          "EC2PrivateIp", "EC2Ipv6Address", "AWSIpv6CidrBlock", "ELBListener", "ELBV2Listener",
          "ELBV2TargetGroup", "LaunchTemplateVersion", "AWSPolicyStatement", "S3PolicyStatement",
          "S3Acl", "AccountAccessKey", "AWSMfaDevice", "DBSubnetGroup", "ECSContainerDefinition",
          "APIGatewayResource", "APIGatewayMethod", "APIGatewayIntegration", "APIGatewayStage",
          "AWSTransitGatewayRoute", "AWSTransitGatewayRouteTableAssociation", "AWSTag")  # fmt: skip


def records(report: Report) -> Iterator[AnyRecord]:
    """What the nodes of a graph say. Raises ReportError for a file that is none."""
    graph = Graph(report)
    for label, maker in KINDS.items():
        for node in graph.of(label):
            yield from _node(graph, label, maker, node)
    if graph.broken:
        yield Skipped(reason="a relationship without both ends", count=graph.broken)
    for name, count in sorted(graph.foreign.items()):
        yield Skipped(reason=f"nodes of {name} are not read from a graph: AWS only", count=count)


def _node(graph: Graph, label: str, maker: Maker, node: Node) -> Iterator[AnyRecord]:
    account, region = graph.account(node), node.text("region")
    try:
        made = list(maker(graph, node))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        yield Skipped(reason=f"a node {label} lacks {error}", place=node.place)
        return
    tags = graph.tags(node)
    named = False
    for told in made:
        call = Call(told.operation, account, region, "aws", told.response, told.request, node.place,
                    told.partial)  # fmt: skip
        for record in records_of(call):
            if tags and not named and isinstance(record, Resource):
                # The first that a node tells of is itself.
                named, record.tags = True, {**record.tags, **tags}
                record.name = tags.get("Name") or record.name
            yield record
