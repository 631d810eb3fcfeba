"""Look at JupyterHub's ``group_overrides`` before anybody is in a group. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from mcks.core.administrator.inventory import Inventory
from mcks.core.clusters import candidates
from mcks.core.clusters.cluster import CONTEXT_PREFIX
from mcks.core.kubespawner.words import WORDS
from mcks.core.profiles.overrides import Overrides, check_level
from mcks.core.profiles.profile_list import Overriding
from mcks.errors import ConfigError, unknown


def problems(spawner: Any) -> list[str]:
    """Tell the mistakes in the ``group_overrides`` of *spawner*; a function is not called."""
    listed = spawner.group_overrides
    if not isinstance(listed, Mapping):
        return []
    found = []
    for key, entry in listed.items():
        try:
            check_form(key, entry)
            _try_out(f"group_overrides[{key!r}]", entry, spawner)
        except ConfigError as exc:
            found.append(str(exc))
    return found


def check_form(key: str, entry: Any) -> None:
    """Raise ConfigError if *entry* is nothing that JupyterHub can read."""
    where = f"group_overrides[{key!r}]"
    if not isinstance(entry, Mapping) or not {"groups", "spawner_override"} <= entry.keys():
        raise ConfigError(f"{where} must be a dict with 'groups' and 'spawner_override'")
    groups, values = entry["groups"], entry["spawner_override"]
    if isinstance(groups, str) or not isinstance(groups, list | tuple | set | frozenset):
        raise ConfigError(
            f"{where}['groups'] must be a list of groups, not {type(groups).__name__}"
        )
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where}['spawner_override'] must be a dict")


def _try_out(place: str, entry: Any, spawner: Any) -> None:
    values = entry["spawner_override"]
    theirs = frozenset(values.keys() & WORDS)
    level = Overriding(place, values, theirs, theirs_under="spawner_override")
    check_level(level, spawner)
    _check_clusters(place, values, spawner.known_clusters)
    tried = Overrides(spawner)
    try:
        tried.apply_values([level])
    finally:
        tried.restore()


def _check_clusters(place: str, values: Mapping[str, Any], known: Collection[str]) -> None:
    if (said := values.get("candidates")) and not callable(said):
        where = f"{place}: spawner_override['candidates']"
        for wrong in candidates.mistakes(said, where):
            raise ConfigError(wrong)
    if isinstance(known, Inventory):  # which is not called here
        return
    for name in candidates.named(values):
        if name not in known and not name.startswith(CONTEXT_PREFIX):
            raise ConfigError(f"{place}: spawner_override: {unknown('cluster', name, known)}")
