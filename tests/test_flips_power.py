"""Power in both clouds: each kind of holder (people, groups, applications, all that runs as somebody),
and a flip of each condition of what it holds. A test counts them by kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from secinbox.estate import estate_of
from secinbox.iam.azure import privilege as azure_privilege
from secinbox.iam.azure.actions import TAKES
from secinbox.iam.gcp import privilege as google_privilege
from secinbox.inventory.gcp.identities import _PATHS
from tests import test_azure as azure
from tests import test_clouds_power as power
from tests import test_gcp as google
from tests.test_azure import (
    ANA,
    CONTRIBUTOR,
    MG,
    OWNER,
    READER,
    RG,
    SUBSCRIPTION,
    SYSTEM,
    UAA,
    Row,
    assigned,
    definition,
    graph,
)
from tests.test_clouds_power import BOB, EL, FUTURE, GROUP, PAST, SP, may_assign, pim
from tests.test_gcp import (
    CRM,
    CUSTOM,
    Asset,
    P,
    account,
    asset,
    bind,
    boss,
    custom,
    folder,
    project,
)

# Azure: what a principal holds -> answer, kind of evidence


def deny(principal: str, *actions: str) -> Row:
    found = azure.deny(*actions)
    return {**found, "properties": {**found["properties"], "principals": [{"id": principal}]}}


RBAC_ADMIN = power.RBAC_ADMIN
WRITES = "Microsoft.Authorization/roleAssignments/write"
Held = Callable[[str], list[Row]]
AZURE: list[tuple[str, Held, str, str]] = [
    ("owner", lambda p: [assigned(OWNER, p)], "yes", "administrator"),
    ("owner of the management group", lambda p: [assigned(OWNER, p, scope=MG)], "yes", "administrator"),
    ("owner of the root", lambda p: [assigned(OWNER, p, scope="/")], "yes", "administrator"),
    ("owner of a group of resources", lambda p: [assigned(OWNER, p, scope=RG)], "no", "control"),
    ("reader", lambda p: [assigned(READER, p)], "no", "control"),
    ("contributor", lambda p: [assigned(CONTRIBUTOR, p)], "yes", "wide_reach"),
    ("assigns roles", lambda p: [assigned(UAA, p)], "yes", "escalation"),
    ("assigns readers only", lambda p: [assigned(RBAC_ADMIN, p, condition=may_assign(READER))], "no", "control"),
    ("a condition that nobody understands", lambda p: [assigned(OWNER, p, condition="x")], "unknown", "gap"),
    ("a custom role that assigns", lambda p: [definition(WRITES), assigned("custom", p)], "yes", "escalation"),
    ("a custom role less that", lambda p: [definition("*/read", "Microsoft.Authorization/*", without=("Microsoft.Authorization/*/write",)),
                                           assigned("custom", p)], "no", "control"),
    ("a role that is defined nowhere", lambda p: [assigned("12345678-0000-0000-0000-000000000000", p)], "unknown", "gap"),
    ("denied", lambda p: [assigned(UAA, p), deny(p, "*")], "no", "control"),
    ("another denied", lambda p: [assigned(UAA, p), deny(BOB, "*")], "yes", "escalation"),
    ("eligible", lambda p: [assigned(OWNER, p, kind=EL), *pim(False)], "unknown", "gap"),
    ("eligible, with an approval", lambda p: [assigned(OWNER, p, kind=EL), *pim(True)], "no", "control"),
    ("for a time that has passed", lambda p: [assigned(OWNER, p, kind="roleAssignmentScheduleInstances", endDateTime=PAST)],
     "no", "control"),
    ("for a time", lambda p: [assigned(OWNER, p, kind="roleAssignmentScheduleInstances", endDateTime=FUTURE)], "yes", "administrator"),
    ("nothing, while others hold something", lambda p: [assigned(READER, BOB)], "no", "control"),
    ("nothing that was read", lambda p: [], "unknown", "gap"),
]  # fmt: skip
NESTED = "cccccccc-0000-0000-0000-0000000000cc"
# (kind, whom to ask, who holds it, rows, records)
Holder = tuple[str, str, str, list[Row], list[Any]]
HOLDERS: list[Holder] = [
    ("a person", f"entra:{ANA}", ANA, [], graph("users", power.user(ANA))),
    ("a group", f"entra:{GROUP}", GROUP, [], graph("groups", power.group())),
    ("a member of a group", f"entra:{ANA}", GROUP, [], graph("users", power.user(ANA)) + graph("groups", power.group(ANA))),
    ("a member of a group in a group", f"entra:{ANA}", GROUP, [], graph("users", power.user(ANA)) + graph(
        "groups", power.group(NESTED), {"id": NESTED, "displayName": "inner", "securityEnabled": True, "members": [{"id": ANA}]})),
    ("an application", f"entra:{SP}", SP, [], graph("servicePrincipals", power.service())),
    ("a user-assigned identity", power.UAMI.lower(), SYSTEM, [power.identity()], []),
]  # fmt: skip
_NAMES = {"virtualmachines": "virtualMachines", "sites_slots": "sites/app/slots"}
for _kind in TAKES:
    _space, _, _word = _kind.removeprefix("azure_microsoft_").partition("_")
    if _word == "userassignedidentities":
        continue
    _words = _word.split("_")
    _path = f"{_words[0]}/x" + "".join(f"/{w}/x" for w in _words[1:])
    _uid = f"{RG}/providers/Microsoft.{_space}/{_path}"
    _row: Row = {
        "id": _uid,
        "name": "x",
        "type": f"Microsoft.{_space}/{'/'.join(_words)}",
        "location": "x",
        "properties": {},
    }
    HOLDERS.append((f"{_word}, its own identity", _uid.lower(), SYSTEM, [
        {**_row, "identity": {"type": "SystemAssigned", "principalId": SYSTEM}}], []))  # fmt: skip
    HOLDERS.append((f"{_word}, an identity given to it", _uid.lower(), SYSTEM, [power.identity(), {
        **_row, "identity": {"type": "UserAssigned", "userAssignedIdentities": {power.UAMI: {"principalId": SYSTEM}}}}], []))  # fmt: skip


@pytest.mark.parametrize(("name", "holds", "value", "kind"), AZURE, ids=[c[0] for c in AZURE])
@pytest.mark.parametrize("holder", HOLDERS, ids=[h[0] for h in HOLDERS])
def test_power_of_each_kind_in_azure(
    name: str, holds: Held, value: str, kind: str, holder: Holder
) -> None:
    _, uid, principal, rows, more = holder
    if name == "eligible" and principal in (SP, SYSTEM):
        value, kind = "no", "control"  # nobody activates a role for what is no person
    made = estate_of(azure.records(SUBSCRIPTION, *rows, *holds(principal)) + more)
    found = {s.resource: s for s in azure_privilege(made)}[uid]
    assert found.value == value, (name, found.evidence)
    assert kind in {e.kind for e in found.evidence}
    assert all(e.text and e.source for e in found.evidence)


# Google Cloud

M = google.MEMBER


def organization(*policy: Asset) -> Asset:
    return asset("cloudresourcemanager.googleapis.com/Organization", f"{CRM}/organizations/30",
                 {"name": "organizations/30"}, list(policy), ancestors=["organizations/30"])  # fmt: skip


TIMED = 'request.time < timestamp("{}")'
Binds = Callable[[str], list[Asset]]
ADMIN = "roles/resourcemanager.projectIamAdmin"
GOOGLE: list[tuple[str, Binds, str, str]] = [
    ("owner", lambda m: [project(bind("roles/owner", m))], "yes", "administrator"),
    ("owner of the folder", lambda m: [project(), folder(bind("roles/owner", m))], "yes", "administrator"),
    ("owner of the organisation", lambda m: [project(), organization(bind("roles/owner", m))], "yes", "administrator"),
    ("viewer", lambda m: [project(bind("roles/viewer", m))], "no", "control"),
    ("editor", lambda m: [project(bind("roles/editor", m))], "yes", "wide_reach"),
    ("changes the policy", lambda m: [project(bind(ADMIN, m))], "yes", "escalation"),
    ("a custom role that does", lambda m: [project(bind(CUSTOM, m)), custom("resourcemanager.projects.setIamPolicy")],
     "yes", "escalation"),
    ("a custom role of nothing", lambda m: [project(bind(CUSTOM, m)), custom("storage.buckets.list")], "no", "control"),
    ("a custom role unread", lambda m: [project(bind(CUSTOM, m))], "unknown", "gap"),
    ("a role that nobody knows", lambda m: [project(bind("roles/new.shiny", m))], "unknown", "gap"),
    ("a condition", lambda m: [project(bind("roles/owner", m, expression="x", title="t"))], "unknown", "gap"),
    ("a time that has passed", lambda m: [project(bind("roles/owner", m, expression=TIMED.format(PAST)))], "no", "control"),
    ("denied", lambda m: [project(bind(ADMIN, m)), power.deny("cloudresourcemanager.googleapis.com/projects.setIamPolicy")],
     "no", "control"),
    ("another permission denied", lambda m: [project(bind(ADMIN, m)), power.deny("iam.googleapis.com/roles.update")],
     "yes", "escalation"),
    ("tokens of an owner", lambda m: [project(google.OWNS), boss(bind(power.TOKEN, m))], "yes", "escalation"),
    ("tokens of a nobody", lambda m: [project(), boss(bind(power.TOKEN, m))], "no", "control"),
    ("keys of an owner", lambda m: [project(google.OWNS), boss(bind("roles/iam.serviceAccountKeyAdmin", m))], "yes", "escalation"),
    ("keys of an owner, forbidden", lambda m: [project(google.OWNS, rules=power.no_keys()), boss(
        bind("roles/iam.serviceAccountKeyAdmin", m))], "no", "control"),
    ("sees itself only", lambda m: [project(bind("roles/browser", m))], "no", "control"),
]  # fmt: skip
EMAIL = M.partition(":")[2]
POOLED = "principal://iam.googleapis.com/projects/1001/locations/global/workloadIdentityPools/ci/subject/x"
G_HOLDERS: list[tuple[str, str, str, list[Asset]]] = [
    ("an account", google.SA, M, [account()]),
    ("a person", "user:ana@x.test", "user:ana@x.test", []),
    ("a group", "group:ops@x.test", "group:ops@x.test", []),
    ("an identity of another issuer", POOLED, POOLED, []),
    ("an account that no list names", google.SA, M, []),
]  # fmt: skip


def nested(path: str, value: str) -> Any:
    word, _, rest = path.partition(".")
    inner = nested(rest, value) if rest else value
    return [inner] if word == "*" else {word: inner}


def camel(word: str) -> str:
    return "".join(w.title() for w in word.split("_"))


for _kind, _paths in _PATHS.items():
    _service, _, _word = _kind.removeprefix("gcp_").partition("_")
    for _path in _paths:
        _data: Asset = nested(_path, EMAIL)
        if _kind == "gcp_compute_instance":
            _data = {**_data, "networkInterfaces": [{"network": google.NETWORK}]}
            _data["serviceAccounts"][0]["scopes"] = [
                "https://www.googleapis.com/auth/cloud-platform"
            ]
        _name = f"//{_service}.googleapis.com/projects/{P}/x/{_word}"
        G_HOLDERS.append((f"{_word}: {_path}", _name, M, [account(), asset(
            f"{_service}.googleapis.com/{camel(_word)}", _name, _data)]))  # fmt: skip


@pytest.mark.parametrize(("name", "binds", "value", "kind"), GOOGLE, ids=[c[0] for c in GOOGLE])
@pytest.mark.parametrize(
    ("uid", "member", "assets"), [h[1:] for h in G_HOLDERS], ids=[h[0] for h in G_HOLDERS]
)
def test_power_of_each_kind_in_google_cloud(name: str, binds: Binds, value: str, kind: str, uid: str, member: str,
                                            assets: list[Asset]) -> None:  # fmt: skip
    made = google.estate(*assets, *binds(member))
    found = {s.resource: s for s in google_privilege(made)}[uid]
    assert found.value == value, (name, found.evidence)
    assert kind in {e.kind for e in found.evidence}
    assert all(e.text and e.source for e in found.evidence)


def test_twelve_flips_of_every_kind_of_holder() -> None:
    for table, made in ((AZURE, lambda h: h(ANA)), (GOOGLE, lambda h: h(M))):
        estates = {json.dumps(made(row[1]), sort_keys=True) for row in table}  # type: ignore[no-untyped-call]
        assert len(estates) == len(table) >= 12
        assert {row[2] for row in table} == {"yes", "no", "unknown"}
    kinds = {h[0].partition(",")[0] for h in HOLDERS[6:]}
    assert kinds == {k.removeprefix("azure_microsoft_").partition("_")[2] for k in TAKES} - {
        "userassignedidentities"
    }
