"""Google Cloud: balancers, federation, perimeters and services; every condition flipped alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secinbox.connectors import recognise
from secinbox.estate import estate_of
from secinbox.inventory import gcp as inventory
from secinbox.network.gcp import exposure
from secinbox.reading import Report
from secinbox.records import Resource
from tests.test_gcp import (
    ALL,
    ANCESTORS,
    ANY,
    BUCKET,
    COMPUTE,
    CRM,
    DATASET,
    GKE,
    NETWORK,
    NO_ADDRESS,
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
    custom,
    firewall,
    folder,
    gke,
    hierarchy,
    machine,
    prevented,
    project,
    public,
    run,
)  # fmt: skip

FRONTS = ("130.211.0.0/22", "35.191.0.0/16")
LINK = "https://www.googleapis.com/compute/v1/projects/shop-1"
GROUP = f"{COMPUTE}/zones/europe-west1-b/instanceGroups/ig"


def chain(group: str = "zones/europe-west1-b/instanceGroups/ig", *, scheme: str = "EXTERNAL", armor: bool = False,
          iap: bool = False, port: int = 8080) -> list[Asset]:  # fmt: skip
    """Forwarding rule, proxy, map, service."""
    kind = "networkEndpointGroups" if "networkEndpointGroups" in group else "x"
    service: Asset = {"name": "svc", "port": port, "backends": [{"group": f"{LINK}/{group}"}]}
    if armor:
        service["securityPolicy"] = f"{LINK}/global/securityPolicies/armor"
    if iap:
        service["iap"] = {"enabled": True}
    del kind
    return [
        asset("compute.googleapis.com/GlobalForwardingRule", f"{COMPUTE}/global/forwardingRules/fr", {
            "name": "fr", "loadBalancingScheme": scheme, "IPAddress": "34.8.8.8", "portRange": "443-443",
            "target": f"{LINK}/global/targetHttpsProxies/p"}),
        asset("compute.googleapis.com/TargetHttpsProxy", f"{COMPUTE}/global/targetHttpsProxies/p", {
            "name": "p", "urlMap": f"{LINK}/global/urlMaps/m"}),
        asset("compute.googleapis.com/UrlMap", f"{COMPUTE}/global/urlMaps/m", {
            "name": "m", "pathMatchers": [{"defaultService": f"{LINK}/global/backendServices/svc"}]}),
        asset("compute.googleapis.com/BackendService", f"{COMPUTE}/global/backendServices/svc", service),
    ]  # fmt: skip


def armor(*rules: tuple[int, str, str]) -> Asset:
    return asset("compute.googleapis.com/SecurityPolicy", f"{COMPUTE}/global/securityPolicies/armor", {
        "name": "armor", "rules": [{"priority": p, "action": a, "match": {"config": {"srcIpRanges": [r]}}}
                                   for p, a, r in rules]})  # fmt: skip


def group(**data: Any) -> Asset:
    return asset(
        "compute.googleapis.com/InstanceGroup",
        GROUP,
        {"name": "ig", "network": NETWORK, "size": 1, **data},
    )


def member() -> Asset:
    """The relationship record of an export."""
    return {"name": VM, "assetType": "compute.googleapis.com/Instance", "ancestors": ANCESTORS, "relatedAsset": {
        "asset": GROUP, "assetType": "compute.googleapis.com/InstanceGroup",
        "relationshipType": "INSTANCE_TO_INSTANCEGROUP"}}  # fmt: skip


def inside(**more: Any) -> Asset:
    return machine(networkInterfaces=NO_ADDRESS, **more)


def endpoints(zone: str = "europe-west1-b", **data: Any) -> list[Asset]:
    """A balancer before a group of endpoints, which are addresses of machines."""
    path = f"zones/{zone}/networkEndpointGroups/n"
    return [*chain(path), asset("compute.googleapis.com/NetworkEndpointGroup", f"{COMPUTE}/{path}", {
        "name": "n", "networkEndpointType": "GCE_VM_IP_PORT", "network": NETWORK, **data})]  # fmt: skip


def passed(target: str, **data: Any) -> list[Asset]:
    """A rule whose traffic arrives as it was sent: to a pool of targets, or to a service."""
    place, link = f"{COMPUTE}/regions/europe-west1", f"{LINK}/regions/europe-west1/{target}"
    key = "target" if target.startswith("targetPools") else "backendService"
    rule = {"name": "fr", "loadBalancingScheme": "EXTERNAL", "IPAddress": "34.8.8.8", "portRange": "443-443", "IPProtocol": "TCP",
            key: link, **data}  # fmt: skip
    return [asset("compute.googleapis.com/ForwardingRule", f"{place}/forwardingRules/fr", rule),
            asset("compute.googleapis.com/TargetPool", f"{place}/targetPools/p", {
                "name": "p", "instances": [f"{LINK}/zones/europe-west1-b/instances/web"]}),
            asset("compute.googleapis.com/RegionBackendService", f"{place}/backendServices/b", {
                "name": "b", "loadBalancingScheme": "EXTERNAL", "backends": [{"group": f"{LINK}/zones/europe-west1-b/instanceGroups/ig"}]})]  # fmt: skip


MADE_BY = {"metadata": {"items": [{"key": "created-by", "value":
           "projects/1001/zones/europe-west1-b/instanceGroupManagers/ig"}]}}  # fmt: skip
TO_FRONT = firewall("lb", FRONTS, ("8080",))
BEHIND = [inside(), member(), group(), TO_FRONT]
BALANCED: list[tuple[str, list[Asset], str, str]] = [
    ("unmanaged group", [*BEHIND, *chain()], "yes", "fr"),
    ("managed group", [inside(**MADE_BY), group(), TO_FRONT, *chain()], "yes", "fr"),
    ("members unread", [inside(), group(), TO_FRONT, *chain()], "unknown", "member of ig"),
    ("empty group", [inside(), group(size=0), TO_FRONT, *chain()], "no", "no external"),
    ("members unread, firewall closed", [inside(), group(), firewall("ssh", ("10.0.0.0/8",)), *chain()], "no", "no external"),
    ("endpoints that no export lists", [inside(), TO_FRONT, *endpoints()], "unknown", "member of n"),
    ("endpoints that no export lists, firewall closed", [inside(), firewall("ssh", ("10.0.0.0/8",)), *endpoints()], "no", "no external"),
    ("no endpoints", [inside(), TO_FRONT, *endpoints(size=0)], "no", "no external"),
    ("endpoints of another zone", [inside(), TO_FRONT, *endpoints("europe-west1-c")], "no", "no external"),
    ("pool of targets", [inside(), firewall(), *passed("targetPools/p")], "yes", "fr"),
    ("pool of targets, firewall for an office", [inside(), firewall(ranges=("203.0.113.0/24",)), *passed("targetPools/p")], "no", "does not admit"),
    ("pool of targets, another port", [inside(), firewall(), *passed("targetPools/p", portRange="80-80")], "no", "does not admit"),
    ("pool of targets, another protocol", [inside(), firewall(), *passed("targetPools/p", IPProtocol="UDP")], "no", "does not admit"),
    ("service that passes through", [inside(), member(), group(), firewall(), *passed("backendServices/b")], "yes", "fr"),
    ("service that passes through, firewall for fronts", [inside(), member(), group(), TO_FRONT, *passed("backendServices/b")], "no", "does not admit"),
    ("internal balancer", [*BEHIND, *chain(scheme="INTERNAL_MANAGED")], "no", "no external"),
    ("firewall closed to fronts", [inside(), member(), group(), firewall("ssh", ("10.0.0.0/8",)), *chain()],
     "no", "does not admit"),
    ("firewall on another port", [*BEHIND, *chain(port=9090)], "no", "does not admit"),
    ("firewall denies fronts first", [*BEHIND, firewall("deny", ("0.0.0.0/0",), ("8080",), "denied", priority=10),
                                      *chain()], "no", "does not admit"),
    ("stopped", [inside(status="TERMINATED"), *BEHIND[1:], *chain()], "no", "terminated"),
    ("IAP", [*BEHIND, *chain(iap=True)], "no", "Identity-Aware"),
    ("armor denies all", [*BEHIND, *chain(armor=True), armor((2147483647, "deny(403)", "*"))], "no", "armor"),
    ("armor allows all", [*BEHIND, *chain(armor=True), armor((2147483647, "allow", "*"))], "yes", "fr"),
    ("armor allows an office", [*BEHIND, *chain(armor=True), armor(
        (10, "allow", "203.0.113.0/24"), (2147483647, "deny(404)", "*"))], "no", "armor"),
    ("armor denies an office", [*BEHIND, *chain(armor=True), armor(
        (10, "deny(403)", "203.0.113.0/24"), (2147483647, "allow", "*"))], "yes", ""),
    ("armor unread", [*BEHIND, *chain(armor=True)], "unknown", "not read"),
    ("named port", [inside(), member(), group(namedPorts=[{"name": "http", "port": 8080}]), TO_FRONT,
                    *chain(port=80)], "yes", "fr"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("assets", "value", "told"), [c[1:] for c in BALANCED], ids=[c[0] for c in BALANCED]
)
def test_machines_behind_balancers(assets: list[Asset], value: str, told: str) -> None:
    found = public(VM, *assets)
    assert found.value == value, found.evidence
    assert told in " ".join(" ".join((e.text, *e.steps)) for e in found.evidence)


def policy(action: str, *, before: bool = False, **more: Any) -> list[Asset]:
    """A network firewall policy and its network."""
    rule: Asset = {"action": action, "priority": 10, "direction": "INGRESS", "match": {
        "srcIpRanges": ["0.0.0.0/0"], "layer4Configs": [{"ipProtocol": "tcp", "ports": ["443"]}]}, **more}  # fmt: skip
    return [
        asset("compute.googleapis.com/NetworkFirewallPolicy", f"{COMPUTE}/global/firewallPolicies/net", {
            "name": "net", "associations": [{"attachmentTarget": NETWORK}], "rules": [rule]}),
        asset("compute.googleapis.com/Network", f"{COMPUTE}/global/networks/main", {
            "name": "main", "networkFirewallPolicyEnforcementOrder":
            "BEFORE_CLASSIC_FIREWALL" if before else "AFTER_CLASSIC_FIREWALL"}),
    ]  # fmt: skip


def bears(tag: str) -> Asset:
    return asset("cloudresourcemanager.googleapis.com/TagBinding", f"{CRM}/tagBindings/x", {
        "parent": VM, "tagValue": tag})  # fmt: skip


def elsewhere(network: str) -> Asset:
    found = hierarchy("deny")
    found["resource"]["data"]["rules"][0]["targetResources"] = [network]
    return found


SECURE = {"targetSecureTags": [{"name": "tagValues/1"}]}
HEALTH = ("130.211.0.0/22", "35.191.0.0/16", "35.235.240.0/20")
FIREWALLS: list[tuple[str, list[Asset], str, str]] = [
    ("health checks and tunnels only", [machine(), firewall(ranges=HEALTH)], "no", "admits only"),
    ("health checks and an office", [machine(), firewall(ranges=(*HEALTH, "203.0.113.0/24"))], "no", "203.0.113"),
    ("health checks and half of the Internet", [machine(), firewall(ranges=(*HEALTH, "128.0.0.0/1"))], "yes", ""),
    ("network policy allows", [machine(), firewall("x", ("10.0.0.0/8",)), *policy("allow")], "yes", "net"),
    ("network policy denies after", [machine(), firewall(), *policy("deny")], "yes", ""),
    ("network policy denies before", [machine(), firewall(), *policy("deny", before=True)], "no", "net"),
    ("inspection lets pass", [machine(), firewall("x", ("10.0.0.0/8",)),
                              *policy("apply_security_profile_group")], "yes", ""),
    ("disabled rule of a policy", [machine(), firewall("x", ("10.0.0.0/8",)), *policy("allow", disabled=True)], "no", ""),
    ("secure tag borne", [machine(), firewall("x", ("10.0.0.0/8",)), *policy("allow", **SECURE), bears("tagValues/1")],
     "yes", ""),
    ("another secure tag", [machine(), firewall("x", ("10.0.0.0/8",)), *policy("allow", **SECURE), bears("tagValues/2")],
     "no", ""),
    ("secure tags unread", [machine(), firewall("x", ("10.0.0.0/8",)), *policy("allow", **SECURE)], "unknown", "secure tags"),
    ("denial for secure tags unread", [machine(), firewall(), *policy("deny", before=True, **SECURE)], "unknown", "secure"),
    ("hierarchy for another network", [machine(), firewall(), elsewhere(NETWORK + "2")], "yes", ""),
    ("hierarchy for this network", [machine(), firewall(), elsewhere(NETWORK)], "no", "org"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("assets", "value", "told"), [c[1:] for c in FIREWALLS], ids=[c[0] for c in FIREWALLS]
)
def test_firewall_policies(assets: list[Asset], value: str, told: str) -> None:
    found = public(VM, *assets)
    assert found.value == value, found.evidence
    assert told in " ".join(" ".join((e.text, *e.steps)) for e in found.evidence)


# Services

POOL = "projects/1001/locations/global/workloadIdentityPools/ci"
IN_POOL = f"//iam.googleapis.com/{POOL}/providers/github"
WHOLE = f"principalSet://iam.googleapis.com/{POOL}/*"
WIU = "roles/iam.workloadIdentityUser"
NEG = "regions/europe-west1/networkEndpointGroups/neg"
SVC = f"//run.googleapis.com/projects/{P}/locations/europe-west1/services/api"
FN2 = f"//cloudfunctions.googleapis.com/projects/{P}/locations/europe-west1/functions/f"
TOPIC = f"//pubsub.googleapis.com/projects/{P}/topics/t"
SECRET = f"//secretmanager.googleapis.com/projects/{P}/secrets/s"
REPO = f"//artifactregistry.googleapis.com/projects/{P}/locations/eu/repositories/r"
KEYRING = f"//cloudkms.googleapis.com/projects/{P}/locations/eu/keyRings/k/cryptoKeys/c"
ENV = f"//composer.googleapis.com/projects/{P}/locations/eu/environments/e"
APPENGINE = "//appengine.googleapis.com/apps/shop-1/services/default"
ALLOY = f"//alloydb.googleapis.com/projects/{P}/locations/eu/clusters/c/instances/i"
INVOKE = bind("roles/run.invoker", ALL)


def idp(
    issuer: str = "https://token.actions.githubusercontent.com", bound: str = "", **more: Any
) -> Asset:
    return asset("iam.googleapis.com/WorkloadIdentityPoolProvider", IN_POOL, {
        "name": IN_POOL.split(".com/")[1], "oidc": {"issuerUri": issuer}, "attributeCondition": bound,
        "state": "ACTIVE", **more})  # fmt: skip


def fed(member: str = WHOLE) -> Asset:
    return account(SA, bind(WIU, member))


def neg(
    ingress: str = "internal-and-cloud-load-balancing", *policy: Asset, **more: Any
) -> list[Asset]:
    """A load balancer before a Cloud Run service."""
    return [*chain(NEG, **more), asset("compute.googleapis.com/NetworkEndpointGroup", f"{COMPUTE}/{NEG}", {
        "name": "neg", "region": f"{LINK}/regions/europe-west1", "networkEndpointType": "SERVERLESS",
        "cloudRun": {"service": "api"}}), {**run(ingress, *policy), "name": SVC}]  # fmt: skip


def perimeter(*services: str, projects: tuple[str, ...] = ("projects/1001",), dry: bool = False,
              ingress: list[Asset] | None = None) -> Asset:  # fmt: skip
    inner = {
        "resources": list(projects),
        "restrictedServices": list(services),
        "ingressPolicies": ingress or [],
    }
    return {"name": "//accesscontextmanager.googleapis.com/accessPolicies/1/servicePerimeters/walls",
            "assetType": "accesscontextmanager.googleapis.com/ServicePerimeter", "ancestors": ANCESTORS[2:],
            "servicePerimeter": {"title": "walls", "perimeterType": "PERIMETER_TYPE_REGULAR",
                                 "spec" if dry else "status": inner}}  # fmt: skip


FROM_ANYWHERE = [{"ingressFrom": {"identityType": "ANY_IDENTITY", "sources": [{"accessLevel": "*"}]},
                  "ingressTo": {"operations": [{"serviceName": "storage.googleapis.com"}]}}]  # fmt: skip


def fn2(*policy: Asset, ingress: str = "ALLOW_ALL") -> Asset:
    return asset("cloudfunctions.googleapis.com/Function", FN2, {"name": "f", "serviceConfig": {
        "ingressSettings": ingress, "service": SVC.split(".com/")[1]}}, list(policy))  # fmt: skip


def any_(kind: str, uid: str, *policy: Asset, **data: Any) -> Asset:
    return asset(kind, uid, {"name": uid.rsplit("/", 1)[-1], **data}, list(policy))


def v2(place: str, constraint: str, *rules: Asset) -> Asset:
    name = f"{place}/policies/{constraint}"
    return asset("orgpolicy.googleapis.com/Policy", f"//orgpolicy.googleapis.com/{name}",
                 {"name": name, "spec": {"rules": list(rules)}})  # fmt: skip


def sql(*networks: Asset, **settings: Any) -> Asset:
    return asset("sqladmin.googleapis.com/Instance", SQL, {"settings": {**settings, "ipConfiguration": {
        "ipv4Enabled": True, "authorizedNetworks": list(networks)}}})  # fmt: skip


OPEN: Asset = {"value": "0.0.0.0/0"}
PREVENT = "storage.publicAccessPrevention"
WALL = f"{COMPUTE}/global/firewalls/allow-web"
SERVICES: list[tuple[str, str, list[Asset], str, str]] = [
    ("firewall for everyone", WALL, [firewall()], "yes", "tcp 443"),
    ("firewall for UDP", WALL, [firewall(allowed=[{"IPProtocol": "udp", "ports": ["53"]}])], "yes", "udp 53"),
    ("firewall for IPv6", WALL, [firewall(ranges=("::/0",))], "yes", ""),
    ("firewall in halves", WALL, [firewall(ranges=("0.0.0.0/1", "128.0.0.0/1"))], "yes", ""),
    ("firewall for an office", WALL, [firewall(ranges=("203.0.113.0/24",))], "no", "203.0.113"),
    ("firewall off", WALL, [firewall(disabled=True)], "no", "no rule"),
    ("firewall for egress", WALL, [firewall(direction="EGRESS")], "no", "no rule"),
    ("firewall that denies", WALL, [firewall(action="denied")], "no", "no rule"),
    ("firewall for ping", WALL, [firewall(allowed=[{"IPProtocol": "icmp"}])], "no", "nobody"),
    ("firewall for fronts", WALL, [firewall(ranges=FRONTS)], "no", "130.211"),
    ("bucket, role above", BUCKET, [project(bind(VIEW, ANY)), bucket()], "yes", "at projects/1001"),
    ("bucket, role at the folder", BUCKET, [project(), folder(bind(VIEW, ANY)), bucket()], "yes", "folders/20"),
    ("bucket, harmless role above", BUCKET, [project(bind("roles/browser", ANY)), bucket()], "no", ""),
    ("bucket, custom role", BUCKET, [bucket(bind("projects/shop-1/roles/custom", ALL)), custom("storage.objects.get")], "yes", ""),
    ("bucket, custom role of nothing", BUCKET, [bucket(bind("projects/shop-1/roles/custom", ALL)),
                                                custom("storage.buckets.get")], "no", ""),
    ("bucket, custom role unread", BUCKET, [bucket(bind("projects/shop-1/roles/custom", ALL))], "unknown", "projects/shop-1/roles/custom"),
    ("bucket, role unknown", BUCKET, [bucket(bind("roles/new.shiny", ALL))], "unknown", "roles/new.shiny"),
    ("bucket, expired condition", BUCKET, [bucket(bind(VIEW, ALL, expression='request.time < timestamp("2020-01-01T00:00:00Z")'))], "no", ""),
    ("bucket, writers", BUCKET, [bucket(bind("roles/storage.objectCreator", ALL))], "yes", "objectCreator"),
    ("bucket, v2 prevention", BUCKET, [bucket(bind(VIEW, ALL)), project(), v2("projects/1001", PREVENT, {"enforce": True})], "no", "prevention"),
    ("bucket, v2 prevention above", BUCKET, [bucket(bind(VIEW, ALL)), project(), folder(), v2("folders/20", PREVENT, {"enforce": True})], "no", "prevention"),
    ("bucket, v2 taken back below", BUCKET, [bucket(bind(VIEW, ALL)), project(), folder(), v2("folders/20", PREVENT, {"enforce": True}),
                                             v2("projects/1001", PREVENT, {"enforce": False})], "yes", ""),
    ("bucket, v1 prevention off", BUCKET, [bucket(bind(VIEW, ALL)), prevented(False)], "yes", ""),
    ("bucket in a perimeter", BUCKET, [project(), bucket(bind(VIEW, ALL)), perimeter("storage.googleapis.com")], "no", "walls"),
    ("bucket, perimeter of another service", BUCKET, [project(), bucket(bind(VIEW, ALL)), perimeter("bigquery.googleapis.com")], "yes", ""),
    ("bucket, perimeter of another project", BUCKET, [project(), bucket(bind(VIEW, ALL)), perimeter(
        "storage.googleapis.com", projects=("projects/9",))], "yes", ""),
    ("bucket, perimeter on trial", BUCKET, [project(), bucket(bind(VIEW, ALL)), perimeter("storage.googleapis.com", dry=True)], "yes", ""),
    ("bucket, perimeter with a door", BUCKET, [project(), bucket(bind(VIEW, ALL)), perimeter(
        "storage.googleapis.com", ingress=FROM_ANYWHERE)], "yes", ""),
    ("database, connectors only", SQL, [sql(OPEN, connectorEnforcement="REQUIRED")], "no", "connectors"),
    ("database, stopped", SQL, [sql(OPEN, activationPolicy="NEVER")], "no", "stopped"),
    ("database, expired network", SQL, [sql({**OPEN, "expirationTime": "2020-01-01T00:00:00Z"})], "no", "no network"),
    ("database, a wide range", SQL, [sql({"value": "128.0.0.0/2"})], "yes", ""),
    ("service through a balancer", SVC, neg("internal-and-cloud-load-balancing", INVOKE), "yes", "fr"),
    ("service through a balancer, nobody invokes", SVC, neg("internal-and-cloud-load-balancing"), "no", "nobody"),
    ("service, internal, balancer", SVC, neg("internal", INVOKE), "no", "internal"),
    ("service through an internal balancer", SVC, neg("internal-and-cloud-load-balancing", INVOKE, scheme="INTERNAL_MANAGED"), "no", "balancers"),
    ("service through a balancer with IAP", SVC, neg("internal-and-cloud-load-balancing", INVOKE, iap=True), "no", "Identity-Aware"),
    ("service for any account", RUN, [run("all", bind("roles/run.invoker", ANY))], "yes", "allAuthenticatedUsers"),
    ("service, invoker above", RUN, [project(bind("roles/run.invoker", ANY)), run("all")], "yes", "projects/1001"),
    ("service, check off", RUN, [any_("run.googleapis.com/Service", RUN, invokerIamDisabled=True, ingress="INGRESS_TRAFFIC_ALL")], "yes", "check is off"),
    ("service, check off, internal", RUN, [any_("run.googleapis.com/Service", RUN, invokerIamDisabled=True,
                                                ingress="INGRESS_TRAFFIC_INTERNAL_ONLY")], "no", "internal"),
    ("service, IAP", RUN, [any_("run.googleapis.com/Service", RUN, INVOKE, iapEnabled=True)], "no", "Identity-Aware"),
    ("service, address off", RUN, [any_("run.googleapis.com/Service", RUN, INVOKE, defaultUriDisabled=True)], "no", "disabled"),
    ("function, second generation", FN2, [fn2(), {**run("all", INVOKE), "name": SVC}], "yes", "run.invoker"),
    ("function, second, nobody", FN2, [fn2(), {**run("all"), "name": SVC}], "no", "nobody"),
    ("function, second, internal", FN2, [fn2(ingress="ALLOW_INTERNAL_ONLY"), {**run("all", INVOKE), "name": SVC}], "no", "INTERNAL"),
    ("function, second, service unread", FN2, [fn2()], "unknown", "not read"),
    ("cluster, Google's addresses", GKE, [gke(masterAuthorizedNetworksConfig={
        "enabled": True, "gcpPublicCidrsAccessEnabled": True})], "yes", "any customer"),
    ("cluster, nobody authorised", GKE, [gke(masterAuthorizedNetworksConfig={"enabled": True, "cidrBlocks": []})], "no", "none"),
    ("cluster, a wide range", GKE, [gke(masterAuthorizedNetworksConfig={"enabled": True, "cidrBlocks": [{"cidrBlock": "34.0.0.0/7"}]})], "yes", ""),
    ("cluster, DNS endpoint", GKE, [gke(privateClusterConfig={"enablePrivateEndpoint": True}, controlPlaneEndpointsConfig={
        "dnsEndpointConfig": {"allowExternalTraffic": True, "endpoint": "gke.example"}})], "yes", "gke.example"),
    ("cluster, DNS endpoint inside", GKE, [gke(privateClusterConfig={"enablePrivateEndpoint": True}, controlPlaneEndpointsConfig={
        "dnsEndpointConfig": {"allowExternalTraffic": False}})], "no", "private"),
    ("dataset, viewers", DATASET, [any_("bigquery.googleapis.com/Dataset", DATASET, bind("roles/bigquery.dataViewer", ALL))], "yes", ""),
    ("dataset, metadata", DATASET, [any_("bigquery.googleapis.com/Dataset", DATASET, bind("roles/bigquery.metadataViewer", ALL))], "no", ""),
    ("topic, publishers", TOPIC, [any_("pubsub.googleapis.com/Topic", TOPIC, bind("roles/pubsub.publisher", ALL))], "yes", ""),
    ("topic, viewers", TOPIC, [any_("pubsub.googleapis.com/Topic", TOPIC, bind("roles/pubsub.viewer", ALL))], "no", ""),
    ("secret", SECRET, [any_("secretmanager.googleapis.com/Secret", SECRET, bind("roles/secretmanager.secretAccessor", ANY))], "yes", "allAuth"),
    ("secret, viewers", SECRET, [any_("secretmanager.googleapis.com/Secret", SECRET, bind("roles/secretmanager.viewer", ANY))], "no", ""),
    ("repository", REPO, [any_("artifactregistry.googleapis.com/Repository", REPO, bind("roles/artifactregistry.reader", ALL))], "yes", ""),
    ("repository for one", REPO, [any_("artifactregistry.googleapis.com/Repository", REPO, bind("roles/artifactregistry.reader", "user:a@x"))], "no", ""),
    ("key", KEYRING, [any_("cloudkms.googleapis.com/CryptoKey", KEYRING, bind("roles/cloudkms.cryptoKeyDecrypter", ALL))], "yes", ""),
    ("key, viewers", KEYRING, [any_("cloudkms.googleapis.com/CryptoKey", KEYRING, bind("roles/cloudkms.viewer", ALL))], "no", ""),
    ("environment", ENV, [any_("composer.googleapis.com/Environment", ENV, config={"webServerNetworkAccessControl": {
        "allowedIpRanges": [OPEN]}})], "yes", "sign-in"),
    ("environment for an office", ENV, [any_("composer.googleapis.com/Environment", ENV, config={"webServerNetworkAccessControl": {
        "allowedIpRanges": [{"value": "203.0.113.0/24"}]}})], "no", "203.0.113"),
    ("App Engine", APPENGINE, [any_("appengine.googleapis.com/Service", APPENGINE)], "yes", "all traffic"),
    ("App Engine inside", APPENGINE, [any_("appengine.googleapis.com/Service", APPENGINE, networkSettings={
        "ingressTrafficAllowed": "INGRESS_TRAFFIC_ALLOWED_INTERNAL_ONLY"})], "no", "INTERNAL"),
    ("AlloyDB", ALLOY, [any_("alloydb.googleapis.com/Instance", ALLOY, networkConfig={
        "enablePublicIp": True, "authorizedExternalNetworks": [{"cidrRange": "0.0.0.0/0"}]})], "yes", ""),
    ("AlloyDB inside", ALLOY, [any_("alloydb.googleapis.com/Instance", ALLOY, networkConfig={"enablePublicIp": False})], "no", "no public"),
    ("pool of GitHub", IN_POOL, [idp()], "yes", "token.actions"),
    ("pool bound to an owner", IN_POOL, [idp(bound="assertion.repository_owner == 'acme'")], "no", "acme"),
    ("pool bound to nothing useful", IN_POOL, [idp(bound="assertion.ref == 'refs/heads/main'")], "yes", ""),
    ("pool of one's own issuer", IN_POOL, [idp("https://idp.acme.test")], "no", "owner's own"),
    ("pool off", IN_POOL, [idp(disabled=True)], "no", "switched off"),
    ("account for the whole pool", SA, [project(), fed(), idp()], "yes", "token.actions"),
    ("account for the pool, bound", SA, [project(), fed(), idp(bound="attribute.repository_owner == 'acme'")], "no", "acme"),
    ("account for a repository", SA, [project(), fed(WHOLE.replace("/*", "/attribute.repository/acme/shop")), idp()], "no", ""),
    ("account for a branch of anyone", SA, [project(), fed(WHOLE.replace("/*", "/attribute.ref/refs/heads/main")), idp()], "yes", ""),
    ("account, provider unread", SA, [project(), fed()], "unknown", "not read"),
    ("account for anyone", SA, [project(), account(SA, bind("roles/iam.serviceAccountTokenCreator", ANY))], "yes", "allAuth"),
    ("account, viewers", SA, [project(), account(SA, bind("roles/iam.serviceAccountViewer", ANY))], "no", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("uid", "assets", "value", "told"), [c[1:] for c in SERVICES], ids=[c[0] for c in SERVICES]
)
def test_services(uid: str, assets: list[Asset], value: str, told: str) -> None:
    found = public(uid, *assets)
    assert found.value == value, found.evidence
    assert told in " ".join(e.text for e in found.evidence)
    assert all(e.kind == "control" for e in found.evidence) == (value == "no")


LISTS: list[tuple[str, Any, str, str]] = [
    ("service accounts", {"name": f"projects/{P}/serviceAccounts/app@{P}.iam.gserviceaccount.com", "projectId": P,
                          "email": f"app@{P}.iam.gserviceaccount.com", "uniqueId": "1"}, SA, "gcp_iam_service_account"),
    ("projects", {"projectId": P, "projectNumber": "1001", "lifecycleState": "ACTIVE", "name": "Shop",
                  "parent": {"type": "folder", "id": "20"}}, f"{CRM}/projects/1001", "gcp_cloudresourcemanager_project"),
    ("secrets", {"name": f"projects/{P}/secrets/s", "replication": {}}, SECRET, "gcp_secretmanager_secret"),
    ("topics", {"name": f"projects/{P}/topics/t"}, TOPIC, "gcp_pubsub_topic"),
    ("services", {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {
        "name": "api", "namespace": P, "labels": {"cloud.googleapis.com/location": "europe-west1"}}, "spec": {}}, SVC, "gcp_run_service"),
    ("clusters", {"name": "c", "selfLink": f"https://container.googleapis.com/v1/projects/{P}/zones/z/clusters/c"}, GKE,
     "gcp_container_cluster"),
    ("databases", {"kind": "sql#instance", "name": "db", "selfLink":
                   f"https://sqladmin.googleapis.com/sql/v1beta4/projects/{P}/instances/db"}, SQL, "gcp_sqladmin_instance"),
    ("policies found", {"resource": BUCKET, "assetType": "storage.googleapis.com/Bucket", "project": "projects/1001",
                        "policy": {"bindings": [bind(VIEW, ALL)]}}, BUCKET, "gcp_storage_bucket"),
    ("gateways", {"name": f"projects/{P}/locations/eu/gateways/g", "defaultHostname": "g.example", "state": "ACTIVE"},
     f"//apigateway.googleapis.com/projects/{P}/locations/eu/gateways/g", "gcp_apigateway_gateway"),
    ("configurations of APIs", {"name": f"projects/{P}/locations/global/apis/a/configs/c", "state": "ACTIVE", "openapiDocuments": []},
     f"//apigateway.googleapis.com/projects/{P}/locations/global/apis/a/configs/c", "gcp_apigateway_api_config"),
    ("instances of AlloyDB", {"name": f"projects/{P}/locations/eu/clusters/c/instances/i", "instanceType": "PRIMARY"}, ALLOY,
     "gcp_alloydb_instance"),
    ("instances of Spanner", {"name": f"projects/{P}/instances/i", "config": f"projects/{P}/instanceConfigs/x"},
     f"//spanner.googleapis.com/projects/{P}/instances/i", "gcp_spanner_instance"),
    ("databases of Firestore", {"name": f"projects/{P}/databases/d", "concurrencyMode": "PESSIMISTIC"},
     f"//firestore.googleapis.com/projects/{P}/databases/d", "gcp_firestore_database"),
    ("queues", {"name": f"projects/{P}/locations/eu/queues/q", "rateLimits": {}},
     f"//cloudtasks.googleapis.com/projects/{P}/locations/eu/queues/q", "gcp_cloudtasks_queue"),
    ("datasets of bq", {"kind": "bigquery#dataset", "id": "shop-1:d", "selfLink":
                        f"https://bigquery.googleapis.com/bigquery/v2/projects/{P}/datasets/d"}, DATASET, "gcp_bigquery_dataset"),
    ("triggers", {"id": "t", "name": "shop-pr", "resourceName": f"projects/{P}/locations/global/triggers/t", "github": {}},
     f"//cloudbuild.googleapis.com/projects/{P}/locations/global/triggers/t", "gcp_cloudbuild_build_trigger"),
    ("repositories of builds", {"name": f"projects/{P}/locations/eu/connections/gh/repositories/shop", "remoteUri": "https://github.com/a/b.git"},
     f"//cloudbuild.googleapis.com/projects/{P}/locations/eu/connections/gh/repositories/shop", "gcp_cloudbuild_repository"),
    ("organisation policies", {"name": "projects/1001/policies/storage.publicAccessPrevention", "spec": {"rules": []}},
     "//orgpolicy.googleapis.com/projects/1001/policies/storage.publicAccessPrevention", "gcp_orgpolicy_policy"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "uid", "kind"), [c[1:] for c in LISTS], ids=[c[0] for c in LISTS])
def test_lists_of_gcloud(row: Asset, uid: str, kind: str) -> None:
    data = json.dumps([row]).encode()
    assert recognise(data, "list.json").id == "gcp"
    found = next(r for r in inventory.read(Report(data)) if isinstance(r, Resource))
    assert (found.uid, found.type) == (uid, kind)


def test_a_policy_that_was_only_searched_counts() -> None:
    data = json.dumps([LISTS[7][1]]).encode()
    assert {s.resource: s.value for s in exposure(estate_of(inventory.read(Report(data))))}[
        BUCKET
    ] == "yes"


@pytest.mark.parametrize(("name", "known"), [("projects/shop-1/iam-policy.json", True), ("x/policy.json", False),
                                             ("x/shop-1.iam-policy.json", True)])  # fmt: skip
def test_the_policy_of_a_project_by_itself(name: str, known: bool) -> None:
    policy_ = {"bindings": [bind("roles/owner", "user:ana@x.test")], "etag": "x", "version": 1}
    data = json.dumps(policy_).encode()
    assert recognise(data, name).id == "gcp"
    found = list(inventory.read(Report(data, name=name, parts=tuple(name.split("/")))))
    assert (
        any(isinstance(r, Resource) and r.uid.endswith("/projects/shop-1") for r in found) is known
    )
    # Others may be missing: no policy of another resource is known to be empty.
    assert not any("iam_policy" in getattr(r, "key", "") for r in found)


def test_a_project_by_its_number_and_by_its_id_is_one() -> None:
    found = estate_of(inventory.read(Report("\n".join(json.dumps(a) for a in (
        project(), asset("pubsub.googleapis.com/Topic", TOPIC, {"name": "t"}))).encode())))  # fmt: skip
    assert {s.resource: s.value for s in exposure(found)}[TOPIC] == "no"


def test_data_as_text_is_read() -> None:
    row = machine()
    row["resource"]["data"] = json.dumps(row["resource"]["data"])
    assert public(VM, row, firewall()).value == "yes"
