"""Plans what sample users would get with each profile and choice, and tells every mistake in it.

What an object may hold (objects.py) and which profiles there are (profiles.py) do not belong here.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mcks.core.administrator.inventory import Inventory
from mcks.core.checking import hub_address, of_the_chart
from mcks.core.checking.cluster_settings import of_backend
from mcks.core.checking.finding import Finding, placed
from mcks.core.checking.hub import Addresses
from mcks.core.checking.kubernetes import near_names, objects
from mcks.core.checking.profiles import each_choice_once, with_known_names
from mcks.core.checking.sample import Sample, hooked, without_failing
from mcks.core.clusters import candidates
from mcks.core.clusters.cluster import ConfiguredCluster
from mcks.core.clusters.pool import Pool
from mcks.core.hub import pod_hooks
from mcks.core.manifests.levels import merge_levels
from mcks.core.objects import Manifest
from mcks.core.profiles import selection
from mcks.core.profiles.profile_list import Profile
from mcks.core.servers import plan
from mcks.core.servers.server import Plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import BadTemplate, ConfigError, Defect, FunctionFailed, NoTarget, unknown

NOT_CALLED = f"{pod_hooks.AFTER} is called when there is a Pod: what it does is not checked"
SHORTEST_START = 60
"""Seconds of start_timeout below which a start that waits for anything is cut short."""
_OF_THE_HUB = ("MCKS022",)
"""Codes of what is the same for all profiles."""


@dataclass
class Look:
    """Looks at servers one after the other; what is shared by many is looked at once.

    *clusters* are the configured ones, None for those of which nothing can be made.
    """

    sample: Sample
    other: Sample
    """A second user, whose names must not be the first one's."""
    named_servers: bool
    clusters: dict[str, ConfiguredCluster | None]
    addresses: Addresses
    log: logging.Logger
    found: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._pool = Pool(self.sample.config, self.log)
        self._seen: set[str] = set()
        self._compared: set[tuple[str, ...]] = set()

    def at(self, profile: Profile) -> None:
        """Look at what the sample user gets with each choice of *profile*."""
        told: set[tuple[str, str]] = set()
        for options in each_choice_once(profile):
            said = "".join(f", {key} {value!r}" for key, value in options.items())
            where = f"profile {profile.slug!r}{said}" if profile.slug else ""
            for finding in self._tried(profile, options, where):
                same = (finding.code, finding.what)
                if finding.where != where or same not in told:
                    self.found.append(finding)
                if finding.where == where:  # a choice has the mistakes of its profile
                    told.add(same)

    def _tried(self, profile: Profile, options: Mapping[str, str], where: str) -> Iterator[Finding]:
        try:
            yield from self._server(profile, options, where)
        except Exception as exc:  # a start says the same; the others are looked at all the same
            yield Finding("MCKS132", str(Defect(exc)), where)

    def _server(
        self, profile: Profile, options: Mapping[str, str], where: str
    ) -> Iterator[Finding]:
        spawner = self.sample.spawner(profile.slug)
        yield from self._chosen(spawner, profile, options)
        yield from _of_spawner(spawner, where)
        if "hub_connect_url" in spawner.overridden and spawner.hub_connect_url:
            wrong = hub_address.said(spawner.hub_connect_url, where)
            yield from [wrong] if wrong else []
        yield from _of_candidates(spawner, profile, where)
        try:
            name = spawner.chosen_cluster()
            if name not in self.clusters:  # a context that only profiles name
                named = spawner.configured(self._pool)
                self.clusters[name] = named
                yield from of_backend(named.backend)
                yield from self.addresses.look(name, named.cluster, named.backend)
            configured = self.clusters[name]
        except ConfigError as exc:
            yield from _left_out(spawner, where)
            known = not isinstance(spawner.known_clusters, Inventory)  # which is not called here
            if known and not _is_asked(profile, options):
                yield Finding(exc.code or "MCKS126", str(exc), where)
            return
        if configured is not None:
            plan.settle(spawner, configured.cluster)
        yield from _left_out(spawner, where)
        if configured is None:
            what = "the objects of servers there are not made"
            yield Finding("MCKS141", what, f"clusters[{name!r}]")
            return
        yield from self._planned(spawner, configured, where)

    def _chosen(
        self, spawner: MultiClusterKubeSpawner, profile: Profile, options: Mapping[str, str]
    ) -> Iterator[Finding]:
        """Set what is chosen, as far as it is good."""
        chosen = selection.select([profile], {"profile": profile.slug, **options})
        mistakes: list[ConfigError] = []
        spawner.choosing.profile, spawner.choosing.options = profile.slug, chosen.options
        for level in chosen.levels:
            known = with_known_names(level, self.sample.spawner_class)
            spawner.choosing.overrides.apply_values([known], mistakes.append)
            yield from (placed("MCKS125", str(wrong), level.where) for wrong in mistakes)
            mistakes.clear()

    def _planned(
        self, spawner: MultiClusterKubeSpawner, configured: ConfiguredCluster, where: str
    ) -> Iterator[Finding]:
        mistakes: list[ConfigError] = []
        planned: Plan | None = None
        try:
            planned, failed = hooked(spawner, plan.make(spawner, configured, tell=mistakes.append))
            yield from _of_hooks(spawner, failed)
        except FunctionFailed as exc:
            yield Finding("MCKS140", f"{exc}: what it gives is not checked")
        except ConfigError as exc:
            mistakes.append(exc)
        yield from _told(mistakes, where)
        if planned is None or not all(mistake.code for mistake in mistakes):
            what = "its objects are not compared with Kubernetes' schemas"
            yield Finding("MCKS141", what, where)
            return
        yield from (Finding("MCKS109", note) for note in planned.notes)
        yield from self._shared_names(spawner, configured, planned, where)
        yield from self._objects(spawner, configured, planned.objects, where)

    def _objects(
        self,
        spawner: MultiClusterKubeSpawner,
        configured: ConfiguredCluster,
        made: list[Manifest] | Any,
        where: str,
    ) -> Iterator[Finding]:
        new = [manifest for manifest in made if self._is_new(json.dumps(manifest, default=str))]
        templates = merge_levels(spawner.objects, spawner.resources)
        patches = merge_levels(spawner.patches)
        yield from objects.findings(new, templates, patches)
        if not configured.backend.is_hubs_own():
            place = f"clusters[{configured.cluster.name!r}]"
            for pod in (manifest for manifest in new if manifest["kind"] == "Pod"):
                yield from (Finding("MCKS111", what, place) for what in of_the_chart.named_in(pod))
        if patches and self._is_new(json.dumps([templates, patches])):
            spawner.patches = {}
            before = plan.make(spawner, configured, tell=lambda _: None).objects
            yield from near_names.look(before, made, where)

    def _is_new(self, text: str) -> bool:
        if text in self._seen:
            return False
        self._seen.add(text)
        return True

    def _shared_names(
        self,
        spawner: MultiClusterKubeSpawner,
        configured: ConfiguredCluster,
        planned: Plan,
        where: str,
    ) -> Iterator[Finding]:
        """Compare the names with those of another user, and of another server of this one."""
        translation = spawner.translation()
        words = {n: v for n, v in translation.words.items() if n.endswith(("_template", "_scheme"))}
        names = (configured.cluster.namespace, spawner.key_template, repr(words))
        if names in self._compared:
            return
        self._compared.add(names)
        said_here = any(n in spawner.overridden for n in ("key_template", *words))
        where = where if said_here else ""
        theirs = self._like(spawner, self.other.spawner())
        if _key(theirs) == planned.created.key:
            what = f"key_template gives {planned.created.key!r} for two users"
            yield Finding("MCKS133", what, where, "Write {{username}} or {{userid}} into it")
        elif self.named_servers:
            named = self._like(spawner, self.sample.spawner(servername="second"))
            if _key(named) == planned.created.key:
                what = f"key_template gives {planned.created.key!r} for two servers of one user"
                yield Finding("MCKS133", what, where, "Write {{servername}} into it")
        if configured.namespace is None:
            with_other = plan.make(theirs, configured, tell=lambda _: None)
            if with_other.created.namespace == planned.created.namespace:
                what = f"namespace gives {planned.created.namespace!r} for two users"
                instead = "Write {{username}} or {{userid}} into it"
                yield Finding("MCKS133", what, f"clusters[{configured.cluster.name!r}]", instead)

    @staticmethod
    def _like(
        spawner: MultiClusterKubeSpawner, other: MultiClusterKubeSpawner
    ) -> MultiClusterKubeSpawner:
        """Set on *other* what a choice has set on *spawner*, and leave its functions out."""
        for name in spawner.overridden:
            setattr(other, name, getattr(spawner, name))
        without_failing(other)
        return other


def _key(spawner: MultiClusterKubeSpawner) -> str:
    return plan.key_of(spawner, spawner.translation())


def _is_asked(profile: Profile, options: Mapping[str, str]) -> bool:
    """Whether a function says in which cluster servers start: it is told that it is not called."""
    levels = selection.select([profile], {"profile": profile.slug, **options}).levels
    return any(callable(o.values.get(way)) for o in levels for way in candidates.WAYS)


def _of_candidates(
    spawner: MultiClusterKubeSpawner, profile: Profile, where: str
) -> Iterator[Finding]:
    """Those that are no choice of *profile*: each of these is looked at as such."""
    if isinstance(spawner.known_clusters, Inventory):  # which is not called here
        return
    choices = {c.overrides.get("cluster") for option in profile.options for c in option.choices}
    for name in candidates.open_ones(spawner.candidates):
        if name not in choices and name not in spawner.known_clusters:
            yield Finding("MCKS126", unknown("cluster", name, spawner.known_clusters), where)


def _left_out(spawner: MultiClusterKubeSpawner, where: str) -> Iterator[Finding]:
    """Put the answers of functions in their places; tell those that fail."""
    try:
        for told in without_failing(spawner):
            yield Finding("MCKS140", f"{told}: what it gives is not checked")
    except ConfigError as exc:
        yield Finding("MCKS132", str(exc), where)


def _of_hooks(spawner: MultiClusterKubeSpawner, failed: str) -> Iterator[Finding]:
    if failed:
        yield Finding("MCKS140", f"{failed}: what it gives is not checked")
    if spawner.pod_hook(pod_hooks.AFTER):
        yield Finding("MCKS140", NOT_CALLED)


def _of_spawner(spawner: MultiClusterKubeSpawner, where: str) -> Iterator[Finding]:
    """Tell what cannot work, and mend it, so that the objects can be seen."""
    if not 1 <= spawner.port <= 65535:
        yield Finding("MCKS028", f"port is {spawner.port}, not between 1 and 65535", where)
        spawner.port = 8888
    if spawner.start_timeout < SHORTEST_START:
        what = f"start_timeout is {spawner.start_timeout} seconds: starts that wait would be ended"
        yield Finding("MCKS029", what, where)


def _told(mistakes: list[ConfigError], where: str) -> Iterator[Finding]:
    """Tell *mistakes*, but for those that only follow from another."""
    broken = [m for m in mistakes if isinstance(m, BadTemplate)]
    for mistake in mistakes:
        if broken and (isinstance(mistake, NoTarget) or not mistake.code):
            what = "what comes after the objects' templates is not known yet"
            yield Finding("MCKS141", what, where)
        else:
            told = placed(mistake.code or "MCKS132", str(mistake))
            of_the_hub = told.where or told.code in _OF_THE_HUB
            yield told if of_the_hub else replace(told, where=where)
