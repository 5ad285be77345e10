"""Google Cloud: an organisation, folder or project through Cloud Asset Inventory, as it answers.

Only configuration is read: no object, row, message or secret value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from secinbox.collect.rest import Answers, Refused, Rest
from secinbox.reading import ReportError

__all__ = ["Asked", "Collected", "collect", "policy"]

# What of every asset is listed, and the permission that each needs.
CONTENTS = {
    "RESOURCE": "cloudasset.assets.listResource",
    "IAM_POLICY": "cloudasset.assets.listIamPolicy",
    "ORG_POLICY": "cloudasset.assets.listOrgPolicy",
    "ACCESS_POLICY": "cloudasset.assets.listAccessPolicy",
    "RELATIONSHIP": "cloudasset.assets.listResource",
}
_ASSETS, _IAM = "https://cloudasset.googleapis.com", "https://iam.googleapis.com"
_GROUPS = "https://cloudidentity.googleapis.com"
_MOST_GROUPS = 5000
_TRIES = 10  # of groups that are all refused: then none will be shown
_ADDRESS = re.compile(r"[\w+'-][\w.+'-]*@[\w-]+(\.[\w-]+)+")
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Asked:
    """What the caller wants read: `organizations/1`, `folders/2`, `projects/NAME`."""

    scopes: tuple[str, ...]


@dataclass
class Collected:
    """What became of it."""

    folder: Path
    scopes: list[str] = field(default_factory=list)
    assets: int = 0
    requests: int = 0
    resumed: bool = False
    gaps: dict[str, str] = field(default_factory=dict)


def collect(to: Path, asked: Asked, progress: Progress | None = None,
            clients: tuple[Rest, Rest, Rest] | None = None) -> Collected:  # fmt: skip
    """Reads everything into `to`. Raises ReportError when no resource could be read at all."""
    for scope in asked.scopes:
        kind, _, name = scope.partition("/")
        if kind not in ("organizations", "folders", "projects") or not name or "/" in name:
            raise ReportError(f"{scope} is no scope", "--scope",
                              "write organizations/NUMBER, folders/NUMBER or projects/NAME")  # fmt: skip
    assets, iam, groups = clients or _clients()
    answers = Answers(to)
    result = Collected(to, list(asked.scopes))
    refused: list[Refused] = []
    steps = [(s, c) for s in asked.scopes for c in (*CONTENTS, "DENY_POLICY")]
    try:
        answers.open()
        for number, (scope, content) in enumerate(steps, 1):
            name = f"{scope.replace('/', '-')}/{content.lower()}"
            if not answers.has(name):
                try:
                    rows = (
                        _denies(iam, scope)
                        if content == "DENY_POLICY"
                        else _assets(assets, scope, content)
                    )
                except Refused as error:
                    answers.gap(name, error)
                    if content == "RESOURCE":
                        refused.append(error)
                else:
                    answers.write(name, rows, lines=True)
                    result.assets += len(rows)
            if progress:
                progress(name, number, len(steps) + 1)
        _members(groups, answers, [f"{s.replace('/', '-')}/iam_policy" for s in asked.scopes])
        if progress:
            progress("groups", len(steps) + 1, len(steps) + 1)
        if len(refused) == len(asked.scopes):
            raise ReportError(f"cannot read Google Cloud: {refused[0]}", ", ".join(asked.scopes),
                              "see `gcloud auth application-default login` and `--print-policy`")  # fmt: skip
        answers.close()
    finally:
        for client in (assets, iam, groups):
            client.close()
    result.requests = sum(client.requests for client in (assets, iam, groups))
    result.resumed, result.gaps = answers.resumed, answers.gaps
    return result


def _assets(client: Rest, scope: str, content: str) -> list[dict[str, Any]]:
    params = {"contentType": content, "pageSize": "1000"}
    if content == "RELATIONSHIP":
        params["relationshipTypes"] = "INSTANCE_TO_INSTANCEGROUP"
    return list(client.pages(f"/v1/{scope}/assets", "assets", "nextPageToken", params))


def _denies(client: Rest, scope: str) -> list[dict[str, Any]]:
    """Deny policies of a place, which the inventory of assets leaves out."""
    place = quote(f"cloudresourcemanager.googleapis.com/{scope}", safe="")
    rows = list(client.pages(f"/v2/policies/{place}/denypolicies", "policies", "nextPageToken"))
    # The list says which there are, each one says its rules.
    return [client.ask(f"/v2/{row['name']}") for row in rows if isinstance(row.get("name"), str)]


def _members(client: Rest, answers: Answers, policies: list[str]) -> None:
    """Who is in the groups that policies name, and in the groups in those.

    Whoever may not see them leaves a gap, once: what groups hold is then nobody's for certain.
    """
    wanted = sorted({g for name in policies for g in _bound(answers, name)})
    known: set[str] = set()
    refused: list[Refused] = []
    while wanted and len(known) < _MOST_GROUPS and not len(known) == len(refused) == _TRIES:
        address = wanted.pop()
        # The name becomes a file's: nothing but an address may.
        if address in known or not _ADDRESS.fullmatch(address):
            continue
        known.add(address)
        name = f"groups/{address}"
        if not answers.has(name):
            try:
                found = client.ask("/v1/groups:lookup", params={"groupKey.id": address})
                own = str(found.get("name") or "")
                rows = list(client.pages(f"/v1/{own}/memberships", "memberships", "nextPageToken",
                                         {"view": "FULL", "pageSize": "500"}))  # fmt: skip
            except Refused as error:
                refused.append(error)
                continue
            answers.write(name, {"name": own, "groupKey": {"id": address}, "memberships": rows})
        for row in answers.document(name).get("memberships", ()):
            key = row.get("preferredMemberKey") if isinstance(row, dict) else None
            if isinstance(key, dict) and row.get("type") == "GROUP" and key.get("id"):
                wanted.append(str(key["id"]).lower())
    if refused:
        answers.gaps["groups"] = f"{len(refused)} of {len(known)}: {refused[0]}"


def _bound(answers: Answers, name: str) -> set[str]:
    """Addresses of the groups that the policies of one listing name."""
    out = set()
    for row in answers.rows(name):
        policy = row.get("iamPolicy")
        bindings = policy.get("bindings") if isinstance(policy, dict) else None
        for binding in bindings if isinstance(bindings, list) else ():
            members = binding.get("members") if isinstance(binding, dict) else None
            out |= {str(m)[6:].lower() for m in (members if isinstance(members, list) else ())
                    if str(m).startswith("group:")}  # fmt: skip
    return out


class _Transport:
    """How the sign-in library makes its own requests: with the client that is here anyway."""

    def __init__(self) -> None:
        import httpx2

        self._client = httpx2.Client(timeout=30)

    def __call__(self, url: str, method: str = "GET", body: Any = None, headers: Any = None,
                 timeout: float | None = None, **_: Any) -> Any:  # fmt: skip
        got = self._client.request(
            method, url, content=body, headers=headers, timeout=timeout or 30
        )

        @dataclass
        class Response:
            status: int
            headers: Any
            data: bytes

        return Response(got.status_code, got.headers, got.content)


def _clients() -> tuple[Rest, Rest, Rest]:
    """Signed in with the application default credentials."""
    try:
        import google.auth
        from google.auth.exceptions import DefaultCredentialsError, RefreshError
    except ImportError:
        raise ReportError("the Google sign-in library is not installed", "google-auth",
                          "pip install 'secinbox[gcp]'") from None  # fmt: skip
    transport: Any = _Transport()
    try:
        credentials: Any
        credentials, project = google.auth.default(scopes=[_SCOPE])
    except DefaultCredentialsError as error:
        raise ReportError(str(error)[:300], "Google Cloud",
                          "see `gcloud auth application-default login`") from None  # fmt: skip

    def token(fresh: bool) -> str:
        if fresh or not credentials.valid:
            try:
                credentials.refresh(transport)
            except RefreshError as error:
                raise Refused("sign-in", str(error)[:200]) from None
        return str(credentials.token)

    # A person's own sign-in has to say which project's quota pays for the list of members.
    quota = getattr(credentials, "quota_project_id", None) or project
    headers = {"x-goog-user-project": str(quota)} if quota else {}
    return Rest(_ASSETS, token), Rest(_IAM, token), Rest(_GROUPS, token, headers)


def policy() -> dict[str, Any]:
    """A custom role of the permissions that the collection needs."""
    permissions = {*CONTENTS.values(), "iam.denypolicies.list", "iam.denypolicies.get"}
    return {
        "title": "secinbox collect",
        "description": "Reads configuration, and nothing of the data. Members of groups need the "
        "administrator role Groups Reader of Cloud Identity as well.",
        "stage": "GA",
        "includedPermissions": sorted(permissions),
    }
