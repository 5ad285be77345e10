"""What runs as somebody, and who can take it over by a role: commands, code, credentials.

Sources: learn.microsoft.com, "Managed identities"; BloodHound's edges for Azure (bloodhound.specterops.io).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from secinbox.estate import Estate, Item
from secinbox.iam.azure.actions import (
    ASSIGN,
    GIVE,
    GIVE_ONE,
    STARTS,
    TAKES,
    TAKES_DATA,
)
from secinbox.iam.azure.grants import Becoming, Grants, Held, short
from secinbox.inventory.azure.resources import dicts, text

_IDENTITY = "azure_microsoft_managedidentity_userassignedidentities"
_LOGIN = ("aadsshloginforlinux", "aadloginforwindows", "aadsshlogin", "aadlogin")
_KIND = {
    "virtualmachines": "command", "virtualmachinescalesets": "command", "machines": "command",
    "sites": "deploy", "slots": "deploy", "automationaccounts": "automation", "workflows": "automation",
    "managedclusters": "cluster", "userassignedidentities": "federate",
}  # fmt: skip


class Workloads:
    """Machines, applications, jobs and identities of subscriptions, with whom they run as."""

    def __init__(self, estate: Estate, grants: Grants) -> None:
        self.estate = estate
        self.grants = grants
        self._takers = self._all_takers()

    @property
    def principals(self) -> set[str]:
        """Everyone as whom something runs."""
        return {t for found in self._takers.values() for _, targets in found for t in targets}

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

    def ways(self, principal: str) -> Iterator[Becoming]:
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
            words = f"{how} {item.name} ({held.role.name} at {short(held.scope)})"
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
                f"gives itself a role over {item.name} ({held.role.name} at {short(held.scope)})"
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
                               f"({held.role.name} at {short(held.scope)})", "", "federate")  # fmt: skip
                    break


def _shut(estate: Estate, item: Item, action: str) -> str:
    """`no` where the action leads nowhere on this resource; a doubt where nobody can say."""
    word = action.lower()
    if word.endswith(("listclusteradmincredential/action", "managedclusters/runcommand/action")):
        # Without local accounts both ask for a token of the directory with rights in the cluster.
        return "no" if item.config.get("disableLocalAccounts") is True else ""
    if word.endswith(("publxml/action", "publishxml/action")):
        policy = estate.find(f"{item.uid}/basicpublishingcredentialspolicies/scm")
        if policy is not None and policy.config.get("allow") is False:
            return "no"
    if "login" in word and item.type.endswith("virtualmachines"):
        kinds = estate.once("azure.extensions", lambda: _extensions(estate)).get(item.uid, [])
        inline = [text(e.get("id")).lower() for e in dicts(item.config.get("resources"))]
        if any(login in k for k in (*kinds, *inline) for login in _LOGIN):
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
