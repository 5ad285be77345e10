"""Who holds which role where: bindings, their conditions, inheritance, deny policies, boundaries.

Sources: cloud.google.com, "Understanding allow policies", "Overview of IAM Conditions", "Deny
policies", "Principal access boundary policies", "Principal identifiers".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from secinbox.estate import Estate, Item
from secinbox.iam.gcp.roles import Role, Roles

CRM = "//cloudresourcemanager.googleapis.com/"
PROJECT, FOLDER, ORGANIZATION = WHOLE = (
    "gcp_cloudresourcemanager_project", "gcp_cloudresourcemanager_folder",
    "gcp_cloudresourcemanager_organization",
)  # fmt: skip
_EXPIRY = re.compile(r"""request\.time\s*<=?\s*timestamp\(\s*["']([^"']+)["']\s*\)""")
_STARTS = re.compile(r"""\s*resource\.name\.startsWith\(\s*["']([^"']+)["']\s*\)\s*""")
_NAMED = re.compile(r"""\s*resource\.name\s*==\s*["']([^"']+)["']\s*""")
# Services that deny policies call otherwise than permissions do.
_FQDN = {"resourcemanager": "cloudresourcemanager", "source": "sourcerepo"}


@dataclass(frozen=True)
class Held:
    """A role that a member has at a place. `uncertain`: what has to be so as well."""

    role: Role
    place: str
    uncertain: str = ""
    only: str = ""  # the condition ties it to resources whose name begins so
    by: str = ""  # the group that has it

    @property
    def permissions(self) -> frozenset[str]:
        return self.role.permissions


@dataclass(frozen=True)
class _Denial:
    place: str
    name: str
    who: tuple[str, ...]
    spared: tuple[str, ...]
    permissions: tuple[str, ...]
    kept: tuple[str, ...]
    conditional: bool


@dataclass
class Grants:
    """Bindings of an estate. `held`: member as policies write it -> what it holds."""

    estate: Estate
    held: dict[str, list[Held]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.roles = Roles(self.estate)
        self._chains: dict[str, list[str]] = {}
        convenience: list[tuple[str, Held]] = []
        for uid in sorted(self.estate.items):
            item = self.estate.items[uid]
            if item.type.startswith("gcp_"):
                convenience += self._bindings(item)
        for member, held in convenience:
            self._convenience(member, held)
        self._denials = list(self._deny_policies())
        self._boundaries = list(self._boundary_policies())
        self._domains = {m.partition(":")[2]: m for m in self.held if m.startswith("domain:")}
        self._sets = [m for m in self.held if m.startswith("principalSet://")]
        self.groups = self._groups()
        for member, groups in self.groups.items():
            if any(self.held.get(g) for g in groups):
                self.held.setdefault(member, [])

    # Bindings

    def _bindings(self, item: Item) -> Iterator[tuple[str, Held]]:
        """Adds them; gives back those to the owners, editors and viewers of a project."""
        policy = item.config.get("iamPolicy")
        rows = policy.get("bindings") if isinstance(policy, dict) else None
        rows = [*(rows if isinstance(rows, list) else ()), *access_of(item)]
        for row in rows:
            if not isinstance(row, dict):
                continue
            doubt, only = "", ""
            condition = row.get("condition")
            if isinstance(condition, dict) and condition.get("expression"):
                expression = str(condition["expression"])
                if expired(expression):
                    continue
                only = _prefix(expression)
                if not only and not lasting(expression):
                    doubt = f"the condition {condition.get('title') or expression}"
            members = row.get("members")
            held = Held(self.roles.of(str(row.get("role") or "")), item.uid, doubt, only)
            for member in members if isinstance(members, list) else ():
                if str(member).startswith(("projectOwner:", "projectEditor:", "projectViewer:")):
                    yield str(member), held
                elif not str(member).startswith("deleted:"):
                    self.held[str(member)].append(held)

    def _convenience(self, member: str, held: Held) -> None:
        word, _, project = member.partition(":")
        found = self.estate.find(f"{CRM}projects/{project}")
        role = f"roles/{word.removeprefix('project').lower()}"
        if found is None:
            return
        for other, grants in list(self.held.items()):
            if any(
                g.role.name == role and g.place == found.uid and not g.uncertain for g in grants
            ):
                self.held[other].append(held)

    def _groups(self) -> dict[str, set[str]]:
        """member -> all groups that it is in, directly or through others."""
        estate = self.estate
        direct: dict[str, set[str]] = defaultdict(set)
        for item in estate.of_type("gcp_iam_group"):
            own = self.name(item.uid)
            for name in {item.uid, own, str(item.config.get("groupName") or own)}:
                for source in estate.sources(name, "member_of"):
                    direct[self.name(source)].add(own)
        out: dict[str, set[str]] = {}
        for member in list(direct):
            found: set[str] = set()
            stack = [member]
            while stack:
                new = direct.get(stack.pop(), set()) - found
                found |= new
                stack += new
            out[member] = found
        return out

    def name(self, uid: str) -> str:
        """A principal as policies write it."""
        item = self.estate.find(uid)
        if item is None:
            return uid
        if item.type == "gcp_iam_service_account":
            return f"serviceAccount:{item.config.get('email') or item.uid.rsplit('/', 1)[-1]}"
        return str(item.config.get("member") or item.uid)

    def groups_of(self, member: str) -> set[str]:
        """Its groups, and those that everybody of its domain is in."""
        kind, _, name = member.partition(":")
        own = self.groups.get(member, set())
        if kind in ("user", "serviceAccount"):
            return own | self.groups.get(f"domain:{name.rpartition('@')[2]}", set())
        return own

    def of(self, member: str) -> Iterator[Held]:
        """What a member holds itself, by its groups, and as one of its domain or pool."""
        yield from self.held.get(member, ())
        for group in sorted(self.groups_of(member)) if self.groups else ():
            for held in self.held.get(group, ()):
                yield replace(held, by=group)
        kind, _, name = member.partition(":")
        if kind in ("user", "group") and self._domains:
            yield from self.held.get(self._domains.get(name.rpartition("@")[2], ""), ())
        for wide in self._sets:
            if wide != member and member.startswith("principal") and _pooled(member, wide):
                yield from self.held[wide]

    # Places

    def chain(self, item: Item) -> list[str]:
        """The place itself and all that is above it, nearest first."""
        if item.uid in self._chains:
            return self._chains[item.uid]
        names = [item.uid]
        ancestors = item.config.get("ancestors") or ()
        if item.type not in WHOLE and item.account and not any(
            str(a).startswith("projects/") for a in ancestors):  # fmt: skip
            names.append(f"{CRM}projects/{item.account}")
        names += [CRM + str(a) for a in ancestors]
        out: list[str] = []
        for name in names:
            found = self.estate.find(name)
            uid = found.uid if found is not None else name
            if uid in out:
                continue
            out.append(uid)
            if found is not None and found is not item:
                out += [u for u in self.chain(found) if u not in out]
        parent = item.config.get("parent")
        if item.type in WHOLE and not ancestors:
            above = _parent(parent)
            found = self.estate.find(CRM + above) if above else None
            if found is not None and found is not item:
                out += [u for u in self.chain(found) if u not in out]
            elif above:
                out.append(CRM + above)
        self._chains[item.uid] = out
        return out

    def at(self, member: str, place: Item) -> Iterator[Held]:
        """Roles that count at a place: there and above."""
        chain = set(self.chain(place))
        for held in self.of(member):
            if held.place in chain and (not held.only or _within(held.only, place)):
                yield held

    def permissions(self, member: str, place: Item, sure: bool = True) -> dict[str, Held]:
        """Permissions that count, with the role that gives each; less what is denied."""
        out: dict[str, Held] = {}
        for held in self.at(member, place):
            if sure and held.uncertain:
                continue
            for permission in held.permissions:
                out.setdefault(permission, held)
        if out and (self._denials or self._boundaries):
            chain = self.chain(place)
            if self._bounded(member, chain) == "no":
                return {}
            out = {p: h for p, h in out.items() if not self.denied(member, p, chain, sure)}
        return out

    # Deny policies and principal access boundaries

    def _deny_policies(self) -> Iterator[_Denial]:
        for item in self.estate.items.values():
            if not item.type.startswith("gcp_iam_") or "policy" not in item.type:
                continue
            place = self._attached(item)
            for row in _dicts(item.config.get("rules")):
                rule = row.get("denyRule")
                if isinstance(rule, dict) and place:
                    yield _Denial(
                        place, item.name or item.uid.rsplit("/", 1)[-1],
                        _texts(rule.get("deniedPrincipals")), _texts(rule.get("exceptionPrincipals")),
                        _texts(rule.get("deniedPermissions")), _texts(rule.get("exceptionPermissions")),
                        bool(rule.get("denialCondition")),
                    )  # fmt: skip

    def _attached(self, item: Item) -> str:
        """The place that `policies/cloudresourcemanager.googleapis.com%2Fprojects%2F1/...` names."""
        words = str(item.config.get("name") or item.uid)
        found = re.search(r"policies/([^/]+)/denypolicies/", words)
        name = "//" + unquote(found.group(1)) if found else ""
        if not name and item.config.get("ancestors"):
            name = CRM + str(item.config["ancestors"][0])
        known = self.estate.find(name) if name else None
        return known.uid if known is not None else name

    def denied(self, member: str, permission: str, chain: list[str], sure: bool) -> str:
        """The deny policy that takes it away there; one under a condition only when not sure."""
        for rule in self._denials:
            if rule.place not in chain or (rule.conditional and not sure):
                continue
            if not _named(permission, rule.permissions) or _named(permission, rule.kept):
                continue
            who = (member, *self.groups_of(member))
            if any(_among(m, rule.who) for m in who) and not any(
                _among(m, rule.spared) for m in who):  # fmt: skip
                return rule.name
        return ""

    def _boundary_policies(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """(principal set, resources) of each policy that is bound."""
        policies = {}
        for item in self.estate.of_type("gcp_iam_principal_access_boundary_policy"):
            details = item.config.get("details")
            rules = _dicts(details.get("rules")) if isinstance(details, dict) else []
            allowed = [r for row in rules for r in _texts(row.get("resources"))]
            policies[str(item.config.get("name") or item.uid.split(".com/", 1)[-1])] = allowed
        for item in self.estate.of_type("gcp_iam_policy_binding"):
            target = item.config.get("target")
            principals = str(target.get("principalSet") or "") if isinstance(target, dict) else ""
            name = str(item.config.get("policy") or "")
            found = policies.get(name)
            if principals and found is not None and not item.config.get("condition"):
                yield principals, tuple(found)

    def _bounded(self, member: str, chain: list[str]) -> str:
        """`no` where boundaries bind the member and none of them admits the place."""
        bound = False
        for principals, resources in self._boundaries:
            if not self._in_set(member, principals):
                continue
            bound = True
            for resource in resources:
                found = self.estate.find(resource)
                if (found.uid if found is not None else resource) in chain:
                    return "yes"
        return "no" if bound else ""

    def _in_set(self, member: str, principals: str) -> bool:
        """Principal sets of projects, folders and organisations hold their service accounts."""
        if member.startswith("serviceAccount:"):
            account = self.estate.find(member)
            project = member.partition("@")[2].partition(".")[0]
            above = self.chain(account) if account is not None else [f"{CRM}projects/{project}"]
            found = self.estate.find(principals)
            return (found.uid if found is not None else principals) in above
        return member.startswith("principal") and principals.strip("/") in member


def expired(expression: str) -> bool:
    """Whether a condition ties the binding to a time that has passed."""
    if "||" in expression:
        return False
    ends = [_moment(found) for found in _EXPIRY.findall(expression)]
    return any(end is not None and end < datetime.now(UTC) for end in ends)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def lasting(expression: str) -> bool:
    """Whether a condition asks for nothing but a time that has not passed."""
    ends = [_moment(found) for found in _EXPIRY.findall(expression)]
    rest = re.sub(r"&&|[()\s]", "", _EXPIRY.sub("", expression))
    return bool(ends) and not rest and None not in ends and not expired(expression)


def _prefix(expression: str) -> str:
    """The beginning of names (or the one name) that a condition asks for, if that is all of it."""
    for pattern, end in ((_STARTS, ""), (_NAMED, "$")):
        found = pattern.fullmatch(expression)
        if found:
            return found.group(1) + end
    return ""


def _within(only: str, place: Item) -> bool:
    """Whether the name of a resource, as conditions write it, begins so."""
    name = place.uid.split(".googleapis.com/", 1)[-1]
    names = [name]
    if place.type == "gcp_storage_bucket":
        names = [f"projects/_/buckets/{name}", f"projects/_/buckets/{name}/objects/"]
    if only.endswith("$"):
        return only[:-1] in names
    # A name that goes on below the resource ties the role to a part of it.
    return any(n.startswith(only) for n in names)


def _parent(value: Any) -> str:
    if isinstance(value, dict) and value.get("type") and value.get("id"):
        return f"{value['type']}s/{value['id']}"
    found = str(value).split(".googleapis.com/", 1)[-1] if isinstance(value, str) else ""
    return found if "/" in found else ""


_SPECIAL = {"projectOwners": "projectOwner", "projectReaders": "projectViewer",
            "projectWriters": "projectEditor"}  # fmt: skip


def access_of(item: Item) -> Iterator[dict[str, Any]]:
    """Entries of a BigQuery dataset as bindings; none of anything else."""
    if item.type != "gcp_bigquery_dataset":
        return
    for row in _dicts(item.config.get("access")):
        role = str(row.get("role") or "")
        member = str(row.get("iamMember") or "")
        special = str(row.get("specialGroup") or "")
        if special:
            word = _SPECIAL.get(special)
            member = f"{word}:{item.account}" if word else special
        for key, kind in (("userByEmail", "user"), ("groupByEmail", "group"), ("domain", "domain")):
            if row.get(key):
                name = str(row[key])
                kind = "serviceAccount" if name.endswith(".gserviceaccount.com") else kind
                member = f"{kind}:{name}"
        if role and member:
            condition = row.get("condition")
            yield {"role": role, "members": [member],
                   **({"condition": condition} if isinstance(condition, dict) else {})}  # fmt: skip


def _named(permission: str, patterns: tuple[str, ...]) -> bool:
    """`iam.roles.update` as deny policies write it: `iam.googleapis.com/roles.update`, or wider."""
    service, _, rest = permission.partition(".")
    for pattern in patterns:
        host, _, wanted = pattern.partition("/")
        if host.removesuffix(".googleapis.com") not in (service, _FQDN.get(service, service)):
            continue
        if wanted == "*" or wanted == rest or (
            wanted.endswith(".*") and rest.startswith(wanted[:-1])) or (
            wanted.startswith("*.") and rest.endswith(wanted[1:])):  # fmt: skip
            return True
    return False


def _among(member: str, principals: tuple[str, ...]) -> bool:
    kind, _, name = member.partition(":")
    own = {
        "user": f"principal://goog/subject/{name}",
        "serviceAccount": f"principal://iam.googleapis.com/projects/-/serviceAccounts/{name}",
        "group": f"principalSet://goog/group/{name}",
    }.get(kind, member)
    return any(p in (own, "principalSet://goog/public:all", member) for p in principals)


def _pooled(member: str, wide: str) -> bool:
    """`principal://.../POOL/subject/x` is one of `principalSet://.../POOL/*`."""
    pool = wide.removeprefix("principalSet:")
    return pool.endswith("/*") and member.partition(":")[2].startswith(pool[:-1])


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(v) for v in value) if isinstance(value, list) else ()
