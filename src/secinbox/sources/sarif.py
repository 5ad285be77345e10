"""SARIF 2.1.0 of any tool: CodeQL, Semgrep, Bandit, Checkov, Trivy, Grype, Gitleaks, zizmor ...

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) 2.1.0". Every run; rules in the
driver and in extensions; `security-severity`; suppressions; `kind`; baselines; fingerprints;
`versionControlProvenance`. What the results are about depends on the tool (see `_sarif`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from secinbox.reading import Head, Report, parse_time
from secinbox.records import AnyRecord, Finding, Passed, Relation, Resource, Scope, Skipped
from secinbox.sources._code import (
    Anchors,
    access_key_id,
    block_name,
    clean_path,
    scrub,
)
from secinbox.sources._names import image_resource, looks_like_repository, scanned_target
from secinbox.sources._packages import best_score, cvss_generation, vulnerability_ids
from secinbox.sources._sarif import (
    INFRASTRUCTURE_TOOLS,
    PACKAGE_TOOLS,
    SECRET_TOOLS,
    Package,
    package_of,
    tool_name,
)
from secinbox.sources._shape import Node
from secinbox.sources.bandit import bandit_text
from secinbox.sources.semgrep import semgrep_anchor
from secinbox.vocabulary import severity_from_score, severity_from_word

TITLE = "SARIF"

_LEVELS = {"error": "high", "warning": "medium", "note": "low", "none": "info"}
_BRANCHES = ("", "main", "master", "trunk", "develop")
_ID_RULE = re.compile(
    r"(CVE-\d|GHSA-|PYSEC-|GO-\d|RUSTSEC-|SNYK-[A-Z]+-|OSV-\d|MAL-\d|BDSA-)", re.I
)


def recognise(head: Head) -> int:
    if head.kind != "object" or not head.has("runs"):
        return 0
    schema = head.first.get("$schema")
    if head.has("version") or (isinstance(schema, str) and "sarif" in schema.lower()):
        return 100
    return 90 if '"driver"' in head.text else 0


def observed(report: Report) -> datetime | None:
    found = re.search(rb'"(?:endTimeUtc|startTimeUtc)"\s*:\s*"([^"]+)"', report.data[:262144])
    found = found or re.search(rb'"endTimeUtc"\s*:\s*"([^"]+)"', report.data[-262144:])
    return parse_time(found.group(1).decode("utf-8", "replace")) if found else None


def read(report: Report) -> Iterator[AnyRecord]:
    document = Node(report.json()).require_object()
    seen: set[str] = set()
    for run in document.objects("runs"):
        for record in _Run(report, run).read():
            if isinstance(record, Resource):
                if record.uid in seen:
                    continue
                seen.add(record.uid)
            yield record


def _text(message: Node) -> str:
    if not message.is_object:
        return message.text() if isinstance(message.value, str) else ""
    return message.text("text") or message.text("markdown")


class _Run:
    """One run: one tool on one target."""

    def __init__(self, report: Report, run: Node) -> None:
        self.report, self.run = report, run
        driver = run.at("tool", "driver")
        self.tool = tool_name(driver.text("name") if driver.is_object else "")
        self.components = [driver, *run.objects("tool", "extensions")]
        self.rules = [list(c.objects("rules")) if c.is_object else [] for c in self.components]
        self.by_id: dict[str, Node] = {}
        for rules in self.rules:
            for rule in rules:
                self.by_id.setdefault(rule.text("id"), rule)
        self.artifacts = list(run.objects("artifacts"))
        self.anchors = Anchors()
        provenance = next(run.objects("versionControlProvenance"), Node({}))
        self.repository = provenance.text("repositoryUri")
        branch = provenance.text("branch")
        self.default_branch = branch.removeprefix("refs/heads/") in _BRANCHES
        self.target = self._target()

    def _target(self) -> Resource:
        properties = self.run.at("properties")
        if properties.is_object and not self.report.options.get("resource"):
            tags = properties.strings("repoTags")
            digests = properties.strings("repoDigests")
            image = properties.text("imageID")
            name = properties.text("imageName")
            if name and not tags and not name.endswith((".tar", ".tar.gz", ".tgz")):
                tags = [name]
            if tags or digests or image:
                return image_resource(tags, digests, image, f"{self.run.place}.properties")
        repository = self.repository
        if repository and not looks_like_repository(repository):
            repository = ""
        return scanned_target(self.report, repository, self.run.place)

    def read(self) -> Iterator[AnyRecord]:
        yield self.target
        types: set[str] = set()
        targets = {self.target.uid}
        passed = 0
        for result in self.run.objects("results"):
            kind = result.text("kind")
            if kind == "pass":
                passed += 1
                continue
            if kind == "notApplicable":
                continue
            reason = self._left_out(result)
            if reason:
                yield Skipped(reason=reason, harmless=True, place=result.place)
                continue
            for record in self._result(result):
                if isinstance(record, Finding):
                    types.add(record.type)
                    targets.add(record.resource)
                yield record
        if passed:
            yield Passed(count=passed)
        whole = True
        for invocation in self.run.objects("invocations"):
            if invocation.at("executionSuccessful").value is False:
                whole = False
                yield Skipped(
                    reason=f"{self.tool} says that its run failed", place=invocation.place
                )
            for note in invocation.objects("toolExecutionNotifications"):
                if note.text("level") == "error":
                    whole = False
                    yield Skipped(
                        reason=f"{self.tool}: {scrub(_text(note.at('message')))[:200]}",
                        place=note.place,
                    )
        if whole and self.run.at("results").is_list and self.tool not in ("checkov", "trivy"):
            types.add(self._kind("", "", Package()))
            if self.tool in PACKAGE_TOOLS:
                types.add("library_vulnerability")
            for uid in targets:
                yield Scope(key=uid, types=tuple(sorted(types)), tool=self.tool)

    def _left_out(self, result: Node) -> str:
        suppressions = list(result.objects("suppressions"))
        if suppressions and all(s.text("status") in ("", "accepted") for s in suppressions):
            why = next((s.text("justification") for s in suppressions), "")
            return f"suppressed in {self.tool}{f': {why}' if why else ''}"
        if result.text("baselineState") == "absent":
            return "fixed since the baseline"
        return ""

    def _rule(self, result: Node) -> tuple[str, Node]:
        reference = result.at("rule")
        identifier = result.text("ruleId")
        index = result.number("ruleIndex")
        component = 0
        if reference.is_object:
            identifier = identifier or reference.text("id")
            index = reference.number("index") if index is None else index
            owner = reference.at("toolComponent")
            if owner.is_object:
                number = owner.number("index")
                component = int(number) + 1 if number is not None and number >= 0 else 0
                if number is None and owner.text("name"):
                    component = next(
                        (
                            i
                            for i, c in enumerate(self.components)
                            if c.is_object and c.text("name") == owner.text("name")
                        ),
                        0,
                    )
        rule = Node({})
        if index is not None and 0 <= index < 1e6 and component < len(self.rules):
            rules = self.rules[component]
            if int(index) < len(rules):
                rule = rules[int(index)]
        if identifier and rule.text("id") not in (identifier, identifier.rpartition("/")[0]):
            rule = self.by_id.get(identifier) or self.by_id.get(
                identifier.rpartition("/")[0], rule if rule.text("id") == "" else Node({})
            )
        return identifier or rule.text("id"), rule

    def _location(self, result: Node) -> tuple[str, Node]:
        first = next(result.objects("locations"), Node({}))
        physical = first.at("physicalLocation")
        if not physical.is_object:
            return "", Node({})
        artifact = physical.at("artifactLocation")
        uri = artifact.text("uri") if artifact.is_object else ""
        if not uri and artifact.is_object:
            index = artifact.number("index")
            if index is not None and 0 <= index < len(self.artifacts):
                location = self.artifacts[int(index)].at("location")
                uri = location.text("uri") if location.is_object else ""
        if self.tool == "zizmor":  # its uri is relative to the folder, its key to the repository
            for logical in first.objects("logicalLocations"):
                key = logical.at("properties", "symbolic", "key", "Local")
                if key.is_object:
                    uri = key.first_text("verbatim_path", "given_path") or uri
        return clean_path(unquote(uri)), physical

    def _code(self, physical: Node) -> str:
        region = physical.at("region")
        if region.is_object and region.at("snippet").is_object:
            return region.text("snippet", "text")
        context = physical.at("contextRegion")
        if region.is_object and context.is_object and context.at("snippet").is_object:
            offset = region.line("startLine") - context.line("startLine")
            lines = context.text("snippet", "text").splitlines()
            if 0 <= offset < len(lines):
                return lines[offset]
        return ""

    def _message(self, result: Node, rule: Node) -> str:
        message = result.at("message")
        text = _text(message)
        if text or not message.is_object:
            return text
        text = _text(rule.at("messageStrings", message.text("id")))
        for number, argument in enumerate(message.strings("arguments")):
            text = text.replace(f"{{{number}}}", argument)
        return text

    def _kind(self, identifier: str, rule_name: str, package: Package) -> str:
        tool = self.tool
        if rule_name == "Secret" or tool in SECRET_TOOLS:
            return "secret"
        if rule_name == "Misconfiguration" or tool in INFRASTRUCTURE_TOOLS:
            return "iac_misconfiguration"
        if package.vulnerability and (tool in PACKAGE_TOOLS or _ID_RULE.match(identifier)):
            if package.system:
                image = self.target.type == "container_image" or bool(package.image)
                return "container_image_vulnerability" if image else "host_vulnerability"
            return "library_vulnerability"
        if tool in PACKAGE_TOOLS:
            if tool == "trivy" and identifier.upper().startswith(("AVD-", "DS", "KSV", "AZU-")):
                return "iac_misconfiguration"
            return "library_vulnerability"
        if tool.startswith("contrast"):
            return "runtime_code_vulnerability"
        if tool in ("zap", "owasp-zap", "nuclei", "stackhawk"):
            return "api_security"
        return "static_code_vulnerability"

    def _severity(
        self, result: Node, rule: Node, package: Package, message: str
    ) -> tuple[str, str, float | None]:
        own, shared = result.at("properties"), rule.at("properties")
        score = None
        for bag in (own, shared):
            if bag.is_object and score is None:
                score = bag.number("security-severity")
        score = score if score is not None and 0 <= score <= 10 else None
        word = package.severity
        found = re.search(r"^Severity:[ \t]*(\w+)", message, re.M) if not word else None
        word = found.group(1) if found and self.tool == "trivy" else word
        for bag in (own, shared):
            for key in ("zizmor/severity", "issue_severity", "severity"):
                if not word and bag.is_object and isinstance(bag.value.get(key), str):
                    word = bag.text(key)
        severity = severity_from_word(word)
        if severity != "unknown":
            return severity, word, score
        if score is not None:
            return severity_from_score(score), str(score), score
        level = result.text("level")
        defaults = rule.at("defaultConfiguration")
        if not level and defaults.is_object:
            level = defaults.text("level")
        level = level or "warning"
        if self.tool == "checkov":  # writes `error` for every check whose severity it lacks
            return "unknown", level, None
        return _LEVELS.get(level, "unknown"), level, None

    def _fingerprint(self, result: Node) -> str:
        for bag in (result.at("fingerprints"), result.at("partialFingerprints")):
            if not bag.is_object:
                continue
            texts = {k: v for k, v in bag.value.items() if isinstance(v, str) and v}
            for key in sorted(texts, key=lambda k: (k != "primaryLocationLineHash", k)):
                return f"{key}={texts[key]}" if key != "matchBasedId/v1" else texts[key]
        return ""

    def _anchor(
        self, kind: str, rule: str, path: str, physical: Node, result: Node, message: str
    ) -> str:
        code = self._code(physical)
        mark = self._fingerprint(result)
        if self.tool == "semgrep":
            return semgrep_anchor(self.anchors, rule, path, mark, code)
        if self.tool == "checkov":
            docker = "dockerfile" in path.lower()
            return self.anchors.exact(rule, path, "" if docker else block_name(code))
        if self.tool == "trivy":
            found = re.search(r"^Message: (.*)$", message, re.M)
            return self.anchors.exact(rule, path, found.group(1).strip() if found else "")
        if self.tool in ("bandit", "zizmor") or (code and not mark):
            return self.anchors.of(rule, path, code)
        if mark:
            return self.anchors.exact(rule, path, mark)
        first = next(result.objects("locations"), Node({}))
        logical = next(first.objects("logicalLocations"), Node({}))
        symbol = logical.first_text("fullyQualifiedName", "name")
        return self.anchors.exact(rule, path, symbol or message)

    def _result(self, result: Node) -> Iterator[AnyRecord]:
        identifier, rule = self._rule(result)
        path, physical = self._location(result)
        message = self._message(result, rule)
        region = physical.at("region")
        line = region.line("startLine") if region.is_object else 0
        name = rule.text("name")
        extra = " ".join(
            logical.first_text("fullyQualifiedName", "name")
            for place in result.objects("locations")
            for logical in place.objects("logicalLocations")
        )
        package = package_of(self.tool, identifier, name, message, path, extra)
        kind = self._kind(identifier, name, package)
        if name == "License":
            yield Skipped(reason="a licence, not a weakness", harmless=True, place=result.place)
            return
        severity, word, score = self._severity(result, rule, package, message)
        short = _text(rule.at("shortDescription"))
        common: dict[str, Any] = {
            "severity": severity,
            "severity_word": word,
            "url": rule.text("helpUri"),
            "line": line,
            "default_branch": self.default_branch,
            "tool": self.tool,
            "place": result.place,
        }
        if (
            kind.endswith("_vulnerability")
            and package.vulnerability
            and kind
            not in (
                "static_code_vulnerability",
                "runtime_code_vulnerability",
            )
        ):
            yield from self._package(result, rule, package, kind, path, message, common, score)
        elif kind == "secret":
            yield from self._secret(result, rule, identifier, path, physical, message, common)
        else:
            if self.tool == "zizmor":
                identifier = identifier.removeprefix("zizmor/")
            message = bandit_text(identifier, message) if self.tool == "bandit" else scrub(message)
            title = message.strip().split("\n", 1)[0]
            if self.tool in ("trivy", "zizmor") or not title or len(title) > 160:
                title = short or name or title[:160]
            full = _text(rule.at("fullDescription"))
            texts = dict.fromkeys(t for t in (message, full) if t and t != title)
            rule_id = identifier or name or title
            yield Finding(
                type=kind,
                resource=self.target.uid,
                rule=rule_id,
                title=title or rule_id,
                description="\n\n".join(texts),
                location=path,
                anchor=self._anchor(kind, rule_id, path, physical, result, message),
                remediation="; ".join(
                    t for fix in result.objects("fixes") if (t := _text(fix.at("description")))
                ),
                **common,
            )

    def _package(
        self,
        result: Node,
        rule: Node,
        package: Package,
        kind: str,
        path: str,
        message: str,
        common: dict[str, Any],
        score: float | None,
    ) -> Iterator[AnyRecord]:
        target = self.target
        if package.image and not self.report.options.get("resource"):
            target = image_resource([package.image], [], place=result.place)
            yield target
        bag = rule.at("properties")
        vector = ""
        if bag.is_object:
            scores = [
                (cvss_generation("", key), bag.number(key), bag.text(other))
                for key, other in (
                    ("cvssv40_baseScore", "cvssv40_vector"),
                    ("cvssv3_baseScore", "cvssv3_vector"),
                    ("cvssv2_score", "cvssv2_vector"),
                )
            ]
            found, vector = best_score(scores)
            score = found if found is not None else score
        names = vulnerability_ids(f"{rule.text('id')} {_text(rule.at('shortDescription'))}")
        if self.tool == "osv-scanner":
            names += vulnerability_ids(message)
        short = _text(rule.at("shortDescription"))
        yield Finding(
            type=kind,
            resource=target.uid,
            rule=package.vulnerability,
            title=short or f"{package.vulnerability} in {package.name}",
            description=_text(rule.at("fullDescription")) or message,
            vulnerability=package.vulnerability,
            vulnerability_aliases=tuple(
                n for n in dict.fromkeys(names) if n != package.vulnerability
            ),
            purl=package.purl,
            package=package.name,
            version=package.version,
            fixed_version=package.fixed,
            score=score,
            vector=vector,
            location="" if package.system else path,
            **common,
        )

    def _secret(
        self,
        result: Node,
        rule: Node,
        identifier: str,
        path: str,
        physical: Node,
        message: str,
        common: dict[str, Any],
    ) -> Iterator[AnyRecord]:
        properties = result.at("properties")
        value = properties.text("offender") if properties.is_object else ""
        code = self._code(physical)
        secret = value or code
        identifier = identifier or message.removesuffix(" secret detected")
        label = rule.text("name") or _text(rule.at("shortDescription")) or identifier
        label = label if len(label) < 60 else identifier
        if common["severity_word"] in _LEVELS:
            common["severity"] = "high"  # these tools have no severities of their own
        yield Finding(
            type="secret",
            resource=self.target.uid,
            rule=identifier,
            title=f"{label} in {path}",
            description=_text(rule.at("fullDescription")),
            location=path,
            anchor=self.anchors.secret(identifier, path, secret),
            remediation="Revoke the secret, issue a new one, and remove it from the history.",
            verified="active credential" in message.lower(),
            **common,
        )
        key = access_key_id(value, code)
        if key:
            yield Relation(
                source=self.target.uid,
                kind="contains",
                target=f"accesskey:{key}",
                place=result.place,
            )
