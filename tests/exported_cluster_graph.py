"""The cluster of `exported_cluster` as Cartography keeps it: nodes, properties and ties of its models.

What its graph does not hold is left out here as it is there: source ranges and annotations of services,
what containers mount and whether they are privileged, init containers, which verbs go with which
resources of a role, labels of namespaces, addresses of nodes.
"""

from __future__ import annotations

import json
from typing import Any

from tests.exported_cluster import CONTEXT, Object, objects
from tests.exported_graph import Drawn

UID = "kube-system-uid"
CLUSTER = "shop-context"  # a name that somebody gave to the context


class Graph(Drawn):
    """`newer`: of a version from May 2026 on."""

    def __init__(self, given: list[Object], newer: bool = True) -> None:
        super().__init__(newer)
        self.entries = []
        self._ids.clear()
        self.given = given
        self.cluster = self.kube("Cluster", UID, name=CLUSTER, external_id=CONTEXT)
        eks = self.plain("EKSCluster", CONTEXT, arn=CONTEXT, name="shop", region="eu-west-1")
        self.tie(eks, "MAPS_TO", self.cluster)

    def plain(self, label: str, identity: str, **values: Any) -> str:
        number = self._ids[label, identity] = str(len(self.entries))
        self.entries.append({"type": "node", "id": number, "labels": [label],
                             "properties": {"lastupdated": 1, "id": identity, **values}})  # fmt: skip
        return number

    def kube(self, kind: str, identity: str, *more: str, **values: Any) -> str:
        kept = {k: v for k, v in values.items() if v is not None}
        number = self.plain(f"Kubernetes{kind}", identity, **kept)
        self.entries[-1]["labels"] += more
        if kind != "Cluster":
            self.tie(self.cluster, "RESOURCE", number)
        return number

    def lead(self, start: str, label: str, kind: str, identity: str) -> None:
        self.to(start, label, f"Kubernetes{kind}", identity)

    def all(self, *kinds: str) -> list[Object]:
        return [o for o in self.given if o["kind"] in kinds]


def graph(given: list[Object] | None = None, newer: bool = True) -> Graph:
    drawn = Graph(given or objects(), newer)
    for part in (_places, _accounts, _secrets, _workloads, _pods, _services, _fronts, _policies, _roles,
                 _bindings):  # fmt: skip
        part(drawn)
    return drawn


def _about(value: Object, labels: bool = False) -> dict[str, Any]:
    meta = value["metadata"]
    found = {"name": meta["name"], "namespace": meta.get("namespace"), "cluster_name": CLUSTER,
             "creation_timestamp": 1}  # fmt: skip
    return found | ({"labels": json.dumps(meta.get("labels"))} if labels else {})


def _identity(value: Object) -> str:
    meta = value["metadata"]
    return "/".join(p for p in (CLUSTER, meta.get("namespace"), meta["name"]) if p)


def _uid(value: Object) -> str:
    return str(value["metadata"]["uid"])


def _places(drawn: Graph) -> None:
    for value in drawn.all("Namespace"):
        drawn.kube("Namespace", _uid(value), "ComputeNamespace", status_phase="Active",
                   **_about(value))  # fmt: skip
    for value in drawn.all("Node"):
        drawn.kube("Node", _identity(value), name=value["metadata"]["name"], cluster_name=CLUSTER,
                   provider_id=value["spec"]["providerID"], instance_id="i-0abc")  # fmt: skip


def _accounts(drawn: Graph) -> None:
    for value in drawn.all("ServiceAccount"):
        notes = value["metadata"].get("annotations", {})
        kept = {"automount_service_account_token": value.get("automountServiceAccountToken")}
        about = {k: v for k, v in _about(value).items() if k != "cluster_name"}
        drawn.kube("ServiceAccount", _identity(value), "ServiceAccount", **about, uid=_uid(value),
                   aws_role_arn=notes.get("eks.amazonaws.com/role-arn"),
                   **(kept if drawn.newer else {}))  # fmt: skip


def _secrets(drawn: Graph) -> None:
    for value in drawn.all("Secret"):
        drawn.kube("Secret", _uid(value), "Secret", **_about(value), type=value["type"],
                   composite_id=_identity(value))  # fmt: skip
        drawn._ids["composite", _identity(value)] = drawn._ids["KubernetesSecret", _uid(value)]


def _workloads(drawn: Graph) -> None:
    kinds = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "ReplicaSet", "Job")
    for kind in kinds if drawn.newer else ():
        for value in drawn.all(kind):
            number = drawn.kube(kind, _uid(value), "ComputeService", **_about(value, labels=True),
                                replicas=value["spec"].get("replicas"))  # fmt: skip
            for owner in value["metadata"].get("ownerReferences", ()):
                drawn.lead(number, "OWNED_BY", owner["kind"], f"deployment-shop-{owner['name']}")


def _container(drawn: Graph, pod: Object, container: Object, status: Object | None) -> str:
    context, ports = container.get("securityContext", {}), container.get("ports", [])
    image = (status or {}).get("imageID")
    found = {"name": container["name"], "image": container["image"], "namespace": "shop",
             "cluster_name": CLUSTER, "status_image_id": image, "status_ready": True,
             "status_image_sha": image and image.partition("@")[2], "status_state": "running"}  # fmt: skip
    if drawn.newer:
        capabilities = context.get("capabilities", {})
        found |= {
            "run_as_user": context.get("runAsUser"), "run_as_non_root": context.get("runAsNonRoot"),
            "allow_privilege_escalation": context.get("allowPrivilegeEscalation"),
            "added_capabilities": sorted(capabilities.get("add", [])),
            "dropped_capabilities": sorted(capabilities.get("drop", [])),
            "host_ports": [p["hostPort"] for p in ports if "hostPort" in p],
            "container_ports": json.dumps([
                {"container_port": p["containerPort"], "protocol": p.get("protocol"),
                 "name": p.get("name")} for p in ports])}  # fmt: skip
    return drawn.kube("Container", f"{_uid(pod)}-{container['name']}", "Container", **found)


def _pods(drawn: Graph) -> None:
    for value in drawn.all("Pod"):
        spec, status = value["spec"], value["status"]
        found = _about(value, labels=True) | {"status_phase": status["phase"],
                                              "node": spec.get("nodeName")}  # fmt: skip
        if drawn.newer:
            found |= {
                "service_account_name": spec["serviceAccountName"], "host_pid": spec.get("hostPID"),
                "automount_service_account_token": spec.get("automountServiceAccountToken"),
                "host_ipc": spec.get("hostIPC"), "host_network": spec.get("hostNetwork"),
                "host_path_volume_paths": [v["hostPath"]["path"] for v in spec.get("volumes", ())
                                           if "hostPath" in v]}  # fmt: skip
        pod = drawn.kube("Pod", _uid(value), "ComputePod", **found)
        drawn.lead(pod, "RUNS_ON", "Node", f"{CLUSTER}/{spec.get('nodeName')}")
        drawn.lead(pod, "USES_SERVICE_ACCOUNT", "ServiceAccount",
                   f"{CLUSTER}/shop/{spec['serviceAccountName']}")  # fmt: skip
        for owner in value["metadata"].get("ownerReferences", ()):
            identity = f"{owner['kind'].lower()}-shop-{owner['name']}"
            if owner["kind"] == "ReplicaSet":
                drawn.lead(pod, "OWNED_BY", "ReplicaSet", identity)
                above = owner["name"].rpartition("-")[0]
                drawn.lead(pod, "WORKLOAD_PARENT", "Deployment", f"deployment-shop-{above}")
            else:
                drawn.lead(pod, "WORKLOAD_PARENT", owner["kind"], identity)
        statuses = {s["name"]: s for s in status["containerStatuses"]}
        for container in spec["containers"]:
            inner = _container(drawn, value, container, statuses.get(container["name"]))
            drawn.tie(pod, "CONTAINS", inner)
            for row in container.get("env", ()):
                name = row.get("valueFrom", {}).get("secretKeyRef", {}).get("name")
                for label in ("USES_SECRET_ENV", "USES_SECRET") if name else ():
                    drawn.to(pod, label, "composite", f"{CLUSTER}/shop/{name}")


def _services(drawn: Graph) -> None:
    for value in drawn.all("Service"):
        spec, meta = value["spec"], value["metadata"]
        found = {"selector": json.dumps(spec.get("selector")), "type": spec["type"],
                 "cluster_ip": spec.get("clusterIP"), "qualified_name": f"shop/{meta['name']}"}  # fmt: skip
        if spec["type"] == "LoadBalancer":
            rows = value["status"]["loadBalancer"].get("ingress")
            found["load_balancer_ingress"] = json.dumps([
                {"hostname": r.get("hostname"), "ip": r.get("ip"), "ip_mode": None, "ports": None}
                for r in rows] if rows else None)  # fmt: skip
        number = drawn.kube("Service", _uid(value), **_about(value), **found)
        selector = spec.get("selector") or {"": None}
        for pod in drawn.all("Pod"):
            labels = pod["metadata"].get("labels", {})
            if all(labels.get(k) == v for k, v in selector.items()):
                drawn.lead(number, "TARGETS", "Pod", _uid(pod))


def _backend(backend: Object | None) -> Object:
    service = (backend or {}).get("service")
    if not service:
        return {}
    return {"backend_service_name": service["name"],
            "backend_service_port_name": service["port"].get("name"),
            "backend_service_port_number": service["port"].get("number")}  # fmt: skip


def _fronts(drawn: Graph) -> None:
    for value in drawn.all("Ingress"):
        spec = value["spec"]
        rules = [{"host": r.get("host"), "paths": [
            {"path": p.get("path"), "path_type": p.get("pathType"), **_backend(p["backend"])}
            for p in r["http"]["paths"]]} for r in spec.get("rules", ())]  # fmt: skip
        rows = value["status"]["loadBalancer"].get("ingress", ())
        notes = {"annotations": json.dumps(value["metadata"].get("annotations"))}
        drawn.kube("Ingress", _uid(value), **_about(value), rules=json.dumps(rules),
                   ingress_class_name=spec.get("ingressClassName"),
                   default_backend=json.dumps(_backend(spec.get("defaultBackend"))),
                   load_balancer_dns_names=[r["hostname"].lower() for r in rows if "hostname" in r],
                   **(notes if drawn.newer else {}))  # fmt: skip
    for value in drawn.all("HTTPRoute"):
        route = drawn.kube("HTTPRoute", _uid(value), **_about(value),
                           hostnames=value["spec"].get("hostnames", []))  # fmt: skip
        for rule in value["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                drawn.lead(route, "TARGETS", "Service", f"service-shop-{backend['name']}")
    for value in drawn.all("Gateway"):
        gateway = drawn.kube("Gateway", _uid(value), **_about(value),
                             gateway_class_name=value["spec"]["gatewayClassName"])  # fmt: skip
        for route in drawn.all("HTTPRoute"):
            if any(p["name"] == value["metadata"]["name"] for p in route["spec"]["parentRefs"]):
                drawn.lead(gateway, "ROUTES", "HTTPRoute", _uid(route))


def _selector(value: Object | None) -> Object | None:
    if value is None:
        return None
    return {"match_labels": value.get("matchLabels"),
            "match_expressions": value.get("matchExpressions")}  # fmt: skip


def _policies(drawn: Graph) -> None:
    for value in drawn.all("NetworkPolicy") if drawn.newer else ():
        spec = value["spec"]
        rules = [{
            "from": [{"ip_block": p.get("ipBlock"), "pod_selector": _selector(p.get("podSelector")),
                      "namespace_selector": _selector(p.get("namespaceSelector"))}
                     for p in r["from"]] if "from" in r else None,
            "ports": [{"port": p.get("port"), "protocol": p.get("protocol"),
                       "end_port": p.get("endPort")} for p in r["ports"]] if "ports" in r else None}
            for r in spec.get("ingress", ())]  # fmt: skip
        drawn.kube("NetworkPolicy", _uid(value), **_about(value), policy_types=spec["policyTypes"],
                   pod_selector=json.dumps(_selector(spec["podSelector"])),
                   ingress_rules=json.dumps(rules), egress_rules="[]")  # fmt: skip


def _roles(drawn: Graph) -> None:
    for value in drawn.all("Role", "ClusterRole"):
        rules = value.get("rules") or []
        groups = {g or "core" for r in rules for g in r.get("apiGroups", ())}
        drawn.kube(value["kind"], _identity(value), "PermissionRole", uid=_uid(value),
                   api_groups=sorted(groups),
                   resources=sorted({x for r in rules for x in r.get("resources", ())}),
                   verbs=sorted({x for r in rules for x in r["verbs"]}),
                   **{k: v for k, v in _about(value).items() if k != "cluster_name"})  # fmt: skip


def _bindings(drawn: Graph) -> None:
    for value in drawn.all("RoleBinding", "ClusterRoleBinding"):
        ids: dict[str, list[str]] = {"ServiceAccount": [], "User": [], "Group": []}
        for subject in value["subjects"]:
            place = f"{subject['namespace']}/" if subject["kind"] == "ServiceAccount" else ""
            ids[subject["kind"]].append(f"{CLUSTER}/{place}{subject['name']}")
        for kind in ("User", "Group"):
            for identity in ids[kind]:
                drawn.kube(kind, identity, name=identity.rpartition("/")[2], cluster_name=CLUSTER)
        ref = value["roleRef"]
        space = value["metadata"].get("namespace")
        role = "/".join(
            p for p in (CLUSTER, space if ref["kind"] == "Role" else "", ref["name"]) if p
        )
        number = drawn.kube(value["kind"], _identity(value), uid=_uid(value), role_name=ref["name"],
                            role_kind=ref["kind"], role_id=role,
                            service_account_ids=ids["ServiceAccount"], user_ids=ids["User"],
                            group_ids=ids["Group"],
                            **{k: v for k, v in _about(value).items() if k != "cluster_name"})  # fmt: skip
        drawn.lead(number, "ROLE_REF", ref["kind"], role)
        for kind, found in ids.items():
            for identity in found:
                drawn.lead(number, "SUBJECT", kind, identity)
