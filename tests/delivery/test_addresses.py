"""Where deliveries may go, what the file of connections may say, and hostile text in tickets."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from secinbox.decisions.states import DecisionError
from secinbox.delivery import connections, outgoing
from secinbox.delivery.outgoing import Blocked, Client, OutgoingError
from secinbox.delivery.ticket import Ticket, as_markdown, as_wiki
from secinbox.session import Session
from tests.delivery.connecting import write
from tests.test_decisions import postgres  # noqa: F401
from tests.ticketing import TOKEN, Systems

# -- where it may go --------------------------------------------------------------------------


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200",
    "0.0.0.0", "224.0.0.1", "168.63.129.16", "::1", "fd00:ec2::254", "fe80::1", "::ffff:127.0.0.1",
    "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "255.255.255.255", "::",
])  # fmt: skip
def test_addresses_inside_are_refused(address: str) -> None:
    shown = f"[{address}]" if ":" in address else address
    with pytest.raises(Blocked):
        Client().send("GET", f"https://{shown}/")
    assert not outgoing.open_to_all(address)


@pytest.mark.parametrize("url", [
    "http://example.com/", "ftp://example.com/", "https://user:pass@example.com/", "file:///etc/passwd",
    "https:///x", "gopher://127.0.0.1/", "https://example.com:x/",
])  # fmt: skip
def test_only_https_without_credentials(url: str) -> None:
    with pytest.raises(Blocked):
        Client().checked(url)


def test_public_addresses_are_open() -> None:
    assert outgoing.open_to_all("93.184.216.34") and outgoing.open_to_all("2606:4700::1111")


def test_a_name_with_one_closed_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", ("93.184.216.34", 443)), (0, 0, 0, "", ("127.0.0.1", 443))]
    monkeypatch.setattr(outgoing.socket, "getaddrinfo", lambda *a, **k: found)
    with pytest.raises(Blocked, match="not public"):
        Client().send("GET", "https://rebinding.test/")


def test_the_connection_goes_to_the_address_that_was_checked(
    there: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers differently a moment later leads nowhere else."""
    port = int(there.url.rpartition(":")[2])
    asked: list[str] = []
    dialled: list[Any] = []
    genuine = outgoing.socket.create_connection
    genuine_lookup, address_of_server = outgoing.socket.getaddrinfo, "127.0.0.1"

    def resolve(host: str, *_: Any, **__: Any) -> Any:
        if host == address_of_server:  # the socket library resolves a number, too
            return genuine_lookup(host, *_, **__)
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(0, 0, 0, "", (address, port))]

    def dial(address: Any, *rest: Any) -> Any:
        dialled.append(address)
        return genuine(("127.0.0.1", port), *rest) if address[0] == "93.184.216.34" else None

    monkeypatch.setattr(outgoing.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(outgoing.socket, "create_connection", dial)
    with pytest.raises(
        OutgoingError
    ):  # no TLS there: it does not get further than the checked address
        Client(timeout=0.5).send("GET", f"https://rebinding.test:{port}/")
    assert dialled == [("93.184.216.34", port)] and asked == ["rebinding.test"]


def test_a_redirect_is_not_followed(there: Systems) -> None:
    client = Client([there.url.removeprefix("http://")])
    with pytest.raises(OutgoingError, match="redirect"):
        client.send("GET", f"{there.url}/elsewhere")
    assert len(there.requests) == 1


def test_an_answer_is_bounded_in_size_and_time(there: Systems, monkeypatch: Any) -> None:
    client = Client([there.url.removeprefix("http://")], timeout=0.4)
    monkeypatch.setattr(outgoing, "MAX_ANSWER", 10)
    with pytest.raises(OutgoingError, match="too large"):
        client.send("POST", f"{there.url}/hook", headers={"idempotency-key": "k"}, body=b"{}")
    there.faults = ["hang"]
    start = time.monotonic()
    with pytest.raises(OutgoingError) as caught:
        client.send("GET", f"{there.url}/hook")
    assert time.monotonic() - start < 2 and caught.value.done_perhaps


# -- the file ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("item", "message"), [
    ({"name": "a", "system": "jira"}, "needs url, project, secret"),
    ({"name": "a", "system": "nothing"}, "system is one of: apprise, github"),
    ({"name": "A b", "system": "github"}, "name is made of"),
    ({"name": "a", "system": "github", "token": "x"}, "allowed: name, system"),
    ({"name": "a", "system": "github", "project": "o/r", "secret": {"env": "A", "file": "b"}},
     "by env or by file"),
    ({"name": "a", "system": "github", "project": "o/r", "secret": {"env": "A"},
      "options": {"x": "y"}}, "unknown options x; allowed: label"),
    ({"name": "a", "system": "github", "project": "o/r", "secret": {"env": "A"},
      "url": "https://u:p@x.test"}, "without name or password"),
    ({"name": "a", "system": "github", "project": "o/r", "secret": {"env": "A"},
      "daily_limit": 0}, "daily_limit"),
])  # fmt: skip
def test_a_wrong_file_says_what_is_wrong(
    item: dict[str, Any], message: str, session: Session, there: Systems
) -> None:
    write(session, there, [item])
    with pytest.raises(DecisionError, match=message):
        connections.load(session.home)


def test_missing_and_open_secrets_are_told(
    session: Session, there: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(TOKEN)
    secret.chmod(0o644)
    write(session, there, [
        {"name": "a", "system": "github", "project": "o/r", "secret": {"env": "NOT_SET_HERE"}},
        {"name": "b", "system": "github", "project": "o/r", "secret": {"file": str(secret)}},
    ])  # fmt: skip
    told = connections.faults(connections.load(session.home))
    assert "NOT_SET_HERE is empty" in told[0] and "everybody can read" in told[1]


def test_hostile_text_does_not_act_in_tickets() -> None:
    bad = "](https://evil.test) @everyone #1 <img src=x> **b** `c` [~admin] {code}\r\n# head\u202e"
    ticket = Ticket("key", bad, (("Package", bad),), (bad,))
    text = re.sub(r"\\.", "", as_markdown(ticket).replace("\u200b", ""))  # what is left acts
    assert not re.search(r"[\[\]`]|<img|^# head|\*\*b", text, re.MULTILINE)
    assert "@everyone" not in as_markdown(ticket)
    assert "\\[\\~admin\\]" in as_wiki(ticket).replace("\u200b", "")
    assert "\u202e" not in as_markdown(ticket) + as_wiki(ticket)
