"""Instances, subnets, tasks and services with addresses of their own; databases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from secinbox.estate import PARTIAL, Item
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.distributions import Origin
from secinbox.network.aws.openings import Door, Way, entries, ports_text, route_evidence
from secinbox.network.aws.vpc import Network
from secinbox.network.ranges import (
    addresses,
    cidr_texts,
    clients,
    is_wide,
    parse_network,
)
from secinbox.network.verdict import Verdict, both, either, no, unknown, yes
from secinbox.records import Evidence


def interfaces_of(network: Network, item: Item) -> list[dict[str, Any]]:
    """The network interfaces of an instance: its own list, completed by describe_network_interfaces."""
    own = list(entries(item.config.get("NetworkInterfaces")))
    out = []
    for interface in own:
        known = network.interfaces.get(str(interface.get("NetworkInterfaceId") or ""))
        # The instance's own answer wins; the interface's adds what it lacks.
        out.append({**(known.config if known else {}), **interface})
    if not out and item.config.get("SubnetId"):
        out.append(
            {
                "SubnetId": item.config["SubnetId"],
                "Groups": item.config.get("SecurityGroups"),
                "PrivateIpAddress": item.config.get("PrivateIpAddress"),
                "Association": {"PublicIp": item.config.get("PublicIpAddress")},
            }
        )
    for index, interface in enumerate(out):
        lent = network.elastic.get(str(interface.get("NetworkInterfaceId") or ""), [])
        if index == 0:
            lent = lent + network.elastic.get(str(item.config.get("InstanceId") or ""), [])
        if lent and not public_addresses(interface)[4]:
            interface["Association"] = {"PublicIp": lent[0]}
    return out


def groups_of(interface: dict[str, Any]) -> list[str]:
    return [str(g["GroupId"]) for g in entries(interface.get("Groups")) if g.get("GroupId")]


def all_groups(network: Network, item: Item) -> list[str]:
    """The security groups of all interfaces."""
    return [g for interface in interfaces_of(network, item) for g in groups_of(interface)]


def public_addresses(interface: dict[str, Any]) -> dict[int, list[str]]:
    """Addresses on which the Internet could knock, by IP version."""
    found: dict[int, list[str]] = {4: [], 6: []}
    for entry in [interface, *entries(interface.get("PrivateIpAddresses"))]:
        association = entry.get("Association")
        if isinstance(association, dict) and association.get("PublicIp"):
            found[4].append(str(association["PublicIp"]))
    for entry in entries(interface.get("Ipv6Addresses")):
        net = parse_network(entry.get("Ipv6Address"))
        denied = interface.get("DenyAllIgwTraffic") is True
        if net is not None and not denied and not net.is_private and not net.is_link_local:
            found[6].append(str(entry["Ipv6Address"]))
    return {version: list(dict.fromkeys(texts)) for version, texts in found.items()}


_RUNS = yes()


def instance(network: Network, item: Item) -> Verdict:
    """A running instance with an address of its own; load balancers are judged elsewhere."""
    interfaces = interfaces_of(network, item)
    if not interfaces:
        return unknown("the network interfaces of the instance were not read", item.uid)
    name = str(item.config.get("InstanceId") or item.name)
    ways = [interface_verdict(network, item.uid, name, i) for i in interfaces]
    return both([running(item), either(ways)])


def served(
    network: Network, item: Item, origins: Mapping[str, Sequence[Origin]]
) -> Iterator[Verdict]:
    """An instance whose group admits CloudFront, where a distribution leads to its name."""
    for interface in interfaces_of(network, item) if origins else ():
        subnet_id = str(interface.get("SubnetId") or "")
        hosts = {str(h).lower() for h in walk(interface, "Association.PublicDnsName")}
        hosts |= {str(h).lower() for h in (*public_addresses(interface)[4],
                                           item.config.get("PublicDnsName") or "")}  # fmt: skip
        for origin in (o for h in sorted(hosts - {""}) for o in origins.get(h, ())):
            for port in origin.ports:
                door = Door(frozenset(groups_of(interface)), 4, port, ("tcp",), edge=True)
                way = network.way_in(subnet_id, door)
                passed = origin.passed(
                    f"{item.name} tcp:{port}", item.uid, "admits CloudFront only"
                )
                yield both([running(item), way.verdict, passed])


def running(item: Item) -> Verdict:
    """Of an instance; of a task by what ECS last saw."""
    if str(item.config.get("lastStatus") or "") in ("STOPPED", "DEPROVISIONING"):
        return no("the task is stopped", item.uid)
    state = item.config.get("State")
    name = state.get("Name") if isinstance(state, dict) else None
    if name in ("stopped", "stopping", "terminated", "shutting-down"):
        return no(f"the instance is {name}", item.uid)
    return _RUNS


def interface_verdict(network: Network, uid: str, name: str, interface: dict[str, Any]) -> Verdict:
    found = public_addresses(interface)
    subnet = str(interface.get("SubnetId") or "")
    out = []
    told = interface.get(PARTIAL)
    part = str(told.get("Ipv6Addresses") or "") if isinstance(told, dict) else ""
    if (
        part
        and network.way_in(subnet, Door(frozenset(groups_of(interface)), 6)).verdict.value != "no"
    ):
        out.append(unknown(part, uid))
    for version, texts in found.items():
        if not texts:
            continue
        if not subnet:
            out.append(unknown("the subnet of the interface was not read", uid))
            continue
        way = network.way_in(subnet, Door(frozenset(groups_of(interface)), version))
        out.append(_with_route(way, uid, name, texts[0]))
    return either(out) if out else no("no public address", uid)


def _with_route(way: Way, uid: str, name: str, address: str) -> Verdict:
    if way.verdict.value != "yes":
        return way.verdict
    ports = ports_text(way.openings)
    text = f"the Internet reaches {name} at {address} on {ports}"
    return yes(route_evidence(text, ("Internet", way.gateway, f"{name} {ports}"), uid, ports))


def subnet(network: Network, item: Item) -> Verdict:
    """A public subnet: a route to an Internet gateway, and an ACL that lets clients in."""
    subnet_id = str(item.config.get("SubnetId"))
    out = []
    part = item.unfinished("Ipv6CidrBlockAssociationSet")
    for version in (4, 6):
        if version == 6 and not part and not item.config.get("Ipv6CidrBlockAssociationSet"):
            continue
        way = network.way_in(subnet_id, Door(frozenset(), version, unfiltered=True))
        if way.verdict.value == "yes" and version == 6 and part:
            out.append(unknown(part, item.uid))
        elif way.verdict.value == "yes":
            text = f"{subnet_id} has a route to {way.gateway} and its ACL lets clients in"
            out.append(yes(route_evidence(text, ("Internet", way.gateway, subnet_id), item.uid)))
        else:
            out.append(way.verdict)
    return either(out)


def database(network: Network, item: Item, subnets: list[str] | None, groups: list[str],
             port: int | None) -> Verdict:  # fmt: skip
    """RDS and Redshift: publicly accessible, in a public subnet, its port open."""
    if item.config.get("PubliclyAccessible") is False:
        return no("PubliclyAccessible is off", item.uid)
    if item.config.get("PubliclyAccessible") is not True:
        return unknown("PubliclyAccessible was not read", item.uid)
    gates = [yes()]
    status = str(item.config.get("DBInstanceStatus") or item.config.get("ClusterStatus") or "")
    if status in ("stopped", "stopping", "paused", "deleting"):
        gates.append(no(f"it is {status}", item.uid))
    if port is None:
        gates.append(unknown("its port was not read", item.uid))
    if not groups:
        gates.append(unknown("its security groups were not read", item.uid))
        return both(gates)
    if subnets is None:
        # The group may settle it although the subnets are not known; so may the whole network.
        door = Door(frozenset(groups), 4, port, ("tcp",))
        gates += [network.security.guard(door), _somewhere(network, item, door)]
        return both(gates)
    ways = []
    for version in (4, 6):
        if version == 6 and str(item.config.get("NetworkType") or "IPV4").upper() != "DUAL":
            continue
        for subnet_id in subnets:
            way = network.way_in(subnet_id, Door(frozenset(groups), version, port, ("tcp",)))
            if way.verdict.value == "yes":
                steps = ("Internet", way.gateway, f"{item.name} tcp {port}")
                text = f"publicly accessible in {subnet_id}, port {port} open"
                ways.append(yes(route_evidence(text, steps, item.uid, f"tcp {port}")))
            else:
                ways.append(way.verdict)
    return both([*gates, either(ways)])


def _somewhere(network: Network, item: Item, door: Door) -> Verdict:
    """It is in a subnet of the groups' network, nobody knows which: all of them must agree."""
    vpcs = {
        str(network.security.by_id[g].config.get("VpcId"))
        for g in door.groups
        if g in network.security.by_id
    }
    ways = [
        network.way_in(subnet_id, door)
        for subnet_id, subnet in sorted(network.subnets.items())
        if str(subnet.config.get("VpcId")) in vpcs
    ]
    values = {w.verdict.value for w in ways}
    if values == {"yes"}:
        steps = ("Internet", ways[0].gateway, f"{item.name} tcp {door.port}")
        text = f"publicly accessible, every subnet of its network is public, port {door.port} open"
        return yes(route_evidence(text, steps, item.uid, f"tcp {door.port}"))
    if values == {"no"}:
        return both(w.verdict for w in ways)
    return unknown("the subnets of its subnet group were not read", item.uid)


def rds_instance(network: Network, item: Item) -> Verdict:
    rows = [r for r in walk(item.config, "DBSubnetGroup.Subnets[]") if isinstance(r, dict)]
    subnets = _of_its_zone(network, item, [str(r.get("SubnetIdentifier")) for r in rows])
    groups = [str(g) for g in walk(item.config, "VpcSecurityGroups[].VpcSecurityGroupId")]
    port = next((p for p in walk(item.config, "Endpoint.Port") if isinstance(p, int)), None)
    port = port or item.config.get("DbInstancePort") or None
    return database(network, item, subnets or None, groups, port)


def _of_its_zone(network: Network, item: Item, subnets: list[str]) -> list[str]:
    """It stands in a subnet of its zone; with a standby, in one of either zone after a failure."""
    zones = {item.config.get("AvailabilityZone"), item.config.get("SecondaryAvailabilityZone")}
    known = {s: network.subnets[s].config.get("AvailabilityZone")
             for s in subnets if s in network.subnets}  # fmt: skip
    if not item.config.get("AvailabilityZone") or len(known) < len(subnets):
        return subnets
    return [s for s in subnets if known[s] is None or known[s] in zones] or subnets


def rds_cluster(item: Item, members: Mapping[tuple[str, str, str], Verdict]) -> Verdict:
    """members: verdicts of instances by account, region and name."""
    names = [(item.account, item.region, str(n))
             for n in walk(item.config, "DBClusterMembers[].DBInstanceIdentifier")]  # fmt: skip
    known = [members[n] for n in names if n in members]
    if item.config.get("PubliclyAccessible") is False and not known:
        return no("PubliclyAccessible is off", item.uid)
    if not names and "DBClusterMembers" not in item.config:
        return unknown("which instances the cluster has was not read", item.uid)
    if not names:
        return no("the cluster has no instance that answers", item.uid)
    if len(known) < len(names):
        known.append(unknown("not all instances of the cluster were read", item.uid))
    return either(known)


def redshift(network: Network, item: Item) -> Verdict:
    groups = [str(g) for g in walk(item.config, "VpcSecurityGroups[].VpcSecurityGroupId")]
    port = next((p for p in walk(item.config, "Endpoint.Port") if isinstance(p, int)), None)
    name = item.config.get("ClusterSubnetGroupName")
    subnets: list[str] | None = None
    for group in network.estate.of_type("aws_redshift_subnet_group", "aws_redshift_subnetgroup"):
        same = group.config.get("ClusterSubnetGroupName") == name
        if same and group.region == item.region and group.account in (item.account, ""):
            subnets = [str(s) for s in walk(group.config, "Subnets[].SubnetIdentifier")]
    return database(network, item, subnets, groups, port)


def eks(item: Item) -> Verdict:
    """The API server's endpoint; calls still need a token, but anyone can knock."""
    settings = item.config.get("resourcesVpcConfig")
    if not isinstance(settings, dict):
        return unknown("the cluster's endpoint settings were not read", item.uid)
    if not settings.get("endpointPublicAccess"):
        return no("the public endpoint is off", item.uid)
    cidrs = settings.get("publicAccessCidrs")
    if not cidrs and item.unfinished("resourcesVpcConfig"):
        return unknown(item.unfinished("resourcesVpcConfig"), item.uid)
    listed = cidrs if isinstance(cidrs, list) and cidrs else ["0.0.0.0/0"]
    if any(is_wide(addresses(listed, v), v) for v in (4, 6)):
        text = f"the API endpoint answers {', '.join(str(c) for c in listed[:4])}"
        return yes(
            Evidence(
                kind="endpoint",
                text=text,
                source=str(item.config.get("endpoint") or item.uid),
                steps=("Internet", "EKS public endpoint"),
                ports="tcp 443",
            )
        )
    allowed = "; ".join(t for v in (4, 6) if (t := cidr_texts(clients(addresses(listed, v), v), v)))
    broken = [str(c) for c in listed if parse_network(c) is None]
    if broken:
        return unknown(f"cannot read the CIDR {', '.join(broken)}", item.uid)
    return no(f"publicAccessCidrs admit only {allowed or 'private addresses'}", item.uid, allowed)


def service_direct(network: Network, item: Item) -> Verdict:
    """An ECS service whose tasks get public addresses."""
    if item.config.get("status") not in ("ACTIVE", None):
        return no(f"the service is {item.config.get('status')}", item.uid)
    settings = next(walk(item.config, "networkConfiguration.awsvpcConfiguration"), None)
    if settings is None and item.unfinished("networkConfiguration"):
        return unknown(item.unfinished("networkConfiguration"), item.uid)
    if not isinstance(settings, dict) or settings.get("assignPublicIp") != "ENABLED":
        return no("its tasks get no public address", item.uid)
    if item.config.get("desiredCount") == 0 and not item.config.get("runningCount"):
        return no("it runs no tasks", item.uid)
    ways = []
    for subnet_id in settings.get("subnets") or []:
        groups = frozenset(str(g) for g in settings.get("securityGroups") or [])
        way = network.way_in(str(subnet_id), Door(groups))
        ways.append(_with_route(way, item.uid, item.name, "a public address of each task"))
    return either(ways) if ways else unknown("its subnets were not read", item.uid)


def task(network: Network, item: Item) -> Verdict:
    """A running ECS task with an interface of its own."""
    found = []
    for interface in task_interfaces(network, item):
        if interface is None:
            found.append(unknown("the interface of the task was not read", item.uid))
        else:
            found.append(interface_verdict(network, item.uid, item.name, interface))
    direct = either(found) if found else no("the task has no address of its own", item.uid)
    return both([running(item), direct])


def task_interfaces(network: Network, item: Item) -> Iterator[dict[str, Any] | None]:
    """The interfaces of an ECS task; None for one that was not read."""
    for detail in walk(item.config, "attachments[].details[]"):
        if isinstance(detail, dict) and detail.get("name") == "networkInterfaceId":
            interface = network.interfaces.get(str(detail.get("value")))
            yield None if interface is None else interface.config


def all_subnets(network: Network) -> Iterator[Item]:
    yield from (i for i in network.estate.of_type("aws_ec2_subnet") if i.config.get("SubnetId"))


def port_open(network: Network, item: Item, port: int, protocol: str = "tcp") -> Verdict:
    """Whether the Internet reaches one port of an instance at an address of its own."""
    ways = []
    for interface in interfaces_of(network, item):
        subnet_id = str(interface.get("SubnetId") or "")
        for version, texts in public_addresses(interface).items():
            if texts and subnet_id:
                door = Door(frozenset(groups_of(interface)), version, port, (protocol,))
                ways.append(network.way_in(subnet_id, door).verdict)
    if not ways:
        return unknown("the network interfaces of its machine were not read", item.uid)
    return both([running(item), either(ways)])
