"""SPDX 2.2 and 2.3, JSON, YAML and tag-value: packages, and the advisories that they refer to.

SPDX 2 has no vulnerabilities; a package may refer to security advisories (`SECURITY advisory`),
which Trivy and others fill. Each id in one is a finding of unknown severity..
Source: spdx.github.io/spdx-spec/v2.3, annex F (external references).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from secinbox.reading import Head, Report, ReportError, parse_time
from secinbox.records import AnyRecord, Component, Finding, Resource
from secinbox.sources._names import image_resource, scanned_target
from secinbox.sources._packages import is_os_purl, vulnerability_ids
from secinbox.sources._shape import Node
from secinbox.sources._yaml import load_yaml

TITLE = "SPDX"


def recognise(head: Head) -> int:
    if head.kind == "object" and head.has("spdxVersion"):
        return 100
    if head.kind == "yaml":
        if re.search(r"^SPDXVersion:\s*SPDX-", head.text[:4096], re.M):
            return 100
        if re.search(r"^spdxVersion:\s*[\"']?SPDX-", head.text, re.M):
            return 100
    return 0


def observed(report: Report) -> datetime | None:
    found = re.search(rb'"?[Cc]reated"?\s*:\s*"?([0-9TZ:.+-]+)', report.data[:65536])
    return parse_time(found.group(1).decode("ascii", "replace")) if found else None


def _document(report: Report) -> Node:
    text = report.text.lstrip("\ufeff \t\r\n")
    if text.startswith("{"):
        return Node(report.json()).require_object()
    if re.search(r"^SPDXVersion:", text[:4096], re.M):
        return Node(_tag_values(text))
    return Node(load_yaml(text, "an SPDX document")).require_object()


def _tag_values(text: str) -> dict[str, Any]:
    document: dict[str, Any] = {"packages": [], "creationInfo": {"creators": []}}
    package: dict[str, Any] | None = None
    for line in text.splitlines():
        tag, colon, value = line.partition(":")
        value = value.strip()
        if not colon:
            continue
        if tag == "SPDXVersion":
            document["spdxVersion"] = value
        elif tag == "DocumentName":
            document["name"] = value
        elif tag == "Creator":
            document["creationInfo"]["creators"].append(value)
        elif tag == "PackageName":
            package = {"name": value, "externalRefs": []}
            document["packages"].append(package)
        elif tag in ("FileName", "SnippetSPDXID"):
            package = None
        elif package is not None and tag == "PackageVersion":
            package["versionInfo"] = value
        elif package is not None and tag == "SPDXID":
            package["SPDXID"] = value
        elif package is not None and tag == "ExternalRef":
            words = value.split(None, 2)
            if len(words) == 3:
                package["externalRefs"].append(
                    dict(
                        zip(
                            ("referenceCategory", "referenceType", "referenceLocator"),
                            words,
                            strict=True,
                        )
                    )
                )
    return document


def _subject(report: Report, document: Node) -> Resource:
    """The image that the document describes, when it says so."""
    if not report.options.get("resource"):
        for package in document.objects("packages"):
            purpose = package.text("primaryPackagePurpose").upper()
            identifier = package.text("SPDXID")
            purls = [
                r.text("referenceLocator")
                for r in package.objects("externalRefs")
                if r.text("referenceType") == "purl"
            ]
            if (
                purpose == "CONTAINER"
                or "ContainerImage" in identifier
                or any(p.startswith("pkg:oci/") for p in purls)
            ):
                name = package.text("name")
                digests = [
                    f"{name.rpartition(':')[0] or name}@{found.group(1)}"
                    for p in purls
                    if (found := re.search(r"@(sha256:[0-9a-f]{64})", p.replace("%3A", ":")))
                ]
                return image_resource([name], digests, place=package.place)
    return scanned_target(report)


def read(report: Report) -> Iterator[AnyRecord]:
    document = _document(report)
    version = document.text("spdxVersion")
    if not re.match(r"SPDX-2\.", version):
        raise ReportError(
            f"{version or 'this SPDX version'} is not supported",
            "$.spdxVersion",
            "write the SBOM as SPDX 2.3 or CycloneDX",
        )
    target = _subject(report, document)
    yield target
    creators = document.strings("creationInfo", "creators")
    tool = next((c[6:] for c in creators if c.startswith("Tool: ")), "")
    tool = re.sub(r"-v?\d.*$|-dev$", "", tool).lower()
    for package in document.objects("packages"):
        name, number = package.text("name"), package.text("versionInfo")
        purl, advisories, others, fixes = "", [], [], []
        for reference in package.objects("externalRefs"):
            kind = reference.text("referenceType").rpartition("#")[2]
            locator = reference.text("referenceLocator")
            category = reference.text("referenceCategory").replace("_", "-").upper()
            if kind == "purl":
                purl = purl or locator
            elif category == "SECURITY" and kind == "advisory":
                advisories.append((locator, reference.place))
            elif category == "SECURITY" and kind == "url":
                others.append((locator, reference.place))
            elif category == "SECURITY" and kind == "fix":
                fixes.append(locator)
        if purl and not purl.startswith("pkg:oci/"):
            yield Component(
                resource=target.uid, purl=purl, name=name, version=number, place=package.place
            )
        seen: set[str] = set()
        for locator, place in advisories or others:
            for identifier in vulnerability_ids(locator):
                if identifier in seen:
                    continue
                seen.add(identifier)
                system = is_os_purl(purl)
                image = target.type == "container_image"
                os_type = "container_image_vulnerability" if image else "host_vulnerability"
                yield Finding(
                    type=os_type if system else "library_vulnerability",
                    resource=target.uid,
                    rule=identifier,
                    title=f"{identifier} in {name}",
                    vulnerability=identifier,
                    purl=purl,
                    package=name,
                    version=number,
                    remediation="\n".join(fixes),
                    url=locator,
                    tool=tool,
                    place=place,
                )
