"""Attack paths whole: combinations over domains, properties, planted estates, cuts."""

from __future__ import annotations

import itertools
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secinbox.estate import Estate
from secinbox.paths import routes
from secinbox.paths.build import entries
from secinbox.paths.cuts import dominators, smallest_cut
from secinbox.paths.graph import Action, Graph, Step
from secinbox.paths.planning import plan
from secinbox.paths.search import certain, forward, ways
from secinbox.paths.world import label
from tests.scenes import EC2, ROOT, A, R, Scene, allow, aws, service, to, vulnerability
from tests.test_iam_kubernetes import account, binding, role, rule
from tests.test_network_kubernetes import NODE, pod, thing
from tests.test_network_kubernetes import service as k8s_service
from tests.test_paths_moves import K8S_ROLE, KEY, NEW, OLD, READ, ROLE, front, oidc

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import estates

WEB = EC2 + "instance/i-web"
DATA = "arn:aws:s3:::data"
LOCAL = "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
EC2_TRUST, LAMBDA_TRUST = service("ec2.amazonaws.com"), service("lambda.amazonaws.com")
ADMIN, READS = allow("*"), allow("s3:GetObject")
BUCKET = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{DATA}/*"}
Changes = dict[str, Any]


def host(*statements: dict[str, Any], weak: Any = None, **more: Any) -> Scene:
    """A reachable, vulnerable instance with a role, before a restricted bucket."""
    scene = Scene().instance("web", "app", **{**OLD, **more})
    scene.role("app", EC2_TRUST, *statements, profile=True)
    scene.bucket("data")
    if weak is not False:
        scene.weakness(WEB, weak)
    return scene


def key(*statements: dict[str, Any], status: str = "Active", public: bool = True) -> Scene:
    scene = Scene().key(KEY, "ana", status).leak(KEY, public=public)
    scene.user("ana", *statements)
    return scene.bucket("data")


def in_image(status: str = "Active", held: bool = True, found: bool = True) -> Scene:
    scene = host(status if False else allow("ec2:DescribeInstances")).key(KEY, "ana", status)
    scene.user("ana", ADMIN)
    if found:
        scene.leak(KEY, "image:shop")
    scene.holders = {"image:shop": [WEB]} if held else {}
    return scene


def workflow(subject: str = "repo:acme/shop:*", poisoned: bool = True, *statements: Any) -> Scene:
    scene = oidc(subject)
    scene.items[-1].config["RolePolicyList"] = [
        {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
            *(statements or (BUCKET,))]}}
    ]  # fmt: skip
    scene.bucket("data", tags={"data_class": "restricted", "holds": "tfstate"})
    if poisoned:
        scene.pipelines = [vulnerability("w", rule="zizmor/dangerous-triggers", vulnerability="",
                                         title="pull_request_target", description="",
                                         resource="repo:github.com/acme/shop")]  # fmt: skip
    return scene


def pods(annotated: bool = True, mounted: bool = True, subject: str = "shop:bot",
         statements: tuple[Any, ...] = (BUCKET,), weak: Any = None, kind: str = "LoadBalancer",
         policies: tuple[Any, ...] = ()) -> Scene:  # fmt: skip
    bot = account("bot", automountServiceAccountToken=mounted)
    if annotated:
        bot["metadata"]["annotations"] = K8S_ROLE
    scene = Scene().kubernetes(
        pod(serviceAccountName="bot"), bot, NODE,
        {**k8s_service(kind), "status": {"loadBalancer": {"ingress": [{"ip": "198.51.100.7"}]}}},
        *policies,
    )  # fmt: skip
    issuer = "oidc.eks.eu-west-1.amazonaws.com/id/ABC"
    scene.role("app", [{
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::{A}:oidc-provider/{issuer}"},
        "Condition": {"StringLike": {f"{issuer}:sub": f"system:serviceaccount:{subject}"}}}],
        *statements)  # fmt: skip
    scene.bucket("data")
    if weak is not False:
        scene.weakness("k8s://c/shop/pod/web", weak)
    return scene


EVERYTHING = rule("*", "*", "*")


def powerful(rules: Any = EVERYTHING, mounted: bool = True, weak: Any = None) -> Scene:
    scene = Scene().kubernetes(
        pod(serviceAccountName="bot"), account("bot", automountServiceAccountToken=mounted), NODE,
        {**k8s_service("LoadBalancer"),
         "status": {"loadBalancer": {"ingress": [{"ip": "198.51.100.7"}]}}},
        role(rules), binding(),
    )  # fmt: skip
    return scene.weakness("k8s://c/shop/pod/web", weak) if weak is not False else scene


def escaping(privileged: bool = True, admin: bool = True, same: bool = True) -> Scene:
    """A weak pod that leaves its container onto a node where an administrator's pod runs."""
    weak = pod("web")
    weak["spec"]["containers"][0]["securityContext"] = {"privileged": privileged}
    strong = pod("boss", serviceAccountName="bot")
    if not same:
        strong["spec"]["nodeName"] = "n2"
    objects = [
        weak, strong, account("bot"), account("default"), NODE, thing("Node", "n2", {}, ""),
        {**k8s_service("LoadBalancer"),
         "status": {"loadBalancer": {"ingress": [{"ip": "198.51.100.7"}]}}},
    ]  # fmt: skip
    if admin:
        objects += [role(rule("*", "*", "*")), binding()]
    return Scene().kubernetes(*objects).weakness("k8s://c/shop/pod/web")


def crossing(trusted: bool = True, allowed: bool = True) -> Scene:
    """Account A's instance becomes administrator of account B."""
    b = "444455556666"
    scene = host(*([allow("sts:AssumeRole", f"arn:aws:iam::{b}:role/target")] if allowed else []))
    trust = aws(f"arn:aws:iam::{A}:role/app") if trusted else aws(f"arn:aws:iam::{b}:root")
    scene.role("target", trust, ADMIN, account=b)
    return scene


def behind(weak: Any = None, scheme: str = "internet-facing") -> Scene:
    scene = front(scheme)
    scene.relations.append((EC2 + "instance/i-app", "has_identity", f"arn:aws:iam::{A}:role/app"))
    scene.role("app", EC2_TRUST, BUCKET, profile=True)
    scene.bucket("data")
    return scene.weakness(EC2 + "instance/i-app", weak) if weak is not False else scene


def lateral(port_source: str = "sg:sg-web", weak: bool = True) -> Scene:
    """A foothold, an inner host that admits it, and the inner host's role."""
    scene = host(allow("ec2:DescribeInstances"))
    scene.group("sg-in", (9000, port_source))
    scene.instance("inner", "deep", public=False, groups=("sg-in",), **OLD)
    scene.role("deep", EC2_TRUST, BUCKET, profile=True)
    if weak:
        scene.weakness(EC2 + "instance/i-inner", vulnerability("CVE-2", package="inner"))
    return scene


def passing(trust: Any = LAMBDA_TRUST, invoke: bool = True, who: str = "*") -> Scene:
    """PassRole and a new function: an escalation behind a vulnerable host."""
    actions = ["lambda:CreateFunction", *(["lambda:InvokeFunction"] if invoke else [])]
    return host(allow("iam:PassRole", who), allow(actions)).role("boss", trust, ADMIN)  # type: ignore[return-value]


def anyone(principal: Any = "*", statement: Any = BUCKET, **condition: Any) -> Scene:
    trust: dict[str, Any] = {
        "Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}  # fmt: skip
    if condition:
        trust["Condition"] = condition
    return Scene().role("open", [trust], statement).bucket("data")  # type: ignore[attr-defined,no-any-return]


def secret_then_database(
    public: bool = False, read: bool = True, rule_: str = "sg:sg-web"
) -> Scene:
    uid = f"arn:aws:secretsmanager:{R}:{A}:secret:orders-password-AbCdEf"
    scene = host(*([allow("secretsmanager:GetSecretValue")] if read else []))
    scene.secret("orders-password").group("sg-db", (5432, rule_))
    scene.add(f"arn:aws:rds:{R}:{A}:db:orders", "aws_rds_instance", {
        "DBInstanceIdentifier": "orders", "DBSubnetGroup": {"VpcId": "vpc-1"},
        "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-db"}],
        "MasterUserSecret": {"SecretArn": uid}}, {"data_class": "restricted"})  # fmt: skip
    return scene


ORDERS = f"arn:aws:rds:{R}:{A}:db:orders"
CLUSTER = "k8s://c"
OTHER_ROOT = "arn:aws:iam::444455556666:root"
SSRF = {"type": "static_code_vulnerability", "rule": "python.flask.ssrf", "title": "ssrf",
        "vulnerability": ""}  # fmt: skip
RUNTIME = {"type": "runtime_code_vulnerability", "rule": "rce", "title": "Command injection",
           "vulnerability": ""}  # fmt: skip
# (what, target, estate with a certain path to it, estates with one conjunct missing)
COMBINATIONS: list[tuple[str, str, Scene, dict[str, Scene]]] = [
    ("exposure + vulnerability + role + data", DATA, host(BUCKET), {
        "not exposed": host(BUCKET, public=False), "patched": host(BUCKET, weak=False),
        "local only": host(BUCKET, weak=vulnerability(vector=LOCAL)),
        "no permission": host(allow("ec2:*")), "stopped": host(BUCKET, state="stopped"),
        "metadata off": host(BUCKET, MetadataOptions={"HttpEndpoint": "disabled"}),
        "one office only": host(BUCKET, source="203.0.113.0/24")}),
    ("exposure + vulnerability + administrator", ROOT, host(ADMIN), {
        "not exposed": host(ADMIN, public=False), "no administrator": host(READS),
        "denied": host(ADMIN, {"Effect": "Deny", "Action": "*", "Resource": "*"})}),
    ("load balancer + vulnerability + role + data", DATA, behind(), {
        "internal": behind(scheme="internal"), "patched": behind(False)}),
    ("command injection seen at run time + role + data", DATA, host(
        BUCKET, weak=vulnerability("c", **RUNTIME)), {
        "not exposed": host(BUCKET, weak=vulnerability("c", **RUNTIME), public=False),
        "no permission": host(weak=vulnerability("c", **RUNTIME))}),
    ("key in a public repository + administrator", ROOT, key(ADMIN), {
        "inactive": key(ADMIN, status="Inactive"), "harmless user": key(allow("ec2:Describe*")),
        "private repository": key(ADMIN, public=False)}),
    ("key in a public repository + data", DATA, key(BUCKET), {
        "inactive": key(BUCKET, status="Inactive"), "denied": key(BUCKET, {
            "Effect": "Deny", "Action": "s3:*", "Resource": "*"})}),
    ("secret in an image + active key + administrator", ROOT, in_image(), {
        "inactive": in_image("Inactive"), "image not run": in_image(held=False),
        "no secret": in_image(found=False)}),
    ("fork pull request + OIDC trust + state bucket", DATA, workflow(), {
        "not poisoned": workflow(poisoned=False), "another repository": workflow("repo:acme/x:*"),
        "no permission": workflow("repo:acme/shop:*", True, allow("ec2:*"))}),
    ("any GitHub repository + administrator", ROOT, workflow("repo:*", False, ADMIN), {
        "pinned": workflow("repo:acme/shop:*", False, ADMIN),
        "harmless": workflow("repo:*", False, allow("ec2:Describe*"))}),
    ("pod code execution + workload identity + bucket", DATA, pods(), {
        "no identity": pods(annotated=False), "patched": pods(weak=False),
        "another account trusted": pods(subject="shop:other"), "another namespace": pods(subject="x:bot"),
        "inside only": pods(kind="ClusterIP"), "no permission": pods(statements=(allow("ec2:*"),))}),
    ("pod code execution + cluster administrator", CLUSTER, powerful(), {
        "token not mounted": powerful(mounted=False), "reads pods": powerful(rule("get", "pods")),
        "patched": powerful(weak=False)}),
    ("pod code execution + list all secrets", CLUSTER, powerful(rule("list", "secrets")), {
        "get by name": powerful(rule("get", "secrets"))}),
    ("pod code execution + create pods", CLUSTER, powerful(rule("create", "pods")), {
        "another resource": powerful(rule("create", "events"))}),
    ("escape + administrator's pod on the node", CLUSTER, escaping(), {
        "not privileged": escaping(False), "nobody powerful": escaping(admin=False),
        "another node": escaping(same=False)}),
    ("exposure + vulnerability + cross-account role", OTHER_ROOT, crossing(), {
        "not trusted": crossing(trusted=False), "not allowed": crossing(allowed=False)}),
    ("vulnerability + neighbour + vulnerability + data", DATA, lateral(), {
        "group does not admit it": lateral("sg:sg-other"), "another range": lateral("10.9.0.0/16"),
        "inner host patched": lateral(weak=False)}),
    ("vulnerability + pass role to a new function", ROOT, passing(), {
        "role trusts another service": passing(service("ecs.amazonaws.com")),
        "cannot start it": passing(invoke=False),
        "may pass another role only": passing(who=f"arn:aws:iam::{A}:role/none")}),
    ("any AWS account + role + data", DATA, anyone(), {
        "own account": anyone(f"arn:aws:iam::{A}:root"),
        "own organisation": anyone(StringEquals={"aws:PrincipalOrgID": "o-1"}),
        "no permission": anyone(statement=allow("ec2:*"))}),
    ("public bucket with restricted data", DATA, Scene().bucket("data", READ), {
        "blocked": Scene().bucket("data", READ, get_public_access_block={
            "PublicAccessBlockConfiguration": {"RestrictPublicBuckets": True}}),
        "public data": Scene().bucket("data", READ, tags={"data_class": "public"}),
        "one address": Scene().bucket("data", {**READ, "Condition": {
            "IpAddress": {"aws:SourceIp": "203.0.113.4/32"}}})}),
    ("vulnerability + secret + database", ORDERS, secret_then_database(), {
        "secret not readable": secret_then_database(read=False),
        "database not reachable": secret_then_database(rule_="10.9.0.0/16")}),
    ("malicious package + role + data", DATA, host(BUCKET, weak=vulnerability(
        "MAL-2024-1", vulnerability="MAL-2024-1"), public=False), {
        "an ordinary finding": host(BUCKET, public=False)}),
]  # fmt: skip


def sure(scene: Scene, target: str) -> list[routes.Path]:
    return [p for p in to(scene.paths(), target) if p.certain]


@pytest.mark.parametrize(
    ("target", "scene"), [(t, s) for _, t, s, _ in COMBINATIONS], ids=[c[0] for c in COMBINATIONS]
)
def test_a_combination_over_domains_is_found(target: str, scene: Scene) -> None:
    found = sure(scene, target)
    assert len(found) == 1, [p.rule for p in found]
    path = found[0]
    assert path.severity in ("critical", "high")
    for before, after in itertools.pairwise(path.steps):
        reached = {s.target for s in path.steps[: path.steps.index(after)]}
        assert after.source in {before.target, path.entry, *reached}
    assert path.steps[-1].target == target


@pytest.mark.parametrize(
    ("target", "scene"),
    [(t, s) for _, t, _, flips in COMBINATIONS for s in flips.values()],
    ids=[f"{n}: {f}" for n, _, _, flips in COMBINATIONS for f in flips],
)
def test_one_conjunct_less_and_it_is_gone(target: str, scene: Scene) -> None:
    assert not sure(scene, target)


def test_there_are_enough_combinations() -> None:
    assert len(COMBINATIONS) >= 20


def test_an_unknown_precondition_gives_a_possible_path_apart() -> None:
    scene = host(BUCKET, weak=False)
    (path,) = to(scene.paths(), DATA)
    assert not path.certain
    assert [s.doubt for s in path.steps if not s.certain] == [
        "a flaw in the service, or a credential for it"
    ]
    assert path.severity == "high"


def test_instances_of_one_shape_are_one_path() -> None:
    scene = host(BUCKET)
    for n in range(5):
        scene.instance(f"w{n}", "app", **OLD).weakness(f"{EC2}instance/i-w{n}")
    (path,) = sure(scene, DATA)
    assert len(path.footholds) == 6
    assert {f"{EC2}instance/i-w{n}" for n in range(5)} <= set(path.resources)


def test_what_a_controlled_account_owns_is_told_with_it() -> None:
    paths = host(ADMIN).paths()
    assert [p.target for p in paths if p.certain] == [ROOT]


def test_imdsv2_stops_the_forged_request_and_not_the_code() -> None:
    weak = vulnerability("c", **SSRF)
    open_, closed = host(ADMIN, weak=weak), host(ADMIN, weak=weak, **NEW)
    forged = "forge-request>instance-credentials-ssrf"
    assert any(forged in p.rule for p in open_.paths())
    assert not any(forged in p.rule for p in closed.paths())
    graph = routes.analyse(closed.world()).graph
    assert any(s.blocked == "IMDSv2 required" for s in graph.steps)


@pytest.mark.parametrize("seed", range(6))
def test_planted_paths_are_found_and_decoys_are_not(seed: int) -> None:
    made = estates.generate(seed, principals=60, paths=5, decoys=14)
    analysis = routes.analyse(made.world)
    found = estates.score(made, analysis.paths)
    assert not found.missed and not found.false
    assert found.rows <= 1.2 * len(made.planted)
    told = plan(analysis)
    assert told["bound"]["exact"] and told["bound"]["actions"] <= len(made.planted)
    keys = frozenset(a["key"] for a in told["actions"] if a["in_smallest_cut"])
    left = routes.analyse(made.world, without=keys).paths
    assert not [p for p in left if p.certain]


def test_applying_an_action_removes_the_paths_that_it_claims() -> None:
    made = estates.generate(3, principals=60, paths=6, decoys=7)
    analysis = routes.analyse(made.world)
    for action in plan(analysis)["actions"]:
        left = {p.id for p in routes.analyse(made.world, without=frozenset({action["key"]})).paths}
        assert not left & set(action["paths"])


def test_order_and_irrelevant_resources_change_no_id() -> None:
    made = estates.generate(1, principals=40, paths=4, decoys=4)
    ids = [p.id for p in routes.analyse(made.world).paths]
    items = list(made.world.estate.items.values())
    random.Random(2).shuffle(items)
    other = Estate()
    for item in items:
        if item.name.startswith("noise"):
            item.name = item.name.replace("noise", "other")
            item.uid = item.uid.replace("noise", "other")
        other.add(item, [item.uid.rpartition("/")[2]])
    for planted in (*made.planted, *made.decoys):
        other.relate(planted.instance, "has_identity", planted.roles[0])
    again = routes.World(estate=other, public=made.world.public, weaknesses=made.world.weaknesses)
    assert [p.id for p in routes.analyse(again).paths] == ids


@pytest.mark.parametrize("seed", range(4))
def test_a_deny_never_adds_and_an_allow_taken_never_adds(seed: int) -> None:
    chance = random.Random(seed)
    made = estates.generate(seed, principals=30, paths=4, decoys=4)
    before = {p.id for p in routes.analyse(made.world).paths}
    role_ = chance.choice([r for p in made.planted for r in p.roles])
    policies = made.world.estate.items[role_].config["RolePolicyList"]
    if policies and seed % 2:
        policies[0]["PolicyDocument"]["Statement"].pop()
    else:
        policies.append({"PolicyName": "deny", "PolicyDocument": {"Statement": [
            {"Effect": "Deny", "Action": "*", "Resource": "*"}]}})  # fmt: skip
    other = Estate()
    for item in made.world.estate.items.values():
        other.add(item, [item.uid.rpartition("/")[2]])
    for planted in (*made.planted, *made.decoys):
        other.relate(planted.instance, "has_identity", planted.roles[0])
    fresh = routes.World(estate=other, public=made.world.public, weaknesses=made.world.weaknesses)
    after = {p.id for p in routes.analyse(fresh).paths}
    assert after <= before
    if not seed % 2:  # a trust that names the role itself needs no Allow beside it
        assert after < before


# Cuts and search on abstract graphs


def graph_of(
    edges: list[tuple[str, str, str]], also: dict[int, tuple[str, ...]] | None = None
) -> Graph:
    """Edges (source, target, action); names that begin with e are entries."""
    return Graph.of(
        Step(("s", a), ("s", b), "m", "x", 1.0, actions=(Action(k, k),) if k else (),
             also=tuple(("s", n) for n in (also or {}).get(i, ())))
        for i, (a, b, k) in enumerate(edges)
    )  # fmt: skip


def test_a_step_with_two_premises_needs_both() -> None:
    edges = [("e", "a", "1"), ("e", "b", "2"), ("a", "t", "3")]
    graph = graph_of(edges, {2: ("b",)})
    start, target = graph.number["s", "e"], graph.number["s", "t"]
    reach = forward(graph, start)
    assert reach.cost[target] == 3.0
    (way,) = list(ways(graph, start, target, reach))
    assert len(way.steps) == 3
    taken = {n for n, s in enumerate(graph.steps) if s.actions[0].key == "2"}
    assert target not in forward(graph, start, without=taken).cost


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(0, 5)), min_size=1,
                max_size=14))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_the_smallest_cut_is_the_smallest(edges: list[tuple[int, int, int]]) -> None:
    named = [(f"n{a}", f"n{b}", f"k{k}") for a, b, k in edges if a != b and b != 0]
    graph = graph_of([*named, ("n0", "n1", "k0")])
    start = graph.number["s", "n0"]
    goal = graph.number.get(("s", "n7"))
    if goal is None:
        return
    cut = smallest_cut(graph, {start: [goal]})
    keys = sorted({a.key for s in graph.steps for a in s.actions})

    def cuts(chosen: tuple[str, ...]) -> bool:
        gone = {n for n, s in enumerate(graph.steps) if s.actions[0].key in chosen}
        return goal not in forward(graph, start, certain, gone).cost

    best = next(n for n in range(len(keys) + 1)
                if any(cuts(c) for c in itertools.combinations(keys, n)))  # fmt: skip
    assert cut.exact and len(cut.actions) == best
    assert cuts(tuple(a.key for a in cut.actions))


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=20))
@settings(max_examples=150, deadline=None)
def test_dominators_are_what_every_way_passes(edges: list[tuple[int, int]]) -> None:
    graph = graph_of([(f"n{a}", f"n{b}", "") for a, b in edges if a != b] + [("n0", "n1", "")])
    start = graph.number["s", "n0"]
    above = dominators(graph, [start])
    reached = forward(graph, start).cost
    assert set(above) == set(reached)
    for state in reached:
        mine, walk = set[int](), state
        while (walk := above.get(walk, -1)) >= 0:
            mine.add(walk)
        expected = {
            n for n in reached if n != state and state not in forward(
                graph, start, without={i for i, s in enumerate(graph.steps)
                                       if graph.target[i] == n or graph.source[i] == n}).cost
        }  # fmt: skip
        assert mine == expected - {state} if state != start else not mine


def test_a_way_that_nothing_can_cut_is_told() -> None:
    graph = graph_of([("e", "t", "")])
    start, goal = graph.number["s", "e"], graph.number["s", "t"]
    cut = smallest_cut(graph, {start: [goal]})
    assert cut.uncut == [(start, goal)] and not cut.actions


def test_entries_of_a_graph_are_states_of_that_kind() -> None:
    graph = routes.analyse(host(BUCKET).world()).graph
    assert [graph.states[n] for n in entries(graph)] == [("entry", "internet")]


@pytest.mark.parametrize("reader", [False, True])
def test_what_is_not_searched_in_a_large_graph_is_told_all_the_same(
    reader: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The short cut for large graphs gives the rows, and what they also reach, of the long way."""
    scene = Scene().instance("web", "app", **OLD).weakness(EC2 + "instance/i-web")
    rights = allow("iam:PutRolePolicy", ROLE), allow("s3:GetObject")
    scene.role("app", service("ec2.amazonaws.com"), *rights, profile=True)
    scene.bucket("data").bucket("more").bucket("open", READ).secret("token")
    if reader:  # another way in, which gives one bucket and no account
        scene.instance("api", "api", **OLD).weakness(EC2 + "instance/i-api")
        scene.role("api", service("ec2.amazonaws.com"), allow("s3:GetObject"), profile=True)

    def rows() -> set[Any]:
        found = routes.analyse(scene.world()).paths
        return {(p.id, p.cost, p.severity, tuple(sorted(p.also))) for p in found}

    long = rows()
    assert any(also for *_, also in long)
    monkeypatch.setattr(routes, "LARGE", 0)
    assert rows() == long


def test_whom_an_entry_means_is_told_in_words() -> None:
    said = {u: label(u) for u in ("any:gitlab.com", "internet", "accesskey:AKIA1")}
    assert said == {"any:gitlab.com": "anyone at gitlab.com", "internet": "anyone on the Internet",
                    "accesskey:AKIA1": "access key AKIA1"}  # fmt: skip
