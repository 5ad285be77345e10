"""Triage in the browser: forms on the issue, a selection in the list, nothing without its token."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from secinbox.api.access import COOKIE
from secinbox.api.app import create_app
from secinbox.session import Session
from tests.conftest import CLOCK, ROOT
from tests.test_access import PASSWORD
from tests.test_inbox import asff, instance
from tests.test_web import CHROMIUM, FLAGS


@pytest.fixture
def client(session: Session, put: Any) -> Iterator[TestClient]:
    put({"Findings": [asff(f"A.{n}", instance(n), tags={"env": "prod"}) for n in range(4)]})
    with TestClient(create_app(session, "the-token"), follow_redirects=False) as opened:
        yield opened


def enter(client: TestClient, session: Session) -> str:
    """Signs in as a triager; returns the CSRF token."""
    link = session.administration.invite("tia", "triager", "test")["path"]
    session.accounts.accept(link.rsplit("/", 1)[-1], PASSWORD)
    assert client.post("/sign-in", data={"name": "tia", "password": PASSWORD}).status_code == 303
    text = client.get("/").text
    return re.search(r'name="csrf" value="([^"]+)"', text).group(1)  # type: ignore[union-attr]


def test_forms_decide_and_are_refused_without_their_token(
    client: TestClient, session: Session
) -> None:
    assert "Decide" not in client.get("/").text  # nobody signed in: nothing to press
    csrf = enter(client, session)
    issue = session.issues()["issues"][0]["id"]
    address = f"/issues/{issue}/decide"
    form = {"action": "assign", "assignee": "bob", "version": "0"}
    assert client.post(address, data=form).status_code == 403
    assert client.post(address, data={**form, "csrf": "x"}).status_code == 403
    assert client.post(address, data={**form, "csrf": csrf}).status_code == 303
    late = client.post(
        address, data={"action": "due", "due": "2027-01-01", "version": "0", "csrf": csrf}
    )
    assert late.status_code == 409 and "nothing → bob" in late.text and "tia" in late.text
    for more in ({"action": "mute", "reason": "other", "expires": "30d", "until_worse": "1"},
                 {"action": "undo"}, {"action": "label", "labels": "x -y"},
                 {"action": "comment", "text": "<b>hi</b>"}):  # fmt: skip
        assert client.post(address, data={**more, "csrf": csrf}).status_code == 303
    page = client.get(f"/issues/{issue}").text
    assert "&lt;b&gt;hi&lt;/b&gt;" in page and "<b>hi" not in page and "assigned to bob" in page
    assert (
        client.post(address, data={"action": "status", "status": "x", "csrf": csrf}).status_code
        == 422
    )
    assert client.post(address, data={"action": "fly", "csrf": csrf}).status_code == 422
    assert client.post("/issues/zzzz/decide", data={**form, "csrf": csrf}).status_code == 422


def test_a_selection_and_all_that_match(client: TestClient, session: Session) -> None:
    csrf = enter(client, session)
    ids = [i["id"] for i in session.issues()["issues"]]
    data = {"csrf": csrf, "action": "status:in_progress", "issue": ids[:2]}
    assert client.post("/decide", data=data).status_code == 303
    assert session.issues("status:in_progress")["total"] == 2
    assert client.post("/decide", data={**data, "issue": []}).status_code == 422
    asked = {"csrf": csrf, "action": "mute", "reason": "other", "all": "1", "q": "rule:A.*"}
    sure = client.post("/decide", data=asked)
    assert sure.status_code == 200 and "4 issues" in sure.text and session.issues()["total"] == 4
    assert client.post("/decide", data={**asked, "sure": "1"}).status_code == 303
    assert session.issues()["total"] == 0
    again = client.post("/decide", data={**data, "issue": ids[:2]})
    assert again.status_code == 422 and "allowed" in again.text


def test_the_owner_enters_by_the_link_of_the_terminal(client: TestClient, session: Session) -> None:
    from secinbox.api.access import Access

    assert client.get("/enter/wrong").status_code == 404
    assert client.get(f"/enter/{Access(session, 'the-token').code}").status_code == 303
    assert "Decide on the chosen" in client.get("/").text and COOKIE in client.cookies


@pytest.mark.skipif(CHROMIUM is None, reason="NO CHROMIUM: triage in the browser was not tested")
@pytest.mark.parametrize("scripts", [True, False])
def test_triage_in_chromium(tmp_path: Path, scripts: bool) -> None:
    from playwright.sync_api import sync_playwright

    home = tmp_path / "home"
    with Session(home, CLOCK) as session:
        rows = [asff(f"R.{n}", instance(n), tags={"env": "prod"}) for n in range(4)]
        session.import_reports(("r/hub.json",), data=json.dumps({"Findings": rows}).encode())
        session.pin_clock(CLOCK)
    env = {k: v for k, v in os.environ.items() if not k.startswith("SECINBOX_")}
    server = subprocess.Popen(
        [sys.executable, "-m", "secinbox", "--home", str(home), "serve", "--port", "0"],
        stderr=subprocess.PIPE, text=True, cwd=ROOT, env=env,
    )  # fmt: skip
    assert server.stderr is not None
    url = server.stderr.readline().split(" at ")[1].split(" ")[0]
    link = server.stderr.readline().split(" at ")[1].split(" ")[0]
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_context(base_url=url, java_script_enabled=scripts).new_page()
            page.set_default_timeout(8_000)
            page.goto(link)
            page.locator("#issues a.title").first.click()
            page.get_by_label("Assignee").fill("ann")
            page.get_by_role("button", name="Assign").click()
            assert "assigned to ann" in page.locator("main").inner_text()
            page.get_by_label("Due").fill("2026-12-24")
            page.get_by_role("button", name="Set due date").click()
            page.get_by_role("button", name="In progress").click()
            text = page.locator("main").inner_text()
            assert "due 2026-12-24" in text and "in progress" in text.lower()
            page.get_by_role("button", name="Mute").click()
            assert page.get_by_role("button", name="Unmute").is_visible()
            page.goto("/")
            assert page.locator("#issues > li").count() == 3
            for number in range(2):
                page.locator(".pick").nth(number).check()
            page.locator("#bulk select[name=action]").select_option("status:resolved")
            page.get_by_role("button", name="Decide on the chosen").click()
            assert page.locator("#issues > li").count() == 1
            browser.close()
    finally:
        server.terminate()
        server.wait(20)


def test_an_administrator_switches_a_rule_and_a_triager_may_not(
    client: TestClient, session: Session
) -> None:
    csrf = enter(client, session)
    address = "/rules/misconfiguration_default_rule/switch"
    assert "Switch off" not in client.get("/rules").text
    assert client.post(address, data={"csrf": csrf, "enabled": ""}).status_code == 403
    client.cookies.clear()
    link = session.administration.invite("ada", "admin", "test")["path"]
    session.accounts.accept(link.rsplit("/", 1)[-1], PASSWORD)
    assert client.post("/sign-in", data={"name": "ada", "password": PASSWORD}).status_code == 303
    text = client.get("/rules").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', text).group(1)  # type: ignore[union-attr]
    assert client.post(address, data={"enabled": ""}).status_code == 403
    before = session.issues()["total"]
    assert client.post(address, data={"csrf": csrf, "enabled": ""}).status_code == 303
    assert before == 4 and session.issues()["total"] == 0
    assert client.post(address, data={"csrf": csrf, "enabled": "1"}).status_code == 303
    assert session.issues()["total"] == before
    missing = client.post("/rules/nothing/switch", data={"csrf": csrf, "enabled": "1"})
    assert missing.status_code == 422 and "nothing" in missing.text
