"""Set a spawner's traits to what a profile says, and back. Which profile: profiles.py."""

from __future__ import annotations

import inspect
from typing import Any

from traitlets import HasTraits, TraitError

from mcks.core import profiles
from mcks.core.levels import merge_levels
from mcks.errors import ConfigError, unknown

_LEVELS = {"objects", "resources", "patches"}
"""Traits whose profiles' values are merged by key, as templates are."""


class Overrides:
    """What a profile has changed on one spawner. ``restore`` undoes it, so that nothing leaks."""

    def __init__(self, spawner: HasTraits) -> None:
        self._spawner = spawner
        self._before: dict[str, Any] = {}

    async def apply(self, profile: profiles.Profile) -> None:
        """Set what *profile* overrides. A function is called with the spawner (async, too).

        Raises ConfigError for a key that is no trait and for a value that the trait refuses.
        """
        where = f"profile {profile.slug!r}: spawner_override"
        check_names(profile, self._spawner)
        for name, value in profile.overrides.items():
            if callable(value):
                value = await resolved(value(self._spawner))  # noqa: PLW2901
            self.set(name, value, where)
        # a profile that chooses a cluster one way overrides a default said the other way
        for name, other in (("cluster", "kubernetes_context"), ("kubernetes_context", "cluster")):
            if profile.overrides.get(name):
                self.set(other, "", where)

    def set(self, name: str, value: Any, where: str) -> None:
        """Merge *value* over the trait *name*. *where* is for the message of a ConfigError."""
        current = getattr(self._spawner, name)
        self._before.setdefault(name, current)
        merge = merge_levels if name in _LEVELS else profiles.merge
        try:
            setattr(self._spawner, name, merge(current, value))
        except TraitError as exc:
            raise ConfigError(f"{where}: {name}: {exc}") from exc

    def restore(self) -> None:
        """Give every trait its configured value back."""
        before, self._before = self._before, {}
        for name, value in before.items():
            setattr(self._spawner, name, value)


def check_names(profile: profiles.Profile, spawner: HasTraits | type[HasTraits]) -> None:
    """Raise ConfigError if *profile* overrides what is no configurable trait."""
    names = set(
        spawner.class_trait_names(config=True)
        if isinstance(spawner, type)
        else spawner.trait_names(config=True)
    )
    for name in profile.overrides:
        if name not in names:
            place = f"profile {profile.slug!r}: spawner_override"
            raise ConfigError(f"{place}: {unknown('trait', str(name), names)}")


async def resolved(value: Any) -> Any:
    """Await *value* if it can be awaited: administrators' functions may be async."""
    return await value if inspect.isawaitable(value) else value
