"""Groups of Cloud Identity: bindings to a group reach its members; each condition flipped alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from secinbox.cli import secinbox
from secinbox.connectors import recognise
from secinbox.estate import estate_of
from secinbox.iam.gcp import privilege
from secinbox.inventory import gcp as inventory
from secinbox.reading import Report
from tests import test_clouds_power as power
from tests import test_gcp as google
from tests.test_clouds_power import FUTURE, PAST
from tests.test_gcp import MEMBER, Asset, account, bind, boss, project

OPS, INNER = "group:ops@x.test", "group:inner@x.test"
ANA, BOB = "user:ana@x.test", "user:bob@x.test"


def of(document: Any, *parts: str) -> list[Any]:
    data = json.dumps(document).encode()
    assert recognise(data, "x.json").id == "gcp"
    return list(inventory.read(Report(data, name=parts[-1] if parts else "x.json", parts=parts)))


def member(address: str, kind: str = "USER", group: str = "0ops", **more: Any) -> Asset:
    return {"name": f"groups/{group}/memberships/m{len(address)}", "preferredMemberKey": {"id": address}, "type": kind,
            "roles": [{"name": "MEMBER"}], **more}  # fmt: skip


def listed(*groups: tuple[str, str]) -> list[Any]:
    return of([{"name": f"groups/{i}", "groupKey": {"id": a}, "displayName": a} for i, a in groups])


OWNS = project(bind("roles/owner", OPS), bind("roles/browser", ANA, BOB))
NAMED = listed(("0ops", "ops@x.test"))
EXPIRED = {"roles": [{"name": "MEMBER", "expiryDetail": {"expireTime": PAST}}]}
TIMED = {"roles": [{"name": "MEMBER", "expiryDetail": {"expireTime": FUTURE}}]}
CASES: list[tuple[str, list[Asset], list[Any], str, str]] = [
    ("a member", [OWNS], NAMED + of([member("ana@x.test")]), "yes", OPS),
    ("another is a member", [OWNS], NAMED + of([member("bob@x.test")]), "no", "control"),
    ("members unread", [OWNS], [], "unknown", f"member of {OPS}"),
    ("members unread, of a group of no power", [project(bind("roles/browser", OPS, ANA))], [], "no", "control"),
    ("group unlisted, members by its id", [OWNS], of([member("ana@x.test")]), "unknown", OPS),
    ("members of another group", [OWNS], listed(("0ops", "ops@x.test"), ("0dev", "dev@x.test")) + of(
        [member("ana@x.test", group="0dev")]), "unknown", OPS),
    ("a member for a time", [OWNS], NAMED + of([member("ana@x.test", **TIMED)]), "yes", OPS),
    ("a member, a time that has passed", [OWNS], NAMED + of([member("ana@x.test", **EXPIRED)]), "no", "control"),
    ("in any case", [OWNS], NAMED + of([member("Ana@X.test")]), "yes", OPS),
    ("a member of a group in the group", [OWNS], listed(("0ops", "ops@x.test"), ("0in", "inner@x.test")) + of(
        [member("inner@x.test", "GROUP")]) + of([member("ana@x.test", group="0in")]), "yes", OPS),
    ("a member of a group beside it", [OWNS], listed(("0ops", "ops@x.test"), ("0in", "inner@x.test")) + of(
        [member("bob@x.test")]) + of([member("ana@x.test", group="0in")]), "no", "control"),
    ("its group does not own", [project(bind("roles/viewer", OPS), bind("roles/browser", ANA))], NAMED + of([member("ana@x.test")]),
     "no", "control"),
    ("its group under a condition", [project(bind("roles/owner", OPS, expression="x", title="t"), bind("roles/browser", ANA))],
     NAMED + of([member("ana@x.test")]), "unknown", "t"),
    ("its group denied", [project(bind("roles/resourcemanager.projectIamAdmin", OPS)), power.deny(
        "cloudresourcemanager.googleapis.com/*", who="principalSet://goog/group/ops@x.test")], NAMED + of([member("ana@x.test")]),
     "no", "control"),
    ("its group spared", [project(bind("roles/resourcemanager.projectIamAdmin", OPS)), power.deny(
        "cloudresourcemanager.googleapis.com/*", spared=("principalSet://goog/group/ops@x.test",))], NAMED + of([member("ana@x.test")]),
     "yes", OPS),
    ("its group makes tokens of an owner", [project(google.OWNS), boss(bind(power.TOKEN, OPS))], NAMED + of([member("ana@x.test")]),
     "yes", "makes a token"),
    ("a page", [OWNS], NAMED + of({"memberships": [member("ana@x.test")]}), "yes", OPS),
    ("a page of several without him", [OWNS], NAMED + of({"memberships": [member("bob@x.test")], "nextPageToken": "x"}), "unknown", OPS),
    ("the last page", [OWNS], NAMED + of({"memberships": [member("bob@x.test")], "nextPageToken": "x"}) + of(
        {"memberships": [member("carl@x.test")]}), "no", "control"),
    ("as collect writes it", [OWNS], of({"name": "groups/0ops", "groupKey": {"id": "ops@x.test"}, "memberships": [
        member("ana@x.test")]}), "yes", OPS),
    ("an empty group as collect writes it", [OWNS], of({"name": "groups/0ops", "groupKey": {"id": "ops@x.test"}, "memberships": []}),
     "no", "control"),
    ("by the path", [OWNS], of([member("ana@x.test")], "groups", "ops@x.test", "members.json"), "yes", OPS),
    ("by the name of the file", [OWNS], of([member("ana@x.test")], "ops@x.test.json"), "yes", OPS),
    ("transitive", [OWNS], of({"memberships": [{"member": "users/1", "preferredMemberKey": [{"id": "ana@x.test"}], "roles": [
        {"role": "MEMBER"}], "relationType": "INDIRECT"}]}, "groups", "ops@x.test", "transitive.json"), "yes", OPS),
    ("transitive, of nothing named", [OWNS], of({"memberships": [{"member": "users/1", "preferredMemberKey": [{"id": "ana@x.test"}],
                                                                 "roles": [{"role": "MEMBER"}], "relationType": "DIRECT"}]}), "unknown", OPS),
    ("as the Directory API says it", [OWNS], of({"kind": "admin#directory#members", "members": [
        {"kind": "admin#directory#member", "email": "ana@x.test", "role": "MEMBER", "type": "USER", "status": "ACTIVE"}]},
        "ops@x.test.json"), "yes", OPS),
    ("suspended", [OWNS], of({"kind": "admin#directory#members", "members": [
        {"kind": "admin#directory#member", "email": "ana@x.test", "role": "MEMBER", "type": "USER", "status": "SUSPENDED"}]},
        "ops@x.test.json"), "no", "control"),
    ("everybody of the domain", [OWNS], of({"kind": "admin#directory#members", "members": [
        {"kind": "admin#directory#member", "id": "C0", "role": "MEMBER", "type": "CUSTOMER"}]}, "ops@x.test.json"), "yes", OPS),
]  # fmt: skip


@pytest.mark.parametrize(
    ("assets", "more", "value", "told"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_power_by_groups(assets: list[Asset], more: list[Any], value: str, told: str) -> None:
    base = google.records(
        *assets, account(), project(bind("roles/browser", ANA)) if not assets else account()
    )
    found = {
        s.resource: s
        for s in privilege(estate_of(base + more + of([member("ana@x.test", group="0none")])))
    }[ANA]
    assert found.value == value, found.evidence
    assert told in " ".join(f"{e.kind} {e.text}" for e in found.evidence)


def test_a_service_account_in_a_group_has_what_the_group_has() -> None:
    made = estate_of(
        google.records(OWNS, account())
        + NAMED
        + of([member(MEMBER.partition(":")[2], "SERVICE_ACCOUNT")])
    )
    assert {s.resource: s.value for s in privilege(made)}[google.SA] == "yes"
    # Nobody suspects every service account of being in every group.
    bare = estate_of(google.records(OWNS, account()))
    assert {s.resource: s.value for s in privilege(bare)}[google.SA] == "no"


def test_members_arrive_by_files_of_any_order(tmp_path: Path) -> None:
    """Through the store: names become the same resources, whichever file came first."""
    reports = tmp_path / "reports"
    (reports / "groups").mkdir(parents=True)
    (reports / "a-members.json").write_text(
        json.dumps([member(MEMBER.partition(":")[2], "SERVICE_ACCOUNT"), member("ana@x.test")])
    )
    (reports / "b-assets.json").write_text("\n".join(json.dumps(a) for a in (OWNS, account())))
    (reports / "c-groups.json").write_text(
        json.dumps([{"name": "groups/0ops", "groupKey": {"id": "ops@x.test"}}])
    )
    home = str(tmp_path / "home")
    assert CliRunner().invoke(secinbox, ["--home", home, "import", str(reports)]).exit_code == 0
    answer = json.loads(
        CliRunner()
        .invoke(secinbox, ["--home", home, "resources", "--json", "--limit", "100"])
        .stdout
    )
    found = {
        r["uid"]: r["risks"]["privileged_access"]["value"]
        for r in answer["resources"]
        if "privileged_access" in r["risks"]
    }
    assert (found[ANA], found[google.SA], found[OPS]) == ("yes", "yes", "yes")
