"""What a user may choose at the moment: permissions, and clusters that are away. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from mcks.core.administrator.access import EVERYBODY, AskingSpawner, allowed
from mcks.core.profiles.profile_list import (
    Choice,
    Option,
    Profile,
    with_default,
    with_default_choice,
)
from mcks.core.profiles.selection import Selection, select

_Marked = TypeVar("_Marked", Profile, Choice)
DataPolicy = Literal["stay", "ask", "ignore"]
Guard = Callable[[Mapping[str, Any]], Awaitable[bool]]
"""Tells whether what a profile or choice overrides, such as its cluster, is open to the user."""


async def permitted(
    profiles: Sequence[Profile], spawner: AskingSpawner, guard: Guard
) -> list[Profile]:
    """Return what the user of *spawner* may choose, again with one default of each kind.

    A profile with an option of which no choice is left is left out as well.
    """
    found = []
    for profile in profiles:
        if await _may_use(profile, spawner, guard, f"profile {profile.slug!r}"):
            options = [
                await _permitted(profile, option, spawner, guard) for option in profile.options
            ]
            if options != list(profile.options):
                left = tuple(option for option in options if option is not None)
                if len(left) < len(options):
                    continue
                profile = profile._replace(options=left)  # noqa: PLW2901
            found.append(profile)
    return with_default(found)


async def _permitted(
    profile: Profile, option: Option, spawner: AskingSpawner, guard: Guard
) -> Option | None:
    where = f"profile {profile.slug!r}: profile_options[{option.key!r}]"
    choices = [choice for choice in option.choices if await _may_use(choice, spawner, guard, where)]
    if len(choices) == len(option.choices):
        return option
    if not choices and option.unlisted is None:
        return None
    return option._replace(choices=with_default_choice(choices))


async def _may_use(
    what: Profile | Choice, spawner: AskingSpawner, guard: Guard, where: str
) -> bool:
    if what.access is not EVERYBODY and not await allowed(what.access, spawner, where):
        return False
    return not what.overrides or await guard(what.overrides)


def joined(reasons: Sequence[tuple[str, str]]) -> str:
    """Join why no server can start in each of several clusters; empty if one can start."""
    if not all(reason for _, reason in reasons):
        return ""
    if len(reasons) <= 1:
        return "".join(reason for _, reason in reasons)
    told = "; ".join(f"{name}: {reason.rstrip('.')}" for name, reason in reasons)
    return f"none of its clusters takes servers at the moment ({told})."


def with_availability(
    profiles: Sequence[Profile], unavailable: Callable[[Mapping[str, Any]], str]
) -> list[Profile]:
    """Mark what cannot start at the moment; what can, and is marked or first, is the default.

    *unavailable* gives the reason for what a profile or choice overrides, empty for the rest. An
    option that chooses among clusters decides in the profile's place.
    """
    return with_default([_with_availability(profile, unavailable) for profile in profiles])


def _with_availability(
    profile: Profile, unavailable: Callable[[Mapping[str, Any]], str]
) -> Profile:
    reason = unavailable(profile.overrides)
    options = []
    for option in profile.options:
        if not any(_chooses_cluster(choice.overrides) for choice in option.choices):
            options.append(option)
            continue
        marked = [_marked(choice, _of_choice(choice, unavailable)) for choice in option.choices]
        choices = with_default_choice(marked)
        options.append(option if choices == option.choices else option._replace(choices=choices))
        if all(_chooses_cluster(choice.overrides) for choice in choices):
            reason = next(c.unavailable for c in choices if c.default)
    if all(new is old for new, old in zip(options, profile.options, strict=True)):
        return _marked(profile, reason)  # one object for all users, as long as all is well
    return profile._replace(options=tuple(options), unavailable=reason)


def _marked(what: _Marked, reason: str) -> _Marked:
    return what if what.unavailable == reason else what._replace(unavailable=reason)


def _of_choice(choice: Choice, unavailable: Callable[[Mapping[str, Any]], str]) -> str:
    return unavailable(choice.overrides) if _chooses_cluster(choice.overrides) else ""


def _chooses_cluster(overrides: Mapping[str, Any]) -> bool:
    return bool(overrides.get("cluster") or overrides.get("kubernetes_context"))


def data_policy(said: DataPolicy | None, *, several: bool) -> DataPolicy:
    """Return what counts if *said* is None.

    Whoever names *several* clusters lets mcks choose: it never leads anybody away from their data
    unasked. Whoever names one has chosen, as before there was this question.
    """
    return said or ("ask" if several else "ignore")


def with_questions(
    profiles: Sequence[Profile], asks: Callable[[Mapping[str, Any]], bool]
) -> list[Profile]:
    """Mark what may need the user's word that a server may start without their data.

    *asks* tells that of what a profile, or a profile and one of its choices, overrides.
    """
    return [
        profile._replace(
            asks=asks(profile.overrides),
            options=tuple(_with_questions(profile, option, asks) for option in profile.options),
        )
        for profile in profiles
    ]


def _with_questions(
    profile: Profile, option: Option, asks: Callable[[Mapping[str, Any]], bool]
) -> Option:
    choices = (
        choice._replace(asks=asks({**profile.overrides, **choice.overrides}))
        if _chooses_cluster(choice.overrides)
        else choice
        for choice in option.choices
    )
    return option._replace(choices=tuple(choices))


def available(selection: Selection, profiles: Sequence[Profile]) -> Selection:
    """Return *selection* with the defaults in the place of what is unavailable at the moment."""
    if selection.profile.unavailable:
        return select(profiles, {})
    asked = dict(selection.user_options)
    for picked in selection.picked:
        if picked.choice is not None and picked.choice.unavailable:
            del asked[picked.option.key]
    return select(profiles, asked, saved=True)._replace(notices=selection.notices)
