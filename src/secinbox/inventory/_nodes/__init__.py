"""Nodes of a Cartography graph as the calls that they were made of.

The graph keeps what its own analyses need. What it keeps a part of is told as a part
(`Item.unfinished`), what it keeps nothing of is not told. Sources: the AWS schema in Cartography's
documentation, and its data models of versions 0.90 to 0.99.
"""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.inventory._nodes import azure, clusters, computing, google, identity, network, stores
from secinbox.inventory._nodes.graph import Graph, Maker, Node
from secinbox.inventory.aws.calls import Call
from secinbox.inventory.aws.elements import records_of
from secinbox.reading import Report
from secinbox.records import AnyRecord, Resource, Skipped

__all__ = ["KINDS", "TABLE_OF", "records"]

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
# Kinds -> a table of Steampipe or CloudQuery that says the same; those that are no key of KINDS are
# read together with what they are a part of.
TABLE_OF: dict[str, str] = {
    "AWSAccount": "aws_organizations_account", "AWSOrganization": "aws_organizations",
    "AWSOrganizationalUnit": "aws_organizations_organizational_unit", "AWSVpc": "aws_vpc",
    "EC2Subnet": "aws_vpc_subnet", "AWSInternetGateway": "aws_vpc_internet_gateway",
    "EC2RouteTable": "aws_vpc_route_table", "EC2Route": "aws_vpc_route_table",
    "EC2RouteTableAssociation": "aws_vpc_route_table", "EC2NetworkAcl": "aws_vpc_network_acl",
    "EC2NetworkAclRule": "aws_vpc_network_acl", "EC2SecurityGroup": "aws_vpc_security_group",
    "IpRule": "aws_vpc_security_group", "IpRange": "aws_vpc_security_group",
    "AWSPeeringConnection": "aws_vpc_peering_connection", "AWSVpcEndpoint": "aws_vpc_endpoint",
    "AWSTransitGateway": "aws_ec2_transit_gateway",
    "AWSTransitGatewayAttachment": "aws_ec2_transit_gateway_vpc_attachment",
    "AWSTransitGatewayRouteTableAssociation": "aws_ec2_transit_gateway_vpc_attachment",
    "AWSTransitGatewayRouteTable": "aws_ec2_transit_gateway_route_table",
    "AWSTransitGatewayRoute": "aws_ec2_transit_gateway_route",
    "NetworkInterface": "aws_ec2_network_interface", "EC2PrivateIp": "aws_ec2_network_interface",
    "EC2Ipv6Address": "aws_ec2_network_interface", "ElasticIPAddress": "aws_vpc_eip",
    "EC2Instance": "aws_ec2_instance", "LoadBalancerV2": "aws_ec2_application_load_balancer",
    "ELBV2Listener": "aws_ec2_load_balancer_listener", "ELBV2TargetGroup": "aws_ec2_target_group",
    "LoadBalancer": "aws_ec2_classic_load_balancer",
    "ELBListener": "aws_ec2_classic_load_balancer", "EBSVolume": "aws_ebs_volume",
    "EBSSnapshot": "aws_ebs_snapshot", "EC2Image": "aws_ec2_ami",
    "LaunchTemplate": "aws_ec2_launch_template",
    "LaunchTemplateVersion": "aws_ec2_launch_template_version",
    "AutoScalingGroup": "aws_ec2_autoscaling_group",
    "LaunchConfiguration": "aws_ec2_launch_configuration", "AWSRole": "aws_iam_role",
    "AWSUser": "aws_iam_user", "AWSGroup": "aws_iam_group", "AWSPolicy": "aws_iam_policy",
    "AWSPolicyStatement": "aws_iam_policy", "AWSInstanceProfile": "aws_iam_instance_profile",
    "AWSSAMLProvider": "aws_iam_saml_provider", "AccountAccessKey": "aws_iam_access_key",
    "AWSMfaDevice": "aws_iam_virtual_mfa_device", "AWSLambda": "aws_lambda_function",
    "AWSLambdaEventSourceMapping": "aws_lambda_event_source_mapping",
    "ECSCluster": "aws_ecs_cluster", "ECSService": "aws_ecs_service", "ECSTask": "aws_ecs_task",
    "ECSTaskDefinition": "aws_ecs_task_definition",
    "ECSContainerDefinition": "aws_ecs_task_definition",
    "ECSContainerInstance": "aws_ecs_container_instance", "EKSCluster": "aws_eks_cluster",
    "ECRRepository": "aws_ecr_repository", "ECRRepositoryImage": "aws_ecr_image",
    "SSMInstanceInformation": "aws_ssm_managed_instance", "EMRCluster": "aws_emr_cluster",
    "APIGatewayRestAPI": "aws_api_gateway_rest_api", "APIGatewayStage": "aws_api_gateway_stage",
    "APIGatewayResource": "aws_apigateway_rest_api_resources",
    "APIGatewayMethod": "aws_api_gateway_method",
    "APIGatewayIntegration": "aws_api_gateway_method",
    "APIGatewayV2API": "aws_api_gatewayv2_api",
    "CloudFrontDistribution": "aws_cloudfront_distribution",
    "CognitoIdentityPool": "aws_cognito_identity_pool", "EventBridgeRule": "aws_eventbridge_rule",
    "S3Bucket": "aws_s3_bucket", "S3Acl": "aws_s3_bucket", "S3PolicyStatement": "aws_s3_bucket",
    "S3AccountPublicAccessBlock": "aws_s3_account_settings", "RDSInstance": "aws_rds_db_instance",
    "DBSubnetGroup": "aws_rds_db_subnet_group", "RDSCluster": "aws_rds_db_cluster",
    "RDSSnapshot": "aws_rds_db_snapshot", "RedshiftCluster": "aws_redshift_cluster",
    "DynamoDBTable": "aws_dynamodb_table", "ElasticacheCluster": "aws_elasticache_cluster",
    "ESDomain": "aws_opensearch_domain", "EfsFileSystem": "aws_efs_file_system",
    "EfsMountTarget": "aws_efs_mount_target", "SQSQueue": "aws_sqs_queue",
    "SNSTopic": "aws_sns_topic", "SNSTopicSubscription": "aws_sns_topic_subscription",
    "KMSKey": "aws_kms_key", "KMSAlias": "aws_kms_alias",
    "SecretsManagerSecret": "aws_secretsmanager_secret", "SSMParameter": "aws_ssm_parameter",
    "CloudTrailTrail": "aws_cloudtrail_trail", "AWSTag": "aws_tagging_resource",
}  # fmt: skip


def records(report: Report) -> Iterator[AnyRecord]:
    """What the nodes of a graph say. Raises ReportError for a file that is none."""
    graph = Graph(report)
    for label, maker in KINDS.items():
        for node in graph.of(label):
            yield from _node(graph, label, maker, node)
    yield from clusters.records(graph, report)
    yield from azure.records(graph)
    yield from google.records(graph)
    if graph.broken:
        yield Skipped(reason="a relationship without both ends", count=graph.broken)


def _node(graph: Graph, label: str, maker: Maker, node: Node) -> Iterator[AnyRecord]:
    account, region = graph.account(node), node.text("region")
    try:
        made = list(maker(graph, node))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        yield node.skipped(label, error)
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
