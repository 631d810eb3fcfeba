"""What a hub's configuration says of KubeSpawner, and which of it counts. Pure.

How it is said in mcks' own words does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from traitlets.config import Config, Configurable
from traitlets.config.loader import LazyConfigValue

from mcks.core.kubespawner import section
from mcks.core.kubespawner.words import HOOKS, WITHOUT_EFFECT, WORDS

_DIRECTLY_BELOW = "Spawner"


@dataclass(frozen=True)
class Said:
    """What is said in the section, by kinds, each with its value."""

    words: Mapping[str, Any]
    """What describes a Pod, a claim, names, namespaces and labels."""
    traits: Mapping[str, Any]
    """What JupyterHub's or mcks' spawner has as well, as far as nothing above says it."""
    hooks: tuple[str, ...]
    without_effect: tuple[str, ...]
    unknown: tuple[str, ...]


def said(config: Config, spawner: Any) -> Said:
    """Sort what *config* says in KubeSpawner's section; *spawner* reads it."""
    values = section.values(config)
    ours = set(spawner.class_trait_names(config=True))
    above = _above(config, type(spawner))
    traits = {
        name: value if not isinstance(value, LazyConfigValue) else getattr(spawner, name)
        for name, value in values.items()
        if name in ours and not _settled(above.get(name))
    }
    mixed = {name: getattr(spawner, name) for name in traits if name in above}
    hooks = {name for name in values if name in HOOKS}
    return Said(
        words={name: getattr(spawner, name) for name in values if name in WORDS - hooks},
        traits={**traits, **mixed},
        hooks=tuple(name for name in values if name in hooks and values[name] is not None),
        without_effect=tuple(name for name in values if name in WITHOUT_EFFECT),
        unknown=tuple(name for name in values if name not in WORDS | WITHOUT_EFFECT | HOOKS | ours),
    )


def says(config: Config, spawner_class: type, name: str) -> bool:
    """Tell whether *config* says the trait *name* anywhere that a spawner looks."""
    sections = [c.__name__ for c in spawner_class.__mro__ if issubclass(c, Configurable)]
    return any(name in (config.get(s) or {}) for s in (*sections, section.NAME))


def switches(config: Config) -> Iterator[str]:
    """Name the sections in which the switch is said."""
    for name, values in config.items():
        if isinstance(values, Config) and section.is_read(Config({name: values})):
            yield name


def _above(config: Config, spawner_class: type) -> dict[str, Any]:
    """Return what sections above KubeSpawner's say, the highest last."""
    names = []
    for cls in spawner_class.__mro__:
        if cls.__name__ == _DIRECTLY_BELOW:
            break
        if issubclass(cls, Configurable):
            names.append(cls.__name__)
    found: dict[str, Any] = {}
    for name in reversed(names):
        found |= config.get(name) or {}
    return found


def _settled(value: Any) -> bool:
    """Tell whether a value of a higher section leaves nothing of a lower one's."""
    return value is not None and not isinstance(value, LazyConfigValue)
