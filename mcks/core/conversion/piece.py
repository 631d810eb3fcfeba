"""A piece of jupyterhub_config.py that says the same as KubeSpawner's section. Pure.

It stands at the end of the configuration that it was made of, where functions have their names.
What each part says (`hub`, `profiles`, `environment`) does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

from traitlets.config import Config

from mcks.core.conversion import command, environment, hub, names, section
from mcks.core.conversion.clusters import namespaces
from mcks.core.conversion.keys import Keys, keys_before
from mcks.core.conversion.profiles import OURS, Profiles, keyed
from mcks.core.kubespawner import section as kubespawner
from mcks.core.kubespawner.fields import expand_word
from mcks.core.kubespawner.words import UNSAID, WORDS
from mcks.core.manifests.defaults import ACCOUNT_KEY, DEFAULT_OBJECTS
from mcks.core.manifests.levels import merge_levels
from mcks.core.profiles import profile_list
from mcks.core.profiles.kubespawner_traits import TRAITS, without_effect
from mcks.core.profiles.overrides import check_level
from mcks.core.writing.marks import Marks, refuse_marks
from mcks.core.writing.python_text import Names, source
from mcks.errors import ConfigError

_HEAD = """\
# What c.KubeSpawner said, in mcks' own words. It belongs at the end of the configuration; then
# c.KubeSpawner and read_kubespawner can go, and so can what is not needed of this.
"""
_OWN_HANDLING = {"cmd", "environment", "profile_list", "objects", "resources", "patches"}


@dataclass
class Piece:
    """What a conversion gives."""

    lines: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """What somebody has to do by hand, in sentences."""
    notes: list[str] = field(default_factory=list)
    """What somebody may want to know."""
    names: Names = field(default_factory=Names)

    @property
    def text(self) -> str:
        """The piece, ready to be kept."""
        return "\n".join([_HEAD, *self._told(), *self.names.imports, *self.lines]) + "\n"

    def _told(self) -> Iterator[str]:
        for heading, lines in (
            ("TO DO by hand, for it is not converted", self.left),
            ("Note", self.notes),
        ):
            if lines:
                yield f"# {heading}:"
            for line in lines:
                yield from wrap(line, 100, initial_indent="# - ", subsequent_indent="#   ")
            if lines:
                yield ""

    def say(self, target: str, value: Any, comment: str = "") -> None:
        """Set the trait *target* to *value*."""
        self.lines += ([f"# {comment}"] if comment else []) + [
            f"{target} = {source(value, self.names, target.rpartition('.')[2])}"
        ]

    def update(self, target: str, value: Mapping[str, Any]) -> None:
        """Add the entries of *value* to the trait *target*."""
        self.lines += ["", f"{target}.update({source(value, self.names, target)})"]


def converted(config: Config, spawner: Any, *, complete: bool) -> Piece:
    """Convert what *config* says in KubeSpawner's words, as *spawner*, a sample, reads it.

    *complete*: whether the section and KubeSpawner's defaults are to be said, too, or profiles
    only. Raises ConfigError for what KubeSpawner would not take either.
    """
    refuse_marks([kubespawner.values(config), spawner.profile_list, spawner.environment])
    return _Converter(config, spawner, complete).piece()


class _Converter:
    """One conversion."""

    def __init__(self, config: Config, spawner: Any, complete: bool) -> None:
        self.config, self.spawner, self.complete = config, spawner, complete
        self.section = f"c.{type(spawner).__name__}"
        self.said = section.said(config, spawner)
        self.words = hub.translatable({**UNSAID, **self.said.words} if complete else {})
        self.marks, self.found = Marks(), Piece()
        self.keys = self._keys()
        self.below: dict[str, Any] = {}
        self.patches: dict[str, Any] = {}
        self.resources: dict[str, Any] = {}

    def piece(self) -> Piece:
        """Return all that is to be said."""
        if self.complete:
            self._say_switch()
            self._tell_what_is_left()
            self._say_names()
            self._say_namespaces()
            self._say_traits()
            self._say_environment()
            self._add_objects()
        self._add_to("resources", self.resources)
        profiles = self._profiles()
        self._add_to("patches", self.patches)
        if profiles is not None:
            self.found.lines.append("")
            self.found.say(f"{self.section}.profile_list", profiles)
        self.found.left += self.found.names.wanted()
        return self.found

    def _say_switch(self) -> None:
        for name in section.switches(self.config):
            self.found.say(f"c.{name}.read_kubespawner", value=False)

    def _tell_what_is_left(self) -> None:
        ours = type(self.spawner).class_trait_names(config=True)
        self.found.left += [_of_hook(name) for name in self.said.hooks]
        self.found.left += [kubespawner.advice(name, ours) for name in self.said.unknown]
        for name, value in self.said.words.items():
            if callable(value):
                self.found.left.append(
                    f"c.KubeSpawner.{name} is a function: what it gives is not known before a "
                    "start. Let a pre_spawn_hook add the patch to spawner.patches"
                )
        for name in self.said.without_effect:
            self.found.notes.append(without_effect(f"c.{kubespawner.NAME}.{name}", name))
        self.found.left += _of_groups(self.spawner.group_overrides)
        if self.spawner.pre_spawn_hook or self.spawner.apply_user_options:
            self.found.notes.append(
                "if a hook sets KubeSpawner's words on the spawner: they apply before the patches, "
                "which may say otherwise now. Let it add to spawner.patches instead"
            )

    def _say_names(self) -> None:
        self.found.say(
            f"{self.section}.key_template",
            names.key_template(self.marks, self.words),
            "pod_name_template",
        )

    def _say_namespaces(self) -> None:
        found = namespaces(self.config, self.spawner, self.words, self.marks)
        for target, value in found.items():
            self.found.say(target, value, "where servers live, in clusters that name no namespace")

    def _say_traits(self) -> None:
        """Say what both spawners have, KubeSpawner's defaults included."""
        cls = type(self.spawner)
        cmd = self.spawner.cmd
        self.found.say(f"{self.section}.cmd", None, "the image's own ENTRYPOINT runs")
        args = bool(self.spawner.args)
        if (patch := command.patch(cmd, self.marks, with_args=args)) is not None:
            self.patches[self.keys.cmd] = patch
        if not section.says(self.config, cls, "image"):
            self.found.say(f"{self.section}.image", self.spawner.image, "KubeSpawner's default")
        for name, value in self.said.traits.items():
            if name not in _OWN_HANDLING:
                self.found.say(f"{self.section}.{name}", value)

    def _say_environment(self) -> None:
        fields = names.fields_of(self.marks, self.words)
        said = self.spawner.environment
        found = environment.split(
            said, lambda _, value: expand_word("environment", value, fields), self.marks, ""
        )
        self.below = {name: said[name] for name in found.templates}
        self.patches |= {self.keys.variable(n): text for n, text in found.templates.items()}
        if "environment" in self.said.traits or found.plain != said:
            self.found.say(f"{self.section}.environment", found.plain)

    def _add_objects(self) -> None:
        templates = merge_levels(self.spawner.objects, self.spawner.resources)
        if templates.get(ACCOUNT_KEY) == DEFAULT_OBJECTS[ACCOUNT_KEY]:
            self._add_to("objects", {ACCOUNT_KEY: None})
        if (claim := hub.claim(self.words, self.marks, complete=True)) is not None:
            self.resources[hub.CLAIM_KEY] = claim
        found = hub.hub_patches(self.words, self.marks)
        self.patches |= {self.keys.of_hub(name): text for name, text in found.items()}

    def _add_to(self, name: str, ours: Mapping[str, Any]) -> None:
        """Add *ours* to the administrator's own templates, which apply on top."""
        own = self.said.traits.get(name) or {}
        joined = dict(sorted({**ours, **own}.items())) if isinstance(own, Mapping) else {**ours}
        if not joined:
            return
        listed = getattr(self.spawner, name)
        if isinstance(listed, Mapping):
            self.found.update(f"{self.section}.{name}", joined)
        else:
            self.found.say(f"{self.section}.{name}", {**joined, **keyed(listed)})

    def _profiles(self) -> Any:
        listed = self.spawner.profile_list
        if callable(listed):
            self.found.left.append(
                "profile_list is a function, which is called as before. What its profiles say in "
                "`kubespawner_override` applies before the patches here, which may say otherwise: "
                "let it return `spawner_override` with `patches` of its own"
            )
            return listed if "profile_list" in self.said.traits else None
        if not listed:
            return None
        self.found.left += _unknown_names(listed, type(self.spawner))
        converting = Profiles(
            self.words,
            self.marks,
            self.keys,
            self.complete,
            below=self.below,
            args=bool(self.spawner.args),
            commands=self.keys.cmd in self.patches,
            left=self.found.left,
            notes=self.found.notes,
        )
        made = converting.converted(listed)
        return made if made != listed or "profile_list" in self.said.traits else None

    def _keys(self) -> Keys:
        own = [*keyed(self.spawner.patches)]
        listed = self.spawner.profile_list
        if not callable(listed):
            own += _patch_keys(listed)
        return keys_before(own)


def _of_hook(name: str) -> str:
    called = f"c.{kubespawner.NAME}.{name} is a function, and is not called any more"
    if name == "modify_pod_hook":
        return (
            f"{called}. Say what it does to the Pod in `patches`, which see the user and "
            "the options by template; or let a pre_spawn_hook set spawner.modify_pod_hook to it"
        )
    return f"{called}. {TRAITS[name].advice}; or let a pre_spawn_hook set spawner.{name} to it"


def _of_groups(listed: Any) -> Iterator[str]:
    """Yield a sentence for each of KubeSpawner's words that a group sets."""
    if not isinstance(listed, Mapping):
        return
    for key, entry in listed.items():
        said = entry.get(OURS) if isinstance(entry, Mapping) else None
        for name, value in (said or {}).items():
            if name in WORDS or (name == "environment" and "{" in str(value)):
                yield (
                    f"group_overrides[{key!r}]: {name}: it applies before the patches, which may "
                    "say otherwise now. Say it as an entry of `patches`"
                )


def _unknown_names(listed: Any, spawner_class: type) -> list[str]:
    """Return a sentence for each name in a profile that no start would take."""
    mistakes: list[ConfigError] = []
    for profile in profile_list.parse(listed).profiles:
        for level in profile_list.levels(profile):
            check_level(level, spawner_class, mistakes.append)
    return [str(mistake) for mistake in mistakes]


def _patch_keys(value: Any) -> Iterator[str]:
    """Yield the keys of all patches in a profile list."""
    if isinstance(value, Mapping):
        if isinstance(patches := value.get("patches"), Mapping):
            yield from map(str, patches)
        for item in value.values():
            yield from _patch_keys(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _patch_keys(item)
