"""Kubernetes: what `kubectl get KINDS -A -o json` prints, as an inventory.

Shapes: a `List` of any kinds, a `PodList` (or other) as the API server answers it, one object, a
JSON list or lines of objects, and the map of objects by path that Kubescape caches. Source:
kubernetes.io, "API Conventions" and the API reference. YAML is read where an API server wrote it
(`-o yaml`); a manifest of a repository only says what somebody may deploy: it is read when the format
is named (`--format kubernetes`).

The cluster is the one that the caller names, else the folder after `kubernetes/` or `clusters/`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any

from secinbox.inventory.kubernetes.fields import rows, sub, text, within
from secinbox.inventory.kubernetes.manifests import documents, is_live
from secinbox.inventory.kubernetes.objects import Thing, resource_of, shared_hosts, thing_of
from secinbox.inventory.kubernetes.relations import relations_of
from secinbox.reading import Head, Report, ReportError
from secinbox.records import AnyRecord, Scope, Skipped
from secinbox.sources._names import cluster_of

TITLE = "Kubernetes objects (kubectl get -A -o json or yaml)"
PLUMBING = ("kubernetes_endpoints", "kubernetes_endpointslice", "kubernetes_replicaset")
REPLICAS = ("k8s://%",)

_PATH = re.compile(r"[^/\s]*/v\d\w*/[^/\s]*/[A-Z]\w*/[^/\s]+$")  # of Kubescape's map
# Reports and configurations that only look like cluster objects.
_OTHERS = re.compile(
    r"(aquasecurity\.github\.io|backstage\.io|wgpolicyk8s\.io|openreports\.io|kustomize\.config)"
)
_OTHERS_IN_YAML = re.compile(rf"^apiVersion\s*:\s*[\"']?{_OTHERS.pattern}", re.MULTILINE)
# They say nothing about what runs, come in thousands and change by the second.
_NOISE = frozenset({"Event", "Lease", "ControllerRevision", "ComponentStatus", "PodMetrics"})


def recognise(head: Head) -> int:
    first = head.first
    if head.kind in ("array", "lines"):
        return 90 if _is_object(first) else 0
    if head.kind in ("yaml", "text"):
        return 85 if is_live(head) and not _OTHERS_IN_YAML.search(head.text) else 0
    if head.kind != "object":
        return 0
    if head.has("apiVersion", "items"):
        kind = first.get("kind", "List")
        items = first.get("items")
        if not isinstance(kind, str) or _OTHERS.match(str(first.get("apiVersion"))):
            return 0
        if isinstance(items, list) and not items:
            return 90 if kind != "List" and kind.endswith("List") else 40
        if isinstance(items, list):
            return 95 if _is_object(items[0], kind != "List") else 0
        inside = '"metadata"' in head.text and not _OTHERS.search(head.text[:4096])
        return 95 if inside and kind.endswith("List") else 0
    if _is_object(first) or (head.has("apiVersion", "kind", "metadata") and "kind" not in first):
        return 90
    paths = list(head.keys)[:50]
    return 92 if paths and all(_PATH.match(path) for path in paths) else 0


def _is_object(value: Any, kind_known: bool = False) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("metadata"), dict):
        return False
    if not isinstance(value["metadata"].get("name"), str):
        return False
    version, kind = value.get("apiVersion"), value.get("kind")
    if kind_known and version is None and kind is None:
        return True
    if not isinstance(version, str) or not isinstance(kind, str) or _OTHERS.match(version):
        return False
    return re.fullmatch(r"([\w.-]+/)?v\d\w*", version) is not None


def read(report: Report) -> Iterator[AnyRecord]:
    # Of an ARN the name, as in the uids: what was read is told of the same cluster.
    cluster = cluster_of(report).rstrip("/").rpartition("/")[2] or "unknown"
    things: list[Thing] = []
    noise: dict[str, int] = {}
    complete: set[str] = set()
    given: Iterator[tuple[str, dict[str, Any]]] = (
        report.documents(dict[str, Any])
        if report.text.lstrip()[:1] in ("{", "[", "")
        else documents(report.text)
    )
    for place, document in given:
        with within(place):
            found = list(_objects(document, complete))
        for inner, kind, value in found:
            with within(place + inner):
                if kind in _NOISE or _OTHERS.match(text(value, "apiVersion")):
                    noise[kind] = noise.get(kind, 0) + 1
                    continue
                things.append(thing_of(cluster, kind, value, place + inner))
    yield from records_of(things)
    for kind, count in sorted(noise.items()):
        yield Skipped(reason=f"{kind} objects say nothing of use here", count=count, harmless=True)
    yield from _scopes(cluster, things, complete)


def records_of(things: list[Thing], bare: Container[str] = ()) -> Iterator[AnyRecord]:
    """The objects of one cluster, and what they say of each other.

    `bare`: uids of those of which too little is known to judge them by their fields.
    """
    shared = shared_hosts(things)
    for thing in things:
        with within(thing.place):
            found = resource_of(thing, shared)
        if thing.uid in bare:
            found.config = ""
        yield found
    yield from relations_of(things)


def _objects(
    document: dict[str, Any], complete: set[str]
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    if "items" in document:
        kind = text(document, "kind") or "List"
        single = kind.removesuffix("List")
        paged = sub(document, "metadata")
        if not paged.get("continue") and not paged.get("remainingItemCount"):
            complete.add(single)  # the empty word: all kinds of a mixed list
        for index, item in enumerate(rows(document, "items")):
            yield f".items[{index}]", text(item, "kind") or single, item
    elif "kind" in document:
        yield "", text(document, "kind"), document
    elif document and all(_PATH.match(path) for path in document):
        for path in document:
            inner = sub(document, path)
            yield f"['{path}']", text(inner, "kind"), inner
    else:
        raise ReportError("not a Kubernetes object", "", "use kubectl get KINDS -A -o json")


def _scopes(cluster: str, things: list[Thing], complete: set[str]) -> Iterator[Scope]:
    """What was read whole. A list of one namespace looks like one of all: it speaks for its own."""
    spaces = {t.namespace for t in things if t.namespace}
    kinds = {k.lower() for k in complete if k}
    if "" in complete:
        kinds |= {t.kind.lower() for t in things}
    narrow = f"/{min(spaces)}" if len(spaces) == 1 else ""
    local = {t.kind.lower() for t in things if t.namespace}
    for kind in sorted(kinds):
        yield Scope(f"k8s:{cluster}/{kind}{narrow if kind in local else ''}", ())
