"""What paths ask of a provider: how its things are called, who owns them, what of them is worth taking.

A room may say SECRETS, DATABASES, BUCKETS, COPIES and OTHERS (stores of other kinds), ACTORS
(somebody acts as them), RUNS (code runs in them), each as ends of types; and these functions:

- `named(uid, item)`: a short name for a thing of this provider, empty for another's;
- `holds(item)`: whether losing it may matter at all, beyond the types above;
- `worth(estate, item)`: why it matters and how much, without anybody's mark;
- `owner(estate, item)`: the uid of what controls it, empty for another's;
- `keys(facts)`: texts that stand in leaked secrets and what each opens;
- `told(facts)`: names by which scanners tell what a secret opens, and the uid of that.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.facts.store import Facts


@cache
def rooms() -> tuple[ModuleType, ...]:
    """The modules of this package, in order of name."""
    return tuple(
        import_module(f"{__name__}.{m.name}")
        for m in pkgutil.iter_modules(__path__)
        if not m.name.startswith("_")
    )


@cache
def types(word: str) -> tuple[str, ...]:
    """The ends of types that all rooms say under this word."""
    return tuple(end for room in rooms() for end in getattr(room, word, ()))


def _asked(function: str) -> Iterator[Callable[..., Any]]:
    return (getattr(room, function) for room in rooms() if hasattr(room, function))


def holds(item: Item) -> bool:
    """Whether it is of a kind whose loss may matter."""
    return is_store(item) or any(ask(item) for ask in _asked("holds"))


def is_store(item: Item) -> bool:
    """Whether it is there to keep data."""
    return item.type.endswith(_stores())


@cache
def _stores() -> tuple[str, ...]:
    return tuple(
        t for word in ("SECRETS", "DATABASES", "BUCKETS", "COPIES", "OTHERS") for t in types(word)
    )


def worth(estate: Estate, item: Item) -> tuple[str, str] | None:
    """(why, impact) of what matters by its kind or its part in the estate."""
    return next((w for ask in _asked("worth") if (w := ask(estate, item))), None)


def named(uid: str, item: Item | None) -> str:
    """A short name as its provider gives it; empty where none knows it."""
    return next((name for ask in _asked("named") if (name := ask(uid, item))), "")


def owner(estate: Estate, item: Item) -> str:
    """The account, subscription, project or cluster whose control includes this."""
    return next((uid for ask in _asked("owner") if (uid := ask(estate, item))), "")


def keys(facts: Facts) -> dict[str, str]:
    """Texts that stand in leaked secrets -> the uid of what each opens."""
    return {text: uid for ask in _asked("keys") for text, uid in ask(facts).items()}


def told(facts: Facts) -> dict[str, str]:
    """Names by which scanners tell what a secret opens -> the uid of that."""
    return {name: uid for ask in _asked("told") for name, uid in ask(facts).items()}
