"""The sample estate through the real importer, held to a truth that was written beforehand."""

from __future__ import annotations

import filecmp
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from secinbox.cli.commands.demo import PARTS, find_estate
from secinbox.session import Session, parse_clock
from tests.conftest import ROOT

EXAMPLES = ROOT / "examples"
ESTATE = EXAMPLES / "estate"
TRUTH: dict[str, Any] = json.loads((ESTATE / "truth.json").read_text())


def _named(row: dict[str, Any]) -> str:
    return str(row.get("id") or row["resource"].rpartition("/")[2] or row["resource"])


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A home with the whole estate in it, as `secinbox demo` makes it."""
    with Session(tmp_path_factory.mktemp("sample") / "home") as session:
        session.pin_clock(parse_clock(TRUTH["as_of"]))
        answer = session.import_reports(tuple(str(ESTATE / part) for part in PARTS))
        assert [f for f in answer["files"] if f["status"] != "imported"] == []
        yield session


@pytest.fixture(scope="module")
def findings(sample: Session) -> list[dict[str, Any]]:
    return list(sample.findings("", limit=10_000)["findings"])


@pytest.fixture(scope="module")
def issues(sample: Session) -> list[dict[str, Any]]:
    return list(sample.issues("", limit=10_000)["issues"])


def _rows(
    wanted: dict[str, Any], findings: list[dict[str, Any]], issues: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Issues that close a finding on the truth's resource, of its type, and of its rule or title."""
    ids = {
        f["issue"]
        for f in findings
        if f["resource"] == wanted["resource"] and f["type"] == wanted["type"] and f["in_inbox"]
        and wanted.get("rule", f["rule"]) == f["rule"]
    }  # fmt: skip
    return [i for i in issues if i["id"] in ids and wanted.get("title", "") in i["title"]]


@pytest.mark.parametrize("wanted", TRUTH["top"], ids=_named)
def test_a_right_row_is_in_the_inbox_with_its_risks(
    wanted: dict[str, Any], findings: list[dict[str, Any]], issues: list[dict[str, Any]]
) -> None:
    rows = _rows(wanted, findings, issues)
    assert len(rows) == 1, wanted["why"]
    assert rows[0]["severity"] == wanted["severity"]
    values = {risk: rows[0]["risks"][risk] for risk in wanted["risks"]}
    assert values == wanted["risks"], wanted["why"]


def test_the_rows_stand_in_the_right_order(
    findings: list[dict[str, Any]], issues: list[dict[str, Any]]
) -> None:
    ranks: dict[int, list[int]] = {}
    for wanted in TRUTH["top"]:
        for row in _rows(wanted, findings, issues):
            ranks.setdefault(wanted["rank_group"], []).append(row["rank"])
    groups = sorted(ranks)
    for earlier, later in pairwise(groups):
        assert max(ranks[earlier]) < min(ranks[later])
    assert issues[0]["id"] == _rows(TRUTH["top"][0], findings, issues)[0]["id"]


def _risk(sample: Session, uid: str, risk: str) -> dict[str, Any]:
    found = sample.resources(f'uid:"{uid}"', limit=5)["resources"]
    assert [r["uid"] for r in found] == [uid]
    return dict(found[0]["risks"][risk])


@pytest.mark.parametrize("wanted", TRUTH["evidence"], ids=_named)
def test_a_risk_has_the_right_kind_of_evidence(sample: Session, wanted: dict[str, Any]) -> None:
    risk = _risk(sample, wanted["resource"], wanted["risk"])
    assert risk["value"] == wanted["value"]
    assert wanted["kind"] in {e["kind"] for e in risk["evidence"]}
    assert all(e["text"] for e in risk["evidence"])


@pytest.mark.parametrize("risk", ["public_accessibility", "privileged_access"])
def test_what_is_exposed_or_privileged_is_so(sample: Session, risk: str) -> None:
    uids = TRUTH["public" if risk == "public_accessibility" else "privileged"]
    assert {uid: _risk(sample, uid, risk)["value"] for uid in uids} == dict.fromkeys(uids, "yes")


@pytest.mark.parametrize("wanted", TRUTH["look_alikes"], ids=_named)
def test_what_only_looks_bad_is_not_accused(sample: Session, wanted: dict[str, Any]) -> None:
    risk = _risk(sample, wanted["resource"], wanted["risk"])
    assert risk["value"] == "no", wanted["why"]
    assert risk["evidence"]


@pytest.mark.parametrize("wanted", TRUTH["not_in_inbox"], ids=_named)
def test_a_decoy_stays_out_and_says_why(
    findings: list[dict[str, Any]], wanted: dict[str, Any]
) -> None:
    (found,) = [
        f
        for f in findings
        if f["resource"] == wanted["resource"] and f["vulnerability"] == wanted["vulnerability"]
    ]
    assert not found["in_inbox"], wanted["why"]
    assert found["why_not"]


def test_what_the_owner_calls_not_affected_is_closed(
    sample: Session, findings: list[dict[str, Any]]
) -> None:
    for wanted in TRUTH["not_affected"]:
        assert not [
            f
            for f in findings
            if f["resource"] == wanted["resource"] and f["vulnerability"] == wanted["vulnerability"]
        ]
        closed = sample.findings(f"vulnerability:{wanted['vulnerability']} status:not_affected")
        assert wanted["resource"] in {f["resource"] for f in closed["findings"]}


def test_another_order_and_a_second_time_give_the_same_inbox(
    issues: list[dict[str, Any]], tmp_path: Path
) -> None:
    with Session(tmp_path / "home") as session:
        session.pin_clock(parse_clock(TRUTH["as_of"]))
        for part in reversed(PARTS):
            session.import_reports((str(ESTATE / part),))
        session.import_reports((str(ESTATE / "reports"),))
        again = session.issues("", limit=10_000)["issues"]
    assert again == issues


def test_every_report_knows_what_it_scanned(findings: list[dict[str, Any]]) -> None:
    assert not [f for f in findings if f["resource"].startswith("unnamed:")]


def test_the_written_part_can_be_made_again(tmp_path: Path) -> None:
    """Without any tool, and byte for byte."""
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); "
        "import make_estate; make_estate.make_written(Path(sys.argv[2]), make_estate.ESTATE)"
    )
    subprocess.run(
        [sys.executable, "-B", "-c", code, str(EXAMPLES), str(tmp_path)], check=True, timeout=60
    )
    made = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    assert len(made) > 10
    different = [str(p) for p in made if not filecmp.cmp(tmp_path / p, ESTATE / p, shallow=False)]
    assert different == []


def test_the_estate_is_small_and_names_no_machine() -> None:
    paths = [p for p in ESTATE.rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in paths) < 3_000_000
    for path in paths:
        found = re.search(rb'"(/root|/home|/work|/Users)[/"][^"]*', path.read_bytes())
        assert found is None, f"{path}: {found.group() if found else ''}"


def _demo(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SECINBOX_")}
    return subprocess.run(
        [sys.executable, "-m", "secinbox", *words], capture_output=True, text=True, timeout=120,
        env={**environment, "COLUMNS": "160"},
    )  # fmt: skip


def test_the_demo_prints_the_top_of_the_inbox_and_cleans_up(tmp_path: Path) -> None:
    assert find_estate() == ESTATE
    home = tmp_path / "home"
    done = _demo("--home", str(home), "demo", "--no-serve")
    assert done.returncode == 0, done.stderr
    assert "apache2" in done.stdout
    assert "FAILED" not in done.stderr
    assert _demo("--home", str(home), "demo", "--no-serve").returncode == 0  # its own home again
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    refused = _demo("--home", str(other), "demo", "--no-serve")
    assert refused.returncode == 2
    assert "empty folder" in refused.stderr
    assert [p.name for p in other.iterdir()] == ["notes.txt"]


def _page(address: str) -> str:
    for _ in range(100):
        try:
            with urllib.request.urlopen(address, timeout=30) as page:
                return str(page.read().decode())
        except URLError:  # it says where it will be a moment before it listens
            time.sleep(0.1)
    pytest.fail(f"{address} does not answer")


def test_the_demo_serves_on_loopback_and_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SECINBOX_")}
    server = subprocess.Popen(
        [sys.executable, "-m", "secinbox", "demo", "--port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment, "TMPDIR": str(tmp_path)},
    )
    try:
        assert server.stderr is not None
        said = ""
        for line in server.stderr:
            said += line
            if address := re.search(r"http://127\.0\.0\.1:\d+", line):
                break
        else:
            pytest.fail(said)
        assert "apache2" in _page(address.group())
    finally:
        server.terminate()
        server.wait(timeout=60)
    assert list(tmp_path.glob("secinbox-demo-*")) == []
