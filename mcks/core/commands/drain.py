"""``mcks drain`` and ``mcks undrain``: which clusters take no new servers, told to a running hub.

How the hub reads it (placement/drain_file.py) does not belong here.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

from traitlets import TraitError
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.cluster import CONTEXT_PREFIX
from mcks.core.clusters.configure import configure
from mcks.core.commands import layout
from mcks.core.commands.configuration import load
from mcks.core.knowledge import database
from mcks.core.placement import drain_file, drains
from mcks.core.placement.drains import Drain, with_reason
from mcks.core.trying.subjects import cluster_names, named
from mcks.errors import ConfigError, MCKSError, without_value

_LOG = logging.getLogger("mcks")
_HEADINGS = ("cluster", "since", "by", "reason")


class Drained(NamedTuple):
    """A cluster that takes no new servers, and by whose word."""

    cluster: str
    drain: Drain
    by: Literal["command", "setting"]


class Hub:
    """The hub of *config*, as far as its clusters can be drained. Raises ConfigError."""

    def __init__(self, config: Config) -> None:
        try:
            spawner = sample_spawner(config, "ada")
        except (TraitError, TypeError) as exc:
            raise ConfigError(without_value(exc)) from None
        url = database.url_of(config)
        self.file = drain_file.place(spawner.drain_file, url)
        self._config, self._clusters = config, spawner.clusters
        self._beside = None if spawner.drain_file else drain_file.database_file(url)

    @cached_property
    def names(self) -> list[str]:
        """All clusters that are mentioned, by profiles, too."""
        return cluster_names(self._config)

    def expect_here(self) -> None:
        """Raise ConfigError if the hub does not work here: it would read another file."""
        if self._beside is not None and not self._beside.is_file():
            raise ConfigError(
                f"the hub's database {self._beside} does not exist here: start mcks in the hub's "
                "directory, or set c.MultiClusterKubeSpawner.drain_file"
            )

    def drained(self) -> list[Drained]:
        """Return what the file says, and what clusters' settings say. Raises ConfigError."""
        commanded = drain_file.read(self.file).items()
        told = [Drained(name, drain, "command") for name, drain in commanded]
        return sorted([*told, *self._by_settings()])

    def _by_settings(self) -> Iterator[Drained]:
        of_all = "drain" in self._config.Cluster
        for name in self.names if of_all else self._clusters:
            try:
                cluster = configure(name, self._clusters, self._config, _LOG).cluster
            except ConfigError:
                continue  # `mcks check` tells it
            try:
                drain = drains.said_by(name, cluster.drain)
            except MCKSError as exc:
                sys.stderr.write(f"mcks: {exc}: it is left out here\n")
                continue
            if drain:
                yield Drained(name, drain, "setting")


def run(arguments: argparse.Namespace) -> int:
    """Drain a cluster, or list those that are drained."""
    hub = Hub(load(arguments))
    hub.expect_here()
    if not arguments.cluster:
        if arguments.reason is not None:
            raise MCKSError("--reason is that of a cluster: name the CLUSTER to drain")
        drained = hub.drained()
        answer = layout.as_json(plain(drained)) if arguments.json else table(drained)
        arguments.answer.write(answer)
        return 0
    if arguments.json:
        raise MCKSError("--json is for the list: leave out the CLUSTER")
    name = named(arguments.cluster, hub.names)
    begun = drains.begun(arguments.reason or "")
    drain_file.change(hub.file, lambda drained: drained.update({name: begun}))
    arguments.answer.write(
        f"{_shown(name)} is drained: no new servers start there, those that run stay. "
        f"The hub reads it in {hub.file}\n"
    )
    return 0


def end(arguments: argparse.Namespace) -> int:
    """Let servers start in a cluster again. Raises MCKSError if its setting drains it, too."""
    hub = Hub(load(arguments))
    hub.expect_here()
    was = drain_file.read(hub.file)
    name = named(arguments.cluster, dict.fromkeys([*hub.names, *was]))
    if name in was:
        drain_file.change(hub.file, lambda drained: _take_out(drained, name))
    if any(drained.cluster == name for drained in hub.drained()):
        raise MCKSError(
            f"{_shown(name)} stays drained: clusters[{name!r}].drain in the configuration says so"
        )
    said = "takes new servers again" if name in was else "was not drained"
    arguments.answer.write(f"{_shown(name)} {said}\n")
    return 0


def _take_out(drained: dict[str, Drain], name: str) -> None:
    drained.pop(name, None)


def table(found: Sequence[Drained]) -> str:
    """Lay *found* out for a terminal: a line each, and a last one with their number."""
    rows = [(_shown(d.cluster), d.drain.since, d.by, drains.closed(d.drain.reason)) for d in found]
    lines = layout.columns([_HEADINGS, *rows]) if rows else []
    number = len({drained.cluster for drained in found})
    return "\n".join([*lines, f"{layout.counted(number, 'cluster')} drained"]) + "\n"


def lines(found: Sequence[Drained]) -> str:
    """Write a line for each of *found*, for who asks about something else."""
    return "".join(
        with_reason(f"drained: {_shown(name)} takes no new servers.", drain.reason) + "\n"
        for name, drain, _ in found
    )


def plain(found: Sequence[Drained]) -> list[dict[str, str]]:
    """Return *found* for programs: ``[{cluster, reason, since, by}]``."""
    return [{"cluster": _shown(d.cluster), **d.drain._asdict(), "by": d.by} for d in found]


def _shown(name: str) -> str:
    return name.removeprefix(CONTEXT_PREFIX)
