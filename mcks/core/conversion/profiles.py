"""A profile list in KubeSpawner's words as one in mcks' own. Pure.

What one level says (`override`) and how the list is written (`python_text`) does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from traitlets import TraitError

from mcks.core.conversion import command, environment
from mcks.core.conversion.keys import Keys
from mcks.core.conversion.names import fields_of
from mcks.core.conversion.override import NAMES, Level
from mcks.core.kubespawner import models
from mcks.core.kubespawner.fields import expand, insert_value
from mcks.core.kubespawner.words import (
    EXPANDED,
    HOOKS,
    WITHOUT_EFFECT,
    WORDS,
    KubeSpawnerWords,
)
from mcks.core.profiles.kubespawner_traits import TRAITS
from mcks.core.profiles.selection import insert
from mcks.core.writing.marks import Marks
from mcks.errors import ConfigError, without_value

THEIRS, OURS = "kubespawner_override", "spawner_override"
_OF_CLUSTER = {"namespace", "user_namespace_template", "enable_user_namespaces"}

_NAMED_BEFORE = {"pvc_name_template", "pod_name_template"}
"""Words that have no effect in a profile of KubeSpawner's."""


@dataclass(frozen=True)
class Place:
    """Where an override stands: for messages, for its patch, and what a user's text is called."""

    where: str
    key: str
    user_text: str = ""


@dataclass
class _Made:
    """An override on its way: where it stands, what it said in *ours*, and what it says now."""

    place: Place
    ours: Mapping[str, Any]
    traits: dict[str, Any]
    patches: dict[str, Any] = field(default_factory=dict)


@dataclass
class Profiles:
    """Converts profile lists on top of what the hub says in *words*.

    *below*: variables of the hub's environment that have fields. *args*: whether ``args`` is said.
    """

    words: Mapping[str, Any]
    marks: Marks
    keys: Keys
    complete: bool
    below: Mapping[str, Any]
    args: bool
    commands: bool = False
    variables: set[str] = field(default_factory=set)
    left: list[str] = field(default_factory=list)
    """What could not be converted, in sentences."""
    notes: list[str] = field(default_factory=list)
    """What somebody may want to know, in sentences."""
    sidecars: set[str] = field(default_factory=set)

    def converted(self, listed: Any) -> Any:
        """Return the profile list *listed* without KubeSpawner's words."""
        entries = [*(listed.values() if isinstance(listed, Mapping) else listed)]
        known = replace(self, variables={*self.below})
        for said in (said for entry in entries for said in _said(entry)):
            known.args = known.args or "args" in said
            known.commands = known.commands or "cmd" in said
            known.variables = known.variables | _with_fields(said.get("environment"))
            known.sidecars = known.sidecars | _sidecars(said.get("extra_containers"))
        if isinstance(listed, Mapping):
            return {key: known.profile(f"[{key!r}]", entry) for key, entry in listed.items()}
        return [known.profile(f"[{n}]", entry) for n, entry in enumerate(listed)]

    def profile(self, number: str, entry: Any) -> Any:
        """Return one entry of the list, its options included."""
        if not isinstance(entry, Mapping):
            return entry
        where = f"profile_list{number}"
        made, words = self._entry(Place(where, self.keys.profile), entry, self.words)
        if isinstance(options := made.get("profile_options"), Mapping):
            made["profile_options"] = {
                key: self._option(f"{where}.profile_options[{key!r}]", n, key, option, words)
                for n, (key, option) in enumerate(options.items())
            }
        return made

    def _option(
        self, where: str, number: int, name: str, option: Any, lower: Mapping[str, Any]
    ) -> Any:
        if not isinstance(option, Mapping):
            return option
        made, key = dict(option), self.keys.option(number, name)
        if isinstance(choices := option.get("choices"), Mapping):
            made["choices"] = {
                choice: self._entry(Place(f"{where}.choices[{choice!r}]", key), entry, lower)[0]
                for choice, entry in choices.items()
            }
        if isinstance(unlisted := option.get("unlisted_choice"), Mapping):
            text = f"options.{name}" if name.isidentifier() else f"options[{name!r}]"
            place = Place(f"{where}.unlisted_choice", key, self.marks.mark(text))
            made["unlisted_choice"] = self._entry(place, unlisted, lower)[0]
        return made

    def _entry(
        self, place: Place, entry: Any, lower: Mapping[str, Any]
    ) -> tuple[Any, Mapping[str, Any]]:
        """Return *entry* with mcks' own words, and the words that hold with it."""
        if not isinstance(entry, Mapping):
            return entry, lower
        ours, theirs = entry.get(OURS) or {}, entry.get(THEIRS) or {}
        if not (isinstance(ours, Mapping) and isinstance(theirs, Mapping)):
            return dict(entry), lower
        theirs = {name: value for name, value in theirs.items() if name not in ours}
        level = self._level(place, theirs, lower)
        override = self._override(place, ours, theirs, level)
        made: dict[str, Any] = {}
        for name, value in entry.items():
            if name not in (OURS, THEIRS):
                made[name] = value
            elif override:
                made[OURS] = override
        return made, level.words if level else lower

    def _level(
        self, place: Place, theirs: Mapping[str, Any], lower: Mapping[str, Any]
    ) -> Level | None:
        said = {}
        for name in sorted(theirs.keys() & WORDS):
            refused = "" if place.user_text else _refused(name, theirs[name])
            if problem := _not_a_patch(name, theirs[name]) or refused:
                self.left.append(f"{place.where}: {name}: {problem}")
            else:
                said[name] = _with_user_text(name, theirs[name], place.user_text)
        if not said:
            return None
        self.notes += [
            f"{place.where}: {name} counts here. KubeSpawner names claim and Pod before it knows "
            "the profile: take it out to keep the hub's names"
            for name in sorted(said.keys() & _NAMED_BEFORE)
        ]
        return Level(lower, said, self.marks, complete=self.complete, sidecars=self.sidecars)

    def _override(
        self,
        place: Place,
        ours: Mapping[str, Any],
        theirs: Mapping[str, Any],
        level: Level | None,
    ) -> dict[str, Any]:
        """Return what ``spawner_override`` says instead."""
        traits = {n: v for n, v in theirs.items() if n not in WORDS | WITHOUT_EFFECT}
        made = _Made(place, ours, traits)
        self._say_cmd(made)
        if self.complete and theirs.keys() & NAMES:
            traits["environment"] = {**self.below, **(traits.get("environment") or {})}
        self._say_environment(made, level.words if level else self.words)
        resources: dict[str, Any] = {}
        if level is not None:
            traits |= level.traits()
            resources = level.resources()
            if (patch := level.patch()) is not None:
                made.patches[place.key] = patch
        traits |= ours
        for name, added in (("resources", resources), ("patches", made.patches)):
            if added:
                traits[name] = {**added, **keyed(traits.get(name) or {})}
        return traits

    def _say_cmd(self, made: _Made) -> None:
        traits = made.traits
        if "cmd" in traits:
            cmd, traits["cmd"] = _with_user_text("cmd", traits["cmd"], made.place.user_text), None
            made.patches[self.keys.cmd] = command.patch(cmd, self.marks, with_args=self.args)
        elif "cmd" in made.ours and self.commands:
            made.patches[self.keys.cmd] = None

    def _say_environment(self, made: _Made, words: Mapping[str, Any]) -> None:
        """Say the variables, and take back the templates of lower levels for the same ones."""
        plain, place = made.ours.get("environment") or {}, made.place
        if isinstance(said := made.traits.pop("environment", None), Mapping):
            later = _with_user_text("environment", said, place.user_text)
            now = insert(said, place.user_text) if place.user_text else said
            fields = fields_of(self.marks, words)
            found = environment.split(
                later,
                lambda name, value: self._expanded(value, now[name], fields, place.where),
                self.marks,
                place.user_text,
            )
            plain = found.plain
            made.traits |= {"environment": plain} if plain else {}
            made.patches |= {self.keys.variable(n): text for n, text in found.templates.items()}
        if isinstance(plain, Mapping):
            taken_back = sorted(self.variables & plain.keys())
            made.patches |= {self.keys.variable(name): None for name in taken_back}

    def _expanded(self, value: Any, now: Any, fields: Mapping[str, str], where: str) -> Any:
        """Expand *value*; without KubeSpawner's section what is no field stays as it is *now*."""
        try:
            return expand(value, fields)
        except ConfigError as exc:
            if self.complete:
                raise ConfigError(f"{where}: environment: {exc}") from exc
            return now


def keyed(level: Any) -> dict[str, Any]:
    """Return patches or objects that may be a list as a dict, behind all others."""
    if isinstance(level, Mapping):
        return dict(level)
    return {f"~own-{number:03}": text for number, text in enumerate(level)}


def _not_a_patch(name: str, value: Any) -> str:
    """Say why a word of a profile cannot be a patch; empty if it can."""
    if name in HOOKS:
        return f"here it is {TRAITS[name].advice}"
    if name in _OF_CLUSTER:
        return "a namespace belongs to a cluster: make a second entry in `clusters` with it"
    if callable(value):
        return (
            "what a function gives is not known before a start: let a pre_spawn_hook add the patch "
            "to spawner.patches"
        )
    return ""


def _refused(name: str, value: Any) -> str:
    """Say why KubeSpawner would not take *value*; empty if it would."""
    try:
        setattr(KubeSpawnerWords(), name, value)
    except TraitError as exc:
        told = without_value(exc).rstrip(".").replace(KubeSpawnerWords.__name__, "KubeSpawner")
        return f"{told}, which does not start such a server either"
    return ""


def _with_user_text(name: str, value: Any, user_text: str) -> Any:
    if not user_text:
        return value
    put = insert_value if name in EXPANDED else insert
    return put(value, user_text)


def _said(entry: Any) -> Iterator[Mapping[str, Any]]:
    """Yield each ``kubespawner_override`` of a profile and its options."""
    if not isinstance(entry, Mapping):
        return
    if isinstance(theirs := entry.get(THEIRS), Mapping):
        yield theirs
    for name in ("profile_options", "choices"):
        if isinstance(below := entry.get(name), Mapping):
            for item in below.values():
                yield from _said(item)
    yield from _said(entry.get("unlisted_choice"))


def _with_fields(said: Any) -> set[str]:
    if not isinstance(said, Mapping):
        return set()
    return {name for name, value in said.items() if "{" in str(value)}


def _sidecars(said: Any) -> set[str]:
    return set() if callable(said) else {str(item.get("name")) for item in models.objects(said)}
