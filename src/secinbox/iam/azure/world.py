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

from secinbox.estate import Estate
from secinbox.iam.azure.actions import DEFINE, SCHEDULE
from secinbox.iam.azure.directory import GLOBAL, RULERS
from secinbox.iam.azure.grants import Becoming, Grants, Held, short
from secinbox.iam.azure.tenant import Tenant
from secinbox.iam.azure.workloads import Workloads
from secinbox.inventory.azure.entra import CUT

TENANT = "entra:tenant"
_LONGEST = 6


@dataclass
class Power:
    """What a principal controls: place -> the way there; doubts where something is not known."""

    over: dict[str, tuple[str, ...]] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)


class Azure:
    """Who holds what where, and who can become whom."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.grants = Grants(estate)
        self.held, self.groups = self.grants.held, self.grants.groups
        self.subscriptions = self.grants.subscriptions
        self.read = self.grants.read
        self.tenant = Tenant(estate, self.groups)
        self.workloads = Workloads(estate, self.grants)
        self.principals = sorted(
            set(self.held) | set(self.tenant.roles) | set(self.tenant.eligible)
            | set(self.tenant.scoped) | set(self.tenant.may_join)
            | self.workloads.principals | self.tenant.principals
        )  # fmt: skip
        self._cache: dict[str, list[Becoming]] = {}
        self._quiet: list[str] | None = None
        self.powers: dict[str, Power] = {}
        self._settle()

    def may(self, principal: str, action: str, place: str, *, sure: bool = True,
            data: bool = False) -> Held | None:  # fmt: skip
        """The role that allows it there, its own or a group's; None where none does."""
        return self.grants.may(principal, action, place, sure=sure, data=data)

    # Questions

    def alone(self, principal: str, sure: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
        """(place, way) of every subscription, management group and tenant that it controls alone."""
        grants = self.grants
        for place in grants.places(principal):
            found = grants.assigns(principal, place, sure)
            if found is not None:
                held = found[0]
                where = short(held.scope)
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
                                  f"{short(held_.scope)})",)  # fmt: skip
                    break
            else:
                held_ = grants.may(principal, DEFINE, place, sure=sure)
                own = next((h for h in grants.of(principal) if h.role.custom
                            and grants.covers(h.scope, place)), None)  # fmt: skip
                if held_ is not None and own is not None:
                    yield place, (f"can add actions to its own custom role {own.role.name} "
                                  f"({held_.role.name} at {short(held_.scope)})",)  # fmt: skip
        yield from self._tenant(principal, sure)

    def _tenant(self, principal: str, sure: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
        mine = self.tenant.roles.get(principal, set())
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
                if template in self.tenant.eligible.get(principal, ()):
                    yield TENANT, (f"can activate {name}",)
                    return

    def ways(self, principal: str) -> list[Becoming]:
        """Everyone that this principal can act as, the surest way to each."""
        if principal not in self._cache:
            found: dict[str, Becoming] = {}
            for one in chain(self.workloads.ways(principal), self.tenant.ways(principal)):
                known = found.get(one[0])
                if one[0] != principal and (known is None or (known[2] and not one[2])):
                    found[one[0]] = one
            self._cache[principal] = list(found.values())
        return self._cache[principal]

    def perhaps_in(self, principal: str) -> Iterator[str]:
        """Words on groups with power of whose members nobody said anything, for a person."""
        person = self.estate.find(principal)
        if person is None or principal not in self.tenant.persons or (
            self.estate.looked_at(f"{principal}/memberOf")):  # fmt: skip
            return
        for group in self._silent():
            if group not in self.groups.get(principal, ()):
                name = self.tenant.called(group)
                place = next(iter(sorted(self.powers[group].over)))
                where = "the tenant" if place == TENANT else short(place)
                yield f"whether it is a member of {name}, which controls {where}, was not read"
                return

    def _silent(self) -> list[str]:
        """Groups that control something, and whose members were not read."""
        if self._quiet is None:
            self._quiet = [
                i.uid for i in self.tenant.groups_read
                if self.powers.get(i.uid, Power()).over
                and not self.estate.looked_at(f"{i.uid}/members")
                and len(self.estate.sources(i.uid, "member_of")) in (0, CUT)
            ]  # fmt: skip
        return self._quiet

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
