"""Who in a cluster can do, or become able to do, everything: identities, and what runs as them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.iam.conditions import Tri
from secinbox.iam.kubernetes.eks import associations_of, unlisted
from secinbox.iam.kubernetes.escapes import escapes, token_mounted
from secinbox.iam.kubernetes.federation import admitted
from secinbox.iam.kubernetes.named import Named
from secinbox.iam.kubernetes.rules import (
    CLUSTER,
    ESCALATING,
    RBAC,
    SECRETS,
    Grant,
    Move,
    Subject,
    made_and_read,
    namespace_rules,
    quoted,
    subject_of,
    subject_uid,
)
from secinbox.iam.sessions import pods
from secinbox.inventory.kubernetes.cluster import (
    Runner,
    labels_of,
    looked_at,
    named_only,
    near,
    obj,
    objs,
    place_of,
    runners,
    selects,
    strs,
    word,
)
from secinbox.records import Evidence, RiskStatement

MAX_SHOWN = 5
# What is shown beside the power of an identity, and is none.
_NO_POWER = ("control", "granted")


@dataclass
class Power:
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


class Clusters:
    def __init__(self, estate: Estate, known: Mapping[str, RiskStatement]) -> None:
        self.estate = estate
        self.known = known
        self.roles = {
            i.uid: i
            for i in estate.of_type("kubernetes_clusterrole", "kubernetes_role")
            if i.config and not i.unfinished("rules")
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
        self.named = Named(estate)
        self._subjects: dict[Subject, Power] = {}

    def everyone(self) -> list[Subject]:
        """All service accounts, and the users and groups that something is bound to."""
        return sorted(set(self.accounts) | set(self.grants))

    def powers(self) -> dict[str, Power]:
        out: dict[str, Power] = {}
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
        for item, replicas in named_only(self.estate):
            found = [out[p] for p in replicas if p in out]
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
        role = self.estate.find(uid)
        why = (role.unfinished("rules") if role else "") or "it was not read"
        by = f"{item.type.removeprefix('kubernetes_')} {item.name} to {kind} {name}"
        found = [
            Grant(
                frozenset(strs(rule, "verbs")), frozenset(strs(rule, "apiGroups")),
                frozenset(strs(rule, "resources")), frozenset(strs(rule, "resourceNames")),
                space, name, f"{quoted(rule)} by {by}", item.uid,
            )
            for rule in rules
        ]  # fmt: skip
        for row in objs(item.config, "subjects"):
            subject = subject_of(cluster, space, row)
            self.grants[subject] += found
            if missing:
                self.gaps[subject].append(f"what {kind} {name} of {item.name} allows: {why}")

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

    def alone(self, subject: Subject) -> Power:
        power = Power()
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
        for move in CLUSTER:
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
    def _move(power: Power, grants: list[Grant], move: Move, where: str, then: str = "") -> bool:
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
            if g.holds(("bind",), RBAC, "clusterroles", True) and self._binds_power(g)
        ][:1]
        written = first(("create", "update", "patch"), RBAC, "clusterrolebindings") or first(
            ("create", "update", "patch"), RBAC, "rolebindings"
        )
        if binds and written:
            yield "binds itself to any role", binds + written
        raises = first(("escalate",), RBAC, "clusterroles")
        changed = first(("update", "patch"), RBAC, "clusterroles")
        # Roles that it has itself in the whole cluster, by name.
        for own in () if raises and changed else sorted({g.role for g in wide}):
            raises, changed = (
                [g for g in wide if g.holds(v, RBAC, "clusterroles", True)
                 and (not g.names or own in g.names)][:1]
                for v in (("escalate",), ("update", "patch"))
            )  # fmt: skip
            if raises and changed:
                break
        if raises and changed:
            yield "writes any rule into a role", raises + changed
        made = made_and_read(wide)
        if made:
            yield "makes a token of any service account and reads it", made
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

    def _impersonates(self, power: Power, cluster: str, wide: list[Grant]) -> None:
        """Named users and groups that are administrators; a group needs some user beside it."""
        users = [g for g in wide if g.holds(("impersonate",), "", "users", True)]
        # A service account is a user, too.
        beside = users or [
            g for g in wide if g.holds(("impersonate",), "", "serviceaccounts", True)
        ]
        groups = [g for g in wide if beside and g.holds(("impersonate",), "", "groups", True)]
        for kind, grants in (("user", users), ("group", groups)):
            for grant in grants:
                for name in sorted(grant.names) or (["system:masters"] if kind == "group" else []):
                    theirs = self.grants.get((cluster, kind, "", name), ())
                    if name == "system:masters" or any(g.whole and not g.space for g in theirs):
                        text = f"impersonates {kind} {name}"
                        power.add(
                            "escalation", f"{text}. Rule: {grant.text}", grant.source, (text,)
                        )

    def _aws_auth(self, power: Power, subject: Subject, held: list[Grant]) -> None:
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
            made = made_and_read([g for g in held if g.space in ("", space)])
            if made:
                what = f"makes a token of any service account and reads it in namespace {space}"
                rule = "; ".join(dict.fromkeys(g.text for g in made))
                power.add(
                    "escalation", f"{what}, {then}. Rule: {rule}", made[0].source, (what, then)
                )
                return True
            kept = [s for s in there if s in self.named.with_tokens]
            if kept and self._move(power, grants, SECRETS, f"of namespace {space}",
                                   f"acts as serviceaccount {space}/{kept[0][3]}"):  # fmt: skip
                return True
        return any(g.names and self._by_name(power, subject, g, strong) for g in held)

    def _by_name(self, power: Power, subject: Subject, grant: Grant, strong: list[Subject]) -> bool:
        """The same by a rule that names its objects."""
        cluster = subject[0]
        for who, what in self._named_ways(grant, cluster):
            there = [s for s in strong if s != subject and who in (s, s[:3])]
            if there:
                then = f"acts as serviceaccount {there[0][2]}/{there[0][3]}"
                text = f"{what}, {then}. Rule: {grant.text}"
                power.add("escalation", text, grant.source, (what, then))
                return True
        return False

    def _named_ways(self, grant: Grant, cluster: str) -> Iterator[tuple[tuple[str, ...], str]]:
        """(a service account or all of a namespace, what gives it)."""
        for _, account in self.named.secrets(grant, cluster):
            yield account, f"reads the token of serviceaccount {account[2]}/{account[3]}"
        yield from self.named.accounts(grant, cluster)
        for pod in self.named.pods(grant, cluster):
            if pod.runner is not None:
                account = self.account_of(pod.runner)
                if token_mounted(pod.runner, self.accounts.get(account))[0] is not False:
                    yield account, pod.text
        for space, what in self.named.spaces(grant, cluster):
            yield (cluster, "sa", space), what

    def _final(self, subject: Subject, uid: str, power: Power) -> Power:
        """With the cloud identity, and what was not read."""
        out = Power(power.value, list(power.evidence))
        for evidence in self._cloud(uid):
            out.add(evidence.kind, evidence.text, evidence.source, evidence.steps)
        for text in self.gaps.get(subject, ())[:MAX_SHOWN]:
            out.add("gap", text, uid)
        for grant in self.held_by(subject):
            for pod in self.named.pods(grant, subject[0]):
                if pod.unread:
                    out.add("gap", f"{pod.text}: {pod.unread}", grant.source)
        for kind in ("clusterrolebinding", "rolebinding"):
            if not looked_at(self.estate, uid, kind):
                out.add("gap", f"{kind}s were not read", uid)
        if out.value == "no":
            roles = ", ".join(sorted({g.role for g in self.held_by(subject)})[:MAX_SHOWN])
            text = (
                f"bound to {roles}: no way to administrator" if roles else "no role is bound to it"
            )
            out.evidence.append(Evidence(kind="control", text=text, source=uid))
        return out

    def _cloud(self, account: str) -> Iterator[Evidence]:
        cluster, space = place_of(account)
        name = account.rpartition("/")[2]
        acting: list[tuple[str, Item | None, Tri, str]] = []
        for target in self.estate.targets(account, "has_identity"):
            item = self.estate.find(target)
            if item is None:
                acting.append((target, None, True, ""))
            elif item.type != pods.TYPE:
                acting.append((target, item, *admitted(self.estate, item, cluster, space, name)))
        associated = associations_of(self.estate, account)
        acting += [(item.uid, item, let, why) for item, let, why in associated]
        for target, item, let, why in acting:
            inner = self.estate.targets(item.uid, "has_identity") if item is not None else []
            names = (target, item.uid if item is not None else "", *inner)
            found = next((self.known[n] for n in names if n in self.known), None)
            if let is False or (found is not None and not _gives(found)):
                continue
            shown = _shown(target, item)
            if let is None:
                yield Evidence(kind="gap", text=f"{shown}: {why}", source=target)
                continue
            if found is None:
                yield Evidence(
                    kind="gap", text=f"acts as {target}, which was not read", source=target
                )
                continue
            for evidence in found.evidence:
                if evidence.kind not in _NO_POWER:
                    yield Evidence(kind=evidence.kind, text=f"{shown}: {evidence.text}",
                                   source=target, steps=evidence.steps)  # fmt: skip
        # An account has one association at most.
        for role in () if associated else unlisted(self.estate, cluster):
            if role in self.known and _gives(self.known[role]):
                text = f"whether an association of Pod Identity gives it {role} was not read"
                yield Evidence(kind="gap", text=text, source=role)
                break

    # What runs.

    def account_of(self, runner: Runner) -> Subject:
        cluster, space = place_of(runner.uid)
        name = word(runner.spec, "serviceAccountName") or word(runner.spec, "serviceAccount")
        return cluster, "sa", space, name or "default"

    def _runner(self, runner: Runner) -> Power:
        out = Power()
        if runner.idle:
            out.evidence.append(Evidence(kind="control", text=runner.idle, source=runner.uid))
            return out
        for text, then in sorted(set(escapes(runner))):
            out.add("escalation", f"{text}: {then}", runner.uid, (text, then))
        part = runner.item.unfinished("spec")
        if part:
            out.add("gap", part, runner.uid)
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


def clusters_of(estate: Estate) -> Clusters:
    """RBAC of all clusters, without the power of cloud identities; read once."""
    return estate.once("iam.clusters", lambda: Clusters(estate, {}))


def _gives(found: RiskStatement) -> bool:
    """Some power, or an unknown; who names an identity without any gets nothing."""
    return found.value != "no"


def _shown(target: str, item: Item | None) -> str:
    if item is not None and item.type == pods.TYPE:
        return f"acts by Pod Identity ({item.uid.rpartition(':')[2]})"
    return f"acts as {target}"
