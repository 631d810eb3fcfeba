"""Sharing: finds the fleet that all spawners of the running hub share.

What that is, and does (fleet.py), does not belong here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from mcks.backends.api_client import import_ahead
from mcks.core.administrator.inventory import Inventory
from mcks.core.hub.sharing_spawner import SharingSpawner

if TYPE_CHECKING:
    from traitlets.config import Config

    from mcks.core.hub.fleet import Fleet

AHEAD = (
    "mcks.core.hub.fleet",
    "mcks.core.start",
    "mcks.core.clusters.pool",
    "mcks.core.servers.plan",
)
"""Imported in a thread before the first start: behind them are requests, and templates, YAML and
patches. The hub's own start does not wait for them."""


def import_for(clusters: Mapping[str, Any], config: Config) -> None:
    """Begin to import in a thread what a hub with these *clusters* will want, their backends too.

    For each spawner that is made this is asked again, so it must cost nothing.
    """
    import_ahead(*AHEAD, then=partial(_import_backends, clusters, config))


def _import_backends(clusters: Mapping[str, Any], config: Config) -> None:
    from mcks.core.clusters.configure import import_backends  # noqa: PLC0415 - see AHEAD

    import_backends(clusters, config)


_fleets: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Fleet, asyncio.Task[None]]] = (
    WeakKeyDictionary()
)


def fleet_of(spawner: SharingSpawner) -> Fleet:
    """Return the fleet of the running event loop, made at the first call."""
    fleet, _ = _fleets.get(asyncio.get_running_loop(), (None, None))
    if fleet is not None and not fleet.closed.is_set():
        return fleet
    from mcks.core.hub.fleet import Fleet  # noqa: PLC0415 - see AHEAD

    return share(Fleet(spawner))


def share(fleet: Fleet) -> Fleet:
    """Let all spawners of the running event loop share *fleet*.

    Its owner task closes it when the hub cancels its tasks at shutdown.
    """
    loop = asyncio.get_running_loop()
    _fleets[loop] = fleet, loop.create_task(_own(fleet), name="mcks: owner of the fleet")
    return fleet


async def know_clusters(spawner: SharingSpawner) -> None:
    """Wait until the clusters of *spawner* are known, if a function names them.

    Raises StartFailed.
    """
    if isinstance(spawner.known_clusters, Inventory):
        fleet_of(spawner).follow(spawner)
        await spawner.known_clusters.ready()


async def _own(fleet: Fleet) -> None:
    try:
        await fleet.closed.wait()
    finally:
        if not fleet.closed.is_set():
            await fleet.close()
