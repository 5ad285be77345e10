"""Virtual machines, scale sets and load balancers: public addresses, groups, rules, pools."""

from __future__ import annotations

from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.azure.resources import dicts, identifier, text
from secinbox.network.azure.security_groups import EVERYTHING, Admitted, admitted
from secinbox.network.verdict import Verdict, either, no, unknown, yes
from secinbox.records import Evidence

_NET = "azure_microsoft_network_"


def power(item: Item) -> str:
    """Why the machine does not run; empty where it does or nobody says."""
    config = item.config
    extended = config.get("extended")
    view = (
        extended.get("instanceView") if isinstance(extended, dict) else config.get("instanceView")
    )
    codes: list[str] = []
    if isinstance(view, dict):
        state = view.get("powerState")
        codes = [text(state.get("code"))] if isinstance(state, dict) else []
        codes += [text(s.get("code")) for s in dicts(view.get("statuses"))]
    codes.append(text(config.get("powerState")))
    for code in codes:
        word = code.lower().replace("powerstate/", "").replace("vm ", "")
        if word in ("deallocated", "stopped", "deallocating", "stopping"):
            return f"the machine is {word}"
    return ""


class Machines:
    """Interfaces, addresses and pools of an estate, and who reaches which machine."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.subnet_group: dict[str, str] = {}
        self.subnets: set[str] = set()
        for item in estate.of_type(f"{_NET}virtualnetworks"):
            for subnet in dicts(item.config.get("subnets")):
                self._subnet(subnet)
        for item in estate.of_type(f"{_NET}virtualnetworks_subnets"):
            self._subnet({"id": item.uid, **item.config})
        self.pools: dict[str, list[tuple[Item, str]]] = {}
        self._balancers()

    def _subnet(self, subnet: dict[str, Any]) -> None:
        name = identifier(subnet.get("id"))
        self.subnets.add(name)
        if identifier(subnet.get("networkSecurityGroup")):
            self.subnet_group[name] = identifier(subnet["networkSecurityGroup"])

    def _balancers(self) -> None:
        """pool or address configuration -> public fronts before it."""
        for item in self.estate.of_type(f"{_NET}loadbalancers", f"{_NET}applicationgateways"):
            fronts = {
                identifier(f.get("id")): self.address(identifier(f.get("publicIPAddress")))
                for f in dicts(item.config.get("frontendIPConfigurations"))
                if identifier(f.get("publicIPAddress"))
            }
            if not fronts:
                continue
            shown = next((a for a in fronts.values() if a), "its public address")
            for rule in dicts(item.config.get("loadBalancingRules")):
                if identifier(rule.get("frontendIPConfiguration")) in fronts:
                    for pool in (
                        rule.get("backendAddressPool"),
                        *dicts(rule.get("backendAddressPools")),
                    ):
                        self._front(identifier(pool), item, f"{shown}:{rule.get('frontendPort')}")
            for rule in dicts(item.config.get("inboundNatRules")):
                if identifier(rule.get("frontendIPConfiguration")) in fronts:
                    self._front(identifier(rule.get("backendIPConfiguration")), item,
                                f"{shown}:{rule.get('frontendPort')}")  # fmt: skip
            if item.type.endswith("applicationgateways"):
                for pool in dicts(item.config.get("backendAddressPools")):
                    self._front(identifier(pool), item, shown)

    def _front(self, pool: str, item: Item, shown: str) -> None:
        if pool:
            self.pools.setdefault(pool, []).append((item, shown))

    def address(self, uid: str) -> str:
        """The address of a public IP resource; empty where it has none now."""
        item = self.estate.find(uid)
        return text(item.config.get("ipAddress")) if item is not None else ""

    def basic(self, uid: str) -> bool | None:
        """Basic addresses are open without a group; None where the SKU was not read."""
        item = self.estate.find(uid)
        if item is None:
            return None
        sku = item.config.get("sku")
        return (text(sku.get("name")) if isinstance(sku, dict) else "Basic").lower() == "basic"

    def front(self, item: Item) -> Verdict:
        """A load balancer or application gateway by itself."""
        for front in dicts(item.config.get("frontendIPConfigurations")):
            name = identifier(front.get("publicIPAddress"))
            if name:
                shown = self.address(name) or name.rsplit("/", 1)[-1]
                return yes(Evidence(kind="route", text=f"public front at {shown}", source=item.uid,
                                    steps=("Internet", shown, item.name)))  # fmt: skip
        return no("it has private fronts only", item.uid)

    def machine(self, item: Item) -> Verdict:
        """All interfaces, by their own address and through balancers."""
        stopped = power(item)
        if stopped:
            return no(stopped, item.uid)
        profile = item.config.get("networkProfile")
        links = dicts(profile.get("networkInterfaces")) if isinstance(profile, dict) else []
        if not links:
            return unknown("its network interfaces were not read", item.uid)
        ways: list[Verdict] = []
        for link in links:
            interface = self.estate.find(identifier(link))
            if interface is None:
                ways.append(
                    unknown(f"{identifier(link).rsplit('/', 1)[-1]} was not read", item.uid)
                )
                continue
            group = identifier(interface.config.get("networkSecurityGroup"))
            for row in dicts(interface.config.get("ipConfigurations")):
                ways.append(self._configuration(item, row, group))
        return either(ways) if ways else no("no interface has an address", item.uid)

    def _configuration(self, item: Item, row: dict[str, Any], group: str) -> Verdict:
        public = identifier(row.get("publicIPAddress"))
        private = text(row.get("privateIPAddress"))
        subnet = identifier(row.get("subnet"))
        asgs = frozenset(identifier(g) for g in dicts(row.get("applicationSecurityGroups")))
        guards = [g for g in (group, self.subnet_group.get(subnet, "")) if g]
        pools = [identifier(p) for p in dicts(row.get("loadBalancerBackendAddressPools"))]
        pools += [identifier(p) for p in dicts(row.get("applicationGatewayBackendAddressPools"))]
        pools.append(identifier(row.get("id")))
        fronts = [f for p in pools for f in self.pools.get(p, ())]
        if not public and not fronts:
            return no("no public address and no public load balancer", item.uid)
        found, gap = self._through(guards, asgs, private, item)
        if gap is not None:
            return gap
        gateway = next((f for f in fronts if f[0].type.endswith("applicationgateways")), None)
        if gateway is not None and not public and not found.ports:
            # The gateway stands in the network: default rules admit it.
            found = EVERYTHING if not found.denied else found
        if not guards:
            basic = self.basic(public) if public else False
            if basic is None:
                return unknown("the SKU of its public address was not read", item.uid)
            if subnet and subnet not in self.subnets:
                return unknown("whether a group guards its subnet was not read", item.uid)
            if not basic and gateway is None:
                return no("a Standard address without a network security group is closed", item.uid)
        if not found.ports:
            told = f"denied by {found.denied}" if found.denied and not found.some else (
                f"network security groups admit only {found.some}" if found.some
                else "network security groups admit nobody from the Internet")  # fmt: skip
            return no(told, item.uid, found.some)
        if public:
            shown = self.address(public) or public.rsplit("/", 1)[-1]
            return yes(Evidence(
                kind="route", text=f"the Internet reaches {item.name} at {shown} on {found.ports}",
                source=item.uid, ports=found.ports,
                steps=("Internet", shown, *(f"rule {n}" for n in found.by[:3]), item.name)))  # fmt: skip
        front, shown = fronts[0]
        return yes(Evidence(
            kind="route", text=f"reached through {front.name} at {shown}", source=item.uid,
            via=(front.uid,), ports=found.ports, steps=("Internet", shown, front.name, item.name)))  # fmt: skip

    def _through(
        self, guards: list[str], asgs: frozenset[str], private: str, item: Item
    ) -> tuple[Admitted, Verdict | None]:
        found = EVERYTHING
        for name in guards:
            group = self.estate.find(name)
            if group is None or "securityRules" not in group.config:
                short = name.rsplit("/", 1)[-1]
                return found, unknown(f"network security group {short} was not read", item.uid)
            found = found.both(admitted(group, asgs, private))
        return found, None

    def scale_set(self, item: Item) -> Verdict:
        """The address configurations of the model, and balancers before it."""
        ways: list[Verdict] = []
        profile = item.config.get("virtualMachineProfile")
        network = profile.get("networkProfile") if isinstance(profile, dict) else None
        rows = (
            dicts(network.get("networkInterfaceConfigurations"))
            if isinstance(network, dict)
            else []
        )
        for row in rows:
            group = identifier(row.get("networkSecurityGroup"))
            for address in dicts(row.get("ipConfigurations")):
                own = address.get("publicIPAddressConfiguration")
                if isinstance(own, dict):
                    guards = [g for g in (group, self.subnet_group.get(
                        identifier(address.get("subnet")), "")) if g]  # fmt: skip
                    asgs = frozenset(identifier(g) for g in dicts(
                        address.get("applicationSecurityGroups")))  # fmt: skip
                    found, gap = self._through(guards, asgs, "", item)
                    if gap is not None:
                        ways.append(gap)
                    elif not guards:
                        ways.append(no("Standard addresses without a group are closed", item.uid))
                    elif found.ports:
                        ways.append(yes(Evidence(
                            kind="route", text=f"each machine has a public address, open on {found.ports}",
                            source=item.uid, ports=found.ports,
                            steps=("Internet", *(f"rule {n}" for n in found.by[:3]), item.name))))  # fmt: skip
                    else:
                        ways.append(no("network security groups admit nobody from the Internet",
                                       item.uid))  # fmt: skip
                else:
                    ways.append(self._configuration(item, address, group))
        return either(ways) if ways else unknown("its network configuration was not read", item.uid)
