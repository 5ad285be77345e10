"""What should be said now: what the inbox shows, held against what was said.

Nothing here depends on having seen a change happen. A crash, a failed import or a server that was
off for a week loses nothing: the next look finds the same difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from secinbox.decisions.outbox import Entry, Outbox, key_of
from secinbox.decisions.rule import NotificationRule, Rule, TicketRule
from secinbox.decisions.states import DecisionError
from secinbox.decisions.store import DecisionStore
from secinbox.delivery.connections import Connection, Connections, module
from secinbox.delivery.ticket import Status, There, line
from secinbox.facts.store import Facts
from secinbox.inbox import answers
from secinbox.inbox.assessing import FINDING_ROWS
from secinbox.inbox.automation import condition
from secinbox.vocabulary import RISK_LABELS, RISKS

ISSUE, CASE = "issue:", "case:"
RESOURCES = 10  # named in a ticket
LISTED = 50  # issues of a digest
_LIVE = ("open", "in_progress")


@dataclass(frozen=True)
class CaseWanted:
    """Findings of an issue that a rule wants in a case of our own: a new one, or the one of the others."""

    rule: str
    issue: str
    title: str
    project: str
    assignee: str
    description: str
    findings: tuple[str, ...]
    case: str = ""  # the case that they join


@dataclass
class Plan:
    """entries: what to queue; cases: what to open or fill here; said: (rule, subject, text) that goes with them; dropped: subjects
    whose waiting entries are not wanted any more; faults: what keeps rules from working."""

    entries: list[Entry] = field(default_factory=list)
    cases: list[CaseWanted] = field(default_factory=list)
    said: list[tuple[str, str, str]] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    delayed: dict[str, int] = field(default_factory=dict)  # rule -> how many wait for another day


class Planner:
    """One look at a home."""

    def __init__(self, facts: Facts, outbox: Outbox, rules: Sequence[Rule],
                 connections: Connections, clock: datetime, now: datetime) -> None:  # fmt: skip
        self.facts = facts
        self.outbox = outbox
        self.rules = rules
        self.connections = connections
        self.clock = clock
        self.now = now
        self.plan = Plan()

    def look(self) -> Plan:
        """Everything that should be said now."""
        if not self.facts.value("SELECT count(*) FROM imports WHERE hash <> ''"):
            return self.plan  # nothing is known yet: that is no reason to close a ticket
        held = self.outbox.tickets()
        waiting = {e["subject"] for e in self.outbox.waiting(100_000) if e["kind"] == "ticket"}
        taken: set[str] = set()
        wanted: set[str] = set()
        for rule in self.rules:
            if isinstance(rule, TicketRule):
                self._tickets(rule, {t["subject"] for t in held}, waiting, taken, wanted)
            elif isinstance(rule, NotificationRule):
                self._messages(rule)
        self.plan.dropped = {s for s in waiting if s.startswith(ISSUE)} - wanted
        self._updates(held)
        return self.plan

    # -- tickets --------------------------------------------------------------------------

    def _tickets(self, rule: TicketRule, held: set[str], waiting: set[str], taken: set[str],
                 wanted: set[str]) -> None:  # fmt: skip
        try:
            connection = self._connection(rule)
        except DecisionError as error:
            self.plan.faults.append(f"rule {rule.id}: {error}")
            return
        if connection is None:
            self._own_cases(rule, taken)
            return
        rows = [r for r in self._matching(rule) if ISSUE + r["id"] not in taken]
        taken |= {ISSUE + r["id"] for r in rows}  # the first rule that matches has it
        wanted |= taken
        fresh = [r for r in rows if ISSUE + r["id"] not in held | waiting]
        left = max(rule.daily_limit - self.outbox.created(self.now, rule=rule.id), 0)
        if len(fresh) > left:
            self.plan.delayed[rule.id] = len(fresh) - left
        for row, body in self._described(fresh[:left]):
            body |= {"project": "" if rule.connection else rule.project, "fields": rule.fields,
                     "assignee": rule.assignee or row["assignee"]}  # fmt: skip
            subject = ISSUE + row["id"]
            # A ticket that was dropped may be wanted again on another day.
            key = key_of("ticket", connection.name, subject, self.now.date().isoformat())
            self.plan.entries.append(Entry(key, "ticket", connection.name, subject, body, rule.id))

    def _own_cases(self, rule: TicketRule, taken: set[str]) -> None:
        """A case here for each issue: it needs no other system, and is full at once."""
        from secinbox.decisions.cases import Cases

        rows = [r for r in self._matching(rule) if ISSUE + r["id"] not in taken]
        taken |= {ISSUE + r["id"] for r in rows}
        members: dict[str, list[str]] = defaultdict(list)
        for issue, finding in self.facts.rows(
            "SELECT issue, id FROM assessed WHERE admitted_by <> '' AND muted_by = '' "
            "AND issue IN (SELECT unnest(?)) ORDER BY 1, 2",
            [[r["id"] for r in rows]],
        ):
            members[issue].append(finding)
        book = Cases(self.outbox.store)
        held = book.of([f for found in members.values() for f in found])
        left = max(rule.daily_limit - book.created(f"rule:{rule.id}", self.now), 0)
        for row, body in self._described(rows):
            loose = tuple(f for f in members[row["id"]] if f not in held)
            if not loose:
                continue
            there = [held[f] for f in members[row["id"]] if f in held]
            case = min(there, key=lambda c: c["number"])["id"] if there else ""
            if not case and not left:
                self.plan.delayed[rule.id] = self.plan.delayed.get(rule.id, 0) + 1
                continue
            left -= not case
            told = "\n".join(f"{name}: {value}" for name, value in body["facts"])
            self.plan.cases.append(CaseWanted(
                rule.id, row["id"], body["title"], rule.project, rule.assignee or row["assignee"],
                told, loose, case))  # fmt: skip

    def _connection(self, rule: TicketRule) -> Connection | None:
        """Where the ticket is made; None for a case of our own."""
        if rule.connection:
            connection = self.connections.named(rule.connection)
        else:
            found = self.connections.of_system(rule.target)
            if found is None and rule.target == "case_management":
                return None
            if found is None:
                raise DecisionError(f"no connection of the system {rule.target}; name one")
            connection = found
        if not hasattr(module(connection.system), "create"):
            raise DecisionError(f"{connection.name} ({connection.system}) takes no tickets")
        return connection

    def _matching(self, rule: TicketRule | NotificationRule) -> list[dict[str, Any]]:
        """The live issues with a finding that matches, first things first."""
        found = condition(rule, self.clock)
        return self.facts.dicts(
            f"SELECT * FROM issues i WHERE i.status IN ('open', 'in_progress') AND i.id IN ("
            f"SELECT f.issue FROM {FINDING_ROWS} WHERE f.status = 'open' AND f.admitted_by <> '' "
            f"AND f.muted_by = '' AND {found.sql}) ORDER BY i.sort_key",
            [*found.parameters],
        )

    def _described(
        self, rows: Sequence[dict[str, Any]]
    ) -> Iterable[tuple[dict[str, Any], dict[str, Any]]]:
        """What is said of each issue."""
        members: dict[str, list[str]] = defaultdict(list)
        for issue, uid in self.facts.rows(
            "SELECT DISTINCT a.issue, coalesce(f.live, a.resource) FROM assessed a "
            "LEFT JOIN footprints f ON f.resource = a.resource "
            "WHERE a.admitted_by <> '' AND a.issue IN (SELECT unnest(?)) ORDER BY 1, 2",
            [[r["id"] for r in rows]],
        ):
            members[issue].append(uid)
        for row in rows:
            yield row, described(row, members[row["id"]], self.connections.link)

    def _updates(self, held: Sequence[dict[str, Any]]) -> None:
        """What changed here since both sides agreed."""
        if not held:
            return
        here = self._here([t["subject"] for t in held])
        pending = {(e["subject"], e["connection"])
                   for e in self.outbox.waiting(100_000) if e["kind"] == "update"}  # fmt: skip
        for ticket in held:
            connection = self.connections.all.get(ticket["connection"])
            if connection is None or (ticket["subject"], connection.name) in pending:
                continue
            now = here[ticket["subject"]]
            same_person = not connection.theirs(now.assignee) or now.assignee == ticket["assignee"]
            if now.status == ticket["status"] and same_person:
                continue
            entry = Entry(
                key_of("update", connection.name, ticket["subject"], ticket["created_at"],
                       str(ticket["updates"])),
                "update", connection.name, ticket["subject"],
                {"external": ticket["external"], "status": now.status, "assignee": now.assignee,
                 "before": ticket["status"]},
            )  # fmt: skip
            self.plan.entries.append(entry)

    def _here(self, subjects: Sequence[str]) -> dict[str, There]:
        ids = [s.removeprefix(ISSUE) for s in subjects if s.startswith(ISSUE)]
        rows = self.facts.dicts(
            "SELECT id, status, assignee FROM issues WHERE id IN (SELECT unnest(?))", [ids]
        )
        told = {ISSUE + r["id"]: standing(r) for r in rows}
        cases = [s.removeprefix(CASE) for s in subjects if s.startswith(CASE)]
        if cases:
            there = standing_cases(self.facts, self.outbox.store, cases)
            told |= {CASE + identity: here for identity, here in there.items()}
        return {s: told.get(s, There("closed")) for s in subjects}

    # -- notifications --------------------------------------------------------------------

    def _messages(self, rule: NotificationRule) -> None:
        target = rule.connection
        if target:
            try:
                connection = self.connections.named(target)
                if not hasattr(module(connection.system), "say"):
                    raise DecisionError(f"{target} ({connection.system}) takes no notifications")
            except DecisionError as error:
                self.plan.faults.append(f"rule {rule.id}: {error}")
                return
        rows = self._matching(rule)
        said = self.outbox.notified(rule.id)
        groups = self._by_owner(rows) if rule.per == "owner" else None
        if groups is None:
            wanted = {ISSUE + r["id"]: ([r], f"{r['severity']}:{r['risks']}") for r in rows}
        else:
            wanted = {f"owner:{owner}": (mine, _state(mine)) for owner, mine in groups.items()}
        left = max(rule.daily_limit - self.outbox.created(self.now, rule=rule.id), 0)
        today = self.now.date().isoformat()
        for subject, (mine, text) in wanted.items():
            before, when = said.get(subject, ("", ""))
            if rule.per == "issue" and before and not _worse(before, text):
                continue
            if rule.per == "owner" and (before == text or (before and when[:10] == today)):
                continue  # nothing changed, or the digest of today was sent
            if not left:
                self.plan.delayed[rule.id] = self.plan.delayed.get(rule.id, 0) + 1
                continue
            left -= 1
            # The same state may come back another day and is news then.
            key = key_of("message", rule.id, subject, text, before, when)
            self.plan.entries.append(
                Entry(key, "message", target, subject, self._message(rule, subject, mine), rule.id)
            )
            self.plan.said.append((rule.id, subject, text))
        # What is over may be news again.
        self.plan.said += [
            (rule.id, s, "") for s, (text, _) in said.items() if text and s not in wanted
        ]

    @staticmethod
    def _by_owner(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
        groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            groups[row["assignee"] or row["team"] or "nobody"].append(row)
        return groups

    def _message(
        self, rule: NotificationRule, subject: str, rows: list[dict[str, Any]]
    ) -> dict[str, Any]:
        link = self.connections.link
        issues = [described(r, [], link) for r in rows[:LISTED]]
        if subject.startswith("owner:"):
            owner = line(subject.removeprefix("owner:"), 100)
            title = f"{len(rows)} issue{'' if len(rows) == 1 else 's'} of {owner}"
        else:
            title = f"{issues[0]['severity']}: {issues[0]['title']}"
        lines = [f"{i['severity']}: {i['title']}" + (f" {i['link']}" if i["link"] else "")
                 for i in issues]  # fmt: skip
        if len(rows) > LISTED:
            lines.append(f"and {len(rows) - LISTED} more")
        return {"title": title, "text": "\n".join(lines), "rule": rule.id, "issues": issues,
                "webhook": rule.webhook}  # fmt: skip


def _state(rows: Sequence[dict[str, Any]]) -> str:
    return key_of(*sorted(f"{r['id']}:{r['severity']}:{r['risks']}" for r in rows))


def _worse(before: str, after: str) -> bool:
    old, new = ([int(n) for n in t.split(":")] for t in (before, after))
    return any(n > o for o, n in zip(old, new, strict=True))


def standing(row: Mapping[str, Any]) -> There:
    """How an issue stands, in the words of tickets."""
    status: Status = row["status"] if row["status"] in _LIVE else "closed"
    return There(status, row["assignee"])


def standing_cases(facts: Facts, store: DecisionStore, cases: Sequence[str]) -> dict[str, There]:
    """How these cases stand: open while a finding of it is, and nobody muted that."""
    from secinbox.decisions.cases import CaseMissing, Cases

    told: dict[str, There] = {}
    for identity in cases:
        try:
            case = Cases(store).one(identity)
        except CaseMissing:
            continue
        live = facts.value(
            f"SELECT count(*) FROM {FINDING_ROWS} WHERE f.status = 'open' AND f.muted_by = '' "
            "AND f.id IN (SELECT unnest(?))", [case["findings"]],
        )  # fmt: skip
        told[identity] = There("open" if live else "closed", case["assignee"])
    return told


def described(row: dict[str, Any], members: Sequence[str], link: str) -> dict[str, Any]:
    """An issue in plain data, for tickets and messages."""
    severity = answers.severity(row["severity"])
    risks = [RISK_LABELS[r] for r, c in zip(RISKS, answers.RISK_COLUMNS, strict=True)
             if row[c] == 1]  # fmt: skip
    facts = [("Severity", severity), ("Kind", row["type"].replace("_", " "))]
    facts += [("Detected risks", ", ".join(risks))] if risks else []
    facts += [("Findings", str(row["findings"])),
              ("Resources", str(row["impacted_resources"]))]  # fmt: skip
    facts += [(name, str(row[column])) for name, column in (
        ("Service", "service"), ("Package", "package"), ("Fixed in", "fix"),
        ("Vulnerability", "vulnerability"), ("Due", "due")) if row[column]]  # fmt: skip
    told = list(members[:RESOURCES])
    if len(members) > RESOURCES:
        told.append(f"and {len(members) - RESOURCES} more")
    return {
        "issue": row["id"], "title": line(row["title"], 300), "severity": severity,
        "risks": risks, "facts": facts, "resources": told,
        "link": f"{link}/issues/{row['id']}" if link else "",
    }  # fmt: skip
