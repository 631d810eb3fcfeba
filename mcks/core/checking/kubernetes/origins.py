"""Finds who said a field of an object: the template or patch, and the line of its text. Pure.

What is wrong there does not belong here. The texts are looked at as they are written, with their
Jinja2: a field whose name or place is computed has no origin.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from textwrap import dedent
from typing import NamedTuple

_DOCUMENTS = re.compile(r"^---.*$", re.MULTILINE)


class Origin(NamedTuple):
    """Where a field is written: ``patch '10-gpu', line 7``."""

    what: str
    key: str
    line: int

    def __str__(self) -> str:
        return f"{self.what} {self.key!r}, line {self.line}"


def origin(
    kind: str,
    path: tuple[str | int, ...],
    templates: Mapping[str, str],
    patches: Mapping[str, str],
) -> Origin | None:
    """Return where the field at *path* of an object of *kind* is written; None if nobody knows.

    The last patch that writes it counts, else the last template.
    """
    names = [step for step in path if isinstance(step, str)]
    for what, texts in (("patch", patches), ("template", templates)):
        for key in sorted(texts, reverse=True):
            if (line := _line(texts[key], kind, names)) is not None:
                return Origin(what, key, line)
    return None


def _line(text: str, kind: str, names: list[str]) -> int | None:
    """Return the line of *text*, from 1, in which the field is written that *names* lead to."""
    text = dedent(text)
    starts = [0, *(found.end() for found in _DOCUMENTS.finditer(text)), len(text)]
    for start, end in itertools.pairwise(starts):
        document = text[start:end]
        of_kind = rf"(?:^|[{{,])\s*kind:\s*[\"']?{re.escape(kind)}\b"
        if not re.search(of_kind, document, re.MULTILINE):
            continue
        position = _position(document, names)
        if position is not None:
            return text.count("\n", 0, start + position) + 1
    return None


def _position(document: str, names: list[str]) -> int | None:
    """Return where the last of *names* stands as a key, each after the one before it."""
    position = 0
    at = 0
    for name in names:
        key = re.compile(rf"(?:^|[\s{{,\-\"'])({re.escape(name)})[\"']?\s*:", re.MULTILINE)
        found = key.search(document, position)
        if found is None:
            return None
        position, at = found.end(), found.start(1)
    return at
