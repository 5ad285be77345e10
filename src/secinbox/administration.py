"""Accounts as every face offers them: tokens, users, one-time links, the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from secinbox.inbox.answers import NotFound


class Administration:
    """What a session does with accounts."""

    def __init__(self, session: Any) -> None:
        self._session = session

    @property
    def _accounts(self) -> Any:
        return self._session.accounts

    def tokens(self) -> dict[str, Any]:
        """{"tokens": [...]} without their secrets."""
        rows = self._accounts.tokens()
        return {"tokens": [{k: v or None for k, v in row.items()} for row in rows]}

    def create_token(
        self, name: str, role: str, expires: str = "", actor: str = "", types: Sequence[str] = ()
    ) -> dict[str, Any]:
        """{"token", "id", "expires"}; the token is told this once."""
        from secinbox.decisions.accounts import now
        from secinbox.decisions.states import moment

        until = moment(expires, now(), what="expires") if expires else ""
        told: dict[str, Any] = self._accounts.create_token(name, role, actor, until, types)
        return told

    def revoke_token(self, identity: str, actor: str = "") -> dict[str, Any]:
        """Raises NotFound."""
        try:
            self._accounts.revoke_token(identity, actor)
        except LookupError as error:
            raise NotFound(str(error)) from None
        return {"revoked": identity}

    def users(self) -> dict[str, Any]:
        """{"users": [...]}."""
        rows = self._accounts.users()
        return {"users": [{k: v or None for k, v in row.items()} for row in rows]}

    def invite(
        self, name: str, role: str, actor: str = "", types: Sequence[str] = ()
    ) -> dict[str, Any]:
        """{"name", "role", "path", "expires"}: who opens the path sets the password, once."""
        told = self._accounts.invite(name, role, actor, types)
        return {"name": name, "role": role, "path": f"/link/{told['code']}",
                "expires": told["expires"]}  # fmt: skip

    def remove_user(self, name: str, actor: str = "") -> dict[str, Any]:
        """Raises NotFound."""
        try:
            self._accounts.remove_user(name, actor)
        except LookupError as error:
            raise NotFound(str(error)) from None
        return {"removed": name}

    def teams(self) -> dict[str, Any]:
        """{"teams": [{"name", "members"}]}."""
        return {"teams": [{"name": n, "members": m} for n, m in self._session.teams.all().items()]}

    def write_team(self, name: str, members: Sequence[str], actor: str = "") -> dict[str, Any]:
        """{"name", "members"}: the team has just these members from now on."""
        return {"name": name, "members": self._session.teams.write(name, members, actor)}

    def remove_team(self, name: str, actor: str = "") -> dict[str, Any]:
        """Raises NotFound."""
        try:
            self._session.teams.remove(name, actor)
        except LookupError as error:
            raise NotFound(str(error)) from None
        return {"removed": name}

    def audit(self, *, limit: int = 1_000, before: int = 0) -> dict[str, Any]:
        """{"events": [...], "next"}, newest first."""
        rows = self._accounts.audit(limit=limit, before=before)
        return {"events": rows, "next": rows[-1]["id"] if len(rows) == limit else None}
