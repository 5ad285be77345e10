"""Secrets of Azure that scanners find: told by the name beside them, never kept, followed as a path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from secinbox.cli import secinbox
from secinbox.sources._code import azure_opens
from tests import test_azure as azure
from tests import test_clouds_power as power
from tests.test_azure import OWNER, STORE, SUB, SUBSCRIPTION, assigned, blobs
from tests.test_clouds_power import APP, PAST, SP

SECRET = "abc8Q~" + "x1Y2z3W4" * 4
KEY = "Zm9v" * 21 + "Zg=="
SIGNED = (
    "https://data.blob.core.windows.net/files?sv=2024-01-01&sr=c&sp={sp}&se={se}T00:00:00Z&sig="
    + "aB3" * 14
)
TEXTS: list[tuple[str, str, str]] = [
    ("settings of an application", f"AZURE_CLIENT_ID={APP}\nAZURE_CLIENT_SECRET={SECRET}", f"Opens azure-client:{APP}"),
    ("settings of Terraform", f'client_id = "{APP}"\nclient_secret = "{SECRET}"', f"Opens azure-client:{APP}"),
    ("what az prints", f'{{"appId": "{APP}", "password": "{SECRET}"}}', f"Opens azure-client:{APP}"),
    ("a file of credentials", f'{{"clientId":"{APP.upper()}","clientSecret":"{SECRET}"}}', f"Opens azure-client:{APP}"),
    ("a connection string with an application", f"RunAs=App;AppId={APP};AppKey={SECRET}", f"Opens azure-client:{APP}"),
    ("the tenant alone", f"AZURE_TENANT_ID={APP}\nAZURE_CLIENT_SECRET={SECRET}", ""),
    ("a secret alone", f'client_secret = "{SECRET}"', ""),
    ("a connection string", f"DefaultEndpointsProtocol=https;AccountName=data;AccountKey={KEY};EndpointSuffix=core.windows.net",
     "Opens azure-storage:data"),
    ("a connection string whose key is masked", "AccountName=data;AccountKey=*****", "Opens azure-storage:data"),
    ("what a scanner makes of it", f'{{"accountName":"data","accountKey":"{KEY}"}}', "Opens azure-storage:data"),
    ("a signature of a container", SIGNED.format(sp="rl", se="2120-01-01"), "Opens azure-storage:data/files until 2120-01-01"),
    ("a signature to write", SIGNED.format(sp="cw", se="2120-01-01"), ""),
    ("a signature of the account", "https://data.blob.core.windows.net/?sv=2024&ss=b&srt=co&sp=rl&se=2120-01-01&sig=x", "Opens azure-storage:data until 2120-01-01"),
    ("a short account key", "AccountName=ab;AccountKey=x", ""),
    ("an id that goes on", f"client_id={APP}-more", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), [t[1:] for t in TEXTS], ids=[t[0] for t in TEXTS])
def test_what_a_secret_opens_is_told_by_its_name(text: str, wanted: str) -> None:
    found = azure_opens(text)
    assert found == wanted
    assert SECRET not in found and KEY not in found and "sig" not in found


def gitleaks(match: str, secret: str = SECRET, rule: str = "azure-ad-client-secret") -> Any:
    return [{"RuleID": rule, "Description": "Azure AD Client Secret", "StartLine": 3, "Match": match, "Secret": secret,
             "File": "deploy/main.tf", "Commit": "a" * 40, "Fingerprint": f"{'a' * 40}:deploy/main.tf:{rule}:3"}]  # fmt: skip


def trufflehog(second: str, detector: str = "Azure", raw: str = SECRET) -> Any:
    return {"SourceMetadata": {"Data": {"Git": {"commit": "a", "file": "deploy/main.tf", "line": 3,
                                                "repository": "https://github.com/acme/shop.git"}}},
            "SourceID": 1, "SourceType": 16, "SourceName": "trufflehog - git", "DetectorType": 3, "DetectorName": detector,
            "DecoderName": "PLAIN", "Verified": True, "Raw": raw, "RawV2": second}  # fmt: skip


def trivy(match: str, *lines: str) -> Any:
    return {"SchemaVersion": 2, "ArtifactName": "https://github.com/acme/shop", "ArtifactType": "repository", "Results": [{
        "Target": "deploy/main.tf", "Class": "secret", "Secrets": [{
            "RuleID": "azure-client-secret", "Category": "Azure", "Severity": "HIGH", "Title": "Azure client secret", "StartLine": 3,
            "Match": match, "Code": {"Lines": [{"Number": n, "Content": x} for n, x in enumerate(lines)]}}]}]}  # fmt: skip


LABELLED = f'client_id = "{APP}", client_secret = "{SECRET}"'
JSON = f'{{"clientId":"{APP}","clientSecret":"{SECRET}"}}'
PAIRS = f"AccountName=data;AccountKey={KEY}"
OTHER = LABELLED.replace(APP, "77777777-0000-0000-0000-000000000007")
APPLICATION = {
    "id": "99999999-aaaa-0000-0000-00000000000f",
    "appId": APP,
    "displayName": "ci",
    "signInAudience": "x",
}
ENABLED: dict[str, Any] = {}
MARKED = {**blobs("None"), "tags": {"data_class": "restricted"}}


def inventory(
    *rows: Any, application: dict[str, Any] | None = None, **service: Any
) -> dict[str, Any]:
    """Files of an estate: rows of Azure, the application and its principal."""
    context = "https://graph.microsoft.com/v1.0/$metadata#"
    return {
        "rows.json": {"data": [SUBSCRIPTION, *rows]},
        "sp.json": {"@odata.context": f"{context}servicePrincipals", "value": [power.service(**service)]},
        "app.json": {"@odata.context": f"{context}applications", "value": [{**APPLICATION, **(application or {})}]},
    }  # fmt: skip


def shop(**properties: Any) -> list[Any]:
    return [azure.row("Microsoft.Storage/storageAccounts", "data", properties), MARKED]


OWNS = assigned(OWNER, SP)
ENDED = {"passwordCredentials": [{"displayName": "s", "endDateTime": PAST}]}
VALID = {"passwordCredentials": [{"displayName": "s", "endDateTime": "2120-01-01T00:00:00Z"}]}
BLOBS = azure.BLOBS.lower()
CASES: list[tuple[str, dict[str, Any], Any, str, bool]] = [
    ("gitleaks, an application", inventory(OWNS), gitleaks(LABELLED), SUB.lower(), True),
    ("gitleaks, another application", inventory(OWNS), gitleaks(OTHER), SUB.lower(), False),
    ("gitleaks, an application nobody named", inventory(OWNS), gitleaks(f'client_secret = "{SECRET}"'), SUB.lower(), False),
    ("gitleaks, an application of no power", inventory(), gitleaks(LABELLED), SUB.lower(), False),
    ("gitleaks, its secrets ended", inventory(OWNS, application=ENDED), gitleaks(LABELLED), SUB.lower(), False),
    ("gitleaks, a secret of it is valid", inventory(OWNS, application=VALID), gitleaks(LABELLED), SUB.lower(), True),
    ("gitleaks, its sign-in is off", inventory(OWNS, accountEnabled=False), gitleaks(LABELLED), SUB.lower(), False),
    ("trufflehog, an application", inventory(OWNS), trufflehog(JSON), SUB.lower(), True),
    ("trufflehog, another application", inventory(OWNS), trufflehog(JSON.replace(APP, "77777777-0000-0000-0000-000000000007")),
     SUB.lower(), False),
    ("trivy, named in the lines around", inventory(OWNS), trivy('client_secret = "*****"', f'client_id = "{APP}"', 'client_secret = "*****"'),
     SUB.lower(), True),
    ("trivy, not named", inventory(OWNS), trivy('client_secret = "*****"'), SUB.lower(), False),
    ("a key of an account", inventory(*shop()), gitleaks(PAIRS, KEY, "azure-storage-key"), BLOBS, True),
    ("a key of another account", inventory(*shop()), gitleaks(PAIRS.replace("=data", "=other"), KEY, "azure-storage-key"), BLOBS, False),
    ("a key that no account takes", inventory(*shop(allowSharedKeyAccess=False)), gitleaks(PAIRS, KEY), BLOBS, False),
    ("a key of a closed account", inventory(*shop(publicNetworkAccess="Disabled")), gitleaks(PAIRS, KEY), BLOBS, False),
    ("a key of an account for an office", inventory(*shop(networkAcls={"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.4"}]})),
     gitleaks(PAIRS, KEY), BLOBS, False),
    ("a key, trufflehog", inventory(*shop()), trufflehog(f'{{"accountName":"data","accountKey":"{KEY}"}}', "AzureStorage", KEY), BLOBS, True),
    ("a signature", inventory(*shop()), gitleaks(SIGNED.format(sp="rl", se="2120-01-01"), "sig"), BLOBS, True),
    ("a signature that is over", inventory(*shop()), gitleaks(SIGNED.format(sp="rl", se="2020-01-01"), "sig"), BLOBS, False),
    ("a signature of another container", inventory(*shop()), gitleaks(
        SIGNED.format(sp="rl", se="2120-01-01").replace("/files?", "/pictures?"), "sig"), BLOBS, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "report", "target", "found"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_a_leaked_secret_of_azure(
    tmp_path: Path, files: dict[str, Any], report: Any, target: str, found: bool
) -> None:
    home, reports = str(tmp_path / "home"), tmp_path / "reports"
    reports.mkdir()
    for name, document in {**files, "secrets.json": report}.items():
        (reports / name).write_text(json.dumps(document))
    run = CliRunner()
    done = run.invoke(secinbox, ["--home", home, "import", str(reports)])
    assert done.exit_code == 0, done.output
    answer = json.loads(run.invoke(secinbox, ["--home", home, "paths", "--json"]).stdout)
    assert (target in {p["target"] for p in answer["paths"]}) is found
    told = run.invoke(secinbox, ["--home", home, "findings", "--json", "--limit", "100"]).stdout
    assert SECRET not in told and KEY not in told and "aB3aB3" not in told
    assert STORE.lower()
