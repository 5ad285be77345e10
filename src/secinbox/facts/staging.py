"""Records of one report as columns, ready to be merged: checked, counted, never half-written.

Small reports stay in memory; the findings of large ones are spilled to Arrow files, so that
memory does not grow with the report. Identity that needs no other report is computed here.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from msgspec.structs import astuple

from secinbox import records as r
from secinbox.cycles import unsought
from secinbox.reading import ReportError
from secinbox.versions import best_fix
from secinbox.vocabulary import FINDING_TYPES, MATURITIES, RELATIONS, SEVERITIES

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 10_000
SPILL_ROWS = 40_000
LONGEST_TEXT = 8_000  # characters kept of a description; the archive has the whole report

SEVERITY_RANK = {word: 5 - i for i, word in enumerate(SEVERITIES)}  # critical 5 ... unknown 0
MATURITY_RANK = {word: 3 - i for i, word in enumerate(MATURITIES)}  # active 3 ... none 0
_FINDING_TYPES = frozenset(FINDING_TYPES)

_FINDING_TYPES_OF = {
    "vulnerability_aliases": "l", "score": "d", "line": "i", "verified": "b",
    "default_branch": "b", "first_seen": "t",
}  # fmt: skip
# Tables, their columns and Arrow types ("s" text, "i" int32, "d" double, "b" bool, "t" time,
# "l" list of text).
TABLES: dict[str, dict[str, str]] = {
    "resources": {
        **dict.fromkeys(
            (
                "ref", "tool", "type", "name", "provider", "account", "region", "tags", "config",
                "states", "place",
            ),
            "s",
        ),
        "provisional": "b",
    },
    "aliases": {"name": "s", "uid": "s", "confidence": "d"},
    "relations": dict.fromkeys(("source", "kind", "target", "place"), "s"),
    # The fields of the record as they are, then what is derived of each.
    "findings": {
        **{f: _FINDING_TYPES_OF.get(f, "s") for f in r.Finding.__struct_fields__},
        "package_key": "s",
        "fix": "s",
        "fix_key": "s",
        "row": "i",
    },
    "signals": {
        **dict.fromkeys(
            (
                "id", "title", "severity_word", "description", "technique", "source_address",
                "tool", "place",
            ),
            "s",
        ),
        "time": "t",
        "severity": "i",
        "names": "l",
    },
    "exploits": {
        **dict.fromkeys(
            (
                "vulnerability", "feed", "id", "url", "date", "automatable", "technical_impact",
                "vector", "due",
            ),
            "s",
        ),
        "maturity": "i",
        "epss": "d",
        "percentile": "d",
        "score": "d",
        "ransomware": "b",
        "analysed": "b",
    },
    "vulnerability_aliases": {"a": "s", "b": "s"},
    "vex": {
        **dict.fromkeys(
            (
                "vulnerability", "product", "package", "version", "status", "justification", "text", "author", "tool",
                "place",
            ),
            "s",
        ),
        "time": "t",
        "within": "l",
    },
    "scopes": {"key": "s", "tool": "s", "types": "l", "pages": "b"},
    "components": dict.fromkeys(("resource", "purl", "name", "version"), "s"),
}  # fmt: skip


def _arrow_type(code: str) -> pa.DataType:
    import pyarrow as pa

    return {
        "s": pa.string(),
        "i": pa.int32(),
        "d": pa.float64(),
        "b": pa.bool_(),
        "t": pa.timestamp("us"),
        "l": pa.list_(pa.string()),
    }[code]


class Staged:
    """What one report says, in columns. Usable by another process: it holds data only."""

    def __init__(self, folder: Path | None = None) -> None:
        self.columns: dict[str, dict[str, list[Any]]] = {
            t: {c: [] for c in cols} for t, cols in TABLES.items() if t != "findings"
        }
        self.folder = folder
        self.batches: list[pa.RecordBatch] = []  # of findings
        self.files: list[str] = []
        self.counts: Counter[str] = Counter()
        self.skipped: list[dict[str, Any]] = []

    def rows(self, table: str) -> int:
        """Number of staged rows of a table, spilled ones included."""
        return self.counts[f"rows:{table}"]

    def table(self, name: str) -> pa.Table:
        """The rows of a table; those that were spilled are mapped, not read."""
        import pyarrow as pa

        types = TABLES[name]
        if name != "findings":
            return pa.table(
                {c: pa.array(v, _arrow_type(types[c])) for c, v in self.columns[name].items()}
            )
        parts = [pa.ipc.open_file(pa.memory_map(f)).read_all() for f in self.files]
        schema = pa.schema([(c, _arrow_type(t)) for c, t in types.items()])
        return pa.concat_tables([*parts, pa.Table.from_batches(self.batches, schema)])

    def join(self, other: Staged) -> None:
        """Takes in what another reader of the same report found."""
        self.files += other.files
        self.batches += other.batches
        for table, columns in self.columns.items():
            for name, values in columns.items():
                values += other.columns[table][name]
        self.counts.update(other.counts)
        self.skipped += other.skipped

    def spill(self) -> None:
        """Writes the findings in memory to a file of their own."""
        import pyarrow as pa

        if self.folder is None:
            self.folder = Path(tempfile.mkdtemp(prefix="secinbox-"))
        handle, path = tempfile.mkstemp(suffix=".arrow", dir=self.folder)
        os.close(handle)
        with pa.OSFile(path, "wb") as out, pa.ipc.new_file(out, self.batches[0].schema) as writer:
            for batch in self.batches:
                writer.write_batch(batch)
        self.files.append(path)
        self.batches.clear()


def _naive(time: datetime | None) -> datetime | None:
    # The store keeps UTC without a zone: one meaning, half the bytes.
    return time.replace(tzinfo=None) if time is not None else None


_DISTRO_PURLS = ("pkg:deb/", "pkg:rpm/", "pkg:apk/", "pkg:alpm/", "pkg:apkv/", "pkg:ebuild/")
_SURROGATES = re.compile("[\ud800-\udfff]")


def package_key(purl: str, package: str) -> str:
    """A package's name as every tool can give it: lower case, namespace with `/`.

    The type and, for distributions, the namespace are left out, because tools that give no purl
    give neither: `pkg:deb/debian/openssl@3.0` is `openssl`,
    `pkg:maven/org.apache.logging.log4j/log4j-core@2` and
    `org.apache.logging.log4j:log4j-core` are both `org.apache.logging.log4j/log4j-core`.
    """
    if purl.startswith("pkg:"):
        body = purl.partition("#")[0].partition("?")[0]
        kind_and_name = body[4:].lstrip("/")
        at = kind_and_name.rfind("@")
        if at > 0:
            kind_and_name = kind_and_name[:at]
        name = unquote(kind_and_name.partition("/")[2]).lower()
        if purl.startswith(_DISTRO_PURLS):
            name = name.rpartition("/")[2]
        if name:
            return name.replace("_", "-") if purl.startswith("pkg:pypi/") else name
    return package.strip().lower().replace(":", "/")


def stage(
    records: Iterable[r.AnyRecord],
    tool: str,
    *,
    spill: Path | None = None,
    first_row: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Staged:
    """All records of a report as columns. Raises ReportError for a record that breaks the rules.

    spill: a folder for what does not stay in memory. first_row: where the numbers of the findings
    begin, when several processes read parts of one report.
    """
    with unsought():
        return _staged(records, tool, Staged(spill), first_row, progress)


def _staged(
    records: Iterable[r.AnyRecord],
    tool: str,
    staged: Staged,
    first_row: int,
    progress: Callable[[int], None] | None,
) -> Staged:
    keys: dict[str, str] = {}
    aliases: set[tuple[str, str]] = set()
    rows: list[tuple[Any, ...]] = []
    fixes: dict[tuple[str, str], tuple[str, str]] = {}
    known_kinds: set[tuple[str, str]] = set()
    counts = staged.counts
    n = 0
    for record in records:
        if type(record) is r.Finding:
            # This loop is the price of every finding: raw fields in one go, the rest by look-up.
            purl = record.purl
            # All versions of a package share its key; what follows the last @ is not in it.
            cached = purl.partition("?")[0].rpartition("@")[0] or purl or record.package
            key = keys.get(cached)
            if key is None:
                key = keys[cached] = package_key(purl, record.package)
            pair = (record.version, record.fixed_version)
            fix = fixes.get(pair)
            if fix is None:
                fix = fixes[pair] = best_fix(*pair)
            if (record.type, record.severity) not in known_kinds:
                _check(record, known_kinds)
            if record.vulnerability_aliases:
                for other in record.vulnerability_aliases:
                    aliases.add((record.vulnerability, other))
            rows.append((*astuple(record), key, *fix, first_row + n))
            n += 1
            if n % BATCH_ROWS == 0:
                _transpose(rows, staged, tool)
                if n % SPILL_ROWS == 0:
                    staged.spill()
                if progress:
                    progress(n)
        else:
            _other(record, tool, staged)
    _transpose(rows, staged, tool)
    for a, b in sorted(aliases):
        _append(staged.columns["vulnerability_aliases"], a=a, b=b)
    counts["rows:findings"] = counts["findings"] = n
    for name in TABLES:
        if name != "findings":
            counts[f"rows:{name}"] += len(staged.columns[name][next(iter(TABLES[name]))])
    if staged.files and staged.batches:
        staged.spill()
    return staged


def _check(finding: r.Finding, known: set[tuple[str, str]]) -> None:
    if finding.type not in _FINDING_TYPES or finding.severity not in SEVERITY_RANK:
        raise ReportError(
            f"unknown finding type or severity: {finding.type} {finding.severity}", finding.place
        )
    known.add((finding.type, finding.severity))


def _transpose(rows: list[tuple[Any, ...]], staged: Staged, tool: str) -> None:
    if not rows:
        return
    import pyarrow as pa

    arrays = []
    types = TABLES["findings"]
    for name, values in zip(types, zip(*rows, strict=True), strict=True):
        kind = _arrow_type(types[name])
        column: Sequence[Any] = values
        if name == "vulnerability_aliases":
            arrays.append(pa.nulls(len(rows), kind))  # kept in a table of their own
            continue
        if name == "tool":
            column = [v or tool for v in values]
        elif name == "first_seen":
            column = [_naive(v) for v in values]
        elif name == "description":
            column = [v if len(v) <= LONGEST_TEXT else v[:LONGEST_TEXT] + " ..." for v in values]
        arrays.append(pa.array(column, kind))
    staged.batches.append(pa.record_batch(arrays, list(types)))
    rows.clear()


def _container(name: str) -> str:
    """A product that contains others; an image's purl by its digest, which every tool knows."""
    if name.startswith("pkg:oci/") and "@" in name:
        return "digest:" + _purl_version(name)
    return name


def _purl_version(purl: str) -> str:
    body = purl.partition("#")[0].partition("?")[0]
    return unquote(body.rpartition("@")[2]) if purl.startswith("pkg:") and "@" in body else ""


def _append(columns: dict[str, list[Any]], **values: Any) -> None:
    for name, column in columns.items():
        column.append(values[name])


def _other(record: r.AnyRecord, tool: str, staged: Staged) -> None:
    columns, counts = staged.columns, staged.counts
    match record:
        case r.Resource():
            counts["resources"] += 1
            _append(
                columns["resources"], ref=record.uid, tool=tool, type=record.type,
                name=record.name, provider=record.provider, account=record.account,
                region=record.region, tags=_object(record.tags), config=record.config,
                states=_object(record.states), place=record.place,
                provisional=record.provisional,
            )  # fmt: skip
            for alias in record.aliases:
                if alias.name and alias.name != record.uid:
                    _append(
                        columns["aliases"], name=alias.name, uid=record.uid,
                        confidence=alias.confidence,
                    )  # fmt: skip
        case r.Relation():
            if record.kind not in RELATIONS:
                raise ReportError(f"unknown relation: {record.kind}", record.place)
            _append(
                columns["relations"], source=record.source, kind=record.kind,
                target=record.target, place=record.place,
            )  # fmt: skip
        case r.Signal():
            counts["signals"] += 1
            _append(
                columns["signals"], id=record.id, title=record.title,
                severity_word=record.severity_word, description=record.description[:LONGEST_TEXT],
                technique=record.technique, source_address=record.source_address,
                tool=record.tool or tool, place=record.place, time=_naive(record.time),
                severity=SEVERITY_RANK[record.severity],
                names=sorted({n for n in record.resources if n}),
            )  # fmt: skip
        case r.Exploit():
            counts["exploits"] += 1
            _append(
                columns["exploits"], vulnerability=record.vulnerability, feed=record.feed,
                id=record.id, url=record.url, date=record.date, automatable=record.automatable,
                technical_impact=record.technical_impact, vector=record.vector, due=record.due,
                maturity=MATURITY_RANK[record.maturity], epss=record.epss,
                percentile=record.percentile, score=record.score, ransomware=record.ransomware,
                analysed=record.analysed,
            )  # fmt: skip
        case r.VulnerabilityAlias():
            _append(columns["vulnerability_aliases"], a=record.a, b=record.b)
        case r.Statement():
            counts["statements"] += 1
            for product in record.products or ("",):
                _append(
                    columns["vex"], vulnerability=record.vulnerability, product=product,
                    package=package_key(product, "") if product.startswith("pkg:") else "",
                    version=_purl_version(product),
                    status=record.status, justification=record.justification,
                    text=record.text[:LONGEST_TEXT], author=record.author,
                    tool=record.tool or tool, place=record.place, time=_naive(record.time),
                    within=[_container(name) for name in record.within],
                )  # fmt: skip
            for other in record.vulnerability_aliases:
                _append(columns["vulnerability_aliases"], a=record.vulnerability, b=other)
        case r.Scope():
            _append(
                columns["scopes"], key=record.key, tool=record.tool or tool,
                types=list(record.types), pages=record.pages,
            )  # fmt: skip
        case r.Passed():
            counts["passed"] += record.count
        case r.Skipped():
            counts["skipped"] += record.count
            counts["hiding"] += 0 if record.harmless else record.count
            if len(staged.skipped) < 50:
                staged.skipped.append(
                    {"reason": record.reason, "count": record.count, "place": record.place}
                )
        case r.Component():
            _append(
                columns["components"], resource=record.resource, purl=record.purl,
                name=record.name, version=record.version,
            )  # fmt: skip


def _object(value: dict[str, str]) -> str:
    if not value:
        return ""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return _SURROGATES.sub("�", text)
