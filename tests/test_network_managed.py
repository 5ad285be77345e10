"""Rarer services that AWS runs: the smallest public one of each, and its conditions flipped.

From raw answers, so that reading and judging are held together.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secinbox.arn import type_of
from secinbox.estate import Estate, Item
from secinbox.network import exposure
from secinbox.network.aws.managed import BY_POLICY, JUDGES, POLICIES
from secinbox.session import Session
from tests.conftest import CLOCK
from tests.test_network_services_rare import FLIPS as RARE
from tests.test_network_stores import ORG, ROOT, allow, policy

A, R = "111122223333", "eu-west-1"
BUCKET, POINT = "arn:aws:s3:::data", f"arn:aws:s3:{R}:{A}:accesspoint/ap"


def verdict(uid: str, *items: tuple[str, dict[str, Any]]) -> tuple[str, str]:
    estate = Estate()
    for name, config in items:
        kind = "aws_account" if name == ROOT else type_of(name)
        estate.add(Item(name, kind, name, "aws", A, R, {}, config))
    found = {s.resource: s for s in exposure(estate)}[uid]
    return found.value, found.evidence[0].text


UIDS = {
    "aws_lambda_layer": f"arn:aws:lambda:{R}:{A}:layer:x:3",
    "aws_backup_backup_vault": f"arn:aws:backup:{R}:{A}:backup-vault:v",
    "aws_glacier_vaults": f"arn:aws:glacier:{R}:{A}:vaults/v",
    "aws_glue": f"arn:aws:glue:{R}:{A}:catalog",
    "aws_codeartifact_repository": f"arn:aws:codeartifact:{R}:{A}:repository/d/r",
    "aws_codeartifact_domain": f"arn:aws:codeartifact:{R}:{A}:domain/d",
    "aws_kinesis_stream": f"arn:aws:kinesis:{R}:{A}:stream/s",
}


def nested(path: str, value: Any) -> Any:
    for word in reversed(path.split(".")):
        value = {word: value}
    return value


@pytest.mark.parametrize("row", POLICIES, ids=lambda r: r.type)
def test_a_policy_decides(row: Any) -> None:
    uid = UIDS[row.type]
    assert type_of(uid) == row.type

    def told(answer: Any) -> str:
        return verdict(uid, (uid, {"Name": "x"} | ({row.call: answer} if answer else {})))[0]

    def stated(**more: Any) -> Any:
        return nested(row.path, policy(allow(Action=row.actions[0], Resource="*", **more)))

    assert told(stated()) == "yes"
    assert told(stated(Condition=ORG)) == "no"
    assert told(stated(Principal={"AWS": f"arn:aws:iam::{A}:root"})) == "no"
    assert told(stated(Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})) == "no"
    both_halves = {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}
    assert told(stated(Condition=both_halves)) == "yes"
    deny = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    denied = policy(allow(Action=row.actions[0], Resource="*"), deny)
    assert told(nested(row.path, denied)) == "no"
    assert told({"Error": "ResourceNotFoundException"}) == "no"
    assert told({"Error": "AccessDenied"}) == "unknown"
    assert told(None) == "unknown"


BUS = f"arn:aws:events:{R}:{A}:event-bus/b"
DOCUMENT = f"arn:aws:ssm:{R}:{A}:document/D"
RUNNER = f"arn:aws:apprunner:{R}:{A}:service/x/y"
API = f"arn:aws:appsync:{R}:{A}:apis/x"
POOL = f"arn:aws:cognito-identity:{R}:{A}:identitypool/eu-west-1:1"
SERVER = f"arn:aws:transfer:{R}:{A}:server/s-1"
HOST = f"arn:aws:lightsail:{R}:{A}:Instance/u"


def ingress(public: bool, **more: Any) -> dict[str, Any]:
    return {"ServiceUrl": "x.awsapprunner.com", "NetworkConfiguration": {
        "IngressConfiguration": {"IsPubliclyAccessible": public}}, **more}  # fmt: skip


def host(*networks: str, **more: Any) -> dict[str, Any]:
    port = {"protocol": "tcp", "fromPort": 22, "toPort": 22, "accessDirection": "inbound",
            "cidrs": list(networks), "ipv6Cidrs": []}  # fmt: skip
    return {"publicIpAddress": "54.1.2.3", "state": {"name": "running"},
            "networking": {"ports": [port] if networks else []}, **more}  # fmt: skip


OWN: list[tuple[str, str, dict[str, Any], str]] = [
    ("bus", BUS, {"Name": "b", "Policy": policy(
        allow(Action="events:PutEvents", Resource=BUS))}, "yes"),
    ("bus of the organisation", BUS, {"Name": "b", "Policy": policy(
        allow(Action="events:PutEvents", Resource=BUS, Condition=ORG))}, "no"),
    ("bus without a policy", BUS, {"Name": "b"}, "no"),
    ("document for all", DOCUMENT, {"describe_document_permission": {"AccountIds": ["all"]}}, "yes"),
    ("document for one", DOCUMENT, {"describe_document_permission": {
        "AccountIds": ["444455556666"]}}, "no"),
    ("document unread", DOCUMENT, {"Name": "D"}, "unknown"),
    ("runner", RUNNER, ingress(True), "yes"),
    ("private runner", RUNNER, ingress(False), "no"),
    ("paused runner", RUNNER, ingress(True, Status="PAUSED"), "no"),
    ("runner not described", RUNNER, {"ServiceUrl": "x"}, "unknown"),
    ("key API", API, {"authenticationType": "API_KEY"}, "yes"),
    ("key as a second way", API, {"authenticationType": "AWS_IAM",
     "additionalAuthenticationProviders": [{"authenticationType": "API_KEY"}]}, "yes"),
    ("signed API", API, {"authenticationType": "AWS_IAM"}, "no"),
    ("private API", API, {"authenticationType": "API_KEY", "visibility": "PRIVATE"}, "no"),
    ("pool for guests", POOL, {"AllowUnauthenticatedIdentities": True}, "yes"),
    ("pool for users", POOL, {"AllowUnauthenticatedIdentities": False}, "no"),
    ("pool not described", POOL, {"IdentityPoolName": "x"}, "unknown"),
    ("server", SERVER, {"EndpointType": "PUBLIC"}, "yes"),
    ("server that is off", SERVER, {"EndpointType": "PUBLIC", "State": "OFFLINE"}, "no"),
    ("server in a VPC", SERVER, {"EndpointType": "VPC"}, "no"),
    ("server in a VPC with an address", SERVER, {"EndpointType": "VPC", "EndpointDetails": {
        "AddressAllocationIds": ["eipalloc-1"]}}, "unknown"),
    ("host", HOST, host("0.0.0.0/0"), "yes"),
    ("host for some", HOST, host("203.0.113.0/24"), "no"),
    ("host that is off", HOST, host("0.0.0.0/0", state={"name": "stopped"}), "no"),
    ("host without address", HOST, host("0.0.0.0/0", publicIpAddress=None), "no"),
    ("host without ports", HOST, host(), "no"),
]  # fmt: skip


@pytest.mark.parametrize(("uid", "config", "value"), [c[1:] for c in OWN], ids=[c[0] for c in OWN])
def test_an_endpoint_decides(uid: str, config: dict[str, Any], value: str) -> None:
    found, text = verdict(uid, (uid, config))
    assert found == value and text


def test_every_judge_has_cases() -> None:
    tried = {type_of(c[1]) for c in OWN} | {r.type for r in POLICIES}
    tried |= {type_of(f[2]) for f in RARE} & {*JUDGES}
    assert {*JUDGES, *BY_POLICY} == tried


DELEGATING = allow(Action="s3:*", Resource=[BUCKET, f"{BUCKET}/*"],
                   Condition={"StringEquals": {"s3:DataAccessPointAccount": A}})  # fmt: skip
OPEN_POINT = allow(Action="s3:GetObject", Resource=f"{POINT}/object/*")
NO_BLOCK = {"Error": "NoSuchPublicAccessBlockConfiguration"}


@pytest.mark.parametrize(
    ("point", "statements", "bucket", "value"),
    [
        ({}, [OPEN_POINT], DELEGATING, "yes"),
        ({"NetworkOrigin": "VPC"}, [OPEN_POINT], DELEGATING, "no"),
        ({"PublicAccessBlockConfiguration": {"RestrictPublicBuckets": True}}, [OPEN_POINT],
         DELEGATING, "no"),
        ({}, [{**OPEN_POINT, "Condition": ORG}], DELEGATING, "no"),
        ({}, [], DELEGATING, "no"),
        ({}, [OPEN_POINT], None, "no"),
        ({}, [OPEN_POINT], allow(Action="s3:*", Resource=[BUCKET, f"{BUCKET}/*"], Condition={
            "StringEquals": {"s3:DataAccessPointAccount": "444455556666"}}), "no"),
    ],
    ids=["open", "vpc", "blocked", "organisation", "no policy", "not delegated", "another's points"],
)  # fmt: skip
def test_an_access_point(
    point: dict[str, Any], statements: list[Any], bucket: Any, value: str
) -> None:
    own = {"Name": "ap", "Bucket": "data", "NetworkOrigin": "Internet", "get_access_point_policy":
           {"Policy": policy(*statements)} if statements else {"Error": "NoSuchAccessPointPolicy"}}  # fmt: skip
    held = {"get_bucket_policy": {"Policy": policy(bucket)} if bucket else {
        "Error": "NoSuchBucketPolicy"}, "get_bucket_acl": {"Grants": []},
        "get_public_access_block": NO_BLOCK}  # fmt: skip
    items = [(POINT, own | point), (BUCKET, held), (ROOT, {"s3control": NO_BLOCK})]
    assert verdict(POINT, *items)[0] == value
    assert verdict(BUCKET, *items)[0] == value  # whoever gets in there reads the bucket
    blocked = {"s3control": {"PublicAccessBlockConfiguration": {"RestrictPublicBuckets": True}}}
    assert verdict(POINT, *items[:2], (ROOT, blocked))[0] == "no"


ANSWERS: dict[str, Any] = {
    "lambda.list_layers": {"Layers": [{"LayerName": "x", "LayerArn": f"arn:aws:lambda:{R}:{A}:layer:x",
                           "LatestMatchingVersion": {"LayerVersionArn": UIDS["aws_lambda_layer"],
                                                     "Version": 3}}]},
    "transfer.describe_server": {"Server": {"Arn": SERVER, "ServerId": "s-1",
                                            "EndpointType": "PUBLIC"}},
    "events.list_event_buses": {"EventBuses": [{"Name": "b", "Arn": BUS, "Policy": policy(
        allow(Action="events:PutEvents", Resource=BUS))}]},
    "appsync.list_graphql_apis": {"graphqlApis": [{"name": "x", "arn": API,
                                                   "authenticationType": "API_KEY"}]},
    "lightsail.get_instances": {"instances": [{"name": "u", "arn": HOST, "blueprintId": "b",
                                               **host("0.0.0.0/0")}]},
    "glue.get_resource_policy": {"PolicyInJson": policy(
        allow(Action="glue:GetTable", Resource="*")), "PolicyHash": "h"},
}  # fmt: skip
LAYER = {"request": {"LayerName": "x", "VersionNumber": 3}, "response": {"Policy": policy(
    allow(Action="lambda:GetLayerVersion", Resource=UIDS["aws_lambda_layer"]))}}  # fmt: skip


def test_raw_answers_are_read_and_judged(tmp_path: Path) -> None:
    folder = tmp_path / A / R
    folder.mkdir(parents=True)
    for name, answer in ANSWERS.items():
        (folder / f"{name}.json").write_text(json.dumps(answer))
    (folder / "lambda.get_layer_version_policy.jsonl").write_text(json.dumps(LAYER))
    with Session(tmp_path / "home", CLOCK) as session:
        told = session.import_reports((str(tmp_path / A),))["files"]
        assert {f["status"] for f in told} == {"imported"}, told
        values = {r["uid"]: r["risks"]["public_accessibility"]["value"]
                  for r in session.resources(limit=1000)["resources"]}  # fmt: skip
    for uid in (UIDS["aws_lambda_layer"], UIDS["aws_glue"], SERVER, BUS, API, HOST):
        assert values[uid] == "yes", (uid, values)
