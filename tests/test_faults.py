"""A fault of one part stays in that part: other files go in, other answers stay, and it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from secinbox.estate import Estate
from secinbox.records import Evidence, RiskStatement
from secinbox.session import Session
from secinbox.sources import bandit
from tests.conftest import trivy, vulnerability


def test_a_failing_connector_keeps_no_other_file_out(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(report: Any) -> Iterator[Any]:
        raise KeyError("a fault")

    monkeypatch.setattr(bandit, "read", broken)
    folder = tmp_path / "reports"
    folder.mkdir()
    sample = next((Path(__file__).parent / "samples" / "bandit").iterdir())
    (folder / "a.json").write_bytes(sample.read_bytes())
    (folder / "b.json").write_text(json.dumps(trivy(vulnerability())))
    files = session.import_reports((str(folder),))["files"]
    assert [f["status"] for f in files] == ["failed", "imported"]
    assert "bandit connector failed" in files[0]["error"]["message"]
    assert session.findings()["total"] == 1


def test_a_failing_analysis_is_unknown_and_told_not_a_no_and_not_a_crash(
    session: Session, put: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from secinbox.risks import public_accessibility

    put({"Buckets": [{"Name": n, "CreationDate": "2026-01-01T00:00:00Z"} for n in ("a", "b")]},
        "111122223333/global/s3.list_buckets.json")  # fmt: skip

    def broken(estate: Estate) -> Iterator[RiskStatement]:
        yield RiskStatement(resource="arn:aws:s3:::a", risk="public_accessibility", value="yes",
                            evidence=(Evidence(kind="policy", text="open"),))  # fmt: skip
        raise TypeError("a fault")

    monkeypatch.setattr(public_accessibility, "exposure", broken)
    session.rank(everything=True)
    values = {
        r["uid"]: r["risks"]["public_accessibility"]["value"]
        for r in session.resources("type:aws_s3_bucket")["resources"]
    }
    assert values == {"arn:aws:s3:::a": "yes", "arn:aws:s3:::b": "unknown"}
    check = next(c for c in session.doctor()["checks"] if c["check"] == "analyses")
    assert not check["ok"] and "a fault" in check["text"]
    monkeypatch.undo()
    session.rank(everything=True)
    check = next(c for c in session.doctor()["checks"] if c["check"] == "analyses")
    assert check["ok"]
