"""Load balancers: external forwarding rules, and what of it they reach.

A pass-through balancer keeps the client's address; a proxy comes from Google's own ranges, or from
the proxy-only subnet of its region. Identity-Aware Proxy and Cloud Armor stand at the backend
service. Sources: cloud.google.com, "Cloud Load Balancing overview", "Firewall rules for load
balancers", "Serverless network endpoint groups", "Cloud Armor security policies".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from secinbox.estate import Estate, Item
from secinbox.inventory.gcp.assets import name_of_link
from secinbox.network.gcp.armor import judge
from secinbox.network.gcp.firewalls import FRONT_RANGES, Firewalls
from secinbox.network.gcp.services import called, dicts, get, ingress_of
from secinbox.network.verdict import Verdict, both, either, no, unknown, yes
from secinbox.records import Evidence

RULES = ("gcp_compute_forwarding_rule", "gcp_compute_global_forwarding_rule")
_EXTERNAL = ("EXTERNAL", "EXTERNAL_MANAGED")
_SERVICES = ("gcp_compute_backend_service", "gcp_compute_region_backend_service")
_BY_ADDRESS = ("GCE_VM_IP_PORT", "GCE_VM_IP")


@dataclass
class Reached:
    """What lies behind a front: targets with the controls on the way."""

    uid: str
    ports: tuple[int, ...] = ()
    closed: Verdict | None = None
    through: list[str] = field(default_factory=list)


class Balancers:
    """Forwarding rules of an estate and what they lead to."""

    def __init__(self, estate: Estate, firewalls: Firewalls) -> None:
        self.estate, self.firewalls = estate, firewalls
        self.members: dict[str, list[str]] = defaultdict(list)
        managed: set[str] = set()
        for item in estate.of_type("gcp_compute_instance"):
            for target in estate.targets(item.uid, "member_of"):
                self.members[target].append(item.uid)
            for entry in dicts(get(item.config, "metadata", "items")):
                value = str(entry.get("value") or "")
                if entry.get("key") == "created-by" and "/instanceGroupManagers/" in value:
                    zone = item.uid.partition("/instances/")[0]
                    manager = value.rsplit("/", 1)[-1]
                    region = zone.replace("/zones/", "/regions/").rpartition("-")[0]
                    for place in (zone, region):
                        self.members[f"{place}/instanceGroups/{manager}"].append(item.uid)
        for item in estate.of_type("gcp_compute_instance_group_manager",
                                   "gcp_compute_region_instance_group_manager"):  # fmt: skip
            managed.add(item.uid.replace("/instanceGroupManagers/", "/instanceGroups/"))
        self.managed = managed
        self.proxies = [
            str(i.config.get("ipCidrRange")) for i in estate.of_type("gcp_compute_subnetwork")
            if i.config.get("purpose") in ("REGIONAL_MANAGED_PROXY", "GLOBAL_MANAGED_PROXY",
                                           "INTERNAL_HTTPS_LOAD_BALANCER")
        ]  # fmt: skip
        # (network, zone) -> groups behind an external balancer whose members nobody lists
        self.unlisted: dict[tuple[str, str], str] = {}

    def front(self, item: Item) -> Verdict:
        """A forwarding rule by itself."""
        scheme = str(item.config.get("loadBalancingScheme") or "")
        target = str(item.config.get("target") or "")
        if not scheme and (
            "loadBalancingScheme" in item.config or "/serviceAttachments/" in target
        ):
            return no("it is an endpoint of Private Service Connect", item.uid)
        if scheme and scheme not in _EXTERNAL:
            return no(f"the load balancer is {scheme.lower()}", item.uid)
        ends = [r for r in self.behind(item) if self._is_backend(r.uid)]
        if ends and all(r.closed is not None for r in ends):
            # Everything that it serves is behind a sign-in or a policy that admits nobody.
            closed = [r.closed for r in ends if r.closed is not None]
            return either(closed)
        address = str(item.config.get("IPAddress") or "its address")
        ports = _ports(item)
        return yes(Evidence(kind="route", text=f"external load balancer at {address}, port {ports}",
                            source=item.uid, ports=f"tcp {ports}",
                            steps=("Internet", f"{address}:{ports}")))  # fmt: skip

    def _is_backend(self, uid: str) -> bool:
        found = self.estate.find(uid)
        return found is not None and (
            found.type in _SERVICES or found.type == "gcp_compute_backend_bucket"
        )

    def leads_in(self, item: Item) -> bool:
        """Whether a rule takes requests from outside, whatever guards what is behind it."""
        scheme = str(item.config.get("loadBalancingScheme") or "")
        target = str(item.config.get("target") or "")
        if not scheme:
            return "loadBalancingScheme" not in item.config and "/serviceAttachments/" not in target
        return scheme in _EXTERNAL

    def behind(self, item: Item) -> Iterator[Reached]:
        """Everything that a rule forwards to, along proxies, maps, services and groups."""
        seen = {item.uid}
        stack: list[Reached] = [Reached(item.uid)]
        while stack and len(seen) < 20_000:
            here = stack.pop()
            found = self.estate.find(here.uid)
            if found is not None and self._is_backend(found.uid):
                here.closed = here.closed or self._guarded(found)
                port = found.config.get("port")
                here.ports = (port,) if isinstance(port, int) else ()
            group = found.uid if found is not None else here.uid
            if "/instanceGroups/" in group:
                members = self.members.get(group, ())
                for uid in members:
                    yield Reached(uid, self._named(found, here.ports), here.closed, here.through)
                if not members and found is not None and group not in self.managed and (
                    found.config.get("size") != 0):  # fmt: skip
                    network = str(found.config.get("network") or "")
                    self.unlisted[network.rsplit("/", 1)[-1], _zone(group)] = found.name
                continue
            if "/networkEndpointGroups/" in group and found is not None and (
                str(found.config.get("networkEndpointType")) in _BY_ADDRESS
                and found.config.get("size") != 0):  # fmt: skip
                # Which machines are its endpoints, no export says.
                network = str(found.config.get("network") or "")
                self.unlisted[network.rsplit("/", 1)[-1], _zone(group)] = found.name
            for target in self.estate.targets(here.uid, "routes_to"):
                known = self.estate.find(target)
                uid = known.uid if known is not None else target
                if uid in seen:
                    continue
                seen.add(uid)
                stack.append(Reached(uid, here.ports, here.closed, [*here.through, here.uid]))
            if found is not None and found.uid != item.uid:
                yield here

    @staticmethod
    def _named(group: Item | None, ports: tuple[int, ...]) -> tuple[int, ...]:
        named = [p.get("port") for p in dicts(group.config.get("namedPorts"))] if group else []
        return tuple(p for p in named if isinstance(p, int)) or ports

    def _guarded(self, service: Item) -> Verdict | None:
        """What stops strangers at a backend service."""
        if get(service.config, "iap", "enabled") is True:
            return no(f"Identity-Aware Proxy of {service.name} asks for a sign-in", service.uid)
        found = [
            self._policy(service, str(service.config[key]))
            for key in ("securityPolicy", "edgeSecurityPolicy")
            if service.config.get(key)
        ]
        known = [f for f in found if f is not None]
        return both(known) if known else None

    def _policy(self, service: Item, link: str) -> Verdict | None:
        policy = self.estate.find(name_of_link(link))
        if policy is None:
            return unknown(f"the security policy of {service.name} was not read", service.uid)
        return judge(policy)

    # Backends

    def machine(self, rule: Item, item: Item, reached: Reached) -> Verdict:
        """A machine behind a rule: its firewalls must admit the front on the port."""
        if reached.closed is not None and reached.closed.value == "no":
            return reached.closed
        state = str(item.config.get("status") or "RUNNING")
        if state not in ("RUNNING", "STAGING", "PROVISIONING"):
            return no(f"the machine is {state.lower()}", item.uid)
        target = str(rule.config.get("target") or "")
        direct = "/targetPools/" in target or "/targetInstances/" in target or (
            not target and bool(rule.config.get("backendService")))  # fmt: skip
        ports = reached.ports or _numbers(rule) if direct else reached.ports
        protocol = str(rule.config.get("IPProtocol") or "TCP").lower() if direct else "tcp"
        answer: bool | None = False
        for interface in dicts(item.config.get("networkInterfaces")):
            network = str(interface.get("network") or "")
            sources = [["0.0.0.0/0"]] if direct else [
                list(FRONT_RANGES), *([self.proxies] if self.proxies else []), ["0.0.0.0/0"]]  # fmt: skip
            for one in sources:
                for port in ports or (None,):
                    got = self.firewalls.admits(item, network, one, port,
                                                "udp" if protocol == "udp" else "tcp")  # fmt: skip
                    answer = True if got else None if got is None and answer is False else answer
        if answer is False:
            if not self.firewalls.known(item):
                return unknown("the firewall rules of its network were not read", item.uid)
            return no(
                f"the firewall of its network does not admit the load balancer {rule.name}",
                item.uid,
            )
        if answer is None:
            return unknown("whether a firewall rule bears on it was not read", item.uid)
        if reached.closed is not None:
            return reached.closed
        address = str(rule.config.get("IPAddress") or "its address")
        shown = _ports(rule)
        return yes(Evidence(
            kind="route", text=f"reached through the load balancer {rule.name}", source=item.uid,
            via=(rule.uid,), ports=f"tcp {shown}",
            steps=("Internet", f"{address}:{shown}", item.name)))  # fmt: skip

    def may_be_behind(self, item: Item) -> bool:
        """Whether the firewalls of a machine let a proxy or a stranger in on any port."""
        for interface in dicts(item.config.get("networkInterfaces")):
            network = str(interface.get("network") or "")
            if not self.firewalls.known(item, network):
                return True
            for sources in (
                list(FRONT_RANGES),
                ["0.0.0.0/0"],
                *([self.proxies] if self.proxies else []),
            ):
                for protocol in ("tcp", "udp"):
                    if self.firewalls.admits(item, network, sources, None, protocol) is not False:
                        return True
        return False

    def serverless(self, rule: Item, item: Item, reached: Reached) -> Verdict:
        """A Cloud Run service or function behind a rule: its ingress, its invokers."""
        if reached.closed is not None and reached.closed.value == "no":
            return reached.closed
        if ingress_of(item) == "internal":
            return no("ingress is internal", item.uid)
        found = called(self.estate, item)
        if found.value != "yes":
            return found
        if reached.closed is not None:
            return reached.closed
        address = str(rule.config.get("IPAddress") or "its address")
        return yes(Evidence(
            kind="route", text=f"reached through the load balancer {rule.name}; "
            f"{found.evidence[0].text}", source=item.uid, via=(rule.uid,), ports="tcp 443",
            steps=("Internet", address, rule.name, item.name)))  # fmt: skip


def _zone(uid: str) -> str:
    for word in ("/zones/", "/regions/"):
        if word in uid:
            return uid.split(word, 1)[1].split("/")[0]
    return ""


def _ports(item: Item) -> str:
    listed = item.config.get("ports")
    ports = str(item.config.get("portRange") or ", ".join(
        str(p) for p in (listed if isinstance(listed, list) else ())) or "all")  # fmt: skip
    return "-".join(dict.fromkeys(ports.split("-")))


def _numbers(item: Item) -> tuple[int, ...]:
    out = []
    for part in _ports(item).replace(" ", "").split(","):
        low = part.partition("-")[0]
        if low.isdigit():
            out.append(int(low))
    return tuple(out)
