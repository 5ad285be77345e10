"""Storage accounts and containers: who reads blobs without signing in."""

from __future__ import annotations

from secinbox.estate import Estate, Item
from secinbox.inventory.azure.resources import text
from secinbox.network.azure.rules import disabled, network_rules
from secinbox.network.verdict import Verdict, no, unknown, yes
from secinbox.records import Evidence

ACCOUNT = "azure_microsoft_storage_storageaccounts"
# What the static website of an account serves, past the level of the container, where it is on.
SITE = "$web"
_SITE = "whether its static website is switched on, which serves $web to everyone, was not read"
CONTAINER = f"{ACCOUNT}_blobservices_containers"


def account(estate: Estate, item: Item) -> Verdict:
    """Containers that anyone reads, when the account allows it and its network rules let in."""
    if text(item.config.get("kind")).lower() == "filestorage":
        return no("it holds file shares, which nobody reads without a key", item.uid)
    shut = _gate(item)
    if shut is not None:
        website = _website(estate, item)
        return website if website is not None else shut
    containers = estate.once("azure.containers", lambda: _by_account(estate)).get(item.uid, [])
    site = next((c for c in containers if c.name == SITE), None)
    for found in containers:
        if _level(found) in ("blob", "container"):
            return yes(Evidence(
                kind="policy", text=f"container {found.name} is open to anonymous reading",
                source=found.uid, steps=("Anyone", f"container {found.name}", item.uid)))  # fmt: skip
    if site is not None:
        return unknown(_SITE, site.uid)
    if containers or estate.looked_at(f"azure:{item.account}/{CONTAINER}"):
        return no("no container is open to anonymous reading", item.uid)
    return unknown("anonymous access is allowed and its containers were not read", item.uid)


def _by_account(estate: Estate) -> dict[str, list[Item]]:
    out: dict[str, list[Item]] = {}
    for item in estate.of_type(CONTAINER):
        out.setdefault(item.uid.partition("/blobservices/")[0], []).append(item)
    return out


def _website(estate: Estate, item: Item) -> Verdict | None:
    """The switch against anonymous readers does not bear on the static website, networks do."""
    if network(item) is not None:
        return None
    found = estate.once("azure.containers", lambda: _by_account(estate)).get(item.uid, [])
    site = next((c for c in found if c.name == SITE and not _deleted(c)), None)
    return unknown(_SITE, site.uid) if site is not None else None


def _deleted(item: Item) -> bool:
    return item.config.get("deleted") is True


def _gate(item: Item) -> Verdict | None:
    if item.config.get("allowBlobPublicAccess") is False:
        return no("the account does not allow anonymous access", item.uid)
    return network(item)


def network(item: Item) -> Verdict | None:
    """What keeps strangers from the account's addresses, with a key or without; None where nothing."""
    if disabled(item):
        return no("public network access is disabled", item.uid)
    return network_rules(item, "networkAcls", "networkRuleSet")


def _level(item: Item) -> str:
    return "none" if _deleted(item) else text(item.config.get("publicAccess")).lower() or "none"


def container(estate: Estate, item: Item) -> Verdict:
    """Its own level, below what the account allows."""
    parent = estate.find(item.uid.partition("/blobservices/")[0])
    if _deleted(item):
        return no("the container is deleted", item.uid)
    if item.name == SITE and _level(item) == "none":
        if parent is None:
            return unknown(_SITE, item.uid)
        return _website(estate, parent) or no("network rules close its website", item.uid)
    if _level(item) not in ("blob", "container"):
        return no("anonymous access is off", item.uid)
    if parent is None or parent.type != ACCOUNT:
        return unknown("its storage account was not read", item.uid)
    shut = _gate(parent)
    if shut is not None:
        return shut
    return yes(Evidence(kind="policy", text=f"anonymous access level {_level(item)}",
                        source=item.uid, steps=("Anyone", item.uid)))  # fmt: skip
