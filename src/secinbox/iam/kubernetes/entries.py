"""EKS: cloud identities that a cluster lets in, by access entries and by the map aws-auth.

Sources: Amazon EKS User Guide, "Grant IAM users access to Kubernetes with EKS access entries", "Review
access policy permissions", "Grant IAM users access to Kubernetes with a ConfigMap". A cluster whose
authentication mode is API does not look at the map; one of mode CONFIG_MAP has no entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.iam.conditions import Tri
from secinbox.iam.kubernetes.clusters import clusters_of
from secinbox.iam.kubernetes.eks import is_of, named
from secinbox.inventory.kubernetes.cluster import objs, place_of, strs, word

MASTERS = "system:masters"
# Access policies that control a cluster where they hold in the whole of it, and how.
_CONTROL = {
    "AmazonEKSClusterAdminPolicy": "is its administrator",
    "AmazonEKSAdminPolicy": "creates pods as any service account",
    "AmazonEKSEditPolicy": "creates pods as any service account",
    "AmazonEKSAdminViewPolicy": "reads all its secrets",
}
# Those that run pods, in the namespaces where they hold.
_RUNS = frozenset(_CONTROL) - {"AmazonEKSAdminViewPolicy"}


@dataclass(frozen=True)
class Entry:
    """`who` is let into `cluster` (its uid in kubectl's lists where it was exported, else its ARN).

    controls: whether it has control of the whole cluster by that alone; `how` says by what, or what is
    not known. groups: those of the cluster's RBAC that it is in.
    """

    who: str
    cluster: str
    source: str
    controls: Tri = False
    how: str = ""
    groups: tuple[str, ...] = ()
    mapped: bool = False  # by aws-auth
    eks: str = ""  # ARN of the cluster, where it is known
    spaces: tuple[str, ...] = ()  # namespaces (patterns) in which alone it may run pods

    @property
    def name(self) -> str:
        return self.cluster.rpartition("/")[2]

    def runs_in(self, space: str) -> bool:
        """Whether it may run pods in this namespace, as any service account there."""
        return any(fnmatchcase(space, pattern) for pattern in self.spaces)


def entries(estate: Estate) -> tuple[Entry, ...]:
    """All of them, in order of source and identity."""
    return estate.once("iam.kubernetes.entries", lambda: tuple(sorted(
        (*_entries(estate), *_mapped(estate)), key=lambda e: (e.source, e.who, e.cluster))))  # fmt: skip


def _entries(estate: Estate) -> Iterator[Entry]:
    exported = {place_of(uid)[0] for uid in estate.items if uid.startswith("k8s://")}
    for item in estate.of_type("aws_eks_access_entry"):
        who = word(item.config, "principalArn")
        if not who:
            continue
        head, _, rest = item.uid.partition(":access-entry/")
        name = word(item.config, "clusterName") or rest.partition("/")[0]
        arn = f"{head}:cluster/{name}"
        same, why = is_of(estate, name, arn)
        # Where nobody listed EKS clusters, the name alone says it.
        here = name in exported and (same is not False or arn not in estate.items)
        told, unread = _associated(estate.items.get(arn), item, who)
        controls, how = _policies(told, unread)
        spaces = _spaces(told) if controls is not True else ()
        groups = tuple(g for g in strs(item.config, "kubernetesGroups") if g != MASTERS)
        if here and same is None:
            # It is let into this EKS cluster; whether kubectl's lists are of it nobody knows.
            if controls is not False or groups:
                yield Entry(who, f"k8s://{name}", item.uid, None, why)
            here = False
        yield Entry(who, f"k8s://{name}" if here else arn, item.uid, controls, how, groups, False, arn,
                    spaces)  # fmt: skip


def _associated(cluster: Item | None, entry: Item, who: str) -> tuple[list[Any], str]:
    """Its access policies, and why there may be more."""
    told: Any = entry.config.get("associatedAccessPolicies")
    if isinstance(told, list):
        return told, ""
    key = f"list_associated_access_policies:{who}"
    answer = cluster.config.get(key) if cluster is not None else None
    told = answer.get("associatedAccessPolicies") if isinstance(answer, dict) else None
    if cluster is None or not isinstance(told, list):
        return [], "its access policies were not read"
    return told, cluster.unfinished(key)


def _spaces(policies: list[Any]) -> tuple[str, ...]:
    return tuple(sorted({
        space for policy in policies
        if word(policy, "policyArn").rpartition("/")[2] in _RUNS
        and word(policy, "accessScope", "type") == "namespace"
        for space in strs(policy, "accessScope", "namespaces")}))  # fmt: skip


def _policies(policies: list[Any], doubt: str) -> tuple[Tri, str]:
    for policy in policies:
        name = word(policy, "policyArn").rpartition("/")[2]
        scope = word(policy, "accessScope", "type")
        if name in _CONTROL and scope == "cluster":
            return True, f"{_CONTROL[name]} by {name}"
        if name in _CONTROL and not scope:
            doubt = f"in which namespaces {name} holds was not read"
    return (None, doubt) if doubt else (False, "")


def _mapped(estate: Estate) -> Iterator[Entry]:
    for item in estate.of_type("kubernetes_configmap"):
        cluster, space = place_of(item.uid)
        if item.name != "aws-auth" or space != "kube-system" or _ignored(estate, cluster):
            continue
        arns, several = named(estate, cluster)
        arn = arns[0] if arns and not several else ""
        rows = (
            *_rows(word(item.config, "data", "mapRoles")),
            *_rows(word(item.config, "data", "mapUsers")),
        )
        for who, groups in rows:
            masters = MASTERS in groups
            yield Entry(
                who, f"k8s://{cluster}", item.uid, masters, f"is in {MASTERS}" if masters else "",
                tuple(g for g in groups if g != MASTERS), True, arn,
            )  # fmt: skip


def _ignored(estate: Estate, cluster: str) -> bool:
    """Every EKS cluster that it may be takes access entries only."""
    found = [i for i in estate.of_type("aws_eks_cluster")
             if i.uid.rpartition("/")[2] == cluster and is_of(estate, cluster, i.uid)[0] is not False]  # fmt: skip
    return bool(found) and all(
        word(i.config, "accessConfig", "authenticationMode") == "API" for i in found
    )


def _rows(text: str) -> list[tuple[str, list[str]]]:
    """(ARN, groups) of one list of aws-auth; nothing of what is malformed."""
    import yaml

    try:
        rows = yaml.safe_load(text) if len(text) < 1_000_000 else None
    except (yaml.YAMLError, RecursionError):
        return []
    listed: Mapping[str, Any] = {"rows": rows}
    return [(who, strs(row, "groups")) for row in objs(listed, "rows")
            if (who := word(row, "rolearn") or word(row, "userarn"))]  # fmt: skip


def control(estate: Estate, entry: Entry) -> tuple[Tri, str]:
    """Whether it controls the cluster, by itself or by a group that is bound to enough there, and how."""
    if entry.controls is True or not entry.cluster.startswith("k8s://"):
        return entry.controls, entry.how
    for group in entry.groups:
        power = clusters_of(estate).alone((entry.name, "group", "", group))
        if power.strong:
            first = next(e for e in power.evidence if e.kind in ("administrator", "escalation"))
            return True, f"is in group {group}: {first.text}"
    return entry.controls, entry.how


def principals(estate: Estate) -> dict[str, tuple[Entry, ...]]:
    """By the ARN of the principal in the inventory: the map aws-auth writes roles without their path."""

    def found() -> dict[str, tuple[Entry, ...]]:
        known = {i.uid for i in estate.of_type("aws_iam_role", "aws_iam_user")}
        short: dict[str, str] = {}
        for uid in sorted(known):
            head, _, path = uid.partition(":role/")
            short.setdefault(f"{head}:role/{path.rpartition('/')[2]}" if path else uid, uid)
        out: dict[str, list[Entry]] = {}
        for entry in entries(estate):
            who = entry.who
            if who not in known and entry.mapped:
                who = short.get(who, who)
            out.setdefault(who, []).append(entry)
        return {who: tuple(every) for who, every in out.items()}

    return estate.once("iam.kubernetes.entries of principals", found)
