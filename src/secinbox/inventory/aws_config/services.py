"""Types of AWS Config besides networks, machines, buckets and identities, as calls would answer.

Newer types are told in the words of CloudFormation, older ones in those of their API. A policy that an
item does not hold is unread, not absent: Config keeps queues, secrets and vaults without theirs.
Source: the resource schemas (github.com/awslabs/aws-config-resource-schema).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from secinbox.inventory.aws_config.items import Answered, Item, in_list, pascal, text_of

_MAX_DEPTH = 30


def small(value: Any, depth: int = 0) -> Any:
    """Keys with a small first letter, as the newer APIs write them."""
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {k[:1].lower() + k[1:]: small(v, depth + 1) for k, v in value.items()
                if isinstance(k, str)}  # fmt: skip
    if isinstance(value, list):
        return [small(v, depth + 1) for v in value]
    return value


def _filled(**values: Any) -> dict[str, Any]:
    return {k: v for k, v in values.items() if v is not None and v != ""}


def _tags(item: Item, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: k, value: v} for k, v in item.tags.items()]


def _after(item: Item, word: str) -> str:
    """What follows a word of a path, in the ARN or the id: the API of `.../restapis/ID/stages/NAME`."""
    for text in (item.arn, item.id):
        parts = text.split("/")
        if word in parts[:-1]:
            return parts[parts.index(word) + 1]
    return ""


def _table(item: Item) -> Answered:
    name = str(item.values.get("tableName") or item.name)
    yield "dynamodb.describe_table", {"Table": item.described()}, {"TableName": name}


def _stack(item: Item) -> Answered:
    kept = ("stackId", "stackName", "stackStatus", "roleARN")
    stack = pascal({k: item.values[k] for k in kept if k in item.values})
    yield "cloudformation.describe_stacks", {"Stacks": [{**stack, "Tags": _tags(item)}]}, {}


def _project(item: Item) -> Answered:
    project = {**item.values, "arn": item.values.get("arn") or item.arn}
    yield "codebuild.batch_get_projects", {"projects": [project]}, {}


def _search(item: Item) -> Answered:
    found = item.described()
    network = found.get("VPCOptions")
    inside = isinstance(network, dict) and (network.get("VPCId") or network.get("SubnetIds"))
    arn = found.get("Arn") or found.get("DomainArn") or item.arn
    domain = _filled(
        ARN=arn, DomainName=found.get("DomainName") or item.name, DomainId=found.get("DomainId"),
        Endpoint=found.get("Endpoint") or found.get("DomainEndpoint"),
        VPCOptions={"VPCId": (network or {}).get("VPCId") or "a VPC"} if inside else None,
    )  # fmt: skip
    if "AccessPolicies" in found:
        domain["AccessPolicies"] = (
            text_of(found["AccessPolicies"]) if found["AccessPolicies"] else ""
        )
    yield ("opensearch.describe_domain", {"DomainStatus": domain},
           {"DomainName": str(domain.get("DomainName") or "")})  # fmt: skip


def _rest_api(item: Item) -> Answered:
    api = {
        **item.values,
        "tags": dict(item.tags),
        "apiKeySource": item.values.get("apiKeySource") or "HEADER",
    }
    yield "apigateway.get_rest_apis", {"items": [api]}, {}


def _rest_stage(item: Item) -> Answered:
    if _after(item, "restapis"):
        stage = {
            "stageName": item.values.get("stageName"),
            "webAclArn": item.values.get("webAclArn"),
        }
        yield "apigateway.get_stages", {"item": [stage]}, {"restApiId": _after(item, "restapis")}


def _http_api(item: Item) -> Answered:
    api = {**pascal(item.values), "Tags": dict(item.tags)}
    yield "apigatewayv2.get_apis", {"Items": [api]}, {}


def _distribution(item: Item) -> Answered:
    inner = item.values.get("distributionConfig")
    found = pascal(inner) if isinstance(inner, dict) else {}
    for origin in (found.get("Origins") or {}).get("Items") or []:
        custom = origin.get("CustomOriginConfig") if isinstance(origin, dict) else None
        if isinstance(custom, dict):
            for name, given in (("HTTPPort", "HttpPort"), ("HTTPSPort", "HttpsPort")):
                if given in custom:
                    custom[name] = custom.pop(given)
    found |= {"ARN": item.values.get("arn") or item.arn, "Id": item.values.get("id") or item.id,
              "DomainName": item.values.get("domainName"), "Tags": _tags(item)}  # fmt: skip
    yield "cloudfront.list_distributions", {"DistributionList": {"Items": [found]}}, {}


def _listener(item: Item) -> Answered:
    balancer = str(item.values.get("LoadBalancerArn") or "")
    if balancer:
        listener = {**item.values, "ListenerArn": item.values.get("ListenerArn") or item.arn}
        yield "elbv2.describe_listeners", {"Listeners": [listener]}, {"LoadBalancerArn": balancer}


def _runner(item: Item) -> Answered:
    service = {**item.values, "ServiceArn": item.values.get("ServiceArn") or item.arn}
    yield "apprunner.describe_service", {"Service": service}, {"ServiceArn": service["ServiceArn"]}


def _graphql(item: Item) -> Answered:
    told = small(item.values)
    api = {**told, "arn": told.get("arn") or item.arn, "tags": dict(item.tags)}
    if told.get("graphQLUrl"):
        api["uris"] = {"GRAPHQL": told["graphQLUrl"]}
    yield "appsync.list_graphql_apis", {"graphqlApis": [api]}, {}


def _broker(item: Item) -> Answered:
    v = item.values
    broker = _filled(
        BrokerArn=v.get("Arn") or item.arn, BrokerId=v.get("Id"), BrokerName=v.get("BrokerName"),
        EngineType=v.get("EngineType"), PubliclyAccessible=v.get("PubliclyAccessible"),
        SubnetIds=v.get("SubnetIds"), SecurityGroups=v.get("SecurityGroups"), Tags=dict(item.tags),
    )  # fmt: skip
    yield "mq.describe_broker", broker, {"BrokerId": str(v.get("Id") or "")}


def _vault(item: Item) -> Answered:
    arn, name = (
        item.values.get("BackupVaultArn") or item.arn,
        str(item.values.get("BackupVaultName")),
    )
    vault = {"BackupVaultArn": arn, "BackupVaultName": name, "Tags": _tags(item)}
    yield "backup.list_backup_vaults", {"BackupVaultList": [vault]}, {}
    if item.values.get("AccessPolicy"):
        told = {"BackupVaultArn": arn, "Policy": text_of(item.values["AccessPolicy"])}
        yield "backup.get_backup_vault_access_policy", told, {"BackupVaultName": name}


def _packages(item: Item) -> Answered:
    v = item.values
    name, domain = str(v.get("RepositoryName") or v.get("Name")), str(v.get("DomainName"))
    row = {"arn": v.get("Arn") or item.arn, "name": name, "domainOwner": v.get("DomainOwner")}
    yield "codeartifact.list_repositories", {"repositories": [row]}, {}
    if v.get("PermissionsPolicyDocument"):
        told = {"policy": {"document": text_of(v["PermissionsPolicyDocument"])}}
        yield ("codeartifact.get_repository_permissions_policy", told,
               {"domain": domain, "repository": name})  # fmt: skip


def _identity_pool(item: Item) -> Answered:
    number = str(item.values.get("Id") or item.id)
    pool = {**item.values, "IdentityPoolId": number, "IdentityPoolTags": dict(item.tags)}
    yield "cognito-identity.describe_identity_pool", pool, {"IdentityPoolId": number}


def _template(item: Item) -> Answered:
    v = item.values
    number = str(v.get("Id") or v.get("LaunchTemplateId") or item.id)
    default, newest = v.get("DefaultVersionNumber"), v.get("LatestVersionNumber")
    head = _filled(LaunchTemplateId=number, LaunchTemplateName=v.get("LaunchTemplateName"),
                   DefaultVersionNumber=default, LatestVersionNumber=newest, Tags=_tags(item))  # fmt: skip
    yield "ec2.describe_launch_templates", {"LaunchTemplates": [head]}, {}
    # An item holds one version's data, and does not say which where there are several.
    if isinstance(v.get("LaunchTemplateData"), dict) and newest is not None and newest == default:
        version = {"LaunchTemplateId": number, "VersionNumber": newest, "DefaultVersion": True,
                   "LaunchTemplateData": v["LaunchTemplateData"]}  # fmt: skip
        yield ("ec2.describe_launch_template_versions", {"LaunchTemplateVersions": [version]},
               {"LaunchTemplateId": number})  # fmt: skip


def _prefix_list(item: Item) -> Answered:
    v = item.values
    listed = _filled(PrefixListId=v.get("PrefixListId") or item.id, OwnerId=v.get("OwnerId"),
                     PrefixListName=v.get("PrefixListName"))  # fmt: skip
    yield "ec2.describe_managed_prefix_lists", {"PrefixLists": [listed]}, {}
    if isinstance(v.get("Entries"), list):
        yield ("ec2.get_managed_prefix_list_entries", {"Entries": v["Entries"]},
               {"PrefixListId": str(listed["PrefixListId"])})  # fmt: skip


def _attachment(item: Item) -> Answered:
    """Which table it uses is not told: what the gateway passes on is unknown."""
    v = item.values
    row = _filled(TransitGatewayAttachmentId=v.get("Id") or item.id, ResourceType="vpc",
                  TransitGatewayId=v.get("TransitGatewayId"), ResourceId=v.get("VpcId"),
                  Tags=_tags(item))  # fmt: skip
    yield "ec2.describe_transit_gateway_attachments", {"TransitGatewayAttachments": [row]}, {}


def _gateway(item: Item) -> Answered:
    row = {"TransitGatewayId": item.values.get("Id") or item.id, "OwnerId": item.account,
           "Tags": _tags(item)}  # fmt: skip
    yield "ec2.describe_transit_gateways", {"TransitGateways": [row]}, {}


def _gateway_table(item: Item) -> Answered:
    row = {"TransitGatewayRouteTableId": item.values.get("Id") or item.id,
           "TransitGatewayId": item.values.get("TransitGatewayId"), "Tags": _tags(item)}  # fmt: skip
    yield "ec2.describe_transit_gateway_route_tables", {"TransitGatewayRouteTables": [row]}, {}


def _block_options(item: Item) -> Answered:
    options = {"InternetGatewayBlockMode": item.values.get("InternetGatewayBlockMode")}
    yield ("ec2.describe_vpc_block_public_access_options",
           {"VpcBlockPublicAccessOptions": options}, {})  # fmt: skip


def _block_exclusion(item: Item) -> Answered:
    v = item.values
    row = {"ResourceArn": f"/{v.get('SubnetId') or v.get('VpcId')}", "State": "create-complete",
           "InternetGatewayExclusionMode": v.get("InternetGatewayExclusionMode")}  # fmt: skip
    yield ("ec2.describe_vpc_block_public_access_exclusions",
           {"VpcBlockPublicAccessExclusions": [row]}, {})  # fmt: skip


def _registry(item: Item) -> Answered:
    name = str(item.values.get("RepositoryName") or item.name)
    row = {"repositoryArn": item.values.get("Arn") or item.arn, "repositoryName": name,
           "tags": _tags(item)}  # fmt: skip
    yield "ecr.describe_repositories", {"repositories": [row]}, {}
    if item.values.get("RepositoryPolicyText"):
        told = {"policyText": text_of(item.values["RepositoryPolicyText"])}
        yield "ecr.get_repository_policy", told, {"repositoryName": name}


def _ecs_cluster(item: Item) -> Answered:
    v = item.values
    row = {"clusterArn": v.get("Arn") or item.arn, "clusterName": v.get("ClusterName"),
           "status": "ACTIVE", "tags": _tags(item, "key", "value")}  # fmt: skip
    yield "ecs.describe_clusters", {"clusters": [row]}, {}


def _ecs_service(item: Item) -> Answered:
    told = small(item.values)
    row = {**told, "serviceArn": told.get("serviceArn") or item.arn, "clusterArn": told.get("cluster"),
           "status": "ACTIVE", "tags": _tags(item, "key", "value")}  # fmt: skip
    yield "ecs.describe_services", {"services": [row]}, {}


def _definition(item: Item) -> Answered:
    told = small(item.values)
    arn = str(told.get("taskDefinitionArn") or item.arn)
    yield ("ecs.describe_task_definition",
           {"taskDefinition": {**told, "taskDefinitionArn": arn, "status": "ACTIVE"}},
           {"taskDefinition": arn})  # fmt: skip


def _files(item: Item) -> Answered:
    v = item.values
    number = str(v.get("FileSystemId") or item.id)
    row = {"FileSystemId": number, "FileSystemArn": v.get("Arn") or item.arn,
           "Encrypted": v.get("Encrypted"), "Tags": _tags(item)}  # fmt: skip
    yield "efs.describe_file_systems", {"FileSystems": [row]}, {}
    if v.get("FileSystemPolicy"):
        told = {"FileSystemId": number, "Policy": text_of(v["FileSystemPolicy"])}
        yield "efs.describe_file_system_policy", told, {"FileSystemId": number}


def _kubernetes(item: Item) -> Answered:
    told = small(item.values)
    issuer = told.get("openIdConnectIssuerUrl")
    cluster = {**told, "arn": told.get("arn") or item.arn, "tags": dict(item.tags),
               "identity": {"oidc": {"issuer": issuer}} if issuer else {}}  # fmt: skip
    yield "eks.describe_cluster", {"cluster": cluster}, {"name": str(told.get("name") or item.name)}


def _bus(item: Item) -> Answered:
    if "Policy" in item.values:
        policy = item.values["Policy"]
        row = {"Arn": item.values.get("Arn") or item.arn, "Name": item.values.get("Name"),
               "Policy": text_of(policy) if policy else "", "Tags": _tags(item)}  # fmt: skip
        yield "events.list_event_buses", {"EventBuses": [row]}, {}


def _alias(item: Item) -> Answered:
    row = {"AliasName": item.values.get("AliasName"), "TargetKeyId": item.values.get("TargetKeyId"),
           "AliasArn": item.arn}  # fmt: skip
    yield "kms.list_aliases", {"Aliases": [row]}, {}


def _stream(item: Item) -> Answered:
    v = item.values
    encryption = v.get("StreamEncryption")
    row = _filled(StreamARN=v.get("Arn") or item.arn, StreamName=v.get("Name"), Tags=_tags(item),
                  KeyId=(encryption if isinstance(encryption, dict) else {}).get("KeyId"))  # fmt: skip
    yield "kinesis.list_streams", {"StreamSummaries": [row]}, {}


def _kafka(item: Item) -> Answered:
    row = {"ClusterArn": item.values.get("Arn") or item.arn, "ClusterName": item.values.get("ClusterName"),
           "BrokerNodeGroupInfo": item.values.get("BrokerNodeGroupInfo"), "Tags": dict(item.tags)}  # fmt: skip
    yield "kafka.list_clusters", {"ClusterInfoList": [row]}, {}


def _snapshot(kind: str) -> Callable[[Item], Answered]:
    def made(item: Item) -> Answered:
        found = item.described()
        name = str(found.get(f"DB{kind}SnapshotIdentifier") or item.name)
        between = "cluster_" if kind else ""
        yield f"rds.describe_db_{between}snapshots", {f"DB{kind}Snapshots": [found]}, {}
        told = item.more.get(f"DB{kind}SnapshotAttributes")
        if isinstance(told, list):
            result = {
                f"DB{kind}SnapshotIdentifier": name,
                f"DB{kind}SnapshotAttributes": pascal(told),
            }
            yield (f"rds.describe_db_{between}snapshot_attributes",
                   {f"DB{kind}SnapshotAttributesResult": result},
                   {f"DB{kind}SnapshotIdentifier": name})  # fmt: skip

    return made


def _access_point(item: Item) -> Answered:
    v = item.values
    name = str(v.get("Name") or item.name)
    point = {**v, "AccessPointArn": v.get("Arn") or item.arn}
    yield "s3control.get_access_point", point, {"Name": name}
    if v.get("Policy"):
        yield "s3control.get_access_point_policy", {"Policy": text_of(v["Policy"])}, {"Name": name}


def _account_block(item: Item) -> Answered:
    yield ("s3control.get_public_access_block",
           {"PublicAccessBlockConfiguration": pascal(item.values)}, {"AccountId": item.account})  # fmt: skip


def _queue(item: Item) -> Answered:
    """Its attributes are one answer with the policy, which Config does not keep."""
    if item.values.get("QueueUrl"):
        yield "sqs.list_queues", {"QueueUrls": [str(item.values["QueueUrl"])]}, {}


def _notebook(item: Item) -> Answered:
    v = item.values
    name = str(v.get("NotebookInstanceName") or item.name)
    row = {
        **v,
        "NotebookInstanceArn": item.arn or v.get("Id"),
        "NotebookInstanceStatus": "InService",
    }
    yield "sagemaker.describe_notebook_instance", row, {"NotebookInstanceName": name}


def _studio(item: Item) -> Answered:
    number = str(item.values.get("DomainId") or item.id)
    row = {**item.values, "DomainArn": item.values.get("DomainArn") or item.arn, "DomainId": number}
    yield "sagemaker.describe_domain", row, {"DomainId": number}


def _secret(item: Item) -> Answered:
    v = item.values
    row = _filled(ARN=v.get("ARN") or item.arn, Name=v.get("Name") or item.name,
                  KmsKeyId=v.get("KMSKeyId"), Tags=_tags(item))  # fmt: skip
    yield "secretsmanager.list_secrets", {"SecretList": [row]}, {}


def _machine(item: Item) -> Answered:
    v = item.values
    arn = str(v.get("Arn") or item.arn)
    row = {"stateMachineArn": arn, "name": v.get("StateMachineName"), "roleArn": v.get("RoleArn"),
           "status": "ACTIVE", "definition": v.get("DefinitionString") or ""}  # fmt: skip
    yield "stepfunctions.describe_state_machine", row, {"stateMachineArn": arn}


def _job_queue(item: Item) -> Answered:
    row = {"jobQueueArn": item.arn or item.id, "jobQueueName": item.values.get("JobQueueName"),
           "state": item.values.get("State")}  # fmt: skip
    yield "batch.describe_job_queues", {"jobQueues": [row]}, {}


def _glue_job(item: Item) -> Answered:
    name = item.values.get("Name") or item.values.get("Id") or item.name
    yield "glue.get_jobs", {"Jobs": [{**item.values, "Name": name}]}, {}


def _document(item: Item) -> Answered:
    row = {"Name": item.values.get("Name") or item.name, "Tags": _tags(item),
           "DocumentType": item.values.get("DocumentType")}  # fmt: skip
    yield "ssm.list_documents", {"DocumentIdentifiers": [row]}, {}


TYPES: dict[str, Callable[[Item], Iterator[tuple[str, dict[str, Any], dict[str, Any]]]]] = {
    "AWS::AmazonMQ::Broker": _broker,
    "AWS::ApiGateway::RestApi": _rest_api,
    "AWS::ApiGateway::Stage": _rest_stage,
    "AWS::ApiGatewayV2::Api": _http_api,
    "AWS::AppRunner::Service": _runner,
    "AWS::AppSync::GraphQLApi": _graphql,
    "AWS::AutoScaling::AutoScalingGroup": in_list(
        "autoscaling.describe_auto_scaling_groups", "AutoScalingGroups"
    ),
    "AWS::AutoScaling::LaunchConfiguration": in_list(
        "autoscaling.describe_launch_configurations", "LaunchConfigurations"
    ),
    "AWS::Backup::BackupVault": _vault,
    "AWS::Batch::JobQueue": _job_queue,
    "AWS::CloudFormation::Stack": _stack,
    "AWS::CloudFront::Distribution": _distribution,
    "AWS::CodeArtifact::Repository": _packages,
    "AWS::CodeBuild::Project": _project,
    "AWS::Cognito::IdentityPool": _identity_pool,
    "AWS::DynamoDB::Table": _table,
    "AWS::EC2::LaunchTemplate": _template,
    "AWS::EC2::PrefixList": _prefix_list,
    "AWS::EC2::TransitGateway": _gateway,
    "AWS::EC2::TransitGatewayAttachment": _attachment,
    "AWS::EC2::TransitGatewayRouteTable": _gateway_table,
    "AWS::EC2::VPCBlockPublicAccessExclusion": _block_exclusion,
    "AWS::EC2::VPCBlockPublicAccessOptions": _block_options,
    "AWS::ECR::Repository": _registry,
    "AWS::ECS::Cluster": _ecs_cluster,
    "AWS::ECS::Service": _ecs_service,
    "AWS::ECS::TaskDefinition": _definition,
    "AWS::EFS::FileSystem": _files,
    "AWS::EKS::Cluster": _kubernetes,
    "AWS::ElasticLoadBalancingV2::Listener": _listener,
    "AWS::Elasticsearch::Domain": _search,
    "AWS::Events::EventBus": _bus,
    "AWS::Glue::Job": _glue_job,
    "AWS::KMS::Alias": _alias,
    "AWS::Kinesis::Stream": _stream,
    "AWS::MSK::Cluster": _kafka,
    "AWS::OpenSearch::Domain": _search,
    "AWS::RDS::DBClusterSnapshot": _snapshot("Cluster"),
    "AWS::RDS::DBSnapshot": _snapshot(""),
    "AWS::RDS::DBSubnetGroup": in_list("rds.describe_db_subnet_groups", "DBSubnetGroups"),
    "AWS::Redshift::ClusterSubnetGroup": in_list(
        "redshift.describe_cluster_subnet_groups", "ClusterSubnetGroups"
    ),
    "AWS::S3::AccessPoint": _access_point,
    "AWS::S3::AccountPublicAccessBlock": _account_block,
    "AWS::SQS::Queue": _queue,
    "AWS::SSM::Document": _document,
    "AWS::SageMaker::Domain": _studio,
    "AWS::SageMaker::NotebookInstance": _notebook,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::StepFunctions::StateMachine": _machine,
}
# Calls that answer about one thing with a list of which Config keeps each element as an item.
GATHERED = {
    "elbv2.describe_listeners": "Listeners",
    "apigateway.get_stages": "item",
    "ec2.describe_vpc_block_public_access_exclusions": "VpcBlockPublicAccessExclusions",
}
