"""Roles of Google Cloud: the predefined ones, and custom ones as the inventory defines them.

`predefined.txt` is made by scripts/make_roles.py of what Google publishes ("IAM basic and predefined
roles reference"): every role, with those of its permissions that count here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from secinbox.estate import Estate
from secinbox.iam.gcp.permissions import COUNTED


@dataclass(frozen=True)
class Role:
    """`known` is False where neither Google's list nor the inventory defines it."""

    name: str
    permissions: frozenset[str] = frozenset()
    known: bool = True

    @property
    def custom(self) -> bool:
        return self.name.startswith(("projects/", "organizations/"))


# How BigQuery, Cloud Storage and other lists of access call some roles.
_BASIC = {"OWNER": "roles/bigquery.dataOwner", "WRITER": "roles/bigquery.dataEditor",
          "READER": "roles/bigquery.dataViewer"}  # fmt: skip


@cache
def predefined() -> dict[str, Role]:
    """`roles/storage.admin` -> the role."""
    lines = files(__package__).joinpath("predefined.txt").read_text("utf-8").splitlines()
    rows = [line for line in lines if line and not line.startswith("#")]
    names = rows[0].split(" ")
    shared: dict[str, frozenset[str]] = {}
    out: dict[str, Role] = {}
    for line in rows[1:]:
        numbers, _, roles = line.partition("\t")
        if numbers not in shared:
            shared[numbers] = frozenset(names[int(n)] for n in numbers.split(",") if n)
        for name in roles.split(" "):
            out[f"roles/{name}"] = Role(f"roles/{name}", shared[numbers])
    return out


class Roles:
    """Roles by name, with the custom ones of an estate."""

    def __init__(self, estate: Estate) -> None:
        self._own: dict[str, Role] = {}
        for item in estate.of_type("gcp_iam_role"):
            name = str(item.config.get("name") or item.uid.split(".googleapis.com/", 1)[-1])
            listed = item.config.get("includedPermissions")
            gone = item.config.get("deleted") is True or item.config.get("stage") == "DISABLED"
            if isinstance(listed, list) or gone:
                found = frozenset(str(p) for p in listed or ()) & COUNTED
                self._own[name] = Role(name, frozenset() if gone else found)

    def of(self, name: str) -> Role:
        """The role; an unknown one where nobody defines it."""
        name = _BASIC.get(name, name)
        return self._own.get(name) or predefined().get(name) or Role(name, known=False)
