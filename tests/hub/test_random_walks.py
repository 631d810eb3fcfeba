"""Random walks: whatever happens in whatever order, the cluster holds what the hub was told.

Hypothesis makes the walks, and shortens one that fails. MCKS_WALKS sets how many there are.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcks.core.clusters.connected import ConnectedCluster
from mcks.core.clusters.pool import Pool
from mcks.core.hub import address, sweep
from mcks.core.knowledge import database
from mcks.core.knowledge.orphans import Orphan
from tests.hub.hub_process import HubProcess, running
from tests.hub.quick_cluster import CLAIM, QuickCluster, objects_of
from tests.hub.servers import SHORT_OUTAGES, until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

WALKS = int(os.environ.get("MCKS_WALKS", "25"))
_UNDER_WAY = 2.0
"""Seconds after which a start that an outage holds up is left to itself."""

Server = tuple[str, str]
SERVERS: list[Server] = [("ada", ""), ("ada", "two"), ("bob", ""), ("bob", "two")]
_CHANCES = {
    "start": 6, "cancel": 3, "stop": 3, "poll": 1, "delete_pod": 2, "end_pod": 1, "oom": 1,
    "outage": 1, "outage_in_start": 1, "outage_ends": 3, "restart": 1, "restart_in_start": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """*count*: how many requests a start may send before it happens."""

    what: str
    server: Server
    count: int

    def __str__(self) -> str:
        user, server = self.server
        after = f" after {self.count} requests" if "start" in self.what[1:] else ""
        after = f" after {self.count} requests" if self.what == "cancel" else after
        return f"{self.what} {user}/{server}{after}"


KINDS = [kind for kind, chance in _CHANCES.items() for _ in range(chance)]
STEPS = st.lists(
    st.builds(Step, st.sampled_from(KINDS), st.sampled_from(SERVERS), st.integers(0, 11)),
    min_size=9,
    max_size=12,
)


def key(server: Server) -> str:
    return "--".join(["h-jupyter-" + server[0], *filter(None, server[1:])])


@dataclass
class Model:
    """What there should be: ``running`` has each server's Pod's uid; ``ended`` are those of them
    whose end the hub has not been told yet, with the exit code (None: any)."""

    running: dict[Server, str] = field(default_factory=dict)
    ended: dict[Server, int | None] = field(default_factory=dict)
    starting: dict[Server, asyncio.Task[Any]] = field(default_factory=dict)
    disturbed: set[Server] = field(default_factory=set)
    data: set[str] = field(default_factory=set)
    perhaps: set[str] = field(default_factory=set)
    """Claims that a start may have made before it failed."""
    dark: bool = False


class Walk:
    """One hub that does and meets what the steps say."""

    def __init__(self, cluster: QuickCluster, hubs: list[HubProcess], database: Path) -> None:
        self.cluster, self.hubs, self.database = cluster, hubs, database
        self.model = Model()

    @property
    def hub(self) -> HubProcess:
        return self.hubs[0]

    async def take(self, step: Step) -> None:
        await getattr(self, step.what)(step.server, step.count)
        await self.observe()

    # -- what users do ------------------------------------------------------------------------

    def begin(self, server: Server) -> asyncio.Task[Any] | None:
        if self.hub.spawner(*server).active:
            return None
        task = self.model.starting[server] = self.hub.begin(*server)
        self.model.perhaps.add(key(server))
        if self.model.dark:
            self.model.disturbed.add(server)
        return task

    async def start(self, server: Server, _: int) -> None:
        if task := self.begin(server):
            await asyncio.wait({task}, timeout=_UNDER_WAY if self.model.dark else 60)

    async def begin_and_wait(self, server: Server, count: int) -> bool:
        """Begin a start and return when it has sent *count* requests, or is done."""
        before = self.cluster.asked
        if (task := self.begin(server)) is None:
            return False

        async def so_far() -> bool:
            return task.done() or self.cluster.asked - before >= count

        await until(so_far)
        return True

    async def cancel(self, server: Server, count: int) -> None:
        if await self.begin_and_wait(server, count):
            self.model.disturbed.add(server)
            await self.stop(server, 0)

    async def stop(self, server: Server, _: int) -> None:
        if await self.hub.stop(*server):
            self.model.running.pop(server, None)
            self.model.ended.pop(server, None)
            self.model.starting.pop(server, None)

    async def poll(self, server: Server, _: int) -> None:
        code = await self.hub.spawner(*server).poll()
        if server not in self.model.running and not self.hub.spawner(*server).active:
            assert code is not None

    # -- what happens to Pods -----------------------------------------------------------------

    def lives(self, server: Server) -> bool:
        return server in self.model.running and server not in self.model.ended

    async def delete_pod(self, server: Server, _: int) -> None:
        if self.lives(server):
            self.model.ended[server] = None
            place = ("v1", "Pod", key(server), self.cluster.namespace)
            await asyncio.to_thread(self.cluster.api.delete, *place)

    async def end_pod(self, server: Server, _: int, code: int = 3, reason: str = "") -> None:
        if self.lives(server):
            self.model.ended[server] = code
            place = key(server), self.cluster.namespace
            await self.cluster.kubelet.end(*place, exit_code=code, reason=reason)

    async def oom(self, server: Server, _: int) -> None:
        await self.end_pod(server, 0, 137, "OOMKilled")

    # -- what happens to the hub ----------------------------------------------------------------

    async def outage(self, *_: object) -> None:
        if not self.model.dark:
            self.cluster.cut_off()
        self.model.dark = True
        self.model.disturbed |= set(self.model.starting)

    async def outage_in_start(self, server: Server, count: int) -> None:
        if not self.model.dark and await self.begin_and_wait(server, count):
            await self.outage()

    async def outage_ends(self, *_: object) -> None:
        if not self.model.dark:
            return
        self.cluster.proxy.heal()
        self.model.dark = False
        clusters = self.hub.spawner("operator").clusters
        breaker = self.hub.pool.breaker("a", clusters)

        async def reachable() -> bool:
            return breaker.unavailable is None

        await until(reachable)
        async with asyncio.timeout(60):
            await self.hub.adoption
        if self.model.starting:
            await asyncio.wait(self.model.starting.values(), timeout=60)

    async def restart(self, *_: object) -> None:
        self.collect()
        under_way = list(self.model.starting)
        await self.hub.kill()
        self.model.starting.clear()
        self.hubs[0] = HubProcess(self.cluster.config, self.database)
        for server in under_way:  # perhaps the hub has saved it before it was killed
            if uid := self.hub.spawner(*server).get_state().get("uid"):
                self.model.running[server] = uid
                self.model.data.add(key(server))
        if not self.model.dark:
            async with asyncio.timeout(60):
                await self.hub.adoption

    async def restart_in_start(self, server: Server, count: int) -> None:
        if self.model.dark or await self.begin_and_wait(server, count):
            await self.restart()

    # -- what must be so --------------------------------------------------------------------------

    def collect(self) -> None:
        """Take in how starts have ended."""
        for server, task in list(self.model.starting.items()):
            if task.done():
                del self.model.starting[server]
                self._started(server, task)

    async def observe(self) -> None:
        self.collect()
        for server in list(self.model.running):
            if self.lives(server):
                assert await self.hub.spawner(*server).poll() is None, server
            elif not self.model.dark:
                await self._notice(server)

    def _started(self, server: Server, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and task.exception() is None:
            self.model.running[server] = self.hub.spawner(*server).get_state()["uid"]
            self.model.data.add(key(server))
        elif server not in self.model.disturbed:
            task.result()
        self.model.disturbed.discard(server)

    async def _notice(self, server: Server) -> None:
        """The hub polls, sees the end, and does what it does then."""
        spawner = self.hub.spawner(*server)

        async def noticed() -> bool:
            return await spawner.poll() is not None

        await until(noticed)
        code = self.model.ended.pop(server)
        assert code is None or await spawner.poll() == code
        del self.model.running[server]
        await self.hub.user(server[0]).stop(server[1])

    async def connection(self) -> ConnectedCluster:
        clusters = self.hub.spawner("operator").clusters
        return await self.hub.pool.connect("a", clusters)

    async def finish(self) -> None:
        """All is well again, the hub has swept: compare the cluster with the model."""
        await self.outage_ends()
        await self.observe()
        assert not self.model.starting
        wanted = {name for server in self.model.running for name in objects_of(key(server))}
        wanted |= {f"{CLAIM} {name}" for name in self.model.data}
        allowed = {f"{CLAIM} {name}" for name in self.model.perhaps}
        connection = await self.connection()
        await connection.pods_of(self.cluster.namespace).synced.wait()
        sweeper = self.hub.fleet.sweeper
        sweeper.min_age = 0
        found: set[str] = set()

        async def as_it_should_be() -> bool:
            nonlocal found
            await sweeper.sweep(connection)
            found = await self.cluster.contents()
            return wanted <= found <= wanted | allowed

        try:
            await until(as_it_should_be, 40)
        except TimeoutError:
            pytest.fail(f"missing: {wanted - found}, too much: {found - wanted - allowed}")
        assert not await self.orphans(connection)
        for server, uid in self.model.running.items():
            place = ("v1", "Pod", key(server), self.cluster.namespace)
            pod = await asyncio.to_thread(self.cluster.api.get, *place)
            assert pod["metadata"]["uid"] == uid
            assert await self.hub.spawner(*server).poll() is None

    async def orphans(self, connection: ConnectedCluster) -> list[Orphan]:
        known = database.knowledge(self.hub.session, "h")
        return await sweep.find_all(connection, known, "h", logging.getLogger("test"))

    async def leave(self) -> None:
        """Users go, and their data: what is not known by any server's state is listed."""
        for server in list(self.model.running):
            await self.stop(server, 0)
        for name in ("ada", "bob"):
            await self.hub.delete_user(name)
        connection = await self.connection()

        async def known_is_gone() -> bool:
            return not await self.cluster.claims() & self.model.data

        async def nothing_left() -> bool:
            return not await self.cluster.contents()

        await until(known_is_gone, 40)
        for orphan in await self.orphans(connection):
            await sweep.delete(connection.client, orphan, "h")
        await until(nothing_left, 40)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outages are short here; so is the time until the hub looks whether they are over."""
    monkeypatch.setattr(Pool, "deadlines", SHORT_OUTAGES)
    monkeypatch.setattr(address, "_LONGEST_PAUSE", 0.5)


async def walk_through(cluster: QuickCluster, database: Path, steps: list[Step]) -> None:
    async with running(cluster.config, database) as hubs:
        walk = Walk(cluster, hubs, database)
        try:
            for step in steps:
                await walk.take(step)
            await walk.finish()
            await walk.leave()
        except BaseException as exc:
            exc.add_note("the walk:\n" + "\n".join(map(str, steps)))
            raise
        finally:
            cluster.proxy.heal()


@pytest.mark.timeout(600)
async def test_whatever_happens_the_cluster_holds_what_the_hub_was_told(
    quick_cluster: QuickCluster, tmp_path: Path
) -> None:
    loop, numbers = asyncio.get_running_loop(), itertools.count()

    @settings(max_examples=WALKS, derandomize=True, deadline=None, database=None)
    @given(STEPS)
    def walks(steps: list[Step]) -> None:
        walk = walk_through(quick_cluster, tmp_path / f"{next(numbers)}.sqlite", steps)
        asyncio.run_coroutine_threadsafe(walk, loop).result()

    await asyncio.to_thread(walks)
    assert next(numbers) >= WALKS
