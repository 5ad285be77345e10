"""OCSF findings, 1.0 to 1.5: Prowler, AWS Security Hub v2, Security Lake, Inspector, any other.

Classes (schema.ocsf.io): 2001 Security Finding, 2002 Vulnerability, 2003 Compliance, 2004
Detection, 2005 Incident, 2006 Data Security, 2007 Application Security Posture. JSON array, JSON
lines, one object, EventBridge (`detail` or `detail.findings`) and `{"Findings": [...]}`.
Prowler writes posture checks as class 2004: a status code PASS, FAIL or MANUAL tells them apart.
Source: schema.ocsf.io; prowler/lib/outputs/ocsf.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from secinbox.reading import Head, Report, ReportError, parse_time
from secinbox.records import (
    AnyRecord,
    Finding,
    Passed,
    Resource,
    Scope,
    Signal,
    Skipped,
)
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
from secinbox.sources._code import clean_path, digest
from secinbox.sources._names import cluster_of, host_name, scanned_target
from secinbox.sources._packages import best_score, cvss_generation, make_purl
from secinbox.sources._shape import Node
from secinbox.vocabulary import severity_from_score, severity_from_word

TITLE = "OCSF findings"

_CLASSES = frozenset(range(2001, 2008))
_WORDS = {1: "informational", 2: "low", 3: "medium", 4: "high", 5: "critical", 6: "fatal"}
_CLOSED = {3: "suppressed", 4: "resolved", 5: "archived"}


def _is_finding(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    uid = value.get("class_uid")
    if isinstance(uid, str) and uid.isdigit():
        uid = int(uid)
    return isinstance(uid, int) and uid in _CLASSES


def recognise(head: Head) -> int:
    if head.kind in ("object", "array", "lines"):
        if _is_finding(head.first):
            return 100
        detail = head.first.get("detail")
        if isinstance(detail, dict):
            inner = detail.get("findings")
            if _is_finding(detail) or (isinstance(inner, list) and inner and _is_finding(inner[0])):
                return 100
        for key in ("Findings", "findings", "events", "records"):
            inner = head.first.get(key)
            if isinstance(inner, list) and inner and _is_finding(inner[0]):
                return 100
        if head.kind == "array" and not head.keys and re.match(r"\[\s*\]\s*$", head.text):
            return 0
        if head.has("class_uid", "metadata") and re.search(
            r'"class_uid"\s*:\s*200[1-7]\b', head.text
        ):
            return 90
        # A first element or an envelope longer than the head.
        wrapped = {"Findings", "findings", "detail", "metadata", "finding_info"} & head.keys
        if wrapped and re.search(r'"class_uid"\s*:\s*200[1-7]\b', head.text):
            return 60 if "metadata" in head.text else 0
    return 0


def observed(report: Report) -> datetime | None:
    found = re.search(rb'"(?:time_dt|event_time|time)"\s*:\s*("[^"]+"|\d+)', report.data[:65536])
    if not found:
        return None
    text = found.group(1).strip(b'"').decode("utf-8", "replace")
    return parse_time(int(text) if text.isdigit() else text)


def _events(report: Report) -> Iterator[Node]:
    documents: Iterator[tuple[str, Any]] = report.documents()
    for place, value in documents:
        node = Node(value, place).require_object()
        detail = node.at("detail") if node.has("detail") else node
        for key in ("findings", "Findings", "events", "records"):
            if detail.is_object and detail.has(key) and not detail.has("class_uid"):
                yield from detail.objects(key)
                break
        else:
            yield detail.require_object()


def read(report: Report) -> Iterator[AnyRecord]:
    seen: set[str] = set()
    services: dict[str, set[str]] = {}
    found_any = False
    for event in _events(report):
        number = event.number("class_uid")
        class_uid = int(number) if number is not None else 0
        if class_uid not in _CLASSES:
            if not class_uid and not event.has("metadata"):
                raise ReportError("not an OCSF event: no class_uid", event.place, "is it OCSF?")
            yield Skipped(
                reason=f"not a finding: {event.text('class_name') or class_uid}",
                harmless=True,
                place=event.place,
            )
            continue
        found_any = True
        for record in _event(report, event, class_uid):
            if isinstance(record, Resource):
                if record.uid in seen:
                    continue
                seen.add(record.uid)
            yield record
        if event.text("metadata", "product", "name") == "Prowler":
            account = event.text("cloud", "account", "uid")
            rule = event.text("metadata", "event_code")
            if account and event.text("cloud", "provider") == "aws":
                services.setdefault(account, set()).add(rule.partition("_")[0])
    # Prowler does not say which services it was asked for; many different ones mean all.
    for account, names in services.items():
        if found_any and len(names) >= 15 and {"iam", "s3", "ec2"} <= names:
            yield Scope(
                key=f"aws:{account}", types=("misconfiguration", "identity_risk"), tool="prowler"
            )


def _info(event: Node) -> Node:
    """`finding_info` since 1.1, `finding` in 1.0."""
    return event.at("finding_info") if event.has("finding_info") else event.at("finding")


def _is_posture(event: Node, class_uid: int, code: str) -> bool:
    if class_uid == 2003 or code in ("PASS", "FAIL", "MANUAL", "MUTED"):
        return True
    return class_uid == 2001 and bool(event.text("compliance", "status"))


def _event(report: Report, event: Node, class_uid: int) -> Iterator[AnyRecord]:
    code = event.text("status_code").upper()
    # The word decides: Prowler 4 wrote status_id 3 beside "New".
    state = event.text("status").lower() or _CLOSED.get(int(event.number("status_id") or 0), "")
    if state in _CLOSED.values() or event.number("activity_id") == 3:
        word = state if state in _CLOSED.values() else "closed"
        yield Skipped(reason=f"{word} in the source", harmless=True, place=event.place)
        return
    info = _info(event)
    product = event.at("metadata", "product")
    tool = product_name(product.text("name") or product.text("vendor_name")) or "ocsf"
    if any(True for _ in event.items("vulnerabilities")):
        yield from _vulnerabilities(report, event, info, tool, class_uid)
    elif _is_posture(event, class_uid, code):
        yield from _posture(report, event, info, tool, code)
    elif class_uid in (2004, 2005) or (class_uid == 2001 and _is_attack(event, info, tool)):
        yield from _signal(report, event, info, tool)
    else:
        yield from _posture(report, event, info, tool, "FAIL", class_uid)


def _is_attack(event: Node, info: Node, tool: str) -> bool:
    if tool == "guardduty" or any(
        event.has(k) for k in ("malware", "attacks", "evidence", "process")
    ):
        return True
    return any(
        t.startswith(("TTPs", "Effects", "Unusual Behaviors")) for t in info.strings("types")
    )


def _severity(event: Node) -> tuple[str, str]:
    word = event.text("severity")
    severity = severity_from_word(word)
    if severity == "unknown":
        number = event.number("severity_id")
        word = word or _WORDS.get(int(number or 0), "")
        severity = severity_from_word(_WORDS.get(int(number or 0), ""))
    return severity, word


def _tags(resource: Node) -> dict[str, str]:
    tags: dict[str, str] = {}
    for item in resource.items("tags"):  # 1.4: [{"name", "value"}]
        if item.is_object:
            tags[item.text("name") or item.text("key")] = item.text("value")
    for item in resource.items("labels"):  # ["key:value"] or ["key=value"]
        text = item.text()
        match = re.match(r"([^:=]+)[:=](.*)", text, re.S)
        tags[match.group(1) if match else text] = match.group(2) if match else ""
    tags.pop("", None)
    return tags


def _resources(report: Report, event: Node) -> list[Resource]:
    provider = event.text("cloud", "provider").lower()
    unmapped = event.at("unmapped")
    word = unmapped.text("provider").lower() if unmapped.is_object else ""
    provider = provider or word
    uid = _info(event).text("uid")
    if not provider:
        found = re.match(r"prowler-(aws|azure|gcp|kubernetes|github|m365|oci)-", uid)
        provider = found.group(1) if found else ""
    account = event.text("cloud", "account", "uid")
    listed = list(event.objects("resources"))
    if event.at("resource").is_object:
        listed.append(event.at("resource"))
    found_resources: list[Resource] = []
    for node in listed:
        kind = node.text("type")
        name = node.text("name")
        cluster = ""
        if provider == "kubernetes":
            named = word and unmapped.text("provider_uid")
            cluster = cluster_of(report, named or _prowler_cluster(uid, event))
        text = node.text("uid") or name
        if not text:
            continue
        if (
            provider == "github"
            and name
            and ("repository" in kind.lower() or node.text("group", "name") == "repository")
        ):
            owner = event.text("cloud", "account", "name")
            text = f"repo:github.com/{name if '/' in name or not owner else f'{owner}/{name}'}"
        resource = _image_of(node) or cloud_resource(
            text,
            kind=kind,
            name=name,
            provider=provider,
            account=account,
            region=node.text("region") or event.text("cloud", "region"),
            group=node.text("group", "name"),
            namespace=_namespace(node),
            cluster=cluster,
            tags=_tags(node),
            place=node.place,
        )
        found_resources.append(resource)
    return found_resources


def _namespace(node: Node) -> str:
    text = node.text("namespace").removeprefix("namespace: ")
    return "" if text == "cluster-wide" else text


def _prowler_cluster(uid: str, event: Node) -> str:
    """The context in `prowler-kubernetes-CHECK-CONTEXT-...`, when the account says none."""
    account = event.text("cloud", "account", "name")
    if account:
        return account.removeprefix("context: ")
    rule = event.text("metadata", "event_code")
    rest = uid.removeprefix(f"prowler-kubernetes-{rule}-")
    found = re.match(r"(?:context: )?(.+?)-namespace: ", rest)
    return found.group(1) if found and rest != uid else ""


def _image_of(node: Node) -> Resource | None:
    """An ECR image with its tags from the resource's data (an object, or JSON as text)."""
    if "ContainerImage" not in node.text("type"):
        return None
    data = node.at("data").value
    if isinstance(data, str):
        try:
            data = json.loads(data)
        except (ValueError, RecursionError):
            data = None
    details = data.get("AwsEcrContainerImage") if isinstance(data, dict) else None
    tags = details.get("ImageTags") if isinstance(details, dict) else None
    texts = [t for t in tags if isinstance(t, str)] if isinstance(tags, list) else []
    return ecr_image(node.text("uid"), texts, node.place)


def _remediation(event: Node, info: Node) -> tuple[str, str]:
    node = event.at("remediation") if event.has("remediation") else info.at("remediation")
    if not node.is_object:
        return "", info.text("src_url")
    references = node.strings("references") or node.strings("kb_articles")
    url = next((r for r in references if r.startswith("http")), "")
    commands = [r for r in references if not r.startswith("http")]
    return "\n".join(t for t in (node.text("desc"), *commands) if t), url or info.text("src_url")


def _posture(
    report: Report, event: Node, info: Node, tool: str, code: str, class_uid: int = 0
) -> Iterator[AnyRecord]:
    state = event.text("compliance", "status").upper()
    if state.startswith("PASS") or code == "PASS":
        yield Passed()
        return
    if code in ("MANUAL", "MUTED") or state in ("WARNING", "NOT_AVAILABLE", "UNKNOWN"):
        reason = (
            "the check must be done by hand"
            if code == "MANUAL"
            else "no verdict: " + (state or code)
        )
        yield Skipped(reason=reason.lower(), harmless=True, place=event.place)
        return
    resources = _resources(report, event)
    rule = (
        event.text("metadata", "event_code")
        or info.text("analytic", "uid")
        or event.text("compliance", "control")
        or next(iter(info.strings("types")), "")
        or info.text("title")
    )
    severity, word = _severity(event)
    remediation, url = _remediation(event, info)
    title = info.text("title") or event.text("message") or rule
    details = event.text("status_detail")
    parts = (details, info.text("desc"), event.text("risk_details"))
    if not resources:
        resources = [scanned_target(report, "", event.place)]
    kind_of_class = {2006: "misconfiguration", 2007: "static_code_vulnerability"}.get(class_uid)
    code_place = next(event.objects("code"), Node(None)) if event.at("code").is_list else Node(None)
    canonical = canonical_of(tool, rule)
    for resource in resources:
        yield resource
        yield Finding(
            type=kind_of_class or posture_type(canonical or rule, resource.type),
            resource=resource.uid,
            rule=rule,
            canonical_rule=canonical,
            title=failed_title(title, tool),
            severity=severity,
            severity_word=word,
            description="\n\n".join(dict.fromkeys(p for p in parts if p)),
            location=clean_path(code_place.text("file", "path")) if code_place.is_object else "",
            remediation=remediation,
            url=url,
            first_seen=parse_time(
                info.at("first_seen_time_dt").value or info.at("first_seen_time").value
            ),
            tool=tool,
            place=event.place,
        )


def _cves(item: Node) -> tuple[str, Node]:
    """Id and the node that carries the scores: `cve`, `advisory` or `cwe`."""
    for key in ("cve", "advisory"):
        node = item.at(key)
        if node.is_object and node.text("uid"):
            return node.text("uid"), node
    return item.text("uid"), item.at("cve")


def _vulnerabilities(
    report: Report, event: Node, info: Node, tool: str, class_uid: int
) -> Iterator[AnyRecord]:
    resources = _resources(report, event) or [scanned_target(report, "", event.place)]
    word_severity, word = _severity(event)
    remediation, url = _remediation(event, info)
    yield from resources
    for item in event.objects("vulnerabilities"):
        name, node = _cves(item)
        scores = node.objects("cvss") if node.is_object else iter(())
        score, vector = best_score(
            (
                cvss_generation(c.text("vector_string"), c.text("version")),
                c.number("base_score"),
                c.text("vector_string"),
            )
            for c in scores
        )
        packages = list(item.objects("affected_packages")) + list(item.objects("packages"))
        package = packages[0] if packages else Node(None)
        severity = severity_from_word(item.text("severity"))
        if severity == "unknown":
            severity = severity_from_word(word_severity)
        if severity == "unknown":
            severity = severity_from_score(score)
        files = [c.text("file", "path") for c in item.objects("affected_code")]
        weakness = item.text("cwe", "uid") or next(
            (c.text("uid") for c in item.objects("cwes")), ""
        )
        version = _version(package)
        fixes = dict.fromkeys(
            f for p in packages if (f := p.text("fixed_in_version") or p.text("fix"))
        )
        advice = [p.text("remediation", "desc") for p in packages]
        manager = package.text("package_manager")
        for resource in resources:
            is_os = manager.upper() in ("OS", "APT", "YUM", "RPM", "DPKG", "APK", "DNF")
            kind = "library_vulnerability"
            if is_os or (not manager and package and resource.type.endswith("instance")):
                image = resource.type == "container_image"
                kind = "container_image_vulnerability" if image else "host_vulnerability"
            if files and not packages:
                kind = "static_code_vulnerability"
            elif not packages and resource.type == "container_image":
                kind = "container_image_vulnerability"
            elif not packages and class_uid == 2002:
                kind = "host_vulnerability"
            rule = name or weakness or info.text("title")
            yield Finding(
                type=kind,
                resource=resource.uid,
                rule=rule,
                title=item.text("title") or info.text("title") or rule,
                severity=severity,
                severity_word=item.text("severity") or word,
                description=item.text("desc") or info.text("desc"),
                vulnerability=name,
                vulnerability_aliases=tuple(item.strings("related_vulnerabilities")),
                purl=package.text("purl") or make_purl(manager, package.text("name"), version),
                package=package.text("name"),
                version=version,
                fixed_version=", ".join(fixes),
                score=score,
                vector=vector,
                location=clean_path(files[0]) if files else package.text("path"),
                remediation="\n".join(dict.fromkeys(a for a in (*advice, remediation) if a)),
                url=next(iter(item.strings("references")), "") or url,
                exploit_known="poc" if item.flag("is_exploit_available") else "",
                first_seen=parse_time(
                    item.at("first_seen_time_dt").value or info.at("first_seen_time_dt").value
                ),
                tool=tool,
                place=item.place,
            )


def _version(package: Node) -> str:
    version, release = package.text("version"), package.text("release")
    if release and not version.endswith(release):
        version = f"{version}-{release}"
    return version


def _signal(report: Report, event: Node, info: Node, tool: str) -> Iterator[AnyRecord]:
    resources = _resources(report, event)
    names: list[str] = []
    for resource in resources:
        yield resource
        names += [resource.uid, *(a.name for a in resource.aliases if a.confidence > 0.5)]
    names += [n.text("uid") for n in event.objects("resources")]
    evidences = list(event.objects("evidences"))
    if event.at("evidence").is_object:
        evidences.append(event.at("evidence"))
    devices = [event.at("device"), *(e.at("device") for e in evidences)]
    for device in devices:
        if device.is_object:
            names += [device.text("instance_uid"), host_name(device.text("hostname"))]
            names += own_addresses(device.text("ip"))
    source = ""
    for evidence in (event, *evidences):
        for side in ("src_endpoint", "dst_endpoint"):
            node = evidence.at(side)
            if not node.is_object:
                continue
            names += [node.text("instance_uid"), *own_addresses(node.text("ip"))]
            if side == "src_endpoint" and not own_addresses(node.text("ip")):
                source = source or node.text("ip")
        user = evidence.at("actor", "user") if evidence.at("actor").is_object else Node(None)
        if user.is_object:
            names += [user.text("uid") if user.text("uid").startswith("arn:") else ""]
            names.append(user.text("credential_uid"))
        container = evidence.at("container") if evidence.has("container") else Node(None)
        if container.is_object and container.text("uid"):
            names.append(f"container:{container.text('uid')}")
    attacks = [*info.objects("attacks"), *event.objects("attacks")]
    technique = next(
        (a.text("technique", "uid") for a in attacks if a.at("technique").is_object), ""
    )
    severity, word = _severity(event)
    moment = next(
        (
            t
            for v in (
                info.at("last_seen_time_dt").value,
                info.at("last_seen_time").value,
                event.at("time_dt").value,
                event.at("time").value,
            )
            if (t := parse_time(v)) is not None
        ),
        None,
    )
    if moment is None:
        yield Skipped(reason="a detection without a time", place=event.place)
        return
    title = info.text("title") or next(iter(info.strings("types")), "") or event.text("message")
    yield Signal(
        id=info.text("uid") or event.text("metadata", "uid") or digest(title, str(moment), *names),
        time=moment,
        title=title or "detection",
        severity=severity,
        severity_word=word,
        description=info.text("desc") or event.text("message"),
        resources=signal_names(*names),
        technique=technique,
        source_address=source,
        tool=tool,
        place=event.place,
    )
