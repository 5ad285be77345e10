"""What stands before machines: load balancers, application gateways, firewalls, front doors.

Sources: learn.microsoft.com, "Load Balancer", "Application Gateway", "Azure Firewall DNAT rules",
"Azure Front Door origins".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.azure.resources import dicts, identifier, text
from secinbox.network.azure import walls
from secinbox.network.azure.security_groups import Guards
from secinbox.network.azure.tags import of_any_customer
from secinbox.network.ranges import ALL_PORTS, IntSet, addresses, is_wide
from secinbox.network.verdict import Verdict, either, no, unknown, yes
from secinbox.records import Evidence

_NET = "azure_microsoft_network_"
_PROTOCOLS = ("tcp", "udp")


@dataclass(frozen=True)
class Front:
    """A public way to a machine. `keeps`: the client's address arrives, so the Internet is what the
    machine's groups see; else it is `source`, a neighbour in the network."""

    item: Item
    shown: str
    keeps: bool
    protocols: tuple[str, ...] = _PROTOCOLS
    ports: IntSet = ALL_PORTS  # on the machine
    source: str = ""
    basic: bool = False
    gap: str = ""


class Fronts:
    """pool, address configuration, private address or host name -> the public fronts before it."""

    def __init__(self, estate: Estate, guards: Guards) -> None:
        self.estate, self.guards = estate, guards
        self.by_target: dict[str, list[Front]] = defaultdict(list)
        for item in estate.of_type(f"{_NET}loadbalancers"):
            for target, front in self._balancer(item):
                self.by_target[target].append(front)
        for item in estate.of_type(f"{_NET}applicationgateways"):
            for target, front in self._gateway(item):
                self.by_target[target].append(front)
        for item in estate.of_type(f"{_NET}azurefirewalls"):
            for target, front in self._firewall(item):
                self.by_target[target].append(front)
        self.doors = self._front_doors()
        self._origins()

    def address(self, uid: str) -> str:
        """The address of a public IP resource; empty where it has none now."""
        item = self.estate.find(uid)
        return text(item.config.get("ipAddress")) if item is not None else ""

    def _public(self, item: Item, key: str = "frontendIPConfigurations") -> dict[str, str]:
        """front configuration -> address shown."""
        out = {}
        for row in dicts(item.config.get(key)):
            name = identifier(row.get("publicIPAddress")) or identifier(row.get("publicIPPrefix"))
            if name:
                out[identifier(row.get("id"))] = self.address(name) or name.rsplit("/", 1)[-1]
        return out

    # Load balancers

    def _balancer(self, item: Item) -> Iterator[tuple[str, Front]]:
        fronts = self._public(item)
        sku = item.config.get("sku")
        basic = (text(sku.get("name")) if isinstance(sku, dict) else "Basic").lower() == "basic"
        for rule in _inbound(item):
            shown = fronts.get(identifier(rule.get("frontendIPConfiguration")))
            if shown is None:
                continue
            word = text(rule.get("protocol")).lower()
            port = rule.get("backendPort")
            whole = word == "all" or not isinstance(port, int) or port == 0
            ports = IntSet(((port, port),)) if isinstance(port, int) and not whole else ALL_PORTS
            front = Front(
                item, f"{shown}:{_port(rule)}",
                True, (word,) if word in _PROTOCOLS else _PROTOCOLS,
                ports, basic=basic)  # fmt: skip
            # A pool of NAT rules is what the configurations of a scale set name.
            targets = [rule.get("backendAddressPool"), *dicts(rule.get("backendAddressPools")),
                       rule.get("backendIPConfiguration"),
                       rule if "frontendPortRangeStart" in rule else None]  # fmt: skip
            for target in filter(None, map(identifier, targets)):
                yield target, front
                for member in self._members(item, target):
                    yield member, front

    @staticmethod
    def _members(item: Item, pool: str) -> Iterator[str]:
        """What a pool lists itself: address configurations, or addresses of a network."""
        for row in dicts(item.config.get("backendAddressPools")):
            if identifier(row.get("id")) != pool:
                continue
            for found in dicts(row.get("backendIPConfigurations")):
                yield identifier(found)
            for found in (*dicts(row.get("loadBalancerBackendAddresses")),
                          *dicts(row.get("backendAddresses"))):  # fmt: skip
                if text(found.get("ipAddress")):
                    yield f"ip:{found['ipAddress']}"
                if text(found.get("fqdn")):
                    yield f"dns:{text(found['fqdn']).lower()}"

    def balancer(self, item: Item) -> Verdict:
        """A load balancer by itself: a public front that some rule uses."""
        fronts = self._public(item)
        if not fronts:
            return no("it has private fronts only", item.uid)
        used = [r for r in _inbound(item) if identifier(r.get("frontendIPConfiguration")) in fronts]
        if not used:
            # Rules for traffic out use a public front, too, and let nobody in.
            if any(k in item.config for k in ("loadBalancingRules", "inboundNatRules",
                                              "outboundRules")):  # fmt: skip
                return no("no rule uses its public front", item.uid)
            return unknown("its rules were not read", item.uid)
        shown = fronts[identifier(used[0].get("frontendIPConfiguration"))]
        ports = ", ".join(dict.fromkeys(p for r in used if (p := _port(r))))
        return yes(Evidence(kind="route", text=f"public front at {shown}", source=item.uid,
                            ports=f"tcp {ports}" if ports else "",
                            steps=("Internet", shown, item.name)))  # fmt: skip

    # Application gateways

    def _gateway(self, item: Item) -> Iterator[tuple[str, Front]]:
        own = self.gateway(item)
        if own.value == "no":
            return
        shown = next(iter(self._public(item).values()), item.name)
        subnets = [identifier(r.get("subnet")) for r in dicts(
            item.config.get("gatewayIPConfigurations"))]  # fmt: skip
        source = next((self.guards.prefix(s) for s in subnets if s), "")
        gap = own.evidence[0].text if own.value == "unknown" else ""
        settings = {identifier(s.get("id")): s.get("port")
                    for s in dicts(item.config.get("backendHttpSettingsCollection"))}  # fmt: skip
        pools: dict[str, set[int]] = defaultdict(set)
        for rule in (*dicts(item.config.get("requestRoutingRules")), *(
            p for m in dicts(item.config.get("urlPathMaps")) for p in dicts(m.get("pathRules")))):  # fmt: skip
            port = settings.get(identifier(rule.get("backendHttpSettings")))
            if isinstance(port, int):
                pools[identifier(rule.get("backendAddressPool"))].add(port)
        for row in dicts(item.config.get("backendAddressPools")):
            pool = identifier(row.get("id"))
            ports = IntSet.of((p, p) for p in pools[pool]) if pools.get(pool) else ALL_PORTS
            front = Front(item, shown, False, ("tcp",), ports, source, gap=gap)
            yield pool, front
            for member in self._members(item, pool):
                yield member, front

    def gateway(self, item: Item) -> Verdict:
        """An application gateway by itself: public front, listener, group of its subnet."""
        if text(item.config.get("operationalState")).lower() == "stopped":
            return no("the gateway is stopped", item.uid)
        fronts = self._public(item)
        if not fronts:
            return no("it has private fronts only", item.uid)
        named = {identifier(p.get("id")): p.get("port") for p in dicts(
            item.config.get("frontendPorts"))}  # fmt: skip
        listeners = dicts(item.config.get("httpListeners"))
        used = [r for r in listeners if identifier(r.get("frontendIPConfiguration")) in fronts]
        if listeners and not used:
            return no("no listener uses its public front", item.uid)
        ports = [
            p for r in used if isinstance(p := named.get(identifier(r.get("frontendPort"))), int)
        ]
        for row in dicts(item.config.get("gatewayIPConfigurations")):
            guards = self.guards.of_subnet(identifier(row.get("subnet")))
            found, gap = self.guards.through(guards, frozenset(), "", item)
            if gap is not None:
                return gap
            if guards and not any(p in found.open["tcp"] for p in ports or (80, 443)):
                told = f"the group of its subnet admits only {found.some or 'its network'}"
                return no(told, item.uid, found.some)
        shut = walls.before_gateway(self.estate, item, used)
        if shut is not None:
            return shut
        shown = next(iter(fronts.values()))
        words = ", ".join(map(str, dict.fromkeys(ports)))
        return yes(Evidence(kind="route", text=f"public front at {shown}", source=item.uid,
                            ports=f"tcp {words}" if words else "",
                            steps=("Internet", shown, item.name)))  # fmt: skip

    # Firewalls

    def _nat_rules(self, item: Item) -> Iterator[dict[str, Any]]:
        for collection in dicts(item.config.get("natRuleCollections")):
            yield from dicts(collection.get("rules"))
        policy = identifier(item.config.get("firewallPolicy"))
        while policy:
            for group in self.estate.of_type(f"{_NET}firewallpolicies_rulecollectiongroups"):
                if not group.uid.startswith(policy + "/"):
                    continue
                for collection in dicts(group.config.get("ruleCollections")):
                    if (
                        text(collection.get("ruleCollectionType"))
                        .lower()
                        .endswith("natrulecollection")
                    ):
                        yield from dicts(collection.get("rules"))
            above = self.estate.find(policy)
            base = identifier(above.config.get("basePolicy")) if above is not None else ""
            policy = base if base != policy else ""

    def _firewall(self, item: Item) -> Iterator[tuple[str, Front]]:
        """Destination NAT: a port of the firewall's public address is one of a machine."""
        public = self._addresses(item)
        subnets = [identifier(r.get("subnet")) for r in dicts(item.config.get("ipConfigurations"))]
        source = next((self.guards.prefix(s) for s in subnets if s), "")
        for rule in self._nat_rules(item):
            gap = ""
            sources = _listed(rule, "sourceAddresses", "sourceIpAddresses")
            for name in _listed(rule, "sourceIpGroups"):
                group = self.estate.find(str(name).lower())
                listed = group.config.get("ipAddresses") if group is not None else None
                sources += [str(a) for a in listed] if isinstance(listed, list) else []
                if not isinstance(listed, list):
                    gap = f"the addresses of the group {str(name).rsplit('/', 1)[-1]} were not read"
            if gap == "" and not any(s == "*" or s.lower() == "internet" for s in sources) and not is_wide(
                addresses(sources, 4), 4) and not self._customers(sources):  # fmt: skip
                continue
            if any(s == "*" for s in sources) or is_wide(addresses(sources, 4), 4):
                gap = ""
            here = [d for d in _listed(rule, "destinationAddresses") if d in public or d == "*"]
            target = text(rule.get("translatedAddress")) or text(rule.get("translatedFqdn")).lower()
            if not target or not here:
                continue
            target = f"ip:{target}" if addresses([target], 4) else f"dns:{target}"
            port = str(rule.get("translatedPort") or "")
            words = [w.lower() for w in _listed(rule, "protocols", "ipProtocols")]
            shown = f"{here[0]}:{', '.join(_listed(rule, 'destinationPorts'))}"
            yield target, Front(
                item, shown, False, tuple(w for w in words if w in _PROTOCOLS) or _PROTOCOLS,
                IntSet(((int(port), int(port)),)) if port.isdigit() else ALL_PORTS, source, gap=gap)  # fmt: skip

    def _addresses(self, item: Item) -> set[str]:
        """Public addresses of a firewall in a network, or in a virtual hub."""
        found = {self.address(identifier(r.get("publicIPAddress"))) for r in (
            *dicts(item.config.get("ipConfigurations")),)}  # fmt: skip
        hub = item.config.get("hubIPAddresses")
        public = hub.get("publicIPs") if isinstance(hub, dict) else None
        if isinstance(public, dict):
            found |= {text(a.get("address")) for a in dicts(public.get("addresses"))}
        return found - {""}

    @staticmethod
    def _customers(sources: list[str]) -> bool:
        return any(of_any_customer(s) for s in sources)

    def firewall(self, item: Item) -> Verdict:
        """A firewall by itself: whether it lets somebody in to something."""
        ways = []
        for target, front in self._firewall(item):
            to = target.partition(":")[2]
            ways.append(unknown(front.gap, item.uid) if front.gap else yes(Evidence(
                kind="route", text=f"{front.shown} is translated to {to}", source=item.uid,
                steps=("Internet", front.shown, item.name))))  # fmt: skip
        if ways:
            return either(ways)
        if identifier(item.config.get("firewallPolicy")) and not self.estate.of_type(
            f"{_NET}firewallpolicies_rulecollectiongroups"):  # fmt: skip
            return unknown("the rules of its policy were not read", item.uid)
        return no("no rule translates an address for everyone", item.uid)

    # Front doors

    def _front_doors(self) -> dict[str, list[Item]]:
        """host name of an origin -> the profiles that forward to it."""
        out: dict[str, list[Item]] = defaultdict(list)
        for kind in ("cdn_profiles_origingroups_origins", "cdn_profiles_endpoints_origins"):
            for origin in self.estate.of_type(f"azure_microsoft_{kind}"):
                if text(origin.config.get("enabledState")).lower() == "disabled":
                    continue
                head = origin.uid.partition("/origingroups/")[0].partition("/endpoints/")[0]
                profile = self.estate.find(head) or origin
                host = text(origin.config.get("hostName")).lower()
                if not self._routed(origin.uid, head):
                    continue
                if host and profile not in out[host]:
                    out[host].append(profile)
        for item in self.estate.of_type(f"{_NET}frontdoors"):
            for pool in dicts(item.config.get("backendPools")):
                for row in dicts(pool.get("backends")):
                    if text(row.get("enabledState")).lower() != "disabled":
                        out[text(row.get("address")).lower()].append(item)
        return dict(out)

    def _routed(self, origin: str, profile: str) -> bool:
        """Whether a route that is on leads to the group of an origin, as far as routes were read."""
        group = origin.partition("/origins/")[0]
        routes = [r for r in self.estate.of_type("azure_microsoft_cdn_profiles_afdendpoints_routes")
                  if r.uid.startswith(profile + "/")
                  and identifier(r.config.get("originGroup")) == group]  # fmt: skip
        return not routes or any(
            text(r.config.get("enabledState")).lower() != "disabled" for r in routes
        )

    def _origins(self) -> None:
        """Addresses behind a front door, as far as they are told by address."""
        for host, profiles in self.doors.items():
            for profile in profiles:
                self.by_target[f"dns:{host}"].append(
                    Front(profile, profile.name, False, ("tcp",), source="AzureFrontDoor")
                )

    def door(self, item: Item) -> Verdict:
        """A front door endpoint answers everyone unless it is switched off or leads nowhere."""
        for key in ("enabledState", "resourceState"):
            if text(item.config.get(key)).lower() in ("disabled", "stopped"):
                return no("the endpoint is disabled", item.uid)
        routes = [r for r in self.estate.of_type("azure_microsoft_cdn_profiles_afdendpoints_routes")
                  if r.uid.startswith(item.uid + "/")]  # fmt: skip
        inline = dicts(item.config.get("routingRules"))
        states = [text(r.config.get("enabledState")) for r in routes]
        states += [text(r.get("enabledState")) for r in inline]
        if states and all(s.lower() == "disabled" for s in states):
            return no("none of its routes is switched on", item.uid)
        shut = walls.before_door(self.estate, item)
        if shut is not None:
            return shut
        host = text(item.config.get("hostName")) or item.name
        return yes(Evidence(kind="endpoint", text=f"{host} answers everyone", source=item.uid,
                            steps=("Internet", host), ports="tcp 80, 443"))  # fmt: skip


def _inbound(item: Item) -> list[dict[str, Any]]:
    """Rules that let somebody in: of balancing, of NAT, and pools of NAT rules of scale sets."""
    return [r for k in ("loadBalancingRules", "inboundNatRules", "inboundNatPools")
            for r in dicts(item.config.get(k))]  # fmt: skip


def _port(rule: dict[str, Any]) -> str:
    port = rule.get("frontendPort") or rule.get("frontendPortRangeStart")
    return str(port) if port else ""


def _listed(row: dict[str, Any], *keys: str) -> list[str]:
    for key in keys:
        if isinstance(row.get(key), list):
            return [str(v) for v in row[key]]
    return []
