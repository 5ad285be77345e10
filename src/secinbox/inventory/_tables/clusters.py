"""Tables of Kubernetes objects as Steampipe and CloudQuery make them, as the manifests that they were.

All columns of a row come from one answer of the API: null is a field that the object does not have.
A column that was not exported is not known; where it could change a verdict the object is told by its
name alone. Rows that the tool made of files (charts, manifests) are no objects of a cluster.
Sources: the column lists of both plugins (hub.steampipe.io, hub.cloudquery.io).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from secinbox.estate import PARTIAL
from secinbox.inventory._tables.columns import Field, fields_of, formed, put, snake
from secinbox.inventory._tables.naming import KUBERNETES, named_in
from secinbox.inventory._tables.rows import Row, decoded
from secinbox.inventory.kubernetes import records_of
from secinbox.inventory.kubernetes.fields import advised, within
from secinbox.inventory.kubernetes.objects import Thing, by_name, thing_of
from secinbox.reading import Report, ReportError
from secinbox.records import AnyRecord, Skipped
from secinbox.sources._names import cluster_of


@dataclass(frozen=True)
class Kind:
    """`names` of its table and `marks`, columns that tell it from all others: Steampipe, CloudQuery."""

    kind: str
    version: str
    names: tuple[str, str]
    fields: tuple[Field, ...]
    marks: tuple[str, str] = ("", "")
    spaced: bool = True


_ABOUT = "metadata.uid?:s metadata.labels metadata.annotations metadata.ownerReferences"
# Tables of extensions do not have it; only what makes pods is judged by it.
_OF_CUSTOM = _ABOUT + "?"
_APPS, _BATCH, _RBAC = "apps/v1", "batch/v1", "rbac.authorization.k8s.io/v1"
_RUNS = "spec.replicas!:i spec.template! spec.selector?"
_BOUND = "subjects roleRef.name!:s=role_name roleRef.kind!:s=role_kind roleRef.apiGroup?:s=role_api_group"


def _kind(
    kind: str, version: str, steampipe: str, cloudquery: str, fields: str,
    theirs: str = "", others: str = "", spaced: bool = True, about: str = _ABOUT,
) -> Kind:  # fmt: skip
    found = fields_of(f"{about} {fields}")
    return Kind(kind, version, (steampipe, cloudquery), found, (theirs, others), spaced)


ALL: tuple[Kind, ...] = (
    _kind("Pod", "v1", "kubernetes_pod", "k8s_core_pods",
          "spec.containers! spec.initContainers spec.ephemeralContainers spec.volumes "
          "spec.serviceAccountName!:s spec.automountServiceAccountToken:b spec.nodeName:s "
          "spec.hostNetwork:f spec.hostPID:f spec.hostIPC?:f spec.securityContext status.phase!:s "
          "status.podIP?:a status.podIPs? status.containerStatuses? status.initContainerStatuses? "
          "status.ephemeralContainerStatuses?", "pod_ip containers", "spec_containers status_phase"),
    _kind("Deployment", _APPS, "kubernetes_deployment", "k8s_apps_deployments", _RUNS,
          "progress_deadline_seconds", "spec_progress_deadline_seconds"),
    _kind("StatefulSet", _APPS, "kubernetes_stateful_set", "k8s_apps_stateful_sets", _RUNS,
          "pod_management_policy", "spec_pod_management_policy"),
    _kind("DaemonSet", _APPS, "kubernetes_daemonset", "k8s_apps_daemon_sets", "spec.template!",
          "number_misscheduled", "status_number_misscheduled"),
    _kind("ReplicaSet", _APPS, "kubernetes_replicaset", "k8s_apps_replica_sets", _RUNS),
    _kind("ReplicationController", "v1", "kubernetes_replication_controller",
          "k8s_core_replication_controllers", _RUNS),
    _kind("Job", _BATCH, "kubernetes_job", "k8s_batch_jobs",
          "spec.template! status.completionTime:s", "completion_time template",
          "status_completion_time spec_template"),
    _kind("CronJob", _BATCH, "kubernetes_cronjob", "k8s_batch_cron_jobs", "spec.jobTemplate!",
          "job_template", "spec_job_template"),
    _kind("Service", "v1", "kubernetes_service", "k8s_core_services",
          "spec.type!:s spec.ports spec.selector spec.externalIPs spec.externalName:s "
          "spec.loadBalancerIP:a spec.loadBalancerSourceRanges spec.loadBalancerClass?:s "
          "spec.externalTrafficPolicy:s spec.clusterIP?:a spec.clusterIPs? "
          "status.loadBalancer.ingress=load_balancer_ingress",
          "load_balancer_source_ranges cluster_ip", "spec_load_balancer_source_ranges"),
    _kind("Endpoints", "v1", "kubernetes_endpoint", "k8s_core_endpoints", "subsets",
          "subsets", "subsets"),
    _kind("EndpointSlice", "discovery.k8s.io/v1", "kubernetes_endpoint_slice",
          "k8s_discovery_endpoint_slices", "endpoints ports? addressType?:s",
          "address_type endpoints", "address_type endpoints"),
    _kind("Ingress", "networking.k8s.io/v1", "kubernetes_ingress", "k8s_networking_ingresses",
          "spec.ingressClassName:s spec.defaultBackend spec.rules spec.tls? "
          "status.loadBalancer.ingress=load_balancer", "ingress_class_name default_backend"),
    _kind("NetworkPolicy", "networking.k8s.io/v1", "kubernetes_network_policy",
          "k8s_networking_network_policies",
          "spec.podSelector! spec.ingress spec.egress? spec.policyTypes!",
          "pod_selector policy_types", "spec_pod_selector spec_policy_types"),
    _kind("Namespace", "v1", "kubernetes_namespace", "k8s_core_namespaces", "status.phase?:s",
          spaced=False),
    _kind("Node", "v1", "kubernetes_node", "k8s_core_nodes",
          "spec.providerID:s spec.taints? status.addresses", "provider_id addresses",
          "spec_provider_id status_addresses", spaced=False),
    _kind("ServiceAccount", "v1", "kubernetes_service_account", "k8s_core_service_accounts",
          "automountServiceAccountToken:b secrets? imagePullSecrets?",
          "automount_service_account_token secrets", "automount_service_account_token secrets"),
    _kind("Role", _RBAC, "kubernetes_role", "k8s_rbac_roles", "rules"),
    _kind("ClusterRole", _RBAC, "kubernetes_cluster_role", "k8s_rbac_cluster_roles",
          "rules aggregationRule", "rules aggregation_rule", "rules aggregation_rule",
          spaced=False),
    _kind("RoleBinding", _RBAC, "kubernetes_role_binding", "k8s_rbac_role_bindings", _BOUND),
    _kind("ClusterRoleBinding", _RBAC, "kubernetes_cluster_role_binding",
          "k8s_rbac_cluster_role_bindings", _BOUND, spaced=False),
    _kind("Secret", "v1", "kubernetes_secret", "k8s_core_secrets", "type!:s data?"),
    _kind("ConfigMap", "v1", "kubernetes_config_map", "k8s_core_config_maps", "data"),
)  # fmt: skip
_ROUTE = "spec.parentRefs spec.rules! status.parents"
_GATEWAYS, _ISTIO = "gateway.networking.k8s.io", "networking.istio.io"
_OF_ALL = "k8s_custom_resources"
_TRAEFIK = ("IngressRoute", "IngressRouteTCP", "IngressRouteUDP")
# Extensions: Steampipe has a table for each, CloudQuery one for all.
CUSTOM: dict[tuple[str, str], Kind] = {
    (group, kind): _kind(kind, group, f"kubernetes_{kind.lower()}", _OF_ALL, fields,
                         about=_OF_CUSTOM)
    for group, kind, fields in (
        # Where both parts of an object have a field of a name, the column of the status says so.
        (_GATEWAYS, "Gateway", "spec.gatewayClassName!:s spec.listeners! spec.infrastructure "
                               "status.addresses=status_addresses"),
        (_GATEWAYS, "HTTPRoute", f"{_ROUTE} spec.hostnames"),
        (_GATEWAYS, "GRPCRoute", f"{_ROUTE} spec.hostnames"),
        (_GATEWAYS, "TLSRoute", f"{_ROUTE} spec.hostnames"),
        (_GATEWAYS, "TCPRoute", _ROUTE),
        (_GATEWAYS, "UDPRoute", _ROUTE),
        (_GATEWAYS, "ReferenceGrant", "spec.from! spec.to!"),
        (_ISTIO, "Gateway", "spec.selector spec.servers?"),
        (_ISTIO, "VirtualService", "spec.gateways spec.http spec.tcp spec.tls"),
        *((g, k, "spec.routes!") for g in ("traefik.io", "traefik.containo.us") for k in _TRAEFIK),
        ("projectcontour.io", "HTTPProxy", "spec.virtualhost spec.routes spec.tcpproxy "
         "spec.includes status.currentStatus:s status.loadBalancer"),
    )
}  # fmt: skip
TABLES = {name: kind for kind in ALL for name in kind.names}


_OPENSHIFT = re.compile(r"[^/]*/([^/]+:\d+)/[^/]*")  # namespace/cluster/user


def recognises(name: str, columns: frozenset[str], cloudquery: bool) -> int:
    """How surely rows with these columns, in a file of this name, are objects of a cluster, 0 to 100."""
    if "name" not in columns:
        return 0
    if cloudquery:
        return 90 if named_in(name, KUBERNETES) or {"context", "uid"} <= columns else 0
    if columns >= {"context_name", "source_type"}:
        return 90
    kind = TABLES.get(named_in(name, KUBERNETES))
    told = {f.column for f in kind.fields} if kind else {"context_name", "api_version"}
    return 86 if named_in(name, KUBERNETES) and columns & told else 0


def records(
    rows: Iterator[tuple[str, Row]], report: Report, path: str, cloudquery: bool
) -> Iterator[AnyRecord]:
    """What the rows of one export say. Raises ReportError for rows that are no objects."""
    stem = named_in(path, KUBERNETES)
    read = _Rows(report, stem, cloudquery)
    with advised("export the table again"):
        for place, raw in rows:
            with within(place):
                read.add(place, decoded(raw))
        yield from read.records()


class _Rows:
    """Objects by cluster, and what was left out of the rows that told them."""

    def __init__(self, report: Report, stem: str, cloudquery: bool) -> None:
        self.report = report
        self.stem = stem
        self.cloudquery = cloudquery
        self.contexts: set[str] = set()
        self.whole: dict[str, list[Thing]] = defaultdict(list)
        self.named: dict[str, list[Thing]] = defaultdict(list)
        self.lacking: Counter[tuple[str, str]] = Counter()
        self.left: Counter[tuple[str, bool]] = Counter()

    def add(self, place: str, row: Row) -> None:
        kind = self._kind(row)
        table = self.stem or (kind.names[self.cloudquery] if kind else "")
        if (
            kind is None
            and self.stem == _OF_ALL
            and not (row.get("kind") and row.get("api_version"))
        ):
            self.left[f"rows of {table} lack kind or api_version", False] += 1
            return
        if kind is None:
            self.left[f"{table} is no table of use here", True] += 1
            return
        if not self.cloudquery and not _deployed(row):
            told = bool(row.get("source_type") or row.get("path"))
            why = "made of files, not read from a cluster" if told else (
                "without source_type and uid: nothing says that their objects exist")  # fmt: skip
            self.left[f"rows of {table} {why}", told] += 1
            return
        cluster = self._cluster(row)
        value, missing = _manifest(kind, row, self.cloudquery)
        thing = thing_of(cluster, kind.kind, value, place)
        if missing:
            self.named[cluster].append(thing)
            self.lacking[table, ", ".join(missing)] += 1
        else:
            self.whole[cluster].append(thing)

    def records(self) -> Iterator[AnyRecord]:
        for things in self.whole.values():
            yield from records_of(things)
        for things in self.named.values():
            yield from map(by_name, things)
        for (table, columns), count in sorted(self.lacking.items()):
            yield Skipped(reason=f"rows of {table} lack {columns}: their objects are known by name "
                                 "only; export all columns", count=count)  # fmt: skip
        for (reason, harmless), count in sorted(self.left.items()):
            yield Skipped(reason=reason, count=count, harmless=harmless)

    def _kind(self, row: Row) -> Kind | None:
        """None for objects that say nothing of use. Raises ReportError when nothing tells the table."""
        if self.stem in TABLES:
            return TABLES[self.stem]
        group, kind = _text(row.get("api_version")), _text(row.get("kind"))
        found = CUSTOM.get((group.rpartition("/")[0], kind))
        if self.stem or found:
            return found
        fitting = [k for k in ALL if (m := k.marks[self.cloudquery]) and set(m.split()) <= set(row)]
        fitting = [k for k in fitting if k.kind == kind] or fitting
        if len(fitting) == 1:
            return fitting[0]
        raise ReportError("cannot say of which table these rows are", "",
                          f"name the file after its table, for example {ALL[0].names[self.cloudquery]}.json")  # fmt: skip

    def _cluster(self, row: Row) -> str:
        """The caller's word for the cluster of a file of one, else the row's own context."""
        context = _text(row.get("context" if self.cloudquery else "context_name"))
        if found := _OPENSHIFT.fullmatch(context):
            context = found.group(1)
        self.contexts.add(context)
        asked = self.report.options.get("cluster")
        if asked and len(self.contexts) > 1:
            raise ReportError("rows of several clusters, of which one is named", "",
                              "import without --cluster: each row says its own")  # fmt: skip
        return asked or context or cluster_of(self.report)


def _deployed(row: Row) -> bool:
    """Whether a row of Steampipe is an object of a cluster: only such have an identifier of one."""
    if row.get("source_type"):
        return bool(row["source_type"] == "deployed")
    return bool(row.get("uid")) and not row.get("path")


def _manifest(kind: Kind, row: Row, cloudquery: bool) -> tuple[Row, list[str]]:
    """The object as the API answered it, and the columns that were not exported but decide something.

    Raises ReportError for a row without a name.
    """
    name, space = _text(row.get("name")), _text(row.get("namespace"))
    if not name or (kind.spaced and not space):
        lacks = "name" if not name else "namespace"
        raise ReportError(f"a {kind.kind} without a {lacks}", "", "export all columns")
    metadata: Row = {"name": name} | ({"namespace": space} if kind.spaced else {})
    value: Row = {"apiVersion": _text(row.get("api_version")) or kind.version, "kind": kind.kind,
                  "metadata": metadata}  # fmt: skip
    missing = []
    classed = False
    for field in kind.fields:
        known, found = _value(field, row, cloudquery)
        classed = classed or (known and field.path[-1] == "loadBalancerClass")
        if found is None:
            if field.always or (field.wanted and not known):
                missing.append(_column(field, cloudquery))
            continue
        put(value, field.path, found)
    if kind.kind == "Service" and not missing:
        _service(value, classed)
    return value, missing


def _column(field: Field, cloudquery: bool) -> str:
    path = field.path[1:] if field.path[0] == "metadata" else field.path
    return "_".join(map(snake, path)) if cloudquery else field.column


def _value(field: Field, row: Row, cloudquery: bool) -> tuple[bool, Any]:
    """Whether a column tells of the field, and what it says.

    CloudQuery has objects of objects in columns of their own or as a whole: `spec_ports`, `spec`.
    """
    if not cloudquery:
        return field.column in row, formed(field, row.get(field.column))
    path = field.path[1:] if field.path[0] == "metadata" else field.path
    for length in range(len(path), 0, -1):
        column = "_".join(map(snake, path[:length]))
        if column not in row:
            continue
        found = row[column]
        for step in path[length:]:
            if found is not None and not isinstance(found, dict):
                raise ReportError(f"{column} is not an object", "", "export the table again")
            found = found.get(step) if found else None
        return True, formed(field, found)
    return False, None


_BY_CLOUD = re.compile(r"a[0-9a-f]{16,}-")  # how the cloud's own controller names its balancers
_SCHEMES = tuple(
    f"service.beta.kubernetes.io/aws-load-balancer-{s}" for s in ("scheme", "internal")
)


def _service(value: Row, told: bool) -> None:
    """Without its class nobody knows which controller made a balancer of AWS, and one of them makes it
    internal unless told otherwise."""
    status, spec = value.get("status", {}), value["spec"]
    rows: Any = status.get("loadBalancer", {}).get("ingress")
    names = (
        [_text(r.get("hostname")) for r in rows if isinstance(r, dict)]
        if isinstance(rows, list)
        else []
    )
    notes: Any = value["metadata"].get("annotations")
    said = isinstance(notes, dict) and any(s in notes for s in _SCHEMES)
    if told or said or spec.get("type") != "LoadBalancer":
        return
    if any(".elb." in n and not _BY_CLOUD.match(n) for n in names):
        value[PARTIAL] = {"spec": "the table does not keep loadBalancerClass, which may make the "
                                  "load balancer internal"}  # fmt: skip


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (str, int)) else ""
