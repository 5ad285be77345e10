"""Terraform state and plans: resources of AWS, Azure and Google Cloud as their APIs describe them.

A state knows what it manages and nothing else: it never says that an account was read completely,
so what is absent from it is unknown. Of a plan what exists already is taken, with the values that it
will have; what is only planned has no identity yet. Passwords and keys in a state are not taken
into the inventory (the report itself is archived as it came: keep states where secrets may be).
Sources: the state format (version 4) and "JSON Output Format" of developer.hashicorp.com, and the
schemas of the providers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from secinbox.inventory.aws.calls import Call, place_in
from secinbox.inventory.aws.elements import is_thing, records_of, resource
from secinbox.inventory.terraform import azurerm, google
from secinbox.inventory.terraform.answers import answers_of
from secinbox.inventory.terraform.blocks import Block, blocks_of
from secinbox.reading import Head, Report, ReportError
from secinbox.records import AnyRecord, Skipped

TITLE = "Terraform state and plan JSON"


def recognise(head: Head) -> int:
    if head.kind != "object":
        return 0
    if head.has("version", "terraform_version", "lineage"):
        return 95
    if head.has("format_version", "terraform_version") and (
        head.has("planned_values") or head.has("values") or head.has("prior_state")
    ):
        return 95
    if head.has("format_version", "planned_values", "resource_changes"):
        return 95
    return 0


def read(report: Report) -> Iterator[AnyRecord]:
    document: dict[str, Any]
    for place, document in report.documents(dict[str, Any]):
        blocks, planned = blocks_of(document, place)
        if not blocks and not planned and "resources" not in document and "values" not in document:
            raise ReportError("no Terraform state or plan", place, "use terraform show -json")
        yield from records_of_blocks(report, blocks)
        if planned:
            yield Skipped(reason="planned resources that do not exist yet", count=planned,
                          harmless=True)  # fmt: skip


def records_of_blocks(
    report: Report, blocks: list[Block], account: str = ""
) -> Iterator[AnyRecord]:
    """Records of the resources of any provider. `account`: of AWS, where no ARN names one."""
    aws = [b for b in blocks if b.type.startswith("aws_")]
    yield from _records(report, aws, account)
    others = len(blocks) - len(aws)
    for prefix, made in (("google_", google.records), ("azurerm_", azurerm.records)):
        own = [b for b in blocks if b.type.startswith(prefix)]
        yield from made(own)
        others -= len(own)
    if others:
        yield Skipped(reason="resources of other providers", count=others, harmless=True)


def _records(report: Report, blocks: list[Block], given: str) -> Iterator[AnyRecord]:
    owners = "\n".join(b.arn for b in blocks if b.arn)
    partition, account, region = place_in(owners)
    account = report.options.get("account", "") or given or account
    known: set[str] = set()
    for answer in answers_of(blocks, account, region):
        known |= set(answer.used)
        where = _place(answer.arn)
        call = Call(
            answer.operation, where.get("account") or account, where.get("region") or region,
            where.get("partition") or partition, answer.response, answer.request, answer.place, answer.partial,
        )  # fmt: skip
        yield from (r for r in records_of(call) if not isinstance(r, Skipped))
    left: dict[str, int] = {}
    for block in blocks:
        if block.place in known:
            continue
        if is_thing(block.arn):
            # Its name, place and tags; its values may hold passwords, and no analysis asks for them.
            where = _place(block.arn)
            call = Call("", where.get("account") or account, where.get("region") or region,
                        where.get("partition") or partition, {}, {}, block.place)  # fmt: skip
            yield resource(call, block.arn, {"Tags": block.tags}, place=block.place)
        else:
            left[block.type] = left.get(block.type, 0) + 1
    for kind, count in sorted(left.items()):
        yield Skipped(reason=f"{kind} says nothing of use here", count=count, harmless=True)


def _place(arn: str) -> Mapping[str, str]:
    parts = arn.split(":")
    if len(parts) < 6:
        return {}
    return {"partition": parts[1], "region": parts[3], "account": parts[4]}
