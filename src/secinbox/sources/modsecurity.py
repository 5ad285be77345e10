"""ModSecurity audit logs: JSON of version 2 and 3 (a transaction a line) and the native text.

One signal a transaction in which a rule matched. Names: the Host header and the server's address.
Source: ModSecurity reference manual, "Audit log"; v3, transaction.cc `toJSON`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from secinbox.reading import Head, Report, ReportError, parse_time
from secinbox.records import AnyRecord, Signal, Skipped
from secinbox.sources._code import digest
from secinbox.sources._names import address_name, host_name, is_local
from secinbox.sources._shape import Node
from secinbox.vocabulary import SEVERITIES, severity_from_word

TITLE = "ModSecurity audit log"

_SECTION = re.compile(r"^-{2,3}([A-Za-z0-9]{6,})-{1,3}([A-Z])--\s*$")
_FIELD = re.compile(r'\[(\w+) "((?:[^"\\]|\\.)*)"\]')
_LINE_A = re.compile(r"\[([^\]]+)\] (\S+) (\S+) (\d+) (\S+) (\d+)")
_SYSLOG = ("critical", "critical", "critical", "high", "medium", "low", "info", "info")
# Rules that only add up the scores of others.
_SUMS = re.compile(r"^(9491\d\d|9591\d\d|9801\d\d|98020\d|98117\d|981203|981204|981205)$")


@dataclass
class _Transaction:
    place: str
    id: str = ""
    time: str = ""
    client: str = ""
    server: str = ""
    host: str = ""
    request: str = ""
    action: str = ""
    messages: list[dict[str, str]] = field(default_factory=list)


def recognise(head: Head) -> int:
    transaction = head.first.get("transaction")
    if isinstance(transaction, dict):
        old = {"transaction_id", "remote_address"} <= set(transaction)
        new = {"client_ip", "unique_id"} <= set(transaction)
        return 100 if old or new else 0
    if head.kind in ("text", "yaml", "csv") and re.search(
        r"^-{2,3}[A-Za-z0-9]{6,}-{1,3}A--\s*$", head.text, re.M
    ):
        return 95
    return 0


def read(report: Report) -> Iterator[AnyRecord]:
    start = report.text.lstrip("\ufeff \t\r\n")[:1]
    transactions = _json(report) if start in ("{", "[") else _native(report)
    silent = 0
    for transaction in transactions:
        if not transaction.messages:
            silent += 1
            continue
        yield _signal(transaction)
    if silent:
        yield Skipped(reason="transactions in which no rule matched", count=silent, harmless=True)


def _message(text: str) -> dict[str, str]:
    """The bracketed fields of a rule message, and the text before them."""
    found = {key: value for key, value in _FIELD.findall(text) if key != "tag"}
    found["text"] = text.partition(" [file ")[0][:300]
    tags = [value for key, value in _FIELD.findall(text) if key == "tag"]
    found["tags"] = " ".join(tags)
    return found


def _json(report: Report) -> Iterator[_Transaction]:
    documents: Iterator[tuple[str, Any]] = report.documents()
    for place, value in documents:
        node = Node(value, place).require_object()
        inner = node.at("transaction").require_object()
        if inner.has("client_ip"):
            request = inner.at("request")
            headers = request.at("headers") if request.is_object else Node(None)
            line = f"{request.text('method')} {request.text('uri')}" if request.is_object else ""
            transaction = _Transaction(
                place,
                inner.text("unique_id"),
                inner.text("time_stamp"),
                inner.text("client_ip"),
                inner.text("host_ip"),
                _host(headers),
                line.strip(),
            )
            for item in inner.objects("messages"):
                details = item.at("details")
                known = details.is_object
                transaction.messages.append(
                    {
                        "msg": item.text("message"),
                        "id": details.text("ruleId") if known else "",
                        "severity": details.text("severity") if known else "",
                        "data": details.text("data") if known else "",
                        "tags": " ".join(details.strings("tags")) if known else "",
                        "text": details.text("match")[:300] if known else "",
                    }
                )
        else:
            request = node.at("request")
            headers = request.at("headers") if request.is_object else Node(None)
            audit = node.at("audit_data")
            transaction = _Transaction(
                place,
                inner.text("transaction_id"),
                inner.text("time"),
                inner.text("remote_address"),
                inner.text("local_address"),
                _host(headers),
                request.text("request_line") if request.is_object else "",
            )
            if audit.is_object:
                transaction.messages = [_message(t) for t in audit.strings("messages")]
                action = audit.at("action")
                if action.is_object and action.flag("intercepted"):
                    transaction.action = "blocked"
        yield transaction


def _host(headers: Node) -> str:
    for key, value in headers.entries() if headers.is_object else ():
        if key.lower() == "host":
            texts = value.strings() if value.is_list else [value.text()]
            return texts[0] if texts else ""
    return ""


def _native(report: Report) -> Iterator[_Transaction]:
    current: _Transaction | None = None
    section = ""
    any_section = False
    for number, line in enumerate(report.text.splitlines(), 1):
        mark = _SECTION.match(line)
        if mark:
            any_section = True
            section = mark.group(2)
            if section == "A":
                if current is not None:
                    yield current
                current = _Transaction(f"line {number}")
            elif section == "Z" and current is not None:
                yield current
                current = None
            continue
        if current is None:
            continue
        if section == "A":
            found = _LINE_A.match(line)
            if found:
                current.time, current.id, current.client = found.group(1, 2, 3)
                current.server = found.group(5)
        elif section == "B":
            if not current.request and line.strip():
                current.request = line.strip()
            elif line.lower().startswith("host:"):
                current.host = line[5:].strip()
        elif section == "H":
            if line.startswith(("Message: ", "ModSecurity: ")):
                current.messages.append(_message(line.partition(": ")[2]))
            elif line.startswith("Action: Intercepted"):
                current.action = "blocked"
    if current is not None:
        yield current
    if not any_section:
        raise ReportError("no audit log sections found", "line 1", "is it a ModSecurity log?")


def _time(text: str) -> datetime | None:
    text = text.strip().replace("--", "-")
    for form in ("%d/%b/%Y:%H:%M:%S.%f %z", "%d/%b/%Y:%H:%M:%S %z"):
        try:
            return datetime.strptime(text, form).astimezone(UTC)
        except ValueError:
            continue
    try:
        return datetime.strptime(text, "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except ValueError:
        return parse_time(text)


def _severity(message: dict[str, str]) -> str:
    word = message.get("severity", "")
    if word.isdigit():
        return _SYSLOG[min(int(word[:3]), 7)]
    found = severity_from_word(word)
    return found if found != "unknown" else "low"  # a rule matched, and says no more


def _signal(transaction: _Transaction) -> AnyRecord:
    moment = _time(transaction.time)
    if moment is None:
        return Skipped(reason="a transaction without a time", place=transaction.place)
    worst = min(
        transaction.messages,
        key=lambda m: (bool(_SUMS.match(m.get("id", ""))), SEVERITIES.index(_severity(m))),
    )
    title = worst.get("msg") or worst.get("text") or f"rule {worst.get('id')}"
    lines = [
        f"{m.get('id', '')} {m.get('msg') or m.get('text', '')}".strip()
        for m in transaction.messages
    ]
    names = [host_name(transaction.host)]
    if not is_local(transaction.server):
        names.append(address_name(transaction.server))
    attack = re.search(r"attack-[\w-]+", worst.get("tags", ""))
    what = (
        f"{transaction.request} ({transaction.action})"
        if transaction.action
        else (transaction.request)
    )
    return Signal(
        id=transaction.id or digest(transaction.time, transaction.client, what),
        time=moment,
        title=title,
        severity=_severity(worst),
        severity_word=worst.get("severity", ""),
        description="\n".join([what[:500], *dict.fromkeys(lines)]),
        resources=tuple(dict.fromkeys(n for n in names if n)),
        technique=attack.group(0) if attack else "",
        source_address=transaction.client,
        place=transaction.place,
    )
