"""A configuration before and after its conversion, and what both make of a server."""

from __future__ import annotations

import copy
from typing import Any

from traitlets.config import Config

from mcks.core.checking.sample import Sample, sample_spawner
from mcks.core.conversion.piece import Piece, converted
from mcks.core.conversion.sameness import comparable
from mcks.core.kubespawner import section
from mcks.core.objects import Manifest
from tests.core.kubespawner.side_by_side import planned_by

USERS = ["ada", "Ada.Lovelace@example.org", "GRACE", "Zoë", "x" * 60]


def piece_of(config: Config) -> Piece:
    """What the conversion of *config* prints."""
    spawner = sample_spawner(config, "ada")
    return converted(config, spawner, complete=section.is_read(config))


def after(config: Config, piece: Piece) -> Config:
    """*config* with *piece* at its end, and without all that KubeSpawner's section says."""
    c = copy.deepcopy(config)
    exec(compile(piece.text, "piece", "exec"), {"c": c, **piece.names.bound()})
    c.pop("KubeSpawner", None)
    return c


class Rendered:
    """What mcks would send for a user's servers, without what may differ."""

    def __init__(self, config: Config, username: str) -> None:
        self._sample = Sample(config, username)

    async def __call__(self, servername: str = "", /, **options: str) -> dict[str, Manifest]:
        spawner = self._sample.spawner(servername=servername)
        return comparable(await planned_by(spawner, **options))


def without_functions(values: dict[str, Any]) -> dict[str, Any]:
    """*values* without the words that are functions, which are left to the administrator."""
    return {name: value for name, value in values.items() if not callable(value)}
