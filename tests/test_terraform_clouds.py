"""Terraform state of Azure and Google Cloud gives the same answers as the clouds' own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secinbox.connectors import recognise
from secinbox.estate import Estate, estate_of
from secinbox.iam.azure import privilege as azure_power
from secinbox.iam.gcp import privilege as google_power
from secinbox.inventory import terraform
from secinbox.network import exposure
from secinbox.reading import Report
from tests.test_azure import SUB

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "inventory" / "terraform"
RG = f"{SUB}/resourceGroups/shop/providers"
NET = f"{RG}/Microsoft.Network"


def state(*resources: tuple[str, dict[str, Any]]) -> Estate:
    rows = [{"mode": "managed", "type": t, "name": f"r{n}", "provider": "x",
             "instances": [{"schema_version": 0, "attributes": v}]}
            for n, (t, v) in enumerate(resources)]  # fmt: skip
    document = {"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "l",
                "outputs": {}, "resources": rows}  # fmt: skip
    data = json.dumps(document).encode()
    assert recognise(data, "terraform.tfstate").id == "terraform"
    return estate_of(terraform.read(Report(data, name="terraform.tfstate")))


def public(made: Estate) -> dict[str, str]:
    return {s.resource: s.value for s in exposure(made)}


def machine(port: str = "443", source: str = "*", attached: bool = True,
            more: tuple[tuple[str, dict[str, Any]], ...] = ()) -> Estate:  # fmt: skip
    rule = {"name": "web", "priority": 100, "direction": "Inbound", "access": "Allow",
            "protocol": "Tcp", "source_address_prefix": source, "destination_port_range": port}  # fmt: skip
    rows: list[tuple[str, dict[str, Any]]] = [
        ("azurerm_network_security_group", {"id": f"{NET}/networkSecurityGroups/g", "name": "g",
                                            "security_rule": [rule]}),
        ("azurerm_public_ip", {"id": f"{NET}/publicIPAddresses/ip", "sku": "Standard",
                               "ip_address": "20.1.2.3"}),
        ("azurerm_subnet", {"id": f"{NET}/virtualNetworks/v/subnets/s", "name": "s"}),
        ("azurerm_network_interface", {"id": f"{NET}/networkInterfaces/nic", "ip_configuration": [
            {"name": "c", "subnet_id": f"{NET}/virtualNetworks/v/subnets/s",
             "public_ip_address_id": f"{NET}/publicIPAddresses/ip"}]}),
        ("azurerm_linux_virtual_machine", {
            "id": f"{RG}/Microsoft.Compute/virtualMachines/web", "name": "web",
            "network_interface_ids": [f"{NET}/networkInterfaces/nic"],
            "identity": [{"type": "SystemAssigned", "principal_id": "aaaa-1"}]}),
        ("azurerm_role_assignment", {
            "id": f"{SUB}/providers/Microsoft.Authorization/roleAssignments/x", "scope": SUB,
            "role_definition_name": "Owner", "principal_id": "aaaa-1", "role_definition_id":
            f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"}),
    ]  # fmt: skip
    if attached:
        rows.append(("azurerm_network_interface_security_group_association", {
            "network_interface_id": f"{NET}/networkInterfaces/nic",
            "network_security_group_id": f"{NET}/networkSecurityGroups/g"}))  # fmt: skip
    return state(*rows, *more)


VM = f"{RG}/Microsoft.Compute/virtualMachines/web".lower()


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize(
    ("prefix", "hop", "value"),
    [
        ("0.0.0.0/0", "None", "no"),
        ("0.0.0.0/0", "Internet", "yes"),
        ("0.0.0.0/0", "VirtualAppliance", "unknown"),
        ("203.0.113.0/24", "None", "yes"),
    ],
)
def test_the_route_table_of_a_subnet_of_azure(
    prefix: str, hop: str, value: str, apart: bool
) -> None:
    table = f"{NET}/routeTables/t"
    route = {"id": f"{table}/routes/r", "name": "r", "address_prefix": prefix, "next_hop_type": hop}
    found = machine(more=(
        ("azurerm_route_table", {"id": table, "name": "t", "route": [] if apart else [route]}),
        *([("azurerm_route", {**route, "route_table_name": "t"})] if apart else []),
        ("azurerm_subnet_route_table_association", {
            "subnet_id": f"{NET}/virtualNetworks/v/subnets/s", "route_table_id": table}),
    ))  # fmt: skip
    assert public(found)[VM] == value


def test_a_machine_of_azure() -> None:
    assert public(machine())[VM] == "yes"
    assert public(machine(source="203.0.113.0/24"))[VM] == "no"
    assert public(machine(attached=False))[VM] == "no"
    power = {s.resource: s.value for s in azure_power(machine())}
    assert power[VM] == "yes"


def blobs(level: str, allowed: bool = True) -> str:
    account = f"{RG}/Microsoft.Storage/storageAccounts/data"
    uid = f"{account}/blobServices/default/containers/files"
    made = state(("azurerm_storage_account", {"id": account, "name": "data",
                                              "allow_nested_items_to_be_public": allowed}),
                 ("azurerm_storage_container", {"id": uid, "name": "files",
                                                "container_access_type": level}))  # fmt: skip
    return public(made)[uid.lower()]


def test_a_container_of_azure() -> None:
    assert (blobs("blob"), blobs("private"), blobs("blob", False)) == ("yes", "no", "no")


LINK = "https://www.googleapis.com/compute/v1/projects/p/global/networks/n"
INSTANCE = "//compute.googleapis.com/projects/p/zones/z/instances/web"


def google(ranges: list[str], role: str = "roles/viewer") -> Estate:
    return state(
        ("google_compute_instance", {
            "id": "projects/p/zones/z/instances/web", "name": "web", "project": "p", "zone": "z",
            "current_status": "RUNNING", "tags": ["web"],
            "network_interface": [{"network": LINK, "access_config": [{"nat_ip": "34.1.2.3"}]}],
            "service_account": [{"email": "app@p.iam.gserviceaccount.com", "scopes": [
                "https://www.googleapis.com/auth/cloud-platform"]}]}),
        ("google_compute_firewall", {
            "id": "projects/p/global/firewalls/f", "name": "f", "project": "p", "network": LINK,
            "direction": "INGRESS", "priority": 1000, "source_ranges": ranges,
            "allow": [{"protocol": "tcp", "ports": ["443"]}]}),
        ("google_service_account", {"name": "projects/p/serviceAccounts/app@p.iam.gserviceaccount.com",
                                    "email": "app@p.iam.gserviceaccount.com", "project": "p"}),
        ("google_project_iam_member", {"project": "p", "role": role,
                                       "member": "serviceAccount:app@p.iam.gserviceaccount.com"}),
        ("google_storage_bucket", {"name": "data", "uniform_bucket_level_access": True}),
        ("google_storage_bucket_iam_member", {"bucket": "b/data", "member": "allUsers",
                                              "role": "roles/storage.objectViewer"}),
    )  # fmt: skip


def test_resources_of_google_cloud() -> None:
    assert public(google(["0.0.0.0/0"]))[INSTANCE] == "yes"
    assert public(google(["203.0.113.0/24"]))[INSTANCE] == "no"
    assert public(google([]))["//storage.googleapis.com/data"] == "yes"
    power = {s.resource: s.value for s in google_power(google([], "roles/owner"))}
    assert power[INSTANCE] == "yes"
    assert {s.resource: s.value for s in google_power(google([]))}[INSTANCE] == "no"


def test_wrong_shapes_are_no_crash() -> None:
    for value in (None, 7, "x", [], {}, [7], {"a": 7}):
        for kind in ("google_compute_instance", "google_compute_firewall", "google_storage_bucket",
                     "google_project_iam_binding", "azurerm_network_interface",
                     "azurerm_network_security_group", "azurerm_role_assignment"):  # fmt: skip
            for key in ("network_interface", "allow", "members", "ip_configuration", "security_rule",
                        "scope", "name", "identity"):  # fmt: skip
                made = state((kind, {"id": f"{RG}/Microsoft.X/y/z", "name": "n", "project": "p",
                                     "role": "r", key: value}))  # fmt: skip
                public(made)


@pytest.mark.skipif(not SHARED.exists(), reason="NO REAL DATA: shared/data/inventory is absent")
def test_real_states_are_read() -> None:
    found: set[str] = set()
    for path in sorted(SHARED.glob("driftctl-tfstate/**/*.tfstate")):
        data = path.read_bytes()
        if b'"google_' not in data and b'"azurerm_' not in data:
            continue
        made = estate_of(terraform.read(Report(data, name=path.name)))
        found |= {i.type for i in made.items.values()}
        public(made)
    assert {"gcp_storage_bucket", "gcp_compute_instance",
            "azure_microsoft_network_networksecuritygroups"} <= found  # fmt: skip


SITE = f"{RG}/Microsoft.Web/sites/app"
PG = f"{RG}/Microsoft.DBforPostgreSQL/flexibleServers/pg"
COSMOS = f"{RG}/Microsoft.DocumentDB/databaseAccounts/c"
ACI = f"{RG}/Microsoft.ContainerInstance/containerGroups/g"
RUN2 = "projects/shop-1/locations/eu/services/api"
FN2 = "projects/shop-1/locations/eu/functions/f"
ANYONE = {"role": "roles/run.invoker", "member": "allUsers"}


def site(*rules: dict[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
    return ("azurerm_linux_web_app", {"id": SITE, "name": "app", "default_hostname": "app.x",
                                      "site_config": [{"ip_restriction": list(rules)}], **more})  # fmt: skip


def invoked(**more: Any) -> tuple[str, dict[str, Any]]:
    return ("google_cloud_run_v2_service_iam_member", {
        "name": "api", "project": "shop-1", "location": "eu", **ANYONE, **more})  # fmt: skip


def fn2(ingress: str = "ALLOW_ALL") -> list[tuple[str, dict[str, Any]]]:
    return [("google_cloudfunctions2_function", {"id": FN2, "name": "f", "service_config": [
                {"ingress_settings": ingress, "service": RUN2}]}),
            ("google_cloud_run_v2_service", {"id": RUN2, "name": "api"}), invoked()]  # fmt: skip


MORE: list[tuple[str, str, list[tuple[str, dict[str, Any]]], str]] = [
    ("site", SITE.lower(), [site()], "yes"),
    ("site for an office", SITE.lower(), [site({"ip_address": "203.0.113.0/24", "action": "Allow", "priority": 1})], "no"),
    ("site, off", SITE.lower(), [site(public_network_access_enabled=False)], "no"),
    ("flexible server", PG.lower(), [("azurerm_postgresql_flexible_server", {"id": PG, "name": "pg"}), (
        "azurerm_postgresql_flexible_server_firewall_rule", {"id": f"{PG}/firewallRules/a", "name": "a",
         "start_ip_address": "0.0.0.0", "end_ip_address": "255.255.255.255"})], "yes"),
    ("flexible server inside", PG.lower(), [("azurerm_postgresql_flexible_server", {
        "id": PG, "name": "pg", "delegated_subnet_id": f"{NET}/virtualNetworks/v/subnets/s"})], "no"),
    ("cosmos", COSMOS.lower(), [("azurerm_cosmosdb_account", {"id": COSMOS, "name": "c"})], "yes"),
    ("cosmos for an office", COSMOS.lower(), [("azurerm_cosmosdb_account", {
        "id": COSMOS, "name": "c", "ip_range_filter": ["203.0.113.4"]})], "no"),
    ("containers", ACI.lower(), [("azurerm_container_group", {"id": ACI, "name": "g", "ip_address": "20.1.1.1"})], "yes"),
    ("containers inside", ACI.lower(), [("azurerm_container_group", {
        "id": ACI, "name": "g", "ip_address_type": "Private"})], "no"),
    ("service", f"//run.googleapis.com/{RUN2}", [("google_cloud_run_v2_service", {"id": RUN2, "name": "api"}), invoked()], "yes"),
    ("service, internal", f"//run.googleapis.com/{RUN2}", [("google_cloud_run_v2_service", {
        "id": RUN2, "name": "api", "ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY"}), invoked()], "no"),
    ("function", f"//cloudfunctions.googleapis.com/{FN2}", fn2(), "yes"),
    ("function, internal", f"//cloudfunctions.googleapis.com/{FN2}", fn2("ALLOW_INTERNAL_ONLY"), "no"),
]  # fmt: skip


@pytest.mark.parametrize(("uid", "rows", "value"), [c[1:] for c in MORE], ids=[c[0] for c in MORE])
def test_more_kinds(uid: str, rows: list[tuple[str, dict[str, Any]]], value: str) -> None:
    assert public(state(*rows))[uid] == value
