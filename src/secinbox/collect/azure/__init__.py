"""Azure and Entra ID: every subscription that can be read, as the APIs answer.

Only configuration is read: no blob, message, secret, key or application setting.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from secinbox.collect.azure.tables import (
    BELOW,
    LISTS,
    PERMISSIONS,
    PROVIDERS,
    TABLES,
    Below,
    Listed,
)
from secinbox.collect.rest import Answers, Refused, Rest
from secinbox.reading import ReportError

__all__ = ["Asked", "Collected", "collect", "policy"]

_GRAPH_VERSION = "2022-10-01"
_SUBSCRIPTIONS = 200  # that one query of Resource Graph may name
# Cloud -> (ARM, Microsoft Graph, host of sign-in).
CLOUDS = {
    "public": ("https://management.azure.com", "https://graph.microsoft.com", "login.microsoftonline.com"),
    "usgov": ("https://management.usgovcloudapi.net", "https://graph.microsoft.us",
              "login.microsoftonline.us"),
    "china": ("https://management.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn",
              "login.chinacloudapi.cn"),
}  # fmt: skip
Progress = Callable[[str, int, int], None]
Token = Callable[[bool], str]


@dataclass(frozen=True)
class Asked:
    """What the caller wants read."""

    subscriptions: tuple[str, ...] = ()
    cloud: str = "public"
    directory: bool = True
    jobs: int = 8


@dataclass
class Collected:
    """What became of it."""

    folder: Path
    subscriptions: list[str] = field(default_factory=list)
    rows: int = 0
    requests: int = 0
    resumed: bool = False
    gaps: dict[str, str] = field(default_factory=dict)


def collect(to: Path, asked: Asked, progress: Progress | None = None,
            clients: tuple[Rest, Rest] | None = None) -> Collected:  # fmt: skip
    """Reads everything into `to`. Raises ReportError when no subscription could be read at all."""
    arm, graph = clients or _clients(asked.cloud)
    try:
        return _Run(to, asked, arm, graph, progress).run()
    finally:
        arm.close()
        graph.close()


class _Run:
    def __init__(
        self, to: Path, asked: Asked, arm: Rest, graph: Rest, progress: Progress | None
    ) -> None:
        self.asked, self.arm, self.graph, self.progress = asked, arm, graph, progress
        self.answers = Answers(to)
        self.result = Collected(to)
        self._lock = threading.Lock()
        self.done = 0
        self.total = len(TABLES) + len(BELOW) + (len(LISTS) if asked.directory else 0)

    def run(self) -> Collected:
        subscriptions = self._subscriptions()
        self.answers.open()
        self.result.subscriptions = subscriptions
        for table in TABLES:
            self._kept(f"resourcegraph/{table}", partial(self._table, table, subscriptions))
        found = _by_type(self.answers.document("resourcegraph/resources").get("data", ()))
        found["subscription"] = [f"/subscriptions/{s}" for s in subscriptions]
        for call in BELOW:
            of = found.get(call.of, [])
            self._kept(f"arm/{call.name}", partial(self._below, call, of))
            found = _by_type(self.answers.document(f"arm/{call.name}").get("value", ())) | found
        for listed in LISTS if self.asked.directory else ():
            self._kept(f"graph/{listed.name}", partial(self._list, listed))
        self.answers.close()
        self.result.requests = self.arm.requests + self.graph.requests
        self.result.resumed, self.result.gaps = self.answers.resumed, self.answers.gaps
        return self.result

    def _kept(self, name: str, ask: Callable[[], dict[str, Any]]) -> None:
        """Asks unless it was written before the run was broken off; a refusal is a gap."""
        if not self.answers.has(name):
            try:
                document = ask()
            except Refused as error:
                self.answers.gap(name, error)
            else:
                self.answers.write(name, document)
        self.result.rows += len(self.answers.document(name).get(
            "data", self.answers.document(name).get("value", ())))  # fmt: skip
        self.done += 1
        if self.progress:
            self.progress(name, self.done, self.total)

    def _subscriptions(self) -> list[str]:
        try:
            rows = list(
                self.arm.pages("/subscriptions", "value", "nextLink", {"api-version": "2022-12-01"})
            )
        except Refused as error:
            raise ReportError(
                f"cannot sign in to Azure: {error}", "Azure", "see `az login`"
            ) from None
        known = [str(r.get("subscriptionId")) for r in rows if r.get("subscriptionId")]
        wanted = {s.lower() for s in self.asked.subscriptions}
        kept = sorted(s for s in known if not wanted or s.lower() in wanted)
        if not kept:
            raise ReportError("no subscription can be read", ", ".join(self.asked.subscriptions) or "Azure",
                              "give the identity the role that `--print-policy` prints")  # fmt: skip
        return kept

    def _table(self, table: str, subscriptions: list[str]) -> dict[str, Any]:
        rows: list[Any] = []
        for start in range(0, len(subscriptions), _SUBSCRIPTIONS):
            token = ""
            while True:
                options: dict[str, Any] = {"resultFormat": "objectArray", "$top": 1000}
                if token:
                    options["$skipToken"] = token
                answer = self.arm.ask(
                    "/providers/Microsoft.ResourceGraph/resources",
                    {"subscriptions": subscriptions[start : start + _SUBSCRIPTIONS],
                     "query": f"{table} | order by id asc", "options": options},
                    {"api-version": _GRAPH_VERSION})  # fmt: skip
                data = answer.get("data")
                rows += data if isinstance(data, list) else []
                token = str(answer.get("$skipToken") or "")
                if not token:
                    break
        return {"count": len(rows), "data": rows}

    def _below(self, call: Below, parents: Sequence[str]) -> dict[str, Any]:
        """The answers about every parent; what is refused of one is missing of that one only."""
        refused: list[Refused] = []
        silent: set[str] = set()

        def ask(parent: str) -> list[dict[str, Any]]:
            params = {"api-version": call.version}
            try:
                if call.many:
                    return list(self.arm.pages(parent + call.path, "value", "nextLink", params))
                return [self.arm.ask(parent + call.path, params=params)]
            except Refused as error:
                # Where a resource is gone, or has no such thing, there is nothing to know.
                if not error.code.startswith("404"):
                    with self._lock:
                        refused.append(error)
                        silent.add(parent.split("/")[2])
                return []

        rows = [row for found in self._each(ask, parents) for row in found]
        if refused:
            where = f"arm/{call.name}"
            self.answers.gaps[where] = f"{len(refused)} of {len(parents)}: {refused[0]}"
            if len(refused) == len(parents):
                raise refused[0]
        covered = sorted({f"azure:{p.split('/')[2].lower()}/{call.kind}" for p in parents
                          if call.kind and p.split("/")[2] not in silent})  # fmt: skip
        return {"value": rows, "secinbox.covered": covered}

    def _each(self, ask: Callable[[str], Any], names: Sequence[str]) -> Iterator[Any]:
        with ThreadPoolExecutor(self.asked.jobs, thread_name_prefix="collect") as pool:
            yield from pool.map(ask, names)

    def _list(self, listed: Listed) -> dict[str, Any]:
        path = listed.path.partition("?")[0].removeprefix("/v1.0/")
        if listed.groups:

            def ask(group: str) -> list[dict[str, Any]]:
                at = listed.path.replace("{id}", group)
                return list(self.graph.pages(at, "value", "@odata.nextLink"))

            rows = [row for found in self._each(ask, self._powerful()) for row in found]
        else:
            rows = list(self.graph.pages(listed.path, "value", "@odata.nextLink"))

        def fill(row: dict[str, Any]) -> None:
            for word in listed.below:
                row[word] = list(self.graph.pages(
                    f"/v1.0/{path}/{row.get('id')}/{word}", "value", "@odata.nextLink"))  # fmt: skip

        if listed.below:
            with ThreadPoolExecutor(self.asked.jobs, thread_name_prefix="collect") as pool:
                list(pool.map(fill, rows))
        return {
            "@odata.context": f"https://graph.microsoft.com/v1.0/$metadata#{path}",
            "value": rows,
        }

    def _powerful(self) -> list[str]:
        """Groups that hold a role, or that one may be assigned to."""
        holders = set()
        for name in ("resourcegraph/authorizationresources", "graph/roleAssignments",
                     "graph/roleEligibilityScheduleInstances"):  # fmt: skip
            document = self.answers.document(name)
            for row in document.get("data", document.get("value", ())):
                inner = row.get("properties") if isinstance(row, dict) else None
                for one in (row, inner):
                    if isinstance(one, dict) and isinstance(one.get("principalId"), str):
                        holders.add(one["principalId"].lower())
        groups = self.answers.document("graph/groups").get("value", ())
        return sorted(str(g["id"]) for g in groups if isinstance(g, dict) and g.get("id") and (
            g.get("isAssignableToRole") is True or str(g["id"]).lower() in holders))  # fmt: skip


def _by_type(rows: Iterable[Any]) -> dict[str, list[str]]:
    """type -> ids of what was listed."""
    out: dict[str, list[str]] = {}
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("id"), str):
            out.setdefault(str(row.get("type") or "").lower(), []).append(row["id"])
    return out


def _clients(cloud: str) -> tuple[Rest, Rest]:
    """Signed in as the command line of Azure, a managed identity or the environment does."""
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError:
        raise ReportError("the Azure sign-in library is not installed", "azure-identity",
                          "pip install 'secinbox[azure]'") from None  # fmt: skip
    arm, graph, host = CLOUDS[cloud]
    credential = DefaultAzureCredential(authority=host)

    def token(scope: str) -> Token:
        # The library keeps a token until shortly before it ends, and then gets another.
        return lambda fresh: str(credential.get_token(f"{scope}/.default").token)

    return Rest(arm, token(arm)), Rest(graph, token(graph), {"ConsistencyLevel": "eventual"})


def policy() -> dict[str, Any]:
    """A custom role of reading only, and the permissions of Microsoft Graph."""
    actions = [f"Microsoft.{name}/*/read" for name in PROVIDERS]
    actions += ["Microsoft.Management/managementGroups/read", "Microsoft.ResourceGraph/resources/read",
                "Microsoft.Resources/subscriptions/read",
                "Microsoft.Resources/subscriptions/resourceGroups/read"]  # fmt: skip
    return {
        "role": {
            "Name": "secinbox collect",
            "Description": "Reads configuration, and nothing of the data.",
            "Actions": sorted(actions),
            "NotActions": [],
            "DataActions": [],
            "AssignableScopes": ["/providers/Microsoft.Management/managementGroups/ID"],
        },
        "graph": list(PERMISSIONS),
    }
