"""Which fields of the built-in kinds merge, and by which key. How they merge does not belong here.

The table patch_schema.json holds what Kubernetes' OpenAPI documents say with
``x-kubernetes-patch-strategy`` and ``x-kubernetes-patch-merge-key``, for all kinds of v1.25 and
later that kubectl can patch locally; ``python -m tests.generate.patch_schema`` makes it. It
has one entry per field that is a map or a list, in words: shape, type, strategy, merge key, with
``-`` for none: ``list core.v1.Container merge name``. The type is that of the map or of the list's
elements; a map without one is free-form, such as labels. Scalars need no entry, nor do the
elements of a list without a strategy, which a patch replaces as a whole.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

FREE_FORM = ""
"""The name of the type that has no fields: labels, data, and what no schema describes."""


class Field(NamedTuple):
    """How one field of a built-in type is patched."""

    is_list: bool
    type_name: str
    """The type of the map, or of the list's elements."""
    strategy: str
    """``merge``, ``replace`` or empty. ``retainKeys`` is left out: kubectl never acts on it."""
    merge_key: str


def type_of(api_version: str, kind: str) -> str | None:
    """Return the name of a kind's type, or None where kubectl patches no such kind locally."""
    name: str | None = _table()["kinds"].get(api_version, {}).get(kind)
    return name


@cache
def fields(type_name: str) -> dict[str, Field]:
    """Return the maps and lists of a type by their names."""
    entries = _table()["types"].get(type_name, {})
    return {name: _field(words) for name, words in entries.items()}


def kinds() -> list[tuple[str, str]]:
    """Return apiVersion and kind of all that the table knows."""
    return [(version, kind) for version, names in _table()["kinds"].items() for kind in names]


@cache
def _table() -> dict[str, Any]:
    text = (files("mcks.core.patching") / "patch_schema.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def _field(words: str) -> Field:
    parts = words.split(" ")
    parts += ["-"] * (4 - len(parts))
    shape, type_name, strategy, merge_key = ("" if part == "-" else part for part in parts)
    kept = next((s for s in strategy.split(",") if s != "retainKeys"), "")
    return Field(shape == "list", type_name, kept, merge_key)
