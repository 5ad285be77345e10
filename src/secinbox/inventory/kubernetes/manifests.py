"""Objects written as YAML: several documents a file, bounded in depth and in references."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from secinbox.reading import Head, ReportError

_MAX_DEPTH = 60
_MAX_ALIASES = 200
_LOOKS = re.compile(r"^apiVersion\s*:", re.MULTILINE)
_KIND = re.compile(r"^kind\s*:", re.MULTILINE)
# What only an API server writes: the object exists.
_LIVE = re.compile(r"^\s+(resourceVersion|uid|creationTimestamp)\s*:\s*[^\s{]", re.MULTILINE)


class _Loader(yaml.CSafeLoader):
    """Safe types only; dates stay texts, as JSON has them."""


_Loader.yaml_implicit_resolvers = {
    key: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for key, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def is_live(head: Head) -> bool:
    """`kubectl get -o yaml`, not a manifest of a repository, which only says what may be deployed."""
    text = head.text
    return bool(_LOOKS.search(text) and _KIND.search(text) and _LIVE.search(text))


def documents(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each document with its place. Raises ReportError for what is no plain YAML."""
    try:
        _check(text)
        for number, document in enumerate(yaml.load_all(text, Loader=_Loader), 1):
            if document is None:
                continue
            if not isinstance(document, dict):
                raise ReportError("not a Kubernetes object", f"document {number}",
                                  "each document is a map with apiVersion and kind")  # fmt: skip
            yield f"document {number} $", _texts(document)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "$"
        hint = "templates (Helm) must be rendered first: helm template"
        raise ReportError("not valid YAML", place, hint) from None
    except (RecursionError, ValueError):
        raise ReportError("not valid YAML", "$", "is it a manifest?") from None


def _check(text: str) -> None:
    """Before anything is built: depth, and references that would multiply each other."""
    stack: list[bool] = []  # for each open collection whether it, or one around it, bears an anchor
    aliases = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            stack.append(bool(event.anchor) or bool(stack and stack[-1]))
        elif isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
            if stack and stack[-1]:
                raise ReportError("a reference inside of what is referred to", "$",
                                  "write it out: such files can grow without bounds")  # fmt: skip
        if len(stack) > _MAX_DEPTH or aliases > _MAX_ALIASES:
            raise ReportError("nested too deeply", "$", "is it a manifest?")


def _texts(value: Any) -> Any:
    """Keys are texts in Kubernetes, whatever YAML makes of `on` or `1`."""
    if isinstance(value, dict):
        return {k if isinstance(k, str) else _key(k): _texts(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_texts(v) for v in value]
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if (isinstance(value, float) and value != value) or value in (float("inf"), float("-inf")):
        return str(value)
    if isinstance(value, set):
        return sorted(str(v) for v in value)
    return value


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)
