"""Cloud identities that an EKS cluster lets in: entries, policies and their scope, the map aws-auth."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from secinbox.estate import estate_of
from secinbox.iam import Escalation, privilege
from secinbox.inventory import hcl
from secinbox.paths import routes
from secinbox.paths.world import World
from secinbox.reading import Report
from secinbox.records import RiskStatement
from tests.accounts import A, R, allow, service
from tests.handing import IAM, Said, arn, document, estate, records, role, roles
from tests.test_iam_kubernetes import ALL as EVERYTHING
from tests.test_iam_kubernetes import READ, account, binding
from tests.test_iam_kubernetes import role as rbac
from tests.test_network_kubernetes import Object, thing
from tests.test_sessions_pods import link, pods, told

CLUSTER = arn("eks", "cluster/shop")
ENTRY = arn("eks", f"access-entry/shop/role/{A}/ops/1")
OPS = f"{IAM}role/ops"
ADMIN_POLICY = "AmazonEKSClusterAdminPolicy"
OPS_ROLE = role("ops", service("ec2.amazonaws.com"), allow("s3:ListBucket"))


def entry(policy: str = ADMIN_POLICY, scope: str | None = "cluster", who: str = OPS,
          groups: tuple[str, ...] = (), mode: str = "API") -> list[Said]:  # fmt: skip
    named = {"policyArn": f"arn:aws:eks::aws:cluster-access-policy/{policy}"}
    if scope:
        named["accessScope"] = {"type": scope, "namespaces": []}  # type: ignore[assignment]
    asked = {"clusterName": "shop", "principalArn": who}
    return [
        ("eks.describe_cluster", {"cluster": {"arn": CLUSTER, "name": "shop", "accessConfig": {
            "authenticationMode": mode}}}, {"name": "shop"}),
        ("eks.list_access_entries", {"accessEntries": [who]}, {"clusterName": "shop"}),
        ("eks.describe_access_entry", {"accessEntry": {
            "accessEntryArn": ENTRY, "clusterName": "shop", "principalArn": who, "type": "STANDARD",
            "kubernetesGroups": list(groups)}}, asked),
        ("eks.list_associated_access_policies", {**asked, "associatedAccessPolicies": [named]}, asked),
    ]  # fmt: skip


def of_ops(said: list[Said], *objects: Object, ops: dict[str, Any] = OPS_ROLE) -> RiskStatement:
    made = estate([*said, roles(ops)], objects)
    return {s.resource: s for s in privilege(made)}[ops["Arn"]]


@pytest.mark.parametrize(
    ("policy", "scope", "expected"),
    [
        (ADMIN_POLICY, "cluster", "yes"),
        (ADMIN_POLICY, "namespace", "no"),
        (ADMIN_POLICY, None, "unknown"),
        ("AmazonEKSAdminPolicy", "cluster", "yes"),
        ("AmazonEKSAdminPolicy", "namespace", "no"),
        ("AmazonEKSEditPolicy", "cluster", "yes"),
        ("AmazonEKSAdminViewPolicy", "cluster", "yes"),
        ("AmazonEKSViewPolicy", "cluster", "no"),
        ("AmazonEKSViewPolicy", None, "no"),
    ],
)
def test_flips_of_an_access_policy(policy: str, scope: str | None, expected: str) -> None:
    found = of_ops(entry(policy, scope))
    assert found.value == expected
    if expected == "yes":
        (evidence,) = [e for e in found.evidence if e.kind == "wide_reach"]
        assert "controls cluster shop" in evidence.text and policy in evidence.text
        assert evidence.source == ENTRY


def test_another_principal_or_unread_policies() -> None:
    assert of_ops(entry(who=f"{IAM}role/other")).value == "no"
    assert of_ops(entry()[:3]).value == "unknown"
    assert of_ops(entry()[:2]).value == "no"  # the entry itself was not described: nobody's


def test_a_group_of_the_cluster_counts_by_what_it_is_bound_to() -> None:
    group = {"kind": "Group", "name": "devs", "apiGroup": "rbac.authorization.k8s.io"}
    bound = [account(), rbac(EVERYTHING), binding(subject=group)]
    assert of_ops(entry("AmazonEKSViewPolicy", groups=("devs",)), *bound).value == "yes"
    assert of_ops(entry("AmazonEKSViewPolicy", groups=("other",)), *bound).value == "no"
    assert of_ops(entry("AmazonEKSViewPolicy", groups=("devs",)), account()).value == "no"


def mapped(who: str = OPS, *groups: str) -> Object:
    text = f"- rolearn: {who}\n  groups: [{', '.join(groups or ('system:masters',))}]\n"
    made = thing("ConfigMap", "aws-auth", {}, "kube-system", data={"mapRoles": text})
    return {k: v for k, v in made.items() if k != "spec"}


def test_the_map_counts_unless_the_cluster_ignores_it() -> None:
    view = "AmazonEKSViewPolicy"
    for mode, expected in (("CONFIG_MAP", "yes"), ("API_AND_CONFIG_MAP", "yes"), ("API", "no")):
        assert of_ops(entry(view, mode=mode), account(), mapped()).value == expected
    assert of_ops(entry(view, mode="CONFIG_MAP"), account(), mapped(OPS, "view")).value == "no"
    assert of_ops(entry(view, mode="CONFIG_MAP"), account(), mapped(f"{IAM}role/x")).value == "no"
    # It writes roles without their path.
    deep = role("team/ops", service("ec2.amazonaws.com"), Path="/team/")
    found = of_ops(entry(view, mode="CONFIG_MAP"), account(), mapped(), ops=deep)
    assert found.value == "yes" and "system:masters" in found.evidence[0].text


def test_control_of_a_cluster_is_control_of_what_its_pods_act_as() -> None:
    app = role("app", [pods()], allow("*"))

    def way(said: list[Said]) -> str:
        made = estate([*said, roles(OPS_ROLE, app)])
        found = Escalation(made).way(OPS)
        return "no" if found is None else "yes" if found.certain else "unknown"

    assert way([*entry(), *told(link())[1:]]) == "yes"
    assert way([*entry("AmazonEKSViewPolicy"), *told(link())[1:]]) == "no"
    assert way([*entry(scope=None), *told(link())[1:]]) == "unknown"
    cut = link(policy=document(allow("s3:GetObject")), disableSessionTags=True)
    assert way([*entry(), *told(cut)[1:]]) == "no"


def in_spaces(*spaces: str, policy: str = ADMIN_POLICY) -> list[Said]:
    said = entry(policy, "namespace")
    said[3][1]["associatedAccessPolicies"][0]["accessScope"]["namespaces"] = list(spaces)
    return said


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (in_spaces("shop"), "yes"),
        (in_spaces("other", "shop"), "yes"),
        (in_spaces("sh*"), "yes"),
        (in_spaces("other"), "no"),
        (in_spaces("shop", policy="AmazonEKSEditPolicy"), "yes"),
        (in_spaces("shop", policy="AmazonEKSViewPolicy"), "no"),
        (in_spaces("shop", policy="AmazonEKSAdminViewPolicy"), "no"),
    ],
)
def test_who_runs_pods_in_a_namespace_gets_what_pods_there_act_as(
    said: list[Said], expected: str
) -> None:
    app = role("app", [pods()], allow("*"))
    made = estate([*said, *told(link())[1:], roles(OPS_ROLE, app)], [account()])
    found = Escalation(made).way(OPS)
    assert ("no" if found is None else "yes" if found.certain else "unknown") == expected
    paths = routes.analyse(World(estate=made, breached=[OPS])).paths
    through = [
        s for p in paths for s in p.steps if s.target == "k8s://shop/shop/serviceaccount/bot"
    ]
    assert bool(through) is (expected == "yes")
    # It is no administrator of the cluster.
    assert not any(p.target == "k8s://shop" for p in paths)


def test_a_cluster_that_answers_inside_only_leaves_a_doubt() -> None:
    app = role("app", [pods()], allow("*"))
    for public, expected in ((True, True), (False, False)):
        said = entry()
        said[0][1]["cluster"]["resourcesVpcConfig"] = {"endpointPublicAccess": public}
        found = Escalation(estate([*said, *told(link())[1:], roles(OPS_ROLE, app)])).way(OPS)
        assert found is not None and found.certain is expected


def test_a_session_policy_does_not_keep_a_role_out_of_a_cluster() -> None:
    """What signs in to a cluster is any session of the role."""
    cut = link(policy=document(allow("s3:GetObject", "arn:aws:s3:::x/*")), disableSessionTags=True,
               roleArn=OPS)  # fmt: skip
    ops = role("ops", [pods()], allow("s3:ListBucket"))
    for policy, expected in ((ADMIN_POLICY, "yes"), ("AmazonEKSViewPolicy", "no")):
        made = estate([*entry(policy), *told(cut)[1:], roles(ops)], [account()])
        found = {s.resource: s.value for s in privilege(made)}
        assert found["k8s://shop/shop/serviceaccount/bot"] == expected


def test_attack_paths_follow_the_same_entries() -> None:
    def ends(said: list[Said], *objects: Object) -> set[str]:
        made = estate([*said, roles(OPS_ROLE)], objects, read=READ if objects else ())
        paths = routes.analyse(World(estate=made, breached=[OPS])).paths
        return {p.target for p in paths}

    assert ends(entry()) == {CLUSTER}
    assert ends(entry(), account()) == {"k8s://shop"}
    assert ends(entry(scope="namespace"), account()) == set()
    assert ends(entry("AmazonEKSViewPolicy", mode="API"), account(), mapped()) == set()
    assert ends(entry("AmazonEKSViewPolicy", mode="CONFIG_MAP"), account(), mapped()) == {
        "k8s://shop"
    }


def test_the_order_of_the_reports_does_not_matter() -> None:
    made = records([*entry(), roles(OPS_ROLE)], [account(), mapped()])
    first = list(privilege(estate_of(made)))
    for seed in range(4):
        random.Random(seed).shuffle(made)
        assert list(privilege(estate_of(made))) == first


def test_terraform_tells_entries() -> None:
    source = """
resource "aws_iam_role" "ops" {
  name = "ops"
  assume_role_policy = jsonencode(%s)
}
resource "aws_eks_access_entry" "ops" {
  cluster_name = "shop"
  principal_arn = aws_iam_role.ops.arn
}
resource "aws_eks_access_policy_association" "ops" {
  cluster_name = "shop"
  principal_arn = aws_iam_role.ops.arn
  policy_arn = "arn:aws:eks::aws:cluster-access-policy/%s"
  access_scope {
    type = "%s"
  }
}
"""
    trust = '{"Version": "2012-10-17", "Statement": []}'
    for policy, scope, expected in ((ADMIN_POLICY, "cluster", "yes"), ("AmazonEKSViewPolicy", "cluster", "unknown"),
                                    (ADMIN_POLICY, "namespace", "unknown")):  # fmt: skip
        body = source % (trust, policy, scope)
        report = Report(json.dumps({"terraform_sources": {"main.tf": body}}).encode(), name="x",
                        options={"account": A, "region": R})  # fmt: skip
        found = {s.resource: s.value for s in privilege(estate_of(hcl.read(report)))}
        assert found[OPS] == expected  # other policies may have been given elsewhere
