"""Teams: who is in one, where that comes from, and what is `mine`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from secinbox.api.app import create_app
from secinbox.decisions.states import DecisionError
from secinbox.facts.scope import ASKER
from secinbox.inbox.answers import NotFound
from secinbox.session import Session
from tests.conftest import CLOCK
from tests.test_cli import run
from tests.test_inbox import asff, instance


@pytest.fixture
def filled(tmp_path: Path) -> Any:
    with Session(tmp_path / "home", CLOCK) as session:
        rows = [asff(f"R.{n}", instance(n), tags={"env": "prod"}) for n in range(4)]
        session.import_reports(("r/a.json",), data=json.dumps({"Findings": rows}).encode())
        yield session


def assigned(session: Session, *who: tuple[str, str]) -> list[str]:
    """Issues in order, the first ones assigned to these."""
    ids = [i["id"] for i in session.issues()["issues"]]
    for issue, (name, kind) in zip(ids, who, strict=False):
        asked = {"action": "assign", "issues": [issue], "assignee": name, "assignee_kind": kind}
        assert session.decide(asked)["done"]
    return ids


def mine(session: Session, asker: str, query: str = "assignee:@me") -> list[str]:
    token = ASKER.set(asker)
    try:
        found = [i["id"] for i in session.issues(query)["issues"]]
        counted = sum(e["count"] for e in session.facets(query)["severity"])
    finally:
        ASKER.reset(token)
    assert counted == len(found)
    return found


def test_mine_is_what_is_assigned_to_me_and_to_my_teams(filled: Session) -> None:
    ids = assigned(filled, ("ann", "person"), ("pay ments", "team"), ("bob", "person"))
    assert mine(filled, "ann") == ids[:1]
    filled.teams.write("pay ments", ["ann", "oidc:cleo"], "x")
    assert mine(filled, "ann") == ids[:2] and mine(filled, "bob") == [ids[2]]
    assert mine(filled, "oidc:cleo") == [ids[1]] and mine(filled, "cleo") == []
    assert mine(filled, "oidc:bob") == [ids[2]]  # assigned to by the short name
    assert mine(filled, "ann", "-assignee:@me") == ids[2:]
    assert mine(filled, "ann", "severity:high assignee:@me") == ids[:2]
    filled.administration.remove_team("pay ments")
    assert mine(filled, "ann") == ids[:1]
    assert mine(filled, 'x" OR severity:high') == []  # a name is a name


def test_teams_are_written_whole_and_checked(filled: Session) -> None:
    filled.teams.write("a", ["x", "y", "x"], "ann")
    assert filled.teams.all() == {"a": ["x", "y"]} and filled.teams.of("x") == ["a"]
    filled.teams.write("a", ["z"], "ann")
    assert filled.teams.all() == {"a": ["z"]} and filled.teams.of("x") == []
    for name, members in (("", ["x"]), ("a\n", ["x"]), ("a", []), ("a", [""]), ("b" * 101, ["x"])):
        with pytest.raises(DecisionError):
            filled.teams.write(name, members, "ann")
    assert filled.teams.all() == {"a": ["z"]}
    with pytest.raises(NotFound):
        filled.administration.remove_team("b")
    log = filled.administration.audit()["events"]
    assert [(e["actor"], e["action"], e["detail"]) for e in log] == [
        ("ann", "team-write", "z"), ("ann", "team-write", "x, y")]  # fmt: skip


def test_an_identity_provider_decides_on_its_teams_only(filled: Session) -> None:
    filled.teams.write("own", ["oidc:ann"], "x")
    filled.teams.place("oidc:ann", {"pay", "web"}, {"pay"})
    assert filled.teams.of("oidc:ann") == ["own", "pay"]
    filled.teams.place("oidc:ann", {"pay", "web"}, {"web"})
    assert filled.teams.of("oidc:ann") == ["own", "web"]
    filled.teams.place("oidc:ann", {"pay", "web"}, set())
    assert filled.teams.of("oidc:ann") == ["own"]


def test_teams_over_http_and_on_the_command_line(filled: Session, tmp_path: Path) -> None:
    with TestClient(create_app(filled, "t"), headers={"authorization": "Bearer t"}) as client:
        told = client.put("/api/v1/teams/pay", json={"members": ["ann"]})
        assert told.json() == {"name": "pay", "members": ["ann"]}
        assert client.get("/api/v1/teams").json() == {"teams": [told.json()]}
        assert client.put("/api/v1/teams/pay", json={"members": []}).status_code == 422
        assert client.delete("/api/v1/teams/pay").json() == {"removed": "pay"}
        assert client.delete("/api/v1/teams/pay").status_code == 404
    home = tmp_path / "other"
    assert run(home, "teams", "set", "pay", "ann", "bob").returncode == 0
    assert json.loads(run(home, "teams", "list", "--json").stdout) == {
        "teams": [{"name": "pay", "members": ["ann", "bob"]}]}  # fmt: skip
    assert run(home, "teams", "remove", "pay").returncode == 0
    assert run(home, "teams", "remove", "pay").returncode != 0


def test_the_list_page_leads_to_what_is_mine(filled: Session) -> None:
    from secinbox.session import user

    with TestClient(create_app(filled, "t")) as client:
        assert "assignee" not in client.get("/").text.split("<section", 2)[1]
        assigned(filled, (user(), "person"), (user(), "person"))
        page = client.get("/", headers={"authorization": "Bearer t"}).text
        assert 'href="/?q=assignee%3A%40me"><b>2</b> mine</a>' in page
        inside = client.get(
            "/", params={"q": "assignee:@me"}, headers={"authorization": "Bearer t"}
        )
        assert inside.text.count('class="title"') >= 2 or "2 issues" in inside.text
