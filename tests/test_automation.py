"""Rules: one schema, order, what each kind does, and what a rule would change before it is on."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from secinbox.api.app import create_app
from secinbox.decisions.rule import RuleMissing, read
from secinbox.decisions.states import DecisionError
from secinbox.session import Session
from tests.conftest import CLOCK, trivy, vulnerability
from tests.test_cli import run
from tests.test_inbox import asff, instance
from tests.test_triage import GOOD, by_rule, filled, ids  # noqa: F401 - the fixture


def rule(kind: str, name: str = "A rule", **more: Any) -> dict[str, Any]:
    extra: dict[str, dict[str, Any]] = {"mute": {"reason": "other"}}
    return {"kind": kind, "name": name, **extra.get(kind, {}), **more}


def apply(session: Session, *rules: dict[str, Any]) -> None:
    session.automation.apply(rules, "ann")


def test_severity_rules_come_first_and_the_first_wins(filled: Session) -> None:  # noqa: F811
    assert filled.issues("rule:A.3")["issues"][0]["severity"] == "critical"
    apply(filled,
          rule("severity", "One", id="one", query="rule:A.3", set="low"),
          rule("severity", "Two", id="two", query="team:payments", shift=-1),
          rule("mute", "Medium", id="medium", query="severity:medium"))  # fmt: skip
    # low and medium misconfigurations do not enter; they are told with the rule that did it
    assert filled.issues()["total"] == 0
    told = {f["rule"]: (f["severity"], f["severity_rule"], f["muted_by"])
            for f in filled.findings()["findings"]}  # fmt: skip
    assert told == {"A.1": ("medium", "two", "medium"), "A.2": ("medium", "two", "medium"),
                    "A.3": ("low", "one", None)}  # fmt: skip
    filled.automation.switch("two", False, "ann")
    assert {i["rule"] for i in filled.issues()["issues"]} == {"A.1", "A.2"}
    apply(filled, rule("severity", "Two", id="two", query="rule:A.1", shift=1))
    row = by_rule(filled, "A.1")
    assert (row["severity"], row["severity_rule"]) == ("critical", "two")


def test_inbox_rules_include_and_exclude_before_the_defaults(filled: Session) -> None:  # noqa: F811
    apply(filled, rule("inbox", "Not those", id="no", query="rule:A.2", action="exclude"),
          rule("inbox", "Payments", id="pay", types=["misconfiguration"], query="team:payments"))  # fmt: skip
    assert {(i["rule"], i["admitted_by"]) for i in filled.issues()["issues"]} == {
        ("A.1", "pay"), ("A.3", "pay")}  # fmt: skip
    (finding, *_) = filled.findings("rule:A.2")["findings"]
    assert finding["why_not"] == "rule no leaves it out"
    hits = {r["id"]: r["hits"] for r in filled.automation.listing()["rules"]}
    assert hits == {"no": 2, "pay": 2}
    filled.automation.switch("misconfiguration_default_rule", False, "ann")
    filled.automation.delete("pay", "ann")
    assert filled.issues()["total"] == 0
    filled.automation.switch("misconfiguration_default_rule", True, "ann")
    assert filled.issues()["total"] == 2


def test_due_dates_by_severity_by_fix_and_by_tier(session: Session, put: Any) -> None:
    tags = {"env": "prod"}
    put({"Findings": [asff("A.1", instance(1), tags=tags),
                      asff("A.2", instance(2), tags=tags, severity="CRITICAL")]})  # fmt: skip
    put(trivy(vulnerability()))
    apply(session, rule("due_date", "Days", id="days", types=["misconfiguration"],
                        days={"critical": 1, "high": 30}),
          rule("inbox", "All", query=""),
          rule("due_date", "Tiers", id="tiers", tiers="bod-26-04", since="fix_available"))  # fmt: skip
    rows = {i["type"] + i["severity"]: i for i in session.issues()["issues"]}
    critical, high = rows["misconfigurationcritical"], rows["misconfigurationhigh"]
    assert (critical["due"], critical["due_by"]) == ("2026-11-19", "days")
    assert high["due"] == "2026-12-18" and "overdue" in critical["flags"]
    image = rows["container_image_vulnerabilitycritical"]
    assert image["tier"] == 5 and image["due"] is None and image["due_by"] is None
    session.decide({"action": "due", "issues": [high["id"]], "due": "2027-01-01"})
    assert session.show(high["id"])["due_by"] == "decision"
    session.decide({"action": "due", "issues": [high["id"]], "due": ""})
    assert session.show(high["id"])["due_by"] == "days"
    assert session.findings("rule:A.1")["findings"][0]["due_by"] == "days"


def test_rules_end_by_the_clock(filled: Session, tmp_path: Path) -> None:  # noqa: F811
    apply(filled, rule("mute", query="rule:A.1", expires="2026-11-25"))
    assert by_rule(filled, "A.1", "status:muted")["muted_by"] == "a-rule"
    filled.close()
    with Session(tmp_path / "home", CLOCK + timedelta(days=6)) as later:
        assert by_rule(later, "A.1")["muted_by"] is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"kind": "mut", "name": "x"}, "allowed: severity, mute"),
        (rule("mute", reson="other"), "allowed: kind, name"),
        ({"kind": "mute", "name": "x"}, "reason"),
        (rule("mute", reason="tired"), "tired"),
        (rule("severity"), "set (critical"),
        (rule("severity", set="high", shift=1), "or shift"),
        (rule("due_date"), "days by severity or tiers"),
        (rule("due_date", days={"critical": -1}), "0 to 3650"),
        (rule("inbox", id="secret_default_rule"), "default rule"),
        (rule("inbox", id="No!"), "a-z"),
        (rule("inbox", expires="soon"), "2026-12-31"),
        (rule("inbox", types=["bug"]), "bug"),
        (rule("inbox", query="sevrity:high"), "severity"),
        (rule("inbox", query="admitted_by:x"), "admitted_by"),
        ("text", "a mapping"),
    ],
)
def test_a_wrong_rule_is_refused_with_what_is_allowed(
    session: Session, data: Any, said: str
) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - of two kinds
        session.automation.apply([data], "ann")
    assert said in str(error.value)
    assert session.automation.listing()["rules"] == []


def test_files_of_rules_work_as_they_are(filled: Session) -> None:  # noqa: F811
    folder = filled.home / "rules"
    folder.mkdir()
    (folder / "a.yaml").write_text(
        "- kind: mute\n  name: One\n  reason: other\n  query: 'rule:A.1'\n"
        "- {kind: severity, name: Shift, shift: -1, query: 'rule:A.3', enabled: true}\n"
    )
    assert filled.issues("rule:A.1")["total"] == 0
    assert by_rule(filled, "A.3")["severity"] == "high"
    with pytest.raises(DecisionError, match=r"kept in a\.yaml"):
        apply(filled, rule("mute", "One"))
    filled.automation.switch("one", False, "ann")
    assert filled.issues("rule:A.1")["total"] == 1
    (folder / "b.yaml").write_text("rules:\n- kind: mute\n  name: One\n  reason: other\n")
    with pytest.raises(DecisionError, match="has a rule with the id one too"):
        filled.issues()
    (folder / "b.yaml").write_text("- kind: mute\n  name: [\n")
    with pytest.raises(DecisionError, match=r"b\.yaml: not valid YAML"):
        filled.issues()


def test_what_a_rule_would_change_today_and_on_past_days(filled: Session) -> None:  # noqa: F811
    before, revision = filled.issues(), filled.decisions.revision()
    told = filled.automation.test([rule("mute", id="m", query="rule:A.2"),
                                   rule("severity", id="s", query="rule:A.1", set="low")], 25)  # fmt: skip
    today = told["today"]
    assert today["hits"] == {"m": 2, "s": 1} and today["findings"]["muted"] == 2
    assert today["findings"]["left_out"] == 1 and today["issues"]["leaving"] == 2
    assert any(f["after"]["muted_by"] == "m" for f in today["finding_sample"])
    assert len(told["days"]) == 25 and told["days"][0]["findings"]["muted"] == 2
    assert told["days"][-1]["hits"] == {"m": 0, "s": 0}  # first seen later than that
    assert filled.issues() == before and filled.decisions.revision() == revision
    filled.rank(everything=True)
    assert filled.issues() == before


def test_a_shift_does_not_leave_the_scale(filled: Session) -> None:  # noqa: F811
    apply(filled, rule("severity", query="rule:A.3", shift=1))
    row = by_rule(filled, "A.3")
    assert (row["severity"], row["severity_rule"]) == ("critical", "a-rule")


def test_rules_over_http(filled: Session) -> None:  # noqa: F811
    with TestClient(create_app(filled, "the-token")) as client:
        body = {"rules": [rule("mute", "M", query="rule:A.1")]}
        assert client.post("/api/v1/rules", json=body).status_code == 401
        assert client.post("/api/v1/rules", json=body, headers=GOOD).json() == {"rules": ["m"]}
        wrong = client.post("/api/v1/rules", json={"rules": [rule("mute", x=1)]}, headers=GOOD)
        assert wrong.status_code == 422 and "allowed" in wrong.json()["error"]["message"]
        tested = client.post("/api/v1/rules/test?days=2", json=body, headers=GOOD).json()
        assert tested["today"]["findings"]["muted"] == 0 and len(tested["days"]) == 2
        assert client.get("/api/v1/rules").json()["rules"][0]["created_by"]
        assert client.post("/api/v1/rules/m/disable", headers=GOOD).json()["enabled"] is False
        assert client.delete("/api/v1/rules/m", headers=GOOD).status_code == 200
        assert client.delete("/api/v1/rules/m", headers=GOOD).status_code == 404
    with pytest.raises(RuleMissing):
        filled.automation.delete("m", "ann")


def test_the_command_line_applies_and_tests(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "hub.json").write_text(json.dumps({"Findings": [asff("A.1", instance(1), tags={"env": "prod"})]}))  # fmt: skip
    (tmp_path / "r.yaml").write_text("- {kind: mute, name: M, reason: other, query: 'rule:A.1'}\n")
    assert run(home, "import", str(tmp_path / "hub.json")).returncode == 0
    test = run(home, "rules", "test", str(tmp_path / "r.yaml"), "--days", "1")
    assert test.returncode == 0 and b"1 muted" in test.stderr, test.stderr
    assert run(home, "rules", "apply", str(tmp_path / "r.yaml")).returncode == 0
    assert json.loads(run(home, "list", "--json").stdout)["total"] == 0
    assert run(home, "rules", "disable", "m").returncode == 0
    assert json.loads(run(home, "list", "--json").stdout)["total"] == 1
    assert run(home, "rules", "list").returncode == 0
    assert run(home, "rules", "disable", "nothing").returncode == 3
    (tmp_path / "r.yaml").write_text("- {kind: mute, nam: M}\n")
    wrong = run(home, "rules", "apply", str(tmp_path / "r.yaml"))
    assert wrong.returncode == 2 and b"r.yaml, rule 1" in wrong.stderr


def test_rules_read_the_same_from_what_they_show() -> None:
    from secinbox.decisions.rule import shown

    for data in (rule("severity", shift=-1), rule("mute", expires="2027-01-01"), rule("inbox"),
                 rule("due_date", days={"high": 3}), rule("ticket", project="SEC"),
                 rule("notification", webhook="https://hooks.test/x")):  # fmt: skip
        first = read(data)
        assert read(shown(first)) == first
