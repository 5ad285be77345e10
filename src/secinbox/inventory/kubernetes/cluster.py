"""Objects of a cluster as analyses ask for them; a field of a wrong shape is an absent one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from secinbox.estate import Estate, Item

WORKLOADS = (
    "kubernetes_deployment", "kubernetes_statefulset", "kubernetes_daemonset", "kubernetes_job",
    "kubernetes_cronjob", "kubernetes_replicaset", "kubernetes_replicationcontroller",
)  # fmt: skip


def at(value: Any, *keys: str) -> Any:
    """What stands under these keys, if anything."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def obj(value: Any, *keys: str) -> Mapping[str, Any]:
    found = at(value, *keys)
    return found if isinstance(found, Mapping) else {}


def objs(value: Any, *keys: str) -> list[Mapping[str, Any]]:
    found = at(value, *keys)
    return [v for v in found if isinstance(v, Mapping)] if isinstance(found, list) else []


def strs(value: Any, *keys: str) -> list[str]:
    found = at(value, *keys)
    return [v for v in found if isinstance(v, str)] if isinstance(found, list) else []


def word(value: Any, *keys: str) -> str:
    found = at(value, *keys)
    return found if isinstance(found, str) else ""


def labels_of(value: Any) -> dict[str, str]:
    """metadata.labels."""
    return {k: str(v) for k, v in obj(value, "metadata", "labels").items()}


def notes_of(item: Item) -> dict[str, str]:
    """metadata.annotations."""
    return {k: str(v) for k, v in obj(item.config, "metadata", "annotations").items()}


def place_of(uid: str) -> tuple[str, str]:
    """Cluster and namespace (empty for objects of the whole cluster)."""
    parts = uid.removeprefix("k8s://").split("/")
    space = parts[1] if len(parts) > 1 else ""
    return parts[0], "" if space == "_" else space


def near(uid: str, kind: str, name: str, namespace: str | None = None) -> str:
    """uid of an object of the same cluster; in the same namespace if none is said."""
    cluster, own = place_of(uid)
    return f"k8s://{cluster}/{(own if namespace is None else namespace) or '_'}/{kind}/{name}"


def looked_at(estate: Estate, uid: str, kind: str) -> bool:
    """Whether all objects of this kind that concern the namespace of `uid` were read."""
    cluster, space = place_of(uid)
    return estate.looked_at(f"k8s:{cluster}/{kind}") or (
        bool(space) and estate.looked_at(f"k8s:{cluster}/{kind}/{space}")
    )


def selects(selector: Any, labels: Mapping[str, str]) -> bool:
    """A label selector (matchLabels and matchExpressions); an empty one selects everything.

    https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
    """
    if any(labels.get(k) != v for k, v in obj(selector, "matchLabels").items()):
        return False
    for row in objs(selector, "matchExpressions"):
        key, values = word(row, "key"), strs(row, "values")
        fits = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }.get(word(row, "operator"), False)
        if not fits:
            return False
    return True


@dataclass(frozen=True, slots=True, eq=False)
class Runner:
    """A pod, or the pods that a workload makes."""

    item: Item
    labels: dict[str, str]
    spec: Mapping[str, Any]
    idle: str  # why nothing of it runs

    @property
    def uid(self) -> str:
        return self.item.uid

    @property
    def shown(self) -> str:
        space, kind, name = self.uid.split("/")[-3:]
        return f"{kind} {space}/{name}"

    def containers(self) -> Iterator[Mapping[str, Any]]:
        for key in ("containers", "initContainers", "ephemeralContainers"):
            yield from objs(self.spec, key)


def runner_of(item: Item) -> Runner | None:
    """None when its configuration was not read."""
    config = item.config
    idle = ""
    if item.type == "kubernetes_pod":
        template: Mapping[str, Any] = config
        if word(config, "status", "phase") in ("Succeeded", "Failed"):
            idle = "it has ended"
    elif item.type == "kubernetes_cronjob":
        template = obj(config, "spec", "jobTemplate", "spec", "template")
    else:
        template = obj(config, "spec", "template")
        if at(config, "spec", "replicas") == 0:
            idle = "it is scaled to nothing"
        elif item.type == "kubernetes_job" and word(config, "status", "completionTime"):
            idle = "it has ended"
    spec = obj(template, "spec")
    return Runner(item, labels_of(template), spec, idle) if spec else None


def runners(estate: Estate) -> list[Runner]:
    found = (runner_of(i) for i in estate.of_type("kubernetes_pod", *WORKLOADS))
    return [r for r in found if r is not None]


def named_only(estate: Estate) -> Iterator[tuple[Item, list[str]]]:
    """Workloads that only their pods name, with the uids of these pods."""
    for item in estate.of_type(*WORKLOADS):
        if item.config:
            continue
        below = estate.sources(item.uid, "owned_by")
        below += [u for b in below for u in estate.sources(b, "owned_by")]
        yield item, sorted({u for u in below if "/pod/" in u})


class ByLabel:
    """Runners by the labels of their pods; what is idle is left out."""

    def __init__(self, all_runners: list[Runner]) -> None:
        self._found: dict[tuple[str, str, str, str], dict[str, Runner]] = defaultdict(dict)
        for runner in all_runners:
            if not runner.idle:
                for key, value in runner.labels.items():
                    self._found[*place_of(runner.uid), key, value][runner.uid] = runner

    def selected(self, uid: str, selector: Mapping[str, Any]) -> list[Runner]:
        """Those in the namespace of `uid` with all these labels; none for an empty selector."""
        sets = [self._found.get((*place_of(uid), k, str(v)), {}) for k, v in selector.items()]
        if not sets:
            return []
        smallest = min(sets, key=len)
        return [r for u, r in sorted(smallest.items()) if all(u in s for s in sets)]
