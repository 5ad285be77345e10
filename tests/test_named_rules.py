"""Rules that name their objects: privileges and attack paths say the same of each, and of each flip."""

from __future__ import annotations

from typing import Any

import pytest

from secinbox.iam.kubernetes import Clusters
from secinbox.paths.build import compiled, entries
from secinbox.paths.search import forward, possible
from tests.scenes import Scene
from tests.test_iam_kubernetes import account, binding, role, rule
from tests.test_network_kubernetes import Object, pod, thing

BOT, CLUSTER = "k8s://c/shop/serviceaccount/bot", "k8s://c"
KIND = "kubernetes.io/service-account-token"


def token(space: str = "shop", kind: str = KIND, of: str = "boss") -> Object:
    made = thing("Secret", "boss-token", {}, space, type=kind, data={"token": "eA=="})
    made.pop("spec")
    made["metadata"]["annotations"] = {"kubernetes.io/service-account.name": of}
    return made


def workload(kind: str, name: str = "web") -> Object:
    spec: Object = {
        "template": {"metadata": {}, "spec": {"containers": [{"name": "a", "image": "x"}]}}
    }
    return thing(kind, name, spec)


def scene(verbs: str, resource: str, *names: str, group: str = "", home: str = "shop", cluster: bool = False,
          strong: bool = True, more: tuple[Object, ...] | None = None) -> Scene:  # fmt: skip
    """The bot with one rule, and a boss in namespace `home` who controls the cluster if `strong`."""
    where: dict[str, Any] = {} if cluster else {"kind": "Role", "space": "shop"}
    objects = [
        account("bot"),
        account("boss", home),
        *((token(home),) if more is None else more),
        role(rule(verbs, resource, group, *names), **where),
        binding(to_kind="ClusterRole") if cluster else binding("RoleBinding", to_kind="Role", space="shop"),
    ]  # fmt: skip
    if strong:
        boss = {"kind": "ServiceAccount", "name": "boss", "namespace": home}
        objects += [
            role(rule("*", "*", "*"), name="all"),
            binding(to="all", subject=boss, name="all"),
        ]
    return Scene().kubernetes(*objects)


BOSS_POD = (pod("boss-0", serviceAccountName="boss"),)
CASES: dict[str, tuple[Scene, bool]] = {
    "gets its token": (scene("get", "secrets", "boss-token"), True),
    "lists secrets of that name": (scene("list", "secrets", "boss-token"), True),
    "watches secrets of that name": (scene("watch", "secrets", "boss-token"), True),
    "of another namespace, by a rule of the cluster": (
        scene("list", "secrets", "boss-token", home="ops", cluster=True), True),
    "deletes it": (scene("delete", "secrets", "boss-token"), False),
    "another name": (scene("get", "secrets", "other"), False),
    "a rule of another namespace": (scene("get", "secrets", "boss-token", home="ops"), False),
    "no token": (scene("get", "secrets", "boss-token", more=(token(kind="Opaque"),)), False),
    "a token of nobody": (scene("get", "secrets", "boss-token", more=(token(of="ghost"),)), False),
    "a token of somebody weak": (scene("get", "secrets", "boss-token", strong=False), False),
    "impersonates": (scene("impersonate", "serviceaccounts", "boss"), True),
    "impersonates another": (scene("impersonate", "serviceaccounts", "web"), False),
    "makes tokens": (scene("create", "serviceaccounts/token", "boss"), True),
    "makes tokens elsewhere": (
        scene("create", "serviceaccounts/token", "boss", home="ops", cluster=True), True),
    "makes tokens of another": (scene("create", "serviceaccounts/token", "web"), False),
    "changes a deployment": (
        scene("patch", "deployments", "web", group="apps", more=(workload("Deployment"),)), True),
    "a deployment that is not there": (
        scene("patch", "deployments", "api", group="apps", more=(workload("Deployment"),)), False),
    "a job, whose template stays": (
        scene("patch", "jobs", "web", group="batch", more=(workload("Job"),)), False),
    "reads the deployment": (
        scene("get", "deployments", "web", group="apps", more=(workload("Deployment"),)), False),
    "enters the pod": (scene("create", "pods/exec", "boss-0", more=BOSS_POD), True),
    "adds a container": (scene("patch", "pods/ephemeralcontainers", "boss-0", more=BOSS_POD), True),
    "changes its image": (scene("update", "pods", "boss-0", more=BOSS_POD), True),
    "enters another pod": (scene("create", "pods/exec", "web-0", more=BOSS_POD), False),
    "a pod of somebody weak": (
        scene("create", "pods/exec", "bot-0", more=(pod("bot-0", serviceAccountName="bot"),)), False),
    "a pod without a token": (scene("create", "pods/exec", "boss-0", more=(
        pod("boss-0", serviceAccountName="boss", automountServiceAccountToken=False),)), False),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_privileges_and_paths_follow_a_named_object(case: str) -> None:
    made, wanted = CASES[case]
    made.breached = [BOT]
    world = made.world()
    power = Clusters(world.estate, {}).powers()[BOT]
    assert power.value == ("yes" if wanted else "no"), power.evidence
    graph = compiled(world)
    reached = {graph.states[n] for e in entries(graph) for n in forward(graph, e, possible).cost}
    assert (("admin", CLUSTER) in reached) is wanted


def test_pods_that_nobody_listed_are_unknown() -> None:
    made = scene("create", "pods/exec", "boss-0", more=())
    estate = made.estate()
    estate.covered.discard("k8s:c/pod")
    power = Clusters(estate, {}).powers()[BOT]
    assert power.value == "unknown"
    assert any("pods were not read" in e.text for e in power.evidence)
