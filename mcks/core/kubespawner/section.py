"""The section ``c.KubeSpawner`` of a hub's configuration: whether it counts, and what is in it.

What its values mean does not belong here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from traitlets.config import Config
from traitlets.config.loader import DeferredConfig, LazyConfigValue

from mcks.core.kubespawner.words import SAYS_WHAT_HOLDS, WITHOUT_EFFECT, WORDS

NAME = "KubeSpawner"
SWITCH = "read_kubespawner"
OF_PACKAGES = frozenset({"additional_profile_form_template_paths", "pre_spawn_hook"})
"""What packages such as jupyterhub-fancy-profiles and jupyterhub-usage-quotas write into that
section by functions of their own. It always counts: nobody chose the section for it."""
_DEPRECATED = ("singleuser_", "user_")
"""Prefixes of names that KubeSpawner has given up and still reads."""
_RENAMED = {"image_spec": "image", "singleuser_image_spec": "image"}
"""Others of these -> the name of today."""


def is_read(config: Config) -> bool:
    """Tell whether some section of *config* says that ``c.KubeSpawner`` is to be read."""
    sections = (value for value in config.values() if isinstance(value, Config))
    return any(_is_true(section.get(SWITCH)) for section in sections)


def _is_true(value: Any) -> bool:
    """Read a switch; on a command line it is a text."""
    return value is True or (isinstance(value, DeferredConfig) and str(value).lower() == "true")


def values(config: Config) -> dict[str, Any]:
    """Return what ``c.KubeSpawner`` says; what was only looked at is not there."""
    section: Mapping[str, Any] = config.get(NAME) or {}
    return {name: value for name, value in section.items() if not _only_looked_at(value)}


def counting(config: Config) -> dict[str, Any]:
    """Return what of ``c.KubeSpawner`` takes effect: all of it if it is to be read."""
    said = values(config)
    return said if is_read(config) else {n: v for n, v in said.items() if n in OF_PACKAGES}


def _only_looked_at(value: Any) -> bool:
    return isinstance(value, LazyConfigValue | Config) and not value


def ignored(config: Config, ours: Collection[str]) -> Iterator[tuple[str, bool]]:
    """Yield each name in ``c.KubeSpawner`` that changes nothing, and whether that is a mistake.

    *ours* are the traits of mcks' own spawner.
    """
    read = is_read(config)
    for name, value in values(config).items():
        if read and SAYS_WHAT_HOLDS.get(name) == value:
            continue
        if name in WITHOUT_EFFECT or not (read or name in OF_PACKAGES):
            yield name, False
        elif name not in WORDS and name not in ours:
            yield name, True


def advice(name: str, ours: Collection[str]) -> str:
    """Say in a sentence what to write instead of the unknown *name* in ``c.KubeSpawner``."""
    known = sorted({*WORDS, *ours})
    if newer := name_of_today(name, known):
        return f"c.{NAME}.{name} is deprecated and not read here: write {newer!r}"
    close = get_close_matches(name, known, n=1)
    meant = f"did you mean {close[0]!r}?" if close else "KubeSpawner 7 does not know it either"
    return f"c.{NAME}.{name} is no trait: {meant}"


def name_of_today(name: str, known: Collection[str]) -> str:
    """Return which of the *known* names stands for one that KubeSpawner has given up; else empty.

    >>> name_of_today("singleuser_uid", {"uid"}), name_of_today("image_spec", {"image"})
    ('uid', 'image')
    """
    shorter = (name.removeprefix(prefix) for prefix in _DEPRECATED if name.startswith(prefix))
    return next((newer for newer in (_RENAMED.get(name), *shorter) if newer in known), None) or ""
