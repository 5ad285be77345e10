"""Azure and Google Cloud: what anyone can read or reach, and who controls a subscription or project.

The answers are those of the detected risks; canonical names are checks of Prowler, where the two
say the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.estate import Item
from secinbox.iam.gcp import Google
from secinbox.iam.marks import marked
from secinbox.posture._stating import Known, Rule, known_of, texts
from secinbox.records import Finding
from secinbox.risks import Assessment

_ANYONE = "no_authorization"
_GOOGLE = "Remove allUsers and allAuthenticatedUsers from its IAM policy."
_RULES: dict[str, Rule] = {
    "gcp_storage_bucket": Rule(
        "secinbox-gcs-public", "Bucket is open to anyone",
        "Anyone may read the objects, or what else the role allows.",
        _GOOGLE + " Enforce public access prevention.", _ANYONE, "medium",
        canonical="cloudstorage_bucket_public_access"),
    "gcp_bigquery_dataset": Rule(
        "secinbox-bigquery-public", "Dataset is open to anyone",
        "Anyone may query the tables.", "Remove the public entries from the dataset's access list.",
        _ANYONE, "medium", canonical="bigquery_dataset_public_access"),
    "gcp_sqladmin_instance": Rule(
        "secinbox-cloudsql-public", "Database answers the Internet",
        "Anyone may try passwords and known faults.",
        "Authorise the networks that need it, or give it a private address only.", "vulnerability",
        "medium", canonical="cloudsql_instance_public_access"),
    "gcp_container_cluster": Rule(
        "secinbox-gke-public", "Cluster's control plane answers the whole Internet",
        "Calls still need a token, but a leaked one is usable from anywhere.",
        "Turn on authorised networks, or make the control plane private.", "required_privileges",
        "medium"),
    "gcp_pubsub_topic": Rule(
        "secinbox-pubsub-public", "Topic is open to anyone",
        "Anyone may publish to it or subscribe to it.", _GOOGLE, _ANYONE, "medium"),
    "gcp_cloudkms_crypto_key": Rule(
        "secinbox-gcp-key-public", "Encryption key may be used by anyone",
        "What it encrypts is only as safe as the places where the ciphertext lies.", _GOOGLE,
        _ANYONE, "high", canonical="kms_key_not_publicly_accessible"),
    "gcp_secretmanager_secret": Rule(
        "secinbox-gcp-secret-public", "Secret may be read by anyone",
        "Anyone may use it wherever it opens something.", _GOOGLE + " Replace the secret.", _ANYONE,
        "high"),
    "gcp_artifactregistry_repository": Rule(
        "secinbox-artifacts-public", "Artifact repository is open to anyone",
        "Anyone may pull what lies in it, with the code and the secrets in its layers.", _GOOGLE,
        _ANYONE, "medium"),
    "gcp_compute_image": Rule(
        "secinbox-gcp-image-public", "Machine image is shared with everyone",
        "Anyone may start a machine from it and read its disks.", _GOOGLE, _ANYONE, "medium",
        canonical="compute_image_not_publicly_shared"),
    "gcp_pubsub_subscription": Rule(
        "secinbox-pubsub-public", "Subscription is open to anyone",
        "Anyone may take messages from it.", _GOOGLE, _ANYONE, "medium"),
    "gcp_compute_snapshot": Rule(
        "secinbox-gcp-snapshot-public", "Disk snapshot is shared with everyone",
        "Anyone may make a disk of it and read everything on it.", _GOOGLE, _ANYONE, "medium"),
    "gcp_spanner_database": Rule(
        "secinbox-spanner-public", "Database is open to anyone",
        "Anyone may read the tables.", _GOOGLE, _ANYONE, "medium"),
    "gcp_alloydb_instance": Rule(
        "secinbox-alloydb-public", "Database answers the Internet",
        "Anyone may try passwords and known faults.",
        "Authorise the networks that need it, or give it a private address only.", "vulnerability",
        "medium"),
    "azure_microsoft_compute_galleries": Rule(
        "secinbox-gallery-community", "Image gallery is shared with every customer of Azure",
        "Anyone may start a machine from an image and read its disks.",
        "Share it with named subscriptions or tenants.", _ANYONE, "medium"),
    **dict.fromkeys(
        ("azure_microsoft_documentdb_databaseaccounts", "azure_microsoft_cache_redis"),
        Rule("secinbox-azure-store-open", "Data store answers all networks",
             "Reading still needs a key, but a leaked one is usable from anywhere.",
             "Narrow its network rules, or use a private endpoint.", "required_privileges", "medium")),
    "gcp_run_service": Rule(
        "secinbox-run-open", "Service may be called by anyone",
        "Anyone may call it with what they like as input.",
        "Take the invoker role from everyone, or make sure that the service checks its caller.",
        _ANYONE, "low"),
    **dict.fromkeys(("gcp_cloudfunctions_cloud_function", "gcp_cloudfunctions_function"), Rule(
        "secinbox-gcp-function-open", "Function may be called by anyone",
        "Anyone may call it with what they like as input.",
        "Take the invoker role from everyone, or make sure that the function checks its caller.",
        _ANYONE, "low")),
    **dict.fromkeys(
        ("gcp_bigquery_table", "gcp_spanner_instance", "gcp_firestore_database", "gcp_bigtableadmin_instance",
         "gcp_bigtableadmin_table", "gcp_compute_disk", "gcp_healthcare_dataset",
         "gcp_healthcare_fhir_store", "gcp_healthcare_hl7_v2_store", "gcp_sourcerepo_repo",
         "gcp_sourcerepo_repository"),
        Rule("secinbox-gcp-data-public", "Data is open to anyone",
             "Anyone may read what lies in it.", _GOOGLE, _ANYONE, "medium")),
    **dict.fromkeys(("gcp_run_job", "gcp_dataproc_cluster", "gcp_cloudtasks_queue"), Rule(
        "secinbox-gcp-work-open", "Anyone may give it work to do",
        "Anyone may start what it runs, with what they like as input.", _GOOGLE, _ANYONE, "medium")),
    **dict.fromkeys(("azure_microsoft_compute_disks", "azure_microsoft_compute_snapshots"), Rule(
        "secinbox-azure-disk-link", "Disk may be read by a link, from any network",
        "Whoever has the link reads everything on the disk; nobody can say who has it.",
        "Revoke the link, and set the network access policy to deny or private.",
        "required_privileges", "high")),
    "azure_microsoft_storage_storageaccounts": Rule(
        "secinbox-blob-public", "Storage account has containers that anyone reads",
        "Anyone may read the blobs.", "Turn anonymous access off for the account.", _ANYONE,
        "medium"),
    "azure_microsoft_storage_storageaccounts_blobservices_containers": Rule(
        "secinbox-container-public", "Blob container is open to anyone",
        "Anyone may read the blobs, and at level container list them.",
        "Set the container's access level to private.", _ANYONE, "medium"),
    "azure_microsoft_containerregistry_registries": Rule(
        "secinbox-acr-anonymous", "Registry lets anyone pull images",
        "Anyone may pull the images, with the code and the secrets in their layers.",
        "Turn anonymous pull off.", _ANYONE, "medium"),
    "azure_microsoft_containerservice_managedclusters": Rule(
        "secinbox-aks-public", "Cluster's API answers the whole Internet",
        "Calls still need a token, but a leaked one is usable from anywhere.",
        "Set authorised ranges, or make the cluster private.", "required_privileges", "medium"),
    "azure_microsoft_keyvault_vaults": Rule(
        "secinbox-vault-open", "Key vault answers all networks",
        "Reading still needs a sign-in, but a stolen one is usable from anywhere.",
        "Set the vault's network rules to deny by default, or use a private endpoint.",
        "required_privileges", "medium"),
    **dict.fromkeys(
        ("azure_microsoft_sql_servers", "azure_microsoft_dbforpostgresql_servers",
         "azure_microsoft_dbforpostgresql_flexibleservers", "azure_microsoft_dbformysql_servers",
         "azure_microsoft_dbformysql_flexibleservers", "azure_microsoft_dbformariadb_servers",
         "azure_microsoft_sql_managedinstances", "azure_microsoft_synapse_workspaces",
         "azure_microsoft_dbforpostgresql_servergroupsv2", "azure_microsoft_documentdb_mongoclusters"),
        Rule("secinbox-azure-database-public", "Database server answers the Internet or all of Azure",
             "Anyone, or any customer of Azure, may try passwords and known faults.",
             "Remove the wide firewall rules; turn public network access off.", "vulnerability",
             "medium")),
}  # fmt: skip
_CONTROL = Rule(
    "secinbox-cloud-administrator", "Controls a whole subscription, project or tenant",
    "Whoever gets hold of this identity controls everything in it.",
    "Give it the roles that its work needs, at the scope where it needs them.",
    "required_privileges", "critical", type="identity_risk",
)  # fmt: skip
_ESCALATION = Rule(
    "secinbox-cloud-escalation", "Can make itself owner of a subscription, project or tenant",
    "Whoever gets hold of this identity can take control of everything in it, step by step.",
    "Break one of the steps: take the role away, or narrow its scope.",
    "required_privileges", "critical", type="identity_risk",
)  # fmt: skip
_DELEGATION = Rule(
    "secinbox-gcp-domain-delegation", "Service account acts as anybody in Google Workspace",
    "Whoever gets a token or a key of it reads mail and files of everybody, or more.",
    "Remove the client from domain-wide delegation, or give it the scopes that it needs.",
    "required_privileges", "critical", type="identity_risk",
)  # fmt: skip
_PRINCIPALS = ("gcp_iam_", "entra_")
# Accounts that the provider made for its own services hold such roles by design.
_SERVICES = ("@cloudservices.gserviceaccount.com", "@containerregistry.iam.gserviceaccount.com")


def findings(assessment: Assessment) -> Iterator[Finding]:
    """Open resources by type, then principals by power."""
    known = known_of(assessment)
    estate = assessment.estate
    for uid in sorted(known.exposed()):
        item = estate.items.get(uid)
        if item is not None and item.type in _RULES:
            yield _exposed(known, item)
    for uid, evidence in sorted(known.powerful().items()):
        item = estate.items.get(uid)
        if item is None or not item.type.startswith(_PRINCIPALS) or uid.endswith(_SERVICES):
            continue
        now = [e.text for e in evidence if e.kind == "administrator"]
        ways = [line for e in evidence if e.kind == "escalation" for line in (e.text, *e.steps)]
        if now or ways:
            yield known.state(_CONTROL if now else _ESCALATION, uid, now or ways)
    if estate.of_type("gcp_workspace_delegation"):
        google = estate.once("iam.google", lambda: Google(estate))
        for member, found in sorted(google.delegated.items()):
            lines = [f"scope {s}" for s in found.scopes[:20]]
            yield known.state(_DELEGATION, google.uid_of(member), lines or ["no scopes named"],
                              impact="critical" if found.administers or found.data else "high")  # fmt: skip


def _exposed(known: Known, item: Item) -> Finding:
    rule = _RULES[item.type]
    lines = texts(known.public(item.uid))
    impact = rule.impact
    why = marked(item)
    if why:
        impact = {"low": "medium", "medium": "high"}.get(impact, "critical")
        lines.append(f"marked as restricted: {why}")
    return known.state(rule, item.uid, lines, impact=impact)
