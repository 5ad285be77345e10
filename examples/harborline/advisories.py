"""A small stand-in of osv.dev on loopback: the PyPA advisories in `examples/advisories`.

pip-audit asks it as it would ask the real service. The advisories are unchanged (CC-BY 4.0, PyPA).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "advisories"


def _matches(advisory: dict[str, Any], name: str, version: str) -> bool:
    return any(
        part["package"]["name"].lower() == name.lower() and version in part["versions"]
        for part in advisory["affected"]
    )


@contextmanager
def serving() -> Iterator[str]:
    """The address to ask, while it is open."""
    known = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name, version = asked["package"]["name"], asked["version"]
            found = [advisory for advisory in known if _matches(advisory, name, version)]
            body = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
    finally:
        server.shutdown()
