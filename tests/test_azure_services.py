"""Azure: what stands before machines, and services; every condition flipped alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secinbox.estate import estate_of
from secinbox.inventory import azure as inventory
from secinbox.network.azure import exposure
from secinbox.reading import Report
from tests import test_azure as azure
from tests.test_azure import (
    ACI,
    ACR,
    AKS,
    APP,
    NET,
    OFFICE,
    RG,
    SITE,
    SQL,
    VAULT,
    VM,
    Row,
    address,
    fire,
    nic,
    nsg,
    public,
    row,
    rule,
    vm,
    vnet,
)  # fmt: skip

ALL = ("0.0.0.0", "255.255.255.255")


def lb(sku: str = "Standard", backend: int = 443, protocol: str = "Tcp", **more: Any) -> list[Row]:
    rows = azure.balanced(rule())
    config = rows[-1]["properties"]
    config["loadBalancingRules"][0]["properties"] |= {
        "backendPort": backend,
        "protocol": protocol,
        **more,
    }
    rows[-1]["sku"] = {"name": sku}
    return rows


def without_group(rows: list[Row]) -> list[Row]:
    pool = f"{NET}/loadBalancers/lb/backendAddressPools/p"
    bare = nic(False, group="", loadBalancerBackendAddressPools=[{"id": pool}])
    return [bare if r["name"] == "nic" else r for r in rows]


def by_address(rows: list[Row]) -> list[Row]:
    """The pool names the machine's address instead of its interface."""
    rows[-1]["properties"]["backendAddressPools"][0]["properties"] = {
        "loadBalancerBackendAddresses": [{"name": "a", "properties": {"ipAddress": "10.0.0.4"}}]}  # fmt: skip
    return [nic(False) if r["name"] == "nic" else r for r in rows]


GW = f"{NET}/applicationGateways/gw"


def gateway(*, front: bool = True, listener: str = "f", group: list[Row] | None = None, port: int = 8080,
            machine: list[Row] | None = None, state: str = "Running") -> list[Row]:  # fmt: skip
    """A gateway in a subnet of its own before a machine."""
    pool = {"id": f"{GW}/backendAddressPools/p", "properties": {"backendAddresses": [
        {"ipAddress": "10.0.0.4"}]}}  # fmt: skip
    fronts = [{"id": f"{GW}/frontendIPConfigurations/f", "properties": (
        {"publicIPAddress": {"id": f"{NET}/publicIPAddresses/ip"}} if front
        else {"privateIPAddress": "10.0.1.9"})},
        {"id": f"{GW}/frontendIPConfigurations/inside", "properties": {"privateIPAddress": "10.0.1.8"}}]  # fmt: skip
    properties = {
        "operationalState": state, "frontendIPConfigurations": fronts, "backendAddressPools": [pool],
        "gatewayIPConfigurations": [{"properties": {"subnet": {"id": f"{NET}/virtualNetworks/v/subnets/gw"}}}],
        "frontendPorts": [{"id": f"{GW}/frontendPorts/p", "properties": {"port": 443}}],
        "httpListeners": [{"id": f"{GW}/httpListeners/l", "properties": {
            "frontendIPConfiguration": {"id": f"{GW}/frontendIPConfigurations/{listener}"},
            "frontendPort": {"id": f"{GW}/frontendPorts/p"}}}],
        "backendHttpSettingsCollection": [{"id": f"{GW}/backendHttpSettingsCollection/s",
                                           "properties": {"port": port}}],
        "requestRoutingRules": [{"properties": {
            "httpListener": {"id": f"{GW}/httpListeners/l"},
            "backendAddressPool": {"id": f"{GW}/backendAddressPools/p"},
            "backendHttpSettings": {"id": f"{GW}/backendHttpSettingsCollection/s"}}}],
    }  # fmt: skip
    subnets: list[Row] = [{"id": f"{NET}/virtualNetworks/v/subnets/s", "properties": {"addressPrefix": "10.0.0.0/24"}},
               {"id": f"{NET}/virtualNetworks/v/subnets/gw", "properties": {"addressPrefix": "10.0.1.0/24"}}]  # fmt: skip
    more = []
    if group is not None:
        subnets[1]["properties"]["networkSecurityGroup"] = {
            "id": f"{NET}/networkSecurityGroups/gw-nsg"
        }
        more = [nsg("gw-nsg", *group)]
    return [vm(), nic(False), address(), nsg("nic-nsg", *(machine or [])), *more,
            row("Microsoft.Network/virtualNetworks", "v", {"subnets": subnets}),
            row("Microsoft.Network/applicationGateways", "gw", properties)]  # fmt: skip


DENY_NETWORK = rule("deny", 200, "Deny", source="VirtualNetwork", port="*", protocol="*")


def firewall(*, sources: list[str] | None = None, target: str = "10.0.0.4", machine: list[Row] | None = None,
             here: str = "20.1.2.3", policy: bool = False, public_address: bool = True) -> list[Row]:  # fmt: skip
    nat: Row = {"name": "web", "sourceAddresses": sources or ["*"], "destinationAddresses": [here],
                "destinationPorts": ["443"], "translatedAddress": target, "translatedPort": "443"}  # fmt: skip
    front: Row = {"subnet": {"id": f"{NET}/virtualNetworks/v/subnets/s"}}
    if public_address:
        front["publicIPAddress"] = {"id": f"{NET}/publicIPAddresses/ip"}
    properties: Row = {"ipConfigurations": [{"properties": front}]}
    more = []
    if policy:
        properties["firewallPolicy"] = {"id": f"{NET}/firewallPolicies/p"}
        more = [{"id": f"{NET}/firewallPolicies/p/ruleCollectionGroups/g", "name": "g",
                 "type": "Microsoft.Network/firewallPolicies/ruleCollectionGroups",
                 "properties": {"ruleCollections": [{
                     "ruleCollectionType": "FirewallPolicyNatRuleCollection",
                     "rules": [{**nat, "ruleType": "NatRule", "ipProtocols": ["TCP"]}]}]}}]  # fmt: skip
    else:
        properties["natRuleCollections"] = [
            {"properties": {"rules": [{**nat, "protocols": ["TCP"]}]}}
        ]
    return [vm(), nic(False), address(), vnet(), nsg("nic-nsg", *(machine or [])), *more,
            row("Microsoft.Network/azureFirewalls", "fw", properties)]  # fmt: skip


def admin_rule(access: str, member: str = "v") -> list[Row]:
    manager = f"{NET}/networkManagers/m"
    rules = f"{manager}/securityAdminConfigurations/c/ruleCollections/r"
    kind = "Microsoft.Network/networkManagers"
    return [
        {"id": f"{manager}/networkGroups/g/staticMembers/a", "name": "a",
         "type": f"{kind}/networkGroups/staticMembers",
         "properties": {"resourceId": f"{NET}/virtualNetworks/{member}"}},
        {"id": rules, "name": "r", "type": f"{kind}/securityAdminConfigurations/ruleCollections",
         "properties": {"appliesToGroups": [{"networkGroupId": f"{manager}/networkGroups/g"}]}},
        {"id": f"{rules}/rules/x", "name": "no-web",
         "type": f"{kind}/securityAdminConfigurations/ruleCollections/rules",
         "properties": {"access": access, "direction": "Inbound", "priority": 1, "protocol": "Tcp",
                        "sources": [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}],
                        "destinationPortRanges": ["443"]}},
    ]  # fmt: skip


SIX = {**address(), "properties": {"ipAddress": "2603::1", "publicIPAddressVersion": "IPv6"}}
MACHINES: list[tuple[str, list[Row], str, str]] = [
    ("balancer, port admitted", lb(), "yes", "tcp 443"),
    ("balancer, another port", lb(backend=8080), "no", "8080"),
    ("balancer, another protocol", lb(protocol="Udp"), "no", "443"),
    ("balancer, all ports", lb(backend=0, protocol="All"), "yes", "443"),
    ("balancer by address", by_address(lb()), "yes", "lb"),
    ("Standard balancer, no group", without_group(lb()), "no", "Standard"),
    ("Basic balancer, no group", without_group(lb("Basic")), "yes", "lb"),
    ("gateway", gateway(), "yes", "gw"),
    ("gateway, private front", gateway(front=False), "no", "no public"),
    ("gateway, listener inside", gateway(listener="inside"), "no", "no public"),
    ("gateway, stopped", gateway(state="Stopped"), "no", "no public"),
    ("gateway, its group closed", gateway(group=[]), "no", "no public"),
    ("gateway, its group open", gateway(group=[rule()]), "yes", "gw"),
    ("gateway, the machine's group closed", gateway(machine=[DENY_NETWORK]), "no", "do not admit gw"),
    ("gateway, the machine's group for it", gateway(machine=[
        rule("gw", 100, source="10.0.1.0/24", port="8080"), DENY_NETWORK]), "yes", "gw"),
    ("gateway, the machine's group for another port", gateway(machine=[
        rule("gw", 100, source="10.0.1.0/24", port="9090"), DENY_NETWORK]), "no", "do not admit"),
    ("firewall", firewall(), "yes", "fw"),
    ("firewall for an office", firewall(sources=[OFFICE]), "no", "no public"),
    ("firewall to another", firewall(target="10.0.0.99"), "no", "no public"),
    ("firewall, another address", firewall(here="20.9.9.9"), "no", "no public"),
    ("firewall without an address", firewall(public_address=False), "no", "no public"),
    ("firewall, group closed", firewall(machine=[DENY_NETWORK]), "no", "do not admit fw"),
    ("firewall policy", firewall(policy=True), "yes", "fw"),
    ("firewall policy for an office", firewall(policy=True, sources=[OFFICE]), "no", "no public"),
    ("all of Azure", azure.machine(rule(source="AzureCloud")), "yes", "Any Azure customer"),
    ("a region of Azure", azure.machine(rule(source="AzureCloud.westeurope")), "yes", "Any Azure customer"),
    ("a service of Azure", azure.machine(rule(source="AzureFrontDoor.Backend")), "no", "service tag azurefrontdoor"),
    ("the load balancer's probe", azure.machine(rule(source="AzureLoadBalancer")), "no", "nobody"),
    ("a group of machines", azure.machine(rule(source=None, sourceApplicationSecurityGroups=[
        {"id": f"{NET}/applicationSecurityGroups/a"}])), "no", "nobody"),
    ("IPv6 rule, IPv4 address", azure.machine(rule(source="::/0")), "no", "nobody"),
    ("IPv6 rule and address", [SIX if r["name"] == "ip" else r for r in azure.machine(
        rule(source="::/0"))], "yes", "2603"),
    ("a group that names its subnet", [{**r, "properties": {"securityRules": [], "subnets": [
        {"id": f"{NET}/virtualNetworks/v/subnets/s"}]}} if r["name"] == "subnet-nsg" else r for r in [
            *azure.machine(rule()), nsg("subnet-nsg")]], "no", "nobody"),
    ("administrators deny", [*azure.machine(rule()), *admin_rule("Deny")], "no", "no-web"),
    ("administrators deny elsewhere", [*azure.machine(rule()), *admin_rule("Deny", "other")], "yes", ""),
    ("administrators always allow", [*azure.machine(), *admin_rule("AlwaysAllow")], "yes", ""),
    ("administrators allow, group denies", [*azure.machine(), *admin_rule("Allow")], "no", ""),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "value", "told"), [c[1:] for c in MACHINES],
                         ids=[c[0] for c in MACHINES])  # fmt: skip
def test_machines_behind_fronts(rows: list[Row], value: str, told: str) -> None:
    found = public(VM, *rows)
    assert found.value == value, found.evidence
    assert told in " ".join(
        " ".join((e.text, e.ports, e.sources_allowed, *e.steps)) for e in found.evidence
    )


# Services

PG = f"{RG}/providers/Microsoft.DBforPostgreSQL/flexibleServers/pg"
COSMOS = f"{RG}/providers/Microsoft.DocumentDB/databaseAccounts/c"
REDIS = f"{RG}/providers/Microsoft.Cache/Redis/r"
BUS = f"{RG}/providers/Microsoft.ServiceBus/namespaces/b"
APIM = f"{RG}/providers/Microsoft.ApiManagement/service/a"
AI = f"{RG}/providers/Microsoft.CognitiveServices/accounts/ai"
SEARCH = f"{RG}/providers/Microsoft.Search/searchServices/s"
MI = f"{RG}/providers/Microsoft.Sql/managedInstances/m"
DISK = f"{RG}/providers/Microsoft.Compute/snapshots/d"
GALLERY = f"{RG}/providers/Microsoft.Compute/galleries/g"
ENV = f"{RG}/providers/Microsoft.App/managedEnvironments/e"
OPEN_SITE: Row = {
    "ipAddress": "Any",
    "action": "Allow",
    "priority": 2147483647,
    "name": "Allow all",
}
DENIED: Row = {"ipAddress": "Any", "action": "Deny", "priority": 2147483647, "name": "Deny all"}


def child(parent: str, word: str, name: str, **properties: Any) -> Row:
    """A resource below another."""
    space = parent.split("/providers/", 1)[1].split("/")
    return {"id": f"{parent}/{word}/{name}", "name": name, "type": f"{space[0]}/{space[1]}/{word}",
            "properties": properties}  # fmt: skip


def pg(**properties: Any) -> Row:
    return row("Microsoft.DBforPostgreSQL/flexibleServers", "pg", {
        "network": {"publicNetworkAccess": "Enabled"}, **properties})  # fmt: skip


def cosmos(*ranges: str, **properties: Any) -> Row:
    return row("Microsoft.DocumentDB/databaseAccounts", "c", {
        "ipRules": [{"ipAddressOrRange": r} for r in ranges], **properties})  # fmt: skip


def web(*rows: Row, **properties: Any) -> list[Row]:
    """A site whose restrictions are an answer of their own, as Resource Graph leaves them out."""
    site = row("Microsoft.Web/sites", "app", {"state": "Running", "defaultHostName": "app.azurewebsites.net",
                                              "siteConfig": {"ipSecurityRestrictions": None}})  # fmt: skip
    return [site, child(SITE, "config", "web", ipSecurityRestrictions=list(rows), **properties)]


def door(host: str = "app.azurewebsites.net", state: str = "Enabled") -> list[Row]:
    profile = f"{RG}/providers/Microsoft.Cdn/profiles/fd"
    return [row("Microsoft.Cdn/profiles", "fd", {}),
            {"id": f"{profile}/originGroups/g/origins/o", "name": "o",
             "type": "Microsoft.Cdn/profiles/originGroups/origins",
             "properties": {"hostName": host, "enabledState": state}}]  # fmt: skip


TAGGED: Row = {"ipAddress": "AzureFrontDoor.Backend", "tag": "ServiceTag", "action": "Allow",
          "priority": 100, "headers": {"x-azure-fdid": ["x"]}}  # fmt: skip


def app(environment: Row | None = None, **ingress: Any) -> list[Row]:
    made = row("Microsoft.App/containerApps", "c", {"managedEnvironmentId": ENV, "configuration": {
        "ingress": {"external": True, "fqdn": "c.x", **ingress}}})  # fmt: skip
    return [made, environment or row("Microsoft.App/managedEnvironments", "e", {})]


def acr(**properties: Any) -> Row:
    return row("Microsoft.ContainerRegistry/registries", "r", properties)


def simple(uid: str, **properties: Any) -> Row:
    space = uid.split("/providers/", 1)[1].split("/")
    return row(f"{space[0]}/{space[1]}", space[2], properties)


RULES = {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.4"}]}
SERVICES: list[tuple[str, str, list[Row], str, str]] = [
    ("flexible server", PG, [pg(), child(PG, "firewallRules", "a", startIpAddress=ALL[0], endIpAddress=ALL[1])], "yes", "0.0.0.0/0"),
    ("flexible server, all of Azure", PG, [pg(), child(PG, "firewallRules", "a", startIpAddress="0.0.0.0",
                                                     endIpAddress="0.0.0.0")], "yes", "Azure"),
    ("flexible server, office", PG, [pg(), child(PG, "firewallRules", "a", startIpAddress="203.0.113.1",
                                                 endIpAddress="203.0.113.9")], "no", "203.0.113"),
    ("flexible server, off", PG, [pg(network={"publicNetworkAccess": "Disabled"}), child(
        PG, "firewallRules", "a", startIpAddress=ALL[0], endIpAddress=ALL[1])], "no", "disabled"),
    ("flexible server, private", PG, [pg(network={"delegatedSubnetResourceId": f"{NET}/virtualNetworks/v/subnets/s"})],
     "no", "virtual network"),
    ("flexible server, unread", PG, [pg()], "unknown", "not read"),
    ("cosmos", COSMOS, [cosmos()], "yes", "key"),
    ("cosmos, off", COSMOS, [cosmos(publicNetworkAccess="Disabled")], "no", "disabled"),
    ("cosmos, office", COSMOS, [cosmos("203.0.113.4")], "no", "203.0.113.4"),
    ("cosmos, all of Azure", COSMOS, [cosmos("203.0.113.4", "0.0.0.0")], "yes", "any customer"),
    ("cosmos, all", COSMOS, [cosmos("0.0.0.0/1", "128.0.0.0/1")], "yes", ""),
    ("cosmos, networks", COSMOS, [cosmos(isVirtualNetworkFilterEnabled=True)], "no", "virtual networks"),
    ("cosmos, perimeter", COSMOS, [cosmos(publicNetworkAccess="SecuredByPerimeter")], "unknown", "not read"),
    ("redis", REDIS, [simple(REDIS)], "yes", "key"),
    ("redis, off", REDIS, [simple(REDIS, publicNetworkAccess="Disabled")], "no", "disabled"),
    ("redis, rules", REDIS, [simple(REDIS), child(REDIS, "firewallRules", "a", startIP="203.0.113.1",
                                                  endIP="203.0.113.9")], "no", "203.0.113"),
    ("redis, rules for all", REDIS, [simple(REDIS), child(REDIS, "firewallRules", "a", startIP=ALL[0],
                                                          endIP=ALL[1])], "yes", ""),
    ("redis inside", REDIS, [simple(REDIS, subnetId=f"{NET}/virtualNetworks/v/subnets/s")], "no", "virtual network"),
    ("bus", BUS, [simple(BUS, publicNetworkAccess="Enabled")], "yes", "sign-in"),
    ("bus, rules", BUS, [simple(BUS, publicNetworkAccess="Enabled"), child(
        BUS, "networkRuleSets", "default", defaultAction="Deny", ipRules=[{"ipMask": "203.0.113.4", "action": "Allow"}])],
     "no", "203.0.113.4"),
    ("bus, rules allow", BUS, [simple(BUS), child(BUS, "networkRuleSets", "default", defaultAction="Allow")], "yes", ""),
    ("bus, off by its rules", BUS, [simple(BUS), child(BUS, "networkRuleSets", "default",
                                                      publicNetworkAccess="Disabled")], "no", "disabled"),
    ("bus, unread", BUS, [simple(BUS)], "unknown", "not read"),
    ("APIs", APIM, [simple(APIM, gatewayUrl="https://a.azure-api.net")], "yes", "azure-api"),
    ("APIs, external network", APIM, [simple(APIM, virtualNetworkType="External")], "yes", ""),
    ("APIs, internal network", APIM, [simple(APIM, virtualNetworkType="Internal")], "no", "virtual network"),
    ("APIs, off", APIM, [simple(APIM, publicNetworkAccess="Disabled")], "no", "disabled"),
    ("AI", AI, [simple(AI, networkAcls={"defaultAction": "Allow"})], "yes", "sign-in"),
    ("AI, rules", AI, [simple(AI, networkAcls=RULES)], "no", "203.0.113.4"),
    ("AI, off", AI, [simple(AI, publicNetworkAccess="disabled")], "no", "disabled"),
    ("search", SEARCH, [simple(SEARCH, publicNetworkAccess="enabled", networkRuleSet={"ipRules": []})], "yes", ""),
    ("search, ranges", SEARCH, [simple(SEARCH, networkRuleSet={"ipRules": [{"value": "203.0.113.4"}]})],
     "no", "203.0.113.4"),
    ("vault, default allow", VAULT, [simple(VAULT, networkAcls={"defaultAction": "Allow"})], "yes", "sign-in"),
    ("vault, deny, nobody", VAULT, [simple(VAULT, networkAcls={"defaultAction": "Deny", "ipRules": []})], "no", "named"),
    ("vault, deny, halves", VAULT, [simple(VAULT, networkAcls={"defaultAction": "Deny", "ipRules": [
        {"value": "0.0.0.0/1"}, {"value": "128.0.0.0/1"}]})], "yes", ""),
    ("managed instance inside", MI, [simple(MI, publicDataEndpointEnabled=False)], "no", "no public"),
    ("managed instance", MI, [simple(MI, publicDataEndpointEnabled=True, subnetId=f"{NET}/virtualNetworks/v/subnets/s"),
                              vnet("g"), nsg("g", rule(port="3342"))], "yes", "3342"),
    ("managed instance, group closed", MI, [simple(MI, publicDataEndpointEnabled=True,
        subnetId=f"{NET}/virtualNetworks/v/subnets/s"), vnet("g"), nsg("g", rule(port="443"))], "no", "3342"),
    ("snapshot", DISK, [simple(DISK, networkAccessPolicy="AllowAll", diskState="Unattached")], "no", "no link"),
    ("snapshot with a link", DISK, [simple(DISK, networkAccessPolicy="AllowAll", diskState="ActiveSAS")], "yes", "link"),
    ("snapshot, closed", DISK, [simple(DISK, networkAccessPolicy="DenyAll", diskState="ActiveSAS")], "no", "closed"),
    ("gallery of the community", GALLERY, [simple(GALLERY, sharingProfile={"permissions": "Community"})], "yes", "community"),
    ("gallery for some", GALLERY, [simple(GALLERY, sharingProfile={"permissions": "Groups"})], "no", "named"),
    ("gallery", GALLERY, [simple(GALLERY)], "no", "private"),
    ("site, restrictions unread", SITE, [web()[0]], "unknown", "not read"),
    ("site, own answer without restrictions", SITE, [web()[0], child(SITE, "config", "web", alwaysOn=True)], "yes", ""),
    ("function with a key", SITE, [{**web()[0], "kind": "functionapp"}, web(OPEN_SITE)[1], child(SITE, "functions", "f", config={
        "bindings": [{"type": "httpTrigger", "authLevel": "function"}]})], "yes", "ask for a key"),
    ("function for anyone", SITE, [{**web()[0], "kind": "functionapp"}, web(OPEN_SITE)[1], child(SITE, "functions", "f", config={
        "bindings": [{"type": "httpTrigger", "authLevel": "anonymous"}]})], "yes", "f without any key"),
    ("site, own answer", SITE, web(OPEN_SITE), "yes", "azurewebsites"),
    ("site, own answer denies", SITE, web(DENIED), "no", "admit only"),
    ("site, office, then deny", SITE, web({"ipAddress": OFFICE, "action": "Allow", "priority": 1}, DENIED), "no", OFFICE),
    ("site, halves", SITE, web({"ipAddress": "0.0.0.0/1,128.0.0.0/1", "action": "Allow", "priority": 1}), "yes", ""),
    ("site, denied before allowed", SITE, web({"ipAddress": "Any", "action": "Deny", "priority": 1}, OPEN_SITE), "no", ""),
    ("site, an office denied, then all", SITE, web({"ipAddress": OFFICE, "action": "Deny", "priority": 1}, OPEN_SITE), "yes", ""),
    ("site, default deny", SITE, web(ipSecurityRestrictionsDefaultAction="Deny"), "no", ""),
    ("site for all of Azure", SITE, web({"ipAddress": "AzureCloud", "tag": "ServiceTag", "action": "Allow", "priority": 1}),
     "yes", "any customer"),
    ("site for a front door", SITE, web(TAGGED), "no", "azurefrontdoor"),
    ("site behind a front door", SITE, [*web(TAGGED), *door()], "yes", "front door"),
    ("site behind another's front door", SITE, [*web(TAGGED), *door("other.azurewebsites.net")], "no", ""),
    ("site behind a front door that is off", SITE, [*web(TAGGED), *door(state="Disabled")], "no", ""),
    ("site, SCM open", SITE, web(DENIED, scmIpSecurityRestrictions=[OPEN_SITE],
                                 scmIpSecurityRestrictionsUseMain=False), "no", "SCM"),
    ("site with a private endpoint, nothing said", SITE, [{**web(OPEN_SITE)[0], "properties": {
        **web()[0]["properties"], "privateEndpointConnections": [{"properties": {
            "privateLinkServiceConnectionState": {"status": "Approved"}}}]}}, web(OPEN_SITE)[1]], "no", "private endpoint"),
    ("site with a private endpoint, open", SITE, [{**web(OPEN_SITE)[0], "properties": {
        **web()[0]["properties"], "publicNetworkAccess": "Enabled", "privateEndpointConnections": [{}]}}, web(OPEN_SITE)[1]], "yes", ""),
    ("site with a sign-in", SITE, [*web(OPEN_SITE), child(SITE, "config", "authsettingsV2", platform={"enabled": True},
        globalValidation={"requireAuthentication": True, "unauthenticatedClientAction": "RedirectToLoginPage"})],
     "yes", "sign-in"),
    ("container app", APP, app(), "yes", "c.x"),
    ("container app, internal environment", APP, app(row("Microsoft.App/managedEnvironments", "e", {
        "vnetConfiguration": {"internal": True}})), "no", "internal"),
    ("container app, environment off", APP, app(row("Microsoft.App/managedEnvironments", "e", {
        "publicNetworkAccess": "Disabled"})), "no", "disabled"),
    ("container app, environment unread", APP, app()[:1], "unknown", "not read"),
    ("container app, office", APP, app(ipSecurityRestrictions=[{"ipAddressRange": OFFICE, "action": "Allow"}]), "no", OFFICE),
    ("container app, office denied", APP, app(ipSecurityRestrictions=[{"ipAddressRange": OFFICE, "action": "Deny"}]), "yes", ""),
    ("cluster, stopped", AKS, [row("Microsoft.ContainerService/managedClusters", "k", {
        "powerState": {"code": "Stopped"}})], "no", "stopped"),
    ("cluster, ranges in another spelling", AKS, [azure.aks(authorizedIpRanges=[OFFICE])], "no", OFFICE),
    ("registry, anonymous", ACR, [acr(anonymousPullEnabled=True)], "yes", "anonymous"),
    ("registry, anonymous, off", ACR, [acr(anonymousPullEnabled=True, publicNetworkAccess="Disabled")], "no", "disabled"),
    ("registry, anonymous, rules", ACR, [acr(anonymousPullEnabled=True, networkRuleSet=RULES)], "no", "203.0.113.4"),
    ("registry, sign-in", ACR, [acr(anonymousPullEnabled=False)], "no", "sign-in"),
    ("SQL, both halves", SQL, [azure.sql(), fire("0.0.0.0", "127.255.255.255"), {
        **fire("128.0.0.0", "255.255.255.255"), "id": f"{SQL}/firewallRules/two", "name": "two"}], "yes", ""),
    ("SQL, office and all of Azure", SQL, [azure.sql(), fire("203.0.113.1", "203.0.113.2"), {
        **fire("0.0.0.0", "0.0.0.0"), "id": f"{SQL}/firewallRules/two", "name": "two"}], "yes", "Azure"),
    ("container group in a network", ACI, [simple(ACI, ipAddress={"type": "Private", "ip": "10.0.0.9"})], "no", "no public"),
]  # fmt: skip


@pytest.mark.parametrize(("uid", "rows", "value", "told"), [c[1:] for c in SERVICES],
                         ids=[c[0] for c in SERVICES])  # fmt: skip
def test_services(uid: str, rows: list[Row], value: str, told: str) -> None:
    found = public(uid, *rows)
    assert found.value == value, found.evidence
    assert told in " ".join(e.text for e in found.evidence)
    assert all(e.kind == "control" for e in found.evidence) == (value == "no")


def test_any_customer_of_azure_is_told_apart_from_anyone() -> None:
    for rows in ([azure.sql(), fire("0.0.0.0", "0.0.0.0")],):
        assert public(SQL, *rows).evidence[0].steps[0] == "Any Azure customer"
    assert public(SQL, azure.sql(), fire(*ALL)).evidence[0].steps[0] == "Internet"


def test_the_spelling_of_keys_does_not_matter() -> None:
    """Older clients write `publicIpAddress`, Resource Graph writes ids in any case."""
    rows = lb()
    text = json.dumps({"data": rows})
    for old, new in (("publicIPAddress", "publicIpAddress"), ("privateIPAddress", "privateIpAddress"),
                     ("frontendIPConfiguration", "frontendIpConfiguration")):  # fmt: skip
        text = text.replace(old, new)
    made = estate_of(inventory.read(Report(text.encode())))
    assert {s.resource: s.value for s in exposure(made)}[VM.lower()] == "yes"
