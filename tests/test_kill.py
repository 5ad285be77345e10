"""kill -9 of the server while many processes decide: what was acknowledged is there afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from secinbox.decisions.store import DecisionStore
from secinbox.session import Session
from tests.conftest import CLOCK, ROOT
from tests.test_cli import ENV
from tests.test_inbox import asff, instance

CLIENTS, EACH = 4, 250
CLIENT = """
import json, sys, httpx2
url, token, name, each, *issues = sys.argv[1:]
with httpx2.Client(headers={"authorization": "Bearer " + token}, timeout=120) as client:
    for n in range(int(each)):
        text = f"{name}-{n}"
        body = {"action": "comment", "issues": [issues[n % len(issues)]], "text": text}
        try:
            answer = client.post(url + "/api/v1/decisions", json=body)
        except httpx2.HTTPError:
            break
        if answer.status_code == 200 and answer.json()["done"]:
            print(text, flush=True)
"""


def test_no_acknowledged_decision_is_lost(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Session(home, CLOCK) as session:
        rows = [asff(f"A.{n}", instance(n), tags={"env": "prod"}) for n in range(20)]
        session.import_reports(("r/a.json",), data=json.dumps({"Findings": rows}).encode())
        session.pin_clock(CLOCK)
        issues = [i["id"] for i in session.issues()["issues"]]
    acknowledged: set[str] = set()
    for round_ in range(2):
        server = subprocess.Popen(
            [sys.executable, "-m", "secinbox", "--home", str(home), "serve", "--port", "0"],
            stderr=subprocess.PIPE, cwd=ROOT, env=ENV,
        )  # fmt: skip
        assert server.stderr is not None
        assert b"http://" in server.stderr.readline()
        # A full pipe would stop the server: what it says is read, and shown if the test fails.
        talk = threading.Thread(target=lambda out=server.stderr: print(out.read().decode()))
        talk.start()
        told = json.loads((home / "server.json").read_text())
        clients = [
            subprocess.Popen(
                [sys.executable, "-c", CLIENT, told["url"], told["token"], f"{round_}-{n}",
                 str(EACH), *issues], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=ENV)
            for n in range(CLIENTS)
        ]  # fmt: skip
        said: set[str] = set()

        def listen(client: subprocess.Popen[str], said: set[str] = said) -> None:
            assert client.stdout is not None
            for line in client.stdout:
                said.add(line.strip())

        threads = [threading.Thread(target=listen, args=(c,)) for c in clients]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 240
        while len(said) < 100 and time.monotonic() < deadline:
            time.sleep(0.01)
        server.kill()
        server.wait(20)
        for client, thread in zip(clients, threads, strict=True):
            client.wait(150)
            thread.join(150)
        talk.join(20)
        assert 100 <= len(said) < CLIENTS * EACH
        acknowledged |= said
    store = DecisionStore(home)
    kept = [e["text"] for i in issues for e in store.timeline(f"issue:{i}")]
    store.close()
    assert acknowledged <= set(kept) and len(kept) == len(set(kept))
    with Session(home, CLOCK) as session:  # the home opens and shows them
        assert sum(len(session.show(i)["timeline"]) for i in issues) == len(kept)
