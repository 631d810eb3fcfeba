"""Patches that make one object of another, as strategic merge patches. Pure.

What an administrator says about it, and templates, do not belong here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mcks.core.objects import Manifest
from mcks.core.patching import patch_schema
from mcks.core.patching.patch import strategic_merge
from mcks.core.patching.patch_schema import FREE_FORM, Field
from mcks.core.patching.strategic import PATCH

UNKNOWN = "\U000ffffd"
"""Stands, as a value or in a list, for what may be there and is not known: a lower level's."""
_REPLACE = {PATCH: "replace"}
_NOT_MERGED = Field(is_list=False, type_name=FREE_FORM, strategy="", merge_key="")

Map = dict[str, Any]


class Difference(NamedTuple):
    """Two patches for one object: what the first removes, the second sets anew."""

    cleared: Map
    changed: Map


def patches(before: Manifest, after: Manifest) -> list[Manifest]:
    """Return the patches that make *after* of *before*, in their order; none if they are alike.

    Values that are UNKNOWN in *before* are replaced whatever they are.
    """
    type_name = patch_schema.type_of(before["apiVersion"], before["kind"]) or FREE_FORM
    found = _of_maps(before, after, type_name)
    target = {"kind": after["kind"], "metadata": {"name": after["metadata"]["name"]}}
    return [_joined(target, change) for change in found if change]


def made_of(before: Manifest, changes: list[Manifest]) -> Manifest:
    """Return what *changes* make of *before*."""
    for change in changes:
        before = strategic_merge(before, change)
    return before


def _joined(target: Map, change: Map) -> Manifest:
    meta = {**target["metadata"], **change.get("metadata", {})}
    return {"kind": target["kind"], "metadata": meta} | {
        name: value for name, value in change.items() if name != "metadata"
    }


def _of_maps(before: Map, after: Map, type_name: str) -> Difference:
    cleared: Map = {}
    changed: Map = dict.fromkeys(key for key in before if key not in after)
    fields = patch_schema.fields(type_name)
    for key, value in after.items():
        if key not in before:
            changed[key] = value
        elif before[key] != value or type(before[key]) is not type(value):
            clear, change = _of_values(before[key], value, fields.get(key, _NOT_MERGED))
            cleared |= {key: clear[0]} if clear else {}
            changed |= {key: change[0]} if change else {}
    return Difference(cleared, changed)


def _of_values(old: Any, new: Any, field: Field) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return what to clear and what to change of a field, each in a tuple that may be empty."""
    if isinstance(old, dict) and isinstance(new, dict) and field.strategy != "replace":
        if UNKNOWN in old and UNKNOWN not in new:
            return (None,), (new,)
        inner = _of_maps(old, new, FREE_FORM if field.is_list else field.type_name)
        return (inner.cleared,) * bool(inner.cleared), (inner.changed,) * bool(inner.changed)
    if isinstance(old, list) and isinstance(new, list) and field.merge_key:
        cleared, changed = _of_lists(old, new, field)
        return (cleared,) * bool(cleared), (changed,) * bool(changed)
    return (), (new,)


def _of_lists(old: list[Map], new: list[Map], field: Field) -> tuple[list[Map], list[Map]]:
    """Compare lists whose elements are merged by a key; all are named, in the order of *new*."""
    name = field.merge_key
    unknown = [element for element in old if element[name] == UNKNOWN]
    if any(element not in new for element in unknown):
        return [], [_REPLACE, *new] if new else [_REPLACE]
    before = {element[name]: element for element in old}
    cleared: list[Map] = []
    changed: list[Map] = []
    for element in new:
        known = before.pop(element[name], None)
        if known is None:
            changed.append(element)
        elif UNKNOWN in known:
            cleared.append({name: element[name], PATCH: "delete"})
            changed.append(element)
        else:
            clear, change = _of_maps(known, element, field.type_name)
            changed.append({name: element[name], **change})
            if clear:
                cleared.append({name: element[name], **clear})
    cleared += ({name: gone, PATCH: "delete"} for gone in before)
    return cleared, changed
