"""Which EKS cluster a cluster of kubectl's lists is: both bear one name, and names come again.

A name that one cluster of the inventory bears is that cluster's, as long as its nodes are machines of
the same cloud and region. A name that several bear is told apart by the machines of its nodes. Where the
lists bear another name (a context may be called anything), tags of these machines and labels of the nodes
tell it; without them it may be any cluster of where the nodes are.
"""

from __future__ import annotations

import re
from collections import defaultdict

from secinbox.estate import Estate, Item
from secinbox.iam.conditions import Tri
from secinbox.iam.policy import Policy, parse
from secinbox.iam.sessions import pods
from secinbox.inventory.kubernetes.cluster import labels_of, place_of, word

_MACHINE = re.compile(r"aws:///?([a-z]{2}(?:-[a-z]+)+-\d)[^/]*/(i-[0-9a-f]+)?")


def named(estate: Estate, cluster: str) -> tuple[list[str], str]:
    """ARNs of the EKS clusters that it may be, and why there is not one; `cluster` is its name."""
    return estate.once(f"iam.kubernetes.eks {cluster}", lambda: _named(estate, cluster))


def _named(estate: Estate, cluster: str) -> tuple[list[str], str]:
    every = estate.once("iam.kubernetes.eks", lambda: _by_name(estate))
    told = {cluster} if cluster in every else _told(estate, cluster)
    known = [arn for name in sorted(told) for arn in every.get(name, ())]
    if not known:
        return [], "which EKS cluster it is was not read"
    fitting = [arn for arn in known if _fits(estate, cluster, arn)]
    if not fitting:
        return [], "its nodes are machines of another cloud, region or account"
    several = f"{len(fitting)} EKS clusters are called {cluster}" if len(fitting) > 1 else ""
    return fitting, several


def _told(estate: Estate, cluster: str) -> set[str]:
    """Names of EKS clusters that labels of its nodes and tags of their machines bear."""
    out: set[str] = set()
    for node in _nodes_of(estate, cluster):
        out.add(labels_of(node.config).get("alpha.eksctl.io/cluster-name", ""))
        machine = _machine(estate, node)
        for key, value in machine.tags.items() if machine is not None else ():
            if key in ("aws:eks:cluster-name", "eks:cluster-name"):
                out.add(value)
            elif key.startswith("kubernetes.io/cluster/"):
                out.add(key.rpartition("/")[2])
    return out - {""}


def _perhaps(estate: Estate, cluster: str) -> list[str]:
    """EKS clusters that it may be, where neither its name nor its nodes say which."""
    found, _ = named(estate, cluster)
    every = estate.once("iam.kubernetes.eks", lambda: _by_name(estate))
    if found or cluster in every or _told(estate, cluster):
        return []
    exported = estate.once("iam.kubernetes.exported", lambda: {
        place_of(i.uid)[0] for i in estate.of_type("kubernetes_serviceaccount")})  # fmt: skip
    return [arn for name, arns in sorted(every.items()) if name not in exported
            for arn in arns if _fits(estate, cluster, arn)]  # fmt: skip


def associations_of(estate: Estate, account: str) -> list[tuple[Item, Tri, str]]:
    """Associations of Pod Identity that speak of this service account (its uid), whether they are of its
    cluster, and what is not known."""
    known = estate.once("iam.kubernetes.associations", lambda: _associations(estate))
    cluster, space = place_of(account)
    out: list[tuple[Item, Tri, str]] = []
    for item in known.get((space, account.rpartition("/")[2]), ()):
        arn = pods.cluster_of(item)
        found, several = named(estate, cluster)
        if arn in found:
            out.append((item, None if several else True, several))
        elif arn in estate.once(
            f"iam.kubernetes.perhaps {cluster}", lambda: _perhaps(estate, cluster)
        ):
            out.append((item, None, "which EKS cluster it is, is not known"))
    return out


def _associations(estate: Estate) -> dict[tuple[str, str], list[Item]]:
    out: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in estate.of_type(pods.TYPE):
        out[word(item.config, "namespace"), word(item.config, "serviceAccount")].append(item)
    return out


def is_of(estate: Estate, cluster: str, arn: str) -> tuple[Tri, str]:
    """Whether the cluster of this name is this EKS cluster, and what stands against it."""
    found, why = named(estate, cluster)
    if arn not in found:
        return False, why or "another EKS cluster bears the name"
    return (None, why) if why else (True, "")


def issuers(estate: Estate, cluster: str) -> frozenset[str] | None:
    """Issuers of tokens that may be the cluster's, in lower case; None where nobody told one of them."""
    found, _ = named(estate, cluster)
    told = [
        word(estate.items[arn].config, "identity", "oidc", "issuer").lower().removeprefix("https://")
        if arn in estate.items else ""
        for arn in found
    ]  # fmt: skip
    return frozenset(told) if told and all(told) else None


def lists_associations(estate: Estate, cluster: str) -> bool:
    """Whether the associations of Pod Identity of the cluster were read, whichever it is."""
    found, _ = named(estate, cluster)
    items = [estate.items.get(arn) for arn in found]
    return bool(items) and all(
        i is not None and "list_pod_identity_associations" in i.config
        and "Error" not in i.config["list_pod_identity_associations"] for i in items
    )  # fmt: skip


def unlisted(estate: Estate, cluster: str) -> list[str]:
    """Roles that Pod Identity may give to somebody in the cluster, where its associations were not read."""
    arns, _ = named(estate, cluster)
    if not arns or lists_associations(estate, cluster):
        return []
    roles = estate.once("iam.kubernetes.pod roles", lambda: _pod_roles(estate))
    return [r for a in sorted({arn.split(":")[4] for arn in arns}) for r in roles.get(a, ())]


def _pod_roles(estate: Estate) -> dict[str, list[str]]:
    out: dict[str, list[str]] = defaultdict(list)
    for item in estate.of_type("aws_iam_role"):
        document = item.config.get("AssumeRolePolicyDocument")
        if document is not None and trusts_pods(parse(document, "trust policy")):
            out[item.account].append(item.uid)
    return out


def trusts_pods(trust: Policy) -> bool:
    """A statement of a role's trust names Pod Identity."""
    return any(("Service", pods.SERVICE) in (s.principals or ()) for s in trust.statements)


def _by_name(estate: Estate) -> dict[str, list[str]]:
    out: dict[str, set[str]] = defaultdict(set)
    for item in estate.of_type("aws_eks_cluster"):
        out[item.uid.rpartition("/")[2]].add(item.uid)
    for item in estate.of_type(pods.TYPE):
        arn = pods.cluster_of(item)
        out[arn.rpartition("/")[2]].add(arn)
    return {name: sorted(arns) for name, arns in out.items()}


def _fits(estate: Estate, cluster: str, arn: str) -> bool:
    """No node says that it is somewhere else."""
    _, _, _, region, account, _ = arn.split(":", 5)
    for node in _nodes_of(estate, cluster):
        told = word(node.config, "spec", "providerID")
        found = _MACHINE.match(told)
        if told and found is None and not told.startswith("aws:"):
            return False
        machine = _machine(estate, node)
        if found is not None and (
            found.group(1) != region or (machine is not None and machine.account != account)
        ):
            return False
    return True


def _machine(estate: Estate, node: Item) -> Item | None:
    found = _MACHINE.match(word(node.config, "spec", "providerID"))
    return estate.find(found.group(2)) if found is not None and found.group(2) else None


def _nodes_of(estate: Estate, cluster: str) -> list[Item]:
    return estate.once("iam.kubernetes.nodes", lambda: _nodes(estate)).get(cluster, [])


def _nodes(estate: Estate) -> dict[str, list[Item]]:
    out: dict[str, list[Item]] = defaultdict(list)
    for item in estate.of_type("kubernetes_node"):
        out[place_of(item.uid)[0]].append(item)
    return dict(out)
