"""A row as the API would have described the resource.

Columns are the fields of the answer in snake_case, sometimes flattened (`launch_template_id`);
objects within them bear the names of the tools' own language, with a capital first letter, also
where the API writes a small one (`LaunchType` for `launchType`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from secinbox.inventory.aws.calls import LISTS_BY_OPERATION

Row = dict[str, Any]


class Answer(NamedTuple):
    """What a call would have answered. `part`: keys of the resource of which the row tells a part."""

    operation: str
    response: dict[str, Any]
    request: dict[str, Any] | None = None
    part: tuple[str, ...] = ()


Made = Iterator[Answer]
Maker = Callable[[Row], Made]

# Words that the API does not write with one capital letter.
_WORDS = {"db": "DB"}
# Columns of the tools about a row, not of the resource.
_ABOUT = frozenset({
    "akas", "title", "partition", "account_id", "region", "tags", "tags_src", "request_account_id",
    "request_region", "sp_connection_name", "sp_ctx", "result_metadata", "policy_std",
})  # fmt: skip
_MAX_DEPTH = 60


def camel(name: str) -> str:
    """`map_public_ip_on_launch` -> `MapPublicIpOnLaunch`."""
    return "".join(_WORDS.get(word, word[:1].upper() + word[1:]) for word in name.split("_"))


def decoded(row: Mapping[str, Any]) -> Row:
    """A row with its objects as objects."""
    return {k: _object(v) for k, v in row.items()}


def _object(value: Any) -> Any:
    if not isinstance(value, str) or value[:1] not in "{[":
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.MsgspecError, RecursionError):
        return value


def pruned(value: Any, lower: bool = False, depth: int = 0) -> Any:
    """Without what is null; `lower`: names with a small first letter, but not words like GET."""
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, list):
        return [pruned(v, lower, depth + 1) for v in value]
    if isinstance(value, dict):
        return {
            _small(str(k)) if lower else str(k): pruned(v, lower, depth + 1)
            for k, v in value.items()
            if v is not None
        }
    return value


def _small(name: str) -> str:
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def paths(text: str) -> dict[str, str]:
    """`name=LoadBalancerName state_code=State.Code` -> columns and the paths of their values.

    A path `-` leaves the column out.
    """
    return dict(pair.split("=") for pair in text.split())


def described(row: Row, where: Mapping[str, str] | None = None, lower: bool = False) -> Row:
    """The resource as the API describes it: what is null is left out, not known to be empty."""
    found: Row = {}
    moved = where or {}
    for column, value in row.items():
        if value is None or column in _ABOUT or column.startswith("_"):
            continue
        path = moved.get(column) or (_small(camel(column)) if lower else camel(column))
        if path == "-":
            continue
        *outer, last = path.split(".")
        inner = found
        for word in outer:
            held = inner.setdefault(word, {})
            if not isinstance(held, dict):
                break
            inner = held
        else:
            inner[last] = pruned(value, lower)
    tags = tags_of(row)
    if tags:
        found["tags" if lower else "Tags"] = tags
    return found


def tags_of(row: Row) -> list[dict[str, str]]:
    """Tags as a list, from either of the tools' forms; empty where there are none."""
    tags = row.get("tags_src") or row.get("tags")
    if isinstance(tags, dict):
        return [{"Key": str(k), "Value": str(v)} for k, v in tags.items()]
    return [t for t in tags if isinstance(t, dict)] if isinstance(tags, list) else []


def text(value: Any) -> str:
    """A policy as the API gives it: as text."""
    return value if isinstance(value, str) else json.dumps(value)


def first(row: Row, *columns: str) -> Any:
    """The first of these columns that is there and not empty; None."""
    return next((row[c] for c in columns if row.get(c) not in (None, "")), None)


def listed(operation: str, where: str = "") -> Maker:
    """A table of resources that a list or describe call answers, one a row.

    Where `arn` and `name` stand in the answer is known from the shape of the call.
    """
    shape = LISTS_BY_OPERATION[operation]
    steps = shape.path.split(".")
    lower = shape.fields[0][:1].islower() if shape.fields else False
    moved = paths(where)
    for column, field in (("arn", shape.arn), ("name", shape.name)):
        if field and "{" not in field:
            moved.setdefault(column, field)

    def made(row: Row) -> Made:
        answer: Any = described(row, moved, lower)
        for step in reversed(steps):
            answer = {step.removesuffix("[]"): [answer] if step.endswith("[]") else answer}
        yield Answer(operation, answer)

    return made


def told(operation: str, key: str, request: str, where: str = "", lower: bool = False) -> Maker:
    """A table of resources that a call about one resource answers: `key` holds its description.

    `request`: the parameter of the call and the column that it came from (`name=name`).
    """
    moved = paths(where)
    parameter, _, column = request.partition("=")

    def made(row: Row) -> Made:
        found = described(row, moved, lower)
        yield Answer(operation, {key: found} if key else found, {parameter: str(row.get(column))})

    return made


def part(operation: str, key: str, request: str, where: str = "", lower: bool = False) -> Maker:
    """A table whose rows are parts of one answer about a resource, as the listeners of a balancer.

    `request`: the parameter that names the resource, and the columns that may hold it, the first
    that is there counts (`ApiId=api_id`); `|tail` takes the last part of an ARN.
    """
    moved = paths(where)
    parameter, _, told_by = request.partition("=")
    columns, _, how = told_by.partition("|")
    method = operation.partition(".")[2]

    def made(row: Row) -> Made:
        owner = str(first(row, *columns.split(",")) or "")
        if not owner:
            raise KeyError(columns)
        if how == "tail":
            owner = owner.rpartition("/")[2]
        yield Answer(
            operation, {key: [described(row, moved, lower)]}, {parameter: owner}, (method,)
        )

    return made


def together(*makers: Maker) -> Maker:
    """All that several makers say of a row."""

    def made(row: Row) -> Made:
        for maker in makers:
            yield from maker(row)

    return made


def policy(operation: str, request: str, *columns: str, key: str = "Policy") -> Maker:
    """The policy of the resource, where the row has one: null may be none or not to be seen."""
    parameter, _, column = request.partition("=")
    *outer, last = key.split(".")

    def made(row: Row) -> Made:
        document = first(row, *columns)
        if document is None:
            return
        answer: Any = {last: text(document)}
        for word in reversed(outer):
            answer = {word: answer}
        yield Answer(operation, answer, {parameter: str(first(row, *column.split(",")) or "")})

    return made
