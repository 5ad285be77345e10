"""What is read by policy: buckets, queues, topics, keys, secrets, registries, search, tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.inventory.terraform.answers import Answer, Blocks, answer, filled
from secinbox.inventory.terraform.blocks import Block

_GROUPS = "http://acs.amazonaws.com/groups/global/"
_CANNED = {
    "private": (),
    "public-read": (("AllUsers", "READ"),),
    "public-read-write": (("AllUsers", "READ"), ("AllUsers", "WRITE")),
    "authenticated-read": (("AuthenticatedUsers", "READ"),),
}
_BLOCK = {
    "BlockPublicAcls": "block_public_acls",
    "IgnorePublicAcls": "ignore_public_acls",
    "BlockPublicPolicy": "block_public_policy",
    "RestrictPublicBuckets": "restrict_public_buckets",
}


def answers(blocks: Blocks) -> Iterator[Answer]:
    for b in blocks.of("aws_cloudfront_distribution"):
        listed = {"DistributionList": {"Items": [_distribution(b)]}}
        yield answer("cloudfront.list_distributions", listed, b)
    for b in blocks.of("aws_s3_bucket"):
        yield from _bucket(blocks, b)
    for b in blocks.of("aws_s3_account_public_access_block"):
        number = b.text("account_id") or b.text("id") or blocks.account
        yield answer("s3control.get_public_access_block", _blocked(b), b,
                     arn=f"arn:aws:s3control::{number}:x", AccountId=number)  # fmt: skip
    for b in blocks.of("aws_sqs_queue"):
        given = blocks.where(b.text("id"), "queue_url", "aws_sqs_queue_policy")
        attributes = filled(QueueArn=b.arn, Policy=_policy(b, given),
                            KmsMasterKeyId=b.text("kms_master_key_id"))  # fmt: skip
        yield answer("sqs.get_queue_attributes", {"Attributes": attributes}, b, *given,
                     QueueUrl=b.text("url") or b.text("id"))  # fmt: skip
        yield from _tagged("sqs.list_queue_tags", b, QueueUrl=b.text("url") or b.text("id"))
    for b in blocks.of("aws_sns_topic"):
        given = blocks.where(b.arn, "arn", "aws_sns_topic_policy")
        attributes = filled(TopicArn=b.arn, Policy=_policy(b, given))
        yield answer("sns.get_topic_attributes", {"Attributes": attributes}, b, *given,
                     TopicArn=b.arn)  # fmt: skip
        yield from _tagged("sns.list_tags_for_resource", b, ResourceArn=b.arn)
    for b in blocks.of("aws_kms_key"):
        enabled = b.values.get("is_enabled") is not False
        key = filled(
            Arn=b.arn, KeyId=b.text("key_id"), KeyState="Enabled" if enabled else "Disabled"
        )
        yield answer("kms.describe_key", {"KeyMetadata": key}, b, KeyId=b.text("key_id"))
        given = blocks.where(b.text("key_id"), "key_id", "aws_kms_key_policy")
        if _policy(b, given):
            yield answer(
                "kms.get_key_policy", {"Policy": _policy(b, given)}, b, *given, KeyId=b.arn
            )
    for b in blocks.of("aws_secretsmanager_secret"):
        secret = filled(ARN=b.arn, Name=b.text("name"), KmsKeyId=b.text("kms_key_id"), Tags=b.tags)
        yield answer("secretsmanager.list_secrets", {"SecretList": [secret]}, b)
        given = blocks.where(b.arn, "secret_arn", "aws_secretsmanager_secret_policy")
        if given or b.has("policy"):
            said = filled(ARN=b.arn, Name=b.text("name"), ResourcePolicy=_policy(b, given))
            yield answer("secretsmanager.get_resource_policy", said, b, *given, SecretId=b.arn)
    for b in blocks.of("aws_ecr_repository"):
        row = {"repositoryArn": b.arn, "repositoryName": b.text("name"),
               "repositoryUri": b.text("repository_url"), "tags": b.tags}  # fmt: skip
        yield answer("ecr.describe_repositories", {"repositories": [row]}, b)
        given = blocks.where(b.text("name"), "repository", "aws_ecr_repository_policy")
        if given:
            yield answer("ecr.get_repository_policy", {"policyText": given[0].text("policy")},
                         *given, arn=b.arn, repositoryName=b.text("name"))  # fmt: skip
    for b in blocks.of("aws_opensearch_domain", "aws_elasticsearch_domain"):
        network = b.first("vpc_options")
        given = blocks.where(b.text("domain_name"), "domain_name", "aws_opensearch_domain_policy",
                             "aws_elasticsearch_domain_policy")  # fmt: skip
        domain = filled(
            ARN=b.arn, DomainId=b.text("domain_id"), DomainName=b.text("domain_name"),
            Endpoint=b.text("endpoint"),
            AccessPolicies=next((g.text("access_policies") for g in given), "")
            or b.text("access_policies"),
            VPCOptions={"VPCId": network.text("vpc_id")} if network.text("vpc_id") else None,
        )  # fmt: skip
        yield answer("opensearch.describe_domain", {"DomainStatus": domain}, b, *given,
                     DomainName=b.text("domain_name"))  # fmt: skip
    for b in blocks.of("aws_dynamodb_table"):
        table = {"TableArn": b.arn, "TableName": b.text("name"), "Tags": b.tags}
        yield answer("dynamodb.describe_table", {"Table": table}, b, TableName=b.text("name"))
    for b in blocks.of("aws_cloudtrail"):
        trail = filled(TrailARN=b.arn, Name=b.text("name"), S3BucketName=b.text("s3_bucket_name"))
        yield answer("cloudtrail.describe_trails", {"trailList": [trail]}, b)


def _policy(b: Block, given: list[Block]) -> str:
    return next((g.text("policy") for g in given if g.text("policy")), "") or b.text("policy")


def _tagged(operation: str, b: Block, **request: str) -> Iterator[Answer]:
    if b.tags:
        yield answer(operation, {"Tags": b.tags}, b, **request)


def _blocked(b: Block) -> dict[str, Any]:
    settings = {name: b.values.get(own) is True for name, own in _BLOCK.items()}
    return {"PublicAccessBlockConfiguration": settings}


def _distribution(b: Block) -> dict[str, Any]:
    origins = [filled(
        Id=o.text("origin_id"), DomainName=o.text("domain_name"),
        OriginAccessControlId=o.text("origin_access_control_id"),
        S3OriginConfig={"OriginAccessIdentity": o.first("s3_origin_config").text("origin_access_identity")},
        CustomOriginConfig=next((filled(
            HTTPPort=c.number("http_port"), HTTPSPort=c.number("https_port"),
            OriginProtocolPolicy=c.text("origin_protocol_policy"),
        ) for c in o.rows("custom_origin_config")), None),
        VpcOriginConfig=next(({"VpcOriginId": c.text("vpc_origin_id")}
                              for c in o.rows("vpc_origin_config")), None),
    ) for o in b.rows("origin")]  # fmt: skip
    groups = [{"Id": g.text("origin_id"), "Members": {"Items": [
        {"OriginId": m.text("origin_id")} for m in g.rows("member")]}} for g in b.rows("origin_group")]  # fmt: skip
    return filled(
        ARN=b.arn, Id=b.text("id"), Enabled=b.values.get("enabled"), DomainName=b.text("domain_name"),
        Origins={"Items": origins}, OriginGroups={"Items": groups}, Tags=b.tags,
        DefaultCacheBehavior=_behaviour(b.first("default_cache_behavior")),
        CacheBehaviors={"Items": [_behaviour(r) for r in b.rows("ordered_cache_behavior")]},
    )  # fmt: skip


def _behaviour(b: Block) -> dict[str, Any]:
    """Viewers sign where keys or accounts are named."""
    return {
        "TargetOriginId": b.text("target_origin_id"),
        "TrustedKeyGroups": {"Enabled": bool(b.texts("trusted_key_groups"))},
        "TrustedSigners": {"Enabled": bool(b.texts("trusted_signers"))},
    }


def _bucket(blocks: Blocks, b: Block) -> Iterator[Answer]:
    name = b.text("bucket") or b.text("id")
    yield answer("s3.list_buckets", {"Buckets": [{"Name": name, "Tags": b.tags}]}, b)
    given = blocks.where(name, "bucket", "aws_s3_bucket_policy")
    text = _policy(b, given)
    if text:
        yield answer(
            "s3.get_bucket_policy", {"Policy": text}, *given or [b], arn=b.arn, Bucket=name
        )
    elif b.has("policy"):  # the provider looked, and there was none
        yield answer("s3.get_bucket_policy", {"Error": "NoSuchBucketPolicy"}, b, Bucket=name)
    for block in blocks.where(name, "bucket", "aws_s3_bucket_public_access_block"):
        yield answer("s3.get_public_access_block", _blocked(block), block, arn=b.arn, Bucket=name)
    for block in blocks.where(name, "bucket", "aws_s3_bucket_ownership_controls"):
        rules = [{"ObjectOwnership": r.text("object_ownership")} for r in block.rows("rule")]
        yield answer("s3.get_bucket_ownership_controls", {"OwnershipControls": {"Rules": rules}},
                     block, arn=b.arn, Bucket=name)  # fmt: skip
    for block in blocks.where(name, "bucket", "aws_s3_bucket_server_side_encryption_configuration"):
        encrypting = [{"ApplyServerSideEncryptionByDefault": filled(
            SSEAlgorithm=d.text("sse_algorithm"), KMSMasterKeyID=d.text("kms_master_key_id"))}
            for r in block.rows("rule") for d in r.rows("apply_server_side_encryption_by_default")]  # fmt: skip
        yield answer("s3.get_bucket_encryption",
                     {"ServerSideEncryptionConfiguration": {"Rules": encrypting}}, block, arn=b.arn,
                     Bucket=name)  # fmt: skip
    grants = _grants(blocks, b, name)
    if grants is not None:
        listed, used = grants
        yield answer("s3.get_bucket_acl", {"Owner": {}, "Grants": listed}, *used, arn=b.arn,
                     Bucket=name)  # fmt: skip


def _grants(blocks: Blocks, b: Block, name: str) -> tuple[list[dict[str, Any]], list[Block]] | None:
    """From the bucket's ACL resource, from what the provider read, or from a canned name."""
    own = blocks.where(name, "bucket", "aws_s3_bucket_acl")
    for acl in own:
        rows = [(g.first("grantee").text("uri"), g.text("permission"))
                for policy in acl.rows("access_control_policy") for g in policy.rows("grant")]  # fmt: skip
        if rows:
            return [_grant(uri, word) for uri, word in rows if uri], own
        if acl.text("acl") in _CANNED:
            return [_grant(_GROUPS + who, w) for who, w in _CANNED[acl.text("acl")]], own
    if b.has("grant"):
        found = [(g.text("uri"), w) for g in b.rows("grant") for w in g.texts("permissions")]
        if found:
            return [_grant(uri, word) for uri, word in found if uri], [b]
    if b.text("acl") in _CANNED:
        return [_grant(_GROUPS + who, w) for who, w in _CANNED[b.text("acl")]], [b]
    return None


def _grant(uri: str, permission: str) -> dict[str, Any]:
    return {"Grantee": {"Type": "Group", "URI": uri}, "Permission": permission}
