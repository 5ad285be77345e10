"""OpenVEX 0.0.1 and 0.2.0 documents: statements.

Source: openvex/spec. A product with subcomponents: the statement speaks of the subcomponent in
that product, so both are named. 0.0.1 wrote the vulnerability and the products as texts.
"""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.reading import Head, Report, ReportError, parse_time
from secinbox.records import AnyRecord, Statement
from secinbox.sources._packages import vulnerability_id
from secinbox.sources._shape import Node

TITLE = "OpenVEX"

STATUSES = ("not_affected", "affected", "fixed", "under_investigation")


def recognise(head: Head) -> int:
    context = head.first.get("@context")
    if head.has("statements") and isinstance(context, str) and "openvex" in context:
        return 100
    return 0


def read(report: Report) -> Iterator[AnyRecord]:
    document = Node(report.json()).require_object()
    author = document.text("author")
    written = document.text("last_updated") or document.text("timestamp")
    for item in document.objects("statements"):
        status = item.text("status")
        if status not in STATUSES:
            raise ReportError(
                f"unknown status {status[:40]!r}",
                f"{item.place}.status",
                "one of " + ", ".join(STATUSES),
            )
        node = item.at("vulnerability")
        aliases: list[str] = []
        if node.is_object:
            name = node.text("name") or vulnerability_id(node.text("@id")) or node.text("@id")
            aliases = node.strings("aliases")
        else:
            name = node.text()
        if not name:
            raise ReportError("a statement without a vulnerability", item.place, "is it OpenVEX?")
        products: list[str] = []
        within: list[str] = []
        for product in item.items("products"):
            names, parts = _names(product)
            products += parts or names
            within += names if parts else []
        yield Statement(
            vulnerability=name,
            status=status,
            products=tuple(dict.fromkeys(products)),
            within=tuple(dict.fromkeys(within)),
            vulnerability_aliases=tuple(aliases),
            justification=item.text("justification"),
            text=item.text("impact_statement")
            or item.text("action_statement")
            or item.text("status_notes"),
            author=item.text("supplier") or author,
            time=parse_time(item.text("timestamp") or written),
            place=item.place,
        )


def _names(product: Node) -> tuple[list[str], list[str]]:
    """Names of the product, and of its parts of which the statement speaks."""
    if not product.is_object:
        return ([product.text()] if product.text() else []), []
    parts: list[str] = []
    for part in product.items("subcomponents"):
        parts += _names(part)[0]
    identifiers = product.at("identifiers")
    found = [product.text("@id")]
    if identifiers.is_object:
        found.append(identifiers.text("purl"))
    return [n for n in dict.fromkeys(found) if n], parts
