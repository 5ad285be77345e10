"""How a pod gets hold of its node, and whether it holds a token of its service account."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from secinbox.estate import Item
from secinbox.inventory.kubernetes.cluster import (
    Runner,
    at,
    obj,
    objs,
    strs,
    word,
)

_SOCKETS = ("docker.sock", "containerd.sock", "crio.sock", "cri-dockerd.sock", "dockershim.sock",
            "podman.sock")  # fmt: skip
_WRITE = (
    "/etc", "/root", "/home", "/var/lib/kubelet/pods", "/var/lib/kubelet/pki", "/var/lib/docker",
    "/var/lib/containerd", "/proc", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/boot", "/opt/bin",
    "/var/spool/cron", "/var/lib/etcd",
)  # fmt: skip
_READ = (
    "/root",
    "/etc/kubernetes",
    "/var/lib/kubelet/pods",
    "/var/lib/kubelet/pki",
    "/var/lib/etcd",
)
_WHOLE = ("/", "/etc", "/home", "/var", "/var/lib", "/var/lib/kubelet")
_WITH_SOCKETS = ("/run", "/var/run", "/run/containerd", "/var/run/containerd")


def token_mounted(runner: Runner, account: Item | None) -> tuple[bool | None, str]:
    """Whether its pods hold the token, and what decides: the pod's word before the account's.

    https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
    """
    for volume in objs(runner.spec, "volumes"):
        for source in objs(volume, "projected", "sources"):
            if "serviceAccountToken" in source and not word(
                source, "serviceAccountToken", "audience"
            ):
                return True, ""
    own = at(runner.spec, "automountServiceAccountToken")
    if isinstance(own, bool):
        return own, "automountServiceAccountToken of the pod is false"
    if account is None or not account.config:
        return None, "whether its service account mounts the token was not read"
    if at(account.config, "automountServiceAccountToken") is False:
        return False, "automountServiceAccountToken of its service account is false"
    return True, ""


def escapes(runner: Runner) -> Iterator[tuple[str, str]]:
    """How a container gets hold of its node."""
    shared = at(runner.spec, "hostPID") is True
    paths = {
        word(v, "name"): word(v, "hostPath", "path")
        for v in objs(runner.spec, "volumes")
        if word(v, "hostPath", "path")
    }
    for container in runner.containers():
        name = word(container, "name")
        context = obj(container, "securityContext")
        added = strs(context, "capabilities", "add")
        caps = {c.upper().removeprefix("CAP_") for c in added}
        if at(context, "privileged") is True:
            yield f"container {name} is privileged", "has the devices of its node"
        if any(at(c, "windowsOptions", "hostProcess") is True
               for c in (context, obj(runner.spec, "securityContext"))):  # fmt: skip
            yield f"container {name} is a process of the host", "runs on its node"
        if caps & {"SYS_MODULE", "ALL"}:
            cap = min(caps & {"SYS_MODULE", "ALL"})
            yield f"container {name} has capability {cap}", "loads code into the node's kernel"
        if "DAC_READ_SEARCH" in caps and _is_root(runner, context):
            yield (f"container {name} has capability DAC_READ_SEARCH",
                   "reads any file of its node by its handle")  # fmt: skip
        strong = caps & {"SYS_ADMIN", "SYS_PTRACE"}
        if shared and strong:
            yield (f"container {name} has {min(strong)} and sees the node's processes (hostPID)",
                   "enters a process of the node")  # fmt: skip
        for mount in objs(container, "volumeMounts"):
            path = paths.get(word(mount, "name"), "")
            if not path:
                continue
            path = posixpath.normpath(posixpath.join("/", path, word(mount, "subPath")))
            path = "/" + path.lstrip("/")
            reason = _reaches(path, at(mount, "readOnly") is True, _is_root(runner, context))
            if reason:
                yield f"container {name} mounts {path} of its node", reason


def _is_root(runner: Runner, context: Mapping[str, Any]) -> bool:
    """Whether it may run as root: nothing says otherwise."""
    pod = obj(runner.spec, "securityContext")
    for key in ("runAsUser", "runAsNonRoot"):
        value = at(context, key) if at(context, key) is not None else at(pod, key)
        if value is not None:
            return value == 0 if key == "runAsUser" else value is not True
    return True


def _reaches(path: str, read_only: bool, root: bool) -> str:
    """What a mounted path gives; a read-only socket can be talked to all the same."""
    if path.endswith(_SOCKETS) or (path in _WITH_SOCKETS and root):
        return "starts containers through the runtime's socket"
    if not root:
        return ""
    under = _READ if read_only else _WRITE
    if path in _WHOLE or any(path == p or path.startswith(p + "/") for p in under):
        return "reads credentials of the node" if read_only else "writes what the node runs"
    return ""
