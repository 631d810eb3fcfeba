"""A random walk: one hub over two real clusters that does and meets what the steps say.

Which steps there are, and what there should be then (walk_model.py), does not belong here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mcks.core.clusters.connected import ConnectedCluster
from mcks.core.hub import sweep
from mcks.core.knowledge import database
from mcks.core.placement import drain_file
from mcks.core.placement.drains import Drain
from tests.fakes.fault_proxy import fall_silent, silence
from tests.hub.hub_process import HubProcess
from tests.hub.placement.walk_model import NAMES, SERVERS, Model, Rules, Server, Step, key
from tests.hub.quick_cluster import CLAIM, QuickCluster, objects_of
from tests.hub.servers import until

Clusters = Mapping[str, QuickCluster]


class Walk:
    """One hub that does and meets what the steps say. No start outlives its step."""

    def __init__(
        self, clusters: Clusters, hubs: list[HubProcess], files: Path, rules: Rules
    ) -> None:
        self.clusters, self.hubs, self.files = clusters, hubs, files
        self.model = Model(rules)

    @property
    def hub(self) -> HubProcess:
        return self.hubs[0]

    async def take(self, step: Step) -> None:
        await getattr(self, step.what)(step)
        await self.observe()

    # -- what users do ------------------------------------------------------------------------

    async def start(self, step: Step) -> None:
        server = step.server
        if self.hub.spawner(*server).active:
            return
        open_to = self.model.open_to(step, server)
        may_be_refused = self.model.may_be_refused(step, server[0])
        any_home = self.model.may_have_more_data(server[0])
        any_home |= len(self.model.homes.get(server[0], [])) > 1
        failure = await self.ended(step, server, self.hub.begin(*server, step.options))
        if failure is None:
            place = self.model.running[server]
            assert place in open_to, f"{server} started in {place} of {open_to}"
            assert place == open_to[0] or any_home, f"{server} in {place}, not {open_to[0]}"
        elif open_to and not may_be_refused:
            raise AssertionError(f"{server} did not start in {open_to}") from failure

    async def start_all(self, step: Step) -> None:
        """All that do not run, at once."""
        idle = [server for server in SERVERS if not self.hub.spawner(*server).active]
        seen = {name: len(cluster.proxy.seen) for name, cluster in self.clusters.items()}
        starts = {server: self.hub.begin(*server, step.options) for server in idle}
        ended = [await self.ended(step, server, task) for server, task in starts.items()]
        for server, failure in zip(idle, ended, strict=True):
            open_to = self.model.open_to(step, server)
            if failure and open_to and not self.model.may_be_refused(step, server[0]):
                raise AssertionError(f"{server} did not start in {open_to}") from failure
        if not self.model.dark:
            for name, cluster in self.clusters.items():
                self.expect_turns(name, cluster, seen[name])

    def expect_turns(self, name: str, cluster: QuickCluster, since: int) -> None:
        """No more servers than may start at a time are made in a cluster."""
        most = self.model.rules.limits(name).get("max_starting", len(SERVERS))
        starting: set[str] = set()
        for call in cluster.proxy.seen[since:]:
            if (call.verb, call.resource) == ("create", "secrets"):
                starting.add(call.name)
            elif (call.verb, call.resource) == ("patch", "secrets"):
                starting.discard(call.name)
            assert len(starting) <= most, f"{starting} start at once in {name}"

    async def ended(
        self, step: Step, server: Server, task: asyncio.Task[Any]
    ) -> BaseException | None:
        """Wait for the end of a start, take it in, and return why it has failed."""
        homes = [*self.model.homes.get(server[0], [])]
        self.model.perhaps |= {(server[0], name) for name in self.model.dark}
        async with asyncio.timeout(60):
            await asyncio.wait({task})
        if failure := task.exception():
            return failure
        self.take_in(server)
        place = self.model.running[server]
        assert not homes or place in homes or not self.model.is_bound(step), f"{place}, not {homes}"
        assert place not in self.model.drained
        return None

    def take_in(self, server: Server) -> None:
        state = self.hub.spawner(*server).get_state()
        self.model.started(server, state["cluster"], state["uid"])

    async def begin_and_wait(self, step: Step) -> asyncio.Task[Any] | None:
        """Begin a start and return when it has sent some requests, or is done."""
        if self.hub.spawner(*step.server).active:
            return None
        before = self.asked()
        task = self.hub.begin(*step.server, step.options)

        async def so_far() -> bool:
            return task.done() or self.asked() - before >= step.count

        await until(so_far)
        return task

    def asked(self) -> int:
        return sum(cluster.asked for cluster in self.clusters.values())

    async def cancel(self, step: Step) -> None:
        self.disturb(step)
        if task := await self.begin_and_wait(step):
            if task.done() and task.exception() is None:
                self.take_in(step.server)
            await self.stop(step)

    async def stop(self, step: Step) -> None:
        if await self.hub.stop(*step.server):
            self.model.stopped(step.server)

    def disturb(self, step: Step) -> None:
        """Of a start that does not end by itself nobody knows what data it has made."""
        self.model.perhaps |= {(step.server[0], name) for name in NAMES}

    # -- what administrators do ---------------------------------------------------------------

    async def drain(self, step: Step) -> None:
        self.model.drained.add(step.cluster)
        self._say_drained()

    async def undrain(self, step: Step) -> None:
        self.model.drained.discard(step.cluster)
        self._say_drained()

    def _say_drained(self) -> None:
        def edit(drained: dict[str, Drain]) -> None:
            drained.clear()
            drained.update(dict.fromkeys(self.model.drained, Drain()))

        drain_file.change(self.files.with_suffix(".json"), edit)

    async def restart(self, step: Step, *under_way: Server) -> None:
        del step
        await self.hub.kill()
        self.hubs[0] = HubProcess(self.hub.config, self.files)
        for server in under_way:  # perhaps the hub has saved it before it was killed
            if "uid" in self.hub.spawner(*server).get_state():
                self.take_in(server)
        if under_way:
            self.model.debts |= {*NAMES}
        if not self.model.dark:
            async with asyncio.timeout(60):
                await self.hub.adoption
        await self.settle()

    async def restart_in_start(self, step: Step) -> None:
        self.disturb(step)
        if await self.begin_and_wait(step):
            await self.restart(step, step.server)

    # -- what happens to clusters -------------------------------------------------------------

    async def outage(self, step: Step) -> None:
        if step.cluster in self.model.dark:
            return
        cluster = self.clusters[step.cluster]
        if step.silent:
            cluster.proxy.go_dark(silence, fall_silent)
        else:
            cluster.cut_off()
        self.model.dark.add(step.cluster)
        self.model.debts.add(step.cluster)

    async def outage_in_start(self, step: Step) -> None:
        self.disturb(step)
        if task := await self.begin_and_wait(step):
            await self.outage(step)
            await self.ended(step, step.server, task)

    async def outage_ends(self, step: Step | None = None) -> None:
        del step
        for name in self.model.dark:
            self.clusters[name].proxy.heal()
            await self.until_reachable(name)
        self.model.dark.clear()
        async with asyncio.timeout(60):
            await self.hub.adoption
        await self.settle()

    async def until_reachable(self, name: str) -> None:
        clusters = self.hub.spawner("operator").clusters

        async def reachable() -> bool:
            return self.hub.pool.breaker(name, clusters).unavailable is None

        await until(reachable)

    # -- what must be so ----------------------------------------------------------------------

    async def observe(self) -> None:
        for server in self.model.running:
            assert await self.hub.spawner(*server).poll() is None, server
        for name in NAMES:
            assert not [*self.model.over(self.model.running.items(), name)]
            if name not in self.model.debts:
                assert await self.pods(name) == self.wanted_pods(name), name

    def wanted_pods(self, name: str) -> dict[str, str]:
        return {key(one): self.model.uids[one] for one in self.model.in_cluster(name)}

    async def pods(self, name: str) -> dict[str, str]:
        """Uids of the servers' Pods that are in a cluster, by name."""
        cluster = self.clusters[name]
        listed = await asyncio.to_thread(cluster.api.list, "v1", "Pod", cluster.namespace)
        return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in listed}

    async def connection(self, name: str) -> ConnectedCluster:
        clusters = self.hub.spawner("operator").clusters
        return await self.hub.pool.connect(name, clusters)

    async def settle(self) -> None:
        """Let the hub delete what is to be deleted where it can be reached."""
        for name in self.model.debts - self.model.dark:
            connection = await self.connection(name)
            await connection.pods_of(self.clusters[name].namespace).synced.wait()
            await self.swept(connection, name)
        self.model.debts &= self.model.dark

    async def swept(self, connection: ConnectedCluster, name: str) -> None:
        sweeper, found = self.hub.fleet.sweeper, dict[str, str]()
        youngest, sweeper.min_age = sweeper.min_age, 0

        async def as_it_should_be() -> bool:
            nonlocal found
            await sweeper.sweep(connection)
            found = await self.pods(name)
            return found == self.wanted_pods(name) and not sweeper.has_pending(connection.breaker)

        try:
            await until(as_it_should_be, 40)
        except TimeoutError:
            pytest.fail(f"{name} has {found}, not {self.wanted_pods(name)}")
        sweeper.min_age = youngest

    async def finish(self) -> None:
        """All is well again: compare the clusters with the model."""
        await self.outage_ends()
        await self.observe()
        for name in NAMES:
            await self.expect_contents(name)
            connection = await self.connection(name)
            known = database.knowledge(self.hub.session, "h")
            assert not await sweep.find_all(connection, known, "h", logging.getLogger("test"))

    async def expect_contents(self, name: str) -> None:
        model = self.model
        wanted = {one for server in model.in_cluster(name) for one in objects_of(key(server))}
        homes = {user for user, homes in model.homes.items() if name in homes}
        wanted |= {f"{CLAIM} home-{user}" for user in homes}
        perhaps = {f"{CLAIM} home-{user}" for user, where in model.perhaps if where == name}
        found: set[str] = set()

        async def as_it_should_be() -> bool:
            nonlocal found
            found = await self.clusters[name].contents()
            return wanted <= found <= wanted | perhaps

        try:
            await until(as_it_should_be, 40)  # the garbage collector takes its time
        except TimeoutError:
            pytest.fail(f"{name} misses {wanted - found}, has {found - wanted - perhaps}")

    async def leave(self) -> None:
        """Users go, and their data."""
        for server in list(self.model.running):
            assert await self.hub.stop(*server)
        for user in {user for user, _ in SERVERS}:
            await self.hub.delete_user(user)

        async def gone() -> bool:
            left = [await cluster.claims() for cluster in self.clusters.values()]
            return not any(left)

        if self.model.perhaps:
            await self.delete_data()
        await until(gone, 40)

    async def delete_data(self) -> None:
        """What a killed hub did not remember is listed for ``mcks gc``."""
        for name in NAMES:
            connection = await self.connection(name)
            known = database.knowledge(self.hub.session, "h")
            log = logging.getLogger("test")
            for orphan in await sweep.find_all(connection, known, "h", log):
                await sweep.delete(connection.client, orphan, "h")
