"""Calls whose answers are more than a list of resources: IAM, tags, images, records, accounts."""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from secinbox.arn import parse_arn
from secinbox.fingerprint import image_uid
from secinbox.inventory.aws import accelerators, clusters
from secinbox.inventory.aws.calls import Call, walk
from secinbox.records import Alias, AnyRecord, Relation, Resource, Skipped


def _resource(call: Call, uid: str, config: Mapping[str, Any] | None, **more: Any) -> Resource:
    from secinbox.inventory.aws.elements import resource

    return resource(call, uid, config, **more)


def _ec2_arn(call: Call, word: str, identifier: str, owner: str = "") -> str:
    account = owner or call.account
    region = call.region
    return f"arn:{call.partition}:ec2:{region}:{account}:{word}/{identifier}"


def _account_uid(call: Call) -> str:
    return f"arn:{call.partition}:iam::{call.account}:root"


def _authorization(call: Call) -> Iterator[AnyRecord]:
    """`get-account-authorization-details`: users, groups, roles with their policies."""
    groups: dict[str, str] = {}
    for index, group in enumerate(walk(call.response, "GroupDetailList[]")):
        if isinstance(group, dict) and group.get("Arn"):
            groups[str(group.get("GroupName"))] = str(group["Arn"])
            aliases = (Alias(str(group["GroupId"])),) if group.get("GroupId") else ()
            yield _resource(call, str(group["Arn"]), group, name=str(group.get("GroupName") or ""),
                            aliases=aliases, place=f"$.GroupDetailList[{index}]")  # fmt: skip
    for index, user in enumerate(walk(call.response, "UserDetailList[]")):
        if not isinstance(user, dict) or not user.get("Arn"):
            yield Skipped("a user without Arn", place=f"$.UserDetailList[{index}]")
            continue
        aliases = (Alias(str(user["UserId"])),) if user.get("UserId") else ()
        yield _resource(call, str(user["Arn"]), user, name=str(user.get("UserName") or ""),
                        aliases=aliases, place=f"$.UserDetailList[{index}]")  # fmt: skip
        for name in walk(user, "GroupList[]"):
            arn = groups.get(str(name))
            parts = parse_arn(str(user["Arn"]))
            account = parts.account if parts else call.account
            target = arn or f"arn:{call.partition}:iam::{account}:group/{name}"
            yield Relation(source=str(user["Arn"]), kind="member_of", target=target)
    for index, role in enumerate(walk(call.response, "RoleDetailList[]")):
        if not isinstance(role, dict) or not role.get("Arn"):
            yield Skipped("a role without Arn", place=f"$.RoleDetailList[{index}]")
            continue
        aliases = (Alias(str(role["RoleId"])),) if role.get("RoleId") else ()
        yield _resource(call, str(role["Arn"]), role, name=str(role.get("RoleName") or ""),
                        aliases=aliases, place=f"$.RoleDetailList[{index}]")  # fmt: skip
        for profile in walk(role, "InstanceProfileList[]"):
            if isinstance(profile, dict) and profile.get("Arn"):
                yield _resource(call, str(profile["Arn"]), profile,
                                name=str(profile.get("InstanceProfileName") or ""))  # fmt: skip
                yield Relation(source=str(profile["Arn"]), kind="has_identity",
                               target=str(role["Arn"]))  # fmt: skip
    for index, policy in enumerate(walk(call.response, "Policies[]")):
        if isinstance(policy, dict) and policy.get("Arn"):
            yield _resource(call, str(policy["Arn"]), policy,
                            name=str(policy.get("PolicyName") or ""),
                            place=f"$.Policies[{index}]")  # fmt: skip


def _credential_report(call: Call) -> Iterator[AnyRecord]:
    """CSV, in base64 when the command line printed it."""
    content = call.response.get("Content")
    if not isinstance(content, str):
        return
    text = content
    if not text.startswith("user,"):
        try:
            text = base64.b64decode(text, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            yield Skipped("the credential report is neither CSV nor base64", place="$.Content")
            return
    for row in csv.DictReader(io.StringIO(text)):
        arn = row.get("arn") or ""
        if arn.startswith("arn:"):
            yield _resource(call, arn, {"credential_report": dict(row)})


def _last_accessed(call: Call) -> Iterator[AnyRecord]:
    """The answer names nobody: it is somebody's where the request says whose (`Arn`)."""
    arn = str(call.request.get("Arn") or "")
    if arn.startswith("arn:") and call.response.get("ServicesLastAccessed"):
        yield _resource(call, arn, {call.method: dict(call.response)})


def _tags(call: Call) -> Iterator[AnyRecord]:
    by_resource: dict[tuple[str, str], dict[str, str]] = {}
    for tag in walk(call.response, "Tags[]"):
        if isinstance(tag, dict) and tag.get("ResourceId") and tag.get("ResourceType"):
            key = (str(tag["ResourceType"]), str(tag["ResourceId"]))
            by_resource.setdefault(key, {})[str(tag.get("Key"))] = str(tag.get("Value") or "")
    for (word, identifier), tags in by_resource.items():
        yield _resource(call, _ec2_arn(call, word, identifier), None, tags=tags,
                        aliases=(Alias(identifier),))  # fmt: skip


def _tagging(call: Call) -> Iterator[AnyRecord]:
    from secinbox.inventory.aws.elements import canonical, tags_in

    for mapping in walk(call.response, "ResourceTagMappingList[]"):
        if isinstance(mapping, dict) and str(mapping.get("ResourceARN", "")).startswith("arn:"):
            yield _resource(call, canonical(str(mapping["ResourceARN"])), None,
                            tags=tags_in(mapping.get("Tags")))  # fmt: skip


def _elb_tags(call: Call) -> Iterator[AnyRecord]:
    from secinbox.inventory.aws.elements import tags_in

    for mapping in walk(call.response, "TagDescriptions[]"):
        if isinstance(mapping, dict) and mapping.get("ResourceArn"):
            yield _resource(call, str(mapping["ResourceArn"]), None,
                            tags=tags_in(mapping.get("Tags")))  # fmt: skip


def _profile_associations(call: Call) -> Iterator[AnyRecord]:
    for association in walk(call.response, "IamInstanceProfileAssociations[]"):
        if not isinstance(association, dict) or not association.get("InstanceId"):
            continue
        uid = _ec2_arn(call, "instance", str(association["InstanceId"]))
        yield _resource(call, uid, {"iam_instance_profile_association": association},
                        aliases=(Alias(str(association["InstanceId"])),))  # fmt: skip
        for arn in walk(association, "IamInstanceProfile.Arn"):
            yield Relation(source=uid, kind="has_identity", target=str(arn))


def _images(call: Call) -> Iterator[AnyRecord]:
    for image in walk(call.response, "imageDetails[]"):
        if not isinstance(image, dict) or not image.get("imageDigest"):
            continue
        account = str(image.get("registryId") or call.account)
        host = f"{account}.dkr.ecr.{call.region}.amazonaws.com"
        name = f"{host}/{image.get('repositoryName')}"
        uid = image_uid(name, str(image["imageDigest"]))
        tags = [t for t in image.get("imageTags") or [] if isinstance(t, str)]
        found = _resource(call, uid, image)
        found.type, found.account, found.region = "container_image", account, call.region
        found.name = f"{image.get('repositoryName')}:{tags[0]}" if tags else uid.split(":", 1)[1]
        found.aliases = tuple(Alias(image_uid(f"{name}:{tag}"), 0.9) for tag in tags)
        yield found
        repository = f"arn:{call.partition}:ecr:{call.region}:{account}:repository/"
        yield Relation(source=repository + str(image.get("repositoryName")), kind="contains",
                       target=uid)  # fmt: skip


def _task_definition(call: Call) -> Iterator[AnyRecord]:
    from secinbox.inventory.aws.elements import tags_in

    definition = call.response.get("taskDefinition")
    if not isinstance(definition, dict) or not definition.get("taskDefinitionArn"):
        return
    uid = str(definition["taskDefinitionArn"])
    yield _resource(call, uid, definition, tags=tags_in(call.response.get("tags")))
    # The execution role pulls images for the agent; the containers cannot get it.
    if definition.get("taskRoleArn"):
        yield Relation(source=uid, kind="has_identity", target=str(definition["taskRoleArn"]))
    for image in walk(definition, "containerDefinitions[].image"):
        if isinstance(image, str) and image:
            yield Relation(source=uid, kind="runs", target=image_uid(image))
    for secret in walk(definition, "containerDefinitions[].secrets[].valueFrom"):
        if isinstance(secret, str) and secret:
            yield Relation(source=uid, kind="reads_secret", target=secret)


def _rules(call: Call) -> Iterator[AnyRecord]:
    listener = str(call.request.get("ListenerArn") or call.request.get("") or "")
    if listener.startswith("arn:"):
        yield _resource(call, listener, {"describe_rules": dict(call.response)})


def _account_level(call: Call) -> Iterator[AnyRecord]:
    answer = {k: v for k, v in call.response.items() if k != "ResponseMetadata"}
    key = call.method if call.operation != "s3control.get_public_access_block" else "s3control"
    if key not in ("s3control", "describe_organization", "get_account_summary"):
        key = f"{key}:{call.region}"  # settings that each region has of its own
    yield _resource(call, _account_uid(call), {key: answer})
    organization = answer.get("Organization")
    if isinstance(organization, dict) and str(organization.get("Arn", "")).startswith("arn:"):
        yield _resource(call, str(organization["Arn"]), organization)


def _organization_place(call: Call, identifier: str) -> str:
    """An account as its root ARN, a unit or root by its id."""
    if identifier.isdigit():
        return f"arn:{call.partition}:iam::{identifier}:root"
    return identifier


def _guardrails(call: Call) -> Iterator[AnyRecord]:
    """Organisation policies that hang on an account, a unit or the root."""
    target = str(call.request.get("TargetId") or call.request.get("") or "")
    for policy in walk(call.response, "Policies[]"):
        if isinstance(policy, dict) and str(policy.get("Arn", "")).startswith("arn:"):
            yield _resource(call, str(policy["Arn"]), policy, name=str(policy.get("Name") or ""))
            if target:
                yield Relation(source=_organization_place(call, target), kind="guarded_by",
                               target=str(policy["Arn"]))  # fmt: skip


def _parents(call: Call) -> Iterator[AnyRecord]:
    child = str(call.request.get("ChildId") or call.request.get("") or "")
    for parent in walk(call.response, "Parents[].Id"):
        if child:
            yield Relation(source=_organization_place(call, child), kind="member_of",
                           target=str(parent))  # fmt: skip


def _queues(call: Call) -> Iterator[AnyRecord]:
    for url in walk(call.response, "QueueUrls[]"):
        words = str(url).rstrip("/").split("/")
        if len(words) >= 2:
            account = words[-2] if words[-2].isdigit() else call.account
            arn = f"arn:{call.partition}:sqs:{call.region}:{account}:{words[-1]}"
            yield _resource(call, arn, {"QueueUrl": url})


def _managed_instances(call: Call) -> Iterator[AnyRecord]:
    for element in walk(call.response, "InstanceInformationList[]"):
        if not isinstance(element, dict) or not element.get("InstanceId"):
            continue
        identifier = str(element["InstanceId"])
        uid = _ec2_arn(call, "instance", identifier)
        if identifier.startswith("mi-"):
            uid = f"arn:{call.partition}:ssm:{call.region}:{call.account}:managed-instance/{identifier}"
        yield _resource(call, uid, {"describe_instance_information": element},
                        aliases=(Alias(identifier),))  # fmt: skip


def _records(call: Call) -> Iterator[AnyRecord]:
    """DNS records that lead somewhere: A, AAAA, CNAME and alias records."""
    for record in walk(call.response, "ResourceRecordSets[]"):
        if not isinstance(record, dict) or record.get("Type") not in ("A", "AAAA", "CNAME"):
            continue
        name = str(record.get("Name") or "").rstrip(".").lower().replace("\\052", "*")
        if not name:
            continue
        uid = f"dns:{name}"
        found = _resource(call, uid, record)
        found.type, found.name = "aws_route53_record", name
        yield found
        targets = [str(v) for v in walk(record, "ResourceRecords[].Value")]
        targets += [str(v) for v in walk(record, "AliasTarget.DNSName")]
        for target in targets:
            bare = target.rstrip(".").lower().removeprefix("dualstack.")
            word = (
                f"dns:{bare}" if any(c.isalpha() for c in bare.replace(":", "")) else f"ip:{bare}"
            )
            if record["Type"] == "AAAA" and ":" in bare:
                word = f"ip:{bare}"
            yield Relation(source=uid, kind="routes_to", target=word)


def _guarded(call: Call) -> Iterator[AnyRecord]:
    """What a web ACL stands before; the answer names it nowhere."""
    wall = str(call.request.get("WebACLArn") or "")
    for arn in walk(call.response, "ResourceArns[]") if wall else ():
        yield Relation(source=str(arn), kind="guarded_by", target=wall)
    if not wall:
        yield Skipped(f"{call.operation}: cannot say of which web ACL", place=call.place)


HANDLERS: dict[str, Callable[[Call], Iterator[AnyRecord]]] = {
    "wafv2.list_resources_for_web_acl": _guarded,
    "iam.get_account_authorization_details": _authorization,
    "iam.get_credential_report": _credential_report,
    "ec2.describe_tags": _tags,
    "ec2.describe_iam_instance_profile_associations": _profile_associations,
    "ecr.describe_images": _images,
    "ecs.describe_task_definition": _task_definition,
    "elbv2.describe_rules": _rules,
    "elbv2.describe_tags": _elb_tags,
    "iam.get_account_summary": _account_level,
    "iam.get_service_last_accessed_details": _last_accessed,
    "organizations.describe_organization": _account_level,
    "organizations.list_policies_for_target": _guardrails,
    "organizations.list_parents": _parents,
    "s3control.get_public_access_block": _account_level,
    "ec2.get_snapshot_block_public_access_state": _account_level,
    "ec2.get_image_block_public_access_state": _account_level,
    "ec2.describe_vpc_block_public_access_options": _account_level,
    "ec2.describe_vpc_block_public_access_exclusions": _account_level,
    "ec2.get_serial_console_access_status": _account_level,
    "resourcegroupstaggingapi.get_resources": _tagging,
    "route53.list_resource_record_sets": _records,
    "sqs.list_queues": _queues,
    "ssm.describe_instance_information": _managed_instances,
    **clusters.HANDLERS,
    **accelerators.HANDLERS,
}
ACCOUNT_LEVEL = frozenset(op for op, handler in HANDLERS.items() if handler is _account_level)


def after(call: Call, uid: str, element: Mapping[str, Any]) -> Iterator[AnyRecord]:
    """Relations that lead from the target to the source, or hang on two fields."""
    if call.operation == "elbv2.describe_target_groups":
        for arn in walk(element, "LoadBalancerArns[]"):
            yield Relation(source=str(arn), kind="routes_to", target=uid)
    elif call.operation == "autoscaling.describe_auto_scaling_groups":
        for instance in walk(element, "Instances[].InstanceId"):
            yield Relation(source=_ec2_arn(call, "instance", str(instance)), kind="owned_by",
                           target=uid)  # fmt: skip
    elif call.operation == "secretsmanager.list_secrets":
        for owner in walk(element, "OwningService"):
            yield Relation(source=uid, kind="owned_by", target=str(owner))
    elif call.operation == "eks.describe_pod_identity_association":
        yield from clusters.after_association(uid, element)
    elif call.operation == "apprunner.describe_service":
        for arn in walk(element, "InstanceConfiguration.InstanceRoleArn"):
            yield Relation(source=uid, kind="has_identity", target=str(arn))
        for image in walk(element, "SourceConfiguration.ImageRepository.ImageIdentifier"):
            yield Relation(source=uid, kind="runs", target=image_uid(str(image)))
    elif call.operation.startswith(("bedrock-agentcore-control.get_", "sagemaker.describe_",
                                    "stepfunctions.describe_")):  # fmt: skip
        for field in ("executionRoleArn", "roleArn", "RoleArn"):
            for arn in walk(element, field):
                yield Relation(source=uid, kind="has_identity", target=str(arn))


def after_detail(call: Call, uid: str, response: Mapping[str, Any]) -> Iterator[AnyRecord]:
    """Resources and relations inside the answer of a call about one resource."""
    if call.operation == "iam.list_access_keys":
        for key in walk(response, "AccessKeyMetadata[]"):
            if isinstance(key, dict) and key.get("AccessKeyId"):
                identifier = f"accesskey:{key['AccessKeyId']}"
                found = _resource(call, identifier, key)
                found.type, found.name = "aws_iam_access_key", str(key["AccessKeyId"])
                found.aliases = (Alias(str(key["AccessKeyId"])),)
                yield found
                yield Relation(source=identifier, kind="has_identity", target=uid)
    elif call.operation == "elbv2.describe_listeners":
        for listener in walk(response, "Listeners[]"):
            if isinstance(listener, dict) and listener.get("ListenerArn"):
                yield _resource(call, str(listener["ListenerArn"]), listener)
                yield Relation(source=str(listener["ListenerArn"]), kind="part_of", target=uid)
    elif call.operation == "elbv2.describe_target_health":
        for target in walk(response, "TargetHealthDescriptions[].Target.Id"):
            yield Relation(source=uid, kind="routes_to", target=_target(call, str(target)))
    elif call.operation == "events.list_targets_by_rule":
        for arn in walk(response, "Targets[].Arn"):
            yield Relation(source=uid, kind="routes_to", target=str(arn))


def _target(call: Call, identifier: str) -> str:
    if identifier.startswith("arn:"):
        return identifier
    if identifier.startswith("i-"):
        return _ec2_arn(call, "instance", identifier)
    return f"ip:{identifier}"
