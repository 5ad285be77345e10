"""Azure: answers read, who can reach what, who is powerful; each condition flipped alone."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from secinbox.connectors import recognise
from secinbox.estate import Estate, estate_of
from secinbox.iam.azure import TENANT, privilege
from secinbox.inventory import azure
from secinbox.network.azure import exposure
from secinbox.reading import Report, ReportError
from secinbox.records import Resource, RiskStatement

SUB = "/subscriptions/11111111-2222-3333-4444-555555555555"
RG = f"{SUB}/resourceGroups/shop"
NET = f"{RG}/providers/Microsoft.Network"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "inventory" / "azure"
Row = dict[str, Any]


def row(kind: str, name: str, properties: Row | None = None, **more: Any) -> Row:
    uid = f"{RG}/providers/{kind}/{name}"
    return {"id": uid, "name": name, "type": kind, "location": "westeurope",
            "properties": properties or {}, **more}  # fmt: skip


def records(*rows: Row, form: str = "data") -> list[Any]:
    listed = [*rows]
    if form == "flat":
        document: Any = [{**{k: v for k, v in r.items() if k != "properties"},
                          **r.get("properties", {})} for r in listed]  # fmt: skip
    elif form == "value":
        document = {"value": listed, "nextLink": None}
    elif form == "array":
        document = listed
    else:
        document = {"count": len(listed), "data": listed, "total_records": len(listed)}
    return list(azure.read(Report(json.dumps(document).encode(), name="graph.json")))


def estate(*rows: Row, form: str = "data") -> Estate:
    return estate_of(records(*rows, form=form))


def public(uid: str, *rows: Row) -> RiskStatement:
    return {s.resource: s for s in exposure(estate(*rows))}[uid.lower()]


def powers(*rows: Row) -> dict[str, RiskStatement]:
    return {s.resource: s for s in privilege(estate(*rows))}


# Machines

VM = f"{RG}/providers/Microsoft.Compute/virtualMachines/web"


def rule(name: str = "web", priority: int = 100, access: str = "Allow", source: Any = "*",
         port: str = "443", **more: Any) -> Row:  # fmt: skip
    return {"name": name, "properties": {
        "priority": priority, "access": access, "direction": "Inbound", "protocol": "Tcp",
        "sourceAddressPrefix": source, "sourcePortRange": "*", "destinationAddressPrefix": "*",
        "destinationPortRange": port, **more}}  # fmt: skip


def nsg(name: str, *rules: Row) -> Row:
    return row("Microsoft.Network/networkSecurityGroups", name, {"securityRules": list(rules)})


def vm(**more: Any) -> Row:
    return row("Microsoft.Compute/virtualMachines", "web", {
        "networkProfile": {"networkInterfaces": [{"id": f"{NET}/networkInterfaces/nic"}]}, **more},
        identity={"type": "SystemAssigned", "principalId": "aaaaaaaa-0000-0000-0000-000000000001"})  # fmt: skip


def nic(public_address: bool = True, group: str = "nic-nsg", **config: Any) -> Row:
    inner: Row = {"privateIPAddress": "10.0.0.4", "subnet": {
        "id": f"{NET}/virtualNetworks/v/subnets/s"}, **config}  # fmt: skip
    if public_address:
        inner["publicIPAddress"] = {"id": f"{NET}/publicIPAddresses/ip"}
    properties: Row = {"ipConfigurations": [{
        "id": f"{NET}/networkInterfaces/nic/ipConfigurations/c", "name": "c", "properties": inner}]}  # fmt: skip
    if group:
        properties["networkSecurityGroup"] = {"id": f"{NET}/networkSecurityGroups/{group}"}
    return row("Microsoft.Network/networkInterfaces", "nic", properties)


def address(sku: str = "Standard") -> Row:
    return row(
        "Microsoft.Network/publicIPAddresses", "ip", {"ipAddress": "20.1.2.3"}, sku={"name": sku}
    )


def vnet(group: str = "") -> Row:
    subnet: Row = {"id": f"{NET}/virtualNetworks/v/subnets/s", "name": "s", "properties": {}}
    if group:
        subnet["properties"]["networkSecurityGroup"] = {
            "id": f"{NET}/networkSecurityGroups/{group}"
        }
    return row("Microsoft.Network/virtualNetworks", "v", {"subnets": [subnet]})


def machine(*rules: Row, subnet: list[Row] | None = None, **more: Any) -> list[Row]:
    rows = [vm(**more), nic(), address(), nsg("nic-nsg", *rules)]
    if subnet is None:
        return [*rows, vnet()]
    return [*rows, vnet("subnet-nsg"), nsg("subnet-nsg", *subnet)]


def balanced(*rules: Row, scheme: str = "public", kind: str = "loadBalancers") -> list[Row]:
    pool = f"{NET}/{kind}/lb/backendAddressPools/p"
    front: Row = {
        "id": f"{NET}/{kind}/lb/frontendIPConfigurations/f",
        "name": "f",
        "properties": {},
    }
    if scheme == "public":
        front["properties"]["publicIPAddress"] = {"id": f"{NET}/publicIPAddresses/ip"}
    properties = {"frontendIPConfigurations": [front], "backendAddressPools": [{"id": pool}],
                  "loadBalancingRules": [{"properties": {
                      "frontendIPConfiguration": {"id": front["id"]}, "frontendPort": 443,
                      "backendPort": 443, "backendAddressPool": {"id": pool}}}]}  # fmt: skip
    key = "loadBalancerBackendAddressPools" if kind == "loadBalancers" else (
        "applicationGatewayBackendAddressPools")  # fmt: skip
    return [vm(), nic(False, **{key: [{"id": pool}]}), address(), vnet(), nsg("nic-nsg", *rules),
            row(f"Microsoft.Network/{kind}", "lb", properties)]  # fmt: skip


OFFICE = "203.0.113.0/24"
MACHINES: list[tuple[str, list[Row], str, str]] = [
    ("open", machine(rule()), "yes", "20.1.2.3"),
    ("service tag", machine(rule(source="Internet")), "yes", ""),
    ("everything as a range", machine(rule(source="0.0.0.0/0")), "yes", ""),
    ("two halves", machine(rule(source=None, sourceAddressPrefixes=["0.0.0.0/1", "128.0.0.0/1"])), "yes", ""),
    ("one office", machine(rule(source=OFFICE)), "no", OFFICE),
    ("from the network", machine(rule(source="VirtualNetwork")), "no", "nobody"),
    ("outbound rule", machine(rule(direction="Outbound")), "no", "nobody"),
    ("denied before", machine(rule(), rule("deny", 90, "Deny")), "no", "deny"),
    ("denied after", machine(rule(), rule("deny", 110, "Deny")), "yes", ""),
    ("another port denied", machine(rule(), rule("deny", 90, "Deny", port="22")), "yes", "443"),
    ("an office denied", machine(rule(), rule("deny", 90, "Deny", source=OFFICE)), "yes", ""),
    ("subnet admits too", machine(rule(), subnet=[rule()]), "yes", ""),
    ("subnet does not", machine(rule(), subnet=[]), "no", ""),
    ("subnet admits another port", machine(rule(), subnet=[rule(port="22")]), "no", ""),
    ("only the subnet", machine(subnet=[rule()]), "no", ""),
    ("any port", machine(rule(port="*")), "yes", "all"),
    ("a list of ports", machine(rule(port="", destinationPortRanges=["22", "80-90"])), "yes", "22, 80-90"),
    ("deallocated", machine(rule(), extended={"instanceView": {"powerState": {
        "code": "PowerState/deallocated"}}}), "no", "deallocated"),
    ("no public address", [vm(), nic(False), vnet(), nsg("nic-nsg", rule())], "no", "no public"),
    ("Standard without a group", [vm(), nic(group=""), address(), vnet()], "no", "Standard"),
    ("Basic without a group", [vm(), nic(group=""), address("Basic"), vnet()], "yes", ""),
    ("SKU unread", [vm(), nic(group=""), vnet()], "unknown", "SKU"),
    ("group unread", [vm(), nic(), address(), vnet()], "unknown", "not read"),
    ("interface unread", [vm()], "unknown", "not read"),
    ("load balancer", balanced(rule()), "yes", "lb"),
    ("private load balancer", balanced(rule(), scheme="private"), "no", "no public"),
    ("load balancer, group closed", balanced(rule(source=OFFICE)), "no", OFFICE),
    ("application gateway", balanced(kind="applicationGateways"), "yes", "lb"),
    ("application security group", [vm(), nic(applicationSecurityGroups=[{"id": f"{NET}/asg/a"}]),
     address(), vnet(), nsg("nic-nsg", rule(destinationApplicationSecurityGroups=[
         {"id": f"{NET}/asg/a"}]))], "yes", ""),
    ("another application group", [vm(), nic(), address(), vnet(), nsg("nic-nsg", rule(
        destinationApplicationSecurityGroups=[{"id": f"{NET}/asg/a"}]))], "no", ""),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "value", "told"), [c[1:] for c in MACHINES],
                         ids=[c[0] for c in MACHINES])  # fmt: skip
def test_machines(rows: list[Row], value: str, told: str) -> None:
    found = public(VM, *rows)
    assert found.value == value, found.evidence
    assert told in " ".join(" ".join((e.text, e.ports, *e.steps)) for e in found.evidence)


# Stores and endpoints

STORE = f"{RG}/providers/Microsoft.Storage/storageAccounts/data"
BLOBS = f"{STORE}/blobServices/default/containers/files"
SQL = f"{RG}/providers/Microsoft.Sql/servers/db"
SITE = f"{RG}/providers/Microsoft.Web/sites/app"
AKS = f"{RG}/providers/Microsoft.ContainerService/managedClusters/k"
VAULT = f"{RG}/providers/Microsoft.KeyVault/vaults/v"
ACI = f"{RG}/providers/Microsoft.ContainerInstance/containerGroups/g"
ACR = f"{RG}/providers/Microsoft.ContainerRegistry/registries/r"
APP = f"{RG}/providers/Microsoft.App/containerApps/c"


def store(**properties: Any) -> Row:
    return row(
        "Microsoft.Storage/storageAccounts", "data", {"allowBlobPublicAccess": True, **properties}
    )


def blobs(level: str = "Blob") -> Row:
    return {"id": BLOBS, "name": "files", "type": "Microsoft.Storage/storageAccounts/blobServices/containers",
            "properties": {"publicAccess": level}}  # fmt: skip


def sql(**properties: Any) -> Row:
    return row("Microsoft.Sql/servers", "db", {"publicNetworkAccess": "Enabled", **properties})


def fire(start: str, end: str) -> Row:
    return {"id": f"{SQL}/firewallRules/r", "name": "r", "type": "Microsoft.Sql/servers/firewallRules",
            "properties": {"startIpAddress": start, "endIpAddress": end}}  # fmt: skip


def site(*restrictions: Row, **properties: Any) -> Row:
    return row("Microsoft.Web/sites", "app", {
        "state": "Running", "defaultHostName": "app.azurewebsites.net",
        "siteConfig": {"ipSecurityRestrictions": list(restrictions)}, **properties})  # fmt: skip


def aks(**profile: Any) -> Row:
    return row(
        "Microsoft.ContainerService/managedClusters", "k", {"apiServerAccessProfile": profile}
    )


def vault(**properties: Any) -> Row:
    return row("Microsoft.KeyVault/vaults", "v", properties)


def app(external: bool, **ingress: Any) -> Row:
    return row("Microsoft.App/containerApps", "c", {"configuration": {
        "ingress": {"external": external, "fqdn": "c.x", **ingress}}})  # fmt: skip


DENY = {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.4"}]}
OTHERS: list[tuple[str, str, list[Row], str, str]] = [
    ("account with an open container", STORE, [store(), blobs()], "yes", "files"),
    ("container", BLOBS, [store(), blobs("Container")], "yes", "container"),
    ("container, level none", BLOBS, [store(), blobs("None")], "no", "off"),
    ("account forbids", BLOBS, [store(allowBlobPublicAccess=False), blobs()], "no", "does not allow"),
    ("network rules", BLOBS, [store(networkAcls=DENY), blobs()], "no", "203.0.113.4"),
    ("network rules for all", BLOBS, [store(networkAcls={"defaultAction": "Deny", "ipRules": [
        {"value": "0.0.0.0/1"}, {"value": "128.0.0.0/1"}]}), blobs()], "yes", ""),
    ("public network off", STORE, [store(publicNetworkAccess="Disabled"), blobs()], "no", "disabled"),
    ("no open container", STORE, [store(), blobs("None")], "no", "no container"),
    ("containers unread", STORE, [store()], "unknown", "not read"),
    ("account of a container unread", BLOBS, [blobs()], "unknown", "not read"),
    ("database for all", SQL, [sql(), fire("0.0.0.0", "255.255.255.255")], "yes", "0.0.0.0/0"),
    ("database for all of Azure", SQL, [sql(), fire("0.0.0.0", "0.0.0.0")], "yes", "Azure"),
    ("database for an office", SQL, [sql(), fire("203.0.113.4", "203.0.113.9")], "no", "203.0.113.4"),
    ("database closed", SQL, [sql(publicNetworkAccess="Disabled"), fire("0.0.0.0", "255.255.255.255")],
     "no", "disabled"),
    ("database rules unread", SQL, [sql()], "unknown", "not read"),
    ("site", SITE, [site()], "yes", "azurewebsites"),
    ("site, stopped", SITE, [site(state="Stopped")], "no", "stopped"),
    ("site, one office", SITE, [site({"ipAddress": OFFICE, "action": "Allow", "priority": 1})], "no", OFFICE),
    ("site, allow any", SITE, [site({"ipAddress": "Any", "action": "Allow", "priority": 1})], "yes", ""),
    ("site, deny any", SITE, [site({"ipAddress": "Any", "action": "Deny", "priority": 9})], "no", ""),
    ("site, closed", SITE, [site(publicNetworkAccess="Disabled")], "no", "disabled"),
    ("cluster", AKS, [aks()], "yes", "API server"),
    ("cluster, private", AKS, [aks(enablePrivateCluster=True)], "no", "private"),
    ("cluster, ranges", AKS, [aks(authorizedIPRanges=[OFFICE])], "no", OFFICE),
    ("cluster, all ranges", AKS, [aks(authorizedIPRanges=["0.0.0.0/0"])], "yes", ""),
    ("vault", VAULT, [vault()], "yes", "sign-in"),
    ("vault, network rules", VAULT, [vault(networkAcls=DENY)], "no", "203.0.113.4"),
    ("vault, closed", VAULT, [vault(publicNetworkAccess="Disabled")], "no", "disabled"),
    ("container group", ACI, [row("Microsoft.ContainerInstance/containerGroups", "g", {
        "ipAddress": {"type": "Public", "ip": "20.9.9.9", "ports": [{"port": 80}]}})], "yes", "20.9.9.9"),
    ("private container group", ACI, [row("Microsoft.ContainerInstance/containerGroups", "g", {
        "ipAddress": {"type": "Private"}})], "no", "no public"),
    ("registry, anonymous", ACR, [row("Microsoft.ContainerRegistry/registries", "r", {
        "anonymousPullEnabled": True})], "yes", "anonymous"),
    ("registry", ACR, [row("Microsoft.ContainerRegistry/registries", "r", {})], "no", "sign-in"),
    ("container app", APP, [app(True)], "yes", "c.x"),
    ("container app inside", APP, [app(False)], "no", "external"),
    ("container app for an office", APP, [app(True, ipSecurityRestrictions=[
        {"ipAddressRange": OFFICE, "action": "Allow"}])], "no", OFFICE),
]  # fmt: skip


@pytest.mark.parametrize(("uid", "rows", "value", "told"), [c[1:] for c in OTHERS],
                         ids=[c[0] for c in OTHERS])  # fmt: skip
def test_stores_and_endpoints(uid: str, rows: list[Row], value: str, told: str) -> None:
    found = public(uid, *rows)
    assert found.value == value, found.evidence
    assert told in " ".join(e.text for e in found.evidence)


def test_a_database_is_as_open_as_its_server() -> None:
    inside = {
        "id": f"{SQL}/databases/shop",
        "name": "shop",
        "type": "Microsoft.Sql/servers/databases",
    }
    wide, narrow = fire("0.0.0.0", "255.255.255.255"), fire("203.0.113.4", "203.0.113.9")
    assert public(f"{SQL}/databases/shop", sql(), wide, inside).value == "yes"
    assert public(f"{SQL}/databases/shop", sql(), narrow, inside).value == "no"


# Power

ANA = "bbbbbbbb-0000-0000-0000-000000000002"
SYSTEM = "aaaaaaaa-0000-0000-0000-000000000001"
OWNER, CONTRIBUTOR, READER, UAA, VMC = (
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    "9980e02c-c2be-4d73-94e8-173b1dc7cf3c",
)  # fmt: skip


def assigned(role: str, principal: str = ANA, scope: str = SUB, kind: str = "roleAssignments",
             **more: Any) -> Row:  # fmt: skip
    name = f"{principal[:8]}-{role[:8]}"
    prefix = scope if scope != "/" else ""
    return {"id": f"{prefix}/providers/Microsoft.Authorization/{kind}/{name}", "name": name,
            "type": f"Microsoft.Authorization/{kind}", "properties": {
                "roleDefinitionId": f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{role}",
                "principalId": principal, "principalType": "User", "scope": scope, **more}}  # fmt: skip


def definition(*actions: str, without: tuple[str, ...] = (), name: str = "custom") -> Row:
    return {"id": f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{name}", "name": name,
            "type": "Microsoft.Authorization/roleDefinitions", "properties": {
                "roleName": name, "permissions": [{"actions": list(actions),
                                                   "notActions": list(without)}]}}  # fmt: skip


def deny(*actions: str) -> Row:
    return {"id": f"{SUB}/providers/Microsoft.Authorization/denyAssignments/d", "name": "d",
            "type": "Microsoft.Authorization/denyAssignments", "properties": {
                "scope": SUB, "permissions": [{"actions": list(actions)}],
                "principals": [{"id": ANA}], "excludePrincipals": []}}  # fmt: skip


SUBSCRIPTION = {"id": SUB, "name": "shop", "type": "microsoft.resources/subscriptions", "properties": {
    "managementGroupAncestorsChain": [{"name": "root-group"}]}}  # fmt: skip
MG = "/providers/Microsoft.Management/managementGroups/root-group"
WRITE = "Microsoft.Authorization/roleAssignments/write"
POWERS: list[tuple[str, list[Row], str, str]] = [
    ("owner", [SUBSCRIPTION, assigned(OWNER)], "yes", "administrator"),
    ("owner above", [SUBSCRIPTION, assigned(OWNER, scope=MG)], "yes", "administrator"),
    ("owner of the root", [SUBSCRIPTION, assigned(OWNER, scope="/")], "yes", "administrator"),
    ("owner of a group of resources", [SUBSCRIPTION, assigned(OWNER, scope=RG)], "no", "control"),
    ("reader", [SUBSCRIPTION, assigned(READER)], "no", "control"),
    ("contributor", [SUBSCRIPTION, assigned(CONTRIBUTOR)], "yes", "wide_reach"),
    ("assigns roles", [SUBSCRIPTION, assigned(UAA)], "yes", "escalation"),
    ("custom role that does", [SUBSCRIPTION, definition(WRITE), assigned("custom")], "yes", "escalation"),
    ("custom role by wildcard", [SUBSCRIPTION, definition("Microsoft.Authorization/*/write"),
                                 assigned("custom")], "yes", "escalation"),
    ("custom role less that", [SUBSCRIPTION, definition("*", without=("Microsoft.Authorization/*",)),
                               assigned("custom")], "yes", "wide_reach"),
    ("not-actions of another role take nothing", [SUBSCRIPTION, definition(
        "*/read", without=(WRITE,)), assigned("custom"), assigned(UAA)], "yes", "escalation"),
    ("denied", [SUBSCRIPTION, assigned(UAA), deny("*")], "no", "control"),
    ("another action denied", [SUBSCRIPTION, assigned(UAA), deny("Microsoft.Compute/*")], "yes", "escalation"),
    ("owner under a condition", [SUBSCRIPTION, assigned(OWNER, condition="x")], "unknown", "gap"),
    ("eligible", [SUBSCRIPTION, assigned(OWNER, kind="roleEligibilityScheduleInstances"),
                  assigned(READER)], "unknown", "gap"),
    ("runs commands on an owner's machine", [SUBSCRIPTION, vm(), assigned(VMC),
                                             assigned(OWNER, SYSTEM)], "yes", "escalation"),
    ("runs commands on a reader's machine", [SUBSCRIPTION, vm(), assigned(VMC),
                                             assigned(READER, SYSTEM)], "no", "control"),
    ("runs commands elsewhere", [SUBSCRIPTION, vm(), assigned(VMC, scope=f"{SUB}/resourceGroups/other"),
                                 assigned(OWNER, SYSTEM)], "no", "control"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "value", "kind"), [c[1:] for c in POWERS],
                         ids=[c[0] for c in POWERS])  # fmt: skip
def test_power_of_a_person(rows: list[Row], value: str, kind: str) -> None:
    found = powers(*rows)[f"entra:{ANA}"]
    assert found.value == value, found.evidence
    assert kind in {e.kind for e in found.evidence}


def test_a_machine_has_the_power_of_its_identity() -> None:
    assert powers(SUBSCRIPTION, vm(), assigned(OWNER, SYSTEM))[VM.lower()].value == "yes"
    assert powers(SUBSCRIPTION, vm(), assigned(READER, SYSTEM))[VM.lower()].value == "no"
    assert powers(SUBSCRIPTION, vm())[VM.lower()].value == "unknown"


def graph(context: str, *rows: Row) -> list[Any]:
    document = {"@odata.context": f"https://graph.microsoft.com/v1.0/$metadata#{context}",
                "value": list(rows)}  # fmt: skip
    data = json.dumps(document).encode()
    assert recognise(data, "x.json").id == "azure"
    return list(azure.read(Report(data)))


def test_members_of_groups_owners_of_applications_and_directory_roles() -> None:
    group, app_id, sp = "cccccccc-1", "dddddddd-1", "eeeeeeee-1"
    user: Row = {"id": ANA, "userPrincipalName": "ana@x.test", "displayName": "Ana"}
    rows = records(SUBSCRIPTION, assigned(OWNER, group))
    member = rows + graph("groups", {"id": group, "displayName": "ops", "securityEnabled": True,
                                     "members": [{"id": ANA}]})  # fmt: skip
    assert {s.resource: s.value for s in privilege(estate_of(member))}[f"entra:{ANA}"] == "yes"
    listed = rows + graph("users", user) + graph(
        "groups", {"id": group, "displayName": "ops", "securityEnabled": True})  # fmt: skip
    # Nobody said who is in it: that is no silent no.
    found = {s.resource: s for s in privilege(estate_of(listed))}[f"entra:{ANA}"]
    assert found.value == "unknown" and "member of ops" in found.evidence[0].text
    empty = rows + graph("users", user) + graph(
        "groups", {"id": group, "displayName": "ops", "securityEnabled": True, "members": []})  # fmt: skip
    assert {s.resource: s.value for s in privilege(estate_of(empty))}[f"entra:{ANA}"] == "no"
    owned = records(SUBSCRIPTION, assigned(OWNER, sp)) + graph(
        "applications", {"id": app_id, "appId": "f-1", "displayName": "ci", "owners": [{"id": ANA}]},
    ) + graph("servicePrincipals", {"id": sp, "appId": "f-1", "displayName": "ci",
                                    "servicePrincipalType": "Application"}) + graph("users", user)  # fmt: skip
    found = {s.resource: s for s in privilege(estate_of(owned))}[f"entra:{ANA}"]
    assert found.value == "yes" and found.evidence[0].kind == "escalation"
    admin = records(SUBSCRIPTION) + graph("users", user) + graph("directoryRoles", {
        "id": "r-1", "displayName": "Global Administrator",
        "roleTemplateId": "62e90394-69f5-4237-9190-012177145e10", "members": [{"id": ANA}]})  # fmt: skip
    found = {s.resource: s for s in privilege(estate_of(admin))}[f"entra:{ANA}"]
    assert found.value == "yes" and found.evidence[0].source == TENANT


# Forms


@pytest.mark.parametrize("form", ["data", "value", "array", "flat"])
def test_every_form_of_an_answer_says_the_same(form: str) -> None:
    rows = [*machine(rule()), store(), blobs(), SUBSCRIPTION, assigned(OWNER, SYSTEM)]
    wanted = estate(*rows)
    found = estate(*rows, form=form)
    assert [(s.resource, s.value) for s in exposure(found)] == [
        (s.resource, s.value) for s in exposure(wanted)]  # fmt: skip
    assert [(s.resource, s.value) for s in privilege(found)] == [
        (s.resource, s.value) for s in privilege(wanted)]  # fmt: skip


def test_ids_are_the_same_in_any_case_and_any_order() -> None:
    rows = [*machine(rule(), subnet=[rule()]), SUBSCRIPTION, assigned(OWNER, SYSTEM)]
    wanted = [(s.resource, s.value) for s in exposure(estate(*rows))]
    for seed in range(5):
        mixed = list(rows)
        random.Random(seed).shuffle(mixed)
        shouted = [{**r, "id": r["id"].upper().replace("/PROVIDERS/", "/providers/")} if seed % 2 else r
                   for r in mixed]  # fmt: skip
        assert [(s.resource, s.value) for s in exposure(estate(*shouted))] == wanted


def test_wrong_shapes_are_no_crash_and_no_silent_no() -> None:
    for value in (None, 7, "x", [], {}, [7], {"a": 7}):
        for path in ("networkProfile", "extended"):
            found = public(
                VM, vm(**{path: value}), nic(), address(), vnet(), nsg("nic-nsg", rule())
            )
            assert found.value in ("yes", "no", "unknown")
        public(VM, vm(), {**nic(), "properties": value}, address(), vnet())
        public(STORE, store(networkAcls=value), blobs())
        powers(SUBSCRIPTION, {**assigned(OWNER), "properties": value})
    with pytest.raises(ReportError):
        list(azure.read(Report(b'{"data": [{"id": "/subscriptions/x/y"}, 7]}')))


def test_a_page_of_several_is_told() -> None:
    document = {"value": [vm()], "nextLink": "https://management.azure.com/x"}
    found = list(azure.read(Report(json.dumps(document).encode())))
    assert any(getattr(r, "reason", "").startswith("a page of several") for r in found)


@pytest.mark.skipif(
    not SHARED.exists(), reason="NO REAL DATA: shared/data/inventory/azure is absent"
)
def test_real_answers_are_read_and_judged() -> None:
    read = 0
    for path in sorted(SHARED.glob("fixinventory-api-shapes/*/*.json")):
        data = path.read_bytes()
        try:
            known = recognise(data, path.name)
        except ReportError:
            continue
        if known.id != "azure":
            continue
        made = estate_of(azure.read(Report(data, name=path.name)))
        list(exposure(made))
        list(privilege(made))
        read += 1
    for path in sorted(SHARED.glob("custodian-cassettes/*.json")):
        for entry in json.loads(path.read_bytes()).get("interactions", []):
            body = entry["response"].get("body", {})
            inner = body.get("data") if isinstance(body, dict) else None
            if not isinstance(inner, dict) or not inner.get("value"):
                continue
            data = json.dumps(inner).encode()
            try:
                if recognise(data, "x.json").id != "azure":
                    continue
            except ReportError:
                continue
            made = estate_of(r for r in azure.read(Report(data)) if isinstance(r, Resource))
            list(exposure(made))
            list(privilege(made))
            read += 1
    assert read >= 60


def routed(*routes: tuple[str, str], read: bool = True) -> list[Row]:
    """The open machine, in a subnet with a route table."""
    rows = machine(rule())
    rows[-1]["properties"]["subnets"][0]["properties"]["routeTable"] = {
        "id": f"{NET}/routeTables/t"
    }
    table = row("Microsoft.Network/routeTables", "t", {"routes": [
        {"name": f"r{n}", "properties": {"addressPrefix": p, "nextHopType": h}}
        for n, (p, h) in enumerate(routes)]})  # fmt: skip
    return [*rows, *([table] if read else [])]


@pytest.mark.parametrize(
    ("rows", "value"),
    [
        (routed(), "yes"),
        (routed(("0.0.0.0/0", "Internet")), "yes"),
        (routed(("0.0.0.0/0", "None")), "no"),
        (routed(("0.0.0.0/1", "None"), ("128.0.0.0/1", "None")), "no"),
        (routed(("0.0.0.0/0", "None"), ("0.0.0.0/1", "Internet")), "yes"),
        (routed(("0.0.0.0/0", "None"), ("203.0.113.0/24", "Internet")), "no"),
        (routed(("0.0.0.0/0", "VirtualAppliance")), "unknown"),
        (routed(("0.0.0.0/0", "VirtualNetworkGateway")), "unknown"),
        (routed(("10.0.0.0/8", "VirtualAppliance")), "yes"),
        (routed(("::/0", "None")), "yes"),
        (routed(read=False), "unknown"),
    ],
)
def test_answers_of_a_machine_go_out_by_the_route_table(rows: list[Row], value: str) -> None:
    assert public(VM, *rows).value == value


def doored(host: str = "20.1.2.3", tag: str = "AzureFrontDoor.Backend", origin: str = "Enabled",
           route: str = "Enabled", group: str = "og") -> list[Row]:  # fmt: skip
    """A machine that admits front doors only, and a front door that leads to its address."""
    profile = f"{RG}/providers/Microsoft.Cdn/profiles/fd"
    made = machine(rule(source=tag))
    return [*made, row("Microsoft.Cdn/profiles", "fd"), {
        "id": f"{profile}/originGroups/og/origins/o", "name": "o",
        "type": "Microsoft.Cdn/profiles/originGroups/origins",
        "properties": {"hostName": host, "enabledState": origin}}, {
        "id": f"{profile}/afdEndpoints/e/routes/r", "name": "r",
        "type": "Microsoft.Cdn/profiles/afdEndpoints/routes",
        "properties": {"enabledState": route, "originGroup": {"id": f"{profile}/originGroups/{group}"}}}]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "value"),
    [
        (doored(), "yes"),
        (doored(host="20.9.9.9"), "no"),
        (doored(tag="GatewayManager"), "no"),
        (doored(origin="Disabled"), "no"),
        (doored(route="Disabled"), "no"),
        (doored(route="Disabled", group="other"), "yes"),  # that route was of another group
        (machine(rule(source="AzureFrontDoor.Backend")), "no"),
    ],
)
def test_a_machine_behind_a_front_door(rows: list[Row], value: str) -> None:
    assert public(VM, *rows).value == value
