"""Watches of a loopback API server (loopback.py) that tell what a test says, when it says it.

Each kind of object has its own, and whoever opens one is told all that was said before. Nobody runs
the Pods here: a test is their scheduler and kubelet.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from aiohttp import web

from mcks.core.clusters.connected import ConnectedCluster
from mcks.core.hub.sharing import fleet_of
from mcks.core.objects import Manifest
from mcks.core.pods.patience import Patience
from mcks.core.servers import launch
from mcks.core.servers.progress import Progress
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.fakes.loopback import event, status
from tests.fakes.loopback_servers import PODS, LoopbackHub, until

POD = f"{PODS}/jupyter-ada"


class LiveWatches:
    """The watches of *hub*'s cluster. ``opened`` counts them by kind (``pods``, ``events``);
    ``refused`` are answered with that HTTP status, ``broken`` end as soon as they have begun."""

    def __init__(self, hub: LoopbackHub) -> None:
        self.server = hub.server
        self.opened: Counter[str] = Counter()
        self.refused: dict[str, int] = {}
        self.broken: set[str] = set()
        self._told: dict[str, list[bytes]] = {"pods": [], "events": []}
        self._news = asyncio.Condition()
        self._watching: set[asyncio.Task[Any]] = set()
        self.server._watch = self._watch  # type: ignore[method-assign]

    async def tell_pod(self, kind: str = "MODIFIED", **status: Any) -> None:
        """Say that ada's Pod has this *status* now; also what else of it has changed (``spec``,
        ``metadata``)."""
        await self.tell_pods((kind, status))

    async def tell_pods(self, *changes: tuple[str, dict[str, Any]]) -> None:
        """Say several changes of ada's Pod in one breath."""
        for kind, changed in changes:
            pod = self.pod
            for part in ("spec", "metadata"):
                pod[part] = {**pod[part], **changed.pop(part, {})}
            if kind != "DELETED" or changed:
                pod["status"] = {"phase": "Pending", **changed}
            self._told["pods"].append(event(kind, pod))
        await self._tell()

    async def tell_event(self, reason: str, message: str = "", uid: str = "") -> None:
        """Say that this happened to ada's Pod, or to one with another *uid*."""
        about = {"kind": "Pod", "name": "jupyter-ada", "uid": uid or self.pod["metadata"]["uid"]}
        happened = {"type": "Normal", "reason": reason, "message": message, "involvedObject": about}
        meta = {"name": f"e{len(self._told['events'])}", "namespace": "ns", "resourceVersion": "1"}
        when = {"lastTimestamp": "2026-01-01T00:00:00Z"}
        self._told["events"].append(event("ADDED", {"metadata": meta, **happened, **when}))
        await self._tell()

    @property
    def pod(self) -> dict[str, Any]:
        """Ada's Pod as it was made, and changed since."""
        return self.server.objects[POD]

    def cut(self) -> None:
        """Break all connections on which somebody watches."""
        for task in self._watching:
            task.cancel()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        kind = request.path.rpartition("/")[2]
        self.opened[kind] += 1
        if refused := self.refused.get(kind):
            return status(refused, "Refused")
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        if kind in self.broken:
            return response
        task = asyncio.current_task()
        assert task is not None
        self._watching.add(task)
        try:
            await self._follow(response, self._told[kind])
        except (asyncio.CancelledError, ConnectionError):
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._watching.discard(task)
        return response

    async def _follow(self, response: web.StreamResponse, told: list[bytes]) -> None:
        sent = 0
        while not self.server.watch_held.is_set():
            if sent < len(told):
                new, sent = told[sent:], len(told)
                await response.write(b"".join(new))
                continue
            async with self._news:
                await self._news.wait()


class Start:
    """One start of ada's server, until its container runs or (*ready*) it answers."""

    def __init__(
        self, hub: LoopbackHub, patience: Patience, *, ready: bool = False, doubt: float = 15.0
    ) -> None:
        self.progress = Progress()
        self.spawner: MultiClusterKubeSpawner = hub.spawner()
        self._hub, self._patience, self._ready = hub, patience, ready
        pool = fleet_of(self.spawner).pool
        pool.deadlines = pool.deadlines._replace(doubt=doubt)
        self.task: asyncio.Task[str] = asyncio.create_task(self._start())

    async def made(self) -> None:
        """Return when there is a Pod and somebody watches it."""
        await until(lambda: self.task.done() or POD in self._hub.server.objects)
        if self.task.done():
            await self.task

    @property
    def said(self) -> list[str]:
        """The lines of the progress page, without their times."""
        return [line["message"].partition(" (after ")[0] for line in self.progress._lines]

    async def told(self, message: str) -> None:
        """Return when the progress page has said *message*."""
        await until(lambda: self.task.done() or message in self.said)
        assert message in self.said, self.said

    async def _start(self) -> str:
        fleet, clusters = fleet_of(self.spawner), self.spawner.known_clusters
        connected: ConnectedCluster = await fleet.pool.connect("a", clusters)
        planned = await fleet.plan(self.spawner, fleet.pool.configured("a", clusters))
        go = launch.start if self._ready else launch.run
        return await go(connected, planned, self.progress, None, self._patience)


def running() -> Manifest:
    """The status of a Pod whose server runs."""
    containers = [{"name": "notebook", "state": {"running": {}}}]
    return {"phase": "Running", "containerStatuses": containers}


def unscheduled(message: str) -> Manifest:
    """The status of a Pod for which the scheduler finds no node."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    return {"conditions": [{**condition, "message": message}]}
