"""Sign-in at an identity provider, and what who may see only some types of findings sees."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from secinbox.api import oidc
from secinbox.api.access import COOKIE
from secinbox.api.app import create_app
from secinbox.session import Session
from secinbox.settings import SettingsError
from tests.conftest import CLOCK, trivy, vulnerability
from tests.identity_provider import CLIENT, SECRET, Provider, provider
from tests.test_inbox import asff, instance


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("SECINBOX_OIDC_SECRET", SECRET)
    with provider() as running:
        yield running


def settings(there: Provider, **more: str) -> str:
    lines = {"issuer": f'"{there.issuer}"', "client_id": f'"{CLIENT}"', "private": "true", **more}
    table = "".join(f"{k} = {v}\n" for k, v in lines.items())
    return ('[oidc]\n' + table + '[oidc.roles]\nsec = "triager"\nops = "viewer"\nboss = "admin"\n'
            '[oidc.types]\nops = ["container_image_vulnerability"]\n'
            '[oidc.teams]\nsec = "security"\nops = "operations"\n')  # fmt: skip


@pytest.fixture
def client(there: Provider, tmp_path: Path) -> Iterator[TestClient]:
    home = tmp_path / "home"
    home.mkdir()
    (home / "secinbox.toml").write_text(settings(there))
    with Session(home, CLOCK) as session:
        rows = [asff("A.1", instance(1), tags={"env": "prod"})]
        session.import_reports(("r/a.json",), data=json.dumps({"Findings": rows}).encode())
        app = create_app(session, "the-token")
        with TestClient(app, follow_redirects=False) as opened:
            yield opened


def leave(client: TestClient, target: str = "/findings") -> str:
    """The address at which the provider sends the browser back."""
    away = client.get("/sign-in/oidc", params={"next": target})
    assert away.status_code == 303, away.text
    return httpx2.get(away.headers["location"], follow_redirects=False).headers["location"]


def come_back(client: TestClient, address: str) -> Any:
    return client.get(address.replace("http://testserver", ""))


def why(client: TestClient) -> str:
    events = client.app.state.session.administration.audit()["events"]  # type: ignore[attr-defined]
    return next(str(e["detail"]) for e in events if e["action"] == "sign-in-failed")


def test_groups_become_roles_and_the_session_works(client: TestClient, there: Provider) -> None:
    assert client.get("/").headers["location"].startswith("/sign-in")  # nobody reads without it
    assert "single sign-on" in client.get("/sign-in").text
    answer = come_back(client, leave(client))
    assert answer.status_code == 303 and answer.headers["location"] == "/findings"
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert client.get("/").status_code == 200
    session = client.app.state.session  # type: ignore[attr-defined]
    principal = session.accounts.by_session(client.cookies[COOKIE])
    assert (principal.name, principal.role) == ("oidc:ann", "triager")
    events = session.administration.audit()["events"]
    assert events[0]["action"] == "sign-in" and '"sub": "u-1"' in events[0]["detail"]
    assert SECRET not in json.dumps(events)
    for groups, role in ((["sec", "boss"], "admin"), (["ops"], "viewer"), ("boss", "admin")):
        there.person["groups"] = groups
        come_back(client, leave(client))
        assert session.accounts.by_session(client.cookies[COOKIE]).role == role
        wanted = {"sec": "security", "ops": "operations"}
        assert session.teams.of("oidc:ann") == sorted(wanted[g] for g in groups if g in wanted)


@pytest.mark.parametrize("target", ["//evil.test", "https://evil.test/", "/\\evil.test"])
def test_it_goes_on_within_this_server_only(
    client: TestClient, there: Provider, target: str
) -> None:
    assert come_back(client, leave(client, target)).headers["location"] == "/"


@pytest.mark.parametrize(("claims", "reason"), [
    ({"iss": "https://another.test"}, "another issuer"),
    ({"aud": "another"}, "somebody else"),
    ({"aud": [CLIENT, "another"]}, "given to somebody else"),
    ({"azp": "another"}, "given to somebody else"),
    ({"exp": int(time.time()) - 3_600}, "expired"),
    ({"exp": None}, "expired"),
    ({"iat": int(time.time()) + 3_600}, "future"),
    ({"iat": None}, "future"),
    ({"nbf": int(time.time()) + 3_600}, "not valid yet|JoseError|InvalidClaim"),
    ({"nonce": "another"}, "nonce differs"),
    ({"nonce": None}, "nonce differs"),
    ({"sub": None}, "of nobody"),
    ({"groups": ["others"]}, "no group"),
    ({"groups": None}, "no group"),
])  # fmt: skip
def test_wrong_claims_are_refused(
    client: TestClient, there: Provider, claims: dict[str, Any], reason: str
) -> None:
    there.claims = claims
    answer = come_back(client, leave(client))
    assert answer.status_code == 401 and COOKIE not in client.cookies
    assert re.search(reason, why(client)) and reason not in answer.text


@pytest.mark.parametrize("way", ["with_public_key_as_secret", "with_none", "with_another_key"])
def test_wrong_signatures_are_refused(
    client: TestClient, there: Provider, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.sign = getattr(there, way)
    assert come_back(client, leave(client)).status_code == 401
    assert COOKIE not in client.cookies and re.search("id token|no key", why(client))


def test_a_symmetric_key_among_the_public_ones_is_not_used(
    there: Provider, monkeypatch: Any
) -> None:
    from joserfc import jwt
    from joserfc.jwk import OctKey

    key = OctKey.generate_key(256, {"kid": "shared"})
    config = oidc.Config(there.issuer, CLIENT, SECRET, private=True)
    held = oidc.Provider(config)
    there.keys.append(key)  # type: ignore[arg-type]
    token = jwt.encode({"alg": "HS256", "kid": "shared"}, {"iss": there.issuer, "aud": CLIENT}, key)
    with pytest.raises(oidc.RefusedError):
        held.verified(token)
    assert [k["kty"] for k in held._key_set(False)["keys"]] == ["RSA"]


def test_keys_rotate(client: TestClient, there: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    assert come_back(client, leave(client)).status_code == 303
    there.rotate("second")
    # A moment later, so that wrong tokens cannot make us ask for the keys all the time.
    assert come_back(client, leave(client)).status_code == 401
    moment = time.monotonic
    monkeypatch.setattr(oidc.time, "monotonic", lambda: moment() + 10)
    assert come_back(client, leave(client)).status_code == 303
    assert there.asked.count("/jwks") == 2


def test_state_belongs_to_the_browser_and_works_once(client: TestClient, there: Provider) -> None:
    back = leave(client)
    with TestClient(client.app, follow_redirects=False) as other:
        assert come_back(other, back).status_code == 401  # somebody else's answer
    assert come_back(client, back.replace("state=", "state=x")).status_code == 401
    assert come_back(client, back).status_code == 401  # it was used up
    back = leave(client)
    assert come_back(client, back).status_code == 303
    assert come_back(client, back).status_code == 401
    assert come_back(client, leave(client)).status_code == 303


def test_an_old_sign_in_is_over(client: TestClient, there: Provider, monkeypatch: Any) -> None:
    back = leave(client)
    moment = time.monotonic
    monkeypatch.setattr(oidc.time, "monotonic", lambda: moment() + oidc.PATIENCE + 1)
    assert come_back(client, back).status_code == 401 and "under way" in why(client)


def test_the_verifier_goes_with_the_code(
    client: TestClient, there: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = leave(client), leave(client)  # the cookie is that of the second
    code = re.search(r"code=([^&]+)", first).group(1)  # type: ignore[union-attr]
    injected = re.sub(r"code=[^&]+", f"code={code}", second)
    assert come_back(client, injected).status_code == 401
    assert there.problems == ["invalid_grant"]


@pytest.mark.parametrize(("answer", "reason"), [
    ({"iss": "https://another.test"}, "another issuer"), ({"error": "access_denied"}, "access_denied"),
])  # fmt: skip
def test_what_the_redirect_says_is_checked(
    client: TestClient, there: Provider, answer: dict[str, str], reason: str
) -> None:
    there.answer = answer
    assert come_back(client, leave(client)).status_code == 401 and reason in why(client)


def test_a_provider_that_calls_itself_otherwise_is_refused(
    client: TestClient, there: Provider
) -> None:
    there.metadata = {"issuer": "https://another.test"}
    assert client.get("/sign-in/oidc").status_code == 401 and "calls itself" in why(client)


def test_a_private_provider_must_be_named_so(there: Provider) -> None:
    held = oidc.Provider(oidc.Config(there.issuer, CLIENT, SECRET))
    with pytest.raises(oidc.RefusedError, match="https"):
        held.metadata()


def test_a_user_here_cannot_bear_a_name_from_there(client: TestClient) -> None:
    from secinbox.decisions.states import DecisionError

    with pytest.raises(DecisionError, match="sign in elsewhere"):
        client.app.state.session.administration.invite("oidc:ann", "admin", "x")  # type: ignore[attr-defined]


def test_an_address_that_nobody_verified_is_no_name(there: Provider) -> None:
    held = oidc.Provider(oidc.Config(there.issuer, CLIENT, SECRET, name_claim="email",
                                     default_role="viewer"))  # fmt: skip
    told = {"sub": "u", "email": "boss@x.test"}
    assert held.rights(told)[0] == "u"
    assert held.rights(told | {"email_verified": True})[0] == "boss@x.test"


@pytest.mark.parametrize(("table", "message"), [
    ({"issuer": "https://x.test"}, "client_id is needed"), ({"x": 1}, "unknown key 'x'"),
    ({"issuer": "i", "client_id": "c", "roles": {"g": "root"}}, "one of: viewer"),
    ({"issuer": "i", "client_id": "c", "types": {"g": ["nothing"]}}, "no type 'nothing'"),
    ({"issuer": "i", "client_id": "c", "client_secret_env": "NOT_SET_HERE"}, "NOT_SET_HERE"),
])  # fmt: skip
def test_wrong_settings_are_told(table: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        oidc.configured(table)


# -- scopes of types --------------------------------------------------------------------------


@pytest.fixture
def scoped(session: Session, put: Callable[..., Any]) -> Session:
    session.automation.apply([{"kind": "inbox", "name": "All"}], "me")
    put({"Findings": [asff("SEE-NOT.1", instance(1), tags={"env": "prod"})]})
    put(trivy(vulnerability("CVE-2024-7777", "visible-package")), name="r/t.json")
    return session


SEEN, HIDDEN = "visible-package", re.compile(r"SEE-NOT", re.IGNORECASE)


def test_every_answer_keeps_to_the_types_of_the_caller(scoped: Session) -> None:
    """The matrix: each address that reads, as one who may see one type of two."""
    kept = scoped.administration.create_token(
        "t", "triager", types=["container_image_vulnerability"]
    )
    free = scoped.administration.create_token("f", "triager")
    hidden = scoped.issues("type:misconfiguration")["issues"][0]["id"]
    finding = scoped.findings("type:misconfiguration")["findings"][0]["id"]
    names = {"name": hidden, "identity": hidden, "rule_id": "x", "connection": "x", "case_id": "x"}
    with TestClient(create_app(scoped, "the-token")) as client:
        schema = client.get("/api/v1/openapi.json").json()["paths"]
        paths = [p for p, methods in schema.items() if "get" in methods]
        paths += ["/", "/inbox.json", "/findings.json", "/resources.json", "/health.json",
                  "/paths.json", "/plan.json", f"/issues/{hidden}.json", f"/issues/{hidden}"]  # fmt: skip
        query = {"/api/v1/why": {"name": finding}, "/api/v1/plan/what-if": {"fix": hidden}}
        leaks, seen, open_to_all = [], 0, 0
        for path in paths:
            address = re.sub(r"\{(\w+)\}", lambda m: names[m.group(1)], path)
            asked = query.get(path, {})
            for form in ("json", "csv", "sarif", "ocsf", "openvex", "cyclonedx-vex"):
                if path != "/api/v1/export" and form != "json":
                    continue
                more = {"format": form} if path == "/api/v1/export" else {}
                for token in (kept, free):
                    headers = {"authorization": f"Bearer {token['token']}"}
                    answer = client.get(address, params=asked | more, headers=headers)
                    text = answer.text.replace(hidden, "")
                    if token is kept and HIDDEN.search(text):
                        leaks.append((path, form))
                    if token is free and HIDDEN.search(text):
                        open_to_all += 1
                    seen += token is kept and SEEN in text
        assert not leaks and seen >= 6 and open_to_all >= 8
        headers = {"authorization": f"Bearer {kept['token']}"}
        assert client.get(f"/api/v1/issues/{hidden}", headers=headers).status_code == 404
        for body in ({"issues": [hidden]}, {"findings": [finding]},
                     {"rule": "SEE-NOT.1", "resource": instance(1)}, {"matching": "severity:high"},
                     {"batch": "x"}):  # fmt: skip
            action = "undo" if "batch" in body else "mute"
            asked = {"action": action, "reason": "other", **body}
            status = client.post("/api/v1/decisions", json=asked, headers=headers).status_code
            assert status in (403, 404, 422), body
        assert scoped.show(hidden)["status"] == "open"
        told = client.post("/api/v1/rules/test", json={"rules": []}, headers=headers)
        assert told.status_code == 403
        search = client.post("/api/v2/security/findings/search", json={}, headers=headers).text
        assert SEEN in search and not HIDDEN.search(search)
        # The next request of somebody else is not narrowed.
        free_headers = {"authorization": f"Bearer {free['token']}"}
        assert HIDDEN.search(client.get("/api/v1/issues", headers=free_headers).text)


def test_a_group_limits_what_its_members_see(client: TestClient, there: Provider) -> None:
    there.person["groups"] = ["ops"]
    come_back(client, leave(client))
    assert client.get("/inbox.json").json()["total"] == 0
    there.person["groups"] = ["ops", "sec"]
    come_back(client, leave(client))
    assert client.get("/inbox.json").json()["total"] == 1


def test_scopes_are_checked(scoped: Session) -> None:
    from secinbox.decisions.states import DecisionError

    with pytest.raises(DecisionError, match="no type 'x'"):
        scoped.administration.create_token("t", "viewer", types=["x"])
    with pytest.raises(DecisionError, match="administrator"):
        scoped.administration.create_token("t", "admin", types=["secret"])
