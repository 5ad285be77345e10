"""Permissions of Google Cloud that count: for control, for becoming another, for reading, for reach.

Names and what they let do: cloud.google.com, "IAM permissions reference"; which of them escalate:
"Service account impersonation"; Rhino Security Labs, "Privilege escalation in Google Cloud".
"""

from __future__ import annotations

SET_POLICY = {
    "gcp_cloudresourcemanager_project": "resourcemanager.projects.setIamPolicy",
    "gcp_cloudresourcemanager_folder": "resourcemanager.folders.setIamPolicy",
    "gcp_cloudresourcemanager_organization": "resourcemanager.organizations.setIamPolicy",
}
ACT_AS = "iam.serviceAccounts.actAs"
TOKEN = "iam.serviceAccounts.getAccessToken"  # noqa: S105 - the name of a permission
KEY = "iam.serviceAccountKeys.create"
DELEGATE = "iam.serviceAccounts.implicitDelegation"
ID_TOKEN = "iam.serviceAccounts.getOpenIdToken"  # noqa: S105 - the name of a permission
SA_POLICY = "iam.serviceAccounts.setIamPolicy"
ROLE_UPDATE = "iam.roles.update"
ORG_POLICY = "orgpolicy.policy.set"
BUILD = "cloudbuild.builds.create"
DEPLOY = "deploymentmanager.deployments.create"
METADATA = "compute.instances.setMetadata"
COMMON_METADATA = "compute.projects.setCommonInstanceMetadata"
OS_LOGIN = ("compute.instances.osAdminLogin", "compute.instances.osLogin")
PODS = ("container.pods.exec", "container.pods.create", "container.deployments.create",
        "container.daemonSets.create", "container.jobs.create", "container.cronJobs.create")  # fmt: skip
CLUSTER_ROLES = ("container.clusterRoleBindings.create", "container.secrets.get")

# On the service account or above it: becoming it at once, and how.
DIRECT = {
    TOKEN: "makes a token of", KEY: "makes a key of", SA_POLICY: "changes the policy of",
    "iam.serviceAccounts.signJwt": "signs as", "iam.serviceAccounts.signBlob": "signs as",
}  # fmt: skip
# With actAs on the account: starting something of one's own that runs as it.
LAUNCHERS = {
    "compute.instances.create": "starts a machine",
    "compute.instances.setServiceAccount": "gives a machine the account",
    "compute.instanceTemplates.create": "makes a template of machines",
    "cloudfunctions.functions.create": "deploys a function",
    "cloudfunctions.functions.update": "changes a function",
    "run.services.create": "deploys a service",
    "run.services.update": "changes a service",
    "run.jobs.create": "makes a job",
    "run.jobs.update": "changes a job",
    "dataproc.clusters.create": "starts a Dataproc cluster",
    "dataflow.jobs.create": "starts a Dataflow job",
    "composer.environments.create": "starts a Composer environment",
    "cloudscheduler.jobs.create": "schedules a job",
    "cloudtasks.tasks.create": "makes a task",
    "notebooks.instances.create": "starts a notebook",
    "aiplatform.customJobs.create": "starts a training job",
    "aiplatform.notebookRuntimeTemplates.create": "starts a notebook",
    "aiplatform.pipelineJobs.create": "starts a pipeline",
    "workflows.workflows.create": "makes a workflow",
    "workflows.workflows.update": "changes a workflow",
    "appengine.versions.create": "deploys to App Engine",
    BUILD: "runs a build",
    "cloudbuild.builds.update": "changes a build trigger",
    "config.deployments.create": "deploys with Infrastructure Manager",
    "batch.jobs.create": "starts a batch job",
    "datafusion.instances.create": "starts Data Fusion",
    "eventarc.triggers.create": "makes a trigger",
    "clouddeploy.releases.create": "makes a release",
    "tpu.nodes.create": "starts a TPU machine",
}  # fmt: skip
# On what exists and runs as somebody: getting in needs no actAs. Type -> (permissions, how).
ENTERS: dict[str, tuple[tuple[str, ...], str]] = {
    "gcp_dataproc_cluster": (("dataproc.jobs.create",), "runs a job on"),
    "gcp_composer_environment": (
        ("composer.environments.executeAirflowCommand",), "runs commands in"),
    "gcp_workstations_workstation": (("workstations.workstations.use",), "works in"),
}  # fmt: skip
# All resources of a kind at once, at project level or above: what only their administrators may.
WIDE = {
    "storage.buckets.delete": "all buckets", "compute.firewalls.create": "all machines and networks",
    "container.clusters.delete": "all clusters", "secretmanager.secrets.delete": "all secrets",
    "bigquery.datasets.setIamPolicy": "all datasets", "cloudsql.instances.delete": "all databases",
    "cloudkms.cryptoKeyVersions.destroy": "all keys",
    "iam.serviceAccounts.delete": "all service accounts",
    "run.services.setIamPolicy": "all services", "pubsub.topics.setIamPolicy": "all topics",
    "artifactregistry.repositories.delete": "all artifact repositories",
    "spanner.databases.drop": "all Spanner databases",
}  # fmt: skip
BULK = {
    "secretmanager.versions.access": "reads all secrets",
    "storage.objects.get": "reads all buckets",
    "bigquery.tables.getData": "reads all datasets",
}  # fmt: skip
# Type of a store -> permissions of which any reads its contents (or hands them to oneself).
READS: dict[str, tuple[str, ...]] = {
    "gcp_storage_bucket": ("storage.objects.get", "storage.buckets.setIamPolicy"),
    "gcp_secretmanager_secret": (
        "secretmanager.versions.access", "secretmanager.secrets.setIamPolicy"),
    "gcp_bigquery_dataset": ("bigquery.tables.getData", "bigquery.datasets.setIamPolicy"),
    "gcp_bigquery_table": ("bigquery.tables.getData",),
    "gcp_sqladmin_instance": ("cloudsql.instances.export", "cloudsql.users.update",
                              "cloudsql.instances.update"),
    "gcp_spanner_database": ("spanner.databases.select",),
    "gcp_spanner_instance": ("spanner.databases.select",),
    "gcp_firestore_database": ("datastore.entities.get",),
    "gcp_bigtableadmin_instance": ("bigtable.tables.readRows",),
    "gcp_bigtableadmin_table": ("bigtable.tables.readRows",),
    "gcp_pubsub_subscription": ("pubsub.subscriptions.consume",),
    "gcp_pubsub_topic": ("pubsub.topics.attachSubscription", "pubsub.topics.setIamPolicy"),
    "gcp_compute_disk": ("compute.disks.createSnapshot", "compute.disks.setIamPolicy",
                         "compute.disks.useReadOnly"),
    "gcp_compute_snapshot": ("compute.snapshots.useReadOnly", "compute.snapshots.setIamPolicy"),
    "gcp_compute_image": ("compute.images.useReadOnly", "compute.images.setIamPolicy"),
    "gcp_artifactregistry_repository": ("artifactregistry.repositories.downloadArtifacts",),
    "gcp_cloudkms_crypto_key": ("cloudkms.cryptoKeyVersions.useToDecrypt",
                                "cloudkms.cryptoKeys.setIamPolicy"),
}  # fmt: skip
PUSH = "artifactregistry.repositories.uploadArtifacts"
OBJECTS_WRITE = "storage.objects.create"
COUNTED = frozenset({
    *SET_POLICY.values(), ACT_AS, DELEGATE, ID_TOKEN, ROLE_UPDATE, ORG_POLICY, DEPLOY, METADATA,
    COMMON_METADATA, *OS_LOGIN, *PODS, *CLUSTER_ROLES, *DIRECT, *LAUNCHERS,
    *(p for permissions, _ in ENTERS.values() for p in permissions), *WIDE, *BULK,
    *(p for permissions in READS.values() for p in permissions), PUSH, OBJECTS_WRITE,
    # What a binding to everyone lets do.
    "run.routes.invoke", "run.jobs.run", "cloudfunctions.functions.invoke",
    "cloudfunctions.functions.call", "pubsub.topics.publish", "storage.objects.list",
    "bigquery.jobs.create", "cloudkms.cryptoKeyVersions.useToEncrypt", "compute.images.get",
    "spanner.databases.read", "source.repos.get", "healthcare.fhirResources.get",
    "healthcare.dicomStores.dicomWebRetrieve", "healthcare.hl7V2Messages.get",
    "cloudtasks.queues.setIamPolicy", "container.clusters.getCredentials",
    "apikeys.keys.getKeyString", "storage.hmacKeys.create",
})  # fmt: skip
