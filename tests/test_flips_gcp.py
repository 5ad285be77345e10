"""Google Cloud: for every type that gets an answer, the smallest open estate and a flip of each condition.

A row is (what was flipped, the estate, the answer, a word of the control or the route). A test counts
them by type.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from typing import Any

import pytest

from secinbox.estate import estate_of
from secinbox.inventory.gcp.assets import snake
from secinbox.network.gcp import CONTROLS, exposure
from tests import test_gcp as google
from tests import test_gcp_services as services
from tests.flips import holds, twelve
from tests.test_gcp import (
    ALL,
    ANY,
    BUCKET,
    COMPUTE,
    CRM,
    DATASET,
    FUNCTION,
    GKE,
    RUN,
    SA,
    SQL,
    VIEW,
    VM,
    Asset,
    P,
    account,
    asset,
    bind,
    bucket,
    firewall,
    folder,
    prevented,
    project,
)
from tests.test_gcp_services import (
    ALLOY,
    APPENGINE,
    ENV,
    FN2,
    FROM_ANYWHERE,
    IN_POOL,
    INVOKE,
    POOL,
    REPO,
    SECRET,
    SVC,
    TOPIC,
    WALL,
    WHOLE,
    fed,
    idp,
    perimeter,
)  # fmt: skip

Flips = list[tuple[str, list[Asset], str, str]]
OFFICE = "203.0.113.0/24"
HALVES = ("0.0.0.0/1", "128.0.0.0/1")
PAST = 'request.time < timestamp("2020-01-01T00:00:00Z")'
FUTURE = 'request.time < timestamp("2120-01-01T00:00:00Z")'
CUSTOM = google.CUSTOM
DOOR = [{**FROM_ANYWHERE[0], "ingressTo": {"operations": [{"serviceName": "*"}]}}]
NAMED_DOOR = [
    {
        **DOOR[0],
        "ingressFrom": {"identities": ["user:ana@x.test"], "sources": [{"accessLevel": "*"}]},
    }
]


def name(service: str, path: str) -> str:
    return f"//{service}.googleapis.com/projects/{P}/{path}"


def by_policy(kind: str, uid: str, role: str, harmless: str, permission: str, service: str = "",
              beside: list[Asset] | None = None, walls: bool = True) -> Flips:  # fmt: skip
    """What only an IAM policy opens. service: as perimeters call it; beside: what has to be there, too."""
    service = service or f"{kind.split('.')[0]}.googleapis.com"

    def made(*policy: Asset) -> Asset:
        return asset(kind, uid, {"name": uid.rsplit("/", 1)[-1]}, list(policy))

    def stands(*policy: Asset, around: tuple[Asset, ...] = (project(),)) -> list[Asset]:
        return [made(*policy), *around, *(beside or [])]

    unread = made()
    del unread["iamPolicy"]
    flips: Flips = [
        ("anyone", stands(bind(role, ALL)), "yes", "Anyone"),
        ("any Google account", stands(bind(role, ANY)), "yes", "Any Google account"),
        ("a person", stands(bind(role, "user:ana@x.test")), "no", "nobody outside"),
        ("a group and a domain", stands(bind(role, "group:ops@x.test", "domain:x.test")), "no", "nobody outside"),
        ("a role that does not reach it", stands(bind(harmless, ALL)), "no", "nobody outside"),
        ("a harmless role beside it", stands(bind(harmless, ALL), bind(role, ALL)), "yes", role),
        ("a custom role", [*stands(bind(CUSTOM, ALL)), google.custom(permission)], "yes", CUSTOM),
        ("a custom role of nothing", [*stands(bind(CUSTOM, ALL)), google.custom("storage.buckets.list")], "no", ""),
        ("a custom role unread", stands(bind(CUSTOM, ALL)), "unknown", CUSTOM),
        ("a role that nobody knows", stands(bind("roles/new.shiny", ALL)), "unknown", "roles/new.shiny"),
        ("a condition", stands(bind(role, ALL, expression="resource.name == 'x'", title="sometimes")), "unknown", "sometimes"),
        ("a time to come", stands(bind(role, ALL, expression=FUTURE)), "yes", "allUsers"),
        ("a time that has passed", stands(bind(role, ALL, expression=PAST)), "no", "nobody outside"),
        ("policy unread", [unread], "unknown", "not read"),
    ]  # fmt: skip
    if walls:
        flips += [
            ("bound at the project", stands(around=(project(bind(role, ANY)),)), "yes", "projects/1001"),
            ("bound at the folder", stands(around=(project(), folder(bind(role, ANY)))), "yes", "folders/20"),
            ("a harmless role at the project", stands(around=(project(bind("roles/browser", ANY)),)), "no", ""),
            ("in a perimeter", [*stands(bind(role, ALL)), perimeter(service)], "no", "walls"),
            ("in a perimeter on trial", [*stands(bind(role, ALL)), perimeter(service, dry=True)], "yes", ""),
            ("in a perimeter of another service", [*stands(bind(role, ALL)), perimeter("logging.googleapis.com")], "yes", ""),
            ("another project's perimeter", [*stands(bind(role, ALL)), perimeter(service, projects=("projects/9",))], "yes", ""),
            ("in a perimeter with a door", [*stands(bind(role, ALL)), perimeter(service, ingress=DOOR)], "yes", ""),
            ("in a perimeter with a door for one", [*stands(bind(role, ALL)), perimeter(service, ingress=NAMED_DOOR)], "no", "walls"),
        ]  # fmt: skip
    return flips


LOC = "locations/europe-west1"
QUEUE, TABLE = name("cloudtasks", f"{LOC}/queues/q"), f"{DATASET}/tables/t"
FHIR = name("healthcare", f"{LOC}/datasets/d/fhirStores/f")
# uid -> (kind of asset, role that opens it, role that does not, a permission of the first, service)
POLICIES: dict[str, tuple[str, str, str, str, str]] = {
    SECRET: ("secretmanager.googleapis.com/Secret", "roles/secretmanager.secretAccessor", "roles/secretmanager.viewer",
             "secretmanager.versions.access", ""),
    TOPIC: ("pubsub.googleapis.com/Topic", "roles/pubsub.publisher", "roles/pubsub.viewer", "pubsub.topics.publish", ""),
    name("pubsub", "subscriptions/s"): ("pubsub.googleapis.com/Subscription", "roles/pubsub.subscriber", "roles/pubsub.viewer",
                                        "pubsub.subscriptions.consume", ""),
    REPO: ("artifactregistry.googleapis.com/Repository", "roles/artifactregistry.reader", "roles/browser",
           "artifactregistry.repositories.downloadArtifacts", ""),
    name("cloudkms", f"{LOC}/keyRings/k/cryptoKeys/c"): ("cloudkms.googleapis.com/CryptoKey", "roles/cloudkms.cryptoKeyDecrypter",
                                                        "roles/cloudkms.viewer", "cloudkms.cryptoKeyVersions.useToDecrypt", ""),
    name("cloudkms", f"{LOC}/keyRings/k"): ("cloudkms.googleapis.com/KeyRing", "roles/cloudkms.cryptoKeyEncrypterDecrypter",
                                           "roles/cloudkms.viewer", "cloudkms.cryptoKeyVersions.useToDecrypt", ""),
    f"{COMPUTE}/global/images/golden": ("compute.googleapis.com/Image", "roles/compute.imageUser", "roles/browser",
                                        "compute.images.useReadOnly", ""),
    f"{COMPUTE}/global/snapshots/s": ("compute.googleapis.com/Snapshot", "roles/compute.storageAdmin", "roles/compute.viewer",
                                      "compute.snapshots.useReadOnly", ""),
    f"{COMPUTE}/zones/z/disks/d": ("compute.googleapis.com/Disk", "roles/compute.storageAdmin", "roles/compute.viewer",
                                   "compute.disks.useReadOnly", ""),
    f"{DATASET}/tables/t": ("bigquery.googleapis.com/Table", "roles/bigquery.dataViewer", "roles/bigquery.metadataViewer",
                            "bigquery.tables.getData", ""),
    name("spanner", "instances/i"): ("spanner.googleapis.com/Instance", "roles/spanner.databaseReader", "roles/spanner.viewer",
                                     "spanner.databases.select", ""),
    name("spanner", "instances/i/databases/d"): ("spanner.googleapis.com/Database", "roles/spanner.databaseReader",
                                                 "roles/spanner.viewer", "spanner.databases.select", ""),
    name("firestore", "databases/d"): ("firestore.googleapis.com/Database", "roles/datastore.viewer", "roles/browser",
                                       "datastore.entities.get", ""),
    name("bigtable", "instances/i"): ("bigtableadmin.googleapis.com/Instance", "roles/bigtable.reader", "roles/bigtable.viewer",
                                      "bigtable.tables.readRows", "bigtable.googleapis.com"),
    name("bigtable", "instances/i/tables/t"): ("bigtableadmin.googleapis.com/Table", "roles/bigtable.reader",
                                               "roles/bigtable.viewer", "bigtable.tables.readRows", "bigtable.googleapis.com"),
    name("run", f"{LOC}/jobs/j"): ("run.googleapis.com/Job", "roles/run.invoker", "roles/run.viewer", "run.jobs.run", ""),
    name("dataproc", f"{LOC}/clusters/c"): ("dataproc.googleapis.com/Cluster", "roles/dataproc.editor", "roles/dataproc.viewer",
                                           "dataproc.jobs.create", ""),
    name("cloudtasks", f"{LOC}/queues/q"): ("cloudtasks.googleapis.com/Queue", "roles/cloudtasks.enqueuer", "roles/cloudtasks.viewer",
                                           "cloudtasks.tasks.create", ""),
    name("sourcerepo", "repos/r"): ("sourcerepo.googleapis.com/Repo", "roles/source.reader", "roles/browser", "source.repos.get", ""),
    name("sourcerepo", "repositories/r"): ("sourcerepo.googleapis.com/Repository", "roles/source.reader", "roles/browser",
                                           "source.repos.get", ""),
    name("healthcare", f"{LOC}/datasets/d"): ("healthcare.googleapis.com/Dataset", "roles/healthcare.fhirResourceReader",
                                             "roles/healthcare.datasetViewer", "healthcare.fhirResources.get", ""),
    FHIR: ("healthcare.googleapis.com/FhirStore", "roles/healthcare.fhirResourceReader", "roles/healthcare.fhirStoreViewer",
           "healthcare.fhirResources.get", ""),
    FHIR.replace("fhirStores", "hl7V2Stores"): ("healthcare.googleapis.com/Hl7V2Store", "roles/healthcare.hl7V2Consumer",
                                                "roles/healthcare.hl7V2StoreViewer", "healthcare.hl7V2Messages.get", ""),
    BUCKET: ("storage.googleapis.com/Bucket", VIEW, "roles/storage.bucketViewer", "storage.objects.get", ""),
    DATASET: ("bigquery.googleapis.com/Dataset", "roles/bigquery.dataViewer", "roles/bigquery.metadataViewer",
              "bigquery.tables.getData", ""),
    SA: ("iam.googleapis.com/ServiceAccount", google.bind("roles/iam.serviceAccountTokenCreator")["role"],
         "roles/iam.serviceAccountViewer", "iam.serviceAccounts.getAccessToken", "iamcredentials.googleapis.com"),
}  # fmt: skip


# A project, a folder and an organisation, whose own policy is all there is

PLACES: dict[str, Flips] = {}
for _place, _kind, _above in (
    (f"{CRM}/projects/1001", "Project", []), (f"{CRM}/folders/20", "Folder", []),
    (f"{CRM}/organizations/30", "Organization", [])):  # fmt: skip
    PLACES[_place] = by_policy(f"cloudresourcemanager.googleapis.com/{_kind}", _place, "roles/editor", "roles/browser",
                               "storage.objects.get", beside=_above, walls=False)  # fmt: skip
    for _flip in PLACES[_place]:
        for _asset in _flip[1]:
            if _asset["name"] == _place:
                _asset["ancestors"] = {"Project": google.ANCESTORS, "Folder": google.ANCESTORS[1:],
                                       "Organization": google.ANCESTORS[2:]}[_kind]  # fmt: skip
        _flip[1][:] = [
            a for n, a in enumerate(_flip[1]) if n == 0 or a["name"] != f"{CRM}/projects/1001"
        ]


# Buckets and datasets have more than a policy

ACL = [{"entity": ALL, "role": "READER"}]
BUCKET_FLIPS: Flips = [
    ("prevention on the bucket", [bucket(bind(VIEW, ALL), iamConfiguration={"publicAccessPrevention": "enforced"})], "no", "prevention"),
    ("prevention inherited, and none above", [bucket(bind(VIEW, ALL), iamConfiguration={"publicAccessPrevention": "inherited"})], "yes", ""),
    ("prevention above", [bucket(bind(VIEW, ALL)), prevented()], "no", "prevention"),
    ("prevention above, off", [bucket(bind(VIEW, ALL)), prevented(False)], "yes", ""),
    ("ACL", [bucket(iamConfiguration={}, acl=ACL)], "yes", "ACL"),
    ("ACL for any account", [bucket(iamConfiguration={}, acl=[{"entity": ANY, "role": "READER"}])], "yes", "Any Google account"),
    ("ACL for a person", [bucket(iamConfiguration={}, acl=[{"entity": "user-ana@x.test", "role": "OWNER"}])], "no", "nobody"),
    ("ACL under uniform access", [bucket(acl=ACL)], "no", "nobody"),
    ("ACL under uniform access, in the older spelling", [bucket(iamConfiguration={"bucketPolicyOnly": {"enabled": True}}, acl=ACL)],
     "no", "nobody"),
    ("ACL of new objects", [bucket(iamConfiguration={}, defaultObjectAcl=ACL)], "yes", "default object"),
    ("ACL and prevention", [bucket(iamConfiguration={"publicAccessPrevention": "enforced"}, acl=ACL)], "no", "prevention"),
]  # fmt: skip


def dataset(*access: Asset) -> list[Asset]:
    return [asset("bigquery.googleapis.com/Dataset", DATASET, {"access": list(access)}), project()]


DATASET_FLIPS: Flips = [
    ("entry for anyone", dataset({"role": "READER", "iamMember": ALL}), "yes", "Anyone"),
    ("entry for any account", dataset({"role": "READER", "specialGroup": ANY}), "yes", "Any Google account"),
    ("entry by the name of a role", dataset({"role": "roles/bigquery.dataViewer", "specialGroup": ANY}), "yes", ""),
    ("entry of metadata", dataset({"role": "roles/bigquery.metadataViewer", "specialGroup": ANY}), "no", "nobody"),
    ("entry for the project's owners", dataset({"role": "OWNER", "specialGroup": "projectOwners"}), "no", "nobody"),
    ("entry for a group", dataset({"role": "READER", "groupByEmail": "ops@x.test"}), "no", "nobody"),
    ("entry for a domain", dataset({"role": "READER", "domain": "x.test"}), "no", "nobody"),
    ("entry for a view", dataset({"view": {"projectId": P, "datasetId": "d", "tableId": "v"}}), "no", "nobody"),
    ("entry under a condition", dataset({"role": "READER", "iamMember": ALL, "condition": {"expression": "x", "title": "when"}}),
     "unknown", "when"),
    ("entry, in a perimeter", [*dataset({"role": "READER", "iamMember": ALL}), perimeter("bigquery.googleapis.com")], "no", "walls"),
]  # fmt: skip
TABLE_FLIPS: Flips = [
    ("its dataset is open", [services.any_("bigquery.googleapis.com/Table", f"{DATASET}/tables/t"),
                             *dataset({"role": "READER", "specialGroup": ANY})], "yes", "Any Google account"),
    ("its dataset is not", [services.any_("bigquery.googleapis.com/Table", f"{DATASET}/tables/t"),
                            *dataset({"role": "READER", "domain": "x.test"})], "no", "nobody"),
]  # fmt: skip
ACCOUNT_FLIPS: Flips = [
    ("the whole pool of a shared issuer", [project(), fed(), idp()], "yes", "token.actions"),
    ("the whole pool, bound to an owner", [project(), fed(), idp(bound="assertion.repository_owner == 'acme'")], "no", "acme"),
    ("one repository", [project(), fed(WHOLE.replace("/*", "/attribute.repository/acme/shop")), idp()], "no", "nobody"),
    ("an attribute that anyone may have", [project(), fed(WHOLE.replace("/*", "/attribute.ref/refs/heads/main")), idp()], "yes", ""),
    ("the pool of one's own issuer", [project(), fed(), idp("https://idp.acme.test")], "no", "owner's own"),
    ("a pool that is off", [project(), fed(), idp(disabled=True)], "no", "switched off"),
    ("provider unread", [project(), fed()], "unknown", "not read"),
]  # fmt: skip


def provider(*more: Asset, **config: Any) -> list[Asset]:
    return [idp(**config), *more]


# (condition, whether it ties tokens to an owner)
CONDITIONS: list[tuple[str, str]] = [
    ("assertion.repository_owner == 'acme'", "no"), ('assertion.repository_owner=="acme"', "no"), ("'acme' == assertion.repository_owner", "no"),
    ("assertion.repository_owner_id == '42'", "no"), ("assertion['repository'] == 'acme/shop'", "no"),
    ("assertion.repository in ['acme/shop', 'acme/site']", "no"), ("attribute.repository_owner == 'acme' && assertion.ref == 'refs/heads/main'", "no"),
    ("(assertion.repository_owner == 'acme') && (assertion.event_name != 'pull_request')", "no"),
    ("assertion.sub.startsWith('repo:acme/')", "no"), ("assertion.repository.startsWith('acme/')", "no"),
    ("assertion.repository.matches('^acme/.*$')", "no"), ("assertion.namespace_path == 'acme'", "no"),
    ("assertion.repository == 'acme/a' || assertion.repository == 'acme/b'", "no"),
    ("assertion.repository_owner != 'evil'", "yes"), ("assertion.repository.contains('acme')", "yes"),
    ("assertion.repository.startsWith('acme')", "yes"), ("assertion.repository.matches('.*/shop')", "yes"),
    ("assertion.repository_owner == 'acme' || assertion.ref == 'refs/heads/main'", "yes"), ("assertion.aud == 'acme'", "yes"),
    ("assertion.actor == 'ana'", "yes"), ("assertion.repository_owner.size() > 3", "unknown"),
    ("assertion.repository_owner == 'acme' && true", "no"),
]  # fmt: skip
POOL_OFF = asset(
    "iam.googleapis.com/WorkloadIdentityPool",
    f"//iam.googleapis.com/{POOL}",
    {"name": POOL, "disabled": True},
)
PROVIDER_FLIPS: Flips = [
    ("GitHub", provider(), "yes", "token.actions"),
    ("GitLab", provider(issuer="https://gitlab.com"), "yes", "gitlab.com"),
    ("Terraform Cloud", provider(issuer="https://app.terraform.io"), "yes", "terraform"),
    ("one's own issuer", provider(issuer="https://idp.acme.test"), "no", "owner's own"),
    ("an account of AWS", provider(oidc=None, aws={"accountId": "111111111111"}), "no", "owner's own"),
    ("SAML", provider(oidc=None, saml={"idpMetadataXml": "<x/>"}), "no", "owner's own"),
    ("bound to an owner", provider(bound="assertion.repository_owner == 'acme'"), "no", "acme"),
    ("bound to a repository", provider(bound="assertion.repository == 'acme/shop'"), "no", "acme"),
    ("bound to a subject", provider(bound="assertion.sub.startsWith('repo:acme/')"), "no", "acme"),
    ("bound to a branch", provider(bound="assertion.ref == 'refs/heads/main'"), "yes", ""),
    ("bound to an event", provider(bound="assertion.event_name == 'push'"), "yes", ""),
    ("bound to anything", provider(bound="true"), "yes", ""),
    ("off", provider(disabled=True), "no", "switched off"),
    ("deleted", provider(state="DELETED"), "no", "switched off"),
    ("its pool is off", provider(POOL_OFF), "no", "switched off"),
    *((f"condition {c}", provider(bound=c), v, "") for c, v in CONDITIONS),
]  # fmt: skip


# Networks


def forwarding(kind: str) -> tuple[str, Flips]:
    whole = kind == "GlobalForwardingRule"
    uid = f"{COMPUTE}/{'global' if whole else 'regions/europe-west1'}/forwardingRules/fr"

    def made(*more: Asset, **data: Any) -> list[Asset]:
        return [asset(f"compute.googleapis.com/{kind}", uid, {
            "name": "fr", "loadBalancingScheme": "EXTERNAL", "IPAddress": "34.8.8.8", "portRange": "443-443",
            "target": f"{services.LINK}/global/targetHttpsProxies/p", **data}), *more]  # fmt: skip

    def chained(**options: Any) -> list[Asset]:
        return services.chain(**options)[1:]

    def unscheme(**data: Any) -> list[Asset]:
        found = made(**data)
        found[0]["resource"]["data"]["loadBalancingScheme"] = ""
        return found

    deny = services.armor((2147483647, "deny(403)", "*"))
    files = asset(
        "compute.googleapis.com/BackendBucket",
        f"{COMPUTE}/global/backendBuckets/b",
        {"name": "b", "bucketName": "x"},
    )
    both = chained(iap=True)
    both[1] = json.loads(json.dumps(both[1]))
    both[1]["resource"]["data"]["defaultService"] = f"{services.LINK}/global/backendBuckets/b"
    return uid, [
        ("external", made(), "yes", "34.8.8.8"),
        ("external, managed", made(loadBalancingScheme="EXTERNAL_MANAGED"), "yes", "34.8.8.8"),
        ("internal", made(loadBalancingScheme="INTERNAL"), "no", "internal"),
        ("internal, managed", made(loadBalancingScheme="INTERNAL_MANAGED"), "no", "internal_managed"),
        ("of a service mesh", made(loadBalancingScheme="INTERNAL_SELF_MANAGED"), "no", "self_managed"),
        ("Private Service Connect", unscheme(target=f"{services.LINK}/regions/r/serviceAttachments/a"), "no", "Private Service"),
        ("several ports", made(portRange=None, ports=["80", "443"]), "yes", "80, 443"),
        ("IPv6", made(IPAddress="2600:1901::1"), "yes", "2600"),
        ("behind Identity-Aware Proxy", made(*chained(iap=True)), "no", "Identity-Aware"),
        ("behind Identity-Aware Proxy, files beside it", made(*both, files), "yes", ""),
        ("a policy that denies all", made(*chained(armor=True), deny), "no", "denies everyone"),
        ("a policy that denies an office", made(*chained(armor=True), services.armor((10, "deny(403)", OFFICE), (2147483647, "allow", "*"))),
         "yes", ""),
        ("a policy that admits an office", made(*chained(armor=True), services.armor((10, "allow", OFFICE), (2147483647, "deny(404)", "*"))),
         "no", "denies everyone"),
        ("a policy unread", made(*chained(armor=True)), "unknown", "not read"),
        ("no guard", made(*chained()), "yes", ""),
    ]  # fmt: skip


WALL_FLIPS: Flips = [
    ("everyone", [firewall()], "yes", "tcp 443"),
    ("UDP", [firewall(allowed=[{"IPProtocol": "udp", "ports": ["53"]}])], "yes", "udp 53"),
    ("every protocol", [firewall(allowed=[{"IPProtocol": "all"}])], "yes", "all"),
    ("a protocol by its number", [firewall(allowed=[{"IPProtocol": "6", "ports": ["22"]}])], "yes", "tcp 22"),
    ("IPv6", [firewall(ranges=("::/0",))], "yes", ""),
    ("halves", [firewall(ranges=HALVES)], "yes", ""),
    ("no ranges named", [firewall(ranges=())], "yes", ""),
    ("an office", [firewall(ranges=(OFFICE,))], "no", OFFICE),
    ("a private range", [firewall(ranges=("10.0.0.0/8",))], "no", "10.0.0.0/8"),
    ("tags only", [firewall(ranges=(), sourceTags=["web"])], "no", "nobody"),
    ("accounts only", [firewall(ranges=(), sourceServiceAccounts=["a@b"])], "no", "nobody"),
    ("off", [firewall(disabled=True)], "no", "no rule"),
    ("traffic out", [firewall(direction="EGRESS")], "no", "no rule"),
    ("denies", [firewall(action="denied")], "no", "no rule"),
    ("ping", [firewall(allowed=[{"IPProtocol": "icmp"}])], "no", "nobody"),
    ("Google's fronts", [firewall(ranges=services.FRONTS)], "no", "130.211"),
    ("Google's fronts and everyone", [firewall(ranges=(*services.FRONTS, "0.0.0.0/0"))], "yes", ""),
]  # fmt: skip


# Services


def runs(
    uid: str, ingress: str = "INGRESS_TRAFFIC_ALL", *policy: Asset, read: bool = True, **data: Any
) -> list[Asset]:
    found = asset(
        "run.googleapis.com/Service", uid, {"name": "api", "ingress": ingress, **data}, list(policy)
    )
    if not read:
        del found["iamPolicy"]
    return [found, project()] if read else [found]


def noted(**notes: str) -> list[Asset]:
    data = {
        "metadata": {
            "name": "api",
            "annotations": {
                f"run.googleapis.com/{k.replace('_', '-')}": v for k, v in notes.items()
            },
        }
    }
    return [asset("run.googleapis.com/Service", SVC, data, [INVOKE]), project()]


RUN_FLIPS: Flips = [
    ("all, anyone", runs(SVC, "INGRESS_TRAFFIC_ALL", INVOKE), "yes", "Anyone"),
    ("any Google account", runs(SVC, "INGRESS_TRAFFIC_ALL", bind("roles/run.invoker", ANY)), "yes", "Any Google account"),
    ("nobody invokes", runs(SVC), "no", "nobody"),
    ("a person invokes", runs(SVC, "INGRESS_TRAFFIC_ALL", bind("roles/run.invoker", "user:a@x")), "no", "nobody"),
    ("viewers", runs(SVC, "INGRESS_TRAFFIC_ALL", bind("roles/run.viewer", ALL)), "no", "nobody"),
    ("internal", runs(SVC, "INGRESS_TRAFFIC_INTERNAL_ONLY", INVOKE), "no", "internal"),
    ("internal and balancers", runs(SVC, "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER", INVOKE), "no", "load balancers"),
    ("no ingress", runs(SVC, "INGRESS_TRAFFIC_NONE", INVOKE), "no", "internal"),
    ("internal, as an annotation", noted(ingress="internal"), "no", "internal"),
    ("all, as an annotation", noted(ingress="all"), "yes", ""),
    ("what is asked for and what holds", noted(ingress="internal", ingress_status="all"), "yes", ""),
    ("invoker above", [runs(SVC)[0], project(bind("roles/run.invoker", ANY))], "yes", "projects/1001"),
    ("a condition", runs(SVC, "INGRESS_TRAFFIC_ALL", bind("roles/run.invoker", ALL, expression="x", title="t")), "unknown", "t"),
    ("check off", runs(SVC, invokerIamDisabled=True), "yes", "check is off"),
    ("check off, internal", runs(SVC, "INGRESS_TRAFFIC_INTERNAL_ONLY", invokerIamDisabled=True), "no", "internal"),
    ("Identity-Aware Proxy", runs(SVC, "INGRESS_TRAFFIC_ALL", INVOKE, iapEnabled=True), "no", "Identity-Aware"),
    ("address off", runs(SVC, "INGRESS_TRAFFIC_ALL", INVOKE, defaultUriDisabled=True), "no", "disabled"),
    ("address off, as an annotation", noted(default_url_disabled="true"), "no", "disabled"),
    ("policy unread", runs(SVC, read=False), "unknown", "not read"),
    ("in a perimeter", [*runs(SVC, "INGRESS_TRAFFIC_ALL", INVOKE), perimeter("run.googleapis.com")], "yes", ""),
    ("through a balancer", services.neg("internal-and-cloud-load-balancing", INVOKE), "yes", "fr"),
    ("through a balancer, internal", services.neg("internal", INVOKE), "no", "internal"),
]  # fmt: skip
CALL = bind("roles/cloudfunctions.invoker", ALL)


def first(*policy: Asset, read: bool = True, **data: Any) -> list[Asset]:
    found = asset("cloudfunctions.googleapis.com/CloudFunction", FUNCTION, {
        "name": "f", "httpsTrigger": {"url": "https://x"}, "ingressSettings": "ALLOW_ALL", **data}, list(policy))  # fmt: skip
    if not read:
        del found["iamPolicy"]
    return [found, project()] if read else [found]


EVENT = {"eventType": "google.storage.object.finalize"}
FN1_FLIPS: Flips = [
    ("all, anyone", first(CALL), "yes", "Anyone"),
    ("any Google account", first(bind("roles/cloudfunctions.invoker", ANY)), "yes", "Any Google account"),
    ("nobody calls", first(), "no", "nobody"),
    ("a person calls", first(bind("roles/cloudfunctions.invoker", "user:a@x")), "no", "nobody"),
    ("viewers", first(bind("roles/cloudfunctions.viewer", ALL)), "no", "nobody"),
    ("internal", first(CALL, ingressSettings="ALLOW_INTERNAL_ONLY"), "no", "INTERNAL"),
    ("internal and balancers", first(CALL, ingressSettings="ALLOW_INTERNAL_AND_GCLB"), "no", "GCLB"),
    ("nothing said of ingress", first(CALL, ingressSettings=None), "yes", ""),
    ("called by events", first(CALL, httpsTrigger=None, eventTrigger=EVENT), "no", "events"),
    ("offline", first(CALL, status="OFFLINE"), "no", "offline"),
    ("invoker above", [first()[0], project(bind("roles/cloudfunctions.invoker", ANY))], "yes", "projects/1001"),
    ("developers", first(bind("roles/cloudfunctions.developer", ANY)), "yes", "developer"),
    ("a condition", first(bind("roles/cloudfunctions.invoker", ALL, expression="x", title="t")), "unknown", "t"),
    ("a time that has passed", first(bind("roles/cloudfunctions.invoker", ALL, expression=PAST)), "no", "nobody"),
    ("policy unread", first(read=False), "unknown", "not read"),
]  # fmt: skip


def second(
    *policy: Asset,
    own: tuple[Asset, ...] = (),
    read: bool = True,
    ingress: str = "ALLOW_ALL",
    **data: Any,
) -> list[Asset]:
    function = services.fn2(*own, ingress=ingress)
    function["resource"]["data"].update(data)
    below = [{**google.run("all", *policy), "name": SVC}] if read else []
    return [function, *below, project()]


FN2_FLIPS: Flips = [
    ("all, anyone", second(INVOKE), "yes", "Anyone"),
    ("any Google account", second(bind("roles/run.invoker", ANY)), "yes", "Any Google account"),
    ("nobody calls", second(), "no", "nobody"),
    ("a person calls", second(bind("roles/run.invoker", "user:a@x")), "no", "nobody"),
    ("invokers of the function, not of its service", second(own=(CALL,)), "no", "nobody"),
    ("internal", second(INVOKE, ingress="ALLOW_INTERNAL_ONLY"), "no", "INTERNAL"),
    ("internal and balancers", second(INVOKE, ingress="ALLOW_INTERNAL_AND_GCLB"), "no", "GCLB"),
    ("called by events, and by anyone", second(INVOKE, eventTrigger=EVENT), "yes", ""),
    ("called by events", second(eventTrigger=EVENT), "no", "nobody"),
    ("invoker above", [*second()[:2], project(bind("roles/run.invoker", ANY))], "yes", "projects/1001"),
    ("service unread", second(INVOKE, read=False), "unknown", "not read"),
    ("a condition", second(bind("roles/run.invoker", ALL, expression="x", title="t")), "unknown", "t"),
    ("a time that has passed", second(bind("roles/run.invoker", ALL, expression=PAST)), "no", "nobody"),
    ("Identity-Aware Proxy", [second()[0], {**services.any_("run.googleapis.com/Service", SVC, INVOKE, iapEnabled=True)}, project()],
     "no", "Identity-Aware"),
]  # fmt: skip
OPEN: Asset = {"value": "0.0.0.0/0"}


def sql(
    *networks: Asset, config: Asset | None = None, top: Asset | None = None, **settings: Any
) -> list[Asset]:
    inner = {"ipv4Enabled": True, "authorizedNetworks": list(networks), **(config or {})}
    inner = {k: v for k, v in inner.items() if v is not None}
    return [
        asset(
            "sqladmin.googleapis.com/Instance",
            SQL,
            {"settings": {**settings, "ipConfiguration": inner}, **(top or {})},
        )
    ]


PRIVATE_ONLY = {"ipAddresses": [{"type": "PRIVATE", "ipAddress": "10.1.2.3"}]}
BOTH_ADDRESSES = {
    "ipAddresses": [{"type": "PRIMARY", "ipAddress": "34.4.4.4"}, *PRIVATE_ONLY["ipAddresses"]]
}
SQL_FLIPS: Flips = [
    ("everyone", sql(OPEN), "yes", "0.0.0.0/0"),
    ("halves", sql(*({"value": h} for h in HALVES)), "yes", ""),
    ("a wide range", sql({"value": "128.0.0.0/2"}), "yes", ""),
    ("an office", sql({"value": OFFICE}), "no", OFFICE),
    ("an office and everyone", sql({"value": OFFICE}, OPEN), "yes", ""),
    ("a private range", sql({"value": "10.0.0.0/8"}), "no", "10.0.0.0/8"),
    ("nobody", sql(), "no", "no network"),
    ("no public address", sql(OPEN, config={"ipv4Enabled": False}), "no", "no public address"),
    ("a private address, the rest unsaid", sql(OPEN, config={"ipv4Enabled": None}, top=PRIVATE_ONLY), "no", "no public address"),
    ("a public address, the rest unsaid", sql(OPEN, config={"ipv4Enabled": None}, top=BOTH_ADDRESSES), "yes", ""),
    ("stopped", sql(OPEN, activationPolicy="NEVER"), "no", "stopped"),
    ("suspended", sql(OPEN, top={"state": "SUSPENDED"}), "no", "stopped"),
    ("connectors only", sql(OPEN, connectorEnforcement="REQUIRED"), "no", "connectors"),
    ("connectors not asked for", sql(OPEN, connectorEnforcement="NOT_REQUIRED"), "yes", ""),
    ("a network whose time has passed", sql({**OPEN, "expirationTime": "2020-01-01T00:00:00Z"}), "no", "no network"),
    ("a network for a time", sql({**OPEN, "expirationTime": "2120-01-01T00:00:00Z"}), "yes", ""),
    ("certificates asked for", sql(OPEN, config={"sslMode": "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"}), "yes", ""),
    ("configuration unread", [asset("sqladmin.googleapis.com/Instance", SQL, {"name": "db"})], "unknown", "not read"),
]  # fmt: skip


def alloy(*ranges: str, public: bool | None = True, **top: Any) -> list[Asset]:
    network: Asset = {"authorizedExternalNetworks": [{"cidrRange": r} for r in ranges]}
    if public is not None:
        network["enablePublicIp"] = public
    return [services.any_("alloydb.googleapis.com/Instance", ALLOY, networkConfig=network, **top)]


ALLOY_FLIPS: Flips = [
    ("everyone", alloy("0.0.0.0/0"), "yes", "0.0.0.0/0"),
    ("halves", alloy(*HALVES), "yes", ""),
    ("a wide range", alloy("128.0.0.0/2"), "yes", ""),
    ("an office", alloy(OFFICE), "no", OFFICE),
    ("an office and everyone", alloy(OFFICE, "0.0.0.0/0"), "yes", ""),
    ("a private range", alloy("10.0.0.0/8"), "no", "10.0.0.0/8"),
    ("nobody", alloy(), "no", "none"),
    ("no public address", alloy("0.0.0.0/0", public=False), "no", "no public"),
    ("nothing said of an address", alloy("0.0.0.0/0", public=None), "no", "no public"),
    ("stopped", alloy("0.0.0.0/0", state="STOPPED"), "no", "stopped"),
    ("ready", alloy("0.0.0.0/0", state="READY"), "yes", ""),
    ("network unread", [services.any_("alloydb.googleapis.com/Instance", ALLOY)], "no", "no public"),
]  # fmt: skip


def gke(**data: Any) -> list[Asset]:
    return [google.gke(endpoint="34.9.9.9", **data)]


def authorised(*ranges: str, enabled: bool = True, **more: Any) -> Asset:
    return {
        "masterAuthorizedNetworksConfig": {
            "enabled": enabled,
            "cidrBlocks": [{"cidrBlock": r} for r in ranges],
            **more,
        }
    }


def endpoints(**parts: Any) -> Asset:
    return {"controlPlaneEndpointsConfig": parts}


GKE_FLIPS: Flips = [
    ("everyone", gke(), "yes", "0.0.0.0/0"),
    ("private endpoint only", gke(privateClusterConfig={"enablePrivateEndpoint": True}), "no", "private"),
    ("private nodes", gke(privateClusterConfig={"enablePrivateNodes": True}), "yes", ""),
    ("an office", gke(**authorised(OFFICE)), "no", OFFICE),
    ("an office, not enabled", gke(**authorised(OFFICE, enabled=False)), "yes", ""),
    ("nobody", gke(**authorised()), "no", "none"),
    ("everyone by a range", gke(**authorised("0.0.0.0/0")), "yes", ""),
    ("halves", gke(**authorised(*HALVES)), "yes", ""),
    ("Google's addresses", gke(**authorised(OFFICE, gcpPublicCidrsAccessEnabled=True)), "yes", "any customer"),
    ("Google's addresses shut out", gke(**authorised(OFFICE, gcpPublicCidrsAccessEnabled=False)), "no", OFFICE),
    ("in the newer spelling, an office", gke(**endpoints(ipEndpointsConfig={"enabled": True, "enablePublicEndpoint": True,
        "authorizedNetworksConfig": {"enabled": True, "cidrBlocks": [{"cidrBlock": OFFICE}]}})), "no", OFFICE),
    ("no public endpoint", gke(**endpoints(ipEndpointsConfig={"enabled": True, "enablePublicEndpoint": False})), "no", "private"),
    ("no endpoint by address", gke(**endpoints(ipEndpointsConfig={"enabled": False})), "no", "no IP"),
    ("a name for everyone", gke(privateClusterConfig={"enablePrivateEndpoint": True}, **endpoints(
        dnsEndpointConfig={"allowExternalTraffic": True, "endpoint": "gke.example"})), "yes", "gke.example"),
    ("a name inside", gke(privateClusterConfig={"enablePrivateEndpoint": True}, **endpoints(
        dnsEndpointConfig={"allowExternalTraffic": False, "endpoint": "gke.example"})), "no", "private"),
    ("stopping", gke(status="STOPPING"), "no", "stopping"),
    ("running", gke(status="RUNNING"), "yes", ""),
]  # fmt: skip
APPLICATION = "//appengine.googleapis.com/apps/shop-1"


def appengine(
    ingress: str = "", versions: tuple[str, ...] = (), app: Asset | None = None, **data: Any
) -> list[Asset]:
    if ingress:
        data["networkSettings"] = {"ingressTrafficAllowed": f"INGRESS_TRAFFIC_ALLOWED_{ingress}"}
    found = [services.any_("appengine.googleapis.com/Service", APPENGINE, **data)]
    found += [services.any_("appengine.googleapis.com/Version", f"{APPENGINE}/versions/v{n}", servingStatus=s)
              for n, s in enumerate(versions)]  # fmt: skip
    return (
        [*found, services.any_("appengine.googleapis.com/Application", APPLICATION, **app)]
        if app is not None
        else found
    )


APPENGINE_FLIPS: Flips = [
    ("all", appengine(), "yes", "all traffic"),
    ("all, said", appengine("ALL"), "yes", ""),
    ("internal", appengine("INTERNAL_ONLY"), "no", "INTERNAL"),
    ("internal and balancers", appengine("INTERNAL_AND_LB"), "no", "INTERNAL"),
    ("application serving", appengine(app={"servingStatus": "SERVING"}), "yes", ""),
    ("application disabled", appengine(app={"servingStatus": "USER_DISABLED"}), "no", "disabled"),
    ("application disabled by Google", appengine(app={"servingStatus": "SYSTEM_DISABLED"}), "no", "disabled"),
    ("Identity-Aware Proxy", appengine(app={"iap": {"enabled": True}}), "no", "Identity-Aware"),
    ("Identity-Aware Proxy off", appengine(app={"iap": {"enabled": False}}), "yes", ""),
    ("its only version stopped", appengine(versions=("STOPPED",)), "no", "stopped"),
    ("one version of two stopped", appengine(versions=("STOPPED", "SERVING")), "yes", ""),
    ("all versions stopped", appengine(versions=("STOPPED", "STOPPED")), "no", "stopped"),
]  # fmt: skip


def composer(
    *ranges: str, access: bool = True, config: Asset | None = None, **top: Any
) -> list[Asset]:
    inner: Asset = (
        {"webServerNetworkAccessControl": {"allowedIpRanges": [{"value": r} for r in ranges]}}
        if access
        else {}
    )
    return [
        services.any_(
            "composer.googleapis.com/Environment", ENV, config={**inner, **(config or {})}, **top
        )
    ]


WALLED = {"privateEnvironmentConfig": {"enablePrivateEnvironment": True}}
COMPOSER_FLIPS: Flips = [
    ("everyone", composer("0.0.0.0/0", "::0/0"), "yes", "sign-in"),
    ("everyone, IPv4", composer("0.0.0.0/0"), "yes", ""),
    ("everyone, IPv6", composer("::/0"), "yes", ""),
    ("halves", composer(*HALVES), "yes", ""),
    ("an office", composer(OFFICE), "no", OFFICE),
    ("two offices", composer(OFFICE, "198.51.100.0/24"), "no", "198.51.100.0/24"),
    ("nobody", composer(), "no", "no network"),
    ("nothing said", composer(access=False), "unknown", "not read"),
    ("private, nothing said", composer(access=False, config=WALLED), "no", "private"),
    ("private nodes, everyone at its web server", composer("0.0.0.0/0", config=WALLED), "yes", ""),
    ("being deleted", composer("0.0.0.0/0", state="DELETING"), "no", "deleting"),
    ("running", composer("0.0.0.0/0", state="RUNNING"), "yes", ""),
]  # fmt: skip
GATEWAY = name("apigateway", f"{LOC}/gateways/g")


API = name("apigateway", "locations/global/apis/a/configs/c")
TOKEN = [{"firebase": []}]


def gateway(document: Any = None, state: str = "ACTIVE", *, config: str = API, served: str = API,
            **more: Any) -> list[Asset]:  # fmt: skip
    """A gateway and the configuration that it serves. document: as YAML, or something to be written so."""
    made = services.any_("apigateway.googleapis.com/Gateway", GATEWAY, defaultHostname="g.ew.gateway.dev",
                         state=state, apiConfig=served.partition(".com/")[2])  # fmt: skip
    if document is None and not more:
        return [made]
    text = document if isinstance(document, str) else json.dumps(document)
    held = {
        "openapiDocuments": [
            {"document": {"path": "api.yaml", "contents": base64.b64encode(text.encode()).decode()}}
        ]
    }
    return [made, services.any_("apigateway.googleapis.com/ApiConfig", config, **{**held, **more})]


def openapi(*methods: Any, **top: Any) -> dict[str, Any]:
    """An OpenAPI document with one path a method; the method says what it asks for, or nothing."""
    paths = {
        f"/p{n}": {"get": {} if asked is None else {"security": asked}}
        for n, asked in enumerate(methods)
    }
    return {"swagger": "2.0", "paths": paths, **top}


YAML = "swagger: '2.0'\nsecurity:\n- key: []\npaths:\n  /orders:\n    post:\n      operationId: order\n"
GATEWAY_FLIPS: Flips = [
    ("a method that asks for nothing", gateway(openapi(None)), "yes", "GET /p0"),
    ("updating", gateway(openapi(None), "UPDATING"), "yes", "gateway.dev"),
    ("failed", gateway(openapi(None), "FAILED"), "no", "failed"),
    ("creating", gateway(openapi(None), "CREATING"), "no", "creating"),
    ("deleting", gateway(openapi(None), "DELETING"), "no", "deleting"),
    ("a method that asks for a token", gateway(openapi(TOKEN)), "no", "firebase"),
    ("a method that asks for a key", gateway(openapi([{"api_key": []}])), "no", "api_key"),
    ("all ask, because the document says so", gateway(openapi(None, None, security=TOKEN)), "no", "firebase"),
    ("one method takes that back", gateway(openapi(None, [], security=TOKEN)), "yes", "GET /p1"),
    ("one method of two asks", gateway(openapi(TOKEN, None)), "yes", "GET /p1"),
    ("a token or nothing", gateway(openapi([*TOKEN, {}])), "yes", "GET /p0"),
    ("a token or a key", gateway(openapi([*TOKEN, {"api_key": []}])), "no", "api_key, firebase"),
    ("paths that nothing describes", gateway(openapi(TOKEN, **{"x-google-allow": "all"})), "yes", "does not describe"),
    ("described paths only", gateway(openapi(TOKEN, **{"x-google-allow": "configured"})), "no", "firebase"),
    ("no method", gateway(openapi()), "no", "no method"),
    ("what is defined and never demanded", gateway(openapi(None, securityDefinitions={"firebase": {"type": "oauth2"}})), "yes", ""),
    ("in YAML", gateway(YAML), "no", "key"),
    ("in YAML, with nothing asked", gateway(YAML.replace("security:\n- key: []\n", "")), "yes", "POST /orders"),
    ("no YAML at all", gateway("{[:"), "unknown", "cannot be read"),
    ("no base64 at all", gateway({}, openapiDocuments=[{"document": {"contents": "%%%"}}]), "unknown", "cannot be read"),
    ("configuration unread", gateway(), "unknown", "not read"),
    ("configuration without its documents", gateway({}, openapiDocuments=[{"document": {"path": "api.yaml"}}]), "unknown", "not read"),
    ("configuration of another API", gateway(openapi(None), config=API.replace("/apis/a/", "/apis/b/")), "unknown", "not read"),
    ("its project by another name", gateway(openapi(TOKEN), served=API.replace(f"projects/{P}", "projects/1001")), "no", "firebase"),
    ("services of gRPC", gateway({}, openapiDocuments=[], grpcServices=[{"fileDescriptorSet": {}}]), "unknown", "not read"),
]  # fmt: skip
FLIPS: dict[str, Flips] = defaultdict(list)
for _uid, (_kind, _role, _none, _permission, _service) in POLICIES.items():
    FLIPS[_uid] += by_policy(_kind, _uid, _role, _none, _permission, _service)
for _uid, _flips in (
    (VM, [*google.MACHINES, *services.BALANCED, *services.FIREWALLS]), (WALL, WALL_FLIPS),
    forwarding("ForwardingRule"), forwarding("GlobalForwardingRule"), (BUCKET, BUCKET_FLIPS), (DATASET, DATASET_FLIPS),
    (f"{DATASET}/tables/t", TABLE_FLIPS), (SA, ACCOUNT_FLIPS), (IN_POOL, PROVIDER_FLIPS), (SVC, RUN_FLIPS), (FUNCTION, FN1_FLIPS),
    (FN2, FN2_FLIPS), (SQL, SQL_FLIPS), (ALLOY, ALLOY_FLIPS), (GKE, GKE_FLIPS), (APPENGINE, APPENGINE_FLIPS),
    (ENV, COMPOSER_FLIPS), (GATEWAY, GATEWAY_FLIPS), *PLACES.items(),
):  # fmt: skip
    FLIPS[_uid] += _flips
ROWS = [(uid, *flip) for uid, flips in FLIPS.items() for flip in flips]


def type_of(uid: str, assets: list[Asset]) -> str:
    """`gcp_storage_bucket` of the asset that is asked about."""
    kind = next(str(a["assetType"]) for a in assets if a["name"] == uid)
    service, _, word = kind.partition("/")
    return f"gcp_{service.split('.')[0]}_{snake(word)}"


@pytest.mark.parametrize(("uid", "assets", "value", "told"), [(u, a, v, t) for u, _, a, v, t in ROWS],
                         ids=[f"{type_of(u, a)[4:]}: {n}" for u, n, a, *_ in ROWS])  # fmt: skip
def test_one_condition_flipped(uid: str, assets: list[Asset], value: str, told: str) -> None:
    found = {s.resource: s for s in exposure(google.estate(*assets))}[uid]
    holds(found, value, told)


def test_every_type_has_twelve_flips() -> None:
    twelve(((type_of(uid, assets), assets) for uid, _, assets, *_ in ROWS), set(CONTROLS))


@pytest.mark.parametrize("seed", range(3))
def test_the_spelling_of_the_envelope_changes_no_answer(seed: int) -> None:
    """Every third estate again, as an older export writes it: snake_case, text for data."""
    for uid, flip, assets, value, _ in ROWS[seed::9]:
        rows = []
        for found in assets:
            row = google.snake(found)
            inner = row.get("resource")
            if isinstance(inner, dict) and isinstance(inner.get("data"), dict):
                row["resource"] = {**inner, "data": json.dumps(inner["data"])}
            rows.append(row)
        made = estate_of(google.records(*rows))
        assert {s.resource: s.value for s in exposure(made)}[uid] == value, flip


def test_accounts_and_runs_share_their_names() -> None:
    assert RUN.rsplit("/", 1)[-1] == SVC.rsplit("/", 1)[-1] and account()["name"] == SA
