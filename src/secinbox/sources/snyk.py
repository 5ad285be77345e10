"""Snyk CLI JSON: `snyk test` and `snyk container test`, one project or many.

A weakness stands once for each way through the dependencies; it is stated once a package. Snyk Code
and IaC write SARIF. Source: Snyk documentation, "snyk test --json"; "Issue data model".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.reading import Head, Report
from secinbox.records import AnyRecord, Finding, Resource, Scope, Skipped
from secinbox.sources._names import image_resource, scanned_target
from secinbox.sources._packages import best_score, cvss_generation, make_purl
from secinbox.sources._shape import Node
from secinbox.vocabulary import severity_from_word

TITLE = "Snyk"
_MATURITY = {"mature": "weaponised", "functional": "weaponised", "proof of concept": "poc",
             "high": "weaponised"}  # fmt: skip
_SYSTEMS = ("deb", "rpm", "apk", "linux")


def recognise(head: Head) -> int:
    if head.kind not in ("object", "array"):
        return 0
    marks = ("vulnerabilities", "ok", "dependencyCount")
    if head.has(*marks) and (head.has("packageManager") or head.has("projectName")):
        return 100
    return 80 if head.has("vulnerabilities") and "SNYK-" in head.text and '"packageManager"' in head.text else 0  # fmt: skip


def read(report: Report) -> Iterator[AnyRecord]:
    documents: Iterator[tuple[str, Any]] = report.documents()
    told: set[str] = set()
    scopes: dict[str, bool] = {}
    for place, value in documents:
        project = Node(value, place).require_object()
        target, image = _target(report, project)
        if target.uid not in told:
            told.add(target.uid)
            yield target
        whole = not project.text("severityThreshold")
        seen: set[tuple[str, str, str]] = set()
        parts = [project, *project.objects("applications")]
        for part in parts:
            for item in part.objects("vulnerabilities"):
                key = (
                    item.text("id"),
                    item.first_text("packageName", "name"),
                    item.text("version"),
                )
                if item.text("type") == "license":
                    yield Skipped(reason="licence issues", harmless=True, place=item.place)
                elif key not in seen:
                    seen.add(key)
                    yield _statement(part, item, target, image)
        scopes[target.uid] = whole and scopes.get(target.uid, True)
    for uid, whole in scopes.items():
        if whole:
            yield Scope(key=uid, types=("library_vulnerability", "container_image_vulnerability"))


def _target(report: Report, project: Node) -> tuple[Resource, bool]:
    docker = project.at("docker").is_object
    path = project.text("path")
    if docker and path and not report.options.get("resource"):
        name = path.partition("|")[0] if "|" in path and "/" not in path.partition("|")[0] else path
        name = name.removeprefix("docker-image|")
        digests = [name] if "@sha256:" in name else []
        return image_resource([] if digests else [name], digests, place=project.place), True
    return scanned_target(report, project.text("projectUrl"), project.place), docker


def _statement(part: Node, item: Node, target: Resource, image: bool) -> Finding:
    manager = item.text("packageManager") or part.text("packageManager")
    start = manager.partition(":")[0].lower()
    name, version = item.first_text("packageName", "moduleName", "name"), item.text("version")
    system = start in _SYSTEMS
    ecosystem = manager.partition(":")[2] or start if system else start
    identifiers = item.at("identifiers")
    names = [*identifiers.strings("CVE"), *identifiers.strings("GHSA")] if identifiers.is_object else []  # fmt: skip
    names.append(item.text("id"))
    vectors = [item.text("CVSSv3")]
    score, vector = best_score(
        [(cvss_generation(v, ""), item.number("cvssScore"), v) for v in vectors]
    )
    word = item.first_text("severityWithCritical", "severity")
    upgrade = next((str(u) for u in item.at("upgradePath").value or () if isinstance(u, str)), "") if isinstance(item.at("upgradePath").value, list) else ""  # fmt: skip
    exploit = item.text("exploit") if isinstance(item.at("exploit").value, str) else ""
    ways = (
        [str(f) for f in item.at("from").value] if isinstance(item.at("from").value, list) else []
    )
    return Finding(
        type="container_image_vulnerability" if system and image else "library_vulnerability",
        resource=target.uid, rule=item.text("id"), title=f"{item.text('title')} in {name}",
        severity=severity_from_word(word), severity_word=word, description=item.text("description"),
        vulnerability=names[0], vulnerability_aliases=tuple(dict.fromkeys(names[1:])),
        purl=make_purl(ecosystem, name.rpartition("/")[2] if system else name, version),
        package=name, version=version, fixed_version=", ".join(item.strings("fixedIn")),
        score=score if score and 0 < score <= 10 else None, vector=vector,
        location=part.first_text("displayTargetFile", "targetFile") or " > ".join(ways[:6]),
        remediation=f"Upgrade {upgrade}." if upgrade and upgrade != "false" else "",
        url=f"https://security.snyk.io/vuln/{item.text('id')}",
        exploit_known=_MATURITY.get(exploit.lower(), ""), place=item.place,
    )  # fmt: skip
