"""Times as AWS writes them: ISO texts, seconds, and words for `never`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def moment(value: Any) -> datetime | None:
    """UTC without a zone, as the stores keep it; None for words and for what is no time."""
    try:
        if isinstance(value, bool):
            return None
        if isinstance(value, (int, float)):
            return datetime.fromtimestamp(value, UTC).replace(tzinfo=None)
        if isinstance(value, str) and value[:4].isdigit():
            found = datetime.fromisoformat(value)
            return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    except (ValueError, OverflowError, OSError):
        return None
    return None


def age_in_days(since: datetime | None, when: datetime) -> int | None:
    """Whole days; None where nobody knows."""
    return (when - since).days if since is not None else None
