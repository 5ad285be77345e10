"""One Google Cloud asset as resource, aliases and relations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from secinbox.inventory._settings import kept
from secinbox.inventory.gcp.identities import identities
from secinbox.records import Alias, Relation, Resource

# Keys of the envelope; the data inside keeps the API's own spelling.
_ENVELOPE = {
    "asset_type": "assetType", "iam_policy": "iamPolicy", "org_policy": "orgPolicy",
    "access_policy": "accessPolicy", "update_time": "updateTime", "access_level": "accessLevel",
    "service_perimeter": "servicePerimeter", "related_assets": "relatedAssets",
    "related_asset": "relatedAsset", "org_policies": "orgPolicy",
}  # fmt: skip
_PROJECT = re.compile(r"(?:^|/)projects/([^/]+)")
_LINK = re.compile(r"https://(?:www\.)?([a-z]+)\.googleapis\.com/(?:[a-z]+/)?(?:v\d\w*|beta)/(.*)")
_WWW = re.compile(r"https://www\.googleapis\.com/([a-z]+)/(?:v\d\w*|beta)/(.*)")


# What has environment variables of its own.
_RUNS = ("gcp_run_", "gcp_cloudfunctions_", "gcp_appengine_", "gcp_composer_", "gcp_cloudbuild_",
         "gcp_batch_")  # fmt: skip


@dataclass
class Asset:
    """A resource of Google Cloud with what was read of it."""

    uid: str
    type: str
    data: dict[str, Any] = field(default_factory=dict)
    policy: dict[str, Any] | None = None
    rules: list[Any] = field(default_factory=list)  # organisation policies set on it
    links: list[tuple[str, str]] = field(default_factory=list)  # relationships: kind, other asset
    ancestors: list[str] = field(default_factory=list)
    location: str = ""
    place: str = ""
    alone: bool = False  # a policy that was asked for by itself: others may be missing

    @property
    def project(self) -> str:
        """Project id or number, as far as anything says it."""
        found = _PROJECT.search(self.uid)
        if found:
            return found.group(1)
        number = self.data.get("projectNumber") or self.data.get("projectId")
        if isinstance(number, str | int):
            return str(number)
        return next((a.removeprefix("projects/") for a in self.ancestors
                     if a.startswith("projects/")), "")  # fmt: skip

    @property
    def number(self) -> str:
        """The project's number, where anything says it."""
        own = [a.removeprefix("projects/") for a in self.ancestors if a.startswith("projects/")]
        said = str(self.data.get("projectNumber") or "")
        return next((n for n in (*own, said) if n.isdigit()), "")

    def absorb(self, other: Asset) -> None:
        """Adds what another record says of the same asset."""
        self.data.update(other.data)
        self.policy = other.policy if other.policy is not None else self.policy
        self.rules += [r for r in other.rules if r not in self.rules]
        self.links += other.links
        self.ancestors = self.ancestors or other.ancestors
        self.location = self.location or other.location


def snake(word: str) -> str:
    """`InstanceGroupManager` as `instance_group_manager`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", word).lower()


def _type(asset_type: str) -> str:
    service, _, kind = asset_type.partition("/")
    return f"gcp_{service.split('.')[0]}_{snake(kind)}" if kind else f"gcp_{snake(service)}"


def asset_of(row: Mapping[str, Any], place: str) -> Asset:
    """A record of Cloud Asset Inventory, in either spelling of its envelope."""
    row = {_ENVELOPE.get(k, k): v for k, v in row.items()}
    inner = row.get("resource")
    inner = inner if isinstance(inner, dict) else {}
    data = inner.get("data")
    if isinstance(data, str):  # exports to BigQuery keep it as text
        try:
            data = msgspec.json.decode(data)
        except msgspec.DecodeError:
            data = None
    policy = row.get("iamPolicy")
    rules = row.get("orgPolicy")
    ancestors = row.get("ancestors")
    parent = inner.get("parent")
    found = Asset(
        uid=str(row["name"]), type=_type(str(row["assetType"])),
        data=dict(data) if isinstance(data, dict) else {},
        policy=dict(policy) if isinstance(policy, dict) else None,
        rules=list(rules) if isinstance(rules, list) else [],
        ancestors=[str(a) for a in ancestors] if isinstance(ancestors, list) else [],
        location=str(inner.get("location") or row.get("location") or ""), place=place,
        links=list(_links(row)),
    )  # fmt: skip
    if not found.data:
        # Access policies and searches keep what they know beside the envelope.
        for key in ("servicePerimeter", "accessLevel"):
            if isinstance(row.get(key), dict):
                found.data = dict(row[key])
        if isinstance(row.get("labels"), dict):
            found.data = {"labels": row["labels"]}
    project = row.get("project")
    if not found.ancestors and isinstance(project, str) and project.startswith("projects/"):
        folders, top = row.get("folders"), row.get("organization")
        found.ancestors = [project, *(str(f) for f in many(folders)), *([str(top)] if top else ())]
    if not found.ancestors and isinstance(parent, str) and "/" in parent:
        found.ancestors = [parent.split(".googleapis.com/", 1)[-1]]
    return found


def _links(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(kind, asset) of a relationship record, in its older and its newer form."""
    one = row.get("relatedAsset")
    if isinstance(one, dict) and isinstance(one.get("asset"), str):
        yield str(one.get("relationshipType") or one.get("relationship_type")), one["asset"]
    several = row.get("relatedAssets")
    if isinstance(several, dict):
        about = several.get("relationshipAttributes") or several.get("relationship_attributes")
        kind = str(about.get("type") or "") if isinstance(about, dict) else ""
        for found in many(several.get("assets")):
            if isinstance(found, dict) and isinstance(found.get("asset"), str):
                yield kind, found["asset"]


def name_of_link(link: str) -> str:
    """The full resource name of a self link; the link itself where it is none."""
    found = _WWW.match(link)
    if found:
        service, path = found.groups()
        path = path.removeprefix("b/") if service == "storage" else path
        return f"//{service}.googleapis.com/{path}"
    found = _LINK.match(link)
    return f"//{found.group(1)}.googleapis.com/{found.group(2)}" if found else link


def many(value: Any) -> list[Any]:
    """The elements of a list; nothing of anything else."""
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def record_of(asset: Asset) -> Resource:
    """The resource with its whole configuration."""
    data = asset.data
    labels = data.get("labels") or data.get("userLabels") or data.get("resourceLabels")
    settings = data.get("settings")
    if not labels and isinstance(settings, dict):
        labels = settings.get("userLabels")
    tags = {str(k): str(v) for k, v in labels.items()} if isinstance(labels, dict) else {}
    metadata = data.get("metadata")
    if not tags and isinstance(metadata, dict) and isinstance(metadata.get("labels"), dict):
        tags = {str(k): str(v) for k, v in metadata["labels"].items()}
    config: dict[str, Any] = {k: v for k, v in data.items() if k != "labels"}
    if asset.type.startswith(_RUNS):
        config = kept(config)
    if asset.policy is not None:
        config["iamPolicy"] = asset.policy
    if asset.rules:
        config["orgPolicy"] = asset.rules
    if asset.ancestors:
        config["ancestors"] = asset.ancestors
    name = _text(data.get("name")).rsplit("/", 1)[-1] or asset.uid.rsplit("/", 1)[-1]
    return Resource(
        uid=asset.uid, type=asset.type, name=name, provider="gcp", account=asset.project,
        region=asset.location, tags=tags, aliases=tuple(_aliases(asset)),
        provisional=is_provisional(asset.type, asset.uid),
        config=msgspec.json.encode(config).decode(), place=asset.place,
    )  # fmt: skip


def is_provisional(kind: str, uid: str) -> bool:
    """Service accounts and projects have a number and a word; what is listed under the number is both."""
    if kind == "gcp_iam_service_account":
        return "@" in uid
    return kind == "gcp_cloudresourcemanager_project" and not uid.rsplit("/", 1)[-1].isdecimal()


def _aliases(asset: Asset) -> Iterator[Alias]:
    data = asset.data
    link = _text(data.get("selfLink"))
    if link:
        yield Alias(link)
        if name_of_link(link) != asset.uid:
            yield Alias(name_of_link(link))
    if asset.type == "gcp_compute_instance":
        if isinstance(data.get("id"), str | int):
            yield Alias(f"gcp-instance:{data['id']}")
        for interface in _dicts(data.get("networkInterfaces")):
            if _text(interface.get("networkIP")):
                yield Alias(f"ip:{interface['networkIP']}", 0.5)
            for access in _dicts(interface.get("accessConfigs")):
                if _text(access.get("natIP")):
                    yield Alias(f"ip:{access['natIP']}")
    if asset.type == "gcp_iam_service_account":
        for key in ("email", "uniqueId"):
            if _text(data.get(key)):
                yield Alias(f"serviceAccount:{data[key]}" if key == "email" else data[key])
        if _text(data.get("email")):
            yield Alias(data["email"])
            yield Alias(f"//iam.googleapis.com/projects/-/serviceAccounts/{data['email']}")
            # In its project, and as policies name it, of which only the address is known.
            home = data["email"].partition("@")[2].partition(".")[0]
            for project in dict.fromkeys((asset.project, home)):
                name = f"//iam.googleapis.com/projects/{project}/serviceAccounts/{data['email']}"
                if name != asset.uid:
                    yield Alias(name)
    if asset.type == "gcp_cloudresourcemanager_project":
        for key in ("projectId", "projectNumber"):
            value = data.get(key)
            if isinstance(value, str | int):
                yield Alias(f"//cloudresourcemanager.googleapis.com/projects/{value}")


def relations_of(asset: Asset) -> Iterator[Relation]:
    """What it runs as, where it is, what it forwards to."""
    data = asset.data
    for email in identities(asset.type, data, asset.number, asset.project):
        yield Relation(source=asset.uid, kind="has_identity", target=f"serviceAccount:{email}")
    for kind, other in asset.links:
        if kind == "INSTANCE_TO_INSTANCEGROUP":
            yield Relation(source=asset.uid, kind="member_of", target=other)
    for interface in _dicts(data.get("networkInterfaces")):
        network = _text(interface.get("network"))
        if network:
            yield Relation(source=asset.uid, kind="in_network", target=name_of_link(network))
    for key, kind in (("target", "routes_to"), ("backendService", "routes_to"),
                      ("urlMap", "routes_to"), ("defaultService", "routes_to"),
                      ("service", "routes_to"),
                      ("sourceDisk", "snapshot_of")):  # fmt: skip
        if _text(data.get(key)):
            yield Relation(source=asset.uid, kind=kind, target=name_of_link(data[key]))
    for backend in _dicts(data.get("backends")):
        if _text(backend.get("group")):
            yield Relation(
                source=asset.uid, kind="routes_to", target=name_of_link(backend["group"])
            )
    for service in _services(data) if asset.type.endswith("url_map") else ():
        yield Relation(source=asset.uid, kind="routes_to", target=name_of_link(service))
    for uid in _serverless(asset):
        yield Relation(source=asset.uid, kind="routes_to", target=uid)
    if asset.type == "gcp_compute_target_instance" and _text(data.get("instance")):
        yield Relation(source=asset.uid, kind="routes_to", target=name_of_link(data["instance"]))
    for link in many(data.get("instances")) if asset.type == "gcp_compute_target_pool" else ():
        yield Relation(source=asset.uid, kind="routes_to", target=name_of_link(str(link)))


def _services(value: Any) -> Iterator[str]:
    """Every backend that a URL map names, at whatever depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("service", "defaultService", "backendService") and isinstance(inner, str):
                yield inner
            else:
                yield from _services(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _services(inner)


def _serverless(asset: Asset) -> Iterator[str]:
    """What a serverless network endpoint group stands for."""
    if not asset.type.endswith("network_endpoint_group"):
        return
    region = _text(asset.data.get("region")).rsplit("/", 1)[-1] or asset.location
    for key, field_, kind, host in (
        ("cloudRun", "service", "services", "run"),
        ("cloudFunction", "function", "functions", "cloudfunctions"),
    ):
        found = asset.data.get(key)
        name = _text(found.get(field_)) if isinstance(found, dict) else ""
        if name and asset.project and region:
            yield (f"//{host}.googleapis.com/projects/{asset.project}/locations/{region}/"
                   f"{kind}/{name.rsplit('/', 1)[-1]}")  # fmt: skip


def principals_of(assets: Iterable[Asset]) -> Iterator[Resource]:
    """People, groups and service accounts that policies name, where nothing else lists them."""
    listed_accounts = {
        str(a.data.get("email")) for a in assets if a.type == "gcp_iam_service_account"
    }
    seen: set[str] = set()
    for asset in assets:
        bindings = asset.policy.get("bindings") if asset.policy else None
        for binding in _dicts(bindings):
            for member in many(binding.get("members")):
                kind, _, name = str(member).partition(":")
                if kind in ("principal", "principalSet") and member not in seen:
                    seen.add(member)
                    yield Resource(
                        uid=member, type="gcp_iam_federated", name=name, provider="gcp",
                        config=msgspec.json.encode({"member": member}).decode(), place=asset.place,
                    )  # fmt: skip
                    continue
                if kind not in ("user", "group", "serviceAccount") or not name or member in seen:
                    continue
                seen.add(member)
                if kind == "serviceAccount" and name in listed_accounts:
                    continue
                uid = member
                if kind == "serviceAccount":
                    project = name.partition("@")[2].partition(".")[0]
                    uid = f"//iam.googleapis.com/projects/{project}/serviceAccounts/{name}"
                yield Resource(
                    uid=uid, type=f"gcp_iam_{snake(kind)}", name=name, provider="gcp",
                    aliases=(Alias(member), Alias(name)) if uid != member else (Alias(name),),
                    config=msgspec.json.encode({"member": member, "email": name}).decode(),
                    place=asset.place, provisional=kind == "serviceAccount",
                )  # fmt: skip
