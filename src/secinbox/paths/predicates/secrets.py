"""Kubernetes secrets: who reads them, what mounts them, and what a token among them opens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from secinbox.iam.kubernetes import Grant, subject_uid
from secinbox.iam.kubernetes.entries import Entry
from secinbox.iam.kubernetes.entries import principals as let_in
from secinbox.iam.kubernetes.named import TOKEN
from secinbox.inventory.kubernetes.cluster import near, notes_of, place_of, word
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, lasting, pairs
from secinbox.paths.predicates.clusters import cluster_uid
from secinbox.paths.predicates.entering import inside_only
from secinbox.paths.providers.kubernetes import SECRET_TYPES, worth_of
from secinbox.paths.world import World
from secinbox.records import Evidence


def _of_namespaces(world: World) -> dict[tuple[str, str], list[str]]:
    """(cluster, namespace) -> the secrets that matter there."""
    out: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in world.estate.of_type("kubernetes_secret"):
        if worth_of(item):
            out[place_of(item.uid)].append(item.uid)
    return out


def _narrow(world: World, grant: Grant) -> Action:
    return Action(f"binding:{grant.source}:{grant.text}",
                  f"Narrow {world.label(grant.source)}: {grant.text}", grant.source)  # fmt: skip


@lasting
@pairs
def secrets_that_account_reads(world: World) -> Iterator[Pair]:
    """Rules on secrets: list and watch give the contents, get those whose name is known."""
    known = _of_namespaces(world)
    used: set[tuple[str, str]] = set()
    for subject in world.clusters.everyone() if known else ():
        spaces = [s for c, s in known if c == subject[0]]
        told: set[tuple[str, bool]] = set()
        for grant in world.clusters.held_by(subject):
            for space in spaces if not grant.space else [grant.space]:
                if (subject[0], space) not in known:
                    continue
                all_of_them = grant.holds(("list", "watch"), "", "secrets")
                # Whoever lists or watches objects of one name gets that one.
                if not all_of_them and not grant.holds(
                    ("get", "list", "watch"), "", "secrets", True
                ):
                    continue
                uid = subject_uid(subject)
                evidence = (Evidence(kind="policy", text=grant.text, source=grant.source),)
                if grant.names:
                    for name in sorted(grant.names):
                        secret = near(uid, "secret", name, space)
                        if secret in known[subject[0], space]:
                            yield Pair(uid, secret, evidence=evidence, resources=(grant.source,),
                                       actions=(_narrow(world, grant),))  # fmt: skip
                    continue
                if (space, all_of_them) in told:
                    continue
                told.add((space, all_of_them))
                used.add((subject[0], space))
                yield Pair(uid, f"secrets:{subject[0]}/{space}", target_kind="hub",
                           phrase=f"{world.label(uid)} reads secrets of namespace {space}:",
                           doubt="" if all_of_them else "whether it knows the secrets' names",
                           evidence=evidence, resources=(grant.source,),
                           actions=(_narrow(world, grant),))  # fmt: skip
    for cluster, space in sorted(used):
        for secret in known[cluster, space]:
            yield Pair(f"secrets:{cluster}/{space}", secret, source_kind="hub", cost=0.0,
                       silent=True)  # fmt: skip


@lasting
@pairs
def mounted_secret(world: World) -> Iterator[Pair]:
    """What runs, and the secrets in its volumes and variables."""
    for runner in world.runners.values():
        if runner.idle or world.top(runner.uid) != runner.uid:
            continue
        for secret in world.estate.targets(runner.uid, "reads_secret"):
            item = world.estate.find(secret)
            # What an application needs for itself is lost with it: no path of its own.
            if item is not None and word(item.config, "type") in SECRET_TYPES:
                yield Pair(runner.uid, item.uid, actions=(Action(
                    f"mount:{runner.uid}>{item.uid}",
                    f"Do not give {world.label(item.uid)} to {runner.shown}", runner.uid,
                    effort=2.0),))  # fmt: skip


@lasting
@pairs
def token_in_secret(world: World) -> Iterator[Pair]:
    """A secret that holds the token of a service account, which never expires."""
    for item in world.estate.of_type("kubernetes_secret"):
        name = notes_of(item).get("kubernetes.io/service-account.name", "")
        if word(item.config, "type") == TOKEN and name:
            account = near(item.uid, "serviceaccount", name)
            yield Pair(item.uid, account, actions=(Action(
                f"token-secret:{item.uid}", f"Delete {world.label(item.uid)}: tokens are made "
                "on demand", item.uid, effort=0.5),))  # fmt: skip


@lasting
@pairs
def node_account(world: World) -> Iterator[Pair]:
    """A node and what is bound to nodes beside the kubelet's own rights."""
    for subject in world.clusters.everyone():
        if subject[1] not in ("user", "group"):
            continue
        uid = subject_uid(subject)
        for item in world.estate.of_type("kubernetes_node"):
            mine = (f"system:node:{item.name}", "system:nodes")
            if cluster_uid(item.uid) == cluster_uid(uid) and subject[3] in mine:
                yield Pair(item.uid, uid, actions=(Action(
                    f"nodes:{uid}", f"Remove what is bound to {subject[3]}", uid),))  # fmt: skip


@lasting
@pairs
def entry_of_cloud_role(world: World) -> Iterator[Pair]:
    """A cloud identity that EKS lets in, by an access entry or by the map aws-auth."""
    for who, every in sorted(let_in(world.estate).items()):
        for entry in every:
            action = Action(
                f"entry:{entry.source}>{who}" if entry.mapped else f"entry:{entry.source}",
                f"Take {world.label(who)} from aws-auth" if entry.mapped
                else f"Narrow the access entry of {world.label(who)}", entry.source)  # fmt: skip
            if entry.controls is not False:
                far = inside_only(world.estate.items.get(entry.eks))
                yield Pair(who, entry.cluster, target_kind="admin", detail=entry.how,
                           doubt=entry.how if entry.controls is None else far,
                           resources=(entry.source,), actions=(action,))  # fmt: skip
            for account in _accounts_in(world, entry):
                yield Pair(who, account, detail=f"runs pods in namespace {place_of(account)[1]}",
                           doubt=inside_only(world.estate.items.get(entry.eks)),
                           resources=(entry.source,), actions=(action,))  # fmt: skip
            for group in entry.groups if entry.cluster.startswith("k8s://") else ():
                if not group.startswith("system:"):
                    yield Pair(who, f"{entry.cluster}/_/group/{group}", detail=group,
                               resources=(entry.source,), actions=(action,))  # fmt: skip


def _accounts_in(world: World, entry: Entry) -> Iterator[str]:
    """Service accounts of the namespaces in which it may run pods."""
    for item in world.estate.of_type("kubernetes_serviceaccount") if entry.spaces else ():
        cluster, space = place_of(item.uid)
        if f"k8s://{cluster}" == entry.cluster and entry.runs_in(space):
            yield item.uid
