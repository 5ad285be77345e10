"""Azure: managed identities of what runs, who becomes whom, who controls and who reads what."""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, pairs
from secinbox.paths.world import World
from secinbox.records import Evidence

# type of a store -> (data action, how)
READING: dict[str, str] = {
    "azure_microsoft_storage_storageaccounts":
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
    "azure_microsoft_storage_storageaccounts_blobservices_containers":
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
    "azure_microsoft_keyvault_vaults": "Microsoft.KeyVault/vaults/secrets/getSecret/action",
    "azure_microsoft_keyvault_vaults_secrets": "Microsoft.KeyVault/vaults/secrets/getSecret/action",
}  # fmt: skip
# Management actions that hand out the keys of the data, past the data roles.
_KEYS: dict[str, tuple[str, ...]] = {
    "azure_microsoft_storage_storageaccounts": ("Microsoft.Storage/storageAccounts/listKeys/action",),
    "azure_microsoft_storage_storageaccounts_blobservices_containers": (
        "Microsoft.Storage/storageAccounts/listKeys/action",),
    "azure_microsoft_keyvault_vaults": ("Microsoft.KeyVault/vaults/accessPolicies/write",),
    "azure_microsoft_sql_servers": ("Microsoft.Sql/servers/write",),
}  # fmt: skip


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
    """Data roles on a store or above it, and management actions that hand out its keys."""
    azure = world.azure
    for jewel in world.jewels:
        item = world.estate.items[jewel.uid]
        action, keys = READING.get(item.type), _KEYS.get(item.type, ())
        if action is None and not keys:
            continue
        for principal in azure.principals:
            if world.reached is not None and principal not in world.reached:
                continue
            for sure in (True, False):
                held = (
                    azure.may(principal, action, item.uid, data=True, sure=sure) if action else None
                )
                held = held or next(
                    (h for k in keys if (h := azure.may(principal, k, item.uid, sure=sure))), None
                )
                if held is not None:
                    text = f"{held.role.name} at {held.scope or 'the root'}"
                    yield Pair(principal, item.uid, doubt=held.uncertain,
                               evidence=(Evidence(kind="policy", text=text, source=principal),),
                               actions=(_less(world, principal, text),))  # fmt: skip
                    break
