"""One home, opened: the verbs that every face offers, on this machine or through a server."""

from __future__ import annotations

import json
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from secinbox import pipeline, settings
from secinbox.administration import Administration
from secinbox.automating import Automation
from secinbox.facts.scope import ASKER, TYPES, narrow, whole
from secinbox.facts.store import Facts
from secinbox.inbox import (
    attack_paths,
    deciding,
    explaining,
    facets,
    findings,
    issues,
    resources,
    whatif,
)
from secinbox.inbox.query import QueryError, quoted
from secinbox.inbox.ranking import rank

if TYPE_CHECKING:
    from secinbox.decisions.accounts import Accounts
    from secinbox.decisions.teams import Teams
    from secinbox.delivery.desk import Delivery

Progress = Callable[[str, int, int], None]
# Answers that a process keeps until something is written, and the rows of the largest of them.
KEPT_ANSWERS, MOST_KEPT_ROWS = 256, 200
ME = "assignee:@me"
LONGEST_WAIT = 5.0  # seconds for what others decided, while something else changes


def user() -> str:
    """Who decides when nobody has signed in: the user of this machine."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "local"


def default_home() -> Path:
    """`SECINBOX_HOME`, else the user's data folder."""
    named = os.environ.get("SECINBOX_HOME")
    if named:
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "secinbox"


class Session:
    """The local session: it owns the home while it is open.

    Reads may come from several threads; changes are made one after the other.
    """

    def __init__(self, home: Path, clock: datetime | None = None) -> None:
        self.home = home
        self.settings = settings.load(home)
        self._clock = clock
        self.facts = Facts(home)
        self._pinned = self.facts.meta("pinned_clock")
        self._change = threading.RLock()
        # Decisions that were acknowledged, and how many of them the tables show: who reads waits
        # for the others.
        self._acknowledged = self._shown = 0
        self._long = 0  # changes under way that may take long
        self._counting = threading.Lock()  # of the three
        self._answering = threading.Lock()
        # More at once would only slow each other down, and whoever decides.
        self._computing = threading.Semaphore(os.cpu_count() or 2)
        self._answers: OrderedDict[tuple[Any, ...], Future[dict[str, Any]]] = OrderedDict()
        self._decisions: Any = None
        self._automation: Automation | None = None
        self._delivery: Delivery | None = None

    # -- time and state -------------------------------------------------------------------

    @property
    def clock(self) -> datetime:
        """The time as of which the inbox is computed (UTC, naive)."""
        if self._clock is not None:
            return self._clock
        # Kept here: any thread may ask, and the store's own connection is for who changes.
        return datetime.fromisoformat(self._pinned) if self._pinned else pipeline.now()

    def pin_clock(self, clock: datetime) -> None:
        """Stops the clock of this home (sample data must not age)."""
        with self._change:
            self._pinned = clock.isoformat()
            self.facts.set_meta("pinned_clock", self._pinned)

    @property
    def decisions(self) -> Any:
        """The decision store, made at first use."""
        if self._decisions is None:
            from secinbox.decisions.store import DecisionStore

            with self._change:  # two first requests at once make one store
                if self._decisions is None:
                    url = os.environ.get("SECINBOX_DATABASE", "")
                    self._decisions = DecisionStore(self.home, url)
        return self._decisions

    @property
    def has_decisions(self) -> bool:
        """Anything may have been decided here."""
        # The library of the decision store costs more than a whole `list`: only when it is used.
        return bool(
            os.environ.get("SECINBOX_DATABASE")
            or (self.home / "decisions.sqlite").exists()
            or self._decisions is not None
        )

    def _decided(self) -> deciding.Decided:
        if not self.has_decisions:
            return deciding.NOTHING
        store = self.decisions
        return deciding.Decided(
            store.revision(),
            lambda since: store.states(deciding.ISSUE, since=since),
            lambda: store.states("-" + deciding.ISSUE),
            store.next_wake,
        )

    @property
    def automation(self) -> Automation:
        """The rules of this home and what is done with them."""
        if self._automation is None:
            self._automation = Automation(self)
        return self._automation

    @property
    def accounts(self) -> Accounts:
        """Users, tokens and the audit log."""
        from secinbox.decisions.accounts import Accounts

        return Accounts(self.decisions)

    @property
    def teams(self) -> Teams:
        """Who works together."""
        from secinbox.decisions.teams import Teams

        return Teams(self.decisions)

    @property
    def administration(self) -> Administration:
        """Accounts and what is done with them."""
        return Administration(self)

    @property
    def delivery(self) -> Delivery:
        """Tickets and notifications."""
        if self._delivery is None:
            from secinbox.delivery.desk import Delivery

            self._delivery = Delivery(self)
        return self._delivery

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Held while something changes, perhaps for long: changes come one after the other."""
        with self._change:
            with self._counting:
                self._long += 1
            try:
                if self._owes():
                    self.rank()  # else whoever reads meanwhile would wait for all of it
                yield
            finally:
                with self._counting:
                    self._long -= 1

    def close(self) -> None:
        """Lets the next process in."""
        if self._decisions is not None:
            self._decisions.close()
        self.facts.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def reading(self) -> Iterator[Facts]:
        """The ranked tables, up to date."""
        self._catch_up()
        with self._view() as reader:
            yield reader

    def _catch_up(self) -> None:
        """Ranks what is new, unless somebody is changing something right now.

        Nobody waits for an import to read: until it is done, the inbox is what it was before. But
        what was decided and acknowledged is seen by all who read afterwards.
        """
        if self._change.acquire(timeout=LONGEST_WAIT if self._owes() else 0):
            try:
                self.rank()
            finally:
                self._change.release()

    def _owes(self) -> bool:
        """A decision was acknowledged that the tables do not show yet."""
        return self._acknowledged > self._shown

    def warm(self) -> None:
        """Gets ready what the first questions and decisions would wait for."""
        self.decisions.warm()
        with self.reading() as reader:
            issues.warm(reader, self.settings.profile)

    @contextmanager
    def _view(self) -> Iterator[Facts]:
        with self.facts.reader() as reader:
            if TYPES.get():
                narrow(reader, TYPES.get())
            yield reader

    def _answer(self, asked: tuple[Any, ...], answer: Callable[[Facts], dict[str, Any]]) -> Any:
        """What `answer` says of the ranked tables; the same until something is written.

        Equal questions at the same time are answered together. Kept answers are handed out to
        many: nobody changes them.
        """
        self._catch_up()
        # Read before the tables are: what is computed now is at least as new as this number.
        key = (self.facts.changes, TYPES.get(), *asked)
        with self._answering:
            kept = self._answers.get(key)
            if kept is None:
                own = self._answers[key] = Future()
                while len(self._answers) > KEPT_ANSWERS:
                    self._answers.popitem(last=False)
            else:
                self._answers.move_to_end(key)
        if kept is not None:  # perhaps still being computed for somebody else
            return kept.result()
        try:
            with self._computing, self._view() as reader:
                own.set_result(answer(reader))
        except BaseException as problem:
            with self._answering:
                self._answers.pop(key, None)
            own.set_exception(problem)
        return own.result()

    # -- changes --------------------------------------------------------------------------

    def import_reports(
        self,
        paths: tuple[str, ...],
        *,
        options: Mapping[str, str] | None = None,
        data: bytes | None = None,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Imports and ranks. Returns {"files": [...]}."""
        with self.changing():
            files = pipeline.import_reports(
                self.facts, paths, clock=self.clock, options=options, data=data, progress=progress
            )
            self.rank()
            return {"files": files}

    def rank(self, *, everything: bool = False) -> dict[str, Any]:
        """Brings the ranked table up to date; cheap when nothing changed."""
        with self._change:
            owed = self._acknowledged
            told = rank(
                self.facts,
                clock=self.clock,
                settings=self.automation.settings(),
                rules=self.automation.active(),
                decided=self._decided(),
                everything=everything,
            )
            self._shown = max(self._shown, owed)
            return told

    def decide(self, request: Mapping[str, Any], actor: str = "") -> dict[str, Any]:
        """A decision (see decisions.request.Request). Returns what came of it, item by item."""
        from secinbox.decisions.request import read
        from secinbox.triage import decide

        asked = read(dict(request))
        if asked.matching or asked.batch:
            whole("a decision on a query or a batch")
        with self.reading() as reader:
            told = decide(reader, self.decisions, asked, actor or user(), self.clock)
        if told["done"]:
            with self._counting:
                busy = self._long > 0
                if not busy:
                    self._acknowledged += 1  # whoever reads next brings it into the tables
            if busy:
                self.rank()  # it is seen when what is under way is done
        return told

    def rebuild(self, progress: Progress | None = None) -> dict[str, Any]:
        """All facts again, from the archive, in the order in which they came."""
        from secinbox.facts import archive
        from secinbox.facts.derived import computed_statements, restore

        with self.changing():
            rows = self.facts.rows(
                "SELECT hash, source, options, imported FROM imports WHERE hash <> '' ORDER BY id"
            )
            computed = computed_statements(self.facts)
            reports = [
                (archive.get(self.home, h), name, json.loads(options), when)
                for h, name, options, when in rows
            ]
            self.facts.close()
            old = self.home / "facts.duckdb"
            kept = self.home / "facts.before-rebuild.duckdb"
            os.replace(old, kept)
            self.facts = Facts(self.home)
            for number, (data, name, options, when) in enumerate(reports, 1):
                pipeline.import_reports(self.facts, (name,), clock=when, options=options, data=data)
                if progress:
                    progress(name, number, len(reports))
            if self._pinned:
                self.facts.set_meta("pinned_clock", self._pinned)
            kept.unlink()
            restore(self.facts, computed)
            self.rank(everything=True)
            return {"reports": len(reports)}

    # -- answers --------------------------------------------------------------------------

    def _own(self, query: str) -> str:
        """A query with `assignee:@me` as the one who asks and the teams that he is in."""
        if ME not in query:
            return query
        asker = ASKER.get() or user()
        names = [asker, asker.removeprefix("oidc:")]  # people are assigned to by their short name
        if self.has_decisions:
            names += [team for name in names for team in self.teams.of(name)]
        mine = " OR ".join(f"assignee:{quoted(name)}" for name in dict.fromkeys(names))
        return query.replace(ME, f"({mine})")

    def issues(self, query: str = "", **options: Any) -> dict[str, Any]:
        """See issues.issues."""
        query = self._own(query)
        options.setdefault("profile", self.settings.profile)
        if options.get("limit", 0) > MOST_KEPT_ROWS:
            with self.reading() as reader:
                return issues.issues(reader, query, **options)
        asked = ("issues", query, *sorted(options.items()))
        found: dict[str, Any] = self._answer(asked, lambda r: issues.issues(r, query, **options))
        return found

    def past(self, moment: datetime, query: str = "", *, limit: int = 50, cursor: str = "",
             profile: str = "") -> dict[str, Any]:  # fmt: skip
        """The inbox as of a past moment: see history.inbox. Raises QueryError for the future."""
        from secinbox.inbox import history

        whole("a past day")
        query = self._own(query)
        if moment > self.clock:
            raise QueryError(f"as_of is in the future: {moment.isoformat()}")
        with self.changing():
            self.rank()
            return history.inbox(
                self.facts, moment, self.decisions.states_at(moment) if self.has_decisions else [],
                query, settings=self.automation.settings(), rules=self.automation.active(),
                limit=limit, cursor=cursor, profile=profile or self.settings.profile,
            )  # fmt: skip

    def findings(self, query: str = "", **options: Any) -> dict[str, Any]:
        """See findings.findings."""
        options.setdefault("rules", self.automation.admissions())
        with self.reading() as reader:
            return findings.findings(reader, query, **options)

    def resources(self, query: str = "", **options: Any) -> dict[str, Any]:
        """See resources.resources."""
        with self.reading() as reader:
            return resources.resources(reader, query, **options)

    def show(self, name: str) -> dict[str, Any]:
        """One issue in full, with its timeline."""
        rules = self.automation.admissions()
        with self.reading() as reader:
            shown = explaining.show(reader, name, rules)
        shown["timeline"], shown["tickets"] = [], []
        if self.has_decisions:
            shown["tickets"] = self.delivery.of("issue:" + shown["id"])
            shown["tickets"] += self.delivery.cases([f["id"] for f in shown["details"]])
            from secinbox.triage import timeline

            shown["timeline"] = timeline(
                self.decisions, shown["id"], [f["id"] for f in shown["details"]]
            )
        return shown

    def why(self, name: str) -> dict[str, Any]:
        """Why an issue, finding or resource is where it is, or not in the inbox."""
        rules = self.automation.admissions()
        with self.reading() as reader:
            return explaining.why(reader, name, rules)

    def paths(self, **options: Any) -> dict[str, Any]:
        """See attack_paths.paths."""
        with self.reading() as reader:
            return attack_paths.paths(reader, **options)

    def path(self, name: str) -> dict[str, Any]:
        """See attack_paths.path."""
        with self.reading() as reader:
            return attack_paths.path(reader, name)

    def plan(self, *, limit: int = 50) -> dict[str, Any]:
        """See attack_paths.plan."""
        with self.reading() as reader:
            return attack_paths.plan(reader, limit)

    def what_if(self, names: list[str], *, limit: int = 20) -> dict[str, Any]:
        """The inbox and the paths as they would be with these issues or actions done.

        Nothing is stored. Returns {"done", "issues", "paths", "gone"}.
        """
        whole("what-if")
        with self.changing():
            self.rank()
            return whatif.what_if(
                self.facts, names, clock=self.clock, settings=self.automation.settings(),
                rules=self.automation.active(), limit=limit,
            )  # fmt: skip

    def exported(self, form: str, query: str = "") -> tuple[str, str]:
        """(media type, text): see exporting.export."""
        from secinbox.exporting import export

        query = self._own(query)
        rules = self.automation.admissions()
        with self.reading() as reader:
            return export(reader, form, query, self.clock, rules)

    def export(self, form: str, query: str = "") -> str:
        """The inbox in another format."""
        return self.exported(form, query)[1]

    def facets(self, query: str = "") -> dict[str, Any]:
        """Counts by severity, type, service, environment and risk of what a query finds."""
        query = self._own(query)
        found: dict[str, Any] = self._answer(("facets", query), lambda r: facets.facets(r, query))
        return found

    def groups(self, field: str, query: str = "") -> dict[str, Any]:
        """See groups.groups."""
        query = self._own(query)
        from secinbox.inbox.groups import groups

        with self.reading() as reader:
            return groups(reader, field, query)

    def report(self, weeks: int = 12) -> dict[str, Any]:
        """See reports.report."""
        from secinbox.inbox.reports import report

        with self.reading() as reader:
            return report(reader, self.clock, weeks)

    def doctor(self) -> dict[str, Any]:
        """The state of this home: stores, feeds, gaps, names that join nothing."""
        from secinbox.doctor import examine

        with self.reading() as reader:
            told = examine(reader, self.home, self.clock, self.settings)
        used = self.has_decisions or (self.home / "connections.yaml").exists()
        if used and not TYPES.get():
            from secinbox.doctor import deliveries

            told["checks"].append(deliveries(self.delivery))
        return told


def parse_clock(text: str) -> datetime:
    """`--as-of`: a date, a time, or an age like 7d. Raises ValueError."""
    if text.endswith("d") and text[:-1].isdigit():
        return pipeline.now() - timedelta(days=int(text[:-1]))
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment
