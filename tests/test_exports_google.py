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
from secinbox.inventory import cloudquery, steampipe
from secinbox.network.gcp import exposure
from secinbox.reading import Report, ReportError, head_of
from secinbox.records import AnyRecord, Resource, RiskStatement, Scope, Skipped
from tests import exported_azure as written
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


def test_tables_of_cloudquery_are_refused_by_name() -> None:
    with pytest.raises(ReportError, match="Google Cloud are not read"):
        told(
            "gcp_storage_buckets", {"_cq_id": "1", "project_id": "p", "name": "b"}, tool=cloudquery
        )
