"""Shared by all tests: a home, a clock, reports made in memory, and the shared data if it is there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from secinbox.session import Session

CLOCK = datetime(2026, 11, 20, 12, 0, 0)  # noqa: DTZ001 - stores keep UTC without a zone
ROOT = Path(__file__).resolve().parent.parent


def shared_data() -> Path | None:
    """The folder of shared third-party data, when this machine has it."""
    named = os.environ.get("SECINBOX_SHARED_DATA")
    for path in (Path(named) if named else None, ROOT.parent / "shared" / "data"):
        if path is not None and path.is_dir():
            return path
    return None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared data; the test is skipped, visibly, where it is missing."""
    found = shared_data()
    if found is None:
        pytest.skip("the shared data is not on this machine (SECINBOX_SHARED_DATA names it)")
    return found


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """An open, empty home."""
    with Session(tmp_path / "home", CLOCK) as opened:
        yield opened


@pytest.fixture
def put(session: Session) -> Callable[..., dict[str, Any]]:
    """Imports a report made in memory; returns its entry."""

    def import_(report: Any, name: str = "reports/one.json", **options: str) -> dict[str, Any]:
        data = report if isinstance(report, bytes) else json.dumps(report).encode()
        return session.import_reports((name,), data=data, options=options)["files"][0]

    return import_


def trivy(
    *vulnerabilities: dict[str, Any],
    image: str = "registry.test/shop/api",
    created: str = "2026-11-19T10:00:00Z",
    digest: str = "sha256:" + "a" * 64,
    cls: str = "os-pkgs",
) -> dict[str, Any]:
    """A Trivy image report."""
    return {
        "SchemaVersion": 2,
        "CreatedAt": created,
        "ArtifactName": f"{image}:1",
        "ArtifactType": "container_image",
        "Metadata": {"RepoTags": [f"{image}:1"], "RepoDigests": [f"{image}@{digest}"]},
        "Results": [
            {
                "Target": "layer",
                "Class": cls,
                "Type": "debian" if cls == "os-pkgs" else "npm",
                "Vulnerabilities": list(vulnerabilities),
            }
        ],
    }


def vulnerability(
    cve: str = "CVE-2024-0001",
    package: str = "openssl",
    severity: str = "CRITICAL",
    fixed: str = "3.0.15",
    version: str = "3.0.1",
) -> dict[str, Any]:
    """One entry of a Trivy report."""
    return {
        "VulnerabilityID": cve,
        "PkgName": package,
        "InstalledVersion": version,
        "FixedVersion": fixed,
        "Severity": severity,
        "Title": f"{package}: a fault",
        "PrimaryURL": f"https://avd.aquasec.com/nvd/{cve.lower()}",
    }
