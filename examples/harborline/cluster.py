"""The cluster as `kubectl get ... -A -o json` would print it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from harborline.description import IMAGES, REGISTRY, VERSIONS, WORKLOADS

_HASH = "6d5f7c9b8"
_LETTERS = "bcdfghjklmnpqrstvwxz"


def pod_name(workload: dict[str, Any], number: int) -> str:
    """Name of a replica, as the controllers would make it."""
    tail = "".join(_LETTERS[(ord(c) + number) % 20] for c in workload["name"][:5])
    return f"{workload['name']}-{_HASH}-{tail}"


def container_id(workload: dict[str, Any], number: int) -> str:
    """64 hexadecimal digits that belong to one replica."""
    return sha256(f"{workload['name']} {number}".encode()).hexdigest()


def cluster_list() -> dict[str, Any]:
    """Namespaces, nodes, deployments, replica sets, pods, services: one List."""
    items: list[dict[str, Any]] = []
    for name, env in sorted({(w["namespace"], w["env"]) for w in WORKLOADS}):
        items.append(_object("v1", "Namespace", name, "", {"environment": env}))
    for number in (1, 2):
        node = _object("v1", "Node", f"yard-{number}", "", {"kubernetes.io/os": "linux"})
        node["status"] = {"addresses": [{"type": "InternalIP", "address": f"192.168.77.{number}"}]}
        items.append(node)
    for index, workload in enumerate(WORKLOADS):
        items += _workload(workload, index)
    return {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items}


def _object(
    version: str, kind: str, name: str, namespace: str, labels: dict[str, str]
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "labels": labels}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _owned(thing: dict[str, Any], version: str, kind: str, name: str) -> None:
    owner = {"apiVersion": version, "kind": kind, "name": name, "controller": True}
    thing["metadata"]["ownerReferences"] = [owner]


def _workload(workload: dict[str, Any], index: int) -> list[dict[str, Any]]:
    name, namespace = workload["name"], workload["namespace"]
    image = f"{REGISTRY}/{workload['image']}:{VERSIONS[workload['image']]}"
    labels = {"app.kubernetes.io/name": name, "env": workload["env"]}
    inside = {**labels, "pod-template-hash": _HASH}
    spec = {
        "serviceAccountName": name,
        "containers": [{"name": name, "image": image, "ports": [{"containerPort": 8000}]}],
    }
    deployment = _object("apps/v1", "Deployment", name, namespace, labels)
    deployment["spec"] = {
        "replicas": workload["replicas"],
        "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
        "template": {"metadata": {"labels": labels}, "spec": spec},
    }
    replicas = _object("apps/v1", "ReplicaSet", f"{name}-{_HASH}", namespace, inside)
    replicas["spec"] = {
        "replicas": workload["replicas"],
        "template": {"metadata": {"labels": inside}, "spec": spec},
    }
    _owned(replicas, "apps/v1", "Deployment", name)
    service = _object("v1", "Service", name, namespace, labels)
    service["spec"] = {
        "type": "ClusterIP",
        "clusterIP": f"10.96.7.{index + 1}",
        "selector": {"app.kubernetes.io/name": name},
        "ports": [{"port": 80, "targetPort": 8000}],
    }
    account = _object("v1", "ServiceAccount", name, namespace, labels)
    return [deployment, replicas, service, account] + [
        _pod(workload, number, image, inside, spec, index) for number in range(workload["replicas"])
    ]


def _pod(
    workload: dict[str, Any],
    number: int,
    image: str,
    labels: dict[str, str],
    spec: dict[str, Any],
    index: int,
) -> dict[str, Any]:
    pod = _object("v1", "Pod", pod_name(workload, number), workload["namespace"], labels)
    _owned(pod, "apps/v1", "ReplicaSet", f"{workload['name']}-{_HASH}")
    pod["spec"] = {**spec, "nodeName": f"yard-{number % 2 + 1}"}
    digest = f"{REGISTRY}/{workload['image']}@{IMAGES[workload['image']]}"
    pod["status"] = {
        "phase": "Running",
        "podIP": f"10.244.{index + 1}.{number + 10}",
        "containerStatuses": [
            {
                "name": workload["name"],
                "image": image,
                "imageID": digest,
                "containerID": f"containerd://{container_id(workload, number)}",
                "ready": True,
            }
        ],
    }
    return pod
