"""Any JSON, JSON Lines or CSV report, read with a mapping file and no code.

`secinbox import --format generic --mapping FILE REPORT`: the option `mapping` is the path of a
YAML file:

    tool: acme-scanner                # name of the product
    records: $.results                # where the list stands (JSON object only)
    type: library_vulnerability       # a finding type, or `field:` as below
    fields:                           # our field: their field, dots go into objects
      rule: check.id
      title: check.name
      severity: risk
      resource: asset.arn             # absent: the report's target
      vulnerability: cve
      package: component.name
      version: component.version
      purl: component.purl
      fixed_version: fix
      score: cvss
      description: details
      remediation: advice
      location: file
      line: line
      url: link
    ecosystem: npm                    # makes a purl of package and version
    values:                           # their word: our word, for any of our fields
      severity: {"5": critical, "4": high, "3": medium, "2": low, "1": info}
    skip:                             # records with such a value are left out
      status: [closed, fixed]
    passed:                           # records with such a value are passed checks
      result: [PASS]
    resource_type: host               # type of the resources
    complete: false                   # true: what is absent from the report is fixed

A constant is written `=text`: `type: =misconfiguration` and `rule: "=weak-tls"` are the same for
every record.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from secinbox.reading import Head, Report, ReportError, parse_time
from secinbox.records import AnyRecord, Finding, Passed, Resource, Scope, Skipped
from secinbox.sources._cloud import cloud_resource
from secinbox.sources._code import digest
from secinbox.sources._names import scanned_target
from secinbox.sources._packages import canonical_id, make_purl, purl_name, purl_version
from secinbox.sources._shape import Node
from secinbox.sources._yaml import load_yaml
from secinbox.vocabulary import FINDING_TYPES, severity_from_score, severity_from_word

TITLE = "Generic JSON or CSV with a mapping file"

_FIELDS = frozenset(
    {
        "rule",
        "title",
        "severity",
        "resource",
        "type",
        "vulnerability",
        "package",
        "version",
        "purl",
        "fixed_version",
        "score",
        "vector",
        "description",
        "remediation",
        "location",
        "line",
        "url",
        "anchor",
        "aliases",
        "verified",
        "first_seen",
        "account",
        "region",
        "resource_name",
    }
)
_KEYS = frozenset(
    {
        "tool",
        "records",
        "type",
        "fields",
        "ecosystem",
        "values",
        "skip",
        "passed",
        "resource_type",
        "complete",
    }
)


def recognise(head: Head) -> int:
    return 0  # only when asked for: anything could be a generic report


def _mapping(report: Report) -> Node:
    path = report.options.get("mapping", "")
    if not path:
        raise ReportError(
            "a generic report needs a mapping file", "", "give --mapping FILE (see the guide)"
        )
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ReportError(
            f"the mapping file cannot be read: {error}", path, "check its path"
        ) from None
    mapping = Node(load_yaml(text, "a mapping file"), "mapping").require_object()
    unknown = set(mapping.value) - _KEYS
    fields = mapping.at("fields").require_object()
    unknown |= {f"fields.{key}" for key in set(fields.value) - _FIELDS}
    if unknown:
        raise ReportError(
            f"unknown keys in the mapping: {', '.join(sorted(map(str, unknown)))}",
            path,
            "allowed: " + ", ".join(sorted(_KEYS)) + "; fields: " + ", ".join(sorted(_FIELDS)),
        )
    return mapping


def _rows(report: Report, mapping: Node) -> Iterator[Node]:
    start = report.text.lstrip("\ufeff \t\r\n")[:1]
    where = mapping.text("records").removeprefix("$").strip(".")
    if start in ("{", "["):
        documents: Iterator[tuple[str, Any]] = report.documents()
        for place, value in documents:
            node = Node(value, place).require_object()
            if where:
                yield from node.at(*where.split(".")).require_list().objects()
            else:
                yield node
        return
    text = report.text.lstrip("\ufeff")
    first = text.split("\n", 1)[0]
    separator = max((",", ";", "\t"), key=first.count)
    try:
        for number, row in enumerate(csv.DictReader(io.StringIO(text), delimiter=separator), 1):
            if None in row:
                raise ReportError(
                    "more values than columns", f"row {number}", "check the separator and quotes"
                )
            yield Node({str(k).strip(): v for k, v in row.items()}, f"row {number}")
    except csv.Error as error:
        raise ReportError(f"not valid CSV: {error}", "", "is it a CSV file?") from None


class _Fields:
    """Values of one record under our names."""

    def __init__(self, mapping: Node) -> None:
        self.names = {key: node.text() for key, node in mapping.entries("fields")}
        self.words: dict[str, dict[str, str]] = {
            key: {str(k): v.text() for k, v in node.entries()}
            for key, node in mapping.entries("values")
        }
        if "type" not in self.names and mapping.text("type"):
            self.names["type"] = "=" + mapping.text("type").removeprefix("=")

    def node(self, row: Node, name: str) -> Node:
        path = self.names.get(name, "")
        if not path or path.startswith("="):
            return Node(path[1:] or None, row.place)
        if row.has(path):  # a column may have a dot in its name
            return row.at(path)
        return row.at(*path.split("."))

    def text(self, row: Node, name: str) -> str:
        node = self.node(row, name)
        text = ", ".join(node.strings()) if node.is_list else node.text()
        return self.words.get(name, {}).get(text, text)


def _matches(row: Node, conditions: Node) -> bool:
    for path, wanted in conditions.entries():
        value = row.at(path) if row.has(path) else row.at(*path.split("."))
        words = {w.lower() for w in wanted.strings()} or {wanted.text().lower()}
        if not value.is_list and not value.is_object and value.text().lower() in words:
            return True
    return False


def read(report: Report) -> Iterator[AnyRecord]:
    mapping = _mapping(report)
    fields = _Fields(mapping)
    tool = mapping.text("tool").lower() or "generic"
    seen: set[str] = set()
    types: set[str] = set()
    default = scanned_target(report)
    for row in _rows(report, mapping):
        if _matches(row, mapping.at("skip")):
            yield Skipped(reason="left out by the mapping", harmless=True, place=row.place)
            continue
        if _matches(row, mapping.at("passed")):
            yield Passed()
            continue
        kind = fields.text(row, "type")
        if kind not in FINDING_TYPES:
            raise ReportError(
                f"{kind or 'nothing'!r} is no finding type",
                row.place,
                "one of " + ", ".join(FINDING_TYPES),
            )
        name = fields.text(row, "resource")
        target: Resource = default
        if name:
            target = cloud_resource(
                name,
                kind=mapping.text("resource_type"),
                name=fields.text(row, "resource_name"),
                account=fields.text(row, "account"),
                region=fields.text(row, "region"),
                place=row.place,
            )
        if target.uid not in seen:
            seen.add(target.uid)
            yield target
        finding = _finding(fields, row, kind, target.uid, tool, mapping.text("ecosystem"))
        types.add(kind)
        yield finding
    if mapping.flag("complete") and types:
        for uid in seen:
            yield Scope(key=uid, types=tuple(sorted(types)), tool=tool)


def _finding(
    fields: _Fields, row: Node, kind: str, target: str, tool: str, ecosystem: str
) -> Finding:
    score = Node(fields.text(row, "score") or None, row.place).number()
    score = score if score is not None and 0 <= score <= 10 else None
    word = fields.text(row, "severity")
    severity = severity_from_word(word)
    vulnerability = canonical_id(fields.text(row, "vulnerability"))
    rule = fields.text(row, "rule") or vulnerability
    title = fields.text(row, "title") or rule
    if not rule and not title:
        raise ReportError(
            "neither rule, vulnerability nor title is filled", row.place, "check the mapping"
        )
    purl = fields.text(row, "purl")
    package = fields.text(row, "package") or purl_name(purl)
    version = fields.text(row, "version") or purl_version(purl)
    location = fields.text(row, "location")
    aliases = [canonical_id(a) for a in fields.text(row, "aliases").replace(";", ",").split(",")]
    anchor = fields.text(row, "anchor")
    if kind == "secret" and anchor:
        anchor = digest(anchor)  # it may be the secret itself
    return Finding(
        type=kind,
        resource=target,
        rule=rule or title,
        title=title,
        severity=severity if severity != "unknown" else severity_from_score(score),
        severity_word=word,
        description=fields.text(row, "description"),
        vulnerability=vulnerability,
        vulnerability_aliases=tuple(a for a in aliases if a),
        purl=purl or (make_purl(ecosystem, package, version) if ecosystem else ""),
        package=package,
        version=version,
        fixed_version=fields.text(row, "fixed_version"),
        score=score,
        vector=fields.text(row, "vector"),
        location=location,
        line=Node(fields.text(row, "line") or None, row.place).line(),
        anchor=anchor or location,
        remediation=fields.text(row, "remediation"),
        url=fields.text(row, "url"),
        verified=fields.text(row, "verified").lower() in ("true", "yes", "1"),
        first_seen=parse_time(fields.text(row, "first_seen")),
        tool=tool,
        place=row.place,
    )
