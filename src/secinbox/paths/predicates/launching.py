"""Kubernetes: who makes pods in a namespace makes privileged ones, and so gets hold of nodes.

Pod Security admission says by a label of the namespace what it keeps out; other admission policies are
not in the inventory, so nothing here is certain.
https://kubernetes.io/docs/concepts/security/rbac-good-practices/#workload-creation
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from secinbox.iam.kubernetes import Grant, Subject, subject_uid
from secinbox.iam.kubernetes.rules import WORKLOADS
from secinbox.inventory.kubernetes.cluster import labels_of
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, lasting, pairs
from secinbox.paths.predicates.clusters import cluster_uid
from secinbox.paths.world import World
from secinbox.records import Evidence

_LABEL = "pod-security.kubernetes.io/enforce"
_KEEPS_OUT = ("baseline", "restricted")


@lasting
@pairs
def node_by_a_pod(world: World) -> Iterator[Pair]:
    """Rules that let somebody make pods in one namespace, and all nodes of the cluster."""
    nodes: dict[str, list[str]] = defaultdict(list)
    for item in world.estate.of_type("kubernetes_node"):
        nodes[cluster_uid(item.uid)].append(item.uid)
    used: set[str] = set()
    for subject in world.clusters.everyone():
        told: set[str] = set()
        for grant in world.clusters.held_by(subject):
            for space in sorted(_makes(world, subject, grant) - told):
                told.add(space)
                uid = subject_uid(subject)
                cluster = cluster_uid(uid)
                used.add(cluster)
                yield Pair(
                    uid, f"nodes:{cluster}", target_kind="hub", no=_kept_out(world, subject[0], space),
                    phrase=f"{world.label(uid)} makes a privileged pod in namespace {space} on",
                    doubt="whether an admission policy keeps privileged pods out",
                    evidence=(Evidence(kind="policy", text=grant.text, source=grant.source),),
                    resources=(grant.source,),
                    actions=(Action(f"pod-security:{subject[0]}/{space}",
                                    f"Enforce the baseline pod security standard in namespace {space}",
                                    f"k8s://{subject[0]}/_/namespace/{space}", effort=1.0),),
                )  # fmt: skip
    for cluster in sorted(used):
        for node in nodes.get(cluster) or [f"{cluster}/_/node/any"]:
            yield Pair(f"nodes:{cluster}", node, source_kind="hub", cost=0.0, silent=True)


def _makes(world: World, subject: Subject, grant: Grant) -> set[str]:
    """The namespaces in which the rule lets one say what a pod is; rules of the cluster are its control."""
    if grant.names:
        return {space for space, _ in world.clusters.named.spaces(grant, subject[0])}
    if not grant.space:
        return set()
    made = grant.holds(("create",), "", "pods") or any(
        grant.holds(("create", "update", "patch"), group, resource) for group, resource in WORKLOADS
    )
    return {grant.space} if made else set()


def _kept_out(world: World, cluster: str, space: str) -> str:
    item = world.estate.find(f"k8s://{cluster}/_/namespace/{space}")
    level = labels_of(item.config).get(_LABEL, "") if item is not None else ""
    return f"namespace {space} enforces the {level} standard" if level in _KEEPS_OUT else ""
