"""Which namespaces a configuration names for servers, beside those of its clusters. Pure.

Where one server lives (servers/plan.py) does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mcks.core.administrator.lending import read
from mcks.core.profiles import parsed, profile_list
from mcks.errors import ConfigError


def said(spawner: Any) -> set[str]:
    """Return what *spawner*, its profiles and groups say as ``namespace``.

    What functions would say is left out, as is what no namespace can be called by: where a server
    runs is known from the hub's database.
    """
    return beside_profiles(spawner) | _of_profiles(spawner)


def beside_profiles(spawner: Any) -> set[str]:
    """Return what *spawner* and its groups say."""
    return {*of_start(spawner), *_of_groups(spawner.group_overrides)} - {""}


async def of_profiles(spawner: Any) -> set[str]:
    """Return what its profiles say, which are parsed without holding up the hub."""
    if callable(read(spawner, "profile_list")):
        return set()
    try:
        return _in((await parsed.in_time(spawner)).profiles)
    except ConfigError:
        return set()


def of_start(spawner: Any) -> set[str]:
    """Return what *spawner*, whose profile is applied, says as ``namespace``, if anything."""
    value = getattr(spawner, "namespace", "")
    return {value} if isinstance(value, str) and value else set()


def _of_profiles(spawner: Any) -> set[str]:
    if callable(read(spawner, "profile_list")):
        return set()
    try:
        return _in(parsed.of(spawner).profiles)
    except ConfigError:
        return set()


def _in(profiles: Iterable[profile_list.Profile]) -> set[str]:
    return {
        level.values["namespace"]
        for profile in profiles
        for level in profile_list.levels(profile)
        if "namespace" in level.theirs and isinstance(level.values["namespace"], str)
    } - {""}


def _of_groups(listed: Any) -> Iterator[Any]:
    for entry in listed.values() if isinstance(listed, Mapping) else ():
        values = entry.get("spawner_override") if isinstance(entry, Mapping) else None
        if isinstance(values, Mapping) and isinstance(values.get("namespace"), str):
            yield values["namespace"]
