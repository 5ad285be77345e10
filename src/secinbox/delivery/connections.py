"""Where things are said: `connections.yaml` in the home. Secrets are named there, never written."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import msgspec

from secinbox.decisions.states import DecisionError
from secinbox.reading import ReportError
from secinbox.sources._yaml import load_yaml

NAME = "connections.yaml"
WEBHOOK_SECRET = "SECINBOX_WEBHOOK_SECRET"  # noqa: S105 - its name, not its value
_FOLDER = Path(__file__).parent / "systems"
_WORD = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Secret(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where a secret is: a variable of the environment, or a file."""

    env: str = ""
    file: str = ""

    def value(self, what: str) -> str:
        """Raises DecisionError when it is not there."""
        if self.env:
            found = os.environ.get(self.env, "")
        else:
            try:
                found = Path(self.file).read_text("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise DecisionError(f"{what}: cannot read {self.file}: {error}") from None
        if not found.strip():
            raise DecisionError(f"{what}: {self.env or self.file} is empty or not set")
        return found.strip()


class Connection(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One connected system. people: our names of assignees -> theirs."""

    name: str
    system: str
    url: str = ""
    project: str = ""
    user: str = ""
    secret: Secret | None = None
    webhook_secret: Secret | None = None
    daily_limit: int = 100
    poll_minutes: int = 10
    timeout: float = 20.0
    people: dict[str, str] = {}
    options: dict[str, str] = {}

    @property
    def token(self) -> str:
        """The secret. Raises DecisionError."""
        if self.secret is None:
            raise DecisionError(f"connection {self.name} names no secret")
        return self.secret.value(f"connection {self.name}")

    def option(self, name: str) -> str:
        """An option of the system, or its default."""
        defaults: dict[str, str] = module(self.system).OPTIONS
        return self.options.get(name, defaults[name])

    def theirs(self, person: str) -> str:
        """How the other system calls an assignee; '' if nobody said."""
        return self.people.get(person, "")

    def ours(self, person: str) -> str:
        """How an assignee of the other system is called here."""
        return next((k for k, v in self.people.items() if v == person), person)


@dataclass(frozen=True)
class Connections:
    """All of a home. link: the address at which people reach this inbox."""

    all: dict[str, Connection] = field(default_factory=dict)
    allow_hosts: tuple[str, ...] = ()
    link: str = ""

    def named(self, name: str) -> Connection:
        """Raises DecisionError."""
        found = self.all.get(name)
        if found is None:
            known = ", ".join(self.all) or "there is none"
            raise DecisionError(f"no connection is called {name!r}; in {NAME}: {known}")
        return found

    def of_system(self, system: str) -> Connection | None:
        """The first connection to a system."""
        return next((c for c in self.all.values() if c.system == system), None)


@cache
def systems() -> tuple[str, ...]:
    """The systems that can be connected: the files of the folder."""
    return tuple(sorted(p.stem for p in _FOLDER.glob("*.py") if not p.name.startswith("_")))


def module(system: str) -> ModuleType:
    """The code of a system."""
    return import_module(f"secinbox.delivery.systems.{system}")


msgspec.json.Decoder(Connection)  # see decisions/request.py: never first met by two threads at once


def load(home: Path) -> Connections:
    """The connections of a home. Raises DecisionError with what is wrong and what is allowed."""
    path = home / NAME
    if not path.exists():
        return Connections()
    try:
        data = load_yaml(path.read_text("utf-8"), "a file of connections")
    except (ReportError, OSError, UnicodeDecodeError) as error:
        place = f" ({error.place})" if isinstance(error, ReportError) and error.place else ""
        raise DecisionError(f"{NAME}: {getattr(error, 'message', error)}{place}") from None
    if not isinstance(data, dict) or set(data) - {"connections", "allow_hosts", "link"}:
        raise DecisionError(f"{NAME}: a mapping with connections, allow_hosts and link")
    found: dict[str, Connection] = {}
    listed = data.get("connections") or []
    if not isinstance(listed, list):
        raise DecisionError(f"{NAME}: connections is a list")
    for number, item in enumerate(listed, 1):
        connection = _read(item, f"{NAME}, connection {number}")
        if connection.name in found:
            raise DecisionError(f"{NAME}: two connections are called {connection.name}")
        found[connection.name] = connection
    hosts = data.get("allow_hosts") or []
    if not isinstance(hosts, list) or not all(isinstance(h, str) for h in hosts):
        raise DecisionError(f"{NAME}: allow_hosts is a list of hosts")
    return Connections(found, tuple(hosts), str(data.get("link") or "").rstrip("/"))


def _read(item: Any, where: str) -> Connection:
    try:
        connection = msgspec.convert(item, Connection, strict=False)
    except msgspec.ValidationError as error:
        more = f"; allowed: {', '.join(Connection.__struct_fields__)}"
        raise DecisionError(
            f"{where}: {error}{more if 'unknown field' in str(error) else ''}"
        ) from None
    if not _WORD.fullmatch(connection.name):
        raise DecisionError(f"{where}: name is made of a-z, 0-9, _ and -")
    if connection.system not in systems():
        raise DecisionError(f"{where}: system is one of: {', '.join(systems())}")
    code = module(connection.system)
    for secret in (connection.secret, connection.webhook_secret):
        if secret is not None and bool(secret.env) == bool(secret.file):
            raise DecisionError(f"{where}: a secret is named by env or by file")
    if code.ADDRESS and not connection.url:
        connection = msgspec.structs.replace(connection, url=code.ADDRESS)
    if connection.url:
        parts = urlsplit(connection.url)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.username:
            raise DecisionError(f"{where}: url is https://HOST, without name or password")
        connection = msgspec.structs.replace(connection, url=connection.url.rstrip("/"))
    missing = [n for n in code.NEEDS if not getattr(connection, n)]
    if missing:
        raise DecisionError(f"{where}: {connection.system} needs {', '.join(missing)}")
    unknown = sorted(set(connection.options) - set(code.OPTIONS))
    if unknown:
        allowed = ", ".join(code.OPTIONS) or "none"
        raise DecisionError(f"{where}: unknown options {', '.join(unknown)}; allowed: {allowed}")
    if not 1 <= connection.daily_limit <= 100_000 or not 1 <= connection.poll_minutes <= 10_080:
        raise DecisionError(f"{where}: daily_limit is from 1 to 100000, poll_minutes to 10080")
    if not 0.1 <= connection.timeout <= 120:
        raise DecisionError(f"{where}: timeout is from 0.1 to 120 seconds")
    return connection


def faults(connections: Connections) -> list[str]:
    """Secrets that are not there, or that everybody on this machine can read."""
    told = []
    for connection in connections.all.values():
        for secret in (connection.secret, connection.webhook_secret):
            if secret is None:
                continue
            try:
                secret.value(f"connection {connection.name}")
            except DecisionError as error:
                told.append(str(error))
                continue
            if secret.file and Path(secret.file).stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
                told.append(f"connection {connection.name}: everybody can read {secret.file}")
    return told
