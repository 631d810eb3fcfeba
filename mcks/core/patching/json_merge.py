"""RFC 7386 as ``kubectl patch --type merge`` does it. Finding the target does not belong here.

Where the RFC and kubectl's library differ, kubectl is followed: nulls of the original stay, and
nulls inside maps of an added or replaced list are dropped.
"""

from __future__ import annotations

from typing import Any

from mcks.core.patching.json_value import without_nulls


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
