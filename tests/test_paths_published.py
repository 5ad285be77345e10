"""Published answers: vulnerable-by-design accounts and clusters, what is reached and what is not."""

from __future__ import annotations

import csv
import json
import re
from functools import cache
from typing import Any

import pytest

from secinbox.estate import estate_of
from secinbox.inventory import kubernetes
from secinbox.network import exposure
from secinbox.paths import routes
from secinbox.paths.build import compiled
from secinbox.paths.search import forward, possible
from secinbox.paths.world import Leak, World
from secinbox.reading import Report
from secinbox.records import Evidence
from tests.conftest import CLOCK
from tests.scenes import A, R, Scene, allow, service, vulnerability
from tests.test_inventory_aws import DATA, shared

TRUTH = DATA / "truth/iam_cases"
CASES = DATA.parent / "reference/attack_paths_cases.tsv"
pytestmark = pytest.mark.skipif(
    not (TRUTH.is_dir() and CASES.is_file()), reason="shared data not here"
)
# Where the published list and the dump name the start differently, or leave it to the operator.
STARTS = {
    "mh-to-admin__multiple-paths-combined": "user/pl-prod-mpc-to-admin-starting-user",
    "mh-to-bucket__role-chain-to-s3": "user/pl-prod-rcs-to-bucket-starting-user",
    "tool-testing__exclusive-resource-policy": "user/pl-prod-erp-to-bucket-starting-user",
}
# Each difference is told in docs/differences.md.
CLOSED = {"plabs:end-of-life-privesc-paths/iam-passrole+datapipeline-pipeline-to-bucket"}
IN_OBJECT = "plabs:attack-simulation/sysdig-8-minutes-to-admin"


@cache
def published() -> dict[str, dict[str, str]]:
    if not CASES.is_file():
        return {}
    with CASES.open(newline="") as file:
        return {row["case"]: row for row in csv.DictReader(file, delimiter="\t")}


@cache
def dumps() -> dict[str, tuple[str, dict[str, Any]]]:
    """Folder of the dump -> (the published case, the truth)."""
    out: dict[str, tuple[str, dict[str, Any]]] = {}
    for path in sorted(TRUTH.glob("*.json")):
        truth = json.loads(path.read_text())
        found = re.search(r"modules/scenarios/(?:single-account/)?(\S+)", truth["source"])
        if found:
            out[path.stem] = (f"plabs:{found.group(1)}", truth)
    return out


def start_of(name: str) -> str:
    case, truth = dumps()[name]
    wanted = STARTS.get(name) or published()[case]["start"]
    return next(a for a in truth["principals"] if a.split(":", 5)[5] == wanted)


def lost(name: str, leaks: list[Leak] | None = None) -> list[routes.Path]:
    """What follows when the published start is in an attacker's hands; every bucket matters."""
    estate = estate_of(shared(f"iam_cases/{name}/inventory"))
    crown = {b.uid: "is the published target" for b in estate.of_type("aws_s3_bucket")}
    world = World(estate=estate, crown=crown, breached=[start_of(name)], leaks=leaks or [])
    return [p for p in routes.analyse(world).paths if p.entry.startswith("breach:")]


def reaches(paths: list[routes.Path], case: str) -> bool:
    """The published end, for certain: control of an account, or the bucket of that name."""
    row = published()[case]
    sure = [p for p in paths if p.certain]
    if row["expected"] == "REACHES ADMIN":
        return any(p.state[0] == "admin" for p in sure)
    name = row["target"].split("{")[0].rstrip("-").replace("-data-bucket", "-data")
    return any(name in uid for p in sure for uid in (p.target, *p.also)) or any(
        p.state[0] == "admin" for p in sure
    )


@pytest.mark.parametrize("name", [n for n, (_, t) in dumps().items() if not t["flip"]])
def test_the_published_end_is_reached(name: str) -> None:
    case, _ = dumps()[name]
    assert reaches(lost(name), case) is (case not in CLOSED and case != IN_OBJECT)


@pytest.mark.parametrize("name", [n for n, (_, t) in dumps().items() if t["flip"]])
def test_without_what_it_takes_over_nothing_is_reached(name: str) -> None:
    assert not lost(name)


def test_a_key_in_an_object_is_the_missing_link_once_a_scanner_found_it() -> None:
    """8 minutes to administrator: the first step reads credentials out of an object."""
    name = next(n for n, (c, _) in dumps().items() if c == IN_OBJECT)
    estate = estate_of(shared(f"iam_cases/{name}/inventory"))
    user = next(a for a in dumps()[name][1]["principals"] if a.endswith("compromised-user"))
    key = next(
        i.uid for i in estate.of_type("aws_iam_access_key")
        if user in estate.targets(i.uid, "has_identity")
    )  # fmt: skip
    bucket = next(b.uid for b in estate.of_type("aws_s3_bucket") if "rag" in b.uid)
    assert reaches(lost(name, [Leak("f1", bucket, "config.py", "AWS key", key)]), IN_OBJECT)


def test_recall_over_all_published_accounts() -> None:
    """What the list calls reachable and an inventory can show: at least 0.98."""
    cases = {c for c, t in dumps().values() if not t["flip"]} - CLOSED
    names = {c: n for n, (c, t) in dumps().items() if not t["flip"]}
    found = [c for c in sorted(cases) if reaches(lost(names[c]), c)]
    assert len(cases) == 64
    assert len(found) / len(cases) >= 0.98, sorted(cases - set(found))


@pytest.mark.parametrize("flaw", [False, True])
def test_a_public_function_with_administrator_rights(flaw: bool) -> None:
    """Published as certain; what the function's code does with a request is not in an inventory."""
    scene = Scene().function("hook", "app")
    scene.role("app", service("lambda.amazonaws.com"), allow("*"))
    uid = f"arn:aws:lambda:{R}:{A}:function:hook"
    scene.said_public[uid] = [Evidence(kind="endpoint", text="a function URL without sign-in")]
    if flaw:
        scene.weakness(uid, vulnerability("eval", type="runtime_code_vulnerability",
                                          rule="code-injection", vulnerability=""))  # fmt: skip
    found = [p for p in scene.paths() if p.state[0] == "admin"]
    assert found
    assert any(p.certain for p in found) is flaw


def cluster_of(folder: str, **more: Any) -> World:
    """A folder of manifests or dumps as a world; everything that runs is asked about."""
    root = DATA / "inventory/kubernetes" / folder
    records = []
    for path in sorted(root.rglob("*")):
        if path.suffix not in (".yaml", ".json") or path.name in ("values.yaml", "Chart.yaml"):
            continue
        if "templates" in path.parts or path.name == "apis.json":
            continue  # templates of Helm, and the list of what the server knows
        parts = path.relative_to(root).parts
        records += kubernetes.read(
            Report(path.read_bytes(), path.name, parts, CLOCK, {"cluster": "c"})
        )
    estate = estate_of(records)
    public = {s.resource: list(s.evidence) for s in exposure(estate) if s.value == "yes"}
    return World(estate=estate, public=public, **more)


def follows(world: World, start: str) -> set[tuple[str, str]]:
    """What is reached for certain or possibly when this is lost."""
    world.breached = [start]
    graph = compiled(world)
    entry = graph.number["entry", f"breach:{start}"]
    return {graph.states[n] for n in forward(graph, entry, possible).cost}


GOAT = "k8s://c/"
NODE = ("exec", "k8s://c/_/node/any")
# Scenario of Kubernetes Goat -> (what is lost first, what its text says is reached).
GOATS = {
    "health-check: the runtime's socket": ("_/deployment/health-check-deployment", NODE),
    "system-monitor: out to the host": ("default/deployment/system-monitor-deployment", NODE),
    "docker-bench-security: a privileged daemon": ("_/daemonset/docker-bench-security", NODE),
    "hunger-check: secrets by an account's rights": (
        "big-monolith/deployment/hunger-check-deployment",
        ("read", "k8s://c/big-monolith/secret/vaultapikey"),
    ),
    "cache-store: a service of another namespace": (
        "default/deployment/build-code-deployment",
        ("exec", "k8s://c/secure-middleware/deployment/cache-store-deployment"),
    ),
    "system-monitor: from the host to its neighbours": (
        "default/deployment/system-monitor-deployment",
        ("read", "k8s://c/big-monolith/secret/vaultapikey"),
    ),
}


@pytest.mark.parametrize("scenario", GOATS)
def test_kubernetes_goat(scenario: str) -> None:
    start, wanted = GOATS[scenario]
    assert wanted in follows(cluster_of("kubernetes-goat"), GOAT + start)


@pytest.mark.parametrize(
    "start", ["default/deployment/poor-registry-deployment", "_/job/hidden-in-layers"]
)
def test_kubernetes_goat_has_workloads_that_lead_to_no_node(start: str) -> None:
    assert NODE not in follows(cluster_of("kubernetes-goat"), GOAT + start)


def test_the_account_of_kubernetes_goat_that_nothing_runs_as() -> None:
    account = "k8s://c/kube-system/serviceaccount/superadmin"
    assert ("admin", "k8s://c") in follows(cluster_of("kubernetes-goat"), account)


def test_a_cluster_without_a_weakness_has_no_path() -> None:
    """The test data of KubeHound's collector: a reader's role, a plain pod."""
    world = cluster_of("kubehound-testdata")
    assert len(world.runners) == 1
    assert not routes.analyse(world).paths
    assert not [s for s in follows(world, min(world.runners)) if s[0] in ("admin", "read")]


def test_a_real_cluster() -> None:
    """A dump of a managed cluster: no certain path, and each strong account is found."""
    world = cluster_of("digitalocean-cluster-dump")
    assert not [p for p in routes.analyse(world).paths if p.certain]
    strong = {
        s.source[1] for s in compiled(world).steps
        if s.target == ("admin", "k8s://c") and s.certain and not s.blocked
    }  # fmt: skip
    assert "k8s://c/kube-system/serviceaccount/cilium" in strong
    assert "k8s://c/fix/serviceaccount/default" not in strong
