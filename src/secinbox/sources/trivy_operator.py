"""Reports of the Trivy Operator: vulnerability, configuration, RBAC and exposed secret reports.

Shapes: one custom resource, a list, a `kubectl get -o json` List, and an object with a list for
each kind. Compliance reports only sum up the others and are not read. Source:
aquasecurity/trivy-operator, docs/crds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from secinbox.reading import Head, Report, parse_time
from secinbox.records import AnyRecord, Finding, Passed, Relation, Resource, Scope, Skipped
from secinbox.sources._code import Anchors, clean_path
from secinbox.sources._names import cluster_of, image_resource, kubernetes_resource
from secinbox.sources._packages import is_os_purl, make_purl
from secinbox.sources._shape import Node
from secinbox.vocabulary import severity_from_score, severity_from_word

TITLE = "Trivy Operator"

_GROUP = "aquasecurity.github.io"
_KINDS = re.compile(
    r"(Cluster)?(Vulnerability|ConfigAudit|RbacAssessment|InfraAssessment|ExposedSecret)Report$"
)


def _is_report(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    version = value.get("apiVersion")
    return isinstance(version, str) and version.startswith(_GROUP) and "kind" in value


def recognise(head: Head) -> int:
    if _is_report(head.first) or (head.has("report") and f'"{_GROUP}/' in head.text):
        return 100
    items = head.first.get("items")
    if isinstance(items, list) and items and _is_report(items[0]):
        return 100
    if head.kind == "object" and head.keys and all(k.endswith(_GROUP) for k in head.keys):
        return 100
    if head.has("items", "kind") and f'"apiVersion": "{_GROUP}/' in head.text:
        return 100
    return 0


def observed(report: Report) -> datetime | None:
    found = re.search(rb'"updateTimestamp"\s*:\s*"([^"]+)"', report.data[:1048576])
    return parse_time(found.group(1).decode("utf-8", "replace")) if found else None


def _reports(report: Report) -> Iterator[Node]:
    documents: Iterator[tuple[str, Any]] = report.documents()
    for place, value in documents:
        node = Node(value, place).require_object()
        if node.has("items"):
            yield from node.objects("items")
        elif node.has("apiVersion"):
            yield node
        else:
            for key, _ in node.entries():
                yield from node.objects(key)


def read(report: Report) -> Iterator[AnyRecord]:
    seen: set[str] = set()
    for item in _reports(report):
        kind = item.text("kind")
        if not _KINDS.fullmatch(kind):
            yield Skipped(reason=f"{kind or 'object'}: a summary", harmless=True, place=item.place)
            continue
        for record in _records(report, item, kind):
            if isinstance(record, (Resource, Scope)):
                key = f"{type(record).__name__} {record.uid if isinstance(record, Resource) else record.key}"
                if key in seen:
                    continue
                seen.add(key)
            yield record


def _records(report: Report, item: Node, kind: str) -> Iterator[AnyRecord]:
    metadata = item.at("metadata").require_object()
    labels = metadata.at("labels")
    word = labels if labels.is_object else Node({})
    prefix = "trivy-operator.resource."
    name = word.value.get(f"{prefix}name")
    owner = next(metadata.objects("ownerReferences"), Node({}))
    workload = kubernetes_resource(
        cluster_of(report),
        _label(word, f"{prefix}namespace") or metadata.text("namespace"),
        _label(word, f"{prefix}kind") or owner.text("kind") or "object",
        (name if isinstance(name, str) else "") or owner.text("name") or metadata.text("name"),
        item.place,
    )
    yield workload
    body = item.at("report").require_object()
    if kind.endswith(("VulnerabilityReport", "ExposedSecretReport")):
        image = _image(body)
        yield image
        yield Relation(source=workload.uid, kind="runs", target=image.uid, place=item.place)
        if "Vulnerability" in kind:
            yield from _vulnerabilities(body, image)
        else:
            yield from _secrets(body, image)
        return
    anchors = Anchors()
    rule_type = "identity_risk" if "Rbac" in kind else "misconfiguration"
    for check in body.objects("checks"):
        if check.at("success").value is True:
            yield Passed()
            continue
        rule = check.text("checkID") or check.text("title")
        messages = "\n".join(check.strings("messages"))
        severity = check.text("severity")
        yield Finding(
            type=rule_type,
            resource=workload.uid,
            rule=rule,
            title=check.text("title") or rule,
            severity=severity_from_word(severity),
            severity_word=severity,
            description="\n\n".join(t for t in (messages, check.text("description")) if t),
            anchor=anchors.exact(rule, "", messages),
            remediation=check.text("remediation"),
            tool="trivy",
            place=check.place,
        )


def _label(labels: Node, key: str) -> str:
    value = labels.value.get(key)
    return value if isinstance(value, str) else ""


def _image(body: Node) -> Resource:
    server = body.text("registry", "server") if body.at("registry").is_object else ""
    artifact = body.at("artifact").require_object()
    path = artifact.text("repository")
    name = f"{server}/{path}" if server else path
    tag, digest = artifact.text("tag"), artifact.text("digest")
    return image_resource(
        [f"{name}:{tag}" if tag else name],
        [f"{name}@{digest}"] if digest else [],
        place=artifact.place,
    )


def _vulnerabilities(body: Node, image: Resource) -> Iterator[AnyRecord]:
    family = body.text("os", "family") if body.at("os").is_object else ""
    for item in body.objects("vulnerabilities"):
        identifier = item.text("vulnerabilityID")
        package, version = item.text("resource"), item.text("installedVersion")
        purl = item.text("packagePURL")
        target, kind_word = item.text("target"), item.text("class")
        system = (
            is_os_purl(purl)
            or kind_word == "os-pkgs"
            or (not purl and not kind_word and not target)
        )
        if not purl:
            ecosystem = family if system else item.text("packageType")
            purl = make_purl(ecosystem, package, version)
        score = item.number("score")
        score = score if score is not None and 0 <= score <= 10 else None
        word = item.text("severity")
        severity = severity_from_word(word)
        yield Finding(
            type="container_image_vulnerability" if system else "library_vulnerability",
            resource=image.uid,
            rule=identifier,
            title=item.text("title") or f"{identifier} in {package}",
            severity=severity if severity != "unknown" else severity_from_score(score),
            severity_word=word,
            description=item.text("description"),
            vulnerability=identifier,
            purl=purl,
            package=package,
            version=version,
            fixed_version=item.text("fixedVersion"),
            score=score,
            location="" if system else item.text("packagePath") or target,
            url=item.text("primaryLink"),
            tool="trivy",
            place=item.place,
        )
    yield Scope(
        key=image.uid,
        types=("container_image_vulnerability", "library_vulnerability"),
        tool="trivy",
    )


def _secrets(body: Node, image: Resource) -> Iterator[AnyRecord]:
    anchors = Anchors()
    for item in body.objects("secrets"):
        rule, path = item.text("ruleID"), clean_path(item.text("target"))
        word = item.text("severity")
        yield Finding(
            type="secret",
            resource=image.uid,
            rule=rule,
            title=f"{item.text('title') or rule} in {path}",
            severity=severity_from_word(word),
            severity_word=word,
            location=path,
            anchor=anchors.exact(rule, path, f"{path}:{rule}"),
            remediation="Revoke the secret, issue a new one, and remove it from the image.",
            tool="trivy",
            place=item.place,
        )
