"""OSV records (JSON, YAML, lists, lines): which ids are the same, and references to exploits.

Source: ossf.github.io/osv-schema. Reference types EXPLOIT and EVIDENCE mean that a proof exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.reading import Head, Report
from secinbox.records import AnyRecord, Exploit, VulnerabilityAlias
from secinbox.sources._packages import canonical_id
from secinbox.sources._shape import Node, first_character
from secinbox.sources._yaml import load_yaml

TITLE = "OSV"
_DUMP = "https://osv-vulnerabilities.storage.googleapis.com/"
ADDRESSES = tuple(
    f"{_DUMP}{name}/all.zip"
    for name in ("PyPI", "npm", "Go", "Maven", "RubyGems", "crates.io", "Packagist", "NuGet")
)
STALE_DAYS = 30


def recognise(head: Head) -> int:
    if head.kind in ("object", "array", "lines"):
        if head.has("id", "modified") and (head.keys & {"affected", "schema_version", "withdrawn"}):
            return 100
        return 0
    if head.kind == "yaml" and head.text.startswith(("id:", "schema_version:")):
        return 90 if "\naffected:" in head.text or "\nmodified:" in head.text else 0
    return 0


def dated(report: Report) -> str:
    return ""


def read(report: Report) -> Iterator[AnyRecord]:
    is_json = first_character(report.data) in ("{", "[")
    documents: Iterator[tuple[str, Any]] = (
        report.documents() if is_json else iter([("$", load_yaml(report.text, "an OSV record"))])
    )
    for place, value in documents:
        yield from _record(Node(value, place).require_object())


def _record(record: Node) -> Iterator[AnyRecord]:
    name = canonical_id(record.text("id"))
    if not name or record.text("withdrawn"):
        return
    aliases = [canonical_id(a) for a in record.strings("aliases")]
    for alias in dict.fromkeys(aliases):
        if alias != name:
            yield VulnerabilityAlias(a=name, b=alias)
    cve = next((a for a in (name, *aliases) if a.startswith("CVE-")), name)
    for reference in record.objects("references"):
        if reference.text("type").upper() in ("EXPLOIT", "EVIDENCE"):
            yield Exploit(
                vulnerability=cve,
                feed="osv",
                maturity="poc",
                id=reference.text("url"),
                url=reference.text("url"),
                date=record.text("published")[:10],
                place=reference.place,
            )
