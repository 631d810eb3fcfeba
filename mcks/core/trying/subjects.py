"""Which clusters ``mcks check`` is to check: the configured ones, and those that profiles name.

Asking them does not belong here.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from traitlets import TraitError
from traitlets.config import Config

from mcks.core.checking.profiles import each_choice_once
from mcks.core.checking.sample import Sample, hooked, without_failing
from mcks.core.clusters.cluster import CONTEXT_PREFIX, RESOURCE_QUOTA, Cluster, ConfiguredCluster
from mcks.core.clusters.configure import configure
from mcks.core.clusters.pool import Pool
from mcks.core.gateways.routes import DIRECT
from mcks.core.profiles import profile_list
from mcks.core.profiles.overrides import Overrides, check_names
from mcks.core.profiles.selection import select
from mcks.core.servers import plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.core.trying.dry_run import Sampled
from mcks.core.trying.exposure import exposures
from mcks.core.trying.hub_role import Needs
from mcks.errors import ConfigError, UnknownCluster, unknown, without_value

_MATTERS = {"cluster", "kubernetes_context", "candidates", "ingress_public_url"}


class Way(NamedTuple):
    """How requests get to servers: the kind of route, and the gateway's *url* or the *domain* of
    the cluster's DNS."""

    route: str
    url: str = ""
    domain: str = ""


@dataclass(frozen=True)
class Subject:
    """A cluster to be checked, and the URLs of the gateways behind which servers are to answer."""

    name: str
    urls: tuple[str, ...]
    configure: Callable[[logging.Logger], ConfiguredCluster]
    """Raises ConfigError."""
    exposures: tuple[str, ...] = ()
    """What lets its users reach one another's Secrets."""
    direct: tuple[Way, ...] = ()
    """The ways to servers without a gateway."""
    samples: tuple[Sampled, ...] = ()
    """What a sample user would start there, with each choice once."""

    max_age: bool = False
    """Whether a profile that leads there ends its servers after some time."""

    def needs(self, cluster: Cluster) -> Needs:
        """Tell what of the hub's work there needs rights of its own."""
        return Needs(
            ingresses=bool(self.urls) or not self.direct,
            isolates=cluster.isolate,
            quotas=cluster.capacity == RESOURCE_QUOTA,
            warns=self.max_age or cluster.max_age is not None,
        )


def subjects(
    config: Config, names: Sequence[str] = (), groups: Sequence[str] = ()
) -> list[Subject]:
    """Give the clusters *names*, or all that *config* mentions.

    A context that only a profile names is called as kubectl calls it. A profile list that is a
    function is not called. Raises UnknownCluster, and ConfigError if nothing can be read.
    """
    try:
        sample = Sample(config, groups=groups)
        spawner = sample.spawner()
    except (TraitError, TypeError) as exc:
        raise ConfigError(without_value(exc)) from None
    clusters = spawner.clusters
    ways: dict[str, dict[Way, None]] = {name: {} for name in clusters}
    for name, way in _used(sample, spawner):
        ways.setdefault(name, {})[way] = None
    aged = set(_aged(sample, spawner))
    samples: dict[str, list[Sampled]] = {}
    for name, sampled in _sampled(sample, spawner):
        samples.setdefault(name, []).append(sampled)

    def subject(name: str) -> Subject:
        return Subject(
            name,
            tuple(dict.fromkeys(way.url for way in ways[name] if way.url)),
            lambda log: configure(name, clusters, config, log),
            tuple(dict.fromkeys(_exposed(samples.get(name, ())))),
            tuple(way for way in ways[name] if way.route in DIRECT),
            tuple(samples.get(name, ())),
            name in aged,
        )

    chosen = [named(name, ways) for name in names] or ways
    return [subject(name) for name in dict.fromkeys(chosen)]


def cluster_names(config: Config) -> list[str]:
    """Name the clusters that *config* mentions, quicker than ``subjects``. Raises ConfigError."""
    try:
        sample = Sample(config)
        spawner = sample.spawner()
    except (TraitError, TypeError) as exc:
        raise ConfigError(without_value(exc)) from None
    return list(dict.fromkeys([*spawner.clusters, *(name for name, _ in _used(sample, spawner))]))


def named(asked: str, known: Collection[str]) -> str:
    """Find which of the *known* clusters is meant. Raises UnknownCluster."""
    for name in (asked, CONTEXT_PREFIX + asked):
        if name in known:
            return name
    names = [name.removeprefix(CONTEXT_PREFIX) for name in known]
    raise UnknownCluster(unknown("cluster", asked, names))


def _used(sample: Sample, spawner: MultiClusterKubeSpawner) -> Iterator[tuple[str, Way]]:
    """Clusters with the ways to their servers, as configured and as profiles choose them.

    What cannot be read is left out, whatever is wrong: `config_check.problems` tells it.
    """
    pool = Pool(sample.config, logging.getLogger("mcks.check"))
    for name in spawner.clusters:
        with contextlib.suppress(Exception):
            configured = pool.configured(name, spawner.clusters)
            yield name, _way(configured, configured.cluster.ingress_public_url)
    for profile in _profiles(spawner):
        for options in each_choice_once(profile):
            with contextlib.suppress(Exception):
                yield _chosen(sample.spawner(), profile, options, pool)


def _aged(sample: Sample, spawner: MultiClusterKubeSpawner) -> Iterator[str]:
    """Clusters to which a profile with a ``max_age`` leads."""
    pool = Pool(sample.config, logging.getLogger("mcks.check"))
    for profile in _profiles(spawner):
        for options in each_choice_once(profile) if profile.limits.max_age is not None else ():
            with contextlib.suppress(Exception):
                yield _chosen(sample.spawner(), profile, options, pool)[0]


def _profiles(spawner: MultiClusterKubeSpawner) -> list[profile_list.Profile]:
    if callable(spawner.profile_list):
        return []
    with contextlib.suppress(ConfigError):
        return profile_list.parse(spawner.profile_list).profiles or [
            profile_list.Profile("", "(no profile)")
        ]
    return []


def _chosen(
    spawner: MultiClusterKubeSpawner,
    profile: profile_list.Profile,
    options: Mapping[str, str],
    pool: Pool,
) -> tuple[str, Way]:
    """Set of what is chosen only what matters here: the rest may be wrong."""
    levels = select([profile], {"profile": profile.slug, **options}).levels
    Overrides(spawner).apply_values(
        level._replace(values={k: value for k, value in level.values.items() if k in _MATTERS})
        for level in levels
    )
    configured = spawner.configured(pool)
    cluster = configured.cluster
    url = spawner.ingress_public_url or cluster.ingress_public_url
    return cluster.name, _way(configured, url)


def _way(configured: ConfiguredCluster, url: str) -> Way:
    return Way(configured.route(url), url, configured.cluster.cluster_domain)


def _sampled(sample: Sample, spawner: MultiClusterKubeSpawner) -> Iterator[tuple[str, Sampled]]:
    """Clusters with what a sample user would start there."""
    for profile, options, one, configured in _each(sample, spawner):
        with contextlib.suppress(Exception):
            planned, _ = hooked(one, plan.make(one, configured))
            namespace = planned.created.namespace if configured.namespace else None
            objects, key = tuple(planned.objects), planned.created.key
            choice = _choice(profile, options)
            yield configured.cluster.name, Sampled(choice, key, namespace, objects)


def _each(
    sample: Sample, spawner: MultiClusterKubeSpawner
) -> Iterator[
    tuple[profile_list.Profile, dict[str, str], MultiClusterKubeSpawner, ConfiguredCluster]
]:
    """Each choice of each profile once, with a spawner for which it is made, and its cluster."""
    pool = Pool(sample.config, logging.getLogger("mcks.check"))
    for profile in _profiles(spawner):
        for options in each_choice_once(profile):
            with contextlib.suppress(Exception):
                check_names(profile, sample.spawner_class)
                one = sample.spawner(profile.slug)
                one.choosing.sample(select([profile], {"profile": profile.slug, **options}))
                configured = one.configured(pool)
                plan.settle(one, configured.cluster)
                without_failing(one)
                yield profile, options, one, configured


def starting(sample: Sample, name: str) -> tuple[MultiClusterKubeSpawner, str]:
    """Return a spawner of the user of *sample* for a start in the cluster *name*, and its choice.

    It is the first choice of the first profile that leads there. Raises ConfigError if none does.
    """
    for profile, options, one, configured in _each(sample, sample.spawner()):
        if configured.cluster.name == name:
            return one, _choice(profile, options)
    raise ConfigError(
        f"no profile that can be tried starts servers in cluster {name!r}: see what is wrong above"
    )


def _choice(profile: profile_list.Profile, options: Mapping[str, str]) -> str:
    said = "".join(f", {key} {value!r}" for key, value in options.items())
    return f"profile {profile.slug!r}{said}" if profile.slug else ""


def _exposed(samples: Iterable[Sampled]) -> Iterator[str]:
    """What the objects of *samples* expose; in a user's own namespace are nobody else's Secrets."""
    for sampled in samples:
        if sampled.namespace is not None:
            yield from exposures(sampled.objects, sampled.namespace)
