"""What is there, as provider and tools list it: a package or module each.

A room may say PLUMBING: types of things that bear the names of something else. An instance, its
interface and its elastic address all have the same address; a name that they share means the instance.
And REPLICAS: SQL patterns of uids of things that stand for what they are `owned_by`, as a pod does for
its deployment; instances of a scaling group are things of their own.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module


@cache
def plumbing() -> frozenset[str]:
    """The types of resources that a shared name does not mean, of all rooms."""
    return frozenset(_said("PLUMBING"))


@cache
def replicas() -> tuple[str, ...]:
    """Patterns of the uids of replicas, of all rooms."""
    return tuple(_said("REPLICAS"))


def _said(word: str) -> Iterator[str]:
    for module in pkgutil.iter_modules(__path__):
        yield from getattr(import_module(f"{__name__}.{module.name}"), word, ())
