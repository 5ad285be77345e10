"""Which accounts are read, with which credentials, and in which regions."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

# One request at a time is enough to find a region list; it exists in every partition's account.
_HOME_REGION = "us-east-1"


@dataclass
class Account:
    """An account with a session of its own. `regions`: those that are switched on."""

    id: str
    session: Any
    jobs: int = 16
    regions: tuple[str, ...] = ()
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.Lock)

    def client(self, service: str, region: str) -> Any:
        """One client a service and region: they may be shared between threads, sessions may not."""
        key = (service, region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = _client(self.session, service, region, self.jobs)
            return self._clients[key]

    def offers(self, service: str, region: str) -> bool:
        """Whether AWS has the service there; regions that this library does not know are tried."""
        with self._lock:
            known = self.session.get_available_regions(service)
        return (
            not known or region in known or region not in self.session.get_available_regions("ec2")
        )


def _client(session: Any, service: str, region: str, jobs: int = 16) -> Any:
    from botocore.config import Config

    # As for all of Amazon's tools, the environment says it otherwise.
    tries = os.environ.get("AWS_MAX_ATTEMPTS", "")
    settings = Config(
        retries={"mode": "adaptive", "total_max_attempts": int(tries) if tries.isdigit() else 8},
        max_pool_connections=jobs,
        connect_timeout=10,
        read_timeout=60,
        user_agent_extra="secinbox",
    )
    return session.client(service, region_name=region, config=settings)


def home_region(session: Any) -> str:
    return str(session.region_name or _HOME_REGION)


def account_of(session: Any, jobs: int, regions: tuple[str, ...] = ()) -> Account:
    """The account that the session's credentials belong to."""
    home = home_region(session)
    identity = _client(session, "sts", home).get_caller_identity()
    found = Account(str(identity["Account"]), session, jobs)
    found.regions = regions or _enabled_regions(found, home)
    return found


def _enabled_regions(account: Account, home: str) -> tuple[str, ...]:
    answer = account.client("ec2", home).describe_regions(AllRegions=False)
    return tuple(sorted(str(r["RegionName"]) for r in answer["Regions"]))


def assumed(session: Any, role: str, jobs: int, regions: tuple[str, ...] = (),
            external_id: str = "") -> Account:  # fmt: skip
    """The account of a role; its credentials are renewed while the collection runs."""
    import boto3
    from botocore.credentials import RefreshableCredentials
    from botocore.session import get_session

    sts = _client(session, "sts", home_region(session))
    more = {"ExternalId": external_id} if external_id else {}

    def renew() -> dict[str, str]:
        made = sts.assume_role(RoleArn=role, RoleSessionName="secinbox", **more)["Credentials"]
        return {
            "access_key": made["AccessKeyId"],
            "secret_key": made["SecretAccessKey"],
            "token": made["SessionToken"],
            "expiry_time": made["Expiration"].isoformat(),
        }

    inner = get_session()
    inner._credentials = RefreshableCredentials.create_from_metadata(
        metadata=renew(), refresh_using=renew, method="sts-assume-role"
    )
    made = boto3.Session(botocore_session=inner, region_name=home_region(session))
    return account_of(made, jobs, regions)


def of_organization(session: Any) -> Iterator[str]:
    """Numbers of the organisation's active accounts."""
    client = _client(session, "organizations", home_region(session))
    for page in client.get_paginator("list_accounts").paginate():
        for account in page["Accounts"]:
            if account.get("Status", "ACTIVE") == "ACTIVE":
                yield str(account["Id"])


def accounts(
    session: Any,
    roles: tuple[str, ...],
    organization_role: str,
    jobs: int,
    regions: tuple[str, ...],
    external_id: str,
    refused: Callable[[str, str], None],
) -> Iterator[Account]:
    """All accounts that were asked for; one that cannot be entered is told and left out."""
    own = account_of(session, jobs, regions)
    wanted = list(roles)
    if organization_role:
        partition = _partition(session)
        wanted += [
            f"arn:{partition}:iam::{number}:role/{organization_role}"
            for number in of_organization(session)
            if number != own.id
        ]
    if organization_role or not roles:
        yield own
    for role in wanted:
        try:
            yield assumed(session, role, jobs, regions, external_id)
        except Exception as error:
            refused(role, f"{type(error).__name__}: {error}"[:300])


def _partition(session: Any) -> str:
    return str(session.get_partition_for_region(home_region(session)))
