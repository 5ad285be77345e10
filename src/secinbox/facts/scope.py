"""Who may see some types of findings only sees a store that has no others.

The types of the one who asks hold for everything that his request reads: views of the same names
stand in front of the tables, so no answer has to think of it.
"""

from __future__ import annotations

from contextvars import ContextVar

from secinbox.facts.store import Facts

# The types of findings that the present request may see; none: all.
TYPES: ContextVar[frozenset[str]] = ContextVar("types", default=frozenset())
# Who asks; '': the owner of this machine.
ASKER: ContextVar[str] = ContextVar("asker", default="")
_PATHS = (
    "attack_paths",
    "path_resources",
    "path_causes",
    "stopped_moves",
    "fix_plan",
    "attack_reach",
)


class ScopeError(Exception):
    """Something that shows all types of findings, asked by somebody who may not see all."""


def narrow(reader: Facts, types: frozenset[str]) -> None:
    """Hides everything of other types from a reader."""
    words = ", ".join(f"'{t}'" for t in sorted(types))  # of a closed list
    views = {
        "findings": f"SELECT * FROM facts.main.findings WHERE type IN ({words})",
        "issues": f"SELECT rowid, * FROM facts.main.issues WHERE type IN ({words})",
        "assessed": "SELECT * FROM facts.main.assessed WHERE id IN "
                    f"(SELECT id FROM facts.main.findings WHERE type IN ({words}))",
    }  # fmt: skip
    if "attack_path" not in types:
        views |= {n: f"SELECT * FROM facts.main.{n} WHERE FALSE" for n in _PATHS}
    reader.own = True
    for name, sql in views.items():
        reader.con.execute(f"CREATE TEMP VIEW {name} AS {sql}")


def whole(what: str) -> None:
    """Raises ScopeError when the present request may not see all types."""
    if TYPES.get():
        raise ScopeError(f"{what} is for those who may see every type of finding")
