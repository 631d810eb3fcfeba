"""Profile list -> checked profiles, options and choices. Pure: no spawner, no HTML, no cluster.

Field names and meanings are kubespawner's, so that existing lists work. What a user chose among
them (selection.py) does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from mcks.core.administrator.access import EVERYBODY, Access
from mcks.core.administrator.limits import UNLIMITED, Limits
from mcks.core.clusters import candidates
from mcks.core.profiles.entry import OVERRIDES, OVERRIDING, Entry
from mcks.core.profiles.keys import Told
from mcks.errors import ConfigError

_SHOWN = {"display_name", "description"}
_CHOOSES = OVERRIDING | {"default", "allowed_groups", "allow"}
_PROFILE = _SHOWN | _CHOOSES | {"slug", "description_html", "profile_options"} | {*Limits._fields}
_FANCY = {"description_in_choices", "dynamic_image_building"}
"""Keys that only jupyterhub-fancy-profiles' form reads."""
_OPTION = _SHOWN | _FANCY | {"choices", "unlisted_choice"}
_CHOICE = _SHOWN | _CHOOSES
_IDLE = {"slug"}
"""Keys that KubeSpawner's choices may have, where nothing reads them."""
_UNLISTED = (
    _SHOWN
    | _FANCY
    | set(OVERRIDES)
    | {"enabled", "display_name_in_choices", "validation_regex", "validation_message"}
)
CLUSTER = "cluster"
"""The option by which a user may pick one of the clusters that a profile names."""
ANY = "any"
"""Its choice that leaves this to mcks."""
UNLISTED = "unlisted-choice"
"""What a list box says when the user writes a value of their own."""
DATA_OPTION = "mcks-data"
"""The option, and the form's field, by which a user agrees to a start without their data."""
ELSEWHERE = "elsewhere"
"""The only answer to it: without it a server starts where the data is, or not at all."""
TEMPLATES = frozenset({"objects", "resources", "patches", "key_template"})
"""Traits that are templates: a user's own value never becomes part of their source."""

_NONE: Mapping[str, Any] = MappingProxyType({})


class Overriding(NamedTuple):
    """What one place of the configuration overrides: the place, and traits with their values.

    *theirs* are the names that have KubeSpawner's meaning: they were said under *theirs_under*.
    *expandable* has those of them that a user's text is in and whose fields are expanded later: the
    same values, with the text's own braces doubled.
    """

    where: str
    values: Mapping[str, Any]
    theirs: frozenset[str] = frozenset()
    expandable: Mapping[str, Any] = _NONE
    theirs_under: str = "kubespawner_override"

    def place(self, name: str) -> str:
        """Say under which key *name* was said."""
        key = self.theirs_under if name in self.theirs else "spawner_override"
        return f"{self.where}: {key}"


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
    asks: bool | None = None
    """Whether with it a start may need the user's word that it may go without their data; None if
    it chooses no cluster."""
    news: tuple[str, ...] = ()
    """Sentences about its cluster as it is at the moment."""


class Unlisted(NamedTuple):
    """What a user may write instead of a choice. ``{value}`` in *overrides* is what they wrote."""

    display_name: str = ""
    display_name_in_choices: str = "Other..."
    validation_regex: str = ""
    validation_message: str = ""
    overrides: Mapping[str, Any] = _NONE
    theirs: frozenset[str] = frozenset()
    extra: Mapping[str, Any] = _NONE


class Option(NamedTuple):
    """One question of a profile. It has choices, or an unlisted choice, or both."""

    key: str
    display_name: str
    description: str = ""
    choices: tuple[Choice, ...] = ()
    unlisted: Unlisted | None = None
    extra: Mapping[str, Any] = _NONE


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
    limits: Limits = UNLIMITED
    extra: Mapping[str, Any] = _NONE
    """What only other forms read."""
    unavailable: str = ""
    """Why no server can start with it at the moment; empty if one can."""
    asks: bool = False
    """Whether it may need the user's word that a server may start without their data."""
    news: tuple[str, ...] = ()


class Listed(NamedTuple):
    """A profile list as far as it can be used, and in sentences what could not be."""

    profiles: list[Profile]
    left_out: tuple[str, ...] = ()
    """Entries with a mistake: where, what, and what to write instead."""
    ignored: tuple[str, ...] = ()
    """Keys without effect."""
    unsound: tuple[Profile, ...] = ()
    """What could be read of the entries that are left out: for a look at what else is wrong."""
    doubts: tuple[str, ...] = ()
    """What works, and was probably meant otherwise."""


def parse(profile_list: Sequence[Any] | Mapping[str, Any]) -> Listed:
    """Check a profile list (or a dict of profiles, taken in the order of its keys).

    An entry with a mistake is left out: the others are still good. The first profile that is left
    is the default if none of them is marked. Raises ConfigError if this is no list, or if nothing
    of it can be used: without profiles, everybody would start what the hub's settings say.
    """
    listed = survey(profile_list)
    if listed.left_out and not listed.profiles:
        raise ConfigError(f"{'; '.join(listed.left_out)} (so no profile is left)")
    return listed


def survey(profile_list: Sequence[Any] | Mapping[str, Any]) -> Listed:
    """Do the same for a look at a configuration: it may leave nothing.

    Raises ConfigError if this is no list.
    """
    profiles: dict[str, Profile] = {}
    told = Told()
    places: dict[str, str] = {}
    unsound = []
    for where, value in _entries(profile_list):
        entry = Entry(where, value, told)
        profile = _profile(entry)
        if not entry.is_sound:
            unsound.append(profile)
        elif profile.slug in profiles:
            entry.wrong(
                f"{where} and {places[profile.slug]} have the same slug {profile.slug!r}: "
                "give one of them another 'slug'"
            )
        else:
            places[profile.slug], profiles[profile.slug] = where, profile
    told.doubts += _two_defaults("profile_list", profiles.values())
    return Listed(
        with_default([*profiles.values()]),
        tuple(told.mistakes),
        tuple(told.ignored),
        tuple(unsound),
        tuple(told.doubts),
    )


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
    yield Overriding(f"profile {profile.slug!r}", profile.overrides, profile.theirs)
    for option in profile.options:
        where = f"profile {profile.slug!r}: profile_options[{option.key!r}]"
        for choice in option.choices:
            place = f"{where}.choices[{choice.key!r}]"
            yield Overriding(place, choice.overrides, choice.theirs)
        if (unlisted := option.unlisted) is not None:
            place = f"{where}.unlisted_choice"
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


def _two_defaults(where: str, entries: Iterable[Profile | Choice]) -> Iterator[str]:
    marked = [entry.display_name for entry in entries if entry.default]
    if len(marked) > 1:
        yield (
            f"{where}: {' and '.join(map(repr, marked))} are both the default: {marked[0]!r} counts"
        )


def _default_order(what: Profile | Choice) -> tuple[bool, bool]:
    return bool(what.unavailable), not what.default


def _profile(entry: Entry) -> Profile:
    extra = entry.foreign(_PROFILE)
    name = entry.text("display_name")
    if entry.is_dict and not name and isinstance(entry.values.get("display_name", ""), str | None):
        entry.wrong(f"{entry.where} needs a 'display_name': the text that users see")
    overrides = entry.overrides()
    options = [_option(key, option) for key, option in entry.entries("profile_options", "options")]
    if entry.is_sound and all(option.key != CLUSTER for option in options):
        options += _option_of(overrides.get("candidates"), entry)
    return Profile(
        slug=_slug(entry, name),
        display_name=name,
        description=entry.text("description"),
        default=bool(entry.values.get("default", False)),
        overrides=overrides,
        theirs=entry.theirs(),
        description_html=entry.text("description_html"),
        options=tuple(options),
        access=entry.access(),
        limits=entry.limits(),
        extra=extra,
    )


def _option_of(said: Any, entry: Entry) -> list[Option]:
    """Return the option by which a user picks one of the clusters that were *said*, if there are
    several. What a function says is known when a server starts."""
    names = candidates.open_ones(said) if said and not callable(said) else []
    if len(names) < 2:
        return []
    if ANY in names:
        entry.wrong(
            f"{entry.where}['clusters']: {ANY!r} cannot be the name of one of several clusters: "
            "the form needs it itself"
        )
    one = [Choice(name, name, overrides={"cluster": name}) for name in names]
    return [Option(CLUSTER, "Cluster", choices=(Choice(ANY, "Any cluster", default=True), *one))]


def _slug_of(name: str) -> str:
    from slugify import slugify  # noqa: PLC0415 - slow, and only for profiles without a slug

    return slugify(name)


def _slug(entry: Entry, name: str) -> str:
    slug = entry.values.get("slug") or _slug_of(name)
    if isinstance(slug, str) and slug:
        return slug
    if name or entry.values.get("slug"):
        entry.wrong(f"{entry.where} needs a 'slug': none can be made of {name!r}")
    return ""


def _option(key: Any, entry: Entry) -> Option:
    extra = entry.foreign(_OPTION)
    entry.check_name(key, "option")
    if key in ("profile", DATA_OPTION) or str(key).endswith(f"--{UNLISTED}"):
        entry.wrong(f"{entry.where}: an option cannot have this key: the form needs it itself")
    choices = [_choice(k, choice) for k, choice in entry.entries("choices", "choices")]
    entry.told.doubts += _two_defaults(entry.where, choices)
    unlisted = _unlisted(
        Entry(
            f"{entry.where}['unlisted_choice']",
            entry.values.get("unlisted_choice") or {},
            entry.told,
        )
    )
    if not choices and unlisted is None and entry.is_sound:
        entry.wrong(
            f"{entry.where} offers nothing: write 'choices', "
            "or an 'unlisted_choice' with 'enabled': True"
        )
    return Option(
        key=str(key),
        display_name=entry.text("display_name") or str(key),
        description=entry.text("description"),
        choices=with_default_choice(choices),
        unlisted=unlisted,
        extra=extra | _of_fancy_profiles(entry),
    )


def _choice(key: Any, entry: Entry) -> Choice:
    extra = entry.foreign(_CHOICE | _IDLE)
    entry.told.ignored += (
        f"{entry.where}: {idle!r} has no effect: a choice's name is its key"
        for idle in _IDLE & {*entry.values}
    )
    entry.check_name(key, "choice")
    if key == UNLISTED:
        entry.wrong(f"{entry.where}: a choice cannot have this key: the form needs it itself")
    return Choice(
        key=str(key),
        display_name=entry.text("display_name") or str(key),
        description=entry.text("description"),
        default=bool(entry.values.get("default", False)),
        overrides=entry.overrides(),
        theirs=entry.theirs(),
        access=entry.access(),
        extra=extra,
    )


def _unlisted(entry: Entry) -> Unlisted | None:
    extra = entry.foreign(_UNLISTED)
    regex = entry.pattern("validation_regex")
    overrides = entry.overrides()
    for name in TEMPLATES & overrides.keys():
        if "{value}" in str(overrides[name]):
            entry.wrong(
                f"{entry.where}: {name!r} is a template, of which a user's text may not become a "
                "part: write {{ options.NAME }}, with the option's own name, instead of {value}"
            )
    if not entry.values.get("enabled"):
        return None
    return Unlisted(
        display_name=entry.text("display_name"),
        display_name_in_choices=entry.text("display_name_in_choices") or "Other...",
        validation_regex=regex,
        validation_message=entry.text("validation_message"),
        overrides=overrides,
        theirs=entry.theirs(),
        extra=extra | _of_fancy_profiles(entry),
    )


def _of_fancy_profiles(entry: Entry) -> dict[str, Any]:
    return {key: entry.values[key] for key in _FANCY if key in entry.values}
