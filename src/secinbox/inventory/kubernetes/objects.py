"""One object of a cluster as a resource: its names, its tags, its configuration without secrets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from secinbox.inventory.kubernetes.fields import KUBECTL, rows, sub, text, texts, within, words
from secinbox.reading import ReportError
from secinbox.records import Alias, Resource
from secinbox.sources._names import address_name, host_name, is_private, kubernetes_uid

_UNSURE = 0.5  # cluster addresses come again in every cluster
_SECRET = re.compile(r"(pass|passwd|password|secret|token|credential|private|api_?key)", re.I)
_BULKY = ("kubectl.kubernetes.io/last-applied-configuration", "objectset.rio.cattle.io/applied")
_LONGEST_ANNOTATION = 2048
_STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")


@dataclass(frozen=True, slots=True)
class Thing:
    """An object with what everybody asks of it."""

    uid: str
    cluster: str
    kind: str
    namespace: str
    name: str
    labels: dict[str, str]
    value: Mapping[str, Any]
    place: str

    def near(self, kind: str, name: str, namespace: str = "") -> str:
        """uid of another object, in the same namespace if none is named."""
        return kubernetes_uid(self.cluster, namespace or self.namespace, kind, name)


def thing_of(cluster: str, kind: str, value: Mapping[str, Any], place: str) -> Thing:
    """Raises ReportError when the object has no kind or no name."""
    name = text(value, "metadata", "name")
    if not kind or not name:
        raise ReportError("an object without kind or name", "", KUBECTL)
    namespace = text(value, "metadata", "namespace")
    uid = kubernetes_uid(cluster, namespace, kind, name)
    labels = texts(value, "metadata", "labels")
    return Thing(uid, cluster, kind, namespace, name, labels, value, place)


def template_of(thing: Thing) -> Mapping[str, Any]:
    """The pod template of a workload; empty for everything else."""
    if thing.kind == "CronJob":
        found = sub(thing.value, "spec", "jobTemplate", "spec", "template")
    elif thing.kind in ("Template", "PodTemplate"):
        found = {}
    else:
        spec = thing.value.get("spec")
        found = spec.get("template") if isinstance(spec, dict) else None
    # A custom resource may mean something else by "template".
    return found if isinstance(found, dict) and isinstance(found.get("spec"), dict) else {}


def hosts_of(thing: Thing) -> set[str]:
    """The host names that an ingress, a gateway's route or an OpenShift route answers to."""
    if thing.kind == "Ingress":
        hosts = [text(rule, "host") for rule in rows(thing.value, "spec", "rules")]
    elif thing.kind in ("HTTPRoute", "GRPCRoute", "TLSRoute"):
        hosts = words(thing.value, "spec", "hostnames")
    elif thing.kind == "Route":
        hosts = [text(thing.value, "spec", "host")]
    else:
        return set()
    return {host_name(host) for host in hosts} - {""}


def shared_hosts(things: Iterable[Thing]) -> set[str]:
    """Host names of several objects (each has its own paths): no alias of any of them."""
    counts: Counter[str] = Counter()
    for thing in things:
        with within(thing.place):
            counts.update(hosts_of(thing))
    return {name for name, count in counts.items() if count > 1}


def resource_of(thing: Thing, shared: set[str]) -> Resource:
    tags = texts(template_of(thing), "metadata", "labels") | thing.labels
    tags.pop("pod-template-hash", None)
    aliases = {alias.name: alias for alias in _aliases(thing)}
    for name in sorted(hosts_of(thing) - shared):
        aliases[name] = Alias(name, 0.9)
    return Resource(
        uid=thing.uid,
        type=f"kubernetes_{thing.kind.lower()}",
        name=thing.name,
        provider="kubernetes",
        account=thing.cluster.rpartition("/")[2],
        tags=tags,
        aliases=tuple(aliases.values()),
        config=msgspec.json.encode(configuration(thing)).decode(),
        place=thing.place,
    )


def by_name(thing: Thing) -> Resource:
    """An object of which nothing is known but that it is there."""
    found = resource_of(thing, set())
    found.config = ""
    return found


def configuration(thing: Thing) -> dict[str, Any]:
    """The object as it is, without bookkeeping and without values that are secret."""
    value = dict(thing.value)
    metadata = dict(sub(value, "metadata"))
    metadata.pop("managedFields", None)
    annotations = {
        k: v
        for k, v in texts(metadata, "annotations").items()
        if k not in _BULKY and len(v) <= _LONGEST_ANNOTATION
    }
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    value["metadata"] = metadata
    # Who is let into an EKS cluster is no secret, and decides who controls it.
    named = thing.kind == "ConfigMap" and metadata.get("name") == "aws-auth"
    if thing.kind in ("Secret", "ConfigMap", "SealedSecret") and not named:
        for key in ("data", "stringData", "binaryData"):
            if key in value:
                value[key] = dict.fromkeys(sub(value, key), "")
    elif isinstance(value.get("spec"), dict):
        value["spec"] = _without_secrets(value["spec"])
    return value


def _without_secrets(spec: dict[str, Any]) -> dict[str, Any]:
    """Values of environment variables whose name says that they are secret are left out."""
    changed: dict[str, Any] = {}
    for key, inner in spec.items():
        if isinstance(inner, dict) and key in ("template", "jobTemplate", "spec"):
            changed[key] = _without_secrets(inner)
        elif isinstance(inner, list) and key.endswith("ontainers"):
            changed[key] = [_container(c) if isinstance(c, dict) else c for c in inner]
    return {**spec, **changed} if changed else spec


def _container(container: dict[str, Any]) -> dict[str, Any]:
    if not container.get("env"):
        return container
    env = [
        {**row, "value": ""} if "value" in row and _SECRET.search(text(row, "name")) else row
        for row in rows(container, "env")
    ]
    return {**container, "env": env}


def _aliases(thing: Thing) -> Iterable[Alias]:
    find = {
        "Pod": _pod,
        "Node": _node,
        "Service": _service,
        "Gateway": _gateway,
    }.get(thing.kind)
    return find(thing) if find else ()


def container_statuses(pod: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Of all containers: ordinary, init and ephemeral."""
    for key in _STATUSES:
        yield from rows(pod, "status", key)


def is_over(thing: Thing) -> bool:
    """A pod that has ended."""
    return text(thing.value, "status", "phase") in ("Succeeded", "Failed")


def _pod(thing: Thing) -> Iterator[Alias]:
    yield Alias(f"pod:{thing.namespace or 'default'}/{thing.name}", 0.9)
    for status in container_statuses(thing.value):
        ended = text(status, "lastState", "terminated", "containerID")
        for identifier in (text(status, "containerID"), ended):
            bare = identifier.rpartition("//")[2]
            if bare:
                yield Alias(f"container:{bare}")
                yield Alias(f"container:{bare[:12]}", 0.9)
    if sub(thing.value, "spec").get("hostNetwork") is True or is_over(thing):
        return
    addresses = [text(row, "ip") for row in rows(thing.value, "status", "podIPs")]
    for address in {text(thing.value, "status", "podIP"), *addresses} - {""}:
        if address_name(address):
            yield Alias(address_name(address), _UNSURE)


def _node(thing: Thing) -> Iterator[Alias]:
    yield Alias(f"host:{thing.name}", 0.9)
    if text(thing.value, "spec", "providerID").startswith("aws:"):
        return  # its instance has these addresses; two owners of a name would join neither
    for row in rows(thing.value, "status", "addresses"):
        kind, address = text(row, "type"), text(row, "address")
        name = host_name(address)
        if kind == "Hostname" and address:
            yield Alias(f"host:{address}", 0.9)
        elif name and kind in ("InternalIP", "ExternalIP", "InternalDNS", "ExternalDNS"):
            yield Alias(name, _UNSURE if is_private(address) else 0.9)


def balancer_names(value: Mapping[str, Any]) -> list[str]:
    """The addresses and host names that a cloud gave to a service, ingress or gateway."""
    found = [
        host_name(text(row, "ip") or text(row, "hostname"))
        for row in rows(value, "status", "loadBalancer", "ingress")
    ]
    return [name for name in found if name]


def _service(thing: Thing) -> Iterator[Alias]:
    if (thing.namespace, thing.name) == ("default", "kubernetes"):
        return  # every cluster has it, under the same names
    inner = [text(thing.value, "spec", "clusterIP"), *words(thing.value, "spec", "clusterIPs")]
    for address in inner:
        if address_name(address):
            yield Alias(address_name(address), _UNSURE)
    space = thing.namespace or "default"
    yield Alias(f"dns:{thing.name}.{space}.svc.cluster.local", _UNSURE)
    outer = [address_name(a) for a in words(thing.value, "spec", "externalIPs")]
    outer.append(address_name(text(thing.value, "spec", "loadBalancerIP")))
    for name in [*outer, *balancer_names(thing.value)]:
        if name:
            yield Alias(name, _UNSURE if is_private(name.removeprefix("ip:")) else 0.9)


def _gateway(thing: Thing) -> Iterator[Alias]:
    for row in rows(thing.value, "status", "addresses"):
        name = host_name(text(row, "value"))
        if name:
            yield Alias(name, _UNSURE if is_private(text(row, "value")) else 0.9)
