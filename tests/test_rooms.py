"""No provider outside its rooms: what is common to all of them names the types of none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import secinbox

ROOT = Path(secinbox.__file__).parent
COMMON = [
    *(f for room in ("facts", "risks", "inbox", "api", "web", "cli", "mcp", "delivery", "decisions")
      for f in sorted((ROOT / room).rglob("*.py"))),
    *sorted((ROOT / "paths").glob("*.py")), *sorted(ROOT.glob("*.py")),
]  # fmt: skip
# Kept as history: what a store of an earlier version holds; and what ARNs are made of.
HISTORY = {"facts/schema.py", "arn.py"}
# A type, a resource provider, a host of an API, an ARN.
PROVIDER = re.compile(
    r"""["'`](aws|azure|gcp|kubernetes|entra)_[a-z]|Microsoft\.[A-Z]|googleapis\.com|arn:aws|["']arn:"""
)


@pytest.mark.parametrize("file", COMMON, ids=lambda f: str(f.relative_to(ROOT)))
def test_common_rooms_know_no_provider(file: Path) -> None:
    if str(file.relative_to(ROOT)) not in HISTORY:
        found = [
            f"{n}: {line.strip()}"
            for n, line in enumerate(file.read_text().splitlines(), 1)
            if PROVIDER.search(line)
        ]
        assert not found


def test_the_rule_would_see_one() -> None:
    assert PROVIDER.search('if item.type == "aws_s3_bucket":')
    assert PROVIDER.search('if uid.startswith("arn:"):')
    assert not PROVIDER.search('kind = item.type.partition("_")[2]')
