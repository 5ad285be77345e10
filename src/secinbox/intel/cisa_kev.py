"""CISA Known Exploited Vulnerabilities, JSON and CSV: exploited in the wild.

Source: cisa.gov/known-exploited-vulnerabilities-catalog and its JSON schema.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import msgspec

from secinbox.reading import Head, Report, ReportError
from secinbox.records import AnyRecord, Exploit
from secinbox.sources._shape import first_character

TITLE = "CISA KEV"
ADDRESSES = ("https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",)
STALE_DAYS = 14

_PAGE = "https://www.cisa.gov/known-exploited-vulnerabilities-catalog?search_api_fulltext="


class _Entry(msgspec.Struct, gc=False):
    cveID: str
    dateAdded: str = ""
    dueDate: str = ""
    knownRansomwareCampaignUse: str = ""


class _Catalogue(msgspec.Struct):
    vulnerabilities: list[_Entry]
    dateReleased: str = ""


def recognise(head: Head) -> int:
    if head.kind == "object" and head.has("catalogVersion", "vulnerabilities"):
        return 100
    if head.kind == "csv" and {"cveid", "dateadded", "duedate"} <= set(head.columns):
        return 100
    return 0


def dated(report: Report) -> str:
    found = re.search(rb'"dateReleased"\s*:\s*"(\d{4}-\d\d-\d\d)', report.data[:65536])
    if found:
        return found.group(1).decode()
    dates = re.findall(rb",(\d{4}-\d\d-\d\d),", report.data)
    return max(dates).decode() if dates and not report.data.lstrip().startswith(b"{") else ""


def read(report: Report) -> Iterator[AnyRecord]:
    if first_character(report.data) == "{":
        catalogue: _Catalogue = report.json(_Catalogue)
        for index, entry in enumerate(catalogue.vulnerabilities):
            yield _exploit(entry, f"$.vulnerabilities[{index}]")
        return
    try:
        for number, row in enumerate(csv.DictReader(io.StringIO(report.text)), 1):
            entry = _Entry(
                cveID=row.get("cveID") or "",
                dateAdded=row.get("dateAdded") or "",
                dueDate=row.get("dueDate") or "",
                knownRansomwareCampaignUse=row.get("knownRansomwareCampaignUse") or "",
            )
            if not entry.cveID.upper().startswith("CVE-"):
                raise ReportError("a row without a CVE id", f"row {number}", "is it CISA's CSV?")
            yield _exploit(entry, f"row {number}")
    except csv.Error as error:
        raise ReportError(f"not valid CSV: {error}", "", "is it CISA's CSV?") from None


def _exploit(entry: _Entry, place: str) -> Exploit:
    cve = entry.cveID.strip().upper()
    return Exploit(
        vulnerability=cve,
        feed="cisa_kev",
        maturity="active",
        id=cve,
        url=_PAGE + cve,
        date=entry.dateAdded,
        due=entry.dueDate,
        ransomware=entry.knownRansomwareCampaignUse.strip().lower() == "known",
        place=place,
    )
