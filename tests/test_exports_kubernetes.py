"""A cluster says the same, whether kubectl or an inventory tool exported it.

No table says that a cluster was read completely. Compared with kubectl's lists taken as parts, tables
must say exactly the same; compared with whole lists, the same or unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from secinbox.estate import Estate, estate_of
from secinbox.iam import privilege
from secinbox.inventory import cartography, cloudquery, steampipe
from secinbox.network import exposure
from secinbox.reading import Report, ReportError, head_of
from secinbox.records import AnyRecord, Relation, Resource, RiskStatement, Scope, Skipped
from secinbox.session import Session
from tests import exported_cluster as cluster
from tests import exported_cluster_graph as cluster_graph
from tests.exported import read

Told = dict[tuple[str, str], RiskStatement]


def told(estate: Estate) -> Told:
    return {(s.risk, s.resource): s for s in (*exposure(estate), *privilege(estate))}


@cache
def expected(whole: bool = True) -> Told:
    return told(cluster.estate(whole))


def skips(records: Iterable[AnyRecord]) -> list[str]:
    return [r.reason for r in records if isinstance(r, Skipped)]


def values(found: Told) -> dict[tuple[str, str], str]:
    return {k: s.value for k, s in found.items()}


def test_the_cluster_has_an_open_and_a_closed_one_of_each_kind() -> None:
    kinds: dict[str, set[str]] = {}
    for (risk, uid), statement in expected().items():
        kinds.setdefault(f"{risk} {uid.split('/')[-2]}", set()).add(statement.value)
    assert sum({"yes", "no"} <= v for v in kinds.values()) >= 7, kinds


FORMS = [(steampipe, f) for f in ("rows", "wrapped", "csv")] + [
    (cloudquery, f) for f in ("json", "csv", "parquet")
]
IDS = [f"{c.__name__.rpartition('.')[2]}-{f}" for c, f in FORMS]


def exported(connector: Any, form: str, given: Any = None) -> list[Report]:
    make = cluster.steampipe if connector is steampipe else cluster.cloudquery
    return list(make(form, given))


# Steampipe does not keep the class of a load balancer: that of one by its own controller is not known.
_CLASS = {"service/made"}


@pytest.mark.parametrize(("connector", "form"), FORMS, ids=IDS)
def test_tables_say_what_kubectl_says(connector: Any, form: str) -> None:
    records = read(connector, exported(connector, form))
    assert skips(records) == []
    assert not any(isinstance(r, Scope) for r in records)
    found, wanted = told(estate_of(records)), expected(whole=False)
    for key in {*found, *wanted}:
        same = found[key].value == wanted[key].value
        if connector is steampipe and key[1].rpartition("shop/")[2] in _CLASS:
            assert found[key].value == "unknown" and "loadBalancerClass" in str(found[key].evidence)
        else:
            assert same and found[key].evidence == wanted[key].evidence, key


@pytest.mark.parametrize(("connector", "form"), FORMS, ids=IDS)
def test_tables_make_the_same_resources_and_relations(connector: Any, form: str) -> None:
    mine, theirs = read(connector, exported(connector, form)), cluster.raw()
    one, two = ({r.uid: r for r in records if isinstance(r, Resource) and r.provider == "kubernetes"}
                for records in (mine, theirs))  # fmt: skip
    assert set(one) == set(two)
    for uid, resource in two.items():
        other = one[uid]
        assert (other.type, other.name, other.account, other.tags) == (
            resource.type, resource.name, resource.account, resource.tags)  # fmt: skip
        assert set(other.aliases) == set(resource.aliases), uid
    edges = [{(r.source, r.kind, r.target) for r in records if isinstance(r, Relation)}
             for records in (mine, theirs)]  # fmt: skip
    assert edges[0] == edges[1]
    text = "".join(r.config for r in one.values())
    assert "never to be kept" not in text and "bmV2ZXI" not in text and '"mapRoles":"[]' in text


@pytest.mark.parametrize("connector", [steampipe, cloudquery])
@pytest.mark.parametrize("kind", list(cluster.TABLES))
def test_tables_that_were_not_exported_leave_no_wrong_answer(connector: Any, kind: str) -> None:
    """Nor another one than lists of kubectl without this kind."""
    given = [o for o in cluster.objects() if o["kind"] != kind]
    records = read(
        connector, exported(connector, "rows" if connector is steampipe else "json", given)
    )
    harmless(told(estate_of(records)), kind)


def harmless(found: Told, kind: str) -> None:
    """Each answer is the whole cluster's, unknown, or open because a filter was not read, and says so;
    then lists of kubectl without this kind say the same."""
    without = told(estate_of(cluster.raw([o for o in cluster.objects() if o["kind"] != kind])))
    for key, statement in expected().items():
        other = found.get(key)
        if other is None or other.value in (statement.value, "unknown"):
            continue
        assert (statement.value, other.value, without[key].value) == ("no", "yes", "yes"), (
            key,
            other,
        )
        assert any(e.kind == "gap" for e in other.evidence), (key, other)


_DECIDING = [
    (kind, column)
    for kind, column in (
        ("Pod", "containers"), ("Pod", "init_containers"), ("Pod", "ephemeral_containers"),
        ("Pod", "volumes"), ("Pod", "host_network"), ("Pod", "host_pid"), ("Pod", "phase"),
        ("Pod", "service_account_name"), ("Pod", "automount_service_account_token"),
        ("Pod", "labels"), ("Pod", "security_context"), ("Pod", "owner_references"),
        ("Deployment", "template"), ("Deployment", "replicas"), ("CronJob", "job_template"),
        ("Job", "completion_time"), ("Service", "type"), ("Service", "external_ips"),
        ("Service", "load_balancer_source_ranges"), ("Service", "annotations"),
        ("Service", "selector"), ("Service", "ports"), ("Service", "load_balancer_ingress"),
        ("Ingress", "annotations"), ("Ingress", "rules"), ("Ingress", "load_balancer"),
        ("NetworkPolicy", "pod_selector"), ("NetworkPolicy", "ingress"),
        ("NetworkPolicy", "policy_types"), ("Namespace", "labels"), ("Node", "addresses"),
        ("Node", "provider_id"), ("ServiceAccount", "annotations"),
        ("ServiceAccount", "automount_service_account_token"), ("Role", "rules"),
        ("ClusterRole", "rules"), ("ClusterRole", "aggregation_rule"), ("ClusterRole", "labels"),
        ("ClusterRoleBinding", "subjects"), ("ClusterRoleBinding", "role_name"),
        ("RoleBinding", "role_kind"), ("Secret", "annotations"), ("ConfigMap", "data"),
        ("Gateway", "listeners"), ("Gateway", "status_addresses"), ("HTTPRoute", "rules"),
        ("HTTPRoute", "parents"), ("ReferenceGrant", "to"),
    )
]  # fmt: skip


@pytest.mark.parametrize(("kind", "column"), _DECIDING, ids=[f"{k}.{c}" for k, c in _DECIDING])
def test_columns_that_were_not_exported_leave_no_wrong_answer(kind: str, column: str) -> None:
    """Its objects are known by name; and whoever rests on them does not know."""
    reports, name = [], cluster.TABLES[kind][0]
    for report in exported(steampipe, "rows"):
        if report.name.endswith(f"/{name}.json"):
            rows = json.loads(report.data)
            assert all(column in row for row in rows)
            cut = [{k: v for k, v in row.items() if k != column} for row in rows]
            report = Report(json.dumps(cut).encode(), report.name)
        reports.append(report)
    records = read(steampipe, reports)
    (reason,) = skips(records)
    assert f"rows of {name} lack {column}" in reason and "export all columns" in reason
    for record in records:
        if isinstance(record, Resource) and record.type == f"kubernetes_{kind.lower()}":
            assert record.config == ""
    harmless(told(estate_of(records)), kind)


@cache
def _by_table() -> dict[str, tuple[Report, tuple[AnyRecord, ...]]]:
    return {r.name: (r, tuple(cloudquery.read(r))) for r in exported(cloudquery, "json")}


_IDENTITY = ("name", "namespace", "context", "kind", "api_version")


@pytest.mark.parametrize("name", list(_by_table()))
def test_any_column_may_be_missing_and_no_answer_is_wrong(name: str) -> None:
    report, _ = _by_table()[name]
    others = [r for n, (_, records) in _by_table().items() if n != name for r in records]
    rows = [json.loads(line) for line in report.text.splitlines()]
    kinds = {f"kubernetes_{k.lower()}" for k, v in cluster.TABLES.items() if v[1] in name}
    for column in rows[0]:
        if column.startswith("_cq_") or column in _IDENTITY:
            continue
        cut = [{k: v for k, v in row.items() if k != column} for row in rows]
        text = "\n".join(map(json.dumps, cut)).encode()
        records = list(cloudquery.read(Report(text, name, report.parts)))
        assert {r.type for r in records if isinstance(r, Resource)} >= kinds
        if not skips(records):
            assert values(told(estate_of([*others, *records]))) == values(expected(False)), column
        else:
            found = told(estate_of([*others, *records]))
            for kind in (k for k, v in cluster.TABLES.items() if v[1] in name):
                harmless(found, kind)


# Which cluster, which table, which rows


def row(kind: str = "Namespace", **more: Any) -> dict[str, Any]:
    (found,) = [o for o in cluster.objects() if o["kind"] == kind][:1]
    (report,) = cluster.steampipe("rows", [found])
    return {**json.loads(report.data)[0], **more}


def steam(*rows: Any, name: str = "kubernetes_namespace.json", **options: str) -> list[AnyRecord]:
    return list(steampipe.read(Report(json.dumps(rows).encode(), name, options=options)))


@pytest.mark.parametrize(("context", "options", "uid"), [
    (cluster.CONTEXT, {}, "shop"), ("gke_p_europe-west1_shop", {}, "gke_p_europe-west1_shop"),
    ("default/api-shop-example:6443/ana", {}, "api-shop-example:6443"), ("", {}, "unknown"),
    (None, {}, "unknown"), ("admin@shop", {"cluster": "shop"}, "shop"),
    ("", {"cluster": "arn:aws:eks:eu-west-1:1:cluster/shop"}, "shop"),
])  # fmt: skip
def test_the_cluster_is_the_context_or_what_the_caller_says(
    context: Any, options: dict[str, str], uid: str
) -> None:
    records = steam(row(context_name=context), **options)
    assert [r.uid for r in records if isinstance(r, Resource)] == [f"k8s://{uid}/_/namespace/shop"]


def test_rows_of_several_clusters_stay_apart() -> None:
    rows = [row(context_name="one"), row(context_name="two")]
    uids = {r.uid for r in steam(*rows) if isinstance(r, Resource)}
    assert uids == {"k8s://one/_/namespace/shop", "k8s://two/_/namespace/shop"}
    with pytest.raises(ReportError, match="of several clusters"):
        steam(*rows, cluster="shop")
    pods = [o for o in cluster.objects() if o["metadata"]["name"] == "web-7f-1"]
    given = [
        o for o in cluster.objects() if o["metadata"]["name"] == "web" and o["kind"] == "Service"
    ]
    told_apart = [json.loads(next(cluster.steampipe("rows", g)).data)[0] | {"context_name": c}
                  for g, c in ((pods, "one"), (given, "two"))]  # fmt: skip
    edges = [r for r in (*steam(told_apart[0], name="kubernetes_pod.json"),
                         *steam(told_apart[1], name="kubernetes_service.json"))
             if isinstance(r, Relation) and "k8s://one" in r.source and "k8s://two" in r.target]  # fmt: skip
    assert edges == []


@pytest.mark.parametrize(("change", "reason", "harmless"), [
    ({"source_type": "manifest"}, "made of files", True),
    ({"source_type": "helm"}, "made of files", True),
    ({"source_type": None, "uid": None}, "nothing says that their objects exist", False),
    ({"source_type": None, "path": "/a.yaml"}, "made of files", True),
])  # fmt: skip
def test_rows_made_of_files_are_no_objects(change: Any, reason: str, harmless: bool) -> None:
    (skipped,) = steam(row(**change))
    assert isinstance(skipped, Skipped) and reason in skipped.reason
    assert skipped.harmless is harmless
    assert any(isinstance(r, Resource) for r in steam(row(source_type=None)))


def test_tables_of_no_use_are_told_and_left_out() -> None:
    given = row() | {"kind": None, "api_version": None}
    (skipped,) = steam(given, given, name="kubernetes_storage_class.json")
    assert isinstance(skipped, Skipped) and skipped.harmless and skipped.count == 2
    assert "kubernetes_storage_class is no table of use" in skipped.reason


def test_custom_resources_that_do_not_say_their_kind_are_counted() -> None:
    lines = "\n".join(
        json.dumps({"_cq_id": "1", "context": "c", "uid": "u", "name": "a"}) for _ in "ab"
    )
    report = Report(lines.encode(), "k8s_custom_resources.json")
    (skipped,) = cloudquery.read(report)
    assert isinstance(skipped, Skipped) and skipped.count == 2 and not skipped.harmless


@pytest.mark.parametrize("kind", [k for k in cluster.TABLES if k not in (
    "ReplicaSet", "Namespace", "Role", "RoleBinding", "ClusterRoleBinding", "Secret", "ConfigMap")])  # fmt: skip
def test_without_a_name_the_columns_say_the_table(kind: str) -> None:
    given = row(kind)
    records = steam(given, name="export.json")
    assert {r.type for r in records if isinstance(r, Resource)} >= {f"kubernetes_{kind.lower()}"}
    head = head_of(json.dumps([given]).encode(), "export.json")
    assert steampipe.recognise(head) >= 80


@pytest.mark.parametrize("kind", ["ReplicaSet", "Namespace", "Role", "Secret"])
def test_where_the_columns_do_not_say_it_the_file_is_refused(kind: str) -> None:
    with pytest.raises(ReportError) as error:
        steam(row(kind), name="export.json")
    assert "cannot say of which table" in error.value.message
    assert "kubernetes_pod.json" in error.value.hint


@pytest.mark.parametrize(("kind", "change", "message"), [
    ("Pod", {"name": None}, "a Pod without a name"),
    ("Pod", {"namespace": ""}, "a Pod without a namespace"),
    ("Pod", {"containers": "none"}, "expected a list of objects"),
    ("Pod", {"containers": ["main"]}, "expected a list of objects"),
    ("Pod", {"labels": ["a"]}, "expected an object"),
    ("Pod", {"labels": {"a": {"b": 1}}}, "expected a map of texts"),
    ("Pod", {"service_account_name": {"a": 1}}, "expected a text"),
    ("Pod", {"owner_references": 7}, "expected a list of objects"),
    ("Deployment", {"template": "x" * 50}, ""),
    ("Service", {"selector": "app=web"}, "expected an object"),
    ("Service", {"external_ips": {"a": 1}}, "expected a list of texts"),
    ("Service", {"load_balancer_ingress": 5}, "expected a list of objects"),
    ("Service", {"annotations": ["a"]}, "expected an object"),
    ("Ingress", {"rules": {"host": "a"}}, "expected a list of objects"),
    ("HTTPRoute", {"hostnames": [1]}, "expected a list of texts"),
    ("Node", {"provider_id": ["a"]}, "expected a text"),
])  # fmt: skip
def test_broken_rows_get_one_clear_error(kind: str, change: Any, message: str) -> None:
    given = row(kind, **change)
    name = f"{cluster.TABLES[kind][0]}.json"
    if not message:
        assert all(r.config for r in steam(given, name=name) if isinstance(r, Resource))
        return
    with pytest.raises(ReportError) as error:
        steam(given, name=name)
    assert message in error.value.message and "export" in error.value.hint
    assert "rows" in error.value.place or "[0]" in error.value.place


def test_hostile_text_stays_text() -> None:
    """Depth, escapes and names that look like paths: an error or a resource of its own, no crash."""
    deep = "[" * 5000 + "]" * 5000
    for change in ({"labels": deep}, {"annotations": '{"a":' * 400 + "1" + "}" * 400},
                   {"context_name": "\x1b[2J../../etc"}, {"name": "a\x00<script>"}):  # fmt: skip
        try:
            records = steam(row("Service", **change), name="kubernetes_service.json")
        except ReportError:
            continue
        assert all(r.uid.startswith("k8s://") for r in records
                   if isinstance(r, Resource) and r.provider == "kubernetes")  # fmt: skip
    with pytest.raises(ReportError, match="fields under"):
        list(steampipe.read(Report(b"name,context_name,source_type\na,b\n", "kubernetes_node.csv")))
    line = json.dumps({"_cq_id": "1", "context": "c", "uid": "u", "name": "a", "namespace": "s",
                       "status_load_balancer": [1]})  # fmt: skip
    with pytest.raises(ReportError, match="status_load_balancer is not an object"):
        list(cloudquery.read(Report(line.encode(), "k8s_core_services.json")))


def test_a_service_as_a_whole_column_says_its_class() -> None:
    (value,) = [o for o in cluster.objects() if o["metadata"]["name"] == "made"]
    (report,) = cluster.cloudquery("json", [value])
    row = {
        k: v for k, v in json.loads(report.data).items() if not k.startswith(("spec_", "status_"))
    }
    row |= {"spec": value["spec"], "status": value["status"]}
    records = list(cloudquery.read(Report(json.dumps(row).encode(), report.name, report.parts)))
    (statement,) = exposure(estate_of(records))
    assert "makes it internal" in statement.evidence[0].text or statement.value == "unknown"
    item = estate_of(records).items[statement.resource]
    assert item.unfinished("spec") == ""
    assert item.config["spec"]["loadBalancerClass"] == "service.k8s.aws/nlb"


def test_a_policy_known_by_name_closes_or_opens_nothing() -> None:
    """It may select each pod of its namespace: neither open nor closed is proof any more."""
    given = [o for o in cluster.objects() if o["kind"] != "NetworkPolicy"]
    policy = row("NetworkPolicy")
    cut = {k: v for k, v in policy.items() if k != "pod_selector"}
    records = [*cluster.raw(given), *steam(cut, name="kubernetes_network_policy.json")]
    found = told(estate_of(records))
    uid = "k8s://shop/shop/pod/web-7f-1"
    assert expected()["public_accessibility", uid].value == "yes"
    assert found["public_accessibility", uid].value == "unknown"
    assert "network policy guard was not read" in str(found["public_accessibility", uid].evidence)


def test_kubectl_says_of_a_cluster_named_by_its_arn_what_it_read() -> None:
    scopes = {r.key for r in cluster.raw() if isinstance(r, Scope)}
    assert {"k8s:shop/node", "k8s:shop/pod/shop"} <= scopes


# Cartography

# What the graph proves of the cluster; the rest is unknown.
_PROVEN = {
    "privileged_access": {
        "pod/capable": "yes", "pod/ended": "no", "serviceaccount/ops": "yes",
    },
    "public_accessibility": {
        "ingress/front": "yes", "service/fronted": "yes", "pod/fronted": "yes",
        "ingress/few": "no", "service/elsewhere": "no", "pod/ended": "no",
    },
}  # fmt: skip
_OLD = {
    "privileged_access": {"serviceaccount/ops": "yes"},
    "public_accessibility": {"service/elsewhere": "no"},
}
_WHY = ("the graph", "were not read", "was not read", "acts as", "are not read")


def drawn(graph: cluster_graph.Graph, form: str = "lines") -> list[AnyRecord]:
    return read(cartography, [graph.report(form)])


@pytest.mark.parametrize("newer", [True, False], ids=["newer", "older"])
@pytest.mark.parametrize("form", ["lines", "array", "json", "ids"])
def test_a_graph_says_what_kubectl_says_or_why_it_does_not(form: str, newer: bool) -> None:
    records = drawn(cluster_graph.graph(newer=newer), form)
    assert skips(records) == []
    proven: dict[str, dict[str, str]] = {risk: {} for risk in _PROVEN}
    for (risk, uid), statement in told(estate_of(records)).items():
        if not uid.startswith("k8s://"):
            continue
        name = "/".join(uid.split("/")[-2:])
        if statement.value == "unknown":
            assert any(w in statement.evidence[0].text for w in _WHY), statement
        else:
            proven[risk][name] = statement.value
            assert statement.value == expected()[risk, uid].value
    assert proven == (_PROVEN if newer else _OLD)


def test_a_graph_has_the_same_objects_and_ties() -> None:
    for newer in (True, False):
        records, theirs = drawn(cluster_graph.graph(newer=newer)), cluster.raw()
        mine = {r.uid: r for r in records if isinstance(r, Resource)}
        kept = {r.uid: r for r in theirs if isinstance(r, Resource)}
        without = {"ConfigMap", "Endpoints", "EndpointSlice", "ReferenceGrant"}
        if not newer:
            without |= {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob",
                        "NetworkPolicy"}  # fmt: skip
        left = {f"kubernetes_{k.lower()}" for k in without}
        assert {u for u, r in kept.items() if r.type not in left} == {
            u for u in mine if not u.startswith("arn:")}  # fmt: skip
        assert all(mine[u].name == kept[u].name and mine[u].account == kept[u].account
                   for u in mine if u in kept)  # fmt: skip
        edges, others = ({(r.source, r.kind, r.target) for r in found if isinstance(r, Relation)}
                         for found in (records, theirs))  # fmt: skip
        # In one file, what a service selects is told beside; early graphs do not say who owns a pod.
        extra = {e for e in edges - others if not ("/service/" in e[0] and "/pod/" in e[2])}
        assert {e[1] for e in extra} == (set() if newer else {"contains"})
        kinds = {(e[1], e[0].split("/")[-2]) for e in others & edges if e[0].startswith("k8s")}
        assert {("runs", "pod"), ("runs_on", "pod"), ("runs_on", "node"), ("reads_secret", "pod"),
                ("routes_to", "gateway"), ("routes_to", "httproute"), ("routes_to", "ingress"),
                ("has_identity", "serviceaccount"), ("contains", "namespace")} - kinds <= (
                    set() if newer else {("routes_to", "ingress")})  # fmt: skip
        assert newer is (("owned_by", "replicaset") in kinds)


_TIES = sorted({e["label"] for e in cluster_graph.graph().entries if "label" in e})
_LABELS = sorted({e["labels"][0] for e in cluster_graph.graph().entries if "labels" in e})


@pytest.mark.parametrize("label", _TIES)
def test_ties_of_a_cluster_that_were_not_exported_leave_no_wrong_answer(label: str) -> None:
    graph = cluster_graph.graph()
    graph.entries = [e for e in graph.entries if e.get("label") != label]
    harmless(told(estate_of(drawn(graph))), "")


@pytest.mark.parametrize("label", [x for x in _LABELS if x != "KubernetesCluster"])
def test_nodes_of_a_cluster_that_were_not_exported_leave_no_wrong_answer(label: str) -> None:
    graph = cluster_graph.graph()
    graph.entries = [e for e in graph.entries if label not in e.get("labels", ())]
    records = drawn(graph)
    assert skips(records) == ["a relationship without both ends"]
    harmless(told(estate_of(records)), label.removeprefix("Kubernetes"))


def test_what_kubectl_read_is_not_replaced_by_a_part() -> None:
    graph = drawn(cluster_graph.graph())
    for records in ([*cluster.raw(), *graph], [*graph, *cluster.raw()]):
        estate = estate_of(records)
        found = {k: v for k, v in values(told(estate)).items() if k[1].startswith("k8s://")}
        assert found == {k: v for k, v in values(expected()).items() if k[1].startswith("k8s://")}
        item = estate.items["k8s://shop/shop/service/inner"]
        assert item.unfinished("spec") == "" and "annotations" in item.config["metadata"]


def test_the_cluster_of_a_graph_is_the_kubeconfigs() -> None:
    graph = cluster_graph.graph()
    report = graph.report()
    named = Report(report.data, report.name, options={"cluster": "mine"})
    for found, cluster_name in ((report, "shop"), (named, "mine")):
        uids = {r.uid for r in cartography.read(found) if isinstance(r, Resource)}
        assert {u.split("/")[2] for u in uids if u.startswith("k8s://")} == {cluster_name}
    graph.entries = [e for e in graph.entries if "KubernetesCluster" not in e.get("labels", ())]
    uids = {r.uid for r in drawn(graph) if isinstance(r, Resource)}
    assert {u.split("/")[2] for u in uids if u.startswith("k8s://")} == {"shop-context"}
    other = graph.kube("Namespace", "other", name="other", cluster_name="other")
    assert other and len(skips(drawn(graph))) == 1
    both = graph.report()
    with pytest.raises(ReportError, match="several clusters"):
        list(cartography.read(Report(both.data, both.name, options={"cluster": "mine"})))


@pytest.mark.parametrize(("kind", "change", "message"), [
    ("Pod", {"labels": "{"}, "lacks readable labels"), ("Pod", {"name": None}, "lacks 'name'"),
    ("Pod", {"namespace": None}, "lacks 'namespace'"),
    ("Pod", {"status_phase": None}, "lacks 'status_phase'"),
    ("Pod", {"labels": "[1]"}, ""), ("Pod", {"labels": '{"a": {"b": 1}}'}, ""),
    ("Container", {"container_ports": "[7]"}, "has a field of a wrong shape"),
    ("Container", {"container_ports": "[" * 5000}, "lacks readable container_ports"),
    ("Container", {"image": 5}, ""), ("Service", {"selector": '"app"'}, ""),
    ("Service", {"load_balancer_ingress": "[1]"}, "has a field of a wrong shape"),
    ("Service", {"type": None}, "lacks 'type'"), ("Ingress", {"rules": '{"a": 1}'}, "has a field of a wrong shape"),
    ("Ingress", {"annotations": "[1]"}, ""), ("NetworkPolicy", {"pod_selector": '"x"'}, "has a field of a wrong shape"),
    ("ClusterRoleBinding", {"role_kind": None}, "lacks 'role_kind'"),
    ("ServiceAccount", {"aws_role_arn": ["a"]}, ""), ("Node", {"provider_id": 7}, ""),
])  # fmt: skip
def test_broken_nodes_are_counted_or_get_one_clear_error(
    kind: str, change: dict[str, Any], message: str
) -> None:
    graph = cluster_graph.graph()
    node = next(e for e in graph.entries if f"Kubernetes{kind}" in e.get("labels", ()))
    node["properties"] = {k: v for k, v in (node["properties"] | change).items() if v is not None}
    if message:
        records = drawn(graph)
        (reason,) = skips(records)
        assert message in reason
        harmless(told(estate_of(records)), "Pod" if kind == "Container" else kind)
        return
    with pytest.raises(ReportError) as error:
        drawn(graph)
    assert "wrong shape" in error.value.message and error.value.hint == "export the graph again"


def test_a_folder_of_tables_is_imported_with_the_rest(session: Session, tmp_path: Path) -> None:
    """And meets what kubectl said of the same cluster."""
    for report in (
        *cluster.steampipe("rows"),
        *cluster.cloudquery("parquet"),
        cluster_graph.graph().report(),
    ):
        path = tmp_path / report.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(report.data)
    done = session.import_reports((str(tmp_path / "export"), str(tmp_path / "sync"),
                                   str(tmp_path / "graph")))["files"]  # fmt: skip
    assert {f["status"] for f in done} == {"imported"}
    assert {f["format"] for f in done} == {"steampipe", "cloudquery", "cartography"}
    found = session.resources("type:kubernetes_pod", limit=100)["resources"]
    assert len(found) == len([o for o in cluster.objects() if o["kind"] == "Pod"])
