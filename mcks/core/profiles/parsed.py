"""A profile list is parsed once for all spawners that hold the same.

What a profile list means (profile_list.py) does not belong here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mcks.core.administrator.lending import is_lent, read
from mcks.core.profiles import profile_list
from mcks.core.profiles.overrides import without_effect


@dataclass(frozen=True)
class Parsed:
    """The profiles of a *source*, and in sentences what is wrong with it, or has no effect."""

    source: Any
    profiles: tuple[profile_list.Profile, ...]
    mistakes: tuple[str, ...]
    notes: tuple[str, ...]


_last: list[Parsed] = []
"""The parsed list that was lent last: the one of the hub."""


def of(spawner: Any) -> Parsed:
    """Return the profiles that *spawner* holds as a list or dict. Raises ConfigError."""
    listed = read(spawner, "profile_list")
    if not is_lent(spawner, "profile_list"):
        return parse(listed)
    if not _last or _last[0].source is not listed:
        _last[:] = [parse(listed)]
    return _last[0]


def parse(listed: Any) -> Parsed:
    """Parse a list that is one spawner's own. Raises ConfigError."""
    found = profile_list.parse(listed)
    notes = tuple(note for profile in found.profiles for note in without_effect(profile))
    return Parsed(listed, tuple(found.profiles), found.left_out, notes)
