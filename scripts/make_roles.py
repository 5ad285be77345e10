"""Makes the tables of built-in roles from what the providers publish.

    gcp: a folder or files with the roles, one or several in each, as
         `curl https://iam.googleapis.com/v1/roles?view=FULL` or `gcloud iam roles describe` answer
    azure: the answer of `az role definition list --query "[?roleType=='BuiltInRole']" -o json`

Only the permissions that the analysis asks about are kept, so run it again when that list grows.
Usage: make_roles.py gcp|azure PATH...
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from secinbox.iam.azure.actions import COUNTED as ACTIONS
from secinbox.iam.azure.actions import DATA as DATA_ACTIONS
from secinbox.iam.azure.roles import matches
from secinbox.iam.gcp.permissions import COUNTED

IAM = Path(__file__).resolve().parents[1] / "src" / "secinbox" / "iam"


def _documents(paths: list[str]) -> Iterator[dict[str, Any]]:
    for path in map(Path, paths):
        for file in sorted(path.rglob("*.json")) if path.is_dir() else [path]:
            found = json.loads(file.read_text("utf-8"))
            rows = found.get("roles", [found]) if isinstance(found, dict) else found
            yield from rows


def gcp(paths: list[str]) -> None:
    """Roles of the same counted permissions share a line: numbers, a tab, the roles."""
    names = sorted(COUNTED)
    number = {name: n for n, name in enumerate(names)}
    rows: dict[str, list[str]] = defaultdict(list)
    for role in _documents(paths):
        kept = sorted(number[p] for p in role.get("includedPermissions") or () if p in number)
        rows[",".join(map(str, kept))].append(role["name"].removeprefix("roles/"))
    lines = [
        "# Made by scripts/make_roles.py of Google's list of predefined roles.",
        " ".join(names),
    ]
    lines += [f"{numbers}\t{' '.join(sorted(rows[numbers]))}" for numbers in sorted(rows)]
    (IAM / "gcp" / "predefined.txt").write_text("\n".join(lines) + "\n", "utf-8")


def azure(paths: list[str]) -> None:
    """A line a role: id, name, then JSON of its blocks [actions, without, data, data without, condition]."""
    lines = ["# Made by scripts/make_roles.py of Microsoft's list of built-in roles."]
    for role in sorted(_documents(paths), key=lambda r: str(r["name"])):
        blocks = []
        for block in role["permissions"]:
            kept: list[Any] = []
            for key, asked in (("actions", ACTIONS), ("notActions", ACTIONS),
                               ("dataActions", DATA_ACTIONS), ("notDataActions", DATA_ACTIONS)):  # fmt: skip
                found = block.get(key) or ()
                kept.append([p for p in found if any(matches((p,), a) for a in asked)])
            kept.append(block.get("condition") or "")
            if kept[0] or kept[2]:
                blocks.append(kept)
        lines.append(
            "\t".join((role["name"], role["roleName"], json.dumps(blocks, separators=(",", ":"))))
        )
    (IAM / "azure" / "builtin.txt").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    {"gcp": gcp, "azure": azure}[sys.argv[1]](sys.argv[2:])
