"""Attack paths through the store: findings, JSON contract, plan, what-if, maps, pages."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from secinbox.inbox import drawing, maps
from secinbox.session import Session
from tests.conftest import CLOCK, ROOT
from tests.test_cli import run as call

STEP = {"from", "to", "move", "sentence", "evidence", "state", "certain", "doubt"}
PATH = {"id", "severity", "title", "certain", "entry", "target", "steps", "resources"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample estate, imported once."""
    made = tmp_path_factory.mktemp("paths") / "home"
    with Session(made, CLOCK) as session:
        session.import_reports((str(ROOT / "examples" / "estate"),))
        session.pin_clock(CLOCK)
        session.rank(everything=True)
    return made


def run(home: Path, *args: str) -> Any:
    done = call(home, *args)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout) if "--json" in args else done.stdout.decode()


def test_the_json_contract_of_paths(home: Path) -> None:
    answer = run(home, "paths", "--json")
    assert answer["total"] == len(answer["paths"]) >= 3
    for path in answer["paths"]:
        assert set(path) >= PATH
        assert path["severity"] in ("critical", "high", "medium", "low")
        assert path["steps"][0]["from"] == path["entry"]
        assert path["steps"][-1]["to"] == path["target"] == path["resources"][-1] or (
            path["target"] in path["resources"]
        )
        for step in path["steps"]:
            assert set(step) >= STEP
            assert {step["to"]} <= set(path["resources"])
            assert step["certain"] or step["doubt"]
        assert path["certain"] == all(s["certain"] for s in path["steps"])
    first = run(home, "paths", "--limit", "1", "--json")
    rest = run(home, "paths", "--cursor", first["next"], "--json")
    assert [p["id"] for p in first["paths"] + rest["paths"]] == [p["id"] for p in answer["paths"]]


def test_filters_of_paths(home: Path) -> None:
    every = run(home, "paths", "--json")["paths"]
    sure = run(home, "paths", "--certain", "--json")["paths"]
    assert sure == [p for p in every if p["certain"]]
    one = every[-1]
    through = one["steps"][1]["to"]
    found = run(home, "paths", "--through", through, "--json")["paths"]
    assert one["id"] in [p["id"] for p in found]
    assert all(through in p["resources"] for p in found)
    assert run(home, "paths", "--target", "nothing-like-it", "--json")["paths"] == []


def test_every_path_is_a_finding_an_issue_and_has_risks(home: Path) -> None:
    for path in run(home, "paths", "--json")["paths"]:
        issue = run(home, "show", path["issue"], "--json")
        assert issue["type"] == "attack_path"
        assert issue["title"] == path["title"]
        assert issue["admitted_by"] == "attack_path_default_rule"
        assert issue["attack_path"]["id"] == path["id"]
        if path["entry"] == "internet":
            assert issue["risks"]["public_accessibility"] == "yes"
        assert run(home, "paths", "show", path["finding"][:10], "--json")["id"] == path["id"]


def test_an_unknown_path_is_told(home: Path) -> None:
    done = call(home, "paths", "show", "nope")
    assert done.returncode == 3
    assert b"no attack path is called nope" in done.stderr


def test_the_plan_and_what_if_agree_and_store_nothing(home: Path) -> None:
    before = run(home, "paths", "--json")
    plan = run(home, "plan", "--json")
    assert plan["bound"]["exact"]
    shares = [a["cumulative_share"] for a in plan["actions"]]
    assert shares == sorted(shares) and shares[-1] == 1.0
    for action in plan["actions"]:
        assert {"issue", "title", "paths_cut", "targets_protected", "cumulative_share"} <= set(
            action
        )
        supposed = run(home, "plan", "--what-if", action["key"], "--json")
        assert {p["id"] for p in supposed["gone"]} >= set(action["paths"])
        kept = before["total"] - len(supposed["gone"])
        assert supposed["paths"]["after"] == kept + len(supposed["instead"])
    cut = [a["key"] for a in plan["actions"] if a["in_smallest_cut"]]
    asked = [word for key in cut for word in ("--what-if", key)]
    gone = {p["id"] for p in run(home, "plan", *asked, "--json")["gone"]}
    assert gone >= {p["id"] for p in before["paths"] if p["certain"]}
    assert run(home, "paths", "--json") == before


def test_why_of_a_resource_tells_its_paths_and_what_stops_others(home: Path) -> None:
    path = run(home, "paths", "--json")["paths"][-1]
    answer = run(home, "why", path["steps"][0]["to"], "--json")
    assert path["id"] in [p["id"] for p in answer["attack_paths"]]
    assert isinstance(answer["no_path_because"], list)


def test_paths_close_and_open_with_the_facts(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    with Session(copy, CLOCK) as session:
        path = next(p for p in session.paths()["paths"] if p["entry"] == "internet")
        uid = path["steps"][0]["to"]
        session.facts.con.execute(
            "UPDATE seen_resources SET config = '{}' WHERE config <> '' AND ref = ?", [uid]
        )
        session.rank(everything=True)
        left = [p["id"] for p in session.paths()["paths"]]
        assert path["id"] not in left
        closed = session.findings(f"id:{path['finding']} status:fixed")["findings"]
        assert len(closed) == 1
        session.rebuild()
        assert path["id"] in [p["id"] for p in session.paths()["paths"]]
        again = session.findings(f"id:{path['finding']}")["findings"]
        assert [f["status"] for f in again] == ["open"]


def test_a_declared_crown_jewel_is_a_target(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    place = next(p for p in run(copy, "paths", "--json")["paths"] if p["entry"] == "internet")
    uid = next(s["to"] for s in place["steps"] if s["state"] == "exec")
    assert uid not in {p["target"] for p in run(copy, "paths", "--json")["paths"]}
    (copy / "secinbox.toml").write_text(f'crown_jewels = ["{uid[:-3]}*"]')
    found = [p for p in run(copy, "paths", "--json")["paths"] if p["target"] == uid]
    assert found and found[0]["why_target"] == "is declared a crown jewel"


HOSTILE = '<script>alert("x")</script> \x1b[31m "}] | -->\n; drop'


def hostile_map(nodes: int = 3) -> maps.Map:
    found = maps.Map(HOSTILE)
    for number in range(nodes):
        found.nodes.append(maps.Node(f"n{number}", HOSTILE * 3, "place", number % 7, HOSTILE, 2))
        if number:
            found.edges.append(maps.Edge(f"n{number - 1}", f"n{number}", HOSTILE, number % 2 == 0,
                                         number, HOSTILE))  # fmt: skip
    return found


@pytest.mark.parametrize("nodes", [1, 3, 40])
def test_a_drawing_holds_no_markup_of_names(nodes: int) -> None:
    text = drawing.svg(hostile_map(nodes))
    tree = ElementTree.fromstring(text)
    tags = {e.tag.rpartition("}")[2] for e in tree.iter()}
    assert tags <= {"svg", "title", "defs", "marker", "path", "g", "rect", "text"}
    assert "\x1b" not in text
    assert all("on" not in k[:2] for e in tree.iter() for k in e.attrib)
    box = [float(v) for v in tree.attrib["viewBox"].split()]
    for rect in tree.iter("{http://www.w3.org/2000/svg}rect"):
        assert 0 <= float(rect.attrib["x"]) <= box[2] - float(rect.attrib["width"])
        assert float(rect.attrib["y"]) + float(rect.attrib["height"]) <= box[3] + 6


def test_other_forms_of_the_map_quote_names() -> None:
    dot = drawing.dot(hostile_map())
    assert "\x1b" not in dot and '\\"x\\"' in dot
    assert len([line for line in dot.splitlines() if " -> n" in line]) == 2
    chart = drawing.mermaid(hostile_map())
    assert "<script>" not in chart and "\x1b" not in chart
    assert len(chart.splitlines()) == 1 + 3 + 2
    with pytest.raises(ValueError, match="unknown form"):
        drawing.draw(hostile_map(), "png")


def test_every_path_can_be_drawn(home: Path) -> None:
    for path in run(home, "paths", "--json")["paths"]:
        for form in ("svg", "dot", "mermaid"):
            assert run(home, "paths", "show", path["id"], "--format", form).strip()
        found = maps.of_path(path)
        assert {n.kind for n in found.nodes} >= {"entry", "target"}
        ends = {n.id for n in found.nodes}
        assert all(e.source in ends and e.target in ends for e in found.edges)
