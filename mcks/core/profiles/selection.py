"""What a user chose among the profiles: which profile, which choices, what they override. Pure.

Setting traits does not belong here (overrides.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mcks.core.clusters import candidates
from mcks.core.kubespawner.fields import insert_value
from mcks.core.kubespawner.words import EXPANDED
from mcks.core.profiles.profile_list import (
    ANY,
    CLUSTER,
    UNLISTED,
    Choice,
    Option,
    Overriding,
    Profile,
    Unlisted,
)
from mcks.errors import UnknownProfile, unknown

_LONGEST = 4096
"""Characters of a value that a user may write: more than any image's name."""
_ECHO = 100


class Picked(NamedTuple):
    """The answer to one option: a choice, or the user's own text as *value*."""

    option: Option
    choice: Choice | None
    value: str
    where: str

    @property
    def overrides(self) -> Mapping[str, Any]:
        """What it sets, with the user's text in its place."""
        if self.choice is not None:
            return self.choice.overrides
        return insert(self.option.unlisted.overrides, self.value) if self.option.unlisted else {}

    @property
    def level(self) -> Overriding:
        """The same with its place in the configuration, and what of it is KubeSpawner's."""
        if self.choice is not None:
            return Overriding(self.where, self.choice.overrides, self.choice.theirs)
        unlisted = self.option.unlisted
        if unlisted is None:
            return Overriding(self.where, {})
        expandable = {
            name: insert_value(unlisted.overrides[name], self.value)
            for name in unlisted.theirs & EXPANDED
            if not callable(unlisted.overrides[name])
        }
        return Overriding(self.where, self.overrides, unlisted.theirs, expandable)


class Selection(NamedTuple):
    """A profile with an answer to each of its options that has one, in the list's order."""

    profile: Profile
    picked: tuple[Picked, ...] = ()
    notices: tuple[str, ...] = ()
    """What was asked for and is not there any more, in sentences for the user."""

    @property
    def options(self) -> dict[str, str]:
        """Option -> key of its choice, or the user's own text: ``options`` in templates."""
        return {picked.option.key: picked.value for picked in self.picked}

    @property
    def user_options(self) -> dict[str, str]:
        """The same choice in the words of the API, with the defaults that were taken."""
        answers = {
            picked.option.key + ("" if picked.choice else f"--{UNLISTED}"): picked.value
            for picked in self.picked
        }
        return {**answers, "profile": self.profile.slug}

    @property
    def levels(self) -> list[Overriding]:
        """What to override, lowest first, each with its place in the configuration."""
        place = f"profile {self.profile.slug!r}"
        own = Overriding(place, self.profile.overrides, self.profile.theirs)
        return [own, *(picked.level for picked in self.picked)]


def select(
    profiles: Sequence[Profile], user_options: Mapping[str, Any], *, saved: bool = False
) -> Selection:
    """Read *user_options*, as the form or the API gave them. What they do not say is the default.

    Options that were *saved* at an earlier start may name what is gone since: then the default is
    taken, with a notice. Otherwise that raises UnknownProfile, which lists what there is.
    """
    notices: list[str] = []
    try:
        profile = _profile(profiles, user_options.get("profile"))
    except UnknownProfile:
        if not saved:
            raise
        profile = next(p for p in profiles if p.default)
        notices.append(
            f"The profile {_echo(user_options['profile'])} is not there: "
            f"{profile.display_name!r} is chosen instead."
        )
        user_options = {}
    if only := _only_cluster(profile, user_options):
        if not saved:
            raise UnknownProfile(
                f"Cluster: {unknown('choice', _cut(user_options[CLUSTER]), [only])}"
            )
        notices.append(f"Cluster: what was chosen is not there: {only!r} is chosen instead.")
    answers = (_answer(profile, option, user_options, saved, notices) for option in profile.options)
    return Selection(profile, tuple(a for a in answers if a is not None), tuple(notices))


def _profile(profiles: Sequence[Profile], wanted: Any) -> Profile:
    for profile in profiles:
        if profile.slug == wanted or (profile.default and wanted in (None, "")):
            return profile
    raise UnknownProfile(unknown("profile", _cut(wanted), [p.slug for p in profiles]))


def _only_cluster(profile: Profile, given: Mapping[str, Any]) -> str:
    """Name the only cluster that is left of those of *profile*, if another one is asked for: there
    is no option for it."""
    names = candidates.named({"candidates": profile.overrides.get("candidates")})
    if len(names) != 1 or any(option.key == CLUSTER for option in profile.options):
        return ""
    return "" if given.get(CLUSTER) in (None, "", ANY, names[0]) else names[0]


def _answer(
    profile: Profile, option: Option, given: Mapping[str, Any], saved: bool, notices: list[str]
) -> Picked | None:
    try:
        found = _pick(profile, option, given)
    except UnknownProfile:
        if not saved:
            raise
        found = _default(profile, option)
        chosen = repr(found.choice.display_name) if found and found.choice else "the default"
        notices.append(
            f"{option.display_name}: what was chosen is not there: {chosen} is chosen instead."
        )
    return found


def _pick(profile: Profile, option: Option, given: Mapping[str, Any]) -> Picked | None:
    place = f"profile {profile.slug!r}: profile_options[{option.key!r}]"
    text, key = given.get(f"{option.key}--{UNLISTED}"), given.get(option.key)
    if text not in (None, ""):
        _check_text(f"{option.key}--{UNLISTED}", text, option)
        return Picked(option, None, text, f"{place}.unlisted_choice")
    if key in (None, ""):
        return _default(profile, option)
    for choice in option.choices:
        if choice.key == key:
            return Picked(option, choice, key, f"{place}.choices[{key!r}]")
    if key == UNLISTED and option.unlisted:
        raise UnknownProfile(f"{option.display_name}: write a value, or choose one of the list")
    raise UnknownProfile(
        f"{option.display_name}: {unknown('choice', _cut(key), [c.key for c in option.choices])}"
    )


def _default(profile: Profile, option: Option) -> Picked | None:
    """Return the marked choice, or None if there is only free text, which then changes nothing."""
    place = f"profile {profile.slug!r}: profile_options[{option.key!r}]"
    for choice in option.choices:
        if choice.default:
            where = f"{place}.choices[{choice.key!r}]"
            return Picked(option, choice, choice.key, where)
    return None


def _check_text(name: str, text: Any, option: Option) -> None:
    if not isinstance(text, str):
        raise UnknownProfile(f"{name} must be a text, not {type(text).__name__}")
    unlisted = option.unlisted
    if unlisted is None:
        keys = ", ".join(c.key for c in option.choices)
        raise UnknownProfile(f"{option.display_name} takes no value of your own. Known: {keys}")
    if len(text) > _LONGEST:
        raise UnknownProfile(f"{name} is longer than {_LONGEST} characters")
    if not _is_unicode(text):
        raise UnknownProfile(f"{name} has characters that are no Unicode text")
    if unlisted.validation_regex and not re.fullmatch(unlisted.validation_regex, text):
        raise UnknownProfile(_mismatch(text, option, unlisted))


def _mismatch(text: str, option: Option, unlisted: Unlisted) -> str:
    hint = unlisted.validation_message or f"it must match {unlisted.validation_regex}"
    known = ", ".join(c.key for c in option.choices)
    listed = f" Known: {known}" if known else ""
    return f"{option.display_name} cannot be {_echo(text)}: {hint}.{listed}".replace("..", ".")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can say
        return False
    return "\0" not in text


def _cut(value: Any) -> str:
    text = ascii(value)[1:-1] if isinstance(value, str) and not _is_unicode(value) else str(value)
    return text if len(text) <= _ECHO else f"{text[:_ECHO]}…"


def _echo(value: Any) -> str:
    return repr(_cut(value))


def insert(template: Any, value: str) -> Any:
    """Put *value* where ``{value}`` stands in texts, however deep; nothing else is special.

    >>> insert({"image": "example.org/{value}", "cmd": ["{}", "${X:-y}"]}, "a{value}")
    {'image': 'example.org/a{value}', 'cmd': ['{}', '${X:-y}']}
    """
    if isinstance(template, str):
        return template.replace("{value}", value)
    if isinstance(template, Mapping):
        return {insert(k, value): insert(v, value) for k, v in template.items()}
    if isinstance(template, list | tuple | set):
        return type(template)(insert(item, value) for item in template)
    return template
