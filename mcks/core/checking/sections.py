"""Looks at the sections of a configuration and the names in them: those that nobody reads.

What the values mean does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from traitlets import TraitError
from traitlets.config import Config, Configurable
from traitlets.config.loader import DeferredConfig, LazyConfigValue

from mcks.core.checking import traits
from mcks.core.checking.finding import Finding
from mcks.core.checking.sample import Sample, sections
from mcks.core.clusters.cluster import Cluster
from mcks.core.kubespawner import section as kubespawner
from mcks.core.kubespawner.words import WORDS
from mcks.core.profiles.kubespawner_traits import instead_of
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import unknown, without_value

_NEAR_SECTION = 0.85
_NEAR_TRAIT = 0.75
"""Likeness from which on a name is taken for another, misspelt."""


def look(
    config: Config, cls: type[MultiClusterKubeSpawner], backends: Iterable[type[Configurable]]
) -> Iterator[Finding]:
    """Yield what in *config* nobody reads; *cls* is the spawner, *backends* those of clusters."""
    ours: dict[str, type[Configurable]] = dict.fromkeys(sections(cls), cls)
    ours[Cluster.__name__] = Cluster
    ours |= {backend.__name__: backend for backend in backends}
    for name, configured in ours.items():
        yield from _unknown_traits(config, name, configured)
    yield from _near_sections(config, ours)
    yield from _unread(config, cls)
    yield from _of_jupyterhub(config, cls)


def _unknown_traits(config: Config, name: str, cls: type[Configurable]) -> Iterator[Finding]:
    """Traitlets only warns of these, in a log that few read."""
    names = set(cls.class_trait_names(config=True))
    ours = issubclass(cls, MultiClusterKubeSpawner)
    for key in _said(config, name):
        if key not in names:
            advice = instead_of(key, _whole(config[name][key])) if ours else ""
            yield Finding("MCKS012", advice or unknown("trait", key, names), f"c.{name}")


def _whole(value: Any) -> Any:
    """Return what was appended or updated as if it were the whole value."""
    if not isinstance(value, LazyConfigValue):
        return value
    return value.get_value({} if "update" in value.to_dict() else [])


def _near_sections(config: Config, ours: Mapping[str, Any]) -> Iterator[Finding]:
    known = {name.lower(): name for name in (*ours, "JupyterHub", "Spawner", kubespawner.NAME)}
    used = str(config.JupyterHub.get("spawner_class", ""))
    for name in config:
        if name in known.values() or not _said(config, name):
            continue
        if near := get_close_matches(name.lower(), known, n=1, cutoff=_NEAR_SECTION):
            what = f"nobody reads this section. Did you mean c.{known[near[0]]}?"
            yield Finding("MCKS014", what, f"c.{name}")
        elif kubespawner.NAME in name and name not in used:
            what = "nobody reads this section of a class made of KubeSpawner"
            yield Finding("MCKS014", what, f"c.{name}", f"Write it as c.{kubespawner.NAME}")


def _unread(config: Config, cls: type[Configurable]) -> Iterator[Finding]:
    names = set(cls.class_trait_names(config=True))
    if not kubespawner.is_read(config) and [*kubespawner.ignored(config, names)]:
        remedy = f"Write c.MultiClusterKubeSpawner.{kubespawner.SWITCH} = True, or take it out"
        yield Finding("MCKS014", "nobody reads this section", f"c.{kubespawner.NAME}", remedy)


def _of_jupyterhub(config: Config, cls: type[MultiClusterKubeSpawner]) -> Iterator[Finding]:
    """Tell only what is nearly a name: others' spawners and subclasses have traits of their own."""
    known = {"JupyterHub": Sample.hub_traits(), "Spawner": set(cls.class_trait_names(config=True))}
    for name, names in known.items():
        for key in _said(config, name):
            if key in names:
                continue
            if near := get_close_matches(key, names, n=1, cutoff=_NEAR_TRAIT):
                what = f"there is no {key!r}. Did you mean {near[0]!r}?"
                yield Finding("MCKS018", what, f"c.{name}")


def _said(config: Config, name: str) -> dict[str, Any]:
    """Return what a section says; what was only looked at is not there."""
    section = config.get(name)
    if not isinstance(section, Config):
        return {}
    return {
        key: value
        for key, value in section.items()
        if not (isinstance(value, LazyConfigValue | Config) and not value)
    }


def without_wrong_values(config: Config, sample: Sample) -> tuple[Config, list[Finding]]:
    """Return *config* without the values that the spawner's traits refuse, and these, told;
    KubeSpawner's section too, if it is read.

    *sample* makes spawners of nothing but the hub's own settings.
    """
    found: list[Finding] = []
    kept = Config(config)
    spare = sample.spawner()
    ours = set(sample.spawner_class.class_trait_names(config=True))
    for name in (kubespawner.NAME, "Spawner", *sections(sample.spawner_class)):
        theirs = name == kubespawner.NAME
        values = kubespawner.counting(config) if theirs else _said(config, name)
        for key in (k for k in values if k in ours or (theirs and k in WORDS)):
            if theirs and key == "cmd" and values[key] == []:
                continue  # the image's own command, as None
            if told := _refused(spare, key, values[key]):
                found.append(Finding("MCKS013", told, f"c.{name}.{key}"))
                kept[name] = Config({k: v for k, v in kept[name].items() if k != key})
    return kept, found


def _refused(spawner: MultiClusterKubeSpawner, key: str, value: Any) -> str:
    """Say why a trait does not take *value*; empty if it does."""
    try:
        if isinstance(value, LazyConfigValue):
            value = value.get_value(getattr(spawner, key))
        elif isinstance(value, DeferredConfig):
            value = value.get_value(spawner.traits()[key])
        traits.refuse_text_as_list(spawner, key, value)
        setattr(spawner, key, value)
    except (TraitError, TypeError, ValueError) as exc:
        return without_value(exc)
    return ""
