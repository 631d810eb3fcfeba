"""RFC 7386 as ``kubectl patch --type merge`` does it. Finding the target does not belong here.

Where the RFC and kubectl's library differ, kubectl is followed: nulls of the original stay, and
nulls inside maps of an added or replaced list are dropped.
"""

from __future__ import annotations

from typing import Any


def merge(original: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Merge *patch* into *original*, which is changed and returned. The result may share parts."""
    for key, value in patch.items():
        if value is None:
            original.pop(key, None)
        elif type(original.get(key)) is not dict:
            original[key] = without_nulls(value)
        elif type(value) is dict:
            merge(original[key], value)
        else:
            original[key] = value
    return original


def without_nulls(value: Any) -> Any:
    """Return *value* without the null fields of its maps; null list items stay."""
    if type(value) is dict:
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if type(value) is list:
        return [without_nulls(item) for item in value]
    return value
