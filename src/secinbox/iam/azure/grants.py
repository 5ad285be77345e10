"""Who holds which role where: assignments, conditions, eligibility, deny assignments, scopes.

A role assignment gives the actions of its definition (less its own NotActions, which take nothing
from other assignments) at its scope and below; deny assignments win. A condition bears on the actions
that it names; one on role assignments may limit which roles can be given away. Sources:
learn.microsoft.com, "Azure RBAC", "Deny assignments", "Delegate role assignment management with
conditions", "Privileged Identity Management".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.iam.azure.actions import ASSIGN
from secinbox.iam.azure.roles import Block, Role, Roles, blocks_of, matches
from secinbox.inventory.azure.resources import dicts, identifier, text

_AUTH = "azure_microsoft_authorization_"
_MG = "/providers/microsoft.management/managementgroups/"
_EVERYONE = "00000000-0000-0000-0000-000000000000"
_ACTIONS = re.compile(r"ActionMatches\s*\{\s*'([^']+)'\s*\}", re.I)
_ROLES = re.compile(
    r"@Request\[Microsoft\.Authorization/roleAssignments:RoleDefinitionId\]\s*"
    r"(?:ForAnyOf\w+:)?Guid(Not)?Equals\s*\{([^}]*)\}", re.I
)  # fmt: skip
_TO_WHOM = re.compile(
    r"@Request\[Microsoft\.Authorization/roleAssignments:Principal(Id|Type)\]", re.I
)

# (principal that somebody can act as, how, what is doubtful about it, kind of move)
Becoming = tuple[str, str, str, str]


@dataclass(frozen=True)
class Held:
    """A role at a scope. `uncertain`: what has to happen first; `condition`: of the assignment."""

    role: Role
    scope: str
    uncertain: str = ""
    condition: str = ""
    eligible: str = ""  # "", yes (activates it alone), approval, unread

    def gives(self, action: str, data: bool = False) -> Block | None:
        return self.role.gives(action, data)

    def doubt(self, action: str, block: Block) -> str:
        """What is not certain about this action; empty where it simply may."""
        if self.uncertain:
            return self.uncertain
        for condition in (self.condition, block.condition):
            if condition and bears_on(condition, action):
                return "the condition of a role assignment"
        return ""


@lru_cache(maxsize=4096)
def bears_on(condition: str, action: str) -> bool:
    """Whether a condition says anything of this action: one that names others lets it pass."""
    named = _ACTIONS.findall(condition)
    return not named or any(matches((n,), action) for n in named)


@lru_cache(maxsize=4096)
def assignable(condition: str) -> tuple[frozenset[str], frozenset[str]] | None:
    """(only these roles, all but these) that a condition lets be assigned; None: not understood."""
    found = _ROLES.findall(condition)
    if not found or _TO_WHOM.search(condition):
        return None
    only: set[str] = set()
    without: set[str] = set()
    for negated, listed in found:
        ids = {_guid(g) for g in re.findall(r"[0-9a-fA-F-]{32,36}", listed)}
        (without if negated else only).update(ids)
    return frozenset(only), frozenset(without)


def _guid(value: str) -> str:
    bare = value.replace("-", "").lower()
    return f"{bare[:8]}-{bare[8:12]}-{bare[12:16]}-{bare[16:20]}-{bare[20:]}"


def over(item: Item, *keys: str) -> bool:
    """Whether the time of an assignment has passed."""
    return any(ended(item.config.get(key)) for key in keys)


def ended(said: object) -> bool:
    """Whether a moment, as an API writes it, has passed."""
    try:
        until = datetime.fromisoformat(text(said).replace("Z", "+00:00")) if said else None
    except ValueError:
        return False
    return until is not None and (
        until if until.tzinfo else until.replace(tzinfo=UTC)
    ) < datetime.now(UTC)


class Grants:
    """Role assignments of an estate. `held`: entra:ID -> what it holds itself."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.roles = Roles(estate)
        self.above = self._management_groups()
        self.held: dict[str, list[Held]] = defaultdict(list)
        self.read = False
        for item in estate.of_type(
            f"{_AUTH}roleassignments", f"{_AUTH}roleassignmentscheduleinstances"
        ):
            self._assignment(item, "")
        approvals = dict(self._approvals())
        for kind in ("roleeligibilityscheduleinstances", "roleeligibilityschedules"):
            for item in estate.of_type(f"{_AUTH}{kind}"):
                scope = text(item.config.get("scope")).lower().rstrip("/")
                guid = text(item.config.get("roleDefinitionId")).lower().rsplit("/", 1)[-1]
                self._assignment(item, approvals.get((scope, guid), "unread"))
        self.denies = [self._deny(i) for i in estate.of_type(f"{_AUTH}denyassignments")]
        self.groups = self._groups()
        self.subscriptions = sorted(
            {s for i in estate.items.values()
             if (s := "/".join(i.uid.split("/")[:3])).startswith("/subscriptions/")}
        )  # fmt: skip
        self.management = sorted(
            {h.scope for rows in self.held.values() for h in rows if h.scope.startswith(_MG)}
        )
        self._all: dict[str, list[Held]] = {}
        self._wide: dict[str, list[str]] = {}

    def _management_groups(self) -> dict[str, set[str]]:
        """subscription or management group -> the management groups above it."""
        parents: dict[str, set[str]] = defaultdict(set)
        for item in self.estate.items.values():
            chain = dicts(item.config.get("managementGroupAncestorsChain")) or dicts(
                item.config.get("managementGroupAncestors"))  # fmt: skip
            details = item.config.get("details")
            details = details if isinstance(details, dict) else {}
            if not chain:
                chain = dicts(details.get("managementGroupAncestorsChain"))
            if item.uid.startswith("/subscriptions/"):
                if chain:
                    place = "/".join(item.uid.split("/")[:3])
                    parents[place] |= {_MG + text(c.get("name")).lower() for c in chain}
            elif item.uid.startswith(_MG):
                parents[item.uid] |= {_MG + text(c.get("name")).lower() for c in chain}
                parent = details.get("parent") or item.config.get("parent")
                if identifier(parent).startswith(_MG):
                    parents[item.uid].add(identifier(parent))
                for child in dicts(item.config.get("children")):
                    parents[identifier(child)].add(item.uid)
        out: dict[str, set[str]] = {}
        for place in list(parents):
            seen: set[str] = set()
            stack = list(parents[place])
            while stack:
                one = stack.pop()
                if one not in seen:
                    seen.add(one)
                    stack += parents.get(one, ())
            out[place] = seen
        return out

    def _assignment(self, item: Item, eligible: str) -> None:
        # Rows of a table may be some of its rows.
        self.read = self.read or not item.unfinished("type")
        config = item.config
        if over(item, "endDateTime") or text(config.get("status")).lower() in ("revoked", "denied"):
            return
        principal = text(config.get("principalId")).lower()
        role = self.roles.of(
            text(config.get("roleDefinitionId")), text(config.get("roleDefinitionName"))
        )
        scope = text(config.get("scope")).lower().rstrip("/")
        if not scope and "/providers/microsoft.authorization/" in item.uid:
            scope = item.uid.rpartition("/providers/microsoft.authorization/")[0]
        if not scope and text(config.get("scope")) != "/" and "/role" not in item.uid:
            return
        doubt = ""
        if eligible:
            doubt = "an eligible role that has to be activated"
            if eligible == "approval":
                doubt = "an eligible role whose activation somebody has to approve"
        if principal:
            self.held[f"entra:{principal}"].append(
                Held(role, scope, doubt, text(config.get("condition")), eligible)
            )

    def _approvals(self) -> Iterator[tuple[tuple[str, str], str]]:
        """(scope, role) -> whether activation asks for an approval, where its policy was read."""
        policies = {}
        for item in self.estate.of_type(f"{_AUTH}rolemanagementpolicies"):
            for rule in (
                *dicts(item.config.get("rules")),
                *dicts(item.config.get("effectiveRules")),
            ):
                setting = rule.get("setting")
                if isinstance(setting, dict) and "isApprovalRequired" in setting:
                    policies[item.uid] = (
                        "approval" if setting["isApprovalRequired"] is True else "yes"
                    )
        for item in self.estate.of_type(f"{_AUTH}rolemanagementpolicyassignments"):
            answer = policies.get(identifier(item.config.get("policyId")))
            for rule in dicts(item.config.get("effectiveRules")):
                setting = rule.get("setting")
                if isinstance(setting, dict) and "isApprovalRequired" in setting:
                    answer = "approval" if setting["isApprovalRequired"] is True else "yes"
            if answer:
                scope = text(item.config.get("scope")).lower().rstrip("/")
                guid = text(item.config.get("roleDefinitionId")).lower().rsplit("/", 1)[-1]
                yield (scope, guid), answer

    def _deny(self, item: Item) -> tuple[Item, str, Role, set[str], set[str]]:
        config = item.config
        blocks = blocks_of(config.get("permissions") or config.get("denyAssignmentPermissions"))
        who = {text(p.get("id")).lower() for p in dicts(config.get("principals"))}
        spared = {text(p.get("id")).lower() for p in dicts(config.get("excludePrincipals"))}
        scope = text(config.get("scope")).lower().rstrip("/")
        if not scope:
            scope = item.uid.rpartition("/providers/microsoft.authorization/")[0]
        return item, scope, Role(item.name, blocks), who, spared

    def _groups(self) -> dict[str, set[str]]:
        """principal -> all groups that it is in, by a membership that is active now."""
        estate = self.estate
        out: dict[str, set[str]] = {}
        units = {i.uid for i in estate.of_type("entra_administrativeunit")}
        active: dict[str, list[str]] = defaultdict(list)
        for item in estate.of_type("entra_groupaccess"):
            access = group_access(item)
            if access is not None and access[2] == "member" and not access[3]:
                active[access[0]].append(access[1])
        for item in estate.items.values():
            if not item.uid.startswith("entra:"):
                continue
            found: set[str] = set()
            stack = [item.uid]
            while stack:
                one = stack.pop()
                for group in (*estate.targets(one, "member_of"), *active.get(one, ())):
                    if group not in found and group not in units:
                        found.add(group)
                        stack.append(group)
            if found:
                out[item.uid] = found
        return out

    # Questions

    def of(self, principal: str) -> list[Held]:
        """What it holds itself and as a member of groups."""
        if principal not in self._all:
            everyone = [principal, *sorted(self.groups.get(principal, ()))]
            found = [h for one in everyone for h in self.held.get(one, ())]
            # Nobody activates a role for an application, nor for a managed identity.
            alone = self._runs(principal)
            self._all[principal] = [h for h in found if not (h.eligible and alone)]
        return self._all[principal]

    def _runs(self, principal: str) -> bool:
        """A service principal, and no person or group.

        https://learn.microsoft.com/azure/role-based-access-control/pim-integration
        """
        item = self.estate.find(principal)
        told = item is not None and (
            item.type == "entra_serviceprincipal" or bool(item.config.get("servicePrincipalType"))
        )
        return told or bool(self.estate.sources(principal, "has_identity"))

    def places(self, principal: str) -> list[str]:
        """Subscriptions and management groups that some scope of its roles includes, in order."""
        out: set[str] = set()
        for scope in {h.scope for h in self.of(principal)}:
            if scope.startswith("/subscriptions/"):
                if scope.count("/") == 2:
                    out.add(scope)
                continue
            if scope not in self._wide:
                self._wide[scope] = [
                    p for p in (*self.subscriptions, *self.management) if self.covers(scope, p)
                ]
            out.update(self._wide[scope])
        return sorted(out, key=lambda p: (not p.startswith("/subscriptions/"), p))

    def covers(self, scope: str, place: str) -> bool:
        """Whether a scope includes a place."""
        if scope == "" or place == scope or place.startswith(scope + "/"):
            return True
        if not scope.startswith(_MG):
            return False
        above = place if place.startswith(_MG) else "/".join(place.split("/")[:3])
        return scope in self.above.get(above, ())

    def denied(self, principal: str, action: str, place: str, data: bool, sure: bool = True) -> str:
        """The deny assignment that forbids it; one under a condition only when not sure."""
        if not self.denies:
            return ""
        ids = {p.removeprefix("entra:") for p in (principal, *self.groups.get(principal, ()))}
        for item, scope, role, who, spared in self.denies:
            if spared & ids or not (who & ids or _EVERYONE in who):
                continue
            if item.config.get("doNotApplyToChildScopes") is True and scope != place:
                continue
            if self.covers(scope, place) and role.allows(action, data) and not (
                item.config.get("condition") and not sure):  # fmt: skip
                return text(item.config.get("denyAssignmentName")) or item.name
        return ""

    def may(self, principal: str, action: str, place: str, *, sure: bool = True,
            data: bool = False) -> Held | None:  # fmt: skip
        """The role that allows it there, its own or a group's; None where none does."""
        for held in self.of(principal):
            block = held.gives(action, data)
            if block is None or not self.covers(held.scope, place):
                continue
            doubt = held.doubt(action, block)
            if doubt and (sure or held.eligible == "approval"):
                continue
            if self.denied(principal, action, place, data, sure):
                return None
            return held
        return None

    def assigns(self, principal: str, place: str, sure: bool) -> tuple[Held, str] | None:
        """The role by which it can give itself control of the place; words on what it may give."""
        held = self.may(principal, ASSIGN, place, sure=True)
        if held is not None:
            return held, ""
        for held in self.of(principal):
            block = held.gives(ASSIGN)
            if block is None or not self.covers(held.scope, place) or self.denied(
                principal, ASSIGN, place, False):  # fmt: skip
                continue
            if held.uncertain:
                if not sure and held.eligible != "approval":
                    return held, held.uncertain
                continue
            rule = next((c for c in (held.condition, block.condition) if c), "")
            limits = assignable(rule)
            if limits is None:
                if not sure:
                    return held, "the condition of a role assignment"
                continue
            if any(r.allows(ASSIGN) and not any(b.condition for b in r.blocks)
                   for r in self._given(*limits)):  # fmt: skip
                return held, ""
        return None

    def gives_away(self, principal: str, place: str) -> tuple[Held, Role] | None:
        """A role that changes everything, which it may give itself although not control."""
        for held in self.of(principal):
            block = held.gives(ASSIGN)
            if block is None or held.uncertain or not self.covers(held.scope, place):
                continue
            limits = assignable(next((c for c in (held.condition, block.condition) if c), ""))
            if limits is None or self.denied(principal, ASSIGN, place, False):
                continue
            for role in self._given(*limits):
                if role.allows("Microsoft.Compute/virtualMachines/write") and role.allows(
                    "Microsoft.Storage/storageAccounts/write"):  # fmt: skip
                    return held, role
        return None

    def _given(self, only: frozenset[str], without: frozenset[str]) -> Iterator[Role]:
        """The powerful ones among the roles that may be assigned."""
        for guid in (
            "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
            "f58310d9-a9f6-439a-9e8d-f62e7b41a168", "b24988ac-6180-42a0-ab88-20f7382dd24c",
            *sorted(only),
        ):  # fmt: skip
            if (not only or guid in only) and guid not in without:
                yield self.roles.of(guid)


def group_access(item: Item) -> tuple[str, str, str, bool] | None:
    """(principal, group, member or owner, whether only eligible) of one schedule of Privileged
    Identity Management for groups; None where it is over."""
    config = item.config
    status = text(config.get("status")).lower()
    if over(item, "endDateTime") or status in ("revoked", "denied", "failed", "canceled"):
        return None
    who, group = principal_of(config.get("principalId")), principal_of(config.get("groupId"))
    return who, group, text(config.get("accessId")).lower(), config.get("eligible") is True


def principal_of(value: Any) -> str:
    """`entra:ID` of a principal id."""
    return f"entra:{text(value).lower()}"


def short(scope: str) -> str:
    """A scope for people: its last two parts."""
    return "/".join(scope.split("/")[-2:]) if scope else "the root"
