"""Resources of the Google provider as Cloud Asset Inventory would export them.

A state lists the bindings that it manages; others may exist, so a policy made of them never says
that nobody else is in it. Source: the schemas of the Google provider (registry.terraform.io).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from secinbox.inventory.gcp.assets import Asset, principals_of, record_of, relations_of
from secinbox.inventory.terraform.blocks import Block
from secinbox.records import AnyRecord

# Terraform type -> (asset type, its address from the block's values)
_KINDS: dict[str, tuple[str, str]] = {
    "google_compute_instance": ("gcp_compute_instance", "//compute.googleapis.com/{id}"),
    "google_compute_firewall": ("gcp_compute_firewall", "//compute.googleapis.com/{id}"),
    "google_storage_bucket": ("gcp_storage_bucket", "//storage.googleapis.com/{name}"),
    "google_sql_database_instance": (
        "gcp_sqladmin_instance", "//cloudsql.googleapis.com/projects/{project}/instances/{name}"),
    "google_service_account": ("gcp_iam_service_account", "//iam.googleapis.com/{name}"),
    "google_container_cluster": ("gcp_container_cluster", "//container.googleapis.com/{id}"),
    "google_cloud_run_service": (
        "gcp_run_service",
        "//run.googleapis.com/projects/{project}/locations/{location}/services/{name}"),
    "google_cloud_run_v2_service": ("gcp_run_service", "//run.googleapis.com/{id}"),
    "google_cloudfunctions_function": (
        "gcp_cloudfunctions_cloud_function", "//cloudfunctions.googleapis.com/{id}"),
    "google_bigquery_dataset": ("gcp_bigquery_dataset", "//bigquery.googleapis.com/{id}"),
    "google_pubsub_topic": ("gcp_pubsub_topic", "//pubsub.googleapis.com/{id}"),
    "google_secret_manager_secret": ("gcp_secretmanager_secret", "//secretmanager.googleapis.com/{id}"),
    "google_cloudfunctions2_function": (
        "gcp_cloudfunctions_function", "//cloudfunctions.googleapis.com/{id}"),
    "google_artifact_registry_repository": (
        "gcp_artifactregistry_repository", "//artifactregistry.googleapis.com/{id}"),
    "google_pubsub_subscription": ("gcp_pubsub_subscription", "//pubsub.googleapis.com/{id}"),
    "google_project_iam_custom_role": ("gcp_iam_role", "//iam.googleapis.com/{id}"),
    "google_iam_workload_identity_pool_provider": (
        "gcp_iam_workload_identity_pool_provider", "//iam.googleapis.com/{name}"),
    "google_kms_crypto_key": ("gcp_cloudkms_crypto_key", "//cloudkms.googleapis.com/{id}"),
}  # fmt: skip
# Prefix of binding resources -> (type of what they are about, the field that names it, its address)
_BOUND: dict[str, tuple[str, str, str]] = {
    "google_storage_bucket_iam": ("gcp_storage_bucket", "bucket", "//storage.googleapis.com/{}"),
    "google_project_iam": ("gcp_cloudresourcemanager_project", "project",
                           "//cloudresourcemanager.googleapis.com/projects/{}"),
    "google_folder_iam": ("gcp_cloudresourcemanager_folder", "folder",
                          "//cloudresourcemanager.googleapis.com/{}"),
    "google_service_account_iam": ("gcp_iam_service_account", "service_account_id",
                                   "//iam.googleapis.com/{}"),
    "google_pubsub_topic_iam": ("gcp_pubsub_topic", "topic", "//pubsub.googleapis.com/{}"),
    "google_secret_manager_secret_iam": ("gcp_secretmanager_secret", "secret_id",
                                         "//secretmanager.googleapis.com/{}"),
    "google_cloud_run_service_iam": (
        "gcp_run_service", "service",
        "//run.googleapis.com/projects/{project}/locations/{location}/services/{}"),
    "google_cloud_run_v2_service_iam": (
        "gcp_run_service", "name",
        "//run.googleapis.com/projects/{project}/locations/{location}/services/{}"),
    "google_organization_iam": ("gcp_cloudresourcemanager_organization", "org_id",
                                "//cloudresourcemanager.googleapis.com/organizations/{}"),
    "google_pubsub_subscription_iam": ("gcp_pubsub_subscription", "subscription",
                                       "//pubsub.googleapis.com/projects/{project}/subscriptions/{}"),
    "google_artifact_registry_repository_iam": (
        "gcp_artifactregistry_repository", "repository",
        "//artifactregistry.googleapis.com/projects/{project}/locations/{location}/repositories/{}"),
    "google_bigquery_dataset_iam": ("gcp_bigquery_dataset", "dataset_id",
                                    "//bigquery.googleapis.com/projects/{project}/datasets/{}"),
    "google_kms_crypto_key_iam": ("gcp_cloudkms_crypto_key", "crypto_key_id",
                                  "//cloudkms.googleapis.com/{}"),
    "google_compute_image_iam": ("gcp_compute_image", "image",
                                 "//compute.googleapis.com/projects/{project}/global/images/{}"),
    "google_cloudfunctions_function_iam": (
        "gcp_cloudfunctions_cloud_function", "cloud_function",
        "//cloudfunctions.googleapis.com/projects/{project}/locations/{region}/functions/{}"),
}  # fmt: skip


def records(blocks: list[Block]) -> Iterator[AnyRecord]:
    """All resources of the provider that a state or plan holds."""
    assets: dict[str, Asset] = {}
    for block in blocks:
        known = _KINDS.get(block.type)
        if known is not None:
            uid = _filled(known[1], block)
            if uid:
                made = Asset(uid, known[0], _data(block), place=block.place,
                             location=block.text("location") or block.text("zone"))  # fmt: skip
                if uid in assets:
                    assets[uid].absorb(made)
                else:
                    assets[uid] = made
    for block in blocks:
        _bind(block, assets)
    for asset in assets.values():
        yield record_of(asset)
        yield from relations_of(asset)
    yield from principals_of(assets.values())


def _filled(pattern: str, block: Block, value: str = "") -> str:
    names = re.findall(r"\{(\w+)\}", pattern)
    if any(not block.text(name) for name in names):
        return ""
    return pattern.format(value, **{name: block.text(name) for name in names})


def _bind(block: Block, assets: dict[str, Asset]) -> None:
    prefix, _, form = block.type.rpartition("_")
    known = _BOUND.get(prefix)
    if known is None or form not in ("member", "binding", "policy"):
        return
    kind, field, pattern = known
    value = block.text(field)
    value = value.removeprefix("b/") if field == "bucket" else value
    uid = _filled(pattern, block, value) if value else ""
    if not uid:
        return
    asset = assets.setdefault(uid, Asset(uid, kind, place=block.place))
    asset.policy = asset.policy or {"bindings": []}
    rows = asset.policy["bindings"]
    if form == "policy":
        import json

        try:
            data = json.loads(block.text("policy_data") or "{}")
        except ValueError:
            return
        found = data.get("bindings") if isinstance(data, dict) else None
        rows += [r for r in found if isinstance(r, dict)] if isinstance(found, list) else []
        return
    members = [block.text("member")] if form == "member" else block.texts("members")
    row: dict[str, Any] = {"role": block.text("role"), "members": [m for m in members if m]}
    condition = block.first("condition")
    if condition.text("expression"):
        row["condition"] = {"title": condition.text("title"),
                            "expression": condition.text("expression")}  # fmt: skip
    rows.append(row)


def _data(block: Block) -> dict[str, Any]:
    """The fields that the analyses read, in the API's spelling."""
    out: dict[str, Any] = {"name": block.text("name")}
    labels = block.values.get("effective_labels") or block.values.get("labels")
    if isinstance(labels, dict):
        out["labels"] = labels
    if block.text("self_link"):
        out["selfLink"] = block.text("self_link")
    make = _BY_TYPE.get(block.type)
    return out | make(block) if make else out


def _instance(block: Block) -> dict[str, Any]:
    interfaces = []
    for row in block.rows("network_interface"):
        interfaces.append({
            "network": row.text("network"), "networkIP": row.text("network_ip"),
            "accessConfigs": [{"type": "ONE_TO_ONE_NAT", "natIP": a.text("nat_ip")}
                              for a in row.rows("access_config") if a.values],
            "ipv6AccessConfigs": [{"externalIpv6": a.text("external_ipv6")}
                                  for a in row.rows("ipv6_access_config") if a.text("external_ipv6")],
        })  # fmt: skip
    accounts = [{"email": a.text("email"), "scopes": a.texts("scopes")}
                for a in block.rows("service_account") if a.text("email")]  # fmt: skip
    return {"networkInterfaces": interfaces, "serviceAccounts": accounts,
            "tags": {"items": block.texts("tags")}, "id": block.text("instance_id"),
            "status": block.text("current_status") or "RUNNING"}  # fmt: skip


def _firewall(block: Block) -> dict[str, Any]:
    def layers(name: str) -> list[dict[str, Any]]:
        return [{"IPProtocol": r.text("protocol"), "ports": r.texts("ports")}
                for r in block.rows(name) if r.text("protocol")]  # fmt: skip

    out: dict[str, Any] = {
        "network": block.text("network"), "direction": block.text("direction") or "INGRESS",
        "priority": block.number("priority"), "disabled": block.values.get("disabled") is True,
        "sourceRanges": block.texts("source_ranges"), "sourceTags": block.texts("source_tags"),
        "targetTags": block.texts("target_tags"),
        "targetServiceAccounts": block.texts("target_service_accounts"),
    }  # fmt: skip
    for name, key in (("allow", "allowed"), ("deny", "denied")):
        if layers(name):
            out[key] = layers(name)
    return out


def _bucket(block: Block) -> dict[str, Any]:
    return {"iamConfiguration": {
        "publicAccessPrevention": block.text("public_access_prevention"),
        "uniformBucketLevelAccess": {
            "enabled": block.values.get("uniform_bucket_level_access") is True}}}  # fmt: skip


def _database(block: Block) -> dict[str, Any]:
    found = block.first("settings").first("ip_configuration")
    return {"settings": {"ipConfiguration": {
        "ipv4Enabled": found.values.get("ipv4_enabled"),
        "authorizedNetworks": [{"value": n.text("value")} for n in found.rows("authorized_networks")],
    }}}  # fmt: skip


def _cluster(block: Block) -> dict[str, Any]:
    out: dict[str, Any] = {"endpoint": block.text("endpoint")}
    private = block.first("private_cluster_config")
    out["privateClusterConfig"] = {
        "enablePrivateEndpoint": private.values.get("enable_private_endpoint") is True}  # fmt: skip
    allowed = block.rows("master_authorized_networks_config")
    if allowed and allowed[0].values:
        blocks = [{"cidrBlock": b.text("cidr_block")} for b in allowed[0].rows("cidr_blocks")]
        out["masterAuthorizedNetworksConfig"] = {"enabled": True, "cidrBlocks": blocks}
    return out


def _run(block: Block) -> dict[str, Any]:
    notes = block.first("metadata").values.get("annotations")
    account = block.first("template").first("spec").text("service_account_name")
    account = account or block.first("template").text("service_account")
    return {"metadata": {"annotations": notes if isinstance(notes, dict) else {}},
            "ingress": block.text("ingress") or None,
            "template": {"serviceAccount": account}}  # fmt: skip


def _function(block: Block) -> dict[str, Any]:
    out: dict[str, Any] = {"ingressSettings": block.text("ingress_settings") or "ALLOW_ALL",
                           "serviceAccountEmail": block.text("service_account_email")}  # fmt: skip
    if block.values.get("trigger_http") is True:
        out["httpsTrigger"] = {"url": block.text("https_trigger_url")}
    elif block.rows("event_trigger") and block.rows("event_trigger")[0].values:
        out["eventTrigger"] = {}
    return out


def _dataset(block: Block) -> dict[str, Any]:
    return {"access": [{"role": a.text("role"), "specialGroup": a.text("special_group"),
                        "iamMember": a.text("iam_member")} for a in block.rows("access")]}  # fmt: skip


def _function2(block: Block) -> dict[str, Any]:
    found = block.first("service_config")
    return {"serviceConfig": {
        "ingressSettings": found.text("ingress_settings") or "ALLOW_ALL",
        "serviceAccountEmail": found.text("service_account_email"),
        "service": found.text("service")}}  # fmt: skip


def _role(block: Block) -> dict[str, Any]:
    return {"name": block.text("id"), "includedPermissions": block.texts("permissions")}


def _provider(block: Block) -> dict[str, Any]:
    oidc, aws = block.first("oidc"), block.first("aws")
    return {
        "attributeCondition": block.text("attribute_condition"),
        "disabled": block.values.get("disabled") is True,
        **({"oidc": {"issuerUri": oidc.text("issuer_uri")}} if oidc.values else {}),
        **({"aws": {"accountId": aws.text("account_id")}} if aws.values else {}),
    }  # fmt: skip


def _account(block: Block) -> dict[str, Any]:
    return {"email": block.text("email"), "uniqueId": block.text("unique_id")}


_BY_TYPE = {
    "google_compute_instance": _instance, "google_compute_firewall": _firewall,
    "google_storage_bucket": _bucket, "google_sql_database_instance": _database,
    "google_container_cluster": _cluster, "google_cloud_run_service": _run,
    "google_cloud_run_v2_service": _run, "google_cloudfunctions_function": _function,
    "google_cloudfunctions2_function": _function2, "google_project_iam_custom_role": _role,
    "google_iam_workload_identity_pool_provider": _provider, "google_bigquery_dataset": _dataset, "google_service_account": _account,
}  # fmt: skip
