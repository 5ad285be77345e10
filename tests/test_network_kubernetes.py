"""Reachability in a cluster: the smallest yes of each way in, and each single condition flipped."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest

from secinbox.estate import Estate, estate_of
from secinbox.inventory import kubernetes
from secinbox.network.kubernetes import exposure
from secinbox.reading import Report
from secinbox.records import RiskStatement

Object = dict[str, Any]
READ = ("Service", "Ingress", "Pod", "Deployment", "Node", "NetworkPolicy", "Namespace", "Gateway")


def estate(objects: list[Object], read: tuple[str, ...] = READ) -> Estate:
    """A cluster whose kinds in `read` were read whole, one list a kind."""
    records = []
    whole: list[Object] = [{"apiVersion": "v1", "kind": "List", "items": objects}]
    whole += [{"apiVersion": "v1", "kind": f"{k}List", "items": []} for k in read]
    for data in whole:
        report = Report(json.dumps(data).encode(), name="x.json", options={"cluster": "c"})
        records += list(kubernetes.read(report))
    found = estate_of(records)
    found.covered = {f"k8s:c/{k.lower()}" for k in read}
    return found


def judged(objects: list[Object], read: tuple[str, ...] = READ) -> dict[str, RiskStatement]:
    return {s.resource.split("/", 4)[-1]: s for s in exposure(estate(objects, read))}


def change(objects: list[Object], kind: str, path: str, value: Any) -> list[Object]:
    """A copy with one field of the one object of a kind set, or taken out (None)."""
    changed = copy.deepcopy(objects)
    (target,) = [o for o in changed if o["kind"] == kind]
    *above, last = path.split("|")
    for key in above:
        target = target[int(key)] if isinstance(target, list) else target.setdefault(key, {})
    if value is None:
        target.pop(last, None)
    else:
        target[last] = value
    return changed


def thing(kind: str, name: str, spec: Object, space: str = "shop", **more: Any) -> Object:
    meta: Object = {"name": name, "labels": more.pop("labels", {})}
    if space:
        meta["namespace"] = space
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, "spec": spec, **more}


def pod(name: str = "web", space: str = "shop", **spec: Any) -> Object:
    spec = {
        "containers": [{"name": "a", "image": "a:1", "ports": [{"containerPort": 8080}]}],
        **spec,
    }
    return thing("Pod", name, {**spec, "nodeName": "n1"}, space, labels={"app": name},
                 status={"phase": "Running", "podIP": "10.1.0.5"})  # fmt: skip


def service(kind: str, name: str = "web", space: str = "shop", **more: Any) -> Object:
    spec = {"type": kind, "selector": {"app": name}, "ports": [{"port": 443, "targetPort": 8080}]}
    return thing("Service", name, spec, space, **more)


def address(**row: str) -> Object:
    return {"loadBalancer": {"ingress": [row]}}


NODE = thing("Node", "n1", {}, "", status={"addresses": [
    {"type": "InternalIP", "address": "10.0.0.4"}, {"type": "ExternalIP", "address": "198.51.100.9"},
]})  # fmt: skip
INNER = thing("Node", "n1", {}, "", status={"addresses": [
    {"type": "InternalIP", "address": "10.0.0.4"}]})  # fmt: skip
BALANCED = [service("LoadBalancer", status=address(ip="203.0.113.5")), pod()]
PORTED = [service("NodePort"), pod(), NODE]
INGRESS = [
    service("ClusterIP"),
    pod(),
    thing("Ingress", "in", {"ingressClassName": "nginx", "rules": [{"http": {"paths": [
        {"backend": {"service": {"name": "web", "port": {"number": 443}}}}]}}]},
        status=address(ip="203.0.113.6")),
]  # fmt: skip


def policy(ingress: list[Object] | None, labels: Object | None = None, **more: Any) -> Object:
    spec: Object = {
        "podSelector": {"matchLabels": labels or {}},
        "policyTypes": ["Ingress"],
        **more,
    }
    if ingress is not None:
        spec["ingress"] = ingress
    return thing("NetworkPolicy", "guard", spec)


def block(cidr: str, *without: str) -> Object:
    return {"from": [{"ipBlock": {"cidr": cidr, "except": list(without)}}]}


def test_a_balancer_leads_to_its_pod_and_says_how() -> None:
    found = judged(BALANCED)
    assert {k.split("/")[-2]: s.value for k, s in found.items()} == {"service": "yes", "pod": "yes"}
    (route,) = next(s for k, s in found.items() if "pod" in k).evidence
    assert route.kind == "route" and route.ports == "443"
    assert route.steps == (
        "Internet", "service/web (LoadBalancer 203.0.113.5) :443", "pod shop/web :8080",
    )  # fmt: skip


NOTES = "metadata|annotations"
AWS = "service.beta.kubernetes.io/aws-load-balancer-"
RANGES = "spec|loadBalancerSourceRanges"
LB_FLIPS: list[tuple[str, str, Any, str]] = [
    ("Service", "spec|type", "ClusterIP", "no"),
    ("Service", "status", None, "unknown"),
    ("Service", "status", address(ip="10.2.3.4"), "no"),
    ("Service", "status", address(hostname="a1.eu-west-1.elb.amazonaws.com"), "yes"),
    ("Service", "status", address(hostname="internal-a1.eu-west-1.elb.amazonaws.com"), "no"),
    ("Service", NOTES, {f"{AWS}internal": "true"}, "no"),
    ("Service", NOTES, {f"{AWS}internal": "false"}, "yes"),
    ("Service", NOTES, {f"{AWS}scheme": "internal"}, "no"),
    ("Service", NOTES, {f"{AWS}type": "external"}, "no"),
    ("Service", NOTES, {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}, "no"),
    ("Service", NOTES, {"networking.gke.io/load-balancer-type": "Internal"}, "no"),
    ("Service", NOTES, {"cloud.google.com/load-balancer-type": "Internal"}, "no"),
    ("Service", RANGES, ["0.0.0.0/0"], "yes"),
    ("Service", RANGES, ["0.0.0.0/1", "128.0.0.0/1"], "yes"),
    ("Service", RANGES, ["::/0"], "yes"),
    ("Service", RANGES, ["192.0.2.0/24"], "no"),
    ("Service", RANGES, ["10.0.0.0/8"], "no"),
    ("Service", RANGES, ["everything"], "unknown"),
    ("Service", "spec|selector", {"app": "other"}, "no"),
    ("Service", "spec|selector", {"app": "web", "tier": "x"}, "no"),
    ("Pod", "status|phase", "Succeeded", "no"),
    ("Pod", "metadata|namespace", "other", "no"),
]


@pytest.mark.parametrize(("kind", "path", "value", "wanted"), LB_FLIPS)
def test_flips_of_a_balancer(kind: str, path: str, value: Any, wanted: str) -> None:
    found = judged(change(BALANCED, kind, path, value))
    answers = {k.split("/")[-2]: s for k, s in found.items()}
    assert answers["service"].value == wanted
    assert answers["pod"].value == wanted
    assert all(s.evidence and all(e.text for e in s.evidence) for s in found.values())


def test_some_networks_only_are_named() -> None:
    found = judged(change(BALANCED, "Service", RANGES, ["192.0.2.0/24", "10.0.0.0/8"]))
    for statement in found.values():
        assert [e.sources_allowed for e in statement.evidence] == ["192.0.2.0/24"]


def test_a_wanted_address_counts_while_there_is_none() -> None:
    pending = change(BALANCED, "Service", "status", None)
    for wanted, answer in (("203.0.113.9", "yes"), ("10.0.0.9", "no")):
        found = judged(change(pending, "Service", "spec|loadBalancerIP", wanted))
        assert {s.value for s in found.values()} == {answer}


def _pod_of(objects: list[Object], read: tuple[str, ...] = READ) -> str:
    return next(s.value for k, s in judged(objects, read).items() if k.endswith("pod/web"))


def test_node_ports_external_addresses_and_host_ports() -> None:
    host = pod(containers=[{"name": "a", "ports": [{"containerPort": 80, "hostPort": 80}]}])
    inner = change(INGRESS[:2], "Service", "spec|externalIPs", ["203.0.113.7"])
    assert _pod_of(PORTED) == "yes"
    assert _pod_of([*PORTED[:2], INNER]) == "no"
    assert _pod_of(PORTED[:2], ("Service", "Ingress")) == "unknown"
    assert _pod_of(inner) == "yes"
    assert _pod_of(change(inner, "Service", "spec|externalIPs", ["10.9.9.9"])) == "no"
    assert _pod_of([host, NODE]) == "yes"
    assert _pod_of([host, INNER]) == "no"
    assert _pod_of([pod(hostNetwork=True), NODE]) == "yes"
    for maker, value in (
        ("k3s://n1", "yes"),
        ("gce://p/z/n1", "unknown"),
        ("aws:///z/i-1", "unknown"),
    ):
        # A cloud has a firewall before its machines, which nobody read.
        assert _pod_of([host, change([NODE], "Node", "spec|providerID", maker)[0]]) == value
    assert _pod_of([pod(), NODE]) == "no"


INGRESS_FLIPS: list[tuple[str, str, Any, str]] = [
    ("Ingress", "spec|rules", [], "no"),
    ("Ingress", "spec|rules|0|http|paths|0|backend|service|port", {"number": 444}, "no"),
    ("Ingress", "spec|rules|0|http|paths|0|backend|service|port", {"name": "other"}, "no"),
    ("Ingress", "spec|rules|0|http|paths|0|backend|service|port", None, "yes"),
    ("Ingress", "status", None, "unknown"),
    ("Ingress", "status", address(ip="10.0.0.3"), "no"),
    ("Ingress", "status", address(hostname="internal-k8s.elb.amazonaws.com"), "no"),
    ("Ingress", "status", address(hostname="k8s.elb.amazonaws.com"), "yes"),
    ("Ingress", NOTES, {"alb.ingress.kubernetes.io/scheme": "internal"}, "no"),
    ("Ingress", NOTES, {"alb.ingress.kubernetes.io/scheme": "internet-facing"}, "yes"),
    ("Ingress", NOTES, {"appgw.ingress.kubernetes.io/use-private-ip": "true"}, "no"),
    (
        "Ingress",
        NOTES,
        {"nginx.ingress.kubernetes.io/whitelist-source-range": "192.0.2.0/24"},
        "no",
    ),
    ("Ingress", NOTES, {"nginx.ingress.kubernetes.io/whitelist-source-range": "0.0.0.0/0"}, "yes"),
    ("Ingress", NOTES, {"alb.ingress.kubernetes.io/inbound-cidrs": "192.0.2.0/25"}, "no"),
    ("Ingress", "metadata|namespace", "other", "no"),
    ("Service", "spec|selector", {"app": "other"}, "no"),
    ("Service", "spec|type", "ExternalName", "no"),
]


@pytest.mark.parametrize(("kind", "path", "value", "wanted"), INGRESS_FLIPS)
def test_flips_of_an_ingress(kind: str, path: str, value: Any, wanted: str) -> None:
    assert _pod_of(INGRESS) == "yes"
    changed = change(INGRESS, kind, path, value)
    if value == "ExternalName":
        changed = change(changed, kind, "spec|selector", None)
    assert _pod_of(changed) == wanted


CONTROLLER = [
    service("LoadBalancer", "nginx", "edge", status=address(ip="203.0.113.6")),
    pod("nginx", "edge"),
]
FROM_EDGE = {
    "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "edge"}}}]
}


def test_an_ingress_is_as_open_as_the_service_of_its_controller() -> None:
    assert _pod_of([*INGRESS, *CONTROLLER]) == "yes"
    closed = copy.deepcopy(CONTROLLER)
    closed[0]["spec"]["loadBalancerSourceRanges"] = ["192.0.2.0/24"]
    assert _pod_of([*INGRESS, *closed]) == "no"


@pytest.mark.parametrize(
    ("guard", "direct", "behind", "cloud"),
    [
        # what it admits; then behind a balancer, behind a known controller, behind a cloud's
        (policy(None), "no", "no", "no"),
        (policy([]), "no", "no", "no"),
        (policy([{}]), "yes", "yes", "yes"),
        (policy([{"from": []}]), "yes", "yes", "yes"),
        (policy(None, {"app": "db"}), "yes", "yes", "yes"),
        (policy(None, policyTypes=["Egress"]), "yes", "yes", "yes"),
        (policy([block("0.0.0.0/0")]), "yes", "yes", "yes"),
        # The nodes forward for the clients, but some balancers send to the pod itself.
        (policy([block("0.0.0.0/0", "10.0.0.0/8")]), "unknown", "no", "unknown"),
        (policy([block("192.0.2.0/24")]), "no", "no", "unknown"),
        (policy([block("10.0.0.0/24")]), "yes", "no", "unknown"),  # the nodes stand for clients
        (policy([FROM_EDGE]), "no", "yes", "unknown"),
        (policy([{"from": [{"podSelector": {}}]}]), "no", "no", "unknown"),
        (policy([{"ports": [{"port": 8080}]}]), "yes", "yes", "yes"),
        (policy([{"ports": [{"port": 8000, "endPort": 8100}]}]), "yes", "yes", "yes"),
        (policy([{"ports": [{"port": 9090}]}]), "no", "no", "no"),
        (policy([{"ports": [{"port": 8080, "protocol": "UDP"}]}]), "no", "no", "no"),
    ],
)
def test_flips_of_a_network_policy(guard: Object, direct: str, behind: str, cloud: str) -> None:
    assert _pod_of([*BALANCED, INNER, guard]) == direct
    assert _pod_of([*INGRESS, *CONTROLLER, INNER, guard]) == behind
    assert _pod_of([*INGRESS, INNER, guard]) == cloud


def test_a_client_keeps_its_address_under_the_local_policy() -> None:
    local = change(BALANCED, "Service", "spec|externalTrafficPolicy", "Local")
    assert _pod_of([*local, INNER, policy([block("10.0.0.0/24")])]) == "no"


@pytest.mark.parametrize(
    ("policy_", "home", "value"),
    [
        ("Cluster", "n1", "yes"),
        ("Local", "n1", "yes"),
        ("Cluster", "n2", "yes"),
        ("Local", "n2", "no"),
    ],
)
def test_only_nodes_with_a_pod_answer_under_the_local_policy(
    policy_: str, home: str, value: str
) -> None:
    other = {**copy.deepcopy(INNER), "metadata": {"name": "n2"}}
    ported = change(PORTED, "Service", "spec|externalTrafficPolicy", policy_)
    assert _pod_of([*change(ported, "Pod", "spec|nodeName", home), other]) == value


GATEWAY = [
    service("ClusterIP"),
    pod(),
    thing("Gateway", "g", {"gatewayClassName": "gke-l7", "listeners": [{"port": 443}]},
          status={"addresses": [{"type": "IPAddress", "value": "203.0.113.8"}]}),
    thing("HTTPRoute", "r", {"parentRefs": [{"name": "g"}],
          "rules": [{"backendRefs": [{"name": "web", "port": 443}]}]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "path", "value", "wanted"),
    [
        ("Gateway", "status", None, "unknown"),
        ("Gateway", "status|addresses", [{"value": "10.0.0.8"}], "no"),
        ("Gateway", "metadata|namespace", "edge", "no"),  # it names one that does not exist
        ("HTTPRoute", "spec|parentRefs", [], "no"),
        ("HTTPRoute", "spec|parentRefs", [{"name": "g", "kind": "Service", "group": ""}], "no"),
        ("HTTPRoute", "spec|rules", [{"backendRefs": [{"name": "web", "port": 9999}]}], "no"),
        ("HTTPRoute", "spec|rules", [{"backendRefs": [{"name": "web", "port": 443}]}], "yes"),
        ("HTTPRoute", "spec|rules", [], "no"),
        ("HTTPRoute", "status", {"parents": [{"parentRef": {"name": "g"}, "conditions": [
            {"type": "Accepted", "status": "False"}]}]}, "no"),
        ("Service", "spec|selector", {"app": "db"}, "no"),
        ("Gateway", "spec|listeners", [], "no"),
        ("Gateway", "spec|listeners", [{"port": 443, "protocol": "HTTPS"}], "yes"),
        ("Gateway", "spec|listeners", [{"port": 443, "protocol": "TLS"}], "no"),
        ("Gateway", "spec|listeners",
         [{"port": 443, "allowedRoutes": {"kinds": [{"kind": "TLSRoute"}]}}], "no"),
        ("Gateway", "spec|listeners",
         [{"port": 443, "allowedRoutes": {"kinds": [{"kind": "HTTPRoute"}]}}], "yes"),
        ("Gateway", "spec|listeners",
         [{"port": 443, "allowedRoutes": {"namespaces": {"from": "None"}}}], "no"),
        ("HTTPRoute", "spec|parentRefs", [{"name": "g", "sectionName": "other"}], "no"),
        ("HTTPRoute", "spec|parentRefs", [{"name": "g", "port": 8443}], "no"),
        ("HTTPRoute", "spec|parentRefs", [{"name": "g", "port": 443}], "yes"),
        ("HTTPRoute", "spec|rules",
         [{"backendRefs": [{"name": "web", "port": 443, "weight": 0}]}], "no"),
        ("HTTPRoute", "spec|rules",
         [{"backendRefs": [{"name": "web", "port": 443, "weight": 1}]}], "yes"),
        ("HTTPRoute", "spec|rules", [{"backendRefs": [{"name": "other", "port": 443}]}], "no"),
    ],
)  # fmt: skip
def test_flips_of_a_gateway(kind: str, path: str, value: Any, wanted: str) -> None:
    assert _pod_of(GATEWAY) == "yes"
    assert _pod_of(change(GATEWAY, kind, path, value)) == wanted


def test_a_gateway_of_another_namespace_must_admit_the_route() -> None:
    apart = change(GATEWAY, "Gateway", "metadata|namespace", "edge")
    apart = change(apart, "HTTPRoute", "spec|parentRefs", [{"name": "g", "namespace": "edge"}])
    assert _pod_of(apart) == "no"
    admitting = [{"port": 443, "allowedRoutes": {"namespaces": {"from": "All"}}}]
    assert _pod_of(change(apart, "Gateway", "spec|listeners", admitting)) == "yes"


@pytest.mark.parametrize(("ours", "theirs", "wanted"), [
    ("shop.example.org", ["shop.example.org"], "yes"),
    ("shop.example.org", ["other.example.org"], "no"),
    ("*.example.org", ["shop.example.org"], "yes"),
    ("*.example.org", ["example.org"], "no"),
    ("shop.example.org", ["*.example.org"], "yes"),
    ("*.example.org", ["*.shop.example.org"], "yes"),
    ("*.example.org", ["*.example.com"], "no"),
    ("shop.example.org", [], "yes"),
])  # fmt: skip
def test_host_names_of_a_listener_and_a_route_must_meet(
    ours: str, theirs: list[str], wanted: str
) -> None:
    named = change(GATEWAY, "Gateway", "spec|listeners", [{"port": 443, "hostname": ours}])
    assert _pod_of(change(named, "HTTPRoute", "spec|hostnames", theirs)) == wanted


def test_a_listener_may_select_namespaces_by_their_labels() -> None:
    apart = change(GATEWAY, "Gateway", "metadata|namespace", "edge")
    apart = change(apart, "HTTPRoute", "spec|parentRefs", [{"name": "g", "namespace": "edge"}])
    wanted = {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"public": "true"}}}}
    apart = change(apart, "Gateway", "spec|listeners", [{"port": 443, "allowedRoutes": wanted}])
    assert _pod_of(apart) == "unknown"  # which labels the namespace has was not read
    for labels, answer in (({"public": "true"}, "yes"), ({"public": "no"}, "no")):
        space = thing("Namespace", "shop", {}, "", labels=labels)
        assert _pod_of([*apart, space]) == answer


def test_a_service_of_another_namespace_must_be_granted() -> None:
    apart = [*copy.deepcopy(GATEWAY[:2]), *copy.deepcopy(GATEWAY[2:])]
    for item in apart[2:]:
        item["metadata"]["namespace"] = "edge"
    apart[3]["spec"]["rules"][0]["backendRefs"][0]["namespace"] = "shop"
    assert _pod_of(apart) == "unknown"  # grants were not read
    every = (*READ, "ReferenceGrant")
    assert _pod_of(apart, every) == "no"
    spec = {"from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute",
                      "namespace": "edge"}], "to": [{"group": "", "kind": "Service"}]}  # fmt: skip
    grant = thing("ReferenceGrant", "g", spec)
    assert _pod_of([*apart, grant], every) == "yes"
    for path, value in (("spec|from|0|namespace", "other"), ("spec|from|0|kind", "TCPRoute"),
                        ("spec|to|0|name", "db"), ("spec|to|0|kind", "Secret"),
                        ("metadata|namespace", "edge")):  # fmt: skip
        assert _pod_of([*apart, *change([grant], "ReferenceGrant", path, value)], every) == "no"


def test_what_was_not_read_is_never_a_no() -> None:
    assert _pod_of([pod()], ("Pod",)) == "unknown"
    assert _pod_of(INGRESS[:2], ("Pod", "Service")) == "unknown"
    assert _pod_of(INGRESS[:2], ("Pod", "Service", "Ingress")) == "no"


def test_workloads_are_judged_by_the_pods_that_they_make() -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod()["spec"]}
    made = thing("Deployment", "web", {"replicas": 1, "template": template})
    found = judged([BALANCED[0], made])
    assert {s.value for s in found.values()} == {"yes"} and len(found) == 2
    idle = judged([BALANCED[0], change([made], "Deployment", "spec|replicas", 0)[0]])
    assert {s.value for s in idle.values()} == {"no"}


def test_the_order_of_objects_changes_nothing() -> None:
    objects = [*BALANCED, *CONTROLLER, INGRESS[2], NODE, policy([FROM_EDGE, block("192.0.2.0/24")])]
    first = judged(objects)
    for seed in range(5):
        random.Random(seed).shuffle(objects)
        assert judged(objects) == first


def _spoiled(value: Any, chance: random.Random) -> Any:
    if chance.random() < 0.06:
        return chance.choice([None, 1, True, "x", [], {}, ["x"], [{}], {"a": 1}, "::/0", -5])
    if isinstance(value, dict):
        return {k: _spoiled(v, chance) for k, v in value.items()}
    return [_spoiled(v, chance) for v in value] if isinstance(value, list) else value


def test_fields_of_wrong_shapes_are_absent_ones() -> None:
    guard = policy([FROM_EDGE, block("192.0.2.0/24", "192.0.2.1/32"), {"ports": [{"port": 1}]}])
    whole = estate([*BALANCED, *CONTROLLER, INGRESS[2], *GATEWAY[2:], NODE, guard])
    kept = {uid: item.config for uid, item in whole.items.items()}
    for seed in range(300):
        chance = random.Random(seed)
        for uid, item in whole.items.items():
            spoiled = _spoiled(kept[uid], chance)
            item.config = spoiled if isinstance(spoiled, dict) else {}
        assert all(s.evidence for s in exposure(whole))


def test_a_real_cluster(shared: Path) -> None:
    folder = shared / "inventory" / "kubernetes" / "digitalocean-cluster-dump"
    records = []
    for path in sorted(folder.glob("api*_*.json")):
        report = Report(path.read_bytes(), name=path.name, options={"cluster": "c"})
        records += list(kubernetes.read(report))
    found = {s.resource: s for s in exposure(estate_of(records))}
    assert len(found) > 100
    assert {s.value for s in found.values()} >= {"yes", "no"}


SETTINGS: list[tuple[Object, str]] = [
    ({"load-balancer.hetzner.cloud/disable-public-network": "true"}, "no"),
    ({"load-balancer.hetzner.cloud/disable-public-network": "false"}, "yes"),
    ({"service.beta.kubernetes.io/scw-loadbalancer-private": "true"}, "no"),
    ({"oci-network-load-balancer.oraclecloud.com/internal": "true"}, "no"),
    ({"service.kubernetes.io/qcloud-loadbalancer-internal-subnetid": "subnet-1"}, "no"),
]


@pytest.mark.parametrize(("notes", "value"), SETTINGS)
def test_balancers_of_other_clouds(notes: Object, value: str) -> None:
    assert _pod_of(change(BALANCED, "Service", NOTES, notes)) == value


def test_a_gateway_that_nobody_read() -> None:
    """The route names it; only where gateways were listed does it not exist."""
    routes = [o for o in GATEWAY if o["kind"] != "Gateway"]
    assert _pod_of(routes) == "no"
    read = tuple(k for k in READ if k != "Gateway")
    assert _pod_of(routes, read) == "unknown"


OPENED = [{"port": 443, "targetPort": 8080, "nodePort": 30443}]


@pytest.mark.parametrize(
    ("ports", "node", "value"),
    [
        (OPENED, NODE, "unknown"),  # the firewall of the node was not read
        (OPENED, INNER, "no"),
        ([{"port": 443, "targetPort": 8080}], NODE, "no"),
    ],
)
def test_the_ports_of_nodes_of_an_internal_balancer(
    ports: list[Object], node: Object, value: str
) -> None:
    inner = change(BALANCED, "Service", NOTES, {"networking.gke.io/load-balancer-type": "Internal"})
    assert _pod_of([*change(inner, "Service", "spec|ports", ports), node]) == value


def test_a_public_address_as_the_internal_one_of_a_node() -> None:
    """Machines of one's own have one address."""
    own = {"addresses": [{"type": "InternalIP", "address": "203.0.113.77"}]}
    assert _pod_of([*PORTED[:2], thing("Node", "n1", {}, "", status=own)]) == "yes"


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("", "yes"),
        ("0.0.0.0", "yes"),
        ("127.0.0.1", "no"),
        ("10.0.0.4", "no"),
        ("::1", "no"),
    ],
)
def test_the_address_that_a_port_of_the_host_hangs_on(where: str, value: str) -> None:
    ports = [{"containerPort": 8080, "hostPort": 80, **({"hostIP": where} if where else {})}]
    held = pod(containers=[{"name": "a", "image": "a:1", "ports": ports}])
    assert _pod_of([held, NODE]) == value


@pytest.mark.parametrize(
    ("home", "chosen", "value"),
    [("n1", {}, "yes"), ("n2", {}, "no"), ("", {}, "yes"), ("", {"disk": "ssd"}, "unknown")],
)
def test_a_port_of_the_host_is_open_where_the_workload_has_pods(
    home: str, chosen: Object, value: str
) -> None:
    ports = [{"containerPort": 80, "hostPort": 80}]
    spec = {"containers": [{"name": "a", "ports": ports}], "nodeSelector": chosen}
    other = {**copy.deepcopy(INNER), "metadata": {"name": "n2"}}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    objects = [thing("DaemonSet", "web", {"template": template}), NODE, other]
    if home:
        objects += change([pod(**spec)], "Pod", "spec|nodeName", home)
    found = judged(objects, READ)
    assert next(s.value for k, s in found.items() if k.endswith("daemonset/web")) == value
