"""Entra ID: roles over administrative units and single objects, groups under Privileged Identity
Management; each condition flipped alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secinbox.connectors import recognise
from secinbox.estate import estate_of
from secinbox.iam.azure import Azure, privilege
from secinbox.inventory import azure as inventory
from secinbox.reading import Report
from secinbox.records import Scope
from tests import test_azure as azure
from tests.test_azure import ANA, OWNER, READER, SUBSCRIPTION, Row, assigned, graph
from tests.test_clouds_power import (
    APP,
    APP_ADMIN,
    BOB,
    FUTURE,
    GLOBAL,
    GROUP,
    GROUPS,
    HELPDESK,
    PAST,
    SP,
    directory,
    group,
    service,
    user,
)

UNIT, OTHER = "aaaaaaaa-1111-0000-0000-00000000000a", "aaaaaaaa-2222-0000-0000-00000000000b"
OBJECT = "99999999-aaaa-0000-0000-00000000000f"  # the application object, which is not its appId
HIGHEST = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"
PRIVILEGED = "identityGovernance/privilegedAccess/group/"


def unit(*members: str, uid: str = UNIT, read: bool = True, **more: Any) -> list[Any]:
    row: Row = {"id": uid, "displayName": "stores", "isMemberManagementRestricted": False, **more}
    if read:
        row["members"] = [{"@odata.type": "#microsoft.graph.user", "id": m} for m in members]
    return graph("directory/administrativeUnits", row)


def over(
    role: str, scope: str = f"/administrativeUnits/{UNIT}", who: str = ANA, **more: Any
) -> list[Any]:
    return directory(role, who, directoryScopeId=scope, **more)


PEOPLE = graph("users", user(ANA), user(BOB))
OWNS = [SUBSCRIPTION, assigned(READER), assigned(OWNER, BOB)]
TEAM_OWNS = [SUBSCRIPTION, assigned(READER), assigned(OWNER, GROUP)]
APP_OWNS = [SUBSCRIPTION, assigned(READER), assigned(OWNER, SP)]
APPLICATION = graph(
    "applications", {"id": OBJECT, "appId": APP, "displayName": "ci", "signInAudience": "x"}
)
SERVICE = graph("servicePrincipals", service())
ROLE = graph(
    "directoryRoles",
    {
        "id": "r-77",
        "displayName": "Helpdesk Administrator",
        "roleTemplateId": HELPDESK,
        "members": [],
    },
)
LISTED_UNITS = graph("administrativeUnits")


def scoped(member: str = ANA) -> list[Any]:
    """As the unit itself lists who has a role over it, by the role's object."""
    return graph(f"administrativeUnits('{UNIT}')/scopedRoleMembers", {
        "id": "s-1", "roleId": "r-77", "administrativeUnitId": UNIT, "roleMemberInfo": {"id": member, "displayName": "Ana"}})  # fmt: skip


CASES: list[tuple[str, list[Row], list[Any], str, str]] = [
    ("over the unit of an owner", OWNS, [*over(HELPDESK), *unit(BOB)], "yes", "administrative unit stores"),
    ("over another unit", OWNS, [*over(HELPDESK), *unit(), *unit(BOB, uid=OTHER)], "no", "control"),
    ("over an empty unit", OWNS, [*over(HELPDESK), *unit()], "no", "control"),
    ("over a unit whose members were not read", OWNS, [*over(HELPDESK), *unit(read=False)], "unknown", "unit stores"),
    ("over a unit that was not read", OWNS, over(HELPDESK), "unknown", "was not read"),
    ("over a unit that is gone", OWNS, [*over(HELPDESK), *LISTED_UNITS], "no", "control"),
    ("over a unit of the owner's group", OWNS, [*over(HELPDESK), *unit(GROUP), *graph("groups", group(BOB))], "no", "control"),
    ("no such role over it", OWNS, [*over("88d8e3e3-8f55-4a1e-953a-9b9898b8876b"), *unit(BOB)], "no", "control"),
    ("an unknown role over it", OWNS, [*over("abababab-0000-0000-0000-000000000000"), *unit(BOB)], "unknown", "abababab"),
    ("an owner with a role of the directory", OWNS, [*over(HELPDESK), *unit(BOB), *directory(HELPDESK, BOB)], "no", "control"),
    ("resets administrators in it", OWNS, [*over(HIGHEST), *unit(BOB), *directory(HELPDESK, BOB)], "yes", "sets the password"),
    ("resets administrators elsewhere", OWNS, [*over(HIGHEST), *unit(), *directory(HELPDESK, BOB)], "no", "control"),
    ("a global administrator of a unit", OWNS, [*over(GLOBAL), *unit(BOB)], "no", "control"),
    ("eligible over it", OWNS, [*graph("roleManagement/directory/roleEligibilityScheduleInstances", {
        "id": "e", "principalId": ANA, "roleDefinitionId": HELPDESK, "directoryScopeId": f"/administrativeUnits/{UNIT}",
        "roleEligibilityScheduleId": "x"}), *unit(BOB)], "unknown", "sets the password"),
    ("over it by a group", OWNS, [*over(HELPDESK, who=GROUP), *unit(BOB), *graph("groups", group(ANA))], "yes", "sets the password"),
    ("over it, a time that has passed", OWNS, [*over(HELPDESK, endDateTime=PAST), *unit(BOB)], "no", "control"),
    ("over it, for a time", OWNS, [*over(HELPDESK, endDateTime=FUTURE), *unit(BOB)], "yes", "sets the password"),
    ("as the unit lists it", OWNS, [*ROLE, *scoped(), *unit(BOB)], "yes", "sets the password"),
    ("as the unit lists it, of another", OWNS, [*ROLE, *scoped("someone"), *unit(BOB)], "no", "control"),
    ("over a unit with a group of owners", TEAM_OWNS, [*over(GROUPS), *unit(GROUP), *graph("groups", group())], "yes", "joins ops"),
    ("over a unit with a group for roles", TEAM_OWNS, [*over(GROUPS), *unit(GROUP), *graph("groups", group(isAssignableToRole=True))],
     "no", "control"),
    ("over a unit without the group", TEAM_OWNS, [*over(GROUPS), *unit(), *graph("groups", group())], "no", "control"),
    ("everywhere, the owner in a restricted unit", OWNS, [*directory(HELPDESK), *unit(BOB, isMemberManagementRestricted=True)],
     "no", "control"),
    ("everywhere, the owner in a unit", OWNS, [*directory(HELPDESK), *unit(BOB)], "yes", "sets the password"),
    ("over a restricted unit", OWNS, [*over(HELPDESK), *unit(BOB, isMemberManagementRestricted=True)], "yes", "sets the password"),
    ("over one application", APP_OWNS, [*over(APP_ADMIN, f"/{OBJECT}"), *APPLICATION, *SERVICE], "yes", "adds a secret to ci"),
    ("over another application", APP_OWNS, [*over(APP_ADMIN, f"/{OTHER}"), *APPLICATION, *SERVICE, *graph(
        "applications", {"id": OTHER, "appId": "other", "displayName": "other", "signInAudience": "x"})], "no", "control"),
    ("over one service principal", APP_OWNS, [*over(APP_ADMIN, f"/{SP}"), *SERVICE], "yes", "adds a secret to ci"),
    ("over an application that was not read", APP_OWNS, [*over(APP_ADMIN, f"/{OBJECT}"), *SERVICE], "unknown", OBJECT),
    ("no such role over the application", APP_OWNS, [*over(HELPDESK, f"/{OBJECT}"), *APPLICATION, *SERVICE], "no", "control"),
    ("over one group", TEAM_OWNS, [*over(GROUPS, f"/{GROUP}"), *graph("groups", group())], "yes", "joins ops"),
    ("over something inside an application", OWNS, directory(GLOBAL, directoryScopeId=None, appScopeId="/"), "no", "control"),
]  # fmt: skip


def access(kind: str, word: str = "member", who: str = ANA, **more: Any) -> list[Any]:
    """A schedule of a group, as its instance says it."""
    own = (
        {"eligibilityScheduleId": "s"}
        if kind.startswith("elig")
        else {"assignmentScheduleId": "s", "assignmentType": "assigned"}
    )
    return graph(PRIVILEGED + kind, {"id": f"{GROUP}_{word}_{who[:4]}", "principalId": who, "groupId": GROUP, "accessId": word,
                                     "memberType": "direct", **own, **more})  # fmt: skip


def approval(on: bool, word: str = "member") -> list[Any]:
    return graph("policies/roleManagementPolicyAssignments", {
        "id": f"Group_{GROUP}_{word}", "policyId": "p", "scopeId": GROUP, "scopeType": "Group", "roleDefinitionId": word,
        "policy": {"rules": [{"id": "Approval_EndUser_Assignment", "setting": {"isApprovalRequired": on}}]}})  # fmt: skip


def role_approval(on: bool) -> list[Any]:
    return graph("policies/roleManagementPolicyAssignments", {
        "id": f"DirectoryRole_x_{GLOBAL}", "policyId": "p", "scopeId": "/", "scopeType": "DirectoryRole", "roleDefinitionId": GLOBAL,
        "policy": {"rules": [{"id": "Approval_EndUser_Assignment", "setting": {"isApprovalRequired": on}}]}})  # fmt: skip


def eligible(**more: Any) -> list[Any]:
    return graph("roleManagement/directory/roleEligibilityScheduleInstances", {
        "id": "e-1", "principalId": ANA, "roleDefinitionId": GLOBAL, "directoryScopeId": "/", "roleEligibilityScheduleId": "x", **more})  # fmt: skip


EI, AI = "eligibilityScheduleInstances", "assignmentScheduleInstances"
TEAM = graph("groups", group())
CASES += [
    ("eligible member", TEAM_OWNS, [*TEAM, *access(EI)], "unknown", "eligible membership of ops"),
    ("member for a time", TEAM_OWNS, [*TEAM, *access(AI, endDateTime=FUTURE)], "yes", "administrator"),
    ("member by activation", TEAM_OWNS, [*TEAM, *access(AI, assignmentType="activated", endDateTime=FUTURE)], "yes", "administrator"),
    ("member, a time that has passed", TEAM_OWNS, [*TEAM, *access(AI, endDateTime=PAST)], "no", "control"),
    ("eligible, a time that has passed", TEAM_OWNS, [*TEAM, *access(EI, endDateTime=PAST)], "no", "control"),
    ("eligible, approval needed", TEAM_OWNS, [*TEAM, *access(EI), *approval(True)], "no", "control"),
    ("eligible, no approval needed", TEAM_OWNS, [*TEAM, *access(EI), *approval(False)], "unknown", "eligible membership"),
    ("eligible member, approval of owners", TEAM_OWNS, [*TEAM, *access(EI), *approval(True, "owner")], "unknown", "eligible membership"),
    ("eligible owner", TEAM_OWNS, [*TEAM, *access(EI, "owner")], "unknown", "eligible ownership of ops"),
    ("owner for a time", TEAM_OWNS, [*TEAM, *access(AI, "owner")], "yes", "which it owns"),
    ("eligible member of a group of no power", OWNS, [*TEAM, *access(EI)], "no", "control"),
    ("another is eligible", TEAM_OWNS, [*TEAM, *access(EI, who=BOB)], "no", "control"),
    ("eligible by its schedule", TEAM_OWNS, [*TEAM, *graph(PRIVILEGED + "eligibilitySchedules", {
        "id": "s", "principalId": ANA, "groupId": GROUP, "accessId": "member", "status": "Provisioned", "scheduleInfo": {
            "startDateTime": PAST, "expiration": {"type": "noExpiration"}}})], "unknown", "eligible membership"),
    ("eligible by a schedule that ended", TEAM_OWNS, [*TEAM, *graph(PRIVILEGED + "eligibilitySchedules", {
        "id": "s", "principalId": ANA, "groupId": GROUP, "accessId": "member", "status": "Provisioned", "scheduleInfo": {
            "startDateTime": PAST, "expiration": {"type": "afterDateTime", "endDateTime": PAST}}})], "no", "control"),
    ("assigned by its schedule", TEAM_OWNS, [*TEAM, *graph(PRIVILEGED + "assignmentSchedules", {
        "id": "s", "principalId": ANA, "groupId": GROUP, "accessId": "member", "status": "Provisioned"})], "yes", "administrator"),
    ("eligible for the tenant", OWNS, eligible(), "unknown", "activate Global Administrator"),
    ("eligible for the tenant, approval needed", OWNS, [*eligible(), *role_approval(True)], "no", "control"),
    ("eligible for the tenant, no approval needed", OWNS, [*eligible(), *role_approval(False)], "unknown", "Global Administrator"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "more", "value", "told"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_narrow_and_timed_power(rows: list[Row], more: list[Any], value: str, told: str) -> None:
    made = estate_of(azure.records(*rows) + PEOPLE + more)
    found = {s.resource: s for s in privilege(made)}[f"entra:{ANA}"]
    assert found.value == value, found.evidence
    assert told in " ".join(f"{e.kind} {e.text}" for e in found.evidence)


def test_hints_at_secrets_are_not_kept() -> None:
    found = graph("applications", {"id": OBJECT, "appId": APP, "displayName": "ci", "signInAudience": "x", "passwordCredentials": [
        {"hint": "abc", "secretText": "abcdef", "endDateTime": FUTURE, "keyId": "k", "customKeyIdentifier": "eA=="}]})  # fmt: skip
    assert json.loads(found[0].config)["passwordCredentials"] == [
        {"keyId": "k", "endDateTime": FUTURE}
    ]


def test_a_unit_is_no_group_and_no_principal() -> None:
    made = estate_of(azure.records(*OWNS) + PEOPLE + unit(ANA))
    assert UNIT not in str(Azure(made).groups)
    assert f"entra:{UNIT}" not in {s.resource for s in privilege(made)}


@pytest.mark.parametrize(("count", "value"), [(19, "no"), (20, "unknown"), (21, "no")])
def test_twenty_members_may_be_all_that_was_shown(count: int, value: str) -> None:
    """Microsoft Graph expands no more than twenty members, and does not say so."""
    many = [f"{n:08d}-0000-0000-0000-000000000000" for n in range(count)]
    made = estate_of(azure.records(*TEAM_OWNS) + PEOPLE + graph("groups", group(*many)))
    assert {s.resource: s.value for s in privilege(made)}[f"entra:{ANA}"] == value


@pytest.mark.parametrize(
    "listed",
    [f"administrativeUnits/{UNIT}/members", f"directory/administrativeUnits/{UNIT}/members"],
)
def test_members_of_a_unit_as_a_page_of_its_own(listed: str) -> None:
    """Its context says which kinds of objects are in it, its path of which unit they are members."""
    document = {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#directoryObjects",
                "value": [{"@odata.type": "#microsoft.graph.user", "id": BOB, "displayName": "Bob"}]}  # fmt: skip
    data = json.dumps(document).encode()
    assert recognise(data, "members.json").id == "azure"
    parts = (*listed.split("/"), "page.json")
    found = list(inventory.read(Report(data, name="page.json", parts=parts)))
    assert any(isinstance(r, Scope) and r.key == f"entra:{UNIT}/members" for r in found)
    made = estate_of(azure.records(*OWNS) + PEOPLE + over(HELPDESK) + found)
    assert {s.resource: s.value for s in privilege(made)}[f"entra:{ANA}"] == "yes"
