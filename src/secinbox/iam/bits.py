"""The catalogue's actions as bits: who has none of a row's is a quick no."""

from __future__ import annotations

from functools import cache, lru_cache

from secinbox.iam.catalogue import ADMINISTRATOR
from secinbox.iam.universe import EVERYTHING, UNIVERSE

# Actions by which somebody changes what a principal may do.
_WRITES = (
    "iam:putuserpolicy", "iam:attachuserpolicy", "iam:putrolepolicy", "iam:attachrolepolicy",
    "iam:createpolicyversion", "iam:addusertogroup", "iam:putgrouppolicy",
    "iam:attachgrouppolicy", "iam:setdefaultpolicyversion", "iam:deleteuserpermissionsboundary",
    "iam:putuserpermissionsboundary", "iam:deleterolepermissionsboundary",
    "iam:putrolepermissionsboundary", "iam:deleteuserpolicy", "iam:detachuserpolicy",
    "iam:deleterolepolicy", "iam:detachrolepolicy", "iam:deletegrouppolicy",
    "iam:detachgrouppolicy", "iam:removeuserfromgroup",
    "iam:creategroup",
    "sso:putinlinepolicytopermissionset", "sso:attachmanagedpolicytopermissionset",
)  # fmt: skip


# By which somebody makes an identity.
_BEARS = ("iam:createrole", "iam:createuser")


def bit(action: str) -> int:
    """The bit of an action in lower case; of one that nobody knows, every bit: no quick no."""
    return UNIVERSE.bit(action) or EVERYTHING


@cache
def admin_bits() -> int:
    return sum(UNIVERSE.bit(a) for a, _ in ADMINISTRATOR)


@cache
def write_bits() -> int:
    return sum(UNIVERSE.bit(a) for a in _WRITES)


@cache
def birth_bits() -> int:
    return sum(UNIVERSE.bit(a) for a in _BEARS)


@lru_cache(maxsize=1024)
def row_bits(needs: tuple[str, ...]) -> int:
    """The known actions that a row of the catalogue needs of the one who acts."""
    found = 0
    for need in needs:
        if " its-role:" not in need:  # asked of the role that is taken over
            found |= UNIVERSE.bit(need.split(" ")[0].lower())
    return found
