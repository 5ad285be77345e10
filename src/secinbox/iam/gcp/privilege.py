"""privileged_access of people, groups and service accounts, and of what runs as one."""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.estate import Estate, Item
from secinbox.iam.gcp.grants import WHOLE, Held
from secinbox.iam.gcp.permissions import BULK, READS, WIDE
from secinbox.iam.gcp.scopes import scopes_of, usable
from secinbox.iam.gcp.world import Google, Power, full_scope, name_of
from secinbox.iam.marks import marked
from secinbox.inventory.gcp.delegation import READ
from secinbox.records import Evidence, RiskStatement

RISK = "privileged_access"
_SHOWN = 5
Found = tuple[str, list[Evidence]]


def privilege(estate: Estate) -> Iterator[RiskStatement]:
    """One statement a principal, and one what runs as one, in order of uid."""
    if not any(i.type.startswith("gcp_") for i in estate.items.values()):
        return
    google = estate.once("iam.google", lambda: Google(estate))
    stores = [i for i in estate.of_type(*READS) if marked(i)]
    out: dict[str, Found] = {}
    for item in estate.of_type("gcp_iam_service_account", "gcp_iam_user", "gcp_iam_group",
                               "gcp_iam_federated"):  # fmt: skip
        member = (
            google.member(item) if item.type.endswith("service_account")
            else str(item.config.get("member") or item.uid)
        )  # fmt: skip
        out[item.uid] = _judge(google, item, member, stores)
    for item in [i for i in estate.items.values() if i.type.startswith("gcp_")]:
        found = _inherited(google, item, out, stores)
        if found is not None:
            out[item.uid] = found
    for uid in sorted(out):
        value, evidence = out[uid]
        yield RiskStatement(resource=uid, risk=RISK, value=value, evidence=tuple(evidence[:_SHOWN]))


def _short(place: str) -> str:
    return place.split(".googleapis.com/", 1)[-1]


def _judge(google: Google, item: Item, member: str, stores: list[Item]) -> Found:
    if google.disabled(member):
        return "no", [Evidence(kind="control", text="the account is disabled", source=item.uid)]
    power = google.powers.get(member, Power())
    out: list[Evidence] = []
    for place, way in sorted(power.over.items()):
        owner = len(way) == 1 and way[0].startswith("roles/owner")
        text = (
            f"owner of {_short(place)}" + "".join(way[0].partition(" by group:")[1:]) if owner
            else f"can make itself administrator of Google Workspace: {'; then '.join(way)}"
            if place.startswith("workspace:")
            else f"can make itself owner of {_short(place)}: {'; then '.join(way)}"
        )  # fmt: skip
        out.append(Evidence(kind="administrator" if owner else "escalation", text=text,
                            source=place, steps=way))  # fmt: skip
    out.sort(key=lambda e: (e.kind != "administrator", e.source))
    out += _reach(google, member, stores)
    own = google.delegated.get(member)
    if own is not None:
        kind = "bulk_data" if own.data else "wide_reach"
        out.append(Evidence(kind=kind, source=own.workspace, text="acts as anybody in Google Workspace "
                            f"{own.domain} ({own.words})"))  # fmt: skip
    if out:
        return "yes", out
    gaps = [f"administrator if {d}" for d in power.doubts[:1]]
    gaps += [f"the role {h.role.name} at {_short(h.place)} is defined nowhere that was read"
             for h in unread(google, member)]  # fmt: skip
    gaps += list(google.perhaps_in(member))
    if gaps:
        return "unknown", [Evidence(kind="gap", text=g, source=item.uid) for g in gaps]
    if not (google.estate.looked_at(f"gcp:{item.account}/iam_policy") or any(
        p.config.get("iamPolicy") and not p.unfinished("name") for p in google.places)):  # fmt: skip
        return "unknown", [Evidence(kind="gap", text="the project's IAM policy was not read",
                                    source=item.uid)]  # fmt: skip
    roles = ", ".join(sorted({h.role.name for h in google.grants.of(member)})[:_SHOWN])
    out = [Evidence(kind="control", text=f"its roles give no control: {roles or 'none'}",
                    source=item.uid)]  # fmt: skip
    if item.type == "gcp_iam_service_account" and not google.estate.looked_at(READ):
        # No API of Google Cloud says it, so this no is one about Google Cloud only.
        out.append(Evidence(kind="gap", source=item.uid, text="whether Google Workspace lets it act as "
                            "anybody (domain-wide delegation) was not read"))  # fmt: skip
    return "no", out


def unread(google: Google, member: str) -> Iterator[Held]:
    """Roles that nobody defines, where they could give control."""
    for held in google.grants.of(member):
        place = google.estate.find(held.place)
        if not held.role.known and (
            place is None or place.type in WHOLE or place.type == "gcp_iam_service_account"
        ):
            yield held


def _reach(google: Google, member: str, stores: list[Item]) -> Iterator[Evidence]:
    """Whole kinds of resources at project level and above; stores that are marked as restricted."""
    told: set[tuple[str, str]] = set()
    for held in google.grants.of(member):
        whole = google.estate.find(held.place)
        if whole is None or whole.type not in WHOLE or held.uncertain or held.only:
            continue
        have = google.grants.permissions(member, whole).keys() & held.permissions
        for table, kind in ((WIDE, "wide_reach"), (BULK, "bulk_data")):
            words = [w for p, w in table.items() if p in have]
            if words and (held.place, kind) not in told:
                told.add((held.place, kind))
                text = f"{', '.join(words[:4])} of {_short(held.place)} ({held.role.name})"
                text = f"changes {text}" if kind == "wide_reach" else text
                yield Evidence(kind=kind, text=text, source=held.place)
    for item in stores:
        given = google.grants.permissions(member, item)
        found = next((given[p] for p in READS[item.type] if p in given), None)
        if found is not None:
            yield Evidence(kind="bulk_data", source=item.uid, text=f"reads {item.name} "
                           f"({marked(item)}) by {found.role.name}")  # fmt: skip


def _scoped(
    google: Google, machine: Item, names: list[str], stores: list[Item]
) -> Iterator[Evidence]:
    """Marked stores that the machine's narrow scopes still read."""
    for item in stores:
        wanted, scope = usable(machine, item.type)
        for name in names if wanted else ():
            account = google.estate.find(name)
            uid = account.uid if account is not None else name
            member = next((m for m in sorted(google.held) if google.uid_of(m) == uid), "")
            given = google.grants.permissions(member, item) if member else {}
            found = next((given[p] for p in wanted if p in given), None)
            if found is not None and not google.disabled(member):
                yield Evidence(kind="bulk_data", source=item.uid, text=f"reads {item.name} ({marked(item)}) "
                               f"by {found.role.name}, scope {scope}")  # fmt: skip


def _inherited(
    google: Google, item: Item, known: dict[str, Found], stores: list[Item]
) -> Found | None:
    """The power of the service account that it runs as, as far as its scopes let it."""
    names = google.estate.targets(item.uid, "has_identity")
    if not names and item.type == "gcp_compute_instance" and item.config.get("networkInterfaces"):
        return "no", [
            Evidence(kind="control", text="it runs as no service account", source=item.uid)
        ]
    if not names or item.type.startswith("gcp_iam_"):
        return None
    if item.type == "gcp_compute_instance" and not full_scope(item):
        if scopes_of(item) is None:
            return "unknown", [
                Evidence(kind="gap", text="its access scopes were not read", source=item.uid)
            ]
        narrow = list(_scoped(google, item, names, stores))
        if narrow:
            return "yes", narrow
        return "no", [Evidence(kind="control", text="its access scopes do not reach that far",
                               source=item.uid)]  # fmt: skip
    out: list[Evidence] = []
    value = "no"
    for name in names:
        account = google.estate.find(name)
        found = known.get(account.uid) if account is not None else None
        if found is None and name in google.held:
            found = _judge(google, item, name, [])
        if found is None:
            value = "unknown" if value == "no" else value
            out.append(Evidence(kind="gap", text=f"{name} was not read", source=name))
            continue
        for evidence in found[1]:
            if evidence.kind != "control" and found[0] != "no":
                text = f"runs as {name_of(google.grants.name(name))}: {evidence.text}"
                out.append(Evidence(kind=evidence.kind, text=text, source=evidence.source,
                                    steps=evidence.steps))  # fmt: skip
        value = "yes" if "yes" in (value, found[0]) else found[0] if value == "no" else value
    if not out:
        shown = ", ".join(name_of(google.grants.name(n)) for n in names)
        out = [Evidence(kind="control", text=f"runs as {shown}, which has no such power",
                        source=item.uid)]  # fmt: skip
    return value, out
