"""Collecting from Azure and Google Cloud, against servers of a few lines that fail as the real ones do."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

import pytest
from click.testing import CliRunner

from secinbox.cli import secinbox
from secinbox.collect import azure, gcp
from secinbox.collect.azure.tables import BELOW
from secinbox.collect.rest import Refused, Rest
from secinbox.connectors import recognise
from secinbox.estate import estate_of
from secinbox.iam.azure import privilege
from secinbox.iam.gcp import privilege as google_privilege
from secinbox.inventory import azure as azure_inventory
from secinbox.inventory import gcp as gcp_inventory
from secinbox.network import exposure
from secinbox.network.azure import CONTROLS
from secinbox.reading import Report, ReportError
from tests import test_azure as rows
from tests import test_gcp as assets
from tests.test_flips_azure import perimeter

SUBSCRIPTION = rows.SUB.rsplit("/", 1)[-1]
GROUP = "cccccccc-0000-0000-0000-00000000000c"


class Cloud(ThreadingHTTPServer):
    """Answers by path; `faults` are statuses given first, in order, for paths that hold a word."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: Counter[str] = Counter()
        self.faults: dict[str, list[int]] = {}
        self.token = "first"
        self.tokens = 0
        self.elsewhere = False
        self.holder = rows.ANA
        self.groups: dict[str, list[Any]] = {}
        self.policy: list[Any] = []

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def rest(self) -> Rest:
        """A client; a fresh token is the one that the server takes now."""
        given = {"token": "first"}

        def token(fresh: bool) -> str:
            if fresh:
                self.tokens += 1
                given["token"] = self.token
            return given["token"]

        return Rest(self.base, token, sleep=lambda seconds: self.waits.append(seconds))

    waits: list[float] = []
    walls: list[Any] = []
    vaults: list[Any] = []

    def answer(self, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        """What the real services answer, shortened."""
        if path == "/subscriptions":
            return 200, {"value": [{"subscriptionId": SUBSCRIPTION, "id": rows.SUB}]}
        if path.endswith("ResourceGraph/resources"):
            table = body["query"].split(" ")[0]
            found = {
                "resources": [
                    *rows.machine(rows.rule()),
                    rows.store(),
                    rows.sql(),
                    rows.site(),
                    *self.walls[:1],
                    *self.vaults,
                ],
                "resourcecontainers": [rows.SUBSCRIPTION],
                "authorizationresources": [rows.assigned(rows.OWNER, self.holder)],
            }[table]
            second = bool(body["options"].get("$skipToken"))
            half = len(found) // 2
            if second or half == 0:
                return 200, {"data": found[half:]}
            return 200, {"data": found[:half], "$skipToken": "more"}
        if path.endswith("/blobServices/default/containers"):
            return 200, {"value": [rows.blobs()]}
        if "/networkSecurityPerimeters/" in path:
            # Rules are listed below profiles, which no table lists.
            return 200, {"value": [w for w in self.walls[1:] if w["id"].startswith(path + "/")
                                   and w["id"].count("/") == path.count("/") + 1]}  # fmt: skip
        if path.endswith("/config/web"):
            return 200, {"id": f"{rows.SITE}/config/web", "name": "web", "type": "Microsoft.Web/sites/config",
                         "properties": {"ipSecurityRestrictions": [{"ipAddress": "Any", "action": "Allow"}]}}  # fmt: skip
        if path == "/v1.0/groups":
            if "page" in query:
                return 200, {"value": []}
            host = "http://elsewhere.test" if self.elsewhere else self.base
            return 200, {"value": [{"id": GROUP, "displayName": "ops", "securityEnabled": True}],
                         "@odata.nextLink": f"{host}/v1.0/groups?page=2"}  # fmt: skip
        if path in ("/v1.0/users", "/v1.0/directoryRoles"):
            # What is asked for in the path itself arrives.
            assert "$select" in query or query.get("$expand") == ["members"], query
        if path.endswith("/eligibilityScheduleInstances"):
            assert query["$filter"] == [f"groupId eq '{GROUP}'"]
            return 200, {"value": [{"id": "e", "principalId": rows.ANA, "groupId": GROUP, "accessId": "member",
                                    "eligibilityScheduleId": "s"}]}  # fmt: skip
        if path == f"/v1.0/groups/{GROUP}/members":
            if self.holder == GROUP:
                return 200, {"value": []}
            return 200, {"value": [{"@odata.type": "#microsoft.graph.user", "id": rows.ANA}]}
        if path.startswith(("/v1.0/", "/subscriptions/")):
            return 200, {"value": []}
        if path.endswith("/assets"):
            content = query["contentType"][0]
            if content == "RESOURCE":
                listed = [assets.machine(), assets.firewall()]
                if "pageToken" in query:
                    return 200, {"assets": listed[1:]}
                return 200, {"assets": listed[:1], "nextPageToken": "two"}
            if content == "IAM_POLICY" and self.policy:
                return 200, {"assets": [assets.project(*self.policy)]}
            return 200, ({"assets": [{k: v for k, v in assets.bucket(assets.bind(assets.VIEW, "allUsers")).items()
                                      if k != "resource"}]} if content == "IAM_POLICY" else {})  # fmt: skip
        if path == "/v1/groups:lookup":
            address = query["groupKey.id"][0]
            return (200, {"name": f"groups/{address[:3]}"}) if address in self.groups else (403, {
                "error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no"}})  # fmt: skip
        if path.startswith("/v1/groups/"):
            own = next(g for g in self.groups if g[:3] == path.split("/")[3])
            members = self.groups[own]
            at = int(query.get("pageToken", ["0"])[0])
            assert query["view"] == ["FULL"]
            more = {"nextPageToken": str(at + 1)} if at + 1 < len(members) else {}
            return 200, {"memberships": members[at : at + 1], **more}
        if path.endswith("/denypolicies"):
            return 200, {"policies": [{"name": "policies/x/denypolicies/d"}]}
        if path.startswith("/v2/policies/"):
            return 200, {"name": path.removeprefix("/v2/"), "kind": "DenyPolicy", "rules": []}
        return 404, {"error": {"code": "NotFound", "message": "no such thing"}}


class _Handler(BaseHTTPRequestHandler):
    server: Cloud

    def _do(self) -> None:
        asked = urlparse(self.path)
        path = unquote(asked.path)
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        name = f"{path} {body['query'] if body else ''}"
        self.server.asked[name] += 1
        status, answer = self.server.answer(path, parse_qs(asked.query), body)
        if self.headers.get("Authorization") != f"Bearer {self.server.token}":
            status, answer = (
                401,
                {"error": {"code": "ExpiredAuthenticationToken", "message": "expired"}},
            )
        else:
            for word, faults in self.server.faults.items():
                if word in name and faults:
                    status = faults[0] if faults[0] == 403 else faults.pop(0)
                    answer = {"error": {"code": "Fault", "message": "as asked"}}
                    break
        text = json.dumps(answer).encode()
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "7")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = _do

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    server = Cloud()
    server.waits = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def read(cloud: Cloud, to: Path, **asked: Any) -> azure.Collected:
    return azure.collect(to, azure.Asked(**asked), clients=(cloud.rest(), cloud.rest()))


def answers(folder: Path, inventory: Any) -> dict[str, str]:
    """public_accessibility of all that the files say."""
    records = []
    for file in sorted(folder.rglob("*.json")):
        data = file.read_bytes()
        if data and recognise(data, file.name).id in ("azure", "gcp"):
            records += list(inventory.read(Report(data, name=file.name)))
    return {s.resource: s.value for s in exposure(estate_of(records))}


def test_azure_is_read_and_judged(cloud: Cloud, tmp_path: Path) -> None:
    done = read(cloud, tmp_path)
    assert done.subscriptions == [SUBSCRIPTION] and not done.gaps
    found = answers(tmp_path, azure_inventory)
    assert found[rows.VM.lower()] == found[rows.BLOBS.lower()] == found[rows.SITE.lower()] == "yes"
    # The server was asked for its rules, and has none.
    assert found[rows.SQL.lower()] == "no"
    groups = json.loads((tmp_path / "graph" / "groups.json").read_text())
    assert groups["value"][0]["members"] == [
        {"@odata.type": "#microsoft.graph.user", "id": rows.ANA}
    ]
    assert not (tmp_path / ".secinbox-collecting").exists()


def test_azure_is_asked_about_the_groups_that_hold_something(cloud: Cloud, tmp_path: Path) -> None:
    """Eligible memberships are listed group by group only, so of those that matter."""
    read(cloud, tmp_path / "idle")
    assert not any("privilegedAccess" in path for path in cloud.asked)
    cloud.holder = GROUP
    done = read(cloud, tmp_path / "held")
    found = {
        p.split(" ")[0].rsplit("/", 1)[-1]: n
        for p, n in cloud.asked.items()
        if "privilegedAccess" in p
    }
    assert (
        found == {"eligibilityScheduleInstances": 1, "assignmentScheduleInstances": 1}
        and not done.gaps
    )
    records = []
    for file in sorted((tmp_path / "held").rglob("*.json")):
        data = file.read_bytes()
        if data and recognise(data, file.name).id == "azure":
            records += list(azure_inventory.read(Report(data, name=file.name)))
    answer = {s.resource: s for s in privilege(estate_of(records))}[f"entra:{rows.ANA}"]
    assert answer.value == "unknown" and "eligible membership" in answer.evidence[0].text


@pytest.mark.parametrize(("prefixes", "value"), [((), "no"), (("0.0.0.0/0",), "yes")])
def test_the_rules_of_a_perimeter_are_found_below_its_profiles(
    cloud: Cloud, tmp_path: Path, prefixes: tuple[str, ...], value: str
) -> None:
    vault = rows.row(
        "Microsoft.KeyVault/vaults", "kv", {"publicNetworkAccess": "SecuredByPerimeter"}
    )
    line, association, *rules = perimeter(vault["id"], *prefixes)
    profile = {"id": rules[0]["id"].partition("/accessRules/")[0], "name": "p", "properties": {},
               "type": "Microsoft.Network/networkSecurityPerimeters/profiles"}  # fmt: skip
    cloud.walls, cloud.vaults = [line, association, profile, *(rules if prefixes else ())], [vault]
    assert not read(cloud, tmp_path).gaps
    assert answers(tmp_path, azure_inventory)[vault["id"].lower()] == value


def test_azure_waits_when_told_to_and_signs_in_again(cloud: Cloud, tmp_path: Path) -> None:
    cloud.faults = {"resources | order": [429, 503], "containers": [500]}
    cloud.token = "second"
    done = read(cloud, tmp_path)
    assert not done.gaps and 7.0 in cloud.waits and cloud.tokens
    assert answers(tmp_path, azure_inventory)[rows.BLOBS.lower()] == "yes"


def test_what_azure_refuses_is_a_gap_and_unknown(cloud: Cloud, tmp_path: Path) -> None:
    cloud.faults = {
        "/containers": [403],
        "firewallRules": [403],
        "roleEligibility": [403],
        "authorizationresources": [403],
    }
    done = read(cloud, tmp_path)
    assert {"arm/containers", "arm/sql-rules", "arm/eligible-roles", "resourcegraph/authorizationresources",
            "graph/roleEligibilityScheduleInstances"} <= set(done.gaps)  # fmt: skip
    assert "403" in done.gaps["arm/containers"]
    found = answers(tmp_path, azure_inventory)
    assert found[rows.STORE.lower()] == found[rows.SQL.lower()] == "unknown"


def test_a_run_that_was_broken_off_goes_on(cloud: Cloud, tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(name: str, *_: int) -> None:
        if name == "arm/sql-rules":
            raise Stop

    with pytest.raises(Stop):
        azure.collect(tmp_path, azure.Asked(), stop, (cloud.rest(), cloud.rest()))
    before = dict(cloud.asked)
    done = read(cloud, tmp_path)
    assert done.resumed
    again = [
        n
        for n, times in cloud.asked.items()
        if times > before.get(n, 0) and ("containers" in n or "order by" in n)
    ]
    assert not again
    # A run that ended is made anew.
    assert not read(cloud, tmp_path).resumed
    assert sum("order by" in n for n in cloud.asked) == 3 and all(
        t >= 2 for n, t in cloud.asked.items() if "order by" in n)  # fmt: skip


def test_a_next_page_at_another_host_is_not_followed(cloud: Cloud, tmp_path: Path) -> None:
    cloud.elsewhere = True
    assert "another host" in read(cloud, tmp_path).gaps["graph/groups"]


def test_nothing_at_all_is_an_error_with_a_next_step(cloud: Cloud, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="no subscription"):
        read(cloud, tmp_path, subscriptions=("00000000-0000-0000-0000-000000000000",))
    cloud.faults = {"/subscriptions": [403]}
    with pytest.raises(ReportError, match="cannot sign in"):
        read(cloud, tmp_path)
    cloud.faults = {"RESOURCE": [403], "/assets": [403]}
    with pytest.raises(ReportError, match="cannot read Google Cloud"):
        gcp.collect(
            tmp_path,
            gcp.Asked(("projects/shop-1",)),
            clients=(cloud.rest(), cloud.rest(), cloud.rest()),
        )
    with pytest.raises(ReportError, match="is no scope"):
        gcp.collect(
            tmp_path, gcp.Asked(("shop-1",)), clients=(cloud.rest(), cloud.rest(), cloud.rest())
        )


def test_a_server_that_is_not_there_is_refused(tmp_path: Path) -> None:
    gone = Rest("http://127.0.0.1:9", lambda fresh: "x", sleep=lambda _: None)
    with pytest.raises(Refused, match="ConnectError"):
        gone.ask("/x")


def test_google_cloud_is_read_and_judged(cloud: Cloud, tmp_path: Path) -> None:
    cloud.faults = {"/assets": [429]}
    done = gcp.collect(
        tmp_path,
        gcp.Asked(("projects/shop-1",)),
        clients=(cloud.rest(), cloud.rest(), cloud.rest()),
    )
    assert not done.gaps and done.assets == 4
    found = answers(tmp_path, gcp_inventory)
    assert found[assets.VM] == "yes"


def test_what_google_cloud_refuses_is_a_gap(cloud: Cloud, tmp_path: Path) -> None:
    cloud.faults = {"denypolicies": [403]}
    done = gcp.collect(
        tmp_path,
        gcp.Asked(("projects/shop-1",)),
        clients=(cloud.rest(), cloud.rest(), cloud.rest()),
    )
    assert set(done.gaps) == {"projects-shop-1/deny_policy"}


@pytest.mark.parametrize(
    ("word", "told"),
    [("azure", "Microsoft.Compute/*/read"), ("gcp", "cloudasset.assets.listIamPolicy")],
)
def test_the_least_role_is_printed(word: str, told: str) -> None:
    made = CliRunner().invoke(secinbox, ["collect", word, "--print-policy"])
    assert made.exit_code == 0 and told in made.output
    assert "write" not in made.output.lower() and "/action" not in made.output


def test_the_role_reads_every_provider_that_is_judged() -> None:
    allowed = {
        a.split("/")[0].removeprefix("Microsoft.").lower()
        for a in azure.policy()["role"]["Actions"]
    }
    judged = {kind.removeprefix("azure_microsoft_").split("_")[0] for kind in CONTROLS
              if kind.startswith("azure_")}  # fmt: skip
    asked = {call.of.partition("/")[0].removeprefix("microsoft.") for call in BELOW} - {
        "subscription"
    }
    assert judged | asked <= allowed


def test_a_scope_is_asked_for() -> None:
    made = CliRunner().invoke(secinbox, ["collect", "gcp"])
    assert made.exit_code == 2 and "--scope" in made.output


def member(group: str, address: str, kind: str = "USER") -> dict[str, Any]:
    return {"name": f"groups/{group}/memberships/1", "type": kind, "preferredMemberKey": {"id": address},
            "roles": [{"name": "MEMBER"}]}  # fmt: skip


def read_google(cloud: Cloud, to: Path) -> gcp.Collected:
    return gcp.collect(
        to, gcp.Asked(("projects/shop-1",)), clients=(cloud.rest(), cloud.rest(), cloud.rest())
    )


def powers_of(folder: Path) -> dict[str, Any]:
    records = []
    for file in sorted(folder.rglob("*.json")):
        data = file.read_bytes()
        if data and recognise(data, file.name).id == "gcp":
            records += list(gcp_inventory.read(Report(data, name=file.name)))
    return {s.resource: s for s in google_privilege(estate_of(records))}


def test_google_is_asked_who_is_in_the_groups_that_policies_name(
    cloud: Cloud, tmp_path: Path
) -> None:
    cloud.policy = [assets.bind("roles/owner", "group:ops@x.test"), assets.bind("roles/browser", "user:bob@x.test"),
                    assets.bind("roles/browser", "group:../../../etc@x"), assets.bind("roles/browser", "user:ana@x.test")]  # fmt: skip
    cloud.groups = {"ops@x.test": [member("ops", "inner@x.test", "GROUP"), member("ops", "eve@x.test")],
                    "inner@x.test": [member("inn", "ana@x.test")]}  # fmt: skip
    done = read_google(cloud, tmp_path)
    assert not done.gaps and {p.name for p in (tmp_path / "groups").iterdir()} == {
        "ops@x.test.json",
        "inner@x.test.json",
    }
    found = powers_of(tmp_path)
    assert {u: found[f"user:{u}@x.test"].value for u in ("ana", "bob", "eve")} == {
        "ana": "yes",
        "bob": "no",
        "eve": "yes",
    }
    assert "group:ops@x.test" in found["user:ana@x.test"].evidence[0].text


def test_groups_that_google_does_not_show_are_a_gap_and_unknown(
    cloud: Cloud, tmp_path: Path
) -> None:
    cloud.policy = [assets.bind("roles/owner", *(f"group:ops{n}@x.test" for n in range(30))),
                    assets.bind("roles/browser", "user:bob@x.test")]  # fmt: skip
    done = read_google(cloud, tmp_path)
    assert set(done.gaps) == {"groups"} and done.gaps["groups"].startswith("10 of 10")
    found = powers_of(tmp_path)["user:bob@x.test"]
    assert found.value == "unknown" and "group:ops" in found.evidence[0].text
