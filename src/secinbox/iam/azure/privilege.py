"""privileged_access of principals of Entra ID, and of what runs as managed identities."""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.estate import Estate, Item
from secinbox.iam.azure.actions import BULK, KEYS, LIST_KEYS, READING, TAKES
from secinbox.iam.azure.grants import Held, short
from secinbox.iam.azure.vaults import readers_by_policy
from secinbox.iam.azure.world import TENANT, Azure, Power
from secinbox.iam.marks import marked
from secinbox.records import Evidence, RiskStatement

RISK = "privileged_access"
_SHOWN = 5
_WRITES = ("Microsoft.Compute/virtualMachines/write", "Microsoft.Storage/storageAccounts/write")
_STORAGE = "azure_microsoft_storage_storageaccounts"
# What a key-giving action is worth something on: without any of the kind it gives nothing.
_OF_KEYS = {
    "storage": _STORAGE, "documentdb": "azure_microsoft_documentdb_databaseaccounts",
    "compute": "azure_microsoft_compute_disks",
}  # fmt: skip
# What may run as an identity, and says so in its own row.
_RUNS = tuple(k for k in TAKES if not k.endswith(("userassignedidentities", "managedclusters")))
Found = tuple[str, list[Evidence]]


def privilege(estate: Estate) -> Iterator[RiskStatement]:
    """One statement a principal, and one what runs as one, in order of uid."""
    if not any(i.provider == "azure" for i in estate.items.values()):
        return
    azure = estate.once("iam.azure", lambda: Azure(estate))
    judge = _Judge(azure)
    out: dict[str, Found] = {}
    for uid in azure.principals:
        item = estate.find(uid)
        if item is None or item.type not in ("entra_approleassignment", "entra_roleassignment"):
            out[item.uid if item is not None else uid] = judge.of(uid)
    for item in list(estate.items.values()):
        targets = azure.workloads.identities(item) if item.uid.startswith("/subscriptions/") else []
        if targets:
            out[item.uid] = _inherited(judge, item, targets, out)
        elif (
            item.type in _RUNS
            and len(item.config) > 1
            and not (item.config.get("identity") or item.unfinished("identity"))
        ):
            out[item.uid] = "no", [Evidence(kind="control", text="it has no managed identity",
                                            source=item.uid)]  # fmt: skip
    for uid in sorted(out):
        value, evidence = out[uid]
        yield RiskStatement(resource=uid, risk=RISK, value=value, evidence=tuple(evidence[:_SHOWN]))


class _Judge:
    def __init__(self, azure: Azure) -> None:
        self.azure = azure
        estate = azure.estate
        self.marked = [(i, marked(i)) for i in estate.of_type(*{*READING, *KEYS}) if marked(i)]
        self.vaults = {i.uid: i for i in estate.of_type("azure_microsoft_keyvault_vaults")}
        self.kinds: dict[str, set[str]] = {}
        for word, kind in _OF_KEYS.items():
            self.kinds[word] = {
                "/".join(i.uid.split("/")[:3]) for i in estate.of_type(kind)
                if i.config.get("allowSharedKeyAccess") is not False
            }  # fmt: skip

    def of(self, principal: str) -> Found:
        azure = self.azure
        item = azure.estate.find(principal)
        if item is not None and item.config.get("accountEnabled") is False:
            return "no", [
                Evidence(kind="control", text="its sign-in is switched off", source=principal)
            ]
        power = azure.powers.get(principal, Power())
        out: list[Evidence] = []
        for place, way in sorted(power.over.items()):
            owner = len(way) == 1 and not way[0].startswith("can ")
            name = "the tenant" if place == TENANT else short(place)
            told = "; then ".join(way)
            told = f"controls {name}: {told}" if owner else f"can take control of {name}: {told}"
            out.append(Evidence(kind="administrator" if owner else "escalation", text=told,
                                source=place, steps=way))  # fmt: skip
        out.sort(key=lambda e: (e.kind != "administrator", e.source))
        out += self._reach(principal)
        if out:
            return "yes", out
        gaps = [f"control hangs on {d}" for d in power.doubts[:1]]
        gaps += [f"the role {h.role.name} at {short(h.scope)} is defined nowhere that was read"
                 for h in self._unread(principal)]  # fmt: skip
        gaps += [
            f"the directory role {r} is not known"
            for r in sorted(azure.tenant.unread.get(principal, ()))
        ]
        gaps += list(self._eligible(principal))
        gaps += list(azure.tenant.unseen(principal))
        gaps += list(azure.perhaps_in(principal))
        if not gaps and not azure.read:
            gaps = ["role assignments were not read"]
        if gaps:
            return "unknown", [Evidence(kind="gap", text=g, source=principal) for g in gaps]
        roles = ", ".join(sorted({f"{h.role.name} at {short(h.scope)}"
                                  f"{_told(h)}" for h in azure.grants.of(principal)})[:_SHOWN])  # fmt: skip
        text = f"no control of a subscription: {roles or 'no roles'}"
        return "no", [Evidence(kind="control", text=text, source=principal)]

    def _eligible(self, principal: str) -> Iterator[str]:
        """Wide roles that an activation would give."""
        for held in self.azure.grants.of(principal):
            if held.eligible in ("yes", "unread") and all(held.role.allows(a) for a in _WRITES):
                yield f"{held.role.name} at {short(held.scope)} has to be activated"

    def _unread(self, principal: str) -> Iterator[Held]:
        for held in self.azure.grants.of(principal):
            if not held.role.known:
                yield held

    def _reach(self, principal: str) -> Iterator[Evidence]:
        azure, grants = self.azure, self.azure.grants
        if not grants.of(principal) and not self.marked:
            return
        for place in (p for p in grants.places(principal) if p.startswith("/subscriptions/")):
            held = grants.may(principal, _WRITES[0], place)
            if held is not None and held.role.allows(_WRITES[1]):
                yield Evidence(kind="wide_reach", source=place,
                               text=f"changes everything in {short(place)} ({held.role.name})")  # fmt: skip
            elif (found := grants.gives_away(principal, place)) is not None:
                yield Evidence(kind="wide_reach", source=place, text="can give itself "
                               f"{found[1].name} in {short(place)} ({found[0].role.name})")  # fmt: skip
            for action, data, words in BULK:
                held = grants.may(principal, action, place, data=data)
                if held is not None and (data or place in self.kinds[_family(action)]):
                    yield Evidence(kind="bulk_data", source=place,
                                   text=f"{words} of {short(place)} ({held.role.name})")  # fmt: skip
                    break
        for item, why in self.marked:
            how = reads(azure, principal, item)
            if how is not None and not how[1]:
                yield Evidence(kind="bulk_data", source=item.uid,
                               text=f"reads {item.name} ({why}) by {how[0]}")  # fmt: skip


def _family(action: str) -> str:
    return action.split("/")[0].removeprefix("Microsoft.").lower()


def _told(held: Held) -> str:
    if held.eligible:
        return (
            ", eligible, activation needs an approval"
            if held.eligible == "approval"
            else ", eligible"
        )
    return ", under a condition" if held.condition else ""


def reads(azure: Azure, principal: str, item: Item) -> tuple[str, str, bool] | None:
    """(by what, doubt, whether by keys): how a principal reads what a store holds; None where it does not."""
    action = READING.get(item.type)
    keys: tuple[str, ...] = KEYS.get(item.type, ())
    vault = (
        azure.estate.find(item.uid.partition("/secrets/")[0]) if "keyvault" in item.type else None
    )
    if vault is not None:
        by_policy = readers_by_policy(azure.estate, azure.grants, principal, vault)
        if by_policy is not None:
            return (*by_policy, False)
        if vault.config.get("enableRbacAuthorization") is not True:
            action = None
    if item.type.startswith(_STORAGE):
        account = azure.estate.find(item.uid.split("/blobservices/")[0].split("/fileservices/")[0])
        if account is None or account.config.get("allowSharedKeyAccess") is not False:
            keys = (*keys, LIST_KEYS)
    if item.type.endswith("databaseaccounts") and item.config.get("disableLocalAuth") is True:
        keys = ()
    for sure in (True, False):
        by_role = azure.may(principal, action, item.uid, data=True, sure=sure) if action else None
        held = by_role or next(
            (h for k in keys if (h := azure.may(principal, k, item.uid, sure=sure))), None
        )
        if held is not None:
            doubt = "" if sure else held.uncertain or "the condition of a role assignment"
            return f"{held.role.name} at {held.scope or 'the root'}", doubt, by_role is None
    if action is not None or vault is not None:
        for sure in (True, False):
            assigns = azure.grants.assigns(principal, item.uid, sure)
            if assigns is not None:
                told = f"{assigns[0].role.name} at {assigns[0].scope or 'the root'}, which gives itself a role"
                return told, "" if sure else assigns[1], False
    return None


def _inherited(judge: _Judge, item: Item, targets: list[str], known: dict[str, Found]) -> Found:
    out: list[Evidence] = []
    values = []
    for target in targets:
        found = known.get(target) or judge.of(target)
        values.append(found[0])
        for evidence in found[1]:
            if evidence.kind != "control":
                out.append(Evidence(kind=evidence.kind, text=f"runs as {target}: {evidence.text}",
                                    source=evidence.source, steps=evidence.steps))  # fmt: skip
    value = next((v for v in ("yes", "unknown") if v in values), "no")
    if not out:
        out = [Evidence(kind="control", text="its identity has no such power", source=item.uid)]
    return value, out
