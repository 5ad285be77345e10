"""Trivy JSON: images, file systems, repositories, virtual machines, configuration, Kubernetes.

Shapes (aquasecurity/trivy, pkg/types/report.go and pkg/k8s/report): the object with
`SchemaVersion` 2; the list of results that Trivy wrote before 0.20; the cluster report with
`ClusterName` and `Resources` (also `Findings`, and before 0.38 `Vulnerabilities` and
`Misconfigurations`). Licences and package lists are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from secinbox.reading import Head, Report, ReportError, parse_time
from secinbox.records import AnyRecord, Finding, Passed, Relation, Resource, Scope, Skipped
from secinbox.sources._code import Anchors, access_key_id, azure_opens, clean_path
from secinbox.sources._names import (
    aws_resource,
    cluster_of,
    host_resource,
    image_resource,
    kubernetes_resource,
    scanned_target,
)
from secinbox.sources._packages import best_score, make_purl
from secinbox.sources._shape import first_character
from secinbox.vocabulary import severity_from_score, severity_from_word

TITLE = "Trivy"
SHARED = True  # its long arrays are read through `Report.items`


class _Struct(msgspec.Struct, gc=False):
    pass


class _Cvss(_Struct):
    V2Vector: str = ""
    V3Vector: str = ""
    V40Vector: str = ""
    V2Score: float | None = None
    V3Score: float | None = None
    V40Score: float | None = None


class _Identifier(_Struct):
    PURL: str = ""


class _Vulnerability(_Struct):
    VulnerabilityID: str = ""
    VendorIDs: list[str] | None = None
    PkgName: str = ""
    PkgPath: str = ""
    PkgIdentifier: _Identifier | None = None
    InstalledVersion: str = ""
    FixedVersion: str = ""
    Status: str | int = ""
    PrimaryURL: str = ""
    Title: str = ""
    Description: str = ""
    Severity: str = ""
    CVSS: dict[str, _Cvss] | None = None


class _CodeLine(_Struct):
    Content: str = ""
    IsCause: bool = False


class _Code(_Struct):
    Lines: list[_CodeLine] | None = None


class _Cause(_Struct):
    Resource: str = ""
    Provider: str = ""
    Service: str = ""
    StartLine: int = 0


class _Misconfiguration(_Struct):
    Type: str = ""
    ID: str = ""
    AVDID: str = ""
    Title: str = ""
    Description: str = ""
    Message: str = ""
    Resolution: str = ""
    Severity: str = ""
    PrimaryURL: str = ""
    Status: str = ""
    CauseMetadata: _Cause | None = None


class _Secret(_Struct):
    RuleID: str = ""
    Category: str = ""
    Severity: str = ""
    Title: str = ""
    StartLine: int = 0
    Match: str = ""
    Code: _Code | None = None


class _Summary(_Struct):
    Successes: int = 0
    Exceptions: int = 0


class _Modified(_Struct):
    Type: str = ""
    Status: str = ""
    Statement: str = ""


class _Result(_Struct):
    Target: str = ""
    Class: str = ""
    Type: str = ""
    Vulnerabilities: list[msgspec.Raw] | None = None  # of _Vulnerability: by far the longest array
    Misconfigurations: list[_Misconfiguration] | None = None
    MisconfSummary: _Summary | None = None
    Secrets: list[_Secret] | None = None
    ExperimentalModifiedFindings: list[_Modified] | None = None


class _Os(_Struct):
    Family: str = ""
    Name: str = ""


class _Metadata(_Struct):
    OS: _Os | None = None
    ImageID: str = ""
    RepoTags: list[str] | None = None
    RepoDigests: list[str] | None = None
    RepoURL: str = ""
    Branch: str = ""


class _Workload(_Struct):
    Namespace: str = ""
    Kind: str = ""
    Name: str = ""
    # One object before 0.58, a list (one for each image) since.
    Metadata: _Metadata | list[_Metadata] | None = None
    Results: list[_Result] | None = None
    Error: str = ""


class _Report(_Struct):
    SchemaVersion: int = 0
    CreatedAt: str = ""
    ArtifactName: str = ""
    ArtifactType: str = ""
    Metadata: _Metadata | None = None
    Results: list[_Result] | None = None
    ClusterName: str = ""
    Resources: list[_Workload] | None = None
    Findings: list[_Workload] | None = None
    Vulnerabilities: list[_Workload] | None = None
    Misconfigurations: list[_Workload] | None = None


_OS_TYPES = frozenset(
    {
        *("alpine", "debian", "ubuntu", "redhat", "centos", "rocky", "alma", "amazon", "oracle"),
        *("fedora", "photon", "suse", "opensuse", "opensuse.leap", "opensuse.tumbleweed"),
        *("opensuse-leap", "opensuse-tumbleweed", "sles", "slem", "slem-micro", "wolfi"),
        *("chainguard", "azurelinux", "cbl-mariner", "mariner", "minimos", "bottlerocket"),
        *("echo", "coreos", "activestate", "suse linux enterprise server"),
    }
)
_CLASSES = re.compile(r'"Class"\s*:\s*"(os-pkgs|lang-pkgs|config)"')
_CREATED = re.compile(rb'"CreatedAt"\s*:\s*"([^"]+)"')


def recognise(head: Head) -> int:
    if head.kind == "object":
        if head.has("SchemaVersion") and (head.keys & {"ArtifactName", "Trivy", "Results"}):
            return 100
        # Hand-cut reports: `Results` of Trivy's own classes.
        if head.has("ArtifactName", "ArtifactType"):
            return 95
        lists = {"Resources", "Findings", "Vulnerabilities", "Misconfigurations"}
        if head.has("ClusterName") and head.keys & lists:
            return 100
        if head.has("Results") and re.search(
            r'"Class"\s*:\s*"(os-pkgs|lang-pkgs|config)"', head.text
        ):
            return 80
    if (
        head.kind == "array"
        and head.has("Target")
        and (head.keys & {"Vulnerabilities", "Misconfigurations", "Secrets", "Type", "Class"})
    ):
        return 90
    return 0


def observed(report: Report) -> datetime | None:
    found = _CREATED.search(report.data[:65536])
    return parse_time(found.group(1).decode("utf-8", "replace")) if found else None


def read(report: Report) -> Iterator[AnyRecord]:
    if not report.leads:
        yield from _shared(report)
        return
    if first_character(report.data) == "[":
        results: list[_Result] = report.json(list[_Result])
        yield from _legacy(report, results)
        return
    document: _Report = report.json(_Report)
    workloads = [
        (f"$.{name}[{index}]", workload)
        for name in ("Resources", "Findings", "Vulnerabilities", "Misconfigurations")
        for index, workload in enumerate(getattr(document, name) or ())
    ]
    if workloads or (document.ClusterName and not document.Results):
        yield from _cluster(report, document.ClusterName, workloads)
        return
    yield from _artifact(report, document)


def _shared(report: Report) -> Iterator[AnyRecord]:
    """Another reader's part: vulnerabilities of the one target; the first reads all the rest."""
    if first_character(report.data) == "{":
        document: _Report = report.json(_Report)
        if not document.ClusterName and document.Results:
            target = _target(report, document)
            reader = _Reader(target, _default_branch(document), report)
            for index, result in enumerate(document.Results):
                yield from reader.vulnerabilities(result, f"$.Results[{index}]")


def _default_branch(document: _Report) -> bool:
    metadata = document.Metadata or _Metadata()
    return metadata.Branch in ("", "main", "master", "trunk")


def _target(report: Report, document: _Report) -> Resource:
    metadata = document.Metadata or _Metadata()
    results = document.Results or []
    kind = document.ArtifactType
    has_os = any(_is_os(r) for r in results) or metadata.OS is not None
    if kind == "aws_account":
        return Resource(
            uid=f"aws:{document.ArtifactName}",
            type="aws_account",
            provider="aws",
            name=document.ArtifactName,
            account=document.ArtifactName,
        )
    if kind == "container_image" or metadata.ImageID or metadata.RepoTags:
        return _image(metadata, document.ArtifactName, report)
    if kind == "vm" or (kind in ("filesystem", "rootfs") and has_os):
        return _host(report, document.ArtifactName)
    return scanned_target(report, metadata.RepoURL or document.ArtifactName)


def _artifact(report: Report, document: _Report) -> Iterator[AnyRecord]:
    target = _target(report, document)
    yield target
    classes: set[str] = set()
    reader = _Reader(target, _default_branch(document), report)
    for index, result in enumerate(document.Results or ()):
        classes.add(result.Class)
        yield from reader.result(result, f"$.Results[{index}]")
    os_type = (
        "host_vulnerability"
        if target.type in ("host", "aws_ec2_instance")
        else ("container_image_vulnerability")
    )
    types: tuple[str, ...] = ()
    if classes & {"os-pkgs", "lang-pkgs"}:
        types += (os_type, "library_vulnerability")
    if "config" in classes:
        types += ("iac_misconfiguration",)
    if "secret" in classes:
        types += ("secret",)
    if types and target.type != "aws_account":
        yield Scope(key=target.uid, types=types)


def _legacy(report: Report, results: list[_Result]) -> Iterator[AnyRecord]:
    """Trivy before 0.20: the target stands in each result."""
    option = report.options.get("resource", "")
    named: dict[str, Resource] = {}
    for index, result in enumerate(results):
        if _is_os(result) and not option:
            key = result.Target.partition(" (")[0]
            target = named.get(key) or image_resource([key], [], place=f"$[{index}]")
        else:
            key = ""
            target = named.get(key) or next(iter(named.values()), None) or scanned_target(report)
        if target.uid not in {t.uid for t in named.values()}:
            yield target
        named.setdefault(key, target)
        yield from _Reader(target, True, report).result(result, f"$[{index}]")


def _cluster(
    report: Report, name: str, workloads: list[tuple[str, _Workload]]
) -> Iterator[AnyRecord]:
    cluster = cluster_of(report, name)
    seen: set[str] = set()
    for place, workload in workloads:
        if not workload.Name:
            raise ReportError("a Kubernetes resource without a name", place, "update Trivy")
        owner = kubernetes_resource(
            cluster, workload.Namespace, workload.Kind, workload.Name, place
        )
        if owner.uid not in seen:
            seen.add(owner.uid)
            yield owner
        if workload.Error:
            yield Skipped(reason=f"Trivy could not scan it: {workload.Error[:200]}", place=place)
        images = workload.Metadata if isinstance(workload.Metadata, list) else [workload.Metadata]
        known = [m for m in images if m and (m.RepoTags or m.RepoDigests or m.ImageID)]
        image: Resource | None = None
        for index, result in enumerate(workload.Results or ()):
            if _is_os(result):
                reference = result.Target.partition(" (")[0]
                image = next(
                    (
                        image_resource(m.RepoTags or [], m.RepoDigests or [], m.ImageID, place)
                        for m in known
                        if reference in (m.RepoTags or ())
                    ),
                    None,
                ) or image_resource([reference], [], place=place)
            elif image is None and len(known) == 1:
                only = known[0]
                image = image_resource(
                    only.RepoTags or [], only.RepoDigests or [], only.ImageID, place
                )
            if image is not None and image.uid not in seen:
                seen.add(image.uid)
                yield image
            if image is not None and f"{owner.uid} {image.uid}" not in seen:
                seen.add(f"{owner.uid} {image.uid}")
                yield Relation(source=owner.uid, kind="runs", target=image.uid, place=place)
            holder = image if image is not None and result.Vulnerabilities else owner
            yield from _Reader(holder, True, report).result(result, f"{place}.Results[{index}]")


def _image(metadata: _Metadata, name: str, report: Report) -> Resource:
    tags = list(metadata.RepoTags or ())
    archive = name.endswith((".tar", ".tar.gz", ".tgz")) or name.startswith(("/", "./"))
    if name and not archive and name not in tags:
        tags.insert(0, name)
    option = report.options.get("resource", "")
    if option:
        return Resource(uid=option, type="container_image", name=option.removeprefix("image:"))
    if not tags and not metadata.RepoDigests and not metadata.ImageID:
        return Resource(uid=report.unnamed, type="container_image", name=report.name)
    return image_resource(tags, list(metadata.RepoDigests or ()), metadata.ImageID, "$.Metadata")


def _host(report: Report, name: str) -> Resource:
    option = report.options.get("resource", "")
    if option:
        return Resource(uid=option, type="host", name=option.removeprefix("host:"))
    if (
        re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*", name)
        and name not in ("rootfs", "vm")
        and (not name.endswith((".img", ".raw", ".vmdk", ".qcow2")))
    ):
        return host_resource(name, "$.ArtifactName")
    return Resource(uid=report.unnamed, type="host", name=name or report.name)


def _is_os(result: _Result) -> bool:
    if result.Class:
        return result.Class == "os-pkgs"
    return result.Type.lower() in _OS_TYPES


class _Reader:
    """One target's results as findings."""

    def __init__(self, target: Resource, default_branch: bool, report: Report) -> None:
        self.target = target
        self.report = report
        self.default_branch = default_branch
        self.anchors = Anchors()
        host = target.type in ("host", "aws_ec2_instance")
        self.os_type = "host_vulnerability" if host else "container_image_vulnerability"
        live = target.type.startswith("kubernetes_") or target.type == "aws_account"
        self.configuration = "misconfiguration" if live else "iac_misconfiguration"

    def result(self, result: _Result, place: str) -> Iterator[AnyRecord]:
        yield from self.vulnerabilities(result, place)
        if result.Misconfigurations:
            yield from self._misconfigurations(result, place)
        elif result.MisconfSummary and result.MisconfSummary.Successes > 0:
            yield Passed(count=result.MisconfSummary.Successes)
        if result.Secrets:
            yield from self._secrets(result, place)
        for index, modified in enumerate(result.ExperimentalModifiedFindings or ()):
            reason = f"suppressed in Trivy ({modified.Status}): {modified.Statement}"
            yield Skipped(
                reason=reason.rstrip(": "),
                harmless=True,
                place=f"{place}.ExperimentalModifiedFindings[{index}]",
            )

    def vulnerabilities(self, result: _Result, place: str) -> Iterator[AnyRecord]:
        is_os = _is_os(result)
        kind = self.os_type if is_os else "library_vulnerability"
        target, uid, ecosystem = result.Target, self.target.uid, result.Type
        place += ".Vulnerabilities"
        for index, item in self.report.items(result.Vulnerabilities or (), _Vulnerability, place):
            at = f"{place}[{index}]"
            identifier = item.VulnerabilityID
            if not identifier:
                yield Skipped(reason="an entry without a vulnerability id", place=at)
                continue
            score, vector = _score(item.CVSS) if item.CVSS else (None, "")
            severity = severity_from_word(item.Severity)
            purl = item.PkgIdentifier.PURL if item.PkgIdentifier else ""
            yield Finding(
                type=kind,
                resource=uid,
                rule=identifier,
                title=item.Title or f"{identifier} in {item.PkgName}",
                severity=severity if severity != "unknown" else severity_from_score(score),
                severity_word=item.Severity,
                description=item.Description,
                vulnerability=identifier,
                vulnerability_aliases=tuple(item.VendorIDs) if item.VendorIDs else (),
                purl=purl or make_purl(ecosystem, item.PkgName, item.InstalledVersion),
                package=item.PkgName,
                version=item.InstalledVersion,
                fixed_version=item.FixedVersion,
                score=score,
                vector=vector,
                location=item.PkgPath or ("" if is_os else target),
                url=item.PrimaryURL,
                default_branch=self.default_branch,
                place=at,
            )

    def _misconfigurations(self, result: _Result, place: str) -> Iterator[AnyRecord]:
        passed = result.MisconfSummary.Successes if result.MisconfSummary else 0
        counted = 0
        path = clean_path(result.Target)
        for index, item in enumerate(result.Misconfigurations or ()):
            at = f"{place}.Misconfigurations[{index}]"
            if item.Status == "PASS":
                counted += 1
                continue
            if item.Status == "EXCEPTION":
                yield Skipped(reason="excepted in Trivy", harmless=True, place=at)
                continue
            cause = item.CauseMetadata or _Cause()
            rule = item.ID or item.AVDID
            resource = self.target.uid
            if self.target.type == "aws_account":
                cloud = aws_resource(
                    cause.Resource or result.Target, account=self.target.account, place=at
                )
                resource = cloud.uid
                yield cloud
            location = "" if self.configuration == "misconfiguration" else path
            yield Finding(
                type=self.configuration,
                resource=resource,
                rule=rule,
                title=item.Title or rule,
                severity=severity_from_word(item.Severity),
                severity_word=item.Severity,
                description="\n\n".join(t for t in (item.Message, item.Description) if t),
                location=location,
                line=max(cause.StartLine, 0),
                anchor=self.anchors.exact(rule, path, cause.Resource or item.Message),
                remediation=item.Resolution,
                url=item.PrimaryURL,
                default_branch=self.default_branch,
                place=at,
            )
        # The summary counts passed checks also where the list leaves them out.
        if max(passed, counted) > 0:
            yield Passed(count=max(passed, counted))

    def _secrets(self, result: _Result, place: str) -> Iterator[AnyRecord]:
        path = clean_path(result.Target)
        for index, item in enumerate(result.Secrets or ()):
            anchor = self.anchors.secret(item.RuleID, path, "")
            # Values are masked here already; a name stands beside them, or in the lines around.
            near = "\n".join(x.Content for x in (item.Code.Lines or ())) if item.Code else ""
            yield Finding(
                type="secret",
                resource=self.target.uid,
                rule=item.RuleID,
                title=f"{item.Title or item.RuleID} in {path}",
                severity=severity_from_word(item.Severity),
                severity_word=item.Severity,
                description=azure_opens(item.Match, near),
                location=path,
                line=max(item.StartLine, 0),
                anchor=anchor,
                remediation="Revoke the secret, issue a new one, and remove it from the file.",
                default_branch=self.default_branch,
                place=f"{place}.Secrets[{index}]",
            )
            key = access_key_id(item.Match)
            if key:
                yield Relation(source=self.target.uid, kind="contains", target=f"accesskey:{key}")


_SOURCES = ("nvd", "ghsa", "redhat")


def _score(scores: dict[str, _Cvss]) -> tuple[float | None, str]:
    """The newest CVSS; among sources NVD, then GitHub, then Red Hat, then by name."""
    best: tuple[float | None, str] = (None, "")
    older: tuple[float | None, str] = (None, "")
    oldest: tuple[float | None, str] = (None, "")
    names: Any = scores if len(scores) == 1 else [n for n in _SOURCES if n in scores]
    if len(names) < len(scores):
        names = [*names, *sorted(n for n in scores if n not in _SOURCES)]
    for name in names:
        item = scores[name]
        if item.V40Score and best[0] is None:
            best = (item.V40Score, item.V40Vector)
        if item.V3Score and older[0] is None:
            older = (item.V3Score, item.V3Vector)
        if item.V2Score and oldest[0] is None:
            oldest = (item.V2Score, item.V2Vector)
    for found in (best, older, oldest):
        if found[0] is not None and 0 <= found[0] <= 10:
            return found
    return best_score(
        (generation, None, vector)
        for name in names
        for generation, vector in (
            ("4", scores[name].V40Vector),
            ("3", scores[name].V3Vector),
            ("2", scores[name].V2Vector),
        )
    )
