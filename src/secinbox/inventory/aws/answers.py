"""What a call said about a resource: an answer, "there is none", or nothing at all.

The three must not be mixed up: "no bucket policy" makes a bucket private, "not asked" does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from secinbox.estate import Estate, Item

_ABSENT = re.compile(
    r"NoSuch|NotFound|NotInUse|does not exist|InvalidAccessException"  # the last: not subscribed
)


def is_absent(code: str) -> bool:
    """An error code that only says that the thing is not there (`NoSuchBucketPolicy`)."""
    return bool(_ABSENT.search(code))


class Unread:
    """Nobody asked, or the call was denied."""

    def __init__(self, call: str, code: str = "") -> None:
        self.call = call
        self.code = code

    @property
    def text(self) -> str:
        why = f" ({self.code})" if self.code else ""
        return f"{self.call} was not read{why}"


def answer(item: Item, call: str) -> Mapping[str, Any] | Unread | None:
    """The answer of `call` (`get_bucket_policy`) for this item; None: read, none there."""
    value = item.config.get(call)
    if not isinstance(value, dict):
        return Unread(call)
    code = value.get("Error")
    if code is None:
        return value
    text = str(code.get("Code", code)) if isinstance(code, dict) else str(code)
    return None if is_absent(text) else Unread(call, text)


def covered(estate: Estate, account: str, region: str, operation: str) -> bool:
    """The list call was read completely for this account and region."""
    return estate.looked_at(f"aws:{account}/{region}/{operation}")
