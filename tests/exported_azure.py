"""Resources of Azure as tables of CloudQuery and Steampipe would have them.

CloudQuery has the parts of an answer in columns of their own (`sku`, `identity`, `properties`); Steampipe
the fields of `properties`, at the places that its plugin declares (`azure_columns.tsv`).
"""

from __future__ import annotations

import io
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from secinbox.reading import Report
from tests.exported import as_csv, cell

Row = dict[str, Any]
COLUMNS: dict[str, tuple[str, dict[str, str]]] = {}
for line in (Path(__file__).parent / "azure_columns.tsv").read_text().splitlines()[1:]:
    name, kind, rest = line.split("\t")
    COLUMNS[kind.lower()] = (name, dict(c.partition("=")[::2] for c in rest.split(" ")))
_PARTS = ("id", "name", "type", "location", "tags", "properties", "identity", "kind", "sku", "zones",
          "plan", "managed_by", "extended_location")  # fmt: skip


def type_of(row: Row) -> str:
    """`microsoft.sql/servers/firewallrules`, by the id."""
    space, word, *more = row["id"].split("/providers/")[-1].split("/")
    return "/".join([space, word, *more[1::2]]).lower()


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def cloudquery_row(row: Row) -> Row:
    about = {"_cq_id": "1", "_cq_parent_id": None, "_cq_sync_time": "2026-11-01", "_cq_source_name": "azure",
             "subscription_id": row["id"].split("/")[2]}  # fmt: skip
    return about | dict.fromkeys(_PARTS) | {snake(k): v for k, v in row.items()}


def cloudquery(rows: Iterable[Row], form: str = "json") -> Iterator[Report]:
    """form: json | csv | parquet. A table a type."""
    tables: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        tables["azure_" + re.sub(r"\W", "_", type_of(row))].append(cloudquery_row(row))
    for table, found in tables.items():
        parts = ("sync", table, f"1.{form}")
        yield Report(written(found, form), "/".join(parts), parts)


def written(rows: list[Row], form: str) -> bytes:
    if form == "json":
        return "\n".join(map(json.dumps, rows)).encode()
    if form == "rows":
        return json.dumps(rows).encode()
    if form == "csv":
        return as_csv(rows)
    made = io.BytesIO()
    flat = [{k: cell(v) or None for k, v in r.items()} for r in rows]
    pq.write_table(pa.Table.from_pylist(flat), made)
    return made.getvalue()


def _at(row: Row, path: str) -> Any:
    """The value at `properties.networkAcls.ipRules`, its keys in any case."""
    found: Any = row
    for word in path.split("."):
        inner = found if isinstance(found, dict) else {}
        names = (word.lower(), "networkruleset" if word == "networkAcls" else "")
        found = next((v for k, v in inner.items() if k.lower() in names), None)
    return found


# What the API fills in where nobody said anything.
_ALWAYS: dict[str, Row] = {
    "microsoft.network/publicipaddresses": {"sku_name": "Basic", "public_ip_address_version": "IPv4"},
    "microsoft.network/loadbalancers": {"sku_name": "Basic", "frontend_ip_configurations": []},
    "microsoft.storage/storageaccounts": {"kind": "StorageV2", "network_rule_default_action": "Allow"},
    "microsoft.sql/servers": {"public_network_access": "Enabled"},
    "microsoft.dbformysql/flexibleservers": {"network": {}},
    "microsoft.dbforpostgresql/flexibleservers": {"network": {}},
    "microsoft.compute/disks": {"disk_state": "Unattached"},
}  # fmt: skip


def steampipe_row(row: Row) -> Row | None:
    """None for types of which no table is read."""
    if type_of(row) not in COLUMNS:
        return None
    columns = {c: _at(row, p) for c, p in COLUMNS[type_of(row)][1].items()}
    for column, value in _ALWAYS.get(type_of(row), {}).items():
        if columns[column] is None:
            columns[column] = value
    if "statuses" in columns and columns["statuses"] is None:
        word = _at(row, "properties.extended.instanceView.powerState.code") or "PowerState/running"
        columns["statuses"] = [{"code": word}]
    return {"id": row["id"], "name": row.get("name"), "type": row.get("type"), "title": row.get("name"),
            "akas": [row["id"]], "region": row.get("location"), "resource_group": "shop",
            "tags": row.get("tags"), "cloud_environment": "AZUREPUBLICCLOUD", **columns,
            "subscription_id": row["id"].split("/")[2]}  # fmt: skip


def steampipe(rows: Iterable[Row], form: str = "rows") -> Iterator[Report]:
    """form: rows | csv. Rows of other types are left out."""
    tables: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        made = steampipe_row(row)
        if made is not None:
            tables[COLUMNS[type_of(row)][0]].append(made)
    for table, found in tables.items():
        yield Report(written(found, form), f"export/{table}.{'csv' if form == 'csv' else 'json'}")
