"""CSAF 2.0 documents of the VEX profile and security advisories: statements.

Source: OASIS, "Common Security Advisory Framework 2.0", product status and profiles. Relationships
(`default_component_of`) say which product contains the component.
"""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.reading import Head, Report, ReportError, parse_time
from secinbox.records import AnyRecord, Statement
from secinbox.sources._shape import Node

TITLE = "CSAF"

_STATUS = {
    "known_not_affected": "not_affected",
    "known_affected": "affected",
    "first_affected": "affected",
    "last_affected": "affected",
    "fixed": "fixed",
    "first_fixed": "fixed",
    "under_investigation": "under_investigation",
}


def recognise(head: Head) -> int:
    document = head.first.get("document")
    if isinstance(document, dict) and "csaf_version" in document:
        return 100
    if head.has("document", "vulnerabilities") and '"csaf_version"' in head.text:
        return 90
    return 0


def read(report: Report) -> Iterator[AnyRecord]:
    root = Node(report.json()).require_object()
    document = root.at("document").require_object()
    version = document.text("csaf_version")
    if version not in ("2.0", "2.1"):
        raise ReportError(
            f"CSAF {version[:20]} is not supported", "$.document.csaf_version", "use CSAF 2.0"
        )
    author = document.text("publisher", "name")
    time = parse_time(document.text("tracking", "current_release_date"))
    purls, holders = _products(root.at("product_tree"))
    for item in root.objects("vulnerabilities"):
        ids = [n.text("text") for n in item.objects("ids")]
        name = item.text("cve") or (ids[0] if ids else "")
        if not name:
            raise ReportError("a vulnerability without an id", item.place, "is it CSAF?")
        flags = _by_product(item, "flags", "label")
        texts = _by_product(item, "threats", "details")
        for product, text in _by_product(item, "remediations", "details").items():
            texts.setdefault(product, text)
        for word, node in item.entries("product_status"):
            status = _STATUS.get(word)
            if not status:
                continue
            for entry in node.items():
                product = entry.text()
                component, holder = holders.get(product, (product, ""))
                yield Statement(
                    vulnerability=name,
                    status=status,
                    products=(purls.get(component, component),),
                    within=(purls.get(holder, holder),) if holder else (),
                    vulnerability_aliases=tuple(i for i in ids if i != name),
                    justification=flags.get(product, ""),
                    text=texts.get(product, ""),
                    author=author,
                    time=time,
                    place=entry.place,
                )


def _by_product(item: Node, key: str, value: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in item.objects(key):
        for product in node.strings("product_ids"):
            found.setdefault(product, node.text(value))
    return found


def _products(tree: Node) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Product id -> purl or name; id of a relationship -> (component id, id of its holder)."""
    purls: dict[str, str] = {}
    holders: dict[str, tuple[str, str]] = {}
    if not tree.is_object:
        return purls, holders

    def add(product: Node) -> None:
        if product.is_object:
            helper = product.at("product_identification_helper")
            purl = helper.text("purl") if helper.is_object else ""
            purls[product.text("product_id")] = purl or product.text("name")

    stack = list(tree.objects("branches"))
    while stack:
        branch = stack.pop()
        add(branch.at("product"))
        stack.extend(branch.objects("branches"))
    for product in tree.objects("full_product_names"):
        add(product)
    for relation in tree.objects("relationships"):
        identifier = relation.text("full_product_name", "product_id")
        holders[identifier] = (
            relation.text("product_reference"),
            relation.text("relates_to_product_reference"),
        )
    return purls, holders
