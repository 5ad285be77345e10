"""Resources of the azurerm provider as Azure Resource Manager would answer them.

Source: the schemas of the azurerm provider (registry.terraform.io).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from secinbox.inventory.azure.resources import flat, holders_of, record_of, relations_of
from secinbox.inventory.terraform.blocks import Block
from secinbox.records import AnyRecord

_RULE = {
    "name": "name", "direction": "direction", "access": "access", "protocol": "protocol",
    "source_address_prefix": "sourceAddressPrefix", "destination_port_range": "destinationPortRange",
    "destination_address_prefix": "destinationAddressPrefix",
}  # fmt: skip
_RULES = {
    "source_address_prefixes": "sourceAddressPrefixes",
    "destination_port_ranges": "destinationPortRanges",
    "destination_address_prefixes": "destinationAddressPrefixes",
}  # fmt: skip


def records(blocks: list[Block]) -> Iterator[AnyRecord]:
    """All resources of the provider that a state or plan holds."""
    links = _Links(blocks)
    for block in blocks:
        make = _BY_TYPE.get(block.type)
        identifier = block.text("id")
        if make is None or not identifier.startswith(("/subscriptions/", "/providers/")):
            continue
        identifier = identifier.split("|", 1)[0]
        tags = block.values.get("tags")
        row = flat({
            "id": identifier, "name": block.text("name") or identifier.rsplit("/", 1)[-1],
            "location": block.text("location"), "tags": tags if isinstance(tags, dict) else {},
            **_identity(block), **make(block, links),
        })  # fmt: skip
        record = record_of(row, block.place)
        yield record
        yield from relations_of(row, record.uid)
        yield from holders_of(row, block.place)


class _Links:
    """Resources that only tie two others together, and rules written on their own."""

    def __init__(self, blocks: list[Block]) -> None:
        self.group_of: dict[str, str] = {}
        self.rules: dict[str, list[Block]] = defaultdict(list)
        self.table_of: dict[str, str] = {}
        self.routes: dict[str, list[Block]] = defaultdict(list)
        groups = {b.text("name"): b.text("id") for b in blocks
                  if b.type == "azurerm_network_security_group"}  # fmt: skip
        for block in blocks:
            group = block.text("network_security_group_id")
            for field in ("network_interface_id", "subnet_id"):
                if group and block.type.endswith("_association") and block.text(field):
                    self.group_of[block.text(field).lower()] = group
            if block.type == "azurerm_network_security_rule":
                name = groups.get(block.text("network_security_group_name"), "")
                name = name or block.text("id").partition("/securityRules/")[0]
                self.rules[name.lower()].append(block)
            if block.type == "azurerm_subnet_route_table_association":
                self.table_of[block.text("subnet_id").lower()] = block.text("route_table_id")
            if block.type == "azurerm_route":
                self.routes[block.text("id").partition("/routes/")[0].lower()].append(block)


def _identity(block: Block) -> dict[str, Any]:
    found = block.first("identity")
    if not found.values:
        return {}
    named: dict[str, dict[str, Any]] = {i: {} for i in found.texts("identity_ids")}
    return {"identity": {"principalId": found.text("principal_id") or None,
                         "userAssignedIdentities": named}}  # fmt: skip


def _group(block: Block, links: _Links) -> dict[str, Any]:
    rows = [*block.rows("security_rule"), *links.rules.get(block.text("id").lower(), ())]
    out: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.text("name"):
            out[row.text("name")] = {
                **{to: row.text(name) for name, to in _RULE.items() if row.text(name)},
                **{to: row.texts(name) for name, to in _RULES.items() if row.texts(name)},
                "priority": row.number("priority"),
                "destinationApplicationSecurityGroups": [
                    {"id": i} for i in row.texts("destination_application_security_group_ids")],
            }  # fmt: skip
    return {"securityRules": list(out.values())}


def _interface(block: Block, links: _Links) -> dict[str, Any]:
    rows = []
    for row in block.rows("ip_configuration"):
        made: dict[str, Any] = {"name": row.text("name"),
                                "privateIPAddress": row.text("private_ip_address")}  # fmt: skip
        if row.text("subnet_id"):
            made["subnet"] = {"id": row.text("subnet_id")}
        if row.text("public_ip_address_id"):
            made["publicIPAddress"] = {"id": row.text("public_ip_address_id")}
        rows.append(made)
    out: dict[str, Any] = {"ipConfigurations": rows}
    group = links.group_of.get(block.text("id").lower())
    if group:
        out["networkSecurityGroup"] = {"id": group}
    return out


def _subnet(block: Block, links: _Links) -> dict[str, Any]:
    number = block.text("id").lower()
    group, table = links.group_of.get(number), links.table_of.get(number)
    return ({"networkSecurityGroup": {"id": group}} if group else {}) | (
        {"routeTable": {"id": table}} if table else {})  # fmt: skip


def _table(block: Block, links: _Links) -> dict[str, Any]:
    rows = [*block.rows("route"), *links.routes.get(block.text("id").lower(), ())]
    return {"routes": [{
        "name": r.text("name"), "addressPrefix": r.text("address_prefix"),
        "nextHopType": r.text("next_hop_type"), "nextHopIpAddress": r.text("next_hop_in_ip_address"),
    } for r in rows]}  # fmt: skip


def _machine(block: Block, links: _Links) -> dict[str, Any]:
    del links
    return {"type": "Microsoft.Compute/virtualMachines", "vmId": block.text("virtual_machine_id"),
            "networkProfile": {"networkInterfaces": [
                {"id": i} for i in block.texts("network_interface_ids")]}}  # fmt: skip


def _address(block: Block, links: _Links) -> dict[str, Any]:
    del links
    return {"ipAddress": block.text("ip_address"), "sku": {"name": block.text("sku") or "Basic"}}


def _rules(block: Block, name: str) -> dict[str, Any] | None:
    found = block.first(name)
    if not found.text("default_action"):
        return None
    return {"defaultAction": found.text("default_action"),
            "ipRules": [{"value": v} for v in found.texts("ip_rules")]}  # fmt: skip


def _network(block: Block) -> str:
    return "Disabled" if block.values.get("public_network_access_enabled") is False else "Enabled"


def _storage(block: Block, links: _Links) -> dict[str, Any]:
    del links
    open_ = block.values.get("allow_nested_items_to_be_public")
    open_ = block.values.get("allow_blob_public_access") if open_ is None else open_
    out: dict[str, Any] = {"publicNetworkAccess": _network(block)}
    if isinstance(open_, bool):
        out["allowBlobPublicAccess"] = open_
    rules = _rules(block, "network_rules")
    return out | ({"networkAcls": rules} if rules else {})


def _container(block: Block, links: _Links) -> dict[str, Any]:
    del links
    level = {"private": "None"}.get(block.text("container_access_type"),
                                    block.text("container_access_type"))  # fmt: skip
    return {"publicAccess": level or "None"}


def _server(block: Block, links: _Links) -> dict[str, Any]:
    del links
    return {"publicNetworkAccess": _network(block)}


def _fire(block: Block, links: _Links) -> dict[str, Any]:
    del links
    return {"startIpAddress": block.text("start_ip_address"),
            "endIpAddress": block.text("end_ip_address")}  # fmt: skip


def _vault(block: Block, links: _Links) -> dict[str, Any]:
    del links
    rules = _rules(block, "network_acls")
    policies = [
        {"objectId": p.text("object_id"), "permissions": {"secrets": p.texts("secret_permissions")}}
        for p in block.rows("access_policy")
    ]
    rbac = block.values.get("rbac_authorization_enabled") is True or (
        block.values.get("enable_rbac_authorization") is True
    )
    return {"publicNetworkAccess": _network(block), "enableRbacAuthorization": rbac,
            "accessPolicies": policies} | ({"networkAcls": rules} if rules else {})  # fmt: skip


def _kubernetes(block: Block, links: _Links) -> dict[str, Any]:
    del links
    ranges = block.texts("api_server_authorized_ip_ranges")
    ranges = ranges or block.first("api_server_access_profile").texts("authorized_ip_ranges")
    return {"fqdn": block.text("fqdn"), "apiServerAccessProfile": {
        "enablePrivateCluster": block.values.get("private_cluster_enabled") is True,
        "authorizedIPRanges": ranges}}  # fmt: skip


def _assignment(block: Block, links: _Links) -> dict[str, Any]:
    del links
    return {"principalId": block.text("principal_id"), "scope": block.text("scope"),
            "roleDefinitionId": block.text("role_definition_id"),
            "roleDefinitionName": block.text("role_definition_name"),
            "principalType": block.text("principal_type"),
            "condition": block.text("condition") or None}  # fmt: skip


def _managed(block: Block, links: _Links) -> dict[str, Any]:
    del links
    return {"principalId": block.text("principal_id"), "clientId": block.text("client_id")}


def _site(block: Block, links: _Links) -> dict[str, Any]:
    del links
    config = block.first("site_config")
    rows = []
    for row in config.rows("ip_restriction"):
        tag = row.text("service_tag")
        rows.append({
            "ipAddress": tag or row.text("ip_address"), "tag": "ServiceTag" if tag else "Default",
            "action": row.text("action") or "Allow", "priority": row.number("priority"),
            "vnetSubnetResourceId": row.text("virtual_network_subnet_id") or None,
        })  # fmt: skip
    return {
        "type": "Microsoft.Web/sites", "kind": "functionapp" if "function" in block.type else "app",
        "state": "Stopped" if block.values.get("enabled") is False else "Running",
        "publicNetworkAccess": _network(block), "defaultHostName": block.text("default_hostname"),
        "siteConfig": {"ipSecurityRestrictions": rows, "ipSecurityRestrictionsDefaultAction":
                       config.text("ip_restriction_default_action") or None},
    }  # fmt: skip


def _endpoint(block: Block, links: _Links) -> dict[str, Any]:
    """Services with a switch and network rules."""
    del links
    out: dict[str, Any] = {"publicNetworkAccess": _network(block)}
    for name in ("network_acls", "network_rule_set"):
        rules = _rules(block, name)
        if rules:
            out["networkAcls"] = rules
    if block.values.get("anonymous_pull_enabled") is True:
        out["anonymousPullEnabled"] = True
    return out


def _flexible(block: Block, links: _Links) -> dict[str, Any]:
    del links
    return {"network": {"publicNetworkAccess": _network(block),
                        "delegatedSubnetResourceId": block.text("delegated_subnet_id") or None}}  # fmt: skip


def _cosmos(block: Block, links: _Links) -> dict[str, Any]:
    del links
    ranges = block.texts("ip_range_filter") or block.text("ip_range_filter").split(",")
    return {"publicNetworkAccess": _network(block), "ipRules": [
                {"ipAddressOrRange": r.strip()} for r in ranges if r.strip()],
            "isVirtualNetworkFilterEnabled":
                block.values.get("is_virtual_network_filter_enabled") is True}  # fmt: skip


def _containers(block: Block, links: _Links) -> dict[str, Any]:
    del links
    ports = [{"port": r.number("port")} for r in block.rows("exposed_port")]
    return {"ipAddress": {"type": block.text("ip_address_type") or "Public",
                          "ip": block.text("ip_address"), "ports": ports}}  # fmt: skip


def _container_app(block: Block, links: _Links) -> dict[str, Any]:
    del links
    found = block.first("ingress")
    rows = [{"action": r.text("action"), "ipAddressRange": r.text("ip_address_range")}
            for r in found.rows("ip_security_restriction")]  # fmt: skip
    return {"configuration": {"ingress": {
        "external": found.values.get("external_enabled") is True, "fqdn": found.text("fqdn"),
        "ipSecurityRestrictions": rows}} if found.values else {}}  # fmt: skip


def _nothing(block: Block, links: _Links) -> dict[str, Any]:
    del block, links
    return {}


_BY_TYPE: dict[str, Callable[[Block, _Links], dict[str, Any]]] = {
    "azurerm_network_security_group": _group, "azurerm_network_interface": _interface,
    "azurerm_subnet": _subnet, "azurerm_route_table": _table, "azurerm_public_ip": _address,
    "azurerm_linux_virtual_machine": _machine, "azurerm_windows_virtual_machine": _machine,
    "azurerm_virtual_machine": _machine, "azurerm_storage_account": _storage,
    "azurerm_storage_container": _container, "azurerm_mssql_server": _server,
    "azurerm_sql_server": _server, "azurerm_postgresql_server": _server,
    "azurerm_mysql_server": _server, "azurerm_mssql_firewall_rule": _fire,
    "azurerm_sql_firewall_rule": _fire, "azurerm_postgresql_firewall_rule": _fire,
    "azurerm_mysql_firewall_rule": _fire, "azurerm_key_vault": _vault,
    "azurerm_kubernetes_cluster": _kubernetes, "azurerm_role_assignment": _assignment,
    "azurerm_user_assigned_identity": _managed, "azurerm_resource_group": _nothing,
    "azurerm_virtual_network": _nothing, "azurerm_linux_web_app": _site,
    "azurerm_windows_web_app": _site, "azurerm_linux_function_app": _site,
    "azurerm_windows_function_app": _site, "azurerm_postgresql_flexible_server": _flexible,
    "azurerm_mysql_flexible_server": _flexible,
    "azurerm_postgresql_flexible_server_firewall_rule": _fire,
    "azurerm_mysql_flexible_server_firewall_rule": _fire, "azurerm_cosmosdb_account": _cosmos,
    "azurerm_redis_cache": _endpoint, "azurerm_container_registry": _endpoint,
    "azurerm_cognitive_account": _endpoint, "azurerm_search_service": _endpoint,
    "azurerm_app_configuration": _endpoint, "azurerm_container_group": _containers,
    "azurerm_container_app": _container_app,
}  # fmt: skip
