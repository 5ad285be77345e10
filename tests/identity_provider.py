"""An OpenID Connect provider on loopback: discovery, authorisation with PKCE, tokens, keys.

It is strict where the standard is: codes work once, for the client, address and verifier they were
made for. `claims`, `header_key` and the like bend one thing at a time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "secinbox", "client-s3cret"


class Provider:
    """Who signs in is `person`."""

    def __init__(self) -> None:
        self.issuer = ""
        self.keys = [RSAKey.generate_key(2048, {"kid": "first", "use": "sig", "alg": "RS256"})]
        self.person: dict[str, Any] = {"sub": "u-1", "preferred_username": "ann", "groups": ["sec"]}
        self.codes: dict[str, dict[str, str]] = {}
        self.claims: dict[str, Any] = {}  # over those of the token; None takes one away
        self.answer: dict[str, str] = {}  # over those of the redirect back
        self.metadata: dict[str, Any] = {}
        self.sign: Any = None  # another way to make the token
        self.problems: list[str] = []
        self.asked: list[str] = []

    def rotate(self, name: str) -> None:
        self.keys = [RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})]

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"], **self.metadata,
        }  # fmt: skip

    def authorize(self, query: dict[str, str]) -> str:
        assert query["response_type"] == "code" and query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256" and len(query["code_challenge"]) == 43
        assert "openid" in query["scope"].split() and query["state"] and query["nonce"]
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        told = {"code": code, "state": query["state"], "iss": self.issuer, **self.answer}
        return query["redirect_uri"] + "?" + urlencode(told)

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        if (unquote(pair[0]), unquote(pair[2])) != (CLIENT, SECRET):
            return self._no("invalid_client")
        query = self.codes.pop(form["code"], None)
        if query is None or form["redirect_uri"] != query["redirect_uri"]:
            return self._no("invalid_grant")
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != query["code_challenge"]:
            return self._no("invalid_grant")
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300,
                  "nonce": query["nonce"], **self.person, **self.claims}  # fmt: skip
        claims = {k: v for k, v in claims.items() if v is not None}
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": self.signed(claims)}

    def signed(self, claims: dict[str, Any]) -> str:
        if self.sign is not None:
            return str(self.sign(claims))
        key = self.keys[-1]
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)

    def _no(self, word: str) -> tuple[int, dict[str, Any]]:
        self.problems.append(word)
        return 400, {"error": word}

    def with_public_key_as_secret(self, claims: dict[str, Any]) -> str:
        """The confusion of algorithms: signed with what everybody knows."""
        signed = f"{_part({'alg': 'HS256', 'kid': 'first'})}.{_part(claims)}"
        mac = hmac.new(self.keys[0].as_pem(private=False), signed.encode(), hashlib.sha256)
        return f"{signed}.{base64.urlsafe_b64encode(mac.digest()).rstrip(b'=').decode()}"

    def with_none(self, claims: dict[str, Any]) -> str:
        return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."

    def with_another_key(self, claims: dict[str, Any]) -> str:
        key = RSAKey.generate_key(2048, {"kid": "first"})
        return jwt.encode({"alg": "RS256", "kid": "first"}, claims, key)


def _part(data: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


@contextmanager
def provider() -> Iterator[Provider]:
    """A running one."""
    held = Provider()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def _send(self, status: int, told: Any, **headers: str) -> None:
            data = json.dumps(told).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            held.asked.append(parts.path)
            query = {k: v[0] for k, v in parse_qs(parts.query).items()}
            if parts.path == "/.well-known/openid-configuration":
                self._send(200, held.configuration())
            elif parts.path == "/jwks":
                self._send(200, {"keys": [k.as_dict(private=False) for k in held.keys]})
            elif parts.path == "/authorize":
                self._send(302, {}, location=held.authorize(query))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {k: v[0] for k, v in parse_qs(body).items()}
            self._send(*held.token(form, self.headers.get("authorization", "")))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    held.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
