"""Ticket systems on loopback that behave like the real ones as far as secinbox uses them.

`faults` is consumed request by request: "reset" (nothing is done, the line breaks), "lost" (it is
done, and the line breaks before the answer), "hang", (status, headers).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "s3cret-of-the-system"
Reply = tuple[int, Any]


class Systems:
    """All of them at once; what each holds is in `tickets` (and `heard` for webhooks)."""

    def __init__(self) -> None:
        self.faults: list[Any] = []
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.tickets: dict[str, dict[str, Any]] = {}
        self.heard: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.url = ""
        self.lock = threading.Lock()

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        parts = urlsplit(path)
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        data = json.loads(body) if body else {}
        system, _, rest = parts.path.lstrip("/").partition("/")
        told: Callable[..., Reply] = getattr(self, system)
        return told(method, rest, query, data, headers)

    def _new(self, number: str, **values: Any) -> dict[str, Any]:
        self.tickets[number] = {"status": "open", "assignee": "", "comments": [], **values}
        return self.tickets[number]

    # Each checks its credentials as the system does.

    def jira(self, method: str, rest: str, query: Any, data: Any, headers: Any) -> Reply:
        wanted = "Basic " + base64.b64encode(f"bot@x.test:{TOKEN}".encode()).decode()
        if headers.get("authorization") != wanted:
            return 401, {"errorMessages": ["no"]}
        rest = rest.removeprefix("rest/api/2/")
        if rest == "search/jql":
            label = re.fullmatch(r'labels = "(.+)"', query["jql"]).group(1)  # type: ignore[union-attr]
            found = [{"key": k} for k, t in self.tickets.items() if label in t["labels"]]
            return 200, {"issues": found}
        if rest == "issue" and method == "POST":
            fields = data["fields"]
            key = f"{fields['project']['key']}-{len(self.tickets) + 1}"
            person = fields.get("assignee", {}).get("accountId", "")
            self._new(key, labels=fields["labels"], title=fields["summary"],
                      text=fields["description"], assignee=person, fields=fields)  # fmt: skip
            return 201, {"id": "1", "key": key}
        key, _, verb = unquote(rest).removeprefix("issue/").partition("/")
        ticket = self.tickets.get(key)
        if ticket is None:
            return 404, {"errorMessages": ["Issue does not exist"]}
        kinds = {"open": "new", "in_progress": "indeterminate", "closed": "done"}
        ways = [{"id": str(n), "name": k, "to": {"statusCategory": {"key": v}}}
                for n, (k, v) in enumerate(kinds.items())]  # fmt: skip
        if verb == "transitions":
            if method == "POST":
                ticket["status"] = list(kinds)[int(data["transition"]["id"])]
                return 204, None
            return 200, {"transitions": ways}
        if verb == "assignee":
            ticket["assignee"] = data["accountId"]
            return 204, None
        if verb == "comment":
            ticket["comments"].append(data["body"])
            return 201, {}
        person = {"accountId": ticket["assignee"]} if ticket["assignee"] else None
        return 200, {"key": key, "fields": {"assignee": person, "status": {
            "statusCategory": {"key": kinds[ticket["status"]]}}}}  # fmt: skip

    def github(self, method: str, rest: str, query: Any, data: Any, headers: Any) -> Reply:
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials"}
        found = re.fullmatch(r"repos/(acme/shop)/issues(?:/(\d+)(/comments)?)?", rest)
        if not found:
            return 404, {"message": "Not Found"}

        def shown(number: str) -> dict[str, Any]:
            t = self.tickets[number]
            return {"number": int(number), "html_url": f"{self.url}/acme/shop/issues/{number}",
                    "state": "closed" if t["status"] == "closed" else "open", "body": t["text"],
                    "labels": [{"name": n} for n in t["labels"]],
                    "assignees": [{"login": t["assignee"]}] if t["assignee"] else []}  # fmt: skip

        number = found.group(2)
        if not number and method == "GET":
            assert query["state"] == "all" and query["since"]
            return 200, [
                shown(n) for n, t in self.tickets.items() if query["labels"] in t["labels"]
            ]
        if not number:
            number = str(len(self.tickets) + 1)
            people = data.get("assignees", [""])
            self._new(number, title=data["title"], text=data["body"], labels=data["labels"],
                      assignee=people[0])  # fmt: skip
            return 201, shown(number)
        if number not in self.tickets:
            return 404, {"message": "Not Found"}
        ticket = self.tickets[number]
        if found.group(3):
            ticket["comments"].append(data["body"])
            return 201, {}
        if method == "PATCH":
            ticket["labels"] = data["labels"]
            ticket["status"] = data["state"]
            ticket["assignee"] = (data.get("assignees") or [ticket["assignee"]])[0]
        return 200, shown(number)

    def gitlab(self, method: str, rest: str, query: Any, data: Any, headers: Any) -> Reply:
        if headers.get("private-token") != TOKEN:
            return 401, {"message": "401 Unauthorized"}
        if rest == "api/v4/users":
            return 200, [{"id": 7, "username": query["username"]}]
        found = re.fullmatch(r"api/v4/projects/acme%2Fshop/issues(?:/(\d+)(/notes)?)?", rest)
        if not found:
            return 404, {"message": "404 Not Found"}

        def shown(number: str) -> dict[str, Any]:
            t = self.tickets[number]
            return {"iid": int(number), "web_url": f"{self.url}/i/{number}", "labels": t["labels"],
                    "state": "closed" if t["status"] == "closed" else "opened",
                    "description": t["text"],
                    "assignees": [{"username": t["assignee"]}] if t["assignee"] else []}  # fmt: skip

        number = found.group(1)
        if not number and method == "GET":
            assert query["in"] == "description"
            return 200, [shown(n) for n, t in self.tickets.items() if query["search"] in t["text"]]
        if not number:
            number = str(len(self.tickets) + 1)
            self._new(number, title=data["title"], text=data["description"],
                      labels=data["labels"].split(","))  # fmt: skip
            return 201, shown(number)
        ticket = self.tickets[number]
        if found.group(2):
            ticket["comments"].append(data["body"])
            return 201, {}
        if method == "PUT":
            event = data.get("state_event")
            ticket["status"] = {"close": "closed", "reopen": "open"}.get(event, ticket["status"])
            if data.get("add_labels"):
                ticket["labels"] = sorted({*ticket["labels"], data["add_labels"]})
            if data.get("remove_labels"):
                ticket["labels"] = [n for n in ticket["labels"] if n != data["remove_labels"]]
            if data.get("assignee_ids") == [7]:
                ticket["assignee"] = "ann-there"
        return 200, shown(number)

    def linear(self, method: str, rest: str, query: Any, data: Any, headers: Any) -> Reply:
        if headers.get("authorization") != TOKEN or rest != "graphql":
            return 401, {"errors": [{"message": "authentication"}]}
        asked, given = data["query"], data["variables"]
        kinds = {"open": "unstarted", "in_progress": "started", "closed": "completed"}

        def shown(name: str) -> dict[str, Any]:
            t = self.tickets[name]
            return {"id": name, "url": f"{self.url}/l/{name}", "team": {"id": "team"},
                    "state": {"type": kinds[t["status"]]},
                    "assignee": {"id": t["assignee"]} if t["assignee"] else None}  # fmt: skip

        if "issueCreate" in asked:
            new = given["given"]
            if new["id"] in self.tickets:
                return 200, {"errors": [{"message": "Entity already exists"}]}
            self._new(new["id"], title=new["title"], text=new["description"],
                      assignee=new.get("assigneeId", ""))  # fmt: skip
            return 200, {"data": {"issueCreate": {"success": True, "issue": shown(new["id"])}}}
        if "issues(filter" in asked:
            nodes = [shown(given["id"])] if given["id"] in self.tickets else []
            return 200, {"data": {"issues": {"nodes": nodes}}}
        if "team(id" in asked:
            nodes = [{"id": k, "type": v, "position": n} for n, (k, v) in enumerate(kinds.items())]
            return 200, {"data": {"team": {"states": {"nodes": nodes}}}}
        if "issueUpdate" in asked:
            ticket = self.tickets[given["id"]]
            ticket["status"] = given["given"].get("stateId", ticket["status"])
            ticket["assignee"] = given["given"].get("assigneeId", ticket["assignee"])
            return 200, {"data": {"issueUpdate": {"success": True}}}
        if "commentCreate" in asked:
            self.tickets[given["given"]["issueId"]]["comments"].append(given["given"]["body"])
            return 200, {"data": {"commentCreate": {"success": True}}}
        return 200, {"data": {"issue": shown(given["id"])}}

    def servicenow(self, method: str, rest: str, query: Any, data: Any, headers: Any) -> Reply:
        wanted = "Basic " + base64.b64encode(f"bot@x.test:{TOKEN}".encode()).decode()
        if headers.get("authorization") != wanted:
            return 401, {"error": {"message": "User Not Authenticated"}}
        states = {"open": "1", "in_progress": "2", "closed": "6"}
        words = {v: k for k, v in states.items()}
        number = rest.removeprefix("api/now/table/incident").lstrip("/")
        if not number and method == "GET":
            wanted = query["sysparm_query"].removeprefix("correlation_id=")
            found = [{"sys_id": k} for k, t in self.tickets.items() if t["correlation"] == wanted]
            return 200, {"result": found}
        if not number:
            number = hashlib.md5(str(len(self.tickets)).encode()).hexdigest()
            self._new(number, title=data["short_description"], text=data["description"],
                      correlation=data["correlation_id"], assignee=data.get("assigned_to", ""))  # fmt: skip
            return 201, {"result": {"sys_id": number}}
        ticket = self.tickets[number]
        if method == "PATCH":
            ticket["status"] = words.get(data.get("state", ""), ticket["status"])
            ticket["assignee"] = data.get("assigned_to", ticket["assignee"])
            ticket["comments"].append(data.get("work_notes", ""))
        person = {"value": ticket["assignee"]} if ticket["assignee"] else ""
        return 200, {"result": {"state": states[ticket["status"]], "assigned_to": person}}

    def hook(self, method: str, rest: str, query: Any, data: Any, headers: Any) -> Reply:
        known = [h["idempotency-key"] for h, _ in self.heard]
        self.heard.append((headers, data))
        if headers["idempotency-key"] not in known and data.get("event") == "ticket":
            self._new(data["key"], title=data["title"], text=data["text"])
        if data.get("event") == "update":
            self.tickets[data["id"]] |= {"status": data["status"]}
        return 200, {"id": data.get("key", ""), "url": f"{self.url}/seen"}

    def elsewhere(self, method: str, rest: str, query: Any, data: Any, headers: Any) -> Reply:
        return 302, {}


@contextmanager
def systems() -> Iterator[Systems]:
    """A running server."""
    held = Systems()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {k.lower(): v for k, v in self.headers.items()}
            fault: Any = None
            with held.lock:
                held.requests.append((self.command, self.path, headers, body))
                if held.faults:
                    fault = held.faults.pop(0)
                if fault == "lost" or fault is None:
                    status, told = held.answer(self.command, self.path, headers, body)
            if fault == "hang":
                time.sleep(3)
                return
            if fault in ("reset", "lost"):
                # No orderly end: the other side sees the line break.
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                self.connection.close()
                return
            more: dict[str, str] = {}
            if fault is not None:
                (status, more), told = fault, {"message": "a fault"}
            data = b"" if told is None else json.dumps(told).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("location", f"{held.url}/jira/rest/api/2/issue")
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = _take

        def finish(self) -> None:
            with suppress(OSError, ValueError):  # the line was broken on purpose
                super().finish()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    held.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
