"""Google Security Command Center: threats as signals, misconfigurations and vulnerabilities as findings.

Shapes: a notification (`{"finding": {...}, "resource": {...}}`), `gcloud scc findings list
--format=json` (a list of these), the API's answer (`listFindingsResults`), JSON lines.
Source: Google Cloud documentation, "Security Command Center API: Finding" and "Findings classes".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from secinbox.reading import Head, Report, ReportError, parse_time
from secinbox.records import AnyRecord, Finding, Resource, Signal, Skipped
from secinbox.sources._cloud import cloud_resource, posture_type, signal_names
from secinbox.sources._names import address_name, is_private
from secinbox.sources._packages import best_score, cvss_generation
from secinbox.sources._shape import Node
from secinbox.vocabulary import severity_from_word

TITLE = "Google Security Command Center"
_TOOL = "gcp-scc"


def _is_result(value: Any) -> bool:
    inner = value.get("finding") if isinstance(value, dict) else None
    if not isinstance(inner, dict) or "category" not in inner:
        return False
    return bool({"parent", "name"} & set(inner)) and bool({"resourceName", "resource"} & set(inner))


def recognise(head: Head) -> int:
    if _is_result(head.first):
        return 100
    inner = head.first.get("listFindingsResults")
    if isinstance(inner, list) and inner and _is_result(inner[0]):
        return 100
    return 95 if head.has("listFindingsResults") else 0


def _results(report: Report) -> Iterator[Node]:
    documents: Iterator[tuple[str, Any]] = report.documents()
    for place, value in documents:
        node = Node(value, place).require_object()
        if node.has("listFindingsResults"):
            yield from node.objects("listFindingsResults")
        else:
            yield node


def read(report: Report) -> Iterator[AnyRecord]:
    seen: set[str] = set()
    for result in _results(report):
        finding = result.at("finding").require_object()
        if finding.text("state").upper() == "INACTIVE" or finding.text("mute").upper() == "MUTED":
            yield Skipped(reason="inactive or muted in Security Command Center", harmless=True,
                          place=finding.place)  # fmt: skip
            continue
        target = _target(result, finding)
        if target.uid not in seen:
            seen.add(target.uid)
            yield target
        kind = _class(finding)
        if kind == "OBSERVATION":
            yield Skipped(reason="an observation, no weakness", harmless=True, place=finding.place)
        elif kind == "THREAT":
            yield _signal(finding, target)
        else:
            yield _statement(finding, target, kind)


def _class(finding: Node) -> str:
    """Older findings bear no class: what detects events says by which rule."""
    told = finding.text("findingClass").upper()
    if told and told != "FINDING_CLASS_UNSPECIFIED":
        return told
    properties = finding.at("sourceProperties")
    if properties.is_object and (properties.has("detectionCategory") or properties.has("detectionPriority")):  # fmt: skip
        return "THREAT"
    return "MISCONFIGURATION" if re.fullmatch(r"[A-Z0-9_]+", finding.text("category")) else "THREAT"


def _target(result: Node, finding: Node) -> Resource:
    more = result.at("resource") if result.at("resource").is_object else finding.at("resource")
    more = more if more.is_object else Node({})
    project = more.first_text("projectDisplayName", "project_display_name")
    properties = finding.at("sourceProperties")
    if not project and properties.is_object:
        project = properties.text("ProjectId")
    uid = finding.text("resourceName") or more.text("name")
    if not uid:
        raise ReportError("a finding without a resource", f"{finding.place}.resourceName",
                          "export it again")  # fmt: skip
    return cloud_resource(uid, kind=more.text("type"),
                          name=more.text("displayName"), provider="gcp", account=project,
                          place=finding.place)  # fmt: skip


def _severity(finding: Node) -> tuple[str, str]:
    properties = finding.at("sourceProperties")
    word = finding.text("severity")
    if word in ("", "SEVERITY_UNSPECIFIED") and properties.is_object:
        word = properties.first_text("SeverityLevel", "detectionPriority")
    return severity_from_word(word), word


def _signal(finding: Node, target: Resource) -> Signal:
    names = [target.uid]
    properties = finding.at("sourceProperties")
    inner = properties.at("properties") if properties.is_object else Node({})
    if inner.is_object:
        instance = inner.text("instanceDetails")
        if instance:
            names.append("//compute.googleapis.com/" + instance.lstrip("/"))
    for pod in finding.objects("kubernetes", "pods") if finding.at("kubernetes").is_object else ():
        names.append(f"pod:{pod.first_text('ns', 'namespace') or 'default'}/{pod.text('name')}")
    for connection in finding.objects("connections"):
        names += [address_name(a) for a in (connection.text("destinationIp"), connection.text("sourceIp"))
                  if a and is_private(a)]  # fmt: skip
    word, told = _severity(finding)
    access = finding.at("access") if finding.at("access").is_object else Node({})
    return Signal(
        id=finding.text("name") or finding.text("canonicalName"),
        time=_time(finding),
        title=finding.text("category"), severity="low" if word == "unknown" else word,
        severity_word=told, resources=signal_names(*names), description=finding.text("description"),
        source_address=access.text("callerIp"), tool=_TOOL, place=finding.place,
    )  # fmt: skip


def _time(finding: Node) -> datetime:
    found = parse_time(finding.first_text("eventTime", "createTime"))
    if found is None:
        raise ReportError(
            "a threat without a time", f"{finding.place}.eventTime", "export it again"
        )
    return found


def _statement(finding: Node, target: Resource, kind: str) -> Finding:
    severity, word = _severity(finding)
    properties = finding.at("sourceProperties")
    properties = properties if properties.is_object else Node({})
    rule = finding.text("category")
    common: dict[str, Any] = {
        "resource": target.uid, "rule": rule, "severity": severity, "severity_word": word,
        "title": rule.replace("_", " ").capitalize() if rule.isupper() else rule,
        "description": finding.text("description") or properties.text("Explanation"),
        "remediation": finding.text("nextSteps") or properties.text("Recommendation"),
        "url": finding.text("externalUri"), "tool": _TOOL, "place": finding.place,
        "first_seen": parse_time(finding.text("createTime")),
    }  # fmt: skip
    weakness = finding.at("vulnerability")
    if kind == "VULNERABILITY" and weakness.is_object and weakness.at("cve").is_object:
        cve = weakness.at("cve")
        cvss = cve.at("cvssv3") if cve.at("cvssv3").is_object else Node({})
        vector = cvss.text("vectorString")
        score, vector = best_score(
            [(cvss_generation(vector, "3.1"), cvss.number("baseScore"), vector)]
        )
        package = weakness.at("offendingPackage")
        package = package if package.is_object else Node({})
        fixed = weakness.at("fixedPackage")
        image = "image" in target.type
        return Finding(
            **{**common, "rule": cve.text("id") or rule},
            type="container_image_vulnerability" if image else "host_vulnerability",
            vulnerability=cve.text("id"), package=package.text("packageName"),
            version=package.text("packageVersion"),
            fixed_version=fixed.text("packageVersion") if fixed.is_object else "",
            score=score if score and 0 < score <= 10 else None, vector=vector,
            exploit_known="active" if cve.flag("zeroDay") or cve.text("exploitationActivity") in ("WIDE", "CONFIRMED") else "",
        )  # fmt: skip
    type_ = "secret" if "SECRET" in rule.upper() and kind == "VULNERABILITY" else posture_type(rule, target.type)  # fmt: skip
    return Finding(type=type_, **common)
