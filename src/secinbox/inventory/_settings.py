"""Settings and environment variables: their names, what a secret among them opens, and no secret.

A value is left out where its name or its shape says that it is one. What it opens is told as scanners'
findings tell it: `Opens azure-storage:ACCOUNT`, `Opens azure-client:ID`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from secinbox.sources._code import azure_opens

_NAME = re.compile(
    r"pass(word|wd)?|secret|token|credential|private|(api|access|account|shared|encryption|signing)_?-?key|"
    r"connection|conn_?str|dsn|webjobsstorage|webjobsdashboard|_sas\b|instrumentationkey", re.I
)  # fmt: skip
_VALUE = re.compile(
    r"AccountKey=|SharedAccess\w*=|[?&]sig=|password\s*=|pwd=|-----BEGIN|://[^/\s:@]+:[^/\s@]+@",
    re.I,
)
_KEYS = ("env", "environmentVariables", "buildEnvironmentVariables", "envVariables", "substitutions",
         "appSettings", "connectionStrings")  # fmt: skip


def secret(name: str, value: str) -> bool:
    """Whether a setting of this name and value is one that must not be kept."""
    return bool(_NAME.search(name) or _VALUE.search(value))


def opened(settings: Mapping[str, str]) -> dict[str, str]:
    """setting -> what the secret in it opens in Azure, where it or its neighbours say so."""
    out = {n: o for n, v in settings.items() if (o := azure_opens(v))}
    clients = {n: v for n, v in settings.items() if "client" in n.lower() or "app" in n.lower()}
    names = [n for n in clients if "secret" in n.lower() or "password" in n.lower()]
    told = azure_opens("\n".join(f"{n}={v}" for n, v in sorted(clients.items()))) if names else ""
    return {**out, **({names[0]: told} if told else {})}


def kept(value: Any) -> Any:
    """A configuration without the secret values of its settings, at whatever depth."""
    if isinstance(value, list):
        return [kept(v) for v in value]
    if not isinstance(value, dict):
        return value
    return {k: _settings(v) if k in _KEYS else kept(v) for k, v in value.items()}


def _settings(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: "" if isinstance(v, str) and secret(str(k), v) else v for k, v in value.items()}
    if not isinstance(value, list):
        return value
    return [_setting(row) if isinstance(row, dict) else _line(row) for row in value]


def _line(row: Any) -> Any:
    """`NAME=value`, as steps of a build write it."""
    name, found, value = row.partition("=") if isinstance(row, str) else ("", "", "")
    return f"{name}=" if found and secret(name, value) else row


def _setting(row: dict[str, Any]) -> dict[str, Any]:
    out = dict(row)
    for key in ("value", "connectionString", "secureValue"):
        found = out.get(key)
        if isinstance(found, str) and (key != "value" or secret(str(row.get("name")), found)):
            out[key] = ""
    return out


def of_site(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Settings or connection strings of an application of Azure, as its configuration answers them."""
    values = {}
    for key, value in properties.items():
        inner = value.get("value") if isinstance(value, dict) else value
        values[str(key)] = inner if isinstance(inner, str) else ""
    vaults = sorted({v.group(1).lower() for t in values.values() if (v := _VAULT.search(t))})
    found = [{"setting": n, "opens": o} for n, o in sorted(opened(values).items())]
    return {"settings": sorted(values), "opens": found, "vaults": vaults, "kind": name}


_VAULT = re.compile(r"@Microsoft\.KeyVault\([^)]*?(?:https://|VaultName=)([\w-]+)", re.I)
