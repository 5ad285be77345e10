"""What the policies of a principal leave to it, in one line: how much, of what, and how far it goes."""

from __future__ import annotations

from secinbox.iam.universe import EVERYTHING, PERMISSIONS, UNIVERSE, WRITE

_MAX_NAMED = 6


def words_of(actions: int) -> str:
    """A set of actions (bits) in words; "" for the empty one."""
    if not actions:
        return ""
    if actions == EVERYTHING:
        return "its policies leave it every action"
    if actions < 0:
        return f"its policies leave it every action but {_counted(~actions)}"
    kinds = (("write", WRITE), ("change permissions", PERMISSIONS))
    counts = [(w, (actions & UNIVERSE.level(k)).bit_count()) for w, k in kinds]
    more = " and ".join(f"{n} {w}" for w, n in counts if n)
    return f"its policies leave it {_counted(actions)}{f'; {more}' if more else '; none writes'}"


def _counted(actions: int) -> str:
    services = UNIVERSE.services_of(actions)
    count = actions.bit_count()
    named = ", ".join(services[:_MAX_NAMED])
    rest = f" and {len(services) - _MAX_NAMED} more services" if len(services) > _MAX_NAMED else ""
    return f"{count} action{'s' if count > 1 else ''} ({named}{rest})"
