"""Actions of Azure that count: for control, for becoming another, for reading data, for reach.

Sources: learn.microsoft.com, "Azure permissions", "Azure built-in roles"; BloodHound's edges for
Azure (bloodhound.specterops.io); Stratus Red Team's techniques for Azure and Entra ID.
"""

from __future__ import annotations

ASSIGN = "Microsoft.Authorization/roleAssignments/write"
# As good as assigning: activating an assignment made by oneself.
SCHEDULE = (
    "Microsoft.Authorization/roleAssignmentScheduleRequests/write",
    "Microsoft.Authorization/roleEligibilityScheduleRequests/write",
)
ELEVATE = "Microsoft.Authorization/elevateAccess/Action"
DEFINE = "Microsoft.Authorization/roleDefinitions/write"
_C, _W, _A = (
    "Microsoft.Compute/",
    "Microsoft.Web/sites/",
    "Microsoft.Automation/automationAccounts/",
)
_K = "Microsoft.ContainerService/managedClusters/"
# Running code as what stands there: type -> (any of these actions, how).
TAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "azure_microsoft_compute_virtualmachines": ((
        f"{_C}virtualMachines/runCommand/action", f"{_C}virtualMachines/runCommands/write",
        f"{_C}virtualMachines/extensions/write", f"{_C}virtualMachines/write"), "runs commands on"),
    "azure_microsoft_compute_virtualmachinescalesets": ((
        f"{_C}virtualMachineScaleSets/virtualMachines/runCommand/action",
        f"{_C}virtualMachineScaleSets/virtualMachines/runCommands/write",
        f"{_C}virtualMachineScaleSets/extensions/write",
        f"{_C}virtualMachineScaleSets/write"), "runs commands on"),
    "azure_microsoft_hybridcompute_machines": ((
        "Microsoft.HybridCompute/machines/extensions/write",
        "Microsoft.HybridCompute/machines/runCommands/write"), "runs commands on"),
    **dict.fromkeys(("azure_microsoft_web_sites", "azure_microsoft_web_sites_slots"), ((
        f"{_W}publishxml/action", f"{_W}config/list/action", f"{_W}host/listkeys/action",
        f"{_W}functions/write", f"{_W}sourcecontrols/write", f"{_W}extensions/write",
        f"{_W}config/write", f"{_W}write"), "deploys code to")),
    "azure_microsoft_automation_automationaccounts": ((
        f"{_A}runbooks/write", f"{_A}runbooks/draft/write", f"{_A}write"), "writes a runbook of"),
    "azure_microsoft_logic_workflows": (("Microsoft.Logic/workflows/write",), "rewrites"),
    "azure_microsoft_containerinstance_containergroups": ((
        "Microsoft.ContainerInstance/containerGroups/write",
        "Microsoft.ContainerInstance/containerGroups/containers/exec/action"), "runs commands in"),
    "azure_microsoft_app_containerapps": ((
        "Microsoft.App/containerApps/write", "Microsoft.App/containerApps/getAuthToken/action"),
        "redeploys"),
    "azure_microsoft_app_jobs": (("Microsoft.App/jobs/write",), "rewrites"),
    "azure_microsoft_containerservice_managedclusters": ((
        f"{_K}listClusterAdminCredential/action", f"{_K}runCommand/action", f"{_K}write"),
        "becomes administrator of"),
    "azure_microsoft_datafactory_factories": ((
        "Microsoft.DataFactory/factories/pipelines/write", "Microsoft.DataFactory/factories/write"),
        "writes a pipeline of"),
    "azure_microsoft_synapse_workspaces": (("Microsoft.Synapse/workspaces/write",), "takes over"),
    "azure_microsoft_machinelearningservices_workspaces": ((
        "Microsoft.MachineLearningServices/workspaces/computes/write",
        "Microsoft.MachineLearningServices/workspaces/jobs/write"), "runs a job in"),
    "azure_microsoft_batch_batchaccounts": ((
        "Microsoft.Batch/batchAccounts/write", "Microsoft.Batch/batchAccounts/pools/write",
        "Microsoft.Batch/batchAccounts/listKeys/action"), "runs a job in"),
    "azure_microsoft_containerregistry_registries_tasks": ((
        "Microsoft.ContainerRegistry/registries/tasks/write",), "rewrites the task"),
    "azure_microsoft_resources_deploymentscripts": ((
        "Microsoft.Resources/deploymentScripts/write",), "rewrites the script"),
    "azure_microsoft_managedidentity_userassignedidentities": ((
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",),
        "adds a federated credential to"),
}  # fmt: skip
# The same by data actions.
TAKES_DATA: dict[str, tuple[tuple[str, ...], str]] = {
    "azure_microsoft_compute_virtualmachines": ((
        f"{_C}virtualMachines/loginAsAdmin/action", f"{_C}virtualMachines/login/action"), "signs in to"),
    "azure_microsoft_containerservice_managedclusters": ((
        f"{_K}pods/write", f"{_K}pods/exec/action", f"{_K}apps/deployments/write"), "runs pods in"),
}  # fmt: skip
# A user-assigned identity put on something new of one's own.
GIVE = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
# As the built-in role for it is written.
GIVE_ONE = "Microsoft.ManagedIdentity/userAssignedIdentities/ID/assign/action"
STARTS = (
    f"{_C}virtualMachines/write", f"{_W}write", "Microsoft.ContainerInstance/containerGroups/write",
    "Microsoft.App/containerApps/write", "Microsoft.Logic/workflows/write",
    "Microsoft.Resources/deploymentScripts/write", f"{_A}write",
    f"{_C}virtualMachineScaleSets/write",
)  # fmt: skip
_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
_SECRETS = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
LIST_KEYS = "Microsoft.Storage/storageAccounts/listKeys/action"
SAS = ("Microsoft.Storage/storageAccounts/listAccountSas/action",
       "Microsoft.Storage/storageAccounts/listServiceSas/action")  # fmt: skip
POLICIES = ("Microsoft.KeyVault/vaults/accessPolicies/write", "Microsoft.KeyVault/vaults/write")
# type of a store -> data action that reads it
READING: dict[str, str] = {
    "azure_microsoft_storage_storageaccounts": _BLOBS,
    "azure_microsoft_storage_storageaccounts_blobservices_containers": _BLOBS,
    "azure_microsoft_storage_storageaccounts_fileservices_shares":
        "Microsoft.Storage/storageAccounts/fileServices/fileshares/files/read",
    "azure_microsoft_storage_storageaccounts_queueservices_queues":
        "Microsoft.Storage/storageAccounts/queueServices/queues/messages/read",
    "azure_microsoft_storage_storageaccounts_tableservices_tables":
        "Microsoft.Storage/storageAccounts/tableServices/tables/entities/read",
    "azure_microsoft_keyvault_vaults": _SECRETS,
    "azure_microsoft_keyvault_vaults_secrets": _SECRETS,
    "azure_microsoft_documentdb_databaseaccounts":
        "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/read",
    "azure_microsoft_servicebus_namespaces":
        "Microsoft.ServiceBus/namespaces/messages/receive/action",
    "azure_microsoft_eventhub_namespaces": "Microsoft.EventHub/namespaces/messages/receive/action",
    "azure_microsoft_appconfiguration_configurationstores":
        "Microsoft.AppConfiguration/configurationStores/keyValues/read",
    "azure_microsoft_search_searchservices":
        "Microsoft.Search/searchServices/indexes/documents/read",
}  # fmt: skip
# Management actions that hand out the data past its data roles: type -> actions.
KEYS: dict[str, tuple[str, ...]] = {
    "azure_microsoft_documentdb_databaseaccounts": (
        "Microsoft.DocumentDB/databaseAccounts/listKeys/action",),
    "azure_microsoft_sql_servers": ("Microsoft.Sql/servers/write",
                                    "Microsoft.Sql/servers/administrators/write"),
    "azure_microsoft_sql_servers_databases": (
        "Microsoft.Sql/servers/write", "Microsoft.Sql/servers/administrators/write",
        "Microsoft.Sql/servers/databases/export/action"),
    **{f"azure_microsoft_db{kind}": (f"Microsoft.DB{name}/write",) for kind, name in (
        ("forpostgresql_servers", "forPostgreSQL/servers"), ("formysql_servers", "forMySQL/servers"),
        ("forpostgresql_flexibleservers", "forPostgreSQL/flexibleServers"),
        ("formysql_flexibleservers", "forMySQL/flexibleServers"))},
    "azure_microsoft_cache_redis": ("Microsoft.Cache/redis/listKeys/action",),
    "azure_microsoft_servicebus_namespaces": (
        "Microsoft.ServiceBus/namespaces/authorizationRules/listkeys/action",),
    "azure_microsoft_eventhub_namespaces": (
        "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action",),
    "azure_microsoft_appconfiguration_configurationstores": (
        "Microsoft.AppConfiguration/configurationStores/ListKeys/action",),
    "azure_microsoft_search_searchservices": (
        "Microsoft.Search/searchServices/listAdminKeys/action",),
    "azure_microsoft_compute_disks": ("Microsoft.Compute/disks/beginGetAccess/action",),
    "azure_microsoft_compute_snapshots": ("Microsoft.Compute/snapshots/beginGetAccess/action",),
    "azure_microsoft_containerregistry_registries": (
        "Microsoft.ContainerRegistry/registries/pull/read",),
}  # fmt: skip
PUSH = "Microsoft.ContainerRegistry/registries/push/write"
BLOB_WRITE = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
# All of a kind at once, in a whole subscription: (action, data action or not, words).
BULK: tuple[tuple[str, bool, str], ...] = (
    (_SECRETS, True, "reads all secrets"), (_BLOBS, True, "reads all blobs"),
    (LIST_KEYS, False, "reads the keys of all storage accounts"),
    (SAS[0], False, "makes signatures for all storage accounts"),
    ("Microsoft.DocumentDB/databaseAccounts/listKeys/action", False,
     "reads the keys of all Cosmos accounts"),
    ("Microsoft.Compute/disks/beginGetAccess/action", False, "exports all disks"),
)  # fmt: skip
COUNTED = frozenset({
    ASSIGN, *SCHEDULE, ELEVATE, DEFINE, GIVE, GIVE_ONE, *STARTS, LIST_KEYS, *SAS, *POLICIES, PUSH,
    *(a for actions, _ in TAKES.values() for a in actions),
    *(a for actions in KEYS.values() for a in actions),
    *(a for a, data, _ in BULK if not data), "Microsoft.Storage/storageAccounts/write",
})  # fmt: skip
DATA = frozenset({
    *READING.values(), BLOB_WRITE, *(a for actions, _ in TAKES_DATA.values() for a in actions),
})  # fmt: skip
