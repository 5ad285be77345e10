"""The server under load beside the query alone: `python benchmarks/serving.py [--resources 200000]`.

Eight clients in processes of their own ask for two pages of the list, a search that nobody asked
before, facets, and make mutes: one after every 20 reads. Once with a pause between the questions of
a client, once without any. The wait is measured at the client. As many issues as resources, about.
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
import http.client, json, random, sys, time, urllib.parse
url, token, seed, rounds, pause, *issues = sys.argv[1:]
chance = random.Random(int(seed))
waits = {"list": [], "search": [], "facets": [], "mute": []}
server = http.client.HTTPConnection(url.split("/")[2], timeout=120)
head = {"authorization": "Bearer " + token, "content-type": "application/json"}
def ask(kind, method, path, json_body=None, **asked):
    if asked:
        path += "?" + urllib.parse.urlencode(asked)
    time.sleep(chance.uniform(0, 2 * float(pause)))
    t = time.perf_counter()
    server.request(method, path, json.dumps(json_body) if json_body else None, head)
    answer = server.getresponse()
    body = answer.read()
    waits[kind].append(time.perf_counter() - t)
    assert answer.status == 200, body
    return body
for n in range(int(rounds)):
    page = json.loads(ask("list", "GET", "/api/v1/issues", limit=50))
    ask("list", "GET", "/api/v1/issues", limit=50, cursor=page["next"])
    ask("search", "GET", "/api/v1/issues",
        q=f"severity:high service:svc{chance.randrange(3000)}", limit=50)
    ask("facets", "GET", "/api/v1/facets", q="severity:critical")
    if (n + int(seed)) % 5 == 0:
        ask("mute", "POST", "/api/v1/decisions", {"action": "mute", "reason": "other",
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
            for n in range(15):
                session.facts.set_meta("bench", str(n))  # no answer is kept
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
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between questions")
    parser.add_argument("--rounds", type=int, default=40)
    given = parser.parse_args()
    from secinbox.session import Session

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        make_facts.fill(
            home, given.resources * 8 // 5, given.resources, given.resources, packages="hash(i)"
        )
        with Session(home, CLOCK) as session:
            session.automation.apply([{"kind": "inbox", "name": "All"}], "bench")
            session.pin_clock(CLOCK)
            page = session.issues(limit=2_000)
            ids = [i["id"] for i in page["issues"]]
        beside = alone(home)
        random.Random(1).shuffle(ids)
        told = {}
        for pause in (given.pause, 0.0):
            mine, ids = ids[: given.clients * 100], ids[given.clients * 100 :]
            told[pause] = load(home, given.clients, given.rounds, pause, mine)
        for pause, waits in told.items():
            how = f"a pause of {pause * 1000:.0f} ms on average" if pause else "no pause: saturated"
            print(f"{page['total']} issues, {given.clients} clients, {how}")
            for kind, found in waits.items():
                query = f"{beside[kind] * 1000:7.1f} ms" if kind in beside else "         -"
                print(f"{kind:8} p50 {percentile(found, 0.5) * 1000:7.1f} ms   "
                      f"p99 {percentile(found, 0.99) * 1000:7.1f} ms   alone {query}   "
                      "target 50 ms")  # fmt: skip


def load(
    home: Path, clients: int, rounds: int, pause: float, ids: list[str]
) -> dict[str, list[float]]:
    """The waits of each kind of question, of all clients, in seconds."""
    server = subprocess.Popen(
        [sys.executable, "-m", "secinbox", "--home", str(home), "serve", "--port", "0"],
        stderr=subprocess.PIPE,
    )
    try:
        assert server.stderr is not None
        server.stderr.readline()
        told = json.loads((home / "server.json").read_text())
        started = [
            subprocess.Popen(
                [sys.executable, "-c", CLIENT, told["url"], told["token"], str(n), str(rounds),
                 str(pause), *ids[n * 100 : n * 100 + 100]],
                stdout=subprocess.PIPE, text=True,
            )
            for n in range(clients)
        ]  # fmt: skip
        answers = [json.loads(c.communicate()[0]) for c in started]
    finally:
        server.terminate()
        server.wait(60)
    return {kind: [w for a in answers for w in a[kind]] for kind in answers[0]}


if __name__ == "__main__":
    main()
