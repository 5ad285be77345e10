"""Google Cloud: names, projects and what is worth taking."""

from __future__ import annotations

from secinbox.estate import Estate, Item
from secinbox.facts.store import Facts

SECRETS = ("gcp_secretmanager_secret",)
DATABASES = (
    "gcp_sqladmin_instance", "spanner_database", "firestore_database", "bigtableadmin_instance",
    "bigquery_dataset", "alloydb_cluster",
)  # fmt: skip
BUCKETS = ("gcp_storage_bucket",)
ACTORS = ("_service_account",)
_WORDS = {"serviceAccount": "service account", "b": "bucket"}


def named(uid: str, item: Item | None) -> str:
    """What is not listed, and what projects and folders are called: by the last words of the name."""
    if item is not None and not item.type.startswith("gcp_cloudresourcemanager"):
        return ""
    if ".googleapis.com/" not in uid:
        return ""
    words = uid.split("/")
    kind = words[-2].removesuffix("s") if len(words) > 4 else "resource"
    return f"{_WORDS.get(kind, kind)} {words[-1]}"


def owner(estate: Estate, item: Item) -> str:
    """The project of a resource, if it is listed."""
    if not item.account or not item.uid.startswith("//"):
        return ""
    project = estate.find(f"//cloudresourcemanager.googleapis.com/projects/{item.account}")
    return project.uid if project is not None else ""


def holds(item: Item) -> bool:
    """Every resource, as its owner may have marked it."""
    return item.type.startswith("gcp_")


def worth(estate: Estate, item: Item) -> tuple[str, str] | None:
    """A Workspace: what its administrators delegate is everybody's."""
    return ("holds everybody's mail and files", "high") if item.type == "gcp_workspace" else None


def keys(facts: Facts) -> dict[str, str]:
    """A key file names the account, and itself."""
    found = facts.rows(
        "SELECT uid FROM resources WHERE type IN "
        "('gcp_iam_service_account', 'gcp_iam_service_account_key')"
    )
    return {uid.rsplit("/", 1)[-1]: uid.partition("/keys/")[0] for (uid,) in found}
