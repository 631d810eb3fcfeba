"""What one more server holds in a hub's process: bytes and objects, counted and without a network.

It is the difference between two numbers of servers, so that what a process has once is not in it.
What a process has resident, connections and what is freed again included, is measured by scale_hub.
"""

from __future__ import annotations

import gc
import json
import tracemalloc
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

from mcks.backends.api_client import import_sdk, imported_ahead
from mcks.core.clusters.lean_pods import lean
from mcks.core.hub.sharing import fleet_of
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.bench.scale_api import key, pod
from tests.bench.scale_database import database, row
from tests.bench.scale_hub import Nothing, configuration, spawners_of

FEW, MANY = 50, 150
_CLASSES = {"mcks": MultiClusterKubeSpawner, "nothing": Nothing}


class Held(NamedTuple):
    """What is held: all, or for each server."""

    bytes: float
    objects: float

    def __sub__(self, other: Held) -> Held:
        return Held(self.bytes - other.bytes, self.objects - other.objects)


async def of_a_server(kind: str, directory: Path, *, clusters: int, profiles: int) -> Held:
    """Return what one more server of this *kind* holds, its Pod and its row included."""
    await import_sdk()
    await _held(kind, directory, 1, clusters, profiles)  # pays what a process pays once
    few = await _held(kind, directory, FEW, clusters, profiles)
    many = await _held(kind, directory, MANY, clusters, profiles)
    return Held(*(more / (MANY - FEW) for more in many - few))


async def _held(kind: str, directory: Path, servers: int, clusters: int, profiles: int) -> Held:
    gateways = {f"c{n}": f"https://gateway-{n}.example.org:8443" for n in range(clusters)}
    async with AsyncExitStack() as stack:
        own = directory / f"{kind}-{servers}-{clusters}-{profiles}"
        own.mkdir()
        session = stack.enter_context(database(own))
        session.add_all(row(number, list(gateways.values())) for number in range(servers))
        session.commit()
        session.expunge_all()
        config = configuration(gateways, profiles)
        gc.collect()
        tracemalloc.start()
        stack.callback(tracemalloc.stop)
        before = len(gc.get_objects())
        users, spawners = spawners_of(session, config, _CLASSES[kind])
        pods = await _looked_at(spawners, stack) if kind == "mcks" else []
        gc.collect()
        assert len(users) == servers
        assert len(pods) in (0, servers)
        return Held(tracemalloc.get_traced_memory()[0], len(gc.get_objects()) - before)


async def _looked_at(spawners: list[Any], stack: AsyncExitStack) -> list[Any]:
    """Do with *spawners* what a hub does that has just started; return what is kept of Pods."""
    await imported_ahead()
    fleet = fleet_of(spawners[0])
    stack.push_async_callback(fleet.close)
    for spawner in spawners:
        assert await spawner.poll() is None
    records = fleet.memory.records
    assert records is not None
    assert len(await records.index()) == len(spawners)
    return [lean(json.loads(pod(key(spawner.user.name)))) for spawner in spawners]
