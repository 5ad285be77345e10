"""Whether anything in an estate looks at tags that a session bears: else they change nothing."""

from __future__ import annotations

from collections.abc import Iterable

from secinbox.iam.policy import Statement
from secinbox.iam.resources import policies
from secinbox.iam.world import Persona, World

_TAG = "aws:principaltag/"


def matter(world: World, persona: Persona, keys: Iterable[str]) -> bool:
    """A policy of the role, of its organisation, a trust, or a resource's own policy names one."""
    wanted = {_TAG + k.lower() for k in keys}
    rails = world.guardrails.get(persona.account)
    policies_of = [s.policy for s in persona.sources]
    policies_of += [persona.boundary] if persona.boundary is not None else []
    for level in (*rails.service, *rails.resource) if rails is not None else ():
        policies_of += level
    named = {n for p in policies_of for s in p.statements for n in s.names}
    return not wanted.isdisjoint(
        named | world.estate.once("iam.tags looked at", lambda: _of_others(world))
    )


def _of_others(world: World) -> frozenset[str]:
    """Tags of principals that trusts and policies of resources look at."""
    speaking: list[Statement] = [
        s for role in world.roles() if role.trust is not None for s in role.trust.statements
    ]
    speaking += [s for p in policies(world.estate) for s in p.statements]
    return frozenset(n for s in speaking for n in s.names if n.startswith(_TAG))
