"""The first decisions of a server come at once, from several threads: none brings it down."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT
from tests.test_cli import ENV

# Each round in a process of its own: only the first use of a type can go wrong.
PROGRAM = """
import sys, threading
from secinbox.decisions.request import read
sys.setswitchinterval(1e-6)
ready = threading.Barrier(8)
def ask():
    ready.wait()
    assert read({"action": "comment", "issues": ["a"], "text": "x"}).text == "x"
threads = [threading.Thread(target=ask) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
"""


def test_first_decisions_at_the_same_time() -> None:
    for _ in range(30):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=ROOT, env=ENV
        )
        assert done.returncode == 0, done.stderr
