"""Checkov JSON: one object, a list with one object a framework, or the bare summary of nothing.

Shapes (bridgecrewio/checkov, checkov/common/output/report.py): `{"check_type", "results":
{"failed_checks", "passed_checks", "skipped_checks", "parsing_errors"}, "summary"}`, a list of
these, and `{"passed": 0, "failed": 0, ...}` when no file was found. Frameworks `sca_package` and
`sca_image` carry vulnerabilities, `secrets` carries secrets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.reading import Head, Report
from secinbox.records import AnyRecord, Finding, Passed, Resource, Scope, Skipped
from secinbox.sources._code import Anchors, block_name, clean_path
from secinbox.sources._names import scanned_target
from secinbox.sources._packages import best_score, make_purl, vulnerability_id
from secinbox.sources._shape import Node
from secinbox.vocabulary import severity_from_score, severity_from_word

TITLE = "Checkov"


def recognise(head: Head) -> int:
    if head.kind in ("object", "array"):
        if head.has("check_type", "results"):
            return 100
        if head.has("checkov_version", "passed", "failed"):
            return 100
    return 0


def read(report: Report) -> Iterator[AnyRecord]:
    document = Node(report.json())
    parts = list(document.objects()) if document.is_list else [document.require_object()]
    target = scanned_target(report)
    yield target
    anchors = Anchors()
    types: set[str] = set()
    files: set[str] = set()
    whole = True
    for part in parts:
        if not part.has("results"):
            if part.line("passed"):
                yield Passed(count=part.line("passed"))
            continue
        framework = part.text("check_type")
        kind = {
            "sca_package": "library_vulnerability",
            "sca_image": "library_vulnerability",
            "secrets": "secret",
            "sast": "static_code_vulnerability",
        }.get(framework.partition("-")[0].removesuffix("_python"), "iac_misconfiguration")
        types.add(kind)
        results = part.at("results").require_object()
        for check in results.objects("failed_checks"):
            files.add(check.text("file_path"))
            yield _finding(check, target, framework, kind, anchors)
        passed = sum(1 for _ in results.items("passed_checks"))
        summary = part.at("summary")
        if not passed and summary.is_object:
            passed = summary.line("passed")
        for check in results.objects("passed_checks"):
            files.add(check.text("file_path"))
        if passed:
            yield Passed(count=passed)
        for check in results.objects("skipped_checks"):
            reason = check.text("check_result", "suppress_comment") or "skipped in Checkov"
            yield Skipped(reason=reason, harmless=True, place=check.place)
        errors = list(results.items("parsing_errors"))
        for error in errors:
            whole = False
            yield Skipped(reason=f"Checkov could not parse {error.text()}", place=error.place)
        if not errors and summary.is_object and summary.number("parsing_errors"):
            whole = False
            yield Skipped(
                reason="Checkov could not parse some files",
                count=max(1, min(int(summary.number("parsing_errors") or 1), 1_000_000)),
                place=f"{part.place}.summary",
            )
    # `checkov -f FILE` covers that file only.
    if whole and types and len(files) > 1:
        yield Scope(key=target.uid, types=tuple(sorted(types)))


def _finding(check: Node, target: Resource, framework: str, kind: str, anchors: Anchors) -> Finding:
    rule = check.text("check_id")
    path = clean_path(check.first_text("repo_file_path", "file_path"))
    lines = [n.line() for n in check.items("file_line_range")]
    block = "".join(
        pair.value[1]
        for pair in check.items("code_block")
        if pair.is_list and len(pair.value) > 1 and isinstance(pair.value[1], str)
    )
    address = check.first_text("resource_address", "resource")
    if framework in ("dockerfile", "github_actions", "gitlab_ci", "secrets"):
        address = ""  # these name the file and the line's instruction
    if framework in ("kubernetes", "helm", "kustomize"):  # KIND.NAMESPACE.NAME[.POD]
        address = ".".join(address.split(".")[1:3])
    # The same words as the SARIF output, which has the block but not its address.
    anchor = anchors.exact(rule, path, address or block_name(block))
    word = check.text("severity")
    details = check.at("vulnerability_details")
    common: dict[str, Any] = {
        "resource": target.uid,
        "rule": rule,
        "title": check.text("check_name") or check.text("short_description") or rule,
        "severity_word": word,
        "location": path,
        "line": lines[0] if lines else 0,
        "place": check.place,
    }
    if details.is_object and (details.text("id") or vulnerability_id(rule)):
        name = details.text("id") or vulnerability_id(rule)
        score, vector = best_score([("3", details.number("cvss"), details.text("vector"))])
        package = details.text("package_name")
        version = details.text("package_version")
        severity = severity_from_word(details.text("severity") or word)
        language = details.text("package_type") or path.rpartition(".")[2]
        common.update(rule=name, title=f"{name} in {package}")
        return Finding(
            type="library_vulnerability",
            severity=severity if severity != "unknown" else severity_from_score(score),
            description=details.text("description"),
            vulnerability=name,
            purl=details.text("purl") or make_purl(language, package, version),
            package=package,
            version=version,
            fixed_version=details.text("lowest_fixed_version"),
            score=score,
            vector=vector,
            url=details.text("link"),
            **common,
        )
    return Finding(
        type=kind,
        severity=severity_from_word(word),
        description="\n".join(
            t for t in (address and f"Resource: {address}", check.text("description")) if t
        ),
        anchor=anchor,
        url=check.text("guideline"),
        **common,
    )
