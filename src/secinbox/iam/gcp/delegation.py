"""Service accounts that may act as anybody in a Google Workspace, and what that is worth.

Source: developers.google.com, "Using OAuth 2.0 for Server to Server Applications: delegating
domain-wide authority", "OAuth 2.0 Scopes for Google APIs".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from secinbox.estate import Estate, Item

_AUTH = "https://www.googleapis.com/auth/"
# Users, their roles and their sign-ins: whoever writes them makes himself super administrator.
_ADMIN = re.compile(r"admin\.directory\.(user|user\.security|rolemanagement|group|group\.member|"
                    r"customer|domain)")  # fmt: skip
_DATA = re.compile(r"(gmail|drive|documents|spreadsheets|presentations|calendar|contacts|chat|keep|"
                   r"cloud_search|ediscovery|photoslibrary|forms|meetings|tasks|directory)\b")  # fmt: skip
_READS = re.compile(r"[./](readonly|read-only|metadata)$")


@dataclass(frozen=True)
class Delegation:
    """What one account may do as anybody in one Workspace."""

    workspace: str
    domain: str
    scopes: tuple[str, ...]

    def _named(self, pattern: re.Pattern[str], writes: bool = False) -> list[str]:
        short = [s.removeprefix(_AUTH).removeprefix("https://").strip("/") for s in self.scopes]
        return [s for s in short if pattern.match(s) and not (writes and _READS.search(s))]

    @property
    def administers(self) -> str:
        """The scope by which it makes itself administrator of the Workspace; empty where none."""
        return next(iter(self._named(_ADMIN, True)), "")

    @property
    def data(self) -> list[str]:
        """Scopes on what people keep there: mail, files, calendars ..."""
        mail = [s for s in ("mail.google.com",) if f"https://{s}/" in self.scopes]
        return [*mail, *self._named(_DATA)]

    @property
    def cloud(self) -> str:
        """The scope by which it acts as a person in Google Cloud."""
        return next(iter(self._named(re.compile("cloud-platform$"))), "")

    @property
    def words(self) -> str:
        shown = [s.removeprefix(_AUTH) for s in self.scopes[:3]]
        more = f" and {len(self.scopes) - 3} more" if len(self.scopes) > 3 else ""
        return ", ".join(shown) + more


def delegations(estate: Estate) -> dict[str, Delegation]:
    """id or name of a client -> what it may do; the newest word on it counts."""
    newest: dict[tuple[str, str], Item] = {}
    for item in estate.of_type("gcp_workspace_delegation"):
        key = (str(item.config.get("workspace")), str(item.config.get("client")))
        known = newest.get(key)
        if known is None or _order(item) > _order(known):
            newest[key] = item
    out = {}
    for (workspace, client), item in sorted(newest.items()):
        scopes = item.config.get("scopes")
        if item.config.get("on") is True:
            out[client] = Delegation(workspace, str(item.config.get("domain") or ""), tuple(
                str(s) for s in (scopes if isinstance(scopes, list) else ())))  # fmt: skip
    return out


def _order(item: Item) -> tuple[str, int]:
    number = item.config.get("number")
    return str(item.config.get("time") or ""), number if isinstance(number, int) else 0
