"""OSV-Scanner JSON (`osv-scanner --format json`), 1 and 2: results, packages, vulnerabilities.

The whole OSV record stands in the report; `groups` carry alias sets and the highest severity,
`experimentalAnalysis` what the user's call analysis or ignore file left out. Source:
google/osv-scanner, pkg/models/results.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from secinbox.reading import Head, Report
from secinbox.records import AnyRecord, Finding, Resource, Scope
from secinbox.sources._code import clean_path
from secinbox.sources._names import image_resource, scanned_target
from secinbox.sources._packages import best_score, cvss_generation, is_os_purl, make_purl
from secinbox.sources._shape import Node
from secinbox.vocabulary import severity_from_score, severity_from_word

TITLE = "OSV-Scanner"


def recognise(head: Head) -> int:
    if head.kind != "object" or not head.has("results"):
        return 0
    if re.search(r'"packages"\s*:', head.text) and re.search(r'"source"\s*:', head.text):
        return 100
    if head.first.get("results") == [] and head.keys <= {
        "results",
        "experimental_config",
        "image_metadata",
    }:
        return 60
    return 0


def _target(report: Report, document: Node, source: Node) -> Resource:
    path = source.text("path")
    if source.text("type") in ("docker", "image") and not report.options.get("resource"):
        return image_resource([path], [], place=source.place)
    if document.has("image_metadata") and not report.options.get("resource"):
        reference = path.partition(":/")[0]
        if reference:
            return image_resource([reference], [], place=source.place)
    return scanned_target(report, "", source.place)


def read(report: Report) -> Iterator[AnyRecord]:
    document = Node(report.json()).require_object()
    seen: set[str] = set()
    for result in document.objects("results"):
        source = result.at("source").require_object()
        target = _target(report, document, source)
        if target.uid not in seen:
            seen.add(target.uid)
            yield target
        path = clean_path(source.text("path"))
        for entry in result.objects("packages"):
            yield from _package(entry, target, path)
    if not seen:
        target = scanned_target(report)
        seen.add(target.uid)
        yield target
    for uid in seen:
        kinds = ("library_vulnerability", "container_image_vulnerability", "host_vulnerability")
        yield Scope(key=uid, types=kinds)


def _package(entry: Node, target: Resource, path: str) -> Iterator[AnyRecord]:
    package = entry.at("package").require_object()
    name, version = package.text("name"), package.text("version")
    ecosystem = package.text("ecosystem")
    purl = make_purl(ecosystem, name, version)
    highest: dict[str, float] = {}
    aliases: dict[str, list[str]] = {}
    for group in entry.objects("groups"):
        members = group.strings("ids")
        score = group.number("max_severity")
        for identifier in members:
            if score is not None and 0 <= score <= 10:
                highest[identifier] = score
            aliases[identifier] = group.strings("aliases") + members
    for item in entry.objects("vulnerabilities"):
        identifier = item.text("id")
        score, vector = best_score(
            (cvss_generation(s.text("score"), s.text("type")), None, s.text("score"))
            for s in item.objects("severity")
        )
        score = score if score is not None else highest.get(identifier)
        specific = item.at("database_specific")
        word = ""
        if specific.is_object and isinstance(specific.value.get("severity"), str):
            word = specific.text("severity")
        severity = severity_from_word(word)
        if identifier.startswith("MAL-"):
            severity, word = "critical", "malicious"
        fixed, affected_purl = _fixed(item, name)
        names = dict.fromkeys([*item.strings("aliases"), *aliases.get(identifier, [])])
        names.pop(identifier, None)
        full = purl or (f"{affected_purl}@{version}" if affected_purl and version else "")
        is_os = is_os_purl(full)
        kind = "library_vulnerability"
        if is_os:
            image = target.type == "container_image"
            kind = "container_image_vulnerability" if image else "host_vulnerability"
        references = [r.text("url") for r in item.objects("references")]
        yield Finding(
            type=kind,
            resource=target.uid,
            rule=identifier,
            title=item.text("summary") or f"{identifier} in {name}",
            severity=severity if severity != "unknown" else severity_from_score(score),
            severity_word=word,
            description=item.text("details"),
            vulnerability=identifier,
            vulnerability_aliases=tuple(names),
            purl=full,
            package=name,
            version=version,
            fixed_version=", ".join(fixed),
            score=score,
            vector=vector,
            location="" if is_os else path,
            url=f"https://osv.dev/vulnerability/{identifier}"
            if identifier
            else (references[0] if references else ""),
            place=item.place,
        )


def _fixed(item: Node, name: str) -> tuple[list[str], str]:
    """Fixed versions of this package, and its purl, from the record's `affected`."""
    fixed: dict[str, None] = {}
    purl = ""
    for affected in item.objects("affected"):
        package = affected.at("package")
        if package.is_object and package.text("name") not in ("", name):
            continue
        purl = purl or (package.text("purl") if package.is_object else "")
        for span in affected.objects("ranges"):
            if span.text("type") == "GIT":
                continue
            for event in span.objects("events"):
                if event.text("fixed"):
                    fixed[event.text("fixed")] = None
    return list(fixed), purl
