"""Who may do what: users, tokens, sessions, one-time links, and the log of all of it.

Secrets are stored as hashes only: passwords by argon2, everything random by SHA-256.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import sqlalchemy as sa

from secinbox.decisions.states import DecisionError, stamp
from secinbox.decisions.store import DecisionStore, real_now
from secinbox.decisions.tables import AUDIT, LINKS, SESSIONS, TOKENS, USERS
from secinbox.vocabulary import FINDING_TYPES

Role = Literal["viewer", "triager", "admin"]
ROLES: tuple[str, ...] = get_args(Role)  # each may do what those before it may
MIN_PASSWORD = 12
MAX_PASSWORD = 1_000
ATTEMPTS = 5  # wrong passwords until an account rests
REST = timedelta(minutes=15)
SESSION = timedelta(days=7)
SESSION_ELSEWHERE = timedelta(hours=12)  # then the provider is asked again whether he still may
LINK = timedelta(days=2)
ELSEWHERE = "oidc:"  # before the names of who signed in at an identity provider


class SignInError(Exception):
    """Not signed in: wrong or locked; which of them is for the log, not for the caller."""


@dataclass(frozen=True)
class Principal:
    """Who asks. csrf: what a form of this session must carry; '' for tokens.

    types: the types of findings that he may see; none: all.
    """

    name: str
    role: str
    csrf: str = ""
    types: frozenset[str] = frozenset()

    def may(self, level: str) -> bool:
        """Whether the role is enough."""
        return ROLES.index(self.role) >= ROLES.index(level)


def now() -> datetime:
    """The real time: a pinned or past clock must not open what has expired."""
    return real_now()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def role_named(text: str) -> str:
    """Raises DecisionError."""
    if text not in ROLES:
        raise DecisionError(f"role is one of: {', '.join(ROLES)}")
    return text


def scope(types: Sequence[str], role: str) -> str:
    """Types of findings as stored. Raises DecisionError."""
    unknown = sorted(set(types) - set(FINDING_TYPES))
    if unknown:
        raise DecisionError(f"no type {unknown[0]!r}; types: {', '.join(FINDING_TYPES)}")
    if types and role == "admin":
        raise DecisionError("an administrator sees everything: no types")
    return ",".join(sorted(set(types)))


def _scope(stored: str) -> frozenset[str]:
    return frozenset(t for t in stored.split(",") if t)


def _name(text: str) -> str:
    if text.startswith(ELSEWHERE):
        raise DecisionError(f"names that begin with {ELSEWHERE} are of those who sign in elsewhere")
    if not 1 <= len(text) <= 100 or not text.isprintable() or text != text.strip():
        raise DecisionError("a name has 1 to 100 printable characters")
    return text


class Accounts:
    """The accounts of a decision store."""

    def __init__(self, store: DecisionStore) -> None:
        self.store = store

    def log(self, actor: str, action: str, target: str = "", detail: str = "") -> None:
        """One more line of the audit log; it is never changed."""
        with self.store.writing() as connection:
            self.note(connection, actor, action, target, detail)

    @staticmethod
    def note(connection: sa.Connection, actor: str, action: str, target: str, detail: str) -> None:
        """A line of the log inside the caller's transaction."""
        connection.execute(AUDIT.insert().values(
            time=stamp(now()), actor=actor[:200], action=action, target=target[:500],
            detail=detail[:2_000]))  # fmt: skip

    def audit(self, *, limit: int = 1_000, before: int = 0) -> list[dict[str, Any]]:
        """The newest lines of the log, or those before a line."""
        wanted = sa.select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
        if before:
            wanted = wanted.where(AUDIT.c.id < before)
        return self._rows(wanted)

    def _rows(self, wanted: sa.Select[Any]) -> list[dict[str, Any]]:
        with self.store.engine.connect() as connection:
            return [dict(row) for row in connection.execute(wanted).mappings()]

    # -- tokens ---------------------------------------------------------------------------

    def create_token(self, name: str, role: str, actor: str, expires: str = "",
                     types: Sequence[str] = ()) -> dict[str, Any]:  # fmt: skip
        """{"token", "id", "expires"}; the token is told this once."""
        token, identity = "sib_" + secrets.token_urlsafe(32), secrets.token_hex(6)
        role_named(role)
        if expires and expires <= stamp(now()):
            raise DecisionError(f"expires is in the past: {expires}")
        with self.store.writing() as connection:
            connection.execute(TOKENS.insert().values(
                id=identity, name=_name(name), role=role, types=scope(types, role), hash=_digest(token), expires=expires,
                created_at=stamp(now()), created_by=actor))  # fmt: skip
            self.note(connection, actor, "token-create", identity, f"{name} {role}")
        return {"token": token, "id": identity, "expires": expires or None}

    def tokens(self) -> list[dict[str, Any]]:
        """All tokens without their secrets."""
        columns = [c for c in TOKENS.c if c.name != "hash"]
        return self._rows(sa.select(*columns).order_by(TOKENS.c.created_at, TOKENS.c.id))

    def revoke_token(self, identity: str, actor: str) -> None:
        """Raises LookupError."""
        with self.store.writing() as connection:
            done = connection.execute(TOKENS.delete().where(TOKENS.c.id == identity)).rowcount
            if not done:
                raise LookupError(f"no token has the id {identity}")
            self.note(connection, actor, "token-revoke", identity, "")

    def by_token(self, token: str) -> Principal | None:
        """Whose token it is; None for an unknown or expired one."""
        time = stamp(now())
        with self.store.engine.connect() as connection:
            row = connection.execute(
                sa.select(TOKENS).where(TOKENS.c.hash == _digest(token))
            ).mappings().first()  # fmt: skip
        if row is None or (row["expires"] and row["expires"] <= time):
            return None
        if row["last_used"][:16] != time[:16]:  # to the minute: not a write a request
            with self.store.writing() as connection:
                connection.execute(
                    TOKENS.update().where(TOKENS.c.id == row["id"]).values(last_used=time)
                )
        return Principal(f"token:{row['name']}", row["role"], types=_scope(row["types"]))

    # -- users ----------------------------------------------------------------------------

    def any_user(self) -> bool:
        """Somebody can sign in, or was invited to."""
        any_row = sa.exists().select_from(USERS) | sa.exists().select_from(LINKS)
        return bool(self.store.known("any user", lambda c: c.execute(sa.select(any_row)).scalar()))

    def users(self) -> list[dict[str, Any]]:
        """All users without their secrets."""
        told = [USERS.c.name, USERS.c.role, USERS.c.types, USERS.c.created_at, USERS.c.locked_until]
        return self._rows(sa.select(*told).order_by(USERS.c.name))

    def invite(self, name: str, role: str, actor: str, types: Sequence[str] = ()) -> dict[str, Any]:
        """{"code", "expires"}: a link with this code sets the password, once."""
        code, expires = secrets.token_urlsafe(24), stamp(now() + LINK)
        role_named(role)
        with self.store.writing() as connection:
            connection.execute(LINKS.delete().where(LINKS.c.name == _name(name)))
            connection.execute(LINKS.insert().values(
                hash=_digest(code), name=name, role=role, types=scope(types, role), expires=expires))  # fmt: skip
            self.note(connection, actor, "user-invite", name, role)
        return {"code": code, "expires": expires}

    def accept(self, code: str, password: str) -> str:
        """Sets the password of whom a link is for; it works once. Raises SignInError."""
        hashed = self._hashed(password)
        with self.store.writing() as connection:
            row = connection.execute(
                sa.select(LINKS).where(LINKS.c.hash == _digest(code)).with_for_update()
            ).mappings().first()  # fmt: skip
            if row is None or row["expires"] <= stamp(now()):
                raise SignInError("this link was used or has expired")
            connection.execute(LINKS.delete().where(LINKS.c.name == row["name"]))
            connection.execute(USERS.delete().where(USERS.c.name == row["name"]))
            connection.execute(SESSIONS.delete().where(SESSIONS.c.name == row["name"]))
            connection.execute(USERS.insert().values(
                name=row["name"], role=row["role"], types=row["types"], password=hashed, created_at=stamp(now())))  # fmt: skip
            self.note(connection, row["name"], "user-password", row["name"], "by link")
            return str(row["name"])

    @staticmethod
    def _hashed(password: str) -> str:
        from argon2 import PasswordHasher

        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise DecisionError(f"a password has at least {MIN_PASSWORD} characters")
        return PasswordHasher().hash(password)

    def remove_user(self, name: str, actor: str) -> None:
        """Raises LookupError, or DecisionError for the last administrator."""
        with self.store.writing() as connection:
            rows = connection.execute(sa.select(USERS.c.name, USERS.c.role)).all()
            if name not in {r.name for r in rows}:
                raise LookupError(f"no user is called {name}")
            if len(rows) > 1 and {r.name for r in rows if r.role == "admin"} == {name}:
                raise DecisionError(f"{name} is the last administrator")
            connection.execute(SESSIONS.delete().where(SESSIONS.c.name == name))
            connection.execute(USERS.delete().where(USERS.c.name == name))
            self.note(connection, actor, "user-remove", name, "")

    # -- sessions -------------------------------------------------------------------------

    def sign_in(self, name: str, password: str, address: str) -> str:
        """The secret of a new session. Raises SignInError; each try is in the log."""
        from argon2 import PasswordHasher
        from argon2.exceptions import Argon2Error, InvalidHashError

        with self.store.engine.connect() as connection:
            row = connection.execute(
                sa.select(USERS).where(USERS.c.name == name)
            ).mappings().first()  # fmt: skip
        resting = row is not None and row["locked_until"] > stamp(now())
        hasher = PasswordHasher()
        try:
            # The same work for a name that does not exist: time tells nothing.
            hasher.verify(row["password"] if row else _NOBODY, password[:MAX_PASSWORD])
            right = row is not None and not resting
        except (Argon2Error, InvalidHashError):
            right = False
        with self.store.writing() as connection:
            if not right or row is None:
                self._failed(connection, row, resting, name, address)
        if not right or row is None:
            raise SignInError("name or password is wrong, or the account rests for a while")
        with self.store.writing() as connection:
            connection.execute(USERS.update().where(USERS.c.name == name).values(failures=0))
            return self._session(connection, name, address)

    def sign_in_elsewhere(self, name: str, role: str, types: Sequence[str], detail: str) -> str:
        """The secret of a session of somebody whom an identity provider knows."""
        role_named(role)
        held = scope(types, role)
        with self.store.writing() as connection:
            return self._session(connection, ELSEWHERE + name[:200], detail, role, held)

    def _session(self, connection: sa.Connection, name: str, detail: str, role: str = "",
                 types: str = "") -> str:  # fmt: skip
        secret = secrets.token_urlsafe(32)
        span = SESSION_ELSEWHERE if role else SESSION
        connection.execute(SESSIONS.delete().where(SESSIONS.c.expires <= stamp(now())))
        connection.execute(SESSIONS.insert().values(
            hash=_digest(secret), name=name, csrf=secrets.token_urlsafe(24), role=role, types=types,
            created_at=stamp(now()), expires=stamp(now() + span)))  # fmt: skip
        self.note(connection, name, "sign-in", name, detail)
        return secret

    def _failed(self, connection: sa.Connection, row: Any, resting: bool, name: str,
                address: str) -> None:  # fmt: skip
        detail = f"{address}{' (resting)' if resting else ''}"
        self.note(connection, "", "sign-in-failed", name, detail)
        if row is None or resting:
            return
        count = row["failures"] + 1
        values: dict[str, Any] = {"failures": USERS.c.failures + 1}
        if count >= ATTEMPTS:
            values = {"failures": 0, "locked_until": stamp(now() + REST)}
            self.note(connection, "", "account-rests", name, address)
        connection.execute(USERS.update().where(USERS.c.name == name).values(**values))

    def by_session(self, secret: str) -> Principal | None:
        """Who has signed in with this session."""
        wanted = (
            sa.select(SESSIONS.c.name, SESSIONS.c.csrf, USERS.c.role, USERS.c.types,
                      SESSIONS.c.role.label("given"), SESSIONS.c.types.label("given_types"))
            .outerjoin(USERS, USERS.c.name == SESSIONS.c.name)
            .where(SESSIONS.c.hash == _digest(secret), SESSIONS.c.expires > stamp(now()))
        )  # fmt: skip
        with self.store.engine.connect() as connection:
            row = connection.execute(wanted).first()
        if row is None or not (row.given or row.role):
            return None
        if row.given:
            return Principal(row.name, row.given, row.csrf, _scope(row.given_types))
        return Principal(row.name, row.role, row.csrf, _scope(row.types))

    def sign_out(self, secret: str) -> None:
        """Ends a session."""
        with self.store.writing() as connection:
            connection.execute(SESSIONS.delete().where(SESSIONS.c.hash == _digest(secret)))


# The hash of a password that nobody has.
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$c2VjaW5ib3gtbm9ib2R5MQ"
    "$YjNmNmM1ZTBhN2Q4NGQ1Y2JmOTgxYTJiM2M0ZDVlNmY"
)
