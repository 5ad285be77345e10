"""Making the calls: many at once, each answer written as it comes, what is written not asked again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from secinbox.collect.aws.accounts import Account, home_region
from secinbox.collect.aws.calls import HOMES, ROOTS, Call, Each, followers
from secinbox.collect.aws.writing import Folder
from secinbox.inventory.aws.answers import is_absent
from secinbox.inventory.aws.calls import snake, walk
from secinbox.reading import ReportError

CHUNK = 40  # elements that one task asks about, one after the other
Report = Callable[[str, int, int], None]


@dataclass
class Task:
    """A call in one region (`region` is `global` for those of the whole account)."""

    account: Account
    call: Call
    region: str
    pending: int = 0
    lines: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    refused: bool = False

    @property
    def where(self) -> str:
        """The region that is really asked."""
        if self.region != "global":
            return self.region
        return HOMES.get(self.call.service) or home_region(self.account.session)


class Flight:
    """Requests that AWS has not answered yet: how many now, at most, and on average over the run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._waited = 0.0
        self.requests = self.now = self.most = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        with self._lock:
            self.requests += 1
            self.now += 1
            self.most = max(self.most, self.now)
        start = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self.now -= 1
                self._waited += time.monotonic() - start

    @property
    def mean(self) -> float:
        """Near `jobs` where AWS is what takes the time."""
        return self._waited / max(time.monotonic() - self._began, 1e-9)


@dataclass
class Collection:
    """One run. `gaps` are the calls that were refused or are missing, with the reason."""

    folder: Folder
    jobs: int = 16
    progress: Report | None = None
    done: int = 0
    total: int = 0
    flight: Flight = field(default_factory=Flight)

    def run(self, accounts: list[Account]) -> None:
        """All calls of all accounts; follow-ups start when what they hang on is there."""
        with ThreadPoolExecutor(self.jobs, thread_name_prefix="collect") as pool:
            running: dict[Future[None], Task] = {}

            def start(task: Task) -> None:
                self.total += 1
                for work in self._parts(task):
                    task.pending += 1
                    running[pool.submit(work)] = task
                if not task.pending:
                    finish(task)

            def finish(task: Task) -> None:
                self.done += 1
                self._write(task)
                if self.progress:
                    self.progress(f"{self.flight.now} in flight, {task.account.id} {task.region} "
                                  f"{task.call.operation}", self.done, self.total)  # fmt: skip
                # Nobody asks about the elements of a list that was refused.
                if self.folder.has(task.account.id, task.region, task.call.operation):
                    for each in followers(task.call):
                        start(Task(task.account, each, task.region))

            try:
                for account in accounts:
                    for call in ROOTS:
                        regions = ("global",) if call.where == "global" else account.regions
                        for region in regions:
                            start(Task(account, call, region))
                while running:
                    ended, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in ended:
                        task = running.pop(future)
                        future.result()
                        task.pending -= 1
                        if not task.pending:
                            finish(task)
            except BaseException:
                # Ctrl-C must not wait for everything that is still to be asked.
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    # What a task asks

    def _parts(self, task: Task) -> Iterator[Callable[[], None]]:
        call = task.call
        if self.folder.has(task.account.id, task.region, call.operation):
            return
        if not task.account.offers(call.service, task.where):
            self.folder.skip(task.account.id, task.region, call.operation)
            return
        asked = list(self._requests(task))
        if not call.many:
            yield lambda: self._ask(task, 0, asked[0] if asked else {})
            return
        for start in range(0, len(asked), CHUNK):
            part = list(enumerate(asked))[start : start + CHUNK]

            def work(part: list[tuple[int, dict[str, Any]]] = part) -> None:
                for index, request in part:
                    self._ask(task, index, request)

            yield work

    def _requests(self, task: Task) -> Iterator[dict[str, Any]]:
        call = task.call
        fixed = [{k: _filled(v, task) for k, v in asks.items()} for asks in call.asks]
        if not isinstance(call, Each):
            yield from fixed or [{}]
            return
        more = fixed[0] if fixed else {}
        for request, answer in self.folder.answers(task.account.id, task.region, call.of):
            elements = [e for e in walk(answer, call.path) if _asked_about(call, e)]
            if call.batch:
                for start in range(0, len(elements), call.batch):
                    part = elements[start : start + call.batch]
                    yield {k: _taken(t, request, part) for k, t in call.takes.items()} | more
                continue
            for element in elements:
                taken = {k: _taken(t, request, element) for k, t in call.takes.items()}
                if all(v not in (None, "") for v in taken.values()):
                    yield taken | more

    # One request

    def _ask(self, task: Task, index: int, request: dict[str, Any]) -> None:
        call = task.call
        try:
            client = task.account.client(call.service, task.where)
            with self.flight.one():
                if call.operation == "iam.get_credential_report":
                    _make_report(client)
                answer = _whole(client, snake(call.name), request)
        except Exception as error:
            code = error_code(error)
            if code in _ENDED:
                # Everything from here on would be refused alike, and look as if it were denied.
                raise _ended(task.account, code) from None
            if not is_absent(code):
                task.refused = True
                self.folder.gap(task.account.id, task.region, call, request, code, str(error))
            answer = {"Error": code}
        task.lines.append((index, {"request": request, "response": answer}))

    def _write(self, task: Task) -> None:
        if not task.lines and (not task.call.many or self.folder.has(
                task.account.id, task.region, task.call.operation)):  # fmt: skip
            return
        lines = [line for _, line in sorted(task.lines, key=lambda pair: pair[0])]
        if task.refused and not task.call.many:
            self.folder.forget(task.account.id, task.region, task.call.operation)
            return
        self.folder.write(task.account.id, task.region, task.call, lines)


def _asked_about(call: Each, element: Any) -> bool:
    field, values = call.only
    told = next(walk(element, field), None) if field else None
    return told is None or told in values


def _filled(value: Any, task: Task) -> Any:
    return value.replace("{account}", task.account.id) if isinstance(value, str) else value


def _taken(source: str, request: Mapping[str, Any], element: Any) -> Any:
    if source == ".":
        return element
    if source.startswith("^"):
        return request.get(source[1:])
    return next(walk(element, source), None)


def _whole(client: Any, method: str, request: dict[str, Any]) -> dict[str, Any]:
    """The answer with all its pages."""
    if client.can_paginate(method):
        answer = client.get_paginator(method).paginate(**request).build_full_result()
    else:
        # Operations whose pages the library does not know.
        answer = getattr(client, method)(**request)
        seen: set[str] = set()
        while (token := answer.pop("NextToken", None)) and token not in seen:
            seen.add(token)
            more = getattr(client, method)(**request, NextToken=token)
            answer |= {k: answer.get(k, []) + v for k, v in more.items() if isinstance(v, list)}
            answer["NextToken"] = more.get("NextToken")
    return {k: v for k, v in answer.items() if k != "ResponseMetadata"}


def _make_report(client: Any, tries: int = 30) -> None:
    """AWS makes the credential report on demand, in seconds to a minute."""
    for _ in range(tries):
        if client.generate_credential_report().get("State") == "COMPLETE":
            return
        time.sleep(2)


# What services and the client library say of credentials whose time is over.
_ENDED = frozenset({
    "ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired",
    "SSOTokenLoadError", "UnauthorizedSSOTokenError", "CredentialRetrievalError", "NoCredentialsError",
})  # fmt: skip


def _ended(account: Account, code: str) -> ReportError:
    return ReportError(
        f"the credentials ended in the middle ({code})", f"account {account.id}",
        "sign in again and give the same command: it goes on where it was",
    )  # fmt: skip


def error_code(error: Exception) -> str:
    """The service's own code, else the kind of the error."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return str(code or type(error).__name__)


def last_accessed(account: Account, folder: Folder, jobs: int) -> None:
    """When each user and role last used which service: two calls each, the second when it is ready."""
    operation = "iam.get_service_last_accessed_details"
    if folder.has(account.id, "global", operation):
        return
    client = account.client("iam", home_region(account.session))
    arns = [
        str(arn)
        for source, path in (("iam.list_users", "Users[].Arn"), ("iam.list_roles", "Roles[].Arn"))
        for _, answer in folder.answers(account.id, "global", source)
        for arn in walk(answer, path)
    ]
    call = Call("iam", "GetServiceLastAccessedDetails", "global")

    def ask(arn: str) -> dict[str, Any] | None:
        try:
            job = client.generate_service_last_accessed_details(Arn=arn)["JobId"]
            for _ in range(60):
                answer = _whole(client, "get_service_last_accessed_details", {"JobId": job})
                if answer.get("JobStatus") != "IN_PROGRESS":
                    break
                time.sleep(1)
        except Exception as error:
            code = error_code(error)
            if code in _ENDED:
                raise _ended(account, code) from None
            folder.gap(account.id, "global", call, {"Arn": arn}, code, str(error))
            return None
        return {"request": {"JobId": job, "Arn": arn}, "response": answer}

    with ThreadPoolExecutor(jobs) as pool:
        lines = [line for line in pool.map(ask, arns) if line is not None]
    folder.write(account.id, "global", call, lines, many=True)
