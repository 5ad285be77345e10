"""EKS: identities that make themselves administrators of a cluster by an access entry of their own.

Source: Amazon EKS User Guide, "Create access entries", "Cluster API server endpoint".
"""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.estate import Item
from secinbox.iam.kubernetes.eks import is_of
from secinbox.iam.needs import Needs, doubt_of
from secinbox.iam.things import Thing
from secinbox.inventory.kubernetes.cluster import place_of, word
from secinbox.network.aws.compute import eks
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, late, pairs
from secinbox.paths.world import World
from secinbox.records import Evidence

_NEEDS = ("eks:CreateAccessEntry thing", "eks:AssociateAccessPolicy thing:entry")


def inside_only(item: Item | None) -> str:
    """What is doubtful of whoever is let in by a cluster whose API server does not answer everyone."""
    if item is not None and eks(item).value == "no":
        return "whether it gets to the API server, which does not answer everyone"
    return ""


@late
@pairs
def cluster_that_identity_enters(world: World) -> Iterator[Pair]:
    """Effective permission to make an access entry and to give it the administrator's policy."""
    escalation = world.escalation
    needs = Needs(escalation.evaluator)
    exported = {place_of(uid)[0] for uid in world.estate.items if uid.startswith("k8s://")}
    principals = escalation.world.principals
    reached = principals if world.reached is None else principals.keys() & world.reached
    for item in world.estate.of_type("aws_eks_cluster"):
        name = item.uid.rpartition("/")[2]
        mode = word(item.config, "accessConfig", "authenticationMode")
        if mode == "CONFIG_MAP":
            continue
        here = name in exported and is_of(world.estate, name, item.uid)[0] is True
        entry = item.uid.replace(":cluster/", ":access-entry/", 1)
        thing = Thing(item.uid, item.account, (), {"entry": f"{entry}/role/{item.account}/any/any"})
        for arn in sorted(a for a in reached if principals[a].account == item.account):
            principal = principals[arn]
            if escalation.admins[arn].value == "yes" or principal.service_linked:
                continue
            found = needs.all_of(principal.persona, _NEEDS, thing)
            if found.value == "no":
                continue
            doubts = (doubt_of(found), inside_only(item),
                      "" if mode else "whether the cluster takes access entries was not read")  # fmt: skip
            text = found.statements[0].text if found.statements else _NEEDS[0].partition(" ")[0]
            yield Pair(
                arn, f"k8s://{name}" if here else item.uid, doubt="; ".join(filter(None, doubts)),
                evidence=(Evidence(kind="policy", text=text, source=arn),), resources=(item.uid,),
                actions=(Action(f"permission:{arn}:{text}",
                                f"Take rights from {world.label(arn)}: {text}", arn, effort=1.5),),
            )  # fmt: skip
