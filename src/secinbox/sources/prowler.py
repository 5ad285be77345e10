"""Prowler's own CSV (3 to 5, semicolons) and the JSON of Prowler 3.

Prowler's OCSF and ASFF outputs are read by those connectors; the findings are the same ones.
Source: prowler-cloud/prowler, prowler/lib/outputs/csv and its documentation of version 3.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from secinbox.reading import Head, Report, ReportError, parse_time
from secinbox.records import AnyRecord, Finding, Passed, Resource, Scope, Skipped
from secinbox.sources._cloud import cloud_resource, failed_title, posture_type
from secinbox.sources._names import cluster_of
from secinbox.sources._shape import Node, first_character
from secinbox.vocabulary import severity_from_word

TITLE = "Prowler CSV and JSON"


def recognise(head: Head) -> int:
    if head.kind == "csv":
        columns = set(head.columns)
        return 100 if {"finding_uid", "check_id", "status", "resource_uid"} <= columns else 0
    if head.has("FindingUniqueId", "CheckID", "Status"):
        return 100
    return 0


def observed(report: Report) -> datetime | None:
    found = re.search(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d", report.data[:65536])
    return parse_time(found.group(0).decode()) if found else None


# CSV column -> key of the JSON of version 3.
_COLUMNS = {
    "provider": "Provider",
    "check_id": "CheckID",
    "check_title": "CheckTitle",
    "status": "Status",
    "status_extended": "StatusExtended",
    "service_name": "ServiceName",
    "severity": "Severity",
    "resource_type": "ResourceType",
    "resource_name": "ResourceId",
    "description": "Description",
    "risk": "Risk",
    "region": "Region",
    "account_uid": "AccountId",
    "account_name": "AccountName",
    "muted": "Muted",
    "remediation_recommendation_text": "Advice",
    "remediation_recommendation_url": "AdviceUrl",
    "resource_tags": "ResourceTags",
    "resource_uid": "ResourceArn",
}


def _rows(report: Report) -> Iterator[Node]:
    if first_character(report.data) in ("{", "["):
        documents: Iterator[tuple[str, Any]] = report.documents()
        for place, value in documents:
            yield Node(value, place).require_object()
        return
    text = report.text.lstrip("\ufeff")
    separator = ";" if ";" in text.split("\n", 1)[0] else ","
    csv.field_size_limit(16 * 1024 * 1024)
    try:
        for number, row in enumerate(csv.DictReader(io.StringIO(text), delimiter=separator), 1):
            if None in row:
                raise ReportError("more values than columns", f"row {number}", "is it Prowler's?")
            yield Node(
                {_COLUMNS.get((key or "").lower(), key): value for key, value in row.items()},
                f"row {number}",
            )
    except csv.Error as error:
        raise ReportError(f"not valid CSV: {error}", "", "is it Prowler's CSV?") from None


def read(report: Report) -> Iterator[AnyRecord]:
    seen: set[str] = set()
    services: dict[str, set[str]] = {}
    for row in _rows(report):
        rule, status = row.text("CheckID"), row.text("Status").upper()
        provider = row.text("Provider").lower() or "aws"
        account = row.first_text("AccountId", "SubscriptionId", "ProjectId")
        if provider == "aws" and account:
            services.setdefault(account, set()).add(rule.partition("_")[0])
        if status == "PASS":
            yield Passed()
            continue
        if status != "FAIL":
            yield Skipped(reason="the check must be done by hand", harmless=True, place=row.place)
            continue
        if row.flag("Muted"):
            yield Skipped(reason="muted in Prowler", harmless=True, place=row.place)
            continue
        resource = _resource(report, row, provider, account)
        if resource.uid not in seen:
            seen.add(resource.uid)
            yield resource
        yield _finding(row, resource, rule)
    # Prowler does not say which services it was asked for; many different ones mean all.
    for account, names in services.items():
        if len(names) >= 15 and {"iam", "s3", "ec2"} <= names:
            yield Scope(key=f"aws:{account}", types=("misconfiguration", "identity_risk"))


def _tags(row: Node) -> dict[str, str]:
    node = row.at("ResourceTags")
    if node.is_object:
        return {key: value.text() for key, value in node.entries()}
    tags: dict[str, str] = {}
    for part in node.text().split(" | ") if isinstance(node.value, str) else ():
        key, _, value = part.partition("=")
        if key:
            tags[key] = value
    return tags


def _resource(report: Report, row: Node, provider: str, account: str) -> Resource:
    region, name = row.text("Region"), row.text("ResourceId")
    context = row.text("AccountName").removeprefix("context: ")
    return cloud_resource(
        row.text("ResourceArn") or name or account or "unknown",
        kind=row.text("ResourceType"),
        name=name,
        provider=provider,
        account=account,
        region=region,
        group=row.text("ServiceName"),
        namespace=region.removeprefix("namespace: ") if provider == "kubernetes" else "",
        cluster=cluster_of(report, context) if provider == "kubernetes" else "",
        tags=_tags(row),
        place=row.place,
    )


def _finding(row: Node, resource: Resource, rule: str) -> Finding:
    recommendation = row.at("Remediation", "Recommendation")
    advice, url = row.text("Advice"), row.text("AdviceUrl")
    if recommendation.is_object:
        advice, url = recommendation.text("Text"), recommendation.text("Url")
    parts = (row.text("StatusExtended"), row.text("Description"), row.text("Risk"))
    word = row.text("Severity")
    return Finding(
        type=posture_type(rule, resource.type),
        resource=resource.uid,
        rule=rule,
        title=failed_title(row.text("CheckTitle") or rule, "prowler"),
        severity=severity_from_word(word),
        severity_word=word,
        description="\n\n".join(dict.fromkeys(p for p in parts if p)),
        remediation=advice,
        url=url,
        place=row.place,
    )
