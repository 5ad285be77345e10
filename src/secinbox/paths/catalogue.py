"""The catalogue of moves: rows of data in `moves/*.toml`, read and checked.

A row says from which kind of state a move leads to which, which predicate finds the pairs of
resources, and which further conditions each pair must meet. A row with an unknown key or predicate
is refused with the names that are allowed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

from secinbox.paths.predicates import CHECKS, PAIRS

STATES: dict[str, str] = {
    "entry": "starts here",
    "net": "can open a connection to it",
    "exec": "runs code on it",
    "ssrf": "makes it send requests",
    "cred": "acts as it",
    "secret": "knows it",
    "read": "reads its data",
    "pipeline": "runs code in its pipeline",
    "admin": "controls all of it",
    "hub": "stands for many states",
}


class CatalogueError(ValueError):
    """A row that cannot be used; says where and what is allowed."""


@dataclass(frozen=True)
class Move:
    """One row. cost: -log of the weight of success of the move itself; effort: of its remedy."""

    id: str
    title: str
    source: str  # kind of state, key `from` in the file
    target: str  # kind of state, key `to` in the file
    pairs: str
    phrase: str
    attack: tuple[str, ...]
    reference: str
    remedy: str
    checks: tuple[str, ...] = ()
    cost: float = 0.05
    effort: float = 1.0
    assumed: str = ""  # what nobody can know from facts; makes the step possible, not certain
    limits: str = ""


_KEYS = {"from": "source", "to": "target"}


def read(text: str, name: str) -> list[Move]:
    """The rows of one file. Raises CatalogueError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{name}: not TOML: {error}") from error
    if set(document) - {"move"}:
        raise CatalogueError(f"{name}: only [[move]] tables are allowed")
    return [_row(row, f"{name}, move {n}") for n, row in enumerate(document.get("move", ()), 1)]


def _row(row: dict[str, Any], where: str) -> Move:
    where = f"{where} ({row.get('id', 'without id')})"
    known = {f.name for f in fields(Move)}
    allowed = sorted((known - set(_KEYS.values())) | set(_KEYS))
    unknown = sorted(set(row) - set(allowed))
    if unknown:
        raise CatalogueError(f"{where}: unknown key {unknown[0]}; allowed: {', '.join(allowed)}")
    values: dict[str, Any] = {
        _KEYS.get(k, k): tuple(v) if isinstance(v, list) else v for k, v in row.items()
    }
    required = ("id", "title", "source", "target", "pairs", "phrase", "attack", "reference",
                "remedy")  # fmt: skip
    missing = [name for name in required if not values.get(name)]
    if missing:
        raise CatalogueError(f"{where}: {', '.join(missing)} is missing")
    for key in ("source", "target"):
        _among(where, "state", values[key], STATES)
    _among(where, "predicate", values["pairs"], PAIRS)
    for check in values.get("checks", ()):
        _among(where, "check", check, CHECKS)
    try:
        values["phrase"].format(source="", target="", detail="")
    except (KeyError, IndexError, ValueError) as error:
        raise CatalogueError(
            f"{where}: phrase may use {{source}}, {{target}} and {{detail}} only"
        ) from error
    return Move(**values)


def _among(where: str, what: str, name: str, allowed: Collection[str]) -> None:
    if name not in allowed:
        raise CatalogueError(
            f"{where}: unknown {what} {name!r}; allowed: {', '.join(sorted(allowed))}"
        )


@cache
def moves() -> tuple[Move, ...]:
    """All rows of the package, in order of id. Raises CatalogueError."""
    found: list[Move] = []
    for entry in sorted(files("secinbox.paths").joinpath("moves").iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".toml"):
            found += read(entry.read_text("utf-8"), entry.name)
    ids = [m.id for m in found]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise CatalogueError(f"move id used twice: {', '.join(twice)}")
    return tuple(sorted(found, key=lambda m: m.id))
