"""A server's inbox with the verbs of a session: the CLI works the same either way."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from secinbox import opening
from secinbox.decisions.states import Conflict
from secinbox.inbox.answers import NotFound
from secinbox.inbox.query import QueryError


class RemoteError(Exception):
    """The server cannot be reached or refuses."""


class RemoteSession:
    """A session over HTTP. Raises the same errors as a local one."""

    def __init__(self, url: str, token: str = "") -> None:
        import httpx2

        self.url = url.rstrip("/")
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx2.Client(
            base_url=self.url, headers=headers, timeout=httpx2.Timeout(600, connect=10)
        )

    def __enter__(self) -> RemoteSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        return self._body(self._reply(method, path, **options))

    def _body(self, answer: Any) -> dict[str, Any]:
        try:
            body: dict[str, Any] = answer.json()
        except ValueError:
            raise RemoteError(f"{self.url} does not answer like a secinbox server") from None
        return body

    def _reply(self, method: str, path: str, **options: Any) -> Any:
        import httpx2

        try:
            answer = self._client.request(method, "/api/v1" + path, **options)
        except httpx2.HTTPError as error:
            raise RemoteError(f"no answer from {self.url}: {error}") from None
        if answer.status_code < 400:
            return answer
        body = self._body(answer)
        detail = body.get("error", {}) if isinstance(body, dict) else {}
        message = str(detail.get("message", f"HTTP {answer.status_code}"))
        if answer.status_code == 404:
            raise NotFound(message)
        if answer.status_code == 409 and "changes" in detail:
            raise Conflict(message, detail.get("version", 0), detail["changes"])
        if answer.status_code == 422:
            raise QueryError(message)
        raise RemoteError(message)

    def import_reports(
        self,
        paths: tuple[str, ...],
        *,
        options: Mapping[str, str] | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> dict[str, Any]:
        """Uploads each report; the server stores each whole or not at all."""
        files: list[dict[str, Any]] = []
        places = list(opening.find(paths))
        for number, place in enumerate(places, 1):
            answer = self._ask(
                "POST",
                "/imports",
                content=opening.load(place),
                params={"name": place.name, **(options or {})},
                headers={"content-type": "application/octet-stream"},
            )
            for entry in answer["files"]:
                entry["path"] = place.shown
                if entry["status"] == "failed" and not place.explicit and entry["unknown"]:
                    entry["status"] = "skipped"
                files.append(entry)
            if progress:
                progress(place.shown, number, len(places))
        return {"files": files}

    def issues(self, query: str = "", **options: Any) -> dict[str, Any]:
        """See Session.issues."""
        return self._ask("GET", "/issues", params=_given(q=query, **options))

    def findings(self, query: str = "", **options: Any) -> dict[str, Any]:
        """See Session.findings."""
        return self._ask("GET", "/findings", params=_given(q=query, **options))

    def resources(self, query: str = "", **options: Any) -> dict[str, Any]:
        """See Session.resources."""
        return self._ask("GET", "/resources", params=_given(q=query, **options))

    def show(self, name: str) -> dict[str, Any]:
        """See Session.show."""
        return self._ask("GET", "/issues/" + quote(name, safe=""))

    def why(self, name: str) -> dict[str, Any]:
        """See Session.why."""
        return self._ask("GET", "/why", params={"name": name})

    def paths(self, **options: Any) -> dict[str, Any]:
        """See Session.paths."""
        return self._ask("GET", "/paths", params=_given(**options))

    def path(self, name: str) -> dict[str, Any]:
        """See Session.path."""
        return self._ask("GET", "/paths/" + quote(name, safe=""))

    def plan(self, *, limit: int = 50) -> dict[str, Any]:
        """See Session.plan."""
        return self._ask("GET", "/plan", params={"limit": limit})

    def what_if(self, names: list[str], *, limit: int = 20) -> dict[str, Any]:
        """See Session.what_if."""
        return self._ask("GET", "/plan/what-if", params={"fix": names, "limit": limit})

    def rank(self, *, everything: bool = False) -> dict[str, Any]:
        """See Session.rank."""
        return self._ask("POST", "/rank", params={"everything": everything})

    def decide(self, request: Mapping[str, Any], actor: str = "") -> dict[str, Any]:
        """See Session.decide; who decides is who the token is for."""
        del actor
        return self._ask("POST", "/decisions", json=dict(request))

    @property
    def automation(self) -> RemoteAutomation:
        """See Session.automation."""
        return RemoteAutomation(self._ask)

    def export(self, form: str, query: str = "") -> str:
        """See Session.export."""
        return str(self._reply("GET", "/export", params=_given(format=form, q=query)).text)

    @property
    def administration(self) -> RemoteAdministration:
        """See Session.administration."""
        return RemoteAdministration(self._ask)

    def groups(self, field: str, query: str = "") -> dict[str, Any]:
        """As Session.groups."""
        return self._ask("GET", "/groups", params=_given(by=field, q=query))

    def report(self, weeks: int = 12) -> dict[str, Any]:
        """As Session.report."""
        return self._ask("GET", "/report", params={"weeks": weeks})

    @property
    def delivery(self) -> RemoteDelivery:
        """See Session.delivery."""
        return RemoteDelivery(self._ask)

    def doctor(self) -> dict[str, Any]:
        """See Session.doctor."""
        return self._ask("GET", "/doctor")

    def rebuild(self, progress: object = None) -> dict[str, Any]:
        """Not while others read: refused."""
        del progress
        raise RemoteError("stop the server first: rebuild needs the home for itself")


class RemoteAutomation:
    """The rules of a server: see automating.Automation."""

    def __init__(self, ask: Callable[..., dict[str, Any]]) -> None:
        self._ask = ask

    def listing(self) -> dict[str, Any]:
        """See Automation.listing."""
        return self._ask("GET", "/rules")

    def apply(self, data: Sequence[Any], actor: str = "") -> dict[str, Any]:
        """See Automation.apply."""
        del actor
        return self._ask("POST", "/rules", json={"rules": list(data)})

    def test(self, data: Sequence[Any], days: int = 0) -> dict[str, Any]:
        """See Automation.test."""
        return self._ask("POST", "/rules/test", json={"rules": list(data)}, params={"days": days})

    def delete(self, identity: str, actor: str = "") -> dict[str, Any]:
        """See Automation.delete."""
        del actor
        return self._ask("DELETE", "/rules/" + quote(identity, safe=""))

    def switch(self, identity: str, enabled: bool, actor: str = "") -> dict[str, Any]:
        """See Automation.switch."""
        del actor
        verb = "enable" if enabled else "disable"
        return self._ask("POST", f"/rules/{quote(identity, safe='')}/{verb}")


class RemoteDelivery:
    """Tickets and notifications of a server: see delivery.desk.Delivery."""

    def __init__(self, ask: Callable[..., dict[str, Any]]) -> None:
        self._ask = ask

    def preview(self) -> dict[str, Any]:
        """See Delivery.preview."""
        return self._ask("GET", "/deliveries/preview")

    def send(self, *, hurry: bool = False) -> dict[str, Any]:
        """See Delivery.send."""
        return self._ask("POST", "/deliveries/send", params={"hurry": hurry})

    def standing(self) -> dict[str, Any]:
        """See Delivery.standing."""
        return self._ask("GET", "/deliveries")


class RemoteAdministration:
    """The accounts of a server: see administration.Administration."""

    def __init__(self, ask: Callable[..., dict[str, Any]]) -> None:
        self._ask = ask

    def tokens(self) -> dict[str, Any]:
        """See Administration.tokens."""
        return self._ask("GET", "/tokens")

    def create_token(
        self, name: str, role: str, expires: str = "", actor: str = "", types: Sequence[str] = ()
    ) -> dict[str, Any]:
        """See Administration.create_token."""
        del actor
        return self._ask("POST", "/tokens", json={
            "name": name, "role": role, "expires": expires, "types": list(types)})  # fmt: skip

    def revoke_token(self, identity: str, actor: str = "") -> dict[str, Any]:
        """See Administration.revoke_token."""
        del actor
        return self._ask("DELETE", "/tokens/" + quote(identity, safe=""))

    def users(self) -> dict[str, Any]:
        """See Administration.users."""
        return self._ask("GET", "/users")

    def teams(self) -> dict[str, Any]:
        """See Administration.teams."""
        return self._ask("GET", "/teams")

    def write_team(self, name: str, members: Sequence[str], actor: str = "") -> dict[str, Any]:
        """See Administration.write_team."""
        return self._ask("PUT", "/teams/" + quote(name, safe=""), json={"members": list(members)})

    def remove_team(self, name: str, actor: str = "") -> dict[str, Any]:
        """See Administration.remove_team."""
        return self._ask("DELETE", "/teams/" + quote(name, safe=""))

    def invite(
        self, name: str, role: str, actor: str = "", types: Sequence[str] = ()
    ) -> dict[str, Any]:
        """See Administration.invite."""
        del actor
        return self._ask("POST", "/users", json={
            "name": name, "role": role, "types": list(types)})  # fmt: skip

    def remove_user(self, name: str, actor: str = "") -> dict[str, Any]:
        """See Administration.remove_user."""
        del actor
        return self._ask("DELETE", "/users/" + quote(name, safe=""))

    def audit(self, *, limit: int = 1_000, before: int = 0) -> dict[str, Any]:
        """See Administration.audit."""
        return self._ask("GET", "/audit", params={"limit": limit, "before": before})


def _given(**options: Any) -> dict[str, Any]:
    return {k: v for k, v in options.items() if v not in ("", None)}


def server_of(home: Path) -> RemoteSession | None:
    """The server that runs on this home, if one does."""
    try:
        told = json.loads((home / "server.json").read_text("utf-8"))
        os.kill(int(told["pid"]), 0)
    except (OSError, ValueError, KeyError):
        return None
    return RemoteSession(told["url"], told["token"])
