"""A hub with servers, as far as limits know of one: its records are a real index."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

from mcks.core.administrator.limits import UNLIMITED, Limits
from mcks.core.clusters.cluster import Cluster
from mcks.core.knowledge.index import Index, Row
from mcks.core.placement import limits
from mcks.core.placement.counting import Records
from mcks.core.placement.limits import StartLimits
from mcks.core.servers.progress import Progress
from mcks.core.servers.server import Created
from mcks.core.servers.state import State


class Spawner:
    """A spawner of one server of a user; *row_id* is that of its row."""

    known_clusters: Mapping[str, Any] = {}

    def __init__(self, row_id: int, user_id: int, profile: Limits = UNLIMITED) -> None:
        self.user = SimpleNamespace(id=user_id, name=f"user-{user_id}")
        self.orm_spawner: Any = SimpleNamespace(id=row_id, started=None)
        self.choosing: Any = SimpleNamespace(title="Large machine", limits=profile)
        self.remembered = State()
        self.progress = Progress()

    @property
    def said(self) -> list[str]:
        """What its user has read so far."""
        return [line["message"] for line in self.progress._lines]


class Hub:
    """Starts servers by limits; ``restart`` forgets all but the records."""

    def __init__(self, **clusters: Any) -> None:
        self.clusters = {name: Cluster(name, **settings) for name, settings in clusters.items()}
        self.index = Index()
        self.reads = 0
        self.others: list[str] = []
        self.aging: list[Spawner] = []
        self.limits = self._limits()

    def _limits(self) -> StartLimits:
        return StartLimits(
            limits.Hub(
                self._records,
                lambda: self.index,
                lambda name, _clusters: self.clusters[name],
                self._others,
                self.aging.append,
            )
        )

    async def _records(self) -> Records:
        self.reads += 1
        await asyncio.sleep(0)
        return self.index

    async def _others(self, _cluster: str, _clusters: Mapping[str, Any]) -> list[str]:
        await asyncio.sleep(0)
        return self.others

    def restart(self) -> None:
        """Begin anew with what is recorded."""
        self.limits = self._limits()

    def start(self, spawner: Spawner, cluster: str = "a", profile: str = "") -> Start:
        """Begin a start; see `Start`."""
        return Start(self, spawner, cluster, profile)

    def record(self, spawner: Spawner, *, runs: bool = True) -> None:
        """Save what *spawner* remembers."""
        self.index.put(spawner.orm_spawner.id, Row(spawner.user.id, runs, spawner.remembered))

    def stop(self, spawner: Spawner) -> None:
        """The server is gone, and the hub forgets it."""
        spawner.remembered = spawner.remembered.without_server()
        self.record(spawner, runs=False)


class Start:
    """One start: it waits, then it ``starts``, until it is told how it ends."""

    def __init__(self, hub: Hub, spawner: Spawner, cluster: str, profile: str) -> None:
        self.hub, self.spawner, self.cluster, self.profile = hub, spawner, cluster, profile
        self.starts = False
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        spawner = self.spawner
        spawner.remembered = spawner.remembered._replace(cluster=self.cluster)
        progress = spawner.progress
        async with self.hub.limits.start(spawner, self.cluster, self.profile, progress):
            self.starts = True
            created = Created(f"key-{spawner.orm_spawner.id}", "ns", "h", {"Pod": "uid"})
            spawner.remembered = spawner.remembered._replace(created=created)
            try:
                await self._end
            except BaseException:
                spawner.remembered = spawner.remembered.without_server()
                raise
            finally:
                self.starts = False

    async def succeed(self, *, recorded: bool = True) -> None:
        """The server runs."""
        self._end.set_result(None)
        await self.task
        if recorded:
            self.hub.record(self.spawner)

    async def fail(self) -> None:
        """The server does not start."""
        self._end.set_exception(RuntimeError("no image"))
        with suppress(RuntimeError):
            await self.task

    async def cancel(self) -> None:
        """Its user stops it."""
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


async def settled() -> None:
    """Let all that can go on without anybody's doing go on."""
    for _ in range(10):
        await asyncio.sleep(0)
