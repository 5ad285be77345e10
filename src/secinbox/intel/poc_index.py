"""Indices of proofs of concept: Packet Storm and Snyk (EMBA's CSV), trickest/cve (Markdown).

Shapes: `CVE;advisory name;advisory URL;...` with a header; a Markdown page a CVE whose section
`POC` lists references and GitHub repositories. Those pages list everything that names the CVE, so
only links to places that publish exploits, and repositories named after the CVE, are taken.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from secinbox.reading import Head, Report, ReportError
from secinbox.records import AnyRecord, Exploit

TITLE = "Indices of proofs of concept"
ADDRESSES: tuple[str, ...] = ()
STALE_DAYS = 180

_PAGE = re.compile(r"### \[(CVE-\d{4}-\d{4,})\]\(")
_CVE = re.compile(r"CVE-\d{4}-\d{4,}", re.I)
_YES = "yes"
_PUBLISHERS = re.compile(
    r"https?://(www\.)?(exploit-db\.com|packetstormsecurity\.(com|org)|huntr\.(dev|com)|hackerone\.com"
    r"|wpscan\.com|gist\.github\.com|seclists\.org/fulldisclosure|0day\.today|vulhub\.org)/"
)


def recognise(head: Head) -> int:
    if head.kind == "csv" and head.columns[:3] == ("cve", "advisory name", "advisory url"):
        return 100
    if _PAGE.match(head.text) and "### POC" in head.text:
        return 100
    return 0


def dated(report: Report) -> str:
    return ""


def read(report: Report) -> Iterator[AnyRecord]:
    page = _PAGE.match(report.text.lstrip("\ufeff \r\n"))
    if page:
        yield from _page(report.text, page.group(1))
        return
    try:
        rows = csv.reader(io.StringIO(report.text), delimiter=";")
        header = [c.strip().lower() for c in next(rows, [])]
        proofs = [i for i, name in enumerate(header) if name.endswith("poc")]
        for number, row in enumerate(rows, 1):
            if len(row) < 3 or not _CVE.fullmatch(row[0].strip()):
                continue
            # Snyk lists advisories too; only a `yes` in one of its columns is a proof.
            if proofs and not any(i < len(row) and row[i].strip() == _YES for i in proofs):
                continue
            yield Exploit(
                vulnerability=row[0].strip().upper(),
                feed="snyk" if "snyk" in row[2] else "packetstorm",
                maturity="poc",
                id=row[1].strip()[:200],
                url=row[2].strip(),
                place=f"row {number}",
            )
    except csv.Error as error:
        raise ReportError(f"not valid CSV: {error}", "", "is it an index of proofs?") from None


def _page(text: str, cve: str) -> Iterator[AnyRecord]:
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("####"):
            section = line.strip("# ").lower()
        elif line.startswith("###"):
            section = ""
        elif line.startswith("- http") and section in ("reference", "github"):
            url = line[2:].strip()
            own = "github.com/" in url and re.search(r"CVE-|exploit|\bpoc\b", url, re.I)
            if not own and not _PUBLISHERS.match(url):
                continue
            yield Exploit(
                vulnerability=cve,
                feed="trickest",
                maturity="poc",
                id=url,
                url=url,
                place=f"line {number}",
            )
