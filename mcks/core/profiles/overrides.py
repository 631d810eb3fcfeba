"""Set a spawner's traits to what a profile says, and back. Which profile: selection.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from traitlets import TraitError

from mcks.core.functions import ask
from mcks.core.manifests.levels import merge_levels
from mcks.core.profiles import profile_list
from mcks.core.profiles.kubespawner_traits import instead_of
from mcks.errors import ConfigError, unknown

_LEVELS = {"objects", "resources", "patches"}
"""Traits whose profiles' values are merged by key, as templates are."""


class Overridable(Protocol):
    """A spawner, as far as its traits can be set by their names."""

    @classmethod
    def class_trait_names(cls, **metadata: Any) -> list[str]:
        """Name the traits that have such *metadata*."""


class Overrides:
    """What a profile has changed on one spawner. ``restore`` undoes it, so that nothing leaks."""

    def __init__(self, spawner: Overridable) -> None:
        self._spawner = spawner
        self._before: dict[str, Any] = {}

    async def apply(self, levels: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Set what *levels* override, lowest first: each is a place in the configuration and traits
        with their values. A function is called with the spawner (async, too).

        Raises ConfigError for a key that is no trait and for a value that the trait refuses.
        """
        for where, overrides in levels:
            check_level(where, overrides, self._spawner)
            for name, value in overrides.items():
                if callable(value):
                    value = await ask(value, self._spawner, f"{where}: {name}")  # noqa: PLW2901
                self.set(name, value, where)
            self._choose_one_cluster(where, overrides)

    def apply_values(self, levels: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Set what *levels* override as far as it can be known without calling functions."""
        for where, overrides in levels:
            for name, value in overrides.items():
                if not callable(value):
                    self.set(name, value, where)
            self._choose_one_cluster(where, overrides)

    def _choose_one_cluster(self, where: str, overrides: Mapping[str, Any]) -> None:
        """A level that chooses a cluster one way overrides a lower one's said the other way."""
        for name, other in (("cluster", "kubernetes_context"), ("kubernetes_context", "cluster")):
            if overrides.get(name):
                self.set(other, "", where)

    def set(self, name: str, value: Any, where: str) -> None:
        """Merge *value* over the trait *name*. *where* is for the message of a ConfigError."""
        current = getattr(self._spawner, name)
        self._before.setdefault(name, current)
        merge = merge_levels if name in _LEVELS else merge_value
        try:
            setattr(self._spawner, name, merge(current, value))
        except TraitError as exc:
            raise ConfigError(f"{where}: {name}: {exc}") from exc

    def restore(self) -> None:
        """Give every trait its configured value back."""
        before, self._before = self._before, {}
        for name, value in before.items():
            setattr(self._spawner, name, value)


def check_names(profile: profile_list.Profile, spawner: Overridable | type[Overridable]) -> None:
    """Raise ConfigError if *profile* or one of its choices overrides what is no trait."""
    for where, overrides in profile_list.levels(profile):
        check_level(where, overrides, spawner)


def check_level(
    where: str, overrides: Mapping[str, Any], spawner: Overridable | type[Overridable]
) -> None:
    """Raise ConfigError if *overrides*, said at *where*, name what is no trait of *spawner*."""
    cls = spawner if isinstance(spawner, type) else type(spawner)
    names = set(cls.class_trait_names(config=True))
    for name in overrides:
        if name not in names:
            advice = instead_of(str(name)) or unknown("trait", str(name), names)
            raise ConfigError(f"{where}: {advice}")


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
