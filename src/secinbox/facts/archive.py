"""Every accepted report, compressed, under its content hash: facts can always be rebuilt."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path


def content_hash(data: bytes) -> str:
    """The name of a report in the archive: its SHA-256."""
    return sha256(data).hexdigest()


def path_of(home: Path, digest: str) -> Path:
    """Where the report with this hash lies."""
    return home / "archive" / digest[:2] / f"{digest}.zst"


def put(home: Path, digest: str, data: bytes) -> None:
    """Keeps a report. Written beside and renamed, so that a kill leaves no half file."""
    import zstandard

    target = path_of(home, digest)
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = target.with_suffix(f".{os.getpid()}.tmp")
    with open(beside, "wb") as handle:
        handle.write(zstandard.ZstdCompressor(level=1).compress(data))
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(beside, target)


def get(home: Path, digest: str) -> bytes:
    """A report out of the archive, as it was read."""
    import zstandard

    with open(path_of(home, digest), "rb") as handle:
        return zstandard.ZstdDecompressor().stream_reader(handle).read()
