"""The hub's configuration as the command line names it, and one cluster of it."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from traitlets.config import Config

from mcks.core.checking import config_file
from mcks.core.clusters.cluster import ConfiguredCluster
from mcks.core.trying.subjects import Subject, subjects

_USUAL = "jupyterhub_config.py"
_OF_THE_CHART = Path("/usr/local/etc/jupyterhub/jupyterhub_config.py")
"""Where Zero to JupyterHub puts the file; the hub's Pod works in another directory."""


def usual_file(chart: Path = _OF_THE_CHART) -> str:
    """Return the configuration that is meant if ``--config`` names none."""
    return str(chart) if not Path(_USUAL).exists() and chart.is_file() else _USUAL


def load(arguments: argparse.Namespace) -> Config:
    """Read the file that ``--config`` names. Raises MCKSError if that cannot be done."""
    return config_file.read(Path(arguments.config))


def configured_cluster(arguments: argparse.Namespace) -> ConfiguredCluster:
    """Find the cluster that the command line names, as configured."""
    return chosen_subject(arguments).configure(logging.getLogger("mcks"))


def chosen_subject(arguments: argparse.Namespace) -> Subject:
    """Find the cluster that the command line names, with the ways to its servers."""
    (subject,) = subjects(load(arguments), [arguments.cluster])
    return subject
