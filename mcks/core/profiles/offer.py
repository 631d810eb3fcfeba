"""What a user may choose at the moment: permissions, what is away, news of clusters. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar

from mcks.core.administrator.access import EVERYBODY, AskingSpawner, allowed
from mcks.core.administrator.limits import Limits
from mcks.core.profiles.profile_list import (
    Choice,
    Option,
    Profile,
    with_default,
    with_default_choice,
)
from mcks.core.profiles.selection import Selection, select

_Marked = TypeVar("_Marked", Profile, Choice)
Overrides = Mapping[str, Any]
DataPolicy = Literal["stay", "ask", "ignore"]
Guard = Callable[[Overrides], Awaitable[bool]]
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
    profiles: Sequence[Profile], unavailable: Callable[[Overrides], str]
) -> list[Profile]:
    """Mark what cannot start at the moment; what can, and is marked or first, is the default.

    *unavailable* gives the reason for the clusters that a profile or choice names, empty for the
    rest. An option that chooses among clusters decides in the profile's place.
    """
    return with_default([_with_availability(profile, unavailable) for profile in profiles])


def _with_availability(profile: Profile, unavailable: Callable[[Overrides], str]) -> Profile:
    reason = unavailable(profile.overrides)
    options = []
    for option in profile.options:
        choices = option.choices
        if _decides(option):
            marked = [_marked(c, unavailable(_where(profile, c))) for c in choices]
            choices = with_default_choice(marked)
            reason = next(c.unavailable for c in choices if c.default)
        options.append(option if choices == option.choices else option._replace(choices=choices))
    return _marked(_with_options(profile, options), reason)


def _with_options(profile: Profile, options: Sequence[Option]) -> Profile:
    """Return *profile* itself if *options* are its own: one object for all users, where all is well
    and there is no news."""
    if all(new is old for new, old in zip(options, profile.options, strict=True)):
        return profile
    return profile._replace(options=tuple(options))


def _marked(what: _Marked, reason: str) -> _Marked:
    return what if what.unavailable == reason else what._replace(unavailable=reason)


News = Callable[[Overrides | None, Limits], tuple[str, ...]]
"""Gives what is to be told of servers with these limits where *overrides* lead to; None leaves that
to a choice."""


def with_news(profiles: Sequence[Profile], news: News) -> list[Profile]:
    """Write what is to be told of clusters beside the profiles and choices that name them."""
    return [_with_news(profile, news) for profile in profiles]


def _with_news(profile: Profile, news: News) -> Profile:
    if not any(map(_decides, profile.options)):
        return _telling(profile, news(profile.overrides, profile.limits))
    told = news(None, profile.limits)
    options = []
    for option in profile.options:
        choices = option.choices
        if _decides(option):
            said = [news(_where(profile, choice), profile.limits) for choice in choices]
            choices = tuple(
                _telling(choice, tuple(sentence for sentence in its if sentence not in told))
                for choice, its in zip(choices, said, strict=True)
            )
        options.append(option if choices == option.choices else option._replace(choices=choices))
    return _telling(_with_options(profile, options), told)


def _telling(what: _Marked, news: tuple[str, ...]) -> _Marked:
    return what if what.news == news else what._replace(news=news)


def places(profiles: Sequence[Profile]) -> Iterator[tuple[Overrides | None, Limits]]:
    """Yield all places that `with_news` asks about."""
    for profile in profiles:
        deciding = [option for option in profile.options if _decides(option)]
        yield None if deciding else profile.overrides, profile.limits
        for option in deciding:
            yield from ((_where(profile, choice), profile.limits) for choice in option.choices)


def _decides(option: Option) -> bool:
    """Whether *option* chooses among clusters: a choice that names none means the profile's."""
    return any(_chooses_cluster(choice.overrides) for choice in option.choices)


def _where(profile: Profile, choice: Choice) -> Overrides:
    return choice.overrides if _chooses_cluster(choice.overrides) else profile.overrides


def _chooses_cluster(overrides: Overrides) -> bool:
    if not overrides:
        return False
    get = overrides.get
    return bool(get("cluster") or get("kubernetes_context") or get("candidates"))


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
    found = []
    for profile in profiles:
        options = [_with_questions(profile, option, asks) for option in profile.options]
        marked, may_ask = _with_options(profile, options), asks(profile.overrides)
        found.append(marked if marked.asks == may_ask else marked._replace(asks=may_ask))
    return found


def _with_questions(
    profile: Profile, option: Option, asks: Callable[[Mapping[str, Any]], bool]
) -> Option:
    if not _decides(option):
        return option
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
