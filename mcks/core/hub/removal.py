"""Removal: takes one spawner's server out of its cluster, now or when that can be reached again.

Which objects those are (creation.py), and when a server is to end (spawner.py), does not belong
here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from mcks.core.hub.fleet import SharingSpawner, fleet_of
from mcks.core.hub.sweep import PendingDeletion
from mcks.core.servers import launch
from mcks.errors import MCKSError, UnknownCluster


class RemovingSpawner(SharingSpawner, Protocol):
    """A spawner, as far as its server is taken away."""

    clusters: Mapping[str, Any]
    _log_name: str


class Removal:
    """Removes what the spawner remembers as created, and lets it forget that."""

    def __init__(self, spawner: RemovingSpawner) -> None:
        self._spawner = spawner
        self.task: asyncio.Task[None] | None = None
        """Runs while objects are being removed: one task for all who want it."""

    async def complete(self, within: float | None = None) -> None:
        """Return when the server's Pod is gone, or its objects are noted to be deleted later.

        That is so if their cluster does not answer *within* these seconds. Whoever waits may be
        cancelled: the removal goes on.
        """
        try:
            async with asyncio.timeout(within):
                await asyncio.shield(self._begin())
        except (MCKSError, TimeoutError) as exc:
            self._leave_for_later(exc)

    def begin(self) -> None:
        """Remove in the background; if that fails, the objects stay until somebody asks again."""
        self._begin().add_done_callback(self._log_failure)

    def _begin(self) -> asyncio.Task[None]:
        self.task = self.task or asyncio.create_task(self._remove())
        return self.task

    async def _remove(self) -> None:
        spawner = self._spawner
        created, cluster = spawner.remembered.created, spawner.remembered.cluster
        try:
            if created is not None and created.uids:
                async with asyncio.timeout(spawner.start_timeout):
                    connected = await fleet_of(spawner).pool.connect(cluster, spawner.clusters)
                    await launch.stop(connected, created)
        except UnknownCluster as exc:
            where = spawner.remembered.where()
            spawner.log.warning("%s: %s stays behind: %s", spawner._log_name, where, exc)
        finally:
            self.task = None
        spawner.remembered = spawner.remembered.without_server()

    def _leave_for_later(self, exc: Exception) -> None:
        """Forget the server, whose objects are deleted when their cluster can be reached again."""
        spawner, remembered = self._spawner, self._spawner.remembered
        spawner.log.warning(
            "%s: will delete %s later: %s",
            spawner._log_name,
            remembered.where(),
            str(exc) or type(exc).__name__,
        )
        if self.task is not None:
            self.task.cancel()
        if remembered.created is not None:
            deletion = PendingDeletion(created=remembered.created)
            fleet_of(spawner).delete_later(remembered.cluster, spawner.clusters, deletion)
        spawner.remembered = remembered.without_server()

    def _log_failure(self, done: asyncio.Task[None]) -> None:
        if not done.cancelled() and (exc := done.exception()) is not None:
            self._spawner.log.warning(
                "%s ended, but its objects stay for now: %s", self._spawner._log_name, exc
            )
