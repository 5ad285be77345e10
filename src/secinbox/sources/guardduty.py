"""Amazon GuardDuty findings as the service writes them: signals.

Shapes: `get-findings` (`{"Findings": [{"Id", "Type", "Service", "Resource"...}]}`), a bare list,
JSON lines, the S3 export (lower-case keys, one finding a line), and the EventBridge event
"GuardDuty Finding" (`detail`). Source: GuardDuty user guide, "Finding format".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.fingerprint import image_uid
from secinbox.reading import Head, Report, parse_time
from secinbox.records import AnyRecord, Resource, Signal, Skipped
from secinbox.sources._cloud import own_addresses, signal_names
from secinbox.sources._names import address_name, aws_resource, host_name, is_private
from secinbox.sources._shape import Node

TITLE = "Amazon GuardDuty"


def _is_finding(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    keys = {str(key).lower() for key in value}
    if "productarn" in keys or "class_uid" in keys:
        return False
    if not {"type", "severity", "resource", "service"} <= keys:
        return False
    return bool(keys & {"arn", "accountid", "schemaversion"})


def recognise(head: Head) -> int:
    first = head.first
    if _is_finding(first):
        return 95
    if first.get("detail-type") == "GuardDuty Finding" or first.get("source") == "aws.guardduty":
        return 100
    detail = first.get("detail")
    if _is_finding(detail):
        return 95
    for key in ("Findings", "findings"):
        inner = first.get(key)
        if isinstance(inner, list) and inner and _is_finding(inner[0]):
            return 95
        if head.has(key) and inner is None:
            marks = ('"ProductArn"', '"class_uid"')
            wanted = ('"Resource"', '"Service"', '"DetectorId"')
            text = head.text
            if all(m in text for m in wanted) and not any(m in text for m in marks):
                return 80
    return 0


def _lower(value: Any) -> Any:
    """Keys with a small first letter: the API writes `InstanceId`, the export `instanceId`."""
    if isinstance(value, dict):
        return {str(k)[:1].lower() + str(k)[1:]: _lower(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_lower(v) for v in value]
    return value


def _findings(report: Report) -> Iterator[Node]:
    documents: Iterator[tuple[str, Any]] = report.documents()
    for place, value in documents:
        node = Node(value, place).require_object()
        if node.has("detail"):
            yield Node(_lower(node.at("detail").require_object().value), f"{place}.detail")
            continue
        for key in ("Findings", "findings"):
            if node.has(key):
                for item in node.objects(key):
                    yield Node(_lower(item.value), item.place)
                break
        else:
            yield Node(_lower(value), place)


def read(report: Report) -> Iterator[AnyRecord]:
    seen: set[str] = set()
    for finding in _findings(report):
        if finding.at("service").is_object and finding.flag("service", "archived"):
            yield Skipped(reason="archived in GuardDuty", harmless=True, place=finding.place)
            continue
        for record in _signal(finding):
            if isinstance(record, Resource):
                if record.uid in seen:
                    continue
                seen.add(record.uid)
            yield record


def severity_of(number: float | None) -> str:
    """GuardDuty's bands: critical 9.0, high 7.0, medium 4.0, low 1.0 and more."""
    if number is None:
        return "unknown"
    for bound, word in ((9.0, "critical"), (7.0, "high"), (4.0, "medium")):
        if number >= bound:
            return word
    return "low"


def _names(finding: Node, account: str, region: str, partition: str) -> Iterator[str]:
    resource = finding.at("resource")
    if not resource.is_object:
        return
    instance = resource.at("instanceDetails")
    if instance.is_object:
        uid = instance.text("instanceId")
        if uid:
            yield f"arn:{partition}:ec2:{region}:{account}:instance/{uid}"
            yield uid
        if instance.at("iamInstanceProfile").is_object:
            yield instance.text("iamInstanceProfile", "arn")
        for interface in instance.objects("networkInterfaces"):
            yield address_name(interface.text("privateIpAddress"))
            yield address_name(interface.text("publicIp"))
            yield interface.text("networkInterfaceId")
            yield host_name(interface.text("publicDnsName"))
            yield host_name(interface.text("privateDnsName"))
            yield from (address_name(a) for a in interface.strings("ipv6Addresses"))
    key = resource.at("accessKeyDetails")
    if key.is_object:
        if key.text("accessKeyId").startswith(("AKIA", "ASIA")):
            yield f"accesskey:{key.text('accessKeyId')}"
        name, kind = key.text("userName"), key.text("userType")
        if kind == "Root":
            yield f"arn:{partition}:iam::{account}:root"
        elif name and name != "GeneratedFindingUserName":
            word = "role" if kind in ("AssumedRole", "Role") else "user"
            yield f"arn:{partition}:iam::{account}:{word}/{name}"
    for bucket in resource.objects("s3BucketDetails"):
        yield bucket.text("arn")
    for detail in ("eksClusterDetails", "ecsClusterDetails", "ebsVolumeDetails"):
        if resource.at(detail).is_object:
            yield resource.text(detail, "arn")
    cluster = ""
    if resource.at("eksClusterDetails").is_object:
        cluster = resource.text("eksClusterDetails", "name")
    function = resource.at("lambdaDetails")
    if function.is_object:
        yield function.text("functionArn")
        yield function.text("role")
    database = resource.at("rdsDbInstanceDetails")
    if database.is_object:
        yield database.text("dbInstanceArn")
    workload = resource.at("kubernetesDetails", "kubernetesWorkloadDetails")
    containers = [*resource.objects("containers")]
    if resource.at("containerDetails").is_object:
        containers.append(resource.at("containerDetails"))
    if workload.is_object:
        namespace, name = workload.text("namespace") or "default", workload.text("name")
        kind = workload.text("type").lower().removesuffix("s") or "pod"
        if name:
            yield f"k8s://{cluster or 'unknown'}/{namespace}/{kind}/{name}"
        if kind == "pod" and name:
            yield f"pod:{namespace}/{name}"
        containers += workload.objects("containers")
    for detail in ("ecsClusterDetails",):
        task = resource.at(detail, "taskDetails")
        if task.is_object:
            yield task.text("arn")
            yield task.text("definitionArn")
            containers += task.objects("containers")
    for container in containers:
        image = container.text("image")
        if image:
            yield image_uid(image)
        uid = container.text("id")
        if uid:
            yield f"container:{uid.rpartition('/')[2]}"


def _signal(finding: Node) -> Iterator[AnyRecord]:
    account, region = finding.text("accountId"), finding.text("region")
    partition = finding.text("partition") or "aws"
    names = list(_names(finding, account, region, partition))
    service = finding.at("service")
    source = ""
    action = service.at("action") if service.is_object else Node(None)
    for _, detail in action.entries() if action.is_object else ():
        if not detail.is_object:
            continue
        probes = [detail, *detail.objects("portProbeDetails")]
        for probe in probes:
            for side in ("localIpDetails", "remoteIpDetails"):
                node = probe.at(side)
                address = node.text("ipAddressV4") if node.is_object else ""
                if side == "localIpDetails" or is_private(address):
                    names += own_addresses(address)
                else:
                    source = source or address
    tags: dict[str, str] = {}
    instance = finding.at("resource", "instanceDetails")
    if instance.is_object:
        for tag in instance.objects("tags"):
            tags[tag.text("key")] = tag.text("value")
    found = signal_names(*names)
    first = next((n for n in found if n.startswith("arn:")), "")
    if first:
        yield aws_resource(
            first,
            account=account,
            region=region,
            tags=tags if ":instance/" in first else {},
            place=finding.place,
        )
    moment = None
    for value in (
        service.at("eventLastSeen").value if service.is_object else None,
        finding.at("updatedAt").value,
        finding.at("createdAt").value,
    ):
        moment = moment or parse_time(value)
    if moment is None:
        yield Skipped(reason="a finding without a time", place=finding.place)
        return
    number = finding.number("severity")
    yield Signal(
        id=finding.text("arn") or finding.text("id"),
        time=moment,
        title=finding.text("title") or finding.text("type"),
        severity=severity_of(number),
        severity_word=finding.text("severity"),
        description=finding.text("description"),
        resources=found,
        technique=finding.text("type"),
        source_address=source,
        tool="guardduty",
        place=finding.place,
    )
