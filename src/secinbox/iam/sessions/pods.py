"""EKS Pod Identity: an association gives pods of one service account a session of a role.

The service pods.eks.amazonaws.com assumes the role, with session tags that say which pod it is. With a
target role it assumes that one next, with the session of the first, and pods get the second session.
A session policy needs the tags switched off, and cuts the session that pods get. Sources: Amazon EKS
User Guide, "Learn how EKS Pod Identity grants pods access to AWS services", "Create IAM role with trust
policy required by EKS Pod Identity", "Enable or disable session tags"; Amazon EKS API Reference,
"PodIdentityAssociation".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from secinbox.estate import Item
from secinbox.iam.conditions import Tri, all_of
from secinbox.iam.request import Values
from secinbox.iam.sessions import Handed
from secinbox.iam.sessions._admitting import lets_service
from secinbox.iam.sessions._tags import matter
from secinbox.iam.trusts import Trusts
from secinbox.iam.world import Persona, Principal, World

TYPE = "aws_eks_pod_identity_association"
SERVICE = "pods.eks.amazonaws.com"
# Tags whose values only the pod knows: there, but nobody can say which.
_OF_POD = ("kubernetes-pod-name", "kubernetes-pod-uid")


def cluster_of(association: Item) -> str:
    """ARN of the cluster that the association is of."""
    head, _, rest = association.uid.partition(":podidentityassociation/")
    return f"{head}:cluster/{rest.partition('/')[0]}"


def sessions(world: World, trusts: Trusts) -> Iterator[Handed]:
    for item in world.estate.of_type(TYPE):
        yield _handed(world, trusts, item)


def _handed(world: World, trusts: Trusts, item: Item) -> Handed:
    config = item.config
    first_arn = str(config.get("roleArn") or "")
    target_arn = str(config.get("targetRoleArn") or "")
    gets = target_arn or first_arn
    words = f"pods of service account {config.get('namespace')}/{config.get('serviceAccount')}"
    told = Handed(
        item.uid, gets, None, "describe_pod_identity_association was not read", words=words
    )
    part = item.unfinished("roleArn")
    if not first_arn or part:
        # A table with the role alone says neither of a target role nor of a session policy.
        return replace(told, why=f"with which session policy: {part}" if part else told.why)
    first, last = world.principals.get(first_arn), world.principals.get(gets)
    if first is None or last is None:
        return replace(told, why=f"{first_arn if first is None else gets} was not read")
    tags = () if config.get("disableSessionTags") is True else _tags(item)
    let, why = _assumed(world, first, item, tags)
    persona = _tagged(first.persona, tags)
    if target_arn:
        chained, text = _chained(trusts, persona, last, item, tags)
        why = why if let is not True else text
        let = all_of([let, chained])
        persona = _tagged(last.persona, tags)
    document = config.get("policy")
    if document:
        policy = world.parsed(document, f"session policy of {item.uid.rpartition('/')[2]}")
        persona = replace(persona, session=policy)
    own = bool(document) or bool(tags and matter(world, persona, [k for k, _ in tags] + [*_OF_POD]))
    return Handed(item.uid, gets, let, why, persona, own, words)


def _tags(item: Item) -> tuple[tuple[str, str], ...]:
    cluster = cluster_of(item)
    found = {
        "eks-cluster-arn": cluster,
        "eks-cluster-name": cluster.rpartition("/")[2],
        "kubernetes-namespace": str(item.config.get("namespace") or ""),
        "kubernetes-service-account": str(item.config.get("serviceAccount") or ""),
    }
    return tuple(found.items())


def _tagged(persona: Persona, tags: tuple[tuple[str, str], ...]) -> Persona:
    return replace(persona, session_tags=tags, unknown_tags=_OF_POD if tags else ())


def _assumed(
    world: World, role: Principal, item: Item, tags: tuple[tuple[str, str], ...]
) -> tuple[Tri, str]:
    """By the service. Whether aws:SourceArn is the cluster's or the association's is not documented."""
    keys = tuple(k for k, _ in tags) + _OF_POD if tags else None
    context: Values = {
        "aws:sourceaccount": (item.account,),
        "aws:tagkeys": keys,
        "sts:transitivetagkeys": keys,
        **{f"aws:requesttag/{k}": (v,) for k, v in tags},
    }
    actions = ("sts:assumerole", "sts:tagsession") if tags else ("sts:assumerole",)
    unknown = [f"aws:requesttag/{k}" for k in _OF_POD] if tags else []
    found = [
        lets_service(world, role, SERVICE, actions, {**context, "aws:sourcearn": (arn,)}, unknown)
        for arn in (cluster_of(item), item.uid)
    ]
    if found[0][0] is not found[1][0]:
        return None, "which ARN EKS names as aws:SourceArn"
    return found[0]


def _chained(
    trusts: Trusts, persona: Persona, role: Principal, item: Item, tags: tuple[tuple[str, str], ...]
) -> tuple[Tri, str]:
    """By the session of the first role; its tags go along, which the second has to let in."""
    external = str(item.config.get("externalId") or "")
    extra: Values = {"sts:externalid": (external,)} if external else {}
    asked = [("sts:AssumeRole", trusts.may(persona, role, "sts:assumerole", extra))]
    if tags:
        asked.append(("sts:TagSession", trusts.may(persona, role, "sts:tagsession", extra)))
    for action, answer in asked:
        if answer.value == "no":
            return False, f"{role.persona.name} does not let {persona.name} do {action}"
    if any(answer.value == "unknown" for _, answer in asked):
        doubts = {d for _, answer in asked for d in answer.doubts}
        return None, f"{', '.join(sorted(doubts)) or 'a condition'} of the target role's trust"
    return True, ""
