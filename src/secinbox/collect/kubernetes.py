"""Kubernetes: every kind that matters, of all namespaces, one `KIND.json` list a kind.

Secrets are read by name and type only: their data never leaves the cluster's API answer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from secinbox.reading import ReportError

# API path, plural, kind. Kinds of extensions are skipped where the cluster does not have them.
KINDS: tuple[tuple[str, str, str], ...] = (
    ("api/v1", "namespaces", "Namespace"),
    ("api/v1", "nodes", "Node"),
    ("api/v1", "pods", "Pod"),
    ("api/v1", "services", "Service"),
    ("api/v1", "serviceaccounts", "ServiceAccount"),
    ("api/v1", "secrets", "Secret"),
    ("api/v1", "configmaps", "ConfigMap"),
    ("api/v1", "replicationcontrollers", "ReplicationController"),
    ("apis/apps/v1", "deployments", "Deployment"),
    ("apis/apps/v1", "statefulsets", "StatefulSet"),
    ("apis/apps/v1", "daemonsets", "DaemonSet"),
    ("apis/apps/v1", "replicasets", "ReplicaSet"),
    ("apis/batch/v1", "jobs", "Job"),
    ("apis/batch/v1", "cronjobs", "CronJob"),
    ("apis/networking.k8s.io/v1", "ingresses", "Ingress"),
    ("apis/networking.k8s.io/v1", "networkpolicies", "NetworkPolicy"),
    ("apis/discovery.k8s.io/v1", "endpointslices", "EndpointSlice"),
    ("apis/rbac.authorization.k8s.io/v1", "roles", "Role"),
    ("apis/rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding"),
    ("apis/rbac.authorization.k8s.io/v1", "clusterroles", "ClusterRole"),
    ("apis/rbac.authorization.k8s.io/v1", "clusterrolebindings", "ClusterRoleBinding"),
    ("apis/gateway.networking.k8s.io/v1", "gateways", "Gateway"),
    ("apis/gateway.networking.k8s.io/v1", "httproutes", "HTTPRoute"),
    ("apis/gateway.networking.k8s.io/v1", "grpcroutes", "GRPCRoute"),
    ("apis/gateway.networking.k8s.io/v1alpha2", "tcproutes", "TCPRoute"),
    ("apis/gateway.networking.k8s.io/v1alpha2", "tlsroutes", "TLSRoute"),
    ("apis/gateway.networking.k8s.io/v1beta1", "referencegrants", "ReferenceGrant"),
    ("apis/route.openshift.io/v1", "routes", "Route"),
)
# Of a config map only this one says who is who.
_KEPT_MAPS = ("aws-auth",)


@dataclass
class Collected:
    """What was read, and what was not."""

    folder: Path
    cluster: str
    kinds: dict[str, int] = field(default_factory=dict)
    gaps: dict[str, str] = field(default_factory=dict)


def collect(
    to: Path,
    context: str = "",
    cluster: str = "",
    progress: Callable[[str, int, int], None] | None = None,
) -> Collected:
    """Reads a cluster into `to/kubernetes/CLUSTER`. Raises ReportError when it cannot be entered."""
    api, name = _connect(context)
    result = Collected(to / "kubernetes" / _file_name(cluster or name), cluster or name)
    for number, (path, plural, kind) in enumerate(KINDS, 1):
        try:
            items = list(_pages(api, f"/{path}/{plural}"))
        except Exception as error:
            status = getattr(error, "status", None)
            if status == 404 and path.startswith("apis/"):
                continue  # the cluster does not have this extension
            if status is None and not result.kinds:
                raise ReportError(
                    f"cannot reach the cluster: {type(error).__name__}: {error}"[:300],
                    context or name, "see `kubectl config get-contexts`",
                ) from None  # fmt: skip
            result.gaps[kind] = f"{status or type(error).__name__}"
            continue
        kept = [_spared(kind, item) for item in items if _wanted(kind, item)]
        version = path.partition("/")[2]
        document = {"apiVersion": version, "kind": f"{kind}List", "metadata": {}, "items": kept}
        _write(result.folder / f"{plural}.json", document)
        result.kinds[kind] = len(kept)
        if progress:
            progress(kind, number, len(KINDS))
    return result


def _connect(context: str) -> tuple[Any, str]:
    try:
        import kubernetes
    except ImportError:
        raise ReportError(
            "the Kubernetes client library is not installed", "kubernetes",
            "pip install 'secinbox[kubernetes]'",
        ) from None  # fmt: skip
    # The library has no types of its own.
    client: Any = kubernetes.client
    config: Any = kubernetes.config
    try:
        if not context and "KUBERNETES_SERVICE_HOST" in os.environ:
            config.load_incluster_config()
            return client.ApiClient(), "in-cluster"
        contexts, active = config.list_kube_config_contexts()
        chosen = next((c for c in contexts if c["name"] == context), active)
        if context and chosen["name"] != context:
            raise ReportError(f"there is no context {context}", "kubeconfig",
                              "see `kubectl config get-contexts`")  # fmt: skip
        api = config.new_client_from_config(context=chosen["name"])
        return api, str(chosen["context"].get("cluster") or chosen["name"])
    except config.ConfigException as error:
        raise ReportError(str(error), "kubeconfig", "set KUBECONFIG or name a --context") from None


class _Refused(Exception):
    """The API server's answer is no list."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP status {status}")
        self.status = status


def _pages(api: Any, path: str) -> Iterator[dict[str, Any]]:
    """All objects of a kind, 500 an answer, as plain JSON: fields that are new are kept.

    Through the connections of the library, with its credentials, but not through its models.
    """
    token = ""
    while True:
        headers = {"Accept": "application/json"}
        for setting in api.configuration.auth_settings().values():
            if setting.get("in") == "header" and setting.get("value"):
                headers[setting["key"]] = setting["value"]
        query = {"limit": "500"} | ({"continue": token} if token else {})
        answer = api.rest_client.pool_manager.request(
            "GET", f"{api.configuration.host}{path}", fields=query, headers=headers, timeout=60.0
        )
        if answer.status >= 400:
            raise _Refused(answer.status)
        document = json.loads(answer.data)
        yield from document.get("items") or []
        token = str((document.get("metadata") or {}).get("continue") or "")
        if not token:
            return


def _wanted(kind: str, item: dict[str, Any]) -> bool:
    name = (item.get("metadata") or {}).get("name")
    return kind != "ConfigMap" or name in _KEPT_MAPS


def _spared(kind: str, item: dict[str, Any]) -> dict[str, Any]:
    """Without the values of secrets, and without what only the server itself needs."""
    kept = dict(item)
    metadata = {k: v for k, v in (kept.get("metadata") or {}).items() if k != "managedFields"}
    if kind == "Secret":
        kept = {k: v for k, v in kept.items() if k not in ("data", "stringData")}
        notes = metadata.get("annotations") or {}
        metadata["annotations"] = {k: v for k, v in notes.items() if "last-applied" not in k}
    kept["metadata"] = metadata
    return kept


def _file_name(cluster: str) -> str:
    """A cluster's name as a folder: ARNs of clusters keep their last part."""
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in cluster.rpartition("/")[2])


def _write(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.part")
    half.write_text(json.dumps(document), "utf-8")
    os.replace(half, path)
