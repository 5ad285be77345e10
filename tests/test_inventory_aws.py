"""AWS answers: recognised by content, read completely, and never an answer where there is none."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from secinbox.arn import parse_arn, type_of
from secinbox.estate import Estate, estate_of
from secinbox.inventory import aws
from secinbox.inventory.aws.answers import Unread, answer, is_absent
from secinbox.inventory.aws.calls import named
from secinbox.network import exposure
from secinbox.reading import Report, ReportError, head_of
from secinbox.records import AnyRecord, Relation, Resource, Scope, Skipped

A, R = "111122223333", "eu-west-1"
DATA = Path(os.environ.get("SECINBOX_SHARED_DATA", Path(__file__).parents[2] / "shared/data"))
needs_data = pytest.mark.skipif(
    not (DATA / "lab/inventory").is_dir(), reason="shared data not here"
)


def read(document: Any, name: str, *folders: str) -> list[AnyRecord]:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return list(aws.read(Report(data, name, (*folders, name))))


def lines(*pairs: tuple[dict[str, Any], dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps({"request": q, "response": r}) for q, r in pairs).encode()


def score(document: Any, name: str = "stdin") -> int:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return aws.recognise(head_of(data, name))


def resources(records: list[AnyRecord]) -> dict[str, Resource]:
    return {r.uid: r for r in records if isinstance(r, Resource)}


INSTANCES = {"Reservations": [{"OwnerId": A, "Instances": [{
    "InstanceId": "i-1", "Placement": {"AvailabilityZone": f"{R}a"}, "SubnetId": "subnet-1", "VpcId": "vpc-1",
    "PublicIpAddress": "54.1.2.3", "PrivateIpAddress": "10.0.0.4", "PublicDnsName": "EC2-54.example",
    "SecurityGroups": [{"GroupId": "sg-1"}], "Tags": [{"Key": "Name", "Value": "web"}],
    "IamInstanceProfile": {"Arn": f"arn:aws:iam::{A}:instance-profile/p"}}]}]}  # fmt: skip
INSTANCE = f"arn:aws:ec2:{R}:{A}:instance/i-1"


def test_an_instance_with_its_names_and_relations() -> None:
    records = read(INSTANCES, "x.json")
    found = resources(records)[INSTANCE]
    assert (found.type, found.account, found.region, found.name) == (
        "aws_ec2_instance",
        A,
        R,
        "web",
    )
    names = {a.name: a.confidence for a in found.aliases}
    assert names == {"i-1": 1.0, "ip:54.1.2.3": 1.0, "ip:10.0.0.4": 0.5, "dns:ec2-54.example": 1.0}
    edges = {(r.kind, r.target) for r in records if isinstance(r, Relation)}
    assert ("guarded_by", f"arn:aws:ec2:{R}:{A}:security-group/sg-1") in edges
    assert ("in_subnet", f"arn:aws:ec2:{R}:{A}:subnet/subnet-1") in edges
    assert ("has_identity", f"arn:aws:iam::{A}:instance-profile/p") in edges


@pytest.mark.parametrize(
    ("name", "folders"),
    [
        ("ec2.describe_instances.json", (A, R)),
        ("ec2-describe-instances.json", (A, R)),
        ("ec2.DescribeInstances_1.json", (A, R)),
        ("stdin", ()),
    ],
)
def test_the_same_answer_under_any_name(name: str, folders: tuple[str, ...]) -> None:
    assert score(INSTANCES, name) >= 80
    assert INSTANCE in resources(read(INSTANCES, name, *folders))


def test_a_recorded_answer_below_data() -> None:
    document = {"status_code": 200, "data": INSTANCES}
    assert score(document, "ec2.DescribeInstances_1.json") >= 80
    assert INSTANCE in resources(read(document, "ec2.DescribeInstances_1.json"))


def test_what_was_read_completely_is_said() -> None:
    keys = {
        r.key for r in read(INSTANCES, "ec2.describe_instances.json", A, R) if isinstance(r, Scope)
    }
    assert keys == {f"aws:{A}/{R}/ec2.describe_instances"}
    empty = read({"Reservations": []}, "ec2.describe_instances.json", A, R)
    assert [r.key for r in empty if isinstance(r, Scope)] == [f"aws:{A}/{R}/ec2.describe_instances"]
    assert [r for r in empty if not isinstance(r, Scope)] == []


def test_a_refused_call_covers_nothing() -> None:
    records = read({"Error": "AccessDenied"}, "ec2.describe_instances.json", A, R)
    assert [type(r) for r in records] == [Skipped]
    none = read(
        {"Error": "AWSOrganizationsNotInUseException"},
        "organizations.describe_organization.json",
        A,
        "global",
    )
    assert f"aws:{A}/global/organizations.describe_organization" in {
        r.key for r in none if isinstance(r, Scope)
    }


def test_calls_about_one_resource_keep_the_three_answers_apart() -> None:
    body = lines(
        ({"Bucket": "with"}, {"Policy": "{}"}),
        ({"Bucket": "without"}, {"Error": "NoSuchBucketPolicy"}),
        ({"Bucket": "denied"}, {"Error": "AccessDenied"}),
    )
    assert score(body, "s3.get_bucket_policy.jsonl") >= 90
    records = read(body, "s3.get_bucket_policy.jsonl", A, "global")
    estate = estate_of(records)
    items = {n: estate.items[f"arn:aws:s3:::{n}"] for n in ("with", "without", "denied")}
    assert answer(items["with"], "get_bucket_policy") == {"Policy": "{}"}
    assert answer(items["without"], "get_bucket_policy") is None
    assert isinstance(answer(items["denied"], "get_bucket_policy"), Unread)
    assert isinstance(answer(items["with"], "get_bucket_acl"), Unread)
    assert [r for r in records if isinstance(r, Scope)] == []  # one was refused
    assert len([r for r in records if isinstance(r, Skipped)]) == 1


def test_one_line_alone_is_still_a_call() -> None:
    body = lines(({"Bucket": "b"}, {"PolicyStatus": {"IsPublic": True}}))
    assert score(body, "x.jsonl") >= 90
    assert "arn:aws:s3:::b" in resources(read(body, "x.jsonl", A, "global"))


def test_an_empty_file_of_lines_is_an_answer() -> None:
    name = "ecr.describe_images.jsonl"
    assert aws.recognise(head_of(b"", name)) > 0
    assert [r.key for r in read(b"", name, A, R) if isinstance(r, Scope)] == [
        f"aws:{A}/{R}/ecr.describe_images"
    ]


def test_a_folder_a_call_and_a_file_a_parameter() -> None:
    assert (
        named("us-east-1/sqs-get-queue-attributes/https%3A%2F%2Fq%2F1%2Fdemo").parameter
        == "https://q/1/demo"
    )
    found = resources(read({"Policy": "{}"}, "invoices", R, "s3-get-bucket-policy"))
    assert list(found) == ["arn:aws:s3:::invoices"]


def test_users_groups_roles_keys() -> None:
    document = {
        "UserDetailList": [{"Arn": f"arn:aws:iam::{A}:user/ana", "UserName": "ana", "UserId": "AIDA1", "GroupList": ["g"]}],
        "GroupDetailList": [{"Arn": f"arn:aws:iam::{A}:group/x/g", "GroupName": "g", "GroupId": "AGPA1"}],
        "RoleDetailList": [{"Arn": f"arn:aws:iam::{A}:role/r", "RoleName": "r", "RoleId": "AROA1",
                            "InstanceProfileList": [{"Arn": f"arn:aws:iam::{A}:instance-profile/p"}]}],
        "Policies": [{"Arn": f"arn:aws:iam::{A}:policy/p", "PolicyName": "p"}],
    }  # fmt: skip
    assert score(document) >= 80
    records = read(document, "x.json")
    assert len(resources(records)) == 5
    edges = {(r.source, r.kind, r.target) for r in records if isinstance(r, Relation)}
    assert (f"arn:aws:iam::{A}:user/ana", "member_of", f"arn:aws:iam::{A}:group/x/g") in edges
    assert (
        f"arn:aws:iam::{A}:instance-profile/p",
        "has_identity",
        f"arn:aws:iam::{A}:role/r",
    ) in edges
    keys = read(lines(({"UserName": "ana"}, {"AccessKeyMetadata": [{"AccessKeyId": "AKIA1", "UserName": "ana"}]})),
                "iam.list_access_keys.jsonl", A, "global")  # fmt: skip
    assert resources(keys)["accesskey:AKIA1"].type == "aws_iam_access_key"


def test_images_have_digests_and_tags() -> None:
    body = lines(({"repositoryName": "web"}, {"imageDetails": [{
        "registryId": A, "repositoryName": "web", "imageDigest": "sha256:ab", "imageTags": ["1", "latest"]}]}))  # fmt: skip
    found = resources(read(body, "ecr.describe_images.jsonl", A, R))
    host = f"{A}.dkr.ecr.{R}.amazonaws.com"
    image = found[f"image:{host}/web@sha256:ab"]
    assert image.type == "container_image"
    assert [a.name for a in image.aliases] == [f"image:{host}/web:1", f"image:{host}/web:latest"]


def test_records_of_a_zone_lead_somewhere() -> None:
    body = lines(({"HostedZoneId": "/hostedzone/Z"}, {"ResourceRecordSets": [
        {"Name": "a.example.", "Type": "A", "ResourceRecords": [{"Value": "54.1.2.3"}]},
        {"Name": "b.example.", "Type": "A", "AliasTarget": {"DNSName": "dualstack.LB.example."}},
        {"Name": "example.", "Type": "NS", "ResourceRecords": [{"Value": "ns"}]}]}))  # fmt: skip
    edges = {(r.source, r.target) for r in read(body, "route53.list_resource_record_sets.jsonl", A, "global")
             if isinstance(r, Relation)}  # fmt: skip
    assert edges == {("dns:a.example", "ip:54.1.2.3"), ("dns:b.example", "dns:lb.example")}


def test_tags_in_every_form() -> None:
    queue = f"arn:aws:sqs:{R}:{A}:q"
    found = resources(read({"ResourceTagMappingList": [{"ResourceARN": queue, "Tags": [{"Key": "env", "Value": "prod"}]}]},
                           "resourcegroupstaggingapi.get_resources.json", A, R))  # fmt: skip
    assert found[queue].tags == {"env": "prod"}
    found = resources(read(lines(({"QueueUrl": f"https://sqs/{A}/q"}, {"Tags": {"env": "prod"}})),
                           "sqs.list_queue_tags.jsonl", A, R))  # fmt: skip
    assert found[queue].tags == {"env": "prod"}
    found = resources(read({"Tags": [{"ResourceId": "i-1", "ResourceType": "instance", "Key": "env", "Value": "prod"}]},
                           "ec2.describe_tags.json", A, R))  # fmt: skip
    assert found[INSTANCE].tags == {"env": "prod"}


def test_a_function_goes_by_its_name_without_version() -> None:
    uid = f"arn:aws:lambda:{R}:{A}:function:f"
    for asked in ("f", uid, uid + ":$LATEST", f"{A}:function:f:live"):
        body = lines(({"FunctionName": asked}, {"Policy": "{}", "RevisionId": "1"}))
        assert list(resources(read(body, "lambda.get_policy.jsonl", A, R))) == [uid]


def test_a_list_that_nobody_knows_gives_what_names_itself() -> None:
    arn = f"arn:aws:backup:{R}:{A}:backup-vault:v"
    records = read(
        {"BackupVaultList": [{"BackupVaultArn": arn}]}, "backup.list_backup_vaults.json", A, R
    )
    assert list(resources(records)) == [arn]
    records = read({"Things": [{"Name": "x"}]}, "new.list_things.json", A, R)
    assert [type(r) for r in records] == [Skipped]
    assert 0 < score({"Things": [{"Name": "x"}]}, "new.list_things.json") < 50


def test_other_reports_are_not_ours() -> None:
    for document in ({"Results": []}, {"findings": [{"severity": "HIGH"}]}, {"version": "2.1.0", "runs": []},
                     {"apiVersion": "v1", "items": []}, {"Findings": [{"SchemaVersion": "2018-10-08"}]}):  # fmt: skip
        assert score(document, "report.json") == 0
    assert aws.recognise(head_of(b"a,b,c\n1,2,3", "x.csv")) == 0


def test_the_note_of_gaps_is_no_error() -> None:
    document = [{"service": "ssm", "region": R, "op": "x", "error": "500"}]
    assert score(document, f"{A}/_gaps.json") >= 80
    assert read(document, f"{A}/_gaps.json") == []


def test_no_call_can_be_told() -> None:
    with pytest.raises(ReportError):
        read({"something": 1}, "x.json")


@pytest.mark.parametrize("code", ["NoSuchBucketPolicy", "ResourceNotFoundException", "RepositoryPolicyNotFoundException",
                                  "AWSOrganizationsNotInUseException"])  # fmt: skip
def test_normal_answers(code: str) -> None:
    assert is_absent(code)
    assert not is_absent("AccessDenied")
    assert not is_absent("500")


def test_garbage_inside_an_answer_never_crashes() -> None:
    for document in ({"Reservations": [5, {"Instances": [7, {"InstanceId": None}]}]},
                     {"SecurityGroups": [{"GroupId": 5, "OwnerId": []}]},
                     {"Functions": [{"FunctionArn": 5, "FunctionName": {}}]}):  # fmt: skip
        key = next(iter(document))
        name = {"Reservations": "ec2.describe_instances.json", "SecurityGroups": "ec2.describe_security_groups.json",
                "Functions": "lambda.list_functions.json"}[key]  # fmt: skip
        read(document, name, A, R)


# The samples that everybody shares


def shared(folder: str) -> Iterator[AnyRecord]:
    root = DATA / folder
    for path in sorted(p for p in root.rglob("*") if p.is_file() and p.suffix != ".md"):
        parts = path.relative_to(root).parts
        name = "/".join(parts[-2:])
        data = path.read_bytes()
        assert aws.recognise(head_of(data, name)) > 0, name
        yield from aws.read(Report(data, name, parts))


@needs_data
def test_the_lab_is_read_whole() -> None:
    records = list(shared("lab/inventory"))
    refused = {r.reason.split(" ")[0] for r in records if isinstance(r, Skipped)}
    assert refused == {"ssm.describe_instance_information", "accessanalyzer.list_analyzers"}
    for record in records:
        if isinstance(record, Resource) and record.uid.startswith("arn:"):
            assert parse_arn(record.uid) is not None
            assert record.type == type_of(record.uid)
    estate = estate_of(records)
    loose = {
        target
        for (_, _), targets in estate._out.items()
        for target in targets
        if estate.find(target) is None and ":volume/" not in target
    }
    # the CNAME that dangles, and an address that no interface has
    assert loose == {
        "dns:brightcart-promo-2024.s3-website-us-east-1.amazonaws.com",
        "ip:10.20.10.77",
    }


def lab() -> Estate:
    return estate_of(shared("lab/inventory"))


@needs_data
def test_the_lab_public() -> None:
    truth = json.loads((DATA / "truth/lab.json").read_text())
    found = {s.resource: s for s in exposure(lab())}
    assert [x["arn"] for x in truth["public_resources"] if found[x["arn"]].value != "yes"] == []
    assert [x["arn"] for x in truth["not_public_lookalikes"] if found[x["arn"]].value != "no"] == []


@needs_data
def test_the_lab_privileged() -> None:
    from secinbox.iam import privilege

    truth = json.loads((DATA / "truth/lab.json").read_text())
    found = {s.resource: s for s in privilege(lab())}
    wanted = [*truth["privileged_principals"], *truth["privileged_resources"]]
    assert [x["arn"] for x in wanted if found[x["arn"]].value != "yes"] == []
    # The dump lacks the boundary of contractor-a (the mock leaves it out): nobody could know of it.
    accused = [
        x["arn"] for x in truth["not_privileged_lookalikes"] if found[x["arn"]].value != "no"
    ]
    assert [a.rpartition("/")[2] for a in accused] == ["contractor-a"]
    for principal in truth["privileged_principals"]:
        kinds = {e.kind for e in found[principal["arn"]].evidence}
        expected = {"admin": "administrator", "escalation": "escalation", "data": "bulk_data"}
        assert expected[principal["kind"]] in kinds


def cases() -> list[str]:
    folder = DATA / "truth/iam_cases"
    return sorted(p.stem for p in folder.glob("*.json")) if folder.is_dir() else []


@needs_data
@pytest.mark.parametrize("case", cases())
def test_account_dumps_with_known_answers(case: str) -> None:
    from secinbox.iam import privilege

    truth = json.loads((DATA / f"truth/iam_cases/{case}.json").read_text())["principals"]
    found = {s.resource: s for s in privilege(estate_of(shared(f"iam_cases/{case}/inventory")))}
    for arn, wanted in truth.items():
        if wanted["can_escalate"] is None:
            continue
        kinds = {e.kind for e in found[arn].evidence} & {"administrator", "escalation"}
        said = found[arn].value == "yes" and bool(kinds)
        assert said == bool(wanted["admin"] or wanted["can_escalate"]), (
            arn,
            wanted["why"],
            found[arn],
        )


@needs_data
@pytest.mark.parametrize(
    "folder", ["inventory/aws/iam-authz-details", "inventory/aws/cloudmapper-demo"]
)
def test_real_dumps_are_read(folder: str) -> None:
    estate = estate_of(shared(folder))
    assert len(estate.items) > 40
    assert list(exposure(estate)) is not None
