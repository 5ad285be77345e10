"""Facts: identity, liveness, order of imports, transactions."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from secinbox.facts.incoming import Source
from secinbox.facts.merge import merge
from secinbox.facts.resolved import refresh_resources
from secinbox.facts.staging import stage
from secinbox.facts.store import Facts
from secinbox.inventory import plumbing
from secinbox.records import Alias, Resource
from secinbox.session import Session
from tests.conftest import CLOCK, trivy, vulnerability

NOON = CLOCK.replace(tzinfo=None)


def inbox(session: Session) -> list[tuple[Any, ...]]:
    """What must not depend on the way in: findings with their state, resources, issues."""
    findings = session.findings("status:(open OR fixed OR not_affected)", limit=10_000)["findings"]
    issues = session.issues(limit=10_000)["issues"]
    return [
        sorted((f["id"], f["status"], f["severity"], f["title"], f["resource"],
                tuple(sorted({a["tool"] for a in f["attributions"]}))) for f in findings),
        [(i["id"], i["rank"], i["title"], i["impacted_resources"]) for i in issues],
        sorted(r["uid"] for r in session.resources(limit=10_000)["resources"]),
    ]  # fmt: skip


def test_absent_from_a_newer_complete_scan_is_fixed_and_back_is_reopened(session, put) -> None:
    a, b = vulnerability("CVE-2024-0001"), vulnerability("CVE-2024-0002", "zlib")
    assert put(trivy(a, b, created="2026-11-01T00:00:00Z"))["changes"]["new"] == 2
    second = put(trivy(a, created="2026-11-02T00:00:00Z"), "reports/two.json")["changes"]
    assert (second["fixed"], second["unchanged"]) == (1, 1)
    assert [f["vulnerability"] for f in session.findings()["findings"]] == ["CVE-2024-0001"]
    third = put(trivy(a, b, created="2026-11-03T00:00:00Z"), "reports/three.json")["changes"]
    assert third["reopened"] == 1
    zlib = session.findings("package:zlib")["findings"][0]
    assert zlib["first_seen"] == "2026-11-01T00:00:00Z"
    assert zlib["reopened"] == "2026-11-03T00:00:00Z"


def test_an_older_report_neither_closes_nor_reopens(session, put) -> None:
    a, b = vulnerability("CVE-2024-0001"), vulnerability("CVE-2024-0002", "zlib")
    put(trivy(a, created="2026-11-05T00:00:00Z"))
    put(trivy(b, created="2026-11-01T00:00:00Z"), "reports/old.json")
    open_ = {f["vulnerability"] for f in session.findings()["findings"]}
    assert open_ == {"CVE-2024-0001"}
    fixed = session.findings("status:fixed")["findings"]
    assert [f["vulnerability"] for f in fixed] == ["CVE-2024-0002"]


def test_a_scan_of_another_kind_closes_nothing(session, put) -> None:
    put(trivy(vulnerability(), created="2026-11-01T00:00:00Z"))
    other = trivy(vulnerability(), created="2026-11-09T00:00:00Z", image="registry.test/other",
                  digest="sha256:" + "b" * 64)  # fmt: skip
    put(other, "reports/other.json")
    assert session.findings()["total"] == 2


def test_the_same_weakness_from_two_tools_is_one_finding(session, put) -> None:
    put(trivy(vulnerability()))
    grype = {
        "matches": [
            {
                "vulnerability": {"id": "CVE-2024-0001", "severity": "High",
                                  "dataSource": "https://x.test", "fix": {"versions": ["3.0.15"]}},
                "relatedVulnerabilities": [],
                "artifact": {"name": "openssl", "version": "3.0.1", "type": "deb",
                             "purl": "pkg:deb/debian/openssl@3.0.1", "locations": []},
            }
        ],
        "source": {"type": "image", "target": {
            "userInput": "registry.test/shop/api:1", "imageID": "sha256:" + "c" * 64,
            "repoDigests": ["registry.test/shop/api@sha256:" + "a" * 64],
            "tags": ["registry.test/shop/api:1"]}},
        "descriptor": {"name": "grype", "version": "0.80", "timestamp": "2026-11-19T10:00:00Z"},
    }  # fmt: skip
    put(grype, "reports/grype.json")
    found = session.findings()["findings"]
    assert len(found) == 1
    assert {a["tool"] for a in found[0]["attributions"]} == {"grype", "trivy"}
    assert found[0]["severity"] == "critical"


def test_order_and_parts_do_not_matter(tmp_path: Path) -> None:
    grypish = trivy(vulnerability("CVE-2024-0003", "curl", "HIGH"),
                    image="registry.test/shop/web", digest="sha256:" + "d" * 64)  # fmt: skip
    pods = {
        "kind": "List",
        "apiVersion": "v1",
        "items": [
            {
                "kind": "Pod", "apiVersion": "v1",
                "metadata": {"name": "api-1", "namespace": "shop",
                             "labels": {"app": "api", "env": "prod"}},
                "spec": {"containers": [{"name": "api", "image": "registry.test/shop/api:1"}]},
                "status": {"containerStatuses": [
                    {"name": "api", "image": "registry.test/shop/api:1",
                     "imageID": "registry.test/shop/api@sha256:" + "a" * 64}]},
            }
        ],
    }  # fmt: skip
    kev = {"title": "CISA Catalog of Known Exploited Vulnerabilities", "catalogVersion": "1",
           "dateReleased": "2026-11-19T00:00:00Z", "count": 1,
           "vulnerabilities": [{"cveID": "CVE-2024-0001", "dateAdded": "2026-11-01",
                                "vendorProject": "x", "product": "y",
                                "vulnerabilityName": "z", "shortDescription": "s",
                                "requiredAction": "a", "dueDate": "2026-11-22"}]}  # fmt: skip
    reports = {
        "trivy/a.json": trivy(vulnerability(), vulnerability("CVE-2024-0002", "zlib")),
        "trivy/b.json": trivy(vulnerability(), created="2026-11-10T10:00:00Z"),
        "trivy/c.json": grypish,
        "k8s/pods.json": pods,
        "intel/kev.json": kev,
    }
    answers = []
    for number, order in enumerate(itertools.islice(itertools.permutations(reports), 0, 120, 17)):
        with Session(tmp_path / str(number), CLOCK) as session:
            for name in order:
                data = json.dumps(reports[name]).encode()
                entry = session.import_reports((name,), data=data)["files"][0]
                assert entry["status"] == "imported", entry
            answers.append(inbox(session))
            for name in order:  # twice changes nothing
                data = json.dumps(reports[name]).encode()
                session.import_reports((name,), data=data)
            assert inbox(session) == answers[-1]
            session.rank(everything=True)  # nor does ranking all of it again
            assert inbox(session) == answers[-1]
    assert all(a == answers[0] for a in answers)


def test_a_failing_report_leaves_nothing_behind(session, put) -> None:
    put(trivy(vulnerability()))
    before = inbox(session)
    broken = json.dumps(trivy(vulnerability("CVE-2024-0009"))).encode()[:-20]
    entry = put(broken, "reports/cut.json")
    assert entry["status"] == "failed"
    assert "truncated" in entry["error"]["message"]
    assert entry["error"]["place"] and entry["error"]["hint"]
    wrong = trivy(vulnerability("CVE-2024-0009"))
    wrong["Results"][0]["Vulnerabilities"][0]["PkgName"] = ["not", "a", "name"]
    entry = put(wrong, "reports/wrong.json")
    assert entry["status"] == "failed"
    assert "Vulnerabilities[0]" in entry["error"]["place"]
    assert inbox(session) == before
    assert session.facts.value("SELECT count(*) FROM imports") == 1


def test_rebuild_from_the_archive_gives_the_same_inbox(session, put) -> None:
    put(trivy(vulnerability(), vulnerability("CVE-2024-0002", "zlib")))
    put(trivy(vulnerability(), created="2026-11-20T00:00:00Z"), "reports/two.json")
    before = inbox(session)
    assert session.rebuild() == {"reports": 2}
    assert inbox(session) == before


def test_partial_ranking_equals_whole_ranking(session, put) -> None:
    put(trivy(vulnerability(), vulnerability("CVE-2024-0002", "zlib")))
    put(trivy(vulnerability("CVE-2024-0005", "curl")), "reports/two.json")
    signal = {
        "uuid": "1", "output": "shell in container", "priority": "Warning",
        "rule": "Terminal shell in container", "time": "2026-11-20T08:00:00Z", "source": "syscall",
        "output_fields": {"container.id": "abc", "container.image.repository":
                          "registry.test/shop/api", "container.image.tag": "1"},
    }  # fmt: skip
    put(signal, "signals/falco.json")
    partial = inbox(session)
    assert session.rank(everything=True)["mode"] == "whole"
    assert inbox(session) == partial


def test_ambiguous_names_join_nothing_and_are_told(session, put) -> None:
    for letter in "ab":
        put(trivy(vulnerability(), digest="sha256:" + letter * 64), f"reports/{letter}.json")
    names = {r["uid"] for r in session.resources()["resources"]}
    assert len(names) == 2
    check = next(c for c in session.doctor()["checks"] if c["check"] == "ambiguous names")
    assert not check["ok"] and "registry.test/shop/api:1" in check["text"]


@pytest.mark.parametrize("number", range(3))
def test_kill_in_the_middle_loses_nothing_acknowledged(tmp_path: Path, number: int) -> None:
    import signal
    import subprocess
    import sys
    import time

    home = tmp_path / "home"
    script = (
        "import sys, json\n"
        "from pathlib import Path\n"
        "from secinbox.session import Session\n"
        "from tests.conftest import trivy, vulnerability, CLOCK\n"
        "with Session(Path(sys.argv[1]), CLOCK) as s:\n"
        "    for n in range(10_000):\n"
        "        r = trivy(vulnerability(f'CVE-2024-{n:05}'), image=f'r.test/i{n}',\n"
        "                  digest=f'sha256:{n:064x}')\n"
        "        s.import_reports((f'r/{n}.json',), data=json.dumps(r).encode())\n"
        "        print(n, flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert process.stdout is not None
    acknowledged = -1
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged >= 3 + number * 2:
            time.sleep(0.013 * number)
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    with Session(home, CLOCK) as session:
        found = {f["vulnerability"] for f in session.findings(limit=1000)["findings"]}
    assert {f"CVE-2024-{n:05}" for n in range(acknowledged + 1)} <= found


def test_the_stored_estate_is_the_estate_of_the_records(tmp_path: Path) -> None:
    """Nothing that an analysis needs gets lost on the way through the store."""
    from secinbox import opening
    from secinbox.connectors import recognise
    from secinbox.estate import estate_of
    from secinbox.facts.inventory import load_estate
    from secinbox.reading import Report

    folder = Path(__file__).parent.parent / "examples" / "estate" / "inventory"
    records: list[Any] = []
    for place in opening.find((str(folder),)):
        data = opening.load(place)
        connector = recognise(data, place.name).connector
        records += connector.read(Report(data, place.name, place.parts))
    direct = estate_of(records)
    with Session(tmp_path / "home", CLOCK) as session:
        session.import_reports((str(folder),))
        stored = load_estate(session.facts)
    assert stored.covered == direct.covered
    assert set(stored.items) == set(direct.items)
    for uid, item in direct.items.items():
        known = stored.items[uid]
        assert (known.config, known.tags, known.account, known.region) == (
            item.config, item.tags, item.account, item.region,
        ), uid  # fmt: skip


@pytest.mark.parametrize(("marked", "expected"), [(True, ["x:7"]), (False, ["x:7", "x:shop"])])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_provisional_name_gives_way_to_what_bears_it_as_an_alias(
    tmp_path: Path, marked: bool, expected: list[str], order: tuple[int, int]
) -> None:
    """Two inventories of a provider nobody knows: one lists a thing by a word, one by a number."""
    word = Resource(uid="x:shop", type="x_thing", name="shop", provisional=marked)
    number = Resource(uid="x:7", type="x_thing", name="shop", aliases=(Alias("x:shop"),))
    with Facts(tmp_path) as facts:
        for n in order:
            source = Source(str(n), str(n), "", "x", NOON, NOON, 1, inventory=True)
            merge(facts, stage([(word, number)[n]], "x"), source)
        refresh_resources(facts, everything=True)
        assert [u for (u,) in facts.rows("SELECT uid FROM resources ORDER BY 1")] == expected


def test_what_is_plumbing_is_said_by_the_rooms_of_the_providers() -> None:
    assert {"aws_ec2_network_interface", "gcp_compute_address", "kubernetes_endpoints",
            "azure_microsoft_network_networkinterfaces"} <= plumbing()  # fmt: skip
