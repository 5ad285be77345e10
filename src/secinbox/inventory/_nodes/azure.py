"""Nodes of Azure and Entra ID as the answers of their APIs that they were made of.

The graph keeps role assignments, definitions, security rules and the directory whole; of most other
resources it keeps that they are there, and nothing that closes them: those are told as listed only. It
does not say whether a machine runs. Sources: the Azure and Entra schemas in Cartography's documentation,
and its data models of versions of 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from secinbox.inventory._nodes.graph import Graph, Node
from secinbox.inventory._tables.azure import resource
from secinbox.inventory.azure.entra import entra, objects_of
from secinbox.records import AnyRecord, Relation, Skipped

Value = dict[str, Any]
_WHY = "it comes from a graph, which may be a part and keeps a part of it"
_IDENTITY = "the graph is of a version that does not say whether it has an identity"
_ARM = re.compile(r"/subscriptions/[^/]+/(?:resourcegroups/[^/]+/)?providers/(?!microsoft\.network/)[^/]+/", re.I)  # fmt: skip
_RULE_OF = re.compile(r"/(firewallrules|securityrules|subnets)/", re.I)


def _arm(node: Node, kind: str, **properties: Any) -> Value:
    kept = {k: v for k, v in properties.items() if v is not None}
    return {"id": node.need("id"), "name": node.text("name"), "type": kind,
            "location": node.text("location"), "properties": kept}  # fmt: skip


def _subscription(graph: Graph, node: Node) -> Value | None:
    above = node.text("parent_management_group_id").rpartition("/")[2]
    chain = [{"name": above}] if above else None
    found = _arm(node, "Microsoft.Resources/subscriptions", managementGroupAncestorsChain=chain,
                 state=node.get("state"))  # fmt: skip
    return {**found, "id": f"/subscriptions/{node.need('id').rpartition('/')[2]}"}


def _machine(graph: Graph, node: Node) -> Value | None:
    """Its interfaces are left out: nobody knows whether it runs."""
    return {**_arm(node, "Microsoft.Compute/virtualMachines", size=node.get("size")),
            "identity": {"type": node.text("identity_type")}}  # fmt: skip


_PREFIX = {"sourceAddressPrefix": "source_address_prefix",
           "sourceAddressPrefixes": "source_address_prefixes",
           "destinationAddressPrefix": "destination_address_prefix",
           "destinationAddressPrefixes": "destination_address_prefixes"}  # fmt: skip
_REST = {"protocol": "protocol", "direction": "direction", "access": "access", "priority": "priority",
         "sourcePortRange": "source_port_range", "sourcePortRanges": "source_port_ranges",
         "destinationPortRange": "destination_port_range",
         "destinationPortRanges": "destination_port_ranges"}  # fmt: skip


def _group(graph: Graph, node: Node) -> Value | None:
    """A rule that names application security groups has no prefix here: then nobody knows the rules."""
    label, rules = "AzureNetworkSecurityRule", []
    whole = not graph.gap("MEMBER_OF_AZURE_NSG")
    for row in graph.into(node, "MEMBER_OF_AZURE_NSG", of=label):
        if row.get("is_default") is True:
            continue
        told = row.told(**_PREFIX, **_REST)
        ends = [any(told.get(f"{e}AddressPrefix{s}") for s in ("", "es"))
                for e in ("source", "destination")]  # fmt: skip
        whole = whole and all(ends) and {"direction", "access", "priority"} <= set(told)
        rules.append({"name": row.text("name"), "properties": told})
    return _arm(node, "Microsoft.Network/networkSecurityGroups",
                securityRules=rules if whole else None)  # fmt: skip


def _server(graph: Graph, node: Node) -> Value | None:
    """Versions before May 2026 do not say whether it answers the public network."""
    if node.get("public_network_access") is None:
        return {"id": node.need("id"), "name": node.text("name"), "location": node.text("location")}
    return _arm(node, "Microsoft.Sql/servers", publicNetworkAccess=node.get("public_network_access"),
                state=node.get("state"))  # fmt: skip


def _opening(graph: Graph, node: Node) -> Value | None:
    return _arm(node, "Microsoft.Sql/servers/firewallRules", startIpAddress=node.get("start_ip_address"),
                endIpAddress=node.get("end_ip_address"))  # fmt: skip


def _assignment(graph: Graph, node: Node) -> Value | None:
    condition: Any = node.get("condition")
    if isinstance(condition, str):
        condition = msgspec.json.decode(condition)
    return _arm(node, "Microsoft.Authorization/roleAssignments", principalId=node.need("principal_id"),
                principalType=node.get("principal_type"), scope=node.need("scope"),
                roleDefinitionId=node.need("role_definition_id"), condition=condition)  # fmt: skip


def _definition(graph: Graph, node: Node) -> Value | None:
    """None where its permissions may not all be here."""
    blocks = [b.told(actions="actions", notActions="not_actions", dataActions="data_actions",
                     notDataActions="not_data_actions")
              for b in graph.out(node, "HAS_PERMISSIONS", to="AzurePermissions")]  # fmt: skip
    if not blocks or graph.gap("HAS_PERMISSIONS"):
        return None
    return _arm(node, "Microsoft.Authorization/roleDefinitions", roleName=node.need("role_name"),
                permissions=blocks)  # fmt: skip


KINDS: dict[str, Callable[[Graph, Node], Value | None]] = {
    "AzureSubscription": _subscription, "AzureVirtualMachine": _machine,
    "AzureNetworkSecurityGroup": _group, "AzureSQLServer": _server,
    "AzureSQLServerFirewallRule": _opening, "AzureRoleAssignment": _assignment,
    "AzureRoleDefinition": _definition,
}  # fmt: skip
# Directory objects: what they are in Microsoft Graph, and their properties.
_NAMES = {"displayName": "display_name", "accountEnabled": "account_enabled", "appId": "app_id"}
OBJECTS: dict[str, tuple[str, dict[str, str]]] = {
    "EntraUser": ("user", {**_NAMES, "userPrincipalName": "user_principal_name", "mail": "email"}),
    "EntraGroup": ("group", {**_NAMES, "securityEnabled": "security_enabled",
                             "isAssignableToRole": "is_assignable_to_role"}),
    "EntraServicePrincipal": ("servicePrincipal", {
        **_NAMES, "servicePrincipalType": "service_principal_type"}),
    "EntraApplication": ("application", {**_NAMES, "signInAudience": "sign_in_audience"}),
    "EntraRoleAssignment": ("roleAssignments", {
        "principalId": "principal_id", "roleDefinitionId": "role_definition_id",
        "directoryScopeId": "directory_scope_id", "appScopeId": "app_scope_id"}),
}  # fmt: skip


def records(graph: Graph) -> Iterator[AnyRecord]:
    """What the nodes of Azure and of its directory say."""
    told: set[str] = set()
    for label, maker in KINDS.items():
        for node in graph.of(label):
            told.add(node.id)
            yield from _resource(graph, label, maker, node)
    for node in graph.nodes.values():
        uid = node.text("id")
        fits = any(x.startswith("Azure") for x in node.labels) and node.id not in told
        if fits and _ARM.match(uid) and not _RULE_OF.search(uid):
            bare = {"id": uid, "name": node.text("name") or uid.rpartition("/")[2],
                    "location": node.text("location")}  # fmt: skip
            yield from resource(bare, {"type": _WHY}, node.place)
    for label, (kind, names) in OBJECTS.items():
        for node in graph.of(label):
            yield from _object(graph, kind, names, node)


def _resource(
    graph: Graph, label: str, maker: Callable[[Graph, Node], Value | None], node: Node
) -> Iterator[AnyRecord]:
    try:
        answer = maker(graph, node)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        yield node.skipped(label, error)
        return
    if answer is None:
        return
    why = {"type": _WHY}
    principals: Any = node.get("identity_principal_ids")
    if label == "AzureVirtualMachine" and not node.text("identity_type"):
        # Null is no identity, or a version that does not keep it.
        why["identity"] = _IDENTITY
    yield from resource(answer, why, node.place)
    for principal in principals if isinstance(principals, list) else ():
        yield Relation(source=str(answer["id"]).lower(), kind="has_identity",
                       target=entra(str(principal)), place=node.place)  # fmt: skip


def _object(graph: Graph, kind: str, names: dict[str, str], node: Node) -> Iterator[AnyRecord]:
    uid = node.text("id")
    if not uid:
        yield Skipped(reason=f"a node of a {kind} lacks its id", place=node.place)
        return
    row = {"id": uid, **node.told(**names)}
    if kind != "roleAssignments":
        row["@odata.type"] = f"#microsoft.graph.{kind}"
    yield from objects_of(row, (kind, None, None), node.place)
    for member in graph.into(node, "MEMBER_OF") if kind == "group" else ():
        yield Relation(source=entra(member.text("id")), kind="member_of", target=entra(uid),
                       place=node.place)  # fmt: skip
    for owner in graph.into(node, "OWNER_OF"):
        yield Relation(source=entra(uid), kind="owned_by", target=entra(owner.text("id")),
                       place=node.place)  # fmt: skip
