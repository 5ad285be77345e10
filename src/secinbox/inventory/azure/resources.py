"""One resource of Azure as record, aliases and relations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from secinbox.estate import PARTIAL
from secinbox.inventory._settings import kept, of_site
from secinbox.records import Alias, Relation, Resource
from secinbox.sources._cloud import azure_type

_ID = re.compile(r"/(subscriptions|providers|managementGroups)/", re.I)
_SUBSCRIPTION = re.compile(r"/subscriptions/([0-9a-f-]{8,})", re.I)


def is_resource(row: Mapping[str, Any]) -> bool:
    """It has an ARM id and says its type, or its id does."""
    identifier = row.get("id")
    return isinstance(identifier, str) and bool(_ID.match(identifier))


def is_assignment(row: Mapping[str, Any]) -> bool:
    """A role assignment or definition as `az role ... list` prints it."""
    return "roleDefinitionId" in row and "principalId" in row and "scope" in row


# Keys that API versions, client libraries and services spell differently, as they are asked for here.
_SPELLING = {
    name.lower(): name
    for name in (
        "publicIPAddress", "publicIPAddresses", "privateIPAddress", "frontendIPConfiguration",
        "frontendIPConfigurations", "backendIPConfiguration", "backendIPConfigurations",
        "ipConfigurations", "ipConfiguration", "ipAddress", "publicIPAddressConfiguration",
        "publicIPAddressVersion", "authorizedIPRanges", "enableRbacAuthorization", "ipRules",
        "networkAcls", "networkRuleSet", "ipSecurityRestrictions", "scmIpSecurityRestrictions",
        "scmIpSecurityRestrictionsUseMain", "ipSecurityRestrictionsDefaultAction",
        "allowBlobPublicAccess", "publicNetworkAccess", "sourceAddressPrefix", "natRules",
        "sourceAddressPrefixes", "destinationAddressPrefixes", "destinationPortRanges",
        "subnetId", "oidcIssuerProfile", "issuerUrl", "startIpAddress", "endIpAddress",
        "applicationGatewayBackendAddressPools", "loadBalancerBackendAddressPools", "ipMask",
        "ipAddressOrRange", "inboundIpRules", "managedEnvironmentId", "startIP", "endIP",
        "managementGroupAncestorsChain", "notDataActions", "dataActions", "notActions",
        "allowedIpRangeList", "publicDataEndpointEnabled", "enableNodePublicIP",
    )
}  # fmt: skip


def _key(name: str) -> str:
    return _SPELLING.get(name.lower()) or name[:1].lower() + name[1:]


def _lower_keys(value: Any) -> Any:
    """Resource Graph writes keys as the service does; one spelling of each is enough."""
    if isinstance(value, dict):
        return {_key(k): _lower_keys(v) for k, v in value.items() if isinstance(k, str)}
    if isinstance(value, list):
        return [_lower_keys(v) for v in value]
    return value


# What a list of resources says of each (`az resource list`, `az keyvault list`): nothing of its own.
_BARE = frozenset((
    "id", "name", "type", "location", "tags", "resourcegroup", "kind", "sku", "identity", "plan",
    "managedby", "zones", "extendedlocation", "systemdata", "subscriptionid", "tenantid", "changedtime",
    "createdtime", "provisioningstate", "properties", "etag", "managedbyextended", "apiversion",
))  # fmt: skip
LISTED = "listedOnly"


def only_listed(config: Mapping[str, Any]) -> bool:
    """Whether all that was read of a resource is that it exists."""
    return config.get(LISTED) is True and {str(k).lower() for k in config} <= {
        *_BARE,
        LISTED.lower(),
        PARTIAL,
    }


# What has environment variables of its own.
_RUNS = re.compile(r"/providers/microsoft\.(web|app|containerinstance|batch|resources)/", re.I)
_CONFIG = re.compile(r"/sites/[^/]+(?:/slots/[^/]+)?/config/(\w+)(?:/list)?/?$", re.I)


def _without_secrets(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without what must not be kept: values of settings, passwords of publishing."""
    found = _CONFIG.search(str(row.get("id") or ""))
    word = found.group(1).lower() if found else ""
    properties = row.get("properties")
    if word in ("appsettings", "connectionstrings"):
        inner = properties if isinstance(properties, dict) else {}
        return {**row, "properties": of_site(word, inner)}
    if word == "publishingcredentials":
        return {**row, "properties": {}}
    return dict(kept(dict(row))) if _RUNS.search(str(row.get("id") or "")) else dict(row)


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """`properties` lifted to the top at every level, as the command line prints it."""

    def lift(value: Any) -> Any:
        if isinstance(value, dict):
            inner = value.get("properties")
            out = {k: lift(v) for k, v in value.items() if k != "properties"}
            if isinstance(inner, dict):
                for key, entry in inner.items():
                    # What a resource calls its own type is not the type of the resource.
                    own = "typePropertiesType" if key == "type" and "type" in out else key
                    out.setdefault(own, lift(entry))
            elif inner is not None and "properties" in value:
                out["properties"] = lift(inner)
            return out
        return [lift(v) for v in value] if isinstance(value, list) else value

    row = _without_secrets(row)
    tags = row.get("tags")
    bare = not isinstance(row.get("properties"), dict) and {str(k).lower() for k in row} <= _BARE
    found = lift(_lower_keys({k: v for k, v in row.items() if k != "tags"}))
    if isinstance(found, dict) and tags is not None:
        found["tags"] = tags  # the customer's own words, in the customer's own case
    if isinstance(found, dict) and bare:
        found[LISTED] = True
    return found if isinstance(found, dict) else {}


def text(value: Any) -> str:
    """A text, or nothing."""
    return value if isinstance(value, str) else ""


def identifier(value: Any) -> str:
    """The lower-case id of a reference `{"id": ...}` or of a plain id."""
    if isinstance(value, dict):
        value = value.get("id")
    return value.lower().rstrip("/") if isinstance(value, str) else ""


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a list."""
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def type_of(row: Mapping[str, Any], uid: str) -> str:
    """`azure_microsoft_compute_virtualmachines`; a child bears its parent's kind and its own."""
    said = text(row.get("type")).lower()
    if said.count("/") >= 1 and said.startswith("microsoft."):
        return "azure_" + said.replace("/", "_").replace(".", "_")
    if re.fullmatch(r"/subscriptions/[^/]+", uid):
        return "azure_subscription"
    if re.fullmatch(r"/subscriptions/[^/]+/resourcegroups/[^/]+", uid):
        return "azure_resourcegroup"
    found = re.findall(r"/providers/([^/]+)/([^/]+)((?:/[^/]+/[^/]+)*)", uid)
    if found:
        space, word, rest = found[-1]
        # /servers/NAME/firewallRules/RULE: every other word is a type.
        words = [w for n, w in enumerate(rest.strip("/").split("/")) if n % 2 == 1] if rest else []
        parts = [space, word, *words]
        return "azure_" + "_".join(parts).lower().replace(".", "_")
    return azure_type(uid, said)


def record_of(row: dict[str, Any], place: str) -> Resource:
    """The resource with its whole configuration, `properties` lifted."""
    uid = identifier(row.get("id")) or f"/assignments/{text(row.get('name'))}"
    tags = row.get("tags")
    subscription = _SUBSCRIPTION.match(uid)
    account = text(row.get("subscriptionId")) or (subscription.group(1) if subscription else "")
    config = {k: v for k, v in row.items() if k not in ("tags", "id")}
    return Resource(
        uid=uid, type=type_of(row, uid), name=text(row.get("name")) or uid.rsplit("/", 1)[-1],
        provider="azure", account=account.lower(), region=text(row.get("location")),
        tags={str(k): str(v) for k, v in tags.items()} if isinstance(tags, dict) else {},
        aliases=tuple(_aliases(row, uid)), config=msgspec.json.encode(config).decode(), place=place,
    )  # fmt: skip


def _aliases(row: Mapping[str, Any], uid: str) -> Iterator[Alias]:
    if text(row.get("id")) and text(row["id"]) != uid:
        yield Alias(text(row["id"]))
    if text(row.get("vmId")):
        yield Alias(text(row["vmId"]).lower())
    if text(row.get("defaultHostName")):
        yield Alias(f"dns:{text(row['defaultHostName']).lower()}")
    if text(row.get("ipAddress")) and "publicipaddresses" in uid:
        yield Alias(f"ip:{row['ipAddress']}")
    identity = row.get("identity")
    principal = text(identity.get("principalId")) if isinstance(identity, dict) else ""
    if text(row.get("principalId")) and "userassignedidentities" in uid:
        principal = text(row["principalId"])
        if text(row.get("clientId")):
            yield Alias(text(row["clientId"]).lower())
            # How annotations of Kubernetes name it.
            yield Alias(f"azure-client:{text(row['clientId']).lower()}")
    if principal and "userassignedidentities" in uid:
        yield Alias(principal.lower())


def relations_of(row: Mapping[str, Any], uid: str) -> Iterator[Relation]:
    """What it runs as, where it is attached, what it is part of."""
    identity = row.get("identity")
    if isinstance(identity, dict):
        if text(identity.get("principalId")):
            yield Relation(source=uid, kind="has_identity",
                           target=f"entra:{text(identity['principalId']).lower()}")  # fmt: skip
        assigned = identity.get("userAssignedIdentities")
        for name, found in (assigned if isinstance(assigned, dict) else {}).items():
            yield Relation(source=uid, kind="has_identity", target=str(name).lower())
            del found
    if "/userassignedidentities/" in uid and uid.count("/") == 8 and text(row.get("principalId")):
        yield Relation(source=uid, kind="has_identity",
                       target=f"entra:{text(row['principalId']).lower()}")  # fmt: skip
    kubelets = row.get("identityProfile")
    kubelet = kubelets.get("kubeletidentity") if isinstance(kubelets, dict) else None
    if isinstance(kubelet, dict) and text(kubelet.get("objectId")):
        yield Relation(source=uid, kind="has_identity",
                       target=f"entra:{text(kubelet['objectId']).lower()}")  # fmt: skip
    profile = row.get("networkProfile")
    if isinstance(profile, dict):
        for interface in dicts(profile.get("networkInterfaces")):
            if identifier(interface):
                yield Relation(source=identifier(interface), kind="attached_to", target=uid)
    if identifier(row.get("networkSecurityGroup")):
        yield Relation(
            source=uid, kind="guarded_by", target=identifier(row["networkSecurityGroup"])
        )
    creation = row.get("creationData")
    if isinstance(creation, dict) and identifier(creation.get("sourceResourceId")):
        yield Relation(
            source=uid, kind="snapshot_of", target=identifier(creation["sourceResourceId"])
        )


_HOLDERS = {
    "user": "entra_user", "group": "entra_group", "serviceprincipal": "entra_serviceprincipal",
    "foreigngroup": "entra_group", "device": "entra_device",
}  # fmt: skip


def holders_of(row: Mapping[str, Any], place: str) -> Iterator[Resource]:
    """Who a role is assigned to: known at least by its id, where the directory was not exported."""
    principal = text(row.get("principalId")).lower()
    if not principal or not text(row.get("roleDefinitionId")):
        return
    name = text(row.get("principalName")) or principal
    kind = _HOLDERS.get(text(row.get("principalType")).lower(), "entra_object")
    yield Resource(
        uid=f"entra:{principal}", type=kind, name=name, provider="azure",
        aliases=tuple(Alias(n) for n in dict.fromkeys((principal, name.lower()))),
        config=msgspec.json.encode({"principalType": row.get("principalType")}).decode(),
        place=place,
    )  # fmt: skip
