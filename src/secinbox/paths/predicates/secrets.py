"""Kubernetes secrets: who reads them, what mounts them, and what a token among them opens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from secinbox.iam.kubernetes import Grant, subject_uid
from secinbox.iam.kubernetes.named import TOKEN
from secinbox.inventory.kubernetes.cluster import at, near, notes_of, place_of, word
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, lasting, pairs
from secinbox.paths.predicates.clusters import cluster_uid
from secinbox.paths.providers.kubernetes import SECRET_TYPES, worth_of
from secinbox.paths.world import World
from secinbox.records import Evidence

MASTERS = "system:masters"


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
    clusters = {
        i.name or i.uid.rpartition("/")[2]: i.uid
        for i in world.estate.items.values() if i.type == "aws_eks_cluster"
    }  # fmt: skip
    here = {cluster_uid(uid) for uid in world.estate.items if uid.startswith("k8s://")}
    for item in world.estate.of_type("aws_eks_access_entry"):
        name = word(item.config, "clusterName") or item.uid.split("access-entry/")[-1].split("/")[0]
        cluster = f"k8s://{name}"
        if cluster not in here:
            cluster = next((c for c in sorted(here) if c.endswith(f"cluster/{name}")), "")
        cluster = cluster or clusters.get(name, "")
        who = word(item.config, "principalArn")
        if not who or not cluster:
            continue
        policies = at(item.config, "associatedAccessPolicies")
        policies = policies if isinstance(policies, list) else []
        admin = [p for p in policies if word(p, "policyArn").endswith("ClusterAdminPolicy")]
        groups = at(item.config, "kubernetesGroups")
        action = Action(f"entry:{item.uid}", f"Narrow the access entry of {world.label(who)}",
                        item.uid)  # fmt: skip
        if admin:
            yield Pair(who, cluster, target_kind="admin", detail=word(admin[0], "policyArn"),
                       resources=(item.uid,), actions=(action,))  # fmt: skip
        yield from _groups(world, who, cluster, groups, item.uid, action)
    for item in world.estate.of_type("kubernetes_configmap"):
        if item.name != "aws-auth" or place_of(item.uid)[1] != "kube-system":
            continue
        for who, groups in _mapped(word(item.config, "data", "mapRoles")) + _mapped(
            word(item.config, "data", "mapUsers")
        ):
            action = Action(f"entry:{item.uid}>{who}", f"Take {world.label(who)} from aws-auth",
                            item.uid)  # fmt: skip
            yield from _groups(world, who, cluster_uid(item.uid), groups, item.uid, action)


def _groups(
    world: World, who: str, cluster: str, groups: object, source: str, action: Action
) -> Iterator[Pair]:
    for group in groups if isinstance(groups, list) else ():
        if group == MASTERS:
            yield Pair(who, cluster, target_kind="admin", detail=MASTERS, resources=(source,),
                       actions=(action,))  # fmt: skip
        elif isinstance(group, str) and not group.startswith("system:"):
            yield Pair(who, f"{cluster}/_/group/{group}", detail=group, resources=(source,),
                       actions=(action,))  # fmt: skip


def _mapped(text: str) -> list[tuple[str, list[str]]]:
    """(ARN, groups) of one list of aws-auth; nothing of what is malformed."""
    import yaml

    try:
        rows = yaml.safe_load(text) if len(text) < 1_000_000 else None
    except (yaml.YAMLError, RecursionError):
        return []
    out = []
    for row in rows if isinstance(rows, list) else ():
        who = word(row, "rolearn") or word(row, "userarn")
        groups = at(row, "groups")
        if who and isinstance(groups, list):
            out.append((who, [g for g in groups if isinstance(g, str)]))
    return out
