"""Attack paths, maps and the plan in real Chromium, on the sample estate."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from secinbox.session import Session
from tests.conftest import CLOCK, ROOT
from tests.test_web import browser, page, pytestmark

__all__ = ["browser", "page", "pytestmark"]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("web") / "home"
    with Session(home, CLOCK) as session:
        session.import_reports((str(ROOT / "examples" / "estate"),))
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


def test_from_the_list_of_paths_to_the_map_and_the_issue(page: Any) -> None:
    page.goto("/paths")
    rows = page.locator("ol.issues > li")
    answer = page.request.get("/paths.json").json()
    assert rows.count() == answer["total"] >= 3
    title = rows.first.locator("a.title").inner_text()
    assert title == answer["paths"][0]["title"]
    rows.first.locator("a.title").click()
    drawing = page.locator(".drawing svg")
    assert drawing.is_visible()
    assert drawing.get_attribute("aria-label") == title
    assert drawing.locator(".node.entry").count() == 1
    assert drawing.locator(".node.target").count() == 1
    assert page.locator(".steps > li").count() == len(answer["paths"][0]["steps"])
    page.locator("a[href^='/issues/']").first.click()
    assert page.locator(".drawing svg").is_visible()
    assert title in page.locator("h1").inner_text()


def test_nodes_of_a_map_lie_apart_and_inside(page: Any) -> None:
    for path in page.request.get("/paths.json").json()["paths"]:
        page.goto(f"/paths/{path['id']}")
        boxes = [b.bounding_box() for b in page.locator(".drawing .node > rect:last-of-type").all()]
        whole = page.locator(".drawing svg").bounding_box()
        for box in boxes:
            assert (
                whole["x"] - 1 <= box["x"]
                and box["x"] + box["width"] <= whole["x"] + whole["width"] + 1
            )
        for n, a in enumerate(boxes):
            for b in boxes[n + 1 :]:
                apart = (a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
                         or a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"])  # fmt: skip
                assert apart


def test_the_plan_leads_to_issues(page: Any) -> None:
    page.goto("/plan")
    plan = page.request.get("/plan.json").json()
    assert page.locator("table").first.locator("tbody tr").count() == len(plan["actions"])
    assert page.get_by_text("smallest cut").count() == plan["bound"]["actions"]


def test_a_resource_tells_its_paths(page: Any) -> None:
    path = page.request.get("/paths.json").json()["paths"][-1]
    page.goto("/resource?uid=" + path["steps"][0]["to"])
    assert page.locator(f"a[href='/paths/{path['id'].replace(':', '%3A')}']").count() == 1


@pytest.mark.parametrize("address", ["/paths", "/plan", "/paths/nothing-like-it"])
def test_pages_read_without_scripts_and_on_a_narrow_screen(
    browser: Any, url: str, address: str
) -> None:
    context = browser.new_context(
        base_url=url, java_script_enabled=False, viewport={"width": 360, "height": 700}
    )
    opened = context.new_page()
    opened.goto(address)
    assert opened.locator("main").inner_text().strip()
    assert opened.locator("main").bounding_box()["width"] <= 360
    context.close()
