"""EKS Pod Identity: who in a cluster gets which role, and each single condition flipped."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from secinbox.estate import Item, estate_of
from secinbox.iam import Escalation, privilege
from secinbox.inventory import hcl, steampipe, terraform
from secinbox.paths import routes
from secinbox.paths.world import World
from secinbox.reading import Report
from secinbox.records import RiskStatement
from secinbox.session import Session
from tests.accounts import A, B, R, allow
from tests.conftest import CLOCK
from tests.handing import IAM, Said, arn, document, estate, records, role, roles
from tests.test_iam_kubernetes import READ, account, pod
from tests.test_network_kubernetes import Object, thing

CLUSTER = arn("eks", "cluster/shop")
LINK = arn("eks", "podidentityassociation/shop/a-1")
BOT = "k8s://shop/shop/serviceaccount/bot"
WEB = "k8s://shop/shop/pod/web"
ROLE = f"{IAM}role/app"
BOTH = ["sts:AssumeRole", "sts:TagSession"]
ALL = allow("*")
S3 = document(allow("s3:GetObject", "arn:aws:s3:::x/*"))


def pods(action: Any = BOTH, effect: str = "Allow", **condition: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"Effect": effect, "Principal": {"Service": "pods.eks.amazonaws.com"},
                            "Action": action}  # fmt: skip
    return made | ({"Condition": condition} if condition else {})


def link(**more: Any) -> dict[str, Any]:
    return {"clusterName": "shop", "namespace": "shop", "serviceAccount": "bot",
            "associationArn": LINK, "associationId": "a-1", "roleArn": ROLE, **more}  # fmt: skip


def told(association: dict[str, Any] | None, *extra: Said, cluster: str = CLUSTER) -> list[Said]:
    name = cluster.rpartition("/")[2]
    said: list[Said] = [
        ("eks.describe_cluster", {"cluster": {"arn": cluster, "name": name}}, {"name": name})
    ]
    if association is not None:
        short = {k: association[k] for k in ("clusterName", "namespace", "serviceAccount",
                                             "associationArn", "associationId")}  # fmt: skip
        said += [("eks.list_pod_identity_associations", {"associations": [short]},
                  {"clusterName": name}),
                 ("eks.describe_pod_identity_association", {"association": association},
                  {"clusterName": name, "associationId": association["associationId"]})]  # fmt: skip
    return [*said, *extra]


def objects(*more: Object) -> list[Object]:
    return [account(), pod(), *more]


def found(said: list[Said], *more: Object, cluster: str = "shop") -> dict[str, RiskStatement]:
    made = estate(said, objects(*more), cluster=cluster)
    return {s.resource: s for s in privilege(made)}


def value(said: list[Said], *more: Object) -> str:
    """Of the service account; the pod that runs as it and the association say the same."""
    every = found(said, *more)
    assert every[BOT].value == every[WEB].value
    return every[BOT].value


def test_a_pod_acts_as_the_role_of_its_association() -> None:
    every = found(told(link(), roles(role("app", [pods()], ALL))))
    assert [every[u].value for u in (BOT, WEB, LINK)] == ["yes"] * 3
    (evidence,) = every[BOT].evidence
    assert evidence.kind == "administrator" and evidence.source == LINK
    assert "podidentityassociation/shop/a-1" in evidence.text and "role/app" in evidence.text


CLUSTER_TAG = {"aws:RequestTag/eks-cluster-arn": CLUSTER}


@pytest.mark.parametrize(
    ("trust", "more", "expected"),
    [
        ([pods()], {}, "yes"),
        ([pods("sts:AssumeRole")], {}, "no"),  # the tags are not let in
        ([pods("sts:AssumeRole")], {"disableSessionTags": True}, "yes"),
        ([pods("sts:TagSession")], {}, "no"),
        ([pods("sts:*")], {}, "yes"),
        ([pods() | {"Principal": {"Service": "ec2.amazonaws.com"}}], {}, "no"),
        ([pods(), pods(effect="Deny")], {}, "no"),
        ([pods(), pods(effect="Deny", StringNotEquals={"aws:SourceAccount": A})], {}, "yes"),
        ([pods(), pods(effect="Deny", StringNotEquals={"aws:SourceAccount": B})], {}, "no"),
        ([pods(StringEquals={"aws:RequestTag/kubernetes-namespace": "shop"})], {}, "yes"),
        ([pods(StringEquals={"aws:RequestTag/kubernetes-namespace": "other"})], {}, "no"),
        ([pods(StringEquals={"aws:RequestTag/kubernetes-service-account": "bot"})], {}, "yes"),
        ([pods(StringEquals={"aws:RequestTag/kubernetes-service-account": "web"})], {}, "no"),
        ([pods(StringEquals={"aws:RequestTag/eks-cluster-name": "shop"})], {}, "yes"),
        ([pods(StringEquals=CLUSTER_TAG)], {}, "yes"),
        # without tags there is nothing to compare
        ([pods(StringEquals=CLUSTER_TAG)], {"disableSessionTags": True}, "no"),
        # what a pod is called is known to nobody
        ([pods(StringLike={"aws:RequestTag/kubernetes-pod-name": "web-*"})], {}, "unknown"),
        ([pods(StringEquals={"aws:SourceAccount": A})], {}, "yes"),
        ([pods(StringEquals={"aws:SourceAccount": B})], {}, "no"),
        ([pods(ArnLike={"aws:SourceArn": f"arn:aws:eks:{R}:{A}:*"})], {}, "yes"),
        ([pods(ArnLike={"aws:SourceArn": f"arn:aws:eks:us-east-1:{A}:*"})], {}, "no"),
        ([pods(ArnEquals={"aws:SourceArn": CLUSTER})], {}, "unknown"),
    ],
)  # fmt: skip
def test_flips_of_the_trust(
    trust: list[dict[str, Any]], more: dict[str, Any], expected: str
) -> None:
    assert value(told(link(**more), roles(role("app", trust, ALL)))) == expected


def organised(*wall: dict[str, Any], organization: str = "o-1") -> str:
    """Of the association, below a resource control policy of the organisation."""
    made = estate([*told(link()), roles(role("app", [pods()], ALL))], objects())
    root = f"arn:aws:iam::{A}:root"
    made.add(Item(root, "aws_account", "", "aws", A, "", {}, {
        "describe_organization": {"Organization": {"Id": organization, "MasterAccountId": B}}}))  # fmt: skip
    made.add(Item("arn:aws:organizations::1:policy/o-1/resource_control_policy/p-1",
                  "aws_organizations_policy", "p", "aws", B, "", {}, {
        "PolicySummary": {"Id": "p-1", "Name": "wall", "Type": "RESOURCE_CONTROL_POLICY"},
        "Content": json.dumps(document(*wall)),
        "list_targets_for_policy": {"Targets": [{"TargetId": A}]}}))  # fmt: skip
    made.covered.add(f"aws:{A}/global/organizations.describe_organization")
    return {s.resource: s.value for s in privilege(made)}[LINK]


def wall(action: str = "sts:*", **condition: Any) -> dict[str, Any]:
    found = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
    return {**found, "Condition": condition} if condition else found


@pytest.mark.parametrize(
    ("denied", "expected"),
    [
        (wall(), "no"),
        (wall("sts:TagSession"), "no"),
        (wall("sts:GetFederationToken"), "yes"),
        (wall("s3:*"), "yes"),
        (wall(Bool={"aws:PrincipalIsAWSService": "false"}), "yes"),
        (wall(Bool={"aws:PrincipalIsAWSService": "true"}), "no"),
        (wall(StringNotEqualsIfExists={"aws:PrincipalOrgID": "o-1"},
              BoolIfExists={"aws:PrincipalIsAWSService": "false"}), "yes"),
        (wall(StringNotEqualsIfExists={"aws:SourceOrgID": "o-1"}), "yes"),
        (wall(StringNotEqualsIfExists={"aws:SourceOrgID": "o-2"}), "no"),
        (wall(StringNotEquals={"aws:SourceAccount": A}), "yes"),
        (wall(StringNotEquals={"aws:SourceVpc": "vpc-1"}), "unknown"),
    ],
)  # fmt: skip
def test_flips_of_the_organisation(denied: dict[str, Any], expected: str) -> None:
    assert organised(denied) == expected


def test_the_role_says_who_holds_it() -> None:
    def lines(said: list[Said]) -> list[str]:
        return [e.text for e in found(said)[ROLE].evidence if "held by" in e.text]

    app = roles(role("app", [pods()], ALL))
    held = "held by pods of service account shop/bot"
    assert lines(told(link(), app)) == [held]
    assert lines(told(link(policy=S3, disableSessionTags=True), app)) == [
        f"{held}, cut by a session policy"
    ]
    assert not lines(told(link(), roles(role("app", [pods("sts:AssumeRole")], ALL))))
    (line,) = lines(
        told(link(), roles(role("app", [pods(ArnEquals={"aws:SourceArn": CLUSTER})], ALL)))
    )
    assert line.startswith(f"perhaps {held}: ")
    many = [s for i in range(8) for s in told(link(
        serviceAccount=f"bot-{i}", associationId=f"a-{i}", associationArn=f"{LINK[:-1]}{i}"))]  # fmt: skip
    assert lines([*many, app])[-1] == "and held by 3 more"


def test_a_no_names_its_control() -> None:
    every = found(told(link(), roles(role("app", [pods("sts:AssumeRole")], ALL))))
    (evidence,) = every[LINK].evidence
    assert evidence.kind == "control" and "sts:TagSession" in evidence.text
    every = found(told(link(policy=S3, disableSessionTags=True), roles(role("app", [pods()], ALL))))
    control = next(e for e in every[LINK].evidence if e.kind == "control")
    assert "session policy of a-1 stops" in control.text


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (None, "yes"),
        (document(ALL), "yes"),
        (S3, "no"),
        (document(allow("iam:*"), allow("organizations:*")), "yes"),
        (document(allow("iam:*"), {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}), "no"),
        ("not json", "unknown"),
        # The role itself may be assumed anew by nobody: a cut session stays cut.
        (document(allow("sts:AssumeRole")), "no"),
    ],
)
def test_a_session_policy_cuts_what_pods_may_do(policy: Any, expected: str) -> None:
    more = {"policy": policy, "disableSessionTags": True} if policy is not None else {}
    said = told(link(**more), roles(role("app", [pods()], ALL)))
    assert value(said) == expected
    # The role itself is as powerful as before.
    assert found(said)[ROLE].value == "yes"


def test_a_cut_session_still_uses_what_is_left_of_it() -> None:
    """The session policy lets it pass a role to a function: that makes it administrator."""
    admin = role("admin", [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole"}], ALL)  # fmt: skip
    actions = ["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"]
    for cut, expected in ((actions, "yes"), (actions[:2], "no")):
        more = {"policy": document(allow(cut)), "disableSessionTags": True}
        said = told(link(**more), roles(role("app", [pods()], allow(actions)), admin))
        every = found(said)
        assert every[BOT].value == expected, cut
        if expected == "yes":
            assert any(
                e.kind == "escalation" and "lambda-001" in e.text for e in every[BOT].evidence
            )


SELF = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "sts:AssumeRole"}
LAMBDA = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}


@pytest.mark.parametrize(
    ("trust", "cut", "expected"),
    [
        # A session gets rid of its policy by getting the role anew.
        ([pods(), SELF], ["sts:AssumeRole"], "yes"),
        ([pods(), SELF], ["s3:GetObject"], "no"),
        ([pods()], ["sts:AssumeRole"], "no"),
        ([pods()], ["iam:UpdateAssumeRolePolicy", "sts:AssumeRole"], "yes"),
        ([pods()], ["iam:UpdateAssumeRolePolicy"], "no"),
        (
            [pods(), LAMBDA],
            ["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"],
            "yes",
        ),
        ([pods()], ["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"], "no"),
    ],
)
def test_a_cut_session_that_gets_its_role_anew(
    trust: list[dict[str, Any]], cut: list[str], expected: str
) -> None:
    more = {"policy": document(allow(cut)), "disableSessionTags": True}
    every = found(told(link(**more), roles(role("app", trust, ALL))))
    kinds = {e.kind for e in every[BOT].evidence}
    assert ("escalation" in kinds) is (expected == "yes"), every[BOT].evidence


TAG = "aws:PrincipalTag/kubernetes-namespace"


@pytest.mark.parametrize(
    ("condition", "more", "expected"),
    [
        ({"StringEquals": {TAG: "shop"}}, {}, "yes"),
        ({"StringEquals": {TAG: "other"}}, {}, "no"),
        ({"StringEquals": {TAG: "shop"}}, {"disableSessionTags": True}, "no"),
        ({"StringEquals": {"aws:PrincipalTag/eks-cluster-arn": CLUSTER}}, {}, "yes"),
        ({"StringEquals": {"aws:PrincipalTag/eks-cluster-name": "live"}}, {}, "no"),
        ({"StringLike": {"aws:PrincipalTag/kubernetes-pod-name": "web-*"}}, {}, "unknown"),
        ({"Null": {TAG: "false"}}, {}, "yes"),
        ({"Null": {TAG: "true"}}, {}, "no"),
        ({"Null": {"aws:PrincipalTag/team": "true"}}, {}, "yes"),
    ],
)
def test_tags_of_the_session_decide_conditions_of_the_role(
    condition: dict[str, Any], more: dict[str, Any], expected: str
) -> None:
    said = told(link(**more), roles(role("app", [pods()], {**ALL, "Condition": condition})))
    assert value(said) == expected


def test_the_roles_own_tag_gives_way_to_that_of_the_session() -> None:
    own = {"Tags": [{"Key": "kubernetes-namespace", "Value": "live"}]}
    for wanted, expected in (("live", "no"), ("shop", "yes")):
        condition = {"StringEquals": {TAG: wanted}}
        app = role("app", [pods()], {**ALL, "Condition": condition}, **own)
        assert value(told(link(), roles(app))) == expected
    # Nor is the role's tag of use to somebody who may write it.
    writes = role(
        "app", [pods()], allow("iam:TagRole"), {**ALL, "Condition": {"StringEquals": {TAG: "live"}}}
    )
    assert value(told(link(), roles(writes))) == "no"


# Target roles

TARGET = f"arn:aws:iam::{B}:role/far"
OTHER: Said = roles(role("far", [{"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": BOTH}],
                         ALL, account=B))  # fmt: skip


def far(trust: dict[str, Any], *statements: dict[str, Any], association: dict[str, Any] | None = None,
        **more: Any) -> str:  # fmt: skip
    first = role("app", [pods()], *(statements or (allow(BOTH),)))
    second = role("far", [{"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": BOTH, **trust}],
                  ALL, account=B)  # fmt: skip
    made = {"targetRoleArn": TARGET, "externalId": "e-1", **more, **(association or {})}
    return value(told(link(**made), roles(first, second)))


@pytest.mark.parametrize(
    ("trust", "statements", "more", "expected"),
    [
        ({}, (), {}, "yes"),
        ({"Condition": {"StringEquals": {"sts:ExternalId": "e-1"}}}, (), {}, "yes"),
        ({"Condition": {"StringEquals": {"sts:ExternalId": "e-2"}}}, (), {}, "no"),
        ({"Principal": {"AWS": f"{IAM}role/somebody"}}, (), {}, "no"),
        ({"Action": "sts:AssumeRole"}, (), {}, "no"),  # the tags go along
        ({"Action": "sts:AssumeRole"}, (), {"disableSessionTags": True}, "yes"),
        ({}, (allow("sts:AssumeRole"),), {}, "no"),
        ({}, (allow("sts:AssumeRole"),), {"disableSessionTags": True}, "yes"),
        ({}, (allow("s3:*"),), {}, "no"),
        ({}, (allow(BOTH, TARGET),), {}, "yes"),
        ({}, (allow(BOTH, f"{TARGET}2"),), {}, "no"),
        # The session policy is of the target's session, not of the first one.
        ({}, (), {"policy": S3, "disableSessionTags": True}, "no"),
        ({}, (), {"policy": document(allow("iam:*"), allow("organizations:*")),
                  "disableSessionTags": True}, "yes"),
    ],
)  # fmt: skip
def test_flips_of_a_target_role(
    trust: dict[str, Any],
    statements: tuple[dict[str, Any], ...],
    more: dict[str, Any],
    expected: str,
) -> None:
    assert far(trust, *statements, **more) == expected


def test_pods_get_the_target_and_not_the_first_role() -> None:
    first = role("app", [pods()], ALL)
    weak = role("far", [{"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": BOTH}],
                allow("s3:ListBucket"), account=B)  # fmt: skip
    assert value(told(link(targetRoleArn=TARGET), roles(first, weak))) == "no"


# What was not read


def test_what_was_not_read_is_unknown() -> None:
    app = role("app", [pods()], ALL)
    undescribed = {k: v for k, v in link().items() if k != "roleArn"}
    assert value(told(undescribed, roles(app))) == "unknown"
    assert value(told(link())) == "unknown"  # the role
    assert value(told(link(targetRoleArn=TARGET), roles(app))) == "unknown"
    untrusted = {k: v for k, v in app.items() if k != "AssumeRolePolicyDocument"}
    assert value(told(link(), roles(untrusted))) == "unknown"
    # Nobody asked which accounts get a role that Pod Identity may give: no silent no.
    assert value(told(None, roles(app))) == "unknown"
    assert value(told(None, roles(role("app", [pods()], allow("s3:ListBucket"))))) == "no"
    asked: Said = (
        "eks.list_pod_identity_associations",
        {"associations": []},
        {"clusterName": "shop"},
    )
    assert value([*told(None, roles(app)), asked]) == "no"
    refused: Said = ("eks.list_pod_identity_associations", {"Error": {"Code": "AccessDenied"}},
                     {"clusterName": "shop"})  # fmt: skip
    assert value([*told(None, roles(app)), refused]) == "unknown"


def test_another_account_or_namespace_gets_nothing() -> None:
    app = roles(role("app", [pods()], ALL))
    assert value(told(link(serviceAccount="other"), app)) == "no"
    assert value(told(link(namespace="other"), app)) == "no"
    assert found(told(link(), app), cluster="live").keys().isdisjoint({BOT})


# Which cluster it is


def node(provider: str) -> Object:
    return thing("Node", "n1", {"providerID": provider}, "")


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        (f"aws:///{R}a/i-0a", "yes"),
        ("", "yes"),
        ("aws:///us-east-1a/i-0a", "no"),  # a namesake
        ("gce://project/europe-west1-b/n1", "no"),
        ("azure:///subscriptions/s/resourceGroups/g/x", "no"),
    ],
)
def test_a_cluster_is_known_by_name_and_machines(provider: str, expected: str) -> None:
    said = told(link(), roles(role("app", [pods()], ALL)))
    assert value(said, node(provider)) == expected


def test_a_name_that_two_clusters_bear() -> None:
    far_away = "us-east-1"
    first = told(link(), roles(role("app", [pods()], ALL)))
    second: list[Said] = [
        ("eks.describe_cluster", {"cluster": {"arn": arn("eks", "cluster/shop", far_away),
                                              "name": "shop"}}, {"name": "shop"}),
        ("eks.list_pod_identity_associations", {"associations": []}, {"clusterName": "shop"}),
    ]  # fmt: skip

    def of(*nodes: Object, owner: str = A) -> RiskStatement:
        made = estate_of([*records(first, objects(*nodes)), *records(second, region=far_away)])
        made.add(Item("arn:aws:ec2:x", "aws_ec2_instance", "", "aws", owner, R), ["i-0a"])
        return {s.resource: s for s in privilege(made)}[BOT]

    assert of().value == "unknown" and "called shop" in of().evidence[0].text
    assert of(node(f"aws:///{R}a/i-0a")).value == "yes"
    assert of(node(f"aws:///{far_away}b/i-0b")).value == "no"
    # The machine's account decides, too.
    assert of(node(f"aws:///{R}a/i-0a"), owner=B).value == "no"


ELSE = "k8s://me@work/shop/serviceaccount/bot"


@pytest.mark.parametrize(
    ("labels", "tags", "provider", "expected"),
    [
        # A context may be called anything: the nodes tell which cluster it is.
        ({"alpha.eksctl.io/cluster-name": "shop"}, {}, f"aws:///{R}a/i-0a", "yes"),
        ({}, {"aws:eks:cluster-name": "shop"}, f"aws:///{R}a/i-0a", "yes"),
        ({}, {"eks:cluster-name": "shop"}, f"aws:///{R}a/i-0a", "yes"),
        ({}, {"kubernetes.io/cluster/shop": "owned"}, f"aws:///{R}a/i-0a", "yes"),
        ({}, {"kubernetes.io/cluster/other": "owned"}, f"aws:///{R}a/i-0a", "no"),
        ({}, {"aws:eks:cluster-name": "shop"}, "aws:///us-east-1a/i-0b", "no"),
        # Nothing tells it: it may be that one, unless its nodes are elsewhere.
        ({}, {}, f"aws:///{R}a/i-0a", "unknown"),
        ({}, {}, "", "unknown"),
        ({}, {}, "aws:///us-east-1a/i-0b", "no"),
        ({}, {}, "gce://project/europe-west1-b/n1", "no"),
    ],
)
def test_a_context_of_another_name(
    labels: dict[str, str], tags: dict[str, str], provider: str, expected: str
) -> None:
    made_node = node(provider)
    made_node["metadata"]["labels"] = labels
    said = told(link(), roles(role("app", [pods()], ALL)))
    made = estate(said, objects(made_node), cluster="me@work")
    made.add(Item("arn:aws:ec2:x", "aws_ec2_instance", "", "aws", A, R, tags), ["i-0a"])
    found = {s.resource: s for s in privilege(made)}
    assert found[ELSE].value == found["k8s://me@work/shop/pod/web"].value == expected
    paths = routes.analyse(World(estate=made, breached=["k8s://me@work/shop/pod/web"])).paths
    through = [p for p in paths if any(s.source == ELSE for s in p.steps)]
    assert bool(through) is (expected != "no")
    assert all(p.certain is (expected == "yes") for p in through)
    # Of an account that no association names nothing is guessed.
    other = estate(told(link(serviceAccount="x"), roles(role("app", [pods()], ALL))), objects(made_node),
                   cluster="me@work")  # fmt: skip
    assert {s.resource: s.value for s in privilege(other)}[ELSE] == "no"


def test_a_cluster_of_that_name_leaves_no_doubt_about_another() -> None:
    said = told(link(), roles(role("app", [pods()], ALL)))
    made = estate_of([*records(said, objects()), *records([], objects(), cluster="me@work")])
    found = {s.resource: s.value for s in privilege(made)}
    assert (found[BOT], found[ELSE]) == ("yes", "no")


def test_both_ways_to_a_role_count() -> None:
    """IRSA and Pod Identity at once: who is in the pod obtains both."""
    irsa = {"Effect": "Allow", "Principal": {"Federated": f"{IAM}oidc-provider/oidc.eks.x/id/1"},
            "Action": "sts:AssumeRoleWithWebIdentity"}  # fmt: skip
    web = role("web", [irsa], ALL)
    mild = role("app", [pods()], allow("s3:ListBucket"))
    noted = account()
    noted["metadata"]["annotations"] = {"eks.amazonaws.com/role-arn": web["Arn"]}
    for irsa_role, pod_role, expected in ((web, mild, "yes"), (role("web", [irsa]), mild, "no"),
                                          (role("web", [irsa]), role("app", [pods()], ALL), "yes")):  # fmt: skip
        made = estate(told(link(), roles(irsa_role, pod_role)), [noted, pod()])
        assert {s.resource: s.value for s in privilege(made)}[BOT] == expected


def test_an_annotation_is_no_association() -> None:
    """A role that only Pod Identity gives is not got by an annotation."""
    noted = account()
    noted["metadata"]["annotations"] = {"eks.amazonaws.com/role-arn": ROLE}
    asked: Said = (
        "eks.list_pod_identity_associations",
        {"associations": []},
        {"clusterName": "shop"},
    )
    for more, expected in (([], "unknown"), ([asked], "no")):
        made = estate([*told(None, roles(role("app", [pods()], ALL))), *more], [noted, pod()])
        assert {s.resource: s.value for s in privilege(made)}[BOT] == expected


def test_the_order_of_the_reports_does_not_matter() -> None:
    second = {"cluster": {"arn": arn("eks", "cluster/shop", "us-east-1"), "name": "shop"}}
    more = {"policy": S3, "disableSessionTags": True}
    said = [*told(link(**more), roles(role("app", [pods()], ALL))),
            ("eks.describe_cluster", second, {"name": "shop"})]  # fmt: skip
    made = records(said, objects(node(f"aws:///{R}a/i-0a")))
    first = list(privilege(estate_of(made)))
    for seed in range(4):
        random.Random(seed).shuffle(made)
        assert list(privilege(estate_of(made))) == first


# Attack paths and escalations


def steps(said: list[Said], *more: Object) -> list[Any]:
    made = estate(said, objects(*more), read=(*READ, "Node", "Service", "NetworkPolicy"))
    analysis = routes.analyse(World(estate=made, breached=[WEB]))
    return [s for path in analysis.paths for s in path.steps]


def test_attack_paths_follow_the_association() -> None:
    open_ = steps(told(link(), roles(role("app", [pods()], ALL))))
    (acting,) = [s for s in open_ if s.move == "k8s-cloud-identity"]
    assert (acting.source, acting.target, acting.doubt) == (BOT, ROLE, "")
    assert any(s.state == "admin" and s.target.endswith(f"{A}:root") for s in open_)
    # A cut session is a node of its own, and is not the administrator that the role is.
    cut = told(link(policy=S3, disableSessionTags=True), roles(role("app", [pods()], ALL)))
    assert not [s for s in steps(cut) if s.state == "admin"]
    assert not steps(told(link(), roles(role("app", [pods("sts:AssumeRole")], ALL))))


def test_a_cut_session_reads_what_its_policy_leaves() -> None:
    bucket: list[Said] = [
        ("s3.list_buckets", {"Buckets": [{"Name": "x", "CreationDate": "2026-01-01"}]}, {}),
        ("s3.get_bucket_tagging", {"TagSet": [{"Key": "data_class", "Value": "restricted"}]}, {"Bucket": "x"}),
        ("s3.get_bucket_policy", {"Error": {"Code": "NoSuchBucketPolicy"}}, {"Bucket": "x"}),
    ]  # fmt: skip
    for name, reads in (("x", True), ("y", False)):
        policy = document(allow("s3:GetObject", f"arn:aws:s3:::{name}/*"))
        said = [
            *told(link(policy=policy, disableSessionTags=True), roles(role("app", [pods()], ALL))),
            *bucket,
        ]
        assert (value(said) == "yes") is reads
        assert any(s.target == "arn:aws:s3:::x" and s.state == "read" for s in steps(said)) is reads


def test_who_may_administer_the_cluster_gets_the_roles_of_its_associations() -> None:
    caller = role("ops", [{"Effect": "Allow", "Principal": {"AWS": f"{IAM}root"}, "Action": "sts:AssumeRole"}],
                  allow(["eks:CreateAccessEntry", "eks:AssociateAccessPolicy"]))  # fmt: skip
    ops = f"{IAM}role/ops"

    def way(association: dict[str, Any], mode: str = "API") -> str:
        said = told(association, roles(role("app", [pods()], ALL), caller))
        said[0][1]["cluster"]["accessConfig"] = {"authenticationMode": mode}
        found = Escalation(estate(said, objects())).way(ops)
        return "no" if found is None else "yes" if found.certain else "unknown"

    assert way(link()) == "yes"
    assert way(link(), "CONFIG_MAP") == "no"
    assert way(link(policy=S3, disableSessionTags=True)) == "no"


# Other inventories


def test_a_table_of_associations_leaves_open_what_comes_through() -> None:
    row = {"cluster_name": "shop", "association_id": "a-1", "association_arn": LINK, "namespace": "shop",
           "service_account": "bot", "role_arn": ROLE, "account_id": A, "region": R}  # fmt: skip
    report = Report(json.dumps([row]).encode(), name="aws_eks_pod_identity_association.json")
    for statements, expected in ((ALL, "unknown"), (allow("s3:ListBucket"), "unknown")):
        told_ = [
            *steampipe.read(report),
            *records([roles(role("app", [pods()], statements))], objects()),
        ]
        every = {s.resource: s for s in privilege(estate_of(told_))}
        assert every[BOT].value == every[LINK].value == expected
    assert "session policy" in every[LINK].evidence[0].text


SOURCE = """
resource "aws_eks_cluster" "shop" {
  name = "shop"
  role_arn = aws_iam_role.app.arn
}
resource "aws_iam_role" "app" {
  name = "app"
  assume_role_policy = jsonencode(%s)
  inline_policy {
    name = "own"
    policy = jsonencode(%s)
  }
}
resource "aws_eks_pod_identity_association" "bot" {
  cluster_name = aws_eks_cluster.shop.name
  namespace = "shop"
  service_account = "bot"
  role_arn = aws_iam_role.app.arn
  %s
}
"""


@pytest.mark.parametrize(
    ("trust", "more", "expected"),
    [
        (pods(), "", "yes"),
        (pods("sts:AssumeRole"), "", "no"),
        (pods("sts:AssumeRole"), "disable_session_tags = true", "yes"),
        (pods(), f"disable_session_tags = true\n  policy = jsonencode({json.dumps(S3)})", "no"),
        (pods(), 'target_role_arn = "arn:aws:iam::444455556666:role/far"', "unknown"),
    ],
)
def test_terraform_tells_associations(trust: dict[str, Any], more: str, expected: str) -> None:
    def text(value: dict[str, Any]) -> str:
        return json.dumps(value)

    source = SOURCE % (text(document(trust)), text(document(ALL)), more)
    report = Report(json.dumps({"terraform_sources": {"main.tf": source}}).encode(), name="x",
                    options={"account": A, "region": R})  # fmt: skip
    made = estate_of([*hcl.read(report), *records([], objects())])
    every = {s.resource: s.value for s in privilege(made)}
    assert every[BOT] == expected
    assert [v for u, v in every.items() if ":podidentityassociation/shop/" in u] == [expected]
    attributes = {"cluster_name": "shop", "namespace": "shop", "service_account": "bot",
                  "role_arn": ROLE, "association_arn": LINK, "association_id": "a-1"}  # fmt: skip
    state = {"version": 4, "terraform_version": "1.9.0", "lineage": "x", "resources": [
        {"mode": "managed", "type": "aws_eks_pod_identity_association", "name": "bot",
         "instances": [{"attributes": attributes}]}]}  # fmt: skip
    report = Report(json.dumps(state).encode(), name="terraform.tfstate")
    made = estate_of([*terraform.read(report),
                      *records([roles(role("app", [trust], ALL))], objects())])  # fmt: skip
    without = expected if not more else "yes" if "sts:TagSession" in trust["Action"] else "no"
    assert {s.resource: s.value for s in privilege(made)}[LINK] == without


def test_an_association_that_is_gone_gives_nothing_any_more(tmp_path: Path) -> None:
    """Through the store: a later collection no longer lists it."""

    def write(folder: Path, said: list[Said]) -> str:
        for operation, answer, request in said:
            where = "global" if operation.startswith("iam.") else R
            path = folder / A / where / f"{operation}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a") as file:
                file.write(json.dumps({"request": request, "response": answer}) + "\n")
        return str(folder)

    people = roles(role("app", [pods()], ALL))
    none: list[Said] = [("eks.list_pod_identity_associations", {"associations": []}, {"clusterName": "shop"}),
                        ("eks.describe_pod_identity_association", {"Error": {"Code": "ResourceNotFoundException"}},
                         {"clusterName": "shop", "associationId": "a-1"})]  # fmt: skip
    cluster = tmp_path / "cluster.json"
    cluster.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": objects()}))
    with Session(tmp_path / "home", CLOCK) as session:
        session.import_reports((str(cluster),), options={"cluster": "shop"})
        session.import_reports((write(tmp_path / "one", told(link(), people)),))
        first = json.dumps(session.why(WEB))
        assert "by Pod Identity" in first and "administrator of its account" in first
        session.import_reports((write(tmp_path / "two", [*told(None, people), *none]),))
        assert "by Pod Identity" not in json.dumps(session.why(WEB))
