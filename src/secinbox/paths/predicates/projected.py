"""Kubernetes: the cloud's token of a pod that holds no token of the API.

`automountServiceAccountToken: false` keeps the API's token away. What the cloud's webhook projects, or its
metadata server gives, hangs on the service account only.
https://docs.aws.amazon.com/eks/latest/userguide/pod-configuration.html
"""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.iam.kubernetes import subject_uid, token_mounted
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, lasting, pairs
from secinbox.paths.predicates.clusters import associated, cloud_identities
from secinbox.paths.predicates.federation import cloud_identity_is_trusted
from secinbox.paths.world import World


@lasting
@pairs
def cloud_identity_of_workload(world: World) -> Iterator[Pair]:
    """What runs without a token of the API for certain, and the cloud identity of its account."""
    for runner in world.runners.values():
        if runner.idle or world.top(runner.uid) != runner.uid:
            continue
        subject = world.clusters.account_of(runner)
        if token_mounted(runner, world.clusters.accounts.get(subject))[0] is True:
            continue
        account = subject_uid(subject)
        for identity in cloud_identities(world, account):
            found = cloud_identity_is_trusted(world, Pair(account, identity))
            yield Pair(
                runner.uid, identity, resources=(account,),
                no=found.why if found.value is False else "",
                doubt=found.why if found.value is None else "",
                actions=(Action(f"irsa:{account}>{identity}",
                                f"Take the cloud identity from {world.label(account)}", account,
                                effort=2.0),),
            )  # fmt: skip
        yield from associated(world, account, runner.uid)
