"""Find all mistakes of a configuration at once, without any network.

How they are shown (exit codes, pages) does not belong here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from traitlets import TraitError
from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from mcks.core.checking import objects
from mcks.core.checking.finding import Finding, merged, of_severity
from mcks.core.checking.sample import Sample, sections, without_failing
from mcks.core.clusters import configure, elsewhere, pool
from mcks.core.clusters.cluster import ConfiguredCluster
from mcks.core.manifests.levels import merge_levels
from mcks.core.objects import Manifest
from mcks.core.profiles import group_overrides, kubespawner_section, profile_list, selection
from mcks.core.profiles.kubespawner_traits import instead_of
from mcks.core.profiles.overrides import check_names, without_effect
from mcks.core.servers import plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import ConfigError, FunctionFailed, MCKSError, unknown


@dataclass
class Findings:
    """What a look at a configuration gives."""

    found: list[Finding] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """The mistakes in sentences: where, what, and what to write instead."""
        return [str(error) for error in of_severity("error", self.found)]

    @property
    def warnings(self) -> list[str]:
        """What may work, and probably was meant otherwise."""
        return [str(warning) for warning in of_severity("warning", self.found)]

    @property
    def notes(self) -> list[str]:
        """What could not be checked, or has no effect: no mistakes."""
        return [str(note) for note in of_severity("note", self.found)]

    def say(self, code: str, sentences: Iterable[str]) -> None:
        """Add findings of one *code* in whole *sentences*."""
        self.found += (Finding(code, sentence) for sentence in sentences)

    def add(self, code: str, check: Callable[[], Iterable[str]]) -> None:
        """Add what *check* gives in sentences, or the mistake that it raises."""
        try:
            self.say(code, check())
        except MCKSError as exc:
            self.say(code, [str(exc)])

    def once(self) -> Findings:
        """Return the same with what was found at several places once."""
        return Findings(merged(self.found))


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
    except ConfigError as exc:
        found.say("MCKS010", [str(exc)])
        return found
    try:
        found.say("MCKS012", _unknown_traits(config, sample.spawner_class))
        ours = set(sample.spawner_class.class_trait_names(config=True))
        found.say("MCKS015", kubespawner_section.problems(config, ours))
        found.say("MCKS016", kubespawner_section.notes(config, ours))
        spawner = sample.spawner()
    except (TraitError, TypeError, ConfigError) as exc:
        found.say("MCKS013", [str(exc)])
        return found
    for name in spawner.clusters:
        found.add("MCKS100", partial(_cluster_problems, name, spawner, config, log, found))
    found.say("MCKS017", group_overrides.problems(spawner))
    _look_at_profiles(spawner, sample, found, log)
    return found.once()


def _look_at_profiles(
    spawner: MultiClusterKubeSpawner, sample: Sample, found: Findings, log: logging.Logger
) -> None:
    listed = spawner.profile_list
    if callable(listed):
        return
    try:
        parsed = profile_list.parse(listed)
    except ConfigError as exc:
        found.say("MCKS120", [str(exc)])
        return
    found.say("MCKS120", parsed.left_out)
    found.say("MCKS122", parsed.ignored)
    for profile in parsed.profiles or [profile_list.Profile("", "(no profile)")]:
        _look_at_profile(profile, sample, log, found)


def _cluster_problems(
    name: str,
    spawner: MultiClusterKubeSpawner,
    config: Config,
    log: logging.Logger,
    found: Findings,
) -> list[str]:
    configured = configure.configure(name, spawner.clusters, config, log)
    said = configured.cluster.hub_connect_url or spawner.hub_connect_url or spawner.hub.api_url
    if not configured.backend.is_hubs_own() and (doubt := elsewhere.doubt(said)):
        what = f"its pods are to reach the hub at {said}, but {doubt}"
        found.found.append(Finding("MCKS105", what, f"clusters[{name!r}]"))
    return configured.backend.problems()


def _look_at_profile(
    profile: profile_list.Profile, sample: Sample, log: logging.Logger, found: Findings
) -> None:
    """Render what a sample user would get with *profile*; functions are left out."""
    try:
        check_names(profile, sample.spawner_class)
    except ConfigError as exc:
        found.say("MCKS121", [str(exc)])
        return
    found.say("MCKS016", without_effect(profile))
    for options in each_choice_once(profile):
        found.add("MCKS130", partial(_selection_problems, profile, options, sample, log, found))


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
    findings: Findings,
) -> list[str]:
    spawner = sample.spawner(profile.slug)
    spawner.choosing.sample(selection.select([profile], {"profile": profile.slug, **options}))
    findings.say(
        "MCKS140",
        (f"{told}: what it gives is not checked" for told in without_failing(spawner)),
    )
    configured = spawner.configured(pool.Pool(sample.config, log))
    found = configured.backend.problems()
    try:
        planned = plan.make(spawner, configured)
    except FunctionFailed as exc:
        findings.say("MCKS140", [f"{exc}: what it gives is not checked"])
    except ConfigError as exc:
        said = "".join(f", {key} {value!r}" for key, value in options.items())
        place = f"profile {profile.slug!r}{said}: " if profile.slug else ""
        found.append(f"{place}{exc}")
    else:
        findings.say("MCKS101", planned.notes)
        templates = merge_levels(spawner.objects, spawner.resources)
        patches = merge_levels(spawner.patches)
        findings.found += objects.findings(planned.objects, templates, patches)
        findings.found += _only_beside_the_hub(planned.objects, configured)
    return found


def _only_beside_the_hub(
    objects: Iterable[Manifest], configured: ConfiguredCluster
) -> Iterator[Finding]:
    """Tell what Pods name that a cluster without the hub is not likely to have."""
    if configured.backend.is_hubs_own():
        return
    for pod in (one for one in objects if one["kind"] == "Pod"):
        for what in elsewhere.made_by_the_chart(pod):
            yield Finding("MCKS106", what, f"clusters[{configured.cluster.name!r}]")


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
