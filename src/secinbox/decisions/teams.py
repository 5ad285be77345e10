"""Teams and who is in them: what is assigned to a team is the work of each member.

A team may also be a name that only tags and catalogues know; then nobody is in it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from secinbox.decisions.accounts import Accounts
from secinbox.decisions.states import DecisionError
from secinbox.decisions.store import DecisionStore
from secinbox.decisions.tables import MEMBERS

MOST_MEMBERS = 1_000


def _named(text: str, what: str, longest: int) -> str:
    if not 1 <= len(text) <= longest or not text.isprintable() or text != text.strip():
        raise DecisionError(f"the name of a {what} has 1 to {longest} printable characters")
    return text


class Teams:
    """The teams of a decision store."""

    def __init__(self, store: DecisionStore) -> None:
        self.store = store

    def all(self) -> dict[str, list[str]]:
        """The members of each team, in order of their names."""
        found: dict[str, list[str]] = {}
        with self.store.engine.connect() as connection:
            for team, member in connection.execute(
                sa.select(MEMBERS.c.team, MEMBERS.c.member)
                .order_by(MEMBERS.c.team, MEMBERS.c.member)
            ):  # fmt: skip
                found.setdefault(team, []).append(member)
        return found

    def of(self, member: str) -> list[str]:
        """The teams that somebody is in."""
        wanted = sa.select(MEMBERS.c.team).where(MEMBERS.c.member == member)
        told: Sequence[str] = self.store.known(
            f"teams of {member}",
            lambda c: c.execute(wanted.order_by(MEMBERS.c.team)).scalars().all(),
        )
        return list(told)

    def write(self, team: str, members: Sequence[str], actor: str) -> list[str]:
        """The team has just these members from now on. Raises DecisionError."""
        _named(team, "team", 100)
        wanted = sorted({_named(m, "member", 300) for m in members})
        if not 1 <= len(wanted) <= MOST_MEMBERS:
            raise DecisionError(f"a team has 1 to {MOST_MEMBERS} members; to end it, remove it")
        with self.store.writing() as connection:
            connection.execute(MEMBERS.delete().where(MEMBERS.c.team == team))
            connection.execute(MEMBERS.insert(), [{"team": team, "member": m} for m in wanted])
            Accounts.note(connection, actor, "team-write", team, ", ".join(wanted))
        return wanted

    def remove(self, team: str, actor: str) -> None:
        """Raises LookupError."""
        with self.store.writing() as connection:
            if not connection.execute(MEMBERS.delete().where(MEMBERS.c.team == team)).rowcount:
                raise LookupError(f"no team is called {team}")
            Accounts.note(connection, actor, "team-remove", team, "")

    def place(self, member: str, among: Collection[str], now: Collection[str]) -> None:
        """Of the teams that an identity provider decides on, somebody is in these now."""
        before = set(self.of(member)) & set(among)
        if before == set(now):
            return
        with self.store.writing() as connection:
            connection.execute(
                MEMBERS.delete().where(MEMBERS.c.member == member, MEMBERS.c.team.in_(list(among)))
            )
            rows: list[dict[str, Any]] = [{"team": t, "member": member} for t in sorted(now)]
            if rows:
                connection.execute(MEMBERS.insert(), rows)
            Accounts.note(connection, member, "team-place", member, ", ".join(sorted(now)))
