"""Metasploit modules: `modules_metadata_base.json`, and the text list `module path:CVE`.

Source: rapid7/metasploit-framework, db/modules_metadata_base.json. The text list is EMBA's
`msf_cve-db.txt`. A module is a weapon: the exploit works and is packaged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from secinbox.reading import Head, Report, ReportError
from secinbox.records import AnyRecord, Exploit
from secinbox.sources._shape import first_character

TITLE = "Metasploit"
ADDRESSES = (
    "https://raw.githubusercontent.com/rapid7/metasploit-framework/master/db/"
    "modules_metadata_base.json",
)
STALE_DAYS = 30

_CVE = re.compile(r"CVE-\d{4}-\d{4,}", re.I)
_LINE = re.compile(r"/?((?:[\w.-]+/)+[\w.-]+\.(?:rb|py|go)):(CVE-\d{4}-\d{4,})\s*$")
_CODE = "https://github.com/rapid7/metasploit-framework/blob/master"


class _Module(msgspec.Struct, gc=False):
    fullname: str = ""
    references: list[str] | None = None
    disclosure_date: str | None = None
    path: str = ""


def recognise(head: Head) -> int:
    if head.kind == "object" and head.first:
        value = next(iter(head.first.values()))
        if isinstance(value, dict) and {"fullname", "references", "rank"} <= set(value):
            return 100
    if head.kind in ("text", "yaml") and _LINE.match(head.text.split("\n", 1)[0]):
        return 95
    return 0


def read(report: Report) -> Iterator[AnyRecord]:
    if first_character(report.data) == "{":
        modules: dict[str, _Module] = report.json(dict[str, _Module])
        for key, module in modules.items():
            for reference in dict.fromkeys(r.upper() for r in module.references or ()):
                if _CVE.fullmatch(reference):
                    yield Exploit(
                        vulnerability=reference,
                        feed="metasploit",
                        maturity="weaponised",
                        id=module.fullname or key,
                        url=_CODE + module.path if module.path.startswith("/") else "",
                        date=(module.disclosure_date or "")[:10],
                        place=f"$.{key}",
                    )
        return
    for number, line in enumerate(report.text.splitlines(), 1):
        if not line.strip():
            continue
        found = _LINE.match(line.strip())
        if not found:
            raise ReportError("not `module:CVE`", f"line {number}", "is it a module list?")
        path, cve = found.groups()
        yield Exploit(
            vulnerability=cve.upper(),
            feed="metasploit",
            maturity="weaponised",
            id=path.rpartition(".")[0],
            url=f"{_CODE}/modules/{path}",
            place=f"line {number}",
        )
