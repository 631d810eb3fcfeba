"""Looks at the profile list: its form, and the names and values of what profiles override.

What servers are made of them (servers.py) does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mcks.core.administrator.inventory import Inventory
from mcks.core.checking.finding import Finding, placed
from mcks.core.profiles import options_form, profile_list
from mcks.core.profiles.overrides import check_level, without_effect
from mcks.core.profiles.profile_list import Overriding, Profile
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import ConfigError

NO_PROFILE = Profile("", "(no profile)")


def survey(listed: Any, found: list[Finding]) -> list[Profile]:
    """Return the profiles of the list *listed* that can be used; add to *found* what is wrong."""
    try:
        parsed = profile_list.survey(listed)
    except ConfigError as exc:
        found.append(Finding("MCKS121", str(exc)))
        return []
    found += (placed("MCKS121", sentence) for sentence in parsed.left_out)
    found += (placed("MCKS122", sentence) for sentence in parsed.ignored)
    found += (placed("MCKS123", sentence) for sentence in parsed.doubts)
    found += (
        Finding("MCKS141", "the objects of its servers are not made", f"profile {one.slug!r}")
        for one in parsed.unsound
        if one.slug
    )
    return parsed.profiles


def each_choice_once(profile: Profile) -> Iterator[dict[str, str]]:
    """Yield user_options: the defaults, then each other choice beside the others' defaults."""
    yield {}
    for option in profile.options:
        for choice in option.choices:
            if not choice.default:
                yield {option.key: choice.key}


def overrides(profile: Profile, cls: type[MultiClusterKubeSpawner]) -> Iterator[Finding]:
    """Yield what *profile* and its choices override without effect, and what is left out."""
    for level in profile_list.levels(profile):
        mistakes: list[ConfigError] = []
        check_level(level, cls, mistakes.append)
        yield from (placed("MCKS124", str(mistake), level.where) for mistake in mistakes)
        for name, value in level.values.items():
            if callable(value):
                what = f"{name!r} is a function: what it gives is not checked"
                yield Finding("MCKS140", what, level.where)
    yield from (placed("MCKS016", sentence) for sentence in without_effect(profile))


def with_known_names(level: Overriding, cls: type[MultiClusterKubeSpawner]) -> Overriding:
    """Return *level* without the names that are no traits of *cls*."""
    values: dict[str, Any] = {}
    for name, value in level.values.items():
        mistakes: list[ConfigError] = []
        check_level(level._replace(values={name: value}), cls, mistakes.append)
        if not mistakes:
            values[name] = value
    return level._replace(values=values)


def form(spawner: MultiClusterKubeSpawner, listed: Sequence[Profile]) -> Iterator[Finding]:
    """Render the form that users would see."""
    try:
        options_form.form(
            spawner.profile_form_template,
            listed,
            directories=spawner.additional_profile_form_template_paths,
        )
    except Exception as exc:  # a template may fail in any way
        line = getattr(exc, "lineno", None)
        where = getattr(exc, "filename", None) or "profile_form_template"
        where = f"{where}, line {line}" if line else where
        yield Finding("MCKS135", f"{type(exc).__name__}: {exc}", where)


def functions_left_out(spawner: MultiClusterKubeSpawner) -> Iterator[Finding]:
    """Yield a note for each of the hub's own settings that is a function and is not called."""
    if isinstance(spawner.known_clusters, Inventory):
        what = "clusters is a function: neither they nor what servers are made of are checked"
        yield Finding("MCKS140", what)
    settings: Mapping[str, Any] = {
        "profile_list": spawner.profile_list,
        "group_overrides": spawner.group_overrides,
    }
    for name, value in settings.items():
        if callable(value):
            what = f"{name} is a function: what it gives is not checked"
            yield Finding("MCKS140", what)
