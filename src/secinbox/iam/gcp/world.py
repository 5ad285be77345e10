"""Who controls which project, folder or organisation, and who can act as which service account.

Permissions are the union of the bindings on a resource and on all that is above it, less what deny
policies and boundaries take. Who may change the policy of a place, or act as somebody who may,
controls it. Sources: cloud.google.com, "Service account impersonation"; Rhino Security Labs,
"Privilege escalation in Google Cloud" (rhinosecuritylabs.com).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.iam.gcp.delegation import Delegation, delegations
from secinbox.iam.gcp.grants import CRM, PROJECT, WHOLE, Grants, Held
from secinbox.iam.gcp.permissions import (
    ACT_AS,
    BUILD,
    COMMON_METADATA,
    DELEGATE,
    DEPLOY,
    DIRECT,
    ENTERS,
    ID_TOKEN,
    KEY,
    LAUNCHERS,
    METADATA,
    ORG_POLICY,
    OS_LOGIN,
    PODS,
    ROLE_UPDATE,
    SA_POLICY,
    SET_POLICY,
    TOKEN,
)  # fmt: skip
from secinbox.inventory.gcp.constraints import enforced

FULL_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_NO_KEYS = ("iam.disableServiceAccountKeyCreation", "iam.managed.disableServiceAccountKeyCreation")
_LONGEST = 6
BY_DELEGATION = "acts as an administrator of Google Workspace by domain-wide delegation"


@dataclass
class Power:
    """What is known of one principal. `over`: places that it controls, with the way."""

    over: dict[str, tuple[str, ...]] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)


# (service account, how, what is doubtful about it, kind of move)
Becoming = tuple[str, str, str, str]
_KIND = {TOKEN: "token", KEY: "key", SA_POLICY: "policy"}


class Google:
    """Who holds what where, and who can become whom."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.grants = estate.once("gcp.grants", lambda: Grants(estate))
        self.held = self.grants.held
        self.places = [i for k in WHOLE for i in estate.of_type(k)]
        self.accounts = {self.member(i): i for i in estate.of_type("gcp_iam_service_account")}
        self._below: dict[str, list[str]] = defaultdict(list)  # place -> accounts in it
        for member, item in self.accounts.items():
            for place in self.grants.chain(item):
                self._below[place].append(member)
        self._places_below: dict[str, list[Item]] = defaultdict(list)
        for item in self.places:
            for place in self.grants.chain(item):
                self._places_below[place].append(item)
        self._runners: dict[str, list[Item]] = defaultdict(list)  # project -> what runs there
        for item in estate.items.values():
            if item.type in ("gcp_compute_instance", "gcp_container_cluster", *ENTERS):
                chain = self.grants.chain(item)
                if len(chain) > 1:
                    self._runners[chain[1]].append(item)
        clients = delegations(estate)
        # service account -> what it may do as anybody in a Workspace
        self.delegated: dict[str, Delegation] = {}
        for member, item in self.accounts.items():
            for key in ("oauth2ClientId", "uniqueId"):
                found = clients.get(str(item.config.get(key) or ""))
                if found is not None:
                    self.delegated[member] = found
        for member in self.delegated:
            self.held.setdefault(member, [])
        self._cache: dict[str, list[Becoming]] = {}
        self._quiet: list[str] | None = None
        self.powers: dict[str, Power] = {}
        self._settle()

    def uid_of(self, member: str) -> str:
        """The uid of a principal; its name in policies where nothing lists it."""
        found = self.accounts.get(member)
        return found.uid if found is not None else member

    def member(self, item: Item) -> str:
        """`serviceAccount:EMAIL` of a service account."""
        email = str(item.config.get("email") or item.uid.rsplit("/", 1)[-1])
        return f"serviceAccount:{email}"

    def disabled(self, member: str) -> bool:
        """Nobody acts as a service account that is switched off."""
        item = self.accounts.get(member)
        return item is not None and item.config.get("disabled") is True

    def perhaps_in(self, member: str) -> Iterator[str]:
        """Words on groups with power of whose members nobody said anything, for a person."""
        if not member.startswith("user:"):
            return
        if self._quiet is None:
            self._quiet = [
                g for g in sorted(self.held) if g.startswith("group:")
                and g in self.powers and self.powers[g].over and not self._listed(g)
            ]  # fmt: skip
        for group in self._quiet:
            if group not in self.grants.groups_of(member):
                place = _short(next(iter(sorted(self.powers[group].over))))
                yield f"whether it is a member of {group}, which controls {place}, was not read"
                return

    def _listed(self, group: str) -> bool:
        """Whether anybody said who is in a group."""
        item = self.estate.find(group)
        names = [group, str(item.config.get("groupName") or "")] if item is not None else [group]
        return any(self.estate.looked_at(f"gcp:{n}/members") for n in names if n)

    def chain(self, item: Item) -> list[str]:
        """The place itself and all that is above it, nearest first."""
        return self.grants.chain(item)

    def at(self, member: str, place: Item) -> Iterator[Held]:
        """Roles that count at a place: there and above."""
        return self.grants.at(member, place)

    # Who controls what, to a fixpoint

    def _settle(self) -> None:
        members = sorted(self.held)
        becomes = {m: self.ways(m) for m in members}
        for sure in (True, False):
            controls = {m: dict(self.alone(m, sure)) for m in members}
            into: dict[str, list[tuple[str, str]]] = defaultdict(list)
            for member, found in becomes.items():
                for other, how, doubt, _ in found:
                    if not (sure and doubt):
                        into[other].append((member, how))
            queue = deque(m for m in members if controls[m])
            while queue:
                other = queue.popleft()
                for member, how in into.get(other, ()):
                    grew = False
                    for place, way in controls[other].items():
                        if place not in controls[member] and len(way) < _LONGEST:
                            controls[member][place] = (how, *way)
                            grew = True
                    if grew:
                        queue.append(member)
            for member, over in controls.items():
                power = self.powers.setdefault(member, Power())
                for place, way in over.items():
                    if sure:
                        power.over.setdefault(place, way)
                    elif place not in power.over:
                        power.doubts.append("; ".join(way))

    def alone(self, member: str, sure: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
        """(place, way) of everything that this member controls by itself."""
        clients = self.delegated.get(member)
        if clients is not None and clients.administers and not self.disabled(member):
            way = f"{BY_DELEGATION} ({clients.administers})"
            yield clients.workspace, (way,)
            for place in self.organisations_of(clients.workspace):
                yield place.uid, (way, "as a super administrator changes who owns the organisation")
        asked: dict[str, Item] = {}
        for held in self.grants.of(member):
            counts = held.permissions & {*SET_POLICY.values(), ROLE_UPDATE}
            if counts and not (sure and held.uncertain):
                for item in self._places_below.get(held.place, ()):
                    asked[item.uid] = item
        for uid in sorted(asked, key=lambda u: len(self.chain(asked[u]))):
            place = asked[uid]
            have = self.grants.permissions(member, place, sure)
            grant = next((have[p] for p in (SET_POLICY[place.type],) if p in have), None)
            if grant is not None:
                where = _short(grant.place) + (f" by {grant.by}" if grant.by else "")
                yield uid, ((f"{grant.role.name} at {where}",) if grant.role.name == "roles/owner"
                            else (f"can change the IAM policy ({grant.role.name} at {where})",))  # fmt: skip
            elif ROLE_UPDATE in have:
                own = next((h for h in self.at(member, place) if h.role.custom
                            and self._updates(member, h.role.name, sure)), None)  # fmt: skip
                if own is not None:
                    yield uid, (f"can add permissions to its own custom role {own.role.name} "
                                f"({have[ROLE_UPDATE].role.name})",)  # fmt: skip

    def organisations_of(self, workspace: str) -> list[Item]:
        """Organisations of the same customer: its super administrators control them."""
        customer = workspace.partition(":")[2]
        out = []
        for item in self.places:
            owner = item.config.get("owner")
            said = item.config.get("directoryCustomerId") or (
                owner.get("directoryCustomerId") if isinstance(owner, dict) else None)  # fmt: skip
            if item.type == WHOLE[2] and said == customer:
                out.append(item)
        return out

    def _updates(self, member: str, role: str, sure: bool) -> bool:
        """Whether it may change the definition of a custom role, where that is defined."""
        home = self.estate.find(CRM + "/".join(role.split("/")[:2]))
        return home is not None and ROLE_UPDATE in self.grants.permissions(member, home, sure)

    def becomes(self, member: str, sure: bool) -> Iterator[tuple[str, str]]:
        """(service account, how) of everyone that this member can act as."""
        for other, how, doubt, _ in self.ways(member):
            if not (sure and doubt):
                yield other, how

    def ways(self, member: str) -> list[Becoming]:
        """Everyone that this member can act as, the surest way to each."""
        if member not in self._cache:
            found: dict[str, Becoming] = {}
            for one in (*self._by_account(member), *self._by_project(member),
                        *self._by_delegation(member)):  # fmt: skip
                if one[0] == member or self.disabled(one[0]):
                    continue
                known = found.get(one[0])
                if known is None or (known[2] and not one[2]):
                    found[one[0]] = one
            self._cache[member] = list(found.values())
        return self._cache[member]

    def _by_account(self, member: str) -> Iterator[Becoming]:
        """Tokens, keys, signatures, policies, and starting something that runs as the account."""
        counts = {*DIRECT, ACT_AS, DELEGATE, ID_TOKEN}
        asked: dict[str, None] = {}
        for held in self.grants.of(member):
            if held.permissions & counts:
                asked.update(dict.fromkeys(self._below.get(held.place, ())))
        for other in asked:
            item = self.accounts[other]
            for doubtful in (False, True):
                have = self.grants.permissions(member, item, not doubtful)
                found = list(self._on_account(member, other, item, have, doubtful))
                yield from found
                if any(not f[2] for f in found):
                    break

    def _on_account(self, member: str, other: str, item: Item, have: dict[str, Held],
              doubtful: bool) -> Iterator[Becoming]:  # fmt: skip
        doubt = "whether a condition holds" if doubtful else ""
        for permission, how in DIRECT.items():
            if permission not in have:
                continue
            if permission == KEY:
                stop = next((e for c in _NO_KEYS if (e := enforced(self.estate, item, c))), None)
                if stop is not None:
                    lifted = self.grants.permissions(member, stop, not doubtful).get(ORG_POLICY)
                    if lifted is None:
                        continue
                    how = "lifts the organisation policy against keys and makes a key of"
            kind = _KIND.get(permission, "sign")
            yield other, f"{how} {name_of(other)} ({have[permission].role.name})", doubt, kind
            return
        if DELEGATE in have:
            for third, how, more, _ in self._tokens(other):
                words = f"delegates through {name_of(other)}, which {how}"
                yield third, words, doubt or more, "delegate"
        if ACT_AS in have:
            project = self.project_of(item)
            there = (
                self.grants.permissions(member, project, not doubtful)
                if project is not None else {}
            )  # fmt: skip
            launch = next((p for p in LAUNCHERS if p in there), "")
            if launch:
                yield (other, f"{LAUNCHERS[launch]} as {name_of(other)} "
                       f"({have[ACT_AS].role.name}, {there[launch].role.name})", doubt, "launch")  # fmt: skip
        elif ID_TOKEN in have:
            yield (other, f"makes an identity token of {name_of(other)} ({have[ID_TOKEN].role.name})",
                   "whether an identity token is enough", "sign")  # fmt: skip

    def _by_delegation(self, member: str) -> Iterator[Becoming]:
        """People of a Workspace, in whose name it asks Google Cloud."""
        found = self.delegated.get(member)
        if found is None or not found.cloud:
            return
        for other in sorted(self.held):
            kind, _, name = other.partition(":")
            if kind == "user" and found.domain and name.rpartition("@")[2] == found.domain:
                yield (other, f"acts as {name} by domain-wide delegation ({found.cloud})", "",
                       "delegation")  # fmt: skip

    def project_of(self, item: Item) -> Item | None:
        """The project of a resource, by id or by number, as far as anything was read of it."""
        above = (self.estate.find(u) for u in self.chain(item)[1:])
        return next((p for p in above if p is not None and p.type == PROJECT), None)

    def _tokens(self, member: str) -> Iterator[Becoming]:
        return (b for b in self.ways(member) if b[1].startswith("makes a token"))

    def _by_project(self, member: str) -> Iterator[Becoming]:
        """Builds, deployments, and getting into machines, clusters and jobs that exist."""
        counts = {BUILD, DEPLOY, METADATA, COMMON_METADATA, *OS_LOGIN, *PODS,
                  *(p for ps, _ in ENTERS.values() for p in ps)}  # fmt: skip
        projects: dict[str, Item] = {}
        runners: dict[str, Item] = {}
        for held in self.grants.of(member):
            if not held.permissions & counts:
                continue
            below = [p for p in self._places_below.get(held.place, ()) if p.type == PROJECT]
            projects.update({p.uid: p for p in below})
            for place in below or ():
                runners.update({i.uid: i for i in self._runners.get(place.uid, ())})
            item = self.estate.find(held.place)
            if item is not None and not below:
                runners[item.uid] = item
        for doubtful in (False, True):
            doubt = "whether a condition holds" if doubtful else ""
            for project in projects.values():
                have = self.grants.permissions(member, project, not doubtful)
                number = self.number(project)
                for permission, host, how in (
                    (BUILD, "cloudbuild", "runs a build as"),
                    (DEPLOY, "cloudservices", "deploys as"),
                ):
                    other = f"serviceAccount:{number}@{host}.gserviceaccount.com"
                    if permission in have:
                        yield (
                            other,
                            f"{how} {name_of(other)} ({have[permission].role.name})",
                            doubt,
                            "build",
                        )
            for item in runners.values():
                yield from self._entered(member, item, not doubtful, doubt)

    def number(self, project: Item) -> str:
        """The number of a project, as its service agents are called."""
        said = project.config.get("projectNumber")
        if isinstance(said, str | int) and str(said):
            return str(said)
        own = [a for a in project.config.get("ancestors") or () if str(a).startswith("projects/")]
        return str(own[0]).removeprefix("projects/") if own else project.uid.rsplit("/", 1)[-1]

    def _entered(self, member: str, item: Item, sure: bool, doubt: str) -> Iterator[Becoming]:
        have = self.grants.permissions(member, item, sure)
        found: tuple[str, Held, str] | None = None
        if item.type == "gcp_compute_instance" and full_scope(item):
            if METADATA in have:
                found = (f"enters {item.name} by its metadata", have[METADATA], "")
            elif COMMON_METADATA in have and not _flag(item, "block-project-ssh-keys"):
                found = (f"enters {item.name} by the project's metadata", have[COMMON_METADATA], "")
            else:
                login = next((p for p in OS_LOGIN if p in have), "")
                if login and self._os_login(item):
                    found = (f"signs in to {item.name} by OS Login", have[login],
                             "" if ACT_AS in have else "whether it may also act as the account")  # fmt: skip
        elif item.type == "gcp_container_cluster" and not item.config.get("workloadIdentityConfig"):
            pods = next((p for p in PODS if p in have), "")
            if pods:
                found = (f"runs pods in {item.name} and asks its nodes for tokens", have[pods], "")
        elif item.type in ENTERS:
            permissions, how = ENTERS[item.type]
            entry = next((p for p in permissions if p in have), "")
            if entry:
                found = (f"{how} {item.name}", have[entry], "")
        if found is None:
            return
        for target in self.estate.targets(item.uid, "has_identity"):
            account = self.estate.find(target)
            other = self.member(account) if account is not None else target
            kind = {"gcp_compute_instance": "metadata", "gcp_container_cluster": "pods"}
            yield (other, f"{found[0]} ({found[1].role.name})", doubt or found[2],
                   kind.get(item.type, "job"))  # fmt: skip

    def _os_login(self, item: Item) -> bool:
        if _flag(item, "enable-oslogin"):
            return True
        project = self.project_of(item)
        compute = self.estate.find(f"//compute.googleapis.com/projects/{item.account}")
        places = [p for p in (project, compute) if p is not None]
        return any(_flag(p, "enable-oslogin", "commonInstanceMetadata") for p in places)


def _flag(item: Item, key: str, where: str = "metadata") -> bool:
    metadata = item.config.get(where)
    rows: Any = metadata.get("items") if isinstance(metadata, dict) else None
    return any(isinstance(r, dict) and r.get("key") == key and str(r.get("value")).lower() == "true"
               for r in (rows if isinstance(rows, list) else ()))  # fmt: skip


def full_scope(machine: Item) -> bool:
    """Whether the machine's tokens are worth what its service account is."""
    accounts = machine.config.get("serviceAccounts")
    for account in accounts if isinstance(accounts, list) else ():
        scopes = account.get("scopes") if isinstance(account, dict) else None
        if isinstance(scopes, list) and (FULL_SCOPE in scopes or "cloud-platform" in scopes):
            return True
    return False


def _short(place: str) -> str:
    return place.split(".googleapis.com/", 1)[-1]


def name_of(member: str) -> str:
    """The e-mail address of a member, or its whole name."""
    return member.partition(":")[2] if not member.startswith("principal") else member
