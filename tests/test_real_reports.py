"""Real reports of real tools: each goes to its connector, and the counts are right.

The counters below read plain JSON and share no code with the connectors. The data is not part of
the repository: SECINBOX_SHARED_DATA, or `../shared/data` next to it, says where it lies.
"""

from __future__ import annotations

import csv
import gzip
import importlib
import json
import os
import pkgutil
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

import secinbox.intel
import secinbox.sources
from secinbox.reading import Report, ReportError, as_connector, head_of

_ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SECINBOX_SHARED_DATA") or _ROOT.parent / "shared" / "data")
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"no real reports at {DATA}: set SECINBOX_SHARED_DATA"
)
FOLDERS = ("reports", "lab", "joined", "signals", "intel")


def _modules() -> dict[str, ModuleType]:
    return {
        info.name: importlib.import_module(f"{package.__name__}.{info.name}")
        for package in (secinbox.sources, secinbox.intel)
        for info in pkgutil.iter_modules(package.__path__)
        if not info.name.startswith("_")
    }


MODULES = _modules()


@cache
def _routed() -> dict[str, str]:
    """Path below the data folder -> connector, for every file that one recognises."""
    found: dict[str, str] = {}
    for folder in FOLDERS:
        for path in sorted((DATA / folder).rglob("*")):
            name = path.relative_to(DATA).as_posix()
            if not path.is_file() or "/inventory/" in name or name.endswith(".zip"):
                continue
            head = head_of(_bytes(name), name)
            scores = {s: m.recognise(head) for s, m in MODULES.items()}
            best = max(scores.values())
            winners = [s for s, v in scores.items() if v == best]
            if best:
                assert len(winners) == 1, f"{name}: {winners}"
                found[name] = winners[0]
    return found


def _bytes(name: str) -> bytes:
    data = (DATA / name).read_bytes()
    return gzip.decompress(data) if name.endswith(".gz") else data


def _load(name: str) -> list[Any]:
    """The documents of a file: one, a list's elements, or one a line."""
    text = _bytes(name).decode("utf-8-sig")
    try:
        value = json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    return value if isinstance(value, list) else [value]


def _count(name: str) -> Counter[str]:
    report = Report(_bytes(name), "/".join(name.split("/")[-2:]))
    counts: Counter[str] = Counter()
    for record in as_connector(MODULES[_routed()[name]]).read(report):
        word = type(record).__name__
        counts[word] += record.count if word == "Passed" else 1  # type: ignore[union-attr]
    return counts


# What the tools' folders hold that is not the tool's report, and why.
ELSEWHERE = {
    "reports/trivy/trivy-goldens/alpine-310.asff.golden": "asff",
    "reports/trivy/trivy-goldens/secrets.asff.golden": "asff",
    "reports/trivy/trivy-goldens/alpine-310.sarif.golden": "sarif",
    "reports/trivy/trivy-goldens/conda-spdx.json.golden": "spdx",
    "reports/trivy/trivy-goldens/julia-spdx.json.golden": "spdx",
    "reports/govulncheck/defectdojo/issue_15033_sarif.json": "sarif",
    "reports/snyk/defectdojo/snykcode_issue_9270.json": "sarif",
}
# Yarn's error answer, which lies in other tools' folders too.
STRAYS = {
    "reports/gitlab_dast/defectdojo/empty_with_error.json",
    "reports/noseyparker/defectdojo/empty_with_error.json",
}
UNREAD = {
    "alpine-310.gitlab.golden": "GitLab's own format",
    "alpine-310.gitlab-codequality.golden": "GitLab's own format",
    "npm.gitlab.golden": "GitLab's own format",
    "alpine-310.gsbom.golden": "GitHub dependency snapshot",
    "alpine-310.html.golden": "a page for people",
    "alpine-310.junit.golden": "JUnit has no ids",
    "summary-ids.json.golden": "a list of ids, not a report",
    "count-0.1.0-plugin-with-before-flag.txt.golden": "a plug-in's text",
    "count-0.2.0-plugin.txt.golden": "a plug-in's text",
    "legacy_no_vuln.json": "null",
    "no_findings.json": "null, or empty",
    "openvex_not_a_document.json": "deliberately not a document",
    "zizmor_report_empty.json": "an empty list says not whose it is",
    "non_zizmor_report.json": "deliberately another tool's",
    "empty.json": "an empty list says not whose it is",
    "zero_vulns.json": "an empty list says not whose it is",
    "WebGoat.xml": "the source from which the SARIF beside it was made",
    "sbom.json": "Syft's own format",
    "no_vuln.ocsf.json": "an empty list says not whose it is",
    "aws_inspector2_zero_vul.json": "an empty list says not whose it is",
    "empty_with_error.json": "an answer without findings",
    "bad_ip.json": "a log entry, not the finding made of it",
}
HOMES = {
    "reports/trivy": "trivy",
    "reports/anchore_grype": "grype",
    "reports/asff": "asff",
    "reports/awssecurityhub": "asff",
    "reports/bandit": "bandit",
    "reports/checkov": "checkov",
    "reports/csaf": "csaf",
    "reports/cyclonedx": "cyclonedx",
    "reports/secobserve/cyclone_dx": "cyclonedx",
    "reports/gitleaks": "gitleaks",
    "reports/trufflehog": "trufflehog",
    "reports/trufflehog3": "trufflehog",
    "reports/npm_audit": "npm_audit",
    "reports/npm_audit_7_plus": "npm_audit",
    "reports/pnpm_audit": "npm_audit",
    "reports/openvex": "openvex",
    "reports/osv_scanner": "osv_scanner",
    "reports/pip_audit": "pip_audit",
    "reports/sarif": "sarif",
    "reports/secobserve/sarif": "sarif",
    "reports/secobserve/ocsf": "ocsf",
    "reports/semgrep": "semgrep",
    "reports/snyk": "snyk",
    "reports/aws_inspector2": "inspector2",
    "signals/gcp-scc": "gcp_scc",
    "reports/spdx": "spdx",
    "reports/zizmor": "zizmor",
    "reports/trivy_operator": "trivy_operator",
    "reports/yarn_audit": "npm_audit",
    "lab/cloud/prowler.417300925513.csv": "prowler",
    "signals/falco": "falco",
    "signals/modsecurity": "modsecurity",
    "lab/waf/modsec_audit.json": "modsecurity",
    "intel/kev/known_exploited_vulnerabilities.json": "cisa_kev",
    "intel/exploitdb": "exploitdb",
    "intel/epss": "epss",
    "intel/metasploit": "metasploit",
    "intel/osv": "osv",
    "intel/vulnrichment": "vulnrichment",
    "intel/poc-indices/PS_PoC_results.csv": "poc_index",
}


@pytest.mark.parametrize("home", sorted(HOMES))
def test_each_file_goes_to_its_connector(home: str) -> None:
    place = DATA / home
    paths = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
    assert paths
    for path in paths:
        name = path.relative_to(DATA).as_posix()
        if path.name in UNREAD and name not in _routed():
            continue
        got = _routed().get(name)
        if got != HOMES[home] and "cyclonedx" in got_text(name):
            assert got == "cyclonedx", name
            continue
        assert got == ELSEWHERE.get(name, HOMES[home]), name


def got_text(name: str) -> str:
    """`cyclonedx` when the file says that it is one."""
    return "cyclonedx" if b'"bomFormat": "CycloneDX"' in _bytes(name)[:2000] else ""


def test_no_other_tools_report_is_misread() -> None:
    """Folders of tools without a connector: nothing there is recognised, but for these formats."""
    supported = {Path(home).parts[1] for home in HOMES if home.startswith("reports/")}
    supported |= {"prowler", "aws_prowler_v3plus", "semgrep_pro", "yarn_audit", "secobserve"}
    allowed = {"sarif", "cyclonedx", "spdx", "asff", "ocsf"}
    wrong = {
        name: stem
        for name, stem in _routed().items()
        if name.startswith("reports/")
        and name.split("/")[1] not in supported
        and stem not in allowed
        and name not in STRAYS
    }
    own = {s for s in MODULES if (DATA / "reports" / s).is_dir()}
    assert {n: s for n, s in wrong.items() if n.split("/")[1] not in own} == {}


# Independent counters: findings, and what else is worth counting.


def _trivy(documents: list[Any]) -> Counter[str]:
    counts: Counter[str] = Counter()
    results = [r for d in documents for r in ([d] if "Target" in d else d.get("Results") or [])]
    for document in documents:
        for key in ("Resources", "Findings", "Vulnerabilities", "Misconfigurations"):
            for workload in document.get(key) or []:
                if "ClusterName" in document:
                    results += workload.get("Results") or []
    for result in results:
        rows = result.get("Vulnerabilities") or []
        counts["Finding"] += sum(1 for v in rows if v.get("VulnerabilityID"))
        checks = result.get("Misconfigurations") or []
        counts["Finding"] += sum(1 for m in checks if m["Status"] == "FAIL")
        counts["Finding"] += len(result.get("Secrets") or [])
        counts["Passed"] += (result.get("MisconfSummary") or {}).get("Successes", 0)
    return counts


def _grype(documents: list[Any]) -> Counter[str]:
    return Counter(Finding=sum(len(d["matches"]) for d in documents))


def _ocsf(documents: list[Any]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for event in documents:
        if event.get("status") == "Suppressed":
            continue
        if event.get("status_code") == "PASS":
            counts["Passed"] += 1
        elif event.get("status_code") == "MANUAL":
            continue
        elif event["metadata"]["product"]["name"] in ("Prowler", "Security Hub"):
            counts["Finding"] += max(1, len(event.get("resources") or []))
        elif event["class_uid"] == 2002:
            counts["Finding"] += len(event["vulnerabilities"])
        else:
            counts["Signal"] += 1
    return counts


def _asff(documents: list[Any]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for outer in documents:
        inner = outer.get("detail") or outer
        for item in inner.get("Findings") or inner.get("findings") or [inner]:
            if (item.get("Compliance") or {}).get("Status") == "PASSED":
                counts["Passed"] += 1
            elif "guardduty" in item["ProductArn"]:
                counts["Signal"] += 1
            else:
                weaknesses = len(item.get("Vulnerabilities") or [1])
                counts["Finding"] += weaknesses * len(item["Resources"])
    return counts


def _sarif(documents: list[Any]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for run in documents[0].get("runs") or []:
        for result in run.get("results") or []:
            if result.get("kind") == "pass":
                counts["Passed"] += 1
            elif not result.get("suppressions"):
                counts["Finding"] += 1
    return counts


def _npm(documents: list[Any]) -> Counter[str]:
    found = 0
    for document in documents:
        found += len(document.get("advisories") or {})
        found += document.get("type") == "auditAdvisory"
        if "children" in document:
            found += "(deprecation)" not in str(document["children"]["ID"])
        for entry in (document.get("vulnerabilities") or {}).values():
            found += sum(isinstance(via, dict) for via in entry["via"])
    return Counter(Finding=found)


def _pip(documents: list[Any]) -> Counter[str]:
    rows = documents
    if len(documents) == 1 and "dependencies" in documents[0]:
        rows = documents[0]["dependencies"]
    return Counter(Finding=sum(len(row.get("vulns") or []) for row in rows))


def _osv_scanner(documents: list[Any]) -> Counter[str]:
    return Counter(
        Finding=sum(
            len(package.get("vulnerabilities") or [])
            for document in documents
            for result in document["results"]
            for package in result["packages"]
        )
    )


def _checkov(documents: list[Any]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for part in documents:
        results = part.get("results") or {}
        counts["Finding"] += len(results.get("failed_checks") or [])
        counts["Passed"] += (part.get("summary") or part)["passed"]
    return counts


def _semgrep(documents: list[Any]) -> Counter[str]:
    document = documents[0]
    rows = document.get("results") or document.get("vulns") or document.get("findings") or []
    return Counter(Finding=len(rows))


def _cyclonedx(documents: list[Any]) -> Counter[str]:
    """JSON only; findings of vulnerabilities whose package is in the document."""
    bom = documents[0]
    known: set[str] = set()
    stack = [*(bom.get("components") or []), (bom.get("metadata") or {}).get("component") or {}]
    packages = 0
    main = (bom.get("metadata") or {}).get("component")
    while stack:
        part = stack.pop()
        known.add(part.get("bom-ref") or part.get("purl") or "")
        packages += bool(part.get("purl")) and part is not main
        stack += part.get("components") or []
    found = statements = 0
    for item in bom.get("vulnerabilities") or []:
        state = (item.get("analysis") or {}).get("state")
        statements += state is not None
        if state in (None, "exploitable", "in_triage"):
            rows = [a["ref"] for a in item.get("affects") or []] or [""]
            found += sum(1 for r in rows if r in known or state is None or r.startswith("pkg:"))
    return Counter(Finding=found, Component=packages, Statement=statements)


def _spdx(documents: list[Any]) -> Counter[str]:
    found = 0
    for package in documents[0]["packages"]:
        ids = {
            match.upper()
            for r in package.get("externalRefs") or []
            if r["referenceType"] == "advisory"
            for match in re.findall(r"(?:CVE|cve)-\d{4}-\d+|GHSA-[\w-]{14}", r["referenceLocator"])
        }
        found += len(ids)
    return Counter(Finding=found)


def _findings(documents: list[Any]) -> Counter[str]:
    rows = documents
    if len(documents) == 1 and isinstance(documents[0].get("findings"), list):
        rows = documents[0]["findings"]
    return Counter(Finding=len(rows))


def _csaf(documents: list[Any]) -> Counter[str]:
    found = sum(
        len(products)
        for item in documents[0].get("vulnerabilities") or []
        for status, products in item["product_status"].items()
        if status != "recommended"
    )
    return Counter(Statement=found)


def _trivy_operator(documents: list[Any]) -> Counter[str]:
    counts: Counter[str] = Counter()
    reports: list[Any] = []
    for document in documents:
        if "kind" in document:
            reports += document.get("items") or [document]
        else:
            reports += [r for rows in document.values() for r in rows]
    for item in reports:
        report = item.get("report") or {}
        counts["Finding"] += len(report.get("vulnerabilities") or [])
        counts["Finding"] += len(report.get("secrets") or [])
        for check in report.get("checks") or []:
            counts["Passed" if check["success"] else "Finding"] += 1
    return counts


def _prowler(documents: list[Any]) -> Counter[str]:
    words = Counter(d["Status"] for d in documents)
    return Counter(Finding=words["FAIL"], Passed=words["PASS"])


def _snyk(documents: list[Any]) -> Counter[str]:
    found = set()
    for number, document in enumerate(documents):
        for part in (document, *(document.get("applications") or [])):
            for v in part["vulnerabilities"]:
                if v.get("type") != "license":
                    name = v.get("packageName") or v["name"]
                    found.add((number, v["id"], name, str(v["version"])))
    return Counter(Finding=len(found))


def _inspector2(documents: list[Any]) -> Counter[str]:
    rows = [f for d in documents for f in d["findings"]]
    return Counter(Finding=sum(len(f["resources"]) for f in rows if f["status"] == "ACTIVE"))


def _gcp_scc(documents: list[Any]) -> Counter[str]:
    rows = [d["finding"] for d in documents if d["finding"].get("state") != "INACTIVE"]
    threats = sum("detection" in str(sorted(f.get("sourceProperties") or {})) for f in rows)
    return Counter(Signal=threats, Finding=len(rows) - threats)


COUNTERS: dict[str, Callable[[list[Any]], Counter[str]]] = {
    "trivy": _trivy,
    "grype": _grype,
    "ocsf": _ocsf,
    "asff": _asff,
    "sarif": _sarif,
    "npm_audit": _npm,
    "pip_audit": _pip,
    "osv_scanner": _osv_scanner,
    "checkov": _checkov,
    "semgrep": _semgrep,
    "cyclonedx": _cyclonedx,
    "spdx": _spdx,
    "snyk": _snyk,
    "inspector2": _inspector2,
    "gcp_scc": _gcp_scc,
    "csaf": _csaf,
    "trivy_operator": _trivy_operator,
    "prowler": _prowler,
    "bandit": lambda d: Counter(Finding=len(d[0]["results"])),
    "gitleaks": _findings,
    "kingfisher": _findings,
    "trufflehog": lambda d: Counter(Finding=len(d)),
    "zizmor": lambda d: Counter(Finding=sum(not x["ignored"] for x in d)),
    "openvex": lambda d: Counter(Statement=len(d[0]["statements"])),
    "falco": lambda d: Counter(Signal=len(d)),
    "suricata": lambda d: Counter(Signal=sum(x["event_type"] == "alert" for x in d)),
    "guardduty": lambda d: Counter(Signal=len(d)),
    "vulnrichment": lambda d: Counter(
        Exploit=sum(
            metric.get("other", {}).get("type") == "ssvc"
            for x in d
            for adp in x["containers"].get("adp") or []
            for metric in adp.get("metrics") or []
        )
    ),
}
# These say that they are broken, or are of a version that has no reader.
REFUSED = {
    "lab/app/npm-audit.storefront-ui.json",
    "reports/npm_audit/defectdojo/empty_with_error.json",
    "reports/yarn_audit/defectdojo/empty_with_error.json",
    *STRAYS,
    "reports/spdx/defectdojo/spdx_3_unsupported.json",
    "reports/csaf/defectdojo/csaf_unsupported_version.json",
}


def _json_files(stem: str) -> Iterator[str]:
    for name, found in _routed().items():
        text = name.removesuffix(".gz")
        if found == stem and not text.endswith((".xml", ".spdx", ".csv", ".yaml", ".txt", ".md")):
            yield name


@pytest.mark.parametrize("stem", sorted(COUNTERS))
def test_counts_equal_an_independent_count(stem: str) -> None:
    names = list(_json_files(stem))
    assert names
    for name in names:
        if name in REFUSED:
            with pytest.raises(ReportError):
                _count(name)
            continue
        expected = COUNTERS[stem](_load(name))
        got = _count(name)
        assert {k: got[k] for k in expected} == dict(expected), name


def test_cyclonedx_xml_says_what_its_json_twin_says() -> None:
    pairs = (
        ("bom-examples/dropwizard-1.3.15/bom.xml", "bom-examples/dropwizard-1.3.15/bom.json"),
        ("bom-examples/juice-shop-v11.1.2/bom.xml", "bom-examples/juice-shop-v11.1.2/bom.json"),
        ("bom-examples/laravel-7.12.0/bom.1.4.xml", "bom-examples/laravel-7.12.0/bom.1.4.json"),
        ("defectdojo/log4j.xml", "defectdojo/log4j.json"),
    )
    for left, right in pairs:
        assert _count(f"reports/cyclonedx/{left}") == _count(f"reports/cyclonedx/{right}")
    for name in ("dd_1_15_0.xml", "grype.xml", "grype_dd_1_14_1.xml"):
        path = f"reports/cyclonedx/defectdojo/{name}"
        expected = len(re.findall(rb"<(?:v:)?vulnerability[ >]", _bytes(path)))
        assert _count(path)["Finding"] == expected


def test_modsecurity_transactions_with_a_message() -> None:
    for name, stem in _routed().items():
        if stem != "modsecurity":
            continue
        text = _bytes(name).decode()
        if text.lstrip().startswith("{"):
            expected = sum(bool(d["audit_data"].get("messages")) for d in _load(name))
        else:
            parts = re.split(r"(?m)^-{2,3}\w+-{1,3}A--\s*$", text)[1:]
            expected = sum("\nMessage: " in p or "\nModSecurity: " in p for p in parts)
        assert _count(name)["Signal"] == expected, name


def test_prowler_csv() -> None:
    for name, stem in _routed().items():
        if stem == "prowler" and name.endswith(".csv"):
            rows = csv.DictReader(_bytes(name).decode().splitlines(True), delimiter=";")
            words = Counter(row["STATUS"] for row in rows)
            got = _count(name)
            assert (got["Finding"], got["Passed"]) == (words["FAIL"], words["PASS"]), name


def test_feeds_are_read_whole() -> None:
    for name, stem in _routed().items():
        text = _bytes(name)
        if stem == "cisa_kev":
            assert _count(name)["Exploit"] == 1404
        elif stem == "epss":
            rows = sum(line.startswith(b"CVE-") for line in text.splitlines())
            assert _count(name)["Exploit"] == rows
        elif stem == "exploitdb" and name.endswith(".json"):
            assert _count(name)["Exploit"] == sum(len(v) for v in json.loads(text).values())
        elif stem == "metasploit" and name.endswith(".txt"):
            assert _count(name)["Exploit"] == sum(bool(x.strip()) for x in text.splitlines())
        elif stem == "nvd" and b'"CVE_Items"' in text[:5000]:
            items = json.loads(text)["CVE_Items"]
            proofs = sum(
                len(
                    {
                        r["url"]
                        for r in item["cve"]["references"]["reference_data"]
                        if "Exploit" in r["tags"]
                    }
                )
                for item in items
            )
            assert _count(name)["Exploit"] == len(items) + proofs
        elif stem == "osv" and name.endswith(".json"):
            record = json.loads(text)
            expected = 0 if record.get("withdrawn") else len(set(record.get("aliases") or []))
            assert _count(name)["VulnerabilityAlias"] == expected
        elif stem == "poc_index" and name.endswith("PS_PoC_results.csv"):
            rows = len(list(csv.reader(text.decode().splitlines(), delimiter=";"))) - 1
            assert _count(name)["Exploit"] == rows


def test_one_scan_in_two_formats_gives_the_same_findings() -> None:
    pairs = (
        ("lab/app/bandit.checkout-api.json", "lab/app/bandit.checkout-api.sarif"),
        ("lab/app/zizmor.json", "lab/app/zizmor.sarif"),
        ("lab/app/checkov-tf/results_json.json", "lab/app/checkov-tf/results_sarif.sarif"),
        ("lab/app/checkov/results_json.json", "lab/app/checkov/results_sarif.sarif"),
        ("lab/cloud/prowler.417300925513.ocsf.json.gz", "lab/cloud/prowler.417300925513.asff.json"),
        ("lab/cloud/prowler.417300925513.ocsf.json.gz", "lab/cloud/prowler.417300925513.csv"),
        (
            "reports/gitleaks/defectdojo/version_7.5.0.json",
            "reports/sarif/defectdojo/gitleaks_7.5.0.sarif",
        ),
    )
    for left, right in pairs:
        assert _identities(left) == _identities(right), (left, right)


def _identities(name: str) -> Counter[tuple[str, ...]]:
    stem = _routed()[name]
    account = "417300925513"
    options = {} if account in name else {"resource": "repo:example.com/shop"}
    report = Report(_bytes(name), name, options=options)
    return Counter(
        (r.type, r.resource, r.rule, r.location, r.anchor, r.tool or stem)
        for r in as_connector(MODULES[stem]).read(report)
        if type(r).__name__ == "Finding"
    )


def test_spdx_tag_value() -> None:
    for name, stem in _routed().items():
        if stem == "spdx" and name.endswith(".spdx"):
            ids, packages = 0, 0
            for part in re.split(r"(?m)^PackageName:", _bytes(name).decode())[1:]:
                advisories = re.findall(r"(?m)^ExternalRef: SECURITY advisory (\S+)", part)
                ids += len(set(re.findall(r"CVE-\d+-\d+", " ".join(advisories))))
                packages += "PACKAGE-MANAGER purl pkg:" in part
            got = _count(name)
            assert (got["Finding"], got["Component"]) == (ids, packages), name
            assert ids


def test_small_cyclonedx_xml() -> None:
    for name in (
        "cyclonedx_bom.xml",
        "jake.xml",
        "retirejs.latest.xml",
        "spec1.xml",
        "spec1_lowfirst.xml",
        "valid-vulnerability-1.4.xml",
    ):
        path = f"reports/cyclonedx/defectdojo/{name}"
        root = ElementTree.fromstring(_bytes(path))
        local = [(node.tag.rpartition("}")[2], node) for node in root.iter()]
        expected: Counter[str] = Counter()
        for tag, node in local:
            if tag == "vulnerability":
                inner = [(n.tag.rpartition("}")[2], (n.text or "").strip()) for n in node.iter()]
                state = next((text for tag, text in inner if tag == "state"), "")
                expected["Statement"] += bool(state)
                if state in ("", "exploitable", "in_triage"):
                    expected["Finding"] += max(1, sum(tag == "target" for tag, _ in inner))
        assert {k: _count(path)[k] for k in expected} == dict(expected), name


def test_nvd_2_and_vunnel_records() -> None:
    counted = 0
    for name, stem in _routed().items():
        if stem == "nvd" and b'"CVE_Items"' not in _bytes(name)[:5000]:
            entries: list[Any] = []
            for document in _load(name):
                document = document.get("item", document)
                entries += [x["cve"] for x in document.get("vulnerabilities") or [document]]
            known = [e for e in entries if e["vulnStatus"] != "Rejected"]
            proofs = {
                (e["id"], r["url"])
                for e in known
                for r in e.get("references") or []
                if "Exploit" in (r.get("tags") or [])
            }
            assert _count(name)["Exploit"] == len(known) + len(proofs), name
            counted += 1
    assert counted >= 29


def test_osv_yaml() -> None:
    counted = 0
    for name, stem in _routed().items():
        if stem == "osv" and name.endswith((".yaml", ".yml")):
            text = _bytes(name).decode()
            block = re.search(r"(?m)^aliases:\n((?:[ -].*\n?)+)", text)
            ids = set(re.findall(r"-\s+(\S+)", block.group(1))) if block else set()
            proofs = len(re.findall(r"(?m)^-?\s*(?:- )?type: ['\"]?(?:EXPLOIT|EVIDENCE)\b", text))
            if re.search(r"(?m)^withdrawn:", text):
                ids, proofs = set(), 0
            got = _count(name)
            assert (got["VulnerabilityAlias"], got["Exploit"]) == (len(ids), proofs), name
            counted += 1
    assert counted


def test_indices_of_proofs() -> None:
    publishers = {"exploit-db.com", "packetstormsecurity.com", "packetstormsecurity.org",
                  "huntr.dev", "huntr.com", "hackerone.com", "wpscan.com", "gist.github.com",
                  "0day.today", "vulhub.org"}  # fmt: skip
    seen = set()
    for name, stem in _routed().items():
        text = _bytes(name).decode()
        if stem == "poc_index" and "Snyk" in name:
            lines = [x.split(";") for x in text.splitlines()[1:]]
            expected = sum(x[0].upper().startswith("CVE-") and "yes" in x[3:] for x in lines)
        elif stem == "poc_index" and name.endswith(".md"):
            expected = 0
            for link in re.findall(r"(?m)^- (https?://\S.*)$", text.partition("### POC")[2]):
                host = link.split("/")[2].removeprefix("www.")
                named = re.search(r"cve-|exploit|\bpoc\b", link.lower())
                expected += (
                    host in publishers
                    or "seclists.org/fulldisclosure/" in link
                    or bool("github.com/" in link and named)
                )
        else:
            continue
        assert _count(name)["Exploit"] == expected, name
        seen.add(name.rpartition(".")[2])
    assert seen == {"csv", "md"}
