"""The fact store itself: earlier schemas, and one report read by two processes."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from secinbox import pipeline
from secinbox.facts.schema import MIGRATIONS
from secinbox.facts.store import Facts
from secinbox.session import Session
from tests.conftest import CLOCK, trivy, vulnerability


def test_a_home_of_the_first_schema_opens_with_its_findings(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with duckdb.connect(str(home / "facts.duckdb")) as old:
        old.execute(MIGRATIONS[0])
        old.execute("CREATE TABLE meta (key VARCHAR PRIMARY KEY, value VARCHAR)")
        old.execute("INSERT INTO meta VALUES ('schema', '1')")
        for number, severity in ((1, 3), (2, 5)):
            old.execute(
                "INSERT INTO statements (id, finding, tool, type, description, url, remediation, "
                "vector, severity, title, version, place, location) VALUES "
                "(?, 'f', 't', 'misconfiguration', ?, 'https://x.test', 'do', 'v', ?, 'a', '', '', '')",
                [f"s{number}", f"text {number}", severity],
            )
        old.execute(
            "INSERT INTO findings (id, type, resource, vulnerability, rule, title, description, "
            "severity, status, tools, fix, location, severity_word, package, version) VALUES "
            "('f', 'misconfiguration', 'host:a', '', 'r', 'a', 'text 2', 5, 'open', 't', '', '', "
            "'HIGH', '', '')"
        )
    with Session(home, CLOCK) as session:
        (found,) = session.findings()["findings"]
        assert (found["description"], found["url"]) == ("text 2", "https://x.test")


def test_two_readers_of_one_report_find_what_one_finds(tmp_path: Path, monkeypatch) -> None:
    report = trivy(
        *(vulnerability(f"CVE-2024-{n:04}", f"package-{n}") for n in range(25)), {"PkgName": "x"}
    )
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    told = []
    for home, shared in (("one", range(0)), ("two", range(1 << 40))):
        monkeypatch.setattr(pipeline, "SHARED_BYTES", shared)
        with Facts(tmp_path / home) as facts:
            (entry,) = pipeline.import_reports(facts, (str(path),), clock=CLOCK)
            rows = facts.rows("SELECT * FROM statements ORDER BY id")
            told.append((entry, rows, facts.rows("SELECT * FROM findings ORDER BY id")))
            assert not list((tmp_path / home / "tmp").glob("stage-*"))
    assert told[0] == told[1]
    assert told[0][0]["records"]["findings"] == 25
    assert [s["count"] for s in told[0][0]["skipped"]] == [1]


def test_an_error_in_the_second_reader_s_part_stores_nothing(tmp_path: Path, monkeypatch) -> None:
    report = trivy(*(vulnerability(f"CVE-2024-{n:04}") for n in range(9)), {"VulnerabilityID": 7})
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    monkeypatch.setattr(pipeline, "SHARED_BYTES", range(1 << 40))
    with Facts(tmp_path / "home") as facts:
        (entry,) = pipeline.import_reports(facts, (str(path),), clock=CLOCK)
        assert entry["status"] == "failed"
        assert entry["error"]["place"].startswith("$.Results[0].Vulnerabilities[9].VulnerabilityID")
        assert facts.value("SELECT count(*) FROM imports") == 0
        assert not list((tmp_path / "home" / "tmp").glob("stage-*"))
