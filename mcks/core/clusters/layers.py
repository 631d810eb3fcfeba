"""The levels of which a trait's value is made: the hub's, the cluster's, the profile's. Pure.

Which cluster and which profile those are, and setting the trait, does not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mcks.core.manifests.levels import join_levels

BY_KEY = frozenset({"objects", "resources", "patches"})
"""Traits whose levels are merged by key, as templates are."""
LAYERED = BY_KEY | {"environment"}
"""Traits for which a cluster has a level of its own, below all that is said for one start."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Layers:
    """The levels of the trait *name*. *configured* is the hub's, which nobody may change."""

    __slots__ = ("_chosen", "_cluster", "_configured", "_name")

    def __init__(self, name: str, configured: Any) -> None:
        self._name, self._configured = name, configured
        self._cluster = _NOTHING
        self._chosen: tuple[Any, ...] = ()

    def choose(self, value: Any) -> None:
        """Put *value* above all levels: a profile's, then those of its choices."""
        self._chosen += (value,)

    @property
    def has_cluster(self) -> bool:
        """Whether a cluster says something."""
        return bool(self._cluster)

    def in_cluster(self, level: Mapping[str, Any], current: Any) -> dict[str, Any]:
        """Return the trait's value in a cluster that says *level*, which replaces another one's.

        *current* is the value until now. Where it is not what the levels make, groups or hooks have
        changed it, and that stays on top.
        """
        before, now = self._joined(), _by_key(self._name, current)
        self._cluster = level
        changed = {k: v for k, v in now.items() if k not in before or before[k] != v}
        removed = before.keys() - now.keys()
        value = {k: v for k, v in (self._joined() | changed).items() if k not in removed}
        return dict(sorted(value.items())) if self._name in BY_KEY else value

    def _joined(self) -> dict[str, Any]:
        joined = _by_key(self._name, self._configured)
        for level in (self._cluster, *self._chosen):
            joined = merge(self._name, joined, level)
        return joined


def _by_key(name: str, value: Any) -> dict[str, Any]:
    return dict(join_levels(value) if name in BY_KEY else value)


def merge(name: str, lower: Any, upper: Any) -> Any:
    """Merge the value *upper* of the trait *name* over *lower*."""
    return (join_levels if name in BY_KEY else merge_value)(lower, upper)


def merge_value(base: Any, override: Any) -> Any:
    """Merge an override over a trait's value: dicts recursively, where None removes a key.

    >>> merge_value({"A": "1", "B": "2"}, {"B": None, "C": "3"})
    {'A': '1', 'C': '3'}
    """
    if not isinstance(base, Mapping) or not isinstance(override, Mapping):
        return override
    merged = dict(base)
    for key, value in override.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            lower = merged.get(key)
            merged[key] = merge_value(lower if isinstance(lower, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged
