"""Azure: public_accessibility of machines, stores, databases, applications and endpoints.

Sources: learn.microsoft.com, the documentation of each service about public network access, network
rules, firewall rules, access restrictions and anonymous access.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.azure.resources import dicts, identifier, text
from secinbox.network.azure.machines import Machines
from secinbox.network.azure.security_groups import admitted
from secinbox.network.ranges import IntSet, addresses, cidr_texts, is_wide
from secinbox.network.verdict import Verdict, no, unknown, yes
from secinbox.records import Evidence, RiskStatement

_A = "azure_microsoft_"
_SERVERS = (
    "sql_servers", "dbforpostgresql_servers", "dbforpostgresql_flexibleservers",
    "dbformysql_servers", "dbformysql_flexibleservers", "dbformariadb_servers",
)  # fmt: skip
# Endpoints that ask for a key or a token, but let everyone knock.
_VAULTS = (
    "keyvault_vaults", "search_searchservices", "servicebus_namespaces", "eventhub_namespaces",
    "cognitiveservices_accounts", "appconfiguration_configurationstores", "cache_redis",
    "documentdb_databaseaccounts", "containerregistry_registries", "synapse_workspaces",
    "eventgrid_topics", "eventgrid_domains", "machinelearningservices_workspaces",
)  # fmt: skip


def exposure(estate: Estate) -> Iterator[RiskStatement]:
    """One statement a resource, in order of uid."""
    if not any(i.type.startswith("azure_") for i in estate.items.values()):
        return
    machines = Machines(estate)
    judges: dict[str, Callable[[Item], Verdict]] = {
        f"{_A}compute_virtualmachines": machines.machine,
        f"{_A}compute_virtualmachinescalesets": machines.scale_set,
        f"{_A}network_loadbalancers": machines.front,
        f"{_A}network_applicationgateways": machines.front,
        f"{_A}network_networksecuritygroups": security_group,
        f"{_A}storage_storageaccounts": lambda i: account(estate, i),
        f"{_A}storage_storageaccounts_blobservices_containers": lambda i: container(estate, i),
        f"{_A}web_sites": site,
        f"{_A}web_sites_slots": site,
        f"{_A}app_containerapps": container_app,
        f"{_A}containerinstance_containergroups": container_group,
        f"{_A}containerservice_managedclusters": cluster,
        **{f"{_A}{kind}": (lambda i: server(estate, i)) for kind in _SERVERS},
        **{f"{_A}{kind}": endpoint for kind in _VAULTS},
        f"{_A}compute_snapshots": exported,
        f"{_A}compute_disks": exported,
    }
    out: dict[str, Verdict] = {}
    for kind, judge in judges.items():
        for item in estate.of_type(kind):
            out[item.uid] = judge(item)
    for kind in _SERVERS:
        for item in estate.of_type(f"{_A}{kind}_databases"):
            above = item.uid.partition("/databases/")[0]
            if above in out:
                out[item.uid] = out[above]
    for uid in sorted(out):
        yield out[uid].statement(uid)


def _open(item: Item, what: str, *steps: str, ports: str = "") -> Verdict:
    return yes(Evidence(kind="endpoint", text=what, source=item.uid,
                        steps=("Internet", *steps, item.name), ports=ports))  # fmt: skip


def _disabled(item: Item) -> bool:
    return text(item.config.get("publicNetworkAccess")).lower() in (
        "disabled",
        "securedbyperimeter",
    )


def _network_rules(item: Item, *keys: str) -> Verdict | None:
    """None where everyone may connect; else the control (or who is let in)."""
    rules: Any = None
    for key in keys:
        if isinstance(item.config.get(key), dict):
            rules = item.config[key]
    if rules is None or text(rules.get("defaultAction")).lower() != "deny":
        return None
    ranges = [r.get("value") or r.get("iPAddressOrRange") or r.get("ipMask") or r.get("iPMask")
              for r in dicts(rules.get("ipRules"))]  # fmt: skip
    found = addresses(ranges, 4)
    if is_wide(found, 4):
        return None
    shown = cidr_texts(found, 4) if found else ""
    return no(f"network rules admit only {shown or 'named networks'}", item.uid, shown)


def security_group(item: Item) -> Verdict:
    """A group by itself: whether a rule admits everyone."""
    if "securityRules" not in item.config:
        return unknown("its rules were not read", item.uid)
    found = admitted(item, frozenset())
    if found.ports:
        return yes(Evidence(kind="route", text=f"admits everyone on {found.ports}", source=item.uid,
                            ports=found.ports, steps=("Internet", *found.by[:3], item.name)))  # fmt: skip
    return no("no rule admits everyone", item.uid, found.some)


def _parent(estate: Estate, item: Item, word: str) -> Item | None:
    head, found, _ = item.uid.partition(word)
    del found
    return estate.find(head)


def account(estate: Estate, item: Item) -> Verdict:
    """Containers that anyone reads, when the account allows it and its network rules let in."""
    gate = _account_gate(item)
    if gate is not None:
        return gate
    containers = [c for c in estate.of_type(f"{_A}storage_storageaccounts_blobservices_containers")
                  if c.uid.startswith(item.uid + "/")]  # fmt: skip
    for found in containers:
        if _level(found) in ("blob", "container"):
            return yes(Evidence(
                kind="policy", text=f"container {found.name} is open to anonymous reading",
                source=found.uid, steps=("Anyone", f"container {found.name}", item.uid)))  # fmt: skip
    if containers:
        return no("no container is open to anonymous reading", item.uid)
    return unknown("anonymous access is allowed and its containers were not read", item.uid)


def _account_gate(item: Item) -> Verdict | None:
    if item.config.get("allowBlobPublicAccess") is False:
        return no("the account does not allow anonymous access", item.uid)
    if _disabled(item):
        return no("public network access is disabled", item.uid)
    return _network_rules(item, "networkAcls", "networkRuleSet")


def _level(item: Item) -> str:
    return text(item.config.get("publicAccess")).lower() or "none"


def container(estate: Estate, item: Item) -> Verdict:
    """Its own level, below what the account allows."""
    if _level(item) not in ("blob", "container"):
        return no("anonymous access is off", item.uid)
    parent = _parent(estate, item, "/blobservices/")
    if parent is None:
        return unknown("its storage account was not read", item.uid)
    gate = _account_gate(parent)
    if gate is not None:
        return gate
    return yes(Evidence(kind="policy", text=f"anonymous access level {_level(item)}",
                        source=item.uid, steps=("Anyone", item.uid)))  # fmt: skip


def server(estate: Estate, item: Item) -> Verdict:
    """Firewall rules: ranges, and the one that admits all of Azure."""
    network = item.config.get("network")
    said = text(item.config.get("publicNetworkAccess")) or (
        text(network.get("publicNetworkAccess")) if isinstance(network, dict) else "")  # fmt: skip
    if said.lower() == "disabled":
        return no("public network access is disabled", item.uid)
    if isinstance(network, dict) and identifier(network.get("delegatedSubnetResourceId")):
        return no("it stands in a virtual network", item.uid)
    rules = [r for r in estate.items.values()
             if r.uid.startswith(item.uid + "/firewallrules/")]  # fmt: skip
    inline = dicts(item.config.get("firewallRules"))
    pairs = [(text(r.config.get("startIpAddress")), text(r.config.get("endIpAddress")), r.name)
             for r in rules]  # fmt: skip
    pairs += [(text(r.get("startIpAddress")), text(r.get("endIpAddress")), text(r.get("name")))
              for r in inline]  # fmt: skip
    kind = item.type + "_firewallrules"
    if not pairs and not estate.looked_at(f"azure:{item.account}/{kind}") and not inline:
        return unknown("its firewall rules were not read", item.uid)
    spans = []
    for start, end, name in pairs:
        if start == end == "0.0.0.0":  # noqa: S104 - Azure's word for all of its own customers
            return yes(Evidence(kind="endpoint", text=f"rule {name} admits all of Azure, "
                                "any customer's resources included", source=item.uid,
                                steps=("Any Azure customer", f"rule {name}", item.name)))  # fmt: skip
        low, high = addresses([start], 4), addresses([end], 4)
        if low and high:
            spans.append((low.intervals[0][0], high.intervals[0][1]))
    found = IntSet.of(spans)
    if is_wide(found, 4):
        return _open(item, f"firewall rules admit {cidr_texts(found, 4)}", "firewall rules")
    shown = cidr_texts(found, 4) if found else ""
    return no(f"firewall rules admit only {shown or 'nobody'}", item.uid, shown)


def endpoint(item: Item) -> Verdict:
    """Public network access and network rules; some answer without any sign-in."""
    if _disabled(item):
        return no("public network access is disabled", item.uid)
    if item.config.get("isVirtualNetworkFilterEnabled") is True and not dicts(
        item.config.get("ipRules")):  # fmt: skip
        return no("it admits named virtual networks only", item.uid)
    own = dicts(item.config.get("ipRules"))
    if own:
        found = addresses([r.get("ipAddressOrRange") or r.get("value") for r in own], 4)
        if not is_wide(found, 4):
            shown = cidr_texts(found, 4)
            return no(f"network rules admit only {shown or 'named networks'}", item.uid, shown)
    gate = _network_rules(item, "networkAcls", "networkRuleSet")
    if gate is not None:
        return gate
    if item.config.get("anonymousPullEnabled") is True:
        return yes(Evidence(kind="policy", text="anonymous pull is on", source=item.uid,
                            steps=("Anyone", "anonymous pull", item.uid)))  # fmt: skip
    if item.type.endswith("registries"):
        return no("pulling asks for a sign-in", item.uid)
    return _open(item, "answers all networks; a sign-in is asked for", ports="tcp 443")


def _priority(row: dict[str, Any]) -> int:
    found = row.get("priority")
    return found if isinstance(found, int) else 2**31


def site(item: Item) -> Verdict:
    """App Service and Functions: access restrictions, and whether it runs."""
    if text(item.config.get("state")).lower() == "stopped":
        return no("the application is stopped", item.uid)
    config = item.config.get("siteConfig")
    config = config if isinstance(config, dict) else {}
    if _disabled(item) or text(config.get("publicNetworkAccess")).lower() == "disabled":
        return no("public network access is disabled", item.uid)
    rows = sorted(dicts(config.get("ipSecurityRestrictions")), key=_priority)
    default = text(config.get("ipSecurityRestrictionsDefaultAction")).lower()
    allowed: list[str] = []
    denies_all = default == "deny"
    for row in rows:
        address = text(row.get("ipAddress")) or text(row.get("tag"))
        allow = text(row.get("action")).lower() != "deny"
        if address.lower() in ("any", "0.0.0.0/0", "internet"):
            if allow:
                break
            denies_all = True
            break
        if allow and text(row.get("ipAddress")):
            allowed.append(text(row["ipAddress"]))
        if allow:
            # One allow rule makes everything else denied.
            denies_all = True
    found = addresses(allowed, 4)
    if denies_all and not is_wide(found, 4):
        shown = cidr_texts(found, 4) if found else ""
        return no(f"access restrictions admit only {shown or 'named networks'}", item.uid, shown)
    host = text(item.config.get("defaultHostName")) or item.name
    signs = "; it asks for a sign-in" if config.get("siteAuthEnabled") is True else ""
    return _open(item, f"{host} answers everyone{signs}", host, ports="tcp 80, 443")


def container_app(item: Item) -> Verdict:
    """External ingress and its restrictions."""
    config = item.config.get("configuration")
    ingress = config.get("ingress") if isinstance(config, dict) else None
    if not isinstance(ingress, dict) or ingress.get("external") is not True:
        return no("it has no external ingress", item.uid)
    rows = dicts(ingress.get("ipSecurityRestrictions"))
    allowed = [r.get("ipAddressRange") for r in rows if text(r.get("action")).lower() == "allow"]
    if allowed and not is_wide(addresses(allowed, 4), 4):
        shown = cidr_texts(addresses(allowed, 4), 4)
        return no(f"ingress admits only {shown}", item.uid, shown)
    host = text(ingress.get("fqdn")) or item.name
    return _open(item, f"{host} answers everyone", host, ports="tcp 443")


def container_group(item: Item) -> Verdict:
    """A public address of its own."""
    address = item.config.get("ipAddress")
    if not isinstance(address, dict) or text(address.get("type")).lower() != "public":
        return no("it has no public address", item.uid)
    ports = ", ".join(str(p.get("port")) for p in dicts(address.get("ports")))
    shown = text(address.get("ip")) or text(address.get("fqdn"))
    return _open(item, f"public address {shown}, port {ports}", shown, ports=f"tcp {ports}")


def cluster(item: Item) -> Verdict:
    """The API server: private, or authorised ranges."""
    profile = item.config.get("apiServerAccessProfile")
    profile = profile if isinstance(profile, dict) else {}
    if profile.get("enablePrivateCluster") is True:
        return no("the API server is private", item.uid)
    if _disabled(item):
        return no("public network access is disabled", item.uid)
    ranges = profile.get("authorizedIPRanges") or profile.get("authorizedIpRanges")
    if isinstance(ranges, list) and ranges:
        found = addresses(ranges, 4)
        if not is_wide(found, 4):
            shown = cidr_texts(found, 4)
            return no(f"authorised ranges are {shown}", item.uid, shown)
    host = text(item.config.get("fqdn")) or item.name
    return _open(item, "the API server answers everyone", host, ports="tcp 443")


def exported(item: Item) -> Verdict:
    """Disks and snapshots: nobody reads them without a link that somebody makes."""
    policy = text(item.config.get("networkAccessPolicy")).lower()
    state = text(item.config.get("diskState")).lower()
    if policy in ("denyall", "allowprivate") or _disabled(item):
        return no("network access is closed", item.uid)
    if state == "activesas":
        return unknown("a link to it exists; who has it is not known", item.uid)
    return no("no link to it exists", item.uid)
