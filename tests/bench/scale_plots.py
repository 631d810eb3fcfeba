"""How figures grow, as SVG: lines over the number of servers, one for each number of clusters.

What the figures mean does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

PLOTS = {
    "scale-cpu.svg": (
        ("hub's restart, CPU s", "find cpu s"),
        ("sweep of all clusters, CPU s", "sweep cpu s"),
        ("API servers away for 5 s, CPU s", "outage cpu s"),
    ),
    "scale-each.svg": (
        ("memory per server, kB", "memory kB"),
        ("CPU per start in a storm, ms", "storm ms"),
        ("CPU per stop in a storm, ms", "storm stop ms"),
    ),
}
_WIDTH, _HEIGHT, _MARGIN = 260, 200, 45
_COLOURS = ("#1b6ca8", "#c8501e", "#4a7c2a", "#7a4a9c")
_MARKS = ("circle", "square", "diamond", "triangle")


class Line(NamedTuple):
    """Points of one colour: servers, and the figure."""

    name: str
    points: Sequence[tuple[float, float]]


def write(results: Mapping[str, Mapping[str, float]], directory: Path) -> None:
    """Write all plots of *results* (by ``SERVERS/CLUSTERS``) into *directory*."""
    for file, figures in PLOTS.items():
        (directory / file).write_text(svg([(t, lines(results, name)) for t, name in figures]))


def lines(results: Mapping[str, Mapping[str, float]], name: str) -> list[Line]:
    """Make a line for each number of clusters.

    >>> lines({"3000/10": {"a": 2.0}, "1000/10": {"a": 1.0}}, "a")
    [Line(name='10 clusters', points=[(1000.0, 1.0), (3000.0, 2.0)])]
    """
    by_clusters: dict[int, list[tuple[float, float]]] = {}
    for size, figures in results.items():
        servers, _, clusters = size.partition("/")
        if name in figures:
            by_clusters.setdefault(int(clusters), []).append((float(servers), figures[name]))
    return [
        Line(f"{clusters} cluster{'s' if clusters > 1 else ''}", sorted(points))
        for clusters, points in sorted(by_clusters.items())
    ]


def svg(panels: Sequence[tuple[str, Sequence[Line]]]) -> str:
    """Draw *panels* side by side, each with its title; readable without its colours."""
    width = _WIDTH * len(panels)
    names = "; ".join(title for title, _ in panels)
    size = f'viewBox="0 0 {width} {_HEIGHT + 40}" font-family="sans-serif" font-size="11"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(names)}">',
        f'<rect width="{width}" height="{_HEIGHT + 40}" fill="white"/>',
    ]
    for number, (title, drawn) in enumerate(panels):
        parts.append(f'<g transform="translate({number * _WIDTH},0)">')
        parts += _panel(title, drawn)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


def _panel(title: str, drawn: Sequence[Line]) -> Iterator[str]:
    points = [point for line in drawn for point in line.points] or [(1.0, 1.0)]
    most_servers, most = (max(axis) * 1.05 or 1.0 for axis in zip(*points, strict=True))
    left, right, bottom, top = _MARGIN, _WIDTH - 15, _HEIGHT - 25, 35
    yield f'<text x="{left}" y="20" font-weight="bold">{escape(title)}</text>'
    yield f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#444"/>'
    yield from _labels(sorted({servers for servers, _ in points}), most_servers)
    yield f'<text x="{left - 5}" y="{top + 4}" text-anchor="end">{most / 1.05:.3g}</text>'
    yield f'<text x="{left - 5}" y="{bottom}" text-anchor="end">0</text>'
    for number, line in enumerate(drawn):
        places = [
            (left + s / most_servers * (right - left), bottom - value / most * (bottom - top))
            for s, value in line.points
        ]
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for place in places:
            yield _mark(_MARKS[number % len(_MARKS)], *place, colour)
        x, y = left + number * 72, _HEIGHT + 25
        yield _mark(_MARKS[number % len(_MARKS)], x, y - 4, colour)
        yield f'<text x="{x + 8}" y="{y}">{escape(line.name)}</text>'


def _labels(servers: Sequence[float], most: float) -> Iterator[str]:
    for count in servers:
        x = _MARGIN + count / most * (_WIDTH - 15 - _MARGIN)
        yield f'<text x="{x:.1f}" y="{_HEIGHT - 10}" text-anchor="middle">{count:,.0f}</text>'


def _mark(kind: str, x: float, y: float, colour: str) -> str:
    shapes = {
        "circle": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>',
        "square": f'<path d="M{x - 3:.1f} {y - 3:.1f}h6v6h-6z" fill="{colour}"/>',
        "diamond": f'<path d="M{x:.1f} {y - 4:.1f}l4 4l-4 4l-4 -4z" fill="{colour}"/>',
        "triangle": f'<path d="M{x:.1f} {y - 4:.1f}l4 7h-8z" fill="{colour}"/>',
    }
    return shapes[kind]
