"""Requests to other systems: only to addresses that were checked, bounded in time and size.

The name is resolved once, every address that it has is checked, and the connection is made to one
of those: a name that answers differently a moment later changes nothing. Redirects are not followed
and proxies of the environment are not used.
"""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from secinbox import __version__

MAX_ANSWER = 4 * 1024**2
# Addresses of clouds' own services that are neither private nor link-local.
_SERVICES = {ipaddress.ip_address("168.63.129.16")}
# IPv6 networks whose addresses carry an IPv4 address to which they lead.
_CARRIERS = tuple(
    ipaddress.ip_network(n) for n in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)


class OutgoingError(Exception):
    """It was not done, or nobody knows whether: `done_perhaps`.

    wait: seconds that the other side asks for. permanent: the same request will not do better.
    """

    def __init__(self, message: str, *, wait: float | None = None, permanent: bool = False,
                 done_perhaps: bool = False, status: int = 0) -> None:  # fmt: skip
        super().__init__(message)
        self.wait = wait
        self.permanent = permanent
        self.done_perhaps = done_perhaps
        self.status = status


class Blocked(OutgoingError):
    """An address to which nothing is sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


@dataclass(frozen=True)
class Answer:
    """What the other side said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Raises OutgoingError."""
        try:
            return json.loads(self.body) if self.body else {}
        except (ValueError, RecursionError):
            raise OutgoingError(f"the answer (HTTP {self.status}) is not JSON") from None


def open_to_all(address: str) -> bool:
    """Whether an address is one of the public Internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return open_to_all(str(found.ipv4_mapped))
        if any(found in network for network in _CARRIERS):
            return False
    return found.is_global and not found.is_multicast and found not in _SERVICES


class Client:
    """Sends requests. allowed: hosts (`name` or `name:port`) that may be private and plain http."""

    def __init__(self, allowed: Collection[str] = (), timeout: float = 20.0) -> None:
        self.allowed = frozenset(a.lower() for a in allowed)
        self.timeout = timeout

    def checked(self, url: str) -> tuple[str, str, int, list[str]]:
        """(scheme, host, port, addresses) to which a request may go. Raises Blocked."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            raise Blocked("this is no address") from None
        if parts.scheme not in ("https", "http") or not host or parts.username is not None:
            raise Blocked("an address is https://HOST/..., without name or password")
        port = port or (443 if parts.scheme == "https" else 80)
        trusted = host in self.allowed or f"{host}:{port}" in self.allowed
        if parts.scheme == "http" and not trusted:
            raise Blocked(f"{host} is not reached by https; only hosts of allow_hosts may be")
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise OutgoingError(f"{host} has no address: {error}") from None
        addresses = list(dict.fromkeys(str(f[4][0]) for f in found))
        closed = [a for a in addresses if not open_to_all(a)]
        if closed and not trusted:
            raise Blocked(f"{host} leads to {closed[0]}, which is not public; "
                          "name the host under allow_hosts if that is meant")  # fmt: skip
        return parts.scheme, host, port, addresses

    def send(self, method: str, url: str, *, headers: Mapping[str, str] | None = None,
             body: bytes | None = None) -> Answer:  # fmt: skip
        """One request. Raises OutgoingError for everything that is not an answer of 2xx."""
        scheme, host, port, addresses = self.checked(url)
        deadline = time.monotonic() + self.timeout
        link = self._connected(addresses, port, host)
        # Each read has its own limit of time; this one is of all of them together.
        end = threading.Timer(self.timeout, lambda: _cut(link))
        end.daemon = True
        end.start()
        begun = False
        try:
            if scheme == "https":
                link = ssl.create_default_context().wrap_socket(link, server_hostname=host)
            connection = http.client.HTTPConnection(host, port, timeout=self.timeout)
            connection.sock = link
            parts = urlsplit(url)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            given = {"user-agent": f"secinbox/{__version__}", "accept": "application/json",
                     "connection": "close", **(headers or {})}  # fmt: skip
            begun = True
            connection.request(method, target, body=body, headers=given)
            reply = connection.getresponse()
            data = _bounded(reply)
            if time.monotonic() > deadline:
                raise TimeoutError("the answer takes too long")
        except (OSError, http.client.HTTPException, ValueError) as error:
            what = type(error).__name__ if not str(error) else str(error)
            raise OutgoingError(f"{host}: {what}", done_perhaps=begun) from None
        finally:
            end.cancel()
            link.close()
        answer = Answer(reply.status, {k.lower(): v for k, v in reply.getheaders()}, data)
        if not 200 <= answer.status < 300:
            raise _refused(host, answer)
        return answer

    def ask(self, method: str, url: str, body: Any = None, *,
            headers: Mapping[str, str] | None = None) -> Any:  # fmt: skip
        """JSON for JSON. Raises OutgoingError."""
        given = dict(headers or {})
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            given["content-type"] = "application/json"
        return self.send(method, url, headers=given, body=data).json()

    def _connected(self, addresses: list[str], port: int, host: str) -> socket.socket:
        problem: OSError | None = None
        for address in addresses[:4]:
            try:
                return socket.create_connection((address, port), self.timeout)
            except OSError as error:
                problem = error
        raise OutgoingError(f"{host}: {problem}")


def _cut(link: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it is closed already
        link.shutdown(socket.SHUT_RDWR)


def _bounded(reply: http.client.HTTPResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    while chunk := reply.read1(65_536):
        parts.append(chunk)
        size += len(chunk)
        if size > MAX_ANSWER:
            raise ValueError("the answer is too large")
    return b"".join(parts)


def _refused(host: str, answer: Answer) -> OutgoingError:
    told = answer.body[:300].decode("utf-8", "replace")
    if 300 <= answer.status < 400:
        target = answer.headers.get("location", "")[:200]
        return OutgoingError(f"{host} answers with a redirect to {target!r}; write that address "
                             "into the connection if it is meant", permanent=True, status=answer.status)  # fmt: skip
    return OutgoingError(
        f"{host}: HTTP {answer.status} {told}".strip(),
        wait=_wait(answer.headers),
        permanent=400 <= answer.status < 500 and answer.status not in (408, 409, 425, 429),
        done_perhaps=answer.status >= 500,
        status=answer.status,
    )


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, as `Retry-After` has them: a number or a date."""
    given = headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return float(given[:9])
    if given:
        try:
            moment = email.utils.parsedate_to_datetime(given)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max((moment - datetime.now(UTC)).total_seconds(), 0.0)
    # GitHub tells when the hour's share is there again.
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isascii() and reset.isdigit():
        return max(float(reset[:12]) - time.time(), 0.0)
    return None
