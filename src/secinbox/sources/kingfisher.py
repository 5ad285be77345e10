"""Kingfisher JSON (`kingfisher scan --format json` or `jsonl`): `rule` and `finding` pairs.

Secrets, captured values and commands that contain them are never kept. Source:
mongodb/kingfisher, src/reporter/json_format.rs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.reading import Head, Report
from secinbox.records import AnyRecord, Finding, Relation, Resource, Scope
from secinbox.sources._code import Anchors, access_key_id, azure_opens, clean_path
from secinbox.sources._names import looks_like_repository, repository_resource, scanned_target
from secinbox.sources._shape import Node

TITLE = "Kingfisher"


def _is_pair(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    rule, finding = value.get("rule"), value.get("finding")
    return isinstance(rule, dict) and isinstance(finding, dict) and "fingerprint" in finding


def recognise(head: Head) -> int:
    if _is_pair(head.first):
        return 100
    listed = head.first.get("findings")
    if head.kind == "object" and isinstance(listed, list) and listed and _is_pair(listed[0]):
        return 100
    if head.has("findings") and '"finding"' in head.text and '"validation"' in head.text:
        return 90
    metadata = head.first.get("metadata")
    if head.has("findings", "metadata") and isinstance(metadata, dict):
        return 80 if any("kingfisher" in str(key) for key in metadata) else 0
    return 0


def _pairs(report: Report) -> Iterator[Node]:
    documents: Iterator[tuple[str, Any]] = report.documents()
    for place, value in documents:
        node = Node(value, place).require_object()
        if node.has("findings"):
            yield from node.objects("findings")
        elif node.has("finding"):
            yield node


def read(report: Report) -> Iterator[AnyRecord]:
    seen: set[str] = set()
    anchors = Anchors()
    default = scanned_target(report)
    for pair in _pairs(report):
        rule, finding = pair.at("rule"), pair.at("finding").require_object()
        git = finding.at("git_metadata")
        url = git.text("repository_url") if git.is_object else ""
        target: Resource = default
        if not report.options.get("resource") and looks_like_repository(url):
            target = repository_resource(url, pair.place)
        if target.uid not in seen:
            seen.add(target.uid)
            yield target
        identifier = rule.text("id")
        path = clean_path(finding.text("path"))
        secret = finding.text("snippet")
        status = finding.text("validation", "status")
        verified = status.lower() == "active credential"
        confidence = finding.text("confidence")
        name = rule.text("name") or identifier
        yield Finding(
            type="secret",
            resource=target.uid,
            rule=identifier,
            title=f"{name} in {path}",
            severity="critical" if verified else "high",
            description="\n".join(
                filter(
                    None,
                    (
                        rule.text("description"),
                        f"confidence {confidence}, {status}",
                        azure_opens(secret),
                    ),
                )
            ),
            location=path,
            line=finding.line("line"),
            anchor=anchors.secret(identifier, path, secret),
            remediation="Revoke the secret, issue a new one, and remove it from the history.",
            verified=verified,
            place=pair.place,
        )
        key = access_key_id(secret)
        if key:
            yield Relation(
                source=target.uid, kind="contains", target=f"accesskey:{key}", place=pair.place
            )
    if not seen:
        yield default
        seen.add(default.uid)
    for uid in seen:
        yield Scope(key=uid, types=("secret",))
