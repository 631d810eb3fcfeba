"""One hub's life with one spawner, measured in a process of its own; prints a line of JSON.

``python -m tests.bench.spawn_process SPAWNER PHASE``, settings as JSON on standard input. The
Pods' node and the gateway are another process. What the figures are compared with, and how often
they are taken, is in `bench_spawn`.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import itertools
import json
import logging
import os
import resource
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import jupyterhub.spawner
from jupyterhub import orm
from jupyterhub.objects import Hub, Server
from traitlets.config import Config

CLASSES = {
    "mcks": "mcks.core.spawner:MultiClusterKubeSpawner",
    "kubespawner": "kubespawner:KubeSpawner",
}
Figures = dict[str, float]
_IDS = itertools.count(1)
_POLLS = 50
_AT_ONCE = 20
_TICK = 0.001


def configuration(kind: str, given: dict[str, Any]) -> Config:
    """The same server for both: limits, an environment, and the Pod that is *given*."""
    config = Config()
    config.Spawner.environment = {f"VARIABLE_{n}": f"value {n}" for n in range(5)}
    config.Spawner.mem_limit, config.Spawner.mem_guarantee = "2G", "100M"
    config.Spawner.cpu_limit, config.Spawner.cpu_guarantee = 2, 0.01
    config.Spawner.cmd = given["cmd"]
    if kind == "kubespawner":
        config.KubeSpawner.namespace = given["namespace"]
        config.KubeSpawner.update(_traits(given["pod"]))
    else:
        section = config.MultiClusterKubeSpawner
        cluster = {"context": given["context"], "ingress_public_url": given["gateway"]}
        section.clusters = {"a": cluster | {"namespace": given["namespace"]}}
        section.patches = {"10-pod": json.dumps(_patch(given["pod"]))}
    return config


def _patch(pod: Mapping[str, Any]) -> dict[str, Any]:
    """*pod*, the spec of a Pod with one container, as mcks takes it."""
    (container,) = pod["containers"]
    spec = {**pod, "containers": [{**container, "name": "notebook"}]}
    return {"kind": "Pod", "metadata": {"name": "{{key}}"}, "spec": spec}


def _traits(pod: Mapping[str, Any]) -> dict[str, Any]:
    """*pod* as KubeSpawner takes it."""
    rest = dict(pod)
    (container,) = ({**each} for each in rest.pop("containers"))
    return {
        "image": container.pop("image"),
        "volumes": rest.pop("volumes", []),
        "volume_mounts": container.pop("volumeMounts", []),
        "extra_container_config": container,
        "extra_pod_config": rest,
    }


def make(cls: Any, config: Config, name: str) -> Any:
    """A spawner as the hub makes it, without a hub."""
    prefix = f"/user/{name}/"
    database = {"db": None, "orm_user": None}
    number = next(_IDS)
    user = SimpleNamespace(
        name=name, id=number, url=prefix, escaped_name=name, state={}, groups=[], **database
    )
    hub = Hub(ip="127.0.0.1", port=8081, base_url="/hub/", public_host="")
    row = orm.Server(proto="http", ip="192.0.2.1", port=8888, base_url=prefix, cookie_name="")
    orm_spawner = SimpleNamespace(
        id=number, name="", server=row, state={}, user_options={}, user=user
    )
    spawner = cls(
        user=user,
        orm_spawner=orm_spawner,
        hub=hub,
        config=config,
        proxy_spec=prefix,
        oauth_client_id=f"jupyterhub-user-{name}",
        _deprecated_db_session=None,
    )
    spawner.api_token = "0123456789abcdef0123456789abcdef"
    return spawner


class Meter:
    """CPU milliseconds, wall milliseconds of each, and API requests, of what is done meanwhile."""

    def __init__(self, api_server: str) -> None:
        self.requests = 0
        self.gaps: list[float] = []
        original = aiohttp.BaseConnector.connect
        meter = self

        async def counting(connector: Any, request: Any, *args: Any, **options: Any) -> Any:
            meter.requests += str(request.url).startswith(api_server)
            return await original(connector, request, *args, **options)

        aiohttp.BaseConnector.connect = counting  # type: ignore[assignment, method-assign]

    @contextlib.contextmanager
    def taking(self, figures: Figures, name: str, count: int) -> Iterator[list[float]]:
        """Note ``name cpu`` and ``name requests`` for each of *count*, ``name wall`` (median)."""
        walls: list[float] = []
        requests, began = self.requests, _cpu()
        yield walls
        figures[f"{name} cpu"] = (_cpu() - began) * 1e3 / count
        figures[f"{name} requests"] = (self.requests - requests) / count
        if walls:
            figures[f"{name} wall"] = statistics.median(walls) * 1e3

    async def longest_block(self, work: Awaitable[object]) -> float:
        """Milliseconds by which a waiting task was late at most while *work* was done."""
        gaps = [0.0]

        async def tick() -> None:
            while True:
                before = time.perf_counter()
                await asyncio.sleep(_TICK)
                gaps.append(time.perf_counter() - before - _TICK)

        ticking = asyncio.create_task(tick())
        await asyncio.sleep(10 * _TICK)
        gaps[:] = [0.0]
        await work
        ticking.cancel()
        return max(gaps) * 1e3


def _cpu() -> float:
    """CPU seconds of this process, its threads and its children."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _memory() -> float:
    """Resident megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def _timed(work: Awaitable[object], walls: list[float]) -> None:
    before = time.perf_counter()
    await work
    walls.append(time.perf_counter() - before)


async def _one_by_one(
    spawners: Iterable[Any], what: Callable[[Any], Awaitable[object]], walls: list[float]
) -> None:
    for spawner in spawners:
        await _timed(what(spawner), walls)


async def _at_once(
    spawners: Sequence[Any], what: Callable[[Any], Awaitable[object]], walls: list[float]
) -> None:
    """Do it 20 at a time."""
    for begin in range(0, len(spawners), _AT_ONCE):
        some = spawners[begin : begin + _AT_ONCE]
        await asyncio.gather(*(_timed(what(spawner), walls) for spawner in some))


async def _start(spawner: Any) -> None:
    await spawner.start()


async def _show(spawner: Any) -> None:
    """Start as JupyterHub does: it asks the server itself before it sends a user there."""
    url = urlsplit(await spawner.start())
    place = Server.from_url(f"{url.scheme}://{url.netloc}{spawner.user.url}")
    await place.wait_up(http=True, timeout=spawner.http_timeout, extra_path="api")


async def _stop(spawner: Any) -> None:
    await spawner.stop()


async def _poll(spawner: Any) -> None:
    assert await spawner.poll() is None, "the server is lost"


async def first_hub(cls: Any, given: dict[str, Any], meter: Meter, config: Config) -> Figures:
    """Start all servers, poll them, stop half of them and start some again; save their states.

    A quarter of them is started before the measured ones: what a process does for the first time
    is slow, and a hub lives long.
    """
    figures: Figures = {}
    spawners = [make(cls, config, f"user{n}") for n in range(given["servers"])]
    quarter, half = len(spawners) // 4, len(spawners) * 5 // 8
    first, early = spawners[0], spawners[1:quarter]
    some, others = spawners[quarter:half], spawners[half:]
    with meter.taking(figures, "first", 1) as walls:
        await _timed(_start(first), walls)
    figures["used memory"] = _memory() - given["memory"]
    await _one_by_one(early, _start, [])
    with meter.taking(figures, "spawn", len(some)) as walls:
        await _one_by_one(some, _start, walls)
    with meter.taking(figures, "spawn 20", len(others)) as walls:
        await _at_once(others, _start, walls)
    with meter.taking(figures, "poll", len(spawners) * _POLLS):
        for _ in range(_POLLS):
            for spawner in spawners:
                await _poll(spawner)
    with meter.taking(figures, "stop 20", len(others)) as walls:
        await _at_once(others, _stop, walls)
    again = [make(cls, config, spawner.user.name) for spawner in others[:_AT_ONCE]]
    figures["block"] = await meter.longest_block(_at_once(again, _start, []))
    running = [first, *early, *some, *again]
    states = {spawner.user.name: spawner.get_state() for spawner in running}
    figures["state"] = max(len(json.dumps(state)) for state in states.values())
    Path(given["states"]).write_text(json.dumps(states))
    return figures


async def hub_of_containers(
    cls: Any, given: dict[str, Any], meter: Meter, config: Config
) -> Figures:
    """Start servers until the hub would show them, a third of them one by one, and stop them."""
    figures: Figures = {}
    spawners = [make(cls, config, f"user{n}") for n in range(1 + given["servers"])]
    third = 1 + given["servers"] // 3
    first, some, others = spawners[0], spawners[1:third], spawners[third:]
    await _show(first)
    with meter.taking(figures, "spawn", len(some)) as walls:
        await _one_by_one(some, _show, walls)
    with meter.taking(figures, "spawn 20", len(others)) as walls:
        await _at_once(others, _show, walls)
    with meter.taking(figures, "stop 20", len(others)) as walls:
        await _at_once(others, _stop, walls)
    with meter.taking(figures, "stop", len(some)) as walls:
        await _one_by_one(some, _stop, walls)
    await _stop(first)
    return figures


async def full_hub(cls: Any, given: dict[str, Any], _: Meter, config: Config) -> Figures:
    """Start many servers and save their states; nothing is measured."""
    spawners = [make(cls, config, f"user{n}") for n in range(given["many servers"])]
    await _at_once(spawners, _start, [])
    states = {spawner.user.name: spawner.get_state() for spawner in spawners}
    Path(given["states"]).write_text(json.dumps(states))
    return {}


async def warm_hub(cls: Any, given: dict[str, Any], meter: Meter, config: Config) -> Figures:
    """Find many servers when all that it takes has been imported; stop them, which is not measured.

    mcks imports it in a thread while the hub starts, KubeSpawner with itself.
    """
    figures: Figures = {}
    if hasattr(cls, "clusters"):
        clusters = config.MultiClusterKubeSpawner.clusters
        importlib.import_module("mcks.core.hub.sharing").import_for(clusters, config)
        api_client = importlib.import_module("mcks.backends.api_client")
        await api_client.imported_ahead()
        await api_client.import_sdk()
    with meter.taking(figures, "warm restart", 1):
        spawners = await _found(cls, given, config)
    await asyncio.gather(*map(_stop, spawners))
    return figures


async def next_hub(cls: Any, given: dict[str, Any], meter: Meter, config: Config) -> Figures:
    """Find all servers by their states and stop them, one at a time."""
    figures: Figures = {}
    with meter.taking(figures, "restart", 1):
        spawners = await _found(cls, given, config)
    with meter.taking(figures, "adopt", len(spawners)):
        await asyncio.gather(*(spawner.get_url() for spawner in spawners))
    with meter.taking(figures, "stop", len(spawners)) as walls:
        await _one_by_one(spawners, _stop, walls)
    return figures


async def _found(cls: Any, given: dict[str, Any], config: Config) -> list[Any]:
    """Make the spawners of saved states, and see that their servers run."""
    states = json.loads(Path(given["states"]).read_text())
    spawners = [make(cls, config, name) for name in states]
    for spawner in spawners:
        spawner.load_state(states[spawner.user.name])
    await _until_seen(spawners[0])
    await asyncio.gather(*(_poll(spawner) for spawner in spawners))
    return spawners


async def _until_seen(spawner: Any) -> None:
    """KubeSpawner's poll waits for its first list; mcks's never waits, so it is waited for here."""
    if hasattr(spawner, "clusters"):
        connection = await spawner.connect()
        await connection.pods_of(connection.namespace).synced.wait()


def _imported(kind: str, phase: str, figures: Figures) -> Any:
    module, _, name = CLASSES[kind].partition(":")
    memory, began = _memory(), time.process_time()
    cls = getattr(importlib.import_module(module), name)
    figures[f"{phase} import"] = (time.process_time() - began) * 1e3
    figures[f"{phase} import memory"] = _memory() - memory
    return cls


async def _life(kind: str, phase: str, given: dict[str, Any]) -> Figures:
    figures: Figures = {}
    given["memory"] = _memory()
    cls = _imported(kind, phase, figures)
    meter, config = Meter(given["api_server"]), configuration(kind, given)
    figures |= await _PHASES[phase](cls, given, meter, config)
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    return figures


_PHASES = {
    "first": first_hub,
    "next": next_hub,
    "full": full_hub,
    "warm": warm_hub,
    "containers": hub_of_containers,
}

if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    assert jupyterhub.spawner
    print(json.dumps(asyncio.run(_life(sys.argv[1], sys.argv[2], json.load(sys.stdin)))))
