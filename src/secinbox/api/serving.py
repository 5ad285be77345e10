"""Running the server: one process that owns the home and says where it is."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

import uvicorn

from secinbox.api.app import create_app
from secinbox.facts.store import StoreError
from secinbox.session import Session, user


def listening(host: str, port: int) -> socket.socket:
    """A socket that takes connections. Raises StoreError when the address is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named: only then are small answers sent at once, not after 40 ms (Nagle).
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StoreError(
            f"cannot listen on {host}:{port}: {error}; choose another --port"
        ) from None
    listener.listen(128)  # whoever reads the address may connect at once
    return listener


def serve(
    session: Session, host: str, port: int, ready: Callable[[str], None], public_url: str = "",
    *, deliver: bool = True,
) -> None:  # fmt: skip
    """Serves until stopped. Port 0 takes a free one.

    deliver: send tickets and notifications (not of an inbox as of another day).

    public_url: the address that others use; needed beyond loopback. Raises StoreError without it.
    """
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback and not public_url:
        raise StoreError(
            f"{host} is not a loopback address: say with --public-url how others reach it "
            "(https://NAME); then everybody has to sign in"
        )
    if public_url and urlsplit(public_url).scheme not in ("http", "https"):
        raise StoreError(f"--public-url is an address like https://inbox.example.org: {public_url}")
    listener = listening(host, port)
    actual = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{actual}"
    token = secrets.token_urlsafe(32)
    session.rank()
    session.warm()
    told = session.home / "server.json"
    descriptor = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w") as handle:
        json.dump({"url": url, "token": token, "pid": os.getpid()}, handle)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(session, token, public_url=public_url),
            log_level="warning",
            access_log=False,
            server_header=False,
        )
    )

    worker = threading.Thread(target=session.delivery.work, name="delivery", daemon=True)
    if deliver:
        worker.start()

    def stop(*_: object) -> None:
        raise SystemExit(0)

    try:
        # The server hands a signal on when it has stopped: leave in order, not at once.
        signal.signal(signal.SIGTERM, stop)
        ready(f"{url} (Ctrl-C stops it)")
        if not public_url:
            code = hmac.new(token.encode(), b"enter", hashlib.sha256).hexdigest()
            ready(f"{url}/enter/{code} for you to decide in the browser")
        elif not session.accounts.any_user():
            link = session.administration.invite("admin", "admin", user())
            ready(
                f"{public_url.rstrip('/')}{link['path']} for the first administrator; it works once"
            )
        server.run(sockets=[listener])
    finally:
        session.delivery.stop()
        if worker.is_alive():
            worker.join(30)
        told.unlink(missing_ok=True)
        listener.close()
