"""npm, pnpm and Yarn audit JSON.

Shapes: npm 6 and pnpm (`advisories`), npm 7 and later (`auditReportVersion` 2,
`vulnerabilities`), Yarn 1 (lines with `type` `auditAdvisory`), Yarn 2 (`value`, `children`). An answer with an error is a scan
that failed, never a clean one. Source: npm docs, "npm audit"; npm/metavuln-calculator.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.reading import Head, Report, ReportError
from secinbox.records import AnyRecord, Finding, Scope, Skipped
from secinbox.sources._names import scanned_target
from secinbox.sources._packages import make_purl, vulnerability_id
from secinbox.sources._shape import Node
from secinbox.vocabulary import severity_from_word

TITLE = "npm audit"


def recognise(head: Head) -> int:
    if head.kind == "lines" or (
        head.kind == "object" and (head.has("type", "data") or head.has("value", "children"))
    ):
        if head.has("value", "children") and '"Vulnerable Versions"' in head.text:
            return 95
        # Yarn 1 may write notes before its answer.
        kinds = ("auditAdvisory", "auditSummary", "info", "warning", "error")
        yarn = '"auditAdvisory"' in head.text or '"auditSummary"' in head.text
        yarn = yarn or "yarnpkg.com" in head.text
        return 95 if head.has("data") and head.first.get("type") in kinds and yarn else 0
    if head.kind != "object":
        return 0
    if head.has("auditReportVersion"):
        return 100
    if head.has("advisories", "metadata"):
        return 100
    error = head.first.get("error")
    if isinstance(error, dict) and "summary" in error:
        return 90  # npm's answer when the registry refused
    return 0


def read(report: Report) -> Iterator[AnyRecord]:
    documents: Iterator[tuple[str, Any]] = report.documents()
    target = scanned_target(report)
    yield target
    whole = True
    for place, value in documents:
        document = Node(value, place).require_object()
        if document.has("error"):
            error = document.at("error")
            text = document.text("message")
            if error.is_object:
                text = error.text("summary") or text or error.text("code")
            raise ReportError(
                f"npm audit failed: {text[:300] or 'no reason given'}",
                f"{place}.error",
                "run npm audit against a registry that answers audits",
            )
        if document.text("type") == "error":
            raise ReportError(
                f"yarn audit failed: {document.text('data')[:300]}", place, "run it again"
            )
        if document.has("children"):
            yield from _berry(document, target.uid)
        elif document.text("type") == "auditAdvisory":
            advisory = document.at("data", "advisory").require_object()
            yield from _advisory(advisory, target.uid)
        elif document.has("advisories"):
            for _, advisory in document.entries("advisories"):
                yield from _advisory(advisory.require_object(), target.uid)
            # pnpm lists ignored advisories under `muted`.
        elif document.has("vulnerabilities"):
            yield from _version2(document, target.uid)
        elif not document.has("type"):
            whole = False
            raise ReportError("not an audit answer", place, "is it the JSON of npm audit?")
    if whole:
        yield Scope(key=target.uid, types=("library_vulnerability",))


def _advisory(advisory: Node, target: str) -> Iterator[AnyRecord]:
    """npm 6, pnpm, Yarn: one finding an advisory."""
    package = advisory.text("module_name")
    names = [
        n
        for n in (
            *advisory.strings("cves"),
            advisory.text("github_advisory_id"),
            vulnerability_id(advisory.text("url")),
        )
        if n
    ]
    names = list(dict.fromkeys(names))
    identifier = names[0] if names else f"NPM-{advisory.text('id')}"
    found = next(advisory.objects("findings"), Node({}))
    version = found.text("version")
    word = advisory.text("severity")
    paths = found.strings("paths")
    cvss = advisory.at("cvss")
    score = cvss.number("score") if cvss.is_object else None
    yield Finding(
        type="library_vulnerability",
        resource=target,
        rule=identifier,
        title=advisory.text("title") or identifier,
        severity=severity_from_word(word),
        severity_word=word,
        description=advisory.text("overview"),
        vulnerability=identifier,
        vulnerability_aliases=tuple(names[1:]),
        purl=make_purl("npm", package, version),
        package=package,
        version=version,
        fixed_version=_patched(advisory.text("patched_versions")),
        score=score if score and 0 < score <= 10 else None,
        vector=cvss.text("vectorString") if cvss.is_object else "",
        location=paths[0] if paths else "",
        remediation=advisory.text("recommendation"),
        url=advisory.text("url"),
        place=advisory.place,
    )


def _berry(document: Node, target: str) -> Iterator[AnyRecord]:
    """Yarn 2 and later (`yarn npm audit --json`): a line an advisory or a deprecation."""
    package = document.text("value")
    entry = document.at("children").require_object()
    if "(deprecation)" in entry.text("ID"):
        yield Skipped(reason=f"{package} is deprecated", harmless=True, place=document.place)
        return
    link = entry.text("URL")
    name = vulnerability_id(link) or f"NPM-{entry.text('ID')}"
    versions = entry.strings("Tree Versions")
    word = entry.text("Severity")
    version = versions[0] if len(versions) == 1 else ""
    yield Finding(
        type="library_vulnerability",
        resource=target,
        rule=name,
        title=entry.text("Issue") or f"{name} in {package}",
        severity=severity_from_word(word),
        severity_word=word,
        description=f"Affected versions: {entry.text('Vulnerable Versions')}",
        vulnerability=name,
        purl=make_purl("npm", package, version),
        package=package,
        version=version,
        url=link,
        place=document.place,
    )


def _patched(text: str) -> str:
    """npm writes `<0.0.0` when there is no fix."""
    return "" if text.replace(" ", "") == "<0.0.0" else text


def _version2(document: Node, target: str) -> Iterator[AnyRecord]:
    """npm 7: an entry a package; what is in `via` as an object is an advisory on it, a text names
    the package through which the trouble comes (that package has its own entry)."""
    for package, entry in document.entries("vulnerabilities"):
        entry.require_object()
        fix = entry.at("fixAvailable")
        nodes = entry.strings("nodes")
        fixed = ""
        advice = ""
        if fix.is_object:
            name, version = fix.text("name"), fix.text("version")
            major = " (a breaking change)" if fix.flag("isSemVerMajor") else ""
            advice = f"Install {name} {version}{major}."
            fixed = version if name == package else ""
        elif fix.value is True:
            advice = "Run npm audit fix."
        for via in entry.items("via"):
            if not via.is_object:
                continue
            link = via.text("url")
            name = vulnerability_id(link) or f"NPM-{via.text('source')}"
            word = via.text("severity") or entry.text("severity")
            cvss = via.at("cvss")
            score = cvss.number("score") if cvss.is_object else None
            affected = via.text("range") or entry.text("range")
            yield Finding(
                type="library_vulnerability",
                resource=target,
                rule=name,
                title=via.text("title") or f"{name} in {package}",
                severity=severity_from_word(word),
                severity_word=word,
                description=f"Affected versions of {via.text('name') or package}: {affected}",
                vulnerability=name,
                purl=make_purl("npm", via.text("name") or package),
                package=via.text("name") or package,
                fixed_version=fixed,
                score=score if score and 0 < score <= 10 else None,
                vector=cvss.text("vectorString") if cvss.is_object else "",
                location=nodes[0] if nodes else "",
                remediation=advice,
                url=link,
                place=via.place,
            )
