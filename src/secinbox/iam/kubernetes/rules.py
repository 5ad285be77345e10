"""Rules of RBAC as somebody holds them, and which of them lead to more: the moves of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from secinbox.inventory.kubernetes.cluster import (
    strs,
    word,
)

RBAC = "rbac.authorization.k8s.io"
WORKLOADS = (
    ("apps", "deployments"), ("apps", "daemonsets"), ("apps", "statefulsets"),
    ("apps", "replicasets"), ("batch", "jobs"), ("batch", "cronjobs"),
    ("", "replicationcontrollers"),
)  # fmt: skip
Move = tuple[tuple[str, ...], str, str, str]  # any of these verbs, API group, resource, what for
# Running code as any service account of a namespace, or taking its token.
ESCALATING: tuple[Move, ...] = (
    (("create",), "", "pods", "creates pods as any service account"),
    (("update", "patch"), "", "pods", "changes the image of any pod"),
    *(
        (("create", "update", "patch"), g, r, f"makes {r} that run as any service account")
        for g, r in WORKLOADS
    ),
    (("create", "get"), "", "pods/exec", "runs commands in any pod"),
    (("create", "get"), "", "pods/attach", "attaches to any pod"),
    (("update", "patch"), "", "pods/ephemeralcontainers", "adds a container to any pod"),
    (("create",), "", "serviceaccounts/token", "makes tokens of any service account"),
    (("impersonate",), "", "serviceaccounts", "impersonates any service account"),
)
SECRETS: Move = (("list", "watch"), "", "secrets", "reads all secrets")
# Enough by themselves when they hold in the whole cluster.
CLUSTER: tuple[Move, ...] = (
    *ESCALATING,
    SECRETS,
    (("impersonate",), "", "users", "impersonates any user"),
    (("create", "get"), "", "nodes/proxy", "runs commands in any pod through the kubelet"),
    (("create", "update", "patch"), "admissionregistration.k8s.io",
     "mutatingwebhookconfigurations", "changes whatever is written to the API"),
    (("create", "update", "patch"), "admissionregistration.k8s.io",
     "validatingwebhookconfigurations", "is sent whatever is written to the API"),
)  # fmt: skip


Subject = tuple[str, str, str, str]  # cluster, kind (sa, user, group), namespace, name


@dataclass(frozen=True)
class Grant:
    """A rule as somebody holds it; `space` is empty for the whole cluster."""

    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]
    names: frozenset[str]
    space: str
    role: str
    text: str
    source: str

    def holds(self, verbs: tuple[str, ...], group: str, resource: str, named: bool = False) -> bool:
        """Whether it allows one of the verbs, on all objects unless `named`."""
        if self.names and not named:
            return False
        tail = resource.partition("/")[2]
        return (
            bool(self.verbs & {"*", *verbs})
            and bool(self.groups & {"*", group})
            and bool(self.resources & {"*", resource, *([f"*/{tail}"] if tail else [])})
        )

    @property
    def whole(self) -> bool:
        return "*" in self.verbs and "*" in self.groups and "*" in self.resources and not self.names


def namespace_rules(grants: list[Grant]) -> Iterator[tuple[str, Grant]]:
    """Everything in a namespace, now or by giving it to itself."""
    whole = next((g for g in grants if g.whole), None)
    if whole:
        yield "administrator", whole
        return
    for kind in ("clusterroles", "roles"):
        binds = next((g for g in grants if g.holds(("bind",), RBAC, kind)), None)
        if binds and any(
            g.holds(("create", "update", "patch"), RBAC, "rolebindings") for g in grants
        ):
            yield "can bind itself to any role", binds
    raises = next((g for g in grants if g.holds(("escalate",), RBAC, "roles")), None)
    if raises and any(g.holds(("update", "patch"), RBAC, "roles") for g in grants):
        yield "can write any rule into a role", raises


def made_and_read(grants: list[Grant]) -> list[Grant]:
    """Rules by which somebody makes a secret that is filled with a token, and reads it by its name."""
    makes = next((g for g in grants if g.holds(("create",), "", "secrets")), None)
    reads = next((g for g in grants if g.holds(("get", "list", "watch"), "", "secrets")), None)
    return list(dict.fromkeys((makes, reads))) if makes and reads else []


def subject_uid(subject: Subject) -> str:
    """uid of a user, a group or a service account."""
    if subject[1] == "sa":
        return f"k8s://{subject[0]}/{subject[2] or '_'}/serviceaccount/{subject[3]}"
    return f"k8s://{subject[0]}/_/{subject[1]}/{subject[3]}"


def subject_of(cluster: str, space: str, row: Mapping[str, Any]) -> Subject:
    kind, name = word(row, "kind"), word(row, "name")
    if kind == "ServiceAccount":
        return cluster, "sa", word(row, "namespace") or space, name
    if kind == "User" and name.startswith("system:serviceaccount:") and name.count(":") == 3:
        _, _, home, account = name.split(":")
        return cluster, "sa", home, account
    return cluster, kind.lower(), "", name


def quoted(rule: Mapping[str, Any]) -> str:
    names = strs(rule, "resourceNames")
    groups = ", ".join(g or "core" for g in strs(rule, "apiGroups"))
    text = f"{', '.join(strs(rule, 'verbs'))} on {', '.join(strs(rule, 'resources'))} of {groups}"
    return text + (f" named {', '.join(names)}" if names else "")
