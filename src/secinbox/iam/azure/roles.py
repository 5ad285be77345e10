"""Roles of Azure: the built-in ones, and custom ones as the inventory defines them.

`builtin.txt` is made by scripts/make_roles.py of what Microsoft publishes ("Azure built-in roles"):
every role, with those of its actions that count here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import msgspec

from secinbox.estate import Estate
from secinbox.inventory.azure.resources import dicts, text

_AUTH = "azure_microsoft_authorization_"


@cache
def _pattern(text_: str) -> re.Pattern[str]:
    return re.compile(re.escape(text_.lower()).replace(r"\*", ".*"))


def matches(patterns: Iterable[str], action: str) -> bool:
    """Whether one of the patterns is this action, in any case, `*` for anything."""
    return any(_pattern(p).fullmatch(action.lower()) for p in patterns)


@dataclass(frozen=True)
class Block:
    """Actions less not-actions; a role has one or more."""

    actions: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    data_without: tuple[str, ...] = ()
    condition: str = ""

    def allows(self, action: str, data: bool) -> bool:
        wanted, taken = (self.data, self.data_without) if data else (self.actions, self.without)
        return matches(wanted, action) and not matches(taken, action)


@dataclass(frozen=True)
class Role:
    """`known` is False where neither Microsoft's list nor the inventory defines it."""

    name: str
    blocks: tuple[Block, ...] = ()
    known: bool = True
    custom: bool = False

    @cached_property
    def _asked(self) -> dict[tuple[str, bool], Block | None]:
        return {}

    def gives(self, action: str, data: bool = False) -> Block | None:
        """The block that allows it, one without a condition before others; None where none does."""
        key = (action, data)
        if key not in self._asked:
            found = [b for b in self.blocks if b.allows(action, data)]
            self._asked[key] = min(found, key=lambda b: b.condition != "", default=None)
        return self._asked[key]

    def allows(self, action: str, data: bool = False) -> bool:
        """Whether some block allows it, under a condition or not."""
        return self.gives(action, data) is not None


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(v) for v in value) if isinstance(value, list) else ()


def blocks_of(permissions: Any) -> tuple[Block, ...]:
    """The blocks of a definition or a deny assignment."""
    return tuple(
        Block(_texts(p.get("actions")), _texts(p.get("notActions")), _texts(p.get("dataActions")),
              _texts(p.get("notDataActions")), text(p.get("condition")))
        for p in dicts(permissions)
    )  # fmt: skip


@cache
def builtin() -> Mapping[str, Role]:
    """id of the definition -> role."""
    lines = files(__package__).joinpath("builtin.txt").read_text("utf-8").splitlines()
    out = {}
    for line in lines:
        if line.startswith("#"):
            continue
        guid, name, found = line.split("\t")
        rows = msgspec.json.decode(
            found, type=list[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...],
                                   tuple[str, ...], str]])  # fmt: skip
        out[guid] = Role(name, tuple(Block(*row) for row in rows))
    return out


class Roles:
    """Roles by id of their definition, with the custom ones of an estate."""

    def __init__(self, estate: Estate) -> None:
        self._own: dict[str, Role] = {}
        for item in estate.of_type(f"{_AUTH}roledefinitions"):
            blocks = blocks_of(item.config.get("permissions"))
            guid = item.uid.rsplit("/", 1)[-1]
            said = (
                text(item.config.get("roleType"))
                or text(item.config.get("typePropertiesType"))
                or text(item.config.get("type"))
            )
            if isinstance(item.config.get("permissions"), list):
                name = text(item.config.get("roleName")) or item.name
                self._own[guid] = Role(name, blocks, custom=said.lower() != "builtinrole")
        self._names = {r.name.lower(): r for r in (*builtin().values(), *self._own.values())}

    def of(self, definition: str, name: str = "") -> Role:
        """By the id of the definition, else by its name; an unknown one where nobody defines it."""
        guid = definition.lower().rstrip("/").rsplit("/", 1)[-1]
        found = self._own.get(guid) or builtin().get(guid)
        if found is None and name:
            found = self._names.get(name.lower())
        return found or Role(name or guid or "without a definition", known=False)
