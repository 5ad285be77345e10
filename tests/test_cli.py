"""The command line as a user has it: JSON contract, exit codes, hostile text, waiting, clock."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, trivy, vulnerability
from tests.test_inbox import asff, instance

ENV = {k: v for k, v in os.environ.items() if not k.startswith("SECINBOX_")}


def run(home: Path, *words: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "secinbox", "--home", str(home), *words],
        input=stdin,
        capture_output=True,
        timeout=120,
        cwd=ROOT,
        env=ENV,
    )


def ask(home: Path, *words: str) -> Any:
    done = run(home, *words, "--json", "--as-of", "2026-11-20")
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    (folder / "trivy.json").write_text(json.dumps(trivy(vulnerability())))
    (folder / "hub.json").write_text(
        json.dumps(
            {"Findings": [asff("A.1", instance(1), tags={"env": "prod"}), asff("A.2", instance(2))]}
        )
    )
    done = run(
        folder / "home",
        "import",
        str(folder / "trivy.json"),
        str(folder / "hub.json"),
        "--json",
        "--as-of",
        "2026-11-20",
    )
    assert done.returncode == 0, done.stderr
    return folder / "home"


def typed(value: Any, shape: dict[str, Any]) -> None:
    """The value has every key of the shape, with the right type."""
    for key, kind in shape.items():
        assert key in value, key
        if isinstance(kind, (tuple, type)):
            assert isinstance(value[key], kind), (key, value[key])


def test_contract_of_import(tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    report.write_text(json.dumps(trivy(vulnerability())))
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "cut.json").write_text(json.dumps(trivy(vulnerability()))[:-9])
    done = run(tmp_path / "home", "import", str(tmp_path), "--json")
    assert done.returncode == 4
    files = {Path(f["path"]).name: f for f in json.loads(done.stdout)["files"]}
    good = files["r.json"]
    typed(
        good,
        {
            "path": str,
            "format": str,
            "status": str,
            "records": dict,
            "changes": dict,
            "skipped": list,
        },
    )
    assert good["status"] == "imported" and good["error"] is None
    assert good["records"] == {
        "resources": 1,
        "findings": 1,
        "passed": 0,
        "signals": 0,
        "exploits": 0,
    }
    assert good["changes"] == {"new": 1, "fixed": 0, "reopened": 0, "unchanged": 0}
    assert files["notes.txt"]["status"] == "skipped"
    bad = files["cut.json"]
    assert bad["status"] == "failed"
    typed(bad["error"], {"message": str, "place": str, "hint": str})
    again = json.loads(run(tmp_path / "home", "import", str(report), "--json").stdout)["files"][0]
    assert again["changes"] == {"new": 0, "fixed": 0, "reopened": 0, "unchanged": 1}


def test_contract_of_list(home: Path) -> None:
    answer = ask(home, "list")
    typed(answer, {"issues": list, "total": int})
    assert "next" in answer
    issue = answer["issues"][0]
    typed(
        issue,
        {
            "id": str,
            "rank": int,
            "title": str,
            "type": str,
            "severity": str,
            "risks": dict,
            "risk_count": int,
            "impacted_resources": int,
            "impacted_services": int,
            "resources": list,
            "status": str,
            "admitted_by": str,
            "due": (str, type(None)),
        },
    )
    assert set(issue["risks"]) == {
        "public_accessibility",
        "privileged_access",
        "under_attack",
        "exploit_available",
        "in_production",
    }
    assert set(issue["risks"].values()) <= {"yes", "no", "unknown"}


def test_contract_of_findings(home: Path) -> None:
    answer = ask(home, "findings")
    assert answer["total"] == 3
    for finding in answer["findings"]:
        typed(
            finding,
            {
                "id": str,
                "type": str,
                "title": str,
                "severity": str,
                "resource": str,
                "attributions": list,
                "risks": dict,
                "in_inbox": bool,
            },
        )
        for attribution in finding["attributions"]:
            typed(
                attribution,
                {"tool": str, "report": str, "place": str, "first_seen": str, "last_seen": str},
            )
        for risk in finding["risks"].values():
            assert risk["value"] in ("yes", "no", "unknown")
            for entry in risk["evidence"]:
                typed(entry, {"kind": str, "text": str})
        if finding["in_inbox"]:
            assert finding["issue"] and finding["admitted_by"]
        else:
            assert finding["why_not"]


def test_contract_of_resources(home: Path) -> None:
    for resource in ask(home, "resources")["resources"]:
        typed(
            resource,
            {
                "uid": str,
                "type": str,
                "aliases": list,
                "tags": dict,
                "risks": dict,
                "environment": (str, type(None)),
                "service": (str, type(None)),
            },
        )
        for risk in resource["risks"].values():
            typed(risk, {"value": str, "evidence": list})


def test_limit_and_cursor_page_every_list(home: Path) -> None:
    for verb, key, identity in (("findings", "findings", "id"), ("resources", "resources", "uid")):
        whole = [x[identity] for x in ask(home, verb)[key]]
        paged, cursor = [], ""
        while True:
            words = ["--limit", "1"] + (["--cursor", cursor] if cursor else [])
            page = ask(home, verb, *words)
            paged += [x[identity] for x in page[key]]
            cursor = page["next"]
            if not cursor:
                break
        assert paged == whole


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["list", "sevrity:high"], 2, "severity"),
        (["show", "nothing"], 3, "nothing"),
        (["why", "arn:aws:s3:::nowhere"], 3, "nothing is called"),
        (["lst"], 2, "Did you mean list"),
        (["import", "does-not-exist.json"], 1, "does-not-exist.json"),
        (["list", "--as-of", "someday"], 2, "--as-of"),
        (["list", "--profile", "best"], 2, "bod-26-04"),
    ],
)
def test_failures_say_what_and_what_next(
    home: Path, words: list[str], code: int, said: str
) -> None:
    done = run(home, *words)
    text = (done.stderr + done.stdout).decode()
    assert done.returncode == code, text
    assert said in text
    assert "Traceback" not in text


def test_hostile_text_of_reports_never_reaches_the_terminal(tmp_path: Path) -> None:
    hostile = (
        "\x1b]0;owned\x07\x1b[2J\u202egnp.exe <script>alert(1)</script> [bold red]x[/] \r\n=cmd()"
    )
    entry = vulnerability() | {"Title": hostile}
    hub = asff("A.1", instance(1), tags={"env": "prod"}) | {"Title": hostile}
    (tmp_path / "a.json").write_text(json.dumps(trivy(entry)))
    (tmp_path / "\x1b[31mb.json").write_text(json.dumps({"Findings": [hub]}))
    home = tmp_path / "home"
    out = run(home, "import", str(tmp_path))
    text = out.stdout + out.stderr
    for verb in (["list"], ["findings"], ["show", "1"], ["resources"]):
        done = run(home, *verb)
        assert done.returncode == 0
        text += done.stdout + done.stderr
    decoded = text.decode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", decoded)
    assert "[bold red]x" in decoded  # shown as it is, not taken as markup


def test_two_imports_at_once_queue_with_a_message(tmp_path: Path) -> None:
    from secinbox.session import Session

    (tmp_path / "a.json").write_text(json.dumps(trivy(vulnerability())))
    home = tmp_path / "home"
    with Session(home):
        waiting = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "secinbox",
                "--home",
                str(home),
                "import",
                str(tmp_path / "a.json"),
            ],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd=ROOT,
            env=ENV,
        )
        assert waiting.stderr is not None
        assert b"waiting" in waiting.stderr.readline()
        assert waiting.poll() is None
    waiting.stderr.read()
    assert waiting.wait(60) == 0


def test_the_cli_goes_through_the_server_that_runs_on_the_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "hub.json").write_text(
        json.dumps({"Findings": [asff("A.1", instance(1), tags={"env": "prod"})]})
    )
    server = subprocess.Popen(
        [sys.executable, "-m", "secinbox", "--home", str(home), "serve", "--port", "0"],
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=ENV,
    )
    try:
        assert server.stderr is not None
        assert b"http://127.0.0.1:" in server.stderr.readline()
        deadline = time.monotonic() + 20
        while run(home, "list").returncode and time.monotonic() < deadline:
            time.sleep(0.2)
        assert (home / "server.json").stat().st_mode & 0o077 == 0
        done = run(home, "import", str(tmp_path / "hub.json"), "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["files"][0]["changes"]["new"] == 1
        assert json.loads(run(home, "list", "--json").stdout)["total"] == 1
        assert run(home, "show", "1").returncode == 0
        assert run(home, "why", instance(1)).returncode == 0
        assert run(home, "show", "nothing").returncode == 3
        assert run(home, "list", "nope:1").returncode == 2
    finally:
        server.terminate()
        server.wait(20)
    assert not (home / "server.json").exists()


def test_standard_input_gzip_and_zstd(tmp_path: Path) -> None:
    import gzip

    import zstandard

    data = json.dumps(trivy(vulnerability())).encode()
    assert run(tmp_path / "a", "import", "-", stdin=data).returncode == 0
    (tmp_path / "r.json.gz").write_bytes(gzip.compress(data))
    (tmp_path / "r.json.zst").write_bytes(zstandard.ZstdCompressor().compress(data))
    for name in ("r.json.gz", "r.json.zst"):
        done = run(tmp_path / name.replace(".", ""), "import", str(tmp_path / name), "--json")
        assert json.loads(done.stdout)["files"][0]["records"]["findings"] == 1


def test_help_names_every_command_and_every_command_has_help() -> None:
    import click

    from secinbox.cli import secinbox

    context = click.Context(secinbox)
    text = secinbox.get_help(context)
    for name in secinbox.list_commands(context):
        assert re.search(rf"^  {name}\b", text, re.M), name
        command = secinbox.get_command(context, name)
        assert command is not None and command.help


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['secinbox', '--help']\n"
        "from secinbox.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "bad = {'duckdb', 'pyarrow', 'fastapi', 'sqlalchemy', 'rich', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(', '.join(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
