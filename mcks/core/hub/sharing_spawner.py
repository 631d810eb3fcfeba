"""What the fleet reads of a spawner, for the type checker."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from mcks.core.knowledge.remembering import RememberingSpawner
from mcks.core.servers.starting import StartingSpawner

if TYPE_CHECKING:
    from traitlets.config import Config

    from mcks.core.knowledge.database import HubUser


class SharingSpawner(StartingSpawner, RememberingSpawner, Protocol):
    """A spawner, as far as it shares what the hub has once."""

    user: HubUser
    config: Config
    log: logging.Logger
    start_timeout: int
    namespace: str
    profile_list: Any
    group_overrides: Any
    drain_file: str
    clusters_interval: float

    @property
    def known_clusters(self) -> Mapping[str, Any]:
        """The clusters by name."""

    @property
    def clusters_ever(self) -> Mapping[str, Any]:
        """Those too that are named no more."""
