"""Rules as SQL over findings: what each finding's severity, mute, due date and admission are.

Every rule of a kind is one branch of a CASE, so the first that matches wins and a million findings
are decided in one scan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from secinbox.decisions.rule import (
    DueDateRule,
    InboxRule,
    MuteRule,
    Rule,
    SeverityRule,
    severity_rank,
)
from secinbox.facts.store import Facts
from secinbox.inbox import deciding
from secinbox.inbox.fields import FINDING_FREE_TEXT, RULE_FIELDS
from secinbox.inbox.query import Compiled, compile_query
from secinbox.inbox.rules import DEFAULT_RULES
from secinbox.inbox.rules import InboxRule as Admission

# Days by tier of BOD 26-04; tier 5 waits for the next upgrade and has no date.
_TIER_DAYS = {1: 3, 2: 3, 3: 14, 4: 60}


@dataclass(frozen=True)
class Effects:
    """Expressions over a finding `f`; their parameters in the order in which ranking uses them."""

    severity: str
    severity_rule: str
    muted_by: str
    admitted_by: str
    due_rule: str
    due: str
    parameters: list[Any]


def condition(rule: Rule | Admission, clock: datetime) -> Compiled:
    """The findings that a rule is about. Raises QueryError."""
    compiled = compile_query(rule.query, RULE_FIELDS, FINDING_FREE_TEXT, clock)
    types = getattr(rule, "types", ())
    if not types:
        return compiled
    kinds = ", ".join(f"'{t}'" for t in types)  # words of a closed list
    return Compiled(f"(f.type IN ({kinds}) AND {compiled.sql})", compiled.parameters)


def compiled(
    rules: Sequence[Rule], facts: Facts, clock: datetime, disabled: Sequence[str]
) -> Effects:
    """The effects of these rules, in their order, and of the default inbox rules."""
    severities = [r for r in rules if isinstance(r, SeverityRule)]
    severity_rule, parameters = _first(severities, clock)
    override = deciding.overridden(facts)
    if override:  # a person's word is above the rules
        severity_rule = f"CASE WHEN {override} IS NOT NULL THEN 'decision' ELSE {severity_rule} END"
    decided, more = deciding.muted_by(facts, clock)
    muted, others = _first([r for r in rules if isinstance(r, MuteRule)], clock)
    parameters += [*more, *others]
    admitted, others = _first(
        [
            *(r for r in rules if isinstance(r, InboxRule)),
            *(r for r in DEFAULT_RULES if r.id not in disabled),
        ],
        clock,
    )
    parameters += others
    dues = [r for r in rules if isinstance(r, DueDateRule)]
    due_rule, others = _first(dues, clock)
    parameters += others
    return Effects(
        _severity(severities, override),
        severity_rule,
        muted if decided == "''" else f"coalesce(nullif({decided}, ''), {muted})",
        admitted,
        due_rule,
        _due(dues),
        parameters,
    )


def _first(rules: Sequence[Rule | Admission], clock: datetime) -> tuple[str, list[Any]]:
    """SQL: the id of the first rule that matches, '' for none (and for one that leaves out)."""
    cases: list[str] = []
    parameters: list[Any] = []
    for rule in rules:
        found = condition(rule, clock)
        outcome = "" if getattr(rule, "action", "") == "exclude" else rule.id
        cases.append(f"WHEN {found.sql} THEN '{outcome}'")  # ids are words, checked when read
        parameters += found.parameters
    return (f"CASE {' '.join(cases)} ELSE '' END" if cases else "''"), parameters


def _severity(rules: Sequence[SeverityRule], override: str) -> str:
    cases = [f"WHEN 'decision' THEN {override}"] if override else []
    for rule in rules:
        value = (
            str(severity_rank(rule.set))
            if rule.set
            # What nobody rated stays unrated; the scale ends at critical and at info.
            else f"CASE WHEN f.severity = 0 THEN 0 ELSE greatest(1, least(5, f.severity + ({rule.shift}))) END"
        )
        cases.append(f"WHEN '{rule.id}' THEN {value}")
    if not cases:
        return "f.severity"
    return f"(CASE f.severity_rule {' '.join(cases)} ELSE f.severity END)::TINYINT"


def _due(rules: Sequence[DueDateRule]) -> str:
    cases = []
    for rule in rules:
        if rule.tiers:
            days = " ".join(f"WHEN {t} THEN {d}" for t, d in _TIER_DAYS.items())
            span = f"CASE f.tier {days} END"
        else:
            days = " ".join(f"WHEN {severity_rank(s)} THEN {d}" for s, d in rule.days.items())
            span = f"CASE f.severity {days} END"
        start = "f.first_seen"
        if rule.since == "fix_available":
            start = (
                "coalesce((SELECT min(s.first_seen) FROM statements s WHERE s.finding = f.id "
                "AND s.fixed_version <> ''), f.first_seen)"
            )
        cases.append(
            f"WHEN '{rule.id}' THEN strftime({start} + to_days(({span})::INTEGER), '%Y-%m-%d')"
        )
    if not cases:
        return "''"
    return f"coalesce(CASE f.rule_due_by {' '.join(cases)} END, '')"
