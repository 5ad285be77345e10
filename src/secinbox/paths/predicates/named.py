"""Kubernetes: rules that name their objects: a service account, a pod, a workload."""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.iam.kubernetes import Grant, Subject, subject_uid
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, lasting, pairs
from secinbox.paths.world import World
from secinbox.records import Evidence


def _naming(world: World) -> Iterator[tuple[Subject, Grant]]:
    for subject in world.clusters.everyone():
        for grant in world.clusters.held_by(subject):
            if grant.names:
                yield subject, grant


def _pair(
    world: World, grant: Grant, source: str, target: str, detail: str, doubt: str = ""
) -> Pair:
    return Pair(
        source, target, detail=detail, doubt=doubt, resources=(grant.source,),
        evidence=(Evidence(kind="policy", text=grant.text, source=grant.source),),
        actions=(Action(f"binding:{grant.source}:{grant.text}",
                        f"Narrow {world.label(grant.source)}: {grant.text}", grant.source),),
    )  # fmt: skip


@lasting
@pairs
def account_by_name(world: World) -> Iterator[Pair]:
    """Rules that let somebody act as one service account, or as all of a workload's namespace."""
    clusters = world.clusters
    for subject, grant in _naming(world):
        source = subject_uid(subject)
        for account, what in clusters.named.accounts(grant, subject[0]):
            yield _pair(world, grant, source, subject_uid(account), what)
        for space, what in clusters.named.spaces(grant, subject[0]):
            for account in sorted(clusters.accounts):
                if account[0] == subject[0] and account[2] == space:
                    detail = f"{what} of namespace {space}"
                    yield _pair(world, grant, source, subject_uid(account), detail)


@lasting
@pairs
def pod_by_name(world: World) -> Iterator[Pair]:
    """Rules that let somebody enter one pod."""
    for subject, grant in _naming(world):
        for pod in world.clusters.named.pods(grant, subject[0]):
            if pod.runner is not None:
                yield _pair(world, grant, subject_uid(subject), world.top(pod.uid), pod.text)
