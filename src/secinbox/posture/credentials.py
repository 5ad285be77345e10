"""Credentials of people and machines: without MFA, old, doubled, forgotten; and those of root."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from secinbox.estate import Item
from secinbox.inventory.aws.answers import Unread, answer
from secinbox.inventory.aws.calls import walk
from secinbox.posture._stating import Known, Rule, known_of
from secinbox.posture._times import age_in_days, moment
from secinbox.records import Finding
from secinbox.risks import Assessment

_MAX_AGE = 90
_UNUSED = 90

_MFA = Rule(
    "secinbox-iam-user-no-mfa", "User signs in with a password alone",
    "A leaked or guessed password is enough to sign in to the console.",
    "Register an MFA device for the user, or take the password away; better, sign people in "
    "through the Identity Center.",
    "vulnerability", "medium", "identity_risk", canonical="iam_user_mfa_enabled_console_access",
)  # fmt: skip
_OLD = Rule(
    "secinbox-iam-key-old", f"Access key is older than {_MAX_AGE} days",
    "The longer a key lives, the more places it lies in: laptops, build logs, backups.",
    "Replace the key, or give the workload a role and delete the key.",
    "vulnerability", "low", "identity_risk", canonical="iam_rotate_access_key_90_days",
)  # fmt: skip
_TWO = Rule(
    "secinbox-iam-two-keys", "User has two active access keys",
    "A second key is for the days of a rotation; left in place it is one more to lose, and nobody "
    "knows which is used where.",
    "Deactivate the key that is not in use, then delete it.",
    "vulnerability", "low", "identity_risk", canonical="iam_user_two_active_access_key",
)  # fmt: skip
_KEY_UNUSED = Rule(
    "secinbox-iam-key-unused", f"Access key has not been used for {_UNUSED} days",
    "A forgotten key still opens everything that it ever did, and nobody would miss it.",
    "Deactivate the key, then delete it.",
    "vulnerability", "low", "identity_risk", canonical="iam_user_accesskey_unused",
)  # fmt: skip
_PASSWORD_UNUSED = Rule(
    "secinbox-iam-password-unused", f"Password has not been used for {_UNUSED} days",
    "A forgotten sign-in still opens everything that it ever did, and nobody would miss it.",
    "Take the password away, or delete the user.",
    "vulnerability", "low", "identity_risk", canonical="iam_user_console_access_unused",
)  # fmt: skip
_ROOT_MFA = Rule(
    "secinbox-root-no-mfa", "Root user has no MFA",
    "A leaked password gives the whole account away, past every policy.",
    "Register MFA for the root user, or take root credentials away centrally by the organisation.",
    "vulnerability", "critical", "identity_risk", canonical="iam_root_mfa_enabled",
)  # fmt: skip
_ROOT_KEY = Rule(
    "secinbox-root-key", "Root user has an access key",
    "The key may do everything in the account, past every policy, and cannot be narrowed.",
    "Delete the root user's access keys; use a role instead.",
    "vulnerability", "critical", "identity_risk", canonical="iam_no_root_access_key",
)  # fmt: skip


@dataclass(frozen=True)
class Key:
    """One access key. Times are None where nobody knows; `used` also when it never was."""

    name: str
    active: bool
    made: datetime | None
    used: datetime | None
    use_known: bool


def findings(assessment: Assessment) -> Iterator[Finding]:
    """Everything is measured as of when the inventory was read."""
    known = known_of(assessment)
    if known.when is None:
        return
    for item in assessment.estate.of_type("aws_iam_user"):
        yield from _user(known, item, known.when)
    for item in assessment.estate.of_type("aws_account", "aws_iam_root"):
        yield from _root(known, item)


def _user(known: Known, item: Item, when: datetime) -> Iterator[Finding]:
    uid, impact = item.uid, known.impact_of(item.uid)
    raw = item.config.get("credential_report")
    report = raw if isinstance(raw, dict) else {}
    password = _password(item, report)
    if password and _mfa(item, report) is False:
        yield known.state(_MFA, uid, ["it has a console password and no MFA device",
                                      *_power(known, uid)],
                          impact=known.impact_of(uid, "medium"))  # fmt: skip
    keys = [k for k in _keys(item, report) if k.active]
    old = [k for k in keys if (age_in_days(k.made, when) or 0) > _MAX_AGE]
    if old:
        yield known.state(_OLD, uid, [f"{k.name} is {age_in_days(k.made, when)} days old"
                                      for k in old] + _power(known, uid), impact=impact)  # fmt: skip
    if len(keys) > 1:
        yield known.state(_TWO, uid, [", ".join(k.name for k in keys)], impact=impact)
    unused = [k for k in keys if k.use_known and _idle(k.used, k.made, when)]
    if unused:
        yield known.state(_KEY_UNUSED, uid, [f"{k.name}: {_since(k.used, when)}" for k in unused]
                          + _power(known, uid), impact=impact)  # fmt: skip
    if password:
        used, use_known = _password_use(item, report)
        set_on = moment(report.get("password_last_changed")) or moment(
            item.config.get("CreateDate")
        )
        if use_known and _idle(used, set_on, when):
            yield known.state(_PASSWORD_UNUSED, uid, [_since(used, when), *_power(known, uid)],
                              impact=impact)  # fmt: skip


def _root(known: Known, item: Item) -> Iterator[Finding]:
    if not item.uid.endswith(":root"):
        return
    raw = item.config.get("credential_report")
    report: dict[str, Any] = raw if isinstance(raw, dict) else {}
    summary = next(walk(item.config, "get_account_summary.SummaryMap"), None)
    counts: dict[str, Any] = summary if isinstance(summary, dict) else {}
    # An organisation can take the password of root away: then there is nothing to sign in with.
    has_password = report.get("password_enabled") != "false"
    if has_password and (report.get("mfa_active") == "false" or (
        not report and counts.get("AccountMFAEnabled") == 0
        and counts.get("AccountPasswordPresent", 1) == 1
    )):  # fmt: skip
        yield known.state(_ROOT_MFA, item.uid, ["the account says that root has no MFA device"])
    keys = [n for n in (1, 2) if report.get(f"access_key_{n}_active") == "true"]
    if keys or (not report and counts.get("AccountAccessKeysPresent") == 1):
        yield known.state(_ROOT_KEY, item.uid, [f"{len(keys) or 'an'} active access key of root"])


def _power(known: Known, uid: str) -> list[str]:
    return [e.text for e in known.power(uid)[:1]]


def _password(item: Item, report: dict[str, Any]) -> bool | None:
    said = _flag(report, "password_enabled")
    if said is not None:
        return said
    found = answer(item, "get_login_profile")
    if isinstance(found, Unread):
        return True if item.config.get("PasswordLastUsed") else None
    return found is not None and "LoginProfile" in found


def _mfa(item: Item, report: dict[str, Any]) -> bool | None:
    found = answer(item, "list_mfa_devices")
    if not isinstance(found, Unread):
        return bool(list(walk(dict(found or {}), "MFADevices[]")))
    return _flag(report, "mfa_active")


def _flag(report: dict[str, Any], column: str) -> bool | None:
    return {"true": True, "false": False}.get(str(report.get(column)))


def _password_use(item: Item, report: dict[str, Any]) -> tuple[datetime | None, bool]:
    """When it was used last, and whether anybody said."""
    said = report.get("password_last_used")
    if said is not None:
        return moment(said), said != "N/A"
    if "PasswordLastUsed" in item.config:
        return moment(item.config["PasswordLastUsed"]), True
    return None, False


def _keys(item: Item, report: dict[str, Any]) -> Iterator[Key]:
    """From the credential report, which knows the last use; else from list_access_keys."""
    found = [n for n in (1, 2) if report.get(f"access_key_{n}_active") in ("true", "false")]
    for n in found:
        yield Key(
            f"access key {n}", report[f"access_key_{n}_active"] == "true",
            moment(report.get(f"access_key_{n}_last_rotated")),
            moment(report.get(f"access_key_{n}_last_used_date")),
            f"access_key_{n}_last_used_date" in report,
        )  # fmt: skip
    if not found:
        for key in walk(item.config, "list_access_keys.AccessKeyMetadata[]"):
            if isinstance(key, dict):
                yield Key(str(key.get("AccessKeyId") or "access key"),
                          key.get("Status") == "Active", moment(key.get("CreateDate")), None,
                          False)  # fmt: skip


def _idle(used: datetime | None, made: datetime | None, when: datetime) -> bool:
    """Not used for long; one that never was counts from when it was made."""
    last = used or made
    return last is not None and when - last > timedelta(days=_UNUSED)


def _since(used: datetime | None, when: datetime) -> str:
    return f"last used {age_in_days(used, when)} days before" if used else "never used"
