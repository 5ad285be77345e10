"""Ports of administration and of databases that groups and firewalls of Azure and Google Cloud open.

As for AWS: a finding of the network security group or firewall rule that lets everyone reach such a
port of something behind it; of the machine itself where nothing guards it. Canonical names are checks
of Prowler.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from secinbox.estate import Estate, Item
from secinbox.inventory.azure.resources import dicts, identifier
from secinbox.network.azure.security_groups import Guards, rules_of
from secinbox.network.ranges import ALL_PORTS, IntSet
from secinbox.posture._stating import Known, known_of
from secinbox.posture.open_ports import stated, tcp_ports
from secinbox.records import Finding
from secinbox.risks import Assessment

_A = "azure_microsoft_compute_"
_AZURE = (f"{_A}virtualmachines", f"{_A}virtualmachinescalesets")
_GOOGLE = ("gcp_compute_instance",)
_CHECKS = {
    "azure": {"SSH": "network_ssh_internet_access_restricted",
              "Remote Desktop": "network_rdp_internet_access_restricted"},
    "gcp": {"SSH": "compute_firewall_ssh_access_from_the_internet_allowed",
            "Remote Desktop": "compute_firewall_rdp_access_from_the_internet_allowed"},
}  # fmt: skip


def findings(assessment: Assessment) -> Iterator[Finding]:
    """One finding a service and group, where something behind the group is reachable."""
    known = known_of(assessment)
    estate = assessment.estate
    guards: Guards | None = None
    rules: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in estate.of_type("gcp_compute_firewall"):
        rules[item.account, f"firewall {item.name}"].append(item.uid)
    behind: dict[str, list[tuple[str, IntSet]]] = defaultdict(list)
    for uid, evidence in sorted(known.exposed().items()):
        found_ = estate.items.get(uid)
        if found_ is None or found_.type not in (*_AZURE, *_GOOGLE):
            continue
        item = found_
        # Through a balancer only what it forwards is reached: that port is meant to be open.
        ports = IntSet.of(i for e in evidence if e.kind == "route" and not e.via
                          for i in tcp_ports(e.ports).intervals)  # fmt: skip
        if not ports:
            continue
        if item.type in _AZURE:
            guards = guards or Guards(estate)
            found = _groups(estate, guards, item)
        else:
            steps = sorted({s for e in evidence for s in e.steps})
            found = [r for s in steps for r in rules.get((item.account, s), ())]
        for group in found or [uid]:
            behind[group].append((uid, ports))
    for uid in sorted(behind):
        item = estate.items[uid]
        checks = _CHECKS["azure" if uid.startswith("/subscriptions/") else "gcp"]
        yield from stated(known, uid, _opened(known, item), behind[uid], checks)


def _groups(estate: Estate, guards: Guards, item: Item) -> list[str]:
    """The groups of its interfaces and of their subnets that admit everyone somewhere."""
    rows: list[dict[str, object]] = []
    profile = item.config.get("networkProfile")
    for link in dicts(profile.get("networkInterfaces")) if isinstance(profile, dict) else ():
        interface = estate.find(identifier(link))
        if interface is not None:
            rows.append({**interface.config, "id": interface.uid})
    model = item.config.get("virtualMachineProfile")
    network = model.get("networkProfile") if isinstance(model, dict) else None
    rows += (
        dicts(network.get("networkInterfaceConfigurations")) if isinstance(network, dict) else []
    )
    out: dict[str, None] = {}
    for row in rows:
        name = identifier(row.get("networkSecurityGroup"))
        out[name or guards.of_interface.get(str(row.get("id")), "")] = None
        for address in dicts(row.get("ipConfigurations")):
            out.update(dict.fromkeys(guards.of_subnet(identifier(address.get("subnet")))))
    return [uid for uid in out if uid in estate.items and rules_of(estate.items[uid])]


def _opened(known: Known, item: Item) -> IntSet:
    """TCP ports that a group or rule lets everyone reach; all of a machine without one."""
    if item.type in (*_AZURE, *_GOOGLE):
        return ALL_PORTS
    return IntSet.of(i for e in known.public(item.uid) for i in tcp_ports(e.ports).intervals)
