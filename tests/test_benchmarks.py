"""The home that benchmarks fill by hand is one that secinbox can rank."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from secinbox.session import Session
from tests.conftest import CLOCK

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def test_a_made_home_is_ranked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    import make_facts

    make_facts.fill(tmp_path / "home", 400, 200, 200)
    with Session(tmp_path / "home", CLOCK) as session:
        session.automation.apply([{"kind": "inbox", "name": "All"}], "ann")
        page = session.issues(limit=10)
        assert page["total"] > 50
        assert {i["risks"]["in_production"] for i in page["issues"]} == {"yes"}
