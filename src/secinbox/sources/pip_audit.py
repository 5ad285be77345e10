"""pip-audit JSON: the object with `dependencies` (2.0 and later) and the bare list before it.

A dependency with `skip_reason` was not audited: the report is then not whole, and when all were
skipped it is no clean bill. Source: pypa/pip-audit, pip_audit/_format/json.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from secinbox.reading import Head, Report
from secinbox.records import AnyRecord, Finding, Scope, Skipped
from secinbox.sources._names import scanned_target
from secinbox.sources._packages import make_purl
from secinbox.sources._shape import Node

TITLE = "pip-audit"


def recognise(head: Head) -> int:
    if head.kind == "object" and head.has("dependencies") and len(head.keys) <= 3:
        listed = head.first.get("dependencies")
        if listed == []:
            return 80 if head.keys <= {"dependencies", "fixes"} else 0
        if head.keys <= {"dependencies", "fixes"} and re.search(
            r'"(vulns|skip_reason)"\s*:', head.text
        ):
            return 100
    if (
        head.kind == "array"
        and head.has("name")
        and (head.has("version", "vulns") or head.has("skip_reason"))
    ):
        return 100
    return 0


def read(report: Report) -> Iterator[AnyRecord]:
    document = Node(report.json())
    dependencies = document.objects() if document.is_list else document.objects("dependencies")
    target = scanned_target(report)
    yield target
    whole = False  # nothing listed is nothing audited
    skipped = False
    for dependency in dependencies:
        name, version = dependency.text("name"), dependency.text("version")
        if dependency.has("skip_reason"):
            skipped = True
            yield Skipped(
                reason=f"{name} was not audited: {dependency.text('skip_reason')}",
                place=dependency.place,
            )
            continue
        whole = True
        for item in dependency.objects("vulns"):
            identifier = item.text("id")
            fixes = item.strings("fix_versions")
            yield Finding(
                type="library_vulnerability",
                resource=target.uid,
                rule=identifier,
                title=f"{identifier} in {name} {version}".strip(),
                description=item.text("description"),
                vulnerability=identifier,
                vulnerability_aliases=tuple(item.strings("aliases")),
                purl=make_purl("pypi", name, version),
                package=name,
                version=version,
                fixed_version=", ".join(fixes),
                url=f"https://osv.dev/vulnerability/{identifier}" if identifier else "",
                place=item.place,
            )
    if whole and not skipped:
        yield Scope(key=target.uid, types=("library_vulnerability",))
