"""YAML from outside: texts, lists and maps only, bounded in depth and in references."""

from __future__ import annotations

from typing import Any

import yaml

from secinbox.reading import ReportError

_MAX_DEPTH = 60
_MAX_ALIASES = 1000


def load_yaml(text: str, what: str) -> Any:
    """The document; every scalar is a text. Raises ReportError."""
    try:
        # Events first: the loader recurses in C, so that nesting must be bounded before it.
        depth = aliases = 0
        for event in yaml.parse(text, Loader=yaml.CBaseLoader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            elif isinstance(event, yaml.AliasEvent):
                aliases += 1
            if depth > _MAX_DEPTH or aliases > _MAX_ALIASES:
                raise ReportError("nested too deeply", "$", f"is it {what}?")
        return yaml.load(text, Loader=yaml.CBaseLoader)  # noqa: S506
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ReportError("not valid YAML", place, f"is it {what}?") from None
    except (RecursionError, ValueError):
        raise ReportError("not valid YAML", "$", f"is it {what}?") from None
