"""From a path to report bytes: files, folders, standard input, gzip, zstd and zip, bounded."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from secinbox.reading import ReportError

MAX_BYTES = 4 * 1024**3  # of one report, unpacked
MAX_RATIO = 400  # a JSON report packs 10 to 60 times; more is a bomb
MIN_BOMB = 64 * 1024**2  # small things may pack as they like
MAX_SOURCES = 64 * 1024**2  # Terraform sources of one folder; whole companies have a few MB
_SKIPPED_FOLDERS = frozenset({".git", "node_modules", "__pycache__", ".venv", ".terraform"})


@dataclass(frozen=True)
class Place:
    """Where a report lies: `path`, `member` inside a zip, folder names below the given root."""

    path: str
    member: str = ""
    explicit: bool = True  # named by the user, not found in a folder
    sources: bool = False  # all Terraform sources below a folder, or in a zip, as one report

    @property
    def shown(self) -> str:
        """For people."""
        if self.sources:
            return f"{self.path} (*.tf)"
        return f"{self.path}!{self.member}" if self.member else self.path

    @property
    def parts(self) -> tuple[str, ...]:
        """All parts of the absolute path."""
        inner = tuple(p for p in self.member.split("/") if p)
        return (*Path(os.path.abspath(self.path)).parts[1:], *inner) if self.path != "-" else ()

    @property
    def name(self) -> str:
        """The last two parts of the path, without the ending of a compression."""
        if self.path == "-":
            return "stdin"
        name = "/".join(self.parts[-2:])
        for ending in (".gz", ".zst"):
            name = name.removesuffix(ending)
        return name

    @property
    def origin(self) -> str:
        """The last four parts of the path: some layouts say account and region by folder."""
        return "/".join(self.parts[-4:]) or self.name


def find(paths: tuple[str, ...]) -> Iterator[Place]:
    """Every report below these paths, in order of name. Raises ReportError for a missing path."""
    for given in paths:
        if given == "-":
            yield Place("-")
            continue
        path = Path(given)
        if path.is_dir():
            sources = False
            for folder, inner, files in os.walk(path):
                inner[:] = sorted(d for d in inner if d not in _SKIPPED_FOLDERS)
                for file in sorted(files):
                    found = Path(folder) / file
                    if is_source(file):
                        sources = sources or file.endswith(".tf")
                    elif found.is_file():
                        yield from _members(str(found), False)
            if sources:
                yield Place(str(path), explicit=False, sources=True)
        elif path.is_file():
            yield from _members(str(path), True)
        else:
            raise ReportError(f"there is no file or folder {given}", given, "check the path")


def _members(path: str, explicit: bool) -> Iterator[Place]:
    with open(path, "rb") as handle:
        start = handle.read(4)
    if start != b"PK\x03\x04":
        yield Place(path, explicit=explicit)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            names = [i.filename for i in archive.infolist() if not i.is_dir()]
    except (zipfile.BadZipFile, OSError):
        yield Place(path, explicit=explicit)
        return
    if any(n.endswith(".tf") for n in names):
        yield Place(path, explicit=explicit, sources=True)
        names = [n for n in names if not is_source(n.rpartition("/")[2])]
    for name in sorted(names)[:10_000]:
        yield Place(path, name, explicit=explicit)


def is_source(name: str) -> bool:
    """A file that Terraform reads by itself: its folder is one module, never read file by file."""
    return name.endswith((".tf", ".auto.tfvars")) or name == "terraform.tfvars"


def _sources(place: Place) -> bytes:
    """`{"terraform_sources": {path: text}}`: all of a folder or zip, nothing from outside of it."""
    found: dict[str, str] = {}
    size = 0
    for name, data in _source_files(place):
        size += len(data)
        if size > MAX_SOURCES:
            raise ReportError(f"more than {MAX_SOURCES // 1024**2} MB of Terraform sources",
                              name, "import the folders one by one")  # fmt: skip
        found[name] = data.decode("utf-8", "replace")
    found = dict(sorted(found.items()))
    return json.dumps({"terraform_sources": found}, ensure_ascii=False).encode("utf-8", "replace")


def _source_files(place: Place) -> Iterator[tuple[str, bytes]]:
    root = Path(place.path)
    if not root.is_dir():
        with zipfile.ZipFile(root) as archive:
            for info in sorted(archive.infolist(), key=lambda i: i.filename):
                if not info.is_dir() and is_source(info.filename.rpartition("/")[2]):
                    with archive.open(info) as handle:
                        yield info.filename, _bounded(handle, max(info.compress_size, 1))
        return
    real = root.resolve()
    for folder, inner, files in os.walk(root):
        inner[:] = sorted(d for d in inner if d not in _SKIPPED_FOLDERS)
        for file in sorted(files):
            path = Path(folder) / file
            # A link may lead to any file of this machine.
            if is_source(file) and path.is_file() and path.resolve().is_relative_to(real):
                with open(path, "rb") as handle:
                    yield path.relative_to(root).as_posix(), handle.read(MAX_SOURCES + 1)


def load(place: Place) -> bytes:
    """The bytes of a report, unpacked. Raises ReportError for bombs and broken archives."""
    if place.path == "-":
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ReportError("the report is too large", f"byte {MAX_BYTES}", "split it")
        return unpacked(data)
    try:
        if place.sources:
            return _sources(place)
        if place.member:
            with zipfile.ZipFile(place.path) as archive:
                info = archive.getinfo(place.member)
                with archive.open(info) as handle:
                    return _bounded(handle, max(info.compress_size, 1))
        size = os.path.getsize(place.path)
        if size > MAX_BYTES:
            raise ReportError(f"the file is too large ({size} bytes)", "byte 0", "split it")
        with open(place.path, "rb") as file:
            return unpacked(file.read())
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ReportError(f"cannot be read: {error}", place.shown, "check the file") from None


def unpacked(data: bytes) -> bytes:
    """A report as it was before gzip or zstd. Raises ReportError for bombs and broken files."""
    if data[:2] == b"\x1f\x8b":
        try:
            return _bounded(gzip.GzipFile(fileobj=io.BytesIO(data)), len(data))
        except (OSError, EOFError, zlib.error) as error:
            raise ReportError(
                f"broken gzip: {error}", "byte 0", "download or compress the file again"
            ) from None
    if data[:4] == b"\x28\xb5\x2f\xfd":
        import zstandard

        try:
            return _bounded(zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)), len(data))
        except zstandard.ZstdError as error:
            raise ReportError(
                f"broken zstd: {error}", "byte 0", "download or compress the file again"
            ) from None
    return data


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _bounded(handle: _Readable, packed: int) -> bytes:
    """Reads to the end, unless that is more than a report can be."""
    chunks: list[bytes] = []
    total = 0
    while True:
        chunk = handle.read(4 * 1024**2)
        if not chunk:
            return b"".join(chunks)
        total += len(chunk)
        if total > MAX_BYTES or (total > MIN_BOMB and total > packed * MAX_RATIO):
            raise ReportError(
                f"unpacks to more than {total // 1024**2} MB from {packed // 1024 + 1} kB "
                "(a decompression bomb?)",
                f"byte {total}",
                "if it is a real report, unpack it yourself and import the file",
            )
        chunks.append(chunk)
