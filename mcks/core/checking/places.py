"""Finds the line of a configuration that a finding is about, by the names that it says. Pure.

A value that was computed has no line of its own: then the nearest name that is written counts, or
none at all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from slugify import slugify

from mcks.core.checking.finding import Finding

_QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"")
_ATTRIBUTE = re.compile(r"\.(\w+)")
_ADVICE = re.compile(r"Did you mean|Known:|Here it is")


def with_lines(found: Iterable[Finding], file: str, source: str) -> list[Finding]:
    """Return *found* with the *file*, and with lines of its *source* where one fits."""
    try:
        written = _written(ast.parse(source))
    except (SyntaxError, ValueError):
        written = {}
    return [
        finding if finding.file else replace(finding, file=file, line=_line(finding, written))
        for finding in found
    ]


def _written(tree: ast.AST) -> dict[str, list[int]]:
    """Return each name and text of the source with its lines; texts by their slugs, too."""
    lines: dict[str, list[int]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            lines.setdefault(node.attr, []).append(node.end_lineno or node.lineno)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            names = {text, slugify(text)} if len(text) < 200 else {text}
            for name in names:
                lines.setdefault(name, []).append(node.lineno)
    return {name: sorted(set(found)) for name, found in lines.items()}


def _line(finding: Finding, written: dict[str, list[int]]) -> int | None:
    names = [name for name in _names(finding) if name in written]
    for name in names:
        if len(written[name]) == 1:
            return written[name][0]
    return written[names[0]][0] if names else None


def _names(finding: Finding) -> Iterator[str]:
    """Yield the names that a finding says, the most telling first."""
    said = _ADVICE.split(finding.what)[0]
    for text in (said, finding.where):
        yield from (single or double for single, double in _QUOTED.findall(text))
    yield from reversed(_ATTRIBUTE.findall(finding.where))
