"""Kubernetes: public_accessibility of services, ingresses, gateways, routes, pods and workloads.

A way in is an address outside (load balancer, external IP, node port, ingress, gateway), the source
ranges that it admits, pods with the labels of the service's selector, and network policies that let
it through to them. Sources: kubernetes.io "Service", "Ingress", "Network Policies", "Virtual IPs
and Service Proxies" (which source address a pod sees), gateway-api.sigs.k8s.io, and the providers'
documentation of their annotations. The Gateway API and other routers are extensions that most
clusters do not have: that none was read leaves no doubt; that no Ingress was read does.

Not looked at: host firewalls, and node ports of services of type LoadBalancer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.kubernetes.cluster import (
    ByLabel,
    Runner,
    at,
    labels_of,
    looked_at,
    named_only,
    near,
    notes_of,
    obj,
    objs,
    place_of,
    runners,
    selects,
    strs,
    word,
)
from secinbox.network.ranges import EMPTY, addresses, cidr_texts, clients, is_wide, parse_network
from secinbox.network.verdict import Verdict, both, either, no, unknown, yes
from secinbox.records import Evidence, RiskStatement

_AWS = "service.beta.kubernetes.io/aws-load-balancer-"
# Annotation -> values that make a load balancer internal (lower case).
_INTERNAL = {
    f"{_AWS}scheme": ("internal",),
    f"{_AWS}internal": ("true", "0.0.0.0/0"),
    "alb.ingress.kubernetes.io/scheme": ("internal",),
    "service.beta.kubernetes.io/azure-load-balancer-internal": ("true",),
    "appgw.ingress.kubernetes.io/use-private-ip": ("true",),
    "networking.gke.io/load-balancer-type": ("internal",),
    "cloud.google.com/load-balancer-type": ("internal",),
    "service.beta.kubernetes.io/do-loadbalancer-network": ("internal",),
    "service.beta.kubernetes.io/oci-load-balancer-internal": ("true",),
    "service.beta.kubernetes.io/openstack-internal-load-balancer": ("true",),
    "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type": ("intranet",),
    "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type": ("private",),
}
_SERVICE_RANGES = (
    "service.beta.kubernetes.io/load-balancer-source-ranges",
    "service.beta.kubernetes.io/azure-allowed-ip-ranges",
)
_INGRESS_RANGES = (
    "nginx.ingress.kubernetes.io/whitelist-source-range",
    "nginx.ingress.kubernetes.io/allowlist-source-range",
    "haproxy-ingress.github.io/allowlist-source-range",
    "haproxy.org/allow-list",
    "alb.ingress.kubernetes.io/inbound-cidrs",
)
_ROUTES = tuple(f"kubernetes_{k}route" for k in ("http", "grpc", "tcp", "tls", "udp"))


def exposure(estate: Estate) -> Iterator[RiskStatement]:
    """One statement an object, in order of uid."""
    verdicts = _Clusters(estate).verdicts()
    for uid in sorted(verdicts):
        yield verdicts[uid].statement(uid)


@dataclass
class _Door:
    """A way into services: where it stands open, and who asks the pod."""

    verdict: Verdict
    steps: tuple[str, ...] = ()
    local: bool = False  # the pod sees the client's address
    # Pods that forward (an ingress controller); empty when it is not known which.
    proxied: bool = False
    controllers: list[Runner] = field(default_factory=list)


class _Clusters:
    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.runners = runners(estate)
        self.by_label = ByLabel(self.runners)
        self.services = {i.uid: i for i in estate.of_type("kubernetes_service") if i.config}
        self.policies: dict[tuple[str, str], list[Item]] = defaultdict(list)
        for item in estate.of_type("kubernetes_networkpolicy"):
            self.policies[place_of(item.uid)].append(item)
        self.nodes: dict[str, list[Item]] = defaultdict(list)
        for item in estate.of_type("kubernetes_node"):
            if item.config:
                self.nodes[place_of(item.uid)[0]].append(item)
        runner_by_uid = {r.uid: r for r in self.runners if not r.idle}
        self.behind: dict[str, list[Runner]] = {}
        self.by_address: dict[tuple[str, str], str] = {}
        for uid, item in self.services.items():
            found = {
                r.uid: r for r in self.by_label.selected(uid, obj(item.config, "spec", "selector"))
            }
            for target in estate.targets(uid, "routes_to"):
                if target in runner_by_uid:
                    found[target] = runner_by_uid[target]
            self.behind[uid] = [found[u] for u in sorted(found)]
            for address in _addresses(item):
                self.by_address[place_of(uid)[0], address] = uid
        self.fronted = {r.uid for found in self.behind.values() for r in found}
        self.out: dict[str, list[Verdict]] = defaultdict(list)

    def verdicts(self) -> dict[str, Verdict]:
        for item in self.services.values():
            for door in self._direct(item):
                self._through(item, door)
        direct = {uid: either(found) for uid, found in self.out.items()}
        for item in self.estate.of_type("kubernetes_ingress"):
            if item.config:
                self._ingress(item, direct)
        self._gateways(direct)
        for item in self.estate.of_type("kubernetes_route"):
            gap = unknown(f"route/{item.name}: how its router is reached was not read", item.uid)
            for uid in self.estate.targets(item.uid, "routes_to"):
                if uid in self.services:
                    self._through(self.services[uid], _Door(gap))
        out = {uid: either(found) for uid, found in self.out.items() if found}
        for uid, item in self.services.items():
            out[uid] = self._service(item, out.get(uid))
        for runner in self.runners:
            out[runner.uid] = self._runner(runner, out.get(runner.uid))
        for item, pods in named_only(self.estate):
            found = [out[p] for p in pods if p in out]
            if found:
                out[item.uid] = either(found)
        return out

    # Doors of services.

    def _direct(self, item: Item) -> Iterator[_Door]:
        spec = obj(item.config, "spec")
        kind = word(spec, "type") or "ClusterIP"
        ports = ", ".join(str(at(p, "port")) for p in objs(spec, "ports") if at(p, "port"))
        local = word(spec, "externalTrafficPolicy") == "Local"
        if kind == "LoadBalancer":
            shown = ", ".join(_addresses(item))
            step = f"service/{item.name} (LoadBalancer{' ' + shown if shown else ''}) :{ports}"
            yield _Door(_load_balancer(item), ("Internet", step), local)
        if kind == "NodePort":
            node_ports = [str(at(p, "nodePort")) for p in objs(spec, "ports") if at(p, "nodePort")]
            verdict, node = self._nodes_public(item.uid)
            step = f"service/{item.name} (NodePort) :{', '.join(node_ports) or '?'}"
            yield _Door(verdict, ("Internet", node, step), local)
        outside = strs(spec, "externalIPs")
        if outside:
            public = [a for a in outside if _is_public(a)]
            names = ", ".join(public or outside)
            verdict = yes() if public else no(f"its external IPs {names} are private", item.uid)
            step = f"service/{item.name} (external IP {names}) :{ports}"
            yield _Door(verdict, ("Internet", step), local)

    def _nodes_public(self, uid: str, name: str = "") -> tuple[Verdict, str]:
        """Whether a node (or the named one) has a public address."""
        nodes = self.nodes[place_of(uid)[0]]
        if name:
            nodes = [n for n in nodes if n.name == name]
        for node in nodes:
            for row in objs(node.config, "status", "addresses"):
                address = word(row, "address")
                if word(row, "type") == "ExternalIP" and _is_public(address):
                    return yes(), f"node/{node.name} ({address})"
        if not nodes or not (name or looked_at(self.estate, near(uid, "node", "x", ""), "node")):
            return unknown("addresses of the nodes were not read", uid), ""
        return no("no node that it is on has a public address", uid), ""

    def _through(self, service: Item, door: _Door) -> None:
        """What a door means for a service and for each of its endpoints."""
        endpoints = self.behind[service.uid]
        if door.verdict.value == "no":
            self.out[service.uid].append(door.verdict)
            for runner in endpoints:
                self.out[runner.uid].append(door.verdict)
            return
        passed = []
        for runner in endpoints:
            ports = _target_ports(service, runner)
            steps = (*door.steps, runner.shown + (f" :{_numbers(ports)}" if ports else ""))
            verdict = both(
                [_route(door, steps, _open_ports(service)), self._admits(runner, ports, door)]
            )
            passed.append(verdict)
            self.out[runner.uid].append(verdict)
        if passed:
            self.out[service.uid].append(_few(passed))
        else:
            self.out[service.uid].append(
                both([_route(door, door.steps, _open_ports(service)), self._empty(service)])
            )

    def _empty(self, service: Item) -> Verdict:
        """A service behind which no pod is known."""
        spec = obj(service.config, "spec")
        if obj(spec, "selector"):
            if looked_at(self.estate, service.uid, "pod"):
                return no(
                    f"no running pod has the labels that service/{service.name} selects",
                    service.uid,
                )
        elif looked_at(self.estate, service.uid, "endpointslice") or looked_at(
            self.estate, service.uid, "endpoints"
        ):
            return no(
                f"service/{service.name} has neither selector nor endpoints of pods", service.uid
            )
        return yes(_gap(f"what stands behind service/{service.name} was not read", service.uid))

    def _service(self, item: Item, found: Verdict | None) -> Verdict:
        kind = word(item.config, "spec", "type") or "ClusterIP"
        if kind == "ExternalName":
            return no("it is only a name for something else", item.uid)
        missing = self._unread(item.uid)
        if found is not None and (found.value != "no" or not missing):
            return found
        if missing:
            return missing
        return no(
            f"{kind}: inside the cluster only, and no ingress or gateway leads to it", item.uid
        )

    def _unread(self, uid: str) -> Verdict | None:
        if looked_at(self.estate, uid, "ingress"):
            return None
        return unknown("ingresses were not read", uid)

    # Ingress and Gateway API.

    def _ingress(self, item: Item, direct: Mapping[str, Verdict]) -> None:
        verdict, controllers = self._front(item, _ingress_class(item), direct)
        verdict = both([verdict, _ranges(item, _INGRESS_RANGES, [])])
        shown = ", ".join(_addresses(item))
        step = f"ingress/{item.name}{f' ({shown})' if shown else ''}"
        backends = [u for u in self.estate.targets(item.uid, "routes_to") if u.startswith("k8s://")]
        self._forward(item, _Door(verdict, ("Internet", step), False, True, controllers), backends)

    def _front(
        self, item: Item, kind: str, direct: Mapping[str, Verdict]
    ) -> tuple[Verdict, list[Runner]]:
        """How the address of an ingress or gateway is reached, and the pods that serve it."""
        cluster = place_of(item.uid)[0]
        own = [self.by_address.get((cluster, a), "") for a in _addresses(item)]
        serving = sorted({u for u in own if u})
        verdict = _address(item, kind)
        if serving and verdict.value != "no":
            found = either([direct.get(u) or _closed(self.services[u]) for u in serving])
            verdict = Verdict(found.value, found.evidence if found.value != "yes" else ())
        return verdict, [r for u in serving for r in self.behind[u]]

    def _forward(self, item: Item, door: _Door, backends: list[str]) -> None:
        """From an ingress or route to its services; its own verdict comes from what it reaches."""
        known = [self.services[u] for u in backends if u in self.services]
        reached = []
        for service in known:
            step = f"service/{service.name} :{_open_ports(service)}"
            before = len(self.out[service.uid])
            self._through(service, replace(door, steps=(*door.steps, step)))
            reached += self.out[service.uid][before:]
        if door.verdict.value == "no":
            self.out[item.uid].append(door.verdict)
        elif reached:
            self.out[item.uid].append(_few(reached))
        elif backends and looked_at(self.estate, item.uid, "service"):
            self.out[item.uid].append(no("none of the services that it names exists", item.uid))
        else:
            gap = yes(_gap("what stands behind it was not read", item.uid))
            self.out[item.uid].append(both([_route(door, door.steps, ""), gap]))

    def _gateways(self, direct: Mapping[str, Verdict]) -> None:
        routes: dict[str, list[Item]] = defaultdict(list)
        for item in self.estate.of_type(*_ROUTES):
            parents = self.estate.sources(item.uid, "routes_to")
            for parent in parents:
                routes[parent].append(item)
            if item.config and not any(self.estate.find(p) for p in parents):
                gap = _Door(unknown("its gateway was not read", item.uid))
                self._forward(item, gap, self._backends(item))
        for item in self.estate.of_type("kubernetes_gateway"):
            if not item.config or word(item.config, "apiVersion").startswith("networking.istio"):
                continue
            kind = word(item.config, "spec", "gatewayClassName")
            verdict, controllers = self._front(item, kind, direct)
            shown = ", ".join(_addresses(item))
            ports = ", ".join(
                sorted({str(at(r, "port")) for r in objs(item.config, "spec", "listeners")})
            )
            step = f"gateway/{item.name}{f' ({shown})' if shown else ''} :{ports}"
            door = _Door(verdict, ("Internet", step), False, True, controllers)
            for route in routes.get(item.uid, ()):
                through = replace(
                    door,
                    verdict=both([verdict, _attached(item, route)]),
                    steps=(*door.steps, f"{route.type.removeprefix('kubernetes_')}/{route.name}"),
                )
                self._forward(route, through, self._backends(route))
            if verdict.value != "no" and not routes.get(item.uid):
                verdict = no("no route is attached to it", item.uid)
            elif verdict.value == "yes":
                verdict = either(v for r in routes[item.uid] for v in self.out[r.uid])
            self.out[item.uid].append(verdict)

    def _backends(self, route: Item) -> list[str]:
        return [u for u in self.estate.targets(route.uid, "routes_to") if "/service/" in u]

    # Network policies.

    def _admits(
        self, runner: Runner, ports: list[tuple[str, int | None, str]], door: _Door
    ) -> Verdict:
        """What the network policies of a pod say about traffic of this door."""
        if at(runner.spec, "hostNetwork") is True:
            return yes()  # policies do not hold for the host's network
        own = [
            p
            for p in self.policies.get(place_of(runner.uid), ())
            if selects(obj(p.config, "spec", "podSelector"), runner.labels)
            and ("Ingress" in (strs(p.config, "spec", "policyTypes") or ["Ingress"]))
        ]
        if not own:
            if looked_at(self.estate, runner.uid, "networkpolicy") or self.policies:
                return yes()
            return yes(_gap("network policies were not read", runner.uid))
        found: list[Verdict] = []
        partly = {4: EMPTY, 6: EMPTY}
        for policy in own:
            for rule in objs(policy.config, "spec", "ingress"):
                fits = _port_fits(rule, ports)
                if fits is False:
                    continue
                peers = objs(rule, "from")
                verdict = either([self._peer(p, policy, door) for p in peers]) if peers else yes()
                if fits is None:
                    verdict = both(
                        [verdict, unknown("which port it listens on was not read", runner.uid)]
                    )
                found.append(verdict)
                for peer in peers:
                    for version, allowed in partly.items():
                        partly[version] = allowed | clients(_block(peer, version), version)
        best = either(found) if found else Verdict("no")
        if best.value != "no":
            return best
        names = ", ".join(p.name for p in own)
        if not door.proxied and (partly[4] or partly[6]):
            texts = ", ".join(cidr_texts(s, v) for v, s in partly.items() if s)
            return no(f"network policy {names} admits {texts} only", own[0].uid, texts)
        return no(f"network policy {names} admits nothing from there", own[0].uid)

    def _peer(self, peer: Mapping[str, Any], policy: Item, door: _Door) -> Verdict:
        if "ipBlock" in peer:
            return self._block_admits(peer, policy, door)
        if not door.proxied:
            return Verdict("no")  # selectors are about pods of the cluster
        if not door.controllers:
            return unknown(
                f"whether network policy {policy.name} admits the ingress controller: "
                "which pods these are was not read", policy.uid,
            )  # fmt: skip
        return either([self._selected(peer, policy, c) for c in door.controllers])

    def _selected(self, peer: Mapping[str, Any], policy: Item, caller: Runner) -> Verdict:
        space = place_of(caller.uid)[1]
        if "podSelector" in peer and not selects(obj(peer, "podSelector"), caller.labels):
            return Verdict("no")
        if "namespaceSelector" not in peer:
            return yes() if space == place_of(policy.uid)[1] else Verdict("no")
        selector = obj(peer, "namespaceSelector")
        item = self.estate.find(near(caller.uid, "namespace", space, ""))
        labels = labels_of(item.config) if item else {}
        if selects(selector, labels | {"kubernetes.io/metadata.name": space}):
            return yes()
        if item is None or not item.config:
            return unknown(f"labels of namespace {space} were not read", policy.uid)
        return Verdict("no")

    def _block_admits(self, peer: Mapping[str, Any], policy: Item, door: _Door) -> Verdict:
        if parse_network(at(peer, "ipBlock", "cidr")) is None:
            return unknown(f"network policy {policy.name} has a CIDR that is none", policy.uid)
        sets = {v: _block(peer, v) for v in (4, 6)}
        if not door.proxied and any(is_wide(s, v) for v, s in sets.items()):
            return yes()
        if door.proxied and not door.controllers:
            if any(is_wide(s, v) for v, s in sets.items()) and not strs(peer, "ipBlock", "except"):
                return yes()
            return unknown(f"network policy {policy.name} admits addresses: whether those of the "
                           "ingress controller, was not read", policy.uid)  # fmt: skip
        if door.proxied:
            seen = [word(c.item.config, "status", "podIP") for c in door.controllers]
        elif door.local:
            return Verdict("no")
        else:  # the node that forwards stands for the client
            seen = [
                word(row, "address")
                for node in self.nodes[place_of(policy.uid)[0]]
                for row in objs(node.config, "status", "addresses")
                if word(row, "type") == "InternalIP"
            ]
        known = [a for a in map(_parsed, seen) if a is not None]
        if not known:
            return unknown(f"whether network policy {policy.name} admits the cluster's own "
                           "addresses was not read", policy.uid)  # fmt: skip
        return yes() if any(int(a) in sets[a.version] for a in known) else Verdict("no")

    # Pods and workloads.

    def _runner(self, runner: Runner, found: Verdict | None) -> Verdict:
        if runner.idle:
            return no(runner.idle, runner.uid)
        host = self._host(runner)
        ways = [v for v in (found, host) if v is not None]
        best = either(ways) if ways else None
        if best is not None and best.value != "no":
            return best
        if not looked_at(self.estate, runner.uid, "service"):
            return unknown("services were not read", runner.uid)
        if runner.uid in self.fronted:
            missing = self._unread(runner.uid)
            if missing:
                return missing
        return best or no("no service, ingress or port of the host leads to it", runner.uid)

    def _host(self, runner: Runner) -> Verdict | None:
        """hostNetwork and hostPort: open as far as the node is."""
        shared = at(runner.spec, "hostNetwork") is True
        ports = sorted({
            int(number)
            for c in runner.containers()
            for p in objs(c, "ports")
            for number in (at(p, "hostPort"), at(p, "containerPort") if shared else None)
            if isinstance(number, int) and number > 0
        })  # fmt: skip
        if not shared and not ports:
            return None
        verdict, node = self._nodes_public(runner.uid, word(runner.spec, "nodeName"))
        if verdict.value != "yes":
            return verdict
        what = (
            "the network of the host"
            if shared
            else f"port {', '.join(map(str, ports))} of the host"
        )
        return unknown(f"on {what}, {node}: which firewall the node has was not read", runner.uid)


def _route(door: _Door, steps: tuple[str, ...], ports: str) -> Verdict:
    if door.verdict.value != "yes":
        return door.verdict
    route = Evidence(kind="route", text=" → ".join(s for s in steps if s), ports=ports,
                     steps=tuple(s for s in steps if s))  # fmt: skip
    return Verdict("yes", (route, *door.verdict.evidence))


def _few(verdicts: list[Verdict]) -> Verdict:
    """Any way in; three of them are evidence enough for thousands of pods."""
    value = either(verdicts).value
    return either([v for v in verdicts if v.value == value][:3])


def _gap(text: str, source: str) -> Evidence:
    return Evidence(kind="gap", text=text, source=source)


def _parsed(text: str) -> Any:
    net = parse_network(text)
    return ip_address(net.network_address) if net is not None else None


def _is_public(text: str) -> bool:
    found = _parsed(text)
    return found is not None and bool(clients(addresses([text], found.version), found.version))


def _addresses(item: Item) -> list[str]:
    """What the status of a service, ingress or gateway says it is reached at."""
    rows = objs(item.config, "status", "loadBalancer", "ingress")
    found = [word(r, "ip") or word(r, "hostname") for r in rows]
    found += [word(r, "value") for r in objs(item.config, "status", "addresses")]
    return sorted({a for a in found if a})


def _internal(item: Item) -> str:
    notes = notes_of(item) | {
        k: str(v) for k, v in obj(item.config, "spec", "infrastructure", "annotations").items()
    }
    for key, values in _INTERNAL.items():
        if notes.get(key, "").strip().lower() in values:
            return f"{key}: {notes[key]}"
    return ""


def _address(item: Item, kind: str = "") -> Verdict:
    """Where it stands: an internal load balancer, a private address, a public one."""
    setting = _internal(item)
    if setting:
        return no(f"its load balancer is internal ({setting})", item.uid)
    found = _addresses(item)
    public = [a for a in found if _is_public(a)]
    names = [a for a in found if _parsed(a) is None and not a.startswith("internal-")]
    inner = {"internal", "private", "rilb"} & set(kind.lower().replace(".", "-").split("-"))
    if public or (names and not inner and names != ["localhost"]):
        return yes()
    if inner:
        return no(f"its class {kind} is internal", item.uid)
    if found:
        return no(f"its address {', '.join(found)} is private", item.uid)
    return unknown("it has no address yet", item.uid)


def _load_balancer(item: Item) -> Verdict:
    spec = obj(item.config, "spec")
    where = _address(item)
    wanted = word(spec, "loadBalancerIP")
    notes = notes_of(item)
    if where.value == "unknown" and wanted:
        where = yes() if _is_public(wanted) else no(f"its address {wanted} is private", item.uid)
    if (
        where.value != "no"
        and f"{_AWS}scheme" not in notes
        and (
            word(spec, "loadBalancerClass") == "service.k8s.aws/nlb"
            or notes.get(f"{_AWS}type") in ("external", "nlb-ip")
        )
        and f"{_AWS}internal" not in notes
    ):
        where = no(
            "the AWS Load Balancer Controller makes it internal unless told otherwise", item.uid
        )
    return both([where, _ranges(item, _SERVICE_RANGES, strs(spec, "loadBalancerSourceRanges"))])


def _ranges(item: Item, keys: tuple[str, ...], given: list[str]) -> Verdict:
    """Open unless source ranges are set and leave most of the Internet out."""
    notes = notes_of(item)
    if not given:
        for key in keys:
            given = [p.strip() for p in notes.get(key, "").split(",") if p.strip()]
            if given:
                break
    if not given:
        return yes()
    sets = {v: addresses(given, v) for v in (4, 6)}
    if any(is_wide(s, v) for v, s in sets.items()):
        return yes()
    wrong = [g for g in given if parse_network(g) is None]
    if wrong:
        return unknown(f"source range {wrong[0]} is no CIDR", item.uid)
    texts = ", ".join(cidr_texts(s, v) for v, s in sets.items() if s)
    public = ", ".join(cidr_texts(s, v) for v in sets if (s := clients(sets[v], v)))
    return no(f"it admits {texts} only", item.uid, public)


def _closed(service: Item) -> Verdict:
    return no(f"service/{service.name}, which serves it, has no address outside", service.uid)


def _ingress_class(item: Item) -> str:
    named = word(item.config, "spec", "ingressClassName")
    return named or notes_of(item).get("kubernetes.io/ingress.class", "")


def _attached(gateway: Item, route: Item) -> Verdict:
    """allowedRoutes of the listeners, and what the controller says about the route."""
    for row in objs(route.config, "status", "parents"):
        if word(row, "parentRef", "name") == gateway.name:
            for condition in objs(row, "conditions"):
                if word(condition, "type") == "Accepted" and word(condition, "status") == "False":
                    return no(f"gateway {gateway.name} did not accept it", route.uid)
    if place_of(route.uid) != place_of(gateway.uid):
        rules = {
            word(r, "allowedRoutes", "namespaces", "from") or "Same"
            for r in objs(gateway.config, "spec", "listeners")
        }
        if rules == {"Same"}:
            return no(f"gateway {gateway.name} takes routes of its own namespace only", gateway.uid)
    return yes()


def _open_ports(service: Item) -> str:
    rows = objs(service.config, "spec", "ports")
    return ", ".join(str(at(p, "port")) for p in rows if at(p, "port"))


def _target_ports(service: Item, runner: Runner) -> list[tuple[str, int | None, str]]:
    """Protocol, number and name of the ports of the pod that a service leads to."""
    named = {
        word(p, "name"): at(p, "containerPort")
        for c in runner.containers()
        for p in objs(c, "ports")
        if isinstance(at(p, "containerPort"), int)
    }
    by_number = {number: name for name, number in named.items() if name}
    out: list[tuple[str, int | None, str]] = []
    for row in objs(service.config, "spec", "ports"):
        target = at(row, "targetPort") or at(row, "port")
        if isinstance(target, str):
            number, name = named.get(target), target
        elif isinstance(target, int):
            number, name = target, by_number.get(target, "")
        else:
            number, name = None, ""
        out.append(
            (word(row, "protocol") or "TCP", number if isinstance(number, int) else None, name)
        )
    return out


def _numbers(ports: list[tuple[str, int | None, str]]) -> str:
    return ", ".join(str(number if number is not None else name) for _, number, name in ports)


def _port_fits(rule: Mapping[str, Any], ports: list[tuple[str, int | None, str]]) -> bool | None:
    """Whether a rule of a policy covers one of the ports; None when it cannot be told."""
    rows = objs(rule, "ports")
    if not rows:
        return True
    if not ports:
        return None
    doubt = False
    for row in rows:
        low = at(row, "port")
        for protocol, number, name in ports:
            if (word(row, "protocol") or "TCP") != protocol:
                continue
            if low is None or (isinstance(low, str) and low == name):
                return True
            if isinstance(low, int):
                high = at(row, "endPort") or low
                if number is None:
                    doubt = True
                elif isinstance(high, int) and low <= number <= high:
                    return True
    return None if doubt else False


def _block(peer: Mapping[str, Any], version: int) -> Any:
    cidr = at(peer, "ipBlock", "cidr")
    return addresses([cidr], version) - addresses(strs(peer, "ipBlock", "except"), version)
