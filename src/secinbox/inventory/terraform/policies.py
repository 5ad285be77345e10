"""Rarer resources that a policy of their own opens, and policies of the organisation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from secinbox.inventory.terraform.answers import Answer, Blocks, answer, filled
from secinbox.inventory.terraform.blocks import Block

_BLOCK = (
    "block_public_acls",
    "ignore_public_acls",
    "block_public_policy",
    "restrict_public_buckets",
)
_FULL_ACCESS = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def answers(blocks: Blocks) -> Iterator[Answer]:
    for b in blocks.of("aws_s3_access_point"):
        yield from _access_point(blocks, b)
    for b in blocks.of("aws_lambda_layer_version"):
        name, number = b.text("layer_name"), b.text("version")
        listed = {"Layers": [{"LatestMatchingVersion": {"LayerVersionArn": b.arn}}]}
        yield answer("lambda.list_layers", listed, b)
        permitted = [p for p in blocks.of("aws_lambda_layer_version_permission")
                 if name and p.text("layer_name").rpartition(":")[2] == name
                 and str(p.values.get("version_number")) == number]  # fmt: skip
        if permitted:
            yield answer("lambda.get_layer_version_policy", {"Policy": _merged(permitted)}, *permitted,
                         arn=b.arn, LayerName=name, VersionNumber=number)  # fmt: skip
    for b in blocks.of("aws_backup_vault"):
        vault = {"BackupVaultArn": b.arn, "BackupVaultName": b.text("name"), "Tags": b.tags}
        yield answer("backup.list_backup_vaults", {"BackupVaultList": [vault]}, b)
        for given in blocks.where(b.text("name"), "backup_vault_name", "aws_backup_vault_policy"):
            told = {"BackupVaultArn": b.arn, "Policy": given.text("policy")}
            yield answer("backup.get_backup_vault_access_policy", told, given, arn=b.arn,
                         BackupVaultName=b.text("name"))  # fmt: skip
    for b in blocks.of("aws_glacier_vault"):
        vault = {"VaultARN": b.arn, "VaultName": b.text("name"), "Tags": b.tags}
        yield answer("glacier.list_vaults", {"VaultList": [vault]}, b)
        if b.has("access_policy"):
            said = b.text("access_policy")
            answered: dict[str, Any] = {"policy": {"Policy": said}}
            yield answer("glacier.get_vault_access_policy",
                         answered if said else {"Error": "ResourceNotFoundException"}, b,
                         vaultName=b.text("name"))  # fmt: skip
    for b in blocks.of("aws_glue_resource_policy"):
        yield answer("glue.get_resource_policy", {"PolicyInJson": b.text("policy")}, b)
    yield from _packages(blocks)
    for b in blocks.of("aws_kinesis_stream"):
        stream = filled(StreamARN=b.arn, StreamName=b.text("name"), KeyId=b.text("kms_key_id"),
                        Tags=b.tags)  # fmt: skip
        yield answer("kinesis.list_streams", {"StreamSummaries": [stream]}, b)
        for given in blocks.where(b.arn, "resource_arn", "aws_kinesis_resource_policy"):
            yield answer("kinesis.get_resource_policy", {"Policy": given.text("policy")}, given,
                         arn=b.arn, ResourceARN=b.arn)  # fmt: skip
    for b in blocks.of("aws_cloudwatch_event_bus"):
        yield _event_bus(blocks, b)
    for b in blocks.of("aws_ssm_document"):
        name = b.text("name")
        document = filled(Name=name, DocumentType=b.text("document_type"), Tags=b.tags,
                          Owner=b.text("owner"))  # fmt: skip
        yield answer("ssm.list_documents", {"DocumentIdentifiers": [document]}, b)
        shared = b.values.get("permissions")
        if isinstance(shared, dict):
            whom = str(shared.get("account_ids") or "")
            accounts = [w.strip().lower() for w in whom.split(",") if w.strip()]
            yield answer("ssm.describe_document_permission", {"AccountIds": accounts}, b, Name=name)
    for b in blocks.of("aws_efs_file_system"):
        files = filled(FileSystemId=b.text("id"), FileSystemArn=b.arn, Name=b.text("name"),
                       Encrypted=b.values.get("encrypted"), Tags=b.tags)  # fmt: skip
        yield answer("efs.describe_file_systems", {"FileSystems": [files]}, b)
        for given in blocks.where(b.text("id"), "file_system_id", "aws_efs_file_system_policy"):
            told = {"FileSystemId": b.text("id"), "Policy": given.text("policy")}
            yield answer("efs.describe_file_system_policy", told, given, arn=b.arn,
                         FileSystemId=b.text("id"))  # fmt: skip
    for b in blocks.of("aws_efs_mount_target"):
        target = filled(MountTargetId=b.text("id"), FileSystemId=b.text("file_system_id"),
                        SubnetId=b.text("subnet_id"), IpAddress=b.text("ip_address"),
                        NetworkInterfaceId=b.text("network_interface_id"))  # fmt: skip
        yield answer("efs.describe_mount_targets", {"MountTargets": [target]}, b)
    for given in blocks.of("aws_dynamodb_resource_policy"):
        told = {"Policy": given.text("policy"), "RevisionId": given.text("revision_id")}
        yield answer("dynamodb.get_resource_policy", told, given, arn=given.text("resource_arn"),
                     ResourceArn=given.text("resource_arn"))  # fmt: skip
    yield from _organization(blocks)


def _merged(given: list[Block]) -> str:
    """One document of the statements that each permission tells, as its `policy` or its fields."""
    statements: list[Any] = []
    for b in given:
        try:
            told = json.loads(b.text("policy") or "null")
        except (ValueError, RecursionError):
            told = None
        found = told.get("Statement") if isinstance(told, dict) else None
        if found is not None:
            statements += found if isinstance(found, list) else [found]
            continue
        whom = b.text("principal")
        one: dict[str, Any] = {"Effect": "Allow", "Action": b.text("action"), "Resource": "*",
                               "Principal": whom if whom == "*" else {"AWS": whom}}  # fmt: skip
        if b.text("organization_id"):
            one["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": b.text("organization_id")}}
        statements.append(one)
    # The same statement is told by each permission of a version.
    unique = {json.dumps(s, sort_keys=True): s for s in statements}
    return json.dumps({"Version": "2012-10-17", "Statement": list(unique.values())})


def _access_point(blocks: Blocks, b: Block) -> Iterator[Answer]:
    own = b.first("public_access_block_configuration")
    blocked = {
        "".join(w.title() for w in k.split("_")): own.values.get(k) is not False for k in _BLOCK
    }
    name = b.text("name")
    point = filled(
        AccessPointArn=b.arn, Name=name, Bucket=b.text("bucket").rpartition(":")[2],
        NetworkOrigin=b.text("network_origin"), PublicAccessBlockConfiguration=blocked,
        VpcConfiguration={"VpcId": b.first("vpc_configuration").text("vpc_id")}
        if b.rows("vpc_configuration") else None,
    )  # fmt: skip
    yield answer("s3control.get_access_point", point, b, Name=name)
    given = blocks.where(b.arn, "access_point_arn", "aws_s3control_access_point_policy")
    said = next((g.text("policy") for g in given), "") or b.text("policy")
    if said or b.has("policy"):
        told = {"Policy": said} if said else {"Error": "NoSuchAccessPointPolicy"}
        yield answer("s3control.get_access_point_policy", told, *given, b, arn=b.arn, Name=name)


def _packages(blocks: Blocks) -> Iterator[Answer]:
    for b in blocks.of("aws_codeartifact_domain"):
        name = b.text("domain")
        yield answer("codeartifact.list_domains",
                     {"domains": [{"arn": b.arn, "name": name, "owner": b.text("owner")}]}, b)  # fmt: skip
        for given in blocks.where(name, "domain", "aws_codeartifact_domain_permissions_policy"):
            told = {"policy": {"document": given.text("policy_document")}}
            yield answer(
                "codeartifact.get_domain_permissions_policy", told, given, arn=b.arn, domain=name
            )
    for b in blocks.of("aws_codeartifact_repository"):
        name, domain = b.text("repository"), b.text("domain")
        row = {"arn": b.arn, "name": name, "domainOwner": b.text("domain_owner")}
        yield answer("codeartifact.list_repositories", {"repositories": [row]}, b)
        for given in blocks.where(
            name, "repository", "aws_codeartifact_repository_permissions_policy"
        ):
            if given.text("domain") == domain:
                told = {"policy": {"document": given.text("policy_document")}}
                yield answer("codeartifact.get_repository_permissions_policy", told, given,
                             arn=b.arn, domain=domain, repository=name)  # fmt: skip


def _event_bus(blocks: Blocks, b: Block) -> Answer:
    name = b.text("name")
    whole = blocks.where(name, "event_bus_name", "aws_cloudwatch_event_bus_policy")
    single = blocks.where(name, "event_bus_name", "aws_cloudwatch_event_permission")
    said = next((w.text("policy") for w in whole), "")
    if single and not said:
        said = json.dumps({"Version": "2012-10-17", "Statement": [_permission(p, b.arn) for p in single]})  # fmt: skip
    bus = filled(Arn=b.arn, Name=name, Policy=said, Tags=b.tags)
    return answer("events.list_event_buses", {"EventBuses": [bus]}, b, *whole, *single)


def _permission(p: Block, bus: str) -> dict[str, Any]:
    whom = p.text("principal")
    principal: Any = "*" if whom == "*" else {"AWS": f"arn:aws:iam::{whom}:root"}
    found: dict[str, Any] = {
        "Sid": p.text("statement_id"), "Effect": "Allow", "Principal": principal,
        "Action": p.text("action") or "events:PutEvents", "Resource": bus,
    }  # fmt: skip
    for c in p.rows("condition"):
        found["Condition"] = {c.text("type"): {c.text("key"): c.text("value")}}
    return found


def _organization(blocks: Blocks) -> Iterator[Answer]:
    """Policies of the organisation with what they hang on.

    AWS hangs a policy that allows everything on each root, unit and account by itself, and a state
    shows it only where somebody imported it: it is taken to be there where no other one allows.
    """
    attached = blocks.of("aws_organizations_policy_attachment")
    allowing: set[str] = set()
    targets: set[str] = set()
    for b in blocks.of("aws_organizations_policy"):
        kind = b.text("type") or "SERVICE_CONTROL_POLICY"
        mine = [a for a in attached if a.text("policy_id") == b.text("id") and b.text("id")]
        hung = [a.text("target_id") for a in mine if a.text("target_id")]
        summary = {"Id": b.text("id"), "Arn": b.arn, "Name": b.text("name"), "Type": kind}
        told = {"Policy": {"PolicySummary": summary, "Content": b.text("content")}}
        yield answer("organizations.describe_policy", told, b, PolicyId=b.text("id"))
        yield answer("organizations.list_targets_for_policy",
                     {"Targets": [{"TargetId": t} for t in hung]}, b, *mine, PolicyId=b.arn)  # fmt: skip
        if kind == "SERVICE_CONTROL_POLICY":
            targets.update(hung)
            if '"allow"' in b.text("content").lower():
                allowing.update(hung)
    bare = sorted(targets - allowing)
    if bare:
        number, first = "p-FullAWSAccess", blocks.of("aws_organizations_policy")[0]
        arn = f"arn:aws:organizations::aws:policy/service_control_policy/{number}"
        summary = {
            "Id": number,
            "Arn": arn,
            "Name": "FullAWSAccess",
            "Type": "SERVICE_CONTROL_POLICY",
        }
        told = {"Policy": {"PolicySummary": summary, "Content": json.dumps(_FULL_ACCESS)}}
        yield answer("organizations.describe_policy", told, first, PolicyId=number)
        yield answer("organizations.list_targets_for_policy",
                     {"Targets": [{"TargetId": t} for t in bare]}, first, PolicyId=number)  # fmt: skip
    for b in blocks.of("aws_organizations_account", "aws_organizations_organizational_unit"):
        if b.text("parent_id"):
            parents = {"Parents": [{"Id": b.text("parent_id")}]}
            yield answer("organizations.list_parents", parents, b, ChildId=b.text("id"))
