"""Assistants: a real client session over standard input and output, locally and through a server."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters, stdio_client

from secinbox.session import Session
from tests.conftest import CLOCK, ROOT
from tests.test_cli import ENV
from tests.test_inbox import asff, instance

READ = {"list_issues", "show_issue", "list_findings", "list_resources", "why", "attack_paths",
        "fix_plan", "health"}  # fmt: skip
CHANGE = {"mute", "assign", "set_status", "comment", "undo"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    with Session(folder, CLOCK) as session:
        rows = [asff(f"A.{n}", instance(n), tags={"env": "prod"}) for n in (1, 2)]
        session.import_reports(("r/a.json",), data=json.dumps({"Findings": rows}).encode())
        session.pin_clock(CLOCK)
    return folder


def talk(words: list[str], *calls: tuple[str, dict[str, Any]]) -> tuple[dict[str, Any], list[Any]]:
    """The tools by name, and what each call answers."""

    async def session() -> tuple[dict[str, Any], list[Any]]:
        program = StdioServerParameters(
            command=sys.executable, args=["-m", "secinbox", *words], env=ENV, cwd=str(ROOT)
        )
        async with stdio_client(program) as (read, write), ClientSession(read, write) as client:
            await client.initialize()
            tools = {t.name: t for t in (await client.list_tools()).tools}
            return tools, [await client.call_tool(name, given) for name, given in calls]

    return asyncio.run(asyncio.wait_for(session(), 60))


def told(answer: Any) -> Any:
    assert not answer.is_error, answer
    return json.loads(answer.content[0].text)


def test_it_reads_and_changes_nothing(home: Path) -> None:
    tools, answers = talk(
        ["--home", str(home), "mcp"],
        ("list_issues", {"limit": 1}), ("show_issue", {"issue": "1"}), ("why", {"name": "1"}),
        ("list_findings", {"query": "severity:high"}), ("list_resources", {}), ("attack_paths", {}),
        ("fix_plan", {}), ("health", {}), ("list_issues", {"query": "nosuch:1"}),
        ("show_issue", {"issue": "ffff"}), ("list_issues", {"limit": 0}),
        ("mute", {"issues": ["1"], "reason": "other", "text": "x"}),
    )  # fmt: skip
    assert set(tools) == READ and all(t.annotations.read_only_hint for t in tools.values())
    page = told(answers[0])
    assert page["total"] == 2 and len(page["issues"]) == 1 and page["next"]
    assert told(answers[1])["id"] == page["issues"][0]["id"]
    assert told(answers[3])["total"] == 2
    for answer in answers[4:8]:
        told(answer)
    assert "nosuch" in answers[8].content[0].text
    assert all(a.is_error for a in answers[8:])
    with Session(home, CLOCK) as session:
        assert not session.has_decisions


def test_it_decides_when_allowed(home: Path) -> None:
    tools, answers = talk(
        ["--home", str(home), "mcp", "--allow-changes"],
        ("list_issues", {}), ("comment", {"issues": ["1"], "text": "seen"}),
        ("assign", {"issues": ["1"], "assignee": "ann"}),
        ("set_status", {"issues": ["1"], "status": "in_progress"}),
        ("mute", {"issues": ["2"], "reason": "false_positive", "text": "no", "expires": "30d"}),
        ("undo", {"issues": ["1"]}), ("mute", {"issues": ["1"], "reason": "bored", "text": "x"}),
    )  # fmt: skip
    assert set(tools) == READ | CHANGE
    assert not any(tools[n].annotations.read_only_hint for n in CHANGE)
    for answer in answers[:6]:
        told(answer)
    assert answers[6].is_error
    first = told(answers[0])["issues"][0]["id"]
    with Session(home, CLOCK) as session:
        shown = session.show(first)
        assert (shown["status"], shown["assignee"]) == ("open", "ann")
        assert {e["actor"] for e in shown["timeline"]} == {"assistant"}
        assert session.issues("status:muted")["total"] == 1


def test_it_works_through_a_server_with_a_token(home: Path) -> None:
    with Session(home) as opened:
        token = opened.administration.create_token("mcp", "viewer")["token"]
    server = subprocess.Popen(
        [sys.executable, "-m", "secinbox", "--home", str(home), "serve", "--port", "0"],
        stderr=subprocess.PIPE, cwd=ROOT, env=ENV,
    )  # fmt: skip
    try:
        assert server.stderr is not None and b"http://" in server.stderr.readline()
        url = json.loads((home / "server.json").read_text())["url"]
        _, answers = talk(
            ["--url", url, "--token", token, "mcp", "--allow-changes"],
            ("list_issues", {}), ("comment", {"issues": ["1"], "text": "x"}),
        )  # fmt: skip
        assert told(answers[0])["total"] == 2
        assert answers[1].is_error and "viewer" in answers[1].content[0].text  # the token decides
    finally:
        server.terminate()
        server.wait(60)
        server.stderr.close()


def test_the_library_is_loaded_for_this_command_only() -> None:
    code = "import sys, secinbox.cli, secinbox.session; sys.exit('mcp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=ENV).returncode == 0
