"""Who controls which subscription, management group or tenant, and who can act as whom.

Control is the right to assign roles, a directory role that ends there, or acting as somebody who has
either. Sources: learn.microsoft.com, "Azure built-in roles", "Elevate access", "Managed identities";
BloodHound's edges for Azure (bloodhound.specterops.io); Stratus Red Team.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from secinbox.estate import Estate, Item
from secinbox.iam.azure.actions import (
    ASSIGN,
    DEFINE,
    GIVE,
    GIVE_ONE,
    SCHEDULE,
    STARTS,
    TAKES,
    TAKES_DATA,
)
from secinbox.iam.azure.directory import (
    ACTIONS,
    APPLICATIONS,
    GLOBAL,
    GROUPS,
    HIGHEST,
    KNOWN,
    PASSWORDS,
)  # fmt: skip
from secinbox.iam.azure.directory import (
    TENANT as RULERS,
)
from secinbox.iam.azure.grants import Grants, Held, group_access, over, principal_of
from secinbox.iam.azure.roles import matches
from secinbox.inventory.azure.entra import CUT, many
from secinbox.inventory.azure.resources import dicts, text

TENANT = "entra:tenant"
_NO_PRINCIPALS = ("entra_directoryrole", "entra_roledefinition", "entra_administrativeunit",
                  "entra_groupaccess", "entra_activation", "entra_federation")  # fmt: skip
_LONGEST = 6
_IDENTITY = "azure_microsoft_managedidentity_userassignedidentities"
_LOGIN = ("aadsshloginforlinux", "aadloginforwindows", "aadsshlogin", "aadlogin")


@dataclass
class Power:
    """What a principal controls: place -> the way there; doubts where something is not known."""

    over: dict[str, tuple[str, ...]] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)


# (principal, how, what is doubtful about it, kind of move)
Becoming = tuple[str, str, str, str]
_KIND = {
    "virtualmachines": "command", "virtualmachinescalesets": "command", "machines": "command",
    "sites": "deploy", "slots": "deploy", "automationaccounts": "automation", "workflows": "automation",
    "managedclusters": "cluster", "userassignedidentities": "federate",
}  # fmt: skip


class Azure:
    """Who holds what where, and who can become whom."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.grants = Grants(estate)
        self.held, self.groups = self.grants.held, self.grants.groups
        self.subscriptions = self.grants.subscriptions
        self.read = self.grants.read
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
        self._persons = {i.uid for i in self.people}
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
        self.directory = self._directory()
        self._takers = self._all_takers()
        self.principals = sorted(
            set(self.held) | set(self.directory) | set(self.eligible) | set(self.scoped)
            | set(self.may_join)
            | {t for found in self._takers.values() for _, targets in found for t in targets}
            | {i.uid for i in own if i.type.startswith("entra_")
               and i.type not in _NO_PRINCIPALS}
        )  # fmt: skip
        self._cache: dict[str, list[Becoming]] = {}
        self._quiet: list[str] | None = None
        self.powers: dict[str, Power] = {}
        self._settle()

    def may(self, principal: str, action: str, place: str, *, sure: bool = True,
            data: bool = False) -> Held | None:  # fmt: skip
        """The role that allows it there, its own or a group's; None where none does."""
        return self.grants.may(principal, action, place, sure=sure, data=data)

    # The directory

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

    def _directory(self) -> dict[str, set[str]]:
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

    # What runs as somebody

    def identities(self, item: Item) -> list[str]:
        """Principals that something runs as."""
        out = []
        if item.type == _IDENTITY:
            principal = text(item.config.get("principalId")).lower()
            return [f"entra:{principal}"] if principal else []
        for target in self.estate.targets(item.uid, "has_identity"):
            found = self.estate.find(target)
            if found is not None and found.type == _IDENTITY:
                principal = text(found.config.get("principalId")).lower()
                out += [f"entra:{principal}"] if principal else []
            elif target.startswith("entra:"):
                out.append(target)
        return list(dict.fromkeys(out))

    def _all_takers(self) -> dict[str, list[tuple[Item, list[str]]]]:
        """subscription -> what runs there as somebody, and the identities themselves."""
        out: dict[str, list[tuple[Item, list[str]]]] = defaultdict(list)
        for item in self.estate.of_type(*{*TAKES, *TAKES_DATA}):
            found = self.identities(item)
            if found:
                out["/".join(item.uid.split("/")[:3])].append((item, found))
        return out

    def _below(self, scope: str) -> Iterator[tuple[Item, list[str]]]:
        if scope.startswith("/subscriptions/"):
            for found in self._takers.get("/".join(scope.split("/")[:3]), ()):
                if found[0].uid == scope or found[0].uid.startswith(scope + "/"):
                    yield found
            return
        for subscription in sorted(self._takers):
            if self.grants.covers(scope, subscription):
                yield from self._takers[subscription]

    # Questions

    def alone(self, principal: str, sure: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
        """(place, way) of every subscription, management group and tenant that it controls alone."""
        grants = self.grants
        for place in grants.places(principal):
            found = grants.assigns(principal, place, sure)
            if found is not None:
                held = found[0]
                where = _short(held.scope)
                whole = held.role.allows("Microsoft.Compute/virtualMachines/write")
                if held.eligible:
                    yield place, (f"can activate {held.role.name} at {where}",)
                elif whole:
                    yield place, (f"{held.role.name} at {where}",)
                else:
                    yield place, (f"can assign itself any role ({held.role.name} at {where})",)
                continue
            for action in SCHEDULE:
                held_ = grants.may(principal, action, place, sure=sure)
                if held_ is not None:
                    yield place, (f"can schedule any role for itself ({held_.role.name} at "
                                  f"{_short(held_.scope)})",)  # fmt: skip
                    break
            else:
                held_ = grants.may(principal, DEFINE, place, sure=sure)
                own = next((h for h in grants.of(principal) if h.role.custom
                            and grants.covers(h.scope, place)), None)  # fmt: skip
                if held_ is not None and own is not None:
                    yield place, (f"can add actions to its own custom role {own.role.name} "
                                  f"({held_.role.name} at {_short(held_.scope)})",)  # fmt: skip
        yield from self._tenant(principal, sure)

    def _tenant(self, principal: str, sure: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
        mine = self.directory.get(principal, set())
        for template, (name, words) in RULERS.items():
            if template in mine:
                way = (words.format(name),)
                yield TENANT, way
                lift = () if template == GLOBAL else ("makes itself Global Administrator",)
                for place in self.subscriptions:
                    yield (
                        place,
                        (*way, *lift, "elevates its access to the root of all subscriptions"),
                    )
                return
        if not sure:
            for template, (name, _) in RULERS.items():
                if template in self.eligible.get(principal, ()):
                    yield TENANT, (f"can activate {name}",)
                    return

    def becomes(self, principal: str, sure: bool) -> Iterator[tuple[str, str]]:
        """(principal, how) of everyone that it can act as."""
        for other, how, doubt, _ in self.ways(principal):
            if not (sure and doubt):
                yield other, how

    def ways(self, principal: str) -> list[Becoming]:
        """Everyone that this principal can act as, the surest way to each."""
        if principal not in self._cache:
            found: dict[str, Becoming] = {}
            for one in chain(self._by_roles(principal), self._by_directory(principal)):
                known = found.get(one[0])
                if one[0] != principal and (known is None or (known[2] and not one[2])):
                    found[one[0]] = one
            self._cache[principal] = list(found.values())
        return self._cache[principal]

    def _by_roles(self, principal: str) -> Iterator[Becoming]:
        """Commands on machines, code into applications, credentials on managed identities."""
        for held in self.grants.of(principal):
            if held.eligible == "approval":
                continue
            for table, data in ((TAKES, False), (TAKES_DATA, True)):
                kinds = {k: v for k, v in table.items() if any(held.gives(a, data) for a in v[0])}
                if not kinds:
                    continue
                for item, targets in self._below(held.scope):
                    if item.type in kinds:
                        actions, how = kinds[item.type]
                        yield from self._taken(principal, held, item, targets, actions, how, data)
            if (held.gives(GIVE) or held.gives(GIVE_ONE)) and not held.uncertain:
                yield from self._given(principal, held)
            if held.scope.count("/") > 2 and held.gives(ASSIGN):
                yield from self._assigned(principal, held)

    def _taken(self, principal: str, held: Held, item: Item, targets: list[str],
               actions: tuple[str, ...], how: str, data: bool) -> Iterator[Becoming]:  # fmt: skip
        for action in actions:
            block = held.gives(action, data)
            if block is None or self.grants.denied(principal, action, item.uid, data):
                continue
            doubt = held.doubt(action, block)
            blocked = _shut(self.estate, item, action)
            if blocked == "no":
                continue
            words = f"{how} {item.name} ({held.role.name} at {_short(held.scope)})"
            kind = (
                "sign-in" if "login" in action else _KIND.get(item.type.rsplit("_", 1)[-1], "other")
            )
            for target in targets:
                yield target, words, doubt or blocked, kind
            if not doubt and not blocked:
                return

    def _assigned(self, principal: str, held: Held) -> Iterator[Becoming]:
        """What runs below a scope where it may assign roles: it gives itself the one it needs.

        Of whole subscriptions and management groups that is control, which is told as such.
        """
        for item, targets in self._below(held.scope):
            found = self.grants.assigns(principal, item.uid, False)
            if item.type not in TAKES or found is None or found[0] != held:
                continue
            sure = self.grants.assigns(principal, item.uid, True) is not None
            words = (
                f"gives itself a role over {item.name} ({held.role.name} at {_short(held.scope)})"
            )
            doubt = "" if sure else found[1] or held.uncertain
            for target in targets:
                yield target, words, doubt, "other"

    def _given(self, principal: str, held: Held) -> Iterator[Becoming]:
        """User-assigned identities that it may put on something new of its own."""
        for item, targets in self._below(held.scope):
            if item.type != _IDENTITY or self.grants.denied(principal, GIVE, item.uid, False):
                continue
            for other in self.grants.of(principal):
                start = next((a for a in STARTS if other.gives(a)), "")
                if start and not other.uncertain:
                    for target in targets:
                        yield (target, f"gives {item.name} to something of its own "
                               f"({held.role.name} at {_short(held.scope)})", "", "federate")  # fmt: skip
                    break

    def _by_directory(self, principal: str) -> Iterator[Becoming]:
        """Secrets on applications, membership, passwords: by directory roles and by ownership."""
        for templates, doubt in (
            (self.directory.get(principal, set()), ""),
            (self.eligible.get(principal, set()), "an eligible directory role"),
        ):
            if not templates:
                continue
            yield from self._over(templates, self.services, self.groups_read, self.people, doubt)
        for roles, scope, doubt in self.scoped.get(principal, ()):
            yield from self._narrow(roles, scope, doubt)
        for group, word in self.may_join.get(principal, ()):
            name = self._called(group)
            yield (group, f"activates its eligible {'ownership' if word == 'owner' else 'membership'} "
                   f"of {name}", f"an eligible {word} of a group", "member")  # fmt: skip
        for item in self._owned.get(principal, ()):
            if item.type == "entra_application":
                for found in self._by_app.get(text(item.config.get("appId")).lower(), ()):
                    yield (
                        found,
                        f"adds a secret to {self._called(item.uid)}, which it owns",
                        "",
                        "secret",
                    )
            elif item.type == "entra_serviceprincipal" or "servicePrincipalType" in item.config:
                yield (
                    item.uid,
                    f"adds a secret to {self._called(item.uid)}, which it owns",
                    "",
                    "secret",
                )
            elif not _closed(item):
                yield item.uid, f"joins {self._called(item.uid)}, which it owns", "", "member"

    def _over(self, roles: set[str] | frozenset[str], services: list[Item], groups: list[Item],
              people: list[Item], doubt: str, where: str = "") -> Iterator[Becoming]:  # fmt: skip
        """What directory roles do to these objects; where: the unit that they are narrowed to."""
        of = f" over {where}" if where else ""
        name = next((APPLICATIONS[t] for t in sorted(APPLICATIONS.keys() & roles)), "")
        for item in services if name else ():
            if text(item.config.get("servicePrincipalType")).lower() != "managedidentity":
                yield (
                    item.uid,
                    f"adds a secret to {self._called(item.uid)} ({name}{of})",
                    doubt,
                    "secret",
                )
        name = next((GROUPS[t] for t in sorted(GROUPS.keys() & roles)), "")
        for item in groups if name else ():
            if item.config.get("isAssignableToRole") is not True and not _closed(item) and (
                where or item.uid not in self.kept):  # fmt: skip
                yield item.uid, f"joins {self._called(item.uid)} ({name}{of})", doubt, "member"
        name = next((PASSWORDS[t] for t in sorted(PASSWORDS.keys() & roles)), "")
        # Within its unit this one role resets administrators, too.
        high = HIGHEST in roles and bool(where)
        for item in people if name or high else ():
            if (high or not self._guarded(item.uid)) and (where or item.uid not in self.kept):
                words = f"sets the password of {self._called(item.uid)} ({name or RULERS[HIGHEST][0]}{of})"
                yield item.uid, words, doubt, "password"

    def _narrow(self, roles: frozenset[str], scope: str, doubt: str) -> Iterator[Becoming]:
        """A role over the members of an administrative unit, or over one object."""
        unit = self.estate.find(scope)
        if scope in self.units:
            # A group in a unit stands for itself: its members are not in the unit by that.
            inside = set(self.units[scope])
            where = f"the administrative unit {self._called(scope)}"
            yield from self._over(roles, [i for i in self.services if i.uid in inside],
                                  [i for i in self.groups_read if i.uid in inside],
                                  [i for i in self.people if i.uid in inside], doubt, where)  # fmt: skip
        elif unit is not None and unit.type == "entra_application":
            own = set(self._by_app.get(text(unit.config.get("appId")).lower(), ()))
            yield from self._over(roles, [i for i in self.services if i.uid in own], [], [], doubt,
                                  self._called(scope))  # fmt: skip
        elif unit is not None:
            yield from self._over(roles, [i for i in self.services if i is unit],
                                  [i for i in self.groups_read if i is unit],
                                  [i for i in self.people if i is unit], doubt,
                                  self._called(scope))  # fmt: skip

    def perhaps_in(self, principal: str) -> Iterator[str]:
        """Words on groups with power of whose members nobody said anything, for a person."""
        person = self.estate.find(principal)
        if person is None or principal not in self._persons or (
            self.estate.looked_at(f"{principal}/memberOf")):  # fmt: skip
            return
        for group in self._silent():
            if group not in self.groups.get(principal, ()):
                name = self._called(group)
                place = next(iter(sorted(self.powers[group].over)))
                where = "the tenant" if place == TENANT else _short(place)
                yield f"whether it is a member of {name}, which controls {where}, was not read"
                return

    def _called(self, uid: str) -> str:
        """What the directory calls it: a role assignment alone knows an id."""
        item = self.estate.find(uid)
        if item is None:
            return uid.removeprefix("entra:")
        return text(item.config.get("displayName")) or item.name

    def _silent(self) -> list[str]:
        """Groups that control something, and whose members were not read."""
        if self._quiet is None:
            self._quiet = [
                i.uid for i in self.groups_read
                if self.powers.get(i.uid, Power()).over
                and not self.estate.looked_at(f"{i.uid}/members")
                and len(self.estate.sources(i.uid, "member_of")) in (0, CUT)
            ]  # fmt: skip
        return self._quiet

    def unseen(self, principal: str) -> Iterator[str]:
        """Words on narrow roles of which nobody said over whom they are."""
        for roles, scope, _ in self.scoped.get(principal, ()):
            if not roles & {*APPLICATIONS, *GROUPS, *PASSWORDS, HIGHEST}:
                continue
            if scope in self.units:
                if not self.units[scope] and not self.estate.looked_at(f"{scope}/members"):
                    yield (f"the members of the administrative unit {self._called(scope)}, over "
                           "which it has a role, were not read")  # fmt: skip
            elif self.estate.find(scope) is None and (
                not self.estate.looked_at("entra:administrativeUnits")
            ):
                yield f"what {scope.removeprefix('entra:')} is, over which it has a role, was not read"

    def _guarded(self, person: str) -> bool:
        """Only the highest administrators reset who has a directory role or may get one."""
        if self.directory.get(person) or self.eligible.get(person) or self.scoped.get(person):
            return True
        own = {*self.groups.get(person, ()), *(g for g, _ in self.may_join.get(person, ()))}
        groups = [self.estate.find(g) for g in own]
        return any(g is not None and g.config.get("isAssignableToRole") is True for g in groups)

    def _settle(self) -> None:
        becomes = {p: self.ways(p) for p in self.principals}
        for sure in (True, False):
            controls = {p: dict(self.alone(p, sure)) for p in self.principals}
            into: dict[str, list[tuple[str, str]]] = defaultdict(list)
            for principal, found in becomes.items():
                for other, how, doubt, _ in found:
                    if not (sure and doubt):
                        into[other].append((principal, how))
                        if other not in controls:
                            controls[other] = dict(self.alone(other, sure))
            queue = deque(sorted(p for p in controls if controls[p]))
            while queue:
                other = queue.popleft()
                for principal, how in into.get(other, ()):
                    grew = False
                    for place, way in controls[other].items():
                        if place not in controls[principal] and len(way) < _LONGEST:
                            controls[principal][place] = (how, *way)
                            grew = True
                    if grew:
                        queue.append(principal)
            for principal, places in controls.items():
                power = self.powers.setdefault(principal, Power())
                for place, way in places.items():
                    if sure:
                        power.over.setdefault(place, way)
                    elif place not in power.over:
                        power.doubts.append("; then ".join(way))


def _closed(group: Item) -> bool:
    """A group whose members a rule or another directory decides."""
    return bool(text(group.config.get("membershipRule"))) or (
        group.config.get("onPremisesSyncEnabled") is True
    )


def _shut(estate: Estate, item: Item, action: str) -> str:
    """`no` where the action leads nowhere on this resource; a doubt where nobody can say."""
    word = action.lower()
    if word.endswith(("listclusteradmincredential/action", "managedclusters/runcommand/action")):
        # Without local accounts both ask for a token of the directory with rights in the cluster.
        return "no" if item.config.get("disableLocalAccounts") is True else ""
    if word.endswith(("publxml/action", "publishxml/action")):
        for kind in ("scm",):
            policy = estate.find(f"{item.uid}/basicpublishingcredentialspolicies/{kind}")
            if policy is not None and policy.config.get("allow") is False:
                return "no"
    if "login" in word and item.type.endswith("virtualmachines"):
        kinds = estate.once("azure.extensions", lambda: _extensions(estate)).get(item.uid, [])
        inline = [identifier_of(e) for e in dicts(item.config.get("resources"))]
        if any(word in k for k in (*kinds, *inline) for word in _LOGIN):
            return ""
        read = estate.looked_at(
            f"azure:{item.account}/azure_microsoft_compute_virtualmachines_extensions"
        )
        return "no" if read else "whether it takes sign-ins of the directory"
    return ""


def _extensions(estate: Estate) -> dict[str, list[str]]:
    """machine -> kinds and names of its extensions."""
    out: dict[str, list[str]] = defaultdict(list)
    for found in estate.of_type("azure_microsoft_compute_virtualmachines_extensions"):
        words = f"{found.config.get('typePropertiesType')} {found.uid}".lower()
        out[found.uid.partition("/extensions/")[0]].append(words)
    return out


def identifier_of(row: dict[str, object]) -> str:
    """The id of a child resource, in lower case."""
    return text(row.get("id")).lower()


def _short(scope: str) -> str:
    if scope == "":
        return "the root"
    return "/".join(scope.split("/")[-2:])


short = _short
