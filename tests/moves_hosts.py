"""Samples of the moves between tasks of ECS and their machines; see test_paths_moves.py."""

from __future__ import annotations

from typing import Any

from tests.scenes import A, R, Scene, service
from tests.test_network_kubernetes import pod, thing

Flips = list[tuple[str, Scene, str]]
ECS = f"arn:aws:ecs:{R}:{A}:"
HOST, TASK = f"{ECS}container-instance/c/h", f"{ECS}task/c/t"
SERVICE, DEFINITION = f"{ECS}service/c/app", f"{ECS}task-definition/app:1"


def options(tokens: str = "optional", hops: int = 1, endpoint: str = "enabled") -> dict[str, Any]:
    return {"MetadataOptions": {"HttpTokens": tokens, "HttpPutResponseHopLimit": hops,
                                "HttpEndpoint": endpoint}}  # fmt: skip


def hosted(mode: str = "bridge", metadata: dict[str, Any] | None = None, container: Any = None,
           status: str = "RUNNING", group: str = "service:app", **definition: Any) -> Scene:  # fmt: skip
    """A service whose task runs on a machine that has a role."""
    scene = Scene().instance("host", "app", public=False, **(metadata or options()))
    scene.role("app", service("ec2.amazonaws.com"), profile=True)
    scene.add(HOST, "aws_ecs_container_instance", {"ec2InstanceId": "i-host"})
    scene.add(DEFINITION, "aws_ecs_task_definition", {
        "networkMode": mode, "containerDefinitions": [{"name": "a", **(container or {})}], **definition})  # fmt: skip
    scene.add(SERVICE, "aws_ecs_service", {
        "serviceName": "app", "clusterArn": f"{ECS}cluster/c", "taskDefinition": DEFINITION})  # fmt: skip
    scene.add(TASK, "aws_ecs_task", {
        "taskArn": TASK, "clusterArn": f"{ECS}cluster/c", "taskDefinitionArn": DEFINITION, "group": group,
        "lastStatus": status})  # fmt: skip
    scene.relations += [
        (TASK, "runs_on", HOST),
        (HOST, "runs_on", f"arn:aws:ec2:{R}:{A}:instance/i-host"),
    ]
    return scene


def noded(metadata: dict[str, Any], host: bool = False) -> Scene:
    """A pod on a node that is a machine with a role."""
    spec = {"hostNetwork": True} if host else {}
    node = thing("Node", "n1", {"providerID": "aws:///eu-west-1a/i-host"}, "")
    scene = Scene().kubernetes(pod(**spec), node).instance("host", "app", public=False, **metadata)
    scene.role("app", service("ec2.amazonaws.com"), profile=True)
    return scene


def mounted(path: str, **more: Any) -> Scene:
    return hosted(container={"mountPoints": [{"sourceVolume": "v", "containerPath": "/x", **more}]},
                  volumes=[{"name": "v", "host": {"sourcePath": path}}])  # fmt: skip


def capable(name: str, **definition: Any) -> Scene:
    return hosted(container={"linuxParameters": {"capabilities": {"add": [name]}}}, **definition)


V2 = options("required")
SAMPLES: dict[str, tuple[Scene, Flips]] = {
    "ecs-host-metadata": (hosted(), [
        ("one hop and IMDSv2", hosted(metadata=V2), "hop limit 1"),
        ("metadata off", hosted(metadata=options(endpoint="disabled")), "switched off"),
    ]),
    "ecs-host-metadata-ssrf": (hosted(), [
        ("IMDSv2", hosted(metadata=options("required", 2)), "IMDSv2 required"),
        ("IMDSv2 on the host's network", hosted("host", V2), "IMDSv2 required"),
        ("metadata off", hosted(metadata=options(endpoint="disabled")), "switched off"),
    ]),
    "ecs-escape": (hosted(container={"privileged": True}), [
        ("no privilege", hosted(), ""),
        ("a harmless capability", capable("NET_BIND_SERVICE"), ""),
        ("sees processes of its own only", capable("SYS_PTRACE"), ""),
        ("a folder of data", mounted("/srv/data"), ""),
        ("reads only", mounted("/etc", readOnly=True), ""),
    ]),
    "ecs-host-tasks": (hosted(group="family:app"), [("the task has ended", hosted(
        group="family:app", status="STOPPED"), "")]),
    "k8s-node-metadata-ssrf": (noded(options()), [
        ("IMDSv2", noded(options("required", 2)), "IMDSv2 required"),
        ("metadata off", noded(options(endpoint="disabled")), "switched off"),
    ]),
}  # fmt: skip
OUT: list[tuple[str, Scene]] = [
    ("the socket of the runtime", mounted("/var/run/docker.sock", readOnly=True)),
    ("the whole disk", mounted("/")),
    ("loads code into the kernel", capable("SYS_MODULE")),
    ("enters processes of the machine", capable("SYS_PTRACE", pidMode="host")),
]
