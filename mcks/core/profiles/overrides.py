"""Set a spawner's traits to what a profile says, and back. Which profile: selection.py."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol

from traitlets import TraitError

from mcks.core.administrator.functions import ask
from mcks.core.administrator.lending import give, is_lent, read
from mcks.core.administrator.limits import Limits
from mcks.core.clusters.layers import LAYERED, Layers, merge
from mcks.core.kubespawner.fields import later, literal
from mcks.core.kubespawner.section import name_of_today
from mcks.core.kubespawner.words import WITHOUT_EFFECT, WORDS
from mcks.core.profiles import kubespawner_traits, profile_list
from mcks.core.profiles.kubespawner_traits import instead_of
from mcks.core.profiles.profile_list import Overriding
from mcks.errors import ConfigError, Tell, at_once, unknown, without_value

_WAYS: Mapping[str, Any] = {"cluster": "", "kubernetes_context": "", "candidates": []}
"""Traits that choose a cluster, and what they say if another one does."""

_THEIRS = (WORDS | WITHOUT_EFFECT) - {"enable_user_namespaces"}
"""What ``kubespawner_override`` may say beside the traits of mcks' own spawner."""


class Overridable(Protocol):
    """A spawner, as far as its traits can be set by their names."""

    @classmethod
    def class_trait_names(cls, **metadata: Any) -> list[str]:
        """Name the traits that have such *metadata*."""

    read_kubespawner: bool


class Overrides:
    """What a profile has changed on one spawner. ``restore`` undoes it, so that nothing leaks."""

    def __init__(self, spawner: Overridable) -> None:
        self._spawner = spawner
        self._before: dict[str, tuple[Any, bool]] = {}
        self._outer: dict[str, tuple[Any, bool]] = {}
        self._layers: dict[str, Layers] = {}

    @property
    def changed(self) -> Collection[str]:
        """Names of the traits that are set at present."""
        return self._before.keys() | self._outer

    async def apply(self, levels: Iterable[Overriding]) -> None:
        """Set what *levels* override, lowest first. A function is called with the spawner (async,
        too).

        Raises ConfigError for a key that is no trait and for a value that the trait refuses.
        """
        for level in levels:
            check_level(level, self._spawner)
            for name, value in level.values.items():
                if callable(value):
                    said = await ask(value, self._spawner, f"{level.place(name)}: {name}")
                else:
                    said = copy.deepcopy(value)  # hooks may change it, and a profile is all users'
                self._set(name, said, level)
            self._choose_one_cluster(level)

    def apply_values(self, levels: Iterable[Overriding], tell: Tell = at_once) -> None:
        """Set what *levels* override as far as it can be known without calling functions.

        Raises ConfigError for a value that its trait refuses; *tell* may take it instead.
        """
        for level in levels:
            for name, value in level.values.items():
                if not callable(value):
                    try:
                        self._set(name, copy.deepcopy(value), level)
                    except ConfigError as exc:
                        tell(exc)
            self._choose_one_cluster(level)

    async def call(self, functions: Mapping[str, Any]) -> None:
        """Set each trait to what its function gives for the spawner. Raises FunctionFailed."""
        for name, function in functions.items():
            self.set(name, await ask(function, self._spawner, name), name)

    def _choose_one_cluster(self, level: Overriding) -> None:
        """A level that chooses a cluster one way overrides a lower one's said another way."""
        for name in _WAYS:
            if level.values.get(name):
                for other in _WAYS.keys() - {name}:
                    self.set(other, _WAYS[other], level.place(name))

    def _set(self, name: str, value: Any, level: Overriding) -> None:
        """Set what has another meaning in KubeSpawner's words and in mcks' own to the right one."""
        theirs, spawner = name in level.theirs, self._spawner
        if theirs and name in WITHOUT_EFFECT:
            return
        expandable = level.expandable.get(name, value)
        if name == "cmd":
            self.set("cmd_as_args", theirs, level.place(name))
        elif name == "environment" and theirs != spawner.read_kubespawner:
            # without KubeSpawner's section braces have no meaning elsewhere, as in JSON
            expandable = later(value, expandable) if theirs else literal(value)
        self.set(name, expandable, level.place(name))

    def set(self, name: str, value: Any, where: str) -> None:
        """Merge *value* over the trait *name*. *where* is for the message of a ConfigError."""
        current = read(self._spawner, name)
        if name in LAYERED:
            self._layers_of(name).choose(value)
        value = value if name == "candidates" else merge(name, current, value)
        self._give(name, value, where)

    def begin(self) -> None:
        """Take what the traits say now as the hub's: groups, a profile and hooks come after it."""
        for name in LAYERED:
            self._layers_of(name)

    def settle(self, said: Mapping[str, Any], where: str) -> None:
        """Put what a cluster has *said* between the hub's values and all that was set since.

        It replaces what another cluster has said. *where* is for the message of a ConfigError.
        """
        for name in LAYERED:
            level = self._in_resources(said) if name == "resources" else said.get(name) or {}
            if level or (name in self._layers and self._layers[name].has_cluster):
                current = read(self._spawner, name)
                level = copy.deepcopy(level)  # hooks may change it, and a cluster is all users'
                self._give(name, self._layers_of(name).in_cluster(level, current), where)

    def _in_resources(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """The part of the cluster's ``objects`` that the hub says in the trait that stands above
        it."""
        if not (objects := said.get("objects")):
            return {}
        resources = read(self._spawner, "resources")
        return {key: text for key, text in objects.items() if key in resources}

    def _layers_of(self, name: str) -> Layers:
        if name not in self._layers:
            value = read(self._spawner, name)
            lent = is_lent(self._spawner, name)
            self._layers[name] = Layers(name, value if lent else copy.copy(value))
        return self._layers[name]

    def _give(self, name: str, value: Any, where: str) -> None:
        current = read(self._spawner, name), is_lent(self._spawner, name)
        self._before.setdefault(name, current)
        try:
            give(self._spawner, name, value)
        except TraitError as exc:
            raise ConfigError(f"{where}: {name}: {without_value(exc)}") from None

    def restore(self) -> None:
        """Give every trait its configured value back."""
        before, self._before = self._before, {}
        self._layers.clear()
        for name, (value, was_lent) in before.items():
            (give if was_lent else setattr)(self._spawner, name, value)

    @contextmanager
    def undone_if_it_fails(self) -> Iterator[None]:
        """Give the traits that are set meanwhile their values of before back, after an error."""
        self._outer, self._before = self._before, {}
        layers = {name: copy.copy(one) for name, one in self._layers.items()}
        try:
            yield
        except BaseException:
            self.restore()
            self._layers = layers
            raise
        finally:
            self._before = self._before | self._outer
            self._outer = {}


def check_names(profile: profile_list.Profile, spawner: Overridable | type[Overridable]) -> None:
    """Raise ConfigError if *profile* or one of its choices overrides what is no trait."""
    for level in profile_list.levels(profile):
        check_level(level, spawner)


def without_effect(profile: profile_list.Profile) -> Iterator[str]:
    """Yield a sentence for each of KubeSpawner's traits in *profile* that has no meaning here."""
    for level in profile_list.levels(profile):
        for name in sorted(level.theirs & WITHOUT_EFFECT):
            yield kubespawner_traits.without_effect(f"{level.place(name)}: {name!r}", name)


def check_level(
    level: Overriding, spawner: Overridable | type[Overridable], tell: Tell = at_once
) -> None:
    """Raise ConfigError if *level* names what is no trait of *spawner*, or *tell* each name."""
    names = _names(spawner if isinstance(spawner, type) else type(spawner))
    for name, value in level.values.items():
        if name in names or (name in level.theirs and name in _THEIRS):
            continue
        advice = _advice(str(name), value, names, theirs=name in level.theirs)
        tell(ConfigError(f"{level.place(name)}: {advice}"))


def _advice(name: str, value: Any, ours: Collection[str], *, theirs: bool) -> str:
    """Say what to write instead of *name*, which is no trait."""
    known = {*ours, *_THEIRS} if theirs else {*ours}
    if theirs and (newer := name_of_today(name, known)):
        return f"{name!r} is deprecated and not read here: write {newer!r}"
    if name in Limits._fields:
        return f"{name!r} is no trait: write it into the profile itself, beside 'display_name'"
    return instead_of(name, value) or unknown("trait", name, known)


@cache
def _names(cls: type[Overridable]) -> frozenset[str]:
    return frozenset(cls.class_trait_names(config=True))
