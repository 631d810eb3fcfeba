"""JSON values in patches: plain copies, exact equality, types. What a patch does is not here."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
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


class Refused(Exception):
    """kubectl, or mcks, would not apply this patch. *path* leads to the place, outermost first."""

    def __init__(self, message: str) -> None:
        self.message = message
        self.path: list[str] = []
        super().__init__(message)

    def inside(self, step: str) -> Refused:
        """Say that the place is inside *step*; called on the way out of a recursion."""
        self.path.insert(0, step)
        return self


def plain(value: Any) -> Any:
    """Return a copy of *value* that is made of JSON's own types only.

    Subclasses (an ordered dict, traitlets' Config, a marked string) become what they stand for,
    tuples become lists. Raises Refused for what is not JSON.
    """
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is dict:
        return {key if type(key) is str else _key(key): plain(item) for key, item in value.items()}
    if kind is list:
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return plain(dict(value))
    if isinstance(value, tuple | list):
        return plain(list(value))
    for scalar in (str, int, float):
        if isinstance(value, scalar):
            return scalar(value)
    raise Refused(f"invalid JSON document: a {kind.__name__} is not a JSON value")


def _key(key: Any) -> str:
    if isinstance(key, str):
        return str(key)
    raise Refused(f"invalid JSON document: the key {key!r} is no string. Quote it")


def token(value: Any) -> Token:
    """Return what the scalar *value* is compared by. Raises Refused for maps and lists."""
    if type(value) is dict or type(value) is list:
        raise Refused(f"a scalar is expected here, but received a {type_name(value)}")
    return type(value), value


def type_name(value: Any) -> str:
    """Name the type of *value* as kubectl's errors do."""
    return _GO_TYPES.get(type(value), type(value).__name__)


def wrong_type(expected: type, value: Any) -> Refused:
    """Make kubectl's error for a value of another type than *expected*."""
    return Refused(f"expected a {_GO_TYPES[expected]}, but received a {type_name(value)}")


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
                raise Refused("lists of lists are not supported")
            if element is None:
                raise Refused("null is no list element that can be merged. Leave it out")
            found, first = kind, element
        elif kind is not found:
            types = f"{type_name(first)} and {type_name(element)}"
            raise Refused(f"list element types are not identical: {types}")
    return found
