"""The server under load beside the query alone: `python benchmarks/serving.py [--resources 200000]`.

Eight clients in processes of their own ask for a page of the list, a search, facets and make mutes;
the wait of each is measured at the client. Findings are grouped into fewer issues than there are
resources: how many there are is printed, and is not yet the 200,000 of the target.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import make_facts

CLOCK = datetime(2026, 11, 20, 12)  # noqa: DTZ001 - stores keep UTC without a zone
CLIENT = """
import json, random, sys, time, httpx2
url, token, seed, rounds, *issues = sys.argv[1:]
chance = random.Random(int(seed))
waits = {"list": [], "search": [], "facets": [], "mute": []}
with httpx2.Client(headers={"authorization": "Bearer " + token}, timeout=120) as client:
    def ask(kind, method, path, **more):
        t = time.perf_counter()
        answer = client.request(method, url + path, **more)
        waits[kind].append(time.perf_counter() - t)
        assert answer.status_code == 200, answer.text
        return answer.json()
    for n in range(int(rounds)):
        page = ask("list", "GET", "/api/v1/issues?limit=50")
        ask("list", "GET", "/api/v1/issues", params={"limit": 50, "cursor": page["next"]})
        ask("search", "GET", "/api/v1/issues",
            params={"q": f"severity:high service:svc{chance.randrange(3000)}", "limit": 50})
        ask("facets", "GET", "/api/v1/facets", params={"q": "severity:critical"})
        if n % 5 == 0:
            ask("mute", "POST", "/api/v1/decisions", json={"action": "mute", "reason": "other",
                "text": "bench", "issues": [issues.pop()]})
print(json.dumps(waits))
"""


def percentile(waits: list[float], share: float) -> float:
    return sorted(waits)[min(int(len(waits) * share), len(waits) - 1)]


def alone(home: Path) -> dict[str, float]:
    """The median of each question without a server, one at a time."""
    from secinbox.session import Session

    told: dict[str, float] = {}
    with Session(home, CLOCK) as session:
        questions: dict[str, Any] = {
            "list": lambda: session.issues(limit=50),
            "search": lambda: session.issues("severity:high service:svc7", limit=50),
            "facets": lambda: session.facets("severity:critical"),
        }
        for name, ask in questions.items():
            ask()
            waits = []
            for _ in range(15):
                start = time.perf_counter()
                ask()
                waits.append(time.perf_counter() - start)
            told[name] = percentile(waits, 0.5)
    return told


def main() -> None:
    """Fills a home, serves it, asks, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", type=int, default=200_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    from secinbox.session import Session

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        make_facts.fill(home, given.resources * 5, given.resources, given.resources)
        with Session(home, CLOCK) as session:
            session.automation.apply([{"kind": "inbox", "name": "All"}], "bench")
            session.pin_clock(CLOCK)
            page = session.issues(limit=2_000)
            ids = [i["id"] for i in page["issues"]]
        beside = alone(home)
        server = subprocess.Popen(
            [sys.executable, "-m", "secinbox", "--home", str(home), "serve", "--port", "0"],
            stderr=subprocess.PIPE,
        )
        try:
            assert server.stderr is not None
            server.stderr.readline()
            told = json.loads((home / "server.json").read_text())
            random.Random(1).shuffle(ids)
            clients = [
                subprocess.Popen(
                    [sys.executable, "-c", CLIENT, told["url"], told["token"], str(n),
                     str(given.rounds), *ids[n * 100 : n * 100 + 100]],
                    stdout=subprocess.PIPE, text=True,
                )
                for n in range(given.clients)
            ]  # fmt: skip
            answers = [json.loads(c.communicate()[0]) for c in clients]
        finally:
            server.terminate()
            server.wait(60)
        print(f"{page['total']} issues, {given.clients} clients")
        for kind in ("list", "search", "facets", "mute"):
            waits = [w for a in answers for w in a[kind]]
            query = f"{beside[kind] * 1000:7.1f} ms" if kind in beside else "         -"
            print(f"{kind:8} p50 {percentile(waits, 0.5) * 1000:7.1f} ms   "
                  f"p99 {percentile(waits, 0.99) * 1000:7.1f} ms   alone {query}   target 50 ms")  # fmt: skip


if __name__ == "__main__":
    main()
