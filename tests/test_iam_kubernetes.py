"""Power in a cluster: the smallest yes of each way, and each single condition flipped."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import pytest

from secinbox.estate import Item, estate_of
from secinbox.iam import privilege as of_all
from secinbox.iam.kubernetes import privilege
from secinbox.inventory import kubernetes
from secinbox.reading import Report
from secinbox.records import Evidence, RiskStatement
from tests.test_network_kubernetes import Object, change, estate, thing

READ = (
    "ServiceAccount",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "Pod",
    "Secret",
)
RBAC = "rbac.authorization.k8s.io"


def rule(verbs: str, resources: str, group: str = "", *names: str) -> Object:
    made: Object = {"verbs": verbs.split(), "apiGroups": [group], "resources": resources.split()}
    return {**made, "resourceNames": list(names)} if names else made


def role(
    *rules: Object, kind: str = "ClusterRole", name: str = "r", space: str = "", **more: Any
) -> Object:
    return {**thing(kind, name, {}, space), "rules": list(rules), **more}


def binding(
    kind: str = "ClusterRoleBinding",
    to: str = "r",
    to_kind: str = "ClusterRole",
    space: str = "",
    subject: Object | None = None,
    name: str = "b",
) -> Object:
    subject = subject or {"kind": "ServiceAccount", "name": "bot", "namespace": "shop"}
    return {**thing(kind, name, {}, space), "roleRef": {"kind": to_kind, "name": to},
            "subjects": [subject]}  # fmt: skip


def account(name: str = "bot", space: str = "shop", **more: Any) -> Object:
    return {**thing("ServiceAccount", name, {}, space), **more}


def pod(container: Any = None, **spec: Any) -> Object:
    made = {"serviceAccountName": "bot", "containers": [{"name": "a", **(container or {})}], **spec}
    return thing("Pod", "web", made, "shop", status={"phase": "Running"})


def judged(objects: list[Object], read: tuple[str, ...] = READ) -> dict[str, RiskStatement]:
    return {s.resource.removeprefix("k8s://c/"): s for s in privilege(estate(objects, read))}


BOT = "shop/serviceaccount/bot"
ALL = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}


def given(*rules: Object) -> RiskStatement:
    """The bot with these rules in the whole cluster."""
    return judged([account(), role(*rules), binding()])[BOT]


def test_an_administrator_is_told_with_rule_and_binding() -> None:
    found = given(ALL)
    (evidence,) = found.evidence
    assert (found.value, evidence.kind) == ("yes", "administrator")
    assert (
        "* on * of *" in evidence.text and "clusterrolebinding b to ClusterRole r" in evidence.text
    )
    assert evidence.source == "k8s://c/_/clusterrolebinding/b"


BIND = rule("bind", "clusterroles", RBAC)
WRITE = rule("create", "clusterrolebindings", RBAC)
CSR = "certificates.k8s.io"
SIGN = [
    rule("create", "certificatesigningrequests", CSR),
    rule("update", "certificatesigningrequests/approval", CSR),
    rule("approve", "signers", CSR),
]


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ([rule("*", "*", "*")], "administrator"),
        ([rule("get list watch", "pods")], "no"),
        ([rule("*", "*", "*", "one")], "no"),
        ([rule("create", "pods")], "escalation"),
        ([rule("delete", "pods")], "no"),
        ([rule("create", "pods", "metrics.k8s.io")], "no"),
        ([rule("create", "pods/exec")], "escalation"),
        ([rule("create", "pods/log")], "no"),
        ([rule("create", "*/exec")], "escalation"),
        ([rule("create", "pods/*")], "no"),  # no wildcard of RBAC
        ([rule("patch", "deployments", "apps")], "escalation"),
        ([rule("get", "deployments", "apps")], "no"),
        ([rule("create", "cronjobs", "batch")], "escalation"),
        ([rule("create", "cronjobs", "apps")], "no"),
        ([rule("list", "secrets")], "escalation"),
        ([rule("watch", "secrets")], "escalation"),
        ([rule("get", "secrets")], "wide_reach"),
        ([rule("list", "secrets", "", "one")], "no"),
        ([rule("create", "secrets")], "no"),
        ([rule("create", "secrets"), rule("get", "secrets")], "escalation"),
        ([rule("create", "secrets"), rule("get", "configmaps")], "no"),
        ([rule("create", "serviceaccounts/token")], "escalation"),
        ([rule("create", "serviceaccounts")], "no"),
        ([rule("get", "nodes/proxy")], "escalation"),
        ([rule("get", "nodes")], "no"),
        ([rule("impersonate", "users")], "escalation"),
        ([rule("impersonate", "users", "", "nobody")], "no"),
        ([rule("impersonate", "groups")], "no"),  # a group needs a user beside it
        ([rule("impersonate", "users", "", "a"), rule("impersonate", "groups")], "escalation"),
        ([rule("impersonate", "serviceaccounts")], "escalation"),
        ([rule("patch", "mutatingwebhookconfigurations", "admissionregistration.k8s.io")], "escalation"),
        ([rule("list", "mutatingwebhookconfigurations", "admissionregistration.k8s.io")], "no"),
        ([BIND, WRITE], "escalation"),
        ([BIND], "no"),
        ([WRITE], "no"),  # the API admits only what the writer already holds
        ([rule("bind", "clusterroles", RBAC, "view"), WRITE], "no"),
        ([rule("bind", "clusterroles", RBAC, "cluster-admin"), WRITE], "escalation"),
        ([rule("escalate update", "clusterroles", RBAC)], "escalation"),
        ([rule("escalate", "clusterroles", RBAC)], "no"),
        ([rule("update", "clusterroles", RBAC)], "no"),
        (SIGN, "escalation"),
        (SIGN[:2], "no"),
        ([*SIGN[:2], rule("approve", "signers", CSR, "kubernetes.io/kubelet-serving")], "no"),
        ([*SIGN[:2], rule("approve", "signers", CSR, "kubernetes.io/kube-apiserver-client")], "escalation"),
    ],
)  # fmt: skip
def test_flips_of_rules(rules: list[Object], wanted: str) -> None:
    found = given(*rules)
    assert found.value == ("no" if wanted == "no" else "yes")
    assert {e.kind for e in found.evidence} == {"control" if wanted == "no" else wanted}
    assert all(e.text for e in found.evidence)


ADMIN = [account(), role(ALL), binding()]


@pytest.mark.parametrize(
    ("verb", "what", "name", "space", "wanted"),
    [
        ("impersonate", "serviceaccounts", "bot", "", "yes"),
        ("impersonate", "serviceaccounts", "bot", "shop", "yes"),
        ("impersonate", "serviceaccounts", "other", "", "no"),
        ("get", "serviceaccounts", "bot", "", "no"),
        ("create", "serviceaccounts/token", "bot", "", "yes"),
        ("create", "serviceaccounts/token", "bot", "shop", "yes"),
        ("create", "serviceaccounts/token", "other", "", "no"),
        ("create", "serviceaccounts/token", "bot", "attic", "no"),
        ("get", "serviceaccounts/token", "bot", "", "no"),
    ],
)
def test_one_named_service_account_is_enough_where_it_is_strong(
    verb: str, what: str, name: str, space: str, wanted: str
) -> None:
    kind = "Role" if space else "ClusterRole"
    mate = {"kind": "ServiceAccount", "name": "mate", "namespace": "yard"}
    named = role(rule(verb, what, "", name), kind=kind, name="one", space=space)
    bound = binding(f"{kind}Binding", "one", kind, space, mate, "of-mate")
    found = judged([*ADMIN, account("mate", "yard"), named, bound])["yard/serviceaccount/mate"]
    assert found.value == wanted
    assert {e.kind for e in found.evidence} == {"escalation" if wanted == "yes" else "control"}


@pytest.mark.parametrize(
    ("kind", "path", "value", "wanted"),
    [
        ("ClusterRoleBinding", "subjects|0|name", "other", "no"),
        ("ClusterRoleBinding", "subjects|0|namespace", "other", "no"),
        ("ClusterRoleBinding", "roleRef|name", "gone", "no"),
        ("ClusterRoleBinding", "subjects", [{"kind": "Group", "name": "system:serviceaccounts"}], "yes"),
        ("ClusterRoleBinding", "subjects", [{"kind": "Group", "name": "system:serviceaccounts:shop"}], "yes"),
        ("ClusterRoleBinding", "subjects", [{"kind": "Group", "name": "system:serviceaccounts:x"}], "no"),
        ("ClusterRoleBinding", "subjects", [{"kind": "Group", "name": "system:authenticated"}], "yes"),
        ("ClusterRoleBinding", "subjects", [{"kind": "Group", "name": "devs"}], "no"),
        ("ClusterRoleBinding", "subjects", [{"kind": "User", "name": "system:serviceaccount:shop:bot"}], "yes"),
        ("ClusterRole", "rules", [], "no"),
        ("ClusterRole", "rules|0|verbs", ["get"], "yes"),
        ("ClusterRole", "rules|0|apiGroups", ["apps"], "yes"),
        ("ClusterRole", "rules|0|apiGroups", ["example.org"], "no"),
    ],
)  # fmt: skip
def test_flips_of_a_binding(kind: str, path: str, value: Any, wanted: str) -> None:
    assert judged(change(ADMIN, kind, path, value))[BOT].value == wanted


def test_a_role_binding_gives_a_cluster_role_in_its_namespace_only() -> None:
    found = judged([account(), role(ALL), binding("RoleBinding", space="shop")])[BOT]
    assert [e.kind for e in found.evidence] == ["wide_reach"]
    assert "namespace shop" in found.evidence[0].text


def test_aggregated_roles_count() -> None:
    selector = {"clusterRoleSelectors": [{"matchLabels": {"to-r": "true"}}]}
    part = role(rule("create", "pods"), name="part")
    whole = [account(), role(aggregationRule=selector), binding()]
    assert judged([*whole, part])[BOT].value == "no"
    part["metadata"]["labels"] = {"to-r": "true"}
    assert judged([*whole, part])[BOT].value == "yes"


LOCAL = [
    account(), account("boss"),
    role(rule("create", "pods"), kind="Role", space="shop", name="maker"),
    binding("RoleBinding", "maker", "Role", "shop"),
    role(ALL),
    binding(subject={"kind": "ServiceAccount", "name": "boss", "namespace": "shop"}, name="top"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "path", "value", "wanted"),
    [
        ("Role", "rules|0|verbs", ["list"], "no"),
        ("Role", "rules|0|resources", ["configmaps"], "no"),
        ("Role", "rules|0|resources", ["serviceaccounts/token"], "yes"),
        ("Role", "rules", [rule("list", "secrets")], "no"),  # no token of the boss is kept there
        ("Role", "rules", [rule("create", "secrets"), rule("get", "secrets")], "yes"),
        ("Role", "rules", [rule("create", "secrets"), rule("update", "secrets")], "no"),
        ("ClusterRoleBinding", "subjects|0|namespace", "elsewhere", "no"),
        ("ClusterRole", "rules", [rule("list", "pods")], "no"),
        ("ClusterRole", "rules", [rule("list", "secrets")], "yes"),
    ],
)
def test_flips_of_power_through_a_namespace(kind: str, path: str, value: Any, wanted: str) -> None:
    found = judged(LOCAL)[BOT]
    assert found.value == "yes" and "serviceaccount shop/boss" in found.evidence[0].steps[1]
    assert judged(change(LOCAL, kind, path, value))[BOT].value == wanted


def test_a_kept_token_of_a_stronger_account_is_read() -> None:
    reads = change(LOCAL, "Role", "rules", [rule("list", "secrets")])
    token = {**thing("Secret", "t", {}), "type": "kubernetes.io/service-account-token"}
    token["metadata"]["annotations"] = {"kubernetes.io/service-account.name": "boss"}
    assert judged([*reads, token])[BOT].value == "yes"
    token["metadata"]["annotations"] = {"kubernetes.io/service-account.name": "bot"}
    assert judged([*reads, token])[BOT].value == "no"


WEB = "shop/pod/web"


def test_the_pod_decides_before_its_account_whether_the_token_is_there() -> None:
    off = account(automountServiceAccountToken=False)
    powers = ADMIN[1:]
    key = "automountServiceAccountToken"
    assert judged([*ADMIN, pod()])[WEB].value == "yes"
    assert judged([off, *powers, pod()])[WEB].value == "no"
    assert judged([*ADMIN, pod(**{key: False})])[WEB].value == "no"
    assert judged([off, *powers, pod(**{key: True})])[WEB].value == "yes"
    assert judged([off, *powers, pod()])[BOT].value == "yes"
    assert judged([*powers, pod()], READ[1:])[WEB].value == "unknown"
    mounted = [{"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]
    assert judged([off, *powers, pod(volumes=mounted)])[WEB].value == "yes"
    assert judged([*ADMIN, pod(serviceAccountName="other")])[WEB].value != "yes"


def mounts(path: str, read_only: bool = False, **context: Any) -> Object:
    mount = {"name": "v", "mountPath": "/x", "readOnly": read_only}
    return pod({"volumeMounts": [mount], "securityContext": context},
               volumes=[{"name": "v", "hostPath": {"path": path}}])  # fmt: skip


def caps(*names: str) -> Object:
    return {"securityContext": {"capabilities": {"add": list(names)}}}


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (pod(), "no"),
        (pod({"securityContext": {"privileged": True}}), "yes"),
        (pod({"securityContext": {"privileged": False}}), "no"),
        (pod(caps("SYS_ADMIN"), hostPID=True), "yes"),
        (pod(caps("SYS_PTRACE"), hostPID=True), "yes"),
        (pod(caps("SYS_PTRACE")), "no"),
        (pod(caps("NET_ADMIN"), hostPID=True), "no"),
        (pod(hostPID=True), "no"),
        (pod(caps("SYS_MODULE")), "yes"),
        (pod(hostNetwork=True), "no"),
        (mounts("/"), "yes"),
        (mounts("/etc"), "yes"),
        (mounts("/etc/cron.d/"), "yes"),
        (mounts("/root", True), "yes"),
        (mounts("/etc/ssl/certs", True), "no"),
        (mounts("/var/lib/kubelet"), "yes"),
        (mounts("/var/lib/kubelet/plugins/csi"), "no"),
        (mounts("/var/run/docker.sock", True), "yes"),
        (mounts("/run/containerd/containerd.sock"), "yes"),
        (mounts("/data"), "no"),
        (mounts("/", True, runAsUser=65534), "no"),
        (mounts("/", True, runAsUser=0), "yes"),
        (pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}]), "no"),  # no container mounts it
    ],
)
def test_flips_of_what_a_container_may(made: Object, wanted: str) -> None:
    found = judged([account(), made])[WEB]
    assert found.value == wanted
    assert {e.kind for e in found.evidence} == {"escalation" if wanted == "yes" else "control"}


def test_what_was_not_read_is_never_a_no() -> None:
    assert judged([account(), pod()], ("Pod", "ServiceAccount"))[WEB].value == "unknown"
    unread = [account(), binding(to="somebody's")]
    without = tuple(k for k in READ if k != "ClusterRole")
    assert judged(unread, without)[BOT].value == "unknown"
    assert judged(unread)[BOT].value == "no"
    assert judged([account(), binding(to="cluster-admin")], without)[BOT].value == "yes"


def test_an_account_that_acts_as_an_unread_cloud_role_is_unknown() -> None:
    cloud = account()
    arn = "arn:aws:iam::123456789012:role/x"
    cloud["metadata"]["annotations"] = {"eks.amazonaws.com/role-arn": arn}
    made = estate([cloud, pod(automountServiceAccountToken=False)], READ)
    values = {s.resource.rpartition("/")[2]: s.value for s in of_all(made)}
    assert values == {"bot": "unknown", "web": "unknown"}
    known = {arn: RiskStatement(resource=arn, risk="privileged_access", value="no")}
    assert {s.value for s in privilege(made, known)} == {"no"}


def test_a_more_powerful_namespace_chain_and_any_order() -> None:
    objects = copy.deepcopy([*LOCAL, pod()])
    first = judged(objects)
    for seed in range(5):
        random.Random(seed).shuffle(objects)
        assert judged(objects) == first


def test_a_real_cluster(shared: Path) -> None:
    folder = shared / "inventory" / "kubernetes" / "digitalocean-cluster-dump"
    records = []
    for path in sorted(folder.glob("api*_*.json")):
        report = Report(path.read_bytes(), name=path.name, options={"cluster": "c"})
        records += list(kubernetes.read(report))
    found = {s.resource.removeprefix("k8s://c/"): s for s in privilege(estate_of(records))}
    assert found["kube-system/serviceaccount/clusterrole-aggregation-controller"].value == "yes"
    assert found["cert-manager/serviceaccount/cert-manager"].value == "yes"
    assert found["kube-system/serviceaccount/coredns"].value == "no"
    exporters = [s for u, s in found.items() if "/pod/prometheus-prometheus-node-exporter" in u]
    assert exporters and {s.value for s in exporters} == {"no"}


def _token(name: str = "ctl-token", of: str = "ctl") -> Object:
    made = {**thing("Secret", name, {}, "shop"), "type": "kubernetes.io/service-account-token"}
    made["metadata"]["annotations"] = {"kubernetes.io/service-account.name": of}
    return made


@pytest.mark.parametrize(
    ("names", "secret", "value"),
    [
        (("ctl-token",), _token(), "yes"),
        (("other",), _token(), "no"),
        (("ctl-token",), _token(of="bot"), "no"),
        (("ctl-token",), _token("another"), "no"),
    ],
)
def test_the_token_of_a_strong_account_by_its_name(
    names: tuple[str, ...], secret: Object, value: str
) -> None:
    strong = {"kind": "ServiceAccount", "name": "ctl", "namespace": "shop"}
    found = judged([
        account(), account("ctl"), role(ALL, name="adm"), binding(to="adm", subject=strong, name="s"),
        role(rule("get", "secrets", "", *names), kind="Role", space="shop"),
        binding("RoleBinding", "r", "Role", "shop"), secret])[BOT]  # fmt: skip
    assert found.value == value, found


@pytest.mark.parametrize(
    ("rules", "value"),
    [
        # A service account is a user beside the group.
        ([rule("impersonate", "groups", "", "system:masters"),
          rule("impersonate", "serviceaccounts", "", "bot")], "yes"),
        ([rule("impersonate", "groups", "", "devs"),
          rule("impersonate", "serviceaccounts", "", "bot")], "no"),
        ([rule("impersonate", "groups", "", "system:masters")], "no"),
        # Its own role by name, and somebody else's.
        ([rule("escalate patch", "clusterroles", RBAC, "r")], "yes"),
        ([rule("escalate patch", "clusterroles", RBAC, "other")], "no"),
        ([rule("escalate", "clusterroles", RBAC, "r"), rule("patch", "clusterroles", RBAC, "other")], "no"),
        ([rule("patch", "clusterroles", RBAC, "r")], "no"),
    ],
)  # fmt: skip
def test_rules_that_name_their_object(rules: list[Object], value: str) -> None:
    assert given(*rules).value == value


@pytest.mark.parametrize(
    ("container", "spec", "value"),
    [
        ({"securityContext": {"capabilities": {"add": ["DAC_READ_SEARCH"]}}}, {}, "yes"),
        ({"securityContext": {"runAsUser": 7, "capabilities": {"add": ["DAC_READ_SEARCH"]}}}, {}, "no"),
        ({"volumeMounts": [{"name": "v", "mountPath": "/m"}]},
         {"volumes": [{"name": "v", "hostPath": {"path": "/run/podman/podman.sock"}}]}, "yes"),
    ],
)  # fmt: skip
def test_more_ways_out_of_a_container(container: Object, spec: Object, value: str) -> None:
    assert judged([account(), pod(container, **spec)])["shop/pod/web"].value == value


# The cloud identity that an account names, and whom it lets in


def _acting(**identity: Any) -> str:
    """What is said of the account shop/bot, which names an administrator of a cloud."""
    kind, uid, config = identity["kind"], identity["uid"], identity["config"]
    bot = account()
    bot["metadata"]["annotations"] = {identity["note"]: identity["named"]}
    made = estate([bot], READ)
    made.add(Item(uid, kind, uid.rpartition("/")[2], "", "", "", {}, config), [identity["alias"]])
    for item in identity.get("more", ()):
        made.add(item)
    power = RiskStatement(resource=uid, risk="privileged_access", value="yes", evidence=(
        Evidence(kind="administrator", text="administrator of its account", source=uid),))  # fmt: skip
    return {s.resource: s.value for s in privilege(made, {uid: power})}[f"k8s://c/{BOT}"]


ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/ABC"
AWS_ROLE = "arn:aws:iam::111122223333:role/boss"


def _eks(statement: Object | None) -> str:
    document = {} if statement is None else {"AssumeRolePolicyDocument": {
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}}  # fmt: skip
    return _acting(kind="aws_iam_role", uid=AWS_ROLE, config=document, alias=AWS_ROLE, named=AWS_ROLE,
                   note="eks.amazonaws.com/role-arn")  # fmt: skip


def _irsa(subject: str | None, operator: str = "StringEquals") -> Object:
    found: Object = {"Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"},
                     "Action": "sts:AssumeRoleWithWebIdentity"}  # fmt: skip
    if subject is None:
        return found
    return {
        **found,
        "Condition": {operator: {f"{ISSUER}:sub": subject, f"{ISSUER}:aud": "sts.amazonaws.com"}},
    }


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        (None, "yes"),  # its trust was not read
        (_irsa("system:serviceaccount:shop:bot"), "yes"),
        (_irsa("system:serviceaccount:shop:*", "StringLike"), "yes"),
        (_irsa(None), "yes"),
        (_irsa("system:serviceaccount:shop:other"), "no"),
        (_irsa("system:serviceaccount:other:bot"), "no"),
        ({"Principal": {"Service": "pods.eks.amazonaws.com"},
          "Action": ["sts:AssumeRole", "sts:TagSession"]}, "unknown"),  # associations: not read
        ({"Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}, "no"),
    ],
)  # fmt: skip
def test_a_role_that_an_account_names(statement: Object | None, value: str) -> None:
    assert _eks(statement) == value


@pytest.mark.parametrize(
    ("members", "value"),
    [
        (None, "yes"),
        (["serviceAccount:p.svc.id.goog[shop/bot]"], "yes"),
        (["principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p.svc.id.goog"
          "/subject/ns/shop/sa/bot"], "yes"),
        (["serviceAccount:p.svc.id.goog[shop/other]"], "no"),
        (["serviceAccount:p.svc.id.goog[other/bot]"], "no"),
        ([], "no"),
    ],
)  # fmt: skip
def test_a_google_account_that_an_account_names(members: list[str] | None, value: str) -> None:
    email = "boss@p.iam.gserviceaccount.com"
    uid = f"//iam.googleapis.com/projects/p/serviceAccounts/{email}"
    config = {} if members is None else {"iamPolicy": {"bindings": [
        {"role": "roles/iam.workloadIdentityUser", "members": members}]}}  # fmt: skip
    assert _acting(kind="gcp_iam_service_account", uid=uid, config=config, alias=email, named=email,
                   note="iam.gke.io/gcp-service-account") == value  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "value"),
    [
        (None, "yes"),
        ("system:serviceaccount:shop:bot", "yes"),
        ("system:serviceaccount:shop:other", "no"),
    ],
)
def test_an_identity_of_azure_that_an_account_names(subject: str | None, value: str) -> None:
    kind = "azure_microsoft_managedidentity_userassignedidentities"
    uid = "/subscriptions/s/resourcegroups/g/providers/microsoft.managedidentity/userassignedidentities/boss"
    more = [] if subject is None else [Item(
        f"{uid}/federatedidentitycredentials/f", f"{kind}_federatedidentitycredentials", "f", "", "", "",
        {}, {"subject": subject})]  # fmt: skip
    assert _acting(kind=kind, uid=uid, config={}, alias="azure-client:abc", named="abc", more=more,
                   note="azure.workload.identity/client-id") == value  # fmt: skip
