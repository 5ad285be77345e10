"""Routers that are no part of Kubernetes: Istio, Traefik, Contour.

Their pods stand behind services like all others: a route is as open as the service through which
its router is reached. Where nobody knows which pods those are, it is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from secinbox.estate import Item
from secinbox.inventory.kubernetes.cluster import Runner, obj, objs, place_of, strs, word
from secinbox.network.kubernetes.addresses import addresses_of, closed, is_public
from secinbox.network.kubernetes.doors import Door
from secinbox.network.verdict import Verdict, either, no, unknown

if TYPE_CHECKING:
    from secinbox.network.kubernetes.clusters import Clusters

_TRAEFIK = ("kubernetes_ingressroute", "kubernetes_ingressroutetcp", "kubernetes_ingressrouteudp")
_NAMES = ("app.kubernetes.io/name", "app")


def judge(clusters: Clusters, direct: Mapping[str, Verdict]) -> None:
    """What all these routes mean for services and pods."""
    estate = clusters.estate
    for item in estate.of_type("kubernetes_virtualservice"):
        if item.config:
            _virtual_service(clusters, item, direct)
    for item in estate.of_type(*_TRAEFIK):
        if item.config:
            door = _named(clusters, item, "traefik", direct)
            clusters.forward(item, door, _services(clusters, item))
    for item in estate.of_type("kubernetes_httpproxy"):
        if item.config:
            _http_proxy(clusters, item, direct)


def _services(clusters: Clusters, item: Item) -> list[str]:
    return [u for u in clusters.estate.targets(item.uid, "routes_to") if "/service/" in u]


def _front(
    clusters: Clusters, item: Item, serving: list[str], shown: str, direct: Mapping[str, Verdict]
) -> Door:
    """A door as open as the services before the router's pods."""
    if not serving:
        return Door(unknown(f"how {shown} is reached was not read", item.uid), (), False, True)
    found = either([direct.get(u) or closed(clusters.services[u]) for u in serving])
    verdict = Verdict(found.value, found.evidence if found.value != "yes" else ())
    names = ", ".join(f"service/{clusters.services[u].name}" for u in serving[:2])
    controllers = {r.uid: r for u in serving for r in clusters.behind[u]}
    kind = item.type.removeprefix("kubernetes_")
    return Door(verdict, ("Internet", names, f"{kind}/{item.name}"), False, True,
                list(controllers.values()))  # fmt: skip


def _before(clusters: Clusters, cluster: str, wanted: Mapping[str, str]) -> list[str]:
    """Services of the cluster behind which pods with these labels are."""

    def fits(runner: Runner) -> bool:
        return all(runner.labels.get(k) == v for k, v in wanted.items())

    return [
        uid for uid in sorted(clusters.behind)
        if place_of(uid)[0] == cluster and any(fits(r) for r in clusters.behind[uid])
    ]  # fmt: skip


def _virtual_service(clusters: Clusters, item: Item, direct: Mapping[str, Verdict]) -> None:
    named = strs(item.config, "spec", "gateways")
    if not [n for n in named if n != "mesh"]:
        inner = Door(no("it is for traffic inside the mesh only", item.uid))
        clusters.forward(item, inner, [])
        return
    serving: list[str] = []
    for parent in clusters.estate.sources(item.uid, "routes_to"):
        gateway = clusters.estate.find(parent)
        selector = obj(gateway.config, "spec", "selector") if gateway else {}
        labels = {str(k): str(v) for k, v in selector.items()}
        if labels:
            serving += _before(clusters, place_of(item.uid)[0], labels)
    door = _front(clusters, item, sorted(set(serving)), "its Istio gateway", direct)
    clusters.forward(item, door, _services(clusters, item))


def _named(clusters: Clusters, item: Item, name: str, direct: Mapping[str, Verdict]) -> Door:
    """By the labels that the router's own charts give to its pods."""
    cluster = place_of(item.uid)[0]
    serving = {u for key in _NAMES for u in _before(clusters, cluster, {key: name})}
    return _front(clusters, item, sorted(serving), name, direct)


def _http_proxy(clusters: Clusters, item: Item, direct: Mapping[str, Verdict]) -> None:
    """A root has a host; the others count only as far as a root includes them."""
    estate = clusters.estate
    seen, found = {item.uid}, [item]
    if not word(item.config, "spec", "virtualhost", "fqdn"):
        return
    if word(item.config, "status", "currentStatus") == "invalid":
        clusters.forward(item, Door(no("Contour calls it invalid", item.uid)), [])
        return
    for proxy in found:  # grows while it is read
        for target in estate.targets(proxy.uid, "routes_to"):
            other = estate.find(target)
            if other is not None and other.type == item.type and other.uid not in seen:
                seen.add(other.uid)
                found.append(other)
    own = addresses_of(item)
    cluster = place_of(item.uid)[0]
    serving = sorted({u for a in own if (u := clusters.by_address.get((cluster, a), ""))})
    door = (
        _front(clusters, item, serving, "envoy", direct)
        if serving
        else _named(clusters, item, "envoy", direct)
    )
    if not serving and own and not any(is_public(a) for a in own) and not _hostnames(item):
        door.verdict = no(f"its address {', '.join(own)} is private", item.uid)
    backends = [u for proxy in found for u in _services(clusters, proxy)]
    clusters.forward(item, door, backends)


def _hostnames(item: Item) -> bool:
    return any(word(r, "hostname") for r in objs(item.config, "status", "loadBalancer", "ingress"))
