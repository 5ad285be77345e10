"""An estate says the same, whether AWS answered it or an inventory tool exported it.

Where an export cannot carry a fact the value is unknown, with the reason: each such place is written
down here, so that a kind that loses a fact shows.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from secinbox.estate import PARTIAL, Estate, Item, estate_of
from secinbox.iam import privilege
from secinbox.inventory import cartography, cloudquery, steampipe
from secinbox.inventory._nodes import KINDS, TABLE_OF
from secinbox.inventory._tables import ALL, TABLES, table_of
from secinbox.network import exposure
from secinbox.reading import Report, ReportError, head_of
from secinbox.records import AnyRecord, RiskStatement, Skipped
from tests import exported_graph, exported_tables
from tests.exported import IAM, A, Answers, R, allow, answers, arn, policy, read

Told = dict[tuple[str, str], RiskStatement]


def told(estate: Estate) -> Told:
    return {(s.risk, s.resource): s for s in (*exposure(estate), *privilege(estate))}


@cache
def raw() -> Answers:
    return answers()


@cache
def expected() -> Told:
    return told(raw().estate())


def differences(found: Told) -> dict[str, str]:
    """Resource -> the reason why the export does not know; a wrong answer fails at once."""
    out = {}
    for key, statement in expected().items():
        other = found.get(key)
        if other is not None and other.value == statement.value:
            continue
        name = key[1].split(":", 5)[-1]
        assert other is None or other.value == "unknown", (key, statement.value, other)
        why = "; ".join(e.text for e in other.evidence) if other else "no statement"
        assert why, f"unknown without a reason: {key}"
        out[name] = f"{out[name]}; {why}" if name in out else why
    assert not set(found) - set(expected())
    return out


def test_the_estate_has_an_open_and_a_closed_one_of_each_kind() -> None:
    values: dict[str, set[str]] = {}
    for (risk, uid), statement in expected().items():
        values.setdefault(f"{risk} {uid.split(':')[2:3]}", set()).add(statement.value)
    assert sum(v == {"yes", "no"} for v in values.values()) >= 20
    assert "unknown" not in {v for found in values.values() for v in found}


_ROWS = "of which some may be missing"
STEAMPIPE_UNKNOWN = {
    "/apis/httpshut": _ROWS, "/restapis/restshut": _ROWS,
    "identitypool/eu-west-1:pool-open": "get_identity_pool_roles",  # what guests get
}  # fmt: skip


@pytest.mark.parametrize("form", ["rows", "wrapped", "csv"])
def test_steampipe_says_what_aws_says(form: str) -> None:
    records = read(steampipe, exported_tables.steampipe(raw(), form))
    assert [r for r in records if isinstance(r, Skipped)] == []
    found = differences(told(estate_of(records)))
    assert set(found) == set(STEAMPIPE_UNKNOWN)
    assert all(STEAMPIPE_UNKNOWN[k] in v for k, v in found.items())


# Without a profile in the row or the graph nobody knows whether a machine has none.
_NO_PROFILE = {f"instance/i-{n}": "no statement" for n in ("alone", "behind", "stopped", "shut")}
CLOUDQUERY_UNKNOWN = STEAMPIPE_UNKNOWN | {
    # No table has the entries of prefix lists or the policies of file systems and documents, and a
    # table of policies does not say of a bucket without one that it was asked.
    "instance/i-listed": "pl-1", "file-system/fs-open": "describe_file_system_policy",
    "file-system/fs-shut": "describe_file_system_policy", "data-closed": "get_bucket_policy",
    "data-owner": "get_bucket_policy", "document/runbook": "no statement",
}  # fmt: skip


@pytest.mark.parametrize("form", ["json", "text", "csv", "parquet", "split"])
def test_cloudquery_says_what_aws_says(form: str) -> None:
    records = read(cloudquery, exported_tables.cloudquery(raw(), form))
    assert [r for r in records if isinstance(r, Skipped)] == []
    found = differences(told(estate_of(records)))
    # Only files with a head of columns say that a column is there and empty.
    wanted = CLOUDQUERY_UNKNOWN | ({} if form in ("csv", "parquet") else _NO_PROFILE)
    assert set(found) == set(wanted)
    assert all(wanted[k] in v for k, v in found.items())


_SERVICE, _CIDRS = "no network settings of a service", "not which addresses it admits"
_RULES, _BOUNDARY = "IPv4 ranges of rules", "no permissions boundary"
CARTOGRAPHY_UNKNOWN = {
    **_NO_PROFILE,
    # Rules: only their IPv4 ranges are kept, so a group with a rule is open or not known.
    "instance/i-listed": _RULES, "instance/i-shut": _RULES, "loadbalancer/app/shut/1": _RULES,
    # Policies: of a function and a key the graph keeps a conclusion, of the others nothing.
    "function:shut": "get_policy", "function:url": "get_policy",
    "key/open": "get_key_policy", "key/shut": "get_key_policy",
    "open": "get_topic_attributes", "shut": "get_topic_attributes",
    "secret:open-AbCdEf": "get_resource_policy", "secret:shut-AbCdEf": "get_resource_policy",
    "repository/open": "get_repository_policy", "repository/shut": "get_repository_policy",
    "file-system/fs-open": "describe_file_system_policy",
    "file-system/fs-shut": "describe_file_system_policy",
    "domain/open": "no access policy", "domain/shut": "no access policy",
    "/restapis/restopen": "no API policy",
    # Settings: routes of HTTP APIs, networks of services, addresses that may call a cluster, signed
    # addresses of distributions, subnets of a warehouse.
    "/apis/httpopen": "get_routes", "/apis/httpshut": "get_routes",
    "service/main/open": _SERVICE, "service/main/inner": _SERVICE, "service/main/shut": _SERVICE,
    "cluster/kopen": _CIDRS, "cluster/knarrow": _CIDRS, "distribution/EOPEN": "signed addresses",
    "cluster:ware-open": "subnet group",
    # No node of its own.
    "apis/gopen": "no statement", "apis/gshut": "no statement", "server/s-open": "no statement",
    "server/s-shut": "no statement", "identitypool/eu-west-1:pool-open": "no statement",
    "identitypool/eu-west-1:pool-shut": "no statement", "document/runbook": "no statement",
    "cluster-snapshot:all-open": "no statement",
    # Whoever has a right may have a boundary that ends it.
    "role/admin": _BOUNDARY, "role/attached": _BOUNDARY, "role/bounded": _BOUNDARY,
    "user/boss": _BOUNDARY, "user/own": _BOUNDARY, "accesskey:AKIAEXAMPLEBOSS": _BOUNDARY,
    "instance/i-open": _BOUNDARY, "task-definition/web:1": _BOUNDARY, "task/main/1": _BOUNDARY,
}  # fmt: skip


def drawn(report: Report) -> Told:
    return told(estate_of(read(cartography, [report])))


@pytest.mark.parametrize("newer", [True, False], ids=["newer", "older"])
@pytest.mark.parametrize("form", ["lines", "array", "json", "ids"])
def test_cartography_says_what_aws_says(form: str, newer: bool) -> None:
    records = read(cartography, [exported_graph.graph(raw(), newer).report(form)])
    assert [r for r in records if isinstance(r, Skipped)] == []
    found = differences(told(estate_of(records)))
    assert set(found) == {k.removeprefix("accesskey:") for k in CARTOGRAPHY_UNKNOWN}
    for name, why in CARTOGRAPHY_UNKNOWN.items():
        assert why in found[name.removeprefix("accesskey:")], name


_LABELS = sorted({e["label"] for e in exported_graph.graph(answers()).entries if "label" in e})


def _owns(entry: dict[str, Any], graph: exported_graph.Drawn) -> bool:
    """Without the account nothing has the same name."""
    return bool(entry["label"] == "RESOURCE" and entry["start"]["id"] == graph.account)


@pytest.mark.parametrize("label", _LABELS)
def test_ties_that_were_not_exported_leave_no_wrong_answer(label: str) -> None:
    graph = exported_graph.graph(raw())
    graph.entries = [e for e in graph.entries if e.get("label") != label or _owns(e, graph)]
    differences(drawn(graph.report()))


def test_nodes_alone_leave_no_wrong_answer() -> None:
    graph = exported_graph.graph(raw())
    graph.entries = [e for e in graph.entries if e["type"] == "node" or _owns(e, graph)]
    differences(drawn(graph.report()))


_NODES = sorted({e["labels"][0] for e in exported_graph.graph(answers()).entries if "labels" in e})


@pytest.mark.parametrize("label", _NODES)
def test_nodes_that_were_not_exported_leave_no_wrong_answer(label: str) -> None:
    """Their relationships are there, with an end missing: a part of the graph."""
    graph = exported_graph.graph(raw())
    graph.entries = [e for e in graph.entries if label not in e.get("labels", ())]
    records = list(cartography.read(graph.report()))
    (gap,) = [r for r in records if isinstance(r, Skipped)]
    assert gap.reason == "a relationship without both ends" and not gap.harmless
    if label != "AWSAccount":
        differences(told(estate_of(records)))


@pytest.mark.parametrize(("connector", "name", "row"), [
    (steampipe, "azure_key_vault.json", {"akas": [], "title": "a", "subscription_id": "s"}),
    (steampipe, "gcp_cloud_run_service.json", {"akas": [], "title": "a", "project": "p"}),
    (cloudquery, "gcp_storage_buckets/1.json", {"_cq_id": "1", "project_id": "s"}),
])  # fmt: skip
def test_tables_of_other_clouds_are_refused_by_name(
    connector: Any, name: str, row: dict[str, Any]
) -> None:
    report = Report(json.dumps([row]).encode(), name)
    assert connector.recognise(head_of(report.data, name)) >= 90
    with pytest.raises(ReportError) as error:
        list(connector.read(report))
    assert "not read" in error.value.message and "clouds.md" in error.value.hint


def test_targets_that_nobody_asked_for_leave_a_machine_unknown() -> None:
    """Of raw answers too: any machine of the network may stand behind an open balancer."""
    say = Answers([c for c in raw().calls if c[0] != "elbv2.describe_target_health"])
    older = [c for c in say.calls if c[0] != "elb.describe_load_balancers"]
    say = Answers([*older, ("elb.describe_load_balancers", {}, {"LoadBalancerDescriptions": []})])
    found = {k[1].rpartition("/")[2]: s for k, s in told(say.estate()).items()
             if ":instance/" in k[1] and k[0] == "public_accessibility"}  # fmt: skip
    assert found["i-behind"].value == found["i-alone"].value == "unknown"
    assert any("targets not read" in e.text for e in found["i-behind"].evidence)
    assert found["i-stopped"].value == "no" and found["i-open"].value == "yes"
    shut = Answers([(n, q, {"Listeners": []}) if n == "elbv2.describe_listeners" and "front" in str(q)
                    else (n, q, a) for n, q, a in say.calls])  # fmt: skip
    values = {k[1].rpartition("/")[2]: s.value for k, s in told(shut.estate()).items()}
    assert values["i-behind"] == "no"  # no listener that strangers reach leads to the group


def test_the_order_of_the_files_changes_nothing() -> None:
    reports = list(exported_tables.cloudquery(raw(), "split"))
    one = told(estate_of(read(cloudquery, reports)))
    two = told(estate_of(read(cloudquery, reversed(reports))))
    assert {k: s.value for k, s in one.items()} == {k: s.value for k, s in two.items()}


# -- parts of an answer --------------------------------------------------------------------------


def rows(table: str, *given: dict[str, Any], tool: Any = cloudquery) -> list[AnyRecord]:
    about = {"_cq_id": "1", "account_id": A, "region": R}
    lines = "\n".join(json.dumps({**about, **row}) for row in given)
    return list(tool.read(Report(lines.encode(), f"{table}.json", (table, f"{table}.json"))))


def test_parts_are_joined_and_never_stand_for_the_whole() -> None:
    part = {"AuthorizationType": "JWT", "RouteKey": "GET /a"}
    one = Item("x", "t", config={"get_routes": {"Items": [part]}, PARTIAL: {"get_routes": "why"}})
    two = Item("x", "t", config={"get_routes": {"Items": [{"RouteKey": "GET /b"}]},
                                 PARTIAL: {"get_routes": "why"}})  # fmt: skip
    whole = Item("x", "t", config={"get_routes": {"Items": []}})
    for order in ([one, two], [two, one]):
        estate = Estate()
        for item in order:
            estate.add(Item(item.uid, item.type, config=dict(item.config)))
        item = estate.items["x"]
        assert len(item.config["get_routes"]["Items"]) == 2
        assert item.unfinished("get_routes") == "why"
    for order in ([one, whole], [whole, one]):
        estate = Estate()
        for item in order:
            estate.add(Item(item.uid, item.type, config=dict(item.config)))
        item = estate.items["x"]
        assert item.config["get_routes"] == {"Items": []} and item.unfinished("get_routes") == ""


def held(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {f"{kind}_arn": f"{IAM}{kind}/{name}", f"{kind}_name": name, **more}


def test_a_role_of_which_parts_are_known_is_powerful_or_unknown_never_powerless() -> None:
    records = [
        *rows("aws_iam_roles", {"arn": f"{IAM}role/a", "role_name": "a", "path": "/",
                                "max_session_duration": 1, "assume_role_policy_document": policy()}),
        *rows("aws_iam_role_policies",
              held("role", "a", policy_name="p", policy_document=policy(allow("*"))),
              held("role", "b", policy_name="q", policy_document=policy(allow("ec2:Describe*")))),
        *rows("aws_iam_role_attached_policies",
              held("role", "c", policy_arn="arn:aws:iam::aws:policy/AdministratorAccess")),
        *rows("aws_iam_user_groups", held("user", "u", group_name="g")),
        *rows("aws_iam_user_policies",
              held("user", "u", policy_name="q", policy_document=policy(allow("ec2:Describe*")))),
        *rows("aws_iam_group_policies",
              held("group", "g", policy_name="q", policy_document=policy(allow("ec2:Describe*")))),
    ]  # fmt: skip
    found = {s.resource.rpartition("/")[2]: s for s in privilege(estate_of(records))}
    assert {n: s.value for n, s in found.items()} == {
        "a": "yes", "b": "unknown", "c": "yes", "u": "unknown", "g": "unknown"}  # fmt: skip
    assert any("AttachedManagedPolicies was not read" in e.text for e in found["b"].evidence)
    assert any(_ROWS in e.text for e in found["b"].evidence)


def test_a_group_whose_policy_nobody_read_is_unknown_and_so_are_its_members() -> None:
    """Also of raw answers: the policy of another account's dump, or one that was cut off."""
    attached = [{"PolicyArn": f"{IAM}policy/unread", "PolicyName": "unread"}]
    say = Answers()
    say.say("iam.get_account_authorization_details", {
        "GroupDetailList": [{"Arn": f"{IAM}group/g", "GroupName": "g", "GroupPolicyList": [],
                             "AttachedManagedPolicies": attached}],
        "UserDetailList": [{"Arn": f"{IAM}user/u", "UserName": "u", "UserPolicyList": [],
                            "AttachedManagedPolicies": [], "GroupList": ["g"]}]})  # fmt: skip
    found = {s.resource.rpartition("/")[2]: s for s in privilege(say.estate())}
    for name in ("g", "u"):
        assert found[name].value == "unknown"
        assert any("unread was not read" in e.text for e in found[name].evidence)


def test_a_listener_that_may_be_missing_leaves_a_closed_balancer_unknown() -> None:
    kept = {"aws_vpc_security_group", "aws_vpc_subnet", "aws_vpc_route_table", "aws_vpc_network_acl",
            "aws_ec2_application_load_balancer", "aws_ec2_load_balancer_listener"}  # fmt: skip
    reports = [r for r in exported_tables.steampipe(raw(), "rows")
               if r.name.removeprefix("export/").removesuffix(".json") in kept]  # fmt: skip
    given = json.loads(next(r for r in reports if "listener" in r.name).data)
    # The open front: its listener is at hand on a port that its group does not admit.
    for row in given:
        row["port"] = 8443
    changed = Report(json.dumps(given).encode(), "export/aws_ec2_load_balancer_listener.json")
    reports = [changed if "listener" in r.name else r for r in reports]
    found = told(estate_of(read(steampipe, reports)))
    values = {k[1].split("/")[-2]: s for k, s in found.items() if ":loadbalancer/" in k[1]}
    assert values["front"].value == "unknown" and _ROWS in values["front"].evidence[-1].text
    assert values["shut"].value == "no"  # no port of its group is open to strangers


# -- which table it is ---------------------------------------------------------------------------


@pytest.mark.parametrize("table", sorted(exported_tables.COLUMNS))
def test_a_table_is_known_by_its_columns_alone(table: str) -> None:
    """A whole table without a name is recognised as itself, or refused: never as another one."""
    columns = frozenset((*exported_tables.COLUMNS[table], "akas", "account_id", "partition"))
    mine = next(t for t in ALL if table in t.names)
    assert table_of("stdin", columns) == (mine.names[0] if mine.marks else "")


def test_names_are_told_once() -> None:
    names = [n for t in ALL for n in t.names]
    assert len(names) == len(set(names)) == len(TABLES)


def test_every_kind_of_node_has_its_table_and_its_row_in_the_docs() -> None:
    assert set(KINDS) <= set(TABLE_OF) and set(TABLE_OF.values()) <= set(TABLES)


def test_columns_of_two_tables_are_refused_with_the_next_step() -> None:
    row = {"akas": [], "account_id": A, "partition": "aws", "region": R, "group_id": "sg-1",
           "ip_permissions": [], "subnet_id": "s", "cidr_block": "10.0.0.0/8",
           "map_public_ip_on_launch": True}  # fmt: skip
    report = Report(json.dumps([row]).encode(), "result.json")
    assert steampipe.recognise(head_of(report.data, report.name)) >= 80
    with pytest.raises(ReportError) as error:
        list(steampipe.read(report))
    assert "aws_vpc_subnet or aws_vpc_security_group" in error.value.message
    assert "name the file after its table" in error.value.hint


def test_columns_of_no_table_are_refused_with_the_next_step() -> None:
    row = {"akas": [], "account_id": A, "partition": "aws", "title": "x"}
    with pytest.raises(ReportError) as error:
        list(steampipe.read(Report(json.dumps([row]).encode(), "result.json")))
    assert "cannot say of which table" in error.value.message
    assert "aws_ec2_instance.json" in error.value.hint


def test_a_selection_of_columns_is_known_by_the_name_of_its_file() -> None:
    text = json.dumps([{"instance_id": "i-1", "public_ip_address": "54.1.1.1"}])
    head = head_of(text.encode(), "out/aws_ec2_instance.json")
    assert steampipe.recognise(head) >= 80
    (record,) = steampipe.read(Report(text.encode(), "out/aws_ec2_instance.json"))
    assert record.uid.endswith("instance/i-1")  # type: ignore[union-attr]


LOOK_ALIKES = {
    "results.json": b'[{"account_id": "1", "partition": "aws", "check": "x"}]',
    "aws_ec2_instance.json": b'[{"id": "i-1", "type": "t3"}]',
    "query.json": b'{"columns": ["a", "b"], "rows": [[1, 2]]}',
    "table.json": b'{"columns": [{"name": "id"}], "rows": [{"id": 1}]}',
    "people.csv": b"name,account_id,team\nx,1,y\n",
    "azure.json": b'{"_cq_id": "1", "subscription_id": "s", "properties": {}}',
    "aws_s3_bucket.csv": b"resource,severity,title\nx,high,y\n",
    "aws_iam_role.tf.json": b'{"resource": {"aws_iam_role": {"a": {"name": "a"}}}}',
    "broken.parquet": b"PAR1 and nothing more",
    "other-graph.json": b'{"type": "node", "id": "1", "labels": ["Person"], "properties": {"lastupdated": 1}}',
    "figure.json": b'{"nodes": [{"id": 1, "label": "EC2Instance"}], "edges": []}',
    "network.json": b'[{"type": "node", "labels": ["EC2Instance"], "properties": {}}]',
}


@pytest.mark.parametrize("name", sorted(LOOK_ALIKES))
def test_files_of_others_are_not_taken(name: str) -> None:
    head = head_of(LOOK_ALIKES[name], name)
    assert all(c.recognise(head) == 0 for c in (steampipe, cloudquery, cartography))


# -- broken and hostile --------------------------------------------------------------------------


@pytest.mark.parametrize(("connector", "name", "data", "words"), [
    (steampipe, "aws_vpc.json", b'[{"vpc_id": "v", "cidr_block"', "middle"),
    (steampipe, "aws_vpc.json", b'{"columns": [], "rows": {"a": 1}}', "rows is not a list"),
    (steampipe, "aws_vpc.csv", b"vpc_id,cidr_block,akas\nv,x\n", "2 fields under 3 columns"),
    (steampipe, "aws_vpc.csv", b"vpc_id,cidr_block,akas\n\"v,x,y\n", "fields under"),
    (cloudquery, "aws_vpc.csv", b"vpc_id,_cq_id,akas\n\xff,x,y\n", "UTF-8"),
    (cloudquery, "aws_ec2_vpcs.parquet", b"PAR1" + b"\0" * 60 + b"PAR1", "not valid Parquet"),
    (cartography, "all.json", b'{"nodes": [{"id": "1", "labels"', "middle"),
    (cartography, "all.json", b'[{"type": "node", "id": "1"}, {"type": ', "middle"),
    (cartography, "all.json", b'{"nodes": 3, "rels": []}', "nodes is not a list"),
    (cartography, "all.json", b'{"nodes": [], "rels": {"1": 2}}', "rels is not a list"),
])  # fmt: skip
def test_a_broken_file_is_refused(connector: Any, name: str, data: bytes, words: str) -> None:
    with pytest.raises(ReportError) as error:
        list(connector.read(Report(data, name)))
    assert words in error.value.message


_WORDS: list[Any] = [None, True, 7, "x", [], ["x"], [None], [[]], {}, {"a": {"b": None}}, [{"a": 1}],
                     "[" * 5000, "{\"a\": " * 400, "\0", "\u202e<script>"]  # fmt: skip


@pytest.mark.parametrize("table", sorted(exported_tables.STEAMPIPE))
def test_whatever_stands_in_a_column_does_no_harm(table: str) -> None:
    row = exported_tables.steampipe_rows(raw(), table)[0]
    changed = [{**row, column: word} for column in row for word in _WORDS]
    document = Report(json.dumps(changed).encode(), f"{table}.json")
    for record in steampipe.read(document):
        assert record is not None


@pytest.mark.parametrize("word", _WORDS, ids=[str(i) for i in range(len(_WORDS))])
def test_whatever_stands_in_a_graph_does_no_harm(word: Any) -> None:
    """Every property of every node, then every tie, and last the parts of both."""
    graph = exported_graph.graph(raw())
    whole = json.dumps(graph.entries)
    for name in ("properties", "labels", "id", "type", "label", "start"):
        entries = json.loads(whole)
        for entry in entries:
            if name == "properties":
                entry[name] = dict.fromkeys(entry[name], word)
            elif name in entry:
                entry[name] = word
        graph.entries = entries
        text = "\n".join(json.dumps(e) for e in entries)
        estate_of(list(cartography.read(Report(text.encode(), "all.json"))))


def test_a_table_without_use_is_counted_by_its_name() -> None:
    (record,) = steampipe.read(Report(b'[{"akas": [], "name": "x"}]', "aws_cloudwatch_alarm.json"))
    assert isinstance(record, Skipped) and record.harmless
    assert record.reason == "aws_cloudwatch_alarm is no table of use here"


# -- tables whose facts no exposure and no privilege of the estate above shows ---------------------


def one(table: str, row: dict[str, Any]) -> Estate:
    about = {"account_id": A, "region": R, "partition": "aws", "akas": []}
    report = Report(json.dumps([about | row]).encode(), f"{table}.json")
    records = list(steampipe.read(report))
    assert not [r for r in records if isinstance(r, Skipped)]
    return estate_of(records)


def test_organisations_and_their_policies() -> None:
    content = policy({"Effect": "Deny", "Action": "*", "Resource": "*"})
    scp = f"arn:aws:organizations::{A}:policy/o-1/service_control_policy/p-1"
    estate = one("aws_organizations_policy_target", {
        "id": "p-1", "arn": scp, "name": "stop", "type": "SERVICE_CONTROL_POLICY",
        "target_id": A, "content": content})  # fmt: skip
    assert json.loads(estate.items[scp].config["Content"]) == content
    assert estate.targets(f"arn:aws:iam::{A}:root", "guarded_by") == [scp]
    member = one("aws_organizations_account", {"id": A, "name": "shop", "parent_id": "ou-1",
                                               "joined_method": "CREATED"})  # fmt: skip
    assert member.targets(f"arn:aws:iam::{A}:root", "member_of") == ["ou-1"]
    unit = one("aws_organizations_organizational_unit", {"id": "ou-1", "parent_id": "r-1"})
    assert unit.targets("ou-1", "member_of") == ["r-1"]
    own = one("aws_account", {"organization_id": "o-1", "organization_master_account_id": A,
                              "organization_arn": f"arn:aws:organizations::{A}:organization/o-1"})  # fmt: skip
    told_of = own.items[f"arn:aws:iam::{A}:root"].config["describe_organization"]
    assert told_of["Organization"]["MasterAccountId"] == A


def test_credentials() -> None:
    user = f"{IAM}user/ana"
    report = one("aws_iam_credential_report", {
        "user_name": "ana", "user_arn": user, "mfa_active": False, "password_enabled": True,
        "user_creation_time": "2025-01-01", "password_last_used": None,
        "access_key_1_active": True})  # fmt: skip
    said = report.items[user].config["credential_report"]
    assert (said["mfa_active"], said["password_enabled"], said["password_last_used"]) == (
        "false", "true", "N/A")  # fmt: skip
    assert "access_key_2_active" not in said
    summary = one("aws_iam_account_summary", {"account_mfa_enabled": False,
                                              "account_access_keys_present": 1})  # fmt: skip
    counts = summary.items[f"arn:aws:iam::{A}:root"].config["get_account_summary"]["SummaryMap"]
    assert counts == {"AccountMFAEnabled": 0, "AccountAccessKeysPresent": 1}
    used = one("aws_iam_access_advisor", {"principal_arn": user, "service_namespace": "s3",
                                          "service_name": "S3", "last_authenticated": None})  # fmt: skip
    assert used.items[user].unfinished("get_service_last_accessed_details")
    device = one("aws_iam_virtual_mfa_device", {"serial_number": "x", "user_name": "ana"})
    assert device.items[user].config["list_mfa_devices"]["MFADevices"][0]["SerialNumber"] == "x"
    holders = one("aws_iam_policy_attachment", {
        "policy_arn": f"{IAM}policy/p", "policy_roles": [{"RoleName": "r"}]})  # fmt: skip
    assert holders.items[f"{IAM}role/r"].config["AttachedManagedPolicies"][0]["PolicyName"] == "p"


def test_an_empty_column_is_none_only_where_the_same_right_showed_something() -> None:
    bare = {"name": "f", "arn": arn("lambda", "function:f"), "runtime": "p", "handler": "h",
            "policy": None, "url_config": None}  # fmt: skip
    values = {}
    for name, code in (("seen", {"Location": "x"}), ("unseen", None)):
        (statement,) = exposure(one("aws_lambda_function", bare | {"code": code}))
        values[name] = statement.value
    assert values == {"seen": "no", "unseen": "unknown"}
    for name, timeout in (("seen", 30), ("unseen", None)):
        queue = {"queue_arn": arn("sqs", "q"), "queue_url": f"https://sqs/{A}/q", "policy": None,
                 "visibility_timeout_seconds": timeout}  # fmt: skip
        (statement,) = exposure(one("aws_sqs_queue", queue))
        values[name] = statement.value
    assert values == {"seen": "no", "unseen": "unknown"}


SIMPLE: list[tuple[str, dict[str, Any], str, str]] = [
    ("aws_vpc_eip", {"allocation_id": "e-1", "public_ip": "54.1.1.1"},
     f"arn:aws:ec2:{R}:{A}:elastic-ip/e-1", "PublicIp"),
    ("aws_ebs_volume", {"volume_id": "vol-1", "attachments": []},
     f"arn:aws:ec2:{R}:{A}:volume/vol-1", "Attachments"),
    ("aws_vpc_egress_only_internet_gateway", {"id": "eigw-1"},
     f"arn:aws:ec2:{R}:{A}:egress-only-internet-gateway/eigw-1", "EgressOnlyInternetGatewayId"),
    ("aws_ec2_transit_gateway_vpc_attachment", {
        "transit_gateway_attachment_id": "a-1", "transit_gateway_id": "tgw-1", "resource_id": "vpc-1",
        "association_transit_gateway_route_table_id": "t-1"},
     f"arn:aws:ec2:{R}:{A}:transit-gateway-attachment/a-1", "ResourceId"),
    ("aws_ec2_transit_gateway_route", {
        "transit_gateway_route_table_id": "t-1", "destination_cidr_block": "10.0.0.0/8",
        "transit_gateway_attachments": []},
     f"arn:aws:ec2:{R}:{A}:transit-gateway-route-table/t-1", "search_transit_gateway_routes"),
    ("aws_ec2_launch_template", {"launch_template_id": "lt-1", "launch_template_name": "x"},
     f"arn:aws:ec2:{R}:{A}:launch-template/lt-1", "LaunchTemplateName"),
    ("aws_ec2_regional_settings", {"snapshot_block_public_access_state": "block-all-sharing"},
     f"arn:aws:iam::{A}:root", f"get_snapshot_block_public_access_state:{R}"),
    ("aws_vpc_block_public_access_options", {"internet_gateway_block_mode": "block-ingress"},
     f"arn:aws:iam::{A}:root", f"describe_vpc_block_public_access_options:{R}"),
    ("aws_cloudtrail_trail", {"name": "t", "arn": arn("cloudtrail", "trail/t"), "s3_bucket_name": "b"},
     arn("cloudtrail", "trail/t"), "S3BucketName"),
    ("aws_codebuild_project", {"arn": arn("codebuild", "project/p"), "name": "p", "service_role": "r"},
     arn("codebuild", "project/p"), "serviceRole"),
    ("aws_sfn_state_machine", {"arn": arn("states", "stateMachine:m"), "role_arn": "r",
                               "definition": {"States": {}}},
     arn("states", "stateMachine:m"), "roleArn"),
    ("aws_backup_vault", {"name": "v", "arn": arn("backup", "backup-vault:v"), "policy": policy()},
     arn("backup", "backup-vault:v"), "get_backup_vault_access_policy"),
    ("aws_s3_access_point", {"name": "ap", "access_point_arn": arn("s3", "accesspoint/ap"),
                             "bucket_name": "b", "network_origin": "Internet", "policy": policy()},
     arn("s3", "accesspoint/ap"), "get_access_point_policy"),
    ("aws_msk_cluster", {"arn": arn("kafka", "cluster/k/1"), "cluster_name": "k",
                         "provisioned": {"BrokerNodeGroupInfo": {}}},
     arn("kafka", "cluster/k/1"), "Provisioned"),
    ("aws_mq_broker", {"arn": arn("mq", "broker:b:b-1"), "broker_id": "b-1",
                       "publicly_accessible": False, "engine_type": "RABBITMQ"},
     arn("mq", "broker:b:b-1"), "PubliclyAccessible"),
    ("aws_redshiftserverless_workgroup", {
        "workgroup_arn": arn("redshift-serverless", "workgroup/w"), "publicly_accessible": False},
     arn("redshift-serverless", "workgroup/w"), "publiclyAccessible"),
    ("aws_lightsail_instance", {"arn": arn("lightsail", "Instance/i"), "name": "i",
                                "networking": {"Ports": [{"FromPort": 22}]}, "state_name": "running"},
     arn("lightsail", "Instance/i"), "networking"),
    ("aws_codeartifact_repository", {
        "arn": arn("codeartifact", "repository/d/r"), "name": "r", "domain_name": "d",
        "policy": policy()}, arn("codeartifact", "repository/d/r"), "get_repository_permissions_policy"),
    ("aws_ec2_autoscaling_group", {
        "name": "g", "autoscaling_group_arn": arn("autoscaling", "autoScalingGroup:1:g"),
        "launch_template_id": "lt-1", "target_group_arns": ["t"], "instances": []},
     arn("autoscaling", "autoScalingGroup:1:g"), "LaunchTemplate"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "row", "uid", "key"), SIMPLE, ids=[s[0] for s in SIMPLE])
def test_what_a_table_says(table: str, row: dict[str, Any], uid: str, key: str) -> None:
    item = one(table, row).items[uid]
    assert item.config.get(key) not in (None, "")
    assert item.account in (A, "")


# -- nodes whose facts no exposure and no privilege of the estate above shows -----------------------


def _drawn_alone() -> Estate:
    """One of each, tied as Cartography ties it."""
    graph = exported_graph.Drawn(newer=True)
    vpc = graph.node("AWSVpc", "vpc-9", vpcid="vpc-9", region=R)
    subnet = graph.node("EC2Subnet", "subnet-9", subnetid="subnet-9", region=R)
    graph.tie(subnet, "MEMBER_OF_AWS_VPC", vpc)
    machine = graph.node("EC2Instance", "i-9", instanceid="i-9", region=R)
    address = graph.node("ElasticIPAddress", "54.9.9.9", public_ip="54.9.9.9", allocation_id="eip-9",
                         instance_id="i-9", region=R)  # fmt: skip
    graph.tie(machine, "ELASTIC_IP_ADDRESS", address)
    volume = graph.node("EBSVolume", "vol-9", volumeid="vol-9", region=R, snapshotid="snap-9")
    graph.tie(volume, "ATTACHED_TO", machine)
    gateway = graph.node("AWSTransitGateway", arn("ec2", "transit-gateway/tgw-9"), tgw_id="tgw-9",
                         arn=arn("ec2", "transit-gateway/tgw-9"), region=R)  # fmt: skip
    link = graph.node("AWSTransitGatewayAttachment", "att-9", resource_type="vpc", region=R)
    graph.tie(link, "ATTACHED_TO", gateway)
    graph.tie(vpc, "RESOURCE", link)
    table = graph.node("AWSTransitGatewayRouteTable", "t-9", transit_gateway_id="tgw-9", region=R)
    route = graph.node("AWSTransitGatewayRoute", "t-9|10", destination_cidr_block="10.0.0.0/8",
                       target="att-9", state="active", region=R)  # fmt: skip
    graph.tie(table, "HAS_ROUTE", route)
    graph.node("AWSTransitGatewayRouteTableAssociation", "a-9", route_table_id="t-9",
               attachment_id="att-9", state="associated")  # fmt: skip
    scaling = graph.node("AutoScalingGroup", arn("autoscaling", "autoScalingGroup:1:g"), name="g",
                         launchtemplateid="lt-9", launchtemplateversion="1", region=R)  # fmt: skip
    graph.tie(machine, "MEMBER_AUTO_SCALE_GROUP", scaling)
    template = graph.node("LaunchTemplate", "lt-9", name="t", region=R)
    version = graph.node("LaunchTemplateVersion", "lt-9-1", version_number=1, image_id="ami-9",
                         iam_instance_profile_arn=f"{IAM}instance-profile/p")  # fmt: skip
    graph.tie(template, "VERSION", version)
    unit = graph.node("AWSOrganizationalUnit", "ou-9", ou_id="ou-9", owned=False)
    graph.tie(graph.account, "PARENT", unit)
    image = graph.node("ECRImage", "sha256:9", digest="sha256:9", region=R)
    tagged = graph.node("ECRRepositoryImage", "r:1", tag="1", region=R,
                        repo_uri=f"{A}.dkr.ecr.{R}.amazonaws.com/r")  # fmt: skip
    graph.tie(tagged, "IMAGE", image)
    secret = graph.node("SSMParameter", arn("ssm", "parameter/p"), name="p", type="SecureString",
                        value="never to be kept", region=R)  # fmt: skip
    graph.tie(secret, "TAGGED", graph.node("AWSTag", "team:x", key="team", value="x"))  # fmt: skip
    return estate_of(read(cartography, [graph.report()]))


NODES: list[tuple[str, str, Any]] = [
    (f"arn:aws:ec2:{R}:{A}:elastic-ip/eip-9", "PublicIp", "54.9.9.9"),
    (f"arn:aws:ec2:{R}:{A}:volume/vol-9", "Attachments", [{"InstanceId": "i-9"}]),
    (f"arn:aws:ec2:{R}:{A}:transit-gateway-attachment/att-9", "ResourceId", "vpc-9"),
    (f"arn:aws:ec2:{R}:{A}:transit-gateway-attachment/att-9", "TransitGatewayId", "tgw-9"),
    (f"arn:aws:ec2:{R}:{A}:transit-gateway-attachment/att-9", "Association",
     {"TransitGatewayRouteTableId": "t-9", "State": "associated"}),
    (f"arn:aws:ec2:{R}:{A}:transit-gateway-route-table/t-9", "search_transit_gateway_routes",
     {"Routes": [{"DestinationCidrBlock": "10.0.0.0/8", "State": "active",
                  "TransitGatewayAttachments": [{"TransitGatewayAttachmentId": "att-9"}]}]}),
    (arn("autoscaling", "autoScalingGroup:1:g"), "Instances", [{"InstanceId": "i-9"}]),
    (f"arn:aws:ec2:{R}:{A}:launch-template/lt-9", "describe_launch_template_versions",
     {"LaunchTemplateVersions": [{
         "LaunchTemplateId": "lt-9", "VersionNumber": 1, "LaunchTemplateData": {
             "ImageId": "ami-9", "IamInstanceProfile": {"Arn": f"{IAM}instance-profile/p"}}}]}),
]  # fmt: skip


@pytest.mark.parametrize(("uid", "key", "value"), NODES, ids=[f"{n[1]}" for n in NODES])
def test_what_a_node_says(uid: str, key: str, value: Any) -> None:
    assert _drawn_alone().items[uid].config[key] == value


def test_what_nodes_say_of_each_other() -> None:
    estate = _drawn_alone()
    assert estate.targets(f"arn:aws:iam::{A}:root", "member_of") == ["ou-9"]
    (image,) = estate.of_type("container_image")
    assert "sha256:9" in image.uid and image.config["imageTags"] == ["1"]
    parameter = estate.items[arn("ssm", "parameter/p")]
    assert parameter.tags == {"team": "x"} and "never" not in json.dumps(parameter.config)
    # Nothing says which groups guard the machine: then nothing says that nobody comes in.
    (exposed,) = [s for s in exposure(estate) if s.resource.endswith("instance/i-9")]
    assert exposed.value == "unknown"


def test_networks_with_ipv6_whose_addresses_the_graph_does_not_keep_are_unknown() -> None:
    values = {}
    for name in ("plain", "six"):
        graph = exported_graph.graph(raw())
        if name == "six":
            block = graph.node("AWSCidrBlock", "vpc-1|2a05::/56", "AWSIpv6CidrBlock")
            graph.tie(graph._ids["AWSVpc", "vpc-1"], "BLOCK_ASSOCIATION", block)
            route = graph.node("EC2Route", "six", destination_ipv6_cidr_block="::/0", state="active",
                               gateway_id="igw-1", region=R)  # fmt: skip
            graph.tie(graph._ids["EC2RouteTable", "rtb-private"], "ROUTE", route)
            for number, way in enumerate((False, True)):
                rule = graph.node("EC2NetworkAclRule", f"six{number}", egress=way, rulenumber=90,
                                  ruleaction="allow", protocol="-1", ipv6cidrblock="::/0")  # fmt: skip
                graph.tie(rule, "MEMBER_OF_NACL", graph._ids[
                    "EC2NetworkAcl", f"arn:aws:ec2:{R}:{A}:network-acl/acl-1"])  # fmt: skip
        found = drawn(graph.report())
        values[name] = [found["public_accessibility", f"arn:aws:ec2:{R}:{A}:{n}"].value
                        for n in ("subnet/subnet-private", "instance/i-alone", "instance/i-open")]  # fmt: skip
    assert values == {"plain": ["no", "no", "yes"], "six": ["unknown", "unknown", "yes"]}
