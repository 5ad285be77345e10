"""Azure and Entra ID: privileged_access of principals, and of what runs as managed identities.

A role assignment gives the actions of its definition (less its own NotActions, which take nothing
from other assignments) at its scope and below; deny assignments win; a condition or an eligible
assignment makes it uncertain. Sources: learn.microsoft.com, "Azure RBAC", "Built-in roles", "Deny
assignments", "Entra built-in roles", "Elevate access"; BloodHound's edges for Azure
(bloodhound.specterops.io).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.azure.resources import dicts, text
from secinbox.records import Evidence, RiskStatement

RISK = "privileged_access"
_AUTH = "azure_microsoft_authorization_"
ASSIGN = "Microsoft.Authorization/roleAssignments/write"
_CONTRIBUTOR = (
    ("*",),
    ("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write",
     "Microsoft.Authorization/elevateAccess/Action", "Microsoft.Blueprint/blueprintAssignments/*"),
)  # fmt: skip
# Built-in roles that count, for inventories without definitions: id -> (name, actions, not actions,
# data actions). learn.microsoft.com, "Azure built-in roles".
_BUILT_IN: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": ("Owner", ("*",), (), ()),
    "b24988ac-6180-42a0-ab88-20f7382dd24c": ("Contributor", *_CONTRIBUTOR, ()),
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": ("Reader", ("*/read",), (), ()),
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": (
        "User Access Administrator", ("*/read", "Microsoft.Authorization/*"), (), ()),
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": (
        "Role Based Access Control Administrator", ("*/read", ASSIGN), (), ()),
    "9980e02c-c2be-4d73-94e8-173b1dc7cf3c": (
        "Virtual Machine Contributor", ("Microsoft.Compute/virtualMachines/*",
                                        "Microsoft.Compute/virtualMachineScaleSets/*"), (), ()),
    "de139f84-1756-47ae-9be6-808fbbe84772": ("Website Contributor", ("Microsoft.Web/sites/*",), (), ()),
    "f353d9bd-d4a6-484e-a77a-8050b599b867": (
        "Automation Contributor", ("Microsoft.Automation/automationAccounts/*",), (), ()),
    "87a39d53-fc1b-424a-814c-f7e04687dc9e": (
        "Logic App Contributor", ("Microsoft.Logic/*",), (), ()),
    "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59": (
        "Managed Identity Contributor", ("Microsoft.ManagedIdentity/userAssignedIdentities/*",), (), ()),
    "f25e0fa2-a7c8-4377-a976-54943a77a395": ("Key Vault Contributor", ("Microsoft.KeyVault/*",), (), ()),
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": (
        "Key Vault Administrator", (), (), ("Microsoft.KeyVault/vaults/*",)),
    "4633458b-17de-408a-b874-0445c86b69e6": (
        "Key Vault Secrets User", (), (), ("Microsoft.KeyVault/vaults/secrets/getSecret/action",)),
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": (
        "Key Vault Secrets Officer", (), (), ("Microsoft.KeyVault/vaults/secrets/*",)),
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": ("Storage Blob Data Owner", (), (), (
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*",)),
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": ("Storage Blob Data Contributor", (), (), (
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",)),
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": ("Storage Blob Data Reader", (), (), (
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",)),
    "17d1049b-9a84-46fb-8f53-869881c3d3ab": (
        "Storage Account Contributor", ("Microsoft.Storage/storageAccounts/*",), (), ()),
    "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8": ("Azure Kubernetes Service Cluster Admin Role", (
        "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action",), (), ()),
}  # fmt: skip
_NAMES = {name.lower(): guid for guid, (name, *_) in _BUILT_IN.items()}
# Running code as what stands there: type -> (any of these actions, how).
TAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "azure_microsoft_compute_virtualmachines": ((
        "Microsoft.Compute/virtualMachines/runCommand/action",
        "Microsoft.Compute/virtualMachines/extensions/write",
        "Microsoft.Compute/virtualMachines/write"), "runs commands on"),
    "azure_microsoft_compute_virtualmachinescalesets": ((
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/runCommand/action",
        "Microsoft.Compute/virtualMachineScaleSets/write"), "runs commands on"),
    "azure_microsoft_web_sites": ((
        "Microsoft.Web/sites/publishxml/action", "Microsoft.Web/sites/write",
        "Microsoft.Web/sites/extensions/write"), "deploys code to"),
    "azure_microsoft_automation_automationaccounts": ((
        "Microsoft.Automation/automationAccounts/runbooks/write",
        "Microsoft.Automation/automationAccounts/jobs/write"), "runs a runbook of"),
    "azure_microsoft_logic_workflows": (("Microsoft.Logic/workflows/write",), "rewrites"),
    "azure_microsoft_containerinstance_containergroups": ((
        "Microsoft.ContainerInstance/containerGroups/write",
        "Microsoft.ContainerInstance/containerGroups/containers/exec/action"), "runs commands in"),
    "azure_microsoft_app_containerapps": (("Microsoft.App/containerApps/write",), "redeploys"),
    "azure_microsoft_managedidentity_userassignedidentities": ((
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",),
        "adds a federated credential to"),
}  # fmt: skip
# Directory roles by template: whole tenant, a way to it, or every application.
_TENANT = {"62e90394-69f5-4237-9190-012177145e10": "Global Administrator"}
_TO_TENANT = {
    "e8611ab8-c189-46e8-94e1-60213ab1f814": "Privileged Role Administrator",
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13": "Privileged Authentication Administrator",
    "e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8": "Partner Tier2 Support",
}  # fmt: skip
_APPLICATIONS = {
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
    "158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
}  # fmt: skip
# Permissions of Microsoft Graph that are as good as these roles.
_APP_ROLES = {
    "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8": "RoleManagement.ReadWrite.Directory",
    "06b708a9-e830-4db3-a914-8e69da51d44f": "AppRoleAssignment.ReadWrite.All",
}  # fmt: skip
TENANT = "entra:tenant"
_DATA = (
    ("Microsoft.KeyVault/vaults/secrets/getSecret/action", "reads all secrets"),
    ("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read", "reads all blobs"),
)


@cache
def _pattern(text_: str) -> re.Pattern[str]:
    return re.compile(re.escape(text_.lower()).replace(r"\*", ".*"))


def matches(patterns: tuple[str, ...], action: str) -> bool:
    """Whether one of the patterns is this action, in any case, `*` for anything."""
    return any(_pattern(p).fullmatch(action.lower()) for p in patterns)


@dataclass(frozen=True)
class Role:
    """Actions less not-actions, a block each."""

    name: str
    blocks: tuple[
        tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...
    ] = ()

    def allows(self, action: str, data: bool = False) -> bool:
        for actions, without, data_actions, data_without in self.blocks:
            wanted, taken = (data_actions, data_without) if data else (actions, without)
            if matches(wanted, action) and not matches(taken, action):
                return True
        return False


@dataclass(frozen=True)
class Held:
    """A role at a scope."""

    role: Role
    scope: str
    uncertain: str = ""


@dataclass
class Power:
    """What a principal controls: place -> the way there; doubts where something is not known."""

    over: dict[str, tuple[str, ...]] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(v) for v in value) if isinstance(value, list) else ()


class Azure:
    """Who holds what where, and who can become whom."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.roles = self._roles()
        self.above = self._management_groups()
        self.held: dict[str, list[Held]] = defaultdict(list)
        self.read = False
        # What an object is, its own listing says; a role assignment only guesses it.
        own = [i for i in estate.items.values() if i.uid.startswith("entra:")]
        self.services = sorted(
            (i for i in own
             if i.type == "entra_serviceprincipal" or "servicePrincipalType" in i.config),
            key=lambda i: i.uid,
        )  # fmt: skip
        self.owned = sorted((i for i in own if estate.targets(i.uid, "owned_by")),
                            key=lambda i: i.uid)  # fmt: skip
        for item in estate.of_type(f"{_AUTH}roleassignments"):
            self._assignment(item, "")
        for kind in ("roleeligibilityscheduleinstances", "roleeligibilityschedules"):
            for item in estate.of_type(f"{_AUTH}{kind}"):
                self._assignment(item, "an eligible role that has to be activated")
        self.denies = [self._deny(i) for i in estate.of_type(f"{_AUTH}denyassignments")]
        self.groups = self._groups()
        self.directory = self._directory()
        self.subscriptions = sorted(
            {s for i in estate.items.values()
             if (s := "/".join(i.uid.split("/")[:3])).startswith("/subscriptions/")}
        )  # fmt: skip
        self.principals = sorted(
            set(self.held) | set(self.directory)
            | {i.uid for i in estate.items.values() if i.type.startswith("entra_")
               and i.type not in ("entra_directoryrole", "entra_roleassignment")}
        )  # fmt: skip
        self.powers: dict[str, Power] = {}
        self._settle()

    # What is assigned

    def _roles(self) -> dict[str, Role]:
        out: dict[str, Role] = {}
        for guid, (name, actions, without, data) in _BUILT_IN.items():
            out[guid] = Role(name, ((actions, without, data, ()),))
        for item in self.estate.of_type(f"{_AUTH}roledefinitions"):
            blocks = tuple(
                (_texts(p.get("actions")), _texts(p.get("notActions")),
                 _texts(p.get("dataActions")), _texts(p.get("notDataActions")))
                for p in dicts(item.config.get("permissions"))
            )  # fmt: skip
            if blocks:
                name = text(item.config.get("roleName")) or item.name
                out[item.uid.rsplit("/", 1)[-1]] = Role(name, blocks)
        return out

    def _management_groups(self) -> dict[str, list[str]]:
        """subscription -> the management groups above it."""
        out: dict[str, list[str]] = {}
        for item in self.estate.items.values():
            chain = dicts(item.config.get("managementGroupAncestorsChain"))
            if not chain:
                chain = dicts(item.config.get("managementGroupAncestors"))
            if chain and item.uid.startswith("/subscriptions/"):
                out["/".join(item.uid.split("/")[:3])] = [
                    f"/providers/microsoft.management/managementgroups/{text(c.get('name')).lower()}"
                    for c in chain
                ]
        return out

    def _assignment(self, item: Item, doubt: str) -> None:
        self.read = True
        config = item.config
        principal = text(config.get("principalId")).lower()
        definition = text(config.get("roleDefinitionId")).lower().rsplit("/", 1)[-1]
        name = text(config.get("roleDefinitionName"))
        role = self.roles.get(definition) or self.roles.get(_NAMES.get(name.lower(), ""))
        if role is None:
            role = Role(name or definition)
        scope = text(config.get("scope")).lower().rstrip("/")
        if not scope and "/providers/microsoft.authorization/" in item.uid:
            scope = item.uid.partition("/providers/microsoft.authorization/")[0]
        if not scope and text(config.get("scope")) != "/" and "/roleassignments/" not in item.uid:
            return
        condition = text(config.get("condition"))
        if condition and not doubt:
            doubt = "the condition of a role assignment"
        if principal:
            self.held[f"entra:{principal}"].append(Held(role, scope, doubt))

    def _deny(self, item: Item) -> tuple[str, Role, set[str], set[str]]:
        config = item.config
        blocks = tuple(
            (_texts(p.get("actions")), _texts(p.get("notActions")), _texts(p.get("dataActions")),
             _texts(p.get("notDataActions"))) for p in dicts(config.get("permissions"))
        )  # fmt: skip
        who = {text(p.get("id")).lower() for p in dicts(config.get("principals"))}
        spared = {text(p.get("id")).lower() for p in dicts(config.get("excludePrincipals"))}
        return text(config.get("scope")).lower().rstrip("/"), Role(item.name, blocks), who, spared

    def _groups(self) -> dict[str, set[str]]:
        """principal -> all groups that it is in."""
        out: dict[str, set[str]] = {}
        for item in self.estate.items.values():
            if not item.uid.startswith("entra:"):
                continue
            found: set[str] = set()
            stack = [item.uid]
            while stack:
                for group in self.estate.targets(stack.pop(), "member_of"):
                    if group not in found:
                        found.add(group)
                        stack.append(group)
            out[item.uid] = found
        return out

    def _directory(self) -> dict[str, set[str]]:
        """principal -> templates of its directory roles."""
        out: dict[str, set[str]] = defaultdict(set)
        templates = {i.uid: text(i.config.get("roleTemplateId")).lower()
                     for i in self.estate.of_type("entra_directoryrole")}  # fmt: skip
        for uid, groups in self.groups.items():
            out[uid] |= {templates[g] for g in groups if g in templates}
        for item in self.estate.of_type("entra_roleassignment"):
            if text(item.config.get("directoryScopeId")) in ("", "/"):
                principal = f"entra:{text(item.config.get('principalId')).lower()}"
                out[principal].add(text(item.config.get("roleDefinitionId")).lower())
        for item in self.services:
            for grant in dicts(item.config.get("appRoleAssignments")):
                out[item.uid].add(text(grant.get("appRoleId")).lower())
        return {uid: found for uid, found in out.items() if found}

    # Questions

    def covers(self, scope: str, place: str) -> bool:
        """Whether a scope includes a place."""
        if scope == "" or place == scope or place.startswith(scope + "/"):
            return True
        subscription = "/".join(place.split("/")[:3])
        return scope in self.above.get(subscription, ())

    def may(self, principal: str, action: str, place: str, *, sure: bool = True,
            data: bool = False) -> Held | None:  # fmt: skip
        """The role that allows it there, its own or a group's; None where none does."""
        everyone = [principal, *sorted(self.groups.get(principal, ()))]
        ids = {p.removeprefix("entra:") for p in everyone}
        for scope, role, who, spared in self.denies:
            meant = who & ids or "00000000-0000-0000-0000-000000000000" in who
            if (
                meant
                and not spared & ids
                and self.covers(scope, place)
                and role.allows(action, data)
            ):
                return None
        for one in everyone:
            for held in self.held.get(one, ()):
                if held.uncertain and sure:
                    continue
                if self.covers(held.scope, place) and held.role.allows(action, data):
                    return held
        return None

    def alone(self, principal: str, sure: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
        """(place, way) of every subscription, and the tenant, that it controls by itself."""
        for place in self.subscriptions:
            held = self.may(principal, ASSIGN, place, sure=sure)
            if held is not None:
                whole = held.role.allows("Microsoft.Compute/virtualMachines/write")
                where = _short(held.scope)
                yield place, ((f"{held.role.name} at {where}",) if whole else
                              (f"can assign itself any role ({held.role.name} at {where})",))  # fmt: skip
        templates = self.directory.get(principal, set())
        for table, words in ((_TENANT, "{}"), (_TO_TENANT, "can make itself Global Administrator ({})"),
                             (_APP_ROLES, "can grant itself any directory role ({})")):  # fmt: skip
            for template, name in table.items():
                if template in templates:
                    yield TENANT, (words.format(name),)
                    return

    def becomes(self, principal: str, sure: bool) -> Iterator[tuple[str, str]]:
        """(principal, how) of everyone that it can act as."""
        for kind, (actions, how) in TAKES.items():
            for item in self.estate.of_type(kind):
                targets = self.identities(item)
                if not targets:
                    continue
                held = next((h for a in actions if (h := self.may(principal, a, item.uid, sure=sure))),
                            None)  # fmt: skip
                if held is not None:
                    for target in targets:
                        if target != principal:
                            yield (
                                target,
                                f"{how} {item.name} ({held.role.name} at {_short(held.scope)})",
                            )
        every = _APPLICATIONS.keys() & self.directory.get(principal, set())
        for item in self.services:
            if every and item.uid != principal:
                name = _APPLICATIONS[min(every)]
                yield item.uid, f"adds a secret to {item.name} ({name})"
        for item in self.owned:
            if principal in self.estate.targets(item.uid, "owned_by"):
                if item.type == "entra_application":
                    app = text(item.config.get("appId")).lower()
                    for found in self.services:
                        if text(found.config.get("appId")).lower() == app and app:
                            yield found.uid, f"adds a secret to {item.name}, which it owns"
                else:
                    verb = "adds a secret to" if item in self.services else "joins"
                    yield item.uid, f"{verb} {item.name}, which it owns"

    def identities(self, item: Item) -> list[str]:
        """Principals that something runs as."""
        out = []
        if item.type.endswith("userassignedidentities"):
            principal = text(item.config.get("principalId")).lower()
            return [f"entra:{principal}"] if principal else []
        for target in self.estate.targets(item.uid, "has_identity"):
            found = self.estate.find(target)
            if found is not None and found.type.endswith("userassignedidentities"):
                principal = text(found.config.get("principalId")).lower()
                out += [f"entra:{principal}"] if principal else []
            elif target.startswith("entra:"):
                out.append(target)
        return list(dict.fromkeys(out))

    def _settle(self) -> None:
        for sure in (True, False):
            controls = {p: dict(self.alone(p, sure)) for p in self.principals}
            becomes = {p: list(self.becomes(p, sure)) for p in self.principals}
            changed = True
            while changed:
                changed = False
                for principal in self.principals:
                    for other, how in becomes[principal]:
                        over = controls.get(other)
                        if over is None:
                            over = controls[other] = dict(self.alone(other, sure))
                        for place, way in over.items():
                            if place not in controls[principal] and len(way) < 6:
                                controls[principal][place] = (how, *way)
                                changed = True
            for principal, found in controls.items():
                power = self.powers.setdefault(principal, Power())
                for place, way in found.items():
                    if sure:
                        power.over.setdefault(place, way)
                    elif place not in power.over:
                        power.doubts.append("; then ".join(way))


def _short(scope: str) -> str:
    if scope == "":
        return "the root"
    return "/".join(scope.split("/")[-2:])


def privilege(estate: Estate) -> Iterator[RiskStatement]:
    """One statement a principal, and one what runs as one, in order of uid."""
    if not any(i.provider == "azure" for i in estate.items.values()):
        return
    azure = Azure(estate)
    out: dict[str, tuple[str, list[Evidence]]] = {}
    for uid in azure.principals:
        item = estate.find(uid)
        out[item.uid if item is not None else uid] = _judge(azure, uid)
    for item in list(estate.items.values()):
        targets = azure.identities(item) if item.uid.startswith("/subscriptions/") else []
        if targets:
            out[item.uid] = _inherited(azure, item, targets, out)
    for uid in sorted(out):
        value, evidence = out[uid]
        yield RiskStatement(resource=uid, risk=RISK, value=value, evidence=tuple(evidence[:5]))


def _judge(azure: Azure, principal: str) -> tuple[str, list[Evidence]]:
    power = azure.powers.get(principal, Power())
    out: list[Evidence] = []
    for place, way in sorted(power.over.items()):
        owner = len(way) == 1 and not way[0].startswith("can ")
        name = "the tenant" if place == TENANT else _short(place)
        told = "; then ".join(way)
        told = f"controls {name}: {told}" if owner else f"can take control of {name}: {told}"
        out.append(Evidence(kind="administrator" if owner else "escalation", text=told,
                            source=place, steps=way))  # fmt: skip
    out.sort(key=lambda e: (e.kind != "administrator", e.source))
    for place in azure.subscriptions:
        held = azure.may(principal, "Microsoft.Compute/virtualMachines/write", place)
        if held is not None and held.role.allows("Microsoft.Storage/storageAccounts/write"):
            out.append(Evidence(kind="wide_reach", source=place,
                                text=f"changes everything in {_short(place)} ({held.role.name})"))  # fmt: skip
        for action, words in _DATA:
            held = azure.may(principal, action, place, data=True)
            if held is not None:
                out.append(Evidence(kind="bulk_data", source=place,
                                    text=f"{words} of {_short(place)} ({held.role.name})"))  # fmt: skip
    if out:
        return "yes", out
    if power.doubts:
        return "unknown", [Evidence(kind="gap", text=f"control hangs on {power.doubts[0]}",
                                    source=principal)]  # fmt: skip
    if not azure.read:
        return "unknown", [Evidence(kind="gap", text="role assignments were not read",
                                    source=principal)]  # fmt: skip
    roles = ", ".join(sorted({f"{h.role.name} at {_short(h.scope)}"
                              for h in azure.held.get(principal, ())})[:5])  # fmt: skip
    return "no", [Evidence(kind="control", text=f"no control of a subscription: {roles or 'no roles'}",
                           source=principal)]  # fmt: skip


def _inherited(
    azure: Azure, item: Item, targets: list[str], known: dict[str, tuple[str, list[Evidence]]]
) -> tuple[str, list[Evidence]]:
    out: list[Evidence] = []
    values = []
    for target in targets:
        found = known.get(target) or _judge(azure, target)
        values.append(found[0])
        for evidence in found[1]:
            if evidence.kind != "control":
                out.append(Evidence(kind=evidence.kind, text=f"runs as {target}: {evidence.text}",
                                    source=evidence.source, steps=evidence.steps))  # fmt: skip
    value = next((v for v in ("yes", "unknown") if v in values), "no")
    if not out:
        out = [Evidence(kind="control", text="its identity has no such power", source=item.uid)]
    return value, out
