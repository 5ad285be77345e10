"""Buckets, databases, queues, keys and other places of data, out of a graph."""

from __future__ import annotations

import json
from typing import Any

from secinbox.inventory._nodes.graph import Graph, Made, Node, Told, ids
from secinbox.inventory._nodes.identity import statement

_BLOCKS = {"BlockPublicAcls": "block_public_acls", "BlockPublicPolicy": "block_public_policy",
           "IgnorePublicAcls": "ignore_public_acls",
           "RestrictPublicBuckets": "restrict_public_buckets"}  # fmt: skip
_NOT_ALL = "the graph says whether everyone has it, not which accounts"


def _blocks(node: Node) -> dict[str, Any]:
    found = {k: v for k, v in node.told(**_BLOCKS).items() if isinstance(v, bool)}
    if len(found) < len(_BLOCKS):
        return {}
    return {"PublicAccessBlockConfiguration": found}


def bucket(graph: Graph, node: Node) -> Made:
    name = node.need("name", "id")
    asked = {"Bucket": name}
    yield Told(
        "s3.list_buckets", {"Buckets": [{"Name": name, **node.told(CreationDate="creationdate")}]}
    )
    blocks = _blocks(node)
    if blocks:
        yield Told("s3.get_public_access_block", blocks, asked)
    told = [statement(s) for s in graph.out(node, "POLICY_STATEMENT")]
    gap = graph.gap("POLICY_STATEMENT")
    whole = all({"Principal", "Action", "Resource"} <= s.keys() for s in told)
    if told and whole and not gap:
        # A statement with NotPrincipal or NotAction is not kept whole: then no policy is told.
        policy = {"Version": "2012-10-17", "Statement": told}
        yield Told("s3.get_bucket_policy", {"Policy": json.dumps(policy)}, asked)
    elif not told and node.get("anonymous_access") is False and blocks and not gap:
        # False also stands for a policy that could not be read; the same right shows the blocks.
        yield Told("s3.get_bucket_policy", {"Error": "NoSuchBucketPolicy"}, asked)
    rules = graph.into(node, "APPLIES_TO", of="S3Acl")
    if rules:
        grants = [{"Grantee": r.told(Type="type", URI="uri", ID="granteeid"),
                   "Permission": r.text("permission")} for r in rules]  # fmt: skip
        gap = graph.gap("APPLIES_TO")
        yield Told("s3.get_bucket_acl", {"Owner": {"ID": rules[0].text("ownerid")}, "Grants": grants},
                   asked, {"get_bucket_acl": gap} if gap else {})  # fmt: skip
    words = node.get("object_ownership")
    if words:
        owned = [
            {"ObjectOwnership": str(w)} for w in (words if isinstance(words, list) else [words])
        ]
        yield Told(
            "s3.get_bucket_ownership_controls", {"OwnershipControls": {"Rules": owned}}, asked
        )
    if node.get("default_encryption") is True and node.text("encryption_algorithm"):
        by = node.told(SSEAlgorithm="encryption_algorithm", KMSMasterKeyID="encryption_key_id")
        yield Told("s3.get_bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": [
            {"ApplyServerSideEncryptionByDefault": by}]}}, asked)  # fmt: skip


def bucket_account(graph: Graph, node: Node) -> Made:
    blocks = _blocks(node)
    if blocks:
        number = node.text("account_id") or graph.account(node)
        yield Told("s3control.get_public_access_block", blocks, {"AccountId": number})


# Databases


def _guards(graph: Graph, node: Node) -> list[dict[str, str]]:
    found = ids(graph.out(node, "MEMBER_OF_EC2_SECURITY_GROUP"), "groupid")
    return [{"VpcSecurityGroupId": g} for g in found]


def database(graph: Graph, node: Node) -> Made:
    found = node.told(
        DBInstanceIdentifier="db_instance_identifier", PubliclyAccessible="publicly_accessible",
        Engine="engine", DbiResourceId="dbi_resource_id", StorageEncrypted="storage_encrypted",
        DBClusterIdentifier="db_cluster_identifier", DeletionProtection="deletion_protection",
        IAMDatabaseAuthenticationEnabled="iam_database_authentication_enabled",
        BackupRetentionPeriod="backup_retention_period", MasterUsername="master_username")  # fmt: skip
    found |= {"DBInstanceArn": node.need("arn", "id"), "VpcSecurityGroups": _guards(graph, node),
              "Endpoint": node.told(Address="endpoint_address", Port="endpoint_port")}  # fmt: skip
    for group in graph.out(node, "MEMBER_OF_DB_SUBNET_GROUP"):
        subnets = ids(graph.out(group, "RESOURCE", to="EC2Subnet"), "subnetid")
        found["DBSubnetGroup"] = group.told(DBSubnetGroupName="name", VpcId="vpc_id") | {
            "Subnets": [{"SubnetIdentifier": s} for s in subnets]}  # fmt: skip
    yield Told("rds.describe_db_instances", {"DBInstances": [found]})


def database_cluster(graph: Graph, node: Node) -> Made:
    members = ids(graph.into(node, "IS_CLUSTER_MEMBER_OF"), "db_instance_identifier")
    found = node.told(DBClusterIdentifier="db_cluster_identifier", Status="status", Port="port",
                      Endpoint="endpoint", ReaderEndpoint="reader_endpoint", Engine="engine",
                      StorageEncrypted="storage_encrypted",
                      DbClusterResourceId="db_cluster_resource_id")  # fmt: skip
    if members or not graph.gap("IS_CLUSTER_MEMBER_OF"):
        found["DBClusterMembers"] = [{"DBInstanceIdentifier": m} for m in members]
    yield Told("rds.describe_db_clusters",
               {"DBClusters": [{"DBClusterArn": node.need("arn", "id"), **found}]})  # fmt: skip


def database_snapshot(graph: Graph, node: Node) -> Made:
    name = node.need("db_snapshot_identifier")
    found = node.told(DBInstanceIdentifier="db_instance_identifier", Engine="engine",
                      SnapshotType="snapshot_type", Status="status", Encrypted="encrypted")  # fmt: skip
    yield Told("rds.describe_db_snapshots", {"DBSnapshots": [
        {"DBSnapshotIdentifier": name, "DBSnapshotArn": node.need("arn", "id"), **found}]})  # fmt: skip
    public = node.get("ispublic")
    if isinstance(public, bool):
        attribute = {"AttributeName": "restore", "AttributeValues": ["all"] if public else []}
        yield Told("rds.describe_db_snapshot_attributes", {"DBSnapshotAttributesResult": {
            "DBSnapshotIdentifier": name, "DBSnapshotAttributes": [attribute]}},
            {"DBSnapshotIdentifier": name}, {"describe_db_snapshot_attributes": _NOT_ALL})  # fmt: skip


def warehouse(graph: Graph, node: Node) -> Made:
    found = node.told(ClusterIdentifier="cluster_identifier", NodeType="node_type", VpcId="vpc_id",
                      PubliclyAccessible="publicly_accessible", ClusterStatus="cluster_status",
                      Encrypted="encrypted", MasterUsername="master_username")  # fmt: skip
    roles = ids(graph.out(node, "STS_ASSUMEROLE_ALLOW"), "arn")
    found |= {"VpcSecurityGroups": _guards(graph, node),
              "IamRoles": [{"IamRoleArn": r} for r in roles],
              "Endpoint": node.told(Address="endpoint_address", Port="endpoint_port")}  # fmt: skip
    yield Told("redshift.describe_clusters", {"Clusters": [found]})


def table(graph: Graph, node: Node) -> Made:
    found = node.told(TableName="name", TableStatus="table_status")
    yield Told("dynamodb.describe_table", {"Table": {"TableArn": node.need("arn", "id"), **found}},
               {"TableName": node.need("name")})  # fmt: skip


def cache(graph: Graph, node: Node) -> Made:
    found = node.told(ARN="arn", CacheClusterId="cache_cluster_id", Engine="engine",
                      CacheClusterStatus="cache_cluster_status",
                      TransitEncryptionEnabled="transit_encryption_enabled",
                      AtRestEncryptionEnabled="at_rest_encryption_enabled")  # fmt: skip
    yield Told("elasticache.describe_cache_clusters", {"CacheClusters": [found]})


_POLICY = "the graph keeps no access policy"


def search(graph: Graph, node: Node) -> Made:
    name = node.need("name")
    found = node.told(ARN="arn", DomainId="id", DomainName="name", Endpoint="endpoint")
    found |= {"AccessPolicies": ""}
    subnets = ids(graph.out(node, "PART_OF_SUBNET", to="EC2Subnet"), "subnetid")
    if subnets:
        vpcs = [v for s in graph.out(node, "PART_OF_SUBNET", to="EC2Subnet")
                if (v := s.text("vpc_id") or next(iter(ids(
                    graph.out(s, "MEMBER_OF_AWS_VPC"), "vpcid")), ""))]  # fmt: skip
        found["VPCOptions"] = {"VPCId": vpcs[0] if vpcs else "not named", "SubnetIds": subnets}
    yield Told("opensearch.describe_domain", {"DomainStatus": found}, {"DomainName": name},
               {"AccessPolicies": _POLICY})  # fmt: skip


def files(graph: Graph, node: Node) -> Made:
    found = node.told(FileSystemArn="arn", FileSystemId="id", OwnerId="owner_id", Name="name",
                      CreationToken="creation_token", Encrypted="encrypted")  # fmt: skip
    yield Told("efs.describe_file_systems", {"FileSystems": [found]})


def mount_target(graph: Graph, node: Node) -> Made:
    found = node.told(MountTargetId="id", FileSystemId="fileSystem_id", SubnetId="subnet_id",
                      IpAddress="ip_address", NetworkInterfaceId="network_interface_id",
                      OwnerId="owner_id")  # fmt: skip
    yield Told("efs.describe_mount_targets", {"MountTargets": [found]})


# Messages, keys, secrets


def queue(graph: Graph, node: Node) -> Made:
    """All attributes come from one call: a queue with its times and without a policy has none."""
    found = node.told(VisibilityTimeout="visibility_timeout", KmsMasterKeyId="kms_master_key_id")
    found |= {"QueueArn": node.need("arn", "id")}
    policy = node.get("policy")
    if policy:
        found["Policy"] = policy if isinstance(policy, str) else json.dumps(policy)
    asked = {"QueueUrl": node.text("url") or str(found["QueueArn"]).rpartition(":")[2]}
    if policy or "VisibilityTimeout" in found:
        yield Told("sqs.get_queue_attributes", {"Attributes": found}, asked)


def topic(graph: Graph, node: Node) -> Made:
    yield Told("sns.list_topics", {"Topics": [{"TopicArn": node.need("arn", "id")}]})


def subscription(graph: Graph, node: Node) -> Made:
    found = node.told(SubscriptionArn="arn", TopicArn="topic_arn", Endpoint="endpoint",
                      Protocol="protocol", Owner="owner")  # fmt: skip
    yield Told("sns.list_subscriptions", {"Subscriptions": [found]})


def key(graph: Graph, node: Node) -> Made:
    found = node.told(KeyId="id", Arn="arn", KeyState="key_state", KeyManager="key_manager",
                      Enabled="enabled", KeyUsage="key_usage", Origin="origin")  # fmt: skip
    yield Told("kms.describe_key", {"KeyMetadata": found}, {"KeyId": node.need("arn", "id")})


def alias(graph: Graph, node: Node) -> Made:
    found = node.told(AliasArn="arn", AliasName="alias_name", TargetKeyId="target_key_id")
    yield Told("kms.list_aliases", {"Aliases": [found]})


def secret(graph: Graph, node: Node) -> Made:
    found = node.told(ARN="arn", Name="name", RotationEnabled="rotation_enabled",
                      KmsKeyId="kms_key_id", OwningService="owning_service")  # fmt: skip
    yield Told("secretsmanager.list_secrets", {"SecretList": [found]})


def parameter(graph: Graph, node: Node) -> Made:
    """Never its value."""
    found = node.told(Name="name", Type="type", Tier="tier", KeyId="keyid", DataType="datatype")
    yield Told("ssm.describe_parameters", {"Parameters": [found]})


def trail(graph: Graph, node: Node) -> Made:
    found = node.told(TrailARN="arn", Name="name", S3BucketName="s3_bucket_name",
                      IsMultiRegionTrail="is_multi_region_trail", HomeRegion="home_region",
                      LogFileValidationEnabled="log_file_validation_enabled")  # fmt: skip
    yield Told("cloudtrail.describe_trails", {"trailList": [found]})
