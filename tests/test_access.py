"""Sign-in and rights: every address as every role, tokens, sessions, lock-out, one-time links."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from secinbox.api.access import COOKIE, Pace
from secinbox.api.app import create_app
from secinbox.decisions import accounts
from secinbox.decisions.accounts import Accounts, Principal
from secinbox.session import Session
from tests.conftest import CLOCK
from tests.test_cli import run
from tests.test_inbox import asff, instance
from tests.test_triage import GOOD

PASSWORD = "correct horse battery"
PAGES = ["/", "/inbox.json", "/findings", "/resources", "/health", "/paths", "/plan",
         "/issues/1", "/resource?uid=x"]  # fmt: skip


def level(method: str, path: str) -> str:
    """The policy, said again in one place and not taken from the code."""
    if re.match(r"/api/v1/(tokens|users|teams|audit)", path):
        return "admin"
    if path.startswith("/api/v1/deliveries") and method == "POST":
        return "admin"
    if method == "GET" or path.endswith("/findings/search"):
        return "viewer"
    rules = "/automation/" in path or (path.startswith("/api/v1/rules") and "test" not in path)
    return "admin" if rules else "triager"


@pytest.fixture
def signed(session: Session, put: Any) -> Session:
    put({"Findings": [asff("A.1", instance(1), tags={"env": "prod"})]})
    for role in accounts.ROLES:
        link = session.administration.invite(role, role, "test")
        session.accounts.accept(link["path"].rsplit("/", 1)[-1], PASSWORD)
    return session


@pytest.fixture
def client(signed: Session) -> Iterator[TestClient]:
    with TestClient(create_app(signed, "the-token"), follow_redirects=False) as opened:
        yield opened


def sign_in(client: TestClient, name: str, password: str = PASSWORD) -> int:
    return client.post("/sign-in", data={"name": name, "password": password}).status_code


def test_every_address_as_every_role(client: TestClient, signed: Session) -> None:
    schema = client.get("/api/v1/openapi.json").json()["paths"]
    asked = [(m.upper(), p) for p, methods in schema.items() for m in methods]
    assert len(asked) > 80
    # A webhook of a ticket system bears no token but a signature: tests/delivery/.
    asked = [a for a in asked if a[1] not in ("/healthz", "/api/v1/tickets/{connection}")] + [
        ("GET", p) for p in PAGES
    ]
    tokens = {r: signed.administration.create_token(r, r)["token"] for r in accounts.ROLES}
    wrong = []
    for method, path in asked:
        address = re.sub(r"\{\w+\}", "nothing", path)
        for role in ("", *accounts.ROLES):
            headers = {"authorization": f"Bearer {tokens[role]}"} if role else {}
            status = client.request(method, address, headers=headers, json={}).status_code
            allowed = bool(role) and Principal("x", role).may(level(method, path))
            refused = (303, 401) if not role else (403,)
            if allowed == (status in (303, 401, 403)) or (not allowed and status not in refused):
                wrong.append((method, path, role, status))
    assert not wrong


def test_a_single_user_on_loopback_reads_without_sign_in(session: Session) -> None:
    with TestClient(create_app(session, "the-token"), follow_redirects=False) as client:
        assert client.get("/").status_code == 200
        assert client.get("/api/v1/tokens").status_code == 401
        made = client.post("/api/v1/tokens", json={"name": "n", "role": "viewer"}, headers=GOOD)
        assert made.status_code == 201 and client.get("/").status_code == 200
        session.administration.invite("ann", "admin", "test")
        assert (
            client.get("/").status_code == 303 and client.get("/api/v1/issues").status_code == 401
        )
        assert client.get("/api/v1/issues", headers=GOOD).status_code == 200
        assert (
            client.get("/static/style.css").status_code == client.get("/healthz").status_code == 200
        )


def test_beyond_loopback_everything_needs_sign_in(session: Session) -> None:
    app = create_app(session, "the-token", public_url="https://inbox.example")
    with TestClient(app, base_url="https://inbox.example", follow_redirects=False) as client:
        assert client.get("/").headers["location"] == "/sign-in?next=%2F"
        assert client.get("/api/v1/issues").status_code == 401
        link = session.administration.invite("ann", "admin", "test")["path"]
        assert client.get(link).status_code == 200
        assert client.post(link, data={"password": "short"}).status_code == 422
        assert client.post(link, data={"password": PASSWORD}).status_code == 303
        assert client.post(link, data={"password": PASSWORD + "x"}).status_code == 422  # once
        answer = client.post(
            "/sign-in", data={"name": "ann", "password": PASSWORD, "next": "//evil"}
        )
        assert answer.status_code == 303 and answer.headers["location"] == "/"
        cookie = answer.headers["set-cookie"].lower()
        assert all(w in cookie for w in ("httponly", "samesite=lax", "secure"))
        assert client.get("/").status_code == 200
    with TestClient(app, base_url="https://other.example") as stranger:
        assert stranger.get("/").status_code == 421


def test_a_session_signs_in_and_out_and_changes_only_with_its_csrf_token(
    client: TestClient, signed: Session
) -> None:
    assert sign_in(client, "triager") == 303
    assert client.get("/").status_code == 200
    secret = client.cookies[COOKIE]
    assert secret not in json.dumps(signed.accounts._rows(accounts.sa.select(accounts.SESSIONS)))
    body = {"action": "comment", "issues": ["1"], "text": "x"}
    assert client.post("/api/v1/decisions", json=body).status_code == 403
    csrf = {"x-csrf-token": signed.accounts.by_session(secret).csrf}  # type: ignore[union-attr]
    assert client.post("/api/v1/decisions", json=body, headers=csrf).status_code == 200
    issue = signed.issues()["issues"][0]["id"]
    assert signed.show(issue)["timeline"][0]["actor"] == "triager"
    assert client.post("/sign-out", headers={"origin": "https://evil.example"}).status_code == 403
    assert client.post("/sign-out").status_code == 303
    assert signed.accounts.by_session(secret) is None
    crossed = client.post("/sign-in", data={"name": "triager", "password": PASSWORD},
                          headers={"sec-fetch-site": "cross-site"})  # fmt: skip
    assert crossed.status_code == 403


def test_wrong_passwords_lock_and_tell_nothing(client: TestClient, signed: Session) -> None:
    client.app.state.session = signed  # type: ignore[attr-defined]
    texts = set()
    for name in ("admin", "nobody"):
        for _ in range(2):
            answer = client.post("/sign-in", data={"name": name, "password": "wrong"})
            assert answer.status_code == 401
            texts.add(re.search(r'role="alert">([^<]+)', answer.text).group(1))  # type: ignore[union-attr]
    assert len(texts) == 1
    for _ in range(accounts.ATTEMPTS):
        with pytest.raises(accounts.SignInError):
            signed.accounts.sign_in("admin", "wrong", "")
    with pytest.raises(accounts.SignInError):  # right, but the account rests
        signed.accounts.sign_in("admin", PASSWORD, "")
    actions = [e["action"] for e in signed.administration.audit()["events"]]
    assert "account-rests" in actions and actions.count("sign-in-failed") >= 9
    # A name that does not exist takes as long as one that does.
    spans = []
    for name in ("viewer", "nobody"):
        start = time.perf_counter()
        with pytest.raises(accounts.SignInError):
            signed.accounts.sign_in(name, "wrong", "")
        spans.append(time.perf_counter() - start)
    assert min(spans) > max(spans) / 10


def test_too_many_sign_ins_of_one_address_wait(client: TestClient) -> None:
    codes = [sign_in(client, f"n{n}", "wrong") for n in range(12)]
    assert codes[-1] == 429 and codes[0] == 401


def test_tokens_are_hashed_expire_and_can_be_revoked(
    client: TestClient, signed: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = signed.administration.create_token("ci", "viewer", "1d", "ann")
    stored = (signed.home / "decisions.sqlite").read_bytes()
    assert made["token"].encode() not in stored
    headers = {"authorization": f"Bearer {made['token']}"}
    assert client.get("/api/v1/issues", headers=headers).status_code == 200
    assert (
        client.get("/api/v1/issues", headers={"dd-application-key": made["token"]}).status_code
        == 200
    )
    (row,) = signed.administration.tokens()["tokens"]
    assert row["last_used"] and "hash" not in row and row["created_by"] == "ann"
    moment = accounts.now() + timedelta(days=2)
    monkeypatch.setattr(accounts, "now", lambda: moment)
    assert client.get("/api/v1/issues", headers=headers).status_code == 401
    monkeypatch.undo()
    assert client.get("/api/v1/issues", headers=headers).status_code == 200
    signed.administration.revoke_token(made["id"], "ann")
    assert client.get("/api/v1/issues", headers=headers).status_code == 401
    wrong = client.post("/api/v1/tokens", json={"name": "x", "role": "root"}, headers=GOOD)
    assert wrong.status_code == 422 and "viewer" in wrong.json()["error"]["message"]


def test_the_last_administrator_stays(signed: Session) -> None:
    from secinbox.decisions.states import DecisionError

    with pytest.raises(DecisionError, match="last administrator"):
        signed.administration.remove_user("admin", "x")
    signed.administration.remove_user("viewer", "x")
    assert {u["name"] for u in signed.administration.users()["users"]} == {"admin", "triager"}


def test_the_pace_is_limited() -> None:
    from starlette.exceptions import HTTPException

    pace = Pace(rate=1, burst=3)
    for _ in range(3):
        pace.take("a")
    with pytest.raises(HTTPException):
        pace.take("a")
    pace.take("b")


def test_the_command_line_makes_tokens_and_users(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = run(home, "tokens", "create", "--name", "ci", "--role", "triager", "--json")
    told = json.loads(made.stdout)
    assert set(told) == {"token", "id", "expires"} and told["expires"] is None
    assert json.loads(run(home, "tokens", "list", "--json").stdout)["tokens"][0]["id"] == told["id"]
    assert run(home, "tokens", "revoke", told["id"]).returncode == 0
    assert run(home, "tokens", "revoke", told["id"]).returncode == 3
    assert json.loads(run(home, "users", "invite", "ann", "--role", "admin", "--json").stdout)[
        "path"
    ]
    assert b"user-invite ann admin" in run(home, "users", "audit").stderr
    with Session(home, CLOCK) as session:
        assert Accounts(session.decisions).any_user()
