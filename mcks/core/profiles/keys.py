"""The keys of an entry in a profile list: ours, and others', which are kept for templates. Pure.

What ours mean (profile_list.py) does not belong here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from mcks.errors import ConfigError, unknown

_NEAR = 0.75
"""Likeness from which on a key is taken for one of ours, misspelt."""


def others(where: str, entry: Any, known: Collection[str], ignored: list[str]) -> dict[str, Any]:
    """Return what *entry* has under keys that are not *known*, and tell it in *ignored*.

    Only plain values are kept, so that a template can show them. Raises ConfigError if *entry* is
    no dict, and for a key that is nearly one of the *known*: it would have no effect.
    """
    if not isinstance(entry, Mapping):
        raise ConfigError(f"{where} must be a dict, not {type(entry).__name__}")
    found = {str(key): value for key, value in entry.items() if key not in known}
    for key in found:
        if get_close_matches(key, known, n=1, cutoff=_NEAR):
            raise ConfigError(f"{where}: {unknown('key', key, known)}")
        ignored.append(f"{where}: {key!r} has no effect: it is kept for your own form's template")
    return {key: value for key, value in found.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float | bool)
