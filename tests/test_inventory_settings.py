"""Settings and environment variables of inventories: names are kept, secret values are not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secinbox.inventory._settings import kept, opened
from tests import moves_clouds as clouds
from tests import test_azure as azure
from tests import test_gcp as google

SECRET = "s3cr3t-V4lue"
APP = "99999999-0000-0000-0000-000000000009"


def test_settings_of_a_site_are_kept_by_name() -> None:
    row = clouds.settings()
    row["properties"]["DB"] = f"Server=x;User=y;Password={SECRET}"
    row["properties"]["REF"] = (
        "@Microsoft.KeyVault(SecretUri=https://shopkv.vault.azure.net/secrets/a)"
    )
    found = azure.records(row)
    config = json.loads(found[0].config)
    assert config["settings"] == ["AzureWebJobsStorage", "DB", "FUNCTIONS_WORKER_RUNTIME", "REF"]
    assert config["opens"] == [
        {"setting": "AzureWebJobsStorage", "opens": "Opens azure-storage:data"}
    ]
    assert config["vaults"] == ["shopkv"]
    assert SECRET not in found[0].config and "Zm9v" not in found[0].config


@pytest.mark.parametrize("word", ["connectionstrings", "publishingCredentials"])
def test_other_answers_with_passwords(word: str) -> None:
    row = {"id": f"{azure.SITE}/config/{word}", "name": word, "type": "Microsoft.Web/sites/config",
           "properties": {"main": {"value": f"pwd={SECRET}", "type": "SQLAzure"}, "publishingPassword": SECRET}}  # fmt: skip
    assert SECRET not in azure.records(row)[0].config


ENVIRONMENTS: list[Any] = [
    azure.row("Microsoft.App/containerApps", "c", {"template": {"containers": [{"env": [{"name": "DB_PASSWORD", "value": SECRET}]}]}}),
    azure.row("Microsoft.ContainerInstance/containerGroups", "g", {"containers": [{"properties": {"environmentVariables": [
        {"name": "x", "secureValue": SECRET}, {"name": "URL", "value": f"amqp://user:{SECRET}@bus"}]}}]}),
    azure.row("Microsoft.Web/sites", "s", {"siteConfig": {"appSettings": [{"name": "API_KEY", "value": SECRET}]}}),
]  # fmt: skip


@pytest.mark.parametrize("row", ENVIRONMENTS, ids=["container app", "container group", "site"])
def test_environments_of_azure(row: Any) -> None:
    assert SECRET not in azure.records(row)[0].config


def test_environments_of_google_cloud() -> None:
    function = google.function()
    function["resource"]["data"]["environmentVariables"] = {"TOKEN": SECRET, "REGION": "eu"}
    service = google.run()
    service["resource"]["data"]["spec"] = {
        "template": {"spec": {"containers": [{"env": [{"name": "DB_PASSWORD", "value": SECRET}]}]}}
    }
    trigger = clouds.trigger(
        build={"steps": [{"env": [f"API_TOKEN={SECRET}", "A=b"]}]},
        substitutions={"_PASSWORD": SECRET},
    )
    found = google.records(function, service, trigger)
    assert any('"A=b"' in getattr(r, "config", "") for r in found)
    assert not any(SECRET in getattr(r, "config", "") for r in found)
    assert any('"REGION":"eu"' in getattr(r, "config", "") for r in found)


def test_a_client_and_its_secret_are_two_settings() -> None:
    both = {"AZURE_CLIENT_ID": APP, "AZURE_CLIENT_SECRET": SECRET}
    assert opened(both) == {"AZURE_CLIENT_SECRET": f"Opens azure-client:{APP}"}
    assert opened({"AZURE_CLIENT_ID": APP}) == {}
    assert kept({"a": [{"env": {"PLAIN": "x", "MY_SECRET": SECRET}}]}) == {
        "a": [{"env": {"PLAIN": "x", "MY_SECRET": ""}}]
    }
