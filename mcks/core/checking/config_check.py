"""Find all mistakes of a configuration at once, without any network.

How they are shown (exit codes, pages) does not belong here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from traitlets import TraitError
from traitlets.config import Config

from mcks.core.checking import cluster_settings, hub, lost_protection, profiles, sections
from mcks.core.checking.cluster_settings import Entry
from mcks.core.checking.finding import Finding, merged, of_severity, placed
from mcks.core.checking.sample import Sample, configured_spawner
from mcks.core.checking.servers import Look
from mcks.core.profiles import group_overrides, kubespawner_section
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import ConfigError, without_value

_NEEDED = (".clusters", ".profile_list")
"""Settings without which nothing can be said of a server."""


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


def problems(config: Config) -> list[str]:
    """Return the mistakes of *config*, as ``check`` finds them."""
    return check(config).problems


def check(
    config: Config,
    groups: Sequence[str] = (),
    told: Callable[[str, int, int], None] = lambda what, done, of: None,
) -> Findings:
    """Look at all of *config* with a sample user who is in *groups*.

    Functions that would need a real user, such as a profile list that is one, are not called.
    *told* hears how many profiles are done.
    """
    found: list[Finding] = []
    cls = _spawner_class(config, found)
    try:
        bare = Sample(_of_the_hub_alone(config), groups=groups, cls=cls)
        config, wrong = sections.without_wrong_values(config, bare)
        found += wrong
        sample = bare.beside(config, "ada", groups)
        spawner = sample.spawner()
    except (TraitError, TypeError, ConfigError) as exc:
        found.append(Finding("MCKS013", without_value(exc)))
        return Findings(merged(found))
    log = logging.getLogger("mcks.check")
    entries = {
        name: cluster_settings.look(name, spawner.clusters, config, log)
        for name in spawner.clusters
    }
    addresses = hub.Addresses(config, spawner.hub_connect_url or "", sample.hub_listens_at())
    for name, entry in entries.items():
        found += entry.found
        found += addresses.look(name, entry.cluster, entry.backend)
    found += _of_the_hub(config, spawner, entries)
    if any(finding.where.endswith(_NEEDED) for finding in wrong):
        found.append(Finding("MCKS141", "profiles and what servers are made of are not looked at"))
    else:
        found += (Finding("MCKS110", told) for told in lost_protection.warnings(sample, log))
        look = _look_at_servers(sample, entries, addresses, log)
        found += _of_profiles(spawner, look, told)
    return Findings(merged(found))


def _of_the_hub(
    config: Config, spawner: MultiClusterKubeSpawner, entries: Mapping[str, Entry]
) -> Iterator[Finding]:
    """Yield what is wrong with sections, and with settings of the hub as a whole."""
    cls = type(spawner)
    backends = {type(entry.backend) for entry in entries.values() if entry.backend is not None}
    yield from sections.look(config, cls, backends)
    ours = set(cls.class_trait_names(config=True))
    yield from (Finding("MCKS015", told) for told in kubespawner_section.problems(config, ours))
    yield from (Finding("MCKS016", told) for told in kubespawner_section.notes(config, ours))
    yield from hub.look(spawner)
    yield from (placed("MCKS017", told) for told in group_overrides.problems(spawner))
    yield from profiles.functions_left_out(spawner)


def _spawner_class(config: Config, found: list[Finding]) -> type[MultiClusterKubeSpawner]:
    try:
        cls = configured_spawner(config)
    except ConfigError as exc:
        found.append(Finding("MCKS010", str(exc)))
        return MultiClusterKubeSpawner
    if not config.JupyterHub.get("spawner_class"):
        what = "nobody says it, so the hub would start servers beside itself, without mcks"
        found.append(Finding("MCKS011", what, "c.JupyterHub.spawner_class"))
        return MultiClusterKubeSpawner
    if issubclass(cls, MultiClusterKubeSpawner):
        return cls
    what = f"the hub uses {cls.__name__}, so what is said of mcks has no effect"
    found.append(Finding("MCKS011", what, "c.JupyterHub.spawner_class"))
    return MultiClusterKubeSpawner


def _of_the_hub_alone(config: Config) -> Config:
    said = config.get("JupyterHub")
    return Config({"JupyterHub": said} if said else {})


def _look_at_servers(
    sample: Sample, entries: Mapping[str, Entry], addresses: hub.Addresses, log: logging.Logger
) -> Look:
    return Look(
        sample,
        sample.beside(sample.config, "grace", userid=2),
        named_servers=bool(sample.config.JupyterHub.get("allow_named_servers")),
        clusters={name: entry.configured(sample.config) for name, entry in entries.items()},
        addresses=addresses,
        log=log,
    )


def _of_profiles(
    spawner: MultiClusterKubeSpawner, look: Look, told: Callable[[str, int, int], None]
) -> list[Finding]:
    if callable(spawner.profile_list):
        return []
    listed = profiles.survey(spawner.profile_list, look.found)
    look.found += profiles.form(spawner, listed)
    if not listed and not spawner.profile_list:
        listed = [profiles.NO_PROFILE]
    for number, profile in enumerate(listed, 1):
        look.found += profiles.overrides(profile, look.sample.spawner_class)
        look.at(profile)
        told("Checking profiles", number, len(listed))
    return look.found
