"""Named clusters -> connected clients, one of each for the life of the hub.

What is done with a client does not belong here.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp
from traitlets.config import Config

from mcks.auth.shared import SharedCredentials
from mcks.backends.base import Backend
from mcks.backends.registry import backend_class
from mcks.core.apply import KEY_LABEL
from mcks.core.breaker import Breaker
from mcks.core.client import ClusterClient
from mcks.core.cluster import CONTEXT_PREFIX, Cluster, blaming, settings_of, split_settings
from mcks.core.connection import DEFAULT_DEADLINES
from mcks.core.objects import Selection
from mcks.core.watch import Reflector
from mcks.errors import UnknownCluster, unknown


@dataclass
class Connection:
    """One cluster, ready for use. ``http`` asks gateways; ``namespace`` is where servers start,
    None if each user has one."""

    cluster: Cluster
    backend: Backend
    client: ClusterClient
    namespace: str | None
    http: aiohttp.ClientSession
    breaker: Breaker
    log: logging.Logger
    _pods: dict[str | None, Reflector] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The cluster's name for people."""
        return self.cluster.name.removeprefix(CONTEXT_PREFIX)

    def pods_of(self, namespace: str | None) -> Reflector:
        """Return the watch of the servers in *namespace*, begun at the first call.

        Servers live in more than one if the configuration has changed while they ran. If each user
        has a namespace, one watch serves them all.
        """
        namespace = None if self.namespace is None else namespace
        if namespace not in self._pods:
            selection = Selection("v1", "Pod", namespace, KEY_LABEL)
            self._pods[namespace] = Reflector(self.client, selection, log=self.log)
            self._pods[namespace].start()
        return self._pods[namespace]

    async def close(self) -> None:
        """End the watches and close all connections."""
        await asyncio.gather(*(pods.stop() for pods in self._pods.values()))
        await self.client.close()
        await self.backend.close()


@dataclass
class Configured:
    """One cluster as the administrator describes it, checked but not connected."""

    cluster: Cluster
    backend: Backend

    @property
    def namespace(self) -> str | None:
        """Where the servers live: the cluster's setting, else what its kubeconfig says.

        None if each user has a namespace.
        """
        if self.cluster.is_namespace_of_user:
            return None
        return self.cluster.namespace or self.backend.namespace_hint() or "default"


def configure(
    name: str, clusters: Mapping[str, Any], config: Config, log: logging.Logger
) -> Configured:
    """Make Cluster and backend of the cluster *name*, without any network. Raises ConfigError."""
    if name not in clusters and not name.startswith(CONTEXT_PREFIX):
        raise UnknownCluster(unknown("cluster", name, clusters))
    settings = settings_of(name, clusters)
    with blaming(name):
        cls = backend_class(settings.get("backend") or Cluster(name, config=config).backend)
    ours, theirs = split_settings(name, settings, cls)
    with blaming(name):
        cluster = Cluster(name, config=config, log=log, **ours)
        backend = cls(cluster_name=name, config=config, log=log, **theirs)
    cluster.check()
    return Configured(cluster, backend)


class Pool:
    """Connects to each cluster once, when it is first needed. Use ``pool_of`` to get the hub's."""

    def __init__(self, config: Config, log: logging.Logger) -> None:
        self._config = config
        self._log = log
        self._shared_credentials = SharedCredentials()
        self._configured: dict[str, Configured] = {}
        self._connections: dict[str, Connection] = {}
        self._connecting: dict[str, asyncio.Task[Connection]] = {}
        self._breakers: dict[str, Breaker] = {}
        self._identities: dict[str, tuple[Any, str]] = {}
        self._http: aiohttp.ClientSession | None = None
        self.planning = asyncio.Lock()
        """Held by the one start that is planned in this turn of the event loop."""
        self._background: set[asyncio.Task[None]] = set()
        self.attend: Callable[[Connection], Coroutine[Any, Any, None]] | None = None
        """Runs beside each connection made from now on, until the pool closes."""
        self.deadlines = DEFAULT_DEADLINES
        """For connections that are made from now on."""

    def configured(self, name: str, clusters: Mapping[str, Any]) -> Configured:
        """Return the cluster *name* as configured; no network. Raises ConfigError."""
        identity = self._identity(name, clusters)
        if identity not in self._configured:
            configured = configure(name, clusters, self._config, self._log)
            configured.backend.shared_credentials = self._shared_credentials
            self._configured[identity] = configured
        return self._configured[identity]

    def peek(self, name: str, clusters: Mapping[str, Any]) -> Connection | None:
        """Return the connection if there is one already."""
        return self._connections.get(self._identity(name, clusters))

    async def connect(self, name: str, clusters: Mapping[str, Any]) -> Connection:
        """Return the connection to the cluster *name*, made now if need be.

        Callers at the same time share one attempt; after some failed ones the cluster is left
        alone for a while. Raises ConfigError, AuthError, Unreachable.
        """
        identity = self._identity(name, clusters)
        if identity in self._connections:
            return self._connections[identity]
        if identity not in self._connecting:
            configured = self.configured(name, clusters)
            task = asyncio.create_task(self._connect(configured, self.breaker(name, clusters)))
            task.add_done_callback(lambda done: self._connected(identity, done))
            self._connecting[identity] = task
        return await asyncio.shield(self._connecting[identity])

    def _identity(self, name: str, clusters: Mapping[str, Any]) -> str:
        """Equal settings share a connection; a changed configuration gets its own."""
        settings = clusters.get(name)
        known = self._identities.get(name)
        if known is None or known[0] != settings:  # each poll asks, so it is made once
            text = json.dumps([name, settings], sort_keys=True, default=repr)
            known = self._identities[name] = copy.deepcopy(settings), text
        return known[1]

    def _connected(self, identity: str, done: asyncio.Task[Connection]) -> None:
        del self._connecting[identity]
        if not done.cancelled() and done.exception() is None:
            connection = self._connections[identity] = done.result()
            if self.attend is not None:
                self.run(self.attend(connection))

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run *work* in the background until it ends or the pool closes."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def breaker(self, name: str, clusters: Mapping[str, Any]) -> Breaker:
        """Return what knows whether the cluster *name* answers at present."""
        identity = self._identity(name, clusters)
        if identity not in self._breakers:
            self._breakers[identity] = Breaker(name)
        return self._breakers[identity]

    async def _connect(self, configured: Configured, breaker: Breaker) -> Connection:
        cluster, backend = configured.cluster, configured.backend
        with breaker.attempt():
            api = await backend.connect()
        client = ClusterClient(
            api,
            cluster=cluster.name,
            credentials=backend.credentials,
            deadlines=self.deadlines,
            renew_trust=backend.renew_trust,
            explain=backend.explain,
            breaker=breaker,
        )
        if self._http is None:
            # one user's server must not set cookies for the next one's
            self._http = aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
        return Connection(
            cluster, backend, client, configured.namespace, self._http, breaker, self._log
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
        if self._http is not None:
            await self._http.close()
            self._http = None


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Pool, asyncio.Task[None]]] = (
    WeakKeyDictionary()
)


def pool_of(config: Config, log: logging.Logger) -> Pool:
    """Return the pool of the running event loop, made at the first call.

    Its owner task closes it when the hub cancels its tasks at shutdown.
    """
    loop = asyncio.get_running_loop()
    if loop not in _pools or _pools[loop][1].done():
        pool = Pool(config, log)
        _pools[loop] = (pool, loop.create_task(_own(pool), name="mcks: owner of the pool"))
    return _pools[loop][0]


async def _own(pool: Pool) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await pool.close()
