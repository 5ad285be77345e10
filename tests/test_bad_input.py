"""Bad input: one clear error with place and next step, and nothing half-stored."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from secinbox import opening
from secinbox.connectors import all_connectors, recognise
from secinbox.reading import Report, ReportError, head_of
from tests.conftest import trivy, vulnerability

GOOD = json.dumps(trivy(vulnerability())).encode()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty", b"", "empty"),
        ("truncated", GOOD[:-30], "truncated"),
        ("cut in the middle of a key", GOOD[: GOOD.index(b"VulnerabilityID") + 4], "truncated"),
        (
            "deep",
            b'{"SchemaVersion":2,"X":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            "nested",
        ),
        ("latin-1", GOOD.replace(b"a fault", b"a f\xe4ult"), "UTF-8"),
        ("wrong type", GOOD.replace(b'"CVE-2024-0001"', b"17.5", 1), "wrong shape"),
        ("a number", b"42", "no known report format"),
        ("binary", bytes(range(256)) * 10, "no known report format"),
        ("html", b"<html><body>Sign in</body></html>", "no known report format"),
        ("other json", b'{"hello": "world"}', "no known report format"),
    ],
)
def test_one_clear_error(session: Any, put: Any, name: str, data: bytes, said: str) -> None:
    entry = put(data, "bad/report.json")
    assert entry["status"] == "failed", name
    error = entry["error"]
    assert said in error["message"], error
    assert error["place"] and error["hint"]
    for table in ("imports", "statements", "findings", "seen_resources", "signals"):
        assert session.facts.value(f"SELECT count(*) FROM {table}") == 0


def test_huge_numbers_and_duplicate_keys_are_read_or_refused_never_half(
    session: Any, put: Any
) -> None:
    odd = GOOD.replace(b'"Severity": "CRITICAL"', b'"Severity": "LOW", "Severity": "CRITICAL"')
    assert put(odd)["status"] == "imported"
    assert (
        session.findings()["findings"][0]["severity"] == "critical"
    )  # the last one, as in JSON.parse
    huge = GOOD.replace(b'"SchemaVersion": 2', b'"SchemaVersion": ' + b"9" * 5000)
    assert put(huge, "r/huge.json")["status"] in ("failed", "imported")


def test_other_files_of_the_same_command_still_go_in(session: Any, tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "a.json").write_bytes(GOOD[:-10])
    (folder / "b.json").write_bytes(GOOD)
    files = session.import_reports((str(folder),))["files"]
    assert [f["status"] for f in files] == ["failed", "imported"]
    assert session.findings()["total"] == 1


def test_bombs_are_refused_before_they_grow(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.json.gz"
    with gzip.open(bomb, "wb", compresslevel=9) as out:
        for _ in range(300):
            out.write(b" " * 1024**2)
    with pytest.raises(ReportError) as error:
        opening.load(opening.Place(str(bomb)))
    assert "bomb" in error.value.message and error.value.hint
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../outside.json", b" " * 300 * 1024**2)
    path = tmp_path / "bomb.zip"
    path.write_bytes(packed.getvalue())
    place = next(iter(opening.find((str(path),))))
    with pytest.raises(ReportError):
        opening.load(place)
    assert not (tmp_path.parent / "outside.json").exists()


def test_broken_archives(tmp_path: Path) -> None:
    for name, data in (("a.gz", b"\x1f\x8b\x08broken"), ("a.zst", b"\x28\xb5\x2f\xfdbroken"),
                       ("a.gz2", gzip.compress(GOOD)[:-9])):  # fmt: skip
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(ReportError) as error:
            opening.load(opening.Place(str(path)))
        assert error.value.hint


SAMPLES = sorted(p for p in (Path(__file__).parent / "samples").rglob("*") if p.is_file())


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: "/".join(p.parts[-2:]))
def test_every_sample_cut_or_bent_anywhere_gives_records_or_one_error(path: Path) -> None:
    """No other exception, whatever is broken: cuts at many places and values of wrong types."""
    data = path.read_bytes()
    broken = [data[: len(data) * n // 9] for n in range(1, 9)]
    for wrong in (b"null", b"[]", b"{}", b"-1e999", b'"\\ud800"', b"true"):
        middle = data.find(b'": ', len(data) // 2)
        if middle > 0:
            end = min(
                e for e in (data.find(b",", middle), data.find(b"\n", middle), len(data)) if e > 0
            )
            broken.append(data[: middle + 3] + wrong + data[end:])
    for variant in broken:
        with contextlib.suppress(ReportError):
            known = recognise(variant, "x/y.json")
            list(known.connector.read(Report(variant, "x/y.json")))


def test_no_connector_raises_on_any_head() -> None:
    heads = [head_of(d, n) for d in (b"", b"{", b"[", b"[{", b'{"a": ', b"<a", b"a,b,c\n1", b"\xff\xfe\x00", b"---\na: [")
             for n in ("x", "us-east-1/ec2.describe_instances.json")]  # fmt: skip
    for known in all_connectors():
        for head in heads:
            assert 0 <= known.connector.recognise(head) <= 100
