"""Gateway API: which listener of a gateway takes a route, and which services a route may reach.

Source: gateway-api.sigs.k8s.io, "Attaching routes to gateways", "Hostnames" and "ReferenceGrant".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.kubernetes.cluster import (
    at,
    labels_of,
    looked_at,
    near,
    obj,
    objs,
    place_of,
    selects,
    strs,
    word,
)
from secinbox.network.verdict import Verdict, either, no, unknown, yes

# What a listener takes when it does not say.
_KINDS = {
    "HTTP": ("httproute", "grpcroute"), "HTTPS": ("httproute", "grpcroute"),
    "TLS": ("tlsroute", "tcproute"), "TCP": ("tcproute",), "UDP": ("udproute",),
}  # fmt: skip


def attached(estate: Estate, gateway: Item, route: Item) -> Verdict:
    """Does a listener of the gateway take the route, and did its controller not refuse it?"""
    for row in objs(route.config, "status", "parents"):
        if word(row, "parentRef", "name") == gateway.name:
            for condition in objs(row, "conditions"):
                if word(condition, "type") == "Accepted" and word(condition, "status") == "False":
                    return no(f"gateway {gateway.name} did not accept it", route.uid)
    space = place_of(route.uid)[1]
    references = [
        r
        for r in objs(route.config, "spec", "parentRefs")
        if word(r, "name") == gateway.name
        and (word(r, "namespace") or space) == place_of(gateway.uid)[1]
    ]
    listeners = objs(gateway.config, "spec", "listeners")
    taken = [_takes(estate, gateway, li, route, r) for r in references for li in listeners]
    if not taken:
        return no(f"gateway {gateway.name} has no listener for it", gateway.uid)
    return either(taken)


def _takes(
    estate: Estate,
    gateway: Item,
    listener: Mapping[str, Any],
    route: Item,
    reference: Mapping[str, Any],
) -> Verdict:
    name = word(listener, "name")
    called = f"listener {name or at(listener, 'port')} of gateway {gateway.name}"
    section, port = word(reference, "sectionName"), at(reference, "port")
    if section and section != name:
        return no(f"the route names listener {section}, not {called}", route.uid)
    if isinstance(port, int) and port != at(listener, "port"):
        return no(f"the route names port {port}, not {called}", route.uid)
    kind = route.type.removeprefix("kubernetes_")
    kinds = [word(k, "kind").lower() for k in objs(listener, "allowedRoutes", "kinds")]
    protocol = word(listener, "protocol").upper()
    if kind not in (kinds or _KINDS.get(protocol, (kind,))):
        return no(f"{called} takes no {kind}", gateway.uid)
    ours, theirs = word(listener, "hostname").lower(), strs(route.config, "spec", "hostnames")
    if ours and theirs and not any(_meet(ours, t.lower()) for t in theirs):
        return no(f"{called} is for {ours} only", gateway.uid)
    return _admits(estate, gateway, listener, route, called)


def _admits(
    estate: Estate, gateway: Item, listener: Mapping[str, Any], route: Item, called: str
) -> Verdict:
    """The namespaces from which a listener takes routes."""
    space, home = place_of(route.uid)[1], place_of(gateway.uid)[1]
    rule = word(listener, "allowedRoutes", "namespaces", "from") or "Same"
    if rule == "All" or (rule == "Same" and space == home):
        return yes()
    if rule != "Selector":
        return no(f"{called} takes routes of its own namespace only", gateway.uid)
    item = estate.find(near(route.uid, "namespace", space, ""))
    labels = (labels_of(item.config) if item else {}) | {"kubernetes.io/metadata.name": space}
    if selects(obj(listener, "allowedRoutes", "namespaces", "selector"), labels):
        return yes()
    if item is None or not item.config:
        return unknown(f"labels of namespace {space} were not read", gateway.uid)
    return no(f"{called} does not select namespace {space}", gateway.uid)


def _meet(one: str, other: str) -> bool:
    """Whether two host names, each perhaps `*.domain`, have a name in common."""
    if one.startswith("*.") and other.startswith("*."):
        return one.endswith(other[1:]) or other.endswith(one[1:])
    if one.startswith("*."):
        return other.endswith(one[1:])
    if other.startswith("*."):
        return one.endswith(other[1:])
    return one == other


def served(estate: Estate, route: Item) -> Iterator[tuple[str, Verdict]]:
    """(uid of a service, may the route send requests to it)."""
    space = place_of(route.uid)[1]
    for rule in objs(route.config, "spec", "rules"):
        for backend in objs(rule, "backendRefs"):
            kind, name = word(backend, "kind") or "Service", word(backend, "name")
            if kind != "Service" or not name:
                continue
            target = word(backend, "namespace") or space
            uid = near(route.uid, "service", name, target)
            service, port = estate.find(uid), at(backend, "port")
            ports = [
                at(p, "port") for p in objs(service.config if service else {}, "spec", "ports")
            ]
            if ports and isinstance(port, int) and port not in ports:
                yield uid, no(f"service {name} has no port {port}", route.uid)
            elif at(backend, "weight") == 0:
                yield uid, no(f"the route gives {name} no requests (weight 0)", route.uid)
            elif target == space:
                yield uid, yes()
            else:
                yield uid, _granted(estate, route, uid, name)


def _granted(estate: Estate, route: Item, service: str, name: str) -> Verdict:
    """A service of another namespace must be granted to routes from here."""
    (_, space), (_, target) = place_of(route.uid), place_of(service)
    kind = route.type.removeprefix("kubernetes_")
    for grant in estate.of_type("kubernetes_referencegrant"):
        if place_of(grant.uid) != place_of(service):
            continue
        comes = any(
            word(f, "namespace") == space and word(f, "kind").lower() == kind
            for f in objs(grant.config, "spec", "from")
        )
        goes = any(
            word(t, "kind") == "Service" and word(t, "name") in ("", name)
            for t in objs(grant.config, "spec", "to")
        )
        if comes and goes:
            return yes()
    if not looked_at(estate, service, "referencegrant"):
        return unknown(f"ReferenceGrants of namespace {target} were not read", route.uid)
    return no(f"no ReferenceGrant of namespace {target} lets routes of {space} use it", route.uid)
