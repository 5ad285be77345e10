"""Service accounts that things run as, where their configuration says it or a default applies.

Source: the API reference of each service; cloud.google.com, "Default service accounts".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Type -> paths to the account in its configuration; `*` stands for each element of a list.
_PATHS: dict[str, tuple[str, ...]] = {
    "gcp_compute_instance": ("serviceAccounts.*.email",),
    "gcp_compute_instance_template": ("properties.serviceAccounts.*.email",),
    "gcp_cloudfunctions_cloud_function": ("serviceAccountEmail", "serviceConfig.serviceAccountEmail"),
    "gcp_cloudfunctions_function": ("serviceAccountEmail", "serviceConfig.serviceAccountEmail"),
    "gcp_run_service": ("template.serviceAccount", "spec.template.spec.serviceAccountName"),
    "gcp_run_job": ("template.template.serviceAccount",
                    "spec.template.spec.template.spec.serviceAccountName"),
    "gcp_container_cluster": ("nodePools.*.config.serviceAccount", "nodeConfig.serviceAccount"),
    "gcp_container_node_pool": ("config.serviceAccount",),
    "gcp_dataproc_cluster": ("config.gceClusterConfig.serviceAccount",),
    "gcp_composer_environment": ("config.nodeConfig.serviceAccount",),
    "gcp_dataflow_job": ("environment.serviceAccountEmail",),
    "gcp_notebooks_instance": ("serviceAccount", "gceSetup.serviceAccounts.*.email"),
    "gcp_aiplatform_notebook_runtime": ("serviceAccount",),
    "gcp_aiplatform_custom_job": ("jobSpec.serviceAccount",),
    "gcp_cloudbuild_build_trigger": ("serviceAccount",),
    "gcp_cloudbuild_build": ("serviceAccount",),
    "gcp_workflows_workflow": ("serviceAccount",),
    "gcp_cloudscheduler_job": ("httpTarget.oidcToken.serviceAccountEmail",
                               "httpTarget.oauthToken.serviceAccountEmail"),
    "gcp_appengine_application": ("serviceAccount",),
    "gcp_appengine_version": ("serviceAccount",),
    "gcp_appengine_service": ("serviceAccount",),
    "gcp_eventarc_trigger": ("serviceAccount",),
    "gcp_pubsub_subscription": ("pushConfig.oidcToken.serviceAccountEmail",),
    "gcp_datafusion_instance": ("dataprocServiceAccount",),
    "gcp_batch_job": ("allocationPolicy.serviceAccount.email",),
    "gcp_workstations_workstation_config": ("host.gceInstance.serviceAccount",),
    "gcp_config_deployment": ("serviceAccount",),
}  # fmt: skip
# Types that run as the project's default account of Compute Engine where none is named.
_DEFAULT = (
    "gcp_run_service", "gcp_run_job", "gcp_cloudfunctions_function", "gcp_dataproc_cluster",
    "gcp_composer_environment", "gcp_container_cluster", "gcp_dataflow_job", "gcp_batch_job",
)  # fmt: skip


def _walk(value: Any, path: str) -> list[str]:
    found = [value]
    for word in path.split("."):
        if word == "*":
            found = [v for f in found if isinstance(f, list) for v in f]
        else:
            found = [f.get(word) for f in found if isinstance(f, dict)]
    return [f for f in found if isinstance(f, str) and f]


def identities(kind: str, data: Mapping[str, Any], number: str, project: str) -> list[str]:
    """E-mail addresses; number: the project's, for the default accounts; empty where not known."""
    paths = _PATHS.get(kind)
    if paths is None or not data:
        return []
    out = []
    default = f"{number}-compute@developer.gserviceaccount.com" if number.isdigit() else ""
    for path in paths:
        for found in _walk(data, path):
            email = found.rsplit("/", 1)[-1]
            if email == "default":
                email = default
            out.append(email)
    if not out and kind in _DEFAULT:
        out.append(default)
    if (
        not out
        and kind == "gcp_cloudfunctions_cloud_function"
        and project
        and not project.isdigit()
    ):
        out.append(f"{project}@appspot.gserviceaccount.com")
    return list(dict.fromkeys(e for e in out if "@" in e))
