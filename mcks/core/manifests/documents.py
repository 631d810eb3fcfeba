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
    MAX_CACHED,
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
_PARTS = re.compile(f"({PLACEHOLDER.pattern})")


def read(text: str, key: str, values: Sequence[Inserted]) -> list[Any]:
    """Read the documents of *text* and put *values* in the places of their placeholders.

    *text* may be indented as a whole; *key* is its name in the configuration. What is returned
    belongs to the caller: parsed texts are cached, and copied here.

    Raises BadTemplate, or Mistake where a value does not fit; their lines are lines of *text*.
    """
    parse = _parse_once if len(text) <= MAX_CACHED else _parse
    return [_filled(document, values) for document in parse(text, key)]


class _Place:
    """A scalar that holds placeholders: its value is a text."""

    __slots__ = ("line", "parts")

    def __init__(self, scalar: str, lines: dict[str, int]) -> None:
        self.parts: list[str | int] = [
            value_index(part) if PLACEHOLDER.match(part) else part
            for part in _PARTS.split(scalar.removeprefix(_ALONE))
            if part
        ]
        self.line = next(lines[part] for part in _PARTS.findall(scalar))

    def text(self, values: Sequence[Inserted]) -> str:
        return "".join([p if isinstance(p, str) else str.__str__(values[p]) for p in self.parts])

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


class _Value:
    """A scalar that is one placeholder, without quotes: its value keeps its type."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


class _Mapping:
    """A mapping whose values, and maybe keys, are yet to be filled."""

    __slots__ = ("fields", "has_places")

    def __init__(self, fields: dict[Any, Any]) -> None:
        self.fields = tuple(fields.items())
        self.has_places = any(isinstance(key, _Place) for key in fields)


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
        is_alone = node.startswith(_ALONE) and PLACEHOLDER.fullmatch(node[1:])
        return _Value(value_index(node[1])) if is_alone else _text(node, lines)
    if isinstance(node, list):
        return [_with_places(item, lines) for item in node]
    if isinstance(node, dict):
        return _Mapping({_text(k, lines): _with_places(v, lines) for k, v in node.items()})
    return node


def _text(scalar: str, lines: dict[str, int]) -> str | _Place:
    return _Place(scalar, lines) if PLACEHOLDER.search(scalar) else scalar


def _filled(node: Any, values: Sequence[Inserted]) -> Any:
    kind = type(node)
    if kind is _Mapping:
        if node.has_places:
            return _filled_with_keys(node, values)
        filled = {}
        for key, item in node.fields:
            if type(item) is _Value and type(value := values[item.index].value) is not Structure:
                filled[key] = value  # as most are
            else:
                filled[key] = item if type(item) is str else _filled(item, values)
        return filled
    if kind is _Value:
        value = values[node.index].value
        return plain(value.value) if type(value) is Structure else value
    if kind is list:
        return [item if type(item) is str else _filled(item, values) for item in node]
    return node.text(values) if kind is _Place else node


def _filled_with_keys(node: _Mapping, values: Sequence[Inserted]) -> dict[str, Any]:
    filled = {
        (key if type(key) is str else key.key(values)): _filled(item, values)
        for key, item in node.fields
    }
    if len(filled) != len(node.fields):
        raise _collision(node, values)
    return filled


def _collision(node: _Mapping, values: Sequence[Inserted]) -> Mistake:
    """Two keys became one: which of them won would depend on a user's value."""
    seen = {key for key, _ in node.fields if isinstance(key, str)}
    for place in (key for key, _ in node.fields if not isinstance(key, str)):
        key = place.key(values)
        if key in seen:
            break
        seen.add(key)
    return Mistake(
        f"an inserted value makes the key {key!r} occur twice. Give it a prefix", place.line
    )
