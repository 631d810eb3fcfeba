"""Find all mistakes of a configuration at once, without any network.

How they are shown (exit codes, pages) does not belong here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from traitlets import TraitError
from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from mcks.core.clusters import configure, pool
from mcks.core.commands.configuration import Sample, sections, without_failing
from mcks.core.profiles import group_overrides, kubespawner_section, profile_list, selection
from mcks.core.profiles.kubespawner_traits import instead_of
from mcks.core.profiles.overrides import check_names, without_effect
from mcks.core.servers import plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import ConfigError, FunctionFailed, MCKSError, unknown


@dataclass
class Findings:
    """What a look at a configuration gives, in sentences."""

    problems: list[str] = field(default_factory=list)
    """Mistakes: where, what, and what to write instead."""
    notes: list[str] = field(default_factory=list)
    """What could not be checked, or has no effect: no mistakes."""

    def add(self, check: Callable[[], list[str]]) -> None:
        """Add the problems that *check* gives, or the one that it raises."""
        try:
            self.problems += check()
        except MCKSError as exc:
            self.problems.append(str(exc))

    def once(self) -> Findings:
        """Return the same with each sentence once."""
        return Findings([*dict.fromkeys(self.problems)], [*dict.fromkeys(self.notes)])


def problems(config: Config) -> list[str]:
    """Return the mistakes of *config*, as ``check`` finds them."""
    return check(config).problems


def check(config: Config, groups: Sequence[str] = ()) -> Findings:
    """Look at all of *config* with a sample user who is in *groups*.

    A profile list that is a function is not called: it would need a real user.
    """
    log = logging.getLogger("mcks.check")
    found = Findings()
    try:
        sample = Sample(config, groups=groups)
        found.problems += _unknown_traits(config, sample.spawner_class)
        ours = set(sample.spawner_class.class_trait_names(config=True))
        found.problems += kubespawner_section.problems(config, ours)
        found.notes += kubespawner_section.notes(config, ours)
        spawner = sample.spawner()
    except (TraitError, TypeError, ConfigError) as exc:
        found.problems.append(str(exc))
        return found
    for name in spawner.clusters:
        found.add(partial(_cluster_problems, name, spawner, config, log))
    found.problems += group_overrides.problems(spawner)
    listed = spawner.profile_list
    if callable(listed):
        return found.once()
    try:
        parsed = profile_list.parse(listed)
    except ConfigError as exc:
        found.problems.append(str(exc))
        return found.once()
    found.problems += parsed.left_out
    found.notes += parsed.ignored
    for profile in parsed.profiles or [profile_list.Profile("", "(no profile)")]:
        found.add(partial(_profile_problems, profile, sample, log, found.notes))
    return found.once()


def _cluster_problems(
    name: str, spawner: MultiClusterKubeSpawner, config: Config, log: logging.Logger
) -> list[str]:
    configured = configure.configure(name, spawner.clusters, config, log)
    return configured.backend.problems()


def _profile_problems(
    profile: profile_list.Profile, sample: Sample, log: logging.Logger, notes: list[str]
) -> list[str]:
    """Render what a sample user would get with *profile*; functions are left out."""
    check_names(profile, sample.spawner_class)
    notes += without_effect(profile)
    found = Findings()
    for options in each_choice_once(profile):
        found.add(partial(_selection_problems, profile, options, sample, log, notes))
    return found.problems


def each_choice_once(profile: profile_list.Profile) -> Iterator[dict[str, str]]:
    """Yield user_options: the defaults, then each other choice beside the others' defaults."""
    yield {}
    for option in profile.options:
        for choice in option.choices:
            if not choice.default:
                yield {option.key: choice.key}


def _selection_problems(
    profile: profile_list.Profile,
    options: dict[str, str],
    sample: Sample,
    log: logging.Logger,
    notes: list[str],
) -> list[str]:
    spawner = sample.spawner(profile.slug)
    spawner.choosing.sample(selection.select([profile], {"profile": profile.slug, **options}))
    notes += (f"{told}: what it gives is not checked" for told in without_failing(spawner))
    configured = spawner.configured(pool.Pool(sample.config, log))
    found = configured.backend.problems()
    try:
        plan.make(spawner, configured)
    except FunctionFailed as exc:
        notes.append(f"{exc}: what it gives is not checked")
    except ConfigError as exc:
        said = "".join(f", {key} {value!r}" for key, value in options.items())
        place = f"profile {profile.slug!r}{said}: " if profile.slug else ""
        found.append(f"{place}{exc}")
    return found


def _unknown_traits(config: Config, cls: type[MultiClusterKubeSpawner]) -> Iterator[str]:
    """Traitlets only warns of these, in a log that few read."""
    names = set(cls.class_trait_names(config=True))
    for section in sections(cls):
        for key, value in (config.get(section) or {}).items():
            if key in names:
                continue
            if isinstance(value, LazyConfigValue | Config) and not value:
                continue
            yield f"c.{section}: {instead_of(key) or unknown('trait', key, names)}"
