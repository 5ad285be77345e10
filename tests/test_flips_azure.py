"""Azure: for every type that gets an answer, the smallest open estate and a flip of each condition.

A row is (what was flipped, the estate, the answer, a word of the control or the route; -word: not that). A test counts
them by type.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from secinbox.estate import estate_of
from secinbox.network.azure import CONTROLS, exposure
from secinbox.network.azure.databases import SERVERS
from tests import test_azure as azure
from tests import test_azure_services as services
from tests.flips import holds, twelve
from tests.test_azure import (
    ACI,
    ACR,
    AKS,
    APP,
    BLOBS,
    NET,
    OFFICE,
    RG,
    SITE,
    SQL,
    STORE,
    VM,
    Row,
    address,
    blobs,
    nsg,
    public,
    row,
    rule,
    store,
)
from tests.test_azure_services import ALL, GW, OPEN_SITE, child, simple

Flips = list[tuple[str, list[Row], str, str]]
HALVES = ("0.0.0.0/1", "128.0.0.0/1")
SUBNET = f"{NET}/virtualNetworks/v/subnets/s"
LINKED = [{"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}]
PENDING = [{"properties": {"privateLinkServiceConnectionState": {"status": "Pending"}}}]
REJECTED = [{"properties": {"privateLinkServiceConnectionState": {"status": "Rejected"}}}]
GONE = [{"properties": {"privateLinkServiceConnectionState": {"status": "Disconnected"}}}]


def type_of(uid: str) -> str:
    """`azure_microsoft_sql_servers` of an id."""
    space, word, *rest = uid.split("/providers/")[-1].split("/")
    return "_".join(["azure", space, word, *rest[1::2]]).lower().replace(".", "_")


def named(space: str, word: str) -> str:
    return f"{RG}/providers/Microsoft.{space}/{word}/x"


def switch(uid: str, *, none: str = "yes", told: str = "") -> Flips:
    """The switch that most services have; none: the answer where nobody said anything."""
    return [
        ("open", [simple(uid, publicNetworkAccess="Enabled")], "yes", told),
        ("switched off", [simple(uid, publicNetworkAccess="Disabled")], "no", "disabled"),
        ("switched off in small letters", [simple(uid, publicNetworkAccess="disabled")], "no", "disabled"),
        ("switched off as a word of true and false", [simple(uid, publicNetworkAccess=False)], "no", "disabled"),
        ("left to a perimeter that nobody read", [simple(uid, publicNetworkAccess="SecuredByPerimeter")], "unknown", "not read"),
        ("nothing said", [simple(uid)], none, ""),
    ]  # fmt: skip


def one_switch(uid: str, *more: tuple[str, list[Row], str, str], beside: str = "yes") -> Flips:
    """A switch, private endpoints in each state of theirs, and the state of the resource itself.

    beside: what a private endpoint means where nobody said anything of the public network.
    """

    def made(access: str | None = None, **properties: Any) -> list[Row]:
        said = {"publicNetworkAccess": access} if access else {}
        return [simple(uid, **said, **properties)]

    return [
        *(f for f in switch(uid) if "perimeter" not in f[0]),
        ("private endpoint, and open", made("Enabled", privateEndpointConnections=LINKED), "yes", ""),
        ("private endpoint, and switched off", made("Disabled", privateEndpointConnections=LINKED), "no", "disabled"),
        ("private endpoint, nothing said", made(privateEndpointConnections=LINKED), beside,
         "" if beside == "yes" else "private endpoint"),
        ("private endpoint that waits", made(privateEndpointConnections=PENDING), "yes", ""),
        ("private endpoint that was refused", made(privateEndpointConnections=REJECTED), "yes", ""),
        ("private endpoint that was cut off", made(privateEndpointConnections=GONE), "yes", ""),
        ("being deleted", made("Enabled", provisioningState="Deleting"), "no", "deleting"),
        ("its last change failed", made("Enabled", provisioningState="Failed"), "yes", ""),
        *more,
    ]  # fmt: skip


NSP = f"{NET}/networkSecurityPerimeters/line"


def perimeter(uid: str, *prefixes: str, mode: str = "Enforced", read: bool = True, direction: str = "Inbound",
              **rule: Any) -> list[Row]:  # fmt: skip
    """A perimeter that the resource stands in, and the rules of its profile."""
    profile = f"{NSP}/profiles/p"
    space = "Microsoft.Network/networkSecurityPerimeters"
    rows: list[Row] = [
        {"id": NSP, "name": "line", "type": space, "properties": {"provisioningState": "Succeeded"}},
        {"id": f"{NSP}/resourceAssociations/a", "name": "a", "type": f"{space}/resourceAssociations", "properties": {
            "privateLinkResource": {"id": uid}, "profile": {"id": profile}, "accessMode": mode}},
    ]  # fmt: skip
    if read:
        given = {"direction": direction, "addressPrefixes": list(prefixes), **rule}
        rows.append({"id": f"{profile}/accessRules/r", "name": "r", "type": f"{space}/profiles/accessRules", "properties": given})  # fmt: skip
    return rows


def walled(uid: str, made: Callable[[str], list[Row]], *, asks: str = "yes") -> Flips:
    """Perimeters around an open service. made: the service with this public network access."""
    by = "SecuredByPerimeter"
    return [
        ("a perimeter without rules for others", [*made("Enabled"), *perimeter(uid)], "no", "no public network"),
        ("a perimeter that lets an office in", [*made("Enabled"), *perimeter(uid, OFFICE)], "no", OFFICE),
        ("a perimeter that lets both halves in", [*made("Enabled"), *perimeter(uid, *HALVES)], asks, ""),
        ("a perimeter whose rule is for traffic out", [*made("Enabled"), *perimeter(uid, *HALVES, direction="Outbound")],
         "no", "no public network"),
        ("a perimeter for a subscription", [*made("Enabled"), *perimeter(uid, subscriptions=[{"id": "/subscriptions/x"}])],
         "no", "no public network"),
        ("a perimeter in transition, and open", [*made("Enabled"), *perimeter(uid, OFFICE, mode="Learning")], asks, ""),
        ("a perimeter in transition, and switched off", [*made("Disabled"), *perimeter(uid, OFFICE, mode="Learning")], "no", OFFICE),
        ("a perimeter in transition that lets everyone past the switch", [
            *made("Disabled"), *perimeter(uid, *HALVES, mode="Learning")], asks, ""),
        ("left to a perimeter in transition", [*made(by), *perimeter(uid, OFFICE, mode="Learning")], "no", OFFICE),
        ("left to a perimeter that lets everyone in", [*made(by), *perimeter(uid, "0.0.0.0/0")], asks, ""),
        ("left to a perimeter whose rules nobody read", [*made(by), *perimeter(uid, read=False)], "unknown", "not read"),
        ("left to a perimeter, and in none", [*made(by), *perimeter(named("KeyVault", "vaults") + "other")], "no", "in none"),
    ]  # fmt: skip


def ruled(uid: str, key: str = "networkAcls", value: str = "value", *, needs_one: bool = False,
          anonymous: bool = False) -> Flips:  # fmt: skip
    """A default action, and ranges past it."""
    extra: Row = {"anonymousPullEnabled": True} if anonymous else {}

    def made(default: str, *ranges: str, **more: Any) -> list[Row]:
        inner = {
            "defaultAction": default,
            "ipRules": [{value: r, "action": "Allow"} for r in ranges],
            **more,
        }
        return [simple(uid, publicNetworkAccess="Enabled", **{key: inner}, **extra)]  # fmt: skip

    network = {"virtualNetworkRules": [{"id": SUBNET, "ignoreMissingVnetServiceEndpoint": False}]}
    return [
        ("everyone by default", made("Allow"), "yes", ""),
        ("nobody by default", made("Deny"), "yes" if needs_one else "no", "" if needs_one else "named"),
        ("one office", made("Deny", "203.0.113.4"), "no", "203.0.113.4"),
        ("an office's range", made("Deny", OFFICE), "no", OFFICE),
        ("both halves", made("Deny", *HALVES), "yes", ""),
        ("one half", made("Deny", HALVES[1]), "yes", ""),
        ("private ranges", made("Deny", "10.0.0.0/8"), "no", "10.0.0.0/8"),
        ("ranges that the default makes idle", made("Allow", "203.0.113.4"), "yes", ""),
        ("a virtual network", made("Deny", **network), "no", "named"),
        ("trusted services", made("Deny", "203.0.113.4", bypass="AzureServices"), "no", "203.0.113.4"),
        ("the action in small letters", made("deny", "203.0.113.4"), "no", "203.0.113.4"),
        ("a private endpoint, and open", [{**made("Allow")[0], "properties": {
            **made("Allow")[0]["properties"], "privateEndpointConnections": LINKED}}], "yes", ""),
    ]  # fmt: skip


def plain(uid: str, key: str, *, dicts_: str = "", none: str = "yes") -> Flips:
    """Ranges alone: none of them is everyone."""

    def made(*ranges: str, **more: Any) -> list[Row]:
        rows = [{dicts_: r, "action": "Allow"} if dicts_ else r for r in ranges]
        return [simple(uid, **{key: rows}, **more)]

    return [
        *switch(uid, none=none),
        ("no ranges", made(), "yes", ""),
        ("one office", made("203.0.113.4"), "no", "203.0.113.4"),
        ("an office's range", made(OFFICE), "no", OFFICE),
        ("two offices", made(OFFICE, "198.51.100.0/24"), "no", "198.51.100.0/24"),
        ("everyone", made("0.0.0.0/0"), "yes", ""),
        ("both halves", made(*HALVES), "yes", ""),
        ("an office, and switched off", made(OFFICE, publicNetworkAccess="Disabled"), "no", "disabled"),
        ("an office, and a private endpoint", made(OFFICE, privateEndpointConnections=LINKED), "no", OFFICE),
    ]  # fmt: skip


# Databases with firewall rules: one table for each kind of server


def server(kind: str) -> tuple[str, Flips]:
    space, word = kind.split("_")
    names = {"sql": "Sql", "dbforpostgresql": "DBforPostgreSQL", "dbformysql": "DBforMySQL",
             "dbformariadb": "DBforMariaDB", "synapse": "Synapse", "documentdb": "DocumentDB"}  # fmt: skip
    uid = f"{RG}/providers/Microsoft.{names[space]}/{word}/x"
    flexible = word == "flexibleservers"

    def made(access: str = "Enabled", **more: Any) -> Row:
        if flexible:
            return simple(
                uid, network={"publicNetworkAccess": access, **more.pop("network", {})}, **more
            )
        return simple(uid, publicNetworkAccess=access, **more)

    def fire(start: str, end: str, name: str = "r") -> Row:
        return child(uid, "firewallRules", name, startIpAddress=start, endIpAddress=end)

    wide = fire(*ALL)
    flips: Flips = [
        ("everyone", [made(), wide], "yes", "0.0.0.0/0"),
        ("switched off", [made("Disabled"), wide], "no", "disabled"),
        ("left to a perimeter that nobody read", [made("SecuredByPerimeter"), wide], "unknown", "not read"),
        ("one office", [made(), fire("203.0.113.1", "203.0.113.9")], "no", "203.0.113"),
        ("one address", [made(), fire("203.0.113.7", "203.0.113.7")], "no", "203.0.113.7"),
        ("private addresses", [made(), fire("10.0.0.0", "10.255.255.255")], "no", "10.0.0.0/8"),
        ("all of Azure", [made(), fire("0.0.0.0", "0.0.0.0", "AllowAllWindowsAzureIps")], "yes", "all of Azure"),
        ("an office and all of Azure", [made(), fire("203.0.113.1", "203.0.113.9", "a"), fire("0.0.0.0", "0.0.0.0", "b")],
         "yes", "all of Azure"),
        ("halves in two rules", [made(), fire("0.0.0.0", "127.255.255.255", "a"), fire("128.0.0.0", "255.255.255.255", "b")],
         "yes", "0.0.0.0/0"),
        ("all but a little", [made(), fire("1.0.0.0", "254.255.255.255")], "yes", ""),
        ("a range the wrong way round", [made(), fire("255.255.255.255", "0.0.0.0")], "no", "nobody"),
        ("rules of another server", [made(), {**wide, "id": wide["id"].replace("/x/", "/other/")}], "no", "nobody"),
        ("rules unread", [made()], "unknown", "not read"),
        ("nothing said of the switch", [simple(uid), wide], "yes", "0.0.0.0/0"),
    ]  # fmt: skip
    if flexible:
        flips += [("in a network", [made(network={"delegatedSubnetResourceId": SUBNET}), wide], "no", "virtual network"),
                  ("stopped", [made(state="Stopped"), wide], "no", "stopped")]  # fmt: skip
    if kind == "dbforpostgresql_servergroupsv2":
        flips += [("nodes inside", [made(coordinatorEnablePublicIpAccess=False, nodeEnablePublicIpAccess=False), wide],
                   "no", "none of its nodes"),
                  ("one kind of node outside", [made(coordinatorEnablePublicIpAccess=False, nodeEnablePublicIpAccess=True),
                                                wide], "yes", "")]  # fmt: skip
    if kind == "documentdb_mongoclusters":
        flips.append(("stopped", [made(clusterStatus="Stopped"), wide], "no", "stopped"))
    if kind == "sql_servers":
        six = {
            "startIPv6Address": "::",
            "endIPv6Address": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        }
        flips.append(("everyone with IPv6", [made(), fire("203.0.113.1", "203.0.113.9"), child(
            uid, "ipv6FirewallRules", "a", **six)], "yes", "::/0"))  # fmt: skip
    return uid, flips


MI, REDIS, COSMOS = services.MI, services.REDIS, services.COSMOS


def instance(*rules: Row, group: str = "g", outside: bool = True, **more: Any) -> list[Row]:
    made = simple(MI, publicDataEndpointEnabled=outside, subnetId=SUBNET, **more)
    return [made, azure.vnet(group), *([nsg("g", *rules)] if rules is not None else [])]


MI_FLIPS: Flips = [
    ("open", instance(rule(port="3342")), "yes", "3342"),
    ("no public endpoint", instance(rule(port="3342"), outside=False), "no", "no public data"),
    ("another port", instance(rule(port="1433")), "no", "3342"),
    ("a range of ports", instance(rule(port="3000-4000")), "yes", ""),
    ("every port", instance(rule(port="*", protocol="*")), "yes", ""),
    ("UDP", instance(rule(port="3342", protocol="Udp")), "no", "3342"),
    ("one office", instance(rule(port="3342", source=OFFICE)), "no", "3342"),
    ("the network", instance(rule(port="3342", source="VirtualNetwork")), "no", "3342"),
    ("all of Azure", instance(rule(port="3342", source="AzureCloud")), "yes", "any customer"),
    ("denied before", instance(rule(port="3342"), rule("deny", 90, "Deny", port="3342")), "no", "3342"),
    ("denied after", instance(rule(port="3342"), rule("deny", 110, "Deny", port="3342")), "yes", ""),
    ("rule for traffic out", instance(rule(port="3342", direction="Outbound")), "no", "3342"),
    ("stopped", instance(rule(port="3342"), state="Stopped"), "no", "stopped"),
    ("group unread", instance(rule(port="3342"))[:2], "unknown", "not read"),
    ("subnet unread", instance(rule(port="3342"))[:1], "unknown", "not read"),
]  # fmt: skip


def redis(*spans: tuple[str, str], **more: Any) -> list[Row]:
    return [simple(REDIS, **more), *(child(REDIS, "firewallRules", f"r{n}", startIP=a, endIP=b)
                                     for n, (a, b) in enumerate(spans))]  # fmt: skip


REDIS_FLIPS: Flips = [
    *switch(REDIS, told="key"),
    ("one office", redis(("203.0.113.1", "203.0.113.9")), "no", "203.0.113"),
    ("everyone by a rule", redis(ALL), "yes", ""),
    ("halves in two rules", redis(("0.0.0.0", "127.255.255.255"), ("128.0.0.0", "255.255.255.255")), "yes", ""),
    ("an office and everyone", redis(("203.0.113.1", "203.0.113.9"), ALL), "yes", ""),
    ("the address that means all of Azure elsewhere", redis(("0.0.0.0", "0.0.0.0")), "no", "0.0.0.0"),
    ("a range the wrong way round", redis((ALL[1], ALL[0])), "no", "nobody"),
    ("in a network", redis(subnetId=SUBNET), "no", "virtual network"),
    ("everyone by a rule, switched off", redis(ALL, publicNetworkAccess="Disabled"), "no", "disabled"),
]  # fmt: skip
COSMOS_FLIPS: Flips = [
    *switch(COSMOS, told="key"),
    ("one office", [services.cosmos("203.0.113.4")], "no", "203.0.113.4"),
    ("an office's range", [services.cosmos(OFFICE)], "no", OFFICE),
    ("all of Azure", [services.cosmos("0.0.0.0")], "yes", "all of Azure"),
    ("an office, in the older spelling", [simple(COSMOS, ipRangeFilter=f"{OFFICE},198.51.100.7")], "no", "198.51.100.7"),
    ("all of Azure, in the older spelling", [simple(COSMOS, ipRangeFilter="203.0.113.4,0.0.0.0")], "yes", "all of Azure"),
    ("both halves", [services.cosmos(*HALVES)], "yes", ""),
    ("virtual networks only", [services.cosmos(isVirtualNetworkFilterEnabled=True, virtualNetworkRules=[{"id": SUBNET}])],
     "no", "virtual networks"),
    ("virtual networks and an office", [services.cosmos(OFFICE, isVirtualNetworkFilterEnabled=True)], "no", OFFICE),
    ("virtual networks and all of Azure", [services.cosmos("0.0.0.0", isVirtualNetworkFilterEnabled=True)], "yes", "all of Azure"),
    ("no keys taken", [services.cosmos(disableLocalAuth=True)], "yes", ""),
    ("trusted services", [services.cosmos(OFFICE, networkAclBypass="AzureServices")], "no", OFFICE),
]  # fmt: skip


# Storage


def level(value: Any, **account: Any) -> list[Row]:
    made = blobs()
    return [store(**account), {**made, "properties": {"publicAccess": value}}]


WEB = {**blobs("None"), "id": BLOBS.replace("/files", "/$web"), "name": "$web"}
GATES: list[tuple[str, Row, str, str]] = [
    ("switch nowhere", {"allowBlobPublicAccess": None}, "yes", ""),
    ("account forbids", {"allowBlobPublicAccess": False}, "no", "does not allow"),
    ("network off", {"publicNetworkAccess": "Disabled"}, "no", "disabled"),
    ("left to a perimeter that nobody read", {"publicNetworkAccess": "SecuredByPerimeter"}, "unknown", "not read"),
    ("nobody by default", {"networkAcls": {"defaultAction": "Deny", "ipRules": []}}, "no", "named"),
    ("one office", {"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.4"}]}}, "no", "203.0.113.4"),
    ("both halves", {"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": h} for h in HALVES]}}, "yes", ""),
    ("everyone by default", {"networkAcls": {"defaultAction": "Allow", "ipRules": [{"value": "203.0.113.4"}]}}, "yes", ""),
    ("a virtual network", {"networkAcls": {"defaultAction": "Deny", "virtualNetworkRules": [{"id": SUBNET}]}}, "no", "named"),
    ("trusted services", {"networkAcls": {"defaultAction": "Deny", "bypass": "AzureServices"}}, "no", "named"),
    ("rules in the older spelling", {"networkRuleSet": {"defaultAction": "Deny"}}, "no", "named"),
    ("a private endpoint beside", {"privateEndpointConnections": LINKED}, "yes", ""),
    ("no shared keys", {"allowSharedKeyAccess": False}, "yes", ""),
]  # fmt: skip
STORE_FLIPS: Flips = [
    ("open", level("Blob"), "yes", "files"),
    *((name, level("Blob", **config), value, told) for name, config, value, told in GATES),
    ("container closed", level("None"), "no", "no container"),
    ("containers unread", [store()], "unknown", "not read"),
    ("file shares only", [{**store(), "kind": "FileStorage"}], "no", "file shares"),
    ("a website perhaps", [store(allowBlobPublicAccess=False), WEB], "unknown", "website"),
    ("a website perhaps, networks closed", [store(networkAcls={"defaultAction": "Deny"}), WEB], "no", "named"),
]  # fmt: skip
CONTAINER_FLIPS: Flips = [
    ("open", level("Blob"), "yes", "blob"),
    *((name, level("Blob", **config), value, told) for name, config, value, told in GATES),
    ("list and read", level("Container"), "yes", "container"),
    ("level none", level("None"), "no", "off"),
    ("no level", level(None), "no", "off"),
    ("deleted", [store(), {**blobs(), "properties": {"publicAccess": "Blob", "deleted": True}}], "no", "deleted"),
    ("account unread", [blobs()], "unknown", "not read"),
]  # fmt: skip


# Applications

SLOT = f"{SITE}/slots/next"
HEADERS = {"headers": {"x-forwarded-host": ["acme.test"]}}


def allow(address_: str, priority: int = 1, action: str = "Allow", **more: Any) -> Row:
    return {"ipAddress": address_, "action": action, "priority": priority, "name": address_, **more}


SITE_TABLE: list[tuple[str, list[Row], Row, Row, str, str]] = [
    # (flip, restrictions, configuration, properties of the site, answer, told)
    ("everyone", [OPEN_SITE], {}, {}, "yes", "azurewebsites"),
    ("no restrictions", [], {}, {}, "yes", ""),
    ("stopped", [OPEN_SITE], {}, {"state": "Stopped"}, "no", "stopped"),
    ("disabled", [OPEN_SITE], {}, {"enabled": False}, "no", "stopped"),
    ("network off", [OPEN_SITE], {}, {"publicNetworkAccess": "Disabled"}, "no", "disabled"),
    ("network off by its configuration", [OPEN_SITE], {"publicNetworkAccess": "Disabled"}, {}, "no", "disabled"),
    ("one office", [allow(OFFICE)], {}, {}, "no", OFFICE),
    ("an office, then everyone denied", [allow(OFFICE), services.DENIED], {}, {}, "no", OFFICE),
    ("an office denied", [allow(OFFICE, action="Deny"), OPEN_SITE], {}, {}, "yes", ""),
    ("everyone denied first", [allow("Any", action="Deny"), {**OPEN_SITE, "priority": 9}], {}, {}, "no", "admit only"),
    ("a subnet", [{"vnetSubnetResourceId": SUBNET, "action": "Allow", "priority": 1}], {}, {}, "no", "named"),
    ("a service", [allow("GitHubActions", tag="ServiceTag")], {}, {}, "no", "githubactions"),
    ("all of Azure", [allow("AzureCloud", tag="ServiceTag")], {}, {}, "yes", "any customer"),
    ("requests of one front", [allow("0.0.0.0/0", **HEADERS)], {}, {}, "no", "named"),
    ("both halves", [allow(",".join(HALVES))], {}, {}, "yes", ""),
    ("half denied before the halves", [allow(HALVES[1], 1, "Deny"), allow(",".join(HALVES), 2)], {}, {}, "yes", ""),
    ("IPv6 at large", [allow("2000::/3")], {}, {}, "yes", ""),
    ("IPv6 office", [allow("2001:db8::/32")], {}, {}, "no", "named"),
    ("denied by default", [], {"ipSecurityRestrictionsDefaultAction": "Deny"}, {}, "no", "named"),
    ("allowed by default", [], {"ipSecurityRestrictionsDefaultAction": "Allow"}, {}, "yes", ""),
    ("private endpoint, nothing said", [OPEN_SITE], {}, {"privateEndpointConnections": LINKED}, "no", "private endpoint"),
    ("private endpoint that waits", [OPEN_SITE], {}, {"privateEndpointConnections": PENDING}, "yes", ""),
    ("private endpoint, and open", [OPEN_SITE], {}, {"privateEndpointConnections": LINKED, "publicNetworkAccess": "Enabled"},
     "yes", ""),
    ("environment unread", [OPEN_SITE], {}, {"hostingEnvironmentProfile": {"id": f"{RG}/providers/Microsoft.Web/hostingEnvironments/e"}},
     "unknown", "environment"),
]  # fmt: skip


def site(uid: str, restrictions: list[Row], config: Row, properties: Row) -> list[Row]:
    kind = "Microsoft.Web/sites/slots" if "/slots/" in uid else "Microsoft.Web/sites"
    made: Row = {"id": uid, "name": "app", "type": kind, "properties": {
        "state": "Running", "defaultHostName": "app.azurewebsites.net", **properties}}  # fmt: skip
    return [made, {"id": f"{uid}/config/web", "name": "web", "type": f"{kind}/config",
                   "properties": {"ipSecurityRestrictions": restrictions, **config}}]  # fmt: skip


def environment(mode: str) -> list[Row]:
    uid = f"{RG}/providers/Microsoft.Web/hostingEnvironments/e"
    return [*site(SITE, [OPEN_SITE], {}, {"hostingEnvironmentProfile": {"id": uid}}),
            row("Microsoft.Web/hostingEnvironments", "e", {"internalLoadBalancingMode": mode})]  # fmt: skip


SITE_FLIPS: Flips = [
    *((n, site(SITE, r, c, p), v, t) for n, r, c, p, v, t in SITE_TABLE),
    ("internal environment", environment("Web, Publishing"), "no", "internal"),
    ("external environment", environment("None"), "yes", ""),
    ("restrictions unread", site(SITE, [], {}, {})[:1], "unknown", "not read"),
]  # fmt: skip
SLOT_FLIPS: Flips = [(n, site(SLOT, r, c, p), v, t) for n, r, c, p, v, t in SITE_TABLE]


def app(config: Row | None = None, environment_: Row | None = None, **ingress: Any) -> list[Row]:
    made = services.app(environment_, **ingress)
    made[0]["properties"].update(config or {})
    return made


def env(**properties: Any) -> Row:
    return row("Microsoft.App/managedEnvironments", "e", properties)


def sources(*rows: tuple[str, str]) -> list[Row]:
    return [{"ipAddressRange": r, "action": a, "name": r} for r, a in rows]


APP_FLIPS: Flips = [
    ("open", app(), "yes", "c.x"),
    ("ingress inside", app(external=False), "no", "no external"),
    ("no ingress", app({"configuration": {"ingress": None}}), "no", "no external"),
    ("ingress unread", [row("Microsoft.App/containerApps", "c", {}), env()], "unknown", "not read"),
    ("stopped", app({"runningStatus": "Stopped"}), "no", "stopped"),
    ("internal environment", app(environment_=env(vnetConfiguration={"internal": True})), "no", "internal"),
    ("environment in a network, external", app(environment_=env(vnetConfiguration={"internal": False,
                                                "infrastructureSubnetId": SUBNET})), "yes", ""),
    ("environment off", app(environment_=env(publicNetworkAccess="Disabled")), "no", "disabled"),
    ("environment unread", app()[:1], "unknown", "not read"),
    ("one office", app(ipSecurityRestrictions=sources((OFFICE, "Allow"))), "no", OFFICE),
    ("an office denied", app(ipSecurityRestrictions=sources((OFFICE, "Deny"))), "yes", ""),
    ("everyone denied", app(ipSecurityRestrictions=sources(("0.0.0.0/0", "Deny"))), "no", "everyone"),
    ("both halves", app(ipSecurityRestrictions=sources(*((h, "Allow") for h in HALVES))), "yes", ""),
    ("a sign-in before it", [*app(), child(APP, "authConfigs", "current", platform={"enabled": True}, globalValidation={
        "unauthenticatedClientAction": "RedirectToLoginPage"})], "yes", "sign-in"),
    ("a sign-in that is off", [*app(), child(APP, "authConfigs", "current", platform={"enabled": False}, globalValidation={
        "unauthenticatedClientAction": "RedirectToLoginPage"})], "yes", "everyone"),
]  # fmt: skip


def group(kind: str = "Public", ports: tuple[int, ...] = (80,), **more: Any) -> list[Row]:
    return [
        simple(
            ACI,
            ipAddress={"type": kind, "ip": "20.9.9.9", "ports": [{"port": p} for p in ports]},
            **more,
        )
    ]


def state(word: str) -> Row:
    return {"instanceView": {"state": word}}


ACI_FLIPS: Flips = [
    ("open", group(), "yes", "20.9.9.9"),
    ("private", group("Private"), "no", "no public"),
    ("private in small letters", group("private"), "no", "no public"),
    ("no address", [simple(ACI)], "no", "no public"),
    ("in a network", group(subnetIds=[{"id": SUBNET}]), "no", "virtual network"),
    ("stopped", group(**state("Stopped")), "no", "stopped"),
    ("done", group(**state("Succeeded")), "no", "succeeded"),
    ("failed", group(**state("Failed")), "no", "failed"),
    ("running", group(**state("Running")), "yes", ""),
    ("several ports", group(ports=(80, 8443)), "yes", "8443"),
    ("a name", [simple(ACI, ipAddress={"type": "Public", "fqdn": "g.westeurope.azurecontainer.io", "ports": [{"port": 80}]})],
     "yes", "azurecontainer"),
    ("a name inside", [simple(ACI, ipAddress={"type": "Private", "fqdn": "g.westeurope.azurecontainer.io"})], "no", "no public"),
]  # fmt: skip
APIM = services.APIM


def apis(*rules: Row, **more: Any) -> list[Row]:
    made = simple(APIM, gatewayUrl="https://a.azure-api.net", **more)
    if not rules:
        return [made]
    return [made, azure.vnet("g"), nsg("g", *rules)]


IN_NETWORK: Row = {
    "virtualNetworkType": "External",
    "virtualNetworkConfiguration": {"subnetResourceId": SUBNET},
}
MANAGED = rule("manage", 100, source="ApiManagement", port="3443")
APIM_FLIPS: Flips = [
    *switch(APIM, told="answers everyone"),
    ("no network", apis(virtualNetworkType="None"), "yes", "azure-api"),
    ("internal network", apis(virtualNetworkType="Internal"), "no", "virtual network"),
    ("internal in small letters", apis(virtualNetworkType="internal"), "no", "virtual network"),
    ("external network", apis(rule(), MANAGED, **IN_NETWORK), "yes", ""),
    ("external network, group for an office", apis(rule(source=OFFICE), MANAGED, **IN_NETWORK), "no", "port 443"),
    ("external network, group for management only", apis(MANAGED, **IN_NETWORK), "no", "port 443"),
    ("external network, denied before", apis(rule(), rule("deny", 90, "Deny"), **IN_NETWORK), "no", "port 443"),
    ("gateway off", apis(disableGateway=True), "no", "switched off"),
    ("gateway off in one of two regions", apis(disableGateway=True, additionalLocations=[{"location": "x"}]), "yes", ""),
    ("gateway off everywhere", apis(disableGateway=True, additionalLocations=[{"disableGateway": True}]), "no", "every region"),
]  # fmt: skip
STATIC = f"{RG}/providers/Microsoft.Web/staticSites/s"


def kept(mode: str, secret: str = "Password", **site: Any) -> list[Row]:
    """A static site with a password before some of its environments."""
    return [simple(STATIC, defaultHostname="s.azurestaticapps.net", **site), child(
        STATIC, "basicAuth", "default", applicableEnvironmentsMode=mode, secretState=secret)]  # fmt: skip


def preview(status_: str = "Ready") -> Row:
    return child(STATIC, "builds", "7", hostname="s-7.azurestaticapps.net", status=status_)


STATIC_FLIPS: Flips = [
    *one_switch(STATIC, beside="no"),
    ("a password for all", kept("AllEnvironments"), "yes", "asks for a password"),
    ("a password for previews", kept("StagingEnvironments"), "yes", "-password"),
    ("a password that was never set", kept("AllEnvironments", "None"), "yes", "-password"),
    ("a password, and switched off", kept("AllEnvironments", publicNetworkAccess="Disabled"), "no", "disabled"),
    ("a preview", [simple(STATIC), preview()], "yes", "1 previews"),
    ("a preview that failed", [simple(STATIC), preview("Failed")], "yes", "-preview"),
    ("a preview behind a password", [*kept("StagingEnvironments"), preview()], "yes", "-preview"),
    ("a preview where there are none", [simple(STATIC, stagingEnvironmentPolicy="Disabled"), preview()], "yes", "-preview"),
]  # fmt: skip


def profile(**more: Any) -> list[Row]:
    return [azure.aks(**more)]


def cluster(**more: Any) -> list[Row]:
    return [row("Microsoft.ContainerService/managedClusters", "k", {"fqdn": "k.azmk8s.io", **more})]


AKS_FLIPS: Flips = [
    ("open", profile(), "yes", "API server"),
    ("no profile at all", cluster(), "yes", "API server"),
    ("private", profile(enablePrivateCluster=True), "no", "private"),
    ("private, with a public name", profile(enablePrivateCluster=True, enablePrivateClusterPublicFQDN=True), "no", "private"),
    ("in the network, not private", profile(enableVnetIntegration=True), "yes", ""),
    ("one office", profile(authorizedIPRanges=[OFFICE]), "no", OFFICE),
    ("an office and its own way out", profile(authorizedIPRanges=[OFFICE, "0.0.0.0/32"]), "no", OFFICE),
    ("everyone", profile(authorizedIPRanges=["0.0.0.0/0"]), "yes", ""),
    ("both halves", profile(authorizedIPRanges=list(HALVES)), "yes", ""),
    ("all of Azure", profile(authorizedIPRanges=["AzureCloud"]), "yes", "all of Azure"),
    ("no ranges", profile(authorizedIPRanges=[]), "yes", ""),
    ("stopped", cluster(powerState={"code": "Stopped"}), "no", "stopped"),
    ("running", cluster(powerState={"code": "Running"}), "yes", ""),
    ("network off", cluster(publicNetworkAccess="Disabled"), "no", "disabled"),
    ("no local accounts", cluster(disableLocalAccounts=True), "yes", ""),
]  # fmt: skip


# Networks

VMSS = f"{RG}/providers/Microsoft.Compute/virtualMachineScaleSets/set"
POOL = f"{NET}/loadBalancers/lb/backendAddressPools/p"
LB = f"{NET}/loadBalancers/lb"
FW = f"{NET}/azureFirewalls/fw"


def scale_set(*rules: Row, own: bool = True, sku: str = "Standard", guarded: bool = True, capacity: int = 2,
              subnet: list[Row] | None = None, **inner: Any) -> list[Row]:  # fmt: skip
    config: Row = {"subnet": {"id": SUBNET}, **inner}
    if own:
        config["publicIPAddressConfiguration"] = {
            "name": "p",
            **({"sku": {"name": sku}} if sku else {}),
        }
    nic: Row = {
        "name": "n",
        "properties": {"primary": True, "ipConfigurations": [{"name": "c", "properties": config}]},
    }
    if guarded:
        nic["properties"]["networkSecurityGroup"] = {"id": f"{NET}/networkSecurityGroups/g"}
    made = row("Microsoft.Compute/virtualMachineScaleSets", "set", {"virtualMachineProfile": {"networkProfile": {
        "networkInterfaceConfigurations": [nic]}}}, sku={"name": "Standard_D2s_v5", "capacity": capacity})  # fmt: skip
    rows = [made, azure.vnet("sub" if subnet is not None else ""), nsg("g", *rules)]
    return [*rows, nsg("sub", *subnet)] if subnet is not None else rows


def behind(*rules: Row, nat: bool = False, front: bool = True, **more: Any) -> list[Row]:
    """Machines of a set behind a balancer, by its pool or by a pool of NAT rules."""
    ids = {"loadBalancerInboundNatPools" if nat else "loadBalancerBackendAddressPools": [
        {"id": f"{LB}/inboundNatPools/n" if nat else POOL}]}  # fmt: skip
    balancer = services.lb(**more)[-1]
    if nat:
        rules_ = balancer["properties"].pop("loadBalancingRules")
        config = rules_[0]["properties"]
        balancer["properties"]["inboundNatPools"] = [{"id": f"{LB}/inboundNatPools/n", "properties": {
            **{k: v for k, v in config.items() if k in ("frontendIPConfiguration", "backendPort", "protocol")},
            "frontendPortRangeStart": 50000, "frontendPortRangeEnd": 50100}}]  # fmt: skip
    if not front:
        balancer["properties"]["frontendIPConfigurations"][0]["properties"] = {}
    return [*scale_set(*rules, own=False, **ids), address(), balancer]


VMSS_FLIPS: Flips = [
    ("own addresses", scale_set(rule()), "yes", "tcp 443"),
    ("one office", scale_set(rule(source=OFFICE)), "no", OFFICE),
    ("no rule", scale_set(), "no", "nobody"),
    ("denied before", scale_set(rule(), rule("deny", 90, "Deny")), "no", "deny"),
    ("the subnet admits, too", scale_set(rule(), subnet=[rule()]), "yes", ""),
    ("the subnet does not", scale_set(rule(), subnet=[rule(port="22")]), "no", ""),
    ("all of Azure", scale_set(rule(source="AzureCloud")), "yes", "Any Azure customer"),
    ("Standard, no group", scale_set(rule(), guarded=False), "no", "Standard"),
    ("Basic, no group", scale_set(rule(), guarded=False, sku="Basic"), "yes", ""),
    ("SKU unread, no group", scale_set(rule(), guarded=False, sku=""), "unknown", "SKU"),
    ("no machines", scale_set(rule(), capacity=0), "no", "no machines"),
    ("no addresses", scale_set(rule(), own=False), "no", "no public"),
    ("group unread", scale_set(rule())[:2], "unknown", "not read"),
    ("model unread", [row("Microsoft.Compute/virtualMachineScaleSets", "set", {})], "unknown", "not read"),
    ("behind a balancer", behind(rule()), "yes", "lb"),
    ("behind a balancer, another port", behind(rule(), backend=8080), "no", "8080"),
    ("behind a private balancer", behind(rule(), front=False), "no", "no public"),
    ("behind a pool of NAT rules", behind(rule(), nat=True), "yes", "lb"),
    ("behind a pool of NAT rules, group closed", behind(rule(source=OFFICE), nat=True), "no", OFFICE),
]  # fmt: skip


def front(**properties: Any) -> list[Row]:
    """A balancer with a public and a private front."""
    fronts = [{"id": f"{LB}/frontendIPConfigurations/out", "properties": {"publicIPAddress": {"id": f"{NET}/publicIPAddresses/ip"}}},
              {"id": f"{LB}/frontendIPConfigurations/in", "properties": {"privateIPAddress": "10.0.0.9"}}]  # fmt: skip
    return [
        row(
            "Microsoft.Network/loadBalancers",
            "lb",
            {"frontendIPConfigurations": fronts, **properties},
        ),
        address(),
    ]


def uses(name: str = "out", **more: Any) -> list[Row]:
    return [{"properties": {"frontendIPConfiguration": {"id": f"{LB}/frontendIPConfigurations/{name}"},
                            "frontendPort": 443, "backendPort": 443, "protocol": "Tcp", **more}}]  # fmt: skip


PREFIX = front(loadBalancingRules=uses())
PREFIX[0]["properties"]["frontendIPConfigurations"][0]["properties"] = {
    "publicIPPrefix": {"id": f"{NET}/publicIPPrefixes/pre"}
}
LB_FLIPS: Flips = [
    ("open", front(loadBalancingRules=uses()), "yes", "20.1.2.3"),
    ("rule on the private front", front(loadBalancingRules=uses("in")), "no", "no rule"),
    ("no rules", front(loadBalancingRules=[]), "no", "no rule"),
    ("rules unread", front(), "unknown", "not read"),
    ("rule for traffic out only", front(outboundRules=uses()), "no", "no rule"),
    ("rule for traffic out beside none", front(loadBalancingRules=[], outboundRules=uses()), "no", "no rule"),
    ("NAT rule", front(loadBalancingRules=[], inboundNatRules=uses()), "yes", ""),
    ("NAT rule on the private front", front(inboundNatRules=uses("in")), "no", "no rule"),
    ("pool of NAT rules", front(inboundNatPools=uses(frontendPort=None, frontendPortRangeStart=50000)), "yes", "50000"),
    ("two rules, one on the public front", front(loadBalancingRules=[*uses("in"), *uses()]), "yes", ""),
    ("private fronts only", [{**front(loadBalancingRules=uses("in"))[0], "properties": {
        "frontendIPConfigurations": [{"id": f"{LB}/frontendIPConfigurations/in", "properties": {"privateIPAddress": "10.0.0.9"}}],
        "loadBalancingRules": uses("in")}}], "no", "private fronts"),
    ("address unread", front(loadBalancingRules=uses())[:1], "yes", "ip"),
    ("a prefix of addresses", PREFIX, "yes", "pre"),
]  # fmt: skip


def waf(
    *rules: Row, mode: str = "Prevention", enabled: str = "Enabled", whole: bool = True
) -> list[Row]:
    """A gateway with a firewall policy of custom rules."""
    uid = f"{NET}/ApplicationGatewayWebApplicationFirewallPolicies/w"
    rows = services.gateway(group=[rule()])
    inner = (
        rows[-1]["properties"]
        if whole
        else rows[-1]["properties"]["httpListeners"][0]["properties"]
    )
    inner["firewallPolicy"] = {"id": uid}
    return [*rows, {"id": uid, "name": "w", "type": "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies",
                    "properties": {"policySettings": {"state": enabled, "mode": mode}, "customRules": list(rules)}}]  # fmt: skip


def custom(action: str, *ranges: str, negated: bool = False, priority: int = 1, variable: str = "RemoteAddr",
           operator: str = "IPMatch", state: str = "Enabled", **more: Any) -> Row:  # fmt: skip
    return {"name": action, "priority": priority, "ruleType": "MatchRule", "action": action, "state": state, "matchConditions": [{
        "matchVariables": [{"variableName": variable}], "operator": operator, "negationConditon": negated,
        "matchValues": list(ranges)}], **more}  # fmt: skip


def with_office(row: Row) -> Row:
    """A rule that asks for an address of the office besides."""
    return {
        **row,
        "matchConditions": [*row["matchConditions"], *custom("Allow", OFFICE)["matchConditions"]],
    }


ONLY_OFFICE = custom("Block", OFFICE, negated=True)
GW_FLIPS: Flips = [
    ("open", services.gateway(), "yes", "20.1.2.3"),
    ("private front", services.gateway(front=False), "no", "private fronts"),
    ("listener inside", services.gateway(listener="inside"), "no", "no listener"),
    ("stopped", services.gateway(state="Stopped"), "no", "stopped"),
    ("its group admits", services.gateway(group=[rule()]), "yes", ""),
    ("its group admits nobody", services.gateway(group=[]), "no", "group of its subnet"),
    ("its group admits an office", services.gateway(group=[rule(source=OFFICE)]), "no", OFFICE),
    ("its group admits its managers", services.gateway(group=[rule(source="GatewayManager", port="65200-65535")]), "no", "group"),
    ("its group admits another port", services.gateway(group=[rule(port="8443")]), "no", "group"),
    ("its group denies before", services.gateway(group=[rule(), rule("deny", 90, "Deny")]), "no", "group"),
    ("its group unread", services.gateway(group=[rule()])[:4] + services.gateway(group=[rule()])[5:], "unknown", "not read"),
    ("a wall for all but an office", waf(ONLY_OFFICE), "no", OFFICE),
    ("a wall of one listener", waf(ONLY_OFFICE, whole=False), "no", OFFICE),
    ("a wall that only watches", waf(ONLY_OFFICE, mode="Detection"), "yes", ""),
    ("a wall that is off", waf(ONLY_OFFICE, enabled="Disabled"), "yes", ""),
    ("a wall whose rule is off", waf(custom("Block", OFFICE, negated=True, state="Disabled")), "yes", ""),
    ("a wall against an office", waf(custom("Block", OFFICE)), "yes", ""),
    ("an office allowed, then all blocked", waf(custom("Allow", OFFICE), custom("Block", "0.0.0.0/0", priority=2)), "no", OFFICE),
    ("all allowed before the block", waf(custom("Allow", "0.0.0.0/0"), custom("Block", "0.0.0.0/0", priority=2)), "yes", ""),
    ("a block of some requests", waf(custom("Block", "/admin", variable="RequestUri", operator="Contains")), "yes", ""),
    ("a wall that was not read", waf(ONLY_OFFICE)[:-1], "unknown", "not read"),
    ("a country allowed, then all blocked", waf(custom("Allow", "XX", operator="GeoMatch"), custom("Block", "0.0.0.0/0", priority=2)), "yes", ""),
    ("all but a country blocked", waf(custom("Block", "XX", operator="GeoMatch", negated=True)), "yes", ""),
    ("the office of a country", waf(with_office(custom("Allow", "XX", operator="GeoMatch")), custom("Block", "0.0.0.0/0", priority=2)), "no", OFFICE),
    ("all blocked but who sends a word", waf(custom("Block", "s3", variable="RequestHeaders", operator="Equal", negated=True)), "unknown", "RequestHeaders"),
    ("a word lets in, then all blocked", waf(custom("Allow", "s3", variable="RequestHeaders", operator="Equal"), custom("Block", "0.0.0.0/0", priority=2)),
     "unknown", "RequestHeaders"),
    ("limited in number", waf(custom("Block", "0.0.0.0/0", ruleType="RateLimitRule")), "yes", ""),
    ("all blocked in two halves", waf(custom("Block", *HALVES)), "no", "nobody"),
]  # fmt: skip


def grouped(*addresses: str, read: bool = True) -> list[Row]:
    """A firewall whose rule names a group of addresses."""
    uid = f"{NET}/ipGroups/g"
    rows = services.firewall()
    nat = rows[-1]["properties"]["natRuleCollections"][0]["properties"]["rules"][0]
    nat.pop("sourceAddresses")
    nat["sourceIpGroups"] = [uid]
    return (
        [*rows, row("Microsoft.Network/ipGroups", "g", {"ipAddresses": list(addresses)})]
        if read
        else rows
    )


HUB = services.firewall(public_address=False)
HUB[-1]["properties"]["hubIPAddresses"] = {"publicIPs": {"addresses": [{"address": "20.1.2.3"}]}}
NO_RULES = services.firewall()
NO_RULES[-1]["properties"]["natRuleCollections"] = []
BY_NAME = services.firewall(target="")
BY_NAME[-1]["properties"]["natRuleCollections"][0]["properties"]["rules"][0]["translatedFqdn"] = (
    "shop.internal"
)
FW_FLIPS: Flips = [
    ("open", services.firewall(), "yes", "10.0.0.4"),
    ("one office", services.firewall(sources=[OFFICE]), "no", "no rule"),
    ("both halves", services.firewall(sources=list(HALVES)), "yes", ""),
    ("a private range", services.firewall(sources=["10.0.0.0/8"]), "no", "no rule"),
    ("another address", services.firewall(here="20.9.9.9"), "no", "no rule"),
    ("no address of its own", services.firewall(public_address=False), "no", "no rule"),
    ("the address of a hub", HUB, "yes", "10.0.0.4"),
    ("no target", services.firewall(target=""), "no", "no rule"),
    ("a target by name", BY_NAME, "yes", "shop.internal"),
    ("no rules", NO_RULES, "no", "no rule"),
    ("a group of everyone", grouped(*HALVES), "yes", ""),
    ("a group of an office", grouped(OFFICE), "no", "no rule"),
    ("a group that was not read", grouped(read=False), "unknown", "not read"),
    ("by a policy", services.firewall(policy=True), "yes", ""),
    ("by a policy for an office", services.firewall(policy=True, sources=[OFFICE]), "no", "no rule"),
    ("rules of its policy unread", [r for r in services.firewall(policy=True) if "ruleCollection" not in r["type"]],
     "unknown", "not read"),
]  # fmt: skip
AFD = f"{RG}/providers/Microsoft.Cdn/profiles/fd/afdEndpoints/e"
CLASSIC = f"{NET}/frontDoors/fd"
DOOR_WAF = f"{NET}/FrontDoorWebApplicationFirewallPolicies/w"


def door(enabled: str = "Enabled", routes: tuple[str, ...] = (), wall: list[Row] | None = None, mode: str = "Prevention",
         elsewhere: bool = False, read: bool = True, on: str = "Enabled") -> list[Row]:  # fmt: skip
    rows: list[Row] = [{"id": AFD, "name": "e", "type": "Microsoft.Cdn/profiles/afdEndpoints",
                        "properties": {"enabledState": enabled, "hostName": "e.z01.azurefd.net"}}]  # fmt: skip
    rows += [{"id": f"{AFD}/routes/r{n}", "name": f"r{n}", "type": "Microsoft.Cdn/profiles/afdEndpoints/routes",
              "properties": {"enabledState": s}} for n, s in enumerate(routes)]  # fmt: skip
    if wall is not None:
        uid = AFD.rpartition("/afdEndpoints/")[0] + "/securityPolicies/s"
        target = AFD.replace("/e", "/other") if elsewhere else AFD
        rows.append({"id": uid, "name": "s", "type": "Microsoft.Cdn/profiles/securityPolicies", "properties": {"parameters": {
            "type": "WebApplicationFirewall", "wafPolicy": {"id": DOOR_WAF}, "associations": [
                {"domains": [{"id": target}], "patternsToMatch": ["/*"]}]}}})  # fmt: skip
        if read:
            rows.append(door_waf(wall, mode, on))
    return rows


def door_waf(rules: list[Row], mode: str, on: str = "Enabled") -> Row:
    return {"id": DOOR_WAF, "name": "w", "type": "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies", "properties": {
        "policySettings": {"enabledState": on, "mode": mode}, "customRules": {"rules": rules}}}  # fmt: skip


def door_rule(
    action: str, *ranges: str, negated: bool = False, priority: int = 1, state: str = "Enabled"
) -> Row:
    return {"name": action, "enabledState": state, "priority": priority, "ruleType": "MatchRule", "action": action, "matchConditions": [
        {"matchVariable": "SocketAddr", "operator": "IPMatch", "negateCondition": negated, "matchValue": list(ranges)}]}  # fmt: skip


DOMAIN = AFD.rpartition("/afdEndpoints/")[0] + "/customDomains/d"


def domained(rows: list[Row], guarded: str, own: bool = True) -> list[Row]:
    """Its route serves a domain as well, or only that; the wall is before `guarded`."""
    made = copy.deepcopy(rows)
    for one in made:
        if one["type"].endswith("/routes"):
            one["properties"] |= {
                "customDomains": [{"id": DOMAIN}],
                "linkToDefaultDomain": "Enabled" if own else "Disabled",
            }
        if one["type"].endswith("/securityPolicies"):
            one["properties"]["parameters"]["associations"][0]["domains"] = [{"id": guarded}]
    return made


DOOR_OFFICE = [door_rule("Block", OFFICE, negated=True)]
AFD_FLIPS: Flips = [
    ("open", door(), "yes", "azurefd"),
    ("disabled", door("Disabled"), "no", "disabled"),
    ("a route", door(routes=("Enabled",)), "yes", ""),
    ("its route is off", door(routes=("Disabled",)), "no", "routes"),
    ("one route of two", door(routes=("Disabled", "Enabled")), "yes", ""),
    ("a wall for all but an office", door(wall=DOOR_OFFICE), "no", OFFICE),
    ("a wall that only watches", door(wall=DOOR_OFFICE, mode="Detection"), "yes", ""),
    ("a wall that is off", door(wall=DOOR_OFFICE, on="Disabled"), "yes", ""),
    ("a wall whose rule is off", door(wall=[door_rule("Block", OFFICE, negated=True, state="Disabled")]), "yes", ""),
    ("a wall of another endpoint", door(wall=DOOR_OFFICE, elsewhere=True), "yes", ""),
    ("a wall against an office", door(wall=[door_rule("Block", OFFICE)]), "yes", ""),
    ("an office allowed, then all blocked", door(wall=[door_rule("Allow", OFFICE), door_rule("Block", "0.0.0.0/0", priority=2)]),
     "no", OFFICE),
    ("a rule that only logs", door(wall=[door_rule("Log", "0.0.0.0/0")]), "yes", ""),
    ("a wall that was not read", door(wall=DOOR_OFFICE, read=False), "unknown", "not read"),
    ("a domain besides, without the wall", domained(door(routes=("Enabled",), wall=DOOR_OFFICE), AFD), "yes", ""),
    ("the wall of its only domain", domained(door(routes=("Enabled",), wall=DOOR_OFFICE), DOMAIN, own=False), "no", OFFICE),
    ("the wall of a domain, its own name without", domained(door(routes=("Enabled",), wall=DOOR_OFFICE), DOMAIN), "yes", ""),
    ("sent elsewhere", door(wall=[door_rule("Redirect", "0.0.0.0/0")]), "no", "nobody"),
]  # fmt: skip


def classic(state: str = "Enabled", rules: tuple[str, ...] = ("Enabled",), walls: tuple[bool, ...] = (False,),
            mode: str = "Prevention", read: bool = True, wall: list[Row] | None = None, **more: Any) -> list[Row]:  # fmt: skip
    fronts = [{"properties": {"hostName": f"f{n}.azurefd.net", **({
        "webApplicationFirewallPolicyLink": {"id": DOOR_WAF}} if w else {})}} for n, w in enumerate(walls)]  # fmt: skip
    made = row("Microsoft.Network/frontDoors", "fd", {"enabledState": state, "frontendEndpoints": fronts, "routingRules": [
        {"properties": {"enabledState": s}} for s in rules], **more})  # fmt: skip
    return [made, *([door_waf(wall or DOOR_OFFICE, mode)] if read and any(walls) else [])]


CLASSIC_FLIPS: Flips = [
    ("open", classic(), "yes", "answers everyone"),
    ("disabled", classic("Disabled"), "no", "disabled"),
    ("its resource is off", classic(resourceState="Disabled"), "no", "disabled"),
    ("its rule is off", classic(rules=("Disabled",)), "no", "routes"),
    ("one rule of two", classic(rules=("Disabled", "Enabled")), "yes", ""),
    ("a wall for all but an office", classic(walls=(True,)), "no", OFFICE),
    ("a wall at one of two fronts", classic(walls=(True, False)), "yes", ""),
    ("a wall at both fronts", classic(walls=(True, True)), "no", OFFICE),
    ("a wall that only watches", classic(walls=(True,), mode="Detection"), "yes", ""),
    ("a wall against an office", classic(walls=(True,), wall=[door_rule("Block", OFFICE)]), "yes", ""),
    ("an office allowed, then all blocked", classic(walls=(True,), wall=[
        door_rule("Allow", OFFICE), door_rule("Block", *HALVES, priority=2)]), "no", OFFICE),
    ("a wall that was not read", classic(walls=(True,), read=False), "unknown", "not read"),
]  # fmt: skip
GROUP = f"{NET}/networkSecurityGroups/g"
NSG_FLIPS: Flips = [
    ("open", [nsg("g", rule())], "yes", "tcp 443"),
    ("one office", [nsg("g", rule(source=OFFICE))], "no", "no rule"),
    ("service tag", [nsg("g", rule(source="Internet"))], "yes", ""),
    ("as a range", [nsg("g", rule(source="0.0.0.0/0"))], "yes", ""),
    ("both halves", [nsg("g", rule(source=None, sourceAddressPrefixes=list(HALVES)))], "yes", ""),
    ("halves in two rules", [nsg("g", rule("a", 100, source=HALVES[0]), rule("b", 101, source=HALVES[1]))], "yes", ""),
    ("IPv6", [nsg("g", rule(source="::/0"))], "yes", ""),
    ("UDP", [nsg("g", rule(protocol="Udp"))], "yes", "udp 443"),
    ("ping", [nsg("g", rule(protocol="Icmp"))], "no", "no rule"),
    ("traffic out", [nsg("g", rule(direction="Outbound"))], "no", "no rule"),
    ("denied before", [nsg("g", rule(), rule("deny", 90, "Deny"))], "no", "no rule"),
    ("denied after", [nsg("g", rule(), rule("deny", 110, "Deny"))], "yes", ""),
    ("another protocol denied before", [nsg("g", rule(), rule("deny", 90, "Deny", protocol="Udp"))], "yes", ""),
    ("some ports denied before", [nsg("g", rule(port="80-90"), rule("deny", 90, "Deny", port="80-89"))], "yes", "tcp 90"),
    ("the network", [nsg("g", rule(source="VirtualNetwork"))], "no", "no rule"),
    ("a service", [nsg("g", rule(source="AzureFrontDoor.Backend"))], "no", "no rule"),
    ("all of Azure", [nsg("g", rule(source="AzureCloud"))], "yes", ""),
    ("no rules", [nsg("g")], "no", "no rule"),
    ("rules unread", [row("Microsoft.Network/networkSecurityGroups", "g", {})], "unknown", "not read"),
]  # fmt: skip


def exported(kind: str) -> tuple[str, Flips]:
    uid = named("Compute", kind)

    def made(state_: str = "ActiveSAS", policy: str | None = "AllowAll", **more: Any) -> list[Row]:
        return [simple(uid, diskState=state_, networkAccessPolicy=policy, **more)]

    return uid, [
        ("a link, any network", made(), "yes", "link"),
        ("no link", made("Unattached"), "no", "no link"),
        ("attached", made("Attached"), "no", "no link"),
        ("a link to what is attached", made("ActiveSASFrozen"), "yes", "link"),
        ("exports denied", made(policy="DenyAll"), "no", "closed"),
        ("exports by private links", made(policy="AllowPrivate"), "no", "closed"),
        ("network off", made(publicNetworkAccess="Disabled"), "no", "closed"),
        ("links with a sign-in", made(dataAccessAuthMode="AzureActiveDirectory"), "no", "sign-in"),
        ("links without a sign-in", made(dataAccessAuthMode="None"), "yes", "link"),
        ("nothing said of networks", made(policy=None), "yes", "link"),
        ("denied in small letters", made(policy="denyall"), "no", "closed"),
        ("reserved", made("Reserved"), "no", "no link"),
    ]  # fmt: skip


DISKS, SNAPSHOTS = exported("disks"), exported("snapshots")
GALLERY = services.GALLERY
IMAGE = f"{GALLERY}/images/golden"


def gallery(shared: str = "", **more: Any) -> Row:
    return simple(
        GALLERY, **({"sharingProfile": {"permissions": shared, **more}} if shared else {})
    )


GALLERY_FLIPS: Flips = [
    ("of the community", [gallery("Community")], "yes", "community"),
    ("of the community, offered", [gallery("Community", communityGalleryInfo={"communityGalleryEnabled": True})], "yes", ""),
    ("of the community, not offered", [gallery("Community", communityGalleryInfo={"communityGalleryEnabled": False})],
     "no", "switched off"),
    ("in small letters", [gallery("community")], "yes", ""),
    ("for groups", [gallery("Groups", groups=[{"type": "AADTenants", "ids": ["x"]}])], "no", "named"),
    ("private", [gallery("Private")], "no", "private"),
    ("nothing said", [gallery()], "no", "private"),
    ("of the community, under a public name", [gallery("Community", communityGalleryInfo={
        "communityGalleryEnabled": True, "publicNames": ["acme-1f2e"]})], "yes", "acme-1f2e"),
    ("private, with what the community once had", [gallery("Private", communityGalleryInfo={"communityGalleryEnabled": True})],
     "no", "private"),
    ("for a subscription", [gallery("Groups", groups=[{"type": "Subscriptions", "ids": ["s-1", "s-2"]}])], "no", "s-2"),
    ("for groups of which there are none", [gallery("Groups", groups=[])], "no", "none"),
    ("of the community, being deleted", [simple(GALLERY, provisioningState="Deleting", sharingProfile={
        "permissions": "Community"})], "no", "deleting"),
    ("of the community, its last change failed", [simple(GALLERY, provisioningState="Failed", sharingProfile={
        "permissions": "Community"})], "yes", "community"),
]  # fmt: skip
IN_GALLERY = {
    "id": IMAGE,
    "name": "golden",
    "type": "Microsoft.Compute/galleries/images",
    "properties": {},
}
SEARCH = services.SEARCH
REQUESTS = ["ClientConnection", "ServerConnection", "RESTAPI", "Trace"]


def signals(kind: str) -> tuple[str, Flips]:
    uid = named("SignalRService", kind)

    def made(default: str, rules: list[Row] | None = None, **public_: Any) -> list[Row]:
        acls: Row = {"defaultAction": default, "publicNetwork": public_, "privateEndpoints": []}
        if rules is not None:
            acls["ipRules"] = rules
        return [simple(uid, publicNetworkAccess="Enabled", networkACLs=acls)]

    one, everyone_ = (
        [{"value": OFFICE, "action": "Allow"}],
        [{"value": "0.0.0.0/0", "action": "Allow"}],
    )
    return uid, [
        *switch(uid),
        ("denied by default, nothing allowed", made("Deny", allow=[]), "no", "no requests"),
        ("denied by default, clients allowed", made("Deny", allow=["ClientConnection"]), "yes", ""),
        ("allowed by default, all denied", made("Allow", deny=REQUESTS), "no", "no requests"),
        ("allowed by default, some denied", made("Allow", deny=["RESTAPI"]), "yes", ""),
        ("one office", made("Deny", one, allow=REQUESTS), "no", OFFICE),
        ("everyone's addresses", made("Deny", everyone_, allow=REQUESTS), "yes", ""),
        ("denied before everyone's", made("Deny", [{"value": "0.0.0.0/0", "action": "Deny"}, *everyone_], allow=REQUESTS), "no", "nobody"),
    ]  # fmt: skip


HUB_UID = named("Devices", "IotHubs")


def filters(*rows: tuple[str, str]) -> list[Row]:
    return [
        simple(
            HUB_UID,
            ipFilterRules=[
                {"filterName": f"f{n}", "action": a, "ipMask": m} for n, (a, m) in enumerate(rows)
            ],
        )
    ]


IOT_FLIPS: Flips = [
    *switch(HUB_UID),
    ("all rejected", filters(("Reject", "0.0.0.0/0")), "no", "nobody"),
    ("an office, then all rejected", filters(("Accept", OFFICE), ("Reject", "0.0.0.0/0")), "no", OFFICE),
    ("all rejected, then an office", filters(("Reject", "0.0.0.0/0"), ("Accept", OFFICE)), "no", "nobody"),
    ("an office rejected", filters(("Reject", OFFICE)), "yes", ""),
    ("all accepted before", filters(("Accept", "0.0.0.0/0"), ("Reject", "0.0.0.0/0")), "yes", ""),
    ("rejected in halves", filters(*(("Reject", h) for h in HALVES)), "no", "nobody"),
    ("a set of rules for an office", [simple(HUB_UID, networkRuleSets={"defaultAction": "Deny", "ipRules": [{"ipMask": OFFICE}]})],
     "no", OFFICE),
    ("a set of rules that lets in", [simple(HUB_UID, networkRuleSets={"defaultAction": "Allow", "ipRules": []})], "yes", ""),
]  # fmt: skip
BATCH = named("Batch", "batchAccounts")
STORES = named("AppConfiguration", "configurationStores")


def access(**rules: Any) -> list[Row]:
    return [simple(BATCH, publicNetworkAccess="Enabled", networkProfile={"accountAccess": rules})]


BATCH_FLIPS: Flips = [
    *switch(BATCH),
    ("nobody by default", access(defaultAction="Deny"), "no", "named"),
    ("one office", access(defaultAction="Deny", ipRules=[{"value": OFFICE, "action": "Allow"}]), "no", OFFICE),
    ("both halves", access(defaultAction="Deny", ipRules=[{"value": h, "action": "Allow"} for h in HALVES]), "yes", ""),
    ("everyone by default", access(defaultAction="Allow"), "yes", ""),
    ("another endpoint's rules", [simple(BATCH, networkProfile={"nodeManagementAccess": {"defaultAction": "Deny"}})], "yes", ""),
    ("rules, and switched off", [simple(BATCH, publicNetworkAccess="Disabled", networkProfile={
        "accountAccess": {"defaultAction": "Allow"}})], "no", "disabled"),
]  # fmt: skip


def bus(space: str) -> tuple[str, Flips]:
    uid = named(space, "namespaces")
    office = {"defaultAction": "Deny", "ipRules": [{"ipMask": OFFICE, "action": "Allow"}]}

    def made(
        access_: str | None = "Enabled", *, rules: Row | None = None, tier: str = "Premium"
    ) -> list[Row]:
        base = simple(uid, **({"publicNetworkAccess": access_} if access_ else {})) | {
            "sku": {"name": tier, "tier": tier}
        }
        return [
            base,
            *([child(uid, "networkRuleSets", "default", **rules)] if rules is not None else []),
        ]

    return uid, [
        *switch(uid, none="unknown"),
        ("rules let in", made(rules={"defaultAction": "Allow"}), "yes", "sign-in"),
        ("an office", made(rules=office), "no", OFFICE),
        ("denied by default, no rule yet", made(rules={"defaultAction": "Deny", "ipRules": [], "virtualNetworkRules": []}), "yes", ""),
        ("denied by default, a network", made(rules={"defaultAction": "Deny", "virtualNetworkRules": [{"subnet": {"id": SUBNET}}]}),
         "no", "named"),
        ("both halves", made(rules={"defaultAction": "Deny", "ipRules": [{"ipMask": h} for h in HALVES]}), "yes", ""),
        ("switched off by its rules", made(rules={"publicNetworkAccess": "Disabled", "defaultAction": "Allow"}), "no", "disabled"),
        ("rules unread, Basic", made(None, tier="Basic"), "yes", ""),
        ("rules unread, Premium", made(None), "unknown", "not read"),
        ("rules kept inside", [simple(uid, networkRuleSet=office)], "no", OFFICE),
    ]  # fmt: skip


GITHUB = "https://token.actions.githubusercontent.com"
UAMI = f"{RG}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id"
ENTRA = "entra:99999999-aaaa-0000-0000-00000000000f"


def claims(value: str) -> Row:
    return {"claimsMatchingExpression": {"value": value, "languageVersion": 1}}


def sub(pattern: str, how: str = "matches") -> Row:
    return claims(f"claims['sub'] {how} '{pattern}'")


# (flip, credentials, answer, told)
CREDENTIALS: list[tuple[str, list[Row], str, str]] = [
    ("anybody's repository", [sub("repo:*")], "yes", "token.actions"),
    ("anybody's repository of a name", [sub("repo:*/shop:*")], "yes", ""),
    ("anybody's main branch", [sub("repo:*:ref:refs/heads/main")], "yes", ""),
    ("owners whose name begins so", [sub("repo:acme*")], "yes", ""),
    ("one owner", [sub("repo:acme/*")], "no", "repo:acme/*"),
    ("one repository", [{"subject": "repo:acme/shop:ref:refs/heads/main"}], "no", "acme/shop"),
    ("one repository, by an expression", [sub("repo:acme/shop:*")], "no", "acme/shop"),
    ("a star that is no pattern", [{"subject": "repo:*"}], "no", "repo:*"),
    ("a star that is no pattern, by an expression", [sub("repo:*", "eq")], "no", "repo:*"),
    ("anybody's repository that runs a workflow of one owner", [claims(
        "claims['sub'] matches 'repo:*' and claims['job_workflow_ref'] matches 'acme/flows/*'")], "no", "acme/flows"),
    ("anybody's repository that runs anybody's workflow", [claims(
        "claims['sub'] matches 'repo:*' and claims['job_workflow_ref'] matches '*/flows/*'")], "yes", ""),
    ("anybody at GitLab", [{"issuer": "https://gitlab.com", **sub("project_path:*")}], "yes", "gitlab.com"),
    ("one group at GitLab", [{"issuer": "https://gitlab.com", **sub("project_path:acme/*")}], "no", "acme"),
    ("anybody at HCP Terraform", [{"issuer": "https://app.terraform.io", **sub("organization:*")}], "yes", "terraform"),
    ("one organisation at HCP Terraform", [{"issuer": "https://app.terraform.io", **sub("organization:acme:*")}], "no", "acme"),
    ("one's own issuer", [{"issuer": "https://idp.acme.test", **sub("repo:*")}], "no", "owner's own"),
    ("a narrow one beside an open one", [{"subject": "repo:acme/shop:pull_request"}, sub("repo:*")], "yes", ""),
    ("an expression of another language", [claims("anything at all")], "unknown", "anything at all"),
]  # fmt: skip


def federations(*rows: Row) -> list[Row]:
    made = row(
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        "id",
        {"principalId": azure.SYSTEM, "clientId": azure.ANA},
    )
    return [made, *(child(UAMI, "federatedIdentityCredentials", f"f{n}", **{"issuer": GITHUB, "audiences": ["x"], **r})
                    for n, r in enumerate(rows))]  # fmt: skip


MANAGED_FLIPS: Flips = [(n, federations(*rows), v, t) for n, rows, v, t in CREDENTIALS]
KUSTO = named("Kusto", "clusters")
ML = named("MachineLearningServices", "workspaces")
VAULT, HSM, AI = azure.VAULT, named("KeyVault", "managedHSMs"), services.AI
FLIPS: dict[str, Flips] = defaultdict(list)


def _add(uid: str, flips: Flips) -> str:
    FLIPS[uid] += flips
    return uid


_UIDS: dict[str, str] = {}
for _uid, _flips in (
    (VM, [*azure.MACHINES, *services.MACHINES]), (VMSS, VMSS_FLIPS), (LB, LB_FLIPS), (GW, GW_FLIPS), (FW, FW_FLIPS),
    (AFD, AFD_FLIPS), (CLASSIC, CLASSIC_FLIPS), (GROUP, NSG_FLIPS), (STORE, STORE_FLIPS), (BLOBS, CONTAINER_FLIPS),
    (SITE, SITE_FLIPS), (SLOT, SLOT_FLIPS), (STATIC, STATIC_FLIPS),
    (APP, APP_FLIPS), (ACI, ACI_FLIPS), (APIM, APIM_FLIPS), (AKS, AKS_FLIPS), (MI, MI_FLIPS), (REDIS, REDIS_FLIPS),
    (COSMOS, COSMOS_FLIPS), DISKS, SNAPSHOTS, (GALLERY, GALLERY_FLIPS),
    (IMAGE, [*((n, [*r, IN_GALLERY], v, t) for n, r, v, t in GALLERY_FLIPS),
             ("gallery unread", [IN_GALLERY], "unknown", "not read"),
             ("image being deleted", [gallery("Community"), {**IN_GALLERY, "properties": {"osType": "Linux", "provisioningState": "Deleting"}}],
              "no", "deleting")]),
    (UAMI, MANAGED_FLIPS), *map(server, SERVERS), *map(signals, ("SignalR", "WebPubSub")), (HUB_UID, IOT_FLIPS), (BATCH, BATCH_FLIPS),
    *map(bus, ("ServiceBus", "EventHub", "Relay")),
    *((u, [*switch(u), *ruled(u)]) for u in (VAULT, HSM, AI)),
    (ACR, ruled(ACR, "networkRuleSet", anonymous=True)),
    (ACR, [("no anonymous pull", [simple(ACR, anonymousPullEnabled=False)], "no", "sign-in"),
           ("nothing said of anonymous pull", [simple(ACR)], "no", "sign-in"),
           ("anonymous, switched off", [simple(ACR, anonymousPullEnabled=True, publicNetworkAccess="Disabled")], "no", "disabled"),
           ("an administrator's user", [simple(ACR, adminUserEnabled=True)], "no", "sign-in")]),
    (SEARCH, [*switch(SEARCH), ("no ranges", [simple(SEARCH, networkRuleSet={"ipRules": []})], "yes", ""),
              ("one office", [simple(SEARCH, networkRuleSet={"ipRules": [{"value": OFFICE}]})], "no", OFFICE),
              ("two offices", [simple(SEARCH, networkRuleSet={"ipRules": [{"value": OFFICE}, {"value": "198.51.100.7"}]})], "no", "198.51"),
              ("both halves", [simple(SEARCH, networkRuleSet={"ipRules": [{"value": h} for h in HALVES]})], "yes", ""),
              ("trusted services", [simple(SEARCH, networkRuleSet={"ipRules": [{"value": OFFICE}], "bypass": "AzureServices"})], "no", OFFICE),
              ("no keys taken", [simple(SEARCH, disableLocalAuth=True)], "yes", "")]),
    *((u, plain(u, "inboundIpRules", dicts_="ipMask")) for u in (
        named("EventGrid", "topics"), named("EventGrid", "domains"), named("EventGrid", "namespaces"))),
    (KUSTO, [*plain(KUSTO, "allowedIpRangeList"), ("stopped", [simple(KUSTO, state="Stopped")], "no", "stopped")]),
    (ML, plain(ML, "ipAllowlist")),
    (STORES, one_switch(STORES, ("no keys taken", [simple(STORES, disableLocalAuth=True)], "yes", ""), beside="no")),
    (VAULT, walled(VAULT, lambda a: [simple(VAULT, publicNetworkAccess=a)])),
    (AI, walled(AI, lambda a: [simple(AI, publicNetworkAccess=a, networkAcls={"defaultAction": "Allow"})])),
    (SEARCH, walled(SEARCH, lambda a: [simple(SEARCH, publicNetworkAccess=a)])),
    (COSMOS, walled(COSMOS, lambda a: [services.cosmos(publicNetworkAccess=a)])),
    (SQL, walled(SQL, lambda a: [simple(SQL, publicNetworkAccess=a), child(
        SQL, "firewallRules", "r", startIpAddress=ALL[0], endIpAddress=ALL[1])])),
    (STORE, walled(STORE, lambda a: level("Blob", publicNetworkAccess=a))),
    (BLOBS, walled(STORE, lambda a: level("Blob", publicNetworkAccess=a))),
    (BLOBS, [("closed, in a perimeter that lets everyone in", [*level("None"), *perimeter(STORE, *HALVES)], "no", "off"),
             ("closed, left to a perimeter that nobody read", level("None", publicNetworkAccess="SecuredByPerimeter"), "no", "off")]),
):  # fmt: skip
    FLIPS[_uid] += _flips


def state(
    uid: str, word: str, *, key: str = "provisioningState", value: str = "no"
) -> tuple[str, list[Row], str, str]:
    said = word.lower() if value == "no" else ""
    return f"{key} is {word}", [simple(uid, publicNetworkAccess="Enabled", **{key: word})], value, said  # fmt: skip


DATABRICKS, FACTORY = named("Databricks", "workspaces"), named("DataFactory", "factories")
PURVIEW, AUTOMATION = named("Purview", "accounts"), named("Automation", "automationAccounts")
GRAFANA, RECOVERY = named("Dashboard", "grafana"), named("RecoveryServices", "vaults")
TWINS, CLUSTER = named("DigitalTwins", "digitalTwinsInstances"), named("Cache", "redisEnterprise")
HEALTH = f"{RG}/providers/Microsoft.HealthcareApis/workspaces/w"
FHIR = f"{HEALTH}/fhirservices/x"


def webhook(**properties: Any) -> list[Row]:
    made = {
        "isEnabled": True,
        "expiryTime": "2999-01-01T00:00:00+00:00",
        "runbook": {"name": "start"},
    }
    return [simple(AUTOMATION, publicNetworkAccess=True), child(AUTOMATION, "webhooks", "hook", **{**made, **properties})]  # fmt: skip


def redis_cluster(*databases: Row, **cluster: Any) -> list[Row]:
    return [simple(CLUSTER, publicNetworkAccess="Enabled", **cluster),
            *(child(CLUSTER, "databases", f"d{n}", **d) for n, d in enumerate(databases))]  # fmt: skip


def fhir(workspace: Row | None, **service: Any) -> list[Row]:
    made = {"id": FHIR, "name": "w/x", "type": "Microsoft.HealthcareApis/workspaces/fhirservices", "properties": {
        "authenticationConfiguration": {"authority": "https://login.test/t"}, **service}}  # fmt: skip
    return [made, *([row("Microsoft.HealthcareApis/workspaces", "w", {"provisioningState": "Succeeded", **workspace})]
                    if workspace is not None else [])]  # fmt: skip


FHIR_FLIPS: Flips = [
    ("open, its workspace too", fhir({"publicNetworkAccess": "Enabled"}, publicNetworkAccess="Enabled"), "yes", "sign-in"),
    ("nothing said", fhir({}), "yes", ""),
    ("workspace unread", fhir(None), "yes", ""),
    ("switched off", fhir({}, publicNetworkAccess="Disabled"), "no", "disabled"),
    ("switched off at its workspace", fhir({"publicNetworkAccess": "Disabled"}, publicNetworkAccess="Enabled"), "no", "workspace w"),
    ("switched off at its workspace in small letters", fhir({"publicNetworkAccess": "disabled"}), "no", "workspace w"),
    ("private endpoint of its workspace, and open", fhir({
        "publicNetworkAccess": "Enabled", "privateEndpointConnections": LINKED}), "yes", ""),
    ("private endpoint of its workspace, and switched off", fhir({
        "publicNetworkAccess": "Disabled", "privateEndpointConnections": LINKED}), "no", "workspace w"),
    ("private endpoint of its workspace, nothing said", fhir({"privateEndpointConnections": LINKED}), "unknown", "not said"),
    ("private endpoint of its workspace, open itself", fhir({"privateEndpointConnections": LINKED}, publicNetworkAccess="Enabled"),
     "yes", ""),
    ("private endpoint of its workspace that waits", fhir({"privateEndpointConnections": PENDING}), "yes", ""),
    ("suspended", fhir({}, publicNetworkAccess="Enabled", provisioningState="Suspended"), "no", "suspended"),
    ("deprovisioned", fhir({}, publicNetworkAccess="Enabled", provisioningState="Deprovisioned"), "no", "deprovisioned"),
    ("workspace being deleted", fhir({"provisioningState": "Deleting"}), "no", "deleting"),
    ("its last change failed", fhir({}, provisioningState="Failed"), "yes", ""),
]  # fmt: skip
for _uid, _flips in (
    (DATABRICKS, one_switch(
        DATABRICKS, state(DATABRICKS, "Deleted"),
        ("machines without public addresses", [simple(DATABRICKS, parameters={"enableNoPublicIp": {"value": True}})], "yes", ""),
        ("machines in a network of one's own", [simple(DATABRICKS, requiredNsgRules="NoAzureDatabricksRules", parameters={
            "customVirtualNetworkId": {"value": SUBNET}})], "yes", ""))),
    (FACTORY, one_switch(
        FACTORY, ("pipelines in a managed network", [simple(FACTORY), child(
            FACTORY, "managedVirtualNetworks", "default", preventDataExfiltration=True)], "yes", ""))),
    (PURVIEW, one_switch(
        PURVIEW, state(PURVIEW, "SoftDeleted"), state(PURVIEW, "SoftDeleting"),
        ("not specified", [simple(PURVIEW, publicNetworkAccess="NotSpecified")], "yes", ""),
        ("what it manages is switched off", [simple(PURVIEW, managedResourcesPublicNetworkAccess="Disabled")], "yes", ""),
        ("intake alone is switched off", [simple(PURVIEW, ingestionStorage={"publicNetworkAccess": "Disabled"})], "yes", ""))),
    (AUTOMATION, one_switch(
        AUTOMATION, state(AUTOMATION, "Suspended", key="state"), state(AUTOMATION, "Ok", key="state", value="yes"),
        ("no keys taken", [simple(AUTOMATION, disableLocalAuth=True)], "yes", ""),
        ("a webhook", webhook(), "yes", "webhook hook"),
        ("a webhook that is off", webhook(isEnabled=False), "yes", "-webhook"),
        ("a webhook that has ended", webhook(expiryTime="2020-01-01T00:00:00+00:00"), "yes", "-webhook"),
        ("a webhook, and switched off", [simple(AUTOMATION, publicNetworkAccess=False), webhook()[1]], "no", "disabled"))),
    (GRAFANA, one_switch(
        GRAFANA, state(GRAFANA, "Deleted"), ("keys of service accounts", [simple(GRAFANA, apiKey="Enabled")], "yes", ""))),
    (RECOVERY, one_switch(RECOVERY, ("private endpoints for backup only", [simple(
        RECOVERY, publicNetworkAccess="Enabled", privateEndpointStateForBackup="Enabled")], "yes", ""), beside="no")),
    (TWINS, one_switch(TWINS, state(TWINS, "Suspended"), state(TWINS, "Deleted"), state(TWINS, "Moving", value="yes"))),
    (CLUSTER, one_switch(
        CLUSTER, state(CLUSTER, "Disabled", key="resourceState"), state(CLUSTER, "CreateFailed", key="resourceState"),
        state(CLUSTER, "UpdateFailed", key="resourceState", value="yes"),
        ("a database at a port of its own", redis_cluster({"port": 10007}), "yes", "10007"),
        ("a database that talks in the clear", redis_cluster({"clientProtocol": "Plaintext"}), "yes", "in the clear"),
        ("a database that takes keys", redis_cluster({"accessKeysAuthentication": "Enabled"}), "yes", "a key or"),
        ("a database that takes none", redis_cluster({"accessKeysAuthentication": "Disabled"}), "yes", "-a key"),
        ("its database is disabled", redis_cluster({"resourceState": "Disabled"}), "no", "databases are disabled"),
        ("one database of two is disabled", redis_cluster({"resourceState": "Disabled"}, {"port": 10000}), "yes", ""),
        beside="unknown")),
    (FHIR, FHIR_FLIPS),
):  # fmt: skip
    FLIPS[_uid] += _flips
ROWS = [(uid, *flip) for uid, flips in FLIPS.items() for flip in flips]


@pytest.mark.parametrize(("uid", "rows", "value", "told"), [(u, r, v, t) for u, _, r, v, t in ROWS],
                         ids=[f"{type_of(u)[16:]}: {n}" for u, n, *_ in ROWS])  # fmt: skip
def test_one_condition_flipped(uid: str, rows: list[Row], value: str, told: str) -> None:
    found = public(uid, *rows)
    holds(found, value, told)


def lifted(value: Any) -> Any:
    """As the command line prints it: `properties` at no level."""
    if isinstance(value, list):
        return [lifted(v) for v in value]
    if not isinstance(value, dict):
        return value
    out = {k: lifted(v) for k, v in value.items() if k != "properties"}
    inner = value.get("properties")
    for key, found in (inner if isinstance(inner, dict) else {}).items():
        out.setdefault(
            "typePropertiesType" if key == "type" and "type" in out else key, lifted(found)
        )
    return out


def shouted(value: Any) -> Any:
    """The same with ids in another case."""
    if isinstance(value, dict):
        return {k: shouted(v) for k, v in value.items()}
    if isinstance(value, list):
        return [shouted(v) for v in value]
    return (
        value.upper() if isinstance(value, str) and value.startswith("/subscriptions/") else value
    )


@pytest.mark.parametrize("spelling", [lifted, shouted])
def test_every_flip_in_another_spelling(spelling: Any) -> None:
    for uid, name, rows, value, _ in ROWS:
        # What has no properties is, without the word, a list that says nothing of it.
        if all(r.get("properties") for r in rows if r["id"].lower() == uid.lower()):
            made = estate_of(azure.records(*map(spelling, rows), form="array"))
            found = {s.resource: s for s in exposure(made)}[uid.lower()]
            assert found.value == value, (type_of(uid), name, found.evidence)


def test_every_type_has_twelve_flips() -> None:
    # What an application answers stands in the directory, below.
    twelve(
        ((type_of(uid), rows) for uid, _, rows, *_ in ROWS), set(CONTROLS) - {"entra_application"}
    )
    assert len(CREDENTIALS) >= 12


@pytest.mark.parametrize(
    ("rows", "value", "told"), [c[1:] for c in CREDENTIALS], ids=[c[0] for c in CREDENTIALS]
)
def test_credentials_of_an_application(rows: list[Row], value: str, told: str) -> None:
    """Inside the application as `$expand` shows them, and as a page of their own."""
    own = [
        {"id": f"f{n}", "name": f"f{n}", "issuer": GITHUB, "audiences": ["x"], **r}
        for n, r in enumerate(rows)
    ]
    base = {
        "id": ENTRA.removeprefix("entra:"),
        "appId": azure.ANA,
        "displayName": "ci",
        "signInAudience": "x",
    }
    page = azure.graph(f"applications('{base['id']}')/federatedIdentityCredentials", *own)
    for records in (
        azure.graph("applications", {**base, "federatedIdentityCredentials": own}),
        azure.graph("applications", base) + page,
    ):
        found = {s.resource: s for s in exposure(estate_of(records))}[ENTRA]
        assert found.value == value, found.evidence
        assert told in " ".join(e.text for e in found.evidence)


def test_an_application_whose_credentials_nobody_read_has_no_answer() -> None:
    base = {
        "id": ENTRA.removeprefix("entra:"),
        "appId": azure.ANA,
        "displayName": "ci",
        "signInAudience": "x",
    }
    assert not list(exposure(estate_of(azure.graph("applications", base))))
    none = list(
        exposure(
            estate_of(azure.graph("applications", {**base, "federatedIdentityCredentials": []}))
        )
    )
    assert [s.value for s in none] == ["no"]


def test_a_type_is_told_by_its_id() -> None:
    assert type_of(SQL) == "azure_microsoft_sql_servers" and type_of(BLOBS).endswith(
        "blobservices_containers"
    )
