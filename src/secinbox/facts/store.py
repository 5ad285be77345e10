"""The fact file: opening, owning, migrating; the archive of accepted reports beside it."""

from __future__ import annotations

import copy
import fcntl
import itertools
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TypeVar

import duckdb

from secinbox.facts.schema import ASSESSED, MIGRATIONS
from secinbox.fingerprint import fingerprint

# Rows that are compressed as one piece, by one core: the default (122,880) leaves the other cores
# without work on an import of usual size.
ROW_GROUP = 30_720
MOST_READERS = 8  # connections that are kept for reading
_CHANGES = itertools.count(1)
_META = "meta"
T = TypeVar("T")


class StoreError(Exception):
    """The home cannot be used: the message says why and what to do."""


class Facts:
    """One open fact store. Only one process has it at a time (`lock` file in the home).

    A second process waits, saying so on stderr, up to `patience` seconds.
    """

    def __init__(self, home: Path, *, patience: float = 600.0, memory: str = "") -> None:
        self.home = home
        self.kept: tuple[str, Any] | None = None  # the inventory in memory: facts/inventory.py
        # Another number after each write, never one twice in a process: what was read before a
        # number is as good as new while the number stands.
        self.changes = next(_CHANGES)
        # What a process keeps of the tables while a number stands, by who keeps it; views share it.
        self.resident: dict[Any, Any] = {}
        self._readers: list[duckdb.DuckDBPyConnection] = []  # at rest, for the next to read
        self.own = False  # a reader with tables of its own: nobody reads with it afterwards
        self.undecided = False  # inside a transaction: what is read may never have been
        self._told: dict[str, str] = {}  # settings that the transaction stored
        self._then: list[Callable[[int], None]] = []
        self._aside: set[threading.Thread] = set()
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = _own(home / "lock", patience)
        try:
            self.con = self._first = duckdb.connect()  # views have connections of their own
            file = (home / "facts.duckdb").as_posix().replace("'", "''")
            self.con.execute(f"ATTACH '{file}' AS facts (ROW_GROUP_SIZE {ROW_GROUP})")
            self.con.execute("USE facts")
            self.con.execute("SET enable_progress_bar=false")
            self.con.execute("SET preserve_insertion_order=false")
            self.con.execute("SET TimeZone='UTC'")
            if memory:
                self.con.execute(f"SET memory_limit='{memory}'")
            self.con.execute(f"SET temp_directory='{(home / 'tmp').as_posix()}'")
            self._migrate()
        except BaseException:
            self._lock.close()
            raise

    def _migrate(self) -> None:
        self.con.execute("CREATE TABLE IF NOT EXISTS meta (key VARCHAR PRIMARY KEY, value VARCHAR)")
        version = int(self.value("SELECT value FROM meta WHERE key = 'schema'") or 0)
        if version > len(MIGRATIONS):
            raise StoreError(
                f"{self.home} was written by a newer secinbox (schema {version}); "
                "upgrade secinbox or use another --home"
            )
        for number, sql in enumerate(MIGRATIONS[version:], version + 1):
            with self.transaction():
                self.con.execute(sql)
                self.con.execute("INSERT OR REPLACE INTO meta VALUES ('schema', ?)", [str(number)])

        # Computed tables are made again when their definition changes: nothing in them is precious.
        shape = fingerprint(ASSESSED)
        if self.meta("assessed") != shape:
            with self.transaction():
                for name in re.findall(r"EXISTS (\w+)", ASSESSED):
                    self.con.execute(f"DROP TABLE IF EXISTS {name}")
                self.con.execute(ASSESSED)
                self.con.execute("INSERT INTO dirty VALUES ('all', '')")
                self.set_meta("assessed", shape)

    @contextmanager
    def transaction(self, untouched: Collection[str] = ()) -> Iterator[None]:
        """All or nothing. A kill inside leaves the store as it was before.

        untouched: what `known` keeps and this change does not touch.
        """
        self.con.execute("BEGIN TRANSACTION")
        self.undecided = True
        try:
            yield
        except BaseException:
            self.con.execute("ROLLBACK")
            raise
        else:
            self.con.execute("COMMIT")
            number = next(_CHANGES)
            # Before the number is seen: who reads by it finds what is kept up to date already.
            for name in (*untouched, _META):
                since, value = self.resident.get(name, (0, None))
                if since == self.changes:
                    self.resident[name] = (number, value | self._told if name == _META else value)
            for tell in self._then:
                tell(number)
            self.changes = number
        finally:
            self.undecided = False
            self._told, self._then = {}, []

    def then(self, tell: Callable[[int], None]) -> None:
        """Once the transaction is committed, tells what is kept of the tables; with its number."""
        self._then.append(tell)

    def aside(self, work: Callable[[Facts], None]) -> None:
        """Reads in a thread of its own, for which `close` waits."""

        def run() -> None:
            try:
                with self.reader() as reader:
                    work(reader)
            finally:
                self._aside.discard(threading.current_thread())

        thread = threading.Thread(target=run, name="aside")
        self._aside.add(thread)
        thread.start()

    @contextmanager
    def reader(self) -> Iterator[Facts]:
        """A view of the committed state for one thread; it sees no half-done change."""
        view = copy.copy(self)
        view.undecided, view._told = False, {}
        try:
            view.con = self._readers.pop()
        except IndexError:
            view.con = self._first.cursor()
            view.con.execute("USE facts")
        view.own = False
        try:
            yield view
        except BaseException:
            view.con.close()
            raise
        if view.own or len(self._readers) >= MOST_READERS:
            view.con.close()
        else:
            self._readers.append(view.con)

    def rows(
        self, sql: str, parameters: list[Any] | dict[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.con.execute(sql, parameters or []).fetchall()

    def dicts(self, sql: str, parameters: list[Any] | None = None) -> list[dict[str, Any]]:
        """All rows of a query as dictionaries by column name."""
        cursor = self.con.execute(sql, parameters or [])
        names = [d[0] for d in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def value(self, sql: str, parameters: list[Any] | None = None) -> Any:
        """The first column of the first row, or None."""
        found = self.con.execute(sql, parameters or []).fetchall()
        return found[0][0] if found else None

    def known(self, name: str, read: Callable[[], T]) -> T:
        """What `read` says of the tables, asked once until something is written."""
        if self.undecided:
            return read()
        since, value = self.resident.get(name, (0, None))
        if since != self.changes:
            # The number first: what is read after it is at least as new.
            since, value = self.changes, read()
            self.resident[name] = (since, value)
        found: T = value
        return found

    def meta(self, key: str) -> str | None:
        """A stored setting of the store itself."""
        if key in self._told:
            return self._told[key]
        since, kept = self.resident.get(_META, (0, None))
        if since != self.changes:  # else it holds inside a change, too: only that tells others
            kept = self.known(_META, lambda: dict(self.rows("SELECT key, value FROM meta")))
        found: str | None = kept.get(key)
        return found

    def set_meta(self, key: str, value: str) -> None:
        """Stores a setting of the store itself."""
        if self.meta(key) is None:
            self.con.execute("INSERT INTO meta VALUES (?, ?)", [key, value])
        else:  # three times as fast as to replace the row
            self.con.execute("UPDATE meta SET value = ? WHERE key = ?", [value, key])
        if self.undecided:
            self._told[key] = value
        else:
            self.changes = next(_CHANGES)

    def close(self) -> None:
        """Writes everything down and lets the next process in."""
        for thread in list(self._aside):
            thread.join()
        while self._readers:
            self._readers.pop().close()
        self.con.close()
        self._lock.close()

    def __enter__(self) -> Facts:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _own(path: Path, patience: float) -> IO[str]:
    handle = open(path, "a+")  # noqa: SIM115 - the open handle is the lock
    deadline = time.monotonic() + patience
    told = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > deadline:
                handle.close()
                raise StoreError(
                    f"{path.parent} is in use by another secinbox process; "
                    "wait for it to finish, or talk to its server with --url"
                ) from None
            if not told:
                print("waiting: another secinbox is using this home ...", file=sys.stderr)
                told = True
            time.sleep(0.05)
        else:
            handle.seek(0)
            handle.truncate()
            handle.write(str(os.getpid()))
            handle.flush()
            return handle
