"""The web inbox in real Chromium: reading, keys, search, light and dark, no script needed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from secinbox.session import Session
from tests.conftest import CLOCK, ROOT
from tests.test_inbox import asff, instance

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
if CHROMIUM is None:
    warnings.warn(
        "BROWSER TESTS ARE SKIPPED: there is no Chromium (apt install chromium)", stacklevel=1
    )
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="NO CHROMIUM: the web UI was not tested")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("web") / "home"
    with Session(home, CLOCK) as session:
        rows = [asff(f"R.{n}", instance(n % 7), tags={"env": "prod", "service": f"svc-{n % 3}"},
                     severity="CRITICAL" if n % 5 == 0 else "HIGH") for n in range(60)]  # fmt: skip
        session.import_reports(("r/hub.json",), data=json.dumps({"Findings": rows}).encode())
        session.pin_clock(CLOCK)
    env = {k: v for k, v in os.environ.items() if not k.startswith("SECINBOX_")}
    server = subprocess.Popen(
        [sys.executable, "-m", "secinbox", "--home", str(home), "serve", "--port", "0"],
        stderr=subprocess.PIPE, text=True, cwd=ROOT, env=env,
    )  # fmt: skip
    assert server.stderr is not None
    line = server.stderr.readline()
    yield line.split(" at ")[1].split(" ")[0]
    server.terminate()
    server.wait(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    context = browser.new_context(base_url=url)
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda e: problems.append(str(e)))
    opened.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    yield opened
    context.close()
    assert not problems  # no script error, nothing that the content policy had to stop


def test_reading_from_list_to_issue_and_back(page: Any) -> None:
    page.goto("/")
    assert page.locator("#issues > li").count() == 50
    first = page.locator("#issues > li a.title").first
    title = first.inner_text()
    first.click()
    assert title in page.locator("h1").inner_text()
    for heading in ("Why it is #1", "Detected risks", "Fix", "Resources", "Findings"):
        assert page.get_by_role("heading", name=heading).count() >= 1
    page.locator("#back").click()
    page.get_by_role("link", name="Next page").click()
    assert page.locator("#issues .rank").first.inner_text() == "51"


def test_keys_move_open_search_and_help(page: Any) -> None:
    page.goto("/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    current = page.locator("#issues > li[aria-current]")
    assert current.locator(".rank").inner_text() == "2"
    page.keyboard.press("k")
    assert page.locator("#issues > li[aria-current] .rank").inner_text() == "1"
    page.keyboard.press("?")
    assert page.locator("dialog[open]").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("severity:critical")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=severity*")
    severities = set(page.locator("#issues .severity").all_inner_texts())
    assert severities == {"critical"}
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/issues/*")


def test_a_wrong_query_is_explained_in_place(page: Any) -> None:
    page.goto("/?q=sevrity:high")
    assert "severity" in page.get_by_role("alert").inner_text()


def test_facets_narrow_the_list_and_counts_agree(page: Any) -> None:
    page.goto("/")
    item = page.locator("aside li", has_text="critical").first
    count = item.locator("span").inner_text()
    item.locator("a").click()
    assert page.locator(".count").inner_text().startswith(f"{count} issue")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_schemes(browser: Any, url: str, scheme: str) -> None:
    context = browser.new_context(base_url=url, color_scheme=scheme)
    page = context.new_page()
    page.goto("/")
    ratios = page.evaluate(
        """() => {
          const channel = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
          const light = (c) => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
          const rgb = (t) => { const c = document.createElement("canvas").getContext("2d");
            c.fillStyle = t; c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data]; };
          const back = (e) => { for (; e; e = e.parentElement) {
            const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] > 0) return c; } return [255, 255, 255]; };
          return [...document.querySelectorAll(".title, .meta span, .severity, .risk span, .count, .rank, aside a, .panel")]
            .map((e) => { const [a, b] = [light(rgb(getComputedStyle(e).color)), light(back(e))];
              return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.className + ": " + e.textContent.slice(0, 30)]; });
        }"""
    )
    context.close()
    assert ratios
    assert [text for ratio, text in ratios if ratio < 4.5] == []


def test_everything_can_be_read_without_scripts(browser: Any, url: str) -> None:
    context = browser.new_context(base_url=url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    assert page.locator("#issues > li").count() == 50
    page.locator("#issues > li a.title").first.click()
    assert page.locator("h2").count() >= 5
    context.close()


def test_a_narrow_screen_needs_no_sideways_scrolling(browser: Any, url: str) -> None:
    context = browser.new_context(base_url=url, viewport={"width": 360, "height": 740})
    page = context.new_page()
    pages = ("/", "/issues/1", "/findings", "/health", "/rules", "/report", "/?group=service")
    for path in pages:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 362, path
    context.close()


def test_grouped_rules_and_report_lead_to_what_they_count(page: Any) -> None:
    page.goto("/?group=service")
    row = page.locator("tbody tr", has_text="svc-1").first
    count = row.locator("td").nth(4).inner_text()
    row.locator("a").click()
    assert page.locator(".count").inner_text().startswith(f"{count} issue")
    page.get_by_role("link", name="Rules", exact=True).click()
    rule = page.locator("tbody tr", has_text="misconfiguration_default_rule").first
    hits = rule.locator("td.number").inner_text()
    rule.locator("td.number a").click()
    assert page.locator("tbody tr, .finding, li").count() >= 1 and hits == "60"
    page.get_by_role("link", name="Report", exact=True).click()
    assert page.locator("svg.chart rect.new").count() == 12
    critical = page.locator("tbody tr", has_text="critical").first
    count = critical.locator("td").first.inner_text()
    critical.locator("a").first.click()
    assert page.locator(".count").inner_text().startswith(f"{count} issue")
