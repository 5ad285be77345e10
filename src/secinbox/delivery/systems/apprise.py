"""Notifications by Apprise: mail, chat and a hundred more. Its address is the connection's secret."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from secinbox.delivery.connections import Connection
from secinbox.delivery.outgoing import Client, OutgoingError
from secinbox.delivery.ticket import line

TITLE = "Apprise"
ADDRESS = ""
NEEDS = ("secret",)
OPTIONS: dict[str, str] = {}
# Kinds that run programs, write files or talk to this machine: not for messages to people.
_REFUSED = ("dbus", "qt", "glib", "kde", "gnome", "syslog", "windows", "macosx", "exec", "file")


def say(client: Client, connection: Connection, key: str, message: Mapping[str, Any]) -> None:
    """One notification. Apprise resolves names again by itself: they are checked just before."""
    del key
    try:
        import apprise
    except ImportError:
        raise OutgoingError("install secinbox[apprise] to use this connection") from None
    address = connection.token
    schema = urlsplit(address).scheme.lower()
    if not schema or schema.removesuffix("s") in _REFUSED or schema in _REFUSED:
        raise OutgoingError(
            f"Apprise addresses of the kind {schema!r} are not used", permanent=True
        )
    _guard(client, address)
    sender = apprise.Apprise(asset=apprise.AppriseAsset(plugin_paths=[], app_id="secinbox"))
    if not sender.add(address):
        raise OutgoingError("Apprise does not know this kind of address", permanent=True)
    text = "\n".join(line(part, 1_000) for part in str(message["text"]).splitlines())
    if not sender.notify(title=line(message["title"], 200), body=text):
        raise OutgoingError("Apprise could not deliver it", done_perhaps=True)


def _guard(client: Client, address: str) -> None:
    """Refuses a host of this network; a word that is no host (a token) is none of our business."""
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""  # Apprise reads it in its own way
    literal = True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        literal = False
    if host and (literal or "." in host or host == "localhost"):
        shown = f"[{host}]" if ":" in host else host
        client.checked(f"https://{shown}{port}/")
