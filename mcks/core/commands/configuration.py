"""The hub's configuration as the command line names it, and one cluster of it."""

from __future__ import annotations

import argparse
import asyncio
import logging
from pathlib import Path

from traitlets import TraitError
from traitlets.config import Config

from mcks.core.administrator.inventory import Inventory
from mcks.core.checking import config_file
from mcks.core.checking.sample import Sample
from mcks.core.clusters.cluster import ConfiguredCluster
from mcks.core.trying.subjects import Subject, subjects
from mcks.errors import ConfigError

_USUAL = "jupyterhub_config.py"
_OF_THE_CHART = Path("/usr/local/etc/jupyterhub/jupyterhub_config.py")
"""Where Zero to JupyterHub puts the file; the hub's Pod works in another directory."""


def usual_file(chart: Path = _OF_THE_CHART) -> str:
    """Return the configuration that is meant if ``--config`` names none."""
    return str(chart) if not Path(_USUAL).exists() and chart.is_file() else _USUAL


def load(arguments: argparse.Namespace) -> Config:
    """Read the file that ``--config`` names. Raises MCKSError if that cannot be done."""
    return with_clusters(config_file.read(Path(arguments.config)))


def with_clusters(config: Config) -> Config:
    """Return *config* with the clusters themselves, if it has a function that names them.

    Raises ConfigError, and what the function raises as FunctionFailed.
    """
    try:
        sample = Sample(config)
        named = sample.spawner().known_clusters
    except (TraitError, TypeError, ConfigError):
        return config  # whoever uses it tells what is wrong
    if not isinstance(named, Inventory):
        return config
    section = sample.spawner_class.__name__
    known = Config(config)
    known[section] = Config({**known.get(section, {}), "clusters": asyncio.run(named.answer())})
    return known


def configured_cluster(arguments: argparse.Namespace) -> ConfiguredCluster:
    """Find the cluster that the command line names, as configured."""
    return chosen_subject(arguments).configure(logging.getLogger("mcks"))


def chosen_subject(arguments: argparse.Namespace) -> Subject:
    """Find the cluster that the command line names, with the ways to its servers."""
    (subject,) = subjects(load(arguments), [arguments.cluster])
    return subject
