"""Draws a context map: SVG on the server, DOT and Mermaid for other tools.

The drawing is layered from the entry on top to the crown jewel at the bottom. Text of reports is
escaped here and nowhere trusted; colours are classes of the page's style sheet, so the same SVG is
readable in light, dark and print.
"""

from __future__ import annotations

import textwrap
from collections import defaultdict
from html import escape

from secinbox.inbox.maps import Edge, Map, Node

_WIDTH, _GAP, _LINE, _LAYER = 220, 36, 17, 84
_LONGEST = 28  # characters of a line in a node


def draw(found: Map, form: str) -> str:
    """`svg`, `dot` or `mermaid`. Raises ValueError for another word."""
    if form == "svg":
        return svg(found)
    if form == "dot":
        return dot(found)
    if form == "mermaid":
        return mermaid(found)
    raise ValueError(f"unknown form {form}: svg, dot or mermaid")


def _lines(node: Node) -> list[str]:
    text = node.label if node.folded <= 0 else f"{node.label} (or {node.folded} more)"
    lines = textwrap.wrap(text, _LONGEST, break_long_words=True)[:3] or ["?"]
    if len(lines) == 3 and len(text) > 3 * _LONGEST:
        lines[2] = lines[2][: _LONGEST - 1] + "…"
    return lines


def _height(node: Node) -> int:
    return 20 + _LINE * len(_lines(node)) + (_LINE if node.note else 0)


def svg(found: Map) -> str:
    """An SVG of natural size that shrinks with its page; every edge bears its verb."""
    layers: dict[int, list[Node]] = defaultdict(list)
    for node in found.nodes:
        layers[node.layer].append(node)
    widest = max((len(row) for row in layers.values()), default=1)
    width = widest * _WIDTH + (widest - 1) * _GAP + 40
    place: dict[str, tuple[float, float, int]] = {}
    top = 16.0
    for number in sorted(layers):
        row = layers[number]
        whole = len(row) * _WIDTH + (len(row) - 1) * _GAP
        left = (width - whole) / 2
        for position, node in enumerate(row):
            place[node.id] = (left + position * (_WIDTH + _GAP), top, _height(node))
        top += max(_height(n) for n in row) + _LAYER
    height = int(top - _LAYER + 24)
    parts = [
        f'<svg class="map" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{_attr(found.title)}" xmlns="http://www.w3.org/2000/svg">',
        f"<title>{_text(found.title)}</title>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto-start-reverse"><path class="tip" d="M0 0 8 4 0 8z"/>'
        "</marker></defs>",
    ]
    for edge in found.edges:
        parts.append(_edge(edge, place))
    for node in found.nodes:
        parts.append(_node(node, place[node.id]))
    parts.append("</svg>")
    return "".join(parts)


def _edge(edge: Edge, place: dict[str, tuple[float, float, int]]) -> str:
    left, top, height = place[edge.source]
    there, below, _ = place[edge.target]
    x1, y1 = left + _WIDTH / 2, top + height
    x2, y2 = there + _WIDTH / 2, below - 2
    if below <= top:  # sideways or back: around the right-hand side
        x1, y1 = left + _WIDTH, top + height / 2
        x2, y2 = there + _WIDTH, below + 20
        path = f"M{x1} {y1} C{x1 + 40} {y1} {x2 + 40} {y2} {x2} {y2}"
    else:
        middle = (y1 + y2) / 2
        path = f"M{x1} {y1} C{x1} {middle} {x2} {middle} {x2} {y2}"
    sure = "" if edge.certain else " unsure"
    x, y = (x1 + x2) / 2, (y1 + y2) / 2 + 4
    words = f"{edge.number}. {edge.verb}" if edge.number else edge.verb
    return (
        f'<g class="edge{sure}"><title>{_text(edge.sentence)}</title>'
        f'<path d="{path}" marker-end="url(#arrow)"/>'
        f'<text class="halo" x="{x}" y="{y}" text-anchor="middle">{_text(words)}</text>'
        f'<text x="{x}" y="{y}" text-anchor="middle">{_text(words)}</text></g>'
    )


def _node(node: Node, where: tuple[float, float, int]) -> str:
    x, y, height = where
    lines = _lines(node)
    text = "".join(
        f'<text x="{x + _WIDTH / 2}" y="{y + 20 + n * _LINE}" text-anchor="middle">'
        f"{_text(line)}</text>"
        for n, line in enumerate(lines)
    )
    if node.note:
        note = node.note if len(node.note) <= 34 else node.note[:33] + "…"
        text += (
            f'<text class="note" x="{x + _WIDTH / 2}" y="{y + 20 + len(lines) * _LINE}" '
            f'text-anchor="middle">{_text(note)}</text>'
        )
    behind = (
        f'<rect class="behind" x="{x + 5}" y="{y + 5}" width="{_WIDTH}" height="{height}" rx="8"/>'
        if node.folded > 0
        else ""
    )
    return (
        f'<g class="node {node.kind}"><title>{_text(node.id)}</title>{behind}'
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{height}" rx="8"/>{text}</g>'
    )


def _text(text: str) -> str:
    return escape("".join(c if c.isprintable() else "�" for c in text), quote=False)


def _attr(text: str) -> str:
    return escape("".join(c if c.isprintable() else "�" for c in text), quote=True)


def dot(found: Map) -> str:
    """Graphviz."""
    names = {node.id: f"n{number}" for number, node in enumerate(found.nodes)}
    rows = ["digraph path {", "  rankdir=TB; node [shape=box, style=rounded];"]
    for node in found.nodes:
        shape = ", shape=ellipse" if node.kind == "entry" else ""
        bold = ", penwidth=2" if node.kind == "target" else ""
        rows.append(
            f"  {names[node.id]} [label={_quoted(chr(10).join(_lines(node)))}{shape}{bold}];"
        )
    for edge in found.edges:
        dashed = "" if edge.certain else ", style=dashed"
        rows.append(
            f"  {names[edge.source]} -> {names[edge.target]} [label={_quoted(edge.verb)}{dashed}];"
        )
    return "\n".join([*rows, "}"])


def _quoted(text: str) -> str:
    clean = "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def mermaid(found: Map) -> str:
    """Mermaid's flow chart, for wikis and tickets."""
    names = {node.id: f"n{number}" for number, node in enumerate(found.nodes)}
    rows = ["flowchart TD"]
    for node in found.nodes:
        label = _plain(" ".join(_lines(node)))
        box = {"entry": ('(["', '"])'), "target": ('[["', '"]]')}.get(node.kind, ('["', '"]'))
        rows.append(f"  {names[node.id]}{box[0]}{label}{box[1]}")
    for edge in found.edges:
        arrow = "-->" if edge.certain else "-.->"
        rows.append(f'  {names[edge.source]} {arrow}|"{_plain(edge.verb)}"| {names[edge.target]}')
    return "\n".join(rows)


def _plain(text: str) -> str:
    """Mermaid reads entities with a number sign; everything that could be syntax becomes one."""
    return "".join(
        c if c.isalnum() or c in " .,:/_-@()" else f"#{ord(c)};" if c.isprintable() else "?"
        for c in text
    )
