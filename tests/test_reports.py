"""Figures over time and groups: each number is the number of what its link lists."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from secinbox.inbox.groups import FIELDS
from secinbox.inbox.query import QueryError
from secinbox.session import Session
from tests.conftest import CLOCK
from tests.test_inbox import asff, instance


def trivy(day: int, *names: str) -> bytes:
    """A scan of one image, so many days before the clock."""
    made = (CLOCK - timedelta(days=day)).isoformat() + "Z"
    found = [{"VulnerabilityID": f"CVE-2026-{n}", "PkgName": "openssl", "Severity": "HIGH",
              "InstalledVersion": "1", "FixedVersion": "2"} for n in names]  # fmt: skip
    return json.dumps({
        "SchemaVersion": 2, "CreatedAt": made, "ArtifactName": "shop/web:1",
        "ArtifactType": "container_image",
        "Metadata": {"RepoDigests": ["shop/web@sha256:" + "a" * 64]},
        "Results": [{"Target": "t", "Class": "os-pkgs", "Type": "debian",
                     "Vulnerabilities": found}]}).encode()  # fmt: skip


def test_weeks_count_new_fixed_and_open(tmp_path: Path) -> None:
    with Session(tmp_path / "home", CLOCK) as session:
        session.import_reports(("old.json",), data=trivy(40, "0001", "0002"))
        session.import_reports(("mid.json",), data=trivy(10, "0002", "0003"))  # 0001 is fixed
        session.import_reports(("new.json",), data=trivy(0, "0003", "0004"))  # 0002 is fixed
        told = session.report(4)
        assert [(w["new"], w["fixed"], w["open"]) for w in told["weeks"]] == [
            (0, 0, 2), (0, 0, 2), (1, 1, 2), (1, 1, 2)]  # fmt: skip
        mended = {s["severity"]: (s["fixed_90_days"], s["median_days_to_fix"])
                  for s in told["severity"]}  # fmt: skip
        assert mended == {"high": (2, 35.0)}  # 30 and 40 days
        assert session.report(1)["weeks"][0]["open"] == 2


def test_an_empty_home_has_figures_of_nothing(tmp_path: Path) -> None:
    with Session(tmp_path / "home", CLOCK) as session:
        told = session.report(2)
    assert [w["open"] for w in told["weeks"]] == [0, 0] and told["severity"] == []


@pytest.fixture
def session(tmp_path: Path) -> Any:
    with Session(tmp_path / "home", CLOCK) as opened:
        rows = [asff(f"R.{n}", instance(n), tags={"env": "prod", "service": ('a "b" 0', "a*", r"\\srv\\*?_%")[n % 3]}
                     if n % 4 else {"env": "prod"},
                     severity="CRITICAL" if n % 5 == 0 else "HIGH") for n in range(20)]  # fmt: skip
        opened.import_reports(("r/hub.json",), data=json.dumps({"Findings": rows}).encode())
        first = opened.issues()["issues"]
        opened.decide({"action": "assign", "issues": [first[0]["id"]], "assignee": "ann"})
        opened.decide({"action": "due", "issues": [first[1]["id"]],
                       "due": (CLOCK + timedelta(days=3)).date().isoformat()})  # fmt: skip
        opened.decide({"action": "due", "issues": [first[2]["id"]],
                       "due": (CLOCK - timedelta(days=3)).date().isoformat()})  # fmt: skip
        yield opened


@pytest.mark.parametrize("query", ["", "severity:critical OR severity:high", "-severity:high"])
@pytest.mark.parametrize("field", FIELDS)
def test_a_group_has_as_many_issues_as_its_query_finds(
    session: Any, field: str, query: str
) -> None:
    told = session.groups(field, query)
    assert told["groups"] and told["total"] == session.issues(query)["total"]
    for group in told["groups"]:
        found = session.issues(group["query"], limit=100)
        assert found["total"] == group["issues"], group
        assert group["severity"] == found["issues"][0]["severity"]


def test_an_unknown_field_names_the_allowed_ones(session: Any) -> None:
    with pytest.raises(QueryError) as problem:
        session.groups("colour")
    assert "service" in problem.value.allowed


def test_triage_panels_count_what_their_queries_find(session: Any) -> None:
    counts = {e["value"]: e["count"] for e in session.facets()["triage"]}
    assert counts == {"overdue": 1, "due_soon": 1, "in_flight": 1}
    for name, count in counts.items():
        assert session.issues(f"{name}:yes")["total"] == count
