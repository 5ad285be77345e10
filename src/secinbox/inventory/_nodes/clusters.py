"""Nodes of Kubernetes as the objects that they were made of.

The graph keeps the names and ties of objects, and a part of their fields. What a judge would ask and the
graph does not keep is told as a part (`Item.unfinished`), or the object by its name and its ties alone.
Sources: the Kubernetes schema in Cartography's documentation, and its data models of versions 0.104 on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from secinbox.estate import PARTIAL
from secinbox.inventory._nodes.graph import Graph, Node
from secinbox.inventory.kubernetes import records_of
from secinbox.inventory.kubernetes.fields import advised, within
from secinbox.inventory.kubernetes.objects import Thing, thing_of
from secinbox.reading import Report, ReportError
from secinbox.records import AnyRecord, Relation
from secinbox.sources._names import cluster_of

Value = dict[str, Any]
_POD = ("the graph does not say whether a container is privileged, what it mounts, and which init "
        "containers a pod has")  # fmt: skip
_SERVICE = "the graph keeps no source ranges, annotations, ports or external addresses of a service"
_RULES = ("the graph keeps the verbs, groups and resources of a role, not which of them are one rule, nor "
          "names")  # fmt: skip
_STATUS = "the graph keeps a part of the status"
_ABOUT = "the graph keeps a part of the metadata"
_RBAC = "rbac.authorization.k8s.io"


class Told(NamedTuple):
    """`value`: fields of the object. `partial`: those of which the graph keeps a part, and why.

    `known`: judges know of each field that the graph lacks; else the object is told by its name and ties.
    """

    value: Value
    partial: dict[str, str] = {}
    known: bool = True


Maker = Callable[[Graph, Node], Told]


def _decoded(node: Node, name: str) -> Any:
    """A property that holds JSON as text; None where there is none. Raises ValueError for another text."""
    text = node.get(name)
    if not isinstance(text, str):
        return text
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        raise ValueError(f"readable {name}") from None


def _texts(node: Node, name: str) -> list[str]:
    found: Any = node.get(name)
    return [str(v) for v in found] if isinstance(found, list) else []


def _clean(**values: Any) -> Value:
    return {k: v for k, v in values.items() if v is not None}


def _newer(graph: Graph) -> bool:
    """Whether the graph is of a version that keeps the security settings of pods and accounts."""
    return graph.once("newer", lambda: any(
        n.get("host_path_volume_paths") is not None for n in graph.of("KubernetesPod")))  # fmt: skip


# What runs


def _owners(graph: Graph, node: Node) -> list[Value]:
    """The object that controls it; of a replica set that is not in the graph its deployment tells."""
    for kind in ("ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "Deployment"):
        for owner in graph.out(node, "OWNED_BY", "WORKLOAD_PARENT", to=f"Kubernetes{kind}"):
            name, found = owner.need("name"), kind
            if kind == "Deployment" and "KubernetesPod" in node.labels:
                labels = _decoded(node, "labels")
                suffix = labels.get("pod-template-hash") if isinstance(labels, dict) else None
                name, found = (f"{name}-{suffix}", "ReplicaSet") if suffix else (name, kind)
            return [{"kind": found, "name": name, "controller": True}]
    return []


def _container(node: Node) -> tuple[Value, Value]:
    """A container and its status."""
    declared: Any = _decoded(node, "container_ports") or []
    ports = [_clean(containerPort=p.get("container_port"), protocol=p.get("protocol"),
                    name=p.get("name")) for p in declared]  # fmt: skip
    hosts: Any = node.get("host_ports") or []
    ports += [{"hostPort": number} for number in hosts]
    capabilities = _clean(add=_texts(node, "added_capabilities") or None,
                          drop=_texts(node, "dropped_capabilities") or None)  # fmt: skip
    context = _clean(
        allowPrivilegeEscalation=node.get("allow_privilege_escalation"),
        runAsNonRoot=node.get("run_as_non_root"), runAsUser=node.get("run_as_user"),
        capabilities=capabilities or None)  # fmt: skip
    name = node.need("name")
    status = _clean(name=name, imageID=node.get("status_image_id"), ready=node.get("status_ready"))
    return _clean(name=name, image=node.get("image"), imagePullPolicy=node.get("image_pull_policy"),
                  ports=ports or None, securityContext=context or None), status  # fmt: skip


def _pod(graph: Graph, node: Node) -> Told:
    """Early versions do not keep what the security of a pod rests on."""
    held = [_container(c) for c in graph.out(node, "CONTAINS", to="KubernetesContainer")]
    spec = _clean(
        serviceAccountName=node.get("service_account_name"), nodeName=node.get("node"),
        automountServiceAccountToken=node.get("automount_service_account_token"),
        hostPID=node.get("host_pid") or None, hostIPC=node.get("host_ipc") or None,
        hostNetwork=node.get("host_network") or None)  # fmt: skip
    spec["containers"] = [c for c, _ in held]
    status = {"phase": node.need("status_phase"), "containerStatuses": [s for _, s in held]}
    known = node.get("host_path_volume_paths") is not None and "serviceAccountName" in spec
    return Told({"spec": spec, "status": status}, {"spec": _POD, "status": _STATUS}, known)


def _workload(graph: Graph, node: Node) -> Told:
    return Told({}, known=False)


# What leads to it


def _service(graph: Graph, node: Node) -> Told:
    rows: Any = _decoded(node, "load_balancer_ingress") or []
    # An ingress of this graph has the same names with small letters.
    ingress = [_clean(ip=r.get("ip"), hostname=(r.get("hostname") or "").lower() or None)
               for r in rows]  # fmt: skip
    spec = _clean(type=node.need("type"), selector=_decoded(node, "selector"),
                  clusterIP=node.get("cluster_ip"), loadBalancerIP=node.get("load_balancer_ip"))  # fmt: skip
    status = {"loadBalancer": {"ingress": ingress} if ingress else {}}
    return Told({"spec": spec, "status": status}, {"spec": _SERVICE, "status": _STATUS})


def _backend(row: Value) -> Value | None:
    name = row.get("backend_service_name")
    if not name:
        return None
    port = _clean(name=row.get("backend_service_port_name"),
                  number=row.get("backend_service_port_number"))  # fmt: skip
    return {"service": {"name": name, "port": port}}


def _ingress(graph: Graph, node: Node) -> Told:
    """Source ranges and schemes stand in annotations, which early versions do not keep."""
    if node.get("annotations") is None or node.get("rules") is None:
        return Told({}, known=False)
    rules = []
    for row in _decoded(node, "rules"):
        paths = [_clean(path=p.get("path"), pathType=p.get("path_type"), backend=_backend(p))
                 for p in row.get("paths") or []]  # fmt: skip
        rules.append(_clean(host=row.get("host"), http={"paths": paths} if paths else None))
    default: Any = _decoded(node, "default_backend") or {}
    spec = _clean(ingressClassName=node.get("ingress_class_name"), rules=rules or None,
                  defaultBackend=_backend(default))  # fmt: skip
    names = [{"hostname": n} for n in _texts(node, "load_balancer_dns_names")]
    value = {"spec": spec, "status": {"loadBalancer": {"ingress": names} if names else {}}}
    notes = _decoded(node, "annotations")
    return Told(value | ({"annotations": notes} if notes else {}), {"status": _STATUS})


def _selector(value: Any) -> Value | None:
    if value is None:
        return None
    return _clean(matchLabels=value.get("match_labels"),
                  matchExpressions=value.get("match_expressions"))  # fmt: skip


def _policy(graph: Graph, node: Node) -> Told:
    selector, types = _decoded(node, "pod_selector"), node.get("policy_types")
    rules = _decoded(node, "ingress_rules")
    if selector is None or types is None or rules is None:
        return Told({}, known=False)
    ingress = []
    for rule in rules:
        peers = [_clean(
            ipBlock=_clean(**p["ip_block"]) if p.get("ip_block") else None,
            namespaceSelector=_selector(p.get("namespace_selector")),
            podSelector=_selector(p.get("pod_selector"))) for p in rule.get("from") or []]  # fmt: skip
        ports = [_clean(port=p.get("port"), protocol=p.get("protocol"), endPort=p.get("end_port"))
                 for p in rule.get("ports") or []]  # fmt: skip
        ingress.append(_clean(**{"from": peers or None, "ports": ports or None}))
    spec = {"podSelector": _selector(selector), "policyTypes": types, "ingress": ingress}
    return Told({"spec": spec})


def _gateway(graph: Graph, node: Node) -> Told:
    spec = _clean(gatewayClassName=node.get("gateway_class_name"))
    return Told({"spec": spec}, known=False)


def _route(graph: Graph, node: Node) -> Told:
    parents, services = (
        [{"name": n.need("name"), "namespace": n.need("namespace")} for n in found]
        for found in (graph.into(node, "ROUTES", of="KubernetesGateway"),
                      graph.out(node, "TARGETS", to="KubernetesService"))
    )  # fmt: skip
    spec = {"hostnames": _texts(node, "hostnames"), "parentRefs": parents,
            "rules": [{"backendRefs": services}]}  # fmt: skip
    return Told({"spec": spec}, known=False)


def _node(graph: Graph, node: Node) -> Told:
    spec = _clean(providerID=node.get("provider_id"))
    return Told({"spec": spec, "status": {}}, {"spec": _STATUS, "status": _STATUS})


# Who may do what


def _account(graph: Graph, node: Node) -> Told:
    notes = _clean(**{"eks.amazonaws.com/role-arn": node.get("aws_role_arn"),
                      "iam.gke.io/gcp-service-account": node.get("gcp_service_account")})  # fmt: skip
    value = _clean(automountServiceAccountToken=node.get("automount_service_account_token"),
                   annotations=notes or None)  # fmt: skip
    return Told(value, known=_newer(graph))


def _role(graph: Graph, node: Node) -> Told:
    return Told({"rules": []}, {"rules": _RULES})


def _binding(graph: Graph, node: Node) -> Told:
    told = [node.get(n) for n in ("service_account_ids", "user_ids", "group_ids")]
    if all(v is None for v in told):
        return Told({}, known=False)
    space, name = node.text("namespace"), node.need("name")
    cluster = node.need("id").removesuffix(f"/{space}/{name}" if space else f"/{name}")
    subjects: list[Value] = []
    for whole in _texts(node, "service_account_ids"):
        inner, _, account = whole.removeprefix(f"{cluster}/").rpartition("/")
        subjects.append({"kind": "ServiceAccount", "name": account, "namespace": inner})
    for kind, key in (("User", "user_ids"), ("Group", "group_ids")):
        subjects += [{"kind": kind, "apiGroup": _RBAC, "name": n.removeprefix(f"{cluster}/")}
                     for n in _texts(node, key)]  # fmt: skip
    ref = {"apiGroup": _RBAC, "kind": node.need("role_kind"), "name": node.need("role_name")}
    return Told({"roleRef": ref, "subjects": subjects})


def _secret(graph: Graph, node: Node) -> Told:
    return Told({"type": node.text("type")})


def _space(graph: Graph, node: Node) -> Told:
    return Told({}, known=False)


_APPS, _GATEWAYS = "apps/v1", "gateway.networking.k8s.io/v1"
KINDS: dict[str, tuple[str, Maker]] = {
    "Namespace": ("v1", _space), "Node": ("v1", _node), "Pod": ("v1", _pod),
    "Deployment": (_APPS, _workload), "StatefulSet": (_APPS, _workload),
    "DaemonSet": (_APPS, _workload), "ReplicaSet": (_APPS, _workload),
    "Job": ("batch/v1", _workload), "CronJob": ("batch/v1", _workload),
    "Service": ("v1", _service), "Ingress": ("networking.k8s.io/v1", _ingress),
    "NetworkPolicy": ("networking.k8s.io/v1", _policy),
    "Gateway": (_GATEWAYS, _gateway), "HTTPRoute": (_GATEWAYS, _route),
    "ServiceAccount": ("v1", _account), "Role": (f"{_RBAC}/v1", _role),
    "ClusterRole": (f"{_RBAC}/v1", _role), "RoleBinding": (f"{_RBAC}/v1", _binding),
    "ClusterRoleBinding": (f"{_RBAC}/v1", _binding), "Secret": ("v1", _secret),
}  # fmt: skip
# Nodes that are read with others: containers with their pods, subjects with their bindings.
WITHIN = ("Cluster", "Container", "User", "Group", "OIDCProvider")
_GLOBAL = ("Namespace", "Node", "ClusterRole", "ClusterRoleBinding")
_READS = ("USES_SECRET", "USES_SECRET_VOLUME", "USES_SECRET_ENV")


def records(graph: Graph, report: Report) -> Iterator[AnyRecord]:
    """What the nodes of clusters say. Raises ReportError for fields of a wrong shape."""
    things: dict[str, list[Thing]] = defaultdict(list)
    bare: set[str] = set()
    of_node: dict[str, Thing] = {}
    clusters: set[str] = set()
    asked = report.options.get("cluster")
    with advised("export the graph again"):
        for kind, (version, maker) in KINDS.items():
            for node in graph.of(f"Kubernetes{kind}"):
                try:
                    told = maker(graph, node)
                    value = _object(graph, node, kind, version, told)
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    yield node.skipped(f"Kubernetes{kind}", error)
                    if not node.text("name") or not (kind in _GLOBAL or node.text("namespace")):
                        continue
                    told, value = Told({}, known=False), _named(node, kind, version)
                own = _cluster(graph, node)
                clusters.add(own)
                cluster = asked or own or cluster_of(report)
                with within(node.place):
                    thing = of_node[node.id] = thing_of(cluster, kind, value, node.place)
                things[cluster].append(thing)
                if not told.known:
                    bare.add(thing.uid)
        if asked and len(clusters) > 1:
            raise ReportError("a graph of several clusters, of which one is named", "$",
                              "import without --cluster: each node says its own")  # fmt: skip
        for found in things.values():
            yield from records_of(found, bare)
    for node in graph.of("KubernetesPod"):
        if node.id in of_node:
            yield from _secrets(graph, node, of_node)


def _secrets(graph: Graph, node: Node, of_node: dict[str, Thing]) -> Iterator[AnyRecord]:
    pod = of_node[node.id]
    found = {of_node[s.id].uid for s in graph.out(node, *_READS) if s.id in of_node}
    for uid in sorted(found):
        yield Relation(source=pod.uid, kind="reads_secret", target=uid, place=node.place)


def _object(graph: Graph, node: Node, kind: str, version: str, told: Told) -> Value:
    """The object with its metadata, and what of it the graph keeps a part of."""
    named, value = _named(node, kind, version), dict(told.value)
    labels = _decoded(node, "labels")
    owners = _owners(graph, node) if kind in ("Pod", "ReplicaSet", "Job") else None
    meta = named["metadata"] | _clean(
        labels=labels or None, annotations=value.pop("annotations", None),
        ownerReferences=owners or None)  # fmt: skip
    return {**named, "metadata": meta, **value, PARTIAL: {"metadata": _ABOUT, **told.partial}}


def _named(node: Node, kind: str, version: str) -> Value:
    space = {} if kind in _GLOBAL else {"namespace": node.need("namespace")}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": node.need("name"), **space}}


def _cluster(graph: Graph, node: Node) -> str:
    """The name that the kubeconfig gives to the cluster itself, else the one of its context."""
    known = graph.once("clusters", lambda: {
        n.text("name"): n.text("external_id", "name") for n in graph.of("KubernetesCluster")})  # fmt: skip
    for cluster in graph.into(node, "RESOURCE", of="KubernetesCluster"):
        return cluster.text("external_id", "name")
    space, name = node.text("namespace"), node.text("name")
    # Nodes without the property have the cluster's name in their identifier.
    prefix = node.text("id").removesuffix(f"/{space}/{name}" if space else f"/{name}")
    named = node.text("cluster_name") or (prefix if prefix != node.text("id") else "")
    return known.get(named, named)
