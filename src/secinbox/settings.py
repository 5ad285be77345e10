"""What a home may change, from `secinbox.toml` in it; every default is here and in the docs."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


class SettingsError(Exception):
    """The settings file cannot be used: which key, and what is allowed."""


@dataclass(frozen=True)
class Settings:
    """All settings. Unknown keys in the file are errors."""

    signal_days: int = 15
    signal_severity: str = "low"
    production_values: tuple[str, ...] = ("prod", "production", "prd", "live")
    feed_stale_days: int = 14
    profile: str = "severity-risks-impact"
    disabled_rules: tuple[str, ...] = ()
    crown_jewels: tuple[str, ...] = field(default=())
    oidc: dict[str, Any] = field(default_factory=dict, hash=False)  # see docs/guides/sign-in.md


def load(home: Path) -> Settings:
    """Settings of a home. Raises SettingsError."""
    path = home / "secinbox.toml"
    if not path.exists():
        return Settings()
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from None
    known = {f.name: f for f in fields(Settings)}
    values: dict[str, Any] = {}
    for key, value in data.items():
        if key not in known:
            raise SettingsError(f"{path}: unknown key {key!r}; allowed: {', '.join(known)}")
        default = getattr(Settings(), key)
        if isinstance(default, tuple) and isinstance(value, list):
            value = tuple(str(v) for v in value)
        if not isinstance(value, type(default)):
            raise SettingsError(f"{path}: {key} must be a {type(default).__name__}")
        values[key] = value
    return Settings(**values)
