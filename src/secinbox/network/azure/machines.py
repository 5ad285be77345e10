"""Virtual machines and scale sets: public addresses, groups, what stands before them."""

from __future__ import annotations

from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.azure.resources import dicts, identifier, text
from secinbox.network.azure.applications import FRONT_DOOR
from secinbox.network.azure.balancers import Front, Fronts
from secinbox.network.azure.routes import returning
from secinbox.network.azure.rules import ANY_CUSTOMER
from secinbox.network.azure.security_groups import Admitted, Guards
from secinbox.network.ranges import EMPTY, port_text
from secinbox.network.verdict import Verdict, either, no, unknown, yes
from secinbox.records import Evidence


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
    """Who reaches which machine."""

    def __init__(self, estate: Estate, guards: Guards, fronts: Fronts) -> None:
        self.estate, self.guards, self.fronts = estate, guards, fronts

    def basic(self, uid: str) -> bool | None:
        """Basic addresses are open without a group; None where the SKU was not read."""
        item = self.estate.find(uid)
        if item is None:
            return None
        sku = item.config.get("sku")
        return (text(sku.get("name")) if isinstance(sku, dict) else "Basic").lower() == "basic"

    def machine(self, item: Item) -> Verdict:
        """All interfaces, by their own address and through fronts."""
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
            group = identifier(interface.config.get("networkSecurityGroup")) or (
                self.guards.of_interface.get(interface.uid, "")
            )
            for row in dicts(interface.config.get("ipConfigurations")):
                ways.append(self._configuration(item, row, group))
        return either(ways) if ways else no("no interface has an address", item.uid)

    def _configuration(self, item: Item, row: dict[str, Any], group: str) -> Verdict:
        """One address of a machine: directly, then by each front before it."""
        public = identifier(row.get("publicIPAddress"))
        private = text(row.get("privateIPAddress"))
        subnet = identifier(row.get("subnet"))
        asgs = frozenset(identifier(g) for g in dicts(row.get("applicationSecurityGroups")))
        guards = [g for g in (group, *self.guards.of_subnet(subnet)) if g]
        names = [identifier(p) for p in dicts(row.get("loadBalancerBackendAddressPools"))]
        for key in ("loadBalancerInboundNatRules", "loadBalancerInboundNatPools"):
            names += [identifier(p) for p in dicts(row.get(key))]
        names += [identifier(p) for p in dicts(row.get("applicationGatewayBackendAddressPools"))]
        names += [identifier(row.get("id")), f"ip:{private}" if private else ""]
        found = [f for n in dict.fromkeys(names) if n for f in self.fronts.by_target.get(n, ())]
        ways = []
        if public:
            ways.append(self._direct(item, public, guards, asgs, private, subnet))
        ways += [self._behind(item, f, guards, asgs, private, subnet) for f in found]
        return either(ways) if ways else no(
            "no public address and no public load balancer", item.uid)  # fmt: skip

    def _admitted(self, item: Item, guards: list[str], asgs: frozenset[str], private: str,
                  subnet: str, version: int = 4) -> tuple[Admitted, Verdict | None, str]:  # fmt: skip
        """What gets in, a gap, and who: everyone, or only customers of Azure."""
        for customers, who in ((False, "Internet"), (True, ANY_CUSTOMER)):
            found, gap = self.guards.through(guards, asgs, private, item, version, customers)
            if gap is not None:
                return found, gap, who
            found = self.guards.overruled(subnet, found)
            if found.ports or customers:
                break
        if not found.ports:
            found, _ = self.guards.through(guards, asgs, private, item, version)
            found = self.guards.overruled(subnet, found)
        return found, None, who

    def _direct(self, item: Item, public: str, guards: list[str], asgs: frozenset[str],
                private: str, subnet: str) -> Verdict:  # fmt: skip
        known = self.estate.find(public)
        six = (
            known is not None and text(known.config.get("publicIPAddressVersion")).lower() == "ipv6"
        )
        found, gap, who = self._admitted(item, guards, asgs, "" if six else private, subnet,
                                         6 if six else 4)  # fmt: skip
        if gap is not None:
            return gap
        if not guards:
            basic = self.basic(public)
            if basic is None:
                return unknown("the SKU of its public address was not read", item.uid)
            if subnet and subnet not in self.guards.subnets:
                return unknown("whether a group guards its subnet was not read", item.uid)
            if not basic:
                return no("a Standard address without a network security group is closed", item.uid)
        if not found.ports:
            return self._by_door(item, known, guards, asgs, private) or self._closed(item, found)
        shown = self.fronts.address(public) or public.rsplit("/", 1)[-1]
        told = "the Internet reaches" if who == "Internet" else "any customer of Azure reaches"
        way = yes(Evidence(
            kind="route", text=f"{told} {item.name} at {shown} on {found.ports}",
            source=item.uid, ports=found.ports,
            steps=(who, shown, *(f"rule {n}" for n in found.by[:3]), item.name)))  # fmt: skip
        return returning(self.estate, self.guards, subnet, way, 6 if six else 4)

    def _by_door(self, item: Item, public: Item | None, guards: list[str], asgs: frozenset[str],
                 private: str) -> Verdict | None:  # fmt: skip
        """A machine that admits front doors only, where one leads to its address or name."""
        settings = public.config.get("dnsSettings") if public is not None else None
        names = [text(public.config.get("ipAddress")) if public is not None else "",
                 text(settings.get("fqdn")).lower() if isinstance(settings, dict) else ""]  # fmt: skip
        doors = [d for n in names if n for d in self.fronts.doors.get(n, ())]
        if not doors:
            return None
        found, gap = self.guards.through(guards, asgs, private, item, tag=FRONT_DOOR)
        if gap is not None or not found.ports:
            return gap
        return yes(Evidence(
            kind="route", text=f"reached through the front door {doors[0].name}, which it admits",
            source=item.uid, via=(doors[0].uid,), ports=found.ports,
            steps=("Internet", doors[0].name, item.name)))  # fmt: skip

    @staticmethod
    def _closed(item: Item, found: Admitted) -> Verdict:
        told = f"denied by {found.denied}" if found.denied and not found.some else (
            f"network security groups admit only {found.some}" if found.some
            else "network security groups admit nobody from the Internet")  # fmt: skip
        return no(told, item.uid, found.some)

    def _behind(self, item: Item, front: Front, guards: list[str], asgs: frozenset[str],
                private: str, subnet: str) -> Verdict:  # fmt: skip
        """Through a front: the machine's groups must admit the port that is forwarded."""
        if front.gap:
            return unknown(front.gap, front.item.uid)
        who = "Internet"
        if front.keeps:
            found, gap, who = self._admitted(item, guards, asgs, private, subnet)
            if gap is not None:
                return gap
            if not guards and not front.basic:
                if subnet and subnet not in self.guards.subnets:
                    return unknown("whether a group guards its subnet was not read", item.uid)
                return no(
                    "a Standard load balancer without a network security group is closed", item.uid
                )
            open_ = {p: found.open.get(p, EMPTY) & front.ports for p in front.protocols}
            if not any(open_.values()):
                if found.ports:
                    return no(f"network security groups do not admit port {port_text(front.ports)}, "
                              f"to which {front.item.name} forwards", item.uid, found.some)  # fmt: skip
                return self._closed(item, found)
            ports = "; ".join(f"{p} {port_text(s)}" for p, s in open_.items() if s)
        else:
            port = front.ports.intervals[0][0] or 443
            let = self.guards.inside(guards, asgs, private, front.protocols[0], port, front.source)
            if let is None:
                return unknown("a network security group was not read", item.uid)
            if not let:
                return no(f"network security groups do not admit {front.item.name}", item.uid)
            ports = "; ".join(f"{p} {port_text(front.ports)}" for p in front.protocols)
        way = yes(Evidence(
            kind="route", text=f"reached through {front.item.name} at {front.shown}", source=item.uid,
            via=(front.item.uid,), ports=ports,
            steps=(who, front.shown, front.item.name, item.name)))  # fmt: skip
        return returning(self.estate, self.guards, subnet, way) if front.keeps else way

    def scale_set(self, item: Item) -> Verdict:
        """The address configurations of the model, and balancers before it."""
        ways: list[Verdict] = []
        sku = item.config.get("sku")
        if isinstance(sku, dict) and sku.get("capacity") == 0:
            return no("it has no machines now", item.uid)
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
                    ways.append(self._own_addresses(item, address, group))
                ways.append(self._configuration(item, {**address, "publicIPAddress": None}, group))
        return either(ways) if ways else unknown("its network configuration was not read", item.uid)

    def _own_addresses(self, item: Item, row: dict[str, Any], group: str) -> Verdict:
        subnet = identifier(row.get("subnet"))
        guards = [g for g in (group, *self.guards.of_subnet(subnet)) if g]
        asgs = frozenset(identifier(g) for g in dicts(row.get("applicationSecurityGroups")))
        found, gap, who = self._admitted(item, guards, asgs, "", subnet)
        if gap is not None:
            return gap
        if not guards:
            own = row["publicIPAddressConfiguration"]
            sku = own.get("sku")
            name = text(sku.get("name")).lower() if isinstance(sku, dict) else ""
            if subnet and subnet not in self.guards.subnets:
                return unknown("whether a group guards its subnet was not read", item.uid)
            if not name:
                return unknown("the SKU of its addresses was not read", item.uid)
            if name != "basic":
                return no(
                    "Standard addresses without a network security group are closed", item.uid
                )
        if not found.ports:
            return self._closed(item, found)
        way = yes(Evidence(
            kind="route", text=f"each machine has a public address, open on {found.ports}",
            source=item.uid, ports=found.ports,
            steps=(who, *(f"rule {n}" for n in found.by[:3]), item.name)))  # fmt: skip
        return returning(self.estate, self.guards, subnet, way)
