"""AWS Security Finding Format: Security Hub exports and the tools that write it.

Shapes: `{"Findings": [...]}` (also `findings`), a bare list, JSON lines, the EventBridge event
"Security Hub Findings - Imported" (`detail.findings`), and recorded API answers (`data.Findings`).
Source: AWS Security Hub user guide, "ASFF syntax".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from secinbox.reading import Head, Report, parse_time
from secinbox.records import Alias, AnyRecord, Finding, Passed, Resource, Scope, Signal, Skipped
from secinbox.sources._canonical import canonical_of
from secinbox.sources._cloud import (
    cloud_resource,
    ecr_image,
    failed_title,
    own_addresses,
    posture_type,
    product_name,
    signal_names,
)
from secinbox.sources._names import address_name, image_resource, is_private, scanned_target
from secinbox.sources._packages import best_score, cvss_generation, make_purl, vulnerability_id
from secinbox.sources._shape import Node
from secinbox.vocabulary import severity_from_score, severity_from_word

TITLE = "AWS Security Hub (ASFF)"

_SIGNS = frozenset({"SchemaVersion", "ProductArn", "GeneratorId"})


def _is_finding(value: Any) -> bool:
    return isinstance(value, dict) and "ProductArn" in value and "GeneratorId" in value


def recognise(head: Head) -> int:
    if head.has("ProductArn", "GeneratorId") or _is_finding(head.first):
        return 100
    for key in ("Findings", "findings"):
        inner = head.first.get(key)
        if isinstance(inner, list) and inner and _is_finding(inner[0]):
            return 100
        if head.has(key) and all(f'"{sign}"' in head.text for sign in _SIGNS):
            return 90
    for key in ("detail", "data"):
        inner = head.first.get(key)
        listed = None
        if isinstance(inner, dict):
            listed = inner.get("findings") or inner.get("Findings")
        if isinstance(listed, list) and listed and _is_finding(listed[0]):
            return 100
    return 0


def observed(report: Report) -> datetime | None:
    found = re.search(rb'"UpdatedAt"\s*:\s*"([^"]+)"', report.data[:65536])
    return parse_time(found.group(1).decode("utf-8", "replace")) if found else None


def _findings(report: Report) -> Iterator[Node]:
    documents: Iterator[tuple[str, Any]] = report.documents()
    for place, value in documents:
        node = Node(value, place).require_object()
        for outer in ("detail", "data"):
            if node.has(outer) and not node.has("ProductArn"):
                node = node.at(outer).require_object()
        if node.has("ProductArn"):
            yield node
        elif node.has("Findings"):
            yield from node.objects("Findings")
        else:
            yield from node.at("findings").require_list().objects()


def read(report: Report) -> Iterator[AnyRecord]:
    seen: set[str] = set()
    services: dict[str, set[str]] = {}
    for finding in _findings(report):
        tool = _tool(finding)
        for record in _finding(report, finding, tool):
            if isinstance(record, Resource):
                if record.uid in seen:
                    continue
                seen.add(record.uid)
            yield record
        if tool == "prowler":
            service = _rule(finding, tool).partition("_")[0]
            services.setdefault(finding.text("AwsAccountId"), set()).add(service)
    # Prowler does not say which services it was asked for; many different ones mean all.
    for account, names in services.items():
        if account and len(names) >= 15 and {"iam", "s3", "ec2"} <= names:
            yield Scope(
                key=f"aws:{account}", types=("misconfiguration", "identity_risk"), tool="prowler"
            )


def _tool(finding: Node) -> str:
    fields = finding.at("ProductFields")
    for text in (
        fields.text("ProviderName") if fields.is_object else "",
        fields.text("Product Name") if fields.is_object else "",
        finding.text("ProductName"),
        finding.text("ProductArn").rpartition("/")[2],
    ):
        name = product_name(text)
        if name in ("securityhub", "aws-security-hub"):
            return "aws-security-hub"
        if name:
            return name
    return "asff"


def _rule(finding: Node, tool: str) -> str:
    generator = finding.text("GeneratorId")
    if tool == "prowler":
        return generator.removeprefix("prowler-")
    control = finding.text("Compliance", "SecurityControlId") if finding.has("Compliance") else ""
    fields = finding.at("ProductFields")
    if not control and fields.is_object:
        control = fields.text("ControlId")
    if control:
        return control
    if "/rule/" in generator or generator.startswith("arn:aws:securityhub:::ruleset"):
        return generator.rpartition("/")[2]
    if tool == "trivy":
        return generator.removeprefix("Trivy").lstrip("/")
    return generator or finding.text("Title")


def _severity(finding: Node) -> tuple[str, str]:
    node = finding.at("Severity")
    for holder in (node, finding.at("FindingProviderFields", "Severity")):
        if holder.is_object and holder.text("Label"):
            word = holder.text("Label")
            return severity_from_word(word), word
    if not node.is_object:
        return "unknown", ""
    normal = node.number("Normalized")
    if normal is None:
        product = node.number("Product")
        return severity_from_score(product), node.text("Original")
    # Security Hub's own bands of the normalised number.
    for bound, word in ((90, "critical"), (70, "high"), (40, "medium"), (1, "low")):
        if normal >= bound:
            return word, str(int(normal))
    return "info", str(int(normal))


def _resources(report: Report, finding: Node, tool: str) -> list[Resource]:
    found: list[Resource] = []
    for node in finding.objects("Resources"):
        uid, kind = node.text("Id"), node.text("Type")
        if not uid:
            continue
        details = node.at("Details")
        if kind == "Container" and not uid.startswith("arn:"):
            image = details.at("Container").text("ImageName") if details.is_object else ""
            name = (image or uid).partition(" (")[0]
            found.append(image_resource([name], [], place=node.place))
            continue
        if tool == "trivy" and not uid.startswith("arn:"):
            found.append(scanned_target(report, "", node.place))
            continue
        image_details = details.at("AwsEcrContainerImage") if details.is_object else Node(None)
        tags = image_details.strings("ImageTags") if image_details.is_object else []
        resource = ecr_image(uid, tags, node.place) or cloud_resource(
            uid,
            kind=kind,
            provider="aws",
            account=finding.text("AwsAccountId"),
            region=node.text("Region"),
            tags={key: value.text() for key, value in node.entries("Tags")},
            place=node.place,
        )
        if details.is_object and details.at("AwsEc2Instance").is_object:
            resource.aliases += tuple(
                Alias(name, 0.6 if is_private(text) else 0.9)
                for text in details.strings("AwsEc2Instance", "IpV4Addresses")
                if (name := address_name(text)) and not name.startswith("ip:127.")
            )
        found.append(resource)
    return found


def _finding(report: Report, finding: Node, tool: str) -> Iterator[AnyRecord]:
    state = finding.text("RecordState").upper()
    workflow = finding.text("Workflow", "Status").upper() if finding.has("Workflow") else ""
    if state == "ARCHIVED" or workflow in ("SUPPRESSED", "RESOLVED"):
        reason = f"{(workflow if state != 'ARCHIVED' else state).lower()} in Security Hub"
        yield Skipped(reason=reason, harmless=True, place=finding.place)
        return
    compliance = finding.text("Compliance", "Status").upper() if finding.has("Compliance") else ""
    if compliance == "PASSED":
        yield Passed()
        return
    if compliance in ("WARNING", "NOT_AVAILABLE"):
        yield Skipped(
            reason=f"no verdict: {compliance.lower()}", harmless=True, place=finding.place
        )
        return
    types = finding.strings("Types")
    resources = _resources(report, finding, tool) or [scanned_target(report, "", finding.place)]
    attack = ("TTPs", "Effects", "Unusual Behaviors")
    # Prowler names tactics as types of posture checks; those have a compliance status.
    if tool == "guardduty" or (not compliance and any(t.startswith(attack) for t in types)):
        yield from resources
        yield from _signal(finding, resources, tool)
        return
    yield from resources
    listed = list(finding.objects("Vulnerabilities"))
    if listed:
        for item in listed:
            for resource in resources:
                yield _vulnerability(finding, item, resource, tool)
        return
    is_vulnerability = any("Vulnerabilities" in t for t in types)
    name = vulnerability_id(finding.text("Title")) or vulnerability_id(finding.text("GeneratorId"))
    for resource in resources:
        if is_vulnerability and name:
            yield _vulnerability(finding, Node(None, finding.place), resource, tool, name)
        else:
            yield _posture(finding, resource, tool, types)


def _common(finding: Node) -> dict[str, Any]:
    severity, word = _severity(finding)
    remedy = finding.at("Remediation", "Recommendation")
    has = remedy.is_object
    return {
        "severity": severity,
        "severity_word": word,
        "description": finding.text("Description"),
        "remediation": remedy.text("Text") if has else "",
        "url": (remedy.text("Url") if has else "") or finding.text("SourceUrl"),
        "first_seen": parse_time(finding.at("FirstObservedAt").value),
        "place": finding.place,
    }


def _posture(finding: Node, resource: Resource, tool: str, types: list[str]) -> Finding:
    rule = _rule(finding, tool)
    title = finding.text("Title")
    canonical = canonical_of(tool, rule)
    kind = posture_type(canonical or rule, resource.type)
    location = ""
    if tool == "trivy":
        secret = any(t.startswith("Sensitive Data") for t in types)
        kind = "secret" if secret else "iac_misconfiguration"
        location = next(finding.objects("Resources"), Node(None)).text("Id")
        if secret:
            rule = title.rpartition(": ")[2]
    return Finding(
        type=kind,
        resource=resource.uid,
        rule=rule,
        canonical_rule=canonical,
        title=failed_title(title, tool),
        location=location,
        anchor=f"{location}:{rule}" if kind == "secret" else location,
        tool=tool,
        **_common(finding),
    )


def _vulnerability(
    finding: Node, item: Node, resource: Resource, tool: str, name: str = ""
) -> Finding:
    common = _common(finding)
    name = item.text("Id") or name
    packages = list(item.objects("VulnerablePackages"))
    package = packages[0] if packages else Node(None)
    other = Node(None)
    for node in finding.objects("Resources"):
        details = node.at("Details")
        if details.is_object and details.at("Other").is_object:
            other = details.at("Other")
    score, vector = best_score(
        (
            cvss_generation(c.text("BaseVector"), c.text("Version")),
            c.number("BaseScore"),
            c.text("BaseVector"),
        )
        for c in item.objects("Cvss")
    )
    if score is None and other:
        score, vector = best_score(
            [
                ("3", other.number("NvdCvssScoreV3"), other.text("NvdCvssVectorV3")),
                ("2", other.number("NvdCvssScoreV2"), other.text("NvdCvssVectorV2")),
            ]
        )
    manager = package.text("PackageManager")
    version = package.text("Version") or other.text("Installed Package")
    release = package.text("Release")
    if release and not version.endswith(release):
        version = f"{version}-{release}"
    package_name = package.text("Name") or other.text("PkgName")
    image = resource.type == "container_image"
    kind = "container_image_vulnerability" if image else "host_vulnerability"
    if manager and manager.upper() not in ("OS", "APT", "YUM", "RPM", "DPKG", "APK", "DNF"):
        kind = "library_vulnerability"
    system = re.search(r"\(([a-z]+)[ )]", next(finding.objects("Resources"), Node({})).text("Id"))
    if tool == "trivy" and not system:
        kind = "library_vulnerability"
    fixes = dict.fromkeys(
        [f for p in packages if (f := p.text("FixedInVersion"))] + [other.text("Patched Package")]
    )
    names = dict.fromkeys(f"{p.text('Name')} {p.text('FixedInVersion')}".strip() for p in packages)
    if len(names) > 1:
        common["description"] += "\n\nPackages and fixed versions: " + ", ".join(names)
    advice = dict.fromkeys(a for p in packages if (a := p.text("Remediation")))
    common["remediation"] = "\n".join([*advice, common["remediation"]]).strip()
    vendor = item.at("Vendor")
    if vendor.is_object and vendor.text("Url"):
        common["url"] = vendor.text("Url")
    if common["severity"] == "unknown":
        common["severity"] = severity_from_score(score)
    common["place"] = item.place
    ecosystem = manager if manager.upper() != "OS" else _platform(finding)
    return Finding(
        type=kind,
        resource=resource.uid,
        rule=name,
        title=finding.text("Title") or name,
        vulnerability=name,
        vulnerability_aliases=tuple(item.strings("RelatedVulnerabilities")),
        purl=make_purl(ecosystem or (system.group(1) if system else ""), package_name, version),
        package=package_name,
        version=version,
        fixed_version=", ".join(f for f in fixes if f),
        score=score,
        vector=vector,
        location=package.text("FilePath"),
        exploit_known="poc" if item.text("ExploitAvailable").upper() == "YES" else "",
        tool=tool,
        **common,
    )


def _platform(finding: Node) -> str:
    """`debian` of Inspector's `DEBIAN_11`."""
    for key, value in finding.entries("ProductFields"):
        if key.endswith("/platform"):
            word = value.text().lower().partition("_")[0]
            return {"al2": "amazon", "al2023": "amazon", "amazon": "amazon"}.get(word, word)
    return ""


def _signal(finding: Node, resources: list[Resource], tool: str) -> Iterator[AnyRecord]:
    names: list[str] = []
    for node in finding.objects("Resources"):
        names.append(node.text("Id"))
        details = node.at("Details")
        if not details.is_object:
            continue
        instance = details.at("AwsEc2Instance")
        if instance.is_object:
            addresses = instance.strings("IpV4Addresses") + instance.strings("IpV6Addresses")
            names += [address_name(a) for a in addresses if not a.startswith("127.")]
            names.append(instance.text("IamInstanceProfileArn"))
        key = details.at("AwsIamAccessKey")
        if key.is_object and key.text("PrincipalName"):
            account = finding.text("AwsAccountId")
            word = "role" if key.text("PrincipalType") in ("AssumedRole", "Role") else "user"
            names.append(f"arn:aws:iam::{account}:{word}/{key.text('PrincipalName')}")
    for resource in resources:
        names += [resource.uid, *(a.name for a in resource.aliases)]
    source = ""
    for key_name, value in finding.entries("ProductFields"):
        if key_name.endswith("localIpDetails/ipAddressV4"):
            names += [n for n in own_addresses(value.text()) if not n.startswith("ip:127.")]
        elif key_name.endswith("/remoteIpDetails/ipAddressV4"):
            source = source or value.text()
        elif key_name.endswith("accessKeyDetails/accessKeyId"):
            names.append(value.text())
    moments = [
        parse_time(finding.at(key).value) for key in ("LastObservedAt", "UpdatedAt", "CreatedAt")
    ]
    updated = moments[1]
    # A clock that is wrong in the sensor must not keep a signal alive for ever.
    moment = next((m for m in moments if m and (updated is None or m <= updated)), updated)
    if moment is None:
        yield Skipped(reason="a detection without a time", place=finding.place)
        return
    severity, word = _severity(finding)
    yield Signal(
        id=finding.text("Id"),
        time=moment,
        title=finding.text("Title"),
        severity=severity,
        severity_word=word,
        description=finding.text("Description"),
        resources=signal_names(*names),
        technique=next(iter(finding.strings("Types")), "").rpartition("/")[2],
        source_address=source,
        tool=tool,
        place=finding.place,
    )
