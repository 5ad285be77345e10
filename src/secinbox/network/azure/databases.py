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
    states = (item.config.get(k) for k in ("state", "userVisibleState", "clusterStatus"))
    if any(text(s).lower() in ("stopped", "disabled") for s in states):
        return no("the server is stopped", item.uid)
    nodes = [item.config.get(k) for k in ("coordinatorEnablePublicIpAccess",
                                          "nodeEnablePublicIpAccess")]  # fmt: skip
    if nodes[0] is False and nodes[1] is not True:
        return no("none of its nodes has a public address", item.uid)
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
        spans += _span(start, end, 4)
    found = IntSet.of(spans)
    if is_wide(found, 4):
        return opened(item, f"firewall rules admit {cidr_texts(found, 4)}", "firewall rules")
    six = IntSet.of([s for r in _six(estate, item) for s in _span(
        r.config.get("startIPv6Address"), r.config.get("endIPv6Address"), 6)])  # fmt: skip
    if is_wide(six, 6):
        return opened(item, f"firewall rules admit {cidr_texts(six, 6)}", "firewall rules")
    if azure:
        return opened(item, f"rule {azure} admits all of Azure, any customer's resources included",
                      f"rule {azure}", first=ANY_CUSTOMER)  # fmt: skip
    if part := item.unfinished("type"):
        return unknown(part, item.uid)
    shown = cidr_texts(found, 4) if found else ""
    return no(f"firewall rules admit {f'only {shown}' if shown else 'nobody'}", item.uid, shown)


def _span(start: object, end: object, version: int) -> list[tuple[int, int]]:
    """From one address to another; nothing where that is no range."""
    low, high = addresses([start], version), addresses([end], version)
    if not low or not high or low.intervals[0][0] > high.intervals[0][1]:
        return []
    return [(low.intervals[0][0], high.intervals[0][1])]


def _six(estate: Estate, item: Item) -> list[Item]:
    kind = f"{item.type}_ipv6firewallrules"
    return [r for r in estate.of_type(kind) if r.uid.startswith(item.uid + "/")]


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
    if text(item.config.get("state")).lower() == "stopped":
        return no("the instance is stopped", item.uid)
    subnet = identifier(item.config.get("subnetId"))
    if not guards.of_subnet(subnet):
        return unknown("whether a group guards its subnet was not read", item.uid)
    some = ""
    for customers, first in ((False, "Internet"), (True, ANY_CUSTOMER)):
        found, gap = guards.through(guards.of_subnet(subnet), frozenset(), "", item,
                                    customers=customers)  # fmt: skip
        if gap is not None:
            return gap
        some = some or found.some
        if 3342 in guards.overruled(subnet, found).open.get("tcp", IntSet()):
            who = "everyone" if first == "Internet" else "any customer of Azure"
            return opened(item, f"its public data endpoint answers {who} on port 3342",
                          *found.by[:2], ports="tcp 3342", first=first)  # fmt: skip
    return no("the group of its subnet does not admit everyone to port 3342", item.uid, some)


def redis(estate: Estate, item: Item) -> Verdict:
    """Firewall rules where there are some; else everyone who has a key."""
    if disabled(item):
        return no("public network access is disabled", item.uid)
    if identifier(item.config.get("subnetId")):
        return no("it stands in a virtual network", item.uid)
    rules = estate.once("azure.firewall", lambda: _rules(estate)).get(item.uid, [])
    if rules:
        found = IntSet.of(
            [s for r in rules for s in _span(r.config.get("startIP"), r.config.get("endIP"), 4)]
        )
        if not is_wide(found, 4):
            shown = cidr_texts(found, 4) if found else ""
            return no(f"firewall rules admit {f'only {shown}' if shown else 'nobody'}", item.uid,
                      shown)  # fmt: skip
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
