"""AWS: raw answers of describe, list and get calls (`aws SERVICE OPERATION`) as an inventory.

An absent file means that nobody asked, not that there is nothing: what was read completely is
yielded as a Scope `aws:ACCOUNT/REGION/service.operation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from secinbox.inventory.aws.answers import is_absent
from secinbox.inventory.aws.calls import (
    KNOWN,
    Call,
    Named,
    named,
    operation_of,
    place_in,
    place_of,
    region_for,
)
from secinbox.inventory.aws.elements import records_of, records_of_unknown
from secinbox.inventory.aws.special import ACCOUNT_LEVEL
from secinbox.reading import Head, Report, ReportError
from secinbox.records import AnyRecord, Scope, Skipped

TITLE = "AWS API answers"
PLUMBING = (
    "aws_ec2_network_interface", "aws_ec2_elastic_ip", "aws_ec2_eip", "aws_ec2_address",
    "aws_iam_instance_profile", "aws_route53_record", "dns_record",
)  # fmt: skip
REPLICAS = ("arn:%:ecs:%",)


def recognise(head: Head) -> int:
    if head.kind == "empty":
        return 60 if head.name.endswith(".jsonl") and named(head.name).operation in KNOWN else 0
    if head.kind in ("xml", "csv", "yaml", "text", "parquet", "binary"):
        return 0
    if head.has("request", "response"):
        return 92
    if head.kind == "array":
        gaps = head.has("service", "op", "error") and head.name.endswith("_gaps.json")
        return 90 if gaps else 0
    hint = named(head.name)
    document = dict(head.first)
    if head.has("data", "status_code") and isinstance(document.get("data"), dict):
        document = document["data"]
    elif set(head.keys) - set(document):
        document |= {key: None for key in head.keys if key not in document}
    operation, agrees = operation_of(document, {}, hint)
    if not operation:
        return _by_text(head)
    if agrees:
        return 90 if operation == hint.operation else 80
    return 15 if hint.operation else 0


def _by_text(head: Head) -> int:
    """A long first value does not end inside the head: its keys and the text must do."""
    if head.has("UserDetailList") or head.has("RoleDetailList"):
        return 90
    marks = {
        "Reservations": '"InstanceId"',
        "SecurityGroups": '"GroupId"',
        "NetworkInterfaces": '"NetworkInterfaceId"',
        "Subnets": '"SubnetId"',
        "Functions": '"FunctionArn"',
        "DBInstances": '"DBInstanceIdentifier"',
        "Snapshots": '"SnapshotId"',
        "Images": '"ImageId"',
        "Volumes": '"VolumeId"',
        "Buckets": '"CreationDate"',
        "Roles": '"RoleName"',
        "Users": '"UserName"',
        "Stacks": '"StackId"',
        "SecretList": '"ARN"',
        "ResourceTagMappingList": '"ResourceARN"',
    }
    return 80 if any(key in head.keys and mark in head.text for key, mark in marks.items()) else 0


def read(report: Report) -> Iterable[AnyRecord]:
    """Records of all calls in the report; calls that were refused are `Skipped` and give no Scope."""
    if report.name.endswith("_gaps.json"):
        return  # the collector's own note of calls that failed: their absence says it already
    parts = report.parts or tuple(report.name.split("/"))
    path = "/".join(parts) if len(parts) > 1 else report.name
    hint = named(path)
    account, region = place_of(parts)
    account = report.options.get("account", "") or account
    region = report.options.get("region", "") or region
    seen: dict[tuple[str, str, str], bool] = {}
    places: dict[str, tuple[str, str, str]] = {}
    if not report.data.strip():
        # One line a resource and no resource: an answer, if the name says of which call.
        if hint.operation in KNOWN:
            where = region_for(hint.operation, region) or "unknown"
            yield Scope(f"aws:{account or 'unknown'}/{where}/{hint.operation}", ())
        return
    document: dict[str, Any]
    for place, document in report.documents(dict[str, Any]):
        call = _call(report, document, hint, account, region, place, places)
        key = (call.account or "unknown", call.region or "unknown", call.operation)
        code = _error(call.response)
        if code and not is_absent(code):
            seen[key] = False
            yield Skipped(f"{call.operation} was refused: {code}", place=place)
            if not call.request and call.operation not in ACCOUNT_LEVEL:
                continue
        if call.operation not in KNOWN and not code:
            yield from _unknown(call, seen, key)
            continue
        seen.setdefault(key, True)
        if code and not call.request and call.operation not in ACCOUNT_LEVEL:
            continue
        first_account = ""
        for record in records_of(call):
            if isinstance(record, Skipped):
                seen[key] = False
            first_account = first_account or getattr(record, "account", "")
            yield record
        if not call.account and first_account:
            complete = seen.pop(key)
            seen[first_account, key[1], key[2]] = complete
    for (owner, where, operation), complete in sorted(seen.items()):
        if complete:
            yield Scope(f"aws:{owner}/{region_for(operation, where)}/{operation}", ())


def _unknown(
    call: Call, seen: dict[tuple[str, str, str], bool], key: tuple[str, str, str]
) -> Iterator[AnyRecord]:
    found = False
    for record in records_of_unknown(call):
        found = True
        yield record
    if found or not any(isinstance(v, list) and v for v in call.response.values()):
        seen.setdefault(key, True)
    else:
        seen[key] = False
        yield Skipped(f"nothing known of {call.operation}: not taken in", place=call.place)


def _call(
    report: Report,
    document: Mapping[str, Any],
    hint: Named,
    account: str,
    region: str,
    place: str,
    places: dict[str, tuple[str, str, str]],
) -> Call:
    request: Mapping[str, Any] = {}
    response: Any = document
    if "request" in document and "response" in document:
        request = document["request"] if isinstance(document["request"], dict) else {}
        response = document["response"]
    elif isinstance(document.get("data"), dict) and "status_code" in document:
        response = document["data"]
    if not isinstance(response, dict):
        raise ReportError("the answer is not an object", f"{place}.response")
    operation, _ = operation_of(response, request, hint)
    if not operation:
        raise ReportError(
            "cannot say which AWS call this is the answer of",
            place,
            "name the file SERVICE.OPERATION.json, for example ec2.describe_instances.json",
        )
    if not request and hint.parameter:
        request = {"": hint.parameter}
    partition, found_account, found_region = "aws", "", ""
    if not account or not region:
        service = _arn_service(operation.partition(".")[0])
        if service not in places:
            places[service] = place_in(report.text, service)
        partition, found_account, found_region = places[service]
    return Call(
        operation,
        account or found_account,
        region_for(operation, region or found_region),
        partition,
        response,
        request,
        place,
    )


def _arn_service(service: str) -> str:
    return {"elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing", "opensearch": "es"}.get(
        service, service
    )


def _error(response: Mapping[str, Any]) -> str:
    code = response.get("Error")
    if code is None:
        return ""
    return str(code.get("Code", code)) if isinstance(code, dict) else str(code)
