"""Tries to start ada's server in cluster a with some patience, taken out again after each test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mcks.core.hub.sharing import fleet_of
from mcks.core.pods.patience import Patience
from mcks.core.servers import launch
from mcks.core.servers.progress import Progress
from mcks.core.servers.server import Plan
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import StartFailed
from tests.cluster.fixtures import Clusters, Namespace
from tests.hub.servers import Make, connection, until, until_empty


class Try:
    """One try to start ada's server in cluster a, with some patience."""

    def __init__(self, spawner: MultiClusterKubeSpawner, patch: str, patience: Patience) -> None:
        spawner.patches = {**spawner.patches, "50-place": patch}
        self.spawner, self.patience, self.progress = spawner, patience, Progress()
        self.planned: Plan | None = None
        self.task = asyncio.create_task(self._start())

    async def _start(self) -> str:
        fleet, clusters = fleet_of(self.spawner), self.spawner.known_clusters
        connected = await connection(self.spawner)
        self.planned = await fleet.plan(self.spawner, fleet.pool.configured("a", clusters))
        return await launch.start(connected, self.planned, self.progress, None, self.patience)

    async def says(self, line: str) -> None:
        """Return when the progress page has said *line*."""

        async def said() -> bool:
            return self.task.done() or any(line in one["message"] for one in self.progress._lines)

        await until(said)
        if self.task.done():
            await self.task

    async def fails(self) -> StartFailed:
        """Return why it failed, once it has."""
        async with asyncio.timeout(150):
            with pytest.raises(StartFailed) as caught:
                await self.task
        return caught.value

    async def pod(self) -> str:
        """Return the uid of the Pod once there is one."""
        await asyncio.wait(
            {self.task, waited := asyncio.create_task(self.progress.accepted.wait())},
            return_when=asyncio.FIRST_COMPLETED,
        )
        waited.cancel()
        assert self.planned is not None
        return str(self.planned.created.uids["Pod"])

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        if self.planned is not None:
            await launch.stop(await connection(self.spawner), self.planned.created)


class Tries:
    """Tries that are taken out again at the end of a test."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self.made: list[Try] = []

    def __call__(self, patch: str, patience: Patience, **traits: Any) -> Try:
        self.made.append(Try(self._make(**traits), patch, patience))
        return self.made[-1]


@pytest.fixture
async def attempt(make: Make, clusters: Clusters, namespace: Namespace) -> AsyncIterator[Tries]:
    tries = Tries(make)
    yield tries
    for one in tries.made:
        await one.end()
    await until_empty(clusters, namespace.name)
