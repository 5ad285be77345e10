"""The story: import → resolve → assess → admit → rank. Every face goes through here."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from secinbox import attested, opening
from secinbox.connectors import UnknownFormat, named, recognise
from secinbox.facts import archive, merge
from secinbox.facts.incoming import Changes, Source
from secinbox.facts.staging import Staged, stage
from secinbox.facts.store import Facts
from secinbox.reading import Report, ReportError

PARALLEL_BYTES = 24 * 1024 * 1024  # below this a second process costs more than it brings
# One report between these sizes is read by two processes: each holds the whole text.
SHARED_BYTES = range(48 * 1024 * 1024, 400 * 1024 * 1024)
FIRST_SHARE = 0.6  # the second process has yet to open the file


@dataclass
class Prepared:
    """A report read and checked, not yet stored; or why it was not read."""

    place: opening.Place
    hash: str = ""
    format: str = ""
    inventory: bool = False
    size: int = 0
    observed: datetime | None = None
    released: str = ""
    staged: Staged | None = None
    error: ReportError | None = None
    known: bool = False
    options: dict[str, str] = field(default_factory=dict)


def now() -> datetime:
    """The clock, in UTC without a zone, as the stores keep it."""
    return datetime.now(UTC).replace(tzinfo=None)


def prepare(
    place: opening.Place,
    clock: datetime,
    options: Mapping[str, str],
    home: str,
    known: frozenset[tuple[str, str]],
    data: bytes | None = None,
    second: ProcessPoolExecutor | None = None,
) -> Prepared:
    """Reads one report. Runs in any process: it opens no store. Raises nothing.

    second: a process that may read a part of it.
    """
    prepared = Prepared(place, options=dict(options))
    spill: Path | None = None
    rest: Future[Staged] | None = None
    try:
        if data is None:
            data = opening.load(place)
        prepared.size = len(data)
        prepared.hash = archive.content_hash(data)
        if (prepared.hash, place.origin) in known:
            prepared.known = True
            return prepared
        forced = "generic" if options.get("mapping") else options.get("format", "")
        whole, data = data, attested.carried(data)
        found = named(forced) if forced else recognise(data, place.name)
        prepared.format = found.id
        prepared.inventory = found.room == "inventory"
        report = Report(data, place.name, place.parts, clock.replace(tzinfo=UTC), options)
        read_time = getattr(found.module, "observed", None)
        seen = read_time(report) if read_time else None
        if seen is not None:
            prepared.observed = min(seen.astimezone(UTC).replace(tzinfo=None), clock)
        dated = getattr(found.module, "dated", None)
        if found.room == "intel":
            prepared.released = (dated(report) if dated else "") or clock.date().isoformat()
        folder = Path(home) / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        spill = Path(tempfile.mkdtemp(prefix="stage-", dir=folder))
        if second and getattr(found.module, "SHARED", False):
            rest = second.submit(_other_part, prepared, clock, str(spill))
            report.share = (0.0, FIRST_SHARE)
        with ThreadPoolExecutor(1) as pool:  # compression lets the parser run beside it
            kept = pool.submit(archive.put, Path(home), prepared.hash, whole)
            staged = stage(found.connector.read(report), found.id, spill=spill)
            if rest:
                staged.join(rest.result())
            kept.result()
        prepared.staged = staged
    except BrokenProcessPool:
        prepared.error = _died()
    except ReportError as error:
        prepared.error = error
    except RecursionError:
        prepared.error = ReportError("nested too deeply", "$", "this is not a scanner's report")
    except MemoryError:
        prepared.error = ReportError("does not fit into memory", "$", "split the report")
    except Exception as error:
        # A fault of one connector must not keep the other files of the command out.
        prepared.error = ReportError(
            f"the {prepared.format or 'format'} connector failed: {type(error).__name__}: {error}",
            "$",
            "this is a fault of secinbox: please report it with the file, or a part of it",
        )
    if prepared.staged is None and spill is not None:
        if rest:
            wait([rest])
        shutil.rmtree(spill, ignore_errors=True)
    return prepared


def _other_part(prepared: Prepared, clock: datetime, spill: str) -> Staged:
    """The rest of the long arrays of a report, in another process."""
    data = opening.load(prepared.place)
    if archive.content_hash(data) != prepared.hash:
        raise ReportError("the file changed while it was read", "byte 0", "import it again")
    found = named(prepared.format)
    place, options = prepared.place, prepared.options
    data = attested.carried(data)
    report = Report(
        data, place.name, place.parts, clock.replace(tzinfo=UTC), options, (FIRST_SHARE, 1.0)
    )
    return stage(found.connector.read(report), found.id, spill=Path(spill), first_row=1 << 30)


def import_reports(
    facts: Facts,
    paths: tuple[str, ...],
    *,
    clock: datetime | None = None,
    options: Mapping[str, str] | None = None,
    data: bytes | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Imports files, folders or `-`; one transaction a report. Returns one entry a report.

    `data` is the content of the one path given (an upload). The inbox is not ranked here.
    """
    clock = clock or now()
    options = options or {}
    known = _known(facts)
    try:
        places = list(opening.find(paths)) if data is None else [opening.Place(paths[0])]
    except ReportError as error:
        return [_entry(Prepared(opening.Place(paths[0]), error=error))]
    results = []
    for done, prepared in enumerate(_prepared(facts.home, places, clock, options, known, data), 1):
        results.append(_store(facts, prepared, clock))
        if progress:
            progress(prepared.place.shown, done, len(places))
    return results


def _known(facts: Facts) -> frozenset[tuple[str, str]]:
    """Hashes of reports that need no second reading.

    A report without a date of its own, after which another version of the same file came, is
    read again: it may be the newer state.
    """
    return frozenset(
        (hash_, origin)
        for hash_, origin in facts.rows(
            """
            SELECT hash, source FROM imports i WHERE dated OR id = (
              SELECT max(id) FROM imports j WHERE j.source = i.source AND j.format = i.format)
            """
        )
    )


def _prepared(
    home: Path,
    places: list[opening.Place],
    clock: datetime,
    options: Mapping[str, str],
    known: frozenset[tuple[str, str]],
    data: bytes | None,
) -> Iterator[Prepared]:
    sizes = [Path(p.path).stat().st_size if p.path != "-" and data is None else 0 for p in places]
    if data is None and len(places) == 1 and sizes[0] in SHARED_BYTES:
        with _processes(1) as second:
            second.submit(_warm)  # starts while the file is opened
            yield prepare(places[0], clock, options, str(home), known, None, second)
        return
    if data is not None or len(places) < 2 or sum(sizes) < PARALLEL_BYTES:
        for place in places:
            yield prepare(place, clock, options, str(home), known, data)
        return
    with _processes(2) as pool:
        waiting: list[tuple[opening.Place, Future[Prepared]]] = []
        queue: Iterable[opening.Place] = iter(places)
        for place in queue:
            waiting.append((place, pool.submit(prepare, place, clock, options, str(home), known)))
            if len(waiting) >= 8:
                yield _outcome(*waiting.pop(0))
        for place, future in waiting:
            yield _outcome(place, future)


def _processes(number: int) -> ProcessPoolExecutor:
    import multiprocessing

    return ProcessPoolExecutor(number, mp_context=multiprocessing.get_context("spawn"))


def _warm() -> None:
    import pyarrow  # noqa: F401 - so that it is loaded when it is needed


def _outcome(place: opening.Place, future: Future[Prepared]) -> Prepared:
    try:
        return future.result()
    except BrokenProcessPool:
        return Prepared(place, error=_died())


def _died() -> ReportError:
    hint = "import this file alone; if it fails again it may be too large for this machine"
    return ReportError("the reading process died", "$", hint)


def _store(facts: Facts, prepared: Prepared, clock: datetime) -> dict[str, Any]:
    if prepared.error is not None or prepared.known:
        return _entry(prepared, facts)
    staged = prepared.staged
    assert staged is not None
    source = Source(
        hash=prepared.hash,
        name=prepared.place.name,
        origin=prepared.place.origin,
        format=prepared.format,
        observed=prepared.observed or clock,
        imported=clock,
        size=prepared.size,
        inventory=prepared.inventory,
        options=prepared.options,
        dated=prepared.observed is not None,
        released=prepared.released,
    )
    try:
        changes = merge.merge(facts, staged, source)
    finally:
        if staged.folder is not None:
            shutil.rmtree(staged.folder, ignore_errors=True)
    return _entry(prepared, facts, changes)


def _entry(
    prepared: Prepared, facts: Facts | None = None, changes: Changes | None = None
) -> dict[str, Any]:
    names = ("resources", "findings", "passed", "signals", "exploits")
    entry: dict[str, Any] = {
        "path": prepared.place.shown,
        "format": prepared.format or None,
        "status": "imported",
        "error": None,
        "records": dict.fromkeys(names, 0),
        "changes": merge.result(changes or Changes()),
        "skipped": [],
    }
    if prepared.error is not None:
        unknown = isinstance(prepared.error, UnknownFormat)
        entry["status"] = "skipped" if unknown and not prepared.place.explicit else "failed"
        entry["error"] = {
            "message": prepared.error.message,
            "place": prepared.error.place,
            "hint": prepared.error.hint,
        }
        if entry["status"] == "skipped":
            entry["skipped"] = [{"reason": prepared.error.message, "count": 1, "place": ""}]
    elif prepared.known and facts is not None:
        import json

        row = facts.rows(
            "SELECT format, resources, findings, passed, signals, exploits, skipped FROM imports "
            "WHERE hash = ? AND source = ? ORDER BY id DESC LIMIT 1",
            [prepared.hash, prepared.place.origin],
        )[0]
        entry["format"] = row[0]
        entry["records"] = dict(zip(names, row[1:6], strict=True))
        entry["skipped"] = json.loads(row[6])
        entry["changes"]["unchanged"] = row[2]
    elif prepared.staged is not None:
        entry["records"] = {n: prepared.staged.counts[n] for n in names}
        entry["skipped"] = prepared.staged.skipped
    return entry
