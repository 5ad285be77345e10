"""The API: same answers as the CLI, one error shape, nothing for strangers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from secinbox.api.app import create_app
from secinbox.session import Session
from tests.conftest import trivy, vulnerability
from tests.test_inbox import asff, instance

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"


@pytest.fixture
def client(session: Session, put: Any) -> Iterator[TestClient]:
    put({"Findings": [asff("A.1", instance(1), tags={"env": "prod"}) | {"Title": HOSTILE},
                      asff("A.2", instance(2), tags={"env": "prod"})]})  # fmt: skip
    with TestClient(create_app(session, "the-token")) as opened:
        yield opened


def test_answers_equal_those_of_the_session(client: TestClient, session: Session) -> None:
    assert client.get("/api/v1/issues").json() == session.issues()
    assert client.get("/api/v1/findings", params={"q": "rule:A.1"}).json() == session.findings(
        "rule:A.1"
    )
    assert client.get("/api/v1/resources").json() == session.resources()
    first = session.issues()["issues"][0]["id"]
    assert client.get(f"/api/v1/issues/{first}").json() == session.show(first)
    assert client.get("/api/v1/why", params={"name": instance(1)}).json()["kind"] == "resource"


def test_every_page_has_a_json_twin(client: TestClient, session: Session) -> None:
    first = session.issues()["issues"][0]["id"]
    for page, twin in (("/", "/inbox.json"), (f"/issues/{first}", f"/issues/{first}.json"),
                       ("/findings", "/findings.json"), ("/resources", "/resources.json"),
                       (f"/resource?uid={instance(1)}", f"/resource.json?uid={instance(1)}"),
                       ("/health", "/health.json")):  # fmt: skip
        html = client.get(page)
        assert html.status_code == 200 and html.headers["content-type"].startswith("text/html")
        assert f'href="{twin.split("?")[0]}' in html.text
        assert client.get(twin).json()


def test_text_of_reports_is_text_on_every_page(client: TestClient, session: Session) -> None:
    first = next(i for i in session.issues()["issues"] if "script" in i["title"])
    for page in ("/", f"/issues/{first['id']}", "/findings", f"/?q={HOSTILE}"):
        text = client.get(page).text
        assert "<script>alert" not in text and "<img src=x" not in text


def test_one_error_shape(client: TestClient) -> None:
    for path, status in (
        ("/api/v1/issues?q=nope:1", 422), ("/api/v1/issues?foo=1", 422),
        ("/api/v1/issues?limit=0", 422), ("/api/v1/issues?limit=x", 422),
        ("/api/v1/issues/zzzz", 404), ("/api/v1/nothing", 404), ("/api/v1/why?name=zz", 404),
        ("/issues/zzzz.json", 404),
    ):  # fmt: skip
        answer = client.get(path)
        assert answer.status_code == status, path
        error = answer.json()["error"]
        assert error["status"] == status and error["message"]


def test_changes_need_the_token(client: TestClient, session: Session) -> None:
    report = json.dumps(trivy(vulnerability()))
    for headers in ({}, {"authorization": "Bearer wrong"}):
        assert (
            client.post("/api/v1/imports?name=a", content=report, headers=headers).status_code
            == 401
        )
        assert client.post("/api/v1/rank", headers=headers).status_code == 401
    assert session.findings()["total"] == 2
    good = {"authorization": "Bearer the-token"}
    entry = client.post("/api/v1/imports?name=r/a.json", content=report, headers=good).json()[
        "files"
    ][0]
    assert entry["status"] == "imported"
    assert session.findings()["total"] == 3


def test_other_host_names_are_refused_and_headers_are_strict(client: TestClient) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 421
    headers = client.get("/").headers
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_only_loopback_is_served_without_a_public_address(session: Session) -> None:
    from secinbox.api.serving import serve
    from secinbox.facts.store import StoreError

    with pytest.raises(StoreError, match="loopback"):
        serve(session, "0.0.0.0", 0, lambda url: None)
