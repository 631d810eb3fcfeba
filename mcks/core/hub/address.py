"""Where a running server is: found again when the hub starts, followed when its Pod moves.

How a server is asked (gateway.py), and when (spawner.py), does not belong here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from mcks.core.gateways.routes import POD, Target, same_place
from mcks.core.hub.sharing import fleet_of
from mcks.core.hub.sharing_spawner import SharingSpawner
from mcks.core.knowledge.database import HubUser
from mcks.core.objects import Manifest
from mcks.core.servers import server
from mcks.errors import UnknownCluster

if TYPE_CHECKING:
    from mcks.core.clusters.connected import ConnectedCluster

_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
"""Seconds between two looks at a cluster that is away when the hub starts."""


class AddressedUser(HubUser, Protocol):
    """A user with the settings of the running hub."""

    settings: Mapping[str, Any]


class AddressedSpawner(SharingSpawner, Protocol):
    """A spawner, as far as its server's address is looked after."""

    user: AddressedUser
    clusters_ever: Mapping[str, Any]
    server: Any
    orm_spawner: Any
    ready: bool
    _log_name: str

    def get_state(self) -> dict[str, Any]:
        """Return what the database is to remember."""


class Address:
    """Looks after where the spawner's server is. What it knows is the spawner's."""

    __slots__ = ("_spawner",)

    def __init__(self, spawner: AddressedSpawner) -> None:
        self._spawner = spawner

    async def find(self, known: str) -> str:
        """Return where the server answers, which the hub believes to be at *known*.

        The hub stops a server that does not answer in time, so this does not return until its
        cluster can be seen and the server answers, or the Pod is known to be gone.
        """
        from mcks.core.servers import launch  # noqa: PLC0415 - see sharing.AHEAD

        spawner = self._spawner
        url, pause = spawner.remembered.url or known, _PAUSE
        while (created := spawner.remembered.created) is not None:
            cluster = spawner.remembered.cluster
            try:
                connected = await fleet_of(spawner).pool.connect(cluster, spawner.clusters_ever)
                target = self._target(url)
                await connected.pods_of(created.namespace).synced.wait()
                await fleet_of(spawner).pool.looks.next()  # all of the cluster's waited for that
                if not await _answers(connected, created, target):
                    url = await launch.find_again(connected, created, target)
                break
            except UnknownCluster as exc:
                where = spawner.remembered.where()
                spawner.log.warning("%s: %s is out of sight: %s", spawner._log_name, where, exc)
                break
            except Exception as exc:  # the hub would take an exception for the server's end
                spawner.log.warning("%s: waiting for its cluster: %s", spawner._log_name, exc)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        # another spelling would make the hub warn and write to its database for each server
        return known if same_place(known, url) else url

    def follow(self, pod: Manifest | None) -> None:
        """Tell the hub and its proxy if the server has moved to another address with its *pod*."""
        spawner = self._spawner
        if spawner.remembered.route != POD or pod is None:
            return
        known = spawner.server
        if not (known and spawner.ready):
            return
        from mcks.core.pods import failures  # noqa: PLC0415 - see sharing.AHEAD

        url = server.located(self._target(known.url), pod).url
        if not failures.is_running(pod) or same_place(url, known.url):
            return
        spawner.log.warning("%s has moved from %s to %s", spawner._log_name, known.host, url)
        place = urlsplit(url)
        known.ip, known.port = place.hostname, place.port
        spawner.remembered = spawner.remembered._replace(url=url)
        spawner.orm_spawner.state = spawner.get_state()
        if spawner.user.db is not None:
            spawner.user.db.commit()
        if proxy := spawner.user.settings.get("proxy"):
            fleet_of(spawner).pool.run(self._reroute(proxy))

    async def _reroute(self, proxy: Any) -> None:
        """Change the route now. If that fails, the hub's own look at its routes will do it."""
        spawner = self._spawner
        try:
            await proxy.add_user(spawner.user, spawner.name)
        except Exception as exc:
            spawner.log.warning("%s: its route stays for now: %s", spawner._log_name, exc)

    def _target(self, url: str) -> Target:
        spawner = self._spawner
        route = spawner.remembered.route
        return Target(url, spawner.proxy_spec, spawner.ready_check, route)


async def _answers(connected: ConnectedCluster, created: server.Created, target: Target) -> bool:
    """Whether the server answers at *target* when it is asked once: mostly so, for little."""
    from mcks.core.gateways import gateway  # noqa: PLC0415 - see sharing.AHEAD
    from mcks.core.pods import failures  # noqa: PLC0415 - see sharing.AHEAD
    from mcks.core.servers import launch  # noqa: PLC0415 - see sharing.AHEAD

    pod = connected.pods_of(created.namespace).get(created.where("Pod"))
    if pod is None or failures.exit_code(pod) is not None:
        return False
    if launch.pointing_at(connected, created, target)().url != target.url:
        return False
    return (await gateway.ask(connected.http, target)).ready
