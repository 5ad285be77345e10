"""Services, ingresses, gateways, routes, pods and workloads of clusters, judged together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from secinbox.estate import Estate, Item
from secinbox.inventory.kubernetes.cluster import (
    ByLabel,
    Runner,
    at,
    looked_at,
    named_only,
    obj,
    objs,
    place_of,
    runners,
    strs,
    word,
)
from secinbox.network.kubernetes import routers
from secinbox.network.kubernetes.addresses import (
    INGRESS_RANGES,
    addresses_of,
    closed,
    ingress_class,
    is_public,
    load_balancer,
    parsed,
    ranges,
    stands,
)
from secinbox.network.kubernetes.attaching import attached, served
from secinbox.network.kubernetes.doors import Door, few, gap_of, led
from secinbox.network.kubernetes.filters import Filters
from secinbox.network.kubernetes.nodes import Nodes
from secinbox.network.kubernetes.ports import asked, numbers, open_ports, target_ports
from secinbox.network.verdict import Verdict, both, either, no, unknown, yes


def _outward(host_address: str) -> bool:
    """Whether a port of the host may be reached from outside: not where it hangs on an inner address."""
    found = parsed(host_address)
    return found is None or found.is_unspecified or is_public(host_address)


_ROUTES = tuple(f"kubernetes_{k}route" for k in ("http", "grpc", "tcp", "tls", "udp"))


class Clusters:
    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.runners = runners(estate)
        self.by_label = ByLabel(self.runners)
        self.services = {i.uid: i for i in estate.of_type("kubernetes_service") if i.config}
        self.nodes = Nodes(estate)
        self.filters = Filters(estate, self.nodes.by_cluster)
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
            for address in addresses_of(item):
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
        routers.judge(self, direct)
        for item in self.estate.of_type("kubernetes_route"):
            gap = unknown(f"route/{item.name}: how its router is reached was not read", item.uid)
            for uid in self.estate.targets(item.uid, "routes_to"):
                if uid in self.services:
                    self._through(self.services[uid], Door(gap))
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

    def _direct(self, item: Item) -> Iterator[Door]:
        part = item.unfinished("spec")
        if part:
            yield Door(unknown(part, item.uid))
            return
        spec = obj(item.config, "spec")
        kind = word(spec, "type") or "ClusterIP"
        ports = ", ".join(str(at(p, "port")) for p in objs(spec, "ports") if at(p, "port"))
        local = word(spec, "externalTrafficPolicy") == "Local"
        if kind == "LoadBalancer":
            shown = ", ".join(addresses_of(item))
            step = f"service/{item.name} (LoadBalancer{' ' + shown if shown else ''}) :{ports}"
            yield Door(load_balancer(item), ("Internet", step), local)
        found = [(word(p, "protocol") or "TCP", at(p, "nodePort"))
                 for p in objs(spec, "ports") if isinstance(at(p, "nodePort"), int)]  # fmt: skip
        if kind == "NodePort" or (kind == "LoadBalancer" and found):
            # A balancer's service is open on its nodes too, for whoever reaches them.
            # Under the local policy a node without a pod of it drops what comes.
            homes = (
                word(r.spec, "nodeName") for r in self.behind[item.uid] if local and not r.idle
            )
            verdict, node, sure = self.nodes.public(
                item.uid, found, frozenset(h for h in homes if h)
            )
            if kind == "LoadBalancer" and verdict.value == "yes" and not sure:
                verdict = unknown(f"it is open on {node} too: which firewall that has was not read",
                                  item.uid)  # fmt: skip
            elif kind == "LoadBalancer" and verdict.value != "yes":
                verdict = no("no node's port of it is reached", item.uid)
            shown = ", ".join(str(number) for _, number in found)
            step = f"service/{item.name} (NodePort) :{shown or '?'}"
            yield Door(verdict, ("Internet", node, step), local)
        outside = strs(spec, "externalIPs")
        if outside:
            public = [a for a in outside if is_public(a)]
            names = ", ".join(public or outside)
            verdict = yes() if public else no(f"its external IPs {names} are private", item.uid)
            step = f"service/{item.name} (external IP {names}) :{ports}"
            yield Door(verdict, ("Internet", step), local)

    def _through(self, service: Item, door: Door) -> None:
        """What a door means for a service and for each of its endpoints."""
        endpoints = self.behind[service.uid]
        if door.verdict.value == "no":
            self.out[service.uid].append(door.verdict)
            for runner in endpoints:
                self.out[runner.uid].append(door.verdict)
            return
        passed = []
        for runner in endpoints:
            ports = target_ports(service, runner)
            steps = (*door.steps, runner.shown + (f" :{numbers(ports)}" if ports else ""))
            verdict = both(
                [led(door, steps, open_ports(service)), self.filters.admits(runner, ports, door)]
            )
            passed.append(verdict)
            self.out[runner.uid].append(verdict)
        if passed:
            self.out[service.uid].append(few(passed))
        else:
            self.out[service.uid].append(
                both([led(door, door.steps, open_ports(service)), self._empty(service)])
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
        return yes(gap_of(f"what stands behind service/{service.name} was not read", service.uid))

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
        verdict, controllers = self._front(item, ingress_class(item), direct)
        verdict = both([verdict, ranges(item, INGRESS_RANGES, [])])
        shown = ", ".join(addresses_of(item))
        step = f"ingress/{item.name}{f' ({shown})' if shown else ''}"
        named = [u for u in self.estate.targets(item.uid, "routes_to") if u.startswith("k8s://")]
        backends = [u for u in named if u not in self.services or asked(item, self.services[u])]
        if named and not backends:
            text = "none of the services that it names has the port that it names"
            self.out[item.uid].append(no(text, item.uid))
            return
        self.forward(item, Door(verdict, ("Internet", step), False, True, controllers), backends)

    def _front(
        self, item: Item, kind: str, direct: Mapping[str, Verdict]
    ) -> tuple[Verdict, list[Runner]]:
        """How the address of an ingress or gateway is reached, and the pods that serve it."""
        cluster = place_of(item.uid)[0]
        own = [self.by_address.get((cluster, a), "") for a in addresses_of(item)]
        serving = sorted({u for u in own if u})
        verdict = stands(item, kind)
        if serving and verdict.value != "no":
            found = either([direct.get(u) or closed(self.services[u]) for u in serving])
            verdict = Verdict(found.value, found.evidence if found.value != "yes" else ())
        return verdict, [r for u in serving for r in self.behind[u]]

    def forward(self, item: Item, door: Door, backends: list[str]) -> None:
        """From an ingress or route to its services; its own verdict comes from what it reaches."""
        known = [self.services[u] for u in backends if u in self.services]
        reached = []
        for service in known:
            step = f"service/{service.name} :{open_ports(service)}"
            before = len(self.out[service.uid])
            self._through(service, replace(door, steps=(*door.steps, step)))
            reached += self.out[service.uid][before:]
        if door.verdict.value == "no":
            self.out[item.uid].append(door.verdict)
        elif reached:
            self.out[item.uid].append(few(reached))
        elif backends and looked_at(self.estate, item.uid, "service"):
            self.out[item.uid].append(no("none of the services that it names exists", item.uid))
        else:
            gap = yes(gap_of("what stands behind it was not read", item.uid))
            self.out[item.uid].append(both([led(door, door.steps, ""), gap]))

    def _gateways(self, direct: Mapping[str, Verdict]) -> None:
        routes: dict[str, list[Item]] = defaultdict(list)
        for item in self.estate.of_type(*_ROUTES):
            parents = self.estate.sources(item.uid, "routes_to")
            for parent in parents:
                routes[parent].append(item)
            if item.config and not any(self.estate.find(p) for p in parents):
                self._serve(item, Door(self._lone(item)))
        for item in self.estate.of_type("kubernetes_gateway"):
            if not item.config or word(item.config, "apiVersion").startswith("networking.istio"):
                continue
            kind = word(item.config, "spec", "gatewayClassName")
            verdict, controllers = self._front(item, kind, direct)
            shown = ", ".join(addresses_of(item))
            ports = ", ".join(
                sorted({str(at(r, "port")) for r in objs(item.config, "spec", "listeners")})
            )
            step = f"gateway/{item.name}{f' ({shown})' if shown else ''} :{ports}"
            door = Door(verdict, ("Internet", step), False, True, controllers)
            for route in routes.get(item.uid, ()):
                through = replace(
                    door,
                    verdict=both([verdict, attached(self.estate, item, route)]),
                    steps=(*door.steps, f"{route.type.removeprefix('kubernetes_')}/{route.name}"),
                )
                self._serve(route, through)
            if verdict.value != "no" and not routes.get(item.uid):
                read = any(looked_at(self.estate, item.uid, k.partition("_")[2]) for k in _ROUTES)
                verdict = (
                    no("no route is attached to it", item.uid)
                    if read
                    else unknown("routes were not read", item.uid)
                )
            elif verdict.value == "yes":
                verdict = either(v for r in routes[item.uid] for v in self.out[r.uid])
            self.out[item.uid].append(verdict)

    def _lone(self, route: Item) -> Verdict:
        """A route none of whose parents is there."""
        kinds = {word(r, "kind") or "Gateway" for r in objs(route.config, "spec", "parentRefs")}
        if kinds and "Gateway" not in kinds:
            return no(f"it is for traffic inside the mesh ({', '.join(sorted(kinds))})", route.uid)
        if looked_at(self.estate, route.uid, "gateway"):
            return no("the gateway that it names does not exist", route.uid)
        return unknown("its gateway was not read", route.uid)

    def _serve(self, route: Item, door: Door) -> None:
        """To each service that the route names, as far as it may send requests there."""
        found = list(served(self.estate, route))
        if not found:
            self.forward(route, door, [])
        for uid, may in found:
            self.forward(route, replace(door, verdict=both([door.verdict, may])), [uid])

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

    def _homes(self, runner: Runner) -> frozenset[str]:
        """The nodes of a pod, or of those that a workload has made; empty where nobody saw one."""
        alike = self.by_label.selected(runner.uid, runner.labels) if runner.labels else []
        found = (word(r.spec, "nodeName") for r in (runner, *alike) if not r.idle)
        own = word(runner.spec, "nodeName")
        return frozenset({own} if own else (n for n in found if n))

    def _host(self, runner: Runner) -> Verdict | None:
        """hostNetwork and hostPort: open as far as the node is."""
        shared = at(runner.spec, "hostNetwork") is True
        asked = sorted({
            (word(p, "protocol") or "TCP", int(number))
            for c in runner.containers()
            for p in objs(c, "ports")
            for number in (at(p, "hostPort"), at(p, "containerPort") if shared else None)
            if isinstance(number, int) and number > 0 and _outward(word(p, "hostIP"))
        })  # fmt: skip
        ports = sorted({number for _, number in asked})
        if not shared and not ports:
            return None
        homes = self._homes(runner)
        verdict, node, sure = self.nodes.public(runner.uid, asked, homes)
        if verdict.value != "yes":
            return verdict
        what = (
            "the network of the host"
            if shared
            else f"port {', '.join(map(str, ports))} of the host"
        )
        placed = bool(homes) or not obj(runner.spec, "nodeSelector")
        if sure or (placed and self.nodes.of_no_cloud(runner.uid)):
            shown = f"tcp {', '.join(map(str, ports))}"
            door = Door(yes(), ("Internet", node, runner.shown))
            return led(door, (*door.steps, f"on {what}"), shown)
        return unknown(f"on {what}, {node}: which firewall the node has was not read", runner.uid)
