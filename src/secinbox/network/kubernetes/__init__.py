"""Kubernetes: public_accessibility of services, ingresses, gateways, routes, pods and workloads.

A way in is an address outside (load balancer, external IP, node port, ingress, gateway), the source
ranges that it admits, pods with the labels of the service's selector, and network policies that let
it through to them. Sources: kubernetes.io "Service", "Ingress", "Network Policies", "Virtual IPs
and Service Proxies" (which source address a pod sees), gateway-api.sigs.k8s.io, and the providers'
documentation of their annotations. The Gateway API and other routers are extensions that most
clusters do not have: that none was read leaves no doubt; that no Ingress was read does.

A node port is as open as the node's machine lets it be, where that machine is in the inventory.

Not looked at: node ports of services of type LoadBalancer.
"""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.estate import Estate
from secinbox.network.kubernetes.clusters import Clusters
from secinbox.records import RiskStatement

UNREACHABLE = (
    "kubernetes_serviceaccount", "kubernetes_role", "kubernetes_clusterrole",
    "kubernetes_rolebinding", "kubernetes_clusterrolebinding", "kubernetes_namespace",
)  # fmt: skip


def exposure(estate: Estate) -> Iterator[RiskStatement]:
    """One statement an object, in order of uid."""
    verdicts = Clusters(estate).verdicts()
    for uid in sorted(verdicts):
        yield verdicts[uid].statement(uid)
