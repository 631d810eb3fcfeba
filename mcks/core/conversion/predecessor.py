"""The spawner that a hub had before, as plain KubeSpawner: a class made of it, names of old. Pure.

What its section says (`section`), and where a class comes from, do not belong here.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from traitlets.config import Config

from mcks.core.conversion.profiles import THEIRS
from mcks.core.kubespawner import section
from mcks.core.kubespawner.words import HOOKS, WITHOUT_EFFECT, WORDS

_PLAIN = {"kubespawner", "kubernetes", "kubespawner.KubeSpawner", "kubespawner.spawner.KubeSpawner"}
"""How ``spawner_class`` names KubeSpawner itself."""


class Before(NamedTuple):
    """The *config* of a hub of KubeSpawner, what is *left* to do by hand, and *notes*."""

    config: Config
    left: list[str]
    notes: list[str]


def as_kubespawner(config: Config, found: type | None, ours: Collection[str]) -> Before:
    """Return *config* with all in ``c.KubeSpawner`` that KubeSpawner would read elsewhere, too.

    *found* is the class that ``spawner_class`` means, None if it is not installed here; *ours* are
    the traits of mcks' own spawner.
    """
    read, left, notes = copy.deepcopy(config), list[str](), list[str]()
    said = config.JupyterHub.get("spawner_class")
    if said is not None and said not in _PLAIN:
        left.append(_of_class(said, found))
        for name in _sections(said, found):
            notes += _join(read, name, {*ours, *WORDS, *WITHOUT_EFFECT, *HOOKS}, left)
    _rename(read, sorted({*WORDS, *ours}))
    return Before(read, left, notes)


def _of_class(said: Any, found: type | None) -> str:
    if found is None:
        lost = "what its code does" if _sections(said, found) else "what it and its section say"
        return (
            f"c.JupyterHub.spawner_class is {said!r}, which is not installed here: {lost} is not "
            "converted. Run this where the hub runs"
        )
    name = found.__name__
    if section.NAME in _names(found):
        return (
            f"c.JupyterHub.spawner_class is the class {name}: what its code does is not converted"
        )
    return (
        f"c.JupyterHub.spawner_class is the class {name}, which is not made of KubeSpawner: what "
        f"c.{name} says is not converted"
    )


def _sections(said: Any, found: type | None) -> list[str]:
    """Name the sections that the class reads above ``c.KubeSpawner``, the lowest first."""
    if found is None:
        name = str(said).rpartition(".")[2]
        return [name] if section.NAME in name else []
    names = _names(found)
    if section.NAME not in names:
        return []
    return names[: names.index(section.NAME)][::-1]


def _names(found: type) -> list[str]:
    return [cls.__name__ for cls in found.__mro__]


def _join(read: Config, name: str, known: Collection[str], left: list[str]) -> Iterator[str]:
    """Put what the section *name* says above what ``c.KubeSpawner`` says."""
    if not isinstance(said := read.get(name), Config) or not said:
        return
    read[section.NAME].merge(Config({key: said[key] for key in said if key in known}))
    left += [
        f"c.{name}.{key}: a trait of that class alone: what its code makes of it is not converted"
        for key in said
        if key not in known
    ]
    yield f"c.{name} is read as if c.{section.NAME} said it"


def _rename(read: Config, known: Collection[str]) -> None:
    """Call by their names of today what KubeSpawner still reads by an older one."""
    for values in (read.get(name) for name in (section.NAME, "Spawner")):
        if not isinstance(values, Config):
            continue
        if values.get("profile_list") and not callable(values["profile_list"]):
            values["profile_list"] = _renamed_in_profiles(values["profile_list"], known)
    values = read.get(section.NAME, Config())
    for name in [name for name in values if section.name_of_today(name, known)]:
        values.setdefault(section.name_of_today(name, known), values.pop(name))


def _renamed_in_profiles(listed: Any, known: Collection[str]) -> Any:
    if isinstance(listed, list | tuple):
        return [_renamed_in_profiles(item, known) for item in listed]
    if not isinstance(listed, Mapping):
        return listed
    return {
        key: _renamed(item, known)
        if key == THEIRS and isinstance(item, Mapping)
        else _renamed_in_profiles(item, known)
        for key, item in listed.items()
    }


def _renamed(override: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """As KubeSpawner sets one after the other, the last wins."""
    return {section.name_of_today(name, known) or name: value for name, value in override.items()}
