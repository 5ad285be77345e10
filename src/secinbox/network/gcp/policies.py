"""IAM bindings to everyone: `allUsers` is anyone, `allAuthenticatedUsers` any Google account.

A binding counts where its role gives a permission that reads, calls or takes the resource; bindings
of the project, folders and organisation above count as the resource's own. Service perimeters keep
outsiders from what they restrict. Sources: cloud.google.com, "Understanding allow policies", "VPC
Service Controls".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.iam.gcp.grants import Grants, access_of, expired, lasting
from secinbox.iam.gcp.permissions import ACT_AS, DIRECT, READS
from secinbox.iam.gcp.roles import Roles
from secinbox.inventory.gcp.assets import many
from secinbox.inventory.gcp.constraints import places_of
from secinbox.network.verdict import Verdict, no, unknown, yes
from secinbox.records import Evidence

ANYONE = {"allUsers": "Anyone", "allAuthenticatedUsers": "Any Google account"}
_STORAGE = ("storage.objects.get", "storage.objects.list", "storage.objects.create",
            "storage.buckets.setIamPolicy")  # fmt: skip
_CALLS = ("cloudfunctions.functions.invoke", "cloudfunctions.functions.call",
          "cloudfunctions.functions.update", "run.routes.invoke")  # fmt: skip
# Type -> permissions of which any lets a stranger read, call or take it.
OPENING: dict[str, tuple[str, ...]] = {
    **READS,
    "gcp_storage_bucket": _STORAGE,
    "gcp_run_service": ("run.routes.invoke", "run.services.update", "run.services.setIamPolicy"),
    "gcp_run_job": ("run.jobs.run", "run.jobs.update"),
    "gcp_cloudfunctions_cloud_function": _CALLS, "gcp_cloudfunctions_function": _CALLS,
    "gcp_pubsub_topic": ("pubsub.topics.publish", "pubsub.topics.attachSubscription",
                         "pubsub.topics.setIamPolicy"),
    "gcp_cloudkms_crypto_key": ("cloudkms.cryptoKeyVersions.useToDecrypt",
                                "cloudkms.cryptoKeyVersions.useToEncrypt",
                                "cloudkms.cryptoKeys.setIamPolicy"),
    "gcp_cloudkms_key_ring": ("cloudkms.cryptoKeyVersions.useToDecrypt",
                              "cloudkms.cryptoKeyVersions.useToEncrypt",
                              "cloudkms.cryptoKeys.setIamPolicy"),
    "gcp_artifactregistry_repository": ("artifactregistry.repositories.downloadArtifacts",
                                        "artifactregistry.repositories.uploadArtifacts"),
    "gcp_compute_image": ("compute.images.useReadOnly", "compute.images.get",
                          "compute.images.setIamPolicy"),
    "gcp_dataproc_cluster": ("dataproc.jobs.create",),
    "gcp_iam_service_account": (*DIRECT, ACT_AS),
    "gcp_sourcerepo_repository": ("source.repos.get",),
    "gcp_sourcerepo_repo": ("source.repos.get",),
    "gcp_healthcare_dataset": ("healthcare.fhirResources.get", "healthcare.hl7V2Messages.get"),
    "gcp_healthcare_fhir_store": ("healthcare.fhirResources.get",),
    "gcp_healthcare_hl7_v2_store": ("healthcare.hl7V2Messages.get",),
    "gcp_cloudtasks_queue": ("cloudtasks.tasks.create", "cloudtasks.queues.setIamPolicy"),
}  # fmt: skip
OPENING.pop("gcp_sqladmin_instance", None)
# Services that a perimeter restricts by these names.
_SERVICES = {
    "cloudkms": "cloudkms.googleapis.com", "bigtableadmin": "bigtable.googleapis.com",
    "firestore": "firestore.googleapis.com", "sqladmin": "sqladmin.googleapis.com",
}  # fmt: skip


def bindings(item: Item) -> list[dict[str, Any]] | None:
    """The bindings of a resource, a dataset's access entries among them; None when not read."""
    policy = item.config.get("iamPolicy")
    own = list(access_of(item))
    if not isinstance(policy, dict):
        return own if isinstance(item.config.get("access"), list) else None
    found = policy.get("bindings")
    return [*(b for b in found if isinstance(b, dict)), *own] if isinstance(found, list) else own


def policy_read(estate: Estate, item: Item) -> bool:
    """Its policy, or, as exports leave empty ones out, those of its project were read."""
    return bindings(item) is not None or estate.looked_at(f"gcp:{item.account}/iam_policy")


def bound_to_anyone(estate: Estate, item: Item) -> Verdict:
    """Whether a binding of the resource, or of what is above it, lets everyone in."""
    roles = estate.once("gcp.roles", lambda: Roles(estate))
    wanted = OPENING.get(item.type)
    gaps: list[str] = []
    denied = ""
    for place in places_of(estate, item):
        for binding in bindings(place) or ():
            members = binding.get("members")
            who = next(
                (m for m in ANYONE if m in (members if isinstance(members, list) else ())), ""
            )
            if not who:
                continue
            role = roles.of(str(binding.get("role") or ""))
            given = role.permissions & set(wanted) if wanted else role.permissions
            if role.known and not given:
                continue
            condition = binding.get("condition")
            expression = (
                str(condition.get("expression") or "") if isinstance(condition, dict) else ""
            )
            if expression and not lasting(expression):
                if not expired(expression):
                    title = condition.get("title") if isinstance(condition, dict) else ""
                    gaps.append(
                        f"a binding to everyone holds under a condition: {title or expression}"
                    )
                continue
            if not role.known:
                gaps.append(
                    f"{who} has the role {role.name}, which is defined nowhere that was read"
                )
                continue
            grants = estate.once("gcp.grants", lambda: Grants(estate))
            chain = [p.uid for p in places_of(estate, item)]
            taken = [grants.denied(who, p, chain, False) for p in sorted(given)]
            if all(taken):
                denied = taken[0]
                continue
            maybe = [grants.denied(who, p, chain, True) for p in sorted(given)]
            if all(maybe):
                gaps.append(f"the deny policy {maybe[0]} takes it away under a condition")
                continue
            short = role.name.removeprefix("roles/")
            where = "" if place is item else f" at {place.uid.split('.googleapis.com/', 1)[-1]}"
            return yes(Evidence(
                kind="policy", text=f"IAM policy gives {who} the role {short}{where}",
                source=place.uid, steps=(ANYONE[who], role.name, item.uid)))  # fmt: skip
    if gaps:
        return unknown("; ".join(gaps), item.uid)
    if not policy_read(estate, item):
        return unknown("its IAM policy was not read", item.uid)
    if denied:
        return no(f"the deny policy {denied} takes it from everyone", item.uid)
    return no("its IAM policy names nobody outside", item.uid)


# Service perimeters


def perimeter(estate: Estate, item: Item) -> Verdict | None:
    """The perimeter that keeps strangers from this resource; None where none does."""
    service = item.type.split("_")[1]
    # Tokens of a service account are made by an API of its own.
    service = "iamcredentials" if item.type == "gcp_iam_service_account" else service
    name = _SERVICES.get(service, f"{service}.googleapis.com")
    numbers = set(_projects(estate, item))
    for found in estate.of_type("gcp_accesscontextmanager_service_perimeter"):
        if str(found.config.get("perimeterType") or "").endswith("BRIDGE"):
            continue
        status = found.config.get("status")
        status = status if isinstance(status, dict) else {}
        if not numbers & {str(r) for r in many(status.get("resources"))}:
            continue
        if name not in many(status.get("restrictedServices")):
            continue
        title = str(found.config.get("title") or found.name)
        if any(_lets_anyone(p, name) for p in many(status.get("ingressPolicies"))):
            return None
        return no(f"the service perimeter {title} keeps outsiders from {name}", found.uid)
    return None


def _projects(estate: Estate, item: Item) -> Iterator[str]:
    for place in places_of(estate, item):
        if place.type == "gcp_cloudresourcemanager_project":
            yield f"projects/{place.uid.rsplit('/', 1)[-1]}"
            if place.config.get("projectNumber"):
                yield f"projects/{place.config['projectNumber']}"
    yield from (
        str(a) for a in many(item.config.get("ancestors")) if str(a).startswith("projects/")
    )


def _lets_anyone(policy: Any, service: str) -> bool:
    """An ingress rule for any identity from anywhere to this service."""
    source = policy.get("ingressFrom") if isinstance(policy, dict) else None
    target = policy.get("ingressTo") if isinstance(policy, dict) else None
    if not isinstance(source, dict) or not isinstance(target, dict):
        return False
    if source.get("identityType") != "ANY_IDENTITY":
        return False
    if not any(
        isinstance(s, dict) and s.get("accessLevel") == "*" for s in many(source.get("sources"))
    ):
        return False
    operations = many(target.get("operations"))
    return any(isinstance(o, dict) and o.get("serviceName") in ("*", service) for o in operations)
