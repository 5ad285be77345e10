"""Columns of a table as fields of the object that an API answered, for tools that flatten them."""

from __future__ import annotations

import re
from typing import Any, NamedTuple


class Field(NamedTuple):
    """Where a value stands in the object, and in which column of Steampipe.

    `form`: `text`, `number`, `truth`, `flag` (false is the same as absent), `address`, or as it is.
    `always`: the API fills it in each object. `wanted`: without it a verdict could be wrong.
    """

    path: tuple[str, ...]
    column: str
    form: str
    always: bool
    wanted: bool


_FORMS = {"s": "text", "i": "number", "b": "truth", "f": "flag", "a": "address"}
_MARK = re.compile(r"([\w.]+)([!?]?)(?::(\w))?(?:=(\w+))?")


def fields_of(text: str) -> tuple[Field, ...]:
    """`spec.replicas!:i status.podIP?:a rules=rules`: path, `!` always there, `?` not needed, form,
    column where Steampipe's is not the last word of the path."""
    out = []
    for word in text.split():
        found = _MARK.fullmatch(word)
        assert found is not None, word
        path, mark, form, column = found.groups()
        steps = tuple(path.split("."))
        out.append(Field(steps, column or snake(steps[-1]), _FORMS.get(form or "", ""),
                         mark == "!", mark != "?"))  # fmt: skip
    return tuple(out)


def snake(name: str) -> str:
    """`podIPs` -> `pod_ips`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def put(value: dict[str, Any], path: tuple[str, ...], found: Any) -> None:
    """Sets a field below its parents, which are made where they are not there."""
    *outer, last = path
    for step in outer:
        value = value.setdefault(step, {})
    value[last] = found


_ADDRESSES = ("externalIPs", "clusterIPs", "podIPs")


def formed(field: Field, value: Any) -> Any:
    """The value in the API's own type: CSV has none, and databases write networks of one address."""
    if value is None or value == "":
        return None
    if field.form in ("text", "address") and isinstance(value, (bool, int)):
        return str(value).lower()
    if field.form == "address" and isinstance(value, str):
        return _address(value)
    if field.form == "number" and isinstance(value, str) and value.lstrip("-").isdecimal():
        return int(value[:18])
    if field.form == "flag" and value is False:
        return None
    if field.path[-1] in _ADDRESSES and isinstance(value, list):
        kept = [_address(v) if isinstance(v, str) else v for v in value if v is not None]
        return [{"ip": v} if isinstance(v, str) and field.path[-1] == "podIPs" else v for v in kept]
    return value


def _address(text: str) -> str:
    return text.removesuffix("/128" if ":" in text else "/32")
