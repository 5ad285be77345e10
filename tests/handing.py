"""Small estates out of raw answers, for what hands out sessions: AWS calls and kubectl's lists."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from secinbox.estate import Estate, estate_of
from secinbox.inventory import aws as aws_inventory
from secinbox.inventory import kubernetes
from secinbox.reading import Report
from secinbox.records import AnyRecord
from tests.accounts import A, R
from tests.test_iam_kubernetes import READ
from tests.test_network_kubernetes import Object

IAM = f"arn:aws:iam::{A}:"
Said = tuple[str, Any, dict[str, Any]]  # operation, answer, request


def arn(service: str, rest: str, region: str = R, account: str = A) -> str:
    return f"arn:aws:{service}:{region}:{account}:{rest}"


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def role(name: str, trust: list[dict[str, Any]], *statements: dict[str, Any], account: str = A,
         **more: Any) -> dict[str, Any]:  # fmt: skip
    """A role as get-account-authorization-details tells it."""
    own = [{"PolicyName": "own", "PolicyDocument": document(*statements)}] if statements else []
    return {"Arn": f"arn:aws:iam::{account}:role/{name}", "RoleName": name, "Path": "/",
            "RoleId": f"AROA{name.upper():0<16}", "AssumeRolePolicyDocument": document(*trust),
            "RolePolicyList": own, "InstanceProfileList": [], "Tags": [], **more}  # fmt: skip


def roles(*found: dict[str, Any], policies: Iterable[dict[str, Any]] = ()) -> Said:
    return ("iam.get_account_authorization_details",
            {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": list(found),
             "Policies": list(policies)}, {})  # fmt: skip


def records(said: Iterable[Said], objects: Iterable[Object] = (), cluster: str = "shop",
            read: tuple[str, ...] = READ, region: str = R, account: str = A) -> list[AnyRecord]:  # fmt: skip
    """What the importers make of the answers and of a cluster of which these kinds were read whole."""
    out: list[AnyRecord] = []
    for operation, answer, request in said:
        where = "global" if operation.startswith(("iam.", "s3.")) else region
        line = {"request": request, "response": answer}
        report = Report(json.dumps(line).encode(), name=f"{operation}.jsonl",
                        parts=(account, where, f"{operation}.jsonl"))  # fmt: skip
        out += aws_inventory.read(report)
    listed = list(objects)
    whole: list[Object] = [{"apiVersion": "v1", "kind": "List", "items": listed}] if listed else []
    whole += [{"apiVersion": "v1", "kind": f"{k}List", "items": []} for k in read if listed]
    for data in whole:
        report = Report(json.dumps(data).encode(), name="x.json", options={"cluster": cluster})
        out += kubernetes.read(report)
    return out


def estate(said: Iterable[Said], objects: Iterable[Object] = (), **more: Any) -> Estate:
    return estate_of(records(said, objects, **more))
