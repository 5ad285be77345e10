"""Azure and Entra ID: names, subscriptions and what is worth taking."""

from __future__ import annotations

from secinbox.estate import Estate, Item
from secinbox.facts.store import Facts

SECRETS = ("azure_microsoft_keyvault_vaults", "azure_microsoft_keyvault_vaults_secrets")
DATABASES = (
    "sql_servers_databases", "sql_managedinstances", "flexibleservers", "dbforpostgresql_servers",
    "dbformysql_servers", "documentdb_databaseaccounts",
)  # fmt: skip
BUCKETS = ("storage_storageaccounts", "blobservices_containers")
ACTORS = ("entra_user", "entra_serviceprincipal")
RUNS = ("virtualmachines", "web_sites", "containerapps")
_WORDS = {
    "virtualmachine": "machine", "storageaccount": "storage account", "site": "application",
    "vault": "key vault", "userassignedidentitie": "managed identity",
    "virtualmachinescaleset": "scale set", "managedcluster": "cluster",
    "loadbalancer": "load balancer", "applicationgateway": "application gateway",
}  # fmt: skip
_PREFIX = "azure_microsoft_"


def named(uid: str, item: Item | None) -> str:
    """The tenant, subscriptions, and resources by the last word of their type."""
    if uid == "entra:tenant":
        return "the Entra tenant"
    if uid.startswith("/subscriptions/") and uid.count("/") == 2:
        shown = item.name if item is not None and item.name else uid.rsplit("/", 1)[-1]
        return f"subscription {shown}"
    if item is None or not item.type.startswith(_PREFIX):
        return ""
    word = item.type.rsplit("_", 1)[-1].removesuffix("s")
    name = item.tags.get("Name") or item.name or uid.rsplit("/", 1)[-1]
    return f"{_WORDS.get(word, word)} {name}"


def owner(estate: Estate, item: Item) -> str:
    """The subscription of a resource."""
    return "/".join(item.uid.split("/")[:3]) if item.uid.startswith("/subscriptions/") else ""


def holds(item: Item) -> bool:
    """Every resource, as its owner may have marked it."""
    return item.type.startswith("azure_")


def told(facts: Facts) -> dict[str, str]:
    """Applications by their id, storage accounts by their name. Managed identities have no secrets."""
    clients = "SELECT ref, uid FROM names WHERE ref LIKE 'azure-client:%' AND uid LIKE 'entra:%'"
    stores = (
        "SELECT 'azure-storage:' || regexp_extract(uid, '[^/]+$'), uid FROM resources "
        "WHERE inventoried AND type = 'azure_microsoft_storage_storageaccounts'"
    )
    return dict(facts.rows(clients) + facts.rows(stores))
