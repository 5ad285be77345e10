"""Kubernetes: names, clusters, and secrets that are worth taking."""

from __future__ import annotations

import re

from secinbox.estate import Estate, Item

# Types of secrets that are credentials by themselves.
SECRET_TYPES = {
    "kubernetes.io/tls": "holds a private key",
    "kubernetes.io/dockerconfigjson": "holds the sign-in of a registry",
    "kubernetes.io/dockercfg": "holds the sign-in of a registry",
    "kubernetes.io/basic-auth": "holds a password",
    "kubernetes.io/ssh-auth": "holds a private key",
    "kubernetes.io/service-account-token": "holds the token of a service account",
    "bootstrap.kubernetes.io/token": "holds a token that joins nodes",
}
ACTORS = ("serviceaccount",)
RUNS = ("pod", "deployment", "statefulset", "daemonset")
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?|secret|token|credential|api-?key|private|vault|access-?key|"
    r"connection|dsn|admin|root", re.I
)  # fmt: skip


def named(uid: str, item: Item | None) -> str:
    """Kind, namespace and name; a cluster by its name."""
    if not uid.startswith("k8s://"):
        return ""
    words = uid.removeprefix("k8s://").split("/", 3)
    if len(words) < 4:
        return f"cluster {words[0]}"
    place = "" if words[1] == "_" else f"{words[1]}/"
    return f"{words[2]} {place}{words[3]}"


def owner(estate: Estate, item: Item) -> str:
    """The cluster of an object."""
    return cluster(item.uid)


def cluster(uid: str) -> str:
    """The cluster in whose name this begins; empty for anything else."""
    return "/".join(uid.split("/")[:3]) if uid.startswith("k8s://") else ""


def holds(item: Item) -> bool:
    """Secrets."""
    return item.type == "kubernetes_secret"


def worth(estate: Estate, item: Item) -> tuple[str, str] | None:
    """A secret whose type or names say what it is good for."""
    told = worth_of(item) if item.type == "kubernetes_secret" else ""
    return (told, "high") if told else None


def worth_of(item: Item) -> str:
    """Why a secret matters; empty where neither its type nor a name says so."""
    kind = str(item.config.get("type") or "")
    if kind in SECRET_TYPES:
        return SECRET_TYPES[kind]
    fields = item.config.get("data") or item.config.get("stringData") or {}
    names = [item.name, *(fields if isinstance(fields, dict) else ())]
    if kind in ("", "Opaque") and any(_SECRET_NAME.search(n) for n in names):
        return "is a secret of its applications (a guess from its name)"
    return ""
