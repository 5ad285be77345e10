"""The same check in other tools' words, where the mapping is certain.

Canonical names are those of Prowler's published checks (hub.prowler.com). A row is here only when
both look at the same setting of the same resource: controls of Security Hub that speak of the
account (EC2.1), or that ask for more or less (EKS.1, Opensearch.2), are left out.
Source: AWS Security Hub User Guide, "Security Hub CSPM controls reference".
"""

from __future__ import annotations

_SECURITY_HUB = {
    "S3.2": "s3_bucket_public_access",
    "SQS.3": "sqs_queues_not_publicly_accessible",
    "SNS.4": "sns_topics_not_publicly_accessible",
    "KMS.5": "kms_key_not_publicly_accessible",
    "RDS.1": "rds_snapshots_public_access",
    "RDS.2": "rds_instance_no_public_access",
    "Redshift.1": "redshift_cluster_public_access",
    "Lambda.1": "awslambda_function_not_publicly_accessible",
    "IAM.3": "iam_rotate_access_key_90_days",
    "IAM.4": "iam_no_root_access_key",
    "IAM.5": "iam_user_mfa_enabled_console_access",
    "IAM.9": "iam_root_mfa_enabled",
    "EC2.13": "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_22",
    "EC2.14": "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_3389",
}


def canonical_of(tool: str, rule: str) -> str:
    """The canonical name of a tool's rule; empty where nothing certain is known."""
    return _SECURITY_HUB.get(rule, "") if tool == "aws-security-hub" else ""
