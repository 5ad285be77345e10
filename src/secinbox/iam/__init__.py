"""Effective permissions."""

from collections.abc import Iterator

from secinbox.estate import Estate
from secinbox.records import RiskStatement


def privilege(estate: Estate) -> Iterator[RiskStatement]:
    return iter(())
