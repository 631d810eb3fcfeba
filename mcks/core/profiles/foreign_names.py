"""What hooks and groups set on a spawner that only KubeSpawner knows: told, not lost in silence.

The names and what to write instead are a table of their own (kubespawner_traits.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcks.core.administrator import functions
from mcks.core.profiles.kubespawner_traits import TRAITS, instead_of
from mcks.errors import unknown


class _Unset:
    """A trait of KubeSpawner's as if nobody had set it, so that a hook can go on."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, spawner: object | None, cls: type) -> None:
        if spawner is None:
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {self._name!r}")
        vars(spawner)[self._name] = None


class NoEffect:
    """Last part of a spawner: what KubeSpawner alone knows is there to be read, if nobody else has
    an attribute of that name.

    A ``__getattr__`` would be asked for each attribute that is not there: some 35 times for each
    spawner that is made, as traitlets looks for observers and validators by their names.
    """


for _name in TRAITS:
    setattr(NoEffect, _name, _Unset(_name))


class ForeignNames:
    """Part of a spawner: takes KubeSpawner's names, which have no effect, and tells so."""

    log: Any

    def tell_foreign_names(self) -> None:
        """Warn of what hooks have set or read since the last time, and forget it."""
        for name in [n for n in vars(self) if n in TRAITS and not hasattr(type(self), n)]:
            value = vars(self).pop(name)
            self.log.warning("A hook uses what has no effect here: %s", instead_of(name, value))

    def _apply_overrides(self, spawner_override: Mapping[str, Any]) -> None:
        """Leave out, with a warning, what JupyterHub would set without any effect."""
        cls: Any = type(self)
        known = {name: value for name, value in spawner_override.items() if hasattr(cls, name)}
        for name in spawner_override.keys() - known.keys():
            traits = cls.class_trait_names(config=True)
            told = instead_of(name, spawner_override[name]) or unknown("trait", name, traits)
            self.log.warning("group_overrides has what has no effect: %s", told)
        named = functions.with_names("group_overrides: spawner_override", known)
        super()._apply_overrides(named)  # type: ignore[misc]
