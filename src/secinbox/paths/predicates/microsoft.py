"""Azure: managed identities of what runs, who becomes whom, who controls and who reads what."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from secinbox.estate import Item
from secinbox.iam.azure import TENANT, reads
from secinbox.iam.azure.actions import BLOB_WRITE, KEYS, LIST_KEYS, PUSH, READING
from secinbox.inventory.azure.resources import dicts, text
from secinbox.network.azure import storage
from secinbox.network.azure.rules import disabled, network_rules
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, lasting, pairs
from secinbox.paths.predicates.identities import opened, resolve
from secinbox.paths.predicates.supply import STATE, less, pushes, writes_state
from secinbox.paths.world import World
from secinbox.records import Evidence


@lasting
@pairs
def managed_identity(world: World) -> Iterator[Pair]:
    """A machine, an application, a function ... and the identities that it runs as."""
    for uid, item in sorted(world.estate.items.items()):
        if not uid.startswith("/subscriptions/") or item.type.endswith("userassignedidentities"):
            continue
        # The identity as a resource of its own lies on the way, too.
        assigned = tuple(t for t in world.estate.targets(uid, "has_identity") if t.startswith("/"))
        for principal in world.azure.workloads.identities(item):
            yield Pair(uid, principal, resources=assigned, actions=(Action(
                f"identity:{uid}>{principal}", f"Give {world.label(uid)} an identity that may do less",
                uid, effort=2.0),))  # fmt: skip


def _impersonation(*kinds: str) -> Callable[[World], Iterator[Pair]]:
    """Pairs of principals, and principals that they can act as by moves of these kinds."""

    def found(world: World) -> Iterator[Pair]:
        azure = world.azure
        for principal in azure.principals:
            for other, how, doubt, kind in sorted(azure.ways(principal)):
                if kind in kinds:
                    evidence = Evidence(kind="policy", text=how, source=principal)
                    yield Pair(principal, other, detail=how, evidence=(evidence,), doubt=doubt,
                               actions=(less(world, principal, how),))  # fmt: skip

    return found


# Name of a predicate -> kinds of moves; a row of the catalogue each.
_KINDS = {
    "azure_commands": ("command",), "azure_sign_in": ("sign-in",), "azure_deploys": ("deploy",),
    "azure_automation": ("automation",), "azure_clusters": ("cluster",),
    "azure_federates": ("federate",), "azure_secrets": ("secret",), "azure_members": ("member",),
    "azure_passwords": ("password",), "azure_jobs": ("other",),
}  # fmt: skip
for _name, _kinds in _KINDS.items():
    _found = _impersonation(*_kinds)
    _found.__name__ = _name
    pairs(_found)


def _control(world: World, tenant: bool) -> Iterator[Pair]:
    azure = world.azure
    for principal in azure.principals:
        known = dict(azure.alone(principal, True))
        maybe = dict(azure.alone(principal, False))
        for place, way in sorted({**maybe, **known}.items()):
            # Subscriptions by way of the tenant are another row's.
            if (place == TENANT) is not tenant or (not tenant and len(way) > 1):
                continue
            evidence = Evidence(kind="policy", text=way[0], source=principal)
            yield Pair(principal, place, detail=way[0], evidence=(evidence,),
                       doubt="" if place in known else "whether a condition or an activation holds",
                       actions=(less(world, principal, way[0]),))  # fmt: skip


@pairs
def azure_control(world: World) -> Iterator[Pair]:
    """Who owns a subscription or management group, or may assign roles in it."""
    yield from _control(world, False)


@pairs
def azure_tenant(world: World) -> Iterator[Pair]:
    """Who rules the tenant, or can give himself the role that does."""
    yield from _control(world, True)


@pairs
def azure_elevation(world: World) -> Iterator[Pair]:
    """Who rules the tenant gives himself the root of all subscriptions."""
    for place in world.azure.subscriptions:
        yield Pair(TENANT, place, cost=0.05)


@lasting
@pairs
def azure_identities_below(world: World) -> Iterator[Pair]:
    """Control of a subscription is control of the identities of what runs in it."""
    for uid, item in sorted(world.estate.items.items()):
        if uid.startswith("/subscriptions/"):
            for principal in world.azure.workloads.identities(item):
                yield Pair("/".join(uid.split("/")[:3]), principal, cost=0.02)


_VAULT = "azure_microsoft_keyvault_vaults"


def _read(world: World, wanted: str) -> Iterator[Pair]:
    azure = world.azure
    for jewel in world.jewels:
        item = world.estate.items[jewel.uid]
        if item.type not in READING and item.type not in KEYS:
            continue
        vault = "_keyvault_" in item.type
        if vault is not (wanted == "vault"):
            continue
        for principal in azure.principals:
            if world.reached is not None and principal not in world.reached:
                continue
            found = reads(azure, principal, item)
            if found is None or (not vault and found[2] is not (wanted == "keys")):
                continue
            doubts = filter(None, (found[1], _walled(world, principal, item)))
            yield Pair(principal, item.uid, doubt="; ".join(doubts),
                       evidence=(Evidence(kind="policy", text=found[0], source=principal),),
                       actions=(less(world, principal, found[0]),))  # fmt: skip


def _walled(world: World, principal: str, item: Item) -> str:
    """What is doubtful of a data role where the network keeps strangers from the store's address.

    Whoever may write the store's settings opens it.
    """
    account = world.estate.find("/".join(item.uid.split("/")[:9])) or item
    if account.type == _VAULT:
        shut = disabled(account) or network_rules(account, "networkAcls") is not None
    elif account.type == storage.ACCOUNT:
        shut = storage.network(account) is not None
    else:
        return ""
    action = "Microsoft.KeyVault/vaults/write" if account.type == _VAULT else (
        "Microsoft.Storage/storageAccounts/write")  # fmt: skip
    if (
        not shut
        or world.azure.may(principal, action, account.uid, sure=True, data=False) is not None
    ):
        return ""
    return f"whether it comes from where {world.label(account.uid)} lets anybody in"


@pairs
def azure_store_that_identity_reads(world: World) -> Iterator[Pair]:
    """Data roles on a store or above it."""
    yield from _read(world, "data")


@pairs
def azure_keys_of_store(world: World) -> Iterator[Pair]:
    """Management actions that hand out a store's keys, past its data roles."""
    yield from _read(world, "keys")


@pairs
def azure_vault_that_identity_reads(world: World) -> Iterator[Pair]:
    """Data roles on a vault, its access policies, and who can write himself into them."""
    yield from _read(world, "vault")


def _writers(world: World, item: Item, action: str, data: bool) -> Iterator[tuple[str, str, str]]:
    """(principal, by what, doubt) of everyone who may do this to a resource."""
    for principal in world.azure.principals:
        for sure in (True, False):
            held = world.azure.may(principal, action, item.uid, sure=sure, data=data)
            if held is not None:
                doubt = "" if sure else held.uncertain or "the condition of a role assignment"
                yield principal, f"{held.role.name} at {held.scope or 'the root'}", doubt
                break


def _settings(world: World) -> Iterator[tuple[str, Item, dict[str, str]]]:
    """(application, its settings, setting -> what it opens) of everything whose settings were read."""
    for item in world.estate.of_type("azure_microsoft_web_sites_config",
                                     "azure_microsoft_web_sites_slots_config"):  # fmt: skip
        found = {
            text(r.get("setting")): text(r.get("opens")) for r in dicts(item.config.get("opens"))
        }
        if found:
            yield item.uid.partition("/config/")[0], item, found


@pairs
def azure_settings(world: World) -> Iterator[Pair]:
    """Code in an application reads its settings, and uses the keys among them."""
    for site, item, found in _settings(world):
        for setting, told in sorted(found.items()):
            uid = resolve(world, told)
            words = f"setting {setting} of {world.label(site)}"
            for kind, target, shut in opened(world, uid) if uid else ():
                yield Pair(site, target, target_kind=kind, no=shut, detail=setting,
                           evidence=(Evidence(kind="inventory", text=words, source=item.uid),),
                           actions=(Action(f"setting:{item.uid}>{setting}", "Use a managed identity instead "
                                           f"of setting {setting} in {world.label(site)}", site),))  # fmt: skip


# Settings that name where a function app keeps its code.
_CODE = ("azurewebjobsstorage", "website_contentazurefileconnectionstring")


@pairs
def azure_function_code(world: World) -> Iterator[Pair]:
    """Who writes to the store of a function app, or reads its keys, puts code of his own into it."""
    for site, _, found in _settings(world):
        for setting, told in sorted(found.items()):
            uid = resolve(world, told) if setting.lower() in _CODE else ""
            store = world.estate.find(uid) if uid else None
            if store is None:
                continue
            writers = [*_writers(world, store, BLOB_WRITE, True)]
            if store.config.get("allowSharedKeyAccess") is not False:
                writers += _writers(world, store, LIST_KEYS, False)
            for who, by, doubt in writers:
                yield Pair(who, site, detail=world.label(store.uid), doubt=doubt,
                           resources=(store.uid,), actions=(less(world, who, by),),
                           evidence=(Evidence(kind="policy", text=by, source=who),))  # fmt: skip


@lasting
@pairs
def azure_image(world: World) -> Iterator[Pair]:
    """Who may put an image into a registry from which something runs."""
    for item in world.estate.of_type("azure_microsoft_containerregistry_registries"):
        prefix = f"{item.name.lower()}.azurecr.io/"
        yield from pushes(world, item, prefix, _writers(world, item, PUSH, False))


@lasting
@pairs
def azure_state(world: World) -> Iterator[Pair]:
    """Who may write state of infrastructure code that somebody's pipeline applies."""
    for item in world.estate.of_type(
        "azure_microsoft_storage_storageaccounts_blobservices_containers"
    ):
        if not STATE.search(item.name):
            continue
        target = "/".join(item.uid.split("/")[:3])
        yield from writes_state(world, item, target, _writers(world, item, BLOB_WRITE, True))
