"""NVD: API 2.0 answers and feeds, the 1.1 feeds, and vunnel's envelope of single records.

One record for each CVE (CVSS, and whether NVD has looked at it), and one for each reference with
the tag `Exploit`. Source: nvd.nist.gov/developers/vulnerabilities and the 1.1 feed schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from secinbox.reading import Head, Report, ReportError, head_of
from secinbox.records import AnyRecord, Exploit, Skipped

TITLE = "NVD"
_FEED = "https://nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-"
ADDRESSES = tuple(
    f"{_FEED}{part}.json.gz"
    for part in (*range(2002, datetime.now(UTC).year + 1), "recent", "modified")
)
STALE_DAYS = 7

_PAGE = "https://nvd.nist.gov/vuln/detail/"


class _Struct(msgspec.Struct, gc=False):
    pass


class _Reference(_Struct):
    url: str = ""
    tags: list[str] | None = None


class _Data(_Struct):
    vectorString: str = ""
    baseScore: float | None = None


class _Metric(_Struct):
    type: str = ""
    cvssData: _Data | None = None


class _Metrics(_Struct):
    cvssMetricV40: list[_Metric] | None = None
    cvssMetricV31: list[_Metric] | None = None
    cvssMetricV30: list[_Metric] | None = None
    cvssMetricV2: list[_Metric] | None = None


class _Cve(_Struct):
    id: str
    published: str = ""
    vulnStatus: str = ""
    metrics: _Metrics | None = None
    references: list[_Reference] | None = None


class _Item(_Struct):
    cve: _Cve


class _Answer(_Struct):
    vulnerabilities: list[_Item] | None = None
    cve: _Cve | None = None
    item: _Item | None = None


class _Meta(_Struct):
    ID: str


class _References(_Struct):
    reference_data: list[_Reference] | None = None


class _OldCve(_Struct):
    CVE_data_meta: _Meta
    references: _References | None = None


class _Base3(_Struct):
    cvssV3: _Data | None = None


class _Base2(_Struct):
    cvssV2: _Data | None = None


class _Impact(_Struct):
    baseMetricV3: _Base3 | None = None
    baseMetricV2: _Base2 | None = None


class _OldItem(_Struct):
    cve: _OldCve
    impact: _Impact | None = None
    publishedDate: str = ""


class _OldFeed(_Struct):
    CVE_Items: list[_OldItem]


def recognise(head: Head) -> int:
    if head.has("CVE_Items", "CVE_data_type"):
        return 100
    if head.has("vulnerabilities") and head.first.get("format") == "NVD_CVE":
        return 100
    if head.has("resultsPerPage", "totalResults", "vulnerabilities"):
        return 95
    cve = head.first.get("cve")
    item = head.first.get("item")
    if cve is None and isinstance(item, dict) and head.has("identifier"):
        cve = item.get("cve")
    if isinstance(cve, dict) and {"id", "vulnStatus"} <= set(cve):
        return 95
    if (head.has("cve") or head.has("identifier", "item")) and '"vulnStatus"' in head.text:
        return 80
    return 0


def dated(report: Report) -> str:
    found = re.search(
        rb'"(?:timestamp|CVE_data_timestamp)"\s*:\s*"(\d{4}-\d\d-\d\d)', report.data[:65536]
    )
    return found.group(1).decode() if found else ""


def read(report: Report) -> Iterator[AnyRecord]:
    if "CVE_Items" in head_of(report.data[:65536]).text:
        feed: _OldFeed = report.json(_OldFeed)
        for index, old in enumerate(feed.CVE_Items):
            yield from _old(old, f"$.CVE_Items[{index}]")
        return
    documents: Iterator[tuple[str, _Answer]] = report.documents(_Answer)
    for place, answer in documents:
        if answer.cve is not None:
            yield from _new(answer.cve, f"{place}.cve")
        elif answer.item is not None:
            yield from _new(answer.item.cve, f"{place}.item.cve")
        elif answer.vulnerabilities is not None:
            for index, item in enumerate(answer.vulnerabilities):
                yield from _new(item.cve, f"{place}.vulnerabilities[{index}].cve")
        else:
            raise ReportError("not an NVD answer", place, "is it the API's 2.0 JSON?")


def _new(cve: _Cve, place: str) -> Iterator[AnyRecord]:
    if cve.vulnStatus == "Rejected":
        yield Skipped(reason=f"{cve.id} was rejected", harmless=True, place=place)
        return
    score, vector = None, ""
    if cve.metrics:
        metrics = cve.metrics
        for listed in (
            metrics.cvssMetricV40,
            metrics.cvssMetricV31,
            metrics.cvssMetricV30,
            metrics.cvssMetricV2,
        ):
            # Primary is NVD's own word.
            for metric in sorted(listed or (), key=lambda m: m.type != "Primary"):
                if metric.cvssData and metric.cvssData.baseScore is not None:
                    score, vector = metric.cvssData.baseScore, metric.cvssData.vectorString
                    break
            if score is not None:
                break
    analysed = cve.vulnStatus in ("Analyzed", "Modified")
    yield from _records(
        cve.id, score, vector, cve.published[:10], analysed, cve.references or [], place
    )


def _old(item: _OldItem, place: str) -> Iterator[AnyRecord]:
    score, vector = None, ""
    impact = item.impact
    if impact and impact.baseMetricV3 and impact.baseMetricV3.cvssV3:
        data = impact.baseMetricV3.cvssV3
        score, vector = data.baseScore, data.vectorString
    elif impact and impact.baseMetricV2 and impact.baseMetricV2.cvssV2:
        data = impact.baseMetricV2.cvssV2
        score, vector = data.baseScore, data.vectorString
    references = item.cve.references.reference_data if item.cve.references else None
    yield from _records(
        item.cve.CVE_data_meta.ID,
        score,
        vector,
        item.publishedDate[:10],
        score is not None,
        references or [],
        place,
    )


def _records(
    cve: str,
    score: float | None,
    vector: str,
    date: str,
    analysed: bool,
    references: list[_Reference],
    place: str,
) -> Iterator[AnyRecord]:
    name = cve.upper()
    yield Exploit(
        vulnerability=name,
        feed="nvd",
        url=_PAGE + name,
        id=name,
        date=date,
        score=score,
        vector=vector,
        analysed=analysed,
        place=place,
    )
    seen: set[str] = set()
    for reference in references:
        if reference.tags and "Exploit" in reference.tags and reference.url not in seen:
            seen.add(reference.url)
            yield Exploit(
                vulnerability=name,
                feed="nvd",
                maturity="poc",
                id=reference.url,
                url=reference.url,
                date=date,
                analysed=analysed,
                place=place,
            )
