"""What hands out sessions of roles: EKS Pod Identity, IAM Roles Anywhere, users of Transfer; and whom
a cluster lets in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from secinbox.inventory.terraform.answers import Answer, Blocks, answer, filled


def answers(blocks: Blocks) -> Iterator[Answer]:
    yield from _clusters(blocks)
    yield from _anywhere(blocks)
    yield from _grants(blocks)
    for b in blocks.of("aws_transfer_user"):
        mappings = [filled(Entry=m.text("entry"), Target=m.text("target"))
                    for m in b.rows("home_directory_mappings")]  # fmt: skip
        user = filled(
            Arn=b.arn, UserName=b.text("user_name"), Role=b.text("role"), Policy=b.text("policy"),
            HomeDirectory=b.text("home_directory"), HomeDirectoryMappings=mappings or None,
            HomeDirectoryType=b.text("home_directory_type") or "PATH", Tags=b.tags,
        )  # fmt: skip
        yield answer("transfer.describe_user", {"ServerId": b.text("server_id"), "User": user}, b)


def _clusters(blocks: Blocks) -> Iterator[Answer]:
    for b in blocks.of("aws_eks_pod_identity_association"):
        arn = b.text("association_arn") or b.arn
        association = filled(
            associationArn=arn, associationId=b.text("association_id"),
            clusterName=b.text("cluster_name"), namespace=b.text("namespace"),
            serviceAccount=b.text("service_account"), roleArn=b.text("role_arn"),
            targetRoleArn=b.text("target_role_arn"), externalId=b.text("external_id"),
            disableSessionTags=b.values.get("disable_session_tags"), policy=b.text("policy"),
            tags={t["Key"]: t["Value"] for t in b.tags},
        )  # fmt: skip
        yield answer("eks.describe_pod_identity_association", {"association": association}, b,
                     arn=arn)  # fmt: skip
    for b in blocks.of("aws_eks_access_entry"):
        arn = b.text("access_entry_arn") or b.arn
        entry = filled(
            accessEntryArn=arn, clusterName=b.text("cluster_name"),
            principalArn=b.text("principal_arn"), username=b.text("user_name"),
            kubernetesGroups=b.texts("kubernetes_groups"), type=b.text("type") or "STANDARD",
            tags={t["Key"]: t["Value"] for t in b.tags},
        )  # fmt: skip
        yield answer("eks.describe_access_entry", {"accessEntry": entry}, b, arn=arn)
    for b in blocks.of("aws_eks_access_policy_association"):
        who, scope = b.text("principal_arn"), b.first("access_scope")
        policy = filled(
            policyArn=b.text("policy_arn"),
            accessScope=filled(type=scope.text("type"), namespaces=scope.texts("namespaces")),
        )
        told = answer(
            "eks.list_associated_access_policies", {"associatedAccessPolicies": [policy]}, b,
            clusterName=b.text("cluster_name"), principalArn=who)  # fmt: skip
        why = "Terraform knows the policies that it gives to an access entry only"
        yield replace(told, partial={f"list_associated_access_policies:{who}": why})


def _anywhere(blocks: Blocks) -> Iterator[Answer]:
    for b in blocks.of("aws_rolesanywhere_profile"):
        profile = filled(
            profileArn=b.arn, name=b.text("name"), enabled=b.values.get("enabled"),
            roleArns=b.texts("role_arns"), managedPolicyArns=b.texts("managed_policy_arns"),
            sessionPolicy=b.text("session_policy"),
            acceptRoleSessionName=b.values.get("accept_role_session_name"),
        )  # fmt: skip
        yield answer("rolesanywhere.list_profiles", {"profiles": [profile]}, b)
    for b in blocks.of("aws_rolesanywhere_trust_anchor"):
        source = b.first("source")
        data = source.first("source_data")
        anchor = filled(
            trustAnchorArn=b.arn, name=b.text("name"), enabled=b.values.get("enabled"),
            source=filled(sourceType=source.text("source_type"),
                          sourceData=filled(acmPcaArn=data.text("acm_pca_arn"))),
        )  # fmt: skip
        yield answer("rolesanywhere.list_trust_anchors", {"trustAnchors": [anchor]}, b)


def _grants(blocks: Blocks) -> Iterator[Answer]:
    for b in blocks.of("aws_s3control_access_grants_location"):
        arn = b.text("access_grants_location_arn")
        location = filled(
            AccessGrantsLocationArn=arn, AccessGrantsLocationId=b.text("access_grants_location_id"),
            LocationScope=b.text("location_scope"), IAMRoleArn=b.text("iam_role_arn"),
        )  # fmt: skip
        yield answer("s3control.list_access_grants_locations",
                     {"AccessGrantsLocationsList": [location]}, b, arn=arn)  # fmt: skip
    for b in blocks.of("aws_s3control_access_grant"):
        arn, grantee = b.text("access_grant_arn"), b.first("grantee")
        grant = filled(
            AccessGrantArn=arn, AccessGrantId=b.text("access_grant_id"),
            AccessGrantsLocationId=b.text("access_grants_location_id"),
            GrantScope=b.text("grant_scope"), Permission=b.text("permission"),
            Grantee=filled(GranteeType=grantee.text("grantee_type"),
                           GranteeIdentifier=grantee.text("grantee_identifier")),
        )  # fmt: skip
        yield answer("s3control.list_access_grants", {"AccessGrantsList": [grant]}, b, arn=arn)
