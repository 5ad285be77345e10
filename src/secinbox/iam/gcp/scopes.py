"""Access scopes of Compute Engine: what a machine's tokens are worth of its account's roles.

Without the whole scope, only the calls of the APIs that a scope names are taken. Source: Google's list
"OAuth 2.0 Scopes for Google APIs", and "Service accounts: access scopes" of Compute Engine.
"""

from __future__ import annotations

from secinbox.estate import Item
from secinbox.iam.gcp.permissions import READS

_PREFIX = "https://www.googleapis.com/auth/"
_Table = dict[str, tuple[str, ...]]
_READ_STORAGE: _Table = {"gcp_storage_bucket": ("storage.objects.get",)}
_READ_TABLES: _Table = dict.fromkeys(
    ("gcp_bigquery_dataset", "gcp_bigquery_table"), ("bigquery.tables.getData",)
)
_SPANNER = {k: READS[k] for k in ("gcp_spanner_database", "gcp_spanner_instance")}
_BIGTABLE = {k: READS[k] for k in ("gcp_bigtableadmin_instance", "gcp_bigtableadmin_table")}
_BY_SCOPE: dict[str, _Table] = {
    "devstorage.read_only": _READ_STORAGE,
    "devstorage.read_write": _READ_STORAGE,
    "devstorage.full_control": {"gcp_storage_bucket": READS["gcp_storage_bucket"]},
    "cloud-platform.read-only": {**_READ_STORAGE, **_READ_TABLES},
    "bigquery": {k: READS[k] for k in ("gcp_bigquery_dataset", "gcp_bigquery_table")},
    "bigquery.readonly": _READ_TABLES,
    "datastore": {"gcp_firestore_database": READS["gcp_firestore_database"]},
    "pubsub": {k: READS[k] for k in ("gcp_pubsub_subscription", "gcp_pubsub_topic")},
    "sqlservice.admin": {"gcp_sqladmin_instance": READS["gcp_sqladmin_instance"]},
    "spanner.data": _SPANNER,
    "bigtable.data": _BIGTABLE,
    "bigtable.data.readonly": _BIGTABLE,
    "cloud-bigtable.data": _BIGTABLE,
    "cloud-bigtable.data.readonly": _BIGTABLE,
}


def scopes_of(machine: Item) -> tuple[str, ...] | None:
    """In short, `devstorage.read_only`; None where nobody read them."""
    accounts = machine.config.get("serviceAccounts")
    out: list[str] = []
    for account in accounts if isinstance(accounts, list) else ():
        scopes = account.get("scopes") if isinstance(account, dict) else None
        if not isinstance(scopes, list):
            return None
        out += [str(s).removeprefix(_PREFIX) for s in scopes]
    return tuple(out)


def usable(machine: Item, kind: str) -> tuple[tuple[str, ...], str]:
    """Permissions that read stores of this type and that a scope covers, and that scope."""
    for scope in scopes_of(machine) or ():
        found = _BY_SCOPE.get(scope, {}).get(kind)
        if found:
            return found, scope
    return (), ""
