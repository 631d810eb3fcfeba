"""JSON values in patches: plain copies, exact equality, types. What a patch does is not here."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

Token = tuple[type, Hashable]
"""What makes two scalars equal in JSON: ``True``, ``1`` and ``1.0`` are three different ones."""

_SCALARS = frozenset({str, bool, int, float, type(None)})
_GO_TYPES = {
    dict: "map[string]interface {}",
    list: "[]interface {}",
    str: "string",
    bool: "bool",
    int: "int64",
    float: "float64",
    type(None): "<nil>",
}
_WORDS = {dict: "map", list: "list", str: "string", bool: "boolean", type(None): "null"}


class Refused(Exception):
    """kubectl, or mcks, would not apply this patch. *path* leads to the place, outermost first."""

    def __init__(self, message: str, path: Sequence[str] = ()) -> None:
        self.message = message
        self.path = list(path)
        super().__init__(message)

    def inside(self, step: str) -> Refused:
        """Say that the place is inside *step*; called on the way out of a recursion."""
        self.path.insert(0, step)
        return self


class _NotJSON(Exception):
    """*culprit* is the value or key; args hold the message."""

    def __init__(self, message: str, culprit: Any) -> None:
        self.culprit = culprit
        super().__init__(message)


def plain(value: Any) -> Any:
    """Return a copy of *value* that is made of JSON's own types only.

    Subclasses (an ordered dict, traitlets' Config, a marked string) become what they stand for,
    tuples become lists. Raises Refused for what is not JSON.
    """
    try:
        return _copy(value)
    except _NotJSON as e:
        message = f"invalid JSON document: {e}"
        raise Refused(message, _path_to(e.culprit, value) or ()) from None


def _copy(value: Any) -> Any:
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is dict:
        return {
            key if type(key) is str else _key(key): (
                item if type(item) in _SCALARS else _copy(item)
            )
            for key, item in value.items()
        }
    if kind is list:
        return [item if type(item) in _SCALARS else _copy(item) for item in value]
    if isinstance(value, Mapping):
        return _copy(dict(value))
    if isinstance(value, tuple | list):
        return _copy(list(value))
    for scalar in (str, int, float):
        if isinstance(value, scalar):
            return scalar(value)
    text = f"a {kind.__name__} is not a JSON value. Write a string, number, boolean, list or map"
    raise _NotJSON(text, value)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return str(key)
    raise _NotJSON(f"the key {key!r} is no string. Quote it", key)


def _path_to(culprit: Any, value: Any) -> list[str] | None:
    """Find the way to *culprit*, None where it is not inside *value*."""
    steps: list[tuple[str, Any]] = []
    if isinstance(value, Mapping):
        if any(key is culprit for key in value):
            return []
        steps = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list | tuple):
        steps = [(f"[{index}]", item) for index, item in enumerate(value)]
    for step, item in steps:
        rest = [] if item is culprit else _path_to(culprit, item)
        if rest is not None:
            return [step, *rest]
    return None


def without_nulls(value: Any) -> Any:
    """Return *value* without the null fields of its maps, at any depth; null list items stay."""
    if type(value) is dict:
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if type(value) is list:
        return [without_nulls(item) for item in value]
    return value


def token(value: Any) -> Token:
    """Return what the scalar *value* is compared by. Raises Refused for maps and lists."""
    if type(value) is dict or type(value) is list:
        raise Refused(f"a string, number or boolean is expected here, not a {word(value)}")
    return type(value), value


def word(value: Any) -> str:
    """Name the type of *value* for people."""
    return _WORDS.get(type(value), "number" if type(value) in _GO_TYPES else type(value).__name__)


def wrong_type(expected: type, value: Any) -> Refused:
    """Make kubectl's error for a value of another type than *expected*, and say it in words."""
    theirs = f"expected a {_GO_TYPES[expected]}, but received a {_GO_TYPES.get(type(value))}"
    return Refused(f"{theirs}. Write a {_WORDS[expected]} here instead of a {word(value)}")


def element_type(*lists: Iterable[Any]) -> type | None:
    """Return the one type that all elements of *lists* have, None without elements.

    Raises Refused for different types, and where the first is a list or null.
    """
    found: type | None = None
    first: Any = None
    for element in (element for items in lists for element in items):
        kind = type(element)
        if found is None:
            if kind is list:
                raise Refused("lists of lists are not supported. Make it one list")
            if element is None:
                raise Refused("null is no list element that can be merged. Leave it out")
            found, first = kind, element
        elif kind is not found:
            types = f"{_GO_TYPES[type(first)]} and {_GO_TYPES[kind]}"
            text = f"list element types are not identical: {types}. Write all elements alike"
            raise Refused(text)
    return found
