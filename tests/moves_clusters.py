"""Samples of the moves inside clusters and through what others run; see test_paths_moves.py."""

from __future__ import annotations

from typing import Any

from tests.scenes import A, R, Scene, allow, service, vulnerability
from tests.test_iam_kubernetes import account, binding, role, rule
from tests.test_network_kubernetes import Object, pod, policy, thing

Flips = list[tuple[str, Scene, str]]
BOT = {"serviceAccountName": "bot"}
REGISTRY = f"{A}.dkr.ecr.{R}.amazonaws.com/app"
DEPLOY = f"arn:aws:iam::{A}:role/Deploy"


def secret(kind: str = "Opaque", name: str = "vault-api-key", **notes: str) -> Object:
    made = thing("Secret", name, {}, "shop", type=kind, data={"value": "c2VjcmV0"})
    made.pop("spec")
    made["metadata"]["annotations"] = notes
    return made


def reads(verbs: str, *names: str, held: Object | None = None, space: str = "shop") -> Scene:
    return Scene().kubernetes(
        account("bot"),
        held or secret(),
        role(rule(verbs, "secrets", "", *names), kind="Role", space=space),
        binding("RoleBinding", to_kind="Role", space=space),
    )


def by_name(verbs: str, resource: str, name: str, group: str = "", space: str = "shop") -> Scene:
    """A rule of one namespace that names an object; a pod and a deployment that run as others."""
    return Scene().kubernetes(
        account("bot"),
        account("boss"),
        pod("boss-0", serviceAccountName="boss"),
        thing("Deployment", "web", {"template": {"metadata": {}, "spec": {"containers": []}}}),
        thing("Job", "once", {"template": {"metadata": {}, "spec": {"containers": []}}}),
        role(rule(verbs, resource, group, name), kind="Role", space=space),
        binding("RoleBinding", to_kind="Role", space=space),
    )


def launches(verbs: str = "create", resource: str = "pods", group: str = "", *names: str,
             level: str = "", mode: str = "enforce", space: str = "shop") -> Scene:  # fmt: skip
    """A rule of one namespace, whose label says what Pod Security keeps out, and a node."""
    labels = {f"pod-security.kubernetes.io/{mode}": level} if level else {}
    return Scene().kubernetes(
        account("bot"),
        thing("Namespace", "shop", {}, "", labels=labels),
        thing("Node", "n1", {}, ""),
        thing(
            "Deployment",
            "web",
            {"template": {"metadata": {}, "spec": {"containers": [{"name": "a"}]}}},
        ),
        role(rule(verbs, resource, group, *names), kind="Role", space=space),
        binding("RoleBinding", to_kind="Role", space=space),
    )


def two(*more: Object, weak: bool = True) -> Scene:
    """A pod, and another with a known weakness."""
    scene = Scene().kubernetes(pod(), pod("db"), *more)
    if weak:
        scene.weakness("k8s://c/shop/pod/db", vulnerability())
    return scene


def redis(port: int = 6379, *args: str) -> Scene:
    made = pod("cache")
    made["spec"]["containers"][0].update(ports=[{"containerPort": port}], args=list(args))
    return Scene().kubernetes(made)


def mounting(kind: str = "kubernetes.io/dockerconfigjson") -> Scene:
    volumes = [{"name": "s", "secret": {"secretName": "vault-api-key"}}]
    return Scene().kubernetes(pod(volumes=volumes), secret(kind))


def token(kind: str = "kubernetes.io/service-account-token", **notes: str) -> Scene:
    return Scene().kubernetes(account("bot"), secret(kind, "bot-token", **notes))


def nodes(group: str) -> Scene:
    subject = {"kind": "Group", "name": group, "apiGroup": "rbac.authorization.k8s.io"}
    return Scene().kubernetes(
        pod(), thing("Node", "n1", {}, ""), role(rule("*", "*", "*")), binding(subject=subject)
    )


def entry(
    policy_name: str = "AmazonEKSClusterAdminPolicy",
    groups: tuple[str, ...] = (),
    scope: str = "cluster",
) -> Scene:
    scene = Scene().kubernetes(account("bot"))
    scene.role("Deploy", service("ec2.amazonaws.com"))
    uid = f"arn:aws:eks:{R}:{A}:access-entry/c/role/{A}/Deploy/x"
    scene.add(uid, "aws_eks_access_entry", {
        "clusterName": "c", "principalArn": DEPLOY, "kubernetesGroups": list(groups),
        "associatedAccessPolicies": [
            {"policyArn": f"arn:aws:eks::aws:cluster-access-policy/{policy_name}",
             "accessScope": {"type": scope, "namespaces": []}}]})  # fmt: skip
    return scene


def mapped(text: str) -> Scene:
    made = thing("ConfigMap", "aws-auth", {}, "kube-system", data={"mapRoles": text})
    return Scene().kubernetes(account("bot"), made)


MAP = f"- rolearn: {DEPLOY}\n  username: deploy\n  groups: [system:masters]\n"


PUSH = ("ecr:PutImage", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload")


def pushes(*actions: str, image: str = f"{REGISTRY}:1", **config: Any) -> Scene:
    made = pod()
    made["spec"]["containers"][0]["image"] = image
    scene = Scene().kubernetes(made)
    scene.user("ana", *(allow(a) for a in actions or PUSH))
    uid = f"arn:aws:ecr:{R}:{A}:repository/app"
    scene.add(uid, "aws_ecr_repository", {"repositoryUri": REGISTRY, **config})
    return scene


def state(name: str = "acme-tfstate", action: str = "s3:PutObject") -> Scene:
    scene = Scene().bucket(name)
    scene.user("ana", allow(action))
    return scene


def centre(home: str = A, organisation: str = "o-1", listed: bool = True) -> Scene:
    """The Identity Center of an account, and another account."""
    scene = Scene()
    scene.user("ana").role("other", service("ec2.amazonaws.com"), account="444455556666")
    for number, name in ((A, "o-1"), ("444455556666", organisation)):
        scene.add(f"arn:aws:iam::{number}:root", "aws_account", {"describe_organization": {
            "Organization": {"Id": name, "MasterAccountId": A}}})  # fmt: skip
    if listed:
        scene.add("arn:aws:sso:::instance/i", "aws_sso_instance", {"OwnerAccountId": home})
    return scene


ENTERS = ("eks:CreateAccessEntry", "eks:AssociateAccessPolicy")


def entering(*rights: str, resource: str = "*", mode: str = "API", **network: Any) -> Scene:
    """Ana and an EKS cluster whose API server answers everyone."""
    scene = Scene().kubernetes(account("bot"))
    scene.user("ana", *(allow(r, resource) for r in rights or ENTERS))
    scene.add(f"arn:aws:eks:{R}:{A}:cluster/c", "aws_eks_cluster", {
        "name": "c", "accessConfig": {"authenticationMode": mode},
        "resourcesVpcConfig": {"endpointPublicAccess": True, **network}})  # fmt: skip
    return scene


OPENED = [{"type": "EVENT", "pattern": "PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED"}]
PUSHED = [{"type": "EVENT", "pattern": "PUSH"}]


def actor(pattern: str, **more: bool) -> dict[str, Any]:
    return {"type": "ACTOR_ACCOUNT_ID", "pattern": pattern, **more}


def builds(*groups: list[dict[str, Any]], address: str = "https://github.com/acme/shop.git",
           approval: str = "", buildspec: str = "") -> Scene:  # fmt: skip
    """A CodeBuild project with a webhook."""
    hook: dict[str, Any] = {"filterGroups": list(groups)}
    if approval:
        hook["pullRequestBuildPolicy"] = {"requiresCommentApproval": approval}
    scene = Scene()
    scene.add(f"arn:aws:codebuild:{R}:{A}:project/pr", "aws_codebuild_project", {
        "name": "pr", "source": {"location": address, "buildspec": buildspec}, "webhook": hook})  # fmt: skip
    return scene


SAMPLES: dict[str, tuple[Scene, Flips]] = {
    "identity-center": (centre(), [
        ("runs in another account", centre("777788889999"), ""),
        ("another organisation", centre(organisation="o-2"), ""),
        ("nobody listed it", centre(listed=False), ""),
    ]),
    "eks-own-entry": (entering(), [
        ("makes entries without power", entering(ENTERS[0]), ""),
        ("gives power to others' entries only", entering(ENTERS[1]), ""),
        ("another cluster", entering(resource=f"arn:aws:eks:{R}:{A}:cluster/other"), ""),
        ("takes no entries", entering(mode="CONFIG_MAP"), ""),
    ]),
    "codebuild-of-strangers": (builds(OPENED), [
        ("pushes only", builds(PUSHED), ""),
        ("merged ones only", builds([{"type": "EVENT", "pattern": "PULL_REQUEST_MERGED"}]), ""),
        ("approval of forks", builds(OPENED, approval="FORK_PULL_REQUESTS"), "approves"),
        ("approval of all", builds(OPENED, approval="ALL_PULL_REQUESTS"), "approves"),
        ("actors by name", builds([*OPENED, actor("^(123|456)$")]), "actors"),
        ("an own host", builds(OPENED, address="https://git.acme.test/acme/shop.git"), ""),
    ]),
    "codebuild-of-repository": (builds(PUSHED), [
        ("pull requests only", builds(OPENED), ""),
        ("actors by name", builds([*PUSHED, actor("^123$")]), "actors"),
        ("pushes left out", builds([{**PUSHED[0], "excludeMatchedPattern": True}]), ""),
    ]),
    "k8s-lateral": (two(), [
        ("no weakness", two(weak=False), ""),
        ("a policy that admits nothing", two(policy(None)), "admits no other pod"),
        ("a policy that admits another", two(policy([{"from": [
            {"podSelector": {"matchLabels": {"app": "other"}}}]}])), "admits no other pod"),
    ]),
    "k8s-open-service": (redis(), [
        ("another port", redis(8080), ""),
        ("asks for a password", redis(6379, "--requirepass", "$(PASSWORD)"), ""),
    ]),
    "k8s-read-secrets": (reads("list"), [
        ("creates only", reads("create"), ""),
        ("another namespace", reads("list", space="other"), ""),
        ("nothing that matters", reads("list", held=secret(name="settings")), ""),
        ("another name", reads("get", "settings"), ""),
    ]),
    "k8s-named-account": (by_name("impersonate", "serviceaccounts", "boss"), [
        ("another name", by_name("impersonate", "serviceaccounts", "web"), ""),
        ("reads it only", by_name("get", "serviceaccounts", "boss"), ""),
        ("another namespace", by_name("impersonate", "serviceaccounts", "boss", space="ops"), ""),
        ("a job, whose template is never changed", by_name("patch", "jobs", "once", "batch"), ""),
        ("a workload that is not there", by_name("patch", "deployments", "api", "apps"), ""),
    ]),
    "k8s-privileged-pod": (launches(), [
        ("reads pods", launches("get"), ""),
        ("enters pods only", launches("create", "pods/exec"), ""),
        ("a standard that keeps them out", launches(level="baseline"), "baseline"),
        ("the strict one", launches(level="restricted"), "restricted"),
    ]),
    "k8s-enter-pod": (by_name("create", "pods/exec", "boss-0"), [
        ("another pod", by_name("create", "pods/exec", "web-0"), ""),
        ("its log only", by_name("get", "pods/log", "boss-0"), ""),
        ("another namespace", by_name("create", "pods/exec", "boss-0", space="ops"), ""),
    ]),
    "k8s-mounted-secret": (mounting(), [("an ordinary secret", mounting("Opaque"), "")]),
    "k8s-token-secret": (token(**{"kubernetes.io/service-account.name": "bot"}), [
        ("of no account", token(), ""),
        ("no token", token("Opaque", **{"kubernetes.io/service-account.name": "bot"}), ""),
    ]),
    "k8s-node-account": (nodes("system:nodes"), [("another group", nodes("readers"), "")]),
    "eks-access-entry": (entry(), [
        ("reads only", entry("AmazonEKSViewPolicy"), ""),
        ("one namespace", entry(scope="namespace"), ""),
    ]),
    "image-push": (pushes(), [
        ("pulls only", pushes("ecr:BatchGetImage"), ""),
        ("names layers that are there only", pushes(PUSH[0]), ""),
        ("uploads without naming", pushes(*PUSH[1:]), ""),
        ("immutable tags", pushes(imageTagMutability="IMMUTABLE"), "immutable"),
        ("this tag is no exclusion", pushes(imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
            imageTagMutabilityExclusionFilters=[{"filter": "dev*"}]), "immutable"),
        ("this tag is excluded", pushes(imageTagMutability="MUTABLE_WITH_EXCLUSION",
            imageTagMutabilityExclusionFilters=[{"filter": "1*"}]), "immutable"),
        ("another image", pushes(image="docker.io/library/nginx:1"), ""),
    ]),
    "state-store": (state(), [
        ("reads only", state(action="s3:GetObject"), ""),
        ("another bucket", state("acme-photos"), ""),
    ]),
}  # fmt: skip
__all__ = ["MAP", "SAMPLES", "entry", "mapped", "pushes", "reads"]
