"""Fields of an object of the Kubernetes API: null is absent, a wrong type is an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from secinbox.reading import ReportError

KUBECTL = "is it kubectl's JSON output?"  # what to do about a wrong field
_EMPTY: Mapping[str, Any] = {}


def sub(value: Mapping[str, Any], *keys: str) -> Mapping[str, Any] | Any:
    """The object under these keys; empty when there is none."""
    place = ""
    for key in keys:
        place += f".{key}"
        value = value.get(key) or _EMPTY
        if not isinstance(value, dict) and value is not _EMPTY:
            raise _wrong("an object", place)
    return value


def rows(value: Mapping[str, Any], *keys: str) -> list[dict[str, Any]]:
    """The list of objects under these keys."""
    found = sub(value, *keys[:-1]).get(keys[-1]) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise _wrong("a list of objects", "." + ".".join(keys))
    return found


def words(value: Mapping[str, Any], *keys: str) -> list[str]:
    """The list of texts under these keys."""
    found = sub(value, *keys[:-1]).get(keys[-1]) or []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise _wrong("a list of texts", "." + ".".join(keys))
    return found


def text(value: Mapping[str, Any], *keys: str) -> str:
    """The text under these keys."""
    found = sub(value, *keys[:-1]).get(keys[-1])
    if found is None:
        return ""
    if not isinstance(found, str):
        raise _wrong("a text", "." + ".".join(keys))
    return found


def texts(value: Mapping[str, Any], *keys: str) -> dict[str, str]:
    """The map of texts under these keys (labels, annotations, selectors)."""
    found = sub(value, *keys)
    if not all(isinstance(item, str) for item in found.values()):
        raise _wrong("a map of texts", "." + ".".join(keys))
    return dict(found)


@contextmanager
def within(place: str) -> Iterator[None]:
    """Says in which object a wrong field stands."""
    try:
        yield
    except ReportError as error:
        raise ReportError(error.message, place + error.place, error.hint) from None


@contextmanager
def advised(hint: str) -> Iterator[None]:
    """Says what to do about a wrong field of an object that kubectl did not print."""
    try:
        yield
    except ReportError as error:
        told = hint if error.hint == KUBECTL else error.hint
        raise ReportError(error.message, error.place, told) from None


def _wrong(expected: str, place: str) -> ReportError:
    return ReportError(f"wrong shape: expected {expected}", place, KUBECTL)
