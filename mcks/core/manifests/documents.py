"""YAML with placeholders: parsed once, filled with values for each server. Pure.

Where placeholders come from (sandbox.py) and what documents mean (render.py) do not belong here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from textwrap import dedent
from typing import Any

from mcks.core.manifests.insertion import (
    PLACEHOLDER,
    Inserted,
    Mistake,
    Structure,
    plain,
    value_index,
)
from mcks.core.manifests.kubectl_yaml import load_all

_ALONE = "\U0010ffff"
"""Stands before a placeholder that is a whole unquoted scalar: its value keeps its type."""
_CACHED = 2**16
"""Longest text that is kept parsed, in characters: what 512 of them may take is bounded."""
_PARTS = re.compile(f"({PLACEHOLDER.pattern})")


def read(text: str, key: str, values: Sequence[Inserted]) -> list[Any]:
    """Read the documents of *text* and put *values* in the places of their placeholders.

    *text* may be indented as a whole; *key* is its name in the configuration. What is returned
    belongs to the caller: parsed texts are cached, and copied here.

    Raises BadTemplate, or Mistake where a value does not fit; their lines are lines of *text*.
    """
    parse = _parse_once if len(text) <= _CACHED else _parse
    return [_filled(document, values) for document in parse(text, key)]


class _Place:
    """A scalar that holds placeholders. *alone*: the value of just one, without quotes."""

    __slots__ = ("alone", "line", "parts")

    def __init__(self, scalar: str, lines: dict[str, int]) -> None:
        self.alone = value_index(scalar[-1]) if scalar.startswith(_ALONE) else None
        self.parts: list[str | int] = [
            value_index(part) if PLACEHOLDER.match(part) else part
            for part in _PARTS.split(scalar.removeprefix(_ALONE))
            if part
        ]
        self.line = next(lines[part] for part in _PARTS.findall(scalar))

    def text(self, values: Sequence[Inserted]) -> str:
        return "".join([p if isinstance(p, str) else str.__str__(values[p]) for p in self.parts])

    def value(self, values: Sequence[Inserted]) -> Any:
        if self.alone is None:
            return self.text(values)
        value = values[self.alone].value
        return plain(value.value) if isinstance(value, Structure) else value

    def key(self, values: Sequence[Inserted]) -> str:
        if any(isinstance(p, int) and isinstance(values[p].value, Structure) for p in self.parts):
            raise Mistake("a key cannot be a structure. Leave out | toyaml", self.line)
        key = self.text(values)
        if key.startswith("$"):
            raise Mistake(
                f"an inserted value makes the key {key!r}, which would be a directive. "
                "Write directives out in the template",
                self.line,
            )
        return key


@lru_cache(maxsize=512)
def _parse_once(text: str, key: str) -> tuple[Any, ...]:
    return _parse(text, key)


def _parse(text: str, key: str) -> tuple[Any, ...]:
    lines: dict[str, int] = {}

    def keep(scalar: str, unquoted: bool, line: int) -> Any:
        found = PLACEHOLDER.findall(scalar)
        if not found:
            return NotImplemented
        lines.update(dict.fromkeys(found, line))
        return _ALONE + scalar if unquoted and scalar == found[0] else scalar

    documents = load_all(dedent(text), key=key, scalar=keep)
    return tuple(_with_places(document, lines) for document in documents)


def _with_places(node: Any, lines: dict[str, int]) -> Any:
    if isinstance(node, str):
        return _Place(node, lines) if PLACEHOLDER.search(node) else node
    if isinstance(node, list):
        return [_with_places(item, lines) for item in node]
    if isinstance(node, dict):
        return {_with_places(k, lines): _with_places(v, lines) for k, v in node.items()}
    return node


def _filled(node: Any, values: Sequence[Inserted]) -> Any:
    kind = type(node)
    if kind is dict:
        filled = {}
        for key, item in node.items():
            name = key if type(key) is str else key.key(values)
            filled[name] = item if type(item) is str else _filled(item, values)
        if len(filled) != len(node):
            raise _collision(node, values)
        return filled
    if kind is list:
        return [_filled(item, values) for item in node]
    return node.value(values) if kind is _Place else node


def _collision(node: dict[Any, Any], values: Sequence[Inserted]) -> Mistake:
    """Two keys became one: which of them won would depend on a user's value."""
    seen = {key for key in node if isinstance(key, str)}
    for place in (key for key in node if not isinstance(key, str)):
        key = place.key(values)
        if key in seen:
            break
        seen.add(key)
    return Mistake(
        f"an inserted value makes the key {key!r} occur twice. Give it a prefix", place.line
    )
