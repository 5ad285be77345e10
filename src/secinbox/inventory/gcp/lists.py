"""Lists that `gcloud ... --format=json` prints, told by how each resource names itself.

Compute, storage, SQL and container lists say a `selfLink`; most others a `name` that is a path; Cloud
Run speaks the language of Knative. Source: the API reference of each service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from secinbox.inventory.gcp.assets import Asset, many, name_of_link, snake

_LINK = re.compile(r"https://[a-z]+\.googleapis\.com/")
_P, _L = r"projects/[^/]+", r"projects/[^/]+/locations/[^/]+"
# (name, another key that has to be there, host, kind)
_NAMES: tuple[tuple[re.Pattern[str], str, str, str], ...] = tuple(
    (re.compile(pattern), key, host, kind)
    for pattern, key, host, kind in (
        (rf"{_P}/serviceAccounts/[^/]+", "email", "iam", "service_account"),
        (rf"{_P}/serviceAccounts/[^/]+/keys/[^/]+", "keyType", "iam", "service_account_key"),
        (r"(projects|organizations)/[^/]+/roles/[^/]+", "", "iam", "role"),
        (rf"{_P}/topics/[^/]+", "", "pubsub", "topic"),
        (rf"{_P}/subscriptions/[^/]+", "", "pubsub", "subscription"),
        (rf"{_P}/secrets/[^/]+", "", "secretmanager", "secret"),
        (rf"{_L}/functions/[^/]+", "", "cloudfunctions", "function"),
        (rf"{_L}/repositories/[^/]+", "format", "artifactregistry", "repository"),
        (rf"{_L}/keyRings/[^/]+", "", "cloudkms", "key_ring"),
        (rf"{_L}/keyRings/[^/]+/cryptoKeys/[^/]+", "", "cloudkms", "crypto_key"),
        (rf"{_L}/services/[^/]+", "template", "run", "service"),
        (rf"{_L}/jobs/[^/]+", "template", "run", "job"),
        (rf"{_L}/environments/[^/]+", "config", "composer", "environment"),
        (rf"{_L}/workflows/[^/]+", "", "workflows", "workflow"),
        (rf"{_L}/workloadIdentityPools/[^/]+", "", "iam", "workload_identity_pool"),
        (rf"{_L}/workloadIdentityPools/[^/]+/providers/[^/]+", "", "iam",
         "workload_identity_pool_provider"),
        (rf"{_P}/instances/[^/]+/databases/[^/]+", "", "spanner", "database"),
        (rf"{_P}/instances/[^/]+", "config", "spanner", "instance"),
        (rf"{_P}/databases/[^/]+", "concurrencyMode", "firestore", "database"),
        (rf"{_L}/gateways/[^/]+", "defaultHostname", "apigateway", "gateway"),
        (rf"{_L}/apis/[^/]+/configs/[^/]+", "", "apigateway", "api_config"),
        (rf"{_L}/clusters/[^/]+/instances/[^/]+", "instanceType", "alloydb", "instance"),
        (rf"{_L}/queues/[^/]+", "rateLimits", "cloudtasks", "queue"),
        (rf"{_L}/connections/[^/]+/repositories/[^/]+", "remoteUri", "cloudbuild", "repository"),
        (rf"{_L}/connections/[^/]+/gitRepositoryLinks/[^/]+", "cloneUri", "developerconnect",
         "git_repository_link"),
        (r"(projects|folders|organizations)/[^/]+/policies/[^/]+", "spec", "orgpolicy", "policy"),
        (r"policies/[^/]+/denypolicies/[^/]+", "", "iam", "deny_policy"),
        (r"folders/\d+", "", "cloudresourcemanager", "folder"),
        (r"organizations/\d+", "", "cloudresourcemanager", "organization"),
        (r"accessPolicies/\d+/servicePerimeters/[^/]+", "", "accesscontextmanager",
         "service_perimeter"),
    )
)  # fmt: skip


def _linked(row: Mapping[str, Any]) -> bool:
    kind, link = row.get("kind"), row.get("selfLink")
    if not isinstance(link, str) or not _LINK.match(link):
        return False
    return (isinstance(kind, str) and "#" in kind) or "/clusters/" in link


def _named(row: Mapping[str, Any]) -> tuple[str, str] | None:
    """(host, kind) of a resource that names itself by a path."""
    name = row.get("name")
    if not isinstance(name, str) or (isinstance(row.get("kind"), str) and "#" in row["kind"]):
        return None
    for pattern, key, host, kind in _NAMES:
        if pattern.fullmatch(name) and (not key or key in row):
            if kind == "function" and "buildConfig" not in row and "serviceConfig" not in row:
                kind = "cloud_function"
            return host, kind
    return None


def _knative(row: Mapping[str, Any]) -> bool:
    """Cloud Run's own, not those of a cluster: they say their location."""
    metadata = row.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    version = str(row.get("apiVersion") or "")
    return version.startswith(("serving.knative.dev/", "run.googleapis.com/")) and (
        isinstance(labels, dict) and "cloud.googleapis.com/location" in labels
    )


_TRIGGER = re.compile(r"projects/[^/]+/(?:locations/[^/]+/)?triggers/[^/]+")


def _trigger(row: Mapping[str, Any]) -> bool:
    """A build trigger: its `name` is a word, its path is `resourceName`."""
    return bool(_TRIGGER.fullmatch(str(row.get("resourceName") or "")))


def _stored(row: Mapping[str, Any]) -> bool:
    """A bucket as `gcloud storage buckets list` prints it, in its own words."""
    return str(row.get("storage_url") or "").startswith("gs://") and "name" in row


def _bucket(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same in the words of the API."""
    data: dict[str, Any] = {"name": row["name"], "labels": row.get("labels")}
    uniform = row.get("uniform_bucket_level_access")
    data["iamConfiguration"] = {
        "publicAccessPrevention": row.get("public_access_prevention"),
        "uniformBucketLevelAccess": {"enabled": uniform is True},
    }  # fmt: skip
    for key, own in (("acl", "acl"), ("default_acl", "defaultObjectAcl")):
        if isinstance(row.get(key), list):
            data[own] = row[key]
    return data


def _project(row: Mapping[str, Any]) -> bool:
    return "projectId" in row and "projectNumber" in row and "lifecycleState" in row


def _searched(row: Mapping[str, Any]) -> bool:
    """A row of `gcloud asset search-all-iam-policies`."""
    return isinstance(row.get("policy"), dict) and str(row.get("resource") or "").startswith("//")


def is_listed(row: Mapping[str, Any]) -> bool:
    """Whether a row is a resource as gcloud lists it."""
    return bool(_stored(row) or _linked(row) or _searched(row) or _project(row) or _knative(row) or _trigger(row)
                or _named(row))  # fmt: skip


def listed(row: Mapping[str, Any], place: str) -> Asset | None:
    """The asset of a row; None where nothing says which it is."""
    location = str(row.get("zone") or row.get("region") or "").rsplit("/", 1)[-1]
    if _searched(row):
        kind = str(row.get("assetType") or "")
        service, _, word = kind.partition("/")
        project = str(row.get("project") or "")
        above = [*( [project] if project else []), *(str(f) for f in many(row.get("folders"))),
                 *([str(row["organization"])] if row.get("organization") else [])]  # fmt: skip
        return Asset(
            uid=str(row["resource"]), type=f"gcp_{service.split('.')[0]}_{snake(word)}",
            policy=dict(row["policy"]), ancestors=above, place=place,
        )  # fmt: skip
    if _stored(row):
        return Asset(uid=f"//storage.googleapis.com/{row['name']}", type="gcp_storage_bucket",
                     data=_bucket(row), location=str(row.get("location") or ""), place=place)  # fmt: skip
    if _linked(row):
        service, _, kind = str(row.get("kind") or "container#cluster").partition("#")
        if service == "sql":
            link = name_of_link(str(row["selfLink"])).replace("//sqladmin.", "//cloudsql.")
            return Asset(uid=link, type=f"gcp_sqladmin_{snake(kind)}", data=dict(row),
                         location=location, place=place)  # fmt: skip
        return Asset(uid=name_of_link(str(row["selfLink"])), type=f"gcp_{service}_{snake(kind)}",
                     data=dict(row), location=location, place=place)  # fmt: skip
    if _project(row):
        parent = row.get("parent")
        above = ([f"{parent['type']}s/{parent['id']}"]
                 if isinstance(parent, dict) and parent.get("type") and parent.get("id") else [])  # fmt: skip
        own = f"projects/{row['projectNumber']}"
        return Asset(uid=f"//cloudresourcemanager.googleapis.com/{own}", place=place,
                     type="gcp_cloudresourcemanager_project", data=dict(row), ancestors=[own, *above])  # fmt: skip
    if _knative(row):
        return _service(row, place)
    if _trigger(row):
        path = str(row["resourceName"])
        return Asset(uid=f"//cloudbuild.googleapis.com/{path}", type="gcp_cloudbuild_build_trigger",
                     data=dict(row), place=place)  # fmt: skip
    found = _named(row)
    if found is None:
        return None
    host, kind = found
    name = str(row["name"])
    location = name.split("/locations/")[1].split("/")[0] if "/locations/" in name else location
    return Asset(uid=f"//{host}.googleapis.com/{name}", type=f"gcp_{host}_{kind}", data=dict(row),
                 location=location, place=place)  # fmt: skip


def _service(row: Mapping[str, Any], place: str) -> Asset | None:
    """A Cloud Run service or job in Knative's words: project and region are labels."""
    metadata = row.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    labels = metadata.get("labels")
    labels = labels if isinstance(labels, dict) else {}
    project, name = str(metadata.get("namespace") or ""), str(metadata.get("name") or "")
    region = str(labels.get("cloud.googleapis.com/location") or "")
    if not (project and name and region):
        return None
    kind = str(row.get("kind") or "Service").lower()
    return Asset(uid=f"//run.googleapis.com/projects/{project}/locations/{region}/{kind}s/{name}",
                 type=f"gcp_run_{kind}", data=dict(row), location=region, place=place)  # fmt: skip
