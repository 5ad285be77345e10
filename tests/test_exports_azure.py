"""Azure says the same, whether its API or an inventory tool exported it, or that it is not known.

Each estate of `test_flips_azure` as tables: an open thing stays open; a closed one is closed where its own
configuration says so, and unknown where it rests on what else there is.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from secinbox.estate import Estate, estate_of
from secinbox.iam.azure import privilege
from secinbox.inventory import cartography, cloudquery, steampipe
from secinbox.network.azure import exposure
from secinbox.reading import Report, ReportError, head_of
from secinbox.records import AnyRecord, Resource, RiskStatement, Scope, Skipped
from tests import exported_azure as exported
from tests import exported_graph
from tests.exported import read
from tests.test_azure import (
    ANA,
    CONTRIBUTOR,
    OWNER,
    POWERS,
    READER,
    RG,
    SUBSCRIPTION,
    SYSTEM,
    VM,
    WRITE,
    assigned,
    balanced,
    blobs,
    definition,
    machine,
    nsg,
    rule,
    sql,
    store,
    vm,
)
from tests.test_azure import records as raw_records
from tests.test_flips_azure import ROWS, type_of

Row = dict[str, Any]
FLIPS = [(uid, name, rows, value) for uid, name, rows, value, _ in ROWS if uid.startswith("/")]


def raw(rows: list[Row]) -> Estate:
    """As the API answered it, without a word that a list was whole."""
    found = estate_of(raw_records(*rows))
    found.covered.clear()
    return found


def judged(estate: Estate, uid: str) -> RiskStatement | None:
    return {s.resource: s for s in exposure(estate)}.get(uid.lower())


def test_each_flip_as_rows_of_cloudquery() -> None:
    kept: Counter[tuple[str, str]] = Counter()
    for uid, name, rows, _ in FLIPS:
        full = [r for r in rows if r.get("properties")]
        wanted = judged(raw(full), uid)
        records = read(cloudquery, exported.cloudquery(full))
        assert not [r for r in records if isinstance(r, (Skipped, Scope))], name
        found = judged(estate_of(records), uid)
        if wanted is None or found is None:
            assert found is wanted, (uid, name)
            continue
        kept[wanted.value, found.value] += 1
        same = found.value == wanted.value
        assert same or (wanted.value, found.value) == ("no", "unknown"), (type_of(uid), name, found)
        assert not same or found.evidence == wanted.evidence
    # Most that is closed says so itself.
    assert kept["no", "no"] > kept["no", "unknown"] > 0, kept
    assert kept["yes", "yes"] > 300


def test_no_table_that_is_missing_closes_what_is_open() -> None:
    for uid, name, rows, value in FLIPS:
        # That it stands in a perimeter opens what is switched off: nobody asks for those of a perimeter.
        kinds = {
            k for r in rows if "perimeter" not in (k := exported.type_of(r)) and value == "yes"
        }
        for kind in kinds if len(kinds) > 1 else ():
            left = [r for r in rows if exported.type_of(r) != kind and r.get("properties")]
            found = judged(estate_of(read(cloudquery, exported.cloudquery(left))), uid)
            assert found is None or found.value != "no", (type_of(uid), name, kind, found)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_forms_of_cloudquery_say_the_same(form: str) -> None:
    for uid, name, rows, _ in FLIPS[::9]:
        full = [r for r in rows if r.get("properties")]
        one, two = (judged(estate_of(read(cloudquery, exported.cloudquery(full, f))), uid)
                    for f in ("json", form))  # fmt: skip
        assert one == two, (uid, name)


# An address of IPv6 or the SKU of an address may be left out in a flip; the API always says them.
def test_each_flip_as_rows_of_steampipe() -> None:
    kept: Counter[tuple[str, str]] = Counter()
    for uid, name, rows, value in FLIPS:
        if exported.type_of({"id": uid}) not in exported.COLUMNS:
            continue
        there = [r for r in rows if exported.type_of(r) in exported.COLUMNS]
        wanted = judged(raw(there), uid)
        records = read(steampipe, exported.steampipe(rows))
        left = [r.reason for r in records if isinstance(r, (Skipped, Scope))]
        found = judged(estate_of(records), uid)
        if left:
            assert " lack " in left[0] and (found is None or found.value == "unknown"), (name, left)
            continue
        assert wanted is not None and found is not None
        kept[wanted.value, found.value] += 1
        assert found.value == wanted.value or found.value == "unknown", (type_of(uid), name, found)
        assert "perimeter" in name or (value, found.value) != ("yes", "no"), (type_of(uid), name)
    assert kept["yes", "yes"] > 60 and kept["no", "no"] > 30, kept
    assert kept["yes", "unknown"] == 0, kept


def powers(records: Iterable[AnyRecord]) -> dict[str, RiskStatement]:
    return {s.resource: s for s in privilege(estate_of(records))}


@pytest.mark.parametrize(("rows", "value"), [c[1:3] for c in POWERS], ids=[c[0] for c in POWERS])
def test_power_of_a_person_by_rows(rows: list[Row], value: str) -> None:
    """Nobody is powerless by rows of which some may be missing."""
    found = powers(read(cloudquery, exported.cloudquery(rows)))[f"entra:{ANA}"]
    assert found.value == ("unknown" if value == "no" else value), found.evidence
    there = [r for r in rows if exported.type_of(r) in exported.COLUMNS]
    wanted = powers(raw_records(*there)).get(f"entra:{ANA}")
    other = powers(read(steampipe, exported.steampipe(rows))).get(f"entra:{ANA}")
    assert (wanted is None) is (other is None)
    # A condition that bears on everything is none that Azure takes.
    if wanted is not None and other is not None and "'condition'" not in str(rows):
        assert other.value in ("unknown", wanted.value) and (wanted.value, other.value) != (
            "no",
            "no",
        )


def test_what_bears_on_a_role_assignment_is_unknown_where_conditions_are_not_kept() -> None:
    found = {}
    for name, role in (("assigns", "custom"), ("owns", OWNER), ("writes", CONTRIBUTOR)):
        rows = [SUBSCRIPTION, definition(WRITE), assigned(role)]
        found[name] = powers(read(steampipe, exported.steampipe(rows)))[f"entra:{ANA}"]
    assert {n: s.value for n, s in found.items()} == {
        "assigns": "unknown", "owns": "yes", "writes": "yes"}  # fmt: skip
    assert "can assign itself any role" in found["assigns"].evidence[0].text


def test_a_machine_by_rows_has_the_power_of_its_identity() -> None:
    for role, value in ((OWNER, "yes"), (READER, "unknown")):
        rows = [SUBSCRIPTION, vm(), assigned(role, SYSTEM)]
        found = powers(read(cloudquery, exported.cloudquery(rows)))[VM.lower()]
        assert found.value == value
    # Without the column nobody knows whether there is an identity.
    row = exported.cloudquery_row(vm())
    row.pop("identity")
    (skipped,) = told("azure_compute_virtual_machines", row, tool=cloudquery)
    assert (
        isinstance(skipped, Skipped) and "lack identity" in skipped.reason and not skipped.harmless
    )
    # The client library of Steampipe leaves the identifier of an identity out: nobody is told powerless.
    (table,) = exported.steampipe([{**vm(), "identity": {"type": "SystemAssigned"}}])
    assert VM.lower() not in powers(steampipe.read(table))


# Entra ID


def told(table: str, *rows: Row, tool: Any = steampipe) -> list[AnyRecord]:
    return list(tool.read(Report(json.dumps(rows).encode(), f"{table}.json")))


USER = {"id": ANA, "display_name": "Ana", "user_principal_name": "ana@x.test", "account_enabled": True,
        "user_type": "Member", "mail": None, "title": "Ana"}  # fmt: skip
GROUP = {"id": "cccccccc-1", "display_name": "ops", "security_enabled": True, "title": "ops",
         "is_assignable_to_role": None, "member_ids": [ANA], "owner_ids": None}  # fmt: skip


def test_groups_applications_and_directory_roles_of_steampipe() -> None:
    rows = raw_records(SUBSCRIPTION, assigned(OWNER, "cccccccc-1"))
    user = told("azuread_user", USER)
    ana = f"entra:{ANA}"
    assert powers([*rows, *user, *told("azuread_group", GROUP)])[ana].value == "yes"
    for members, value in ((None, "unknown"), ([], "no")):
        found = powers([*rows, *user, *told("azuread_group", {**GROUP, "member_ids": members})])[
            ana
        ]
        assert found.value == value
    cut = {k: v for k, v in GROUP.items() if k != "member_ids"}
    assert powers([*rows, *user, *told("azuread_group", cut)])[ana].value == "unknown"
    owner = {"owner_ids": [ANA], "title": "ci", "display_name": "ci", "app_id": "f-1"}
    owned = [*raw_records(SUBSCRIPTION, assigned(OWNER, "eeeeeeee-1")), *user,
             *told("azuread_application", {"id": "dddddddd-1", "sign_in_audience": "x", **owner}),
             *told("azuread_service_principal", {"id": "eeeeeeee-1", "account_enabled": True,
                                                 "service_principal_type": "Application", **owner})]  # fmt: skip
    assert powers(owned)[ana].evidence[0].kind == "escalation"
    template = "62e90394-69f5-4237-9190-012177145e10"
    admin = told("azuread_directory_role", {"id": "r-1", "display_name": "Global Administrator",
                                            "role_template_id": template, "member_ids": [ANA]})  # fmt: skip
    assert powers([*raw_records(SUBSCRIPTION), *user, *admin])[ana].value == "yes"
    given = told("azuread_directory_role_assignment", {
        "id": "a", "principal_id": ANA, "role_definition_id": template, "directory_scope_id": "/",
        "app_scope_id": None, "title": "a"})  # fmt: skip
    assert powers([*raw_records(SUBSCRIPTION), *user, *given])[ana].value == "yes"
    off = told("azuread_user", {**USER, "account_enabled": False})
    assert powers([*rows, *off, *told("azuread_group", GROUP)])[ana].value == "no"
    (skipped,) = told("azuread_user", {k: v for k, v in USER.items() if k != "account_enabled"})
    assert isinstance(skipped, Skipped) and "lack account_enabled" in skipped.reason


def test_secrets_of_rows_are_not_kept() -> None:
    row = exported.steampipe_row(store())
    assert row is not None
    row |= {"access_keys": [{"KeyName": "key1", "Value": "never to be kept"}]}
    records = told("azure_storage_account", row)
    assert "never" not in "".join(r.config for r in records if isinstance(r, Resource))
    group = exported.cloudquery_row({
        "id": f"{RG}/providers/Microsoft.ContainerInstance/containerGroups/g", "name": "g", "properties": {
            "containers": [{"name": "c", "properties": {"environmentVariables": [
                {"name": "DB_PASSWORD", "value": "never to be kept"}]}}]}})  # fmt: skip
    found = told("azure_containerinstance_container_groups", group, tool=cloudquery)
    assert [r.name for r in found if isinstance(r, Resource)] == ["g"]
    assert "never" not in "".join(r.config for r in found if isinstance(r, Resource))


# Which table, which rows


@pytest.mark.parametrize(("tool", "table", "row", "message"), [
    (steampipe, "azure_key_vault", {"id": "x", "title": "a", "akas": []}, "azure_key_vault is not read"),
    (steampipe, "azure_storage_account", {"id": 5, "title": "a", "akas": []}, "without an id"),
    (steampipe, "azure_storage_account", {"id": "a", "title": "a", "akas": []}, "is none of Azure"),
    (steampipe, "azure_network_security_group", {"title": "a", "akas": [], "type": "x"}, "without an id"),
])  # fmt: skip
def test_rows_that_cannot_be_read_get_one_clear_error(
    tool: Any, table: str, row: Row, message: str
) -> None:
    with pytest.raises(ReportError) as error:
        told(table, row, tool=tool)
    assert message in error.value.message and error.value.hint and error.value.place


def test_rows_of_no_resource_are_counted() -> None:
    row = {"_cq_id": "1", "id": "https://v.vault.azure.net/secrets/s", "subscription_id": "s"}
    (skipped,) = told("azure_keyvault_keyvault_secrets", row, row, tool=cloudquery)
    assert isinstance(skipped, Skipped) and skipped.count == 2
    assert "are no resources of Azure" in skipped.reason
    older = exported.cloudquery_row(store())
    older.pop("properties")
    (skipped,) = told("azure_storage_accounts", older, tool=cloudquery)
    assert isinstance(skipped, Skipped) and "lack properties" in skipped.reason


def test_without_a_name_the_type_says_the_table() -> None:
    row = exported.steampipe_row(nsg("g", rule()))
    data = json.dumps([row]).encode()
    assert steampipe.recognise(head_of(data, "result.json")) >= 80
    assert {r.type for r in steampipe.read(Report(data, "result.json")) if isinstance(r, Resource)} == {
        "azure_microsoft_network_networksecuritygroups"}  # fmt: skip


def test_every_column_that_is_missing_leaves_a_resource_unread_or_as_it_was() -> None:
    for row in (*machine(rule()), *balanced(rule()), store(), blobs(), sql(), assigned(OWNER)):
        made = exported.steampipe_row(row)
        if made is None:
            continue
        table = exported.COLUMNS[exported.type_of(row)][0]
        whole = [r for r in told(table, made) if isinstance(r, Resource)]
        for column in set(made) - {"id", "type", "name", "title", "akas", "region", "tags"}:
            cut = {k: v for k, v in made.items() if k != column}
            records = told(table, cut)
            if any(isinstance(r, Skipped) for r in records):
                assert not [r for r in records if isinstance(r, Resource)]
            else:
                kept = [r for r in records if isinstance(r, Resource)]
                mine, theirs = (json.loads(r.config) for r in (kept[0], whole[0]))
                lost = {k for k in theirs if mine.get(k) != theirs[k]}
                assert lost <= {"vmId", "isHnsEnabled", "principalType", "assignableScopes",
                                "addressSpace", "defaultSecurityRules", "networkInterfaces", "state",
                                "storageProfile", "fullyQualifiedDomainName"}, (table, column, lost)  # fmt: skip


def test_what_the_api_said_is_not_replaced_by_a_part() -> None:
    rows = machine(rule())
    by_rows = read(cloudquery, exported.cloudquery(rows))
    for found in ([*raw_records(*rows), *by_rows], [*by_rows, *raw_records(*rows)]):
        item = estate_of(found).items[VM.lower()]
        assert item.unfinished("type") == ""


# Cartography


class Graph(exported_graph.Blank):
    """Resources and directory objects as the models of Cartography keep them."""

    def __init__(self, rows: Iterable[Row]) -> None:
        super().__init__()
        for row in rows:
            self.draw(row)

    def draw(self, row: Row) -> None:
        uid, inner, kind = row["id"], row.get("properties", {}), exported.type_of(row)
        about = {"name": row.get("name"), "location": row.get("location")}
        if kind.endswith("/roleassignments"):
            condition = inner.get("condition")
            self.plain("AzureRoleAssignment", uid, name=row["name"], scope=inner["scope"],
                       principal_id=inner["principalId"], principal_type=inner["principalType"],
                       role_definition_id=inner["roleDefinitionId"],
                       condition=json.dumps(condition) if condition else None)  # fmt: skip
        elif kind.endswith("/roledefinitions"):
            role = self.plain("AzureRoleDefinition", uid, "PermissionRole", name=row["name"],
                              role_name=inner["roleName"])  # fmt: skip
            for number, block in enumerate(inner["permissions"]):
                made = self.plain("AzurePermissions", f"{uid}/{number}", actions=block.get("actions"),
                                  not_actions=block.get("notActions"))  # fmt: skip
                self.tie(role, "HAS_PERMISSIONS", made)
        elif kind == "microsoft.network/networksecuritygroups":
            group = self.plain("AzureNetworkSecurityGroup", uid, "NetworkAccessControl", **about)
            for number, found in enumerate(inner.get("securityRules", [])):
                told = {exported.snake(k): v for k, v in found["properties"].items()}
                made = self.plain("AzureNetworkSecurityRule", f"{uid}/securityRules/{number}", "IpRule",
                                  name=found["name"], is_default=False, **told)  # fmt: skip
                self.tie(made, "MEMBER_OF_AZURE_NSG", group)
        elif kind == "microsoft.sql/servers":
            self.plain("AzureSQLServer", uid, "Database", **about, state=inner.get("state"),
                       public_network_access=inner.get("publicNetworkAccess") or "Enabled")  # fmt: skip
        elif kind == "microsoft.sql/servers/firewallrules":
            self.plain("AzureSQLServerFirewallRule", uid, name=row["name"],
                       start_ip_address=inner.get("startIpAddress"),
                       end_ip_address=inner.get("endIpAddress"))  # fmt: skip
        elif kind == "microsoft.compute/virtualmachines":
            who = row.get("identity") or {}
            self.plain("AzureVirtualMachine", uid.lower(), "ComputeInstance", **about, size="s",
                       identity_type=who.get("type"),
                       identity_principal_ids=[who["principalId"]] if who.get("principalId") else [])  # fmt: skip
        elif "/subscriptions/" in uid and uid.count("/") == 2:
            chain = inner.get("managementGroupAncestorsChain", [{}])
            above = f"/providers/Microsoft.Management/managementGroups/{chain[0].get('name')}"
            self.plain("AzureSubscription", uid.rpartition("/")[2], "Tenant", path=uid, name="shop",
                       state="Enabled", parent_management_group_id=above)  # fmt: skip
        elif "/denyassignments/" not in uid.lower() and "schedule" not in uid.lower():
            self.plain("AzureStorageAccount", uid, **about, kind=row.get("kind"))


GRAPHED = [c for c in POWERS if c[0] not in ("denied", "eligible")]


@pytest.mark.parametrize(("rows", "value"), [c[1:3] for c in GRAPHED], ids=[c[0] for c in GRAPHED])
@pytest.mark.parametrize("form", ["lines", "json", "ids"])
def test_power_of_a_person_by_a_graph(rows: list[Row], value: str, form: str) -> None:
    found = powers(read(cartography, [Graph(rows).report(form)])).get(f"entra:{ANA}")
    assert found is not None
    # Owner of the root and above it: the graph has the direct parent of a subscription.
    assert found.value == ("unknown" if value == "no" else value), found.evidence


_LABELS = ("AzureRoleAssignment", "AzureRoleDefinition", "AzurePermissions", "AzureVirtualMachine",
           "AzureSubscription")  # fmt: skip


@pytest.mark.parametrize("label", [*_LABELS, "HAS_PERMISSIONS"])
def test_what_was_not_exported_of_a_graph_takes_no_power(label: str) -> None:
    for name, rows, _, _ in GRAPHED:
        graph = Graph(rows)
        graph.entries = [e for e in graph.entries
                         if label not in e.get("labels", ()) and e.get("label") != label]  # fmt: skip
        found = powers(cartography.read(graph.report()) if graph.entries else ())
        assert f"entra:{ANA}" not in found or found[f"entra:{ANA}"].value != "no", name


def test_groups_and_servers_of_a_graph() -> None:
    kept: Counter[tuple[str, str]] = Counter()
    kinds = ("microsoft.network/networksecuritygroups", "microsoft.sql/servers",
             "microsoft.sql/servers/firewallrules", "microsoft.storage/storageaccounts",
             "microsoft.compute/virtualmachines")  # fmt: skip
    for uid, name, rows, value in FLIPS:
        if exported.type_of({"id": uid}) not in kinds or "databases" in uid:
            continue
        there = [r for r in rows if exported.type_of(r) in kinds]
        wanted = judged(raw(there), uid)
        found = judged(estate_of(read(cartography, [Graph(there).report()])), uid)
        assert wanted is not None and found is not None
        kept[wanted.value, found.value] += 1
        assert found.value in (wanted.value, "unknown"), (uid, name, found, wanted)
        assert "perimeter" in name or (value, found.value) != ("yes", "no"), (uid, name)
    assert kept["yes", "yes"] > 12 and kept["no", "no"] > 8, kept


def test_a_rule_for_a_group_of_applications_leaves_the_rules_unknown() -> None:
    graph = Graph([nsg("g", rule(), rule("asg", 90))])
    for entry in graph.entries:
        if entry.get("properties", {}).get("name") == "asg":
            entry["properties"].pop("destination_address_prefix")
    (found,) = exposure(estate_of(cartography.read(graph.report())))
    assert found.value == "unknown" and "rules were not read" in found.evidence[0].text


def test_the_directory_of_a_graph() -> None:
    rows = [SUBSCRIPTION, assigned(OWNER, "cccccccc-1")]
    graph = Graph(rows)
    ana = graph.plain("EntraUser", ANA, "UserAccount", display_name="Ana", account_enabled=True,
                      user_principal_name="ana@x.test")  # fmt: skip
    group = graph.plain("EntraGroup", "cccccccc-1", "UserGroup", display_name="ops",
                        security_enabled=True)  # fmt: skip
    graph.tie(ana, "MEMBER_OF", group)
    found = powers(read(cartography, [graph.report()]))[f"entra:{ANA}"]
    assert found.value == "yes"
    graph.entries = [e for e in graph.entries if e.get("label") != "MEMBER_OF"]
    found = powers(cartography.read(graph.report()))[f"entra:{ANA}"]
    assert found.value == "unknown" and "member of ops" in str(found.evidence)
    graph.plain("EntraRoleAssignment", "a", principal_id=ANA, directory_scope_id="/",
                role_definition_id="62e90394-69f5-4237-9190-012177145e10")  # fmt: skip
    assert powers(cartography.read(graph.report()))[f"entra:{ANA}"].value == "yes"


def test_other_resources_of_a_graph_are_known_to_be_there() -> None:
    graph = Graph([store()])
    interface = f"{RG}/providers/Microsoft.Network/networkInterfaces/nic"
    graph.plain("AzureNetworkInterface", interface, name="nic")
    estate = estate_of(cartography.read(graph.report()))
    (item,) = estate.items.values()
    assert item.type == "azure_microsoft_storage_storageaccounts"
    (found,) = exposure(estate)
    assert found.value == "unknown" and "configuration was not read" in found.evidence[0].text
    both = estate_of([*cartography.read(graph.report()), *raw_records(store(), blobs())])
    assert {s.value for s in exposure(both)} == {"yes"}


@pytest.mark.parametrize(("label", "change", "reason"), [
    ("AzureRoleAssignment", {"principal_id": None}, "lacks 'principal_id'"),
    ("AzureRoleAssignment", {"condition": "{"}, "wrong shape"),
    ("AzureRoleDefinition", {"role_name": None}, "lacks 'role_name'"),
])  # fmt: skip
def test_broken_nodes_are_counted(label: str, change: Row, reason: str) -> None:
    graph = Graph([SUBSCRIPTION, definition("*"), assigned("custom")])
    node = next(e for e in graph.entries if label in e.get("labels", ()))
    node["properties"] = {k: v for k, v in (node["properties"] | change).items() if v is not None}
    records = read(cartography, [graph.report()])
    (skipped,) = (r for r in records if isinstance(r, Skipped))
    assert reason in skipped.reason and not skipped.harmless
    found = powers(records).get(f"entra:{ANA}")
    assert found is None or found.value == "unknown"
