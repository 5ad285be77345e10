"""What runs, owns, carries and reaches what in a cluster, from the objects' own fields."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from secinbox.estate import PARTIAL
from secinbox.fingerprint import image_uid
from secinbox.inventory.kubernetes.fields import rows, sub, text, texts, within, words
from secinbox.inventory.kubernetes.objects import (
    Thing,
    balancer_names,
    container_statuses,
    is_over,
    shared_hosts,
    template_of,
)
from secinbox.inventory.kubernetes.routers import ROUTERS
from secinbox.records import AnyRecord, Relation, Resource
from secinbox.sources._names import host_name, image_resource, kubernetes_uid

_SERVICE_LABELS = ("tags.datadoghq.com/service", "app.kubernetes.io/name", "app")
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_ROUTES = ("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute")


def relations_of(things: list[Thing]) -> Iterator[AnyRecord]:
    """Edges of all objects of a report, and the images and owners that only they name."""
    index = _Index(things)
    seen: set[tuple[str, str, str]] = set()
    for thing in things:
        with within(thing.place):
            found = list(_edges(thing, index))
        for record in found:
            if isinstance(record, Relation):
                key = (record.source, record.kind, record.target)
            else:
                assert isinstance(record, Resource)
                key = (record.uid, "", ",".join(a.name for a in record.aliases))
            if key not in seen:
                seen.add(key)
                yield record


class _Index:
    """Who has which label, and which host names several ingresses share."""

    def __init__(self, things: list[Thing]) -> None:
        self.uids = {t.uid for t in things}
        self.shared_hosts = shared_hosts(things)
        self._labelled: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        for thing in things:
            labels = thing.labels if thing.kind == "Pod" else {}
            with within(thing.place):
                template = template_of(thing)
                # Replica sets of a deployment are replicas: their owner is what is reached.
                if template and not rows(thing.value, "metadata", "ownerReferences"):
                    labels = texts(template, "metadata", "labels")
            for key, value in labels.items():
                self._labelled[thing.namespace, key, value].add(thing.uid)

    def selected(self, namespace: str, selector: Mapping[str, str]) -> set[str]:
        """Pods and workloads whose pods have all these labels; an empty selector selects none."""
        sets = [self._labelled.get((namespace, k, v), set()) for k, v in selector.items()]
        return set.intersection(*sets) if sets else set()


def _edges(thing: Thing, index: _Index) -> Iterator[AnyRecord]:
    def edge(kind: str, target: str, source: str = "") -> Relation:
        return Relation(source=source or thing.uid, kind=kind, target=target, place=thing.place)

    yield from _owners(thing, index)
    if thing.namespace and not rows(thing.value, "metadata", "ownerReferences"):
        space = kubernetes_uid(thing.cluster, "", "namespace", thing.namespace)
        yield edge("contains", thing.uid, space)
    template = template_of(thing)
    labels = texts(template, "metadata", "labels") | thing.labels if template else thing.labels
    if template or thing.kind in ("Pod", "Service", "Ingress"):
        service = next((labels[k] for k in _SERVICE_LABELS if labels.get(k)), "")
        if service:
            yield edge("part_of", f"service:{service.lower()}")
    if thing.kind == "Pod":
        spec = sub(thing.value, "spec")
        yield from _pod_images(thing, spec)
        yield from (edge(*pair) for pair in _uses(thing, spec))
        node = text(spec, "nodeName")
        if node:
            yield edge("runs_on", kubernetes_uid(thing.cluster, "", "node", node))
    elif template:
        spec = sub(template, "spec")
        if _is_live(thing):
            for reference in _references(spec).values():
                if "@" in reference:
                    yield image_resource([reference.partition("@")[0]], [reference])
                yield edge("runs", image_uid(reference))
        yield from (edge(*pair) for pair in _uses(thing, spec))
    find = _BY_KIND.get(thing.kind)
    if find:
        for kind, source, target in find(thing, index):
            yield edge(kind, target, source)


def _owners(thing: Thing, index: _Index) -> Iterator[AnyRecord]:
    for owner in rows(thing.value, "metadata", "ownerReferences"):
        kind, name = text(owner, "kind"), text(owner, "name")
        if not kind or not name or kind == "Node":  # the kubelet's own pods run on it
            continue
        uid = thing.near(kind, name)
        yield Relation(source=thing.uid, kind="owned_by", target=uid, place=thing.place)
        if uid in index.uids or thing.kind != "Pod":
            continue
        yield _named_only(thing, uid, kind, name)
        # Only the controller of deployments sets this label, and it ends the replica set's name.
        suffix = "-" + thing.labels.get("pod-template-hash", "?")
        if kind == "ReplicaSet" and name.endswith(suffix):
            above = name.removesuffix(suffix)
            deployment = thing.near("deployment", above)
            yield Relation(source=uid, kind="owned_by", target=deployment, place=thing.place)
            if deployment not in index.uids:
                yield _named_only(thing, deployment, "Deployment", above)


def _named_only(thing: Thing, uid: str, kind: str, name: str) -> Resource:
    return Resource(
        uid=uid,
        type=f"kubernetes_{kind.lower()}",
        name=name,
        provider="kubernetes",
        account=thing.cluster.rpartition("/")[2],
        place=thing.place,
    )


def _is_live(thing: Thing) -> bool:
    """False for old replica sets, what is scaled to nothing, and jobs that have ended."""
    if sub(thing.value, "spec").get("replicas") == 0:
        return False
    return not (thing.kind == "Job" and text(thing.value, "status", "completionTime"))


def _references(spec: Mapping[str, Any]) -> dict[str, str]:
    """Container name -> image as written."""
    return {
        text(container, "name"): text(container, "image")
        for key in _CONTAINERS
        for container in rows(spec, key)
        if text(container, "image").strip()
    }


def _pod_images(thing: Thing, spec: Mapping[str, Any]) -> Iterator[AnyRecord]:
    if is_over(thing):
        return
    pulled = {
        text(status, "name"): text(status, "imageID") for status in container_statuses(thing.value)
    }
    for container, reference in _references(spec).items():
        digest = pulled.get(container, "").rpartition("//")[2]
        tag, _, pinned = reference.partition("@")
        digest = digest if "@" in digest else (reference if pinned else "")
        # The name with the tag is declared as a thing of its own only by nobody: it has to lead
        # to whichever digest a scanner or another pod knows.
        target = image_uid(reference)
        if digest:
            image = image_resource([tag] if not pinned else [], [digest], place=thing.place)
            yield image
            target = image.uid
        yield Relation(source=thing.uid, kind="runs", target=target, place=thing.place)


def _uses(thing: Thing, spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The service account and the secrets of a pod or of a workload's pods."""
    if thing.kind != "Pod" and rows(thing.value, "metadata", "ownerReferences"):
        return
    account = text(spec, "serviceAccountName") or text(spec, "serviceAccount")
    if account or "spec" not in sub(thing.value, PARTIAL):
        yield "has_identity", thing.near("serviceaccount", account or "default")
    secrets = {text(volume, "secret", "secretName") for volume in rows(spec, "volumes")}
    for volume in rows(spec, "volumes"):
        for source in rows(volume, "projected", "sources"):
            secrets.add(text(source, "secret", "name"))
    for key in _CONTAINERS:
        for container in rows(spec, key):
            secrets |= {text(row, "secretRef", "name") for row in rows(container, "envFrom")}
            for row in rows(container, "env"):
                secrets.add(text(row, "valueFrom", "secretKeyRef", "name"))
    for secret in sorted(secrets - {""}):
        yield "reads_secret", thing.near("secret", secret)


_Edges = Iterable[tuple[str, str, str]]  # kind, source ("" is the object itself), target


def _service(thing: Thing, index: _Index) -> _Edges:
    for uid in sorted(index.selected(thing.namespace, texts(thing.value, "spec", "selector"))):
        yield "routes_to", "", uid
    for name in balancer_names(thing.value):
        yield "routes_to", name, thing.uid
    outside = host_name(text(thing.value, "spec", "externalName"))
    if outside:
        yield "routes_to", "", outside


def _endpoints(thing: Thing, index: _Index) -> _Edges:
    for subset in rows(thing.value, "subsets"):
        for address in rows(subset, "addresses"):
            yield from _endpoint(thing, thing.name, address)


def _slice(thing: Thing, index: _Index) -> _Edges:
    service = thing.labels.get("kubernetes.io/service-name", "")
    for endpoint in rows(thing.value, "endpoints"):
        yield from _endpoint(thing, service, endpoint)


def _endpoint(thing: Thing, service: str, row: Mapping[str, Any]) -> _Edges:
    kind, name = text(row, "targetRef", "kind"), text(row, "targetRef", "name")
    if service and kind == "Pod" and name:
        pod = thing.near("pod", name, text(row, "targetRef", "namespace"))
        yield "routes_to", thing.near("service", service), pod


def _ingress(thing: Thing, index: _Index) -> _Edges:
    backends = [sub(thing.value, "spec", "defaultBackend"), sub(thing.value, "spec", "backend")]
    for rule in rows(thing.value, "spec", "rules"):
        name = host_name(text(rule, "host"))
        if name in index.shared_hosts:
            yield "routes_to", name, thing.uid
        backends += [sub(path, "backend") for path in rows(rule, "http", "paths")]
    for backend in backends:
        service = text(backend, "service", "name") or text(backend, "serviceName")
        if service:
            yield "routes_to", "", thing.near("service", service)
    for name in balancer_names(thing.value):
        yield "routes_to", name, thing.uid


def _route(thing: Thing, index: _Index) -> _Edges:
    for host in words(thing.value, "spec", "hostnames"):
        if host_name(host) in index.shared_hosts:
            yield "routes_to", host_name(host), thing.uid
    for parent in rows(thing.value, "spec", "parentRefs"):
        kind, name = text(parent, "kind") or "Gateway", text(parent, "name")
        if name:
            yield "routes_to", thing.near(kind, name, text(parent, "namespace")), thing.uid
    for rule in rows(thing.value, "spec", "rules"):
        for backend in rows(rule, "backendRefs"):
            kind, name = text(backend, "kind") or "Service", text(backend, "name")
            if kind == "Service" and name:
                yield "routes_to", "", thing.near(kind, name, text(backend, "namespace"))


def _openshift_route(thing: Thing, index: _Index) -> _Edges:
    name = host_name(text(thing.value, "spec", "host"))
    if name in index.shared_hosts:
        yield "routes_to", name, thing.uid
    service = text(thing.value, "spec", "to", "name")
    if service:
        yield "routes_to", "", thing.near("service", service)


def _node(thing: Thing, index: _Index) -> _Edges:
    provider = text(thing.value, "spec", "providerID")
    machine = ""
    if found := re.fullmatch(r"aws:///?[^/]*/(i-[0-9a-f]+)", provider):
        machine = found.group(1)
    elif found := re.fullmatch(r"gce://([^/]+)/([^/]+)/([^/]+)", provider):
        project, zone, name = found.groups()
        machine = f"//compute.googleapis.com/projects/{project}/zones/{zone}/instances/{name}"
    elif found := re.fullmatch(r"azure://(/subscriptions/.+)", provider):
        machine = found.group(1).lower()
    if machine:
        yield "runs_on", "", machine


def _account(thing: Thing, index: _Index) -> _Edges:
    annotations = texts(thing.value, "metadata", "annotations")
    role = annotations.get("eks.amazonaws.com/role-arn", "")
    if role.startswith("arn:"):
        yield "has_identity", "", role
    google = annotations.get("iam.gke.io/gcp-service-account", "")
    if found := re.fullmatch(r"[^@\s]+@([\w-]+)\.iam\.gserviceaccount\.com", google):
        project = found.group(1)
        path = f"projects/{project}/serviceAccounts/{google}"
        yield "has_identity", "", f"//iam.googleapis.com/{path}"
    azure = annotations.get("azure.workload.identity/client-id", "")
    if azure:
        yield "has_identity", "", f"azure-client:{azure.lower()}"


def _routed(edges: Callable[[Thing], _Edges]) -> Callable[[Thing, _Index], _Edges]:
    return lambda thing, _: edges(thing)


_BY_KIND = {
    "Service": _service,
    "Endpoints": _endpoints,
    "EndpointSlice": _slice,
    "Ingress": _ingress,
    "Route": _openshift_route,
    "Node": _node,
    "ServiceAccount": _account,
    **dict.fromkeys(_ROUTES, _route),
    **{kind: _routed(edges) for kind, edges in ROUTERS.items()},
}
