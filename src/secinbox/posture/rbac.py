"""Kubernetes: who is administrator of a cluster or can become it, and what strangers may do."""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.estate import Estate, Item
from secinbox.inventory.kubernetes.cluster import labels_of, near, objs, place_of, strs, word
from secinbox.posture._stating import Known, Rule, known_of
from secinbox.records import Evidence, Finding
from secinbox.risks import Assessment

_ADMINISTRATOR = Rule(
    "secinbox-k8s-administrator", "Identity is administrator of the cluster",
    "Whoever gets its token, or code into what runs as it, controls every workload and secret of "
    "the cluster.",
    "Bind it to a role with the verbs and resources that it needs, in the namespaces where it "
    "needs them.",
    "required_privileges", "critical", "identity_risk",
)  # fmt: skip
_ESCALATION = Rule(
    "secinbox-k8s-escalation", "Identity can make itself administrator of the cluster",
    "The role does not look like an administrator's, but one of its verbs leads there.",
    "Take the verb away, or narrow it to named objects or to a namespace of its own.",
    "required_privileges", "critical", "identity_risk",
)  # fmt: skip
_STRANGERS = Rule(
    "secinbox-k8s-anonymous", "Role is bound to callers who do not sign in",
    "Anyone who reaches the cluster's API has the role, without a token.",
    "Delete the binding, or take system:anonymous and system:unauthenticated from its subjects; "
    "turn anonymous requests off.",
    "no_authorization", "medium", "identity_risk",
)  # fmt: skip
_EVERYBODY = Rule(
    "secinbox-k8s-authenticated", "Powerful role is bound to everybody who signs in",
    "Every service account and every user of the cluster has the role; with some providers anyone "
    "who has an account there can sign in.",
    "Bind the role to the users, groups or service accounts that need it.",
    "vulnerability", "critical", "identity_risk",
)  # fmt: skip
_DEFAULT = ("kubernetes.io/bootstrapping", "rbac-defaults")
_UNSIGNED = ("system:anonymous", "system:unauthenticated")
# What a new cluster answers to strangers by design: its version, its health, how to join it.
_HARMLESS = ("system:public-info-viewer", "system:discovery", "system:basic-user",
             "kubeadm:bootstrap-signer-clusterinfo")  # fmt: skip


def findings(assessment: Assessment) -> Iterator[Finding]:
    """One finding an identity or binding; what the cluster itself brings along is left out."""
    known = known_of(assessment)
    estate = assessment.estate
    for item in estate.of_type("kubernetes_serviceaccount", "kubernetes_user", "kubernetes_group"):
        yield from _identity(known, estate, item)
    for item in estate.of_type("kubernetes_clusterrolebinding", "kubernetes_rolebinding"):
        yield from _binding(known, estate, item)


def _identity(known: Known, estate: Estate, item: Item) -> Iterator[Finding]:
    shown = [e for e in known.power(item.uid) if _given(estate, e)]
    used = sorted(estate.sources(item.uid, "has_identity"))
    likely = "vulnerability" if used else "required_privileges"
    if item.name in (*_UNSIGNED, "system:authenticated", "system:serviceaccounts"):
        return  # said of the binding
    for kind, rule in (("administrator", _ADMINISTRATOR), ("escalation", _ESCALATION)):
        texts = [e.text for e in shown if e.kind == kind]
        if texts:
            lines = texts + ([f"runs as it: {', '.join(used[:4])}"] if used else [])
            yield known.state(rule, item.uid, lines, likelihood=likely)
            return


def _given(estate: Estate, evidence: Evidence) -> bool:
    """By a binding that somebody made; what its cloud role may do is said of that role."""
    if "binding/" not in evidence.source:
        return False
    binding = estate.find(evidence.source)
    return binding is None or not _is_default(binding)


def _is_default(binding: Item) -> bool:
    return labels_of(binding.config).get(_DEFAULT[0]) == _DEFAULT[1]


def _binding(known: Known, estate: Estate, item: Item) -> Iterator[Finding]:
    role = word(item.config, "roleRef", "name")
    names = [word(s, "name") for s in objs(item.config, "subjects")
             if word(s, "kind") in ("User", "Group")]  # fmt: skip
    if _is_default(item) or role in _HARMLESS:
        return
    impact = _impact(estate, item, role)
    strangers = [n for n in names if n in _UNSIGNED]
    if strangers:
        text = f"{item.name} gives {role} to {', '.join(strangers)}"
        yield known.state(_STRANGERS, item.uid, [text], impact=impact)
    elif impact in ("critical", "high") and {"system:authenticated"} & set(names):
        text = f"{item.name} gives {role} to system:authenticated"
        yield known.state(_EVERYBODY, item.uid, [text], impact=impact)


def _impact(estate: Estate, item: Item, role: str) -> str:
    """By the rules of the role: everything, secrets and writing, or reading."""
    kind = word(item.config, "roleRef", "kind").lower()
    space = "" if kind == "clusterrole" else place_of(item.uid)[1]
    found = estate.items.get(near(item.uid, kind, role, space))
    whole = item.type == "kubernetes_clusterrolebinding"
    if found is None or not found.config or found.unfinished("rules"):
        return ("critical" if whole else "high") if role in ("cluster-admin", "admin") else "medium"
    level = "low"
    for rule in objs(found.config, "rules"):
        verbs, resources = set(strs(rule, "verbs")), set(strs(rule, "resources"))
        if "*" in verbs and "*" in resources:
            return "critical" if whole else "high"
        if resources & {"secrets", "pods/exec", "nodes/proxy", "*"} or verbs & {
            "*", "create", "update", "patch", "delete", "impersonate", "bind", "escalate"
        }:  # fmt: skip
            level = "high" if resources else level
        elif resources and level == "low":
            level = "medium"
    return level
