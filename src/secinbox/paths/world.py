"""What the moves are asked of: inventory, exposure, weaknesses, leaked secrets and signals.

A world is a value: it can be built from a store or from a handful of items, and no predicate opens
anything else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b

from secinbox.estate import Estate, Item
from secinbox.iam import Escalation, escalation_of
from secinbox.iam.azure import Azure
from secinbox.iam.gcp import Google
from secinbox.iam.kubernetes import Clusters, clusters_of
from secinbox.iam.privilege import identities
from secinbox.inventory.kubernetes.cluster import Runner, runners
from secinbox.network.aws.vpc import Network
from secinbox.paths import providers
from secinbox.paths.jewels import Jewel, jewels
from secinbox.records import Evidence

INTERNET = "internet"
ANY_AWS = "any-aws-principal"
ANY_GITHUB = "any-github-workflow"
ANY_USER = "any-github-user"
ANY_GOOGLE = "any-google-account"


@dataclass(frozen=True, slots=True)
class Weakness:
    """A finding that lets an attacker do something on a resource."""

    finding: str
    type: str
    rule: str
    title: str
    severity: int  # 5 critical ... 0 unknown
    vulnerability: str = ""
    package: str = ""
    fix: str = ""
    vector: str = ""
    score: float | None = None
    maturity: int = 0  # 3 active ... 0 none
    epss: float = 0.0
    resource: str = ""  # where the finding is (the image), which may not be where it is live
    tools: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret that a scanner found: where, and what it opens, if that is known."""

    finding: str
    resource: str
    location: str
    title: str
    opens: str  # accesskey:AKIA...
    verified: bool = False
    public: bool = False  # what holds it can be read by anyone


@dataclass(frozen=True, slots=True)
class Alarm:
    """A signal of something running that should not (not of an attempt)."""

    id: str
    resource: str
    title: str
    time: str


@dataclass
class World:
    """Facts for the moves. `public`: evidence of every resource that anyone can reach."""

    estate: Estate
    public: Mapping[str, Sequence[Evidence]] = field(default_factory=dict)
    weaknesses: Mapping[str, Sequence[Weakness]] = field(default_factory=dict)
    leaks: Sequence[Leak] = ()
    alarms: Sequence[Alarm] = ()
    tops: Mapping[str, str] = field(default_factory=dict)  # replica -> workload
    crown: Mapping[str, str] = field(default_factory=dict)  # declared crown jewels: uid -> why
    # Where a finding of an image or a repository is live: image -> workloads.
    holders: Mapping[str, Sequence[str]] = field(default_factory=dict)
    pipelines: Sequence[Weakness] = ()  # outsiders run code in a workflow of `resource`
    repositories: Sequence[str] = ()
    breached: Sequence[str] = ()  # identities and workloads taken to be in an attacker's hands
    # Identities that an attacker gets to at all; None before that is known.
    reached: set[str] | None = None
    beside: set[str] | None = None  # the same, but by control of an account

    @cached_property
    def jewels(self) -> list[Jewel]:
        """The crown jewels, in order of uid."""
        # A store is worth what the keys in it open.
        held = {
            leak.resource: f"holds {label(leak.opens)}"
            for leak in self.leaks
            if leak.opens and leak.resource in self.estate.items
        }
        return list(jewels(self.estate, {**held, **self.crown}))

    @cached_property
    def runners(self) -> dict[str, Runner]:
        """Pods and workloads of Kubernetes by uid."""
        return self.estate.once("paths.runners", lambda: {r.uid: r for r in runners(self.estate)})

    @cached_property
    def nodes_of(self) -> dict[str, tuple[str, ...]]:
        """Workload (or pod of none) -> the nodes that its pods run on."""
        found: dict[str, set[str]] = defaultdict(set)
        for uid in self.runners:
            for node in self.estate.targets(uid, "runs_on"):
                found[self.top(uid)].add(node)
        return {uid: tuple(sorted(nodes)) for uid, nodes in sorted(found.items())}

    @cached_property
    def replicas(self) -> dict[str, list[str]]:
        """Workload -> its pods."""
        out: dict[str, list[str]] = defaultdict(list)
        for uid in sorted(self.runners):
            if self.top(uid) != uid and "/pod/" in uid:
                out[self.top(uid)].append(uid)
        return dict(out)

    def answers_internet(self, cluster: str) -> bool:
        """An API server of this name that is known to answer everyone."""
        name = cluster.removeprefix("k8s://")
        return any(uid == cluster or uid.endswith(f"cluster/{name}") for uid in self.public)

    @cached_property
    def escalation(self) -> Escalation:
        """Effective permissions of AWS principals and their ways to each other."""
        return escalation_of(self.estate)

    @cached_property
    def azure(self) -> Azure:
        """Role assignments of Azure, directory roles, and who can become whom by them."""
        return self.estate.once("iam.azure", lambda: Azure(self.estate))

    @cached_property
    def google(self) -> Google:
        """Bindings of Google Cloud and who can become whom by them."""
        return self.estate.once("iam.google", lambda: Google(self.estate))

    @cached_property
    def network(self) -> Network:
        """Subnets, rules and routes."""
        return self.estate.once("paths.network", lambda: Network(self.estate))

    @cached_property
    def clusters(self) -> Clusters:
        """RBAC of all Kubernetes clusters."""
        return clusters_of(self.estate)

    @cached_property
    def runs_as(self) -> dict[str, tuple[str, ...]]:
        """resource -> the cloud identities that it runs as, along `runs` and instance profiles."""
        return self.estate.once("paths.runs_as", lambda: _runs_as(self.estate))

    @cached_property
    def seen(self) -> str:
        """What lasting predicates see beside the inventory, as a short text."""
        digest = blake2b(digest_size=16)
        for uid in sorted(self.public):
            digest.update(f"{uid}\x00{list(self.public[uid])!r}\x01".encode())
        for uid in sorted(self.tops):
            digest.update(f"{uid}\x00{self.tops[uid]}\x02".encode())
        return digest.hexdigest()

    def label(self, uid: str) -> str:
        """A short name for sentences: what it is and what it is called."""
        item = self.estate.find(uid)
        return label(uid, item)

    @cached_property
    def sessions(self) -> dict[str, str]:
        """Sessions that are places of their own -> the role that each is a session of."""
        every = (h for found in self.escalation.handed.values() for h in found)
        return {h.node: h.role for h in every if h.node != h.role}

    def top(self, uid: str) -> str:
        """The workload of a replica, or the resource itself."""
        return self.tops.get(uid, uid)


def _runs_as(estate: Estate) -> dict[str, tuple[str, ...]]:
    out: dict[str, tuple[str, ...]] = {}
    for uid in estate.items:
        found = identities(estate, uid, 0)
        if found:
            out[uid] = tuple(sorted(found))
    return out


# What attackers come from and what scanners name, by the beginning of its name.
_OURS = {
    "accesskey:": "access key ", "repo:": "repository ", "third-party:": "AWS account ",
    "signal:": "whoever caused ", "breach:": "whoever holds ", "image:": "image ",
    "unnamed:": "the repository scanned in ",
    "certificate:": "whoever holds a certificate of trust anchor ", "any:": "anyone at ",
}  # fmt: skip
_ANYONE = {
    INTERNET: "anyone on the Internet", ANY_AWS: "any AWS account", ANY_GITHUB: "any GitHub repository",
    ANY_GOOGLE: "any Google account", ANY_USER: "anyone with a GitHub account",
}  # fmt: skip


def label(uid: str, item: Item | None = None) -> str:
    """`instance checkout-web-01`, `role Deploy`, `pod shop/web`."""
    shown = _ANYONE.get(uid) or providers.named(uid, item)
    if shown:
        return shown
    if item is not None:
        kind = item.type.partition("_")[2].replace("_", " ") or item.type
        name = item.tags.get("Name") or item.name or uid.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
        return f"{kind} {name}"
    return next((w + uid.removeprefix(p) for p, w in _OURS.items() if uid.startswith(p)), uid)


def by_resource(rows: Iterable[tuple[str, Weakness]]) -> dict[str, list[Weakness]]:
    """(resource, weakness) rows as the mapping that a world takes."""
    out: dict[str, list[Weakness]] = defaultdict(list)
    for uid, weakness in rows:
        out[uid].append(weakness)
    return dict(out)
