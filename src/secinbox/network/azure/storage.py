"""Storage accounts and containers: who reads blobs without signing in."""

from __future__ import annotations

from secinbox.estate import Estate, Item
from secinbox.inventory.azure.resources import text
from secinbox.network.azure.rules import disabled, network_rules
from secinbox.network.verdict import Verdict, no, unknown, yes
from secinbox.records import Evidence

ACCOUNT = "azure_microsoft_storage_storageaccounts"
CONTAINER = f"{ACCOUNT}_blobservices_containers"


def account(estate: Estate, item: Item) -> Verdict:
    """Containers that anyone reads, when the account allows it and its network rules let in."""
    shut = _gate(item)
    if shut is not None:
        return shut
    containers = estate.once("azure.containers", lambda: _by_account(estate)).get(item.uid, [])
    for found in containers:
        if _level(found) in ("blob", "container"):
            return yes(Evidence(
                kind="policy", text=f"container {found.name} is open to anonymous reading",
                source=found.uid, steps=("Anyone", f"container {found.name}", item.uid)))  # fmt: skip
    if containers or estate.looked_at(f"azure:{item.account}/{CONTAINER}"):
        return no("no container is open to anonymous reading", item.uid)
    return unknown("anonymous access is allowed and its containers were not read", item.uid)


def _by_account(estate: Estate) -> dict[str, list[Item]]:
    out: dict[str, list[Item]] = {}
    for item in estate.of_type(CONTAINER):
        out.setdefault(item.uid.partition("/blobservices/")[0], []).append(item)
    return out


def _gate(item: Item) -> Verdict | None:
    if item.config.get("allowBlobPublicAccess") is False:
        return no("the account does not allow anonymous access", item.uid)
    if disabled(item):
        return no("public network access is disabled", item.uid)
    return network_rules(item, "networkAcls", "networkRuleSet")


def _level(item: Item) -> str:
    return text(item.config.get("publicAccess")).lower() or "none"


def container(estate: Estate, item: Item) -> Verdict:
    """Its own level, below what the account allows."""
    if _level(item) not in ("blob", "container"):
        return no("anonymous access is off", item.uid)
    parent = estate.find(item.uid.partition("/blobservices/")[0])
    if parent is None or parent.type != ACCOUNT:
        return unknown("its storage account was not read", item.uid)
    shut = _gate(parent)
    if shut is not None:
        return shut
    return yes(Evidence(kind="policy", text=f"anonymous access level {_level(item)}",
                        source=item.uid, steps=("Anyone", item.uid)))  # fmt: skip
