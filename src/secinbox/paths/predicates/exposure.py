"""Who can open a connection to what: from the Internet, through a front, from a neighbour."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from secinbox.estate import Item
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.compute import groups_of, interfaces_of
from secinbox.network.aws.links import Links
from secinbox.network.aws.openings import Rule
from secinbox.network.aws.vpc import Network
from secinbox.network.ranges import IntSet, addresses, cidr_texts
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, lasting, pairs
from secinbox.paths.world import INTERNET, World
from secinbox.records import Evidence

# What anyone can only connect to; what is read, assumed or restored is another predicate's.
CONNECTED = (
    "aws_ec2_instance", "aws_ecs_service", "aws_ecs_task", "aws_lambda_function",
    "aws_elbv2_load_balancer", "aws_elb_load_balancer",
    "aws_apigateway_rest_api", "aws_apigateway_api", "aws_cloudfront_distribution",
    "aws_apprunner_service", "aws_rds_instance", "aws_rds_cluster", "aws_redshift_cluster",
    "aws_eks_cluster", "aws_elasticache_cluster", "aws_docdb_cluster", "aws_mq_broker",
    "aws_msk_cluster", "aws_emr_cluster", "aws_lightsail_instance", "aws_lightsail_containerservice",
    "aws_lightsail_relationaldatabase", "aws_globalaccelerator_accelerator",
)  # fmt: skip
# Other clouds' types of the same kind end in one of these.
_ENDINGS = (
    "virtual_machine", "_vm", "compute_instance", "_function", "_app", "run_service", "web_app",
    "load_balancer", "application_gateway", "virtualmachines", "virtualmachinescalesets",
    "web_sites", "containergroups", "containerapps", "loadbalancers", "applicationgateways",
    "managedclusters", "sql_servers", "flexibleservers", "container_group", "container_app", "sql_server",
    "sql_instance", "sqladmin_instance", "alloydb_instance", "appengine_service", "apigateway_gateway",
    "apimanagement_service", "azurefirewalls", "frontdoors", "afdendpoints", "web_sites_slots",
    "staticsites", "sql_managedinstances", "composer_environment", "container_cluster", "managed_cluster", "forwarding_rule",
)  # fmt: skip
_KUBERNETES = (
    "pod", "deployment", "daemonset", "statefulset", "replicaset", "job", "cronjob",
    "replicationcontroller", "service", "ingress", "gateway", "node",
)  # fmt: skip


def connects(item: Item) -> bool:
    """Whether reaching it means opening a connection to it."""
    if item.type.startswith("kubernetes_"):
        return item.type.removeprefix("kubernetes_") in _KUBERNETES
    return item.type in CONNECTED or (
        not item.type.startswith("aws_") and item.type.endswith(_ENDINGS)
    )


def answers_anyone(world: World, item: Item) -> bool:
    """Whoever attacks, with a key that leaked or without, connects to it from the Internet."""
    return item.uid in world.public and connects(item)


# What nobody offers to the public on purpose: closing it is little work.
_INSIDE = re.compile(r"\b(22|23|3389|5900|5985|1433|1521|3306|5432|5439|6379|9200|11211|27017)\b")


def closing(world: World, uid: str) -> Action:
    """Taking a resource off the Internet."""
    ports = _ports(world.public.get(uid, ()))
    effort = 1.0 if _INSIDE.search(ports) and "443" not in ports else 3.0
    title = f"Stop {world.label(uid)} from answering the Internet{ports}"
    return Action(f"expose:{uid}", title, uid, effort=effort)


def _fronts(world: World, item: Item, found: Evidence) -> tuple[str, ...]:
    """What stands before it on the way: what the route names, else public things that route to it."""
    if found.via:
        return tuple(v for v in found.via if v in world.estate.items and v != item.uid)
    out: list[str] = []
    here, seen = [item.uid, *world.replicas.get(item.uid, ())], {item.uid}
    for _ in range(4):
        before = sorted({
            s for h in here for s in world.estate.sources(h, "routes_to")
            if s not in seen and s in world.estate.items
        })  # fmt: skip
        if not before:
            break
        first = next((s for s in before if s in world.public), before[0])
        here = [first]
        seen.add(first)
        if first in world.public:
            out.insert(0, first)
    return tuple(out)


@lasting
@pairs
def reachable_from_internet(world: World) -> Iterator[Pair]:
    """Answers anyone by an address of its own."""
    for uid in sorted(world.public):
        item = world.estate.find(uid)
        if item is None or not connects(item) or world.top(uid) != uid:
            continue
        found = world.public[uid]
        if found and _fronts(world, item, found[0]):
            continue
        yield Pair(INTERNET, uid, detail=_ports(found), evidence=tuple(found[:2]),
                   actions=(closing(world, uid),))  # fmt: skip


@lasting
@pairs
def reachable_through_front(world: World) -> Iterator[Pair]:
    """Answers anyone through a load balancer, an API, an ingress."""
    for uid in sorted(world.public):
        item = world.estate.find(uid)
        if item is None or not connects(item) or world.top(uid) != uid:
            continue
        found = world.public[uid]
        fronts = _fronts(world, item, found[0]) if found else ()
        if fronts:
            yield Pair(fronts[-1], uid, detail=_ports(found), evidence=tuple(found[:2]),
                       resources=fronts[:-1],
                       actions=(Action(f"route:{fronts[-1]}>{uid}",
                                       f"Take {world.label(uid)} from behind "
                                       f"{world.label(fronts[-1])}", uid, effort=3.0),))  # fmt: skip
            for before, after in pairwise(fronts):
                yield Pair(before, after, evidence=tuple(found[:1]))


def _ports(found: object) -> str:
    for evidence in found if isinstance(found, list | tuple) else ():
        if evidence.ports:
            return f" on {evidence.ports}"
    return ""


@lasting
@pairs
def neighbours(world: World) -> Iterator[Pair]:
    """Who is let in by the security groups of whom, inside connected networks.

    Members of a group, and addresses of a range, are hubs: a step per member and a step per rule,
    never one per pair.
    """
    network = world.network
    links = Links(network)
    hosts: list[tuple[str, str, str, set[str], list[object]]] = []
    for item in world.estate.of_type("aws_ec2_instance", "aws_lambda_function", "aws_ecs_service",
                                     "aws_ecs_task"):  # fmt: skip
        for interface in _interfaces(world, item):
            subnet = network.subnets.get(str(interface.get("SubnetId") or ""))
            vpc = str(
                interface.get("VpcId") or (subnet.config.get("VpcId") if subnet else "") or ""
            )
            address = interface.get("PrivateIpAddress")
            if vpc:
                own: list[object] = [address] if address else []
                hosts.append((item.uid, vpc, str(interface.get("SubnetId") or ""),
                              set(groups_of(interface)), own))  # fmt: skip
    group_hubs: set[str] = set()
    range_hubs: dict[tuple[str, str], IntSet] = {}
    wanted: list[tuple[str, _Opening]] = []
    remote: dict[str, dict[tuple[str, str], IntSet]] = defaultdict(dict)
    for uid, vpc, groups, subnets in _doors(world):
        for group in groups:
            source = network.security.by_id.get(group)
            told = source.uid if source else group
            for rule in network.security.rules(group) or ():
                for other in rule.groups:
                    group_hubs.add(other)
                    text = f"group {group} admits {other}"
                    wanted.append(
                        (f"group:{other}", _Opening(uid, rule, text, told, group, subnets))
                    )
                if rule.sources[4]:
                    ranges_text = cidr_texts(rule.sources[4], 4)
                    range_hubs[vpc, ranges_text] = rule.sources[4]
                    text = f"group {group} admits {ranges_text}"
                    opening = _Opening(uid, rule, text, told, group, subnets)
                    wanted.append((f"range:{vpc}:{ranges_text}", opening))
                    for inside in subnets if links.connected.get(vpc) else ():
                        remote[vpc][inside, ranges_text] = rule.sources[4]
                        only = replace(opening, subnets=[inside])
                        wanted.append((f"remote:{inside}:{ranges_text}", only))
    by_vpc: dict[str, list[tuple[str, IntSet]]] = defaultdict(list)
    for (vpc, text), ranges in sorted(range_hubs.items(), key=lambda e: e[0]):
        by_vpc[vpc].append((text, ranges))
    members: dict[str, list[tuple[str, Pair]]] = defaultdict(list)
    for uid, vpc, near, mine, own in hosts:
        for group in sorted(mine & group_hubs):
            hub = f"group:{group}"
            members[hub].append((near, Pair(uid, hub, target_kind="hub", silent=True)))
        for text, ranges in by_vpc.get(vpc, ()):
            if any(addresses([a], 4) & ranges for a in own):
                hub = f"range:{vpc}:{text}"
                members[hub].append((near, Pair(uid, hub, target_kind="hub", silent=True)))
        for other in sorted(links.connected.get(vpc, ())):
            for (inside, text), ranges in sorted(remote[other].items(), key=lambda e: e[0]):
                link = links.between(near, inside)
                if link is not None and any(addresses([a], 4) & ranges for a in own):
                    shown = Evidence(kind="route", text=link.text, source=link.via)
                    hub = f"remote:{inside}:{text}"
                    members[hub].append((near, Pair(
                        uid, hub, target_kind="hub", silent=True, doubt=link.doubt,
                        evidence=(shown,))))  # fmt: skip
    yield from _through_acls(network, wanted, members)


@dataclass(frozen=True)
class _Opening:
    """What a rule of a group lets into a resource: `told` names the rule's group as evidence."""

    uid: str
    rule: Rule
    text: str
    told: str
    group: str
    subnets: list[str]  # where the resource is; empty where nobody said


def _through_acls(
    network: Network,
    wanted: list[tuple[str, _Opening]],
    members: dict[str, list[tuple[str, Pair]]],
) -> Iterator[Pair]:
    """Members into their hubs, and from each hub to what it opens.

    Where network ACLs stop some subnets, the members of each subnet have a hub of their own.
    """
    subnets = {hub: sorted({near for near, _ in found}) for hub, found in members.items()}
    onward: list[Pair] = []
    answers: dict[tuple[str, tuple[str, ...], str, tuple[int, int]], dict[str, str]] = {}
    whole: set[str] = set()
    split: set[str] = set()
    for hub, opening in wanted:
        rule = opening.rule
        asked = (hub, tuple(opening.subnets), rule.protocol, rule.ports)
        if asked not in answers:
            answers[asked] = {
                near: why for near in subnets.get(hub, ())
                if (why := _stopped(network, near, opening))
            }  # fmt: skip
        stopped = answers[asked]
        ports = _span(rule.protocol, rule.ports)
        pair = Pair(
            hub, opening.uid, source_kind="hub", detail=f" on {ports}",
            evidence=(Evidence(kind="route", text=f"security {opening.text} on {ports}",
                               source=opening.told),),
            actions=(Action(f"rule:{opening.group}:{opening.text}:{ports}",
                            f"Narrow security group {opening.group}: {opening.text} on {ports}",
                            opening.told),))  # fmt: skip
        if not stopped:
            whole.add(hub)
            onward.append(pair)
            continue
        split.add(hub)
        for near in subnets[hub]:
            # Nobody said where those are that have no subnet.
            doubt = "" if near else "whether a network ACL stops it"
            why = stopped.get(near, "")
            onward.append(replace(pair, source=f"{hub}@{near}", no=why, doubt=doubt))
    for hub, found in members.items():
        for near, member in found:
            if hub in whole:
                yield member
            if hub in split:
                yield replace(member, target=f"{hub}@{near}")
    yield from onward


def _stopped(network: Network, near: str, opening: _Opening) -> str:
    """Why network ACLs let nothing from a subnet to any of those that the resource is in."""
    found = [
        network.acls.stopped(near, far, opening.rule.protocol, opening.rule.ports)
        for far in opening.subnets if near and far
    ]  # fmt: skip
    return found[0] if found and all(found) else ""


def _interfaces(world: World, item: Item) -> Iterator[dict[str, object]]:
    if item.type == "aws_ec2_instance":
        yield from interfaces_of(world.network, item)
        return
    config = item.config.get("VpcConfig") or item.config.get("networkConfiguration") or {}
    inner = config.get("awsvpcConfiguration") if isinstance(config, dict) else None
    config = inner if isinstance(inner, dict) else config
    if isinstance(config, dict):
        groups = config.get("SecurityGroupIds") or config.get("securityGroups") or ()
        subnets = config.get("SubnetIds") or config.get("subnets") or ()
        for subnet in subnets if isinstance(subnets, list) else ():
            found = world.network.subnets.get(str(subnet))
            block = found.config.get("CidrBlock") if found else None
            yield {"SubnetId": str(subnet), "PrivateIpAddress": block,
                   "Groups": [{"GroupId": str(g)} for g in groups]}  # fmt: skip


def _doors(world: World) -> Iterator[tuple[str, str, list[str], list[str]]]:
    """(resource, VPC, security groups, subnets) of everything that listens inside a network."""
    for item in world.estate.of_type("aws_ec2_instance", "aws_ecs_service", "aws_ecs_task"):
        for interface in _interfaces(world, item):
            subnet = world.network.subnets.get(str(interface.get("SubnetId") or ""))
            vpc = interface.get("VpcId") or (subnet.config.get("VpcId") if subnet else "")
            yield (item.uid, str(vpc or ""), groups_of(interface),
                   [str(interface.get("SubnetId") or "")])  # fmt: skip
    for item in world.estate.of_type(
        "aws_rds_instance", "aws_rds_cluster", "aws_redshift_cluster", "aws_docdb_cluster",
        "aws_elasticache_cluster", "aws_opensearch_domain",
    ):  # fmt: skip
        rows = item.config.get("VpcSecurityGroups") or item.config.get("SecurityGroups") or ()
        groups = [str(g.get("VpcSecurityGroupId") or g.get("SecurityGroupId"))
                  for g in rows if isinstance(g, dict)]  # fmt: skip
        options = item.config.get("VPCOptions")
        if isinstance(options, dict):
            groups += [str(g) for g in options.get("SecurityGroupIds") or ()]
        subnets = item.config.get("DBSubnetGroup")
        vpc = str((subnets.get("VpcId") if isinstance(subnets, dict) else "")
                  or item.config.get("VpcId")
                  or (options.get("VPCId") if isinstance(options, dict) else "") or "")  # fmt: skip
        if groups:
            inside = [str(s) for s in walk(item.config, "DBSubnetGroup.Subnets[].SubnetIdentifier")]
            inside += [str(s) for s in walk(item.config, "VPCOptions.SubnetIds[]")]
            yield item.uid, vpc, groups, inside


def _span(protocol: str, ports: tuple[int, int]) -> str:
    low, high = ports
    if protocol == "other":
        return "any protocol"
    if low <= 0 and high >= 65535:
        return f"every {protocol} port"
    return f"{protocol} {low}" if low == high else f"{protocol} {low}-{high}"
