"""Ports of administration and of databases that a security group in use opens to the Internet."""

from __future__ import annotations

import re
from collections.abc import Iterator

from secinbox.network.aws.vpc import Network, network_of
from secinbox.network.ranges import ALL_PORTS, IntSet, is_wide
from secinbox.posture._stating import Known, Rule, known_of
from secinbox.records import Finding
from secinbox.risks import Assessment

_PREFIX = "ec2_securitygroup_allow_ingress_from_internet_to_"
# Service, its TCP ports, and the check of the same name elsewhere.
_SERVICES: tuple[tuple[str, tuple[int, ...], str], ...] = (
    ("SSH", (22,), "tcp_port_22"),
    ("Remote Desktop", (3389,), "tcp_port_3389"),
    ("Telnet", (23,), "tcp_port_telnet_23"),
    ("MySQL", (3306,), "tcp_port_mysql_3306"),
    ("PostgreSQL", (5432,), "tcp_port_postgres_5432"),
    ("SQL Server", (1433, 1434), "tcp_port_sql_server_1433_1434"),
    ("Oracle", (1521, 2483, 2484), "tcp_port_oracle_1521_2483"),
    ("MongoDB", (27017, 27018), "tcp_port_mongodb_27017_27018"),
    ("Redis", (6379,), "tcp_port_redis_6379"),
    ("Memcached", (11211,), "tcp_port_memcached_11211"),
    ("Elasticsearch", (9200, 9300, 5601), "tcp_port_elasticsearch_kibana_9200_9300_5601"),
    ("Kafka", (9092,), "tcp_port_kafka_9092"),
    ("Cassandra", (9042, 9160), ""),
    ("SMB and Windows RPC", (135, 139, 445), ""),
    ("WinRM", (5985, 5986), ""),
    ("VNC", (5900, 5901), ""),
    ("Docker's API", (2375, 2376), ""),
    ("the kubelet", (10250, 10255), ""),
    ("etcd", (2379, 2380), ""),
)
# Reported as what they are, a public database, not once more as a port of its group.
_REPORTED = ("aws_rds_instance", "aws_rds_cluster", "aws_redshift_cluster", "aws_mq_broker",
             "aws_msk_cluster")  # fmt: skip
_HARM = (
    "Anyone on the Internet reaches a port that is meant for administrators or for other machines: "
    "one weak password or one fault in the service is enough."
)
_REMEDY = (
    "Let in only the networks that need it, or none: use Session Manager, a VPN or a private link."
)


def findings(assessment: Assessment) -> Iterator[Finding]:
    """One finding a service and security group, where something behind the group is reachable."""
    known = known_of(assessment)
    behind: dict[str, list[tuple[str, IntSet]]] = {}
    estate = assessment.estate
    for uid, evidence in known.exposed().items():
        item = estate.items.get(uid)
        if item is None or item.type in _REPORTED or not item.type.startswith("aws_"):
            continue
        ports = IntSet.of(
            i for e in evidence if e.kind == "route" for i in tcp_ports(e.ports).intervals
        )
        if ports:
            for group in estate.targets(uid, "guarded_by"):
                behind.setdefault(group, []).append((uid, ports))
    if not behind:
        return
    network = network_of(estate)
    for group in sorted(behind):
        found = estate.find(group)
        if found is not None:
            yield from _of_group(known, network, found.uid, str(found.config.get("GroupId")),
                                 behind[group])  # fmt: skip


def _of_group(
    known: Known, network: Network, uid: str, group_id: str, behind: list[tuple[str, IntSet]]
) -> Iterator[Finding]:
    opened = IntSet.of(
        rule.ports
        for rule in network.security.rules(group_id) or ()
        if rule.protocol == "tcp" and any(is_wide(rule.sources[v], v) for v in (4, 6))
    )
    names = {name: _PREFIX + check for name, _, check in _SERVICES if check}
    yield from stated(known, uid, opened, behind, {**names, "": _PREFIX + "all_ports"})


def stated(
    known: Known, uid: str, opened: IntSet, behind: list[tuple[str, IntSet]], checks: dict[str, str]
) -> Iterator[Finding]:
    """A finding a service that a group lets everyone reach on something behind it.

    behind: (resource, its TCP ports that the Internet reaches); checks: service -> the same check of
    other tools, `` for all ports.
    """
    if not opened:
        return
    if opened == ALL_PORTS:
        used = [u for u, ports in behind if ports == ALL_PORTS]
        if used:
            rule = Rule(
                "secinbox-ports-all", "Every port is open to the Internet", _HARM, _REMEDY,
                "vulnerability", "medium", canonical=checks.get("", ""),
            )  # fmt: skip
            yield known.state(rule, uid, [f"all TCP ports of {u} are reachable" for u in used])
            return
    for name, wanted, _ in _SERVICES:
        asked = IntSet.of((p, p) for p in wanted) & opened
        used = [u for u, ports in behind if ports & asked]
        if not asked or not used:
            continue
        rule = Rule(
            "secinbox-port-" + re.sub(r"[^a-z0-9]+", "-", name.lower().removeprefix("the ")),
            f"{name[0].upper() + name[1:]} is open to the Internet", _HARM, _REMEDY,
            "vulnerability", "medium", canonical=checks.get(name, ""),
        )  # fmt: skip
        ports_shown = ", ".join(str(a) for a, _ in asked.intervals)
        yield known.state(rule, uid, [f"tcp {ports_shown} of {u} is reachable" for u in used])


def tcp_ports(text: str) -> IntSet:
    """The TCP ports of `tcp 22, 8000-8100; udp 53`."""
    for part in text.split(";"):
        protocol, _, ports = part.strip().partition(" ")
        if protocol != "tcp":
            continue
        if ports == "all":
            return ALL_PORTS
        return IntSet.of(
            (int(low), int(high or low)) for low, high in re.findall(r"(\d+)(?:-(\d+))?", ports)
        )
    return IntSet(())
