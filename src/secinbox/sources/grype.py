"""Grype JSON (`grype -o json`): `matches`, `ignoredMatches`, `source`, `distro`, `descriptor`.

Source: anchore/grype, grype/presenter/models. Ignored matches are what the user's rules or a VEX
document suppressed: no findings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import msgspec

from secinbox.reading import Head, Report, parse_time
from secinbox.records import AnyRecord, Finding, Resource, Scope, Skipped
from secinbox.sources._names import image_resource, scanned_target
from secinbox.sources._packages import best_score, cvss_generation, make_purl
from secinbox.vocabulary import severity_from_score, severity_from_word

TITLE = "Grype"


class _Struct(msgspec.Struct, gc=False):
    pass


class _Metrics(_Struct):
    baseScore: float | None = None


class _Cvss(_Struct):
    version: str = ""
    vector: str = ""
    metrics: _Metrics | None = None
    type: str = ""


class _Fix(_Struct):
    versions: list[str] | None = None
    state: str = ""


class _KnownExploited(_Struct):
    cve: str = ""


class _Vulnerability(_Struct):
    id: str = ""
    dataSource: str = ""
    severity: str = ""
    description: str = ""
    cvss: list[_Cvss] | None = None
    fix: _Fix | None = None
    knownExploited: list[_KnownExploited] | None = None


class _Related(_Struct):
    id: str = ""
    dataSource: str = ""
    namespace: str = ""
    severity: str = ""
    description: str = ""
    cvss: list[_Cvss] | None = None


class _Location(_Struct):
    path: str = ""


class _Artifact(_Struct):
    name: str = ""
    version: str = ""
    type: str = ""
    purl: str = ""
    locations: list[_Location] | None = None


class _Match(_Struct):
    vulnerability: _Vulnerability
    artifact: _Artifact
    relatedVulnerabilities: list[_Related] | None = None


class _Image(_Struct):
    userInput: str = ""
    imageID: str = ""
    manifestDigest: str = ""
    tags: list[str] | None = None
    repoDigests: list[str] | None = None


class _Source(_Struct):
    type: str = ""
    target: _Image | str | None = None


class _Distribution(_Struct):
    name: str = ""
    version: str = ""


class _Ignored(_Struct):
    vulnerability: _Vulnerability | None = None


class _Descriptor(_Struct):
    timestamp: str = ""


class _Report(_Struct):
    matches: list[_Match] | None
    ignoredMatches: list[_Ignored] | None = None
    source: _Source | None = None
    distro: _Distribution | None = None
    descriptor: _Descriptor | None = None


_OS_PACKAGES = frozenset(
    {"deb", "rpm", "apk", "alpm", "portage", "msrc-kb", "kb", "linux-kernel", "linux-kernel-module"}
)
_TIMESTAMP = re.compile(rb'"timestamp"\s*:\s*"([^"]+)"')


def recognise(head: Head) -> int:
    if head.kind != "object" or not head.has("matches"):
        return 0
    descriptor = head.first.get("descriptor")
    if isinstance(descriptor, dict) and descriptor.get("name", "grype") != "grype":
        return 0  # Xeol writes the same frame
    if not re.search(r'"matches"\s*:\s*\[\s*{', head.text):
        return 90 if head.has("source") or head.has("descriptor") else 0
    marks = ('"vulnerability"', '"artifact"')
    return 100 if all(mark in head.text for mark in marks) else 0


def observed(report: Report) -> datetime | None:
    found = _TIMESTAMP.findall(report.data[-65536:])
    return parse_time(found[-1].decode("utf-8", "replace")) if found else None


def _target(report: Report, source: _Source) -> Resource:
    if report.options.get("resource"):
        return scanned_target(report)
    if isinstance(source.target, _Image):
        image = source.target
        tags = list(image.tags or ())
        digests = list(image.repoDigests or ())
        name = image.userInput
        usable = name and name != "REDACTED" and not name.startswith(("/", ".", "sha256:"))
        if usable and "@" not in name and name not in tags and not name.endswith(".tar"):
            tags.insert(0, name)
        elif usable and "@" in name and name not in digests:
            digests.insert(0, name)
        identity = image.imageID or image.manifestDigest
        if not tags and not digests and not identity:
            return Resource(uid=report.unnamed, type="container_image", name=report.name)
        return image_resource(tags, digests, identity, "$.source.target")
    name = source.target if isinstance(source.target, str) else ""
    return scanned_target(report, name)


def read(report: Report) -> Iterator[AnyRecord]:
    document: _Report = report.json(_Report)
    source = document.source or _Source()
    target = _target(report, source)
    yield target
    is_image = target.type == "container_image"
    distribution = document.distro.name if document.distro else ""
    os_type = "container_image_vulnerability"
    if not is_image:
        os_type = "host_vulnerability"
    uid = target.uid
    for index, match in enumerate(document.matches or ()):
        item, artifact = match.vulnerability, match.artifact
        at = f"$.matches[{index}]"
        if not item.id:
            yield Skipped(reason="a match without a vulnerability id", place=at)
            continue
        is_os = artifact.type in _OS_PACKAGES
        related = match.relatedVulnerabilities or ()
        nvd = next((r for r in related if r.namespace.startswith("nvd")), None)
        score, vector = _score(item, related)
        severity = severity_from_word(item.severity)
        description = item.description or (nvd.description if nvd else "")
        ecosystem = distribution if is_os and distribution else artifact.type
        path = artifact.locations[0].path if artifact.locations else ""
        yield Finding(
            type=os_type if is_os else "library_vulnerability",
            resource=uid,
            rule=item.id,
            title=f"{item.id} in {artifact.name}",
            severity=severity if severity != "unknown" else severity_from_score(score),
            severity_word=item.severity,
            description=description,
            vulnerability=item.id,
            vulnerability_aliases=tuple(
                dict.fromkeys(r.id for r in related if r.id and r.id != item.id)
            ),
            purl=artifact.purl or make_purl(ecosystem, artifact.name, artifact.version),
            package=artifact.name,
            version=artifact.version,
            fixed_version=", ".join(item.fix.versions or ()) if item.fix else "",
            score=score,
            vector=vector,
            location="" if is_os else path,
            url=item.dataSource,
            exploit_known="active" if item.knownExploited else "",
            place=at,
        )
    for index, ignored in enumerate(document.ignoredMatches or ()):
        name = ignored.vulnerability.id if ignored.vulnerability else "match"
        yield Skipped(
            reason=f"{name} is ignored by Grype's rules",
            harmless=True,
            place=f"$.ignoredMatches[{index}]",
        )
    if document.source is not None:
        yield Scope(key=uid, types=(os_type, "library_vulnerability"))


def _score(
    item: _Vulnerability, related: list[_Related] | tuple[_Related, ...]
) -> tuple[float | None, str]:
    """The match's own CVSS, else that of the related records (NVD)."""
    own = item.cvss or []
    others = [c for r in related for c in r.cvss or ()]
    # Primary is NVD's or the issuer's word, Secondary another's.
    scores = sorted(own, key=lambda c: c.type == "Secondary") + others
    return best_score(
        (
            cvss_generation(c.vector, c.version),
            c.metrics.baseScore if c.metrics else None,
            c.vector,
        )
        for c in scores
    )
