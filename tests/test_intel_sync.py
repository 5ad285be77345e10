"""`intel sync` against local servers: ETag, retries, faults, and each feed on its own."""

from __future__ import annotations

import gzip
import io
import json
import threading
import urllib.error
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from secinbox import syncing
from secinbox.reading import ReportError
from secinbox.session import Session

KEV = {
    "title": "CISA Catalog of Known Exploited Vulnerabilities", "catalogVersion": "2026.11.19",
    "dateReleased": "2026-11-19T00:00:00Z", "count": 1, "vulnerabilities": [
        {"cveID": "CVE-2021-44228", "vendorProject": "Apache", "product": "Log4j2",
         "vulnerabilityName": "Log4Shell", "dateAdded": "2021-12-10", "shortDescription": "s",
         "requiredAction": "r", "dueDate": "2021-12-24"}],
}  # fmt: skip
EPSS = b"#model_version:v2025.03.14,score_date:2026-11-19T00:00:00Z\ncve,epss,percentile\nCVE-2021-44228,0.97,0.99\n"


@pytest.fixture
def server() -> Iterator[Any]:
    class Handler(BaseHTTPRequestHandler):
        asked: Counter[str] = Counter()

        def do_GET(self) -> None:
            Handler.asked[self.path] += 1
            body, status, etag = b"", 200, ""
            if self.path == "/kev.json":
                body, etag = json.dumps(KEV).encode(), '"one"'
                if self.headers.get("if-none-match") == etag:
                    status, body = 304, b""
            elif self.path == "/flaky.csv.gz":
                body = gzip.compress(EPSS)
                status = 503 if Handler.asked[self.path] < 3 else 200
            elif self.path == "/html":
                body = b"<html>Please sign in</html>"
            elif self.path == "/osv.zip":
                packed = io.BytesIO()
                with zipfile.ZipFile(packed, "w") as archive:
                    for n in (1, 2):
                        archive.writestr(f"PYSEC-2021-{n}.json", json.dumps(
                            {"id": f"PYSEC-2021-{n}", "aliases": [f"CVE-2021-000{n}"],
                             "modified": "2026-01-01T00:00:00Z", "schema_version": "1.6.0"}))  # fmt: skip
                body = packed.getvalue()
            else:
                status = 404
            self.send_response(status)
            if etag:
                self.send_header("etag", etag)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield Handler, f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


def feeds(monkeypatch: pytest.MonkeyPatch, url: str, **paths: str) -> tuple[str, ...]:
    for feed, path in paths.items():
        monkeypatch.setenv(f"SECINBOX_FEED_{feed.upper()}", url + path)
    return tuple(paths)


def test_feeds_come_in_and_an_unchanged_one_is_not_fetched_again(
    session: Session, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, url = server
    names = feeds(monkeypatch, url, cisa_kev="/kev.json", epss="/flaky.csv.gz", osv="/osv.zip")
    answer = syncing.sync(session, names, pause=0.01)["feeds"]
    assert {f["feed"]: f["status"] for f in answer} == dict.fromkeys(names, "imported")
    assert handler.asked["/flaky.csv.gz"] == 3  # two faults, then it came
    assert session.facts.value("SELECT count(*) FROM exploits WHERE feed = 'cisa_kev'") == 1
    assert session.facts.value("SELECT max(epss) FROM exploits") == 0.97
    assert session.facts.value("SELECT count(*) FROM vulnerability_names") == 2
    again = syncing.sync(session, ("cisa_kev",), pause=0.01)["feeds"][0]
    assert again["status"] == "unchanged"
    released = dict(session.facts.rows("SELECT feed, released FROM feeds"))
    assert released["cisa_kev"].startswith("2026-11-19")


def test_a_failing_feed_does_not_stop_the_others(
    session: Session, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, url = server
    names = feeds(monkeypatch, url, epss="/nowhere", nuclei="/html", cisa_kev="/kev.json")
    answer = {f["feed"]: f for f in syncing.sync(session, names, pause=0.01)["feeds"]}
    assert answer["cisa_kev"]["status"] == "imported"
    for name in ("epss", "nuclei"):
        assert answer[name]["status"] == "failed"
        assert answer[name]["error"]["place"] and answer[name]["error"]["hint"]


def test_no_network_is_an_error_not_an_empty_feed(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECINBOX_FEED_CISA_KEV", "http://127.0.0.1:9/kev.json")
    answer = syncing.sync(session, ("cisa_kev",), pause=0.01)["feeds"][0]
    assert answer["status"] == "failed"
    assert session.facts.value("SELECT count(*) FROM feeds") == 0


def test_an_unknown_feed_names_the_known_ones(session: Session) -> None:
    with pytest.raises(ReportError) as error:
        syncing.sync(session, ("kve",))
    assert "cisa_kev" in error.value.hint


def test_a_proxy_of_the_environment_is_used_and_the_etag_goes_through_it(
    session: Session, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, url = server
    passed: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # A proxy is asked for the whole address.
            passed.append(self.path)
            asked = urllib.request.Request(url + urlsplit(self.path).path)
            if self.headers.get("if-none-match"):
                asked.add_header("if-none-match", self.headers["if-none-match"])
            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            try:
                with direct.open(asked) as answer:
                    status, body, etag = answer.status, answer.read(), answer.headers.get("etag")
            except urllib.error.HTTPError as error:
                status, body, etag = error.code, b"", error.headers.get("etag")
            self.send_response(status)
            if etag:
                self.send_header("etag", etag)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "http_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.server_port}")
        # No machine has this name: only the proxy can lead there.
        monkeypatch.setenv("SECINBOX_FEED_CISA_KEV", "http://feeds.example.invalid/kev.json")
        for expected in ("imported", "unchanged"):
            (answer,) = syncing.sync(session, ("cisa_kev",), pause=0.01)["feeds"]
            assert answer["status"] == expected, answer
    finally:
        proxy.shutdown()
        proxy.server_close()
    assert passed == ["http://feeds.example.invalid/kev.json"] * 2
    assert handler.asked["/kev.json"] == 2
