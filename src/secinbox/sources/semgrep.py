"""Semgrep JSON (`semgrep --json`), all versions from 0.20: code, secrets and supply chain.

Also the answers of the Semgrep platform's API: `{"findings": [...]}` (code) and `{"vulns":
[...]}` (supply chain deployments). Source: semgrep/semgrep-interfaces, semgrep_output_v1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from secinbox.reading import Head, Report, parse_time
from secinbox.records import AnyRecord, Finding, Scope, Skipped
from secinbox.sources._code import Anchors, clean_path, scrub, secret_anchor
from secinbox.sources._names import looks_like_repository, repository_resource, scanned_target
from secinbox.sources._packages import make_purl, vulnerability_id
from secinbox.sources._shape import Node
from secinbox.vocabulary import severity_from_word

TITLE = "Semgrep"

# Semgrep's three words before 1.72 and the four after.
_WORDS = {
    "error": "high",
    "warning": "medium",
    "info": "low",
    "inventory": "info",
    "experiment": "info",
}


def recognise(head: Head) -> int:
    if head.kind != "object":
        return 0
    if head.has("results") and re.search(r'"check_id"\s*:', head.text):
        return 100 if '"extra"' in head.text else 0
    if head.has("results", "errors", "paths") and not head.has("metrics"):
        return 80
    if head.first.get("results") == [] and head.keys == {"results", "errors"}:
        return 70
    listed = head.first.get("findings")
    if isinstance(listed, list) and listed and isinstance(listed[0], dict):
        return 90 if {"rule_name", "location"} <= set(listed[0]) else 0
    if head.has("findings") and '"match_based_id"' in head.text:
        return 80
    if head.has("vulns") and '"advisory"' in head.text and '"ruleId"' in head.text:
        return 90
    return 0


def _severity(word: str) -> Any:
    return _WORDS.get(word.lower()) or severity_from_word(word)


def read(report: Report) -> Iterator[AnyRecord]:
    document = Node(report.json()).require_object()
    if document.has("vulns"):
        yield from _deployment(report, document)
        return
    if document.has("findings"):
        yield from _platform(report, document)
        return
    target = scanned_target(report)
    yield target
    anchors = Anchors()
    kinds = {"static_code_vulnerability"}
    for item in document.objects("results"):
        if item.flag("extra", "is_ignored"):
            yield Skipped(reason="ignored in the code (nosemgrep)", harmless=True, place=item.place)
            continue
        finding = _result(item, target.uid, anchors)
        kinds.add(finding.type)
        yield finding
    whole = True
    for error in document.objects("errors"):
        word = error.text("level").lower()
        if word in ("error", ""):
            whole = False
            message = error.first_text("message", "long_msg", "short_msg")
            if not message and error.at("type").is_list:
                message = "scan error"
            yield Skipped(reason=f"Semgrep: {message[:200]}", place=error.place)
    if whole:
        yield Scope(key=target.uid, types=tuple(sorted(kinds)))


def semgrep_anchor(anchors: Anchors, rule: str, path: str, fingerprint: str, code: str) -> str:
    """Semgrep's match-based id when it gives one (not without log-in), else the code."""
    if fingerprint and "requires login" not in fingerprint.lower():
        return anchors.exact(rule, path, fingerprint)
    if "requires login" in code.lower():
        code = ""
    return anchors.of(rule, path, code)


def _result(item: Node, target: str, anchors: Anchors) -> Finding:
    extra = item.at("extra").require_object()
    metadata = extra.at("metadata")
    has = metadata.is_object
    rule = item.text("check_id")
    path = clean_path(item.text("path"))
    word = extra.text("severity")
    fingerprint = extra.text("fingerprint")
    message = scrub(extra.text("message"))
    supply = extra.at("sca_info")
    urls = (metadata.first_text("source", "shortlink") if has else "") or ""
    if has and not urls:
        urls = next(iter(metadata.strings("references")), "")
    title = message.strip().split("\n", 1)[0]
    title = title if len(title) <= 160 else rule.rpartition(".")[2].replace("-", " ")
    state = extra.text("validation_state").upper()
    # Every finding has a state; only rules with a validator are about secrets.
    secret = (
        state not in ("", "NO_VALIDATOR")
        or ".secrets." in rule
        or (has and "secrets" in metadata.text("product").lower())
    )
    common: dict[str, Any] = {
        "resource": target,
        "rule": rule,
        "severity": _severity(word),
        "severity_word": word,
        "location": path,
        "line": item.line("start", "line"),
        "place": item.place,
        "url": urls,
    }
    if supply.is_object and supply:
        package = supply.at("dependency_match", "found_dependency")
        name = vulnerability_id(
            metadata.text("sca-vuln-database-identifier") if has else ""
        ) or vulnerability_id(message)
        version = package.text("version") if package.is_object else ""
        package_name = package.text("package") if package.is_object else ""
        fixes: list[str] = []
        if has:
            for node in metadata.objects("sca-fix-versions"):
                fixes += [v.text() for key, v in node.entries() if key == package_name]
        return Finding(
            type="library_vulnerability",
            title=title,
            description=message,
            vulnerability=name,
            purl=make_purl(package.text("ecosystem"), package_name, version) if package else "",
            package=package_name,
            version=version,
            fixed_version=", ".join(fixes),
            **{**common, "rule": name or rule},
        )
    if secret:
        return Finding(
            type="secret",
            title=f"{rule.rpartition('.')[2].replace('-', ' ')} in {path}",
            description=message,
            anchor=anchors.exact(rule, path, fingerprint or secret_anchor(path, rule, "")),
            verified=state in ("CONFIRMED_VALID", "VALID"),
            **common,
        )
    infrastructure = (
        rule.startswith(
            ("terraform.", "dockerfile.", "kubernetes.", "yaml.kubernetes", "yaml.github-actions")
        )
        or ".terraform." in rule
    )
    return Finding(
        type="iac_misconfiguration" if infrastructure else "static_code_vulnerability",
        title=title,
        description=message,
        anchor=semgrep_anchor(anchors, rule, path, fingerprint, extra.text("lines")),
        remediation=extra.text("fix"),
        **common,
    )


def _platform(report: Report, document: Node) -> Iterator[AnyRecord]:
    seen: set[str] = set()
    anchors = Anchors()
    for item in document.objects("findings"):
        if item.text("state") in ("fixed", "removed", "muted") or item.text("status") in (
            "fixed",
            "ignored",
        ):
            reason = f"{item.first_text('state', 'status')} in Semgrep"
            yield Skipped(reason=reason, harmless=True, place=item.place)
            continue
        url = item.text("repository", "url") if item.at("repository").is_object else ""
        target = scanned_target(report)
        if looks_like_repository(url) and not report.options.get("resource"):
            target = repository_resource(url, item.place)
        if target.uid not in seen:
            seen.add(target.uid)
            yield target
        rule = item.text("rule_name")
        path = clean_path(item.text("location", "file_path"))
        word = item.text("severity")
        message = scrub(item.text("rule_message"))
        title = message.strip().split("\n", 1)[0][:160]
        branch = item.text("ref")
        yield Finding(
            type="static_code_vulnerability",
            resource=target.uid,
            rule=rule,
            title=title or rule,
            severity=_severity(word),
            severity_word=word,
            description=message,
            location=path,
            line=item.line("location", "line"),
            anchor=semgrep_anchor(anchors, rule, path, item.text("match_based_id"), ""),
            url=item.text("line_of_code_url"),
            default_branch=branch.rpartition("/")[2] in ("", "main", "master", "trunk"),
            first_seen=parse_time(item.text("created_at")),
            place=item.place,
        )


def _deployment(report: Report, document: Node) -> Iterator[AnyRecord]:
    target = scanned_target(report)
    yield target
    for item in document.objects("vulns"):
        advisory = item.at("advisory").require_object()
        references = advisory.at("references")
        names = references.strings("cveIds") if references.is_object else []
        dependency = item.at("matchedDependency")
        if not dependency.is_object:
            dependency = item.at("dependencyMatch")
        package = dependency.text("name") if dependency.is_object else ""
        version = ""
        if dependency.is_object:
            version = dependency.first_text("versionSpecifier", "version").lstrip("=")
        word = advisory.text("severity")
        name = names[0] if names else ""
        urls = references.strings("urls") if references.is_object else []
        rule = advisory.text("ruleId")
        yield Finding(
            type="library_vulnerability",
            resource=target.uid,
            rule=name or rule,
            title=item.text("title") or advisory.text("title") or rule,
            severity=_severity(word),
            severity_word=word,
            description=advisory.text("description"),
            vulnerability=name,
            vulnerability_aliases=tuple(names[1:]),
            purl=make_purl(advisory.text("ecosystem"), package, version),
            package=package,
            version=version,
            url=urls[0] if urls else "",
            place=item.place,
        )
