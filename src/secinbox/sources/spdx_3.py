"""SPDX 3, JSON-LD: packages and the security profile (associations, CVSS assessments, VEX).

A package that a vulnerability is associated with, assessed for, or said to affect is a finding;
what VEX relationships say of the others are statements.
Source: spdx.github.io/spdx-spec/v3.0.1, model/Security and model/Software.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from secinbox.reading import Head, Report, parse_time
from secinbox.records import AnyRecord, Component, Finding, Resource, Scope, Statement
from secinbox.sources._names import image_resource, scanned_target
from secinbox.sources._packages import best_score, is_os_purl, vulnerability_id
from secinbox.sources._shape import Node
from secinbox.vocabulary import severity_from_word

TITLE = "SPDX 3"
_CVSS = {"security_CvssV4VulnAssessmentRelationship": "4",
         "security_CvssV3VulnAssessmentRelationship": "3",
         "security_CvssV2VulnAssessmentRelationship": "2"}  # fmt: skip
_VEX = {"security_VexNotAffectedVulnAssessmentRelationship": "not_affected",
        "security_VexFixedVulnAssessmentRelationship": "fixed",
        "security_VexAffectedVulnAssessmentRelationship": "affected",
        "security_VexUnderInvestigationVulnAssessmentRelationship": "under_investigation"}  # fmt: skip


def recognise(head: Head) -> int:
    if head.kind != "object" or not head.has("@graph") or head.has("spdxVersion"):
        return 0
    return 100 if "spdx.org/rdf/3" in head.text else 0


def observed(report: Report) -> datetime | None:
    found = re.search(rb'"created"\s*:\s*"([0-9TZ:.+-]+)"', report.data)
    return parse_time(found.group(1).decode("ascii", "replace")) if found else None


def _identity(element: Node) -> str:
    return element.first_text("spdxId", "@id")


def _kind(element: Node) -> str:
    return element.first_text("type", "@type").rpartition("/")[2]


def _identifiers(element: Node, *kinds: str) -> list[str]:
    return [i.text("identifier") for i in element.objects("externalIdentifier")
            if i.text("externalIdentifierType").rpartition("/")[2] in kinds]  # fmt: skip


def _purl(package: Node) -> str:
    named = _identifiers(package, "packageURL", "packageUrl", "purl")
    return package.text("software_packageUrl") or next(iter(named), "")


def _name(vulnerability: Node) -> str:
    told = [*_identifiers(vulnerability, "cve", "securityOther"), vulnerability.text("name"),
            vulnerability.text("summary"), _identity(vulnerability)]  # fmt: skip
    return next((found for t in told if (found := vulnerability_id(t))), told[-3] or told[-1])


def _subject(report: Report, packages: dict[str, Node], roots: list[str]) -> Resource:
    if not report.options.get("resource"):
        for root in roots:
            package = packages.get(root)
            if package is None:
                continue
            purl = _purl(package)
            if package.text("software_primaryPurpose") == "container" or purl.startswith("pkg:oci"):
                name = package.text("name")
                found = re.search(r"@(sha256:[0-9a-f]{64})", purl.replace("%3A", ":"))
                digests = [f"{name.rpartition(':')[0] or name}@{found.group(1)}"] if found else []
                return image_resource([name], digests, place=package.place)
    return scanned_target(report)


def read(report: Report) -> Iterator[AnyRecord]:
    document = Node(report.json()).require_object()
    elements = list(document.objects("@graph"))
    packages = {_identity(e): e for e in elements if _kind(e) == "software_Package"}
    vulnerabilities = {_identity(e): e for e in elements if _kind(e) == "security_Vulnerability"}
    roots = [r for e in elements if _kind(e) in ("SpdxDocument", "software_Sbom")
             for r in e.strings("rootElement")]  # fmt: skip
    target = _subject(report, packages, roots)
    yield target

    # (vulnerability, package) -> its CVSS assessments, place of the first mention
    pairs: dict[tuple[str, str], str] = {}
    scores: dict[tuple[str, str], list[tuple[str, float | None, str]]] = defaultdict(list)
    words: dict[tuple[str, str], str] = {}
    cleared: set[tuple[str, str]] = set()
    for element in elements:
        kind = _kind(element)
        if not kind.endswith("Relationship"):
            continue
        source, targets = element.text("from"), element.strings("to")
        if kind == "Relationship":
            if element.text("relationshipType") == "hasAssociatedVulnerability":
                for identity in targets:
                    pairs.setdefault((identity, source), element.place)
            continue
        for identity in targets:
            pair = (source, identity)
            if kind in _CVSS:
                vector = element.text("security_vectorString")
                generation = "3.1" if vector.startswith("CVSS:3.1") else _CVSS[kind]
                scores[pair].append((generation, element.number("security_score"), vector))
                words.setdefault(pair, element.text("security_severity"))
                pairs.setdefault(pair, element.place)
            elif kind in _VEX:
                status = _VEX[kind]
                if status in ("not_affected", "fixed"):
                    cleared.add(pair)
                    yield _statement(element, status, vulnerabilities.get(source),
                                     packages.get(identity), target)  # fmt: skip
                else:
                    pairs.setdefault(pair, element.place)

    for identity, package in packages.items():
        purl = _purl(package)
        if identity not in roots and purl and not purl.startswith("pkg:oci/"):
            yield Component(resource=target.uid, purl=purl, name=package.text("name"),
                            version=package.text("software_packageVersion"),
                            place=package.place)  # fmt: skip
    for pair, place in pairs.items():
        vulnerability, package_ = vulnerabilities.get(pair[0]), packages.get(pair[1])
        if vulnerability is None or package_ is None or pair in cleared:
            continue
        name, purl = _name(vulnerability), _purl(package_)
        score, vector = best_score(scores[pair])
        word = words.get(pair, "")
        image = target.type == "container_image"
        system = "container_image_vulnerability" if image else "host_vulnerability"
        yield Finding(
            type=system if is_os_purl(purl) else "library_vulnerability",
            resource=target.uid, rule=name, title=f"{name} in {package_.text('name')}",
            severity=severity_from_word(word), severity_word=word,
            description=vulnerability.first_text("description", "summary"),
            vulnerability=name, purl=purl, package=package_.text("name"),
            version=package_.text("software_packageVersion"),
            score=score if score and 0 < score <= 10 else None, vector=vector, place=place,
        )  # fmt: skip
    if pairs:
        yield Scope(key=target.uid, types=("library_vulnerability", "host_vulnerability",
                                           "container_image_vulnerability"))  # fmt: skip


def _statement(element: Node, status: str, vulnerability: Node | None, package: Node | None,
               target: Resource) -> Statement:  # fmt: skip
    name = _name(vulnerability) if vulnerability is not None else element.text("from")
    product = (_purl(package) or package.text("name")) if package is not None else ""
    return Statement(
        vulnerability=name, status=status, products=(product,) if product else (target.uid,),
        within=(target.uid,) if product else (),
        justification=element.text("security_justificationType"),
        text=element.first_text("security_impactStatement", "security_statusNotes"),
        time=parse_time(element.first_text("security_publishedTime", "security_modifiedTime")),
        place=element.place,
    )  # fmt: skip
