"""Crown jewels: what a path may end at, and why it matters.

Declared ones win; else power over an account or a cluster, data marked as restricted by its owner,
secrets, audit logs, copies of such data, and, where nobody marks anything, databases in production.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from secinbox.estate import Estate, Item
from secinbox.iam.marks import marked
from secinbox.paths.graph import State

_CLASS = re.compile(
    r"data[_\-: ]?class(ification)?|classification|sensitivity|confidentiality", re.I
)
_HARMLESS = re.compile(r"public|open|none|low|internal[_\- ]?public|non[_\- ]?sensitive", re.I)
_PRODUCTION = re.compile(r"(prod|production|prd|live)([-_].*)?", re.I)
_SECRETS = (
    "aws_secretsmanager_secret", "azure_microsoft_keyvault_vaults", "gcp_secretmanager_secret",
    "azure_microsoft_keyvault_vaults_secrets",
)  # fmt: skip
_DATABASES = (
    "aws_rds_instance", "aws_rds_cluster", "aws_redshift_cluster", "aws_docdb_cluster",
    "aws_neptune_cluster", "aws_dynamodb_table",
)  # fmt: skip
# Databases and stores of other clouds, by the end of their type.
_OTHER_DATABASES = (
    "sql_servers_databases", "sql_managedinstances", "flexibleservers", "dbforpostgresql_servers",
    "dbformysql_servers", "documentdb_databaseaccounts", "gcp_sqladmin_instance", "spanner_database",
    "firestore_database", "bigtableadmin_instance", "bigquery_dataset", "alloydb_cluster",
)  # fmt: skip
_OTHER_STORES = ("gcp_storage_bucket", "storage_storageaccounts", "blobservices_containers")
STORES = (
    "aws_s3_bucket", *_DATABASES, *_SECRETS, "aws_ssm_parameter", "aws_ec2_snapshot",
    "aws_ec2_volume", "aws_rds_snapshot", "aws_rds_cluster_snapshot", "aws_efs_file_system",
    "aws_elasticfilesystem_file_system", "aws_opensearch_domain", "aws_sqs_queue", "aws_sns_topic",
    "aws_kinesis_stream", "aws_kms_key", "aws_ecr_repository", "aws_ec2_image",
    "aws_logs_log_group", "aws_elasticache_cluster", "aws_cloudtrail_trail", "aws_backup_vault",
)  # fmt: skip
_TELLING = re.compile(
    r"(?<![a-z])(backups?|dumps?|customers?|pii|phi|payroll|kyc|hr|tfstate|terraform-?state|cards?|"
    r"payments?|patients?|medical|secrets?|credentials?|invoices?|finance)(?![a-z])", re.I
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Jewel:
    """A target: the resource, the state of an attacker who has it, and what its loss means."""

    uid: str
    state: State
    why: str
    impact: str  # critical | high | medium


def jewels(estate: Estate, crown: dict[str, str] | None = None) -> Iterator[Jewel]:
    """Every crown jewel of an estate, in order of uid; accounts and clusters are always some."""
    declared = crown or {}
    trails = {
        str(i.config.get("S3BucketName")): i.uid for i in estate.of_type("aws_cloudtrail_trail")
    }
    stores = estate.once("paths.stores", lambda: [
        i.uid for i in estate.items.values()
        if i.type in STORES or i.type == "kubernetes_secret"
        or i.type.startswith(("azure_", "gcp_"))
    ])  # fmt: skip
    # Who marks what is restricted says by silence that the rest is not.
    marking = {
        i.account for i in map(estate.items.__getitem__, stores) if i.type in STORES and marked(i)
    }
    for uid in sorted({*stores, *(declared.keys() & estate.items.keys())}):
        item = estate.items[uid]
        if uid in declared:
            yield Jewel(uid, (_loss(item), uid), declared[uid], "critical")
            continue
        if item.type == "kubernetes_secret":
            told = worth(item)
            if told:
                yield Jewel(uid, ("read", uid), told, "high")
            continue
        found = _why(estate, item, trails, item.account in marking)
        if found:
            yield Jewel(uid, ("read", uid), *found)


# Types of Kubernetes secrets that are credentials by themselves.
SECRET_TYPES = {
    "kubernetes.io/tls": "holds a private key",
    "kubernetes.io/dockerconfigjson": "holds the sign-in of a registry",
    "kubernetes.io/dockercfg": "holds the sign-in of a registry",
    "kubernetes.io/basic-auth": "holds a password",
    "kubernetes.io/ssh-auth": "holds a private key",
    "kubernetes.io/service-account-token": "holds the token of a service account",
    "bootstrap.kubernetes.io/token": "holds a token that joins nodes",
}
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?|secret|token|credential|api-?key|private|vault|access-?key|"
    r"connection|dsn|admin|root", re.I
)  # fmt: skip


def worth(item: Item) -> str:
    """Why a Kubernetes secret matters; empty where neither its type nor a name says so."""
    kind = str(item.config.get("type") or "")
    if kind in SECRET_TYPES:
        return SECRET_TYPES[kind]
    fields = item.config.get("data") or item.config.get("stringData") or {}
    names = [item.name, *(fields if isinstance(fields, dict) else ())]
    if kind in ("", "Opaque") and any(_SECRET_NAME.search(n) for n in names):
        return "is a secret of its applications (a guess from its name)"
    return ""


def _why(estate: Estate, item: Item, trails: dict[str, str], marks: bool) -> tuple[str, str] | None:
    text = marked(item)
    if text:
        return f"marked {text}", "critical"
    if item.type == "aws_s3_bucket" and item.uid.rpartition(":")[2] in trails:
        return "holds the audit logs", "high"
    if item.type == "aws_cloudtrail_trail" and item.config.get("S3BucketName"):
        return "is the audit trail", "high"
    if item.type in _SECRETS and (item.config.get("Name") or item.config):
        return "is a secret", "high"
    if item.type == "aws_ssm_parameter" and item.config.get("Type") == "SecureString":
        return "is a secret parameter", "high"
    if item.type == "gcp_workspace":
        return "holds everybody's mail and files", "high"
    if harmless(item):
        return None
    for source in estate.targets(item.uid, "snapshot_of"):
        origin = estate.find(source)
        if origin is not None and origin.uid != item.uid:
            found = _why(estate, origin, trails, marks)
            if found:
                return f"is a copy of {origin.name or origin.uid}, which {found[0]}", found[1]
    if item.type in ("aws_rds_snapshot", "aws_rds_cluster_snapshot"):
        return "is a copy of a database", "high"
    if marks:
        return None
    named = _TELLING.search(item.name or item.uid.rsplit("/", 1)[-1])
    database = item.type in _DATABASES or item.type.endswith(_OTHER_DATABASES)
    if named and (item.type == "aws_s3_bucket" or database or item.type.endswith(_OTHER_STORES)):
        return f"is named after {named.group(1).lower()} (a guess from its name)", "high"
    if database and _in_production(item):
        return "is a database in production (not marked by its owner)", "high"
    return None


_ACTORS = ("_iam_role", "_iam_user", "_service_account", "serviceaccount", "entra_user",
           "entra_serviceprincipal")  # fmt: skip
_RUNS = ("instance", "function", "service", "task", "pod", "deployment", "statefulset",
         "daemonset", "virtualmachines", "web_sites", "containerapps")  # fmt: skip


def _loss(item: Item) -> str:
    """What losing it means: somebody acts as it, runs code on it, or reads it."""
    if item.type.endswith(_ACTORS):
        return "cred"
    databases = item.type in _DATABASES or "sql" in item.type
    return "exec" if item.type.endswith(_RUNS) and not databases else "read"


def harmless(item: Item) -> bool:
    """Its owner says that the data is public or of no value."""
    return any(
        _CLASS.fullmatch(k.strip()) and _HARMLESS.fullmatch(v.strip()) for k, v in item.tags.items()
    )


def _in_production(item: Item) -> bool:
    return any(
        k.lower() in ("env", "environment") and _PRODUCTION.fullmatch(v)
        for k, v in item.tags.items()
    )
