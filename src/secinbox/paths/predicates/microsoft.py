"""Azure: managed identities of what runs, who becomes whom, who controls and who reads what."""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.iam.azure import reads
from secinbox.iam.azure.actions import KEYS, READING
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, pairs
from secinbox.paths.world import World
from secinbox.records import Evidence


def _less(world: World, uid: str, what: str) -> Action:
    return Action(f"permission:{uid}:{what}", f"Take from {world.label(uid)}: {what}", uid,
                  effort=1.5)  # fmt: skip


@pairs
def managed_identity(world: World) -> Iterator[Pair]:
    """A machine, an application, a function ... and the identities that it runs as."""
    for uid, item in sorted(world.estate.items.items()):
        if not uid.startswith("/subscriptions/") or item.type.endswith("userassignedidentities"):
            continue
        # The identity as a resource of its own lies on the way, too.
        assigned = tuple(t for t in world.estate.targets(uid, "has_identity") if t.startswith("/"))
        for principal in world.azure.identities(item):
            yield Pair(uid, principal, resources=assigned, actions=(Action(
                f"identity:{uid}>{principal}", f"Give {world.label(uid)} an identity that may do less",
                uid, effort=2.0),))  # fmt: skip


@pairs
def azure_impersonation(world: World) -> Iterator[Pair]:
    """Commands on machines, code into applications, federated credentials, secrets, membership."""
    azure = world.azure
    for principal in azure.principals:
        known = dict(azure.becomes(principal, True))
        maybe = dict(azure.becomes(principal, False))
        for other, how in sorted({**maybe, **known}.items()):
            evidence = Evidence(kind="policy", text=how, source=principal)
            yield Pair(principal, other, detail=how, evidence=(evidence,),
                       doubt="" if other in known else "whether a condition or an activation holds",
                       actions=(_less(world, principal, how),))  # fmt: skip


@pairs
def azure_control(world: World) -> Iterator[Pair]:
    """Who owns a subscription, may assign roles in it, or rules the tenant."""
    azure = world.azure
    for principal in azure.principals:
        known = dict(azure.alone(principal, True))
        maybe = dict(azure.alone(principal, False))
        for place, way in sorted({**maybe, **known}.items()):
            evidence = Evidence(kind="policy", text=way[0], source=principal)
            yield Pair(principal, place, detail=way[0], evidence=(evidence,),
                       doubt="" if place in known else "whether a condition or an activation holds",
                       actions=(_less(world, principal, way[0]),))  # fmt: skip


@pairs
def azure_identities_below(world: World) -> Iterator[Pair]:
    """Control of a subscription is control of the identities of what runs in it."""
    for uid, item in sorted(world.estate.items.items()):
        if uid.startswith("/subscriptions/"):
            for principal in world.azure.identities(item):
                yield Pair("/".join(uid.split("/")[:3]), principal, cost=0.02)


@pairs
def azure_store_that_identity_reads(world: World) -> Iterator[Pair]:
    """Data roles, access policies of vaults, and management actions that hand out keys."""
    azure = world.azure
    for jewel in world.jewels:
        item = world.estate.items[jewel.uid]
        if item.type not in READING and item.type not in KEYS:
            continue
        for principal in azure.principals:
            if world.reached is not None and principal not in world.reached:
                continue
            found = reads(azure, principal, item)
            if found is not None:
                yield Pair(principal, item.uid, doubt=found[1],
                           evidence=(Evidence(kind="policy", text=found[0], source=principal),),
                           actions=(_less(world, principal, found[0]),))  # fmt: skip
