"""Amazon Resource Names: their parts and the resource type that they imply.

Source: AWS, "Service Authorization Reference" (ARN formats of each service).
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Arn(NamedTuple):
    """The parts of an ARN. `kind` is the service's own word (`instance`, `bucket`, `role`)."""

    partition: str
    service: str
    region: str
    account: str
    kind: str
    id: str


_ARN = re.compile(r"arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|aws|)?:(.+)", re.S)

# Services whose ARNs name the thing without a word for what it is.
_BARE = {
    "s3": "bucket",
    "sns": "topic",
    "sqs": "queue",
    "codecommit": "repository",
    "codepipeline": "pipeline",
}
_SERVICE = {
    "elasticloadbalancing": "elb",
    "execute-api": "apigateway",
    "es": "opensearch",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "elasticfilesystem": "efs",
    "elasticmapreduce": "emr",
    "kafka": "msk",
    "ecr-public": "ecr",
    "wafv2": "wafv2",
    "waf-regional": "waf",
}
_KIND = {
    ("rds", "db"): "instance",
    ("rds", "cluster"): "cluster",
    ("rds", "subgrp"): "subnet_group",
    ("rds", "pg"): "parameter_group",
    ("rds", "og"): "option_group",
    ("rds", "es"): "event_subscription",
    ("ec2", "natgateway"): "nat_gateway",
    ("apigateway", "restapis"): "rest_api",
    ("apigateway", "apis"): "api",
    ("apigateway", "domainnames"): "domain_name",
    ("stepfunctions", "statemachine"): "state_machine",
    ("autoscaling", "autoscalinggroup"): "group",
    ("autoscaling", "launchconfiguration"): "launch_configuration",
    ("firehose", "deliverystream"): "delivery_stream",
    ("iam", "mfa"): "mfa_device",
    ("iam", "sts"): "session",
    ("route53", "hostedzone"): "hosted_zone",
    ("route53", "healthcheck"): "health_check",
    ("eks", "podidentityassociation"): "pod_identity_association",
    ("cognito-idp", "userpool"): "user_pool",
    ("cognito-identity", "identitypool"): "identity_pool",
    ("redshift", "subnetgroup"): "subnet_group",
    ("redshift", "parametergroup"): "parameter_group",
    ("sagemaker", "notebook_instance"): "notebook_instance",
    ("elasticache", "replicationgroup"): "replication_group",
    ("elasticache", "subnetgroup"): "subnet_group",
    ("elasticache", "parametergroup"): "parameter_group",
    ("dms", "rep"): "replication_instance",
    ("dms", "subgrp"): "subnet_group",
    ("ssm", "managed_instance"): "managed_instance",
}


def parse_arn(text: str) -> Arn | None:
    """The parts, or None when it is not an ARN."""
    found = _ARN.fullmatch(text.strip())
    if found is None:
        return None
    partition, service, region, account, rest = found.groups()
    account = account or ""
    if service == "s3":
        bucket, slash, key = rest.partition("/")
        if bucket.startswith("accesspoint"):
            return Arn(partition, service, region, account, "accesspoint", key)
        if bucket == "access-grants" and region:
            words = key.split("/")  # default/grant/ID, default/location/ID
            kind = {"grant": "access_grant", "location": "access_grants_location"}.get(
                words[1] if len(words) > 2 else "", "access_grants_instance"
            )
            return Arn(partition, service, region, account, kind, words[-1])
        kind = "object" if slash and key not in ("", "*") else "bucket"
        return Arn(partition, service, region, account, kind, rest if kind == "object" else bucket)
    if service == "iam" and rest == "root":
        return Arn(partition, service, region, account, "account", account)
    if service == "apigateway":
        words = rest.strip("/").split("/")
        kind = words[0]
        if kind in ("restapis", "apis") and len(words) > 3 and words[2] == "stages":
            return Arn(partition, service, region, account, "stage", f"{words[1]}/{words[3]}")
        return Arn(partition, service, region, account, kind, "/".join(words[1:2]))
    if service == "elasticloadbalancing":
        kind, _, name = rest.partition("/")
        return Arn(partition, service, region, account, kind, name)
    if service == "autoscaling":
        kind, _, name = rest.partition(":")
        return Arn(partition, service, region, account, kind, name.rpartition("/")[2])
    if service in ("wafv2",):
        words = rest.split("/")
        if len(words) > 2:
            return Arn(partition, service, region, account, words[1], "/".join(words[2:]))
    if service in _BARE and (":" not in rest or service == "sns"):
        kind = _BARE[service]
        name, colon, _ = rest.partition(":")
        return Arn(partition, service, region, account, "subscription" if colon else kind, name)
    found_kind = re.match(r"([A-Za-z][\w-]*)([:/])(.+)", rest, re.S)
    if found_kind is None:
        return Arn(partition, service, region, account, "", rest)
    kind, _, name = found_kind.groups()
    if service == "logs":
        name = name.removesuffix(":*")
    return Arn(partition, service, region, account, kind, name)


def _snake(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def type_of(arn: str) -> str:
    """`aws_SERVICE_KIND` of an ARN, for example `aws_ec2_instance`; `aws_resource` if unclear."""
    parts = parse_arn(arn)
    if parts is None:
        return "aws_resource"
    if parts.service == "iam" and parts.kind == "account":
        return "aws_account"
    if parts.service == "sts":
        return (
            "aws_iam_session" if parts.kind == "assumed-role" else "aws_sts_" + _snake(parts.kind)
        )
    service = _SERVICE.get(parts.service, parts.service)
    if parts.service == "elasticloadbalancing":
        # Classic load balancers have one word after `loadbalancer/`, the others app/, net/, gwy/.
        if parts.kind == "loadbalancer":
            modern = parts.id.startswith(("app/", "net/", "gwy/", "gateway/"))
            return "aws_elbv2_load_balancer" if modern else "aws_elb_load_balancer"
        if parts.kind == "targetgroup":
            return "aws_elbv2_target_group"
        return "aws_elbv2_" + _snake(parts.kind)
    kind = _snake(parts.kind)
    kind = _KIND.get((service, kind)) or _KIND.get((parts.service, kind)) or kind
    return f"aws_{_snake(service)}_{kind}" if kind else f"aws_{_snake(service)}"


def name_of(arn: str) -> str:
    """What a person calls it: the last word of the ARN's id."""
    parts = parse_arn(arn)
    if parts is None:
        return arn
    if parts.service in ("s3", "logs", "ecr", "secretsmanager", "ssm"):
        return parts.id
    if parts.service == "elasticloadbalancing":
        words = parts.id.split("/")
        return words[1] if len(words) > 2 else words[0]
    if parts.service == "wafv2":
        return parts.id.split("/")[0]
    return parts.id.rpartition("/")[2].rpartition(":")[2] or parts.id or arn
