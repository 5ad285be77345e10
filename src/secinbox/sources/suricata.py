"""Suricata EVE alerts, as lines or a list: signals. Other event types are not taken in.

Source: docs.suricata.io, "EVE JSON format". Severity 1 is the highest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secinbox.reading import Head, Report, parse_time
from secinbox.records import AnyRecord, Signal, Skipped
from secinbox.sources._code import digest
from secinbox.sources._names import address_name, host_name, is_private
from secinbox.sources._shape import Node

TITLE = "Suricata"

_SEVERITY = {1: "high", 2: "medium", 3: "low", 4: "info"}


def recognise(head: Head) -> int:
    if head.has("event_type", "timestamp") and (
        head.has("src_ip") or head.has("flow_id") or head.has("stats")
    ):
        return 100
    return 0


def read(report: Report) -> Iterator[AnyRecord]:
    documents: Iterator[tuple[str, Any]] = report.documents()
    other = 0
    for place, value in documents:
        event = Node(value, place).require_object()
        if event.text("event_type") != "alert":
            other += 1
            continue
        alert = event.at("alert").require_object()
        moment = parse_time(event.text("timestamp"))
        if moment is None:
            yield Skipped(reason="an alert without a time", place=place)
            continue
        names, attacker = _sides(event)
        number = alert.number("severity")
        metadata = alert.at("metadata")
        technique = ""
        if metadata.is_object:
            technique = next(iter(metadata.strings("mitre_technique_id")), "")
        yield Signal(
            id=digest(
                event.text("flow_id"),
                event.text("timestamp"),
                alert.text("signature_id"),
                event.text("src_ip"),
                event.text("dest_ip"),
                event.text("src_port"),
                event.text("dest_port"),
            ),
            time=moment,
            title=alert.text("signature") or f"signature {alert.text('signature_id')}",
            severity=_SEVERITY.get(int(number), "info") if number is not None else "unknown",
            severity_word=alert.text("severity"),
            description=f"{alert.text('category')} ({alert.text('action')}, "
            f"{event.text('proto')} port {event.text('dest_port')})",
            resources=names,
            technique=technique,
            source_address=attacker,
            place=place,
        )
    if other:
        yield Skipped(reason="events that are no alerts", count=other, harmless=True)


def _sides(event: Node) -> tuple[tuple[str, ...], str]:
    """Names of what was hit, and the other side's address.

    The destination of the packet, unless Suricata says that it went to the client; a private
    source is one of ours too.
    """
    source, destination = event.text("src_ip"), event.text("dest_ip")
    answer = event.text("direction") == "to_client"
    server, client = (source, destination) if answer else (destination, source)
    hit = [server]
    if is_private(client):
        hit.append(client)
    names = [address_name(a) for a in hit]
    outbound = is_private(client) and not is_private(server)
    if not outbound:
        for layer, key in (("http", "hostname"), ("tls", "sni")):
            node = event.at(layer)
            if node.is_object and node.text(key):
                names.append(host_name(node.text(key)))
    attacker = client if not is_private(client) or is_private(server) else server
    return tuple(dict.fromkeys(n for n in names if n)), attacker
