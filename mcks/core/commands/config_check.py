"""Find all mistakes of a configuration at once, without any network.

How they are shown (exit codes, pages) does not belong here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial

from traitlets import TraitError
from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from mcks.core.clusters import configure, pool
from mcks.core.commands.configuration import sample_spawner
from mcks.core.profiles import profile_list, selection
from mcks.core.profiles.overrides import check_names
from mcks.core.servers import plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import ConfigError, MCKSError, unknown

SECTIONS = [
    cls.__name__
    for cls in MultiClusterKubeSpawner.mro()
    if cls.__module__ in ("mcks.core.spawner", "mcks.core.settings")
]
"""Names under which an administrator may configure the spawner."""


def problems(config: Config) -> list[str]:
    """Return a sentence for each mistake in *config*: where, what, and what to write instead.

    A profile list that is a function is not called: it would need a real user.
    """
    log = logging.getLogger("mcks.check")
    found: list[str] = list(_unknown_traits(config))
    try:
        spawner = sample_spawner(config, "ada")
    except (TraitError, TypeError) as exc:
        return [*found, str(exc)]
    for name in spawner.clusters:
        _note(found, partial(_cluster_problems, name, spawner, config, log))
    listed = spawner.profile_list
    if callable(listed):
        return found
    try:
        parsed = profile_list.parse(listed)
    except ConfigError as exc:
        return [*found, str(exc)]
    for profile in parsed or [profile_list.Profile("", "(no profile)")]:
        _note(found, partial(_profile_problems, profile, config, log))
    return list(dict.fromkeys(found))


def _note(found: list[str], check: Callable[[], list[str]]) -> None:
    try:
        found += check()
    except MCKSError as exc:
        found.append(str(exc))


def _cluster_problems(
    name: str, spawner: MultiClusterKubeSpawner, config: Config, log: logging.Logger
) -> list[str]:
    configured = configure.configure(name, spawner.clusters, config, log)
    return configured.backend.problems()


def _profile_problems(
    profile: profile_list.Profile, config: Config, log: logging.Logger
) -> list[str]:
    """Render what a sample user would get with *profile*; functions are left out."""
    check_names(profile, MultiClusterKubeSpawner)
    found: list[str] = []
    for options in each_choice_once(profile):
        _note(found, partial(_selection_problems, profile, options, config, log))
    return found


def each_choice_once(profile: profile_list.Profile) -> Iterator[dict[str, str]]:
    """Yield user_options: the defaults, then each other choice beside the others' defaults."""
    yield {}
    for option in profile.options:
        for choice in option.choices:
            if not choice.default:
                yield {option.key: choice.key}


def _selection_problems(
    profile: profile_list.Profile, options: dict[str, str], config: Config, log: logging.Logger
) -> list[str]:
    spawner = sample_spawner(config, "ada", profile.slug)
    chosen = selection.select([profile], {"profile": profile.slug, **options})
    spawner.choosing.sample(chosen)
    configured = spawner.configured(pool.Pool(config, log))
    found = configured.backend.problems()
    try:
        plan.make(spawner, configured)
    except ConfigError as exc:
        said = "".join(f", {key} {value!r}" for key, value in options.items())
        place = f"profile {profile.slug!r}{said}: " if profile.slug else ""
        found.append(f"{place}{exc}")
    return found


def _unknown_traits(config: Config) -> Iterator[str]:
    """Traitlets only warns of these, in a log that few read."""
    names = set(MultiClusterKubeSpawner.class_trait_names(config=True))
    for section in SECTIONS:
        for key, value in (config.get(section) or {}).items():
            if key in names:
                continue
            if isinstance(value, LazyConfigValue | Config) and not value:
                continue
            yield f"c.{section}: {unknown('trait', key, names)}"
