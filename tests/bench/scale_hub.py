"""A hub with many servers that run already, in a process of its own; prints a line of JSON.

``python -m tests.bench.scale_hub KIND DIRECTORY SERVERS [faults]``: KIND is ``mcks``,
``kubespawner`` (scale_kubespawner, one cluster), or ``nothing`` for a spawner that does nothing, to
know what JupyterHub's own objects take. The clusters are another process (scale_world), which obeys
what is written to standard output beside the figures. Users, spawners and the database are
JupyterHub's own; what is in it is written before (scale_database). What the figures should be is in
`bench_scale`.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import logging
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from jupyterhub import orm
from jupyterhub.objects import Hub
from jupyterhub.spawner import Spawner
from jupyterhub.user import UserDict
from prometheus_client import generate_latest
from sqlalchemy.orm import Session, selectinload
from traitlets.config import Config

from mcks.backends.api_client import import_sdk, imported_ahead
from mcks.core.hub.sharing import fleet_of, import_for
from mcks.core.servers.server import Created
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.bench import scale_kubespawner
from tests.bench.profiles import profile
from tests.bench.scale_api import NAMESPACE
from tests.bench.scale_database import database
from tests.bench.scale_storm import STARTS, Storms, tell, tuned
from tests.bench.scale_watch import Figures, Watched, run

PROFILES = 300
_ASKS = 500
_FORMS = 100
_PATIENCE = 1800.0


class Nothing(Spawner):  # type: ignore[misc]
    """A spawner whose servers run, and that knows nothing of them."""

    async def start(self) -> None:
        """Start nothing."""

    async def stop(self, now: bool = False) -> None:
        """Stop nothing."""

    async def poll(self) -> None:
        """Say that it runs."""


def configuration(gateways: dict[str, str], profiles: int = PROFILES) -> Config:
    """Many clusters, many profiles with five options each."""
    config = Config()
    section = config.MultiClusterKubeSpawner
    section.hub_id = "h"
    section.clusters = {
        name: {"context": name, "ingress_public_url": url} for name, url in gateways.items()
    }
    section.profile_list = profile_list(list(gateways), profiles)
    return config


def profile_list(names: list[str], profiles: int = PROFILES) -> list[dict[str, Any]]:
    """Many profiles, each with one of the clusters of these *names*."""
    return [
        {
            **profile(n),
            "cluster": names[n % len(names)],
            "kubespawner_override": {},
            "spawner_override": {"image": f"i:{n}", "environment": {"A": f"{n}"}},
        }
        for n in range(profiles)
    ]


def spawners_of(session: Session, config: Config, cls: type[Spawner]) -> tuple[Any, list[Any]]:
    """Make users and spawners as a hub does when it starts."""
    hub = Hub(ip="127.0.0.1", port=8081, base_url="/hub/", public_host="")
    users = UserDict(lambda: session, {"spawner_class": cls, "config": config, "hub": hub})
    rows = session.query(orm.Spawner).options(
        selectinload(orm.Spawner.user), selectinload(orm.Spawner.user, orm.User._orm_spawners)
    )
    return users, [users[row.user].spawners[row.name] for row in rows]


async def check(spawner: Any) -> None:
    """Do as a hub that has just started: is it there, and where?"""
    assert await spawner.poll() is None
    await spawner.get_url()


def memory() -> float:
    """Resident kilobytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e3


async def live(kind: str, directory: Path, servers: int, faults: bool) -> Figures:
    """Live the life of a hub whose servers run, and return its figures."""
    gateways = json.loads((directory / "world.json").read_text())
    figures: Figures = {}
    with database(directory) as session:
        cls, config = _kind(kind, gateways)
        watched = Watched(session.get_bind())
        # what one process pays once
        import_for(config.MultiClusterKubeSpawner.clusters, config)
        await imported_ahead()
        await import_sdk()
        before, objects, began = memory(), len(gc.get_objects()), time.process_time()
        users, spawners = spawners_of(session, config, cls)
        figures["make cpu s"] = time.process_time() - began
        await watched.of(figures, "find", lambda: asyncio.gather(*map(check, spawners)))
        figures["memory kB"] = (memory() - before) / servers
        figures["objects"] = (len(gc.get_objects()) - objects) / servers
        assert len(users) == servers
        if kind == "mcks":
            await _measured(watched, figures, spawners)
            await _scraped(watched, figures)
        if kind != "nothing":
            await _shown(watched, figures, spawners)
            storms = Storms(users, list(gateways), min(STARTS, servers))
            await storms.all_well(watched, figures)
        if kind == "mcks":
            await _looked_at(watched, figures, storms, list(gateways), faults)
            await fleet_of(spawners[0]).close()
    return figures


def _kind(kind: str, gateways: dict[str, str]) -> tuple[type[Spawner], Config]:
    """Return the class of this kind's spawners, and its configuration."""
    if kind == "kubespawner":
        cls: type[Spawner] = importlib.import_module("kubespawner").KubeSpawner
        return cls, scale_kubespawner.configuration(profile_list(list(gateways)))
    return MultiClusterKubeSpawner if kind == "mcks" else Nothing, configuration(gateways)


async def _looked_at(
    watched: Watched, figures: Figures, storms: Storms, clusters: list[str], faults: bool
) -> None:
    await storms.looked_at(watched, figures)
    with tuned():
        await storms.in_a_tuned_hub(watched, figures)
        if faults and len(clusters) > 2:
            await storms.one_gateway_silent(watched, figures)
            await storms.two_clusters_away(watched, figures)


async def _shown(watched: Watched, figures: Figures, spawners: list[Any]) -> None:
    """Show the form, to one and then to many at once."""
    await spawners[0].get_options_form()  # what the first one pays for all
    form = await watched.of(figures, "form", spawners[1].get_options_form)
    figures["form kB"] = len(form.encode()) / 1e3
    figures["form ms"] = figures["form cpu s"] * 1e3
    some = spawners[: min(_FORMS, len(spawners))]
    await watched.of(
        figures, "forms", lambda: asyncio.gather(*(one.get_options_form() for one in some))
    )


async def _scraped(watched: Watched, figures: Figures) -> None:
    """Show the metrics."""

    async def scrape() -> bytes:
        return b"".join(
            line for line in generate_latest().splitlines(keepends=True) if b"mcks_" in line
        )

    scraped = await watched.of(figures, "scrape", scrape)
    figures["scrape kB"] = len(scraped) / 1e3
    figures["scrape ms"] = figures["scrape cpu s"] * 1e3


async def _measured(watched: Watched, figures: Figures, spawners: list[Any]) -> None:
    fleet = fleet_of(spawners[0])
    names = spawners[0].known_clusters
    connected = [await fleet.pool.connect(name, names) for name in names]
    async with asyncio.timeout(300):  # all clusters, two at a time, on a busy machine
        while not all(one.breaker in fleet.sweeper._searched for one in connected):
            await asyncio.sleep(0.05)
    figures |= {f"requests {k}": v for k, v in (await tell("count")).items()}
    sweep = fleet.sweeper.sweep
    await watched.of(figures, "sweep", lambda: asyncio.gather(*map(sweep, connected)))
    await watched.of(figures, "holder", lambda: _ask_for_others(figures, spawners))
    pods = [cluster.pods_of(NAMESPACE) for cluster in connected]

    async def away() -> None:
        await tell("away 5")
        at = time.monotonic()
        while any(one.last_contact < at for one in pods):
            await asyncio.sleep(0.05)

    await watched.of(figures, "outage", away)


async def _ask_for_others(figures: Figures, spawners: list[Any]) -> None:
    memory = fleet_of(spawners[0]).memory
    times = []
    for number in range(_ASKS):
        one = spawners[number % len(spawners)]
        created = Created(one.remembered.created.key, NAMESPACE, "h")
        began = time.perf_counter()
        assert not await memory.other_holder(one.user, one.remembered.cluster, created, [])
        times.append(time.perf_counter() - began)
        await asyncio.sleep(0)
    figures["holder one us"] = statistics.median(times) * 1e6


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    living = live(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), "faults" in sys.argv)
    print(json.dumps(run(asyncio.wait_for(living, _PATIENCE))))
