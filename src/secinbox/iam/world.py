"""Principals of an estate with everything that decides what they may do.

Built from `get-account-authorization-details` (users, groups, roles, policies), the answers about
access keys, login profiles and MFA devices, and organisation policies where they were read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from secinbox.estate import PARTIAL, Estate, Item
from secinbox.iam.guardrails import guardrails_of
from secinbox.iam.policy import Policy, Statement, parse
from secinbox.inventory.aws.answers import Unread, answer
from secinbox.inventory.aws.calls import walk


@dataclass(frozen=True, eq=False)
class Source:
    """One policy as a principal has it. `holder` is the user, role or group that it hangs on."""

    id: str
    kind: str  # inline | attached
    holder: str
    name: str  # name of an inline policy, ARN of an attached one
    policy: Policy


@dataclass(frozen=True, eq=False)
class Persona:
    """A principal in one state: as configured, or after it changed its own policies."""

    arn: str
    kind: str  # user | role | group
    account: str
    sources: tuple[Source, ...]
    boundary: Policy | None = None
    boundary_unread: bool = False
    changes: tuple[str, ...] = ()  # what was done to get here, in words
    session: Policy | None = None  # passed when the role was assumed; limits like a boundary
    session_unread: bool = False  # one was passed that nobody read
    session_tags: tuple[tuple[str, str], ...] = ()  # given by whoever assumed the role
    unknown_tags: tuple[str, ...] = ()  # given too, with values that nobody knows

    @property
    def name(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def cut(self) -> bool:
        """A session policy stands over it, read or not."""
        return self.session is not None or self.session_unread


@dataclass(eq=False)
class Principal:
    """A user or role with the facts that moves ask about. None: not known."""

    item: Item
    persona: Persona
    unique_id: str = ""
    path: str = "/"
    tags: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    trust: Policy | None = None
    keys: int | None = None
    has_password: bool | None = None
    mfa: bool | None = None
    profiles: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()

    @property
    def arn(self) -> str:
        return self.persona.arn

    @property
    def kind(self) -> str:
        return self.persona.kind

    @property
    def account(self) -> str:
        return self.persona.account

    @property
    def service_linked(self) -> bool:
        return self.path.startswith("/aws-service-role/")

    @property
    def without_people(self) -> bool:
        """A role that only services and identity providers give: their sessions never show MFA.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
        """
        return self.trust is not None and all(
            s.effect in ("Allow", "Deny")
            and s.not_principals is None
            and (s.effect == "Deny"
                 or all(kind in ("Service", "Federated") for kind, _ in s.principals or ()))
            for s in self.trust.statements
        )  # fmt: skip

    @property
    def reserved(self) -> bool:
        """Roles of the Identity Center: nobody in the account can edit them."""
        return self.path.startswith("/aws-reserved/")


ALLOW_ALL = Policy(
    (Statement("Allow", actions=("*",), resources=("*",), origin="a policy of their own making"),),
    "a policy of their own making",
)
# Documents that are the same in every account; a dump may name them without their text.
_WELL_KNOWN: dict[str, dict[str, Any]] = {
    "AdministratorAccess": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    "IAMFullAccess": {"Statement": [{"Effect": "Allow", "Action": ["iam:*"], "Resource": "*"}]},
    "AmazonS3FullAccess": {
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:*", "s3-object-lambda:*"], "Resource": "*"}
        ]
    },
    "PowerUserAccess": {
        "Statement": [
            {
                "Effect": "Allow",
                "NotAction": ["iam:*", "organizations:*", "account:*"],
                "Resource": "*",
            },
            {
                "Effect": "Allow",
                "Action": [
                    "iam:CreateServiceLinkedRole",
                    "iam:DeleteServiceLinkedRole",
                    "iam:ListRoles",
                    "organizations:DescribeOrganization",
                ],
                "Resource": "*",
            },
        ]
    },
}


class World:
    """All principals, groups and policies, by ARN."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self._parsed: dict[tuple[str, str], Policy] = {}
        self.documents: dict[str, Item] = {
            i.uid: i for i in estate.of_type("aws_iam_policy") if i.config
        }
        self.groups: dict[str, Persona] = {}
        self.group_gaps: dict[str, tuple[str, ...]] = {}
        self.principals: dict[str, Principal] = {}
        self.by_unique_id: dict[str, str] = {}
        self.attached_to: dict[str, set[str]] = defaultdict(set)  # policy ARN -> holders
        self.members: dict[str, set[str]] = defaultdict(set)  # group -> users
        self._profiles = self._profile_roles()
        self._profiles_of: dict[str, set[str]] = defaultdict(set)
        for profile, roles in self._profiles.items():
            for role in roles:
                self._profiles_of[role].add(profile)
        for item in estate.of_type("aws_iam_group"):
            if "GroupPolicyList" in item.config or "AttachedManagedPolicies" in item.config:
                self.groups[item.uid] = self._group(item)
        for item in estate.of_type("aws_iam_user"):
            if "UserPolicyList" in item.config or "AttachedManagedPolicies" in item.config:
                self.principals[item.uid] = self._user(item)
        for item in estate.of_type("aws_iam_role"):
            if "RolePolicyList" in item.config or "AttachedManagedPolicies" in item.config:
                self.principals[item.uid] = self._role(item)
        for arn, principal in self.principals.items():
            if principal.unique_id:
                self.by_unique_id[principal.unique_id] = arn
        self.accounts = sorted({p.account for p in self.principals.values()})
        self.guardrails = guardrails_of(estate, self.accounts)

    def roles(self) -> Iterator[Principal]:
        return (p for p in self.principals.values() if p.kind == "role")

    def roles_of_profile(self, profile_arn: str) -> list[str]:
        return sorted(self._profiles.get(profile_arn, ()))

    # Documents

    def document(self, arn: str) -> Policy | None:
        """The default version of a managed policy; None when nobody read it."""
        item = self.documents.get(arn)
        if item is not None:
            for version in item.config.get("PolicyVersionList") or []:
                if isinstance(version, dict) and version.get("IsDefaultVersion"):
                    return self.parsed(version.get("Document"), _label(arn))
        name = arn.rpartition("/")[2]
        if ":iam::aws:policy/" in arn and name in _WELL_KNOWN:
            return self.parsed(_WELL_KNOWN[name], name)
        return None

    def versions(self, arn: str) -> list[tuple[str, Policy]]:
        """Versions that are not the default one."""
        item = self.documents.get(arn)
        out = []
        for version in (item.config.get("PolicyVersionList") if item else None) or []:
            if isinstance(version, dict) and not version.get("IsDefaultVersion"):
                policy = self.parsed(version.get("Document"), _label(arn))
                out.append((str(version.get("VersionId")), policy))
        return out

    def unread_versions(self, arn: str) -> bool:
        """Whether the policy may have versions of which nobody told."""
        item = self.documents.get(arn)
        return item is not None and bool(item.unfinished("PolicyVersionList"))

    def parsed(self, document: Any, name: str) -> Policy:
        """Parsed once a name and text: holders of the same policies, inline ones too, share them."""
        key = (name, document if isinstance(document, str) else repr(document))
        if key not in self._parsed:
            self._parsed[key] = parse(document, name)
        return self._parsed[key]

    # Principals

    def _sources(self, item: Item, inline_key: str) -> tuple[list[Source], list[str]]:
        out: list[Source] = []
        gaps = _parts(item, (inline_key, "AttachedManagedPolicies"))
        for inline in item.config.get(inline_key) or []:
            if isinstance(inline, dict):
                name = str(inline.get("PolicyName") or "inline")
                policy = self.parsed(inline.get("PolicyDocument"), name)
                out.append(Source(f"{item.uid}#{name}", "inline", item.uid, name, policy))
        for attached in item.config.get("AttachedManagedPolicies") or []:
            if not isinstance(attached, dict) or not attached.get("PolicyArn"):
                continue
            arn = str(attached["PolicyArn"])
            self.attached_to[arn].add(item.uid)
            found = self.document(arn)
            if found is None:
                gaps.append(f"policy {_label(arn)} was not read")
                continue
            out.append(Source(f"{item.uid}#{arn}", "attached", item.uid, arn, found))
        gaps += [f"{s.policy.name}: {p}" for s in out for p in s.policy.problems]
        return out, gaps

    def _group(self, item: Item) -> Persona:
        sources, gaps = self._sources(item, "GroupPolicyList")
        self.group_gaps[item.uid] = tuple(gaps)
        return Persona(item.uid, "group", item.account, tuple(sources))

    def _boundary(self, item: Item) -> tuple[Policy | None, bool]:
        found = item.config.get("PermissionsBoundary")
        arn = found.get("PermissionsBoundaryArn") if isinstance(found, dict) else None
        if not arn:
            return None, False
        policy = self.document(str(arn))
        return policy, policy is None

    def _user(self, item: Item) -> Principal:
        sources, gaps = self._sources(item, "UserPolicyList")
        names = {g.rpartition("/")[2]: g for g in self.groups if g.split(":")[4] == item.account}
        groups = []
        gaps += _parts(item, ("GroupList",))
        for name in item.config.get("GroupList") or []:
            group = names.get(str(name))
            if group is None:
                gaps.append(f"group {name} was not read")
                continue
            groups.append(group)
            self.members[group].add(item.uid)
            sources += self.groups[group].sources
            gaps += [f"group {name}: {gap}" for gap in self.group_gaps[group]]
        boundary, unread = self._boundary(item)
        if unread:
            gaps.append("the permissions boundary was not read")
        persona = Persona(item.uid, "user", item.account, tuple(sources), boundary, unread)
        report = item.config.get("credential_report")
        return Principal(
            item, persona,
            unique_id=str(item.config.get("UserId") or ""),
            path=str(item.config.get("Path") or "/"),
            tags=dict(item.tags),
            groups=tuple(groups),
            keys=_keys(item, report if isinstance(report, dict) else {}),
            has_password=_password(item, report if isinstance(report, dict) else {}),
            mfa=_mfa(item, report if isinstance(report, dict) else {}),
            gaps=tuple(gaps),
        )  # fmt: skip

    def _role(self, item: Item) -> Principal:
        sources, gaps = self._sources(item, "RolePolicyList")
        boundary, unread = self._boundary(item)
        if unread:
            gaps.append("the permissions boundary was not read")
        document = item.config.get("AssumeRolePolicyDocument")
        profiles = sorted(self._profiles_of.get(item.uid, ()))
        return Principal(
            item,
            Persona(item.uid, "role", item.account, tuple(sources), boundary, unread),
            unique_id=str(item.config.get("RoleId") or ""),
            path=str(item.config.get("Path") or "/"),
            tags=dict(item.tags),
            trust=self.parsed(document, "trust policy") if document is not None else None,
            profiles=tuple(profiles),
            gaps=tuple(gaps),
        )

    def _profile_roles(self) -> dict[str, set[str]]:
        out: dict[str, set[str]] = defaultdict(set)
        for item in self.estate.of_type("aws_iam_instance_profile"):
            for arn in walk(item.config, "Roles[].Arn"):
                out[item.uid].add(str(arn))
            for arn in self.estate.targets(item.uid, "has_identity"):
                out[item.uid].add(arn)
        for item in self.estate.of_type("aws_iam_role"):
            for arn in walk(item.config, "InstanceProfileList[].Arn"):
                out[str(arn)].add(item.uid)
        return out


def _parts(item: Item, keys: tuple[str, ...]) -> list[str]:
    """Which of these lists are not whole, where the source told parts of the principal only."""
    if PARTIAL not in item.config:
        return []
    out = [item.unfinished(k) if k in item.config else f"{k} was not read" for k in keys]
    return [g for g in out if g]


def _label(arn: str) -> str:
    return arn.rpartition("/")[2]


def _keys(item: Item, report: Mapping[str, Any]) -> int | None:
    found = answer(item, "list_access_keys")
    if not isinstance(found, Unread):
        return len(list(walk(dict(found or {}), "AccessKeyMetadata[]")))
    if report:
        return sum(
            1
            for n in (1, 2)
            if report.get(f"access_key_{n}_active") == "true"
            or report.get(f"access_key_{n}_last_rotated") not in (None, "", "N/A")
        )
    return None


def _password(item: Item, report: Mapping[str, Any]) -> bool | None:
    found = answer(item, "get_login_profile")
    if not isinstance(found, Unread):
        return found is not None and "LoginProfile" in found
    enabled = str(report.get("password_enabled") or "")
    if enabled in ("true", "false"):
        return enabled == "true"
    return True if item.config.get("PasswordLastUsed") else None


def _mfa(item: Item, report: Mapping[str, Any]) -> bool | None:
    found = answer(item, "list_mfa_devices")
    if not isinstance(found, Unread):
        return bool(list(walk(dict(found or {}), "MFADevices[]")))
    active = str(report.get("mfa_active") or "")
    if active in ("true", "false"):
        return active == "true"
    return None
