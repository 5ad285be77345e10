"""Running the server: one process that owns the home and says where it is."""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
import signal
import socket
from collections.abc import Callable

import uvicorn

from secinbox.api.app import create_app
from secinbox.facts.store import StoreError
from secinbox.session import Session


def serve(session: Session, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serves until stopped. Port 0 takes a free one. Raises StoreError for other addresses."""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise StoreError(
            f"{host} is not a loopback address: without sign-in secinbox serves this machine only; "
            "use 127.0.0.1, and an authenticating proxy or an SSH tunnel for others"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StoreError(
            f"cannot listen on {host}:{port}: {error}; choose another --port"
        ) from None
    listener.listen(128)  # whoever reads the address may connect at once
    actual = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{actual}"
    token = secrets.token_urlsafe(32)
    session.rank()
    told = session.home / "server.json"
    descriptor = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w") as handle:
        json.dump({"url": url, "token": token, "pid": os.getpid()}, handle)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(session, token), log_level="warning", access_log=False, server_header=False
        )
    )

    def stop(*_: object) -> None:
        raise SystemExit(0)

    try:
        # The server hands a signal on when it has stopped: leave in order, not at once.
        signal.signal(signal.SIGTERM, stop)
        ready(url)
        server.run(sockets=[listener])
    finally:
        told.unlink(missing_ok=True)
        listener.close()
