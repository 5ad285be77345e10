"""Sessions of roles that AWS hands out by a configuration, not by sts:AssumeRole of a caller.

Each file knows one thing that hands them out (an association of EKS Pod Identity, a profile of IAM
Roles Anywhere, an identity pool ...): which role it gives, to whom, cut by which session policy, with
which session tags. Source: IAM User Guide, "Session policies": a session may do what both the role's
policies and the session policy allow.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from secinbox.iam.conditions import Tri
from secinbox.iam.trusts import Trusts
from secinbox.iam.world import Persona, World


@dataclass(frozen=True, eq=False)
class Handed:
    """One session that `giver` (the uid of the association, the profile ...) hands out.

    let: whether AWS does so; `why` tells the control of a no and the doubt of an unknown.
    persona: the role as such a session has it; None where the role was not read.
    own: what such a session may do is not what the role may do: it is a node of its own.
    """

    giver: str
    role: str
    let: Tri = True
    why: str = ""
    persona: Persona | None = None
    own: bool = False
    words: str = ""  # who gets it: "holders of a certificate of trust anchor partners"
    # Not its credentials: files in these buckets, by ARN; empty for all that it reaches.
    buckets: tuple[str, ...] | None = None
    to: str = ""  # ARN of the principal who asks for it, where only that one may

    @property
    def cut(self) -> bool:
        """A session policy stands over it, read or not."""
        return self.persona is not None and self.persona.cut

    @property
    def node(self) -> str:
        """The role's ARN, or a name of its own for a session that may do something else."""
        if not self.own:
            return self.role
        return f"{self.role} (session of {self.giver.rpartition(':')[2].replace(':', ' ')})"


class Source(Protocol):
    """The interface of a module of this package. TYPE: of the items that hand sessions out."""

    TYPE: str

    def sessions(self, world: World, trusts: Trusts) -> Iterator[Handed]: ...


@cache
def sources() -> tuple[Source, ...]:
    """Every module, in order of its file name."""
    found: list[Any] = [
        importlib.import_module(f"{__name__}.{info.name}")
        for info in pkgutil.iter_modules(__path__)
        if not info.name.startswith("_")
    ]
    return tuple(found)


def givers() -> tuple[str, ...]:
    """Types of what hands sessions out; they run nothing themselves."""
    return tuple(s.TYPE for s in sources())


def handed_out(world: World, trusts: Trusts) -> dict[str, tuple[Handed, ...]]:
    """All sessions by their giver, in order of giver and role."""
    out: dict[str, list[Handed]] = defaultdict(list)
    for source in sources():
        for handed in source.sessions(world, trusts):
            out[handed.giver].append(handed)
    return {uid: tuple(sorted(out[uid], key=lambda h: h.role)) for uid in sorted(out)}
