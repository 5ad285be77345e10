"""Tables of buckets, databases, queues, keys and other places of data, and of trails."""

from __future__ import annotations

from secinbox.inventory._tables.rows import (
    Answer,
    Made,
    Maker,
    Row,
    camel,
    described,
    first,
    listed,
    paths,
    policy,
    pruned,
    tags_of,
    text,
    together,
    told,
)

_BLOCKS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")  # fmt: skip


def _blocks(row: Row) -> dict[str, bool]:
    found = {camel(b): row[b] for b in _BLOCKS if isinstance(row.get(b), bool)}
    return found if len(found) == len(_BLOCKS) else {}


def _block(blocks: dict[str, bool]) -> dict[str, dict[str, bool]]:
    return {"PublicAccessBlockConfiguration": blocks}


def bucket(row: Row) -> Made:
    name = str(row["name"])
    asked = {"Bucket": name}
    tags = {"Tags": tags_of(row)} if tags_of(row) else {}
    yield Answer("s3.list_buckets", {"Buckets": [{"Name": name, **tags}]})
    blocks = _blocks(row)
    if blocks:
        yield Answer("s3.get_public_access_block", _block(blocks), asked)
    if row.get("policy"):
        yield Answer("s3.get_bucket_policy", {"Policy": text(row["policy"])}, asked)
    elif "policy" in row and blocks:
        # The tools answer null for no policy and for one that they may not see; where they were
        # allowed to see the block, which takes a right of the same kind, there is none.
        yield Answer("s3.get_bucket_policy", {"Error": "NoSuchBucketPolicy"}, asked)
    acl = row.get("acl")
    if isinstance(acl, dict) and isinstance(acl.get("Grants"), list):
        answer = {"Owner": acl.get("Owner") or {}, "Grants": acl["Grants"]}
        yield Answer("s3.get_bucket_acl", answer, asked)
    controls = row.get("object_ownership_controls")
    if isinstance(controls, dict):
        inner = controls.get("OwnershipControls", controls)
        yield Answer("s3.get_bucket_ownership_controls", {"OwnershipControls": inner}, asked)
    elif isinstance(row.get("ownership_controls"), list):
        yield from _ownership(asked, row["ownership_controls"])
    encryption = row.get("server_side_encryption_configuration")
    if isinstance(encryption, dict):
        yield Answer("s3.get_bucket_encryption",
                     {"ServerSideEncryptionConfiguration": encryption}, asked)  # fmt: skip
    website = row.get("website_configuration")
    if isinstance(website, dict) and website.get("IndexDocument"):
        yield Answer("s3.get_bucket_website", pruned(website), asked)


def _ownership(asked: dict[str, str], words: list[object]) -> Made:
    rules = [{"ObjectOwnership": str(w)} for w in words]
    yield Answer("s3.get_bucket_ownership_controls", {"OwnershipControls": {"Rules": rules}}, asked)


def _of(row: Row) -> dict[str, str]:
    return {"Bucket": str(row["bucket_arn"]).rpartition(":")[2]}


def bucket_block(row: Row) -> Made:
    blocks = row.get("public_access_block_configuration")
    if isinstance(blocks, dict):
        yield Answer("s3.get_public_access_block", _block(blocks), _of(row))


def bucket_ownership(row: Row) -> Made:
    yield from _ownership(_of(row), [row["object_ownership"]])


def bucket_policy(row: Row) -> Made:
    document = first(row, "policy", "policy_json")
    if document is not None:
        yield Answer("s3.get_bucket_policy", {"Policy": text(document)}, _of(row))


def bucket_grant(row: Row) -> Made:
    grant = {"Grantee": row["grantee"], "Permission": row["permission"]}
    yield Answer(
        "s3.get_bucket_acl", {"Owner": {}, "Grants": [grant]}, _of(row), ("get_bucket_acl",)
    )


def bucket_account(row: Row) -> Made:
    blocks = _blocks(row)
    if blocks:
        asked = {"AccountId": str(row.get("account_id") or "")}
        yield Answer("s3control.get_public_access_block", _block(blocks), asked)


_ACCESS_POINT = paths("access_point_arn=AccessPointArn arn=AccessPointArn bucket_name=Bucket "
                      "vpc_id=VpcConfiguration.VpcId policy=- access_point_policy_is_public=- "
                      + " ".join(f"{b}=PublicAccessBlockConfiguration.{camel(b)}" for b in _BLOCKS))  # fmt: skip


def access_point(row: Row) -> Made:
    found = described(row, _ACCESS_POINT)
    asked = {"Name": str(row["name"])}
    yield Answer("s3control.get_access_point", found, asked)
    if row.get("policy"):
        yield Answer("s3control.get_access_point_policy", {"Policy": text(row["policy"])}, asked)
    elif "policy" in row and _blocks(row):
        # As of buckets: who was allowed to see the block may see the policy.
        yield Answer(
            "s3control.get_access_point_policy", {"Error": "NoSuchAccessPointPolicy"}, asked
        )


# Databases

_INSTANCE = paths("arn=DBInstanceArn status=DBInstanceStatus class=DBInstanceClass "
                  "resource_id=DbiResourceId port=DbInstancePort db_instance_port=DbInstancePort "
                  "db_subnet_group_name=DBSubnetGroup.DBSubnetGroupName "
                  "db_subnet_group_arn=DBSubnetGroup.DBSubnetGroupArn "
                  "subnets=DBSubnetGroup.Subnets vpc_id=DBSubnetGroup.VpcId "
                  "endpoint_address=Endpoint.Address endpoint_port=Endpoint.Port "
                  "master_user_name=MasterUsername")  # fmt: skip


def database(row: Row) -> Made:
    yield Answer("rds.describe_db_instances", {"DBInstances": [described(row, _INSTANCE)]})


database_cluster = listed(
    "rds.describe_db_clusters",
    """
    members=DBClusterMembers resource_id=DbClusterResourceId
    db_cluster_resource_id=DbClusterResourceId master_user_name=MasterUsername""",
)
subnet_group = listed(
    "rds.describe_db_subnet_groups",
    """
    description=DBSubnetGroupDescription status=SubnetGroupStatus""",
)


def _shared(operation: str, key: str, listing: Maker, *columns: str) -> Maker:
    """Snapshots: whom they are shared with stands in a column of the same row."""
    method = "".join(camel(operation.partition(".")[2]).split("Describe")[1:])
    result, inner = f"{method}Result", method

    def made(row: Row) -> Made:
        yield from listing({k: v for k, v in row.items() if k not in columns})
        told_of = first(row, *columns)
        identity = str(row[key])
        asked = {camel(key): identity}
        if isinstance(told_of, list):
            yield Answer(operation, {result: {camel(key): identity, inner: told_of}}, asked)

    return made


database_snapshot = _shared("rds.describe_db_snapshot_attributes", "db_snapshot_identifier",
                            listed("rds.describe_db_snapshots", "type=SnapshotType"),
                            "db_snapshot_attributes", "attributes")  # fmt: skip
cluster_snapshot = _shared("rds.describe_db_cluster_snapshot_attributes",
                           "db_cluster_snapshot_identifier",
                           listed("rds.describe_db_cluster_snapshots", "type=SnapshotType"),
                           "db_cluster_snapshot_attributes", "attributes")  # fmt: skip
warehouse = listed("redshift.describe_clusters", "arn=-")
warehouse_subnets = listed("redshift.describe_cluster_subnet_groups", "arn=-")
warehouse_serverless = listed("redshift-serverless.list_workgroups")


def table(row: Row) -> Made:
    name = str(first(row, "name", "table_name"))
    found = described(row, {"arn": "TableArn", "name": "TableName"})
    yield Answer("dynamodb.describe_table", {"Table": found}, {"TableName": name})


_FILES = listed("efs.describe_file_systems", "arn=FileSystemArn policy=-")
file_system = together(_FILES, policy("efs.describe_file_system_policy",
                                      "FileSystemId=file_system_id", "policy"))  # fmt: skip
mount_target = listed("efs.describe_mount_targets")
cache = listed("elasticache.describe_cache_clusters")
cache_group = listed("elasticache.describe_replication_groups")
_SEARCH = "arn=ARN vpc_options=VPCOptions ebs_options=EBSOptions ip_address_type=IPAddressType"
search = told("opensearch.describe_domain", "DomainStatus", "DomainName=domain_name", _SEARCH)
elasticsearch = told("es.describe_elasticsearch_domain", "DomainStatus", "DomainName=domain_name",
                     _SEARCH)  # fmt: skip
parameter = listed("ssm.describe_parameters", "arn=ARN value=- selector=- source_result=-")
log_group = listed("logs.describe_log_groups", "name=logGroupName arn=arn")
trail = listed("cloudtrail.describe_trails", "log_group_arn=CloudWatchLogsLogGroupArn "
               "kms_key_id=KmsKeyId sns_topic_arn=SnsTopicARN")  # fmt: skip

# Messages, keys and secrets


def queue(row: Row) -> Made:
    arn = str(first(row, "queue_arn", "arn") or "")
    attributes = {"QueueArn": arn}
    # One call answers all attributes: where others came, a policy that did not come is none.
    seen = any(row.get(c) is not None for c in ("visibility_timeout_seconds", "visibility_timeout",
                                                "delay_seconds"))  # fmt: skip
    if row.get("policy"):
        attributes["Policy"] = text(row["policy"])
    elif not ("policy" in row and seen):
        return
    if row.get("kms_master_key_id"):
        attributes["KmsMasterKeyId"] = str(row["kms_master_key_id"])
    url = str(first(row, "queue_url", "url") or arn.replace(":", "/"))
    yield Answer("sqs.get_queue_attributes", {"Attributes": attributes}, {"QueueUrl": url})


def _queue_itself(row: Row) -> Made:
    url = first(row, "queue_url", "url")
    if url:
        yield Answer("sqs.list_queues", {"QueueUrls": [str(url)]})


def topic(row: Row) -> Made:
    arn = str(first(row, "topic_arn", "arn") or "")
    yield Answer("sns.list_topics", {"Topics": [{"TopicArn": arn}]})
    if row.get("policy"):
        attributes = {"TopicArn": arn, "Policy": text(row["policy"])}
        yield Answer("sns.get_topic_attributes", {"Attributes": attributes}, {"TopicArn": arn})


queues = together(_queue_itself, queue)
subscription = listed("sns.list_subscriptions")


def secret(row: Row) -> Made:
    arn = str(row["arn"])
    found = described(
        row, {"arn": "ARN", "policy": "-", "rotation_lambda_arn": "RotationLambdaARN"}
    )
    yield Answer("secretsmanager.list_secrets", {"SecretList": [found]})
    if row.get("policy"):
        answer = {"ARN": arn, "Name": row.get("name"), "ResourcePolicy": text(row["policy"])}
        yield Answer("secretsmanager.get_resource_policy", answer, {"SecretId": arn})


def key(row: Row) -> Made:
    arn = str(row["arn"])
    found = described(row, {"policy": "-", "id": "KeyId", "aws_account_id": "AWSAccountId",
                            "aliases": "-"})  # fmt: skip
    yield Answer("kms.describe_key", {"KeyMetadata": {"KeyId": arn, **found}}, {"KeyId": arn})
    if row.get("policy"):
        yield Answer("kms.get_key_policy", {"Policy": text(row["policy"])}, {"KeyId": arn})


def key_policy(row: Row) -> Made:
    if row.get("policy") and str(row.get("name") or "default") == "default":
        yield Answer("kms.get_key_policy", {"Policy": text(row["policy"])},
                     {"KeyId": str(row["key_arn"])})  # fmt: skip


alias = listed("kms.list_aliases")
vault = together(listed("backup.list_backup_vaults", "policy=-"),
                 policy("backup.get_backup_vault_access_policy", "BackupVaultName=name", "policy"))  # fmt: skip
archive = together(listed("glacier.list_vaults", "vault_arn=VaultARN policy=- vault_lock_policy=-"),
                   policy("glacier.get_vault_access_policy", "vaultName=vault_name", "policy",
                          key="policy.Policy"))  # fmt: skip
stream = listed("kinesis.list_streams", "stream_arn=StreamARN")


def packages(row: Row) -> Made:
    """Of a repository or a domain, whichever the row is."""
    whole = "domain_name" in row
    listing = "codeartifact.list_repositories" if whole else "codeartifact.list_domains"
    found = described(row, {"policy": "-"}, lower=True)
    yield Answer(listing, {"repositories" if whole else "domains": [found]})
    document = first(row, "policy")
    if document is None:
        return
    answer = {"policy": {"document": text(document)}}
    if whole:
        yield Answer("codeartifact.get_repository_permissions_policy", answer,
                     {"domain": str(row["domain_name"]), "repository": str(row["name"])})  # fmt: skip
    else:
        yield Answer("codeartifact.get_domain_permissions_policy", answer,
                     {"domain": str(row["name"])})  # fmt: skip


def document(row: Row) -> Made:
    yield Answer("ssm.list_documents", {"DocumentIdentifiers": [described(row)]})


def document_permission(row: Row) -> Made:
    accounts = row.get("account_ids")
    if isinstance(accounts, list):
        yield Answer("ssm.describe_document_permission", {"AccountIds": accounts},
                     {"Name": str(row["document_name"])})  # fmt: skip
