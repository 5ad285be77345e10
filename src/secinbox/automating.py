"""The rules of a home at work: which are on now, how often they match, what one would change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from secinbox.decisions.rule import (
    InboxRule,
    NotificationRule,
    Rule,
    TicketRule,
    active,
    read,
    shown,
)
from secinbox.facts.scope import whole
from secinbox.inbox import answers, trying
from secinbox.inbox.assessing import FINDING_ROWS
from secinbox.inbox.automation import condition
from secinbox.inbox.rules import DEFAULT_RULES
from secinbox.inbox.rules import InboxRule as Admission
from secinbox.settings import Settings

if TYPE_CHECKING:
    from secinbox.decisions.rulebook import Kept, Rulebook
    from secinbox.facts.store import Facts


class Home(Protocol):
    """What rules need of an open home."""

    home: Path
    settings: Settings
    facts: Facts

    @property
    def clock(self) -> datetime: ...
    @property
    def decisions(self) -> Any: ...
    @property
    def has_decisions(self) -> bool: ...
    def changing(self) -> AbstractContextManager[Any]: ...
    def reading(self) -> AbstractContextManager[Facts]: ...
    def rank(self, *, everything: bool = False) -> dict[str, Any]: ...


class Automation:
    """What a session does with rules."""

    def __init__(self, session: Home) -> None:
        self.session = session
        self._seen: tuple[Any, ...] = ()
        self._kept: list[Kept] = []
        self._switched: dict[str, bool] = {}

    @property
    def book(self) -> Rulebook:
        """The rules where they are kept."""
        from secinbox.decisions.rulebook import Rulebook

        return Rulebook(self.session.home, self.session.decisions)

    def kept(self) -> list[Kept]:
        """All rules, read again when a file or the store changed."""
        folder = self.session.home / "rules"
        used = self.session.has_decisions
        if not used and not folder.is_dir():
            return []
        from secinbox.decisions.rulebook import SUBJECT, Rulebook, files

        stamps = tuple((p.name, (s := p.stat()).st_mtime_ns, s.st_size)
                       for p in files(self.session.home))  # fmt: skip
        seen = (self.session.decisions.revision(SUBJECT) if used else "", stamps)
        if seen != self._seen:
            book = Rulebook(self.session.home, self.session.decisions if used else None)
            kept = book.all()
            for entry in kept:
                condition(entry.rule, self.session.clock)  # a query that cannot be read is told now
            self._kept, self._switched, self._seen = kept, book.switches(), seen
        return self._kept

    def active(self) -> list[Rule]:
        """The rules that are on at the clock, in order."""
        clock = self.session.clock
        return [k.rule for k in self.kept() if active(k.rule, clock)]

    def settings(self) -> Settings:
        """The settings with the default rules that are switched off."""
        settings = self.session.settings
        self.kept()
        off = {i for i in settings.disabled_rules if self._switched.get(i) is not True}
        off |= {r.id for r in DEFAULT_RULES if self._switched.get(r.id) is False}
        if off == set(settings.disabled_rules):
            return settings
        return replace(settings, disabled_rules=tuple(sorted(off)))

    def admissions(self) -> list[Admission]:
        """The user's inbox rules as explanations name them."""
        return [admission(r) for r in self.active() if isinstance(r, InboxRule)]

    # -- verbs ----------------------------------------------------------------------------

    def listing(self) -> dict[str, Any]:
        """{"rules", "default_rules"} with how many open findings each decides now."""
        kept = self.kept()
        off = set(self.settings().disabled_rules)
        with self.session.reading() as facts:
            hits: Counter[str] = Counter()
            for column in ("admitted_by", "severity_rule", "muted_by", "rule_due_by"):
                hits.update(dict(facts.rows(
                    f"SELECT {column}, count(*) FROM assessed WHERE {column} <> '' GROUP BY 1")))  # fmt: skip
            for entry in kept:
                # What leaves out, or acts on issues, leaves no mark on a finding.
                rule = entry.rule
                quiet = isinstance(rule, (TicketRule, NotificationRule)) or (
                    isinstance(rule, InboxRule) and rule.action == "exclude"
                )
                if quiet and active(rule, self.session.clock):
                    found = condition(rule, self.session.clock)
                    hits[rule.id] = facts.value(
                        f"SELECT count(*) FROM {FINDING_ROWS} "
                        f"WHERE f.status = 'open' AND {found.sql}",
                        [*found.parameters],
                    )
        return {
            "rules": [self._told(k, hits[k.rule.id]) for k in kept],
            "default_rules": [
                {"kind": "inbox", "id": r.id, "name": r.name, "query": r.query, "action": r.action,
                 "enabled": r.id not in off, "origin": "default", "hits": hits[r.id]}
                for r in DEFAULT_RULES
            ],
        }  # fmt: skip

    def _told(self, kept: Kept, hits: int) -> dict[str, Any]:
        return {
            **shown(kept.rule), "origin": kept.origin, "hits": hits, "version": kept.version,
            "active": active(kept.rule, self.session.clock),
            "created_at": kept.created_at or None, "created_by": kept.created_by or None,
            "modified_at": kept.modified_at or None, "modified_by": kept.modified_by or None,
        }  # fmt: skip

    def checked(self, data: Sequence[Any]) -> list[Rule]:
        """Rules from plain data, with queries that can be read. Raises DecisionError, QueryError."""
        rules = [read(d, where=f"rule {n}") for n, d in enumerate(data, 1)]
        for rule in rules:
            condition(rule, self.session.clock)
        return rules

    def apply(self, data: Sequence[Any], actor: str, *, create: bool = False,
              version: int | None = None) -> dict[str, Any]:  # fmt: skip
        """Stores rules and ranks with them. Returns {"rules": ids}."""
        rules = self.checked(data)
        with self.session.changing():
            ids = self.book.put(rules, actor, self.session.clock, create=create, version=version)
            self.session.rank()
        return {"rules": ids}

    def delete(self, identity: str, actor: str) -> dict[str, Any]:
        """Removes a rule of the store."""
        with self.session.changing():
            self.book.delete(identity, actor, self.session.clock)
            self.session.rank()
        return {"deleted": identity}

    def reorder(self, what: str, ids: Sequence[str], actor: str) -> dict[str, Any]:
        """Gives the rules of a kind another order."""
        with self.session.changing():
            self.book.reorder(what, ids, actor, self.session.clock)
            self.session.rank()
        return {"kind": what, "order": list(ids)}

    def switch(self, identity: str, enabled: bool, actor: str) -> dict[str, Any]:
        """Switches any rule on or off. Raises NotFound."""
        known = {k.rule.id for k in self.kept()} | {r.id for r in DEFAULT_RULES}
        if identity not in known:
            raise answers.NotFound(f"no rule has the id {identity}")
        with self.session.changing():
            self.book.switch(identity, enabled, actor, self.session.clock)
            self.session.rank()
        return {"id": identity, "enabled": enabled}

    def test(self, data: Sequence[Any], days: int = 0) -> dict[str, Any]:
        """What these rules would change today and on each of the last days; nothing is stored."""
        whole("a test of rules")
        tried = self.checked(data)
        by_id = {r.id: r for r in tried}
        old = self.active()
        new = [by_id.pop(r.id, r) for r in (k.rule for k in self.kept())]
        new += by_id.values()
        new = [r for r in new if active(r, self.session.clock)]
        with self.session.changing():
            self.session.rank()
            return trying.compare(
                self.session.facts, old, new, [r.id for r in tried],
                clock=self.session.clock, settings=self.settings(), days=days,
            )  # fmt: skip


def admission(rule: InboxRule) -> Admission:
    """An inbox rule with its finding types in the query."""
    query = rule.query
    if rule.types:
        inner = f"({query})" if " OR " in query else query
        query = f"type:({' OR '.join(rule.types)}) {inner}".strip()
    return Admission(rule.id, rule.name, query, rule.action)


def from_file(path: Path) -> list[dict[str, Any]]:
    """The rules of a file as plain data."""
    from secinbox.decisions.rulebook import read_file

    return [shown(r) for r in read_file(path)]
