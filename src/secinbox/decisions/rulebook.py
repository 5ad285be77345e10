"""Where rules are kept: the decision store, and YAML files in `HOME/rules` that are read as they are.

Rules of files come first, in order of file name; they are changed by editing the file. Default
inbox rules and rules of files can be switched on and off.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
import sqlalchemy as sa

from secinbox.decisions.rule import KINDS, Rule, RuleMissing, kind, read, shown
from secinbox.decisions.states import DecisionError, stamp
from secinbox.decisions.store import DecisionStore
from secinbox.decisions.tables import RULES, SWITCHES, TIMELINE

MAX_FILE = 1024**2
SUBJECT = "automation:"  # of what is told about rules, before their ids


@dataclass(frozen=True)
class Kept:
    """A rule and where it comes from."""

    rule: Rule
    origin: str  # file name, or "store"
    created_at: str = ""
    created_by: str = ""
    modified_at: str = ""
    modified_by: str = ""
    version: int = 0


def read_file(path: Path) -> list[Rule]:
    """The rules of one YAML file: a list, or a mapping with the key `rules`.

    Raises DecisionError with file, rule and field.
    """
    from secinbox.reading import ReportError
    from secinbox.sources._yaml import load_yaml

    try:
        if path.stat().st_size > MAX_FILE:
            raise DecisionError(f"{path.name}: a file of rules is at most 1 MB")
        data = load_yaml(path.read_text("utf-8"), "a file of rules")
    except (ReportError, UnicodeDecodeError) as error:
        place = f" ({error.place})" if isinstance(error, ReportError) and error.place else ""
        raise DecisionError(f"{path.name}: {getattr(error, 'message', error)}{place}") from None
    if isinstance(data, dict) and set(data) == {"rules"}:
        data = data["rules"]
    if not isinstance(data, list):
        raise DecisionError(f"{path.name}: a list of rules, or a mapping with the one key rules")
    rules = [read(d, where=f"{path.name}, rule {n}") for n, d in enumerate(data, 1)]
    ids = [r.id for r in rules]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise DecisionError(f"{path.name}: more than one rule has the id {', '.join(twice)}")
    return rules


def files(home: Path) -> list[Path]:
    """The files of rules of a home."""
    folder = home / "rules"
    return sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]) if folder.is_dir() else []


class Rulebook:
    """All rules of a home, in order."""

    def __init__(self, home: Path, store: DecisionStore | None) -> None:
        self.home = home
        self.store = store

    def switches(self) -> dict[str, bool]:
        """Ids of rules that were switched, and how."""
        if self.store is None:
            return {}
        with self.store.engine.connect() as connection:
            rows = connection.execute(sa.select(SWITCHES.c.id, SWITCHES.c.enabled))
            return {row.id: row.enabled for row in rows}

    def all(self) -> list[Kept]:
        """Rules of files, then those of the store; in order within each kind."""
        kept: dict[str, Kept] = {}
        switched = self.switches()
        for path in files(self.home):
            for rule in read_file(path):
                if rule.id in kept:
                    raise DecisionError(
                        f"{path.name}: {kept[rule.id].origin} has a rule with the id {rule.id} too"
                    )
                on = switched.get(rule.id, rule.enabled)
                kept[rule.id] = Kept(msgspec.structs.replace(rule, enabled=on), path.name)
        if self.store is not None:
            wanted = sa.select(RULES).order_by(RULES.c.kind, RULES.c.position, RULES.c.id)
            with self.store.engine.connect() as connection:
                rows = connection.execute(wanted).mappings().all()
            for row in rows:
                if row["id"] not in kept:
                    told = {k: row[k] for k in ("created_at", "created_by", "modified_at",
                                                "modified_by", "version")}  # fmt: skip
                    kept[row["id"]] = Kept(read(json.loads(row["body"])), "store", **told)
        return sorted(kept.values(), key=lambda k: KINDS.index(kind(k.rule)))

    def one(self, identity: str) -> Kept:
        """Raises RuleMissing."""
        found = next((k for k in self.all() if k.rule.id == identity), None)
        if found is None:
            raise RuleMissing(f"no rule has the id {identity}")
        return found

    def _own(self) -> DecisionStore:
        assert self.store is not None
        return self.store

    def put(
        self, rules: Sequence[Rule], actor: str, now: datetime, *, create: bool = False,
        version: int | None = None,
    ) -> list[str]:  # fmt: skip
        """Stores these rules, each new one at the end of its kind; one transaction."""
        fixed = {k.rule.id: k.origin for k in self.all() if k.origin != "store"}
        with self._own().writing() as connection:
            for rule in rules:
                if rule.id in fixed:
                    raise DecisionError(
                        f"rule {rule.id} is kept in {fixed[rule.id]}: edit that file"
                    )
                row = connection.execute(
                    sa.select(RULES).where(RULES.c.id == rule.id).with_for_update()
                ).mappings().first()  # fmt: skip
                if row is not None and create:
                    raise DecisionError(f"there is a rule {rule.id} already")
                if row is not None and row["kind"] != kind(rule):
                    raise DecisionError(f"rule {rule.id} is of the kind {row['kind']}")
                if version is not None and row is not None and row["version"] != version:
                    raise DecisionError(f"rule {rule.id} was changed in between: version "
                                        f"{row['version']} now, not {version}")  # fmt: skip
                values = {"body": json.dumps(shown(rule)), "modified_at": stamp(now),
                          "modified_by": actor}  # fmt: skip
                if row is None:
                    last = connection.execute(
                        sa.select(sa.func.max(RULES.c.position)).where(RULES.c.kind == kind(rule))
                    ).scalar()
                    connection.execute(
                        RULES.insert().values(
                            id=rule.id, kind=kind(rule), position=(last or 0) + 1,
                            created_at=stamp(now), created_by=actor, **values,
                        )
                    )  # fmt: skip
                else:
                    connection.execute(
                        RULES.update().where(RULES.c.id == rule.id)
                        .values(version=row["version"] + 1, **values)
                    )  # fmt: skip
                self._tell(connection, rule.id, "rule-put", actor, now,
                           row["body"] if row is not None else "{}", values["body"])  # fmt: skip
        return [r.id for r in rules]

    def delete(self, identity: str, actor: str, now: datetime) -> None:
        """Raises RuleMissing, or DecisionError for a rule of a file."""
        kept = self.one(identity)
        if kept.origin != "store":
            raise DecisionError(f"rule {identity} is kept in {kept.origin}: edit that file")
        with self._own().writing() as connection:
            connection.execute(RULES.delete().where(RULES.c.id == identity))
            self._tell(connection, identity, "rule-delete", actor, now,
                       json.dumps(shown(kept.rule)), "{}")  # fmt: skip

    def reorder(self, what: str, ids: Sequence[str], actor: str, now: datetime) -> None:
        """The order of a kind: every id of it once. Raises DecisionError."""
        known = [k.rule.id for k in self.all() if kind(k.rule) == what and k.origin == "store"]
        if sorted(ids) != sorted(known):
            raise DecisionError(
                f"the order names every {what} rule once: {', '.join(known) or 'there is none'}"
            )
        with self._own().writing() as connection:
            for position, identity in enumerate(ids, 1):
                connection.execute(
                    RULES.update().where(RULES.c.id == identity).values(position=position)
                )
            self._tell(connection, what, "rules-reorder", actor, now, json.dumps(known),
                       json.dumps(list(ids)))  # fmt: skip

    def switch(self, identity: str, enabled: bool, actor: str, now: datetime) -> None:
        """Switches a rule on or off, default ones and those of files too."""
        kept = next((k for k in self.all() if k.rule.id == identity), None)
        if kept is not None and kept.origin == "store":
            if kept.rule.enabled != enabled:
                self.put([msgspec.structs.replace(kept.rule, enabled=enabled)], actor, now)
            return
        with self._own().writing() as connection:
            connection.execute(SWITCHES.delete().where(SWITCHES.c.id == identity))
            connection.execute(SWITCHES.insert().values(id=identity, enabled=enabled))
            self._tell(connection, identity, "rule-on" if enabled else "rule-off", actor, now,
                       "{}", "{}")  # fmt: skip

    @staticmethod
    def _tell(
        connection: sa.Connection, identity: str, action: str, actor: str, now: datetime,
        before: str, after: str,
    ) -> None:  # fmt: skip
        connection.execute(
            TIMELINE.insert().values(
                time=stamp(now), actor=actor, subject=SUBJECT + identity, action=action,
                version=0, before=json.dumps({}), after=json.dumps({}),
                text=f"{before} -> {after}"[:20_000],
            )
        )  # fmt: skip
