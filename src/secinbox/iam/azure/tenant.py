"""The directory of a tenant: who has which role in it, and whom that lets one become.

Sources: learn.microsoft.com, "Microsoft Entra built-in roles", "Administrative units", "Privileged Identity
Management for Groups".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from secinbox.estate import Estate, Item
from secinbox.iam.azure.directory import (
    ACTIONS,
    APPLICATIONS,
    GROUPS,
    HIGHEST,
    KNOWN,
    PASSWORDS,
    RULERS,
)
from secinbox.iam.azure.grants import Becoming, group_access, over, principal_of
from secinbox.iam.azure.roles import matches
from secinbox.inventory.azure.entra import many
from secinbox.inventory.azure.resources import dicts, text

_NO_PRINCIPALS = ("entra_directoryrole", "entra_roledefinition", "entra_administrativeunit",
                  "entra_groupaccess", "entra_activation", "entra_federation")  # fmt: skip


class Tenant:
    """Objects of the directory and their roles. `groups`: principal -> groups that it is in."""

    def __init__(self, estate: Estate, groups: dict[str, set[str]]) -> None:
        self.estate = estate
        self.groups = groups
        own = sorted((i for i in estate.items.values() if i.uid.startswith("entra:")),
                     key=lambda i: i.uid)  # fmt: skip
        # What an object is, its own listing says; a role assignment only guesses it.
        self.services = [i for i in own if i.type == "entra_serviceprincipal"
                         or "servicePrincipalType" in i.config]  # fmt: skip
        self.groups_read = [
            i for i in own if i.type == "entra_group" or "securityEnabled" in i.config
        ]
        other = {i.uid for i in (*self.services, *self.groups_read)}
        self.people = [i for i in own if i.type == "entra_user" and i.uid not in other]
        self.persons = {i.uid for i in self.people}
        self._by_app: dict[str, list[str]] = defaultdict(list)
        for item in self.services:
            if text(item.config.get("appId")):
                self._by_app[text(item.config.get("appId")).lower()].append(item.uid)
        self._owned: dict[str, list[Item]] = defaultdict(list)
        for item in estate.items.values():
            if item.uid.startswith("entra:"):
                for owner in estate.targets(item.uid, "owned_by"):
                    self._owned[owner].append(item)
        self.eligible: dict[str, set[str]] = defaultdict(set)
        self.unread: dict[str, set[str]] = defaultdict(set)
        # principal -> (roles, uid of a unit or an object, what is doubtful) of its narrow roles
        self.scoped: dict[str, list[tuple[frozenset[str], str, str]]] = defaultdict(list)
        self.units: dict[str, list[str]] = defaultdict(list)  # unit -> its members
        for item in estate.of_type("entra_administrativeunit"):
            self.units[item.uid] = estate.sources(item.uid, "member_of")
        # Who is in a restricted unit is left to those who were given a role over that unit.
        self.kept = {
            m for i in estate.of_type("entra_administrativeunit")
            if i.config.get("isMemberManagementRestricted") is True for m in self.units[i.uid]
        }  # fmt: skip
        self.activations = self._activations()
        # principal -> (group, member or owner) that it may make itself
        self.may_join: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for item in estate.of_type("entra_groupaccess"):
            access = group_access(item)
            if access is None:
                continue
            who, group, word, eligible = access
            if not eligible and word == "owner" and (owned := estate.find(group)) is not None:
                self._owned[who].append(owned)
            elif eligible and not self.activations.get((group, word)):
                self.may_join[who].append((group, word))
        self.roles = self._roles()
        self.principals = {
            i.uid for i in own if i.type.startswith("entra_") and i.type not in _NO_PRINCIPALS
        }

    def _activations(self) -> dict[tuple[str, str], bool]:
        """(group or `/`, member, owner or role) -> whether somebody has to approve."""
        out = {}
        for item in self.estate.of_type("entra_activation"):
            scope = text(item.config.get("scopeId")).lower()
            role = text(item.config.get("roleDefinitionId")).lower()
            if item.config.get("approval") is not None:
                name = (
                    scope if scope in ("", "/", "directoryrole", "directory") else f"entra:{scope}"
                )
                out["/" if ":" not in name else name, role] = item.config["approval"] is True
        return out

    def _roles(self) -> dict[str, set[str]]:
        """principal -> templates of its directory roles, and permissions of applications."""
        estate = self.estate
        out: dict[str, set[str]] = defaultdict(set)
        templates = {i.uid: text(i.config.get("roleTemplateId")).lower()
                     for i in estate.of_type("entra_directoryrole")}  # fmt: skip
        custom: dict[str, set[str]] = {}
        for item in estate.of_type("entra_roledefinition"):
            allowed = [str(a) for p in dicts(item.config.get("rolePermissions"))
                       for a in many(p.get("allowedResourceActions"))]  # fmt: skip
            if item.config.get("isBuiltIn") is not True:
                custom[item.uid.removeprefix("entra:")] = {
                    t for action, t in ACTIONS if matches(allowed, action)
                }
        known = {*KNOWN, *custom, *(t for t in templates.values())}
        known |= {i.uid.removeprefix("entra:") for i in estate.of_type("entra_roledefinition")}

        def note(principal: str, role: str, eligible: bool) -> None:
            if role in custom:
                found = custom[role]
            else:
                found = {role}
                if role not in known:
                    self.unread[principal].add(role)
            (self.eligible if eligible else out)[principal].update(found)

        for uid, groups in self.groups.items():
            for group in groups & templates.keys():
                note(uid, templates[group], False)
        for item in estate.of_type("entra_roleassignment"):
            scope = text(item.config.get("directoryScopeId")).lower()
            if over(item, "endDateTime") or (not scope and text(item.config.get("appScopeId"))):
                continue  # a scope inside an application is no power over the directory
            name = text(item.config.get("roleName"))
            role = text(item.config.get("roleDefinitionId")).lower().rsplit("/", 1)[-1]
            role = templates.get(f"entra:{role}", role)
            if name:
                known.add(role)
            eligible = item.config.get("eligible") is True
            if eligible and self.activations.get(("/", role)):
                continue  # somebody has to approve its activation
            who = principal_of(item.config.get("principalId"))
            if scope in ("", "/"):
                note(who, role, eligible)
                continue
            if role not in known:
                self.unread[who].add(role)
            doubt = "an eligible directory role" if eligible else ""
            self.scoped[who].append((frozenset(custom.get(role, {role})),
                                     f"entra:{scope.rsplit('/', 1)[-1]}", doubt))  # fmt: skip
        for item in self.services:
            for grant in dicts(item.config.get("appRoleAssignments")):
                out[item.uid].add(text(grant.get("appRoleId")).lower())
        for item in estate.of_type("entra_approleassignment"):
            out[principal_of(item.config.get("principalId"))].add(
                text(item.config.get("appRoleId")).lower()
            )
        # A role that a group has, its members have.
        for uid, groups in self.groups.items():
            for group in groups:
                out[uid] |= out.get(group, set())
                self.eligible[uid] |= self.eligible.get(group, set())
                self.unread[uid] |= self.unread.get(group, set())
                self.scoped[uid] += self.scoped.get(group, [])
        return {uid: found for uid, found in out.items() if found}

    def ways(self, principal: str) -> Iterator[Becoming]:
        """Secrets on applications, membership, passwords: by directory roles and by ownership."""
        for templates, doubt in (
            (self.roles.get(principal, set()), ""),
            (self.eligible.get(principal, set()), "an eligible directory role"),
        ):
            if not templates:
                continue
            yield from self._over(templates, self.services, self.groups_read, self.people, doubt)
        for roles, scope, doubt in self.scoped.get(principal, ()):
            yield from self._narrow(roles, scope, doubt)
        for group, word in self.may_join.get(principal, ()):
            name = self.called(group)
            yield (group, f"activates its eligible {'ownership' if word == 'owner' else 'membership'} "
                   f"of {name}", f"an eligible {word} of a group", "member")  # fmt: skip
        for item in self._owned.get(principal, ()):
            if item.type == "entra_application":
                for found in self._by_app.get(text(item.config.get("appId")).lower(), ()):
                    yield (
                        found,
                        f"adds a secret to {self.called(item.uid)}, which it owns",
                        "",
                        "secret",
                    )
            elif item.type == "entra_serviceprincipal" or "servicePrincipalType" in item.config:
                yield (
                    item.uid,
                    f"adds a secret to {self.called(item.uid)}, which it owns",
                    "",
                    "secret",
                )
            elif not _closed(item):
                yield item.uid, f"joins {self.called(item.uid)}, which it owns", "", "member"

    def _over(self, roles: set[str] | frozenset[str], services: list[Item], groups: list[Item],
              people: list[Item], doubt: str, where: str = "") -> Iterator[Becoming]:  # fmt: skip
        """What directory roles do to these objects; where: the unit that they are narrowed to."""
        of = f" over {where}" if where else ""
        name = next((APPLICATIONS[t] for t in sorted(APPLICATIONS.keys() & roles)), "")
        for item in services if name else ():
            if text(item.config.get("servicePrincipalType")).lower() != "managedidentity":
                yield (
                    item.uid,
                    f"adds a secret to {self.called(item.uid)} ({name}{of})",
                    doubt,
                    "secret",
                )
        name = next((GROUPS[t] for t in sorted(GROUPS.keys() & roles)), "")
        for item in groups if name else ():
            if item.config.get("isAssignableToRole") is not True and not _closed(item) and (
                where or item.uid not in self.kept):  # fmt: skip
                yield item.uid, f"joins {self.called(item.uid)} ({name}{of})", doubt, "member"
        name = next((PASSWORDS[t] for t in sorted(PASSWORDS.keys() & roles)), "")
        # Within its unit this one role resets administrators, too.
        high = HIGHEST in roles and bool(where)
        for item in people if name or high else ():
            if (high or not self._guarded(item.uid)) and (where or item.uid not in self.kept):
                words = f"sets the password of {self.called(item.uid)} ({name or RULERS[HIGHEST][0]}{of})"
                yield item.uid, words, doubt, "password"

    def _narrow(self, roles: frozenset[str], scope: str, doubt: str) -> Iterator[Becoming]:
        """A role over the members of an administrative unit, or over one object."""
        unit = self.estate.find(scope)
        if scope in self.units:
            # A group in a unit stands for itself: its members are not in the unit by that.
            inside = set(self.units[scope])
            where = f"the administrative unit {self.called(scope)}"
            yield from self._over(roles, [i for i in self.services if i.uid in inside],
                                  [i for i in self.groups_read if i.uid in inside],
                                  [i for i in self.people if i.uid in inside], doubt, where)  # fmt: skip
        elif unit is not None and unit.type == "entra_application":
            own = set(self._by_app.get(text(unit.config.get("appId")).lower(), ()))
            yield from self._over(roles, [i for i in self.services if i.uid in own], [], [], doubt,
                                  self.called(scope))  # fmt: skip
        elif unit is not None:
            yield from self._over(roles, [i for i in self.services if i is unit],
                                  [i for i in self.groups_read if i is unit],
                                  [i for i in self.people if i is unit], doubt,
                                  self.called(scope))  # fmt: skip

    def called(self, uid: str) -> str:
        """What the directory calls it: a role assignment alone knows an id."""
        item = self.estate.find(uid)
        if item is None:
            return uid.removeprefix("entra:")
        return text(item.config.get("displayName")) or item.name

    def unseen(self, principal: str) -> Iterator[str]:
        """Words on narrow roles of which nobody said over whom they are."""
        for roles, scope, _ in self.scoped.get(principal, ()):
            if not roles & {*APPLICATIONS, *GROUPS, *PASSWORDS, HIGHEST}:
                continue
            if scope in self.units:
                if not self.units[scope] and not self.estate.looked_at(f"{scope}/members"):
                    yield (f"the members of the administrative unit {self.called(scope)}, over "
                           "which it has a role, were not read")  # fmt: skip
            elif self.estate.find(scope) is None and (
                not self.estate.looked_at("entra:administrativeUnits")
            ):
                yield f"what {scope.removeprefix('entra:')} is, over which it has a role, was not read"

    def _guarded(self, person: str) -> bool:
        """Only the highest administrators reset who has a directory role or may get one."""
        if self.roles.get(person) or self.eligible.get(person) or self.scoped.get(person):
            return True
        own = {*self.groups.get(person, ()), *(g for g, _ in self.may_join.get(person, ()))}
        groups = [self.estate.find(g) for g in own]
        return any(g is not None and g.config.get("isAssignableToRole") is True for g in groups)


def _closed(group: Item) -> bool:
    """A group whose members a rule or another directory decides."""
    return bool(text(group.config.get("membershipRule"))) or (
        group.config.get("onPremisesSyncEnabled") is True
    )
