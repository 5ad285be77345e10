"""Drawings of figures: plain SVG, coloured by the style sheet, readable without colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 860, 240, 48, 34, 16


def weeks_svg(weeks: Sequence[dict[str, Any]]) -> str:
    """New and fixed findings as bars, open ones as a line with its own scale on the right.

    Only numbers and ISO dates go in: there is nothing to escape.
    """
    bars = max((max(w["new"], w["fixed"]) for w in weeks), default=0) or 1
    line = max((w["open"] for w in weeks), default=0) or 1
    inner = _WIDTH - 2 * _LEFT
    step = inner / max(len(weeks), 1)
    floor = _HEIGHT - _BOTTOM
    tall = floor - _TOP
    parts = [
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'aria-label="findings by week: new, fixed and open; the same figures stand in the table">',
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _LEFT}" y1="{floor}" y2="{floor}"/>',
        f'<text x="{_LEFT - 6}" y="{_TOP + 4}" text-anchor="end">{bars}</text>',
        f'<text x="{_LEFT - 6}" y="{floor}" text-anchor="end">0</text>',
        f'<text x="{_WIDTH - _LEFT + 6}" y="{_TOP + 4}">{line}</text>',
    ]
    points = []
    for number, week in enumerate(weeks):
        left = _LEFT + number * step
        for place, kind in ((0.18, "new"), (0.5, "fixed")):
            height = tall * week[kind] / bars
            parts.append(
                f'<rect class="{kind}" x="{left + place * step:.1f}" y="{floor - height:.1f}" '
                f'width="{step * 0.3:.1f}" height="{height:.1f}"/>'
            )
        middle = left + step / 2
        points.append((middle, floor - tall * week["open"] / line))
        if number % max(1, len(weeks) // 12) == 0:
            parts.append(f'<text x="{middle:.1f}" y="{_HEIGHT - 14}" text-anchor="middle">'
                         f'{week["begins"][5:]}</text>')  # fmt: skip
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    parts.append(f'<polyline class="open" points="{path}"/>')
    parts += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in points]
    return "".join((*parts, "</svg>"))
