"""AWS Config: snapshots and histories of configuration items, as the AWS API would describe them.

An item has the fields of the describe answer with a small first letter, and what other calls say of
the resource in `supplementaryConfiguration`. Only what the recorder was told to record is there, so
that a snapshot never says that an account was read completely. Source: AWS Config Developer Guide,
"Components of a Configuration Item", and the resource schemas (github.com/awslabs/aws-config-resource-schema).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from secinbox.inventory.aws.calls import Call
from secinbox.inventory.aws.elements import is_thing, records_of, resource
from secinbox.inventory.aws_config import items as _items
from secinbox.inventory.aws_config.items import Item
from secinbox.inventory.aws_config.services import GATHERED
from secinbox.inventory.aws_config.services import TYPES as _SERVICES
from secinbox.reading import Head, Report, ReportError
from secinbox.records import AnyRecord, Resource, Skipped

TITLE = "AWS Config snapshots"
TYPES = {**_items.TYPES, **_SERVICES}


def recognise(head: Head) -> int:
    if head.kind != "object":
        return 0
    if head.has("configurationItems"):
        return 96
    data = head.first.get("data")
    return 96 if isinstance(data, dict) and "configurationItems" in data else 0


def read(report: Report) -> Iterator[AnyRecord]:
    document: dict[str, Any]
    for place, document in report.documents(dict[str, Any]):
        inner: Any = document.get("data") if isinstance(document.get("data"), dict) else document
        items = inner.get("configurationItems") if isinstance(inner, dict) else None
        if not isinstance(items, list):
            raise ReportError("no configurationItems", place, "is it a snapshot of AWS Config?")
        yield from _records(items, f"{place}.configurationItems")


def _records(items: list[Any], place: str) -> Iterator[AnyRecord]:
    left: dict[str, int] = {}
    newest: dict[tuple[str, str], tuple[str, Item]] = {}
    for index, raw in enumerate(items):
        item = _item(raw, f"{place}[{index}]")
        if item is None:
            yield Skipped(reason="an item without type or configuration", place=f"{place}[{index}]")
            continue
        if item.status.startswith("ResourceDeleted") or item.status == "ResourceNotRecorded":
            continue
        if item.kind not in TYPES and not is_thing(item.arn):
            left[item.kind] = left.get(item.kind, 0) + 1
            continue
        # A history has many states of one thing: the newest counts.
        key = (item.kind, item.id)
        if key not in newest or item.time >= newest[key][0]:
            newest[key] = (item.time, item)
    gathered: dict[tuple[str, str, str, str], Call] = {}
    for _, item in newest.values():
        made = list(_answered(item, gathered)) if item.kind in TYPES else [_named(item)]
        yield from made
        # Not every answer has a place for tags.
        told = {r.uid: r.tags for r in made if isinstance(r, Resource)}
        if item.tags and not told.get(item.arn, item.tags):
            yield _named(item)
    for call in gathered.values():
        yield from records_of(call)
    for kind, count in sorted(left.items()):
        yield Skipped(reason=f"{kind} says nothing of use here", count=count, harmless=True)


def _answered(item: Item, gathered: dict[tuple[str, str, str, str], Call]) -> Iterator[AnyRecord]:
    """What calls would have answered; parts of longer answers wait for the others of their list."""
    for operation, response, request in TYPES[item.kind](item):
        call = Call(operation, item.account, item.region, item.partition, response, request,
                    item.place)  # fmt: skip
        rows = GATHERED.get(operation)
        if rows is None:
            yield from records_of(call)
            continue
        whole = gathered.setdefault(
            (operation, item.account, item.region, "".join(request.values())), call
        )
        if whole is not call:
            whole.response[rows].extend(response[rows])


def _named(item: Item) -> Resource:
    """Its name, place and tags: of types that no analysis asks about, this is enough."""
    call = Call("", item.account, item.region, item.partition, {}, {}, item.place)
    tags = [{"Key": k, "Value": v} for k, v in item.tags.items()]
    return resource(call, item.arn, {"Tags": tags}, name=item.name)


def _item(raw: Any, place: str) -> Item | None:
    if not isinstance(raw, dict) or not isinstance(raw.get("resourceType"), str):
        return None
    configuration = _decoded(raw.get("configuration"))
    more = raw.get("supplementaryConfiguration")
    if not isinstance(configuration, dict):
        configuration = {}
        if not str(raw.get("configurationItemStatus", "")).startswith("ResourceDeleted"):
            return None
    arn = str(raw.get("ARN") or raw.get("arn") or "")
    parts = arn.split(":")
    tags = raw.get("tags")
    return Item(
        kind=raw["resourceType"],
        id=str(raw.get("resourceId") or arn),
        name=str(raw.get("resourceName") or ""),
        arn=arn,
        account=str(raw.get("awsAccountId") or (parts[4] if len(parts) > 5 else "")),
        region=str(raw.get("awsRegion") or ""),
        partition=parts[1] if len(parts) > 5 else "aws",
        status=str(raw.get("configurationItemStatus") or ""),
        time=str(raw.get("configurationItemCaptureTime") or ""),
        tags={str(k): str(v) for k, v in tags.items()} if isinstance(tags, dict) else {},
        values=configuration,
        more={str(k): _decoded(v) for k, v in more.items()} if isinstance(more, dict) else {},
        place=place,
    )


def _decoded(value: Any) -> Any:
    """Objects are written as text in some of the deliveries."""
    if not isinstance(value, str) or value[:1] not in "{[":
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.MsgspecError, RecursionError):
        return value
