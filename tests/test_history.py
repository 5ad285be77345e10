"""The inbox of a past day, ETags, signed sensors, and whether OpenAPI tells everything."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from secinbox.api.app import create_app
from secinbox.delivery import signing
from secinbox.session import Session
from tests.conftest import trivy, vulnerability
from tests.test_inbox import asff, guardduty, instance
from tests.test_triage import GOOD

SECRET = "sensors-sign"


@pytest.fixture
def client(session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("SECINBOX_SENSOR_SECRET", SECRET)
    with TestClient(create_app(session, "the-token"), headers=GOOD) as opened:
        yield opened


# -- a past day -------------------------------------------------------------------------------


@pytest.fixture
def past(session: Session, put: Callable[..., Any]) -> Session:
    """One package since the 10th, a second from the 12th until it was fixed on the 18th."""
    session.automation.apply([{"kind": "inbox", "name": "All"}], "me")
    one, two = (vulnerability(f"CVE-2024-000{n}", f"pack-{n}", "HIGH") for n in (1, 2))
    for day, found in ((10, (one,)), (12, (one, two)), (18, (one,))):
        report = trivy(*found, created=f"2026-11-{day}T10:00:00Z")
        assert put(report, name=f"r/{day}.json")["status"] == "imported"
    return session


def packages(answer: dict[str, Any]) -> set[str]:
    return {i["package"].rpartition("/")[2].partition("@")[0] for i in answer["issues"]}


def test_the_inbox_of_a_past_day_has_what_was_open_then(past: Session, client: TestClient) -> None:
    def at(day: str) -> set[str]:
        return packages(client.get("/api/v1/issues", params={"as_of": day}).json())

    assert at("2026-11-09") == set()
    assert at("2026-11-11") == {"pack-1"}
    assert at("2026-11-15") == {
        "pack-1",
        "pack-2",
    }  # no report is of that day: it was open all the same
    assert at("2026-11-19") == {"pack-1"}
    told = client.get("/api/v1/issues", params={"as_of": "2026-11-15"}).json()
    assert told["as_of"] == "2026-11-15T00:00:00Z" and "rules" in told["not_reconstructed"]
    assert told["facets"]["severity"]
    assert packages(client.get("/api/v1/issues").json()) == {"pack-1"}  # today is as it was
    page = client.get("/", params={"as_of": "2026-11-15"}).text
    assert "pack-2" in page and "as it was on 2026-11-15" in page
    assert "pack-2" not in client.get("/").text


def test_decisions_of_a_past_day_are_those_of_then(past: Session, client: TestClient) -> None:
    issue = past.issues()["issues"][0]["id"]
    store = past.decisions
    from secinbox.decisions.states import Change, Subject

    mute = Change("mute", {"reason": "other", "text": "", "expires": "", "until_worse": False})
    store.decide([Subject(f"issue:{issue}", 4, 0)], mute, "me", datetime(2026, 11, 13))  # noqa: DTZ001
    store.decide([Subject(f"issue:{issue}", 4, 0)], Change("unmute"), "me", datetime(2026, 11, 16))  # noqa: DTZ001
    past.rank()

    def at(day: str) -> set[str]:
        return packages(past.past(datetime.fromisoformat(day)))

    assert at("2026-11-12T12:00") == {"pack-1", "pack-2"}
    assert at("2026-11-14") == {"pack-2"}
    assert at("2026-11-17") == {"pack-1", "pack-2"}
    assert past.issues()["issues"][0]["status"] == "open"


@pytest.mark.parametrize("text", ["2027-01-01", "yesterday", "99999999999d", "2026-13-01"])
def test_a_wrong_day_is_told(past: Session, client: TestClient, text: str) -> None:
    answer = client.get("/api/v1/issues", params={"as_of": text})
    assert answer.status_code == 422 and "as_of" in answer.json()["error"]["message"]


# -- ETags ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["issues", "findings", "resources", "facets", "paths", "rules"])
def test_lists_have_etags_that_change_with_what_they_say(
    path: str, past: Session, client: TestClient, put: Callable[..., Any]
) -> None:
    first = client.get(f"/api/v1/{path}")
    tag = first.headers["etag"]
    again = client.get(f"/api/v1/{path}", headers={"if-none-match": f'"x", W/{tag}'})
    assert again.status_code == 304 and not again.content and again.headers["etag"] == tag
    assert "content-security-policy" in again.headers
    assert client.get(f"/api/v1/{path}", headers={"if-none-match": '"x"'}).status_code == 200
    if path in ("issues", "findings", "facets"):
        put({"Findings": [asff("A.1", instance(1), tags={"env": "prod"})]})
        changed = client.get(f"/api/v1/{path}", headers={"if-none-match": tag})
        assert changed.status_code == 200 and changed.headers["etag"] != tag


def test_errors_and_secrets_have_no_etag(past: Session, client: TestClient) -> None:
    assert "etag" not in client.get("/api/v1/issues/nothing").headers
    assert client.get("/healthz").headers["cache-control"] == "no-store"
    assert client.get("/api/v1/issues/1").headers["etag"].strip('"').isdigit()  # for If-Match


# -- sensors ----------------------------------------------------------------------------------


def post(session: Session, body: bytes, headers: dict[str, str]) -> Any:
    with TestClient(create_app(session, "the-token")) as anybody:
        return anybody.post("/api/v1/webhooks/guardduty", content=body, headers=headers)


def test_a_signed_sensor_needs_no_token_and_is_heard_once(
    session: Session, put: Callable[..., Any], client: TestClient
) -> None:
    put({"Findings": [asff("A.1", instance(1), tags={"env": "prod"})]})
    body = json.dumps(guardduty(f"i-{1:017x}")).encode()
    assert post(session, body, {}).status_code == 401
    for secret in ("another", ""):
        assert post(session, body, signing.signed(secret, body)).status_code == 401
    assert post(session, body + b" ", signing.signed(SECRET, body)).status_code == 401
    old = str(int(time.time()) - 301)
    late = {signing.TIME: old, signing.SIGNATURE: signing.signature(SECRET, old, body)}
    assert post(session, body, late).status_code == 401
    ahead = str(int(time.time()) + 400)
    early = {signing.TIME: ahead, signing.SIGNATURE: signing.signature(SECRET, ahead, body)}
    assert post(session, body, early).status_code == 401
    assert session.issues()["issues"][0]["risks"]["under_attack"] != "yes"
    good = signing.signed(SECRET, body)
    assert post(session, body, good).status_code == 202
    assert session.issues()["issues"][0]["risks"]["under_attack"] == "yes"
    again = post(session, body, good)
    assert again.status_code == 200 and again.json()["status"] == "known"


def test_what_could_not_be_read_may_be_sent_again(session: Session, client: TestClient) -> None:
    body = b'{"nothing": "known"}'
    good = signing.signed(SECRET, body)
    assert post(session, body, good).status_code == post(session, body, good).status_code == 400


def test_without_a_secret_no_signature_is_right(
    session: Session, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECINBOX_SENSOR_SECRET")
    assert post(session, b"{}", signing.signed("", b"{}")).status_code == 401


# -- OpenAPI ----------------------------------------------------------------------------------


def routes(app: Any) -> list[APIRoute]:
    found: list[APIRoute] = []
    for route in app.routes:
        inner = getattr(route, "original_router", None)
        found += [route] if isinstance(route, APIRoute) else []
        found += routes(inner) if inner is not None else []
    return found


def test_openapi_tells_every_address_parameter_body_and_error(client: TestClient) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    hidden = []
    for route in routes(client.app):
        if route.path.startswith(("/api/", "/metrics", "/readyz", "/healthz")):
            hidden += [] if route.include_in_schema else [route.path]
    assert not hidden
    incomplete = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            if named != {part[1:-1] for part in path.split("/") if part.startswith("{")}:
                incomplete.append((path, method, "path"))
            if "security" not in operation or not operation.get("summary"):
                incomplete.append((path, method, "security"))
            if not operation.get("description", "").endswith("."):
                incomplete.append((path, method, "description"))
            error = operation["responses"].get("4XX", {}).get("content", {})
            if error.get("application/json", {}).get("schema", {}).get("$ref", "")[-5:] != "Error":
                incomplete.append((path, method, "error"))
            if "422" in operation["responses"]:
                incomplete.append((path, method, "another error"))
    assert not incomplete and len(schema["paths"]) > 50
    assert {"token", "key", "session", "signature"} == set(schema["components"]["securitySchemes"])
    for path in ("/api/v1/imports", "/api/v1/signals", "/api/v1/webhooks/{sensor}",
                 "/api/v1/tickets/{connection}", "/api/v1/decisions", "/api/v1/rules"):  # fmt: skip
        assert schema["paths"][path]["post"]["requestBody"]["content"]
    asked = {p["name"] for p in schema["paths"]["/api/v1/issues"]["get"]["parameters"]}
    assert asked == {"q", "limit", "cursor", "profile", "as_of"}
