"""What is kept between rankings: the same answers as from nothing, and never after a change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from secinbox.facts.inventory import kept_estate, load_estate
from secinbox.paths import routes
from secinbox.paths.build import steps_of
from secinbox.paths.catalogue import moves
from secinbox.paths.predicates import LASTING
from secinbox.paths.world import World
from secinbox.session import Session
from tests.conftest import CLOCK, ROOT
from tests.scenes import EC2, Scene, allow, service, vulnerability
from tests.test_paths_moves import OLD, SAMPLES

WEB = EC2 + "instance/i-web"


class Blind(World):
    """A world that tells what the inventory and exposure say, and refuses everything else."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("weaknesses", "leaks", "alarms", "crown", "holders", "pipelines", "jewels",
                    "repositories", "breached", "reached"):  # fmt: skip
            raise AssertionError(f"a lasting predicate asks for {name}")
        return super().__getattribute__(name)


@pytest.mark.parametrize("move", [m.id for m in moves() if m.pairs in LASTING])
def test_lasting_predicates_look_at_nothing_that_changes(move: str) -> None:
    row = next(m for m in moves() if m.id == move)
    world = SAMPLES[move][0].world()
    blind = Blind(estate=world.estate, public=world.public, tops=world.tops)
    assert list(steps_of(blind, row)) == list(steps_of(world, row))


def scene() -> Scene:
    made = Scene().instance("web", "app", **OLD).bucket("data")
    made.role("app", service("ec2.amazonaws.com"), allow("s3:GetObject"), profile=True)
    return made


def rows(world: World) -> list[Any]:
    return [(p.id, p.cost, p.steps, p.resources) for p in routes.analyse(world).paths]


def test_a_new_weakness_is_seen_by_what_was_kept() -> None:
    world = scene().world()
    before = rows(world)
    more = {WEB: [vulnerability()]}
    after = rows(replace(world, weaknesses=more))
    assert after == rows(replace(scene().world(), weaknesses=more)) != before
    assert rows(replace(world, weaknesses={})) == before


def test_what_is_public_no_more_is_not_kept() -> None:
    world = scene().world()
    assert any(p.entry == "internet" for p in routes.analyse(world).paths)
    assert not [p for p in routes.analyse(replace(world, public={})).paths if p.entry == "internet"]


def test_the_inventory_is_read_again_when_it_changes_only(tmp_path: Path) -> None:
    with Session(tmp_path / "home", CLOCK) as session:
        session.import_reports((str(ROOT / "examples" / "estate"),))
        session.pin_clock(CLOCK)
        session.rank(everything=True)
        facts = session.facts
        first = kept_estate(facts)
        assert kept_estate(facts) is first
        assert set(first.items) == set(load_estate(facts).items)
        for sql in (
            "UPDATE seen_resources SET config = '{\"a\": 1}' WHERE trust >= 2 AND config <> ''",
            "DELETE FROM relations WHERE rowid IN (SELECT min(rowid) FROM relations)",
            "DELETE FROM coverage WHERE rowid IN (SELECT min(rowid) FROM coverage)",
        ):
            before = kept_estate(facts)
            facts.con.execute(sql)
            assert kept_estate(facts) is not before, sql
