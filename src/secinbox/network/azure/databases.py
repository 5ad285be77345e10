"""Databases: firewall rules, the rule that admits all of Azure, private networks."""

from __future__ import annotations

from secinbox.estate import Estate, Item
from secinbox.inventory.azure.resources import dicts, identifier, text
from secinbox.network.azure.rules import ANY_CUSTOMER, disabled, opened
from secinbox.network.azure.security_groups import Guards
from secinbox.network.ranges import IntSet, addresses, cidr_texts, is_wide
from secinbox.network.verdict import Verdict, no, unknown

SERVERS = (
    "sql_servers", "dbforpostgresql_servers", "dbforpostgresql_flexibleservers",
    "dbformysql_servers", "dbformysql_flexibleservers", "dbformariadb_servers",
    "synapse_workspaces", "dbforpostgresql_servergroupsv2", "documentdb_mongoclusters",
)  # fmt: skip


def server(estate: Estate, item: Item) -> Verdict:
    """Firewall rules: ranges, and the one that admits all of Azure."""
    network = item.config.get("network")
    if disabled(item):
        return no("public network access is disabled", item.uid)
    if text(item.config.get("state")).lower() in ("stopped", "disabled"):
        return no("the server is stopped", item.uid)
    if isinstance(network, dict) and identifier(network.get("delegatedSubnetResourceId")):
        return no("it stands in a virtual network", item.uid)
    rules = estate.once("azure.firewall", lambda: _rules(estate)).get(item.uid, [])
    inline = dicts(item.config.get("firewallRules"))
    pairs = [(text(r.config.get("startIpAddress")), text(r.config.get("endIpAddress")), r.name)
             for r in rules]  # fmt: skip
    pairs += [(text(r.get("startIpAddress")), text(r.get("endIpAddress")), text(r.get("name")))
              for r in inline]  # fmt: skip
    kind = item.type + "_firewallrules"
    read = estate.looked_at(f"azure:{item.account}/{kind}") or "firewallRules" in item.config
    if not pairs and not read:
        return unknown("its firewall rules were not read", item.uid)
    spans = []
    azure = ""
    for start, end, name in pairs:
        if start == end == "0.0.0.0":  # noqa: S104 - Azure's word for all of its own customers
            azure = name
            continue
        low, high = addresses([start], 4), addresses([end], 4)
        if low and high:
            spans.append((low.intervals[0][0], high.intervals[0][1]))
    found = IntSet.of(spans)
    if is_wide(found, 4):
        return opened(item, f"firewall rules admit {cidr_texts(found, 4)}", "firewall rules")
    if azure:
        return opened(item, f"rule {azure} admits all of Azure, any customer's resources included",
                      f"rule {azure}", first=ANY_CUSTOMER)  # fmt: skip
    shown = cidr_texts(found, 4) if found else ""
    return no(f"firewall rules admit only {shown or 'nobody'}", item.uid, shown)


def _rules(estate: Estate) -> dict[str, list[Item]]:
    out: dict[str, list[Item]] = {}
    for uid in sorted(estate.items):
        head, found, _ = uid.partition("/firewallrules/")
        if found:
            out.setdefault(head, []).append(estate.items[uid])
    return out


def managed_instance(estate: Estate, guards: Guards, item: Item) -> Verdict:
    """A public data endpoint on port 3342, and the group of its subnet."""
    if item.config.get("publicDataEndpointEnabled") is not True:
        return no("it has no public data endpoint", item.uid)
    subnet = identifier(item.config.get("subnetId"))
    found, gap = guards.through(guards.of_subnet(subnet), frozenset(), "", item)
    if gap is not None:
        return gap
    if not guards.of_subnet(subnet):
        return unknown("whether a group guards its subnet was not read", item.uid)
    if 3342 not in found.open.get("tcp", IntSet()):
        return no(
            "the group of its subnet does not admit everyone to port 3342", item.uid, found.some
        )
    return opened(
        item,
        "its public data endpoint answers everyone on port 3342",
        *found.by[:2],
        ports="tcp 3342",
    )


def redis(estate: Estate, item: Item) -> Verdict:
    """Firewall rules where there are some; else everyone who has a key."""
    if disabled(item):
        return no("public network access is disabled", item.uid)
    if identifier(item.config.get("subnetId")):
        return no("it stands in a virtual network", item.uid)
    rules = estate.once("azure.firewall", lambda: _rules(estate)).get(item.uid, [])
    if rules:
        spans = []
        for rule in rules:
            low, high = (addresses([rule.config.get(k)], 4) for k in ("startIP", "endIP"))
            if low and high:
                spans.append((low.intervals[0][0], high.intervals[0][1]))
        found = IntSet.of(spans)
        if not is_wide(found, 4):
            shown = cidr_texts(found, 4) if found else ""
            return no(f"firewall rules admit only {shown or 'nobody'}", item.uid, shown)
    return opened(item, "answers all networks; a key is asked for", ports="tcp 6380")


def cosmos(item: Item) -> Verdict:
    """Ranges, virtual networks, and the range that stands for all of Azure."""
    if disabled(item):
        return no("public network access is disabled", item.uid)
    ranges = [str(r.get("ipAddressOrRange") or r.get("value") or "") for r in
              dicts(item.config.get("ipRules"))]  # fmt: skip
    ranges += [r.strip() for r in text(item.config.get("ipRangeFilter")).split(",") if r.strip()]
    filtered = item.config.get("isVirtualNetworkFilterEnabled") is True
    if not ranges:
        if filtered:
            return no("it admits named virtual networks only", item.uid)
        return opened(item, "answers all networks; a key is asked for", ports="tcp 443")
    found = addresses([r for r in ranges if r not in ("0.0.0.0", "0.0.0.0/32")], 4)  # noqa: S104
    if is_wide(found, 4):
        return opened(item, f"network rules admit {cidr_texts(found, 4)}", ports="tcp 443")
    if any(r in ("0.0.0.0", "0.0.0.0/32") for r in ranges):  # noqa: S104 - all of Azure
        return opened(item, "network rules admit all of Azure, any customer's resources included",
                      first=ANY_CUSTOMER, ports="tcp 443")  # fmt: skip
    shown = cidr_texts(found, 4) if found else ""
    return no(f"network rules admit only {shown or 'named networks'}", item.uid, shown)
