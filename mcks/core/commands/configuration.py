"""The hub's configuration as the command line names it, and one cluster of it."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from traitlets.config import Config

from mcks.core.checking import config_file
from mcks.core.clusters.cluster import ConfiguredCluster
from mcks.core.trying.subjects import Subject, subjects


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
