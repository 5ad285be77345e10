"""What rules that name their objects lead to: one service account, one pod, or a whole namespace.

Kubernetes admits `resourceNames` on whatever has the name in its URL: a secret (list and watch too, with a
field selector of that name), a subresource, an impersonated account. Who may change a workload of any
name puts into it what pods may say, another service account of its namespace included.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from secinbox.estate import Estate
from secinbox.iam.kubernetes.rules import WORKLOADS, Grant, Subject
from secinbox.inventory.kubernetes.cluster import (
    Runner,
    looked_at,
    notes_of,
    place_of,
    runners,
    word,
)

TOKEN = "kubernetes.io/service-account-token"  # noqa: S105
# verb, resource, what it does to the account that the rule names
_ACCOUNTS = (
    ("impersonate", "serviceaccounts", "impersonates"),
    ("create", "serviceaccounts/token", "makes tokens of"),
)
_READS = ("get", "list", "watch")
_PODS = (
    (("create", "get"), "pods/exec", "runs commands in"),
    (("create", "get"), "pods/attach", "attaches to"),
    (("update", "patch"), "pods/ephemeralcontainers", "adds a container to"),
    (("update", "patch"), "pods", "changes the image of"),
)  # fmt: skip


@dataclass(frozen=True)
class Entered:
    """A pod that somebody gets code into; `unread`: nobody listed the pods of that name."""

    uid: str
    text: str
    runner: Runner | None = None
    unread: str = ""


class Named:
    """Objects that rules may name, by cluster and name."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.tokens: dict[tuple[str, str], list[tuple[str, Subject]]] = defaultdict(list)
        for item in estate.of_type("kubernetes_secret"):
            cluster, space = place_of(item.uid)
            account = notes_of(item).get("kubernetes.io/service-account.name", "")
            if word(item.config, "type") == TOKEN and account:
                self.tokens[cluster, item.name].append((item.uid, (cluster, "sa", space, account)))
        self.with_tokens = {account for found in self.tokens.values() for _, account in found}
        self._accounts: dict[tuple[str, str], list[str]] = defaultdict(list)
        for item in estate.of_type("kubernetes_serviceaccount"):
            cluster, space = place_of(item.uid)
            self._accounts[cluster, item.name].append(space)
        self._runners: dict[tuple[str, str, str], list[Runner]] | None = None

    def accounts(self, grant: Grant, cluster: str) -> Iterator[tuple[Subject, str]]:
        """Service accounts that the rule names and lets one act as, and by what."""
        for verb, resource, text in _ACCOUNTS if grant.names else ():
            if not grant.holds((verb,), "", resource, True):
                continue
            for name in sorted(grant.names):
                for space in self._accounts.get((cluster, name), ()):
                    if grant.space in ("", space):
                        shown = f"{text} serviceaccount {space}/{name}"
                        yield (cluster, "sa", space, name), shown

    def secrets(self, grant: Grant, cluster: str) -> Iterator[tuple[str, Subject]]:
        """Secrets with the token of an account that the rule lets one read by their names."""
        if grant.holds(_READS, "", "secrets", True):
            for name in sorted(grant.names):
                for secret, account in self.tokens.get((cluster, name), ()):
                    if grant.space in ("", account[2]):
                        yield secret, account

    def pods(self, grant: Grant, cluster: str) -> Iterator[Entered]:
        """Pods of these names that the rule lets one enter."""
        for verbs, resource, text in _PODS if grant.names else ():
            if not grant.holds(verbs, "", resource, True):
                continue
            for name in sorted(grant.names):
                found = [
                    r for r in self._of("pod", cluster, name) if grant.space in ("", _space(r))
                ]
                for runner in found:
                    if not runner.idle:
                        yield Entered(runner.uid, f"{text} pod {_space(runner)}/{name}", runner)
                uid = f"k8s://{cluster}/{grant.space or '_'}/pod/{name}"
                if not found and not looked_at(self.estate, uid, "pod"):
                    yield Entered(uid, f"{text} pod {name}", unread="pods were not read")

    def spaces(self, grant: Grant, cluster: str) -> Iterator[tuple[str, str]]:
        """(namespace, what) where it may change a workload that is there."""
        for group, resource in WORKLOADS if grant.names else ():
            if resource == "jobs":  # their template is never changed
                continue
            if not grant.holds(("update", "patch"), group, resource, True):
                continue
            for name in sorted(grant.names):
                kind = resource.removesuffix("s")
                for runner in self._of(kind, cluster, name):
                    if grant.space in ("", _space(runner)):
                        yield (
                            _space(runner),
                            f"changes {kind} {name}, which runs as any service account",
                        )

    def _of(self, kind: str, cluster: str, name: str) -> list[Runner]:
        if self._runners is None:
            self._runners = defaultdict(list)
            for runner in runners(self.estate):
                place = place_of(runner.uid)[0], runner.uid.split("/")[-2], runner.item.name
                self._runners[place].append(runner)
        return self._runners.get((cluster, kind, name), [])


def _space(runner: Runner) -> str:
    return place_of(runner.uid)[1]
