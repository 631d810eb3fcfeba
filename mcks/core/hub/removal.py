"""Removal: takes one spawner's server out of its cluster, now or when that can be reached again.

Which objects those are (creation.py), and when a server is to end (spawner.py), does not belong
here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from mcks.core.hub.sharing import fleet_of
from mcks.core.hub.sharing_spawner import SharingSpawner
from mcks.core.servers.server import Created
from mcks.errors import MCKSError, UnknownCluster


class RemovingSpawner(SharingSpawner, Protocol):
    """A spawner, as far as its server is taken away."""

    clusters_ever: Mapping[str, Any]
    _log_name: str


class Removal:
    """Removes what the spawner remembers as created, and lets it forget that."""

    def __init__(self, spawner: RemovingSpawner) -> None:
        self._spawner = spawner
        self.task: asyncio.Task[None] | None = None
        """Runs while objects are being removed: one task for all who want it."""

    async def complete(self, within: float | None = None) -> bool:
        """Return when the server's Pod is gone, or its objects are noted to be deleted later.

        That is so if their cluster does not answer *within* these seconds, and False is returned.
        Whoever waits may be cancelled: the removal goes on. It ends for all when one of them has
        waited long enough.
        """
        created, removal = self._spawner.remembered.created, self._begin()
        # not by a shield: the end of the removal must not look like that of the one who waits
        await asyncio.wait({removal}, timeout=within)
        failure = _failure_of(removal)
        if failure is not None:
            self._leave_for_later(created, failure)
        return failure is None

    async def leave(self, created: Created, cluster: str, kept_key: str) -> bool:
        """After ``complete``: take out of *cluster* what a start there has made of the user's data.

        That is done only if nobody can miss it; say whether none of it is left, so that the start
        may go on in another cluster. *kept_key* is what was remembered before the start.
        """
        from mcks.core.servers import leaving  # noqa: PLC0415 - see sharing.AHEAD

        spawner = self._spawner
        fleet = fleet_of(spawner)
        connected = fleet.pool.peek(cluster, spawner.clusters_ever)
        if connected is None:
            return not created.new_data
        others = {(d.cluster, d.where) for d in fleet.memory.data_of_others(spawner)}
        shared = any((cluster, where) in others for where in created.new_data)
        try:
            return await leaving.leave(connected, created, shared=shared)
        finally:
            forgotten = leaving.forgotten(spawner.remembered, cluster, created, kept_key)
            spawner.remembered = forgotten

    def begin(self) -> None:
        """Remove in the background; if that fails, the objects stay until somebody asks again."""
        self._begin().add_done_callback(self._log_failure)

    def _begin(self) -> asyncio.Task[None]:
        if self.task is None:
            self.task = asyncio.create_task(self._remove())
            self.task.add_done_callback(self._ended)
        return self.task

    async def _remove(self) -> None:
        from mcks.core.servers import launch  # noqa: PLC0415 - see sharing.AHEAD

        spawner = self._spawner
        created, cluster = spawner.remembered.created, spawner.remembered.cluster
        try:
            if created is not None and created.uids:
                async with asyncio.timeout(spawner.start_timeout):
                    connected = await fleet_of(spawner).pool.connect(cluster, spawner.clusters_ever)
                    await launch.stop(connected, created)
        except UnknownCluster as exc:
            where = spawner.remembered.where()
            spawner.log.warning("%s: %s stays behind: %s", spawner._log_name, where, exc)
        spawner.remembered = spawner.remembered.without_server()

    def _ended(self, done: asyncio.Task[None]) -> None:
        if self.task is done:
            self.task = None
        _failure_of(done)  # nobody may be waiting any more

    def _leave_for_later(self, created: Created | None, failure: BaseException) -> None:
        """Forget *created*, which is deleted when its cluster can be reached again.

        Nothing is left to do if another one who waited has noted it.
        """
        spawner, remembered = self._spawner, self._spawner.remembered
        if created is None or remembered.created is not created:
            return
        if not isinstance(failure, MCKSError | TimeoutError | asyncio.CancelledError):
            raise failure
        spawner.log.warning(
            "%s: will delete %s later: %s", spawner._log_name, remembered.where(), _words(failure)
        )
        if self.task is not None:
            self.task.cancel()
            self.task = None
        fleet_of(spawner).delete_later(remembered.cluster, spawner.clusters_ever, created)
        spawner.remembered = remembered.without_server()

    def _log_failure(self, done: asyncio.Task[None]) -> None:
        failure = _failure_of(done)
        if failure is not None and not done.cancelled():
            self._spawner.log.warning(
                "%s ended, but its objects stay for now: %s",
                self._spawner._log_name,
                _words(failure),
            )


def _failure_of(removal: asyncio.Task[None]) -> BaseException | None:
    """Say why the objects may still be there; None if they are gone."""
    if not removal.done():
        return TimeoutError()
    return asyncio.CancelledError() if removal.cancelled() else removal.exception()


def _words(failure: BaseException) -> str:
    return str(failure) or type(failure).__name__
