"""Tasks of ECS that answer at ports of their machine: the smallest yes, and each condition flipped."""

from __future__ import annotations

from typing import Any

import pytest

from tests.answers import ANYONE, EC2, Answers
from tests.flips import holds
from tests.scenes import A, R

ECS = f"arn:aws:ecs:{R}:{A}:"
SERVICE, TASK = f"{ECS}service/c/app", f"{ECS}task/c/t"
CLUSTER, HOST, DEFINITION = (
    f"{ECS}cluster/c",
    f"{ECS}container-instance/c/h",
    f"{ECS}task-definition/app:1",
)


def estate(*, mode: str = "bridge", port: int = 32768, source: str = ANYONE, opened: int = 32768,
           public: bool = True, status: str = "RUNNING", tasks: bool = True, group: str = "service:app",
           desired: int = 1, state: str = "running", bound: bool = True, mapped: bool = True) -> Answers:  # fmt: skip
    found = Answers().instance(
        "host", "host", port=opened, source=source, public=public, state=state
    )
    found.role("host", EC2).says("ecs.list_clusters", {"clusterArns": [CLUSTER]})
    container: dict[str, Any] = {"name": "app", "image": "a:1"}
    if mapped:
        container["portMappings"] = [{"containerPort": 80, "hostPort": 0}]
    of = {"cluster": CLUSTER}
    found.says("ecs.describe_services", {"services": [{
        "serviceArn": SERVICE, "serviceName": "app", "clusterArn": CLUSTER, "taskDefinition": DEFINITION,
        "desiredCount": desired, "status": "ACTIVE", "launchType": "EC2", "loadBalancers": []}]}, of)  # fmt: skip
    found.says("ecs.describe_task_definition", {"taskDefinition": {
        "taskDefinitionArn": DEFINITION, "family": "app", "networkMode": mode,
        "containerDefinitions": [container]}}, {"taskDefinition": DEFINITION})  # fmt: skip
    found.says("ecs.describe_container_instances", {"containerInstances": [{
        "containerInstanceArn": HOST, "ec2InstanceId": "i-host", "status": "ACTIVE"}]}, of)  # fmt: skip
    if tasks:
        bindings = [{"containerPort": 80, "hostPort": port, "protocol": "tcp"}] if bound else []
        found.says("ecs.list_tasks", {"taskArns": [TASK]}, of)
        found.says("ecs.describe_tasks", {"tasks": [{
            "taskArn": TASK, "clusterArn": CLUSTER, "taskDefinitionArn": DEFINITION, "group": group,
            "containerInstanceArn": HOST, "lastStatus": status, "launchType": "EC2", "attachments": [],
            "containers": [{"name": "app", "networkBindings": bindings}]}]}, of)  # fmt: skip
    return found


FLIPS: list[tuple[str, Answers, str, str]] = [
    ("smallest", estate(), "yes", "tcp 32768"),
    ("the network of its machine", estate(mode="host"), "yes", "tcp 32768"),
    ("another port is open", estate(opened=443), "no", ""),
    ("open to one network", estate(source="203.0.113.0/24"), "no", ""),
    ("the machine has no public address", estate(public=False), "no", ""),
    ("the machine is stopped", estate(state="stopped"), "no", ""),
    ("the task has stopped", estate(status="STOPPED"), "no", "no public address"),
    ("no port is bound", estate(bound=False), "no", ""),
    ("a task of another service", estate(group="service:other"), "no", ""),
    ("nobody listed tasks", estate(tasks=False), "unknown", "its tasks answer was not read"),
    ("nobody listed tasks, but none should run", estate(tasks=False, desired=0), "no", ""),
    ("nobody listed tasks, but no port is mapped", estate(tasks=False, mapped=False), "no", ""),
    ("nobody listed tasks, which have interfaces of their own", estate(tasks=False, mode="awsvpc"), "no", ""),
]  # fmt: skip


@pytest.mark.parametrize(("flip", "made", "value", "told"), FLIPS, ids=[f[0] for f in FLIPS])
def test_service(flip: str, made: Answers, value: str, told: str) -> None:
    holds(made.exposure()[SERVICE], value, told)


def test_the_task_itself() -> None:
    holds(estate().exposure()[TASK], "yes", "port of task t")
    holds(estate(opened=443).exposure()[TASK], "no", "")
