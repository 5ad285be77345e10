"""Kubernetes: privileged_access of service accounts, users, groups, pods and workloads.

RBAC is a union of rules without denials; a RoleBinding gives even a ClusterRole in its namespace
only. Who may do what the moves below say is, or can become, administrator of the cluster. Sources:
kubernetes.io "Using RBAC Authorization" and "RBAC Good Practices", KubeHound's and IceKube's edges
(github.com/DataDog/KubeHound, github.com/ReversecLabs/IceKube). Not looked at: webhook and cloud
authorizers, admission policies, which users are in which group.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.kubernetes.cluster import (
    Runner,
    at,
    labels_of,
    looked_at,
    named_only,
    near,
    notes_of,
    obj,
    objs,
    place_of,
    runners,
    selects,
    strs,
    word,
)
from secinbox.records import Evidence, RiskStatement

RISK = "privileged_access"
_MAX_SHOWN = 5
_RBAC = "rbac.authorization.k8s.io"
_WORKLOADS = (
    ("apps", "deployments"), ("apps", "daemonsets"), ("apps", "statefulsets"),
    ("apps", "replicasets"), ("batch", "jobs"), ("batch", "cronjobs"),
    ("", "replicationcontrollers"),
)  # fmt: skip
_Move = tuple[tuple[str, ...], str, str, str]  # any of these verbs, API group, resource, what for
# Running code as any service account of a namespace, or taking its token.
ESCALATING: tuple[_Move, ...] = (
    (("create",), "", "pods", "creates pods as any service account"),
    (("update", "patch"), "", "pods", "changes the image of any pod"),
    *(
        (("create", "update", "patch"), g, r, f"makes {r} that run as any service account")
        for g, r in _WORKLOADS
    ),
    (("create", "get"), "", "pods/exec", "runs commands in any pod"),
    (("create", "get"), "", "pods/attach", "attaches to any pod"),
    (("update", "patch"), "", "pods/ephemeralcontainers", "adds a container to any pod"),
    (("create",), "", "serviceaccounts/token", "makes tokens of any service account"),
    (("impersonate",), "", "serviceaccounts", "impersonates any service account"),
)
# Enough for one service account, where its name is in the rule.
_NAMED = (
    ("impersonate", "serviceaccounts", "impersonates"),
    ("create", "serviceaccounts/token", "makes tokens of"),
)
_SECRETS: _Move = (("list", "watch"), "", "secrets", "reads all secrets")
# Enough by themselves when they hold in the whole cluster.
_CLUSTER: tuple[_Move, ...] = (
    *ESCALATING,
    _SECRETS,
    (("impersonate",), "", "users", "impersonates any user"),
    (("create", "get"), "", "nodes/proxy", "runs commands in any pod through the kubelet"),
    (("create", "update", "patch"), "admissionregistration.k8s.io",
     "mutatingwebhookconfigurations", "changes whatever is written to the API"),
    (("create", "update", "patch"), "admissionregistration.k8s.io",
     "validatingwebhookconfigurations", "is sent whatever is written to the API"),
)  # fmt: skip
_SOCKETS = ("docker.sock", "containerd.sock", "crio.sock", "cri-dockerd.sock", "dockershim.sock")
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


@dataclass
class _Power:
    value: str = "no"
    evidence: list[Evidence] = field(default_factory=list)

    def add(self, kind: str, text: str, source: str, steps: tuple[str, ...] = ()) -> None:
        value = "unknown" if kind == "gap" else "yes"
        if value == "yes" or self.value == "no":
            self.value = value
        self.evidence.append(Evidence(kind=kind, text=text, source=source, steps=steps))

    @property
    def strong(self) -> bool:
        return any(e.kind in ("administrator", "escalation") for e in self.evidence)


PASSIVE = (
    "kubernetes_service", "kubernetes_ingress", "kubernetes_namespace", "kubernetes_configmap",
    "kubernetes_secret", "kubernetes_networkpolicy",
)  # fmt: skip
Subject = tuple[str, str, str, str]  # cluster, kind (sa, user, group), namespace, name


def privilege(
    estate: Estate, known: Mapping[str, RiskStatement] | None = None
) -> Iterator[RiskStatement]:
    """One statement an identity, and one what runs as it, in order of uid.

    `known` has the power of cloud identities, for service accounts that act as one.
    """
    out = Clusters(estate, known or {}).powers()
    for uid in sorted(out):
        evidence = sorted(out[uid].evidence, key=lambda e: e.kind == "gap")[:_MAX_SHOWN]
        yield RiskStatement(resource=uid, risk=RISK, value=out[uid].value, evidence=tuple(evidence))


class Clusters:
    def __init__(self, estate: Estate, known: Mapping[str, RiskStatement]) -> None:
        self.estate = estate
        self.known = known
        self.roles = {
            i.uid: i
            for i in estate.of_type("kubernetes_clusterrole", "kubernetes_role")
            if i.config
        }
        self.cluster_roles: dict[str, list[Item]] = defaultdict(list)
        for uid, role in self.roles.items():
            if role.type == "kubernetes_clusterrole":
                self.cluster_roles[place_of(uid)[0]].append(role)
        self.grants: dict[Subject, list[Grant]] = defaultdict(list)
        self.gaps: dict[Subject, list[str]] = defaultdict(list)
        for item in estate.of_type("kubernetes_clusterrolebinding", "kubernetes_rolebinding"):
            self._bind(item)
        accounts = estate.of_type("kubernetes_serviceaccount")
        self.accounts = {
            (place_of(i.uid)[0], "sa", place_of(i.uid)[1], i.name): i for i in accounts
        }
        self.token_secrets: dict[tuple[str, str], set[str]] = defaultdict(set)
        for item in estate.of_type("kubernetes_secret"):
            if word(item.config, "type") == "kubernetes.io/service-account-token":
                name = notes_of(item).get("kubernetes.io/service-account.name", "")
                self.token_secrets[place_of(item.uid)].add(name)
        self._subjects: dict[Subject, _Power] = {}

    def everyone(self) -> list[Subject]:
        """All service accounts, and the users and groups that something is bound to."""
        return sorted(set(self.accounts) | set(self.grants))

    def powers(self) -> dict[str, _Power]:
        out: dict[str, _Power] = {}
        all_runners = runners(self.estate)
        subjects = set(self.accounts) | {s for s in self.grants if s[1] == "sa"}
        subjects |= {self.account_of(r) for r in all_runners}
        named: dict[Subject, Item] = {}
        for kind in ("user", "group"):
            for item in self.estate.of_type(f"kubernetes_{kind}"):
                named[place_of(item.uid)[0], kind, "", item.name] = item
        self._settle(sorted(subjects | set(named)))
        for subject, item in (*self.accounts.items(), *named.items()):
            power = self._subjects[subject]
            out[item.uid] = self._final(subject, item.uid, power)
        for runner in all_runners:
            out[runner.uid] = self._runner(runner)
        for item, pods in named_only(self.estate):
            found = [out[p] for p in pods if p in out]
            if found:
                best = next(
                    (p for v in ("yes", "unknown") for p in found if p.value == v), found[0]
                )
                out[item.uid] = best
        return out

    # Who holds which rules.

    def _bind(self, item: Item) -> None:
        cluster, space = place_of(item.uid)
        ref = obj(item.config, "roleRef")
        kind, name = word(ref, "kind"), word(ref, "name")
        uid = near(item.uid, kind.lower(), name, "" if kind == "ClusterRole" else space)
        rules = self._rules(uid, ())
        if uid not in self.roles and uid.endswith("/_/clusterrole/cluster-admin"):
            rules = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
        missing = (
            not rules and uid not in self.roles and not looked_at(self.estate, uid, kind.lower())
        )
        by = f"{item.type.removeprefix('kubernetes_')} {item.name} to {kind} {name}"
        found = [
            Grant(
                frozenset(strs(rule, "verbs")), frozenset(strs(rule, "apiGroups")),
                frozenset(strs(rule, "resources")), frozenset(strs(rule, "resourceNames")),
                space, name, f"{_quoted(rule)} by {by}", item.uid,
            )
            for rule in rules
        ]  # fmt: skip
        for row in objs(item.config, "subjects"):
            subject = _subject(cluster, space, row)
            self.grants[subject] += found
            if missing:
                self.gaps[subject].append(f"{kind} {name} of {item.name} was not read")

    def _rules(self, uid: str, seen: tuple[str, ...]) -> list[Mapping[str, Any]]:
        """A role's rules with those of the cluster roles that it aggregates."""
        role = self.roles.get(uid)
        if role is None or uid in seen:
            return []
        out = objs(role.config, "rules")
        for selector in objs(role.config, "aggregationRule", "clusterRoleSelectors"):
            for other in self.cluster_roles[place_of(uid)[0]]:
                if selects(selector, labels_of(other.config)):
                    out += self._rules(other.uid, (*seen, uid))
        return out

    def held_by(self, subject: Subject) -> list[Grant]:
        """Own rules and those of the groups in which it is for certain."""
        cluster, kind, space, _ = subject
        groups = [] if kind == "group" else ["system:authenticated"]
        if kind == "sa":
            groups += ["system:serviceaccounts", f"system:serviceaccounts:{space}"]
        out = list(self.grants.get(subject, ()))
        for group in groups:
            out += self.grants.get((cluster, "group", "", group), ())
        return out

    # What they amount to.

    def _settle(self, subjects: list[Subject]) -> None:
        """Powers in the whole cluster, then who reaches these through a namespace, until no more."""
        for subject in subjects:
            self._subjects[subject] = self.alone(subject)
        strong = {s for s, p in self._subjects.items() if p.strong and s[1] == "sa"}
        fresh = True
        while fresh:
            fresh = False
            before = sorted(strong)
            for subject in subjects:
                if not self._subjects[subject].strong and self._local(subject, before):
                    fresh = True
                    if subject[1] == "sa":
                        strong.add(subject)
            fresh = fresh and len(strong) > len(before)

    def alone(self, subject: Subject) -> _Power:
        power = _Power()
        held = self.held_by(subject)
        if subject[1:] == ("group", "", "system:masters"):
            power.add("administrator", "system:masters passes every check", subject_uid(subject))
            return power
        wide = [g for g in held if not g.space]
        admin = next((g for g in wide if g.whole), None)
        if admin:
            power.add(
                "administrator", f"administrator of the cluster. Rule: {admin.text}", admin.source
            )
            return power
        for move in _CLUSTER:
            self._move(power, wide, move, "in the whole cluster")
        for text, grants in self._pairs(wide):
            rule = "; ".join(dict.fromkeys(g.text for g in grants))
            power.add("escalation", f"{text}. Rule: {rule}", grants[0].source, (text,))
        self._impersonates(power, subject[0], wide)
        self._aws_auth(power, subject, held)
        reads = next((g for g in wide if g.holds(("get",), "", "secrets")), None)
        if reads and not power.strong:
            power.add("wide_reach", f"reads every secret whose name it knows. Rule: {reads.text}",
                      reads.source)  # fmt: skip
        for space in sorted({g.space for g in held if g.space}):
            for what, grant in namespace_rules([g for g in held if g.space == space]):
                text = f"{what} of namespace {space}. Rule: {grant.text}"
                power.add("wide_reach", text, grant.source)
        return power

    @staticmethod
    def _move(power: _Power, grants: list[Grant], move: _Move, where: str, then: str = "") -> bool:
        verbs, group, resource, text = move
        grant = next((g for g in grants if g.holds(verbs, group, resource)), None)
        if grant is None:
            return False
        steps = (f"{text} {where}", *([then] if then else []))
        power.add("escalation", f"{', '.join(steps)}. Rule: {grant.text}", grant.source, steps)
        return True

    def _pairs(self, wide: list[Grant]) -> Iterator[tuple[str, list[Grant]]]:
        """Moves that need several rules."""

        def first(
            verbs: tuple[str, ...], group: str, resource: str, named: bool = False
        ) -> list[Grant]:
            return [g for g in wide if g.holds(verbs, group, resource, named)][:1]

        binds = [
            g
            for g in wide
            if g.holds(("bind",), _RBAC, "clusterroles", True) and self._binds_power(g)
        ][:1]
        written = first(("create", "update", "patch"), _RBAC, "clusterrolebindings") or first(
            ("create", "update", "patch"), _RBAC, "rolebindings"
        )
        if binds and written:
            yield "binds itself to any role", binds + written
        raises = first(("escalate",), _RBAC, "clusterroles")
        changed = first(("update", "patch"), _RBAC, "clusterroles")
        if raises and changed:
            yield "writes any rule into a role", raises + changed
        asks = first(("create",), "certificates.k8s.io", "certificatesigningrequests")
        approves = first(
            ("update", "patch"), "certificates.k8s.io", "certificatesigningrequests/approval"
        )
        signers = [
            g
            for g in wide
            if g.holds(("approve",), "certificates.k8s.io", "signers", True)
            and (
                not g.names or g.names & {"kubernetes.io/*", "kubernetes.io/kube-apiserver-client"}
            )
        ][:1]
        if asks and approves and signers:
            yield "issues itself a certificate of any user", asks + approves + signers

    def _binds_power(self, grant: Grant) -> bool:
        """Whether one of the roles that it may bind is an administrator's."""
        if not grant.names:
            return True
        for name in grant.names:
            uid = near(grant.source, "clusterrole", name, "")
            rules = self._rules(uid, ())
            if name == "cluster-admin" or any(
                "*" in strs(r, "verbs") and "*" in strs(r, "resources") for r in rules
            ):
                return True
        return False

    def _impersonates(self, power: _Power, cluster: str, wide: list[Grant]) -> None:
        """Named users and groups that are administrators; a group needs some user beside it."""
        users = [g for g in wide if g.holds(("impersonate",), "", "users", True)]
        groups = [g for g in wide if g.holds(("impersonate",), "", "groups", True)] if users else []
        for kind, grants in (("user", users), ("group", groups)):
            for grant in grants:
                for name in sorted(grant.names) or (["system:masters"] if kind == "group" else []):
                    theirs = self.grants.get((cluster, kind, "", name), ())
                    if name == "system:masters" or any(g.whole and not g.space for g in theirs):
                        text = f"impersonates {kind} {name}"
                        power.add(
                            "escalation", f"{text}. Rule: {grant.text}", grant.source, (text,)
                        )

    def _aws_auth(self, power: _Power, subject: Subject, held: list[Grant]) -> None:
        """EKS: who writes this map says which cloud identity is administrator."""
        uid = f"k8s://{subject[0]}/kube-system/configmap/aws-auth"
        if self.estate.find(uid) is None:
            return
        for grant in held:
            if (
                grant.space in ("", "kube-system")
                and grant.holds(("update", "patch"), "", "configmaps", True)
                and (not grant.names or "aws-auth" in grant.names)
            ):
                text = "makes any cloud identity administrator through aws-auth"
                power.add("escalation", f"{text}. Rule: {grant.text}", grant.source, (text,))
                return

    def _local(self, subject: Subject, strong: list[Subject]) -> bool:
        """Moves inside a namespace where a more powerful service account is."""
        power = self._subjects[subject]
        held = self.held_by(subject)
        for space in sorted({g.space for g in held if g.space}):
            there = [s for s in strong if s[0] == subject[0] and s[2] == space and s != subject]
            if not there:
                continue
            grants = [g for g in held if g.space == space]
            then = f"acts as serviceaccount {space}/{there[0][3]}"
            for text, grant in namespace_rules(grants):
                what = f"{text} of namespace {space}"
                power.add(
                    "escalation", f"{what}, {then}. Rule: {grant.text}", grant.source, (what, then)
                )
                return True
            for move in ESCALATING:
                if self._move(power, grants, move, f"in namespace {space}", then):
                    return True
            tokens = self.token_secrets.get((subject[0], space), set())
            kept = [s for s in there if s[3] in tokens]
            if kept and self._move(power, grants, _SECRETS, f"of namespace {space}",
                                   f"acts as serviceaccount {space}/{kept[0][3]}"):  # fmt: skip
                return True
        for grant in held:
            for verb, resource, text in _NAMED if grant.names else ():
                if not grant.holds((verb,), "", resource, True):
                    continue
                for one in strong:
                    near_by = grant.space in ("", one[2]) and one[0] == subject[0]
                    if near_by and one != subject and one[3] in grant.names:
                        what = f"{text} serviceaccount {one[2]}/{one[3]}"
                        power.add(
                            "escalation", f"{what}. Rule: {grant.text}", grant.source, (what,)
                        )
                        return True
        return False

    def _final(self, subject: Subject, uid: str, power: _Power) -> _Power:
        """With the cloud identity, and what was not read."""
        out = _Power(power.value, list(power.evidence))
        for evidence in self._cloud(uid):
            out.add(evidence.kind, evidence.text, evidence.source, evidence.steps)
        for text in self.gaps.get(subject, ())[:_MAX_SHOWN]:
            out.add("gap", text, uid)
        for kind in ("clusterrolebinding", "rolebinding"):
            if not looked_at(self.estate, uid, kind):
                out.add("gap", f"{kind}s were not read", uid)
        if out.value == "no":
            roles = ", ".join(sorted({g.role for g in self.held_by(subject)})[:_MAX_SHOWN])
            text = (
                f"bound to {roles}: no way to administrator" if roles else "no role is bound to it"
            )
            out.evidence.append(Evidence(kind="control", text=text, source=uid))
        return out

    def _cloud(self, account: str) -> Iterator[Evidence]:
        for target in self.estate.targets(account, "has_identity"):
            item = self.estate.find(target)
            inner = self.estate.targets(item.uid, "has_identity") if item is not None else []
            names = (target, item.uid if item is not None else "", *inner)
            found = next((self.known[n] for n in names if n in self.known), None)
            if found is None:
                yield Evidence(
                    kind="gap", text=f"acts as {target}, which was not read", source=target
                )
                continue
            for evidence in found.evidence:
                if evidence.kind != "control":
                    yield Evidence(kind=evidence.kind, text=f"acts as {target}: {evidence.text}",
                                   source=target, steps=evidence.steps)  # fmt: skip

    # What runs.

    def account_of(self, runner: Runner) -> Subject:
        cluster, space = place_of(runner.uid)
        name = word(runner.spec, "serviceAccountName") or word(runner.spec, "serviceAccount")
        return cluster, "sa", space, name or "default"

    def _runner(self, runner: Runner) -> _Power:
        out = _Power()
        if runner.idle:
            out.evidence.append(Evidence(kind="control", text=runner.idle, source=runner.uid))
            return out
        for text, then in sorted(set(escapes(runner))):
            out.add("escalation", f"{text}: {then}", runner.uid, (text, then))
        subject = self.account_of(runner)
        uid = near(runner.uid, "serviceaccount", subject[3])
        full = self._final(subject, uid, self._subjects[subject])
        item = self.accounts.get(subject)
        held, why = token_mounted(runner, item)
        shown = f"serviceaccount {subject[2]}/{subject[3]}"
        cloud = {e.source for e in self._cloud(uid)}
        for evidence in full.evidence:
            if evidence.kind == "control" or (held is False and evidence.source not in cloud):
                continue
            kind, text = evidence.kind, f"runs as {shown}: {evidence.text}"
            if held is None and evidence.source not in cloud and kind != "gap":
                kind, text = "gap", f"{text}. Not known: {why}"
            out.add(kind, text, evidence.source, evidence.steps)
        if out.value == "no":
            text = why if held is False else f"runs as {shown}, which has no such power"
            out.evidence.append(Evidence(kind="control", source=uid,
                                         text=f"{text}; no container reaches its node"))  # fmt: skip
        return out


def namespace_rules(grants: list[Grant]) -> Iterator[tuple[str, Grant]]:
    """Everything in a namespace, now or by giving it to itself."""
    whole = next((g for g in grants if g.whole), None)
    if whole:
        yield "administrator", whole
        return
    for kind in ("clusterroles", "roles"):
        binds = next((g for g in grants if g.holds(("bind",), _RBAC, kind)), None)
        if binds and any(
            g.holds(("create", "update", "patch"), _RBAC, "rolebindings") for g in grants
        ):
            yield "can bind itself to any role", binds
    raises = next((g for g in grants if g.holds(("escalate",), _RBAC, "roles")), None)
    if raises and any(g.holds(("update", "patch"), _RBAC, "roles") for g in grants):
        yield "can write any rule into a role", raises


def subject_uid(subject: Subject) -> str:
    """uid of a user, a group or a service account."""
    if subject[1] == "sa":
        return f"k8s://{subject[0]}/{subject[2] or '_'}/serviceaccount/{subject[3]}"
    return f"k8s://{subject[0]}/_/{subject[1]}/{subject[3]}"


def _subject(cluster: str, space: str, row: Mapping[str, Any]) -> Subject:
    kind, name = word(row, "kind"), word(row, "name")
    if kind == "ServiceAccount":
        return cluster, "sa", word(row, "namespace") or space, name
    if kind == "User" and name.startswith("system:serviceaccount:") and name.count(":") == 3:
        _, _, home, account = name.split(":")
        return cluster, "sa", home, account
    return cluster, kind.lower(), "", name


def _quoted(rule: Mapping[str, Any]) -> str:
    names = strs(rule, "resourceNames")
    groups = ", ".join(g or "core" for g in strs(rule, "apiGroups"))
    text = f"{', '.join(strs(rule, 'verbs'))} on {', '.join(strs(rule, 'resources'))} of {groups}"
    return text + (f" named {', '.join(names)}" if names else "")


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
