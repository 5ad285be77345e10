"""Nuclei's CVE list (`cves.json`, one template a line): a check that exercises the weakness.

Source: projectdiscovery/nuclei-templates, cves.json.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from secinbox.reading import Head, Report
from secinbox.records import AnyRecord, Exploit

TITLE = "Nuclei templates"
ADDRESSES = ("https://raw.githubusercontent.com/projectdiscovery/nuclei-templates/main/cves.json",)
STALE_DAYS = 30

_CODE = "https://github.com/projectdiscovery/nuclei-templates/blob/main/"


class _Template(msgspec.Struct, gc=False):
    ID: str
    file_path: str = ""


def recognise(head: Head) -> int:
    if head.has("ID", "Info", "file_path"):
        return 100
    return 0


def read(report: Report) -> Iterator[AnyRecord]:
    templates: Iterator[tuple[str, _Template]] = report.documents(_Template)
    for place, template in templates:
        identifier = template.ID.strip().upper()
        if not identifier.startswith("CVE-"):
            continue
        yield Exploit(
            vulnerability=identifier,
            feed="nuclei",
            maturity="poc",
            id=template.file_path or identifier,
            url=_CODE + template.file_path if template.file_path else "",
            place=place,
        )
