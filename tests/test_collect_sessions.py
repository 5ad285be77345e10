"""Collecting what hands out sessions, against a server on loopback that answers as these services do.

The simulator knows neither EKS Pod Identity nor IAM Roles Anywhere; `collect` and its files are the real
ones, and what is imported from them equals the same answers written down by hand.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from secinbox.collect.aws.accounts import Account
from secinbox.collect.aws.running import Collection
from secinbox.collect.aws.writing import Folder
from secinbox.estate import Estate, estate_of
from secinbox.iam import privilege
from secinbox.inventory import aws as aws_inventory
from secinbox.reading import Report
from tests.accounts import A, R, allow
from tests.handing import Said, arn, document, records, role, roles
from tests.test_iam_kubernetes import account as service_account
from tests.test_iam_kubernetes import pod
from tests.test_sessions_anywhere import anchor, profile
from tests.test_sessions_anywhere import trust as by_certificate
from tests.test_sessions_clusters import OPS, entry
from tests.test_sessions_pods import link, pods

boto3 = pytest.importorskip("boto3")
POLICY = json.dumps(document(allow("s3:GetObject")))
LINK = link(policy=POLICY, disableSessionTags=True)
SHORT = {k: LINK[k] for k in ("clusterName", "namespace", "serviceAccount", "associationArn",
                              "associationId")}  # fmt: skip
FIRST, SECOND = "s-0123456789abcdef0", "s-0123456789abcdef1"
OLD = {"name": "old", "arn": arn("eks", "cluster/old"),
       "accessConfig": {"authenticationMode": "CONFIG_MAP"}}  # fmt: skip
MANAGED = {"Arn": arn("transfer", f"server/{FIRST}"), "ServerId": FIRST,
           "IdentityProviderType": "SERVICE_MANAGED"}  # fmt: skip
OUTSIDE = {**MANAGED, "Arn": arn("transfer", f"server/{SECOND}"), "ServerId": SECOND,
           "IdentityProviderType": "API_GATEWAY"}  # fmt: skip
USER = {"Arn": arn("transfer", f"user/{FIRST}/ana"), "UserName": "ana", "HomeDirectoryType": "PATH",
        "HomeDirectory": "/x/home", "Role": f"arn:aws:iam::{A}:role/app", "Policy": POLICY,
        "SshPublicKeys": [], "Tags": []}  # fmt: skip
LISTED = {k: USER[k] for k in ("Arn", "UserName", "HomeDirectoryType", "HomeDirectory", "Role")}
(_, ACCESS, _), (_, ENTRIES, _), (_, DESCRIBED, _), (_, POLICIES, _) = entry()
GETS: dict[str, Any] = {
    "/clusters": {"clusters": ["old", "shop"]},
    "/clusters/shop": ACCESS,
    "/clusters/old": {"cluster": OLD},
    "/clusters/shop/pod-identity-associations": {"associations": [SHORT]},
    "/clusters/old/pod-identity-associations": {"associations": []},
    "/clusters/shop/pod-identity-associations/a-1": {"association": LINK},
    "/clusters/shop/access-entries": ENTRIES,
    f"/clusters/shop/access-entries/{OPS}": DESCRIBED,
    f"/clusters/shop/access-entries/{OPS}/access-policies": POLICIES,
    "/profiles": {"profiles": [profile(sessionPolicy=POLICY)]},
    "/trustanchors": {"trustAnchors": [anchor()]},
}
POSTS: dict[str, dict[str, Any]] = {
    "ListServers": {"": {"Servers": [MANAGED, OUTSIDE]}},
    "DescribeServer": {FIRST: {"Server": {**MANAGED, "EndpointType": "PUBLIC"}},
                       SECOND: {"Server": {**OUTSIDE, "EndpointType": "PUBLIC"}}},
    "ListUsers": {FIRST: {"ServerId": FIRST, "Users": [LISTED]}},
    "DescribeUser": {FIRST: {"ServerId": FIRST, "User": USER}},
}  # fmt: skip


class Service(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:
        path = unquote(self.path.partition("?")[0])
        self.asked.append(path)
        self._say(GETS.get(path))

    def do_POST(self) -> None:
        name = self.headers["X-Amz-Target"].rpartition(".")[2]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        self.asked.append(f"{name} {body.get('ServerId', '')}".strip())
        self._say(POSTS[name].get(body.get("ServerId", "")))

    def _say(self, answer: Any) -> None:
        data = json.dumps(answer if answer is not None else {"message": "no"}).encode()
        self.send_response(200 if answer is not None else 400)
        self.send_header("Content-Length", str(len(data)))
        if answer is None:
            self.send_header("x-amzn-ErrorType", "InvalidRequestException")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests print nothing."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A collection of these services, from the server."""
    from secinbox.collect.aws import running

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    Service.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    for name, value in (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"),
                        ("AWS_MAX_ATTEMPTS", "1"), ("AWS_EC2_METADATA_DISABLED", "true")):  # fmt: skip
        monkeypatch.setenv(name, value)
    wanted = ("eks", "rolesanywhere", "transfer")
    monkeypatch.setattr(running, "ROOTS", tuple(c for c in running.ROOTS if c.service in wanted))
    try:
        made = Folder(tmp_path / "collected")
        made.open()
        Collection(made, 4).run([Account(A, boto3.Session(region_name=R), 4, (R,))])
        made.close()
        assert not made.gaps, json.dumps(made.gaps, indent=1)
        yield tmp_path / "collected"
    finally:
        server.shutdown()
        server.server_close()


def imported(folder: Path, *more: Said) -> Estate:
    out = records(more, [service_account(), pod()])
    for path in sorted(folder.rglob("*.json*")):
        parts = path.relative_to(folder).parts
        out += aws_inventory.read(Report(path.read_bytes(), name=path.name, parts=parts))
    return estate_of(out)


def test_what_is_collected_equals_the_raw_answers(folder: Path) -> None:
    people = roles(role("app", [pods(), by_certificate()], allow("*")),
                   role("ops", [pods()], allow("s3:ListBucket")))  # fmt: skip
    ours = imported(folder, people)
    said: list[Said] = [
        *entry(), people, ("eks.describe_cluster", {"cluster": OLD}, {"name": "old"}),
        ("eks.list_clusters", {"clusters": ["old", "shop"]}, {}),
        ("eks.list_pod_identity_associations", {"associations": [SHORT]}, {"clusterName": "shop"}),
        ("eks.list_pod_identity_associations", {"associations": []}, {"clusterName": "old"}),
        ("eks.describe_pod_identity_association", {"association": LINK},
         {"clusterName": "shop", "associationId": "a-1"}),
        ("rolesanywhere.list_profiles", GETS["/profiles"], {}),
        ("rolesanywhere.list_trust_anchors", GETS["/trustanchors"], {}),
        ("transfer.list_servers", POSTS["ListServers"][""], {}),
        *(("transfer.describe_server", POSTS["DescribeServer"][s], {"ServerId": s}) for s in (FIRST, SECOND)),
        ("transfer.list_users", POSTS["ListUsers"][FIRST], {"ServerId": FIRST}),
        ("transfer.describe_user", POSTS["DescribeUser"][FIRST], {"ServerId": FIRST, "UserName": "ana"}),
    ]  # fmt: skip
    theirs = estate_of(records(said, [service_account(), pod()]))
    assert ours.items == theirs.items
    assert ours.covered == theirs.covered
    found = {s.resource: s for s in privilege(ours)}
    assert list(found.values()) == list(privilege(theirs))
    # Each thing is there, and cut: the role itself is an administrator.
    for uid in (
        LINK["associationArn"],
        profile()["profileArn"],
        "k8s://shop/shop/serviceaccount/bot",
    ):
        assert found[uid].value == "no", uid
    assert found[f"arn:aws:iam::{A}:role/app"].value == found[OPS].value == "yes"
    assert ours.items[USER["Arn"]].type == "aws_transfer_user"


def test_nobody_is_asked_what_aws_would_refuse(folder: Path) -> None:
    """Access entries of a cluster that has none, users of a server that asks elsewhere."""
    assert "/clusters/old/access-entries" not in Service.asked
    assert f"ListUsers {SECOND}" not in Service.asked
    assert {"/clusters/shop/access-entries", f"ListUsers {FIRST}"} <= set(Service.asked)
