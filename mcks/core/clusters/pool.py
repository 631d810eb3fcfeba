"""Named clusters -> connected ones, one of each for the life of the hub.

What is done with a client does not belong here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from traitlets.config import Config

from mcks.auth.shared import SharedCredentials
from mcks.core.administrator import inventory
from mcks.core.api.breaker import Breaker
from mcks.core.api.client import ClusterClient
from mcks.core.api.deadlines import DEFAULT_DEADLINES
from mcks.core.api.transport import Transport
from mcks.core.api.turns import Turns
from mcks.core.clusters.cluster import Cluster, ConfiguredCluster
from mcks.core.clusters.configure import configure, trait_names
from mcks.core.clusters.connected import ConnectedCluster
from mcks.core.gateways.gateway_session import GatewaySession
from mcks.errors import MCKSError

_WAY = frozenset({"backend", "namespace"})
"""Settings of a cluster, beside those of its backend, with which a connection changes."""
_LOOK_AGAIN = 60.0
"""Seconds until a cluster's backend is asked again whether it must be connected anew."""

_LOOKS = 50
"""Looks into memory in one turn of the event loop, some milliseconds together: a hub that starts
asks for all of its servers in one."""


class Pool:
    """Connects to each cluster once, when it is first needed.

    *look_after* runs beside each connection, until the pool closes.
    """

    deadlines = DEFAULT_DEADLINES
    """For connections that are made from now on."""

    def __init__(
        self,
        config: Config,
        log: logging.Logger,
        look_after: Callable[[ConnectedCluster], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        self._config = config
        self._log = log
        self._look_after = look_after
        self._shared_credentials = SharedCredentials()
        self._configured: dict[str, ConfiguredCluster] = {}
        self._connections: dict[str, ConnectedCluster] = {}
        self._connecting: dict[str, asyncio.Task[ConnectedCluster]] = {}
        self._breakers: dict[str, Breaker] = {}
        self._identities: dict[str, tuple[Any, str, str]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._beside: dict[str, list[asyncio.Task[None]]] = {}
        """What runs beside each connection, by its way."""
        self.turns = Turns()
        self.looks = Turns(_LOOKS)

    def configured(self, name: str, clusters: Mapping[str, Any]) -> ConfiguredCluster:
        """Return the cluster *name* as configured; no network. Raises ConfigError."""
        identity = self._identity(name, clusters)
        if identity not in self._configured:
            self._configured[identity] = self._configure(name, clusters)
        return self._configured[identity]

    def _configure(self, name: str, clusters: Mapping[str, Any]) -> ConfiguredCluster:
        configured = configure(name, clusters, self._config, self._log)
        configured.backend.shared_credentials = self._shared_credentials
        return configured

    def peek(self, name: str, clusters: Mapping[str, Any]) -> ConnectedCluster | None:
        """Return the connection if there is one already."""
        return self._connections.get(self._way(name, clusters))

    async def connect(self, name: str, clusters: Mapping[str, Any]) -> ConnectedCluster:
        """Return the connection to the cluster *name*, made now if need be.

        Callers at the same time share one attempt; after some failed ones the cluster is left
        alone for a while. Raises ConfigError, StartFailed, AuthError, Unreachable.
        """
        await inventory.ready(clusters)
        way = self._way(name, clusters)
        if way in self._connections:
            return self._connections[way]
        if way not in self._connecting:
            configured = self.configured(name, clusters)
            task = asyncio.create_task(self._connect(configured, self.breaker(name, clusters)))
            again = partial(self._configure, name, {name: clusters.get(name)})
            identity = self._identity(name, clusters)
            task.add_done_callback(lambda done: self._connected(way, identity, done, again))
            self._connecting[way] = task
        return await asyncio.shield(self._connecting[way])

    def _identity(self, name: str, clusters: Mapping[str, Any]) -> str:
        """Equal settings are configured once; what was changed is configured anew."""
        return self._identified(name, clusters)[0]

    def _way(self, name: str, clusters: Mapping[str, Any]) -> str:
        """Equal ways into a cluster share a connection; another way gets its own."""
        return self._identified(name, clusters)[1]

    def _identified(self, name: str, clusters: Mapping[str, Any]) -> tuple[str, str]:
        settings = clusters.get(name)
        known = self._identities.get(name)
        if known is None or known[0] != settings:  # each poll asks, so it is made once
            known = _copied(settings), _text(name, settings), _text(name, _way_of(settings))
            self._identities[name] = known
        return known[1:]

    def forget(self, name: str, settings: Mapping[str, Any]) -> None:
        """Forget what *settings*, which do not count any more, have made of the cluster *name*."""
        self._configured.pop(_text(name, settings), None)

    async def disconnect(self, connected: ConnectedCluster) -> None:
        """Close a connection that nobody uses any more."""
        ways = [way for way, one in self._connections.items() if one is connected]
        for way in ways:
            for task in self._beside.pop(way, []):
                task.cancel()
        await connected.close()
        for way in ways:  # not before: the pool may close meanwhile, and would leave it open
            self._connections.pop(way, None)
            self._breakers.pop(way, None)

    def _connected(
        self,
        way: str,
        identity: str,
        done: asyncio.Task[ConnectedCluster],
        again: Callable[[], ConfiguredCluster],
    ) -> None:
        del self._connecting[way]
        if not done.cancelled() and done.exception() is None:
            connected = self._connections[way] = done.result()
            self._beside[way] = [self.run(self._keep_up(identity, connected, again))]
            if self._look_after is not None:
                self._beside[way].append(self.run(self._look_after(connected)))

    async def _keep_up(
        self, identity: str, connected: ConnectedCluster, again: Callable[[], ConfiguredCluster]
    ) -> None:
        """Connect anew, as *again* configures it, whenever the backend says that it must be so.

        Until that works the connection stays what it was.
        """
        told = ""
        while True:
            await asyncio.sleep(_LOOK_AGAIN)
            try:
                if await connected.backend.outdated():
                    await self._connect_anew(identity, connected, again())
                    told = ""
            except MCKSError as exc:
                if str(exc) != told:
                    self._log.warning("%s; it is used as it was before", exc)
                told = str(exc)
            except Exception:  # it must not end before the hub
                self._log.exception("%s could not be connected anew", connected.title)

    async def _connect_anew(
        self, identity: str, connected: ConnectedCluster, configured: ConfiguredCluster
    ) -> None:
        backend = configured.backend
        try:
            # not Transport.of: that it fails says nothing of the connection that is in use
            api = await backend.connect()
        except BaseException:
            await backend.close()
            raise
        transport = Transport(api, backend, breaker=connected.breaker, deadlines=self.deadlines)
        connected.connect_anew(backend, transport)
        self._configured[identity] = configured
        self._log.warning("%s was connected anew: its configuration has changed", connected.title)
        self.run(self._close_former(connected))

    async def _close_former(self, connected: ConnectedCluster) -> None:
        """Close what was in use before, as soon as all that was under way must have ended."""
        limits = self.deadlines
        await asyncio.sleep(limits.total + limits.watch + limits.overdue)
        await connected.close_former()

    def run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run *work* in the background until it ends or the pool closes."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    def breaker(self, name: str, clusters: Mapping[str, Any]) -> Breaker:
        """Return what knows whether the cluster *name* answers at present."""
        way = self._way(name, clusters)
        if way not in self._breakers:
            self._breakers[way] = Breaker(name)
        return self._breakers[way]

    async def _connect(self, configured: ConfiguredCluster, breaker: Breaker) -> ConnectedCluster:
        cluster, backend = configured.cluster, configured.backend
        transport = await Transport.of(backend, breaker=breaker, deadlines=self.deadlines)
        client = ClusterClient(transport, self.turns)
        http = GatewaySession(self.turns, cluster.name)
        return ConnectedCluster(
            cluster, backend, client, configured.namespace, http, breaker, self._log
        )

    async def close(self) -> None:
        """Close every connection. The pool may be used again afterwards."""
        for task in [*self._connecting.values(), *self._background]:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
        connections, self._connections = self._connections, {}
        self._configured.clear()
        await asyncio.gather(*(c.close() for c in connections.values()), return_exceptions=True)


def _way_of(settings: Any) -> Any:
    """Leave out of *settings* what is no matter of the connection."""
    if not isinstance(settings, Mapping):
        return settings
    beside = trait_names(Cluster) - _WAY
    return {key: value for key, value in settings.items() if key not in beside}


def _copied(said: Any) -> Any:
    """Copy what can change in *said* without a word. A method in it stays that of its object, which
    may hold what cannot be copied, such as a lock."""
    if isinstance(said, Mapping):
        return {key: _copied(value) for key, value in said.items()}
    return [_copied(item) for item in said] if isinstance(said, list) else said


def _text(name: str, settings: Any) -> str:
    """Write down what tells *settings* from others."""
    return json.dumps([name, settings], sort_keys=True, default=repr)
