"""Profile list -> checked profiles, options and choices. Pure: no spawner, no HTML, no cluster.

Field names and meanings are kubespawner's, so that existing lists work. What a user chose among
them (selection.py) does not belong here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from mcks.core.administrator.access import EVERYBODY, Access
from mcks.core.profiles.keys import others
from mcks.errors import ConfigError

_OVERRIDES = ("kubespawner_override", "spawner_override")
_OVERRIDING = {*_OVERRIDES, "cluster"}
_SHOWN = {"display_name", "description"}
_CHOOSES = _OVERRIDING | {"default", "allowed_groups", "allow"}
_PROFILE = _SHOWN | _CHOOSES | {"slug", "description_html", "profile_options"}
_FANCY = {"description_in_choices", "dynamic_image_building"}
"""Keys that only jupyterhub-fancy-profiles' form reads."""
_OPTION = _SHOWN | _FANCY | {"choices", "unlisted_choice"}
_CHOICE = _SHOWN | _CHOOSES
_IDLE = {"slug"}
"""Keys that KubeSpawner's choices may have, where nothing reads them."""
_UNLISTED = (
    _SHOWN
    | _FANCY
    | set(_OVERRIDES)
    | {"enabled", "display_name_in_choices", "validation_regex", "validation_message"}
)
UNLISTED = "unlisted-choice"
"""What a list box says when the user writes a value of their own."""
TEMPLATES = frozenset({"objects", "resources", "patches", "key_template"})
"""Traits that are templates: a user's own value never becomes part of their source."""


_NONE: Mapping[str, Any] = MappingProxyType({})


class Overriding(NamedTuple):
    """What one place of the configuration overrides: the place, and traits with their values.

    *theirs* are the names that have KubeSpawner's meaning: they were said in its own spelling.
    *expandable* has those of them that a user's text is in and whose fields are expanded later: the
    same values, with the text's own braces doubled.
    """

    where: str
    values: Mapping[str, Any]
    theirs: frozenset[str] = frozenset()
    expandable: Mapping[str, Any] = _NONE


class Choice(NamedTuple):
    """One of an option's values."""

    key: str
    display_name: str
    description: str = ""
    default: bool = False
    overrides: Mapping[str, Any] = _NONE
    theirs: frozenset[str] = frozenset()
    access: Access = EVERYBODY
    extra: Mapping[str, Any] = _NONE
    """What only other forms read."""
    unavailable: str = ""
    """Why no server can start with it at the moment; empty if one can."""


class Unlisted(NamedTuple):
    """What a user may write instead of a choice. ``{value}`` in *overrides* is what they wrote."""

    display_name: str = ""
    display_name_in_choices: str = "Other..."
    validation_regex: str = ""
    validation_message: str = ""
    overrides: Mapping[str, Any] = _NONE
    theirs: frozenset[str] = frozenset()
    extra: Mapping[str, Any] = _NONE
    """What only other forms read."""


class Option(NamedTuple):
    """One question of a profile. It has choices, or an unlisted choice, or both."""

    key: str
    display_name: str
    description: str = ""
    choices: tuple[Choice, ...] = ()
    unlisted: Unlisted | None = None
    extra: Mapping[str, Any] = _NONE
    """What only other forms read."""


class Profile(NamedTuple):
    """One entry of the profile list, checked and complete."""

    slug: str
    display_name: str
    description: str = ""
    default: bool = False
    overrides: Mapping[str, Any] = _NONE
    theirs: frozenset[str] = frozenset()
    description_html: str = ""
    options: tuple[Option, ...] = ()
    access: Access = EVERYBODY
    extra: Mapping[str, Any] = _NONE
    """What only other forms read."""
    unavailable: str = ""
    """Why no server can start with it at the moment; empty if one can."""


class Listed(NamedTuple):
    """A profile list as far as it can be used, and in sentences what could not be."""

    profiles: list[Profile]
    left_out: tuple[str, ...] = ()
    """Entries with a mistake: where, what, and what to write instead."""
    ignored: tuple[str, ...] = ()
    """Keys without effect."""


def parse(profile_list: Sequence[Any] | Mapping[str, Any]) -> Listed:
    """Check a profile list (or a dict of profiles, taken in the order of its keys).

    An entry with a mistake is left out: the others are still good. The first profile that is left
    is the default if none of them is marked. Raises ConfigError if this is no list, or if nothing
    of it can be used: without profiles, everybody would start what the hub's settings say.
    """
    profiles: dict[str, Profile] = {}
    left_out: list[str] = []
    ignored: list[str] = []
    places: dict[str, str] = {}
    for where, entry in _entries(profile_list):
        try:
            profile = _profile(where, entry, ignored)
        except ConfigError as exc:
            left_out.append(str(exc))
            continue
        if profile.slug in profiles:
            left_out.append(
                f"{where} and {places[profile.slug]} have the same slug {profile.slug!r}: "
                "give one of them another 'slug'"
            )
            continue
        places[profile.slug], profiles[profile.slug] = where, profile
    if left_out and not profiles:
        raise ConfigError(f"{'; '.join(left_out)} (so no profile is left)")
    return Listed(with_default([*profiles.values()]), tuple(left_out), tuple(ignored))


def _entries(profile_list: Sequence[Any] | Mapping[str, Any]) -> list[tuple[str, Any]]:
    if isinstance(profile_list, Mapping):
        return [
            (f"profile_list[{key!r}]", profile_list[key]) for key in sorted(profile_list, key=str)
        ]
    if isinstance(profile_list, Sequence) and not isinstance(profile_list, str):
        return [(f"profile_list[{i}]", entry) for i, entry in enumerate(profile_list)]
    raise ConfigError(
        f"profile_list must be a list or a dict of profiles, not {type(profile_list).__name__}"
    )


def levels(profile: Profile) -> Iterator[Overriding]:
    """Yield all that *profile* may override, each with its place in the configuration."""
    yield Overriding(
        f"profile {profile.slug!r}: spawner_override", profile.overrides, profile.theirs
    )
    for option in profile.options:
        where = f"profile {profile.slug!r}: profile_options[{option.key!r}]"
        for choice in option.choices:
            place = f"{where}.choices[{choice.key!r}]: spawner_override"
            yield Overriding(place, choice.overrides, choice.theirs)
        if (unlisted := option.unlisted) is not None:
            place = f"{where}.unlisted_choice: spawner_override"
            yield Overriding(place, unlisted.overrides, unlisted.theirs)


def with_default(profiles: Sequence[Profile]) -> list[Profile]:
    """Mark exactly one profile as the default: the first marked one, else the first.

    What is unavailable comes only after all that is available.
    """
    default = min(profiles, key=_default_order).slug if profiles else ""
    return [
        p if p.default == (p.slug == default) else p._replace(default=not p.default)
        for p in profiles
    ]


def with_default_choice(choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """Mark exactly one choice as the default, by the same rule as ``with_default``."""
    default = min(choices, key=_default_order).key if choices else ""
    return tuple(
        c if c.default == (c.key == default) else c._replace(default=not c.default) for c in choices
    )


def _default_order(what: Profile | Choice) -> tuple[bool, bool]:
    return bool(what.unavailable), not what.default


def _profile(where: str, entry: Any, ignored: list[str]) -> Profile:
    extra = others(where, entry, _PROFILE, ignored)
    name = _text(where, entry, "display_name")
    if not name:
        raise ConfigError(f"{where} needs a 'display_name': the text that users see")
    slug = entry.get("slug") or _slug_of(name)
    if not isinstance(slug, str) or not slug:
        raise ConfigError(f"{where} needs a 'slug': none can be made of {name!r}")
    options = entry.get("profile_options") or {}
    place = f"{where}['profile_options']"
    if not isinstance(options, Mapping):
        raise ConfigError(f"{place} must be a dict of options, not {type(options).__name__}")
    return Profile(
        slug=slug,
        display_name=name,
        description=_text(where, entry, "description"),
        default=bool(entry.get("default", False)),
        overrides=_overrides(where, entry),
        theirs=_theirs(entry),
        description_html=_text(where, entry, "description_html"),
        options=tuple(
            _option(f"{place}[{key!r}]", key, value, ignored) for key, value in options.items()
        ),
        access=_access(where, entry),
        extra=extra,
    )


def _slug_of(name: str) -> str:
    from slugify import slugify  # noqa: PLC0415 - slow, and only for profiles without a slug

    return slugify(name)


def _option(where: str, key: Any, entry: Any, ignored: list[str]) -> Option:
    extra = others(where, entry, _OPTION, ignored)
    _check_name(where, key, "option")
    if key == "profile" or key.endswith(f"--{UNLISTED}"):
        raise ConfigError(f"{where}: an option cannot have this key: the form needs it itself")
    choices = entry.get("choices") or {}
    if not isinstance(choices, Mapping):
        raise ConfigError(
            f"{where}['choices'] must be a dict of choices, not {type(choices).__name__}"
        )
    unlisted = _unlisted(f"{where}['unlisted_choice']", entry.get("unlisted_choice") or {}, ignored)
    if not choices and unlisted is None:
        raise ConfigError(
            f"{where} offers nothing: write 'choices', or an 'unlisted_choice' with 'enabled': True"
        )
    return Option(
        key=key,
        display_name=_text(where, entry, "display_name") or key,
        description=_text(where, entry, "description"),
        choices=with_default_choice(
            [
                _choice(f"{where}['choices'][{k!r}]", k, value, ignored)
                for k, value in choices.items()
            ]
        ),
        unlisted=unlisted,
        extra=extra | {k: entry[k] for k in _FANCY if k in entry},
    )


def _choice(where: str, key: Any, entry: Any, ignored: list[str]) -> Choice:
    extra = others(where, entry, _CHOICE | _IDLE, ignored)
    ignored += (
        f"{where}: {idle!r} has no effect: a choice's name is its key" for idle in _IDLE & {*entry}
    )
    _check_name(where, key, "choice")
    if key == UNLISTED:
        raise ConfigError(f"{where}: a choice cannot have this key: the form needs it itself")
    return Choice(
        key=key,
        display_name=_text(where, entry, "display_name") or key,
        description=_text(where, entry, "description"),
        default=bool(entry.get("default", False)),
        overrides=_overrides(where, entry),
        theirs=_theirs(entry),
        access=_access(where, entry),
        extra=extra,
    )


def _unlisted(where: str, entry: Any, ignored: list[str]) -> Unlisted | None:
    extra = others(where, entry, _UNLISTED, ignored)
    regex = _text(where, entry, "validation_regex")
    try:
        re.compile(regex)
    except re.error as exc:
        raise ConfigError(f"{where}['validation_regex'] is no regular expression: {exc}") from exc
    overrides = _overrides(where, entry)
    for name in TEMPLATES & overrides.keys():
        if "{value}" in str(overrides[name]):
            raise ConfigError(
                f"{where}: {name!r} is a template, of which a user's text may not become a part: "
                "write {{ options.NAME }}, with the option's own name, instead of {value}"
            )
    if not entry.get("enabled"):
        return None
    return Unlisted(
        display_name=_text(where, entry, "display_name"),
        display_name_in_choices=_text(where, entry, "display_name_in_choices") or "Other...",
        validation_regex=regex,
        validation_message=_text(where, entry, "validation_message"),
        overrides=overrides,
        theirs=_theirs(entry),
        extra=extra | {k: entry[k] for k in _FANCY if k in entry},
    )


def _access(where: str, entry: Mapping[str, Any]) -> Access:
    groups, allow = entry.get("allowed_groups"), entry.get("allow")
    if groups is None and allow is None:
        return EVERYBODY
    if isinstance(groups, str) or not isinstance(groups, list | tuple | set | frozenset | None):
        raise ConfigError(
            f"{where}['allowed_groups'] must be a list of groups, not {type(groups).__name__}"
        )
    if allow is not None and not callable(allow):
        raise ConfigError(
            f"{where}['allow'] must be a function of the spawner, not {type(allow).__name__}"
        )
    return Access(None if groups is None else frozenset(map(str, groups)), allow)


def _overrides(where: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Join the two spellings of the override and the shorthand ``cluster``."""
    joined: dict[str, Any] = {}
    if _OVERRIDING.isdisjoint(entry):
        return joined
    for key in _OVERRIDES:
        value = entry.get(key) or {}
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where}: {key!r} must be a dict, not {type(value).__name__}")
        joined.update(value)
    if "cluster" in entry:
        if "cluster" in joined:
            raise ConfigError(f"{where} names its cluster twice: keep only the key 'cluster'")
        joined["cluster"] = entry["cluster"]
    if joined.get("cluster") and joined.get("kubernetes_context"):
        raise ConfigError(
            f"{where} has both a cluster and a kubernetes_context: keep one "
            "(a context without an entry in `clusters` needs only kubernetes_context)"
        )
    return joined


def _theirs(entry: Mapping[str, Any]) -> frozenset[str]:
    """Name what only ``kubespawner_override`` says, so that it has KubeSpawner's meaning."""
    theirs, ours = (entry.get(key) or {} for key in _OVERRIDES)
    return frozenset(theirs.keys() - ours.keys())


def _check_name(where: str, key: Any, what: str) -> None:
    if not isinstance(key, str) or not key:
        raise ConfigError(f"{where}: the key of a {what} must be a text, not {key!r}: quote it")


def _text(where: str, entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ConfigError(f"{where}[{key!r}] must be a text, not {type(value).__name__}")
    return value
