"""What a template inserts: values that stay values, and captured template text that stays text.

Jinja2 itself (sandbox.py) and YAML (render.py) do not belong here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import count, islice
from typing import Any

MAX_TEXT = 2**20
"""Longest template, block and rendering, in characters. An etcd of default size takes no more."""
MAX_DEPTH = 64
MAX_WIDTH = 1000
MAX_VALUES = 0xFFFD
"""Values in one rendering: the characters of one private-use plane."""
MAX_CACHED = 2**16
"""Longest text that is kept for later renderings, in characters: what 512 of them take is bounded.
"""
_AT_ONCE = 64
"""Pieces of a rendering that are taken until it is looked at whether it is too long."""

_FIRST = 0x100000
_encoded = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
PLACEHOLDER = re.compile(f"[{chr(_FIRST)}-{chr(_FIRST + MAX_VALUES)}]")
"""One character that stands for one value until YAML has been parsed."""


class Mistake(Exception):
    """What is wrong with a template's text. *line* is 1-based, None if unknown."""

    def __init__(self, message: str, line: int | None = None) -> None:
        self.message, self.line = message, line
        super().__init__(message)


class Structure:
    """A value that may become structure: what ``toyaml`` returns. Within a text it is JSON."""

    def __init__(self, value: Any) -> None:
        self.value = plain(value)

    def __str__(self) -> str:
        return _encoded(self.value)


class Inserted(str):
    """The text of a value that a template inserted; ``value`` has the value's type."""

    __slots__ = ("value",)
    value: str | int | float | Structure

    def __str__(self) -> str:  # generated code calls str(), which must not lose the origin
        return self


class Captured(str):
    """The output of a macro or of a ``{% set %}`` block. As a str it is what a reader would see."""

    __slots__ = ("pieces",)
    pieces: tuple[str, ...]

    def __str__(self) -> str:
        return self


def value_index(character: str) -> int:
    """Return the index of the value for which the placeholder *character* stands."""
    return ord(character) - _FIRST


def insert(value: Any) -> str:
    """Return *value* as a piece of output that is never mistaken for template text.

    Captured text passes as it is. Raises Mistake for what has no text: None, a dict, an object.
    """
    if isinstance(value, Captured):
        return value
    kind = type(value)
    text = str(value) if kind is int or kind is Structure else _text(value)
    inserted = Inserted(text)
    if kind is Structure:
        inserted.value = value
    else:
        inserted.value = text if isinstance(value, str) else plain(value)
    return inserted


def flat(outputs: list[Any]) -> list[str]:
    """Take apart what was captured. Anything of unknown origin is refused with Mistake."""
    for output in outputs:
        if type(output) is not str and type(output) is not Inserted:
            return [piece for one in outputs for piece in _pieces(one)]
    return outputs


def _pieces(output: object) -> tuple[str, ...]:
    if type(output) is str or type(output) is Inserted:
        return (output,)
    if isinstance(output, Captured):
        return output.pieces
    raise Mistake(f"a {type(output).__name__} cannot be written here")


def capture(outputs: Iterable[object]) -> Captured:
    """Join *outputs* and remember what was text and what was a value."""
    pieces = tuple(flat([*outputs]))
    if sum(map(len, pieces)) > MAX_TEXT:
        raise Mistake(f"a block renders to more than {MAX_TEXT} characters")
    captured = Captured("".join(pieces))
    captured.pieces = pieces
    return captured


def assemble(outputs: Iterable[object]) -> tuple[str, list[Inserted]]:
    """Join *outputs* to a text with a placeholder for each value, and return the values beside it.

    Renderings that differ only in their values have one text, which is joined once. Raises Mistake
    beyond `MAX_TEXT` or `MAX_VALUES`, and for what `flat` refuses.
    """
    shape: list[str | None] = []
    values: list[Inserted] = []
    size, coming = 0, iter(outputs)
    while batch := [*islice(coming, _AT_ONCE)]:
        pieces = flat(batch)
        size += sum(map(len, pieces))
        values += [piece for piece in pieces if type(piece) is Inserted]
        if size > MAX_TEXT or len(values) > MAX_VALUES:
            raise Mistake(f"renders to more than {MAX_TEXT} characters or {MAX_VALUES} values")
        shape += [None if type(piece) is Inserted else piece for piece in pieces]
    join = _joined_once if size <= MAX_CACHED else _joined
    return join(tuple(shape)), values


def _joined(shape: tuple[str | None, ...]) -> str:
    """Join the texts of *shape*, with a placeholder for each None."""
    places = map(chr, count(_FIRST))
    return "".join([next(places) if piece is None else piece for piece in shape])


_joined_once = lru_cache(maxsize=512)(_joined)


def keeping_origin(layout: Callable[..., str]) -> Callable[..., object]:
    """Let the filter *layout*, which only moves white space, keep captured text template text."""

    def apply(value: object, *args: object, **kwargs: object) -> object:
        if isinstance(value, Structure):
            return value
        if any(isinstance(arg, int) and arg > MAX_WIDTH for arg in (*args, *kwargs.values())):
            raise Mistake(f"the width is larger than {MAX_WIDTH}")
        if not isinstance(value, Captured):
            return layout(value, *args, **kwargs)
        if not all(isinstance(arg, int) for arg in (*args, *kwargs.values())):
            raise Mistake("for a captured block this filter takes numbers and booleans only")
        text, values = assemble(value.pieces)
        pieces = re.split(f"({PLACEHOLDER.pattern})", layout(text, *args, **kwargs))
        return capture(
            values[value_index(piece)] if PLACEHOLDER.fullmatch(piece) else piece
            for piece in pieces
        )

    return apply


def plain(value: Any, depth: int = 0) -> Any:
    """Copy *value* into JSON's own types; whole floats become ints, as kubectl reads YAML.

    Raises Mistake for what JSON cannot hold.
    """
    kind = type(value)  # most are JSON's own, and told so faster than by what they are like
    if isinstance(value, str):
        return str.__str__(value)
    if depth > MAX_DEPTH:
        raise Mistake("the value is nested too deeply, or holds itself")
    if kind is int or kind is float:
        return _scalar(value)
    if kind is Structure:
        return plain(value.value, depth)
    if kind is dict or isinstance(value, Mapping):
        return {
            key if type(key) is str else _text(key): (
                item if type(item) is str else plain(item, depth + 1)
            )
            for key, item in value.items()
        }
    if kind is list or (isinstance(value, Iterable) and not isinstance(value, bytes)):
        return [item if type(item) is str else plain(item, depth + 1) for item in value]
    return _scalar(value)


def _scalar(value: object) -> int | float | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if value.bit_length() > 63:
            raise Mistake("the number has more than 64 bits. Write {{ x | string }}")
        return int(value)
    if not isinstance(value, float):
        raise Mistake(f"a {type(value).__name__} cannot become YAML")
    if not math.isfinite(value):
        raise Mistake(f"{value} is not a number that JSON can hold")
    return int(value) if value.is_integer() else float(value)


def _text(value: object) -> str:
    """Return the text of *value*, with YAML's words for booleans."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Structure):
        return str(value)
    if value is None:
        raise Mistake(
            "the value is None. Write {{ x or '' }} for an empty text, {{ x | toyaml }} for null, "
            "or leave the line out with {% if x is not none %}"
        )
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        raise Mistake(
            f"the value is a {type(value).__name__}. Write {{{{ x | toyaml }}}} to insert it"
        )
    raise Mistake(
        f"the value is a {type(value).__name__}; text, numbers, booleans, and with | toyaml lists "
        "and dicts, can be inserted. Is a .name or [key] missing?"
    )
