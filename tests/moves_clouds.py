"""Samples of the moves in Azure and Google Cloud and between clouds; see test_paths_moves.py."""

from __future__ import annotations

import json
from typing import Any

from secinbox.estate import Item, estate_of
from secinbox.inventory import gcp as google_inventory
from secinbox.network import exposure
from secinbox.paths.world import Weakness, World
from secinbox.reading import Report
from tests import test_azure as azure
from tests import test_clouds_power as power
from tests import test_gcp as google
from tests import test_gcp_services as services
from tests.scenes import Scene
from tests.scenes import service as trusts_service
from tests.test_iam_kubernetes import account as k8s_account

POOL = f"iam.googleapis.com/{services.POOL}"


class Clouds:
    """Answers of both clouds, of the directory, and an account of AWS, as one world."""

    def __init__(self, rows: list[Any] | None = None, records: list[Any] | None = None,
                 assets: list[Any] | None = None, scene: Scene | None = None,
                 repositories: tuple[str, ...] = ()) -> None:  # fmt: skip
        self.rows, self.records, self.assets = rows or [], records or [], assets or []
        self.scene, self.repositories = scene, repositories
        self.weak: dict[str, list[Weakness]] = {}
        self.pipelines: list[Weakness] = []

    def world(self) -> World:
        records = [*(azure.records(*self.rows) if self.rows else []), *self.records,
                   *(google.records(*self.assets) if self.assets else [])]  # fmt: skip
        made = estate_of(records)
        if self.scene is not None:
            other = self.scene.world().estate
            for item in other.items.values():
                made.add(Item(item.uid, item.type, item.name, item.provider, item.account, item.region,
                              dict(item.tags), dict(item.config)))  # fmt: skip
            for (source, kind), targets in other._out.items():
                for target in targets:
                    made.relate(source, kind, target)
            made.covered |= other.covered
        public = {s.resource: list(s.evidence) for s in exposure(made) if s.value == "yes"}
        return World(estate=made, public=public, repositories=list(self.repositories),
                     weaknesses=self.weak, pipelines=self.pipelines)  # fmt: skip


S = azure.SUBSCRIPTION
G = google
Flips = list[tuple[str, Clouds, str]]
Samples = dict[str, tuple[Clouds, Flips]]


def az(*rows: Any, records: list[Any] | None = None) -> Clouds:
    return Clouds([S, *rows], records)


def gc(*assets: Any) -> Clouds:
    return Clouds(assets=list(assets))


def runs(kind: str, name: str, role: str, **properties: Any) -> Clouds:
    return az(power.runs(kind, name, **properties), azure.assigned(role))


def held(*permissions: str, more: tuple[Any, ...] = ()) -> Clouds:
    return gc(*power.grant(*permissions), *more)


def as_boss(role: str, member: str = G.MEMBER) -> Clouds:
    return gc(G.project(), G.account(), G.boss(G.bind(role, member)))


def directory(role: str, *objects: Any) -> Clouds:
    return az(azure.assigned(azure.READER), records=[*power.directory(role), *objects])


SP, USERS = (
    azure.graph("servicePrincipals", power.service()),
    azure.graph("users", power.user(power.BOB)),
)
TEAM = azure.graph("groups", power.group())
SECRETS = [G.asset("secretmanager.googleapis.com/Secret", services.SECRET, {"name": "s"}, [])]
LABEL = {"labels": {"data_class": "restricted"}}
MARKED = {"tags": {"data_class": "restricted"}}
ACTING = "roles/iam.serviceAccountUser"


def acts(role: str) -> Clouds:
    return gc(G.project(G.bind(role, G.MEMBER)), G.account(), G.boss(G.bind(ACTING, G.MEMBER)))


def secret(role: str) -> Clouds:
    return gc(G.project(G.bind(role, G.MEMBER)), G.account(), *SECRETS)


def vaulted(role: str, **properties: Any) -> Clouds:
    return az(power.vault(**properties), azure.assigned(role))


def stored(role: str, **properties: Any) -> Clouds:
    return az(power.store(**properties) | MARKED, azure.assigned(role))


def federated(subject: str, issuer: str = "https://token.actions.githubusercontent.com",
              expression: bool = False) -> list[Any]:  # fmt: skip
    """A managed identity with a federated credential."""
    config: Any = {"issuer": issuer, "audiences": ["api://AzureADTokenExchange"]}
    if expression:
        config["claimsMatchingExpression"] = {
            "value": f"claims['sub'] matches '{subject}'",
            "languageVersion": 1,
        }
    else:
        config["subject"] = subject
    return [power.identity(), {"id": f"{power.UAMI}/federatedIdentityCredentials/f", "name": "f",
                               "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
                               "properties": config}]  # fmt: skip


SHOP = "repo:github.com/acme/shop"


def repo(subject: str) -> Clouds:
    return Clouds([S, *federated(subject)], repositories=(SHOP,))


def pooled(member: str, bound: str = "", issuer: str = "https://token.actions.githubusercontent.com",
           repositories: tuple[str, ...] = (), **more: Any) -> Clouds:  # fmt: skip
    found = Clouds(assets=[G.project(), services.fed(member), services.idp(issuer, bound, **more)])
    found.repositories = repositories
    return found


def entra_to_google(subject: str) -> Clouds:
    """A managed identity that Google Cloud knows by its object id."""
    found = pooled(
        f"principal://{POOL}/subject/{subject}", issuer="https://sts.windows.net/tenant/"
    )
    found.rows = [S, azure.vm(), azure.assigned(azure.READER, azure.SYSTEM)]
    return found


def google_to_entra(subject: str) -> Clouds:
    rows = federated(subject, "https://accounts.google.com")
    numbered = G.account()
    numbered["resource"]["data"]["uniqueId"] = "1234567890"
    return Clouds([S, *rows], assets=[G.project(), numbered])


def aws_to_google(role: str) -> Clouds:
    arn = f"attribute.aws_role/arn:aws:sts::111111111111:assumed-role/{role}"
    found = pooled(f"principalSet://{POOL}/{arn}", oidc=None, aws={"accountId": "111111111111"})
    scene = Scene()
    scene.role("app", trusts_service("ec2.amazonaws.com"))
    found.scene = scene
    return found


def cluster(*policy: Any, annotated: bool = True) -> Clouds:
    """A service account of Kubernetes that a service account of Google trusts, or not."""
    made = k8s_account("bot")
    if annotated:
        made["metadata"]["annotations"] = {
            "iam.gke.io/gcp-service-account": f"app@{G.P}.iam.gserviceaccount.com"
        }
    return Clouds(assets=[G.project(), G.account(G.SA, *policy)], scene=Scene().kubernetes(made))  # type: ignore[arg-type]


WIU = "roles/iam.workloadIdentityUser"
TRUSTED = cluster(G.bind(WIU, f"serviceAccount:{G.P}.svc.id.goog[shop/bot]"))
UNTRUSTED = cluster(G.bind(WIU, f"serviceAccount:{G.P}.svc.id.goog[shop/other]"))

ACR_PUSH = "8311e382-0749-4cb8-b61a-304f252e45ec"
BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"


def image(role: str, tag: str = "r.azurecr.io/shop:1") -> Clouds:
    """A container app that runs an image of a registry."""
    made = azure.row(
        "Microsoft.App/containerApps", "c", {"template": {"containers": [{"image": tag}]}}
    )
    return az(made, azure.row("Microsoft.ContainerRegistry/registries", "r"), azure.assigned(role))


def google_image(role: str, tag: str = "eu-docker.pkg.dev/shop-1/r/shop:1") -> Clouds:
    made = G.asset(
        "run.googleapis.com/Service",
        services.SVC,
        {"template": {"containers": [{"image": tag}]}},
        [],
    )
    return gc(
        G.project(G.bind(role, G.MEMBER)),
        G.account(),
        made,
        services.any_("artifactregistry.googleapis.com/Repository", services.REPO),
    )


def state(role: str, name: str = "tfstate") -> Clouds:
    made = azure.blobs("None") | {"id": azure.BLOBS.replace("/files", f"/{name}"), "name": name}
    return az(azure.store(), made, azure.assigned(role))


def google_state(role: str, name: str = "acme-tfstate") -> Clouds:
    made = G.bucket(G.bind(role, G.MEMBER), name=name) | {
        "name": f"//storage.googleapis.com/{name}"
    }
    return gc(G.project(), G.account(), made)


ADMIN_SCOPE = "https://www.googleapis.com/auth/admin.directory.user"
MAIL = "https://mail.google.com/"
CLOUD_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
CLIENT = "104242424242424242424"


def delegated(*scopes: str, client: str = CLIENT, when: str = "2026-01-02T00:00:00Z", name: str = "AUTHORIZE",
              mail: str = "root@x.test") -> list[Any]:  # fmt: skip
    """A page of the audit log of Google Workspace."""
    document = {"kind": "admin#reports#activities", "items": [{
        "kind": "admin#reports#activity", "id": {"time": when, "applicationName": "admin", "customerId": "C01"},
        "actor": {"email": mail}, "events": [{"type": "DOMAIN_SETTINGS", "name": f"{name}_API_CLIENT_ACCESS", "parameters": [
            {"name": "API_CLIENT_NAME", "value": client}, {"name": "API_SCOPES", "multiValue": list(scopes)}]}]}]}  # fmt: skip
    return list(google_inventory.read(Report(json.dumps(document).encode())))


def known_client(**data: Any) -> Any:
    made = G.account()
    made["resource"]["data"].update({"oauth2ClientId": CLIENT, **data})
    return made


def workspace(
    *records: Any, policy: tuple[Any, ...] = (), owner: str = "C01", **data: Any
) -> Clouds:
    """An account of a project, its organisation, and what the audit log says."""
    top = G.asset("cloudresourcemanager.googleapis.com/Organization", f"{G.CRM}/organizations/30", {
        "name": "organizations/30", "owner": {"directoryCustomerId": owner}}, [], ancestors=["organizations/30"])  # fmt: skip
    return Clouds(records=list(records), assets=[G.project(*policy), known_client(**data), top])


BY_ANA = (G.bind("roles/owner", "user:ana@x.test"),)


def trigger(account: str = f"projects/{G.P}/serviceAccounts/app@{G.P}.iam.gserviceaccount.com", *, comments: str | None = None,
            events: str = "pullRequest", config: Any = None, **data: Any) -> Any:  # fmt: skip
    """A trigger of Cloud Build on a repository of GitHub."""
    inner: Any = {"branch": "^main$"}
    if comments:
        inner["commentControl"] = comments
    source = (
        config
        if config is not None
        else {"github": {"owner": "acme", "name": "shop", events: inner}}
    )
    return G.asset("cloudbuild.googleapis.com/BuildTrigger", f"//cloudbuild.googleapis.com/projects/{G.P}/locations/global/triggers/t", {
        "id": "t", "name": "shop-pr", "filename": "cloudbuild.yaml", "serviceAccount": account, **source, **data})  # fmt: skip


def linked_repository(address: str = "https://github.com/acme/shop.git") -> Any:
    name = f"projects/{G.P}/locations/eu/connections/gh/repositories/shop"
    return G.asset(
        "cloudbuild.googleapis.com/Repository",
        f"//cloudbuild.googleapis.com/{name}",
        {"name": name, "remoteUri": address},
    )


def site() -> Any:
    return azure.row("Microsoft.Web/sites", "app", {"state": "Running"}) | {"kind": "functionapp"}


def settings(account: str = "data", key: str = "AzureWebJobsStorage", value: str = "") -> Any:
    """Settings as ARM answers them; the key itself is not to be kept."""
    text = (
        value
        or f"DefaultEndpointsProtocol=https;AccountName={account};AccountKey=Zm9vYmFy;EndpointSuffix=core.windows.net"
    )
    return {"id": f"{azure.SITE}/config/appsettings", "name": "appsettings", "type": "Microsoft.Web/sites/config",
            "properties": {key: text, "FUNCTIONS_WORKER_RUNTIME": "python"}}  # fmt: skip


def by_link(events: str = "pullRequest") -> Any:
    return {"repositoryEventConfig": {"repository": f"projects/{G.P}/locations/eu/connections/gh/repositories/shop",
                                      "repositoryType": "GITHUB", events: {"branch": ".*"}}}  # fmt: skip


def builds(*assets: Any) -> Clouds:
    return gc(G.project(), G.account(), *assets)


SAMPLES: Samples = {
    "azure-settings": (az(site(), settings(), power.store() | MARKED), [
        ("another account", az(site(), settings("other"), power.store() | MARKED), ""),
        ("no keys taken", az(site(), settings(), power.store(allowSharedKeyAccess=False) | MARKED), ""),
        ("a managed identity", az(site(), settings(value="https://data.queue.example"), power.store() | MARKED), "")]),
    "azure-function-code": (az(site(), settings(), power.store(), azure.assigned(BLOB_CONTRIBUTOR)), [
        ("reader", az(site(), settings(), power.store(), azure.assigned(power.BLOBS)), ""),
        ("another setting", az(site(), settings(key="OrdersStorage"), power.store(), azure.assigned(BLOB_CONTRIBUTOR)), "")]),
    "gcp-build-of-strangers": (builds(trigger()), [
        ("a comment asked for", builds(trigger(comments="COMMENTS_ENABLED")), ""),
        ("a comment asked of outsiders", builds(trigger(comments="COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY")), ""),
        ("an approval asked for", builds(trigger(approvalConfig={"approvalRequired": True})), ""),
        ("pushes only", builds(trigger(events="push")), ""),
        ("off", builds(trigger(disabled=True)), ""),
        ("a repository that nothing names", builds(trigger(config=by_link())), ""),
        ("started by a message", builds(trigger(config={"pubsubConfig": {"topic": "x"}})), "")]),
    "gcp-build-of-repository": (builds(trigger(events="push", config=by_link("push")), linked_repository()), [
        ("an approval asked for", builds(trigger(events="push", approvalConfig={"approvalRequired": True})), ""),
        ("off", builds(trigger(events="push", disabled=True)), ""),
        ("its repository unread", builds(trigger(config=by_link("push"))), "")]),
    "gcp-workspace-administrator": (workspace(*delegated(ADMIN_SCOPE)), [
        ("reads users only", workspace(*delegated(f"{ADMIN_SCOPE}.readonly")), ""),
        ("another client", workspace(*delegated(ADMIN_SCOPE, client="99")), ""),
        ("put out again", workspace(*delegated(ADMIN_SCOPE), *delegated(when="2026-02-02T00:00:00Z", name="REMOVE")), ""),
        ("no log", workspace(), ""),
        ("account off", workspace(*delegated(ADMIN_SCOPE), disabled=True), "")]),
    "gcp-workspace-read": (workspace(*delegated(MAIL)), [
        ("another scope", workspace(*delegated("https://www.googleapis.com/auth/userinfo.email")), ""),
        ("fewer scopes later", workspace(*delegated(MAIL), *delegated(
            "https://www.googleapis.com/auth/userinfo.email", when="2026-02-02T00:00:00Z")), "")]),
    "gcp-workspace-person": (workspace(*delegated(CLOUD_SCOPE), policy=BY_ANA), [
        ("another scope", workspace(*delegated(MAIL), policy=BY_ANA), ""),
        ("another domain", workspace(*delegated(CLOUD_SCOPE, mail="root@y.test"), policy=BY_ANA), "")]),
    "gcp-workspace-organisation": (workspace(*delegated(ADMIN_SCOPE)), [
        ("another customer's organisation", workspace(*delegated(ADMIN_SCOPE), owner="C02"), "")]),
    "azure-image-push": (image(ACR_PUSH), [
        ("reader", image(azure.READER), ""),
        ("another registry", image(ACR_PUSH, "other.azurecr.io/shop:1"), "")]),
    "gcp-image-push": (google_image("roles/artifactregistry.writer"), [
        ("reader", google_image("roles/artifactregistry.reader"), ""),
        ("another registry", google_image("roles/artifactregistry.writer", "eu-docker.pkg.dev/other/r/shop:1"), "")]),
    "azure-state-store": (state(BLOB_CONTRIBUTOR), [
        ("reader", state(power.BLOBS), ""), ("other files", state(BLOB_CONTRIBUTOR, "files"), "")]),
    "gcp-state-store": (google_state("roles/storage.objectAdmin"), [
        ("reader", google_state("roles/storage.objectViewer"), ""),
        ("other files", google_state("roles/storage.objectAdmin", "pictures"), "")]),
    "azure-command": (az(azure.vm(), azure.assigned(azure.VMC)), [
        ("reader", az(azure.vm(), azure.assigned(azure.READER)), ""),
        ("elsewhere", az(azure.vm(), azure.assigned(azure.VMC, scope=azure.SUB + "/resourceGroups/other")), ""),
        ("no identity", az(azure.vm() | {"identity": None}, azure.assigned(azure.VMC)), ""),
        ("denied", az(azure.vm(), azure.assigned(azure.VMC), azure.deny("*")), "")]),
    "azure-sign-in": (az(*power.vm("AADSSHLoginForLinux"), azure.assigned(power.VM_LOGIN)), [
        ("no extension", az(*power.vm("CustomScript"), azure.assigned(power.VM_LOGIN)), ""),
        ("reader", az(*power.vm("AADSSHLoginForLinux"), azure.assigned(azure.READER)), "")]),
    "azure-deploy": (runs("Microsoft.Web/sites", "a", power.WEBSITE), [
        ("reader", runs("Microsoft.Web/sites", "a", azure.READER), "")]),
    "azure-automation": (runs("Microsoft.Automation/automationAccounts", "a", power.AUTOMATION_CONTRIBUTOR), [
        ("operator", runs("Microsoft.Automation/automationAccounts", "a", power.AUTOMATION_OPERATOR), "")]),
    "azure-cluster": (az(power.aks(), azure.assigned(power.AKS_ADMIN)), [
        ("no local accounts", az(power.aks(disableLocalAccounts=True), azure.assigned(power.AKS_ADMIN)), ""),
        ("user", az(power.aks(), azure.assigned(power.AKS_USER)), "")]),
    "azure-federate": (az(power.identity(), azure.assigned(power.MI_CONTRIBUTOR)), [
        ("reader", az(power.identity(), azure.assigned(azure.READER)), "")]),
    "azure-job": (runs("Microsoft.DataFactory/factories", "f", "673868aa-7521-48a0-acc6-0f60742d39f5"), [
        ("reader", runs("Microsoft.DataFactory/factories", "f", azure.READER), "")]),
    "azure-add-secret": (directory(power.APP_ADMIN, *SP), [
        ("another role", directory(power.HELPDESK, *SP), ""),
        ("managed identity", directory(power.APP_ADMIN, *azure.graph(
            "servicePrincipals", power.service(servicePrincipalType="ManagedIdentity"))), "")]),
    "azure-join-group": (directory(power.GROUPS, *TEAM), [
        ("role-assignable", directory(power.GROUPS, *azure.graph("groups", power.group(isAssignableToRole=True))), ""),
        ("another role", directory(power.APP_ADMIN, *TEAM), "")]),
    "azure-reset-password": (directory(power.HELPDESK, *USERS), [
        ("an administrator's", directory(power.HELPDESK, *USERS, *power.directory(power.GROUPS, power.BOB)), ""),
        ("another role", directory(power.GROUPS, *USERS), "")]),
    "azure-tenant": (directory(power.GLOBAL), [
        ("reader", directory("f2ef992c-3afb-46b9-b7cf-a126ee74c451"), "")]),
    "azure-elevate": (az(), [("no subscription", Clouds(records=[*USERS]), "")]),
    "azure-read-vault": (vaulted(power.SECRETS_USER, enableRbacAuthorization=True), [
        ("reader", vaulted(azure.READER, enableRbacAuthorization=True), ""),
        ("policies", vaulted(power.SECRETS_USER), "")]),
    "azure-store-keys": (stored(power.STORE_CONTRIBUTOR), [
        ("no shared keys", stored(power.STORE_CONTRIBUTOR, allowSharedKeyAccess=False), ""),
        ("reader", stored(azure.READER), "")]),
    "gcp-token": (as_boss(power.TOKEN), [("viewer", as_boss("roles/iam.serviceAccountViewer"), "")]),
    "gcp-key": (as_boss("roles/iam.serviceAccountKeyAdmin"), [
        ("viewer", as_boss("roles/iam.serviceAccountViewer"), ""),
        ("keys forbidden", gc(G.project(rules=power.no_keys()), G.account(), G.boss(G.bind(
            "roles/iam.serviceAccountKeyAdmin", G.MEMBER))), "")]),
    "gcp-sign": (held("iam.serviceAccounts.signBlob"), [("views", held("iam.serviceAccounts.get"), "")]),
    "gcp-delegate": (gc(G.project(), G.account(), G.boss(G.bind(power.TOKEN, power.THIRD_MEMBER)), G.account(
        power.THIRD, G.bind(G.CUSTOM, G.MEMBER)), G.custom("iam.serviceAccounts.implicitDelegation")), [
        ("no token", gc(G.project(), G.account(), G.boss(), G.account(
            power.THIRD, G.bind(G.CUSTOM, G.MEMBER)), G.custom("iam.serviceAccounts.implicitDelegation")), "")]),
    "gcp-account-policy": (as_boss("roles/iam.serviceAccountAdmin"), [
        ("viewer", as_boss("roles/iam.serviceAccountViewer"), "")]),
    "gcp-launch": (acts("roles/compute.instanceAdmin.v1"), [
        ("starts nothing", acts("roles/compute.viewer"), ""),
        ("acts as nobody", gc(G.project(G.bind("roles/compute.instanceAdmin.v1", G.MEMBER)), G.account(), G.boss()), "")]),
    "gcp-build": (gc(G.project(G.bind("roles/cloudbuild.builds.editor", G.MEMBER)), G.account()), [
        ("viewer", gc(G.project(G.bind("roles/cloudbuild.builds.viewer", G.MEMBER)), G.account()), "")]),
    "gcp-metadata": (held("compute.instances.setMetadata", more=(power.owner_machine(),)), [
        ("starts only", held("compute.instances.start", more=(power.owner_machine(),)), ""),
        ("narrow scopes", held("compute.instances.setMetadata", more=(G.machine(serviceAccounts=[]),)), "")]),
    "gcp-job": (held("dataproc.jobs.create", more=(G.asset(
        "dataproc.googleapis.com/Cluster", f"//dataproc.googleapis.com/projects/{G.P}/regions/r/clusters/c", {
            "clusterName": "c", "config": {"gceClusterConfig": {"serviceAccount": f"boss@{G.P}.iam.gserviceaccount.com"}}}),)), [
        ("no cluster", held("dataproc.jobs.create"), "")]),
    "gcp-read-secret": (secret("roles/secretmanager.secretAccessor"), [
        ("viewer", secret("roles/secretmanager.viewer"), "")]),
    "federated-outsider": (pooled(services.WHOLE), [
        ("bound to an owner", pooled(services.WHOLE, "assertion.repository_owner == 'acme'"), ""),
        ("a repository", pooled(services.WHOLE.replace("/*", "/attribute.repository/acme/shop")), ""),
        ("own issuer", pooled(services.WHOLE, issuer="https://idp.acme.test"), ""),
        ("off", pooled(services.WHOLE, disabled=True), "")]),
    "federated-pipeline": (repo("repo:acme/shop:pull_request"), [
        ("another repository", repo("repo:acme/other:pull_request"), ""),
        ("another issuer", Clouds([S, *federated("repo:acme/shop:pull_request", "https://idp.test")],
                                  repositories=(SHOP,)), "")]),
    "federated-identity": (entra_to_google(azure.SYSTEM), [
        ("another identity", entra_to_google("00000000-0000-0000-0000-0000000000ff"), "")]),
}  # fmt: skip
