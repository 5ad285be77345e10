"""Policy documents: those written as data sources, and what in a document cannot be told."""

from __future__ import annotations

import json
import re
from typing import Any

from secinbox.inventory.hcl.values import MARK

_SURE = ("Effect", "Action", "NotAction")
_PRINCIPALS = ("Principal", "NotPrincipal")
_PLACED = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:[a-z]{2}-[a-z-]+-\d:")
_ACCOUNT = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:[^:]*:(\d{12}|):.+|\d{12}", re.S)


def made(values: dict[str, Any]) -> dict[str, Any]:
    """The document of an `aws_iam_policy_document`, from its encoded values."""
    statements: list[Any] = []
    for field in ("source_policy_documents", "override_policy_documents", "source_json",
                  "override_json"):  # fmt: skip
        given = values.get(field)
        for text in given if isinstance(given, list) else [given] if given else []:
            statements += _statements(text)
    for row in values.get("statement") or []:
        statements.append(_statement(row))
    return {"Version": str(values.get("version") or "2012-10-17"), "Statement": statements}


def _statements(text: Any) -> list[Any]:
    try:
        found = json.loads(text).get("Statement") if isinstance(text, str) else None
    except (ValueError, AttributeError, RecursionError):
        found = None
    rows = found if isinstance(found, list) else [found]
    return [r if isinstance(r, dict) else {"Sid": "unread"} for r in rows]


def _statement(row: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {"Effect": row.get("effect") or "Allow"}
    if row.get("sid"):
        out["Sid"] = row["sid"]
    for field, word in (("actions", "Action"), ("not_actions", "NotAction"),
                        ("resources", "Resource"), ("not_resources", "NotResource")):  # fmt: skip
        if row.get(field):
            out[word] = row[field]
    for field, word in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
        whom: dict[str, Any] = {}
        for entry in row.get(field) or []:
            listed = entry.get("identifiers")
            names = listed if isinstance(listed, list) else [listed]
            whom.setdefault(str(entry.get("type")), []).extend(names)
        if whom:
            out[word] = "*" if whom.get("*") == ["*"] else whom
    conditions: dict[str, dict[str, Any]] = {}
    for entry in row.get("condition") or []:
        keys = conditions.setdefault(str(entry.get("test")), {})
        keys[str(entry.get("variable"))] = entry.get("values")
    return out | ({"Condition": conditions} if conditions else {})


def judged(text: str, nowhere: bool = False) -> str:
    """The document, in which a statement that hangs on something unknown has no effect named.

    Such a statement makes answers unknown. A resource whose name holds a mark is the same resource
    wherever the mark is the same; one that is nothing but a mark may be anything.

    nowhere: the region of the resources is not known, so that one that names a region may be any.
    """
    if not MARK.search(text) and not (nowhere and _PLACED.search(text)):
        return text
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text  # unreadable, and said to be so where it is judged
    if not isinstance(document, dict):
        return text
    given = document.get("Statement")
    rows = given if isinstance(given, list) else [given]
    kept = [
        {k: v for k, v in r.items() if k != "Effect"}
        if isinstance(r, dict) and _open(r, nowhere)
        else r
        for r in rows
    ]
    return json.dumps(document | {"Statement": kept})


def _open(row: dict[str, Any], nowhere: bool) -> bool:
    for field, value in row.items():
        texts = list(_texts(value))
        if field in _SURE:
            if any(MARK.search(t) for t in texts):
                return True
        elif field in _PRINCIPALS:
            if any(MARK.search(t) and not _ACCOUNT.fullmatch(t) for t in texts):
                return True
        elif any(MARK.fullmatch(t) or (nowhere and _PLACED.match(t)) for t in texts):
            return True
    return False


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [t for v in value.values() for t in _texts(v)]
    if isinstance(value, list):
        return [t for v in value for t in _texts(v)]
    return [value] if isinstance(value, str) else []
