"""Power in Azure, Entra ID and Google Cloud: escalations, guardrails, what is not known."""

from __future__ import annotations

from typing import Any

import pytest

from secinbox.estate import Estate, estate_of
from secinbox.iam.azure import privilege as azure_privilege
from secinbox.iam.gcp import privilege as google_privilege
from tests import test_azure as azure
from tests import test_gcp as google
from tests.test_azure import (
    ANA,
    CONTRIBUTOR,
    MG,
    OWNER,
    READER,
    RG,
    SUB,
    SUBSCRIPTION,
    SYSTEM,
    UAA,
    VMC,
    Row,
    assigned,
    graph,
)  # fmt: skip
from tests.test_gcp import (
    MEMBER,
    Asset,
    account,
    asset,
    bind,
    boss,
    custom,
    folder,
    machine,
    project,
)

PAST, FUTURE = "2020-01-01T00:00:00Z", "2120-01-01T00:00:00Z"
RBAC_ADMIN = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
BLOBS = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
KV_CONTRIBUTOR = "f25e0fa2-a7c8-4377-a976-54943a77a395"
STORE_CONTRIBUTOR = "17d1049b-9a84-46fb-8f53-869881c3d3ab"
AUTOMATION_OPERATOR = "d3881f73-407a-4167-8283-e981cbba0404"
AUTOMATION_CONTRIBUTOR = "f353d9bd-d4a6-484e-a77a-8050b599b867"
WEBSITE = "de139f84-1756-47ae-9be6-808fbbe84772"
LOGIC = "87a39d53-fc1b-424a-814c-f7e04687dc9e"
AKS_ADMIN = "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8"
AKS_USER = "4abbcc35-e782-43d8-92c5-2d3f1bd2253f"
MI_CONTRIBUTOR = "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59"
MI_OPERATOR = "f1a07417-d97a-45cb-824c-7a7467783830"
VM_LOGIN = "1c0163c0-47e6-4577-8991-ea5c82e286e4"
GLOBAL, HELPDESK, APP_ADMIN, GROUPS = (
    "62e90394-69f5-4237-9190-012177145e10", "729827e3-9c14-49f7-bb1b-9608f156bbb8",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "fdd7a751-b60b-444a-984c-02652fe8fa1c",
)  # fmt: skip
BOB, GROUP, SP, APP = ("dddddddd-0000-0000-0000-00000000000d", "cccccccc-0000-0000-0000-00000000000c",
                       "eeeeeeee-0000-0000-0000-00000000000e", "99999999-0000-0000-0000-000000000009")  # fmt: skip


def may_assign(*guids: str, negated: bool = False) -> str:
    word = "ForAnyOfAllValues:GuidNotEquals" if negated else "ForAnyOfAnyValues:GuidEquals"
    return ("((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR (@Request["
            f"Microsoft.Authorization/roleAssignments:RoleDefinitionId] {word} {{{', '.join(guids)}}}))")  # fmt: skip


def user(uid: str, **more: Any) -> Row:
    return {"id": uid, "userPrincipalName": f"{uid[:3]}@x.test", "displayName": uid[:3], **more}


def group(*members: str, owners: tuple[str, ...] = (), **more: Any) -> Row:
    return {"id": GROUP, "displayName": "ops", "securityEnabled": True, **more,
            "members": [{"id": m} for m in members], "owners": [{"id": o} for o in owners]}  # fmt: skip


def service(**more: Any) -> Row:
    return {
        "id": SP,
        "appId": APP,
        "displayName": "ci",
        "servicePrincipalType": "Application",
        **more,
    }


def directory(role: str, principal: str = ANA, **more: Any) -> list[Any]:
    return graph("roleManagement/directory/roleAssignments", {
        "id": f"r-{role[:8]}-{principal[:3]}", "principalId": principal, "roleDefinitionId": role,
        "directoryScopeId": "/", **more})  # fmt: skip


def eligible(role: str) -> list[Any]:
    return graph("roleManagement/directory/roleEligibilityScheduleInstances", {
        "id": "e-1", "principalId": ANA, "roleDefinitionId": role, "directoryScopeId": "/",
        "roleEligibilityScheduleId": "x", "memberType": "Direct"})  # fmt: skip


def runs(kind: str, name: str, **properties: Any) -> Row:
    return azure.row(
        kind, name, properties, identity={"type": "SystemAssigned", "principalId": SYSTEM}
    )


UAMI = f"{RG}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id"


def identity() -> Row:
    return azure.row("Microsoft.ManagedIdentity/userAssignedIdentities", "id", {
        "principalId": SYSTEM, "clientId": "aaaaaaaa-0000-0000-0000-0000000000cc"})  # fmt: skip


def pim(approval: bool) -> list[Row]:
    """The policy of activation of Owner in the subscription."""
    auth = f"{SUB}/providers/Microsoft.Authorization"
    return [{"id": f"{auth}/roleManagementPolicies/p", "name": "p", "type": "Microsoft.Authorization/roleManagementPolicies",
             "properties": {"scope": SUB, "rules": [{"id": "Approval_EndUser_Assignment",
                                                     "setting": {"isApprovalRequired": approval}}]}},
            {"id": f"{auth}/roleManagementPolicyAssignments/a", "name": "a",
             "type": "Microsoft.Authorization/roleManagementPolicyAssignments",
             "properties": {"scope": SUB, "policyId": f"{auth}/roleManagementPolicies/p",
                            "roleDefinitionId": f"{auth}/roleDefinitions/{OWNER}"}}]  # fmt: skip


def aks(**properties: Any) -> Row:
    return azure.row("Microsoft.ContainerService/managedClusters", "k", {
        "identityProfile": {"kubeletidentity": {"objectId": SYSTEM}}, **properties})  # fmt: skip


def vault(**properties: Any) -> Row:
    return azure.row(
        "Microsoft.KeyVault/vaults", "v", properties, tags={"data_class": "restricted"}
    )


def policy(*permissions: str, who: str = ANA) -> Row:
    return {"accessPolicies": [{"objectId": who, "permissions": {"secrets": list(permissions)}}]}


def vm(*extensions: str) -> list[Row]:
    return [azure.vm(), *({"id": f"{azure.VM}/extensions/{e}", "name": e,
                           "type": "Microsoft.Compute/virtualMachines/extensions",
                           "properties": {"type": e}} for e in extensions)]  # fmt: skip


def store(**properties: Any) -> Row:
    return azure.row("Microsoft.Storage/storageAccounts", "data", properties)


S, BOSS = SUBSCRIPTION, assigned(OWNER, SYSTEM)
SOLE = [S, assigned(READER)]
EL = "roleEligibilityScheduleInstances"
USER = graph("users", user(ANA))
AZURE: list[tuple[str, list[Row], list[Any], str, str]] = [
    ("delegates all roles", [S, assigned(RBAC_ADMIN)], [], "yes", "escalation"),
    ("delegates readers only", [S, assigned(RBAC_ADMIN, condition=may_assign(READER))], [], "no", "control"),
    ("delegates owners too", [S, assigned(RBAC_ADMIN, condition=may_assign(READER, OWNER))], [], "yes", "escalation"),
    ("delegates all but owners", [S, assigned(RBAC_ADMIN, condition=may_assign(OWNER, UAA, RBAC_ADMIN, negated=True))], [], "yes", "wide_reach"),
    ("delegates under another condition", [S, assigned(RBAC_ADMIN, condition="@Principal[x] StringEquals 'y'")], [], "unknown", "gap"),
    ("owner with a limit on roles", [S, assigned(OWNER, condition=may_assign(READER))], [], "yes", "wide_reach"),
    ("key vault data access administrator", [S, assigned("8b54135c-b56d-4d72-a534-26097cfdc8d8")], [], "no", "control"),
    ("role of nobody's definition", [S, assigned("12345678-0000-0000-0000-000000000000")], [], "unknown", "12345678-0000"),
    ("eligible, no approval", [S, *pim(False), assigned(OWNER, kind=EL)], [], "unknown", "gap"),
    ("eligible, approval", [S, *pim(True), assigned(OWNER, kind=EL), assigned(READER)], [], "no", "approval"),
    ("eligible, over", [S, assigned(OWNER, kind=EL, endDateTime=PAST), assigned(READER)], [], "no", "control"),
    ("active for a time", [S, assigned(OWNER, kind="roleAssignmentScheduleInstances", endDateTime=FUTURE)], [], "yes", "administrator"),
    ("active, over", [S, assigned(OWNER, kind="roleAssignmentScheduleInstances", endDateTime=PAST), assigned(READER)], [], "no", "control"),
    ("management group without its tree", [{**S, "properties": {}}, assigned(OWNER, scope=MG)], [], "yes", "root-group"),
    ("nested management group", [{**S, "properties": {"managementGroupAncestorsChain": [{"name": "leaf"}]}}, {
        "id": MG.replace("root-group", "leaf"), "name": "leaf", "type": "Microsoft.Management/managementGroups",
        "properties": {"details": {"parent": {"id": MG}}}}, assigned(OWNER, scope=MG)], [], "yes", "administrator"),
    ("denied by a deny assignment of everyone", [S, assigned(UAA), {**azure.deny("*"), "properties": {
        **azure.deny("*")["properties"], "principals": [{"id": "00000000-0000-0000-0000-000000000000"}]}}], [], "no", "control"),
    ("spared by the deny assignment", [S, assigned(UAA), {**azure.deny("*"), "properties": {
        **azure.deny("*")["properties"], "excludePrincipals": [{"id": ANA}]}}], [], "yes", "escalation"),
    ("custom role that grows", [S, azure.definition("Microsoft.Authorization/roleDefinitions/write"), assigned("custom")], [], "yes", "escalation"),
    ("assigns roles over an owner's machine", [S, azure.vm(), assigned(UAA, scope=RG), BOSS], [], "yes", "gives itself a role over web"),
    ("assigns roles over a reader's machine", [S, azure.vm(), assigned(UAA, scope=RG), assigned(READER, SYSTEM)], [], "no", "control"),
    ("assigns roles elsewhere", [S, azure.vm(), assigned(UAA, scope=f"{SUB}/resourceGroups/other"), BOSS], [], "no", "control"),
    ("assigns readers only, over an owner's machine", [S, azure.vm(), assigned(RBAC_ADMIN, scope=RG, condition=may_assign(READER)), BOSS],
     [], "no", "control"),
    ("assigns roles over a marked vault", [S, vault(enableRbacAuthorization=True), assigned(UAA, scope=RG)], [], "yes", "gives itself a role"),
    ("runs commands", [S, azure.vm(), azure.definition("Microsoft.Compute/virtualMachines/runCommand/action"),
                       assigned("custom"), BOSS], [], "yes", "escalation"),
    ("only starts machines", [S, azure.vm(), azure.definition("Microsoft.Compute/virtualMachines/start/action"),
                              assigned("custom"), BOSS], [], "no", "control"),
    ("signs in to a machine", [S, *vm("AADSSHLoginForLinux"), assigned(VM_LOGIN), BOSS], [], "yes", "escalation"),
    ("no sign-in on the machine", [S, *vm("CustomScript"), assigned(VM_LOGIN), BOSS], [], "no", "control"),
    ("extensions unread", [S, *vm(), assigned(VM_LOGIN), BOSS], [], "unknown", "gap"),
    ("writes a runbook", [S, runs("Microsoft.Automation/automationAccounts", "a"), assigned(AUTOMATION_CONTRIBUTOR), BOSS], [], "yes", "escalation"),
    ("starts runbooks only", [S, runs("Microsoft.Automation/automationAccounts", "a"), assigned(AUTOMATION_OPERATOR), BOSS], [], "no", "control"),
    ("deploys to a site", [S, runs("Microsoft.Web/sites", "app"), assigned(WEBSITE), BOSS], [], "yes", "escalation"),
    ("rewrites a logic app", [S, runs("Microsoft.Logic/workflows", "w"), assigned(LOGIC), BOSS], [], "yes", "escalation"),
    ("administers a cluster", [S, aks(), assigned(AKS_ADMIN), BOSS], [], "yes", "escalation"),
    ("cluster without local accounts", [S, aks(disableLocalAccounts=True), assigned(AKS_ADMIN), BOSS], [], "no", "control"),
    ("uses a cluster", [S, aks(), assigned(AKS_USER), BOSS], [], "no", "control"),
    ("federates an identity", [S, identity(), assigned(MI_CONTRIBUTOR), BOSS], [], "yes", "escalation"),
    ("gives an identity to its own machine", [S, identity(), assigned(MI_OPERATOR), assigned(VMC), BOSS], [], "yes", "escalation"),
    ("gives an identity, starts nothing", [S, identity(), assigned(MI_OPERATOR), BOSS], [], "no", "control"),
    ("reads blobs everywhere", [S, assigned(BLOBS)], [], "yes", "bulk_data"),
    ("reads keys of accounts", [S, store(), assigned(STORE_CONTRIBUTOR)], [], "yes", "bulk_data"),
    ("keys that no account takes", [S, store(allowSharedKeyAccess=False), assigned(STORE_CONTRIBUTOR)], [], "no", "control"),
    ("reads secrets everywhere", [S, assigned(SECRETS_USER)], [], "yes", "bulk_data"),
    ("reads secrets of a vault", [S, vault(enableRbacAuthorization=True), assigned(SECRETS_USER, scope=RG)], [], "yes", "bulk_data"),
    ("data role on a vault of policies", [S, vault(), assigned(SECRETS_USER, scope=RG)], [], "no", "control"),
    ("access policy", [*SOLE, vault(**policy("Get"))], USER, "yes", "bulk_data"),
    ("access policy to list", [*SOLE, vault(**policy("list"))], USER, "no", "control"),
    ("access policy of another", [*SOLE, vault(**policy("get", who=BOB))], USER, "no", "control"),
    ("access policy under RBAC", [*SOLE, vault(enableRbacAuthorization=True, **policy("get"))], USER, "no", "control"),
    ("writes itself into a vault", [S, vault(), assigned(KV_CONTRIBUTOR, scope=RG)], [], "yes", "bulk_data"),
    ("contributor of an RBAC vault", [S, vault(enableRbacAuthorization=True), assigned(KV_CONTRIBUTOR, scope=RG)], [], "no", "control"),
    ("global administrator", SOLE, directory(GLOBAL), "yes", "administrator"),
    ("eligible for global administrator", SOLE, eligible(GLOBAL), "unknown", "gap"),
    ("a role in a unit only", SOLE, directory(GLOBAL, directoryScopeId="/administrativeUnits/1"), "no", "control"),
    ("directory reader", SOLE, directory("88d8e3e3-8f55-4a1e-953a-9b9898b8876b"), "no", "control"),
    ("directory role unknown", SOLE, directory("abababab-0000-0000-0000-000000000000"), "unknown", "abababab"),
    ("resets an owner", [*SOLE, assigned(OWNER, BOB)], directory(HELPDESK) + graph("users", user(BOB)), "yes", "escalation"),
    ("an owner with a directory role", [*SOLE, assigned(OWNER, BOB)], directory(HELPDESK) + graph("users", user(BOB))
     + directory(HELPDESK, BOB), "no", "control"),
    ("secrets on applications", [*SOLE, assigned(OWNER, SP)], directory(APP_ADMIN) + graph("servicePrincipals", service()), "yes", "escalation"),
    ("applications without power", SOLE, directory(APP_ADMIN) + graph("servicePrincipals", service()), "no", "control"),
    ("a managed identity takes no secret", [*SOLE, assigned(OWNER, SP)], directory(APP_ADMIN) + graph(
        "servicePrincipals", service(servicePrincipalType="ManagedIdentity")), "no", "control"),
    ("joins a group of owners", [*SOLE, assigned(OWNER, GROUP)], directory(GROUPS) + graph("groups", group()), "yes", "escalation"),
    ("a group for roles", [*SOLE, assigned(OWNER, GROUP)], directory(GROUPS) + graph("groups", group(isAssignableToRole=True)), "no", "control"),
    ("a group by rule", [*SOLE, assigned(OWNER, GROUP)], directory(GROUPS) + graph("groups", group(membershipRule="x")), "no", "control"),
    ("owns a group of owners", [*SOLE, assigned(OWNER, GROUP)], graph("groups", group(owners=(ANA,))), "yes", "escalation"),
    ("member of a group of owners", [*SOLE, assigned(OWNER, GROUP)], graph("groups", group(ANA)), "yes", "administrator"),
    ("global administrator by a group", SOLE, directory(GLOBAL, GROUP) + graph("groups", group(ANA)), "yes", "administrator"),
    ("custom directory role", [*SOLE, assigned(OWNER, SP)], graph("roleManagement/directory/roleDefinitions", {
        "id": "c1c1c1c1-0000-0000-0000-000000000001", "displayName": "secrets", "isBuiltIn": False, "rolePermissions": [
            {"allowedResourceActions": ["microsoft.directory/applications/credentials/update"]}]})
     + directory("c1c1c1c1-0000-0000-0000-000000000001") + graph("servicePrincipals", service()), "yes", "escalation"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "more", "value", "told"), [c[1:] for c in AZURE], ids=[c[0] for c in AZURE]
)
def test_power_in_azure(rows: list[Row], more: list[Any], value: str, told: str) -> None:
    made = estate_of(azure.records(*rows) + more)
    found = {s.resource: s for s in azure_privilege(made)}[f"entra:{ANA}"]
    assert found.value == value, found.evidence
    assert told in " ".join(f"{e.kind} {e.text}" for e in found.evidence)


GRAPH_ROLES = [
    ("RoleManagement.ReadWrite.Directory", "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8", "yes"),
    ("AppRoleAssignment.ReadWrite.All", "06b708a9-e830-4db3-a914-8e69da51d44f", "yes"),
    ("Directory.Read.All", "7ab1d382-f21e-4acd-a863-ba3e13f7da61", "no"),
]


@pytest.mark.parametrize(
    ("role", "value"), [r[1:] for r in GRAPH_ROLES], ids=[r[0] for r in GRAPH_ROLES]
)
def test_permissions_of_applications(role: str, value: str) -> None:
    """Listed with the service principal, or as a page of their own."""
    grant = {
        "id": "g",
        "appRoleId": role,
        "principalId": SP,
        "resourceDisplayName": "Microsoft Graph",
    }
    base = azure.records(SUBSCRIPTION, assigned(READER, SP))
    for records in (
        base + graph("servicePrincipals", service(appRoleAssignments=[grant])),
        base
        + graph("servicePrincipals", service())
        + graph(f"servicePrincipals('{SP}')/appRoleAssignments", grant),
    ):
        assert {s.resource: s.value for s in azure_privilege(estate_of(records))}[
            f"entra:{SP}"
        ] == value


# Google Cloud

OWNS = google.OWNS
TOKEN = "roles/iam.serviceAccountTokenCreator"
USER_ROLE = "roles/iam.serviceAccountUser"
THIRD = google.SA.replace("app@", "third@")
THIRD_MEMBER = MEMBER.replace("app@", "third@")


def grant(*permissions: str) -> list[Asset]:
    """A custom role of these permissions, bound in the project, beside a powerful account."""
    return [project(OWNS, bind(google.CUSTOM, MEMBER)), account(), boss(), custom(*permissions)]


def deny(
    *permissions: str, spared: tuple[str, ...] = (), who: str = "principalSet://goog/public:all"
) -> Asset:
    name = "policies/cloudresourcemanager.googleapis.com%2Fprojects%2F1001/denypolicies/d"
    return asset("iam.googleapis.com/DenyPolicy", f"//iam.googleapis.com/{name}", {
        "name": name, "rules": [{"denyRule": {"deniedPrincipals": [who], "exceptionPrincipals": list(spared),
                                              "deniedPermissions": list(permissions)}}]})  # fmt: skip


def boundary(*resources: str) -> list[Asset]:
    name = "organizations/30/locations/global/principalAccessBoundaryPolicies/p"
    return [asset("iam.googleapis.com/PrincipalAccessBoundaryPolicy", f"//iam.googleapis.com/{name}", {
        "name": name, "details": {"rules": [{"effect": "ALLOW", "resources": list(resources)}]}}),
        asset("iam.googleapis.com/PolicyBinding", "//iam.googleapis.com/x/policyBindings/b", {
            "policy": name, "target": {"principalSet": f"{google.CRM}/projects/1001"}})]  # fmt: skip


def no_keys(on: bool = True) -> list[Asset]:
    return [
        {
            "constraint": "constraints/iam.disableServiceAccountKeyCreation",
            "booleanPolicy": {"enforced": on},
        }
    ]


def owner_machine(**more: Any) -> Asset:
    return machine(serviceAccounts=[{"email": google.BOSS.rsplit("/", 1)[-1], "scopes": [
        "https://www.googleapis.com/auth/cloud-platform"]}], **more)  # fmt: skip


def bucket(*policy: Asset) -> Asset:
    return asset("storage.googleapis.com/Bucket", google.BUCKET, {
        "name": "data", "labels": {"data_class": "restricted"}}, list(policy))  # fmt: skip


OSLOGIN = {"metadata": {"items": [{"key": "enable-oslogin", "value": "TRUE"}]}}
AS_BOSS = boss(bind(USER_ROLE, MEMBER))
GOOGLE: list[tuple[str, list[Asset], str, str]] = [
    ("role of nobody's definition", [project(bind("roles/new.shiny", MEMBER)), account()], "unknown", "roles/new.shiny"),
    ("custom role unread", [project(bind(google.CUSTOM, MEMBER)), account()], "unknown", google.CUSTOM),
    ("custom role deleted", [project(bind(google.CUSTOM, MEMBER)), account(), asset(
        "iam.googleapis.com/Role", f"//iam.googleapis.com/{google.CUSTOM}", {"name": google.CUSTOM, "deleted": True})], "no", ""),
    ("expired", [project(bind("roles/owner", MEMBER, expression=f'request.time < timestamp("{PAST}")')), account()], "no", ""),
    ("for a time", [project(bind("roles/owner", MEMBER, expression=f'request.time < timestamp("{FUTURE}")')), account()], "yes", "administrator"),
    ("organisation's policy", [project(), folder(bind("roles/resourcemanager.folderAdmin", MEMBER)), account()], "yes", "escalation"),
    ("project creator", [project(bind("roles/resourcemanager.projectCreator", MEMBER)), account()], "no", "control"),
    ("denied", [project(bind("roles/resourcemanager.projectIamAdmin", MEMBER)), account(), deny(
        "cloudresourcemanager.googleapis.com/projects.setIamPolicy")], "no", "control"),
    ("another permission denied", [project(bind("roles/resourcemanager.projectIamAdmin", MEMBER)), account(), deny(
        "iam.googleapis.com/roles.update")], "yes", "escalation"),
    ("spared by the deny policy", [project(bind("roles/resourcemanager.projectIamAdmin", MEMBER)), account(), deny(
        "cloudresourcemanager.googleapis.com/*", spared=("principal://iam.googleapis.com/projects/-/serviceAccounts/"
                                                         f"{MEMBER.partition(':')[2]}",))], "yes", "escalation"),
    ("another denied", [project(bind("roles/resourcemanager.projectIamAdmin", MEMBER)), account(), deny(
        "cloudresourcemanager.googleapis.com/*", who="principal://goog/subject/ana@x.test")], "yes", "escalation"),
    ("outside its boundary", [project(bind("roles/owner", MEMBER)), account(), *boundary(f"{google.CRM}/projects/9")], "no", "control"),
    ("inside its boundary", [project(bind("roles/owner", MEMBER)), account(), *boundary(f"{google.CRM}/projects/1001")], "yes", "administrator"),
    ("keys forbidden", [project(OWNS, rules=no_keys()), account(), boss(bind("roles/iam.serviceAccountKeyAdmin", MEMBER))], "no", "control"),
    ("keys forbidden, then not", [project(OWNS, rules=no_keys(False)), account(), boss(bind(
        "roles/iam.serviceAccountKeyAdmin", MEMBER))], "yes", "escalation"),
    ("lifts the policy, then makes a key", [project(OWNS, bind("roles/orgpolicy.policyAdmin", MEMBER), rules=no_keys()), account(),
                                            boss(bind("roles/iam.serviceAccountKeyAdmin", MEMBER))], "yes", "lifts"),
    ("signs", [project(OWNS), account(), boss(bind(google.CUSTOM, MEMBER)), custom("iam.serviceAccounts.signJwt")], "yes", "signs"),
    ("identity tokens", [project(OWNS), account(), boss(bind("roles/iam.serviceAccountOpenIdTokenCreator", MEMBER))], "unknown", "gap"),
    ("delegation", [project(OWNS), account(), boss(bind(TOKEN, THIRD_MEMBER)), account(THIRD, bind(google.CUSTOM, MEMBER)),
                    custom("iam.serviceAccounts.implicitDelegation")], "yes", "delegates"),
    ("delegation without a token", [project(OWNS), account(), boss(), account(THIRD, bind(google.CUSTOM, MEMBER)),
                                    custom("iam.serviceAccounts.implicitDelegation")], "no", "control"),
    ("two hops", [project(OWNS), account(), boss(bind(TOKEN, THIRD_MEMBER)), account(THIRD, bind(TOKEN, MEMBER))], "yes", "then"),
    ("disabled account on the way", [project(OWNS), account(), {**boss(bind(TOKEN, MEMBER)), "resource": {"data": {
        "email": google.BOSS.rsplit("/", 1)[-1], "disabled": True}}}], "no", "control"),
    ("policy of an account", [project(OWNS), account(), boss(bind("roles/iam.serviceAccountAdmin", MEMBER))], "yes", "policy of"),
    ("views accounts", [project(OWNS), account(), boss(bind("roles/iam.serviceAccountViewer", MEMBER))], "no", "control"),
    *((f"acts and {words}", [project(OWNS, bind(role, MEMBER)), account(), AS_BOSS], "yes", "escalation") for words, role in (
        ("deploys functions", "roles/cloudfunctions.developer"), ("deploys services", "roles/run.developer"),
        ("starts Dataproc", "roles/dataproc.editor"), ("starts Dataflow", "roles/dataflow.developer"),
        ("starts Composer", "roles/composer.admin"), ("schedules", "roles/cloudscheduler.admin"),
        ("starts notebooks", "roles/notebooks.admin"), ("trains", "roles/aiplatform.user"),
        ("builds", "roles/cloudbuild.builds.editor"), ("writes workflows", "roles/workflows.editor"),
        ("runs batches", "roles/batch.jobsEditor"), ("deploys App Engine", "roles/appengine.deployer"))),
    ("acts and views", [project(OWNS, bind("roles/compute.viewer", MEMBER)), account(), AS_BOSS], "no", "control"),
    ("builds as the old account", [project(bind("roles/owner", "serviceAccount:1001@cloudbuild.gserviceaccount.com"),
     bind("roles/cloudbuild.builds.editor", MEMBER)), account()], "yes", "runs a build"),
    ("builds, and nothing is bound to the build", [project(bind("roles/cloudbuild.builds.editor", MEMBER)), account()], "no", "control"),
    ("metadata", [*grant("compute.instances.setMetadata"), owner_machine()], "yes", "metadata"),
    ("metadata, narrow scopes", [*grant("compute.instances.setMetadata"), machine(serviceAccounts=[{
        "email": google.BOSS.rsplit("/", 1)[-1], "scopes": ["x"]}])], "no", "control"),
    ("metadata, another's machine", [*grant("compute.instances.setMetadata"), machine()], "no", "control"),
    ("project metadata", [*grant("compute.projects.setCommonInstanceMetadata"), owner_machine()], "yes", "project's metadata"),
    ("project metadata, keys blocked", [*grant("compute.projects.setCommonInstanceMetadata"), owner_machine(metadata={
        "items": [{"key": "block-project-ssh-keys", "value": "true"}]})], "no", "control"),
    ("OS Login", [*grant("compute.instances.osAdminLogin", "iam.serviceAccounts.actAs"), owner_machine(**OSLOGIN)], "yes", "OS Login"),
    ("OS Login off", [*grant("compute.instances.osAdminLogin", "iam.serviceAccounts.actAs"), owner_machine()], "no", "control"),
    ("own custom role", [project(bind(google.CUSTOM, MEMBER)), account(), custom("iam.roles.update")], "yes", "escalation"),
    ("another's custom role", [project(bind("roles/iam.roleAdmin", MEMBER)), account(), custom("storage.buckets.list")], "no", "control"),
    ("reads all secrets", [project(bind("roles/secretmanager.secretAccessor", MEMBER)), account()], "yes", "bulk_data"),
    ("reads all objects but one bucket", [project(bind("roles/storage.objectViewer", MEMBER, expression=
     'resource.name.startsWith("projects/_/buckets/other")')), account(), bucket()], "no", "control"),
    ("reads one bucket by a condition", [project(bind("roles/storage.objectViewer", MEMBER, expression=
     'resource.name.startsWith("projects/_/buckets/data")')), account(), bucket()], "yes", "bulk_data"),
    ("reads a marked bucket", [project(), account(), bucket(bind("roles/storage.objectViewer", MEMBER))], "yes", "bulk_data"),
    ("lists a marked bucket", [project(), account(), bucket(bind("roles/storage.legacyBucketReader", MEMBER))], "no", "control"),
    ("editor of a project whose editors read", [project(bind("roles/viewer", MEMBER)), account(), bucket(bind(
        "roles/storage.legacyObjectReader", "projectViewer:shop-1"))], "yes", "bulk_data"),
    ("storage administrator", [project(bind("roles/storage.admin", MEMBER)), account()], "yes", "wide_reach"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("assets", "value", "told"), [c[1:] for c in GOOGLE], ids=[c[0] for c in GOOGLE]
)
def test_power_in_google_cloud(assets: list[Asset], value: str, told: str) -> None:
    found = {s.resource: s for s in google_privilege(google.estate(*assets))}[google.SA]
    assert found.value == value, found.evidence
    assert told in " ".join(f"{e.kind} {e.text}" for e in found.evidence)


def test_a_person_of_a_domain_has_what_the_domain_has() -> None:
    made = google.estate(project(bind("roles/owner", "domain:x.test"), bind("roles/browser", "user:ana@x.test",
                                                                           "user:bob@y.test")))  # fmt: skip
    found = {s.resource: s.value for s in google_privilege(made)}
    assert (found["user:ana@x.test"], found["user:bob@y.test"]) == ("yes", "no")


def test_what_runs_by_default_runs_as_the_default_account() -> None:
    default = "1001-compute@developer.gserviceaccount.com"
    run = asset("run.googleapis.com/Service", google.RUN, {"template": {}}, [])
    made = google.estate(project(bind("roles/editor", f"serviceAccount:{default}")), run)
    assert {s.resource: s.value for s in google_privilege(made)}[google.RUN] == "yes"


def test_an_empty_estate_says_nothing() -> None:
    assert not list(azure_privilege(Estate())) and not list(google_privilege(Estate()))


def test_contributor_is_wide_but_no_administrator() -> None:
    found = azure.powers(SUBSCRIPTION, assigned(CONTRIBUTOR))[f"entra:{ANA}"]
    assert {e.kind for e in found.evidence} <= {"wide_reach", "bulk_data"}


def test_what_runs_as_nobody_has_no_power() -> None:
    found = azure.powers(SUBSCRIPTION, azure.vm() | {"identity": None}, assigned(READER))
    assert (
        found[azure.VM.lower()].value == "no"
        and "identity" in found[azure.VM.lower()].evidence[0].text
    )
    machine_ = google.powers(project(), machine(serviceAccounts=[]))[google.VM]
    assert machine_.value == "no" and "no service account" in machine_.evidence[0].text


def test_a_project_of_which_only_the_policy_was_read() -> None:
    """Accounts name their project by its id, the policy by its number: ancestors tie the two."""
    whole = project(OWNS, bind("roles/run.developer", MEMBER))
    bare = {k: v for k, v in whole.items() if k != "resource"}
    found = google.powers(bare, account(), AS_BOSS)
    assert found[google.SA].value == "yes"


def test_narrow_scopes_still_read_what_their_api_gives() -> None:
    """What Compute Engine gives a machine by default reads buckets, and controls nothing."""

    def judged(*scopes: str) -> tuple[str, str]:
        told = [{"email": MEMBER.partition(":")[2],
                 "scopes": [f"https://www.googleapis.com/auth/{s}" for s in scopes]}]  # fmt: skip
        if not scopes:
            del told[0]["scopes"]
        made = google.estate(machine(serviceAccounts=told), account(), project(bind("roles/owner", MEMBER)),
                             bucket(bind(google.VIEW, MEMBER)))  # fmt: skip
        found = {s.resource: s for s in google_privilege(made)}[google.VM]
        return found.value, found.evidence[0].kind

    assert judged("devstorage.read_only", "logging.write") == ("yes", "bulk_data")
    assert judged("logging.write") == ("no", "control")
    assert judged("cloud-platform") == ("yes", "administrator")
    assert judged() == ("unknown", "gap")
