"""TruffleHog JSON lines: 3 (`SourceMetadata`, `DetectorName`, `Verified`), 2 and trufflehog3.

Shapes: v3, one object a line (also a list); v2, `{"path", "reason", "stringsFound"}` a line or
list; trufflehog3, a list of `{"rule", "path", "secret"}`. Secrets are never kept: their hash is
the anchor. Source: trufflesecurity/trufflehog, pkg/output/json.go; feeltheajf/trufflehog3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.fingerprint import image_uid
from secinbox.reading import Head, Report, ReportError
from secinbox.records import AnyRecord, Finding, Relation, Resource
from secinbox.sources._code import Anchors, access_key_id, azure_opens, clean_path, digest
from secinbox.sources._names import (
    aws_resource,
    looks_like_repository,
    repository_resource,
    scanned_target,
)
from secinbox.sources._shape import Node
from secinbox.vocabulary import severity_from_word

TITLE = "TruffleHog"


def recognise(head: Head) -> int:
    if head.kind not in ("array", "lines", "object"):
        return 0
    if head.has("SourceMetadata", "DetectorName") or head.has("SourceMetadata", "DetectorType"):
        return 100
    if head.has("reason", "stringsFound", "path", "branch"):
        return 100
    if head.has("rule", "path", "secret") and isinstance(head.first.get("rule"), dict):
        return 95
    return 0


def read(report: Report) -> Iterator[AnyRecord]:
    documents: Iterator[tuple[str, Any]] = report.documents()
    seen: set[str] = set()
    anchors = Anchors()
    for place, value in documents:
        item = Node(value, place).require_object()
        if item.has("SourceMetadata"):
            records = _version3(report, item, anchors)
        elif item.has("stringsFound"):
            records = _version2(report, item, anchors)
        elif item.has("rule"):
            records = _trufflehog3(report, item, anchors)
        elif item.has("level") and item.has("msg"):
            continue  # TruffleHog's own log, when both outputs went to one file
        else:
            raise ReportError("not a TruffleHog result", place, "is it TruffleHog's JSON output?")
        for record in records:
            if isinstance(record, Resource):
                if record.uid in seen:
                    continue
                seen.add(record.uid)
            yield record


def _where(item: Node) -> Node:
    """The metadata of whichever source it was (Git, Github, S3, Docker, Filesystem ...)."""
    for _, node in item.entries("SourceMetadata", "Data"):
        if node.is_object:
            return node
    return Node({}, item.place)


def _target(report: Report, where: Node, place: str) -> Resource:
    if report.options.get("resource"):
        return scanned_target(report, "", place)
    repository = where.text("repository")
    if looks_like_repository(repository):
        return repository_resource(repository, place)
    image = where.text("image")
    if image:
        uid = image_uid(image)
        return Resource(uid=uid, type="container_image", name=image, place=place)
    bucket = where.text("bucket")
    if bucket:
        return aws_resource(f"arn:aws:s3:::{bucket}", place=place)
    return scanned_target(report, "", place)


def _version3(report: Report, item: Node, anchors: Anchors) -> Iterator[AnyRecord]:
    where = _where(item)
    target = _target(report, where, item.place)
    yield target
    detector = item.text("DetectorName") or f"detector {item.text('DetectorType')}"
    path = clean_path(where.text("file") or where.text("path") or where.text("link"))
    verified = item.flag("Verified")
    secret = item.text("Raw")
    extra = item.at("ExtraData")
    opens = azure_opens(item.text("RawV2"), secret, item.text("Redacted"), "\n".join(
        f"{key}={value.text()}" for key, value in extra.entries()))  # fmt: skip
    notes = [f"{key}: {value.text()}" for key, value in extra.entries() if not _secret_key(key)]
    yield Finding(
        type="secret",
        resource=target.uid,
        rule=detector,
        title=f"{detector} credential in {path or target.name}",
        severity="critical" if verified else "high",
        description="\n".join(t for t in (item.text("DetectorDescription"), *notes, opens) if t),
        location=path,
        line=where.line("line"),
        anchor=anchors.secret(detector, path, secret),
        remediation="Revoke the secret, issue a new one, and remove it from the history.",
        url=where.text("link"),
        verified=verified,
        place=item.place,
    )
    key = access_key_id(item.text("Redacted"), secret)
    if key:
        yield Relation(
            source=target.uid, kind="contains", target=f"accesskey:{key}", place=item.place
        )


def _secret_key(key: str) -> bool:
    return any(word in key.lower() for word in ("secret", "token", "password", "raw"))


def _version2(report: Report, item: Node, anchors: Anchors) -> Iterator[AnyRecord]:
    target = scanned_target(report, "", item.place)
    yield target
    rule = item.text("reason")
    path = clean_path(item.text("path"))
    found = item.strings("stringsFound")
    yield Finding(
        type="secret",
        resource=target.uid,
        rule=rule,
        title=f"{rule} in {path}",
        severity="medium" if rule == "High entropy" else "high",
        description=f"{len(found)} places, commit {item.text('commitHash')[:12]}",
        location=path,
        anchor=anchors.exact(rule, path, f"secret:{digest(*found)}" if found else ""),
        remediation="Revoke the secret, issue a new one, and remove it from the history.",
        place=item.place,
    )
    key = access_key_id(*found)
    if key:
        yield Relation(
            source=target.uid, kind="contains", target=f"accesskey:{key}", place=item.place
        )


def _trufflehog3(report: Report, item: Node, anchors: Anchors) -> Iterator[AnyRecord]:
    target = scanned_target(report, "", item.place)
    yield target
    rule = item.text("rule", "id")
    path = clean_path(item.text("path"))
    secret = item.text("secret")
    word = item.text("rule", "severity")
    yield Finding(
        type="secret",
        resource=target.uid,
        rule=rule,
        title=f"{item.text('rule', 'message') or rule} in {path}",
        severity=severity_from_word(word),
        severity_word=word,
        description=f"commit {item.text('commit')[:12]}" if item.text("commit") else "",
        location=path,
        line=item.line("line"),
        anchor=anchors.secret(rule, path, secret),
        remediation="Revoke the secret, issue a new one, and remove it from the history.",
        tool="trufflehog3",
        place=item.place,
    )
    key = access_key_id(secret)
    if key:
        yield Relation(
            source=target.uid, kind="contains", target=f"accesskey:{key}", place=item.place
        )
