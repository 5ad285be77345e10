"""AWS: names, accounts and what is worth taking."""

from __future__ import annotations

from secinbox.estate import Estate, Item
from secinbox.facts.store import Facts

SECRETS = ("aws_secretsmanager_secret",)
DATABASES = (
    "aws_rds_instance", "aws_rds_cluster", "aws_redshift_cluster", "aws_docdb_cluster",
    "aws_neptune_cluster", "aws_dynamodb_table",
)  # fmt: skip
BUCKETS = ("aws_s3_bucket",)
COPIES = ("aws_rds_snapshot", "aws_rds_cluster_snapshot")
OTHERS = (
    "aws_ssm_parameter", "aws_ec2_snapshot", "aws_ec2_volume", "aws_efs_file_system",
    "aws_opensearch_domain", "aws_sqs_queue", "aws_sns_topic",
    "aws_kinesis_stream", "aws_kms_key", "aws_ecr_repository", "aws_ec2_image",
    "aws_logs_log_group", "aws_elasticache_cluster", "aws_cloudtrail_trail", "aws_backup_vault",
)  # fmt: skip
ACTORS = ("_iam_role", "_iam_user")
RUNS = ("instance", "function", "service", "task")
_KINDS = {
    "aws_ec2_instance": "instance", "aws_lambda_function": "function", "aws_ecs_service": "service",
    "aws_ecs_task": "task", "aws_iam_role": "role", "aws_iam_user": "user",
    "aws_s3_bucket": "bucket", "aws_rds_instance": "database", "aws_rds_cluster": "database",
    "aws_dynamodb_table": "table", "aws_secretsmanager_secret": "secret",
    "aws_ssm_parameter": "parameter", "aws_ec2_snapshot": "snapshot",
    "aws_rds_snapshot": "database snapshot", "aws_elbv2_load_balancer": "load balancer",
    "aws_apigateway_rest_api": "API", "aws_apigateway_api": "API",
    "aws_iam_access_key": "access key", "aws_cloudtrail_trail": "trail",
    "aws_cloudfront_distribution": "distribution", "aws_opensearch_domain": "search domain",
}  # fmt: skip


def named(uid: str, item: Item | None) -> str:
    """Resources by kind and name; accounts and identities that nobody listed by their ARN."""
    if item is not None and item.type.startswith("aws_"):
        kind = _KINDS.get(item.type) or item.type.removeprefix("aws_").replace("_", " ")
        name = item.tags.get("Name") or item.name
        if not name or name.startswith("arn:"):
            name = uid.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
        return f"{kind} {name}"
    if item is None and uid.startswith("arn:") and ":organization/" in uid:
        return f"organisation {uid.rpartition('/')[2]}"
    if item is not None or ":iam::" not in uid:
        return ""
    if uid.endswith(":root"):
        return f"account {uid.split(':')[4]}"
    kind, _, name = uid.rpartition(":")[2].partition("/")
    return f"{kind} {name}"


def owner(estate: Estate, item: Item) -> str:
    """The account of what AWS runs."""
    own = item.account and item.type.startswith("aws_")
    return f"arn:aws:iam::{item.account}:root" if own else ""


def worth(estate: Estate, item: Item) -> tuple[str, str] | None:
    """Audit logs, and parameters that are encrypted."""
    if item.type == "aws_s3_bucket" and item.uid.rpartition(":")[2] in _logs(estate):
        return "holds the audit logs", "high"
    if item.type == "aws_cloudtrail_trail" and item.config.get("S3BucketName"):
        return "is the audit trail", "high"
    if item.type == "aws_ssm_parameter" and item.config.get("Type") == "SecureString":
        return "is a secret parameter", "high"
    return None


def _logs(estate: Estate) -> set[str]:
    """Names of the buckets that trails are kept in."""
    return estate.once("paths.logs", lambda: {
        str(i.config.get("S3BucketName")) for i in estate.of_type("aws_cloudtrail_trail")
    })  # fmt: skip


def keys(facts: Facts) -> dict[str, str]:
    """The ids of access keys."""
    found = facts.rows("SELECT uid FROM resources WHERE uid LIKE 'accesskey:%'")
    return {uid.removeprefix("accesskey:"): uid for (uid,) in found}
