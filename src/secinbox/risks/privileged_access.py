"""Privileged access: administrator, can become so, wide reach, or restricted data in bulk."""

from __future__ import annotations

from secinbox.iam import privilege
from secinbox.risks import Assessment
from secinbox.risks._computed import not_asked, store

NAME = "privileged_access"
TITLE = "Computed from effective permissions"

# These hold or filter, they act as nobody.
_PASSIVE = (
    "aws_s3_bucket", "aws_sqs_queue", "aws_sns_topic", "aws_kms_key", "aws_kms_alias",
    "aws_secretsmanager_secret", "aws_ssm_parameter", "aws_dynamodb_table", "aws_ecr_repository",
    "aws_ec2_snapshot", "aws_ec2_volume", "aws_ec2_ami", "aws_ec2_image", "aws_ec2_subnet",
    "aws_ec2_vpc", "aws_ec2_security_group", "aws_ec2_network_acl", "aws_ec2_route_table",
    "aws_ec2_internet_gateway", "aws_ec2_network_interface", "aws_ec2_elastic_ip",
    "aws_rds_db_snapshot", "aws_rds_snapshot", "aws_rds_cluster_snapshot", "aws_efs_file_system",
    "aws_elasticfilesystem_file_system", "aws_logs_log_group", "aws_cloudtrail_trail",
    "aws_elbv2_load_balancer", "aws_elasticloadbalancing_loadbalancer",
    "aws_cloudfront_distribution", "aws_acm_certificate", "kubernetes_service",
    "kubernetes_ingress", "kubernetes_namespace", "kubernetes_configmap", "kubernetes_secret",
    "kubernetes_networkpolicy",
)  # fmt: skip


def assess(assessment: Assessment) -> None:
    """One row for every principal, every resource that runs as one, and what acts as nobody."""
    store(assessment, NAME, privilege(assessment.estate))
    not_asked(assessment, NAME, _PASSIVE, "it acts as nobody")
