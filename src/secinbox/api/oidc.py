"""Sign-in at an OpenID Connect provider: authorisation code with PKCE, groups to roles.

What is checked: state (bound to the browser by a cookie, used once), issuer, audience, signature by a
key of the provider with an asymmetric algorithm, expiry, nonce; the verifier of PKCE goes with the code.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from secinbox.api.access import COOKIE, Pace
from secinbox.api.accounts import inward
from secinbox.decisions.accounts import ELSEWHERE, ROLES, SESSION_ELSEWHERE, scope
from secinbox.decisions.states import DecisionError
from secinbox.delivery.outgoing import Client, OutgoingError
from secinbox.settings import SettingsError
from secinbox.web.pages import show

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
FLOW = "secinbox_sign_in"  # the cookie that binds an answer to the browser that asked
PATIENCE = 600  # seconds between leaving for the provider and coming back
LEEWAY = 60  # seconds that its clock may differ
_KEYS = ("issuer", "client_id", "client_secret_env", "label", "scopes", "groups_claim", "name_claim",
         "default_role", "roles", "types", "teams", "private")  # fmt: skip


class RefusedError(Exception):
    """Not signed in; why is for the log, not for the page."""


@dataclass(frozen=True)
class Config:
    """The table [oidc] of secinbox.toml, checked."""

    issuer: str
    client_id: str
    client_secret: str
    scopes: str = "openid profile email"
    groups_claim: str = "groups"
    name_claim: str = "preferred_username"
    default_role: str = ""
    roles: dict[str, str] = field(default_factory=dict)
    types: dict[str, list[str]] = field(default_factory=dict)
    teams: dict[str, str] = field(default_factory=dict)
    private: bool = False


def configured(table: dict[str, Any]) -> Config:
    """Raises SettingsError with the key."""
    unknown = sorted(set(table) - set(_KEYS))
    if unknown:
        raise SettingsError(f"oidc: unknown key {unknown[0]!r}; allowed: {', '.join(_KEYS)}")
    for name in ("issuer", "client_id"):
        if not isinstance(table.get(name), str) or not table[name]:
            raise SettingsError(f"oidc: {name} is needed")
    roles, types = table.get("roles", {}), table.get("types", {})
    if not isinstance(roles, dict) or not set(roles.values()) <= set(ROLES):
        raise SettingsError(f"oidc.roles: GROUP = one of: {', '.join(ROLES)}")
    if table.get("default_role", "") not in ("", *ROLES):
        raise SettingsError(f"oidc.default_role is one of: {', '.join(ROLES)}")
    try:
        for given in types.values():
            scope(given, "viewer")
    except (DecisionError, AttributeError, TypeError) as error:
        raise SettingsError(f"oidc.types: GROUP = [types]: {error}") from None
    teams = table.get("teams", {})
    if not isinstance(teams, dict) or not all(isinstance(t, str) and t for t in teams.values()):
        raise SettingsError("oidc.teams: GROUP = the name of a team")
    variable = table.get("client_secret_env", "SECINBOX_OIDC_SECRET")
    secret = os.environ.get(variable, "")
    if not secret:
        raise SettingsError(f"oidc: {variable} is not set")
    kept = {k: v for k, v in table.items() if k not in ("client_secret_env", "label")}
    return Config(client_secret=secret, **kept)


@dataclass
class _Flow:
    state: str
    nonce: str
    verifier: str
    target: str
    begun: float


class Provider:
    """One identity provider: its metadata and keys, and the sign-ins that are under way."""

    def __init__(self, config: Config) -> None:
        self.config = config
        parts = urlsplit(config.issuer)
        self.client = Client([parts.netloc] if config.private else [], timeout=10)
        self._lock = threading.Lock()
        self._flows: OrderedDict[str, _Flow] = OrderedDict()
        self._metadata: tuple[float, dict[str, Any]] = (0.0, {})
        self._keys: tuple[float, dict[str, Any]] = (0.0, {})

    def metadata(self) -> dict[str, Any]:
        """What the provider says of itself, an hour old at most. Raises RefusedError."""
        read, told = self._metadata
        if time.monotonic() - read > 3_600 or not told:
            address = self.config.issuer.rstrip("/") + "/.well-known/openid-configuration"
            told = self._ask("GET", address)
            if told.get("issuer") != self.config.issuer:
                raise RefusedError(f"the provider calls itself {told.get('issuer')!r}")
            self._metadata = (time.monotonic(), told)
        return told

    def _ask(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        try:
            told = self.client.send(method, str(url), **more).json()
        except OutgoingError as error:
            raise RefusedError(f"provider: {error}") from None
        if not isinstance(told, dict):
            raise RefusedError("the provider answers with something else than an object")
        return told

    # -- leaving --------------------------------------------------------------------------

    def leave(self, callback: str, target: str) -> tuple[str, str]:
        """(address of the provider, secret of the flow for the cookie)."""
        secret = secrets.token_urlsafe(32)
        flow = _Flow(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48),
                     target, time.monotonic())  # fmt: skip
        digest = hashlib.sha256(flow.verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self.config.client_id, "redirect_uri": callback,
            "scope": self.config.scopes, "state": flow.state, "nonce": flow.nonce,
            "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        endpoint = str(self.metadata()["authorization_endpoint"])
        with self._lock:
            self._flows[secret] = flow
            while len(self._flows) > 10_000:
                self._flows.popitem(last=False)
        return endpoint + ("&" if "?" in endpoint else "?") + urlencode(asked), secret

    # -- coming back ----------------------------------------------------------------------

    def back(self, secret: str, given: dict[str, str], callback: str) -> tuple[dict[str, Any], str]:
        """(claims, where to go on). Raises RefusedError."""
        with self._lock:
            flow = self._flows.pop(secret, None)
        if flow is None or time.monotonic() - flow.begun > PATIENCE:
            raise RefusedError("no sign-in of this browser is under way")
        if not hmac.compare_digest(flow.state.encode(), given.get("state", "").encode()):
            raise RefusedError("state differs")
        if given.get("error"):
            raise RefusedError(f"the provider says {given['error'][:200]}")
        if given.get("iss", self.config.issuer) != self.config.issuer:
            raise RefusedError("the answer is of another issuer")
        tokens = self._redeem(given.get("code", ""), flow.verifier, callback)
        claims = self.verified(str(tokens.get("id_token", "")))
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), flow.nonce.encode()):
            raise RefusedError("nonce differs")
        return claims, flow.target

    def _redeem(self, code: str, verifier: str, callback: str) -> dict[str, Any]:
        pair = (
            f"{quote(self.config.client_id, safe='')}:{quote(self.config.client_secret, safe='')}"
        )
        headers = {"content-type": "application/x-www-form-urlencoded"}
        body = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback,
                "code_verifier": verifier}  # fmt: skip
        methods = self.metadata().get("token_endpoint_auth_methods_supported")
        if methods and "client_secret_basic" not in methods:
            body |= {"client_id": self.config.client_id, "client_secret": self.config.client_secret}
        else:
            headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        endpoint = self.metadata().get("token_endpoint", "")
        return self._ask("POST", endpoint, headers=headers, body=urlencode(body).encode())

    def verified(self, token: str) -> dict[str, Any]:
        """The claims of an id token. Raises RefusedError."""
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        claims: dict[str, Any] = {}
        for fresh in (False, True):  # a key that is not known may be a new one
            if fresh and time.monotonic() - self._keys[0] < 5:
                raise RefusedError("the signature is by no key of the provider")
            try:
                keys = KeySet.import_key_set(self._key_set(fresh))  # type: ignore[arg-type]
                decoded = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
                claims = dict(decoded.claims)
                break
            except (JoseError, ValueError, KeyError, TypeError) as error:
                if fresh:
                    raise RefusedError(f"id token: {type(error).__name__} {error}") from None
        self._check(claims)
        return claims

    def _key_set(self, fresh: bool) -> dict[str, Any]:
        read, told = self._keys
        if fresh or not told or time.monotonic() - read > 3_600:
            told = self._ask("GET", self.metadata().get("jwks_uri", ""))
            # A shared secret among public keys would let anyone sign.
            held = [k for k in told.get("keys", []) if k.get("kty") in ("RSA", "EC", "OKP")
                    and k.get("use", "sig") == "sig"]  # fmt: skip
            told = {"keys": held}
            self._keys = (time.monotonic(), told)
        return told

    def _check(self, claims: dict[str, Any]) -> None:
        now = time.time()
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        expires, issued = claims.get("exp"), claims.get("iat")
        if claims.get("iss") != self.config.issuer:
            raise RefusedError("the id token is of another issuer")
        if self.config.client_id not in audiences:
            raise RefusedError("the id token is for somebody else")
        if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != self.config.client_id:
            raise RefusedError("the id token was given to somebody else")
        if _number(expires, 0.0) <= now - LEEWAY:
            raise RefusedError("the id token has expired")
        if _number(issued, now + 2 * LEEWAY) > now + LEEWAY:
            raise RefusedError("the id token is of the future")
        if _number(claims.get("nbf"), now) > now + LEEWAY:
            raise RefusedError("the id token is not valid yet")
        if not claims.get("sub") or not isinstance(claims["sub"], str):
            raise RefusedError("the id token is of nobody")

    def _groups(self, claims: dict[str, Any]) -> list[str]:
        held = claims.get(self.config.groups_claim) or []
        return [g for g in ([held] if isinstance(held, str) else held) if isinstance(g, str)]

    def teams(self, claims: dict[str, Any]) -> set[str]:
        """The teams of the groups."""
        return {self.config.teams[g] for g in self._groups(claims) if g in self.config.teams}

    def rights(self, claims: dict[str, Any]) -> tuple[str, str, list[str]]:
        """(name, role, types) of the highest role of the groups. Raises RefusedError."""
        groups = self._groups(claims)
        found = [self.config.roles[g] for g in groups if g in self.config.roles]
        role = max(found, key=ROLES.index, default=self.config.default_role)
        if not role:
            raise RefusedError(f"no group of {claims['sub']} has a role")
        name = claims.get(self.config.name_claim)
        if self.config.name_claim == "email" and claims.get("email_verified") is not True:
            name = None  # anybody can write any address into his profile
        if not isinstance(name, str) or not name.isprintable() or not name.strip():
            name = claims["sub"]
        scoped = [g for g in groups if g in self.config.types]
        types = sorted({t for g in scoped for t in self.config.types[g]})
        # Somebody with a group that gives a role without limit is not limited by another group.
        free = any(g in self.config.roles and g not in self.config.types for g in groups)
        return name.strip(), role, [] if free or role == "admin" else types


def _number(value: Any, otherwise: float) -> float:
    right = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if right else otherwise


def pages(session: Any, public_url: str) -> APIRouter:
    """`/sign-in/oidc` and where the provider sends people back to."""
    provider = Provider(configured(session.settings.oidc))
    routes = APIRouter(include_in_schema=False)
    tries = Pace(rate=1, burst=30)

    def callback(request: Request) -> str:
        base = public_url.rstrip("/") or str(request.base_url).rstrip("/")
        return base + "/sign-in/oidc/callback"

    def refused(request: Request, problem: Exception) -> Response:
        address = request.client.host if request.client else ""
        session.accounts.log("", "sign-in-failed", "oidc", f"{address} {problem}")
        return show(request, "sign_in.html", next="/", status=401, elsewhere=_label(session),
                    problem="the identity provider did not sign you in; the audit log says why")  # fmt: skip

    @routes.get("/sign-in/oidc")
    async def leave(request: Request, next: str = "/") -> Response:
        tries.take(request.client.host if request.client else "")
        try:
            address, secret = await run_in_threadpool(
                provider.leave, callback(request), inward(next)
            )
        except (RefusedError, KeyError) as problem:
            return await run_in_threadpool(refused, request, problem)
        answer = RedirectResponse(address, 303)
        answer.set_cookie(FLOW, secret, max_age=PATIENCE, httponly=True, samesite="lax",
                          secure=public_url.startswith("https:"), path="/sign-in/oidc")  # fmt: skip
        return answer

    @routes.get("/sign-in/oidc/callback")
    async def back(request: Request) -> Response:
        tries.take(request.client.host if request.client else "")
        given = {k: v[:4_000] for k, v in request.query_params.items()}
        address = request.client.host if request.client else ""

        def enter() -> tuple[str, str]:
            flow = request.cookies.get(FLOW, "")
            claims, target = provider.back(flow, given, callback(request))
            name, role, types = provider.rights(claims)
            detail = json.dumps({"from": address, "sub": claims["sub"][:200], "role": role})
            decided = set(provider.config.teams.values())
            session.teams.place(ELSEWHERE + name[:200], decided, provider.teams(claims))
            return session.accounts.sign_in_elsewhere(name, role, types, detail), target

        try:
            secret, target = await run_in_threadpool(enter)
        except RefusedError as problem:
            return await run_in_threadpool(refused, request, problem)
        answer = RedirectResponse(target, 303)
        answer.delete_cookie(FLOW, path="/sign-in/oidc")
        answer.set_cookie(COOKIE, secret, max_age=int(SESSION_ELSEWHERE.total_seconds()),
                          httponly=True, samesite="lax", secure=public_url.startswith("https:"),
                          path="/")  # fmt: skip
        return answer

    return routes


def _label(session: Any) -> str:
    return str(session.settings.oidc.get("label", "single sign-on"))
