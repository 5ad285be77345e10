"""Answers of both clouds as other commands print them: lists that say little, envelopes, paths."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from secinbox.cli import secinbox
from secinbox.connectors import recognise
from secinbox.estate import Estate, estate_of
from secinbox.iam.azure import privilege as azure_privilege
from secinbox.inventory import azure as azure_inventory
from secinbox.inventory import gcp as google_inventory
from secinbox.network.azure import CONTROLS as AZURE
from secinbox.network.azure import exposure as azure_exposure
from secinbox.network.gcp import CONTROLS as GOOGLE
from secinbox.network.gcp import exposure as google_exposure
from secinbox.reading import Report
from tests import test_azure as azure
from tests import test_gcp as google
from tests import test_gcp_services as services
from tests.test_azure import ANA, OWNER, SUBSCRIPTION, assigned
from tests.test_clouds_power import APP, BOB, GROUP, SP
from tests.test_flips_azure import FLIPS as AZURE_FLIPS
from tests.test_flips_azure import type_of
from tests.test_flips_gcp import FLIPS as GOOGLE_FLIPS
from tests.test_gcp import BUCKET, VIEW, VM, P, bind

# What has no answer at all until somebody said which credentials it has.
SILENT = {"azure_microsoft_managedidentity_userassignedidentities"}


@pytest.mark.parametrize("uid", sorted(AZURE_FLIPS), ids=type_of)
def test_a_list_of_resources_alone_says_nothing_of_them(uid: str) -> None:
    """`az resource list`: ids, kinds and tags, and no configuration."""
    kind = uid.split("/providers/")[-1]
    words = kind.split("/")
    listed = {"id": uid, "name": words[-1], "type": "/".join([words[0], *words[1::2]]), "location": "x", "tags": {}, "kind": None,
              "sku": {"name": "Standard"}, "identity": None, "properties": None, "resourceGroup": "shop", "managedBy": None}  # fmt: skip
    found = {
        s.resource: s
        for s in azure_exposure(
            estate_of(azure_inventory.read(Report(json.dumps([listed]).encode())))
        )
    }
    if type_of(uid) in SILENT:
        assert uid.lower() not in found
    else:
        assert found[uid.lower()].value == "unknown", found[uid.lower()].evidence
    assert set(AZURE) >= {type_of(uid)}


def searched(uid: str, kind: str) -> dict[str, Any]:
    """A row of `gcloud asset search-all-resources`."""
    return {"name": uid, "assetType": kind, "project": "projects/1001", "folders": ["folders/20"], "organization": "organizations/30",
            "displayName": "x", "location": "eu", "labels": {"env": "prod"}}  # fmt: skip


@pytest.mark.parametrize("uid", sorted(GOOGLE_FLIPS))
def test_a_search_alone_says_nothing_of_what_it_finds(uid: str) -> None:
    assets = GOOGLE_FLIPS[uid][0][2 - 1]
    kind = next(a["assetType"] for a in assets if a["name"] == uid)
    found = {s.resource: s for s in google_exposure(google.estate(searched(uid, kind)))}[uid]
    assert found.value == "unknown", found.evidence
    assert GOOGLE


def read(document: Any, *parts: str) -> list[Any]:
    data = json.dumps(document).encode()
    assert recognise(data, parts[-1] if parts else "x.json").id == "gcp"
    return list(
        google_inventory.read(Report(data, name="/".join(parts[-2:]) or "x.json", parts=parts))
    )


def value(records: list[Any], uid: str) -> str:
    return {s.resource: s.value for s in google_exposure(estate_of(records))}[uid]


STORED = {"name": "data", "storage_url": "gs://data/", "location": "EU", "uniform_bucket_level_access": True,
          "public_access_prevention": "inherited", "creation_time": "2024-01-01T00:00:00+0000"}  # fmt: skip
POLICY = {"bindings": [bind(VIEW, "allUsers")], "etag": "CAE="}


def test_buckets_as_gcloud_storage_lists_them() -> None:
    own = read(POLICY, "buckets", "data", "iam-policy.json")
    assert value(read([STORED]) + own, BUCKET) == "yes"
    assert value(read([{**STORED, "public_access_prevention": "enforced"}]) + own, BUCKET) == "no"
    assert value(read([STORED]), BUCKET) == "unknown"
    acl = [{"entity": "allUsers", "role": "READER"}]
    assert (
        value(read([{**STORED, "uniform_bucket_level_access": False, "acl": acl}]), BUCKET) == "yes"
    )
    assert value(read([{**STORED, "acl": acl}]), BUCKET) == "unknown"


def test_a_policy_says_itself_whose_it_is() -> None:
    said = {**POLICY, "kind": "storage#policy", "resourceId": "projects/_/buckets/data"}
    assert value(read([STORED]) + read(said), BUCKET) == "yes"


@pytest.mark.parametrize(
    "path",
    ["projects/shop-1/buckets/data/iam-policy.json", "projects/shop-1/run/api/iam-policy.json"],
)
def test_a_policy_below_a_project_is_not_the_projects(path: str) -> None:
    found = read(
        {"bindings": [bind("roles/owner", "user:ana@x.test")], "etag": "x"}, *path.split("/")
    )
    assert not any("projects/shop-1" in getattr(r, "uid", "") for r in found)


LINKED = {"kind": "compute#instance", "name": "web", "status": "RUNNING", "networkInterfaces": [],
          "selfLink": f"https://www.googleapis.com/compute/v1/projects/{P}/zones/europe-west1-b/instances/web"}  # fmt: skip
ENVELOPES: list[tuple[str, Any]] = [
    ("a page of the API", {"kind": "compute#instanceList", "id": "x", "items": [LINKED], "selfLink": "https://x"}),
    ("an aggregated page", {"kind": "compute#instanceAggregatedList", "items": {
        "zones/a": {"warning": {"code": "NO_RESULTS_ON_PAGE"}}, "zones/b": {"instances": [LINKED]}}}),
    ("a list", [LINKED]),
    ("one", LINKED),
]  # fmt: skip


@pytest.mark.parametrize("document", [e[1] for e in ENVELOPES], ids=[e[0] for e in ENVELOPES])
def test_envelopes_of_the_api(document: Any) -> None:
    assert VM in {getattr(r, "uid", "") for r in read(document)}


def test_a_list_under_its_own_word() -> None:
    found = read(
        {"functions": [{"name": f"projects/{P}/locations/eu/functions/f", "buildConfig": {}}]}
    )
    assert any(getattr(r, "type", "") == "gcp_cloudfunctions_function" for r in found)


def test_the_rules_of_a_shared_network_are_its_own_projects() -> None:
    """Rules of the machine's project say nothing of a network that another project has."""
    host = "https://www.googleapis.com/compute/v1/projects/host-1/global/networks/shared"
    inside = google.machine(
        networkInterfaces=[
            {"network": host, "accessConfigs": [{"type": "ONE_TO_ONE_NAT", "natIP": "34.1.2.3"}]}
        ]
    )
    assert google.public(VM, inside, google.firewall()).value == "unknown"
    theirs = google.firewall(network=host)
    theirs["name"] = theirs["name"].replace(P, "host-1")
    assert google.public(VM, inside, google.firewall(), theirs).value == "yes"
    narrow = google.firewall(network=host, ranges=("10.0.0.0/8",))
    narrow["name"] = narrow["name"].replace(P, "host-1")
    assert google.public(VM, inside, google.firewall(), narrow).value == "no"


# The directory by the command line


def az(rows: Any, *parts: str) -> list[Any]:
    data = json.dumps(rows).encode()
    assert recognise(data, "x.json").id == "azure"
    return list(
        azure_inventory.read(Report(data, name="/".join(parts[-2:]) or "x.json", parts=parts))
    )


def powers(records: list[Any]) -> dict[str, Any]:
    made: Estate = estate_of(records)
    return {s.resource: s for s in azure_privilege(made)}


PERSON = {"id": ANA, "userPrincipalName": "ana@x.test", "displayName": "Ana"}
OPS = {"id": GROUP, "displayName": "ops", "securityEnabled": True, "groupTypes": []}
OWNS = azure.records(SUBSCRIPTION, assigned(OWNER, GROUP))


def test_members_as_az_lists_them() -> None:
    """`az ad group member list` names no group: the path does."""
    base = OWNS + az([PERSON, {**PERSON, "id": BOB, "userPrincipalName": "bob@x.test"}]) + az([OPS])
    members = az([PERSON], "groups", GROUP, "members.json")
    found = powers(base + members)
    assert (found[f"entra:{ANA}"].value, found[f"entra:{BOB}"].value) == ("yes", "no")
    assert powers(base)[f"entra:{BOB}"].value == "unknown"


def test_owners_and_federated_credentials_as_az_lists_them() -> None:
    application = {
        "id": "99999999-aaaa-0000-0000-00000000000f",
        "appId": APP,
        "displayName": "ci",
        "signInAudience": "x",
    }
    base = azure.records(SUBSCRIPTION, assigned(OWNER, SP)) + az([application]) + az([
        {"id": SP, "appId": APP, "displayName": "ci", "servicePrincipalType": "Application", "servicePrincipalNames": [APP]}])  # fmt: skip
    owners = az([PERSON], "applications", application["id"], "owners.json")
    assert powers(base + owners)[f"entra:{ANA}"].value == "yes"
    credential = az([{"id": "f", "name": "f", "issuer": "https://token.actions.githubusercontent.com", "subject": "repo:acme/shop:*",
                      "audiences": ["x"]}], "applications", application["id"], "federatedIdentityCredentials.json")  # fmt: skip
    assert json.loads(credential[0].config)["application"] == application["id"]


def test_whose_sign_in_is_off_has_no_power() -> None:
    rows = azure.records(SUBSCRIPTION, assigned(OWNER, ANA))
    assert powers(rows + az([{**PERSON, "accountEnabled": False}]))[f"entra:{ANA}"].value == "no"
    assert powers(rows + az([{**PERSON, "accountEnabled": True}]))[f"entra:{ANA}"].value == "yes"
    assert services.SVC


# Through the store: files that name the same thing by a number and by a word


UNIQUE = "//iam.googleapis.com/projects/shop-1/serviceAccounts/10800000000000000000"


def numbered(name: str, last: int) -> dict[str, Any]:
    """A service account as the asset inventory lists it: its name is a number."""
    email = f"{name}@{P}.iam.gserviceaccount.com"
    return google.asset("iam.googleapis.com/ServiceAccount", f"{UNIQUE}{last}", {
        "email": email, "uniqueId": f"10800000000000000000{last}", "name": f"projects/{P}/serviceAccounts/{email}"})  # fmt: skip


def policies() -> list[Any]:
    """The policies of the same project in an export of their own."""
    token = {"name": f"{UNIQUE}2", "assetType": "iam.googleapis.com/ServiceAccount", "ancestors": google.ANCESTORS,
             "iamPolicy": {"bindings": [bind("roles/iam.serviceAccountTokenCreator", google.MEMBER)]}}  # fmt: skip
    whole = google.project(bind("roles/owner", google.BOSS_MEMBER))
    return [{k: v for k, v in whole.items() if k != "resource"}, token]


def resources() -> list[Any]:
    whole = google.project()
    return [{k: v for k, v in whole.items() if k != "iamPolicy"}, google.machine(), google.firewall(), numbered("app", 1),
            numbered("boss", 2)]  # fmt: skip


PROJECTS = [{"projectId": P, "projectNumber": "1001", "lifecycleState": "ACTIVE", "name": "Shop"}]
ALONE = {"bindings": [bind("roles/owner", google.MEMBER)], "etag": "x", "version": 1}


def imported(folder: Path, files: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Values of the two computed risks by uid, after one import a file, in their order."""
    home = str(folder / "home")
    run = CliRunner()
    for number, (name, document) in enumerate(files.items()):
        at = folder / f"reports{number}" / name
        at.parent.mkdir(parents=True)
        at.write_text(
            "\n".join(map(json.dumps, document))
            if name.endswith("ndjson")
            else json.dumps(document)
        )
        done = run.invoke(secinbox, ["--home", home, "import", str(folder / f"reports{number}")])
        assert done.exit_code == 0, done.output
    answer = json.loads(
        run.invoke(secinbox, ["--home", home, "resources", "--json", "--limit", "200"]).stdout
    )
    return {r["uid"]: {k: v["value"] for k, v in r["risks"].items()} for r in answer["resources"]}


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_an_account_by_its_number_and_by_its_address_is_one(
    tmp_path: Path, order: tuple[str, str]
) -> None:
    files = {"a": ("iam.ndjson", policies()), "b": ("resource.ndjson", resources())}
    found = imported(tmp_path, dict(files[o] for o in order))
    accounts = {u for u in found if "/serviceAccounts/" in u}
    assert accounts == {f"{UNIQUE}1", f"{UNIQUE}2"}
    assert found[f"{UNIQUE}1"]["privileged_access"] == found[VM]["privileged_access"] == "yes"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_project_by_its_number_and_by_its_id_is_one(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    """`gcloud projects list`, `gcloud projects get-iam-policy`, and assets."""
    files = [("projects.json", PROJECTS), (f"projects/{P}/iam-policy.json", ALONE),
             ("resource.ndjson", [google.machine(), numbered("app", 1)])]  # fmt: skip
    found = imported(tmp_path, dict(files[n] for n in order))
    assert [u for u in found if "cloudresourcemanager" in u] == [f"{google.CRM}/projects/1001"]
    assert found[f"{UNIQUE}1"]["privileged_access"] == found[VM]["privileged_access"] == "yes"
