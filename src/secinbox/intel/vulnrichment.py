"""CISA Vulnrichment: CVE JSON 5 records whose CISA container carries SSVC points.

Source: github.com/cisagov/vulnrichment; cveproject/cve-schema. One record, a list, or lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.reading import Head, Report
from secinbox.records import AnyRecord, Exploit
from secinbox.sources._shape import Node

TITLE = "CISA Vulnrichment"
ADDRESSES = ("https://github.com/cisagov/vulnrichment/archive/refs/heads/develop.zip",)
STALE_DAYS = 30

_MATURITY = {"active": "active", "poc": "poc"}


def recognise(head: Head) -> int:
    if head.has("dataType", "containers", "cveMetadata"):
        return 100
    return 0


def dated(report: Report) -> str:
    import re

    dates = re.findall(rb'"timestamp"\s*:\s*"(\d{4}-\d\d-\d\d)', report.data)
    return max(dates).decode() if dates else ""


def read(report: Report) -> Iterator[AnyRecord]:
    documents: Iterator[tuple[str, Any]] = report.documents()
    for place, value in documents:
        record = Node(value, place).require_object()
        cve = record.text("cveMetadata", "cveId").upper()
        for container in record.objects("containers", "adp"):
            for metric in container.objects("metrics"):
                other = metric.at("other")
                if not other.is_object or other.text("type").lower() != "ssvc":
                    continue
                yield _points(cve, other.at("content").require_object(), metric.place)


def _points(cve: str, content: Node, place: str) -> Exploit:
    points: dict[str, str] = {}
    for option in content.objects("options"):
        for key, node in option.entries():
            points[key.lower()] = node.text().lower()
    exploitation = points.get("exploitation", "")
    return Exploit(
        vulnerability=cve,
        feed="vulnrichment",
        maturity=_MATURITY.get(exploitation, "none"),
        id=cve,
        url=f"https://github.com/cisagov/vulnrichment/search?q={cve}",
        date=content.text("timestamp")[:10],
        automatable=points.get("automatable", ""),
        technical_impact=points.get("technical impact", ""),
        place=place,
    )
