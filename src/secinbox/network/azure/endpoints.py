"""Services that ask for a key or a sign-in, but let all networks knock, or not."""

from __future__ import annotations

from secinbox.estate import Estate, Item
from secinbox.inventory.azure.resources import dicts, text
from secinbox.network.azure.rules import admits, disabled, network_rules, opened
from secinbox.network.verdict import Verdict, no, unknown, yes
from secinbox.records import Evidence

ENDPOINTS = (
    "keyvault_vaults", "keyvault_managedhsms", "search_searchservices", "servicebus_namespaces",
    "eventhub_namespaces", "relay_namespaces", "cognitiveservices_accounts",
    "appconfiguration_configurationstores", "containerregistry_registries", "eventgrid_topics",
    "eventgrid_domains", "eventgrid_namespaces", "machinelearningservices_workspaces",
    "databricks_workspaces", "datafactory_factories", "batch_batchaccounts", "kusto_clusters",
    "signalrservice_signalr", "signalrservice_webpubsub", "devices_iothubs", "purview_accounts",
    "automation_automationaccounts", "dashboard_grafana", "healthcareapis_workspaces_fhirservices",
    "recoveryservices_vaults", "digitaltwins_digitaltwinsinstances", "cache_redisenterprise",
)  # fmt: skip
_BUSES = ("servicebus_namespaces", "eventhub_namespaces", "relay_namespaces")
# Registries have network rules in the Premium tier only; of the others they say nothing.
_OWN_RANGES = ("ipRules", "inboundIpRules")


def endpoint(estate: Estate, item: Item) -> Verdict:
    """Public network access and network rules; some answer without any sign-in."""
    if disabled(item):
        return no("public network access is disabled", item.uid)
    for key in _OWN_RANGES:
        own = [r for r in dicts(item.config.get(key))
               if text(r.get("action") or r.get("filterName")).lower() not in ("deny", "reject")]  # fmt: skip
        if own:
            shut = admits([r.get("ipAddressOrRange") or r.get("value") or r.get("ipMask")
                           for r in own], item)  # fmt: skip
            if shut is not None:
                return shut
    allowed = item.config.get("allowedIpRangeList")
    if isinstance(allowed, list) and allowed:
        shut = admits(allowed, item)
        if shut is not None:
            return shut
    rules = item.config.get("networkRuleSet")
    searched = dicts(rules.get("ipRules")) if isinstance(rules, dict) else []
    if item.type.endswith("searchservices") and searched:
        shut = admits([r.get("value") for r in searched], item)
        if shut is not None:
            return shut
    shut = network_rules(item, "networkAcls", "networkAcLs", "networkRuleSet", "networkACLs")
    if shut is not None:
        return shut
    if item.type.removeprefix("azure_microsoft_") in _BUSES:
        found = _bus(estate, item)
        if found is not None:
            return found
    if item.config.get("anonymousPullEnabled") is True:
        return yes(Evidence(kind="policy", text="anonymous pull is on", source=item.uid,
                            steps=("Anyone", "anonymous pull", item.uid)))  # fmt: skip
    if item.type.endswith("registries"):
        # Whoever pulls signs in; what counts of a registry is who may pull.
        return no("pulling asks for a sign-in", item.uid)
    return opened(item, "answers all networks; a sign-in is asked for", ports="tcp 443")


def _bus(estate: Estate, item: Item) -> Verdict | None:
    """The rule set of a namespace is a resource of its own."""
    if isinstance(item.config.get("networkRuleSet"), dict):
        return None
    for word in ("networkrulesets", "networkruleset"):
        for name in ("default", "default/"):
            rules = estate.find(f"{item.uid}/{word}/{name.rstrip('/')}")
            if rules is None:
                continue
            if disabled(rules):
                return no("public network access is disabled", item.uid)
            return network_rules(
                Item(item.uid, item.type, item.name, config={"networkRuleSet": rules.config}),
                "networkRuleSet",
            )
    sku = item.config.get("sku")
    tier = text(sku.get("tier") or sku.get("name")).lower() if isinstance(sku, dict) else ""
    if tier == "basic" or text(item.config.get("publicNetworkAccess")).lower() == "enabled":
        # Without virtual networks and ranges of its own it takes everyone's connections.
        return None
    return unknown("its network rules were not read", item.uid)
