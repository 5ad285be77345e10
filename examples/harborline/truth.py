"""What is right: written from the description, never from what secinbox says."""

from __future__ import annotations

from typing import Any

from harborline.description import CLOCK, CLUSTER, DEV, IMAGES, PROD, REGION, REGISTRY, REPOSITORY


def truth(instances: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """`rank_group`: rows of a lower group come first; within a group the order is left open."""
    ids = {name: instance["InstanceId"] for name, instance in instances.items()}
    jump = f"arn:aws:ec2:{REGION}:{PROD}:instance/{ids['jump']}"
    box = f"arn:aws:ec2:{REGION}:{DEV}:instance/{ids['build-box']}"
    images = {n: f"image:{REGISTRY}/{n}@{digest}" for n, digest in IMAGES.items()}
    labels = "arn:aws:s3:::harborline-shipping-labels"
    backup = f"arn:aws:iam::{PROD}:user/legacy-backup"
    repository = f"repo:{REPOSITORY}"
    return {
        "as_of": f"{CLOCK}Z",
        "top": [
            {
                "id": "proxy", "rank_group": 1, "severity": "critical", "resource": images["edge-proxy"],
                "type": "container_image_vulnerability", "title": "apache2",
                "risks": {"public_accessibility": "yes", "under_attack": "yes",
                          "exploit_available": "yes", "in_production": "yes"},
                "why": "The front door of the company runs an Apache with a path traversal that is exploited in the wild; the WAF sees the attempts now.",
            },
            {
                "id": "labels-public", "rank_group": 2, "severity": "critical", "resource": labels,
                "type": "misconfiguration", "rule": "s3_bucket_public_access",
                "risks": {"public_accessibility": "yes", "in_production": "yes"},
                "why": "Anybody may read every shipping label: the policy says Principal *, and nothing blocks it.",
            },
            {
                "id": "labels-writable", "rank_group": 2, "severity": "critical", "resource": labels,
                "type": "misconfiguration", "rule": "s3_bucket_policy_public_write_access",
                "risks": {"public_accessibility": "yes", "in_production": "yes"},
                "why": "Anybody may also replace labels.",
            },
            {
                "id": "backup-admin", "rank_group": 2, "severity": "critical", "resource": backup,
                "type": "identity_risk", "rule": "iam_user_administrator_access_policy",
                "risks": {"privileged_access": "yes", "in_production": "yes"},
                "why": "A forgotten user is administrator of the account.",
            },
            {
                "id": "quay-cache", "rank_group": 2, "severity": "critical", "resource": images["quay-cache"],
                "type": "container_image_vulnerability", "title": "redis-server",
                "risks": {"exploit_available": "yes", "in_production": "yes"},
                "why": "Debian's Redis with a sandbox escape that is in CISA KEV, in production.",
            },
            {
                "id": "pyyaml", "rank_group": 2, "severity": "critical", "resource": repository,
                "type": "library_vulnerability", "title": "pyyaml",
                "risks": {"under_attack": "yes", "in_production": "yes"},
                "why": "The booking service loads uploaded YAML with this library, and Falco saw a shell in one of its containers last night.",
            },
            {
                "id": "jump", "rank_group": 3, "severity": "high", "resource": jump,
                "type": "misconfiguration", "rule": "ec2_instance_internet_facing_with_instance_profile",
                "risks": {"public_accessibility": "yes", "privileged_access": "yes",
                          "under_attack": "yes", "in_production": "yes"},
                "why": "SSH open to the world, under brute force, and whoever gets in is administrator. Severity goes before the number of risks.",
            },
            {
                "id": "shell", "rank_group": 4, "severity": "high", "resource": repository,
                "type": "static_code_vulnerability", "rule": "B602",
                "risks": {"under_attack": "yes", "in_production": "yes"},
                "why": "A shell command is put together from a booking's text.",
            },
        ],
        "evidence": [
            {"resource": jump, "risk": "public_accessibility", "value": "yes", "kind": "route"},
            {"resource": jump, "risk": "privileged_access", "value": "yes", "kind": "administrator"},
            {"resource": jump, "risk": "under_attack", "value": "yes", "kind": "signal"},
            {"resource": labels, "risk": "public_accessibility", "value": "yes", "kind": "policy"},
            {"resource": labels, "risk": "in_production", "value": "yes", "kind": "tag"},
            {"resource": f"arn:aws:iam::{PROD}:role/ci-deploy", "risk": "privileged_access", "value": "yes", "kind": "escalation",
             "only_if": "a function's role is administrator: report-writer"},
            {"resource": f"k8s://{CLUSTER}/booking/deployment/booking-api", "risk": "under_attack", "value": "yes", "kind": "signal"},
        ],
        "public": [
            jump, labels,
            f"arn:aws:ecs:{REGION}:{PROD}:service/edge/edge-proxy",
        ],
        "privileged": [
            jump, backup,
            *(f"arn:aws:iam::{PROD}:role/{name}" for name in ("ci-deploy", "jump-admin", "report-writer")),
        ],
        "look_alikes": [
            {"resource": f"arn:aws:rds:{REGION}:{PROD}:db:booking-db", "risk": "public_accessibility",
             "why": "PubliclyAccessible is set, but its subnets have no way out and only 10.40.0.0/16 may connect."},
            {"resource": "arn:aws:s3:::harborline-docs-archive", "risk": "public_accessibility",
             "why": "The policy names everybody; the bucket's public access block overrules it."},
            {"resource": box, "risk": "public_accessibility",
             "why": "A public address and port 22 open, in a subnet without a route to a gateway."},
            {"resource": f"arn:aws:iam::{PROD}:role/AdministratorHelpdesk", "risk": "privileged_access",
             "why": "A name is no permission: it may list support cases."},
        ],
        "not_in_inbox": [
            {"resource": images["search-dev"], "vulnerability": "CVE-2022-0543",
             "why": "The same Redis as in production, on a developer's workload that nobody reaches."},
            {"resource": images["label-printer"], "vulnerability": "CVE-2023-38545",
             "why": "Critical, but the only signal is 40 days old and no feed at hand knows an exploit."},
            {"resource": repository, "vulnerability": "CVE-2023-32681",
             "why": "Medium at most, and no feed at hand gives it a severity."},
        ],
        "not_affected": [
            {"resource": images["customs-feed"], "vulnerability": "CVE-2019-10149",
             "why": "The owner's OpenVEX statement: the vulnerable part is not installed."},
        ],
    }  # fmt: skip
