"""Every call that is made, as rows: they drive the collection, the policy and the documentation.

Operations bear the names of the service models (botocore's service, then the operation). A `Call`
stands alone; an `Each` is asked for every element of an earlier answer. `takes` says where a
parameter comes from: `.` is the element itself, `Name` a field of it, `^name` a parameter of the
earlier call. `batch`: the parameter takes so many elements at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from secinbox.inventory.aws.calls import snake


@dataclass(frozen=True)
class Call:
    """`where`: `region` (each), `global` (once an account). `asks`: fixed parameters; a list of
    them makes one line an answer. `{account}` in a value is the account's number."""

    service: str
    name: str
    where: str = "region"
    asks: tuple[Mapping[str, Any], ...] = ()

    @property
    def operation(self) -> str:
        """As the importer names it: `ec2.describe_instances`."""
        return f"{self.service}.{snake(self.name)}"

    @property
    def many(self) -> bool:
        """Several answers: a file with one request and response a line."""
        return len(self.asks) > 1


@dataclass(frozen=True)
class Each(Call):
    of: str = ""
    path: str = ""
    takes: Mapping[str, str] = field(default_factory=dict)
    batch: int = 0
    # Elements that say otherwise in this field are not asked about: AWS would refuse.
    only: tuple[str, tuple[str, ...]] = ("", ())

    @property
    def many(self) -> bool:
        return True


# Services of the whole account that answer in one region only.
HOMES = {"globalaccelerator": "us-west-2", "wafv2": "us-east-1"}


def _rows(where: str, text: str) -> list[Call]:
    """`ec2: DescribeInstances DescribeSubnets`, a line a service."""
    out = []
    for line in text.strip().splitlines():
        service, _, names = line.strip().partition(": ")
        out += [Call(service, name, where) for name in names.split()]
    return out


_REGIONAL = _rows(
    "region",
    """
    ec2: DescribeInstances DescribeNetworkInterfaces DescribeSubnets DescribeVpcs
    ec2: DescribeRouteTables DescribeNetworkAcls DescribeSecurityGroups DescribeInternetGateways
    ec2: DescribeEgressOnlyInternetGateways DescribeNatGateways DescribeAddresses DescribeVolumes
    ec2: DescribeLaunchTemplates DescribeVpcEndpoints DescribeVpcPeeringConnections
    ec2: DescribeTransitGateways DescribeTransitGatewayAttachments
    ec2: DescribeTransitGatewayRouteTables DescribeManagedPrefixLists DescribeFlowLogs
    ec2: DescribeInstanceConnectEndpoints DescribeIamInstanceProfileAssociations DescribeTags
    ec2: GetSnapshotBlockPublicAccessState GetImageBlockPublicAccessState
    ec2: DescribeVpcBlockPublicAccessOptions DescribeVpcBlockPublicAccessExclusions
    ec2: GetSerialConsoleAccessStatus
    elbv2: DescribeLoadBalancers DescribeTargetGroups
    elb: DescribeLoadBalancers
    autoscaling: DescribeAutoScalingGroups DescribeLaunchConfigurations
    lambda: ListFunctions ListEventSourceMappings
    apigateway: GetRestApis GetDomainNames
    apigatewayv2: GetApis
    cloudtrail: DescribeTrails
    dynamodb: ListTables
    ecr: DescribeRepositories
    ecs: ListClusters ListTaskDefinitions
    eks: ListClusters
    efs: DescribeFileSystems DescribeMountTargets
    elasticache: DescribeCacheClusters DescribeReplicationGroups
    memorydb: DescribeClusters
    dax: DescribeClusters
    events: ListRules
    kms: ListKeys ListAliases
    logs: DescribeLogGroups
    opensearch: ListDomainNames
    rds: DescribeDBInstances DescribeDBClusters DescribeDBSubnetGroups
    redshift: DescribeClusters DescribeClusterSubnetGroups
    secretsmanager: ListSecrets
    sns: ListTopics ListSubscriptions
    sqs: ListQueues
    ssm: DescribeInstanceInformation DescribeParameters
    glue: GetJobs GetDevEndpoints GetTriggers
    sagemaker: ListNotebookInstances ListNotebookInstanceLifecycleConfigs ListDomains
    sagemaker: ListUserProfiles
    cloudformation: DescribeStacks ListStackSets
    codebuild: ListProjects
    codedeploy: ListApplications
    apprunner: ListServices
    bedrock-agentcore-control: ListCodeInterpreters ListAgentRuntimes ListBrowsers
    stepfunctions: ListStateMachines
    batch: DescribeJobDefinitions DescribeJobQueues
    kafka: ListClusters
    mq: ListBrokers
    scheduler: ListSchedules
    emr: ListClusters
    emr-serverless: ListApplications
    cognito-identity: ListIdentityPools
    lambda: ListLayers
    events: ListEventBuses
    backup: ListBackupVaults
    glue: GetResourcePolicy
    codeartifact: ListRepositories ListDomains
    kinesis: ListStreams
    appsync: ListGraphqlApis
    transfer: ListServers
    rolesanywhere: ListProfiles ListTrustAnchors
    lightsail: GetInstances GetRelationalDatabases GetBuckets GetContainerServices
    redshift-serverless: ListWorkgroups
    acm: ListCertificates
    accessanalyzer: ListAnalyzers
    sso-admin: ListInstances
    resourcegroupstaggingapi: GetResources
""",
)
_GLOBAL = _rows(
    "global",
    """
    sts: GetCallerIdentity
    iam: GetAccountAuthorizationDetails GetAccountSummary GetAccountPasswordPolicy ListUsers
    iam: ListRoles ListInstanceProfiles ListOpenIDConnectProviders ListSAMLProviders
    iam: ListVirtualMFADevices GetCredentialReport
    s3: ListBuckets
    cloudfront: ListDistributions ListOriginAccessControls
    route53: ListHostedZones
    globalaccelerator: ListAccelerators
    organizations: DescribeOrganization ListAccounts
""",
)
_WITH_PARAMETERS = [
    Call("ec2", "DescribeSnapshots", asks=({"OwnerIds": ["self"]},)),
    Call("ec2", "DescribeImages", asks=({"Owners": ["self"]},)),
    Call("rds", "DescribeDBSnapshots", asks=({"SnapshotType": "manual"},)),
    Call("rds", "DescribeDBClusterSnapshots", asks=({"SnapshotType": "manual"},)),
    Call("ssm", "ListDocuments", asks=({"Filters": [{"Key": "Owner", "Values": ["Self"]}]},)),
    *(Call("wafv2", name, where, ({"Scope": scope},)) for name in ("ListWebACLs", "ListIPSets", "ListRuleGroups")
      for where, scope in (("region", "REGIONAL"), ("global", "CLOUDFRONT"))),
    Call("s3control", "ListAccessPoints", asks=({"AccountId": "{account}"},)),
    Call("s3control", "ListAccessGrantsInstances", asks=({"AccountId": "{account}"},)),
    Call("s3control", "GetPublicAccessBlock", "global", ({"AccountId": "{account}"},)),
    Call("organizations", "ListPolicies", "global",
         ({"Filter": "SERVICE_CONTROL_POLICY"}, {"Filter": "RESOURCE_CONTROL_POLICY"})),
]  # fmt: skip


def _each(service: str, names: str, of: str, path: str, takes: Mapping[str, str],
          where: str = "region", batch: int = 0, **fixed: Any) -> list[Call]:  # fmt: skip
    asks = (fixed,) if fixed else ()
    return [Each(service, name, where, asks, of, path, takes, batch) for name in names.split()]


_BUCKETS = """GetBucketPolicy GetBucketAcl GetPublicAccessBlock GetBucketOwnershipControls
    GetBucketWebsite GetBucketLocation GetBucketEncryption GetBucketVersioning GetBucketLogging
    GetBucketReplication GetBucketTagging"""

_FOLLOW_UPS = [
    *_each("s3", _BUCKETS, "s3.list_buckets", "Buckets[]", {"Bucket": "Name"}, "global"),
    *_each("iam", "ListAccessKeys GetLoginProfile ListMFADevices", "iam.list_users", "Users[]",
           {"UserName": "UserName"}, "global"),
    *_each("iam", "GetRole", "iam.list_roles", "Roles[]", {"RoleName": "RoleName"}, "global"),
    *_each("iam", "GetOpenIDConnectProvider", "iam.list_open_id_connect_providers",
           "OpenIDConnectProviderList[]", {"OpenIDConnectProviderArn": "Arn"}, "global"),
    *_each("route53", "ListResourceRecordSets", "route53.list_hosted_zones", "HostedZones[]",
           {"HostedZoneId": "Id"}, "global"),
    *_each("organizations", "DescribePolicy ListTargetsForPolicy", "organizations.list_policies",
           "Policies[]", {"PolicyId": "Id"}, "global"),
    *_each("organizations", "ListParents", "organizations.list_accounts", "Accounts[]",
           {"ChildId": "Id"}, "global"),
    *_each("ec2", "DescribeSnapshotAttribute", "ec2.describe_snapshots", "Snapshots[]",
           {"SnapshotId": "SnapshotId"}, Attribute="createVolumePermission"),
    *_each("ec2", "DescribeImageAttribute", "ec2.describe_images", "Images[]",
           {"ImageId": "ImageId"}, Attribute="launchPermission"),
    *_each("ec2", "GetManagedPrefixListEntries", "ec2.describe_managed_prefix_lists",
           "PrefixLists[]", {"PrefixListId": "PrefixListId"}),
    *_each("ec2", "SearchTransitGatewayRoutes", "ec2.describe_transit_gateway_route_tables",
           "TransitGatewayRouteTables[]",
           {"TransitGatewayRouteTableId": "TransitGatewayRouteTableId"},
           Filters=[{"Name": "state", "Values": ["active"]}]),
    *_each("elbv2", "DescribeListeners DescribeLoadBalancerAttributes",
           "elbv2.describe_load_balancers", "LoadBalancers[]",
           {"LoadBalancerArn": "LoadBalancerArn"}),
    *_each("elbv2", "DescribeRules", "elbv2.describe_listeners", "Listeners[]",
           {"ListenerArn": "ListenerArn"}),
    *_each("elbv2", "DescribeTargetHealth DescribeTargetGroupAttributes",
           "elbv2.describe_target_groups", "TargetGroups[]", {"TargetGroupArn": "TargetGroupArn"}),
    *_each("lambda", "GetPolicy GetFunctionUrlConfig", "lambda.list_functions", "Functions[]",
           {"FunctionName": "FunctionName"}),
    *_each("apigateway", "GetResources", "apigateway.get_rest_apis", "items[]",
           {"restApiId": "id"}, embed=["methods"]),
    *_each("apigateway", "GetStages", "apigateway.get_rest_apis", "items[]", {"restApiId": "id"}),
    *_each("apigateway", "GetBasePathMappings", "apigateway.get_domain_names", "items[]",
           {"domainName": "domainName"}),
    *_each("apigatewayv2", "GetApiMappings", "apigateway.get_domain_names", "items[]",
           {"DomainName": "domainName"}),
    *_each("apigatewayv2", "GetRoutes GetIntegrations GetStages", "apigatewayv2.get_apis",
           "Items[]", {"ApiId": "ApiId"}),
    *_each("dynamodb", "DescribeTable", "dynamodb.list_tables", "TableNames[]", {"TableName": "."}),
    *_each("dynamodb", "GetResourcePolicy", "dynamodb.describe_table", "Table",
           {"ResourceArn": "TableArn"}),
    *_each("ecr", "GetRepositoryPolicy DescribeImages", "ecr.describe_repositories",
           "repositories[]", {"repositoryName": "repositoryName"}),
    *_each("ecs", "ListServices ListTasks ListContainerInstances", "ecs.list_clusters",
           "clusterArns[]", {"cluster": "."}),
    *_each("ecs", "DescribeClusters", "ecs.list_clusters", "clusterArns[]", {"clusters": "."},
           batch=100, include=["TAGS"]),
    *_each("ecs", "DescribeServices", "ecs.list_services", "serviceArns[]",
           {"services": ".", "cluster": "^cluster"}, batch=10, include=["TAGS"]),
    *_each("ecs", "DescribeTasks", "ecs.list_tasks", "taskArns[]",
           {"tasks": ".", "cluster": "^cluster"}, batch=100, include=["TAGS"]),
    *_each("ecs", "DescribeContainerInstances", "ecs.list_container_instances",
           "containerInstanceArns[]", {"containerInstances": ".", "cluster": "^cluster"},
           batch=100),
    *_each("ecs", "DescribeTaskDefinition", "ecs.list_task_definitions", "taskDefinitionArns[]",
           {"taskDefinition": "."}, include=["TAGS"]),
    *_each("eks", "DescribeCluster", "eks.list_clusters", "clusters[]", {"name": "."}),
    *_each("eks", "ListPodIdentityAssociations", "eks.list_clusters", "clusters[]",
           {"clusterName": "."}),
    *_each("eks", "DescribePodIdentityAssociation", "eks.list_pod_identity_associations",
           "associations[]", {"clusterName": "clusterName", "associationId": "associationId"}),
    Each("eks", "ListAccessEntries", of="eks.describe_cluster", path="cluster",
         takes={"clusterName": "name"},
         only=("accessConfig.authenticationMode", ("API", "API_AND_CONFIG_MAP"))),
    *_each("eks", "DescribeAccessEntry ListAssociatedAccessPolicies", "eks.list_access_entries",
           "accessEntries[]", {"clusterName": "^clusterName", "principalArn": "."}),
    *_each("globalaccelerator", "ListListeners", "globalaccelerator.list_accelerators",
           "Accelerators[]", {"AcceleratorArn": "AcceleratorArn"}, "global"),
    *_each("globalaccelerator", "ListEndpointGroups", "globalaccelerator.list_listeners",
           "Listeners[]", {"ListenerArn": "ListenerArn"}, "global"),
    Each("emr", "DescribeCluster", of="emr.list_clusters", path="Clusters[]",
         takes={"ClusterId": "Id"},
         only=("Status.State", ("STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"))),
    *(call for where, scope in (("region", "REGIONAL"), ("global", "CLOUDFRONT")) for call in (
        *_each("wafv2", "GetWebACL", "wafv2.list_web_acls", "WebACLs[]",
               {"Name": "Name", "Id": "Id"}, where, Scope=scope),
        *_each("wafv2", "GetIPSet", "wafv2.list_ip_sets", "IPSets[]",
               {"Name": "Name", "Id": "Id"}, where, Scope=scope),
        *_each("wafv2", "GetRuleGroup", "wafv2.list_rule_groups", "RuleGroups[]",
               {"Name": "Name", "Id": "Id"}, where, Scope=scope))),
    *_each("wafv2", "ListResourcesForWebACL", "wafv2.list_web_acls", "WebACLs[]",
           {"WebACLArn": "ARN"}, ResourceType="APPLICATION_LOAD_BALANCER"),
    *_each("efs", "DescribeFileSystemPolicy", "efs.describe_file_systems", "FileSystems[]",
           {"FileSystemId": "FileSystemId"}),
    *_each("events", "ListTargetsByRule", "events.list_rules", "Rules[]", {"Rule": "Name"}),
    *_each("kms", "DescribeKey ListGrants", "kms.list_keys", "Keys[]", {"KeyId": "KeyId"}),
    *_each("kms", "GetKeyPolicy", "kms.list_keys", "Keys[]", {"KeyId": "KeyId"},
           PolicyName="default"),
    *_each("opensearch", "DescribeDomain", "opensearch.list_domain_names", "DomainNames[]",
           {"DomainName": "DomainName"}),
    *_each("rds", "DescribeDBSnapshotAttributes", "rds.describe_db_snapshots", "DBSnapshots[]",
           {"DBSnapshotIdentifier": "DBSnapshotIdentifier"}),
    *_each("rds", "DescribeDBClusterSnapshotAttributes", "rds.describe_db_cluster_snapshots",
           "DBClusterSnapshots[]", {"DBClusterSnapshotIdentifier": "DBClusterSnapshotIdentifier"}),
    *_each("secretsmanager", "GetResourcePolicy", "secretsmanager.list_secrets", "SecretList[]",
           {"SecretId": "ARN"}),
    *_each("sns", "GetTopicAttributes", "sns.list_topics", "Topics[]", {"TopicArn": "TopicArn"}),
    *_each("sqs", "GetQueueAttributes", "sqs.list_queues", "QueueUrls[]", {"QueueUrl": "."},
           AttributeNames=["All"]),
    *_each("sagemaker", "DescribeNotebookInstance", "sagemaker.list_notebook_instances",
           "NotebookInstances[]", {"NotebookInstanceName": "NotebookInstanceName"}),
    *_each("sagemaker", "DescribeDomain", "sagemaker.list_domains", "Domains[]",
           {"DomainId": "DomainId"}),
    *_each("sagemaker", "DescribeUserProfile", "sagemaker.list_user_profiles", "UserProfiles[]",
           {"DomainId": "DomainId", "UserProfileName": "UserProfileName"}),
    *_each("cloudformation", "DescribeStackSet", "cloudformation.list_stack_sets", "Summaries[]",
           {"StackSetName": "StackSetName"}),
    *_each("codebuild", "BatchGetProjects", "codebuild.list_projects", "projects[]", {"names": "."},
           batch=100),
    *_each("codedeploy", "ListDeploymentGroups", "codedeploy.list_applications", "applications[]",
           {"applicationName": "."}),
    *_each("codedeploy", "BatchGetDeploymentGroups", "codedeploy.list_deployment_groups",
           "deploymentGroups[]", {"deploymentGroupNames": ".", "applicationName": "^applicationName"},
           batch=100),
    *_each("apprunner", "DescribeService", "apprunner.list_services", "ServiceSummaryList[]",
           {"ServiceArn": "ServiceArn"}),
    *_each("bedrock-agentcore-control", "GetCodeInterpreter",
           "bedrock-agentcore-control.list_code_interpreters", "codeInterpreterSummaries[]",
           {"codeInterpreterId": "codeInterpreterId"}),
    *_each("bedrock-agentcore-control", "GetAgentRuntime",
           "bedrock-agentcore-control.list_agent_runtimes", "agentRuntimes[]",
           {"agentRuntimeId": "agentRuntimeId"}),
    *_each("bedrock-agentcore-control", "GetBrowser", "bedrock-agentcore-control.list_browsers",
           "browserSummaries[]", {"browserId": "browserId"}),
    *_each("lambda", "GetLayerVersionPolicy", "lambda.list_layers", "Layers[]",
           {"LayerName": "LayerName", "VersionNumber": "LatestMatchingVersion.Version"}),
    *_each("backup", "GetBackupVaultAccessPolicy", "backup.list_backup_vaults",
           "BackupVaultList[]", {"BackupVaultName": "BackupVaultName"}),
    *_each("codeartifact", "GetRepositoryPermissionsPolicy", "codeartifact.list_repositories",
           "repositories[]", {"repository": "name", "domain": "domainName"}),
    *_each("codeartifact", "GetDomainPermissionsPolicy", "codeartifact.list_domains",
           "domains[]", {"domain": "name"}),
    *_each("kinesis", "GetResourcePolicy", "kinesis.list_streams", "StreamSummaries[]",
           {"ResourceARN": "StreamARN"}),
    *_each("ssm", "DescribeDocumentPermission", "ssm.list_documents", "DocumentIdentifiers[]",
           {"Name": "Name"}, PermissionType="Share"),
    *_each("transfer", "DescribeServer", "transfer.list_servers", "Servers[]",
           {"ServerId": "ServerId"}),
    Each("transfer", "ListUsers", of="transfer.list_servers", path="Servers[]",
         takes={"ServerId": "ServerId"}, only=("IdentityProviderType", ("SERVICE_MANAGED",))),
    *_each("transfer", "DescribeUser", "transfer.list_users", "Users[]",
           {"ServerId": "^ServerId", "UserName": "UserName"}),
    *_each("s3control", "GetAccessPoint GetAccessPointPolicy", "s3control.list_access_points",
           "AccessPointList[]", {"Name": "Name"}, AccountId="{account}"),
    *_each("s3control", "ListAccessGrants ListAccessGrantsLocations",
           "s3control.list_access_grants_instances", "AccessGrantsInstancesList[]", {},
           AccountId="{account}"),
    *_each("mq", "DescribeBroker", "mq.list_brokers", "BrokerSummaries[]",
           {"BrokerId": "BrokerId"}),
    *_each("stepfunctions", "DescribeStateMachine", "stepfunctions.list_state_machines",
           "stateMachines[]", {"stateMachineArn": "stateMachineArn"}),
    *_each("cognito-identity", "DescribeIdentityPool GetIdentityPoolRoles",
           "cognito-identity.list_identity_pools", "IdentityPools[]",
           {"IdentityPoolId": "IdentityPoolId"}),
]  # fmt: skip

CALLS: tuple[Call, ...] = (*_GLOBAL, *_REGIONAL, *_WITH_PARAMETERS, *_FOLLOW_UPS)
ROOTS: tuple[Call, ...] = tuple(c for c in CALLS if not isinstance(c, Each))
FOLLOWING: tuple[Each, ...] = tuple(c for c in CALLS if isinstance(c, Each))
# The job of AWS that the credential report needs, and what finds accounts and regions.
PREPARING: tuple[Call, ...] = (
    Call("iam", "GenerateCredentialReport", "global"),
    Call("ec2", "DescribeRegions", "global"),
)
LAST_ACCESSED: tuple[Call, ...] = (
    Call("iam", "GenerateServiceLastAccessedDetails", "global"),
    Call("iam", "GetServiceLastAccessedDetails", "global"),
)


def followers(call: Call) -> list[Each]:
    """What is asked for the elements of this call's answer."""
    return [each for each in FOLLOWING if each.of == call.operation]
