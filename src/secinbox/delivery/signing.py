"""Signed messages: HMAC-SHA256 over the time and the body, taken once and for five minutes."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping

TIME, SIGNATURE = "x-secinbox-timestamp", "x-secinbox-signature"
TOLERANCE = 300  # seconds that two clocks may be apart


class SignatureError(Exception):
    """A message that cannot be trusted: unsigned, wrongly signed, too old, or seen before."""


def signature(secret: str, moment: str, body: bytes) -> str:
    """`v1=` and the hexadecimal HMAC of `TIME.BODY`."""
    mac = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256)
    return "v1=" + mac.hexdigest()


def signed(secret: str, body: bytes) -> dict[str, str]:
    """The headers that sign a body now."""
    moment = str(int(time.time()))
    return {TIME: moment, SIGNATURE: signature(secret, moment, body)}


def verified(secret: str, headers: Mapping[str, str], body: bytes) -> str:
    """The digest under which a message of our own scheme is taken once. Raises SignatureError."""
    moment, given = headers.get(TIME, ""), headers.get(SIGNATURE, "")
    if not hmac.compare_digest(signature(secret, moment, body).encode(), given.encode()):
        raise SignatureError("the signature is missing or wrong")
    fresh(moment)
    return digest(given)


def fresh(moment: str) -> None:
    """Raises SignatureError for a time (seconds) that is not about now."""
    if not (moment.isascii() and moment.isdigit() and len(moment) < 14):
        raise SignatureError("the time of the signature is missing")
    if abs(time.time() - int(moment)) > TOLERANCE:
        raise SignatureError("the signature is too old, or a clock is wrong")


def verified_body(secret: str, given: str, body: bytes) -> str:
    """The digest of a message that is signed by its body alone. Raises SignatureError."""
    wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), given.removeprefix("sha256=").encode()):
        raise SignatureError("the signature is missing or wrong")
    return digest(given.removeprefix("sha256="))


def digest(text: str) -> str:
    """What is kept of a message that was taken."""
    return hashlib.sha256(text.encode()).hexdigest()
