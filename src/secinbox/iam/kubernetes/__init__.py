"""Kubernetes: privileged_access of service accounts, users, groups, pods and workloads.

RBAC is a union of rules without denials; a RoleBinding gives even a ClusterRole in its namespace
only. Who may do what the moves below say is, or can become, administrator of the cluster. Sources:
kubernetes.io "Using RBAC Authorization" and "RBAC Good Practices", KubeHound's and IceKube's edges
(github.com/DataDog/KubeHound, github.com/ReversecLabs/IceKube). Not looked at: webhook and cloud
authorizers, admission policies, which users are in which group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from secinbox.estate import Estate
from secinbox.iam.kubernetes.clusters import MAX_SHOWN, Clusters, clusters_of
from secinbox.iam.kubernetes.escapes import escapes, token_mounted
from secinbox.iam.kubernetes.rules import (
    ESCALATING,
    Grant,
    Subject,
    made_and_read,
    namespace_rules,
    subject_uid,
)
from secinbox.records import RiskStatement

__all__ = [
    "ESCALATING", "PASSIVE", "Clusters", "Grant", "Subject", "clusters_of", "escapes", "made_and_read", "namespace_rules", "privilege",
    "subject_uid", "token_mounted",
]  # fmt: skip

RISK = "privileged_access"
PASSIVE = (
    "kubernetes_service", "kubernetes_ingress", "kubernetes_namespace", "kubernetes_configmap",
    "kubernetes_secret", "kubernetes_networkpolicy",
)  # fmt: skip


def privilege(
    estate: Estate, known: Mapping[str, RiskStatement] | None = None
) -> Iterator[RiskStatement]:
    """One statement an identity, and one what runs as it, in order of uid.

    `known` has the power of cloud identities, for service accounts that act as one.
    """
    out = Clusters(estate, known or {}).powers()
    for uid in sorted(out):
        evidence = sorted(out[uid].evidence, key=lambda e: e.kind == "gap")[:MAX_SHOWN]
        yield RiskStatement(resource=uid, risk=RISK, value=out[uid].value, evidence=tuple(evidence))
