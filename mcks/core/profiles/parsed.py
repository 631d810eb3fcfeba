"""A profile list is parsed once for all spawners that hold the same.

What a profile list means (profile_list.py) does not belong here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

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


_FEW = 20
"""Profiles that are parsed at once, in some milliseconds."""
_last: list[Parsed] = []
"""The parsed list that was lent last: the one of the hub."""
_under_way: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Any, asyncio.Task[Parsed]]] = (
    WeakKeyDictionary()
)
"""The list that is being parsed in a thread."""


def of(spawner: Any) -> Parsed:
    """Return the profiles that *spawner* holds as a list or dict. Raises ConfigError."""
    listed = read(spawner, "profile_list")
    if not is_lent(spawner, "profile_list"):
        return parse(listed)
    if not _is_known(listed):
        _last[:] = [parse(listed)]
    return _last[0]


async def in_time(spawner: Any) -> Parsed:
    """Do the same without holding up the hub: what is long, and of all, is parsed in a thread.

    Whoever asks meanwhile waits for that. Raises ConfigError.
    """
    listed = read(spawner, "profile_list")
    if not is_lent(spawner, "profile_list") or _is_known(listed) or len(listed) <= _FEW:
        return of(spawner)
    found = await asyncio.shield(_parsing(listed))
    _last[:] = [found]
    return found


def _is_known(listed: Any) -> bool:
    return bool(_last) and _last[0].source is listed


def _parsing(listed: Any) -> asyncio.Task[Parsed]:
    loop = asyncio.get_running_loop()
    source, task = _under_way.get(loop, (None, None))
    if task is None or task.done() or source is not listed:
        task = loop.create_task(asyncio.to_thread(parse, listed), name="mcks: parse the profiles")
        _under_way[loop] = listed, task
    return task


def parse(listed: Any) -> Parsed:
    """Parse a list that is one spawner's own. Raises ConfigError."""
    found = profile_list.parse(listed)
    notes = tuple(note for profile in found.profiles for note in without_effect(profile))
    return Parsed(listed, tuple(found.profiles), found.left_out, notes)
