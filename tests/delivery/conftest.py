"""Systems that answer, a clock that is told, and an estate with findings to mend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from secinbox.delivery import desk
from secinbox.session import Session
from tests.conftest import trivy, vulnerability
from tests.delivery.connecting import HOOK, Clock
from tests.test_decisions import postgres  # noqa: F401
from tests.ticketing import TOKEN, Systems, systems


@pytest.fixture
def there() -> Iterator[Systems]:
    with systems() as running:
        yield running


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    told = Clock()
    monkeypatch.setattr(desk, "real_now", told)
    monkeypatch.setattr("secinbox.decisions.cases.real_now", told)
    monkeypatch.setenv("TICKET_TOKEN", TOKEN)
    monkeypatch.setenv("TICKET_HOOK", HOOK)
    monkeypatch.setenv("SECINBOX_WEBHOOK_SECRET", HOOK)
    return told


@pytest.fixture
def estate(session: Session, put: Callable[..., Any]) -> Callable[..., None]:
    """Reports that an image has these packages to mend; what it has no more is fixed."""
    session.automation.apply([{"kind": "inbox", "name": "All"}], "me")

    def report(*numbers: int, day: int = 18, worse: int = 0) -> None:
        rows = [vulnerability(f"CVE-2024-000{n}", f"pack-{n}", "CRITICAL" if n == worse else "HIGH")
                for n in numbers]  # fmt: skip
        told = put(trivy(*rows, created=f"2026-11-{day}T10:00:00Z"), name=f"r/{day}.json")
        assert told["status"] == "imported"

    return report
