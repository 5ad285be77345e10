"""Terraform sources: what a folder of *.tf files will make, without running Terraform.

A report is one file, or a folder of sources that `secinbox.opening` put together as
`{"terraform_sources": {path: text}}`. Each folder that no other one calls is applied on its own.
What the sources alone do not say (variables without a default, data sources, modules and files from
elsewhere) is unknown. Nothing but the report is read. See docs/adr/0022-terraform-sources.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from secinbox.inventory.hcl.modules import NEW, Root, Sources
from secinbox.inventory.hcl.planned import blocks_of
from secinbox.inventory.hcl.values import Budget
from secinbox.inventory.terraform import records_of_blocks
from secinbox.reading import Head, Report, ReportError
from secinbox.records import AnyRecord, Skipped

TITLE = "Terraform sources (*.tf)"
KEY = "terraform_sources"
_LOOKS = re.compile(
    r'^(?:(?:resource|data)[ \t]+"?\w+"?[ \t]+"?[\w-]+"?|(?:variable|provider|module|output)[ \t]+"?[\w-]+"?'
    r"|terraform|locals)[ \t]*\{",
    re.M,
)


def recognise(head: Head) -> int:
    if head.kind == "object":
        return 95 if head.has(KEY) else 0
    if head.kind in ("text", "yaml", "csv") and _LOOKS.search(head.text):
        return 60
    return 0


def read(report: Report) -> Iterator[AnyRecord]:
    """Nothing, unless an account is named: a checkout among reports must not become an estate."""
    if not report.options.get("account"):
        yield Skipped(reason="Terraform sources say what will be built, not what is there: name the "
                      f"account with --account to read them, or --account {NEW} for one of their own",
                      count=1, harmless=True)  # fmt: skip
        return
    if report.options["account"] == NEW:  # to all that follows, nobody named one
        report = replace(
            report, options={k: v for k, v in report.options.items() if k != "account"}
        )
    if report.data.lstrip()[:1] == b"{":
        given: dict[str, dict[str, str]] = report.json(dict[str, dict[str, str]])
        files = given.get(KEY, {})
    else:
        files = {report.name.rpartition("/")[2]: report.text}
    try:
        yield from _records(report, files)
    except RecursionError:
        raise ReportError("nested too deeply, or one value refers to too many others", "$",
                          "check the folder with terraform validate") from None  # fmt: skip


def _records(report: Report, files: dict[str, str]) -> Iterator[AnyRecord]:
    sources = Sources.of(files)
    budget = Budget()
    count = 0
    for error in sources.broken.values():
        if not sources.folders:
            raise error
        yield Skipped(reason=f"a folder of sources: {error.message}", count=1, place=error.place)
    roots = sources.roots()
    if not roots and sources.folders:
        raise ReportError("modules that call themselves", min(sources.folders) or "$",
                          "check the folder with terraform validate")  # fmt: skip
    for folder in roots:
        root = Root(sources, folder, f"{report.name}/{folder}", report.options, budget)
        blocks, left = blocks_of(root.top.all_copies())
        count += len(blocks)
        yield from records_of_blocks(report, blocks, root.account(""))
        for reason, place in root.left_out:
            yield Skipped(reason=reason, count=1, place=place)
        for kind, number in sorted(left.items()):
            yield Skipped(reason=f"{kind} hangs on something unknown", count=number)
    if not count:
        yield Skipped(reason="Terraform sources without a resource", count=1, harmless=True)
