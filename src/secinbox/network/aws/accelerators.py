"""Global Accelerator: addresses that anyone reaches, before balancers and machines of private subnets too.

Where the client's address is kept (always for machines and internal balancers), groups and ACLs of the
endpoint still decide; its subnet needs no route to an Internet gateway, but its network needs one that is
attached. Source: AWS Global Accelerator Developer Guide, "Secure VPC connections", "Preserve client IP
addresses". An accelerator that nobody listed is taken for absent: almost no estate has one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from secinbox.estate import Item
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.compute import groups_of, interfaces_of, running
from secinbox.network.aws.openings import Door, entries
from secinbox.network.aws.vpc import Network
from secinbox.network.ranges import EMPTY
from secinbox.network.verdict import Verdict, both, either, no, unknown, yes
from secinbox.records import Evidence

TYPE = "aws_globalaccelerator_accelerator"


@dataclass(frozen=True)
class Entrance:
    """A port of an accelerator that leads to a port of an endpoint."""

    accelerator: Item
    endpoint: str
    port: int
    inner: int
    protocol: str  # tcp | udp
    keeps_client: bool
    shut: str = ""  # why nothing goes there


class Accelerators:
    """Entrances by endpoint: ARN of a balancer, id of a machine."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.to: dict[str, list[Entrance]] = defaultdict(list)
        self._found: dict[str, list[Verdict]] = defaultdict(list)  # by accelerator
        self._met: set[str] = set()  # endpoints that the inventory has
        self.items = [i for i in network.estate.of_type(TYPE) if i.config]
        for item in self.items:
            for entrance in _entrances(item):
                self.to[entrance.endpoint].append(entrance)

    def instance(self, item: Item) -> list[Verdict]:
        """Ways to a machine: the client is kept, so its own groups must admit everyone."""
        out = []
        for entrance in self.to.get(str(item.config.get("InstanceId") or ""), ()):
            for interface in interfaces_of(self.network, item)[:1]:
                subnet = str(interface.get("SubnetId") or "")
                gate = self._kept(subnet, groups_of(interface), entrance)
                out.append(
                    self._kept_in_mind(entrance, both([running(item), gate, _way(entrance, item)]))
                )
        return out

    def _kept_in_mind(self, entrance: Entrance, verdict: Verdict) -> Verdict:
        self._met.add(entrance.endpoint)
        self._found[entrance.accelerator.uid].append(verdict)
        return verdict

    def balancer(self, item: Item, port: int | None, subnets: list[str]) -> list[Verdict]:
        """Ways to a balancer's port; `port`: None for any."""
        groups = [str(g) for g in item.config.get("SecurityGroups") or []]
        bare = not groups and item.config.get("Type") == "network"
        out = []
        for entrance in self.to.get(item.uid, ()):
            if port is not None and entrance.inner != port:
                continue
            ways = [
                self._kept(s, groups, entrance, bare)
                if entrance.keeps_client or bare
                else self._from_service(s, groups, entrance)
                for s in subnets
            ]
            known = either(ways) if ways else unknown("its subnets were not read", item.uid)
            out.append(self._kept_in_mind(entrance, both([known, _way(entrance, item)])))
        return out

    def _kept(
        self, subnet: str, groups: list[str], entrance: Entrance, bare: bool = False
    ) -> Verdict:
        """The endpoint sees the client himself."""
        door = Door(frozenset(groups), 4, entrance.inner, (entrance.protocol,), bare)
        if not groups and not bare:
            return unknown("its security groups were not read", subnet)
        return both(
            [self.network.routes.gateway_near(subnet), self.network.inner_way(subnet, door)]
        )

    def _from_service(self, subnet: str, groups: list[str], entrance: Entrance) -> Verdict:
        """The endpoint sees addresses of the accelerator, which nobody lists here."""
        kept = self._kept(subnet, groups, entrance)
        some = self.network.security.admits_from(
            groups, entrance.inner, EMPTY, 4, [], entrance.protocol
        )
        if kept.value == "no" and some is not False:
            return unknown(
                "whether its groups admit the accelerator's addresses is not known", subnet
            )
        return kept

    def verdicts(self) -> Iterator[tuple[str, Verdict]]:
        """Of each accelerator, after its endpoints: open where one of them lets clients in."""
        for item in self.items:
            found = list(self._found.get(item.uid, ()))
            if item.config.get("Enabled") is False:
                found = [no("the accelerator is switched off", item.uid)]
            elif not isinstance(item.config.get("list_listeners"), dict):
                found = [unknown("its listeners were not read", item.uid)]
            else:
                missing = sorted({e.endpoint for e in _entrances(item)} - self._met)
                found += [unknown(f"its endpoint {m} was not read", item.uid) for m in missing]
            whole = either(found) if found else no("it has no endpoint", item.uid)
            if whole.value == "yes":
                first = whole.evidence[0]
                whole = yes(Evidence(
                    kind="route", text=f"its addresses lead to an endpoint: {first.text}",
                    source=item.uid, steps=first.steps[:2], ports=first.ports))  # fmt: skip
            yield item.uid, whole


def _way(entrance: Entrance, target: Item) -> Verdict:
    if entrance.shut:
        return no(entrance.shut, entrance.accelerator.uid)
    name = str(entrance.accelerator.config.get("Name") or entrance.accelerator.name)
    ports = f"{entrance.protocol} {entrance.port}"
    return yes(Evidence(
        kind="route", text=f"reached through the accelerator {name} on {ports}", source=target.uid,
        steps=("Internet", f"{name} {ports}", f"{target.name} {entrance.protocol} {entrance.inner}"),
        via=(entrance.accelerator.uid,), ports=ports,
    ))  # fmt: skip


def _entrances(item: Item) -> Iterator[Entrance]:
    off = "the accelerator is switched off" if item.config.get("Enabled") is False else ""
    for listener in walk(item.config, "list_listeners.Listeners[]"):
        if not isinstance(listener, dict):
            continue
        protocol = str(listener.get("Protocol") or "TCP").lower()
        told = item.config.get(f"list_endpoint_groups:{listener.get('ListenerArn')}")
        groups = told.get("EndpointGroups") if isinstance(told, dict) else None
        for group in entries(groups):
            dial = group.get("TrafficDialPercentage")
            none = "the accelerator sends no traffic to that region" if dial == 0 else ""
            moved = {o.get("ListenerPort"): o.get("EndpointPort")
                     for o in entries(group.get("PortOverrides"))}  # fmt: skip
            for endpoint in entries(group.get("EndpointDescriptions")):
                weight = "the endpoint's weight is 0" if endpoint.get("Weight") == 0 else ""
                base = Entrance(item, str(endpoint.get("EndpointId") or ""), 0, 0, protocol,
                                endpoint.get("ClientIPPreservationEnabled") is not False,
                                off or none or weight)  # fmt: skip
                for port in _ports(listener):
                    inner: Any = moved.get(port, port)
                    yield replace(base, port=port, inner=int(inner))


def _ports(listener: dict[str, Any]) -> Iterator[int]:
    """Single ports, and the ends and the usual ports of ranges."""
    for row in entries(listener.get("PortRanges")):
        low, high = row.get("FromPort"), row.get("ToPort")
        if isinstance(low, int) and isinstance(high, int):
            wanted = {low, high, *(p for p in _USUAL if low <= p <= high)}
            yield from sorted(wanted)


_USUAL = (22, 80, 443, 3389, 8080, 8443)
