"""What is there, as provider and tools list it: a package or module each.

A room may say PLUMBING: types of things that bear the names of something else. An instance, its
interface and its elastic address all have the same address; a name that they share means the instance.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module


@cache
def plumbing() -> frozenset[str]:
    """The types of resources that a shared name does not mean, of all rooms."""
    rooms = (import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))
    return frozenset(kind for room in rooms for kind in getattr(room, "PLUMBING", ()))
