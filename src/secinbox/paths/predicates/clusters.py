"""Kubernetes: tokens of what runs, RBAC, escapes to nodes, and cloud identities behind them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from secinbox.iam.kubernetes import (
    ESCALATING,
    Grant,
    Subject,
    escapes,
    made_and_read,
    namespace_rules,
    subject_uid,
    token_mounted,
)
from secinbox.iam.kubernetes.eks import associations_of
from secinbox.inventory.kubernetes.cluster import Runner, at, labels_of, obj, place_of, word
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Judgement, Pair, check, lasting, pairs
from secinbox.paths.world import INTERNET, World
from secinbox.records import Evidence

_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_ANONYMOUS = ("system:anonymous", "system:unauthenticated")


def cluster_uid(uid: str) -> str:
    """The cluster that an object is in."""
    return f"k8s://{place_of(uid)[0]}"


def _tops(world: World) -> list[Runner]:
    """Workloads, and pods that no workload makes."""
    return [r for r in world.runners.values() if not r.idle and world.top(r.uid) == r.uid]


def _account(world: World, runner: Runner) -> Subject:
    return world.clusters.account_of(runner)


@lasting
@pairs
def service_account(world: World) -> Iterator[Pair]:
    """What runs, and the service account that it runs as."""
    for runner in _tops(world):
        subject = _account(world, runner)
        yield Pair(runner.uid, subject_uid(subject), actions=(Action(
            f"token:{runner.uid}", f"Do not mount a service account token in {runner.shown}",
            runner.uid, effort=0.5),))  # fmt: skip


@check
def token_is_mounted(world: World, pair: Pair) -> Judgement:
    """The pod's word before the account's."""
    found = world.runners.get(pair.source)
    if found is None:
        return Judgement(None, "whether it mounts the token was not read")
    held, why = token_mounted(found, world.clusters.accounts.get(_account(world, found)))
    return Judgement(held, "" if held else why)


@lasting
@pairs
def cloud_identity_of_account(world: World) -> Iterator[Pair]:
    """A service account and the cloud identity that it acts as (IRSA, Pod Identity, Workload Identity)."""
    for item in world.estate.of_type("kubernetes_serviceaccount"):
        for role in cloud_identities(world, item.uid):
            yield Pair(item.uid, role, actions=(Action(
                f"irsa:{item.uid}>{role}", f"Take the cloud identity from {world.label(item.uid)}",
                item.uid, effort=2.0),))  # fmt: skip
        yield from associated(world, item.uid)


def cloud_identities(world: World, account: str) -> Iterator[str]:
    """The cloud identities that a service account names; what an annotation names may stand for one."""
    for named in world.estate.targets(account, "has_identity"):
        found = world.estate.find(named)
        if found is not None and found.uid in world.escalation.handed:
            continue  # a session of an association: `associated`
        inner = world.estate.targets(found.uid, "has_identity") if found is not None else []
        yield inner[0] if inner else found.uid if found is not None else named


def associated(world: World, account: str, source: str = "") -> Iterator[Pair]:
    """The sessions that associations of Pod Identity hand to pods of the account, or to one of them."""
    for item, let, why in associations_of(world.estate, account):
        for handed in world.escalation.handed.get(item.uid, ()):
            action = Action(f"association:{item.uid}",
                            f"Delete or narrow the Pod Identity association of {world.label(account)}",
                            item.uid, effort=1.5)  # fmt: skip
            yield Pair(
                source or account, handed.node, detail=item.uid, resources=(item.uid,),
                no=handed.why if handed.let is False else "",
                doubt=why if let is None else handed.why if handed.let is None else "",
                actions=(action,),
            )  # fmt: skip


def _binding(world: World, grant: Grant) -> Action:
    return Action(f"binding:{grant.source}:{grant.text}",
                  f"Narrow {world.label(grant.source)}: {grant.text}", grant.source)  # fmt: skip


@lasting
@pairs
def cluster_power(world: World) -> Iterator[Pair]:
    """Rules in the whole cluster that are, or lead to, control of it."""
    clusters = world.clusters
    for subject in clusters.everyone():
        power = clusters.alone(subject)
        strong = [e for e in power.evidence if e.kind in ("administrator", "escalation")]
        if not strong:
            continue
        uid = subject_uid(subject)
        first = min(strong, key=lambda e: (e.kind != "administrator", e.text))
        yield Pair(
            uid, cluster_uid(uid), detail=first.text.split(". Rule:")[0],
            evidence=tuple(strong[:3]), cost=0.05 if first.kind == "administrator" else 0.15,
            resources=tuple(e.source for e in strong[:1] if e.source != uid),
            actions=tuple(
                Action(f"power:{uid}", f"Take cluster-wide rights from {world.label(uid)}", uid)
                for _ in (0,)),
        )  # fmt: skip


@lasting
@pairs
def namespace_power(world: World) -> Iterator[Pair]:
    """Rules in one namespace that give every service account of it."""
    clusters = world.clusters
    members: dict[tuple[str, str], list[Subject]] = defaultdict(list)
    for subject in clusters.everyone():
        if subject[1] == "sa":
            members[subject[0], subject[2]].append(subject)
    used: set[tuple[str, str]] = set()
    for subject in clusters.everyone():
        held = clusters.held_by(subject)
        for space in sorted({g.space for g in held if g.space}):
            grants = [g for g in held if g.space == space]
            found: tuple[str, Grant] | None = next(iter(namespace_rules(grants)), None)
            for verbs, group, resource, text in ESCALATING:
                if found is not None:
                    break
                grant = next((g for g in grants if g.holds(verbs, group, resource)), None)
                if grant is not None:
                    found = (text, grant)
            made = made_and_read([g for g in held if g.space in ("", space)])
            if found is None and made:
                found = "makes a token of any service account and reads it", made[0]
            if found is None:
                continue
            uid = subject_uid(subject)
            used.add((subject[0], space))
            evidence = Evidence(kind="policy", text=found[1].text, source=found[1].source)
            yield Pair(uid, f"accounts:{subject[0]}/{space}", target_kind="hub",
                       detail=f"{found[0]} in namespace {space}", evidence=(evidence,),
                       resources=(found[1].source,),
                       actions=(_binding(world, found[1]),))  # fmt: skip
    for cluster, space in sorted(used):
        for subject in members[cluster, space]:
            yield Pair(f"accounts:{cluster}/{space}", subject_uid(subject), source_kind="hub",
                       cost=0.0, silent=True)  # fmt: skip


@lasting
@pairs
def anonymous_subject(world: World) -> Iterator[Pair]:
    """Rules that are bound to clients without any credentials, on an API server that answers."""
    for subject in world.clusters.everyone():
        if subject[1] in ("user", "group") and subject[3] in _ANONYMOUS:
            uid = subject_uid(subject)
            yield Pair(INTERNET, uid, doubt="" if world.answers_internet(cluster_uid(uid))
                       else "whether the API server answers the Internet",
                       actions=(Action(f"anonymous:{uid}",
                                       f"Remove what is bound to {subject[3]}", uid),))  # fmt: skip


@lasting
@pairs
def container_escape(world: World) -> Iterator[Pair]:
    """A container with a way out, and the nodes that its pods are on."""
    for runner in _tops(world):
        found = sorted(set(escapes(runner)))
        if not found:
            continue
        text, then = found[0]
        evidence = tuple(Evidence(kind="inventory", text=f"{t}: {h}", source=runner.uid)
                         for t, h in found[:3])  # fmt: skip
        action = Action(f"escape:{runner.uid}", f"Take from {runner.shown} what lets it out: {text}",
                        runner.uid)  # fmt: skip
        for node in world.nodes_of.get(runner.uid, ()) or (
            f"{cluster_uid(runner.uid)}/_/node/any",
        ):
            yield Pair(runner.uid, node, detail=f"{text}, so it {then}", evidence=evidence,
                       actions=(action,))  # fmt: skip


@lasting
@pairs
def pods_of_node(world: World) -> Iterator[Pair]:
    """A node and everything that runs on it."""
    known: dict[str, set[str]] = defaultdict(set)
    for workload, nodes in world.nodes_of.items():
        for node in nodes:
            known[node].add(workload)
    for node in sorted(known):
        for workload in sorted(known[node]):
            yield Pair(node, workload, cost=0.02)
    # Manifests do not say what runs where; a daemon runs everywhere.
    for runner in _tops(world):
        if runner.uid not in world.nodes_of:
            everywhere = runner.item.type == "kubernetes_daemonset"
            yield Pair(f"{cluster_uid(runner.uid)}/_/node/any", runner.uid, cost=0.02,
                       doubt="" if everywhere else "whether it runs on the same node")  # fmt: skip


@lasting
@pairs
def control_plane_node(world: World) -> Iterator[Pair]:
    """A node that runs the control plane holds the cluster's own keys."""
    for item in world.estate.of_type("kubernetes_node"):
        labels = labels_of(item.config)
        if any(key in labels for key in _CONTROL_PLANE):
            yield Pair(item.uid, cluster_uid(item.uid))


@lasting
@pairs
def machine_of_node(world: World) -> Iterator[Pair]:
    """A node and the cloud machine that it is."""
    for item in world.estate.of_type("kubernetes_node"):
        machine = word(item.config, "spec", "providerID").rsplit("/", 1)[-1]
        found = world.estate.find(machine) if machine else None
        if found is not None:
            yield Pair(item.uid, found.uid, cost=0.01)


@lasting
@pairs
def node_metadata(world: World) -> Iterator[Pair]:
    """A pod, and the roles of the machines that it runs on."""
    for runner in _tops(world):
        for node in world.nodes_of.get(runner.uid, ()):
            item = world.estate.find(node)
            machine = word(item.config, "spec", "providerID").rsplit("/", 1)[-1] if item else ""
            found = world.estate.find(machine) if machine else None
            for role in world.runs_as.get(found.uid, ()) if found else ():
                yield Pair(runner.uid, role, detail=found.uid if found else "",
                           resources=(node, found.uid) if found else (),
                           actions=(Action(f"hops:{found.uid if found else node}",
                                           "Limit metadata answers to one hop on "
                                           + world.label(node), node, effort=0.5),))  # fmt: skip


@check
def metadata_reaches_pods(world: World, pair: Pair) -> Judgement:
    """Hop limit 1 keeps the metadata service from pods that do not share the host's network."""
    found = world.runners.get(pair.source)
    machine = world.estate.find(pair.detail)
    options = obj(machine.config, "MetadataOptions") if machine else {}
    if word(options, "HttpEndpoint") == "disabled":
        return Judgement(False, "the node's metadata service is switched off")
    if found is not None and at(found.spec, "hostNetwork") is True:
        return Judgement(True)
    hops = at(options, "HttpPutResponseHopLimit")
    if not isinstance(hops, int):
        return Judgement(None, "the hop limit of the node's metadata service was not read")
    if hops < 2 and word(options, "HttpTokens") == "required":
        return Judgement(False, "hop limit 1 and IMDSv2 required")
    return Judgement(True)


@lasting
@pairs
def accounts_of_cluster(world: World) -> Iterator[Pair]:
    """Control of a cluster is control of every service account with a cloud identity."""
    for item in world.estate.of_type("kubernetes_serviceaccount"):
        named = world.estate.targets(item.uid, "has_identity")
        if named or associations_of(world.estate, item.uid):
            yield Pair(cluster_uid(item.uid), item.uid, cost=0.02)
