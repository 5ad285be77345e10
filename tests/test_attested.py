"""Reports inside attestations are read as the reports that they are."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from secinbox.session import Session
from tests.conftest import CLOCK

REPORT = {
    "SchemaVersion": 2, "ArtifactName": "registry.example/shop/web:1.2",
    "ArtifactType": "container_image",
    "Results": [{"Target": "app", "Class": "lang-pkgs", "Type": "jar", "Vulnerabilities": [
        {"VulnerabilityID": "CVE-2026-1001", "PkgName": "a:b", "InstalledVersion": "1",
         "Severity": "HIGH"}]}],
}  # fmt: skip
SBOM = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [],
        "vulnerabilities": [{"id": "CVE-2026-1001", "ratings": [{"severity": "high"}]}]}  # fmt: skip


def statement(kind: str, predicate: Any) -> dict[str, Any]:
    return {"_type": "https://in-toto.io/Statement/v1", "predicateType": kind,
            "subject": [{"name": "registry.example/shop/web", "digest": {"sha256": "ab" * 32}}],
            "predicate": predicate}  # fmt: skip


def envelope(inner: dict[str, Any]) -> dict[str, Any]:
    return {"payload": base64.b64encode(json.dumps(inner).encode()).decode(),
            "payloadType": "application/vnd.in-toto+json", "signatures": []}  # fmt: skip


VULN = statement("https://cosign.sigstore.dev/attestation/vuln/v1",
                 {"scanner": {"uri": "pkg:github/aquasecurity/trivy", "result": REPORT}})  # fmt: skip
CASES = {
    "statement": (VULN, "trivy"),
    "envelope": (envelope(VULN), "trivy"),
    "bundle": ({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
                "verificationMaterial": {}, "dsseEnvelope": envelope(VULN)}, "trivy"),
    "sbom": (statement("https://cyclonedx.org/bom", SBOM), "cyclonedx"),
    "text": (statement("cosign.sigstore.dev/attestation/v1", {"Data": json.dumps(REPORT)}), "trivy"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_report_inside_is_read_and_the_attestation_is_archived(
    case: str, tmp_path: Path
) -> None:
    document, format_ = CASES[case]
    with Session(tmp_path / "home", CLOCK) as session:
        told = session.import_reports(("a.json",), data=json.dumps(document).encode())["files"][0]
        assert (told["status"], told["format"]) == ("imported", format_), told
        assert told["records"]["findings"] == 1
        session.rebuild()
        assert session.findings()["total"] == 1


def test_a_broken_payload_is_told_with_its_place(tmp_path: Path) -> None:
    broken = {**envelope(VULN), "payload": "not base64!"}
    with Session(tmp_path / "home", CLOCK) as session:
        told = session.import_reports(("a.json",), data=json.dumps(broken).encode())["files"][0]
    assert told["status"] == "failed" and told["error"]["place"] == "$.payload"
