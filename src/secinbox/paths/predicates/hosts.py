"""ECS on machines of one's own: from a task to its machine and the machine's role, and back.

Sources: Amazon ECS Developer Guide, "Amazon EC2 container instance security" (metadata of the instance is
reachable from tasks unless it is blocked), "Task definition parameters" (privileged, pidMode, volumes,
linuxParameters).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from secinbox.estate import Item
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.hosts import (
    OWN_INTERFACE,
    definition_of,
    lives,
    machines_of,
    mode_of,
    tasks_of,
)
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Judgement, Pair, check, lasting, pairs
from secinbox.paths.world import World
from secinbox.records import Evidence

_KERNEL = {"SYS_MODULE", "ALL", "SYS_ADMIN"}
_SOCKETS = ("docker.sock", "containerd.sock")
# Host paths whose content runs, or lets in, as root.
_WHOLE = ("/", "/etc", "/root", "/home", "/var", "/var/run", "/run", "/var/lib", "/var/lib/docker",
          "/usr", "/usr/bin", "/bin", "/sbin", "/lib", "/boot", "/proc")  # fmt: skip


def _run(world: World) -> Iterator[tuple[Item, Item]]:
    """(service or task, machine on which it runs)."""
    for item in world.estate.of_type("aws_ecs_service", "aws_ecs_task"):
        tasks = (
            tasks_of(world.estate, item)
            if item.type == "aws_ecs_service"
            else [item]
            if lives(item)
            else []
        )
        seen = {m.uid: m for t in tasks for m in machines_of(world.estate, t)}
        for _, machine in sorted(seen.items()):
            yield item, machine


@lasting
@pairs
def role_of_host(world: World) -> Iterator[Pair]:
    """A task, and the role of the machine that it runs on."""
    for item, machine in _run(world):
        for role in world.runs_as.get(machine.uid, ()):
            yield Pair(item.uid, role, detail=machine.uid, resources=(machine.uid,), actions=(Action(
                f"hops:{machine.uid}", f"Limit metadata answers to one hop on {world.label(machine.uid)}",
                machine.uid, effort=0.5),))  # fmt: skip


@check
def metadata_reaches_tasks(world: World, pair: Pair) -> Judgement:
    """Hop limit 1 and IMDSv2 keep it from a bridge; what has its own interface the agent may block."""
    machine, item = world.estate.find(pair.detail), world.estate.find(pair.source)
    options = machine.config.get("MetadataOptions") if machine else None
    options = options if isinstance(options, dict) else {}
    if options.get("HttpEndpoint") == "disabled":
        return Judgement(False, "the machine's metadata service is switched off")
    mode = mode_of(world.estate, item) if item else ""
    if mode == "host":
        return Judgement(True)
    if not options:
        return Judgement(None, "the options of the machine's metadata service were not read")
    hops = options.get("HttpPutResponseHopLimit")
    if options.get("HttpTokens") == "required" and isinstance(hops, int) and hops < 2:
        return Judgement(False, "hop limit 1 and IMDSv2 required")
    if mode == OWN_INTERFACE:
        return Judgement(None, "whether the agent blocks it (ECS_AWSVPC_BLOCK_IMDS)")
    return Judgement(True if mode else None, "" if mode else "its network mode was not read")


@check
def old_metadata_of_host(world: World, pair: Pair) -> Judgement:
    """IMDSv1 on the machine: a plain GET gives credentials, whatever the hop limit."""
    machine = world.estate.find(pair.detail)
    options = machine.config.get("MetadataOptions") if machine else None
    if not isinstance(options, dict) or not options.get("HttpTokens"):
        return Judgement(None, "whether IMDSv2 is required was not read")
    if options["HttpTokens"] == "required":
        return Judgement(False, "IMDSv2 required")
    return Judgement(True)


@lasting
@pairs
def way_out_of_task(world: World) -> Iterator[Pair]:
    """A container with a way out, and the machine that it runs on."""
    for item, machine in _run(world):
        definition = definition_of(world.estate, item)
        found = sorted(set(ways_out(definition))) if definition is not None else []
        if found:
            yield Pair(
                item.uid, machine.uid, detail=found[0],
                evidence=tuple(Evidence(kind="inventory", text=t, source=definition.uid)
                               for t in found[:3] if definition is not None),
                actions=(Action(f"escape:{item.uid}", f"Take from {world.label(item.uid)} what lets "
                                f"it out: {found[0]}", item.uid),),
            )  # fmt: skip


@lasting
@pairs
def tasks_of_host(world: World) -> Iterator[Pair]:
    """A machine, and what runs on it."""
    for item, machine in _run(world):
        yield Pair(machine.uid, item.uid, cost=0.02)


def ways_out(definition: Item) -> Iterator[str]:
    """How a container of this definition gets hold of its machine."""
    paths = {
        str(v.get("name")): str((v.get("host") or {}).get("sourcePath") or "")
        for v in walk(definition.config, "volumes[]")
        if isinstance(v, dict) and isinstance(v.get("host") or {}, dict)
    }
    shared = definition.config.get("pidMode") == "host"
    for container in walk(definition.config, "containerDefinitions[]"):
        if not isinstance(container, dict):
            continue
        name = str(container.get("name") or "")
        if container.get("privileged") is True:
            yield f"container {name} is privileged"
        caps = {str(c).upper() for c in walk(container, "linuxParameters.capabilities.add[]")}
        if caps & _KERNEL or (shared and "SYS_PTRACE" in caps):
            yield f"container {name} has capability {min(caps & (_KERNEL | {'SYS_PTRACE'}))}"
        for mount in walk(container, "mountPoints[]"):
            if not isinstance(mount, dict):
                continue
            path = paths.get(str(mount.get("sourceVolume")), "")
            path = posixpath.normpath(path) if path else ""
            socket = path.endswith(_SOCKETS) or path in ("/var/run", "/run")
            if socket or (path in _WHOLE and mount.get("readOnly") is not True):
                yield f"container {name} mounts {path} of its machine"
