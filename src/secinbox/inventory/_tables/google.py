"""Tables of Google Cloud as the lists of gcloud that say the same.

Only those are read whose columns hold all that decides. A table may have been filtered: each resource says
so (`Item.unfinished("name")`), and a "no" that rests on what else there is becomes unknown. Objects within
CloudQuery's columns bear the names of its client library (`network_i_p` for `networkIP`). Sources: the
column lists of the GCP plugins of both (hub.steampipe.io, hub.cloudquery.io).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from secinbox.estate import PARTIAL
from secinbox.inventory._tables.columns import Field, fields_of, formed, put
from secinbox.inventory._tables.naming import GOOGLE, named_in
from secinbox.inventory._tables.rows import Row, decoded
from secinbox.inventory.gcp.assets import (
    Asset,
    name_of_link,
    principals_of,
    record_of,
    relations_of,
)
from secinbox.inventory.gcp.lists import listed
from secinbox.reading import ReportError
from secinbox.records import AnyRecord, Skipped


@dataclass(frozen=True)
class Table:
    """`kind`: what the API calls it, or how its name is written, `{column}` for the value of a column;
    "" where its address says the name."""

    name: str
    kind: str
    fields: tuple[Field, ...]


def _table(name: str, kind: str, fields: str) -> Table:
    return Table(name, kind, fields_of(fields))


ALL: tuple[Table, ...] = (
    _table("gcp_project", "{name}", "projectId!:s projectNumber!:s lifecycleState!:s parent? labels?"),
    _table("gcp_iam_policy", "", "bindings!"),
    _table("gcp_iam_role", "{name}", "includedPermissions! title?:s stage?:s deleted?:b"),
    _table("gcp_service_account", "projects/{project}/serviceAccounts/{email}",
           "email!:s uniqueId?:s displayName?:s disabled:b"),
    _table("gcp_compute_instance", "compute#instance",
           "selfLink!:s id?:s status!:s networkInterfaces! serviceAccounts tags.items=network_tags zone?:s "
           "labels? metadata? scheduling? shieldedInstanceConfig? disks? canIpForward?:b"),
    _table("gcp_compute_firewall", "compute#firewall",
           "selfLink!:s network!:s direction!:s priority!:i disabled:b allowed denied sourceRanges "
           "destinationRanges sourceTags sourceServiceAccounts targetTags targetServiceAccounts"),
    _table("gcp_compute_network", "compute#network",
           "selfLink!:s autoCreateSubnetworks?:b subnetworks? peerings?"),
    _table("gcp_compute_image", "compute#image", "selfLink!:s status?:s sourceDisk?:s labels?"),
    _table("gcp_storage_bucket", "storage#bucket",
           "selfLink!:s projectNumber?:s location?:s labels? acl defaultObjectAcl=default_object_acl "
           "iamConfiguration.publicAccessPrevention:s=iam_configuration_public_access_prevention "
           "iamConfiguration.uniformBucketLevelAccess.enabled!:b"
           "=iam_configuration_uniform_bucket_level_access_enabled"),
    _table("gcp_bigquery_dataset", "bigquery#dataset", "selfLink!:s access! location?:s labels?"),
    _table("gcp_kms_key", "", "purpose?:s rotationPeriod?:s labels?"),
    _table("gcp_pubsub_topic", "", "kmsKeyName?:s labels?"),
    _table("gcp_pubsub_subscription", "", "topic?:s labels?"),
)  # fmt: skip
_MACHINE = ("selfLink!:s status!:s networkInterfaces! serviceAccounts tags zone?:s labels? metadata? "
            "scheduling? shieldedInstanceConfig? disks? canIpForward?:b")  # fmt: skip
_WALL = ("selfLink!:s network!:s direction!:s priority!:i disabled:b allowed denied sourceRanges "
         "destinationRanges sourceTags sourceServiceAccounts targetTags targetServiceAccounts")  # fmt: skip
CLOUDQUERY: tuple[Table, ...] = (
    _table("gcp_projects", "{name}", "projectId!:s projectNumber!:s=name lifecycleState!:s=state labels?"),
    _table("gcp_resourcemanager_project_policies", "", "bindings!"),
    _table("gcp_iam_service_accounts", "projects/{project_id}/serviceAccounts/{email}",
           "email!:s uniqueId?:s displayName?:s disabled:b"),
    _table("gcp_compute_instances", "compute#instance", _MACHINE),
    _table("gcp_compute_firewalls", "compute#firewall", _WALL),
    _table("gcp_compute_networks", "compute#network", "selfLink!:s subnetworks? peerings?"),
)  # fmt: skip
TABLES = {table.name: table for table in (*ALL, *CLOUDQUERY)}
_POLICIES = ("gcp_iam_policy", "gcp_resourcemanager_project_policies")
# What a table is known by where no name says it.
_MARKS = {
    "gcp_compute_instance": {"machine_type", "network_interfaces", "zone_name"},
    "gcp_compute_firewall": {"source_ranges", "target_tags", "direction"},
    "gcp_storage_bucket": {"storage_class", "iam_configuration_public_access_prevention"},
    "gcp_bigquery_dataset": {"dataset_id", "access"},
}


def _table_of(stem: str, columns: frozenset[str]) -> Table | None:
    if stem:
        found = TABLES.get(stem)
        return found if found and (found in CLOUDQUERY) is ("_cq_id" in columns) else None
    return next((TABLES[n] for n, marks in _MARKS.items() if marks <= columns), None)


def recognises(name: str, columns: frozenset[str]) -> int:
    """How surely rows with these columns, in a file of this name, are of Google Cloud, 0 to 100."""
    stem = named_in(name, GOOGLE)
    table = _table_of(stem, columns)
    if stem and (columns >= {"akas", "title"} or "_cq_id" in columns):
        return 94  # perhaps to be refused by name
    if table is None:
        return 0
    told = {f.column for f in table.fields}
    return 90 if "akas" in columns else 86 if stem and columns & told else 0


def records(rows: Iterator[tuple[str, Row]], path: str) -> Iterator[AnyRecord]:
    """What the rows of one export say. Raises ReportError for a table that is not read."""
    stem = named_in(path, GOOGLE)
    lacking: Counter[str] = Counter()
    assets: list[Asset] = []
    for place, raw in rows:
        row = decoded(raw)
        table = _table_of(stem, frozenset(row))
        if table is None:
            raise ReportError(f"the table {stem or 'of these rows'} is not read", place,
                              "import what the cloud's own tools print; docs/guides/clouds.md says how")  # fmt: skip
        data, missing = _data(table, row)
        if missing:
            lacking[f"rows of {table.name} lack {', '.join(missing)} and say nothing without: export all "
                    "columns"] += 1  # fmt: skip
            continue
        asset = _asset(table, row, data, place)
        if asset is None:
            raise ReportError(f"a row of {table.name} that does not say of what", place, "export all columns")  # fmt: skip
        policy = row.get("iam_policy")
        if isinstance(policy, dict) and table.name not in _POLICIES:
            asset.policy = policy
        project = row.get("project")
        if isinstance(project, str) and not asset.ancestors and asset.uid.count("/projects/") == 0:
            asset.ancestors = [f"projects/{project}"]
        assets.append(asset)
    yield from told(
        assets, f"it comes from rows of {stem or 'a table'}, of which some may be missing"
    )
    for reason, count in sorted(lacking.items()):
        yield Skipped(reason=reason, count=count)


def told(assets: list[Asset], why: str) -> Iterator[AnyRecord]:
    """What assets say that may be a part of what there is."""
    for asset in assets:
        record = record_of(asset)
        config = msgspec.json.decode(record.config, type=dict[str, Any])
        config |= {"name": config.get("name") or record.name, PARTIAL: {"name": why}}
        record.config = msgspec.json.encode(config).decode()
        yield record
        yield from relations_of(asset)
    yield from principals_of(assets)


def _data(table: Table, row: Row) -> tuple[Row, list[str]]:
    """The resource as the API answers it, and columns that were not exported."""
    value: Row = {}
    missing = []
    for field in table.fields:
        found = formed(field, row.get(field.column))
        if "_cq_id" in row:
            found = found if field.path == ("labels",) else _camel(found)
            if field.path == ("projectNumber",):
                found = str(found or "").removeprefix("projects/") or None
        if found is None:
            if field.always or (field.wanted and field.column not in row):
                missing.append(field.column)
            continue
        put(value, field.path, found)
    return value, missing


def _camel(value: Any, depth: int = 0) -> Any:
    """Objects with the API's own names: `nat_i_p` -> `natIP`, `I_p_protocol` -> `IPProtocol`."""
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, list):
        return [_camel(v, depth + 1) for v in value]
    if not isinstance(value, dict):
        return value
    return {_KEY.sub(lambda m: m.group(1).upper(), _IP.sub("IP", str(k)).replace("I_p_", "IP_")):
            _camel(v, depth + 1) for k, v in value.items()}  # fmt: skip


_MAX_DEPTH = 60
_IP, _KEY = re.compile(r"_i_p\b"), re.compile(r"_([a-zA-Z0-9])")


def _asset(table: Table, row: Row, data: Row, place: str) -> Asset | None:
    if table.name in _POLICIES:
        project = row.get("project") or row.get("project_id")
        policy = {k: row[k] for k in ("version", "etag", "bindings") if row.get(k) is not None}
        return Asset(uid=f"//cloudresourcemanager.googleapis.com/projects/{project}", alone=True,
                     type="gcp_cloudresourcemanager_project", policy=policy, place=place
                     ) if isinstance(project, str) and project else None  # fmt: skip
    name = row.get("name")
    if "#" in table.kind:
        data = {"kind": table.kind, "name": name, **data}
    elif table.kind:
        try:
            data = {"name": table.kind.format_map(row), **data}
        except KeyError:
            return None
    else:  # https://cloudkms.googleapis.com/v1/projects/...
        path = name_of_link(str(row.get("self_link") or ""))
        data = {"name": path.partition(".googleapis.com/")[2], **data}
    return listed(data, place)
