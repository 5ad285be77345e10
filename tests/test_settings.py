"""Settings of a home: defaults, changes, and one clear error for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from secinbox.session import Session
from secinbox.settings import Settings, SettingsError, load
from tests.conftest import CLOCK
from tests.test_inbox import asff, instance


def test_no_file_is_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path) == Settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [("signal_dayz = 3", "signal_days"), ("signal_days = 'x'", "int"), ("= 3", "secinbox.toml"),
     ("production_values = 'prod'", "tuple")],
)  # fmt: skip
def test_a_mistake_names_the_key_and_what_is_allowed(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "secinbox.toml").write_text(text)
    with pytest.raises(SettingsError) as error:
        load(tmp_path)
    assert said in str(error.value)


def test_production_words_and_rules_can_be_changed(tmp_path: Path) -> None:
    report = {"Findings": [asff("A.1", instance(1), tags={"env": "blue"})]}
    home = tmp_path / "home"
    with Session(home, CLOCK) as session:
        session.import_reports(("r/a.json",), data=json.dumps(report).encode())
        assert session.issues()["total"] == 0
    (home / "secinbox.toml").write_text('production_values = ["blue"]')
    with Session(home, CLOCK) as session:
        assert session.issues()["total"] == 1
    (home / "secinbox.toml").write_text(
        'production_values = ["blue"]\ndisabled_rules = ["misconfiguration_default_rule"]'
    )
    with Session(home, CLOCK) as session:
        assert session.issues()["total"] == 0
