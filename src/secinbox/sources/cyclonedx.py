"""CycloneDX 1.0 to 1.7, JSON and XML: SBOM (components), VDR (findings), VEX (statements).

Components become `Component` records of what the BOM describes. A vulnerability is a finding
unless its analysis says that it does not apply; every analysis is a statement too. An affected
reference that the BOM does not hold (a BOM-Link) gives the statement only. Source:
cyclonedx.org/docs; Trivy's and Grype's property names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import unquote

from secinbox.reading import Head, Report, parse_time
from secinbox.records import (
    AnyRecord,
    Component,
    Finding,
    Relation,
    Resource,
    Scope,
    Statement,
)
from secinbox.sources._cyclonedx_xml import bom_of
from secinbox.sources._names import image_resource, repository_resource, scanned_target
from secinbox.sources._packages import (
    best_score,
    cvss_generation,
    is_os_purl,
    make_purl,
    purl_name,
    purl_version,
)
from secinbox.sources._sarif import system_ecosystem, tool_name
from secinbox.sources._shape import Node
from secinbox.vocabulary import severity_from_score, severity_from_word

TITLE = "CycloneDX"

_STATUS = {
    "not_affected": "not_affected",
    "false_positive": "not_affected",
    "resolved": "fixed",
    "resolved_with_pedigree": "fixed",
    "exploitable": "affected",
    "in_triage": "under_investigation",
}
_LIVE = ("affected", "under_investigation", "")
# Libraries that only write the format: not the tool that found anything.
_WRITERS = re.compile(r"^cyclonedx|^cdxgen$|^node-js-module$|^cli$")


def recognise(head: Head) -> int:
    if head.kind == "object" and head.first.get("bomFormat") == "CycloneDX":
        return 100
    if head.kind == "object" and head.has("bomFormat", "specVersion"):
        return 95
    if head.kind == "xml" and re.search(
        r"<(\w+:)?bom[^>]*cyclonedx\.org/schema/bom", head.text[:8192]
    ):
        return 100
    return 0


def observed(report: Report) -> datetime | None:
    found = re.search(
        rb'"timestamp"\s*:\s*"([^"]+)"|<timestamp>([^<]+)</timestamp>', report.data[:65536]
    )
    if not found:
        return None
    return parse_time((found.group(1) or found.group(2)).decode("utf-8", "replace"))


def read(report: Report) -> Iterator[AnyRecord]:
    is_xml = report.text.lstrip("\ufeff \t\r\n").startswith("<")
    bom = Node(bom_of(report) if is_xml else report.json()).require_object()
    tool = _tool(bom)
    main = bom.at("metadata", "component")
    target = _subject(report, main)
    yield target
    service = _service_name(main)
    if service and target.type != "service":
        yield Relation(source=target.uid, kind="part_of", target=f"service:{service}")
    components: dict[str, Node] = {}
    for node in _walk(bom):
        reference = node.text("bom-ref") or node.text("purl")
        components.setdefault(reference, node)
        name, version = node.text("name"), node.text("version")
        purl = node.text("purl")
        if purl and name:
            yield Component(
                resource=target.uid, purl=purl, name=name, version=version, place=node.place
            )
    if main.is_object:
        components.setdefault(main.text("bom-ref"), main)
    for service_node in bom.objects("services"):
        components.setdefault(service_node.text("bom-ref"), service_node)
    components.pop("", None)
    found = False
    for item in bom.objects("vulnerabilities"):
        for record in _vulnerability(item, target, components, tool):
            found = found or isinstance(record, Finding)
            yield record
    # Trivy writes an empty list also when it did not look, and a VEX is no scan.
    if found and tool and any(True for _ in bom.objects("components")):
        image = target.type == "container_image"
        kind = "container_image_vulnerability" if image else "host_vulnerability"
        yield Scope(key=target.uid, types=(kind, "library_vulnerability"), tool=tool)


def _walk(bom: Node) -> Iterator[Node]:
    stack = list(bom.objects("components"))[::-1]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(list(node.objects("components"))[::-1])


def _tool(bom: Node) -> str:
    tools = bom.at("metadata", "tools")
    listed = (
        [*tools.objects("components"), *tools.objects("services")]
        if tools.is_object
        else list(tools.objects())
    )
    for node in listed:
        name = tool_name(node.text("name"))
        if name != "sarif" and not _WRITERS.match(name):
            return name
    return ""


def _properties(node: Node) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in node.objects("properties"):
        found.setdefault(item.text("name").rpartition(":")[2], []).append(item.text("value"))
    return found


def _service_name(main: Node) -> str:
    """The name of an application or library that a BOM describes; not a path."""
    if not main.is_object or main.text("type") not in ("application", "library", "framework"):
        return ""
    name = main.text("name")
    return (
        name
        if re.fullmatch(r"@?[A-Za-z0-9][\w.@ +-]*(/[\w.-]+)?", name)
        and ("." not in name or main.text("purl"))
        and not ("/" in name and not name.startswith("@"))
        else ""
    )


def _subject(report: Report, main: Node) -> Resource:
    """What the BOM describes."""
    if report.options.get("resource") or not main.is_object:
        return scanned_target(report)
    name, version, purl = main.text("name"), main.text("version"), main.text("purl")
    if main.text("type") == "container" or purl.startswith(("pkg:oci/", "pkg:docker/")):
        bag = _properties(main)
        tags, digests = bag.get("RepoTag", []), bag.get("RepoDigest", [])
        archive = name.endswith((".tar", ".tar.gz", ".tgz"))
        if name and not archive and not tags:
            tag = version if version and not version.startswith("sha256:") else ""
            tags = [name if ":" in name.rpartition("/")[2] or not tag else f"{name}:{tag}"]
        found = re.search(r"@(sha256(?::|%3A)[0-9a-f]{64})", purl)
        where = re.search(r"repository_url=([^&]+)", purl)
        if found and not digests and where:
            digests = [f"{unquote(where.group(1))}@{unquote(found.group(1))}"]
        image = next(iter(bag.get("ImageID", [])), "")
        if tags or digests or image:
            return image_resource(tags, digests, image, main.place)
        return Resource(uid=report.unnamed, type="container_image", name=name, place=main.place)
    for kind in ("github", "gitlab", "bitbucket"):
        if purl.startswith(f"pkg:{kind}/"):
            host = {"bitbucket": "bitbucket.org"}.get(kind, f"{kind}.com")
            return repository_resource(f"{host}/{purl_name(purl)}", main.place)
    service = _service_name(main)
    if service:
        return Resource(uid=f"service:{service}", type="service", name=service, place=main.place)
    if main.text("type") in ("device", "operating-system", "platform") and name:
        return Resource(uid=f"host:{name}", type="host", name=name, place=main.place)
    return scanned_target(report)


def _ratings(item: Node) -> tuple[str, str, float | None, str]:
    """Severity, the word, score and vector: the rating of the record's own source first."""
    source = item.text("source", "name") if item.at("source").is_object else ""
    ratings = sorted(
        item.objects("ratings"),
        key=lambda r: not (r.at("source").is_object and r.text("source", "name") == source),
    )
    word = next((r.text("severity") for r in ratings if r.text("severity")), "")
    listed = [r for r in ratings if "OWASP" not in r.text("method").upper()]
    word = next((r.text("severity") for r in listed if r.text("severity")), word)
    score, vector = best_score(
        (
            cvss_generation(r.text("vector"), _version(r.text("method"))),
            r.number("score"),
            r.text("vector"),
        )
        for r in listed
        if "SSVC" not in r.text("method").upper()
    )
    severity = severity_from_word(word)
    return severity if severity != "unknown" else severity_from_score(score), word, score, vector


def _version(method: str) -> str:
    """`3.1` of `CVSSv31`."""
    digits = re.sub(r"\D", "", method)
    return ".".join(digits[:2]) if digits else ""


def _vulnerability(
    item: Node, target: Resource, components: dict[str, Node], tool: str
) -> Iterator[AnyRecord]:
    identifier = item.text("id") or item.text("bom-ref")
    names = [n for r in item.objects("references") if (n := r.text("id"))]
    aliases = tuple(dict.fromkeys(n for n in names if re.match(r"[A-Z]+-", n) and n != identifier))
    analysis = item.at("analysis")
    state = analysis.text("state") if analysis.is_object else ""
    status = _STATUS.get(state, "")
    affected = list(item.objects("affects"))
    known = [(a, components.get(unquote(a.text("ref")))) for a in affected]
    known = [(a, c or components.get(a.text("ref"))) for a, c in known]
    if status:
        yield Statement(
            vulnerability=identifier,
            status=status,
            products=tuple(
                dict.fromkeys(
                    (c.text("purl") or c.text("name")) if c is not None else a.text("ref")
                    for a, c in known
                )
            ),
            within=(target.uid,) if any(c is not None for _, c in known) else (),
            vulnerability_aliases=aliases,
            justification=analysis.text("justification"),
            text=analysis.text("detail"),
            time=parse_time(item.text("updated") or item.text("published")),
            tool=tool,
            place=item.place,
        )
    if status not in _LIVE:
        return
    severity, word, score, vector = _ratings(item)
    advice = item.text("recommendation")
    source = item.at("source")
    places: list[tuple[Node, Node | None]] = list(known) or [(item, None)]
    for affect, component in places:
        reference = affect.text("ref") if affected else ""
        if component is None and state and not reference.startswith("pkg:"):
            continue  # in another document; the statement above says it
        purl = component.text("purl") if component is not None else ""
        if not purl and reference.startswith("pkg:"):
            purl = reference
        name = component.text("name") if component is not None else purl_name(purl)
        version = component.text("version") if component is not None else purl_version(purl)
        group = component.text("group") if component is not None else ""
        if not purl and component is not None and identifier.startswith("PYSEC-"):
            purl = make_purl("pypi", name, version)  # pip-audit writes no package URLs
        if not purl and target.type == "container_image":
            purl = make_purl(system_ecosystem(version), name, version)  # Grype before 0.40
        fixed = [
            v.text("version")
            for v in affect.objects("versions")
            if v.text("status") == "unaffected"
        ]
        found = re.match(r"Upgrade \S+ to (?:version )?(.+)", advice)
        kind = "library_vulnerability"
        if is_os_purl(purl) or (
            component is not None and component.text("type") == "operating-system"
        ):
            image = target.type == "container_image"
            kind = "container_image_vulnerability" if image else "host_vulnerability"
        yield Finding(
            type=kind,
            resource=target.uid,
            rule=identifier,
            title=f"{identifier} in {name}" if name else identifier,
            severity=severity,
            severity_word=word,
            description=item.text("description") or item.text("detail"),
            vulnerability=identifier,
            vulnerability_aliases=aliases,
            purl=purl,
            package=f"{group}:{name}" if group and purl.startswith("pkg:maven") else name,
            version=version,
            fixed_version=", ".join(fixed) or (found.group(1) if found else ""),
            score=score,
            vector=vector,
            remediation=advice,
            url=(source.text("url") if source.is_object else "")
            or next((a.text("url") for a in item.objects("advisories")), ""),
            tool=tool,
            place=affect.place,
        )
