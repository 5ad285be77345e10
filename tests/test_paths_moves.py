"""Every move: the smallest estate where it is possible, and each precondition flipped alone."""

from __future__ import annotations

from typing import Any

import pytest

import tests.test_azure as azure
import tests.test_gcp as google
from secinbox.network import exposure
from secinbox.paths import catalogue
from secinbox.paths.build import compiled, entries, steps_of
from secinbox.paths.catalogue import CatalogueError, moves, read
from secinbox.paths.graph import Step
from secinbox.paths.predicates import CHECKS, PAIRS
from secinbox.paths.search import forward, possible
from secinbox.paths.world import Leak, World
from secinbox.records import Evidence
from tests import moves_clouds, moves_clusters, moves_databases, moves_hosts
from tests.accounts import deny
from tests.scenes import ANYONE, EC2, ROOT, A, R, Scene, allow, aws, service, vulnerability
from tests.test_iam_kubernetes import account, binding, role, rule
from tests.test_network_kubernetes import NODE, pod, thing
from tests.test_network_kubernetes import service as k8s_service

WEB = EC2 + "instance/i-web"
OLD = {"MetadataOptions": {"HttpTokens": "optional", "HttpEndpoint": "enabled",
                           "HttpPutResponseHopLimit": 2}}  # fmt: skip
NEW = {"MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled",
                           "HttpPutResponseHopLimit": 1}}  # fmt: skip
OFF = {"MetadataOptions": {"HttpEndpoint": "disabled"}}
ROLE = f"arn:aws:iam::{A}:role/app"
KEY = "AKIAEXAMPLE000000001"
READ = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::data/*",
}
GITHUB = {"Federated": f"arn:aws:iam::{A}:oidc-provider/token.actions.githubusercontent.com"}
ELB = f"arn:aws:elasticloadbalancing:{R}:{A}:"


def app(*statements: dict[str, Any]) -> Scene:
    """An instance that runs as the role `app`."""
    return (
        Scene()
        .instance("web", "app", **OLD)
        .role("app", service("ec2.amazonaws.com"), *statements, profile=True)  # type: ignore[return-value]
    )


def oidc(subject: str | None, key: str = "token.actions.githubusercontent.com:sub") -> Scene:
    condition: dict[str, Any] = {
        "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}
    }
    if subject is not None:
        condition["StringLike"] = {key: subject}
    scene = Scene()
    scene.role("app", [{"Effect": "Allow", "Principal": GITHUB,
                        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition}])  # fmt: skip
    scene.repositories = ["repo:github.com/acme/shop"]
    return scene


def leaked(status: str = "Active", identifier: str = KEY) -> Scene:
    return Scene().key(identifier, "ana", status).user("ana").leak(KEY)  # type: ignore[return-value,attr-defined]


def stored(status: str = "Active") -> Scene:
    scene = Scene().bucket("data", tags={}).key(KEY, "ana", status)
    scene.user("ana")
    return scene.leak(KEY, "arn:aws:s3:::data")


def breach(*uids: str) -> Scene:
    scene = Scene()
    scene.user("ana")
    scene.breached = list(uids)
    return scene


def database(port_source: str = "sg:sg-web", **config: Any) -> Scene:
    scene = Scene().instance("web").group("sg-db", (5432, port_source))
    uid = f"arn:aws:rds:{R}:{A}:db:orders"
    scene.add(uid, "aws_rds_instance", {
        "DBInstanceIdentifier": "orders", "DBSubnetGroup": {"VpcId": "vpc-1"},
        "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-db"}], **config},
        {"data_class": "restricted", "service": "orders"})  # fmt: skip
    return scene


COPYING = ("rds:CreateDBSnapshot", "rds:RestoreDBInstanceFromDBSnapshot", "rds:ModifyDBInstance")


def copying(
    *rights: str, resource: str = "*", denied: str = "", tags: dict[str, str] | None = None
) -> Scene:
    """A user with these rights and a database that nobody reaches."""
    deny = {"Effect": "Deny", "Action": denied, "Resource": "*"}
    statements = [*(allow(r, resource) for r in rights), *([deny] if denied else [])]
    scene = Scene().user("ana", *statements)
    scene.add(f"arn:aws:rds:{R}:{A}:db:orders", "aws_rds_instance",
              {"DBInstanceIdentifier": "orders", "PubliclyAccessible": False},
              {"data_class": "restricted"} if tags is None else tags)  # fmt: skip
    return scene


def front(scheme: str = "internet-facing") -> Scene:
    """A load balancer before an instance that has no public address."""
    scene = Scene().group("sg-lb", (443, ANYONE)).group("sg-app", (8080, "sg:sg-lb"))
    scene.instance("app", public=False, groups=("sg-app",))
    balancer, group = ELB + "loadbalancer/app/lb/1", ELB + "targetgroup/tg/1"
    scene.add(balancer, "aws_elbv2_load_balancer", {
        "LoadBalancerArn": balancer, "LoadBalancerName": "lb", "Scheme": scheme, "VpcId": "vpc-1",
        "Type": "application", "State": {"Code": "active"}, "SecurityGroups": ["sg-lb"],
        "AvailabilityZones": [{"SubnetId": "public"}], "describe_listeners": {"Listeners": [
            {"ListenerArn": ELB + "listener/1", "Port": 443, "Protocol": "HTTPS",
             "DefaultActions": [{"Type": "forward", "TargetGroupArn": group}]}]}})  # fmt: skip
    scene.add(group, "aws_elbv2_target_group", {
        "TargetGroupArn": group, "Port": 8080, "Protocol": "HTTP", "VpcId": "vpc-1",
        "TargetType": "instance", "LoadBalancerArns": [balancer], "describe_target_health": {
            "TargetHealthDescriptions": [{"Target": {"Id": "i-app", "Port": 8080},
                                          "TargetHealth": {"State": "healthy"}}]}})  # fmt: skip
    return scene


def task(*rules: Any, token: bool = True, **spec: Any) -> Scene:
    objects = [
        pod(serviceAccountName="bot", **spec),
        account("bot", automountServiceAccountToken=token),
        NODE,
        k8s_service("LoadBalancer"),
    ]
    if rules:
        objects += [role(*rules), binding()]
    return Scene().kubernetes(*objects)


def certified(enabled: bool = True, **condition: Any) -> Scene:
    trust = service("rolesanywhere.amazonaws.com", **condition)
    trust[0]["Action"] = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    scene = Scene()
    scene.role("app", trust)
    scene.add(f"arn:aws:rolesanywhere:{R}:{A}:profile/p", "aws_rolesanywhere_profile", {
        "enabled": True, "roleArns": [ROLE]})  # fmt: skip
    scene.add(f"arn:aws:rolesanywhere:{R}:{A}:trust-anchor/t", "aws_rolesanywhere_trust_anchor", {
        "enabled": enabled, "name": "partners"})  # fmt: skip
    return scene


POWER = rule("*", "*", "*")
K8S_ROLE = {"eks.amazonaws.com/role-arn": ROLE}


def irsa(annotated: bool = True, **spec: Any) -> Scene:
    found = account("bot")
    if annotated:
        found["metadata"]["annotations"] = K8S_ROLE
    return Scene().kubernetes(pod(**{"serviceAccountName": "bot", **spec}), found)


def projected(subject: str = "system:serviceaccount:shop:bot", **spec: Any) -> Scene:
    """A pod without a token of the API, whose account names a role that trusts `subject`."""
    scene = irsa(automountServiceAccountToken=False, **spec)
    issuer = f"oidc.eks.{R}.amazonaws.com/id/AAAA"
    scene.role("app", [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
                        "Principal": {"Federated": f"arn:aws:iam::{A}:oidc-provider/{issuer}"},
                        "Condition": {"StringEquals": {f"{issuer}:sub": subject}}}])  # fmt: skip
    return scene


def node(label: bool = False, provider: str = "aws:///eu-west-1a/i-node") -> Scene:
    found = thing("Node", "n1", {"providerID": provider}, "")
    if label:
        found["metadata"]["labels"] = {"node-role.kubernetes.io/control-plane": ""}
    return Scene().kubernetes(pod(), found)


def on_machine(hop: dict[str, Any], provider: str = "aws:///eu-west-1a/i-node") -> Scene:
    scene = node(provider=provider).instance("node", "app", public=False, **hop)
    scene.role("app", service("ec2.amazonaws.com"), profile=True)
    machine = next(i for i in scene.items if i.uid.endswith("i-node"))
    assert machine
    return scene


def anonymous(subject: str = "system:anonymous") -> Scene:
    return Scene().kubernetes(
        role(POWER), binding(subject={"kind": "User", "name": subject, "apiGroup": "x"})
    )


def in_namespace(verbs: str, resource: str) -> Scene:
    return Scene().kubernetes(
        role(rule(verbs, resource), kind="Role", space="shop"),
        binding("RoleBinding", to_kind="Role", space="shop"),
        account("bot"),
        account("boss"),
    )


def alarm(resource: str = WEB) -> Scene:
    from secinbox.paths.world import Alarm

    scene = Scene().instance("web")
    scene.alarms = [Alarm("s1", resource, "A shell was started", "2026-11-20")]
    return scene


def poisoned(rule_id: str = "zizmor/dangerous-triggers") -> Scene:
    scene = Scene()
    if rule_id:
        scene.pipelines = [
            vulnerability("w", rule=rule_id, vulnerability="", title="pull_request_target",
                          resource="repo:github.com/acme/shop")
        ]  # fmt: skip
    return scene


def code(rule_id: str, severity: int = 4) -> Scene:
    return Scene().instance("web").weakness(WEB, vulnerability(
        "c", type="static_code_vulnerability", rule=rule_id, title=rule_id, vulnerability="",
        severity=severity))  # fmt: skip


def known(**more: Any) -> Scene:
    return Scene().instance("web").weakness(WEB, vulnerability(**more))


def escape(**container: Any) -> Scene:
    made = pod()
    made["spec"]["containers"][0].update(container)
    return Scene().kubernetes(made, NODE)


def trail(linked: bool = True) -> Scene:
    scene = Scene().bucket("logs", tags={})
    uid = f"arn:aws:cloudtrail:{R}:{A}:trail/main"
    scene.add(uid, "aws_cloudtrail_trail", {"S3BucketName": "logs"})
    if linked:
        scene.relations.append((uid, "stores_in", "arn:aws:s3:::logs"))
    return scene


def password(**config: Any) -> Scene:
    return database(**config).secret("orders-password")


SECRET = f"arn:aws:secretsmanager:{R}:{A}:secret:orders-password-AbCdEf"


class Google:
    """Assets of Google Cloud as a world."""

    def __init__(self, *assets: dict[str, Any]) -> None:
        self.assets = assets

    def world(self) -> World:
        made = google.estate(*self.assets)
        public = {s.resource: list(s.evidence) for s in exposure(made) if s.value == "yes"}
        return World(estate=made, public=public)


class Microsoft:
    """Answers of Azure as a world."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = rows

    def world(self) -> World:
        made = azure.estate(*self.rows)
        public = {s.resource: list(s.evidence) for s in exposure(made) if s.value == "yes"}
        return World(estate=made, public=public)


RUNS = (azure.SUBSCRIPTION, azure.vm())
BLOBS = azure.blobs("None") | {"tags": {"data_class": "restricted"}}
BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
OWNER = google.project(google.bind("roles/owner", google.MEMBER))
ACCOUNT = google.account()
MARKED = {"labels": {"data_class": "restricted"}}


def scoped(*scopes: str, role: str = google.VIEW) -> Google:
    """A machine whose tokens have these scopes, and a bucket that its account may read."""
    told = [{"email": f"app@{google.P}.iam.gserviceaccount.com",
             "scopes": [f"https://www.googleapis.com/auth/{s}" for s in scopes]}]  # fmt: skip
    return Google(google.machine(serviceAccounts=told), ACCOUNT, google.project(),
                  google.bucket(google.bind(role, google.MEMBER), **MARKED))  # fmt: skip


Flip = tuple[str, Scene | Google | Microsoft | moves_clouds.Clouds, str]


# move -> (an estate where it is possible, the flips: what is flipped, the estate, the reason told)
def calling(*statements: dict[str, Any], weak: bool = True) -> Scene:
    """A user, and a function in which a scanner found something."""
    scene = Scene().function("applier", "applier")
    scene.user("ana", *statements)
    uid = f"arn:aws:lambda:{R}:{A}:function:applier"
    scene.weak = {uid: [vulnerability(resource=uid)]} if weak else {}
    return scene


def attaches(name: str) -> dict[str, Any]:
    """The right to attach any policy to one user."""
    return {
        "Effect": "Allow",
        "Action": "iam:AttachUserPolicy",
        "Resource": f"arn:aws:iam::{A}:user/{name}",
    }


SAMPLES: dict[str, tuple[Scene | Google | Microsoft | moves_clouds.Clouds, list[Flip]]] = {
    "net-internet": (Scene().instance("web"), [
        ("no public address", Scene().instance("web", public=False), ""),
        ("one network only", Scene().instance("web", source="203.0.113.0/24"), ""),
        ("stopped", Scene().instance("web", state="stopped"), ""),
    ]),
    "net-front": (front(), [("internal", front("internal"), "")]),
    "net-neighbour": (database(), [
        ("another group", database("sg:sg-other"), ""),
        ("another range", database("10.9.0.0/16"), ""),
    ]),
    "exploit-known": (known(), [
        ("local only", known(vector="CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), ""),
        ("needs privileges", known(vector="CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H"), ""),
        ("needs a user", known(vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H"), ""),
        ("availability only", known(vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"), ""),
        ("no weakness", Scene().instance("web"), ""),
    ]),
    "exploit-code": (code("python.lang.security.audit.eval-detected"), [
        ("another weakness", code("python.lang.correctness.useless-comparison"), ""),
        ("of low severity", code("python.lang.security.audit.eval-detected", 2), ""),
    ]),
    "exploit-unknown": (Scene().instance("web"), [
        ("no code of its owner", database().__class__().bucket("data"), ""),
    ]),
    "forge-request": (code("python.flask.ssrf"), [("another weakness", code("weak-hash"), "")]),
    "intruder": (alarm(), [("no signal", Scene().instance("web"), "")]),
    "malicious-package": (known(name="MAL-2024-1", vulnerability="MAL-2024-1"),
                          [("an ordinary vulnerability", known(), "")]),
    "instance-credentials": (app(), [
        ("metadata off", Scene().instance("web", "app", **OFF).role(
            "app", service("ec2.amazonaws.com"), profile=True), "switched off"),
        ("no role", Scene().instance("web", **OLD), ""),
    ]),
    "instance-credentials-ssrf": (app(), [
        ("IMDSv2", Scene().instance("web", "app", **NEW).role(
            "app", service("ec2.amazonaws.com"), profile=True), "IMDSv2 required"),
        ("metadata off", Scene().instance("web", "app", **OFF).role(
            "app", service("ec2.amazonaws.com"), profile=True), "switched off"),
    ]),
    "workload-credentials": (
        Scene().function("hook", "app").role("app", service("lambda.amazonaws.com")),
        [("an instance has its own row", app(), "")]),
    "read-leaked-key": (leaked(), [("no finding", Scene().key(KEY, "ana").user("ana"), "")]),
    "key-in-workload": (leaked(), []),
    "key-in-store": (stored(), [("in a repository", leaked(), "")]),
    "assumed-breach": (breach(f"arn:aws:iam::{A}:user/ana"), [("nobody asked", breach(), "")]),
    "use-key": (leaked(), [
        ("inactive", leaked("Inactive"), "inactive"),
        ("a key of nobody known", Scene().leak(KEY), ""),
    ]),
    "public-trust": (oidc("repo:*"), [
        ("pinned", oidc("repo:acme/shop:ref:refs/heads/main"), ""),
        ("own account", Scene().role("app", aws(f"arn:aws:iam::{A}:root")), ""),
    ]),
    "sts-003": (Scene().role("app", aws("arn:aws:iam::999988887777:root")), [
        ("external id", Scene().role("app", aws("arn:aws:iam::999988887777:root", StringEquals={
            "sts:ExternalId": "x"})), ""),
        ("own account", Scene().role("app", aws(f"arn:aws:iam::{A}:root")), ""),
    ]),
    "certificate-role": (certified(), [
        ("a field is asked for", certified(StringEquals={"aws:PrincipalTag/x509Subject/CN": "x"}), ""),
        ("the anchor is disabled", certified(enabled=False), ""),
    ]),
    "aws-escalation": (
        Scene().user("ana", allow("sts:AssumeRole")).role("app", aws(f"arn:aws:iam::{A}:root")), [
            ("no permission", Scene().user("ana").role("app", aws(f"arn:aws:iam::{A}:root")), ""),
            ("no trust", Scene().user("ana", allow("sts:AssumeRole")).role(
                "app", service("ec2.amazonaws.com")), ""),
        ]),
    "aws-administrator": (Scene().user("ana", allow("*")), [
        ("reads only", Scene().user("ana", allow("s3:Get*")), ""),
        ("denied", Scene().user("ana", allow("*"), {
            "Effect": "Deny", "Action": "iam:*", "Resource": "*"}), ""),
    ]),
    "aws-call-function": (calling(allow("lambda:InvokeFunction")), [
        ("another function", calling(allow("lambda:InvokeFunction", f"arn:aws:lambda:{R}:{A}:function:other")), ""),
        ("no right to call", calling(allow("lambda:GetFunction")), ""),
        ("calling denied", calling(allow("*"), deny("lambda:InvokeFunction")), ""),
        ("no weakness", calling(allow("lambda:InvokeFunction"), weak=False), ""),
    ]),
    "aws-two-identities": (Scene().user("ana").user("ops", attaches("ana")), [
        ("only one of them is known", Scene().user("ops", attaches("ana")), ""),
        ("another is written", Scene().user("ana").user("ops", attaches("bob")), ""),
        ("only a harmless policy", Scene().user("ana").user("ops", {
            **attaches("ana"), "Condition": {"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"}}}), ""),
        ("writing denied", Scene().user("ana").user("ops", attaches("ana"), {
            "Effect": "Deny", "Action": "iam:*", "Resource": "*"}), ""),
    ]),
    "aws-any-identity": (Scene().user("ana"), [
        ("service-linked", Scene().role("x", service("ecs.amazonaws.com"),
                                        path="/aws-service-role/ecs.amazonaws.com/"), "")]),
    "read-public-store": (Scene().bucket("data", READ), [
        ("own account", Scene().bucket("data", {**READ, "Principal": {
            "AWS": f"arn:aws:iam::{A}:root"}}), ""),
        ("of no value", Scene().bucket("data", READ, tags={"data_class": "public"}), ""),
        ("write only", Scene().bucket("data", {**READ, "Action": "s3:PutObject"}), ""),
    ]),
    "read-store": (app(allow("s3:GetObject")).bucket("data"), [
        ("denied", app(allow("s3:GetObject"), {
            "Effect": "Deny", "Action": "s3:*", "Resource": "*"}).bucket("data"), ""),
        ("another bucket", app(allow("s3:GetObject", "arn:aws:s3:::other/*")).bucket("data"), ""),
    ]),
    "copy-database": (copying(*COPYING), [
        *[(f"no {right}", copying(*(r for r in COPYING if r != right)), "") for right in COPYING],
        ("of another database", copying(*COPYING, resource=f"arn:aws:rds:{R}:{A}:db:other"), ""),
        ("denied", copying(*COPYING, denied="rds:RestoreDBInstanceFromDBSnapshot"), ""),
        ("of no value", copying(*COPYING, tags={"data_class": "public"}), ""),
    ]),
    "audit-trail": (trail(), [("not known where", trail(False), "")]),
    "database-sign-in": (database(), [("of no value", Scene().bucket("data"), "")]),
    "database-password": (password(MasterUserSecret={"SecretArn": SECRET}), [
        ("no secret", database(), ""),
    ]),
    "k8s-token": (task(), [("not mounted", task(token=False), "automountServiceAccountToken")]),
    "k8s-cloud-identity": (irsa(), [("not annotated", irsa(False), "")]),
    "k8s-projected-identity": (projected(), [
        ("another account is trusted", projected("system:serviceaccount:shop:web"), "trust policy"),
        ("not annotated", irsa(False, automountServiceAccountToken=False), ""),
        ("its row is that of the token", irsa(), ""),
        ("runs as another account", projected(serviceAccountName="web"), ""),
    ]),
    "k8s-cluster-power": (task(POWER), [
        ("reads pods", task(rule("get list", "pods")), ""),
        ("gets named secrets", task(rule("get", "secrets")), ""),
    ]),
    "k8s-namespace-power": (in_namespace("create", "pods"), [
        ("reads pods", in_namespace("get", "pods"), ""),
    ]),
    "k8s-anonymous": (anonymous(), [("a named user", anonymous("ana"), "")]),
    "k8s-escape": (escape(securityContext={"privileged": True}), [
        ("not privileged", escape(), ""),
        ("a harmless capability", escape(securityContext={
            "capabilities": {"add": ["NET_BIND_SERVICE"]}}), ""),
    ]),
    "k8s-node-pods": (node(), [("a pod on no node", Scene().kubernetes(account("bot")), "")]),
    "k8s-control-plane": (node(True), [("a worker", node(), "")]),
    "k8s-node-machine": (on_machine(OLD), [("another machine", on_machine(
        OLD, "aws:///eu-west-1a/i-other"), "")]),
    "k8s-node-metadata": (on_machine(OLD), [
        ("one hop", on_machine(NEW), "hop limit 1"),
        ("metadata off", on_machine(OFF), "switched off"),
    ]),
    "k8s-all-accounts": (irsa(), [("no cloud identity", irsa(False), "")]),
    "gcp-machine-credentials": (Google(google.machine(), ACCOUNT), [
        ("narrow scopes", Google(google.machine(serviceAccounts=[{
            "email": "app@shop-1.iam.gserviceaccount.com", "scopes": ["x"]}]), ACCOUNT), "scopes"),
        ("no account", Google(google.machine(serviceAccounts=[]), ACCOUNT), ""),
    ]),
    "gcp-scoped-read": (scoped("devstorage.read_only"), [
        ("another API's scope", scoped("logging.write"), ""),
        ("a scope that writes only", scoped("devstorage.write_only"), ""),
        ("no role", scoped("devstorage.read_only", role="roles/storage.bucketViewer"), ""),
        ("the whole scope has its own row", scoped("cloud-platform"), ""),
    ]),
    "gcp-owner": (Google(OWNER, ACCOUNT), [
        ("viewer", Google(google.project(google.bind("roles/viewer", google.MEMBER)), ACCOUNT), ""),
    ]),
    "gcp-any-account": (Google(OWNER, ACCOUNT), [("no account", Google(OWNER), "")]),
    "gcp-read-store": (Google(google.project(google.bind(google.VIEW, google.MEMBER)), ACCOUNT,
                              google.bucket(**MARKED)), [
        ("of no value", Google(google.project(google.bind(google.VIEW, google.MEMBER)), ACCOUNT,
                               google.bucket()), ""),
        ("lists only", Google(google.project(google.bind(
            "roles/storage.bucketViewer", google.MEMBER)), ACCOUNT, google.bucket(**MARKED)), ""),
    ]),
    "azure-managed-identity": (Microsoft(*RUNS), [
        ("no identity", Microsoft(azure.SUBSCRIPTION, azure.vm() | {"identity": None}), ""),
    ]),
    "azure-control": (Microsoft(azure.SUBSCRIPTION, azure.assigned(azure.OWNER)), [
        ("reader", Microsoft(azure.SUBSCRIPTION, azure.assigned(azure.READER)), ""),
        ("a group of resources", Microsoft(azure.SUBSCRIPTION, azure.assigned(
            azure.OWNER, scope=azure.RG)), ""),
    ]),
    "azure-any-identity": (Microsoft(*RUNS), [
        ("no identity", Microsoft(azure.SUBSCRIPTION, azure.vm() | {"identity": None}), ""),
    ]),
    "azure-read-store": (Microsoft(azure.SUBSCRIPTION, azure.store(), BLOBS,
                                   azure.assigned(BLOB_READER)), [
        ("reader of settings", Microsoft(azure.SUBSCRIPTION, azure.store(), BLOBS,
                                         azure.assigned(azure.READER)), ""),
        ("of no value", Microsoft(azure.SUBSCRIPTION, azure.store(), azure.blobs("None"),
                                  azure.assigned(BLOB_READER)), ""),
    ]),
    "pipeline-poison": (poisoned(), [("no finding", poisoned(""), "")]),
    "pipeline-role": (oidc("repo:acme/shop:*"), [
        ("another repository", oidc("repo:acme/other:*"), ""),
    ]),
}  # fmt: skip
SAMPLES["key-in-workload"][0].holders = {"repo:github.com/acme/shop": [WEB]}
SAMPLES["key-in-workload"][1].append(("on no workload", leaked(), ""))
SAMPLES.update(moves_clusters.SAMPLES)
SAMPLES.update(moves_clouds.SAMPLES)
SAMPLES.update(moves_hosts.SAMPLES)
SAMPLES.update(moves_databases.SAMPLES)


def found(scene: Scene | Google | Microsoft | moves_clouds.Clouds, move: str) -> list[Step]:
    row = next(m for m in moves() if m.id == move)
    world = scene.world()
    return list(steps_of(world, row))


@pytest.mark.parametrize("move", [m.id for m in moves()])
def test_every_move_has_an_estate_where_it_is_possible(move: str) -> None:
    assert move in SAMPLES, f"{move} has no sample in tests/test_paths_moves.py"
    steps = [s for s in found(SAMPLES[move][0], move) if not s.blocked]
    assert steps
    for step in steps:
        assert step.sentence or "hub" in (step.source[0], step.target[0])
        assert step.cost >= 0


@pytest.mark.parametrize(
    ("move", "flip"), [(m, f) for m, (_, flips) in SAMPLES.items() for f in flips],
    ids=lambda v: v if isinstance(v, str) else v[0],
)  # fmt: skip
def test_each_precondition_flipped_alone_takes_the_move_away(move: str, flip: Flip) -> None:
    _, scene, reason = flip
    steps = found(scene, move)
    first = next(s for s in found(SAMPLES[move][0], move) if not s.blocked)
    same = [
        s for s in steps if not s.blocked and (s.source, s.target) == (first.source, first.target)
    ]
    assert not same
    if reason:
        assert any(reason in s.blocked for s in steps), [s.blocked for s in steps]


def test_every_move_but_facts_without_an_opposite_has_a_flip() -> None:
    assert not [m for m, (_, flips) in SAMPLES.items() if not flips]


def test_the_catalogue_is_complete_and_says_where_it_comes_from() -> None:
    for move in moves():
        assert move.reference.startswith("https://")
        assert all(a.startswith("T") for a in move.attack)
        assert move.remedy.endswith(".")
    assert {m.pairs for m in moves()} == set(PAIRS)
    assert {c for m in moves() for c in m.checks} == set(CHECKS)


ROW = """
[[move]]
id = "x"
title = "X"
from = "net"
to = "exec"
pairs = "known_vulnerability"
phrase = "{source} to {target}"
attack = ["T1190"]
reference = "https://example.org"
remedy = "Fix."
"""


@pytest.mark.parametrize(("change", "told"), [
    (('id = "x"', 'id = "x"\ncolour = "red"'), "unknown key colour; allowed: "),
    (('"known_vulnerability"', '"known_vulnerabilities"'), "unknown predicate 'known_vulnerabilities'"),
    (('to = "exec"', 'to = "root"'), "unknown state 'root'; allowed: admin, cred"),
    (('remedy = "Fix."', ""), "remedy is missing"),
    (('remedy = "Fix."', 'remedy = "Fix."\nchecks = ["no_such"]'), "unknown check 'no_such'"),
    (("{source} to", "{colour} to"), "phrase may use"),
    (("[[move]]", "[[moves]]"), "only [[move]] tables"),
    (('id = "x"', "id = "), "not TOML"),
])  # fmt: skip
def test_a_wrong_row_is_refused_with_what_is_allowed(change: tuple[str, str], told: str) -> None:
    assert len(read(ROW, "x.toml")) == 1
    with pytest.raises(CatalogueError, match=r"x\.toml") as caught:
        read(ROW.replace(*change), "x.toml")
    assert told in str(caught.value)


@pytest.mark.parametrize(("text", "wanted"), [
    (moves_clusters.MAP, ["k8s://c"]),
    (moves_clusters.MAP.replace("system:masters", "deployers"), ["k8s://c/_/group/deployers"]),
    (moves_clusters.MAP.replace("system:masters", "system:nodes"), []),
    ("[[[", []), ("- 1", []), ("", []),
])  # fmt: skip
def test_the_map_of_cloud_roles_of_a_cluster(text: str, wanted: list[str]) -> None:
    steps = found(moves_clusters.mapped(text), "eks-access-entry")
    assert [s.target[1] for s in steps] == wanted


def test_a_pushed_image_is_not_run_where_it_is_pinned() -> None:
    scene = moves_clusters.pushes(image=f"{moves_clusters.REGISTRY}@sha256:{'a' * 64}")
    (first, second) = sorted(found(scene, "image-push"), key=lambda s: s.source)
    assert not first.blocked and second.blocked == "it runs the image by its digest"


@pytest.mark.parametrize(("scene", "doubt"), [
    (moves_clusters.builds(moves_clusters.OPENED), "outsiders see"),
    (moves_clusters.builds(), "outsiders see"),  # no filter takes everything
    (moves_clusters.builds([*moves_clusters.OPENED, moves_clusters.actor("123|456")]), "not anchored"),
    (moves_clusters.builds([*moves_clusters.OPENED, moves_clusters.actor(
        "^123$", excludeMatchedPattern=True)]), "outsiders see"),
    (moves_clusters.builds([*moves_clusters.OPENED, moves_clusters.actor("^123$")],
                           moves_clusters.OPENED), "outsiders see"),
    (moves_clusters.builds(moves_clusters.OPENED, approval="DISABLED"), "outsiders see"),
    (moves_clusters.builds(moves_clusters.OPENED, buildspec="version: 0.2\nphases: {}\n"), "its steps"),
])  # fmt: skip
def test_builds_that_outsiders_may_start(scene: Scene, doubt: str) -> None:
    (step,) = found(scene, "codebuild-of-strangers")
    assert not step.blocked and doubt in step.doubt


@pytest.mark.parametrize(("how", "scene"), moves_hosts.OUT, ids=[n for n, _ in moves_hosts.OUT])
def test_ways_out_of_a_task(how: str, scene: Scene) -> None:
    assert {s.target[1] for s in found(scene, "ecs-escape")} == {EC2 + "instance/i-host"}


@pytest.mark.parametrize(("mode", "tokens", "hops", "blocked", "doubt"), [
    ("host", "required", 1, "", ""),
    ("bridge", "required", 2, "", ""),
    ("bridge", "optional", 1, "", ""),
    ("awsvpc", "optional", 2, "", "ECS_AWSVPC_BLOCK_IMDS"),
    ("awsvpc", "required", 1, "hop limit 1", ""),
])  # fmt: skip
def test_the_metadata_of_a_machine_and_the_network_of_a_task(
    mode: str, tokens: str, hops: int, blocked: str, doubt: str
) -> None:
    scene = moves_hosts.hosted(mode, moves_hosts.options(tokens, hops))
    for step in found(scene, "ecs-host-metadata"):
        assert blocked in step.blocked and bool(step.blocked) is bool(blocked)
        assert doubt in step.doubt and step.certain is not bool(doubt)


def test_a_cluster_that_answers_inside_only_is_a_doubt() -> None:
    (step,) = found(moves_clusters.entering(endpointPublicAccess=False), "eks-own-entry")
    assert not step.certain and "does not answer everyone" in step.doubt
    (step,) = found(moves_clusters.entering(), "eks-own-entry")
    assert step.certain and step.target == ("admin", "k8s://c")


def test_scopes_that_nobody_read_are_a_doubt() -> None:
    told = [{"email": f"app@{google.P}.iam.gserviceaccount.com"}]
    (step,) = found(
        Google(google.machine(serviceAccounts=told), ACCOUNT), "gcp-machine-credentials"
    )
    assert not step.blocked and "scopes were not read" in step.doubt


@pytest.mark.parametrize(("scene", "reached"), [
    (moves_clusters.launches(), True),
    (moves_clusters.launches("patch", "deployments", "apps"), True),
    (moves_clusters.launches("patch", "deployments", "apps", "web"), True),
    (moves_clusters.launches("patch", "deployments", "apps", "gone"), False),
    (moves_clusters.launches("create", "jobs", "batch"), True),
    (moves_clusters.launches(level="privileged"), True),
    (moves_clusters.launches(level="restricted", mode="warn"), True),
    (moves_clusters.launches("create", "configmaps"), False),
])  # fmt: skip
def test_who_makes_pods_gets_hold_of_nodes_perhaps(scene: Scene, reached: bool) -> None:
    steps = [s for s in found(scene, "k8s-privileged-pod") if not s.blocked]
    assert {s.target for s in steps if s.target[0] == "exec"} == (
        {("exec", "k8s://c/_/node/n1")} if reached else set()
    )
    assert all("admission policy" in s.doubt for s in steps if s.target[0] == "hub")


def test_hostile_names_stay_text() -> None:
    scene = Scene().instance("web")
    scene.said_public[WEB] = [Evidence(kind="route", text="{__class__} \x1b[31m <b>", ports="{x}")]
    steps = found(scene, "net-internet")
    assert any("{x}" in s.sentence for s in steps)
    assert ROOT and catalogue.STATES


@pytest.mark.parametrize(
    ("breached", "control"), [(("ops",), False), (("ana",), False), (("ops", "ana"), True)]
)
def test_two_identities_together_are_more_than_each(
    breached: tuple[str, ...], control: bool
) -> None:
    """Both are in the hands of whoever breached a machine that holds the keys of both."""
    scene = Scene().user("ana").user("ops", attaches("ana"))
    world = scene.world()
    keys = [f"arn:aws:iam::{A}:user/{name}" for name in breached]
    world.leaks = [
        Leak(f"f{n}", "repo:acme/shop", f"f{n}", "AWS key", key) for n, key in enumerate(keys)
    ]
    graph = compiled(world)
    reached = {graph.states[n] for e in entries(graph) for n in forward(graph, e, possible).cost}
    assert (("admin", f"arn:aws:iam::{A}:root") in reached) is control


def test_an_http_api_leads_to_the_role_of_the_function_behind_it() -> None:
    http = f"arn:aws:apigateway:{R}::/apis/a1"
    function = f"arn:aws:lambda:{R}:{A}:function:f"
    scene = Scene()
    scene.role("app", service("lambda.amazonaws.com"), allow("*"))
    absent = {"Error": "ResourceNotFoundException"}
    scene.function("f", "app", get_policy=absent, get_function_url_config=absent)
    open_route = {"RouteKey": "GET /", "AuthorizationType": "NONE", "Target": "integrations/i"}
    api: dict[str, Any] = {
        "ApiId": "a1", "ApiEndpoint": f"https://a1.execute-api.{R}.amazonaws.com",
        "get_routes": {"Items": [open_route]}, "get_stages": {"Items": [{"StageName": "$default"}]},
        "get_integrations": {"Items": [{"IntegrationId": "i", "IntegrationUri": function}]}}  # fmt: skip
    scene.add(http, "aws_apigateway_api", api)
    assert any(
        {http, function, ROLE} <= set(p.resources) and p.target == ROOT for p in scene.paths()
    )
    open_route["AuthorizationType"] = "JWT"
    assert not scene.paths()
