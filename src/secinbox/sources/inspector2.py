"""Amazon Inspector findings as the service writes them: packages, code, network reachability.

Shapes: `list-findings` and the findings report in S3 (`{"findings": [{"findingArn", ...}]}`), a bare
list, JSON lines, and the EventBridge event "Inspector2 Finding" (`detail`).
Source: Amazon Inspector API reference, "Finding"; user guide, "Exporting findings reports".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.arn import parse_arn
from secinbox.reading import Head, Report, ReportError, parse_time
from secinbox.records import AnyRecord, Finding, Resource, Skipped
from secinbox.sources._cloud import cloud_resource, ecr_image
from secinbox.sources._names import aws_resource
from secinbox.sources._packages import best_score, cvss_generation, make_purl, vulnerability_id
from secinbox.sources._shape import Node
from secinbox.vocabulary import severity_from_word

TITLE = "Amazon Inspector"
_TOOL = "aws-inspector"
# The service's words for package managers, as other tools call them.
_MANAGERS = {"nodepkg": "node-pkg", "pythonpkg": "python-pkg", "dotnet_core": "dotnet-core"}
_SYSTEMS = (("amazon", "amazon"), ("debian", "debian"), ("ubuntu", "ubuntu"), ("alpine", "alpine"),
            ("red_hat", "redhat"), ("rhel", "redhat"), ("centos", "centos"), ("rocky", "rocky"),
            ("alma", "alma"), ("oracle", "oracle"), ("suse", "suse"), ("fedora", "fedora"))  # fmt: skip


def _is_finding(value: Any) -> bool:
    return isinstance(value, dict) and {"findingArn", "resources", "severity"} <= set(value)


def recognise(head: Head) -> int:
    first = head.first
    if _is_finding(first) or _is_finding(first.get("detail")):
        return 100
    inner = first.get("findings")
    if isinstance(inner, list):
        return 100 if inner and _is_finding(inner[0]) else 0
    return 95 if head.has("findings") and '"findingArn"' in head.text and "inspector2" in head.text else 0  # fmt: skip


def _findings(report: Report) -> Iterator[Node]:
    documents: Iterator[tuple[str, Any]] = report.documents()
    for place, value in documents:
        node = Node(value, place).require_object()
        if node.has("detail"):
            yield node.at("detail").require_object()
        elif node.has("findings"):
            yield from node.objects("findings")
        else:
            yield node


def read(report: Report) -> Iterator[AnyRecord]:
    seen: set[str] = set()
    for finding in _findings(report):
        status = finding.text("status").upper()
        if status in ("SUPPRESSED", "CLOSED"):
            yield Skipped(reason=f"{status.lower()} in Inspector", harmless=True,
                          place=finding.place)  # fmt: skip
            continue
        for item in finding.objects("resources"):
            target, platform = _resource(finding, item)
            if target.uid not in seen:
                seen.add(target.uid)
                yield target
            yield _statement(finding, target, platform)


def _resource(finding: Node, item: Node) -> tuple[Resource, str]:
    """The resource, and the platform that it runs."""
    uid, kind = item.text("id"), item.text("type").upper()
    if not uid:
        raise ReportError("a resource without an id", f"{item.place}.id", "export it again")
    account, region = finding.text("awsAccountId"), item.text("region")
    arn = parse_arn(finding.text("findingArn"))
    region = region or (arn.region if arn else "")
    tags = {k: v.text() for k, v in item.entries("tags")} if item.at("tags").is_object else {}
    details = item.at("details")
    details = details if details.is_object else Node({})
    if kind == "AWS_ECR_CONTAINER_IMAGE":
        image = details.at("awsEcrContainerImage")
        image = image if image.is_object else Node({})
        found = ecr_image(uid, image.strings("imageTags"), item.place)
        if found is not None:
            return found, image.text("platform")
    if kind == "AWS_EC2_INSTANCE" and uid.startswith("i-") and account and region:
        partition = item.text("partition") or "aws"
        uid = f"arn:{partition}:ec2:{region}:{account}:instance/{uid}"
    if kind == "AWS_LAMBDA_FUNCTION":
        uid = ":".join(uid.split(":")[:7])  # without the version
    host = details.at("awsEc2Instance")
    platform = host.text("platform") if host.is_object else ""
    if uid.startswith("arn:") or kind.startswith("AWS_"):
        return aws_resource(uid, account=account, region=region, tags=tags,
                            place=item.place), platform  # fmt: skip
    return cloud_resource(uid, kind=kind, account=account, tags=tags, place=item.place), platform


def _statement(finding: Node, target: Resource, platform: str) -> Finding:
    kind = finding.text("type").upper()
    word = finding.text("severity")
    recommendation = finding.at("remediation", "recommendation") if finding.at("remediation").is_object else Node({})  # fmt: skip
    advice = recommendation.text("text") if recommendation.is_object else ""
    common: dict[str, Any] = {
        "resource": target.uid, "severity": severity_from_word(word), "severity_word": word,
        "description": finding.text("description"), "tool": _TOOL, "place": finding.place,
        "remediation": "" if advice == "None Provided" else advice,
        "first_seen": parse_time(finding.text("firstObservedAt")),
        "title": finding.text("title"),
        "url": recommendation.text("Url") if recommendation.is_object else "",
    }  # fmt: skip
    if kind == "CODE_VULNERABILITY":
        return _code(finding, common)
    package = finding.at("packageVulnerabilityDetails")
    if kind != "PACKAGE_VULNERABILITY" or not package.is_object:
        rule = "network-reachability" if kind == "NETWORK_REACHABILITY" else kind.lower()
        ports = ""
        network = finding.at("networkReachabilityDetails")
        if network.is_object and network.at("openPortRange").is_object:
            ends = network.at("openPortRange")
            ports = f"{network.text('protocol').lower()}-{ends.text('begin')}-{ends.text('end')}"
        return Finding(type="misconfiguration", rule=rule, anchor=ports, location=ports, **common)
    return _package(finding, package, target, platform, common)


def _code(finding: Node, common: dict[str, Any]) -> Finding:
    code = finding.at("codeVulnerabilityDetails")
    code = code if code.is_object else Node({})
    where = code.at("filePath") if code.at("filePath").is_object else Node({})
    return Finding(type="static_code_vulnerability",
                   rule=code.first_text("detectorId", "ruleId") or "code",
                   location=where.first_text("filePath", "fileName"), line=where.line("startLine"),
                   anchor=code.text("detectorName"), **common)  # fmt: skip


def _package(
    finding: Node, package: Node, target: Resource, platform: str, common: dict[str, Any]
) -> Finding:
    first = next(package.objects("vulnerablePackages"), Node({}))
    manager = first.text("packageManager").lower()
    system = manager in ("", "os")
    ecosystem = _MANAGERS.get(manager, manager)
    if system:
        ecosystem = next((name for start, name in _SYSTEMS if platform.lower().startswith(start)), "")  # fmt: skip
    name, version = first.text("name"), first.text("version")
    release, epoch = first.text("release"), first.text("epoch")
    if version and release and not version.endswith(release):
        version = f"{version}-{release}"
    if version and epoch not in ("", "0"):
        version = f"{epoch}:{version}"
    score, vector = best_score(
        (cvss_generation(c.text("scoringVector"), c.text("version")), c.number("baseScore"),
         c.text("scoringVector")) for c in package.objects("cvss")
    )  # fmt: skip
    identifier = package.text("vulnerabilityId") or vulnerability_id(finding.text("title"))
    image = target.type == "container_image"
    os_type = "container_image_vulnerability" if image else "host_vulnerability"
    fixed = first.text("fixedInVersion")
    common["remediation"] = common["remediation"] or first.text("remediation")
    common["url"] = package.text("sourceUrl") or common["url"]
    return Finding(
        type=os_type if system else "library_vulnerability", rule=identifier or "package",
        vulnerability=identifier, vulnerability_aliases=tuple(package.strings("relatedVulnerabilities")),
        purl=make_purl(ecosystem, name, version), package=name, version=version,
        fixed_version="" if fixed in ("NotAvailable", "None") else fixed,
        score=score if score and 0 < score <= 10 else None, vector=vector,
        location=first.text("filePath"),
        exploit_known="poc" if finding.text("exploitAvailable").upper() == "YES" else "", **common,
    )  # fmt: skip
