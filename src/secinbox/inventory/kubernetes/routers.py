"""Edges of routers that are no part of Kubernetes: Istio, Traefik, Contour.

Sources: istio.io "Virtual Service" and "Gateway", doc.traefik.io "IngressRoute", projectcontour.io
"HTTPProxy fundamentals".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from secinbox.inventory.kubernetes.fields import rows, text, words
from secinbox.inventory.kubernetes.objects import Thing

Edges = Iterable[tuple[str, str, str]]  # kind, source ("" is the object itself), target


def _virtual_service(thing: Thing) -> Edges:
    for name in words(thing.value, "spec", "gateways"):
        space, _, gateway = name.rpartition("/")
        if gateway != "mesh":
            yield "routes_to", thing.near("gateway", gateway, space), thing.uid
    for kind in ("http", "tcp", "tls"):
        for rule in rows(thing.value, "spec", kind):
            for target in rows(rule, "route"):
                service = _host(thing, text(target, "destination", "host"))
                if service:
                    yield "routes_to", "", service


def _host(thing: Thing, host: str) -> str:
    """`web`, `web.shop` or `web.shop.svc.cluster.local`; names outside lead nowhere here."""
    parts = host.split(".")
    inside = len(parts) <= 2 or parts[2:3] == ["svc"]
    if not parts[0] or parts[0] == "*" or not inside:
        return ""
    return thing.near("service", parts[0], parts[1] if len(parts) > 1 else "")


def _listed(thing: Thing) -> Edges:
    """`spec.routes[].services[]`, of Traefik and of Contour."""
    for route in rows(thing.value, "spec", "routes"):
        for service in rows(route, "services"):
            name, kind = text(service, "name"), text(service, "kind") or "Service"
            if name and kind == "Service":
                yield "routes_to", "", thing.near("service", name, text(service, "namespace"))


def _proxy(thing: Thing) -> Edges:
    yield from _listed(thing)
    for service in rows(thing.value, "spec", "tcpproxy", "services"):
        if text(service, "name"):
            yield "routes_to", "", thing.near("service", text(service, "name"))
    for part in rows(thing.value, "spec", "includes"):
        if text(part, "name"):
            other = thing.near("httpproxy", text(part, "name"), text(part, "namespace"))
            yield "routes_to", "", other


ROUTERS: dict[str, Callable[[Thing], Edges]] = {
    "VirtualService": _virtual_service,
    "IngressRoute": _listed,
    "IngressRouteTCP": _listed,
    "IngressRouteUDP": _listed,
    "HTTPProxy": _proxy,
}
