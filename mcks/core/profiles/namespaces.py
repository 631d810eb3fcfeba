"""Which namespaces a configuration names for servers, beside those of its clusters. Pure.

Where one server lives (servers/plan.py) does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mcks.core.administrator.lending import read
from mcks.core.profiles import parsed, profile_list
from mcks.errors import ConfigError


def said(spawner: Any) -> set[str]:
    """Return what *spawner*, its profiles and groups say as ``namespace``.

    What functions would say is left out, as is what no namespace can be called by: where a server
    runs is known from the hub's database.
    """
    own = of_start(spawner)
    return {*own, *_of_profiles(spawner), *_of_groups(spawner.group_overrides)} - {""}


def of_start(spawner: Any) -> set[str]:
    """Return what *spawner*, whose profile is applied, says as ``namespace``, if anything."""
    value = getattr(spawner, "namespace", "")
    return {value} if isinstance(value, str) and value else set()


def _of_profiles(spawner: Any) -> Iterator[Any]:
    if callable(read(spawner, "profile_list")):
        return
    try:
        profiles = parsed.of(spawner).profiles
    except ConfigError:
        return
    for profile in profiles:
        for level in profile_list.levels(profile):
            if "namespace" in level.theirs and isinstance(level.values["namespace"], str):
                yield level.values["namespace"]


def _of_groups(listed: Any) -> Iterator[Any]:
    for entry in listed.values() if isinstance(listed, Mapping) else ():
        values = entry.get("spawner_override") if isinstance(entry, Mapping) else None
        if isinstance(values, Mapping) and isinstance(values.get("namespace"), str):
            yield values["namespace"]
