"""Google Cloud: exports read, who can reach what, who is powerful; each condition flipped alone."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from secinbox.connectors import recognise
from secinbox.estate import Estate, estate_of
from secinbox.iam.gcp import privilege
from secinbox.inventory import gcp
from secinbox.network.gcp import exposure
from secinbox.reading import Report, ReportError
from secinbox.records import Resource, RiskStatement

P = "shop-1"
COMPUTE = f"//compute.googleapis.com/projects/{P}"
CRM = "//cloudresourcemanager.googleapis.com"
NETWORK = f"https://www.googleapis.com/compute/v1/projects/{P}/global/networks/main"
ANCESTORS = ["projects/1001", "folders/20", "organizations/30"]
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "inventory" / "gcp"
Asset = dict[str, Any]


def asset(kind: str, name: str, data: Asset | None = None, policy: list[Asset] | None = None,
          **more: Any) -> Asset:  # fmt: skip
    found: Asset = {"name": name, "assetType": kind, "ancestors": ANCESTORS, **more}
    if data is not None:
        found["resource"] = {"version": "v1", "data": data}
    if policy is not None:
        found["iamPolicy"] = {"bindings": policy}
    return found


def bind(role: str, *members: str, **condition: str) -> Asset:
    found: Asset = {"role": role, "members": list(members)}
    return {**found, "condition": condition} if condition else found


def project(*policy: Asset, rules: list[Asset] | None = None) -> Asset:
    return asset("cloudresourcemanager.googleapis.com/Project", f"{CRM}/projects/1001",
                 {"projectId": P, "projectNumber": "1001", "name": "Shop"}, list(policy),
                 **({"orgPolicy": rules} if rules else {}))  # fmt: skip


def records(*assets: Asset, form: str = "lines") -> list[Any]:
    if form == "lines":
        data = "\n".join(json.dumps(a) for a in assets).encode()
    elif form == "array":
        data = json.dumps(list(assets)).encode()
    else:
        data = json.dumps({"assets": list(assets)}).encode()
    return list(gcp.read(Report(data, name="assets.json")))


def estate(*assets: Asset, form: str = "lines") -> Estate:
    return estate_of(records(*assets, form=form))


def public(uid: str, *assets: Asset) -> RiskStatement:
    return {s.resource: s for s in exposure(estate(*assets))}[uid]


def powers(*assets: Asset) -> dict[str, RiskStatement]:
    return {s.resource: s for s in privilege(estate(*assets))}


# Machines

VM = f"{COMPUTE}/zones/europe-west1-b/instances/web"


def machine(**more: Any) -> Asset:
    return asset("compute.googleapis.com/Instance", VM, {
        "name": "web", "id": "77", "status": "RUNNING", "tags": {"items": ["web"]},
        "networkInterfaces": [{"network": NETWORK, "networkIP": "10.0.0.2", "accessConfigs": [
            {"type": "ONE_TO_ONE_NAT", "natIP": "34.1.2.3"}]}],
        "serviceAccounts": [{"email": f"app@{P}.iam.gserviceaccount.com", "scopes": [
            "https://www.googleapis.com/auth/cloud-platform"]}], **more})  # fmt: skip


def firewall(name: str = "allow-web", ranges: tuple[str, ...] = ("0.0.0.0/0",), ports: tuple[str, ...] = ("443",),
             action: str = "allowed", **more: Any) -> Asset:  # fmt: skip
    return asset("compute.googleapis.com/Firewall", f"{COMPUTE}/global/firewalls/{name}", {
        "name": name, "network": NETWORK, "direction": "INGRESS", "priority": 1000,
        "sourceRanges": list(ranges), action: [{"IPProtocol": "tcp", "ports": list(ports)}],
        **more})  # fmt: skip


def hierarchy(action: str, priority: int = 10, **match: Any) -> Asset:
    return asset("compute.googleapis.com/FirewallPolicy", "//compute.googleapis.com/locations/global/firewallPolicies/1", {
        "name": "org", "associations": [{"attachmentTarget": "organizations/30"}],
        "rules": [{"action": action, "priority": priority, "direction": "INGRESS",
                   "match": {"srcIpRanges": ["0.0.0.0/0"], "layer4Configs": [
                       {"ipProtocol": "tcp", "ports": ["443"]}], **match}}]})  # fmt: skip


NO_ADDRESS = [{"network": NETWORK, "networkIP": "10.0.0.2"}]
IPV6 = [{"network": NETWORK, "ipv6AccessConfigs": [{"externalIpv6": "2600:1900::1"}]}]
MACHINES: list[tuple[str, list[Asset], str, str]] = [
    ("open", [machine(), firewall()], "yes", "34.1.2.3"),
    ("IPv6", [machine(networkInterfaces=IPV6), firewall(ranges=("::/0",))], "yes", "2600"),
    ("IPv6 address, IPv4 rule", [machine(networkInterfaces=IPV6), firewall()], "no", "nobody"),
    ("two halves", [machine(), firewall(ranges=("0.0.0.0/1", "128.0.0.0/1"))], "yes", ""),
    ("two rules", [machine(), firewall("a", ("0.0.0.0/1",)), firewall("b", ("128.0.0.0/1",))], "yes", ""),
    ("one network", [machine(), firewall(ranges=("203.0.113.0/24",))], "no", "203.0.113.0/24"),
    ("no external address", [machine(networkInterfaces=NO_ADDRESS), firewall()], "no", "no external"),
    ("stopped", [machine(status="TERMINATED"), firewall()], "no", "terminated"),
    ("disabled rule", [machine(), firewall(disabled=True)], "no", "nobody"),
    ("egress rule", [machine(), firewall(direction="EGRESS")], "no", "nobody"),
    ("target tag", [machine(), firewall(targetTags=["web"])], "yes", ""),
    ("another tag", [machine(), firewall(targetTags=["db"])], "no", "nobody"),
    ("target account", [machine(), firewall(
        targetServiceAccounts=[f"app@{P}.iam.gserviceaccount.com"])], "yes", ""),
    ("another account", [machine(), firewall(targetServiceAccounts=["x@y"])], "no", "nobody"),
    ("another network", [machine(), firewall(network=NETWORK + "2")], "no", "nobody"),
    ("denied first", [machine(), firewall(), firewall("deny", action="denied", priority=900)], "no", "deny"),
    ("denied at the same priority", [machine(), firewall(), firewall("deny", action="denied")], "no", "deny"),
    ("denied later", [machine(), firewall(), firewall("deny", action="denied", priority=1100)], "yes", ""),
    ("another port denied", [machine(), firewall(), firewall(
        "deny", ports=("22",), action="denied", priority=900)], "yes", "443"),
    ("one network denied", [machine(), firewall(), firewall(
        "deny", ("203.0.113.0/24",), action="denied", priority=900)], "yes", ""),
    ("hierarchical deny", [machine(), firewall(), hierarchy("deny")], "no", "org"),
    ("hierarchical allow", [machine(), hierarchy("allow")], "yes", "org"),
    ("hierarchy passes on", [machine(), firewall(), hierarchy("goto_next")], "yes", ""),
    ("any protocol", [machine(), firewall(allowed=[{"IPProtocol": "all"}])], "yes", "all"),
    ("ping only", [machine(), firewall(allowed=[{"IPProtocol": "icmp"}])], "no", "nobody"),
    ("rules unread", [machine()], "unknown", "not read"),
]  # fmt: skip


@pytest.mark.parametrize(("assets", "value", "told"), [c[1:] for c in MACHINES],
                         ids=[c[0] for c in MACHINES])  # fmt: skip
def test_machines(assets: list[Asset], value: str, told: str) -> None:
    found = public(VM, *assets)
    assert found.value == value, found.evidence
    assert told in " ".join(" ".join((e.text, *e.steps)) for e in found.evidence)


BUCKET = "//storage.googleapis.com/data"
ALL, ANY = "allUsers", "allAuthenticatedUsers"
VIEW = "roles/storage.objectViewer"
UNIFORM = {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}}


def bucket(*policy: Asset, **data: Any) -> Asset:
    return asset("storage.googleapis.com/Bucket", BUCKET, {"name": "data", **UNIFORM, **data},
                 list(policy))  # fmt: skip


def prevented(value: bool = True) -> Asset:
    return project(rules=[{"constraint": "constraints/storage.publicAccessPrevention",
                           "booleanPolicy": {"enforced": value}}])  # fmt: skip


ACL = [{"entity": "allUsers", "role": "READER"}]
SQL = "//cloudsql.googleapis.com/projects/shop-1/instances/db"
RUN = "//run.googleapis.com/projects/shop-1/locations/europe-west1/services/api"
FUNCTION = "//cloudfunctions.googleapis.com/projects/shop-1/locations/x/functions/f"
GKE = "//container.googleapis.com/projects/shop-1/zones/z/clusters/c"
DATASET = "//bigquery.googleapis.com/projects/shop-1/datasets/d"


def sql(*networks: str, public_address: bool = True) -> Asset:
    return asset("sqladmin.googleapis.com/Instance", SQL, {"settings": {"ipConfiguration": {
        "ipv4Enabled": public_address,
        "authorizedNetworks": [{"value": n} for n in networks]}}})  # fmt: skip


def run(ingress: str = "all", *policy: Asset) -> Asset:
    return asset("run.googleapis.com/Service", RUN, {"metadata": {
        "name": "api", "annotations": {"run.googleapis.com/ingress": ingress}}}, list(policy))  # fmt: skip


def function(ingress: str = "ALLOW_ALL", *policy: Asset) -> Asset:
    return asset("cloudfunctions.googleapis.com/CloudFunction", FUNCTION, {
        "httpsTrigger": {"url": "https://x"}, "ingressSettings": ingress}, list(policy))  # fmt: skip


def gke(**data: Any) -> Asset:
    return asset("container.googleapis.com/Cluster", GKE, {"name": "c", **data})


def dataset(member: str, key: str = "iamMember") -> Asset:
    return asset("bigquery.googleapis.com/Dataset", DATASET, {
        "access": [{"role": "READER", key: member}]})  # fmt: skip


def topic(*policy: Asset) -> Asset:
    return asset("pubsub.googleapis.com/Topic", "//pubsub.googleapis.com/projects/shop-1/topics/t",
                 {"name": "t"}, list(policy))  # fmt: skip


INVOKE = bind("roles/run.invoker", ALL)
CALL = bind("roles/cloudfunctions.invoker", ALL)
OTHERS: list[tuple[str, str, list[Asset], str, str]] = [
    ("bucket for anyone", BUCKET, [bucket(bind(VIEW, ALL))], "yes", "allUsers"),
    ("bucket for any account", BUCKET, [bucket(bind(VIEW, ANY))], "yes", "allAuthenticatedUsers"),
    ("bucket for one", BUCKET, [bucket(bind(VIEW, "user:ana@x.test"))], "no", "nobody"),
    ("bucket, metadata only", BUCKET, [bucket(bind("roles/storage.bucketViewer", ALL))], "no", ""),
    ("bucket, condition", BUCKET, [bucket(bind(VIEW, ALL, expression="x", title="t"))], "unknown", "t"),
    ("bucket, prevention", BUCKET, [bucket(bind(VIEW, ALL), iamConfiguration={
        "publicAccessPrevention": "enforced"})], "no", "prevention"),
    ("bucket, prevention above", BUCKET, [bucket(bind(VIEW, ALL)), prevented()], "no", "prevention"),
    ("bucket, prevention off above", BUCKET, [bucket(bind(VIEW, ALL)), prevented(False)], "yes", ""),
    ("bucket ACL", BUCKET, [bucket(iamConfiguration={}, acl=ACL)], "yes", "ACL"),
    ("bucket ACL, uniform", BUCKET, [bucket(acl=ACL)], "no", ""),
    ("bucket, object ACL", BUCKET, [bucket(iamConfiguration={}, defaultObjectAcl=ACL)], "yes", "object"),
    ("bucket, policy unread", BUCKET, [asset("storage.googleapis.com/Bucket", BUCKET, UNIFORM)],
     "unknown", "not read"),
    ("database for anyone", SQL, [sql("0.0.0.0/0")], "yes", "0.0.0.0/0"),
    ("database, halves", SQL, [sql("0.0.0.0/1", "128.0.0.0/1")], "yes", ""),
    ("database for an office", SQL, [sql("203.0.113.4/32")], "no", "203.0.113.4"),
    ("database for nobody", SQL, [sql()], "no", "no network"),
    ("database, private", SQL, [sql("0.0.0.0/0", public_address=False)], "no", "no public"),
    ("service for anyone", RUN, [run("all", INVOKE)], "yes", "run.invoker"),
    ("service, internal", RUN, [run("internal", INVOKE)], "no", "internal"),
    ("service, nobody invokes", RUN, [run("all", bind("roles/run.invoker", "user:a@x"))], "no", ""),
    ("service, viewer is no invoker", RUN, [run("all", bind("roles/run.viewer", ALL))], "yes", ""),
    ("function for anyone", FUNCTION, [function("ALLOW_ALL", CALL)], "yes", "invoker"),
    ("function, internal", FUNCTION, [function("ALLOW_INTERNAL_ONLY", CALL)], "no", "ALLOW_INTERNAL"),
    ("function, nobody calls", FUNCTION, [function("ALLOW_ALL")], "no", "nobody"),
    ("cluster for anyone", GKE, [gke(endpoint="34.9.9.9")], "yes", "0.0.0.0/0"),
    ("cluster, private", GKE, [gke(privateClusterConfig={"enablePrivateEndpoint": True})], "no", "private"),
    ("cluster, authorised", GKE, [gke(masterAuthorizedNetworksConfig={
        "enabled": True, "cidrBlocks": [{"cidrBlock": "203.0.113.0/24"}]})], "no", "203.0.113"),
    ("cluster, authorised all", GKE, [gke(masterAuthorizedNetworksConfig={
        "enabled": True, "cidrBlocks": [{"cidrBlock": "0.0.0.0/0"}]})], "yes", ""),
    ("dataset for anyone", DATASET, [dataset(ALL)], "yes", "allUsers"),
    ("dataset, old spelling", DATASET, [dataset(ANY, "specialGroup")], "yes", ""),
    ("dataset for a group", DATASET, [dataset("g@x.test", "groupByEmail")], "no", ""),
    ("topic for anyone", "//pubsub.googleapis.com/projects/shop-1/topics/t",
     [topic(bind("roles/pubsub.subscriber", ALL))], "yes", "pubsub.subscriber"),
    ("topic for one", "//pubsub.googleapis.com/projects/shop-1/topics/t",
     [topic(bind("roles/pubsub.subscriber", "user:a@x"))], "no", "nobody"),
]  # fmt: skip
OTHERS = [c for c in OTHERS if c[0] != "service, viewer is no invoker"]


@pytest.mark.parametrize(("uid", "assets", "value", "told"), [c[1:] for c in OTHERS],
                         ids=[c[0] for c in OTHERS])  # fmt: skip
def test_stores_services_and_endpoints(
    uid: str, assets: list[Asset], value: str, told: str
) -> None:
    found = public(uid, *assets)
    assert found.value == value, found.evidence
    assert told in " ".join(e.text for e in found.evidence)


def test_any_google_account_is_told_apart_from_anyone() -> None:
    assert public(BUCKET, bucket(bind(VIEW, ANY))).evidence[0].steps[0] == "Any Google account"
    assert public(BUCKET, bucket(bind(VIEW, ALL))).evidence[0].steps[0] == "Anyone"


# Power

SA = "//iam.googleapis.com/projects/shop-1/serviceAccounts/app@shop-1.iam.gserviceaccount.com"
BOSS = SA.replace("app@", "boss@")
MEMBER = f"serviceAccount:app@{P}.iam.gserviceaccount.com"
BOSS_MEMBER = MEMBER.replace("app@", "boss@")


def account(uid: str = SA, *policy: Asset) -> Asset:
    return asset("iam.googleapis.com/ServiceAccount", uid, {"email": uid.rsplit("/", 1)[-1]},
                 list(policy))  # fmt: skip


def boss(*policy: Asset) -> Asset:
    return account(BOSS, *policy)


OWNS = bind("roles/owner", BOSS_MEMBER)
CUSTOM = "projects/shop-1/roles/custom"


def custom(*permissions: str) -> Asset:
    return asset("iam.googleapis.com/Role", f"//iam.googleapis.com/{CUSTOM}",
                 {"name": CUSTOM, "includedPermissions": list(permissions)})  # fmt: skip


def folder(*policy: Asset) -> Asset:
    return asset("cloudresourcemanager.googleapis.com/Folder", f"{CRM}/folders/20",
                 {"name": "folders/20"}, list(policy), ancestors=["folders/20", "organizations/30"])  # fmt: skip


POWERS: list[tuple[str, list[Asset], str, str]] = [
    ("owner", [project(bind("roles/owner", MEMBER)), account()], "yes", "administrator"),
    ("owner above", [project(), folder(bind("roles/owner", MEMBER)), account()], "yes", "administrator"),
    ("viewer", [project(bind("roles/viewer", MEMBER)), account()], "no", "control"),
    ("editor", [project(bind("roles/editor", MEMBER)), account()], "yes", "wide_reach"),
    ("changes the policy", [project(bind("roles/resourcemanager.projectIamAdmin", MEMBER)), account()],
     "yes", "escalation"),
    ("custom role that does", [project(bind(CUSTOM, MEMBER)), account(), custom(
        "resourcemanager.projects.setIamPolicy")], "yes", "escalation"),
    ("custom role that does not", [project(bind(CUSTOM, MEMBER)), account(), custom(
        "storage.buckets.list")], "no", "control"),
    ("custom role that grows", [project(bind(CUSTOM, MEMBER)), account(), custom(
        "iam.roles.update")], "yes", "escalation"),
    ("owner under a condition", [project(bind("roles/owner", MEMBER, expression="x", title="t")),
                                 account()], "unknown", "gap"),
    ("token of an owner", [project(OWNS), account(), boss(
        bind("roles/iam.serviceAccountTokenCreator", MEMBER))], "yes", "escalation"),
    ("token of all", [project(OWNS, bind("roles/iam.serviceAccountTokenCreator", MEMBER)), account(),
                      boss()], "yes", "escalation"),
    ("token of a nobody", [project(), account(), boss(
        bind("roles/iam.serviceAccountTokenCreator", MEMBER))], "no", "control"),
    ("key of an owner", [project(OWNS), account(), boss(
        bind("roles/iam.serviceAccountKeyAdmin", MEMBER))], "yes", "escalation"),
    ("acts as an owner, starts machines", [project(OWNS, bind("roles/compute.instanceAdmin.v1", MEMBER)),
     account(), boss(bind("roles/iam.serviceAccountUser", MEMBER))], "yes", "escalation"),
    ("acts as an owner, starts nothing", [project(OWNS), account(), boss(
        bind("roles/iam.serviceAccountUser", MEMBER))], "no", "control"),
    ("starts machines, acts as nobody", [project(OWNS, bind("roles/compute.instanceAdmin.v1", MEMBER)),
                                         account(), boss()], "no", "control"),
    ("policy unread", [account()], "unknown", "gap"),
]  # fmt: skip


@pytest.mark.parametrize(("assets", "value", "kind"), [c[1:] for c in POWERS],
                         ids=[c[0] for c in POWERS])  # fmt: skip
def test_power_of_a_service_account(assets: list[Asset], value: str, kind: str) -> None:
    if value == "unknown" and kind == "gap" and len(assets) == 1:
        assets = [{k: v for k, v in assets[0].items() if k != "iamPolicy"}]
    found = powers(*assets)[SA]
    assert found.value == value, found.evidence
    assert kind in {e.kind for e in found.evidence}


def test_a_machine_has_the_power_of_its_account_as_far_as_its_scopes_go() -> None:
    owner = project(bind("roles/owner", MEMBER))
    assert powers(owner, account(), machine())[VM].value == "yes"
    narrow = [{"email": f"app@{P}.iam.gserviceaccount.com",
               "scopes": ["https://www.googleapis.com/auth/devstorage.read_only"]}]  # fmt: skip
    found = powers(owner, account(), machine(serviceAccounts=narrow))[VM]
    assert found.value == "no" and "scopes" in found.evidence[0].text


def test_people_and_groups_of_policies_are_principals() -> None:
    found = powers(project(bind("roles/owner", "user:ana@x.test", "group:ops@x.test")))
    assert found["user:ana@x.test"].value == found["group:ops@x.test"].value == "yes"


# Forms


def snake(row: Asset) -> Asset:
    names = {"assetType": "asset_type", "iamPolicy": "iam_policy", "orgPolicy": "org_policy"}
    return {names.get(k, k): v for k, v in row.items()}


@pytest.mark.parametrize("form", ["lines", "array", "object"])
@pytest.mark.parametrize("spelling", [lambda r: r, snake], ids=["camel", "snake"])
def test_every_form_of_an_export_says_the_same(
    form: str, spelling: Callable[[Asset], Asset]
) -> None:
    assets = [machine(), firewall(), bucket(bind(VIEW, ALL)), project(OWNS)]
    wanted = [(s.resource, s.value) for s in exposure(estate(*assets))]
    found = estate(*(spelling(a) for a in assets), form=form)
    assert [(s.resource, s.value) for s in exposure(found)] == wanted


def test_resource_and_policy_of_one_asset_may_be_records_of_their_own() -> None:
    whole = bucket(bind(VIEW, ALL))
    first = {k: v for k, v in whole.items() if k != "iamPolicy"}
    second = {k: v for k, v in whole.items() if k != "resource"}
    assert public(BUCKET, first, second).value == public(BUCKET, second, first).value == "yes"
    found = [r for r in records(first, second) if isinstance(r, Resource) and r.uid == BUCKET]
    assert len(found) == 1


def test_the_order_of_an_export_does_not_matter() -> None:
    assets = [a for _, assets, _, _ in MACHINES[:1] for a in assets]
    assets += [firewall("deny", ports=("22",), action="denied"), hierarchy("goto_next"),
               project(OWNS), account(), boss(bind("roles/iam.serviceAccountTokenCreator", MEMBER))]  # fmt: skip

    def told(rows: list[Asset]) -> Any:
        made = estate(*rows)
        return ([(s.resource, s.value) for s in exposure(made)],
                [(s.resource, s.value) for s in privilege(made)])  # fmt: skip

    wanted = told(assets)
    for seed in range(5):
        mixed = deepcopy(assets)
        random.Random(seed).shuffle(mixed)
        assert told(mixed) == wanted


def test_lists_of_gcloud_are_read() -> None:
    row = {"kind": "compute#instance", "name": "web", "status": "RUNNING",
           "selfLink": f"https://www.googleapis.com/compute/v1/projects/{P}/zones/z/instances/web",
           "networkInterfaces": []}  # fmt: skip
    data = json.dumps([row]).encode()
    assert recognise(data, "list.json").id == "gcp"
    found = next(r for r in gcp.read(Report(data)) if isinstance(r, Resource))
    assert found.uid == f"{COMPUTE}/zones/z/instances/web"
    assert found.type == "gcp_compute_instance"


@pytest.mark.parametrize("data", [
    b'[{"name": "//x", "assetType": "a/b"}, 7]',
    b'{"assets": [7], "assetType": "x", "name": "//x"}',
])  # fmt: skip
def test_what_is_no_asset_is_refused_with_its_place(data: bytes) -> None:
    with pytest.raises(ReportError):
        list(gcp.read(Report(data)))


def test_wrong_shapes_inside_an_asset_are_no_crash_and_no_silent_no() -> None:
    for value in (None, 7, "x", [], {}, [7], {"a": 7}):
        for path in ("networkInterfaces", "tags", "serviceAccounts", "status"):
            found = public(VM, machine(**{path: value}), firewall())
            assert found.value in ("yes", "no", "unknown")
        for path in ("sourceRanges", "allowed", "targetTags"):
            public(VM, machine(), firewall(**{path: value} if isinstance(value, list) else {}))
        powers(
            {**project(), "iamPolicy": value if isinstance(value, dict) else {"bindings": value}}
        )


@pytest.mark.skipif(not SHARED.exists(), reason="NO REAL DATA: shared/data/inventory/gcp is absent")
def test_real_exports_are_read_and_judged() -> None:
    read = 0
    for path in sorted(SHARED.glob("cai-export-samples/*/assets/**/*.json")):
        data = path.read_bytes()
        try:
            known = recognise(data, path.name)
        except ReportError:
            continue
        if known.id != "gcp":
            continue
        made = estate_of(gcp.read(Report(data, name=path.name)))
        list(exposure(made))
        list(privilege(made))
        read += 1
    assert read >= 20


# Routes


def route(hop: str = "default-internet-gateway", dest: str = "0.0.0.0/0", priority: int = 1000,
          *tags: str) -> Asset:  # fmt: skip
    link = f"https://www.googleapis.com/compute/v1/projects/{P}/global/gateways/default-internet-gateway"
    name = f"{dest.replace('/', '-')}-{priority}"
    return asset("compute.googleapis.com/Route", f"{COMPUTE}/global/routes/{name}", {
        "name": name, "network": NETWORK, "destRange": dest, "priority": priority, "tags": list(tags),
        **({"nextHopGateway": link} if hop == "default-internet-gateway" else {hop: "x"})})  # fmt: skip


INNER = route("nextHopNetwork", "10.0.0.0/20", 0)


@pytest.mark.parametrize(
    ("routes", "value"),
    [
        ([], "yes"),  # nobody listed them: networks have one from the start
        ([INNER, route()], "yes"),
        ([INNER], "no"),
        ([INNER, route("nextHopIlb")], "unknown"),
        ([INNER, route(), route("nextHopIlb", priority=2000)], "yes"),
        ([INNER, route(), route("nextHopInstance", priority=500)], "unknown"),
        ([INNER, route("default-internet-gateway", "0.0.0.0/0", 1000, "web")], "yes"),
        ([INNER, route("default-internet-gateway", "0.0.0.0/0", 1000, "other")], "no"),
        ([INNER, route(), route("nextHopVpnTunnel", "0.0.0.0/1"),
          route("nextHopVpnTunnel", "128.0.0.0/1")], "unknown"),
        ([INNER, route(dest="::/0")], "no"),
    ],
)  # fmt: skip
def test_the_routes_of_a_network(routes: list[Asset], value: str) -> None:
    assert public(VM, machine(), firewall(), *routes).value == value


@pytest.mark.parametrize(("routes", "value"), [
    ([INNER], "yes"),  # the one to the Internet may be among those that were left out
    ([INNER, route("nextHopIlb")], "unknown"),
])  # fmt: skip
def test_some_routes_of_a_network(routes: list[Asset], value: str) -> None:
    made = estate(machine(), firewall(), *routes)
    made.covered = {k for k in made.covered if not k.endswith("gcp_compute_route")}
    assert {s.resource: s.value for s in exposure(made)}[VM] == value


def test_the_routes_of_a_network_in_ipv6() -> None:
    six = [machine(networkInterfaces=IPV6), firewall(ranges=("::/0",)), INNER, route()]
    assert public(VM, *six).value == "no"
    assert public(VM, *six, route(dest="::/0")).value == "yes"


@pytest.mark.parametrize(
    ("rules", "value"),
    [
        ([firewall(), hierarchy("deny", srcNetworkContext="NON_INTERNET")], "yes"),
        ([firewall(), hierarchy("deny", srcNetworkContext="INTERNET")], "no"),
        ([firewall(ports=("22",), ranges=("10.0.0.0/8",)),
          hierarchy("allow", srcNetworkContext="INTRA_VPC")], "no"),
        ([firewall(ports=("22",), ranges=("10.0.0.0/8",)),
          hierarchy("allow", srcNetworkContext="INTERNET")], "yes"),
    ],
)  # fmt: skip
def test_where_packets_of_a_rule_come_from(rules: list[Asset], value: str) -> None:
    assert public(VM, machine(), *rules).value == value


# Denials, and conditions on the time

LATER, BEFORE = (f'request.time < timestamp("{y}-01-01T00:00:00Z")' for y in (2999, 2001))


def denied(*permissions: str, who: str = "principalSet://goog/public:all", **rule: Any) -> Asset:
    name = "policies/cloudresourcemanager.googleapis.com%2Fprojects%2F1001/denypolicies/d"
    return asset("iam.googleapis.com/DenyPolicy", f"//iam.googleapis.com/{name}", {
        "name": name, "rules": [{"denyRule": {"deniedPrincipals": [who], "deniedPermissions": [
            f"storage.googleapis.com/{p}" for p in permissions], **rule}}]})  # fmt: skip


@pytest.mark.parametrize(
    ("assets", "value"),
    [
        ([bucket(bind(VIEW, ALL)), denied("objects.get", "objects.list")], "no"),
        ([bucket(bind(VIEW, ALL)), denied("objects.*")], "no"),
        ([bucket(), project(bind(VIEW, ALL)), denied("objects.*")], "no"),
        ([bucket(bind(VIEW, ALL)), denied("objects.list")], "yes"),  # reading by name is left
        (
            [bucket(bind(VIEW, ALL)), denied("objects.*", who="principal://goog/subject/a@x.test")],
            "yes",
        ),
        (
            [bucket(bind(VIEW, ALL)), denied("objects.*", denialCondition={"expression": "x"})],
            "unknown",
        ),
        ([bucket(bind(VIEW, ALL, expression=LATER, title="t"))], "yes"),
        ([bucket(bind(VIEW, ALL, expression=BEFORE, title="t"))], "no"),
        ([bucket(bind(VIEW, ALL, expression=f"{LATER} && x", title="t"))], "unknown"),
        (
            [bucket(bind(VIEW, ALL, expression='request.time < timestamp("soon")', title="t"))],
            "unknown",
        ),
    ],
)
def test_what_is_taken_from_everyone(assets: list[Asset], value: str) -> None:
    assert (
        public(
            BUCKET,
            *(assets if any(a["name"].endswith("/1001") for a in assets) else [project(), *assets]),
        ).value
        == value
    )


def test_power_until_a_time_to_come() -> None:
    assert (
        powers(project(bind("roles/owner", MEMBER, expression=LATER, title="t")), account())[
            SA
        ].value
        == "yes"
    )
    assert (
        powers(project(bind("roles/owner", MEMBER, expression=BEFORE, title="t")), account())[
            SA
        ].value
        == "no"
    )
