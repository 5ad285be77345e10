"""How a report is opened, recognised and refused: what every connector is given.

A connector is a module with `TITLE`, `recognise(head) -> int` and `read(report) -> records`.
`recognise` answers 0 (not mine) to 100 (certainly mine); the highest wins, a tie is an error of
the connectors and a test looks for it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from types import ModuleType
from typing import Any, Protocol, TypeVar, cast

import msgspec

from secinbox.records import AnyRecord

T = TypeVar("T")

HEAD_BYTES = 256 * 1024
MAX_DEPTH = 200  # deeper JSON is an attack, not a report


class ReportError(Exception):
    """A report that cannot be taken in: what is wrong, where, and what to do next."""

    def __init__(self, message: str, place: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.hint = hint


@dataclass(frozen=True)
class Head:
    """What can be said of a report without reading it whole.

    kind: `object`, `array`, `lines` (one JSON document a line), `xml`, `csv`, `yaml`, `text`,
    `parquet`, `binary` or `empty`. keys: top-level keys of the object, or of the first element / first line.
    first: the first element (array), the first line (lines) or, for an object, its small
    top-level values (strings, numbers and lists or objects that end inside the head).
    text: the first 256 KiB, decoded.
    """

    kind: str
    name: str
    keys: frozenset[str] = frozenset()
    first: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    columns: tuple[str, ...] = ()  # csv and parquet only

    def has(self, *keys: str) -> bool:
        """All these top-level keys are present."""
        return self.keys.issuperset(keys)


class Connector(Protocol):
    """The interface that a module of `sources`, `inventory` or `intel` has."""

    TITLE: str

    def recognise(self, head: Head) -> int: ...

    def read(self, report: Report) -> Iterable[AnyRecord]: ...


@dataclass
class Report:
    """One report, decompressed, with what the caller knows about it.

    name: the last two parts of its path (`app/gitleaks.json`): independent of where the folder
    lies, so that the same report names the same things everywhere. parts: all path parts below
    the folder that was given, for layouts that say account and region by folder.
    """

    data: bytes
    name: str = "stdin"
    parts: tuple[str, ...] = ()
    observed: datetime = field(default_factory=lambda: datetime.now(UTC))
    options: Mapping[str, str] = field(default_factory=dict)  # resource, cluster, service ...
    share: tuple[float, float] = (0.0, 1.0)  # of its long arrays, from where to where to read

    @property
    def leads(self) -> bool:
        """The first reader says what is said once; the others only read their `items`."""
        return self.share[0] == 0.0

    def items(
        self, raw: Sequence[msgspec.Raw], type: type[T], place: str
    ) -> Iterator[tuple[int, T]]:
        """(index, document) of this reader's share of an array that was left undecoded.

        A large array is decoded item by item: neither memory nor caches then hold it twice, and
        two processes can read a part of it each. Raises ReportError with the item's place.
        """
        begin, end = (int(len(raw) * part) for part in self.share)
        decoder = msgspec.json.Decoder(type, strict=False)
        for index in range(begin, end):
            try:
                item = decoder.decode(raw[index])
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                at = f"{place}[{index}]"
                try:
                    item = decode_json(bytes(raw[index]), type)
                except ReportError as error:
                    inside = error.place[1:] if error.place.startswith("$") else ""
                    raise ReportError(error.message, at + inside, error.hint) from None
            yield index, item

    @cached_property
    def text(self) -> str:
        """The report as text (UTF-8, UTF-8 with BOM, UTF-16 with BOM). Raises ReportError."""
        return decode_text(self.data)

    def json(self, type: type[T] | Any = Any) -> T:
        """The whole report as `type`. Raises ReportError with the JSON path that is wrong."""
        value: T = decode_json(self.data, type)
        return value

    def json_lines(self, type: type[T] | Any = Any) -> Iterator[tuple[int, T]]:
        """(line number from 1, document) of each line that is not blank."""
        for number, line in enumerate(_utf8(self.data).splitlines(), 1):
            if line.strip():
                try:
                    yield number, decode_json(line, type)
                except ReportError as error:
                    raise ReportError(
                        error.message, f"line {number} {error.place}".rstrip(), error.hint
                    ) from None

    def documents(self, type: type[T] | Any = Any) -> Iterator[tuple[str, T]]:
        """(place, document) of a JSON array, of JSON lines, or of one JSON object."""
        start = _utf8(self.data).lstrip()[:1]
        if start == b"[":
            items: list[T] = self.json(list[type])  # type: ignore[valid-type]
            for index, item in enumerate(items):
                yield f"$[{index}]", item
            return
        try:
            single: T = self.json(type)
        except ReportError as error:
            lines = _utf8(self.data).split(b"\n", 2)
            if len(lines) < 2 or not lines[0].rstrip().endswith(b"}"):
                raise
            try:  # is the first line a document of its own?
                decode_json(lines[0], Any)
            except ReportError:
                raise error from None
        else:
            yield "$", single
            return
        for number, item in self.json_lines(type):
            yield f"line {number}", item

    @property
    def unnamed(self) -> str:
        """uid of the target when the report does not say what was scanned."""
        return self.options.get("resource") or f"unnamed:{self.name}"


def decode_json(data: bytes | str, type: Any = Any) -> Any:
    """Typed JSON with errors that say where. Raises ReportError."""
    body = _utf8(data) if isinstance(data, bytes) else data
    if not body.strip():
        raise ReportError("the report is empty", "byte 0", "run the scanner again")
    try:
        return msgspec.json.decode(body, type=type, strict=False)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `")
        raise ReportError(
            f"wrong shape: {message}", place.rstrip("`") or "$", "is it the tool's JSON output?"
        ) from None
    except msgspec.DecodeError as error:
        raise _locate(body, str(error)) from None
    except UnicodeDecodeError as error:
        raise ReportError(
            f"not valid UTF-8: {error.reason}", f"byte {error.start}", "save the report as UTF-8"
        ) from None
    except RecursionError:
        raise ReportError("nested too deeply", "$", "this is not a scanner's report") from None


def decode_text(data: bytes) -> str:
    """Bytes as text; UTF-8 (with or without BOM) or UTF-16 with BOM. Raises ReportError."""
    try:
        return _utf8(data).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReportError(
            f"not valid UTF-8: {error.reason}", f"byte {error.start}", "save the report as UTF-8"
        ) from None


def _utf8(data: bytes) -> bytes:
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:]
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise ReportError(
                f"not valid UTF-16: {error.reason}", f"byte {error.start}", "save it as UTF-8"
            ) from None
    return data


def _locate(body: bytes | str, message: str) -> ReportError:
    import json

    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    if "truncated" in message:
        line = text.count("\n") + 1
        return ReportError(
            "the report ends in the middle (truncated JSON)",
            f"line {line}, byte {len(body)}",
            "run the scanner again and check that it finished writing",
        )
    found = re.search(r"byte (\d+)", message)
    place = f"byte {found.group(1)}" if found else "$"
    if len(text) < 64_000_000:
        try:
            json.loads(text)
        except json.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}"
        except RecursionError:
            return ReportError("nested too deeply", place, "this is not a scanner's report")
    return ReportError(f"not valid JSON: {message}", place, "is it the tool's JSON output?")


def _parquet_columns(data: bytes) -> tuple[str, ...]:
    import pyarrow as pa  # only where there is such a file: it is large
    import pyarrow.parquet as pq

    try:
        return tuple(pq.read_schema(pa.BufferReader(data)).names)
    except (pa.ArrowException, OSError):
        return ()


_KEY = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:')


def head_of(data: bytes, name: str = "stdin") -> Head:
    """Looks at the first 256 KiB. Never raises: what cannot be read is `binary` or `text`."""
    raw = data[:HEAD_BYTES]
    if not raw.strip():
        return Head("empty", name)
    if raw[:4] == b"PAR1":
        return Head("parquet", name, columns=_parquet_columns(data))
    try:
        raw = _utf8(raw if raw[:2] not in (b"\xff\xfe", b"\xfe\xff") else data)[:HEAD_BYTES]
    except ReportError:
        return Head("binary", name)
    if b"\0" in raw[:4096]:
        return Head("binary", name)
    text = raw.decode("utf-8", "replace").lstrip()
    start = text[:1]
    if start == "{":
        first_line, newline, rest = text.partition("\n")
        if newline and rest.lstrip()[:1] == "{":
            document = _object(first_line)
            if document is not None:
                return Head("lines", name, frozenset(document), document, text)
        keys, values = _scan_object(text)
        complete = len(data) <= HEAD_BYTES
        if not complete and len(data) < 64 * 1024 * 1024:
            # A distinguishing key may stand behind a long value: read the keys, skip the values.
            with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
                keys |= set(msgspec.json.decode(data, type=dict[str, msgspec.Raw]))
        return Head("object", name, frozenset(keys), values, text)
    if start == "[":
        inner = text[1:].lstrip()
        if inner[:1] == "{":
            keys, values = _scan_object(inner)
            return Head("array", name, frozenset(keys), values, text)
        return Head("array", name, text=text)
    if start == "<":
        return Head("xml", name, text=text)
    line = text.split("\n", 1)[0].rstrip("\r")
    for separator in (",", ";", "\t"):
        if line.count(separator) >= 2 and not line.startswith(("#", "---", "--")):
            columns = tuple(c.strip().strip('"').lower() for c in line.split(separator))
            return Head("csv", name, text=text, columns=columns)
    if re.match(r"(---|#|[A-Za-z_][\w-]*:)", text):
        return Head("yaml", name, text=text)
    return Head("text", name, text=text)


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _scan_object(text: str) -> tuple[set[str], dict[str, Any]]:
    """Keys at depth one of the object that `text` begins with, and the values that end in it."""
    whole = _object(text)
    if whole is not None:
        return set(whole), whole
    keys: set[str] = set()
    values: dict[str, Any] = {}
    position, size = 1, len(text)
    while position < size:
        found = _KEY.match(text, position + _spaces(text, position))
        if not found:
            break
        key = found.group(1)
        keys.add(key)
        begin = found.end() + _spaces(text, found.end())
        end = _value_end(text, begin)
        if end is None:
            break
        try:
            values[key] = msgspec.json.decode(text[begin:end])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            break
        position = end + _spaces(text, end)
        if text[position : position + 1] != ",":
            break
        position += 1
    return keys, values


def _spaces(text: str, position: int) -> int:
    start = position
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position - start


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SCALAR = re.compile(r"[^,}\]\s]+")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]')


def _value_end(text: str, begin: int) -> int | None:
    char = text[begin : begin + 1]
    if char == '"':
        found = _STRING.match(text, begin)
        return found.end() if found else None
    if char in ("{", "["):
        depth = 0
        for token in _TOKEN.finditer(text, begin):
            mark = token.group()
            if mark in "{[":
                depth += 1
            elif mark in "}]":
                depth -= 1
                if depth == 0:
                    return token.end()
        return None
    found = _SCALAR.match(text, begin)
    return found.end() if found and found.end() < len(text) else None


def parse_time(value: object) -> datetime | None:
    """An ISO 8601 text, or epoch seconds or milliseconds, as an aware UTC time; else None."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, bool) or value is None or value == "":
        return None
    if isinstance(value, (int, float)):
        seconds = float(value)
        if seconds > 1e14:
            seconds /= 1e6
        elif seconds > 1e11:
            seconds /= 1e3
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, ValueError, OSError):
            return None
    if not isinstance(value, str):
        return None
    text = value.strip()
    match = re.match(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(\.\d+)?\s*(Z|UTC|[+-]\d\d:?\d\d)?", text)
    try:
        if match:
            fraction = (match.group(2) or "")[:7]
            zone = match.group(3) or "+00:00"
            zone = "+00:00" if zone in ("Z", "UTC") else zone
            return datetime.fromisoformat(match.group(1) + fraction + zone).astimezone(UTC)
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def as_connector(module: ModuleType) -> Connector:
    """The module as a connector; a missing part is an error at once, not at the first report."""
    missing = [n for n in ("TITLE", "recognise", "read") if not hasattr(module, n)]
    if missing:
        raise TypeError(f"{module.__name__} lacks {', '.join(missing)}")
    return cast("Connector", module)
