"""Contracts that every connector and feed keeps, found by walking the folders.

A new connector needs one file in `sources/` or `intel/` and one sample in `tests/samples/STEM/`;
nothing here is edited for it. Samples are written by us. A secret in a sample contains the text
SECRETVALUE, which no record may contain.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

import secinbox.intel
import secinbox.sources
from secinbox.reading import Head, Report, ReportError, as_connector, head_of
from secinbox.records import (
    AnyRecord,
    Component,
    Exploit,
    Finding,
    Passed,
    Relation,
    Resource,
    Scope,
    Signal,
    Skipped,
    Statement,
    VulnerabilityAlias,
)
from secinbox.vocabulary import FINDING_TYPES, MATURITIES, RELATIONS, SEVERITIES

SAMPLES = Path(__file__).parent / "samples"
ASKED_FOR = {"generic"}  # read only when the caller names it


def _modules(package: ModuleType) -> dict[str, ModuleType]:
    return {
        info.name: importlib.import_module(f"{package.__name__}.{info.name}")
        for info in pkgutil.iter_modules(package.__path__)
        if not info.name.startswith("_")
    }


SOURCES = _modules(secinbox.sources)
FEEDS = _modules(secinbox.intel)
ALL = SOURCES | FEEDS


def _samples(stems: Iterable[str]) -> list[Any]:
    return [
        pytest.param(stem, path, id=f"{stem}/{path.name}")
        for stem in sorted(stems)
        for path in sorted((SAMPLES / stem).glob("*"))
        if path.name != "mapping.yaml"
    ]


EVERY = _samples(ALL)


def _options(stem: str) -> dict[str, str]:
    mapping = SAMPLES / stem / "mapping.yaml"
    return {"mapping": str(mapping)} if mapping.exists() else {}


def _read(stem: str, data: bytes, name: str = "sample") -> list[AnyRecord]:
    report = Report(data, name, options=_options(stem))
    return list(as_connector(ALL[stem]).read(report))


def _scores(data: bytes, name: str = "sample") -> dict[str, int]:
    head = head_of(data, name)
    scores = {stem: module.recognise(head) for stem, module in ALL.items()}
    return {stem: score for stem, score in scores.items() if score}


@pytest.mark.parametrize("stem", sorted(ALL))
def test_a_connector_has_its_parts_and_a_sample(stem: str) -> None:
    module = ALL[stem]
    assert as_connector(module).TITLE
    assert (module.__doc__ or "").strip().count("\n") >= 1, "say the shapes and their source"
    assert list((SAMPLES / stem).glob("*")), f"no sample in tests/samples/{stem}"


def test_no_name_stands_for_two_things() -> None:
    assert not set(SOURCES) & set(FEEDS)


@pytest.mark.parametrize("stem", sorted(FEEDS))
def test_a_feed_says_where_it_comes_from_and_when_it_is_stale(stem: str) -> None:
    module: Any = FEEDS[stem]
    assert all(address.startswith("https://") for address in module.ADDRESSES)
    assert module.STALE_DAYS > 0
    for path in sorted((SAMPLES / stem).glob("*")):
        if hasattr(module, "dated"):
            date = module.dated(Report(path.read_bytes(), path.name))
            assert date == "" or len(date) == 10


@pytest.mark.parametrize(("stem", "path"), EVERY)
def test_a_sample_is_recognised_by_its_connector_alone(stem: str, path: Path) -> None:
    data = path.read_bytes()
    expected = set() if stem in ASKED_FOR else {stem}
    assert set(_scores(data, path.name)) == expected
    # The name says nothing: the content decides.
    assert set(_scores(data, "x.bin")) == expected


@pytest.mark.parametrize(("stem", "path"), EVERY)
def test_a_sample_gives_good_records(stem: str, path: Path) -> None:
    records = _read(stem, path.read_bytes())
    assert records
    _check(records)
    # The same report gives the same records.
    assert _encoded(records) == _encoded(_read(stem, path.read_bytes()))


@pytest.mark.parametrize(("stem", "path"), EVERY)
def test_no_secret_is_kept(stem: str, path: Path) -> None:
    assert "SECRETVALUE" not in _encoded(_read(stem, path.read_bytes()))


@pytest.mark.parametrize(("stem", "path"), EVERY)
def test_a_byte_order_mark_and_utf16_are_read(stem: str, path: Path) -> None:
    data = path.read_bytes()
    plain = _encoded(_read(stem, data))
    assert _encoded(_read(stem, b"\xef\xbb\xbf" + data)) == plain
    if not data.startswith(b"<?xml"):
        assert len(_encoded(_read(stem, data.decode().encode("utf-16")))) >= len(plain) * 0.9


@pytest.mark.parametrize(("stem", "path"), EVERY)
def test_a_truncated_report_is_refused_or_smaller(stem: str, path: Path) -> None:
    data = path.read_bytes()
    for cut in {1, 2, len(data) // 3, len(data) // 2, len(data) - 3}:
        _refuses_cleanly(stem, data[:cut])


@pytest.mark.parametrize(("stem", "path"), EVERY)
def test_wrong_types_are_refused_with_a_place(stem: str, path: Path) -> None:
    """Every value of the sample, in turn, is replaced by values of other types."""
    data = path.read_bytes()
    documents = _documents(data)
    if documents is None:
        return
    random.seed(7)
    for original in documents:
        spots = list(_spots(original))
        for trail in random.sample(spots, min(len(spots), 60)):
            for value in (None, 7, "text", [], {}, [[]], ["a"], {"a": 1}, True, 1e308, -1, 2**70):
                changed = _replaced(original, trail, value)
                _refuses_cleanly(stem, json.dumps(changed).encode())


@pytest.mark.parametrize("stem", sorted(ALL))
def test_hostile_input_is_refused(stem: str) -> None:
    for data in (
        b"",
        b"   \n",
        b"\x00\x01\x02\xff\xfe",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"<" * 1000,
        b"{}",
        b"[]",
        b"[null]",
        b"[[]]",
        b"null",
        b'"text"',
        b"12",
        b'{"results": 1, "matches": 2, "Results": 3, "runs": 4, "findings": 5, "Findings": 6}',
        b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aa"><!ENTITY c "&a;&a;">]><bom>&c;</bom>',
        b"a,b,c\n1,2\n",
        b"---\n" + b"- " * 5000,
        "\ud83d\ude00".encode("utf-16", "surrogatepass"),
        b'{"a": NaN}',
        b'{"a": 1e999}',
    ):
        _refuses_cleanly(stem, data)
        head_of(data)


def test_what_no_connector_knows_is_recognised_by_none() -> None:
    for data in (
        b"{}",
        b"[]",
        b"null",
        b"",
        b'{"results": []}',
        b'{"findings": []}',
        b'{"vulnerabilities": []}',
        b'{"version": "1", "results": {"a": 1}}',
        b'[{"name": "x", "version": "1"}]',
        b'{"eventVersion": "1.08", "eventName": "RunInstances"}',
        b'{"Records": [{"eventName": "x"}]}',
        b'{"kind": "List", "apiVersion": "v1", "items": []}',
        b'{"Reservations": []}',
        b"<html><body></body></html>",
        b"<testsuites></testsuites>",
        b"name,value,other\n1,2,3\n",
        b"# A page\n\ntext\n",
        b"just text\n",
    ):
        winners = {s: v for s, v in _scores(data).items() if v >= 50}
        if data == b'{"results": []}':
            assert set(winners) <= {"osv_scanner"}  # its answer when nothing was found
        else:
            assert not winners, data


def _refuses_cleanly(stem: str, data: bytes) -> None:
    """Reads it, or raises the one error that has a message."""
    assert isinstance(_scores(data), dict)
    try:
        records = _read(stem, data)
    except ReportError as error:
        if not error.message:
            pytest.fail("an error without a message")
    else:
        _check(records)


def _encoded(records: list[AnyRecord]) -> str:
    return msgspec.json.encode(records).decode()


def _check(records: list[AnyRecord]) -> None:
    for record in records:
        match record:
            case Finding():
                assert record.type in FINDING_TYPES
                assert record.severity in SEVERITIES
                assert record.score is None or 0 <= record.score <= 10
                assert record.line >= 0
                assert record.resource
                assert record.place
                assert record.exploit_known in ("", *MATURITIES)
                assert record.tool == record.tool.lower()
            case Resource():
                assert record.uid
                assert record.type
                assert all(0 < alias.confidence <= 1 for alias in record.aliases)
            case Signal():
                assert record.severity in SEVERITIES
                assert record.time.tzinfo is not None
                assert record.place
                assert all(record.resources)
                assert record.source_address not in record.resources
            case Relation():
                assert record.kind in RELATIONS
            case Exploit():
                assert record.maturity in MATURITIES
                assert record.vulnerability == record.vulnerability.strip()
                assert record.place
            case Statement():
                assert record.status in ("not_affected", "affected", "fixed", "under_investigation")
            case Scope():
                assert record.key
                assert set(record.types) <= set(FINDING_TYPES)
            case Passed() | Skipped():
                assert record.count > 0
            case Component():
                assert record.purl
                assert record.resource
            case VulnerabilityAlias():
                assert record.a
                assert record.b


def _documents(data: bytes) -> list[Any] | None:
    try:
        return [json.loads(data)]
    except ValueError:
        pass
    try:
        return [json.loads(line) for line in data.splitlines()]
    except ValueError:
        return None


def _spots(value: Any, trail: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if trail:
        yield trail
    if isinstance(value, dict):
        for key in value:
            yield from _spots(value[key], (*trail, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _spots(item, (*trail, index))


def _replaced(value: Any, trail: tuple[Any, ...], new: Any) -> Any:
    copy = json.loads(json.dumps(value))
    holder = copy
    for step in trail[:-1]:
        holder = holder[step]
    holder[trail[-1]] = new
    return copy


# What single samples say, where a mistake would be silent.


def _one(stem: str, name: str, kind: type) -> Any:
    data = (SAMPLES / stem / name).read_bytes()
    return [r for r in _read(stem, data, name) if isinstance(r, kind)]


def test_an_image_is_named_by_its_digest_and_known_by_its_tag() -> None:
    (image,) = _one("trivy", "image.json", Resource)
    (same,) = _one("grype", "image.json", Resource)
    assert image.uid == same.uid == "image:registry.example/shop/web@sha256:" + "ab" * 32
    assert "image:registry.example/shop/web:1.2" in {a.name for a in image.aliases}


def test_types_follow_the_kind_of_package() -> None:
    types = [f.type for f in _one("trivy", "image.json", Finding)]
    assert types == ["container_image_vulnerability", "library_vulnerability", "secret"]
    assert _one("trivy", "image.json", Finding)[0].score == 8.7  # CVSS 4.0 before 3.1
    posture = {f.rule: f.type for f in _one("ocsf", "prowler.json", Finding)}
    assert posture == {
        "s3_bucket_public_access": "misconfiguration",
        "iam_role_administratoraccess_policy": "identity_risk",
    }


def test_one_tool_through_two_formats_says_the_same() -> None:
    in_ocsf = _one("ocsf", "prowler.json", Finding)[0]
    in_asff = _one("asff", "findings.json", Finding)[0]
    for name in ("tool", "type", "rule", "resource"):
        assert getattr(in_ocsf, name) == getattr(in_asff, name)


def test_a_feature_branch_is_not_the_default_branch() -> None:
    (finding,) = _one("sarif", "codeql.sarif", Finding)
    assert finding.default_branch is False
    assert finding.resource == "repo:github.com/example/shop"
    assert finding.severity == "high"
    assert finding.tool == "codeql"


def test_code_anchors_survive_moved_lines() -> None:
    data = json.loads((SAMPLES / "bandit" / "report.json").read_bytes())
    before = [f.anchor for f in _read("bandit", json.dumps(data).encode()) if hasattr(f, "anchor")]
    item = data["results"][0]
    item["line_number"], item["line_range"] = 13, [13]
    item["code"] = item["code"].replace("2 ", "12 ").replace("3 ", "13 ").replace("4 ", "14 ")
    after = [f.anchor for f in _read("bandit", json.dumps(data).encode()) if hasattr(f, "anchor")]
    assert before == after


def test_the_attacker_is_no_victim() -> None:
    for stem, name in (
        ("guardduty", "get-findings.json"),
        ("suricata", "eve.json"),
        ("modsecurity", "v2.json"),
        ("asff", "findings.json"),
        ("falco", "events.jsonl"),
    ):
        signal = _one(stem, name, Signal)[0]
        assert signal.source_address == "198.51.100.7", stem
        assert "ip:198.51.100.7" not in signal.resources, stem
    assert "dns:shop.example" in _one("modsecurity", "native.log", Signal)[0].resources
    assert "pod:prod/web-1" in _one("falco", "events.jsonl", Signal)[0].resources
    assert (
        "accesskey:AKIAIOSFODNN7EXAMPLE" in _one("guardduty", "export.jsonl", Signal)[1].resources
    )


def test_an_access_key_id_is_a_relation() -> None:
    (relation,) = _one("gitleaks", "v8.json", Relation)
    assert relation.kind == "contains"
    assert relation.target == "accesskey:AKIAQYLPMN5HHHFPZAM2"


def test_a_failed_scan_is_not_a_clean_one() -> None:
    with pytest.raises(ReportError, match="npm audit failed"):
        _read("npm_audit", b'{"message": "405", "error": {"summary": "no", "detail": ""}}')
    records = _read("pip_audit", b'{"dependencies": [{"name": "a", "skip_reason": "x"}]}')
    assert not [r for r in records if isinstance(r, Scope)]
    records = _read("checkov", (SAMPLES / "checkov" / "list.json").read_bytes())
    assert not [r for r in records if isinstance(r, Scope)]


def test_a_generic_report_needs_its_mapping() -> None:
    with pytest.raises(ReportError, match="mapping"):
        list(as_connector(ALL["generic"]).read(Report(b"a,b,c\n1,2,3\n")))
    findings = _one("generic", "report.csv", Finding)
    assert [f.severity for f in findings] == ["high", "critical"]
    assert findings[1].purl == "pkg:npm/lodash@4.17.4"


def test_heads_of_any_bytes_are_safe() -> None:
    random.seed(3)
    for _ in range(200):
        data = bytes(random.randrange(256) for _ in range(random.randrange(200)))
        assert isinstance(head_of(data), Head)
        assert not [s for s, v in _scores(data).items() if v >= 50]
