"""Untyped JSON read with care: every access says where it stands, every wrong type is an error.

For formats with many dialects, where a typed structure would refuse what another version writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.reading import ReportError

_LARGEST_LINE = 2**31 - 1


def _kind(value: object) -> str:
    names = {dict: "object", list: "array", str: "text", bool: "true/false", type(None): "null"}
    return names.get(type(value), "number")


class Node:
    """A JSON value and its place in the report. What is absent reads as empty."""

    __slots__ = ("place", "value")

    def __init__(self, value: Any, place: str = "$") -> None:
        self.value = value
        self.place = place

    def __bool__(self) -> bool:
        return bool(self.value)

    def _wrong(self, expected: str) -> ReportError:
        return ReportError(
            f"wrong shape: expected {expected}, found {_kind(self.value)}",
            self.place,
            "is it the tool's own output?",
        )

    def at(self, *keys: str) -> Node:
        """The value under these keys; a Node of None when one is absent."""
        value, place = self.value, self.place
        for key in keys:
            if value is None:
                return Node(None, place)
            if not isinstance(value, dict):
                raise Node(value, place)._wrong("object")
            value = value.get(key)
            place = f"{place}.{key}"
        return Node(value, place)

    def has(self, key: str) -> bool:
        """The object has this key."""
        return isinstance(self.value, dict) and key in self.value

    @property
    def is_object(self) -> bool:
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        return isinstance(self.value, list)

    def text(self, *keys: str) -> str:
        """A text; numbers are written out, null and absence are empty."""
        node = self.at(*keys)
        value = node.value
        if isinstance(value, str):
            return value
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (int, float)):
            return str(value)
        raise node._wrong("text")

    def first_text(self, *keys: str) -> str:
        """The first of these keys that holds text."""
        for key in keys:
            found = self.text(key)
            if found:
                return found
        return ""

    def number(self, *keys: str) -> float | None:
        """A number, also when written as text; else None."""
        node = self.at(*keys)
        value = node.value
        if isinstance(value, bool) or value is None:
            return None
        if isinstance(value, (int, float)):
            return float(value) if abs(value) < 1e300 else None
        if isinstance(value, str):
            try:
                number = float(value)
            except ValueError:
                return None
            return number if abs(number) < 1e300 else None
        raise node._wrong("number")

    def line(self, *keys: str) -> int:
        """A line number; 0 when absent or impossible."""
        number = self.number(*keys)
        return int(number) if number is not None and 0 < number <= _LARGEST_LINE else 0

    def flag(self, *keys: str) -> bool:
        """True only for true (or the text "true")."""
        value = self.at(*keys).value
        return value is True or (isinstance(value, str) and value.lower() == "true")

    def items(self, *keys: str) -> Iterator[Node]:
        """The elements of an array; nothing when absent or null."""
        node = self.at(*keys)
        if node.value is None:
            return
        if not isinstance(node.value, list):
            raise node._wrong("array")
        for index, item in enumerate(node.value):
            yield Node(item, f"{node.place}[{index}]")

    def objects(self, *keys: str) -> Iterator[Node]:
        """The elements of an array, each of which must be an object."""
        for item in self.items(*keys):
            if not isinstance(item.value, dict):
                raise item._wrong("object")
            yield item

    def entries(self, *keys: str) -> Iterator[tuple[str, Node]]:
        """Keys and values of an object."""
        node = self.at(*keys)
        if node.value is None:
            return
        if not isinstance(node.value, dict):
            raise node._wrong("object")
        for key, value in node.value.items():
            yield key, Node(value, f"{node.place}.{key}")

    def strings(self, *keys: str) -> list[str]:
        """The texts of an array; a single text counts as one."""
        node = self.at(*keys)
        if isinstance(node.value, str):
            return [node.value] if node.value else []
        return [text for item in node.items() if (text := item.text())]

    def require_object(self) -> Node:
        """Itself; an error when it is no object."""
        if not isinstance(self.value, dict):
            raise self._wrong("object")
        return self

    def require_list(self) -> Node:
        """Itself; an error when it is no array."""
        if not isinstance(self.value, list):
            raise self._wrong("array")
        return self


def first_character(data: bytes) -> str:
    """The first character that is not white space, of UTF-8 or UTF-16, without decoding all."""
    head = data[:4096]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head.decode("utf-16", "ignore").strip()[:1]
    return head.decode("utf-8", "ignore").lstrip("\ufeff \t\r\n")[:1]
