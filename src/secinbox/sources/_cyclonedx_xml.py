"""CycloneDX XML as the same maps and lists that its JSON has, so that one reader reads both.

Also the vulnerability extension 1.0 that BOMs before 1.4 used.
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from secinbox.reading import Report, ReportError

_MAX_DEPTH = 100


def parse_xml(report: Report) -> Element:
    """The root element; entities and external references are refused."""
    try:
        root: Element = fromstring(report.text.encode("utf-8"), forbid_dtd=False)
    except ParseError as error:
        line, column = error.position
        raise ReportError(
            f"not valid XML: {error.msg if hasattr(error, 'msg') else 'syntax error'}",
            f"line {line}, column {column}",
            "is it the tool's XML output?",
        ) from None
    except DefusedXmlException:
        raise ReportError(
            "XML with entities is refused", "line 1", "write the report without a DOCTYPE"
        ) from None
    except (ValueError, RecursionError):
        raise ReportError("not valid XML", "line 1", "is it the tool's XML output?") from None
    return root


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _child(element: Element | None, *names: str) -> Element | None:
    for name in names:
        if element is None:
            return None
        element = next((c for c in element if _tag(c) == name), None)
    return element


def _children(element: Element | None, *path: str) -> list[Element]:
    *outer, last = path
    holder = _child(element, *outer)
    return [] if holder is None else [c for c in holder if _tag(c) == last]


def _text(element: Element | None, *path: str) -> str:
    found = _child(element, *path)
    return (found.text or "").strip() if found is not None else ""


def bom_of(report: Report) -> dict[str, Any]:
    """The BOM in JSON's shape."""
    root = parse_xml(report)
    if _tag(root) != "bom" or "cyclonedx" not in root.tag:
        raise ReportError("not a CycloneDX BOM", "line 1", "is it CycloneDX XML?")
    metadata = _child(root, "metadata")
    extra: list[dict[str, Any]] = []
    bom: dict[str, Any] = {"bomFormat": "CycloneDX", "components": [], "metadata": {}}
    holder = _child(root, "components")
    if holder is not None:
        bom["components"] = _components(holder, extra, 0)
    if metadata is not None:
        tools = _children(metadata, "tools", "tool") + _children(
            _child(metadata, "tools"), "components", "component"
        )
        bom["metadata"] = {
            "timestamp": _text(metadata, "timestamp"),
            "tools": [{"vendor": _text(t, "vendor"), "name": _text(t, "name")} for t in tools],
        }
        main = _child(metadata, "component")
        if main is not None:
            bom["metadata"]["component"] = _component(main, extra, 0)
    listed = _children(root, "vulnerabilities", "vulnerability")
    bom["vulnerabilities"] = [_vulnerability(v, "") for v in listed] + extra
    if not bom["vulnerabilities"] and _child(root, "vulnerabilities") is None:
        del bom["vulnerabilities"]
    return bom


def _components(holder: Element, extra: list[dict[str, Any]], depth: int) -> list[dict[str, Any]]:
    if depth > _MAX_DEPTH:
        raise ReportError("nested too deeply", "components", "is it the tool's own output?")
    return [_component(c, extra, depth) for c in holder if _tag(c) == "component"]


def _component(item: Element, extra: list[dict[str, Any]], depth: int) -> dict[str, Any]:
    purl = _text(item, "purl")
    reference = item.get("bom-ref") or purl or f"{_text(item, 'name')}@{_text(item, 'version')}"
    nested = _child(item, "components")
    for vulnerability in _children(item, "vulnerabilities", "vulnerability"):
        extra.append(_vulnerability(vulnerability, reference))
    return {
        "bom-ref": reference,
        "type": item.get("type", ""),
        "group": _text(item, "group"),
        "name": _text(item, "name"),
        "version": _text(item, "version"),
        "purl": purl,
        "components": _components(nested, extra, depth + 1) if nested is not None else [],
        "properties": [
            {"name": p.get("name", ""), "value": (p.text or "").strip()}
            for p in _children(item, "properties", "property")
        ],
    }


def _source(item: Element | None) -> dict[str, str]:
    source = _child(item, "source")
    if source is None:
        return {}
    return {"name": _text(source, "name") or source.get("name", ""), "url": _text(source, "url")}


def _rating(item: Element) -> dict[str, Any]:
    return {
        "source": _source(item),
        "score": _text(item, "score", "base") or _text(item, "score") or None,
        "severity": _text(item, "severity").lower(),
        "method": _text(item, "method"),
        "vector": _text(item, "vector"),
    }


def _vulnerability(item: Element, reference: str) -> dict[str, Any]:
    """Both the element of 1.4 and the extension's (whose `ref` is the package)."""
    targets = [
        {
            "ref": _text(t, "ref"),
            "versions": [
                {"version": _text(v, "version"), "status": _text(v, "status")}
                for v in _children(t, "versions", "version")
            ],
        }
        for t in _children(item, "affects", "target")
    ]
    reference = item.get("ref") or reference
    if not targets and reference:
        targets = [{"ref": reference, "versions": []}]
    advice = [(r.text or "").strip() for r in _children(item, "recommendations", "recommendation")]
    found: dict[str, Any] = {
        "id": _text(item, "id"),
        "source": _source(item),
        "ratings": [_rating(r) for r in _children(item, "ratings", "rating")],
        "description": _text(item, "description"),
        "detail": _text(item, "detail"),
        "recommendation": _text(item, "recommendation") or "; ".join(advice),
        "references": [{"id": _text(r, "id")} for r in _children(item, "references", "reference")],
        "advisories": [
            {"url": _text(a, "url") or (a.text or "").strip()}
            for a in _children(item, "advisories", "advisory")
        ],
        "affects": targets,
    }
    analysis = _child(item, "analysis")
    if analysis is not None:
        found["analysis"] = {
            "state": _text(analysis, "state"),
            "justification": _text(analysis, "justification"),
            "detail": _text(analysis, "detail"),
        }
    return found
