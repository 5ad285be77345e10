"""What a repository brings: the GitHub Action, its steps run as a runner runs them, and CODEOWNERS."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from secinbox.inventory.codeowners import owners_of, recognise
from secinbox.reading import Head
from secinbox.session import Session
from tests.conftest import ROOT, trivy, vulnerability
from tests.test_cli import ENV

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())


def act(folder: Path, **inputs: str) -> tuple[int, str, str]:
    """Runs the steps with these inputs: (exit code, outputs, summary)."""
    values = {k: str(v.get("default", "")) for k, v in ACTION["inputs"].items()}
    values |= {"install": "", "resource": "repo:github.com/acme/shop"} | inputs
    shims = folder / "bin"
    shims.mkdir(exist_ok=True)
    (shims / "secinbox").write_text(f'#!/bin/sh\nexec {sys.executable} -m secinbox "$@"\n')
    (shims / "secinbox").chmod(0o755)
    files = {n: str(folder / n.lower()) for n in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for name in files.values():
        Path(name).write_text("")

    def filled(text: str) -> str:
        text = text.replace("${{ runner.temp }}", str(folder))
        return re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda m: values[m.group(1)], text)

    code = 0
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]  # inputs reach the shell as variables only
        env = {**ENV, **files, "RUNNER_TEMP": str(folder), "PYTHONPATH": str(ROOT / "src"),
               "PATH": f"{shims}:{os.environ['PATH']}",
               **{k: filled(v) for k, v in step["env"].items()}}  # fmt: skip
        env = {k: v for k, v in env.items() if v or not k.startswith("SECINBOX_")}
        done = subprocess.run(["bash", "-c", step["run"]], env=env, cwd=folder, timeout=120,
                              capture_output=True, text=True)  # fmt: skip
        code = done.returncode
        if code:
            break
    return code, *(Path(files[n]).read_text() for n in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"))


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    found = vulnerability("CVE-2024-0001", "lib-one", "CRITICAL")
    (tmp_path / "a report.json").write_text(json.dumps(trivy(found)))
    (tmp_path / "secinbox" / "rules").mkdir(parents=True)
    (tmp_path / "secinbox" / "rules" / "all.yaml").write_text("- kind: inbox\n  name: All\n")
    return tmp_path


def test_the_action_stops_a_pipeline_and_lets_it_pass(reports: Path) -> None:
    code, outputs, summary = act(reports, reports="a report.json\n\n", query="severity:critical")
    assert code == 5 and outputs == "count=1\n" and "<li>critical: " in summary
    code, outputs, _ = act(reports, query="severity:critical package:*nothing*")
    assert (code, outputs) == (0, "count=0\n")
    (reports / "known.json").write_text((reports / "secinbox-gate.json").read_text())
    act(reports, query="severity:critical")
    (reports / "known.json").write_text((reports / "secinbox-gate.json").read_text())
    assert act(reports, query="severity:critical", baseline="known.json")[0] == 0


def test_inputs_of_the_action_are_no_commands(reports: Path) -> None:
    bad = "$(touch pwned) `touch pwned` ; touch pwned"
    code, _, _ = act(reports, query=bad, reports="a report.json")
    assert code == 0 and not (reports / "pwned").exists()  # words that nothing contains
    assert act(reports, query="severity:(", reports="a report.json")[0] == 2
    assert act(reports, reports="missing.json")[0] not in (0, 5)


# -- CODEOWNERS -------------------------------------------------------------------------------

RULES = [("*", ["@acme/all"]), ("/payments/", ["@acme/pay"]), ("*.tf", ["@acme/cloud"]),
         ("docs/*", ["@writer"]), ("apps/**/test", ["@qa"]), ("/payments/vendored/", [])]  # fmt: skip


@pytest.mark.parametrize(("path", "owner"), [
    ("readme.md", "@acme/all"), ("payments/a/b.py", "@acme/pay"), ("x/payments/a.py", "@acme/all"),
    ("payments/main.tf", "@acme/cloud"), ("a/b/main.tf", "@acme/cloud"), ("docs/a.md", "@writer"),
    ("docs/sub/a.md", "@acme/all"), ("apps/x/y/test/z.py", "@qa"), ("apps/test", "@qa"),
    ("payments/vendored/lib.js", ""), ("/payments/a.py", "@acme/pay"), ("payments", "@acme/all"),
])  # fmt: skip
def test_the_last_pattern_that_matches_names_the_owner(path: str, owner: str) -> None:
    assert (owners_of(RULES, path)[0] or [""])[0] == owner


@pytest.mark.parametrize("text", [
    "name,owner\na,@b\n", "hello world\n", "a b c\n", "# only comments\n", "def f(): pass\n",
    "@decorator\ndef f(x):\n  pass\n", "mail ann@x.test now\nand then\n",
])  # fmt: skip
def test_other_texts_are_not_taken_for_it(text: str) -> None:
    assert recognise(Head("text", "x", text=text)) == 0


def test_codeowners_give_an_owner_with_confidence_and_reason(
    session: Session, put: Callable[..., Any]
) -> None:
    session.automation.apply([{"kind": "inbox", "name": "All"}], "me")
    semgrep = {"results": [{"check_id": "r.one", "path": "payments/card.py",
                            "start": {"line": 3, "col": 1}, "end": {"line": 3, "col": 9},
                            "extra": {"message": "m", "severity": "ERROR", "metadata": {},
                                      "fingerprint": "f", "lines": "x"}}],
               "errors": [], "paths": {"scanned": ["payments/card.py"]}, "version": "1.0"}  # fmt: skip
    repository = "repo:github.com/acme/shop"
    assert put(semgrep, name="r/semgrep.json", resource=repository)["status"] == "imported"
    assert session.show("1")["owner"] is None
    text = (ROOT / "tests/samples/codeowners/CODEOWNERS").read_bytes()
    entry = put(text, name="shop/CODEOWNERS", resource=repository)
    assert entry["status"] == "imported" and entry["format"] == "codeowners"
    owner = session.show("1")["owner"]
    assert (owner["name"], owner["kind"], owner["confidence"]) == ("acme/payments", "team", 0.9)
    assert owner["reason"] == (
        "CODEOWNERS of github.com/acme/shop gives /payments/ to @acme/payments (1 of 1 files)")  # fmt: skip
