"""What is read of Azure: tables of Resource Graph, what it lacks by ARM, lists of Microsoft Graph.

Settings of applications, keys and secrets are never asked for. Source: learn.microsoft.com, "Azure
Resource Graph table and resource type reference", the ARM REST reference of each service, "Microsoft
Graph REST API v1.0".
"""

from __future__ import annotations

from dataclasses import dataclass

TABLES = ("resources", "resourcecontainers", "authorizationresources")


@dataclass(frozen=True)
class Below:
    """A call about every resource of a type. many: its answer is a list."""

    name: str
    # Type of the resources, lower case, from Resource Graph or an earlier call; `subscription` for each.
    of: str
    path: str
    version: str
    many: bool = True
    kind: str = ""  # type of what is listed, as the inventory calls it; says that none is none


_A = "azure_microsoft_"
BELOW: tuple[Below, ...] = (
    Below("containers", "microsoft.storage/storageaccounts", "/blobServices/default/containers",
          "2023-05-01", kind=f"{_A}storage_storageaccounts_blobservices_containers"),
    Below("sql-rules", "microsoft.sql/servers", "/firewallRules", "2021-11-01",
          kind=f"{_A}sql_servers_firewallrules"),
    Below("postgresql-rules", "microsoft.dbforpostgresql/flexibleservers", "/firewallRules",
          "2022-12-01", kind=f"{_A}dbforpostgresql_flexibleservers_firewallrules"),
    Below("mysql-rules", "microsoft.dbformysql/flexibleservers", "/firewallRules", "2021-05-01",
          kind=f"{_A}dbformysql_flexibleservers_firewallrules"),
    Below("postgresql-single-rules", "microsoft.dbforpostgresql/servers", "/firewallRules",
          "2017-12-01", kind=f"{_A}dbforpostgresql_servers_firewallrules"),
    Below("mysql-single-rules", "microsoft.dbformysql/servers", "/firewallRules", "2017-12-01",
          kind=f"{_A}dbformysql_servers_firewallrules"),
    Below("synapse-rules", "microsoft.synapse/workspaces", "/firewallRules", "2021-06-01",
          kind=f"{_A}synapse_workspaces_firewallrules"),
    Below("sql-ipv6-rules", "microsoft.sql/servers", "/ipv6FirewallRules", "2021-11-01"),
    Below("mariadb-rules", "microsoft.dbformariadb/servers", "/firewallRules", "2018-06-01",
          kind=f"{_A}dbformariadb_servers_firewallrules"),
    Below("postgresql-cluster-rules", "microsoft.dbforpostgresql/servergroupsv2", "/firewallRules",
          "2022-11-08", kind=f"{_A}dbforpostgresql_servergroupsv2_firewallrules"),
    Below("mongodb-rules", "microsoft.documentdb/mongoclusters", "/firewallRules", "2024-07-01",
          kind=f"{_A}documentdb_mongoclusters_firewallrules"),
    Below("redis-rules", "microsoft.cache/redis", "/firewallRules", "2023-08-01"),
    Below("site-configuration", "microsoft.web/sites", "/config/web", "2022-03-01", many=False),
    Below("site-authentication", "microsoft.web/sites", "/config/authsettingsV2", "2022-03-01",
          many=False),
    Below("site-publishing", "microsoft.web/sites", "/basicPublishingCredentialsPolicies",
          "2022-03-01"),
    Below("functions", "microsoft.web/sites", "/functions", "2022-03-01"),
    Below("bus-rules", "microsoft.servicebus/namespaces", "/networkRuleSets/default", "2021-11-01",
          many=False),
    Below("hub-rules", "microsoft.eventhub/namespaces", "/networkRuleSets/default", "2021-11-01",
          many=False),
    Below("relay-rules", "microsoft.relay/namespaces", "/networkRuleSets/default", "2021-11-01",
          many=False),
    Below("application-sign-in", "microsoft.app/containerapps", "/authConfigs", "2024-03-01"),
    Below("door-routes", "microsoft.cdn/profiles/afdendpoints", "/routes", "2023-05-01"),
    Below("door-walls", "microsoft.cdn/profiles", "/securityPolicies", "2023-05-01"),
    Below("federated-credentials", "microsoft.managedidentity/userassignedidentities",
          "/federatedIdentityCredentials", "2023-01-31"),
    Below("nat-rules", "microsoft.network/firewallpolicies", "/ruleCollectionGroups", "2023-09-01"),
    Below("redis-databases", "microsoft.cache/redisenterprise", "/databases", "2024-10-01",
          kind=f"{_A}cache_redisenterprise_databases"),
    Below("webhooks", "microsoft.automation/automationaccounts", "/webhooks", "2015-10-31"),
    Below("static-passwords", "microsoft.web/staticsites", "/basicAuth", "2022-09-01"),
    Below("static-builds", "microsoft.web/staticsites", "/builds", "2022-09-01"),
    Below("perimeter-associations", "microsoft.network/networksecurityperimeters",
          "/resourceAssociations", "2024-07-01"),
    Below("perimeter-profiles", "microsoft.network/networksecurityperimeters", "/profiles",
          "2024-07-01"),
    Below("perimeter-rules", "microsoft.network/networksecurityperimeters/profiles", "/accessRules",
          "2024-07-01", kind=f"{_A}network_networksecurityperimeters_profiles_accessrules"),
    Below("deny-assignments", "subscription", "/providers/Microsoft.Authorization/denyAssignments",
          "2022-04-01"),
    Below("eligible-roles", "subscription",
          "/providers/Microsoft.Authorization/roleEligibilityScheduleInstances", "2020-10-01"),
    Below("activation-policies", "subscription",
          "/providers/Microsoft.Authorization/roleManagementPolicyAssignments", "2020-10-01"),
)  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """A list of Microsoft Graph, and lists of each of its objects that are put into it.

    groups: asked for once for every group that holds a role or may, whose id stands for `{id}`.
    """

    name: str
    path: str
    below: tuple[str, ...] = ()
    groups: bool = False


_PEOPLE = "id,displayName,userPrincipalName,accountEnabled,userType,onPremisesSyncEnabled"
_GROUPS = ("id,displayName,securityEnabled,isAssignableToRole,membershipRule,groupTypes,"
           "onPremisesSyncEnabled")  # fmt: skip
_PIM = "/v1.0/identityGovernance/privilegedAccess/group"
LISTS: tuple[Listed, ...] = (
    Listed("users", f"/v1.0/users?$select={_PEOPLE}&$top=999"),
    Listed("groups", f"/v1.0/groups?$select={_GROUPS}&$top=999", ("members", "owners")),
    Listed("applications", "/v1.0/applications?$select=id,appId,displayName,signInAudience,"
           "passwordCredentials&$top=999",
           ("owners", "federatedIdentityCredentials")),
    Listed("servicePrincipals", "/v1.0/servicePrincipals?$select=id,appId,displayName,"
           "servicePrincipalType,accountEnabled,appOwnerOrganizationId&$top=999",
           ("owners", "appRoleAssignments")),
    Listed("directoryRoles", "/v1.0/directoryRoles?$expand=members"),
    Listed("roleDefinitions", "/v1.0/roleManagement/directory/roleDefinitions"),
    Listed("roleAssignments", "/v1.0/roleManagement/directory/roleAssignments"),
    Listed("roleEligibilityScheduleInstances",
           "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances"),
    Listed("administrativeUnits", "/v1.0/directory/administrativeUnits?$top=999", ("members",)),
    Listed("activationPolicies", "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId%20eq%20"
           "'/'%20and%20scopeType%20eq%20'DirectoryRole'&$expand=policy($expand=rules)"),
    Listed("groupEligibility", f"{_PIM}/eligibilityScheduleInstances?$filter=groupId%20eq%20'{{id}}'",
           groups=True),
    Listed("groupAssignments", f"{_PIM}/assignmentScheduleInstances?$filter=groupId%20eq%20'{{id}}'",
           groups=True),
    Listed("groupActivationPolicies", "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId%20"
           "eq%20'{id}'%20and%20scopeType%20eq%20'Group'&$expand=policy($expand=rules)", groups=True),
)  # fmt: skip
# Application permissions of Microsoft Graph that these lists need.
PERMISSIONS = (
    "AdministrativeUnit.Read.All", "Application.Read.All", "GroupMember.Read.All",
    "PrivilegedAssignmentSchedule.Read.AzureADGroup", "PrivilegedEligibilitySchedule.Read.AzureADGroup",
    "RoleEligibilitySchedule.Read.Directory", "RoleManagement.Read.Directory",
    "RoleManagementPolicy.Read.AzureADGroup", "RoleManagementPolicy.Read.Directory", "User.Read.All",
)  # fmt: skip
# Resource providers whose configuration the analyses look at; a test holds it to them.
PROVIDERS = (
    "ApiManagement", "App", "AppConfiguration", "Authorization", "Automation", "Batch", "Cache", "Cdn",
    "CognitiveServices", "Compute", "ContainerInstance", "ContainerRegistry", "ContainerService",
    "DBforMariaDB", "DBforMySQL", "DBforPostgreSQL", "Dashboard", "DataFactory", "Databricks", "Devices",
    "DigitalTwins", "DocumentDB", "EventGrid", "EventHub", "HealthcareApis", "HybridCompute", "KeyVault",
    "Kusto", "Logic", "MachineLearningServices", "ManagedIdentity", "Network", "Purview",
    "RecoveryServices", "Relay", "Search", "ServiceBus", "SignalRService", "Sql", "Storage", "Synapse",
    "Web",
)  # fmt: skip
