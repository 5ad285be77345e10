"""Roles that come out of AWS by certificates (IAM Roles Anywhere)."""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.iam.sessions import anywhere
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, lasting, pairs
from secinbox.paths.world import World
from secinbox.records import Evidence


@lasting
@pairs
def any_certificate(world: World) -> Iterator[Pair]:
    """A trust anchor, and the sessions that holders of whichever certificate of it get."""
    escalation = world.escalation
    for profile in world.estate.of_type(anywhere.TYPE):
        for handed in escalation.handed.get(profile.uid, ()):
            role = escalation.world.principals.get(handed.role)
            for holders in () if role is None or handed.let is False else anywhere.holders(
                escalation.world, role, profile):  # fmt: skip
                if holders.let is False or holders.pinned:
                    continue
                anchor = holders.anchor
                name = f"{anchor.config.get('name') or anchor.name}/{anchor.uid.rpartition('/')[2]}"
                yield Pair(
                    f"certificate:{name}", handed.node, detail=profile.uid,
                    evidence=(Evidence(kind="policy", text=holders.words, source=profile.uid),),
                    doubt=handed.why or holders.why or "who else holds a certificate of it",
                    resources=(profile.uid,),
                    actions=(Action(f"trust:{handed.role}", "Ask for a field of the certificate in the "
                                    f"trust policy of {world.label(handed.role)}", handed.role),),
                )  # fmt: skip
