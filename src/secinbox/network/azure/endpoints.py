"""Services that ask for a key or a sign-in, but let all networks knock, or not.

Sources: learn.microsoft.com, the pages on network security of each service: "Azure Key Vault
firewalls", "IP firewall rules for Service Bus" (and Event Hubs: without any rule everyone is let in),
"Network access control for SignalR", "IoT Hub IP filters", "Batch public network access",
"Private endpoints for App Configuration" (nothing said and a private endpoint means closed), "Create and
use private endpoints for Azure Backup" (a vault with one is locked to it), "Configure Private Link for
Azure Health Data Services" (of the workspace), the ARM reference of Redis Enterprise and of Automation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.iam.azure.grants import ended
from secinbox.inventory.azure.resources import dicts, text
from secinbox.network.azure.rules import admits, disabled, gone, linked, network_rules, opened
from secinbox.network.ranges import EMPTY, IntSet, addresses, cidr_texts, everything, is_wide
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
# Types of requests that a public network of SignalR and Web PubSub may make.
_REQUESTS = frozenset({"clientconnection", "serverconnection", "restapi", "trace"})


def endpoint(estate: Estate, item: Item) -> Verdict:
    """Public network access and network rules; some answer without any sign-in."""
    kind = item.type.removeprefix("azure_microsoft_")
    if disabled(item):
        return no("public network access is disabled", item.uid)
    if kind == "kusto_clusters" and text(item.config.get("state")).lower() == "stopped":
        return no("the cluster is stopped", item.uid)
    shut = gone(item) or _beside_private(kind, item) or _OWN.get(kind, _rules)(estate, item)
    if shut is not None:
        return shut
    if item.config.get("anonymousPullEnabled") is True:
        return yes(Evidence(kind="policy", text="anonymous pull is on", source=item.uid,
                            steps=("Anyone", "anonymous pull", item.uid)))  # fmt: skip
    if item.type.endswith("registries"):
        # Whoever pulls signs in; what counts of a registry is who may pull.
        return no("pulling asks for a sign-in", item.uid)
    words, ports = _SAYS.get(kind, _sign_in)(estate, item)
    return opened(item, f"answers all networks; {words}", ports=ports)


def _beside_private(kind: str, item: Item) -> Verdict | None:
    """What a private endpoint means where nobody said anything of the public network."""
    if (
        kind not in _CLOSED_BY_LINK
        or not linked(item)
        or text(item.config.get("publicNetworkAccess"))
    ):
        return None
    if _CLOSED_BY_LINK[kind]:
        return no(
            "it has a private endpoint, and public network access was not switched on", item.uid
        )
    return unknown(
        "whether it answers public networks beside its private endpoint was not said", item.uid
    )


# A private endpoint closes these (True), or nothing says whether it does; all others stay open.
# Clusters of Redis made before they had the switch say nothing; a vault is locked to its endpoints.
_CLOSED_BY_LINK = {
    "appconfiguration_configurationstores": True, "recoveryservices_vaults": True,
    "cache_redisenterprise": False,
}  # fmt: skip


# What each service asks of who connects, and the ports of its answer.


def _sign_in(estate: Estate, item: Item) -> tuple[str, str]:
    del estate, item
    return "a sign-in is asked for", "tcp 443"


def _redis(estate: Estate, item: Item) -> tuple[str, str]:
    """The ports of its databases; whether they take keys, and talk in the clear."""
    rows = estate.once("azure.redis", lambda: _below(estate, "cache_redisenterprise_databases"))
    found = rows.get(item.uid, [])
    ports = sorted({p for d in found if isinstance(p := d.config.get("port"), int)})
    keys = any(text(d.config.get("accessKeysAuthentication")).lower() == "enabled" for d in found)
    clear = any(text(d.config.get("clientProtocol")).lower() == "plaintext" for d in found)
    asked = "a key or a sign-in" if keys or not found else "a sign-in"
    return (f"{asked} is asked for{', in the clear' if clear else ''}",
            f"tcp {', '.join(map(str, ports))}" if ports else "tcp 10000")  # fmt: skip


def _automation(estate: Estate, item: Item) -> tuple[str, str]:
    """Webhooks start a runbook for whoever has their link."""
    rows = estate.once(
        "azure.webhooks", lambda: _below(estate, "automation_automationaccounts_webhooks")
    )
    live = [w.name.rsplit("/", 1)[-1] for w in rows.get(item.uid, ())
            if w.config.get("isEnabled") is not False and not ended(w.config.get("expiryTime"))]  # fmt: skip
    links = f"; whoever has its link calls the webhook {', '.join(live[:3])}" if live else ""
    return f"a sign-in is asked for{links}", "tcp 443"


def _below(estate: Estate, kind: str) -> dict[str, list[Item]]:
    """What is listed below each resource."""
    out: dict[str, list[Item]] = {}
    for found in estate.of_type(f"azure_microsoft_{kind}"):
        out.setdefault(found.uid.rsplit("/", 2)[0], []).append(found)
    return out


_SAYS: dict[str, Callable[[Estate, Item], tuple[str, str]]] = {
    "cache_redisenterprise": _redis, "automation_automationaccounts": _automation,
}  # fmt: skip


# Each service's own control: None where everyone may connect.


def _rules(estate: Estate, item: Item) -> Verdict | None:
    """A default action, and ranges that are let in past it."""
    del estate
    return network_rules(item, "networkAcls", "networkRuleSet")


def _listed(*keys: str) -> Callable[[Estate, Item], Verdict | None]:
    """A list of ranges: none of them means everyone."""

    def found(estate: Estate, item: Item) -> Verdict | None:
        del estate
        for key in keys:
            own = item.config.get(key)
            if isinstance(own, dict):  # as the search service keeps it
                own = own.get("ipRules")
            rows = own if isinstance(own, list) else []
            ranges = [r if isinstance(r, str) else _range(r) for r in rows
                      if not isinstance(r, dict) or text(r.get("action")).lower() != "deny"]  # fmt: skip
            if ranges:
                return admits(ranges, item)
        return None

    return found


def _range(row: Any) -> object:
    if not isinstance(row, dict):
        return None
    return row.get("ipMask") or row.get("value") or row.get("ipAddressOrRange")


def _first(rows: list[dict[str, Any]], allows: tuple[str, ...], rest: bool) -> IntSet:
    """Addresses that the first rule that matches lets in; rest: what no rule says."""
    let: IntSet = EMPTY
    taken: IntSet = EMPTY
    for row in rows:
        ranges = addresses([_range(row)], 4)
        if text(row.get("action")).lower() in allows:
            let = let | (ranges - taken)
        taken = taken | ranges
    return let | (everything(4) - taken) if rest else let


def _filters(estate: Estate, item: Item) -> Verdict | None:
    """IoT Hub: filters in order, where the first that matches decides; or a set of rules."""
    if isinstance(item.config.get("networkRuleSets"), dict):
        return network_rules(item, "networkRuleSets")
    let = _first(dicts(item.config.get("ipFilterRules")), ("accept", "allow"), True)
    if is_wide(let, 4):
        return None
    shown = cidr_texts(let, 4) if let else ""
    return no(f"IP filters admit {f'only {shown}' if shown else 'nobody'}", item.uid, shown)


def _requests(estate: Estate, item: Item) -> Verdict | None:
    """SignalR and Web PubSub: which requests the public network may make, and from where."""
    del estate
    acls = item.config.get("networkAcls")
    acls = acls if isinstance(acls, dict) else {}
    public = acls.get("publicNetwork")
    public = public if isinstance(public, dict) else {}
    if text(acls.get("defaultAction")).lower() == "deny":
        left = _words(public.get("allow"))
    else:
        left = _REQUESTS - _words(public.get("deny"))
    if not left:
        return no("its network rules let the public network make no requests", item.uid)
    rows = dicts(acls.get("ipRules"))
    if rows:
        let = _first(rows, ("allow",), text(acls.get("defaultAction")).lower() != "deny")
        if not is_wide(let, 4):
            shown = cidr_texts(let, 4) if let else ""
            return no(
                f"network rules admit {f'only {shown}' if shown else 'nobody'}", item.uid, shown
            )
    return None


def _words(value: Any) -> frozenset[str]:
    return frozenset(str(v).lower() for v in value) if isinstance(value, list) else frozenset()


def _databases(estate: Estate, item: Item) -> Verdict | None:
    """A cluster of Redis answers at the ports of its databases."""
    if text(item.config.get("resourceState")).lower() in ("disabled", "createfailed"):
        return no(f"the cluster is {text(item.config['resourceState']).lower()}", item.uid)
    kind = "cache_redisenterprise_databases"
    found = estate.once("azure.redis", lambda: _below(estate, kind)).get(item.uid, [])
    off = [
        d
        for d in found
        if text(d.config.get("resourceState")).lower() in ("disabled", "createfailed")
    ]
    if found and len(off) == len(found):
        return no("all of its databases are disabled", item.uid)
    if not found and estate.looked_at(f"azure:{item.account}/azure_microsoft_{kind}"):
        return no("it has no database", item.uid)
    return None


def _workspace(estate: Estate, item: Item) -> Verdict | None:
    """Services for health data: the network of all is that of their workspace."""
    above = estate.find(item.uid.rsplit("/", 2)[0])
    if above is None:
        return None
    if disabled(above):
        return no(f"public network access of the workspace {above.name} is disabled", above.uid)
    if linked(above) and not text(above.config.get("publicNetworkAccess") or item.config.get(
        "publicNetworkAccess")):  # fmt: skip
        return unknown("whether its workspace answers public networks beside its private endpoint was "
                       "not said", above.uid)  # fmt: skip
    return gone(above)


def _accounts(estate: Estate, item: Item) -> Verdict | None:
    """Batch: the rules of its account endpoint."""
    del estate
    profile = item.config.get("networkProfile")
    if not isinstance(profile, dict):
        return None
    return network_rules(Item(item.uid, item.type, item.name, config=profile), "accountAccess")


def _bus(estate: Estate, item: Item) -> Verdict | None:
    """The rule set of a namespace is a resource of its own; without any rule everyone is let in."""
    if isinstance(item.config.get("networkRuleSet"), dict):
        return network_rules(item, "networkRuleSet", needs_one=True)
    for word in ("networkrulesets", "networkruleset"):
        rules = estate.find(f"{item.uid}/{word}/default")
        if rules is None:
            continue
        if disabled(rules):
            return no("public network access is disabled", item.uid)
        return network_rules(
            Item(item.uid, item.type, item.name, config={"networkRuleSet": rules.config}),
            "networkRuleSet", needs_one=True)  # fmt: skip
    sku = item.config.get("sku")
    tier = text(sku.get("tier") or sku.get("name")).lower() if isinstance(sku, dict) else ""
    if tier == "basic" or text(item.config.get("publicNetworkAccess")).lower() == "enabled":
        # Without virtual networks and ranges of its own it takes everyone's connections.
        return None
    return unknown("its network rules were not read", item.uid)


_OWN: dict[str, Callable[[Estate, Item], Verdict | None]] = {
    **dict.fromkeys(("servicebus_namespaces", "eventhub_namespaces", "relay_namespaces"), _bus),
    **dict.fromkeys(("signalrservice_signalr", "signalrservice_webpubsub"), _requests),
    **dict.fromkeys(("eventgrid_topics", "eventgrid_domains", "eventgrid_namespaces"),
                    _listed("inboundIpRules")),
    "search_searchservices": _listed("networkRuleSet", "ipRules"),
    "kusto_clusters": _listed("allowedIpRangeList"),
    "machinelearningservices_workspaces": _listed("ipAllowlist"),
    "devices_iothubs": _filters,
    "batch_batchaccounts": _accounts,
    "cache_redisenterprise": _databases,
    "healthcareapis_workspaces_fhirservices": _workspace,
}  # fmt: skip
# What is looked at beside public network access, where it is not a set of network rules.
RULES: dict[str, str] = {
    **dict.fromkeys(("servicebus_namespaces", "eventhub_namespaces", "relay_namespaces"),
                    "rule set of the namespace, tier"),
    **dict.fromkeys(("signalrservice_signalr", "signalrservice_webpubsub"),
                    "requests of the public network, ranges"),
    **dict.fromkeys(("eventgrid_topics", "eventgrid_domains", "eventgrid_namespaces",
                     "search_searchservices", "machinelearningservices_workspaces"), "ranges"),
    "kusto_clusters": "ranges, state", "devices_iothubs": "IP filters in order, network rules",
    "batch_batchaccounts": "rules of the account endpoint",
    "appconfiguration_configurationstores": "private endpoints, state",
    "recoveryservices_vaults": "private endpoints, state",
    "cache_redisenterprise": "private endpoints, state, databases",
    "healthcareapis_workspaces_fhirservices": "its workspace, state",
    "automation_automationaccounts": "state; webhooks (told)",
    **dict.fromkeys(("databricks_workspaces", "datafactory_factories", "purview_accounts",
                     "dashboard_grafana", "digitaltwins_digitaltwinsinstances"), "state"),
    "containerregistry_registries": "network rules, anonymous pull",
}  # fmt: skip
