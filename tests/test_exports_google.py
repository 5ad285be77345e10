"""Google Cloud says the same, whether its API or Steampipe exported it, or that it is not known.

Each estate of `test_flips_gcp` of which the types have tables, with the columns and the places of their
values that the GCP plugin declares (`gcp_columns.tsv`).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from secinbox.estate import Estate, estate_of
from secinbox.iam.gcp import privilege
from secinbox.inventory import cartography, cloudquery, steampipe
from secinbox.network.gcp import exposure
from secinbox.reading import Report, ReportError, head_of
from secinbox.records import AnyRecord, Resource, RiskStatement, Scope, Skipped
from tests import exported_azure as written
from tests import exported_graph
from tests import test_gcp as google
from tests.test_flips_gcp import ROWS

Row = dict[str, Any]
Asset = dict[str, Any]
COLUMNS: dict[str, tuple[str, dict[str, str]]] = {}
for line in (Path(__file__).parent / "gcp_columns.tsv").read_text().splitlines()[1:]:
    table, kind, rest = line.split("\t")
    COLUMNS[kind] = (table, dict(c.partition("=")[::2] for c in rest.split(" ")))
# What the API fills in where nobody said anything.
_ALWAYS: dict[str, Row] = {
    "compute.googleapis.com/Instance": {"status": "RUNNING"},
    "compute.googleapis.com/Firewall": {"priority": 1000, "disabled": False, "direction": "INGRESS"},
    "storage.googleapis.com/Bucket": {"iam_configuration_uniform_bucket_level_access_enabled": False},
    "iam.googleapis.com/ServiceAccount": {"disabled": False},
    "cloudresourcemanager.googleapis.com/Project": {"lifecycle_state": "ACTIVE"},
}  # fmt: skip
_LINKS = {"storage": "https://www.googleapis.com/storage/v1/b", "bigquery":
          "https://bigquery.googleapis.com/bigquery/v2", "compute":
          "https://www.googleapis.com/compute/v1"}  # fmt: skip


def _at(value: Any, path: str) -> Any:
    for word in path.split("."):
        value = value.get(word) if isinstance(value, dict) else None
    return value


def rows_of(asset: Asset) -> Iterator[tuple[str, Row]]:
    """(table, row) of an asset; nothing for types of which no table is read."""
    kind, uid, data = asset["assetType"], asset["name"], _at(asset, "resource.data") or {}
    if kind not in COLUMNS:
        return
    name, columns = COLUMNS[kind]
    service, _, path = uid.removeprefix("//").partition(".googleapis.com/")
    link = _LINKS.get(service, f"https://{service}.googleapis.com/v1") + f"/{path}"
    row: Row = {c: _at(data, p) for c, p in columns.items()}
    older = _at(data, "iamConfiguration.bucketPolicyOnly.enabled")
    if older is not None:  # the API says it in both spellings
        row["iam_configuration_uniform_bucket_level_access_enabled"] = older
    for column, value in _ALWAYS.get(kind, {}).items():
        row[column] = value if row[column] is None else row[column]
    own = path.rsplit("/", 1)[-1] if "Role" not in kind else path
    row |= {"name": own, "title": own, "akas": [f"gcp:{uid}"], "self_link": link, "tags": None,
            "project": google.P, "location": "x", "iam_policy": asset.get("iamPolicy")}  # fmt: skip
    if name == "gcp_project":
        row.pop("iam_policy")
        if asset.get("iamPolicy") is not None:
            yield "gcp_iam_policy", {**asset["iamPolicy"], "version": 1, "etag": "e", "title": "t",
                                     "akas": ["gcp:p"], "project": google.P, "location": "global"}  # fmt: skip
    yield name, row


def tables(assets: Iterable[Asset], form: str = "rows") -> Iterator[Report]:
    """form: rows | csv."""
    found: dict[str, list[Row]] = defaultdict(list)
    for asset in assets:
        for name, row in rows_of(asset):
            found[name].append(row)
    for name, rows in found.items():
        data = written.written(rows, form)
        yield Report(data, f"export/{name}.{'csv' if form == 'csv' else 'json'}")


def read(reports: Iterable[Report]) -> list[AnyRecord]:
    found: list[AnyRecord] = []
    for report in reports:
        assert steampipe.recognise(head_of(report.data, report.name)) >= 80, report.name
        found += steampipe.read(report)
    return found


def judged(estate: Estate, uid: str) -> RiskStatement | None:
    item = estate.find(uid)
    return {s.resource: s for s in exposure(estate)}.get(item.uid if item else uid)


@pytest.mark.parametrize("form", ["rows", "csv"])
def test_each_flip_as_rows(form: str) -> None:
    kept: Counter[tuple[str, str]] = Counter()
    for uid, name, assets, value, _ in ROWS[:: 1 if form == "rows" else 7]:
        # Rules of the organisation are in no table that is read; nobody knows them there either.
        there = [{k: v for k, v in a.items() if k != "orgPolicy"}
                 for a in assets if a["assetType"] in COLUMNS]  # fmt: skip
        if not any(a["name"] == uid for a in there) or "Project" in str(uid):
            continue
        raw = google.estate(*there)
        raw.covered.clear()
        wanted = judged(raw, uid)
        records = read(tables(assets, form))
        left = [r.reason for r in records if isinstance(r, Skipped)]
        assert not [r for r in records if isinstance(r, Scope)]
        found = judged(estate_of(records), uid)
        if left:
            assert " lack " in left[0], left
            continue
        assert wanted is not None and found is not None, (uid, name)
        kept[wanted.value, found.value] += 1
        assert found.value in (wanted.value, "unknown"), (uid, name, found, wanted)
        assert (value, found.value) != ("yes", "no"), (uid, name)
    assert kept["yes", "unknown"] == 0, kept
    assert kept["yes", "yes"] > (90 if form == "rows" else 10) and kept["no", "no"] > (
        5 if form == "rows" else 0
    ), kept


def test_no_table_that_is_missing_closes_what_is_open() -> None:
    for uid, name, assets, value, _ in ROWS:
        kinds = {a["assetType"] for a in assets if a["assetType"] in COLUMNS}
        for kind in kinds if value == "yes" and len(kinds) > 1 else ():
            left = [a for a in assets if a["assetType"] != kind]
            if any(a["name"] == uid for a in left):
                found = judged(estate_of(read(tables(left))), uid)
                assert found is None or found.value != "no", (uid, name, kind)


@pytest.mark.parametrize(("assets", "value"), [c[1:3] for c in google.POWERS],
                         ids=[c[0] for c in google.POWERS])  # fmt: skip
def test_power_of_an_account_by_rows(assets: list[Asset], value: str) -> None:
    """Nobody is powerless by rows of which some may be missing."""
    found = {s.resource: s for s in privilege(estate_of(read(tables(assets))))}[google.SA]
    above = any("/folders/" in a["name"] for a in assets)
    assert found.value == ("unknown" if value == "no" or above else value), found.evidence


def told(table: str, *rows: Row, tool: Any = steampipe) -> list[AnyRecord]:
    return list(tool.read(Report(json.dumps(rows).encode(), f"{table}.json")))


def only(asset: Asset) -> tuple[str, Row]:
    return next(iter(rows_of(asset)))


SAMPLES = [google.machine(), google.firewall(), google.bucket(), google.account(),
           google.custom("storage.objects.get")]  # fmt: skip


@pytest.mark.parametrize("asset", SAMPLES, ids=[a["assetType"] for a in SAMPLES])
def test_a_missing_column_leaves_a_resource_unread_or_less_sure(asset: Asset) -> None:
    table, row = only(asset)
    (whole,) = (r for r in told(table, row) if isinstance(r, Resource) and r.uid == asset["name"])
    for column in set(row) - {"name", "title", "akas", "tags", "location"}:
        cut = {k: v for k, v in row.items() if k != column}
        if column == "project" and table == "gcp_service_account":
            with pytest.raises(ReportError, match="does not say of what"):
                told(table, cut)
            continue
        records = told(table, cut)
        found = [r for r in records if isinstance(r, Resource) and r.uid == asset["name"]]
        if any(isinstance(r, Skipped) for r in records):
            assert not found
            continue
        mine, theirs = (json.loads(r.config) for r in (found[0], whole))
        lost = {k for k in theirs if mine.get(k) != theirs[k]}
        assert lost <= {"iamPolicy", "ancestors", "id", "labels", "metadata", "scheduling", "disks",
                        "shieldedInstanceConfig", "canIpForward", "projectNumber", "location",
                        "uniqueId", "displayName", "title", "stage", "deleted"}, (column, lost)  # fmt: skip


def test_without_its_policy_a_store_is_unknown() -> None:
    table, row = only(google.bucket())
    row |= {"iam_policy": None, "iam_configuration_uniform_bucket_level_access_enabled": True}
    (found,) = exposure(estate_of(told(table, row)))
    assert found.value == "unknown" and "policy was not read" in found.evidence[0].text
    prevented = {**row, "iam_configuration_public_access_prevention": "enforced"}
    (found,) = exposure(estate_of(told(table, prevented)))
    assert found.value == "no" and "prevention" in found.evidence[0].text


@pytest.mark.parametrize(("table", "row", "message"), [
    ("gcp_sql_database_instance", {"title": "a", "akas": []}, "gcp_sql_database_instance is not read"),
    ("gcp_kms_key", {"title": "a", "akas": [], "purpose": "x", "labels": None, "rotation_period": None},
     "does not say of what"),
    ("gcp_iam_policy", {"title": "a", "akas": [], "bindings": []}, "does not say of what"),
])  # fmt: skip
def test_rows_that_cannot_be_read_get_one_clear_error(table: str, row: Row, message: str) -> None:
    with pytest.raises(ReportError) as error:
        told(table, row)
    assert message in error.value.message and error.value.hint and error.value.place


def test_hostile_rows_are_no_crash_and_no_silent_no() -> None:
    table, row = only(google.machine())
    for change in ({"network_interfaces": "x"}, {"network_interfaces": [7]}, {"network_tags": {"a": 1}},
                   {"service_accounts": [None]}, {"iam_policy": {"bindings": [{"members": "all"}]}},
                   {"iam_policy": "[" * 4000}, {"self_link": "javascript:alert(1)"},
                   {"status": "\x1b[2J"}):  # fmt: skip
        try:
            records = told(table, {**row, **change})
        except ReportError:
            continue
        values = {s.value for s in exposure(estate_of(records))}
        assert "no" not in values or change.get("status"), change


def test_other_tables_of_cloudquery_are_refused_by_name() -> None:
    for table, columns in (("gcp_storage_buckets", {}), ("gcp_compute_firewall", {"akas": []})):
        with pytest.raises(ReportError, match=f"{table} is not read"):
            told(table, {"_cq_id": "1", "project_id": "p", "name": "b", **columns}, tool=cloudquery)


# CloudQuery


_NAMES = {"networkIP": "network_i_p", "natIP": "nat_i_p", "IPProtocol": "I_p_protocol"}


def library(value: Any) -> Any:
    """Objects with the names of the client library."""
    if isinstance(value, list):
        return [library(v) for v in value]
    if isinstance(value, dict):
        return {_NAMES.get(k) or written.snake(k): library(v) for k, v in value.items()}
    return value


_CQ = {"compute.googleapis.com/Instance": "gcp_compute_instances",
       "compute.googleapis.com/Firewall": "gcp_compute_firewalls",
       "compute.googleapis.com/Network": "gcp_compute_networks",
       "iam.googleapis.com/ServiceAccount": "gcp_iam_service_accounts"}  # fmt: skip
_COLUMNS = {
    "gcp_compute_instances": "networkInterfaces serviceAccounts tags status zone metadata labels disks",
    "gcp_compute_firewalls": "network direction priority disabled allowed denied sourceRanges sourceTags "
                             "destinationRanges sourceServiceAccounts targetTags targetServiceAccounts",
    "gcp_compute_networks": "subnetworks peerings", "gcp_iam_service_accounts": "email uniqueId disabled",
}  # fmt: skip


def by_cloudquery(assets: Iterable[Asset], form: str = "json") -> Iterator[Report]:
    found: dict[str, list[Row]] = defaultdict(list)
    about = {"_cq_id": "1", "_cq_sync_time": "2026-11-01", "project_id": google.P}
    for asset in assets:
        data, kind = _at(asset, "resource.data") or {}, asset["assetType"]
        if table := _CQ.get(kind):
            path = asset["name"].partition(".googleapis.com/")[2]
            row = {written.snake(k): data.get(k) for k in _COLUMNS[table].split()}
            row |= {k: v for k, v in _ALWAYS.get(kind, {}).items() if row.get(k) is None}
            row = {k: v if k == "labels" else library(v) for k, v in row.items()}
            found[table].append({**about, "name": path.rpartition("/")[2], **row,
                                 "self_link": f"{_LINKS['compute']}/{path}"})  # fmt: skip
        elif kind.endswith("/Project"):
            found["gcp_projects"].append({**about, "name": "projects/1001", "state": "ACTIVE",
                                          "labels": None})  # fmt: skip
            if asset.get("iamPolicy") is not None:
                found["gcp_resourcemanager_project_policies"].append(
                    {**about, "bindings": _at(asset, "iamPolicy.bindings"), "etag": "e"})  # fmt: skip
    for table, rows in found.items():
        parts = ("sync", table, f"1.{form}")
        yield Report(written.written(rows, form), "/".join(parts), parts)


@pytest.mark.parametrize("form", ["json", "csv", "parquet"])
def test_machines_by_rows_of_cloudquery(form: str) -> None:
    kept: Counter[tuple[str, str]] = Counter()
    for uid, name, assets, value, _ in ROWS[:: 1 if form == "json" else 5]:
        there = [a for a in assets if a["assetType"] in _CQ]
        if uid not in (google.VM, *(a["name"] for a in there if "Firewall" in a["assetType"])):
            continue
        raw = google.estate(*there)
        raw.covered.clear()
        wanted, records = judged(raw, uid), []
        for report in by_cloudquery(there, form):
            assert cloudquery.recognise(head_of(report.data, report.name)) >= 80
            records += list(cloudquery.read(report))
        if any(isinstance(r, Skipped) for r in records):
            continue
        found = judged(estate_of(records), uid)
        assert wanted is not None and found is not None
        kept[wanted.value, found.value] += 1
        assert found.value in (wanted.value, "unknown") and (value, found.value) != ("yes", "no"), (
            name
        )
    assert kept["yes", "yes"] > (20 if form == "json" else 3) and kept["yes", "unknown"] == 0, kept


def test_power_by_rows_of_cloudquery() -> None:
    for role, value in (("roles/owner", "yes"), ("roles/viewer", "unknown")):
        assets = [google.project(google.bind(role, google.MEMBER)), google.account(),
                  google.machine(labels={"a_b": "c"})]  # fmt: skip
        records = [r for report in by_cloudquery(assets) for r in cloudquery.read(report)]
        found = {s.resource: s.value for s in privilege(estate_of(records))}
        assert found[google.SA] == found[google.VM] == value
        assert next(r.tags for r in records if isinstance(r, Resource) and r.uid == google.VM) == {
            "a_b": "c"}  # fmt: skip


# Cartography


class Graph(exported_graph.Blank):
    """Assets as the models of Cartography keep them: policies as bindings, members without their kind."""

    def __init__(self, assets: Iterable[Asset]) -> None:
        super().__init__()
        for asset in assets:
            self.draw(asset)

    def draw(self, asset: Asset) -> None:
        uid, kind, data = asset["name"], asset["assetType"], _at(asset, "resource.data") or {}
        word = kind.rpartition("/")[2]
        if word == "Project":
            self.plain("GCPProject", data["projectId"], "Tenant", lifecyclestate="ACTIVE",
                       projectnumber=data["projectNumber"], displayname=data["name"])  # fmt: skip
        elif word == "ServiceAccount" and "email" in data:
            self.plain("GCPServiceAccount", data["email"], "ServiceAccount", email=data["email"],
                       project_id=google.P, disabled=False)  # fmt: skip
        elif word == "Role" and "includedPermissions" in data:
            self.plain("GCPRole", data["name"], "PermissionRole", name=data["name"],
                       permissions=data["includedPermissions"], scope="PROJECT")  # fmt: skip
        elif word == "Bucket":
            settings = data.get("iamConfiguration", {})
            self.plain("GCPBucket", data["name"], bucket_id=data["name"],
                       iam_config_public_access_prevention=settings.get(
                           "publicAccessPrevention", "inherited"),
                       iam_config_bucket_policy_only=_at(
                           settings, "uniformBucketLevelAccess.enabled") or False)  # fmt: skip
        place = f"{google.CRM}/projects/{google.P}" if word == "Project" else uid
        for number, binding in enumerate(_at(asset, "iamPolicy.bindings") or []):
            condition = binding.get("condition") or {}
            members = binding["members"]
            self.plain("GCPPolicyBinding", f"{place}-{number}", resource=place, role=binding["role"],
                       members=[m.partition(":")[2] for m in members if ":" in m],
                       is_public=bool({"allUsers", "allAuthenticatedUsers"} & set(members)),
                       has_condition=bool(condition), condition_title=condition.get("title"),
                       condition_expression=condition.get("expression"))  # fmt: skip


@pytest.mark.parametrize(("assets", "value"), [c[1:3] for c in google.POWERS],
                         ids=[c[0] for c in google.POWERS])  # fmt: skip
@pytest.mark.parametrize("form", ["lines", "json"])
def test_power_of_an_account_by_a_graph(assets: list[Asset], value: str, form: str) -> None:
    report = Graph(assets).report(form)
    assert cartography.recognise(head_of(report.data, report.name)) >= 80
    found = {s.resource: s for s in privilege(estate_of(cartography.read(report)))}[google.SA]
    assert found.value == ("unknown" if value == "no" else value), found.evidence


@pytest.mark.parametrize(
    "label", ["GCPProject", "GCPServiceAccount", "GCPRole", "GCPPolicyBinding"]
)
def test_nodes_that_were_not_exported_take_no_power(label: str) -> None:
    for name, assets, _, _ in google.POWERS:
        graph = Graph(assets)
        graph.entries = [e for e in graph.entries if label not in e.get("labels", ())]
        records = list(cartography.read(graph.report())) if graph.entries else []
        found = {s.resource: s for s in privilege(estate_of(records))}.get(google.SA)
        assert found is None or found.value != "no", name


def test_public_things_of_a_graph() -> None:
    kept: Counter[tuple[str, str]] = Counter()
    words = ("Bucket", "Topic", "Subscription", "Secret", "CryptoKey", "KeyRing", "ServiceAccount")
    for uid, name, assets, value, _ in ROWS:
        own = next((a for a in assets if a["name"] == uid), None)
        if own is None or own["assetType"].rpartition("/")[2] not in words:
            continue
        graph = Graph(assets)
        if not graph.entries:
            continue
        found = judged(estate_of(cartography.read(graph.report())), uid)
        if found is not None:
            kept[value, found.value] += 1
            # Perimeters and rules of the organisation are not read, ACLs are not kept.
            assert (value, found.value) != ("yes", "no"), (uid, name, found)
            outside = any(w in name for w in ("perimeter", "prevention above", "organisation", "restrict"))  # fmt: skip
            closed = any("ccesscontext" in a["assetType"] or a.get("orgPolicy") for a in assets)
            assert (value, found.value) != ("no", "yes") or outside or closed, (uid, name, found)
    assert kept["yes", "yes"] > 30 and kept["no", "unknown"] > 20, kept


def test_machines_of_a_graph_have_their_account_and_no_addresses() -> None:
    graph = Graph([google.project(google.bind("roles/owner", google.MEMBER)), google.account()])
    link = "https://www.googleapis.com/compute/v1/" + google.VM.partition(".com/")[2]
    graph.plain("GCPInstance", "vm", self_link=link, instancename="web", status="RUNNING",
                service_account_email=google.MEMBER.partition(":")[2], public_ip="34.1.2.3",
                service_account_scopes=["https://www.googleapis.com/auth/cloud-platform"])  # fmt: skip
    estate = estate_of(cartography.read(graph.report()))
    assert {s.resource: s.value for s in privilege(estate)}[google.VM] == "yes"
    assert {s.resource: s.value for s in exposure(estate)}[google.VM] == "unknown"
    stopped = [e for e in graph.entries if "GCPInstance" in e["labels"]]
    stopped[0]["properties"]["status"] = "TERMINATED"
    estate = estate_of(cartography.read(graph.report()))
    assert {s.resource: s.value for s in exposure(estate)}[google.VM] == "no"


def test_members_of_whom_nothing_says_what_they_are_hold_nothing() -> None:
    graph = Graph([google.project(google.bind("roles/owner", "user:ana@x.test"))])
    records = list(cartography.read(graph.report()))
    assert not [r for r in records if isinstance(r, Resource) and "ana@" in r.uid]
    graph.plain("GSuiteUser", "1", email="ana@x.test")
    found = {s.resource: s.value for s in privilege(estate_of(cartography.read(graph.report())))}
    assert found["user:ana@x.test"] == "yes"


@pytest.mark.parametrize(("label", "change", "reason"), [
    ("GCPProject", {"projectnumber": None}, "lacks 'projectnumber'"),
    ("GCPServiceAccount", {"email": None}, "lacks 'email'"),
])  # fmt: skip
def test_broken_nodes_are_counted(label: str, change: Row, reason: str) -> None:
    graph = Graph([google.project(), google.account(), google.custom("a.b.c")])
    node = next(e for e in graph.entries if label in e.get("labels", ()))
    node["properties"] = {k: v for k, v in (node["properties"] | change).items() if v is not None}
    (skipped,) = (r for r in cartography.read(graph.report()) if isinstance(r, Skipped))
    assert reason in skipped.reason and not skipped.harmless
    binding = graph.plain("GCPPolicyBinding", "b", resource=7, members="x", role=None, is_public=1)
    assert binding and list(cartography.read(graph.report()))


def test_policies_of_resources_without_settings_are_counted() -> None:
    graph = Graph([])
    graph.plain("GCPPolicyBinding", "b", resource="//run.googleapis.com/projects/p/locations/l/services/s",
                role="roles/run.invoker", is_public=True, has_condition=False, members=[])  # fmt: skip
    (skipped,) = cartography.read(graph.report())
    assert isinstance(skipped, Skipped) and "settings the graph does not keep" in skipped.reason
