"""Paths in Azure, in Google Cloud and from one to the other: each possible, then one conjunct less."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from secinbox.cli import secinbox
from secinbox.paths import routes
from tests import moves_clouds as clouds
from tests import test_azure as azure
from tests import test_clouds_power as power
from tests import test_entra_scopes as entra
from tests import test_gcp as google
from tests import test_gcp_groups as cloud_groups
from tests import test_gcp_services as services
from tests.moves_clouds import MARKED, Clouds
from tests.scenes import Scene, vulnerability
from tests.scenes import service as trusts_service

SUB, VM, GVM = azure.SUB.lower(), azure.VM.lower(), google.VM
PROJECT = f"{google.CRM}/projects/1001"
TENANT = "entra:tenant"
OPEN = azure.machine(azure.rule())
SHUT = azure.machine(azure.rule(source="10.0.0.0/8"))
ROLE = power.directory
Flips = dict[str, Clouds]


def entry(*rows: Any, records: list[Any] | None = None, assets: list[Any] | None = None,
          machine: list[Any] | None = None) -> Clouds:  # fmt: skip
    """A weak machine on the Internet in Azure, and more."""
    found = Clouds([azure.SUBSCRIPTION, *(machine or OPEN), *rows], records, assets)
    found.weak = {VM: [vulnerability()]}
    return found


def start(*assets: Any, own: bool = True, machine: Any = None, **more: Any) -> Clouds:
    """The same in Google Cloud."""
    found = Clouds(assets=[machine or google.machine(), google.firewall(), *([google.account()] if own else []), *assets],
                   **more)  # fmt: skip
    found.weak = {GVM: [vulnerability()]}
    return found


def me(role: str, scope: str = azure.SUB, **more: Any) -> Any:
    return azure.assigned(role, azure.SYSTEM, scope, **more)


def other(kind: str, name: str = "boss", **properties: Any) -> Any:
    """Something that runs as an owner."""
    return azure.row(
        kind, name, properties, identity={"type": "SystemAssigned", "principalId": power.BOB}
    )


BOB, SP_OWNS = azure.assigned(azure.OWNER, power.BOB), azure.assigned(azure.OWNER, power.SP)
GROUP_OWNS = azure.assigned(azure.OWNER, power.GROUP)
READER = me(azure.READER)
SP = azure.graph("servicePrincipals", power.service())
VAULT = power.vault(enableRbacAuthorization=True)
STORE = power.store() | MARKED


def permission(*roles: str) -> list[Any]:
    grants = [{"id": r, "appRoleId": r, "principalId": azure.SYSTEM} for r in roles]
    return azure.graph("servicePrincipals", {"id": azure.SYSTEM, "appId": "m-1", "displayName": "web",
                                             "servicePrincipalType": "ManagedIdentity", "appRoleAssignments": grants})  # fmt: skip


def denied() -> Any:
    found = azure.deny("*")
    found["properties"]["principals"] = [{"id": azure.SYSTEM}]
    return found


def owned(by: str) -> list[Any]:
    return [*SP, *azure.graph("applications", {"id": "a-1", "appId": power.APP, "displayName": "ci",
                                               "signInAudience": "x", "owners": [{"id": by}]})]  # fmt: skip


def uami(principal: str = power.BOB) -> Any:
    return azure.row(
        "Microsoft.ManagedIdentity/userAssignedIdentities", "id", {"principalId": principal}
    )


LOCAL = "Microsoft.Compute/virtualMachines"
SITE = "Microsoft.Web/sites"
RULES = "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"
ALL_APPS = "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9"
AZURE: dict[str, tuple[Clouds, str, Flips]] = {
    "assigns roles": (entry(me(azure.UAA)), SUB, {
        "reader": entry(READER), "one group of resources": entry(me(azure.UAA, azure.RG)),
        "limited to readers": entry(me(power.RBAC_ADMIN, condition=power.may_assign(azure.READER))),
        "denied": entry(me(azure.UAA), denied()), "closed": entry(me(azure.UAA), machine=SHUT)}),
    "owner above": (entry(me(azure.OWNER, azure.MG)), SUB, {
        "of another group": entry(me(azure.OWNER, azure.MG + "-other"))}),
    "another machine": (entry(me(azure.VMC), other(LOCAL), BOB), SUB, {
        "reader": entry(READER, other(LOCAL), BOB), "without power": entry(me(azure.VMC), other(LOCAL)),
        "elsewhere": entry(me(azure.VMC, azure.SUB + "/resourceGroups/other"), other(LOCAL), BOB)}),
    "an application": (entry(me(power.WEBSITE), other(SITE), BOB), SUB, {"reader": entry(READER, other(SITE), BOB)}),
    "a runbook": (entry(me(power.AUTOMATION_CONTRIBUTOR), other("Microsoft.Automation/automationAccounts"), BOB), SUB, {
        "operator": entry(me(power.AUTOMATION_OPERATOR), other("Microsoft.Automation/automationAccounts"), BOB)}),
    "a logic app": (entry(me(power.LOGIC), other("Microsoft.Logic/workflows"), BOB), SUB, {
        "reader": entry(READER, other("Microsoft.Logic/workflows"), BOB)}),
    "a cluster": (entry(me(power.AKS_ADMIN), other("Microsoft.ContainerService/managedClusters"), BOB), SUB, {
        "no local accounts": entry(me(power.AKS_ADMIN), other("Microsoft.ContainerService/managedClusters",
                                                             disableLocalAccounts=True), BOB)}),
    "a federated credential": (entry(me(power.MI_CONTRIBUTOR), uami(), BOB), SUB, {
        "reader": entry(READER, uami(), BOB), "no such identity": entry(me(power.MI_CONTRIBUTOR), BOB)}),
    "a secret on an application": (entry(READER, SP_OWNS, records=[*ROLE(power.APP_ADMIN, azure.SYSTEM), *SP]), SUB, {
        "another role": entry(READER, SP_OWNS, records=[*ROLE(power.GROUPS, azure.SYSTEM), *SP]),
        "without power": entry(READER, records=[*ROLE(power.APP_ADMIN, azure.SYSTEM), *SP])}),
    "all applications by a permission": (entry(READER, SP_OWNS, records=[*permission(ALL_APPS), *SP]), SUB, {
        "without it": entry(READER, SP_OWNS, records=[*permission(), *SP])}),
    "an application that it owns": (entry(READER, SP_OWNS, records=owned(azure.SYSTEM)), SUB, {
        "of another": entry(READER, SP_OWNS, records=owned(power.BOB))}),
    "a group": (entry(READER, GROUP_OWNS, records=[*ROLE(power.GROUPS, azure.SYSTEM), *azure.graph("groups", power.group())]), SUB, {
        "role-assignable": entry(READER, GROUP_OWNS, records=[*ROLE(power.GROUPS, azure.SYSTEM), *azure.graph(
            "groups", power.group(isAssignableToRole=True))])}),
    "a password": (entry(READER, BOB, records=[*ROLE(power.HELPDESK, azure.SYSTEM), *azure.graph("users", power.user(power.BOB))]), SUB, {
        "of an administrator": entry(READER, BOB, records=[*ROLE(power.HELPDESK, azure.SYSTEM), *azure.graph(
            "users", power.user(power.BOB)), *ROLE(power.GROUPS, power.BOB)])}),
    "member of a group": (entry(GROUP_OWNS, records=azure.graph("groups", power.group(azure.SYSTEM))), SUB, {
        "not a member": entry(GROUP_OWNS, records=azure.graph("groups", power.group()))}),
    "the tenant": (entry(records=permission(RULES)), TENANT, {"without it": entry(records=permission())}),
    "the tenant, then the subscription": (entry(records=permission(RULES)), SUB, {"without it": entry(records=permission())}),
    "a vault": (entry(me(power.SECRETS_USER), VAULT), azure.VAULT.lower(), {
        "reader": entry(READER, VAULT), "a vault of policies": entry(me(power.SECRETS_USER), power.vault()),
        "denied": entry(me(power.SECRETS_USER), VAULT, {**denied(), "properties": {
            **denied()["properties"], "permissions": [{"dataActions": ["*"]}]}})}),
    "an access policy": (entry(power.vault(**power.policy("get", who=azure.SYSTEM))), azure.VAULT.lower(), {
        "lists only": entry(power.vault(**power.policy("list", who=azure.SYSTEM))),
        "under RBAC": entry(power.vault(enableRbacAuthorization=True, **power.policy("get", who=azure.SYSTEM)))}),
    "writes itself into a vault": (entry(me(power.KV_CONTRIBUTOR), power.vault()), azure.VAULT.lower(), {
        "under RBAC": entry(me(power.KV_CONTRIBUTOR), VAULT)}),
    "keys of an account": (entry(me(power.STORE_CONTRIBUTOR), STORE), azure.STORE.lower(), {
        "no shared keys": entry(me(power.STORE_CONTRIBUTOR), power.store(allowSharedKeyAccess=False) | MARKED),
        "denied": entry(me(power.STORE_CONTRIBUTOR), STORE, denied())}),
    "blobs by a role": (entry(me(power.BLOBS), STORE), azure.STORE.lower(), {"reader": entry(READER, STORE)}),
    "behind a gateway": (entry(me(azure.OWNER), machine=[r for r in azure.balanced(azure.rule()) if r]), SUB, {
        "private front": entry(me(azure.OWNER), machine=azure.balanced(azure.rule(), scheme="private")),
        "group closed": entry(me(azure.OWNER), machine=azure.balanced(azure.rule(source="10.0.0.0/8")))}),
    "all of Azure": (entry(me(azure.OWNER), machine=azure.machine(azure.rule(source="AzureCloud"))), SUB, {
        "a service of Azure": entry(me(azure.OWNER), machine=azure.machine(azure.rule(source="GatewayManager")))}),
    "stopped": (entry(me(azure.OWNER)), SUB, {"deallocated": entry(me(azure.OWNER), machine=azure.machine(
        azure.rule(), extended={"instanceView": {"powerState": {"code": "PowerState/deallocated"}}}))}),
    "two steps": (entry(me(azure.VMC), other(LOCAL), azure.assigned(power.MI_CONTRIBUTOR, power.BOB), uami(power.SP), SP_OWNS), SUB, {
        "first": entry(READER, other(LOCAL), azure.assigned(power.MI_CONTRIBUTOR, power.BOB), uami(power.SP), SP_OWNS),
        "second": entry(me(azure.VMC), other(LOCAL), azure.assigned(azure.READER, power.BOB), uami(power.SP), SP_OWNS),
        "last": entry(me(azure.VMC), other(LOCAL), azure.assigned(power.MI_CONTRIBUTOR, power.BOB), uami(power.SP))}),
    "anybody's workflow": (Clouds([azure.SUBSCRIPTION, *clouds.federated("repo:*", expression=True), me(azure.OWNER)]), SUB, {
        "one owner's": Clouds([azure.SUBSCRIPTION, *clouds.federated("repo:acme/*", expression=True), me(azure.OWNER)]),
        "one repository's": Clouds([azure.SUBSCRIPTION, *clouds.federated("repo:acme/shop:pull_request"), me(azure.OWNER)]),
        "of no power": Clouds([azure.SUBSCRIPTION, *clouds.federated("repo:*", expression=True), READER])}),
}  # fmt: skip

P, M, B = google.project, google.MEMBER, google.bind
OWNS = google.OWNS
G_START = google.machine()
AS_BOSS = google.boss(B(power.USER_ROLE, M))
BOSSES = power.owner_machine()
NAMED_BOSS = {**BOSSES, "name": BOSSES["name"].replace("/web", "/boss")}
SECRET = clouds.SECRETS[0]
TABLE = google.asset("bigquery.googleapis.com/Dataset", google.DATASET, {
    "labels": {"data_class": "restricted"}, "access": []}, [])  # fmt: skip


def run_boss(*policy: Any) -> Any:
    return google.asset("run.googleapis.com/Service", google.RUN, {"template": {
        "serviceAccount": f"boss@{google.P}.iam.gserviceaccount.com"}}, list(policy))  # fmt: skip


def custom(*permissions: str) -> list[Any]:
    return [P(OWNS, B(google.CUSTOM, M)), google.boss(), google.custom(*permissions)]


def launch(role: str) -> Clouds:
    return start(P(OWNS, B(role, M)), AS_BOSS)


def bucket(*policy: Any, **data: Any) -> Any:
    return google.bucket(*policy, labels={"data_class": "restricted"}, **data)


LAUNCHES = {
    "a machine": "roles/compute.instanceAdmin.v1", "a function": "roles/cloudfunctions.developer",
    "a service": "roles/run.developer", "Dataproc": "roles/dataproc.editor", "Dataflow": "roles/dataflow.developer",
    "Composer": "roles/composer.admin", "a schedule": "roles/cloudscheduler.admin", "a build": "roles/cloudbuild.builds.editor",
}  # fmt: skip
GOOGLE: dict[str, tuple[Clouds, str, Flips]] = {
    "changes the policy": (start(P(B("roles/resourcemanager.projectIamAdmin", M))), PROJECT, {
        "viewer": start(P(B("roles/viewer", M))),
        "denied": start(P(B("roles/resourcemanager.projectIamAdmin", M)), power.deny("cloudresourcemanager.googleapis.com/*")),
        "bounded": start(P(B("roles/resourcemanager.projectIamAdmin", M)), *power.boundary(f"{google.CRM}/projects/9")),
        "expired": start(P(B("roles/resourcemanager.projectIamAdmin", M, expression=f'request.time < timestamp("{power.PAST}")'))),
        "closed": Clouds(assets=[google.machine(), google.firewall(ranges=("10.0.0.0/8",)), google.account(),
                                 P(B("roles/resourcemanager.projectIamAdmin", M))])}),
    "of a folder": (start(P(), google.folder(B("roles/resourcemanager.folderAdmin", M))), PROJECT, {
        "viewer": start(P(), google.folder(B("roles/resourcemanager.folderViewer", M)))}),
    "a key": (start(P(OWNS), google.boss(B("roles/iam.serviceAccountKeyAdmin", M))), PROJECT, {
        "forbidden": start(P(OWNS, rules=power.no_keys()), google.boss(B("roles/iam.serviceAccountKeyAdmin", M))),
        "viewer": start(P(OWNS), google.boss(B("roles/iam.serviceAccountViewer", M)))}),
    "a signature": (start(*custom("iam.serviceAccounts.signBlob")), PROJECT, {"views": start(*custom("iam.serviceAccounts.get"))}),
    "the policy of an account": (start(P(OWNS), google.boss(B("roles/iam.serviceAccountAdmin", M))), PROJECT, {
        "viewer": start(P(OWNS), google.boss(B("roles/iam.serviceAccountViewer", M)))}),
    "delegation": (start(P(OWNS), google.boss(B(power.TOKEN, power.THIRD_MEMBER)), google.account(
        power.THIRD, B(google.CUSTOM, M)), google.custom("iam.serviceAccounts.implicitDelegation")), PROJECT, {
        "no token": start(P(OWNS), google.boss(), google.account(power.THIRD, B(google.CUSTOM, M)), google.custom(
            "iam.serviceAccounts.implicitDelegation"))}),
    **{f"starts {name}": (launch(role), PROJECT, {
        "acts as nobody": start(P(OWNS, B(role, M)), google.boss()), "only acts": launch("roles/browser")})
       for name, role in LAUNCHES.items()},
    "metadata of another machine": (start(*custom("compute.instances.setMetadata"), NAMED_BOSS), PROJECT, {
        "starts it": start(*custom("compute.instances.start"), NAMED_BOSS)}),
    "a build as its agent": (start(P(B("roles/cloudbuild.builds.editor", M), B(
        "roles/owner", "serviceAccount:1001@cloudbuild.gserviceaccount.com"))), PROJECT, {
        "agent of no power": start(P(B("roles/cloudbuild.builds.editor", M)))}),
    "its own custom role": (start(P(B(google.CUSTOM, M)), google.custom("iam.roles.update")), PROJECT, {
        "another permission": start(P(B(google.CUSTOM, M)), google.custom("iam.roles.get"))}),
    "a secret": (start(P(), {**SECRET, "iamPolicy": {"bindings": [B("roles/secretmanager.secretAccessor", M)]}}), SECRET["name"], {
        "viewer": start(P(), {**SECRET, "iamPolicy": {"bindings": [B("roles/secretmanager.viewer", M)]}})}),
    "a bucket": (start(P(), bucket(B(google.VIEW, M))), google.BUCKET, {
        "lists": start(P(), bucket(B("roles/storage.legacyBucketReader", M))),
        "narrow scopes": start(P(), bucket(B(google.VIEW, M)), machine=google.machine(serviceAccounts=[]))}),
    "a dataset": (start(P(B("roles/bigquery.dataViewer", M)), TABLE), google.DATASET, {
        "metadata": start(P(B("roles/bigquery.metadataViewer", M)), TABLE)}),
    "an open bucket": (Clouds(assets=[P(), bucket(B(google.VIEW, "allUsers"))]), google.BUCKET, {
        "prevented": Clouds(assets=[google.prevented(), bucket(B(google.VIEW, "allUsers"))]),
        "in a perimeter": Clouds(assets=[P(), bucket(B(google.VIEW, "allUsers")), services.perimeter("storage.googleapis.com")]),
        "for one": Clouds(assets=[P(), bucket(B(google.VIEW, "user:a@x"))])}),
    "a bucket for any account": (Clouds(assets=[P(), bucket(B(google.VIEW, "allAuthenticatedUsers"))]), google.BUCKET, {
        "for a domain": Clouds(assets=[P(), bucket(B(google.VIEW, "domain:x.test"))])}),
    "two accounts": (start(P(OWNS), google.boss(B(power.TOKEN, power.THIRD_MEMBER)), google.account(
        power.THIRD, B(power.TOKEN, M))), PROJECT, {
        "first": start(P(OWNS), google.boss(B(power.TOKEN, power.THIRD_MEMBER)), google.account(power.THIRD)),
        "second": start(P(OWNS), google.boss(), google.account(power.THIRD, B(power.TOKEN, M))),
        "last": start(P(), google.boss(B(power.TOKEN, power.THIRD_MEMBER)), google.account(power.THIRD, B(power.TOKEN, M)))}),
    "disabled": (start(P(OWNS), google.boss(B(power.TOKEN, M))), PROJECT, {"account": start(P(OWNS), {**google.boss(
        B(power.TOKEN, M)), "resource": {"data": {"email": google.BOSS.rsplit("/", 1)[-1], "disabled": True}}})}),
}  # fmt: skip

ORGANISATION = f"{google.CRM}/organizations/30"


def delegated(*log: Any, policy: tuple[Any, ...] = (), owner: str = "C01") -> Clouds:
    """A weak machine whose account acts as anybody in a Google Workspace."""
    top = google.asset("cloudresourcemanager.googleapis.com/Organization", ORGANISATION, {
        "name": "organizations/30", "owner": {"directoryCustomerId": owner}}, [], ancestors=["organizations/30"])  # fmt: skip
    return start(P(*policy), clouds.known_client(), top, own=False, records=list(log))


def member(*groups: Any) -> Clouds:
    """A weak machine whose account is in a group that owns the project."""
    found = start(P(B("roles/owner", "group:ops@x.test")))
    found.records = [r for g in groups for r in g]
    return found


IN_OPS = cloud_groups.NAMED + cloud_groups.of(
    [cloud_groups.member(M.partition(":")[2], "SERVICE_ACCOUNT")]
)
IN_DEV = cloud_groups.listed(("0ops", "ops@x.test"), ("0dev", "dev@x.test")) + cloud_groups.of(
    [cloud_groups.member(M.partition(":")[2], "SERVICE_ACCOUNT", group="0dev")])  # fmt: skip
LATER = "2026-02-02T00:00:00Z"
GOOGLE |= {
    "an organisation by delegation": (delegated(*clouds.delegated(clouds.ADMIN_SCOPE)), ORGANISATION, {
        "reads users only": delegated(*clouds.delegated(f"{clouds.ADMIN_SCOPE}.readonly")),
        "another client": delegated(*clouds.delegated(clouds.ADMIN_SCOPE, client="99")),
        "put out again": delegated(*clouds.delegated(clouds.ADMIN_SCOPE), *clouds.delegated(when=LATER, name="REMOVE")),
        "another customer's organisation": delegated(*clouds.delegated(clouds.ADMIN_SCOPE), owner="C02")}),
    "a person by delegation": (delegated(*clouds.delegated(clouds.CLOUD_SCOPE), policy=clouds.BY_ANA), PROJECT, {
        "another scope": delegated(*clouds.delegated(clouds.MAIL), policy=clouds.BY_ANA),
        "a person of no power": delegated(*clouds.delegated(clouds.CLOUD_SCOPE), policy=(B("roles/viewer", "user:ana@x.test"),))}),
    "a group of Cloud Identity": (member(IN_OPS), PROJECT, {"another group": member(IN_DEV), "nobody in it": member(cloud_groups.NAMED)}),
}  # fmt: skip
AZURE |= {
    "a password in an administrative unit": (entry(READER, BOB, records=[
        *entra.over(power.HELPDESK, who=azure.SYSTEM), *entra.unit(power.BOB), *azure.graph("users", power.user(power.BOB))]), SUB, {
        "another unit": entry(READER, BOB, records=[*entra.over(power.HELPDESK, who=azure.SYSTEM), *entra.unit(),
                                                    *azure.graph("users", power.user(power.BOB))]),
        "another role": entry(READER, BOB, records=[*entra.over(power.GROUPS, who=azure.SYSTEM), *entra.unit(power.BOB),
                                                    *azure.graph("users", power.user(power.BOB))])}),
    "a secret on one application": (entry(READER, SP_OWNS, records=[
        *entra.over(power.APP_ADMIN, f"/{power.SP}", who=azure.SYSTEM), *SP]), SUB, {
        "another application": entry(READER, SP_OWNS, records=[
            *entra.over(power.APP_ADMIN, f"/{entra.OTHER}", who=azure.SYSTEM), *SP])}),
    "an owner of a group for a time": (entry(READER, GROUP_OWNS, records=[
        *entra.access(entra.AI, "owner", azure.SYSTEM), *azure.graph("groups", power.group())]), SUB, {
        "only eligible": entry(READER, GROUP_OWNS, records=[
            *entra.access(entra.EI, "owner", azure.SYSTEM), *azure.graph("groups", power.group())]),
        "a time that has passed": entry(READER, GROUP_OWNS, records=[
            *entra.access(entra.AI, "owner", azure.SYSTEM, endDateTime=power.PAST), *azure.graph("groups", power.group())])}),
    "code by the store of a function": (entry(me(clouds.BLOB_CONTRIBUTOR), BOB, clouds.settings(), power.store(), {
        **clouds.site(), "identity": {"type": "SystemAssigned", "principalId": power.BOB}}), SUB, {
        "reads it only": entry(me(power.BLOBS), BOB, clouds.settings(), power.store(), {
            **clouds.site(), "identity": {"type": "SystemAssigned", "principalId": power.BOB}}),
        "another store": entry(me(clouds.BLOB_CONTRIBUTOR), BOB, clouds.settings("other"), power.store(), {
            **clouds.site(), "identity": {"type": "SystemAssigned", "principalId": power.BOB}})}),
}  # fmt: skip
FED = services.fed
G_OWNER = P(B("roles/owner", M))


def pooled(*assets: Any, repositories: tuple[str, ...] = ()) -> Clouds:
    return Clouds(assets=list(assets), repositories=repositories)


def from_azure(subject: str, machine: list[Any] | None = None) -> Clouds:
    member = f"principal://{clouds.POOL}/subject/{subject}"
    return entry(
        READER,
        machine=machine,
        assets=[G_OWNER, FED(member), services.idp("https://sts.windows.net/t/")],
    )


def from_google(subject: str = "1234567890", role: str = azure.OWNER) -> Clouds:
    found = google.account()
    found["resource"]["data"]["uniqueId"] = "1234567890"
    made = start(P(), found, own=False)
    made.rows = [
        azure.SUBSCRIPTION,
        *clouds.federated(subject, "https://accounts.google.com"),
        me(role),
    ]
    return made


def from_aws(role: str) -> Clouds:
    """A weak instance whose role a pool of Google Cloud knows."""
    from tests.scenes import EC2, A

    scene = Scene().instance("web", "app")
    scene.role("app", trusts_service("ec2.amazonaws.com"), profile=True)
    arn = f"principalSet://{clouds.POOL}/attribute.aws_role/arn:aws:sts::{A}:assumed-role/{role}"
    made = Clouds(
        assets=[G_OWNER, FED(arn), services.idp(oidc=None, aws={"accountId": A})], scene=scene
    )
    made.weak = {EC2 + "instance/i-web": [vulnerability()]}
    return made


def poisoned(member: str, bound: str = "") -> Clouds:
    made = pooled(G_OWNER, FED(member), services.idp(bound=bound), repositories=(clouds.SHOP,))
    made.pipelines = [vulnerability(type="misconfiguration", rule="dangerous-triggers", title="pull_request_target",
                                    resource=clouds.SHOP)]  # fmt: skip
    return made


def poisoned_azure(subject: str) -> Clouds:
    made = Clouds(
        [azure.SUBSCRIPTION, *clouds.federated(subject), me(azure.OWNER)],
        repositories=(clouds.SHOP,),
    )
    made.pipelines = poisoned("x").pipelines
    return made


def forked(role: str = "roles/owner", **options: Any) -> Clouds:
    """A trigger for pull requests, whose builds run as an account of the project."""
    return pooled(P(B(role, M)), google.account(), clouds.trigger(**options))


ONE = services.WHOLE.replace("/*", "/attribute.repository/acme/shop")
ACROSS: dict[str, tuple[Clouds, str, Flips]] = {
    "anybody's workflow into a project": (pooled(G_OWNER, FED(), services.idp()), PROJECT, {
        "bound": pooled(G_OWNER, FED(), services.idp(bound="assertion.repository_owner == 'acme'")),
        "one repository": pooled(G_OWNER, FED(ONE), services.idp()),
        "own issuer": pooled(G_OWNER, FED(), services.idp("https://idp.acme.test")),
        "off": pooled(G_OWNER, FED(), services.idp(disabled=True)),
        "of no power": pooled(P(), FED(), services.idp())}),
    "a poisoned workflow into a project": (poisoned(ONE), PROJECT, {
        "another repository": poisoned(ONE.replace("acme/shop", "acme/other"))}),
    "a poisoned workflow into a subscription": (poisoned_azure("repo:acme/shop:pull_request"), SUB, {
        "another repository": poisoned_azure("repo:acme/other:pull_request")}),
    "Azure to Google Cloud": (from_azure(azure.SYSTEM), PROJECT, {
        "another identity": from_azure(power.BOB), "closed": from_azure(azure.SYSTEM, SHUT)}),
    "Google Cloud to Azure": (from_google(), SUB, {
        "another account": from_google("99"), "of no power": from_google(role=azure.READER)}),
    "AWS to Google Cloud": (from_aws("app"), PROJECT, {"another role": from_aws("other")}),
}  # fmt: skip
CASES = {
    **{f"Azure, {k}": v for k, v in AZURE.items()},
    **{f"Google Cloud, {k}": v for k, v in GOOGLE.items()},
    **ACROSS,
}


def certain(made: Clouds, target: str) -> list[routes.Path]:
    """Paths to a target, its control told with its owner's included."""
    paths = routes.analyse(made.world()).paths
    wanted = {target, "/".join(target.split("/")[:3])} if target.startswith("/sub") else {target}
    return [p for p in paths if p.certain and p.target in wanted]


FORKS: list[tuple[str, Clouds, bool]] = [
    ("forks", forked(), True),
    ("forks, of no power", forked("roles/viewer"), False),
    ("forks, a comment", forked(comments="COMMENTS_ENABLED"), False),
    ("forks, an approval", forked(approvalConfig={"approvalRequired": True}), False),
    ("pushes", forked(events="push"), False),
    ("the account that a project builds as", pooled(P(B("roles/owner", "serviceAccount:1001@cloudbuild.gserviceaccount.com")),
                                                  clouds.trigger(serviceAccount=None)), True),
    ("another account of the project", pooled(P(B("roles/owner", M)), google.account(), clouds.trigger(serviceAccount=None)), False),
]  # fmt: skip


@pytest.mark.parametrize(("made", "found"), [f[1:] for f in FORKS], ids=[f[0] for f in FORKS])
def test_a_pull_request_from_a_fork_reaches_the_project(made: Clouds, found: bool) -> None:
    """Possible, not certain: whether outsiders see the repository is not in the inventory."""
    paths = [p for p in routes.analyse(made.world()).paths if p.target == PROJECT]
    assert bool(paths) is found
    assert not any(p.certain for p in paths)
    assert not paths or paths[0].steps[0].source == "any-github-user"


def test_a_push_reaches_the_project_from_a_poisoned_workflow() -> None:
    for repository, found in (
        ("repo:github.com/acme/shop", True),
        ("repo:github.com/acme/other", False),
    ):
        made = forked(events="push")
        made.pipelines = [vulnerability(type="misconfiguration", rule="dangerous-triggers", title="pull_request_target",
                                        resource=repository)]  # fmt: skip
        paths = [p for p in routes.analyse(made.world()).paths if p.target == PROJECT]
        assert bool(paths) is found


def test_there_are_enough_cases() -> None:
    assert sum(1 + len(f) for _, _, f in AZURE.values()) >= 25
    assert sum(1 + len(f) for _, _, f in GOOGLE.values()) >= 25


@pytest.mark.parametrize(
    ("made", "target"), [(m, t) for m, t, _ in CASES.values()], ids=list(CASES)
)
def test_the_path_is_found(made: Clouds, target: str) -> None:
    assert certain(made, target), [
        (p.rule, p.target, p.certain) for p in routes.analyse(made.world()).paths
    ]


@pytest.mark.parametrize(
    ("made", "target"), [(m, t) for _, t, flips in CASES.values() for m in flips.values()],
    ids=[f"{n}: {f}" for n, (_, _, flips) in CASES.items() for f in flips],
)  # fmt: skip
def test_one_conjunct_less(made: Clouds, target: str) -> None:
    assert not certain(made, target)


@pytest.mark.parametrize(("raw", "found"), [
    (f"app@{google.P}.iam.gserviceaccount.com", True), (f"other@{google.P}.iam.gserviceaccount.com", False),
])  # fmt: skip
def test_a_leaked_key_of_google_cloud(tmp_path: Path, raw: str, found: bool) -> None:
    """TruffleHog tells the account of a key file; the inventory knows what it may do."""
    home, reports = str(tmp_path / "home"), tmp_path / "reports"
    reports.mkdir()
    assets = [google.project(google.bind("roles/owner", google.MEMBER)), google.account()]
    (reports / "assets.json").write_text("\n".join(json.dumps(a) for a in assets))
    secret = {"SourceMetadata": {"Data": {"Git": {"commit": "a", "file": "key.json", "line": 3,
                                                  "repository": "https://github.com/acme/shop.git"}}},
              "SourceID": 1, "SourceType": 16, "SourceName": "trufflehog - git", "DetectorType": 57,
              "DetectorName": "GCP", "DecoderName": "PLAIN", "Verified": True, "Raw": raw}  # fmt: skip
    (reports / "secrets.json").write_text(json.dumps(secret))
    assert CliRunner().invoke(secinbox, ["--home", home, "import", str(reports)]).exit_code == 0
    answer = json.loads(CliRunner().invoke(secinbox, ["--home", home, "paths", "--json"]).stdout)
    assert (PROJECT in {p["target"] for p in answer["paths"]}) is found


CLOSED = {"networkAcls": {"defaultAction": "Deny", "ipRules": [], "virtualNetworkRules": []}}
RBAC = {"enableRbacAuthorization": True}


@pytest.mark.parametrize(("made", "target", "certain"), [
    (entry(me(power.SECRETS_USER), power.vault(**RBAC)), azure.VAULT, True),
    (entry(me(power.SECRETS_USER), power.vault(**RBAC, **CLOSED)), azure.VAULT, False),
    (entry(me(power.SECRETS_USER), power.vault(**RBAC, publicNetworkAccess="Disabled")), azure.VAULT, False),
    # who may write the vault's settings opens it
    (entry(me(power.SECRETS_USER), me(power.KV_CONTRIBUTOR), power.vault(**RBAC, **CLOSED)), azure.VAULT, True),
    (entry(me(power.BLOBS), STORE), azure.STORE, True),
    (entry(me(power.BLOBS), power.store(publicNetworkAccess="Disabled") | MARKED), azure.STORE, False),
])  # fmt: skip
def test_a_store_whose_network_is_closed_is_reached_perhaps(
    made: Clouds, target: str, certain: bool
) -> None:
    found = [p for p in routes.analyse(made.world()).paths if p.target == target.lower()]
    assert found and all(p.certain is certain for p in found)
    doubts = [s.doubt for p in found for s in p.steps if s.doubt]
    assert bool(doubts) is not certain and all("lets anybody in" in d for d in doubts)
