"""A clock, connections and rules for tests of delivery."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import yaml

from secinbox.session import Session
from tests.test_decisions import postgres  # noqa: F401
from tests.ticketing import Systems

KINDS = ("jira", "github", "gitlab", "linear", "servicenow", "webhook")
HOOK = "signs-webhooks"


class Clock:
    """The real time of the tests."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 20, 9, 0, 0)  # noqa: DTZ001

    def __call__(self) -> datetime:
        return self.time

    def later(self, **span: float) -> None:
        self.time += timedelta(**span)


def connect(session: Session, there: Systems, system: str, **more: Any) -> None:
    url = there.url + ("/hook" if system == "webhook" else f"/{system}")
    told = {
        "name": system, "system": system, "url": url, "secret": {"env": "TICKET_TOKEN"},
        "webhook_secret": {"env": "TICKET_HOOK"}, "timeout": 0.5, "poll_minutes": 1,
        "people": {"ann": "ann-there"}, **more,
    }  # fmt: skip
    if system != "webhook":
        told["project"] = "acme/shop" if system in ("github", "gitlab") else "SEC"
    if system in ("jira", "servicenow"):
        told["user"] = "bot@x.test"
    write(session, there, [told])


def write(session: Session, there: Systems, told: list[dict[str, Any]], **more: Any) -> None:
    hosts = [there.url.removeprefix("http://")]
    text = yaml.safe_dump({"connections": told, "allow_hosts": hosts, **more})
    (session.home / "connections.yaml").write_text(text)


def name(ticket: Any) -> str:
    """The check that a ticket, a message or an entry is about."""
    text: str = ticket["title"]
    return re.search(r"pack-\d", text).group()  # type: ignore[union-attr]


def rule(session: Session, connection: str, **more: Any) -> None:
    session.automation.apply([{"kind": "ticket", "name": "Tickets", "id": "tickets",
                               "connection": connection, "query": "type:container_image_vulnerability", **more}], "me")  # fmt: skip
