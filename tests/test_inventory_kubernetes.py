"""The Kubernetes inventory: names, edges and what is never kept."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from secinbox import opening
from secinbox.connectors import all_connectors, recognise
from secinbox.inventory import kubernetes
from secinbox.reading import Report, ReportError, head_of
from secinbox.records import AnyRecord, Relation, Resource, Scope, Skipped
from secinbox.vocabulary import RELATIONS

SAMPLES = Path(__file__).parent / "samples" / "kubernetes"
DIGEST = "sha256:" + "ab" * 32
POD = "k8s://blue/shop/pod/web-7c9d8f6b5-x2x4q"
WEB = "k8s://blue/shop/deployment/web"


def read(data: bytes, **options: str) -> list[AnyRecord]:
    return list(kubernetes.read(Report(data, "x.json", options=options)))


@pytest.fixture(scope="module")
def records() -> list[AnyRecord]:
    return read((SAMPLES / "list.json").read_bytes(), cluster="blue")


@pytest.fixture(scope="module")
def resources(records: list[AnyRecord]) -> dict[str, Resource]:
    return {r.uid: r for r in records if isinstance(r, Resource)}


@pytest.fixture(scope="module")
def edges(records: list[AnyRecord]) -> set[tuple[str, str, str]]:
    return {(r.source, r.kind, r.target) for r in records if isinstance(r, Relation)}


def names(resource: Resource) -> set[str]:
    return {alias.name for alias in resource.aliases}


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*")), ids=lambda p: p.name)
def test_samples_are_recognised_by_content_and_keep_no_secret(path: Path) -> None:
    data = path.read_bytes()
    head = head_of(data, "x.bin")
    scores = {k.id: k.connector.recognise(head) for k in all_connectors()}
    assert {k for k, v in scores.items() if v} == {"kubernetes"}
    found = read(data)
    assert "SECRETVALUE" not in msgspec.json.encode(found).decode()
    assert all(r.kind in RELATIONS for r in found if isinstance(r, Relation))
    assert found == read(data)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*")), ids=lambda p: p.name)
def test_wrong_types_are_refused_with_a_place(path: Path) -> None:
    original = json.loads(path.read_bytes())
    spots = list(_spots(original))
    random.seed(5)
    for trail in random.sample(spots, min(200, len(spots))):
        for value in (None, 7, "text", [], {}, [[]], ["a"], True):
            copy = json.loads(json.dumps(original))
            holder = copy
            for step in trail[:-1]:
                holder = holder[step]
            holder[trail[-1]] = value
            data = json.dumps(copy).encode()
            kubernetes.recognise(head_of(data))
            try:
                read(data)
            except ReportError as error:
                if not error.message or not error.place.startswith("$"):
                    pytest.fail(f"{error.message} at {error.place}")


def _spots(value: Any, trail: tuple[Any, ...] = ()) -> Any:
    if trail:
        yield trail
    for key in (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    ):
        yield from _spots(value[key], (*trail, key))


def test_what_is_no_cluster_object_is_left_alone() -> None:
    for document in (
        {"apiVersion": "backstage.io/v1alpha1", "kind": "Component", "metadata": {"name": "a"}},
        {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": []},
        {"apiVersion": "v2", "name": "chart"},
        {"kind": "List", "apiVersion": "v1", "items": [{"apiVersion": "aquasecurity.github.io/v1alpha1", "kind": "VulnerabilityReport", "metadata": {"name": "r"}}]},
    ):  # fmt: skip
        assert kubernetes.recognise(head_of(json.dumps(document).encode())) == 0


def test_a_pod_is_known_by_all_its_names(resources: dict[str, Resource]) -> None:
    pod = resources[POD]
    assert pod.type == "kubernetes_pod" and pod.account == "blue"
    assert names(pod) == {
        "pod:shop/web-7c9d8f6b5-x2x4q",
        "container:" + "c1" * 32,
        "container:c1c1c1c1c1c1",
        "ip:10.1.2.3",
    }
    # The address of the node is no name of a pod on the host's network.
    assert names(resources["k8s://blue/shop/pod/old"]) == {"pod:shop/old"}
    assert names(resources["k8s://blue/_/node/ip-10-0-1-5.ec2.internal"]) == {
        "host:ip-10-0-1-5.ec2.internal"
    }
    assert "dns:shop.example" in names(resources["k8s://blue/shop/ingress/web"])
    config = json.loads(pod.config)
    assert config["metadata"]["annotations"] == {"kept": "yes"}
    assert "managedFields" not in config["metadata"]
    assert [row.get("value") for row in config["spec"]["containers"][0]["env"]] == [
        "",
        "live",
        None,
    ]
    assert json.loads(resources["k8s://blue/shop/secret/web-keys"].config)["data"] == {"api": ""}


def test_images_join_by_digest_and_by_tag(
    resources: dict[str, Resource], edges: set[tuple[str, str, str]]
) -> None:
    image = f"image:registry.example/shop/web@{DIGEST}"
    assert (POD, "runs", image) in edges
    assert (WEB, "runs", "image:registry.example/shop/web:1.2") in edges
    assert "image:registry.example/shop/web:1.2" in names(resources[image])
    # Declared as a thing of its own, the tag would lead to no digest.
    assert "image:registry.example/shop/web:1.2" not in resources
    running = {target for _, kind, target in edges if kind == "runs"}
    assert not [r for r in running if "old" in r or r.endswith("web:1.1")]  # ended; scaled to none
    cron = "k8s://blue/shop/cronjob/report"
    assert (cron, "runs", f"image:registry.example/shop/report@{DIGEST}") in edges


def test_edges_of_a_cluster(
    resources: dict[str, Resource], edges: set[tuple[str, str, str]]
) -> None:
    replicas = "k8s://blue/shop/replicaset/web-7c9d8f6b5"
    service, account = "k8s://blue/shop/service/web", "k8s://blue/shop/serviceaccount/web"
    assert replicas in resources  # named only by its pod
    assert {
        (POD, "owned_by", replicas),
        (replicas, "owned_by", WEB),
        (POD, "runs_on", "k8s://blue/_/node/ip-10-0-1-5.ec2.internal"),
        ("k8s://blue/_/node/ip-10-0-1-5.ec2.internal", "runs_on", "i-0123456789abcdef0"),
        (POD, "has_identity", account),
        (WEB, "has_identity", account),
        (account, "has_identity", "arn:aws:iam::123456789012:role/web"),
        (POD, "reads_secret", "k8s://blue/shop/secret/web-keys"),
        (POD, "reads_secret", "k8s://blue/shop/secret/web-tls"),
        (POD, "part_of", "service:web"),
        (WEB, "part_of", "service:web"),
        (service, "routes_to", POD),
        (service, "routes_to", WEB),
        ("dns:a1b2.elb.eu-west-1.amazonaws.com", "routes_to", service),
        ("k8s://blue/shop/ingress/web", "routes_to", service),
        ("k8s://blue/infra/gateway/edge", "routes_to", "k8s://blue/shop/httproute/api"),
        ("k8s://blue/shop/httproute/api", "routes_to", service),
        ("k8s://blue/_/namespace/shop", "contains", WEB),
    } <= edges


def test_a_host_of_two_ingresses_is_a_name_of_neither() -> None:
    ingress = json.loads((SAMPLES / "list.json").read_bytes())["items"][8]
    other = json.loads(json.dumps(ingress))
    other["metadata"]["name"] = "other"
    records = read(json.dumps([ingress, other]).encode())
    assert all(not names(r) for r in records if isinstance(r, Resource))
    to = {r.target for r in records if isinstance(r, Relation) and r.source == "dns:shop.example"}
    assert to == {"k8s://unknown/shop/ingress/web", "k8s://unknown/shop/ingress/other"}


def test_only_a_whole_list_is_a_scope(records: list[AnyRecord]) -> None:
    keys = {r.key for r in records if isinstance(r, Scope)}
    assert {"k8s:blue/pod", "k8s:blue/node", "k8s:blue/clusterrole"} <= keys
    assert not [r for r in read((SAMPLES / "pods-page.json").read_bytes()) if isinstance(r, Scope)]
    assert not [r for r in read((SAMPLES / "service.json").read_bytes()) if isinstance(r, Scope)]
    empty = (
        b'{"kind":"NetworkPolicyList","apiVersion":"networking.k8s.io/v1","metadata":{},"items":[]}'
    )
    assert [r.key for r in read(empty, cluster="blue")] == ["k8s:blue/networkpolicy"]  # type: ignore[union-attr]
    (skipped,) = [r for r in records if isinstance(r, Skipped)]
    assert skipped.harmless and skipped.count == 1


def test_the_cluster_comes_from_the_option_or_the_folder() -> None:
    data = (SAMPLES / "service.json").read_bytes()
    folder = Report(data, "x.json", parts=("data", "kubernetes", "green", "services.json"))
    uids = [r.uid for r in kubernetes.read(folder) if isinstance(r, Resource)]
    assert uids == ["k8s://green/shop/service/web"]
    assert next(iter(read(data))).uid == "k8s://unknown/shop/service/web"  # type: ignore[union-attr]


def _dump(folder: Path) -> tuple[Counter[str], Counter[str]]:
    kinds: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    for place in opening.find((str(folder),)):
        data = opening.load(place)
        document = json.loads(data)
        if isinstance(document, list):
            continue  # the list of kinds, no objects
        assert recognise(data, place.name).id == "kubernetes"
        items = document["items"] if "items" in document else document.values()
        kind = document.get("kind", "List").removesuffix("List")
        wanted.update((item.get("kind") or kind).lower() for item in items)
        for record in kubernetes.read(Report(data, place.name, place.parts)):
            if isinstance(record, Resource) and record.config:
                kinds[record.type.removeprefix("kubernetes_")] += 1
    return kinds, wanted


@pytest.mark.parametrize("name", ["digitalocean-cluster-dump", "kwok-15k-resources"])
def test_a_real_dump_is_read_whole(shared: Path, name: str) -> None:
    kinds, wanted = _dump(shared / "inventory" / "kubernetes" / name)
    wanted.pop("controllerrevision", None)
    assert kinds == wanted
