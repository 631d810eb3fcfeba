"""``mcks convert``: say in mcks' own words what a hub's configuration says in KubeSpawner's."""

from __future__ import annotations

import argparse
import copy
import sys
from pathlib import Path
from typing import Any

import yaml
from traitlets.config import Config

from mcks.core.checking.sample import Sample, configured_spawner, is_ours
from mcks.core.commands import conversion_check
from mcks.core.commands.configuration import load
from mcks.core.commands.layout import counted
from mcks.core.conversion import predecessor, section
from mcks.core.conversion.chart.configuration import configuration
from mcks.core.conversion.chart.values import of_chart
from mcks.core.conversion.piece import Piece, converted
from mcks.core.kubespawner import section as theirs
from mcks.core.kubespawner.words import HOOKS
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import ConfigError, MCKSError

_STAND_IN = {"context": "to-be-named", "ingress_public_url": "https://to-be-named.example.org"}
"""A cluster for configurations that name none yet."""


def run(arguments: argparse.Namespace) -> int:
    """Print the piece, or with ``--check`` what would differ; 1 if something is left to do."""
    config, left, notes = _as_kubespawner(*_read(arguments))
    complete = _is_complete(config)
    before = _readable(config, complete=complete)
    piece = converted(config, Sample(before).spawner(), complete=complete)
    piece.left[:0], piece.notes[:0] = left, notes
    if not is_ours(config):
        _say_class(piece, config)
    if arguments.check:
        return _check(piece, config, before, arguments)
    arguments.answer.write(piece.text)
    if piece.left:
        what = counted(len(piece.left), "thing")
        sys.stderr.write(f"mcks: {what} to do by hand: see the comment at the top\n")
    return 1 if piece.left else 0


def _read(arguments: argparse.Namespace) -> tuple[Config, list[str], list[str]]:
    """Return the configuration, what of it could not be read, and what to look at."""
    if arguments.values is None:
        return load(arguments), [], []
    path = Path(arguments.values)
    if not path.is_file():
        raise MCKSError(f"there are no values {path}: name them with --values FILE")
    return configuration(of_chart(_document(path), str(path)))


def _as_kubespawner(
    config: Config, left: list[str], notes: list[str]
) -> tuple[Config, list[str], list[str]]:
    """Return the same of a hub that runs KubeSpawner, or what is made of it."""
    if is_ours(config):
        return config, left, notes
    ours = MultiClusterKubeSpawner.class_trait_names(config=True)
    before = predecessor.as_kubespawner(config, _their_class(config), ours)
    return before.config, [*left, *before.left], [*notes, *before.notes]


def _their_class(config: Config) -> type | None:
    try:
        return configured_spawner(config)
    except ConfigError:  # that is not installed here
        return None


def _document(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as exc:
        line = f", line {exc.problem_mark.line + 1}" if exc.problem_mark else ""
        raise ConfigError(f"{path}{line}: {exc.problem}: write it as YAML") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path} is no YAML: {exc}") from exc


def _is_complete(config: Config) -> bool:
    """Tell whether KubeSpawner's section and defaults count, and not its words in profiles only."""
    return theirs.is_read(config) or bool(theirs.values(config)) or not is_ours(config)


def _readable(config: Config, *, complete: bool) -> Config:
    """Return *config* as mcks reads it: with the switch, a cluster, and without what it refuses."""
    read = copy.deepcopy(config)
    if not is_ours(config):
        read.JupyterHub.pop("spawner_class", None)
    if complete:
        read.MultiClusterKubeSpawner.read_kubespawner = True
    for name in HOOKS:
        read.KubeSpawner.pop(name, None)
    if not Sample(read).spawner().clusters:
        read.MultiClusterKubeSpawner.clusters = {"to-be-named": dict(_STAND_IN)}
    return read


def _say_class(piece: Piece, config: Config) -> None:
    piece.lines.insert(0, 'c.JupyterHub.spawner_class = "mcks"')
    if not section.says(config, Sample(Config()).spawner_class, "clusters"):
        piece.notes.append(
            "c.MultiClusterKubeSpawner.clusters is still to be said: where servers are to start"
        )


def _check(piece: Piece, config: Config, before: Config, arguments: argparse.Namespace) -> int:
    after = _readable(_with(piece, config), complete=False)
    found = conversion_check.differences(before, after)
    answer = arguments.answer
    answer.writelines(f"- {line}\n" for line in piece.left)
    answer.writelines(found.lines)
    answer.write(
        f"{counted(found.servers, 'server')} compared, {counted(found.differing, 'server')} "
        f"differ, {counted(len(piece.left), 'thing')} to do by hand\n"
    )
    return 1 if found.lines or piece.left else 0


def _with(piece: Piece, config: Config) -> Config:
    """Return *config* with *piece* at its end."""
    c = copy.deepcopy(config)
    exec(compile(piece.text, "what mcks convert prints", "exec"), {"c": c, **piece.names.bound()})  # noqa: S102
    return c
