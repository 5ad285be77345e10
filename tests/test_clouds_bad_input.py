"""Inventories of Azure and Google Cloud with wrong shapes anywhere: an answer of three values, no crash."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from typing import Any

import pytest

from secinbox.estate import estate_of
from secinbox.iam import privilege
from secinbox.inventory import azure as azure_inventory
from secinbox.inventory import gcp as gcp_inventory
from secinbox.network import exposure
from secinbox.paths import routes
from secinbox.paths.world import World
from secinbox.reading import Report
from tests import moves_clouds as clouds
from tests import test_azure as azure
from tests import test_azure_services as azure_services
from tests import test_clouds_power as power
from tests import test_entra_scopes as entra
from tests import test_flips_azure as flips
from tests import test_gcp as google
from tests import test_gcp_groups as groups
from tests import test_gcp_services as services

_WRONG: tuple[Any, ...] = (
    None,
    7,
    -1,
    "x",
    "",
    [],
    {},
    [7],
    [None],
    {"a": 7},
    [{"a": [{}]}],
    True,
    "\x1b[31m",
    1e99,
)
ROWS = [
    azure.SUBSCRIPTION, *azure.machine(azure.rule()), *azure_services.gateway(group=[azure.rule()]), *azure_services.firewall(policy=True),
    *azure_services.lb(), *azure_services.admin_rule("Deny"), azure.store(), azure.blobs(), azure.sql(), azure.fire("0.0.0.0", "0.0.0.0"),
    *azure_services.web(azure_services.TAGGED), *azure_services.door(), *azure_services.app(), azure_services.pg(), azure_services.cosmos("0.0.0.0"),
    power.vault(**power.policy("get")), power.aks(), clouds.settings(), *flips.waf(flips.ONLY_OFFICE), *flips.door(wall=flips.DOOR_OFFICE),
    *clouds.federated("repo:*", expression=True), *power.pim(False),
    azure.assigned(azure.OWNER), azure.assigned(power.RBAC_ADMIN, azure.SYSTEM, condition=power.may_assign(azure.READER)),
    azure.assigned(azure.OWNER, kind="roleEligibilityScheduleInstances"), azure.deny("*"), azure.definition("*"),
]  # fmt: skip
GRAPH = [
    power.user(azure.ANA),
    power.group(azure.ANA, owners=(power.BOB,)),
    power.service(appRoleAssignments=[{"appRoleId": "x"}]),
    {
        "id": entra.UNIT,
        "displayName": "u",
        "isMemberManagementRestricted": True,
        "members": [{"id": azure.ANA}],
    },
    {
        "id": "s",
        "principalId": azure.ANA,
        "groupId": power.GROUP,
        "accessId": "owner",
        "eligibilityScheduleId": "x",
    },
    {
        "id": "p",
        "policyId": "p",
        "scopeId": "/",
        "scopeType": "DirectoryRole",
        "roleDefinitionId": "x",
        "policy": {"rules": [{"setting": {"isApprovalRequired": True}}]},
    },
    {
        "id": "m",
        "roleId": "r",
        "administrativeUnitId": entra.UNIT,
        "roleMemberInfo": {"id": azure.ANA},
    },
]
ASSETS = [
    google.project(google.OWNS, rules=power.no_keys()), google.machine(), google.firewall(), google.hierarchy("deny"), *services.policy("allow"),
    *services.BEHIND, *services.chain(armor=True), services.armor((1, "allow", "*")), *services.neg(), google.account(), google.boss(
        google.bind(power.TOKEN, google.MEMBER)), google.bucket(google.bind(google.VIEW, "allUsers")), services.sql(services.OPEN),
    google.gke(masterAuthorizedNetworksConfig={"enabled": True}), google.dataset("allUsers"), services.fn2(), services.idp(), services.fed(),
    services.perimeter("storage.googleapis.com"), power.deny("iam.googleapis.com/*"), *power.boundary(f"{google.CRM}/projects/9"),
    groups.member("ana@x.test"),
    {"name": "groups/0ops", "groupKey": {"id": "ops@x.test"}}, clouds.trigger(), clouds.linked_repository(), *services.endpoints(),
    {"kind": "admin#reports#activity", "id": {"time": "2026", "customerId": "C"}, "actor": {"email": "a@b"}, "events": [{
        "name": "AUTHORIZE_API_CLIENT_ACCESS", "parameters": [{"name": "API_CLIENT_NAME", "value": "1"}]}]},
    google.custom("iam.roles.update"), services.v2("projects/1001", services.PREVENT, {"enforce": True}), google.folder(),
]  # fmt: skip


def broken(value: Any, rng: random.Random, depth: int = 0) -> Any:
    """The same with one thing inside replaced by something else."""
    if isinstance(value, dict) and value and depth < 9:
        key = rng.choice([k for k in value if k not in ("id", "name", "assetType") or depth > 0])
        if depth > 0 and rng.random() < 0.25:
            value[key] = deepcopy(rng.choice(_WRONG))
        else:
            value[key] = broken(value[key], rng, depth + 1)
        return value
    if isinstance(value, list) and value and depth < 9:
        index = rng.randrange(len(value))
        value[index] = broken(value[index], rng, depth + 1)
        return value
    return deepcopy(rng.choice(_WRONG))


def judged(records: list[Any]) -> None:
    made = estate_of(records)
    public = list(exposure(made))
    for statement in (*public, *privilege(made)):
        assert statement.value in ("yes", "no", "unknown")
        assert statement.evidence, statement.resource
    routes.analyse(World(estate=made, public={s.resource: list(s.evidence) for s in public if s.value == "yes"},
                         repositories=[clouds.SHOP]))  # fmt: skip


@pytest.mark.parametrize("seed", range(120))
def test_azure_with_something_wrong(seed: int) -> None:
    rng = random.Random(seed)
    rows = deepcopy(ROWS)
    for _ in range(1 + seed % 6):
        index = rng.randrange(len(rows))
        rows[index] = broken(rows[index], rng)
    people = deepcopy(GRAPH)
    people[seed % len(people)] = broken(people[seed % len(people)], rng)
    document = {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#directoryObjects",
        "value": people,
    }
    judged([*azure_inventory.read(Report(json.dumps({"data": rows}).encode())),
            *azure_inventory.read(Report(json.dumps(document).encode()))])  # fmt: skip


@pytest.mark.parametrize("seed", range(120))
def test_google_cloud_with_something_wrong(seed: int) -> None:
    rng = random.Random(seed)
    assets = deepcopy(ASSETS)
    for _ in range(1 + seed % 6):
        index = rng.randrange(len(assets))
        assets[index] = broken(assets[index], rng)
    text = "\n".join(json.dumps(a) for a in assets)
    judged(list(gcp_inventory.read(Report(text.encode()))))
