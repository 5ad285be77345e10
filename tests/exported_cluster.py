"""A small cluster as its API answers it, with an open and a closed thing of every kind that is judged.

Written once, and read as `kubectl get -o json` and as tables of Steampipe and CloudQuery. Steampipe's
columns and the places of their values are those that its Kubernetes plugin declares
(`kubernetes_columns.tsv`); CloudQuery's are the fields of the API in snake_case, those of `spec` and
`status` each in a column, or both as a whole.
"""

from __future__ import annotations

import io
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from secinbox.estate import Estate, estate_of
from secinbox.inventory import kubernetes
from secinbox.reading import Report
from secinbox.records import AnyRecord
from tests.exported import as_csv

Object = dict[str, Any]
Row = dict[str, Any]
CONTEXT = "arn:aws:eks:eu-west-1:111122223333:cluster/shop"
COLUMNS: dict[str, dict[str, str]] = {}
for line in (Path(__file__).parent / "kubernetes_columns.tsv").read_text().splitlines()[1:]:
    name, _, rest = line.partition("\t")
    COLUMNS[name] = dict(c.partition("=")[::2] for c in rest.split(" "))

_VERSIONS = {
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"), "apps/v1"),
    **dict.fromkeys(("Job", "CronJob"), "batch/v1"),
    **dict.fromkeys(("Ingress", "NetworkPolicy"), "networking.k8s.io/v1"),
    **dict.fromkeys(("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"),
                    "rbac.authorization.k8s.io/v1"),
    "EndpointSlice": "discovery.k8s.io/v1",
    **dict.fromkeys(("Gateway", "HTTPRoute"), "gateway.networking.k8s.io/v1"),
    "ReferenceGrant": "gateway.networking.k8s.io/v1beta1",
}  # fmt: skip
_GLOBAL = ("Namespace", "Node", "ClusterRole", "ClusterRoleBinding")


def made(kind: str, name: str, space: str = "shop", labels: Any = None, notes: Any = None,
         owner: tuple[str, str] | None = None, **more: Any) -> Object:  # fmt: skip
    meta: Object = {"name": name, "uid": f"{kind}-{space}-{name}".lower(), "resourceVersion": "7",
                    "creationTimestamp": "2026-01-01T00:00:00Z"}  # fmt: skip
    if kind not in _GLOBAL:
        meta["namespace"] = space
    if labels:
        meta["labels"] = labels
    if notes:
        meta["annotations"] = notes
    if owner:
        meta["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": owner[0], "name": owner[1],
                                    "uid": "1", "controller": True}]  # fmt: skip
    return {"apiVersion": _VERSIONS.get(kind, "v1"), "kind": kind, "metadata": meta, **more}


def _spec(account: str = "default", container: Any = None, **more: Any) -> Object:
    first = {"name": "main", "image": "registry.example/app:1",
             "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
             "resources": {}}  # fmt: skip
    return {"serviceAccountName": account, "serviceAccount": account, "restartPolicy": "Always",
            "securityContext": {}, "containers": [first | (container or {})], **more}  # fmt: skip


def _pod(name: str, app: str, owner: tuple[str, str] | None = None, hash: str = "",
         phase: str = "Running", **more: Any) -> Object:  # fmt: skip
    labels = {"app": app} | ({"pod-template-hash": hash} if hash else {})
    status = {"phase": phase, "podIP": f"10.1.0.{len(name) + len(app)}", "qosClass": "BestEffort",
              "podIPs": [{"ip": f"10.1.0.{len(name) + len(app)}"}], "hostIP": "10.0.0.4",
              "containerStatuses": [{
                  "name": "main", "image": "registry.example/app:1", "ready": True,
                  "containerID": f"containerd://{name}", "state": {"running": {}},
                  "imageID": "registry.example/app@sha256:" + "a" * 64}]}  # fmt: skip
    return made("Pod", name, labels=labels, owner=owner, status=status,
                spec=_spec(**more) | {"nodeName": "n1"})  # fmt: skip


def _runs(kind: str, name: str, replicas: int | None = 1, owner: tuple[str, str] | None = None,
          app: str = "", **more: Any) -> Object:  # fmt: skip
    labels = {"app": app or name}
    template = {"metadata": {"creationTimestamp": None, "labels": labels}, "spec": _spec(**more)}
    spec: Object = {"selector": {"matchLabels": labels}, "template": template}
    if replicas is not None:
        spec["replicas"] = replicas
    return made(kind, name, labels=labels, owner=owner, spec=spec, status={})


def _service(name: str, kind: str, app: str, status: Any = None, notes: Any = None,
             **more: Any) -> Object:  # fmt: skip
    spec = {"type": kind, "clusterIP": "10.2.0.9", "clusterIPs": ["10.2.0.9"],
            "sessionAffinity": "None", "selector": {"app": app},
            "ports": [{"name": "web", "port": 443, "targetPort": "http", "protocol": "TCP"}],
            **more}  # fmt: skip
    return made("Service", name, notes=notes, status={"loadBalancer": status or {}},
                spec={k: v for k, v in spec.items() if v is not None})  # fmt: skip


def _at(**row: str) -> Object:
    return {"ingress": [row]}


def _role(kind: str, name: str, *rules: Object, **more: Any) -> Object:
    return made(kind, name, **more) | {"rules": list(rules)}


def _rule(verbs: str, resources: str, group: str = "", *names: str) -> Object:
    found: Object = {"verbs": verbs.split(), "apiGroups": [group], "resources": resources.split()}
    return found | ({"resourceNames": list(names)} if names else {})


def _bind(kind: str, name: str, to: tuple[str, str], *subjects: tuple[str, str]) -> Object:
    group = "rbac.authorization.k8s.io"
    rows = [{"kind": k, "name": n} | ({"namespace": "shop"} if k == "ServiceAccount"
                                      else {"apiGroup": group}) for k, n in subjects]  # fmt: skip
    return made(kind, name, roleRef={"apiGroup": group, "kind": to[0], "name": to[1]},
                subjects=rows)  # fmt: skip


def objects() -> list[Object]:
    hidden = {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internal"}
    elb = "elb.eu-west-1.amazonaws.com"
    return [
        made("Namespace", "shop", labels={"team": "shop"}, spec={"finalizers": ["kubernetes"]},
             status={"phase": "Active"}),
        made("Node", "n1", spec={"providerID": "aws:///eu-west-1a/i-0abc"}, status={"addresses": [
            {"type": "InternalIP", "address": "10.0.0.4"},
            {"type": "ExternalIP", "address": "54.9.9.9"}]}),
        # What runs
        _runs("Deployment", "web"),
        _runs("ReplicaSet", "web-7f", owner=("Deployment", "web"), app="web"),
        _pod("web-7f-1", "web", ("ReplicaSet", "web-7f"), hash="7f"),
        _runs("Deployment", "idle", 0),
        _runs("StatefulSet", "db", account="reader"),
        _runs("DaemonSet", "agent", None, container={"securityContext": {"privileged": True}}),
        _pod("agent-1", "agent", ("DaemonSet", "agent"), hostPID=True, hostNetwork=True,
             container={"securityContext": {"privileged": True}, "ports": []}),
        made("Job", "done", spec={"template": {"metadata": {}, "spec": _spec("boss")}},
             status={"completionTime": "2026-01-02T00:00:00Z", "succeeded": 1}),
        made("CronJob", "nightly", spec={"schedule": "0 1 * * *", "jobTemplate": {"spec": {
            "template": {"metadata": {}, "spec": _spec("boss")}}}}, status={}),
        _pod("guarded", "guarded"), _pod("narrow", "narrow"), _pod("inner", "inner"),
        _pod("fronted", "fronted"), _pod("routed", "routed"), _pod("ended", "web", phase="Failed"),
        _pod("mounts", "mounts", automountServiceAccountToken=False,
             volumes=[{"name": "root", "hostPath": {"path": "/", "type": ""}}],
             container={"volumeMounts": [{"name": "root", "mountPath": "/host"}]}),
        _pod("starts", "starts", automountServiceAccountToken=False, initContainers=[
            {"name": "init", "image": "i:1", "securityContext": {"privileged": True}}]),
        _pod("debugged", "debugged", automountServiceAccountToken=False, ephemeralContainers=[
            {"name": "d", "image": "i:1",
             "securityContext": {"capabilities": {"add": ["SYS_MODULE"]}}}]),
        _pod("shut", "shut", account="quiet", container={"env": [
            {"name": "DB_PASSWORD", "value": "never to be kept"},
            {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "k"}}}]}),
        _pod("capable", "capable", automountServiceAccountToken=False,
             container={"securityContext": {"capabilities": {"add": ["SYS_MODULE"]}}}),
        _pod("bossy", "bossy", account="boss"), _pod("bound", "bound", account="reader"),
        _pod("silent", "silent", account="boss", automountServiceAccountToken=False),
        # What leads to it
        _service("web", "LoadBalancer", "web", _at(ip="203.0.113.5")),
        _service("guarded", "LoadBalancer", "guarded", _at(ip="203.0.113.6")),
        _service("narrow", "LoadBalancer", "narrow", _at(ip="203.0.113.7"),
                 loadBalancerSourceRanges=["192.0.2.0/24"]),
        _service("inner", "LoadBalancer", "inner", _at(hostname=f"a-b.{elb}"), hidden),
        _service("made", "LoadBalancer", "made", _at(hostname=f"k8s-shop-made-1.{elb}"),
                 loadBalancerClass="service.k8s.aws/nlb"),
        _service("ported", "NodePort", "db", ports=[
            {"port": 5432, "targetPort": 5432, "nodePort": 30432, "protocol": "TCP"}]),
        _service("outside", "ClusterIP", "bound", externalIPs=["203.0.113.8"]),
        _service("fronted", "ClusterIP", "fronted"), _service("routed", "ClusterIP", "routed"),
        _service("closed", "ClusterIP", "shut"),
        _service("elsewhere", "ExternalName", "", selector=None, clusterIP=None, clusterIPs=None,
                 externalName="db.example.com"),
        _service("sliced", "ClusterIP", "", selector=None),
        made("Endpoints", "sliced", subsets=[{"addresses": [{
            "ip": "10.1.0.9", "targetRef": {"kind": "Pod", "name": "shut", "namespace": "shop"}}],
            "ports": [{"port": 8080}]}]),
        made("EndpointSlice", "sliced-1", labels={"kubernetes.io/service-name": "sliced"},
             addressType="IPv4", ports=[{"port": 8080}], endpoints=[{
                 "addresses": ["10.1.0.9"], "targetRef": {"kind": "Pod", "name": "shut"}}]),
        made("Ingress", "front", spec={"ingressClassName": "alb", "rules": [{
            "host": "shop.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix",
             "backend": {"service": {"name": "fronted", "port": {"number": 443}}}}]}}]},
             status={"loadBalancer": _at(hostname=f"k8s-front.{elb}")}),
        made("Ingress", "few", notes={"alb.ingress.kubernetes.io/inbound-cidrs": "192.0.2.0/24"},
             spec={"ingressClassName": "alb", "defaultBackend": {
                 "service": {"name": "closed", "port": {"number": 443}}}},
             status={"loadBalancer": _at(hostname=f"k8s-few.{elb}")}),
        made("NetworkPolicy", "guard", spec={"podSelector": {"matchLabels": {"app": "guarded"}},
             "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {}}]}]}),
        made("NetworkPolicy", "open", spec={"podSelector": {"matchLabels": {"app": "web"}},
             "policyTypes": ["Ingress"], "ingress": [{}]}),
        made("Gateway", "edge", spec={"gatewayClassName": "gke-l7", "listeners": [
            {"name": "web", "port": 80, "protocol": "HTTP"}]},
            status={"addresses": [{"type": "IPAddress", "value": "203.0.113.9"}]}),
        made("HTTPRoute", "routed", spec={"parentRefs": [{"name": "edge"}],
             "hostnames": ["api.example.com"],
             "rules": [{"backendRefs": [{"name": "routed", "port": 443}]}]}),
        made("ReferenceGrant", "grant", spec={
            "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "x"}],
            "to": [{"group": "", "kind": "Service"}]}),
        # Who may do what
        *(made("ServiceAccount", n) for n in ("default", "boss", "reader", "climber", "ops")),
        made("ServiceAccount", "quiet", automountServiceAccountToken=False),
        made("ServiceAccount", "cloud",
             notes={"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/Cloud"}),
        _role("ClusterRole", "everything", _rule("*", "*", "*")),
        _role("ClusterRole", "cluster-admin", _rule("*", "*", "*")),
        _role("ClusterRole", "look", _rule("get list", "pods")),
        _role("ClusterRole", "gathered", _rule("list", "secrets"),
              labels={"gather": "yes"}),
        made("ClusterRole", "gathers", rules=None, aggregationRule={
            "clusterRoleSelectors": [{"matchLabels": {"gather": "yes"}}]}),
        _role("Role", "makes", _rule("create", "pods")),
        _role("Role", "named", _rule("get", "secrets", "", "one")),
        _bind("ClusterRoleBinding", "boss", ("ClusterRole", "everything"), ("ServiceAccount", "boss")),
        _bind("ClusterRoleBinding", "ops", ("ClusterRole", "cluster-admin"),
              ("ServiceAccount", "ops")),
        _bind("ClusterRoleBinding", "reader", ("ClusterRole", "look"), ("ServiceAccount", "reader"),
              ("User", "ana"), ("Group", "readers")),
        _bind("ClusterRoleBinding", "default", ("ClusterRole", "gathers"),
              ("ServiceAccount", "default")),
        _bind("RoleBinding", "climber", ("Role", "makes"), ("ServiceAccount", "climber")),
        _bind("RoleBinding", "quiet", ("Role", "named"), ("ServiceAccount", "quiet")),
        made("Secret", "keys", type="Opaque", data={"k": "bmV2ZXIgdG8gYmUga2VwdA=="}),
        made("Secret", "boss-token", type="kubernetes.io/service-account-token",
             notes={"kubernetes.io/service-account.name": "boss"},
             data={"token": "bmV2ZXIgdG8gYmUga2VwdA=="}),
        made("ConfigMap", "settings", data={"text": "never to be kept"}),
        made("ConfigMap", "aws-auth", "kube-system", data={"mapRoles": "[]\n"}),
    ]  # fmt: skip


def listed(given: list[Object]) -> Iterator[Report]:
    """A list a kind, as a collection has them."""
    kinds = defaultdict(list)
    for value in given:
        kinds[value["kind"]].append(value)
    for kind, items in kinds.items():
        data = {"apiVersion": "v1", "kind": f"{kind}List", "metadata": {}, "items": items}
        yield Report(json.dumps(data).encode(), f"{kind}.json", options={"cluster": CONTEXT})


def raw(given: list[Object] | None = None) -> list[AnyRecord]:
    return [r for report in listed(given or objects()) for r in kubernetes.read(report)]


def estate(whole: bool = True) -> Estate:
    """`whole`: with what kubectl says that it read completely."""
    found = estate_of(raw())
    if not whole:
        found.covered.clear()
    return found


# Tables

TABLES = {
    "Pod": ("kubernetes_pod", "k8s_core_pods"),
    "Deployment": ("kubernetes_deployment", "k8s_apps_deployments"),
    "StatefulSet": ("kubernetes_stateful_set", "k8s_apps_stateful_sets"),
    "DaemonSet": ("kubernetes_daemonset", "k8s_apps_daemon_sets"),
    "ReplicaSet": ("kubernetes_replicaset", "k8s_apps_replica_sets"),
    "Job": ("kubernetes_job", "k8s_batch_jobs"),
    "CronJob": ("kubernetes_cronjob", "k8s_batch_cron_jobs"),
    "Service": ("kubernetes_service", "k8s_core_services"),
    "Endpoints": ("kubernetes_endpoint", "k8s_core_endpoints"),
    "EndpointSlice": ("kubernetes_endpoint_slice", "k8s_discovery_endpoint_slices"),
    "Ingress": ("kubernetes_ingress", "k8s_networking_ingresses"),
    "NetworkPolicy": ("kubernetes_network_policy", "k8s_networking_network_policies"),
    "Namespace": ("kubernetes_namespace", "k8s_core_namespaces"),
    "Node": ("kubernetes_node", "k8s_core_nodes"),
    "ServiceAccount": ("kubernetes_service_account", "k8s_core_service_accounts"),
    "Role": ("kubernetes_role", "k8s_rbac_roles"),
    "ClusterRole": ("kubernetes_cluster_role", "k8s_rbac_cluster_roles"),
    "RoleBinding": ("kubernetes_role_binding", "k8s_rbac_role_bindings"),
    "ClusterRoleBinding": ("kubernetes_cluster_role_binding", "k8s_rbac_cluster_role_bindings"),
    "Secret": ("kubernetes_secret", "k8s_core_secrets"),
    "ConfigMap": ("kubernetes_config_map", "k8s_core_config_maps"),
    "Gateway": ("kubernetes_gateway", "k8s_custom_resources"),
    "HTTPRoute": ("kubernetes_httproute", "k8s_custom_resources"),
    "ReferenceGrant": ("kubernetes_referencegrant_gateway_networking_k8s_io",
                       "k8s_custom_resources"),
}  # fmt: skip
# Fields of `spec` and `status` that a custom resource may have, from its definition.
_CUSTOM = {
    "Gateway": ("gatewayClassName listeners addresses infrastructure", "addresses conditions listeners"),
    "HTTPRoute": ("parentRefs hostnames rules", "parents"), "ReferenceGrant": ("from to", ""),
}  # fmt: skip
# What a field of the plugin's language holds when the object has none.
_ZERO = {
    **dict.fromkeys(("host_network", "host_pid", "host_ipc", "paused"), False),
    **dict.fromkeys(("type", "cluster_ip", "external_name", "external_traffic_policy", "phase",
                     "service_account_name", "node_name", "hostname", "provider_id", "schedule",
                     "address_type", "generate_name", "role_name", "role_kind"), ""),
    **dict.fromkeys(("generation", "active", "succeeded", "failed", "status_replicas",
                     "health_check_node_port"), 0),
}  # fmt: skip


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _field(value: Any, path: str) -> Any:
    """The value at `Spec.HostPID`: keys of the API by their letters alone."""
    for word in path.split("."):
        found = value if isinstance(value, dict) else {}
        value = next((v for k, v in found.items() if k.lower() == word.lower()), None)
    return value


def _steampipe(value: Object) -> Row:
    kind, meta = value["kind"], value["metadata"]
    row: Row = {}
    if kind in _CUSTOM:
        spec, status = (part.split() for part in _CUSTOM[kind])
        row = {k: meta.get(k) for k in ("name", "namespace", "uid", "labels", "annotations")}
        row |= {"kind": kind, "api_version": value["apiVersion"]}
        row |= {snake(k): value.get("spec", {}).get(k) for k in spec}
        row |= {snake(k) if k not in spec else f"status_{snake(k)}": value.get("status", {}).get(k)
                for k in status}  # fmt: skip
    else:
        for column, path in COLUMNS[TABLES[kind][0]].items():
            letters = column.replace("_", "")
            found = _field(value, path or letters)
            if found is None:
                found = _field(meta, path or letters)
            row[column] = _ZERO.get(column) if found is None else found
        row["title"], row["tags"] = meta["name"], meta.get("labels")
    return row | {"context_name": CONTEXT, "source_type": "deployed", "path": None,
                  "start_line": None, "end_line": None, "sp_connection_name": "kubernetes",
                  "sp_ctx": {"connection_name": "kubernetes"}}  # fmt: skip


# Of CloudQuery, some tables have `spec` and `status` whole; of the others each field is a column.
_WHOLE = ("Ingress", "CronJob", "Namespace", *_CUSTOM)
_PARTS = {
    "Pod": ("volumes initContainers containers ephemeralContainers restartPolicy nodeSelector "
            "serviceAccountName automountServiceAccountToken nodeName hostNetwork hostPID hostIPC "
            "securityContext hostname tolerations",
            "phase conditions hostIP podIP podIPs initContainerStatuses containerStatuses qosClass "
            "ephemeralContainerStatuses"),
    "Deployment": ("replicas selector template strategy paused progressDeadlineSeconds", "replicas"),
    "StatefulSet": ("replicas selector template serviceName podManagementPolicy", "replicas"),
    "DaemonSet": ("selector template updateStrategy", "numberMisscheduled"),
    "ReplicaSet": ("replicas selector template", "replicas"),
    "Job": ("parallelism completions selector template suspend", "startTime completionTime active"),
    "Service": ("ports selector clusterIP clusterIPs type externalIPs sessionAffinity loadBalancerIP "
                "loadBalancerSourceRanges externalName externalTrafficPolicy loadBalancerClass",
                "loadBalancer conditions"),
    "NetworkPolicy": ("podSelector ingress egress policyTypes", ""),
    "Node": ("podCIDR podCIDRs providerID unschedulable taints", "capacity addresses nodeInfo"),
}  # fmt: skip
_TOP = {
    "Endpoints": "subsets", "EndpointSlice": "addressType endpoints ports",
    "ServiceAccount": "secrets imagePullSecrets automountServiceAccountToken",
    "Role": "rules", "ClusterRole": "rules aggregationRule", "RoleBinding": "subjects roleRef",
    "ClusterRoleBinding": "subjects roleRef", "Secret": "immutable data stringData type",
    "ConfigMap": "immutable data binaryData",
}  # fmt: skip
_NETS = ("clusterIP", "clusterIPs", "externalIPs", "podIP", "podIPs", "hostIP", "loadBalancerIP")


def _cloudquery(value: Object) -> Row:
    kind, meta = value["kind"], value["metadata"]
    row: Row = {"_cq_sync_time": "2026-11-01T00:00:00Z", "_cq_source_name": "k8s", "_cq_id": "1",
                "_cq_parent_id": None, "context": CONTEXT, "namespace": meta.get("namespace", "")}  # fmt: skip
    row |= {snake(k): meta.get(k) for k in ("name", "uid", "resourceVersion", "labels", "annotations",
                                            "ownerReferences", "finalizers")}  # fmt: skip
    told = kind in _CUSTOM  # lists of the others leave both out
    row |= {"kind": kind if told else "", "api_version": value["apiVersion"] if told else ""}
    if kind in _WHOLE:
        return row | {"spec": value.get("spec", {}), "status": value.get("status", {})}
    for part, words in zip(("spec", "status"), _PARTS.get(kind, ("", "")), strict=True):
        for word in words.split():
            found = value.get(part, {}).get(word)
            row[f"{part}_{snake(word)}"] = _net(found) if word in _NETS else found
    return row | {snake(k): value.get(k) for k in _TOP.get(kind, "").split()}


def _net(value: Any) -> Any:
    """Addresses as networks; what is none is null."""
    if isinstance(value, list):
        return [_net(v["ip"] if isinstance(v, dict) else v) for v in value] + [None]
    return f"{value}/32" if value else None


def steampipe(form: str, given: list[Object] | None = None) -> Iterator[Report]:
    """form: rows | wrapped | csv."""
    for table, rows in _rows(given or objects(), 0):
        if form == "csv":
            yield Report(as_csv(rows), f"export/{table}.csv")
        elif form == "rows":
            yield Report(json.dumps(rows).encode(), f"export/{table}.json")
        else:
            told = {"columns": [{"name": c, "data_type": "text"} for c in rows[0]], "rows": rows}
            yield Report(json.dumps(told).encode(), f"export/{table}.json")


def cloudquery(form: str, given: list[Object] | None = None) -> Iterator[Report]:
    """form: json | csv | parquet."""
    for table, rows in _rows(given or objects(), 1):
        parts = ("sync", table, f"1.{form}")
        name = "/".join(parts)
        if form == "json":
            yield Report("\n".join(map(json.dumps, rows)).encode(), name, parts)
        elif form == "csv":
            yield Report(as_csv(rows), name, parts)
        else:
            out = io.BytesIO()
            flat = [{k: json.dumps(v) if isinstance(v, (dict, list)) else v for k, v in r.items()}
                    for r in rows]  # fmt: skip
            pq.write_table(pa.Table.from_pylist(flat), out)
            yield Report(out.getvalue(), name, parts)


def _rows(given: list[Object], tool: int) -> Iterator[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for value in given:
        found[TABLES[value["kind"]][tool]].append((_steampipe, _cloudquery)[tool](value))
    yield from found.items()
