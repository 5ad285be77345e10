"""Tables of Azure and Entra ID as the answers of their APIs that they were made of.

CloudQuery has the parts of a resource in columns, `properties` as a whole; of Steampipe only those tables
are read whose columns hold all that decides. A table may have been filtered: each resource says so
(`Item.unfinished("type")`), and a "no" that rests on what else there is becomes unknown. Sources: the
column lists of the Azure and Entra plugins of both (hub.steampipe.io, hub.cloudquery.io).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from secinbox.estate import PARTIAL
from secinbox.inventory._tables.columns import Field, fields_of, formed, put
from secinbox.inventory._tables.naming import AZURE, named_in
from secinbox.inventory._tables.rows import Row, camel, decoded
from secinbox.inventory.azure.entra import entra, objects_of
from secinbox.inventory.azure.resources import (
    flat,
    holders_of,
    is_resource,
    record_of,
    relations_of,
)
from secinbox.reading import ReportError
from secinbox.records import AnyRecord, Relation, Scope, Skipped

# Actions that the condition of a role assignment may bear on. No table of Steampipe keeps conditions.
_UNREAD = " ".join(
    f"ActionMatches{{'{action}'}}"
    for action in (
        "Microsoft.Authorization/roleAssignments/write",
        "Microsoft.Authorization/roleAssignments/delete",
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",
        "Microsoft.Storage/storageAccounts/queueServices/queues/messages/read",
    )
)


@dataclass(frozen=True)
class Table:
    """A table of Steampipe: the type of its resources, or the kind of its directory objects."""

    name: str
    type: str
    fields: tuple[Field, ...]


def _table(name: str, kind: str, fields: str) -> Table:
    return Table(name, kind, fields_of(fields))


_P = "properties."
_OWNERS = "owners?=owner_ids"
ALL: tuple[Table, ...] = (
    _table("azure_compute_virtual_machine", "Microsoft.Compute/virtualMachines",
           f"{_P}networkProfile.networkInterfaces! identity {_P}instanceView.statuses! {_P}vmId?:s "
           f"{_P}storageProfile.osDisk.managedDisk.id?:s=managed_disk_id"),
    _table("azure_network_interface", "Microsoft.Network/networkInterfaces",
           f"{_P}ipConfigurations! {_P}networkSecurityGroup.id:s=network_security_group_id"),
    _table("azure_public_ip", "Microsoft.Network/publicIPAddresses",
           f"{_P}ipAddress:a {_P}publicIPAddressVersion!:s=public_ip_address_version "
           "sku.name!:s=sku_name"),
    _table("azure_virtual_network", "Microsoft.Network/virtualNetworks",
           f"{_P}subnets! {_P}addressSpace.addressPrefixes?"),
    _table("azure_subnet", "Microsoft.Network/virtualNetworks/subnets",
           f"{_P}addressPrefix?:s {_P}networkSecurityGroup.id:s=network_security_group_id"),
    _table("azure_network_security_group", "Microsoft.Network/networkSecurityGroups",
           f"{_P}securityRules! {_P}defaultSecurityRules? {_P}subnets {_P}networkInterfaces?"),
    _table("azure_lb", "Microsoft.Network/loadBalancers",
           f"sku.name!:s=sku_name {_P}frontendIPConfigurations!=frontend_ip_configurations "
           f"{_P}backendAddressPools {_P}loadBalancingRules {_P}inboundNatRules {_P}inboundNatPools "
           f"{_P}outboundRules"),
    _table("azure_storage_account", "Microsoft.Storage/storageAccounts",
           f"kind!:s {_P}allowBlobPublicAccess:b {_P}allowSharedKeyAccess:b {_P}publicNetworkAccess:s "
           f"{_P}networkAcls.defaultAction!:s=network_rule_default_action "
           f"{_P}networkAcls.bypass:s=network_rule_bypass {_P}networkAcls.ipRules=network_ip_rules "
           f"{_P}networkAcls.virtualNetworkRules=virtual_network_rules {_P}privateEndpointConnections "
           f"{_P}isHnsEnabled?:b"),
    _table("azure_storage_container", "Microsoft.Storage/storageAccounts/blobServices/containers",
           f"{_P}publicAccess:s {_P}deleted:b"),
    _table("azure_sql_server", "Microsoft.Sql/servers",
           f"{_P}publicNetworkAccess!:s {_P}state?:s {_P}firewallRules=firewall_rules "
           f"{_P}fullyQualifiedDomainName?:s"),
    _table("azure_mysql_flexible_server", "Microsoft.DBforMySQL/flexibleServers",
           f"{_P}network! {_P}state:s"),
    _table("azure_postgresql_flexible_server", "Microsoft.DBforPostgreSQL/flexibleServers",
           f"{_P}network! {_P}state:s {_P}firewallRules=firewall_rules"),
    _table("azure_compute_disk", "Microsoft.Compute/disks",
           f"{_P}networkAccessPolicy:s {_P}publicNetworkAccess:s {_P}dataAccessAuthMode:s "
           f"{_P}diskState!:s {_P}creationData.sourceResourceId?:s=creation_data_source_resource_id"),
    _table("azure_role_assignment", "Microsoft.Authorization/roleAssignments",
           f"{_P}scope!:s {_P}principalId!:s {_P}principalType?:s {_P}roleDefinitionId!:s"),
    _table("azure_role_definition", "Microsoft.Authorization/roleDefinitions",
           f"{_P}roleName!:s {_P}permissions! {_P}assignableScopes?=assignable_scopes"),
    _table("azuread_user", "user",
           "displayName?:s userPrincipalName!:s accountEnabled!:b userType?:s mail?:s"),
    _table("azuread_group", "group",
           "displayName?:s securityEnabled?:b isAssignableToRole?:b members?=member_ids " + _OWNERS),
    _table("azuread_service_principal", "servicePrincipal",
           "displayName?:s appId!:s accountEnabled!:b servicePrincipalType!:s " + _OWNERS),
    _table("azuread_application", "application", "displayName?:s appId!:s signInAudience?:s " + _OWNERS),
    _table("azuread_directory_role", "directoryRole",
           "displayName?:s roleTemplateId!:s members?=member_ids"),
    _table("azuread_directory_role_assignment", "roleAssignments",
           "principalId!:s roleDefinitionId!:s directoryScopeId:s appScopeId:s"),
)  # fmt: skip
TABLES = {table.name: table for table in ALL}
_BY_TYPE = {t.type.lower(): t for t in ALL if "/" in t.type}
# What may run as an identity: without the column nobody knows whether it does.
_RUNS = re.compile(
    r"/providers/microsoft\.(compute/virtualmachines|compute/virtualmachinescalesets|web/sites|"
    r"containerinstance/containergroups|app/containerapps|app/jobs|logic/workflows|automation/"
    r"automationaccounts|datafactory/factories|containerservice/managedclusters)/[^/]+$", re.I
)  # fmt: skip


def recognises(name: str, columns: frozenset[str], cloudquery: bool) -> int:
    """How surely rows with these columns, in a file of this name, are of Azure, 0 to 100."""
    if "id" not in columns:
        return 0
    if cloudquery:
        told = named_in(name, AZURE) or {"subscription_id", "properties"} <= columns
        return 90 if told else 0
    if columns >= {"akas", "cloud_environment", "subscription_id", "type"}:
        return 90
    return 86 if named_in(name, AZURE) in TABLES and columns & {"title", "akas", "type"} else 0


def records(rows: Iterator[tuple[str, Row]], path: str, cloudquery: bool) -> Iterator[AnyRecord]:
    """What the rows of one export say. Raises ReportError for a table that is not read."""
    stem = named_in(path, AZURE)
    lacking: Counter[str] = Counter()
    for place, raw in rows:
        row = decoded(raw)
        found = _told(row, stem, place, cloudquery)
        if isinstance(found, str):
            lacking[found] += 1
        else:
            yield from found
    for why, count in sorted(lacking.items()):
        yield Skipped(reason=f"rows of {stem or 'a table'} {why}", count=count)


def _told(row: Row, stem: str, place: str, cloudquery: bool) -> Iterator[AnyRecord] | str:
    """What a row says, or why nothing."""
    if cloudquery:
        answer, missing = _answer(row), _unread(row)
        if not is_resource(row):
            return "are no resources of Azure"
    else:
        table = TABLES.get(stem) or _BY_TYPE.get(str(row.get("type")).lower())
        if table is None:
            raise ReportError(f"the table {stem or 'of these rows'} is not read", place,
                              "import what the cloud's own tools print; docs/guides/clouds.md says how")  # fmt: skip
        if not isinstance(row.get("id"), str):
            raise ReportError(f"a row of {table.name} without an id", place, "export all columns")
        answer, missing = _flattened(table, row)
        if table.name.startswith("azuread_"):
            return _lacks(missing) if missing else _object(table, answer, place)
        if not is_resource(answer):
            raise ReportError(f"the id of a row of {table.name} is none of Azure", place,
                              "export the table again")  # fmt: skip
    why = f"it comes from rows of {stem or 'a table'}, of which some may be missing"
    return _lacks(missing) if missing else resource(answer, {"type": why}, place)


def _lacks(missing: list[str]) -> str:
    return f"lack {', '.join(missing)} and say nothing without: export all columns"


def _answer(row: Row) -> Row:
    """A row of CloudQuery with the names of the API; null is what the resource does not have."""
    found: Row = {}
    for column, value in row.items():
        if value is not None and not column.startswith("_cq_"):
            name = camel(column)
            found[name[:1].lower() + name[1:]] = value
    return found


def _unread(row: Row) -> list[str]:
    uid = str(row.get("id"))
    # A subscription has its properties beside its name.
    missing = [] if re.fullmatch(r"/subscriptions/[^/]+", uid) else ["properties"]
    if _RUNS.search(uid):
        missing.append("identity")
    return [c for c in missing if c not in row or (c == "properties" and not row[c])]


def _flattened(table: Table, row: Row) -> tuple[Row, list[str]]:
    """A row of Steampipe as the API answered it, and columns that were not exported."""
    value: Row = {"id": row["id"], "name": row.get("name")}
    if "/" in table.type:
        value |= {"type": table.type, "location": row.get("region"), "tags": row.get("tags")}
    missing = []
    for field in table.fields:
        known, found = field.column in row, formed(field, row.get(field.column))
        if found is None:
            if field.always or (field.wanted and not known):
                missing.append(field.column)
            continue
        put(value, field.path, found)
    if table.name == "azure_role_assignment":
        value.setdefault("properties", {})["condition"] = _UNREAD
    return {k: v for k, v in value.items() if v is not None}, missing


def resource(answer: Row, partial: dict[str, str], place: str) -> Iterator[AnyRecord]:
    """A resource as the API answers it. `partial`: keys of which a part is told, and why; `type` stands
    for the whole."""
    found = flat(answer)
    record = record_of(found, place)
    config = msgspec.json.decode(record.config, type=dict[str, Any])
    config |= {"type": config.get("type") or record.type, PARTIAL: partial}
    record.config = msgspec.json.encode(config).decode()
    yield record
    yield from relations_of(found, record.uid)
    yield from holders_of(found, place)


def _object(table: Table, answer: Row, place: str) -> Iterator[AnyRecord]:
    """A directory object with the identifiers of its members and owners."""
    members, owners = answer.pop("members", None), answer.pop("owners", None)
    answer.pop("name", None)
    if table.type != "roleAssignments":
        answer["@odata.type"] = f"#microsoft.graph.{table.type}"
    yield from objects_of(answer, (table.type, None, None), place)
    uid = entra(str(answer["id"]))
    if isinstance(members, list):
        # The list of one object is whole, however many objects were left out.
        yield Scope(key=f"{uid}/members", types=(), tool="azure", pages=True)
        for member in members:
            yield Relation(source=entra(str(member)), kind="member_of", target=uid, place=place)
    for owner in owners if isinstance(owners, list) else ():
        yield Relation(source=uid, kind="owned_by", target=entra(str(owner)), place=place)
