"""ECS tasks that answer at ports of their machine: networks `bridge` and `host`, and none said.

Source: Amazon ECS Developer Guide, "Amazon ECS task networking options for the EC2 launch type". Which
ports they have, and on which machine, only `ecs.describe_tasks` tells where ports are dynamic.
"""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.estate import Estate, Item
from secinbox.inventory.aws.answers import covered
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.compute import interfaces_of, port_open, public_addresses
from secinbox.network.aws.vpc import Network
from secinbox.network.verdict import Verdict, no, unknown, yes
from secinbox.records import Evidence

OWN_INTERFACE = "awsvpc"


def machines_of(estate: Estate, task: Item) -> Iterator[Item]:
    """The EC2 instance that a task runs on; none for Fargate."""
    for host in estate.targets(task.uid, "runs_on"):
        for machine in estate.targets(host, "runs_on"):
            found = estate.find(machine)
            if found is not None and found.type == "aws_ec2_instance":
                yield found


def tasks_of(estate: Estate, service: Item) -> Iterator[Item]:
    """The tasks that a service has started."""
    group = f"service:{service.config.get('serviceName') or service.name}"
    for task in estate.of_type("aws_ecs_task"):
        same = task.config.get("clusterArn") == service.config.get("clusterArn")
        if same and task.config.get("group") == group and lives(task):
            yield task


def lives(task: Item) -> bool:
    """Not stopped, by what ECS last saw."""
    return str(task.config.get("lastStatus") or "RUNNING") not in ("STOPPED", "DEPROVISIONING")


def definition_of(estate: Estate, item: Item) -> Item | None:
    """The task definition of a task or a service."""
    name = item.config.get("taskDefinitionArn") or item.config.get("taskDefinition")
    return estate.find(str(name)) if name else None


def mode_of(estate: Estate, item: Item) -> str:
    """awsvpc, bridge, host or none; empty where the definition was not read."""
    found = definition_of(estate, item)
    if found is None or "containerDefinitions" not in found.config:
        return ""
    return str(found.config.get("networkMode") or "bridge")


def task_on_host(network: Network, task: Item) -> list[Verdict]:
    """Each port of the machine behind which a container of the task answers."""
    out = []
    for machine in machines_of(network.estate, task) if lives(task) else ():
        ports = {
            (b["hostPort"], str(b.get("protocol") or "tcp"))
            for b in walk(task.config, "containers[].networkBindings[]")
            if isinstance(b, dict) and isinstance(b.get("hostPort"), int)
        }
        for port, protocol in sorted(ports):
            found = _open(network, machine, port, protocol)
            if found.value == "yes":
                name = task.uid.rpartition("/")[2]
                text = f"the Internet reaches {machine.name} on {protocol} {port}, a port of task {name}"
                found = yes(Evidence(
                    kind="route", text=text, source=machine.uid, ports=f"{protocol} {port}",
                    steps=("Internet", f"{machine.name} {protocol} {port}", f"task {name}")))  # fmt: skip
            out.append(found)
    return out


def _open(network: Network, machine: Item, port: int, protocol: str) -> Verdict:
    interfaces = interfaces_of(network, machine)
    if interfaces and not any(a for i in interfaces for a in public_addresses(i).values()):
        return no("its machine has no public address", machine.uid)
    return port_open(network, machine, port, protocol)


def service_on_hosts(network: Network, service: Item) -> list[Verdict]:
    """The same for what a service has started; unknown where nobody listed tasks."""
    estate = network.estate
    if mode_of(estate, service) not in ("bridge", "host"):
        return []
    tasks = list(tasks_of(estate, service))
    place = (service.account, service.region)
    if (
        not tasks and _maps_ports(estate, service) and service.config.get("desiredCount") != 0
        and any(covered(estate, *place, f"ecs.{c}_services") for c in ("list", "describe"))
        and not covered(estate, *place, "ecs.list_tasks")
    ):  # fmt: skip
        return [unknown("on which machines and ports its tasks answer was not read", service.uid)]
    return [v for task in tasks for v in task_on_host(network, task)]


def _maps_ports(estate: Estate, service: Item) -> bool:
    found = definition_of(estate, service)
    return found is not None and any(
        True for _ in walk(found.config, "containerDefinitions[].portMappings[].containerPort")
    )
