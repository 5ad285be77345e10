"""AWS: every account and region through the API, as `ACCOUNT/REGION/service.operation.json`.

Only describe, list and get calls of configuration; no object, message, secret value or log is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from secinbox.collect.aws.accounts import accounts
from secinbox.collect.aws.policy import policy
from secinbox.collect.aws.running import Collection, last_accessed
from secinbox.collect.aws.writing import Folder
from secinbox.reading import ReportError

__all__ = ["Asked", "Collected", "collect", "policy"]


@dataclass(frozen=True)
class Asked:
    """What the caller wants read."""

    roles: tuple[str, ...] = ()
    organization_role: str = ""
    regions: tuple[str, ...] = ()
    profile: str = ""
    external_id: str = ""
    jobs: int = 16
    last_accessed: bool = False


@dataclass
class Collected:
    """What became of it."""

    folder: Path
    accounts: list[str] = field(default_factory=list)
    calls: int = 0
    requests: int = 0
    in_flight: dict[str, float] = field(default_factory=dict)  # most, mean
    resumed: bool = False
    gaps: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def collect(
    to: Path, asked: Asked, progress: Callable[[str, int, int], None] | None = None
) -> Collected:
    """Reads everything into `to`. Raises ReportError when nothing could be read at all."""
    session = _session(asked)
    folder = Folder(to)
    result = Collected(to)
    try:
        found = list(
            accounts(session, asked.roles, asked.organization_role, asked.jobs, asked.regions,
                     asked.external_id, result.refused.__setitem__)
        )  # fmt: skip
    except Exception as error:
        raise ReportError(
            f"cannot sign in to AWS: {type(error).__name__}: {error}"[:400], "AWS",
            "set AWS_PROFILE or the other variables of the AWS command line",
        ) from None  # fmt: skip
    if not found:
        raise ReportError("no account could be entered", ", ".join(result.refused),
                          "; ".join(result.refused.values()))  # fmt: skip
    folder.open()
    run = Collection(folder, asked.jobs, progress)
    run.run(found)
    flown, mean = run.flight, round(run.flight.mean, 1)
    if asked.last_accessed:
        for account in found:
            last_accessed(account, folder, asked.jobs)
    folder.close()
    result.accounts = [a.id for a in found]
    result.calls, result.requests = run.done, flown.requests
    result.in_flight = {"most": flown.most, "mean": mean}
    result.resumed, result.gaps = folder.resumed, folder.gaps
    return result


def _session(asked: Asked) -> Any:
    try:
        import boto3
    except ImportError:
        raise ReportError(
            "the AWS client library is not installed", "boto3", "pip install 'secinbox[aws]'"
        ) from None
    try:
        return boto3.Session(profile_name=asked.profile or None)
    except Exception as error:
        raise ReportError(str(error), asked.profile, "see `aws configure list-profiles`") from None
