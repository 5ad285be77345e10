"""Google Cloud: privileged_access of service accounts, people, groups, and of what runs as them.

Permissions are the union of the bindings on a resource and on all that is above it; a condition
makes a binding uncertain. Who owns a project, may change its policy, or may act as somebody who
does, is or can become its administrator. Sources: cloud.google.com, "IAM: roles and permissions",
"Service account impersonation"; Rhino Security Labs, "Privilege escalation in Google Cloud"
(rhinosecuritylabs.com). Deny policies and principal access boundaries are not read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from secinbox.estate import Estate, Item
from secinbox.records import Evidence, RiskStatement

RISK = "privileged_access"
_CRM = "//cloudresourcemanager.googleapis.com/"
_WHOLE = ("gcp_cloudresourcemanager_project", "gcp_cloudresourcemanager_folder",
          "gcp_cloudresourcemanager_organization")  # fmt: skip

# Permissions that count, and the predefined roles that hold them (cloud.google.com, "IAM basic and
# predefined roles reference"). A role that is not here gives none of them, except custom ones, whose
# own list is read.
_SET_POLICY = "resourcemanager.projects.setIamPolicy"
ACT_AS = "iam.serviceAccounts.actAs"
TOKEN = "iam.serviceAccounts.getAccessToken"  # noqa: S105 - the name of a permission
KEY = "iam.serviceAccountKeys.create"
ROLE_UPDATE = "iam.roles.update"
SA_POLICY = "iam.serviceAccounts.setIamPolicy"
_COMPUTE = "compute.instances.create"
_FUNCTION = "cloudfunctions.functions.create"
_RUN = "run.services.create"
_BUILD = "cloudbuild.builds.create"
_DEPLOY = "deploymentmanager.deployments.create"
_METADATA = "compute.instances.setMetadata"
_COMMON = "compute.projects.setCommonInstanceMetadata"
_DATAPROC = "dataproc.clusters.create"
_DATAFLOW = "dataflow.jobs.create"
_COMPOSER = "composer.environments.create"
_SCHEDULER = "cloudscheduler.jobs.create"
_NOTEBOOK = "notebooks.instances.create"
_CLUSTER = "container.clusters.getCredentials"
LAUNCHERS = {
    _COMPUTE: "starts a machine", _FUNCTION: "deploys a function", _RUN: "deploys a service",
    _DATAPROC: "starts a Dataproc cluster", _DATAFLOW: "starts a Dataflow job",
    _COMPOSER: "starts a Composer environment", _SCHEDULER: "schedules a job",
    _NOTEBOOK: "starts a notebook",
}  # fmt: skip
_EVERY = frozenset({
    _SET_POLICY, ACT_AS, TOKEN, KEY, ROLE_UPDATE, SA_POLICY, _BUILD, _DEPLOY, _METADATA, _COMMON,
    _CLUSTER, *LAUNCHERS,
})  # fmt: skip
_EDITOR = _EVERY - {_SET_POLICY, TOKEN, ROLE_UPDATE, SA_POLICY}
ROLES: dict[str, frozenset[str]] = {
    "roles/owner": _EVERY,
    "roles/editor": _EDITOR,
    "roles/resourcemanager.projectIamAdmin": frozenset({_SET_POLICY}),
    "roles/resourcemanager.folderAdmin": frozenset({_SET_POLICY}),
    "roles/resourcemanager.folderIamAdmin": frozenset({_SET_POLICY}),
    "roles/resourcemanager.organizationAdmin": frozenset({_SET_POLICY}),
    "roles/iam.securityAdmin": frozenset({_SET_POLICY, SA_POLICY}),
    "roles/iam.organizationRoleAdmin": frozenset({ROLE_UPDATE}),
    "roles/iam.roleAdmin": frozenset({ROLE_UPDATE}),
    "roles/iam.serviceAccountAdmin": frozenset({SA_POLICY}),
    "roles/iam.serviceAccountUser": frozenset({ACT_AS}),
    "roles/iam.serviceAccountTokenCreator": frozenset({TOKEN}),
    "roles/iam.serviceAccountKeyAdmin": frozenset({KEY}),
    "roles/iam.workloadIdentityUser": frozenset({TOKEN}),
    "roles/compute.admin": frozenset({_COMPUTE, _METADATA, _COMMON}),
    "roles/compute.instanceAdmin": frozenset({_COMPUTE, _METADATA}),
    "roles/compute.instanceAdmin.v1": frozenset({_COMPUTE, _METADATA, _COMMON}),
    "roles/cloudfunctions.admin": frozenset({_FUNCTION}),
    "roles/cloudfunctions.developer": frozenset({_FUNCTION}),
    "roles/run.admin": frozenset({_RUN}),
    "roles/run.developer": frozenset({_RUN}),
    "roles/cloudbuild.builds.editor": frozenset({_BUILD}),
    "roles/cloudbuild.builds.builder": frozenset({_BUILD}),
    "roles/deploymentmanager.editor": frozenset({_DEPLOY}),
    "roles/dataproc.admin": frozenset({_DATAPROC}),
    "roles/dataproc.editor": frozenset({_DATAPROC}),
    "roles/dataflow.admin": frozenset({_DATAFLOW}),
    "roles/dataflow.developer": frozenset({_DATAFLOW}),
    "roles/composer.admin": frozenset({_COMPOSER}),
    "roles/cloudscheduler.admin": frozenset({_SCHEDULER}),
    "roles/notebooks.admin": frozenset({_NOTEBOOK}),
    "roles/container.admin": frozenset({_CLUSTER}),
}
# Whole kinds of resources at project level or above: a significant number of them.
_WIDE = {
    "roles/editor": "changes nearly everything", "roles/storage.admin": "all buckets",
    "roles/compute.admin": "all machines", "roles/container.admin": "all clusters",
    "roles/secretmanager.admin": "all secrets", "roles/bigquery.admin": "all datasets",
    "roles/cloudsql.admin": "all databases", "roles/cloudkms.admin": "all keys",
    "roles/iam.serviceAccountAdmin": "all service accounts",
}  # fmt: skip
_BULK = {
    "roles/secretmanager.secretAccessor": "reads all secrets",
    "roles/storage.objectViewer": "reads all buckets",
    "roles/storage.objectAdmin": "reads all buckets",
    "roles/bigquery.dataViewer": "reads all datasets",
    "roles/bigquery.dataOwner": "reads all datasets",
}  # fmt: skip
_FULL_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


@dataclass(frozen=True)
class Held:
    """A role that a principal has at a place."""

    role: str
    place: str
    permissions: frozenset[str]
    uncertain: str = ""


@dataclass
class Power:
    """What is known of one principal. `over`: places that it controls, with the way."""

    evidence: list[Evidence] = field(default_factory=list)
    over: dict[str, tuple[str, ...]] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)


class Google:
    """Who holds what where, and who can become whom."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.roles = dict(ROLES)
        for item in estate.of_type("gcp_iam_role"):
            listed = item.config.get("includedPermissions")
            name = str(item.config.get("name") or item.uid.split(".googleapis.com/", 1)[-1])
            self.roles[name] = frozenset(str(p) for p in listed or ()) & _EVERY
        self.above: dict[str, list[str]] = {}
        self.held: dict[str, list[Held]] = defaultdict(list)
        self.places = [i for k in _WHOLE for i in estate.of_type(k)]
        self.accounts = {self.member(i): i for i in estate.of_type("gcp_iam_service_account")}
        for item in [i for i in estate.items.values() if i.type.startswith("gcp_")]:
            self._bindings(item)
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

    def chain(self, item: Item) -> list[str]:
        """The place itself and all that is above it, nearest first."""
        names = [item.uid]
        ancestors = item.config.get("ancestors") or ()
        names += [_CRM + str(a) for a in ancestors]
        if not ancestors and item.account:
            project = self.estate.find(f"{_CRM}projects/{item.account}")
            names.append(project.uid if project is not None else f"{_CRM}projects/{item.account}")
            if project is not None:
                names += [_CRM + str(a) for a in project.config.get("ancestors") or ()]
        resolved = []
        for name in names:
            found = self.estate.find(name)
            resolved.append(found.uid if found is not None else name)
        return list(dict.fromkeys(resolved))

    def _bindings(self, item: Item) -> None:
        policy = item.config.get("iamPolicy")
        rows = policy.get("bindings") if isinstance(policy, dict) else None
        for row in rows if isinstance(rows, list) else ():
            if not isinstance(row, dict):
                continue
            role = str(row.get("role") or "")
            condition = row.get("condition")
            doubt = ""
            if isinstance(condition, dict) and condition.get("expression"):
                doubt = f"the condition {condition.get('title') or condition['expression']}"
            for member in row.get("members") or ():
                self.held[str(member)].append(
                    Held(role, item.uid, self.roles.get(role, frozenset()), doubt)
                )

    def at(self, member: str, place: Item) -> Iterator[Held]:
        """Roles that count at a place: there and above."""
        chain = set(self.chain(place))
        for held in self.held.get(member, ()):
            if held.place in chain:
                yield held

    def _permissions(self, member: str, place: Item, sure: bool = True) -> dict[str, Held]:
        out: dict[str, Held] = {}
        for held in self.at(member, place):
            if sure and held.uncertain:
                continue
            for permission in held.permissions:
                out.setdefault(permission, held)
        return out

    # Who controls what, to a fixpoint

    def _settle(self) -> None:
        for sure in (True, False):
            controls = {m: dict(self.alone(m, sure)) for m in self.held}
            becomes = {m: list(self.becomes(m, sure)) for m in self.held}
            changed = True
            while changed:
                changed = False
                for member in sorted(controls):
                    for other, how in becomes.get(member, ()):
                        for place, way in controls.get(other, {}).items():
                            if place not in controls[member] and len(way) < 6:
                                controls[member][place] = (how, *way)
                                changed = True
            for member, over in controls.items():
                power = self.powers.setdefault(member, Power())
                for place, way in over.items():
                    if sure:
                        power.over.setdefault(place, way)
                    elif place not in power.over:
                        power.doubts.append("; ".join(way))

    def alone(self, member: str, sure: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
        """(place, way) of everything that this member controls by itself."""
        for place in self.places:
            have = self._permissions(member, place, sure)
            if _SET_POLICY in have:
                held = have[_SET_POLICY]
                text = (
                    f"{held.role} at {_short(held.place)}"
                    if held.role == "roles/owner"
                    else f"can change the IAM policy ({held.role} at {_short(held.place)})"
                )
                yield place.uid, (text,)
            elif ROLE_UPDATE in have and any(
                h.role.startswith(("projects/", "organizations/")) for h in self.held[member]
            ):
                held = have[ROLE_UPDATE]
                yield place.uid, (f"can add permissions to its own custom role ({held.role})",)

    def becomes(self, member: str, sure: bool) -> Iterator[tuple[str, str]]:
        """(service account, how) of everyone that this member can act as."""
        for other, item in self.accounts.items():
            if other == member:
                continue
            have = self._permissions(member, item, sure)
            direct = next((p for p in (TOKEN, KEY, SA_POLICY) if p in have), "")
            how = {TOKEN: "makes a token of", KEY: "makes a key of",
                   SA_POLICY: "changes the policy of"}.get(direct)  # fmt: skip
            if how:
                yield other, f"{how} {_name(other)} ({have[direct].role})"
                continue
            if ACT_AS in have:
                project = self.estate.find(f"{_CRM}projects/{item.account}")
                there = self._permissions(member, project, sure) if project is not None else {}
                launch = next((p for p in LAUNCHERS if p in there), "")
                if launch:
                    yield other, f"{LAUNCHERS[launch]} as {_name(other)} ({have[ACT_AS].role})"
        for project in (p for p in self.places if p.type == _WHOLE[0]):
            have = self._permissions(member, project, sure)
            number = str(project.config.get("projectNumber") or project.uid.rsplit("/", 1)[-1])
            if _BUILD in have:
                build = f"serviceAccount:{number}@cloudbuild.gserviceaccount.com"
                yield build, f"runs a build as {_name(build)} ({have[_BUILD].role})"
            if _DEPLOY in have:
                deploy = f"serviceAccount:{number}@cloudservices.gserviceaccount.com"
                yield deploy, f"deploys as {_name(deploy)} ({have[_DEPLOY].role})"
            if _METADATA in have or _COMMON in have:
                held = have.get(_METADATA) or have[_COMMON]
                for machine in self.estate.of_type("gcp_compute_instance"):
                    if self.chain(machine)[1:2] == [project.uid] and full_scope(machine):
                        for target in self.estate.targets(machine.uid, "has_identity"):
                            account = self.estate.find(target)
                            if account is not None:
                                target = self.member(account)
                            yield target, f"enters {machine.name} by its metadata ({held.role})"


def full_scope(machine: Item) -> bool:
    """Whether the machine's tokens are worth what its service account is."""
    accounts = machine.config.get("serviceAccounts")
    for account in accounts if isinstance(accounts, list) else ():
        scopes = account.get("scopes") if isinstance(account, dict) else None
        if isinstance(scopes, list) and _FULL_SCOPE in scopes:
            return True
    return False


# type -> roles that read its contents, on it or on anything above it.
READERS: dict[str, tuple[str, ...]] = {
    "gcp_storage_bucket": (
        "roles/storage.objectViewer", "roles/storage.objectAdmin", "roles/storage.admin",
        "roles/storage.objectUser", "roles/storage.legacyObjectReader",
        "roles/storage.legacyObjectOwner",
    ),
    "gcp_secretmanager_secret": ("roles/secretmanager.secretAccessor", "roles/secretmanager.admin",
                                 "roles/owner"),
    "gcp_bigquery_dataset": ("roles/bigquery.dataViewer", "roles/bigquery.dataEditor",
                             "roles/bigquery.dataOwner", "roles/bigquery.admin", "roles/owner",
                             "roles/editor", "roles/viewer"),
}  # fmt: skip


def _short(place: str) -> str:
    return place.split(".googleapis.com/", 1)[-1]


def _name(member: str) -> str:
    return member.partition(":")[2] or member


def privilege(estate: Estate) -> Iterator[RiskStatement]:
    """One statement a principal, and one what runs as one, in order of uid."""
    if not any(i.type.startswith("gcp_") for i in estate.items.values()):
        return
    google = Google(estate)
    out: dict[str, tuple[str, list[Evidence]]] = {}
    for kind in ("gcp_iam_service_account", "gcp_iam_user", "gcp_iam_group"):
        for item in estate.of_type(kind):
            member = (
                google.member(item) if kind.endswith("service_account")
                else str(item.config.get("member") or item.uid)
            )  # fmt: skip
            out[item.uid] = _judge(google, item, member)
    for item in [i for i in estate.items.values() if i.type.startswith("gcp_")]:
        found = _inherited(google, item, out)
        if found is not None:
            out[item.uid] = found
    for uid in sorted(out):
        value, evidence = out[uid]
        yield RiskStatement(resource=uid, risk=RISK, value=value, evidence=tuple(evidence[:5]))


def _judge(google: Google, item: Item, member: str) -> tuple[str, list[Evidence]]:
    power = google.powers.get(member, Power())
    out: list[Evidence] = []
    for place, way in sorted(power.over.items()):
        owner = len(way) == 1 and way[0].startswith("roles/owner")
        text = (
            f"owner of {_short(place)}" if owner
            else f"can make itself owner of {_short(place)}: {'; then '.join(way)}"
        )  # fmt: skip
        out.append(Evidence(kind="administrator" if owner else "escalation", text=text,
                            source=place, steps=way))  # fmt: skip
    out.sort(key=lambda e: (e.kind != "administrator", e.source))
    for held in google.held.get(member, ()):
        whole = google.estate.find(held.place)
        if whole is None or whole.type not in _WHOLE or held.uncertain:
            continue
        for table, kind in ((_WIDE, "wide_reach"), (_BULK, "bulk_data")):
            if held.role in table:
                text = f"{table[held.role]} of {_short(held.place)} ({held.role})"
                out.append(Evidence(kind=kind, text=text, source=held.place))
    if out:
        return "yes", out
    if power.doubts:
        text = f"administrator if a condition holds: {power.doubts[0]}"
        return "unknown", [Evidence(kind="gap", text=text, source=item.uid)]
    project = google.estate.looked_at(f"gcp:{item.account}/iam_policy") or any(
        p.config.get("iamPolicy") for p in google.places
    )
    if not project:
        return "unknown", [Evidence(kind="gap", text="the project's IAM policy was not read",
                                    source=item.uid)]  # fmt: skip
    roles = ", ".join(sorted({h.role for h in google.held.get(member, ())})[:5])
    return "no", [Evidence(kind="control", text=f"its roles give no control: {roles or 'none'}",
                           source=item.uid)]  # fmt: skip


def _inherited(
    google: Google, item: Item, known: dict[str, tuple[str, list[Evidence]]]
) -> tuple[str, list[Evidence]] | None:
    """The power of the service account that it runs as, as far as its scopes let it."""
    names = google.estate.targets(item.uid, "has_identity")
    if not names or item.type.startswith("gcp_iam_"):
        return None
    if item.type == "gcp_compute_instance" and not full_scope(item):
        return "no", [Evidence(kind="control", text="its access scopes do not reach that far",
                               source=item.uid)]  # fmt: skip
    out: list[Evidence] = []
    value = "no"
    for name in names:
        account = google.estate.find(name)
        found = known.get(account.uid) if account is not None else None
        if found is None:
            value = "unknown" if value == "no" else value
            out.append(Evidence(kind="gap", text=f"{name} was not read", source=name))
            continue
        for evidence in found[1]:
            if evidence.kind == "control":
                continue
            out.append(Evidence(kind=evidence.kind, text=f"runs as {_name(name)}: {evidence.text}",
                                source=evidence.source, steps=evidence.steps))  # fmt: skip
        value = "yes" if "yes" in (value, found[0]) else found[0] if value == "no" else value
    if not out:
        out = [Evidence(kind="control", text=f"runs as {', '.join(map(_name, names))}, which has no "
                        "such power", source=item.uid)]  # fmt: skip
    return value, out
