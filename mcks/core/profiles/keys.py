"""The keys of an entry in a profile list: ours, and others', which are kept for templates. Pure.

What ours mean (profile_list.py) does not belong here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from mcks.errors import unknown

_NEAR = 0.75
"""Likeness from which on a key is taken for one of ours, misspelt."""


@dataclass
class Told:
    """What reading a profile list has to say, in sentences."""

    mistakes: list[str] = field(default_factory=list)
    """Where, what, and what to write instead."""
    ignored: list[str] = field(default_factory=list)
    """Keys without effect."""
    doubts: list[str] = field(default_factory=list)
    """What works, and was probably meant otherwise."""


def others(
    where: str, entry: Mapping[str, Any], known: Collection[str], told: Told
) -> dict[str, Any]:
    """Return what *entry* has under keys that are not *known*, and tell it.

    Only plain values are kept, so that a template can show them. A key that is nearly one of the
    *known* is a mistake: it would have no effect.
    """
    found = {str(key): value for key, value in entry.items() if key not in known}
    for key in found:
        if get_close_matches(key, known, n=1, cutoff=_NEAR):
            told.mistakes.append(f"{where}: {unknown('key', key, known)}")
        else:
            told.ignored.append(
                f"{where}: {key!r} has no effect: it is kept for your own form's template"
            )
    return {key: value for key, value in found.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float | bool)
